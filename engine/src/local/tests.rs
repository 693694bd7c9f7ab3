//! Who gets what, judged by the kernel; queues and ports at their bounds.

use proptest::collection::vec;
use proptest::prelude::*;

use super::deliver::Ends;
use super::*;
use crate::frame::truesize;
use crate::reason::DropReason;
use crate::rng::Rng;
use crate::seldom::Seedable;
use crate::wire::{Ipv4, Udp, ipv4, protocol};

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// `net.core.rmem_default`
const LIMIT: usize = 212_992;
const RANGE: (u16, u16) = (32_768, 60_999);

fn sockets() -> Sockets {
    Sockets::seeded(Rng::new(7))
}

/// A UDP socket with this port, that receives at this address.
fn bound(sockets: &mut Sockets, address: Ipv4Addr, port: u16) -> Result<SocketId, Errno> {
    let id = sockets.open(SocketKind::Udp, LIMIT)?;
    sockets.receive_at(id, address);
    sockets.take_port(id, port, RANGE).inspect_err(|_| sockets.close(id))?;
    Ok(id)
}

fn datagram(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), payload: &[u8]) -> Vec<u8> {
    let header = Udp { source: from.1, destination: to.1, length: 0, checksum: 0 }.emit(from.0, to.0, payload);
    let total_length = (ipv4::HEADER + header.len() + payload.len()) as u16;
    let outer = Ipv4 {
        tos: 0,
        total_length,
        id: 1,
        flags_fragment: 0,
        ttl: 64,
        protocol: protocol::UDP,
        source: from.0,
        destination: to.0,
        header_length: ipv4::HEADER,
    };
    [&outer.emit()[..], &header, payload].concat()
}

mod kernel {
    //! Random sockets, datagrams and ICMP errors, and what the kernel did with them (6.18): each line of the file has what
    //! was given, and last what came of it.

    use super::*;

    fn end(text: &str) -> (Ipv4Addr, u16) {
        let (address, port) = text.split_once(':').unwrap();
        (address.parse().unwrap(), port.parse().unwrap())
    }

    /// `socket KIND DEVICE ADDRESS PORT ERRNO NAME PEER RECVERR PMTUDISC`
    fn open(sockets: &mut Sockets, words: &[&str]) -> Option<SocketId> {
        let [kind, device, address, port, errno, name, peer, recverr, pmtu] = *words else { panic!("{words:?}") };
        let kind = match kind.strip_prefix("raw") {
            Some(protocol) => SocketKind::Raw { protocol: protocol.parse().unwrap() },
            None => SocketKind::Udp,
        };
        let id = sockets.open(kind, LIMIT).unwrap();
        let options = sockets.options(id);
        options.device = Some(device.parse().unwrap()).filter(|device| *device != 0);
        options.recverr = recverr == "1";
        options.pmtu = [PmtuDiscover::Dont, PmtuDiscover::Want, PmtuDiscover::Do, PmtuDiscover::Probe]
            [pmtu.parse::<usize>().unwrap()];
        sockets.receive_at(id, address.parse().unwrap());
        if kind == SocketKind::Udp {
            let taken = sockets.take_port(id, port.parse().unwrap(), RANGE).map_or_else(Errno::number, |()| 0);
            assert_eq!(taken.to_string(), errno, "{words:?}");
        }
        if errno != "0" {
            sockets.close(id);
            return None;
        }
        if peer != "-" {
            sockets.get_mut(id).unwrap().peer = Some(end(peer));
            sockets.receive_at(id, name.parse().unwrap());
        }
        Some(id)
    }

