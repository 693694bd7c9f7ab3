//! A router with two ports, at the heart of the allocation test and of the benches.

use vethlab_engine::addr::{IpAddr, Ipv4Addr, Mac};
use vethlab_engine::conntrack::state;
use vethlab_engine::control::{
    AddressMode, AddressSpec, Command, IfIndex, LinkChange, NeighborMode, NeighborSpec, NextHopSpec, RouteMode,
    RouteSpec,
};
use vethlab_engine::filter::{ConntrackMatch, Match, Not, Rule, Standing, Table, TableName, Target};
use vethlab_engine::frame::{FrameBuf, FramePool, Outbox};
use vethlab_engine::link::{OperState, Port};
use vethlab_engine::observe::Silent;
use vethlab_engine::time::Time;
use vethlab_engine::{Cx, Stack};

/// The port by which packets come in: 10.0.2.1/24.
pub const IN: IfIndex = 2;
/// The port by which they leave: 10.0.3.1/24.
pub const OUT: IfIndex = 3;
/// The neighbour behind it, whose MAC is known.
pub const NEIGHBOR: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 2);

/// A router with a port on each side and a known neighbour behind the second.
#[derive(Debug)]
pub struct Router {
    stack: Stack,
    pool: FramePool,
    out: Outbox,
    batch: Vec<FrameBuf>,
    now: Time,
}

impl Default for Router {
    fn default() -> Router {
        Router::new()
    }
}

impl Router {
    /// It forwards, and has no routes but its links'.
    pub fn new() -> Router {
        let (stack, pool, out) = (Stack::new(1), FramePool::new(), Outbox::new());
        let mut router = Router { stack, pool, out, batch: Vec::new(), now: Time::ZERO };
        router.apply(Command::SysctlWrite("net/ipv4/ip_forward".into(), "1".into()));
        router.port(IN);
        router.port(OUT);
        router.neighbor(OUT, NEIGHBOR, Mac([2, 0, 0, 0, 0, 9]));
        router
    }

    fn neighbor(&mut self, index: IfIndex, address: Ipv4Addr, mac: Mac) {
        let neighbor = NeighborSpec::of(index, address.into(), Some(mac));
        self.apply(Command::NeighborAdd(NeighborMode::Replace, neighbor));
    }

    /// Adds a route by the neighbour.
    pub fn route(&mut self, destination: Ipv4Addr, length: u8) {
        let via = NextHopSpec { gateway: Some(NEIGHBOR.into()), ..NextHopSpec::default() };
        let spec = RouteSpec { nexthops: vec![via], ..RouteSpec::to(destination.into(), length) };
        self.apply(Command::RouteAdd(RouteMode::Replace, spec));
    }

