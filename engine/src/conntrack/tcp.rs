//! TCP flows: the kernel's table of states, and what decides beside it (`nf_conntrack_proto_tcp.c`).
//!
//! We are in the middle: what passes here may be lost behind us. So the state is a guess at what both ends think, windows
//! ([`window`]) tell which segments can be part of the flow at all, and where the guess may be wrong (a SYN in the middle, an
//! answer to it) the segment passes and is noted, and the answer of the other end decides.

mod state;
mod window;

pub(crate) use state::TcpState;
pub(super) use window::Seen;

use super::Look;
use super::conn::{Conn, Direction, Proto, status};
use super::settings::TcpSettings;
use crate::time::Duration;
use crate::wire::Tcp;
use crate::wire::tcp::flag;
use state::{Index, Next};
use window::{Window, after, before};

/// The shortest rest of a time that is cut because both ends seem to have closed.
const CUT_FROM: Duration = Duration::from_secs(120);

/// What a tracker says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is part of the flow, which is remembered for so long from now on.
    Refresh(Duration),
    /// It is part of the flow, and changes nothing.
    Keep,
    /// It is part of the flow and ends it.
    Kill,
    /// It begins the flow anew.
    Repeat,
    /// It is not part of the flow.
    Invalid,
}

/// What is kept of a TCP flow (`struct ip_ct_tcp`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpFlow {
    pub(crate) state: TcpState,
    /// What each end has sent: the original's, the reply's.
    pub(super) seen: [Seen; 2],
    last: Last,
    /// How often the last ACK came again.
    retrans: u32,
    /// The answer to a SYN may be a challenge (RFC 5961), which acknowledges nothing new.
    challenge: bool,
    /// Both ends sent a SYN.
    simultaneous: bool,
}

/// The last segment that was in its window, or was let pass.
#[derive(Clone, Copy, Debug)]
struct Last {
    index: Index,
    direction: Direction,
    sequence: u32,
    acknowledgment: u32,
    end: u32,
    window: u16,
    scale: u8,
    /// Flags of [`Seen`], as a SYN that was let pass would set them.
    flags: u8,
}

/// A segment with what is reckoned from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) tcp: Tcp,
    pub(super) index: Index,
    pub(super) direction: Direction,
    /// The number behind its last byte, SYN and FIN counted.
    pub(super) end: u32,
    pub(super) options: &'a [u8],
}

impl TcpFlow {
    /// A flow whose first segment is this; none if it cannot begin one (`tcp_new`).
    fn begun(segment: &Segment<'_>, settings: &TcpSettings) -> Option<TcpFlow> {
        let (seen, picked_up) = match state::next(Direction::Original, segment.index, TcpState::None) {
            Next::To(TcpState::SynSent) => (Seen::begun(segment), false),
            Next::To(_) if settings.loose => (Seen::picked_up(segment), true),
            _ => return None,
        };
        let other = if picked_up { Seen::unknown() } else { Seen::default() };
        let last = Last {
            index: Index::None,
            direction: Direction::Original,
            sequence: 0,
            acknowledgment: 0,
            end: 0,
            window: 0,
            scale: 0,
            flags: 0,
        };
        let seen = [seen, other];
        Some(TcpFlow { state: TcpState::None, seen, last, retrans: 0, challenge: false, simultaneous: false })
    }

    /// True if this flow's first end has gone beyond what the other's had sent.
    pub(crate) fn is_beyond(&self, old: &TcpFlow) -> bool {
        after(self.seen[0].end, old.seen[0].end)
    }

    fn seen(&self, direction: Direction) -> &Seen {
        let [original, reply] = &self.seen;
        if direction == Direction::Original { original } else { reply }
    }

    fn seen_mut(&mut self, direction: Direction) -> &mut Seen {
        let [original, reply] = &mut self.seen;
        if direction == Direction::Original { original } else { reply }
    }
}

