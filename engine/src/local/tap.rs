//! Taps: packet sockets that hear everything (`socket(AF_PACKET, SOCK_RAW, ETH_P_ALL)`, what `tcpdump` opens).
//!
//! A frame is copied to a tap where Linux copies it: one that comes in before anything else looks at it, a bridge
//! included; one that leaves behind the queueing discipline, when it is handed to the device.

use super::SocketId;
use crate::control::IfIndex;
use crate::seldom::SeldomList;
use crate::time::Time;
use std::collections::VecDeque;

/// Bytes that may wait in a tap: the size of `tcpdump`'s ring (`-B 2048`).
const ROOM: usize = 2 << 20;
/// Taps that may be open at a time.
const LIMIT: usize = 256;
/// What a frame costs besides its bytes, so that frames without bytes are bounded as well.
const COST: usize = 64;

/// To whom a frame is, or that it left (`sll_pkttype`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapCast {
    /// It came in, to this port's MAC.
    Host,
    /// It came in, to everybody.
    Broadcast,
    /// It came in, to a group.
    Multicast,
    /// It came in, to somebody else's MAC.
    OtherHost,
    /// It left.
    Outgoing,
}

/// A frame as a tap heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapFrame {
    /// When.
    pub at: Time,
    /// The port that it passed.
    pub port: IfIndex,
    /// In or out, and to whom.
    pub cast: TapCast,
    /// Its length on the wire.
    pub length: usize,
    /// Its first bytes from the link header on, at most as many as the tap asked for.
    pub bytes: Vec<u8>,
}

/// What a tap wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapSpec {
    /// By this port; by all if none.
    pub port: Option<IfIndex>,
    /// How many bytes of each frame.
    pub snap: usize,
    /// Frames to other hosts' MACs are wanted, where the device would keep them back.
    pub promiscuous: bool,
}

/// What happened to a tap since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapCounts {
    /// Frames that it heard, kept or not.
    pub heard: u64,
    /// Frames for which there was no room.
    pub dropped: u64,
}

/// One tap.
#[derive(Debug)]
struct Tap {
    id: SocketId,
    spec: TapSpec,
    frames: VecDeque<TapFrame>,
    held: usize,
    counts: TapCounts,
    /// Its port is gone.
    deaf: bool,
}

/// All taps of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    open: SeldomList<Tap>,
}

impl Taps {
    /// Nobody listens: the one question that the path asks.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// True if no more may be opened.
    pub(crate) fn is_full(&self) -> bool {
        self.open.len() >= LIMIT
    }

    pub(crate) fn open(&mut self, id: SocketId, spec: TapSpec) {
        let (frames, counts) = (VecDeque::new(), TapCounts::default());
        self.open.push(Tap { id, spec, frames, held: 0, counts, deaf: false });
    }

    pub(crate) fn close(&mut self, id: SocketId) {
        self.open.change(|open| open.retain(|tap| tap.id != id));
    }

    /// How many want this port to keep nothing back (`dev->promiscuity`).
    pub(crate) fn promiscuity(&self, port: IfIndex) -> usize {
        self.open.iter().filter(|tap| tap.spec.promiscuous && tap.spec.port == Some(port)).count()
    }

    /// Shows a frame to those who want it.
    #[cold]
    pub(crate) fn hear(&mut self, at: Time, port: IfIndex, cast: TapCast, frame: &[u8]) {
        let hears = |tap: &&mut Tap| !tap.deaf && tap.spec.port.is_none_or(|wanted| wanted == port);
        for tap in self.open.iter_mut().filter(hears) {
            tap.counts.heard += 1;
            let bytes = frame.get(..tap.spec.snap).unwrap_or(frame);
            let cost = bytes.len() + COST;
            if tap.held + cost > ROOM {
                tap.counts.dropped += 1;
                continue;
            }
            tap.held += cost;
            tap.frames.push_back(TapFrame { at, port, cast, length: frame.len(), bytes: bytes.to_vec() });
        }
    }

    /// The oldest frame that waits.
    pub(crate) fn pop(&mut self, id: SocketId) -> Option<TapFrame> {
        let tap = self.open.iter_mut().find(|tap| tap.id == id)?;
        let frame = tap.frames.pop_front()?;
        tap.held -= frame.bytes.len() + COST;
        Some(frame)
    }

    /// A port is gone; another may get its number.
    pub(crate) fn port_removed(&mut self, port: IfIndex) {
        self.open.iter_mut().filter(|tap| tap.spec.port == Some(port)).for_each(|tap| tap.deaf = true);
    }

    /// It will never hear anything more.
    pub(crate) fn is_deaf(&self, id: SocketId) -> bool {
        self.open.iter().any(|tap| tap.id == id && tap.deaf)
    }

    pub(crate) fn counts(&self, id: SocketId) -> TapCounts {
        self.open.iter().find(|tap| tap.id == id).map(|tap| tap.counts).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(port: Option<IfIndex>, snap: usize) -> TapSpec {
        TapSpec { port, snap, promiscuous: true }
    }

    #[test]
    fn each_hears_its_port_and_its_length() {
        let mut taps = Taps::default();
        taps.open(SocketId(1), spec(Some(2), 4));
        taps.open(SocketId(2), spec(None, 100));
        taps.hear(Time(5), 2, TapCast::Host, b"abcdef");
        taps.hear(Time(6), 3, TapCast::Outgoing, b"gh");
        let first = taps.pop(SocketId(1)).expect("one by port 2");
        assert_eq!((first.length, &first.bytes[..], first.cast), (6, &b"abcd"[..], TapCast::Host));
        assert_eq!(taps.pop(SocketId(1)), None);
        let all: Vec<IfIndex> = std::iter::from_fn(|| taps.pop(SocketId(2))).map(|frame| frame.port).collect();
        assert_eq!(all, [2, 3]);
        assert_eq!((taps.promiscuity(2), taps.promiscuity(3)), (1, 0));
        taps.close(SocketId(1));
        taps.close(SocketId(2));
        assert!(taps.is_empty());
    }

    #[test]
    fn what_nobody_reads_is_bounded_and_counted() {
        let mut taps = Taps::default();
        taps.open(SocketId(1), spec(None, usize::MAX));
        let frame = [0; 1 << 16];
        (0..40).for_each(|_| taps.hear(Time(0), 2, TapCast::Host, &frame));
        let counts = taps.counts(SocketId(1));
        assert_eq!(counts, TapCounts { heard: 40, dropped: 9 });
        assert!(taps.pop(SocketId(1)).is_some());
        taps.hear(Time(0), 2, TapCast::Host, &frame);
        assert_eq!(taps.counts(SocketId(1)).dropped, 9, "there is room again");
    }
}
