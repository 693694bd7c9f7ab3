//! What a rule sees of a packet, and may change in it.

use super::rule::{Hook, PktType};
use crate::addr::{Ipv4Addr, Mac};
use crate::conntrack::{Conntrack, Nfct};
use crate::frame::FrameBuf;
use crate::link::Port;
use crate::route::{Net, Rib};
use crate::wire::{Ipv4, ipv4};

/// Who sent a packet, if somebody here did (`skb->sk`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sender {
    /// It came in, or the filter itself made it.
    #[default]
    Nobody,
    /// The kernel: an ICMP message, a RST.
    Kernel,
    /// A program, which is root's.
    Program,
}

/// A packet at a hook.
pub(crate) struct Subject<'a> {
    /// Where it is.
    pub(crate) hook: Hook,
    /// The packet: it begins with its IP header.
    pub(crate) frame: &'a mut FrameBuf,
    /// Its header; whoever changes the packet's changes this.
    pub(crate) header: &'a mut Ipv4,
    /// The firewall's mark.
    pub(crate) mark: &'a mut u32,
    /// The port it came in by, where that is known.
    pub(crate) inward: Option<&'a Port>,
    /// The port it is to leave by, where that is known.
    pub(crate) outward: Option<&'a Port>,
    /// Names of the bridge ports that it came in by and is to leave by; neither: it is not bridged.
    pub(crate) physdev: (Option<&'a str>, Option<&'a str>),
    /// To whom the link said it is; a copy of one of our own to many says what its address is.
    pub(crate) to: PktType,
    /// The sender's MAC, if it came in by Ethernet.
    pub(crate) source_mac: Option<Mac>,
    /// Who sent it.
    pub(crate) sender: Sender,
    /// Whose MAC it will be sent to; for `MASQUERADE`.
    pub(crate) next_hop: Ipv4Addr,
    /// The MTU of the way out; for `TCPMSS`.
    pub(crate) mtu: u32,
    /// The namespace around it.
    pub(crate) net: Net<'a>,
    /// Its routes.
    pub(crate) rib: &'a Rib<Ipv4Addr>,
    /// The connections.
    pub(crate) conntrack: &'a mut Conntrack,
    /// Which of them is the packet's.
    pub(crate) nfct: &'a mut Nfct,
}

impl Subject<'_> {
    /// What follows the IP header.
    pub(super) fn payload(&self) -> &[u8] {
        self.frame.get(self.header.header_length..).unwrap_or(&[])
    }

    /// The first bytes behind the IP header; none of a later fragment, and none if they are not all there.
    pub(super) fn transport<const N: usize>(&self) -> Option<[u8; N]> {
        transport(self.header, self.frame)
    }

    /// Source and destination port, of protocols that have them there.
    pub(super) fn ports(&self) -> Option<(u16, u16)> {
        ports(self.header, self.frame)
    }

    /// Writes the TOS, and mends the checksum (`ipv4_change_dsfield`).
    pub(super) fn set_tos(&mut self, tos: u8) {
        if tos != self.header.tos {
            self.header.tos = tos;
            ipv4::set_tos(self.frame, tos);
        }
    }

    /// Writes the TTL, and mends the checksum.
    pub(super) fn set_ttl(&mut self, ttl: u8) {
        if ttl != self.header.ttl {
            self.header.ttl = ttl;
            ipv4::set_ttl(self.frame, ttl);
        }
    }
}

/// The first bytes behind the header of a packet, as [`Subject::transport`] has them.
#[inline]
pub(super) fn transport<const N: usize>(header: &Ipv4, packet: &[u8]) -> Option<[u8; N]> {
    if header.fragment_offset() != 0 {
        return None;
    }
    packet.get(header.header_length..)?.first_chunk().copied()
}

/// The ports of a packet with this header, as [`Subject::ports`] has them.
#[inline]
pub(super) fn ports(header: &Ipv4, packet: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = transport(header, packet)?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}
