//! Every reason for which a frame is discarded here, provoked.

use super::lab::*;
use crate::addr::Mac;
use crate::control::{Command, LinkChange, RouteKind, RuleAction, RuleSpec};
use crate::filter::{Match, Not, RejectWith, Rule, TableName, Target};
use crate::link::bridge::BridgePortChange;
use crate::local::SocketKind;
use crate::qdisc::{NetemSpec, QdiscMode, QdiscRequest, QdiscSpec};
use crate::reason::DropReason::{self, *};
use crate::sysctl::NeighLimits;
use crate::time::Duration;
use crate::wire::{Ipv4, Tcp, ipv4, protocol};

const IN: End = (0, 2);
const OUT: End = (0, 3);
const MF: u16 = ipv4::MF;

/// Reasons that are the cable's, a full socket's or connection tracking's, and are provoked there.
const OF_OTHERS: [DropReason; 6] =
    [TransmitRefused, SocketQueueFull, ConntrackFull, ConntrackClash, NatOutChanged, NatMalformed];

/// A router with all that the cases need: no address beyond [`Lab::router`]'s.
fn router() -> Lab {
    let mut lab = Lab::router();
    lab.route(0, "10.1.0.0/16", None, RouteKind::Unreachable);
    lab.route(0, "10.2.0.0/16", None, RouteKind::Prohibit);
    lab.route(0, "10.3.0.0/16", None, RouteKind::Blackhole);
    lab
}

fn framed_ip(lab: &mut Lab, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = request("10.0.2.2", "10.0.2.1");
    change(&mut bytes);
    lab.packet(IN, &bytes);
}

fn fragment(lab: &mut Lab, id: u16, flags_fragment: u16, tos: u8, size: usize) {
    let head = Ipv4 { id, flags_fragment, tos, ..header("10.0.2.2", "10.0.2.1") };
    lab.packet(IN, &packet(head, &[], &vec![0; size]));
}

fn to_us(lab: &mut Lab, number: u8, payload: &[u8]) {
    lab.packet(IN, &packet(Ipv4 { protocol: number, ..header("10.0.2.2", "10.0.2.1") }, &[], payload));
}

fn park(lab: &mut Lab, host: u8) {
    lab.packet(IN, &request("10.0.2.2", &format!("10.0.3.{host}")));
}

/// Does what is discarded for this reason; `false` if nobody knows how.
fn provoke(lab: &mut Lab, reason: DropReason) -> bool {
    let ways = [of_the_link, of_the_header, of_the_route, of_what_waits, of_the_payload, of_the_filter, of_queues];
    ways.iter().any(|way| way(lab, reason)) || of_bridges(lab, reason)
}

/// Reasons that are the link and its ARP's.
fn of_the_link(lab: &mut Lab, reason: DropReason) -> bool {
    match reason {
        PortDown => {
            lab.up(IN, false);
            lab.packet(IN, &request("10.0.2.2", "10.0.2.1"));
        }
        NoCarrier => {
            lab.stacks[0].carrier(OUT.1, false);
            lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
        }
        FrameTooShort => lab.receive(IN, &[0; 13]),
        OtherHost => lab.receive(IN, &framed(host_mac(9), host_mac(2), 0x800, &request("10.0.2.2", "10.0.2.1"))),
        UnknownEthertype => lab.receive(IN, &framed(port_mac(IN), host_mac(2), 0x8100, &[0; 50])),
        ArpMalformed => lab.receive(IN, &framed(Mac::BROADCAST, host_mac(2), 0x806, &[0; 27])),
        ArpIgnored => lab.receive(IN, &asks(IN, Mac::BROADCAST, 1, "10.0.2.7", "10.0.2.9")),
        _ => return false,
    }
    true
}

