//! Values by exact prefix: what is asked when the length is known, or when there are few lengths to try.
//!
//! The entries lie in a row, in no order; a hash says where. Where another entry is in its place, the next place is tried;
//! half of the places stay free, so that few are.

use crate::addr::{Address, Prefix};
use core::cmp::Reverse;

/// No entry.
const NONE: u32 = u32::MAX;

/// A map from prefixes to values.
#[derive(Clone, Debug)]
pub(crate) struct Prefixes<A, V> {
    entries: Vec<(Prefix<A>, V)>,
    /// Places in `entries`, as many as a power of two.
    index: Vec<u32>,
    /// The lengths in use and how many prefixes have them, the longest first.
    lengths: Vec<(u8, u32)>,
}

impl<A: Address, V> Prefixes<A, V> {
    /// Empty.
    pub(crate) const fn new() -> Prefixes<A, V> {
        Prefixes { entries: Vec::new(), index: Vec::new(), lengths: Vec::new() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value of exactly this prefix.
    #[inline]
    pub(crate) fn get(&self, prefix: Prefix<A>) -> Option<&V> {
        self.find(prefix).and_then(|(_, at)| self.entries.get(at)).map(|entry| &entry.1)
    }

    /// The value of exactly this prefix, to change it.
    pub(crate) fn get_mut(&mut self, prefix: Prefix<A>) -> Option<&mut V> {
        self.find(prefix).and_then(|(_, at)| self.entries.get_mut(at)).map(|entry| &mut entry.1)
    }

    /// Sets the value of a prefix and gives back the one it had.
    pub(crate) fn insert(&mut self, prefix: Prefix<A>, value: V) -> Option<V> {
        if let Some(old) = self.get_mut(prefix) {
            return Some(core::mem::replace(old, value));
        }
        match self.length_at(prefix.length()) {
            Ok(at) => self.lengths[at].1 += 1,
            Err(at) => self.lengths.insert(at, (prefix.length(), 1)),
        }
        self.entries.push((prefix, value));
        if self.entries.len() * 2 > self.index.len() {
            self.index = vec![NONE; (self.entries.len() * 2).next_power_of_two().max(16)];
            for at in 0..self.entries.len() {
                self.index_entry(at);
            }
        } else {
            self.index_entry(self.entries.len() - 1);
        }
        None
    }

    /// Takes a prefix out.
    pub(crate) fn remove(&mut self, prefix: Prefix<A>) -> Option<V> {
        let (place, at) = self.find(prefix)?;
        if let Ok(at) = self.length_at(prefix.length()) {
            self.lengths[at].1 -= 1;
            if self.lengths[at].1 == 0 {
                self.lengths.remove(at);
            }
        }
        // The last entry takes the place of the one that goes.
        let last = self.entries.last().and_then(|(last, _)| self.find(*last));
        if let Some((last, _)) = last {
            self.index[last] = at as u32;
        }
        let (_, gone) = self.entries.swap_remove(at);
        self.free(place);
        Some(gone)
    }

    /// The prefixes shorter than `below` that hold `address`, the longest first.
    #[inline]
    pub(crate) fn matches(&self, address: A, below: u8) -> Matches<'_, A, V> {
        Matches { prefixes: self, address, below, lengths: &self.lengths }
    }

    /// All, in no order that means anything, but always the same.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Prefix<A>, &V)> {
        self.entries.iter().map(|(prefix, value)| (*prefix, value))
    }

    /// The same, to change the values.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = (Prefix<A>, &mut V)> {
        self.entries.iter_mut().map(|(prefix, value)| (*prefix, value))
    }

    /// Takes all out.
    pub(crate) fn into_entries(self) -> Vec<(Prefix<A>, V)> {
        self.entries
    }

    /// Bytes, without those that the values point at.
    pub(crate) fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<(Prefix<A>, V)>() + self.index.capacity() * size_of::<u32>()
    }

    fn length_at(&self, length: u8) -> Result<usize, usize> {
        self.lengths.binary_search_by_key(&Reverse(length), |entry| Reverse(entry.0))
    }

    /// Where the search for a prefix begins.
    #[inline]
    fn home(&self, prefix: Prefix<A>) -> usize {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let bits = prefix.address().to_bits();
        let halves = ((bits >> 64) as u64).wrapping_mul(GOLDEN) ^ bits as u64;
        let mixed = (halves ^ u64::from(prefix.length()) << 48).wrapping_mul(GOLDEN);
        // The highest bits are mixed best: as many of them as there are places.
        (mixed >> (self.index.len() as u64).wrapping_sub(1).leading_zeros()) as usize
    }

    /// Where in the index a prefix is, and where in the entries.
    #[inline]
    fn find(&self, prefix: Prefix<A>) -> Option<(usize, usize)> {
        let mut place = self.home(prefix);
        loop {
            let at = *self.index.get(place)?;
            // Also where there is no entry.
            if self.entries.get(at as usize)?.0 == prefix {
                return Some((place, at as usize));
            }
            place = (place + 1) & (self.index.len() - 1);
        }
    }

    /// Lets the index lead to an entry that it does not lead to yet.
    fn index_entry(&mut self, at: usize) {
        let mut place = self.home(self.entries[at].0);
        while self.index[place] != NONE {
            place = (place + 1) & (self.index.len() - 1);
        }
        self.index[place] = at as u32;
    }

    /// Frees a place in the index: what follows moves up, if it would not be found any more.
    fn free(&mut self, mut hole: usize) {
        let mask = self.index.len() - 1;
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let Some((prefix, _)) = self.entries.get(self.index[place] as usize) else { break };
            let way = place.wrapping_sub(self.home(*prefix)) & mask;
            if way >= place.wrapping_sub(hole) & mask {
                self.index[hole] = self.index[place];
                hole = place;
            }
        }
        self.index[hole] = NONE;
    }
}

/// What [`Prefixes::matches`] gives.
#[derive(Debug)]
pub(crate) struct Matches<'a, A, V> {
    prefixes: &'a Prefixes<A, V>,
    address: A,
    below: u8,
    lengths: &'a [(u8, u32)],
}

impl<A: Clone, V> Clone for Matches<'_, A, V> {
    fn clone(&self) -> Self {
        Matches { address: self.address.clone(), ..*self }
    }
}

impl<'a, A: Address, V> Iterator for Matches<'a, A, V> {
    type Item = (Prefix<A>, &'a V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while let Some(((length, _), shorter)) = self.lengths.split_first() {
            self.lengths = shorter;
            if *length < self.below {
                let prefix = Prefix::of(self.address, *length);
                if let Some(value) = self.prefixes.get(prefix) {
                    return Some((prefix, value));
                }
            }
        }
        None
    }
}
