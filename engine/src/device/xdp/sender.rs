//! A socket that only sends prepared frames, as fast as the kernel takes them: a generator for benches.

use super::endpoint::Endpoint;
use super::failure;
use super::umem::{Memory, SHARE};
use crate::device::mode::Failure;
use std::io;

/// A generator on one interface. It needs no program, and one thread; every frame it sends runs through the far end's kernel
/// in that thread. [`DropSink`](super::DropSink) is a cheap end for them.
pub struct Sender {
    endpoint: Endpoint,
    /// Where the prepared frames lie, and their lengths.
    frames: Vec<(u64, u32)>,
    /// Which one is next.
    next: usize,
    /// Frames that the kernel took.
    taken: u64,
}

/// Attempts at sending that lead nowhere, before it is given up.
const PATIENCE: u32 = 10_000;

impl Sender {
    /// Opens one on the interface of this index, in the network namespace of this thread, with the frames that it shall
    /// send: at most 2048, each of at most 2048 bytes; more are left out.
    pub fn open(index: u32, frames: &[&[u8]]) -> Result<Sender, Failure> {
        let memory = Memory::for_ports(1)?;
        let mut endpoint = Endpoint::open(index, &memory).map_err(|why| failure("opening an AF_XDP socket", why))?;
        let mut prepared = Vec::new();
        for (chunk, frame) in endpoint.share.leaving().zip(frames) {
            if endpoint.share.write(chunk, frame.len(), |bytes| bytes.copy_from_slice(frame)).is_some() {
                prepared.push((chunk, frame.len() as u32));
            }
        }
        Ok(Sender { endpoint, frames: prepared, next: 0, taken: 0 })
    }

    /// Changes a prepared frame between two calls of [`Sender::send`]: to number it, say. `None`: there is none of this
    /// number.
    pub fn change<R>(&mut self, number: usize, change: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        let (chunk, length) = *self.frames.get(number)?;
        self.endpoint.share.write(chunk, length as usize, change)
    }

    /// Sends so many frames, those prepared in turn, and comes back when the kernel has taken them; how many it took. A
    /// frame that is dropped behind the interface was taken.
    pub fn send(&mut self, count: usize) -> io::Result<usize> {
        let mut done = 0;
        while done < count && !self.frames.is_empty() {
            let wanted = (count - done).min(SHARE as usize);
            let queued = (0..wanted).take_while(|_| self.enqueue()).count();
            self.flush()?;
            done += queued;
            self.taken += queued as u64;
        }
        Ok(done)
    }

    /// Frames that the kernel took since it was opened.
    pub fn sent(&self) -> u64 {
        self.taken
    }

    fn enqueue(&mut self) -> bool {
        let Some((addr, len)) = self.frames.get(self.next).copied() else { return false };
        let pushed = self.endpoint.leaving.push(libc::xdp_desc { addr, len, options: 0 });
        self.next = (self.next + usize::from(pushed)) % self.frames.len();
        pushed
    }

    /// Has the kernel take all that is in the ring.
    fn flush(&mut self) -> io::Result<()> {
        self.endpoint.leaving.publish();
        let mut fruitless = 0;
        while let before @ 1.. = self.endpoint.leaving.waiting() {
            self.endpoint.kick()?;
            let took = before.saturating_sub(self.endpoint.leaving.waiting());
            while self.endpoint.sent.pop().is_some() {}
            self.endpoint.sent.release();
            fruitless = if took > 0 { 0 } else { fruitless + 1 };
            if fruitless > PATIENCE {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        Ok(())
    }
}
