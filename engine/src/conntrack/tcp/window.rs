//! Windows: which segments can be part of a flow ("Real Stateful TCP Packet Filtering in IP Filter", Guido van Rooij, with the
//! bounds as RFC 793 has them: a segment must touch the window).
//!
//! ```text
//!     I    sequence <= sender.max_end                      not over what the receiver takes
//!     II   end >= sender.end - receiver.max_window         not older than what can still be missing
//!     III  ack <= receiver.end                             nothing acknowledged that was not sent
//!     IV   ack >= receiver.end - MAXACKWINDOW              nor what was long ago
//! ```

use super::{Direction, Index, Segment, TcpFlow, TcpSettings, TcpState};
use crate::wire::tcp::flag;

/// What was seen of one end (`struct ip_ct_tcp_state`).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// The highest number behind what it sent.
    pub(super) end: u32,
    /// The highest number that it may send.
    pub(super) max_end: u32,
    /// The largest window it announced.
    pub(super) max_window: u32,
    /// The highest number it acknowledged.
    pub(super) max_ack: u32,
    /// Its window's scale.
    pub(super) scale: u8,
    /// Bits, as below.
    pub(super) flags: u8,
}

/// What a window says of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    In,
    /// Out of it, but nothing to be alarmed at: it passes.
    Ignore,
    Out,
}

/// The least that is taken for a window of acknowledgments.
const MAXACKWINDOW: u32 = 66_000;
/// RFC 7323
const MAX_SCALE: u8 = 14;

mod option {
    pub(super) const END: u8 = 0;
    pub(super) const NOP: u8 = 1;
    pub(super) const WINDOW: u8 = 3;
    pub(super) const SACK_PERMITTED: u8 = 4;
    pub(super) const SACK: u8 = 5;
}

/// `a` is before `b`, where numbers go round.
pub(super) const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// `a` is after `b`.
pub(super) const fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

impl Seen {
    pub(super) const WINDOW_SCALE: u8 = 1;
    pub(super) const SACK_PERM: u8 = 2;
    pub(super) const CLOSE_INIT: u8 = 4;
    pub(super) const BE_LIBERAL: u8 = 8;
    pub(super) const UNACKNOWLEDGED: u8 = 16;
    pub(super) const MAX_ACK_SET: u8 = 32;

    /// The sender of a SYN.
    pub(super) fn begun(segment: &Segment<'_>) -> Seen {
        let max_window = u32::from(segment.tcp.window).max(1);
        let mut seen = Seen { end: segment.end, max_end: segment.end, max_window, ..Seen::default() };
        seen.read_options(segment.options);
        seen
    }

    /// The sender of a segment from the middle of a flow: its window may be scaled by we know not what.
    pub(super) fn picked_up(segment: &Segment<'_>) -> Seen {
        let max_window = u32::from(segment.tcp.window).max(1);
        Seen { end: segment.end, max_end: segment.end.wrapping_add(max_window), max_window, ..Seen::unknown() }
    }

    /// The other end of such a flow.
    pub(super) fn unknown() -> Seen {
        Seen { flags: Seen::SACK_PERM | Seen::BE_LIBERAL, ..Seen::default() }
    }

    /// Nothing is known any more.
    pub(super) fn reset(&mut self) {
        *self = Seen { flags: self.flags & Seen::BE_LIBERAL, ..Seen::default() };
    }

    /// The options of a SYN (`tcp_options`).
    pub(super) fn read_options(&mut self, options: &[u8]) {
        if options.is_empty() {
            return;
        }
        self.scale = 0;
        self.flags &= Seen::BE_LIBERAL;
        for (kind, value) in each(options) {
            match (kind, value) {
                (option::SACK_PERMITTED, []) => self.flags |= Seen::SACK_PERM,
                (option::WINDOW, &[scale]) => {
                    self.scale = scale.min(MAX_SCALE);
                    self.flags |= Seen::WINDOW_SCALE;
                }
                _ => {}
            }
        }
    }
}

/// The options with their values, up to the end of the list or the first that is malformed.
fn each(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    core::iter::from_fn(move || {
        while let [option::NOP, after @ ..] = rest {
            rest = after;
        }
        let &[kind, length, ..] = rest else { return None };
        let whole = rest.get(..length.into()).filter(|_| kind != option::END)?;
        rest = rest.get(length.into()..)?;
        Some((kind, whole.get(2..)?))
    })
}

