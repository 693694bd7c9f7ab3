//! What becomes of packets, judged by what Linux 6.18 made of them in `unshare -n`, and by `etherparse`.

use super::*;
use crate::conntrack::tests::{address, at, echo, ip, tcp, tracker, udp};
use crate::conntrack::{Conn, Direction};
use crate::reason::DropReason;
use crate::wire::icmpv4::kind;
use crate::wire::{Icmp, Ipv4, Tcp, checksum, ipv4, protocol};
use core::ops::RangeInclusive;
use etherparse::{Icmpv4Slice, Icmpv4Type, Ipv4HeaderSlice, TcpSlice, UdpSlice};
use proptest::prelude::*;

/// What the rules say: nothing, a DNAT, an SNAT, both.
#[derive(Clone, Debug, Default)]
struct Rules {
    destination: Option<NatRange>,
    source: Option<NatRange>,
}

fn range(first: &str, last: &str, ports: Option<RangeInclusive<u16>>) -> NatRange {
    NatRange { addresses: Some((address(first), address(last))), ports, ..NatRange::default() }
}

fn source(first: &str, last: &str, ports: Option<RangeInclusive<u16>>) -> Rules {
    Rules { source: Some(range(first, last, ports)), destination: None }
}

fn destination(first: &str, last: &str, ports: Option<RangeInclusive<u16>>) -> Rules {
    Rules { destination: Some(range(first, last, ports)), source: None }
}

/// A packet comes in and goes out, or comes to its end.
fn through(flows: &mut Conntrack, now: Time, packet: &mut [u8], rules: &Rules, out: IfIndex) -> Result<(), DropReason> {
    let done = hooks(flows, now, packet, rules, out);
    flows.reap();
    done
}

/// What the hooks ask of it.
fn hooks(flows: &mut Conntrack, now: Time, packet: &mut [u8], rules: &Rules, out: IfIndex) -> Result<(), DropReason> {
    let mut nfct = Nfct::default();
    flows.nf_conntrack_in(now, Hook::PreRouting, packet, false, &mut nfct)?;
    let number = packet[9];
    for (hook, range) in [(Hook::PreRouting, &rules.destination), (Hook::PostRouting, &rules.source)] {
        if flows.nat_wanted(&nfct, number, hook) {
            match range {
                Some(range) => flows.nat_setup(now, &nfct, hook, range),
                None => flows.nat_null(now, &nfct, hook),
            }
        }
        flows.nat_packet(packet, false, &nfct, hook, out)?;
    }
    flows.confirm(now, &mut nfct)
}

/// The two ends of what comes out.
fn ends(packet: &[u8]) -> ((String, u16), (String, u16)) {
    let header = Ipv4::parse(packet).expect("a header");
    let port = |at: usize| u16::from_be_bytes([packet[20 + at], packet[21 + at]]);
    let ports = if header.protocol == protocol::ICMP { (port(4), 0) } else { (port(0), port(2)) };
    ((header.source.to_string(), ports.0), (header.destination.to_string(), ports.1))
}

fn translated(flows: &mut Conntrack, mut packet: Vec<u8>, rules: &Rules) -> ((String, u16), (String, u16)) {
    through(flows, at(0), &mut packet, rules, 2).expect("translated");
    assert_right(&packet);
    ends(&packet)
}

/// Checksums as `etherparse` reckons them; in an ICMP error those of the quoted packet, too.
fn assert_right(packet: &[u8]) {
    let header = Ipv4HeaderSlice::from_slice(packet).expect("a header");
    assert_eq!(header.header_checksum(), header.to_header().calc_header_checksum(), "the IP header");
    let payload = &packet[header.slice().len()..usize::from(header.total_len())];
    match header.protocol().0 {
        protocol::TCP => {
            let slice = TcpSlice::from_slice(payload).expect("TCP");
            let right = slice.calc_checksum_ipv4(header.source(), header.destination()).expect("short enough");
            assert_eq!(slice.checksum(), right, "TCP");
        }
        protocol::UDP => {
            let slice = UdpSlice::from_slice(payload).expect("UDP");
            let right =
                slice.to_header().calc_checksum_ipv4_raw(header.source(), header.destination(), slice.payload());
            assert!([0, right.expect("short enough")].contains(&slice.checksum()), "UDP");
        }
        protocol::ICMP => {
            let slice = Icmpv4Slice::from_slice(payload).expect("ICMP");
            assert_eq!(slice.checksum(), slice.icmp_type().calc_checksum(slice.payload()), "ICMP");
            if let Icmpv4Type::DestinationUnreachable(_) | Icmpv4Type::TimeExceeded(_) = slice.icmp_type() {
                assert_right(slice.payload());
            }
        }
        _ => {}
    }
}

