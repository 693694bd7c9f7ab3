//! Packets meet rules: what passes, what is counted, who is told, and by which way it leaves.

use super::lab::*;
use crate::conntrack::state;
use crate::control::{AddressSpec, Command, Errno, NextHopSpec, RouteKind, RouteMode, RouteSpec, RuleAction, RuleSpec};
use crate::filter::*;
use crate::local::{SocketKind, TapCast, TapSpec};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::wire::tcp::flag;
use crate::wire::{Ipv4, Tcp, icmpv4, ipv4, protocol};

const IN: End = (0, 2);
const OUT: End = (0, 3);

fn to(target: Target) -> Rule {
    Rule { target: Some(target), ..Rule::default() }
}

fn tcp_to(target: Target) -> Rule {
    of(protocol::TCP, to(target))
}

fn of(number: u8, rule: Rule) -> Rule {
    let ip = IpMatch { protocol: Some(Not { not: false, of: number }), ..rule.ip };
    Rule { ip, ..rule }
}

fn when(matches: Match, target: Target) -> Rule {
    Rule { matches: vec![matches], ..to(target) }
}

fn yes<T>(of: T) -> Not<T> {
    Not { not: false, of }
}

fn mark(value: u32) -> Target {
    Target::Mark { value, mask: u32::MAX }
}

fn segment(source: &str, destination: &str, head: Tcp, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 60];
    let head = Tcp { source: 4000, destination: 80, window: 100, ..head };
    let length = head.write(ip(source), ip(destination), options, payload, &mut bytes).expect("room");
    bytes.truncate(length);
    bytes.extend(payload);
    packet(Ipv4 { protocol: protocol::TCP, ..header(source, destination) }, &[], &bytes)
}

fn syn(source: &str, destination: &str) -> Vec<u8> {
    segment(source, destination, Tcp { flags: flag::SYN, sequence: 77, ..Tcp::default() }, &[], &[])
}

fn tcp_in(frame: &[u8]) -> (Ipv4, Tcp) {
    let (head, payload) = ip_in(frame);
    (head, Tcp::checked(head.source, head.destination, payload).expect("a right segment"))
}

#[test]
fn what_is_dropped_is_silent_and_counted() {
    let mut lab = Lab::router();
    lab.append(0, TableName::Filter, "INPUT", of(protocol::UDP, to(Target::Accept)));
    lab.append(0, TableName::Filter, "INPUT", to(Target::Drop));
    lab.packet(IN, &request("10.0.2.2", "10.0.2.1"));
    lab.nothing();
    assert_eq!(lab.counts(0, TableName::Filter, "INPUT"), (vec![0, 1], 0));
    let table = lab.stacks[0].filter().table(TableName::Filter).expect("a table");
    assert_eq!(table.chains[0].rules[1].counters, RuleCounters { packets: 1, bytes: 84 });
    lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    lab.only(OUT);
    assert_eq!(lab.counts(0, TableName::Filter, "FORWARD"), (vec![], 0), "its policy is not counted yet");
}

#[test]
fn chains_are_called_and_left() {
    let mut lab = Lab::router();
    let jump = |name: &str| to(Target::Jump(name.into()));
    lab.append(0, TableName::Filter, "A", to(Target::Return));
    let early = lab.try_append(0, TableName::Filter, "B", to(Target::Goto("C".into())));
    assert_eq!(early.expect_err("there is no C").errno, Errno::NoEnt);
    lab.append(0, TableName::Filter, "C", of(99, to(Target::Drop)));
    lab.append(0, TableName::Filter, "B", to(Target::Goto("C".into())));
    lab.append(0, TableName::Filter, "B", to(Target::Drop));
    lab.append(0, TableName::Filter, "FORWARD", jump("A"));
    lab.append(0, TableName::Filter, "FORWARD", jump("B"));
    lab.append(0, TableName::Filter, "FORWARD", Rule::default());
    lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    lab.only(OUT);
    assert_eq!(lab.counts(0, TableName::Filter, "B"), (vec![1, 0], 0), "who goes does not come back");
    assert_eq!(lab.counts(0, TableName::Filter, "C"), (vec![0], 0));
    assert_eq!(lab.counts(0, TableName::Filter, "FORWARD"), (vec![1, 1, 1], 1));
}

