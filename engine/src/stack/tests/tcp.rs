//! TCP between two stacks.

use super::lab::*;
use crate::addr::Ipv4Addr;
use crate::control::{Errno, LinkChange};
use crate::filter::{Match, Not, Rule, Statistic, TableName, Target};
use crate::local::{SocketId, SocketKind};
use crate::reason::DropReason;
use crate::rng::Rng;
use crate::time::Duration;
use crate::wire::tcp::flag;
use crate::wire::{Tcp, protocol};
use proptest::prelude::*;

const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const SERVER: &str = "10.0.0.2";

/// The flags of all segments that passed a cable, as tcpdump prints them, with the stack that sent each and its length.
fn segments(lab: &Lab) -> Vec<(usize, String, usize)> {
    let seen = lab.wire.iter().filter(|(_, frame)| frame.get(12..14) == Some(&[8, 0]));
    let tcp = seen.filter_map(|((stack, _), frame)| {
        let (header, payload) = ip_in(frame);
        (header.protocol == protocol::TCP).then(|| {
            let tcp = Tcp::checked(header.source, header.destination, payload).expect("a right checksum");
            let letters = [(flag::FIN, 'F'), (flag::SYN, 'S'), (flag::RST, 'R'), (flag::PSH, 'P'), (flag::ACK, '.')];
            let text = letters.iter().filter(|(bit, _)| tcp.has(*bit)).map(|(_, letter)| *letter).collect();
            (*stack, text, payload.len() - tcp.data_offset)
        })
    });
    tcp.collect()
}

/// The same in one line: `0:S 1:S. 0:.`
fn talk(lab: &Lab) -> String {
    let words: Vec<String> = segments(lab)
        .into_iter()
        .map(
            |(stack, flags, length)| {
                if length > 0 { format!("{stack}:{flags}{length}") } else { format!("{stack}:{flags}") }
            },
        )
        .collect();
    words.join(" ")
}

fn listener(lab: &mut Lab, stack: usize, port: u16, backlog: usize) -> SocketId {
    let socket = lab.stacks[stack].socket(SocketKind::Tcp).unwrap();
    lab.stacks[stack].bind(socket, ANY, port).unwrap();
    lab.stacks[stack].listen(socket, backlog).unwrap();
    socket
}

fn dial(lab: &mut Lab, stack: usize, to: &str, port: u16) -> SocketId {
    let socket = lab.stacks[stack].socket(SocketKind::Tcp).unwrap();
    let now = lab.now;
    lab.stacks[stack].connect(now, socket, ip(to), port).unwrap();
    lab.wait(Duration::ZERO);
    socket
}

/// Two hosts, and a connection between them: the client's socket and the server's.
fn connected() -> (Lab, SocketId, SocketId) {
    let mut lab = Lab::pair();
    let listens = listener(&mut lab, 1, 80, 1);
    let client = dial(&mut lab, 0, SERVER, 80);
    let (server, _) = lab.stacks[1].accept(listens).unwrap().expect("a connection");
    lab.wire.clear();
    (lab, client, server)
}

fn read(lab: &mut Lab, stack: usize, socket: SocketId) -> Result<Option<Vec<u8>>, Errno> {
    let read = lab.stacks[stack].receive_bytes(socket, 100_000);
    lab.wait(Duration::ZERO);
    read
}

fn write(lab: &mut Lab, stack: usize, socket: SocketId, bytes: &[u8]) -> usize {
    let taken = lab.stacks[stack].send_bytes(socket, bytes).unwrap();
    lab.wait(Duration::ZERO);
    taken
}

fn close(lab: &mut Lab, stack: usize, socket: SocketId) {
    lab.stacks[stack].close(socket);
    lab.wait(Duration::ZERO);
}

