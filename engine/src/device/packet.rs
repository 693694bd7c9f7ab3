//! The plain device: one AF_PACKET socket, `recvmmsg` and `sendmmsg`, with `PACKET_VNET_HDR` both ways.
//!
//! What makes it right on a veth end, where the other end's kernel leaves work to the receiver: frames with unfinished
//! checksums and super-frames of up to 64 KiB arrive with a header that says so and leave with the same header, so
//! nothing has to be finished or cut in between. VLAN tags, which the kernel takes out, are put back. Frames that this
//! host sends itself are not seen (`PACKET_IGNORE_OUTGOING`; the socket's own never are).

#![allow(unsafe_code, reason = "recvmmsg, sendmmsg and the options of packet sockets have no safe wrapper that fits")]

use super::vnet;
use super::{Device, DeviceCounters};
use crate::addr::Mac;
use crate::frame::{FrameBuf, FramePool};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Socket, Type};
use std::io;
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Frames a system call takes at most.
const BATCH: usize = 32;
/// Room for the longest frame: 64 KiB of IP, its Ethernet header, and a VLAN tag or two.
const LONGEST: usize = 65_536 + 64;
/// What the socket may hold, if we are allowed to say so: 64 bursts of super-frames.
const BUFFER: usize = 16 << 20;
/// `CMSG_SPACE(sizeof(struct tpacket_auxdata))`, as aligned words.
const CONTROL_WORDS: usize = 5;

/// One AF_PACKET socket, bound to one interface.
pub struct PacketSocket {
    socket: Socket,
    counters: DeviceCounters,
    /// Frames that the kernel had for the socket.
    offered: u64,
    arrivals: Box<[u8]>,
}

impl PacketSocket {
    /// Opens a socket on the interface of this index; `mac`: the address that frames for us bear, when it is not the
    /// interface's own (a filtering card is asked to let it pass).
    pub fn open(index: u32, mac: Mac) -> io::Result<PacketSocket> {
        // Protocol 0: nothing arrives before all options are set and the socket is bound.
        let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
        socket.set_nonblocking(true)?;
        for option in [libc::PACKET_VNET_HDR, libc::PACKET_AUXDATA, libc::PACKET_IGNORE_OUTGOING] {
            set_option(&socket, option, &1i32)?;
        }
        // More than rmem_max needs rights that a user namespace does not give: then as much as there is.
        if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
            socket.set_recv_buffer_size(BUFFER)?;
        }
        if setsockopt(&socket, sockopt::SndBufForce, &BUFFER).is_err() {
            socket.set_send_buffer_size(BUFFER)?;
        }
        bind(&socket, index)?;
        // Interfaces that filter nothing need it not, and some refuse: no matter.
        let _ = set_option(&socket, libc::PACKET_ADD_MEMBERSHIP, &unicast(index, mac));
        let arrivals = vec![0; BATCH * LONGEST].into_boxed_slice();
        Ok(PacketSocket { socket, counters: DeviceCounters::default(), offered: 0, arrivals })
    }

    /// Notes what the kernel had and what it dropped since it was last asked.
    fn note_drops(&mut self) {
        // SAFETY: plain old data, for which all zeroes is a valid value.
        let mut stats: libc::tpacket_stats = unsafe { zeroed() };
        let mut length = size_of_val(&stats) as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes into `stats`, which outlives the call.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut stats).cast(),
                &mut length,
            )
        };
        if result == 0 {
            self.offered += u64::from(stats.tp_packets);
            self.counters.kernel_drops += u64::from(stats.tp_drops);
        }
        let DeviceCounters { received, unreadable, kernel_drops, .. } = self.counters;
        self.counters.waiting = self.offered.saturating_sub(received + unreadable + kernel_drops);
    }

    /// Takes one arrived message: a frame, if it is whole.
    fn accept(&mut self, pool: &mut FramePool, at: usize, arrived: &Arrived) -> Option<FrameBuf> {
        let length = arrived.length.checked_sub(vnet::HEADER).filter(|length| *length <= LONGEST);
        let Some(bytes) = length.and_then(|length| self.arrivals.get(at * LONGEST..at * LONGEST + length)) else {
            self.counters.unreadable += 1;
            return None;
        };
        let mut frame = pool.copy(bytes);
        frame.offload = vnet::decode(&arrived.header);
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
        let mut done = 0;
        while done < frames.len() {
            let rest = &frames[done..];
            match send_batch(&self.socket, &rest[..rest.len().min(BATCH)]) {
                Ok(count) => {
                    let sent = &rest[..count.min(rest.len())];
                    self.counters.sent += sent.len() as u64;
                    self.counters.sent_bytes += sent.iter().map(|frame| frame.len() as u64).sum::<u64>();
                    done += sent.len();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or(0);
                    *self.counters.refused.entry(errno).or_default() += 1;
                    done += 1;
                }
            }
        }
        frames.drain(..).for_each(|frame| pool.give(frame));
    }

    fn wait(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn counters(&mut self) -> &DeviceCounters {
        self.note_drops();
        &self.counters
    }
}

