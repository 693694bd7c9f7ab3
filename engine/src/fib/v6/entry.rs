//! What a step of a lookup gives: an answer, or where to go on.

use crate::fib::{Full, Leaf};

/// The kind is in the highest bits, what it says in the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::fib) struct Entry(pub(in crate::fib) u32);

/// The kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A next hop.
    Leaf(Leaf),
    /// 1,024 entries, from that one on.
    Block(usize),
    /// A node for 6 bits, in these words: a bit for each place, then the entries, two in a word.
    Rank(usize),
    /// So many ranges (4, 8, 16 or 32), in these words: where they begin, then a next hop for each.
    Narrow(usize, usize),
    /// The same with an entry for each.
    Wide(usize, usize),
}

pub(in crate::fib) const KIND: u32 = 7 << 29;
pub(in crate::fib) const LEAF: u32 = 0;
pub(in crate::fib) const BLOCK: u32 = 1 << 29;
pub(in crate::fib) const RANK: u32 = 2 << 29;
pub(in crate::fib) const NARROW: u32 = 3 << 29;
const WIDE: u32 = 4 << 29;
/// Where the number of ranges is: 4, shifted so far.
pub(in crate::fib) const SIZE: u32 = 27;
/// Nodes lie at places below this.
const PLACES: usize = 1 << SIZE;

impl Entry {
    pub(super) fn leaf(leaf: Leaf) -> Entry {
        Entry(LEAF | u32::from(leaf))
    }

    pub(super) fn block(at: usize) -> Result<Entry, Full> {
        place(at).map(|at| Entry(BLOCK | at))
    }

    pub(super) fn rank(at: usize) -> Result<Entry, Full> {
        place(at).map(|at| Entry(RANK | at))
    }

    /// `size` is 4, 8, 16 or 32.
    pub(super) fn ranges(at: usize, size: usize, is_wide: bool) -> Result<Entry, Full> {
        let kind = if is_wide { WIDE } else { NARROW };
        place(at).map(|at| Entry(kind | (size.trailing_zeros() - 2) << SIZE | at))
    }

    #[inline(always)]
    pub(super) fn kind(self) -> Kind {
        let at = (self.0 & (PLACES as u32 - 1)) as usize;
        let size = 4 << (self.0 >> SIZE & 3);
        match self.0 & KIND {
            LEAF => Kind::Leaf(self.0 as Leaf),
            BLOCK => Kind::Block(at),
            RANK => Kind::Rank(at),
            NARROW => Kind::Narrow(at, size),
            _ => Kind::Wide(at, size),
        }
    }

    pub(super) fn is_leaf(self) -> bool {
        self.0 & KIND == LEAF
    }
}

fn place(at: usize) -> Result<u32, Full> {
    if at < PLACES { Ok(at as u32) } else { Err(Full::Nodes) }
}
