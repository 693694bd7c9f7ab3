//! Programs of a few instructions for the kernel, put together by hand, and what ties them to an interface: a link, which
//! ends with this process.

#![allow(unsafe_code, reason = "bpf(2) has no safe wrapper")]

use super::failure;
use crate::device::mode::Failure;
use std::ffi::c_long;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const MAP_CREATE: c_long = 0;
const MAP_UPDATE_ELEM: c_long = 2;
const PROG_LOAD: c_long = 5;
const LINK_CREATE: c_long = 28;
/// `BPF_MAP_TYPE_XSKMAP`
const XSKMAP: u32 = 17;
/// `BPF_PROG_TYPE_SCHED_CLS`, `BPF_PROG_TYPE_XDP`
const SCHED_CLS: u32 = 3;
const XDP: u32 = 6;
/// `BPF_XDP`, `BPF_TCX_INGRESS`: what a link attaches to.
const ATTACH_XDP: u32 = 37;
const ATTACH_TCX_INGRESS: u32 = 46;
/// `XDP_FLAGS_SKB_MODE`: generic.
const SKB_MODE: u32 = 2;

/// One instruction (`struct bpf_insn`): operation, registers, offset, immediate.
const fn instruction(operation: u8, to: u8, from: u8, offset: i16, immediate: i32) -> u64 {
    operation as u64 | ((from << 4 | to) as u64) << 8 | (offset as u16 as u64) << 16 | (immediate as u32 as u64) << 32
}

/// `r0`: what a program answers.
const ANSWER: u8 = 0;
const EXIT: u64 = instruction(0x95, 0, 0, 0, 0);

/// `to = immediate`
const fn set(to: u8, immediate: i32) -> u64 {
    instruction(0xb7, to, 0, 0, immediate)
}

/// `return bpf_redirect_map(map, context->rx_queue_index, XDP_PASS)`: into the socket that the map has for the queue, or
/// else to the kernel.
fn redirect(map: BorrowedFd<'_>) -> [u64; 6] {
    const RX_QUEUE_INDEX: i16 = 16;
    const PSEUDO_MAP_FD: u8 = 1;
    const REDIRECT_MAP: i32 = 51;
    const PASS: i32 = 2;
    [
        instruction(0x61, 2, 1, RX_QUEUE_INDEX, 0),
        instruction(0x18, 1, PSEUDO_MAP_FD, 0, map.as_raw_fd()),
        0,
        set(3, PASS),
        instruction(0x85, 0, 0, 0, REDIRECT_MAP),
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
        let map = bpf(MAP_CREATE, &MapCreate { kind: XSKMAP, key_size: 4, value_size: 4, max_entries: 1, flags: 0 })
            .map_err(|why| failure("making a map of sockets for XDP", why))?;
        let (key, value) = (0u32, socket.as_raw_fd() as u32);
        let update = MapUpdate {
            map: map.as_raw_fd() as u32,
            unused: 0,
            key: &raw const key as u64,
            value: &raw const value as u64,
            flags: 0,
        };
        call(MAP_UPDATE_ELEM, &update).map_err(|why| failure("putting a socket into a map for XDP", why))?;
        let program = load(XDP, &redirect(map.as_fd())).map_err(|why| failure("loading an XDP program", why))?;
        let link = link(&program, index, ATTACH_XDP, SKB_MODE).map_err(|why| {
            let taken = matches!(why.raw_os_error(), Some(libc::EBUSY | libc::EEXIST));
            let failure = failure("attaching an XDP program", why);
            let fix = if taken { Some("another one is there: ip link set IFNAME xdpgeneric off") } else { failure.fix };
            Failure { fix, ..failure }
        })?;
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
        let program =
            load(SCHED_CLS, &[set(ANSWER, SHOT), EXIT]).map_err(|why| failure("loading a program that drops", why))?;
        let link = link(&program, index, ATTACH_TCX_INGRESS, 0)
            .map_err(|why| failure("attaching a program that drops", why))?;
        Ok(DropSink { _link: link })
    }
}

#[repr(C)]
struct MapCreate {
    kind: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
}

#[repr(C)]
struct MapUpdate {
    map: u32,
    unused: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgramLoad {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    /// Log, kernel version, flags, name, interface: none.
    unused: [u32; 11],
}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
    /// Its place among others: the last.
    unused: [u64; 2],
}

fn load(kind: u32, program: &[u64]) -> io::Result<OwnedFd> {
    let (instructions, license) = (program.as_ptr() as u64, c"MIT".as_ptr() as u64);
    let request = ProgramLoad { kind, count: program.len() as u32, instructions, license, unused: [0; 11] };
    bpf(PROG_LOAD, &request)
}

fn link(program: &OwnedFd, interface: u32, attach_type: u32, flags: u32) -> io::Result<OwnedFd> {
    let program = program.as_raw_fd() as u32;
    bpf(LINK_CREATE, &LinkCreate { program, interface, attach_type, flags, unused: [0; 2] })
}

/// A call that answers with a descriptor.
fn bpf<T>(command: c_long, request: &T) -> io::Result<OwnedFd> {
    let fd = call(command, request)?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn call<T>(command: c_long, request: &T) -> io::Result<c_long> {
    // SAFETY: the kernel reads as many bytes as the request has; what its addresses point to outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw const *request, size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
