//! The forwarding database of a bridge: which port a MAC is behind (`br_fdb.c`).
//!
//! Records lie in a slab; a hash table finds them by MAC, and a list knows their order, the newest first, in which the
//! kernel lists them. The hash is fixed, so that equal frames give equal databases.

use crate::addr::Mac;
use crate::control::{IfIndex, Nud};
use crate::time::{Duration, Time};

/// Most records of one database. The kernel has no bound unless it is told one; a flood of forged MACs must end somewhere.
pub const MOST: usize = 1 << 16;

/// Expired records are looked for no more often than that (`br_fdb_cleanup`).
const PAUSE: Duration = Duration::from_millis(10);

/// No record.
const NONE: u32 = u32::MAX;

/// One record. Whether it ages depends on the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdbRecord {
    /// Who.
    pub mac: Mac,
    /// Behind which port; `None`: it is the bridge's own.
    pub port: Option<IfIndex>,
    /// Ours: frames to it are delivered (`BR_FDB_LOCAL`).
    pub local: bool,
    /// It does not age (`BR_FDB_STATIC`).
    pub fixed: bool,
    /// It does not move (`BR_FDB_STICKY`).
    pub sticky: bool,
    /// Somebody else's control plane learned it, and it does not age.
    pub extern_learn: bool,
    /// Set by request.
    pub by_user: bool,
    /// A frame went to it last.
    pub used: Time,
    /// A frame came from it last.
    pub updated: Time,
}

impl FdbRecord {
    /// One that was learned now.
    pub fn learned(mac: Mac, port: IfIndex, now: Time) -> FdbRecord {
        FdbRecord {
            mac,
            port: Some(port),
            local: false,
            fixed: false,
            sticky: false,
            extern_learn: false,
            by_user: false,
            used: now,
            updated: now,
        }
    }

    /// A MAC of our own.
    pub fn own(mac: Mac, port: Option<IfIndex>, now: Time) -> FdbRecord {
        FdbRecord { port, local: true, fixed: true, ..FdbRecord::learned(mac, 0, now) }
    }

    /// When it expires (`has_expired`).
    fn expiry(&self, hold: Duration) -> Option<Time> {
        (!self.fixed && !self.extern_learn).then(|| self.updated + hold)
    }

    /// How it is listed (`fdb_to_nud`).
    pub fn state(&self, now: Time, hold: Duration) -> Nud {
        match self.expiry(hold) {
            _ if self.local => Nud::Permanent,
            _ if self.fixed => Nud::Noarp,
            Some(expiry) if expiry <= now => Nud::Stale,
            _ => Nud::Reachable,
        }
    }

