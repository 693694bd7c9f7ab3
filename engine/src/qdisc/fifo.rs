//! `pfifo`, `bfifo` and `pfifo_fast`: bounded queues.

use super::{Enqueued, Waiting};
use crate::frame::FrameBuf;
use crate::reason::DropReason;
use std::collections::VecDeque;

/// A queue of so many packets, or bytes.
#[derive(Debug)]
pub(super) struct Fifo<W> {
    queue: VecDeque<Waiting<W>>,
    bytes: usize,
    limit: usize,
    counts_bytes: bool,
}

impl<W> Fifo<W> {
    pub(super) fn new(limit: u32, counts_bytes: bool) -> Fifo<W> {
        Fifo { queue: VecDeque::new(), bytes: 0, limit: limit as usize, counts_bytes }
    }

    pub(super) fn limit(&mut self, limit: u32) {
        self.limit = limit as usize;
    }

    pub(super) fn enqueue(&mut self, waiting: Waiting<W>, done: &mut Enqueued) {
        let length = waiting.frame.len();
        let fits = if self.counts_bytes { self.bytes + length <= self.limit } else { self.queue.len() < self.limit };
        if fits {
            self.bytes += length;
            self.queue.push_back(waiting);
        } else {
            done.refused = true;
            done.dropped.push((waiting.frame, DropReason::QdiscFull));
        }
    }

    /// The frame that leaves next.
    pub(super) fn peek(&self) -> Option<&FrameBuf> {
        self.queue.front().map(|waiting| &waiting.frame)
    }

    pub(super) fn dequeue(&mut self) -> Option<Waiting<W>> {
        let waiting = self.queue.pop_front()?;
        self.bytes -= waiting.frame.len();
        Some(waiting)
    }

    /// Packets and bytes that wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.queue.len(), self.bytes)
    }

    pub(super) fn purge(&mut self) -> Vec<FrameBuf> {
        self.bytes = 0;
        self.queue.drain(..).map(|waiting| waiting.frame).collect()
    }
}