#[test]
fn who_sends_what_is_dropped_is_told() {
    let mut lab = Lab::pair();
    let socket = lab.socket(0, SocketKind::Raw { protocol: protocol::ICMP });
    lab.append(0, TableName::Filter, "OUTPUT", to(Target::Drop));
    assert_eq!(lab.ping(0, socket, "10.0.0.2", 56), Err(Errno::Perm));
    assert_eq!(lab.ping(0, socket, "10.0.0.1", 56), Err(Errno::Perm), "through lo, too");
    assert_eq!(lab.dropped(0, DropReason::FilterDrop), 2);
    assert!(lab.wire.is_empty());
}

#[test]
fn who_is_rejected_is_answered() {
    use RejectWith::*;
    for (with, code) in [(PortUnreachable, 3), (NetUnreachable, 0), (HostProhibited, 10), (AdminProhibited, 13)] {
        let mut lab = Lab::router();
        lab.append(0, TableName::Filter, "FORWARD", to(Target::Reject(with)));
        lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
        let frame = lab.only(IN);
        let (head, message, quoted) = icmp_in(&frame);
        assert_eq!((head.source, head.destination), (ip("10.0.2.1"), ip("10.0.2.2")));
        assert_eq!((message.kind, message.code), (icmpv4::kind::DEST_UNREACH, code));
        assert_eq!(quoted[8], 63, "it is quoted as it was when it was about to be forwarded");
    }
}

#[test]
fn a_segment_is_reset_from_where_it_was_to_go() {
    let mut lab = Lab::router();
    lab.append(0, TableName::Filter, "FORWARD", tcp_to(Target::Reject(RejectWith::TcpReset)));
    lab.packet(IN, &syn("10.0.2.2", "10.0.3.2"));
    let (head, reset) = tcp_in(&lab.only(IN));
    assert_eq!((head.source, head.destination), (ip("10.0.3.2"), ip("10.0.2.2")));
    assert_eq!((head.flags_fragment, head.id, head.ttl, head.tos), (ipv4::DF, 0, 64, 0));
    assert_eq!((reset.flags, reset.acknowledgment, reset.source), (flag::RST | flag::ACK, 78, 80));
    let mut broken = syn("10.0.2.2", "10.0.3.2");
    broken[25] ^= 1;
    lab.packet(IN, &broken);
    lab.nothing();
    assert_eq!(lab.dropped(0, DropReason::FilterReject), 2);
}

/// A flow that a bridge brought: the reset goes back through the bridge's port, unasked, and the flow counts as closed.
#[test]
fn a_reset_goes_back_through_the_bridges_port() {
    use super::bridge::{A, BR, bridge};
    let mut lab = bridge();
    lab.append(0, TableName::Raw, "OUTPUT", to(Target::Drop));
    let first = Match::Statistic(yes(Statistic::Nth { every: 2, packet: 0 }));
    lab.append(0, TableName::Filter, "INPUT", when(first, Target::Accept));
    lab.append(0, TableName::Filter, "INPUT", tcp_to(Target::Reject(RejectWith::TcpReset)));
    lab.append(0, TableName::Filter, "INPUT", when(Match::State(yes(state::NEW)), Target::Drop));
    let mac = lab.stacks[0].config().ports.get(BR.1).unwrap().mac;
    let frame = |bytes: &[u8]| framed(mac, host_mac(2), 0x800, bytes);
    lab.receive(A, &frame(&syn("10.0.0.2", "10.0.0.1")));
    lab.receive(A, &frame(&syn("10.0.0.2", "10.0.0.1")));
    let reset = lab.only(A);
    assert_eq!(reset[..12], [host_mac(2).0, mac.0].concat());
    assert_eq!(tcp_in(&reset).1.flags, flag::RST | flag::ACK);
    assert_eq!(lab.counts(0, TableName::Raw, "OUTPUT").0, [1], "the first was answered as usual");
    let flows = lab.stacks[0].conntrack().entries(lab.now);
    assert_eq!(flows.iter().map(|flow| flow.tcp_state()).collect::<Vec<_>>(), [Some("CLOSE")]);
}

