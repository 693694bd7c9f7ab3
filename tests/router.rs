//! A router with two ports, at the heart of the allocation test and of the benches.

use vethlab_engine::addr::{IpAddr, Ipv4Addr, Mac};
use vethlab_engine::control::{
    AddressMode, AddressSpec, Command, IfIndex, LinkChange, NeighborMode, NeighborSpec, NextHopSpec, Nud, RouteMode,
    RouteSpec,
};
use vethlab_engine::frame::{FramePool, Outbox};
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
        let mut router = Router { stack, pool, out, now: Time::ZERO };
        router.apply(Command::SysctlWrite("net/ipv4/ip_forward".into(), "1".into()));
        router.port(IN);
        router.port(OUT);
        let neighbor = NeighborSpec {
            index: OUT,
            destination: IpAddr::V4(NEIGHBOR),
            lladdr: Some(Mac([2, 0, 0, 0, 0, 9])),
            state: Nud::Permanent,
            router: false,
            proxy: false,
            extern_learn: false,
            protocol: 0,
        };
        router.apply(Command::NeighborAdd(NeighborMode::Add, neighbor));
        router
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

    /// What it has counted.
    pub fn counters(&self) -> &vethlab_engine::counters::Counters {
        self.stack.counters()
    }
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
