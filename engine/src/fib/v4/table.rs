//! What a lookup reads.

use super::{ROOT, ROOT_BITS};
#[cfg(target_arch = "x86_64")]
use crate::fib::arena::Line;
use crate::fib::arena::{Arena, Room};
use crate::fib::{Leaf, Lookup, NO_ROUTE, NextHopId};
use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};
use std::sync::Arc;

/// In a place of a node: the other bits number a block, unless all are set.
pub(in crate::fib) const BLOCK: Leaf = 1 << 15;
/// So many blocks can be numbered.
pub(super) const MAX_BLOCKS: usize = (NO_ROUTE - BLOCK) as usize;

/// True if a place of a node names a block: of signed numbers, only they are below that of no route.
#[inline(always)]
pub(in crate::fib) fn is_block(leaf: Leaf) -> bool {
    (leaf as i16) < NO_ROUTE as i16
}

/// The words of a block before its leaves: a bit for each of 256 addresses, and how many bits are set behind each word.
pub(super) const BLOCK_HEAD: usize = 5;

/// The words of a node of one next hop.
pub(super) const ALONE_WORDS: usize = 2;

/// A node of one next hop.
pub(super) fn alone(leaf: Leaf) -> [u64; ALONE_WORDS] {
    [0, leaf.into()]
}

/// The part of a [`Large4`](super::Large4) that lookups read; a clone reads the same.
#[derive(Clone, Debug)]
pub struct Table {
    /// Where the node of each /18 is, in 16-bit numbers from the arena's beginning; then where the blocks are, in words.
    entries: Arc<[AtomicU32]>,
    pub(super) arena: Arena,
}

impl Table {
    /// Room for so many words of nodes, and so many blocks; in an old table, if nobody reads it any more and it has the room.
    /// The first node says that there is no route; how many words it has. A new table has no other: all is without route.
    pub(super) fn with_room(old: Option<Table>, words: Room, blocks: Room) -> (Table, usize) {
        let free = old.and_then(|mut old| old.is_free(words, blocks).then_some(old));
        let table = free.unwrap_or_else(|| {
            let entries = (0..ROOT + blocks.wanted.min(MAX_BLOCKS)).map(|_| AtomicU32::new(0)).collect();
            let table = Table { entries, arena: Arena::with_room(words.wanted + ALONE_WORDS) };
            table.arena.back(&table.entries);
            table
        });
        let mut used = 0;
        table.arena.append(&mut used, alone(NO_ROUTE));
        (table, used)
    }

    fn is_free(&mut self, words: Room, blocks: Room) -> bool {
        blocks.suits(self.room_for_blocks()) && self.arena.is_free(words) && Arc::get_mut(&mut self.entries).is_some()
    }

    /// The word where the node of a /18 begins.
    #[inline(always)]
    pub(super) fn node(&self, slot: usize) -> usize {
        self.entries[slot].load(Acquire) as usize / 4
    }

    /// Lets readers see it.
    pub(super) fn set_node(&self, slot: usize, at: usize) {
        self.entries[slot].store(4 * at as u32, Release);
    }

    pub(super) fn block(&self, number: usize) -> usize {
        self.entries[ROOT + number].load(Acquire) as usize
    }

    pub(super) fn set_block(&self, number: usize, at: usize) {
        self.entries[ROOT + number].store(at as u32, Release);
    }

    /// How many blocks have room.
    pub(super) fn room_for_blocks(&self) -> usize {
        self.entries.len() - ROOT
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.entries) + self.arena.memory()
    }

    /// In a block.
    #[cold]
    pub(in crate::fib) fn lookup_block(&self, address: u32, leaf: Leaf) -> NextHopId {
        let at = self.block(usize::from(leaf & !BLOCK));
        let (word, bit) = ((address >> 6 & 3) as usize, address & 63);
        let behind = self.arena.half_word(4 * (at + 4) + word) as usize;
        let rank = behind + self.arena.ones_from(at + word, bit);
        self.arena.half_word(4 * (at + BLOCK_HEAD) + rank)
    }

    /// For loops that check nothing: every entry of the root is where a node begins, which lies whole in the words.
    #[cfg(target_arch = "x86_64")]
    pub(in crate::fib) fn parts(&self) -> (&[AtomicU32], &[Line]) {
        (&self.entries, self.arena.lines())
    }
}

impl Lookup<u32> for Table {
    fn is(&self, other: &Table) -> bool {
        Arc::ptr_eq(&self.entries, &other.entries)
    }

    #[inline(always)]
    fn lookup(&self, address: u32) -> NextHopId {
        #[cfg(target_arch = "x86_64")]
        if let Some(bits) = self.arena.bits() {
            return crate::fib::simd::lookup4_one(bits, self, address);
        }
        self.lookup_checked(address)
    }

    fn lookup_checked(&self, address: u32) -> NextHopId {
        let node = self.node((address >> (32 - ROOT_BITS)) as usize);
        let rank = self.arena.ones_from(node, address >> 8 & 63);
        let leaf = self.arena.half_word(4 * (node + 1) + rank);
        if is_block(leaf) { self.lookup_block(address, leaf) } else { leaf }
    }

    fn lookup_batch(&self, addresses: &[u32], next_hops: &mut [NextHopId]) {
        let both = addresses.len().min(next_hops.len());
        let (addresses, next_hops) = (&addresses[..both], &mut next_hops[..both]);
        #[cfg(target_arch = "x86_64")]
        let (addresses, next_hops) = crate::fib::simd::lookup4(self, addresses, next_hops);
        for (address, next_hop) in addresses.iter().zip(next_hops) {
            *next_hop = self.lookup(*address);
        }
    }
}
