//! Frames between stacks: visiting a stack, carrying what leaves it, and delivering what arrives.

use super::cable::{CableId, Cables, End, Place};
use super::event::Queue;
use super::nets::Net;
use super::record::Watcher;
use super::{NsId, World};
use crate::digest::Digest;
use vethlab_engine::Stack;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::frame::FrameBuf;
use vethlab_engine::link::{Port, PortCounters};
use vethlab_engine::local::SocketId;
use vethlab_engine::observe::{Observer, Silent, Step};
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
#[derive(Clone, Copy)]
struct Way {
    /// The end that it will come out of.
    far: End,
    place: Place,
    delay: Duration,
    /// Bytes that the port there takes.
    takes: u32,
}

/// The way of what leaves a namespace by a port, if there is a cable.
#[inline(always)]
fn way(net: &Net, cables: &Cables, port: IfIndex) -> Option<Way> {
    let far = net.end(port)?.other();
    let cable = cables.get(far.cable())?;
    let side = far.side();
    Some(Way { far, place: cable.places[side], delay: cable.delay, takes: cable.takes[side] })
}

/// When a stack's timer is to run out.
#[inline]
fn wanted(stack: &Stack, now: Time) -> Option<Time> {
    stack.next_deadline().filter(|time| *time != Time::NEVER).map(|time| time.max(now))
}

impl Way {
    /// True if it leads to a port, which takes this frame.
    #[inline]
    fn is_through(&self, frame: &FrameBuf) -> bool {
        matches!(self.place, Place::Port(..)) && self.takes(frame)
    }

    /// Sends a frame to the port at the far end.
    #[inline(always)]
    fn set_out(self, now: Time, digest: &mut Digest, queue: &mut Queue, frame: FrameBuf) {
        digest.frame(now, self.far.way(), &frame);
        queue.send(now + self.delay, self.far, frame);
    }

