//! The AF_XDP device: one socket and the program that fills it.

use super::channels::receive_queues;
use super::endpoint::{Endpoint, Kick};
use super::failure;
use super::program::Redirect;
use super::umem::{CHUNK, Memory};
use super::unfinished::unfinished;
use crate::device::mode::Failure;
use crate::device::{BATCH, Device, DeviceCounters};
use crate::frame::{FrameBuf, FramePool};
use crate::ip::offload::finish_checksum;
use std::io;
use std::os::fd::BorrowedFd;
use std::rc::Rc;

const DOING: &str = "opening an AF_XDP socket";

/// One AF_XDP socket, bound to one interface.
pub struct XdpSocket {
    endpoint: Endpoint,
    /// Chunks for frames that leave, which are not on their way.
    free: Vec<u64>,
    counters: DeviceCounters,
    /// Frames that no chunk could hold, and those of them that were complained of.
    too_long: u64,
    complained: bool,
    /// Taken off the interface first.
    _redirect: Redirect,
}

impl XdpSocket {
    /// Opens one on the interface of this index, in generic mode.
    pub fn open(index: u32, memory: &Rc<Memory>) -> Result<XdpSocket, Failure> {
        match receive_queues(index) {
            // What an interface does not tell of, it does not have.
            Ok(0 | 1) | Err(_) => {}
            Ok(many) => {
                let why = io::Error::other(format!("it has {many} receive queues, and io xdp serves one"));
                return Err(Failure { doing: DOING, why, fix: Some("ethtool -L IFNAME rx 1 tx 1") });
            }
        }
        let mut endpoint = Endpoint::open(index, memory).map_err(|why| failure(DOING, why))?;
        for chunk in endpoint.share.arriving() {
            endpoint.fill.push(chunk);
        }
        endpoint.fill.publish();
        let free = endpoint.share.leaving().collect();
        let redirect = Redirect::attach(index, endpoint.fd())?;
        let counters = DeviceCounters::default();
        Ok(XdpSocket { endpoint, free, counters, too_long: 0, complained: false, _redirect: redirect })
    }

    /// Notes what the kernel dropped.
    fn note_drops(&mut self) {
        let stats = self.endpoint.statistics();
        // A frame for which there was no chunk counts as dropped, too.
        self.too_long = stats.rx_dropped.saturating_sub(stats.rx_fill_ring_empty_descs);
        self.counters.unreadable = self.too_long;
        self.counters.kernel_drops = stats.rx_ring_full + stats.rx_fill_ring_empty_descs;
        self.counters.waiting = self.endpoint.arrived.waiting().into();
    }

    /// Writes a frame into a chunk and its descriptor into the ring.
    fn enqueue(&mut self, frame: &mut FrameBuf) -> io::Result<()> {
        finish_checksum(frame, 0);
        let Some(chunk) = self.free.pop() else { return Err(io::Error::from_raw_os_error(libc::EAGAIN)) };
        let written = self.endpoint.share.write(chunk, frame.len(), |bytes| bytes.copy_from_slice(frame));
        let descriptor = libc::xdp_desc { addr: chunk, len: frame.len() as u32, options: 0 };
        if written.is_none() || !self.endpoint.leaving.push(descriptor) {
            self.free.push(chunk);
            let errno = if written.is_none() { libc::EMSGSIZE } else { libc::EAGAIN };
            return Err(io::Error::from_raw_os_error(errno));
        }
        self.counters.sent += 1;
        self.counters.sent_bytes += frame.len() as u64;
        Ok(())
    }

    /// Has the kernel send what is in the ring. What it does not take now (the interface has just gone down) stays there, as
    /// in a card's queue.
    fn flush(&mut self) {
        self.endpoint.leaving.publish();
        while let before @ 1.. = self.endpoint.leaving.waiting() {
            let Ok(kick) = self.endpoint.kick() else { return };
            let progress = self.reap() || self.endpoint.leaving.waiting() < before;
            match kick {
                Kick::Dropped => {
                    self.counters.sent = self.counters.sent.saturating_sub(1);
                    self.counters.refuse(&io::Error::from_raw_os_error(libc::EBUSY));
                }
                Kick::Went if progress => {}
                Kick::Went => return,
            }
        }
    }

    /// Takes back the chunks of what was sent; false if there are none.
    fn reap(&mut self) -> bool {
        let before = self.free.len();
        while let Some(chunk) = self.endpoint.sent.pop() {
            self.free.push(chunk);
        }
        self.endpoint.sent.release();
        self.free.len() > before
    }
}

impl Device for XdpSocket {
    fn receive(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) {
        let before = frames.len();
        let mut taken = false;
        for _ in 0..BATCH {
            let Some(descriptor) = self.endpoint.arrived.pop() else { break };
            taken = true;
            if let Some(frame) = self.endpoint.share.read(&descriptor, |bytes| {
                let mut frame = pool.copy(bytes);
                frame.offload_mut().partial_checksum = unfinished(bytes);
                frame
            }) {
                self.counters.received_bytes += frame.len() as u64;
                frames.push(frame);
            }
            self.endpoint.fill.push(descriptor.addr & !(CHUNK as u64 - 1));
        }
        if taken {
            self.counters.received += (frames.len() - before) as u64;
            self.endpoint.arrived.release();
            self.endpoint.fill.publish();
        }
    }

    fn transmit(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) {
        for mut frame in frames.drain(..) {
            if self.free.is_empty() {
                self.flush();
            }
            if let Err(error) = self.enqueue(&mut frame) {
                self.counters.refuse(&error);
            }
            pool.give(frame);
        }
        self.flush();
    }

    fn wait(&self) -> BorrowedFd<'_> {
        self.endpoint.fd()
    }

    fn counters(&mut self) -> &DeviceCounters {
        self.note_drops();
        &self.counters
    }

    fn complaint(&mut self) -> Option<String> {
        if self.complained {
            return None;
        }
        self.note_drops();
        self.complained = self.too_long > 0;
        self.complained.then(|| {
            "frames come that are too long for io xdp, and are lost: super-frames, or a larger MTU; at the far end: \
             ethtool -K IFNAME tso off gso off; or choose another --io"
                .to_owned()
        })
    }
}
