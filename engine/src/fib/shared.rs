//! How the readers of a table learn that all of it has moved.

use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the owner of a table and its readers hold in common. `T` is what is read.
#[derive(Debug)]
pub(super) struct Shared<T> {
    current: Mutex<Arc<T>>,
    generation: AtomicU64,
}

impl<T> Shared<T> {
    pub(super) fn new(table: Arc<T>) -> Arc<Shared<T>> {
        Arc::new(Shared { current: Mutex::new(table), generation: AtomicU64::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, Arc<T>> {
        // Whoever panicked had no more than a pointer in hand.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on readers are to look there.
    pub(super) fn publish(&self, table: Arc<T>) {
        *self.lock() = table;
        self.generation.fetch_add(1, Release);
    }

    /// One more reader.
    pub(super) fn reader(self: &Arc<Shared<T>>) -> Reader<T> {
        let generation = self.generation.load(Acquire);
        let table = self.lock().clone();
        Reader { shared: self.clone(), table, generation }
    }
}

/// Reads a table that another thread may change meanwhile.
#[derive(Clone, Debug)]
pub struct Reader<T> {
    shared: Arc<Shared<T>>,
    table: Arc<T>,
    generation: u64,
}

impl<T> Reader<T> {
    /// The table as it is now.
    #[inline]
    pub(super) fn table(&mut self) -> &T {
        let generation = self.shared.generation.load(Acquire);
        if generation != self.generation {
            self.generation = generation;
            self.table = self.shared.lock().clone();
        }
        &self.table
    }
}
