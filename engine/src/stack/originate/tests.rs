//! What leaves, judged by the kernel.

use super::*;
use crate::addr::IpAddr;
use crate::control::{
    AddressMode, AddressSpec, Command, LinkChange, NeighborMode, NeighborSpec, NextHopSpec, RouteMetrics, RouteMode,
    RouteSpec,
};
use crate::frame::{FramePool, Outbox};
use crate::link::Port;
use crate::observe::Silent;
use crate::wire::ethernet;

pub(in crate::stack) const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const MAC: Mac = Mac([2, 0, 0, 0, 0, 0x10]);
pub(in crate::stack) const DEVICE: IfIndex = 10;

/// A stack, and what every call to it needs.
pub(in crate::stack) struct Host {
    pub(in crate::stack) stack: Stack,
    pool: FramePool,
    out: Outbox,
}

impl Host {
    pub(in crate::stack) fn visit<T>(&mut self, call: impl FnOnce(&mut Stack, &mut Cx<'_>) -> T) -> T {
        let mut cx = Cx { now: Time::ZERO, pool: &mut self.pool, out: &mut self.out };
        call(&mut self.stack, &mut cx)
    }

    pub(in crate::stack) fn apply(&mut self, command: Command) {
        self.visit(|stack, cx| stack.apply(cx, command, &mut Silent)).unwrap();
    }

    /// The IP packets that left, without their link headers.
    fn sent(&mut self) -> Vec<Vec<u8>> {
        let frames: Vec<_> = self.out.drain().collect();
        let packet = |(_, frame): (IfIndex, FrameBuf)| {
            let packet = frame[ethernet::HEADER..].to_vec();
            self.pool.give(frame);
            packet
        };
        frames.into_iter().map(packet).collect()
    }
}

/// `ip route add KIND 10.0.THIRD.0/24 [via 10.0.0.2] …`
fn route(third: u8, kind: Option<RouteKind>, metrics: RouteMetrics) -> Command {
    let via = NextHopSpec { gateway: Some(ROUTER.into()), ..NextHopSpec::default() };
    let nexthops = if kind.is_none() { vec![via] } else { Vec::new() };
    let to = RouteSpec::to(Ipv4Addr::new(10, 0, third, 0).into(), 24);
    Command::RouteAdd(RouteMode::Add, RouteSpec { kind, metrics, nexthops, ..to })
}

/// The namespace in which the kernel was asked.
pub(in crate::stack) fn host() -> Host {
    let mut host = Host { stack: Stack::new(1), pool: FramePool::new(), out: Outbox::new() };
    let mut port = Port::new_ethernet(DEVICE, "v0", MAC, Time::ZERO);
    port.carrier = true;
    host.stack.port_add(Time::ZERO, port);
    let up = |index| Command::LinkChange(index, LinkChange { up: Some(true), ..LinkChange::default() });
    host.apply(up(1));
    host.apply(up(DEVICE));
    let local = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let broadcast = Some(Ipv4Addr::new(10, 0, 0, 255));
    let address = AddressSpec { broadcast, ..AddressSpec::of(DEVICE, local, 24) };
    host.apply(Command::AddressAdd(AddressMode::Add, address));
    let neighbor = NeighborSpec::of(DEVICE, ROUTER.into(), Some(Mac([2, 0, 0, 0, 0, 2])));
    host.apply(Command::NeighborAdd(NeighborMode::Add, neighbor));
    let none = RouteMetrics::default();
    let mtu = RouteMetrics { mtu: Some(1000), ..none };
    host.apply(route(7, None, mtu));
    host.apply(route(8, None, RouteMetrics { mtu_lock: true, ..mtu }));
    host.apply(route(9, None, RouteMetrics { hoplimit: Some(9), ..none }));
    host.apply(route(10, Some(RouteKind::Unreachable), none));
    host.apply(route(11, Some(RouteKind::Prohibit), none));
    host.apply(route(12, Some(RouteKind::Blackhole), none));
    let groups = RouteSpec::to(Ipv4Addr::new(224, 0, 0, 0).into(), 4);
    let nexthops = vec![NextHopSpec { oif: Some(DEVICE), ..NextHopSpec::default() }];
    host.apply(Command::RouteAdd(RouteMode::Add, RouteSpec { nexthops, ..groups }));
    host.sent();
    host
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len() / 2 * 2).step_by(2).map(byte).collect()
}

/// A header without what is chance: its id, and with it the checksum.
fn chosen(header: &[u8]) -> Vec<u8> {
    let mut header = header.to_vec();
    header[4..6].fill(0);
    header[10..12].fill(0);
    header
}

fn options(words: &[&str]) -> SocketOptions {
    let [tos, ttl, pmtu, broadcast, recverr, dont_route, ip_options] = *words else { panic!("{words:?}") };
    let pmtu = pmtu.parse::<usize>().unwrap();
    SocketOptions {
        ttl: ttl.parse().ok(),
        tos: tos.parse().unwrap(),
        pmtu: [PmtuDiscover::Dont, PmtuDiscover::Want, PmtuDiscover::Do, PmtuDiscover::Probe][pmtu],
        broadcast: broadcast == "1",
        recverr: recverr == "1",
        ip_options: bytes(ip_options),
        dont_route: dont_route == "1",
        ..SocketOptions::default()
    }
}

