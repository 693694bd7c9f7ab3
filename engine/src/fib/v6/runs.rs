//! The prefixes, and for every address the longest of them: as ranges, each as long as that is the same.

use crate::addr::{Ipv6Addr, Prefix};
use crate::fib::{Leaf, NO_ROUTE, Prefixes};
use std::collections::BTreeMap;

/// What is so in a range: the next hop, and the length of the prefix that says so, plus one; no route and 0 if none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    leaf: Leaf,
    depth: u8,
}

/// No prefix says anything.
const NONE: Run = Run { leaf: NO_ROUTE, depth: 0 };

/// See the module.
#[derive(Debug)]
pub(super) struct Runs {
    prefixes: Prefixes<Ipv6Addr, Leaf>,
    /// By their first address. Neighbours differ.
    runs: BTreeMap<u128, Run>,
}

impl Runs {
    pub(super) fn new() -> Runs {
        Runs { prefixes: Prefixes::new(), runs: BTreeMap::from([(0, NONE)]) }
    }

    pub(super) fn prefixes(&self) -> &Prefixes<Ipv6Addr, Leaf> {
        &self.prefixes
    }

    pub(super) fn insert(&mut self, prefix: Prefix<Ipv6Addr>, leaf: Leaf) -> Option<Leaf> {
        let depth = prefix.length() + 1;
        self.paint(prefix, |run| (run.depth <= depth).then_some(Run { leaf, depth }));
        self.prefixes.insert(prefix, leaf)
    }

    pub(super) fn remove(&mut self, prefix: Prefix<Ipv6Addr>) -> Option<Leaf> {
        let gone = self.prefixes.remove(prefix)?;
        let parent = self.prefixes.matches(prefix.address(), prefix.length()).next();
        let below = parent.map_or(NONE, |(other, leaf)| Run { leaf: *leaf, depth: other.length() + 1 });
        self.paint(prefix, |run| (run.depth == prefix.length() + 1).then_some(below));
        Some(gone)
    }

    /// Changes those runs of a prefix for which there is a new one.
    fn paint(&mut self, prefix: Prefix<Ipv6Addr>, change: impl Fn(Run) -> Option<Run>) {
        let (first, last) = (prefix.address().to_bits(), prefix.last().to_bits());
        self.cut(first);
        if let Some(behind) = last.checked_add(1) {
            self.cut(behind);
        }
        for (_, run) in self.runs.range_mut(first..=last) {
            *run = change(*run).unwrap_or(*run);
        }
        self.join(first, last);
    }

    /// Lets a run begin there.
    fn cut(&mut self, at: u128) {
        if let Some((_, run)) = self.runs.range(..=at).next_back() {
            let run = *run;
            self.runs.entry(at).or_insert(run);
        }
    }

    /// Takes out what goes on like the run before, from `first` up to behind `last`.
    fn join(&mut self, first: u128, last: u128) {
        let mut before = self.runs.range(..first).next_back().map(|(_, run)| *run);
        let end = last.saturating_add(1);
        let mut same = Vec::new();
        for (at, run) in self.runs.range(first..=end) {
            if before.replace(*run) == Some(*run) {
                same.push(*at);
            }
        }
        for at in same {
            self.runs.remove(&at);
        }
    }

    /// From the run that holds `from` on: where each ends, and its next hop.
    pub(super) fn from(&self, from: u128) -> impl Iterator<Item = (u128, Leaf)> + '_ {
        let first = self.runs.range(..=from).next_back().map_or(0, |(at, _)| *at);
        let mut runs = self.runs.range(first..).peekable();
        core::iter::from_fn(move || {
            let (_, run) = runs.next()?;
            let end = runs.peek().map_or(u128::MAX, |(at, _)| **at - 1);
            Some((end, run.leaf))
        })
    }

    /// Bytes, those of a tree's entry guessed at one and a half times its size.
    pub(super) fn memory(&self) -> usize {
        self.prefixes.memory() + self.runs.len() * size_of::<(u128, Run)>() * 3 / 2
    }
}
