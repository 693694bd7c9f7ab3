//! `filter`: a router with 20 rules in FORWARD, connection tracking and MASQUERADE, in memory, against a kernel namespace
//! with the same rules by `iptables`.

use super::forward::{frames, kernel};
use super::rate;
use crate::chain::{Chain, RULES};
use crate::contest::{Contender, Session, Subject};
use crate::plan::Plan;
use crate::report::{Demand, Unit};

/// Connections that are known, and were answered.
const FLOWS: usize = 256;
const NOTE: &str = "each packet is asked all rules but the last, or all, and belongs to one of 256 known connections; the \
                    kernel's figure includes its veth cables and generator";

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    let (settings, count) = (session.settings, frames(session, 4));
    let what = format!("1 router, {RULES} rules, conntrack, MASQUERADE");
    let mut ours = Chain::new(1, 1, settings.seed).filtered(FLOWS);
    let mut contenders = vec![Contender::ours("", || rate(ours.run(count), count))];
    contenders.extend(kernel(session, "filter", &what, &Plan::chain(1, 1).filtered(1), 1));
    let demands = |_: &str, peer: Option<&str>| peer.map(|_| Demand::RatioAtLeast { floor: 8.0, goal: 15.0 });
    let unit = Unit::more("Mpps");
    session.contest(&Subject { bench: "filter", what: &what, unit, demands: &demands, note: Some(NOTE) }, contenders);
}
