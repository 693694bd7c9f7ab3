//! `veth`: real frames on veth cables. `vethlab router` in each of its modes, the kernel's own forwarding, and a router made
//! with pnet take turns between the same two hosts.
//!
//! The generator has core 0 and the router core 1, which is where it spins; the kernel forwards in the sender's thread. So
//! the kernel needs one core for what takes us two.

mod latency;
mod loss;
mod stream;

use crate::chain::{FRAME, iptables};
use crate::contest::{Contender, Session, Settings, Subject, anything};
use crate::field::{Field, R0, Router, S0, SINK, SOURCE};
use crate::generator::Blast;
use crate::machine::{pin, unpin};
use crate::pnet_peer::{OWN, PnetRouter};
use crate::report::{Demand, Unit};
use crate::traffic::datagram;
use std::io;
use std::time::Duration;

/// Flows of the generator, and frames it has prepared.
const FLOWS: u16 = 16;
const PREPARED: u16 = 256;
/// Bytes of a full frame.
const FULL: usize = 1514;
/// Who is to be seen at work needs so long on a busy machine.
const SHORTEST: Duration = Duration::from_millis(100);
const KERNEL: &str = "kernel forwarding";
const IPTABLES: &str = "kernel with iptables";
const PNET: &str = "pnet::datalink";
const NOTE: &str =
    "overload from one AF_XDP sender; ours spins on a core of its own, the kernel works within the sender's core";

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    if let Err(why) = Field::new() {
        return session.skip("veth", &why.to_string());
    }
    rates(session, "64 bytes", FRAME, &[], &|who, peer| match (who, peer?) {
        ("ring", KERNEL) => Some(Demand::RatioAtLeast { floor: 0.7, goal: 1.0 }),
        ("xdp", KERNEL) => Some(Demand::RatioAtLeast { floor: 0.8, goal: 1.2 }),
        _ => None,
    });
    rates(session, "1500 bytes", FULL, &[], &|who, peer| {
        let best = matches!(who, "ring" | "xdp") && peer == Some(KERNEL);
        best.then_some(Demand::RatioAtLeast { floor: 0.6, goal: 0.85 })
    });
    rates(session, "64 bytes, filter and MASQUERADE", FRAME, &rules(), &|who, peer| {
        let best = matches!(who, "ring" | "xdp") && peer == Some(IPTABLES);
        best.then_some(Demand::RatioAtLeast { floor: 1.0, goal: 1.5 })
    });
    stream::measure(session);
    latency::measure(session);
    if session.settings.rfc2544 {
        loss::measure(session);
    }
    unpin();
}

/// The rules of `filter`, as commands.
fn rules() -> Vec<String> {
    iptables("r0", "r1").into_iter().map(|rule| format!("iptables {rule}")).collect()
}

/// Who stands in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Kernel,
    Pnet,
    /// Ours, in a mode; it spins or not.
    Ours(&'static str, bool),
}

impl Who {
    pub(super) fn name(self, rules: &[String]) -> &'static str {
        match self {
            Who::Kernel if rules.is_empty() => KERNEL,
            Who::Kernel => IPTABLES,
            Who::Pnet => PNET,
            Who::Ours(mode, _) => mode,
        }
    }

    /// One who takes turns.
    pub(super) fn contender<'a>(self, name: &str, turn: impl FnMut() -> io::Result<f64> + 'a) -> Contender<'a> {
        let mut turn = turn;
        let turn = move || turn().map_err(|why| why.to_string());
        if matches!(self, Who::Ours(..)) { Contender::ours(name, turn) } else { Contender::peer(name, turn) }
    }
}

/// Somebody at work in a field; it ends when this is dropped.
pub(super) enum Working {
    /// The kernel always works.
    Kernel,
    /// A thread.
    Pnet { _router: PnetRouter },
    /// A process.
    Ours { router: Router },
}

impl Working {
    /// The MAC to which the source sends.
    pub(super) fn mac(&self) -> [u8; 6] {
        match self {
            Working::Kernel => R0,
            Working::Pnet { .. } => OWN,
            Working::Ours { router, .. } => router.mac,
        }
    }
}

/// A field with somebody in its middle.
pub(super) struct Court<'a> {
    pub(super) field: Field,
    who: Who,
    rules: &'a [String],
    settings: &'a Settings,
}

impl<'a> Court<'a> {
    pub(super) fn new(who: Who, rules: &'a [String], settings: &'a Settings) -> io::Result<Court<'a>> {
        let field = Field::new()?;
        if who == Who::Kernel {
            field.kernel_routes(rules)?;
        }
        Ok(Court { field, who, rules, settings })
    }

    /// It goes to work, on core 1 where it has a thread of its own; this thread stays on core 0.
    pub(super) fn work(&self) -> io::Result<Working> {
        let working = match self.who {
            Who::Kernel => Working::Kernel,
            Who::Pnet => Working::Pnet { _router: PnetRouter::start(&self.field)? },
            Who::Ours(mode, busy) => {
                let binary = self
                    .settings
                    .binary
                    .as_deref()
                    .ok_or_else(|| io::Error::other("our router is the vethlab binary: run vethlab bench veth"))?;
                pin(1);
                let options: &[&str] = if busy { &["--io", mode, "--busy"] } else { &["--io", mode] };
                let started = Router::start(&self.field, binary, options, self.rules);
                Working::Ours { router: started? }
            }
        };
        pin(0);
        Ok(working)
    }
}

/// Frames from the source to the sink.
pub(super) fn frames(length: usize) -> Vec<Vec<u8>> {
    let frame = |number: u16| datagram([S0, R0], (SOURCE, 4000 + number % FLOWS), (SINK, 5000), length);
    (0..PREPARED).map(frame).collect()
}

/// What comes through at overload.
fn rates(
    session: &mut Session<'_>,
    what: &str,
    length: usize,
    rules: &[String],
    demands: &dyn Fn(&str, Option<&str>) -> Option<Demand>,
) {
    let settings = session.settings;
    let all = [Who::Ours("plain", true), Who::Ours("ring", true), Who::Ours("xdp", true), Who::Kernel, Who::Pnet];
    let mut contenders = Vec::new();
    // pnet knows no rules.
    for who in all.into_iter().filter(|who| *who != Who::Pnet || rules.is_empty()) {
        let name = who.name(rules);
        let made = Court::new(who, rules, settings).and_then(|court| {
            let (from, to) = ((&court.field.source, "s0"), (&court.field.sink, "d0"));
            let blast = Blast::open(from, to, &frames(length))?;
            Ok((court, blast))
        });
        let Some((court, mut blast)) = session.or_skip(&format!("veth: {what}: {name}"), made) else { continue };
        contenders.push(who.contender(name, move || {
            let working = court.work()?;
            blast.aim(working.mac());
            blast.full_speed(settings.turn().max(SHORTEST))
        }));
    }
    let unit = Unit::more("Mpps");
    session.contest(&Subject { bench: "veth", what, unit, demands, note: Some(NOTE) }, contenders);
}

/// Figures without demands that only some of us have.
pub(super) fn subject<'a>(what: &'a str, unit: Unit, note: &'a str) -> Subject<'a> {
    Subject { bench: "veth", what, unit, demands: &anything, note: Some(note) }
}