#[test]
fn a_connection_is_made_as_linux_makes_it() {
    let mut lab = Lab::pair();
    let listens = listener(&mut lab, 1, 80, 1);
    assert!(!lab.stacks[1].is_readable(listens));
    assert_eq!(lab.stacks[1].accept(listens), Ok(None));
    let client = dial(&mut lab, 0, SERVER, 80);
    assert_eq!(talk(&lab), "0:S 1:S. 0:.");
    assert!(lab.stacks[0].is_writable(client) && !lab.stacks[0].is_readable(client));
    assert!(lab.stacks[1].is_readable(listens));
    let (server, peer) = lab.stacks[1].accept(listens).unwrap().expect("a connection");
    assert_eq!(peer, lab.stacks[0].local_name(client));
    assert_eq!(lab.stacks[1].local_name(server), (ip(SERVER), 80));
    assert_eq!(lab.stacks[0].peer_name(client), Some((ip(SERVER), 80)));
    let syn = lab.wire.iter().find(|(_, frame)| frame[12..14] == [8, 0]).map(|(_, frame)| ip_in(frame).1).unwrap();
    assert_eq!(syn[14..16], 64240u16.to_be_bytes());
    assert_eq!(syn[20..30], [2, 4, 5, 180, 4, 2, 8, 10, syn[28], syn[29]]);
    assert_eq!(syn[32..], [0, 0, 0, 0, 1, 3, 3, 10]);
}

#[test]
fn bytes_go_both_ways_and_both_ends_close() {
    let (mut lab, client, server) = connected();
    assert_eq!(write(&mut lab, 0, client, b"hello"), 5);
    assert_eq!(read(&mut lab, 1, server), Ok(Some(b"hello".to_vec())));
    assert_eq!(read(&mut lab, 1, server), Ok(None));
    assert_eq!(write(&mut lab, 1, server, b"hi"), 2);
    lab.stacks[1].shutdown(server).unwrap();
    lab.wait(Duration::ZERO);
    assert_eq!(lab.stacks[1].send_bytes(server, b"more"), Err(Errno::Pipe));
    assert_eq!(read(&mut lab, 0, client), Ok(Some(b"hi".to_vec())));
    assert_eq!(read(&mut lab, 0, client), Ok(Some(Vec::new())), "the end");
    // Half closed: the other way is open still.
    assert_eq!(write(&mut lab, 0, client, b"bye"), 3);
    assert_eq!(read(&mut lab, 1, server), Ok(Some(b"bye".to_vec())));
    close(&mut lab, 0, client);
    assert_eq!(read(&mut lab, 1, server), Ok(Some(Vec::new())));
    close(&mut lab, 1, server);
    // They talk in turn by now: what was said last is acknowledged with the end.
    assert_eq!(talk(&lab), "0:P.5 1:. 1:P.2 0:. 1:F. 0:P.3 0:F. 1:.");
    assert!(lab.stacks.iter().all(|stack| stack.sockets.tcp.connections().count() == 0));
    lab.wait(Duration::from_secs(61));
    assert_eq!(lab.stacks[1].sockets.tcp.time_waits().count(), 0);
    assert!(lab.stacks.iter().all(|stack| stack.sockets.tcp.next_deadline().is_none()), "no timer at rest");
}

#[test]
fn who_closes_at_once_answers_an_end_with_an_end() {
    let (mut lab, client, server) = connected();
    close(&mut lab, 0, client);
    close(&mut lab, 1, server);
    assert_eq!(talk(&lab), "0:F. 1:F. 0:.");
    let (mut lab, client, _) = connected();
    close(&mut lab, 0, client);
    lab.wait(Duration::from_millis(100));
    assert_eq!(talk(&lab), "0:F. 1:.", "later, if there is no answer");
}

