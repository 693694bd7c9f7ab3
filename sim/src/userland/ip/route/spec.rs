//! From the words of a change to what the kernel is asked, with what iproute2 fills in and what the kernel refuses before
//! it looks at its tables.

use super::super::Ip;
use super::super::args::{Family, Stop};
use super::change::{Change, Request, Via};
use super::list;
use super::nexthop::Hop;
use super::words::RTN_NAT;
use vethlab_engine::addr::{Address, IpAddr, Ipv4Addr, Ipv6Addr};
use vethlab_engine::control::{
    Command, Errno, IfIndex, NextHopSpec, Refusal, RouteKind, RouteSpec, protocol, scope, table,
};

/// `RTN_UNICAST`
const UNICAST: u8 = 1;
/// `RTN_MAX`
const MAX_TYPE: u8 = 11;

/// Asks the kernel.
pub(super) fn apply(ip: &Ip, request: &Request, device: Option<IfIndex>, change: Change) -> Result<(), Stop> {
    if request.encap {
        return Err(Stop::fail(1, "vethlab: ip route encap is not simulated\n"));
    }
    let delete = change == Change::Delete;
    let spec = spec(request, device, delete)?;
    match change {
        Change::Add(mode) => ip.apply(Command::RouteAdd(mode, spec)),
        Change::Delete => ip.apply(Command::RouteDelete(spec)),
        Change::Test if list::has(ip, &spec) => Err(Refusal::from(Errno::Exist).into()),
        Change::Test => Err(Refusal::from(Errno::NoEnt).into()),
    }
}