/// Reasons that are the IP header and its options's.
fn of_the_header(lab: &mut Lab, reason: DropReason) -> bool {
    match reason {
        IpHeaderTruncated => lab.packet(IN, &[0x45; 19]),
        IpVersion => framed_ip(lab, |bytes| bytes[0] = 0x55),
        IpHeaderLength => framed_ip(lab, |bytes| bytes[0] = 0x44),
        IpTotalLength => framed_ip(lab, |bytes| bytes.truncate(83)),
        IpChecksum => framed_ip(lab, |bytes| bytes[10] ^= 1),
        IpOptions => lab.packet(IN, &packet(header("10.0.2.2", "10.0.2.1"), &[7, 2], b"")),
        SourceRouted => {
            lab.packet(IN, &packet(header("10.0.2.2", "10.0.2.1"), &[131, 7, 4, 10, 0, 3, 2], b""));
        }
        StrictRoute => {
            lab.sysctl(0, "net/ipv4/conf/all/accept_source_route", "1");
            lab.route(0, "10.9.0.0/16", Some("10.0.3.2"), RouteKind::Unicast);
            lab.packet(IN, &packet(header("10.0.2.2", "10.0.2.1"), &[137, 7, 4, 10, 9, 0, 1], b""));
        }
        _ => return false,
    }
    true
}

/// Reasons that are the route's.
fn of_the_route(lab: &mut Lab, reason: DropReason) -> bool {
    match reason {
        Ipv6Disabled => lab.receive(IN, &framed(port_mac(IN), host_mac(2), 0x86dd, &[0x60; 40])),
        MartianSource => lab.packet(IN, &request("224.0.0.1", "10.0.2.1")),
        MartianDestination => lab.packet(IN, &request("10.0.2.2", "0.0.0.0")),
        OwnSource => lab.packet(IN, &request("10.0.2.1", "10.0.3.2")),
        ReversePath => {
            lab.sysctl(0, "net/ipv4/conf/all/rp_filter", "1");
            lab.packet(IN, &request("10.0.3.2", "10.0.2.1"));
        }
        NoRoute => lab.packet(IN, &request("10.0.2.2", "9.9.9.9")),
        RouteBlackhole => lab.packet(IN, &request("10.0.2.2", "10.3.0.1")),
        RouteUnreachable => lab.packet(IN, &request("10.0.2.2", "10.1.0.1")),
        RouteProhibit => lab.packet(IN, &request("10.0.2.2", "10.2.0.1")),
        ForwardingOff => {
            lab.sysctl(0, "net/ipv4/ip_forward", "0");
            lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
        }
        NotUnicastToUs => {
            lab.receive(IN, &framed(Mac::BROADCAST, host_mac(2), 0x800, &request("10.0.2.2", "10.0.3.2")));
        }
        TtlExpired => {
            lab.packet(IN, &packet(Ipv4 { ttl: 1, ..header("10.0.2.2", "10.0.3.2") }, &[], &echo(8, 8)));
        }
        TooBig => {
            lab.change(OUT, LinkChange { mtu: Some(600), ..LinkChange::default() });
            let head = Ipv4 { flags_fragment: ipv4::DF, ..header("10.0.2.2", "10.0.3.2") };
            lab.packet(IN, &packet(head, &[], &echo(8, 800)));
        }
        _ => return false,
    }
    true
}