#[test]
fn what_was_said_leaves_before_the_end() {
    let (mut lab, client, server) = connected();
    lab.stacks[0].send_bytes(client, b"hello").unwrap();
    lab.stacks[0].shutdown(client).unwrap();
    lab.wait(Duration::ZERO);
    assert_eq!(talk(&lab), "0:P.5 0:F. 1:.", "in two segments: the first had left when the end was said");
    assert_eq!(read(&mut lab, 1, server), Ok(Some(b"hello".to_vec())));
    assert_eq!(read(&mut lab, 1, server), Ok(Some(Vec::new())), "the end");
}

/// What OUTPUT drops counts as not sent: the next segment takes it along (`tcp_write_xmit` stops where sending fails).
#[test]
fn what_did_not_get_out_goes_with_the_end() {
    for together in [true, false] {
        let (mut lab, client, _) = connected();
        lab.append(0, TableName::Filter, "OUTPUT", Rule { target: Some(Target::Drop), ..Rule::default() });
        lab.stacks[0].send_bytes(client, b"hello").unwrap();
        if !together {
            lab.wait(Duration::ZERO);
        }
        lab.stacks[0].shutdown(client).unwrap();
        lab.wait(Duration::ZERO);
        close(&mut lab, 0, client);
        let table = lab.stacks[0].filter().table(TableName::Filter).expect("a table");
        let counted = table.chains.iter().find(|chain| chain.name == "OUTPUT").expect("a chain").rules[0].counters;
        assert_eq!((counted.packets, counted.bytes), (2, 57 + 57), "first the bytes, then bytes and end");
    }
}

#[test]
fn what_did_not_get_out_is_tried_again_when_something_comes() {
    let (mut lab, client, server) = connected();
    let first = Match::Statistic(Not { not: false, of: Statistic::Nth { every: 1000, packet: 0 } });
    let rule = Rule { matches: vec![first], target: Some(Target::Drop), ..Rule::default() };
    lab.append(0, TableName::Filter, "OUTPUT", rule);
    lab.stacks[0].shutdown(client).unwrap();
    lab.wait(Duration::ZERO);
    assert_eq!(talk(&lab), "");
    write(&mut lab, 1, server, b"hello");
    assert!(talk(&lab).starts_with("1:P.5") && talk(&lab).contains("0:F."), "{}", talk(&lab));
}

#[test]
fn nobody_listens() {
    let mut lab = Lab::pair();
    let client = dial(&mut lab, 0, SERVER, 80);
    assert_eq!(talk(&lab), "0:S 1:R.");
    assert!(lab.stacks[0].is_writable(client));
    assert_eq!(lab.stacks[0].take_error(client), Some(Errno::ConnRefused));
    assert_eq!(lab.stacks[0].take_error(client), None);
    let own = dial(&mut lab, 0, "127.0.0.1", 80);
    assert_eq!(lab.stacks[0].take_error(own), Some(Errno::ConnRefused));
    let now = lab.now;
    assert_eq!(lab.stacks[0].connect(now, own, ip("10.9.9.9"), 80), Err(Errno::NetUnreach));
}

#[test]
fn a_syn_without_answer_is_repeated_and_given_up() {
    let mut lab = Lab::host();
    lab.neighbor((0, 2), "10.0.0.9", host_mac(2));
    let started = lab.now;
    let client = dial(&mut lab, 0, "10.0.0.9", 80);
    lab.wait(Duration::from_secs(6));
    assert_eq!(segments(&lab).len(), 6, "five linear time-outs");
    lab.wait(Duration::from_secs(60));
    assert_eq!(segments(&lab).len(), 10);
    assert_eq!(lab.stacks[0].take_error(client), None);
    lab.wait(Duration::from_secs(80));
    assert_eq!(lab.stacks[0].take_error(client), Some(Errno::TimedOut));
    assert_eq!(segments(&lab).len(), 11);
    assert!(lab.now.since(started) < Duration::from_secs(160));
}

