//! What addresses, ports and carriers do to the IPv4 tables: `fib_add_ifaddr`, `fib_del_ifaddr`, `fib_sync_down_dev`,
//! `fib_sync_up`.

use super::v4::has_network;
use crate::addr::{Ipv4Addr, Prefix};
use crate::address::{Address4, flag};
use crate::control::{IfIndex, RouteKind, protocol, scope, table};
use crate::link::Port;
use crate::link::port::flag as link;
use crate::route::{Net, NextHop, Rib, Route, source};

/// What happened to a port (`NETDEV_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Change,
    Down,
    Unregister,
}

/// A route that an address brings with it (`fib_magic`).
fn magic(port: &Port, primary: &Address4, kind: RouteKind, prefix: Prefix<Ipv4Addr>, metric: u32) -> Route<Ipv4Addr> {
    let local = kind == RouteKind::Local;
    let nexthop = NextHop {
        scope: if local { scope::NOWHERE } else { scope::HOST },
        linkdown: !local && !port.carrier,
        ..NextHop::on_link(port.index)
    };
    Route {
        kind,
        table: if kind == RouteKind::Unicast { table::MAIN } else { table::LOCAL },
        scope: if local { scope::HOST } else { scope::LINK },
        protocol: protocol::KERNEL,
        metric,
        prefsrc: Some(primary.local).filter(|address| !address.is_unspecified()),
        flags: if nexthop.linkdown { Route::<Ipv4Addr>::LINKDOWN } else { 0 },
        ..Route::new(prefix, nexthop)
    }
}

/// The kind of the route to an address's network.
fn network_kind(port: &Port) -> RouteKind {
    if port.is_loopback() { RouteKind::Local } else { RouteKind::Unicast }
}

/// The primary whose network an address is in (`inet_ifa_byprefix`).
fn primary_of<'a>(port: &'a Port, address: &Address4) -> Option<&'a Address4> {
    port.addresses4.iter().find(|other| same_network(other, address))
}

fn same_network(one: &Address4, other: &Address4) -> bool {
    one.length == other.length && one.prefix() == other.prefix()
}

/// Which routes of an address that goes are still needed by others of its port.
#[derive(Default)]
struct Needed {
    local: bool,
    /// The broadcast address that was set.
    broadcast: bool,
    /// The last of the network.
    last: bool,
    /// The first of the network.
    first: bool,
    /// The address is still in the list.
    stays: bool,
}

impl Needed {
    fn by(&mut self, gone: &Address4, other: &Address4, is_primary: bool) {
        let (first, last) = (gone.prefix().address(), gone.prefix().last());
        self.local |= gone.local == other.local;
        self.broadcast |= gone.broadcast == other.broadcast;
        self.last |= Some(last) == other.broadcast;
        self.first |= Some(first) == other.broadcast;
        let theirs = [other.prefix().address(), other.prefix().last()];
        if is_primary && other.length < 31 && !source::is_zeronet(theirs[0]) {
            self.broadcast |= gone.broadcast.is_some_and(|broadcast| theirs.contains(&broadcast));
            self.last |= theirs.contains(&last);
            self.first |= theirs.contains(&first);
        }
    }
}

/// The scan of `fib_del_ifaddr`: what of `gone`, whose routes name `primary`, do the port's other addresses still need?
fn needed(port: &Port, gone: &Address4, primary: &Address4, promoted: Option<&Address4>) -> Needed {
    let mut needed = Needed::default();
    let is_same = |a: &Address4, b: &Address4| a.local == b.local && same_network(a, b);
    let mut current: Option<&Address4> = None;
    let mut shares_source = false;
    for other in &port.addresses4 {
        if is_same(other, gone) {
            needed.stays = true;
            continue;
        }
        if promoted.is_some_and(|promoted| same_network(other, promoted)) {
            continue;
        }
        // Only addresses whose routes name the same source matter.
        if !other.is_secondary() {
            if primary.local != other.local {
                continue;
            }
            current = Some(other);
            shares_source |= !is_same(primary, other);
        } else if same_network(other, primary) {
            current = Some(primary);
        } else {
            if !shares_source {
                continue;
            }
            if !current.is_some_and(|current| same_network(other, current)) {
                current = primary_of(port, other);
            }
            if current.is_none_or(|current| current.local != primary.local) {
                continue;
            }
        }
        needed.by(gone, other, current.is_some_and(|current| is_same(current, other)));
    }
    needed
}

