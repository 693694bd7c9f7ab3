//! From prefixes to nodes.

use super::rib::{Long, slots};
use super::table::{BLOCK, BLOCK_HEAD, MAX_BLOCKS, NODE};
use super::{Large4, ROOT, Table};
use crate::addr::{Ipv4Addr, Prefix};
use crate::fib::arena::packed;
use crate::fib::{Full, Leaf};
use std::sync::Arc;

/// The words of the largest node: a bit for each of 64 /24s, and as many next hops.
const NODE_WORDS: usize = 1 + 64 / 4;
/// The same of a block.
const BLOCK_WORDS: usize = BLOCK_HEAD + 256 / 4;
/// Words that a small table has more than it needs: to move to a new one costs some time at any size.
const SPARE_WORDS: usize = 16 * 1024;
/// So many blocks stay free: a /18 is built anew before its old blocks are given up.
const SPARE_BLOCKS: usize = 64;

impl Large4 {
    /// Builds anew the /18s that a prefix touches.
    pub(super) fn rebuild_slots(&mut self, prefix: Prefix<Ipv4Addr>) -> Result<(), Full> {
        slots(prefix).try_for_each(|slot| self.rebuild_slot(slot))
    }

    fn rebuild_slot(&mut self, slot: usize) -> Result<(), Full> {
        let longer = self.rib.longer(slot);
        let base = self.rib.base(slot);
        if longer.is_empty() {
            self.live_blocks -= blocks_of(&self.table, self.table.entry(slot)).count();
            self.table.set_entry(slot, u32::from(base));
            return Ok(());
        }
        let deep = longer.chunk_by(same_block).filter(|group| group.iter().any(is_deep)).count();
        let live_blocks = self.live_blocks - blocks_of(&self.table, self.table.entry(slot)).count() + deep;
        if live_blocks > self.live_blocks.max(MAX_BLOCKS - SPARE_BLOCKS) {
            return Err(Full::Nodes);
        }
        self.make_room(NODE_WORDS + deep * BLOCK_WORDS, deep);
        self.live_blocks = live_blocks;

        let mut leaves = [base; 64];
        // What covers comes before what is covered: the walk paints over.
        for group in self.rib.longer(slot).chunk_by(same_block) {
            for long in group.iter().filter(|long| !is_deep(long)) {
                let first = usize::from(long.suffix >> 8);
                leaves[first..first + (1 << (24 - long.length))].fill(long.leaf);
            }
            if group.iter().any(is_deep) {
                let place = &mut leaves[usize::from(group[0].suffix >> 8)];
                let words = block(*place, group);
                let at = self.table.arena.append(&mut self.used, words);
                self.table.set_block(self.blocks, at);
                *place = BLOCK | self.blocks as Leaf;
                self.blocks += 1;
            }
        }
        let entry = match leaves {
            [first, ..] if first & BLOCK == 0 && leaves.iter().all(|leaf| *leaf == first) => u32::from(first),
            _ => self.append_node(&leaves),
        };
        self.table.set_entry(slot, entry);
        Ok(())
    }

    fn append_node(&mut self, leaves: &[Leaf; 64]) -> u32 {
        let (starts, runs) = runs(leaves);
        NODE | self.table.arena.append(&mut self.used, starts.into_iter().chain(packed(&runs))) as u32
    }

    /// Makes room for words and blocks, if need be by leaving the garbage behind.
    fn make_room(&mut self, words: usize, blocks: usize) {
        let has_room = |fib: &Large4| {
            fib.table.arena.has_room(fib.used, words) && fib.blocks + blocks <= fib.table.room_for_blocks()
        };
        if !has_room(self) {
            self.compact(words);
        }
    }

