//! Programs of a few instructions for the kernel, put together by hand, and the interfaces that they are tied to.

use super::bpf::{self, Kind, TCX_INGRESS, XDP};
use super::failure;
use crate::device::mode::Failure;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// One instruction (`struct bpf_insn`): operation, registers, offset, immediate.
pub(super) const fn instruction(operation: u8, to: u8, from: u8, offset: i16, immediate: i32) -> u64 {
    operation as u64 | ((from << 4 | to) as u64) << 8 | (offset as u16 as u64) << 16 | (immediate as u32 as u64) << 32
}

/// `r0`: what a program answers.
pub(super) const ANSWER: u8 = 0;
pub(super) const EXIT: u64 = instruction(0x95, 0, 0, 0, 0);
/// `XDP_PASS`: the kernel's stack takes it.
pub(super) const PASS: i32 = 2;

/// `to = immediate`
pub(super) const fn set(to: u8, immediate: i32) -> u64 {
    instruction(0xb7, to, 0, 0, immediate)
}

/// A call of one of the kernel's functions, whose arguments are in `r1` to `r5`.
pub(super) const fn call(function: i32) -> u64 {
    instruction(0x85, 0, 0, 0, function)
}

/// Loads a program and ties it to an interface.
pub(super) fn attach(kind: Kind, program: &[u64], index: u32) -> Result<OwnedFd, Failure> {
    // As this crate, and by the GPL besides: the kernel lends some functions to no others.
    let program = bpf::load(kind, c"Dual MIT/GPL", program).map_err(|why| failure("loading a BPF program", why))?;
    bpf::link(kind, &program, index).map_err(|why| {
        let taken = matches!(why.raw_os_error(), Some(libc::EBUSY | libc::EEXIST));
        let failure = failure("attaching a BPF program", why);
        let fix = if taken { Some("another one is there: ip link set IFNAME xdpgeneric off") } else { failure.fix };
        Failure { fix, ..failure }
    })
}

/// `return bpf_redirect_map(map, context->rx_queue_index, XDP_PASS)`: into the socket that the map has for the queue, or
/// else to the kernel.
fn redirect(map: BorrowedFd<'_>) -> [u64; 6] {
    const RX_QUEUE_INDEX: i16 = 16;
    const PSEUDO_MAP_FD: u8 = 1;
    const REDIRECT_MAP: i32 = 51;
    [
        instruction(0x61, 2, 1, RX_QUEUE_INDEX, 0),
        instruction(0x18, 1, PSEUDO_MAP_FD, 0, map.as_raw_fd()),
        0,
        set(3, PASS),
        call(REDIRECT_MAP),
        EXIT,
    ]
}

/// Leads all frames that an interface receives into one socket, until it is dropped.
pub(super) struct Redirect {
    _link: OwnedFd,
}

impl Redirect {
    /// Begins to do so.
    pub(super) fn attach(index: u32, socket: BorrowedFd<'_>) -> Result<Redirect, Failure> {
        let map = bpf::socket_map(socket).map_err(|why| failure("making a map of sockets for XDP", why))?;
        let link = attach(XDP, &redirect(map.as_fd()), index)?;
        Ok(Redirect { _link: link })
    }
}

/// Drops all frames that an interface receives, before the kernel's stack sees them and after they are counted, until it is
/// dropped: a cheap end for what a bench sends (`tc`'s ingress hook; native XDP would be slower there).
pub struct DropSink {
    _link: OwnedFd,
}

impl DropSink {
    /// Begins to do so, on the interface of this index.
    pub fn attach(index: u32) -> Result<DropSink, Failure> {
        /// `TC_ACT_SHOT`
        const SHOT: i32 = 2;
        let link = attach(TCX_INGRESS, &[set(ANSWER, SHOT), EXIT], index)?;
        Ok(DropSink { _link: link })
    }
}
