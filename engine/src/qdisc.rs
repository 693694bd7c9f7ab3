//! Queueing disciplines: what holds frames back before they leave by a port.
//!
//! | file | is |
//! |---|---|
//! | `qdisc` | what is asked for, what is shown, and which port has which |
//! | `netem` | delay, loss, duplicates, damage, another order, a rate |
//! | `tbf` | the token bucket |
//! | `fifo` | bounded queues, from which everything leaves at once here: no port is ever busy |

mod fifo;
mod netem;
mod tbf;

use crate::control::{Errno, IfIndex, Refusal};
use crate::frame::{FrameBuf, FramePool};
use crate::reason::DropReason;
use crate::rng::Rng;
use crate::seldom::Seedable;
use crate::time::Time;
use fifo::Fifo;
use netem::Netem;
use std::collections::BTreeMap;
use tbf::Tbf;

/// Nanoseconds of one tick, the unit of times in these requests (`PSCHED_TICKS2NS`).
pub const TICK: u64 = 64;

/// A chance: a part of 2³².
pub type Chance = u32;

/// How `netem` loses packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossModel {
    /// Each for itself, but for the correlation.
    Random,
    /// Four states (Salsano, Ludovici, Ordine: "GI").
    States {
        /// From good to a loss burst.
        p13: Chance,
        /// From a loss burst to good.
        p31: Chance,
        /// Within a burst: from lost to received.
        p32: Chance,
        /// Within a burst: from received to lost.
        p23: Chance,
        /// From good to one loss alone.
        p14: Chance,
    },
    /// Gilbert and Elliott.
    Gilbert {
        /// From good to bad.
        p: Chance,
        /// From bad to good.
        r: Chance,
        /// What passes in the bad state.
        h: Chance,
        /// What is lost in the good state.
        k1: Chance,
    },
}

/// What `netem` is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says; each chance is followed by its correlation")]
pub struct NetemSpec {
    /// Packets that may wait.
    pub limit: u32,
    /// In ticks.
    pub latency: u32,
    /// In ticks.
    pub jitter: u32,
    pub delay_correlation: Chance,
    /// Samples of what jitter is multiplied with, in units of 1/8192; uniform if there are none.
    pub distribution: Vec<i16>,
    pub loss: Chance,
    pub loss_correlation: Chance,
    pub loss_model: LossModel,
    pub duplicate: Chance,
    pub duplicate_correlation: Chance,
    pub corrupt: Chance,
    pub corrupt_correlation: Chance,
    pub reorder: Chance,
    pub reorder_correlation: Chance,
    pub gap: u32,
    /// Mark instead of losing.
    pub ecn: bool,
    /// Bytes a second; 0 is no limit.
    pub rate: u64,
    pub packet_overhead: i32,
    pub cell_size: u32,
    pub cell_overhead: i32,
}

impl Default for NetemSpec {
    fn default() -> NetemSpec {
        NetemSpec {
            limit: 1000,
            latency: 0,
            jitter: 0,
            delay_correlation: 0,
            distribution: Vec::new(),
            loss: 0,
            loss_correlation: 0,
            loss_model: LossModel::Random,
            duplicate: 0,
            duplicate_correlation: 0,
            corrupt: 0,
            corrupt_correlation: 0,
            reorder: 0,
            reorder_correlation: 0,
            gap: 0,
            ecn: false,
            rate: 0,
            packet_overhead: 0,
            cell_size: 0,
            cell_overhead: 0,
        }
    }
}

/// What `tbf` is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TbfSpec {
    /// Bytes a second.
    pub rate: u64,
    /// Bytes a second; 0 is none.
    pub peak_rate: u64,
    /// Bytes that may wait.
    pub limit: u32,
    /// The bucket, as the time it takes to fill, in ticks.
    pub buffer: u32,
    /// The same of the peak rate's bucket.
    pub mtu: u32,
    /// The bucket in bytes: the longest packet.
    pub burst: u32,
    /// The same of the peak rate's bucket.
    pub peak_burst: u32,
    /// What no packet is counted below.
    pub mpu: u16,
    /// Bytes that are added to each packet.
    pub overhead: u16,
}

/// What a queueing discipline is and does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QdiscSpec {
    /// `netem`
    Netem(Box<NetemSpec>),
    /// `tbf`
    Tbf(TbfSpec),
    /// `pfifo`: so many packets; by the port's `txqueuelen` if not said.
    Pfifo(Option<u32>),
    /// `bfifo`: so many bytes.
    Bfifo(Option<u32>),
    /// `pfifo_fast`
    PfifoFast,
}

