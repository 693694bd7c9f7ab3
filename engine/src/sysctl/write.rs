//! Writing sysctls, and what follows from it.

use super::path::{Family, Place, Whose};
use super::rule::Rule;
use super::table::at;
use super::text::TextRule;
use super::{Conf4, Conf6, Sysctls, table, text};
use crate::addr::Ipv6Addr;
use crate::control::{Errno, IfIndex};
use crate::link::{Port, Ports};

/// Something that must happen because a sysctl was written, beyond keeping the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlEffect {
    /// Learned path MTUs and redirects are to be forgotten.
    RouteCacheFlush,
    /// `net.ipv6.conf.X.disable_ipv6` changed: `true` is disabled.
    Ipv6Disabled(IfIndex, bool),
    /// `net.ipv6.conf.X.forwarding` changed.
    Ipv6Forwarding(IfIndex, bool),
    /// `net.ipv6.conf.X.addr_gen_mode` changed: a link-local address may be due.
    AddrGenMode(IfIndex),
}

/// All that must happen because a sysctl was written, in order.
pub type Effects = Vec<SysctlEffect>;

/// Numbers that only the first namespace may change, and from which value on.
const HOST_ONLY: &[(&str, i64)] = &[
    ("core/rmem_default", 2304),
    ("core/rmem_max", 2304),
    ("core/wmem_default", 4608),
    ("core/wmem_max", 4608),
    ("netfilter/nf_conntrack_buckets", 0),
    ("netfilter/nf_conntrack_expect_max", 1),
    ("netfilter/nf_conntrack_max", 0),
];

/// Pairs of which the first may not exceed the second.
const ORDERED: &[(usize, usize)] = &[
    (at("ipv4/ipfrag_low_thresh"), at("ipv4/ipfrag_high_thresh")),
    (at("ipv6/ip6frag_low_thresh"), at("ipv6/ip6frag_high_thresh")),
    (at("netfilter/nf_conntrack_frag6_low_thresh"), at("netfilter/nf_conntrack_frag6_high_thresh")),
];

const PORT_START: usize = at("ipv4/ip_unprivileged_port_start");

impl Sysctls {
    /// Writes a sysctl by its path below `/proc/sys`, with slashes. `ENOENT` if there is none, `EACCES` if it cannot be
    /// written, `EINVAL` for a value it may not hold.
    pub fn write(&mut self, path: &str, value: &str, ports: &mut Ports) -> Result<Effects, Errno> {
        match self.place(path, ports).ok_or(Errno::NoEnt)? {
            Place::Number(at) => self.write_number(at, value),
            Place::InitialNumber(at) => {
                let number = table::INITIAL[at].2.accept(value)?;
                let initial = self.rare.own_mut().and_then(|rare| rare.initial.as_mut()).ok_or(Errno::NoEnt)?;
                *initial.numbers.get_mut(at).ok_or(Errno::NoEnt)? = number;
                Ok(Effects::new())
            }
            Place::Text(at) => self.write_text(at, value),
            Place::InitialText(at) => {
                let initial = self.rare.own_mut().and_then(|rare| rare.initial.as_mut()).ok_or(Errno::NoEnt)?;
                let text = initial.texts.get_mut(at).ok_or(Errno::NoEnt)?;
                *text = text::INITIAL_TEXTS[at].2.accept(text, value)?;
                Ok(Effects::new())
            }
            Place::Conf4(whose, key) => self.write_conf4(whose, key, key.rule().accept(value)?, ports),
            Place::Conf6(whose, key) => self.write_conf6(whose, key, value, ports),
            Place::StableSecret(whose) => self.write_secret(whose, value, ports),
            Place::Neigh(family, Whose::Port(index), key) => {
                let conf = &mut ports.get_mut(index).ok_or(Errno::NoEnt)?.conf;
                let values = if family == Family::V4 { &mut conf.rare.neigh4 } else { &mut conf.rare.neigh6 };
                values.write(key, value).map(|()| Effects::new())
            }
            Place::Neigh(family, _, key) => {
                let values =
                    if family == Family::V4 { &mut self.default.rare.neigh4 } else { &mut self.default.rare.neigh6 };
                values.write(key, value).map(|()| Effects::new())
            }
            Place::Limit(family, name) => {
                let limits = if family == Family::V4 { &mut self.rare.limits4 } else { &mut self.rare.limits6 };
                limits.write(name, value).map(|()| Effects::new())
            }
        }
    }

