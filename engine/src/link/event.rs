//! What a change of a port does to its addresses, routes and neighbours: the notifiers that listen to `netdev` events in
//! `devinet.c`, `fib_frontend.c`, `arp.c` and `ndisc.c`.

use super::bridge::FdbRecord;
use super::port::{Port, flag};
use super::{OperState, PortKind};
use crate::address::Address4;
use crate::config::{Config, Effect, IpVersion, LinkNews};
use crate::control::IfIndex;
use crate::route::Net;
use crate::sysctl::Conf4;
use crate::time::Time;

impl Config {
    /// Sets the port up (`__dev_open`, `NETDEV_UP`).
    pub(super) fn port_up(&mut self, now: Time, index: IfIndex) {
        let Some(port) = self.ports.get_mut(index) else { return };
        port.set_flags |= flag::UP;
        port.was_up = true;
        if port.is_loopback() && port.has_ipv4() {
            let own = Address4::loopback(&port.name);
            port.conf.v4.fix_all();
            // It is there already after the first time, and that is no matter.
            let _ = self.address4_insert(now, index, own);
        }
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib4.device_up(net, index);
        self.ipv6_up(now, index);
        self.effects.push(Effect::PortUp(index));
        self.announce(index);
        self.bridge_opened(index, true);
        self.member_changed(index);
        self.tell_uppers(index);
    }

    /// Sets the port down (`__dev_close`, `NETDEV_DOWN`): its routes go, IPv4 addresses stay.
    pub(super) fn port_down(&mut self, now: Time, index: IfIndex) {
        let Some(port) = self.ports.get_mut(index) else { return };
        port.set_flags &= !flag::UP;
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib4.device_down(net, index, false);
        self.ipv6_down(now, index, false);
        self.effects.push(Effect::PortDown(index));
        self.bridge_opened(index, false);
        self.member_changed(index);
        self.tell_uppers(index);
    }

    /// Something about the running link changed (`NETDEV_CHANGE`): carrier or flags; `arp`: the flag `NOARP` did.
    pub(super) fn port_changed(&mut self, now: Time, index: IfIndex, arp: bool) {
        let Some(port) = self.ports.get(index).filter(|port| port.is_up()) else { return };
        let (carrier, alive) = (port.carrier, port.flags() & (flag::RUNNING | flag::LOWER_UP) != 0);
        let conf = self.sysctls.on_port(&port.conf);
        let evicts = [(IpVersion::V4, conf.arp_evict_nocarrier()), (IpVersion::V6, conf.ndisc_evict_nocarrier())];
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib4.carrier(net, index, alive);
        self.ipv6_changed(now, index, arp);
        for (version, evict) in evicts {
            if arp || (evict && !carrier) {
                self.effects.push(Effect::NeighborsFlush { port: index, version, permanent: arp });
            }
        }
        self.member_changed(index);
        self.tell_uppers(index);
    }

    /// The MAC changed, or was set to what it was (`NETDEV_CHANGEADDR`).
    pub(super) fn port_address_changed(&mut self, now: Time, index: IfIndex) {
        for version in [IpVersion::V4, IpVersion::V6] {
            self.effects.push(Effect::NeighborsFlush { port: index, version, permanent: true });
        }
        self.announce(index);
        self.member_address_changed(now, index);
        self.tell_uppers(index);
    }

    /// The MTU changed (`NETDEV_CHANGEMTU`); `before` is the old one.
    pub(super) fn port_mtu_changed(&mut self, now: Time, index: IfIndex, before: u32) {
        let Some(port) = self.ports.get_mut(index) else { return };
        if !port.has_ipv4() {
            self.address4_remove_all(now, index);
        } else if before < 68 {
            let fresh = self.sysctls.port_conf(port.is_loopback(), port.mtu);
            port.conf.v4 = fresh.v4;
            if port.conf.rare.neigh4 != fresh.rare.neigh4 {
                port.conf.rare.neigh4 = fresh.rare.neigh4.clone();
            }
        }
        let mtu = self.ports.get(index).map_or(before, |port| port.mtu);
        self.rib4.mtu_changed(index, mtu, before);
        self.ipv6_mtu_changed(now, index, before >= 1280);
        self.member_mtu_changed(now, index);
        self.tell_uppers(index);
    }

    /// Gratuitous ARP, if `arp_notify` asks for it.
    fn announce(&mut self, index: IfIndex) {
        let port = self.ports.get(index).filter(|port| !port.addresses4.is_empty());
        if port.is_some_and(|port| self.sysctls.on_port(&port.conf).max(Conf4::ArpNotify) != 0) {
            self.effects.push(Effect::Announce(index));
        }
    }

