//! The longest-prefix match of a full Internet's routes, and of a few: `Fib4` and `Fib6` against peers, which take turns in
//! each round.
//!
//! `cargo bench -p vethlab-benches --bench fib` (`-- --rounds 9`, `-- --only v6`). Peers from the registry are always there;
//! DPDK's where Debian's `libdpdk-dev` is installed. Before a figure is told, all ways to look up have given the same answers
//! as a peer to ten million addresses, before and after a million changes, and the sums of the timed answers are compared.

use ip_network_table_deps_treebitmap::IpLookupTable;
use ip_network_table_deps_treebitmap::address::Address as TreeAddress;
use ipnet::{Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use std::cell::RefCell;
use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::{Duration, Instant};
use vethlab_benches::dpdk::{self, Dpdk};
use vethlab_benches::prefixes::{Routes, Trace, internet};
use vethlab_benches::race::{Runner, print, race};
use vethlab_benches::tables::{BATCH, bytes_of, sum_each, sum_of, treebitmap};
use vethlab_engine::addr::{Address, Prefix};
use vethlab_engine::fib::{Fib, Fib4, Fib6, NO_ROUTE, NextHopId};
use vethlab_engine::rng::Rng;

const SEED: u64 = 1;
const ADDRESSES: usize = 1 << 20;
const CHANGES: usize = 50_000;
/// What is asked, and changed, before anything is timed.
const CHECKED: usize = 10_000_000;
const CHECKED_CHANGES: usize = 1_000_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let said = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let rounds = said("--rounds").and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let is_wanted = |part: &str| said("--only").is_none_or(|only| only == part);
    let internet = internet(SEED);
    println!("{} IPv4 and {} IPv6 {}", internet.v4.len(), internet.v6.len(), internet.source);
    println!(
        "median of {rounds} rounds, {ADDRESSES} addresses each, seed {SEED}; ratios to the first line, round by round"
    );
    let dir = tempfile::tempdir().expect("a directory for peers");
    if is_wanted("small") {
        small::<Ipv4Addr>("IPv4", &internet.v4, rounds);
        small::<Ipv6Addr>("IPv6", &internet.v6, rounds);
    }
    let dpdk = dpdk::build(dir.path());
    if let Err(error) = &dpdk {
        println!("SKIPPED: DPDK's tables: {error}");
    }
    let dpdk = dpdk.ok();
    if is_wanted("v4") {
        v4(&internet.v4, dir.path(), dpdk.as_deref(), rounds);
    }
    if is_wanted("v6") {
        v6(&internet.v6, dpdk.as_deref(), rounds);
    }
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

/// A table of this process, and how it comes to the sum of the answers.
type Neighbor<'a, A> = (&'static str, Box<dyn Fn(&[A]) -> u64 + 'a>);

/// A table of another process, and the modes that it is asked in.
type Foreigner = (Vec<(&'static str, u32)>, RefCell<Dpdk>);

/// Another process's table, if it can be had.
fn foreigner<A: Address>(
    program: Option<&Path>,
    kind: &str,
    routes: &Routes<A>,
    modes: &[(&'static str, u32)],
) -> Option<Foreigner> {
    match Dpdk::start(program?, kind, routes) {
        Ok(peer) => Some((modes.to_vec(), RefCell::new(peer))),
        Err(error) => {
            println!("SKIPPED: {kind}: {error}");
            None
        }
    }
}

/// The lookups of all traces.
fn lookups<A: Address>(
    family: &str,
    fib: &Fib<A>,
    routes: &Routes<A>,
    neighbors: &[Neighbor<'_, A>],
    foreigners: &[Foreigner],
    rounds: usize,
) {
    for trace in Trace::ALL {
        let addresses = trace.draw(routes, ADDRESSES, SEED);
        let numbers: Vec<A::Number> = addresses.iter().map(|address| address.number()).collect();
        let mut runners = vec![
            runner("Fib, 64 at once", || sum_of(&numbers, |batch, hops| fib.lookup_batch(batch, hops))),
            runner("Fib, one by one", || sum_each(&addresses, |address| Some(fib.lookup(address)))),
        ];
        runners.extend(neighbors.iter().map(|(name, look)| runner(name, || look(&addresses))));
        let bytes: Vec<u8> = addresses.iter().flat_map(|address| bytes_of(*address)).collect();
        for (modes, peer) in foreigners {
            peer.borrow().lay_down(trace.name(), &bytes).expect("a file of addresses");
            for (name, mode) in modes {
                let run = move || peer.borrow_mut().look(*mode, trace.name()).expect("an answer of a peer");
                runners.push(Runner { name: name.to_string(), run: Box::new(run) });
            }
        }
        print(&format!("{family}, {} addresses", trace.name()), &race(rounds, ADDRESSES, &mut runners));
    }
}

fn v4(routes: &Routes<Ipv4Addr>, dir: &Path, program: Option<&Path>, rounds: usize) {
    let mut fib = Fib4::build(routes.iter().copied()).expect("room for the Internet");
    println!("\nFib4: {}", bytes(&fib));
    check(&mut Fib4::build(routes.iter().copied()).expect("room for the Internet"), routes);
    let treebitmap = treebitmap(routes);
    let mut trie = PrefixMap::new();
    for (prefix, hop) in routes {
        trie.insert(Ipv4Net::new(prefix.address(), prefix.length()).expect("a length"), *hop);
    }
    let find = |address: Ipv4Addr| trie.get_lpm(&Ipv4Net::from(address)).map(|found| *found.1);
    let neighbors: Vec<Neighbor<'_, Ipv4Addr>> = vec![
        ("treebitmap", Box::new(|all| sum_each(all, |address| treebitmap.longest_match(address).map(|m| *m.2)))),
        ("prefix-trie", Box::new(|all| sum_each(all, find))),
    ];
    let poptrie = dpdk::build_poptrie(dir);
    if let Err(error) = &poptrie {
        println!("SKIPPED: poptrie: {error}");
    }
    let mut foreigners = Vec::new();
    foreigners.extend(foreigner(poptrie.ok().as_deref(), "v4", routes, &[("poptrie", 0)]));
    foreigners.extend(foreigner(program, "fib", routes, &[("rte_fib AVX-512", 3), ("rte_fib scalar", 1)]));
    // It takes minutes to fill: it searches its rules from end to end.
    if std::env::var_os("VETHLAB_SLOW_PEERS").is_some() {
        foreigners.extend(foreigner(program, "lpm", routes, &[("rte_lpm bulk", 0)]));
    }
    lookups("IPv4", &fib, routes, &neighbors, &foreigners, rounds);
    changes("IPv4", &mut fib, routes, ("rte_fib AVX-512", "rte_fib"), &foreigners, rounds);
}

fn v6(routes: &Routes<Ipv6Addr>, program: Option<&Path>, rounds: usize) {
    let mut fib = Fib6::build(routes.iter().copied()).expect("room for the Internet");
    println!("\nFib6: {}", bytes(&fib));
    check(&mut Fib6::build(routes.iter().copied()).expect("room for the Internet"), routes);
    let treebitmap = treebitmap(routes);
    let mut trie = PrefixMap::new();
    for (prefix, hop) in routes {
        trie.insert(Ipv6Net::new(prefix.address(), prefix.length()).expect("a length"), *hop);
    }
    let find = |address: Ipv6Addr| trie.get_lpm(&Ipv6Net::from(address)).map(|found| *found.1);
    let neighbors: Vec<Neighbor<'_, Ipv6Addr>> = vec![
        ("treebitmap", Box::new(|all| sum_each(all, |address| treebitmap.longest_match(address).map(|m| *m.2)))),
        ("prefix-trie", Box::new(|all| sum_each(all, find))),
    ];
    let mut foreigners = Vec::new();
    foreigners.extend(foreigner(program, "fib6", routes, &[("rte_fib6 AVX-512", 3), ("rte_fib6 scalar", 1)]));
    foreigners.extend(foreigner(program, "lpm6", routes, &[("rte_lpm6 bulk", 0)]));
    lookups("IPv6", &fib, routes, &neighbors, &foreigners, rounds);
    changes("IPv6", &mut fib, routes, ("rte_fib6 AVX-512", "rte_fib6"), &foreigners, rounds);
}

fn bytes<A: Address>(fib: &Fib<A>) -> String {
    let (lookups, besides) = fib.memory();
    let each = |bytes: usize| bytes as f64 / fib.len() as f64;
    format!("{:.2} bytes a prefix for lookups, {:.2} besides for changes", each(lookups), each(besides))
}

/// Every way to look up answers as a peer does, before and after very many changes.
fn check<A: Address + TreeAddress>(fib: &mut Fib<A>, routes: &Routes<A>) {
    let mut tree = treebitmap(routes);
    let mut reader = fib.reader();
    let mut rng = Rng::new(SEED);
    let mut answers_agree = |fib: &Fib<A>, tree: &IpLookupTable<A, NextHopId>| {
        for trace in [Trace::Random, Trace::InTable] {
            let addresses = trace.draw(routes, CHECKED / 2, SEED);
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
    for _ in 0..CHECKED_CHANGES {
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
        "{CHECKED} addresses are answered as treebitmap answers them, in batches, one by one and by a reader; \
         so they are after {CHECKED_CHANGES} changes"
    );
}

/// Routes are taken out and put in again, chosen as the peers choose them.
fn changes<A: Address>(
    family: &str,
    fib: &mut Fib<A>,
    routes: &Routes<A>,
    (mode, name): (&str, &str),
    foreigners: &[Foreigner],
    rounds: usize,
) {
    let ours = move || {
        let mut seed = SEED;
        for _ in 0..CHANGES {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (prefix, hop) = routes[(seed >> 33) as usize % routes.len()];
            fib.remove(prefix);
            fib.insert(prefix, hop).expect("room for what was there");
        }
        0
    };
    let mut runners = vec![runner("Fib", ours)];
    let theirs = foreigners.iter().filter(|(modes, _)| modes.iter().any(|(other, _)| *other == mode));
    runners.extend(theirs.map(|(_, peer)| churn(name, peer)));
    let title = format!("{family}, changes (one is a removal and an insertion)");
    print(&title, &race(rounds, CHANGES, &mut runners));
}

/// The same by a peer. One that refuses some (rte_fib6 leaks nodes, and is full in the end) is quick at that.
fn churn<'a>(name: &'a str, peer: &'a RefCell<Dpdk>) -> Runner<'a> {
    let run = move || {
        let (time, refused) = peer.borrow_mut().churn(CHANGES, SEED).expect("an answer of DPDK");
        if refused > 0 {
            println!("{name} refused {refused} of these changes");
        }
        (time, 0)
    };
    Runner { name: name.to_string(), run: Box::new(run) }
}

/// Tables of few routes against a list, the longest first, that is searched until one fits. Each lookup finds its table
/// anew, as that of a packet does.
fn small<A: Address>(family: &str, routes: &Routes<A>, rounds: usize) {
    for count in [1, 2, 3, 4, 6, 8, 16, 64, 1024] {
        let routes = &routes[..count].to_vec();
        let fib = &Fib::build(routes.iter().copied()).expect("room for a few");
        let mut list = routes.clone();
        list.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.length()));
        let find =
            |address: A| black_box(&list).iter().find(|(prefix, _)| prefix.contains(address)).map(|(_, hop)| *hop);
        let addresses = Trace::InTable.draw(routes, ADDRESSES >> 4, SEED);
        let numbers: Vec<A::Number> = addresses.iter().map(|address| address.number()).collect();
        let mut runners = vec![
            runner("Fib, 64 at once", || sum_of(&numbers, |batch, hops| fib.lookup_batch(batch, hops))),
            runner("Fib, one by one", || sum_each(&addresses, |address| Some(black_box(fib).lookup(address)))),
            runner("a list", || sum_each(&addresses, find)),
        ];
        let (lookups, besides) = fib.memory();
        let title = format!("{family}, {count} routes ({} bytes), addresses in them", lookups + besides);
        print(&title, &race(rounds, addresses.len(), &mut runners));
    }
}
