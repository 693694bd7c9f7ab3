//! Frames between stacks: visiting a stack, carrying what leaves it, and delivering what arrives.

use super::cable::{CableId, End, Place};
use super::event::Event;
use super::record::Watcher;
use super::{NsId, World};
use vethlab_engine::Stack;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::frame::FrameBuf;
use vethlab_engine::link::Port;
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

impl World {
    /// Lets `act` at a stack. What leaves the stack is carried at [`World::finish`], or before it at [`World::carry`].
    pub(super) fn visit<R>(
        &mut self,
        ns: NsId,
        act: impl FnOnce(&mut Stack, &mut Cx<'_>, &mut Watcher<'_>) -> R,
    ) -> Option<R> {
        let net = self.nets.get_mut(&ns)?;
        if let Some(recorder) = &mut self.recorder {
            recorder.look(ns, self.names.name_of(ns), net.stack.ports());
        }
        let mut cx = Cx { now: self.now, pool: &mut self.pool, out: &mut self.out };
        let mut watcher = Watcher::new(self.now, self.recorder.as_mut());
        let result = act(&mut net.stack, &mut cx, &mut watcher);
        self.leaving.extend(self.out.drain().map(|(port, frame)| (ns, port, frame)));
        self.crossing.extend(self.out.drain_crossing());
        self.news.extend(net.stack.take_link_news().into_iter().map(|news| (ns, news)));
        self.touched.insert(ns);
        Some(result)
    }

    /// Ends an operation: the link watch runs if it is due, frames that left are carried, timers are set anew.
    pub(super) fn finish(&mut self) {
        self.heed_links();
        self.watch_run_due();
        self.carry();
        self.set_timers();
        #[cfg(debug_assertions)]
        if let Err(broken) = crate::invariant::check(self) {
            debug_assert!(false, "after {:?}: {broken}", self.now);
        }
    }

    /// Carries what left.
    fn carry(&mut self) {
        loop {
            if let Some((way, frame)) = self.crossing.pop_front() {
                self.cross(way, frame);
                continue;
            }
            let Some((ns, port, frame)) = self.leaving.pop_front() else { break };
            match self.take_frame(ns, port, &frame) {
                Ok((end, delay)) => self.set_out(end, frame, delay),
                Err(reason) => self.lose(ns, port, frame, reason),
            }
        }
    }

    /// Decides whether a cable takes a frame (`veth_xmit`): by which end it will come out, and after how long. What the other
    /// end does not take (`is_skb_forwardable`) it counts as well.
    fn take_frame(&mut self, ns: NsId, port: IfIndex, frame: &FrameBuf) -> Result<(End, Duration), DropReason> {
        let gone = DropReason::HostTargetGone;
        let Some(near) = self.end_at(ns, port) else { return Err(gone) };
        let Some(cable) = self.cables.get(&near.cable) else { return Err(gone) };
        let far = near.other();
        let Some((_, peer)) = self.port_at(far) else {
            return match self.place(far) {
                Some(Place::Internet | Place::Device(_)) => Ok((far, cable.delay)),
                _ => Err(gone),
            };
        };
        // A super-frame goes through: it is cut behind the cable, or never.
        let fits = frame.offload.segment_size.is_some() || frame.len() <= taken_by(peer) as usize;
        let lost = match (peer.is_up(), fits) {
            (true, true) => return Ok((far, cable.delay)),
            (true, false) => DropReason::TransmitRefused,
            (false, _) => DropReason::NoCarrier,
        };
        if let Some(Place::Port(ns, index)) = self.place(far)
            && let Some(peer) = self.stack_mut(ns).port_mut(index)
        {
            peer.counters.rx_dropped += 1;
        }
        Err(lost)
    }

    /// Both ends of a cable learn what the other one takes.
    pub(super) fn tell_ends(&mut self, cable: CableId) {
        for end in [0, 1].map(|side| End { cable, side }) {
            let takes = self.port_at(end.other()).map(|(_, peer)| taken_by(peer));
            if let (Some(takes), Some(Place::Port(ns, index))) = (takes, self.place(end))
                && let Some(port) = self.stack_mut(ns).port_mut(index)
            {
                port.takes = takes;
            }
        }
    }

    /// Sends a frame on its way.
    fn set_out(&mut self, end: End, frame: FrameBuf, delay: Duration) {
        let place = self.place(end);
        if let Some(Place::Device(number)) = place {
            return self.device_send(number, frame);
        }
        self.digest.frame(self.now, end.way(), &frame);
        if place != Some(Place::Internet) {
            self.queue.push(self.now + delay, Event::Arrive(end, frame));
            return;
        }
        if let Some((wait, reply)) = self.internet.as_mut().and_then(|internet| internet.answer(&frame)) {
            let reply = self.pool.copy(&reply);
            self.queue.push(self.now + delay + wait, Event::Arrive(end.other(), reply));
        }
        self.pool.give(frame);
    }

    /// Discards a frame that its stack has sent and counted, but no cable took.
    fn lose(&mut self, ns: NsId, port: IfIndex, frame: FrameBuf, reason: DropReason) {
        if let Some(port) = self.nets.get_mut(&ns).and_then(|net| net.stack.port_mut(port)) {
            let counters = &mut port.counters;
            counters.tx_packets = counters.tx_packets.saturating_sub(1);
            counters.tx_bytes = counters.tx_bytes.saturating_sub(frame.len() as u64);
            counters.tx_dropped += 1;
        }
        Watcher::new(self.now, self.recorder.as_mut()).step(Step::Dropped { reason });
        self.pool.give(frame);
    }

    /// A frame comes out of a cable.
    pub(super) fn arrive(&mut self, end: End, frame: FrameBuf) {
        match self.place(end) {
            Some(Place::Port(ns, index)) if self.netns_exists(ns) => {
                self.visit(ns, |stack, cx, watcher| stack.receive(cx, index, frame, watcher));
            }
            _ => self.pool.give(frame),
        }
    }

    /// Sets the timers of all stacks that were visited.
    pub(super) fn set_timers(&mut self) {
        for ns in std::mem::take(&mut self.touched) {
            let Some(net) = self.nets.get_mut(&ns) else { continue };
            let wanted = net.stack.next_deadline().filter(|time| *time != Time::NEVER).map(|time| time.max(self.now));
            if wanted == net.timer.map(|(time, _)| time) {
                continue;
            }
            net.timer.take().into_iter().for_each(|key| self.queue.cancel(key));
            net.timer = wanted.map(|time| self.queue.push(time, Event::Tick(ns)));
        }
    }

    /// Timers of a stack run out.
    pub(super) fn tick(&mut self, ns: NsId) {
        if let Some(net) = self.nets.get_mut(&ns) {
            net.timer = None;
        }
        self.visit(ns, |stack, cx, watcher| stack.tick(cx, watcher));
        let deadline = self.nets.get(&ns).and_then(|net| net.stack.next_deadline());
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
