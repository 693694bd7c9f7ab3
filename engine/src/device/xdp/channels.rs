//! How many receive queues an interface has (`ethtool -l`): an AF_XDP socket serves one.

#![allow(unsafe_code, reason = "SIOCETHTOOL has no safe wrapper")]

use crate::device::socket;
use std::io;
use std::mem::zeroed;
use std::os::fd::AsRawFd;

/// `ETHTOOL_GCHANNELS`
const GET_CHANNELS: u32 = 0x3c;
/// `SIOCETHTOOL`
const ETHTOOL: libc::Ioctl = 0x8946;

/// `struct ethtool_channels`: numbers of queues, at most and now, for receiving, sending, other things, and both.
#[repr(C)]
#[derive(Default)]
struct Channels {
    command: u32,
    most: [u32; 4],
    receive: u32,
    send: u32,
    other: u32,
    both: u32,
}

/// The receive queues in use.
pub(super) fn receive_queues(index: u32) -> io::Result<u32> {
    let name = nix::net::if_::if_indextoname(index)?;
    let mut channels = Channels { command: GET_CHANNELS, ..Channels::default() };
    // SAFETY: plain old data, for which all zeroes is a valid value.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(name.to_bytes()) {
        *place = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_data = (&raw mut channels).cast();
    let socket = socket::open()?;
    // SAFETY: the kernel reads the request and writes the structure that it points to; both outlive the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), ETHTOOL, &raw mut request) };
    if result == 0 { Ok(channels.receive + channels.both) } else { Err(io::Error::last_os_error()) }
}
