//! The one source of chance: a small seeded generator, the same bytes on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, passes BigCrush, and splits into independent streams.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator whose whole future follows from `seed`.
    pub const fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// As if [`next`](Rng::next) had been called so many times.
    pub const fn skip(&mut self, times: u64) {
        self.0 = self.0.wrapping_add(times.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }

    /// A number below `bound`, which must not be 0; the bias is below 2^-32 for 32-bit bounds.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next() as u128 * bound as u128) >> 64) as u64
    }

    /// A second generator that does not follow this one's stream.
    pub const fn split(&mut self) -> Rng {
        Rng(self.next() ^ 0x5851_f42d_4c95_7f2d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_not_drawn() {
        let (mut walked, mut jumped) = (Rng::new(9), Rng::new(9));
        for _ in 0..1000 {
            walked.next();
        }
        jumped.skip(1000);
        assert_eq!(walked.next(), jumped.next());
    }
}