/// `-o` of OUTPUT is the port by which a packet was to leave before anybody changed its goal.
#[test]
fn output_sees_the_first_way() {
    let mut lab = Lab::router();
    let range = NatRange { addresses: Some((ip("10.0.3.2"), ip("10.0.3.2"))), ..NatRange::default() };
    lab.append(0, TableName::Nat, "OUTPUT", of(protocol::UDP, to(Target::Dnat(range))));
    for port in ["eth2", "eth3"] {
        let ip = IpMatch { out_interface: Some(yes(port.into())), ..IpMatch::default() };
        lab.append(0, TableName::Filter, "OUTPUT", Rule { ip, ..to(Target::Accept) });
    }
    let socket = lab.socket(0, SocketKind::Udp);
    lab.send(0, socket, "10.0.2.2", 53, b"x").expect("sent");
    lab.only(OUT);
    assert_eq!(lab.counts(0, TableName::Filter, "OUTPUT").0, [1, 0]);
}

/// `ping` of an own address: OUTPUT and POSTROUTING of request and reply, PREROUTING and INPUT of both.
#[test]
fn through_lo_every_hook_is_asked_and_the_mark_stays() {
    let mut lab = Lab::host();
    lab.append(0, TableName::Mangle, "OUTPUT", when(Match::Icmp(yes((8, 0..=255))), mark(5)));
    for chain in ["PREROUTING", "INPUT", "POSTROUTING", "FORWARD"] {
        lab.append(
            0,
            TableName::Mangle,
            chain,
            Rule { matches: vec![Match::Mark(yes((5, u32::MAX)))], ..Rule::default() },
        );
    }
    let socket = lab.socket(0, SocketKind::Raw { protocol: protocol::ICMP });
    lab.ping(0, socket, "10.0.0.1", 56).expect("sent");
    for chain in ["PREROUTING", "INPUT", "POSTROUTING"] {
        assert_eq!(lab.counts(0, TableName::Mangle, chain), (vec![1], 2), "{chain}: the reply has no mark");
    }
    assert_eq!(lab.counts(0, TableName::Mangle, "OUTPUT"), (vec![1], 2));
    assert_eq!(lab.counts(0, TableName::Mangle, "FORWARD"), (vec![0], 0));
    lab.sysctl(0, "net/ipv4/fwmark_reflect", "1");
    lab.ping(0, socket, "10.0.0.1", 56).expect("sent");
    assert_eq!(lab.counts(0, TableName::Mangle, "INPUT"), (vec![3], 4), "now the reply has it, too");
}

fn route_by_mark(lab: &mut Lab, to: &str) {
    let spec = RuleSpec { mark: Some(1), action: Some(RuleAction::Table(100)), ..RuleSpec::default() };
    lab.apply(0, Command::RuleAdd(spec)).expect("a rule");
    lab.route_in_table(0, 100, "0.0.0.0/0", to);
}

