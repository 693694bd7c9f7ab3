//! The routes of one table, in the kernel's order (`net/ipv4/fib_trie.c`).
//!
//! The kernel keeps `local` in one tree with `main` as long as the user made no rules, so that one search answers for
//! both: a [`Table`] may hold the routes of two tables, and each route knows its own.

use core::cmp::Reverse;

use crate::addr::{Address, Prefix};
use crate::control::{Errno, RouteKind, RouteMode};
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
}

/// Where a route stands among those of its prefix: `local` before `main`, each sorted by type of service, then metric.
fn rank<A>(route: &Route<A>) -> (Reverse<u32>, Reverse<u8>, u32) {
    (Reverse(route.table), Reverse(route.tos), route.metric)
}

impl<A: Address> Table<A> {
    /// Empty.
    pub(super) const fn new(number: u32) -> Table<A> {
        Table { number, by_prefix: PrefixMap::new() }
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

    /// The routes of a prefix, to change them; the prefix is made if it is not there, and must not be left without routes.
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
        let Some(routes) = self.routes_mut(route.destination) else { return Err(Errno::NoMem) };
        match routes.get_mut(first).filter(|_| replaces) {
            Some(_) if same.is_some() => Ok(None),
            Some(old) => Ok(Some(core::mem::replace(old, route))),
            None => {
                few::insert(routes, if mode == RouteMode::Append { behind } else { first }, route);
                Ok(None)
            }
        }
    }

    /// Takes out the first route of a prefix that `is_meant`.
    pub(super) fn remove(&mut self, prefix: Prefix<A>, is_meant: impl FnMut(&Route<A>) -> bool) -> Option<Route<A>> {
        let routes = self.by_prefix.get_mut(prefix)?;
        let gone = routes.iter().position(is_meant).map(|at| routes.remove(at));
        if routes.is_empty() {
            self.by_prefix.remove(prefix);
        }
        gone
    }

    /// Gives each route to `change`; those it answers `false` for are taken out, and given to `gone`.
    pub(super) fn retain(&mut self, mut change: impl FnMut(&mut Route<A>) -> bool, mut gone: impl FnMut(&Route<A>)) {
        self.by_prefix.retain(|_, routes| {
            routes.retain_mut(|route| {
                let stays = change(route);
                if !stays {
                    gone(route);
                }
                stays
            });
            !routes.is_empty()
        });
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
