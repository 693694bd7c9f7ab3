//! Routers in a row, each a whole [`Stack`] with its counters, that hand frames on in batches: the in-memory path as it is
//! measured against DPDK's libraries and the kernel's namespaces.
//!
//! ```text
//!   source ──> [ 2 router 3 ] ──> [ 2 router 3 ] ──> … ──> sink        2 and 3 are ports
//!     10.0.0.1     10.0.0.2  10.0.1.1   10.0.1.2  10.0.2.1
//! ```
//!
//! Router `n` has link `n` before it and link `n + 1` behind it. All neighbours are permanent, so that nothing but frames of
//! the load is on the way. Time goes on by a microsecond a batch.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use vethlab_engine::addr::{IpAddr, Mac};
use vethlab_engine::conntrack::state;
use vethlab_engine::control::{
    AddressMode, AddressSpec, Command, IfIndex, LinkChange, NeighborMode, NeighborSpec, NextHopSpec, RouteMode,
    RouteSpec,
};
use vethlab_engine::counters::Counters;
use vethlab_engine::filter::{ConntrackMatch, IpMatch, Match, Not, Rule, Standing, Table, TableName, Target};
use vethlab_engine::frame::{FramePool, Outbox};
use vethlab_engine::link::{OperState, Port};
use vethlab_engine::observe::Silent;
use vethlab_engine::time::Time;
use vethlab_engine::wire::{Ethernet, Ipv4, Udp, ethernet, ipv4, protocol};
use vethlab_engine::{Cx, Stack};

/// The port towards the source, and the one towards the sink.
const NEAR: IfIndex = 2;
const FAR: IfIndex = 3;
/// Frames that are handed on together.
pub const BATCH: usize = 64;
/// Bytes of a frame, without its FCS: the smallest.
pub const FRAME: usize = 60;
/// The first of the networks that routes lead to, each 256 addresses wide.
pub const NETWORKS: u32 = 20 << 24;
/// Most destinations that one load has.
const DESTINATIONS: usize = 1 << 16;
/// Rules that a router with a filter asks about each packet.
pub const RULES: u16 = 20;

/// Routers in a row, and the frames that they are sent.
pub struct Chain {
    routers: Vec<Stack>,
    pool: FramePool,
    /// What is about to enter a router, and what has left it.
    before: Outbox,
    behind: Outbox,
    now: Time,
    /// In one row, as the peers have theirs: what the source costs is not the routers'.
    frames: Vec<[u8; FRAME]>,
    next: usize,
}

impl Chain {
    /// So many routers with so many routes each, and frames to random addresses in them.
    ///
    /// # Panics
    /// If the chain does not forward: then it is not worth measuring.
    pub fn new(hops: u16, routes: u32, seed: u64) -> Chain {
        let mut chain = Chain {
            routers: Vec::new(),
            pool: FramePool::new(),
            before: Outbox::new(),
            behind: Outbox::new(),
            now: Time::ZERO,
            frames: destinations(routes, seed).into_iter().map(frame).collect(),
            next: 0,
        };
        for number in 0..hops {
            let router = chain.router(number, routes);
            chain.routers.push(router);
        }
        chain.warm_up();
        chain
    }

    /// Each router gets the filter that [`iptables`] tells, and remembers `flows` connections that were answered. Frames
    /// are of those connections from now on.
    ///
    /// # Panics
    /// As [`Chain::new`].
    pub fn filtered(mut self, flows: usize) -> Chain {
        for at in 0..self.routers.len() {
            for table in [filter(), nat()] {
                self.apply(at, Command::TableReplace(Box::new(table)));
            }
        }
        self.frames.truncate(flows);
        for at in 0..self.frames.len() {
            let question = self.through(false, &self.frames[at].clone());
            let answer = self.through(true, &answer_to(&question.expect("it is forwarded")));
            assert!(answer.is_some(), "answer {at} does not come back: {:?}", self.counters());
        }
        // Connections are taken for streams from two seconds on.
        self.now = Time(self.now.nanos() + 3_000_000_000);
        self.warm_up();
        self
    }

    /// Sends so many frames: how long that took, and how many came out at the end.
    pub fn run(&mut self, frames: usize) -> (Duration, u64) {
        let began = Instant::now();
        let (mut left, mut arrived) = (frames, 0);
        while left > 0 {
            let count = left.min(BATCH);
            for _ in 0..count {
                let frame = self.pool.copy(self.frames.get(self.next).map_or(&[], <[u8; FRAME]>::as_slice));
                self.before.push(FAR, frame);
                self.next = if self.next + 1 < self.frames.len() { self.next + 1 } else { 0 };
            }
            self.pass();
            for (port, frame) in self.before.drain() {
                arrived += u64::from(port == FAR);
                self.pool.give(frame);
            }
            left -= count;
        }
        (began.elapsed(), arrived)
    }

