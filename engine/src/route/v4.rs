//! What is checked before an IPv4 route enters, and how one is found that is to go (`net/ipv4/fib_frontend.c`,
//! `fib_semantics.c`). What addresses and ports do to the tables is in [`events`](super::events4).

use super::source::{is_zeronet, kind_in};
use crate::addr::{Address, Ipv4Addr, Prefix};
use crate::control::{
    Errno, NextHopSpec, Refusal, RouteKind, RouteMetrics, RouteMode, RouteSpec, protocol, scope, table,
};
use crate::route::{Flow, Net, NextHop, NextHops, RareRoute, Rib, Route};
use crate::seldom::Seldom;

/// `lo`'s index, in every namespace.
pub(super) const LOOPBACK: u32 = 1;

pub(super) fn refuse<T>(errno: Errno, text: &str) -> Result<T, Refusal> {
    Err(Refusal::because(errno, text))
}

fn invalid<T>(text: &str) -> Result<T, Refusal> {
    refuse(Errno::Inval, text)
}

impl Rib<Ipv4Addr> {
    /// `ip route add|append|prepend|change|replace`
    pub fn add(&mut self, net: Net<'_>, mode: RouteMode, spec: &RouteSpec) -> Result<(), Refusal> {
        let number = parse(spec)?.1;
        // It exists from now on, even if the route is refused.
        self.make(number);
        let route = self.create(net, spec)?;
        let custom = route.kind == RouteKind::Local;
        if let Some(old) = self.make(number).insert(route, mode)? {
            self.forget(&old);
        }
        self.custom_locals |= custom;
        Ok(())
    }

    /// `ip route del`
    pub fn delete(&mut self, net: Net<'_>, spec: &RouteSpec) -> Result<(), Refusal> {
        let _ = net;
        let (destination, number) = parse(spec)?;
        let Some(table) = self.asked_mut(number) else { return refuse(Errno::Srch, "FIB table does not exist") };
        let wanted_scope = spec.scope.or(match spec.kind {
            Some(RouteKind::Local) => Some(scope::HOST),
            Some(RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast) => Some(scope::LINK),
            _ => None,
        });
        let is_meant = |route: &Route<Ipv4Addr>| {
            (route.table, route.tos) == (number, spec.tos)
                && spec.kind.is_none_or(|kind| kind == route.kind)
                && wanted_scope.is_none_or(|wanted| wanted == scope::NOWHERE || wanted == route.scope)
                && said_ip(spec.prefsrc).is_none_or(|prefsrc| Some(prefsrc) == route.prefsrc)
                && spec.protocol.is_none_or(|wanted| wanted == protocol::UNSPEC || wanted == route.protocol)
                && spec.metric.is_none_or(|metric| metric == 0 || metric == route.metric)
                && nexthops_match(spec, route)
                && metrics_match(&spec.metrics, &route.rare.metrics)
        };
        match table.remove(destination, is_meant) {
            Some(gone) => self.forget(&gone),
            None => return Err(Errno::Srch.into()),
        }
        Ok(())
    }

    /// `fib_create_info`: the route that was asked for, if it can be.
    fn create(&self, net: Net<'_>, spec: &RouteSpec) -> Result<Route<Ipv4Addr>, Refusal> {
        let (destination, number) = parse(spec)?;
        let kind = spec.kind.unwrap_or(RouteKind::Unicast);
        let wide = spec.scope.unwrap_or_else(|| default_scope(kind, &spec.nexthops));
        if least_scope(kind) > wide {
            return invalid("Invalid scope");
        }
        let mut route = Route {
            tos: spec.tos,
            table: number,
            kind,
            protocol: spec.protocol.unwrap_or(protocol::BOOT),
            scope: wide,
            metric: spec.metric.unwrap_or(0),
            prefsrc: said_ip(spec.prefsrc),
            rare: Seldom::kept(RareRoute {
                metrics: bounded(spec.metrics),
                realms: spec.realms.unwrap_or(0),
                ..RareRoute::default()
            }),
            nexthops: requested(spec),
            ..Route::new(destination, NextHop::on_link(0))
        };
        if is_error(kind) {
            return match spec.nexthops.is_empty() {
                true => Ok(route),
                false => invalid("Gateway, device and multipath can not be specified for this route type"),
            };
        }
        if wide > scope::HOST {
            return invalid("Invalid scope");
        }
        self.check_nexthops(net, &mut route)?;
        if route.prefsrc.is_some_and(|prefsrc| !self.may_speak(net, &route, prefsrc)) {
            return invalid("Invalid prefsrc address");
        }
        Ok(route)
    }

    fn check_nexthops(&self, net: Net<'_>, route: &mut Route<Ipv4Addr>) -> Result<(), Refusal> {
        let (number, wide) = (route.table, route.scope);
        if wide == scope::HOST {
            return check_host_scope(net, route);
        }
        for nexthop in route.nexthops.iter_mut() {
            match nexthop.gateway {
                None => check_direct(net, nexthop)?,
                Some(gateway) if nexthop.onlink => self.check_onlink(net, nexthop, gateway, wide)?,
                Some(gateway) => self.check_gateway(net, nexthop, gateway, (number, wide))?,
            }
        }
        if route.nexthops.iter().all(|nexthop| nexthop.linkdown) {
            route.flags |= Route::<Ipv4Addr>::LINKDOWN;
        }
        Ok(())
    }

