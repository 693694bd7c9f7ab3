//! ARP for IPv4 over Ethernet (RFC 826): 28 bytes.

use super::ethernet;
use crate::addr::{Ipv4Addr, Mac};

/// Bytes of a packet.
pub const LENGTH: usize = 28;
/// Operation: who has it?
pub const REQUEST: u16 = 1;
/// Operation: I have it.
pub const REPLY: u16 = 2;

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// [`REQUEST`], [`REPLY`], or what nobody uses any more.
    pub operation: u16,
    /// The sender's MAC.
    pub sender_mac: Mac,
    /// The sender's address.
    pub sender_ip: Ipv4Addr,
    /// The target's MAC: zero in a request.
    pub target_mac: Mac,
    /// The address that is asked for.
    pub target_ip: Ipv4Addr,
}

impl Arp {
    /// Reads what follows the Ethernet header; `None` if it is cut short or not IPv4 over Ethernet.
    pub fn parse(packet: &[u8]) -> Option<Arp> {
        let (head, rest) = packet.split_first_chunk::<8>()?;
        let (&[a, b, c, d, e, f, g, h, i, j], rest) = rest.split_first_chunk::<10>()?;
        let &[k, l, m, n, o, p, q, r, s, t] = rest.first_chunk::<10>()?;
        let &[0, 1, protocol_a, protocol_b, 6, 4, operation_a, operation_b] = head else { return None };
        let operation = u16::from_be_bytes([operation_a, operation_b]);
        (u16::from_be_bytes([protocol_a, protocol_b]) == ethernet::IPV4).then_some(Arp {
            operation,
            sender_mac: Mac([a, b, c, d, e, f]),
            sender_ip: Ipv4Addr::new(g, h, i, j),
            target_mac: Mac([k, l, m, n, o, p]),
            target_ip: Ipv4Addr::new(q, r, s, t),
        })
    }

    /// It announces its sender: it asks for itself, or answers itself (`arp_is_garp`, which looks at the address's type too).
    pub fn is_gratuitous(&self) -> bool {
        self.sender_ip == self.target_ip && (self.operation != REPLY || self.sender_mac == self.target_mac)
    }

    /// The packet's bytes.
    pub fn emit(&self) -> [u8; LENGTH] {
        let mut packet = [0; LENGTH];
        super::put(&mut packet, 0, [0, 1, 0x08, 0x00, 6, 4]);
        super::put(&mut packet, 6, self.operation.to_be_bytes());
        super::put(&mut packet, 8, self.sender_mac.0);
        super::put(&mut packet, 14, self.sender_ip.octets());
        super::put(&mut packet, 18, self.target_mac.0);
        super::put(&mut packet, 24, self.target_ip.octets());
        packet
    }
}
