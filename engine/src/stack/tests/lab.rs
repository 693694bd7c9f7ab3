//! A tiny lab: stacks, cables between them, and ports whose cable ends in the test.

use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::control::{
    AddressMode, AddressSpec, Command, Errno, IfIndex, LinkChange, NeighborMode, NeighborSpec, NextHopSpec, Nud,
    Refusal, RouteKind, RouteMode, RouteSpec,
};
use crate::filter::{Chain, Rule, Standing, Table, TableName};
use crate::frame::{FramePool, Outbox};
use crate::link::{OperState, Port};
use crate::local::{Datagram, SocketError, SocketId, SocketKind};
use crate::observe::{Observer, Silent};
use crate::reason::DropReason;
use crate::rng::Rng;
use crate::stack::{Cx, Stack};
use crate::time::{Duration, Time};
use crate::wire::{Arp, Ethernet, Icmp, Ipv4, arp, ethernet, icmpv4, ipv4, protocol};
use std::collections::VecDeque;

/// A port of one of the stacks.
pub(super) type End = (usize, IfIndex);

/// Stacks and cables. What leaves by a port without a cable is kept for the test.
pub(super) struct Lab {
    pub(super) stacks: Vec<Stack>,
    cables: Vec<(End, End)>,
    pub(super) pool: FramePool,
    pub(super) now: Time,
    out: Vec<(End, Vec<u8>)>,
    /// Everything that passed a cable, with the end it left.
    pub(super) wire: Vec<(End, Vec<u8>)>,
    /// Cables that lose, repeat and overtake: of a thousand IP frames, so many each.
    pub(super) trouble: Option<(Rng, u64)>,
}

impl Lab {
    /// So many stacks, with `lo` up, and without IPv6: nothing is sent that nobody asked for.
    pub(super) fn new(count: usize) -> Lab {
        let stacks = (0..count as u64).map(Stack::new).collect();
        let (cables, out, wire) = (Vec::new(), Vec::new(), Vec::new());
        let mut lab =
            Lab { stacks, cables, pool: FramePool::new(), now: Time(1_000_000_000), out, wire, trouble: None };
        for stack in 0..count {
            for whose in ["all", "default"] {
                let path = format!("net/ipv6/conf/{whose}/disable_ipv6");
                lab.apply(stack, Command::SysctlWrite(path, "1".into())).expect("a sysctl");
            }
            lab.up((stack, 1), true);
        }
        lab
    }

    /// A host (stack 0) with an address on port 2, which ends in the test: 10.0.0.1/24.
    pub(super) fn host() -> Lab {
        let mut lab = Lab::new(1);
        lab.port((0, 2), "10.0.0.1/24");
        lab
    }

    /// A router (stack 0) with two ports that end in the test: 10.0.2.1/24 on port 2, 10.0.3.1/24 on port 3; the hosts
    /// 10.0.2.2 and 10.0.3.2 are known.
    pub(super) fn router() -> Lab {
        let mut lab = Lab::new(1);
        lab.port((0, 2), "10.0.2.1/24");
        lab.port((0, 3), "10.0.3.1/24");
        lab.sysctl(0, "net/ipv4/ip_forward", "1");
        lab.neighbor((0, 2), "10.0.2.2", host_mac(2));
        lab.neighbor((0, 3), "10.0.3.2", host_mac(3));
        lab
    }

    /// Two hosts on one cable: 10.0.0.1/24 and 10.0.0.2/24.
    pub(super) fn pair() -> Lab {
        let mut lab = Lab::new(2);
        lab.port((0, 2), "10.0.0.1/24");
        lab.port((1, 2), "10.0.0.2/24");
        lab.cable((0, 2), (1, 2));
        lab
    }

    /// A chain: host 0 (10.0.1.2) - router 1 - host 2 (10.0.2.2), with default routes.
    pub(super) fn chain() -> Lab {
        let mut lab = Lab::new(3);
        lab.port((0, 2), "10.0.1.2/24");
        lab.port((1, 2), "10.0.1.1/24");
        lab.port((1, 3), "10.0.2.1/24");
        lab.port((2, 2), "10.0.2.2/24");
        lab.cable((0, 2), (1, 2));
        lab.cable((1, 3), (2, 2));
        lab.sysctl(1, "net/ipv4/ip_forward", "1");
        lab.route(0, "0.0.0.0/0", Some("10.0.1.1"), RouteKind::Unicast);
        lab.route(2, "0.0.0.0/0", Some("10.0.2.1"), RouteKind::Unicast);
        lab
    }

