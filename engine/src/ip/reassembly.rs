//! Putting fragments together, as `net/ipv4/ip_fragment.c` and `net/ipv4/inet_fragment.c` do.
//!
//! A datagram waits for its fragments for 30 seconds from the first of them. A fragment that lies wholly in what is
//! there is a duplicate, and ignored; one that overlaps it in part spoils the datagram (RFC 5722 says so for IPv6, and
//! Linux does it for both). Memory is bounded, and a full table takes no more fragments.
//!
//! Frames given to [`Reassembly::add`] come back: in the packet that it completes, or by [`Reassembly::pop`].

mod datagram;

use crate::addr::Ipv4Addr;
use crate::control::IfIndex;
use crate::frame::{FrameBuf, FramePool};
use crate::reason::DropReason;
use crate::seldom::Usual;
use crate::time::{Duration, Time};
use crate::wire::Ipv4;
use crate::wire::ipv4::options::Options;
use datagram::Datagram;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The bounds: `net.ipv4.ipfrag_high_thresh`, `net.ipv4.ipfrag_time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory, overhead included, above which no fragment is taken.
    pub high_thresh: usize,
    /// How long a datagram waits for its fragments.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::USUAL
    }
}

impl Limits {
    const USUAL: Limits = Limits { high_thresh: 4 << 20, time: Duration::from_secs(30) };
}

/// A fragment that will not be part of a packet any more.
#[derive(Debug)]
pub struct Discarded {
    /// The fragment, from its IP header on.
    pub frame: FrameBuf,
    /// Why.
    pub reason: DropReason,
    /// It came in by this port.
    pub port: IfIndex,
    /// It is the first fragment of a datagram whose time is over: an end host tells its sender (ICMP time exceeded,
    /// code 1).
    pub tell: bool,
}

/// A packet put together.
#[derive(Debug)]
pub struct Reassembled {
    /// The packet, from its IP header on.
    pub frame: FrameBuf,
    /// From how many fragments; their frames are back in the pool.
    pub fragments: usize,
    /// Bytes of the largest fragment: when the packet is cut again, its fragments are to be no larger.
    pub largest: usize,
    /// The options that the first fragment had when it came in.
    pub options: Options,
}

/// What the fragments of one datagram have in common. (Not the port: they may come by different ways.)
type Key = (Ipv4Addr, Ipv4Addr, u16, u8);

/// The datagrams of one namespace that are not complete.
#[derive(Debug, Default)]
pub struct Reassembly {
    limits: Limits,
    datagrams: BTreeMap<Key, Datagram>,
    deadlines: BTreeSet<(Time, Key)>,
    memory: usize,
    discarded: VecDeque<Discarded>,
    held: usize,
}

impl Usual for Reassembly {
    const USUAL: &'static Reassembly = &Reassembly {
        limits: Limits::USUAL,
        datagrams: BTreeMap::new(),
        deadlines: BTreeSet::new(),
        memory: 0,
        discarded: VecDeque::new(),
        held: 0,
    };
}

impl Reassembly {
    /// An empty table with Linux's default bounds.
    pub fn new() -> Reassembly {
        Reassembly::default()
    }

    /// The bounds.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sets the bounds. Datagrams that wait already keep their deadline.
    pub fn configure(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes a fragment that came in by `port`: a frame that begins with the IP header, which `header` was
    /// [checked](Ipv4::checked) from and which has these options. Returns the packet, if that was the last one missing.
    /// Else look for discarded frames.
    pub fn add(
        &mut self,
        now: Time,
        port: IfIndex,
        header: &Ipv4,
        options: &Options,
        frame: FrameBuf,
        pool: &mut FramePool,
    ) -> Option<Reassembled> {
        if self.memory > self.limits.high_thresh || self.limits.high_thresh == 0 {
            self.discard(frame, DropReason::ReassemblyFull, port);
            return None;
        }
        let key = (header.source, header.destination, header.id, header.protocol);
        let deadline = now + self.limits.time;
        let datagram = self.datagrams.entry(key).or_insert_with(|| {
            self.deadlines.insert((deadline, key));
            Datagram::new(deadline, port)
        });
        let size = frame.truesize();
        match datagram.add(port, header, options, frame) {
            Ok(()) => {
                self.memory += size;
                self.held += 1;
                if datagram.is_complete() { self.complete(key, pool) } else { None }
            }
            Err((frame, reason)) => {
                self.discard(frame, reason, port);
                if reason != DropReason::ReassemblyDuplicate {
                    self.give_up(key, reason, false);
                }
                None
            }
        }
    }

    /// Gives up every datagram whose time is over. Look for discarded frames then.
    pub fn tick(&mut self, now: Time) {
        while let Some(&(at, key)) = self.deadlines.first()
            && at <= now
        {
            self.give_up(key, DropReason::ReassemblyTimeout, true);
        }
    }

    /// When [`Reassembly::tick`] is wanted next.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// The oldest fragment to be discarded.
    pub fn pop(&mut self) -> Option<Discarded> {
        self.discarded.pop_front()
    }

    /// The port is gone: datagrams whose last fragment came by it are given up. Look for discarded frames then.
    pub fn port_removed(&mut self, port: IfIndex) {
        let of = |(key, datagram): (&Key, &Datagram)| (datagram.port() == port).then_some(*key);
        let gone: Vec<Key> = self.datagrams.iter().filter_map(of).collect();
        for key in gone {
            self.give_up(key, DropReason::HostTargetGone, false);
        }
    }

    /// Frames held in here, those to be discarded included.
    pub fn held(&self) -> usize {
        self.held + self.discarded.len()
    }

    fn complete(&mut self, key: Key, pool: &mut FramePool) -> Option<Reassembled> {
        let datagram = match self.datagrams.get(&key)?.fault() {
            Some(reason) => {
                self.give_up(key, reason, false);
                return None;
            }
            None => self.take(key)?,
        };
        Some(datagram.assemble(pool))
    }

    fn give_up(&mut self, key: Key, reason: DropReason, late: bool) {
        let Some(datagram) = self.take(key) else { return };
        let port = datagram.port();
        for (offset, frame) in datagram.into_frames() {
            self.discarded.push_back(Discarded { frame, reason, port, tell: late && offset == 0 });
        }
    }

    /// Takes a datagram out of the table and the books.
    fn take(&mut self, key: Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(&key)?;
        self.deadlines.remove(&(datagram.deadline(), key));
        self.memory -= datagram.memory();
        self.held -= datagram.count();
        Some(datagram)
    }

    fn discard(&mut self, frame: FrameBuf, reason: DropReason, port: IfIndex) {
        self.discarded.push_back(Discarded { frame, reason, port, tell: false });
    }
}

#[cfg(test)]
mod tests;