const SERVER: (&str, u16) = ("192.0.2.1", 53);

#[test]
fn a_port_is_kept_if_it_is_free_for_that_destination() {
    let mut flows = tracker();
    let rules = source("203.0.113.1", "203.0.113.1", None);
    let (first, to) = translated(&mut flows, udp(("10.0.0.1", 4000), SERVER, b"x"), &rules);
    assert_eq!((first, to), (("203.0.113.1".into(), 4000), ("192.0.2.1".into(), 53)));
    let (second, _) = translated(&mut flows, udp(("10.0.0.2", 4000), SERVER, b"x"), &rules);
    assert!(second.1 != 4000 && second.1 >= 1024, "{second:?}");
    let (other, _) = translated(&mut flows, udp(("10.0.0.2", 4000), ("192.0.2.2", 53), b"x"), &rules);
    assert_eq!(other, second, "the same source is mapped to the same, if that is free");
    let (answer, to) = translated(&mut flows, udp(SERVER, ("203.0.113.1", second.1), b"y"), &Rules::default());
    assert_eq!((answer, to), (("192.0.2.1".into(), 53), ("10.0.0.2".into(), 4000)));
}

/// Ports below 512 stay below 512, those below 1024 between 600 and 1023.
#[test]
fn ports_of_the_privileged_stay_privileged() {
    let mut flows = tracker();
    let rules = source("203.0.113.1", "203.0.113.1", None);
    for (port, low, high) in [(80, 1, 511), (511, 1, 511), (512, 600, 1023), (1000, 600, 1023), (1024, 1024, 65535)] {
        for host in 1..=20 {
            let from = format!("10.0.0.{host}");
            let ((_, got), _) = translated(&mut flows, udp((&from, port), SERVER, b"x"), &rules);
            assert!(got == port || (low..=high).contains(&got), "{port} became {got}");
        }
    }
}

/// As Linux chose (`iptables -t nat -A POSTROUTING -j SNAT --to 10.50.0.1-10.50.0.200`).
#[test]
fn the_address_of_several_is_the_one_that_linux_takes() {
    for (host, expected) in [(1, 100), (2, 40), (3, 133), (4, 106)] {
        let (mut flows, from) = (tracker(), format!("10.9.0.{host}"));
        let rules = source("10.50.0.1", "10.50.0.200", None);
        let (got, _) = translated(&mut flows, udp((&from, 3333), ("10.9.1.1", 5000), b"x"), &rules);
        assert_eq!(got, (format!("10.50.0.{expected}"), 3333));
    }
    for (host, to, expected) in [(1, 1, 5), (1, 2, 8), (2, 1, 2), (3, 1, 6), (3, 2, 9), (4, 1, 5)] {
        let (mut flows, from, to) = (tracker(), format!("10.9.0.{host}"), format!("10.9.1.{to}"));
        let rules = destination("10.9.1.1", "10.9.1.9", None);
        let (_, got) = translated(&mut flows, udp((&from, 3333), (&to, 6000), b"x"), &rules);
        assert_eq!(got, (format!("10.9.1.{expected}"), 6000));
    }
}

