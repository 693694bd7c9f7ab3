//! A stack: all state of one namespace, and the way of a packet through it.
//!
//! | file | holds |
//! |---|---|
//! | `receive` | a frame comes in: the link header, and who looks at it |
//! | `socket` | what programs ask of their sockets |
//! | `originate` | a program sends |
//! | `output` | a datagram goes out: the way of our own, and the end of everybody's way |

mod originate;
mod output;
mod socket;

use crate::addr::IpAddr;
use crate::config::Config;
use crate::control::{Command, IfIndex, Refusal};
use crate::counters::Counters;
use crate::frame::{FrameBuf, FramePool, Outbox};
use crate::ip::Reassembly;
use crate::link::{OperState, Port, Ports};
use crate::local::Sockets;
use crate::neighbor::{NeighborEntry, Neighbors, ProxyEntry};
use crate::observe::Observer;
use crate::rng::Rng;
use crate::time::Time;

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
}

/// All state of one namespace.
#[derive(Debug)]
pub struct Stack {
    pub(crate) config: Config,
    pub(crate) neighbors: Neighbors<Parked>,
    pub(crate) sockets: Sockets,
    pub(crate) reassembly: Reassembly,
    pub(crate) counters: Counters,
}

impl Stack {
    /// A namespace with nothing but a `lo` that is down. All its chance follows from `seed`.
    pub fn new(seed: u64) -> Stack {
        let mut rng = Rng::new(seed);
        Stack {
            config: Config::seeded(Time::ZERO, rng.split()),
            neighbors: Neighbors::new(rng.split()),
            sockets: Sockets::new(rng.split()),
            reassembly: Reassembly::new(),
            counters: Counters::default(),
        }
    }

    /// One frame in, by a port.
    pub fn receive<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, frame: FrameBuf, observer: &mut O) {
        let _ = (cx, port, frame, observer);
        unimplemented!()
    }

    /// Time in: runs every timer due at `cx.now`.
    pub fn tick<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        let _ = (cx, observer);
        unimplemented!()
    }

    /// Time out: when [`Stack::tick`] is wanted next.
    pub fn next_deadline(&self) -> Option<Time> {
        let deadlines = [self.neighbors.next_deadline(), self.reassembly.next_deadline(), self.config.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Configuration in.
    pub fn apply<O: Observer>(&mut self, cx: &mut Cx<'_>, command: Command, observer: &mut O) -> Result<(), Refusal> {
        let _ = (cx, command, observer);
        unimplemented!()
    }

    /// Ports, addresses, routes and sysctls.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The ports, by index.
    pub fn ports(&self) -> &Ports {
        &self.config.ports
    }

    /// Adds a port (a cable's end, a device). Its index and name must be free.
    pub fn port_add(&mut self, now: Time, port: Port) {
        let _ = (now, port);
        unimplemented!()
    }

    /// Takes a port out, with its addresses, routes and neighbours; frames that waited for it are discarded.
    pub fn port_remove(&mut self, cx: &mut Cx<'_>, index: IfIndex) -> Option<Port> {
        let _ = (cx, index);
        unimplemented!()
    }

    /// A port, for its driver: counters of frames that were sent but not taken, and the like.
    pub fn port_mut(&mut self, index: IfIndex) -> Option<&mut Port> {
        self.config.ports.get_mut(index)
    }

    /// The device tells that the cable now works, or no longer does (`netif_carrier_on`, `netif_carrier_off`): sets and counts
    /// [`Port::carrier`] if it differs. What follows from it in routes and addresses waits for [`Stack::link_change`].
    pub fn carrier(&mut self, index: IfIndex, on: bool) {
        let _ = (index, on);
        unimplemented!()
    }

    /// The namespace notices the state of the cable (`linkwatch_do_dev`, `NETDEV_CHANGE`): sets [`Port::operstate`]; if
    /// the port is up, its routes become `linkdown` or lose that by [`Port::carrier`], and IPv6 gets its link-local address.
    pub fn link_change(&mut self, cx: &mut Cx<'_>, index: IfIndex, state: OperState) {
        let _ = (cx, index, state);
        unimplemented!()
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

    /// Frames held: for a neighbour's MAC, for the other fragments of their datagram.
    pub fn parked(&self) -> usize {
        self.neighbors.held() + self.reassembly.held()
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
        let _ = address;
        unimplemented!()
    }
}