    /// `datagram PORT SOURCE DESTINATION TO_ALL`: the sockets that got it.
    fn deliver(sockets: &mut Sockets, ids: &[SocketId], words: &[&str]) -> String {
        let [port, source, destination, to_all] = *words else { panic!("{words:?}") };
        let packet = datagram(end(source), end(destination), b"data");
        let port = port.parse().unwrap();
        let raw = sockets.deliver_raw(Time::ZERO, port, &packet);
        let udp = sockets.deliver_udp(Time::ZERO, port, &packet, to_all == "1");
        let got = |kind: fn(SocketKind) -> bool| {
            ids.iter().any(|id| sockets.get(*id).is_ok_and(|s| kind(s.kind) && s.waiting().0 > 0))
        };
        assert_eq!(raw, got(|kind| kind == SocketKind::Raw { protocol: 17 }));
        assert_eq!(udp == Ok(()), got(|kind| kind == SocketKind::Udp));
        assert_eq!(udp.is_err(), udp == Err(DropReason::NoSocket));
        let takers = ids.iter().enumerate().filter(|(_, id)| sockets.get_mut(**id).unwrap().pop().is_some());
        takers.map(|(at, _)| at.to_string()).collect::<Vec<_>>().join(",")
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `error PORT TYPE CODE INFO QUOTED`: what each socket was told, as `SO_ERROR` and in its error queue.
    fn fail(sockets: &mut Sockets, ids: &[SocketId], words: &[&str]) -> String {
        let [port, kind, code, info, quoted] = *words else { panic!("{words:?}") };
        let byte = |at: usize| u8::from_str_radix(&quoted[at..at + 2], 16).unwrap();
        let inner: Vec<u8> = (0..quoted.len()).step_by(2).map(byte).collect();
        let (kind, code) = (kind.parse().unwrap(), code.parse().unwrap());
        let (port, info) = (port.parse().unwrap(), info.parse().unwrap());
        let from = Ipv4Addr::new(10, 0, 0, 9);
        sockets.icmp_error(Time::ZERO, &IcmpError { port, from, kind, code, ttl: 61, info, inner: &inner });
        let mut told = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            let socket = sockets.get_mut(*id).unwrap();
            let next = socket.take_pending().map_or_else(Errno::number, |()| 0);
            let mut queue = String::new();
            while let Some(e) = socket.pop_error() {
                assert_eq!(e.origin, ErrorOrigin::Icmp { from, kind, code, ttl: 61 });
                let (errno, to) = (e.errno.number(), (e.destination, e.destination_port));
                queue += &format!("{errno}/{}/{}:{}/{}", e.info, to.0, to.1, hex(&e.payload));
            }
            if next != 0 || !queue.is_empty() {
                told.push(format!("{at}={next}={queue}"));
            }
        }
        told.join(" ")
    }

    #[test]
    fn each_socket_gets_what_it_got_from_the_kernel() {
        let (mut all, mut ids) = (sockets(), Vec::new());
        let mut told = 0;
        for (number, line) in include_str!("tests/kernel.txt").lines().enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            let (ours, kernels) = match words[0] {
                "case" => {
                    (all, ids) = (sockets(), Vec::new());
                    continue;
                }
                "socket" => {
                    ids.extend(open(&mut all, &words[1..]));
                    continue;
                }
                "datagram" => (deliver(&mut all, &ids, &words[1..5]), words[5..].join(" ")),
                "error" => (fail(&mut all, &ids, &words[1..6]), words[6..].join(" ")),
                _ => panic!("{line}"),
            };
            told += usize::from(!ours.is_empty());
            assert_eq!(ours, kernels.trim_start_matches('-'), "line {}: {line}", number + 1);
        }
        assert!(told > 150, "{told}");
    }
}

/// Packets of `payload` bytes that a socket lets wait.
fn room(kind: SocketKind, payload: usize) -> usize {
    let mut all = sockets();
    let id = match kind {
        SocketKind::Udp => bound(&mut all, A, 5).unwrap(),
        kind => all.open(kind, LIMIT).unwrap(),
    };
    let packet = datagram((B, 7), (A, 5), &vec![b'a'; payload]);
    let mut last = Ok(());
    for _ in 0..600 {
        match kind {
            SocketKind::Udp => last = all.deliver_udp(Time::ZERO, 2, &packet, false),
            SocketKind::Raw { .. } => assert!(all.deliver_raw(Time::ZERO, 2, &packet), "taken, be it full"),
            SocketKind::Packet { ethertype } => {
                all.deliver_packet(Time::ZERO, 2, ethertype, Mac::ZERO, false, &packet);
            }
            SocketKind::Tcp => unreachable!("it keeps no packets"),
        }
    }
    if kind == SocketKind::Udp {
        assert_eq!(last, Err(DropReason::SocketQueueFull));
    }
    let socket = all.get_mut(id).unwrap();
    let (count, charged) = socket.waiting();
    assert_eq!(charged, count * truesize(packet.len()));
    while socket.pop().is_some() {}
    assert_eq!(socket.waiting(), (0, 0), "what was read is no longer charged");
    count
}

