//! Traces: the way of each packet as text, a line a step, for people who want to see why it did or did not arrive.

use etherparse::{EtherType, Icmpv4Slice, LaxIpv4Slice, LaxNetSlice, LaxSlicedPacket, LinkSlice, TransportSlice};
use std::fmt::Write as _;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::control::{IfIndex, table};
use vethlab_engine::filter::Target;
use vethlab_engine::observe::Step;
use vethlab_engine::time::Time;
use vethlab_engine::wire::arp::{self, Arp};
use vethlab_engine::wire::icmpv4::{code, kind};
use vethlab_engine::wire::protocol;

/// A trace that is being written.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    text: String,
}

impl Trace {
    /// An empty one.
    pub fn new() -> Trace {
        Trace::default()
    }

    /// Adds a line: when, in which namespace, and what happened. `name` knows the namespace's interfaces.
    pub fn step<'a>(&mut self, now: Time, ns: &str, name: impl Fn(IfIndex) -> Option<&'a str>, step: Step<'_>) {
        let (seconds, micros) = (now.nanos() / 1_000_000_000, now.nanos() / 1000 % 1_000_000);
        let (port, sign, what) = tell(&name, step);
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{seconds:>3}.{micros:06} {ns:<8} {port:<10} {sign} {what}");
    }

    /// What was written since the last call.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// The interface, a sign that catches the eye, and what happened.
fn tell<'a>(name: &impl Fn(IfIndex) -> Option<&'a str>, step: Step<'_>) -> (String, char, String) {
    let port = |index: IfIndex| name(index).map_or_else(|| format!("if{index}"), str::to_string);
    let inside = |what: String| (String::new(), '.', what);
    match step {
        Step::Received { port: index, frame } => (port(index), '<', describe(frame)),
        Step::Transmitted { port: index, frame } => (port(index), '>', describe(frame)),
        Step::Originated { source, destination, protocol, length } => {
            let name = protocol_name(protocol);
            inside(format!("a program sends {length} bytes of {name} from {source} to {destination}"))
        }
        Step::Routed { destination, local: true, .. } => inside(format!("route to {destination}: ours")),
        Step::Routed { destination, table, port: index, gateway, .. } => {
            let way = match gateway {
                Some(gateway) => format!("via {gateway} dev {}", port(index)),
                None => format!("dev {}, on the link itself", port(index)),
            };
            inside(format!("route to {destination}: {way}, by table {}", table_name(table)))
        }
        Step::Unroutable { destination } => inside(format!("no route to {destination}")),
        Step::Forwarded { from, to, ttl } => {
            inside(format!("forwarded from {} to {}, ttl {ttl} now", port(from), port(to)))
        }
        Step::Delivered { protocol } => inside(format!("delivered to {} here", protocol_name(protocol))),
        Step::Fragmented { count } => inside(format!("cut into {count} fragments")),
        Step::Reassembled { length } => inside(format!("put together from its fragments: {length} bytes")),
        Step::Resolved { next_hop, mac } => inside(format!("next hop {next_hop} is at {mac}")),
        Step::Queued { port: index } => inside(format!("waits in the queue of {}", name(index).unwrap_or("its port"))),
        Step::Parked { next_hop } => inside(format!("waits until the MAC of {next_hop} is known")),
        Step::IcmpError { kind, code, to } => inside(format!("answers {to} with ICMP {}", icmp_name(kind, code))),
        Step::IcmpSuppressed { kind, code } => {
            inside(format!("would answer with ICMP {}, but must not now", icmp_name(kind, code)))
        }
        Step::Rule { hook, table, chain, number, target } => {
            let from = if chain == hook.name() { String::new() } else { format!(" (from {})", hook.name()) };
            inside(format!("{} rule {number} of {chain}{from}: {}", table.name(), target_name(target)))
        }
        Step::Policy { hook, table, accept } => {
            let verdict = if accept { "ACCEPT" } else { "DROP" };
            inside(format!("{} policy of {}: {verdict}", table.name(), hook.name()))
        }
        Step::Rerouted { destination, port: index, gateway } => {
            let via = gateway.map_or(String::new(), |gateway| format!("via {gateway} "));
            inside(format!("routed again to {destination}: {via}dev {}", port(index)))
        }
        Step::Translated { source, destination, .. } => {
            inside(format!("translated: from {source} to {destination} now"))
        }
        Step::Learned { bridge, port: index, mac } => {
            inside(format!("{} learns: {mac} is behind {}", port(bridge), port(index)))
        }
        Step::Bridged { bridge, to } => inside(format!("{} passes it on to {}", port(bridge), port(to))),
        Step::Dropped { reason } => (String::new(), 'x', format!("dropped: {} ({})", reason.sentence(), reason.name())),
    }
}

