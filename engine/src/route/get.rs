//! What `ip route get` is told, and what `ip route show cache` lists: the way of one packet, with its reasons.

use super::exception::seconds;
use super::get6::route_get6;
use super::{input, output};
use crate::addr::{Address, IpAddr, Ipv4Addr, Ipv6Addr};
use crate::control::{Errno, IfIndex, Refusal, RouteKind, RouteMetrics, protocol, scope};
use crate::reason::DropReason;
use crate::route::{InputKey, Net, NextHop, OutputKey, Rib, Route, Transport};

/// The question: `ip route get`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteGet {
    /// Where to; its version is the question's.
    pub destination: IpAddr,
    /// `from`
    pub source: Option<IpAddr>,
    /// `iif`: as if the packet came in there.
    pub iif: Option<IfIndex>,
    /// `oif`: only ways out by this interface.
    pub oif: Option<IfIndex>,
    /// `tos`
    pub tos: u8,
    /// `mark`
    pub mark: u32,
    /// `uid`; the asker's own if not said.
    pub uid: Option<u32>,
    /// `ipproto`, which rules may look at.
    pub ip_protocol: u8,
    /// `sport`
    pub source_port: u16,
    /// `dport`
    pub destination_port: u16,
    /// `fibmatch`: tell the route that decides, not the way.
    pub fibmatch: bool,
}

