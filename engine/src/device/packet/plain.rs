//! The plain device: one packet socket, `recvmmsg` and `sendmmsg`. What the others are compared with.

#![allow(unsafe_code, reason = "recvmmsg has no safe wrapper that fits")]

use super::{BEFORE, Offered, arrival, send, tag, take_arrival, vnet};
use crate::addr::Mac;
use crate::device::{BATCH, Device, DeviceCounters, socket};
use crate::frame::{FrameBuf, FramePool, LARGE};
use socket2::Socket;
use std::io;
use std::mem::{MaybeUninit, size_of_val, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// `CMSG_SPACE(sizeof(struct tpacket_auxdata))`, as aligned words.
const CONTROL_WORDS: usize = 5;

/// One packet socket, bound to one interface.
pub struct PacketSocket {
    socket: Socket,
    counters: DeviceCounters,
    offered: Offered,
    arrivals: Vec<Vec<u8>>,
}

impl PacketSocket {
    /// Opens a socket on the interface of this index; `mac`: the address that frames for us bear, when it is not the
    /// interface's own (a filtering card is asked to let it pass).
    pub fn open(index: u32, mac: Mac) -> io::Result<PacketSocket> {
        let socket = socket::open()?;
        for option in [libc::PACKET_VNET_HDR, libc::PACKET_AUXDATA, libc::PACKET_IGNORE_OUTGOING] {
            socket::set(socket.as_fd(), libc::SOL_PACKET, option, &1i32)?;
        }
        socket::bind(&socket, index, libc::ETH_P_ALL as u16)?;
        socket::listen_for(socket.as_fd(), index, mac);
        let arrivals = (0..BATCH).map(|_| arrival()).collect();
        Ok(PacketSocket { socket, counters: DeviceCounters::default(), offered: Offered::default(), arrivals })
    }

    /// Takes one arrived message: a frame, if it is whole.
    fn accept(&mut self, pool: &mut FramePool, at: usize, arrived: &Arrived) -> Option<FrameBuf> {
        let arrival = self.arrivals.get_mut(at)?;
        let whole = arrived.length <= LARGE - BEFORE;
        let Some(mut frame) = take_arrival(pool, arrival) else {
            self.counters.unreadable += 1;
            return None;
        };
        if !whole {
            self.counters.unreadable += 1;
            pool.give(frame);
            return None;
        }
        if let Some((tpid, tci)) = arrived.tag {
            vnet::retag(&mut frame, tpid, tci);
        }
        self.counters.received += 1;
        self.counters.received_bytes += frame.len() as u64;
        Some(frame)
    }
}

impl Device for PacketSocket {
    fn receive(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) {
        let mut arrived = [Arrived::NONE; BATCH];
        match receive_batch(&self.socket, &mut self.arrivals, &mut arrived) {
            Ok(count) => {
                for (at, arrived) in arrived.iter().enumerate().take(count) {
                    frames.extend(self.accept(pool, at, arrived));
                }
            }
            // A segmentation that the header has no word for (SCTP, lists of fragments): the kernel has thrown it away.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => self.counters.unreadable += 1,
            // Nothing waits, or the interface went down: links::Watch tells of that.
            Err(_) => {}
        }
    }

    fn transmit(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) {
        send::transmit(&self.socket, pool, frames, &mut self.counters);
    }

    fn wait(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn recover(&mut self) {
        let _ = self.socket.take_error();
    }

    fn counters(&mut self) -> &DeviceCounters {
        self.offered.note(socket::statistics(self.socket.as_fd()), &mut self.counters);
        &self.counters
    }
}

/// What came with one frame.
#[derive(Clone, Copy)]
struct Arrived {
    /// Bytes with the header, as the wire had them, not as they fit.
    length: usize,
    /// TPID and TCI of a VLAN tag.
    tag: Option<(u16, u16)>,
}

impl Arrived {
    const NONE: Arrived = Arrived { length: 0, tag: None };
}

/// Receives up to a batch of frames, each into an arrival.
fn receive_batch(socket: &Socket, arrivals: &mut [Vec<u8>], arrived: &mut [Arrived; BATCH]) -> io::Result<usize> {
    let mut controls = [const { MaybeUninit::<[u64; CONTROL_WORDS]>::uninit() }; BATCH];
    let mut parts = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH];
    let mut messages = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH];
    let slots = arrivals.len().min(BATCH);
    for (((arrival, control), part), message) in
        arrivals.iter_mut().zip(&mut controls).zip(&mut parts).zip(&mut messages)
    {
        let room = arrival.spare_capacity_mut();
        let part = part.write(libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() });
        let control = control.write([0; CONTROL_WORDS]);
        // SAFETY: plain old data, for which all zeroes is a valid value.
        let message = message.write(unsafe { zeroed() });
        message.msg_hdr.msg_iov = part;
        message.msg_hdr.msg_iovlen = 1;
        message.msg_hdr.msg_control = control.as_mut_ptr().cast();
        message.msg_hdr.msg_controllen = size_of_val(control);
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    let messages_at = messages.as_mut_ptr().cast();
    // SAFETY: the first `slots` messages are written, and each points to the room of an arrival and to a control buffer of
    // the lengths given; none overlaps another, and all outlive the call.
    let count = unsafe { libc::recvmmsg(socket.as_raw_fd(), messages_at, slots as u32, flags, std::ptr::null_mut()) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    for (((arrival, arrived), message), control) in
        arrivals.iter_mut().zip(arrived).zip(&messages).zip(&controls).take(count.min(slots))
    {
        // SAFETY: these messages and control buffers were written above.
        let (message, control) = unsafe { (message.assume_init_ref(), control.assume_init_ref()) };
        let length = message.msg_len as usize;
        let filled = length.min(arrival.capacity() - arrival.len());
        // SAFETY: the kernel has written so many bytes behind the arrival's last, inside its capacity.
        unsafe { arrival.set_len(arrival.len() + filled) };
        *arrived = Arrived { length, tag: vlan_tag(control, message.msg_hdr.msg_controllen) };
    }
    Ok(count)
}

/// The VLAN tag that `PACKET_AUXDATA` tells of, in control data of which `used` bytes are filled.
fn vlan_tag(control: &[u64; CONTROL_WORDS], used: usize) -> Option<(u16, u16)> {
    const HEAD: usize = size_of::<libc::cmsghdr>();
    if used < HEAD + size_of::<libc::tpacket_auxdata>() {
        return None;
    }
    let base = control.as_ptr().cast::<u8>();
    // SAFETY: the buffer holds a cmsghdr and, aligned to 8 bytes behind it, a tpacket_auxdata: `used` says that both are
    // inside. All their bit patterns are valid.
    let (head, data) = unsafe {
        (base.cast::<libc::cmsghdr>().read_unaligned(), base.add(HEAD).cast::<libc::tpacket_auxdata>().read_unaligned())
    };
    if head.cmsg_level != libc::SOL_PACKET || head.cmsg_type != libc::PACKET_AUXDATA {
        return None;
    }
    tag(data.tp_status, data.tp_vlan_tpid, data.tp_vlan_tci)
}
