//! Using an entry, and what time does to it: `__neigh_event_send`, `neigh_timer_handler`.

use super::entry::{in_timer, is_valid};
use super::{Action, Key, Neighbors};
use crate::addr::Mac;
use crate::control::Nud;
use crate::frame::FrameBuf;
use crate::reason::DropReason;
use crate::time::{Duration, Time, earlier, timer_wheel};

/// No timer runs shorter than a hundredth of a second (`HZ / 100`).
const SHORTEST: Duration = Duration::from_millis(10);

impl<T: 'static> Neighbors<T> {
    /// Runs every timer due at `now`. Makes actions.
    pub fn tick(&mut self, now: Time) {
        while let Some(&(at, key)) = self.timers.first()
            && at <= now
        {
            self.disarm(key);
            self.expire(now, key);
        }
        self.collect(now);
        self.release_deferred(now);
    }

    /// When [`tick`](Neighbors::tick) is wanted next.
    pub fn next_deadline(&self) -> Option<Time> {
        let timer = self.timers.first().map(|&(at, _)| at);
        earlier(earlier(timer, self.next_collection()), self.proxies.next_deadline())
    }

    #[cold]
    pub(super) fn resolve_slowly(&mut self, now: Time, key: Key) -> Option<Mac> {
        if !is_valid(self.table.get(key)?.state) {
            return None;
        }
        self.touch(now, key);
        self.table.get(key).map(|entry| entry.mac)
    }

    /// A packet uses the entry, whose MAC is known: a stale one begins to wait for a sign of life.
    pub(super) fn touch(&mut self, now: Time, key: Key) {
        let Some(entry) = self.table.get_quietly(key) else { return };
        entry.used = now;
        if entry.cached && entry.state != Nud::Stale {
            return;
        }
        let delay = self.conf_of(key).delay_first_probe_time;
        let Some(entry) = self.table.get_mut(key) else { return };
        entry.cached = true;
        let state = if entry.state == Nud::Stale { Nud::Delay } else { entry.state };
        let changed = state != entry.state;
        entry.enter(state);
        if changed {
            entry.updated = now;
            self.arm(now, key, now + delay);
        }
    }

    /// Begins to ask for an unknown MAC, unless that is under way.
    pub(super) fn ask(&mut self, now: Time, key: Key) {
        let conf = self.conf_of(key);
        let Some(entry) = self.table.get_mut(key) else { return };
        entry.used = now;
        if is_valid(entry.state) || entry.state == Nud::Incomplete {
            return;
        }
        entry.updated = now;
        if conf.mcast_solicit == 0 && conf.app_solicit == 0 {
            return entry.enter(Nud::Failed);
        }
        entry.enter(Nud::Incomplete);
        entry.probes = conf.ucast_solicit;
        self.arm(now, key, now + conf.retrans_time.max(SHORTEST));
        self.probe(key);
    }

    /// Parks a packet; the oldest make room for it, and it is parked even if it is too large itself.
    pub(super) fn enqueue(&mut self, key: Key, frame: FrameBuf, with: T) {
        let bound = self.conf_of(key).unres_qlen_bytes;
        let Key { port, ip } = key;
        let Some(entry) = self.table.get_mut(key).filter(|entry| entry.state == Nud::Incomplete) else {
            let reason = DropReason::NoNeighbor;
            return self.actions.push_back(Action::Discard { port, ip, reason, frame, with });
        };
        let size = frame.truesize();
        while entry.parked_bytes + size > bound
            && let Some((frame, with)) = entry.parked.pop_front()
        {
            entry.parked_bytes -= frame.truesize();
            self.parked -= 1;
            let reason = DropReason::NeighborQueueFull;
            self.actions.push_back(Action::Discard { port, ip, reason, frame, with });
        }
        entry.parked_bytes += size;
        entry.parked.push_back((frame, with));
        self.parked += 1;
    }

    /// Sends one probe: by unicast while there are tries left for that.
    fn probe(&mut self, key: Key) {
        let conf = self.conf_of(key);
        let Some(entry) = self.table.get_mut(key) else { return };
        let (tried, Key { port, ip }) = (entry.probes, key);
        entry.probes += 1;
        if tried < conf.ucast_solicit {
            self.actions.push_back(Action::Request { port, ip, unicast: Some(entry.mac) });
        } else if tried >= conf.ucast_solicit.saturating_add(conf.app_solicit) {
            self.actions.push_back(Action::Request { port, ip, unicast: None });
        }
    }

    /// An entry's timer went off.
    fn expire(&mut self, now: Time, key: Key) {
        let conf = self.conf_of(key);
        let reachable = self.reachable_time(now, key);
        let retrans = now + conf.retrans_time.max(SHORTEST);
        let Some(entry) = self.table.get_mut(key) else { return };
        let alive_until = Time(entry.confirmed.max(0) as u64) + reachable;
        let (state, next) = match entry.state {
            Nud::Reachable if entry.confirmed_within(now, reachable) => (Nud::Reachable, alive_until),
            Nud::Reachable if now <= entry.used + conf.delay_first_probe_time => {
                (Nud::Delay, now + conf.delay_first_probe_time)
            }
            Nud::Reachable => (Nud::Stale, now),
            Nud::Delay if entry.confirmed_within(now, conf.delay_first_probe_time) => (Nud::Reachable, alive_until),
            Nud::Delay => {
                entry.probes = 0;
                (Nud::Probe, retrans)
            }
            state => (state, retrans),
        };
        if state != entry.state {
            entry.updated = now;
            entry.enter(state);
        }
        let broadcasts_from = conf.ucast_solicit.saturating_add(conf.app_solicit);
        let tries = match state {
            Nud::Probe => broadcasts_from.saturating_add(conf.mcast_resolicit),
            _ => broadcasts_from.saturating_add(conf.mcast_solicit),
        };
        let asking = matches!(state, Nud::Incomplete | Nud::Probe);
        if asking && entry.probes >= tries {
            entry.enter(Nud::Failed);
            return self.invalidate(now, key);
        }
        if in_timer(state) {
            self.arm(now, key, next.max(now + SHORTEST));
        }
        if asking {
            self.probe(key);
        }
    }

    /// Nobody answered: what was parked is lost, and its senders are told (`neigh_invalidate`).
    pub(super) fn invalidate(&mut self, now: Time, key: Key) {
        if let Some(entry) = self.table.get_mut(key) {
            entry.updated = now;
        }
        self.discard_parked(key, DropReason::NoNeighbor);
    }

    /// Gives up everything that is parked for this entry.
    pub(super) fn discard_parked(&mut self, key: Key, reason: DropReason) {
        let Some(entry) = self.table.get_mut(key) else { return };
        let Key { port, ip } = key;
        entry.parked_bytes = 0;
        self.parked -= entry.parked.len();
        let actions = entry.parked.drain(..).map(|(frame, with)| Action::Discard { port, ip, reason, frame, with });
        self.actions.extend(actions);
    }

    /// Sets the entry's timer, in place of one it has.
    pub(super) fn arm(&mut self, now: Time, key: Key, at: Time) {
        let at = timer_wheel(now, at);
        self.disarm(key);
        if let Some(entry) = self.table.get_mut(key) {
            entry.timer = Some(at);
            self.timers.insert((at, key));
        }
    }

    /// Stops the entry's timer.
    pub(super) fn disarm(&mut self, key: Key) {
        if let Some(at) = self.table.get_mut(key).and_then(|entry| entry.timer.take()) {
            self.timers.remove(&(at, key));
        }
    }
}
