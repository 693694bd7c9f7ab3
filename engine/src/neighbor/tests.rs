//! The cache against what the kernel does: each test says what was seen there.

use super::*;
use crate::addr::Ipv4Addr;
use crate::control::{NeighborMode, NeighborSpec, Nud};
use crate::frame::FramePool;
use crate::rng::Rng;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

const PORT: IfIndex = 2;
const B_MAC: Mac = Mac([2, 0, 0, 0, 0x0b, 1]);
const OTHER: Mac = Mac([2, 0, 0, 0, 0x0c, 1]);

fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 9, 0, last).into()
}

fn at(millis: u64) -> Time {
    Time(millis * 1_000_000)
}

/// A cache, and a pool that gets every frame back.
struct Bench {
    cache: Neighbors<u32>,
    pool: FramePool,
    sent: u32,
}

impl Bench {
    fn new() -> Bench {
        Bench { cache: Neighbors::new(Rng::new(7)), pool: FramePool::new(), sent: 0 }
    }

    /// Sends a packet as the stack does.
    fn send(&mut self, now: Time, to: IpAddr) -> Option<Mac> {
        let mac = self.cache.resolve(now, PORT, to);
        if mac.is_none() {
            self.sent += 1;
            let frame = self.pool.copy(&[0; 84]);
            self.cache.park(now, PORT, to, frame, self.sent);
        }
        mac
    }

    /// What was to be done, in words.
    fn actions(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(action) = self.cache.pop() {
            words.push(match action {
                Action::Request { ip, unicast: None, .. } => format!("who has {ip}"),
                Action::Request { ip, unicast: Some(mac), .. } => format!("who has {ip}, {mac}"),
                Action::Release { mac, frame, with, .. } => {
                    self.pool.give(frame);
                    format!("{with} to {mac}")
                }
                Action::Discard { reason, frame, with, .. } => {
                    self.pool.give(frame);
                    format!("{with} lost: {}", reason.name())
                }
                Action::Deferred { frame, with, .. } => {
                    self.pool.give(frame);
                    format!("answer {with}")
                }
            });
        }
        words
    }

    /// Lets time go by until `until`; what was done when, in milliseconds.
    fn run(&mut self, until: Time) -> Vec<(u64, String)> {
        let mut done = Vec::new();
        while let Some(next) = self.cache.next_deadline().filter(|&next| next <= until) {
            self.cache.tick(next);
            done.extend(self.actions().into_iter().map(|words| (next.0 / 1_000_000, words)));
        }
        done
    }

    fn state(&self, of: IpAddr) -> Nud {
        self.cache.get(Time::ZERO, PORT, of).map_or(Nud::None, |entry| entry.state)
    }

    fn reply(&mut self, now: Time, from: IpAddr, mac: Mac) {
        self.cache.heard(now, PORT, from, mac, Heard { reply_to_us: true, ..Heard::default() });
    }

    fn spec(to: IpAddr, lladdr: Option<Mac>, state: Nud) -> NeighborSpec {
        NeighborSpec { state, ..NeighborSpec::of(PORT, to, lladdr) }
    }

    fn add(&mut self, now: Time, mode: NeighborMode, to: IpAddr, lladdr: Option<Mac>, state: Nud) -> String {
        match self.cache.add(now, mode, &Bench::spec(to, lladdr, state), Nature::Unicast) {
            Ok(()) => String::new(),
            Err(refusal) => refusal.to_string(),
        }
    }
}

