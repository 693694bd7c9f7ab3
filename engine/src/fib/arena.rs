//! Where the nodes of a table lie: 64-bit words that are written once, before anybody is told where they are.
//!
//! Nothing is ever overwritten, so a reader that still follows an old pointer finds the old node whole. What is no longer
//! pointed at stays as garbage until the arena is full; then its owner copies what lives into a new one.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// So many words stay free behind the last: vector loads may read past what they use.
pub(super) const BEHIND: usize = LINE;

/// The words of a line of the processor's cache.
pub(super) const LINE: usize = 8;

/// A line of the processor's cache: what lies in one is fetched at once.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Line([AtomicU64; LINE]);

/// The words.
#[derive(Debug)]
pub(super) struct Arena {
    lines: Box<[Line]>,
}

impl Arena {
    /// Room for so many words.
    pub(super) fn with_room(words: usize) -> Arena {
        Arena { lines: (0..(words + BEHIND).div_ceil(LINE)).map(|_| Line::default()).collect() }
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

    /// The 16-bit number `at`, counted from the beginning of the arena, the low ones of a word first.
    #[inline(always)]
    pub(super) fn half_word(&self, at: usize) -> u16 {
        (self.word(at / 4) >> (at % 4 * 16)) as u16
    }

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

/// Packs 16-bit numbers into words, the first in the lowest bits.
pub(super) fn packed(numbers: &[u16]) -> impl Iterator<Item = u64> + '_ {
    numbers.chunks(4).map(|four| four.iter().rev().fold(0, |word, number| word << 16 | u64::from(*number)))
}
