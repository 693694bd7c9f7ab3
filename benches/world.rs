//! Worlds that are measured: lines of namespaces, each a router with a cable to either side.
//!
//! [`Chain`] is few of them and many datagrams, each an event of its own at every hop; [`scale`] is very many of them, how
//! long they take to make, what they hold, and what a hop costs that nothing has warmed.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::{
    AddressMode, AddressSpec, Command, IfIndex, LinkChange, NextHopSpec, RouteMode, RouteSpec, protocol, scope,
};
use vethlab_engine::local::{SocketId, SocketKind};
use vethlab_engine::time::Duration as Span;
use vethlab_sim::world::{LinkAdd, LinkKind, PeerAdd};
use vethlab_sim::{NsId, World};

/// Bytes of UDP payload: with its headers a frame of 64 bytes, the check sequence counted.
const PAYLOAD: [u8; 18] = [0; 18];
/// The port that datagrams go to.
const DISCARD: u16 = 9;
/// From one datagram to the next, in virtual time.
const PAUSE: Span = Span::from_micros(1);
/// Datagrams that are let arrive before they are read: fewer than a socket keeps.
const READ: usize = 64;

/// A socket of a namespace.
type Held = (NsId, SocketId);

/// The `index`th cable's network: the end to the left is its first address, the end to the right its second.
fn ends(index: usize) -> [Ipv4Addr; 2] {
    let base = (10 << 24) + 4 * index as u32;
    [1, 2].map(|host| Ipv4Addr::from(base + host))
}

/// A line of so many namespaces that forward: to the right by default, to the left what is for `192.168.0.0/16`.
///
/// # Panics
///
/// If anything of it is refused.
pub fn line(namespaces: usize) -> (World, Vec<NsId>) {
    let mut world = World::new(1);
    let line: Vec<NsId> =
        (0..namespaces).map(|number| world.netns_add(&format!("n{number}")).expect("every name is new")).collect();
    let mut left = None;
    for (at, ns) in line.iter().enumerate() {
        apply(&mut world, *ns, Command::SysctlWrite("net/ipv4/ip_forward".to_string(), "1".to_string()));
        if let Some(left) = left {
            configure(&mut world, *ns, left, ends(at - 1)[1]);
            route(&mut world, *ns, (Ipv4Addr::new(192, 168, 0, 0), 16), ends(at - 1)[0]);
        }
        left = line.get(at + 1).map(|next| {
            let (right, left) = cable(&mut world, *ns, *next);
            let [near, far] = ends(at);
            configure(&mut world, *ns, right, near);
            route(&mut world, *ns, (Ipv4Addr::UNSPECIFIED, 0), far);
            left
        });
    }
    (world, line)
}

fn apply(world: &mut World, ns: NsId, command: Command) {
    world.apply(ns, command).expect("nothing is refused");
}

/// A cable from `right` of one namespace to `left` of the next; tells their numbers.
fn cable(world: &mut World, ns: NsId, next: NsId) -> (IfIndex, IfIndex) {
    let name = |name: &str| Some(name.to_string());
    let peer = Box::new(PeerAdd { netns: Some(next), name: name("left"), ..PeerAdd::default() });
    let kind = LinkKind::Veth { peer };
    let link = LinkAdd { name: name("right"), index: None, address: None, mtu: None, txqueuelen: None, kind };
    let right = world.link_add(ns, link).expect("both names are new");
    let left = world.peer(ns, right).expect("a cable has two ends");
    (right, left.index)
}

/// Sets a port up and gives it an address.
fn configure(world: &mut World, ns: NsId, port: IfIndex, address: Ipv4Addr) {
    apply(world, ns, Command::LinkChange(port, LinkChange { up: Some(true), ..LinkChange::default() }));
    let scope = Some(scope::UNIVERSE);
    let spec = AddressSpec { scope, ..AddressSpec::of(port, IpAddr::V4(address), 30) };
    apply(world, ns, Command::AddressAdd(AddressMode::Add, spec));
}

fn route(world: &mut World, ns: NsId, (to, length): (Ipv4Addr, u8), gateway: Ipv4Addr) {
    let hop = NextHopSpec { gateway: Some(IpAddr::V4(gateway)), weight: 1, ..NextHopSpec::default() };
    let spec = RouteSpec {
        nexthops: vec![hop],
        protocol: Some(protocol::BOOT),
        scope: Some(scope::UNIVERSE),
        ..RouteSpec::to(IpAddr::V4(to), length)
    };
    apply(world, ns, Command::RouteAdd(RouteMode::Add, spec));
}

fn socket(world: &mut World, ns: NsId, port: u16) -> Held {
    let stack = world.stack_mut(ns);
    let socket = stack.socket(SocketKind::Udp).expect("there is room for a socket");
    stack.bind(socket, Ipv4Addr::UNSPECIFIED, port).expect("the port is free");
    (ns, socket)
}

/// Reads all that has come; how many datagrams that were.
fn read(world: &mut World, (ns, socket): Held) -> u64 {
    let stack = world.stack_mut(ns);
    std::iter::from_fn(|| stack.receive_datagram(socket)).count() as u64
}

fn pass(world: &mut World, span: Span) {
    let until = world.now() + span;
    world.advance_to(until);
}