/// A frame in one line, as far as it can be read.
pub fn describe(frame: &[u8]) -> String {
    let Ok(packet) = LaxSlicedPacket::from_ethernet(frame) else {
        return format!("a frame of {} bytes, too short for Ethernet", frame.len());
    };
    match (&packet.net, &packet.link) {
        (Some(LaxNetSlice::Arp(slice)), _) => describe_arp(slice.slice()),
        (Some(LaxNetSlice::Ipv4(ip)), _) => describe_ipv4(ip, packet.transport.as_ref()),
        (Some(LaxNetSlice::Ipv6(ip)), _) => {
            let header = ip.header();
            format!("IPv6 {} > {}, {} bytes", header.source_addr(), header.destination_addr(), header.payload_length())
        }
        (None, Some(LinkSlice::Ethernet2(link))) if link.ether_type() == EtherType::IPV4 => {
            "IPv4, with a header that cannot be read".to_string()
        }
        (None, Some(LinkSlice::Ethernet2(link))) => {
            let [from, to] = [link.source(), link.destination()].map(Mac);
            format!("Ethernet type {:#06x} {from} > {to}, {} bytes", link.ether_type().0, frame.len())
        }
        (None, _) => format!("a frame of {} bytes", frame.len()),
    }
}

fn describe_arp(packet: &[u8]) -> String {
    let Some(arp) = Arp::parse(packet) else { return "ARP, but not of IPv4 over Ethernet".to_string() };
    match arp.operation {
        arp::REQUEST if arp.sender_ip == arp.target_ip => {
            format!("ARP {} is at {}, announced", arp.sender_ip, arp.sender_mac)
        }
        arp::REQUEST => format!("ARP who has {}? tell {}", arp.target_ip, arp.sender_ip),
        arp::REPLY => format!("ARP {} is at {}", arp.sender_ip, arp.sender_mac),
        other => format!("ARP operation {other} from {}", arp.sender_ip),
    }
}

fn describe_ipv4(ip: &LaxIpv4Slice<'_>, transport: Option<&TransportSlice<'_>>) -> String {
    let header = ip.header();
    let (from, to, ttl) = (header.source_addr(), header.destination_addr(), header.ttl());
    let (front, back) = match transport {
        Some(TransportSlice::Icmpv4(icmp)) => return describe_icmp(icmp, from, to, ttl),
        Some(TransportSlice::Udp(udp)) => {
            let ends = format!("UDP {from}:{} > {to}:{}", udp.source_port(), udp.destination_port());
            (ends, format!("{} bytes", udp.payload().len()))
        }
        Some(TransportSlice::Tcp(tcp)) => {
            let flags =
                [(tcp.syn(), "syn"), (tcp.fin(), "fin"), (tcp.rst(), "rst"), (tcp.psh(), "psh"), (tcp.ack(), "ack")];
            let flags: Vec<&str> = flags.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
            let ends = format!("TCP {from}:{} > {to}:{}", tcp.source_port(), tcp.destination_port());
            (ends, format!("{} {} bytes", flags.join(","), tcp.payload().len()))
        }
        _ if header.is_fragmenting_payload() => {
            let name = protocol_name(header.protocol().0);
            let begin = u32::from(header.fragments_offset().value()) * 8;
            let end = begin + ip.payload().payload.len() as u32;
            let last = if header.more_fragments() { "" } else { ", the last" };
            let what =
                format!("fragment of {name}: bytes {begin} to {end} of datagram {}{last}", header.identification());
            (format!("IP {from} > {to}"), what)
        }
        _ => {
            let name = protocol_name(header.protocol().0);
            (format!("IP {from} > {to}"), format!("{name}, {} bytes", ip.payload().payload.len()))
        }
    };
    format!("{front} {back} ttl {ttl}")
}

