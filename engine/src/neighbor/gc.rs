//! Making entries, and taking those away that nobody needs: `neigh_alloc`, `neigh_forced_gc`, `neigh_periodic_work`.

use super::entry::in_timer;
use super::{Entry, Family, Key, Neighbors};
use crate::addr::{IpAddr, Mac};
use crate::control::Nud;
use crate::reason::DropReason;
use crate::time::{Duration, Time};

/// An entry that changed within this time is not collected by force.
const FRESH: Duration = Duration::from_secs(5);

impl<T> Neighbors<T> {
    /// Sees that there is an entry; a new one has no state yet. `false` if the table is full.
    pub(super) fn find_or_create(&mut self, now: Time, key: Key) -> bool {
        self.table.get(key).is_some() || self.make_room(now, key) && self.create(now, key, true)
    }

    pub(super) fn make_noarp(&mut self, now: Time, key: Key, mac: Mac) {
        if self.table.get(key).is_none() && self.find_or_create(now, key) {
            let confirmed = now.0 as i64;
            if let Some(entry) = self.table.get_mut(key) {
                (entry.mac, entry.confirmed, entry.cached) = (mac, confirmed, true);
                entry.enter(Nud::Noarp);
            }
        }
    }

    /// Makes an entry, which counts for the limits if it is `collectable`. True.
    pub(super) fn create(&mut self, now: Time, key: Key, collectable: bool) -> bool {
        let base = self.conf_of(key).base_reachable_time;
        self.born += 1;
        self.table.insert(Entry { collectable, ..Entry::new(now, key, base, self.born) });
        self.collectable[Family::of(key.ip) as usize] += usize::from(collectable);
        true
    }

    /// Takes an entry out; what is parked for it is discarded silently.
    pub(super) fn remove(&mut self, key: Key) {
        self.discard_parked(key, DropReason::NeighborRemoved);
        self.disarm(key);
        if let Some(entry) = self.table.remove(key) {
            self.collectable[Family::of(key.ip) as usize] -= usize::from(entry.collectable);
        }
    }

    /// Sets whether an entry counts for the limits.
    pub(super) fn set_collectable(&mut self, key: Key, collectable: bool) {
        if let Some(entry) = self.table.get_mut(key)
            && entry.collectable != collectable
        {
            entry.collectable = collectable;
            let count = &mut self.collectable[Family::of(key.ip) as usize];
            *count = if collectable { *count + 1 } else { *count - 1 };
        }
    }

    /// Sees that one more entry is within the limits, at the cost of old ones. `false` if it is not.
    pub(super) fn make_room(&mut self, now: Time, key: Key) -> bool {
        let family = Family::of(key.ip);
        let at = family as usize;
        let (count, limits) = (self.collectable[at], self.limits[at]);
        let rested = self.flushed[at].is_none_or(|last| now > last + FRESH);
        if count < limits.gc_thresh3 && (count < limits.gc_thresh2 || !rested) {
            return true;
        }
        let most = count.saturating_sub(limits.gc_thresh2).max(1);
        let shrunk = self.collect_by_force(now, family, most);
        self.flushed[at] = Some(now);
        shrunk > 0 || count < limits.gc_thresh3
    }

    /// Removes up to `most` entries that are idle, the oldest first.
    fn collect_by_force(&mut self, now: Time, family: Family, most: usize) -> usize {
        let idle = |entry: &&Entry<T>| {
            let useless = matches!(entry.state, Nud::Failed | Nud::Noarp) || is_multicast(entry.key.ip);
            let may = entry.collectable && Family::of(entry.key.ip) == family && entry.timer.is_none();
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

    /// The periodic collection, if its time has come: unused and failed entries go, where a family has enough of them.
    pub(super) fn collect(&mut self, now: Time) {
        if self.next_collection().is_none_or(|at| at > now) {
            return;
        }
        for family in [Family::Inet, Family::Inet6] {
            if self.is_crowded(family) {
                let of = |entry: &&Entry<T>| Family::of(entry.key.ip) == family && self.may_collect(entry);
                let mut old: Vec<Key> = self
                    .table
                    .iter()
                    .filter(of)
                    .filter(|entry| self.old_at(entry) <= now)
                    .map(|entry| entry.key)
                    .collect();
                old.sort_unstable();
                old.into_iter().for_each(|key| self.remove(key));
            }
        }
    }

    /// When the first entry may be collected. (Linux looks every 15 seconds; this looks when there is something to see.)
    pub(super) fn next_collection(&self) -> Option<Time> {
        let crowded = [Family::Inet, Family::Inet6].map(|family| self.is_crowded(family));
        if crowded == [false; 2] {
            return None;
        }
        let of = |entry: &&Entry<T>| crowded[Family::of(entry.key.ip) as usize] && self.may_collect(entry);
        self.table.iter().filter(of).map(|entry| self.old_at(entry)).min()
    }

    fn is_crowded(&self, family: Family) -> bool {
        // A cheap look first: the whole table is mostly below the threshold.
        let limit = self.limits[family as usize].gc_thresh1;
        self.table.len() >= limit
            && self.table.iter().filter(|entry| Family::of(entry.key.ip) == family).count() >= limit
    }

    fn may_collect(&self, entry: &Entry<T>) -> bool {
        entry.state != Nud::Permanent && !in_timer(entry.state) && !entry.extern_learn
    }

    fn old_at(&self, entry: &Entry<T>) -> Time {
        let last = entry.used.max(Time(entry.confirmed.max(0) as u64));
        let keep = if entry.state == Nud::Failed { Duration::ZERO } else { self.conf_of(entry.key).gc_stale_time };
        let period = self.conf_of(entry.key).base_reachable_time / 2;
        on_grid(last + keep, period)
    }
}

/// The next time at which the periodic collection runs.
fn on_grid(at: Time, period: Duration) -> Time {
    match u64::try_from(period.as_nanos()) {
        Ok(period) if period > 0 => Time(at.0.checked_next_multiple_of(period).unwrap_or(u64::MAX)),
        _ => at,
    }
}

fn is_multicast(ip: IpAddr) -> bool {
    ip.is_multicast()
}
