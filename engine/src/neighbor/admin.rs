//! What the administrator does: `ip neigh add|change|replace|del`, and what happens to a link.

use super::entry::{Entry, is_valid};
use super::update::Power;
use super::{Key, Nature, Neighbors, version_of};
use crate::addr::{IpAddr, Ipv4Addr};
use crate::config::IpVersion;
use crate::control::{Errno, IfIndex, NeighborMode, NeighborSpec, Nud, Refusal};
use crate::time::Time;

impl<T: 'static> Neighbors<T> {
    /// `ip neigh add|change|replace` (`neigh_add`). The caller has seen that the interface exists, and tells what the
    /// address is there. Makes actions.
    ///
    /// Linux keeps the empty entry of an `add` that it refused for want of a MAC; so does this.
    pub fn add(&mut self, now: Time, mode: NeighborMode, spec: &NeighborSpec, nature: Nature) -> Result<(), Refusal> {
        if spec.proxy {
            self.proxies.add(spec);
            return Ok(());
        }
        let asked = Key { port: spec.index, ip: spec.destination };
        let key = match (self.table.get(asked).is_some(), mode) {
            (true, NeighborMode::Add) => return Err(Errno::Exist.into()),
            (false, NeighborMode::Change) => return Err(Errno::NoEnt.into()),
            (true, _) => asked,
            (false, _) => self.add_empty(now, asked, spec, nature)?,
        };
        if let Some(entry) = self.table.get_mut(key) {
            entry.extern_learn = spec.extern_learn;
            if spec.protocol != 0 {
                entry.protocol = spec.protocol;
            }
        }
        let updated = self.update(now, key, spec.lladdr, spec.state, Power { replace: true, admin: true });
        if let Some(entry) = self.table.get_mut(key) {
            // An update that is refused, or that takes the MAC away, ends before it comes to the router flag.
            if updated.is_ok() && is_valid(spec.state) {
                entry.router = spec.router;
            }
            let collectable = entry.state != Nud::Permanent && !entry.extern_learn;
            self.set_collectable(key, collectable);
        }
        updated
    }

    /// Makes the entry that is then updated, and returns its key.
    fn add_empty(&mut self, now: Time, asked: Key, spec: &NeighborSpec, nature: Nature) -> Result<Key, Refusal> {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let key = if nature == Nature::Loopback { Key { ip: any, ..asked } } else { asked };
        let exempt = spec.state == Nud::Permanent || spec.extern_learn;
        if !exempt && !self.make_room(now, key) {
            return Err(Errno::NoBufs.into());
        }
        if self.table.get(key).is_none() {
            self.create(now, key, !exempt, nature);
        }
        Ok(key)
    }

    /// `ip neigh del` (`neigh_delete`). Makes actions.
    pub fn delete(&mut self, now: Time, spec: &NeighborSpec) -> Result<(), Refusal> {
        let key = Key { port: spec.index, ip: spec.destination };
        if spec.proxy {
            let removed = self.proxies.entries.remove(&(key.port, key.ip));
            return removed.map(|_| ()).ok_or(Errno::NoEnt.into());
        }
        if self.table.get(key).is_none() {
            return Err(Errno::NoEnt.into());
        }
        self.update(now, key, None, Nud::Failed, Power { replace: true, admin: true })?;
        self.remove(key);
        Ok(())
    }

    /// Entries of this link and version go; permanent ones only if `permanent` says so: not when the carrier is lost
    /// (`neigh_carrier_down`), but when the MAC changes (`neigh_changeaddr`). Makes actions.
    pub fn flush(&mut self, port: IfIndex, version: IpVersion, permanent: bool) {
        let of = |entry: &&Entry<T>| {
            let here = entry.key.port == port && version_of(entry.key.ip) == version;
            here && (permanent || entry.state != Nud::Permanent)
        };
        let mut keys: Vec<Key> = self.table.iter().filter(of).map(|entry| entry.key).collect();
        keys.sort_unstable();
        keys.into_iter().for_each(|key| self.remove(key));
    }

    /// The link went down: all its entries go, the permanent ones, the proxies and the deferred requests too
    /// (`neigh_ifdown`). Makes actions.
    pub fn port_down(&mut self, port: IfIndex) {
        for version in [IpVersion::V4, IpVersion::V6] {
            self.flush(port, version, true);
            self.remove_proxies(port, version);
        }
    }

    /// The link is gone, with its timings. Makes actions.
    pub fn port_removed(&mut self, port: IfIndex) {
        self.port_down(port);
        for version in [IpVersion::V4, IpVersion::V6] {
            self.reachable.retain(|(at, _)| *at != (port, version));
            self.timings.change(|timings| timings.retain(|(at, _)| *at != (port, version)));
        }
    }
}
