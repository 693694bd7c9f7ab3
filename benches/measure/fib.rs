//! `fib`: the longest-prefix match of a full Internet's routes, and of a few, against DPDK's tables, poptrie and two crates.
//! That all answers are right is proven by `cargo bench --bench fib` before it runs this; here the sums of all answers are compared.

use crate::contest::{Contender, Session, Subject};
use crate::dpdk::{Dpdk, build, build_poptrie};
use crate::machine::version_of;
use crate::prefixes::{Internet, Routes, Trace, from_file, internet};
use crate::report::{Demand, Unit};
use crate::tables::{bytes_of, sum_each, sum_of, treebitmap};
use ip_network_table_deps_treebitmap::address::Address as TreeAddress;
use ipnet::{Ipv4Net, Ipv6Net};
use prefix_trie::{Prefix as TriePrefix, PrefixMap};
use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use vethlab_engine::addr::Address;
use vethlab_engine::fib::{Fib, NextHopId};

/// Addresses of a trace.
const ADDRESSES: usize = 1 << 20;
/// How long a table is asked in a turn.
const TURN: Duration = Duration::from_millis(50);
/// Changes of a turn.
const CHANGES: usize = 50_000;
/// Routes of a table, and addresses, where it must only be seen to work.
const FEW: usize = 5000;
/// How many routes short tables have.
const SHORT: [usize; 4] = [1, 2, 4, 8];

const BATCHES: &str = "64 at once";
const SINGLE: &str = "one by one";
const TREEBITMAP: &str = "ip_network_table";
const TRIE: &str = "prefix-trie";
const POPTRIE: &str = "poptrie";
const LIST: &str = "a linear scan";

/// The programs of peers, where they could be built.
struct Programs {
    dpdk: Option<PathBuf>,
    poptrie: Option<PathBuf>,
}

/// A table in another process, and the modes that it is asked in.
struct Foreign<'a> {
    program: &'a Path,
    kind: &'static str,
    modes: &'static [(&'static str, u32)],
    table: RefCell<Dpdk>,
}

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    let settings = session.settings;
    let read =
        settings.prefixes.as_ref().map_or_else(|| Ok(internet(settings.seed)), |file| from_file(file, settings.seed));
    let Some(Internet { mut v4, mut v6, source }) = session.or_skip("fib", read) else { return };
    if settings.quick {
        v4.truncate(FEW);
        v6.truncate(FEW);
    }
    session.version("prefixes", format!("{} IPv4, {} IPv6, {source}", v4.len(), v6.len()));
    session.version(TREEBITMAP, "0.2 (treebitmap 0.5)");
    session.version(TRIE, "0.10");
    let dir = tempfile::tempdir();
    let Some(dir) = session.or_skip("fib: peers in C", dir) else { return };
    let programs = Programs {
        dpdk: session.or_skip("fib: DPDK's tables", build(dir.path())),
        poptrie: session.or_skip("fib: poptrie", build_poptrie(dir.path())),
    };
    if let Some(version) = version_of("pkg-config", &["--modversion", "libdpdk"]) {
        session.version("DPDK", version);
    }
    if !v4.is_empty() {
        let mut foreign = Vec::new();
        foreign.extend(start(
            session,
            programs.dpdk.as_ref(),
            "fib",
            &v4,
            &[("rte_fib AVX-512", 3), ("rte_fib scalar", 1)],
        ));
        foreign.extend(start(session, programs.poptrie.as_ref(), "v4", &v4, &[(POPTRIE, 0)]));
        let net = |address: Ipv4Addr, length| Ipv4Net::new(address, length).unwrap_or_default();
        family("IPv4", session, &v4, &net, &foreign);
    }
    if !v6.is_empty() {
        let mut foreign = Vec::new();
        foreign.extend(start(session, programs.dpdk.as_ref(), "fib6", &v6, &[("rte_fib6 AVX-512", 3)]));
        foreign.extend(start(session, programs.dpdk.as_ref(), "lpm6", &v6, &[("rte_lpm6 bulk", 0)]));
        let net = |address: Ipv6Addr, length| Ipv6Net::new(address, length).unwrap_or_default();
        family("IPv6", session, &v6, &net, &foreign);
    }
}

fn start<'a, A: Address>(
    session: &mut Session<'_>,
    program: Option<&'a PathBuf>,
    kind: &'static str,
    routes: &Routes<A>,
    modes: &'static [(&'static str, u32)],
) -> Option<Foreign<'a>> {
    let program = program?;
    let table = session.or_skip(&format!("fib: {kind}"), Dpdk::start(program, kind, routes))?;
    Some(Foreign { program, kind, modes, table: RefCell::new(table) })
}

