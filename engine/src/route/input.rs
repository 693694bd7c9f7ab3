//! The way of a packet that came in (`ip_route_input_slow`), and whether its source can be believed
//! (`fib_validate_source`).

use super::multipath;
use super::output::device_mtu;
use super::source::{is_zeronet, on_link};
use super::v4::LOOPBACK;
use crate::addr::Ipv4Addr;
use crate::control::{IfIndex, RouteKind, scope};
use crate::link::Port;
use crate::reason::DropReason;
use crate::route::{Answer, Flow, InputKey, InputRoute, Net, NextHop, Rib, Route, Unroutable, rtcf};
use crate::sysctl::Conf;

/// A way, and the route and next hop that it follows, if it follows one.
pub(super) struct Way<'a> {
    pub(super) route: InputRoute,
    pub(super) answer: Option<(&'a Route<Ipv4Addr>, &'a NextHop<Ipv4Addr>)>,
}

/// The packet's arrival.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    net: Net<'a>,
    key: &'a InputKey,
    port: &'a Port,
    conf: Conf<'a>,
}

/// The way of a packet that came in (`ip_route_input`).
#[inline]
pub fn input_route(net: Net<'_>, rib: &Rib<Ipv4Addr>, key: &InputKey) -> Result<InputRoute, DropReason> {
    way(net, rib, key).map(|way| way.route)
}

/// The same, and whether it is the same for each packet with this key as long as nobody changes the configuration: nothing
/// else has a say in it.
pub(crate) fn lasting_route(
    net: Net<'_>,
    rib: &Rib<Ipv4Addr>,
    key: &InputKey,
) -> Result<(InputRoute, bool), DropReason> {
    let Way { route, answer } = way(net, rib, key)?;
    let has_choice = answer.is_some_and(|(route, _)| route.nexthops.len() > 1);
    let is_group = key.destination.is_multicast();
    let lasts = !has_choice && !is_group && !key.arp && rib.rare.exceptions.is_empty() && !rib.looks_at_transport();
    Ok((route, lasts))
}

impl Rib<Ipv4Addr> {
    /// By what the way of a packet is kept, if it is a [lasting](lasting_route) one. Where the tables lead all packets to its
    /// destination and to others to one router, the number of that router stands for all of them: `0.0.0.NUMBER`, where no
    /// packet has a way to.
    #[inline(always)]
    pub(crate) fn kept_as(&self, key: InputKey) -> InputKey {
        let [first, ..] = key.destination.octets();
        // The others are asked about before the tables are.
        let is_ordinary = first != 0 && first != 127 && first < 224;
        match if self.custom_rules || !is_ordinary { 0 } else { self.hop_in_main(key.destination) } {
            0 => key,
            hop => InputKey { destination: Ipv4Addr::new(0, 0, 0, hop), ..key },
        }
    }
}

/// The same, with the route that was followed.
pub(super) fn way<'a>(net: Net<'_>, rib: &'a Rib<Ipv4Addr>, key: &InputKey) -> Result<Way<'a>, DropReason> {
    let Some(port) = net.ports.get(key.iif).filter(|port| port.has_ipv4()) else { return Err(DropReason::PortDown) };
    let arrival = Arrival { net, key, port, conf: net.sysctls.on_port(&port.conf) };
    if key.destination.is_multicast() {
        return group(arrival, rib);
    }
    let to_all = key.destination.is_broadcast() || (key.source.is_unspecified() && key.destination.is_unspecified());
    if key.source.is_multicast() || key.source.is_broadcast() {
        return Err(DropReason::MartianSource);
    }
    if to_all {
        return broadcast(arrival, rib, None);
    }
    check_ranges(arrival)?;
    let flow = Flow {
        source: Some(key.source),
        iif: Some(key.iif),
        tos: key.tos,
        mark: key.mark,
        transport: key.transport,
        ..Flow::to(key.destination)
    };
    let forwards = arrival.conf.forwarding();
    let answer = match rib.lookup(net, &flow) {
        Ok(answer) => answer,
        Err(_) if !forwards => return Err(DropReason::ForwardingOff),
        Err(why) => return Err(reason_of(why)),
    };
    match answer.route.kind {
        RouteKind::Broadcast if !arrival.conf.bc_forwarding() => broadcast(arrival, rib, Some(&answer)),
        RouteKind::Local => {
            validate_source(arrival, rib, key.destination, 0)?;
            Ok(delivered(RouteKind::Local, rtcf::LOCAL, Some(&answer)))
        }
        RouteKind::Unicast if !forwards => Err(DropReason::ForwardingOff),
        RouteKind::Unicast | RouteKind::Broadcast => forwarded(arrival, rib, &answer),
        _ if !forwards => Err(DropReason::ForwardingOff),
        _ => Err(DropReason::MartianDestination),
    }
}

