//! IPv4.
//!
//! An address is looked up in at most three steps. The first 18 bits choose one of 262,144 entries: the next hop of all that
//! /18, or where its node is. A node has a bit for each of its 64 /24s, set where another next hop begins, and these next
//! hops in order: the number of bits set up to ours says which is ours. Where a /24 holds longer prefixes, its place names a
//! block of the same kind, for its 256 addresses.
//!
//! A change makes new nodes for the /18s that it touches, from the prefixes that the [`Rib`](rib::Rib) keeps for each, and
//! replaces one entry after the other. A node is at most 17 words, so that is a few hundred nanoseconds; only prefixes
//! shorter than 18 bits touch many.

mod build;
mod rib;
mod table;
#[cfg(test)]
mod tests;

use super::shared::{Reader, Shared};
use super::{Full, NextHopId, leaf, next_hop};
use crate::addr::{Ipv4Addr, Prefix};
use rib::Rib;
use std::sync::Arc;
use table::Table;

#[cfg(target_arch = "x86_64")]
pub(super) use table::BLOCK;
pub use table::Table as Table4;

/// The bits of the first step.
const ROOT_BITS: u32 = 18;
/// What the first step chooses from.
const ROOT: usize = 1 << ROOT_BITS;

/// A table of IPv4 prefixes and their next hops.
#[derive(Debug)]
pub struct Fib4 {
    rib: Rib,
    table: Arc<Table>,
    /// How many words of its arena are written.
    used: usize,
    /// How many blocks are written.
    blocks: usize,
    /// How many of them are in use.
    live_blocks: usize,
    shared: Arc<Shared<Table>>,
}

impl Default for Fib4 {
    fn default() -> Fib4 {
        Fib4::new()
    }
}

impl Fib4 {
    /// Empty.
    pub fn new() -> Fib4 {
        let table = Arc::new(Table::with_room(0, 0));
        let shared = Shared::new(table.clone());
        Fib4 { rib: Rib::new(), table, used: 0, blocks: 0, live_blocks: 0, shared }
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.rib.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next hop of exactly this prefix.
    pub fn get(&self, prefix: Prefix<Ipv4Addr>) -> Option<NextHopId> {
        self.rib.get(prefix).map(next_hop)
    }

    /// Sets the next hop of a prefix and gives back the one it had.
    pub fn insert(&mut self, prefix: Prefix<Ipv4Addr>, next_hop: NextHopId) -> Result<Option<NextHopId>, Full> {
        let old = self.rib.insert(prefix, leaf(next_hop)?);
        if let Err(full) = self.rebuild(prefix) {
            match old {
                Some(old) => self.rib.insert(prefix, old),
                None => self.rib.remove(prefix),
            };
            self.rebuild(prefix)?;
            return Err(full);
        }
        Ok(old.map(super::next_hop))
    }

    /// Takes a prefix out; the next hop that it had.
    pub fn remove(&mut self, prefix: Prefix<Ipv4Addr>) -> Option<NextHopId> {
        let old = self.rib.remove(prefix)?;
        // Fewer prefixes never need more room than an arena is made with.
        let _ = self.rebuild(prefix);
        Some(next_hop(old))
    }

    /// A table of all these prefixes: much faster than to insert one after the other. Of equal ones the last counts.
    pub fn build(routes: impl IntoIterator<Item = (Prefix<Ipv4Addr>, NextHopId)>) -> Result<Fib4, Full> {
        let mut fib = Fib4::new();
        for (prefix, next_hop) in routes {
            fib.rib.insert(prefix, leaf(next_hop)?);
        }
        fib.rebuild_all()?;
        Ok(fib)
    }

    /// The next hop of the longest prefix that holds the address, or [`NO_ROUTE`](super::NO_ROUTE).
    #[inline]
    pub fn lookup(&self, address: Ipv4Addr) -> NextHopId {
        self.table.lookup(address.to_bits())
    }

    /// The same of many addresses, which are numbers in this machine's byte order. Answers as many as both slices have.
    pub fn lookup_batch(&self, addresses: &[u32], next_hops: &mut [NextHopId]) {
        self.table.lookup_batch(addresses, next_hops);
    }

    /// For another thread.
    pub fn reader(&self) -> Reader<Table> {
        self.shared.reader()
    }

    /// All prefixes, those of up to 18 bits first; each kind by address, then length.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix<Ipv4Addr>, NextHopId)> + '_ {
        self.rib.iter().map(|(prefix, leaf)| (prefix, next_hop(leaf)))
    }

    /// Bytes of what lookups read, and of what changes need besides.
    pub fn memory(&self) -> (usize, usize) {
        (self.table.memory(), self.rib.memory())
    }
}

impl Reader<Table> {
    /// As [`Fib4::lookup`].
    #[inline]
    pub fn lookup(&mut self, address: Ipv4Addr) -> NextHopId {
        self.table().lookup(address.to_bits())
    }

    /// As [`Fib4::lookup_batch`].
    pub fn lookup_batch(&mut self, addresses: &[u32], next_hops: &mut [NextHopId]) {
        self.table().lookup_batch(addresses, next_hops);
    }
}