#[test]
fn a_mark_chooses_the_way() {
    let mut lab = Lab::router();
    lab.route(0, "10.9.0.0/16", Some("10.0.3.2"), RouteKind::Unicast);
    lab.port((0, 4), "10.0.4.1/24");
    lab.neighbor((0, 4), "10.0.4.2", host_mac(4));
    route_by_mark(&mut lab, "10.0.4.2");
    lab.append(0, TableName::Mangle, "PREROUTING", of(protocol::TCP, to(mark(1))));
    lab.packet(IN, &request("10.0.2.2", "10.9.0.1"));
    lab.only(OUT);
    lab.packet(IN, &syn("10.0.2.2", "10.9.0.1"));
    lab.only((0, 4));
    // A program's packet is routed again, and speaks from where it spoke before.
    lab.append(0, TableName::Mangle, "OUTPUT", of(protocol::UDP, to(mark(1))));
    let socket = lab.socket(0, SocketKind::Udp);
    lab.send(0, socket, "10.9.0.1", 53, b"x").expect("sent");
    let frame = lab.only((0, 4));
    let (head, _) = ip_in(&frame);
    assert_eq!(head.source, ip("10.0.3.1"));
    lab.stacks[0].options(socket).mark = 1;
    lab.send(0, socket, "10.9.0.1", 53, b"x").expect("sent");
    let frame = lab.only((0, 4));
    let (head, _) = ip_in(&frame);
    assert_eq!(head.source, ip("10.0.4.1"), "a socket's mark is known before");
}

#[test]
fn a_flow_is_masqueraded_and_answers_come_back() {
    let mut lab = Lab::router();
    let masquerade = Target::Masquerade { ports: None, random: false, random_fully: false };
    let rule = Rule { ip: IpMatch { out_interface: Some(yes("eth3".into())), ..IpMatch::default() }, ..to(masquerade) };
    lab.append(0, TableName::Nat, "POSTROUTING", rule);
    lab.packet(IN, &datagram("10.0.2.2", "10.0.3.2", 53, b"ask"));
    let frame = lab.only(OUT);
    let (head, payload) = ip_in(&frame);
    assert_eq!((head.source, head.ttl), (ip("10.0.3.1"), 63));
    assert!(crate::wire::Udp::checked(head.source, head.destination, payload).is_ok());
    let mut answer = crate::wire::Udp { source: 53, destination: 4000, length: 0, checksum: 0 }
        .emit(ip("10.0.3.2"), ip("10.0.3.1"), b"yes")
        .to_vec();
    answer.extend(b"yes");
    let head = Ipv4 { protocol: protocol::UDP, ..header("10.0.3.2", "10.0.3.1") };
    lab.packet(OUT, &packet(head, &[], &answer));
    let frame = lab.only(IN);
    let (head, _) = ip_in(&frame);
    assert_eq!((head.source, head.destination), (ip("10.0.3.2"), ip("10.0.2.2")));
    lab.packet(IN, &datagram("10.0.2.2", "10.0.3.2", 53, b"ask"));
    lab.only(OUT);
    assert_eq!(lab.counts(0, TableName::Nat, "POSTROUTING"), (vec![1], 0), "only what begins a flow is asked");
}

#[test]
fn a_port_is_forwarded_from_here_and_from_outside() {
    let mut lab = Lab::router();
    let range =
        NatRange { addresses: Some((ip("10.0.3.2"), ip("10.0.3.2"))), ports: Some(80..=80), ..NatRange::default() };
    let port = Match::Udp { source: None, destination: Some(yes(8080..=8080)) };
    let rule = of(protocol::UDP, when(port, Target::Dnat(range)));
    lab.append(0, TableName::Nat, "PREROUTING", rule.clone());
    lab.append(0, TableName::Nat, "OUTPUT", rule);
    lab.packet(IN, &datagram("10.0.2.2", "10.0.2.1", 8080, b"ask"));
    let frame = lab.only(OUT);
    let (head, payload) = ip_in(&frame);
    assert_eq!((head.source, head.destination), (ip("10.0.2.2"), ip("10.0.3.2")));
    assert_eq!(payload[2..4], 80u16.to_be_bytes());
    let socket = lab.socket(0, SocketKind::Udp);
    lab.send(0, socket, "10.0.2.1", 8080, b"ask").expect("sent");
    let frame = lab.only(OUT);
    let (head, _) = ip_in(&frame);
    assert_eq!((head.source, head.destination), (ip("10.0.2.1"), ip("10.0.3.2")), "the way changes, the source stays");
}

