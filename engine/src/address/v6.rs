//! IPv6 addresses of a port, as the user sets them: `net/ipv6/addrconf.c`.

use super::v4::{bad_lifetimes, until};
use super::{Address6, flag};
use crate::addr::{Address, Ipv6Addr, Prefix};
use crate::config::Config;
use crate::control::{AddressMode, AddressSpec, Errno, IfIndex, Lifetime, Refusal, RouteKind, protocol, scope, table};
use crate::link::Port;
use crate::route::{NextHop, Route};
use crate::sysctl::Conf6;
use crate::time::Time;

/// Flags that a request may set.
const SETTABLE: u32 =
    flag::NODAD | flag::HOMEADDRESS | flag::MANAGETEMPADDR | flag::NOPREFIXROUTE | flag::MCAUTOJOIN | flag::OPTIMISTIC;

/// Flags that a change sets anew.
const CHANGED: u32 =
    flag::DEPRECATED | flag::PERMANENT | flag::NODAD | flag::HOMEADDRESS | flag::MANAGETEMPADDR | flag::NOPREFIXROUTE;

/// Metric of connected routes if none is said (`IP6_RT_PRIO_ADDRCONF`).
const PRIORITY: u32 = 256;

impl Address6 {
    /// The network.
    pub fn prefix(&self) -> Prefix<Ipv6Addr> {
        Prefix::of(self.local, self.length)
    }

    /// True while it may not be used: nobody knows yet whether another has it.
    pub fn is_tentative(&self) -> bool {
        self.flags & flag::TENTATIVE != 0
    }

    pub(super) fn has(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// One that the kernel makes itself: permanent, for ever.
    pub(super) fn by_kernel(local: Ipv6Addr, length: u8, flags: u32, protocol: u8) -> Address6 {
        Address6 {
            local,
            peer: None,
            length,
            scope: scope_of(local),
            flags: flags | flag::PERMANENT,
            metric: 0,
            protocol,
            valid: Lifetime::FOREVER,
            preferred: Lifetime::FOREVER,
            dad_end: Lifetime::FOREVER,
        }
    }
}

/// How far an address reaches (`ipv6_addr_scope`, as `RT_SCOPE_*`).
pub fn scope_of(address: Ipv6Addr) -> u8 {
    let site = |first: u16| first & 0xffc0 == 0xfec0;
    match address.segments()[0] {
        first if first >= 0xff00 => match first & 0xf {
            1 => scope::HOST,
            2 => scope::LINK,
            5 => scope::SITE,
            _ => scope::UNIVERSE,
        },
        _ if address.is_loopback() => scope::HOST,
        _ if address.is_unicast_link_local() => scope::LINK,
        first if site(first) => scope::SITE,
        _ => scope::UNIVERSE,
    }
}

/// The same as a number that lists are sorted by, wide first (`ipv6_addr_src_scope`).
fn width(address: Ipv6Addr) -> u16 {
    match (address.is_multicast(), scope_of(address)) {
        (true, _) => address.segments()[0] & 0xf,
        (_, scope::HOST) => 1,
        (_, scope::LINK) => 2,
        (_, scope::SITE) => 5,
        _ => 14,
    }
}

fn refuse<T>(errno: Errno, text: &str) -> Result<T, Refusal> {
    Err(Refusal::because(errno, text))
}

/// Why such an address cannot be on this port (`ipv6_add_addr`).
fn check(port: &Port, address: &Address6) -> Result<(), Refusal> {
    if address.local.is_unspecified() {
        return refuse(Errno::AddrNotAvail, "ipv6: Invalid address");
    }
    if address.local.is_multicast() && !address.has(flag::MCAUTOJOIN) {
        let text = "ipv6: Cannot assign multicast address without \"IFA_F_MCAUTOJOIN\" flag";
        return refuse(Errno::AddrNotAvail, text);
    }
    if address.local.is_loopback() && !port.is_loopback() {
        return refuse(Errno::AddrNotAvail, "ipv6: Cannot assign loopback address on this device");
    }
    if port.conf.v6.on(Conf6::DisableIpv6) {
        return refuse(Errno::Acces, "ipv6: IPv6 is disabled on this device");
    }
    Ok(())
}

/// The address that is asked for (`inet6_rtm_newaddr`).
fn requested(now: Time, spec: &AddressSpec, local: Ipv6Addr) -> Address6 {
    let mut flags = spec.flags & SETTABLE | flag::PERMANENT;
    for (said, bit) in [(spec.nodad, flag::NODAD), (spec.noprefixroute, flag::NOPREFIXROUTE)] {
        flags |= if said { bit } else { 0 };
    }
    if spec.valid.is_some() {
        flags &= !flag::PERMANENT;
    }
    if spec.preferred == Some(0) {
        flags |= flag::DEPRECATED;
    }
    Address6 {
        local,
        peer: spec.peer.and_then(Ipv6Addr::from_ip).filter(|peer| *peer != local),
        length: spec.length,
        scope: scope_of(local),
        flags,
        metric: spec.metric.unwrap_or(0),
        protocol: spec.protocol,
        valid: until(now, spec.valid),
        preferred: until(now, spec.preferred),
        dad_end: Lifetime::FOREVER,
    }
}

impl Config {
    /// `ip addr add|change|replace` (`inet6_rtm_newaddr`). A change of an address that is not there adds it; prefix length
    /// and peer do not tell addresses apart.
    pub(crate) fn address6_add(
        &mut self,
        now: Time,
        mode: AddressMode,
        spec: &AddressSpec,
        local: Ipv6Addr,
    ) -> Result<(), Refusal> {
        if bad_lifetimes(spec) {
            return refuse(Errno::Inval, "ipv6: address lifetime invalid");
        }
        let Some(port) = self.ports.get(spec.index) else {
            return refuse(Errno::NoDev, "ipv6: Unable to find the interface");
        };
        if !port.has_ipv6() {
            return Err(Errno::Inval.into());
        }
        let mut address = requested(now, spec, local);
        if !self.sysctls.all().v6.on(Conf6::OptimisticDad) && !port.conf.v6.on(Conf6::OptimisticDad) {
            address.flags &= !flag::OPTIMISTIC;
        }
        if address.has(flag::NODAD) && address.has(flag::OPTIMISTIC) {
            return refuse(Errno::Inval, "IFA_F_NODAD and IFA_F_OPTIMISTIC are mutually exclusive");
        }
        match port.addresses6.iter().position(|other| other.local == local) {
            None => self.address6_new(now, spec.index, address),
            Some(_) if mode == AddressMode::Add => refuse(Errno::Exist, "ipv6: address already assigned"),
            Some(place) => self.address6_modify(spec.index, place, address),
        }
    }