    /// `fib_check_nh_v4_gw` with `RTNH_F_ONLINK`
    fn check_onlink(
        &self,
        net: Net<'_>,
        nexthop: &mut NextHop<Ipv4Addr>,
        gateway: Ipv4Addr,
        wide: u8,
    ) -> Result<(), Refusal> {
        if wide >= scope::LINK {
            return invalid("Nexthop has invalid scope");
        }
        let Some(port) = net.ports.get(nexthop.oif) else {
            return refuse(Errno::NoDev, "Nexthop device required for onlink");
        };
        if !port.is_up() {
            return refuse(Errno::NetDown, "Nexthop device is not up");
        }
        if kind_in(net, self, gateway, table::LOCAL) != RouteKind::Unicast {
            return invalid("Nexthop has invalid gateway");
        }
        nexthop.linkdown = !port.carrier;
        nexthop.scope = scope::LINK;
        Ok(())
    }

    /// `fib_check_nh_v4_gw`: the way to the gateway must be nearer than the route itself; it is the way of the route, too.
    fn check_gateway(
        &self,
        net: Net<'_>,
        nexthop: &mut NextHop<Ipv4Addr>,
        gateway: Ipv4Addr,
        (number, wide): (u32, u8),
    ) -> Result<(), Refusal> {
        let flow = Flow {
            oif: Some(nexthop.oif).filter(|oif| *oif != 0),
            iif: Some(LOOPBACK),
            scope: wide.saturating_add(1).max(scope::LINK),
            ignore_linkstate: true,
            ..Flow::to(gateway)
        };
        let here = if number == table::MAIN { None } else { self.lookup_in(number, net, &flow).ok() };
        let answer = match here {
            Some(answer) => answer,
            None => {
                self.lookup(net, &flow).map_err(|why| Refusal::because(why.errno(), "Nexthop has invalid gateway"))?
            }
        };
        if !matches!(answer.route.kind, RouteKind::Unicast | RouteKind::Local) {
            return invalid("Nexthop has invalid gateway");
        }
        nexthop.scope = answer.route.scope;
        nexthop.oif = answer.nexthop.oif;
        let Some(port) = net.ports.get(nexthop.oif) else {
            return invalid("No egress device for nexthop gateway");
        };
        nexthop.linkdown = !port.carrier;
        if port.is_up() { Ok(()) } else { Err(Errno::NetDown.into()) }
    }

    /// `fib_valid_prefsrc`
    pub(super) fn may_speak(&self, net: Net<'_>, route: &Route<Ipv4Addr>, prefsrc: Ipv4Addr) -> bool {
        let destination = route.destination.address();
        if route.kind == RouteKind::Local && !destination.is_unspecified() && prefsrc == destination {
            return true;
        }
        let number = if route.table == table::MAIN { table::LOCAL } else { route.table };
        [number, table::LOCAL].iter().any(|&number| kind_in(net, self, prefsrc, number) == RouteKind::Local)
    }
}

/// `rtm_to_fib_config`: what is wrong with the request itself; else the destination, and the table.
fn parse(spec: &RouteSpec) -> Result<(Prefix<Ipv4Addr>, u32), Refusal> {
    if spec.tos & 3 != 0 {
        return invalid("Invalid dsfield (tos): ECN bits must be 0");
    }
    if spec.length > 32 {
        return invalid("Invalid prefix length");
    }
    let Some(address) = Ipv4Addr::from_ip(spec.destination) else { return Err(Errno::Inval.into()) };
    let destination = Prefix::of(address, spec.length);
    if destination.address() != address {
        return invalid("Invalid prefix for given prefix length");
    }
    if spec.nexthops.iter().any(|nexthop| nexthop.gateway.is_some_and(|gateway| gateway.is_ipv6())) {
        return invalid("IPv6 support not enabled in kernel");
    }
    let usual = match spec.kind {
        Some(RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast) => table::LOCAL,
        _ => table::MAIN,
    };
    let number = spec.table.unwrap_or(usual);
    Ok((destination, if number == table::UNSPEC { table::MAIN } else { number }))
}

/// The scope of a route that is added without one, as iproute2 chooses it.
fn default_scope(kind: RouteKind, nexthops: &[NextHopSpec]) -> u8 {
    match kind {
        RouteKind::Local => scope::HOST,
        RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast => scope::LINK,
        RouteKind::Unicast if nexthops.len() < 2 && gateway(nexthops.first()).is_none() => scope::LINK,
        _ => scope::UNIVERSE,
    }
}

/// `fib_props[].scope`
fn least_scope(kind: RouteKind) -> u8 {
    match kind {
        RouteKind::Local => scope::HOST,
        RouteKind::Broadcast | RouteKind::Anycast => scope::LINK,
        _ => scope::UNIVERSE,
    }
}

