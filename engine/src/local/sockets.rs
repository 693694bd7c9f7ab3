//! All open sockets of a namespace.

use crate::addr::{Ipv4Addr, Mac};
use crate::control::IfIndex;
use crate::reason::DropReason;
use crate::time::Time;

/// An ICMP error about a packet that was sent from here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IcmpError<'a> {
    /// The port it came in by.
    pub(crate) port: IfIndex,
    /// Its sender.
    pub(crate) from: Ipv4Addr,
    /// Its type.
    pub(crate) kind: u8,
    /// Its code.
    pub(crate) code: u8,
    /// TTL with which it arrived.
    pub(crate) ttl: u8,
    /// As `icmp_unreach` has it: the MTU of "fragmentation needed", the pointer of "parameter problem", else 0.
    pub(crate) info: u32,
    /// The packet it quotes, from its IP header on.
    pub(crate) inner: &'a [u8],
}

/// All open sockets.
#[derive(Debug)]
pub(crate) struct Sockets {}

#[allow(unused_variables)]
impl Sockets {
    /// None.
    pub(crate) fn new() -> Sockets {
        Sockets {}
    }

    /// Copies a whole IPv4 packet that is delivered here (`raw_local_deliver`); true if a socket took a copy.
    pub(crate) fn deliver_raw(&mut self, now: Time, port: IfIndex, packet: &[u8]) -> bool {
        false
    }

    /// Gives a UDP datagram, a whole IPv4 packet, to its socket; if its route says broadcast or multicast
    /// (`to_all`), to each that fits. `NoSocket`: port unreachable.
    pub(crate) fn deliver_udp(
        &mut self,
        now: Time,
        port: IfIndex,
        packet: &[u8],
        to_all: bool,
    ) -> Result<(), DropReason> {
        Err(DropReason::NoSocket)
    }

    /// Copies a received frame to the packet sockets of its type.
    pub(crate) fn deliver_packet(
        &mut self,
        now: Time,
        port: IfIndex,
        ethertype: u16,
        source: Mac,
        link_broadcast: bool,
        payload: &[u8],
    ) {
    }

    /// Tells an ICMP error to whom it concerns.
    pub(crate) fn icmp_error(&mut self, now: Time, error: &IcmpError<'_>) {}

    /// A packet of our own found no neighbour: host unreachable, from ourselves to ourselves (`ipv4_link_failure`).
    pub(crate) fn unreachable(&mut self, now: Time, packet: &[u8]) {}
}
