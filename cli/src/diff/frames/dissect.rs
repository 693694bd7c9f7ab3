//! A frame in one line.

use super::ports::Ports;
use super::tcp::Segment;
use etherparse::{
    ArpOperation, Icmpv4Type, InternetSlice, IpNumber, LinkSlice, NetSlice, SlicedPacket, TransportSlice,
};
use std::net::Ipv4Addr;

/// What is seen of a frame.
pub(super) enum Dissected {
    /// A line that says it.
    Line(String),
    /// A part of a TCP connection.
    Segment(Segment),
}

/// Where hosts, and bridges that snoop, tell which groups they listen to.
const REPORTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);

/// The UDP port of tunnels that carry Ethernet.
const VXLAN: u16 = 4789;

/// The frame; `None` for what is not ARP or IPv4, and for reports of groups.
pub(super) fn dissect(frame: &[u8], ports: &Ports) -> Option<Dissected> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(LinkSlice::Ethernet2(ethernet)) = &packet.link else { return None };
    let mut cast = if ethernet.destination() == [0xff; 6] { "to all".to_string() } else { "to one".to_string() };
    for id in packet.vlan_ids() {
        cast += &format!(" VLAN {}", id.value());
    }
    match packet.net.as_ref()? {
        NetSlice::Arp(arp) => Some(Dissected::Line(describe_arp(arp, &cast))),
        NetSlice::Ipv4(_) => dissect_ipv4(&packet, &cast, ports),
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

fn dissect_ipv4(packet: &SlicedPacket<'_>, cast: &str, ports: &Ports) -> Option<Dissected> {
    let Some(InternetSlice::Ipv4(ip)) = &packet.net else { return None };
    let header = ip.header();
    let (source, destination) = (header.source_addr(), header.destination_addr());
    if header.protocol() == IpNumber::IGMP && destination == REPORTS {
        return None;
    }
    let tos = header.dcp().value() << 2 | header.ecn().value();
    let head = format!("{cast}: IP {source} > {destination} ttl {} tos {tos:#x}", header.ttl());
    if let Some(TransportSlice::Udp(udp)) = &packet.transport
        && udp.destination_port() == VXLAN
    {
        return dissect_tunnelled(&head, udp.payload(), ports);
    }
    let mut line = head;
    let tcp = match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Some(tcp),
        _ => None,
    };
    if tcp.is_none() {
        line += &format!(" length {}", header.total_len());
    }
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
            line += &format!(" UDP {} > {}", ports.say(udp.source_port()), ports.say(udp.destination_port()));
        }
        Some(TransportSlice::Tcp(tcp)) => {
            let (from, to) = (tcp.source_port(), tcp.destination_port());
            return Some(Dissected::Segment(Segment {
                flow: format!("{source}:{from} > {destination}:{to}"),
                back: format!("{destination}:{to} > {source}:{from}"),
                said: format!("{line} TCP {} > {}", ports.say(from), ports.say(to)),
                sequence: tcp.sequence_number(),
                length: tcp.payload().len() as u32,
                syn: tcp.syn(),
                fin: tcp.fin(),
                rst: tcp.rst(),
            }));
        }
        _ => line += &format!(" protocol {}", header.protocol().0),
    }
    Some(Dissected::Line(line))
}

/// A frame in a VXLAN: what is chatter outside is chatter inside.
fn dissect_tunnelled(head: &str, payload: &[u8], ports: &Ports) -> Option<Dissected> {
    let (&[_, _, _, _, high, middle, low, _], frame) = payload.split_first_chunk::<8>()?;
    let head = format!("{head} VXLAN {} ", u32::from_be_bytes([0, high, middle, low]));
    Some(match dissect(frame, ports)? {
        Dissected::Line(line) => Dissected::Line(head + &line),
        Dissected::Segment(segment) => {
            let said = head + &segment.said;
            Dissected::Segment(Segment { said, ..segment })
        }
    })
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
