//! From prefixes to nodes.

use super::rib::{Long, slots};
use super::table::{ALONE_WORDS, BLOCK, BLOCK_HEAD, MAX_BLOCKS, alone};
use super::{Large4, ROOT, Table};
use crate::addr::{Ipv4Addr, Prefix};
use crate::fib::arena::{Packer, Room, packed};
use crate::fib::{Full, Leaf, NO_ROUTE};

/// The words of the largest node: a bit for each of 64 /24s, and as many next hops.
const NODE_WORDS: usize = 1 + 64 / 4;
/// The same of a block.
const BLOCK_WORDS: usize = BLOCK_HEAD + 256 / 4;
/// Words that a small table has more than it needs: to move to a new one costs some time at any size.
const SPARE_WORDS: usize = 16 * 1024;
/// So many blocks stay free: numbers are not used twice in a table, so that each block written anew takes one, until the
/// table is compacted.
const SPARE_BLOCKS: usize = 1024;

impl Large4 {
    /// Builds anew the /18s that a prefix touches.
    pub(super) fn rebuild_slots(&mut self, prefix: Prefix<Ipv4Addr>) -> Result<(), Full> {
        slots(prefix).try_for_each(|slot| self.rebuild_slot(slot))
    }

    fn rebuild_slot(&mut self, slot: usize) -> Result<(), Full> {
        let longer = self.rib.longer(slot);
        let base = self.rib.base(slot);
        if longer.is_empty() {
            self.live_blocks -= blocks_of(&self.table, self.table.node(slot)).count();
            self.make_room(ALONE_WORDS, 0);
            let node = self.alone(base);
            self.table.set_node(slot, node);
            return Ok(());
        }
        let deep: Vec<Long> = longer.iter().filter(|long| is_deep(long)).copied().collect();
        let blocks = deep.chunk_by(same_block).count();
        let live_blocks = self.live_blocks - blocks_of(&self.table, self.table.node(slot)).count() + blocks;
        if live_blocks > self.live_blocks.max(MAX_BLOCKS - SPARE_BLOCKS) {
            return Err(Full::Nodes);
        }
        self.make_room(NODE_WORDS + blocks * BLOCK_WORDS, blocks);
        self.live_blocks = live_blocks;

        let mut leaves = [base; 64];
        // What covers comes before what is covered: the walk paints over.
        for long in self.rib.longer(slot).iter().filter(|long| !is_deep(long)) {
            let first = usize::from(long.suffix >> 8);
            leaves[first..first + (1 << (24 - long.length))].fill(long.leaf);
        }
        for group in deep.chunk_by(same_block) {
            let place = &mut leaves[usize::from(group[0].suffix >> 8)];
            let words = block(*place, group);
            let at = self.table.arena.append(&mut self.used, words);
            self.table.set_block(self.blocks, at);
            *place = BLOCK | self.blocks as Leaf;
            self.blocks += 1;
        }
        let (mut ends, mut runs) = ([0], [0; 64]);
        let node = match runs_of(&leaves, &mut ends, &mut runs) {
            [leaf] => self.alone(*leaf),
            runs => self.table.arena.append(&mut self.used, ends.into_iter().chain(packed(runs))),
        };
        self.table.set_node(slot, node);
        Ok(())
    }