/// Three probes, one a second, each a little late as the kernel's timers are; then the parked packets are lost, and the entry
/// stays listed as failed.
#[test]
fn nobody_answers() {
    let mut bench = Bench::new();
    assert_eq!(bench.send(at(0), ip(9)), None);
    assert_eq!(bench.actions(), ["who has 10.9.0.9"]);
    bench.send(at(500), ip(9));
    assert!(bench.actions().is_empty(), "one question is enough");
    assert_eq!(bench.cache.held(), 2);
    let done = bench.run(at(60_000));
    let words: Vec<(u64, &str)> = done.iter().map(|(at, words)| (*at, words.as_str())).collect();
    let lost = ["1 lost: NoNeighbor", "2 lost: NoNeighbor"];
    assert_eq!(words, [(1024, "who has 10.9.0.9"), (2048, "who has 10.9.0.9"), (3072, lost[0]), (3072, lost[1])]);
    assert_eq!(bench.state(ip(9)), Nud::Failed);
    assert_eq!(bench.cache.get(at(0), PORT, ip(9)).unwrap().probes, 6);
    bench.send(at(70_000), ip(9));
    assert_eq!((bench.state(ip(9)), bench.actions().len()), (Nud::Incomplete, 1));
    bench.run(at(80_000));
    assert_eq!(bench.pool.taken(), 0);
}

/// `ip -s neigh` after one ping: `ref 1 used 0/0/0probes 4 REACHABLE`.
#[test]
fn somebody_answers() {
    let mut bench = Bench::new();
    bench.send(at(0), ip(2));
    bench.reply(at(1), ip(2), B_MAC);
    assert_eq!(bench.actions(), ["who has 10.9.0.2", "1 to 02:00:00:00:0b:01"]);
    let entry = bench.cache.get(at(1), PORT, ip(2)).unwrap();
    assert_eq!((entry.state, entry.mac, entry.references, entry.probes), (Nud::Reachable, Some(B_MAC), 1, 4));
    assert_eq!(bench.send(at(2), ip(2)), Some(B_MAC));
    assert!(bench.cache.next_deadline().is_some_and(|next| next >= at(15_001) && next < at(45_001)));
}

/// Reachable for a half to three halves of 30 s; then stale; used, delayed for 5 s; then probed by unicast.
#[test]
fn it_grows_old() {
    let mut bench = Bench::new();
    bench.send(at(0), ip(2));
    bench.reply(at(0), ip(2), B_MAC);
    bench.actions();
    assert!(bench.run(at(100_000)).is_empty());
    assert_eq!((bench.state(ip(2)), bench.cache.next_deadline()), (Nud::Stale, None));
    assert_eq!(bench.send(at(100_000), ip(2)), Some(B_MAC));
    assert_eq!(bench.state(ip(2)), Nud::Delay);
    let asked = "who has 10.9.0.2, 02:00:00:00:0b:01".to_owned();
    assert_eq!(bench.run(at(106_500)), [(105_216, asked.clone()), (106_240, asked.clone())]);
    assert_eq!(bench.state(ip(2)), Nud::Probe);
    bench.reply(at(106_600), ip(2), B_MAC);
    assert_eq!(bench.state(ip(2)), Nud::Reachable);

    bench.run(at(200_000));
    assert_eq!(bench.send(at(200_000), ip(2)), Some(B_MAC));
    let asks = [205_056, 206_080, 207_104].map(|at| (at, asked.clone()));
    assert_eq!(bench.run(at(300_000)), asks, "and nobody answers");
    assert_eq!((bench.state(ip(2)), bench.cache.get(at(0), PORT, ip(2)).unwrap().mac), (Nud::Failed, None));
}

/// A sign of life from an upper layer saves the probe, and keeps a reachable entry reachable.
#[test]
fn upper_layers_confirm() {
    let mut bench = Bench::new();
    bench.cache.solicited(at(0), PORT, ip(2), B_MAC);
    assert_eq!((bench.state(ip(2)), bench.cache.next_deadline()), (Nud::Stale, None));
    bench.send(at(1000), ip(2));
    bench.cache.confirm(at(2000), PORT, ip(2));
    assert!(bench.run(at(6500)).is_empty());
    assert_eq!(bench.state(ip(2)), Nud::Reachable);
    for second in 7..200 {
        bench.cache.confirm(at(second * 1000), PORT, ip(2));
        bench.run(at(second * 1000 + 999));
        assert_eq!(bench.state(ip(2)), Nud::Reachable);
    }
}

