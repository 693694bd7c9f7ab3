//! Packets for others.

use super::lab::*;
use crate::control::{Errno, LinkChange, Nud, RouteKind};
use crate::frame::Offload;
use crate::local::{ErrorOrigin, PmtuDiscover, SocketKind};
use crate::reason::DropReason;
use crate::time::Duration;
use crate::wire::icmpv4::{code, kind};
use crate::wire::{Ipv4, icmpv4, ipv4, protocol};

const RAW: SocketKind = SocketKind::Raw { protocol: protocol::ICMP };
const IN: End = (0, 2);
const OUT: End = (0, 3);

/// The type and code of the error that a packet is answered with, and the rest of its header.
fn told(lab: &mut Lab) -> (u8, u8, [u8; 4]) {
    let frame = lab.only(IN);
    let (header, message, _) = icmp_in(&frame);
    assert_eq!((header.source, header.destination), (ip("10.0.2.1"), ip("10.0.2.2")));
    assert_eq!((header.tos, header.ttl, header.flags_fragment), (0xc0, 64, 0));
    (message.kind, message.code, message.rest)
}

/// A packet goes on with another link header, one hop less, and a right checksum; nothing else changes.
#[test]
fn a_packet_goes_on() {
    let mut lab = Lab::router();
    let sent = request("10.0.2.2", "10.0.3.2");
    lab.packet(IN, &sent);
    let frame = lab.only(OUT);
    assert_eq!(frame[..12], [host_mac(3).0, port_mac(OUT).0].concat());
    let (header, payload) = ip_in(&frame);
    assert_eq!((header, payload), (Ipv4 { ttl: 63, ..Ipv4::checked(&sent).expect("right") }, &sent[20..]));
    let counters = lab.stacks[0].ports().get(3).expect("a port").counters;
    assert_eq!((counters.tx_packets, counters.tx_bytes), (1, 98));
}

/// The link's padding goes no further.
#[test]
fn padding_is_cut_off() {
    let mut lab = Lab::router();
    let mut bytes = packet(header("10.0.2.2", "10.0.3.2"), &[], b"x");
    bytes.resize(46, 0xaa);
    lab.packet(IN, &bytes);
    assert_eq!(lab.only(OUT).len(), 14 + 21);
}

/// Three hosts in a row: ping through a router, with ARP on both sides.
#[test]
fn a_ping_through_a_router() {
    let mut lab = Lab::chain();
    let socket = lab.socket(0, RAW);
    lab.ping(0, socket, "10.0.2.2", 56).expect("sent");
    assert_eq!(lab.read(0, socket).expect("a reply").ttl, 63);
    assert_eq!(lab.nud((1, 3), "10.0.2.2"), Some(Nud::Reachable));
}

#[test]
fn the_ttl_ends() {
    let mut lab = Lab::router();
    for ttl in [0, 1] {
        let sent = packet(Ipv4 { ttl, ..header("10.0.2.2", "10.0.3.2") }, &[], &echo(kind::ECHO, 56));
        lab.packet(IN, &sent);
        let frame = lab.only(IN);
        let (_, message, quote) = icmp_in(&frame);
        assert_eq!((message.kind, message.code, quote), (kind::TIME_EXCEEDED, code::EXC_TTL, &sent[..]));
    }
    assert_eq!(lab.dropped(0, DropReason::TtlExpired), 2);
}

#[test]
fn a_packet_with_df_that_is_too_big() {
    let mut lab = Lab::router();
    lab.change(OUT, LinkChange { mtu: Some(1000), ..LinkChange::default() });
    lab.neighbor(OUT, "10.0.3.2", host_mac(3));
    let head = Ipv4 { flags_fragment: ipv4::DF, ..header("10.0.2.2", "10.0.3.2") };
    lab.packet(IN, &packet(head, &[], &echo(kind::ECHO, 973)));
    let frame = lab.only(IN);
    let (outer, message, quote) = icmp_in(&frame);
    assert_eq!((message.kind, message.code, message.rest), (3, code::FRAG_NEEDED, [0, 0, 0x03, 0xe8]));
    assert_eq!((outer.total_length, quote.len()), (576, 548));
    lab.packet(IN, &packet(head, &[], &echo(kind::ECHO, 972)));
    assert_eq!(ip_in(&lab.only(OUT)).0.total_length, 1000);
}