    /// A port with an address, up and running.
    pub(super) fn port(&mut self, end: End, address: &str) {
        let port = Port::new_ethernet(end.1, format!("eth{}", end.1), port_mac(end), self.now);
        self.stacks[end.0].port_add(self.now, port);
        self.up(end, true);
        self.link(end, true);
        self.address(end, address);
    }

    pub(super) fn link(&mut self, end: End, on: bool) {
        self.stacks[end.0].carrier(end.1, on);
        let state = if on { OperState::Up } else { OperState::Down };
        self.with(end.0, |stack, cx| stack.link_change(cx, end.1, state));
    }

    pub(super) fn cable(&mut self, a: End, b: End) {
        self.cables.push((a, b));
    }

    pub(super) fn up(&mut self, end: End, up: bool) {
        let change = LinkChange { up: Some(up), ..LinkChange::default() };
        self.apply(end.0, Command::LinkChange(end.1, change)).expect("up or down");
    }

    pub(super) fn change(&mut self, end: End, change: LinkChange) {
        self.apply(end.0, Command::LinkChange(end.1, change)).expect("a link change");
    }

    pub(super) fn address(&mut self, end: End, address: &str) {
        let (local, length) = prefix(address);
        let mut spec = AddressSpec::of(end.1, IpAddr::V4(local), length);
        spec.broadcast = (length < 31).then(|| Ipv4Addr::from_bits(local.to_bits() | u32::MAX >> length));
        self.apply(end.0, Command::AddressAdd(AddressMode::Add, spec)).expect("an address");
    }

    pub(super) fn route(&mut self, stack: usize, to: &str, via: Option<&str>, kind: RouteKind) {
        let (destination, length) = prefix(to);
        let hop = via.map(|via| NextHopSpec { gateway: Some(IpAddr::V4(ip(via))), ..NextHopSpec::default() });
        let spec = RouteSpec {
            kind: Some(kind),
            nexthops: hop.into_iter().collect(),
            ..RouteSpec::to(IpAddr::V4(destination), length)
        };
        self.apply(stack, Command::RouteAdd(RouteMode::Add, spec)).expect("a route");
    }

    /// A route by a router, in another table.
    pub(super) fn route_in_table(&mut self, stack: usize, table: u32, to: &str, via: &str) {
        let (destination, length) = prefix(to);
        let nexthops = vec![NextHopSpec { gateway: Some(IpAddr::V4(ip(via))), ..NextHopSpec::default() }];
        let spec = RouteSpec { nexthops, table: Some(table), ..RouteSpec::to(IpAddr::V4(destination), length) };
        self.apply(stack, Command::RouteAdd(RouteMode::Add, spec)).expect("a route");
    }

    /// A route of addresses that are not ours by `lo`, as people make it by mistake.
    pub(super) fn route_through_lo(&mut self, stack: usize, to: &str) {
        let (destination, length) = prefix(to);
        let nexthops = vec![NextHopSpec { oif: Some(1), ..NextHopSpec::default() }];
        let spec = RouteSpec { nexthops, ..RouteSpec::to(IpAddr::V4(destination), length) };
        self.apply(stack, Command::RouteAdd(RouteMode::Add, spec)).expect("a route");
    }

    pub(super) fn neighbor(&mut self, end: End, address: &str, mac: Mac) {
        self.neighbor_spec(end, NeighborSpec { lladdr: Some(mac), ..spec(end, address) }).expect("a neighbour");
    }

    pub(super) fn proxy(&mut self, end: End, address: &str) {
        self.neighbor_spec(end, NeighborSpec { proxy: true, ..spec(end, address) }).expect("a proxy entry");
    }

    pub(super) fn neighbor_spec(&mut self, end: End, spec: NeighborSpec) -> Result<(), Refusal> {
        self.apply(end.0, Command::NeighborAdd(NeighborMode::Replace, spec))
    }

