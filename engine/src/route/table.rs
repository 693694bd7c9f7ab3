//! The routes of one table, in the kernel's order (`net/ipv4/fib_trie.c`).
//!
//! The kernel keeps `local` in one tree with `main` as long as the user made no rules, so that one search answers for
//! both: a [`Table`] may hold the routes of two tables, and each route knows its own.

use core::cmp::Reverse;

use super::groups::Groups;
use crate::addr::{Address, Prefix};
use crate::control::{Errno, RouteKind, RouteMode};
use crate::route::{Answer, Flow, Net, NextHop, Route, Unroutable};
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
    /// Where a [list](Groups::Few) leads to, four bits a route: see [`Table::hop_towards`].
    hops: u32,
    groups: Groups<A>,
}

/// Where a route stands among those of its prefix: `local` before `main`, each sorted by type of service, then metric.
fn rank<A>(route: &Route<A>) -> (Reverse<u32>, Reverse<u8>, u32) {
    (Reverse(route.table), Reverse(route.tos), route.metric)
}

impl<A: Address> Table<A> {
    /// Empty.
    pub(super) const fn new(number: u32) -> Table<A> {
        Table { number, hops: 0, groups: Groups::new() }
    }

    /// A number for what [`Table::lookup`] says of a packet to there that came in, whatever else it is: for as long as the
    /// table stays as it is, the same next hop and the same metrics, but perhaps by another route. 0 if there is more to it.
    #[inline(always)]
    pub(super) fn hop_towards(&self, destination: A) -> u8 {
        self.groups.hop_towards(destination, self.hops)
    }

    /// `fib_table_lookup`: the first route of the longest prefix that fits and has a usable next hop.
    #[inline]
    pub(super) fn lookup(&self, net: Net<'_>, flow: &Flow<A>) -> Result<Answer<'_, A>, Miss> {
        for routes in self.groups.matches(flow.destination) {
            for route in routes {
                if (route.tos != 0 && route.tos != flow.tos & TOS) || route.scope < flow.scope {
                    continue;
                }
                // An IPv6 route that says no leads to `lo`, and is passed over where another way out is asked for.
                if A::BITS == 32 || flow.oif.is_none_or(|oif| route.uses(oif)) {
                    refusal(route.kind)?;
                }
                if route.flags & Route::<A>::DEAD != 0 || is_over(route.rare.expires, net.now) {
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
        self.groups.get(prefix)
    }

    /// All prefixes that have routes.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = Prefix<A>> + '_ {
        self.groups.iter().filter_map(|routes| routes.first()).map(|route| route.destination)
    }

    /// Puts a route among those of its prefix, before what stands `at` a place.
    pub(super) fn insert_at(&mut self, at: usize, route: Route<A>) {
        self.groups.insert(at, route);
        self.hops = self.groups.hops();
    }

    /// Has the routes of a prefix changed as a list; without any the prefix is gone.
    pub(super) fn change<R>(&mut self, prefix: Prefix<A>, change: impl FnOnce(&mut Vec<Route<A>>) -> R) -> R {
        let mut routes = self.groups.take(prefix);
        let done = change(&mut routes);
        routes.into_iter().enumerate().for_each(|(at, route)| self.groups.insert(at, route));
        self.hops = self.groups.hops();
        done
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
        if !replaces {
            self.insert_at(if mode == RouteMode::Append { behind } else { first }, route);
            return Ok(None);
        }
        let replaced = if same.is_some() { None } else { self.groups.replace(first, route) };
        self.hops = self.groups.hops();
        Ok(replaced)
    }

    /// Takes out the first route of a prefix that `is_meant`.
    pub(super) fn remove(&mut self, prefix: Prefix<A>, is_meant: impl FnMut(&Route<A>) -> bool) -> Option<Route<A>> {
        let at = self.groups.get(prefix).iter().position(is_meant)?;
        let gone = self.groups.remove(prefix, at);
        self.hops = self.groups.hops();
        gone
    }

    /// Gives each route to `change`; those it answers `false` for are taken out, and given to `gone`.
    pub(super) fn retain(&mut self, mut change: impl FnMut(&mut Route<A>) -> bool, mut gone: impl FnMut(&Route<A>)) {
        self.groups.retain(|route| {
            let stays = change(route);
            if !stays {
                gone(route);
            }
            stays
        });
        self.hops = self.groups.hops();
    }

    /// The routes of the table `number`, as the kernel lists them. IPv4: by address, and from the long prefix to the short.
    /// IPv6: what lies inside a prefix comes before it, so that the default route is the last.
    pub(super) fn listed(&self, number: u32) -> impl Iterator<Item = &Route<A>> + use<'_, A> {
        let mut groups: Vec<&[Route<A>]> = self.groups.iter().collect();
        groups.sort_by_key(|routes| {
            let prefix = routes.first().map_or(Prefix::DEFAULT, |route| route.destination);
            let address = if A::BITS == 32 { prefix.address() } else { prefix.last() };
            (address, Reverse(prefix.length()))
        });
        groups.into_iter().flatten().filter(move |route| route.table == number)
    }

    /// Takes the routes of the table `number` out into a table of their own (`fib_trie_unmerge`).
    pub(super) fn split(&mut self, number: u32) -> Table<A> {
        let mut other = Table::new(number);
        self.retain(
            |route| route.table != number,
            |route| {
                // They come in the order in which they stood.
                let at = other.routes(route.destination).len();
                other.insert_at(at, route.clone());
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
