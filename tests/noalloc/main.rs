//! Forwarding allocates nothing: an allocator that counts, and a million packets through a router.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait; this one only counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use vethlab_tests::router::{NEIGHBOR, Router, datagram};

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

/// Forwards this many frames after a thousand: how many arrived, and how many allocations that took. All in one test, as
/// the counter is everybody's.
fn count(name: &str, frames: usize, mut forward: impl FnMut() -> usize) {
    let mut send = |frames: usize| {
        let mut arrived = 0;
        while arrived < frames {
            let more = forward();
            assert!(more > 0, "{name}: {arrived} have arrived, and no more do");
            arrived += more;
        }
    };
    send(1000);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    send(frames);
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "{name}");
}

#[test]
fn a_million_forwarded_packets_allocate_nothing() {
    let frame = datagram(NEIGHBOR);
    let frames: Vec<Vec<u8>> = (0..64).map(|host| datagram(Ipv4Addr::new(20, 0, host, 1))).collect();
    let mut router = Router::new();
    router.route(Ipv4Addr::new(20, 0, 0, 0), 16);
    count("one by one", 1_000_000, || usize::from(router.forward(&frame)));
    count("in batches", 1_000_000, || router.forward_batch(&frames));
    router.masquerade(&frame);
    count("filtered, tracked and translated", 200_000, || usize::from(router.forward(&frame)));
}