    /// Adds a port: it is down, has no addresses, and the sysctls of `conf/default`. Its index and name must be free.
    pub fn port_add(&mut self, now: Time, mut port: Port) -> Vec<Effect> {
        reset(&mut port);
        port.conf = self.sysctls.port_conf(port.kind == PortKind::Loopback, port.mtu);
        port.addrgenmode = port.conf.v6.get(crate::sysctl::Conf6::AddrGenMode) as u8;
        if let Some(bridge) = port.rare.own_mut().and_then(|rare| rare.bridge.as_deref_mut()) {
            bridge.fdb.insert(FdbRecord::own(port.mac, None, now), bridge.hold_time());
            self.switches.bridges.push(port.index);
        }
        if port.rare.vxlan.is_some() {
            self.switches.vxlans.push(port.index);
        }
        self.ports.insert(port);
        self.settle()
    }

    /// Takes a port out, with its addresses and routes (`unregister_netdevice`); what is handed back has none left and is
    /// down.
    pub fn port_remove(&mut self, now: Time, index: IfIndex) -> (Option<Port>, Vec<Effect>) {
        self.bridge_leave_all(now, index);
        if let Some(switches) = self.switches.own_mut() {
            switches.bridges.retain(|bridge| *bridge != index);
            switches.vxlans.retain(|vxlan| *vxlan != index);
        }
        if self.ports.get(index).is_some_and(Port::is_up) {
            self.port_down(now, index);
        }
        self.master_leave(now, index);
        self.address4_remove_all(now, index);
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib4.device_removed(net, index);
        self.ipv6_down(now, index, true);
        let gone = self.ports.remove(index).map(|mut port| {
            reset(&mut port);
            port
        });
        if gone.is_some() {
            self.effects.push(Effect::PortDown(index));
        }
        (gone, self.settle())
    }

    /// The device tells that the cable now works, or no longer does (`netif_carrier_on`): sets and counts
    /// [`Port::carrier`], and no more; see [`Config::link_change`].
    pub fn carrier(&mut self, _now: Time, index: IfIndex, on: bool) -> Vec<Effect> {
        self.change_carrier(index, on);
        self.settle()
    }

    /// True if it differs from what it was.
    fn change_carrier(&mut self, index: IfIndex, on: bool) -> bool {
        let Some(port) = self.ports.get_mut(index).filter(|port| port.carrier != on) else { return false };
        port.carrier = on;
        let count = if on { &mut port.carrier_changes.0 } else { &mut port.carrier_changes.1 };
        *count = count.saturating_add(1);
        true
    }

    /// The same for a link of which there is no device but this stack: whoever drives the stack hears of it by
    /// [`Config::take_link_news`].
    pub(super) fn set_carrier(&mut self, index: IfIndex, on: bool) {
        if self.change_carrier(index, on) {
            self.tell(LinkNews::Carrier(index));
        }
    }

    /// Links that stand on this one may have to follow it, and the one below it may have to know.
    fn tell_uppers(&mut self, index: IfIndex) {
        let stands = |port: &Port| {
            !port.rare.uppers.is_empty()
                || port.rare.vlan.is_some()
                || port.rare.macvlan.is_some()
                || port.rare.vxlan.is_some()
        };
        if self.ports.get(index).is_some_and(stands) {
            self.tell(LinkNews::Lower(index));
        }
    }

    fn tell(&mut self, news: LinkNews) {
        if !self.news.contains(&news) {
            self.news.push(news);
        }
    }

    /// What happened to links since the last call, that concerns the link watch or other namespaces.
    pub fn take_link_news(&mut self) -> Vec<LinkNews> {
        self.news.take()
    }

    /// The namespace notices it (`linkwatch_do_dev`): sets [`Port::operstate`], and if the port is up (`NETDEV_CHANGE`)
    /// its next hops lose `linkdown` where it is running or has carrier, and become `linkdown` else; IPv6 gets its
    /// link-local address where it is running.
    pub fn link_change(&mut self, now: Time, index: IfIndex, state: OperState) -> Vec<Effect> {
        if let Some(port) = self.ports.get_mut(index) {
            port.operstate = state;
            self.port_changed(now, index, false);
        }
        self.settle()
    }
}

/// A port between two namespaces: down, without addresses, its queue as new.
fn reset(port: &mut Port) {
    port.set_flags &= !flag::UP;
    port.was_up = false;
    port.ipv6_ready = false;
    port.addresses4.clear();
    port.addresses6.clear();
}
