//! What all packet sockets need: options, an interface, the kernel's statistics.

#![allow(unsafe_code, reason = "the options of packet sockets have no safe wrapper")]

use crate::addr::Mac;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Socket, Type};
use std::ffi::c_int;
use std::io;
use std::mem::{size_of_val, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd};

/// What a socket may hold, if we are allowed to say so: 64 bursts of super-frames.
const BUFFER: usize = 16 << 20;

/// A packet socket of no protocol: nothing arrives before it is bound to one.
pub(super) fn open() -> io::Result<Socket> {
    let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
    socket.set_nonblocking(true)?;
    // More than rmem_max needs rights that a user namespace may not give: then as much as there is.
    if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
        socket.set_recv_buffer_size(BUFFER)?;
    }
    if setsockopt(&socket, sockopt::SndBufForce, &BUFFER).is_err() {
        socket.set_send_buffer_size(BUFFER)?;
    }
    Ok(socket)
}

/// Sets an option of a socket that is more than a number, or at a level that nobody wraps.
pub(super) fn set<T>(socket: BorrowedFd<'_>, level: c_int, option: c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `value`, which is that long and outlives the call.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const *value).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Asks for an option.
///
/// # Safety
/// `T` must be plain numbers, for which all zeroes, and whatever the kernel writes, is valid.
pub(super) unsafe fn get<T>(socket: BorrowedFd<'_>, level: c_int, option: c_int) -> io::Result<T> {
    // SAFETY: all zeroes is valid, says the caller.
    let mut value: T = unsafe { zeroed() };
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `value`, which outlives the call.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, (&raw mut value).cast(), &raw mut length) };
    if result == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

/// Binds a packet socket to an interface; `protocol`: what arrives, 0 for nothing.
pub(super) fn bind(socket: &Socket, index: u32, protocol: u16) -> io::Result<()> {
    // SAFETY: plain old data, for which all zeroes is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = index as i32;
    bind_to(socket.as_raw_fd(), &address)
}

/// Binds a socket to an address of its family.
pub(super) fn bind_to<T>(socket: c_int, address: &T) -> io::Result<()> {
    let length = size_of_val(address) as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `address`, which is that long and outlives the call.
    let result = unsafe { libc::bind(socket, (&raw const *address).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Asks the interface to let one more address pass while the socket is open. Those that filter nothing need it not, and
/// some refuse: no matter.
pub(super) fn listen_for(socket: BorrowedFd<'_>, index: u32, mac: Mac) {
    let mut address = [0; 8];
    address[..6].copy_from_slice(&mac.0);
    let request = libc::packet_mreq {
        mr_ifindex: index as i32,
        mr_type: libc::PACKET_MR_UNICAST as u16,
        mr_alen: 6,
        mr_address: address,
    };
    let _ = set(socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request);
}

/// Frames that the kernel had for a packet socket, and those of them that it dropped, since this was last asked.
pub(super) fn statistics(socket: BorrowedFd<'_>) -> (u64, u64) {
    // SAFETY: two numbers.
    let asked = unsafe { get::<libc::tpacket_stats>(socket, libc::SOL_PACKET, libc::PACKET_STATISTICS) };
    asked.map_or((0, 0), |stats| (stats.tp_packets.into(), stats.tp_drops.into()))
}
