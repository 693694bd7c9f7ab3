//! A route as the kernel tells it to a listing (`struct rtmsg` and its attributes). What is not set was not sent.

use super::super::args::Family;
use vethlab_engine::addr::{Address, IpAddr};
use vethlab_engine::control::{IfIndex, NextHopSpec, RouteMetrics, RouteSpec};
use vethlab_engine::link::Ports;
use vethlab_engine::route::{NextHop, Route, RouteWay};
use vethlab_engine::sysctl::{Conf4, Conf6, Sysctls};
use vethlab_engine::time::Time;

/// `RTNH_F_*` and `RTM_F_*`, as the flags of a route are printed.
#[allow(missing_docs, reason = "Linux's own names")]
pub(super) mod rtm {
    pub(in super::super) const DEAD: u32 = 1;
    pub(in super::super) const ONLINK: u32 = 4;
    pub(in super::super) const LINKDOWN: u32 = 16;
    pub(in super::super) const NOTIFY: u32 = 0x100;
    pub(in super::super) const CLONED: u32 = 0x200;
    /// The same bit as a multicast way has, which is why `ip` says so of that.
    pub(in super::super) const OFFLOAD_FAILED: u32 = 0x2000_0000;
}

/// One route, or the way of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub family: Family,
    /// `RTN_*`
    pub kind: u8,
    pub destination: Option<IpAddr>,
    pub length: u8,
    /// `from`, an address.
    pub source: Option<IpAddr>,
    pub tos: u8,
    pub table: u32,
    pub protocol: u8,
    pub scope: u8,
    pub gateway: Option<IpAddr>,
    pub oif: Option<IfIndex>,
    pub prefsrc: Option<IpAddr>,
    pub metric: Option<u32>,
    /// [`rtm`], and `RTCF_*` of a way.
    pub flags: u32,
    pub mark: u32,
    pub realms: Option<u32>,
    pub uid: Option<u32>,
    /// Seconds.
    pub expires: Option<u32>,
    pub error: i32,
    /// How many hold it: `-s` tells.
    pub users: u32,
    pub metrics: RouteMetrics,
    pub iif: Option<IfIndex>,
    pub preference: Option<u8>,
    /// All next hops, if there are several.
    pub hops: Vec<Hop>,
}

/// One of several next hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub gateway: Option<IpAddr>,
    pub oif: IfIndex,
    pub weight: u16,
    pub flags: u32,
}

/// What a route is told with: the links and their sysctls, and the time.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub now: Time,
    pub ports: &'a Ports,
    pub sysctls: &'a Sysctls,
}

impl Around<'_> {
    /// `ip_ignore_linkdown()`, `ip6_ignore_linkdown()`: next hops without carrier count as dead there.
    fn ignores_linkdown(&self, six: bool, oif: IfIndex) -> bool {
        let Some(port) = self.ports.get(oif) else { return false };
        if six {
            port.conf.v6.on(Conf6::IgnoreRoutesWithLinkdown)
        } else {
            self.sysctls.on_port(&port.conf).or(Conf4::IgnoreRoutesWithLinkdown)
        }
    }
}

impl Hop {
    /// `fib_nexthop_info()`
    fn of<A: Address>(around: Around<'_>, nexthop: &NextHop<A>) -> Hop {
        let six = A::BITS == 128;
        let mut flags = 0;
        if nexthop.dead {
            flags |= rtm::DEAD;
        }
        if nexthop.linkdown {
            flags |= rtm::LINKDOWN;
            if around.ignores_linkdown(six, nexthop.oif) {
                flags |= rtm::DEAD;
            }
        }
        if nexthop.onlink {
            flags |= rtm::ONLINK;
        }
        Hop { gateway: nexthop.gateway.map(A::to_ip), oif: nexthop.oif, weight: nexthop.weight, flags }
    }
}

impl Listed {
    /// A route of a table (`fib_dump_info`, `rt6_fill_node`).
    pub(super) fn route<A: Address>(around: Around<'_>, route: &Route<A>) -> Listed {
        let six = A::BITS == 128;
        let mut hops: Vec<Hop> = route.nexthops.iter().map(|nexthop| Hop::of(around, nexthop)).collect();
        let only = if hops.len() == 1 { hops.pop() } else { None };
        let length = route.destination.length();
        Listed {
            family: if six { Family::Inet6 } else { Family::Inet },
            kind: route.kind.number(),
            destination: (length > 0).then(|| route.destination.address().to_ip()),
            length,
            source: None,
            tos: route.tos,
            table: route.table,
            protocol: route.protocol,
            scope: route.scope,
            gateway: only.and_then(|hop| hop.gateway),
            oif: only.map(|hop| hop.oif).filter(|oif| *oif != 0),
            prefsrc: route.prefsrc.map(A::to_ip),
            metric: Some(route.metric).filter(|metric| six || *metric != 0),
            flags: only.map_or(u32::from(route.flags) & (rtm::DEAD | rtm::LINKDOWN), |hop| hop.flags),
            mark: 0,
            realms: Some(route.rare.realms).filter(|realms| *realms != 0),
            uid: None,
            expires: route.rare.expires.map(|end| u32::try_from(end.since(around.now).as_secs()).unwrap_or(u32::MAX)),
            error: 0,
            users: 0,
            metrics: route.rare.metrics,
            iif: None,
            preference: six.then_some(route.preference),
            hops,
        }
    }

    /// The way of a packet.
    pub(super) fn way(way: &RouteWay) -> Listed {
        Listed {
            family: Family::of(way.destination),
            kind: way.kind.number(),
            destination: Some(way.destination),
            length: way.length,
            source: way.source,
            tos: way.tos,
            table: way.table,
            protocol: way.protocol,
            scope: way.scope,
            gateway: way.gateway,
            oif: way.oif,
            prefsrc: way.prefsrc,
            metric: way.metric,
            flags: way.flags,
            mark: way.mark.unwrap_or(0),
            realms: way.realms,
            uid: way.uid,
            expires: way.expires,
            error: way.error,
            users: 2,
            metrics: way.metrics,
            iif: way.iif,
            preference: way.preference,
            hops: Vec::new(),
        }
    }

    /// Exactly this route, as a deletion asks for it.
    pub(super) fn spec<A: Address>(route: &Route<A>) -> RouteSpec {
        let hop = |nexthop: &NextHop<A>| NextHopSpec {
            gateway: nexthop.gateway.map(A::to_ip),
            oif: Some(nexthop.oif).filter(|oif| *oif != 0),
            weight: nexthop.weight,
            onlink: nexthop.onlink,
        };
        let nexthops: Vec<NextHopSpec> = route.nexthops.iter().map(hop).collect();
        RouteSpec {
            tos: route.tos,
            table: Some(route.table),
            kind: Some(route.kind),
            protocol: Some(route.protocol).filter(|protocol| *protocol != 0),
            scope: Some(route.scope),
            metric: Some(route.metric),
            prefsrc: route.prefsrc.map(A::to_ip),
            metrics: route.rare.metrics,
            nexthops: nexthops.into_iter().filter(|hop| hop.gateway.is_some() || hop.oif.is_some()).collect(),
            realms: Some(route.rare.realms).filter(|realms| *realms != 0),
            ..RouteSpec::to(route.destination.address().to_ip(), route.destination.length())
        }
    }
}