/// `--to-destination 10.9.1.1:7100-7110/6100`: 6105 becomes 7105, and from the second on the next one that is free.
#[test]
fn ports_are_shifted_from_a_base() {
    let mut flows = tracker();
    let range = NatRange { base_port: Some(6100), ..range("10.9.1.1", "10.9.1.1", Some(7100..=7110)) };
    let rules = Rules { destination: Some(range), source: None };
    let from = ("10.9.0.1", 3333);
    for (to, expected) in [("10.9.1.1", 7105), ("10.9.1.2", 7106), ("10.9.1.3", 7107)] {
        let (_, got) = translated(&mut flows, udp(from, (to, 6105), b"x"), &rules);
        assert_eq!(got, ("10.9.1.1".into(), expected));
    }
}

/// No port is given twice to one destination: when there is none left, the packet is dropped, and later there are again.
#[test]
fn a_range_that_is_used_up_drops_and_recovers() {
    let mut flows = tracker();
    let rules = source("203.0.113.1", "203.0.113.1", Some(5000..=5009));
    let mut taken = std::collections::BTreeSet::new();
    for host in 1..=10 {
        let from = format!("10.0.0.{host}");
        let ((_, port), _) = translated(&mut flows, udp((&from, 4000), SERVER, b"x"), &rules);
        assert!((5000..=5009).contains(&port) && taken.insert(port), "{port} twice");
    }
    let mut packet = udp(("10.0.0.11", 4000), SERVER, b"x");
    assert_eq!(through(&mut flows, at(1), &mut packet, &rules, 2), Err(DropReason::ConntrackClash));
    let mut packet = udp(("10.0.0.11", 4000), SERVER, b"x");
    assert_eq!(through(&mut flows, at(31), &mut packet, &rules, 2), Ok(()));
}

#[test]
fn echoes_of_two_hosts_with_one_id_are_told_apart() {
    let mut flows = tracker();
    let rules = source("203.0.113.1", "203.0.113.1", None);
    let ((_, first), _) = translated(&mut flows, echo("10.0.0.1", "192.0.2.1", kind::ECHO, 7), &rules);
    let ((_, second), _) = translated(&mut flows, echo("10.0.0.2", "192.0.2.1", kind::ECHO, 7), &rules);
    assert_eq!(first, 7);
    assert_ne!(second, 7);
    let reply = echo("192.0.2.1", "203.0.113.1", kind::ECHO_REPLY, second);
    let ((_, id), (to, _)) = translated(&mut flows, reply, &rules);
    assert_eq!((to.as_str(), id), ("10.0.0.2", 7));
}

/// A host behind NAT reaches its neighbour by the address that both have outside, and the answer finds its way back.
#[test]
fn hairpin() {
    let mut flows = tracker();
    let rules = Rules {
        destination: Some(range("10.0.0.9", "10.0.0.9", Some(8080..=8080))),
        source: Some(range("203.0.113.1", "203.0.113.1", None)),
    };
    let (from, to) = translated(&mut flows, udp(("10.0.0.1", 4000), ("203.0.113.1", 80), b"x"), &rules);
    assert_eq!((from, to), (("203.0.113.1".into(), 4000), ("10.0.0.9".into(), 8080)));
    let answer = udp(("10.0.0.9", 8080), ("203.0.113.1", 4000), b"y");
    let (from, to) = translated(&mut flows, answer, &Rules::default());
    assert_eq!((from, to), (("203.0.113.1".into(), 80), ("10.0.0.1".into(), 4000)));
}

fn masqueraded(out: IfIndex) -> Conntrack {
    let mut flows = tracker();
    let (mut nfct, packet) = (Nfct::default(), udp(("10.0.0.1", 4000), SERVER, b"x"));
    flows.nf_conntrack_in(at(0), Hook::PreRouting, &packet, false, &mut nfct).expect("room");
    flows.nat_null(at(0), &nfct, Hook::PreRouting);
    flows.nat_masquerade(at(0), &nfct, out, address("203.0.113.1"), &NatRange::default());
    flows.confirm(at(0), &mut nfct).expect("confirmed");
    flows.reap();
    flows
}

