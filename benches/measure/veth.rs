//! `veth`: real frames on veth cables. `vethlab router` in each of its modes, the kernel's own forwarding — by its stack, and
//! at the door by XDP — and a router made with pnet take turns between the same two hosts.
//!
//! The generator has core 0 and the router core 1, which is where it spins; the kernel forwards in the sender's thread. So
//! the kernel needs one core for what takes us two: what that costs is measured, too, and what comes of one core for all.

mod cost;
mod latency;
mod loss;
mod stream;

use crate::chain::{FRAME, iptables};
use crate::contest::{Contender, Demands, Session, Settings, Subject, anything};
use crate::field::{Field, R0, Router, S0, SINK, SOURCE};
use crate::generator::Blast;
use crate::machine::{pin, unpin};
use crate::pnet_peer::{OWN, PnetRouter};
use crate::report::{Demand, Unit};
use crate::traffic::datagram;
use nix::unistd::Pid;
use std::io;
use std::time::Duration;
use vethlab_engine::device::xdp::Forwarder;

/// Flows of the generator, and frames it has prepared.
const FLOWS: u16 = 16;
const PREPARED: u16 = 256;
/// Bytes of a full frame.
const FULL: usize = 1514;
/// Who is to be seen at work needs so long on a busy machine.
const SHORTEST: Duration = Duration::from_millis(100);
const KERNEL: &str = "kernel forwarding";
const XDP: &str = "kernel, XDP";
const IPTABLES: &str = "kernel with iptables";
const PNET: &str = "pnet::datalink";
const NOTE: &str =
    "overload from one AF_XDP sender; ours spins on a core of its own, the kernel works within the sender's core";

const SHARED_NOTE: &str = "generator, router and sink on one core; ours sleeps while nothing comes";

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    if let Err(why) = Field::new() {
        return session.skip("veth", &why.to_string());
    }
    let best = |who: &str, peer: Option<&str>, of: &str| matches!(who, "ring" | "xdp") && peer == Some(of);
    rates(session, ("64 bytes", NOTE), FRAME, Wait::Spins, &[], &|who, peer| match (who, peer?) {
        ("ring", KERNEL) => Some(Demand::RatioAtLeast { floor: 0.7, goal: 1.0 }),
        ("xdp", KERNEL) => Some(Demand::RatioAtLeast { floor: 0.8, goal: 1.2 }),
        _ => None,
    });
    rates(session, ("1500 bytes", NOTE), FULL, Wait::Spins, &[], &|who, peer| {
        best(who, peer, KERNEL).then_some(Demand::RatioAtLeast { floor: 0.6, goal: 0.85 })
    });
    rates(session, ("64 bytes, filter and MASQUERADE", NOTE), FRAME, Wait::Spins, &rules(), &|who, peer| {
        best(who, peer, IPTABLES).then_some(Demand::RatioAtLeast { floor: 1.0, goal: 1.5 })
    });
    rates(session, ("64 bytes, one core", SHARED_NOTE), FRAME, Wait::Shares, &[], &anything);
    cost::measure(session);
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
    /// The kernel's routes, asked by XDP.
    Xdp,
    Pnet,
    /// Ours, in a mode.
    Ours(&'static str, Wait),
}

/// What a router of ours does while nothing comes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// It spins, on a core of its own.
    Spins,
    /// It sleeps, on a core of its own.
    Sleeps,
    /// It sleeps, and works on the generator's core.
    Shares,
}

impl Who {
    /// Ours in the modes that bring small packets along, and all peers.
    pub(super) fn all(wait: Wait) -> [Who; 6] {
        let ours = |mode| Who::Ours(mode, wait);
        [ours("plain"), ours("ring"), ours("xdp"), Who::Kernel, Who::Xdp, Who::Pnet]
    }

    pub(super) fn name(self, rules: &[String]) -> &'static str {
        match self {
            Who::Kernel if rules.is_empty() => KERNEL,
            Who::Kernel => IPTABLES,
            Who::Xdp => XDP,
            Who::Pnet => PNET,
            Who::Ours(mode, _) => mode,
        }
    }

    /// One who takes turns.
    fn contender<'a>(self, name: &str, turn: impl FnMut() -> io::Result<f64> + 'a) -> Contender<'a> {
        let mut turn = turn;
        let turn = move || turn().map_err(|why| why.to_string());
        if matches!(self, Who::Ours(..)) { Contender::ours(name, turn) } else { Contender::peer(name, turn) }
    }
}

