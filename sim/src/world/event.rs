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

/// When, and which of those at that instant: one number, the time above the number in the series, that one comparison tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    /// The key of nothing.
    const NEVER: Key = Key(u128::MAX);

    fn new(time: Time, sequence: u64) -> Key {
        Key(u128::from(time.nanos()) << 64 | u128::from(sequence))
    }

    /// When.
    #[inline]
    pub(super) fn time(self) -> Time {
        Time((self.0 >> 64) as u64)
    }
}

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame comes out of this end of a cable.
    Arrive(End, FrameBuf),
    /// The timer of this namespace's stack runs out.
    Tick(NsId),
    /// Something else.
    Chore(Chore),
}

/// What happens in a world besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chore {
    /// The link watch looks at its list.
    LinkWatch,
    /// A namespace that nobody refers to any more is taken down.
    Cleanup(NsId),
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    sequence: u64,
    flights: Flights,
    timers: Timers,
    /// All else.
    rest: BTreeMap<Key, Chore>,
    /// The first of all that is no frame.
    first_but_frames: Key,
}

impl Default for Queue {
    fn default() -> Queue {
        let (flights, timers) = (Flights::default(), Timers::default());
        Queue { sequence: 0, flights, timers, rest: BTreeMap::new(), first_but_frames: Key::NEVER }
    }
}

impl Queue {
    #[inline]
    fn key(&mut self, time: Time) -> Key {
        self.sequence += 1;
        Key::new(time, self.sequence)
    }

    /// Sends a frame on its way to an end of a cable.
    #[inline(always)]
    pub(super) fn send(&mut self, time: Time, end: End, frame: FrameBuf) {
        let key = self.key(time);
        self.flights.push(Flight { key, end, frame });
    }

    /// Sets the timer of a namespace, or stops it.
    #[inline]
    pub(super) fn set_timer(&mut self, ns: NsId, time: Option<Time>) {
        if self.timers.of(ns) != time {
            self.move_timer(ns, time);
        }
    }

    fn move_timer(&mut self, ns: NsId, time: Option<Time>) {
        let key = time.map_or(Key::NEVER, |time| self.key(time));
        self.timers.set(ns, key);
        self.settle();
    }

    /// Adds what is neither a frame nor a timer.
    pub(super) fn push(&mut self, time: Time, chore: Chore) -> Key {
        let key = self.key(time);
        self.rest.insert(key, chore);
        self.settle();
        key
    }

    /// Takes out what was pushed, before it happens.
    pub(super) fn cancel(&mut self, key: Key) {
        self.rest.remove(&key);
        self.settle();
    }

    fn first_of_rest(&self) -> Key {
        self.rest.first_key_value().map_or(Key::NEVER, |(key, _)| *key)
    }

    fn settle(&mut self) {
        self.first_but_frames = self.timers.first().min(self.first_of_rest());
    }

    /// When the next event is.
    pub(super) fn next(&self) -> Option<Time> {
        let first = self.flights.first.min(self.first_but_frames);
        (first != Key::NEVER).then_some(first.time())
    }

    /// The next event, if it is not later than `limit`.
    #[inline(always)]
    pub(super) fn pop(&mut self, limit: Time) -> Option<(Time, Event)> {
        let first = self.flights.first;
        if first >= self.first_but_frames {
            return self.pop_but_frames(limit);
        }
        if first.time() > limit {
            return None;
        }
        let (end, frame) = self.flights.pop()?;
        Some((first.time(), Event::Arrive(end, frame)))
    }

    #[inline(never)]
    fn pop_but_frames(&mut self, limit: Time) -> Option<(Time, Event)> {
        let first = self.first_but_frames;
        if first == Key::NEVER || first.time() > limit {
            return None;
        }
        let event = match self.rest.remove(&first) {
            Some(chore) => Some(Event::Chore(chore)),
            None => self.timers.pop().map(Event::Tick),
        };
        self.settle();
        event.map(|event| (first.time(), event))
    }

    /// Takes out a frame, whichever.
    pub(super) fn take_frame(&mut self) -> Option<FrameBuf> {
        self.flights.pop().map(|(_, frame)| frame)
    }