    /// The node of a next hop that no other is with.
    fn alone(&mut self, leaf: Leaf) -> usize {
        if leaf == NO_ROUTE {
            return 0;
        }
        let place = usize::from(leaf);
        if place >= self.alone.len() {
            self.alone.resize(place + 1, 0);
        }
        if self.alone[place] == 0 {
            self.alone[place] = self.table.arena.append(&mut self.used, alone(leaf)) as u32;
        }
        self.alone[place] as usize
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

    /// Copies what lives into a new table, with room to grow: a fifth, and so many words more.
    pub(super) fn compact(&mut self, words: usize) {
        let old = self.table.clone();
        // Of which /18s the nodes have how many words.
        let mut slots = [const { Vec::<u32>::new() }; NODE_WORDS + 1];
        let mut block_words = 0;
        for slot in 0..ROOT {
            let node = old.node(slot);
            slots[words_of(&old, node)].push(slot as u32);
            block_words += blocks_of(&old, node).map(|at| words_of_block(&old, at)).sum::<usize>();
        }
        let mut packer = Packer::behind(ALONE_WORDS * (1 + self.alone.iter().filter(|at| **at != 0).count()));
        let nodes = slots.iter().enumerate().skip(1).rev();
        let nodes = nodes.flat_map(|(words, slots)| slots.iter().map(move |slot| (*slot as usize, words)));
        let places: Vec<usize> = nodes.clone().map(|(_, words)| packer.place(words)).collect();

        let live = packer.end() + block_words;
        let blocks = self.live_blocks + SPARE_BLOCKS;
        (self.table, self.used) = Table::with_room(
            self.old.take(),
            Room { wanted: live + live / 5 + words + SPARE_WORDS, least: live + live / 8 + words + SPARE_WORDS },
            Room { wanted: blocks + self.live_blocks / 4, least: blocks.min(MAX_BLOCKS) },
        );
        self.alone.fill(0);
        for slot in &slots[0] {
            let leaf = old.arena.half_word(4 * (old.node(*slot as usize) + 1));
            let node = self.alone(leaf);
            self.table.set_node(*slot as usize, node);
        }
        (self.used, self.blocks) = (packer.end(), 0);
        for ((slot, words), place) in nodes.zip(places) {
            let (from, mut to) = (old.node(slot), place);
            self.table.arena.append(&mut to, [old.arena.word(from)]);
            for at in from + 1..from + words {
                let leaves = self.copy_blocks(&old, old.arena.word(at));
                self.table.arena.append(&mut to, [leaves]);
            }
            self.table.set_node(slot, place);
        }
        self.old = Some(old);
    }

    /// Copies the blocks that a word of leaves names; the word that names the new ones.
    fn copy_blocks(&mut self, old: &Table, mut leaves: u64) -> u64 {
        for (place, number) in blocks_in(leaves) {
            let from = old.block(number);
            let words = (from..from + words_of_block(old, from)).map(|at| old.arena.word(at));
            let at = self.table.arena.append(&mut self.used, words);
            self.table.set_block(self.blocks, at);
            leaves ^= ((number ^ self.blocks) as u64) << place;
            self.blocks += 1;
        }
        leaves
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
    for long in group {
        let first = usize::from(long.suffix & 0xff);
        leaves[first..first + (1 << (32 - long.length))].fill(long.leaf);
    }
    let (mut ends, mut runs) = ([0; 4], [0; 256]);
    let runs = runs_of(&leaves, &mut ends, &mut runs);
    let behind = |word: usize| ends[word + 1..].iter().map(|word| word.count_ones() as u16).sum();
    let ranks: [u16; 4] = core::array::from_fn(behind);
    let words: Vec<u64> = ends.iter().copied().chain(packed(&ranks)).chain(packed(runs)).collect();
    words.into_iter()
}

/// The leaves of runs of equal ones, that of the last first, and as bits where each ends but for the last.
fn runs_of<'a>(leaves: &[Leaf], ends: &mut [u64], runs: &'a mut [Leaf]) -> &'a [Leaf] {
    for (at, both) in leaves.windows(2).enumerate() {
        ends[at / 64] |= u64::from(both[0] != both[1]) << (at % 64);
    }
    runs[0] = leaves[leaves.len() - 1];
    let mut count = 1;
    for (word, ends) in ends.iter().enumerate().rev() {
        let mut left = *ends;
        while let Some(bit) = left.checked_ilog2() {
            runs[count] = leaves[64 * word + bit as usize];
            count += 1;
            left ^= 1 << bit;
        }
    }
    &runs[..count]
}

/// The words of a node; none for one of a single next hop, which many /18s may have.
fn words_of(table: &Table, node: usize) -> usize {
    match table.arena.ones_from(node, 0) {
        0 => 0,
        ends => 1 + (ends + 1).div_ceil(4),
    }
}

/// The numbers of blocks in four leaves, and by how many bits they are shifted.
fn blocks_in(leaves: u64) -> impl Iterator<Item = (u32, usize)> {
    const HIGHEST: u64 = 0x8000_8000_8000_8000;
    // One more than the other bits has the highest set if they are all set: no route.
    let no_route = (leaves & !HIGHEST) + (HIGHEST >> 15);
    let mut found = leaves & HIGHEST & !no_route;
    core::iter::from_fn(move || {
        let place = found.checked_ilog2()? - 15;
        found ^= 1 << (place + 15);
        Some((place, usize::from((leaves >> place) as Leaf & !BLOCK)))
    })
}

/// Where the blocks of a node are.
fn blocks_of(table: &Table, node: usize) -> impl Iterator<Item = usize> + '_ {
    let leaves = (node + 1..node + words_of(table, node)).map(|at| table.arena.word(at));
    leaves.flat_map(blocks_in).map(|(_, number)| table.block(number))
}

fn words_of_block(table: &Table, at: usize) -> usize {
    let ends: usize = (at..at + 4).map(|at| table.arena.ones_from(at, 0)).sum();
    BLOCK_HEAD + (ends + 1).div_ceil(4)
}