#[test]
fn a_packet_without_df_is_cut() {
    let mut lab = Lab::router();
    lab.change(OUT, LinkChange { mtu: Some(1000), ..LinkChange::default() });
    lab.neighbor(OUT, "10.0.3.2", host_mac(3));
    lab.packet(IN, &packet(header("10.0.2.2", "10.0.3.2"), &[], &echo(kind::ECHO, 1400)));
    let cut: Vec<_> =
        lab.sent().iter().map(|(_, frame)| ip_in(frame).0).map(|h| (h.total_length, h.ttl, h.id)).collect();
    assert_eq!(cut, [(996, 63, 1), (452, 63, 1)]);
}

/// A super-frame is as large as its segments.
#[test]
fn a_super_frame_goes_on_in_one_piece() {
    let mut lab = Lab::router();
    let tcp = crate::wire::Tcp { source: 1, destination: 2, ..Default::default() };
    let mut segment = tcp.emit(ip("10.0.2.2"), ip("10.0.3.2"), &[]).to_vec();
    segment.resize(20 + 4000, 1);
    let head = Ipv4 { protocol: protocol::TCP, flags_fragment: ipv4::DF, ..header("10.0.2.2", "10.0.3.2") };
    let frame = framed(port_mac(IN), host_mac(2), 0x800, &packet(head, &[], &segment));
    let offload = |size| Offload {
        partial_checksum: Some((34, 16)),
        segment_size: Some(size),
        segment_kind: 1,
        header_length: 54,
    };
    lab.receive_offloaded(IN, &frame, offload(1460));
    assert_eq!(lab.only(OUT).len(), frame.len());
    lab.receive_offloaded(IN, &frame, offload(1461));
    assert_eq!(told(&mut lab), (3, code::FRAG_NEEDED, [0, 0, 0x05, 0xdc]));
}

/// What a router says where it has no way (LINUX.md 19), and what it costs (27): two tokens of the bucket.
#[test]
fn no_way() {
    let mut lab = Lab::router();
    lab.route(0, "10.1.0.0/16", None, RouteKind::Unreachable);
    lab.route(0, "10.2.0.0/16", None, RouteKind::Prohibit);
    lab.route(0, "10.3.0.0/16", None, RouteKind::Blackhole);
    let cases = [
        ("9.9.9.9", Some(code::NET_UNREACH), DropReason::NoRoute),
        ("10.1.0.1", Some(code::HOST_UNREACH), DropReason::RouteUnreachable),
        ("10.2.0.1", Some(code::PKT_FILTERED), DropReason::RouteProhibit),
        ("10.3.0.1", None, DropReason::RouteBlackhole),
    ];
    for (to, answer, reason) in cases {
        lab.wait(Duration::from_secs(10));
        lab.packet(IN, &request("10.0.2.2", to));
        match answer {
            Some(code) => assert_eq!(told(&mut lab), (3, code, [0; 4])),
            None => lab.nothing(),
        }
        assert_eq!(lab.dropped(0, reason), 1);
    }
    lab.wait(Duration::from_secs(60));
    for _ in 0..10 {
        lab.packet(IN, &request("10.0.2.2", "9.9.9.9"));
    }
    assert_eq!(lab.sent().len(), 2, "five seconds' worth, of which each error takes two");
}

/// A host that is no router says nothing.
#[test]
fn forwarding_is_off() {
    let mut lab = Lab::router();
    lab.sysctl(0, "net/ipv4/ip_forward", "0");
    lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    lab.packet(IN, &request("10.0.2.2", "9.9.9.9"));
    lab.nothing();
    assert_eq!(lab.dropped(0, DropReason::ForwardingOff), 2);
}