    /// Copies what lives into a new table, with room to grow: a quarter, and so many words more.
    pub(super) fn compact(&mut self, words: usize) {
        let old = self.table.clone();
        let live: usize = (0..ROOT).map(|slot| words_of(&old, old.entry(slot))).sum();
        let new_blocks = self.live_blocks + self.live_blocks / 4 + SPARE_BLOCKS;
        let new = Table::with_room(live + live / 4 + words + SPARE_WORDS, new_blocks);
        let (mut used, mut blocks) = (0, 0);
        for slot in 0..ROOT {
            let entry = old.entry(slot);
            if entry & NODE == 0 {
                new.set_entry(slot, entry);
                continue;
            }
            let at = (entry & !NODE) as usize;
            let starts = old.arena.word(at);
            let mut runs: Vec<Leaf> = leaves_of(&old, at).collect();
            for leaf in runs.iter_mut().filter(|leaf| **leaf & BLOCK != 0) {
                let from = old.block(usize::from(*leaf & !BLOCK));
                let words = (from..from + block_words(&old, from)).map(|at| old.arena.word(at));
                new.set_block(blocks, new.arena.append(&mut used, words));
                *leaf = BLOCK | blocks as Leaf;
                blocks += 1;
            }
            let at = new.arena.append(&mut used, [starts].into_iter().chain(packed(&runs)));
            new.set_entry(slot, NODE | at as u32);
        }
        (self.table, self.used, self.blocks) = (Arc::new(new), used, blocks);
    }
}

/// Longer than 24 bits: in a block.
fn is_deep(long: &Long) -> bool {
    long.length > 24
}

fn same_block(one: &Long, other: &Long) -> bool {
    one.suffix >> 8 == other.suffix >> 8
}

/// The words of the block of one /24: its longer prefixes, over what covers it.
fn block(base: Leaf, group: &[Long]) -> impl Iterator<Item = u64> + use<> {
    let mut leaves = [base; 256];
    for long in group.iter().filter(|long| is_deep(long)) {
        let first = usize::from(long.suffix & 0xff);
        leaves[first..first + (1 << (32 - long.length))].fill(long.leaf);
    }
    let (starts, runs) = runs(&leaves);
    let mut before = 0;
    let ranks: Vec<u16> = starts
        .iter()
        .map(|word| {
            before += word.count_ones() as u16;
            before - word.count_ones() as u16
        })
        .collect();
    let words: Vec<u64> = starts.into_iter().chain(packed(&ranks)).chain(packed(&runs)).collect();
    words.into_iter()
}

/// Where runs of equal leaves begin, as bits, and the leaf of each.
fn runs(leaves: &[Leaf]) -> (Vec<u64>, Vec<Leaf>) {
    let mut starts = vec![0; leaves.len() / 64];
    let mut runs: Vec<Leaf> = Vec::with_capacity(leaves.len());
    for (at, leaf) in leaves.iter().enumerate() {
        // Each 64 begin anew only at the first; a block is never equal to its neighbour.
        if at == 0 || runs.last() != Some(leaf) {
            starts[at / 64] |= 1 << (at % 64);
            runs.push(*leaf);
        }
    }
    (starts, runs)
}

/// The next hops and block numbers of the node there.
fn leaves_of(table: &Table, node: usize) -> impl Iterator<Item = Leaf> + '_ {
    let count = table.arena.word(node).count_ones() as usize;
    (0..count).map(move |at| table.arena.half_word(4 * (node + 1) + at))
}

/// Where the blocks of an entry's node are.
fn blocks_of(table: &Table, entry: u32) -> impl Iterator<Item = usize> + '_ {
    let node = (entry & NODE != 0).then_some((entry & !NODE) as usize);
    let leaves = node.into_iter().flat_map(|node| leaves_of(table, node));
    leaves.filter(|leaf| leaf & BLOCK != 0).map(|leaf| table.block(usize::from(leaf & !BLOCK)))
}

fn block_words(table: &Table, at: usize) -> usize {
    let count: u32 = (at..at + 4).map(|at| table.arena.word(at).count_ones()).sum();
    BLOCK_HEAD + (count as usize).div_ceil(4)
}

/// The words of an entry's node and its blocks.
fn words_of(table: &Table, entry: u32) -> usize {
    if entry & NODE == 0 {
        return 0;
    }
    let node = 1 + (table.arena.word((entry & !NODE) as usize).count_ones() as usize).div_ceil(4);
    node + blocks_of(table, entry).map(|at| block_words(table, at)).sum::<usize>()
}
