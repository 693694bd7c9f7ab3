//! Counters of one stack: frames in, frames out, and every drop by its reason.

use crate::reason::{DropReason, REASONS};

/// What a stack counted. The conservation law holds between calls:
/// `received + originated + made = sent + consumed + discarded + parked + held`.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub discarded: [u64; REASONS],
}

impl Default for Counters {
    fn default() -> Counters {
        Counters { received: 0, originated: 0, made: 0, sent: 0, consumed: 0, discarded: [0; REASONS] }
    }
}

impl Counters {
    /// Frames discarded for this reason.
    pub fn discarded(&self, reason: DropReason) -> u64 {
        self.discarded[reason as usize]
    }

    /// All discarded frames.
    pub fn discarded_total(&self) -> u64 {
        self.discarded.iter().sum()
    }
}