#[test]
fn what_is_masqueraded_ends_with_its_interface_and_its_address() {
    let gone = |out, held: Option<&str>| {
        let mut flows = masqueraded(5);
        flows.masquerade_gone(out, held.map(address));
        flows.held() == 0
    };
    assert!(gone(5, None) && gone(5, Some("203.0.113.1")));
    assert!(!gone(6, None) && !gone(5, Some("203.0.113.2")) && !gone(6, Some("203.0.113.1")));
    let mut flows = masqueraded(5);
    let mut packet = udp(("10.0.0.1", 4000), SERVER, b"x");
    assert_eq!(through(&mut flows, at(1), &mut packet, &Rules::default(), 5), Ok(()));
    let mut packet = udp(("10.0.0.1", 4000), SERVER, b"x");
    assert_eq!(through(&mut flows, at(1), &mut packet, &Rules::default(), 6), Err(DropReason::NatOutChanged));
    assert_eq!(flows.held(), 0);
}

/// An ICMP error that quotes `packet`, from `router` to the packet's sender.
fn error_about(packet: &[u8], router: &str, icmp: Icmp) -> Vec<u8> {
    let to = Ipv4::parse(packet).expect("a header").source.to_string();
    ip(router, &to, protocol::ICMP, &[&icmp.emit(packet)[..], packet].concat())
}

const UNREACHABLE: Icmp = Icmp { kind: kind::DEST_UNREACH, code: 1, rest: [0; 4] };

/// The error comes to who sent the packet, and quotes what it sent.
#[test]
fn errors_are_translated_with_what_they_quote() {
    let mut flows = tracker();
    let rules = source("203.0.113.1", "203.0.113.1", Some(5000..=5000));
    let sent = udp(("10.0.0.1", 4000), SERVER, b"x");
    let mut outside = sent.clone();
    through(&mut flows, at(0), &mut outside, &rules, 2).expect("translated");
    let mut error = error_about(&outside, "198.51.100.1", UNREACHABLE);
    through(&mut flows, at(0), &mut error, &Rules::default(), 3).expect("translated");
    assert_right(&error);
    assert_eq!(error[28..], sent[..], "what is quoted is what was sent");
    assert_eq!(ends(&error).1.0, "10.0.0.1");
    assert_eq!(flows.entries(at(0)).len(), 1);
}

/// One that is wrong is not part of the flow, and so is not translated: the router itself gets it.
#[test]
fn errors_with_a_wrong_checksum_are_invalid() {
    let mut flows = tracker();
    let rules = source("203.0.113.1", "203.0.113.1", None);
    let mut outside = udp(("10.0.0.1", 4000), SERVER, b"x");
    through(&mut flows, at(0), &mut outside, &rules, 2).expect("translated");
    let mut error = error_about(&outside, "198.51.100.1", UNREACHABLE);
    error[22] ^= 1;
    let before = error.clone();
    assert_eq!(through(&mut flows, at(0), &mut error, &Rules::default(), 3), Ok(()));
    assert_eq!(error, before);
    let mut redirect =
        error_about(&outside, "198.51.100.1", Icmp { kind: kind::REDIRECT, code: 1, rest: [10, 0, 0, 9] });
    assert_eq!(through(&mut flows, at(0), &mut redirect, &Rules::default(), 3), Err(DropReason::NatMalformed));
}

/// As a sender leaves it to its device: the field holds the pseudo header's sum, and after NAT that of the new one.
#[test]
fn unfinished_checksums_stay_right() {
    for number in [protocol::UDP, protocol::TCP] {
        let mut flows = tracker();
        let (from, to) = (("10.0.0.1", 4000), SERVER);
        let mut packet = match number {
            protocol::UDP => udp(from, to, b"odd"),
            _ => tcp(from, to, Tcp { flags: crate::wire::tcp::flag::SYN, ..Tcp::default() }),
        };
        let field = 20 + if number == protocol::UDP { 6 } else { 16 };
        let pseudo = |packet: &[u8]| {
            let header = Ipv4::parse(packet).expect("a header");
            checksum::fold(checksum::pseudo(header.source, header.destination, number, packet.len() - 20))
        };
        let sum = pseudo(&packet).to_be_bytes();
        packet[field..field + 2].copy_from_slice(&sum);
        let mut nfct = Nfct::default();
        flows.nf_conntrack_in(at(0), Hook::PreRouting, &packet, true, &mut nfct).expect("room");
        let range = range("203.0.113.77", "203.0.113.77", Some(5000..=5000));
        flows.nat_setup(at(0), &nfct, Hook::PostRouting, &range);
        flows.nat_packet(&mut packet, true, &nfct, Hook::PostRouting, 2).expect("translated");
        assert_eq!(ends(&packet).0, ("203.0.113.77".into(), 5000));
        assert_eq!(packet[field..field + 2], pseudo(&packet).to_be_bytes(), "protocol {number}");
    }
}

