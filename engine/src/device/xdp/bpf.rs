//! `bpf(2)`: maps, programs, and links that tie a program to an interface, and end with this process.

#![allow(unsafe_code, reason = "bpf(2) has no safe wrapper")]

use std::ffi::{CStr, c_long};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const MAP_CREATE: c_long = 0;
const MAP_UPDATE_ELEM: c_long = 2;
const PROG_LOAD: c_long = 5;
const LINK_CREATE: c_long = 28;
/// `BPF_MAP_TYPE_XSKMAP`
const XSKMAP: u32 = 17;

/// What a program is for (`bpf_prog_type`), and where a link attaches it (`bpf_attach_type`).
#[derive(Clone, Copy)]
pub(super) struct Kind {
    program: u32,
    attach: u32,
    flags: u32,
}

/// XDP in generic mode (`XDP_FLAGS_SKB_MODE`).
pub(super) const XDP: Kind = Kind { program: 6, attach: 37, flags: 2 };
/// `tc`'s ingress hook (`BPF_TCX_INGRESS`).
pub(super) const TCX_INGRESS: Kind = Kind { program: 3, attach: 46, flags: 0 };

/// A map of sockets, with this one for queue 0.
pub(super) fn socket_map(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let map = bpf(MAP_CREATE, &MapCreate { kind: XSKMAP, key_size: 4, value_size: 4, max_entries: 1, flags: 0 })?;
    let (key, value) = (0u32, socket.as_raw_fd() as u32);
    let update = MapUpdate {
        map: map.as_raw_fd() as u32,
        unused: 0,
        key: &raw const key as u64,
        value: &raw const value as u64,
        flags: 0,
    };
    call(MAP_UPDATE_ELEM, &update)?;
    Ok(map)
}

/// Has the kernel check a program, and keep it. Some functions are only for programs that may be had by the GPL.
pub(super) fn load(kind: Kind, license: &CStr, program: &[u64]) -> io::Result<OwnedFd> {
    let (instructions, license) = (program.as_ptr() as u64, license.as_ptr() as u64);
    let count = program.len() as u32;
    bpf(PROG_LOAD, &ProgramLoad { kind: kind.program, count, instructions, license, unused: [0; 11] })
}

/// Ties it to the interface of this index, until the link is closed.
pub(super) fn link(kind: Kind, program: &OwnedFd, interface: u32) -> io::Result<OwnedFd> {
    let (program, attach_type, flags) = (program.as_raw_fd() as u32, kind.attach, kind.flags);
    bpf(LINK_CREATE, &LinkCreate { program, interface, attach_type, flags, unused: [0; 2] })
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
