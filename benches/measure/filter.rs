//! `filter`: a router with 20 rules in FORWARD, connection tracking and MASQUERADE, in memory, against a kernel namespace
//! with the same rules by `iptables`.

use super::forward::frames;
use super::{KERNEL, rate};
use crate::chain::{Chain, RULES};
use crate::contest::{Contender, Session, Subject};
use crate::generator::KernelChain;
use crate::plan::Plan;
use crate::report::{Demand, Unit};
use crate::traffic::{answer, to_plan};

/// Connections that are known, and were answered.
const FLOWS: usize = 256;
const NOTE: &str = "each packet is asked all rules, and belongs to one of 256 known connections; the \
                    kernel's figure includes its veth cables and generator";

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    let (settings, count) = (session.settings, frames(session, 4));
    let what = format!("1 router, {RULES} rules, conntrack, MASQUERADE");
    let mut ours = Chain::new(1, 1, settings.seed).filtered(FLOWS);
    let mut contenders = vec![Contender::ours("", || rate(ours.run(count), count))];
    let asked: Vec<Vec<u8>> = to_plan(1, settings.seed).into_iter().take(FLOWS).collect();
    let answers: Vec<Vec<u8>> = asked.iter().map(|frame| answer(frame)).collect();
    let made = KernelChain::new(&Plan::chain(1, 1).filtered(1), &asked).and_then(|chain| chain.answered(&answers));
    let kernel = session.or_skip(&format!("filter: {what}: {KERNEL}"), made);
    contenders.extend(kernel.map(|mut chain| Contender::peer(KERNEL, move || chain.turn(settings.turn()))));
    let demands = |_: &str, peer: Option<&str>| peer.map(|_| Demand::RatioAtLeast { floor: 8.0, goal: 15.0 });
    let unit = Unit::more("Mpps");
    session.contest(&Subject { bench: "filter", what: &what, unit, demands: &demands, note: Some(NOTE) }, contenders);
}
