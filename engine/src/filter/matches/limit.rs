//! `-m limit`: a bucket of time (`nft_limit`).

use super::Memory;
use crate::time::Time;

/// What is left in the bucket, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Bucket {
    tokens: u64,
    most: u64,
    cost: u64,
    last: Option<Time>,
}

impl Bucket {
    /// A full one: `rate` packets in `per` seconds, after the first `burst`.
    pub(super) fn new(rate: u32, per: u32, burst: u32) -> Bucket {
        const DEFAULT_BURST: u32 = 5;
        let cost = u64::from(per) * 1_000_000_000 / u64::from(rate.max(1));
        let burst = if burst == 0 { DEFAULT_BURST } else { burst };
        let most = cost.saturating_mul(burst.into());
        Bucket { tokens: most, most, cost, last: None }
    }

    fn take(&mut self, now: Time) -> bool {
        let passed = self.last.map_or(0, |last| now.nanos().saturating_sub(last.nanos()));
        let tokens = self.tokens.saturating_add(passed).min(self.most);
        self.last = Some(now);
        self.tokens = tokens.checked_sub(self.cost).unwrap_or(tokens);
        tokens >= self.cost
    }
}

/// True if the packet is within the limit; it is taken from the bucket then.
pub(super) fn fits(memory: &mut Memory, now: Time) -> bool {
    match memory {
        Memory::Limit(bucket) => bucket.take(now),
        Memory::Nothing | Memory::Nth(_) => false,
    }
}