/// The highest number that is acknowledged: by the header, or by a selective acknowledgment (`tcp_sack`).
fn highest(options: &[u8], acknowledgment: u32) -> u32 {
    let sack =
        |(kind, value): &(u8, &[u8])| *kind == option::SACK && !value.is_empty() && value.len().is_multiple_of(8);
    let Some((_, blocks)) = each(options).find(sack) else { return acknowledgment };
    let right = |block: &[u8]| block.get(4..).and_then(<[u8]>::first_chunk::<4>).copied().map(u32::from_be_bytes);
    let rights = blocks.chunks_exact(8).filter_map(right);
    rights.fold(acknowledgment, |highest, right| if after(right, highest) { right } else { highest })
}

/// The two ends of a flow as a segment sees them, and what it says itself.
struct Step {
    sender: Seen,
    receiver: Seen,
    sequence: u32,
    end: u32,
    ack: u32,
    sack: u32,
    window: u32,
    liberal: bool,
}

impl TcpFlow {
    /// Compares a segment with the windows, and if it fits, moves them (`tcp_in_window`).
    pub(super) fn in_window(&mut self, segment: &Segment<'_>, settings: &TcpSettings) -> Window {
        let Segment { tcp, direction, end, .. } = *segment;
        let (sender, receiver) = (*self.seen(direction), *self.seen(direction.other()));
        let sack = match receiver.flags & Seen::SACK_PERM {
            0 => tcp.acknowledgment,
            _ => highest(segment.options, tcp.acknowledgment),
        };
        let liberal = settings.be_liberal || sender.flags & Seen::BE_LIBERAL != 0;
        let (ack, sequence, window) = (tcp.acknowledgment, tcp.sequence, u32::from(tcp.window));
        let mut step = Step { sender, receiver, sequence, end, ack, sack, window, liberal };
        let verdict = if step.begin(segment, self.state) {
            Window::In
        } else {
            step.pretend(segment, self.state);
            let verdict = step.compare();
            if verdict == Window::In && step.fits() {
                step.advance(segment);
                self.note_again(segment, &step);
            }
            verdict
        };
        *self.seen_mut(direction) = step.sender;
        *self.seen_mut(direction.other()) = step.receiver;
        verdict
    }

    /// Counts how often the same ACK comes.
    fn note_again(&mut self, segment: &Segment<'_>, step: &Step) {
        if segment.index != Index::Ack {
            return;
        }
        let last = &mut self.last;
        let known = (last.direction, last.sequence, last.acknowledgment, last.end, last.window);
        let this = (segment.direction, step.sequence, step.ack, step.end, segment.tcp.window);
        if known == this {
            self.retrans = self.retrans.saturating_add(1);
        } else {
            (last.direction, last.sequence, last.acknowledgment, last.end, last.window) = this;
            self.retrans = 0;
        }
    }
}

impl Step {
    /// The first segment of its sender, or a SYN again; true if there is no more to be looked at.
    fn begin(&mut self, segment: &Segment<'_>, state: TcpState) -> bool {
        let tcp = &segment.tcp;
        let (syn, ack) = (tcp.has(flag::SYN), tcp.has(flag::ACK));
        if self.sender.max_window == 0 {
            if syn {
                self.init_sender(segment);
                return !ack;
            }
            let window = self.window << self.sender.scale;
            self.sender.end = self.end;
            self.sender.max_window = window.max(1);
            self.sender.max_end = self.end.wrapping_add(self.sender.max_window);
            if self.receiver.max_window == 0 {
                (self.receiver.end, self.receiver.max_end) = (self.sack, self.sack);
            } else if self.sack == self.receiver.end.wrapping_add(1) {
                // It may answer a keep-alive.
                self.receiver.end = self.sack;
            }
            return false;
        }
        let young = matches!(state, TcpState::SynSent | TcpState::SynRecv);
        if syn && young && after(self.end, self.sender.end) {
            self.init_sender(segment);
            return segment.direction == Direction::Reply && !ack;
        }
        false
    }

