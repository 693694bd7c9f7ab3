//! `ip -6 route get` (`inet6_rtm_getroute`, `rt6_fill_node`), and which IPv6 address speaks (`ipv6_dev_get_saddr`).

use super::get::{RouteGet, RouteGot, RouteWay};
use super::v4::LOOPBACK;
use crate::addr::{Address, IpAddr, Ipv6Addr};
use crate::address::{Address6, flag, scope_of};
use crate::control::{Errno, IfIndex, Refusal, RouteKind};
use crate::route::{Flow, Net, NextHop, Rib, Route};

pub(super) fn route_get6(
    net: Net<'_>,
    rib: &Rib<Ipv6Addr>,
    ask: &RouteGet,
    destination: Ipv6Addr,
) -> Result<RouteGot, Refusal> {
    let source = ask.source.and_then(Ipv6Addr::from_ip).filter(|source| !source.is_unspecified());
    if let Some(iif) = ask.iif {
        net.ports.get(iif).ok_or(Errno::NoDev)?;
    }
    // What is on a link is looked for on the link it came in by. Where a source is said, `oif` is but a wish.
    let on_link = destination.is_multicast() || destination.is_unicast_link_local();
    let strict = on_link || source.is_none();
    let flow = Flow {
        source,
        oif: ask.iif.map_or(ask.oif.filter(|_| strict), |iif| on_link.then_some(iif)),
        iif: Some(ask.iif.unwrap_or(LOOPBACK)),
        tos: ask.tos,
        mark: ask.mark,
        ..Flow::to(destination)
    };
    let mut answer = rib.lookup(net, &flow).map_err(|why| why.errno())?;
    // Of equal routes, one that leads back where the packet came in, or where it is wished to go, is preferred.
    if let Ok(back) = rib.lookup(net, &Flow { oif: flow.oif.or(ask.iif).or(ask.oif), ..flow })
        && (back.route.destination, back.route.metric) == (answer.route.destination, answer.route.metric)
    {
        answer = back;
    }
    if ask.fibmatch {
        return Ok(RouteGot::Match6(Route { table: answer.table, ..answer.route.clone() }));
    }
    let nexthop = choose(net, answer.route, answer.nexthop, source, destination);
    let route = answer.route;
    let mut way = RouteWay::cached(ask.destination, route.kind, answer.table);
    way.flags = 0;
    way.source = Some(source.unwrap_or(Ipv6Addr::UNSPECIFIED).into());
    way.protocol = route.protocol;
    way.scope = route.scope;
    way.metric = Some(route.metric);
    way.metrics = route.rare.metrics;
    way.preference = Some(route.preference);
    way.iif = ask.iif;
    way.oif = Some(if route.kind == RouteKind::Local { LOOPBACK } else { nexthop.oif });
    way.gateway = nexthop.gateway.map(IpAddr::from);
    if ask.iif.is_none() {
        let chosen = route.prefsrc.or_else(|| select_address6(net, nexthop.oif, destination));
        way.prefsrc = chosen.map(IpAddr::from);
    }
    Ok(RouteGot::Way(way))
}

/// One of several next hops, by weight.
fn choose<'a>(
    net: Net<'_>,
    route: &'a Route<Ipv6Addr>,
    first: &'a NextHop<Ipv6Addr>,
    source: Option<Ipv6Addr>,
    destination: Ipv6Addr,
) -> &'a NextHop<Ipv6Addr> {
    let usable = |hop: &&NextHop<Ipv6Addr>| !(hop.dead || hop.linkdown && net.ignores_linkdown::<Ipv6Addr>(hop.oif));
    let fold = |address: Ipv6Addr| address.to_bits() as u64 ^ (address.to_bits() >> 64) as u64;
    let mixed = (fold(source.unwrap_or(Ipv6Addr::UNSPECIFIED)) ^ fold(destination).rotate_left(17))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let total: u64 = route.nexthops.iter().filter(usable).map(|hop| u64::from(hop.weight)).sum();
    let mut left = (mixed >> 33) % total.max(1);
    for hop in route.nexthops.iter().filter(usable) {
        match left.checked_sub(hop.weight.into()) {
            Some(less) => left = less,
            None => return hop,
        }
    }
    first
}

/// The address that suits a destination best: the same address, a fitting scope, not deprecated, of the port it leaves by,
/// and then the one that shares most bits.
fn select_address6(net: Net<'_>, oif: IfIndex, destination: Ipv6Addr) -> Option<Ipv6Addr> {
    let wanted = scope_of(destination);
    // A narrow destination can only be spoken to from its own link.
    let narrow = destination.is_multicast() || destination.is_unicast_link_local();
    let ports = net.ports.iter().filter(|port| !narrow || port.index == oif);
    let candidates = ports.flat_map(|port| port.addresses6.iter().map(move |address| (port.index, address)));
    let usable = candidates.filter(|(_, address)| !address.is_tentative() && !address.local.is_multicast());
    let rank = |(port, address): &(IfIndex, &Address6)| {
        let scope = scope_of(address.local);
        // Scopes count from wide to narrow: one that is too narrow is the worst, then the nearest wide enough.
        let fit = if scope > wanted { (0, -i32::from(scope)) } else { (1, i32::from(scope)) };
        let shared = address.local.common_bits(destination).min(address.length);
        let fresh = address.flags & flag::DEPRECATED == 0;
        (address.local == destination, fit, fresh, *port == oif, shared)
    };
    // The first of equals wins.
    usable
        .fold(None, |best: Option<(IfIndex, &Address6)>, next| match best {
            Some(best) if rank(&best) >= rank(&next) => Some(best),
            _ => Some(next),
        })
        .map(|(_, address)| address.local)
}
