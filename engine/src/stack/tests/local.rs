//! Packets for us, and packets of ours.

use super::lab::*;
use crate::control::{Errno, LinkChange, Nud};
use crate::frame::Offload;
use crate::local::{ErrorOrigin, PmtuDiscover, SocketKind};
use crate::reason::DropReason;
use crate::time::Duration;
use crate::wire::{Ipv4, Tcp, icmpv4, ipv4, protocol, tcp};

const RAW: SocketKind = SocketKind::Raw { protocol: protocol::ICMP };

/// The first ping of all: ARP, the request, the reply, with the neighbours' states of LINUX.md 23.
#[test]
fn a_ping_and_its_arp() {
    let mut lab = Lab::pair();
    let socket = lab.socket(0, RAW);
    lab.ping(0, socket, "10.0.0.2", 56).expect("sent");
    let reply = lab.read(0, socket).expect("a reply");
    assert_eq!((reply.ttl, reply.payload.len()), (64, 84));
    let kinds: Vec<(usize, u8)> = lab.wire.iter().map(|((stack, _), frame)| (*stack, frame[13])).collect();
    assert_eq!(kinds, [(0, 6), (1, 6), (0, 0), (1, 0)], "ARP, ARP, request, reply");
    assert_eq!(lab.nud((0, 2), "10.0.0.2"), Some(Nud::Reachable));
    assert_eq!(lab.nud((1, 2), "10.0.0.1"), Some(Nud::Delay));
    let (header, message, payload) = icmp_in(&lab.wire[3].1);
    assert_eq!((header.ttl, header.flags_fragment, message.kind, payload.len()), (64, 0, 0, 56));
    assert_ne!(header.id, 0, "a reply may be cut, and so has an id");
    lab.wait(Duration::from_secs(6));
    assert_eq!(lab.nud((1, 2), "10.0.0.1"), Some(Nud::Reachable), "it asked by unicast");
}

/// A ping to an own address goes through `lo`, and is lost if that is down (LINUX.md 4).
#[test]
fn a_ping_to_ourselves() {
    let mut lab = Lab::host();
    let socket = lab.socket(0, RAW);
    for to in ["10.0.0.1", "127.0.0.1", "127.1.2.3"] {
        lab.ping(0, socket, to, 56).expect("sent");
        let heard = [lab.read(0, socket), lab.read(0, socket)].map(|datagram| datagram.expect("two").payload[20]);
        assert_eq!(heard, [8, 0], "the request and the reply, for a raw socket sees both");
    }
    let lo = &lab.stacks[0].ports().get(1).expect("lo").counters;
    assert_eq!((lo.tx_packets, lo.tx_bytes, lo.rx_packets, lo.rx_bytes), (6, 6 * 84, 6, 6 * 84));
    lab.nothing();
    lab.up((0, 1), false);
    lab.ping(0, socket, "10.0.0.1", 56).expect("lost silently");
    assert_eq!(lab.read(0, socket), None);
    assert_eq!(lab.dropped(0, DropReason::PortDown), 1);
}

/// Nobody answers: three requests, a second apart, and after the third an error from ourselves (LINUX.md 24).
#[test]
fn nobody_answers() {
    let mut lab = Lab::host();
    let socket = lab.socket(0, RAW);
    lab.ping(0, socket, "10.0.0.9", 56).expect("parked");
    assert_eq!(lab.stacks[0].parked(), 1);
    lab.wait(Duration::from_millis(2999));
    let asked = lab.sent();
    assert_eq!(asked.len(), 3);
    for (_, frame) in &asked {
        let asked = arp_in(frame);
        assert_eq!((asked.sender_ip, asked.target_ip), (ip("10.0.0.1"), ip("10.0.0.9")));
    }
    assert_eq!(lab.error(0, socket), None);
    lab.wait(Duration::from_millis(100));
    let error = lab.error(0, socket).expect("an error");
    assert_eq!(error.errno, Errno::HostUnreach);
    assert_eq!(error.origin, ErrorOrigin::Icmp { from: ip("10.0.0.1"), kind: 3, code: 1, ttl: 64 });
    assert_eq!(lab.nud((0, 2), "10.0.0.9"), Some(Nud::Failed));
    assert_eq!((lab.dropped(0, DropReason::NoNeighbor), lab.stacks[0].parked()), (1, 0));
}

/// A request larger than the MTU is cut, put together, answered, and the reply is cut.
#[test]
fn a_large_ping() {
    let mut lab = Lab::pair();
    let socket = lab.socket(0, RAW);
    lab.stacks[0].options(socket).pmtu = PmtuDiscover::Dont;
    lab.ping(0, socket, "10.0.0.2", 3000).expect("sent");
    let reply = lab.read(0, socket).expect("a reply");
    assert_eq!((reply.payload.len(), &reply.payload[28..]), (3028, &echo(0, 3000)[8..]));
    let lengths: Vec<usize> = lab.wire.iter().map(|(_, frame)| frame.len() - 14).collect();
    assert_eq!(lengths, [28, 28, 1500, 1500, 68, 1500, 1500, 68]);
    let ids: Vec<u16> = lab.wire[2..].iter().map(|(_, frame)| ip_in(frame).0.id).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[3] == ids[5]);
}

