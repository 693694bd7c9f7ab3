//! Longest-prefix match: our `Fib` and two peers, on one table of the length distribution of the Internet's.

use criterion::{Criterion, Throughput};
use ip_network_table_deps_treebitmap::IpLookupTable;
use prefix_trie::PrefixMap;
use std::net::Ipv4Addr;
use vethlab_engine::addr::Prefix;
use vethlab_engine::rng::Rng;
use vethlab_engine::route::Fib;

const PREFIXES: usize = 100_000;
const ADDRESSES: usize = 10_000;

/// How many of a hundred prefixes have which length.
const LENGTHS: [(u8, u64); 8] = [(16, 2), (18, 2), (19, 3), (20, 5), (21, 6), (22, 12), (23, 10), (24, 60)];

fn length(rng: &mut Rng) -> u8 {
    let mut drawn = rng.below(100);
    for (length, share) in LENGTHS {
        if drawn < share {
            return length;
        }
        drawn -= share;
    }
    24
}

fn lookups(criterion: &mut Criterion) {
    let mut rng = Rng::new(1);
    let (mut fib, mut treebitmap, mut trie) = (Fib::new(), IpLookupTable::new(), PrefixMap::new());
    for number in 0..PREFIXES as u32 {
        let length = length(&mut rng);
        let address = Ipv4Addr::from(rng.next() as u32 & (u32::MAX << (32 - length)));
        fib.insert(Prefix::of(address, length), number);
        treebitmap.insert(address, length.into(), number);
        trie.insert(ipnet::Ipv4Net::new(address, length).expect("at most 32"), number);
    }
    let addresses: Vec<Ipv4Addr> = (0..ADDRESSES).map(|_| Ipv4Addr::from(rng.next() as u32)).collect();
    let ours = |address: &Ipv4Addr| fib.lookup(*address).map(|(_, value)| *value);
    let host = |address: &Ipv4Addr| ipnet::Ipv4Net::from(*address);
    for address in &addresses {
        let theirs = treebitmap.longest_match(*address).map(|(_, _, value)| *value);
        assert_eq!(ours(address), theirs, "{address}");
        assert_eq!(ours(address), trie.get_lpm(&host(address)).map(|(_, value)| *value), "{address}");
    }
    let mut group = criterion.benchmark_group("lpm");
    group.throughput(Throughput::Elements(ADDRESSES as u64));
    group.bench_function("Fib", |bencher| bencher.iter(|| addresses.iter().filter_map(ours).count()));
    group.bench_function("treebitmap", |bencher| {
        bencher.iter(|| addresses.iter().filter_map(|address| treebitmap.longest_match(*address)).count());
    });
    group.bench_function("prefix-trie", |bencher| {
        bencher.iter(|| addresses.iter().filter_map(|address| trie.get_lpm(&host(address))).count());
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    lookups(&mut criterion);
    criterion.final_summary();
}
