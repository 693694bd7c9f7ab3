//! What is learned of a neighbour: `__neigh_update`, `neigh_event_ns`, and the end of `arp_process`.

use super::entry::{in_timer, is_connected, is_valid, long_ago};
use super::{Action, Key, Neighbors};
use crate::addr::{IpAddr, Mac};
use crate::control::{Errno, IfIndex, Nud, Refusal};
use crate::time::Time;

/// An ARP packet that did not ask for us, as far as it concerns the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// A reply, in a frame addressed to us alone: only that proves that the neighbour is reachable.
    pub reply_to_us: bool,
    /// A gratuitous one (`arp_is_garp`): believed even within the locktime.
    pub gratuitous: bool,
    /// An unknown sender gets an entry (`arp_accept`). By default only known ones are updated.
    pub accept: bool,
}

/// How far an update may go (`NEIGH_UPDATE_F_*`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Power {
    /// A different MAC may replace the old one.
    pub(super) replace: bool,
    /// It comes from the administrator: permanent entries are not exempt.
    pub(super) admin: bool,
}

impl<T: 'static> Neighbors<T> {
    /// The neighbour `ip` asked for us (`neigh_event_ns`): it is known from now on, if not as reachable. `false` if the
    /// table is full: then Linux does not answer either. Makes actions.
    pub fn solicited(&mut self, now: Time, port: IfIndex, ip: IpAddr, mac: Mac) -> bool {
        let key = Key { port, ip };
        let known = self.find_or_create(now, key);
        if known {
            let power = Power { replace: true, admin: false };
            let _ = self.update(now, key, Some(mac), Nud::Stale, power);
        }
        known
    }

    /// An ARP packet of the sender `ip` was heard that did not ask for us. Makes actions.
    pub fn heard(&mut self, now: Time, port: IfIndex, ip: IpAddr, mac: Mac, heard: Heard) {
        let key = Key { port, ip };
        if heard.accept && !self.find_or_create(now, key) {
            return;
        }
        let locktime = self.conf_of(key).locktime;
        let Some(entry) = self.table.get(key) else { return };
        // Of several different answers at once the first is believed: it came from the fastest.
        let replace = now > entry.updated + locktime || heard.gratuitous;
        let state = if heard.reply_to_us { Nud::Reachable } else { Nud::Stale };
        let _ = self.update(now, key, Some(mac), state, Power { replace, admin: false });
    }

    /// Changes an entry's state and MAC, as far as the rules allow (`__neigh_update`).
    pub(super) fn update(
        &mut self,
        now: Time,
        key: Key,
        mac: Option<Mac>,
        new: Nud,
        power: Power,
    ) -> Result<(), Refusal> {
        let Some(entry) = self.table.get_mut(key) else { return Err(Errno::NoEnt.into()) };
        let old = entry.state;
        if !power.admin && matches!(old, Nud::Noarp | Nud::Permanent) {
            return Err(Errno::Perm.into());
        }
        if !is_valid(new) {
            self.forget(now, key, new);
            return Ok(());
        }
        let known = is_valid(old).then_some(entry.mac);
        let Some(mac) = mac.or(known) else {
            return Err(Refusal::because(Errno::Inval, "No link layer address given"));
        };
        if is_connected(new) {
            entry.confirmed = now.0 as i64;
        }
        let same = known == Some(mac);
        if known.is_some() && !same && !power.replace {
            return Ok(());
        }
        // A mere sign that it exists does not make a known entry worse.
        let new = if same && new == Nud::Stale && !power.admin { old } else { new };
        self.change(now, key, mac, new);
        Ok(())
    }

    /// The entry loses its MAC.
    fn forget(&mut self, now: Time, key: Key, new: Nud) {
        self.disarm(key);
        let Some(entry) = self.table.get_mut(key) else { return };
        let asking = matches!(entry.state, Nud::Incomplete | Nud::Probe);
        entry.enter(new);
        if asking && new == Nud::Failed {
            self.invalidate(now, key);
        }
    }

    /// Gives the entry this MAC and this valid state, and lets go what was parked for it.
    fn change(&mut self, now: Time, key: Key, mac: Mac, new: Nud) {
        let base = self.conf_of(key).base_reachable_time;
        let lasts = self.reachable_time(now, key);
        let Some(entry) = self.table.get_mut(key) else { return };
        let old = entry.state;
        if new != old || mac != entry.mac {
            entry.updated = now;
        }
        if mac != entry.mac {
            entry.mac = mac;
            if !is_connected(new) {
                entry.confirmed = long_ago(now, base);
            }
        }
        if new == old {
            return;
        }
        if new == Nud::Probe {
            entry.probes = 0;
        }
        entry.enter(new);
        self.disarm(key);
        match new {
            Nud::Reachable => self.arm(now, key, now + lasts),
            _ if in_timer(new) => self.arm(now, key, now),
            _ => {}
        }
        if !is_valid(old) {
            self.release(now, key);
        }
    }

    /// The MAC is known: what was parked goes out, and that uses the entry.
    fn release(&mut self, now: Time, key: Key) {
        let Some(entry) = self.table.get_mut(key) else { return };
        let (Key { port, ip }, mac, count) = (key, entry.mac, entry.parked.len());
        entry.parked_bytes = 0;
        self.parked -= count;
        let actions = entry.parked.drain(..).map(|(frame, with)| Action::Release { port, ip, mac, frame, with });
        self.actions.extend(actions);
        if count > 0 {
            self.touch(now, key);
        }
    }
}
