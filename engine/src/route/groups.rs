//! The routes of a table by prefix: those of one prefix stand next to each other, in an order that is the table's.
//!
//! Up to [`FEW`] routes are one list: nearly all namespaces have no more, and there are very many namespaces. More of them lie
//! in a [`PrefixMap`]. Either knows without a look at the routes which router a packet goes to, if that is all there is to say.

use super::prefix_map::{self, PrefixMap};
use super::types::Route;
use crate::addr::{Address, Prefix};
use crate::control::{IfIndex, RouteKind, scope};
use crate::few;
use core::ops::Range;

/// So many routes are searched one after the other.
const FEW: usize = 8;

/// See the module.
#[derive(Clone, Debug)]
pub(super) enum Groups<A: Address> {
    /// Sorted by address, then length: of the prefixes that hold an address, a longer one stands behind a shorter one.
    Few(Vec<Route<A>>),
    Many(Box<Many<A>>),
}

#[derive(Clone, Debug)]
pub(super) struct Many<A: Address> {
    map: PrefixMap<A, Vec<Route<A>>>,
    /// The next hops that prefixes are labelled with, from 1 on.
    hops: Vec<Hop<A>>,
}

/// All that the tables have to say to whom packets of some prefixes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop<A> {
    oif: IfIndex,
    gateway: A,
    mtu: Option<u32>,
    mtu_lock: bool,
}

impl<A: Address> Hop<A> {
    /// The next hop that all packets to a prefix with these routes go to, if it is a router and nothing is asked but where
    /// they go. (In IPv4 only: nobody asks in IPv6.)
    fn of(routes: &[Route<A>]) -> Option<Hop<A>> {
        let route = routes.first().filter(|_| A::BITS == 32)?;
        let [nexthop] = &*route.nexthops else { return None };
        let plain = route.tos == 0 && route.kind == RouteKind::Unicast && route.rare.expires.is_none();
        let plain = plain && nexthop.scope == scope::LINK;
        let lives = route.flags & Route::<A>::DEAD == 0 && !nexthop.dead && !nexthop.linkdown;
        let gateway = nexthop.gateway.filter(|_| plain && lives)?;
        let (mtu, mtu_lock) = (route.rare.metrics.mtu, route.rare.metrics.mtu_lock);
        Some(Hop { oif: nexthop.oif, gateway, mtu, mtu_lock })
    }
}

impl<A: Address> Groups<A> {
    /// None.
    pub(super) const fn new() -> Groups<A> {
        Groups::Few(Vec::new())
    }

    /// The number of the router that packets to there go to; 0 if there is more to it. `hops` is what [`Groups::hops`] told
    /// after the last change.
    #[inline(always)]
    pub(super) fn hop_towards(&self, destination: A, hops: u32) -> u8 {
        match self {
            Groups::Few(list) => {
                let found = list.iter().rposition(|route| route.destination.contains(destination));
                found.map_or(0, |at| (hops >> (4 * at) & 15) as u8)
            }
            Groups::Many(many) => many.map.label(destination),
        }
    }

    /// Of a list: where each of its routes leads to, in four bits each: routers are numbered from 1 on, 0 is more than that.
    pub(super) fn hops(&self) -> u32 {
        let Groups::Few(list) = self else { return 0 };
        let mut known = [None; FEW];
        let (mut hops, mut at) = (0, 0);
        for routes in groups(list) {
            let hop = Hop::of(routes);
            let place = hop.and_then(|_| known.iter().position(|known| known.is_none() || *known == hop));
            if let Some(place) = place {
                known[place] = hop;
            }
            for _ in routes {
                hops |= place.map_or(0, |place| place as u32 + 1) << (4 * at);
                at += 1;
            }
        }
        hops
    }

    /// The routes of exactly this prefix.
    pub(super) fn get(&self, prefix: Prefix<A>) -> &[Route<A>] {
        match self {
            Groups::Few(list) => list.get(range(list, prefix)).unwrap_or_default(),
            Groups::Many(many) => many.map.get(prefix).map_or(&[], Vec::as_slice),
        }
    }

    /// Puts a route among those of its prefix, before what stands `at` a place.
    pub(super) fn insert(&mut self, at: usize, route: Route<A>) {
        let prefix = route.destination;
        match self {
            Groups::Few(list) if list.len() < FEW => {
                let at = (range(list, prefix).start + at).min(list.len());
                // An address of IPv4 brings three, and a default route comes along; one of IPv6 brings one to each table.
                if list.is_empty() {
                    list.reserve_exact(if A::BITS == 32 { FEW / 2 } else { 2 });
                }
                few::insert(list, at, route);
            }
            Groups::Few(list) => {
                let mut many = Many { map: PrefixMap::new(), hops: Vec::new() };
                core::mem::take(list).into_iter().for_each(|route| many.insert(usize::MAX, route));
                many.insert(at, route);
                *self = Groups::Many(Box::new(many));
            }
            Groups::Many(many) => many.insert(at, route),
        }
    }

    /// Puts a route in the place of another one of its prefix, and gives that back.
    pub(super) fn replace(&mut self, at: usize, route: Route<A>) -> Option<Route<A>> {
        let prefix = route.destination;
        match self {
            Groups::Few(list) => {
                let at = range(list, prefix).start + at;
                list.get_mut(at).map(|old| core::mem::replace(old, route))
            }
            Groups::Many(many) => {
                let old = many.map.get_mut(prefix)?.get_mut(at).map(|old| core::mem::replace(old, route));
                many.label(prefix);
                old
            }
        }
    }