/// Who is asked takes the asker as stale, and as delayed once it has answered by a packet; never confirmed in the
/// world's first seconds either.
#[test]
fn the_asked_side_probes_after_five_seconds() {
    let mut bench = Bench::new();
    bench.cache.solicited(at(0), PORT, ip(1), B_MAC);
    assert_eq!(bench.state(ip(1)), Nud::Stale);
    assert_eq!(bench.send(at(0), ip(1)), Some(B_MAC));
    assert_eq!(bench.state(ip(1)), Nud::Delay);
    assert_eq!(bench.run(at(5200)), [(5120, "who has 10.9.0.1, 02:00:00:00:0b:01".to_owned())]);
}

/// A request that answers our own question lets the parked packet go, but proves nothing.
#[test]
fn a_request_resolves_too() {
    let mut bench = Bench::new();
    bench.send(at(0), ip(2));
    bench.cache.solicited(at(5), PORT, ip(2), B_MAC);
    assert_eq!(bench.actions(), ["who has 10.9.0.2", "1 to 02:00:00:00:0b:01"]);
    assert_eq!(bench.state(ip(2)), Nud::Delay);
}

/// The first of two different answers is believed, for a second; a gratuitous one at once; unknown senders never.
#[test]
fn the_locktime() {
    let mut bench = Bench::new();
    bench.reply(at(0), ip(2), B_MAC);
    assert!(bench.cache.get(at(0), PORT, ip(2)).is_none(), "arp_accept is 0");
    bench.send(at(0), ip(2));
    bench.reply(at(0), ip(2), B_MAC);
    bench.reply(at(900), ip(2), OTHER);
    assert_eq!(bench.send(at(900), ip(2)), Some(B_MAC));
    bench.reply(at(1001), ip(2), OTHER);
    assert_eq!(bench.send(at(1001), ip(2)), Some(OTHER));
    bench.cache.heard(at(1002), PORT, ip(2), B_MAC, Heard { gratuitous: true, ..Heard::default() });
    assert_eq!(bench.send(at(1002), ip(2)), Some(B_MAC));
    assert_eq!(bench.state(ip(2)), Nud::Delay, "stale, and used by the last line");
    bench.cache.heard(at(1003), PORT, ip(3), OTHER, Heard { accept: true, gratuitous: true, reply_to_us: false });
    assert_eq!(bench.state(ip(3)), Nud::Stale);
    bench.actions();
}

/// What ARP packets of every kind did to one entry of the kernel's, a second between some of them.
#[test]
fn packets_of_every_kind() {
    let (reply, garp) =
        (Heard { reply_to_us: true, ..Heard::default() }, Heard { gratuitous: true, ..Heard::default() });
    let mac = |last| Mac([2, 0, 0, 0, 0, last]);
    let table = [
        (0, "a reply, unasked", 2, reply, 2, Nud::Reachable),
        (20, "a reply, another MAC, within the locktime", 3, reply, 2, Nud::Reachable),
        (1120, "a reply, another MAC, after it", 3, reply, 3, Nud::Reachable),
        (1140, "a request for another, same MAC", 3, Heard::default(), 3, Nud::Reachable),
        (1160, "a request for another, another MAC", 4, Heard::default(), 3, Nud::Reachable),
        (1180, "gratuitous, another MAC", 4, garp, 4, Nud::Stale),
        (1200, "gratuitous, another MAC again", 5, garp, 5, Nud::Stale),
        (1220, "a broadcast reply, another MAC, within the locktime", 6, Heard::default(), 5, Nud::Stale),
        (2400, "a broadcast reply, same MAC", 5, Heard::default(), 5, Nud::Stale),
        (2420, "a broadcast reply, another MAC, after it", 6, Heard::default(), 6, Nud::Stale),
    ];
    let mut bench = Bench::new();
    bench.cache.solicited(at(0), PORT, ip(2), mac(2));
    assert_eq!(bench.state(ip(2)), Nud::Stale);
    for (when, what, from, heard, known, state) in table {
        bench.cache.heard(at(when), PORT, ip(2), mac(from), heard);
        let entry = bench.cache.get(at(when), PORT, ip(2)).expect("an entry");
        assert_eq!((entry.mac, entry.state), (Some(mac(known)), state), "{what}");
    }
}

