//! IPv6.
//!
//! The first 16 bits of an address choose one of 65,536 entries, the next 10 one of 1,024 where that has been split, and the
//! next 6 bits a place in a node with a bit for each of its 64 places, set where an entry ends and another follows. From
//! there on, every 16 bits (of a /32, a /48, …) are a list of up to 32 ranges, sorted by where they begin; a list that would
//! be longer is split by 6 bits first. An [`Entry`](entry::Entry) is a next hop or says where a node of which kind is.
//!
//! Changes work on the sequence of all ranges in which one prefix is the longest, [`Runs`](runs::Runs): a prefix paints its
//! part of it, and the nodes on the way there are made anew, from the bottom up.

mod build;
mod entry;
mod runs;
mod table;

use super::arena::Room;
use super::{Full, Large, Leaf};
use crate::addr::{Ipv6Addr, Prefix};
use runs::Runs;
use table::Table;

#[cfg(target_arch = "x86_64")]
pub(super) use entry::{BLOCK, Entry, KIND, LEAF, NARROW, RANK, SIZE};
#[cfg(target_arch = "x86_64")]
pub(super) use table::Table as Table6;

/// See the module.
#[derive(Debug)]
pub struct Large6 {
    runs: Runs,
    table: Table,
    /// How many entries of it are given away, and how many words of its arena are written.
    used_entries: usize,
    used: usize,
    /// The one before: changes that fill one table after the other have no need of new ones.
    old: Option<Table>,
}

impl Default for Large6 {
    fn default() -> Large6 {
        let table = Table::with_room(None, Room::of(table::ROOT), Room::of(0));
        Large6 { runs: Runs::new(), table, used_entries: table::ROOT, used: 0, old: None }
    }
}

impl Large<Ipv6Addr> for Large6 {
    type Table = Table;

    fn count(&self) -> usize {
        self.runs.prefixes().len()
    }

    fn get(&self, prefix: Prefix<Ipv6Addr>) -> Option<Leaf> {
        self.runs.prefixes().get(prefix).copied()
    }

    fn put(&mut self, prefix: Prefix<Ipv6Addr>, leaf: Leaf) -> Option<Leaf> {
        self.runs.insert(prefix, leaf)
    }

    fn take(&mut self, prefix: Prefix<Ipv6Addr>) -> Option<Leaf> {
        self.runs.remove(prefix)
    }

    fn rebuild(&mut self, prefix: Prefix<Ipv6Addr>) -> Result<(), Full> {
        self.rebuild_entries(prefix)
    }

    fn rebuild_all(&mut self) -> Result<(), Full> {
        self.rebuild_entries(Prefix::DEFAULT)?;
        self.compact(0, 0)?;
        self.old = None;
        Ok(())
    }

    #[inline(always)]
    fn table(&self) -> &Table {
        &self.table
    }

    fn iter(&self) -> impl Iterator<Item = (Prefix<Ipv6Addr>, Leaf)> + '_ {
        self.runs.prefixes().entries().map(|(prefix, leaf)| (prefix, *leaf))
    }

    fn memory(&self) -> (usize, usize) {
        (self.table.memory(), self.runs.memory() + self.old.as_ref().map_or(0, Table::memory))
    }
}
