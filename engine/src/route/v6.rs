//! IPv6 routes: what is checked before one enters, how it finds its place, and what ports do to it
//! (`net/ipv6/route.c`, `ip6_fib.c`). The routes of addresses are made by [`address`](crate::address).

use super::table::Table;
use super::v4::{LOOPBACK, bounded, is_error, refuse};
use crate::addr::{Address, Ipv6Addr, Prefix};
use crate::control::{Errno, IfIndex, NextHopSpec, Refusal, RouteKind, RouteMode, RouteSpec, protocol, scope, table};
use crate::link::Port;
use crate::route::{Flow, Net, NextHop, NextHops, RareRoute, Rib, Route};
use crate::seldom::Seldom;
use crate::sysctl::Conf6;
use crate::time::{Duration, Time};

/// The metric of a route that was made without one (`IP6_RT_PRIO_USER`).
const METRIC: u32 = 1024;

type Route6 = Route<Ipv6Addr>;

fn invalid<T>(text: &str) -> Result<T, Refusal> {
    refuse(Errno::Inval, text)
}

/// True if routes of one prefix and metric may be joined into one of several next hops (`rt6_qualify_for_ecmp`).
fn joins(route: &Route6) -> bool {
    route.protocol != protocol::RA && route.nexthops.first().gateway.is_some()
}

fn same_way(one: &NextHop<Ipv6Addr>, other: &NextHop<Ipv6Addr>) -> bool {
    (one.oif, one.gateway) == (other.oif, other.gateway)
}

impl Rib<Ipv6Addr> {
    /// `ip -6 route add|append|prepend|change|replace`
    pub fn add(&mut self, net: Net<'_>, mode: RouteMode, spec: &RouteSpec) -> Result<(), Refusal> {
        if spec.length > 128 {
            return invalid("Invalid prefix length");
        }
        self.make(number_of(spec));
        let route = self.create(net, spec)?;
        let table = self.make(route.table);
        let prefix = route.destination;
        if table.routes(prefix).is_empty() && mode == RouteMode::Change {
            return match is_fork(table, prefix) {
                true => Err(Errno::NoEnt.into()),
                false => refuse(Errno::NoEnt, "Can not replace route - no match found"),
            };
        }
        let expires = route.rare.expires;
        let done = table.change(prefix, |routes| match mode {
            RouteMode::Change | RouteMode::Replace => replace(routes, route, mode),
            _ => insert(routes, route, mode),
        });
        if done.is_ok() {
            self.note_expiry(expires);
        }
        done
    }

    /// `ip -6 route del`: with a gateway only that next hop goes.
    pub fn delete(&mut self, net: Net<'_>, spec: &RouteSpec) -> Result<(), Refusal> {
        let _ = net;
        let Some(address) = Ipv6Addr::from_ip(spec.destination) else { return Err(Errno::Inval.into()) };
        if spec.length > 128 {
            return invalid("Invalid prefix length");
        }
        let prefix = Prefix::of(address, spec.length);
        let number = number_of(spec);
        let Some(table) = self.asked_mut(number) else { return refuse(Errno::Srch, "FIB table does not exist") };
        if table.routes(prefix).is_empty() {
            // Where no default route is, the kernel's own "no route" is found, which may not go.
            let plain = spec.nexthops.is_empty() && spec.metric.unwrap_or(0) == 0 && spec.protocol.unwrap_or(0) == 0;
            return Err(if prefix.length() == 0 && plain { Errno::NoEnt } else { Errno::Srch }.into());
        }
        let mut gone = false;
        for said in each_nexthop(spec) {
            let found = table.routes(prefix).iter().position(|route| is_meant(spec, &said, route));
            let Some(at) = found else { continue };
            gone = true;
            table.change(prefix, |routes| {
                let Some(route) = routes.get_mut(at) else { return };
                let left: Vec<_> = route.nexthops.iter().filter(|hop| !fits(&said, hop)).copied().collect();
                if said.gateway.is_some() && !left.is_empty() {
                    route.nexthops = NextHops::many(left);
                } else {
                    routes.remove(at);
                }
            });
        }
        if gone { Ok(()) } else { Err(Errno::Srch.into()) }
    }

