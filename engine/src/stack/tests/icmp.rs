//! When an error is told, when not, and how often.

use super::lab::*;
use crate::addr::Mac;
use crate::control::{AddressSpec, Command, LinkChange};
use crate::local::{SocketKind, TapCast, TapSpec};
use crate::reason::DropReason;
use crate::time::Duration;
use crate::wire::icmpv4::{code, kind};
use crate::wire::{Icmp, Ipv4, icmpv4, ipv4, protocol};

const END: End = (0, 2);

fn host() -> Lab {
    let mut lab = Lab::host();
    lab.neighbor(END, "10.0.0.2", host_mac(2));
    lab
}

/// Nobody listens: port and protocol unreachable, which quote up to 548 bytes and take over part of the TOS.
#[test]
fn nobody_listens() {
    let mut lab = host();
    let head = Ipv4 { protocol: protocol::UDP, tos: 0xff, ..header("10.0.0.2", "10.0.0.1") };
    let sent = packet(head, &[], &udp("10.0.0.2", "10.0.0.1", 9, &[7; 1000]));
    lab.packet(END, &sent);
    let frame = lab.only(END);
    let (outer, message, quote) = icmp_in(&frame);
    assert_eq!((message.kind, message.code, quote), (3, code::PORT_UNREACH, &sent[..548]));
    assert_eq!((outer.tos, outer.total_length, outer.ttl, outer.flags_fragment), (0xde, 576, 64, 0));
    assert_eq!((outer.source, outer.destination), (ip("10.0.0.1"), ip("10.0.0.2")));
    lab.packet(END, &packet(Ipv4 { protocol: 99, ..head }, &[], b"x"));
    assert_eq!(icmp_in(&lab.only(END)).1.code, code::PROT_UNREACH);
    lab.packet(END, &packet(Ipv4 { protocol: protocol::IGMP, ..head }, &[], b"x"));
    lab.nothing();
}

/// A small MTU makes the quote smaller.
#[test]
fn a_small_way_back() {
    let mut lab = host();
    lab.change(END, LinkChange { mtu: Some(100), ..LinkChange::default() });
    lab.packet(END, &datagram("10.0.0.2", "10.0.0.1", 9, &[7; 60]));
    assert_eq!(ip_in(&lab.only(END)).0.total_length, 100);
}

/// The rules of RFC 1122: nothing is said about a broadcast, a later fragment, an error, or to no one.
#[test]
fn when_nothing_is_said() {
    let mut lab = host();
    let nobody = datagram("10.0.0.2", "10.0.0.1", 9, b"x");
    lab.receive(END, &framed(Mac::BROADCAST, host_mac(2), 0x800, &nobody));
    lab.packet(END, &datagram("10.0.0.2", "10.0.0.255", 9, b"x"));
    lab.packet(END, &datagram("10.0.0.2", "255.255.255.255", 9, b"x"));
    lab.packet(END, &datagram("10.0.0.2", "224.0.0.1", 9, b"x"));
    lab.nothing();
    let mut lab = Lab::router();
    let head = Ipv4 { ttl: 1, ..header("10.0.2.2", "10.0.3.2") };
    lab.packet(END, &packet(Ipv4 { flags_fragment: 5, ..head }, &[], &echo(8, 8)));
    for error in [3, 4, 5, 11, 12, 19, 42] {
        lab.packet(END, &packet(head, &[], &echo(error, 8)));
    }
    lab.packet(END, &packet(head, &[], &[]));
    for source in ["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"] {
        lab.packet(END, &packet(Ipv4 { source: ip(source), ..head }, &[], &echo(8, 8)));
    }
    lab.nothing();
    for told in [0, 8, 13, 17] {
        lab.packet(END, &packet(head, &[], &echo(told, 8)));
        lab.only(END);
    }
    lab.packet(END, &packet(Ipv4 { flags_fragment: ipv4::MF, ..head }, &[], &echo(8, 8)));
    lab.only(END);
}