#[test]
fn fragments_are_put_together_and_cut_as_they_came() {
    let mut lab = Lab::router();
    let whole = datagram("10.0.2.2", "10.0.3.2", 53, &[7; 1000]);
    let mut pool = crate::frame::FramePool::new();
    let mut pieces = Vec::new();
    let mut cut = crate::ip::Fragments::new(&whole, 420, false).expect("a packet");
    while let Some(piece) = cut.next(&mut pool) {
        pieces.push(piece.to_vec());
        pool.give(piece);
    }
    let pass = |lab: &mut Lab| {
        pieces.iter().for_each(|piece| lab.packet(IN, piece));
        lab.sent().iter().map(|(_, frame)| frame.len() - 14).collect::<Vec<_>>()
    };
    let sizes: Vec<usize> = pieces.iter().map(Vec::len).collect();
    let port = Match::Udp { source: None, destination: Some(yes(53..=53)) };
    lab.append(0, TableName::Filter, "FORWARD", of(protocol::UDP, Rule { matches: vec![port], ..Rule::default() }));
    assert_eq!(pass(&mut lab), sizes);
    assert_eq!(lab.counts(0, TableName::Filter, "FORWARD"), (vec![1], 3), "later fragments have no ports");
    lab.append(0, TableName::Filter, "X", when(Match::State(yes(state::NEW)), Target::Accept));
    lab.packet(IN, &pieces[0]);
    lab.nothing();
    lab.packet(IN, &pieces[2]);
    lab.packet(IN, &pieces[1]);
    assert_eq!(lab.sent().iter().map(|(_, frame)| frame.len() - 14).collect::<Vec<_>>(), sizes);
    assert_eq!(lab.counts(0, TableName::Filter, "FORWARD"), (vec![2], 4), "one packet now");
}

#[test]
fn a_syn_asks_for_less() {
    let mut lab = Lab::router();
    lab.append(0, TableName::Mangle, "FORWARD", tcp_to(Target::TcpMss(Some(1000))));
    let head = Tcp { flags: flag::SYN, ..Tcp::default() };
    for (options, expected) in [
        (&[2, 4, 5, 180, 1, 1, 4, 2][..], &[2, 4, 3, 232, 1, 1, 4, 2][..]),
        (&[1, 2, 4, 1, 0, 0, 0, 0], &[1, 2, 4, 1, 0, 0, 0, 0]),
        (&[], &[2, 4, 2, 24]),
    ] {
        lab.packet(IN, &segment("10.0.2.2", "10.0.3.2", head, options, &[]));
        let frame = lab.only(OUT);
        let (ip_head, _) = tcp_in(&frame);
        assert_eq!(&frame[14 + 40..], expected);
        assert_eq!(usize::from(ip_head.total_length), frame.len() - 14);
    }
    lab.packet(IN, &segment("10.0.2.2", "10.0.3.2", head, &[], b"data"));
    assert_eq!(lab.only(OUT).len(), 14 + 44, "there is no room");
}

#[test]
fn headers_are_changed() {
    let mut lab = Lab::router();
    lab.append(0, TableName::Mangle, "PREROUTING", to(Target::Ttl(TtlChange::Set(9))));
    lab.append(0, TableName::Mangle, "FORWARD", to(Target::Dscp(46)));
    lab.append(0, TableName::Mangle, "POSTROUTING", to(Target::Tos { value: 1, mask: 3 }));
    lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    let frame = lab.only(OUT);
    let (head, _) = ip_in(&frame);
    assert_eq!((head.ttl, head.tos), (8, 0xb9));
}

#[test]
fn limits_and_every_nth() {
    let mut lab = Lab::router();
    let limit = Match::Limit { rate: 1, per: 1, burst: 3 };
    let nth = Match::Statistic(yes(Statistic::Nth { every: 3, packet: 1 }));
    lab.append(0, TableName::Mangle, "FORWARD", Rule { matches: vec![limit], ..Rule::default() });
    lab.append(0, TableName::Mangle, "FORWARD", Rule { matches: vec![nth], ..Rule::default() });
    for _ in 0..5 {
        lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    }
    assert_eq!(lab.counts(0, TableName::Mangle, "FORWARD").0, [3, 2], "the second and the fifth");
    lab.wait(crate::time::Duration::from_millis(1500));
    for _ in 0..2 {
        lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    }
    assert_eq!(lab.counts(0, TableName::Mangle, "FORWARD").0[0], 4);
    lab.sent();
}