    /// How many frames are on their way.
    pub(super) fn frames(&self) -> usize {
        self.flights.runs.iter().map(|run| run.list.len()).sum::<usize>() + self.flights.strays.len()
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

/// Frames that are due one after the other, as they were queued.
#[derive(Debug)]
struct Run {
    list: VecDeque<Flight>,
    /// When the last one is due. Of a run that has become empty that is past, so that it takes any frame, but is the last
    /// choice.
    end: Time,
}

impl Run {
    /// The key of the first one.
    #[inline]
    fn first(&self) -> Key {
        self.list.front().map_or(Key::NEVER, |flight| flight.key)
    }
}

/// All frames on their way.
#[derive(Debug)]
struct Flights {
    runs: Vec<Run>,
    /// What fits no run.
    strays: BinaryHeap<Reverse<Flight>>,
    /// The key of the first one.
    first: Key,
    /// The run that it is in; past all of them: it is a stray.
    at: usize,
    /// The key of the first one elsewhere.
    second: Key,
}

impl Default for Flights {
    fn default() -> Flights {
        Flights { runs: Vec::new(), strays: BinaryHeap::new(), first: Key::NEVER, at: 0, second: Key::NEVER }
    }
}

impl Flights {
    #[inline(always)]
    fn push(&mut self, flight: Flight) {
        let key = flight.key;
        let at = self.fitting(key.time());
        let Some(run) = self.runs.get_mut(at) else { return self.push_stray(flight) };
        run.end = key.time();
        let begins = run.list.is_empty();
        run.list.push_back(flight);
        // Behind others of the run that comes first it changes nothing.
        if begins || at != self.at {
            self.heed(key, at);
        }
    }

    #[inline(never)]
    fn push_stray(&mut self, flight: Flight) {
        let key = flight.key;
        self.strays.push(Reverse(flight));
        self.heed(key, usize::MAX);
    }

    /// There is a new frame in a run, or among the strays.
    #[inline]
    fn heed(&mut self, key: Key, at: usize) {
        if key < self.first {
            self.find_first();
        } else if at != self.at {
            self.second = self.second.min(key);
        }
    }

    /// Of the runs that end early enough the one that ends last; past all of them if none does.
    #[inline(always)]
    fn fitting(&mut self, time: Time) -> usize {
        let (mut best, mut latest) = (usize::MAX, Time::ZERO);
        for (at, run) in self.runs.iter().enumerate() {
            if run.end <= time && run.end >= latest {
                (best, latest) = (at, run.end);
            }
        }
        if best == usize::MAX { self.another() } else { best }
    }

    /// One more run, if there may be more.
    #[cold]
    fn another(&mut self) -> usize {
        if self.runs.len() >= RUNS {
            return usize::MAX;
        }
        self.runs.push(Run { list: VecDeque::new(), end: Time::ZERO });
        self.runs.len() - 1
    }

    /// Takes out the first one, whose key is known already.
    #[inline(always)]
    fn pop(&mut self) -> Option<(End, FrameBuf)> {
        let Some(run) = self.runs.get_mut(self.at) else { return self.pop_stray() };
        let Flight { end, frame, .. } = run.list.pop_front()?;
        self.first = run.first();
        if self.second < self.first {
            self.find_first();
        }
        Some((end, frame))
    }

    #[inline(never)]
    fn pop_stray(&mut self) -> Option<(End, FrameBuf)> {
        let Reverse(Flight { end, frame, .. }) = self.strays.pop()?;
        self.find_first();
        Some((end, frame))
    }

    #[inline(never)]
    fn find_first(&mut self) {
        let stray = self.strays.peek().map_or(Key::NEVER, |stray| stray.0.key);
        (self.first, self.at, self.second) = (stray, usize::MAX, Key::NEVER);
        for (at, run) in self.runs.iter().enumerate() {
            let first = run.first();
            if first < self.first {
                (self.second, self.first, self.at) = (self.first, first, at);
            } else {
                self.second = self.second.min(first);
            }
        }
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
        self.due.get(ns.slot()).copied().unwrap_or(Key::NEVER)
    }

    #[inline]
    fn of(&self, ns: NsId) -> Option<Time> {
        Some(self.key_of(ns)).filter(|key| *key != Key::NEVER).map(Key::time)
    }

    #[inline]
    fn first(&self) -> Key {
        self.heap.peek().map_or(Key::NEVER, |first| first.0.0)
    }

    fn set(&mut self, ns: NsId, key: Key) {
        let slot = ns.slot();
        if slot >= self.due.len() {
            self.due.resize(slot + 1, Key::NEVER);
        }
        let Some(place) = self.due.get_mut(slot) else { return };
        self.set -= usize::from(*place != Key::NEVER);
        *place = key;
        if key != Key::NEVER {
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
            *place = Key::NEVER;
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

    /// What happens, and the first byte of the frame that does.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Seen {
        Frame(End, u8),
        Tick(NsId),
        Chore(Chore),
    }

    fn seen(event: Event, pool: &mut FramePool) -> Seen {
        match event {
            Event::Arrive(end, frame) => {
                let byte = frame[0];
                pool.give(frame);
                Seen::Frame(end, byte)
            }
            Event::Tick(ns) => Seen::Tick(ns),
            Event::Chore(chore) => Seen::Chore(chore),
        }
    }

    #[test]
    fn at_one_instant_the_first_queued_is_first() {
        let (mut queue, mut pool) = (Queue::default(), FramePool::new());
        for (time, ns) in [(7, 1), (5, 2), (7, 3), (5, 4)] {
            queue.push(Time(time), Chore::Cleanup(NsId(ns)));
        }
        let gone = queue.push(Time(1), Chore::LinkWatch);
        queue.cancel(gone);
        assert_eq!(queue.next(), Some(Time(5)));
        assert!(queue.pop(Time(4)).is_none());
        let order: Vec<Seen> =
            std::iter::from_fn(|| queue.pop(Time(7))).map(|(_, event)| seen(event, &mut pool)).collect();
        assert_eq!(order, [2, 4, 1, 3].map(|ns| Seen::Chore(Chore::Cleanup(NsId(ns)))));
    }

    /// Whatever is queued, cancelled and set anew: what comes out is what a sorted map gives.
    #[test]
    fn the_order_is_that_of_a_sorted_map() {
        let (mut queue, mut pool) = (Queue::default(), FramePool::new());
        let mut rng = Rng::new(3);
        let mut oracle: BTreeMap<(Time, u64), Seen> = BTreeMap::new();
        let (mut now, mut sequence) = (0, 0);
        for _ in 0..20_000 {
            let time = Time(now + rng.below(40));
            let ns = NsId(if rng.below(9) == 0 { u32::MAX } else { rng.below(12) as u32 });
            match rng.below(8) {
                0..4 => {
                    // More delays than there are runs.
                    let end = End::at(rng.below(3) as u32, (now & 1) as u8);
                    sequence += 1;
                    let byte = rng.below(256) as u8;
                    queue.send(time, end, pool.copy(&[byte]));
                    oracle.insert((time, sequence), Seen::Frame(end, byte));
                }
                4 => {
                    let old = oracle.iter().find(|(_, event)| **event == Seen::Tick(ns)).map(|(key, _)| *key);
                    let time = Some(time).filter(|_| rng.below(4) > 0);
                    queue.set_timer(ns, time);
                    if old.map(|old| old.0) != time {
                        old.and_then(|old| oracle.remove(&old));
                        sequence += u64::from(time.is_some());
                        time.and_then(|time| oracle.insert((time, sequence), Seen::Tick(ns)));
                    }
                }
                5 => {
                    sequence += 1;
                    let key = queue.push(time, Chore::LinkWatch);
                    assert_eq!((key, key.time()), (Key::new(time, sequence), time));
                    if rng.below(2) == 0 {
                        queue.cancel(key);
                    } else {
                        oracle.insert((time, sequence), Seen::Chore(Chore::LinkWatch));
                    }
                }
                _ => {
                    assert_eq!(queue.next(), oracle.first_key_value().map(|(key, _)| key.0));
                    let popped = queue.pop(time).map(|(at, event)| (at, seen(event, &mut pool)));
                    let due = oracle.first_key_value().map(|((at, _), event)| (*at, *event));
                    assert_eq!(popped, due.filter(|(at, _)| *at <= time));
                    if let Some((at, _)) = popped {
                        now = at.0;
                        oracle.pop_first();
                    }
                }
            }
        }
        while let Some(frame) = queue.take_frame() {
            pool.give(frame);
        }
        assert_eq!((queue.frames(), pool.taken()), (0, 0));
    }
}
