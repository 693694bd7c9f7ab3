//! A socket with its four rings, bound to an interface's first queue.

#![allow(unsafe_code, reason = "making the socket, asking for the places of its rings, and the system call that sends")]

use super::ring::{Consumer, Producer};
use super::umem::{Memory, SHARE, Share, number};
use crate::device::socket;
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

/// `XDP_MAX_TX_SKB_BUDGET`: frames that one system call sends at most; 32 if it is not set.
const MAX_TX_SKB_BUDGET: i32 = 9;
/// A socket that was closed lets go of its queue a little later.
const PATIENCE: (u32, Duration) = (30, Duration::from_millis(30));

/// What goes in and out.
pub(super) struct Endpoint {
    socket: Rc<OwnedFd>,
    /// Chunks for the kernel to fill.
    pub(super) fill: Producer<u64>,
    /// Frames that arrived.
    pub(super) arrived: Consumer<libc::xdp_desc>,
    /// Frames to send.
    pub(super) leaving: Producer<libc::xdp_desc>,
    /// Chunks of frames that were sent.
    pub(super) sent: Consumer<u64>,
    pub(super) share: Share,
}

/// What one attempt to send came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kick {
    /// The kernel took all that it wants to take at once.
    Went,
    /// The same, and the last frame that it took was dropped on the way.
    Dropped,
}

impl Endpoint {
    /// Opens one on the interface of this index, with a share of the memory.
    pub(super) fn open(index: u32, memory: &Rc<Memory>) -> io::Result<Endpoint> {
        let mut attempts = 0;
        loop {
            match Endpoint::attempt(index, memory) {
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) && attempts < PATIENCE.0 => attempts += 1,
                other => return other,
            }
            pause(PATIENCE.1);
        }
    }

    fn attempt(index: u32, memory: &Rc<Memory>) -> io::Result<Endpoint> {
        let share = memory.share().ok_or(io::ErrorKind::OutOfMemory)?;
        let socket = Rc::new(open_socket()?);
        let fd = socket.as_fd();
        let user = memory.any_user();
        if user.is_none() {
            memory.register(fd)?;
        }
        for ring in [libc::XDP_UMEM_FILL_RING, libc::XDP_UMEM_COMPLETION_RING, libc::XDP_RX_RING, libc::XDP_TX_RING] {
            socket::set(fd, libc::SOL_XDP, ring, &SHARE)?;
        }
        // Kernels that do not know it send fewer at once.
        let _ = socket::set(fd, libc::SOL_XDP, MAX_TX_SKB_BUDGET, &SHARE);
        // SAFETY: numbers only.
        let parts = unsafe { socket::get::<libc::xdp_mmap_offsets>(fd, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS) }?;
        let fill = Producer::map(fd, libc::XDP_UMEM_PGOFF_FILL_RING as i64, &parts.fr, SHARE)?;
        let sent = Consumer::map(fd, libc::XDP_UMEM_PGOFF_COMPLETION_RING as i64, &parts.cr, SHARE)?;
        let arrived = Consumer::map(fd, libc::XDP_PGOFF_RX_RING, &parts.rx, SHARE)?;
        let leaving = Producer::map(fd, libc::XDP_PGOFF_TX_RING, &parts.tx, SHARE)?;
        let (flags, with) = match &user {
            Some(user) => (libc::XDP_SHARED_UMEM, number(user)),
            None => (libc::XDP_COPY, 0),
        };
        let address = libc::sockaddr_xdp {
            sxdp_family: libc::AF_XDP as u16,
            sxdp_flags: flags,
            sxdp_ifindex: index,
            sxdp_queue_id: 0,
            sxdp_shared_umem_fd: with,
        };
        socket::bind_to(socket.as_raw_fd(), &address)?;
        share.memory().add_user(&socket);
        Ok(Endpoint { socket, fill, arrived, leaving, sent, share })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Has the kernel send what was published. It does so at once, in this thread. An error is the first frame's that it did
    /// not take.
    pub(super) fn kick(&self) -> io::Result<Kick> {
        let (none, flags) = (std::ptr::null(), libc::MSG_DONTWAIT);
        // SAFETY: no bytes and no address are passed.
        let result = unsafe { libc::sendto(self.socket.as_raw_fd(), none, 0, flags, none.cast(), 0) };
        if result >= 0 {
            return Ok(Kick::Went);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            // It was the last of the frames that are sent at once, or there is no place to say that it was sent.
            Some(libc::EAGAIN | libc::EINTR) => Ok(Kick::Went),
            Some(libc::EBUSY) => Ok(Kick::Dropped),
            _ => Err(error),
        }
    }

    /// What the kernel counted.
    pub(super) fn statistics(&self) -> libc::xdp_statistics {
        // SAFETY: numbers only.
        let asked = unsafe { socket::get(self.fd(), libc::SOL_XDP, libc::XDP_STATISTICS) };
        // SAFETY: as above, all zeroes is valid.
        asked.unwrap_or_else(|_| unsafe { zeroed() })
    }
}

fn open_socket() -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let socket = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

/// Waits for the kernel to let go of a queue.
#[allow(clippy::disallowed_methods, reason = "a device lives in real time")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