/// Six at once, then one a second, to each host (LINUX.md 27); `icmp_ratelimit` and `icmp_ratemask` change that.
#[test]
fn errors_are_rationed() {
    let mut lab = host();
    let nobody = datagram("10.0.0.2", "10.0.0.1", 9, b"x");
    let told = |lab: &mut Lab, count: usize| {
        (0..count).for_each(|_| lab.packet(END, &nobody));
        lab.sent().len()
    };
    assert_eq!(told(&mut lab, 20), 6);
    lab.wait(Duration::from_millis(996));
    assert_eq!(told(&mut lab, 5), 0);
    lab.wait(Duration::from_millis(4));
    assert_eq!(told(&mut lab, 5), 1);
    lab.wait(Duration::from_millis(2500));
    assert_eq!(told(&mut lab, 5), 2);
    lab.sysctl(0, "net/ipv4/icmp_ratemask", "0");
    assert_eq!(told(&mut lab, 100), 100);
    lab.sysctl(0, "net/ipv4/icmp_ratemask", "6168");
    lab.sysctl(0, "net/ipv4/icmp_ratelimit", "0");
    lab.wait(Duration::from_secs(2));
    let count = told(&mut lab, 1000);
    assert!((50..150).contains(&count), "what was left of the namespace's own bucket, and 50 more: {count}");
    lab.sysctl(0, "net/ipv4/icmp_msgs_burst", "10000");
    lab.sysctl(0, "net/ipv4/icmp_msgs_per_sec", "10000");
    lab.wait(Duration::from_secs(2));
    assert_eq!(told(&mut lab, 1000), 1000);
}

/// Five no-route errors at once, though errors are not rationed: a router rations these by a bucket that it shares with
/// other errors, which do not empty it.
#[test]
fn no_route_errors_are_rationed_alone() {
    let mut lab = Lab::router();
    lab.sysctl(0, "net/ipv4/icmp_ratelimit", "0");
    let mut told = || {
        (0..9).for_each(|_| lab.packet(END, &request("10.0.2.2", "172.16.0.1")));
        let told = lab.sent().len();
        lab.wait(Duration::from_secs(1));
        told
    };
    assert_eq!((told(), told(), told()), (5, 1, 1));
}

/// Echo replies are not rationed, and can be turned off.
#[test]
fn echo_replies() {
    let mut lab = host();
    for _ in 0..100 {
        lab.packet(END, &request("10.0.0.2", "10.0.0.1"));
    }
    assert_eq!(lab.sent().len(), 100);
    lab.sysctl(0, "net/ipv4/icmp_echo_ignore_all", "1");
    lab.packet(END, &request("10.0.0.2", "10.0.0.1"));
    lab.nothing();
    assert_eq!(lab.dropped(0, DropReason::IcmpIgnored), 1);
}

/// An error speaks from the way back, or from where the packet came in.
#[test]
fn whose_address_an_error_has() {
    let mut lab = Lab::router();
    lab.neighbor((0, 3), "10.0.3.9", host_mac(9));
    lab.route(0, "172.16.0.0/16", Some("10.0.3.9"), crate::control::RouteKind::Unicast);
    let late = packet(Ipv4 { ttl: 1, ..header("172.16.0.1", "10.0.3.2") }, &[], &echo(8, 8));
    lab.packet(END, &late);
    assert_eq!(ip_in(&lab.only((0, 3))).0.source, ip("10.0.3.1"));
    lab.sysctl(0, "net/ipv4/icmp_errors_use_inbound_ifaddr", "1");
    lab.packet(END, &late);
    assert_eq!(ip_in(&lab.only((0, 3))).0.source, ip("10.0.2.1"));
}

