//! Where the entries lie: a slab, and an open hash index into it. A fixed hash, and never iterated in its order where
//! that could be seen.

use super::Entry;
use crate::addr::IpAddr;
use crate::control::IfIndex;
use crate::seldom::SeldomList;

/// What an entry is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) port: IfIndex,
    pub(super) ip: IpAddr,
}

impl Key {
    #[inline]
    fn hash(self) -> u64 {
        let address = match self.ip {
            IpAddr::V4(ip) => u64::from(ip.to_bits()),
            IpAddr::V6(ip) => (ip.to_bits() ^ (ip.to_bits() >> 64).rotate_left(17)) as u64,
        };
        // Fibonacci hashing: neighbours' addresses differ in their low bits, and the high bits of the product are used.
        (address ^ u64::from(self.port).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// An index that means "no slot".
const EMPTY: u32 = u32::MAX;

/// All entries, by key.
#[derive(Debug)]
pub(super) struct Table<T> {
    slots: Vec<Option<Entry<T>>>,
    /// Slots that are empty.
    free: SeldomList<u32>,
    /// None, or a power of two of places, at most half of them taken; each holds a slot's number or [`EMPTY`].
    index: Vec<u32>,
    shift: u32,
    /// How often an entry came, went, or was in somebody's hand to be changed.
    changes: u64,
}

impl<T> Table<T> {
    pub(super) fn new() -> Table<T> {
        Table { slots: Vec::new(), free: SeldomList::EMPTY, index: Vec::new(), shift: 64 - 3, changes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&Entry<T>> {
        self.find(key).map(|(_, entry)| entry)
    }

    #[inline]
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Entry<T>> {
        self.changes += 1;
        self.get_quietly(key)
    }

    /// An entry of which neither the MAC is changed nor whether it is [`fast`](Entry::fast).
    #[inline]
    pub(super) fn get_quietly(&mut self, key: Key) -> Option<&mut Entry<T>> {
        let slot = self.index[self.place(key)?];
        self.slots[slot as usize].as_mut()
    }

    /// All entries, in no meaningful but a repeatable order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<T>> {
        self.slots.iter().flatten()
    }

    /// Adds an entry whose key is not there yet.
    pub(super) fn insert(&mut self, entry: Entry<T>) {
        debug_assert!(self.get(entry.key).is_none(), "{:?} is there already", entry.key);
        self.changes += 1;
        if (self.len() + 1) * 2 > self.index.len() {
            self.grow();
        }
        let key = entry.key;
        let slot = match self.free.change(Vec::pop) {
            Some(slot) => {
                self.slots[slot as usize] = Some(entry);
                slot
            }
            None => {
                self.slots.push(Some(entry));
                self.slots.len() as u32 - 1
            }
        };
        self.link(key, slot);
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Entry<T>> {
        let place = self.place(key)?;
        self.changes += 1;
        let slot = self.index[place];
        self.unlink(place);
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    /// The place in the index that leads to the key's entry.
    #[inline]
    fn place(&self, key: Key) -> Option<usize> {
        self.find(key).map(|(place, _)| place)
    }

    /// The key's entry, and the place in the index that leads to it.
    #[inline]
    fn find(&self, key: Key) -> Option<(usize, &Entry<T>)> {
        // Where there are no places, none is at home either.
        let mask = self.index.len().wrapping_sub(1);
        let mut place = self.home(key);
        loop {
            let slot = *self.index.get(place)?;
            if slot == EMPTY {
                return None;
            }
            let entry = self.slots.get(slot as usize)?.as_ref()?;
            if entry.key == key {
                return Some((place, entry));
            }
            place = (place + 1) & mask;
        }
    }

    #[inline]
    fn home(&self, key: Key) -> usize {
        (key.hash() >> self.shift) as usize
    }

    fn link(&mut self, key: Key, slot: u32) {
        let mask = self.index.len() - 1;
        let mut place = self.home(key);
        while self.index[place] != EMPTY {
            place = (place + 1) & mask;
        }
        self.index[place] = slot;
    }

    /// Empties a place, and moves those behind it that would no longer be found (Knuth 6.4, algorithm R).
    fn unlink(&mut self, mut hole: usize) {
        let mask = self.index.len() - 1;
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let slot = self.index[place];
            let Some(entry) = self.slots.get(slot as usize).and_then(Option::as_ref) else { break };
            let home = self.home(entry.key);
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(hole) & mask {
                self.index[hole] = slot;
                hole = place;
            }
        }
        self.index[hole] = EMPTY;
    }

    fn grow(&mut self) {
        let places = (self.index.len() * 2).max(16);
        self.index = vec![EMPTY; places];
        self.shift -= 1;
        for slot in 0..self.slots.len() {
            if let Some(key) = self.slots[slot].as_ref().map(|entry| entry.key) {
                self.link(key, slot as u32);
            }
        }
    }
}