/// Addresses that no packet on a cable may have.
#[inline]
fn check_ranges(Arrival { key, conf, .. }: Arrival<'_>) -> Result<(), DropReason> {
    if is_zeronet(key.source) {
        return Err(DropReason::MartianSource);
    }
    if is_zeronet(key.destination) {
        return Err(DropReason::MartianDestination);
    }
    if (key.destination.is_loopback() || key.source.is_loopback()) && !conf.route_localnet() {
        return Err(DropReason::LoopbackForeign);
    }
    Ok(())
}

fn reason_of(why: Unroutable) -> DropReason {
    match why {
        Unroutable::NoRoute => DropReason::NoRoute,
        Unroutable::Blackhole => DropReason::RouteBlackhole,
        Unroutable::Unreachable => DropReason::RouteUnreachable,
        Unroutable::Prohibit => DropReason::RouteProhibit,
    }
}

/// `ip_route_input_mc`
fn group<'a>(arrival: Arrival<'_>, rib: &Rib<Ipv4Addr>) -> Result<Way<'a>, DropReason> {
    let Arrival { key, conf, .. } = arrival;
    if !key.joined {
        return Err(DropReason::MulticastUnwanted);
    }
    if key.source.is_multicast() || key.source.is_broadcast() {
        return Err(DropReason::MartianSource);
    }
    if key.arp {
        return Err(DropReason::ArpIgnored);
    }
    if key.source.is_loopback() && !conf.route_localnet() {
        return Err(DropReason::LoopbackForeign);
    }
    let [a, b, c, _] = key.destination.octets();
    if !is_zeronet(key.source) {
        validate_source(arrival, rib, Ipv4Addr::UNSPECIFIED, 0)?;
    } else if [a, b, c] != [224, 0, 0] {
        return Err(DropReason::MartianSource);
    }
    Ok(delivered(RouteKind::Multicast, rtcf::MULTICAST | rtcf::LOCAL, None))
}

/// To everybody on the link.
fn broadcast<'a>(
    arrival: Arrival<'_>,
    rib: &Rib<Ipv4Addr>,
    answer: Option<&Answer<'a, Ipv4Addr>>,
) -> Result<Way<'a>, DropReason> {
    if arrival.key.arp {
        return Err(DropReason::ArpIgnored);
    }
    if !is_zeronet(arrival.key.source) {
        validate_source(arrival, rib, Ipv4Addr::UNSPECIFIED, 0)?;
    }
    Ok(delivered(RouteKind::Broadcast, rtcf::BROADCAST | rtcf::LOCAL, answer))
}

fn delivered<'a>(kind: RouteKind, flags: u32, answer: Option<&Answer<'a, Ipv4Addr>>) -> Way<'a> {
    let route = InputRoute {
        kind,
        oif: LOOPBACK,
        gateway: None,
        mtu: 65_535,
        redirect: false,
        flags,
        table: answer.map(|answer| answer.table),
    };
    Way { route, answer: answer.map(|answer| (answer.route, answer.nexthop)) }
}

