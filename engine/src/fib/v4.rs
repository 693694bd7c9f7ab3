//! IPv4.
//!
//! An address is looked up in two steps, seldom three. The first 18 bits choose one of 262,144 nodes. A node has a bit for each
//! of its 64 /24s, set where one next hop ends and another follows, and these next hops, the last first: the number of bits
//! set from ours on says which is ours. Where a /24 holds longer prefixes, its place names a block of the same kind, for its
//! 256 addresses. Most /18s have one next hop. They share a node for each, so that nothing is asked on the way: what a
//! processor guesses wrong costs more than a node that it has at hand.
//!
//! A change makes new nodes for the /18s that it touches, from the prefixes that the [`Rib`](rib::Rib) keeps for each, and
//! replaces one entry after the other. A node is at most 17 words, so that is a few hundred nanoseconds; only prefixes
//! shorter than 18 bits touch many. In a new table nodes lie so that each reaches into as few lines of the cache as it can.

mod build;
mod rib;
mod table;

use super::arena::Room;
use super::{Full, Large, Leaf};
use crate::addr::{Ipv4Addr, Prefix};
use rib::Rib;
use table::Table;

#[cfg(target_arch = "x86_64")]
pub(super) use table::{BLOCK, Table as Table4, is_block};

/// The bits of the first step.
const ROOT_BITS: u32 = 18;
/// What the first step chooses from.
const ROOT: usize = 1 << ROOT_BITS;

/// See the module.
#[derive(Debug)]
pub struct Large4 {
    rib: Rib,
    table: Table,
    /// Of each next hop: where the node of a /18 is that has no other; 0 if it has none yet.
    alone: Vec<u32>,
    /// How many words of its arena are written.
    used: usize,
    /// How many blocks are written.
    blocks: usize,
    /// How many of them are in use.
    live_blocks: usize,
    /// The table before this one: changes that fill one after the other have no need of new ones.
    old: Option<Table>,
}

impl Default for Large4 {
    fn default() -> Large4 {
        let (table, used) = Table::with_room(None, Room::of(0), Room::of(0));
        Large4 { rib: Rib::new(), table, alone: Vec::new(), used, blocks: 0, live_blocks: 0, old: None }
    }
}

impl Large4 {
    /// How many blocks are in use.
    #[cfg(test)]
    pub(super) fn live_blocks(&self) -> usize {
        self.live_blocks
    }
}

impl Large<Ipv4Addr> for Large4 {
    type Table = Table;

    fn count(&self) -> usize {
        self.rib.len()
    }

    fn get(&self, prefix: Prefix<Ipv4Addr>) -> Option<Leaf> {
        self.rib.get(prefix)
    }

    fn put(&mut self, prefix: Prefix<Ipv4Addr>, leaf: Leaf) -> Option<Leaf> {
        self.rib.insert(prefix, leaf)
    }

    fn take(&mut self, prefix: Prefix<Ipv4Addr>) -> Option<Leaf> {
        self.rib.remove(prefix)
    }

    fn rebuild(&mut self, prefix: Prefix<Ipv4Addr>) -> Result<(), Full> {
        self.rebuild_slots(prefix)
    }

    fn rebuild_all(&mut self) -> Result<(), Full> {
        self.rebuild_slots(Prefix::DEFAULT)?;
        self.compact(0);
        self.old = None;
        Ok(())
    }

    #[inline(always)]
    fn table(&self) -> &Table {
        &self.table
    }

    /// Those of up to 18 bits first; each kind by address, then length.
    fn iter(&self) -> impl Iterator<Item = (Prefix<Ipv4Addr>, Leaf)> + '_ {
        self.rib.iter()
    }

    fn memory(&self) -> (usize, usize) {
        let old = self.old.as_ref().map_or(0, Table::memory);
        (self.table.memory(), self.rib.memory() + self.alone.capacity() * size_of::<u32>() + old)
    }
}
