//! All tables of a namespace, and the rules that choose among them.

use core::marker::PhantomData;

use crate::addr::{Address, Ipv4Addr, Ipv6Addr};
use crate::address::Address4;
use crate::control::{Errno, IfIndex, Refusal, RouteMode, RouteSpec};
use crate::reason::DropReason;
use crate::route::{
    Answer, Flow, InputKey, InputRoute, Net, OutputKey, OutputRoute, Route, RouteWay, Rule, Unroutable,
};

/// The tables of one version of IP.
#[derive(Debug, Default)]
pub struct Rib<A> {
    doing: PhantomData<A>,
}

#[allow(unused_variables)]
impl<A: Address> Rib<A> {
    /// A fresh namespace's: rules for `local`, `main` and `default`, and nothing in them.
    pub fn new() -> Rib<A> {
        unimplemented!()
    }

    /// The table's routes in the order of the kernel's listing; `None` if there never was such a table ("FIB table does
    /// not exist").
    pub fn table(&self, number: u32) -> Option<impl Iterator<Item = &Route<A>>> {
        unimplemented!() as Option<core::iter::Empty<_>>
    }

    /// All tables' routes in the order of `ip route show table all`.
    pub fn routes(&self) -> impl Iterator<Item = &Route<A>> {
        unimplemented!() as core::iter::Empty<_>
    }

    /// The rules, in the order they are asked.
    pub fn rules(&self) -> &[Rule<A>] {
        unimplemented!()
    }

    /// Which way (`fib_lookup`): rules in order, the longest prefix, then the order of the table.
    pub fn lookup(&self, net: Net<'_>, flow: &Flow<A>) -> Result<Answer<'_, A>, Unroutable> {
        unimplemented!()
    }

    /// Adds a route as the kernel adds its own (`NLM_F_CREATE | NLM_F_APPEND`), unchecked; one that is there already stays.
    pub fn insert_kernel(&mut self, route: Route<A>) {
        unimplemented!()
    }

    /// Removes the first route that agrees in table, prefix, kind, scope, protocol, `prefsrc`, metric (0: any) and device.
    pub fn remove_kernel(&mut self, route: &Route<A>) -> bool {
        unimplemented!()
    }

    /// `ip route flush cache`: forgets what the path taught.
    pub fn flush_cache(&mut self) {
        unimplemented!()
    }
}

#[allow(unused_variables)]
impl Rib<Ipv4Addr> {
    /// What the path taught and still holds, as `ip route show cache` lists it.
    pub fn cache(&self, net: Net<'_>) -> Vec<RouteWay> {
        unimplemented!()
    }

    /// A router told that what goes this way must not be larger than `mtu` (`ipv4_update_pmtu`).
    pub fn learn_mtu(&mut self, net: Net<'_>, key: &OutputKey, mtu: u32) {
        unimplemented!()
    }

    /// The router `from`, on port `iif`, told of a better way to the key's destination (`ip_do_redirect`). True if that
    /// was believed.
    pub fn learn_gateway(
        &mut self,
        net: Net<'_>,
        key: &OutputKey,
        iif: IfIndex,
        from: Ipv4Addr,
        gateway: Ipv4Addr,
    ) -> bool {
        unimplemented!()
    }

    /// `ip route add|append|prepend|change|replace`
    pub fn add(&mut self, net: Net<'_>, mode: RouteMode, spec: &RouteSpec) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// `ip route del`
    pub fn delete(&mut self, net: Net<'_>, spec: &RouteSpec) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// `fib_add_ifaddr`: the local, connected and broadcast routes of an address that was just put on the port (and is in
    /// its list). Nothing but the local route while the port is down.
    pub fn address_added(&mut self, net: Net<'_>, port: IfIndex, address: &Address4) {
        unimplemented!()
    }

    /// `fib_del_ifaddr`: takes back what [`Rib::address_added`] made, unless another address of the port still needs it,
    /// and what spoke from it (`src`). `address` may already be off the port's list or still on it (a secondary that is
    /// being promoted: then `promoted` is the primary it was under, as `iprim` in the kernel).
    /// When the last address is gone call [`Rib::device_down`] with `force` afterwards, as `fib_inetaddr_event` does.
    pub fn address_removed(&mut self, net: Net<'_>, port: IfIndex, address: &Address4, promoted: Option<&Address4>) {
        unimplemented!()
    }

    /// The port was set up (`NETDEV_UP`): the routes of its addresses come back, dead next hops revive. Call after the flag
    /// is set.
    pub fn device_up(&mut self, net: Net<'_>, port: IfIndex) {
        unimplemented!()
    }

    /// `fib_disable_ip`: the port was set down (`force` false: own addresses stay reachable), or lost its last address
    /// (`force` true: every route of it goes).
    pub fn device_down(&mut self, net: Net<'_>, port: IfIndex, force: bool) {
        unimplemented!()
    }

    /// The port was taken out (`NETDEV_UNREGISTER`): every route with a next hop there goes, multipath ones as a whole.
    pub fn device_removed(&mut self, net: Net<'_>, port: IfIndex) {
        unimplemented!()
    }

    /// The carrier came or went (`NETDEV_CHANGE`): next hops get or lose `linkdown`. Call after the port has changed.
    pub fn carrier(&mut self, net: Net<'_>, port: IfIndex, on: bool) {
        unimplemented!()
    }

    /// `fib_sync_down_addr`: routes that speak from this address go.
    pub fn prefsrc_removed(&mut self, address: Ipv4Addr) {
        unimplemented!()
    }
}

#[allow(unused_variables)]
impl Rib<Ipv6Addr> {
    /// `ip -6 route add|append|prepend|change|replace`
    pub fn add(&mut self, net: Net<'_>, mode: RouteMode, spec: &RouteSpec) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// `ip -6 route del`
    pub fn delete(&mut self, net: Net<'_>, spec: &RouteSpec) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// The port was set up: `linkdown` is set or cleared. The routes of addresses and `ff00::/8` are made by the caller
    /// with [`Rib::insert_kernel`].
    pub fn device_up(&mut self, net: Net<'_>, port: IfIndex) {
        unimplemented!()
    }

    /// The port was set down: every route of it goes, also `ff00::/8` and its own addresses; of multipath routes, only when
    /// no member is left alive.
    pub fn device_down(&mut self, net: Net<'_>, port: IfIndex) {
        unimplemented!()
    }

    /// The port was taken out: every route of it goes; multipath ones lose that member only.
    pub fn device_removed(&mut self, net: Net<'_>, port: IfIndex) {
        unimplemented!()
    }

    /// The carrier came or went.
    pub fn carrier(&mut self, net: Net<'_>, port: IfIndex, on: bool) {
        unimplemented!()
    }

    /// The address is gone: routes with this `src` stay but lose it (`fib6_remove_prefsrc`).
    pub fn prefsrc_removed(&mut self, address: Ipv6Addr) {
        unimplemented!()
    }
}

/// The way of a packet that starts here (`ip_route_output_key`).
#[allow(unused_variables)]
pub fn output_route(net: Net<'_>, rib: &Rib<Ipv4Addr>, key: &OutputKey) -> Result<OutputRoute, Errno> {
    unimplemented!()
}

/// The way of a packet that came in (`ip_route_input`).
#[allow(unused_variables)]
pub fn input_route(net: Net<'_>, rib: &Rib<Ipv4Addr>, key: &InputKey) -> Result<InputRoute, DropReason> {
    unimplemented!()
}
