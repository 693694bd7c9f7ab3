//! What the neighbour cache wants done, and what is left to do at the end of each visit.

use super::icmp_error::Culprit;
use super::{Cx, Parked, Stack};
use crate::addr::{IpAddr, Ipv4Addr};
use crate::control::IfIndex;
use crate::frame::FrameBuf;
use crate::neighbor::Action;
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::wire::icmpv4::{code, kind};
use crate::wire::ipv4::{self, options};
use crate::wire::{Icmp, Ipv4};

impl Stack {
    /// Ends a visit: frames of our own come in again, and what the neighbour cache wants is done, until nothing is left.
    #[inline(always)]
    pub(super) fn finish<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        if !(self.again.looped.is_empty()
            && self.again.rising.is_empty()
            && self.neighbors.is_idle()
            && self.conntrack.is_settled())
        {
            self.settle(cx, observer);
        }
    }

    #[inline(never)]
    fn settle<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        loop {
            if let Some(looped) = self.again.own_mut().and_then(|again| again.looped.pop_front()) {
                self.visit_looped(cx, looped, observer);
            } else if let Some(packet) = self.again.own_mut().and_then(|again| again.rising.pop_front()) {
                self.visit_risen(cx, packet, observer);
            } else if let Some(action) = self.neighbors.pop() {
                self.act(cx, action, observer);
            } else {
                break;
            }
        }
        if let Some(conntrack) = self.conntrack.own_mut() {
            conntrack.reap();
        }
    }

    /// The connection of what waited is no longer held for it.
    fn let_go(&mut self, with: &Parked) {
        if let Some(conntrack) = self.conntrack.own_mut() {
            conntrack.let_go(&with.nfct);
        }
    }

    #[cold]
    fn act<O: Observer>(&mut self, cx: &mut Cx<'_>, action: Action<Parked>, observer: &mut O) {
        match action {
            Action::Request { port, ip: IpAddr::V4(ip), unicast } => self.solicit(cx, port, ip, unicast, observer),
            // IPv6 is not spoken: its entries come from the administrator, and nobody is asked.
            Action::Request { .. } => {}
            Action::Release { port, ip, mac, frame, with } => {
                observer.step(Step::Resolved { next_hop: ip, mac });
                self.let_go(&with);
                if let Some(bridged) = with.bridged {
                    return self.bridge_resume(cx, port, mac, frame, bridged, observer);
                }
                // Whoever sent it was told long ago that it is on its way.
                let _ = self.transmit_to(cx, port, mac, frame, observer);
            }
            Action::Discard { port, reason, frame, with, .. } => {
                self.let_go(&with);
                if reason == DropReason::NoNeighbor {
                    self.unreachable(cx, port, &frame, with, observer);
                }
                self.discard(cx, frame, reason, observer);
            }
            Action::Deferred { port, frame, .. } => self.answer_deferred(cx, port, frame, observer),
        }
    }

    /// Nobody answered for the next hop of a packet: its sender is told, be it ourselves (`ipv4_link_failure`).
    fn unreachable<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        frame: &FrameBuf,
        with: Parked,
        observer: &mut O,
    ) {
        let Some(header) = Ipv4::parse(frame) else { return };
        let mut copy = [0; ipv4::HEADER + ipv4::MAX_OPTIONS];
        let bytes = ipv4::header(frame);
        let Some(copy) = copy.get_mut(..bytes.len()) else { return };
        copy.copy_from_slice(bytes);
        // The options are read again, as nobody kept what they are; what that writes is of no use.
        let here = options::Here { address: Ipv4Addr::UNSPECIFIED, time: 0 };
        let found = match header.header_length {
            ipv4::HEADER => Ok(options::Options::default()),
            _ => options::receive(copy, here, &|_| true),
        };
        let Ok(options) = found else { return };
        let culprit = Culprit {
            packet: frame,
            port,
            to_us: true,
            flags: 0,
            inbound: with.iif,
            options,
            mark: with.mark,
            nfct: with.nfct,
        };
        let message = Icmp { kind: kind::DEST_UNREACH, code: code::HOST_UNREACH, rest: [0; 4] };
        self.icmp_send(cx, &culprit, message, observer);
    }
}
