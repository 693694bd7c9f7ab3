//! Time is an argument: an instant is nanoseconds since the world (or the runner) began, and nobody in here reads a clock.

use core::ops::{Add, Sub};
pub use core::time::Duration;

/// An instant: nanoseconds since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// The beginning.
    pub const ZERO: Time = Time(0);
    /// Never, as a deadline.
    pub const NEVER: Time = Time(u64::MAX);

    /// Whole nanoseconds since the beginning.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The span from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, span: Duration) -> Time {
        Time(self.0.saturating_add(span.as_nanos() as u64))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;

    fn sub(self, span: Duration) -> Time {
        Time(self.0.saturating_sub(span.as_nanos() as u64))
    }
}

/// The earlier of two times, if there are any.
#[inline]
pub fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A tick of the kernel's clock in nanoseconds, at the usual 250 a second.
const JIFFY: u64 = 4_000_000;

/// When a timer goes off that is set for `at`. It is never early and mostly late: the wheel knows ticks for a quarter of a
/// second, and each level beyond is eight times as coarse (`calc_wheel_index`). So three probes a second apart take more than
/// three seconds, and a program that waits three seconds by an exact clock does not see how they end.
pub fn timer_wheel(now: Time, at: Time) -> Time {
    if at <= now {
        return at;
    }
    let expires = at.nanos().div_ceil(JIFFY);
    let ahead = expires - now.nanos() / JIFFY;
    let level = (0..8).find(|level| ahead < 63 << (3 * level)).unwrap_or(8);
    let shift = 3 * level;
    Time(((expires >> shift) + 1).saturating_mul(JIFFY << shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `calc_wheel_index` reckons: one tick late within a quarter of a second, 32 ms at most for a second, and for ever
    /// longer spans by an eighth at most.
    #[test]
    fn timers_are_late_and_never_early() {
        let ms = |ms: u64| Time(ms * 1_000_000);
        for (now, at, goes_off) in [
            (0, 0, 0),
            (7, 7, 7),
            (0, 10, 16),
            (0, 200, 204),
            (0, 1000, 1024),
            (1024, 2024, 2048),
            (1001, 2001, 2016),
            (0, 5000, 5120),
            (0, 30_000, 30_720),
        ] {
            assert_eq!(timer_wheel(ms(now), ms(at)), ms(goes_off), "{now} {at}");
        }
        assert!(timer_wheel(Time(0), Time(u64::MAX - 1)) >= Time(u64::MAX - 1));
    }
}