/// What a watcher is told: which rule, and which policy.
#[test]
fn verdicts_are_told() {
    #[derive(Default)]
    struct Told(Vec<String>);
    impl Observer for Told {
        fn step(&mut self, step: Step<'_>) {
            match step {
                Step::Rule { table, chain, number, target, .. } => {
                    self.0.push(format!("{} {chain} {number} {target:?}", table.name()));
                }
                Step::Policy { hook, accept, .. } => self.0.push(format!("{} {accept}", hook.name())),
                _ => {}
            }
        }
    }
    let mut lab = Lab::router();
    lab.append(0, TableName::Filter, "X", of(99, to(Target::Drop)));
    lab.append(0, TableName::Filter, "X", to(Target::Return));
    lab.append(0, TableName::Filter, "FORWARD", to(Target::Jump("X".into())));
    let frame = framed(port_mac(IN), host_mac(2), 0x800, &request("10.0.2.2", "10.0.3.2"));
    let mut told = Told::default();
    lab.watched(IN, &frame, &mut told);
    assert_eq!(told.0, ["filter FORWARD 1 Jump(\"X\")", "filter X 2 Return", "FORWARD true"]);
    lab.only(OUT);
}

/// What a router says of a flow's first packet is tied to the flow before it is tracked; what is said where sockets are
/// looked for is not (`icmp_glue_bits`, `nf_reset_ct`).
#[test]
fn errors_belong_to_their_flow() {
    let mut lab = Lab::router();
    for table in [TableName::Raw, TableName::Mangle] {
        let related = Match::State(yes(state::RELATED));
        lab.append(0, table, "OUTPUT", Rule { matches: vec![related], ..Rule::default() });
    }
    let head = Ipv4 { ttl: 1, protocol: protocol::UDP, ..header("10.0.2.2", "10.0.3.2") };
    lab.packet(IN, &packet(head, &[], &udp("10.0.2.2", "10.0.3.2", 53, b"ask")));
    lab.only(IN);
    assert_eq!(lab.counts(0, TableName::Raw, "OUTPUT").0, [1]);
    assert_eq!(lab.counts(0, TableName::Mangle, "OUTPUT").0, [1]);
    lab.packet(IN, &datagram("10.0.2.2", "10.0.2.1", 53, b"ask"));
    lab.only(IN);
    assert_eq!(lab.counts(0, TableName::Raw, "OUTPUT").0, [1]);
    assert_eq!(lab.counts(0, TableName::Mangle, "OUTPUT").0, [2]);
    // One that waited for a neighbour in vain is still its flow's.
    lab.packet(IN, &datagram("10.0.2.2", "10.0.3.9", 53, b"ask"));
    lab.wait(crate::time::Duration::from_secs(5));
    assert_eq!(lab.counts(0, TableName::Raw, "OUTPUT").0, [2]);
    // A RST that is the first answer ends its flow, and belongs to it even so.
    lab.packet(IN, &syn("10.0.2.9", "10.0.3.2"));
    let rst = Tcp { source: 80, destination: 4000, flags: flag::RST | flag::ACK, acknowledgment: 78, ..Tcp::default() };
    let rst = rst.emit(ip("10.0.3.2"), ip("10.0.2.9"), &[]);
    lab.packet(OUT, &packet(Ipv4 { protocol: protocol::TCP, ..header("10.0.3.2", "10.0.2.9") }, &[], &rst));
    let held = lab.stacks[0].conntrack().held();
    lab.wait(crate::time::Duration::from_secs(5));
    assert_eq!(lab.counts(0, TableName::Raw, "OUTPUT").0, [3]);
    assert_eq!(lab.stacks[0].conntrack().held(), held - 1);
}

