//! The plain twin of [`Fib`](super::Fib): a list that is searched from end to end. Slow, and plainly right: the oracle that
//! every faster form is tested against, and the baseline of the benchmarks.

use crate::addr::{Address, Prefix};

/// A map from prefixes to values; the same answers as [`Fib`](super::Fib), by the shortest way.
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
