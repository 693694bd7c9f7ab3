//! Packets made of any bytes through connection tracking and NAT: no panic, the checksums of what leaves are right where those
//! of what came were, and a translated ICMP error quotes a packet whose checksums are right.

#![no_main]

use etherparse::{Ipv4HeaderSlice, TcpSlice, UdpSlice};
use libfuzzer_sys::fuzz_target;
use std::net::Ipv4Addr;
use vethlab_engine::conntrack::{Conntrack, CtInfo, Nfct, Settings};
use vethlab_engine::filter::{Hook, NatRange};
use vethlab_engine::rng::Rng;
use vethlab_engine::time::Time;
use vethlab_engine::wire::{Icmp, Ipv4, Tcp, Udp, checksum, ipv4, protocol};

/// Bytes that say what one packet is.
const STEP: usize = 16;

fuzz_target!(|data: &[u8]| {
    let mut flows = Conntrack::new(Rng::new(1));
    flows.need(true);
    flows.configure(Settings { max: 8, ..Settings::default() });
    let mut now = Time::ZERO;
    let mut last = Vec::new();
    for step in data.chunks(STEP) {
        now = Time(now.0 + u64::from(step[0]) * 250_000_000);
        let mut packet = made(step, &last);
        last = packet.clone();
        let was_right = is_right(&packet);
        let Some(related) = through(&mut flows, now, &mut packet, step) else { continue };
        if was_right {
            assert!(is_right(&packet), "{last:?} became {packet:?}");
            if related {
                let quoted = packet.get(28..).unwrap_or_default();
                let quoted_before = last.get(28..).unwrap_or_default();
                assert!(is_right(quoted) || !is_right(quoted_before), "{last:?} became {packet:?}");
            }
        }
        last = packet;
    }
    flows.tick(Time(now.0 + 1_000_000_000_000_000));
    assert_eq!(flows.held(), 0);
});

/// A packet: of TCP, UDP or ICMP, an error about the last one, its answer, or bytes as they are.
fn made(step: &[u8], last: &[u8]) -> Vec<u8> {
    let at = |place: usize| step.get(place).copied().unwrap_or(0);
    let (from, to) = (Ipv4Addr::new(10, 0, 0, at(1) % 4), Ipv4Addr::new(192, 0, 2, at(2) % 4));
    let (sport, dport) = (u16::from(at(3) % 4) * 500, u16::from(at(4) % 4));
    let payload = step.get(10..).unwrap_or_default();
    match at(5) % 8 {
        0 => {
            let (sequence, acknowledgment) = (u32::from(at(6)), u32::from(at(7)));
            let tcp = Tcp {
                source: sport,
                destination: dport,
                sequence,
                acknowledgment,
                flags: at(8),
                window: 99,
                ..Tcp::default()
            };
            ip(from, to, protocol::TCP, &[&tcp.emit(from, to, payload)[..], payload].concat())
        }
        1 => {
            let udp = Udp { source: sport, destination: dport, length: 0, checksum: 0 };
            ip(from, to, protocol::UDP, &[&udp.emit(from, to, payload)[..], payload].concat())
        }
        2 => {
            let udp = Udp { source: sport, destination: dport, length: 0, checksum: 0 };
            let mut header = udp.emit(from, to, payload);
            header[6..].fill(0);
            ip(from, to, protocol::UDP, &[&header[..], payload].concat())
        }
        3 => ip(from, to, protocol::ICMP, &[&Icmp::echo(at(6) % 19, sport, 1).emit(payload)[..], payload].concat()),
        4 => {
            let Some(header) = Ipv4::parse(last) else { return step.to_vec() };
            let quote = last.get(..last.len().min(20 + usize::from(at(6)))).unwrap_or(last);
            let error = Icmp { kind: [3, 4, 5, 11, 12][usize::from(at(7) % 5)], code: at(8) % 16, rest: [0; 4] };
            let [a, b] = [header.source, Ipv4Addr::new(203, 0, 113, 1)];
            let to = if at(9) % 2 == 0 { a } else { b };
            ip(from, to, protocol::ICMP, &[&error.emit(quote)[..], quote].concat())
        }
        5 => answer(last),
        6 => ip(from, to, at(6), payload),
        _ => step.to_vec(),
    }
}