/// Reasons that are the neighbour or the other fragments's.
fn of_what_waits(lab: &mut Lab, reason: DropReason) -> bool {
    match reason {
        NoNeighbor => {
            park(lab, 9);
            lab.wait(Duration::from_secs(4));
        }
        NeighborQueueFull => {
            lab.sysctl(0, "net/ipv4/neigh/eth3/unres_qlen_bytes", "1000");
            park(lab, 9);
            park(lab, 9);
        }
        NeighborTableFull => {
            // Only a machine's first namespace may do that by sysctl.
            let limits = NeighLimits { gc_thresh1: 0, gc_thresh2: 10, gc_thresh3: 10, ..NeighLimits::default() };
            lab.stacks[0].neighbors.set_limits(crate::config::IpVersion::V4, limits);
            (5..50).for_each(|host| park(lab, host));
        }
        NeighborRemoved => {
            park(lab, 9);
            lab.up(OUT, false);
        }
        ReassemblyTimeout => {
            fragment(lab, 5, MF, 0, 8);
            lab.wait(Duration::from_secs(31));
        }
        ReassemblyOverlap => {
            fragment(lab, 5, MF, 0, 16);
            fragment(lab, 5, MF | 1, 0, 16);
        }
        ReassemblyDuplicate => {
            fragment(lab, 5, MF, 0, 16);
            fragment(lab, 5, MF, 0, 16);
        }
        ReassemblyTooBig => {
            // With its header it would be 65,548 bytes long.
            (0..91).for_each(|at| fragment(lab, 5, MF | (at * 90), 0, 720));
            fragment(lab, 5, 91 * 90, 0, 8);
        }
        ReassemblyFull => {
            lab.sysctl(0, "net/ipv4/ipfrag_low_thresh", "0");
            lab.sysctl(0, "net/ipv4/ipfrag_high_thresh", "0");
            fragment(lab, 5, MF, 0, 16);
        }
        ReassemblyEcn => {
            fragment(lab, 5, MF, 0, 8);
            fragment(lab, 5, 1, 3, 8);
        }
        _ => return false,
    }
    true
}

/// Reasons that are the payload's.
fn of_the_payload(lab: &mut Lab, reason: DropReason) -> bool {
    match reason {
        FragmentMalformed => fragment(lab, 5, MF, 0, 0),
        IcmpTruncated => to_us(lab, protocol::ICMP, &[8, 0, 0xf7, 0xff]),
        IcmpChecksum => to_us(lab, protocol::ICMP, &[8, 0, 0, 0, 0, 0, 0, 0]),
        IcmpIgnored => {
            lab.sysctl(0, "net/ipv4/icmp_echo_ignore_all", "1");
            to_us(lab, protocol::ICMP, &echo(8, 8));
        }
        IcmpUnhandled => to_us(lab, protocol::ICMP, &echo(0, 8)),
        UdpTruncated => to_us(lab, protocol::UDP, &[0; 7]),
        UdpChecksum => to_us(lab, protocol::UDP, &[0, 1, 0, 2, 0, 8, 0, 1]),
        TcpMalformed => to_us(lab, protocol::TCP, &[0; 19]),
        TcpChecksum => to_us(lab, protocol::TCP, &[0x50; 40]),
        NoSocket => {
            let syn = Tcp { source: 1, destination: 2, ..Tcp::default() };
            to_us(lab, protocol::TCP, &syn.emit(ip("10.0.2.2"), ip("10.0.2.1"), &[]));
        }
        ListenQueueFull => {
            let socket = lab.socket(0, SocketKind::Tcp);
            lab.stacks[0].bind(socket, ip("10.0.2.1"), 80).expect("free");
            lab.stacks[0].listen(socket, 0).expect("bound");
            for source in 1..10 {
                let syn = Tcp { source, destination: 80, flags: crate::wire::tcp::flag::SYN, ..Tcp::default() };
                to_us(lab, protocol::TCP, &syn.emit(ip("10.0.2.2"), ip("10.0.2.1"), &[]));
            }
        }
        NoProtocol => to_us(lab, 99, &[0; 8]),
        LoopbackForeign => lab.packet(IN, &request("127.0.0.1", "10.0.2.1")),
        MulticastUnwanted => lab.packet(IN, &request("10.0.2.2", "224.0.0.5")),
        HostTargetGone => {
            fragment(lab, 5, MF, 0, 8);
            lab.up(IN, false);
        }
        _ => return false,
    }
    true
}

/// Reasons that are a queueing discipline's.
fn of_queues(lab: &mut Lab, reason: DropReason) -> bool {
    let set = |lab: &mut Lab, spec| {
        let asked = QdiscRequest::Set { port: OUT.1, mode: QdiscMode::Add, handle: 0, spec: Some(spec) };
        lab.apply(0, Command::Qdisc(asked)).expect("a discipline");
        lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    };
    let netem = |change: NetemSpec| QdiscSpec::Netem(Box::new(change));
    match reason {
        QdiscFull => set(lab, QdiscSpec::Pfifo(Some(0))),
        NetemLoss => set(lab, netem(NetemSpec { loss: u32::MAX, ..NetemSpec::default() })),
        QdiscReset => {
            set(lab, netem(NetemSpec { latency: 1_000_000, ..NetemSpec::default() }));
            lab.up(OUT, false);
        }
        _ => return false,
    }
    true
}

