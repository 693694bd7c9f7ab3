//! What a packet asks, and what it is answered.

use crate::addr::{Address, Ipv4Addr};
use crate::control::{Errno, IfIndex, RouteKind, RouteMetrics, scope};
use crate::route::{NextHop, Route};
use crate::time::Duration;

/// What a flow is besides its addresses: 0 where that is not known, or there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// The IP protocol.
    pub protocol: u8,
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
}

impl Transport {
    /// Of this protocol, and with no ports.
    pub const fn of(protocol: u8) -> Transport {
        Transport { protocol, source_port: 0, destination_port: 0 }
    }

    /// Seen from the other end.
    pub const fn back(self) -> Transport {
        Transport { source_port: self.destination_port, destination_port: self.source_port, ..self }
    }
}

/// The question (`struct flowi4`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow<A> {
    /// Where to.
    pub destination: A,
    /// Where from, if it matters.
    pub source: Option<A>,
    /// Only ways out by this interface.
    pub oif: Option<IfIndex>,
    /// Where the packet came in; `lo` for packets that start here. Rules look at it.
    pub iif: Option<IfIndex>,
    /// Type of service; the two ECN bits are ignored.
    pub tos: u8,
    /// The firewall's mark. Rules look at it.
    pub mark: u32,
    /// Rules look at protocol and ports.
    pub transport: Transport,
    /// The user who sends; root in all but a question of somebody's. Rules look at it.
    pub uid: u32,
    /// Only routes of this scope or nearer.
    pub scope: u8,
    /// Use next hops without carrier even where `ignore_routes_with_linkdown` is set (`FIB_LOOKUP_IGNORE_LINKSTATE`).
    pub ignore_linkstate: bool,
}

impl<A: Address> Flow<A> {
    /// Nothing but a destination.
    pub fn to(destination: A) -> Flow<A> {
        Flow {
            destination,
            source: None,
            oif: None,
            iif: None,
            tos: 0,
            mark: 0,
            transport: Transport::default(),
            uid: 0,
            scope: scope::UNIVERSE,
            ignore_linkstate: false,
        }
    }
}

/// The answer (`struct fib_result`).
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a, A> {
    /// The route that won.
    pub route: &'a Route<A>,
    /// All routes of the same prefix, in the order of the table: the winner's equals are among them.
    pub peers: &'a [Route<A>],
    /// The first usable next hop of the winner.
    pub nexthop: &'a NextHop<A>,
    /// The table as `ip route get` tells it. (While there are no rules of the user's, the kernel keeps `local` in one tree
    /// with `main`, and tells `main`.)
    pub table: u32,
}

/// Why there is no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unroutable {
    /// No route matches.
    NoRoute,
    /// A blackhole route, or rule.
    Blackhole,
    /// An unreachable route.
    Unreachable,
    /// A prohibit route, or rule.
    Prohibit,
}

impl Unroutable {
    /// What a local program is told.
    pub fn errno(self) -> Errno {
        match self {
            Unroutable::NoRoute => Errno::NetUnreach,
            Unroutable::Blackhole => Errno::Inval,
            Unroutable::Unreachable => Errno::HostUnreach,
            Unroutable::Prohibit => Errno::Acces,
        }
    }
}

/// What a local program asks for ([`output_route`](crate::route::output_route)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputKey {
    /// Where to; `0.0.0.0` means this host.
    pub destination: Ipv4Addr,
    /// The source, if the program chose one: it must be ours.
    pub source: Option<Ipv4Addr>,
    /// `SO_BINDTODEVICE`, `ping -I DEV`, `IP_MULTICAST_IF`.
    pub oif: Option<IfIndex>,
    /// `IP_TOS`
    pub tos: u8,
    /// `SO_MARK`
    pub mark: u32,
    /// `universe`; `link` for `SO_DONTROUTE`.
    pub scope: u8,
    /// The source need not be ours (`IP_TRANSPARENT`, replies of the stack itself): `FLOWI_FLAG_ANYSRC`.
    pub any_source: bool,
    /// The protocol is IGMP, which always stays on its link.
    pub igmp: bool,
    /// Protocol and ports.
    pub transport: Transport,
    /// As in [`Flow`].
    pub uid: u32,
    /// Chooses among several next hops: 31 bits of a hash. `None`: of what `fib_multipath_hash_policy` says.
    pub hash: Option<u32>,
}