    /// Sets what a state says of it.
    pub fn set_state(&mut self, state: Nud) {
        self.local = state == Nud::Permanent;
        self.fixed = self.local || state == Nud::Noarp;
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    record: FdbRecord,
    /// The next one of the same bucket, or the next free one.
    chain: u32,
    newer: u32,
    older: u32,
}

/// The database.
#[derive(Debug)]
pub struct Fdb {
    nodes: Vec<Node>,
    free: u32,
    buckets: Vec<u32>,
    newest: u32,
    count: usize,
    /// When something expires: not later than that.
    gc: Option<Time>,
}

impl Default for Fdb {
    fn default() -> Fdb {
        Fdb { nodes: Vec::new(), free: NONE, buckets: vec![NONE; 64], newest: NONE, count: 0, gc: None }
    }
}

impl Fdb {
    /// An empty one.
    pub fn new() -> Fdb {
        Fdb::default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &FdbRecord> {
        let node = |at: u32| self.nodes.get(at as usize);
        let all = std::iter::successors(node(self.newest), move |last| node(last.older));
        all.map(|node| &node.record)
    }

    /// The record of a MAC.
    #[inline]
    pub fn find(&self, mac: Mac) -> Option<&FdbRecord> {
        self.nodes.get(self.position(mac)? as usize).map(|node| &node.record)
    }

    /// The same, to be changed. What it is of stays.
    #[inline]
    pub fn find_mut(&mut self, mac: Mac) -> Option<&mut FdbRecord> {
        let at = self.position(mac)? as usize;
        self.nodes.get_mut(at).map(|node| &mut node.record)
    }

    /// Adds a record; there must be none of its MAC. False if there is no room.
    pub fn insert(&mut self, record: FdbRecord, hold: Duration) -> bool {
        if self.count >= MOST {
            return false;
        }
        if self.count >= self.buckets.len() {
            self.grow();
        }
        let bucket = self.bucket(record.mac);
        let chain = self.buckets.get(bucket).copied().unwrap_or(NONE);
        let node = Node { record, chain, newer: NONE, older: self.newest };
        let at = match self.nodes.get_mut(self.free as usize) {
            Some(place) => {
                let at = self.free;
                self.free = place.chain;
                *place = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        if let Some(newest) = self.nodes.get_mut(self.newest as usize) {
            newest.newer = at;
        }
        self.newest = at;
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            *bucket = at;
        }
        self.count += 1;
        self.wake(&record, hold);
        true
    }

    /// Takes out the record of a MAC.
    pub fn remove(&mut self, mac: Mac) -> Option<FdbRecord> {
        let at = self.position(mac)?;
        let node = *self.nodes.get(at as usize)?;
        self.unchain(at, &node);
        match self.nodes.get_mut(node.newer as usize) {
            Some(newer) => newer.older = node.older,
            None => self.newest = node.older,
        }
        if let Some(older) = self.nodes.get_mut(node.older as usize) {
            older.newer = node.newer;
        }
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.chain = self.free;
        }
        self.free = at;
        self.count -= 1;
        Some(node.record)
    }

    /// Takes out all that are not kept, newest first.
    pub fn retain(&mut self, keep: impl Fn(&FdbRecord) -> bool) {
        let gone: Vec<Mac> = self.iter().filter(|record| !keep(record)).map(|record| record.mac).collect();
        for mac in gone {
            self.remove(mac);
        }
    }

    /// A record of this kind is new, or has just begun to age: it is looked at in time.
    pub fn wake(&mut self, record: &FdbRecord, hold: Duration) {
        if let Some(expiry) = record.expiry(hold) {
            self.gc = Some(self.gc.map_or(expiry, |gc| gc.min(expiry)));
        }
    }

    /// When [`Fdb::expire`] is wanted.
    pub fn deadline(&self) -> Option<Time> {
        self.gc
    }

    /// Takes out what has expired (`br_fdb_cleanup`), and works out when the next one does.
    pub fn expire(&mut self, now: Time, hold: Duration) {
        let gone = |record: &FdbRecord| record.expiry(hold).is_some_and(|expiry| expiry <= now);
        self.retain(|record| !gone(record));
        let next = self.iter().filter_map(|record| record.expiry(hold)).min();
        self.gc = next.map(|next| next.max(now + PAUSE));
    }

    #[inline]
    fn bucket(&self, Mac([a, b, c, d, e, f]): Mac) -> usize {
        let number = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        hash as usize & (self.buckets.len() - 1)
    }

    #[inline]
    fn position(&self, mac: Mac) -> Option<u32> {
        let mut at = *self.buckets.get(self.bucket(mac))?;
        loop {
            let node = self.nodes.get(at as usize)?;
            if node.record.mac == mac {
                return Some(at);
            }
            at = node.chain;
        }
    }

    fn unchain(&mut self, at: u32, node: &Node) {
        let bucket = self.bucket(node.record.mac);
        let Some(first) = self.buckets.get_mut(bucket) else { return };
        if *first == at {
            *first = node.chain;
            return;
        }
        let mut before = *first;
        while let Some(other) = self.nodes.get_mut(before as usize) {
            if other.chain == at {
                other.chain = node.chain;
                return;
            }
            before = other.chain;
        }
    }

    fn grow(&mut self) {
        self.buckets = vec![NONE; self.buckets.len() * 2];
        let mut at = self.newest;
        while let Some(node) = self.nodes.get(at as usize) {
            let (bucket, older) = (self.bucket(node.record.mac), node.older);
            if let (Some(first), Some(node)) = (self.buckets.get_mut(bucket), self.nodes.get_mut(at as usize)) {
                node.chain = core::mem::replace(first, at);
            }
            at = older;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const HOLD: Duration = Duration::from_secs(300);

    fn mac(number: u32) -> Mac {
        let [a, b, c, d] = number.to_be_bytes();
        Mac([2, 0, a, b, c, d])
    }

    /// Against a list that is searched from end to end.
    #[test]
    fn it_agrees_with_a_plain_list() {
        let (mut fdb, mut list, mut rng) = (Fdb::new(), Vec::<FdbRecord>::new(), Rng::new(7));
        for _ in 0..4000 {
            let mac = mac(rng.next() as u32 % 300);
            let known = list.iter().position(|record| record.mac == mac);
            if rng.next() % 3 == 0 {
                let gone = known.map(|at| list.remove(at));
                assert_eq!(fdb.remove(mac), gone);
            } else if known.is_none() {
                let record = FdbRecord::learned(mac, rng.next() as u32 % 5, Time::ZERO);
                list.insert(0, record);
                assert!(fdb.insert(record, HOLD));
            }
            assert_eq!(fdb.find(mac), list.iter().find(|record| record.mac == mac));
            assert_eq!(fdb.len(), list.len());
        }
        assert!(fdb.iter().eq(list.iter()), "newest first");
    }

    #[test]
    fn what_was_learned_ages_and_what_was_said_does_not() {
        let mut fdb = Fdb::new();
        let at = |seconds| Time::ZERO + Duration::from_secs(seconds);
        fdb.insert(FdbRecord::own(mac(1), None, at(0)), HOLD);
        assert_eq!(fdb.deadline(), None, "nothing to wait for");
        fdb.insert(FdbRecord::learned(mac(2), 5, at(10)), HOLD);
        fdb.insert(FdbRecord::learned(mac(3), 5, at(20)), HOLD);
        assert_eq!(fdb.deadline(), Some(at(310)));
        fdb.find_mut(mac(2)).expect("it is known").updated = at(100);
        fdb.expire(at(310), HOLD);
        assert_eq!((fdb.len(), fdb.deadline()), (3, Some(at(320))));
        fdb.expire(at(320), HOLD);
        assert_eq!((fdb.find(mac(3)), fdb.deadline()), (None, Some(at(400))));
        fdb.expire(at(400), HOLD);
        assert_eq!((fdb.len(), fdb.deadline()), (1, None));
    }

    #[test]
    fn it_is_bounded() {
        let mut fdb = Fdb::new();
        let taken = (0..MOST as u32 + 5).filter(|n| fdb.insert(FdbRecord::learned(mac(*n), 2, Time::ZERO), HOLD));
        assert_eq!(taken.count(), MOST);
        fdb.remove(mac(17));
        assert!(fdb.insert(FdbRecord::learned(mac(u32::MAX), 2, Time::ZERO), HOLD), "there is room again");
    }
}
