//! Rings of descriptors in shared memory: one side adds and moves the producer's number, the other takes and moves the
//! consumer's. Numbers run on and wrap; a descriptor's place is its number modulo the ring's size.

use crate::device::mapping::{Mapping, Plain};
use std::io;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::{Acquire, Release};

/// Where in a mapping the parts of a ring lie.
struct Shared<T> {
    mapping: Mapping,
    producer: usize,
    consumer: usize,
    descriptors: usize,
    size: u32,
    kind: PhantomData<T>,
}

impl<T: Plain> Shared<T> {
    /// Maps a ring of `size` descriptors, a power of two, which begins at `offset` of what the socket has to map.
    fn map(socket: BorrowedFd<'_>, offset: i64, parts: &libc::xdp_ring_offset, size: u32) -> io::Result<Shared<T>> {
        let descriptors = parts.desc as usize;
        let mapping = Mapping::of(socket, descriptors + size as usize * size_of::<T>(), offset)?;
        let (producer, consumer) = (parts.producer as usize, parts.consumer as usize);
        Ok(Shared { mapping, producer, consumer, descriptors, size, kind: PhantomData })
    }

    #[inline]
    fn load(&self, number: usize) -> u32 {
        self.mapping.number(number).map_or(0, |number| number.load(Acquire))
    }

    #[inline]
    fn store(&self, number: usize, value: u32) {
        if let Some(number) = self.mapping.number(number) {
            number.store(value, Release);
        }
    }

    #[inline]
    fn place(&self, number: u32) -> usize {
        self.descriptors + (number & (self.size - 1)) as usize * size_of::<T>()
    }
}

/// Our end of a ring that we fill: the fill ring, the transmit ring.
pub(super) struct Producer<T> {
    shared: Shared<T>,
    /// The number of the next descriptor that we add.
    next: u32,
    /// The kernel's number, as it was when we last looked.
    taken: u32,
}

impl<T: Plain> Producer<T> {
    /// Maps one; nothing is in it yet.
    pub(super) fn map(fd: BorrowedFd<'_>, offset: i64, parts: &libc::xdp_ring_offset, size: u32) -> io::Result<Self> {
        Ok(Producer { shared: Shared::map(fd, offset, parts, size)?, next: 0, taken: 0 })
    }

    /// Adds one, for the kernel to see after [`Producer::publish`]. False if the ring is full.
    #[inline]
    pub(super) fn push(&mut self, descriptor: T) -> bool {
        if self.next.wrapping_sub(self.taken) >= self.shared.size {
            self.taken = self.shared.load(self.shared.consumer);
            if self.next.wrapping_sub(self.taken) >= self.shared.size {
                return false;
            }
        }
        let place = self.shared.place(self.next);
        self.next = self.next.wrapping_add(1);
        self.shared.mapping.write(place, descriptor)
    }

    /// Shows the kernel what was added.
    #[inline]
    pub(super) fn publish(&self) {
        self.shared.store(self.shared.producer, self.next);
    }

    /// How many of those published the kernel has not said to have taken.
    #[inline]
    pub(super) fn waiting(&mut self) -> u32 {
        self.taken = self.shared.load(self.shared.consumer);
        self.next.wrapping_sub(self.taken)
    }
}

/// Our end of a ring that the kernel fills: the receive ring, the completion ring.
pub(super) struct Consumer<T> {
    shared: Shared<T>,
    /// The number of the next descriptor that we take.
    next: u32,
    /// The kernel's number, as it was when we last looked.
    filled: u32,
}

impl<T: Plain> Consumer<T> {
    /// Maps one; nothing is in it yet.
    pub(super) fn map(fd: BorrowedFd<'_>, offset: i64, parts: &libc::xdp_ring_offset, size: u32) -> io::Result<Self> {
        Ok(Consumer { shared: Shared::map(fd, offset, parts, size)?, next: 0, filled: 0 })
    }

    /// Takes the oldest one, if there is one. The kernel gets the places back by [`Consumer::release`].
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        if self.next == self.filled {
            self.filled = self.shared.load(self.shared.producer);
            if self.next == self.filled {
                return None;
            }
        }
        let descriptor = self.shared.mapping.read(self.shared.place(self.next));
        self.next = self.next.wrapping_add(1);
        descriptor
    }

    /// Gives back the places of what was taken.
    #[inline]
    pub(super) fn release(&self) {
        self.shared.store(self.shared.consumer, self.next);
    }

    /// How many are there to be taken.
    pub(super) fn waiting(&self) -> u32 {
        self.shared.load(self.shared.producer).wrapping_sub(self.next)
    }
}