    pub(super) fn sysctl(&mut self, stack: usize, path: &str, value: &str) {
        self.apply(stack, Command::SysctlWrite(path.into(), value.into())).expect("a sysctl");
    }

    pub(super) fn apply(&mut self, stack: usize, command: Command) -> Result<(), Refusal> {
        self.with(stack, |stack, cx| stack.apply(cx, command, &mut Silent))
    }

    /// A rule at the end of a chain, which is made if it is a user's and missing.
    pub(super) fn append(&mut self, stack: usize, table: TableName, chain: &str, rule: Rule) {
        self.try_append(stack, table, chain, rule).expect("a rule");
    }

    pub(super) fn try_append(
        &mut self,
        stack: usize,
        table: TableName,
        chain: &str,
        rule: Rule,
    ) -> Result<(), Refusal> {
        let known = self.stacks[stack].filter().table(table).cloned();
        let mut table = known.unwrap_or_else(|| Table::fresh(table));
        if table.chain(chain).is_none() {
            let name = chain.to_string();
            let (standing, counters, rules) = (Standing::Made, Default::default(), Vec::new());
            table.chains.push(Chain { name, policy: None, standing, counters, rules });
        }
        let chain = table.chain_mut(chain).expect("it is there");
        chain.standing = Standing::Counted;
        chain.rules.push(rule);
        self.apply(stack, Command::TableReplace(Box::new(table)))
    }

    /// How often the rules of a chain fitted, and its policy decided.
    pub(super) fn counts(&self, stack: usize, table: TableName, chain: &str) -> (Vec<u64>, u64) {
        let table = self.stacks[stack].filter().table(table).expect("a table");
        let chain = table.chain(chain).expect("a chain");
        (chain.rules.iter().map(|rule| rule.counters.packets).collect(), chain.counters.packets)
    }

    /// A visit, and what follows from it on the cables.
    pub(super) fn with<R>(&mut self, stack: usize, visit: impl FnOnce(&mut Stack, &mut Cx<'_>) -> R) -> R {
        let mut way = VecDeque::new();
        let result = self.visit(stack, visit, &mut way);
        while let Some((from, frame)) = way.pop_front() {
            if self.is_troubled(from, &frame, &mut way) {
                continue;
            }
            self.wire.push((from, frame.clone()));
            match self.peer(from) {
                None => self.out.push((from, frame)),
                Some((stack, port)) => {
                    let frame = self.pool.copy(&frame);
                    self.visit(stack, |stack, cx| stack.receive(cx, port, frame, &mut Silent), &mut way);
                }
            }
        }
        result
    }

    /// A frame is lost, or comes again, or later.
    fn is_troubled(&mut self, from: End, frame: &[u8], way: &mut VecDeque<(End, Vec<u8>)>) -> bool {
        let Some((rng, rate)) = &mut self.trouble else { return false };
        if frame.get(12..14) != Some(&[8, 0]) {
            return false;
        }
        match rng.below(1000) / (*rate).max(1) {
            0 => true,
            1 => {
                way.push_back((from, frame.to_vec()));
                false
            }
            2 if !way.is_empty() => {
                way.push_back((from, frame.to_vec()));
                true
            }
            _ => false,
        }
    }

    fn visit<R>(
        &mut self,
        index: usize,
        visit: impl FnOnce(&mut Stack, &mut Cx<'_>) -> R,
        way: &mut VecDeque<(End, Vec<u8>)>,
    ) -> R {
        let mut out = Outbox::new();
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut out };
        let result = visit(&mut self.stacks[index], &mut cx);
        for (port, frame) in out.drain() {
            way.push_back(((index, port), frame.to_vec()));
            self.pool.give(frame);
        }
        result
    }

    fn peer(&self, end: End) -> Option<End> {
        self.cables.iter().find_map(|&(a, b)| if a == end { Some(b) } else { (b == end).then_some(a) })
    }

    /// A frame from the test.
    pub(super) fn receive(&mut self, end: End, bytes: &[u8]) {
        let frame = self.pool.copy(bytes);
        self.with(end.0, |stack, cx| stack.receive(cx, end.1, frame, &mut Silent));
    }

    /// The same, watched.
    pub(super) fn watched<O: Observer>(&mut self, end: End, bytes: &[u8], observer: &mut O) {
        let frame = self.pool.copy(bytes);
        self.with(end.0, |stack, cx| stack.receive(cx, end.1, frame, observer));
    }

    /// A frame from the test, with what its device said of it.
    pub(super) fn receive_offloaded(&mut self, end: End, bytes: &[u8], offload: crate::frame::Offload) {
        let mut frame = self.pool.copy(bytes);
        *frame.offload_mut() = offload;
        self.with(end.0, |stack, cx| stack.receive(cx, end.1, frame, &mut Silent));
    }

    /// An IPv4 packet from the test, in a frame to the port.
    pub(super) fn packet(&mut self, end: End, packet: &[u8]) {
        self.receive(end, &framed(port_mac(end), host_mac(end.1), ethernet::IPV4, packet));
    }

    /// Time passes, and every timer runs when it is due.
    pub(super) fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..100_000 {
            let due = (0..self.stacks.len()).filter_map(|at| Some((self.stacks[at].next_deadline()?, at))).min();
            let Some((at, stack)) = due.filter(|&(at, _)| at <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(at);
            self.with(stack, |stack, cx| stack.tick(cx, &mut Silent));
        }
        panic!("time stands still");
    }

    /// What left to the test since it was last asked.
    pub(super) fn sent(&mut self) -> Vec<(End, Vec<u8>)> {
        core::mem::take(&mut self.out)
    }

    /// The only frame that left by this port since it was last asked.
    pub(super) fn only(&mut self, end: End) -> Vec<u8> {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "one frame, not {sent:02x?}");
        assert_eq!(sent[0].0, end);
        sent[0].1.clone()
    }