    /// `inet6_addr_add`
    fn address6_new(&mut self, now: Time, index: IfIndex, address: Address6) -> Result<(), Refusal> {
        if address.length > 128 {
            return refuse(Errno::Inval, "ipv6: Invalid prefix length");
        }
        if address.has(flag::MANAGETEMPADDR) && address.length != 64 {
            return refuse(Errno::Inval, "ipv6: address with \"mngtmpaddr\" flag must have a prefix length of 64");
        }
        let Some(port) = self.ports.get(index) else { return Err(Errno::NoDev.into()) };
        if port.conf.v6.on(Conf6::DisableIpv6) {
            return refuse(Errno::Acces, "ipv6: IPv6 is disabled on this device");
        }
        self.multicast_route6(index);
        if address.has(flag::MCAUTOJOIN) && !address.local.is_multicast() {
            return refuse(Errno::Inval, "ipv6: Multicast auto join failed");
        }
        let Some(port) = self.ports.get(index) else { return Err(Errno::NoDev.into()) };
        check(port, &address)?;
        let (prefix, metric) = (address.prefix(), address.metric);
        let routed = !address.has(flag::NOPREFIXROUTE);
        let local = address.local;
        self.address6_link(index, address);
        if routed {
            self.prefix_route6(index, prefix, metric);
        }
        self.dad_start(now, index, local);
        Ok(())
    }

    /// Puts an address into the port's list: wide scopes first, and in each the newest first (`ipv6_link_dev_addr`).
    pub(super) fn address6_link(&mut self, index: IfIndex, mut address: Address6) {
        let Some(port) = self.ports.get_mut(index) else { return };
        if !address.has(flag::NODAD) {
            address.flags |= flag::TENTATIVE;
        }
        let wide = width(address.local);
        let place = port.addresses6.iter().position(|other| wide >= width(other.local));
        let place = place.unwrap_or(port.addresses6.len());
        port.addresses6.insert(place, address);
    }