/// The numbers are the kernel's, with the default `rmem_default`.
#[test]
fn queues_hold_what_linux_lets_wait() {
    let kinds = [SocketKind::Raw { protocol: 17 }, SocketKind::Udp, SocketKind::Packet { ethertype: 0x800 }];
    for (payload, counts) in [
        (0, [256, 256, 256]),
        (100, [256, 256, 256]),
        (200, [167, 166, 167]),
        (500, [167, 166, 167]),
        (800, [93, 92, 93]),
        (1472, [93, 92, 93]),
    ] {
        assert_eq!(kinds.map(|kind| room(kind, payload)), counts, "{payload}");
    }
}

#[test]
fn packet_sockets_get_their_type_from_their_device() {
    let mut all = sockets();
    let open = |all: &mut Sockets, ethertype, device| {
        let id = all.open(SocketKind::Packet { ethertype }, LIMIT).unwrap();
        all.options(id).device = device;
        id
    };
    let ids = [(0x806, None), (0x806, Some(2)), (0x806, Some(3)), (0x800, None)].map(|(t, d)| open(&mut all, t, d));
    let mac = Mac([2, 0, 0, 0, 0, 9]);
    all.deliver_packet(Time(5), 2, 0x806, mac, true, b"who has");
    let got = ids.map(|id| all.get_mut(id).unwrap().pop());
    assert!(got[0] == got[1] && got[2].is_none() && got[3].is_none());
    let first = got[0].clone().unwrap();
    assert_eq!((first.at, first.port, first.source_mac, first.link_broadcast), (Time(5), 2, mac, true));
    assert_eq!(first.payload, b"who has");
}

#[test]
fn a_datagram_with_a_wrong_checksum_is_for_nobody() {
    let mut all = sockets();
    bound(&mut all, A, 5).unwrap();
    let mut packet = datagram((B, 7), (A, 5), b"data");
    *packet.last_mut().unwrap() ^= 1;
    assert_eq!(all.deliver_udp(Time::ZERO, 2, &packet, false), Err(DropReason::UdpChecksum));
    packet[20 + 6..20 + 8].fill(0);
    assert_eq!(all.deliver_udp(Time::ZERO, 2, &packet, false), Ok(()), "the sender left it out");
    assert_eq!(all.deliver_udp(Time::ZERO, 2, &packet[..25], false), Err(DropReason::UdpTruncated));
}

/// From the kernel: the quoted packet, and no word to a socket bound to a device, since the message comes by `lo`.
#[test]
fn a_neighbour_that_does_not_answer_is_told_by_ourselves() {
    let mut all = sockets();
    let udp = bound(&mut all, Ipv4Addr::UNSPECIFIED, 5).unwrap();
    let on_device = bound(&mut all, Ipv4Addr::UNSPECIFIED, 6).unwrap();
    all.options(udp).recverr = true;
    (all.options(on_device).recverr, all.options(on_device).device) = (true, Some(2));
    for port in [5, 6] {
        let inner = datagram((A, port), (B, 7), b"x");
        let error = IcmpError { port: 1, from: A, kind: 3, code: 1, ttl: 64, info: 0, inner: &inner };
        assert_eq!(all.icmp_error(Time(9), &error), port == 5);
    }
    let told = all.get_mut(udp).unwrap().pop_error().unwrap();
    assert_eq!((told.at, told.errno, told.payload.as_slice()), (Time(9), Errno::HostUnreach, &b"x"[..]));
    assert_eq!(told.origin, ErrorOrigin::Icmp { from: A, kind: 3, code: 1, ttl: 64 });
    assert_eq!((told.destination, told.destination_port), (B, 7));
    assert_eq!(all.get_mut(on_device).unwrap().pop_error(), None);
}