/// A segment of a flow (`nf_conntrack_tcp_packet`).
#[inline(never)]
pub(super) fn packet(conn: &mut Conn, look: &Look<'_>, direction: Direction, settings: &TcpSettings) -> Verdict {
    let Some(segment) = sane(look, direction) else { return Verdict::Invalid };
    if !conn.has(status::CONFIRMED) {
        match TcpFlow::begun(&segment, settings) {
            Some(flow) => conn.proto = Proto::Tcp(flow),
            None => return Verdict::Invalid,
        }
    }
    let (assured, replied) = (conn.has(status::ASSURED), conn.has(status::SEEN_REPLY));
    let Proto::Tcp(flow) = &mut conn.proto else { return Verdict::Invalid };
    let old = flow.state;
    let decided = match state::next(direction, segment.index, old) {
        Next::Invalid => return Verdict::Invalid,
        Next::Ignore => flow.ignore(&segment, old),
        Next::To(TcpState::SynSent) if old.is_over() => match flow.reopen(&segment) {
            true => return Verdict::Repeat,
            false => flow.ignore(&segment, old),
        },
        Next::To(new) => flow.decide(&segment, new, (assured, replied), settings),
    };
    let (old, new, in_window) = match decided {
        Decided::Let => return Verdict::Keep,
        Decided::Invalid => return Verdict::Invalid,
        Decided::Window(old, new) => (old, new, false),
        Decided::Sure(new) => (old, new, true),
    };
    if !in_window {
        match flow.in_window(&segment, settings) {
            Window::In => {}
            Window::Ignore => return Verdict::Keep,
            Window::Out => {
                if assured && flow.closes_twice(&segment) && conn.timeout.since(look.now) >= CUT_FROM {
                    conn.timeout = conn.timeout.min(look.now + settings.unacknowledged);
                }
                return Verdict::Invalid;
            }
        }
    }
    flow.enter(&segment, old, new);
    let timeout = flow.timeout(segment.index, settings);
    finish(conn, &segment, (old, new), timeout, settings)
}

/// The segment, if it is whole, right, and has flags that go together (`tcp_error`).
fn sane<'a>(look: &Look<'a>, direction: Direction) -> Option<Segment<'a>> {
    const IRRELEVANT: u8 = flag::PSH | flag::ECE | flag::CWR;
    let tcp = Tcp::sized(look.payload).ok()?;
    let relevant = tcp.flags & !IRRELEVANT;
    let goes_together = matches!(relevant & !flag::URG, flag::SYN | flag::ACK)
        || relevant & !flag::URG == flag::FIN | flag::ACK
        || [flag::SYN | flag::ACK, flag::RST, flag::RST | flag::ACK].contains(&relevant);
    if !goes_together || !look.adds_up() {
        return None;
    }
    let marks = u32::from(tcp.has(flag::SYN)) + u32::from(tcp.has(flag::FIN));
    let length = look.payload.len().saturating_sub(tcp.data_offset) as u32;
    let end = tcp.sequence.wrapping_add(length).wrapping_add(marks);
    let options = look.payload.get(crate::wire::tcp::HEADER..tcp.data_offset)?;
    Some(Segment { tcp, index: Index::of(&tcp), direction, end, options })
}

/// Where a segment leads, before its window is looked at.
enum Decided {
    /// It passes, and changes nothing.
    Let,
    /// It is no part of the flow.
    Invalid,
    /// From one state to another, if it is in its window.
    Window(TcpState, TcpState),
    /// To this state, whatever its window.
    Sure(TcpState),
}

impl TcpFlow {
    /// True if a SYN after the end begins another flow: the end was seen to come, or was forced from the same side.
    fn reopen(&self, segment: &Segment<'_>) -> bool {
        let closed = self.seen.iter().any(|seen| seen.flags & Seen::CLOSE_INIT != 0);
        closed || self.last.direction == segment.direction && self.last.index == Index::Rst
    }

    /// A segment that may be part of the flow or not: it is noted, and the other end's answer will tell.
    fn ignore(&mut self, segment: &Segment<'_>, old: TcpState) -> Decided {
        let Segment { tcp, index, direction, end, .. } = *segment;
        let last = self.last;
        if index == Index::SynAck
            && last.index == Index::Syn
            && last.direction != direction
            && tcp.acknowledgment == last.end
        {
            // It answers a SYN that was let pass: both ends are in step, and we were not.
            self.challenge = false;
            let seen = self.seen_mut(last.direction);
            (seen.end, seen.max_end, seen.max_window) = (last.end, last.end, u32::from(last.window).max(1));
            (seen.scale, seen.flags) = (last.scale, last.flags);
            self.seen_mut(direction).reset();
            return Decided::Window(TcpState::SynSent, TcpState::SynRecv);
        }
        self.last = Last { index, direction, sequence: tcp.sequence, end, window: tcp.window, ..last };
        if index == Index::Syn && direction == Direction::Original {
            let mut seen = Seen::default();
            seen.read_options(segment.options);
            (self.last.flags, self.last.scale) = (seen.flags, seen.scale);
            self.simultaneous = false;
            self.challenge = old == TcpState::LastAck;
        }
        if old == TcpState::SynSent && index == Index::Ack && direction == Direction::Reply {
            self.last.acknowledgment = tcp.acknowledgment;
        }
        Decided::Let
    }

