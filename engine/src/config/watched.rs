//! A part of the configuration that knows how often it may have been changed.

use core::ops::{Deref, DerefMut};

/// Something, and how often somebody had it in hand to change it. What was found out by reading it holds as long as that
/// number stays the same.
#[derive(Clone, Debug, Default)]
pub struct Watched<T> {
    of: T,
    changes: u64,
}

impl<T> Watched<T> {
    /// Not changed yet.
    pub const fn new(of: T) -> Watched<T> {
        Watched { of, changes: 0 }
    }

    /// How often it may have been changed.
    #[inline]
    pub const fn changes(&self) -> u64 {
        self.changes
    }
}

impl<T> Deref for Watched<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.of
    }
}

impl<T> DerefMut for Watched<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changes += 1;
        &mut self.of
    }
}