/// The request as the kernel gets it.
fn spec(request: &Request, device: Option<IfIndex>, delete: bool) -> Result<RouteSpec, Stop> {
    let six = match request.family {
        Family::Inet | Family::Unspec => false,
        Family::Inet6 => true,
        _ => return Err(Refusal::from(Errno::OpNotSupp).into()),
    };
    if request.empty {
        return Err(Refusal::because(Errno::Range, "Attribute failed policy validation").into());
    }
    if six && request.tos != 0 {
        let text = "Invalid dsfield (tos): option not available for IPv6";
        return Err(Refusal::because(Errno::Inval, text).into());
    }
    let any: IpAddr = if six { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let (address, length) = request.destination.map_or((None, 0), |to| (to.address, to.length));
    let rtn = request.kind.unwrap_or(if delete { 0 } else { UNICAST });
    let spec = RouteSpec {
        tos: request.tos,
        table: Some(request.table.unwrap_or_else(|| table_of(rtn))),
        kind: kind(rtn, request, six, delete)?,
        protocol: request.protocol.or((!delete).then_some(protocol::BOOT)).filter(|of| !delete || *of != 0),
        scope: Some(scope_of(rtn, request, six, delete)).filter(|of| !delete || *of != scope::NOWHERE),
        metric: request.metric,
        prefsrc: request.prefsrc,
        metrics: request.metrics.values,
        nexthops: nexthops(request, device, six, delete)?,
        realms: request.realms,
        preference: request.preference,
        expires: request.expires,
        ..RouteSpec::to(address.unwrap_or(any), length)
    };
    if request.metrics.unknown_algorithm && !delete {
        return Err(Refusal::because(Errno::Inval, "Unknown tcp congestion algorithm").into());
    }
    if six && request.source_length != 0 {
        return Err(Stop::fail(1, "vethlab: ip -6 route from is not simulated\n"));
    }
    Ok(spec)
}

/// The table that a type goes to.
fn table_of(rtn: u8) -> u32 {
    match RouteKind::numbered(rtn) {
        Some(RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast) => table::LOCAL,
        _ if rtn == RTN_NAT => table::LOCAL,
        _ => table::MAIN,
    }
}

/// The scope that a type has; a deletion asks for any of a unicast route.
fn scope_of(rtn: u8, request: &Request, six: bool, delete: bool) -> u8 {
    if let Some(scope) = request.scope {
        return scope;
    }
    let any = if delete { scope::NOWHERE } else { scope::UNIVERSE };
    let leads_on = request.gateway.is_some() || request.hops.is_some() || request.nexthop_id.is_some_and(|id| id != 0);
    match RouteKind::numbered(rtn) {
        _ if six => scope::UNIVERSE,
        Some(RouteKind::Local) => scope::HOST,
        _ if rtn == RTN_NAT => scope::HOST,
        Some(RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast) => scope::LINK,
        Some(RouteKind::Unicast) if !delete && !leads_on => scope::LINK,
        _ => any,
    }
}

/// The kind of route, or why there is none of this type.
fn kind(rtn: u8, request: &Request, six: bool, delete: bool) -> Result<Option<RouteKind>, Stop> {
    let invalid = |text: &str| Err(Refusal::because(Errno::Inval, text).into());
    match RouteKind::numbered(rtn) {
        Some(kind) => Ok(Some(kind)),
        None if delete && rtn == 0 => Ok(None),
        None if delete && !has_host_bits(request) => Err(Refusal::from(Errno::Srch).into()),
        None if rtn > MAX_TYPE => invalid("Invalid route type"),
        None if !six && has_host_bits(request) => invalid("Invalid prefix for given prefix length"),
        // IPv6 takes it for unicast with another name.
        None if six => Err(Stop::fail(1, "vethlab: ip -6 route of this type is not simulated\n")),
        None if request.scope == Some(scope::NOWHERE) => Err(Refusal::from(Errno::Inval).into()),
        None => invalid("Invalid scope"),
    }
}

/// The destination is no network's first address.
fn has_host_bits(request: &Request) -> bool {
    let to = request.destination.and_then(|to| Some((to.address?, to.length)));
    to.is_some_and(|(address, length)| match address {
        IpAddr::V4(address) => address.masked(length) != address,
        IpAddr::V6(address) => address.masked(length) != address,
    })
}

/// `via`, `dev` and `onlink` as one next hop, or those of `nexthop`.
fn nexthops(request: &Request, device: Option<IfIndex>, six: bool, delete: bool) -> Result<Vec<NextHopSpec>, Stop> {
    if request.nexthop_id.is_some_and(|id| id != 0) {
        return Err(Refusal::because(Errno::Inval, "Nexthop id does not exist").into());
    }
    let top = NextHopSpec { gateway: gateway(request.gateway, six)?, oif: device, weight: 1, onlink: request.onlink };
    let said = top.gateway.is_some() || top.oif.is_some();
    let Some(hops) = &request.hops else {
        return Ok(if said || top.onlink { vec![top] } else { Vec::new() });
    };
    // A deletion that says both compares the first next hop alone.
    if delete && said && !six {
        return Ok(vec![top]);
    }
    let realms: Vec<u32> = hops.iter().map(|hop| hop.realms).collect();
    let hops: Vec<NextHopSpec> = hops.iter().map(|hop| hop.spec(six)).collect::<Result<_, Stop>>()?;
    if six {
        return with_top(top, hops, delete);
    }
    if !delete {
        agrees_with_first(&top, &hops, request.realms, &realms)?;
    }
    Ok(hops)
}

/// What is said of a whole IPv6 route counts for each next hop that does not say it.
fn with_top(top: NextHopSpec, hops: Vec<NextHopSpec>, delete: bool) -> Result<Vec<NextHopSpec>, Stop> {
    let filled =
        |hop: NextHopSpec| NextHopSpec { gateway: hop.gateway.or(top.gateway), oif: hop.oif.or(top.oif), ..hop };
    let hops: Vec<NextHopSpec> = hops.into_iter().map(filled).collect();
    if !delete && hops.iter().any(|hop| hop.gateway.is_none()) {
        let text = "Device only routes can not be added for IPv6 using the multipath API.";
        return Err(Refusal::because(Errno::Inval, text).into());
    }
    Ok(hops)
}

/// What is said of the whole route must be said of the first next hop, too.
fn agrees_with_first(top: &NextHopSpec, hops: &[NextHopSpec], whole: Option<u32>, realms: &[u32]) -> Result<(), Stop> {
    if let Some(first) = hops.first() {
        if top.oif.is_some() && top.oif != first.oif {
            return Err(Refusal::because(Errno::Inval, "Nexthop device index does not match RTA_OIF").into());
        }
        if top.gateway.is_some() && top.gateway != first.gateway {
            let text = "Nexthop gateway does not match RTA_GATEWAY or RTA_VIA";
            return Err(Refusal::because(Errno::Inval, text).into());
        }
    }
    if whole.is_some_and(|whole| whole != 0 && realms.first() != Some(&whole)) {
        return Err(Refusal::because(Errno::Inval, "Nexthop class id does not match RTA_FLOW").into());
    }
    if realms.iter().any(|realms| *realms != 0) {
        return Err(Stop::fail(1, "vethlab: ip route nexthop realms is not simulated\n"));
    }
    Ok(())
}

impl Hop {
    fn spec(&self, six: bool) -> Result<NextHopSpec, Stop> {
        let Hop { oif, weight, onlink, .. } = *self;
        Ok(NextHopSpec { gateway: gateway(self.gateway, six)?, oif, weight, onlink })
    }
}

/// The gateway as the kernel gets it: none for 0.0.0.0.
fn gateway(via: Option<Via>, six: bool) -> Result<Option<IpAddr>, Stop> {
    match via {
        Some(Via::Address(Some(IpAddr::V4(_)))) if six => {
            Err(Refusal::because(Errno::Inval, "IPv6 does not support RTA_VIA attribute").into())
        }
        Some(Via::Address(Some(IpAddr::V6(_)))) if !six => {
            Err(Stop::fail(1, "vethlab: ip route via inet6 of an IPv4 route is not simulated\n"))
        }
        Some(Via::Address(address)) => Ok(address.filter(|of| six || !of.is_unspecified())),
        Some(Via::Foreign) => Err(Refusal::because(Errno::Inval, "Unsupported address family in RTA_VIA").into()),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
