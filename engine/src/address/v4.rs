//! IPv4 addresses of a port: `net/ipv4/devinet.c`.

use super::{Address4, flag};
use crate::addr::{Address, Ipv4Addr, Prefix};
use crate::config::{Config, Effect, IpVersion};
use crate::control::{AddressMode, AddressSpec, Errno, IfIndex, Lifetime, Refusal, RouteKind, protocol, scope, table};
use crate::link::name::NAME_MAX;
use crate::link::{Name, Port};
use crate::route::{Net, NextHop, Route};
use crate::time::{Duration, Time};

/// Flags that only IPv6 addresses have (`IPV6ONLY_FLAGS`).
const ONLY_IPV6: u32 = flag::NODAD
    | flag::OPTIMISTIC
    | flag::DADFAILED
    | flag::HOMEADDRESS
    | flag::TENTATIVE
    | flag::MANAGETEMPADDR
    | flag::STABLE_PRIVACY;

impl Address4 {
    /// The network: of the peer, which is the address itself unless one was said.
    pub fn prefix(&self) -> Prefix<Ipv4Addr> {
        Prefix::of(self.peer, self.length)
    }

    /// True if it came after another of the same network.
    pub fn is_secondary(&self) -> bool {
        self.flags & flag::SECONDARY != 0
    }

    /// True if `other` is in the same network, by the same mask.
    fn same_network(&self, other: &Address4) -> bool {
        self.length == other.length && self.prefix() == other.prefix()
    }

    /// `127.0.0.1/8`, which `lo` gets when it comes up.
    pub(crate) fn loopback(label: &str) -> Address4 {
        Address4 {
            local: Ipv4Addr::LOCALHOST,
            peer: Ipv4Addr::LOCALHOST,
            length: 8,
            broadcast: None,
            scope: scope::HOST,
            flags: flag::PERMANENT,
            label: label.into(),
            metric: 0,
            protocol: super::protocol::KERNEL_LO,
            valid: Lifetime::FOREVER,
            preferred: Lifetime::FOREVER,
        }
    }

    /// `set_ifa_lifetime`. An address that is valid for ever shows no other preferred lifetime than for ever.
    fn set_lifetimes(&mut self, now: Time, spec: &AddressSpec) {
        self.flags &= !(flag::PERMANENT | flag::DEPRECATED);
        if spec.preferred == Some(0) {
            self.flags |= flag::DEPRECATED;
        }
        self.valid = until(now, spec.valid);
        self.preferred = until(now, spec.preferred);
        if self.valid == Lifetime::FOREVER {
            self.flags |= flag::PERMANENT;
            self.preferred = Lifetime::FOREVER;
        }
    }
}

/// When a lifetime of so many seconds ends.
pub(super) fn until(now: Time, seconds: Option<u32>) -> Lifetime {
    seconds.map_or(Lifetime::FOREVER, |s| Lifetime::until(now + Duration::from_secs(s.into())))
}

/// True for lifetimes that no address can have.
pub(super) fn bad_lifetimes(spec: &AddressSpec) -> bool {
    let valid = spec.valid.unwrap_or(u32::MAX);
    valid == 0 || spec.preferred.unwrap_or(u32::MAX) > valid
}

fn refuse<T>(errno: Errno, text: &str) -> Result<T, Refusal> {
    Err(Refusal::because(errno, text))
}