    fn port(&mut self, index: IfIndex) {
        let mac = Mac([2, 0, 0, 0, 0, index as u8]);
        self.stack.port_add(Time::ZERO, Port::new_ethernet(index, format!("p{index}"), mac, Time::ZERO));
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, index as u8, 1));
        self.apply(Command::AddressAdd(AddressMode::Add, AddressSpec::of(index, address, 24)));
        self.apply(Command::LinkChange(index, LinkChange { up: Some(true), ..LinkChange::default() }));
        self.stack.carrier(index, true);
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        self.stack.link_change(&mut cx, index, OperState::Up);
    }

    fn apply(&mut self, command: Command) {
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        self.stack.apply(&mut cx, command, &mut Silent).expect("the router's own configuration");
    }

    /// One frame in, a microsecond after the last, and what comes out thrown away. True if it left by [`OUT`].
    pub fn forward(&mut self, frame: &[u8]) -> bool {
        self.now = Time(self.now.0 + 1000);
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        let frame = cx.pool.copy(frame);
        self.stack.receive(&mut cx, IN, frame, &mut Silent);
        let mut forwarded = false;
        for (port, frame) in self.out.drain() {
            forwarded |= port == OUT;
            self.pool.give(frame);
        }
        forwarded
    }

    /// Frames in together, a microsecond after the last, and what comes out thrown away. How many left by [`OUT`].
    pub fn forward_batch(&mut self, frames: &[Vec<u8>]) -> usize {
        self.now = Time(self.now.0 + 1000);
        self.batch.extend(frames.iter().map(|frame| self.pool.copy(frame)));
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        self.stack.receive_batch(&mut cx, IN, self.batch.drain(..), &mut Silent);
        let mut forwarded = 0;
        for (port, frame) in self.out.drain() {
            forwarded += usize::from(port == OUT);
            self.pool.give(frame);
        }
        forwarded
    }

    /// Filters, tracks and masquerades from now on; the connection of this datagram is established.
    pub fn masquerade(&mut self, frame: &[u8]) {
        self.neighbor(IN, Ipv4Addr::new(10, 0, 2, 2), Mac([2, 0, 0, 0, 0, 1]));
        for table in tables() {
            self.apply(Command::TableReplace(Box::new(table)));
        }
        let question = self.through(IN, frame).expect("the first of a connection is let pass");
        let answer = self.through(OUT, &answer_to(&question)).expect("so is its answer");
        let (to, port) = (&answer[30..34], &answer[36..38]);
        assert_eq!((to, port), (&frame[26..30], &frame[34..36]), "it comes back to its sender");
    }

    /// One frame in by a port: what comes out.
    fn through(&mut self, port: IfIndex, frame: &[u8]) -> Option<Vec<u8>> {
        self.now = Time(self.now.0 + 1000);
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        let frame = cx.pool.copy(frame);
        self.stack.receive(&mut cx, port, frame, &mut Silent);
        let (_, frame) = self.out.drain().next()?;
        let bytes = frame.to_vec();
        self.pool.give(frame);
        Some(bytes)
    }

    /// What it has counted.
    pub fn counters(&self) -> &vethlab_engine::counters::Counters {
        self.stack.counters()
    }
}

/// A filter that drops nothing of this, and looks at what it is; a translation of what leaves.
fn tables() -> [Table; 2] {
    fn yes<T>(of: T) -> Option<Not<T>> {
        Some(Not { not: false, of })
    }
    let mut filter = Table::fresh(TableName::Filter);
    let dropped = Rule {
        matches: vec![Match::Udp { source: None, destination: yes(7..=7) }],
        target: Some(Target::Drop),
        ..Rule::default()
    };
    let established = ConntrackMatch { state: yes(state::ESTABLISHED), ..ConntrackMatch::default() };
    let taken = Rule {
        matches: vec![Match::Conntrack(Box::new(established))],
        target: Some(Target::Accept),
        ..Rule::default()
    };
    let mut nat = Table::fresh(TableName::Nat);
    let masquerade = Target::Masquerade { ports: None, random: false, random_fully: false };
    let translated = Rule { target: Some(masquerade), ..Rule::default() };
    for (table, chain, rules) in
        [(&mut filter, "FORWARD", vec![dropped, taken]), (&mut nat, "POSTROUTING", vec![translated])]
    {
        let chain = table.chain_mut(chain).expect("a chain that is built in");
        (chain.standing, chain.rules) = (Standing::Made, rules);
    }
    [filter, nat]
}

/// What a datagram of [`datagram`] is answered, without a checksum.
fn answer_to(question: &[u8]) -> Vec<u8> {
    let mut answer = question.to_vec();
    for (at, from, length) in [(0, 6, 6), (6, 0, 6), (26, 30, 4), (30, 26, 4), (34, 36, 2), (36, 34, 2)] {
        answer[at..at + length].copy_from_slice(&question[from..from + length]);
    }
    answer[40..42].fill(0);
    answer
}

/// A UDP datagram from 10.0.2.2 to there, of 60 bytes with its link header.
pub fn datagram(destination: Ipv4Addr) -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, IN as u8])
        .ipv4([10, 0, 2, 2], destination.octets(), 64)
        .udp(4000, 5000);
    let mut frame = Vec::new();
    builder.write(&mut frame, b"eighteen bytes ...").expect("a vector takes all");
    frame
}