    /// Nothing left.
    pub(super) fn nothing(&mut self) {
        assert_eq!(self.sent(), []);
    }

    pub(super) fn dropped(&self, stack: usize, reason: DropReason) -> u64 {
        self.stacks[stack].counters().discarded(reason)
    }

    pub(super) fn socket(&mut self, stack: usize, kind: SocketKind) -> SocketId {
        let socket = self.stacks[stack].socket(kind).expect("a socket");
        self.stacks[stack].options(socket).recverr = true;
        socket
    }

    pub(super) fn send(
        &mut self,
        stack: usize,
        socket: SocketId,
        to: &str,
        port: u16,
        bytes: &[u8],
    ) -> Result<(), Errno> {
        let to = (ip(to), port);
        self.with(stack, |stack, cx| stack.send_to(cx, socket, to, bytes, &mut Silent))
    }

    /// Sends an echo request with so many bytes behind its header.
    pub(super) fn ping(&mut self, stack: usize, socket: SocketId, to: &str, size: usize) -> Result<(), Errno> {
        self.send(stack, socket, to, 0, &echo(icmpv4::kind::ECHO, size))
    }

    pub(super) fn read(&mut self, stack: usize, socket: SocketId) -> Option<Datagram> {
        self.stacks[stack].receive_datagram(socket)
    }

    pub(super) fn error(&mut self, stack: usize, socket: SocketId) -> Option<SocketError> {
        self.stacks[stack].receive_error(socket)
    }

    /// The state of a neighbour.
    pub(super) fn nud(&self, end: End, address: &str) -> Option<Nud> {
        let entries = self.stacks[end.0].neighbor_entries(self.now);
        let found = entries.iter().find(|entry| entry.port == end.1 && entry.ip == IpAddr::V4(ip(address)));
        found.map(|entry| entry.state)
    }
}

/// At the end every port goes, and with it every frame.
impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for stack in 0..self.stacks.len() {
            let ports: Vec<IfIndex> = self.stacks[stack].ports().iter().map(|port| port.index).collect();
            for port in ports {
                self.with(stack, |stack, cx| stack.port_remove(cx, port));
            }
            assert_eq!(self.stacks[stack].parked(), 0, "frames wait for a port that is gone");
        }
        assert_eq!(self.pool.taken(), 0, "frames are lost");
    }
}

fn spec(end: End, address: &str) -> NeighborSpec {
    NeighborSpec::of(end.1, IpAddr::V4(ip(address)), None)
}

