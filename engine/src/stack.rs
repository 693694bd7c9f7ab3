//! A stack: all state of one namespace, and the way of a packet through it.
//!
//! ```text
//!                  Stack::receive                                     Stack::ip_output (sockets)
//!                        │                                                    │
//!   receive   walk: the link header ── arp   asked, answered, heard           │
//!                        │                                                    │
//!   v4        the IP header, its route, its options                           │
//!              │                     │                                        │
//!   forward   TTL, MTU, redirect   deliver   fragments, sockets ── icmp ──┐   │
//!              │                                  icmp_error, reply ──────┤   │
//!              v                                                          v   v
//!   output    the next hop's MAC, or the queue of those who wait for it; fragments; the port
//! ```
//!
//! What nearly every packet of a router is goes `straight` through. Of all others, `walk` decides and changes nothing but the packet, `visit` acts, `refuse` ends what goes no further. What follows from
//! a visit (a packet of our own that comes in by `lo`, an ARP request) is done at its end, in `actions`. `effects` carries
//! out configuration, `peers` keeps count of what each host was told, and `ask` is what the path asks the tables.

mod actions;
mod arp;
mod ask;
mod bridge;
mod bridge_nf;
mod deliver;
mod effects;
mod fdb;
mod forward;
mod hooks;
mod icmp;
mod icmp_error;
mod originate;
mod output;
mod packet;
mod peers;
mod qdisc;
mod receive;
mod reject;
mod reply;
mod socket;
mod straight;
mod stream;
mod tap;
mod tcp;
mod v4;
mod virt;
mod vxlan;

use crate::addr::{IpAddr, Mac};
use crate::config::{Config, LinkNews};
use crate::conntrack::{Conntrack, Nfct};
use crate::control::{Command, IfIndex, Refusal, RouteKind};
use crate::counters::Counters;
use crate::filter::Filter;
use crate::frame::{FrameBuf, FramePool, Outbox};
use crate::ip::Reassembly;
use crate::link::{OperState, Port, PortCounters, Ports};
use crate::local::{Sockets, Taps};
use crate::neighbor::{NeighborEntry, Neighbors, ProxyEntry};
use crate::observe::{Observer, Silent, Step};
use crate::qdisc::Qdiscs;
use crate::rng::Rng;
use crate::route::{RouteGet, RouteGot, Ways, route_get};
use crate::seldom::{Seeded, Seldom, Usual};
use crate::time::{Time, earlier};
use output::Idents;
use packet::{Packet, Routed};
use peers::Peers;
use receive::Looped;
use std::collections::VecDeque;

/// What one visit to a stack may touch besides the stack.
pub struct Cx<'a> {
    /// Now; never goes back.
    pub now: Time,
    /// Where frames come from and go back to.
    pub pool: &'a mut FramePool,
    /// Where frames leave.
    pub out: &'a mut Outbox,
}

/// What waits with a packet for its next hop's MAC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parked {
    /// The port it came in by; none for a packet of our own.
    pub(crate) iif: Option<IfIndex>,
    /// It was on its way through a bridge, and goes on there.
    pub(crate) bridged: Option<Bridged>,
    /// Its mark and its connection.
    pub(crate) mark: u32,
    pub(crate) nfct: Nfct,
}

impl Parked {
    /// A packet that is routed.
    pub(crate) const fn routed(iif: Option<IfIndex>) -> Parked {
        Parked { iif, bridged: None, mark: 0, nfct: Nfct::UNSEEN }
    }
}

/// What is kept of a bridged packet while it waits (`nf_bridge_info`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bridged {
    /// The bridge's port that it came in by.
    pub(crate) port: IfIndex,
    /// Who sent the frame.
    pub(crate) source: Mac,
    pub(crate) nfct: Nfct,
    pub(crate) mark: u32,
}

/// All state of one namespace.
#[derive(Debug)]
pub struct Stack {
    pub(crate) config: Config,
    pub(crate) filter: Filter,
    pub(crate) conntrack: Seeded<Conntrack>,
    pub(crate) neighbors: Neighbors<Parked>,
    /// Ways of packets that came in, as they were found before.
    ways: Ways,
    pub(crate) sockets: Seeded<Sockets>,
    taps: Taps,
    qdiscs: Seeded<Qdiscs<Routed>>,
    pub(crate) reassembly: Seldom<Reassembly>,
    pub(crate) counters: Counters,
    peers: Seeded<Peers>,
    idents: Seeded<Idents>,
    again: Seldom<Again>,
}

/// What comes in again before a visit ends; empty between visits.
#[derive(Debug, Default)]
struct Again {
    /// Frames of our own.
    looped: VecDeque<Looped>,
    /// Frames that come in by another port.
    rising: VecDeque<Packet>,
}