/// 212992 bytes hold 256 pings of 84 bytes, as was measured; the oldest make room.
#[test]
fn the_queue_is_bounded() {
    let mut bench = Bench::new();
    for _ in 0..259 {
        bench.send(at(0), ip(9));
    }
    let lost =
        ["who has 10.9.0.9", "1 lost: NeighborQueueFull", "2 lost: NeighborQueueFull", "3 lost: NeighborQueueFull"];
    assert_eq!(bench.actions(), lost);
    assert_eq!((bench.cache.held(), bench.cache.last_parked(PORT, ip(9)).unwrap().1), (256, 259));
    bench.cache.port_down(PORT);
    assert_eq!(bench.actions().len(), 256);
    assert_eq!((bench.cache.held(), bench.pool.taken()), (0, 0));
}

/// Golden case 09, and what the kernel said to a few more.
#[test]
fn by_hand() {
    use NeighborMode::{Add, Change, Replace};
    let [exist, no_ent] = ["RTNETLINK answers: File exists", "RTNETLINK answers: No such file or directory"];
    let no_address = "Error: No link layer address given.";
    let mut bench = Bench::new();
    let now = at(0);
    assert_eq!(bench.add(now, Add, ip(50), Some(B_MAC), Nud::Permanent), "");
    assert_eq!(bench.add(now, Add, ip(50), Some(OTHER), Nud::Permanent), exist);
    assert_eq!(bench.add(now, Replace, ip(50), Some(OTHER), Nud::Reachable), "");
    assert_eq!((bench.state(ip(50)), bench.send(now, ip(50))), (Nud::Reachable, Some(OTHER)));
    assert_eq!(bench.add(now, Change, ip(60), Some(B_MAC), Nud::Permanent), no_ent);
    assert_eq!(bench.add(now, Add, ip(80), None, Nud::Permanent), no_address);
    assert_eq!(bench.add(now, Add, ip(80), Some(B_MAC), Nud::Permanent), exist, "the empty entry stayed");
    assert_eq!(bench.add(now, Replace, ip(80), Some(B_MAC), Nud::Permanent), "");
    assert_eq!(bench.add(now, Add, ip(81), None, Nud::Failed), "");
    assert_eq!(bench.add(now, Change, ip(81), None, Nud::Permanent), no_address);
    assert_eq!(bench.add(now, Add, ip(86), Some(B_MAC), Nud::Noarp), "");
    assert_eq!(bench.add(now, Change, ip(86), None, Nud::Stale), "", "it knows the MAC");
    assert_eq!(bench.state(ip(86)), Nud::Stale);
    let gone = |bench: &mut Bench, of| bench.cache.delete(now, &Bench::spec(of, None, Nud::None)).is_ok();
    assert!(!gone(&mut bench, ip(99)) && gone(&mut bench, ip(50)) && !gone(&mut bench, ip(50)));
    bench.reply(now, ip(80), OTHER);
    assert_eq!(bench.send(now, ip(80)), Some(B_MAC), "a permanent lie stays");
}

