//! From runs to nodes.

use super::Large6;
use super::entry::{Entry, Kind};
use super::table::{BLOCK, ROOT, Table, part, part_end};
use crate::addr::{Ipv6Addr, Prefix};
use crate::fib::arena::{LINE, Room, packed};
use crate::fib::{Full, Leaf};

/// Ranges of the longest list.
const MOST: usize = 32;
/// The words of the largest node, and how many a change of one prefix may make: each 16 bits at most three.
const NODE_WORDS: usize = LINE + 1 + 64 / 2;
const CHANGE_WORDS: usize = 7 * 3 * NODE_WORDS;
/// A shorter prefix may make all nodes anew that it covers: as many as there can be.
const MOST_WORDS: usize = 1 << 26;
/// Words that a small table has more than it needs: to move to a new one costs some time at any size.
const SPARE_WORDS: usize = 32 * 1024;

/// A part of all addresses: the first `depth` bits are those of `first`.
#[derive(Clone, Copy)]
struct Span {
    first: u128,
    depth: u8,
}

impl Span {
    fn last(self) -> u128 {
        if self.depth == 128 { self.first } else { self.first | u128::MAX >> self.depth }
    }

    /// The part `at` of those that `bits` more make.
    fn child(self, bits: u8, at: usize) -> Span {
        let depth = self.depth + bits;
        Span { first: self.first | (at as u128) << (128 - depth), depth }
    }

    fn meets(self, changed: Span) -> bool {
        self.first <= changed.last() && changed.first <= self.last()
    }
}

/// A range in a list.
struct Range {
    start: u16,
    what: What,
}

#[derive(PartialEq, Eq)]
enum What {
    Leaf(Leaf),
    /// The range is one number, and what is behind its bits differs.
    Deeper,
}

impl Large6 {
    /// Builds anew what a prefix touches.
    pub(super) fn rebuild_entries(&mut self, prefix: Prefix<Ipv6Addr>) -> Result<(), Full> {
        let changed = Span { first: prefix.address().to_bits(), depth: prefix.length() };
        for at in part(changed.first, 16)..=part(changed.last(), 16) {
            let span = Span { first: 0, depth: 0 }.child(16, usize::from(at));
            match self.uniform(span) {
                Some(leaf) => self.table.set_entry(usize::from(at), Entry::leaf(leaf)),
                None => self.rebuild_block(usize::from(at), span, changed)?,
            }
        }
        Ok(())
    }

    fn rebuild_block(&mut self, at: usize, span: Span, changed: Span) -> Result<(), Full> {
        if !matches!(self.table.entry(at).kind(), Kind::Block(_)) {
            self.split(at)?;
        }
        let first = span.first.max(changed.first) >> 102;
        let last = span.last().min(changed.last()) >> 102;
        for child in first..=last {
            let child = child as usize % BLOCK;
            let mut words = CHANGE_WORDS;
            loop {
                if !self.table.arena.has_room(self.used, words) {
                    self.compact(0, words)?;
                }
                // A move to a new table moves blocks as well.
                let Kind::Block(block) = self.table.entry(at).kind() else { break };
                let old = self.table.entry(block + child);
                match self.entry_of(span.child(10, child), old, changed) {
                    Err(Full::Nodes) if words < MOST_WORDS => words *= 4,
                    entry => break self.table.set_entry(block + child, entry?),
                }
            }
        }
        Ok(())
    }

    /// Gives an entry of the root 1,024 of its own, which say what it said.
    fn split(&mut self, at: usize) -> Result<(), Full> {
        if self.used_entries + BLOCK > self.table.room_for_entries() {
            self.compact(BLOCK, 0)?;
        }
        let (old, block) = (self.table.entry(at), self.used_entries);
        for at in block..block + BLOCK {
            self.table.set_entry(at, old);
        }
        self.used_entries += BLOCK;
        self.table.set_entry(at, Entry::block(block)?);
        Ok(())
    }

    /// The leaf of all addresses of a part, if it is one.
    fn uniform(&self, span: Span) -> Option<Leaf> {
        let mut runs = self.runs.from(span.first);
        let (mut end, leaf) = runs.next()?;
        while end < span.last() {
            let (next_end, next) = runs.next()?;
            if next != leaf {
                return None;
            }
            end = next_end;
        }
        Some(leaf)
    }

