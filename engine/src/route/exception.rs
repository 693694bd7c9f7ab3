//! What the path taught about single destinations: a smaller MTU, a better gateway (`struct fib_nh_exception`).

use std::collections::BTreeMap;

use super::output::{self, Way};
use crate::addr::{Address, Ipv4Addr};
use crate::control::{IfIndex, Nud, RouteKind, scope};
use crate::route::{Flow, Net, NextHop, OutputKey, Rib, Route, RouteWay, rtcf, source};
use crate::time::{Duration, Time};

/// How many destinations are remembered; when there are more, the one longest unchanged is forgotten.
const LIMIT: usize = 8192;

/// How long a learned gateway holds (`RT_GC_TIMEOUT`).
const REDIRECT_TIMEOUT: Duration = Duration::from_secs(300);

/// What is known of one destination by way of one next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exception<A> {
    /// The path MTU, if it was learned.
    pub(super) mtu: Option<u32>,
    /// It is smaller than `min_pmtu` allows to learn: packets may be fragmented on the way.
    pub(super) locked: bool,
    /// The better gateway.
    pub(super) gateway: Option<A>,
    /// Until when it holds.
    pub(super) expires: Time,
    changed: Time,
}

/// Destination, then the next hop's device and gateway.
type Key<A> = (A, IfIndex, Option<A>);

/// All exceptions of a namespace.
#[derive(Clone, Debug)]
pub(super) struct Exceptions<A> {
    known: BTreeMap<Key<A>, Exception<A>>,
}

impl<A: Address> Exceptions<A> {
    pub(super) const fn new() -> Exceptions<A> {
        Exceptions { known: BTreeMap::new() }
    }

    /// True if nothing was taught, or all of it is forgotten.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// `find_exception`
    #[inline]
    pub(super) fn find(&self, now: Time, nexthop: &NextHop<A>, destination: A) -> Option<&Exception<A>> {
        if self.known.is_empty() {
            return None;
        }
        let found = self.known.get(&(destination, nexthop.oif, nexthop.gateway));
        found.filter(|exception| exception.expires > now)
    }

    /// `update_or_create_fnhe`
    fn learn(&mut self, now: Time, key: Key<A>, gateway: Option<A>, mtu: Option<(u32, bool)>, expires: Time) {
        if !self.known.contains_key(&key) && self.known.len() >= LIMIT {
            let oldest = self.known.iter().min_by_key(|(_, exception)| exception.changed).map(|(key, _)| *key);
            oldest.map(|key| self.known.remove(&key));
        }
        let fresh = Exception { mtu: None, locked: false, gateway: None, expires, changed: now };
        let exception = self.known.entry(key).or_insert(fresh);
        exception.gateway = gateway.or(exception.gateway);
        if let Some((mtu, locked)) = mtu {
            (exception.mtu, exception.locked) = (Some(mtu), locked);
        }
        (exception.expires, exception.changed) = (expires, now);
    }

    /// The route is gone, and what was learned on its way with it.
    pub(super) fn forget(&mut self, route: &Route<A>) {
        if self.known.is_empty() {
            return;
        }
        let of_route = |(destination, oif, gateway): &Key<A>| {
            route.destination.contains(*destination)
                && route.nexthops.iter().any(|nexthop| (nexthop.oif, nexthop.gateway) == (*oif, *gateway))
        };
        self.known.retain(|key, _| !of_route(key));
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// The MTU of a device changed (`fib_nhc_update_mtu`): paths are not wider than it, and those it had limited may widen.
    fn sync_mtu(&mut self, port: IfIndex, new: u32, before: u32) {
        for ((_, oif, _), exception) in &mut self.known {
            let Some(mtu) = exception.mtu.filter(|_| *oif == port) else { continue };
            let narrows = if exception.locked { new <= mtu } else { new < mtu || mtu == before };
            if narrows {
                (exception.mtu, exception.locked) = (Some(new), false);
            }
        }
    }
}

/// What became of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// Not believed.
    Ignored,
    /// Believed, but the new gateway's MAC is not known yet: ask for it; the next redirect will be taken.
    Unresolved,
    /// The destination is now reached by the new gateway.
    Learned,
}

