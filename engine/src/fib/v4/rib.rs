//! The prefixes themselves, as changes need them.
//!
//! A /18's longer prefixes lie together, sorted by address and length, so that one walk over them paints its node. Of the
//! shorter ones each /18 knows the longest that covers it.

use super::{ROOT, ROOT_BITS};
use crate::addr::{Ipv4Addr, Prefix};
use crate::fib::{Leaf, NO_ROUTE};
use core::mem::size_of;
use core::ops::Range;
use std::collections::BTreeMap;

/// A prefix of more than 18 bits, within its /18.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Long {
    /// The 14 bits behind the first 18.
    pub(super) suffix: u16,
    pub(super) length: u8,
    pub(super) leaf: Leaf,
}

impl Long {
    fn key(&self) -> u32 {
        u32::from(self.suffix) << 8 | u32::from(self.length)
    }
}

/// What is known of a /18.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The longest of the short prefixes that covers it, and its length; no route and 0 if there is none.
    base: (Leaf, u8),
    /// Where its longer prefixes are; 0 if there are none.
    bucket: u32,
}

/// No prefix, and its length.
const NONE: (Leaf, u8) = (NO_ROUTE, 0);

/// See the module.
#[derive(Debug)]
pub(super) struct Rib {
    short: BTreeMap<Prefix<Ipv4Addr>, Leaf>,
    /// Of each /18.
    slots: Box<[Slot]>,
    /// The first is empty.
    buckets: Vec<Vec<Long>>,
    /// Which of them are free.
    free: Vec<u32>,
    /// How many prefixes are in them.
    long: usize,
}

/// The /18s that a prefix touches.
pub(super) fn slots(prefix: Prefix<Ipv4Addr>) -> Range<usize> {
    let first = (prefix.address().to_bits() >> (32 - ROOT_BITS)) as usize;
    first..first + (1 << ROOT_BITS.saturating_sub(u32::from(prefix.length())))
}

impl Rib {
    pub(super) fn new() -> Rib {
        Rib {
            short: BTreeMap::new(),
            slots: vec![Slot { base: NONE, bucket: 0 }; ROOT].into(),
            buckets: vec![Vec::new()],
            free: Vec::new(),
            long: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.short.len() + self.long
    }

    /// The longest prefix of up to 18 bits that covers the /18.
    pub(super) fn base(&self, slot: usize) -> Leaf {
        self.slots[slot].base.0
    }

    /// The longer prefixes in the /18, by address, then length.
    pub(super) fn longer(&self, slot: usize) -> &[Long] {
        &self.buckets[self.slots[slot].bucket as usize]
    }

    pub(super) fn get(&self, prefix: Prefix<Ipv4Addr>) -> Option<Leaf> {
        let Some(long) = long(prefix, 0) else { return self.short.get(&prefix).copied() };
        let bucket = self.longer(slots(prefix).start);
        bucket.binary_search_by_key(&long.key(), Long::key).ok().map(|at| bucket[at].leaf)
    }

    pub(super) fn insert(&mut self, prefix: Prefix<Ipv4Addr>, leaf: Leaf) -> Option<Leaf> {
        let Some(long) = long(prefix, leaf) else {
            for slot in &mut self.slots[slots(prefix)] {
                // A prefix of no length covers what has no base as well.
                if slot.base.1 <= prefix.length() {
                    slot.base = (leaf, prefix.length());
                }
            }
            return self.short.insert(prefix, leaf);
        };
        let bucket = self.bucket_of(slots(prefix).start);
        match bucket.binary_search_by_key(&long.key(), Long::key) {
            Ok(at) => Some(core::mem::replace(&mut bucket[at].leaf, leaf)),
            Err(at) => {
                if bucket.len() == bucket.capacity() {
                    bucket.reserve_exact(bucket.len() / 8 + 1);
                }
                bucket.insert(at, long);
                self.long += 1;
                None
            }
        }
    }

    /// The bucket of a /18, made if there is none.
    fn bucket_of(&mut self, slot: usize) -> &mut Vec<Long> {
        let bucket = &mut self.slots[slot].bucket;
        if *bucket == 0 {
            *bucket = self.free.pop().unwrap_or_else(|| {
                self.buckets.push(Vec::new());
                (self.buckets.len() - 1) as u32
            });
        }
        &mut self.buckets[*bucket as usize]
    }

    pub(super) fn remove(&mut self, prefix: Prefix<Ipv4Addr>) -> Option<Leaf> {
        let Some(long) = long(prefix, 0) else { return self.remove_short(prefix) };
        let slot = &mut self.slots[slots(prefix).start];
        let bucket = &mut self.buckets[slot.bucket as usize];
        let at = bucket.binary_search_by_key(&long.key(), Long::key).ok()?;
        let gone = bucket.remove(at);
        self.long -= 1;
        if bucket.is_empty() {
            *bucket = Vec::new();
            self.free.push(core::mem::take(&mut slot.bucket));
        }
        Some(gone.leaf)
    }

    fn remove_short(&mut self, prefix: Prefix<Ipv4Addr>) -> Option<Leaf> {
        let gone = self.short.remove(&prefix)?;
        let shorter = (0..prefix.length()).rev().map(|length| Prefix::of(prefix.address(), length));
        let parent = shorter.filter_map(|prefix| Some((*self.short.get(&prefix)?, prefix.length()))).next();
        for slot in &mut self.slots[slots(prefix)] {
            if slot.base.1 == prefix.length() {
                slot.base = parent.unwrap_or(NONE);
            }
        }
        Some(gone)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Prefix<Ipv4Addr>, Leaf)> + '_ {
        let short = self.short.iter().map(|(prefix, leaf)| (*prefix, *leaf));
        let long = (0..ROOT).flat_map(|slot| {
            self.longer(slot).iter().map(move |long| {
                let address = (slot as u32) << (32 - ROOT_BITS) | u32::from(long.suffix);
                (Prefix::of(Ipv4Addr::from_bits(address), long.length), long.leaf)
            })
        });
        short.chain(long)
    }

    /// Bytes, those of a tree's entry guessed at one and a half times its size.
    pub(super) fn memory(&self) -> usize {
        let short = self.short.len() * size_of::<(Prefix<Ipv4Addr>, Leaf)>() * 3 / 2;
        let entries: usize = self.buckets.iter().map(|bucket| bucket.capacity() * size_of::<Long>()).sum();
        let lists = self.buckets.capacity() * size_of::<Vec<Long>>() + self.free.capacity() * size_of::<u32>();
        short + entries + size_of_val(&*self.slots) + lists
    }
}

fn long(prefix: Prefix<Ipv4Addr>, leaf: Leaf) -> Option<Long> {
    let suffix = (prefix.address().to_bits() & ((1 << (32 - ROOT_BITS)) - 1)) as u16;
    (u32::from(prefix.length()) > ROOT_BITS).then_some(Long { suffix, length: prefix.length(), leaf })
}
