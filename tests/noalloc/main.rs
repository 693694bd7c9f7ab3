//! Forwarding allocates nothing: an allocator that counts, and a million packets through a router.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait; this one only counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
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

#[test]
fn a_million_forwarded_packets_allocate_nothing() {
    let frame = datagram(NEIGHBOR);
    let mut router = Router::new();
    let warm = (0..1000).filter(|_| router.forward(&frame)).count();
    assert_eq!(warm, 1000, "{:?}", router.counters());

    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let forwarded = (0..1_000_000).filter(|_| router.forward(&frame)).count();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;

    assert_eq!(forwarded, 1_000_000);
    assert_eq!(allocations, 0);
}
