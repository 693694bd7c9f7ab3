//! Counters of one stack: frames in, frames out, and every drop by its reason.

use crate::reason::DropReason;
use core::ops::{Index, IndexMut};

/// What a stack counted. The conservation law holds between calls:
/// `received + originated + made = sent + consumed + discarded + parked + held`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames taken from a port.
    pub received: u64,
    /// Datagrams that local programs sent.
    pub originated: u64,
    /// Frames the stack made itself: ARP, ICMP errors, replies, fragments, copies.
    pub made: u64,
    /// Frames handed to a port.
    pub sent: u64,
    /// Frames that arrived at their goal here: delivered to a program, or answered.
    pub consumed: u64,
    /// Frames discarded, by reason.
    pub discarded: Discarded,
}

/// How many frames were discarded for each reason, indexed by the reason's number. Of some hundred reasons a namespace sees
/// two or three: only those are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// By reason.
    seen: Vec<(u8, u64)>,
}

impl Index<usize> for Discarded {
    type Output = u64;

    fn index(&self, reason: usize) -> &u64 {
        let found = self.seen.iter().find(|(seen, _)| usize::from(*seen) == reason);
        found.map_or(&0, |(_, count)| count)
    }
}

impl IndexMut<usize> for Discarded {
    fn index_mut(&mut self, reason: usize) -> &mut u64 {
        let at = match self.seen.binary_search_by_key(&reason, |(seen, _)| usize::from(*seen)) {
            Ok(at) => at,
            Err(at) => {
                self.seen.reserve_exact(1);
                self.seen.insert(at, (reason as u8, 0));
                at
            }
        };
        &mut self.seen[at].1
    }
}

impl Counters {
    /// Frames discarded for this reason.
    pub fn discarded(&self, reason: DropReason) -> u64 {
        self.discarded[reason as usize]
    }

    /// All discarded frames.
    pub fn discarded_total(&self) -> u64 {
        self.discarded.seen.iter().map(|(_, count)| count).sum()
    }
}
