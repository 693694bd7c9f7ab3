//! The Linux sockets and system calls that carry frames and watch processes: the only place with `unsafe`.
//!
//! Each block of it says why it is sound; what leaves this module is safe to call. A [`Device`] is one real interface, as
//! a [`Runner`](crate::runner::Runner) sees it; there is one kind for each [`Mode`]: those of [`packet`] are right with
//! every offload, [`xdp`] wants some of them off. [`links`] tells what becomes of the interfaces.

pub mod links;
mod mapping;
pub mod mode;
pub mod packet;
pub mod pages;
pub mod process;
pub mod seccomp;
mod socket;
pub mod xdp;

pub use mode::{Failure, Mode, Opener};

use crate::frame::{FrameBuf, FramePool};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;

/// Frames that a device takes or sends at once.
pub const BATCH: usize = 64;

/// A real interface: frames in, frames out. What goes wrong on the way is counted, never fatal: an interface may go down,
/// come back, or be deleted at any moment.
pub trait Device {
    /// Takes what waits, up to a batch, and adds it to `frames`. Does not block.
    fn receive(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>);

    /// Sends all frames, in order, and gives their buffers back. Does not block: what cannot leave now is refused.
    fn transmit(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>);

    /// What to wait on: readable while frames wait.
    fn wait(&self) -> BorrowedFd<'_>;

    /// Takes note of an error that [`Device::wait`] shows, so that it is shown no more: the interface went down, of which
    /// [`links`] tells.
    fn recover(&mut self) {}

    /// What passed so far.
    fn counters(&mut self) -> &DeviceCounters;

    /// What people should know, and were not told yet: that frames come which this kind of device cannot carry, and what
    /// to do about it.
    fn complaint(&mut self) -> Option<String> {
        None
    }
}

/// What a device counted. Each frame handed to it was sent or refused, each frame the interface had for us was received,
/// is unreadable, was dropped by the kernel because we were slow, or waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceCounters {
    /// Frames received.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Frames that the kernel dropped because the socket's buffer was full.
    pub kernel_drops: u64,
    /// Frames that came longer than any buffer, or in a form that the socket cannot describe.
    pub unreadable: u64,
    /// Frames that wait to be received.
    pub waiting: u64,
    /// Frames sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Frames that the kernel refused to send, by error number.
    pub refused: BTreeMap<i32, u64>,
}

impl DeviceCounters {
    /// All refused frames.
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Counts a frame that could not be sent.
    fn refuse(&mut self, error: &io::Error) {
        *self.refused.entry(error.raw_os_error().unwrap_or(0)).or_default() += 1;
    }

    /// Adds what another device of the same port counted: the one before the interface was made anew.
    pub fn add(&mut self, other: &DeviceCounters) {
        self.received += other.received;
        self.received_bytes += other.received_bytes;
        self.kernel_drops += other.kernel_drops;
        self.unreadable += other.unreadable;
        self.waiting += other.waiting;
        self.sent += other.sent;
        self.sent_bytes += other.sent_bytes;
        for (errno, count) in &other.refused {
            *self.refused.entry(*errno).or_default() += count;
        }
    }
}

/// Why the kernel refused to send a frame, in words.
pub fn refusal(errno: i32) -> &'static str {
    match errno {
        libc::ENETDOWN => "the interface is down, or has no cable",
        libc::ENXIO | libc::ENODEV => "the interface is gone",
        libc::ENOBUFS => "the far end takes no frame of this size, or its queue is full",
        libc::EMSGSIZE => "larger than the interface's MTU",
        libc::EAGAIN => "the send buffer is full",
        libc::EINVAL => "malformed",
        libc::EBUSY => "the far end is down, or takes no frame of this size",
        _ => nix::errno::Errno::from_raw(errno).desc(),
    }
}