/// The next call fails once; reading the queue to its end takes that back, reading part of it does not.
#[test]
fn an_error_fails_one_call_and_waits_in_the_queue() {
    let mut all = sockets();
    let id = bound(&mut all, A, 5).unwrap();
    all.options(id).recverr = true;
    let packet = datagram((A, 5), (B, 7), b"x");
    let tell = |all: &mut Sockets, code| {
        let error = IcmpError { port: 2, from: B, kind: 3, code, ttl: 64, info: 0, inner: &packet };
        all.icmp_error(Time::ZERO, &error);
    };
    tell(&mut all, 3);
    tell(&mut all, 1);
    let socket = all.get_mut(id).unwrap();
    assert_eq!(socket.take_pending(), Err(Errno::HostUnreach), "the last one");
    assert_eq!(socket.take_pending(), Ok(()));
    assert_eq!(socket.pop_error().unwrap().errno, Errno::ConnRefused, "the first one");
    assert_eq!(socket.take_pending(), Err(Errno::HostUnreach), "one is left");
    assert_eq!(socket.pop_error().unwrap().errno, Errno::HostUnreach);
    assert_eq!((socket.take_pending(), socket.pop_error()), (Ok(()), None));
    assert_eq!(socket.waiting(), (0, 0));
}

#[test]
fn the_error_queue_shares_the_bound() {
    let mut all = sockets();
    let id = bound(&mut all, A, 5).unwrap();
    all.options(id).recverr = true;
    let inner = datagram((A, 5), (B, 7), b"x");
    for _ in 0..600 {
        all.icmp_error(Time::ZERO, &IcmpError { port: 2, from: B, kind: 3, code: 3, ttl: 64, info: 0, inner: &inner });
    }
    let (_, charged) = all.get(id).unwrap().waiting();
    assert_eq!(charged / truesize(57), 255);
    // A datagram may fill it to the brim.
    let packet = datagram((B, 7), (A, 5), b"x");
    assert_eq!(all.deliver_udp(Time::ZERO, 2, &packet, false), Ok(()));
    assert_eq!(all.deliver_udp(Time::ZERO, 2, &packet, false), Err(DropReason::SocketQueueFull));
    let told = std::iter::from_fn(|| all.get_mut(id).unwrap().pop_error()).count();
    assert_eq!(told, 255);
}

#[test]
fn ports_run_out_and_come_back() {
    let mut all = sockets();
    let range = (100, 103);
    let mut ids = Vec::new();
    let mut take = |all: &mut Sockets| {
        let id = all.open(SocketKind::Udp, LIMIT).unwrap();
        ids.push(id);
        all.take_port(id, 0, range).map(|()| all.get(id).unwrap().port)
    };
    let mut ports: Vec<u16> = (0..4).map(|_| take(&mut all).unwrap()).collect();
    assert_eq!(take(&mut all), Err(Errno::AddrInUse));
    assert_eq!(take(&mut all), Err(Errno::AddrInUse));
    ports.sort_unstable();
    assert_eq!(ports, [100, 101, 102, 103]);
    all.close(ids[2]);
    let id = all.open(SocketKind::Udp, LIMIT).unwrap();
    assert_eq!(all.take_port(id, 0, range), Ok(()));
    assert!(all.get(ids[2]).is_err() && all.get_mut(ids[2]).is_err(), "a closed socket's number is never given again");
    all.options(ids[2]).tos = 8;
}

/// Ports follow from the seed, and differ with it.
#[test]
fn chosen_ports_are_the_seeds() {
    let ports = |seed| {
        let mut all = Sockets::seeded(Rng::new(seed));
        let mut one = || {
            let id = all.open(SocketKind::Udp, LIMIT).unwrap();
            all.take_port(id, 0, RANGE).unwrap();
            all.get(id).unwrap().port
        };
        [one(), one(), one()]
    };
    assert_eq!(ports(1), ports(1));
    assert_ne!(ports(1), ports(2));
    assert!(ports(3).iter().all(|port| (RANGE.0..=RANGE.1).contains(port)));
}

/// A socket as the demultiplexer sees it.
#[derive(Clone, Copy, Debug)]
struct Plain {
    address: usize,
    port: u16,
    device: Option<IfIndex>,
    peer: Option<(usize, u16)>,
}

const LOCALS: [Ipv4Addr; 3] = [Ipv4Addr::UNSPECIFIED, A, Ipv4Addr::new(10, 0, 0, 11)];
const REMOTES: [Ipv4Addr; 2] = [B, Ipv4Addr::new(10, 0, 0, 3)];

fn plain() -> impl Strategy<Value = Plain> {
    let device = prop_oneof![Just(None), Just(Some(2)), Just(Some(3))];
    let peer = proptest::option::of((0..2usize, 7..9u16));
    (0..3usize, 5..7u16, device, peer).prop_map(|(address, port, device, peer)| Plain { address, port, device, peer })
}