    fn write_number(&mut self, place: usize, value: &str) -> Result<Effects, Errno> {
        let (path, _, rule) = table::NUMBERS[place];
        let host_only = HOST_ONLY.iter().find(|(name, _)| *name == path && self.rare.initial.is_some());
        let rule = host_only.map_or(rule, |&(_, low)| Rule::Number(low, i32::MAX.into()));
        let number = rule.accept(value)?;
        let too_low = |&(low, high): &(usize, usize)| high == place && number < self.number(low);
        let too_high = |&(low, high): &(usize, usize)| low == place && number > self.number(high);
        if ORDERED.iter().any(|pair| too_low(pair) || too_high(pair)) {
            return Err(Errno::Inval);
        }
        if place == PORT_START && number > i64::from(self.ip_local_port_range().0) {
            return Err(Errno::Inval);
        }
        self.rare.numbers.set(place, number);
        Ok(Effects::new())
    }

    fn write_text(&mut self, place: usize, value: &str) -> Result<Effects, Errno> {
        let (path, _, rule) = text::TEXTS[place];
        let old = self.text_at(place).ok_or(Errno::NoEnt)?;
        let new = rule.accept(old, value)?;
        if rule == TextRule::Flush {
            return Ok(vec![SysctlEffect::RouteCacheFlush]);
        }
        let low = new.split('\t').next().and_then(|word| word.parse::<i64>().ok());
        if rule == TextRule::PortRange && low < Some(self.number(PORT_START)) {
            return Err(Errno::Inval);
        }
        // Restricted congestion control is for the first namespace.
        if path == "ipv4/tcp_congestion_control" && self.rare.initial.is_none() {
            let allowed = self.text("ipv4/tcp_allowed_congestion_control").unwrap_or_default();
            if !allowed.split(' ').any(|word| word == new) {
                return Err(Errno::Perm);
            }
        }
        self.rare.texts.set(place, new);
        Ok(Effects::new())
    }

    /// `devinet_sysctl_forward` and `devinet_conf_proc` (`net/ipv4/devinet.c`).
    fn write_conf4(&mut self, whose: Whose, key: Conf4, number: i64, ports: &mut Ports) -> Result<Effects, Errno> {
        match whose {
            Whose::All if key == Conf4::Forwarding => {
                if self.all.v4.get(key) != number {
                    self.change_forwarding4(number, ports);
                }
            }
            Whose::All => self.all.v4.set(key, number),
            Whose::Default => {
                self.default.v4.set(key, number);
                // Interfaces follow as long as nobody set their own value or gave them an address.
                for port in ports.iter_mut().filter(|_| key != Conf4::Forwarding) {
                    port.conf.v4.follow_default(key, number);
                }
            }
            Whose::Port(index) => ports.get_mut(index).ok_or(Errno::NoEnt)?.conf.v4.set(key, number),
        }
        let flushes = matches!(
            key,
            Conf4::Forwarding
                | Conf4::AcceptLocal
                | Conf4::RouteLocalnet
                | Conf4::DisableXfrm
                | Conf4::DisablePolicy
                | Conf4::PromoteSecondaries
                | Conf4::BcForwarding
        );
        Ok(if flushes { vec![SysctlEffect::RouteCacheFlush] } else { Effects::new() })
    }

