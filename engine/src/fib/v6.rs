//! IPv6.
//!
//! The first 16 bits of an address choose one of 65,536 entries, the next 10 one of 1,024 where that has been split, and the
//! next 6 bits a place in a node with a bit for each of its 64 places, set where another entry begins. From there on, every
//! 16 bits (of a /32, a /48, …) are a list of up to 32 ranges, sorted by where they begin; a list that would be longer is
//! split by 6 bits first. An [`Entry`](entry::Entry) is a next hop or says where a node of which kind is.
//!
//! Changes work on the sequence of all ranges in which one prefix is the longest, [`Runs`](runs::Runs): a prefix paints its
//! part of it, and the nodes on the way there are made anew, from the bottom up.

mod build;
mod entry;
mod runs;
mod table;
#[cfg(test)]
mod tests;

use super::shared::{Reader, Shared};
use super::{Full, NextHopId, leaf, next_hop};
use crate::addr::{Ipv6Addr, Prefix};
use runs::Runs;
use std::sync::Arc;
use table::Table;

#[cfg(target_arch = "x86_64")]
pub(super) use entry::{BLOCK, Entry, KIND, LEAF, NARROW, RANK, SIZE};
pub use table::Table as Table6;

/// A table of IPv6 prefixes and their next hops.
#[derive(Debug)]
pub struct Fib6 {
    runs: Runs,
    table: Arc<Table>,
    /// How many entries of it are given away, and how many words of its arena are written.
    used_entries: usize,
    used: usize,
    shared: Arc<Shared<Table>>,
}

impl Default for Fib6 {
    fn default() -> Fib6 {
        Fib6::new()
    }
}

impl Fib6 {
    /// Empty.
    pub fn new() -> Fib6 {
        let table = Arc::new(Table::with_room(table::ROOT, 0));
        let shared = Shared::new(table.clone());
        Fib6 { runs: Runs::new(), table, used_entries: table::ROOT, used: 0, shared }
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.runs.prefixes().len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next hop of exactly this prefix.
    pub fn get(&self, prefix: Prefix<Ipv6Addr>) -> Option<NextHopId> {
        self.runs.prefixes().get(prefix).copied().map(next_hop)
    }

    /// Sets the next hop of a prefix and gives back the one it had.
    pub fn insert(&mut self, prefix: Prefix<Ipv6Addr>, next_hop: NextHopId) -> Result<Option<NextHopId>, Full> {
        let old = self.runs.insert(prefix, leaf(next_hop)?);
        if let Err(full) = self.rebuild(prefix) {
            match old {
                Some(old) => self.runs.insert(prefix, old),
                None => self.runs.remove(prefix),
            };
            self.rebuild(prefix)?;
            return Err(full);
        }
        Ok(old.map(super::next_hop))
    }

    /// Takes a prefix out; the next hop that it had.
    pub fn remove(&mut self, prefix: Prefix<Ipv6Addr>) -> Option<NextHopId> {
        let old = self.runs.remove(prefix)?;
        // It needs no more room than the prefix did.
        let _ = self.rebuild(prefix);
        Some(next_hop(old))
    }

    /// A table of all these prefixes: much faster than to insert one after the other. Of equal ones the last counts.
    pub fn build(routes: impl IntoIterator<Item = (Prefix<Ipv6Addr>, NextHopId)>) -> Result<Fib6, Full> {
        let mut fib = Fib6::new();
        for (prefix, next_hop) in routes {
            fib.runs.insert(prefix, leaf(next_hop)?);
        }
        fib.rebuild(Prefix::DEFAULT)?;
        fib.compact(0, 0)?;
        Ok(fib)
    }

    /// The next hop of the longest prefix that holds the address, or [`NO_ROUTE`](super::NO_ROUTE).
    #[inline]
    pub fn lookup(&self, address: Ipv6Addr) -> NextHopId {
        self.table.lookup(address.to_bits())
    }

    /// The same of many addresses, which are numbers in this machine's byte order. Answers as many as both slices have.
    pub fn lookup_batch(&self, addresses: &[u128], next_hops: &mut [NextHopId]) {
        self.table.lookup_batch(addresses, next_hops);
    }

    /// For another thread.
    pub fn reader(&self) -> Reader<Table> {
        self.shared.reader()
    }

    /// All prefixes, by address, then length.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix<Ipv6Addr>, NextHopId)> + '_ {
        self.runs.prefixes().iter().map(|(prefix, leaf)| (prefix, next_hop(*leaf)))
    }

    /// Bytes of what lookups read.
    pub fn memory(&self) -> usize {
        self.table.memory()
    }
}

impl Reader<Table> {
    /// As [`Fib6::lookup`].
    #[inline]
    pub fn lookup(&mut self, address: Ipv6Addr) -> NextHopId {
        self.table().lookup(address.to_bits())
    }

    /// As [`Fib6::lookup_batch`].
    pub fn lookup_batch(&mut self, addresses: &[u128], next_hops: &mut [NextHopId]) {
        self.table().lookup_batch(addresses, next_hops);
    }
}