/// A datagram whose fragments do not all come: after 30 seconds its sender is told, if the first is there.
#[test]
fn fragments_in_vain() {
    let mut lab = host();
    let head = Ipv4 { flags_fragment: ipv4::MF, ..header("10.0.0.2", "10.0.0.1") };
    lab.packet(END, &packet(head, &[], &[0; 64]));
    lab.packet(END, &packet(Ipv4 { id: 2, flags_fragment: 8, ..head }, &[], &[0; 64]));
    assert_eq!(lab.stacks[0].parked(), 2);
    lab.wait(Duration::from_secs(30));
    let frame = lab.only(END);
    let (_, message, quote) = icmp_in(&frame);
    assert_eq!((message.kind, message.code, quote.len()), (kind::TIME_EXCEEDED, code::EXC_FRAGTIME, 84));
    assert_eq!(lab.dropped(0, DropReason::ReassemblyTimeout), 2);
}

/// An error that concerns no socket teaches nothing; one about our echo reply does (`icmp_err`).
#[test]
fn whose_errors_are_believed() {
    let mut lab = host();
    let quote = packet(Ipv4 { flags_fragment: ipv4::DF, ..header("10.0.0.1", "10.0.0.2") }, &[], &echo(8, 8));
    let tell = |lab: &mut Lab, quote: &[u8]| {
        let mut message = Icmp::frag_needed(600).emit(quote).to_vec();
        message.extend(quote);
        lab.packet(END, &packet(header("10.0.0.2", "10.0.0.1"), &[], &message));
        let key = crate::route::OutputKey::to(ip("10.0.0.2"));
        lab.stacks[0].output_way(lab.now, &key).expect("a way").mtu
    };
    assert_eq!(tell(&mut lab, &quote), 1500);
    let reply = packet(Ipv4::parse(&quote).expect("right"), &[], &echo(0, 8));
    assert_eq!(tell(&mut lab, &reply), 600);
    lab.socket(0, SocketKind::Raw { protocol: protocol::ICMP });
    lab.apply(0, crate::control::Command::RouteCacheFlush).expect("flushed");
    assert_eq!(tell(&mut lab, &quote), 600);
    lab.apply(0, crate::control::Command::RouteCacheFlush).expect("flushed");
    lab.sysctl(0, "net/ipv4/ip_no_pmtu_disc", "2");
    assert_eq!(tell(&mut lab, &quote), 1500);
    assert_eq!(tell(&mut lab, &quote[..27]), 1500);
    let socket = lab.socket(0, SocketKind::Udp);
    let pmtu = lab.stacks[0].options(socket).pmtu;
    assert_eq!(pmtu, crate::local::PmtuDiscover::Dont, "a socket that does not say whether its datagrams may be cut");
    assert_eq!(lab.dropped(0, DropReason::IcmpTruncated), 1);
    assert_eq!(icmpv4::HEADER, 8);
}

/// Who asks from 0.0.0.0 is answered on `lo`, at the address that answers.
#[test]
fn who_has_no_address_is_answered_on_lo() {
    let mut lab = Lab::host();
    lab.sysctl(0, "net/ipv4/icmp_echo_ignore_broadcasts", "0");
    let tap = lab.stacks[0].tap(TapSpec { port: Some(1), snap: 262_144, promiscuous: true }).expect("a tap");
    let answers = |lab: &mut Lab| {
        let mut all = Vec::new();
        for (to, kind) in [("255.255.255.255", kind::ECHO), ("0.0.0.0", kind::ECHO), ("224.0.0.1", kind::TIMESTAMP)] {
            lab.packet(END, &packet(header("0.0.0.0", to), &[], &echo(kind, 20)));
            lab.nothing();
            let heard = std::iter::from_fn(|| lab.stacks[0].tap_frame(tap)).filter(|f| f.cast == TapCast::Outgoing);
            let heard: Vec<_> = heard.map(|frame| ip_in(&frame.bytes).0).collect();
            all.extend(heard.iter().map(|header| (header.source, header.destination)));
        }
        all
    };
    let own = (ip("10.0.0.1"), ip("10.0.0.1"));
    assert_eq!(answers(&mut lab), [own; 3]);
    let address = AddressSpec::of(END.1, ip("10.0.0.1").into(), 24);
    lab.apply(0, Command::AddressDelete(address)).expect("it is there");
    let lo = (ip("127.0.0.1"), ip("127.0.0.1"));
    assert_eq!(answers(&mut lab), [lo; 3]);
}