fn describe_icmp(icmp: &Icmpv4Slice<'_>, from: Ipv4Addr, to: Ipv4Addr, ttl: u8) -> String {
    let (kind, code) = (icmp.type_u8(), icmp.code_u8());
    let name = icmp_name(kind, code);
    let [a, b, c, d] = icmp.bytes5to8();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let detail = match (kind, code) {
        (kind::ECHO | kind::ECHO_REPLY, _) => format!(" id {high} seq {low}"),
        (kind::DEST_UNREACH, code::FRAG_NEEDED) => format!(" mtu {low}{}", quoted(icmp.payload())),
        (kind::REDIRECT, _) => format!(" to {}{}", Ipv4Addr::new(a, b, c, d), quoted(icmp.payload())),
        (kind::DEST_UNREACH | kind::TIME_EXCEEDED | kind::PARAMETER_PROB, _) => quoted(icmp.payload()),
        _ => String::new(),
    };
    format!("ICMP {name} {from} > {to}{detail} ttl {ttl}")
}

/// What an ICMP error is about.
fn quoted(packet: &[u8]) -> String {
    match etherparse::Ipv4HeaderSlice::from_slice(packet) {
        Ok(header) => {
            let name = protocol_name(header.protocol().0);
            format!(" about {name} {} > {}", header.source_addr(), header.destination_addr())
        }
        Err(_) => String::new(),
    }
}

/// A target as iptables names it, and what matters most of it.
fn target_name(target: &Target) -> String {
    match target {
        Target::Jump(chain) => format!("to chain {chain}"),
        Target::Goto(chain) => format!("goes on in chain {chain}"),
        Target::Accept => "ACCEPT".to_string(),
        Target::Drop => "DROP".to_string(),
        Target::Return => "RETURN".to_string(),
        Target::Reject(_) => "REJECT".to_string(),
        Target::Log { prefix, .. } if prefix.is_empty() => "LOG".to_string(),
        Target::Log { prefix, .. } => format!("LOG \"{prefix}\""),
        Target::Mark { value, mask } => format!("MARK xset {value:#x}/{mask:#x}"),
        Target::ConnMark(_) => "CONNMARK".to_string(),
        Target::Dnat(_) => "DNAT".to_string(),
        Target::Snat(_) => "SNAT".to_string(),
        Target::Masquerade { .. } => "MASQUERADE".to_string(),
        Target::Redirect { .. } => "REDIRECT".to_string(),
        Target::NetMap(..) => "NETMAP".to_string(),
        Target::NoTrack => "NOTRACK".to_string(),
        Target::CtNoTrack => "CT notrack".to_string(),
        Target::TcpMss(_) => "TCPMSS".to_string(),
        Target::Ttl(_) => "TTL".to_string(),
        Target::Dscp(_) => "DSCP".to_string(),
        Target::Tos { .. } => "TOS".to_string(),
    }
}

fn protocol_name(number: u8) -> String {
    match number {
        protocol::ICMP => "ICMP".to_string(),
        protocol::IGMP => "IGMP".to_string(),
        protocol::TCP => "TCP".to_string(),
        protocol::UDP => "UDP".to_string(),
        protocol::ICMPV6 => "ICMPv6".to_string(),
        other => format!("protocol {other}"),
    }
}

fn table_name(number: u32) -> String {
    match number {
        table::LOCAL => "local".to_string(),
        table::MAIN => "main".to_string(),
        table::DEFAULT => "default".to_string(),
        other => other.to_string(),
    }
}