/// With DF it is refused: `ping -M do -s 3000`.
#[test]
fn a_large_ping_that_may_not_be_cut() {
    let mut lab = Lab::pair();
    let socket = lab.socket(0, RAW);
    lab.stacks[0].options(socket).pmtu = PmtuDiscover::Do;
    assert_eq!(lab.ping(0, socket, "10.0.0.2", 3000), Err(Errno::MsgSize));
}

/// Identifications of one way count on.
#[test]
fn ids_count_on() {
    let mut lab = Lab::host();
    lab.neighbor((0, 2), "10.0.0.2", host_mac(2));
    let mut ids = Vec::new();
    for _ in 0..3 {
        lab.packet((0, 2), &request("10.0.0.2", "10.0.0.1"));
        ids.push(ip_in(&lab.only((0, 2))).0.id);
    }
    assert_eq!(ids, [ids[0], ids[0].wrapping_add(1), ids[0].wrapping_add(2)]);
}

/// Broadcast pings are ignored unless told otherwise, and are answered from our own address.
#[test]
fn a_broadcast_ping() {
    let mut lab = Lab::host();
    lab.neighbor((0, 2), "10.0.0.2", host_mac(2));
    let frame = framed(crate::addr::Mac::BROADCAST, host_mac(2), 0x800, &request("10.0.0.2", "10.0.0.255"));
    lab.receive((0, 2), &frame);
    lab.nothing();
    assert_eq!(lab.dropped(0, DropReason::IcmpIgnored), 1);
    lab.sysctl(0, "net/ipv4/icmp_echo_ignore_broadcasts", "0");
    lab.receive((0, 2), &frame);
    let reply = lab.only((0, 2));
    assert_eq!((icmp_in(&reply).0.source, icmp_in(&reply).1.kind), (ip("10.0.0.1"), 0));
    let group = framed(crate::addr::Mac([1, 0, 0x5e, 0, 0, 1]), host_mac(2), 0x800, &request("10.0.0.2", "224.0.0.1"));
    lab.receive((0, 2), &group);
    assert_eq!(icmp_in(&lab.only((0, 2))).0.source, ip("10.0.0.1"));
}

/// What goes to everybody is delivered here, too, and nobody is asked for a MAC.
#[test]
fn our_own_broadcast() {
    let mut lab = Lab::host();
    let socket = lab.socket(0, RAW);
    lab.stacks[0].options(socket).broadcast = true;
    lab.ping(0, socket, "10.0.0.255", 8).expect("sent");
    assert_eq!(lab.only((0, 2))[..6], [0xff; 6]);
    assert_eq!(lab.read(0, socket).expect("the copy").payload[20], 8);
    assert_eq!(lab.ping(0, socket, "224.0.0.1", 8), Err(Errno::NetUnreach));
    lab.stacks[0].options(socket).multicast_if = Some(2);
    lab.ping(0, socket, "224.0.0.1", 8).expect("sent");
    assert_eq!(lab.only((0, 2))[..6], [1, 0, 0x5e, 0, 0, 1]);
    assert_eq!(lab.read(0, socket).expect("the copy").payload[20], 8);
    assert_eq!(lab.dropped(0, DropReason::IcmpIgnored), 2);
}

/// TCP to a port where nobody listens: a RST with DF, without an id (`tcp_v4_send_reset`).
#[test]
fn a_tcp_segment_is_refused() {
    let mut lab = Lab::host();
    lab.neighbor((0, 2), "10.0.0.2", host_mac(2));
    let syn = Tcp { source: 1000, destination: 80, sequence: 5, flags: tcp::flag::SYN, window: 9, ..Tcp::default() };
    let segment = syn.emit(ip("10.0.0.2"), ip("10.0.0.1"), &[]);
    let head = Ipv4 { protocol: protocol::TCP, tos: 0xff, ..header("10.0.0.2", "10.0.0.1") };
    lab.packet((0, 2), &packet(head, &[], &segment));
    let reset = lab.only((0, 2));
    let (header, payload) = ip_in(&reset);
    let tcp = Tcp::checked(header.source, header.destination, payload).expect("a right segment");
    assert_eq!((tcp.flags, tcp.acknowledgment, tcp.destination), (tcp::flag::RST | tcp::flag::ACK, 6, 1000));
    assert_eq!((header.flags_fragment, header.id, header.tos, header.ttl), (ipv4::DF, 0, 0xfc, 64));
    let rst = Tcp { flags: tcp::flag::RST, ..syn }.emit(ip("10.0.0.2"), ip("10.0.0.1"), &[]);
    lab.packet((0, 2), &packet(head, &[], &rst));
    lab.nothing();
}

