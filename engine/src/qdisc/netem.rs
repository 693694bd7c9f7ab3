//! `netem`: an unreliable way, simulated (`sch_netem.c`).

use super::{Chance, Enqueued, LossModel, NetemSpec, QdiscCounters, TICK, Waiting, span};
use crate::frame::{FrameBuf, FramePool};
use crate::ip::offload::finish_checksum;
use crate::reason::DropReason;
use crate::rng::Rng;
use crate::time::{Duration, Time};
use std::collections::{BTreeMap, VecDeque};

/// What a sample of a distribution is divided by (`NETEM_DIST_SCALE`).
const SCALE: i64 = 8192;

/// A chance that depends on the one before (`struct crndstate`).
#[derive(Clone, Copy, Debug, Default)]
struct Correlated {
    last: u32,
    correlation: Chance,
}

impl Correlated {
    fn draw(&mut self, rng: &mut Rng) -> u32 {
        let value = draw(rng);
        if self.correlation == 0 {
            return value;
        }
        let (value, last, rho) = (u64::from(value), u64::from(self.last), u64::from(self.correlation) + 1);
        let answer = (value * ((1 << 32) - rho) + last * rho) >> 32;
        self.last = answer as u32;
        self.last
    }
}

fn draw(rng: &mut Rng) -> u32 {
    (rng.next() >> 32) as u32
}

/// Where a model of losses stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Received within a burst of losses.
    ReceivedInBurst,
    LostInBurst,
    LostAlone,
    Bad,
}

/// The discipline's state.
#[derive(Debug)]
pub(super) struct Netem<W> {
    spec: NetemSpec,
    rng: Rng,
    delay: Correlated,
    loss: Correlated,
    duplicate: Correlated,
    reorder: Correlated,
    corrupt: Correlated,
    state: State,
    /// Packets since one went in front.
    counter: u32,
    /// Packets by the time at which they leave, and the order in which they came.
    queue: BTreeMap<(Time, u64), Waiting<W>>,
    /// Packets that leave before all others.
    front: VecDeque<Waiting<W>>,
    bytes: usize,
    sequence: u64,
}

impl<W: Copy> Netem<W> {
    pub(super) fn new(spec: NetemSpec, rng: Rng) -> Netem<W> {
        let none = Correlated::default();
        let mut netem = Netem {
            spec: NetemSpec::default(),
            rng,
            delay: none,
            loss: none,
            duplicate: none,
            reorder: none,
            corrupt: none,
            state: State::Good,
            counter: 0,
            queue: BTreeMap::new(),
            front: VecDeque::new(),
            bytes: 0,
            sequence: 0,
        };
        netem.change(spec);
        netem
    }

    pub(super) fn change(&mut self, spec: NetemSpec) {
        let chances = [
            (&mut self.delay, spec.delay_correlation),
            (&mut self.loss, spec.loss_correlation),
            (&mut self.duplicate, spec.duplicate_correlation),
            (&mut self.reorder, spec.reorder_correlation),
            (&mut self.corrupt, spec.corrupt_correlation),
        ];
        for (chance, correlation) in chances {
            chance.correlation = correlation;
            chance.last = draw(&mut self.rng);
        }
        (self.state, self.counter) = (State::Good, 0);
        self.spec = spec;
    }

    pub(super) fn enqueue(
        &mut self,
        now: Time,
        mut waiting: Waiting<W>,
        pool: &mut FramePool,
        counters: &mut QdiscCounters,
        done: &mut Enqueued,
    ) {
        let twice = self.spec.duplicate != 0 && self.spec.duplicate >= self.duplicate.draw(&mut self.rng);
        let lost = self.is_lost();
        if lost && self.spec.ecn && mark(&mut waiting.frame) {
            counters.dropped += 1;
        } else if lost && !twice {
            done.dropped.push((waiting.frame, DropReason::NetemLoss));
            return;
        } else if twice && !lost {
            done.made += 1;
            let mut copy = pool.copy(&waiting.frame);
            *copy.offload_mut() = *waiting.frame.offload();
            let (copy, duplicate) = (Waiting { frame: copy, with: waiting.with }, self.spec.duplicate);
            // A copy is not copied again.
            self.spec.duplicate = 0;
            self.enqueue(now, copy, pool, counters, done);
            self.spec.duplicate = duplicate;
        }
        if self.spec.corrupt != 0 && self.spec.corrupt >= self.corrupt.draw(&mut self.rng) {
            finish_checksum(&mut waiting.frame, crate::wire::ethernet::HEADER);
            self.damage(&mut waiting.frame);
        }
        if self.queue.len() >= self.spec.limit as usize {
            done.refused = true;
            done.dropped.push((waiting.frame, DropReason::QdiscFull));
            return;
        }
        self.bytes += waiting.frame.len();
        let spec = &self.spec;
        let in_turn = spec.gap == 0 || self.counter < spec.gap - 1 || spec.reorder < self.reorder.draw(&mut self.rng);
        if in_turn {
            let at = self.leaves(now, waiting.frame.len());
            self.counter += 1;
            self.sequence += 1;
            self.queue.insert((at, self.sequence), waiting);
        } else {
            self.counter = 0;
            counters.requeues += 1;
            self.front.push_front(waiting);
        }
    }