    /// `inet6_addr_modify`
    fn address6_modify(&mut self, index: IfIndex, place: usize, new: Address6) -> Result<(), Refusal> {
        let Some(address) = self.ports.get_mut(index).and_then(|port| port.addresses6.get_mut(place)) else {
            return Err(Errno::NoDev.into());
        };
        if new.has(flag::MANAGETEMPADDR) && address.length != 64 {
            return Err(Errno::Inval.into());
        }
        let old = address.clone();
        let mut flags = new.flags;
        if !old.is_tentative() || old.has(flag::DADFAILED) {
            flags &= !flag::OPTIMISTIC;
        }
        address.flags = old.flags & !CHANGED | flags;
        (address.valid, address.preferred, address.protocol) = (new.valid, new.preferred, new.protocol);
        if new.metric != 0 {
            address.metric = new.metric;
        }
        address.peer = new.peer.or(old.peer);
        let address = address.clone();
        self.routes6_modify(index, &old, &address, new.peer.is_some() && new.peer != old.peer);
        Ok(())
    }

    /// The connected routes of a changed address.
    fn routes6_modify(&mut self, index: IfIndex, old: &Address6, new: &Address6, new_peer: bool) {
        let had_route = old.has(flag::PERMANENT) && !old.has(flag::NOPREFIXROUTE);
        if let Some(peer) = old.peer.filter(|_| new_peer) {
            self.remove_prefix_route6(index, Prefix::of(peer, old.length));
        }
        if new.has(flag::NOPREFIXROUTE) {
            if had_route && !self.prefix6_needed(index, new) {
                self.remove_prefix_route6(index, new.prefix());
            }
            return;
        }
        self.renew_prefix_route6(index, had_route, new.prefix(), new.metric);
        if let Some(peer) = new.peer {
            self.renew_prefix_route6(index, had_route, Prefix::of(peer, new.length), new.metric);
        }
    }

    /// A route that is there moves to the new metric; one that is not is made (`modify_prefix_route`).
    fn renew_prefix_route6(&mut self, index: IfIndex, had_route: bool, prefix: Prefix<Ipv6Addr>, metric: u32) {
        let wanted = if metric == 0 { PRIORITY } else { metric };
        let ours = |route: &&Route<Ipv6Addr>| {
            route.table == table::MAIN && route.destination == prefix && is_connected(route, index)
        };
        let found = self.rib6.routes().find(ours).map(|route| route.metric);
        if had_route && found.is_some_and(|metric| metric != wanted) {
            self.remove_prefix_route6(index, prefix);
        }
        self.prefix_route6(index, prefix, metric);
    }

    /// `ip addr del` (`inet6_addr_del`)
    pub(crate) fn address6_delete(&mut self, spec: &AddressSpec, local: Ipv6Addr) -> Result<(), Refusal> {
        if spec.length > 128 && !spec.any_prefix {
            return refuse(Errno::Inval, "ipv6: Invalid prefix length");
        }
        let Some(port) = self.ports.get(spec.index) else {
            return refuse(Errno::NoDev, "ipv6: Unable to find the interface");
        };
        if !port.has_ipv6() {
            return refuse(Errno::NxIo, "ipv6: IPv6 is disabled on this device");
        }
        let length = if spec.any_prefix { 128 } else { spec.length };
        let agrees = |address: &Address6| address.length == length && address.local == local;
        let Some(place) = port.addresses6.iter().position(agrees) else {
            return refuse(Errno::AddrNotAvail, "ipv6: address not found");
        };
        self.address6_remove(spec.index, place);
        Ok(())
    }

    /// `ipv6_del_addr`
    pub(super) fn address6_remove(&mut self, index: IfIndex, place: usize) {
        let Some(port) = self.ports.get_mut(index).filter(|port| place < port.addresses6.len()) else { return };
        let gone = port.addresses6.remove(place);
        self.address6_unroute(index, &gone);
        if !gone.has(flag::NOPREFIXROUTE) && !self.prefix6_needed(index, &gone) {
            self.remove_prefix_route6(index, gone.prefix());
        }
        self.rib6.prefsrc_removed(gone.local);
    }

    /// True if another address of the port holds the connected route of `address` (`check_cleanup_prefix_route`).
    fn prefix6_needed(&self, index: IfIndex, address: &Address6) -> bool {
        let others = self.ports.get(index).into_iter().flat_map(|port| &port.addresses6);
        let mut others = others.filter(|other| other.local != address.local && other.length == address.length);
        others.any(|other| other.prefix() == address.prefix())
    }

