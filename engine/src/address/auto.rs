//! What the kernel itself does with a port's IPv6 addresses when the port changes: `addrconf_notify`, `addrconf_ifdown`.

use super::{Address6, flag, protocol, stable};
use crate::addr::{Ipv6Addr, Mac};
use crate::config::{Config, Effect, IpVersion};
use crate::control::{IfIndex, Lifetime};
use crate::link::{OperState, Port};
use crate::route::Net;
use crate::sysctl::Conf6;
use crate::time::Time;
use crate::wire::mld;

/// Ways to make a link-local address (`IN6_ADDR_GEN_MODE_*`).
mod mode {
    pub(super) const EUI64: i64 = 0;
    pub(super) const STABLE: i64 = 2;
    pub(super) const RANDOM: i64 = 3;
}

/// The link-local address of a MAC (`addrconf_ifid_eui48`): the MAC with `ff:fe` in its middle and one bit turned.
pub fn eui64(mac: Mac) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// True if the link can carry frames, as far as the namespace has noticed (`addrconf_link_ready`).
fn link_ready(port: &Port) -> bool {
    port.is_up() && matches!(port.operstate, OperState::Up | OperState::Unknown)
}

impl Config {
    /// The port was set up (`NETDEV_UP`), or IPv6 was enabled on it.
    pub(crate) fn ipv6_up(&mut self, now: Time, index: IfIndex) {
        let Some(port) = self.ports.get_mut(index).filter(|port| port.has_ipv6()) else { return };
        if port.conf.v6.on(Conf6::DisableIpv6) {
            return;
        }
        let ready = link_ready(port);
        port.ipv6_ready |= ready;
        self.restore_permanent(now, index);
        if ready {
            self.ipv6_configure(now, index);
        }
    }

    /// The namespace noticed a change of the link (`NETDEV_CHANGE`); `arp_changed`: of the flag `NOARP`.
    pub(crate) fn ipv6_changed(&mut self, now: Time, index: IfIndex, arp_changed: bool) {
        let Some(port) = self.ports.get_mut(index) else { return };
        if port.has_ipv6() && port.conf.v6.on(Conf6::DisableIpv6) {
            return;
        }
        let (ready, was_ready) = (link_ready(port), port.ipv6_ready);
        if ready && port.has_ipv6() {
            port.ipv6_ready = true;
        }
        if was_ready || !ready {
            if ready && arp_changed {
                self.dad_run(now, index, true);
            }
            let net = Net::new(now, &self.ports, &self.sysctls);
            self.rib6.carrier(net, index, ready);
            return;
        }
        self.ipv6_configure(now, index);
    }

    /// The routes of addresses that were kept while the port was down come back (`addrconf_permanent_addr`).
    fn restore_permanent(&mut self, now: Time, index: IfIndex) {
        let Some(port) = self.ports.get(index) else { return };
        let permanent: Vec<Address6> = port.addresses6.iter().filter(|a| a.has(flag::PERMANENT)).cloned().collect();
        for address in permanent {
            if !address.has(flag::NOPREFIXROUTE) {
                self.prefix_route6(index, address.prefix(), address.metric);
            }
            if !address.is_tentative() || address.dad_end.end().is_none() {
                self.dad_start(now, index, address.local);
            }
        }
    }

    /// The link is ready: the addresses it must have, and the detection of duplicates.
    fn ipv6_configure(&mut self, now: Time, index: IfIndex) {
        if !self.ports.get(index).is_some_and(Port::has_ipv6) {
            return;
        }
        self.auto_addresses(now, index);
        self.dad_run(now, index, false);
        let Some(port) = self.ports.get_mut(index) else { return };
        let mtu = i64::from(port.mtu);
        // What holds it already may be everybody's.
        if mtu >= 1280 && port.conf.v6.get(Conf6::Mtu) != mtu {
            port.conf.v6.set(Conf6::Mtu, mtu);
        }
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib6.device_up(net, index);
        if mtu < 1280 {
            self.ipv6_gone(now, index, false);
        }
    }

    /// `::1` on `lo`, a link-local address on others (`addrconf_init_auto_addrs`).
    pub(crate) fn auto_addresses(&mut self, now: Time, index: IfIndex) {
        let Some(port) = self.ports.get(index).filter(|port| port.has_ipv6()) else { return };
        if port.conf.v6.on(Conf6::DisableIpv6) {
            return;
        }
        if port.is_loopback() {
            let one = Address6::by_kernel(Ipv6Addr::LOCALHOST, 128, 0, protocol::KERNEL_LO);
            self.address6_make(now, index, one);
            return;
        }
        self.multicast_route6(index);
        let Some((local, flags)) = self.link_local(index) else { return };
        let address = Address6::by_kernel(local, 64, flags, protocol::KERNEL_LL);
        let (prefix, new) = (address.prefix(), !self.has6(index, local));
        self.address6_make(now, index, address);
        if new {
            self.prefix_route6(index, prefix, 0);
            self.effects.push(Effect::GroupJoined(index, mld::solicited_node(local)));
        }
    }

    fn has6(&self, index: IfIndex, local: Ipv6Addr) -> bool {
        self.ports.get(index).is_some_and(|port| port.addresses6.iter().any(|address| address.local == local))
    }