/// `fib_props[].error`
pub(super) fn is_error(kind: RouteKind) -> bool {
    matches!(kind, RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw)
}

fn said_ip<A: Address>(ip: Option<crate::addr::IpAddr>) -> Option<A> {
    ip.and_then(A::from_ip).filter(|address| *address != A::UNSPECIFIED)
}

fn gateway(nexthop: Option<&NextHopSpec>) -> Option<Ipv4Addr> {
    nexthop.and_then(|nexthop| said_ip(nexthop.gateway))
}

/// The next hops as they were said, still unchecked.
fn requested(spec: &RouteSpec) -> NextHops<Ipv4Addr> {
    let made = |said: &NextHopSpec| NextHop {
        gateway: gateway(Some(said)),
        weight: said.weight.clamp(1, 256),
        onlink: said.onlink,
        ..NextHop::on_link(said.oif.unwrap_or(0))
    };
    NextHops::many(spec.nexthops.iter().map(made).collect())
}

/// A route to one of our own addresses.
fn check_host_scope(net: Net<'_>, route: &mut Route<Ipv4Addr>) -> Result<(), Refusal> {
    let [nexthop] = &mut *route.nexthops else {
        return invalid("Route with host scope can not have multiple nexthops");
    };
    if nexthop.gateway.is_some() {
        return invalid("Route with host scope can not have a gateway");
    }
    if net.ports.get(nexthop.oif).is_none() {
        return Err(Errno::NoDev.into());
    }
    nexthop.scope = scope::NOWHERE;
    Ok(())
}

/// `fib_check_nh_nongw`
fn check_direct(net: Net<'_>, nexthop: &mut NextHop<Ipv4Addr>) -> Result<(), Refusal> {
    if nexthop.onlink {
        return invalid("Invalid flags for nexthop - PERVASIVE and ONLINK can not be set");
    }
    let port = net.ports.get(nexthop.oif).filter(|port| port.has_ipv4()).ok_or(Errno::NoDev)?;
    if !port.is_up() {
        return refuse(Errno::NetDown, "Device for nexthop is not up");
    }
    nexthop.linkdown = !port.carrier;
    nexthop.scope = scope::HOST;
    Ok(())
}

/// `ip_metrics_convert`: what is too large is cut.
pub(super) fn bounded(said: RouteMetrics) -> RouteMetrics {
    let most = |value: Option<u32>, bound| value.map(|value| value.min(bound));
    RouteMetrics {
        mtu: most(said.mtu, 65_535 - 15),
        advmss: most(said.advmss, 65_535 - 40),
        hoplimit: most(said.hoplimit, 255),
        ..said
    }
}

/// `fib_nh_match`: one next hop is compared with the route's first, several with all.
fn nexthops_match(spec: &RouteSpec, route: &Route<Ipv4Addr>) -> bool {
    let fits = |said: &NextHopSpec, nexthop: &NextHop<Ipv4Addr>| {
        said.oif.is_none_or(|oif| oif == nexthop.oif)
            && gateway(Some(said)).is_none_or(|gateway| Some(gateway) == nexthop.gateway)
    };
    match spec.nexthops.as_slice() {
        [] => true,
        [one] => fits(one, route.nexthops.first()) && spec.realms.is_none_or(|realms| realms == route.rare.realms),
        several => {
            several.len() >= route.nexthops.len()
                && several.iter().zip(route.nexthops.iter()).all(|(said, nexthop)| fits(said, nexthop))
        }
    }
}

/// `fib_metrics_match`: what was said must agree.
fn metrics_match(said: &RouteMetrics, route: &RouteMetrics) -> bool {
    let agree = |said: Option<u32>, value: Option<u32>| said.is_none_or(|said| said == value.unwrap_or(0));
    agree(said.mtu, route.mtu)
        && agree(said.advmss, route.advmss)
        && agree(said.window, route.window)
        && agree(said.rtt, route.rtt)
        && agree(said.rttvar, route.rttvar)
        && agree(said.ssthresh, route.ssthresh)
        && agree(said.cwnd, route.cwnd)
        && agree(said.hoplimit, route.hoplimit)
        && agree(said.initcwnd, route.initcwnd)
        && agree(said.initrwnd, route.initrwnd)
        && agree(said.rto_min, route.rto_min)
        && agree(said.reordering, route.reordering)
        && agree(said.features, route.features)
        && agree(said.quickack, route.quickack)
        && agree(said.fastopen_no_cookie, route.fastopen_no_cookie)
        && said.congctl.is_none_or(|said| Some(said) == route.congctl)
        && (!said.mtu_lock && said.locked == 0 || (said.mtu_lock, said.locked) == (route.mtu_lock, route.locked))
}

/// True if an address of this network brings routes to it along: not if it is `0.0.0.0/n`, or the address alone.
pub(super) fn has_network(prefix: Prefix<Ipv4Addr>, local: Ipv4Addr) -> bool {
    !is_zeronet(prefix.address()) && prefix != Prefix::host(local)
}
