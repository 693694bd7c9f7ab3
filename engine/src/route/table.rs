//! The routes of one table, in the kernel's order (`net/ipv4/fib_trie.c`).
//!
//! The kernel keeps `local` in one tree with `main` as long as the user made no rules, so that one search answers for
//! both: a [`Table`] may hold the routes of two tables, and each route knows its own.

use core::cmp::Reverse;

use crate::addr::{Address, Prefix};
use crate::control::{Errno, IfIndex, RouteKind, RouteMode};
use crate::few;
use crate::route::{Answer, Flow, Net, NextHop, PrefixMap, Route, Unroutable};
use crate::time::Time;

/// The bits of a type of service that routes are chosen by (`IPTOS_RT_MASK`).
const TOS: u8 = 0x1c;

/// Why a table has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// The next rule may have one (`EAGAIN`).
    GoOn,
    /// A route says no.
    Stop(Unroutable),
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Table<A: Address> {
    /// The table; `main` if it holds `local`, too.
    pub(super) number: u32,
    by_prefix: PrefixMap<A, Vec<Route<A>>>,
    /// The next hops that prefixes are labelled with, from 1 on: see [`Table::hop_towards`].
    hops: Vec<Hop<A>>,
}

/// All that the tables have to say to whom packets of some prefixes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop<A> {
    oif: IfIndex,
    gateway: A,
    scope: u8,
    mtu: Option<u32>,
    mtu_lock: bool,
}

impl<A: Address> Hop<A> {
    /// The next hop that all packets to a prefix with these routes go to, if it is a router and nothing is asked but where
    /// they go. (In IPv4 only: nobody asks in IPv6.)
    fn of(routes: &[Route<A>]) -> Option<Hop<A>> {
        let route = routes.first().filter(|_| A::BITS == 32)?;
        let [nexthop] = &*route.nexthops else { return None };
        let plain = route.tos == 0 && route.kind == RouteKind::Unicast && route.expires.is_none();
        let lives = route.flags & Route::<A>::DEAD == 0 && !nexthop.dead && !nexthop.linkdown;
        let gateway = nexthop.gateway.filter(|_| plain && lives)?;
        let (mtu, mtu_lock) = (route.metrics.mtu, route.metrics.mtu_lock);
        Some(Hop { oif: nexthop.oif, gateway, scope: nexthop.scope, mtu, mtu_lock })
    }
}

/// Where a route stands among those of its prefix: `local` before `main`, each sorted by type of service, then metric.
fn rank<A>(route: &Route<A>) -> (Reverse<u32>, Reverse<u8>, u32) {
    (Reverse(route.table), Reverse(route.tos), route.metric)
}

impl<A: Address> Table<A> {
    /// Empty.
    pub(super) const fn new(number: u32) -> Table<A> {
        Table { number, by_prefix: PrefixMap::new(), hops: Vec::new() }
    }

    /// A number for what [`Table::lookup`] says of a packet to there that came in, whatever else it is: for as long as the
    /// table stays as it is, the same next hop and the same metrics, but perhaps by another route. 0 if there is more to it.
    #[inline]
    pub(super) fn hop_towards(&self, destination: A) -> u8 {
        self.by_prefix.label(destination)
    }

