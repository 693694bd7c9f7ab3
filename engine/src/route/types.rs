//! A route, as a table holds it and a listing shows it.

use core::ops::{Deref, DerefMut};

use crate::addr::{Address, Prefix};
use crate::control::{IfIndex, RouteKind, RouteMetrics, protocol, scope, table};
use crate::seldom::{Seldom, Usual};
use crate::time::Time;

/// `RTCF_*` (`include/uapi/linux/in_route.h`): what is special about the way of one packet.
#[allow(missing_docs, reason = "Linux's own names")]
pub mod rtcf {
    pub const NOTIFY: u32 = 0x0001_0000;
    pub const REDIRECTED: u32 = 0x0004_0000;
    pub const DOREDIRECT: u32 = 0x0100_0000;
    pub const BROADCAST: u32 = 0x1000_0000;
    pub const MULTICAST: u32 = 0x2000_0000;
    pub const REJECT: u32 = 0x4000_0000;
    pub const LOCAL: u32 = 0x8000_0000;
}

/// One way on from here (`struct fib_nh`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHop<A> {
    /// `via`; none if the destination itself is on the link.
    pub gateway: Option<A>,
    /// `dev`; 0 if the route has none (blackhole and its like).
    pub oif: IfIndex,
    /// `weight`, from 1 to 256.
    pub weight: u16,
    /// `onlink`: the gateway was taken as reachable without asking.
    pub onlink: bool,
    /// The interface is down (`RTNH_F_DEAD`).
    pub dead: bool,
    /// The interface lost its carrier (`RTNH_F_LINKDOWN`).
    pub linkdown: bool,
    /// How far the next hop is: `link` for a true gateway, `host` if the destination is on the link or the gateway is
    /// our own address, `nowhere` for our own addresses.
    pub scope: u8,
}

impl<A> NextHop<A> {
    /// The destination is on the link `oif`.
    pub fn on_link(oif: IfIndex) -> NextHop<A> {
        NextHop { gateway: None, oif, weight: 1, onlink: false, dead: false, linkdown: false, scope: scope::HOST }
    }
}

/// The next hops of a route: always at least one, nearly always exactly one, then kept without allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHops<A>(Held<A>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Held<A> {
    One(NextHop<A>),
    #[allow(clippy::box_collection, reason = "a list of its own would make the one next hop larger")]
    Many(Box<Vec<NextHop<A>>>),
}

impl<A: Copy> NextHops<A> {
    /// Exactly one.
    pub fn one(nexthop: NextHop<A>) -> NextHops<A> {
        NextHops(Held::One(nexthop))
    }

    /// All of `nexthops`; none at all becomes one that leads nowhere.
    pub fn many(nexthops: Vec<NextHop<A>>) -> NextHops<A> {
        match nexthops.as_slice() {
            [] => NextHops::one(NextHop::on_link(0)),
            [one] => NextHops::one(*one),
            _ => NextHops(Held::Many(Box::new(nexthops))),
        }
    }

    /// The first.
    pub fn first(&self) -> &NextHop<A> {
        match &self.0 {
            Held::One(nexthop) => nexthop,
            Held::Many(nexthops) => &nexthops[0],
        }
    }
}

impl<A> Deref for NextHops<A> {
    type Target = [NextHop<A>];

    fn deref(&self) -> &[NextHop<A>] {
        match &self.0 {
            Held::One(nexthop) => core::slice::from_ref(nexthop),
            Held::Many(nexthops) => nexthops,
        }
    }
}

impl<A> DerefMut for NextHops<A> {
    fn deref_mut(&mut self) -> &mut [NextHop<A>] {
        match &mut self.0 {
            Held::One(nexthop) => core::slice::from_mut(nexthop),
            Held::Many(nexthops) => nexthops,
        }
    }
}

/// What few routes have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RareRoute {
    /// `mtu`, `advmss` and so on.
    pub metrics: RouteMetrics,
    /// `realms`, IPv4 only; 0 if not set.
    pub realms: u32,
    /// Until when it exists, IPv6 only.
    pub expires: Option<Time>,
}

impl Usual for RareRoute {
    const USUAL: &'static RareRoute = &RareRoute { metrics: RouteMetrics::NONE, realms: 0, expires: None };
}

/// One route (`struct fib_alias` and its `struct fib_info` in one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<A> {
    /// Which addresses it is for.
    pub destination: Prefix<A>,
    /// Only for packets of this type of service; 0 is for all.
    pub tos: u8,
    /// The table it is in.
    pub table: u32,
    /// What it does with a packet.
    pub kind: RouteKind,
    /// Who made it (`RTPROT_*`).
    pub protocol: u8,
    /// How far the destination is (`RT_SCOPE_*`).
    pub scope: u8,
    /// `metric`: among equal prefixes the smallest wins.
    pub metric: u32,
    /// `src`: the address that local programs speak from on this way.
    pub prefsrc: Option<A>,
    /// What few have.
    pub rare: Seldom<RareRoute>,
    /// `pref`, IPv6 only: 0 medium, 1 high, 3 low.
    pub preference: u8,
    /// The ways on; never empty.
    pub nexthops: NextHops<A>,
    /// `RTNH_F_*` of the whole route ([`Route::DEAD`], [`Route::LINKDOWN`]).
    pub flags: u8,
}

impl<A: Address> Route<A> {
    /// `RTNH_F_DEAD`: no next hop is left; it is about to be flushed.
    pub const DEAD: u8 = 1;
    /// `RTNH_F_LINKDOWN`: all next hops have lost their carrier.
    pub const LINKDOWN: u8 = 16;

    /// A route to `destination` by one next hop: unicast, in table main, made by the kernel, scope universe, metric 0.
    /// The other fields are public: `Route { metric: 256, ..Route::new(…) }`.
    pub fn new(destination: Prefix<A>, nexthop: NextHop<A>) -> Route<A> {
        Route {
            destination,
            tos: 0,
            table: table::MAIN,
            kind: RouteKind::Unicast,
            protocol: protocol::KERNEL,
            scope: scope::UNIVERSE,
            metric: 0,
            prefsrc: None,
            rare: Seldom::USUAL,
            preference: 0,
            nexthops: NextHops::one(nexthop),
            flags: 0,
        }
    }

    /// True if one of its next hops leaves by `oif`.
    pub fn uses(&self, oif: IfIndex) -> bool {
        self.nexthops.iter().any(|nexthop| nexthop.oif == oif)
    }

    /// True if the two are the same but for the state of their links (`fib_find_info`).
    pub(super) fn is_like(&self, other: &Route<A>) -> bool {
        let same_hop = |(one, other): (&NextHop<A>, &NextHop<A>)| {
            (one.gateway, one.oif, one.weight) == (other.gateway, other.oif, other.weight)
                && (one.onlink, one.scope) == (other.onlink, other.scope)
        };
        (self.destination, self.tos, self.table, self.kind) == (other.destination, other.tos, other.table, other.kind)
            && (self.protocol, self.scope, self.metric) == (other.protocol, other.scope, other.metric)
            && (self.prefsrc, self.rare.realms) == (other.prefsrc, other.rare.realms)
            && self.rare.metrics == other.rare.metrics
            && self.nexthops.len() == other.nexthops.len()
            && self.nexthops.iter().zip(other.nexthops.iter()).all(same_hop)
    }
}
