//! Connection tracking and NAT: a packet of a flow that is known, and the first packet of one that is not.

use criterion::{BatchSize, Criterion, Throughput};
use std::net::Ipv4Addr;
use vethlab_engine::conntrack::{Conntrack, Nfct, Settings};
use vethlab_engine::filter::{Hook, NatRange};
use vethlab_engine::rng::Rng;
use vethlab_engine::time::{Duration, Time};
use vethlab_engine::wire::{Ipv4, Udp, protocol};

const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// How many flows begin in one round.
const NEW: u32 = 10_000;

fn datagram(from: Ipv4Addr, port: u16, to: Ipv4Addr) -> Vec<u8> {
    let payload = [0; 32];
    let udp = Udp { source: port, destination: 53, length: 0, checksum: 0 }.emit(from, to, &payload);
    let header = Ipv4 {
        tos: 0,
        total_length: (20 + udp.len() + payload.len()) as u16,
        id: 0,
        flags_fragment: 0,
        ttl: 64,
        protocol: protocol::UDP,
        source: from,
        destination: to,
        header_length: 20,
    };
    [&header.emit()[..], &udp, &payload].concat()
}

/// What the hooks ask of a packet that is masqueraded.
fn pass(flows: &mut Conntrack, now: Time, packet: &mut [u8]) -> bool {
    let range = NatRange { addresses: Some((OUTSIDE, OUTSIDE)), ..NatRange::default() };
    let mut nfct = Nfct::default();
    if flows.nf_conntrack_in(now, Hook::PreRouting, packet, false, &mut nfct).is_err() {
        return false;
    }
    for hook in [Hook::PreRouting, Hook::PostRouting] {
        if flows.nat_wanted(&nfct, protocol::UDP, hook) {
            match hook {
                Hook::PostRouting => flows.nat_setup(now, &nfct, hook, &range),
                _ => flows.nat_null(now, &nfct, hook),
            }
        }
        if flows.nat_packet(packet, false, &nfct, hook, 2).is_err() {
            return false;
        }
    }
    flows.confirm(now, &mut nfct).is_ok()
}

fn tracker(flows: u32) -> Conntrack {
    let mut tracker = Conntrack::new(Rng::new(1));
    tracker.need(true);
    tracker.configure(Settings { max: 2_000_000, ..Settings::default() });
    for number in 0..flows {
        assert!(pass(&mut tracker, Time::ZERO, &mut flow(number)), "flow {number}");
    }
    tracker
}

/// The first packet of a flow: 30,000 ports from one host to each server.
fn flow(number: u32) -> Vec<u8> {
    let port = (number % 30_000 + 1024) as u16;
    datagram(Ipv4Addr::new(10, 0, 0, 1), port, Ipv4Addr::from(0xc000_0000 + number / 30_000))
}

fn established(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conntrack/established");
    group.throughput(Throughput::Elements(1));
    for flows in [1_u32, 100_000, 1_000_000] {
        let mut tracker = tracker(flows);
        let packets: Vec<Vec<u8>> = (0..1000).map(|n| flow(n * 7919 % flows)).collect();
        let (mut at, mut bytes) = (0, Vec::new());
        group.bench_function(format!("{flows} flows"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % packets.len();
                bytes.clone_from(&packets[at]);
                pass(&mut tracker, Time::ZERO, &mut bytes)
            });
        });
    }
    group.finish();
}

fn begun(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conntrack/new");
    group.throughput(Throughput::Elements(NEW.into()));
    let packets: Vec<Vec<u8>> = (0..NEW).map(flow).collect();
    group.bench_function("masqueraded", |bencher| {
        bencher.iter_batched(
            || (tracker(0), packets.clone()),
            |(mut tracker, mut packets)| {
                let passed =
                    packets.iter_mut().map(|packet| u32::from(pass(&mut tracker, Time::ZERO, packet))).sum::<u32>();
                // They expire within the measure, too.
                tracker.tick(Time::ZERO + Duration::from_secs(60));
                (passed, tracker)
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    established(&mut criterion);
    begun(&mut criterion);
    criterion.final_summary();
}