#[test]
fn a_neighbour_that_is_not_there_ends_a_connect() {
    let mut lab = Lab::host();
    let client = dial(&mut lab, 0, "10.0.0.9", 80);
    lab.wait(Duration::from_secs(4));
    assert_eq!(lab.stacks[0].take_error(client), Some(Errno::HostUnreach));
    lab.wait(Duration::from_secs(4));
    assert_eq!(lab.wire.len(), 3, "the SYN that waited is not sent again");
}

#[test]
fn unread_bytes_make_a_close_a_reset() {
    let (mut lab, client, server) = connected();
    write(&mut lab, 0, client, b"hello");
    close(&mut lab, 1, server);
    assert_eq!(talk(&lab), "0:P.5 1:. 1:R.");
    assert_eq!(read(&mut lab, 0, client), Err(Errno::ConnReset));
    assert_eq!(read(&mut lab, 0, client), Ok(Some(Vec::new())));
    assert_eq!(lab.stacks[0].send_bytes(client, b"x"), Err(Errno::Pipe));
}

#[test]
fn who_writes_to_a_closed_socket_is_reset() {
    let (mut lab, client, server) = connected();
    close(&mut lab, 1, server);
    assert_eq!(read(&mut lab, 0, client), Ok(Some(Vec::new())));
    assert_eq!(write(&mut lab, 0, client, b"hello"), 5);
    assert_eq!(talk(&lab), "1:F. 0:P.5 1:R");
    assert_eq!(lab.stacks[0].send_bytes(client, b"x"), Err(Errno::Pipe), "the error of a peer that had closed");
}

#[test]
fn a_full_backlog_takes_no_more() {
    let mut lab = Lab::pair();
    let listens = listener(&mut lab, 1, 80, 1);
    let clients: Vec<SocketId> = (0..3).map(|_| dial(&mut lab, 0, SERVER, 80)).collect();
    assert!(lab.stacks[0].is_writable(clients[1]) && !lab.stacks[0].is_writable(clients[2]));
    assert_eq!(lab.dropped(1, DropReason::ListenQueueFull), 1);
    assert!(lab.stacks[1].accept(listens).unwrap().is_some());
    lab.wait(Duration::from_secs(2));
    assert!(lab.stacks[0].is_writable(clients[2]), "the next SYN finds room");
}

#[test]
fn a_listener_that_goes_resets_those_that_wait() {
    let mut lab = Lab::pair();
    let listens = listener(&mut lab, 1, 80, 1);
    let client = dial(&mut lab, 0, SERVER, 80);
    close(&mut lab, 1, listens);
    assert_eq!(read(&mut lab, 0, client), Err(Errno::ConnReset));
    assert_eq!(talk(&lab), "0:S 1:S. 0:. 1:R.");
}

#[test]
fn ports_are_shared_as_linux_lets_them() {
    let mut lab = Lab::pair();
    let first = listener(&mut lab, 0, 80, 1);
    let bind = |lab: &mut Lab, reuse: bool, share: bool| {
        let socket = lab.stacks[0].socket(SocketKind::Tcp).unwrap();
        lab.stacks[0].options(socket).reuse_address = reuse;
        lab.stacks[0].options(socket).reuse_port = share;
        lab.stacks[0].bind(socket, ANY, 80).map(|()| socket)
    };
    assert_eq!(bind(&mut lab, false, false), Err(Errno::AddrInUse));
    lab.stacks[0].options(first).reuse_address = true;
    assert_eq!(bind(&mut lab, true, false), Err(Errno::AddrInUse), "it listens");
    close(&mut lab, 0, first);
    let a = bind(&mut lab, true, false).unwrap();
    let b = bind(&mut lab, true, false).unwrap();
    assert_eq!(lab.stacks[0].listen(a, 1), Ok(()));
    assert_eq!(lab.stacks[0].listen(b, 1), Err(Errno::AddrInUse));
    close(&mut lab, 0, a);
    close(&mut lab, 0, b);
    let a = bind(&mut lab, false, true).unwrap();
    let b = bind(&mut lab, false, true).unwrap();
    assert_eq!((lab.stacks[0].listen(a, 1), lab.stacks[0].listen(b, 1)), (Ok(()), Ok(())));
}

