//! All sockets of a namespace.

use crate::addr::{Ipv4Addr, Mac};
use crate::control::IfIndex;
use crate::reason::DropReason;
use crate::time::Time;

/// The sockets of one namespace.
#[derive(Debug)]
pub(crate) struct Sockets;

#[allow(unused_variables)]
impl Sockets {
    /// None yet.
    pub(crate) fn new() -> Sockets {
        Sockets
    }

    /// A whole IPv4 packet for raw sockets; true if any took a copy.
    pub(crate) fn deliver_raw(&mut self, now: Time, port: IfIndex, packet: &[u8]) -> bool {
        false
    }

    /// A whole IPv4 packet with a UDP datagram for the socket it is for.
    pub(crate) fn deliver_udp(&mut self, now: Time, port: IfIndex, packet: &[u8]) -> Result<(), DropReason> {
        Err(DropReason::NoSocket)
    }

    /// A received frame, for packet sockets; `payload` is what follows the Ethernet header.
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

    /// An ICMP error; `inner` is the quoted packet, from its IP header on.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn icmp_error(
        &mut self,
        now: Time,
        from: Ipv4Addr,
        kind: u8,
        code: u8,
        ttl: u8,
        info: u32,
        inner: &[u8],
    ) {
    }
}