/// Two single ports that are both negated are compared at once: one of them may fit. Ranges are asked each for itself, and so
/// are ports by the code that looks for TCP options (`iptables 1.8.9`, `add_nft_tcpudp`).
#[test]
fn two_negated_ports_are_one_comparison() {
    let not = |of| Some(Not { not: true, of });
    let udp = |source, destination| Match::Udp { source: not(source), destination: not(destination) };
    let tcp = |option| {
        let (source, destination) = (not(4000..=4000), not(81..=81));
        Match::Tcp(TcpMatch { source, destination, option, ..TcpMatch::default() })
    };
    let mut lab = Lab::router();
    let rules = [
        (protocol::UDP, udp(9999..=9999, 53..=53), 1),
        (protocol::UDP, udp(4000..=4000, 53..=53), 1),
        (protocol::UDP, udp(4000..=4001, 53..=53), 0),
        (protocol::UDP, udp(4000..=4000, 53..=54), 0),
        (protocol::UDP, udp(0..=0, 54..=54), 0),
        (protocol::UDP, udp(4000..=4000, 54..=54), 0),
        (protocol::TCP, tcp(None), 1),
        (protocol::TCP, tcp(Some(yes(2))), 0),
    ];
    for (number, asked, _) in &rules {
        lab.append(0, TableName::Filter, "FORWARD", of(*number, asks(asked.clone())));
    }
    lab.packet(IN, &datagram("10.0.2.2", "10.0.3.2", 54, b"x"));
    lab.packet(IN, &segment("10.0.2.2", "10.0.3.2", Tcp { flags: flag::SYN, ..Tcp::default() }, &[2, 4, 5, 180], &[]));
    let counts: Vec<u64> = rules.iter().map(|(.., count)| *count).collect();
    assert_eq!(lab.counts(0, TableName::Filter, "FORWARD").0, counts);
}

fn asks(of: Match) -> Rule {
    Rule { matches: vec![of], ..Rule::default() }
}

/// A segment from 0.0.0.0 that is led back to its own host is refused at the address that it was led to. (The checksum is that
/// of a segment to 0.0.0.0, in Linux, too.)
#[test]
fn a_reset_to_who_has_no_address() {
    let mut lab = Lab::host();
    let address = AddressSpec::of(IN.1, ip("10.0.0.1").into(), 24);
    lab.apply(0, Command::AddressDelete(address)).expect("it is there");
    let nexthops = vec![NextHopSpec { oif: Some(IN.1), ..NextHopSpec::default() }];
    let way = RouteSpec { nexthops, ..RouteSpec::to(ip("10.2.0.0").into(), 16) };
    lab.apply(0, Command::RouteAdd(RouteMode::Add, way)).expect("a route");
    lab.append(0, TableName::Nat, "OUTPUT", to(Target::Redirect { ports: None, random: false }));
    let tap = lab.stacks[0].tap(TapSpec { port: Some(1), snap: 262_144, promiscuous: true }).expect("a tap");
    let socket = lab.socket(0, SocketKind::Raw { protocol: protocol::TCP });
    let asks = syn("0.0.0.0", "10.2.0.9");
    lab.send(0, socket, "10.2.0.9", 0, &asks[ipv4::HEADER..]).expect("sent");
    let heard = std::iter::from_fn(|| lab.stacks[0].tap_frame(tap)).filter(|frame| frame.cast == TapCast::Outgoing);
    let heard: Vec<_> = heard.map(|frame| frame.bytes).collect();
    let [asked, refused] = &heard[..] else { panic!("{heard:?}") };
    let lo = ip("127.0.0.1");
    let asked = tcp_in(asked).0;
    assert_eq!((asked.source, asked.destination), (ip("0.0.0.0"), lo));
    let (refused, payload) = ip_in(refused);
    assert_eq!((refused.source, refused.destination), (lo, lo));
    let reset = Tcp::checked(lo, ip("0.0.0.0"), payload).expect("a segment");
    assert_eq!((reset.flags, reset.acknowledgment), (flag::RST | flag::ACK, 78));
}
