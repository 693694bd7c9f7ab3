//! When what came is acknowledged: at once, or a little later, if it can go along with an answer
//! (`__tcp_ack_snd_check`, `tcp_event_data_recv`, `tcp_event_data_sent`).

use crate::time::{Duration, Time};

/// How long an acknowledgement may wait (`TCP_DELACK_MIN`, `TCP_ATO_MIN`).
const WAIT: Duration = Duration::from_millis(40);
/// Segments that are acknowledged at once when a connection begins (`TCP_MAX_QUICKACKS`).
const QUICK: u8 = 16;
/// The segment size that is assumed first (`TCP_MSS_DEFAULT`).
const FIRST_MSS: u32 = 536;

/// The acknowledgements of one connection.
#[derive(Debug)]
pub(super) struct Acks {
    /// The number that was sent last.
    last: Option<u32>,
    /// The largest segment seen (`icsk_ack.rcv_mss`).
    received_mss: u32,
    /// How many more are sent at once (`icsk_ack.quick`).
    quick: u8,
    /// Both sides talk in turn: the answer will carry the acknowledgement (`inet_csk_in_pingpong_mode`).
    pingpong: bool,
    /// When data came last.
    data_at: Option<Time>,
    /// What came last is acknowledged at once: it was small, and its sender has no more, or its order demands it.
    now: bool,
    /// The one that waits: until when, and the packet.
    held: Option<(Time, Vec<u8>)>,
}

impl Acks {
    pub(super) fn new() -> Acks {
        Acks { last: None, received_mss: FIRST_MSS, quick: 0, pingpong: false, data_at: None, now: false, held: None }
    }

    /// Data came: so many bytes, with PSH or not.
    pub(super) fn data(&mut self, now: Time, length: usize, pushed: bool) {
        if self.data_at.is_none() {
            self.quick = QUICK;
        }
        self.data_at = Some(now);
        let length = length as u32;
        self.now = pushed && length < self.received_mss && !self.pingpong;
        self.received_mss = self.received_mss.max(length);
    }

    /// The other side has said its last word. If we have, too, it is told at once; else our own last word may carry it.
    pub(super) fn end(&mut self, ours_is_said: bool) {
        self.now = ours_is_said;
        self.pingpong = true;
    }

    /// A segment with nothing but the acknowledgement `number` is to be sent: true if it must be now. `odd` means that it
    /// tells of more than what came in order.
    pub(super) fn is_due(&self, number: u32, odd: bool) -> bool {
        let Some(last) = self.last.filter(|_| !odd && !self.now) else { return true };
        let news = number.wrapping_sub(last);
        news == 0 || news > self.received_mss || self.quick > 0 && !self.pingpong
    }

    /// Lets it wait.
    pub(super) fn hold(&mut self, now: Time, packet: &[u8]) {
        let until = self.held.as_ref().map_or(now + WAIT, |(until, _)| *until);
        self.held = Some((until, packet.to_vec()));
    }

    /// A segment with this acknowledgement was sent.
    pub(super) fn sent(&mut self, now: Time, number: u32, has_data: bool) {
        self.last = Some(number);
        self.now = false;
        self.held = None;
        self.quick = self.quick.saturating_sub(1);
        let answers = self.data_at.is_some_and(|at| now.since(at) < WAIT);
        self.pingpong |= has_data && answers;
    }

    /// When the one that waits is sent.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.held.as_ref().map(|(until, _)| *until)
    }

    /// The one that waited long enough. There was no answer, so none is waited for next time (`tcp_delack_timer_handler`).
    pub(super) fn overdue(&mut self, now: Time) -> Option<Vec<u8>> {
        self.held.as_ref().filter(|(until, _)| *until <= now)?;
        self.pingpong = false;
        self.held.take().map(|(_, packet)| packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Time = Time(1_000_000_000);

    fn later(millis: u64) -> Time {
        T + Duration::from_millis(millis)
    }

    #[test]
    fn the_first_segments_are_acknowledged_at_once() {
        let mut acks = Acks::new();
        assert!(acks.is_due(1, false), "the handshake's");
        acks.sent(T, 1, false);
        for n in 1..=QUICK {
            acks.data(T, 536, false);
            assert!(acks.is_due(1 + 536 * u32::from(n), false));
            acks.sent(T, 1 + 536 * u32::from(n), false);
        }
        let at = 1 + 536 * u32::from(QUICK);
        acks.data(T, 536, false);
        assert!(!acks.is_due(at + 536, false), "a full segment waits for a second");
        acks.data(T, 536, false);
        assert!(acks.is_due(at + 1072, false));
        assert!(acks.is_due(at, false), "a second one for the same is asked for");
    }

    #[test]
    fn who_answers_lets_the_answer_acknowledge() {
        let mut acks = Acks::new();
        acks.sent(T, 1, false);
        acks.data(T, 80, true);
        acks.sent(T, 81, false);
        acks.sent(later(1), 81, true);
        acks.data(later(2), 80, true);
        assert!(!acks.is_due(161, false));
        acks.hold(later(2), b"ack");
        assert_eq!(acks.deadline(), Some(later(42)));
        assert_eq!(acks.overdue(later(41)), None);
        assert_eq!(acks.overdue(later(42)).as_deref(), Some(&b"ack"[..]));
        acks.sent(later(42), 161, false);
        acks.data(later(50), 80, true);
        assert!(acks.is_due(241, false), "there was no answer the last time");
    }

    #[test]
    fn a_last_word_waits_for_ours() {
        let mut acks = Acks::new();
        acks.sent(T, 1, false);
        acks.end(false);
        assert!(!acks.is_due(2, false));
        acks.end(true);
        assert!(acks.is_due(2, false));
    }
}