impl QdiscSpec {
    /// Its kind's name.
    pub fn kind(&self) -> &'static str {
        match self {
            QdiscSpec::Netem(_) => "netem",
            QdiscSpec::Tbf(_) => "tbf",
            QdiscSpec::Pfifo(_) => "pfifo",
            QdiscSpec::Bfifo(_) => "bfifo",
            QdiscSpec::PfifoFast => "pfifo_fast",
        }
    }
}

/// How `tc qdisc add|change|replace|link` differ (`NLM_F_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QdiscMode {
    /// `NLM_F_CREATE | NLM_F_EXCL`
    Add,
    /// No flag.
    Change,
    /// `NLM_F_CREATE | NLM_F_REPLACE`
    Replace,
    /// `NLM_F_REPLACE`
    Link,
}

/// A request for the root of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QdiscRequest {
    /// A discipline is made or changed.
    Set {
        /// Which port.
        port: IfIndex,
        /// How.
        mode: QdiscMode,
        /// The number before the colon; 0 is not said.
        handle: u16,
        /// Which discipline; none is only possible where there is one.
        spec: Option<QdiscSpec>,
    },
    /// It goes.
    Delete {
        /// Which port.
        port: IfIndex,
        /// The number before the colon; 0 is not said.
        handle: u16,
        /// It must be of this kind.
        kind: Option<String>,
    },
}

/// What passed a discipline (`gnet_stats_basic`, `gnet_stats_queue`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "named by the field")]
pub struct QdiscCounters {
    pub bytes: u64,
    pub packets: u64,
    pub dropped: u64,
    pub overlimits: u64,
    pub requeues: u64,
    /// Bytes that wait.
    pub backlog: u64,
    /// Packets that wait.
    pub waiting: u64,
}

/// What is shown of a port's discipline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QdiscEntry {
    /// The number before the colon.
    pub handle: u16,
    /// What it is.
    pub spec: QdiscSpec,
    /// What passed.
    pub counters: QdiscCounters,
}

/// A frame that waits, and what its sender keeps with it.
#[derive(Debug)]
pub(crate) struct Waiting<W> {
    pub(crate) frame: FrameBuf,
    pub(crate) with: W,
}

/// What became of a frame that was given to a discipline.
#[derive(Debug, Default)]
pub(crate) struct Enqueued {
    /// Frames that end here.
    pub(crate) dropped: Vec<(FrameBuf, DropReason)>,
    /// Copies that were made.
    pub(crate) made: u64,
    /// The sender is told that it was not taken.
    pub(crate) refused: bool,
}

/// What disciplines do.
#[derive(Debug)]
enum Queue<W> {
    Netem(Box<Netem<W>>),
    Tbf(Tbf<W>),
    Fifo(Fifo<W>),
}

/// The discipline of a port.
#[derive(Debug)]
struct Qdisc<W> {
    handle: u16,
    spec: QdiscSpec,
    counters: QdiscCounters,
    queue: Queue<W>,
}

impl<W: Copy> Qdisc<W> {
    fn new(now: Time, handle: u16, spec: QdiscSpec, rng: Rng) -> Qdisc<W> {
        let queue = match &spec {
            QdiscSpec::Netem(spec) => Queue::Netem(Box::new(Netem::new((**spec).clone(), rng))),
            QdiscSpec::Tbf(spec) => Queue::Tbf(Tbf::new(now, *spec)),
            QdiscSpec::Pfifo(limit) => Queue::Fifo(Fifo::new(limit.unwrap_or(0), false)),
            QdiscSpec::Bfifo(limit) => Queue::Fifo(Fifo::new(limit.unwrap_or(0), true)),
            QdiscSpec::PfifoFast => Queue::Fifo(Fifo::new(u32::MAX, false)),
        };
        Qdisc { handle, spec, counters: QdiscCounters::default(), queue }
    }

    fn enqueue(&mut self, now: Time, waiting: Waiting<W>, pool: &mut FramePool) -> Enqueued {
        let mut done = Enqueued::default();
        match &mut self.queue {
            Queue::Netem(netem) => netem.enqueue(now, waiting, pool, &mut self.counters, &mut done),
            Queue::Tbf(tbf) => tbf.enqueue(waiting, &mut done),
            Queue::Fifo(fifo) => fifo.enqueue(waiting, &mut done),
        }
        self.counters.dropped += done.dropped.len() as u64;
        self.count_waiting();
        done
    }