    /// `ip6_route_info_create`
    fn create(&self, net: Net<'_>, spec: &RouteSpec) -> Result<Route6, Refusal> {
        let Some(address) = Ipv6Addr::from_ip(spec.destination) else { return Err(Errno::Inval.into()) };
        let kind = spec.kind.unwrap_or(RouteKind::Unicast);
        let number = number_of(spec);
        if spec.nexthops.len() > 1 && spec.nexthops.iter().any(|said| said.gateway.is_none()) {
            return invalid("Device only routes can not be added for IPv6 using the multipath API.");
        }
        let prefsrc = spec.prefsrc.and_then(Ipv6Addr::from_ip).filter(|address| !address.is_unspecified());
        let mut nexthops = Vec::new();
        for said in each_nexthop(spec) {
            nexthops.push(self.check_nexthop(net, kind, number, &said)?);
            if prefsrc.is_some_and(|prefsrc| !is_own(net, prefsrc, None)) {
                return invalid("Invalid source address");
            }
        }
        let twice = |(at, hop): (usize, &NextHop<Ipv6Addr>)| nexthops[..at].iter().any(|other| same_way(hop, other));
        if nexthops.iter().enumerate().any(twice) {
            return Err(Errno::Exist.into());
        }
        let expires = spec.expires.filter(|s| *s != 0).map(|s| net.now + Duration::from_secs(s.into()));
        Ok(Route {
            table: number,
            kind,
            protocol: spec.protocol.filter(|protocol| *protocol != protocol::UNSPEC).unwrap_or(protocol::BOOT),
            metric: spec.metric.filter(|metric| *metric != 0).unwrap_or(METRIC),
            prefsrc,
            rare: Seldom::kept(RareRoute { metrics: bounded(spec.metrics), expires, ..RareRoute::default() }),
            preference: spec.preference.unwrap_or(0),
            nexthops: NextHops::many(nexthops),
            ..Route::new(Prefix::of(address, spec.length), NextHop::on_link(0))
        })
    }

    /// `fib6_nh_init`
    fn check_nexthop(
        &self,
        net: Net<'_>,
        kind: RouteKind,
        number: u32,
        said: &NextHopSpec,
    ) -> Result<NextHop<Ipv6Addr>, Refusal> {
        let mut port = match said.oif {
            None => None,
            Some(oif) => Some(net.ports.get(oif).filter(|port| port.has_ipv6()).ok_or(Errno::NoDev)?),
        };
        if said.onlink {
            let Some(port) = port else { return refuse(Errno::NoDev, "Nexthop device required for onlink") };
            if !port.is_up() {
                return refuse(Errno::NetDown, "Nexthop device is not up");
            }
        }
        // What goes nowhere goes there by `lo`.
        if is_error(kind) {
            return Ok(NextHop::on_link(LOOPBACK));
        }
        let gateway = said.gateway.and_then(Ipv6Addr::from_ip).filter(|gateway| !gateway.is_unspecified());
        if let Some(gateway) = gateway {
            port = Some(self.check_gateway(net, number, said, gateway, port)?);
        }
        let port = port.ok_or(Errno::NoDev)?;
        if port.conf.v6.on(Conf6::DisableIpv6) || !port.has_ipv6() {
            return refuse(Errno::Acces, "IPv6 is disabled on nexthop device");
        }
        if !port.is_up() {
            return refuse(Errno::NetDown, "Nexthop device is not up");
        }
        let own = matches!(kind, RouteKind::Local | RouteKind::Anycast);
        Ok(NextHop {
            gateway,
            weight: said.weight.clamp(1, 256),
            onlink: said.onlink,
            linkdown: !own && !port.carrier,
            scope: if gateway.is_some() { scope::LINK } else { scope::HOST },
            ..NextHop::on_link(port.index)
        })
    }

