//! Where flows are kept: a slab, two hash chains a flow (one for each direction), one by source for NAT, and lists by the
//! second in which to look whether a flow has expired. All of it is bounded by the number of flows.

use super::SECOND;
use super::conn::{Conn, ConnId, Direction};
use super::tuple::{End, Tuple};
use crate::time::Time;
use std::collections::BTreeMap;

/// The end of a chain.
const NIL: u32 = u32::MAX;
/// Chains that a table has at least, once it had a flow.
const FEWEST: usize = 64;
/// Chains for each flow, which is in two of them: most chains that a packet looks into have its flow at their head.
pub(super) const CHAINS_A_FLOW: usize = 4;

/// A place in the slab.
#[derive(Debug)]
struct Slot {
    conn: Option<Conn>,
    /// Its two tuples' words, once it is in their chains.
    words: [[u64; 2]; 2],
    /// The next node of the chain: original, reply, by source.
    next: [u32; 3],
    /// The list it waits in, and its neighbours there.
    second: Option<u64>,
    around: [u32; 2],
}

/// All flows.
#[derive(Debug)]
pub(super) struct ConnTable {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Chains of nodes: twice the place, and one more if it is the reply's.
    chains: Vec<u32>,
    /// Chains of places, by the source of the original direction: what NAT has done.
    sources: Vec<u32>,
    seconds: BTreeMap<u64, u32>,
    key: u64,
    serial: u64,
}

impl ConnTable {
    pub(super) const fn new(key: u64) -> ConnTable {
        ConnTable {
            slots: Vec::new(),
            free: Vec::new(),
            chains: Vec::new(),
            sources: Vec::new(),
            seconds: BTreeMap::new(),
            key,
            serial: 0,
        }
    }

    /// How many there are, those not confirmed included.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// A place for a flow, which is in no chain yet.
    pub(super) fn insert(&mut self, mut conn: Conn) -> ConnId {
        if self.chains.is_empty() {
            self.chains = vec![NIL; FEWEST];
            self.sources = vec![NIL; FEWEST / CHAINS_A_FLOW];
        }
        self.serial += 1;
        conn.serial = self.serial;
        let slot = Slot { conn: Some(conn), words: [[0; 2]; 2], next: [NIL; 3], second: None, around: [NIL; 2] };
        let index = match self.free.pop() {
            Some(index) => {
                if let Some(place) = self.slots.get_mut(index as usize) {
                    *place = slot;
                }
                index
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        ConnId { index, serial: self.serial }
    }

    #[inline]
    pub(super) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.slots.get(id.index as usize)?.conn.as_ref().filter(|conn| conn.serial == id.serial)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.slots.get_mut(id.index as usize)?.conn.as_mut().filter(|conn| conn.serial == id.serial)
    }

    /// Takes a flow out of everything.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        self.get(id)?;
        self.unlink(id);
        let conn = self.slots.get_mut(id.index as usize)?.conn.take();
        self.free.push(id.index);
        conn
    }

    /// All of them, in the order in which they began.
    pub(super) fn all(&self) -> Vec<ConnId> {
        let place = |(index, slot): (usize, &Slot)| {
            slot.conn.as_ref().map(|conn| ConnId { index: index as u32, serial: conn.serial })
        };
        let mut all: Vec<ConnId> = self.slots.iter().enumerate().filter_map(place).collect();
        all.sort_unstable_by_key(|id| id.serial);
        all
    }

    fn id(&self, index: u32) -> Option<ConnId> {
        let serial = self.slots.get(index as usize)?.conn.as_ref()?.serial;
        Some(ConnId { index, serial })
    }

    /// The flow whose packets look like this in one direction, and which.
    #[inline]
    pub(super) fn find(&self, tuple: &Tuple) -> Option<(ConnId, Direction, &Conn)> {
        let words = tuple.words();
        let mut node = self.head(self.chain_of(words));
        while node != NIL {
            let (index, direction) = match node & 1 {
                0 => (node >> 1, Direction::Original),
                _ => (node >> 1, Direction::Reply),
            };
            let (slot, way) = (self.slots.get(index as usize)?, (node & 1) as usize);
            if slot.words[way] == words {
                let conn = slot.conn.as_ref()?;
                return Some((ConnId { index, serial: conn.serial }, direction, conn));
            }
            node = slot.next[way];
        }
        None
    }

