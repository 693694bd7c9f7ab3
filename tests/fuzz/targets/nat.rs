//! Right packets of any kind, answers to what came out and errors about it, into a router with rules of any kind: whatever
//! leaves it, its own errors and resets with it, has right checksums; an ICMP error goes to whoever sent the packet that it
//! quotes, and that packet's checksums are right, too.

#![no_main]

use etherparse::{Ipv4HeaderSlice, TcpSlice, UdpSlice};
use libfuzzer_sys::fuzz_target;
use std::net::Ipv4Addr;
use vethlab_engine::addr::Mac;
use vethlab_engine::frame::FramePool;
use vethlab_engine::ip::Fragments;
use vethlab_engine::time::Duration;
use vethlab_engine::wire::{Ethernet, Icmp, Ipv4, Tcp, Udp, checksum, ethernet, icmpv4, ipv4, protocol, tcp};
use vethlab_sim::{Host, Lab, Options};

/// The router: hosts inside at its first device, the world at its second.
const SETUP: &[&str] = &[
    "ip addr add 10.0.0.1/24 dev in",
    "ip addr add 203.0.113.1/24 dev out",
    "ip neigh add 10.0.0.2 lladdr 02:00:00:00:01:02 dev in",
    "ip neigh add 10.0.0.3 lladdr 02:00:00:00:01:03 dev in",
    "ip neigh add 203.0.113.254 lladdr 02:00:00:00:02:fe dev out",
    "ip route add default via 203.0.113.254",
    "sysctl -q -w net.ipv4.ip_forward=1",
    "sysctl -q -w net.ipv4.icmp_ratelimit=0",
];
const DEVICES: [(&str, Mac, u32); 2] = [("in", Mac([2, 0, 0, 0, 1, 1]), 1500), ("out", Mac([2, 0, 0, 0, 2, 1]), 576)];
/// What the rules may be.
const RULES: &[&[&str]] = &[
    &["-t nat -A POSTROUTING -o out -j MASQUERADE"],
    &[
        "-t nat -A POSTROUTING -s 10.0.0.0/24 -j SNAT --to-source 203.0.113.7-203.0.113.9",
        "-t raw -A PREROUTING -p 99 -j NOTRACK",
    ],
    &["-t nat -A POSTROUTING -o out -p udp -j MASQUERADE --to-ports 5000-5001"],
    &[
        "-t nat -A PREROUTING -d 203.0.113.1 -p tcp --dport 0:1 -j DNAT --to-destination 10.0.0.2:80",
        "-t nat -A PREROUTING -d 203.0.113.1 -p udp -j DNAT --to-destination 10.0.0.3",
        "-t nat -A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.0/24 -j MASQUERADE",
    ],
    &[
        "-t nat -A PREROUTING -d 192.0.2.0/24 -j NETMAP --to 10.0.0.0/24",
        "-t nat -A PREROUTING -p udp --dport 3 -j REDIRECT --to-ports 9",
    ],
    &[
        "-A FORWARD -p udp --dport 1 -j REJECT",
        "-A FORWARD -p tcp --dport 2 -j REJECT --reject-with tcp-reset",
        "-A INPUT -p tcp -j REJECT --reject-with icmp-admin-prohibited",
    ],
    &[
        "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
        "-t mangle -A PREROUTING -i out -j TTL --ttl-set 2",
        "-t mangle -A PREROUTING -j DSCP --set-dscp 5",
        "-t mangle -A POSTROUTING -p icmp -j TOS --set-tos 0x10",
    ],
    &["-A FORWARD -m conntrack --ctstate INVALID -j DROP", "-t mangle -A FORWARD -p tcp -j TCPMSS --set-mss 300"],
];

fuzz_target!(|data: &[u8]| {
    let Some((&rules, mut rest)) = data.split_first() else { return };
    let mut router = Router::new(rules);
    while let Some((head, tail)) = rest.split_first_chunk::<8>() {
        rest = router.act(head, tail);
    }
});