/// The next hop does not answer: the sender is told after three seconds, once for each packet that waited.
#[test]
fn the_next_hop_does_not_answer() {
    let mut lab = Lab::router();
    lab.packet(IN, &request("10.0.2.2", "10.0.3.9"));
    lab.packet(IN, &request("10.0.2.2", "10.0.3.9"));
    assert_eq!(lab.stacks[0].parked(), 2);
    lab.wait(Duration::from_secs(4));
    let sent = lab.sent();
    let asked: Vec<_> = sent.iter().filter(|(end, _)| *end == OUT).map(|(_, frame)| arp_in(frame).sender_ip).collect();
    assert_eq!(asked, [ip("10.0.3.1"); 3], "the sender of the packet is not ours, so the link's own address asks");
    let told: Vec<_> = sent.iter().filter(|(end, _)| *end == IN).map(|(_, frame)| icmp_in(frame)).collect();
    assert_eq!(told.len(), 2);
    for (header, message, quote) in told {
        assert_eq!((header.source, message.kind, message.code), (ip("10.0.2.1"), 3, code::HOST_UNREACH));
        assert_eq!((quote[8], quote.len()), (63, 84), "as it was about to leave");
    }
}

/// What waited leaves when the MAC is known.
#[test]
fn what_waited_leaves() {
    let mut lab = Lab::router();
    for _ in 0..2 {
        lab.packet(IN, &request("10.0.2.2", "10.0.3.9"));
    }
    let frame = lab.only(OUT);
    assert_eq!(arp_in(&frame).target_ip, ip("10.0.3.9"));
    lab.receive(OUT, &asks(OUT, port_mac(OUT), 2, "10.0.3.9", "10.0.3.1"));
    assert_eq!(lab.sent().len(), 2);
    assert_eq!(lab.stacks[0].parked(), 0);
}

/// A shorter way on the same link: the packet goes on, and its sender is told, less and less often.
#[test]
fn a_redirect() {
    let mut lab = Lab::router();
    lab.neighbor(IN, "10.0.2.9", host_mac(9));
    lab.route(0, "10.9.0.0/16", Some("10.0.2.9"), RouteKind::Unicast);
    lab.packet(IN, &request("10.0.2.2", "10.9.0.1"));
    let sent = lab.sent();
    assert_eq!(sent.len(), 2);
    let (header, message, quote) = icmp_in(&sent[0].1);
    assert_eq!((header.tos, message.kind, message.code), (0xc0, kind::REDIRECT, code::REDIR_HOST));
    assert_eq!((message.rest, quote[8]), ([10, 0, 2, 9], 63));
    assert_eq!(sent[1].1[..6], host_mac(9).0);
    let mut told = Vec::new();
    for tenth in 1..=300 {
        lab.wait(Duration::from_millis(100));
        lab.packet(IN, &request("10.0.2.2", "10.9.0.1"));
        told.extend((lab.sent().len() == 2).then_some(tenth));
    }
    assert_eq!(told, [1, 2, 4, 8, 15, 28, 54, 106], "nine in all, then no more while it does not listen");
    lab.wait(Duration::from_secs(21));
    lab.packet(IN, &request("10.0.2.2", "10.9.0.1"));
    assert_eq!(lab.sent().len(), 2);
    lab.sysctl(0, "net/ipv4/conf/all/send_redirects", "0");
    lab.sysctl(0, "net/ipv4/conf/eth2/send_redirects", "0");
    lab.wait(Duration::from_secs(21));
    lab.packet(IN, &request("10.0.2.2", "10.9.0.1"));
    assert_eq!(lab.sent().len(), 1);
}

/// A host that is told of a shorter way takes it, once it knows the new router's MAC.
#[test]
fn a_redirect_is_believed() {
    let mut lab = Lab::host();
    lab.neighbor((0, 2), "10.0.0.254", host_mac(2));
    lab.neighbor((0, 2), "10.0.0.253", host_mac(3));
    lab.route(0, "0.0.0.0/0", Some("10.0.0.254"), RouteKind::Unicast);
    let socket = lab.socket(0, RAW);
    lab.ping(0, socket, "8.8.8.8", 56).expect("sent");
    let sent = lab.only((0, 2));
    assert_eq!(sent[..6], host_mac(2).0);
    let message = icmpv4::Icmp { kind: kind::REDIRECT, code: 1, rest: [10, 0, 0, 253] };
    let mut payload = message.emit(&sent[14..]).to_vec();
    payload.extend(&sent[14..]);
    lab.packet((0, 2), &packet(header("10.0.0.254", "10.0.0.1"), &[], &payload));
    lab.ping(0, socket, "8.8.8.8", 56).expect("sent");
    assert_eq!(lab.only((0, 2))[..6], host_mac(3).0);
}

