//! Tables of few prefixes, in few bytes.
//!
//! The prefixes are a list, sorted by address, then length: of those that hold an address, a longer one stands behind a
//! shorter one. One that is alone lies at hand besides. Up to [`FEW`] are asked one after the other. For more there are ranges
//! besides, each as long as one prefix is the longest: where they begin is searched by halves.

use super::{Family, Leaf, NO_ROUTE, NextHopId};
use crate::addr::{Address, Prefix};
use core::hint::select_unpredictable;

/// Up to so many prefixes are asked one after the other: that is faster than any search.
const FEW: usize = 8;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Small<A: Family> {
    prefixes: Vec<(Prefix<A>, Leaf)>,
    /// The prefix, if there is one only.
    only: Option<Only<A>>,
    /// None if the prefixes are few.
    ranges: Option<Box<Ranges<A>>>,
}

/// A prefix as a lookup wants it.
#[derive(Clone, Copy, Debug)]
struct Only<A> {
    address: A,
    mask: A,
    leaf: Leaf,
}

#[derive(Clone, Debug)]
struct Ranges<A: Family> {
    /// Where they begin, the first at 0.
    starts: Vec<A::Number>,
    /// What is so in each.
    leaves: Vec<Leaf>,
}

impl<A: Family> Small<A> {
    pub(super) const fn new() -> Small<A> {
        Small { prefixes: Vec::new(), only: None, ranges: None }
    }
}

impl<A: Address> Small<A> {
    /// By address, then length.
    pub(super) fn prefixes(&self) -> &[(Prefix<A>, Leaf)] {
        &self.prefixes
    }

    fn place(&self, prefix: Prefix<A>) -> Result<usize, usize> {
        self.prefixes.binary_search_by_key(&prefix, |entry| entry.0)
    }

    pub(super) fn get(&self, prefix: Prefix<A>) -> Option<Leaf> {
        self.place(prefix).ok().and_then(|at| self.prefixes.get(at)).map(|entry| entry.1)
    }

    /// Puts a prefix in; [`Small::rebuild`] must follow.
    pub(super) fn put(&mut self, prefix: Prefix<A>, leaf: Leaf) -> Option<Leaf> {
        match self.place(prefix) {
            Ok(at) => self.prefixes.get_mut(at).map(|entry| core::mem::replace(&mut entry.1, leaf)),
            Err(at) => {
                if self.prefixes.len() < FEW {
                    self.prefixes.reserve_exact(1);
                }
                self.prefixes.insert(at, (prefix, leaf));
                None
            }
        }
    }

    /// Takes a prefix out; [`Small::rebuild`] must follow.
    pub(super) fn take(&mut self, prefix: Prefix<A>) -> Option<Leaf> {
        self.place(prefix).ok().map(|at| self.prefixes.remove(at).1)
    }

    /// Finds the ranges, if there are enough prefixes for them.
    pub(super) fn rebuild(&mut self) {
        self.only = match *self.prefixes {
            [(prefix, leaf)] => Some(Only { address: prefix.address(), mask: mask(prefix), leaf }),
            _ => None,
        };
        if self.prefixes.len() <= FEW {
            self.ranges = None;
        } else {
            self.ranges
                .get_or_insert_with(|| Box::new(Ranges { starts: Vec::new(), leaves: Vec::new() }))
                .rebuild(&self.prefixes);
        }
    }

    #[inline(always)]
    pub(super) fn lookup(&self, number: A::Number) -> NextHopId {
        if let Some(only) = &self.only {
            let is_in = number & only.mask.number() == only.address.number();
            return select_unpredictable(is_in, only.leaf, NO_ROUTE);
        }
        if let Some(ranges) = &self.ranges {
            return ranges.lookup(number);
        }
        // A branch would be missed too often: all are asked, and the last that holds the address counts.
        self.prefixes.iter().fold(NO_ROUTE, |found, (prefix, leaf)| {
            let is_in = A::begin_alike(prefix.address().number(), number, prefix.length());
            select_unpredictable(is_in, *leaf, found)
        })
    }

    pub(super) fn lookup_batch(&self, numbers: &[A::Number], next_hops: &mut [NextHopId]) {
        // No register holds several addresses of IPv6.
        if A::BITS > 64 || self.ranges.is_some() {
            for (number, answer) in numbers.iter().zip(next_hops) {
                *answer = self.lookup(*number);
            }
            return;
        }
        // A few prefixes are asked of all addresses at once: no branch, and as many in a register as it holds.
        next_hops.fill(NO_ROUTE);
        for (prefix, leaf) in &self.prefixes {
            let (wanted, mask) = (prefix.address().number(), mask(*prefix).number());
            for (number, answer) in numbers.iter().zip(&mut *next_hops) {
                let chosen = u16::from(*number & mask == wanted).wrapping_neg();
                *answer = (*answer & !chosen) | (leaf & chosen);
            }
        }
    }

    /// Bytes of the ranges, and of the list.
    pub(super) fn memory(&self) -> (usize, usize) {
        let list = self.prefixes.capacity() * size_of::<(Prefix<A>, Leaf)>();
        self.ranges.as_ref().map_or((list, 0), |ranges| (size_of::<Ranges<A>>() + ranges.memory(), list))
    }
}

/// The bits of an address that a prefix looks at.
fn mask<A: Address>(prefix: Prefix<A>) -> A {
    A::from_bits(!(prefix.address().to_bits() ^ prefix.last().to_bits()))
}

impl<A: Address> Ranges<A> {
    fn rebuild(&mut self, prefixes: &[(Prefix<A>, Leaf)]) {
        self.starts.clear();
        self.leaves.clear();
        self.begin(A::UNSPECIFIED, NO_ROUTE);
        // The prefixes that hold the address where the walk is, the longest last.
        let mut open: Vec<(A, Leaf)> = Vec::new();
        for (prefix, leaf) in prefixes {
            self.close(&mut open, |last| last < prefix.address());
            self.begin(prefix.address(), *leaf);
            open.push((prefix.last(), *leaf));
        }
        self.close(&mut open, |_| true);
    }

    /// Ends those that are over; behind each goes on what it lies in.
    fn close(&mut self, open: &mut Vec<(A, Leaf)>, is_over: impl Fn(A) -> bool) {
        while let Some((last, _)) = open.pop_if(|(last, _)| is_over(*last)) {
            if last != Prefix::<A>::DEFAULT.last() {
                self.begin(A::from_bits(last.to_bits() + 1), open.last().map_or(NO_ROUTE, |(_, leaf)| *leaf));
            }
        }
    }

    /// From this address on it is so; what was said of it before does not count.
    fn begin(&mut self, from: A, leaf: Leaf) {
        if self.starts.last() == Some(&from.number()) {
            self.starts.pop();
            self.leaves.pop();
        }
        if self.leaves.last() != Some(&leaf) {
            self.starts.push(from.number());
            self.leaves.push(leaf);
        }
    }

    #[inline(never)]
    fn lookup(&self, number: A::Number) -> NextHopId {
        let behind = self.starts.partition_point(|start| *start <= number);
        self.leaves.get(behind.wrapping_sub(1)).copied().unwrap_or(NO_ROUTE)
    }

    fn memory(&self) -> usize {
        self.starts.capacity() * size_of::<A::Number>() + self.leaves.capacity() * size_of::<Leaf>()
    }
}
