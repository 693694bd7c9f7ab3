//! What will happen: a queue ordered by time and, at one instant, by who was queued first.
//!
//! Frames, timers and the rest wait apart, each in the order that suits them, under numbers of one series.
//!
//! Frames on their way wait in *runs*: lists that are in order because what is queued later in them is due later. A cable's
//! frames are due by its delay after they were sent, and time does not go back, so that all cables of one delay share one
//! run; a few runs serve worlds of a few delays, without a search and without an assumption about how close events are. What
//! fits no run goes to a heap. Measured side by side (each event queues the next; millions a second on a busy machine):
//!
//! | on their way, delays | runs | wheel, 4096 × 64 ns | a head a link, in a heap | heap | `BTreeMap` |
//! |---|---|---|---|---|---|
//! | 340, one | 13 | 11–22 | 4.5 | 3.3 | 2.6 |
//! | 100,000, one | 12 | 0.7 | 1.3 | 0.9 | 1.5 |
//! | 340, forty | 6.9 | 14 | 9.2 | 6.8 | 3.4 |
//!
//! A namespace has one timer. Its place in a heap is not looked for when it is set anew: the old one is passed over when it
//! comes up.

use super::NsId;
use super::cable::End;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use vethlab_engine::frame::FrameBuf;
use vethlab_engine::time::Time;

/// When, and which of those at that instant.
pub(super) type Key = (Time, u64);

/// The key of nothing.
const NEVER: Key = (Time::NEVER, u64::MAX);

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Frames come out of this end of a cable, all at this instant.
    Arrive(End),
    /// The timer of this namespace's stack runs out.
    Tick(NsId),
    /// The link watch looks at its list.
    LinkWatch,
    /// A namespace that nobody refers to any more is taken down.
    Cleanup(NsId),
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    sequence: u64,
    flights: Flights,
    timers: Timers,
    /// All else.
    rest: BTreeMap<Key, Event>,
}

impl Queue {
    fn key(&mut self, time: Time) -> Key {
        self.sequence += 1;
        (time, self.sequence)
    }

    /// Sends a frame on its way to an end of a cable.
    #[inline]
    pub(super) fn send(&mut self, time: Time, end: End, frame: FrameBuf) {
        let key = self.key(time);
        self.flights.push(Flight { key, end, frame });
    }

    /// Sets the timer of a namespace, or stops it.
    #[inline]
    pub(super) fn set_timer(&mut self, ns: NsId, time: Option<Time>) {
        if self.timers.of(ns) == time {
            return;
        }
        let key = time.map_or(NEVER, |time| self.key(time));
        self.timers.set(ns, key);
    }

    /// When the timer of a namespace runs out.
    #[inline]
    pub(super) fn timer(&self, ns: NsId) -> Option<Time> {
        self.timers.of(ns)
    }

    /// Adds an event that is neither a frame nor a timer.
    pub(super) fn push(&mut self, time: Time, event: Event) -> Key {
        let key = self.key(time);
        self.rest.insert(key, event);
        key
    }

    /// Takes out an event that was pushed, before it happens.
    pub(super) fn cancel(&mut self, key: Key) {
        self.rest.remove(&key);
    }

    /// When the next event is.
    pub(super) fn next(&self) -> Option<Time> {
        let first = self.flights.first.min(self.timers.first()).min(self.first_of_rest());
        (first != NEVER).then_some(first.0)
    }

    fn first_of_rest(&self) -> Key {
        self.rest.first_key_value().map_or(NEVER, |(key, _)| *key)
    }

    /// The next event, if it is not later than `limit`. Frames that come out of one end at one instant, with nothing between
    /// them, are one event: they are put behind those in `frames`, in order.
    #[inline]
    pub(super) fn pop(&mut self, limit: Time, frames: &mut Vec<FrameBuf>) -> Option<(Time, Event)> {
        let (timer, other) = (self.timers.first(), self.first_of_rest());
        let rest = timer.min(other);
        if self.flights.first < rest {
            return self.flights.pop(limit, rest, frames).map(|(time, end)| (time, Event::Arrive(end)));
        }
        if rest == NEVER || rest.0 > limit {
            return None;
        }
        let event = if timer < other { self.timers.pop().map(Event::Tick) } else { self.rest.remove(&other) };
        event.map(|event| (rest.0, event))
    }

    /// Takes out every frame.
    pub(super) fn drain(&mut self, frames: &mut Vec<FrameBuf>) {
        while self.flights.pop(Time::NEVER, NEVER, frames).is_some() {}
    }

    /// How many frames are on their way.
    pub(super) fn frames(&self) -> usize {
        self.flights.count
    }
}

/// A frame on its way.
#[derive(Debug)]
struct Flight {
    key: Key,
    end: End,
    frame: FrameBuf,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Flight) -> bool {
        self.key == other.key
    }
}

