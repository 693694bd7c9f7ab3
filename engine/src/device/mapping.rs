//! Memory that the kernel shares with us: the rings of packet sockets and of AF_XDP.

#![allow(unsafe_code, reason = "mmap, and reading and writing what it gave")]

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicU32;

/// A mapping, until it is dropped.
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

/// Values of which every pattern of bits is a valid one.
///
/// # Safety
/// It must be so, and they must hold no padding and no pointers.
pub(super) unsafe trait Plain: Copy {}
// SAFETY: plain numbers, one behind the other.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for libc::xdp_desc {}
// SAFETY: as above; what is called padding is a field of its own.
unsafe impl Plain for libc::tpacket2_hdr {}

impl Mapping {
    /// A part of what a socket has to map.
    pub(super) fn of(fd: BorrowedFd<'_>, length: usize, offset: i64) -> io::Result<Mapping> {
        Mapping::map(length, libc::MAP_SHARED, fd.as_raw_fd(), offset)
    }

    /// Fresh memory, all zeroes, that begins with a page.
    pub(super) fn anonymous(length: usize) -> io::Result<Mapping> {
        Mapping::map(length, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    }

    fn map(length: usize, flags: c_int, fd: c_int, offset: i64) -> io::Result<Mapping> {
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel chooses a place where nothing is mapped yet.
        let start = unsafe { libc::mmap(null_mut(), length, rights, flags | libc::MAP_POPULATE, fd, offset) };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => Ok(Mapping { start, length }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Where it begins, as the kernel wants to be told.
    pub(super) fn address(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    /// Where a value of this size lies; `None` if it does not lie inside, or not as such a value must.
    #[inline]
    fn place<T>(&self, at: usize) -> Option<*mut T> {
        let inside = at.checked_add(size_of::<T>()).is_some_and(|end| end <= self.length);
        // SAFETY: it lies inside the mapping.
        (inside && at.is_multiple_of(align_of::<T>())).then(|| unsafe { self.start.as_ptr().add(at).cast() })
    }

    /// A number that both sides read and write.
    #[inline]
    pub(super) fn number(&self, at: usize) -> Option<&AtomicU32> {
        // SAFETY: it lies inside the mapping, which lives as long as the borrow, is aligned, and is only used as an atomic.
        self.place::<u32>(at).map(|place| unsafe { AtomicU32::from_ptr(place) })
    }

    /// A value that the other side has written and said so by an atomic number.
    #[inline]
    pub(super) fn read<T: Plain>(&self, at: usize) -> Option<T> {
        // SAFETY: inside, aligned, and of a type for which all bits are valid, even if the kernel wrote at this moment.
        self.place::<T>(at).map(|place| unsafe { place.read_volatile() })
    }

    /// Writes a value that the other side reads when an atomic number says so. False if there is no such place.
    #[inline]
    pub(super) fn write<T: Plain>(&mut self, at: usize, value: T) -> bool {
        let place = self.place::<T>(at);
        // SAFETY: inside and aligned; nobody else here has a borrow of it.
        place.inspect(|place| unsafe { place.write_volatile(value) }).is_some()
    }

    /// Bytes of it.
    ///
    /// # Safety
    /// The other side must not write there while the borrow lives.
    #[inline]
    pub(super) unsafe fn bytes(&self, at: usize, length: usize) -> Option<&[u8]> {
        let inside = at.checked_add(length).is_some_and(|end| end <= self.length);
        // SAFETY: inside, initialised by the kernel, and not written to, says the caller.
        inside.then(|| unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(at), length) })
    }

    /// Bytes of it, to be written.
    ///
    /// # Safety
    /// The other side must neither read nor write there while the borrow lives.
    #[inline]
    pub(super) unsafe fn bytes_mut(&mut self, at: usize, length: usize) -> Option<&mut [u8]> {
        let inside = at.checked_add(length).is_some_and(|end| end <= self.length);
        // SAFETY: inside, initialised by the kernel, and ours alone, says the caller.
        inside.then(|| unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(at), length) })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and all borrows of it have ended.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn nothing_is_read_or_written_outside() {
        let mut mapping = Mapping::anonymous(4096).unwrap();
        assert!(mapping.write(4088, 7u64) && mapping.read::<u64>(4088) == Some(7));
        assert!(!mapping.write(4089, 7u64) && !mapping.write(4096, 7u64) && mapping.read::<u64>(usize::MAX).is_none());
        assert!(mapping.read::<u64>(4).is_none(), "not aligned");
        assert_eq!(mapping.number(4088).map(|number| number.load(Relaxed)), Some(7));
        assert!(mapping.number(4094).is_none());
        // SAFETY: there is no other side.
        let bytes = |at, length| unsafe { mapping.bytes(at, length) }.map(<[u8]>::len);
        assert_eq!((bytes(4000, 96), bytes(4000, 97), bytes(1, usize::MAX)), (Some(96), None, None));
    }
}