    /// The routes of a prefix may have changed: it is labelled with their next hop. Those that come when all numbers are
    /// taken have none.
    fn label(&mut self, prefix: Prefix<A>) {
        if A::BITS == 32 {
            let label = self.number_of(Hop::of(self.routes(prefix)));
            self.by_prefix.set_label(prefix, label);
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

    /// `fib_table_lookup`: the first route of the longest prefix that fits and has a usable next hop.
    #[inline]
    pub(super) fn lookup(&self, net: Net<'_>, flow: &Flow<A>) -> Result<Answer<'_, A>, Miss> {
        for (_, routes) in self.by_prefix.matches(flow.destination) {
            for route in routes {
                if (route.tos != 0 && route.tos != flow.tos & TOS) || route.scope < flow.scope {
                    continue;
                }
                // An IPv6 route that says no leads to `lo`, and is passed over where another way out is asked for.
                if A::BITS == 32 || flow.oif.is_none_or(|oif| route.uses(oif)) {
                    refusal(route.kind)?;
                }
                if route.flags & Route::<A>::DEAD != 0 || is_over(route.expires, net.now) {
                    continue;
                }
                if let Some(nexthop) = route.nexthops.iter().find(|nexthop| good(net, flow, nexthop)) {
                    return Ok(Answer { route, peers: routes, nexthop, table: self.number });
                }
            }
        }
        Err(Miss::GoOn)
    }

    /// The routes of a prefix.
    pub(super) fn routes(&self, prefix: Prefix<A>) -> &[Route<A>] {
        self.by_prefix.get(prefix).map_or(&[], Vec::as_slice)
    }

    /// All prefixes that have routes.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = Prefix<A>> + '_ {
        self.by_prefix.iter().map(|(prefix, _)| prefix)
    }

    /// The routes of a prefix, to change them; the prefix is made if it is not there, and must not be left without routes. It
    /// keeps its label, which IPv6 has none of.
    pub(super) fn routes_mut(&mut self, prefix: Prefix<A>) -> Option<&mut Vec<Route<A>>> {
        if self.by_prefix.get(prefix).is_none() {
            self.by_prefix.insert(prefix, Vec::new());
        }
        self.by_prefix.get_mut(prefix)
    }

    /// `fib_table_insert`: of one prefix, type of service and metric, the first wins, and others may stand behind it. What
    /// was replaced is handed back.
    pub(super) fn insert(&mut self, route: Route<A>, mode: RouteMode) -> Result<Option<Route<A>>, Errno> {
        let replaces = matches!(mode, RouteMode::Change | RouteMode::Replace);
        let routes = self.routes(route.destination);
        let first = routes.partition_point(|other| rank(other) < rank(&route));
        let behind = routes.partition_point(|other| rank(other) <= rank(&route));
        let equals = routes.get(first..behind).unwrap_or_default();
        let same = equals.iter().position(|other| other.is_like(&route));
        if !equals.is_empty() && (mode == RouteMode::Add || (same.is_some() && !(replaces && same == Some(0)))) {
            return Err(Errno::Exist);
        }
        let replaces = replaces && !equals.is_empty();
        if mode == RouteMode::Change && !replaces {
            return Err(Errno::NoEnt);
        }
        let prefix = route.destination;
        let Some(routes) = self.by_prefix.get_mut(prefix) else {
            let label = self.number_of(Hop::of(core::slice::from_ref(&route)));
            self.by_prefix.insert_labelled(prefix, vec![route], label);
            return Ok(None);
        };
        let mut replaced = None;
        match routes.get_mut(first).filter(|_| replaces) {
            Some(_) if same.is_some() => {}
            Some(old) => replaced = Some(core::mem::replace(old, route)),
            None => few::insert(routes, if mode == RouteMode::Append { behind } else { first }, route),
        }
        self.label(prefix);
        Ok(replaced)
    }

    /// Takes out the first route of a prefix that `is_meant`.
    pub(super) fn remove(&mut self, prefix: Prefix<A>, is_meant: impl FnMut(&Route<A>) -> bool) -> Option<Route<A>> {
        let routes = self.by_prefix.get_mut(prefix)?;
        let gone = routes.iter().position(is_meant).map(|at| routes.remove(at));
        match routes.is_empty() {
            true => drop(self.by_prefix.remove(prefix)),
            false => self.label(prefix),
        }
        gone
    }

    /// Gives each route to `change`; those it answers `false` for are taken out, and given to `gone`.
    pub(super) fn retain(&mut self, mut change: impl FnMut(&mut Route<A>) -> bool, mut gone: impl FnMut(&Route<A>)) {
        let mut other = Vec::new();
        self.by_prefix.retain(|prefix, routes| {
            let before = Hop::of(routes);
            routes.retain_mut(|route| {
                let stays = change(route);
                if !stays {
                    gone(route);
                }
                stays
            });
            if Hop::of(routes) != before {
                other.push(prefix);
            }
            !routes.is_empty()
        });
        other.into_iter().for_each(|prefix| self.label(prefix));
    }

    /// The routes of the table `number`, as the kernel lists them. IPv4: by address, and from the long prefix to the short.
    /// IPv6: what lies inside a prefix comes before it, so that the default route is the last.
    pub(super) fn listed(&self, number: u32) -> impl Iterator<Item = &Route<A>> + use<'_, A> {
        let mut prefixes: Vec<(Prefix<A>, &Vec<Route<A>>)> = self.by_prefix.iter().collect();
        prefixes.sort_by_key(|(prefix, _)| {
            let address = if A::BITS == 32 { prefix.address() } else { prefix.last() };
            (address, Reverse(prefix.length()))
        });
        prefixes.into_iter().flat_map(|(_, routes)| routes).filter(move |route| route.table == number)
    }

    /// Takes the routes of the table `number` out into a table of their own (`fib_trie_unmerge`).
    pub(super) fn split(&mut self, number: u32) -> Table<A> {
        let mut other = Table::new(number);
        self.retain(
            |route| route.table != number,
            |route| {
                // They come in the order in which they stood.
                if let Some(routes) = other.routes_mut(route.destination) {
                    routes.push(route.clone());
                    other.label(route.destination);
                }
            },
        );
        other
    }
}

/// `fib_props[].error`
#[inline]
fn refusal(kind: RouteKind) -> Result<(), Miss> {
    match kind {
        RouteKind::Blackhole => Err(Miss::Stop(Unroutable::Blackhole)),
        RouteKind::Unreachable => Err(Miss::Stop(Unroutable::Unreachable)),
        RouteKind::Prohibit => Err(Miss::Stop(Unroutable::Prohibit)),
        RouteKind::Throw => Err(Miss::GoOn),
        _ => Ok(()),
    }
}

fn is_over(expires: Option<Time>, now: Time) -> bool {
    expires.is_some_and(|end| end <= now)
}

/// `fib_lookup_good_nhc`
#[inline]
fn good<A: Address>(net: Net<'_>, flow: &Flow<A>, nexthop: &NextHop<A>) -> bool {
    !nexthop.dead
        && flow.oif.is_none_or(|oif| oif == nexthop.oif)
        && (!nexthop.linkdown || flow.ignore_linkstate || !net.ignores_linkdown::<A>(nexthop.oif))
}

#[cfg(test)]
mod tests;