    /// `ip6_validate_gw`: tells the port by which the gateway is reached.
    fn check_gateway<'a>(
        &self,
        net: Net<'a>,
        number: u32,
        said: &NextHopSpec,
        gateway: Ipv6Addr,
        port: Option<&'a Port>,
    ) -> Result<&'a Port, Refusal> {
        // A link-local address may be ours on another link.
        let of = |port: &Port| Some(port.index).filter(|_| gateway.is_unicast_link_local());
        if port.is_some_and(|port| is_own(net, gateway, of(port))) {
            return invalid("Gateway can not be a local address");
        }
        let mut found = port;
        if !gateway.is_unicast_link_local() {
            if gateway.is_multicast() || gateway.is_loopback() {
                return invalid("Invalid gateway address");
            }
            found = match port {
                Some(port) if said.onlink => Some(self.check_onlink(net, gateway, port)?),
                _ => Some(self.check_reachable(net, number, gateway, port)?),
            };
        }
        let Some(found) = found else { return invalid("Egress device not specified") };
        if found.is_loopback() {
            return invalid("Egress device can not be loopback device for this route");
        }
        if port.is_none() && is_own(net, gateway, of(found)) {
            return invalid("Gateway can not be a local address");
        }
        Ok(found)
    }

    /// `ip6_route_check_nh_onlink`
    fn check_onlink<'a>(&self, net: Net<'_>, gateway: Ipv6Addr, port: &'a Port) -> Result<&'a Port, Refusal> {
        let any = Flow::to(gateway);
        let near = self.lookup_in(table::MAIN, net, &Flow { oif: Some(port.index), ..any });
        let odd = self.lookup_in(table::MAIN, net, &any).is_ok_and(|answer| {
            let destination = answer.route.destination;
            let by_port = near.is_ok_and(|near| near.route.destination == destination);
            destination.length() != 0 && (answer.route.kind != RouteKind::Unicast || !by_port)
        });
        if odd { invalid("Nexthop has invalid gateway or device mismatch") } else { Ok(port) }
    }

    /// `ip6_route_check_nh`: the gateway must be on a link, and on the port's, if one was said.
    fn check_reachable<'a>(
        &self,
        net: Net<'a>,
        number: u32,
        gateway: Ipv6Addr,
        port: Option<&'a Port>,
    ) -> Result<&'a Port, Refusal> {
        let oif = port.map(|port| port.index);
        let flow = Flow { oif, ..Flow::to(gateway) };
        // A route by lo that is not for own addresses is one that refuses.
        let leads = |oif: &IfIndex| net.ports.get(*oif).is_some_and(|port| !port.is_loopback());
        let direct = |nexthop: &NextHop<Ipv6Addr>| nexthop.gateway.is_none().then_some(nexthop.oif).filter(leads);
        let here = self.lookup_in(number, net, &flow).ok().and_then(|answer| direct(answer.nexthop));
        let found = here.or_else(|| self.lookup(net, &flow).ok().and_then(|answer| direct(answer.nexthop)));
        let found = found.filter(|found| oif.is_none_or(|oif| oif == *found));
        Ok(found.and_then(|found| net.ports.get(found)).ok_or(Errno::HostUnreach)?)
    }

    /// The port was set up: `linkdown` is set or cleared. The routes of addresses and `ff00::/8` are made by the caller
    /// with [`Rib::insert_kernel`].
    pub fn device_up(&mut self, net: Net<'_>, port: IfIndex) {
        let Some(port) = net.ports.get(port) else { return };
        let (index, carrier) = (port.index, port.carrier);
        self.each_nexthop_of(index, |nexthop| {
            nexthop.dead = false;
            nexthop.linkdown &= !carrier;
        });
    }

    /// The port was set down: every route of it goes, also `ff00::/8` and its own addresses; of multipath routes, only when
    /// no member is left alive.
    pub fn device_down(&mut self, net: Net<'_>, port: IfIndex) {
        let _ = net;
        self.retain(|route| {
            if route.nexthops.iter().all(|nexthop| nexthop.dead || nexthop.oif == port) {
                return !route.uses(port);
            }
            for nexthop in route.nexthops.iter_mut().filter(|nexthop| nexthop.oif == port) {
                (nexthop.dead, nexthop.linkdown) = (true, true);
            }
            true
        });
    }

    /// The port was taken out: every route of it goes; multipath ones lose that member only.
    pub fn device_removed(&mut self, net: Net<'_>, port: IfIndex) {
        let _ = net;
        self.retain(|route| {
            if !route.uses(port) {
                return true;
            }
            let left: Vec<_> = route.nexthops.iter().filter(|nexthop| nexthop.oif != port).copied().collect();
            let stays = !left.is_empty();
            if stays {
                route.nexthops = NextHops::many(left);
            }
            stays
        });
    }

    /// The carrier came or went.
    pub fn carrier(&mut self, net: Net<'_>, port: IfIndex, on: bool) {
        let _ = net;
        self.retain(|route| {
            if !matches!(route.kind, RouteKind::Local | RouteKind::Anycast) {
                for nexthop in route.nexthops.iter_mut().filter(|nexthop| nexthop.oif == port) {
                    nexthop.linkdown = !on;
                }
            }
            true
        });
    }

    /// The address is gone: routes with this `src` stay but lose it (`fib6_remove_prefsrc`).
    pub fn prefsrc_removed(&mut self, address: Ipv6Addr) {
        self.retain(|route| {
            route.prefsrc = route.prefsrc.filter(|prefsrc| *prefsrc != address);
            true
        });
    }

    /// Takes out the routes whose time is over.
    pub(crate) fn expire(&mut self, now: Time) {
        if self.next_expiry().is_none_or(|next| next > now) {
            return;
        }
        let mut next: Option<Time> = None;
        self.retain(|route| {
            let stays = route.rare.expires.is_none_or(|end| end > now);
            if stays {
                next = [next, route.rare.expires].into_iter().flatten().min();
            }
            stays
        });
        self.set_expiry(next);
    }

    fn each_nexthop_of(&mut self, port: IfIndex, mut change: impl FnMut(&mut NextHop<Ipv6Addr>)) {
        self.retain(|route| {
            route.nexthops.iter_mut().filter(|nexthop| nexthop.oif == port).for_each(&mut change);
            true
        });
    }
}

