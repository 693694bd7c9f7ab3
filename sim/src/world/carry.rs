//! Frames between stacks: visiting a stack, carrying what leaves it, and delivering what arrives.

use super::cable::{CableId, End, Place};
use super::record::Watcher;
use super::{NsId, World};
use vethlab_engine::Stack;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::frame::FrameBuf;
use vethlab_engine::link::{Port, PortCounters};
use vethlab_engine::local::SocketId;
use vethlab_engine::observe::{Observer, Step};
use vethlab_engine::reason::DropReason;
use vethlab_engine::stack::Cx;
use vethlab_engine::time::{Duration, Time};
use vethlab_engine::wire::ethernet;

/// Bytes that a frame may have more than MTU and Ethernet header (`VLAN_HLEN`).
const TAG: u32 = 4;

/// Bytes of a frame that a port takes (`is_skb_forwardable`).
fn taken_by(port: &Port) -> u32 {
    port.mtu.saturating_add(ethernet::HEADER as u32 + TAG)
}

/// Where a frame that leaves goes.
struct Way {
    /// The end that it will come out of.
    far: End,
    place: Place,
    delay: Duration,
}

impl World {
    /// Lets `act` at a stack. What leaves the stack is carried at [`World::finish`], or before it at [`World::carry`].
    #[inline]
    pub(super) fn visit<R>(
        &mut self,
        ns: NsId,
        act: impl FnOnce(&mut Stack, &mut Cx<'_>, &mut Watcher<'_>) -> R,
    ) -> Option<R> {
        let net = self.nets.get_mut(ns)?;
        if let Some(recorder) = &mut self.recorder {
            recorder.look(ns, self.names.name_of(ns), net.stack.ports());
        }
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        let mut watcher = Watcher::new(self.now, self.recorder.as_mut());
        let result = act(&mut net.stack, &mut cx, &mut watcher);
        if net.stack.has_link_news() {
            self.news.extend(net.stack.take_link_news().into_iter().map(|news| (ns, news)));
        }
        if !self.out.is_empty() {
            self.take_out(ns);
        }
        self.touch(ns);
        Some(result)
    }

    /// Takes what a stack has sent. Where nothing else waits to be carried or done before, it is carried at once: that is what
    /// [`World::finish`] would do next.
    fn take_out(&mut self, ns: NsId) {
        let first = !self.out.crosses() && self.leaving.is_empty() && self.crossing.is_empty();
        if first && self.passing && self.news.is_empty() && !self.watch_is_due() {
            let mut out = std::mem::take(&mut self.out);
            out.drain().for_each(|(port, frame)| self.carry_one(ns, port, frame));
            self.out = out;
        } else {
            self.leaving.extend(self.out.drain().map(|(port, frame)| (ns, port, frame)));
            self.crossing.extend(self.out.drain_crossing());
        }
    }

    /// The timer of this stack may have changed.
    #[inline]
    pub(super) fn touch(&mut self, ns: NsId) {
        if self.touched.last() != Some(&ns) {
            self.touched.push(ns);
        }
    }

    /// Ends an operation: the link watch runs if it is due, frames that left are carried, timers are set anew.
    #[inline]
    pub(super) fn finish(&mut self) {
        if !self.news.is_empty() {
            self.heed_links();
        }
        self.watch_run_due();
        self.carry();
        self.set_timers();
        #[cfg(debug_assertions)]
        self.check();
    }

    /// Checks what must hold: in small worlds each time, in large ones as seldom as they are larger.
    #[cfg(debug_assertions)]
    fn check(&mut self) {
        const SMALL: usize = 64;
        self.unchecked += SMALL;
        if self.unchecked < self.nets.len() {
            return;
        }
        self.unchecked = 0;
        if let Err(broken) = crate::invariant::check(self) {
            debug_assert!(false, "after {:?}: {broken}", self.now);
        }
    }

    /// Carries what left.
    #[inline]
    fn carry(&mut self) {
        loop {
            if let Some((way, frame)) = self.crossing.pop_front() {
                self.cross(way, frame);
                continue;
            }
            let Some((ns, port, frame)) = self.leaving.pop_front() else { break };
            self.carry_one(ns, port, frame);
        }
    }

    #[inline]
    fn carry_one(&mut self, ns: NsId, port: IfIndex, frame: FrameBuf) {
        match self.way(ns, port, &frame) {
            Ok(way) => self.set_out(way, frame),
            Err(reason) => self.lose(ns, port, frame, reason),
        }
    }

    /// Decides whether a cable takes a frame (`veth_xmit`): by which end it will come out, where that is, and after how long.
    /// What the other end does not take (`is_skb_forwardable`) it counts as well.
    #[inline]
    fn way(&mut self, ns: NsId, port: IfIndex, frame: &FrameBuf) -> Result<Way, DropReason> {
        let gone = DropReason::HostTargetGone;
        let near = self.nets.get(ns).and_then(|net| net.end(port)).ok_or(gone)?;
        let far = near.other();
        let cable = self.cables.get(near.cable()).ok_or(gone)?;
        let way = Way { far, place: cable.places[far.side()], delay: cable.delay };
        let Place::Port(peer_ns, index) = way.place else { return Ok(way) };
        let peer = self.nets.get(peer_ns).and_then(|net| net.stack.ports().get(index)).ok_or(gone)?;
        // A super-frame goes through: it is cut behind the cable, or never.
        let fits = frame.len() <= taken_by(peer) as usize || frame.offload.segment_size.is_some();
        let lost = match (peer.is_up(), fits) {
            (true, true) => return Ok(way),
            (true, false) => DropReason::TransmitRefused,
            (false, _) => DropReason::NoCarrier,
        };
        if let Some(counters) = self.counters_of(peer_ns, index) {
            counters.rx_dropped += 1;
        }
        Err(lost)
    }

