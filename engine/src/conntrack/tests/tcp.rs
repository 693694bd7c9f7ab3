//! TCP: states and windows, as Linux 6.18 has them.

use super::*;
use crate::conntrack::settings::{Settings, TcpSettings};
use crate::wire::tcp::flag::{ACK, FIN, PSH, RST, SYN, URG};

const C: (&str, u16) = ("10.0.0.1", 40000);
const S: (&str, u16) = ("10.0.0.2", 80);

/// Who sends, flags, sequence, acknowledgment, bytes of payload; what it is taken for, the state and the rest of its time.
type Step = (char, u8, u32, u32, usize, u16, &'static str, u64);

fn segment(who: char, flags: u8, sequence: u32, acknowledgment: u32, length: usize) -> Vec<u8> {
    let (from, to) = if who == 'c' { (C, S) } else { (S, C) };
    let header =
        Tcp { source: from.1, destination: to.1, sequence, acknowledgment, flags, window: 10_000, ..Tcp::default() };
    let payload = vec![b'x'; length];
    let bytes = header.emit(address(from.0), address(to.0), &payload);
    ip(from.0, to.0, protocol::TCP, &[&bytes[..], &payload].concat())
}

/// Each step, a second after the one before.
fn walk(flows: &mut Conntrack, steps: &[Step]) {
    for (second, (who, flags, sequence, ack, length, expected, state, left)) in steps.iter().enumerate() {
        let now = at(second as u64);
        let packet = segment(*who, *flags, *sequence, *ack, *length);
        assert_eq!(pass(flows, now, &packet), Ok(*expected), "step {second}: what it is taken for");
        let known =
            flows.entries(now).first().map(|conn| (conn.tcp_state().unwrap_or(""), conn.timeout.since(now).as_secs()));
        let wanted = (!state.is_empty()).then_some((*state, *left));
        assert_eq!(known, wanted, "step {second}");
    }
}

const NEW: u16 = state::NEW;
const EST: u16 = state::ESTABLISHED;
const BAD: u16 = state::INVALID;

const OPEN: [Step; 3] = [
    ('c', SYN, 100, 0, 0, NEW, "SYN_SENT", 120),
    ('s', SYN | ACK, 500, 101, 0, EST, "SYN_RECV", 60),
    ('c', ACK, 101, 501, 0, EST, "ESTABLISHED", 432_000),
];

#[test]
fn a_connection_opens_and_closes() {
    let rest = [
        ('c', ACK | PSH, 101, 501, 10, EST, "ESTABLISHED", 300),
        ('s', ACK, 501, 111, 0, EST, "ESTABLISHED", 432_000),
        ('c', FIN | ACK, 111, 501, 0, EST, "FIN_WAIT", 120),
        ('s', ACK, 501, 112, 0, EST, "CLOSE_WAIT", 60),
        ('s', FIN | ACK, 501, 112, 0, EST, "LAST_ACK", 30),
        ('c', ACK, 112, 502, 0, EST, "TIME_WAIT", 120),
        // The port is used again: another flow begins.
        ('c', SYN, 9000, 0, 0, NEW, "SYN_SENT", 120),
    ];
    walk(&mut tracker(), &[&OPEN[..], &rest].concat());
}

#[test]
fn a_reset_closes_if_its_number_is_right() {
    let reset = |sequence, expected, state, left| ('s', RST, sequence, 0, 0, expected, state, left);
    walk(&mut tracker(), &[&OPEN[..], &[reset(501, EST, "CLOSE", 10)]].concat());
    // Before what the client has acknowledged it is invalid; in the window but not exact it may be answered by a challenge.
    walk(&mut tracker(), &[&OPEN[..], &[reset(400, BAD, "ESTABLISHED", 431_999)]].concat());
    walk(&mut tracker(), &[&OPEN[..], &[reset(600, EST, "ESTABLISHED", 10)]].concat());
    let mut lax = tracker();
    let tcp = TcpSettings { ignore_invalid_rst: true, ..Settings::default().tcp };
    lax.configure(Settings { tcp, ..Settings::default() });
    walk(&mut lax, &[&OPEN[..], &[reset(400, EST, "ESTABLISHED", 10)]].concat());
}

#[test]
fn what_is_out_of_the_window_is_invalid_unless_liberal() {
    let far = ('s', ACK, 501, 90_000, 0, BAD, "ESTABLISHED", 431_999);
    let over = ('s', ACK, 900_000, 101, 10, BAD, "ESTABLISHED", 431_998);
    walk(&mut tracker(), &[&OPEN[..], &[far, over]].concat());
    let mut liberal = tracker();
    let tcp = TcpSettings { be_liberal: true, ..Settings::default().tcp };
    liberal.configure(Settings { tcp, ..Settings::default() });
    let far = ('s', ACK, 501, 90_000, 0, EST, "ESTABLISHED", 432_000);
    walk(&mut liberal, &[&OPEN[..], &[far]].concat());
}

/// A segment from the middle of a flow: taken for one that is established, but not for long until it is answered.
#[test]
fn flows_are_picked_up_in_their_middle_unless_strict() {
    let middle = [
        ('c', ACK, 700, 900, 5, NEW, "ESTABLISHED", 300),
        ('s', ACK, 900, 705, 5, EST, "ESTABLISHED", 300),
        ('c', ACK, 705, 905, 0, EST, "ESTABLISHED", 432_000),
    ];
    walk(&mut tracker(), &middle);
    let mut strict = tracker();
    let tcp = TcpSettings { loose: false, ..Settings::default().tcp };
    strict.configure(Settings { tcp, ..Settings::default() });
    walk(&mut strict, &[('c', ACK, 700, 900, 5, BAD, "", 0)]);
}

/// No SYN is prolonged by its repetition, and the flags must go together.
#[test]
fn first_segments() {
    walk(&mut tracker(), &[('c', SYN, 1, 0, 0, NEW, "SYN_SENT", 120), ('c', SYN, 1, 0, 0, NEW, "SYN_SENT", 119)]);
    for flags in [0, FIN, SYN | FIN, SYN | RST, FIN | RST, PSH, URG, SYN | ACK, RST, RST | ACK, FIN | ACK] {
        walk(&mut tracker(), &[('c', flags, 1, 0, 0, BAD, "", 0)]);
    }
    walk(&mut tracker(), &[('c', SYN | PSH, 1, 0, 0, NEW, "SYN_SENT", 120)]);
}

/// Both open at once.
#[test]
fn a_simultaneous_open() {
    let steps = [
        ('c', SYN, 100, 0, 0, NEW, "SYN_SENT", 120),
        ('s', SYN, 500, 0, 0, EST, "SYN_SENT2", 119),
        ('c', SYN | ACK, 100, 501, 0, EST, "SYN_RECV", 60),
        ('s', SYN | ACK, 500, 101, 0, EST, "SYN_RECV", 59),
        ('c', ACK, 101, 501, 0, EST, "ESTABLISHED", 432_000),
    ];
    walk(&mut tracker(), &steps);
}

/// The same ACK again and again: the flow is remembered for five minutes only.
#[test]
fn retransmissions_shorten_the_time() {
    let again = |left| ('c', ACK, 101, 501, 0, EST, "ESTABLISHED", left);
    walk(&mut tracker(), &[&OPEN[..], &[again(432_000), again(432_000), again(300)]].concat());
}

/// A SYN in the middle is let pass, and if the other end takes it, that is the flow now.
#[test]
fn a_syn_that_was_let_pass_and_is_answered_begins_the_flow_anew() {
    let steps = [
        ('c', SYN, 77_000, 0, 0, EST, "ESTABLISHED", 431_999),
        ('s', SYN | ACK, 88_000, 77_001, 0, EST, "SYN_RECV", 60),
        ('c', ACK, 77_001, 88_001, 0, EST, "ESTABLISHED", 432_000),
    ];
    walk(&mut tracker(), &[&OPEN[..], &steps].concat());
}
