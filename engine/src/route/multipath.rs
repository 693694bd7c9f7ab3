//! One way of several: next hops by weight, default routes by what the neighbours say (`fib_select_multipath`,
//! `fib_select_default`).

use super::exception::is_valid;
use super::source::select_address;
use crate::addr::Ipv4Addr;
use crate::control::{Nud, RouteKind, scope};
use crate::route::{Answer, Net, NextHop, Route, Transport};

/// 31 bits of a hash of the two addresses (`fib_multipath_hash_policy=0`). The kernel's is keyed by chance at each boot;
/// this one is always the same.
pub fn hash(source: Ipv4Addr, destination: Ipv4Addr) -> u32 {
    let mut mixed = u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits());
    for _ in 0..2 {
        mixed ^= mixed >> 32;
        mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^= mixed >> 29;
    }
    (mixed >> 33) as u32
}

/// 31 bits of a hash of what `fib_multipath_hash_policy` says of a flow: its addresses (0; and 2, for nothing here is in a
/// tunnel), with protocol and ports (1), or what `fib_multipath_hash_fields` names (3).
pub(super) fn hash_flow(net: Net<'_>, source: Ipv4Addr, destination: Ipv4Addr, transport: Transport) -> u32 {
    const FIELDS_OF_FLOW: i64 = 0x37;
    let fields = match net.sysctls.fib_multipath_hash_policy() {
        1 => FIELDS_OF_FLOW,
        3 => net.sysctls.fib_multipath_hash_fields(),
        _ => return hash(source, destination),
    };
    let of = |bit: i64, value: u32| if fields & bit != 0 { value } else { 0 };
    let addresses = [of(1, source.to_bits()), of(2, destination.to_bits())];
    let ports = of(0x10, transport.source_port.into()) << 16 | of(0x20, transport.destination_port.into());
    let [source, destination] = addresses.map(Ipv4Addr::from_bits);
    let rest = [of(4, transport.protocol.into()), ports].map(Ipv4Addr::from_bits);
    let [a, b] = [hash(source, destination), hash(rest[0], rest[1])].map(Ipv4Addr::from_bits);
    hash(a, b)
}

/// True if packets may go that way.
fn usable(net: Net<'_>, nexthop: &NextHop<Ipv4Addr>) -> bool {
    !(nexthop.dead || nexthop.linkdown && net.ignores_linkdown::<Ipv4Addr>(nexthop.oif))
}

/// `fib_good_nh`
fn answers(net: Net<'_>, nexthop: &NextHop<Ipv4Addr>) -> bool {
    match nexthop.gateway.filter(|_| nexthop.scope == scope::LINK) {
        None => true,
        Some(gateway) => match (net.neighbors)(nexthop.oif, gateway) {
            Nud::None => true,
            state => is_valid(state),
        },
    }
}

/// `fib_rebalance`, `fib_select_multipath`: the usable next hops share the hashes by weight; one that speaks from `source`
/// is preferred.
pub(super) fn select<'a>(
    net: Net<'_>,
    answer: &Answer<'a, Ipv4Addr>,
    hash: u32,
    source: Option<Ipv4Addr>,
) -> &'a NextHop<Ipv4Addr> {
    let nexthops = &answer.route.nexthops;
    let weight = |nexthop: &NextHop<Ipv4Addr>| if usable(net, nexthop) { u64::from(nexthop.weight) } else { 0 };
    let total: u64 = nexthops.iter().map(weight).sum();
    let use_neigh = net.sysctls.fib_multipath_use_neigh();
    let mut best = (answer.nexthop, -1);
    let mut up_to = 0;
    for nexthop in nexthops.iter().filter(|nexthop| usable(net, nexthop)) {
        up_to += u64::from(nexthop.weight);
        let bound = ((up_to << 31) + total / 2) / total.max(1);
        if use_neigh && !answers(net, nexthop) {
            continue;
        }
        let mut score = i32::from(u64::from(hash) < bound);
        let speaker = || select_address(net, nexthop.oif, nexthop.gateway, answer.route.scope);
        if source.is_some() && speaker() == source {
            score += 2;
        }
        if score > best.1 {
            best = (nexthop, score);
            if score == 3 || (source.is_none() && score == 1) {
                break;
            }
        }
    }
    best.0
}

/// `fib_select_default`: of several default routes of one metric, the first whose gateway is not known to be dead.
pub(super) fn select_default<'a>(
    net: Net<'_>,
    answer: &Answer<'a, Ipv4Addr>,
    tos: u8,
) -> (&'a Route<Ipv4Addr>, &'a NextHop<Ipv4Addr>) {
    let chosen = (answer.route, answer.nexthop);
    let is_default = answer.route.destination.length() == 0 && answer.route.kind == RouteKind::Unicast;
    if !is_default || answer.peers.len() < 2 {
        return chosen;
    }
    let equals = answer.peers.iter().filter(|peer| {
        (peer.table, peer.metric, peer.tos) == (answer.route.table, answer.route.metric, answer.route.tos)
            && (peer.tos == 0 || peer.tos == tos & 0x1c)
            && peer.scope == answer.route.scope
            && peer.kind == RouteKind::Unicast
    });
    let by_gateway = |peer: &&Route<Ipv4Addr>| {
        let first = peer.nexthops.first();
        first.gateway.is_some() && first.scope == scope::LINK
    };
    let mut last_resort = None;
    let mut candidates = equals.filter(by_gateway).peekable();
    if candidates.peek().is_none_or(|first| !core::ptr::eq(*first, answer.route)) {
        return chosen;
    }
    for peer in candidates {
        let nexthop = peer.nexthops.first();
        let gateway = nexthop.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED);
        match (net.neighbors)(nexthop.oif, gateway) {
            Nud::Incomplete => {}
            Nud::Failed => last_resort = last_resort.or(Some((peer, nexthop))),
            _ => return (peer, nexthop),
        }
    }
    last_resort.unwrap_or(chosen)
}