    /// The flows of the chain that `tuple` would be in, and of those `count` that follow.
    pub(super) fn nearby(&self, tuple: &Tuple, count: usize) -> Vec<ConnId> {
        let first = self.chain_of(tuple.words());
        let mut found = Vec::new();
        for step in 0..count.min(self.chains.len()) {
            let mut node = self.head((first + step) & (self.chains.len() - 1));
            while let Some(slot) = self.slots.get((node >> 1) as usize).filter(|_| node != NIL) {
                found.extend(self.id(node >> 1));
                node = slot.next.get((node & 1) as usize).copied().unwrap_or(NIL);
            }
        }
        found
    }

    /// Puts a flow in the chains of its two tuples, so that it is found.
    pub(super) fn link(&mut self, id: ConnId) {
        let Some(conn) = self.get(id) else { return };
        let tuples = conn.tuples;
        if self.len() * CHAINS_A_FLOW > self.chains.len() {
            self.grow();
        }
        for (way, tuple) in tuples.iter().enumerate() {
            let words = tuple.words();
            let chain = self.chain_of(words);
            let head = self.head(chain);
            if let Some(slot) = self.slots.get_mut(id.index as usize) {
                (slot.next[way], slot.words[way]) = (head, words);
            }
            if let Some(head) = self.chains.get_mut(chain) {
                *head = id.index << 1 | way as u32;
            }
        }
    }

    /// Puts a flow in the chain of those from its source.
    pub(super) fn link_source(&mut self, id: ConnId) {
        let Some(conn) = self.get(id) else { return };
        let chain = self.source_of(&conn.tuples[0]);
        let head = self.sources.get(chain).copied().unwrap_or(NIL);
        if let Some(slot) = self.slots.get_mut(id.index as usize) {
            slot.next[2] = head;
        }
        if let Some(head) = self.sources.get_mut(chain) {
            *head = id.index;
        }
    }

    /// The flows from the source of `tuple` that NAT has seen, the newest first.
    pub(super) fn same_source_as<'a>(&'a self, tuple: &'a Tuple) -> impl Iterator<Item = &'a Conn> {
        let mut index = self.sources.get(self.source_of(tuple)).copied().unwrap_or(NIL);
        let all = core::iter::from_fn(move || {
            let slot = self.slots.get(index as usize)?;
            index = slot.next[2];
            Some(slot)
        });
        let same = |conn: &&Conn| conn.tuples[0].source == tuple.source && conn.tuples[0].protocol == tuple.protocol;
        all.filter_map(|slot| slot.conn.as_ref()).filter(same)
    }

