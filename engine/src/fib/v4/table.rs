//! What a lookup reads.

use super::{ROOT, ROOT_BITS};
use crate::fib::arena::Arena;
#[cfg(target_arch = "x86_64")]
use crate::fib::arena::Line;
use crate::fib::{Leaf, Lookup, NextHopId, count_ones, next_hop};
use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};

/// In an entry of the root: the other bits say where the node is, not what the next hop is.
pub(in crate::fib) const NODE: u32 = 1 << 31;
/// In a place of a node: the other bits number a block.
pub(in crate::fib) const BLOCK: Leaf = 1 << 15;
/// So many blocks can be numbered.
pub(super) const MAX_BLOCKS: usize = 1 << 15;

/// The words of a block before its leaves: a bit for each of 256 addresses, and how many bits are set before each word.
pub(super) const BLOCK_HEAD: usize = 5;

/// The part of a [`Large4`](super::Large4) that lookups read.
#[derive(Debug)]
pub struct Table {
    root: Box<[AtomicU32; ROOT]>,
    pub(super) arena: Arena,
    /// Where the blocks are.
    blocks: Box<[AtomicU32]>,
}

impl Table {
    /// All without route, and room for so many words of nodes, and so many blocks.
    pub(super) fn with_room(words: usize, blocks: usize) -> Table {
        let zeros = |length: usize| (0..length).map(|_| AtomicU32::new(0)).collect::<Box<[AtomicU32]>>();
        let Ok(root) = zeros(ROOT).try_into() else { unreachable!("its length is the array's") };
        Table { root, arena: Arena::with_room(words), blocks: zeros(blocks.min(MAX_BLOCKS)) }
    }

    pub(super) fn entry(&self, slot: usize) -> u32 {
        self.root[slot].load(Acquire)
    }

    /// Lets readers see it.
    pub(super) fn set_entry(&self, slot: usize, entry: u32) {
        self.root[slot].store(entry, Release);
    }

    pub(super) fn block(&self, number: usize) -> usize {
        self.blocks[number].load(Acquire) as usize
    }

    pub(super) fn set_block(&self, number: usize, at: usize) {
        self.blocks[number].store(at as u32, Release);
    }

    /// How many blocks have room.
    pub(super) fn room_for_blocks(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.root) + size_of_val(&*self.blocks) + self.arena.memory()
    }

    /// In the node there.
    #[inline(always)]
    fn lookup_node(&self, address: u32, node: usize) -> NextHopId {
        // The bits up to ours are shifted to the top, the others out.
        let rank = count_ones(self.arena.word(node) << (63 - (address >> 8 & 63))) as usize;
        let leaf = self.arena.half_word(4 * node + 3 + rank);
        if leaf & BLOCK == 0 { next_hop(leaf) } else { self.lookup_block(address, leaf) }
    }

    /// In a block.
    #[cold]
    pub(in crate::fib) fn lookup_block(&self, address: u32, leaf: Leaf) -> NextHopId {
        let at = self.block(usize::from(leaf & !BLOCK));
        let (word, bit) = ((address >> 6 & 3) as usize, address & 63);
        let before = self.arena.half_word(4 * (at + 4) + word) as usize;
        let rank = before + (self.arena.word(at + word) << (63 - bit)).count_ones() as usize;
        next_hop(self.arena.half_word(4 * (at + BLOCK_HEAD) + rank - 1))
    }

    /// For loops that check nothing: every entry is a next hop, or a node that lies whole in the words.
    #[cfg(target_arch = "x86_64")]
    pub(in crate::fib) fn parts(&self) -> (&[AtomicU32; ROOT], &[Line]) {
        (&self.root, self.arena.lines())
    }
}

impl Lookup<u32> for Table {
    #[inline(always)]
    fn lookup(&self, address: u32) -> NextHopId {
        let entry = self.root[(address >> (32 - ROOT_BITS)) as usize].load(Acquire);
        if entry & NODE == 0 { next_hop(entry as Leaf) } else { self.lookup_node(address, (entry & !NODE) as usize) }
    }

    fn lookup_batch(&self, addresses: &[u32], next_hops: &mut [NextHopId]) {
        let both = addresses.len().min(next_hops.len());
        let (addresses, next_hops) = (&addresses[..both], &mut next_hops[..both]);
        #[cfg(target_arch = "x86_64")]
        let (addresses, next_hops) = crate::fib::simd::lookup4(self, addresses, next_hops);
        self.lookup_each(addresses, next_hops);
    }

    #[inline(always)]
    fn lookup_each(&self, addresses: &[u32], next_hops: &mut [NextHopId]) {
        for (address, next_hop) in addresses.iter().zip(next_hops) {
            *next_hop = self.lookup(*address);
        }
    }
}