impl Eq for Flight {}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Flight) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flight {
    fn cmp(&self, other: &Flight) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Runs that there are at most.
const RUNS: usize = 8;

/// All frames on their way.
#[derive(Debug)]
struct Flights {
    runs: Vec<VecDeque<Flight>>,
    /// What fits no run.
    strays: BinaryHeap<Reverse<Flight>>,
    count: usize,
    /// The key of the first one.
    first: Key,
    /// The run that it is in; none: it is a stray.
    at: Option<usize>,
}

impl Default for Flights {
    fn default() -> Flights {
        Flights { runs: Vec::new(), strays: BinaryHeap::new(), count: 0, first: NEVER, at: None }
    }
}

impl Flights {
    #[inline]
    fn push(&mut self, flight: Flight) {
        let key = flight.key;
        let at = self.fitting(key.0);
        match at.and_then(|at| self.runs.get_mut(at)) {
            Some(run) => run.push_back(flight),
            None => self.strays.push(Reverse(flight)),
        }
        self.count += 1;
        if key < self.first {
            (self.first, self.at) = (key, at);
        }
    }

    /// Of the runs that end early enough the one that ends last; empty ones come last.
    #[inline]
    fn fitting(&mut self, time: Time) -> Option<usize> {
        let (mut best, mut latest) = (None, None);
        for (at, run) in self.runs.iter().enumerate() {
            let end = run.back().map(|last| last.key.0);
            if end.is_none_or(|end| end <= time) && (best.is_none() || end > latest) {
                (best, latest) = (Some(at), end);
            }
        }
        if best.is_none() && self.runs.len() < RUNS {
            self.runs.push(VecDeque::new());
            return Some(self.runs.len() - 1);
        }
        best
    }

    #[inline]
    fn take_first(&mut self) -> Option<Flight> {
        let flight = match self.at.and_then(|at| self.runs.get_mut(at)) {
            Some(run) => run.pop_front(),
            None => self.strays.pop().map(|stray| stray.0),
        }?;
        self.count -= 1;
        (self.first, self.at) = (self.strays.peek().map_or(NEVER, |stray| stray.0.key), None);
        for (at, run) in self.runs.iter().enumerate() {
            if let Some(flight) = run.front().filter(|flight| flight.key < self.first) {
                (self.first, self.at) = (flight.key, Some(at));
            }
        }
        Some(flight)
    }

    /// The first frame, if it is not later than `limit`, and those that follow it to the same end at the same instant before
    /// anything else does.
    #[inline]
    fn pop(&mut self, limit: Time, rest: Key, frames: &mut Vec<FrameBuf>) -> Option<(Time, End)> {
        if self.first.0 > limit {
            return None;
        }
        let Flight { key: (time, _), end, frame } = self.take_first()?;
        frames.push(frame);
        while self.first.0 == time && self.first < rest && self.goes_to(end) {
            frames.extend(self.take_first().map(|flight| flight.frame));
        }
        Some((time, end))
    }

    /// True if the first frame comes out there.
    fn goes_to(&self, end: End) -> bool {
        let first = match self.at.and_then(|at| self.runs.get(at)) {
            Some(run) => run.front(),
            None => self.strays.peek().map(|stray| &stray.0),
        };
        first.is_some_and(|flight| flight.end == end)
    }
}

/// The timers of all namespaces.
#[derive(Debug, Default)]
struct Timers {
    heap: BinaryHeap<Reverse<(Key, NsId)>>,
    /// By namespace, which place in the heap counts.
    due: Vec<Key>,
    set: usize,
}

impl Timers {
    #[inline]
    fn key_of(&self, ns: NsId) -> Key {
        self.due.get(ns.slot()).copied().unwrap_or(NEVER)
    }

    #[inline]
    fn of(&self, ns: NsId) -> Option<Time> {
        Some(self.key_of(ns)).filter(|key| *key != NEVER).map(|key| key.0)
    }

    #[inline]
    fn first(&self) -> Key {
        self.heap.peek().map_or(NEVER, |first| first.0.0)
    }

    fn set(&mut self, ns: NsId, key: Key) {
        let slot = ns.slot();
        if slot >= self.due.len() {
            self.due.resize(slot + 1, NEVER);
        }
        let Some(place) = self.due.get_mut(slot) else { return };
        self.set -= usize::from(*place != NEVER);
        *place = key;
        if key != NEVER {
            self.set += 1;
            self.heap.push(Reverse((key, ns)));
        }
        if self.heap.len() > 2 * self.set + 64 {
            let due = &self.due;
            self.heap.retain(|Reverse((key, ns))| due.get(ns.slot()) == Some(key));
        }
        self.pass_over();
    }

    fn pop(&mut self) -> Option<NsId> {
        let Reverse((_, ns)) = self.heap.pop()?;
        if let Some(place) = self.due.get_mut(ns.slot()) {
            *place = NEVER;
        }
        self.set -= 1;
        self.pass_over();
        Some(ns)
    }