impl Rib<Ipv4Addr> {
    /// What the path taught and still holds, as `ip route show cache` lists it.
    pub fn cache(&self, net: Net<'_>) -> Vec<RouteWay> {
        let held = self.rare.exceptions.known.iter().filter(|(_, exception)| exception.expires > net.now);
        held.filter_map(|(&(destination, oif, gateway), exception)| {
            let answer = self.lookup(net, &Flow { oif: Some(oif), ..Flow::to(destination) }).ok()?;
            let nexthop = answer.route.nexthops.iter().find(|hop| (hop.oif, hop.gateway) == (oif, gateway))?;
            let uses_gateway = gateway.filter(|_| nexthop.scope == scope::LINK);
            let mut way = RouteWay::cached(destination.into(), answer.route.kind, answer.table);
            way.oif = Some(oif);
            way.gateway = exception.gateway.or(uses_gateway).map(Into::into);
            way.flags |= if exception.gateway.is_some() { rtcf::REDIRECTED } else { 0 };
            way.metrics = answer.route.rare.metrics;
            way.metrics.mtu = exception.mtu.or(way.metrics.mtu);
            way.metrics.mtu_lock |= exception.locked;
            way.expires = Some(seconds(exception.expires.since(net.now)));
            Some(way)
        })
        .collect()
    }

    /// A router told that what goes this way must not be larger than `mtu` (`ipv4_update_pmtu`).
    pub fn learn_mtu(&mut self, net: Net<'_>, key: &OutputKey, mtu: u32) {
        let Ok(Way { route, .. }) = output::way(net, self, key) else { return };
        if route.mtu_locked || route.mtu < mtu {
            return;
        }
        let least = net.sysctls.min_pmtu();
        let locked = mtu < least;
        let mtu = if locked { route.mtu.min(least) } else { mtu };
        let lasts = net.sysctls.mtu_expires();
        if route.expires.is_some_and(|left| left > lasts / 2) && route.mtu == mtu && !locked {
            return;
        }
        let flow = output::flow(key, route.source);
        let Ok(answer) = self.lookup(net, &flow) else { return };
        let nexthops = answer.route.nexthops.clone();
        for nexthop in nexthops.iter() {
            let key = (key.destination, nexthop.oif, nexthop.gateway);
            self.rare.exceptions.learn(net.now, key, None, Some((mtu, locked)), net.now + lasts);
        }
    }

    /// The router `from`, on port `iif`, told of a better way to the key's destination (`ip_do_redirect`).
    pub fn learn_gateway(
        &mut self,
        net: Net<'_>,
        key: &OutputKey,
        iif: IfIndex,
        from: Ipv4Addr,
        gateway: Ipv4Addr,
    ) -> Redirect {
        let Ok(Way { route, answer }) = output::way(net, self, key) else { return Redirect::Ignored };
        if route.gateway != Some(from) || !self.believes(net, iif, from, gateway) {
            return Redirect::Ignored;
        }
        if !is_valid((net.neighbors)(route.oif, gateway)) {
            return Redirect::Unresolved;
        }
        let Some(nexthop) = answer.map(|(_, nexthop)| *nexthop) else { return Redirect::Ignored };
        let key = (key.destination, nexthop.oif, nexthop.gateway);
        self.rare.exceptions.learn(net.now, key, Some(gateway), None, net.now + REDIRECT_TIMEOUT);
        Redirect::Learned
    }

    /// True if a redirect to `gateway` may be from a router that means well.
    fn believes(&self, net: Net<'_>, iif: IfIndex, from: Ipv4Addr, gateway: Ipv4Addr) -> bool {
        let Some(port) = net.ports.get(iif).filter(|port| port.has_ipv4()) else { return false };
        let conf = net.sysctls.on_port(&port.conf);
        let nowhere = gateway.is_multicast() || gateway.is_broadcast() || gateway.is_unspecified();
        if gateway == from || !conf.accept_redirects() || nowhere {
            return false;
        }
        if conf.shared_media() {
            return source::address_kind(net, self, gateway) == RouteKind::Unicast;
        }
        let is_gateway = |route: &Route<Ipv4Addr>| {
            route.nexthops.iter().any(|hop| hop.oif == iif && hop.gateway == Some(gateway) && !hop.dead)
        };
        source::on_link(port, gateway, Some(from)) && (!conf.secure_redirects() || self.routes().any(is_gateway))
    }

    /// The MTU of a port changed: what was learned about paths through it follows (`fib_sync_mtu`).
    pub fn mtu_changed(&mut self, port: IfIndex, new: u32, before: u32) {
        if let Some(rare) = self.rare.own_mut() {
            rare.exceptions.sync_mtu(port, new, before);
        }
    }
}

/// `NUD_VALID`
pub(super) fn is_valid(state: Nud) -> bool {
    !matches!(state, Nud::None | Nud::Incomplete | Nud::Failed)
}

/// Whole seconds, as the kernel counts clock ticks down.
pub(super) fn seconds(left: Duration) -> u32 {
    let whole = left.saturating_sub(Duration::from_nanos(1)).as_secs();
    u32::try_from(whole).unwrap_or(u32::MAX)
}
