//! The link watch (`net/core/link_watch.c`): a namespace does not notice at once that a cable works or no longer does. It is
//! noticed at once where that is urgent, and else at most once a second, for all namespaces together. Until then the port's
//! state, its routes and its addresses stay what they were.

use super::cable::{End, Place};
use super::event::{Chore, Key};
use super::{NsId, World};
use std::collections::BTreeMap;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::{OperState, Port};
use vethlab_engine::time::{Duration, Time};

/// Between two looks at what is not urgent (`HZ`).
const PAUSE: Duration = Duration::from_secs(1);

/// A link whose carrier is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// The port at an end of a cable, wherever that is.
    End(End),
    /// A bridge, a VLAN and the like.
    Port(NsId, IfIndex),
}

/// The list of links whose state has changed and was not noticed yet.
#[derive(Debug, Default)]
pub(super) struct LinkWatch {
    /// Oldest first (`lweventlist`), each with its stamp. A link whose own stamp is another one is no longer waiting here.
    list: Vec<(u64, Watched)>,
    last_stamp: u64,
    /// How many wait.
    waiting: usize,
    /// The stamps of links without a cable; a cable keeps those of its ends.
    ports: BTreeMap<(NsId, IfIndex), u64>,
    /// Of those that wait, the ones that may be urgent now and were not when the list was looked through last. While worlds
    /// are built many wait that are not.
    doubtful: Vec<Watched>,
    /// Not before then, what is not urgent (`linkwatch_nextevent`).
    next: Time,
    /// `LW_URGENT`
    urgent: bool,
    /// When it looks next.
    key: Option<Key>,
}

impl LinkWatch {
    /// True if it is to look now.
    #[inline]
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.key.is_some_and(|key| key.time() <= now)
    }
}

impl World {
    /// The carrier of the port at this end turns on or off (`netif_carrier_on`, `netif_carrier_off`).
    pub(super) fn set_carrier(&mut self, end: End, on: bool) {
        let Some(Place::Port(ns, index)) = self.place(end) else { return };
        let changes = self.port_at(end).is_some_and(|(_, port)| port.carrier != on);
        if changes {
            self.stack_mut(ns).carrier(index, on);
            let watched = Watched::End(end);
            let urgent = self.is_urgent(watched);
            self.fire(watched, urgent);
        }
    }

    /// A port that is watched.
    fn watched_port(&self, watched: Watched) -> Option<(NsId, &Port)> {
        match watched {
            Watched::End(end) => self.port_at(end),
            Watched::Port(ns, index) => Some((ns, self.nets.get(ns)?.stack.ports().get(index)?)),
        }
    }

    /// `linkwatch_urgent_event`: a port that is up and depends on another one; or one that could send now but for the
    /// link watch.
    pub(super) fn is_urgent(&self, watched: Watched) -> bool {
        let Some((_, port)) = self.watched_port(watched).filter(|(_, port)| port.is_up()) else { return false };
        self.depends_on_another(watched, port.index) || port.carrier && port.was_up && !self.sends(watched)
    }

    /// True if the port takes frames to send.
    fn sends(&self, watched: Watched) -> bool {
        match watched {
            Watched::End(end) => self.is_active(end),
            Watched::Port(ns, index) => self.stands.is_active(ns, index),
        }
    }

    /// `dev->ifindex != dev_get_iflink(dev)`: the kernel compares indexes of two namespaces.
    pub(super) fn depends_on_another(&self, watched: Watched, index: IfIndex) -> bool {
        self.other_index(watched).is_some_and(|other| other != index)
    }

    /// `dev_get_iflink`
    fn other_index(&self, watched: Watched) -> Option<IfIndex> {
        match watched {
            Watched::End(end) => self.port_at(end.other()).map(|(_, peer)| peer.index),
            Watched::Port(ns, index) => self.stands.followed_by(ns, index).map(|(_, lower)| lower),
        }
    }

    /// The stamp of a link; 0 if it does not wait.
    fn stamp(&self, watched: Watched) -> u64 {
        match watched {
            Watched::End(end) => self.cables.get(end.cable()).map_or(0, |cable| cable.watched[end.side()]),
            Watched::Port(ns, index) => self.watch.ports.get(&(ns, index)).copied().unwrap_or(0),
        }
    }

    fn set_stamp(&mut self, watched: Watched, stamp: u64) {
        match watched {
            Watched::End(end) => {
                if let Some(cable) = self.cables.get_mut(end.cable()) {
                    cable.watched[end.side()] = stamp;
                }
            }
            Watched::Port(ns, index) if stamp == 0 => drop(self.watch.ports.remove(&(ns, index))),
            Watched::Port(ns, index) => drop(self.watch.ports.insert((ns, index), stamp)),
        }
    }

    /// Puts a link at the end of the list; false if it waits there already.
    fn wait(&mut self, watched: Watched) -> bool {
        if self.stamp(watched) != 0 {
            return false;
        }
        self.watch.last_stamp += 1;
        let stamp = self.watch.last_stamp;
        self.set_stamp(watched, stamp);
        if self.watch.list.len() > 2 * self.watch.waiting + 64 {
            let list = std::mem::take(&mut self.watch.list);
            self.watch.list = list.into_iter().filter(|(stamp, watched)| self.stamp(*watched) == *stamp).collect();
        }
        self.watch.list.push((stamp, watched));
        self.watch.waiting += 1;
        true
    }

    /// `linkwatch_fire_event`
    pub(super) fn fire(&mut self, watched: Watched, urgent: bool) {
        let comes = self.wait(watched);
        self.watch.doubtful.push(watched);
        if comes || urgent {
            self.watch_schedule(urgent);
        }
    }