    /// `inet_forward_change`: a router does not listen to redirects, and all interfaces forward.
    fn change_forwarding4(&mut self, number: i64, ports: &mut Ports) {
        self.all.v4.set(Conf4::Forwarding, number);
        self.all.v4.set(Conf4::AcceptRedirects, i64::from(number == 0));
        self.default.v4.set(Conf4::Forwarding, number);
        for port in ports.iter_mut() {
            port.conf.v4.set(Conf4::Forwarding, number);
        }
    }

    /// `addrconf_sysctl_*` (`net/ipv6/addrconf.c`).
    fn write_conf6(&mut self, whose: Whose, key: Conf6, value: &str, ports: &mut Ports) -> Result<Effects, Errno> {
        let number = key.rule().accept(value)?;
        match (whose, key) {
            (Whose::All, Conf6::AddrGenMode) if number == 2 && self.default.rare.stable_secret.is_none() => {
                Err(Errno::Inval)
            }
            (Whose::Default, Conf6::AddrGenMode) if number == 2 && self.default.rare.stable_secret.is_none() => {
                Err(Errno::Inval)
            }
            (Whose::All, _) => {
                self.all.v6.set(key, number);
                Ok(self.spread6(key, number, ports))
            }
            (Whose::Default, _) => {
                self.default.v6.set(key, number);
                Ok(Effects::new())
            }
            (Whose::Port(index), _) => {
                let port = ports.get_mut(index).ok_or(Errno::NoEnt)?;
                if key == Conf6::Mtu && number > i64::from(port.mtu) {
                    return Err(Errno::Inval);
                }
                let secret = port.conf.rare.stable_secret.or(self.default.rare.stable_secret);
                if key == Conf6::AddrGenMode && number == 2 && secret.is_none() {
                    return Err(Errno::Inval);
                }
                Ok(set6(port, key, number).into_iter().collect())
            }
        }
    }

    /// What is written to `conf/all` goes to all interfaces, for some sysctls.
    fn spread6(&mut self, key: Conf6, number: i64, ports: &mut Ports) -> Effects {
        let to_default = matches!(
            key,
            Conf6::Forwarding | Conf6::DisableIpv6 | Conf6::AddrGenMode | Conf6::IgnoreRoutesWithLinkdown
        );
        if !to_default && key != Conf6::ForceForwarding {
            return Effects::new();
        }
        if to_default {
            self.default.v6.set(key, number);
        }
        let mut effects = Effects::new();
        for port in ports.iter_mut().filter(|port| port.has_ipv6()) {
            effects.extend(set6(port, key, number));
        }
        effects
    }

    fn write_secret(&mut self, whose: Whose, value: &str, ports: &mut Ports) -> Result<Effects, Errno> {
        let secret: Ipv6Addr = value.trim_ascii().parse().map_err(|_| Errno::Io)?;
        match whose {
            Whose::All => return Err(Errno::Io),
            Whose::Default => {
                self.default.rare.stable_secret = Some(secret);
                for port in ports.iter_mut().filter(|port| port.has_ipv6()) {
                    set6(port, Conf6::AddrGenMode, 2);
                }
            }
            Whose::Port(index) => {
                let port = ports.get_mut(index).ok_or(Errno::NoEnt)?;
                port.conf.rare.stable_secret = Some(secret);
                set6(port, Conf6::AddrGenMode, 2);
            }
        }
        Ok(Effects::new())
    }
}

/// Sets an interface's IPv6 sysctl; tells what must follow.
fn set6(port: &mut Port, key: Conf6, new: i64) -> Option<SysctlEffect> {
    let old = port.conf.v6.get(key);
    port.conf.v6.set(key, new);
    let switched = (old == 0) != (new == 0);
    match key {
        Conf6::DisableIpv6 if switched => Some(SysctlEffect::Ipv6Disabled(port.index, new != 0)),
        Conf6::Forwarding if switched => Some(SysctlEffect::Ipv6Forwarding(port.index, new != 0)),
        Conf6::AddrGenMode => {
            port.addrgenmode = new as u8;
            (old != new).then_some(SysctlEffect::AddrGenMode(port.index))
        }
        _ => None,
    }
}