/// The last packet with its two ends exchanged: that leaves all sums as they are.
fn answer(last: &[u8]) -> Vec<u8> {
    let mut packet = last.to_vec();
    if let Some(addresses) = packet.get_mut(12..20) {
        addresses.rotate_left(4);
    }
    if let Some(ports) = packet.get_mut(20..24) {
        ports.rotate_left(2);
    }
    packet
}

fn ip(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total_length = (ipv4::HEADER + payload.len()) as u16;
    let header = Ipv4 {
        tos: 0,
        total_length,
        id: 0,
        flags_fragment: 0,
        ttl: 9,
        protocol,
        source,
        destination,
        header_length: 20,
    };
    [&header.emit()[..], payload].concat()
}

/// A packet comes in and goes out: true if it was an error about a flow, none if it did not leave.
fn through(flows: &mut Conntrack, now: Time, packet: &mut [u8], step: &[u8]) -> Option<bool> {
    let done = hooks(flows, now, packet, step);
    // What was not confirmed goes with the visit.
    flows.reap();
    done
}

fn hooks(flows: &mut Conntrack, now: Time, packet: &mut [u8], step: &[u8]) -> Option<bool> {
    let header = Ipv4::checked(packet).ok()?;
    let mut nfct = Nfct::default();
    flows.nf_conntrack_in(now, Hook::PreRouting, packet, false, &mut nfct).ok()?;
    let (outside, inside) = (Ipv4Addr::new(203, 0, 113, 1), Ipv4Addr::new(172, 16, 0, 1));
    let ports = step.get(9).filter(|byte| *byte % 2 == 1).map(|_| 5000..=5001);
    let range = |address| NatRange { addresses: Some((address, address)), ports: ports.clone(), ..NatRange::default() };
    for (hook, address) in [(Hook::PreRouting, inside), (Hook::PostRouting, outside)] {
        if flows.nat_wanted(&nfct, header.protocol, hook) {
            match step.get(4).copied().unwrap_or(0) & if hook == Hook::PreRouting { 16 } else { 32 } {
                0 => flows.nat_null(now, &nfct, hook),
                _ => flows.nat_setup(now, &nfct, hook, &range(address)),
            }
        }
        flows.nat_packet(packet, false, &nfct, hook, 2).ok()?;
    }
    flows.confirm(now, &mut nfct).ok()?;
    Some(matches!(nfct.info(), CtInfo::Related | CtInfo::RelatedReply))
}

/// All checksums hold, as far as the packet is there, as `etherparse` reckons them.
fn is_right(packet: &[u8]) -> bool {
    let Ok(header) = Ipv4HeaderSlice::from_slice(packet) else { return false };
    let (from, to) = (header.source(), header.destination());
    let Some(payload) = packet.get(header.slice().len()..usize::from(header.total_len())) else { return false };
    let whole = header.fragments_offset().value() == 0 && !header.more_fragments();
    let right = match header.protocol().0 {
        protocol::TCP if whole => TcpSlice::from_slice(payload)
            .is_ok_and(|tcp| tcp.calc_checksum_ipv4(from, to).is_ok_and(|sum| sum == tcp.checksum())),
        protocol::UDP if whole => UdpSlice::from_slice(payload).is_ok_and(|udp| {
            let sum = udp.to_header().calc_checksum_ipv4_raw(from, to, udp.payload());
            udp.checksum() == 0 || sum.is_ok_and(|sum| sum == udp.checksum())
        }),
        protocol::ICMP => checksum::holds(payload),
        _ => true,
    };
    let sum = header.to_header().calc_header_checksum();
    right && packet[6] & 0x80 == 0 && sum == header.header_checksum()
}