/// A path MTU is learned: the first datagram is lost, the next is refused here (LINUX.md 29).
#[test]
fn a_path_mtu_is_learned() {
    let mut lab = Lab::chain();
    lab.change((1, 3), LinkChange { mtu: Some(1400), ..LinkChange::default() });
    let socket = lab.socket(0, RAW);
    lab.stacks[0].options(socket).pmtu = PmtuDiscover::Do;
    lab.ping(0, socket, "10.0.2.2", 1400).expect("sent");
    let error = lab.error(0, socket).expect("frag needed");
    assert_eq!((error.errno, error.info), (Errno::MsgSize, 1400));
    assert!(matches!(error.origin, ErrorOrigin::Icmp { kind: 3, code: 4, .. }));
    assert_eq!(lab.ping(0, socket, "10.0.2.2", 1400), Err(Errno::MsgSize));
    lab.wait(Duration::from_secs(601));
    lab.ping(0, socket, "10.0.2.2", 1400).expect("forgotten");
}

/// A frame for everybody is not passed on.
#[test]
fn a_broadcast_frame_is_not_passed_on() {
    let mut lab = Lab::router();
    let frame = framed(crate::addr::Mac::BROADCAST, host_mac(2), 0x800, &request("10.0.2.2", "10.0.3.2"));
    lab.receive(IN, &frame);
    lab.nothing();
    assert_eq!(lab.dropped(0, DropReason::NotUnicastToUs), 1);
}

/// Loose source routes are followed (where accepted); the packet gets the way out's address in place of the hop.
#[test]
fn a_source_route() {
    let mut lab = Lab::router();
    let options = [131, 7, 4, 10, 0, 3, 2, 0];
    let sent = packet(header("10.0.2.2", "10.0.2.1"), &options, &echo(kind::ECHO, 8));
    lab.packet(IN, &sent);
    lab.nothing();
    assert_eq!(lab.dropped(0, DropReason::SourceRouted), 1);
    lab.sysctl(0, "net/ipv4/conf/all/accept_source_route", "1");
    lab.packet(IN, &sent);
    let frame = lab.only(OUT);
    let (header, _) = ip_in(&frame);
    assert_eq!(header.destination, ip("10.0.3.2"));
    assert_eq!(frame[34..41], [131, 7, 8, 10, 0, 3, 1]);
    let strict = [137, 7, 4, 10, 9, 0, 1, 0];
    lab.route(0, "10.9.0.0/16", Some("10.0.3.2"), RouteKind::Unicast);
    lab.packet(IN, &packet(super::lab::header("10.0.2.2", "10.0.2.1"), &strict, &echo(kind::ECHO, 8)));
    assert_eq!(icmp_in(&lab.only(IN)).1.code, code::SR_FAILED);
}

/// A malformed option: "parameter problem", with its place.
#[test]
fn a_malformed_option() {
    let mut lab = Lab::router();
    lab.packet(IN, &packet(header("10.0.2.2", "10.0.3.2"), &[7, 7, 2, 0, 0, 0, 0, 0], &echo(kind::ECHO, 0)));
    assert_eq!(told(&mut lab), (kind::PARAMETER_PROB, 0, [22, 0, 0, 0]));
}

/// A route through `lo` of what is not ours: a packet that passes goes round until its time is over, for it keeps its
/// route; one of our own is delivered, but the answer would have to come from an address that is not ours.
#[test]
fn round_and_round_through_lo() {
    let mut lab = Lab::router();
    lab.route_through_lo(0, "10.9.0.0/16");
    lab.packet(IN, &packet(Ipv4 { ttl: 9, ..header("10.0.2.2", "10.9.0.1") }, &[], &echo(8, 8)));
    let frame = lab.only(IN);
    let (_, error, quoted) = icmp_in(&frame);
    assert_eq!((error.kind, quoted[8]), (kind::TIME_EXCEEDED, 1));
    let socket = lab.socket(0, RAW);
    for size in [56, 3000] {
        lab.ping(0, socket, "10.9.0.1", size).expect("sent");
        let heard = lab.read(0, socket).map(|datagram| (datagram.destination, datagram.ttl));
        assert_eq!(heard, Some((ip("10.9.0.1").into(), 64)));
        assert_eq!(lab.read(0, socket), None);
    }
    lab.nothing();
}