/// A packet of some kind between two ends.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let host = (1..4_u8).prop_map(|host| format!("10.0.0.{host}"));
    let server = (1..4_u8).prop_map(|host| format!("192.0.2.{host}"));
    let payload = prop::collection::vec(any::<u8>(), 0..40);
    (host, server, 1..2000_u16, 1..100_u16, payload, 0..5_u8).prop_map(|(from, to, sport, dport, payload, which)| {
        match which {
            0 => {
                let tcp = Tcp {
                    source: sport,
                    destination: dport,
                    sequence: sport.into(),
                    flags: crate::wire::tcp::flag::SYN,
                    window: 100,
                    ..Tcp::default()
                };
                let header = tcp.emit(address(&from), address(&to), &payload);
                ip(&from, &to, protocol::TCP, &[&header[..], &payload].concat())
            }
            1 => udp((&from, sport), (&to, dport), &payload),
            2 => {
                let mut packet = udp((&from, sport), (&to, dport), &payload);
                packet[26..28].fill(0);
                packet
            }
            3 => echo(&from, &to, kind::ECHO, sport),
            _ => ip(&from, &to, 99, &payload),
        }
    })
}

/// What NAT made of a flow's first packet, judged, and then of an error about it.
fn there_and_back(flows: &mut Conntrack, sent: &[u8], rules: &Rules) {
    let mut outside = sent.to_vec();
    if through(flows, at(0), &mut outside, rules, 2).is_err() {
        return;
    }
    assert_right(&outside);
    if sent[9] == protocol::UDP && sent[26..28] == [0, 0] {
        assert_eq!(outside[26..28], [0, 0], "no checksum is none");
    }
    let mut error = error_about(&outside, "198.51.100.1", UNREACHABLE);
    through(flows, at(0), &mut error, &Rules::default(), 3).expect("an error passes");
    assert_right(&error);
    assert_eq!(error[28..], sent[..], "what is quoted is what was sent");
}

proptest! {
    /// Whatever is translated how: its checksums are right, and an error about it quotes what was sent, checksums and all.
    #[test]
    fn checksums_stay_right(packets in prop::collection::vec(any_packet(), 1..30), which in 0..4_u8, ports in any::<bool>()) {
        let mut flows = tracker();
        let range = |first, last| range(first, last, ports.then_some(30_000..=30_010));
        let rules = Rules {
            source: (which & 1 != 0).then(|| range("203.0.113.1", "203.0.113.9")),
            destination: (which & 2 != 0).then(|| range("172.16.0.1", "172.16.255.9")),
        };
        for packet in &packets {
            there_and_back(&mut flows, packet, &rules);
        }
        assert_unique(&flows);
    }

    /// Bytes that are no packet, or nearly one: nothing panics.
    #[test]
    fn noise_never_panics(
        base in any_packet(),
        changes in prop::collection::vec((0..80_usize, any::<u8>()), 0..8),
        cut in 0..120_usize,
    ) {
        let mut flows = tracker();
        let rules = source("203.0.113.1", "203.0.113.9", None);
        let mut known = base.clone();
        let _ = through(&mut flows, at(0), &mut known, &rules, 2);
        for mut packet in [base.clone(), error_about(&known, "198.51.100.1", UNREACHABLE)] {
            for (place, byte) in &changes {
                if let Some(at) = packet.get_mut(*place) {
                    *at = *byte;
                }
            }
            packet.truncate(cut.max(20));
            ipv4::write_checksum(&mut packet[..20]);
            let _ = through(&mut flows, at(1), &mut packet, &rules, 2);
        }
    }
}