impl Plain {
    fn open(&self, all: &mut Sockets) -> Option<SocketId> {
        let id = all.open(SocketKind::Udp, LIMIT).unwrap();
        all.options(id).device = self.device;
        all.receive_at(id, LOCALS[self.address]);
        if all.take_port(id, self.port, RANGE).is_err() {
            all.close(id);
            return None;
        }
        all.get_mut(id).unwrap().peer = self.peer.map(|(at, port)| (REMOTES[at], port));
        Some(id)
    }

    fn fits(&self, ends: &Ends) -> bool {
        let address = self.address == 0 || LOCALS[self.address] == ends.local.0;
        let peer = self.peer.is_none_or(|(at, port)| (REMOTES[at], port) == ends.remote);
        address && peer && self.port == ends.local.1 && self.device.is_none_or(|device| device == ends.port)
    }

    /// Says at least as much as another.
    fn covers(&self, other: &Plain) -> bool {
        let bound = |plain: &Plain| (plain.address != 0, plain.peer.is_some(), plain.device.is_some());
        let ((a, b, c), (x, y, z)) = (bound(self), bound(other));
        a >= x && b >= y && c >= z
    }
}

fn ends() -> impl Strategy<Value = Ends> {
    (2..4u32, 1..3usize, 5..7u16, 0..2usize, 7..9u16).prop_map(|(port, to, local, from, remote)| Ends {
        port,
        local: (LOCALS[to], local),
        remote: (REMOTES[from], remote),
    })
}

proptest! {
    /// A unicast datagram is got by exactly one of the sockets that it fits, and by none that says less than another of
    /// them; a broadcast by each that it fits.
    #[test]
    fn one_takes_it_or_all(plains in vec(plain(), 0..8), ends in vec(ends(), 1..8)) {
        let mut all = sockets();
        let open: Vec<(SocketId, Plain)> =
            plains.iter().filter_map(|plain| Some((plain.open(&mut all)?, *plain))).collect();
        for ends in ends {
            let packet = datagram(ends.remote, ends.local, b"data");
            let fitting: Vec<_> = open.iter().filter(|(_, plain)| plain.fits(&ends)).collect();
            let taken = |all: &mut Sockets| -> Vec<SocketId> {
                open.iter().map(|(id, _)| *id).filter(|id| all.get_mut(*id).unwrap().pop().is_some()).collect()
            };
            let one = all.deliver_udp(Time::ZERO, ends.port, &packet, false);
            prop_assert_eq!(one.is_ok(), !fitting.is_empty());
            let takers = taken(&mut all);
            prop_assert_eq!(takers.len(), usize::from(one.is_ok()));
            if let Some(winner) = fitting.iter().find(|(id, _)| takers.contains(id)) {
                let better = |(id, plain): &&&(SocketId, Plain)| {
                    *id != winner.0 && plain.covers(&winner.1) && !winner.1.covers(plain)
                };
                prop_assert!(!fitting.iter().any(|other| better(&other)), "{:?} of {:?}", winner, fitting);
            } else {
                prop_assert!(takers.is_empty(), "it did not fit");
            }
            let every = all.deliver_udp(Time::ZERO, ends.port, &packet, true);
            prop_assert_eq!(every.is_ok(), !fitting.is_empty());
            prop_assert_eq!(taken(&mut all), fitting.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        }
    }

    /// Any bytes may come as a packet, or as one that is quoted.
    #[test]
    fn noise_is_nobodys(bytes in vec(any::<u8>(), 0..80), kind: u8, code: u8) {
        let mut all = sockets();
        let id = bound(&mut all, Ipv4Addr::UNSPECIFIED, 5).unwrap();
        let raw = all.open(SocketKind::Raw { protocol: 17 }, LIMIT).unwrap();
        (all.options(id).recverr, all.options(raw).recverr) = (true, true);
        all.deliver_raw(Time::ZERO, 2, &bytes);
        let _ = all.deliver_udp(Time::ZERO, 2, &bytes, true);
        all.icmp_error(Time::ZERO, &IcmpError { port: 2, from: B, kind, code, ttl: 1, info: 0, inner: &bytes });
        let mut packet = datagram((A, 5), (B, 7), &bytes);
        packet[9] = code;
        all.icmp_error(Time::ZERO, &IcmpError { port: 2, from: B, kind, code, ttl: 1, info: 0, inner: &packet });
    }
}