impl RouteGet {
    /// Nothing is said but the destination.
    pub fn to(destination: IpAddr) -> RouteGet {
        RouteGet {
            destination,
            source: None,
            iif: None,
            oif: None,
            tos: 0,
            mark: 0,
            uid: None,
            ip_protocol: 0,
            source_port: 0,
            destination_port: 0,
            fibmatch: false,
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteGot {
    /// The way of the packet.
    Way(RouteWay),
    /// `fibmatch`: the IPv4 route that decides.
    Match4(Route<Ipv4Addr>),
    /// `fibmatch`: the IPv6 route that decides.
    Match6(Route<Ipv6Addr>),
}

/// The way of one packet, as netlink tells it (`rt_fill_info`, `rt6_fill_node`): what is not set is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteWay {
    /// `rtm_type`
    pub kind: RouteKind,
    /// `RTA_DST`
    pub destination: IpAddr,
    /// `rtm_dst_len`: all bits, but for IPv6 where the route does not clone.
    pub length: u8,
    /// `RTA_SRC`: the `from` that was asked for.
    pub source: Option<IpAddr>,
    /// `rtm_tos`
    pub tos: u8,
    /// `RTA_TABLE`
    pub table: u32,
    /// `rtm_scope`
    pub scope: u8,
    /// `rtm_protocol`
    pub protocol: u8,
    /// `RTA_OIF`
    pub oif: Option<IfIndex>,
    /// `RTA_IIF`
    pub iif: Option<IfIndex>,
    /// `RTA_GATEWAY`
    pub gateway: Option<IpAddr>,
    /// `RTA_PREFSRC`: the source that was chosen.
    pub prefsrc: Option<IpAddr>,
    /// `RTA_PRIORITY`
    pub metric: Option<u32>,
    /// `RTA_METRICS`; its `mtu` is the learned one if there is one.
    pub metrics: RouteMetrics,
    /// `RTA_FLOW`
    pub realms: Option<u32>,
    /// `RTA_MARK`, if not 0.
    pub mark: Option<u32>,
    /// `RTA_UID`
    pub uid: Option<u32>,
    /// `RTA_PREF`, IPv6 only.
    pub preference: Option<u8>,
    /// `rtm_flags`: [`rtcf`](super::rtcf) in the upper half, `RTNH_F_*` in the lower, [`RouteWay::CLONED`].
    pub flags: u32,
    /// `rta_cacheinfo.rta_expires` in seconds.
    pub expires: Option<u32>,
    /// `rta_cacheinfo.rta_error`: an error number, negative; 0 if none.
    pub error: i32,
}

impl RouteWay {
    /// `RTM_F_CLONED`: it is the way of a packet, not a route of a table.
    pub const CLONED: u32 = 0x200;

    /// To `destination`, and nothing else is known.
    pub(super) fn cached(destination: IpAddr, kind: RouteKind, table: u32) -> RouteWay {
        RouteWay {
            kind,
            destination,
            length: if destination.is_ipv4() { 32 } else { 128 },
            source: None,
            tos: 0,
            table,
            scope: scope::UNIVERSE,
            protocol: protocol::UNSPEC,
            oif: None,
            iif: None,
            gateway: None,
            prefsrc: None,
            metric: None,
            metrics: RouteMetrics::default(),
            realms: None,
            mark: None,
            uid: None,
            preference: None,
            flags: RouteWay::CLONED,
            expires: None,
            error: 0,
        }
    }
}

/// `ip route get` (`inet_rtm_getroute`, `inet6_rtm_getroute`). The rib of the destination's version is asked.
pub fn route_get(
    net: Net<'_>,
    rib4: &Rib<Ipv4Addr>,
    rib6: &Rib<Ipv6Addr>,
    ask: &RouteGet,
) -> Result<RouteGot, Refusal> {
    match ask.destination {
        IpAddr::V4(destination) => {
            let source = ask.source.and_then(Ipv4Addr::from_ip).filter(|source| !source.is_unspecified());
            match ask.iif {
                Some(iif) => received(net, rib4, ask, destination, source, iif),
                None => sent(net, rib4, ask, destination, source),
            }
        }
        IpAddr::V6(destination) => route_get6(net, rib6, ask, destination),
    }
}

type Followed<'a> = Option<(&'a Route<Ipv4Addr>, &'a NextHop<Ipv4Addr>)>;

/// As if a packet started here.
fn sent(
    net: Net<'_>,
    rib: &Rib<Ipv4Addr>,
    ask: &RouteGet,
    destination: Ipv4Addr,
    source: Option<Ipv4Addr>,
) -> Result<RouteGot, Refusal> {
    let key = OutputKey {
        source,
        oif: ask.oif,
        tos: ask.tos,
        mark: ask.mark,
        igmp: ask.ip_protocol == 2,
        transport: transport(ask),
        uid: ask.uid.unwrap_or(0),
        ..OutputKey::to(destination)
    };
    let output::Way { route, answer } = output::way(net, rib, &key)?;
    if ask.fibmatch {
        return matched(answer, route.kind, route.table);
    }
    let mut way = described(ask, answer, route.kind, route.table);
    way.oif = Some(route.oif);
    way.gateway = route.gateway.map(IpAddr::from);
    way.prefsrc =
        Some(route.source).filter(|chosen| *chosen != source.unwrap_or(Ipv4Addr::UNSPECIFIED)).map(IpAddr::from);
    way.uid = Some(ask.uid.unwrap_or(0));
    way.flags |= route.flags;
    way.expires = route.expires.map(seconds);
    let exception = answer.and_then(|(_, nexthop)| rib.rare.exceptions.find(net.now, nexthop, destination));
    if let Some(exception) = exception {
        way.metrics.mtu = exception.mtu.or(way.metrics.mtu);
        way.metrics.mtu_lock |= exception.locked;
    }
    Ok(RouteGot::Way(way))
}

/// As if a packet came in.
fn received(
    net: Net<'_>,
    rib: &Rib<Ipv4Addr>,
    ask: &RouteGet,
    destination: Ipv4Addr,
    source: Option<Ipv4Addr>,
    iif: IfIndex,
) -> Result<RouteGot, Refusal> {
    let port = net.ports.get(iif).ok_or(Errno::NoDev)?;
    let key = InputKey {
        tos: ask.tos,
        mark: ask.mark,
        transport: transport(ask),
        joined: destination == output::ALL_HOSTS && port.is_up(),
        ..InputKey::new(source.unwrap_or(Ipv4Addr::UNSPECIFIED), destination, iif)
    };
    let input::Way { route, answer } = input::way(net, rib, &key).map_err(errno_of)?;
    if ask.fibmatch {
        return matched(answer, route.kind, route.table);
    }
    let mut way = described(ask, answer, route.kind, route.table);
    way.oif = Some(route.oif);
    way.iif = Some(iif);
    way.gateway = route.gateway.map(IpAddr::from);
    way.uid = ask.uid;
    way.flags |= route.flags;
    Ok(RouteGot::Way(way))
}

fn transport(ask: &RouteGet) -> Transport {
    let RouteGet { ip_protocol: protocol, source_port, destination_port, .. } = *ask;
    Transport { protocol, source_port, destination_port }
}

/// What an asker is told of a packet that would not have passed.
fn errno_of(reason: DropReason) -> Errno {
    match reason {
        DropReason::NoRoute => Errno::NetUnreach,
        DropReason::RouteUnreachable | DropReason::ForwardingOff => Errno::HostUnreach,
        DropReason::RouteProhibit => Errno::Acces,
        _ => Errno::Inval,
    }
}

/// What both have in common (`rt_fill_info`).
fn described(ask: &RouteGet, answer: Followed<'_>, kind: RouteKind, table: Option<u32>) -> RouteWay {
    let mut way = RouteWay::cached(ask.destination, kind, table.unwrap_or(0));
    way.source = ask.source.filter(|source| !source.is_unspecified());
    way.mark = Some(ask.mark).filter(|mark| *mark != 0);
    if let Some((route, _)) = answer {
        way.tos = route.tos;
        way.metrics = route.rare.metrics;
        way.realms = Some(route.rare.realms).filter(|realms| *realms != 0);
    }
    way
}

fn matched(answer: Followed<'_>, kind: RouteKind, table: Option<u32>) -> Result<RouteGot, Refusal> {
    let (route, _) = answer.ok_or(Errno::HostUnreach)?;
    Ok(RouteGot::Match4(Route { kind, table: table.unwrap_or(0), ..route.clone() }))
}
