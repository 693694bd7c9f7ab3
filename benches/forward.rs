//! Routers in a row, in turns with DPDK's libraries: `cargo bench -p vethlab-benches --bench forward` (`-- --rounds 9`).
//!
//! Times are of whole chains, source and sink included. What a router adds is the difference of sixteen routers and one,
//! divided by fifteen, of the medians. DPDK's chain knows no sources, neighbours, sockets or filters, and counts less.

use std::time::Duration;
use vethlab_benches::chain::{Chain, NETWORKS, destinations};
use vethlab_benches::dpdk::{DpdkChain, build_peer};
use vethlab_benches::prefixes::Routes;
use vethlab_benches::race::{Outcome, Runner, print, race};
use vethlab_engine::addr::{Ipv4Addr, Prefix};

const SEED: u64 = 1;
const HOPS: u16 = 16;
const FRAMES: usize = 1 << 19;
const MANY: u32 = 10_000;
const FLOWS: usize = 256;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let rounds =
        args.iter().position(|arg| arg == "--rounds").and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(5);
    println!(
        "median of {rounds} rounds, {FRAMES} frames of 60 bytes each, seed {SEED}; ratios to the first line, round by round"
    );
    let dir = tempfile::tempdir().expect("a directory for the peer");
    let program = build_peer(dir.path(), "dpdk_chain").inspect_err(|error| println!("SKIPPED: DPDK's chain: {error}"));
    let mut peers = Vec::new();
    for (hops, routes) in [(1, 1), (HOPS, 1), (1, MANY)] {
        let program = program.as_ref().ok();
        let peer = program.map(|program| DpdkChain::start(program, hops, &table(routes), &destinations(routes, SEED)));
        peers.extend(peer.map(|peer| (name("DPDK", hops, routes), peer.expect("DPDK's chain"))));
    }
    let mut chains = [
        (name("vethlab", 1, 1), Chain::new(1, 1, SEED)),
        (name("vethlab", HOPS, 1), Chain::new(HOPS, 1, SEED)),
        (name("vethlab", 1, MANY), Chain::new(1, MANY, SEED)),
        ("vethlab, 1 router, NAT".to_string(), Chain::new(1, 1, SEED).filtered(FLOWS)),
        ("vethlab, 16 routers, NAT".to_string(), Chain::new(HOPS, 1, SEED).filtered(FLOWS)),
    ];
    let ours = chains.iter_mut().map(|(name, chain)| runner(name, || chain.run(FRAMES)));
    let mut runners: Vec<Runner<'_>> = ours.collect();
    runners.extend(peers.iter_mut().map(|(name, peer)| runner(name, || peer.run(FRAMES).expect("an answer of DPDK"))));
    let outcomes = race(rounds, FRAMES, &mut runners);
    print("chains of routers", &outcomes);
    println!();
    for who in ["vethlab, 1 router, 1 route", "vethlab, 1 router, NAT", "DPDK, 1 router, 1 route"] {
        tell(&outcomes, who, &who.replace("1 router", "16 routers"));
    }
}

fn runner<'a>(name: &str, run: impl FnMut() -> (Duration, u64) + 'a) -> Runner<'a> {
    Runner { name: name.to_string(), run: Box::new(run) }
}

fn name(who: &str, hops: u16, routes: u32) -> String {
    let plural = |count: u32| if count == 1 { "" } else { "s" };
    format!("{who}, {hops} router{}, {routes} route{}", plural(hops.into()), plural(routes))
}

/// The routes that the routers of [`Chain::new`] have.
fn table(routes: u32) -> Routes<Ipv4Addr> {
    (0..routes).map(|network| (Prefix::of(Ipv4Addr::from(NETWORKS + (network << 8)), 24), 1)).collect()
}

/// What a router adds, of a chain of one and a chain of sixteen.
fn tell(outcomes: &[Outcome], one: &str, many: &str) {
    let time = |name: &str| outcomes.iter().find(|outcome| outcome.name == name).map(|outcome| 1e9 / outcome.rate[0]);
    if let (Some(one_took), Some(many_took)) = (time(one), time(many)) {
        println!("{many}: a router adds {:.1} ns", (many_took - one_took) / f64::from(HOPS - 1));
    }
}
