//! Counters of one stack: frames in, frames out, and every drop by its reason.

use crate::reason::DropReason;
use crate::seldom::SeldomList;
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
/// one, or two: only those are kept, and one of them in place.
#[derive(Clone, Debug, Default)]
pub struct Discarded {
    one: (u8, u64),
    others: SeldomList<(u8, u64)>,
}

impl Discarded {
    fn counts(&self) -> impl Iterator<Item = u64> {
        core::iter::once(self.one.1).chain(self.others.iter().map(|(_, count)| *count))
    }
}

impl Index<usize> for Discarded {
    type Output = u64;

    fn index(&self, reason: usize) -> &u64 {
        if usize::from(self.one.0) == reason {
            return &self.one.1;
        }
        let found = self.others.iter().find(|(seen, _)| usize::from(*seen) == reason);
        found.map_or(&0, |(_, count)| count)
    }
}

impl IndexMut<usize> for Discarded {
    fn index_mut(&mut self, reason: usize) -> &mut u64 {
        let is_new =
            usize::from(self.one.0) != reason && self.others.iter().all(|(seen, _)| usize::from(*seen) != reason);
        match is_new {
            true if self.one.1 == 0 => self.one = (reason as u8, 0),
            true => self.others.push((reason as u8, 0)),
            false => {}
        }
        let found = self.others.iter_mut().find(|(seen, _)| usize::from(*seen) == reason);
        found.map_or(&mut self.one.1, |(_, count)| count)
    }
}

impl PartialEq for Discarded {
    /// In whatever order the reasons were seen.
    fn eq(&self, other: &Discarded) -> bool {
        (0..=u8::MAX.into()).all(|reason: usize| self[reason] == other[reason])
    }
}

impl Eq for Discarded {}

impl Counters {
    /// Frames discarded for this reason.
    pub fn discarded(&self, reason: DropReason) -> u64 {
        self.discarded[reason as usize]
    }

    /// All discarded frames.
    pub fn discarded_total(&self) -> u64 {
        self.discarded.counts().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever comes first, each reason is counted for itself.
    #[test]
    fn each_reason_has_its_count() {
        let (mut here, mut there) = (Discarded::default(), Discarded::default());
        assert_eq!(here[0], 0);
        [7, 0, 7, 3, 7].into_iter().for_each(|reason| here[reason] += 1);
        [0, 3, 7, 7].into_iter().for_each(|reason| there[reason] += 1);
        assert_ne!(here, there);
        there[7] += 1;
        assert_eq!(here, there);
        assert_eq!(([0, 3, 7, 8].map(|reason| here[reason]), here.counts().sum::<u64>()), ([1, 1, 3, 0], 5));
    }
}
