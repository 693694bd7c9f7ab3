//! How the readers of a table learn that all of it has moved.

use super::small::Small;
use super::{Family, Large, Lookup, NextHopId};
use crate::addr::Address;
use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is read.
#[derive(Clone, Debug)]
pub(super) enum View<A: Family> {
    /// A copy, made for readers.
    Small(Small<A>),
    /// The owner writes into it.
    Large(<A::Large as Large<A>>::Table),
}

/// What the owner of a table and its readers hold in common.
#[derive(Debug)]
pub(super) struct Shared<A: Family> {
    current: Mutex<Arc<View<A>>>,
    generation: AtomicU64,
}

impl<A: Family> Shared<A> {
    pub(super) fn new(view: View<A>) -> Arc<Shared<A>> {
        Arc::new(Shared { current: Mutex::new(Arc::new(view)), generation: AtomicU64::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, Arc<View<A>>> {
        // Whoever panicked had no more than a pointer in hand.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on readers are to look there.
    pub(super) fn publish(&self, view: View<A>) {
        *self.lock() = Arc::new(view);
        self.generation.fetch_add(1, Release);
    }

    /// One more reader.
    pub(super) fn reader(self: &Arc<Shared<A>>) -> Reader<A> {
        let generation = self.generation.load(Acquire);
        let view = self.lock().clone();
        Reader { shared: self.clone(), view, generation }
    }
}

/// Reads a table that another thread may change meanwhile.
#[derive(Clone, Debug)]
pub struct Reader<A: Family> {
    shared: Arc<Shared<A>>,
    view: Arc<View<A>>,
    generation: u64,
}

impl<A: Address> Reader<A> {
    /// The table as it is now.
    #[inline]
    fn view(&mut self) -> &View<A> {
        let generation = self.shared.generation.load(Acquire);
        if generation != self.generation {
            self.generation = generation;
            self.view = self.shared.lock().clone();
        }
        &self.view
    }

    /// As [`Fib::lookup`](super::Fib::lookup).
    #[inline]
    pub fn lookup(&mut self, address: A) -> NextHopId {
        match self.view() {
            View::Small(small) => small.lookup(address.number()),
            View::Large(table) => table.lookup(address.number()),
        }
    }

    /// As [`Fib::lookup_batch`](super::Fib::lookup_batch).
    pub fn lookup_batch(&mut self, numbers: &[A::Number], next_hops: &mut [NextHopId]) {
        match self.view() {
            View::Small(small) => small.lookup_batch(numbers, next_hops),
            View::Large(table) => table.lookup_batch(numbers, next_hops),
        }
    }
}