    /// A SYN with its options (`tcp_init_sender`). Windows are scaled only if both say so.
    fn init_sender(&mut self, segment: &Segment<'_>) {
        (self.sender.end, self.sender.max_end) = (self.end, self.end);
        self.sender.max_window = self.window.max(1);
        self.sender.read_options(segment.options);
        let both = self.sender.flags & self.receiver.flags & Seen::WINDOW_SCALE != 0;
        if segment.direction == Direction::Reply && !both {
            (self.sender.scale, self.receiver.scale) = (0, 0);
        }
    }

    /// What a segment does not say, as if it said what fits.
    fn pretend(&mut self, segment: &Segment<'_>, state: TcpState) {
        let tcp = &segment.tcp;
        if !tcp.has(flag::ACK) || tcp.has(flag::RST) && self.ack == 0 {
            (self.ack, self.sack) = (self.receiver.end, self.receiver.end);
        }
        if tcp.has(flag::RST) && self.sequence == 0 && state == TcpState::SynSent {
            (self.sequence, self.end) = (self.sender.end, self.sender.end);
        }
    }

    fn max_ack_window(&self) -> u32 {
        self.sender.max_window.max(MAXACKWINDOW)
    }

    /// I
    fn sequence_fits(&self) -> bool {
        before(self.sequence, self.sender.max_end.wrapping_add(1))
    }

    /// II
    fn end_fits(&self) -> bool {
        after(self.end, self.sender.end.wrapping_sub(self.receiver.max_window).wrapping_sub(1))
    }

    /// III
    fn ack_is_of_what_was_sent(&self) -> bool {
        before(self.sack, self.receiver.end.wrapping_add(1))
    }

    /// IV
    fn ack_is_recent(&self) -> bool {
        after(self.sack, self.receiver.end.wrapping_sub(self.max_ack_window()).wrapping_sub(1))
    }

    /// True if all four hold.
    fn fits(&self) -> bool {
        let end_fits = self.receiver.max_window == 0 || self.end_fits();
        self.sequence_fits() && self.ack_is_of_what_was_sent() && end_fits && self.ack_is_recent()
    }

    fn compare(&mut self) -> Window {
        let or = |verdict| if self.liberal { Window::In } else { verdict };
        let (ignore, out) = (or(Window::Ignore), or(Window::Out));
        if !self.sequence_fits() {
            let overshot = self.end.wrapping_sub(self.sender.max_end).wrapping_add(1);
            let window = self.receiver.max_window;
            let rest_fits = window != 0 && self.end_fits() && self.ack_is_recent() && self.ack_is_of_what_was_sent();
            if rest_fits && overshot <= window {
                // More than the receiver takes: if it takes it all the same, its ACK must be believed.
                self.sender.end = self.end;
                self.sender.flags |= Seen::UNACKNOWLEDGED;
                return ignore;
            }
            return out;
        }
        if !self.ack_is_of_what_was_sent() {
            return out;
        }
        if self.fits() { Window::In } else { ignore }
    }

    /// The segment is in: what it teaches.
    fn advance(&mut self, segment: &Segment<'_>) {
        if !segment.tcp.has(flag::SYN) {
            self.window <<= self.sender.scale;
        }
        let Step { sender, receiver, end, ack, sack, window, .. } = self;
        let announced = window.wrapping_add(sack.wrapping_sub(*ack));
        sender.max_window = sender.max_window.max(announced);
        if after(*end, sender.end) {
            sender.end = *end;
            sender.flags |= Seen::UNACKNOWLEDGED;
        }
        if segment.tcp.has(flag::ACK) {
            if sender.flags & Seen::MAX_ACK_SET == 0 {
                sender.max_ack = *ack;
                sender.flags |= Seen::MAX_ACK_SET;
            } else if after(*ack, sender.max_ack) {
                sender.max_ack = *ack;
            }
        }
        if receiver.max_window != 0 && after(*end, sender.max_end) {
            receiver.max_window = receiver.max_window.wrapping_add(end.wrapping_sub(sender.max_end));
        }
        let allowed = sack.wrapping_add(*window);
        if after(allowed, receiver.max_end.wrapping_sub(1)) {
            receiver.max_end = if *window == 0 { allowed.wrapping_add(1) } else { allowed };
        }
        if *ack == receiver.end {
            receiver.flags &= !Seen::UNACKNOWLEDGED;
        }
    }
}
