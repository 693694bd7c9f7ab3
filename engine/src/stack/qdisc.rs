//! Frames that wait in a port's queueing discipline before they leave.

use super::packet::Routed;
use super::{Cx, Stack};
use crate::control::{Errno, IfIndex, Refusal};
use crate::frame::FrameBuf;
use crate::link::PortKind;
use crate::observe::{Observer, Step};
use crate::qdisc::{PortFacts, QdiscEntry, QdiscRequest, Waiting};
use crate::reason::DropReason;

impl Stack {
    /// The queueing discipline of a port, if it was given one.
    pub fn qdisc(&self, port: IfIndex) -> Option<QdiscEntry> {
        self.qdiscs.entry(port)
    }

    /// `tc qdisc`
    pub(super) fn qdisc_request<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        request: QdiscRequest,
        observer: &mut O,
    ) -> Result<(), Refusal> {
        let (QdiscRequest::Set { port, .. } | QdiscRequest::Delete { port, .. }) = &request;
        let port = self.config.ports.get(*port).ok_or(Errno::NoDev)?;
        let facts = PortFacts { txqueuelen: port.txqueuelen, mtu: port.mtu };
        let frames = self.qdiscs.apply(cx.now, request, facts)?;
        self.qdisc_discard(cx, frames, observer);
        Ok(())
    }

    /// A frame goes into the queue of its port; what may leave leaves (`__dev_xmit_skb`).
    #[cold]
    pub(super) fn enqueue<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        frame: FrameBuf,
        routed: Routed,
        observer: &mut O,
    ) -> Result<(), Errno> {
        observer.step(Step::Queued { port });
        let waiting = Waiting { frame, with: routed };
        let done = match self.qdiscs.enqueue(cx.now, port, waiting, cx.pool) {
            Ok(done) => done,
            Err(waiting) => return self.emit(cx, port, waiting.frame, waiting.with, observer),
        };
        self.counters.made += done.made;
        for (frame, reason) in done.dropped {
            self.discard(cx, frame, reason, observer);
        }
        self.qdisc_run(cx, port, observer);
        if done.refused { Err(Errno::NoBufs) } else { Ok(()) }
    }

    /// Lets go what may leave by a port now. A port of several queues, as a cable's ends are, takes up to nine at a time, and
    /// so asks once more after each (`try_bulk_dequeue_skb_slow`): a shaper counts how often it had to refuse.
    fn qdisc_run<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, observer: &mut O) {
        let cable = self.config.ports.get(port).is_some_and(|port| port.kind == PortKind::Ethernet);
        let at_a_time = if cable { 9 } else { 1 };
        loop {
            let mut taken = 0;
            while taken < at_a_time
                && let Some(Waiting { frame, with }) = self.qdiscs.dequeue(cx.now, port)
            {
                // Whoever sent it was told long ago that it is on its way.
                let _ = self.emit(cx, port, frame, with, observer);
                taken += 1;
            }
            if taken == 0 {
                return;
            }
        }
    }

    /// Lets go what may leave by now.
    pub(super) fn qdisc_tick<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        if self.qdiscs.is_empty() {
            return;
        }
        for port in self.qdiscs.due(cx.now) {
            self.qdisc_run(cx, port, observer);
        }
    }

    /// The port went down (`dev_deactivate`), or lost its carrier.
    pub(super) fn qdisc_reset<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, observer: &mut O) {
        let Some(frames) = self.qdiscs.own_mut().map(|qdiscs| qdiscs.reset(port)) else { return };
        self.qdisc_discard(cx, frames, observer);
    }

    pub(super) fn qdisc_discard<O: Observer>(&mut self, cx: &mut Cx<'_>, frames: Vec<FrameBuf>, observer: &mut O) {
        for frame in frames {
            self.discard(cx, frame, DropReason::QdiscReset, observer);
        }
    }
}