fn icmp_name(kind: u8, code: u8) -> String {
    let name = match (kind, code) {
        (kind::ECHO, _) => "echo request",
        (kind::ECHO_REPLY, _) => "echo reply",
        (kind::DEST_UNREACH, code::NET_UNREACH) => "net unreachable",
        (kind::DEST_UNREACH, code::HOST_UNREACH) => "host unreachable",
        (kind::DEST_UNREACH, code::PROT_UNREACH) => "protocol unreachable",
        (kind::DEST_UNREACH, code::PORT_UNREACH) => "port unreachable",
        (kind::DEST_UNREACH, code::FRAG_NEEDED) => "fragmentation needed",
        (kind::DEST_UNREACH, code::PKT_FILTERED) => "filtered",
        (kind::TIME_EXCEEDED, code::EXC_TTL) => "time exceeded",
        (kind::TIME_EXCEEDED, code::EXC_FRAGTIME) => "fragments missing",
        (kind::REDIRECT, _) => "redirect",
        (kind::PARAMETER_PROB, _) => "parameter problem",
        _ => return format!("type {kind} code {code}"),
    };
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;
    use vethlab_engine::reason::DropReason;

    fn icmp(build: impl FnOnce(PacketBuilder_) -> Vec<u8>) -> String {
        describe(&build(PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)))
    }

    type PacketBuilder_ = etherparse::PacketBuilderStep<etherparse::IpHeaders>;

    fn bytes<T: AsRef<[u8]>>(write: impl FnOnce(&mut Vec<u8>, &[u8]), payload: T) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, payload.as_ref());
        bytes
    }

    #[test]
    fn frames_are_told_in_one_line() {
        let echo = icmp(|ip| bytes(|out, data| ip.icmpv4_echo_request(7, 1).write(out, data).unwrap(), [0; 56]));
        assert_eq!(echo, "ICMP echo request 10.0.0.1 > 10.0.0.2 id 7 seq 1 ttl 64");
        let udp = icmp(|ip| bytes(|out, data| ip.udp(1000, 33434).write(out, data).unwrap(), [0; 9]));
        assert_eq!(udp, "UDP 10.0.0.1:1000 > 10.0.0.2:33434 9 bytes ttl 64");
        let tcp = icmp(|ip| bytes(|out, data| ip.tcp(5, 80, 1, 9).syn().write(out, data).unwrap(), []));
        assert_eq!(tcp, "TCP 10.0.0.1:5 > 10.0.0.2:80 syn 0 bytes ttl 64");
        let arp = Arp {
            operation: arp::REQUEST,
            sender_mac: Mac([2; 6]),
            sender_ip: Ipv4Addr::new(10, 0, 0, 1),
            target_mac: Mac::ZERO,
            target_ip: Ipv4Addr::new(10, 0, 0, 2),
        };
        let link = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 2, 2, 2, 2, 2, 8, 6];
        assert_eq!(describe(&[&link[..], &arp.emit()].concat()), "ARP who has 10.0.0.2? tell 10.0.0.1");
    }

    #[test]
    fn nothing_is_too_broken_to_be_told() {
        assert_eq!(describe(&[1, 2, 3]), "a frame of 3 bytes, too short for Ethernet");
        let mut frame = bytes(
            |out, data| {
                let ip = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
                ip.udp(1, 2).write(out, data).unwrap();
            },
            [0; 20],
        );
        for length in (0..frame.len()).rev() {
            frame.truncate(length);
            assert!(!describe(&frame).is_empty());
        }
    }

    #[test]
    fn a_line_has_time_place_and_sentence() {
        let mut trace = Trace::new();
        let name = |index| (index == 2).then_some("veth-red");
        trace.step(Time(1_000_234_999), "red", name, Step::Received { port: 2, frame: &[] });
        trace.step(Time(1_000_234_999), "red", name, Step::Dropped { reason: DropReason::NoRoute });
        let lines = "  1.000234 red      veth-red   < a frame of 0 bytes, too short for Ethernet\n  \
                     1.000234 red                 x dropped: no route to the destination (NoRoute)\n";
        assert_eq!(trace.take(), lines);
        assert_eq!(trace.take(), "");
    }
}