#[test]
fn a_port_that_was_used_is_free_after_a_while() {
    let (mut lab, client, server) = connected();
    close(&mut lab, 1, server);
    close(&mut lab, 0, client);
    let bind = |lab: &mut Lab, reuse: bool| {
        let socket = lab.stacks[1].socket(SocketKind::Tcp).unwrap();
        lab.stacks[1].options(socket).reuse_address = reuse;
        lab.stacks[1].bind(socket, ANY, 80)
    };
    // The listener of `connected` is still there.
    assert_eq!(bind(&mut lab, false), Err(Errno::AddrInUse));
    assert_eq!(lab.stacks[1].sockets.tcp.time_waits().count(), 1);
    lab.wait(Duration::from_secs(61));
    assert_eq!(lab.stacks[1].sockets.tcp.time_waits().count(), 0);
}

#[test]
fn a_closed_window_stops_a_sender_and_opens_again() {
    let (mut lab, client, server) = connected();
    let all: Vec<u8> = (0..6_000_000u32).map(|at| (at % 251) as u8).collect();
    let (mut sent, mut got) = (0, Vec::new());
    for _ in 0..50 {
        sent += write(&mut lab, 0, client, &all[sent..]);
        lab.wait(Duration::from_millis(500));
    }
    assert!((2_000_000..4_000_000).contains(&sent), "{sent}");
    lab.wait(Duration::from_secs(300));
    for _ in 0..200 {
        got.extend(read(&mut lab, 1, server).unwrap().unwrap_or_default());
        sent += write(&mut lab, 0, client, &all[sent..]);
        lab.wait(Duration::from_millis(50));
    }
    assert_eq!(got.len(), all.len());
    assert!(got == all);
}

#[test]
fn what_is_lost_is_sent_again() {
    let (mut lab, client, server) = connected();
    lab.trouble = Some((Rng::new(1), 1000));
    write(&mut lab, 0, client, b"hello");
    lab.trouble = None;
    assert_eq!(read(&mut lab, 1, server), Ok(None));
    lab.wait(Duration::from_millis(250));
    assert_eq!(read(&mut lab, 1, server), Ok(Some(b"hello".to_vec())), "Linux waits 200 ms");
}

#[test]
fn an_end_that_comes_too_early_is_answered_at_once() {
    let (mut lab, client, server) = connected();
    lab.trouble = Some((Rng::new(1), 1000));
    write(&mut lab, 0, client, b"hello");
    lab.trouble = None;
    lab.stacks[0].shutdown(client).unwrap();
    lab.wait(Duration::ZERO);
    assert_eq!(talk(&lab), "0:F. 1:.");
    assert_eq!(read(&mut lab, 1, server), Ok(None));
    lab.wait(Duration::from_millis(250));
    assert_eq!(read(&mut lab, 1, server), Ok(Some(b"hello".to_vec())));
    assert_eq!(read(&mut lab, 1, server), Ok(Some(Vec::new())), "bytes and end came again");
}

#[test]
fn the_administrator_says_when_it_is_sent_again() {
    let mut lab = Lab::pair();
    lab.sysctl(0, "net/ipv4/tcp_rto_min_us", "30000000");
    let listens = listener(&mut lab, 1, 80, 1);
    let client = dial(&mut lab, 0, SERVER, 80);
    let (server, _) = lab.stacks[1].accept(listens).unwrap().expect("a connection");
    write(&mut lab, 0, client, b"one");
    lab.trouble = Some((Rng::new(1), 1000));
    write(&mut lab, 0, client, b"two");
    lab.trouble = None;
    lab.wait(Duration::from_secs(29));
    assert_eq!(read(&mut lab, 1, server), Ok(Some(b"one".to_vec())));
    assert_eq!(read(&mut lab, 1, server), Ok(None));
    lab.wait(Duration::from_secs(2));
    assert_eq!(read(&mut lab, 1, server), Ok(Some(b"two".to_vec())));
}