    fn dequeue(&mut self, now: Time) -> Option<Waiting<W>> {
        let waiting = match &mut self.queue {
            Queue::Netem(netem) => netem.dequeue(now),
            Queue::Tbf(tbf) => tbf.dequeue(now, &mut self.counters),
            Queue::Fifo(fifo) => fifo.dequeue(),
        };
        if let Some(waiting) = &waiting {
            self.counters.packets += 1;
            self.counters.bytes += waiting.frame.len() as u64;
        }
        self.count_waiting();
        waiting
    }

    fn next(&self) -> Option<Time> {
        match &self.queue {
            Queue::Netem(netem) => netem.next(),
            Queue::Tbf(tbf) => tbf.next(),
            Queue::Fifo(_) => None,
        }
    }

    fn count_waiting(&mut self) {
        let (packets, bytes) = match &self.queue {
            Queue::Netem(netem) => netem.waiting(),
            Queue::Tbf(tbf) => tbf.waiting(),
            Queue::Fifo(fifo) => fifo.waiting(),
        };
        (self.counters.waiting, self.counters.backlog) = (packets as u64, bytes as u64);
    }

    /// Empties it, whatever time it is.
    fn purge(&mut self) -> Vec<FrameBuf> {
        let frames = match &mut self.queue {
            Queue::Netem(netem) => netem.purge(),
            Queue::Tbf(tbf) => tbf.purge(),
            Queue::Fifo(fifo) => fifo.purge(),
        };
        self.count_waiting();
        frames
    }

    /// Other options for the same kind.
    fn change(&mut self, spec: QdiscSpec) {
        match (&mut self.queue, &spec) {
            (Queue::Netem(netem), QdiscSpec::Netem(spec)) => netem.change((**spec).clone()),
            (Queue::Tbf(tbf), QdiscSpec::Tbf(spec)) => tbf.change(*spec),
            (Queue::Fifo(fifo), QdiscSpec::Pfifo(Some(limit)) | QdiscSpec::Bfifo(Some(limit))) => fifo.limit(*limit),
            // Nothing is said of a limit: it stays.
            _ => return,
        }
        self.spec = spec;
    }
}

/// The disciplines of a namespace's ports. A port that has none sends at once.
#[derive(Debug)]
pub(crate) struct Qdiscs<W> {
    of: BTreeMap<IfIndex, Qdisc<W>>,
    /// The number that was given last.
    last: u16,
    rng: Rng,
}

/// What a port is, as far as its discipline asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PortFacts {
    pub(crate) txqueuelen: u32,
    pub(crate) mtu: u32,
}

/// The first number that is given by itself, less one.
const BEFORE_FIRST: u16 = 0x8000;
/// Bytes of an Ethernet header.
const HEADER: u32 = 14;

impl<W: Copy + 'static> Seedable for Qdiscs<W> {
    const UNUSED: &'static Qdiscs<W> = &Qdiscs::new(Rng::new(0));

    fn seeded(rng: Rng) -> Qdiscs<W> {
        Qdiscs::new(rng)
    }
}

impl<W: Copy> Qdiscs<W> {
    const fn new(rng: Rng) -> Qdiscs<W> {
        Qdiscs { of: BTreeMap::new(), last: BEFORE_FIRST, rng }
    }

