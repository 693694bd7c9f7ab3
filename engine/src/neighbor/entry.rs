//! One neighbour, and its state's properties.

use super::table::Key;
use crate::addr::{IpAddr, Mac};
use crate::control::{IfIndex, Nud};
use crate::frame::FrameBuf;
use crate::time::{Duration, Time};
use std::collections::VecDeque;

/// One neighbour, as listings show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborEntry {
    /// The link.
    pub port: IfIndex,
    /// Its address.
    pub ip: IpAddr,
    /// Its MAC, while it is valid.
    pub mac: Option<Mac>,
    /// Its state.
    pub state: Nud,
    /// `router`
    pub router: bool,
    /// `extern_learn`
    pub extern_learn: bool,
    /// `proto`, 0 if not set.
    pub protocol: u8,
    /// How long ago it was used.
    pub used: Duration,
    /// How long ago it gave a sign of life.
    pub confirmed: Duration,
    /// How long ago it changed.
    pub updated: Duration,
    /// Probes sent, as `ip -s neigh` counts them.
    pub probes: u32,
    /// `ndm_refcnt`: 1 while a timer runs.
    pub references: u32,
}

/// One neighbour (`struct neighbour`).
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) key: Key,
    pub(super) mac: Mac,
    pub(super) state: Nud,
    /// Its MAC may be used without another look: it is connected, and was used before (Linux's cached hard header).
    pub(super) fast: bool,
    /// A packet was sent by it: Linux would have the hard header cached.
    pub(super) cached: bool,
    pub(super) router: bool,
    pub(super) extern_learn: bool,
    pub(super) protocol: u8,
    /// Nanoseconds, and negative where a fresh entry counts as confirmed long ago.
    pub(super) confirmed: i64,
    pub(super) used: Time,
    pub(super) updated: Time,
    pub(super) probes: u32,
    pub(super) timer: Option<Time>,
    pub(super) parked: VecDeque<(FrameBuf, T)>,
    pub(super) parked_bytes: usize,
    /// It counts for the limits, and may be collected.
    pub(super) collectable: bool,
    /// Its number in the order of creation.
    pub(super) born: u64,
}

impl<T> Entry<T> {
    pub(super) fn new(now: Time, key: Key, base_reachable_time: Duration, born: u64) -> Entry<T> {
        Entry {
            key,
            mac: Mac::ZERO,
            state: Nud::None,
            fast: false,
            cached: false,
            router: false,
            extern_learn: false,
            protocol: 0,
            confirmed: long_ago(now, base_reachable_time),
            used: now,
            updated: now,
            probes: 0,
            timer: None,
            parked: VecDeque::new(),
            parked_bytes: 0,
            collectable: true,
            born,
        }
    }

    pub(super) fn view(&self, now: Time) -> NeighborEntry {
        NeighborEntry {
            port: self.key.port,
            ip: self.key.ip,
            mac: is_valid(self.state).then_some(self.mac),
            state: self.state,
            router: self.router,
            extern_learn: self.extern_learn,
            protocol: self.protocol,
            used: now.since(self.used),
            confirmed: Duration::from_nanos((now.0 as i64).saturating_sub(self.confirmed).max(0) as u64),
            updated: now.since(self.updated),
            probes: self.probes,
            references: u32::from(self.timer.is_some()),
        }
    }

    /// True if `now` is at most `span` after the last sign of life.
    pub(super) fn confirmed_within(&self, now: Time, span: Duration) -> bool {
        i128::from(now.0) <= i128::from(self.confirmed) + span.as_nanos() as i128
    }

    /// Sets the state, and with it whether the hot path may use the entry.
    pub(super) fn enter(&mut self, state: Nud) {
        self.state = state;
        self.fast = self.cached && is_connected(state);
    }
}

/// A time of confirmation that no rule takes for recent: two reachable times ago.
pub(super) fn long_ago(now: Time, base_reachable_time: Duration) -> i64 {
    let span = i64::try_from(base_reachable_time.as_nanos() * 2).unwrap_or(i64::MAX);
    (now.0 as i64).saturating_sub(span)
}

/// `NUD_CONNECTED`: the MAC is right.
pub(super) const fn is_connected(state: Nud) -> bool {
    matches!(state, Nud::Permanent | Nud::Noarp | Nud::Reachable)
}

/// `NUD_VALID`: there is a MAC to send to.
pub(super) const fn is_valid(state: Nud) -> bool {
    is_connected(state) || matches!(state, Nud::Stale | Nud::Delay | Nud::Probe)
}

/// `NUD_IN_TIMER`: the state ends by itself.
pub(super) const fn in_timer(state: Nud) -> bool {
    matches!(state, Nud::Incomplete | Nud::Reachable | Nud::Delay | Nud::Probe)
}