impl Usual for Again {
    const USUAL: &'static Again = &Again { looped: VecDeque::new(), rising: VecDeque::new() };
}

impl Stack {
    /// A namespace with nothing but a `lo` that is down. All its chance follows from `seed`.
    pub fn new(seed: u64) -> Stack {
        let mut rng = Rng::new(seed);
        let mut stack = Stack {
            config: Config::seeded(Time::ZERO, rng.split()),
            neighbors: Neighbors::new(rng.split()),
            ways: Ways::default(),
            sockets: Seeded::new(rng.split()),
            taps: Taps::default(),
            reassembly: Seldom::USUAL,
            counters: Counters::default(),
            peers: Seeded::new(rng.split()),
            idents: Idents::drawn(&mut rng),
            conntrack: Seeded::new(rng.split()),
            again: Seldom::USUAL,
            filter: Filter::new(rng.split()),
            qdiscs: Seeded::new(rng.split()),
        };
        stack.heed_sysctls(Time::ZERO);
        stack
    }

    /// One frame in, by a port.
    pub fn receive<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, mut frame: FrameBuf, observer: &mut O) {
        match self.pass(port, &mut frame, observer) {
            Some(oif) => cx.out.push(oif, frame),
            None => self.receive_by_steps(cx, port, frame, observer),
        }
    }

    /// The same, for any frame.
    fn receive_by_steps<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, frame: FrameBuf, observer: &mut O) {
        self.counters.received += 1;
        observer.step(Step::Received { port, frame: &frame });
        self.visit(cx, Packet::new(frame, port), observer);
        self.finish(cx, observer);
        self.check();
    }

    /// Frames in, by a port, one after the other: the same as [`Stack::receive`] of each.
    pub fn receive_batch<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        frames: impl IntoIterator<Item = FrameBuf>,
        observer: &mut O,
    ) {
        let mut frames = frames.into_iter();
        while let Some(frame) = self.pass_batch(cx, port, &mut frames, observer) {
            self.receive_by_steps(cx, port, frame, observer);
        }
    }

    /// Time in: runs every timer due at `cx.now`.
    pub fn tick<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        let effects = self.config.tick(cx.now);
        self.carry_out_effects(cx, effects, observer);
        // A SYN that waits for a MAC is repeated on the ticks on which the MAC is asked for. Its timer was set last, and in
        // Linux's wheel that is the one that runs first: it finds the SYN still waiting.
        self.tcp_tick(cx, observer);
        self.neighbors.tick(cx.now);
        self.fdb_tick(cx.now);
        if let Some(reassembly) = self.reassembly.own_mut() {
            reassembly.tick(cx.now);
        }
        if let Some(conntrack) = self.conntrack.own_mut() {
            conntrack.tick(cx.now);
        }
        self.discard_fragments(cx, observer);
        self.qdisc_tick(cx, observer);
        self.finish(cx, observer);
        self.check();
    }

    /// Time out: when [`Stack::tick`] is wanted next.
    pub fn next_deadline(&self) -> Option<Time> {
        // Asked after each frame: what is not there costs a look at its length.
        let mut first = earlier(self.neighbors.next_deadline(), self.config.next_deadline());
        first = earlier(first, self.reassembly.next_deadline());
        first = earlier(first, self.sockets.tcp.next_deadline());
        if self.has_fdb() {
            first = earlier(first, self.fdb_deadline());
        }
        if self.qdiscs.is_empty() { first } else { earlier(first, self.qdiscs.next()) }
    }

    /// Configuration in.
    pub fn apply<O: Observer>(&mut self, cx: &mut Cx<'_>, command: Command, observer: &mut O) -> Result<(), Refusal> {
        let done = self.carry_out(cx, command, observer);
        self.finish(cx, observer);
        self.check();
        done
    }

    /// Ports, addresses, routes and sysctls.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The filter tables.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The flows.
    pub fn conntrack(&self) -> &Conntrack {
        &self.conntrack
    }

    /// The same, for `conntrack -D`.
    pub fn conntrack_mut(&mut self) -> &mut Conntrack {
        &mut self.conntrack
    }

    /// The ports, by index.
    pub fn ports(&self) -> &Ports {
        &self.config.ports
    }

    /// Adds a port (a cable's end, a device). Its index and name must be free.
    pub fn port_add(&mut self, now: Time, port: Port) {
        let index = port.index;
        let effects = self.config.port_add(now, port);
        debug_assert!(effects.is_empty(), "a port that is down changes nothing");
        self.time_neighbors(now, index);
    }

    /// Takes a port out, with its addresses, routes and neighbours; frames that waited for it are discarded.
    pub fn port_remove(&mut self, cx: &mut Cx<'_>, index: IfIndex) -> Option<Port> {
        let port = self.forget_port(cx, index, &mut Silent);
        self.finish(cx, &mut Silent);
        self.check();
        port
    }

    /// What a port counted, for its driver: of frames that were sent but not taken, and the like.
    pub fn port_counters_mut(&mut self, index: IfIndex) -> Option<&mut PortCounters> {
        self.config.ports.counters_mut(index)
    }

    /// A port, for its driver, to change it. (What only counts takes [`Stack::port_counters_mut`].)
    pub fn port_mut(&mut self, index: IfIndex) -> Option<&mut Port> {
        self.config.ports.get_mut(index)
    }

    /// The device tells that the cable now works, or no longer does (`netif_carrier_on`, `netif_carrier_off`): sets and counts
    /// [`Port::carrier`] if it differs. What follows from it in routes and addresses waits for [`Stack::link_change`].
    pub fn carrier(&mut self, index: IfIndex, on: bool) {
        let effects = self.config.carrier(Time::ZERO, index, on);
        debug_assert!(effects.is_empty(), "nothing follows until it is noticed");
    }

    /// The namespace notices the state of the cable (`linkwatch_do_dev`, `NETDEV_CHANGE`): sets [`Port::operstate`]; if
    /// the port is up, its routes become `linkdown` or lose that by [`Port::carrier`], and IPv6 gets its link-local address.
    pub fn link_change(&mut self, cx: &mut Cx<'_>, index: IfIndex, state: OperState) {
        let effects = self.config.link_change(cx.now, index, state);
        self.carry_out_effects(cx, effects, &mut Silent);
        if self.config.ports.get(index).is_some_and(|port| !port.carrier) {
            self.qdisc_reset(cx, index, &mut Silent);
        }
        self.finish(cx, &mut Silent);
        self.check();
    }

    /// What happened to links since the last call, that concerns the link watch or other namespaces.
    pub fn take_link_news(&mut self) -> Vec<LinkNews> {
        self.config.take_link_news()
    }

    /// True if something happened to links.
    #[inline]
    pub fn has_link_news(&self) -> bool {
        !self.config.news.is_empty()
    }

    /// What passed and what was dropped.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// All neighbours, in the order of their versions, links and addresses.
    pub fn neighbor_entries(&self, now: Time) -> Vec<NeighborEntry> {
        self.neighbors.entries(now)
    }

    /// All proxy entries, by link (0 is any) and address.
    pub fn proxy_entries(&self) -> Vec<((IfIndex, IpAddr), ProxyEntry)> {
        self.neighbors.proxy_entries().map(|(port, ip, entry)| ((port, ip), entry)).collect()
    }

    /// Frames held: for a neighbour's MAC, in a port's queue, for the other fragments of their datagram.
    pub fn parked(&self) -> usize {
        self.neighbors.held() + self.reassembly.held() + self.qdiscs.held()
    }

    /// Reads a sysctl by its path below `/proc/sys`, with slashes: `net/ipv4/ip_forward`. No newline at the end.
    pub fn sysctl(&self, path: &str) -> Option<String> {
        self.config.sysctls.read(path, &self.config.ports)
    }

    /// All sysctl paths, sorted as `sysctl -a` prints them.
    pub fn sysctl_paths(&self) -> Vec<String> {
        self.config.sysctls.paths(&self.config.ports)
    }

    /// `true` if this address is one of our own (a local route takes it).
    pub fn is_local(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.address_kind(address) == RouteKind::Local,
            IpAddr::V6(address) => {
                let own = |port: &Port| port.addresses6.iter().any(|own| own.local == address);
                self.config.ports.iter().any(own)
            }
        }
    }

    /// The way of a packet, as `ip route get` is told it.
    pub fn route_get(&self, now: Time, ask: &RouteGet) -> Result<RouteGot, Refusal> {
        self.ask(now, |net, rib4| route_get(net, rib4, &self.config.rib6, ask))
    }

    /// The conservation law: every frame that came is sent, has arrived, was discarded for a reason, or is held.
    #[inline]
    fn check(&self) {
        if cfg!(debug_assertions) {
            let Counters { received, originated, made, sent, consumed, .. } = self.counters;
            let ended = sent + consumed + self.counters.discarded_total() + self.parked() as u64;
            debug_assert_eq!(received + originated + made, ended, "a frame is lost: {:?}", self.counters);
        }
    }
}

#[cfg(test)]
mod tests;