    /// True if no port has one: the one question that the path asks.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    pub(crate) fn has(&self, port: IfIndex) -> bool {
        self.of.contains_key(&port)
    }

    pub(crate) fn entry(&self, port: IfIndex) -> Option<QdiscEntry> {
        let qdisc = self.of.get(&port)?;
        Some(QdiscEntry { handle: qdisc.handle, spec: qdisc.spec.clone(), counters: qdisc.counters })
    }

    /// Frames that wait.
    pub(crate) fn held(&self) -> usize {
        self.of.values().map(|qdisc| qdisc.counters.waiting as usize).sum()
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.of.values().filter_map(Qdisc::next).min()
    }

    /// Ports whose disciplines let something go by now.
    pub(crate) fn due(&self, now: Time) -> Vec<IfIndex> {
        self.of.iter().filter(|(_, qdisc)| qdisc.next().is_some_and(|at| at <= now)).map(|(port, _)| *port).collect()
    }

    pub(crate) fn enqueue(
        &mut self,
        now: Time,
        port: IfIndex,
        waiting: Waiting<W>,
        pool: &mut FramePool,
    ) -> Result<Enqueued, Waiting<W>> {
        match self.of.get_mut(&port) {
            Some(qdisc) => Ok(qdisc.enqueue(now, waiting, pool)),
            None => Err(waiting),
        }
    }

    pub(crate) fn dequeue(&mut self, now: Time, port: IfIndex) -> Option<Waiting<W>> {
        self.of.get_mut(&port)?.dequeue(now)
    }

    /// The port is down: what waits is discarded, the discipline stays.
    pub(crate) fn reset(&mut self, port: IfIndex) -> Vec<FrameBuf> {
        self.of.get_mut(&port).map(Qdisc::purge).unwrap_or_default()
    }

    /// The port is gone.
    pub(crate) fn remove(&mut self, port: IfIndex) -> Vec<FrameBuf> {
        self.of.remove(&port).map(|mut qdisc| qdisc.purge()).unwrap_or_default()
    }

    /// Carries out a request (`tc_modify_qdisc`, `tc_get_qdisc`); returns frames that waited in what is gone.
    pub(crate) fn apply(
        &mut self,
        now: Time,
        request: QdiscRequest,
        facts: PortFacts,
    ) -> Result<Vec<FrameBuf>, Refusal> {
        match request {
            QdiscRequest::Set { port, mode, handle, spec } => self.set(now, port, (mode, handle), spec, facts),
            QdiscRequest::Delete { port, handle, kind } => {
                let Some(qdisc) = self.of.get(&port) else {
                    return Err(Refusal::because(Errno::NoEnt, "Cannot delete qdisc with handle of zero"));
                };
                if handle != 0 && handle != qdisc.handle {
                    return Err(Refusal::because(Errno::Inval, "Invalid handle"));
                }
                if kind.is_some_and(|kind| kind != qdisc.spec.kind()) {
                    return Err(other_kind());
                }
                Ok(self.remove(port))
            }
        }
    }

    fn set(
        &mut self,
        now: Time,
        port: IfIndex,
        (mode, handle): (QdiscMode, u16),
        spec: Option<QdiscSpec>,
        facts: PortFacts,
    ) -> Result<Vec<FrameBuf>, Refusal> {
        let kind_differs = |qdisc: &Qdisc<W>| spec.as_ref().is_some_and(|spec| spec.kind() != qdisc.spec.kind());
        if let Some(qdisc) = self.of.get_mut(&port) {
            let another = handle != 0 && handle != qdisc.handle;
            if another && !matches!(mode, QdiscMode::Replace | QdiscMode::Link) {
                return Err(Refusal::because(Errno::Exist, "NLM_F_REPLACE needed to override"));
            }
            // Another kind without a number is taken for a new one, unless it is said to be a link of what is there.
            let new = another || handle == 0 && kind_differs(qdisc) && mode != QdiscMode::Link;
            if !new {
                if mode == QdiscMode::Add {
                    return Err(Refusal::because(Errno::Exist, "Exclusivity flag on, cannot modify"));
                }
                if kind_differs(qdisc) {
                    return Err(other_kind());
                }
                spec.into_iter().for_each(|spec| qdisc.change(spec));
                return Ok(Vec::new());
            }
        }
        let exists = self.of.contains_key(&port);
        if !exists && matches!(mode, QdiscMode::Change | QdiscMode::Link) {
            let text = "Qdisc not found. To create specify NLM_F_CREATE flag";
            return Err(Refusal::because(Errno::NoEnt, text));
        }
        let spec = spec.ok_or_else(|| Refusal::because(Errno::NoEnt, "Specified qdisc kind is unknown"))?;
        let frames = self.remove(port);
        let handle = match handle {
            0 => self.number(),
            handle => handle,
        };
        let spec = match spec {
            QdiscSpec::Pfifo(None) => QdiscSpec::Pfifo(Some(facts.txqueuelen)),
            QdiscSpec::Bfifo(None) => QdiscSpec::Bfifo(Some(facts.txqueuelen.saturating_mul(facts.mtu + HEADER))),
            spec => spec,
        };
        let rng = self.rng.split();
        self.of.insert(port, Qdisc::new(now, handle, spec, rng));
        Ok(frames)
    }

    /// A number for one that was given none (`qdisc_alloc_handle`).
    fn number(&mut self) -> u16 {
        loop {
            self.last = if self.last == u16::MAX { BEFORE_FIRST + 1 } else { self.last + 1 };
            if self.of.values().all(|qdisc| qdisc.handle != self.last) {
                return self.last;
            }
        }
    }
}

fn other_kind() -> Refusal {
    Refusal::because(Errno::Inval, "Invalid qdisc name: must match existing qdisc")
}

/// How long so many bytes take at a rate, in nanoseconds.
fn span(bytes: u64, rate: u64) -> u64 {
    let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
    u64::try_from(nanoseconds).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
