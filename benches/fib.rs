//! The longest-prefix match of a full Internet's routes: `Fib4` and `Fib6` against peers, which take turns in each round.
//!
//! `cargo bench -p vethlab-benches --bench fib` (`-- --rounds 9`). Peers from the registry are always there; DPDK's where
//! Debian's `libdpdk-dev` is installed. Before a figure is told, the sums of all answers have been compared.

use ip_network_table_deps_treebitmap::IpLookupTable;
use ipnet::{Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::{Duration, Instant};
use vethlab_benches::dpdk::{self, Dpdk};
use vethlab_benches::prefixes::{Routes, Trace, internet};
use vethlab_benches::race::{Runner, print, race};
use vethlab_engine::addr::Address;
use vethlab_engine::fib::{Fib4, Fib6, NO_ROUTE, NextHopId};

const SEED: u64 = 1;
const ADDRESSES: usize = 1 << 20;
const CHANGES: usize = 50_000;
const BATCH: usize = 64;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let rounds =
        args.iter().position(|arg| arg == "--rounds").and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(5);
    let internet = internet(SEED);
    println!("{} IPv4 and {} IPv6 {}", internet.v4.len(), internet.v6.len(), internet.source);
    println!(
        "median of {rounds} rounds, {ADDRESSES} addresses each, seed {SEED}; ratios to the first line, round by round"
    );
    let dir = tempfile::tempdir().expect("a directory for peers");
    let program = dpdk::build(dir.path());
    if let Err(error) = &program {
        println!("SKIPPED: DPDK's tables: {error}");
    }
    let program = program.ok();
    v4(&internet.v4, program.as_deref(), rounds);
    v6(&internet.v6, program.as_deref(), rounds);
}

/// Runs something that comes to a sum.
fn timed(mut work: impl FnMut() -> u64) -> (Duration, u64) {
    let began = Instant::now();
    let sum = work();
    (began.elapsed(), sum)
}

fn runner<'a>(name: &str, mut work: impl FnMut() -> u64 + 'a) -> Runner<'a> {
    Runner { name: name.to_string(), run: Box::new(move || timed(&mut work)) }
}

/// The sum of the answers to batch after batch.
fn sum_of<A: Copy>(addresses: &[A], look: impl Fn(&[A], &mut [NextHopId])) -> u64 {
    let mut hops = [0; BATCH];
    let batches = addresses.chunks_exact(BATCH);
    batches
        .map(|batch| {
            look(black_box(batch), &mut hops);
            hops.iter().map(|hop| u64::from(*hop)).sum::<u64>()
        })
        .sum()
}

/// The sum of the answers to one address after the other.
fn sum_each<A: Copy>(addresses: &[A], look: impl Fn(A) -> Option<NextHopId>) -> u64 {
    addresses.iter().map(|address| u64::from(look(black_box(*address)).unwrap_or(NO_ROUTE))).sum()
}

/// DPDK's, if it can be had.
fn dpdk<A: Address>(program: Option<&Path>, kind: &str, routes: &Routes<A>) -> Option<Dpdk> {
    let table = Dpdk::start(program?, kind, routes);
    table.inspect_err(|error| println!("SKIPPED: DPDK's {kind}: {error}")).ok()
}

/// What a table of DPDK's is called, the mode that it is asked in, and itself.
type Table = (&'static str, u32, Dpdk);

/// The lookups of one trace, ours and then DPDK's.
fn lookups<'a>(
    family: &str,
    trace: Trace,
    bytes: &[u8],
    mut runners: Vec<Runner<'a>>,
    tables: &'a mut [Table],
    rounds: usize,
) {
    for (name, mode, table) in tables {
        table.lay_down(trace.name(), bytes).expect("a file of addresses");
        let run = move || table.look(*mode, trace.name()).expect("an answer of DPDK");
        runners.push(Runner { name: name.to_string(), run: Box::new(run) });
    }
    print(&format!("{family}, {} addresses", trace.name()), &race(rounds, ADDRESSES, &mut runners));
}