    /// True if the port at the far end takes this frame (`veth_xmit`, `is_skb_forwardable`). A super-frame goes through: it is
    /// cut behind the cable, or never.
    #[inline]
    fn takes(&self, frame: &FrameBuf) -> bool {
        frame.len() <= self.takes as usize || self.takes > 0 && frame.offload().segment_size.is_some()
    }
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
            recorder.look(ns, net.name.as_deref(), net.stack.ports());
        }
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        let mut watcher = Watcher::new(self.now, self.recorder.as_mut());
        let result = act(&mut net.stack, &mut cx, &mut watcher);
        self.take_over(ns);
        Some(result)
    }

    /// Takes what a visit leaves to be done: what has happened to links, frames, and the timer.
    #[inline]
    fn take_over(&mut self, ns: NsId) {
        if let Some(net) = self.nets.get_mut(ns).filter(|net| net.stack.has_link_news()) {
            self.news.extend(net.stack.take_link_news().into_iter().map(|news| (ns, news)));
        }
        if !self.out.is_empty() {
            self.leaving.extend(self.out.drain().map(|(port, frame)| (ns, port, frame)));
            self.crossing.extend(self.out.drain_crossing());
        }
        self.touch(ns);
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
        debug_assert!(self.cables_know_their_ends(), "after {:?}", self.now);
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
        let Some(way) = self.nets.get(ns).and_then(|net| way(net, &self.cables, port)) else {
            return self.lose(ns, port, frame, DropReason::HostTargetGone);
        };
        let Place::Port(peer_ns, index) = way.place else { return self.set_out(way, frame) };
        if way.takes(&frame) {
            return self.set_out(way, frame);
        }
        // The other end counts as well what it does not take.
        if let Some(counters) = self.counters_of(peer_ns, index) {
            counters.rx_dropped += 1;
        }
        let reason = if way.takes == 0 { DropReason::NoCarrier } else { DropReason::TransmitRefused };
        self.lose(ns, port, frame, reason);
    }

    fn counters_of(&mut self, ns: NsId, port: IfIndex) -> Option<&mut PortCounters> {
        self.nets.get_mut(ns)?.stack.port_counters_mut(port)
    }

    /// A cable and both of its ends learn what the ports there take.
    pub(super) fn tell_ends(&mut self, id: CableId) {
        for end in id.ends() {
            let Some((takes, is_up)) = self.port_at(end).map(|(_, port)| (taken_by(port), port.is_up())) else {
                continue;
            };
            if let Some(cable) = self.cables.get_mut(id) {
                cable.takes[end.side()] = if is_up { takes } else { 0 };
            }
            if let Some(Place::Port(ns, index)) = self.place(end.other())
                && let Some(port) = self.port_of_mut((ns, index))
            {
                port.takes = takes;
            }
        }
    }

    /// True if the cables know what their ends take.
    #[cfg(debug_assertions)]
    pub(super) fn cables_know_their_ends(&self) -> bool {
        self.cables.iter().all(|(id, cable)| {
            id.ends().into_iter().all(|end| {
                let takes = self.port_at(end).map(|(_, port)| if port.is_up() { taken_by(port) } else { 0 });
                takes.is_none_or(|takes| takes == cable.takes[end.side()])
            })
        })
    }

    /// Sends a frame on its way.
    #[inline]
    fn set_out(&mut self, way: Way, frame: FrameBuf) {
        match way.place {
            Place::Device(number) => self.device_send(number, frame),
            Place::Internet => self.ask_internet(way, frame),
            Place::Port(..) => way.set_out(self.now, &mut self.digest, &mut self.queue, frame),
        }
    }

    /// A frame for the simulated outside, which may answer.
    fn ask_internet(&mut self, Way { far, delay, .. }: Way, frame: FrameBuf) {
        self.digest.frame(self.now, far.way(), &frame);
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

    /// A frame comes out of a cable. If it only passes through the namespace there, it goes into the next cable at once.
    #[inline(always)]
    pub(super) fn arrive(&mut self, end: End, mut frame: FrameBuf) {
        let World { now, nets, cables, queue, digest, .. } = self;
        let Some(Place::Port(ns, index)) = cables.place(end) else { return self.pool.give(frame) };
        if self.recorder.is_some() || self.watch.is_due(*now) {
            return self.receive_watched(ns, index, frame);
        }
        let Some(net) = nets.get_mut(ns) else { return self.pool.give(frame) };
        let Some(port) = net.stack.pass(index, &mut frame, &mut Silent) else {
            return self.receive(ns, index, frame);
        };
        match way(net, cables, port).filter(|way| way.is_through(&frame)) {
            Some(way) => way.set_out(*now, digest, queue, frame),
            None => self.carry_one(ns, port, frame),
        }
        #[cfg(debug_assertions)]
        self.check();
    }

    /// A frame comes in while somebody watches, or when the link watch is due.
    #[cold]
    fn receive_watched(&mut self, ns: NsId, index: IfIndex, frame: FrameBuf) {
        self.visit(ns, |stack, cx, watcher| stack.receive(cx, index, frame, watcher));
        self.finish();
    }

    /// A frame comes in, nobody watches, and the link watch is not due.
    fn receive(&mut self, ns: NsId, index: IfIndex, frame: FrameBuf) {
        self.visit_quietly(ns, |stack, cx| stack.receive(cx, index, frame, &mut Silent));
    }

    /// True if nobody watches, and nothing is left to be done by [`World::finish`].
    fn is_quiet(&self) -> bool {
        let idle = self.touched.is_empty() && self.news.is_empty();
        idle && self.recorder.is_none() && !self.watch.is_due(self.now)
    }

    /// Lets `act` at a stack, and ends the operation. Where all that follows is frames for cables and a timer, they are seen
    /// to here, in the order in which [`World::finish`] does that.
    #[inline(always)]
    fn visit_quietly<R>(&mut self, ns: NsId, act: impl FnOnce(&mut Stack, &mut Cx<'_>) -> R) -> Option<R> {
        let World { now, nets, cables, queue, pool, out, leaving, digest, .. } = self;
        let net = nets.get_mut(ns)?;
        let result = act(&mut net.stack, &mut Cx { now: *now, pool, out });
        if !out.crosses() && !net.stack.has_link_news() {
            for (port, frame) in out.drain() {
                match way(net, cables, port).filter(|way| leaving.is_empty() && way.is_through(&frame)) {
                    Some(way) => way.set_out(*now, digest, queue, frame),
                    None => leaving.push_back((ns, port, frame)),
                }
            }
            if leaving.is_empty() {
                queue.set_timer(ns, wanted(&net.stack, *now));
                #[cfg(debug_assertions)]
                self.check();
                return Some(result);
            }
        }
        self.take_over(ns);
        self.finish();
        Some(result)
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
            self.queue.set_timer(ns, wanted(&net.stack, self.now));
        }
    }

    /// Timers of a stack run out.
    pub(super) fn tick(&mut self, ns: NsId) {
        self.visit(ns, |stack, cx, watcher| stack.tick(cx, watcher));
        let deadline = self.nets.get(ns).and_then(|net| net.stack.next_deadline());
        debug_assert!(deadline.is_none_or(|time| time > self.now), "a timer did not move: {deadline:?}");
        self.finish();
    }

    /// [`Stack::send_to`], and frames that leave are carried.
    pub fn send_to(&mut self, ns: NsId, socket: SocketId, to: (Ipv4Addr, u16), payload: &[u8]) -> Result<(), Errno> {
        let sent = if self.is_quiet() {
            self.visit_quietly(ns, |stack, cx| stack.send_to(cx, socket, to, payload, &mut Silent))
        } else {
            let sent = self.visit(ns, |stack, cx, watcher| stack.send_to(cx, socket, to, payload, watcher));
            self.finish();
            sent
        };
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
