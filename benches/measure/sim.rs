//! `sim`: the event simulator — every frame is an event of its own at every hop — against ns-3, and against the kernel, which
//! carries the same datagrams through as many namespaces.

use super::forward::kernel;
use super::{KERNEL, rate};
use crate::contest::{Contender, Session, Subject};
use crate::machine::version_of;
use crate::ns3::{self, Ns3Chain};
use crate::plan::Plan;
use crate::report::{Demand, Unit};
use crate::world::Chain;

/// Routers in the line.
const ROUTERS: usize = 16;
/// Datagrams of a turn.
const DATAGRAMS: usize = 20_000;
const NS3: &str = "ns-3, Ethernet";
const NOTE: &str =
    "at both ends of ours are hosts with sockets; each hop is an event in virtual time, with all bytes and checksums";

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    let (routers, count) = if session.settings.quick { (2, 500) } else { (ROUTERS, DATAGRAMS) };
    let what = format!("{routers} routers in a world, one datagram an event");
    let mut chain = Chain::new(routers);
    let mut contenders = vec![Contender::ours("", || rate(chain.run(count, 1), count))];
    contenders.extend(kernel(session, "sim", &what, &Plan::chain(routers, 1), 1));
    let dir = tempfile::tempdir();
    let ns3 = dir.as_ref().map_err(|why| why.to_string()).and_then(|dir| {
        let program = ns3::build(dir.path()).map_err(|why| why.to_string())?;
        Ns3Chain::start(&program, "ethernet", routers).map_err(|why| why.to_string())
    });
    let ns3 = session.or_skip(&format!("sim: {what}: {NS3}"), ns3);
    if let Some(version) = version_of("pkg-config", &["--modversion", "ns3-core"]).filter(|_| ns3.is_some()) {
        session.version("ns-3", version);
    }
    // It is so much slower that a part of the datagrams says the same.
    let few = (count / 20).max(1);
    contenders.extend(
        ns3.map(|mut chain| Contender::peer(NS3, move || rate(chain.run(few).map_err(|why| why.to_string())?, few))),
    );
    let demands = |_: &str, peer: Option<&str>| match peer? {
        _ if routers != ROUTERS => None,
        KERNEL => Some(Demand::RatioAtLeast { floor: 2.0, goal: 5.0 }),
        _ => Some(Demand::RatioAtLeast { floor: 40.0, goal: 100.0 }),
    };
    let unit = Unit::more("Mpps");
    session.contest(&Subject { bench: "sim", what: &what, unit, demands: &demands, note: Some(NOTE) }, contenders);
}