/// A host, a line of routers, and a host.
pub struct Chain {
    world: World,
    source: Held,
    sink: Held,
    goal: (Ipv4Addr, u16),
    /// How long a datagram is on its way, and more.
    way: Span,
}

impl Chain {
    /// With so many routers. Every neighbour is known already.
    ///
    /// # Panics
    ///
    /// If no datagram arrives.
    pub fn new(routers: usize) -> Chain {
        let (mut world, line) = line(routers + 2);
        let (first, last) = (line[0], line[routers + 1]);
        let ttl = Command::SysctlWrite("net/ipv4/ip_default_ttl".to_string(), "255".to_string());
        apply(&mut world, first, ttl);
        let (source, sink) = (socket(&mut world, first, 0), socket(&mut world, last, DISCARD));
        let way = Span::from_micros(100) * (routers as u32 + 2);
        let mut chain = Chain { world, source, sink, goal: (ends(routers)[1], DISCARD), way };
        // Links are noticed, addresses are found to be nobody else's, neighbours are asked for.
        pass(&mut chain.world, Span::from_secs(5));
        assert_eq!(chain.run(1, 1).1, 1, "the line carries datagrams");
        chain
    }

    /// Sends so many datagrams from end to end: `burst` at each microsecond of virtual time, which pass each hop at one
    /// instant. How long that took, and how many arrived.
    pub fn run(&mut self, datagrams: usize, burst: usize) -> (Duration, u64) {
        let began = Instant::now();
        let (mut sent, mut unread, mut arrived) = (0, 0, 0);
        while sent < datagrams {
            for _ in 0..burst.min(datagrams - sent) {
                self.world.send_to(self.source.0, self.source.1, self.goal, &PAYLOAD).expect("there is a route");
                sent += 1;
                unread += 1;
            }
            pass(&mut self.world, PAUSE);
            if unread >= READ {
                unread = 0;
                arrived += read(&mut self.world, self.sink);
            }
        }
        let until = self.world.now() + self.way;
        let pause = PAUSE * (READ / burst).max(1) as u32;
        while self.world.next_event().is_some_and(|time| time <= until) {
            pass(&mut self.world, pause);
            arrived += read(&mut self.world, self.sink);
        }
        (began.elapsed(), arrived)
    }

    /// One number for all that has passed.
    pub fn digest(&self) -> u64 {
        self.world.digest()
    }
}

/// `frames` datagrams through a line of `hops` routers, each of them alone at its instant, so that each hop of each is an
/// event: how long that took, and how many arrived.
pub fn chain_events(hops: usize, frames: usize) -> (Duration, u64) {
    Chain::new(hops).run(frames, 1)
}

/// What very many namespaces cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// How many there are, each with two ends of cables, two addresses, two routes, and IPv6 as it comes.
    pub namespaces: usize,
    /// How long it took to make and configure them.
    pub setup: Duration,
    /// Bytes that the process has more in memory since.
    pub bytes: u64,
    /// How long the first five seconds of their lives take: each link is noticed, each address is found to be nobody else's.
    pub settle: Duration,
    /// How long a wave takes in which every tenth sends a datagram to the ninth behind it, and all on the way are asked for
    /// their MACs.
    pub first_wave: Duration,
    /// The next one, in which all MACs are known.
    pub wave: Duration,
    /// How many hops a wave has.
    pub hops: u64,
    /// How many datagrams arrived, of both waves.
    pub arrived: u64,
    /// Bytes in the end.
    pub bytes_after: u64,
    /// One number for all that has passed.
    pub digest: u64,
}

/// Every so many namespaces one sends.
const EVERY: usize = 10;

/// Makes a line of so many namespaces, and lets them work.
pub fn scale(namespaces: usize) -> Scale {
    let before = resident();
    let began = Instant::now();
    let (mut world, line) = line(namespaces);
    let setup = began.elapsed();
    let bytes = resident().saturating_sub(before);
    let settle = timed(|| pass(&mut world, Span::from_secs(5)));
    let pairs: Vec<(Held, Held, Ipv4Addr)> = line
        .chunks_exact(EVERY)
        .enumerate()
        .map(|(number, part)| {
            let goal = ends(number * EVERY + EVERY - 2)[1];
            (socket(&mut world, part[0], 0), socket(&mut world, part[EVERY - 1], DISCARD), goal)
        })
        .collect();
    let mut arrived = 0;
    let [first_wave, wave] = [(); 2].map(|()| {
        let time = timed(|| {
            for ((ns, socket), _, goal) in &pairs {
                world.send_to(*ns, *socket, (*goal, DISCARD), &PAYLOAD).expect("there is a route");
            }
            pass(&mut world, Span::from_millis(2));
        });
        arrived += pairs.iter().map(|(_, sink, _)| read(&mut world, *sink)).sum::<u64>();
        time
    });
    let hops = (pairs.len() * (EVERY - 1)) as u64;
    let bytes_after = resident().saturating_sub(before);
    let digest = world.digest();
    Scale { namespaces, setup, bytes, settle, first_wave, wave, hops, arrived, bytes_after, digest }
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// Bytes that this process has in memory; 0 where nobody tells.
pub fn resident() -> u64 {
    const PAGE: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE
}
