//! The way of a packet that starts here (`ip_route_output_key_hash_rcu`).

use super::multipath;
use super::source::{self, is_zeronet, port_of, select_address};
use super::v4::LOOPBACK;
use crate::addr::Ipv4Addr;
use crate::control::{Errno, IfIndex, RouteKind, RouteMetrics, scope};
use crate::link::Port;
use crate::route::{Answer, Flow, Net, NextHop, OutputKey, OutputRoute, Rib, Route, rtcf};

/// Every host is a member, on every link.
pub(super) const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

/// A way, and the route and next hop that it follows, if it follows one.
pub(super) struct Way<'a> {
    pub(super) route: OutputRoute,
    pub(super) answer: Option<(&'a Route<Ipv4Addr>, &'a NextHop<Ipv4Addr>)>,
}

/// What was found out before the way is put together.
struct Found<'a> {
    kind: RouteKind,
    destination: Ipv4Addr,
    source: Option<Ipv4Addr>,
    oif: IfIndex,
    iif: IfIndex,
    flags: u32,
    answer: Option<(&'a Route<Ipv4Addr>, &'a NextHop<Ipv4Addr>)>,
    table: Option<u32>,
}

/// The way of a packet that starts here (`ip_route_output_key`).
pub fn output_route(net: Net<'_>, rib: &Rib<Ipv4Addr>, key: &OutputKey) -> Result<OutputRoute, Errno> {
    way(net, rib, key).map(|way| way.route)
}

/// The same, with the route that was followed.
pub(super) fn way<'a>(net: Net<'_>, rib: &'a Rib<Ipv4Addr>, key: &OutputKey) -> Result<Way<'a>, Errno> {
    let found = find(net, rib, key)?;
    put_together(net, rib, found)
}

/// What the tables are asked.
pub(super) fn flow(key: &OutputKey, source: Ipv4Addr) -> Flow<Ipv4Addr> {
    Flow {
        source: Some(source),
        oif: key.oif,
        iif: Some(LOOPBACK),
        tos: key.tos,
        mark: key.mark,
        transport: key.transport,
        uid: key.uid,
        scope: key.scope,
        ..Flow::to(key.destination)
    }
}

/// True if a packet to there never needs a route: it stays on the link.
fn stays_on_link(key: &OutputKey) -> bool {
    let [a, b, c, _] = key.destination.octets();
    [a, b, c] == [224, 0, 0] || key.destination.is_broadcast() || key.igmp
}

fn find<'a>(net: Net<'_>, rib: &'a Rib<Ipv4Addr>, key: &OutputKey) -> Result<Found<'a>, Errno> {
    let mut found = Found {
        kind: RouteKind::Unicast,
        destination: key.destination,
        source: key.source.filter(|source| !source.is_unspecified()),
        oif: 0,
        iif: key.oif.unwrap_or(0),
        flags: 0,
        answer: None,
        table: None,
    };
    if let Some(source) = found.source {
        if source.is_multicast() || source.is_broadcast() {
            return Err(Errno::Inval);
        }
        let to_all = key.destination.is_multicast() || key.destination.is_broadcast();
        if key.oif.is_none() && to_all {
            // A program that is bound to an address means that address's port.
            found.oif = port_of(net, rib, source).ok_or(Errno::NetUnreach)?;
            return Ok(found);
        }
        if !key.any_source && port_of(net, rib, source).is_none() {
            return Err(Errno::NetUnreach);
        }
    }
    if let Some(oif) = key.oif {
        found.oif = oif;
        let port = net.ports.get(oif).ok_or(Errno::NoDev)?;
        if !port.is_up() || !port.has_ipv4() {
            return Err(Errno::NetUnreach);
        }
        let choose = |wanted| found.source.or_else(|| select_address(net, oif, None, wanted));
        if stays_on_link(key) {
            found.source = choose(scope::LINK);
            return Ok(found);
        }
        if key.destination.is_multicast() {
            found.source = choose(key.scope);
        } else if key.destination.is_unspecified() {
            found.source = choose(scope::HOST);
        }
    }
    if key.destination.is_unspecified() {
        let own = found.source.unwrap_or(Ipv4Addr::LOCALHOST);
        (found.destination, found.source) = (own, Some(own));
        (found.oif, found.kind, found.flags) = (LOOPBACK, RouteKind::Local, rtcf::LOCAL);
        return Ok(found);
    }
    ask(net, rib, key, found)
}