    /// A link may have become urgent, if it waits: it was set up, say.
    pub(super) fn doubt(&mut self, watched: Watched) {
        if self.stamp(watched) != 0 {
            self.watch.doubtful.push(watched);
        }
    }

    /// `linkwatch_schedule_work`
    fn watch_schedule(&mut self, urgent: bool) {
        let watch = &mut self.watch;
        if watch.urgent {
            return;
        }
        let mut at = self.now;
        if urgent {
            watch.urgent = true;
            watch.key.take().into_iter().for_each(|key| self.queue.cancel(key));
        } else if watch.next > self.now && watch.next.since(self.now) <= PAUSE {
            at = watch.next;
        }
        if watch.key.is_none() {
            watch.key = Some(self.queue.push(at, Chore::LinkWatch));
        }
    }

    /// `__linkwatch_run_queue`
    pub(super) fn watch_run(&mut self) {
        let watch = &mut self.watch;
        watch.key = None;
        let urgent_only = watch.next > self.now;
        if !urgent_only {
            watch.next = self.now + PAUSE;
        }
        watch.urgent = false;
        match self.doubtful_ones().filter(|_| urgent_only) {
            Some(doubtful) => doubtful.into_iter().for_each(|watched| self.notice_if_urgent(watched)),
            None => self.look_through(urgent_only),
        }
        if self.watch.waiting > 0 {
            self.watch_schedule(false);
        }
    }

    /// Looks at all that wait. What is not noticed now waits on, behind those that have come meanwhile.
    fn look_through(&mut self, urgent_only: bool) {
        let list = std::mem::take(&mut self.watch.list);
        self.watch.doubtful.clear();
        let waited: Vec<Watched> =
            list.into_iter().filter(|(stamp, watched)| self.stamp(*watched) == *stamp).map(|(_, it)| it).collect();
        waited.iter().for_each(|watched| self.watch_forget(*watched));
        for watched in waited {
            if urgent_only && !self.is_urgent(watched) {
                self.wait(watched);
            } else {
                self.notice(watched);
            }
        }
    }

    /// Those of the waiting that may be urgent, oldest first; none if one of them may make others wait when it is noticed, as
    /// a link does on which others stand: then the order counts, and all are looked at.
    fn doubtful_ones(&mut self) -> Option<Vec<Watched>> {
        let mut doubtful = std::mem::take(&mut self.watch.doubtful);
        doubtful.retain(|watched| self.stamp(*watched) != 0);
        doubtful.sort_by_key(|watched| self.stamp(*watched));
        doubtful.dedup();
        let is_plain = |watched: &Watched| {
            let port = self.watched_port(*watched).map(|(_, port)| port);
            matches!(watched, Watched::End(_)) && port.is_some_and(|port| !port.is_tapped())
        };
        debug_assert!(self.none_is_overlooked(&doubtful));
        doubtful.iter().all(is_plain).then_some(doubtful)
    }

    /// True if nobody else waits that is urgent. Of a long list the end is looked at.
    fn none_is_overlooked(&self, doubtful: &[Watched]) -> bool {
        let waiting = self.watch.list.iter().rev().take(64).filter(|(stamp, watched)| self.stamp(*watched) == *stamp);
        waiting.into_iter().all(|(_, watched)| doubtful.contains(watched) || !self.is_urgent(*watched))
    }

    fn notice_if_urgent(&mut self, watched: Watched) {
        if self.is_urgent(watched) {
            self.watch_forget(watched);
            self.notice(watched);
        }
    }

    /// Runs the link watch if it is due: the kernel's does as soon as the request that woke it has let the lock go.
    pub(super) fn watch_run_due(&mut self) {
        while let Some(key) = self.watch.key.filter(|key| key.time() <= self.now) {
            self.queue.cancel(key);
            self.watch_run();
        }
    }

    /// Forgets a link that is gone, or was seen to.
    pub(super) fn watch_forget(&mut self, gone: Watched) {
        if self.stamp(gone) != 0 {
            self.set_stamp(gone, 0);
            self.watch.waiting -= 1;
        }
    }

    /// `linkwatch_do_dev`
    fn notice(&mut self, watched: Watched) {
        let Some((ns, port)) = self.watched_port(watched) else { return };
        let (index, up, carrier) = (port.index, port.is_up(), port.carrier);
        let state = self.default_operstate(watched, ns, index, carrier);
        if up {
            match watched {
                Watched::End(end) => self.set_active(end, carrier),
                Watched::Port(ns, index) => self.stands.set_active(ns, index, carrier),
            }
        }
        self.visit(ns, |stack, cx, _| stack.link_change(cx, index, state));
        self.heed_links();
    }

    /// `default_operstate`: a port without carrier is `LOWERLAYERDOWN` if a port of its own namespace has the number of the
    /// other end, and has no carrier either. Whether that port is the other end is not asked.
    fn default_operstate(&self, watched: Watched, ns: NsId, index: IfIndex, carrier: bool) -> OperState {
        if carrier {
            return OperState::Up;
        }
        let Some(other) = self.other_index(watched).filter(|other| *other != index) else {
            return OperState::Down;
        };
        match self.stack(ns).ports().get(other) {
            Some(below) if !below.carrier => OperState::LowerLayerDown,
            _ => OperState::Down,
        }
    }

    /// `linkwatch_sync_dev`: whoever asks the kernel for this one link (`RTM_GETLINK` by name or number, as iproute2 does for
    /// each `dev NAME`), or reads its `carrier`, makes it notice now.
    pub fn link_sync(&mut self, ns: NsId, index: IfIndex) {
        let watched = self.end_at(ns, index).map_or(Watched::Port(ns, index), Watched::End);
        if self.stamp(watched) != 0 {
            self.watch_forget(watched);
            self.notice(watched);
            self.finish();
        }
    }
}