/// `fib6_add_rt2node` without `NLM_F_REPLACE`
fn insert(routes: &mut Vec<Route6>, route: Route6, mode: RouteMode) -> Result<(), Refusal> {
    let mut equals = routes.iter_mut().filter(|other| other.metric == route.metric).peekable();
    if mode == RouteMode::Add && equals.peek().is_some() {
        return Err(Errno::Exist.into());
    }
    let mut partner = None;
    for other in equals {
        let first = route.nexthops.first();
        if other.nexthops.iter().any(|hop| same_way(hop, first)) {
            // It is there; a new lifetime it takes over.
            if other.rare.expires.is_some() {
                other.rare.expires = route.rare.expires;
            }
            return Err(Errno::Exist.into());
        }
        if partner.is_none() && joins(&route) && joins(other) {
            partner = Some(other);
        }
    }
    if let Some(partner) = partner {
        let mut nexthops = partner.nexthops.to_vec();
        nexthops.extend(route.nexthops.iter());
        partner.nexthops = NextHops::many(nexthops);
        return Ok(());
    }
    let at = routes.partition_point(|other| other.metric <= route.metric);
    routes.insert(at, route);
    Ok(())
}

/// The same with it: the first of the same metric that joins, or does not join, like the new one; else the first.
fn replace(routes: &mut Vec<Route6>, route: Route6, mode: RouteMode) -> Result<(), Refusal> {
    let equal = |other: &Route6| other.metric == route.metric;
    let alike = routes.iter().position(|other| equal(other) && joins(other) == joins(&route));
    match alike.or_else(|| routes.iter().position(equal)).and_then(|at| routes.get_mut(at)) {
        Some(old) => *old = route,
        None if mode == RouteMode::Change => return Err(Errno::NoEnt.into()),
        None => {
            let at = routes.partition_point(|other| other.metric <= route.metric);
            routes.insert(at, route);
        }
    }
    Ok(())
}

/// True if the kernel's tree has a node for this prefix though it has no routes: it is the root, or prefixes below it fork
/// there. A change of nothing is then refused without a word.
fn is_fork(table: &Table<Ipv6Addr>, prefix: Prefix<Ipv6Addr>) -> bool {
    let mut sides = [prefix.length() == 0; 2];
    for below in table.prefixes().filter(|other| prefix.covers(*other)) {
        sides[below.address().bit(prefix.length())] = true;
    }
    sides == [true, true]
}

fn number_of(spec: &RouteSpec) -> u32 {
    let usual = match spec.kind {
        Some(RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast) => table::LOCAL,
        _ => table::MAIN,
    };
    match spec.table.unwrap_or(usual) {
        table::UNSPEC => table::MAIN,
        number => number,
    }
}

/// What was said of each next hop; of none, nothing.
fn each_nexthop(spec: &RouteSpec) -> Vec<NextHopSpec> {
    if spec.nexthops.is_empty() { vec![NextHopSpec::default()] } else { spec.nexthops.clone() }
}

fn fits(said: &NextHopSpec, nexthop: &NextHop<Ipv6Addr>) -> bool {
    said.oif.is_none_or(|oif| oif == nexthop.oif)
        && said.gateway.is_none_or(|gateway| nexthop.gateway.is_some_and(|other| other.to_ip() == gateway))
}

/// `ip6_route_del`
fn is_meant(spec: &RouteSpec, said: &NextHopSpec, route: &Route6) -> bool {
    route.nexthops.iter().any(|nexthop| fits(said, nexthop))
        && spec.metric.is_none_or(|metric| metric == 0 || metric == route.metric)
        && spec.protocol.is_none_or(|wanted| wanted == protocol::UNSPEC || wanted == route.protocol)
}

/// True if the address is ours and usable; on the port `on`, if that is said.
fn is_own(net: Net<'_>, address: Ipv6Addr, on: Option<IfIndex>) -> bool {
    let ports = net.ports.iter().filter(|port| on.is_none_or(|on| on == port.index));
    ports
        .flat_map(|port| &port.addresses6)
        .any(|other| other.local == address && (on.is_some() || !other.is_tentative()))
}