#[test]
fn what_a_connection_remembers_is_told_to_who_asks() {
    let (mut lab, client, _) = connected();
    lab.stacks[0].sockets.tcp.connected_mut(client).unwrap().soft = Some(Errno::NoProtoOpt);
    assert!(!lab.stacks[0].has_error(client));
    assert_eq!(lab.stacks[0].take_error(client), Some(Errno::NoProtoOpt));
    assert_eq!(lab.stacks[0].take_error(client), None, "once");
}

#[test]
fn a_path_that_is_narrower_is_learned() {
    let mut lab = Lab::chain();
    let listens = listener(&mut lab, 2, 80, 1);
    let client = dial(&mut lab, 0, "10.0.2.2", 80);
    let (server, _) = lab.stacks[2].accept(listens).unwrap().expect("a connection");
    lab.change((1, 3), LinkChange { mtu: Some(1000), ..LinkChange::default() });
    let all = vec![7; 20_000];
    write(&mut lab, 0, client, &all);
    let mut got = Vec::new();
    for _ in 0..10 {
        lab.wait(Duration::from_millis(10));
        got.extend(read(&mut lab, 2, server).unwrap().unwrap_or_default());
    }
    assert!(got == all, "{} bytes in a tenth of a second", got.len());
    let longest = segments(&lab).iter().filter(|(stack, ..)| *stack == 1).map(|(.., length)| *length).max();
    assert_eq!(longest, Some(1000 - 52));
}

#[test]
fn nobody_acknowledges_for_a_quarter_of_an_hour() {
    let (mut lab, client, _) = connected();
    lab.trouble = Some((Rng::new(1), 1000));
    write(&mut lab, 0, client, b"hello");
    lab.wait(Duration::from_secs(900));
    assert_eq!(lab.stacks[0].take_error(client), None);
    lab.wait(Duration::from_secs(60));
    assert_eq!(lab.stacks[0].take_error(client), Some(Errno::TimedOut));
}

/// Sends these bytes over bad cables, and returns what came, and how long it took.
fn through_trouble(seed: u64, rate: u64, length: usize) -> (Vec<u8>, Vec<u8>, Duration) {
    let (mut lab, client, server) = connected();
    let mut rng = Rng::new(seed);
    let all: Vec<u8> = (0..length).map(|_| rng.next() as u8).collect();
    lab.trouble = Some((rng, rate));
    let (mut sent, mut got, began) = (0, Vec::new(), lab.now);
    while got.len() < all.len() && lab.now.since(began) < Duration::from_secs(3600) {
        if sent < all.len() {
            sent += write(&mut lab, 0, client, &all[sent..]);
            if sent == all.len() {
                lab.stacks[0].shutdown(client).unwrap();
            }
        }
        got.extend(read(&mut lab, 1, server).unwrap().unwrap_or_default());
        lab.wait(Duration::from_millis(20));
    }
    let took = lab.now.since(began);
    lab.wait(Duration::from_secs(60));
    assert_eq!(read(&mut lab, 1, server), Ok(Some(Vec::new())), "and then the end");
    (all, got, took)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is lost, repeated and overtaken: what arrives is what was sent.
    #[test]
    fn bad_cables_deliver_the_right_bytes(seed: u64, rate in 0u64..120, length in 1usize..200_000) {
        let (sent, got, _) = through_trouble(seed, rate, length);
        prop_assert!(sent == got, "{} of {}", got.len(), sent.len());
    }
}

#[test]
fn loss_does_not_stop_a_stream() {
    let (sent, got, took) = through_trouble(3, 10, 2_000_000);
    assert!(sent == got);
    assert!(took < Duration::from_secs(60), "{took:?}");
}