    /// Takes places that no longer count from the top.
    fn pass_over(&mut self) {
        while let Some(Reverse((key, ns))) = self.heap.peek().copied()
            && key != self.key_of(ns)
        {
            self.heap.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vethlab_engine::frame::FramePool;
    use vethlab_engine::rng::Rng;

    #[test]
    fn at_one_instant_the_first_queued_is_first() {
        let mut queue = Queue::default();
        for (time, ns) in [(7, 1), (5, 2), (7, 3), (5, 4)] {
            queue.push(Time(time), Event::Cleanup(NsId(ns)));
        }
        let gone = queue.push(Time(1), Event::LinkWatch);
        queue.cancel(gone);
        assert_eq!(queue.next(), Some(Time(5)));
        let none = &mut Vec::new();
        assert!(queue.pop(Time(4), none).is_none());
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop(Time(7), none))
            .map(|(_, event)| if let Event::Cleanup(ns) = event { ns.0 } else { 0 })
            .collect();
        assert_eq!(order, [2, 4, 1, 3]);
    }

    /// Frames of one end and instant are one event, unless something else comes between them.
    #[test]
    fn frames_travel_together() {
        let (mut queue, mut pool, mut frames) = (Queue::default(), FramePool::new(), Vec::new());
        let (near, far) = (End::at(1, 0), End::at(1, 1));
        for (time, end, byte) in [(9, near, 1), (9, near, 2), (9, far, 3), (9, near, 4)] {
            queue.send(Time(time), end, pool.copy(&[byte]));
        }
        queue.set_timer(NsId(7), Some(Time(9)));
        queue.send(Time(9), near, pool.copy(&[5]));
        assert_eq!(queue.frames(), 5);
        let mut told = Vec::new();
        while let Some((_, event)) = queue.pop(Time(9), &mut frames) {
            let bytes: Vec<u8> = frames.iter().map(|frame| frame[0]).collect();
            frames.drain(..).for_each(|frame| pool.give(frame));
            told.push((event, bytes));
        }
        let arrive = |end, bytes: &[u8]| (Event::Arrive(end), bytes.to_vec());
        let tick = (Event::Tick(NsId(7)), vec![]);
        assert_eq!(told, [arrive(near, &[1, 2]), arrive(far, &[3]), arrive(near, &[4]), tick, arrive(near, &[5])]);
    }

    /// Whatever is queued, cancelled and set anew: what comes out is what a sorted map gives.
    #[test]
    fn the_order_is_that_of_a_sorted_map() {
        let (mut queue, mut pool, mut frames) = (Queue::default(), FramePool::new(), Vec::new());
        let mut rng = Rng::new(3);
        let mut oracle: BTreeMap<Key, Event> = BTreeMap::new();
        let (mut now, mut sequence) = (0, 0);
        for _ in 0..20_000 {
            let time = Time(now + rng.below(40));
            let ns = NsId(if rng.below(9) == 0 { u32::MAX } else { rng.below(12) as u32 });
            match rng.below(8) {
                0..4 => {
                    // More delays than there are runs.
                    let end = End::at(rng.below(3), (now & 1) as u8);
                    sequence += 1;
                    queue.send(time, end, pool.copy(&[0]));
                    oracle.insert((time, sequence), Event::Arrive(end));
                }
                4 => {
                    let old = oracle.iter().find(|(_, event)| **event == Event::Tick(ns)).map(|(key, _)| *key);
                    let time = Some(time).filter(|_| rng.below(4) > 0);
                    queue.set_timer(ns, time);
                    if old.map(|old| old.0) != time {
                        old.and_then(|old| oracle.remove(&old));
                        sequence += u64::from(time.is_some());
                        time.and_then(|time| oracle.insert((time, sequence), Event::Tick(ns)));
                    }
                }
                5 => {
                    sequence += 1;
                    let key = queue.push(time, Event::LinkWatch);
                    assert_eq!(key, (time, sequence));
                    if rng.below(2) == 0 {
                        queue.cancel(key);
                    } else {
                        oracle.insert(key, Event::LinkWatch);
                    }
                }
                _ => {
                    assert_eq!(queue.next(), oracle.first_key_value().map(|(key, _)| key.0));
                    let popped = queue.pop(time, &mut frames);
                    let due = oracle.first_key_value().map(|((at, _), event)| (*at, *event));
                    assert_eq!(popped, due.filter(|(at, _)| *at <= time));
                    if let Some((at, event)) = popped {
                        now = at.0;
                        for _ in 0..frames.len().max(1) {
                            assert_eq!(oracle.pop_first().map(|((at, _), event)| (at, event)), Some((at, event)));
                        }
                    }
                    frames.drain(..).for_each(|frame| pool.give(frame));
                }
            }
        }
        queue.drain(&mut frames);
        frames.drain(..).for_each(|frame| pool.give(frame));
        assert_eq!((queue.frames(), pool.taken()), (0, 0));
    }
}