/// What the device left to us is finished before anybody looks.
#[test]
fn an_unfinished_checksum_is_finished() {
    let mut lab = Lab::host();
    let socket = lab.socket(0, SocketKind::Udp);
    lab.stacks[0].bind(socket, ip("10.0.0.1"), 53).expect("bound");
    let mut bytes = datagram("10.0.0.2", "10.0.0.1", 53, b"hello");
    let pseudo = crate::wire::checksum::pseudo(ip("10.0.0.2"), ip("10.0.0.1"), protocol::UDP, 13);
    bytes[26..28].copy_from_slice(&crate::wire::checksum::fold(pseudo).to_be_bytes());
    let frame = framed(port_mac((0, 2)), host_mac(2), 0x800, &bytes);
    lab.receive((0, 2), &frame);
    assert_eq!(lab.dropped(0, DropReason::UdpChecksum), 1);
    lab.receive_offloaded((0, 2), &frame, Offload { partial_checksum: Some((34, 6)), ..Offload::default() });
    assert_eq!(lab.read(0, socket).expect("delivered").payload, b"hello");
}

/// Timestamp requests are answered with the milliseconds since midnight.
#[test]
fn a_timestamp_request() {
    let mut lab = Lab::host();
    lab.neighbor((0, 2), "10.0.0.2", host_mac(2));
    let times = [0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut message = icmpv4::Icmp::echo(13, 3, 4).emit(&times).to_vec();
    message.extend(times);
    lab.packet((0, 2), &packet(header("10.0.0.2", "10.0.0.1"), &[], &message));
    let reply = lab.only((0, 2));
    let (_, icmp, rest) = icmp_in(&reply);
    assert_eq!((icmp.kind, icmp.id(), icmp.sequence()), (14, 3, 4));
    assert_eq!(rest, [0, 0, 0, 9, 0, 0, 3, 0xe8, 0, 0, 3, 0xe8], "a second after the beginning");
}

/// A record route gets our address on the way in and on the way out. Of a datagram that is cut, only the first fragment
/// has it.
#[test]
fn a_ping_with_record_route() {
    let mut lab = Lab::chain();
    let socket = lab.socket(0, RAW);
    let mut options = vec![7, 39, 4];
    options.resize(40, 0);
    lab.stacks[0].options(socket).ip_options = options;
    for size in [8, 4000] {
        lab.ping(0, socket, "10.0.2.2", size).expect("sent");
        let reply = lab.read(0, socket).expect("a reply");
        let hops: Vec<String> =
            reply.payload[23..43].chunks(4).map(|a| format!("{}.{}.{}.{}", a[0], a[1], a[2], a[3])).collect();
        assert_eq!(reply.payload[22], 28, "six addresses");
        assert_eq!(hops, ["10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.2.2", "10.0.1.1"]);
    }
}

/// A frame from below with `promisc`, or for another: nobody but packet sockets sees it.
#[test]
fn packet_sockets_see_each_frame() {
    let mut lab = Lab::host();
    let socket = lab.socket(0, SocketKind::Packet { ethertype: 0x800 });
    lab.change((0, 2), LinkChange { promisc: Some(true), ..LinkChange::default() });
    lab.receive((0, 2), &framed(host_mac(9), host_mac(2), 0x800, b"anything"));
    let seen = lab.read(0, socket).expect("a copy");
    assert_eq!((seen.source_mac, seen.payload.as_slice(), seen.port), (host_mac(2), &b"anything"[..], 2));
    assert_eq!(lab.dropped(0, DropReason::OtherHost), 1);
}

/// A veth takes no frame that is too long for its peer: of a packet in fragments only the first is tried
/// (`ip_do_fragment`), and who listens for errors is told.
#[test]
fn fragments_end_where_one_is_refused() {
    let mut lab = Lab::host();
    lab.neighbor((0, 2), "10.0.0.2", port_mac((0, 9)));
    lab.stacks[0].port_mut(2).expect("a port").takes = 1018;
    let socket = lab.socket(0, RAW);
    for (size, tried) in [(976, Ok(())), (977, Err(Errno::NoBufs)), (5000, Err(Errno::NoBufs))] {
        assert_eq!(lab.ping(0, socket, "10.0.0.2", size), tried);
        lab.only((0, 2));
    }
    lab.stacks[0].options(socket).recverr = false;
    assert_eq!(lab.ping(0, socket, "10.0.0.2", 5000), Ok(()));
    lab.only((0, 2));
}