fn ask<'a>(net: Net<'_>, rib: &'a Rib<Ipv4Addr>, key: &OutputKey, mut found: Found<'a>) -> Result<Found<'a>, Errno> {
    let flow = flow(key, found.source.unwrap_or(Ipv4Addr::UNSPECIFIED));
    let answer = match rib.lookup(net, &flow) {
        Ok(answer) => answer,
        Err(why) => {
            let oif = key.oif.ok_or(why.errno())?;
            // No route leads there: the destination is taken to be on the link.
            found.source = found.source.or_else(|| select_address(net, oif, None, scope::LINK));
            return Ok(found);
        }
    };
    found.kind = answer.route.kind;
    found.table = Some(answer.table);
    if found.kind == RouteKind::Local {
        found.answer = Some((answer.route, answer.nexthop));
        found.source = found.source.or(answer.route.prefsrc).or(Some(key.destination));
        found.oif = LOOPBACK;
        found.iif = answer.nexthop.oif;
        found.flags = rtcf::LOCAL;
        return Ok(found);
    }
    let (route, nexthop) = choose(net, &answer, key, found.source);
    found.source = found.source.or_else(|| source::preferred(net, route, nexthop));
    found.oif = nexthop.oif;
    found.answer = Some((route, nexthop));
    Ok(found)
}

/// `fib_select_path`: one of several next hops, or of several default routes.
fn choose<'a>(
    net: Net<'_>,
    answer: &Answer<'a, Ipv4Addr>,
    key: &OutputKey,
    source: Option<Ipv4Addr>,
) -> (&'a Route<Ipv4Addr>, &'a NextHop<Ipv4Addr>) {
    if key.oif.is_some() {
        return (answer.route, answer.nexthop);
    }
    if answer.route.nexthops.len() > 1 {
        let from = source.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let hash = key.hash.unwrap_or_else(|| multipath::hash_flow(net, from, key.destination, key.transport));
        return (answer.route, multipath::select(net, answer, hash, source));
    }
    multipath::select_default(net, answer, key.tos)
}

/// `__mkroute_output`
fn put_together<'a>(net: Net<'_>, rib: &Rib<Ipv4Addr>, mut found: Found<'a>) -> Result<Way<'a>, Errno> {
    let port = net.ports.get(found.oif).filter(|port| port.has_ipv4()).ok_or(Errno::Inval)?;
    let from_loopback = found.source.is_some_and(|source| source.is_loopback());
    if from_loopback && !port.is_loopback() && !net.sysctls.on_port(&port.conf).route_localnet() {
        return Err(Errno::Inval);
    }
    let to = found.destination;
    let mut answer = found.answer;
    if to.is_broadcast() {
        found.kind = RouteKind::Broadcast;
        answer = None;
    } else if to.is_multicast() {
        found.kind = RouteKind::Multicast;
        // Without a route for groups the default one tells the port, but its gateway is not asked.
        answer = answer.filter(|(route, _)| route.destination.length() >= 4);
    } else if is_zeronet(to) {
        return Err(Errno::Inval);
    }
    if port.is_loopback() {
        found.flags |= rtcf::LOCAL;
    }
    match found.kind {
        RouteKind::Broadcast => found.flags |= rtcf::BROADCAST | rtcf::LOCAL,
        RouteKind::Multicast if to == ALL_HOSTS && port.is_up() => found.flags |= rtcf::MULTICAST | rtcf::LOCAL,
        RouteKind::Multicast => found.flags = found.flags & !rtcf::LOCAL | rtcf::MULTICAST,
        _ => {}
    }
    let mut route = OutputRoute {
        kind: found.kind,
        destination: to,
        source: found.source.unwrap_or(Ipv4Addr::UNSPECIFIED),
        oif: found.oif,
        gateway: None,
        mtu: 0,
        mtu_locked: false,
        metrics: RouteMetrics::default(),
        flags: found.flags,
        table: found.table,
        expires: None,
        iif: found.iif,
    };
    follow(net, rib, &mut route, answer, port);
    Ok(Way { route, answer })
}

/// `rt_set_nexthop`, `ipv4_mtu`: gateway and MTU of the route, or what was learned since.
fn follow(
    net: Net<'_>,
    rib: &Rib<Ipv4Addr>,
    way: &mut OutputRoute,
    answer: Option<(&Route<Ipv4Addr>, &NextHop<Ipv4Addr>)>,
    port: &Port,
) {
    let mut learned = None;
    if let Some((route, nexthop)) = answer {
        way.gateway = nexthop.gateway.filter(|_| nexthop.scope == scope::LINK);
        way.metrics = route.rare.metrics;
        way.mtu_locked = route.rare.metrics.mtu_lock;
        if let Some(exception) = rib.rare.exceptions.find(net.now, nexthop, way.destination) {
            if exception.gateway.is_some() {
                way.gateway = exception.gateway;
                way.flags |= rtcf::REDIRECTED;
            }
            way.mtu_locked |= exception.locked;
            way.expires = Some(exception.expires.since(net.now));
            learned = exception.mtu;
        }
    }
    way.mtu = learned.or(way.metrics.mtu).unwrap_or_else(|| device_mtu(port, way.mtu_locked, way.gateway)).min(65_535);
}

/// The MTU of the device, if nothing else is known; not more than every host takes, if it may not be learned.
pub(super) fn device_mtu(port: &Port, locked: bool, gateway: Option<Ipv4Addr>) -> u32 {
    if locked && gateway.is_some() { port.mtu.min(576) } else { port.mtu }
}