fn number(result: Result<(), Errno>) -> String {
    result.map_or_else(Errno::number, |()| 0).to_string()
}

/// What the kernel's line says, of ours: what `connect` and `sendto` said, the error queue, how many packets left, and the
/// header of the first.
fn answer(host: &mut Host, words: &[&str], connects: bool) -> [String; 4] {
    let kind = if words[0] == "udp" { SocketKind::Udp } else { SocketKind::Raw { protocol: 253 } };
    let goal: Ipv4Addr = words[1].parse().unwrap();
    let payload = vec![b'a'; words[2].parse().unwrap()];
    let socket = host.stack.socket(kind).unwrap();
    *host.stack.options(socket) = options(&words[3..10]);
    let connected = connects.then(|| number(host.stack.connect(Time::ZERO, socket, goal, 9)));
    let said = host.visit(|stack, cx| stack.send_to(cx, socket, (goal, 9), &payload, &mut Silent));
    let told = host.stack.receive_error(socket).map(|error| {
        assert_eq!(error.origin, ErrorOrigin::Local);
        format!("90/1/{}/{}:{}/0", error.info, error.destination, error.destination_port)
    });
    host.stack.close(socket);
    let count = host.sent();
    let first = count.first().map(|packet| {
        assert!(Ipv4::checked(packet).is_ok());
        chosen(ipv4::header(packet)).iter().map(|byte| format!("{byte:02x}")).collect()
    });
    let dash = |text: Option<String>| text.unwrap_or("-".to_string());
    [dash(connected), number(said), dash(told), format!("{} {}", count.len(), dash(first))]
}

/// Each line: `KIND GOAL SIZE TOS TTL PMTUDISC BROADCAST RECVERR DONTROUTE OPTIONS`, then the kernel's answer.
#[test]
fn each_datagram_leaves_as_it_left_the_kernel() {
    let mut host = host();
    for (at, line) in include_str!("kernel.txt").lines().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        let [connected, errno, queue, count, header] = words[10..] else { panic!("{line}") };
        let header: String = match header {
            "-" => header.to_string(),
            header => chosen(&bytes(header)).iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let ours = answer(&mut host, &words[..10], connected != "-");
        let kernels = [connected.to_string(), errno.to_string(), queue.to_string(), format!("{count} {header}")];
        assert_eq!(ours, kernels, "line {}: {line}", at + 1);
    }
    assert_eq!(host.pool.taken(), 0);
}