    fn address6_make(&mut self, now: Time, index: IfIndex, address: Address6) {
        let local = address.local;
        if !self.has6(index, local) {
            self.address6_link(index, address);
            self.dad_start(now, index, local);
        }
    }

    /// The link-local address that the port is to have, with its flags (`addrconf_addr_gen`).
    fn link_local(&mut self, index: IfIndex) -> Option<(Ipv6Addr, u32)> {
        let retries = self.sysctls.idgen_retries();
        let default = self.sysctls.default().rare.stable_secret;
        let all = self.sysctls.all();
        let (all_optimistic, router) = (all.v6.on(Conf6::OptimisticDad), all.v6.on(Conf6::Forwarding));
        let port = self.ports.get_mut(index)?;
        let optimistic = (all_optimistic || port.conf.v6.on(Conf6::OptimisticDad)) && !router;
        let flags = if optimistic { flag::OPTIMISTIC } else { 0 };
        match port.conf.v6.get(Conf6::AddrGenMode) {
            mode::EUI64 => Some((eui64(port.mac), flags)),
            mode @ (mode::STABLE | mode::RANDOM) => {
                if mode == mode::RANDOM && port.conf.rare.stable_secret.is_none() {
                    let secret = u128::from(self.rng.next()) << 64 | u128::from(self.rng.next());
                    port.conf.rare.stable_secret = Some(Ipv6Addr::from_bits(secret));
                }
                let local = stable::link_local(port.conf.rare.stable_secret.or(default)?, retries)?;
                Some((local, flags | flag::STABLE_PRIVACY))
            }
            _ => None,
        }
    }

    /// IPv6 is taken off a port that stays: also its neighbours of IPv6 go.
    pub(crate) fn ipv6_gone(&mut self, now: Time, index: IfIndex, unregister: bool) {
        self.ipv6_down(now, index, unregister);
        self.effects.push(Effect::IpGone { port: index, version: IpVersion::V6 });
    }

    /// The port was set down, or IPv6 is disabled on it (`addrconf_ifdown`): addresses go, unless `keep_addr_on_down` keeps
    /// them, and all routes do. `unregister`: the port goes, or its MTU no longer carries IPv6.
    pub(crate) fn ipv6_down(&mut self, now: Time, index: IfIndex, unregister: bool) {
        let net = Net::new(now, &self.ports, &self.sysctls);
        match unregister {
            true => self.rib6.device_removed(net, index),
            false => self.rib6.device_down(net, index),
        }
        let Some(port) = self.ports.get_mut(index) else { return };
        let conf = self.sysctls.on_port(&port.conf);
        let keep = !unregister && !conf.disable_ipv6() && conf.keep_addr_on_down();
        port.ipv6_ready = false;
        let stays = |address: &Address6| {
            let own = address.local.is_loopback() || address.local.is_unicast_link_local();
            keep && address.has(flag::PERMANENT) && !own
        };
        port.addresses6.retain(stays);
        for address in &mut port.addresses6 {
            address.dad_end = Lifetime::FOREVER;
            if !address.has(flag::NODAD) {
                address.flags |= flag::TENTATIVE;
            }
        }
    }

    /// The MTU changed (`NETDEV_CHANGEMTU`); `had_ipv6`: the one before carried IPv6.
    pub(crate) fn ipv6_mtu_changed(&mut self, now: Time, index: IfIndex, had_ipv6: bool) {
        let Some(port) = self.ports.get_mut(index) else { return };
        let (mtu, loopback) = (port.mtu, port.is_loopback());
        if mtu < 1280 {
            self.ipv6_gone(now, index, !loopback);
            return;
        }
        if had_ipv6 || loopback {
            port.conf.v6.set(Conf6::Mtu, mtu.into());
            return;
        }
        let fresh = self.sysctls.port_conf(loopback, mtu);
        port.addrgenmode = fresh.v6.get(Conf6::AddrGenMode) as u8;
        port.conf.v6 = fresh.v6;
        let crate::sysctl::RareConf { neigh6, stable_secret, .. } = &*fresh.rare;
        if (&port.conf.rare.neigh6, &port.conf.rare.stable_secret) != (neigh6, stable_secret) {
            port.conf.rare.neigh6 = neigh6.clone();
            port.conf.rare.stable_secret = *stable_secret;
        }
        port.ipv6_ready = link_ready(port);
        if port.ipv6_ready && !port.conf.v6.on(Conf6::DisableIpv6) {
            self.ipv6_configure(now, index);
        }
    }

    /// The port became a router's, or a host's, for IPv6 (`dev_forward_change`).
    pub(crate) fn ipv6_forwarding(&mut self, index: IfIndex, on: bool) {
        let Some(port) = self.ports.get(index) else { return };
        let usable: Vec<Address6> = port.addresses6.iter().filter(|a| !a.is_tentative()).cloned().collect();
        for address in usable {
            match on {
                true => self.join_anycast(index, &address),
                false => self.leave_anycast(index, &address),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_come_from_the_mac() {
        let mac = "02:00:00:00:00:77".parse().expect("a MAC");
        assert_eq!(eui64(mac).to_string(), "fe80::ff:fe00:77");
    }
}
