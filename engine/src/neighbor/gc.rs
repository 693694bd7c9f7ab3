//! Making entries, and taking those away that nobody needs: `neigh_alloc`, `neigh_forced_gc`, `neigh_periodic_work`.

use super::entry::in_timer;
use super::{Entry, Key, Nature, Neighbors, version_of};
use crate::addr::{IpAddr, Mac};
use crate::config::IpVersion;
use crate::control::Nud;
use crate::reason::DropReason;
use crate::time::{Duration, Time};

/// Nanoseconds between two looks for old entries (half of the default reachable time).
const PERIOD: u64 = 15_000_000_000;
/// An entry that changed within this time is not collected by force.
const FRESH: Duration = Duration::from_secs(5);

impl<T: 'static> Neighbors<T> {
    /// Sees that there is an entry; a new one has no state yet. `false` if the table is full.
    pub(super) fn find_or_create(&mut self, now: Time, key: Key) -> bool {
        self.table.get(key).is_some() || self.make_room(now, key) && self.create(now, key, true, Nature::Unicast)
    }

    /// Makes an entry, which counts for the limits if it is `collectable`. True.
    pub(super) fn create(&mut self, now: Time, key: Key, collectable: bool, nature: Nature) -> bool {
        let base = self.conf_of(key).base_reachable_time;
        let version = version_of(key.ip);
        if !self.is_crowded(version) {
            self.collected = self.collected.max(now);
        }
        self.born += 1;
        let mut entry = Entry { collectable, ..Entry::new(now, key, base, self.born) };
        let known = match nature {
            Nature::Unicast => None,
            Nature::Noarp(mac) => Some(mac),
            Nature::Loopback => Some(Mac::ZERO),
        };
        if let Some(mac) = known {
            (entry.mac, entry.cached) = (mac, true);
            entry.enter(Nud::Noarp);
        }
        self.table.insert(entry);
        self.counts[version as usize] += 1;
        self.collectable[version as usize] += u32::from(collectable);
        true
    }

    /// Takes an entry out; what is parked for it is discarded silently.
    pub(super) fn remove(&mut self, key: Key) {
        self.discard_parked(key, DropReason::NeighborRemoved);
        self.disarm(key);
        if let Some(entry) = self.table.remove(key) {
            self.counts[version_of(key.ip) as usize] -= 1;
            self.collectable[version_of(key.ip) as usize] -= u32::from(entry.collectable);
        }
    }

    /// Sets whether an entry counts for the limits.
    pub(super) fn set_collectable(&mut self, key: Key, collectable: bool) {
        if let Some(entry) = self.table.get_mut(key)
            && entry.collectable != collectable
        {
            entry.collectable = collectable;
            let count = &mut self.collectable[version_of(key.ip) as usize];
            *count = if collectable { *count + 1 } else { *count - 1 };
        }
    }

    /// Sees that one more entry is within the limits, at the cost of old ones. `false` if it is not.
    pub(super) fn make_room(&mut self, now: Time, key: Key) -> bool {
        let version = version_of(key.ip);
        let at = version as usize;
        let (count, limits) = (self.collectable[at] as usize, self.bounds.limits[at]);
        let rested = self.bounds.flushed[at].is_none_or(|last| now > last + FRESH);
        if count < bound(limits.gc_thresh3) && (count < bound(limits.gc_thresh2) || !rested) {
            return true;
        }
        let most = (count + 1).saturating_sub(bound(limits.gc_thresh2)).max(1);
        let shrunk = self.collect_by_force(now, version, most);
        self.bounds.flushed[at] = Some(now);
        shrunk > 0 || count < bound(limits.gc_thresh3)
    }

    /// Removes up to `most` entries that are idle, the oldest first.
    fn collect_by_force(&mut self, now: Time, version: IpVersion, most: usize) -> usize {
        let idle = |entry: &&Entry<T>| {
            let useless = matches!(entry.state, Nud::Failed | Nud::Noarp) || is_multicast(entry.key.ip);
            let may = entry.collectable && version_of(entry.key.ip) == version && entry.timer.is_none();
            may && (useless || now.since(entry.updated) > FRESH)
        };
        let mut idle: Vec<(u64, Key)> = self.table.iter().filter(idle).map(|entry| (entry.born, entry.key)).collect();
        idle.sort_unstable();
        idle.truncate(most);
        for &(_, key) in &idle {
            self.remove(key);
        }
        idle.len()
    }

    /// The periodic collection, if its time has come: unused and failed entries go, where a version has enough of them.
    pub(super) fn collect(&mut self, now: Time) {
        if self.next_collection().is_none_or(|at| at > now) {
            return;
        }
        self.collected = now;
        let of = |entry: &&Entry<T>| self.is_crowded(version_of(entry.key.ip)) && self.is_old(now, entry);
        let mut old: Vec<Key> = self.table.iter().filter(of).map(|entry| entry.key).collect();
        old.sort_unstable();
        old.into_iter().for_each(|key| self.remove(key));
    }

    /// When to look for old entries: every 15 seconds, while there are enough of them.
    pub(super) fn next_collection(&self) -> Option<Time> {
        let wanted = |version| self.is_crowded(version) && self.collectable[version as usize] > 0;
        let any = wanted(IpVersion::V4) || wanted(IpVersion::V6);
        any.then(|| Time((self.collected.0 / PERIOD + 1).saturating_mul(PERIOD)))
    }

    fn is_crowded(&self, version: IpVersion) -> bool {
        self.counts[version as usize] as usize >= bound(self.bounds.limits[version as usize].gc_thresh1)
    }

    /// Nobody needs it any more: it failed, or was neither used nor confirmed for a while.
    fn is_old(&self, now: Time, entry: &Entry<T>) -> bool {
        let last = entry.used.max(Time(entry.confirmed.max(0) as u64));
        let stale = now.since(last) >= self.conf_of(entry.key).gc_stale_time;
        let exempt = entry.state == Nud::Permanent || in_timer(entry.state) || entry.extern_learn;
        !exempt && (entry.state == Nud::Failed || stale)
    }
}

fn bound(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(0)
}

fn is_multicast(ip: IpAddr) -> bool {
    ip.is_multicast()
}
