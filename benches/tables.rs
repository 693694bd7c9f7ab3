//! Looking addresses up in tables, so that all do the same work and come to the same sum.

use crate::prefixes::Routes;
use ip_network_table_deps_treebitmap::IpLookupTable;
use ip_network_table_deps_treebitmap::address::Address as TreeAddress;
use std::hint::black_box;
use vethlab_engine::addr::Address;
use vethlab_engine::fib::{NO_ROUTE, NextHopId};

/// Addresses that are looked up together.
pub const BATCH: usize = 64;

/// The sum of the answers to batch after batch.
pub fn sum_of<N: Copy>(numbers: &[N], look: impl Fn(&[N], &mut [NextHopId])) -> u64 {
    let mut hops = [0; BATCH];
    let batches = numbers.chunks_exact(BATCH);
    batches
        .map(|batch| {
            look(black_box(batch), &mut hops);
            hops.iter().map(|hop| u64::from(*hop)).sum::<u64>()
        })
        .sum()
}

/// The sum of the answers to one address after the other.
pub fn sum_each<A: Copy>(addresses: &[A], look: impl Fn(A) -> Option<NextHopId>) -> u64 {
    addresses.iter().map(|address| u64::from(look(black_box(*address)).unwrap_or(NO_ROUTE))).sum()
}

/// As peers in other processes want it: 4 bytes in this machine's order, or 16 in that of the wire.
pub fn bytes_of<A: Address>(address: A) -> Vec<u8> {
    let bits = address.to_bits();
    if A::BITS == 32 { (bits as u32).to_ne_bytes().to_vec() } else { bits.to_be_bytes().to_vec() }
}

/// The table that `ip_network_table` is made of.
pub fn treebitmap<A: Address + TreeAddress>(routes: &Routes<A>) -> IpLookupTable<A, NextHopId> {
    let mut table = IpLookupTable::new();
    for (prefix, hop) in routes {
        table.insert(prefix.address(), prefix.length().into(), *hop);
    }
    table
}