/// All of one family of addresses.
fn family<A, P>(
    name: &str,
    session: &mut Session<'_>,
    routes: &Routes<A>,
    net: &dyn Fn(A, u8) -> P,
    foreign: &[Foreign<'_>],
) where
    A: Address + TreeAddress,
    P: TriePrefix,
{
    let built = Fib::build(routes.iter().copied()).map_err(|why| format!("{why:?}"));
    let Some(mut fib) = session.or_skip(&format!("fib: {name}"), built) else { return };
    memory(name, session, "memory for lookups", &fib, |(lookups, _)| lookups, (8.0, 5.0));
    let tree = treebitmap(routes);
    let mut trie = PrefixMap::new();
    for (prefix, hop) in routes {
        trie.insert(net(prefix.address(), prefix.length()), *hop);
    }
    let count = if session.settings.quick { FEW } else { ADDRESSES };
    for trace in Trace::ALL {
        let addresses = trace.draw(routes, count, session.settings.seed);
        let numbers: Vec<A::Number> = addresses.iter().map(|address| address.number()).collect();
        // Sums of whole batches only.
        let addresses = &addresses[..addresses.len() / crate::tables::BATCH * crate::tables::BATCH];
        let what = format!("{name}, {} addresses", trace.name());
        let sum = Cell::new(None);
        let find = |address: A| trie.get_lpm(&net(address, A::BITS)).map(|found| *found.1);
        let mut contenders = vec![
            Contender::ours(
                BATCHES,
                local(&sum, addresses.len(), || sum_of(&numbers, |batch, hops| fib.lookup_batch(batch, hops))),
            ),
            Contender::ours(
                SINGLE,
                local(&sum, addresses.len(), || sum_each(addresses, |address| Some(fib.lookup(address)))),
            ),
            Contender::peer(
                TREEBITMAP,
                local(&sum, addresses.len(), || {
                    sum_each(addresses, |address| tree.longest_match(address).map(|found| *found.2))
                }),
            ),
            Contender::peer(TRIE, local(&sum, addresses.len(), || sum_each(addresses, find))),
        ];
        let bytes: Vec<u8> = addresses.iter().flat_map(|address| bytes_of(*address)).collect();
        for Foreign { modes, table, .. } in foreign {
            let laid = table.borrow().lay_down(trace.name(), &bytes);
            if session.or_skip(&format!("fib: {what}"), laid).is_none() {
                continue;
            }
            contenders.extend(modes.iter().map(|(peer, mode)| {
                let (sum, count) = (&sum, addresses.len());
                Contender::peer(peer, move || {
                    let answer = table.borrow_mut().look(*mode, trace.name()).map_err(|why| why.to_string())?;
                    agreed(sum, answer, count)
                })
            }));
        }
        let demands = |who: &str, peer: Option<&str>| demand(A::BITS.into(), trace, who, peer?);
        let unit = Unit::more("M/s");
        session.contest(&Subject { bench: "fib", what: &what, unit, demands: &demands, note: None }, contenders);
    }
    short(name, session, routes);
    changes(name, session, &mut fib, routes, foreign);
    memory(name, session, "memory with what changes need", &fib, |(lookups, besides)| lookups + besides, (80.0, 50.0));
}

/// A turn of a table of this process: all addresses again and again. The first time does not count: it fetches into the
/// caches what others have driven out. `peers/peer.h` does the same.
fn local<'a>(
    sum: &'a Cell<Option<u64>>,
    count: usize,
    look: impl Fn() -> u64 + 'a,
) -> impl FnMut() -> Result<f64, String> + 'a {
    move || {
        let its = look();
        let (began, mut times) = (Instant::now(), 0);
        let took = loop {
            if look() != its {
                return Err("gives other answers than before".to_string());
            }
            times += 1;
            let took = began.elapsed();
            if took >= TURN {
                break took;
            }
        };
        agreed(sum, (took / times, its), count)
    }
}

/// Millions a second, if the answers are those of the others.
fn agreed(sum: &Cell<Option<u64>>, (time, its): (Duration, u64), count: usize) -> Result<f64, String> {
    let first = sum.get().unwrap_or(its);
    sum.set(Some(first));
    let rate = count as f64 / time.as_secs_f64() / 1e6;
    if its == first { Ok(rate) } else { Err("gives other answers than the first who was asked".to_string()) }
}

fn demand(bits: usize, trace: Trace, who: &str, peer: &str) -> Option<Demand> {
    let (floor, goal) = match (bits, trace, who, peer) {
        (32, Trace::Random, BATCHES, "rte_fib AVX-512" | "rte_fib scalar") => (1.5, 2.5),
        (32, Trace::InTable, BATCHES, "rte_fib AVX-512" | "rte_fib scalar") => (0.7, 1.0),
        (32, Trace::Zipf, BATCHES, "rte_fib AVX-512" | "rte_fib scalar") => (0.55, 0.9),
        (32, _, SINGLE, POPTRIE) => (1.5, 2.0),
        (32, _, BATCHES, TRIE) => (8.0, 16.0),
        (32, _, BATCHES, TREEBITMAP) => (12.0, 25.0),
        (128, Trace::InTable, BATCHES, "rte_lpm6 bulk") => (1.8, 3.0),
        (128, Trace::InTable, BATCHES, "rte_fib6 AVX-512") => (0.7, 1.1),
        (128, Trace::InTable, BATCHES, TREEBITMAP) => (8.0, 15.0),
        _ => return None,
    };
    Some(Demand::RatioAtLeast { floor, goal })
}