/// `nud probe` and `nud delay` by hand ask at once; `nud incomplete` never asks.
#[test]
fn odd_states_by_hand() {
    let mut bench = Bench::new();
    for (last, state) in [(84, Nud::Probe), (85, Nud::Delay)] {
        bench.add(at(5), NeighborMode::Add, ip(last), Some(B_MAC), state);
        let done = bench.run(at(5));
        assert_eq!(done, [(5, format!("who has 10.9.0.{last}, {B_MAC}"))]);
        assert_eq!((bench.state(ip(last)), bench.cache.get(at(5), PORT, ip(last)).unwrap().probes), (Nud::Probe, 1));
    }
    bench.cache.port_down(PORT);
    bench.add(at(5), NeighborMode::Add, ip(82), None, Nud::Incomplete);
    bench.send(at(6), ip(82));
    assert!(bench.run(at(60_000)).is_empty() && bench.actions().is_empty());
    let spec = Bench::spec(ip(82), None, Nud::None);
    assert!(bench.cache.delete(at(7), &spec).is_ok());
    assert_eq!(bench.actions(), ["1 lost: NoNeighbor"]);
}

/// A broadcast address may be added without a MAC; `lo` has one entry for all addresses.
#[test]
fn addresses_that_need_no_resolution() {
    let mut bench = Bench::new();
    let spec = Bench::spec(ip(255), None, Nud::Stale);
    assert!(bench.cache.add(at(0), NeighborMode::Add, &spec, Nature::Noarp(Mac::BROADCAST)).is_ok());
    assert_eq!(bench.cache.get(at(0), PORT, ip(255)).unwrap().mac, Some(Mac::BROADCAST));
    for (mode, last, mac) in [(NeighborMode::Add, 5, Some(B_MAC)), (NeighborMode::Add, 77, None)] {
        let spec = NeighborSpec { index: 1, ..Bench::spec(ip(last), mac, Nud::Stale) };
        assert!(bench.cache.add(at(0), mode, &spec, Nature::Loopback).is_ok());
    }
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    assert_eq!(bench.cache.get(at(0), 1, any).unwrap().mac, Some(B_MAC));
    assert!(bench.cache.noarp(at(0), PORT, Ipv4Addr::new(224, 0, 0, 22).into(), OTHER));
    let entries: Vec<(IfIndex, Nud)> =
        bench.cache.entries(at(0)).iter().map(|entry| (entry.port, entry.state)).collect();
    assert_eq!(entries, [(1, Nud::Stale), (PORT, Nud::Stale), (PORT, Nud::Noarp)]);
    assert_eq!(bench.cache.resolve(at(0), PORT, Ipv4Addr::new(224, 0, 0, 22).into()), Some(OTHER));
}

/// Carrier loss takes the dynamic entries, and keeps permanent ones and proxies; going down takes all.
#[test]
fn a_link_goes() {
    let mut bench = Bench::new();
    bench.add(at(0), NeighborMode::Add, ip(90), Some(B_MAC), Nud::Permanent);
    bench.add(at(0), NeighborMode::Add, ip(91), Some(B_MAC), Nud::Stale);
    let proxy = NeighborSpec { proxy: true, ..Bench::spec(ip(5), None, Nud::None) };
    assert!(bench.cache.add(at(0), NeighborMode::Add, &proxy, Nature::Unicast).is_ok());
    bench.cache.flush(PORT, IpVersion::V4, false);
    assert_eq!((bench.state(ip(90)), bench.state(ip(91))), (Nud::Permanent, Nud::None));
    assert!(bench.cache.is_proxied(PORT, ip(5)) && !bench.cache.is_proxied(3, ip(5)));
    let frame = bench.pool.copy(&[0; 28]);
    bench.cache.defer(at(0), PORT, frame, 1);
    assert_eq!(bench.cache.held(), 1);
    bench.cache.port_down(PORT);
    assert_eq!(bench.actions(), ["1 lost: NeighborRemoved"]);
    assert!(bench.cache.entries(at(0)).is_empty() && !bench.cache.is_proxied(PORT, ip(5)));
}

