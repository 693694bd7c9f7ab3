//! The event simulator: a line of routers, one datagram an event; the same in bursts; and 100,000 namespaces.
//!
//! `cargo bench -p vethlab-benches --bench sim` (`-- --rounds 9`, `-- --namespaces 10000`).

use vethlab_benches::race::{Runner, print, race};
use vethlab_benches::world::{Chain, Scale, scale};

/// Routers of the line.
const ROUTERS: usize = 16;
/// Datagrams a round.
const DATAGRAMS: usize = 20_000;

fn main() {
    let rounds = said("--rounds").unwrap_or(5);
    chains(rounds);
    let namespaces = said("--namespaces").unwrap_or(100_000);
    if namespaces > 0 {
        tell(&scale(namespaces));
    }
}

/// The number behind a word of the command line.
fn said(word: &str) -> Option<usize> {
    let args: Vec<String> = std::env::args().collect();
    args.iter().position(|arg| arg == word).and_then(|at| args.get(at + 1)?.parse().ok())
}

fn chains(rounds: usize) {
    let runner = |name: &str, routers: usize, burst: usize| {
        let mut chain = Chain::new(routers);
        Runner { name: name.to_string(), run: Box::new(move || chain.run(DATAGRAMS, burst)) }
    };
    let mut runners =
        [runner("16 routers", ROUTERS, 1), runner("1 router", 1, 1), runner("16 routers, bursts of 32", ROUTERS, 32)];
    let outcomes = race(rounds, DATAGRAMS, &mut runners);
    print(&format!("events: {DATAGRAMS} datagrams, median of {rounds} rounds; ratios to the first line"), &outcomes);
    let [long, short, bursts] = outcomes.as_slice() else { return };
    let each = |rate: f64| 1e9 / rate;
    let adds = (each(long.rate[0]) - each(short.rate[0])) / (ROUTERS - 1) as f64;
    println!("  a router adds {adds:.1} ns; in bursts a hop costs {:.1} ns", each(bursts.rate[0]) / ROUTERS as f64);
}

fn tell(scale: &Scale) {
    let Scale { namespaces, setup, bytes, settle, first_wave, wave, hops, arrived, bytes_after, digest } = scale;
    let each = |bytes: &u64| *bytes as f64 / *namespaces as f64;
    let hop = |wave: &std::time::Duration| wave.as_nanos() as f64 / *hops as f64;
    println!("\n{namespaces} namespaces in a line, {arrived} datagrams arrived, digest {digest:016x}");
    println!("  set-up {setup:.3?}, {:.1} MB, {:.0} bytes a namespace", *bytes as f64 / 1e6, each(bytes));
    println!("  settled in {settle:.3?}; later {:.0} bytes a namespace", each(bytes_after));
    println!("  a wave of {hops} hops: {:.0} ns a hop with ARP, {:.0} ns without", hop(first_wave), hop(wave));
}
