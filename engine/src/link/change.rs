//! `ip link set`: carrying out a [`LinkChange`] as `do_setlink` does (`net/core/rtnetlink.c`).
//!
//! What was asked for is done one after the other, and what was done stays done when a later wish is refused, as in the
//! kernel.

use super::name;
use super::port::{Port, flag};
use crate::addr::Mac;
use crate::config::{Config, Effect};
use crate::control::{Errno, IfIndex, LinkChange, Refusal};
use crate::sysctl::{Conf6, SysctlEffect};
use crate::time::Time;

/// Longest alias, in bytes (`IFALIASZ` without its zero).
const ALIAS_MAX: usize = 255;

/// Flags whose change is told to nobody (`IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_VOLATILE`), of those that can change.
const UNTOLD: u32 = flag::UP | flag::PROMISC | flag::ALLMULTI;

/// What must hold before anything is done.
fn validate(port: &Port, change: &LinkChange, default_secret: bool) -> Result<(), Refusal> {
    if change.alias.as_ref().is_some_and(|alias| alias.len() > ALIAS_MAX) {
        return Err(Refusal::because(Errno::Range, "Attribute failed policy validation"));
    }
    let Some(mode) = change.addrgenmode else { return Ok(()) };
    if !port.has_ipv6() {
        return Err(Errno::AfNoSupport.into());
    }
    let secret = default_secret || port.conf.rare.stable_secret.is_some();
    if mode > 3 || (mode == 2 && !secret) {
        return Err(Errno::Inval.into());
    }
    Ok(())
}

/// The flags that a change asks for.
fn wanted_flags(now: u32, change: &LinkChange) -> u32 {
    let not = |said: Option<bool>| said.map(|on| !on);
    let wishes = [
        (not(change.arp), flag::NOARP),
        (change.multicast, flag::MULTICAST),
        (change.allmulticast, flag::ALLMULTI),
        (change.promisc, flag::PROMISC),
        (change.dynamic, flag::DYNAMIC),
        (not(change.trailers), flag::NOTRAILERS),
        (change.up, flag::UP),
    ];
    wishes.into_iter().fold(now, |flags, (wish, bit)| match wish {
        None => flags,
        Some(true) => flags | bit,
        Some(false) => flags & !bit,
    })
}

impl Config {
    /// `ip link set`
    pub(crate) fn link_set(&mut self, now: Time, index: IfIndex, change: LinkChange) -> Result<(), Refusal> {
        let default_secret = self.sysctls.default().rare.stable_secret.is_some();
        let port = self.ports.get(index).ok_or(Errno::NoDev)?;
        validate(port, &change, default_secret)?;
        if let Some(change) = &change.bridge {
            self.bridge_set(now, index, change)?;
        }
        if let Some(change) = &change.bridge_port {
            self.member_set(index, change)?;
        }
        if let Some(mac) = change.address {
            self.link_set_address(now, index, mac)?;
        }
        if let Some(mtu) = change.mtu {
            self.link_set_mtu(now, index, mtu)?;
        }
        let port = self.ports.get_mut(index).ok_or(Errno::NoDev)?;
        if let Some(group) = change.group.filter(|group| *group != port.rare.group) {
            port.rare.group = group;
        }
        if let Some(name) = &change.name {
            self.link_set_name(index, name)?;
        }
        let port = self.ports.get_mut(index).ok_or(Errno::NoDev)?;
        if let Some(alias) = &change.alias {
            port.rare.alias.clone_from(alias);
        }
        if let Some(broadcast) = change.broadcast {
            port.broadcast = broadcast;
            self.port_address_changed(now, index);
        }
        if let Some(master) = change.master {
            self.set_master(now, index, master)?;
        }
        self.link_set_flags(now, index, &change);
        if change.carrier.is_some() {
            return Err(Errno::OpNotSupp.into());
        }
        let port = self.ports.get_mut(index).ok_or(Errno::NoDev)?;
        port.txqueuelen = change.txqueuelen.unwrap_or(port.txqueuelen);
        if let Some(mode) = change.addrgenmode {
            port.addrgenmode = mode;
            port.conf.v6.set(Conf6::AddrGenMode, mode.into());
        }
        Ok(())
    }