/// A proxy answers a broadcast request after a random time below 0.8 s; one entry without a link answers on all.
#[test]
fn a_proxy_takes_its_time() {
    let mut bench = Bench::new();
    let proxy = NeighborSpec { proxy: true, index: 0, ..Bench::spec(ip(6), None, Nud::None) };
    assert!(bench.cache.add(at(0), NeighborMode::Add, &proxy, Nature::Unicast).is_ok());
    assert!(bench.cache.is_proxied(PORT, ip(6)));
    for number in 0..66 {
        let frame = bench.pool.copy(&[0; 28]);
        bench.cache.defer(at(0), PORT, frame, number);
    }
    assert_eq!(bench.actions(), ["65 lost: NeighborQueueFull"]);
    let done = bench.run(at(799));
    assert!(done.len() == 65 && done.iter().any(|(at, _)| *at > 400));
    assert!(bench.cache.delete(at(0), &proxy).is_ok());
    assert_eq!(bench.cache.delete(at(0), &proxy), Err(crate::control::Errno::NoEnt.into()));
    assert_eq!(bench.pool.taken(), 0);
}

/// Below 128 entries nothing is collected; above 1024 nothing is added but permanent entries.
#[test]
fn the_table_is_bounded() {
    let mut bench = Bench::new();
    let many = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(0x0a09_0000 + number));
    for number in 0..127 {
        bench.cache.solicited(at(0), PORT, many(number), B_MAC);
    }
    assert_eq!(bench.cache.next_deadline(), None);
    for number in 127..1024 {
        assert!(bench.cache.solicited(at(0), PORT, many(number), B_MAC));
    }
    assert!(!bench.cache.solicited(at(0), PORT, many(1024), B_MAC));
    bench.send(at(0), many(1024));
    assert_eq!(bench.actions(), ["1 lost: NeighborTableFull"]);
    assert_eq!(
        bench.add(at(0), NeighborMode::Add, ip(9), Some(B_MAC), Nud::Permanent),
        "RTNETLINK answers: File exists"
    );
    assert_eq!(bench.add(at(0), NeighborMode::Add, many(2000), Some(B_MAC), Nud::Permanent), "");
    let full = "RTNETLINK answers: No buffer space available";
    assert_eq!(bench.add(at(0), NeighborMode::Add, many(2001), Some(B_MAC), Nud::Stale), full);

    assert!(bench.cache.solicited(at(5001), PORT, many(1024), B_MAC), "entries older than five seconds make room");
    assert_eq!(bench.cache.entries(at(5001)).len(), 513, "down to the second threshold, and the permanent one");
    bench.run(at(65_000));
    let left: Vec<IpAddr> = bench.cache.entries(at(65_000)).iter().map(|entry| entry.ip).collect();
    assert_eq!(left, [many(1024), many(2000)], "the unused go after 60 s, to the 15th second");
}

/// Sysctls: a base time of 0 makes nothing reachable for long, and no broadcast probes makes it fail at once.
#[test]
fn timings_may_be_changed() {
    let mut bench = Bench::new();
    let conf = NeighborConf::default_of(IpVersion::V4);
    let none = NeighborConf { mcast_solicit: 0, base_reachable_time: Duration::ZERO, ..conf };
    bench.cache.configure(at(0), PORT, IpVersion::V4, none);
    bench.send(at(0), ip(2));
    assert_eq!((bench.actions(), bench.state(ip(2))), (vec!["1 lost: NoNeighbor".to_owned()], Nud::Failed));
    bench.cache.solicited(at(0), PORT, ip(3), B_MAC);
    bench.reply(at(0), ip(3), B_MAC);
    bench.run(at(50));
    assert_eq!(bench.state(ip(3)), Nud::Delay, "its time is over, but it is new");
    assert_eq!(bench.cache.conf(PORT, IpVersion::V4), none);
}