fn v4(routes: &Routes<Ipv4Addr>, program: Option<&Path>, rounds: usize) {
    let mut fib = Fib4::build(routes.iter().copied()).expect("room for the Internet");
    let (lookup, rest) = fib.memory();
    let each = |bytes: usize| bytes as f64 / routes.len() as f64;
    println!("\nFib4: {:.2} bytes a prefix for lookups, {:.2} besides for changes", each(lookup), each(rest));
    let (mut treebitmap, mut trie) = (IpLookupTable::new(), PrefixMap::new());
    for (prefix, hop) in routes {
        treebitmap.insert(prefix.address(), prefix.length().into(), *hop);
        trie.insert(Ipv4Net::new(prefix.address(), prefix.length()).expect("a length"), *hop);
    }
    let mut tables: Vec<Table> = Vec::new();
    for (name, kind, mode) in [("rte_fib AVX-512", "fib", 3), ("rte_fib scalar", "fib", 1), ("rte_lpm bulk", "lpm", 0)]
    {
        // rte_lpm takes minutes to fill: it searches its rules from end to end.
        if kind == "fib" || std::env::var_os("VETHLAB_SLOW_PEERS").is_some() {
            tables.extend(dpdk(program, kind, routes).map(|table| (name, mode, table)));
        }
    }
    for trace in Trace::ALL {
        let addresses = trace.draw(routes, ADDRESSES, SEED);
        let numbers: Vec<u32> = addresses.iter().map(|address| address.to_bits()).collect();
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let (fib, treebitmap, trie) = (&fib, &treebitmap, &trie);
        let runners = vec![
            runner("Fib4, 64 at once", || sum_of(&numbers, |batch, hops| fib.lookup_batch(batch, hops))),
            runner("Fib4, one by one", || sum_each(&addresses, |address| Some(fib.lookup(address)))),
            runner("treebitmap", || sum_each(&addresses, |address| treebitmap.longest_match(address).map(|m| *m.2))),
            runner("prefix-trie", || sum_each(&addresses, |address| trie.get_lpm(&address.into()).map(|m| *m.1))),
        ];
        lookups("IPv4", trace, &bytes, runners, &mut tables, rounds);
    }
    let mut runners = vec![changes("Fib4", routes, |prefix, hop| {
        fib.remove(prefix);
        fib.insert(prefix, hop).expect("room for what was there");
    })];
    runners.extend(
        tables.iter_mut().filter(|(name, ..)| *name == "rte_fib scalar").map(|(_, _, table)| churn("rte_fib", table)),
    );
    print("IPv4, changes (one is a removal and an insertion)", &race(rounds, CHANGES, &mut runners));
}

fn v6(routes: &Routes<Ipv6Addr>, program: Option<&Path>, rounds: usize) {
    let mut fib = Fib6::build(routes.iter().copied()).expect("room for the Internet");
    println!("\nFib6: {:.2} bytes a prefix for lookups", fib.memory() as f64 / routes.len() as f64);
    let (mut treebitmap, mut trie) = (IpLookupTable::new(), PrefixMap::new());
    for (prefix, hop) in routes {
        treebitmap.insert(prefix.address(), prefix.length().into(), *hop);
        trie.insert(Ipv6Net::new(prefix.address(), prefix.length()).expect("a length"), *hop);
    }
    let mut tables: Vec<Table> = Vec::new();
    for (name, kind, mode) in [("rte_fib6 AVX-512", "fib6", 3), ("rte_lpm6 bulk", "lpm6", 0)] {
        tables.extend(dpdk(program, kind, routes).map(|table| (name, mode, table)));
    }
    for trace in Trace::ALL {
        let addresses = trace.draw(routes, ADDRESSES, SEED);
        let numbers: Vec<u128> = addresses.iter().map(|address| address.to_bits()).collect();
        let bytes: Vec<u8> = addresses.iter().flat_map(Ipv6Addr::octets).collect();
        let (fib, treebitmap, trie) = (&fib, &treebitmap, &trie);
        let runners = vec![
            runner("Fib6, 64 at once", || sum_of(&numbers, |batch, hops| fib.lookup_batch(batch, hops))),
            runner("Fib6, one by one", || sum_each(&addresses, |address| Some(fib.lookup(address)))),
            runner("treebitmap", || sum_each(&addresses, |address| treebitmap.longest_match(address).map(|m| *m.2))),
            runner("prefix-trie", || sum_each(&addresses, |address| trie.get_lpm(&address.into()).map(|m| *m.1))),
        ];
        lookups("IPv6", trace, &bytes, runners, &mut tables, rounds);
    }
    let mut runners = vec![changes("Fib6", routes, |prefix, hop| {
        fib.remove(prefix);
        fib.insert(prefix, hop).expect("room for what was there");
    })];
    let fib6 = tables.iter_mut().filter(|(name, ..)| name.starts_with("rte_fib6"));
    runners.extend(fib6.map(|(_, _, table)| churn("rte_fib6", table)));
    print("IPv6, changes (one is a removal and an insertion)", &race(rounds, CHANGES, &mut runners));
}

/// Takes routes out and puts them in again, chosen as the peers choose them.
fn changes<'a, A: Address>(
    name: &str,
    routes: &'a Routes<A>,
    mut change: impl FnMut(vethlab_engine::addr::Prefix<A>, NextHopId) + 'a,
) -> Runner<'a> {
    runner(name, move || {
        let mut seed = SEED;
        for _ in 0..CHANGES {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (prefix, hop) = routes[(seed >> 33) as usize % routes.len()];
            change(prefix, hop);
        }
        0
    })
}

/// The same by a peer. One that refuses some (rte_fib6 leaks nodes, and is full in the end) is quick at that.
fn churn<'a>(name: &'a str, table: &'a mut Dpdk) -> Runner<'a> {
    let run = move || {
        let (time, refused) = table.churn(CHANGES, SEED).expect("an answer of DPDK");
        if refused > 0 {
            println!("{name} refused {refused} of these changes");
        }
        (time, 0)
    };
    Runner { name: name.to_string(), run: Box::new(run) }
}
