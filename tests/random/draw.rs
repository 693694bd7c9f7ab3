//! Chance, in words.

use vethlab_engine::rng::Rng;

/// A seeded source of choices.
pub(super) struct Draw(Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        Draw(Rng::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(1)))
    }

    /// True so many times of a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound.max(1) as u64) as usize
    }

    /// One of the items.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// One of the items, if there are any.
    pub(super) fn any<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }
}
