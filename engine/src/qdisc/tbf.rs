//! `tbf`: a packet leaves when there are as many tokens as it has bytes (`sch_tbf.c`).

use super::fifo::Fifo;
use super::{Enqueued, QdiscCounters, TICK, TbfSpec, Waiting, span};
use crate::frame::FrameBuf;
use crate::reason::DropReason;
use crate::time::{Duration, Time};

/// The buckets. Tokens are nanoseconds.
#[derive(Debug)]
pub(super) struct Tbf<W> {
    spec: TbfSpec,
    queue: Fifo<W>,
    tokens: i64,
    peak_tokens: i64,
    checked: Time,
    /// When there will be enough for the next packet.
    due: Option<Time>,
}

impl<W> Tbf<W> {
    pub(super) fn new(now: Time, spec: TbfSpec) -> Tbf<W> {
        let queue = Fifo::new(spec.limit, true);
        let mut tbf = Tbf { spec, queue, tokens: 0, peak_tokens: 0, checked: now, due: None };
        tbf.fill();
        tbf
    }

    fn fill(&mut self) {
        (self.tokens, self.peak_tokens) = (nanoseconds(self.spec.buffer), nanoseconds(self.spec.mtu));
    }

    pub(super) fn change(&mut self, spec: TbfSpec) {
        self.spec = spec;
        self.queue.limit(spec.limit);
        self.fill();
    }

    /// The longest packet that will ever pass.
    fn longest(&self) -> usize {
        let peak = if self.spec.peak_rate > 0 { self.spec.peak_burst } else { u32::MAX };
        self.spec.burst.min(peak) as usize
    }

    pub(super) fn enqueue(&mut self, waiting: Waiting<W>, done: &mut Enqueued) {
        if waiting.frame.len() > self.longest() {
            done.refused = true;
            done.dropped.push((waiting.frame, DropReason::QdiscFull));
            return;
        }
        self.queue.enqueue(waiting, done);
    }

    /// What a packet costs at a rate (`psched_l2t_ns`).
    fn cost(&self, length: usize, rate: u64) -> i64 {
        let counted = (length as u64 + u64::from(self.spec.overhead)).max(self.spec.mpu.into());
        i64::try_from(span(counted, rate)).unwrap_or(i64::MAX)
    }

    pub(super) fn dequeue(&mut self, now: Time, counters: &mut QdiscCounters) -> Option<Waiting<W>> {
        self.due = None;
        let length = self.queue.peek()?.len();
        let (buffer, mtu) = (nanoseconds(self.spec.buffer), nanoseconds(self.spec.mtu));
        let passed = i64::try_from(now.since(self.checked).as_nanos()).unwrap_or(i64::MAX).min(buffer);
        let mut peak = 0;
        if self.spec.peak_rate > 0 {
            peak = (passed + self.peak_tokens).min(mtu).saturating_sub(self.cost(length, self.spec.peak_rate));
        }
        let tokens = (passed + self.tokens).min(buffer).saturating_sub(self.cost(length, self.spec.rate));
        if tokens < 0 || peak < 0 {
            let missing = (-tokens).max(-peak).max(1);
            self.due = Some(now + Duration::from_nanos(missing as u64));
            counters.overlimits += 1;
            return None;
        }
        (self.checked, self.tokens, self.peak_tokens) = (now, tokens, peak);
        let waiting = self.queue.dequeue();
        // The next may have to wait: nobody else would ask when.
        if self.queue.peek().is_some() {
            self.due = Some(now);
        }
        waiting
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.due
    }

    pub(super) fn waiting(&self) -> (usize, usize) {
        self.queue.waiting()
    }

    pub(super) fn purge(&mut self) -> Vec<FrameBuf> {
        self.due = None;
        self.fill();
        self.queue.purge()
    }
}

fn nanoseconds(ticks: u32) -> i64 {
    (u64::from(ticks) * TICK) as i64
}
