//! The real clock, as the packet path counts time.

#![allow(clippy::disallowed_methods, reason = "here real time enters, and nowhere else")]

use crate::time::Time;
use std::time::Instant;

/// A clock that starts where the path's time stands.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Time,
    began: Instant,
}

impl Clock {
    /// It shows `start` now.
    pub fn start_at(start: Time) -> Clock {
        Clock { start, began: Instant::now() }
    }

    /// What it shows.
    pub fn now(&self) -> Time {
        self.start + self.began.elapsed()
    }
}