/// Facts of `packet_snd`: each refusal in its turn, and the header.
#[test]
fn a_packet_socket_builds_the_link_header() {
    let mut host = host();
    let socket = host.stack.socket(SocketKind::Packet { ethertype: 0x806 }).unwrap();
    let send = |host: &mut Host, port, payload: &[u8]| {
        host.visit(|stack, cx| stack.send_frame(cx, socket, port, Mac::BROADCAST, payload, &mut Silent))
    };
    assert_eq!(send(&mut host, 77, b"who has"), Err(Errno::NxIo));
    assert_eq!(send(&mut host, DEVICE, &[0; 1501]), Err(Errno::MsgSize));
    assert_eq!(send(&mut host, DEVICE, b"who has"), Ok(()));
    let frames: Vec<_> = host.out.drain().collect();
    for (port, frame) in frames {
        assert_eq!(port, DEVICE);
        assert_eq!(&frame[..], b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x10\x08\x06who has");
        host.pool.give(frame);
    }
    host.apply(Command::LinkChange(DEVICE, LinkChange { up: Some(false), ..LinkChange::default() }));
    assert_eq!(send(&mut host, DEVICE, b"who has"), Err(Errno::NetDown));
    assert_eq!(host.visit(|s, cx| s.send_to(cx, socket, (ROUTER, 9), b"", &mut Silent)), Err(Errno::Inval));
    assert_eq!(host.pool.taken(), 0);
}

/// Seen on the kernel: a closed port on `lo` fails the next call of a connected socket, once; who listens for errors has
/// it in his queue as well, and reading that takes the failure back.
#[test]
fn a_refusal_comes_back_by_lo() {
    let mut host = host();
    let send = |host: &mut Host, socket| {
        host.visit(|stack, cx| stack.send_to(cx, socket, (Ipv4Addr::LOCALHOST, 9), b"x", &mut Silent))
    };
    let plain = host.stack.socket(SocketKind::Udp).unwrap();
    assert_eq!((send(&mut host, plain), send(&mut host, plain)), (Ok(()), Ok(())), "not connected: told nothing");
    host.stack.connect(Time::ZERO, plain, Ipv4Addr::LOCALHOST, 9).unwrap();
    assert_eq!(send(&mut host, plain), Ok(()));
    assert_eq!(send(&mut host, plain), Err(Errno::ConnRefused));
    assert_eq!(send(&mut host, plain), Ok(()));
    assert_eq!(host.stack.receive_error(plain).map(|error| error.errno), Some(Errno::ConnRefused));
    assert_eq!(host.stack.receive_error(plain), None);

    let listening = host.stack.socket(SocketKind::Udp).unwrap();
    host.stack.options(listening).recverr = true;
    assert_eq!(send(&mut host, listening), Ok(()));
    let told = host.stack.receive_error(listening).unwrap();
    let from = Ipv4Addr::LOCALHOST;
    assert_eq!(told.origin, ErrorOrigin::Icmp { from, kind: 3, code: 3, ttl: 64 });
    assert_eq!((told.destination, told.destination_port, told.payload.as_slice()), (from, 9, &b"x"[..]));
    assert_eq!(send(&mut host, listening), Ok(()), "what was read fails nothing");
    assert!(host.sent().is_empty());
    assert_eq!(host.pool.taken(), 0);
}

/// A datagram to a socket of this host, and its answer.
#[test]
fn two_sockets_of_one_host() {
    let mut host = host();
    let [ours, theirs] = [(); 2].map(|()| host.stack.socket(SocketKind::Udp).unwrap());
    host.stack.bind(theirs, Ipv4Addr::UNSPECIFIED, 53).unwrap();
    let at = Ipv4Addr::new(10, 0, 0, 1);
    host.visit(|stack, cx| stack.send_to(cx, ours, (at, 53), b"question", &mut Silent)).unwrap();
    let question = host.stack.receive_datagram(theirs).unwrap();
    assert_eq!((question.payload.as_slice(), question.source, question.ttl), (&b"question"[..], IpAddr::V4(at), 64));
    let back = (at, question.source_port);
    host.visit(|stack, cx| stack.send_to(cx, theirs, back, b"answer", &mut Silent)).unwrap();
    let answer = host.stack.receive_datagram(ours).unwrap();
    assert_eq!((answer.payload.as_slice(), answer.source_port), (&b"answer"[..], 53));
    assert_eq!(host.stack.receive_datagram(ours), None);
}

/// Seen on the kernel: `ping -I v0 OWN-ADDRESS` is answered, though all of it goes through `lo`: what is for an address
/// comes in, as sockets see it, by the interface that has it.
#[test]
fn a_socket_on_a_device_hears_of_its_own_address() {
    let mut host = host();
    let own = Ipv4Addr::new(10, 0, 0, 1);
    let echo = [8, 0, 0xf7, 0xfd, 0, 1, 0, 1];
    let mut heard = |device: IfIndex, to: Ipv4Addr| {
        let socket = host.stack.socket(SocketKind::Raw { protocol: 1 }).unwrap();
        host.stack.options(socket).device = Some(device);
        host.visit(|stack, cx| stack.send_to(cx, socket, (to, 0), &echo, &mut Silent)).unwrap();
        let mut count = 0;
        while host.stack.receive_datagram(socket).is_some() {
            count += 1;
        }
        host.stack.close(socket);
        count
    };
    assert_eq!(heard(DEVICE, own), 2, "the request and the reply");
    assert_eq!(heard(1, Ipv4Addr::LOCALHOST), 2);
}

/// Seen on the kernel: three questions in three seconds, then "host unreachable" from our own address by `lo`. All raw
/// sockets of the protocol that listen for errors are told, but one bound to a device is not: the error came by `lo`. The
/// message itself it reads, for that is to an address of the device.
#[test]
fn nobody_answers_for_the_next_hop() {
    let mut host = host();
    let [asks, listens, on_device] = [(); 3].map(|()| {
        let socket = host.stack.socket(SocketKind::Raw { protocol: 1 }).unwrap();
        host.stack.options(socket).recverr = true;
        socket
    });
    host.stack.options(on_device).device = Some(DEVICE);
    let absent = Ipv4Addr::new(10, 0, 0, 99);
    host.visit(|stack, cx| stack.send_to(cx, asks, (absent, 0), b"\x08\0\xf7\xfd\0\x01\0\x01", &mut Silent)).unwrap();
    let mut asked = host.sent().len();
    let mut end = Time::ZERO;
    while let Some(due) = host.stack.next_deadline().filter(|due| *due <= Time(5_000_000_000)) {
        let Host { stack, pool, out } = &mut host;
        stack.tick(&mut Cx { now: due, pool, out }, &mut Silent);
        asked += host.sent().len();
        end = due;
        if let Some(told) = host.stack.receive_error(asks) {
            let from = Ipv4Addr::new(10, 0, 0, 1);
            assert_eq!(told.origin, ErrorOrigin::Icmp { from, kind: 3, code: 1, ttl: 64 });
            assert_eq!((told.errno, told.destination, told.payload.len()), (Errno::HostUnreach, absent, 8));
            break;
        }
    }
    assert_eq!((asked, end.nanos() / 100_000_000), (3, 30));
    assert!(host.stack.receive_error(listens).is_some() && host.stack.receive_error(on_device).is_none());
    for socket in [listens, on_device] {
        assert_eq!(host.stack.receive_datagram(socket).map(|copy| copy.tos), Some(0xc0), "the message itself");
    }
    assert_eq!(host.pool.taken(), 0);
}