impl OutputKey {
    /// Nothing but a destination.
    pub fn to(destination: Ipv4Addr) -> OutputKey {
        OutputKey {
            destination,
            source: None,
            oif: None,
            tos: 0,
            mark: 0,
            scope: scope::UNIVERSE,
            any_source: false,
            igmp: false,
            transport: Transport::default(),
            uid: 0,
            hash: None,
        }
    }
}

/// The way of a packet that starts here (`struct rtable`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputRoute {
    /// Unicast, local (by `lo`), broadcast or multicast.
    pub kind: RouteKind,
    /// Where to: the key's, or `127.0.0.1` or an own address for a destination of `0.0.0.0`.
    pub destination: Ipv4Addr,
    /// The source: the key's, or the one chosen. `0.0.0.0` if this host has none to offer.
    pub source: Ipv4Addr,
    /// The interface it leaves by.
    pub oif: IfIndex,
    /// The router to hand it to; the destination is on the link if there is none.
    pub gateway: Option<Ipv4Addr>,
    /// The path MTU: learned, else the route's, else the interface's.
    pub mtu: u32,
    /// The MTU may not be learned: DF is not to be set.
    pub mtu_locked: bool,
    /// The route's metrics (`hoplimit` is the TTL).
    pub metrics: RouteMetrics,
    /// [`rtcf`](crate::route::rtcf). `LOCAL` on a broadcast or multicast means: deliver a copy here, too.
    pub flags: u32,
    /// The table, as `ip route get` tells it; none where no route was asked.
    pub table: Option<u32>,
    /// How long a learned MTU or gateway still holds.
    pub expires: Option<Duration>,
    /// The interface by which sockets of this host take the packet to have come in, if it comes in here (`rt_iif`): the one
    /// whose address it is for, else the key's, else the one it comes in by (0).
    pub iif: IfIndex,
}

impl OutputRoute {
    /// Whose MAC is wanted: the gateway's, or the destination's own.
    pub fn next_hop(&self) -> Ipv4Addr {
        self.gateway.unwrap_or(self.destination)
    }
}

/// A packet that came in ([`input_route`](crate::route::input_route)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputKey {
    /// Where from.
    pub source: Ipv4Addr,
    /// Where to.
    pub destination: Ipv4Addr,
    /// The port it came in by.
    pub iif: IfIndex,
    /// Type of service.
    pub tos: u8,
    /// The firewall's mark.
    pub mark: u32,
    /// The destination is a multicast group that the port has joined. (Ask only if it is a group.)
    pub joined: bool,
    /// It is no IP packet but an ARP request that asks the tables.
    pub arp: bool,
    /// Protocol and ports, if [`Rib::looks_at_transport`](crate::route::Rib::looks_at_transport) or the policy of hashing wants them.
    pub transport: Transport,
    /// As in [`OutputKey`].
    pub hash: Option<u32>,
}

impl InputKey {
    /// From here to there, in by this port.
    pub fn new(source: Ipv4Addr, destination: Ipv4Addr, iif: IfIndex) -> InputKey {
        let transport = Transport::default();
        InputKey { source, destination, iif, tos: 0, mark: 0, joined: false, arp: false, transport, hash: None }
    }
}

/// The way of a packet that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputRoute {
    /// `Local`, `Broadcast` and `Multicast`: deliver here; `Unicast`: forward.
    pub kind: RouteKind,
    /// The interface it leaves by; `lo` if it is delivered here.
    pub oif: IfIndex,
    /// The router to hand it to, if it is forwarded by one.
    pub gateway: Option<Ipv4Addr>,
    /// The MTU of the way out: a forwarder heeds the route's and the interface's, not what it learned.
    pub mtu: u32,
    /// The sender has a shorter way, on the interface it came in by: tell it so (`IPSKB_DOREDIRECT`).
    pub redirect: bool,
    /// [`rtcf`](crate::route::rtcf)
    pub flags: u32,
    /// The table, as `ip route get` tells it.
    pub table: Option<u32>,
}