/// What a cache may be asked in the noise test.
#[derive(Clone, Debug)]
enum Deed {
    Send(u8),
    Solicited(u8),
    Heard(u8, bool, bool, bool),
    Confirm(u8),
    Add(u8, u8, bool),
    Delete(u8),
    Flush(bool),
    Down,
    Defer,
    Wait(u16),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => any::<u8>().prop_map(Deed::Send),
        3 => any::<u8>().prop_map(Deed::Solicited),
        3 => any::<(u8, bool, bool, bool)>().prop_map(|(of, a, b, c)| Deed::Heard(of, a, b, c)),
        1 => any::<u8>().prop_map(Deed::Confirm),
        2 => any::<(u8, u8, bool)>().prop_map(|(of, state, mac)| Deed::Add(of, state, mac)),
        1 => any::<u8>().prop_map(Deed::Delete),
        1 => any::<bool>().prop_map(Deed::Flush),
        1 => Just(Deed::Down),
        1 => Just(Deed::Defer),
        6 => (0..9000u16).prop_map(Deed::Wait),
    ]
}

proptest! {
    /// Whatever happens, every parked frame comes back exactly once, and time always goes on.
    #[test]
    fn noise_loses_no_frame(deeds in proptest::collection::vec(deed(), 0..200)) {
        const STATES: [Nud; 9] = [
            Nud::None, Nud::Incomplete, Nud::Reachable, Nud::Stale, Nud::Delay, Nud::Probe, Nud::Failed, Nud::Noarp,
            Nud::Permanent,
        ];
        let mut bench = Bench::new();
        let small = NeighLimits { gc_thresh1: 4, gc_thresh2: 8, gc_thresh3: 16, gc_interval: 30 };
        bench.cache.set_limits(IpVersion::V4, small);
        let mut now = at(0);
        for deed in deeds {
            match deed {
                Deed::Send(to) => { bench.send(now, ip(to % 24)); }
                Deed::Solicited(of) => { bench.cache.solicited(now, PORT, ip(of % 24), B_MAC); }
                Deed::Heard(of, reply_to_us, gratuitous, accept) => {
                    let heard = Heard { reply_to_us, gratuitous, accept };
                    bench.cache.heard(now, PORT, ip(of % 24), Mac([2, 0, 0, 0, 0, of % 3]), heard);
                }
                Deed::Confirm(of) => bench.cache.confirm(now, PORT, ip(of % 24)),
                Deed::Add(of, state, mac) => {
                    let mode = [NeighborMode::Add, NeighborMode::Change, NeighborMode::Replace][of as usize % 3];
                    bench.add(now, mode, ip(of % 24), mac.then_some(B_MAC), STATES[state as usize % 9]);
                }
                Deed::Delete(of) => { let _ = bench.cache.delete(now, &Bench::spec(ip(of % 24), None, Nud::None)); }
                Deed::Flush(all) => bench.cache.flush(PORT, IpVersion::V4, all),
                Deed::Down => bench.cache.port_down(PORT),
                Deed::Defer => {
                    let frame = bench.pool.copy(&[0; 28]);
                    bench.cache.defer(now, PORT, frame, 0);
                }
                Deed::Wait(millis) => {
                    let until = now + Duration::from_millis(millis.into());
                    let mut turns = 0;
                    while let Some(next) = bench.cache.next_deadline().filter(|&next| next <= until) {
                        now = now.max(next);
                        bench.cache.tick(now);
                        bench.actions();
                        turns += 1;
                        prop_assert!(turns < 10_000, "time stands still");
                    }
                    now = until;
                }
            }
            prop_assert_eq!(bench.cache.held(), bench.pool.taken());
            bench.actions();
            prop_assert_eq!(bench.cache.held(), bench.pool.taken());
            let entries = bench.cache.entries(now);
            prop_assert!(entries.is_sorted_by_key(|entry| entry.ip));
            for entry in entries {
                prop_assert_eq!(bench.cache.get(now, PORT, entry.ip), Some(entry));
            }
        }
        bench.cache.port_removed(PORT);
        bench.actions();
        prop_assert_eq!(bench.pool.taken(), 0);
        prop_assert_eq!(bench.cache.next_deadline(), None);
    }
}
