//! What goes straight through becomes of a frame what becomes of it step by step, whatever it is and whatever changes.

use super::lab::*;
use crate::addr::Mac;
use crate::control::{Command, IfIndex, LinkChange, RouteKind, RouteSpec};
use crate::link::PortCounters;
use crate::observe::{Observer, Step};
use crate::rng::Rng;
use crate::time::Duration;
use crate::wire::{Ipv4, ethernet, ipv4};

const OUT: End = (0, 3);

/// What an observer was told.
#[derive(Default)]
struct Told(Vec<String>);

impl Observer for Told {
    fn step(&mut self, step: Step<'_>) {
        self.0.push(format!("{step:?}"));
    }
}

/// Two routers that are to do the same, the one as it does it, the other step by step.
struct Twins {
    one: Lab,
    other: Lab,
    /// Frames that went straight.
    straight: usize,
}

impl Twins {
    fn new() -> Twins {
        let mut twins = Twins { one: Lab::router(), other: Lab::router(), straight: 0 };
        twins.both(|lab| {
            lab.neighbor(OUT, "10.0.3.9", Mac([2, 0, 0, 0, 9, 9]));
            lab.route(0, "20.0.0.0/8", Some("10.0.3.9"), RouteKind::Unicast);
            lab.route(0, "20.1.0.0/16", Some("10.0.2.2"), RouteKind::Unicast);
            lab.route(0, "20.2.0.0/16", None, RouteKind::Blackhole);
            lab.route(0, "20.3.0.0/16", Some("10.0.3.77"), RouteKind::Unicast);
        });
        twins
    }

    fn both(&mut self, act: impl Fn(&mut Lab)) {
        act(&mut self.one);
        act(&mut self.other);
    }

    /// A frame for both.
    fn take(&mut self, port: IfIndex, frame: &[u8]) {
        let (mut told, mut told_other) = (Told::default(), Told::default());
        let mut copy = self.one.pool.copy(frame);
        let straight = &mut self.straight;
        self.one.with(0, |stack, cx| match stack.pass(port, &mut copy, &mut told) {
            Some(oif) => {
                *straight += 1;
                cx.out.push(oif, copy);
            }
            None => stack.receive_by_steps(cx, port, copy, &mut told),
        });
        let copy = self.other.pool.copy(frame);
        self.other.with(0, |stack, cx| {
            stack.receive_by_steps(cx, port, copy, &mut told_other);
        });
        assert_eq!(told.0, told_other.0, "{frame:02x?}");
        assert_eq!(self.one.sent(), self.other.sent());
        assert_eq!(self.one.stacks[0].counters(), self.other.stacks[0].counters());
        assert_eq!(counts(&self.one), counts(&self.other));
    }
}

fn counts(lab: &Lab) -> Vec<PortCounters> {
    lab.stacks[0].ports().iter().map(|port| port.counters).collect()
}

/// One of these.
fn of<T: Copy>(rng: &mut Rng, these: &[T]) -> T {
    these[rng.below(these.len() as u64) as usize]
}

/// The first as a rule, else one of the others.
fn mostly<T: Copy>(rng: &mut Rng, these: &[T]) -> T {
    if rng.below(8) == 0 { of(rng, these) } else { these[0] }
}

/// A frame, most often one that may be passed on.
fn frame(rng: &mut Rng) -> (IfIndex, Vec<u8>) {
    const SOURCES: [&str; 5] = ["10.0.2.2", "10.0.2.5", "10.0.3.1", "127.0.0.1", "0.0.0.5"];
    const DESTINATIONS: [&str; 11] = [
        "10.0.3.2",
        "20.0.0.1",
        "20.0.7.7",
        "20.1.0.1",
        "20.2.0.1",
        "20.3.0.1",
        "10.0.2.1",
        "10.0.3.1",
        "10.0.3.255",
        "30.0.0.1",
        "224.0.0.1",
    ];
    let port = mostly(rng, &[2, 3]);
    let header = Ipv4 {
        ttl: mostly(rng, &[64, 2, 1, 0]),
        tos: mostly(rng, &[0, 8]),
        flags_fragment: mostly(rng, &[0, ipv4::DF, ipv4::MF]),
        ..header(mostly(rng, &SOURCES), of(rng, &DESTINATIONS))
    };
    let options: &[u8] = mostly(rng, &[&[], &[1, 1, 1, 0]]);
    let mut bytes = packet(header, options, &echo(8, mostly(rng, &[10, 0, 300, 1400, 1473])));
    bytes.extend(vec![0xee; of(rng, &[0, 6])]);
    let mac = mostly(rng, &[port_mac((0, port)), host_mac(9), Mac::BROADCAST]);
    let mut bytes = framed(mac, host_mac(port), mostly(rng, &[ethernet::IPV4, ethernet::IPV6]), &bytes);
    if rng.below(12) == 0 {
        let at = rng.below(40.min(bytes.len() as u64)) as usize;
        bytes[at] ^= 1 << rng.below(8);
    }
    if rng.below(20) == 0 {
        bytes.truncate(rng.below(bytes.len() as u64) as usize);
    }
    (port, bytes)
}

/// Something changes for both.
fn change(twins: &mut Twins, rng: &mut Rng) {
    let chance = rng.below(11);
    let mac = Mac([2, 0, 0, 7, 7, rng.below(4) as u8]);
    let mtu = of(rng, &[1500, 1500, 68, 576]);
    twins.both(|lab| match chance {
        0 => lab.neighbor(OUT, "10.0.3.2", mac),
        1 => lab.neighbor(OUT, "10.0.3.9", mac),
        2 => lab.change(OUT, LinkChange { mtu: Some(mtu), ..LinkChange::default() }),
        3 => lab.link(OUT, false),
        4 | 9 => lab.link(OUT, true),
        5 => lab.sysctl(0, "net/ipv4/conf/all/rp_filter", if mac.0[5] < 2 { "1" } else { "0" }),
        6 => lab.sysctl(0, "net/ipv4/ip_forward", if mac.0[5] < 1 { "0" } else { "1" }),
        7 if mac.0[5] < 2 => {
            // It is there already at times.
            let spec = RouteSpec { nexthops: Vec::new(), kind: Some(RouteKind::Unreachable), ..longer() };
            let _ = lab.apply(0, Command::RouteAdd(crate::control::RouteMode::Add, spec));
        }
        7 => drop(lab.apply(0, Command::RouteDelete(longer()))),
        8 => lab.sysctl(0, "net/ipv4/ip_forward", "1"),
        _ => lab.wait(Duration::from_millis(700)),
    });
}

fn longer() -> RouteSpec {
    RouteSpec::to(ip("20.0.7.0").into(), 24)
}

#[test]
fn straight_through_is_the_same_as_step_by_step() {
    let mut straight = 0;
    for seed in 0..40 {
        let (mut twins, mut rng) = (Twins::new(), Rng::new(seed));
        for _ in 0..150 {
            if rng.below(24) == 0 {
                change(&mut twins, &mut rng);
            }
            let (port, frame) = frame(&mut rng);
            // The same again goes by what the first has taught.
            for _ in 0..1 + rng.below(4) {
                twins.take(port, &frame);
            }
        }
        straight += twins.straight;
    }
    assert!(straight > 1000, "{straight} is too few to prove anything");
}
