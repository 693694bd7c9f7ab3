//! What the administrator does: `ip neigh add|change|replace|del`, and what happens to a link.

use super::entry::is_valid;
use super::proxy::ProxyEntry;
use super::update::Power;
use super::{Family, Key, Neighbors};
use crate::control::{Errno, IfIndex, NeighborMode, NeighborSpec, Nud, Refusal};
use crate::time::Time;

impl<T> Neighbors<T> {
    /// `ip neigh add|change|replace` (`neigh_add`). The caller has seen that the interface exists. Makes actions.
    ///
    /// Note that Linux keeps the empty entry of an `add` that it refused for want of a MAC.
    pub fn add(&mut self, now: Time, mode: NeighborMode, spec: &NeighborSpec) -> Result<(), Refusal> {
        let key = Key { port: spec.index, ip: spec.destination };
        if spec.proxy {
            let &NeighborSpec { protocol, router, extern_learn, .. } = spec;
            self.proxies.entries.insert((key.port, key.ip), ProxyEntry { protocol, router, extern_learn });
            return Ok(());
        }
        match (self.table.get(key).is_some(), mode) {
            (true, NeighborMode::Add) => return Err(Errno::Exist.into()),
            (false, NeighborMode::Change) => return Err(Errno::NoEnt.into()),
            (true, _) => {}
            (false, _) => {
                let exempt = spec.state == Nud::Permanent || spec.extern_learn;
                if !exempt && !self.make_room(now, key) {
                    return Err(Errno::NoBufs.into());
                }
                self.create(now, key, !exempt);
            }
        }
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

    /// The link went down, or got another MAC: all its entries of this family go, permanent ones too (`neigh_ifdown`,
    /// `neigh_changeaddr`). Makes actions.
    pub fn flush(&mut self, port: IfIndex, family: Family) {
        self.remove_if(port, |_| true, family);
    }

    /// The link lost its carrier: its entries of this family go, but for permanent ones (`neigh_carrier_down`). Makes
    /// actions.
    pub fn carrier_lost(&mut self, port: IfIndex, family: Family) {
        self.remove_if(port, |state| state != Nud::Permanent, family);
    }

    /// The link is gone, with its timings. Makes actions.
    pub fn port_removed(&mut self, port: IfIndex) {
        for family in [Family::Inet, Family::Inet6] {
            self.flush(port, family);
            self.parms.remove(&(port, family));
        }
        self.remove_proxies(port);
    }

    fn remove_if(&mut self, port: IfIndex, wanted: impl Fn(Nud) -> bool, family: Family) {
        let of = |key: Key| key.port == port && Family::of(key.ip) == family;
        let mut keys: Vec<Key> =
            self.table.iter().filter(|entry| of(entry.key) && wanted(entry.state)).map(|entry| entry.key).collect();
        keys.sort_unstable();
        keys.into_iter().for_each(|key| self.remove(key));
    }
}
