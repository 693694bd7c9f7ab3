//! Multicast listener reports (RFC 3810, version 2): how a host tells which IPv6 groups it listens to.

use super::ethernet;
use crate::addr::{Ipv6Addr, Mac};

/// All routers that speak MLD version 2, and their MAC.
const ROUTERS: (Ipv6Addr, Mac) = (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16), Mac([0x33, 0x33, 0, 0, 0, 0x16]));
/// `ICMPV6_MLD2_REPORT`
const REPORT: u8 = 143;
/// `MLD2_CHANGE_TO_EXCLUDE`, of nothing: everything for this group is wanted.
const TO_EXCLUDE: u8 = 4;
const ICMPV6: u8 = 58;
const IPV6_HEADER: usize = 40;
/// Next header ICMPv6, length 0, router alert, padding (RFC 2710, section 3).
const HOP_BY_HOP: [u8; 8] = [ICMPV6, 0, 5, 2, 0, 0, 1, 0];
const MESSAGE: usize = 8 + 20;

/// The group in which a host hears who asks for the neighbour of this address (RFC 4291, section 2.7.1).
pub fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// The frame by which a host without a usable address yet tells that it has joined a group.
pub fn joined(source: Mac, group: Ipv6Addr) -> [u8; ethernet::HEADER + IPV6_HEADER + HOP_BY_HOP.len() + MESSAGE] {
    let mut frame = [0; ethernet::HEADER + IPV6_HEADER + HOP_BY_HOP.len() + MESSAGE];
    let (link, ip) = frame.split_at_mut(ethernet::HEADER);
    super::Ethernet { destination: ROUTERS.1, source, ethertype: ethernet::IPV6 }.write(link);
    let (header, payload) = ip.split_at_mut(IPV6_HEADER);
    let length = (HOP_BY_HOP.len() + MESSAGE) as u16;
    // Hop-by-hop options follow; it goes one hop far; the source is unspecified.
    header[..8].copy_from_slice(&[0x60, 0, 0, 0, (length >> 8) as u8, length as u8, 0, 1]);
    header[24..].copy_from_slice(&ROUTERS.0.octets());
    let (options, message) = payload.split_at_mut(HOP_BY_HOP.len());
    options.copy_from_slice(&HOP_BY_HOP);
    message[..12].copy_from_slice(&[REPORT, 0, 0, 0, 0, 0, 0, 1, TO_EXCLUDE, 0, 0, 0]);
    message[12..].copy_from_slice(&group.octets());
    let checksum = checksum(message);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    frame
}

/// With the pseudo header of a message from the unspecified address to the routers (RFC 8200, section 8.1).
fn checksum(message: &[u8]) -> u16 {
    let [a, b, c, d] = (message.len() as u32).to_be_bytes();
    let pseudo = [a, b, c, d, 0, 0, 0, ICMPV6];
    let words = ROUTERS.0.octets().into_iter().chain(pseudo).chain(message.iter().copied()).collect::<Vec<u8>>();
    super::checksum::of(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_implementation_reads_it() {
        let address = "fe80::ff:fe00:177".parse().unwrap();
        let group = solicited_node(address);
        assert_eq!(group.to_string(), "ff02::1:ff00:177");
        let frame = joined(Mac([2, 0, 0, 0, 1, 0x77]), group);
        let packet = etherparse::SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(etherparse::NetSlice::Ipv6(ip)) = &packet.net else { panic!("IPv6") };
        assert_eq!(ip.header().hop_limit(), 1);
        assert_eq!(ip.header().destination_addr().to_string(), "ff02::16");
        let Some(etherparse::TransportSlice::Icmpv6(icmp)) = &packet.transport else { panic!("ICMPv6") };
        assert_eq!((icmp.type_u8(), icmp.payload().len()), (143, 20));
        assert!(icmp.is_checksum_valid(ip.header().source(), ip.header().destination()));
    }
}
