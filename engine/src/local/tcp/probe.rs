//! Tail loss probes: what is not acknowledged after two round trips is sent again once, before the retransmission timer runs
//! out and without counting as its first time (`tcp_schedule_loss_probe`, RFC 8985).
//!
//! Linux sends its last segment, to be told by SACK which of the others is missing; here it is the first that is missing.

use crate::time::{Duration, Time};
use std::collections::VecDeque;

/// More than two round trips, if several segments are on their way (`TCP_TIMEOUT_MIN`).
const SEVERAL: Duration = Duration::from_millis(8);
/// Before a round trip is known (`TCP_TIMEOUT_INIT`).
const UNKNOWN: Duration = Duration::from_secs(1);

/// What is known of a connection's way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The smoothed round trip.
    pub(super) round_trip: Option<Duration>,
    /// The shortest time-out (`tcp_rto_min_us`): a single segment's acknowledgement may be held back.
    pub(super) least: Duration,
    /// The time-out.
    pub(super) timeout: Duration,
}

/// The probe of one connection.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// Both sides know SACK, and the administrator wants probes (`tcp_early_retrans`).
    pub(super) wanted: bool,
    /// Where segments end that are on their way.
    flight: VecDeque<u32>,
    due: Option<Time>,
    /// Something was sent again, and nothing has been acknowledged since.
    spent: bool,
    /// That was a probe: the timer's own time-outs begin anew behind it.
    eased: bool,
}

impl Probe {
    /// A new segment is on its way, up to this number.
    pub(super) fn sent(&mut self, now: Time, end: u32, pace: Pace) {
        self.flight.push_back(end);
        self.arm(now, pace);
    }

    /// All before this number has arrived.
    pub(super) fn acknowledged(&mut self, now: Time, number: u32, pace: Pace) {
        while self.flight.front().is_some_and(|end| number.wrapping_sub(*end) < 1 << 31) {
            self.flight.pop_front();
        }
        (self.spent, self.eased) = (false, false);
        self.arm(now, pace);
    }

    fn arm(&mut self, now: Time, pace: Pace) {
        let span = match (pace.round_trip, self.flight.len()) {
            (None, _) => UNKNOWN,
            (Some(span), 1) => span * 2 + pace.least,
            (Some(span), _) => span * 2 + SEVERAL,
        };
        let sends = self.wanted && !self.spent && !self.flight.is_empty();
        self.due = sends.then(|| now + span.min(pace.timeout));
    }

    /// When it is to be sent.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.due
    }

    /// It is time: what follows is a probe.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Something is sent again; by the probe, or for another reason.
    pub(super) fn fired(&mut self, probe: bool) {
        (self.due, self.spent) = (None, true);
        self.eased |= probe;
    }

    /// How much longer than Linux's a time-out is that has been backed off once more than Linux's.
    pub(super) fn excess(&self) -> u32 {
        if self.eased { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Time = Time(1_000_000_000);
    const LEAST: Duration = Duration::from_millis(200);
    const TIMEOUT: Duration = Duration::from_millis(230);
    const PACE: Pace = Pace { round_trip: Some(Duration::from_millis(10)), least: LEAST, timeout: TIMEOUT };

    fn later(millis: u64) -> Option<Time> {
        Some(T + Duration::from_millis(millis))
    }

    #[test]
    fn one_segment_waits_longer_than_several_and_no_longer_than_the_timer() {
        let mut probe = Probe { wanted: true, ..Probe::default() };
        probe.sent(T, 10, PACE);
        assert_eq!(probe.deadline(), later(220));
        probe.sent(T, 20, PACE);
        assert_eq!(probe.deadline(), later(28));
        probe.acknowledged(T, 10, Pace { timeout: Duration::from_millis(210), ..PACE });
        assert_eq!(probe.deadline(), later(210));
        probe.acknowledged(T, 20, PACE);
        assert_eq!(probe.deadline(), None);
        probe.sent(T, 30, Pace { round_trip: None, timeout: Duration::from_secs(3), ..PACE });
        assert_eq!(probe.deadline(), later(1000));
        let mut unwanted = Probe::default();
        unwanted.sent(T, 10, PACE);
        assert_eq!(unwanted.deadline(), None);
    }

    #[test]
    fn there_is_one_probe_until_something_arrives() {
        let mut probe = Probe { wanted: true, ..Probe::default() };
        probe.sent(T, 10, PACE);
        assert!(!probe.is_due(T) && probe.is_due(T + TIMEOUT));
        probe.fired(true);
        assert_eq!((probe.deadline(), probe.excess()), (None, 2));
        probe.sent(T, 20, PACE);
        assert_eq!(probe.deadline(), None);
        probe.acknowledged(T, 10, PACE);
        assert_eq!((probe.deadline(), probe.excess()), (later(220), 1));
        probe.fired(false);
        assert_eq!((probe.deadline(), probe.excess()), (None, 1), "the timer was first");
    }
}
