//! `forward`: chains of routers in memory — our stacks with all their checks and counters, batch after batch — against
//! DPDK's library functions in a row, and against kernel namespaces between veth cables.

use super::{KERNEL, rate};
use crate::chain::{Chain, NETWORKS, destinations};
use crate::contest::{Contender, Session, Subject};
use crate::dpdk::{DpdkChain, build_peer};
use crate::generator::KernelChain;
use crate::plan::Plan;
use crate::prefixes::Routes;
use crate::report::{Demand, Samples, Unit};
use crate::traffic::to_plan;
use std::net::Ipv4Addr;
use std::path::Path;
use vethlab_engine::addr::Prefix;

/// How many routers are in a row.
const HOPS: [u16; 3] = [1, 16, 64];
/// How many routes make a table long.
const ROUTES: u32 = 10_000;
/// Hops of a turn: so many frames through one router, or half as many through two.
const WORK: usize = 1 << 21;

const DPDK: &str = "DPDK libraries";
const ITSELF: &str = "itself with 1 route";
const NOTE: &str = "frames go from router to router in memory; the kernel's figure includes its veth cables and generator; \
                    DPDK's routers know no neighbours, sources or filters, and count less";

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    let dir = tempfile::tempdir();
    let built = dir.as_ref().map_err(|why| why.to_string());
    let built = built.and_then(|dir| build_peer(dir.path(), "dpdk_chain").map_err(|why| why.to_string()));
    let program = session.or_skip(&format!("forward: {DPDK}"), built);
    if let Some(version) =
        crate::machine::version_of("pkg-config", &["--modversion", "libdpdk"]).filter(|_| program.is_some())
    {
        session.version("DPDK", version);
    }
    let hops: &[u16] = if session.settings.quick { &HOPS[..2] } else { &HOPS };
    for hops in hops {
        chain(session, *hops, program.as_deref());
    }
    cost(session);
    long_table(session, program.as_deref());
}

/// Frames of a turn.
pub(super) fn frames(session: &Session<'_>, hops: u16) -> usize {
    (if session.settings.quick { WORK >> 9 } else { WORK }) / usize::from(hops)
}

fn title(hops: u16) -> String {
    format!("{hops} router{} in a row", if hops == 1 { "" } else { "s" })
}

fn demands(hops: u16, peer: Option<&str>) -> Option<Demand> {
    match (hops, peer?) {
        (16, KERNEL) => Some(Demand::RatioAtLeast { floor: 10.0, goal: 20.0 }),
        (16, _) => Some(Demand::RatioAtLeast { floor: 0.25, goal: 0.5 }),
        _ => None,
    }
}

/// So many routers in a row.
fn chain(session: &mut Session<'_>, hops: u16, program: Option<&Path>) {
    let (settings, what, count) = (session.settings, title(hops), frames(session, hops));
    let mut ours = Chain::new(hops, 1, settings.seed);
    let mut contenders = vec![Contender::ours("", || rate(ours.run(count), count))];
    contenders.extend(dpdk(session, &what, program, hops, 1, count));
    contenders.extend(kernel(session, "forward", &what, &Plan::chain(hops.into(), 1), 1));
    let unit = Unit::more("Mpps");
    let demands = |_: &str, peer: Option<&str>| demands(hops, peer);
    session.contest(&Subject { bench: "forward", what: &what, unit, demands: &demands, note: Some(NOTE) }, contenders);
}

/// DPDK's turns, if it can be had.
fn dpdk(
    session: &mut Session<'_>,
    what: &str,
    program: Option<&Path>,
    hops: u16,
    routes: u32,
    count: usize,
) -> Option<Contender<'static>> {
    let network = |at: u32| (Prefix::of(Ipv4Addr::from(NETWORKS + (at << 8)), 24), 1);
    let table: Routes<Ipv4Addr> = (0..routes).map(network).collect();
    let started = DpdkChain::start(program?, hops, &table, &destinations(routes, session.settings.seed));
    let mut peer = session.or_skip(&format!("forward: {what}: {DPDK}"), started)?;
    let turn = move || rate(peer.run(count).map_err(|why| why.to_string())?, count);
    Some(Contender::peer(DPDK, turn))
}

/// The kernel's turns, if there are rights for it.
pub(super) fn kernel(
    session: &mut Session<'_>,
    bench: &str,
    what: &str,
    plan: &Plan,
    routes: u32,
) -> Option<Contender<'static>> {
    let lasting = session.settings.turn();
    let made = KernelChain::new(plan, &to_plan(routes, session.settings.seed));
    let mut chain = session.or_skip(&format!("{bench}: {what}: {KERNEL}"), made)?;
    Some(Contender::peer(KERNEL, move || chain.turn(lasting)))
}

/// What a router adds: by the rows that are there, the difference of sixteen routers and one, divided by fifteen.
fn cost(session: &mut Session<'_>) {
    let nanos = |samples: &Samples| samples.rounds.iter().map(|rate| 1000.0 / rate).collect::<Vec<f64>>();
    let adds = |long: &Samples, short: &Samples| -> Samples {
        nanos(long).iter().zip(nanos(short)).map(|(long, short)| (long - short) / 15.0).collect()
    };
    let mut rows = Vec::new();
    for row in session.report.rows.iter().filter(|row| row.bench == "forward" && row.what == title(16)) {
        let same =
            |other: &&crate::report::Row| other.what == title(1) && other.peer == row.peer && other.bench == row.bench;
        let Some(short) = session.report.rows.iter().find(same) else { continue };
        let mut added = row.clone();
        added.what = "what a router adds".to_string();
        added.unit = Unit::less("ns");
        added.ours = adds(&row.ours, &short.ours);
        added.theirs = row.theirs.as_ref().zip(short.theirs.as_ref()).map(|(long, short)| adds(long, short));
        let pairs = added.theirs.iter().flat_map(|theirs| added.ours.rounds.iter().zip(&theirs.rounds));
        added.ratio =
            added.theirs.is_some().then(|| pairs.map(|(ours, theirs)| added.unit.ratio(*ours, *theirs)).collect());
        added.demand = None;
        added.note =
            Some("16 routers less 1, divided by 15: without source and sink; rounds of two contests".to_string());
        rows.push(added);
    }
    session.report.rows.extend(rows);
}

/// One router with ten thousand routes, against itself with one, and against the same peers.
fn long_table(session: &mut Session<'_>, program: Option<&Path>) {
    let (settings, count) = (session.settings, frames(session, 1));
    let what = format!("1 router, {ROUTES} routes");
    let (mut long, mut short) = (Chain::new(1, ROUTES, settings.seed), Chain::new(1, 1, settings.seed));
    let mut contenders = vec![
        Contender::ours("", || rate(long.run(count), count)),
        Contender::peer(ITSELF, || rate(short.run(count), count)),
    ];
    contenders.extend(dpdk(session, &what, program, 1, ROUTES, count));
    contenders.extend(kernel(session, "forward", &what, &Plan::chain(1, ROUTES), ROUTES));
    let demand = Demand::RatioAtLeast { floor: 0.4, goal: 0.6 };
    let demands = |_: &str, peer: Option<&str>| (peer == Some(ITSELF)).then_some(demand);
    let unit = Unit::more("Mpps");
    session.contest(&Subject { bench: "forward", what: &what, unit, demands: &demands, note: Some(NOTE) }, contenders);
}
