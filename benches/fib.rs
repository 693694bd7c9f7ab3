//! The longest-prefix match of a full Internet's routes, and of a few. First all ways to look up give the same answers as a
//! peer to ten million addresses, before and after a million changes; then they run, see `measure/fib.rs`.
//!
//! `cargo bench -p vethlab-benches --bench fib`; with `-- "IPv4, 1 route"` those of this name. Peers from the registry are
//! always there; DPDK's where Debian's `libdpdk-dev` is installed.

mod by_criterion;

use ip_network_table_deps_treebitmap::IpLookupTable;
use ip_network_table_deps_treebitmap::address::Address as TreeAddress;
use vethlab_benches::contest::Settings;
use vethlab_benches::measure;
use vethlab_benches::prefixes::{Routes, Trace, internet};
use vethlab_benches::tables::{BATCH, treebitmap};
use vethlab_engine::addr::{Address, Prefix};
use vethlab_engine::fib::{Fib, NO_ROUTE, NextHopId};
use vethlab_engine::rng::Rng;

const SEED: u64 = 1;
/// What is asked, and changed, before anything is timed.
const CHECKED: usize = 10_000_000;
const CHECKED_CHANGES: usize = 1_000_000;

fn main() {
    let internet = internet(SEED);
    check(&internet.v4);
    check(&internet.v6);
    by_criterion::run(measure::fib::measure);
}

/// Every way to look up answers as a peer does, before and after very many changes.
fn check<A: Address + TreeAddress>(routes: &Routes<A>) {
    let (count, changes) = if Settings::of_cargo().quick { (10_000, 1000) } else { (CHECKED, CHECKED_CHANGES) };
    let fib = &mut Fib::build(routes.iter().copied()).expect("room for the Internet");
    let mut tree = treebitmap(routes);
    let mut reader = fib.reader();
    let mut rng = Rng::new(SEED);
    let mut answers_agree = |fib: &Fib<A>, tree: &IpLookupTable<A, NextHopId>| {
        for trace in [Trace::Random, Trace::InTable] {
            let addresses = trace.draw(routes, count / 2, SEED);
            for addresses in addresses.chunks(BATCH) {
                let numbers: Vec<A::Number> = addresses.iter().map(|address| address.number()).collect();
                let (mut all, mut read) = ([0; BATCH], [0; BATCH]);
                fib.lookup_batch(&numbers, &mut all);
                reader.lookup_batch(&numbers, &mut read);
                assert!(all == read, "a reader answers otherwise");
                for (address, hop) in addresses.iter().zip(all) {
                    let peer = tree.longest_match(*address).map_or(NO_ROUTE, |found| *found.2);
                    assert_eq!((fib.lookup(*address), hop), (peer, peer), "{address}");
                }
            }
        }
    };
    answers_agree(fib, &tree);
    for _ in 0..changes {
        let (prefix, hop) = routes[rng.below(routes.len() as u64) as usize];
        // Some that are there, and a few in them: a table of IPv4 with too many of more than 24 bits is always full.
        let longer = rng.below(64).saturating_sub(61) as u8;
        let prefix = Prefix::of(prefix.last(), prefix.length() + longer);
        let (address, length) = (prefix.address(), prefix.length().into());
        if rng.below(2) == 0 {
            assert_eq!(fib.remove(prefix), tree.remove(address, length));
        } else if let Ok(old) = fib.insert(prefix, hop) {
            assert_eq!(old, tree.insert(address, length, hop));
        }
    }
    answers_agree(fib, &tree);
    println!(
        "{count} addresses are answered as treebitmap answers them, in batches, one by one and by a reader; \
         so they are after {changes} changes"
    );
}
