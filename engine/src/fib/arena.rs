//! Where the nodes of a table lie: 64-bit words that are written once, before anybody is told where they are.
//!
//! Nothing is ever overwritten, so a reader that still follows an old pointer finds the old node whole. What is no longer
//! pointed at stays as garbage until the arena is full; then its owner copies what lives into a new one.

#[cfg(target_arch = "x86_64")]
use super::simd::Bits;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

/// So many words stay free behind the last: vector loads may read past what they use.
pub(super) const BEHIND: usize = LINE;

/// The words of a line of the processor's cache.
pub(super) const LINE: usize = 8;

/// A line of the processor's cache: what lies in one is fetched at once.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Line([AtomicU64; LINE]);

/// How many of something a new table gets, and how few will do if an old one is at hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) wanted: usize,
    pub(super) least: usize,
}

impl Room {
    /// So many, neither more nor fewer.
    pub(super) fn of(wanted: usize) -> Room {
        Room { wanted, least: wanted }
    }

    /// True of what has enough, and not far too many.
    pub(super) fn suits(self, count: usize) -> bool {
        (self.least..=self.wanted + self.wanted / 4).contains(&count)
    }
}

/// The words; a clone has the same.
#[derive(Clone, Debug)]
pub(super) struct Arena {
    lines: Arc<[Line]>,
    #[cfg(target_arch = "x86_64")]
    bits: Option<Bits>,
}

impl Arena {
    /// Room for so many words.
    pub(super) fn with_room(words: usize) -> Arena {
        Arena {
            lines: (0..(words + BEHIND).div_ceil(LINE)).map(|_| Line::default()).collect(),
            #[cfg(target_arch = "x86_64")]
            bits: Bits::detect(),
        }
    }

    /// True if nobody else has it, and its room suits.
    pub(super) fn is_free(&mut self, words: Room) -> bool {
        words.suits(self.lines.len() * LINE - BEHIND) && Arc::get_mut(&mut self.lines).is_some()
    }

    /// What the processor can do with them.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn bits(&self) -> Option<Bits> {
        self.bits
    }

    /// All words, for loops that check nothing.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// One word. The pointer that leads there was read with `Acquire`.
    #[inline(always)]
    pub(super) fn word(&self, at: usize) -> u64 {
        self.lines[at / LINE].0[at % LINE].load(Relaxed)
    }

    /// How many bits of a word are set from a place on, counted from the lowest.
    #[inline(always)]
    pub(super) fn ones_from(&self, at: usize, place: u32) -> usize {
        let word = self.word(at) >> place;
        #[cfg(target_arch = "x86_64")]
        if let Some(bits) = self.bits {
            return bits.count(word);
        }
        word.count_ones() as usize
    }

    /// The 16-bit number `at`, counted from the beginning of the arena, the low ones of a word first.
    #[inline(always)]
    pub(super) fn half_word(&self, at: usize) -> u16 {
        (self.word(at / 4) >> (at % 4 * 16)) as u16
    }

    /// Backs a large table with huge pages, where there are any: its nodes, and the entries that lead to them.
    #[cfg(target_os = "linux")]
    pub(super) fn back<T>(&self, entries: &[T]) {
        use crate::device::pages::{HUGE, collapse};
        if size_of_val(entries) + self.memory() >= HUGE {
            collapse(entries);
            collapse(&self.lines);
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn back<T>(&self, _: &[T]) {}

    /// Bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.lines)
    }

    /// True if so many words more have room.
    pub(super) fn has_room(&self, used: usize, words: usize) -> bool {
        used + words + BEHIND <= self.lines.len() * LINE
    }

    /// Writes words behind the `used` ones; where they are. There must be [room](Arena::has_room).
    pub(super) fn append(&self, used: &mut usize, words: impl IntoIterator<Item = u64>) -> usize {
        let at = *used;
        for word in words {
            self.lines[*used / LINE].0[*used % LINE].store(word, Relaxed);
            *used += 1;
        }
        at
    }
}

/// Gives places to nodes, so that each reaches into as few lines as it can. The largest are to come first: smaller ones
/// fill what they leave of their last lines.
pub(super) struct Packer {
    /// The first line of which nothing is taken.
    next: usize,
    /// Where lines have so many words left at their ends.
    left: [Vec<usize>; LINE],
}

impl Packer {
    /// Behind so many words.
    pub(super) fn behind(words: usize) -> Packer {
        Packer { next: words.next_multiple_of(LINE), left: [const { Vec::new() }; LINE] }
    }

    /// A place for so many words.
    pub(super) fn place(&mut self, words: usize) -> usize {
        let found = (words..LINE).find_map(|left| Some((self.left[left].pop()?, left)));
        let (at, room) = found.unwrap_or((self.next, words.next_multiple_of(LINE)));
        if found.is_none() {
            self.next += room;
        }
        if room > words {
            self.left[room - words].push(at + words);
        }
        at
    }

    /// Behind all that is taken.
    pub(super) fn end(&self) -> usize {
        self.next
    }
}

/// Packs 16-bit numbers into words, the first in the lowest bits.
pub(super) fn packed(numbers: &[u16]) -> impl Iterator<Item = u64> + '_ {
    numbers.chunks(4).map(|four| four.iter().rev().fold(0, |word, number| word << 16 | u64::from(*number)))
}