struct Router {
    lab: Lab,
    /// What left, by which device.
    left: Vec<(usize, Vec<u8>)>,
}

impl Router {
    fn new(rules: u8) -> Router {
        let lab = Lab::new(Options { seed: 1, host: Host::Bare });
        for (name, mac, mtu) in DEVICES {
            lab.world().device_add(name, mac, mtu, true).expect("a new name");
        }
        let mut router = Router { lab, left: Vec::new() };
        SETUP.iter().for_each(|line| router.run(line));
        let wanted = RULES.iter().enumerate().filter(|(bit, _)| rules & 1 << bit != 0);
        wanted.flat_map(|(_, lines)| *lines).for_each(|line| router.run(&format!("iptables {line}")));
        router
    }

    fn run(&mut self, line: &str) {
        let output = self.lab.run(line);
        assert_eq!(output.status, 0, "{line}: {}", output.stderr);
    }

    /// One deed of eight bytes, and what it takes of the rest.
    fn act<'a>(&mut self, head: &[u8; 8], tail: &'a [u8]) -> &'a [u8] {
        let [deed, which, ..] = *head;
        let (payload, tail) = tail.split_at(usize::from(head[7]).min(tail.len()));
        // A few long packets, for the MTU's sake.
        let payload = if head[6] & 0xc0 == 0xc0 { payload.repeat(5) } else { payload.to_vec() };
        let known = self.left.len().checked_sub(1 + usize::from(which) % 8).map(|at| self.left[at].clone());
        match (deed % 8, known) {
            (0, _) => self.wait(Duration::from_millis(u64::from(which) * 1000)),
            (1 | 2, Some((device, packet))) => self.receive(device, &answer(&packet, head, &payload)),
            (3 | 4, Some((device, packet))) => self.receive(device, &error(&packet, head, device)),
            (5, _) => self.receive_cut(usize::from(which & 1), &made(head, &payload)),
            _ => self.receive(usize::from(which & 1), &made(head, &payload)),
        }
        tail
    }

    fn wait(&mut self, span: Duration) {
        let until = self.lab.now() + span;
        self.lab.world().advance_to(until);
        self.collect();
    }

    fn receive_cut(&mut self, device: usize, packet: &[u8]) {
        let mut pool = FramePool::new();
        let Some(mut fragments) = Fragments::new(packet, 68, false) else { return };
        while let Some(fragment) = fragments.next(&mut pool) {
            self.receive(device, &fragment);
            pool.give(fragment);
        }
    }

    fn receive(&mut self, device: usize, packet: &[u8]) {
        assert!(is_right(packet), "not a right one to begin with: {packet:02x?}");
        let link =
            Ethernet { destination: DEVICES[device].1, source: Mac([2, 0, 0, 0, 9, 9]), ethertype: ethernet::IPV4 };
        let mut world = self.lab.world();
        let mut frame = world.pool().copy(packet);
        frame.push(ethernet::HEADER);
        link.write(&mut frame);
        world.device_receive(device, &mut vec![frame]);
        let now = world.now();
        // What is carried to the devices is carried at once.
        world.advance_to(now + Duration::from_millis(1));
        drop(world);
        self.collect();
    }

    /// Takes what left, and judges it.
    fn collect(&mut self) {
        let mut world = self.lab.world();
        for device in [0, 1] {
            let mut frames = Vec::new();
            world.device_drain(device, &mut frames);
            for frame in frames {
                assert_eq!(frame.offload().partial_checksum, None);
                if frame.get(12..14) == Some(&ethernet::IPV4.to_be_bytes()) {
                    let packet = frame[ethernet::HEADER..].to_vec();
                    assert!(is_right(&packet), "{packet:02x?}");
                    assert!(quotes_right(&packet), "{packet:02x?}");
                    self.left.push((device, packet));
                }
                world.pool().give(frame);
            }
        }
    }
}