/// The address that is asked for, if there can be such a one (`rtm_to_ifaddr`).
fn requested(config: &mut Config, now: Time, spec: &AddressSpec, local: Ipv4Addr) -> Result<Address4, Refusal> {
    if spec.label.as_ref().is_some_and(|label| label.len() > NAME_MAX) {
        return refuse(Errno::Range, "Attribute failed policy validation");
    }
    if spec.length > 32 {
        return refuse(Errno::Inval, "ipv4: Invalid prefix length");
    }
    let Some(port) = config.ports.get_mut(spec.index) else {
        return refuse(Errno::NoDev, "ipv4: Device not found");
    };
    if !port.has_ipv4() {
        return Err(Errno::NoBufs.into());
    }
    port.conf.v4.fix_all();
    if bad_lifetimes(spec) {
        return refuse(Errno::Inval, "ipv4: address lifetime invalid");
    }
    let noprefixroute = if spec.noprefixroute { flag::NOPREFIXROUTE } else { 0 };
    let mut address = Address4 {
        local,
        peer: spec.peer.and_then(Ipv4Addr::from_ip).unwrap_or(local),
        length: spec.length,
        broadcast: spec.broadcast,
        scope: spec.scope.unwrap_or(scope::UNIVERSE),
        flags: (spec.flags & !ONLY_IPV6 & !flag::SECONDARY) | noprefixroute,
        label: spec.label.as_ref().map_or(port.name, Name::from),
        metric: spec.metric.unwrap_or(0),
        protocol: spec.protocol,
        valid: Lifetime::FOREVER,
        preferred: Lifetime::FOREVER,
    };
    address.set_lifetimes(now, spec);
    Ok(address)
}

impl Config {
    /// `ip addr add|change|replace` (`inet_rtm_newaddr`). A change of an address that is not there adds it.
    pub(crate) fn address4_add(
        &mut self,
        now: Time,
        mode: AddressMode,
        spec: &AddressSpec,
        local: Ipv4Addr,
    ) -> Result<(), Refusal> {
        let address = requested(self, now, spec, local)?;
        let Some(port) = self.ports.get(spec.index) else { return Err(Errno::NoDev.into()) };
        let same = |other: &Address4| other.same_network(&address) && other.local == address.local;
        let Some(place) = port.addresses4.iter().position(same) else {
            if address.flags & flag::MCAUTOJOIN != 0 && !local.is_multicast() {
                return refuse(Errno::Inval, "ipv4: Multicast auto join failed");
            }
            return self.address4_insert(now, spec.index, address);
        };
        if mode == AddressMode::Add {
            return refuse(Errno::Exist, "ipv4: Address already assigned");
        }
        self.address4_modify(now, spec, place, address);
        Ok(())
    }

    fn address4_modify(&mut self, now: Time, spec: &AddressSpec, place: usize, new: Address4) {
        self.address4_metric(spec.index, place, new.metric);
        let port = self.ports.get_mut(spec.index);
        if let Some(address) = port.and_then(|port| port.addresses4.get_mut(place)) {
            address.metric = new.metric;
            address.protocol = new.protocol;
            address.set_lifetimes(now, spec);
        }
    }

    /// Moves the connected route to another metric (`fib_modify_prefix_metric`).
    fn address4_metric(&mut self, index: IfIndex, place: usize, metric: u32) {
        let Some(port) = self.ports.get(index) else { return };
        let Some(address) = port.addresses4.get(place).filter(|address| address.metric != metric) else { return };
        let prefix = address.prefix();
        let routeless = address.flags & (flag::SECONDARY | flag::NOPREFIXROUTE) != 0;
        let own_host = prefix == Prefix::host(address.local);
        if !port.is_up() || routeless || own_host || prefix.address().is_unspecified() {
            return;
        }
        let local = port.is_loopback();
        let way = NextHop { linkdown: !port.carrier, ..NextHop::on_link(index) };
        let old = Route {
            kind: if local { RouteKind::Local } else { RouteKind::Unicast },
            table: if local { table::LOCAL } else { table::MAIN },
            scope: if local { scope::HOST } else { scope::LINK },
            protocol: protocol::KERNEL,
            metric: address.metric,
            prefsrc: Some(address.local),
            ..Route::new(prefix, way)
        };
        self.rib4.insert_kernel(Route { metric, ..old.clone() });
        self.rib4.remove_kernel(&old);
    }

