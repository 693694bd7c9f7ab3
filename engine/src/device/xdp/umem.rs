//! The memory that frames lie in (UMEM): chunks of equal size, of which each port has a share of its own.

#![allow(unsafe_code, reason = "chunks that the kernel writes and reads")]

use super::failure;
use crate::device::mapping::Mapping;
use crate::device::mode::Failure;
use crate::device::socket;
use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::{Rc, Weak};

/// Bytes of a chunk. Of those that the kernel fills, it keeps the first 256 for itself.
pub(super) const CHUNK: usize = 2048;
/// Chunks of a port for frames that arrive, and as many for frames that leave; also the size of its rings.
pub(super) const SHARE: u32 = 2048;

/// The memory of all ports of a runner.
pub struct Memory {
    mapping: RefCell<Mapping>,
    /// Sockets that use it. A new one joins one of them, by which the kernel knows the memory already.
    users: RefCell<Vec<Weak<OwnedFd>>>,
    /// A bit for each share that is in use.
    shares: Cell<u128>,
    ports: u32,
}

/// One port's part of the memory, until it is dropped: chunks for frames that arrive, then chunks for frames that leave.
pub(super) struct Share {
    memory: Rc<Memory>,
    number: u32,
}

impl Memory {
    /// Memory for so many ports.
    pub fn for_ports(ports: usize) -> Result<Rc<Memory>, Failure> {
        let ports = ports.clamp(1, u128::BITS as usize);
        let length = ports * 2 * SHARE as usize * CHUNK;
        let mapping = Mapping::anonymous(length).map_err(|why| failure("taking memory for AF_XDP", why))?;
        let (users, shares) = (RefCell::new(Vec::new()), Cell::new(0));
        Ok(Rc::new(Memory { mapping: RefCell::new(mapping), users, shares, ports: ports as u32 }))
    }

    /// Gives a port its share, if one is left.
    pub(super) fn share(self: &Rc<Memory>) -> Option<Share> {
        let number = self.shares.get().trailing_ones();
        (number < self.ports).then(|| {
            self.shares.set(self.shares.get() | 1 << number);
            Share { memory: Rc::clone(self), number }
        })
    }

    /// Tells the kernel that a socket uses this memory, of which it has not heard.
    pub(super) fn register(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let mapping = self.mapping.borrow();
        let request = libc::xdp_umem_reg {
            addr: mapping.address(),
            len: mapping.len() as u64,
            chunk_size: CHUNK as u32,
            headroom: 0,
            flags: 0,
            tx_metadata_len: 0,
        };
        socket::set(socket, libc::SOL_XDP, libc::XDP_UMEM_REG, &request)
    }

    /// A socket that the kernel knows as a user of this memory.
    pub(super) fn any_user(&self) -> Option<Rc<OwnedFd>> {
        self.users.borrow().iter().find_map(Weak::upgrade)
    }

    /// One more socket uses it.
    pub(super) fn add_user(&self, socket: &Rc<OwnedFd>) {
        let mut users = self.users.borrow_mut();
        users.retain(|user| user.strong_count() > 0 && user.as_ptr() != Rc::as_ptr(socket));
        users.push(Rc::downgrade(socket));
    }
}

impl Share {
    /// Which memory it is a part of.
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    fn first(&self) -> u64 {
        u64::from(self.number) * 2 * u64::from(SHARE) * CHUNK as u64
    }

    fn chunks(&self, half: u64) -> impl Iterator<Item = u64> + use<> {
        let first = self.first() + half * u64::from(SHARE) * CHUNK as u64;
        (0..u64::from(SHARE)).map(move |number| first + number * CHUNK as u64)
    }

    /// The chunks for frames that arrive.
    pub(super) fn arriving(&self) -> impl Iterator<Item = u64> + use<> {
        self.chunks(0)
    }

    /// The chunks for frames that leave.
    pub(super) fn leaving(&self) -> impl Iterator<Item = u64> + use<> {
        self.chunks(1)
    }

    fn holds(&self, bytes: &Range<u64>) -> bool {
        let share = self.first()..self.first() + 2 * u64::from(SHARE) * CHUNK as u64;
        bytes.start >= share.start && bytes.end <= share.end
    }

    /// What the bytes of a frame are that has arrived and that the kernel told of by this descriptor.
    #[inline]
    pub(super) fn read<R>(&self, descriptor: &libc::xdp_desc, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let length = descriptor.len as usize;
        if !self.holds(&(descriptor.addr..descriptor.addr.checked_add(length as u64)?)) {
            return None;
        }
        let mapping = self.memory.mapping.borrow();
        // SAFETY: the chunk is a port's own, and it was handed over by the receive ring: the kernel does not write there
        // until it is handed back by the fill ring.
        let bytes = unsafe { mapping.bytes(descriptor.addr as usize, length) };
        bytes.map(read)
    }

    /// Writes into a chunk for frames that leave; `length`: bytes of the frame. `None` if it has no room for them.
    #[inline]
    pub(super) fn write<R>(&mut self, chunk: u64, length: usize, write: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        if length > CHUNK || !self.holds(&(chunk..chunk.checked_add(CHUNK as u64)?)) {
            return None;
        }
        let mut mapping = self.memory.mapping.borrow_mut();
        // SAFETY: the chunk is a port's own, and not in the transmit ring: the kernel does not read it now.
        let bytes = unsafe { mapping.bytes_mut(chunk as usize, length) };
        bytes.map(write)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.shares.set(self.memory.shares.get() & !(1 << self.number));
    }
}

/// The descriptor of a socket, as the kernel wants it told.
pub(super) fn number(socket: &OwnedFd) -> u32 {
    socket.as_raw_fd() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_given_once_and_again_when_it_is_free() {
        let memory = Memory::for_ports(2).unwrap();
        let (first, second) = (memory.share().unwrap(), memory.share().unwrap());
        assert!(memory.share().is_none());
        assert!(first.arriving().chain(first.leaving()).all(|chunk| second.arriving().all(|other| other != chunk)));
        drop(first);
        assert_eq!(memory.share().map(|share| share.number), Some(0));
    }

    #[test]
    fn nobody_reaches_beyond_its_share() {
        let memory = Memory::for_ports(2).unwrap();
        let (mut first, mut second) = (memory.share().unwrap(), memory.share().unwrap());
        let own = second.leaving().last().unwrap();
        assert!(second.write(own, 5, |bytes| bytes.copy_from_slice(b"hello")).is_some());
        assert!(first.write(own, 5, |_| ()).is_none() && second.write(own, CHUNK + 1, |_| ()).is_none());
        let descriptor = |addr, len| libc::xdp_desc { addr, len, options: 0 };
        assert_eq!(second.read(&descriptor(own, 5), <[u8]>::to_vec).as_deref(), Some(&b"hello"[..]));
        assert!(first.read(&descriptor(own, 5), <[u8]>::len).is_none());
        assert!(second.read(&descriptor(own, CHUNK as u32 + 1), <[u8]>::len).is_none());
        assert!(second.read(&descriptor(u64::MAX, 5), <[u8]>::len).is_none());
    }
}