    /// What the table does not know.
    fn decide(&mut self, segment: &Segment<'_>, new: TcpState, known: (bool, bool), settings: &TcpSettings) -> Decided {
        let (old, last) = (self.state, self.last);
        match new {
            TcpState::TimeWait
                if old == TcpState::LastAck
                    && segment.index == Index::Ack
                    && last.direction != segment.direction
                    && last.index == Index::Syn
                    && self.challenge =>
            {
                self.challenge = false;
                Decided::Let
            }
            TcpState::SynSent2 => {
                self.simultaneous = true;
                Decided::Window(old, new)
            }
            TcpState::SynRecv
                if segment.direction == Direction::Reply && segment.index == Index::Ack && self.simultaneous =>
            {
                Decided::Window(old, TcpState::Established)
            }
            TcpState::Close if segment.index == Index::Rst => self.reset(segment, known, settings),
            _ => Decided::Window(old, new),
        }
    }

    /// A RST: believed if its number is what the other end waits for, or if it answers what was let pass.
    fn reset(&self, segment: &Segment<'_>, (assured, replied): (bool, bool), settings: &TcpSettings) -> Decided {
        let (old, last, sequence) = (self.state, self.last, segment.tcp.sequence);
        let (close, stay) = (Decided::Window(old, TcpState::Close), Decided::Window(old, old));
        // What is known of a flow that closes may be out of date: its ports can be in use again.
        if old.is_closing() {
            return Decided::Sure(TcpState::Close);
        }
        let other = self.seen(segment.direction.other());
        let mut new = TcpState::Close;
        if other.flags & Seen::MAX_ACK_SET != 0 && last.index != Index::Syn {
            let established = old == TcpState::Established && assured;
            if sequence == 0 && !established {
                return close;
            }
            if before(sequence, other.max_ack) && !settings.ignore_invalid_rst {
                return Decided::Invalid;
            }
            let of_a_train = last.index == Index::Ack && last.direction == segment.direction && sequence == last.end;
            if !established || sequence == other.max_ack || of_a_train {
                return close;
            }
            new = old;
        }
        let answers = replied && last.index == Index::Syn || !assured && last.index == Index::Ack;
        if answers && segment.tcp.acknowledgment == last.end {
            return Decided::Sure(new);
        }
        let challenged = old == TcpState::SynSent
            && last.index == Index::Ack
            && last.direction == Direction::Reply
            && sequence == last.acknowledgment;
        match new {
            _ if challenged => Decided::Sure(new),
            TcpState::Close => close,
            _ => stay,
        }
    }

    /// A FIN or RST that is out of its window, answered by another one: both ends seem to have closed what we take for open.
    fn closes_twice(&mut self, segment: &Segment<'_>) -> bool {
        let closes = |index| matches!(index, Index::Fin | Index::Rst);
        if !closes(segment.index) {
            return false;
        }
        if self.last.direction != segment.direction && closes(self.last.index) {
            return true;
        }
        (self.last.index, self.last.direction) = (segment.index, segment.direction);
        false
    }

    /// Both ends will believe that it is over; false if it is known to be.
    pub(super) fn close(&mut self) -> bool {
        core::mem::replace(&mut self.state, TcpState::Close) != TcpState::Close
    }

    fn enter(&mut self, segment: &Segment<'_>, old: TcpState, new: TcpState) {
        (self.last.index, self.last.direction) = (segment.index, segment.direction);
        self.state = new;
        if old != new && new == TcpState::FinWait {
            self.seen_mut(segment.direction).flags |= Seen::CLOSE_INIT;
        }
    }

    /// For how long the flow is remembered now.
    fn timeout(&self, index: Index, settings: &TcpSettings) -> Duration {
        let usual = self.state.timeout(settings);
        let unacknowledged = self.seen.iter().any(|seen| seen.flags & Seen::UNACKNOWLEDGED != 0);
        if self.retrans >= settings.max_retrans && usual > settings.retrans {
            settings.retrans
        } else if index == Index::Rst {
            TcpState::Close.timeout(settings)
        } else if unacknowledged && usual > settings.unacknowledged {
            settings.unacknowledged
        } else if self.last.window == 0 && usual > settings.retrans {
            settings.retrans
        } else {
            usual
        }
    }
}

/// What a segment that is in its window means for the flow as a whole.
fn finish(
    conn: &mut Conn,
    segment: &Segment<'_>,
    (old, new): (TcpState, TcpState),
    mut timeout: Duration,
    settings: &TcpSettings,
) -> Verdict {
    if !conn.has(status::SEEN_REPLY) {
        if segment.tcp.has(flag::RST) {
            return Verdict::Kill;
        }
        // A SYN that comes again does not prolong: else whoever tries for ever keeps the flow, and its NAT, for ever.
        if segment.index == Index::Syn && old == TcpState::SynSent {
            return Verdict::Keep;
        }
        if new == TcpState::Established {
            timeout = timeout.min(settings.unacknowledged);
        }
    } else if matches!(old, TcpState::SynRecv | TcpState::Established) && new == TcpState::Established {
        conn.status |= status::ASSURED;
    }
    Verdict::Refresh(timeout)
}