fn address(byte: u8) -> Ipv4Addr {
    match byte % 16 {
        last @ 0..4 => Ipv4Addr::new(10, 0, 0, last),
        last @ 4..8 => Ipv4Addr::new(192, 0, 2, last - 4),
        8 | 9 => Ipv4Addr::new(203, 0, 113, 1),
        10 => Ipv4Addr::new(203, 0, 113, 254),
        11 => Ipv4Addr::new(203, 0, 113, 8),
        12 => Ipv4Addr::new(203, 0, 113, 255),
        13 => Ipv4Addr::new(224, 0, 0, 1),
        _ => Ipv4Addr::new(198, 51, 100, 1),
    }
}

/// A packet of TCP, UDP, ICMP or something else.
fn made(head: &[u8; 8], payload: &[u8]) -> Vec<u8> {
    let [_, _, ends, ports, kind, flags, more, _] = *head;
    let (from, to) = (address(ends >> 4), address(ends));
    let (source, destination) = (u16::from(ports >> 4) % 4 * 400, u16::from(ports) % 4);
    let segment = match kind % 8 {
        0..3 => {
            let tcp = Tcp { source, destination, sequence: payload.len() as u32, flags, window: 99, ..Tcp::default() };
            // An MSS of 1460, and what else there is: any bytes.
            let options = if more & 1 == 0 { &[][..] } else { &[2, 4, 5, 180][..] };
            tcp_of(tcp, from, to, options, payload)
        }
        3 | 4 => udp_of((from, source), (to, destination), payload, more & 1 != 0),
        5 | 6 => {
            [&Icmp::echo([0, 8, 13, 14, 17][usize::from(flags % 5)], source, 1).emit(payload)[..], payload].concat()
        }
        _ => payload.to_vec(),
    };
    let number = match kind % 8 {
        0..3 => protocol::TCP,
        3 | 4 => protocol::UDP,
        5 | 6 => protocol::ICMP,
        _ => [99, 2, 47, 132][usize::from(flags % 4)],
    };
    let options: &[u8] = match more >> 1 & 7 {
        1 => &[7, 7, 4, 0, 0, 0, 0, 0],
        2 => &[68, 8, 5, 0, 0, 0, 0, 0],
        3 => &[148, 4, 0, 0],
        4 => &[131, 7, 4, 10, 0, 0, 3, 0],
        _ => &[],
    };
    let df = if more & 16 == 0 { 0 } else { ipv4::DF };
    ip(from, to, number, (if more & 32 == 0 { 64 } else { flags % 3 }, df), options, &segment)
}

fn tcp_of(tcp: Tcp, from: Ipv4Addr, to: Ipv4Addr, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut segment = vec![0; tcp::HEADER + 40];
    let length = tcp.write(from, to, options, payload, &mut segment).expect("room");
    segment.truncate(length);
    [segment.as_slice(), payload].concat()
}

fn udp_of(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), payload: &[u8], sum: bool) -> Vec<u8> {
    let udp = Udp { source: from.1, destination: to.1, length: 0, checksum: 0 };
    let mut header = udp.emit(from.0, to.0, payload).to_vec();
    if !sum {
        header[6..].fill(0);
    }
    [header.as_slice(), payload].concat()
}

fn ip(from: Ipv4Addr, to: Ipv4Addr, number: u8, (ttl, df): (u8, u16), options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header_length = ipv4::HEADER + options.len();
    let header = Ipv4 {
        tos: 0,
        total_length: (header_length + payload.len()) as u16,
        id: 7,
        flags_fragment: df,
        ttl,
        protocol: number,
        source: from,
        destination: to,
        header_length,
    };
    let mut packet = vec![0; header_length];
    header.write(options, &mut packet).expect("room");
    packet.extend(payload);
    packet
}

