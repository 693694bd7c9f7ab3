//! Which of our addresses speaks, and what kind an address is (`net/ipv4/devinet.c`, `fib_frontend.c`).

use crate::addr::Ipv4Addr;
use crate::address::Address4;
use crate::control::{IfIndex, RouteKind, scope, table};
use crate::link::Port;
use crate::route::{Flow, Net, NextHop, Rib, Route};

/// `inet_select_addr`: an address of the port to speak from to `destination`, as wide as `scope`; if the port has none,
/// of any port.
pub fn select_address(net: Net<'_>, port: IfIndex, destination: Option<Ipv4Addr>, wanted: u8) -> Option<Ipv4Addr> {
    let own = net.ports.get(port).filter(|port| port.has_ipv4());
    own.and_then(|port| of_port(net, port, destination, wanted))
        .or_else(|| net.ports.iter().filter(|port| port.has_ipv4()).find_map(|port| of_any(port, wanted)))
}

fn of_port(net: Net<'_>, port: &Port, destination: Option<Ipv4Addr>, wanted: u8) -> Option<Ipv4Addr> {
    // With `route_localnet` a loopback address may speak to the link.
    let localnet = net.sysctls.on_port(&port.conf).route_localnet();
    let narrowest = if localnet { scope::LINK } else { scope::HOST };
    let wide = |address: &&Address4| !address.is_secondary() && address.scope.min(narrowest) <= wanted;
    let mut fallback = None;
    for address in port.addresses4.iter().filter(wide) {
        if destination.is_none_or(|destination| address.prefix().contains(destination)) {
            return Some(address.local);
        }
        fallback = fallback.or(Some(address.local));
    }
    fallback
}

fn of_any(port: &Port, wanted: u8) -> Option<Ipv4Addr> {
    let fits = |a: &&Address4| !a.is_secondary() && a.scope != scope::LINK && a.scope <= wanted;
    port.addresses4.iter().find(fits).map(|address| address.local)
}

/// `fib_result_prefsrc`: the route's `src`, or the address that suits its next hop.
pub(super) fn preferred(net: Net<'_>, route: &Route<Ipv4Addr>, nexthop: &NextHop<Ipv4Addr>) -> Option<Ipv4Addr> {
    route.prefsrc.or_else(|| select_address(net, nexthop.oif, nexthop.gateway, route.scope))
}

/// `ipv4_is_zeronet`: `0.0.0.0` alone. (Since Linux 5.3 the rest of `0.0.0.0/8` are addresses like any other.)
pub(super) fn is_zeronet(address: Ipv4Addr) -> bool {
    address.is_unspecified()
}

/// `inet_addr_type`: whether an address is ours, a broadcast address or a group; `Unicast` are all others.
pub fn address_kind(net: Net<'_>, rib: &Rib<Ipv4Addr>, address: Ipv4Addr) -> RouteKind {
    kind_in(net, rib, address, table::LOCAL)
}

/// What an address is to this port: one of another port is like any other (`inet_dev_addr_type`).
pub fn address_kind_on(net: Net<'_>, rib: &Rib<Ipv4Addr>, address: Ipv4Addr, port: IfIndex) -> RouteKind {
    if is_zeronet(address) || address.is_broadcast() || address.is_multicast() {
        return address_kind(net, rib, address);
    }
    let answer = rib.lookup_in(table::LOCAL, net, &Flow::to(address)).ok();
    let here = answer.filter(|answer| answer.nexthop.oif == port);
    here.map_or(RouteKind::Unicast, |answer| answer.route.kind)
}

/// `inet_addr_type_table`
pub(super) fn kind_in(net: Net<'_>, rib: &Rib<Ipv4Addr>, address: Ipv4Addr, number: u32) -> RouteKind {
    if is_zeronet(address) || address.is_broadcast() {
        return RouteKind::Broadcast;
    }
    if address.is_multicast() {
        return RouteKind::Multicast;
    }
    if rib.asked(number).is_none() {
        return RouteKind::Broadcast;
    }
    rib.lookup_in(number, net, &Flow::to(address)).map_or(RouteKind::Unicast, |answer| answer.route.kind)
}

/// `__ip_dev_find`: the port that has this address, or to whose local network it belongs.
pub(super) fn port_of(net: Net<'_>, rib: &Rib<Ipv4Addr>, address: Ipv4Addr) -> Option<IfIndex> {
    let has = |port: &&Port| port.addresses4.iter().any(|other| other.local == address);
    net.ports.iter().find(has).map(|port| port.index).or_else(|| {
        let answer = rib.lookup_in(table::LOCAL, net, &Flow::to(address)).ok()?;
        (answer.route.kind == RouteKind::Local).then_some(answer.nexthop.oif)
    })
}

/// `inet_addr_onlink`: `address` is in a network of the port, and `other` in the same.
pub(super) fn on_link(port: &Port, address: Ipv4Addr, other: Option<Ipv4Addr>) -> bool {
    let mut prefixes = port.addresses4.iter().filter(|a| !a.is_secondary()).map(Address4::prefix);
    prefixes.any(|prefix| prefix.contains(address) && other.is_none_or(|other| prefix.contains(other)))
}
