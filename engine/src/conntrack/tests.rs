//! Flows, without a stack around them.

use super::*;
use crate::addr::Ipv4Addr;
use crate::filter::Hook;
use crate::reason::DropReason;
use crate::wire::icmpv4::kind;
use crate::wire::{Icmp, Tcp, Udp, protocol};

pub(crate) fn at(seconds: u64) -> Time {
    Time(seconds * SECOND)
}

pub(crate) fn address(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

/// An IPv4 packet.
pub(crate) fn ip(source: &str, destination: &str, number: u8, payload: &[u8]) -> Vec<u8> {
    let header = Ipv4 {
        tos: 0,
        total_length: (20 + payload.len()) as u16,
        id: 7,
        flags_fragment: 0,
        ttl: 64,
        protocol: number,
        source: address(source),
        destination: address(destination),
        header_length: 20,
    };
    [&header.emit()[..], payload].concat()
}

pub(crate) fn udp((source, sport): (&str, u16), (destination, dport): (&str, u16), payload: &[u8]) -> Vec<u8> {
    let header = Udp { source: sport, destination: dport, length: 0, checksum: 0 };
    let header = header.emit(address(source), address(destination), payload);
    ip(source, destination, protocol::UDP, &[&header[..], payload].concat())
}

pub(crate) fn tcp((source, sport): (&str, u16), (destination, dport): (&str, u16), segment: Tcp) -> Vec<u8> {
    let header = Tcp { source: sport, destination: dport, ..segment };
    ip(source, destination, protocol::TCP, &header.emit(address(source), address(destination), &[]))
}

pub(crate) fn echo(source: &str, destination: &str, kind: u8, id: u16) -> Vec<u8> {
    let payload = [7; 8];
    let header = Icmp::echo(kind, id, 1).emit(&payload);
    ip(source, destination, protocol::ICMP, &[&header[..], &payload].concat())
}

pub(crate) fn tracker() -> Conntrack {
    let mut tracker = Conntrack::new(Rng::new(1));
    tracker.need(true);
    tracker
}

/// A packet comes and goes: its state.
pub(crate) fn pass(tracker: &mut Conntrack, now: Time, packet: &[u8]) -> Result<u16, DropReason> {
    let mut nfct = Nfct::default();
    tracker.nf_conntrack_in(now, Hook::PreRouting, packet, false, &mut nfct)?;
    let state = tracker.state(&nfct);
    let confirmed = tracker.confirm(now, &mut nfct);
    tracker.reap();
    confirmed.map(|()| state)
}

const A: (&str, u16) = ("10.0.0.1", 1000);
const B: (&str, u16) = ("10.0.0.2", 53);

/// As in `unshare -n`: 30 seconds until it is answered, 30 after that, 120 from two seconds on.
#[test]
fn udp_becomes_a_stream_after_two_seconds() {
    let mut flows = tracker();
    let left =
        |flows: &Conntrack, now| flows.entries(at(now)).first().map(|conn| conn.timeout.since(at(now)).as_secs());
    assert_eq!(pass(&mut flows, at(0), &udp(A, B, b"x")), Ok(state::NEW));
    assert_eq!((left(&flows, 0), left(&flows, 29), left(&flows, 30)), (Some(30), Some(1), None));
    assert_eq!(pass(&mut flows, at(1), &udp(B, A, b"y")), Ok(state::ESTABLISHED));
    assert_eq!(left(&flows, 1), Some(30));
    assert!(!flows.entries(at(1))[0].has(status::ASSURED));
    assert_eq!(pass(&mut flows, at(3), &udp(A, B, b"z")), Ok(state::ESTABLISHED));
    assert_eq!(left(&flows, 3), Some(120));
    assert!(flows.entries(at(3))[0].has(status::ASSURED | status::SEEN_REPLY | status::CONFIRMED));
    assert_eq!(flows.count(), 1);
    while let Some(deadline) = flows.next_deadline() {
        flows.tick(deadline);
    }
    assert_eq!(flows.count(), 0);
}

/// What is not confirmed is gone with the visit.
#[test]
fn a_packet_that_is_dropped_leaves_no_flow() {
    let mut flows = tracker();
    let mut nfct = Nfct::default();
    flows.nf_conntrack_in(at(0), Hook::PreRouting, &udp(A, B, b"x"), false, &mut nfct).expect("room");
    assert_eq!((flows.state(&nfct), flows.count(), flows.entries(at(0)).len()), (state::NEW, 1, 0));
    flows.reap();
    assert_eq!((flows.state(&nfct), flows.count(), flows.next_deadline()), (state::INVALID, 0, None));
}

#[test]
fn an_echo_is_answered_and_an_answer_to_nothing_is_invalid() {
    let mut flows = tracker();
    let (ping, pong) = (echo("10.0.0.1", "10.0.0.2", kind::ECHO, 9), echo("10.0.0.2", "10.0.0.1", kind::ECHO_REPLY, 9));
    assert_eq!(pass(&mut flows, at(0), &pong), Ok(state::INVALID));
    assert_eq!(pass(&mut flows, at(0), &ping), Ok(state::NEW));
    assert_eq!(pass(&mut flows, at(0), &pong), Ok(state::ESTABLISHED));
    assert_eq!(pass(&mut flows, at(29), &ping), Ok(state::ESTABLISHED));
    assert_eq!(pass(&mut flows, at(59), &ping), Ok(state::NEW), "30 seconds are over");
}

/// A refused connection: the RST passes, and the flow is gone.
#[test]
fn a_reset_that_answers_a_syn_ends_the_flow() {
    use crate::wire::tcp::flag::{ACK, RST, SYN};
    let mut flows = tracker();
    let syn = Tcp { sequence: 100, flags: SYN, window: 1000, ..Tcp::default() };
    let rst = Tcp { acknowledgment: 101, flags: RST | ACK, ..Tcp::default() };
    assert_eq!(pass(&mut flows, at(0), &tcp(A, B, syn)), Ok(state::NEW));
    assert_eq!(flows.entries(at(0))[0].tcp_state(), Some("SYN_SENT"));
    assert_eq!(pass(&mut flows, at(0), &tcp(B, A, rst)), Ok(state::ESTABLISHED));
    assert_eq!(flows.count(), 0);
}