/// What the table weighs.
fn memory<A: Address>(
    name: &str,
    session: &mut Session<'_>,
    what: &str,
    fib: &Fib<A>,
    bytes: impl Fn((usize, usize)) -> usize,
    (floor, goal): (f64, f64),
) {
    let note =
        Some("what lookups touch; and that with what changes need besides, after many of them. The Rib is not counted");
    let demands = |_: &str, _: Option<&str>| (A::BITS == 32).then_some(Demand::FigureAtMost { floor, goal });
    let (what, unit) = (format!("{name}, {what}"), Unit::less("B/prefix"));
    let each = bytes(fib.memory()) as f64 / fib.len().max(1) as f64;
    session.figure(&Subject { bench: "fib", what: &what, unit, demands: &demands, note }, [each].into_iter().collect());
}

/// Tables of a few routes against a list, the longest first, that is searched until one fits.
fn short<A: Address>(name: &str, session: &mut Session<'_>, routes: &Routes<A>) {
    let count = if session.settings.quick { FEW } else { ADDRESSES >> 2 };
    for size in SHORT {
        let routes: Routes<A> = routes.iter().take(size).copied().collect();
        let built = Fib::build(routes.iter().copied()).map_err(|why| format!("{why:?}"));
        let Some(fib) = session.or_skip(&format!("fib: {name}, {size} routes"), built) else { continue };
        let mut list = routes.clone();
        list.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.length()));
        let find = |address: A| -> Option<NextHopId> {
            list.iter().find(|(prefix, _)| prefix.contains(address)).map(|(_, hop)| *hop)
        };
        let addresses = Trace::InTable.draw(&routes, count, session.settings.seed);
        let (lookups, besides) = fib.memory();
        let what = format!("{name}, {size} route{}, {} bytes", if size == 1 { "" } else { "s" }, lookups + besides);
        let sum = Cell::new(None);
        let contenders = vec![
            Contender::ours(SINGLE, local(&sum, count, || sum_each(&addresses, |address| Some(fib.lookup(address))))),
            Contender::peer(LIST, local(&sum, count, || sum_each(&addresses, find))),
        ];
        let demands = |_: &str, _: Option<&str>| Some(Demand::RatioAtLeast { floor: 1.0, goal: 1.0 });
        let unit = Unit::more("M/s");
        session.contest(&Subject { bench: "fib", what: &what, unit, demands: &demands, note: None }, contenders);
    }
}

/// Routes are taken out and put in again, chosen as the peers choose them.
fn changes<A: Address>(
    name: &str,
    session: &mut Session<'_>,
    fib: &mut Fib<A>,
    routes: &Routes<A>,
    foreign: &[Foreign<'_>],
) {
    let (seed, count) = (session.settings.seed, if session.settings.quick { FEW / 10 } else { CHANGES });
    let ours = move || {
        let (began, mut state) = (Instant::now(), seed);
        for _ in 0..count {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (prefix, hop) = routes[(state >> 33) as usize % routes.len()];
            fib.remove(prefix);
            fib.insert(prefix, hop).map_err(|why| format!("{why:?}"))?;
        }
        Ok(count as f64 / began.elapsed().as_secs_f64() / 1e6)
    };
    let mut contenders = vec![Contender::ours("", ours)];
    // rte_lpm6 takes minutes. A table is new in each turn: after some 200,000 changes rte_fib6 refuses more and more.
    contenders.extend(foreign.iter().filter(|peer| peer.kind.starts_with("fib")).map(|peer| {
        Contender::peer(&format!("rte_{}", peer.kind), move || {
            let changed = Dpdk::start(peer.program, peer.kind, routes).and_then(|mut table| table.churn(count, seed));
            match changed.map_err(|why| why.to_string())? {
                (time, 0) => Ok(count as f64 / time.as_secs_f64() / 1e6),
                (_, refused) => Err(format!("refused {refused} of {} removals and insertions", 2 * count)),
            }
        })
    }));
    let what = format!("{name}, changes");
    let (floor, goal) = if A::BITS == 32 { (1.0, 2.0) } else { (0.5, 1.0) };
    let demands = |_: &str, peer: Option<&str>| peer.map(|_| Demand::RatioAtLeast { floor, goal });
    let (unit, note) = (Unit::more("M/s"), Some("a change is a removal and an insertion of a route of the full table"));
    session.contest(&Subject { bench: "fib", what: &what, unit, demands: &demands, note }, contenders);
}