/// No two flows have answers that look the same.
fn assert_unique(flows: &Conntrack) {
    let mut replies: Vec<_> =
        flows.entries(at(0)).into_iter().map(|conn: &Conn| *conn.tuple(Direction::Reply)).collect();
    let all = replies.len();
    replies.sort_unstable_by_key(|tuple| {
        (
            tuple.protocol,
            tuple.source.address,
            tuple.source.port,
            tuple.destination.address,
            tuple.destination.port,
            tuple.icmp,
        )
    });
    replies.dedup();
    assert_eq!(replies.len(), all);
}

/// Bytes of memory that a flow may cost, when the table is as large as it gets: vectors double.
const BYTES_A_FLOW: usize = 512;

/// A million flows, or as many as `VETHLAB_FLOWS` says. No port is given twice to one destination, the memory is that of the
/// table's bound, a table that is full drops, with its reason, and takes no more memory; expiry frees all, and what was full
/// recovers.
#[test]
fn a_million_flows() {
    let many: u32 = std::env::var("VETHLAB_FLOWS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut flows = tracker();
    flows.configure(crate::conntrack::Settings { max: many as usize, ..Default::default() });
    let rules = source("203.0.113.1", "203.0.113.1", None);
    // Up to 50,000 flows to each server: nearly all ports there are, from two hosts that begin with the same ones.
    let half = many.min(50_000) / 2;
    let packet = |number: u32| {
        let (to, port) = (Ipv4Addr::from_bits(0xc000_0000 + number / (2 * half)), (number % half + 1024) as u16);
        let from = if number % (2 * half) < half { "10.0.0.1" } else { "10.0.0.2" };
        udp((from, port), (&to.to_string(), 53), b"")
    };
    let mut dropped = 0;
    for number in 0..many {
        let mut bytes = packet(number);
        // The search for a port is bounded, and may fail where few are left.
        dropped += u32::from(through(&mut flows, at(0), &mut bytes, &rules, 2).is_err());
    }
    assert!(dropped * 100 <= many, "{dropped} of {many}");
    assert_eq!(flows.held(), (many - dropped) as usize);
    assert_unique(&flows);
    fill(&mut flows, many as usize, &rules);
    let memory = flows.footprint();
    assert!(memory <= many as usize * BYTES_A_FLOW, "{memory} bytes for {many} flows");
    full_and_empty_again(&mut flows, many as usize, u64::from(dropped), &rules);
    assert!(flows.footprint() <= memory, "what is freed is used again");
}

/// Flows to other servers, until the table is full.
fn fill(flows: &mut Conntrack, many: usize, rules: &Rules) {
    let mut more = 0;
    while flows.held() < many {
        more += 1;
        let to = Ipv4Addr::from_bits(0xc612_0000 + more).to_string();
        through(flows, at(1), &mut udp(("10.0.0.3", 9), (&to, 9), b""), rules, 2).expect("room");
    }
    flows.assure_all();
}

/// A full table refuses; a minute later all that was in it is gone, and there is room.
fn full_and_empty_again(flows: &mut Conntrack, many: usize, dropped: u64, rules: &Rules) {
    let late = |number: u16| udp(("10.0.0.4", number), ("198.19.0.1", 9), b"");
    for number in 1..=100 {
        assert_eq!(through(flows, at(2), &mut late(number), rules, 2), Err(DropReason::ConntrackFull));
        assert_eq!((flows.held(), flows.statistics().drop), (many, dropped + u64::from(number)));
    }
    flows.tick(at(1_000));
    assert_eq!(flows.held(), 0);
    assert!(flows.is_bare());
    for number in 1..=100 {
        assert_eq!(through(flows, at(1_001), &mut late(number), rules, 2), Ok(()));
    }
    assert_eq!(flows.held(), many.min(100));
}
