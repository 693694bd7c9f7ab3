//! Frames between stacks: visiting a stack, carrying what leaves it, and delivering what arrives.

use super::cable::{End, Place};
use super::event::Event;
use super::record::Watcher;
use super::{NsId, World};
use vethlab_engine::Stack;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::frame::FrameBuf;
use vethlab_engine::local::SocketId;
use vethlab_engine::observe::{Observer, Step};
use vethlab_engine::reason::DropReason;
use vethlab_engine::stack::Cx;
use vethlab_engine::time::{Duration, Time};
use vethlab_engine::wire::ethernet;

/// Bytes that a frame may have more than MTU and Ethernet header (`VLAN_HLEN`).
const TAG: usize = 4;

/// Why a frame did not go on its way.
enum Lost {
    /// The driver refused it, and a local sender is told (`NET_XMIT_DROP`).
    Refused(DropReason),
    /// It was dropped silently.
    Silently(DropReason),
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

    /// Ends an operation: the link watch runs if it is due, frames that left are carried, timers are set anew. True if a
    /// driver refused a frame.
    pub(super) fn finish(&mut self) -> bool {
        self.heed_links();
        self.watch_run_due();
        let refused = self.carry(false);
        self.set_timers();
        #[cfg(debug_assertions)]
        if let Err(broken) = crate::invariant::check(self) {
            debug_assert!(false, "after {:?}: {broken}", self.now);
        }
        refused
    }

    /// Carries what left. True if a driver refused a frame; with `give_up`, what a sender sent behind it is not tried then
    /// (`ip_do_fragment`).
    fn carry(&mut self, give_up: bool) -> bool {
        let mut refused = false;
        loop {
            if let Some((way, frame)) = self.crossing.pop_front() {
                self.cross(way, frame);
                continue;
            }
            let Some((ns, port, frame)) = self.leaving.pop_front() else { break };
            if refused && give_up {
                self.lose(ns, port, frame, DropReason::TransmitRefused);
                continue;
            }
            match self.take_frame(ns, port, &frame) {
                Ok((end, delay)) => {
                    self.set_out(end, frame, delay);
                }
                Err(Lost::Refused(reason)) => {
                    refused = true;
                    self.lose(ns, port, frame, reason);
                }
                Err(Lost::Silently(reason)) => self.lose(ns, port, frame, reason),
            }
        }
        refused
    }

    /// Decides whether a cable takes a frame (`veth_xmit`): by which end it will come out, and after how long. What the other
    /// end does not take (`is_skb_forwardable`) it counts as well.
    fn take_frame(&mut self, ns: NsId, port: IfIndex, frame: &FrameBuf) -> Result<(End, Duration), Lost> {
        let gone = Lost::Silently(DropReason::HostTargetGone);
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
        let fits = frame.offload.segment_size.is_some() || frame.len() <= peer.mtu as usize + ethernet::HEADER + TAG;
        let lost = match (peer.is_up(), fits) {
            (true, true) => return Ok((far, cable.delay)),
            (true, false) => Lost::Refused(DropReason::TransmitRefused),
            (false, _) => Lost::Silently(DropReason::NoCarrier),
        };
        if let Some(Place::Port(ns, index)) = self.place(far)
            && let Some(peer) = self.stack_mut(ns).port_mut(index)
        {
            peer.counters.rx_dropped += 1;
        }
        Err(lost)
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

    /// [`Stack::send_to`], and frames that leave are carried. If the cable refuses one, a socket that wants to know of
    /// errors gets `ENOBUFS`.
    pub fn send_to(&mut self, ns: NsId, socket: SocketId, to: (Ipv4Addr, u16), payload: &[u8]) -> Result<(), Errno> {
        let sent = self.visit(ns, |stack, cx, watcher| stack.send_to(cx, socket, to, payload, watcher));
        let refused = self.carry(true) | self.finish();
        sent.unwrap_or(Err(Errno::NetDown))?;
        if refused && self.stack_mut(ns).options(socket).recverr { Err(Errno::NoBufs) } else { Ok(()) }
    }

    /// [`Stack::send_frame`], and frames that leave are carried. If the cable refuses it: `ENOBUFS`.
    pub fn send_frame(
        &mut self,
        ns: NsId,
        socket: SocketId,
        port: IfIndex,
        to: Mac,
        payload: &[u8],
    ) -> Result<(), Errno> {
        let sent = self.visit(ns, |stack, cx, watcher| stack.send_frame(cx, socket, port, to, payload, watcher));
        let refused = self.finish();
        sent.unwrap_or(Err(Errno::NetDown))?;
        if refused { Err(Errno::NoBufs) } else { Ok(()) }
    }
}