impl Rib<Ipv4Addr> {
    /// `fib_add_ifaddr`: the local, connected and broadcast routes of an address that was just put on the port (and is in
    /// its list). Nothing but the local route while the port is down.
    pub fn address_added(&mut self, net: Net<'_>, port: IfIndex, address: &Address4) {
        let Some(port) = net.ports.get(port) else { return };
        self.add_routes(net, port, address);
        self.sync_up(net, port, true);
    }

    fn add_routes(&mut self, net: Net<'_>, port: &Port, address: &Address4) {
        let primary = match address.is_secondary() {
            true => primary_of(port, address),
            false => Some(address),
        };
        let Some(primary) = primary else { return };
        self.bring(net, magic(port, primary, RouteKind::Local, Prefix::host(address.local), 0));
        if !port.is_up() {
            return;
        }
        if let Some(broadcast) = set_broadcast(address).filter(|broadcast| !broadcast.is_broadcast()) {
            self.bring(net, magic(port, primary, RouteKind::Broadcast, Prefix::host(broadcast), 0));
        }
        let prefix = address.prefix();
        if address.is_secondary() || !has_network(prefix, address.local) {
            return;
        }
        if address.flags & flag::NOPREFIXROUTE == 0 {
            self.bring(net, magic(port, primary, network_kind(port), prefix, address.metric));
        }
        if address.length < 31 {
            self.bring(net, magic(port, primary, RouteKind::Broadcast, Prefix::host(prefix.last()), 0));
        }
    }

    /// An address that another port takes for its broadcast address cannot speak, and brings no routes.
    fn bring(&mut self, net: Net<'_>, route: Route<Ipv4Addr>) {
        self.make(route.table);
        if route.prefsrc.is_none_or(|prefsrc| self.may_speak(net, &route, prefsrc)) {
            self.insert_kernel(route);
        }
    }

    /// `fib_del_ifaddr`: takes back what [`Rib::address_added`] made, unless another address of the port still needs it,
    /// and what spoke from it (`src`). `address` may already be off the port's list or still on it (a secondary that is
    /// being promoted: then `promoted` is the primary it was under, as `iprim` in the kernel).
    /// When the last address is gone call [`Rib::device_down`] with `force` afterwards, as `fib_inetaddr_event` does.
    pub fn address_removed(&mut self, net: Net<'_>, port: IfIndex, address: &Address4, promoted: Option<&Address4>) {
        let Some(port) = net.ports.get(port) else { return };
        let primary = match address.is_secondary() {
            true => promoted.or_else(|| primary_of(port, address)),
            false => Some(address),
        };
        let Some(primary) = primary else { return };
        let prefix = address.prefix();
        let has_network = !address.is_secondary() && has_network(prefix, address.local);
        if has_network && address.flags & flag::NOPREFIXROUTE == 0 {
            self.remove_kernel(&magic(port, primary, network_kind(port), prefix, 0));
        }
        let needed = needed(port, address, primary, promoted);
        let mut broadcasts = vec![];
        broadcasts.extend(set_broadcast(address).filter(|_| !needed.broadcast));
        if has_network && address.length < 31 {
            broadcasts.extend((!needed.last).then_some(prefix.last()));
            broadcasts.extend((!needed.first).then_some(prefix.address()));
        }
        for broadcast in broadcasts {
            self.remove_kernel(&magic(port, primary, RouteKind::Broadcast, Prefix::host(broadcast), 0));
        }
        if !needed.local {
            self.remove_kernel(&magic(port, primary, RouteKind::Local, Prefix::host(address.local), 0));
            // Check that this local address finally disappeared.
            let kind = source::address_kind(net, self, address.local);
            if !needed.stays && kind != RouteKind::Local {
                self.prefsrc_removed(address.local);
            }
        }
    }

