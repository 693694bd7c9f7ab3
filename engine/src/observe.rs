//! Watching: an [`Observer`] is told each decision of the path. It is generic, chosen per call, never stored; [`Silent`]
//! costs nothing.

use crate::addr::{IpAddr, Mac};
use crate::control::IfIndex;
use crate::filter::{Hook, TableName, Target};
use crate::reason::DropReason;

/// One step of a packet's way.
#[allow(missing_docs, reason = "each field is what its name says")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A frame came in by a port; its bytes from the link header on.
    Received { port: IfIndex, frame: &'a [u8] },
    /// A program sent a datagram.
    Originated { source: IpAddr, destination: IpAddr, protocol: u8, length: usize },
    /// The routing table was asked and gave this.
    Routed { destination: IpAddr, table: u32, port: IfIndex, gateway: Option<IpAddr>, local: bool },
    /// The routing table had no way.
    Unroutable { destination: IpAddr },
    /// The packet is passed on; TTL after.
    Forwarded { from: IfIndex, to: IfIndex, ttl: u8 },
    /// The packet is for this namespace.
    Delivered { protocol: u8 },
    /// It was cut in this many fragments.
    Fragmented { count: usize },
    /// All fragments have come.
    Reassembled { length: usize },
    /// The next hop's MAC is known.
    Resolved { next_hop: IpAddr, mac: Mac },
    /// The packet waits for the next hop's MAC.
    Parked { next_hop: IpAddr },
    /// An ICMP error was made about it.
    IcmpError { kind: u8, code: u8, to: IpAddr },
    /// An ICMP error would have been made but for the rate limit or a rule of RFC 1122.
    IcmpSuppressed { kind: u8, code: u8 },
    /// A packet fits a rule that has a target: the rule's number in its chain, from 1.
    Rule { hook: Hook, table: TableName, chain: &'a str, number: usize, target: &'a Target },
    /// No rule of a hook's chain decided, and its policy does.
    Policy { hook: Hook, table: TableName, accept: bool },
    /// A packet of our own has got another way, for its mark, its TOS or an address has changed.
    Rerouted { destination: IpAddr, port: IfIndex, gateway: Option<IpAddr> },
    /// Its connection is translated: from whom and to whom it is now.
    Translated { hook: Hook, source: IpAddr, destination: IpAddr },
    /// A bridge learned behind which port a MAC is.
    Learned { bridge: IfIndex, port: IfIndex, mac: Mac },
    /// A bridge passes the frame on to this port.
    Bridged { bridge: IfIndex, to: IfIndex },
    /// A frame goes into a port's queueing discipline.
    Queued { port: IfIndex },
    /// A frame leaves by a port.
    Transmitted { port: IfIndex, frame: &'a [u8] },
    /// A frame ended here.
    Dropped { reason: DropReason },
}

/// Who watches.
pub trait Observer {
    /// Told each step, in order.
    fn step(&mut self, step: Step<'_>);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    #[inline(always)]
    fn step(&mut self, _: Step<'_>) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    #[inline]
    fn step(&mut self, step: Step<'_>) {
        self.0.step(step);
        self.1.step(step);
    }
}

impl<O: Observer + ?Sized> Observer for &mut O {
    #[inline]
    fn step(&mut self, step: Step<'_>) {
        (**self).step(step);
    }
}
