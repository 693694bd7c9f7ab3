//! The event simulator: a line of routers, one datagram an event, in turns with ns-3; the same in bursts; and 100,000
//! namespaces.
//!
//! `cargo bench -p vethlab-benches --bench sim` (`-- --rounds 9`, `-- --namespaces 10000`).

use vethlab_benches::ns3::{self, Ns3Chain};
use vethlab_benches::race::{Runner, print, race};
use vethlab_benches::world::{Chain, Scale, scale};

/// Routers of the line.
const ROUTERS: usize = 16;
/// Datagrams a round.
const DATAGRAMS: usize = 20_000;
/// A peer that is much slower sends one of so many.
const PART: usize = 20;

fn main() {
    let rounds = said("--rounds").unwrap_or(5);
    // First, as memory that others have given back would be taken again.
    let namespaces = said("--namespaces").unwrap_or(100_000);
    if namespaces > 0 {
        tell(&scale(namespaces));
    }
    if rounds > 0 {
        chains(rounds);
    }
}

/// The number behind a word of the command line.
fn said(word: &str) -> Option<usize> {
    let args: Vec<String> = std::env::args().collect();
    args.iter().position(|arg| arg == word).and_then(|at| args.get(at + 1)?.parse().ok())
}

fn chains(rounds: usize) {
    let ours = |name: &str, routers: usize, burst: usize| {
        let mut chain = Chain::new(routers);
        Runner { name: name.to_string(), run: Box::new(move || chain.run(DATAGRAMS, burst)) }
    };
    let mut runners =
        vec![ours("16 routers", ROUTERS, 1), ours("1 router", 1, 1), ours("16 routers, bursts of 32", ROUTERS, 32)];
    let dir = tempfile::tempdir().expect("a directory for the peer");
    match ns3::build(dir.path()) {
        Err(error) => println!("SKIPPED: ns-3: {error}"),
        Ok(program) => {
            for (links, routers) in [("ethernet", ROUTERS), ("ethernet", 1), ("ppp", ROUTERS)] {
                let mut peer = Ns3Chain::start(&program, links, routers).expect("ns-3 starts");
                // It is so much slower that a part must do.
                let run = move || {
                    let (time, arrived) = peer.run(DATAGRAMS / PART).expect("an answer of ns-3");
                    (time * PART as u32, arrived * PART as u64)
                };
                runners.push(Runner { name: format!("ns-3, {links}, {routers}"), run: Box::new(run) });
            }
        }
    }
    let outcomes = race(rounds, DATAGRAMS, &mut runners);
    print(&format!("events: {DATAGRAMS} datagrams, median of {rounds} rounds; ratios to the first line"), &outcomes);
    let took = |name: &str| outcomes.iter().find(|outcome| outcome.name == name).map(|outcome| 1e9 / outcome.rate[0]);
    let adds = |many: &str, one: &str| Some((took(many)? - took(one)?) / (ROUTERS - 1) as f64);
    for (many, one) in [("16 routers", "1 router"), ("ns-3, ethernet, 16", "ns-3, ethernet, 1")] {
        adds(many, one).into_iter().for_each(|adds| println!("  {many}: a router adds {adds:.1} ns"));
    }
    let digest = [1, 32].map(|burst| {
        let mut chain = Chain::new(ROUTERS);
        chain.run(DATAGRAMS, burst);
        format!("{:016x}", chain.digest())
    });
    println!("  digests {}", digest.join(" "));
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