    /// The entry of a part from 26 bits on. What did not change is taken from the old one.
    fn entry_of(&mut self, span: Span, old: Entry, changed: Span) -> Result<Entry, Full> {
        if !span.meets(changed) {
            return Ok(old);
        }
        if span.depth < 32 {
            return match self.uniform(span) {
                Some(leaf) => Ok(Entry::leaf(leaf)),
                None => self.build_rank(span, old, changed),
            };
        }
        match self.ranges(span).as_deref() {
            Some([Range { what: What::Leaf(leaf), .. }]) => Ok(Entry::leaf(*leaf)),
            Some(ranges) => self.build_ranges(span, old, changed, ranges),
            None => self.build_rank(span, old, changed),
        }
    }

    fn build_rank(&mut self, span: Span, old: Entry, changed: Span) -> Result<Entry, Full> {
        let (mut starts, mut entries): (u64, Vec<Entry>) = (0, Vec::with_capacity(64));
        for place in 0..64 {
            let child = span.child(6, place);
            let entry = match old.kind() {
                Kind::Rank(at) => self.entry_of(child, self.table.in_rank(at, place as u32), changed)?,
                // The old one had no node here: all is new.
                _ => self.entry_of(child, Entry::default(), child)?,
            };
            if entries.last() != Some(&entry) || !entry.is_leaf() {
                starts |= 1 << place;
                entries.push(entry);
            }
        }
        // Where each ends but for the last, which comes first.
        entries.reverse();
        let words = [starts >> 1].into_iter().chain(pairs(&entries));
        Entry::rank(self.append(words)?)
    }

    /// The ranges of the bits up to the next multiple of 16; nothing if they are too many for a list.
    fn ranges(&self, span: Span) -> Option<Vec<Range>> {
        let end = part_end(span.depth);
        let behind = u128::MAX.checked_shr(u32::from(end)).unwrap_or(0);
        let mut ranges: Vec<Range> = Vec::with_capacity(MOST + 1);
        let mut runs = self.runs.from(span.first);
        let (mut run, mut at) = (runs.next()?, span.first);
        loop {
            while run.0 < at {
                run = runs.next()?;
            }
            let (mut what, mut last) = (What::Leaf(run.1), run.0);
            while run.0 < at | behind {
                run = runs.next()?;
                last = at | behind;
                if what != What::Leaf(run.1) {
                    what = What::Deeper;
                    break;
                }
            }
            if what == What::Deeper || ranges.last().is_none_or(|before| before.what != what) {
                ranges.push(Range { start: part(at, end), what });
            }
            if ranges.len() > MOST {
                return None;
            }
            // The next number of which not all is in this range.
            match last.checked_add(1).map(|next| next & !behind) {
                Some(next) if next <= span.last() => at = next,
                _ => return Some(ranges),
            }
        }
    }

    fn build_ranges(&mut self, span: Span, old: Entry, changed: Span, ranges: &[Range]) -> Result<Entry, Full> {
        let end = part_end(span.depth);
        let mut entries = Vec::with_capacity(MOST);
        for range in ranges {
            entries.push(match range.what {
                What::Leaf(leaf) => Entry::leaf(leaf),
                What::Deeper => {
                    let first = span.first | u128::from(range.start) << (128 - end);
                    let child = Span { first, depth: end };
                    match old.kind() {
                        Kind::Wide(at, size) => {
                            let rank = self.table.range_of(at, size, range.start);
                            let old = self.table.wide_entry(at, size, rank);
                            if child.meets(changed) { self.entry_of(child, old, changed)? } else { old }
                        }
                        _ => self.entry_of(child, Entry::default(), child)?,
                    }
                }
            });
        }
        let mut starts: Vec<u16> = ranges.iter().map(|range| range.start).collect();
        let size = starts.len().next_power_of_two().max(4);
        // What is behind the last range begins nowhere before the last number, and says the same.
        let last = entries.last().copied().unwrap_or_default();
        starts.resize(size, u16::MAX);
        entries.resize(size, last);
        let is_wide = entries.iter().any(|entry| !entry.is_leaf());
        let at = if is_wide {
            self.append(packed(&starts).chain(pairs(&entries)))?
        } else {
            // So that no list reaches into one line of the cache more than it must.
            self.used = self.used.next_multiple_of((size / 2).min(LINE));
            let leaves: Vec<Leaf> = entries.iter().map(|entry| entry.0 as Leaf).collect();
            self.append(packed(&starts).chain(packed(&leaves)))?
        };
        Entry::ranges(at, size, is_wide)
    }

    fn append(&mut self, words: impl IntoIterator<Item = u64>) -> Result<usize, Full> {
        if self.table.arena.has_room(self.used, NODE_WORDS) {
            Ok(self.table.arena.append(&mut self.used, words))
        } else {
            Err(Full::Nodes)
        }
    }

