//! What will happen: a queue ordered by time and, at one instant, by who was queued first.

use super::NsId;
use super::cable::End;
use std::collections::BTreeMap;
use vethlab_engine::frame::FrameBuf;
use vethlab_engine::time::Time;

/// When, and which of those at that instant.
pub(super) type Key = (Time, u64);

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame comes out of this end of a cable.
    Arrive(End, FrameBuf),
    /// A timer of this namespace's stack runs out.
    Tick(NsId),
    /// The link watch looks at its list.
    LinkWatch,
    /// A namespace that nobody refers to any more is taken down.
    Cleanup(NsId),
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    events: BTreeMap<Key, Event>,
    sequence: u64,
    frames: usize,
}

impl Queue {
    /// Adds an event.
    pub(super) fn push(&mut self, time: Time, event: Event) -> Key {
        self.sequence += 1;
        self.frames += usize::from(matches!(event, Event::Arrive(..)));
        let key = (time, self.sequence);
        self.events.insert(key, event);
        key
    }

    /// Takes out an event that holds no frame, before it happens.
    pub(super) fn cancel(&mut self, key: Key) {
        let gone = self.events.remove(&key);
        debug_assert!(!matches!(gone, Some(Event::Arrive(..))), "a frame on its way cannot be called back");
    }

    /// When the next event is.
    pub(super) fn next(&self) -> Option<Time> {
        self.events.first_key_value().map(|((time, _), _)| *time)
    }

    /// The next event, if it is not later than `limit`.
    pub(super) fn pop(&mut self, limit: Time) -> Option<(Time, Event)> {
        if self.next()? > limit {
            return None;
        }
        let ((time, _), event) = self.events.pop_first()?;
        self.frames -= usize::from(matches!(event, Event::Arrive(..)));
        Some((time, event))
    }

    /// How many frames are on their way.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_one_instant_the_first_queued_is_first() {
        let mut queue = Queue::default();
        for (time, ns) in [(7, 1), (5, 2), (7, 3), (5, 4)] {
            queue.push(Time(time), Event::Tick(NsId(ns)));
        }
        let gone = queue.push(Time(1), Event::LinkWatch);
        queue.cancel(gone);
        assert_eq!(queue.next(), Some(Time(5)));
        assert!(queue.pop(Time(4)).is_none());
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop(Time(7)))
            .map(|(_, event)| if let Event::Tick(ns) = event { ns.0 } else { 0 })
            .collect();
        assert_eq!(order, [2, 4, 1, 3]);
    }
}