/// What came with one frame.
#[derive(Clone, Copy)]
struct Arrived {
    /// Bytes with the header, as the wire had them, not as they fit.
    length: usize,
    header: [u8; vnet::HEADER],
    /// TPID and TCI of a VLAN tag.
    tag: Option<(u16, u16)>,
}

impl Arrived {
    const NONE: Arrived = Arrived { length: 0, header: [0; vnet::HEADER], tag: None };
}

fn set_option<T>(socket: &Socket, option: libc::c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `value`, which is that long and outlives the call.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, (&raw const *value).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn bind(socket: &Socket, index: u32) -> io::Result<()> {
    // SAFETY: plain old data, for which all zeroes is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index as i32;
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `address`, which is that long and outlives the call.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// One more address that the interface shall let pass while the socket is open.
fn unicast(index: u32, mac: Mac) -> libc::packet_mreq {
    let mut address = [0; 8];
    address[..6].copy_from_slice(&mac.0);
    libc::packet_mreq {
        mr_ifindex: index as i32,
        mr_type: libc::PACKET_MR_UNICAST as u16,
        mr_alen: 6,
        mr_address: address,
    }
}

/// Receives up to a batch of frames, the n-th into the n-th part of `arrivals`.
fn receive_batch(socket: &Socket, arrivals: &mut [u8], arrived: &mut [Arrived; BATCH]) -> io::Result<usize> {
    let mut headers = [[0u8; vnet::HEADER]; BATCH];
    let mut controls = [[0u64; CONTROL_WORDS]; BATCH];
    // SAFETY: iovec and mmsghdr are plain old data, for which all zeroes is a valid value.
    let (mut parts, mut messages): ([[libc::iovec; 2]; BATCH], [libc::mmsghdr; BATCH]) = unsafe { zeroed() };
    let slots = arrivals.chunks_exact_mut(LONGEST);
    for ((((slot, header), control), part), message) in
        slots.zip(&mut headers).zip(&mut controls).zip(&mut parts).zip(&mut messages)
    {
        part[0] = libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: header.len() };
        part[1] = libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() };
        message.msg_hdr.msg_iov = part.as_mut_ptr();
        message.msg_hdr.msg_iovlen = part.len();
        message.msg_hdr.msg_control = control.as_mut_ptr().cast();
        message.msg_hdr.msg_controllen = size_of_val(control);
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: each message points to a header, a slot of `arrivals` and a control buffer of the lengths given; none
    // overlaps another, and all outlive the call.
    let count =
        unsafe { libc::recvmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), BATCH as u32, flags, std::ptr::null_mut()) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    for (((arrived, message), header), control) in
        arrived.iter_mut().zip(&messages).zip(&headers).zip(&controls).take(count)
    {
        let used = message.msg_hdr.msg_controllen;
        *arrived = Arrived { length: message.msg_len as usize, header: *header, tag: vlan_tag(control, used) };
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
    const VALID: u32 = libc::TP_STATUS_VLAN_VALID;
    const TPID_VALID: u32 = libc::TP_STATUS_VLAN_TPID_VALID;
    let tpid = if data.tp_status & TPID_VALID != 0 { data.tp_vlan_tpid } else { libc::ETH_P_8021Q as u16 };
    (data.tp_status & VALID != 0).then_some((tpid, data.tp_vlan_tci))
}

/// Sends up to a batch of frames; how many went. An error is the first one's.
fn send_batch(socket: &Socket, frames: &[FrameBuf]) -> io::Result<usize> {
    let mut headers = [[0u8; vnet::HEADER]; BATCH];
    // SAFETY: iovec and mmsghdr are plain old data, for which all zeroes is a valid value.
    let (mut parts, mut messages): ([[libc::iovec; 2]; BATCH], [libc::mmsghdr; BATCH]) = unsafe { zeroed() };
    for (((frame, header), part), message) in frames.iter().zip(&mut headers).zip(&mut parts).zip(&mut messages) {
        *header = vnet::encode(&frame.offload);
        part[0] = libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: header.len() };
        part[1] = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        message.msg_hdr.msg_iov = part.as_mut_ptr();
        message.msg_hdr.msg_iovlen = part.len();
    }
    let count = frames.len().min(BATCH) as u32;
    // SAFETY: each of the first `count` messages points to a header and a frame of the lengths given, which the kernel only
    // reads, and which outlive the call.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count, libc::MSG_DONTWAIT) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}