    /// Puts an address on the port (`__inet_insert_ifa`): primaries stand by scope, from host to universe, secondaries
    /// behind all of them.
    pub(crate) fn address4_insert(&mut self, now: Time, index: IfIndex, mut new: Address4) -> Result<(), Refusal> {
        let Some(port) = self.ports.get_mut(index) else { return Err(Errno::NoDev.into()) };
        if new.local.is_unspecified() {
            // Taken, and forgotten.
            return Ok(());
        }
        let mut behind_primaries = 0;
        for (place, other) in port.addresses4.iter().enumerate() {
            if !other.is_secondary() && new.scope <= other.scope {
                behind_primaries = place + 1;
            }
            if other.same_network(&new) {
                if other.local == new.local {
                    return refuse(Errno::Exist, "ipv4: Address already assigned");
                }
                if other.scope != new.scope {
                    return refuse(Errno::Inval, "ipv4: Invalid scope value");
                }
                new.flags |= flag::SECONDARY;
            }
        }
        let place = if new.is_secondary() { port.addresses4.len() } else { behind_primaries };
        port.addresses4.insert(place, new.clone());
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib4.address_added(net, index, &new);
        Ok(())
    }

    /// `ip addr del` (`inet_rtm_deladdr`): the first address that agrees in all that was said.
    pub(crate) fn address4_delete(&mut self, now: Time, spec: &AddressSpec, local: Ipv4Addr) -> Result<(), Refusal> {
        let Some(port) = self.ports.get(spec.index).filter(|port| port.has_ipv4()) else {
            return refuse(Errno::NoDev, "ipv4: Device not found");
        };
        let said = spec.peer.and_then(Ipv4Addr::from_ip).unwrap_or(local);
        let agrees = |address: &Address4| {
            address.local == local
                && spec.label.as_ref().is_none_or(|label| address.label == *label)
                && (spec.any_prefix || (spec.length == address.length && address.prefix().contains(said)))
        };
        let Some(place) = port.addresses4.iter().position(agrees) else {
            return refuse(Errno::AddrNotAvail, "ipv4: Address not found");
        };
        self.address4_remove(now, spec.index, place, true);
        Ok(())
    }

    /// Takes an address off the port (`__inet_del_ifa`). With a primary go its secondaries, or one of them takes its place
    /// if `promote_secondaries` is set (and `may_promote`).
    pub(crate) fn address4_remove(&mut self, now: Time, index: IfIndex, place: usize, may_promote: bool) {
        let Some(port) = self.ports.get(index) else { return };
        let Some(gone) = port.addresses4.get(place).cloned() else { return };
        let promotes = may_promote && self.sysctls.on_port(&port.conf).promote_secondaries();
        let heir = promotes && !gone.is_secondary();
        let heir =
            heir.then(|| port.addresses4.iter().position(|a| a.is_secondary() && a.same_network(&gone))).flatten();
        if heir.is_none() && !gone.is_secondary() {
            self.address4_remove_secondaries(now, index, &gone);
        }
        if heir.is_some() {
            self.address4_without_primary(now, index, &gone);
        }
        let Some(port) = self.ports.get_mut(index) else { return };
        if place < port.addresses4.len() {
            port.addresses4.remove(place);
        }
        self.address4_gone(now, index, &gone, None);
        if let Some(heir) = heir {
            self.address4_promote(now, index, &gone, heir - 1, place);
        }
    }

    fn address4_remove_secondaries(&mut self, now: Time, index: IfIndex, primary: &Address4) {
        let of_primary = |address: &Address4| address.is_secondary() && address.same_network(primary);
        loop {
            let Some(port) = self.ports.get_mut(index) else { return };
            let Some(place) = port.addresses4.iter().position(of_primary) else { return };
            let gone = port.addresses4.remove(place);
            self.address4_gone(now, index, &gone, None);
        }
    }

    /// The routes of a primary's secondaries name the primary as their source; all are made anew after the promotion.
    fn address4_without_primary(&mut self, now: Time, index: IfIndex, primary: &Address4) {
        let Some(port) = self.ports.get(index) else { return };
        let secondaries = port.addresses4.iter().filter(|a| a.is_secondary() && a.same_network(primary));
        let net = Net::new(now, &self.ports, &self.sysctls);
        for secondary in secondaries {
            self.rib4.address_removed(net, index, secondary, Some(primary));
        }
    }