    /// What the routers counted, one after the other.
    pub fn counters(&self) -> Vec<&Counters> {
        self.routers.iter().map(Stack::counters).collect()
    }

    /// What waits goes through all routers.
    fn pass(&mut self) {
        self.now = Time(self.now.nanos() + 1000);
        for router in &mut self.routers {
            let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.behind };
            router.receive_batch(&mut cx, NEAR, self.before.drain().map(|(_, frame)| frame), &mut Silent);
            std::mem::swap(&mut self.before, &mut self.behind);
        }
    }

    /// One frame from end to end, or back: what comes out.
    fn through(&mut self, back: bool, frame: &[u8]) -> Option<Vec<u8>> {
        self.now = Time(self.now.nanos() + 1000);
        let frame = self.pool.copy(frame);
        self.before.push(FAR, frame);
        let hops = self.routers.len();
        for at in 0..hops {
            let (at, port) = if back { (hops - 1 - at, FAR) } else { (at, NEAR) };
            let Some((_, frame)) = self.before.drain().next() else { break };
            let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.behind };
            self.routers[at].receive(&mut cx, port, frame, &mut Silent);
            std::mem::swap(&mut self.before, &mut self.behind);
        }
        let (port, frame) = self.before.drain().next()?;
        let bytes = (port == if back { NEAR } else { FAR }).then(|| frame.to_vec());
        self.pool.give(frame);
        bytes
    }

    /// Every frame once, and a look at one that came out.
    fn warm_up(&mut self) {
        let frames = self.frames.len().max(BATCH);
        let (_, arrived) = self.run(frames);
        assert_eq!(arrived, frames as u64, "some do not arrive: {:?}", self.counters());
        let came = self.through(false, &self.frames[0].clone()).expect("it is forwarded");
        let header = Ipv4::checked(&came[ethernet::HEADER..]).expect("its header is right");
        assert_eq!(usize::from(header.ttl), 255 - self.routers.len());
        assert_eq!(came[..6], mac(self.routers.len() as u16, NEAR).0);
    }

    fn router(&mut self, number: u16, routes: u32) -> Stack {
        let mut stack = Stack::new(number.into());
        let mut commands = vec![Command::SysctlWrite("net/ipv4/ip_forward".into(), "1".into())];
        for (index, name, link, host) in [(NEAR, "near", number, 2), (FAR, "far", number + 1, 1)] {
            stack.port_add(Time::ZERO, Port::new_ethernet(index, name, mac(number, index), Time::ZERO));
            commands
                .push(Command::AddressAdd(AddressMode::Add, AddressSpec::of(index, address(link, host).into(), 24)));
            commands.push(Command::LinkChange(index, LinkChange { up: Some(true), ..LinkChange::default() }));
        }
        commands.push(neighbor(NEAR, address(number, 1), mac(number.wrapping_sub(1), FAR)));
        commands.push(neighbor(FAR, address(number + 1, 2), mac(number + 1, NEAR)));
        let via = NextHopSpec { gateway: Some(address(number + 1, 2).into()), ..NextHopSpec::default() };
        for network in 0..routes {
            let to = IpAddr::V4(Ipv4Addr::from(NETWORKS + (network << 8)));
            let spec = RouteSpec { nexthops: vec![via], ..RouteSpec::to(to, 24) };
            commands.push(Command::RouteAdd(RouteMode::Add, spec));
        }
        let mut cx = Cx { now: Time::ZERO, pool: &mut self.pool, out: &mut self.before };
        for command in commands {
            let up = matches!(command, Command::LinkChange(..));
            stack.apply(&mut cx, command, &mut Silent).expect("a router's own configuration");
            for index in [NEAR, FAR].into_iter().filter(|_| up) {
                stack.carrier(index, true);
                stack.link_change(&mut cx, index, OperState::Up);
            }
        }
        self.discard();
        stack
    }

    fn apply(&mut self, at: usize, command: Command) {
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.before };
        self.routers[at].apply(&mut cx, command, &mut Silent).expect("a router's own configuration");
        self.discard();
    }

    fn discard(&mut self) {
        self.before.drain().for_each(|(_, frame)| self.pool.give(frame));
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.discard();
    }
}

/// A host on a link.
fn address(link: u16, host: u8) -> Ipv4Addr {
    let [high, low] = link.to_be_bytes();
    Ipv4Addr::new(10, high, low, host)
}

fn mac(router: u16, port: IfIndex) -> Mac {
    let [high, low] = router.to_be_bytes();
    Mac([2, 0, 0, high, low, port as u8])
}

fn neighbor(index: IfIndex, at: Ipv4Addr, mac: Mac) -> Command {
    Command::NeighborAdd(NeighborMode::Add, NeighborSpec::of(index, at.into(), Some(mac)))
}

