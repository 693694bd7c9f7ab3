//! `-m statistic`.

use super::super::rule::{Not, Statistic};
use super::{Memory, not};
use crate::rng::Rng;

/// `--mode nth` counts from where its first packet is due.
pub(super) fn memory(of: Statistic) -> Memory {
    match of {
        Statistic::Random { .. } => Memory::Nothing,
        Statistic::Nth { every, packet } => Memory::Nth(every.saturating_sub(1).saturating_sub(packet)),
    }
}

/// `statistic_mt`
pub(super) fn fits(of: &Not<Statistic>, memory: &mut Memory, rng: &mut Rng) -> bool {
    let hit = match (of.of, memory) {
        (Statistic::Random { probability }, _) => (rng.next() >> 33) < u64::from(probability),
        (Statistic::Nth { every, .. }, Memory::Nth(count)) => {
            *count = if *count >= every.saturating_sub(1) { 0 } else { *count + 1 };
            *count == 0
        }
        (Statistic::Nth { .. }, _) => false,
    };
    not(of, hit)
}
