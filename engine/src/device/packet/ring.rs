//! Frames in by a ring that the kernel fills and we read (`TPACKET_V2`), frames out by `sendmmsg`.
//!
//! Each slot holds a head, a [header](vnet) and the frame. A frame too long for its slot (a super-frame, mostly) waits
//! whole in the socket's queue beside the ring (`PACKET_COPY_THRESH`), and its slot says so: nothing is cut, and all frames
//! keep their order. Frames leave by another socket, which receives nothing.

#![allow(unsafe_code, reason = "slots of a ring that the kernel writes")]

use super::{LONGEST, Offered, arrival, send, tag, take_arrival, vnet};
use crate::addr::Mac;
use crate::device::mapping::Mapping;
use crate::device::{BATCH, Device, DeviceCounters, socket};
use crate::frame::{FrameBuf, FramePool};
use socket2::Socket;
use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::Ordering::{Acquire, Release};

/// Bytes of a ring for ordinary frames.
const RING: usize = 8 << 20;
/// The kernel takes memory for it in pieces of so many bytes.
const BLOCK: usize = 1 << 17;
/// Slots of a ring for super-frames.
const WHOLE: usize = 256;
/// Bytes of a slot before the frame, and to spare: the head, an address, a header, a tag.
const BEFORE_FRAME: usize = 128;
/// Bytes of the smallest slot: an ordinary frame.
const SLOT: usize = 2048;

/// A packet socket with a ring, and one to send by.
pub struct RingSocket {
    receiver: Socket,
    sender: Socket,
    ring: Mapping,
    slot: usize,
    /// Where the next frame's slot begins.
    at: usize,
    counters: DeviceCounters,
    offered: Offered,
    /// Where a frame goes that is longer than a slot.
    arrival: Vec<u8>,
}

impl RingSocket {
    /// Opens a ring on the interface of this index, with slots for packets of its MTU; `mac`: the address that frames for us
    /// bear, when it is not the interface's own.
    pub fn open(index: u32, mtu: u32, mac: Mac) -> io::Result<RingSocket> {
        let slot = (mtu as usize).saturating_add(BEFORE_FRAME).clamp(SLOT, BLOCK).next_power_of_two();
        RingSocket::with(index, mac, slot, RING / slot, BLOCK)
    }

    /// The same with slots for super-frames of 64 KiB, and fewer of them.
    pub fn open_whole(index: u32, mac: Mac) -> io::Result<RingSocket> {
        const PAGE: usize = 4096;
        let slot = (LONGEST + BEFORE_FRAME).next_multiple_of(PAGE);
        RingSocket::with(index, mac, slot, WHOLE, slot)
    }

    /// `block`: bytes, a multiple of a slot's, so that slots follow each other without a gap.
    fn with(index: u32, mac: Mac, slot: usize, slots: usize, block: usize) -> io::Result<RingSocket> {
        let receiver = socket::open()?;
        let set = |option, value: i32| socket::set(receiver.as_fd(), libc::SOL_PACKET, option, &value);
        set(libc::PACKET_VERSION, libc::tpacket_versions::TPACKET_V2 as i32)?;
        set(libc::PACKET_VNET_HDR, 1)?;
        set(libc::PACKET_IGNORE_OUTGOING, 1)?;
        set(libc::PACKET_COPY_THRESH, LONGEST as i32)?;
        let request = libc::tpacket_req {
            tp_block_size: block as u32,
            tp_block_nr: (slots * slot / block) as u32,
            tp_frame_size: slot as u32,
            tp_frame_nr: slots as u32,
        };
        socket::set(receiver.as_fd(), libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        let ring = Mapping::of(receiver.as_fd(), slots * slot, 0)?;
        let sender = socket::open()?;
        for option in [libc::PACKET_VNET_HDR, libc::PACKET_QDISC_BYPASS] {
            socket::set(sender.as_fd(), libc::SOL_PACKET, option, &1i32)?;
        }
        socket::bind(&sender, index, 0)?;
        socket::bind(&receiver, index, libc::ETH_P_ALL as u16)?;
        socket::listen_for(receiver.as_fd(), index, mac);
        let (counters, offered) = (DeviceCounters::default(), Offered::default());
        Ok(RingSocket { receiver, sender, ring, slot, at: 0, counters, offered, arrival: arrival() })
    }

    /// True if the slot is ours to read: the kernel has filled it.
    fn filled(&self) -> bool {
        let status = self.ring.number(self.at + offset_of!(libc::tpacket2_hdr, tp_status));
        status.is_some_and(|status| status.load(Acquire) & libc::TP_STATUS_USER != 0)
    }

    /// The frame of the slot, if it is whole.
    fn take(&mut self, pool: &mut FramePool) -> Option<FrameBuf> {
        let head: libc::tpacket2_hdr = self.ring.read(self.at)?;
        let length = head.tp_snaplen as usize;
        let mut frame = if head.tp_status & libc::TP_STATUS_COPY != 0 {
            receive_whole(&self.receiver, &mut self.arrival)?;
            take_arrival(pool, &mut self.arrival)?
        } else if head.tp_len as usize == length {
            let start = (self.at + usize::from(head.tp_mac)).checked_sub(vnet::HEADER)?;
            // SAFETY: the slot is ours until we say otherwise: the kernel does not write there.
            let bytes = unsafe { self.ring.bytes(start, vnet::HEADER + length) }?;
            let (header, bytes) = bytes.split_first_chunk()?;
            let mut frame = pool.copy(bytes);
            *frame.offload_mut() = vnet::decode(header);
            frame
        } else {
            return None;
        };
        if let Some((tpid, tci)) = tag(head.tp_status, head.tp_vlan_tpid, head.tp_vlan_tci) {
            vnet::retag(&mut frame, tpid, tci);
        }
        Some(frame)
    }

    /// Gives the slot back and goes to the next.
    fn pass(&mut self) {
        if let Some(status) = self.ring.number(self.at + offset_of!(libc::tpacket2_hdr, tp_status)) {
            status.store(libc::TP_STATUS_KERNEL, Release);
        }
        self.at += self.slot;
        if self.at >= self.ring.len() {
            self.at = 0;
        }
    }
}

impl Device for RingSocket {
    fn receive(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) {
        for _ in 0..BATCH {
            if !self.filled() {
                break;
            }
            match self.take(pool) {
                Some(frame) => {
                    self.counters.received += 1;
                    self.counters.received_bytes += frame.len() as u64;
                    frames.push(frame);
                }
                None => self.counters.unreadable += 1,
            }
            self.pass();
        }
    }

    fn transmit(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) {
        send::transmit(&self.sender, pool, frames, &mut self.counters);
    }

    fn wait(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }

    fn recover(&mut self) {
        let _ = self.receiver.take_error();
    }

    fn counters(&mut self) -> &DeviceCounters {
        self.offered.note(socket::statistics(self.receiver.as_fd()), &mut self.counters);
        &self.counters
    }
}

/// Receives the oldest frame of the socket's queue, with its header, behind the arrival's last byte. `None`: there is none,
/// or it is longer than all that we know.
fn receive_whole(socket: &Socket, arrival: &mut Vec<u8>) -> Option<()> {
    let room = arrival.spare_capacity_mut();
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: the kernel writes at most as many bytes as there is room for, which outlives the call.
    let length = unsafe { libc::recv(socket.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), flags) };
    let length = usize::try_from(length).ok().filter(|length| *length <= room.len())?;
    // SAFETY: the kernel has written so many bytes behind the arrival's last, inside its capacity.
    unsafe { arrival.set_len(arrival.len() + length) };
    Some(())
}