/// Reasons that are a rule's.
fn of_the_filter(lab: &mut Lab, reason: DropReason) -> bool {
    let all = |target| Rule { target: Some(target), ..Rule::default() };
    match reason {
        FilterDrop => {
            lab.append(0, TableName::Filter, "INPUT", all(Target::Drop));
            lab.packet(IN, &request("10.0.2.2", "10.0.2.1"));
        }
        FilterReject => {
            lab.append(0, TableName::Filter, "FORWARD", all(Target::Reject(RejectWith::PortUnreachable)));
            lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
        }
        FilterBroken => {
            let icmp = Match::Icmp(Not { not: false, of: (8, 0..=255) });
            lab.append(0, TableName::Filter, "INPUT", Rule { matches: vec![icmp], ..all(Target::Accept) });
            to_us(lab, protocol::ICMP, &[8, 0, 0xf7]);
        }
        RerouteFailed => {
            lab.append(0, TableName::Mangle, "OUTPUT", all(Target::Mark { value: 1, mask: u32::MAX }));
            let action = Some(RuleAction::Unreachable);
            let spec = RuleSpec { mark: Some(1), action, priority: Some(1), ..RuleSpec::default() };
            lab.apply(0, Command::RuleAdd(spec)).expect("a rule");
            lab.packet(IN, &request("10.0.2.2", "10.0.2.1"));
        }
        _ => return false,
    }
    true
}

/// Reasons that are a bridge's.
fn of_bridges(lab: &mut Lab, reason: DropReason) -> bool {
    *lab = super::bridge::bridge();
    let (port, other) = (super::bridge::A, host_mac(7));
    let from = |source, destination| framed(destination, source, 0x88b5, &[0; 46]);
    match reason {
        SourceMac => lab.receive(port, &from(Mac::BROADCAST, other)),
        PauseFrame => lab.receive(port, &from(other, Mac([1, 0x80, 0xc2, 0, 0, 1]))),
        BridgePortState => {
            super::bridge::set(lab, port, BridgePortChange { state: Some(0), ..BridgePortChange::default() });
            lab.receive(port, &from(other, Mac::BROADCAST));
        }
        BridgeNoPort => lab.receive(port, &from(other, other)),
        VxlanNoRemote | VxlanHeader | VxlanUnknown | VxlanMoved => super::vxlan::refuse(lab, reason),
        BridgePortMtu => lab.receive(port, &framed(Mac::BROADCAST, other, 0x88b5, &[0; 1505])),
        _ => return false,
    }
    true
}

/// Each case is discarded for its reason, and none is left out.
#[test]
fn every_reason_is_provoked() {
    let mut missing = Vec::new();
    for reason in DropReason::ALL.iter().copied().filter(|reason| !OF_OTHERS.contains(reason)) {
        let mut lab = router();
        if !provoke(&mut lab, reason) || lab.dropped(0, reason) == 0 {
            missing.push(reason);
        }
    }
    assert_eq!(missing, [], "these were not provoked");
}

/// The socket that is full is in a test of `local`; here its reason comes to the books of the stack.
#[test]
fn a_full_socket() {
    let mut lab = Lab::host();
    let socket = lab.socket(0, SocketKind::Udp);
    lab.stacks[0].bind(socket, ip("10.0.0.1"), 53).expect("bound");
    for _ in 0..1000 {
        lab.packet((0, 2), &datagram("10.0.0.2", "10.0.0.1", 53, &[0; 1000]));
    }
    assert!(lab.dropped(0, DropReason::SocketQueueFull) > 0);
}