    /// `dev_set_mac_address`, `eth_mac_addr`
    fn link_set_address(&mut self, now: Time, index: IfIndex, mac: Mac) -> Result<(), Refusal> {
        let port = self.ports.get_mut(index).ok_or(Errno::NoDev)?;
        if port.mac != mac && (mac.is_multicast() || mac == Mac::ZERO) {
            return Err(Errno::AddrNotAvail.into());
        }
        port.mac_set = true;
        if let Some(vlan) = &mut port.rare.vlan {
            vlan.inherits_mac = false;
        }
        if let Some(bridge) = port.rare.own_mut().and_then(|rare| rare.bridge.as_deref_mut()) {
            bridge.fixed_mac = true;
            if port.mac != mac {
                self.bridge_set_mac(now, index, mac);
            }
        } else {
            port.mac = mac;
        }
        self.port_address_changed(now, index);
        Ok(())
    }

    /// `dev_validate_mtu`, `__netif_set_mtu`
    fn link_set_mtu(&mut self, now: Time, index: IfIndex, mtu: u32) -> Result<(), Refusal> {
        let port = self.ports.get_mut(index).ok_or(Errno::NoDev)?;
        let before = port.mtu;
        if mtu == before {
            return Ok(());
        }
        let (least, most) = port.kind.mtu_range();
        if mtu < least || mtu > i32::MAX as u32 {
            return Err(Refusal::because(Errno::Inval, "mtu less than device minimum"));
        }
        if most > 0 && mtu > most {
            return Err(Refusal::because(Errno::Inval, "mtu greater than device maximum"));
        }
        port.mtu = mtu;
        if let Some(bridge) = port.rare.own_mut().and_then(|rare| rare.bridge.as_deref_mut()) {
            bridge.fixed_mtu = true;
        }
        self.port_mtu_changed(now, index, before);
        Ok(())
    }

    /// `dev_change_name`; also while the port is up.
    fn link_set_name(&mut self, index: IfIndex, wanted: &str) -> Result<(), Refusal> {
        let port = self.ports.get(index).ok_or(Errno::NoDev)?;
        if port.name == *wanted {
            return Ok(());
        }
        let name = name::choose(&self.ports, wanted)?;
        if let Some(port) = self.ports.get_mut(index) {
            port.name = name.into();
        }
        self.address4_relabel(index);
        Ok(())
    }

    /// `dev_change_flags`
    fn link_set_flags(&mut self, now: Time, index: IfIndex, change: &LinkChange) {
        let Some(port) = self.ports.get_mut(index) else { return };
        let before = port.set_flags;
        let after = wanted_flags(before, change);
        port.set_flags = after & !flag::UP | before & flag::UP;
        match (before & flag::UP != 0, after & flag::UP != 0) {
            (false, true) => self.port_up(now, index),
            (true, false) => self.port_down(now, index),
            _ => {}
        }
        let changed = before ^ after;
        if changed & !UNTOLD != 0 {
            self.port_changed(now, index, changed & flag::NOARP != 0);
        }
    }

    /// A write to a sysctl, and what follows from it.
    pub(crate) fn sysctl_write(&mut self, now: Time, path: &str, value: &str) -> Result<(), Refusal> {
        for effect in self.sysctls.write(path, value, &mut self.ports)? {
            match effect {
                SysctlEffect::RouteCacheFlush if path.ends_with("route/flush") => {
                    self.rib4.flush_cache();
                    self.effects.push(Effect::RouteCacheFlush);
                }
                // Others only forget decisions, and none are remembered here.
                SysctlEffect::RouteCacheFlush => {}
                SysctlEffect::Ipv6Disabled(index, true) => self.ipv6_gone(now, index, false),
                SysctlEffect::Ipv6Disabled(index, false) => self.ipv6_up(now, index),
                SysctlEffect::Ipv6Forwarding(index, on) => self.ipv6_forwarding(index, on),
                SysctlEffect::AddrGenMode(index) => self.auto_addresses(now, index),
            }
        }
        Ok(())
    }
}