pub(super) fn ip(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

fn prefix(text: &str) -> (Ipv4Addr, u8) {
    let (address, length) = text.split_once('/').expect("a prefix");
    (ip(address), length.parse().expect("a length"))
}

/// The MAC of a stack's port.
pub(super) const fn port_mac((stack, port): End) -> Mac {
    Mac([2, 0, 0, 0, stack as u8, port as u8])
}

/// The MAC of the test's host behind a port.
pub(super) const fn host_mac(port: IfIndex) -> Mac {
    Mac([2, 0, 0, 1, 0, port as u8])
}

pub(super) fn framed(destination: Mac, source: Mac, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Ethernet { destination, source, ethertype }.emit().to_vec();
    frame.extend(payload);
    frame
}

/// An IPv4 header that says the most usual.
pub(super) fn header(source: &str, destination: &str) -> Ipv4 {
    Ipv4 {
        tos: 0,
        total_length: 0,
        id: 1,
        flags_fragment: 0,
        ttl: 64,
        protocol: protocol::ICMP,
        source: ip(source),
        destination: ip(destination),
        header_length: ipv4::HEADER,
    }
}

/// A packet with this header, these options and this payload.
pub(super) fn packet(header: Ipv4, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = ipv4::HEADER + options.len().next_multiple_of(4);
    let mut bytes = vec![0; length];
    Ipv4 { total_length: (length + payload.len()) as u16, ..header }.write(options, &mut bytes).expect("room");
    bytes.extend(payload);
    bytes
}

/// An echo message with so many bytes behind its header.
pub(super) fn echo(kind: u8, size: usize) -> Vec<u8> {
    let payload: Vec<u8> = (0..size).map(|at| at as u8).collect();
    let mut message = Icmp::echo(kind, 7, 1).emit(&payload).to_vec();
    message.extend(payload);
    message
}

/// An echo request from there to here.
pub(super) fn request(source: &str, destination: &str) -> Vec<u8> {
    packet(header(source, destination), &[], &echo(icmpv4::kind::ECHO, 56))
}

/// A UDP datagram.
pub(super) fn datagram(source: &str, destination: &str, port: u16, payload: &[u8]) -> Vec<u8> {
    let head = Ipv4 { protocol: protocol::UDP, ..header(source, destination) };
    packet(head, &[], &udp(source, destination, port, payload))
}

pub(super) fn udp(source: &str, destination: &str, port: u16, payload: &[u8]) -> Vec<u8> {
    let head = crate::wire::Udp { source: 4000, destination: port, length: 0, checksum: 0 };
    let mut segment = head.emit(ip(source), ip(destination), payload).to_vec();
    segment.extend(payload);
    segment
}

/// An ARP frame from the host behind a port.
pub(super) fn asks(end: End, to: Mac, operation: u16, sender: &str, target: &str) -> Vec<u8> {
    let target_mac = if operation == arp::REQUEST { Mac::ZERO } else { to };
    let packet =
        Arp { operation, sender_mac: host_mac(end.1), sender_ip: ip(sender), target_mac, target_ip: ip(target) };
    framed(to, host_mac(end.1), ethernet::ARP, &packet.emit())
}

/// The ARP packet in a frame.
pub(super) fn arp_in(frame: &[u8]) -> Arp {
    assert_eq!(&frame[12..14], [8, 6]);
    assert_eq!(frame.len(), 42, "no padding");
    Arp::parse(&frame[14..]).expect("an ARP packet")
}

/// The IPv4 packet in a frame: its header, whose checksum is right, and its payload.
pub(super) fn ip_in(frame: &[u8]) -> (Ipv4, &[u8]) {
    let header = Ipv4::checked(&frame[14..]).expect("a right header");
    (header, &frame[14 + header.header_length..14 + usize::from(header.total_length)])
}

/// The ICMP message in a frame.
pub(super) fn icmp_in(frame: &[u8]) -> (Ipv4, Icmp, &[u8]) {
    let (header, payload) = ip_in(frame);
    assert_eq!(header.protocol, protocol::ICMP);
    (header, Icmp::checked(payload).expect("a right message"), &payload[icmpv4::HEADER..])
}