/// What the goal of a packet answers.
fn answer(packet: &[u8], head: &[u8; 8], payload: &[u8]) -> Vec<u8> {
    let header = Ipv4::parse(packet).expect("a right packet");
    let (from, to) = (header.destination, header.source);
    let came = packet.get(header.header_length..).unwrap_or_default();
    let port = |at: usize| came.get(at..at + 2).map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
    let segment = match header.protocol {
        protocol::TCP => {
            let asked = Tcp::parse(came).unwrap_or_default();
            let acknowledgment = asked.sequence.wrapping_add(u32::from(head[4] & 1));
            let (source, destination, sequence) = (port(2), port(0), asked.acknowledgment);
            let tcp =
                Tcp { source, destination, sequence, acknowledgment, flags: head[5], window: 99, ..Tcp::default() };
            tcp_of(tcp, from, to, &[], payload)
        }
        protocol::UDP => udp_of((from, port(2)), (to, port(0)), payload, head[6] & 1 != 0),
        protocol::ICMP => [&Icmp::echo(icmpv4::kind::ECHO_REPLY, port(4), port(6)).emit(payload)[..], payload].concat(),
        _ => payload.to_vec(),
    };
    ip(from, to, header.protocol, (64, 0), &[], &segment)
}

/// An error about a packet, from somebody on its way to its sender.
fn error(packet: &[u8], head: &[u8; 8], device: usize) -> Vec<u8> {
    let header = Ipv4::parse(packet).expect("a right packet");
    let from = if device == 0 { header.destination } else { address(head[2] % 4 + 4) };
    let length = header.header_length + 8 + usize::from(head[3]);
    let quote = packet.get(..length).unwrap_or(packet);
    let kind = [3, 3, 4, 5, 11, 12][usize::from(head[4] % 6)];
    let icmp = Icmp { kind, code: head[5] % 16, rest: [0, 0, head[6], head[7]] };
    ip(from, header.source, protocol::ICMP, (64, 0), &[], &[&icmp.emit(quote)[..], quote].concat())
}

/// All checksums hold, as far as the packet is there, as `etherparse` reckons them.
fn is_right(packet: &[u8]) -> bool {
    let Ok(header) = Ipv4HeaderSlice::from_slice(packet) else { return false };
    if header.to_header().calc_header_checksum() != header.header_checksum() {
        return false;
    }
    let (from, to) = (header.source(), header.destination());
    let whole = header.fragments_offset().value() == 0 && !header.more_fragments();
    let payload = packet.get(header.slice().len()..usize::from(header.total_len()));
    let Some(payload) = payload.filter(|_| whole) else { return true };
    match header.protocol().0 {
        protocol::TCP => TcpSlice::from_slice(payload)
            .is_ok_and(|tcp| tcp.calc_checksum_ipv4(from, to).is_ok_and(|sum| sum == tcp.checksum())),
        protocol::UDP => UdpSlice::from_slice(payload).is_ok_and(|udp| {
            let sum = udp.to_header().calc_checksum_ipv4_raw(from, to, udp.payload());
            udp.checksum() == 0 || sum.is_ok_and(|sum| sum == udp.checksum())
        }),
        protocol::ICMP => payload.is_empty() || checksum::holds(payload),
        _ => true,
    }
}

/// If it is an ICMP error: it goes to the sender of a packet whose checksums are right.
fn quotes_right(packet: &[u8]) -> bool {
    let Some(header) = Ipv4::parse(packet).filter(|header| header.protocol == protocol::ICMP && !header.is_fragment())
    else {
        return true;
    };
    let message = packet.get(header.header_length..).unwrap_or_default();
    let Some((head, quote)) = message.split_first_chunk::<8>() else { return true };
    if ![3, 4, 5, 11, 12].contains(&head[0]) {
        return true;
    }
    Ipv4::parse(quote).is_some_and(|quoted| quoted.source == header.destination) && is_right(quote)
}