    fn counters_of(&mut self, ns: NsId, port: IfIndex) -> Option<&mut PortCounters> {
        self.nets.get_mut(ns)?.stack.port_counters_mut(port)
    }

    /// Both ends of a cable learn what the other one takes.
    pub(super) fn tell_ends(&mut self, cable: CableId) {
        for end in cable.ends() {
            let takes = self.port_at(end.other()).map(|(_, peer)| taken_by(peer));
            if let (Some(takes), Some(Place::Port(ns, index))) = (takes, self.place(end))
                && let Some(port) = self.port_of_mut((ns, index))
            {
                port.takes = takes;
            }
        }
    }

    /// Sends a frame on its way.
    #[inline]
    fn set_out(&mut self, Way { far, place, delay }: Way, frame: FrameBuf) {
        if let Place::Device(number) = place {
            return self.device_send(number, frame);
        }
        self.digest.frame(self.now, far.way(), &frame);
        if place != Place::Internet {
            return self.queue.send(self.now + delay, far, frame);
        }
        if let Some((wait, reply)) = self.internet.as_mut().and_then(|internet| internet.answer(&frame)) {
            let reply = self.pool.copy(&reply);
            self.queue.send(self.now + delay + wait, far.other(), reply);
        }
        self.pool.give(frame);
    }

    /// Discards a frame that its stack has sent and counted, but no cable took.
    #[cold]
    fn lose(&mut self, ns: NsId, port: IfIndex, frame: FrameBuf, reason: DropReason) {
        if let Some(counters) = self.counters_of(ns, port) {
            counters.tx_packets = counters.tx_packets.saturating_sub(1);
            counters.tx_bytes = counters.tx_bytes.saturating_sub(frame.len() as u64);
            counters.tx_dropped += 1;
        }
        Watcher::new(self.now, self.recorder.as_mut()).step(Step::Dropped { reason });
        self.pool.give(frame);
    }

    /// Frames come out of a cable, one after the other. What each of them does elsewhere is done before the next one comes;
    /// only frames that leave by cables may wait until all are in, as they pass nobody who waits.
    pub(super) fn arrive(&mut self, end: End, frames: &mut Vec<FrameBuf>) {
        let Some(Place::Port(ns, index)) = self.place(end).filter(|_| !frames.is_empty()) else {
            return frames.drain(..).for_each(|frame| self.pool.give(frame));
        };
        let mut frames = frames.drain(..);
        let mut next = frames.next();
        while let Some(frame) = next {
            let (single, deadline) = (self.recorder.is_some(), self.queue.timer(ns));
            let mut waiting = Some(frame);
            self.passing = true;
            self.visit(ns, |stack, cx, watcher| {
                while let Some(frame) = waiting.take() {
                    stack.receive(cx, index, frame, watcher);
                    let goes_on = !single && !cx.out.crosses() && !stack.has_link_news();
                    if goes_on && frames.len() > 0 && stack.next_deadline() == deadline {
                        waiting = frames.next();
                    }
                }
            });
            self.passing = false;
            waiting.into_iter().for_each(|frame| self.pool.give(frame));
            self.in_hand = frames.len();
            self.finish();
            next = frames.next();
        }
    }

    /// Sets the timers of all stacks that were visited.
    #[inline]
    pub(super) fn set_timers(&mut self) {
        if self.touched.len() > 1 {
            self.touched.sort_unstable();
            self.touched.dedup();
        }
        for ns in self.touched.drain(..) {
            let Some(net) = self.nets.get(ns) else { continue };
            let wanted = net.stack.next_deadline().filter(|time| *time != Time::NEVER).map(|time| time.max(self.now));
            self.queue.set_timer(ns, wanted);
        }
    }

    /// Timers of a stack run out.
    pub(super) fn tick(&mut self, ns: NsId) {
        self.visit(ns, |stack, cx, watcher| stack.tick(cx, watcher));
        let deadline = self.nets.get(ns).and_then(|net| net.stack.next_deadline());
        debug_assert!(deadline.is_none_or(|time| time > self.now), "a timer did not move: {deadline:?}");
    }

    /// [`Stack::send_to`], and frames that leave are carried.
    pub fn send_to(&mut self, ns: NsId, socket: SocketId, to: (Ipv4Addr, u16), payload: &[u8]) -> Result<(), Errno> {
        let sent = self.visit(ns, |stack, cx, watcher| stack.send_to(cx, socket, to, payload, watcher));
        self.finish();
        sent.unwrap_or(Err(Errno::NetDown))
    }

    /// [`Stack::send_frame`], and frames that leave are carried.
    pub fn send_frame(
        &mut self,
        ns: NsId,
        socket: SocketId,
        port: IfIndex,
        to: Mac,
        payload: &[u8],
    ) -> Result<(), Errno> {
        let sent = self.visit(ns, |stack, cx, watcher| stack.send_frame(cx, socket, port, to, payload, watcher));
        self.finish();
        sent.unwrap_or(Err(Errno::NetDown))
    }
}