    /// Takes a flow out of all chains and lists, but not off its place.
    pub(super) fn unlink(&mut self, id: ConnId) {
        let Some(tuples) = self.get(id).map(|conn| conn.tuples) else { return };
        let index = id.index;
        self.unschedule(index);
        for (way, tuple) in tuples.iter().enumerate() {
            let node = index << 1 | way as u32;
            let chain = self.chain_of(tuple.words());
            let after = self.slots.get(index as usize).map_or(NIL, |slot| slot.next[way]);
            if self.head(chain) == node {
                self.chains[chain] = after;
                continue;
            }
            let mut before = self.head(chain);
            while let Some(next) = self.slots.get_mut((before >> 1) as usize).filter(|_| before != NIL) {
                let link = &mut next.next[(before & 1) as usize];
                if *link == node {
                    *link = after;
                    break;
                }
                before = *link;
            }
        }
        let chain = self.source_of(&tuples[0]);
        let after = self.slots.get(index as usize).map_or(NIL, |slot| slot.next[2]);
        let mut before = self.sources.get(chain).copied().unwrap_or(NIL);
        if before == index {
            self.sources[chain] = after;
        } else {
            while let Some(slot) = self.slots.get_mut(before as usize) {
                if slot.next[2] == index {
                    slot.next[2] = after;
                    break;
                }
                before = slot.next[2];
            }
        }
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.next = [NIL; 3];
        }
    }

    /// Twice as many chains; all flows move.
    fn grow(&mut self) {
        let size = self.chains.len() * 2;
        let linked: Vec<bool> = self.linked();
        let sourced: Vec<u32> = self.sourced();
        self.chains = vec![NIL; size];
        self.sources = vec![NIL; size / CHAINS_A_FLOW];
        for (index, linked) in linked.into_iter().enumerate() {
            let Some(tuples) = self.slots.get(index).and_then(|slot| slot.conn.as_ref()).map(|conn| conn.tuples) else {
                continue;
            };
            for (way, tuple) in tuples.iter().enumerate().filter(|_| linked) {
                let chain = self.chain_of(tuple.words());
                self.slots[index].next[way] = self.chains[chain];
                self.chains[chain] = (index as u32) << 1 | way as u32;
            }
        }
        for index in sourced {
            if let Some(id) = self.id(index) {
                self.link_source(id);
            }
        }
    }

    /// Which places are in the chains of their tuples.
    fn linked(&self) -> Vec<bool> {
        let mut linked = vec![false; self.slots.len()];
        for head in &self.chains {
            let mut node = *head;
            while let Some(slot) = self.slots.get((node >> 1) as usize).filter(|_| node != NIL) {
                linked[(node >> 1) as usize] = true;
                node = slot.next[(node & 1) as usize];
            }
        }
        linked
    }

    /// The places in chains by source, so that those of one chain come last to first.
    fn sourced(&self) -> Vec<u32> {
        let mut all = Vec::new();
        for head in &self.sources {
            let mut index = *head;
            while let Some(slot) = self.slots.get(index as usize) {
                all.push(index);
                index = slot.next[2];
            }
        }
        all.reverse();
        all
    }

    fn head(&self, chain: usize) -> u32 {
        self.chains.get(chain).copied().unwrap_or(NIL)
    }

    /// One multiplication, of which both halves count. Neither factor is 0 by anybody's choice: the key is secret, and of the
    /// other's high byte no packet says anything.
    #[inline]
    fn chain_of(&self, [source, rest]: [u64; 2]) -> usize {
        const FREE: u64 = 1 << 63;
        let product = u128::from(source ^ self.key) * u128::from(rest ^ (self.key.rotate_left(32) | FREE));
        (product as u64 ^ (product >> 64) as u64) as usize & self.chains.len().wrapping_sub(1)
    }

    #[inline]
    fn source_of(&self, tuple: &Tuple) -> usize {
        let End { address, port } = tuple.source;
        let source = u64::from(address.to_bits()) << 24 | u64::from(port) << 8 | u64::from(tuple.protocol);
        mix(self.key ^ source) as usize & self.sources.len().wrapping_sub(1)
    }

    /// The flow is looked at when it may have expired: in the first second after that; before, if that is what was said
    /// before.
    #[inline]
    pub(super) fn schedule(&mut self, id: ConnId, timeout: Time) {
        let known = self.slots.get(id.index as usize).and_then(|slot| slot.second);
        // Most packets put off what is far away already.
        if known.is_none_or(|known| known.saturating_mul(SECOND) > timeout.nanos()) {
            self.schedule_in(id, timeout.nanos().div_ceil(SECOND));
        }
    }

    #[inline(never)]
    fn schedule_in(&mut self, id: ConnId, second: u64) {
        let Some(slot) = self.slots.get(id.index as usize) else { return };
        match slot.second {
            Some(known) if known <= second => return,
            Some(_) => self.unschedule(id.index),
            None => {}
        }
        let head = self.seconds.insert(second, id.index).unwrap_or(NIL);
        if let Some(slot) = self.slots.get_mut(id.index as usize) {
            (slot.second, slot.around) = (Some(second), [NIL, head]);
        }
        if let Some(next) = self.slots.get_mut(head as usize) {
            next.around[0] = id.index;
        }
    }

    fn unschedule(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let Some(second) = slot.second.take() else { return };
        let [before, after] = core::mem::replace(&mut slot.around, [NIL; 2]);
        if let Some(next) = self.slots.get_mut(after as usize) {
            next.around[0] = before;
        }
        match self.slots.get_mut(before as usize) {
            Some(previous) => previous.around[1] = after,
            None if after == NIL => drop(self.seconds.remove(&second)),
            None => drop(self.seconds.insert(second, after)),
        }
    }

    /// A flow that is to be looked at in this second or was before; it is scheduled no more.
    pub(super) fn due(&mut self, second: u64) -> Option<ConnId> {
        let (_, &index) = self.seconds.range(..=second).next()?;
        self.unschedule(index);
        self.id(index)
    }
}

#[cfg(test)]
impl ConnTable {
    /// Bytes on the heap, with those that the list of free places will take.
    pub(super) fn footprint(&self) -> usize {
        let free = self.free.capacity().max(self.slots.capacity());
        let words = free + self.chains.capacity() + self.sources.capacity();
        let seconds = self.seconds.len() * 2 * size_of::<(u64, u32)>();
        self.slots.capacity() * size_of::<Slot>() + words * size_of::<u32>() + seconds
    }

    /// No flow, and every chain and list has its end at once.
    pub(super) fn is_bare(&self) -> bool {
        let empty = |heads: &[u32]| heads.iter().all(|head| *head == NIL);
        let slots = self.slots.iter().all(|slot| slot.conn.is_none() && slot.second.is_none());
        slots && empty(&self.chains) && empty(&self.sources) && self.seconds.is_empty()
    }
}

/// The finish of SplitMix64.
#[inline]
const fn mix(word: u64) -> u64 {
    let z = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