    /// The port was set up (`NETDEV_UP`): the routes of its addresses come back, dead next hops revive. Call after the flag
    /// is set.
    pub fn device_up(&mut self, net: Net<'_>, port: IfIndex) {
        let Some(port) = net.ports.get(port).filter(|port| port.has_ipv4()) else { return };
        for address in &port.addresses4 {
            self.add_routes(net, port, address);
        }
        self.sync_up(net, port, true);
    }

    /// `fib_disable_ip`: the port was set down (`force` false: own addresses stay reachable), or lost its last address
    /// (`force` true: every route of it goes).
    pub fn device_down(&mut self, net: Net<'_>, port: IfIndex, force: bool) {
        let _ = net;
        self.sync_down(port, Event::Down, force);
    }

    /// The port was taken out (`NETDEV_UNREGISTER`): every route with a next hop there goes, multipath ones as a whole.
    pub fn device_removed(&mut self, net: Net<'_>, port: IfIndex) {
        let _ = net;
        self.sync_down(port, Event::Unregister, true);
    }

    /// The carrier came or went (`NETDEV_CHANGE`): next hops get or lose `linkdown`. Call after the port has changed.
    pub fn carrier(&mut self, net: Net<'_>, port: IfIndex, on: bool) {
        match net.ports.get(port).filter(|port| port.has_ipv4()) {
            Some(port) if on => self.sync_up(net, port, false),
            Some(port) => self.sync_down(port.index, Event::Change, false),
            None => {}
        }
    }

    /// `fib_sync_down_addr`: routes of table main that speak from this address go.
    pub fn prefsrc_removed(&mut self, address: Ipv4Addr) {
        if !address.is_unspecified() {
            self.retain(|route| route.prefsrc != Some(address) || route.table != table::MAIN);
        }
    }

    /// `fib_sync_down_dev`, and the flush of what is dead then.
    fn sync_down(&mut self, port: IfIndex, event: Event, force: bool) {
        self.retain(|route| {
            if !route.uses(port) {
                return true;
            }
            let mut lost = 0;
            for nexthop in route.nexthops.iter_mut() {
                let hit = nexthop.oif == port && (force || nexthop.scope != scope::NOWHERE);
                if nexthop.dead {
                    lost += 1;
                } else if hit {
                    nexthop.dead = event != Event::Change;
                    nexthop.linkdown = true;
                    lost += 1;
                }
            }
            if lost < route.nexthops.len() && event != Event::Unregister {
                return true;
            }
            route.flags |= Route::<Ipv4Addr>::LINKDOWN;
            event == Event::Change
        });
    }

    /// `fib_sync_up`: next hops of the port revive (`dead`), or are no longer `linkdown`.
    fn sync_up(&mut self, net: Net<'_>, port: &Port, dead: bool) {
        if !port.is_up() {
            return;
        }
        let alive = !dead || port.flags() & (link::RUNNING | link::LOWER_UP) != 0;
        let is_up = |oif| net.ports.get(oif).is_some_and(Port::is_up);
        self.retain(|route| {
            if route.uses(port.index) {
                let mut living = 0;
                for nexthop in route.nexthops.iter_mut() {
                    let ails = (dead && nexthop.dead) || (alive && nexthop.linkdown);
                    if !ails {
                        living += 1;
                    } else if nexthop.oif == port.index && is_up(nexthop.oif) {
                        living += 1;
                        nexthop.dead &= !dead;
                        nexthop.linkdown &= !alive;
                    }
                }
                if living > 0 && alive {
                    route.flags &= !Route::<Ipv4Addr>::LINKDOWN;
                }
            }
            true
        });
    }
}

/// The broadcast address, if one was set and it is not 0.0.0.0.
fn set_broadcast(address: &Address4) -> Option<Ipv4Addr> {
    address.broadcast.filter(|broadcast| !broadcast.is_unspecified())
}
