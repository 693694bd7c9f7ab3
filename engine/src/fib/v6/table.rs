//! What a lookup reads.

use super::entry::{Entry, Kind};
#[cfg(target_arch = "x86_64")]
use crate::fib::arena::Line;
use crate::fib::arena::{Arena, Room};
use crate::fib::{Lookup, NO_ROUTE, NextHopId};
use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};
use std::sync::Arc;

/// The entries of the first 16 bits.
pub(super) const ROOT: usize = 1 << 16;
/// The entries of the next 10.
pub(super) const BLOCK: usize = 1 << 10;

/// The part of a [`Large6`](super::Large6) that lookups read; a clone reads the same.
#[derive(Clone, Debug)]
pub struct Table {
    /// Those of the root, then block after block.
    entries: Arc<[AtomicU32]>,
    pub(super) arena: Arena,
}

/// 16 bits of an address, the last of them before bit `end`, counted from the left.
#[inline(always)]
pub(super) fn part(address: u128, end: u8) -> u16 {
    (address >> (128 - end)) as u16
}

/// The next multiple of 16: where the ranges of a node at `depth` end.
#[inline(always)]
pub(super) fn part_end(depth: u8) -> u8 {
    (depth & !15) + 16
}

impl Table {
    /// Room for so many entries and words of nodes; in an old table, if nobody reads it any more and it has the room. What
    /// is in that is still there; a new one is without route.
    pub(super) fn with_room(old: Option<Table>, entries: Room, words: Room) -> Table {
        let free = old.and_then(|mut old| old.is_free(entries, words).then_some(old));
        free.unwrap_or_else(|| {
            let no_route = || AtomicU32::new(Entry::leaf(NO_ROUTE).0);
            let entries = (0..entries.wanted).map(|_| no_route()).collect();
            let table = Table { entries, arena: Arena::with_room(words.wanted) };
            table.arena.back(&table.entries);
            table
        })
    }

    fn is_free(&mut self, entries: Room, words: Room) -> bool {
        entries.suits(self.entries.len()) && self.arena.is_free(words) && Arc::get_mut(&mut self.entries).is_some()
    }

    #[inline(always)]
    pub(super) fn entry(&self, at: usize) -> Entry {
        Entry(self.entries[at].load(Acquire))
    }

    /// Lets readers see it.
    pub(super) fn set_entry(&self, at: usize, entry: Entry) {
        self.entries[at].store(entry.0, Release);
    }

    pub(super) fn room_for_entries(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.entries) + self.arena.memory()
    }

    /// Goes on from an entry that stands for the first `depth` bits.
    #[inline(never)]
    pub(in crate::fib) fn lookup_from(&self, address: u128, mut entry: Entry, mut depth: u8) -> NextHopId {
        loop {
            match entry.kind() {
                Kind::Leaf(leaf) => return leaf,
                Kind::Rank(at) => {
                    depth += 6;
                    entry = self.in_rank(at, (address >> (128 - depth)) as u32 & 63);
                }
                Kind::Narrow(at, size) => {
                    let rank = self.range_of(at, size, part(address, part_end(depth)));
                    return self.arena.half_word(4 * at + size + rank);
                }
                Kind::Wide(at, size) => {
                    depth = part_end(depth);
                    let rank = self.range_of(at, size, part(address, depth));
                    entry = self.wide_entry(at, size, rank);
                }
                // Only the root has any.
                Kind::Block(_) => return NO_ROUTE,
            }
        }
    }

    /// The entry of a place in a node for 6 bits.
    #[inline(always)]
    pub(super) fn in_rank(&self, at: usize, place: u32) -> Entry {
        let rank = self.arena.ones_from(at, place);
        Entry((self.arena.word(at + 1 + rank / 2) >> (rank % 2 * 32)) as u32)
    }

    /// The entry of a range.
    #[inline(always)]
    pub(super) fn wide_entry(&self, at: usize, size: usize, rank: usize) -> Entry {
        Entry((self.arena.word(at + size / 4 + rank / 2) >> (rank % 2 * 32)) as u32)
    }

    /// Which of the ranges holds the number: how many begin at it or before, less one. Two 16-bit numbers of a word are
    /// compared at once, each in 32 bits: one more than the number, less where a range begins, has bit 16 set if that is
    /// not greater.
    #[inline(always)]
    pub(super) fn range_of(&self, at: usize, size: usize, number: u16) -> usize {
        const EVEN: u64 = 0x0000_ffff_0000_ffff;
        const BIT: u64 = 0x0001_0000_0001_0000;
        let numbers = (u64::from(number) * 0x1_0000_0001) | BIT;
        let mut counts = 0;
        for at in at..at + size / 4 {
            let starts = self.arena.word(at);
            counts += ((numbers - (starts & EVEN)) & BIT) >> 16;
            counts += ((numbers - (starts >> 16 & EVEN)) & BIT) >> 16;
        }
        (counts as u32 + (counts >> 32) as u32 - 1) as usize
    }

    /// For loops that check nothing: every entry is a next hop, or a block or node that lies whole in the entries or words.
    #[cfg(target_arch = "x86_64")]
    pub(in crate::fib) fn parts(&self) -> (&[AtomicU32], &[Line]) {
        (&self.entries, self.arena.lines())
    }
}

impl Lookup<u128> for Table {
    fn is(&self, other: &Table) -> bool {
        Arc::ptr_eq(&self.entries, &other.entries)
    }

    #[inline(always)]
    fn lookup(&self, address: u128) -> NextHopId {
        let mut entry = self.entry((address >> 112) as usize);
        if let Kind::Block(at) = entry.kind() {
            entry = self.entry(at + (address >> 102) as usize % BLOCK);
        }
        match entry.kind() {
            Kind::Leaf(leaf) => leaf,
            _ => self.lookup_from(address, entry, 26),
        }
    }

    fn lookup_checked(&self, address: u128) -> NextHopId {
        self.lookup(address)
    }

    fn lookup_batch(&self, addresses: &[u128], next_hops: &mut [NextHopId]) {
        let both = addresses.len().min(next_hops.len());
        let (addresses, next_hops) = (&addresses[..both], &mut next_hops[..both]);
        #[cfg(target_arch = "x86_64")]
        let (addresses, next_hops) = crate::fib::simd::lookup6(self, addresses, next_hops);
        for (address, next_hop) in addresses.iter().zip(next_hops) {
            *next_hop = self.lookup(*address);
        }
    }
}