/// `ip_mkroute_input`
fn forwarded<'a>(
    arrival: Arrival<'_>,
    rib: &Rib<Ipv4Addr>,
    answer: &Answer<'a, Ipv4Addr>,
) -> Result<Way<'a>, DropReason> {
    let Arrival { net, key, port, conf } = arrival;
    let mut nexthop = answer.nexthop;
    if answer.route.nexthops.len() > 1 {
        let hash = key.hash.unwrap_or_else(|| multipath::hash_flow(net, key.source, key.destination, key.transport));
        nexthop = multipath::select(net, answer, hash, None);
    }
    let Some(out) = net.ports.get(nexthop.oif).filter(|port| port.has_ipv4()) else { return Err(DropReason::NoRoute) };
    let near = validate_source(arrival, rib, key.destination, nexthop.oif)?;
    let back = out.index == port.index;
    let redirect = back
        && near
        && !key.arp
        && conf.send_redirects()
        && (conf.shared_media() || on_link(out, key.source, nexthop.gateway));
    if key.arp && back && !conf.proxy_arp_pvlan() {
        return Err(DropReason::ArpIgnored);
    }
    let mut way = InputRoute {
        kind: answer.route.kind,
        oif: nexthop.oif,
        gateway: nexthop.gateway.filter(|_| nexthop.scope == scope::LINK),
        mtu: 0,
        redirect,
        flags: if redirect { rtcf::DOREDIRECT } else { 0 },
        table: Some(answer.table),
    };
    let mut locked = answer.route.rare.metrics.mtu_lock;
    let mut learned = None;
    if let Some(exception) = rib.rare.exceptions.find(net.now, nexthop, key.destination) {
        if exception.gateway.is_some() {
            way.gateway = exception.gateway;
            way.flags |= rtcf::REDIRECTED;
        }
        locked |= exception.locked;
        // A router follows what it learned only where it is told to, or must.
        learned = exception.mtu.filter(|_| locked || net.sysctls.ip_forward_use_pmtu());
    }
    let device = || device_mtu(out, locked, way.gateway);
    way.mtu = learned.or(answer.route.rare.metrics.mtu).unwrap_or_else(device).min(65_535);
    Ok(Way { route: way, answer: Some((answer.route, nexthop)) })
}

/// `fib_validate_source`: can a packet from there come in here? True if the sender is on the link itself. `destination` and
/// `oif` are those of the packet's further way, if it has one.
#[inline]
fn validate_source(
    arrival: Arrival<'_>,
    rib: &Rib<Ipv4Addr>,
    destination: Ipv4Addr,
    oif: IfIndex,
) -> Result<bool, DropReason> {
    let Arrival { key, port, conf, .. } = arrival;
    let strictness = conf.rp_filter();
    if strictness == 0 && (port.index != oif || !conf.send_redirects()) {
        if conf.accept_local() {
            return Ok(false);
        }
        if !rib.custom_locals && !rib.custom_rules {
            return if rib.is_own(key.source) { Err(DropReason::OwnSource) } else { Ok(false) };
        }
    }
    validate_fully(arrival, rib, destination, oif, strictness)
}

/// `__fib_validate_source`: the way back to the source is looked up.
fn validate_fully(
    arrival: Arrival<'_>,
    rib: &Rib<Ipv4Addr>,
    destination: Ipv4Addr,
    oif: IfIndex,
    strictness: i64,
) -> Result<bool, DropReason> {
    let Arrival { net, key, port, conf } = arrival;
    let flow = Flow {
        source: Some(destination),
        iif: Some(if oif == 0 { LOOPBACK } else { oif }),
        tos: key.tos,
        mark: if conf.src_valid_mark() { key.mark } else { 0 },
        transport: key.transport.back(),
        ..Flow::to(key.source)
    };
    let last_resort = || if strictness == 0 { Ok(false) } else { Err(DropReason::ReversePath) };
    let Ok(answer) = rib.lookup(net, &flow) else { return last_resort() };
    let local = answer.route.kind == RouteKind::Local;
    if answer.route.kind != RouteKind::Unicast && !local {
        return Err(DropReason::MartianSource);
    }
    if local && !conf.accept_local() {
        return Err(DropReason::OwnSource);
    }
    if answer.route.uses(port.index) || (local && port.is_loopback()) {
        return Ok(answer.nexthop.scope >= scope::HOST);
    }
    if port.addresses4.is_empty() {
        return last_resort();
    }
    if strictness == 1 {
        return Err(DropReason::ReversePath);
    }
    let here = Flow { oif: Some(port.index), ignore_linkstate: true, ..flow };
    let answer = rib.lookup(net, &here).ok().filter(|answer| answer.route.kind == RouteKind::Unicast);
    Ok(answer.is_some_and(|answer| answer.nexthop.scope >= scope::HOST))
}
