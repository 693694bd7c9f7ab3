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
    assert_eq!(flows.held(), 1);
    flows.tick(at(1_000_000));
    assert_eq!(flows.held(), 0);
}

/// What is not confirmed is gone with the visit.
#[test]
fn a_packet_that_is_dropped_leaves_no_flow() {
    let mut flows = tracker();
    let mut nfct = Nfct::default();
    flows.nf_conntrack_in(at(0), Hook::PreRouting, &udp(A, B, b"x"), false, &mut nfct).expect("room");
    assert_eq!((flows.state(&nfct), flows.held(), flows.entries(at(0)).len()), (state::NEW, 1, 0));
    flows.reap();
    assert_eq!((flows.state(&nfct), flows.held()), (state::INVALID, 0));
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
    assert_eq!(flows.held(), 0);
}

mod tcp;

/// An error is of the flow whose packet it quotes, if it goes where that flow's packets come from.
#[test]
fn errors_are_related() {
    let mut flows = tracker();
    let sent = udp(A, B, b"x");
    let about = |to: &str, quoted: &[u8]| {
        let header = Icmp { kind: kind::DEST_UNREACH, code: 3, rest: [0; 4] }.emit(quoted);
        ip("10.0.0.9", to, protocol::ICMP, &[&header[..], quoted].concat())
    };
    assert_eq!(pass(&mut flows, at(0), &about("10.0.0.1", &sent)), Ok(state::INVALID), "no such flow");
    assert_eq!(pass(&mut flows, at(0), &sent), Ok(state::NEW));
    assert_eq!(pass(&mut flows, at(0), &about("10.0.0.1", &sent)), Ok(state::RELATED));
    assert_eq!(pass(&mut flows, at(0), &about("10.0.0.3", &sent)), Ok(state::INVALID), "to another host");
    assert_eq!(pass(&mut flows, at(0), &about("10.0.0.1", &sent[..24])), Ok(state::RELATED), "four bytes of ports");
    assert_eq!(pass(&mut flows, at(0), &about("10.0.0.1", &sent[..22])), Ok(state::INVALID), "cut short");
    assert_eq!(pass(&mut flows, at(0), &udp(B, A, b"y")), Ok(state::ESTABLISHED));
    assert_eq!(pass(&mut flows, at(0), &about("10.0.0.2", &udp(B, A, b"y"))), Ok(state::RELATED), "about an answer");
    assert_eq!(flows.held(), 1);
}

/// Checksums are looked at as packets come in, not of those that are made here.
#[test]
fn a_wrong_checksum_is_invalid() {
    for mut packet in [udp(A, B, b"x"), echo("10.0.0.1", "10.0.0.2", kind::ECHO, 9)] {
        let last = packet.len() - 1;
        packet[last] ^= 1;
        let mut flows = tracker();
        assert_eq!(pass(&mut flows, at(0), &packet), Ok(state::INVALID));
        let mut nfct = Nfct::default();
        flows.nf_conntrack_in(at(0), Hook::Output, &packet, false, &mut nfct).expect("room");
        assert_eq!(flows.state(&nfct), state::NEW);
        flows.reap();
        flows.configure(Settings { checksum: false, ..Settings::default() });
        assert_eq!(pass(&mut flows, at(0), &packet), Ok(state::NEW));
    }
}

/// Timeouts are those of `/proc/sys/net/netfilter`, unknown protocols are tracked by their addresses, GRE is a stream at once.
#[test]
fn other_protocols() {
    let left = |number, answered: bool| {
        let mut flows = tracker();
        assert_eq!(pass(&mut flows, at(0), &ip("10.0.0.1", "10.0.0.2", number, &[0; 8])), Ok(state::NEW));
        if answered {
            for from in [("10.0.0.2", "10.0.0.1"), ("10.0.0.1", "10.0.0.2")] {
                assert_eq!(pass(&mut flows, at(0), &ip(from.0, from.1, number, &[0; 8])), Ok(state::ESTABLISHED));
            }
        }
        let conn = flows.entries(at(0))[0].clone();
        (conn.timeout.since(at(0)).as_secs(), conn.has(status::ASSURED))
    };
    assert_eq!((left(99, false), left(99, true)), ((600, false), (600, false)));
    assert_eq!((left(GRE, false), left(GRE, true)), ((30, false), (180, true)));
}

/// `nf_conntrack_acct` and `nf_conntrack_timestamp` count from the next flow on.
#[test]
fn packets_and_bytes_are_counted_if_asked() {
    let mut flows = tracker();
    pass(&mut flows, at(0), &udp(A, B, b"x")).expect("room");
    flows.configure(Settings { acct: true, timestamp: true, ..Settings::default() });
    pass(&mut flows, at(1), &udp(A, ("10.0.0.3", 1), b"xyz")).expect("room");
    pass(&mut flows, at(2), &udp(("10.0.0.3", 1), A, b"")).expect("room");
    let all = flows.entries(at(2));
    assert_eq!((all[0].counters, all[0].started), (None, None));
    let counted = [CtCounter { packets: 1, bytes: 31 }, CtCounter { packets: 1, bytes: 28 }];
    assert_eq!((all[1].counters, all[1].started), (Some(counted), Some(at(1))));
    flows.zero_counters(|_| true);
    assert_eq!(flows.entries(at(2))[1].counters, Some(Default::default()));
    assert_eq!((flows.delete(|conn| conn.started.is_some()), flows.held()), (1, 1));
}

/// A full table makes room where a flow was not answered for good, and says why where not.
#[test]
fn a_full_table_drops_early_or_with_its_reason() {
    let mut flows = tracker();
    flows.configure(Settings { max: 200, ..Settings::default() });
    for port in 1..=1000 {
        assert_eq!(pass(&mut flows, at(0), &udp(("10.0.0.1", port), B, b"")), Ok(state::NEW));
        assert!(flows.held() <= 200);
    }
    flows.assure_all();
    assert_eq!(pass(&mut flows, at(0), &udp(A, ("10.0.0.3", 1), b"")), Err(DropReason::ConntrackFull));
    assert_eq!((flows.statistics().early_drop, flows.statistics().drop), (800, 1));
}
