//! The plain twin of [`PrefixMap`](super::PrefixMap): a list that is searched from end to end. Slow, and plainly right: the oracle that
//! every faster form is tested against, and the baseline of the benchmarks.

use core::cmp::Reverse;

use crate::addr::{Address, Prefix};
use crate::control::{Errno, RouteMode};

/// A map from prefixes to values; the same answers as [`PrefixMap`](super::PrefixMap), by the shortest way.
#[derive(Clone, Debug, Default)]
pub struct Linear<A, V> {
    entries: Vec<(Prefix<A>, V)>,
}

impl<A: Address, V> Linear<A, V> {
    /// Empty.
    pub fn new() -> Linear<A, V> {
        Linear { entries: Vec::new() }
    }

    /// Sets the value of a prefix and gives back the one it had.
    pub fn insert(&mut self, prefix: Prefix<A>, value: V) -> Option<V> {
        let old = self.remove(prefix);
        self.entries.push((prefix, value));
        old
    }

    /// Takes a prefix out.
    pub fn remove(&mut self, prefix: Prefix<A>) -> Option<V> {
        let at = self.entries.iter().position(|entry| entry.0 == prefix)?;
        Some(self.entries.swap_remove(at).1)
    }

    /// The value of exactly this prefix.
    pub fn get(&self, prefix: Prefix<A>) -> Option<&V> {
        self.entries.iter().find(|entry| entry.0 == prefix).map(|entry| &entry.1)
    }

    /// The prefixes that hold `address`, the longest first.
    pub fn matches(&self, address: A) -> Vec<(Prefix<A>, &V)> {
        let mut found: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| address.masked(entry.0.length()) == entry.0.address())
            .map(|entry| (entry.0, &entry.1))
            .collect();
        found.sort_by_key(|entry| core::cmp::Reverse(entry.0.length()));
        found
    }

    /// All, by address, then length.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix<A>, &V)> {
        let mut all: Vec<_> = self.entries.iter().map(|entry| (entry.0, &entry.1)).collect();
        all.sort_by_key(|entry| (entry.0.address(), entry.0.length()));
        all.into_iter()
    }
}

/// A route as the plain table of routes sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain<A> {
    /// Which addresses it is for.
    pub prefix: Prefix<A>,
    /// Only for packets of this type of service; 0 is for all.
    pub tos: u8,
    /// Smaller is better.
    pub metric: u32,
    /// What else tells it from others.
    pub way: u32,
}

/// The plain twin of a table of routes: one list, in which only the order among equals matters.
#[derive(Clone, Debug, Default)]
pub struct PlainTable<A> {
    routes: Vec<Plain<A>>,
}

impl<A: Address> PlainTable<A> {
    /// Empty.
    pub fn new() -> PlainTable<A> {
        PlainTable { routes: Vec::new() }
    }

    /// `ip route add|append|prepend|change|replace`
    pub fn insert(&mut self, new: Plain<A>, mode: RouteMode) -> Result<(), Errno> {
        let is_equal = |old: &Plain<A>| (old.prefix, old.tos, old.metric) == (new.prefix, new.tos, new.metric);
        let equals: Vec<usize> = (0..self.routes.len()).filter(|&at| is_equal(&self.routes[at])).collect();
        let same = equals.iter().position(|&at| self.routes[at] == new);
        match (mode, equals.first(), equals.last()) {
            (RouteMode::Change, None, _) => return Err(Errno::NoEnt),
            (_, None, _) | (_, _, None) => self.routes.push(new),
            (RouteMode::Add, ..) => return Err(Errno::Exist),
            (RouteMode::Change | RouteMode::Replace, ..) if same == Some(0) => {}
            _ if same.is_some() => return Err(Errno::Exist),
            (RouteMode::Change | RouteMode::Replace, Some(&first), _) => self.routes[first] = new,
            (RouteMode::Prepend, Some(&first), _) => self.routes.insert(first, new),
            (RouteMode::Append, _, Some(&last)) => self.routes.insert(last + 1, new),
        }
        Ok(())
    }

    /// Takes out the first route of this prefix and type of service, and of this metric if one is said.
    pub fn remove(&mut self, prefix: Prefix<A>, tos: u8, metric: Option<u32>) -> Option<Plain<A>> {
        let all = self.listed();
        let is_meant = |old: &&Plain<A>| {
            (old.prefix, old.tos) == (prefix, tos) && metric.is_none_or(|metric| metric == old.metric)
        };
        let meant = *all.iter().find(is_meant)?;
        let at = self.routes.iter().position(|old| *old == meant)?;
        Some(self.routes.remove(at))
    }

    /// The route that a packet follows: of the longest prefix, then of its type of service, then of the smallest metric.
    pub fn lookup(&self, address: A, tos: u8) -> Option<Plain<A>> {
        let fits = |route: &&Plain<A>| {
            address.masked(route.prefix.length()) == route.prefix.address() && (route.tos == 0 || route.tos == tos)
        };
        // The first of equals is the least.
        let best = |route: &&Plain<A>| (Reverse(route.prefix.length()), Reverse(route.tos), route.metric);
        self.routes.iter().filter(fits).min_by_key(best).copied()
    }

    /// All, as an IPv4 listing shows them.
    pub fn listed(&self) -> Vec<Plain<A>> {
        let mut all = self.routes.clone();
        all.sort_by_key(|r| (r.prefix.address(), Reverse(r.prefix.length()), Reverse(r.tos), r.metric));
        all
    }
}
