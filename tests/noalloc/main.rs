//! Forwarding allocates nothing: an allocator that counts, and a million packets through a router.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait; this one only counts and passes on")]

use etherparse::PacketBuilder;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Mac};
use vethlab_engine::control::{
    AddressMode, AddressSpec, Command, IfIndex, LinkChange, NeighborMode, NeighborSpec, Nud,
};
use vethlab_engine::frame::{FramePool, Outbox};
use vethlab_engine::link::{OperState, Port};
use vethlab_engine::observe::Silent;
use vethlab_engine::time::Time;
use vethlab_engine::{Cx, Stack};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on as it came to the system's allocator; counting touches no memory of theirs.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const IN: IfIndex = 2;
const OUT: IfIndex = 3;
const MAC: Mac = Mac([2, 0, 0, 0, 0, 9]);

/// A router with a port on each side and a known neighbour behind the second.
struct Router {
    stack: Stack,
    pool: FramePool,
    out: Outbox,
}

impl Router {
    fn new() -> Router {
        let mut router = Router { stack: Stack::new(1), pool: FramePool::new(), out: Outbox::new() };
        router.apply(Command::SysctlWrite("net/ipv4/ip_forward".into(), "1".into()));
        for index in [IN, OUT] {
            router.port(index);
        }
        router.apply(Command::NeighborAdd(
            NeighborMode::Add,
            NeighborSpec {
                index: OUT,
                destination: IpAddr::V4(Ipv4Addr::new(10, 0, 3, 2)),
                lladdr: Some(MAC),
                state: Nud::Permanent,
                router: false,
                proxy: false,
                extern_learn: false,
                protocol: 0,
            },
        ));
        router
    }

    fn port(&mut self, index: IfIndex) {
        let mac = Mac([2, 0, 0, 0, 0, index as u8]);
        self.stack.port_add(Time::ZERO, Port::new_ethernet(index, format!("p{index}"), mac, Time::ZERO));
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, index as u8, 1));
        self.apply(Command::AddressAdd(AddressMode::Add, AddressSpec::of(index, address, 24)));
        self.apply(Command::LinkChange(index, LinkChange { up: Some(true), ..LinkChange::default() }));
        self.stack.carrier(index, true);
        let mut cx = Cx { now: Time::ZERO, pool: &mut self.pool, out: &mut self.out };
        self.stack.link_change(&mut cx, index, OperState::Up);
    }

    fn apply(&mut self, command: Command) {
        let mut cx = Cx { now: Time::ZERO, pool: &mut self.pool, out: &mut self.out };
        self.stack.apply(&mut cx, command, &mut Silent).unwrap();
    }

    /// One frame in, and what comes out thrown away. True if it left by the other port.
    fn forward(&mut self, frame: &[u8], packet: u64) -> bool {
        let mut cx = Cx { now: Time(packet * 1000), pool: &mut self.pool, out: &mut self.out };
        let frame = cx.pool.copy(frame);
        self.stack.receive(&mut cx, IN, frame, &mut Silent);
        let mut forwarded = false;
        for (port, frame) in self.out.drain() {
            forwarded |= port == OUT;
            self.pool.give(frame);
        }
        forwarded
    }
}

#[test]
fn a_million_forwarded_packets_allocate_nothing() {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, IN as u8])
        .ipv4([10, 0, 2, 2], [10, 0, 3, 2], 64)
        .udp(4000, 5000);
    let mut frame = Vec::new();
    builder.write(&mut frame, b"eighteen bytes ...").unwrap();
    let mut router = Router::new();
    let warm = (0..1000).filter(|packet| router.forward(&frame, *packet)).count();
    assert_eq!(warm, 1000, "{:?}", router.stack.counters());

    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let forwarded = (1000..1_001_000).filter(|packet| router.forward(&frame, *packet)).count();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;

    assert_eq!(forwarded, 1_000_000);
    assert_eq!(allocations, 0);
}