/// Random addresses in so many networks, 256 for each as far as there is room; the same for the same seed.
pub fn destinations(routes: u32, seed: u64) -> Vec<Ipv4Addr> {
    let count = (routes as usize * 256).clamp(1, DESTINATIONS);
    let mut state = seed;
    let draw = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let chosen = (state >> 32) as u32;
        // Neither the network's own address nor everybody's.
        Ipv4Addr::from(NETWORKS + (((chosen >> 8) % routes.max(1)) << 8) + (chosen & 0xff).clamp(1, 254))
    };
    (0..count).map(draw).collect()
}

/// A UDP datagram from the source to there, as the first router takes it.
pub fn datagram(destination: Ipv4Addr) -> Vec<u8> {
    const PAYLOAD: [u8; FRAME - ethernet::HEADER - ipv4::HEADER - 8] = [0x5a; _];
    let source = address(0, 1);
    let udp = Udp { source: 4000, destination: 5000, length: 0, checksum: 0 }.emit(source, destination, &PAYLOAD);
    let header = Ipv4 {
        total_length: (FRAME - ethernet::HEADER) as u16,
        ttl: 255,
        protocol: protocol::UDP,
        source,
        destination,
        ..Ipv4::UNSAID
    };
    let link = Ethernet { destination: mac(0, NEAR), source: mac(u16::MAX, FAR), ethertype: ethernet::IPV4 };
    [&link.emit()[..], &header.emit(), &udp, &PAYLOAD].concat()
}

fn frame(destination: Ipv4Addr) -> [u8; FRAME] {
    datagram(destination).try_into().expect("the smallest frame")
}

/// What the sink answers to a frame that came there.
fn answer_to(question: &[u8]) -> Vec<u8> {
    let link = Ethernet::parse(question).expect("a link header");
    let packet = &question[ethernet::HEADER..];
    let header = Ipv4::checked(packet).expect("a right header");
    let payload = &packet[ipv4::HEADER + 8..];
    let udp = Udp::parse(&packet[ipv4::HEADER..]).expect("a UDP header");
    let udp = Udp { source: udp.destination, destination: udp.source, ..udp };
    let udp = udp.emit(header.destination, header.source, payload);
    let header = Ipv4 { source: header.destination, destination: header.source, ttl: 255, ..header };
    let link = Ethernet { source: link.destination, destination: link.source, ..link };
    [&link.emit()[..], &header.emit(), &udp, payload].concat()
}

/// The rules of [`Chain::filtered`], for a kernel that is to have the same: [`RULES`] rules that each packet is asked by, the
/// last of which takes it because its connection is known, and a translation. `in` and `out` are the router's ports.
pub fn iptables(near: &str, far: &str) -> Vec<String> {
    let drops = (0..RULES - 2).map(|number| format!("-A FORWARD -p udp -m udp --dport {} -j DROP", 6000 + number));
    let mut rules: Vec<String> = drops.collect();
    rules.push(format!("-A FORWARD -i {near} -o {far} -m conntrack --ctstate NEW -j ACCEPT"));
    rules.push("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT".into());
    rules.push("-P FORWARD DROP".into());
    rules.push(format!("-t nat -A POSTROUTING -o {far} -j MASQUERADE"));
    rules
}

fn yes<T>(of: T) -> Option<Not<T>> {
    Some(Not { not: false, of })
}

fn in_state(wanted: u16) -> Match {
    Match::Conntrack(Box::new(ConntrackMatch { state: yes(wanted), ..ConntrackMatch::default() }))
}

fn filter() -> Table {
    let mut rules: Vec<Rule> = (0..RULES - 2)
        .map(|number| Rule {
            ip: IpMatch { protocol: yes(protocol::UDP), ..IpMatch::default() },
            matches: vec![Match::Udp { source: None, destination: yes(6000 + number..=6000 + number) }],
            target: Some(Target::Drop),
            ..Rule::default()
        })
        .collect();
    rules.push(Rule {
        ip: IpMatch { in_interface: yes("near".into()), out_interface: yes("far".into()), ..IpMatch::default() },
        matches: vec![in_state(state::NEW)],
        target: Some(Target::Accept),
        ..Rule::default()
    });
    rules.push(Rule {
        matches: vec![in_state(state::RELATED | state::ESTABLISHED)],
        target: Some(Target::Accept),
        ..Rule::default()
    });
    table(TableName::Filter, "FORWARD", false, rules)
}

fn nat() -> Table {
    let rule = Rule {
        ip: IpMatch { out_interface: yes("far".into()), ..IpMatch::default() },
        target: Some(Target::Masquerade { ports: None, random: false, random_fully: false }),
        ..Rule::default()
    };
    table(TableName::Nat, "POSTROUTING", true, vec![rule])
}

/// A table with these rules in one of its chains.
fn table(name: TableName, chain: &str, policy: bool, rules: Vec<Rule>) -> Table {
    let mut table = Table::fresh(name);
    for made in table.chains.iter_mut().filter(|made| made.name == chain) {
        (made.standing, made.policy) = (Standing::Made, Some(policy));
        made.rules.clone_from(&rules);
    }
    table
}
