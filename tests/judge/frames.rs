//! A frame in one line.
//!
//! Dissected by etherparse, which shares no code with the engine. Left out: MACs but for whether the frame goes to
//! everybody, IP ids, ICMP idents and checksums, ephemeral ports, and what programs write into their payload.

use etherparse::{ArpOperation, Icmpv4Type, InternetSlice, LinkSlice, NetSlice, SlicedPacket, TransportSlice};

/// The frame in one line; `None` for what is not ARP or IPv4.
pub(super) fn describe(frame: &[u8]) -> Option<String> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(LinkSlice::Ethernet2(ethernet)) = &packet.link else { return None };
    let cast = if ethernet.destination() == [0xff; 6] { "to all" } else { "to one" };
    match packet.net.as_ref()? {
        NetSlice::Arp(arp) => Some(describe_arp(arp, cast)),
        NetSlice::Ipv4(_) => Some(describe_ipv4(&packet, cast)),
        NetSlice::Ipv6(_) => None,
    }
}

fn describe_arp(arp: &etherparse::ArpPacketSlice<'_>, cast: &str) -> String {
    let address = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
    let (sender, target) = (address(arp.sender_protocol_addr()), address(arp.target_protocol_addr()));
    match arp.operation() {
        ArpOperation::REQUEST => format!("{cast}: ARP who has {target} tell {sender}"),
        ArpOperation::REPLY => format!("{cast}: ARP {sender} is here, {target}"),
        other => format!("{cast}: ARP operation {} {sender} {target}", other.0),
    }
}

fn describe_ipv4(packet: &SlicedPacket<'_>, cast: &str) -> String {
    let Some(InternetSlice::Ipv4(ip)) = &packet.net else { return String::new() };
    let header = ip.header();
    let mut line = format!(
        "{cast}: IP {} > {} ttl {} tos {:#x} length {}",
        header.source_addr(),
        header.destination_addr(),
        header.ttl(),
        header.dcp().value() << 2 | header.ecn().value(),
        header.total_len(),
    );
    if header.dont_fragment() {
        line += " DF";
    }
    if header.is_fragmenting_payload() {
        let more = if header.more_fragments() { "+" } else { "" };
        line += &format!(" fragment {}{more}", header.fragments_offset().value() * 8);
    }
    if !header.options().is_empty() {
        line += &format!(" options {} bytes", header.options().len());
    }
    match &packet.transport {
        Some(TransportSlice::Icmpv4(icmp)) => line += &describe_icmp(icmp),
        Some(TransportSlice::Udp(udp)) => {
            line += &format!(" UDP {} > {}", port(udp.source_port()), port(udp.destination_port()));
        }
        Some(TransportSlice::Tcp(tcp)) => {
            let flag = |on: bool, name: &str| if on { name.to_string() } else { String::new() };
            let flags = flag(tcp.syn(), "S") + &flag(tcp.ack(), "A") + &flag(tcp.rst(), "R") + &flag(tcp.fin(), "F");
            line += &format!(" TCP {} > {} {flags}", port(tcp.source_port()), port(tcp.destination_port()));
        }
        _ => line += &format!(" protocol {}", header.protocol().0),
    }
    line
}

fn describe_icmp(icmp: &etherparse::Icmpv4Slice<'_>) -> String {
    let quoted = || {
        let inner = etherparse::Ipv4HeaderSlice::from_slice(icmp.payload());
        inner.map(|ip| format!(" about {} > {}", ip.source_addr(), ip.destination_addr())).unwrap_or_default()
    };
    match icmp.icmp_type() {
        Icmpv4Type::EchoRequest(echo) => format!(" ICMP echo request {}", echo.seq),
        Icmpv4Type::EchoReply(echo) => format!(" ICMP echo reply {}", echo.seq),
        Icmpv4Type::TimeExceeded(code) => format!(" ICMP time exceeded {}{}", code.code_u8(), quoted()),
        Icmpv4Type::DestinationUnreachable(why) => {
            format!(" ICMP unreachable {}{} {:?}", why.code_u8(), quoted(), mtu(&why))
        }
        Icmpv4Type::Redirect(redirect) => format!(" ICMP redirect {:?}{}", redirect, quoted()),
        _ => format!(" ICMP type {} code {}", icmp.type_u8(), icmp.code_u8()),
    }
}

fn mtu(why: &etherparse::icmpv4::DestUnreachableHeader) -> Option<u16> {
    match why {
        etherparse::icmpv4::DestUnreachableHeader::FragmentationNeeded { next_hop_mtu } => Some(*next_hop_mtu),
        _ => None,
    }
}

/// A port that means something; the kernel draws the others by chance.
fn port(number: u16) -> String {
    if (32768..=60999).contains(&number) { "some port".to_string() } else { number.to_string() }
}