    /// The routes of a usable address (`__ipv6_ifa_notify`, `RTM_NEWADDR`): to itself, of the subnet's routers, to its peer.
    pub(super) fn address6_route(&mut self, index: IfIndex, address: &Address6) {
        self.rib6.insert_kernel(local_route(index, address.local, RouteKind::Local));
        let Some(port) = self.ports.get(index) else { return };
        if port.conf.v6.on(Conf6::Forwarding) {
            self.join_anycast(index, address);
        }
        if let Some(peer) = address.peer {
            self.prefix_route6(index, Prefix::host(peer), address.metric);
        }
    }

    /// Takes back what [`Config::address6_route`] made (`RTM_DELADDR`).
    fn address6_unroute(&mut self, index: IfIndex, address: &Address6) {
        self.leave_anycast(index, address);
        if let Some(peer) = address.peer {
            self.remove_prefix_route6(index, Prefix::host(peer));
        }
        self.rib6.remove_kernel(&local_route(index, address.local, RouteKind::Local));
    }

    /// The anycast address of the subnet's routers, which a router has for each network (`addrconf_join_anycast`).
    pub(super) fn join_anycast(&mut self, index: IfIndex, address: &Address6) {
        if let Some(anycast) = subnet_routers(address) {
            self.rib6.insert_kernel(local_route(index, anycast, RouteKind::Anycast));
        }
    }

    /// Leaves it again, unless another address of the port is in the same network.
    pub(super) fn leave_anycast(&mut self, index: IfIndex, address: &Address6) {
        let Some(anycast) = subnet_routers(address) else { return };
        let Some(port) = self.ports.get(index) else { return };
        let joined = port.conf.v6.on(Conf6::Forwarding);
        let also = |other: &Address6| {
            other.local != address.local && !other.is_tentative() && subnet_routers(other) == Some(anycast)
        };
        if !joined || !port.addresses6.iter().any(also) {
            self.rib6.remove_kernel(&local_route(index, anycast, RouteKind::Anycast));
        }
    }

    /// A connected route (`addrconf_prefix_route`); the kernel refuses it while the port is down.
    pub(super) fn prefix_route6(&mut self, index: IfIndex, prefix: Prefix<Ipv6Addr>, metric: u32) {
        let Some(port) = self.ports.get(index).filter(|port| port.is_up()) else { return };
        let metric = if metric == 0 { PRIORITY } else { metric };
        let way = NextHop { linkdown: !port.carrier, ..NextHop::on_link(index) };
        self.rib6.insert_kernel(Route { protocol: protocol::KERNEL, metric, ..Route::new(prefix, way) });
    }

    fn remove_prefix_route6(&mut self, index: IfIndex, prefix: Prefix<Ipv6Addr>) {
        self.rib6.remove_kernel(&Route { protocol: protocol::KERNEL, ..Route::new(prefix, NextHop::on_link(index)) });
    }

    /// `ff00::/8` (`addrconf_add_mroute`)
    pub(super) fn multicast_route6(&mut self, index: IfIndex) {
        let Some(port) = self.ports.get(index).filter(|port| port.is_up() && !port.is_loopback()) else { return };
        let all = Prefix::of(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8);
        let way = NextHop { linkdown: !port.carrier, ..NextHop::on_link(index) };
        self.rib6.insert_kernel(Route {
            kind: RouteKind::Multicast,
            table: table::LOCAL,
            protocol: protocol::KERNEL,
            metric: PRIORITY,
            ..Route::new(all, way)
        });
    }
}

fn is_connected(route: &Route<Ipv6Addr>, index: IfIndex) -> bool {
    route.nexthops.len() == 1 && route.uses(index) && route.nexthops.first().gateway.is_none()
}

/// A route in table local (`addrconf_f6i_alloc`); no matter whether there is a carrier.
fn local_route(index: IfIndex, address: Ipv6Addr, kind: RouteKind) -> Route<Ipv6Addr> {
    Route {
        kind,
        table: table::LOCAL,
        protocol: protocol::KERNEL,
        ..Route::new(Prefix::host(address), NextHop::on_link(index))
    }
}

/// The first address of the network, if there is room for it.
fn subnet_routers(address: &Address6) -> Option<Ipv6Addr> {
    let first = address.prefix().address();
    (address.length < 127 && !first.is_unspecified()).then_some(first)
}
