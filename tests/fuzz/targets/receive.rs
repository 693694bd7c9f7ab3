//! Frames made of noise, and of noise behind right headers, into a router with two ports: no panic, and after every step
//! each frame is where the counters say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Mac};
use vethlab_engine::control::{AddressMode, AddressSpec, Command, IfIndex, LinkChange};
use vethlab_engine::counters::Counters;
use vethlab_engine::frame::{FramePool, Outbox};
use vethlab_engine::link::port::flag;
use vethlab_engine::link::{OperState, Port, PortKind};
use vethlab_engine::observe::Silent;
use vethlab_engine::time::{Duration, Time};
use vethlab_engine::wire::{ethernet, icmpv4, ipv4, protocol};
use vethlab_engine::{Cx, Stack};

const PORTS: [IfIndex; 2] = [2, 3];

fuzz_target!(|data: &[u8]| {
    let mut bench = Bench::new();
    let mut rest = data;
    while let Some((&deed, tail)) = rest.split_first() {
        rest = bench.act(deed, tail);
        bench.check();
    }
    bench.end();
});

/// A router, and all that is around it.
struct Bench {
    stack: Stack,
    pool: FramePool,
    out: Outbox,
    now: Time,
}

impl Bench {
    fn new() -> Bench {
        let (stack, pool, out) = (Stack::new(1), FramePool::new(), Outbox::new());
        let mut bench = Bench { stack, pool, out, now: Time::ZERO };
        for index in PORTS {
            bench.stack.port_add(Time::ZERO, port(index));
            let local = IpAddr::V4(Ipv4Addr::new(10, 0, index as u8, 1));
            bench.apply(Command::AddressAdd(AddressMode::Add, AddressSpec::of(index, local, 24)));
            bench.set_up(index, true);
            bench.with(|stack, cx| stack.link_change(cx, index, OperState::Up));
        }
        bench.set_up(1, true);
        bench.apply(Command::SysctlWrite("net/ipv4/ip_forward".into(), "1".into()));
        bench
    }

    /// One deed of the input, and the input that is left.
    fn act<'a>(&mut self, deed: u8, tail: &'a [u8]) -> &'a [u8] {
        let port = PORTS[usize::from(deed & 1)];
        match deed >> 1 & 7 {
            0 => {
                let (&units, tail) = tail.split_first().unwrap_or((&0, &[]));
                self.wait(Duration::from_millis(u64::from(units) * 50));
                tail
            }
            1 => {
                self.set_up(port, deed & 0x80 != 0);
                tail
            }
            mend => {
                let (&length, tail) = tail.split_first().unwrap_or((&0, &[]));
                let (frame, tail) = tail.split_at((usize::from(length) * 4).min(tail.len()));
                self.receive(port, frame, mend);
                tail
            }
        }
    }

    /// A frame in: as it is, or with more and more of its headers mended, so that noise gets deeper.
    fn receive(&mut self, port: IfIndex, bytes: &[u8], mend: u8) {
        let mut frame = self.pool.copy(bytes);
        if mend > 2
            && let Some(header) = frame.first_chunk_mut::<{ ethernet::HEADER }>()
        {
            header[..6].copy_from_slice(&mac(port).0);
            header[12..].copy_from_slice(&if mend == 3 { ethernet::ARP } else { ethernet::IPV4 }.to_be_bytes());
        }
        if mend > 4
            && let Some(packet) = frame.get_mut(ethernet::HEADER..)
        {
            mend_ip(packet, mend);
        }
        self.with(|stack, cx| stack.receive(cx, port, frame, &mut Silent));
    }

    fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..10_000 {
            let Some(next) = self.stack.next_deadline().filter(|next| *next <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(next);
            self.with(|stack, cx| stack.tick(cx, &mut Silent));
            self.check();
        }
        panic!("time stands still at {:?}", self.now);
    }

    fn set_up(&mut self, index: IfIndex, up: bool) {
        self.apply(Command::LinkChange(index, LinkChange { up: Some(up), ..LinkChange::default() }));
    }

    fn apply(&mut self, command: Command) {
        let words = format!("{command:?}");
        self.with(|stack, cx| stack.apply(cx, command, &mut Silent)).unwrap_or_else(|no| panic!("{words}: {no}"));
    }

    fn with<R>(&mut self, visit: impl FnOnce(&mut Stack, &mut Cx<'_>) -> R) -> R {
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        visit(&mut self.stack, &mut cx)
    }

    /// What left is sent; the frames that are still out are those that the counters miss.
    fn check(&mut self) {
        for (_, frame) in self.out.drain() {
            self.pool.give(frame);
        }
        let counters = self.stack.counters();
        let Counters { received, originated, made, sent, consumed, .. } = counters;
        let came = received + originated + made;
        let ended = sent + consumed + counters.discarded_total();
        assert_eq!(came.checked_sub(ended), Some(self.pool.taken() as u64), "a frame is lost: {counters:?}");
    }

    /// With its ports gone and an hour later, nothing waits any more.
    fn end(&mut self) {
        for index in PORTS {
            self.set_up(index, false);
            self.check();
        }
        self.wait(Duration::from_secs(3600));
        self.check();
        assert_eq!(self.pool.taken(), 0, "frames wait for ever");
    }
}

/// Version, lengths, checksums, and from the sixth kind on the addresses too.
fn mend_ip(packet: &mut [u8], mend: u8) {
    let length = packet.len() as u16;
    if packet.len() < ipv4::HEADER {
        return;
    }
    let words = (packet[0] & 0xf).clamp(5, 15).min((length / 4) as u8);
    packet[0] = 0x40 | words;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    if mend > 5 {
        packet[12..15].copy_from_slice(&[10, 0, 2]);
        packet[16..18].copy_from_slice(&[10, 0]);
        packet[18] = packet[18] & 1 | 2;
    }
    if mend > 6 {
        packet[9] = protocol::ICMP;
        if let Some(message) = packet.get_mut(usize::from(words) * 4..).filter(|rest| rest.len() >= icmpv4::HEADER) {
            message[2..4].fill(0);
            let sum = vethlab_engine::wire::checksum::of(message);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
        }
    }
    ipv4::write_checksum(packet);
}

const fn mac(index: IfIndex) -> Mac {
    Mac([2, 0, 0, 0, 0, index as u8])
}

fn port(index: IfIndex) -> Port {
    Port {
        index,
        name: format!("eth{index}").into(),
        kind: PortKind::Ethernet,
        mac: mac(index),
        broadcast: Mac::BROADCAST,
        mtu: if index == 2 { 1500 } else { 100 },
        set_flags: flag::BROADCAST | flag::MULTICAST,
        carrier: true,
        operstate: OperState::Down,
        addrgenmode: 1,
        ..Port::new_loopback(Time::ZERO)
    }
}