    /// Takes one of the routes of a prefix out.
    pub(super) fn remove(&mut self, prefix: Prefix<A>, at: usize) -> Option<Route<A>> {
        match self {
            Groups::Few(list) => {
                let range = range(list, prefix);
                (at < range.len()).then(|| list.remove(range.start + at))
            }
            Groups::Many(many) => {
                let routes = many.map.get_mut(prefix).filter(|routes| at < routes.len())?;
                let gone = routes.remove(at);
                match routes.is_empty() {
                    true => drop(many.map.remove(prefix)),
                    false => many.label(prefix),
                }
                self.shrink();
                Some(gone)
            }
        }
    }

    /// Takes all routes of a prefix out.
    pub(super) fn take(&mut self, prefix: Prefix<A>) -> Vec<Route<A>> {
        match self {
            Groups::Few(list) => {
                let range = range(list, prefix);
                list.drain(range).collect()
            }
            Groups::Many(many) => many.map.remove(prefix).unwrap_or_default(),
        }
    }

    /// Gives each route to `change`; those it answers `false` for are taken out.
    pub(super) fn retain(&mut self, change: impl FnMut(&mut Route<A>) -> bool) {
        match self {
            Groups::Few(list) => list.retain_mut(change),
            Groups::Many(many) => {
                many.retain(change);
                self.shrink();
            }
        }
    }

    /// Half of `FEW`, so that a route that comes and goes does not change the form each time.
    fn shrink(&mut self) {
        if let Groups::Many(many) = self
            && many.map.len() <= FEW / 2
            && many.map.iter().map(|(_, routes)| routes.len()).sum::<usize>() <= FEW / 2
        {
            *self = Groups::Few(many.map.iter().flat_map(|(_, routes)| routes).cloned().collect());
        }
    }

    /// The routes of each prefix, by its address, then its length.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Route<A>]> {
        let (list, many) = match self {
            Groups::Few(list) => (list.as_slice(), None),
            Groups::Many(many) => (Default::default(), Some(many)),
        };
        groups(list).chain(many.into_iter().flat_map(|many| many.map.iter()).map(|(_, routes)| routes.as_slice()))
    }

    /// The routes of the prefixes that hold `address`, the longest first. Does not allocate.
    #[inline]
    pub(super) fn matches(&self, address: A) -> Matches<'_, A> {
        match self {
            Groups::Few(list) => Matches::Few { list, address },
            Groups::Many(many) => Matches::Many(many.map.matches(address)),
        }
    }
}

impl<A: Address> Many<A> {
    fn insert(&mut self, at: usize, route: Route<A>) {
        let prefix = route.destination;
        match self.map.get_mut(prefix) {
            Some(routes) => {
                few::insert(routes, at.min(routes.len()), route);
                self.label(prefix);
            }
            None => {
                let label = self.number_of(Hop::of(core::slice::from_ref(&route)));
                self.map.insert_labelled(prefix, vec![route], label);
            }
        }
    }

    fn retain(&mut self, mut change: impl FnMut(&mut Route<A>) -> bool) {
        let mut other = Vec::new();
        self.map.retain(|prefix, routes| {
            let before = Hop::of(routes);
            routes.retain_mut(&mut change);
            if Hop::of(routes) != before {
                other.push(prefix);
            }
            !routes.is_empty()
        });
        other.into_iter().for_each(|prefix| self.label(prefix));
    }

    /// The routes of a prefix may have changed: it is labelled with their next hop. Those that come when all numbers are
    /// taken have none.
    fn label(&mut self, prefix: Prefix<A>) {
        if A::BITS == 32 {
            let label = self.number_of(Hop::of(self.map.get(prefix).map_or(&[], Vec::as_slice)));
            self.map.set_label(prefix, label);
        }
    }

    fn number_of(&mut self, hop: Option<Hop<A>>) -> u8 {
        let Some(hop) = hop else { return 0 };
        let at = self.hops.iter().position(|known| *known == hop).unwrap_or_else(|| {
            if self.hops.len() < usize::from(PrefixMap::<A, Vec<Route<A>>>::LABELS) {
                few::push(&mut self.hops, hop);
                return self.hops.len() - 1;
            }
            self.hops.len()
        });
        u8::try_from(at + 1).unwrap_or(0)
    }
}

/// The routes of each prefix of a list.
fn groups<A: Address>(list: &[Route<A>]) -> impl Iterator<Item = &[Route<A>]> {
    list.chunk_by(|one, next| one.destination == next.destination)
}

/// Where the routes of a prefix stand, or would.
fn range<A: Address>(list: &[Route<A>], prefix: Prefix<A>) -> Range<usize> {
    let start = list.partition_point(|route| route.destination < prefix);
    let count = list.iter().skip(start).take_while(|route| route.destination == prefix).count();
    start..start + count
}

/// What [`Groups::matches`] gives.
pub(super) enum Matches<'a, A: Address> {
    Few { list: &'a [Route<A>], address: A },
    Many(prefix_map::Matches<'a, A, Vec<Route<A>>>),
}

impl<'a, A: Address> Iterator for Matches<'a, A> {
    type Item = &'a [Route<A>];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Matches::Few { list, address } => {
                while let Some((last, before)) = list.split_last() {
                    if !last.destination.contains(*address) {
                        *list = before;
                        continue;
                    }
                    let others = before.iter().rev().take_while(|route| route.destination == last.destination).count();
                    let (rest, group) = list.split_at(before.len() - others);
                    *list = rest;
                    return Some(group);
                }
                None
            }
            Matches::Many(matches) => matches.next().map(|(_, routes)| routes.as_slice()),
        }
    }
}