    /// When a packet of this length leaves.
    fn leaves(&mut self, now: Time, length: usize) -> Time {
        let mut delay = self.delay();
        let mut from = now;
        if self.spec.rate > 0 {
            if let Some(((last, _), _)) = self.queue.last_key_value() {
                // What it waits for the one before it counts as delay.
                let ahead = i64::try_from(last.since(now).as_nanos()).unwrap_or(i64::MAX);
                delay = (delay - ahead).max(0);
                from = *last;
            }
            delay = delay.saturating_add(i64::try_from(self.on_the_wire(length)).unwrap_or(i64::MAX));
        }
        from + Duration::from_nanos(delay.max(0) as u64)
    }

    /// `packet_time_ns`
    fn on_the_wire(&self, length: usize) -> u64 {
        let mut bytes = length as i64 + i64::from(self.spec.packet_overhead);
        if self.spec.cell_size > 0 {
            let cell = i64::from(self.spec.cell_size);
            let cells = bytes.max(0).div_euclid(cell) + i64::from(bytes.max(0) % cell != 0);
            let payload = match self.spec.cell_overhead {
                0 => cells * cell,
                overhead => cells * (cell + i64::from(overhead)),
            };
            bytes = payload;
        }
        span(bytes.max(0) as u64, self.spec.rate)
    }

    /// `tabledist`
    fn delay(&mut self) -> i64 {
        let (mean, jitter) =
            ((u64::from(self.spec.latency) * TICK) as i64, (u64::from(self.spec.jitter) * TICK) as i64);
        if jitter == 0 {
            return mean;
        }
        let value = i64::from(self.delay.draw(&mut self.rng));
        let table = &self.spec.distribution;
        let sample = match table.len() {
            0 => None,
            size => table.get(value as usize % size),
        };
        match sample {
            // Uniform; as in the kernel, twice the jitter is cut to 32 bits.
            None => value % i64::from((jitter as u32).wrapping_mul(2).max(1)) + mean - jitter,
            Some(sample) => {
                let sample = i64::from(*sample);
                let rest = (jitter % SCALE) * sample;
                let rounded = if rest >= 0 { rest + SCALE / 2 } else { rest - SCALE / 2 };
                rounded / SCALE + (jitter / SCALE) * sample + mean
            }
        }
    }

    fn is_lost(&mut self) -> bool {
        match self.spec.loss_model {
            LossModel::Random => self.spec.loss != 0 && self.spec.loss >= self.loss.draw(&mut self.rng),
            LossModel::States { p13, p31, p32, p23, p14 } => {
                let chance = u64::from(draw(&mut self.rng));
                let (p13, p31, p32) = (u64::from(p13), u64::from(p31), u64::from(p32));
                let (p23, p14) = (u64::from(p23), u64::from(p14));
                self.state = match self.state {
                    State::ReceivedInBurst if chance < p23 => State::LostInBurst,
                    State::ReceivedInBurst => State::ReceivedInBurst,
                    State::LostInBurst if chance < p32 => State::ReceivedInBurst,
                    State::LostInBurst if chance < p31 + p32 => State::Good,
                    State::LostInBurst => State::LostInBurst,
                    State::LostAlone | State::Bad => State::Good,
                    State::Good if chance < p14 => State::LostAlone,
                    State::Good if chance < p13 + p14 => State::LostInBurst,
                    State::Good => State::Good,
                };
                matches!(self.state, State::LostInBurst | State::LostAlone)
            }
            LossModel::Gilbert { p, r, h, k1 } => {
                let bad = self.state == State::Bad;
                let turns = draw(&mut self.rng) < if bad { r } else { p };
                let chance = draw(&mut self.rng);
                self.state = if bad != turns { State::Bad } else { State::Good };
                if bad { chance > h } else { chance < k1 }
            }
        }
    }

    /// One bit is turned over.
    fn damage(&mut self, frame: &mut FrameBuf) {
        let length = frame.len() as u64;
        if length == 0 {
            return;
        }
        let (at, bit) = (self.rng.below(length) as usize, self.rng.below(8));
        if let Some(byte) = frame.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    pub(super) fn dequeue(&mut self, now: Time) -> Option<Waiting<W>> {
        let waiting = match self.front.pop_front() {
            Some(waiting) => waiting,
            None => {
                let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
                entry.remove()
            }
        };
        self.bytes -= waiting.frame.len();
        Some(waiting)
    }

    pub(super) fn next(&self) -> Option<Time> {
        if !self.front.is_empty() {
            return Some(Time::ZERO);
        }
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.queue.len() + self.front.len(), self.bytes)
    }

    pub(super) fn purge(&mut self) -> Vec<FrameBuf> {
        self.bytes = 0;
        let front = self.front.drain(..).map(|waiting| waiting.frame);
        front.chain(std::mem::take(&mut self.queue).into_values().map(|waiting| waiting.frame)).collect()
    }
}

/// Marks an IPv4 packet that can be marked (`INET_ECN_set_ce`).
fn mark(frame: &mut FrameBuf) -> bool {
    let ipv4 = frame.get(12..14) == Some(&[8, 0]);
    let Some([version, tos]) = frame.get(14..16).and_then(|bytes| bytes.first_chunk::<2>().copied()) else {
        return false;
    };
    if !ipv4 || version >> 4 != 4 || tos & 3 == 0 {
        return false;
    }
    if let Some(field) = frame.get_mut(15) {
        *field |= 3;
    }
    if let Some(packet) = frame.get_mut(14..) {
        crate::wire::ipv4::write_checksum(packet);
    }
    true
}