/// All of those who can be had take turns, with these rules. `ready` makes what each needs of its own, once; a turn begins
/// when it is at work, and ends its work.
pub(super) fn contest<T>(
    session: &mut Session<'_>,
    subject: &Subject<'_>,
    (whos, rules): (&[Who], &[String]),
    ready: impl Fn(&Court<'_>) -> io::Result<T>,
    turn: impl Fn(&Court<'_>, &Working, &mut T) -> io::Result<f64>,
) {
    let (settings, turn) = (session.settings, &turn);
    let mut contenders = Vec::new();
    for who in whos {
        let name = who.name(rules);
        let made = Court::new(*who, rules, settings).and_then(|court| Ok((ready(&court)?, court)));
        let title = format!("{}: {}: {name}", subject.bench, subject.what);
        let Some((mut own, court)) = session.or_skip(&title, made) else { continue };
        contenders.push(who.contender(name, move || turn(&court, &court.work()?, &mut own)));
    }
    session.contest(subject, contenders);
}

/// Somebody at work in a field; it ends when this is dropped.
pub(super) enum Working {
    /// The kernel always works, and so does its XDP.
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

    /// Its process, if it has one of its own.
    pub(super) fn process(&self) -> Option<Pid> {
        if let Working::Ours { router } = self { Some(router.process()) } else { None }
    }
}

/// A field with somebody in its middle.
pub(super) struct Court<'a> {
    pub(super) field: Field,
    pub(super) who: Who,
    _forwarders: Option<[Forwarder; 2]>,
    rules: &'a [String],
    settings: &'a Settings,
}

impl<'a> Court<'a> {
    pub(super) fn new(who: Who, rules: &'a [String], settings: &'a Settings) -> io::Result<Court<'a>> {
        let field = Field::new()?;
        if matches!(who, Who::Kernel | Who::Xdp) {
            field.kernel_routes(rules)?;
        }
        let _forwarders = if who == Who::Xdp { Some(field.xdp_routes()?) } else { None };
        Ok(Court { field, who, _forwarders, rules, settings })
    }

    /// It goes to work, on core 1 where it has a thread of its own, if it is not to share core 0 with this thread.
    pub(super) fn work(&self) -> io::Result<Working> {
        let working = match self.who {
            Who::Kernel | Who::Xdp => Working::Kernel,
            Who::Pnet => Working::Pnet { _router: PnetRouter::start(&self.field)? },
            Who::Ours(mode, wait) => {
                let binary = self
                    .settings
                    .binary
                    .as_deref()
                    .ok_or_else(|| io::Error::other("our router is the vethlab binary: run vethlab bench veth"))?;
                pin(usize::from(wait != Wait::Shares));
                let options: &[&str] = if wait == Wait::Spins { &["--io", mode, "--busy"] } else { &["--io", mode] };
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

/// A generator of such frames before the router, and a sink behind it.
pub(super) fn blast(field: &Field, length: usize) -> io::Result<Blast> {
    Blast::open((&field.source, "s0"), (&field.sink, "d0"), &frames(length))
}

/// What comes through at overload.
fn rates(
    session: &mut Session<'_>,
    (what, note): (&str, &str),
    length: usize,
    wait: Wait,
    rules: &[String],
    demands: Demands<'_>,
) {
    let lasting = session.settings.turn().max(SHORTEST);
    // XDP and pnet know no rules; pnet's thread has a core of its own.
    let takes_part = |who: &Who| match who {
        Who::Xdp => rules.is_empty(),
        Who::Pnet => rules.is_empty() && wait != Wait::Shares,
        _ => true,
    };
    let whos: Vec<Who> = Who::all(wait).into_iter().filter(takes_part).collect();
    let subject = Subject { bench: "veth", what, unit: Unit::more("Mpps"), demands, note: Some(note) };
    let ready = |court: &Court<'_>| blast(&court.field, length);
    contest(session, &subject, (&whos, rules), ready, |_, working, blast| {
        blast.aim(working.mac());
        blast.full_speed(lasting)
    });
}

/// Figures without demands that only some of us have.
pub(super) fn subject<'a>(what: &'a str, unit: Unit, note: &'a str) -> Subject<'a> {
    Subject { bench: "veth", what, unit, demands: &anything, note: Some(note) }
}