    /// The secondary at `heir` becomes primary, behind the primaries of its scope; `place` is where the old one stood.
    fn address4_promote(&mut self, now: Time, index: IfIndex, gone: &Address4, heir: usize, place: usize) {
        let Some(port) = self.ports.get_mut(index) else { return };
        let Some(mut new) = (heir < port.addresses4.len()).then(|| port.addresses4.remove(heir)) else { return };
        let primaries = port.addresses4.iter().enumerate().skip(place).take(heir.saturating_sub(place));
        let behind =
            primaries.filter(|(_, a)| !a.is_secondary() && gone.scope <= a.scope).map(|(at, _)| at + 1).next_back();
        new.flags &= !flag::SECONDARY;
        port.addresses4.insert(behind.unwrap_or(place), new.clone());
        let Some(port) = self.ports.get(index) else { return };
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib4.address_added(net, index, &new);
        for secondary in port.addresses4.iter().filter(|a| a.is_secondary() && a.same_network(gone)) {
            self.rib4.address_added(net, index, secondary);
        }
    }

    /// What follows when an address is off its port (`fib_inetaddr_event`): its routes go, and with the last address all
    /// routes and neighbours of the port.
    fn address4_gone(&mut self, now: Time, index: IfIndex, gone: &Address4, promoted: Option<&Address4>) {
        let net = Net::new(now, &self.ports, &self.sysctls);
        self.rib4.address_removed(net, index, gone, promoted);
        self.effects.push(Effect::AddressGone(index, gone.local));
        if self.ports.get(index).is_some_and(|port| port.addresses4.is_empty()) {
            self.rib4.device_down(net, index, true);
            self.effects.push(Effect::IpGone { port: index, version: IpVersion::V4 });
        }
    }

    /// Takes all addresses off a port that goes, or whose MTU no longer carries IPv4 (`inetdev_destroy`).
    pub(crate) fn address4_remove_all(&mut self, now: Time, index: IfIndex) {
        while self.ports.get(index).is_some_and(|port| !port.addresses4.is_empty()) {
            self.address4_remove(now, index, 0, false);
        }
    }

    /// Labels follow a new name (`inetdev_changename`): the first address takes it whole, the others keep what follows
    /// their colon, or get their number.
    pub(crate) fn address4_relabel(&mut self, index: IfIndex) {
        let Some(port) = self.ports.get_mut(index) else { return };
        for (place, address) in port.addresses4.iter_mut().enumerate() {
            let suffix = match address.label.find(':') {
                _ if place == 0 => String::new(),
                Some(colon) => address.label[colon..].to_string(),
                None => format!(":{}", place + 1),
            };
            let mut room = NAME_MAX.saturating_sub(suffix.len()).min(port.name.len());
            while !port.name.is_char_boundary(room) {
                room -= 1;
            }
            address.label = Name::new(&format!("{}{suffix}", &port.name[..room]));
        }
    }

    /// Deprecates and removes addresses whose time has come (`check_lifetime`).
    pub(crate) fn address4_expire(&mut self, now: Time) {
        let indexes: Vec<IfIndex> = self.ports.iter().map(|port| port.index).collect();
        for index in indexes {
            while let Some(place) = self.address4_expired(now, index) {
                self.address4_remove(now, index, place, true);
            }
        }
    }

    /// Deprecates what is due on the port; tells the first address that is to go.
    fn address4_expired(&mut self, now: Time, index: IfIndex) -> Option<usize> {
        let port = self.ports.get_mut(index)?;
        for address in port.addresses4.iter_mut().filter(|address| address.preferred.is_over(now)) {
            address.flags |= flag::DEPRECATED;
        }
        port.addresses4.iter().position(|address| address.valid.is_over(now))
    }
}

impl Port {
    /// True if IPv4 has state for it: its MTU carries IPv4.
    pub fn has_ipv4(&self) -> bool {
        self.mtu >= 68
    }
}