    /// Copies what lives into a new table, with room for half as many words, and for so many entries and words besides.
    pub(super) fn compact(&mut self, entries: usize, words: usize) -> Result<(), Full> {
        let old = self.table.clone();
        let blocks = || {
            (0..ROOT).filter_map(|at| if let Kind::Block(block) = old.entry(at).kind() { Some(block) } else { None })
        };
        let count = blocks().count();
        let mut sizes = [0; CLASSES];
        for at in blocks().flat_map(|at| at..at + BLOCK) {
            count_words(&old, old.entry(at), &mut sizes);
        }
        let live: usize = sizes.iter().sum();
        let new = Table::with_room(
            self.old.take(),
            Room { wanted: ROOT + (count + count / 16) * BLOCK + entries, least: ROOT + count * BLOCK + entries },
            Room { wanted: live + live / 2 + words + SPARE_WORDS, least: live + live / 3 + words + SPARE_WORDS },
        );
        let mut used = [0; CLASSES];
        for class in 1..CLASSES {
            used[class] = used[class - 1] + sizes[class - 1];
        }
        let mut used_entries = ROOT;
        for at in 0..ROOT {
            let Kind::Block(block) = old.entry(at).kind() else {
                new.set_entry(at, old.entry(at));
                continue;
            };
            for child in 0..BLOCK {
                new.set_entry(used_entries + child, copy(&old, &new, &mut used, old.entry(block + child))?);
            }
            new.set_entry(at, Entry::block(used_entries)?);
            used_entries += BLOCK;
        }
        (self.table, self.used, self.used_entries) = (new, live, used_entries);
        self.old = Some(old);
        Ok(())
    }
}

/// Packs entries into words, the first in the lower bits.
fn pairs(entries: &[Entry]) -> impl Iterator<Item = u64> + '_ {
    entries.chunks(2).map(|two| two.iter().rev().fold(0, |word, entry| word << 32 | u64::from(entry.0)))
}

/// The entries in the node of an entry, and the words of the node without them.
fn children(table: &Table, entry: Entry) -> (Vec<Entry>, Vec<u64>) {
    let entry_at = |from: usize, at: usize| Entry((table.arena.word(from + at / 2) >> (at % 2 * 32)) as u32);
    match entry.kind() {
        Kind::Leaf(_) | Kind::Block(_) => (Vec::new(), Vec::new()),
        Kind::Rank(at) => {
            let ends = table.arena.word(at);
            ((0..=ends.count_ones() as usize).map(|child| entry_at(at + 1, child)).collect(), vec![ends])
        }
        Kind::Narrow(at, size) => (Vec::new(), (at..at + size / 2).map(|at| table.arena.word(at)).collect()),
        Kind::Wide(at, size) => {
            let starts = (at..at + size / 4).map(|at| table.arena.word(at)).collect();
            ((0..size).map(|child| entry_at(at + size / 4, child)).collect(), starts)
        }
    }
}

/// A new table has its nodes in so many heaps, the largest lists first: so each lies where its size divides, and no list
/// reaches into one line of the cache more than it must.
const CLASSES: usize = 4;

fn class(entry: Entry) -> usize {
    match entry.kind() {
        Kind::Narrow(_, 4) => 2,
        Kind::Narrow(_, 8) => 1,
        Kind::Narrow(..) => 0,
        _ => 3,
    }
}

/// Adds the words of an entry's node and all below it to those of their classes.
fn count_words(table: &Table, entry: Entry, sizes: &mut [usize; CLASSES]) {
    let (mut children, head) = children(table, entry);
    sizes[class(entry)] += head.len() + children.len().div_ceil(2);
    // Behind the last range of a list stands the same once more.
    children.dedup();
    for child in children {
        count_words(table, child, sizes);
    }
}

/// Copies an entry's node and all below it.
fn copy(old: &Table, new: &Table, used: &mut [usize; CLASSES], entry: Entry) -> Result<Entry, Full> {
    let (mut children, head) = children(old, entry);
    if head.is_empty() {
        return Ok(entry);
    }
    let mut before = (Entry::default(), Entry::default());
    for child in &mut children {
        if *child != before.0 {
            before = (*child, copy(old, new, used, *child)?);
        }
        *child = before.1;
    }
    let at = new.arena.append(&mut used[class(entry)], head.into_iter().chain(pairs(&children)));
    match entry.kind() {
        Kind::Narrow(_, size) => Entry::ranges(at, size, false),
        Kind::Wide(_, size) => Entry::ranges(at, size, true),
        _ => Entry::rank(at),
    }
}
