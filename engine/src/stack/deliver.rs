//! A packet for us: put together, shown to raw sockets, and given to its protocol (`ip_local_deliver`).

use super::icmp::Answer;
use super::icmp_error::Culprit;
use super::packet::Packet;
use super::{Cx, Stack};
use crate::conntrack::Nfct;
use crate::control::{IfIndex, RouteKind};
use crate::filter::Hook;
use crate::frame::FrameBuf;
use crate::ip::Reassembly;
use crate::ip::offload::finish_checksum;
use crate::ip::reassembly::Discarded;
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::route::InputKey;
use crate::wire::icmpv4::{code, kind};
use crate::wire::ipv4::options::Options;
use crate::wire::{Icmp, Ipv4, ethernet, protocol};

/// Protocols that have a handler in every kernel.
const PIM: u8 = 103;
const UDP_LITE: u8 = 136;

impl Stack {
    pub(super) fn deliver<O: Observer>(&mut self, cx: &mut Cx<'_>, mut packet: Packet, observer: &mut O) {
        if packet.frame.offload().partial_checksum.is_some() {
            finish_checksum(&mut packet.frame, ethernet::HEADER);
        }
        if packet.header.is_fragment() && !self.reassemble(cx, &mut packet, observer) {
            return;
        }
        if !self.filter.is_empty() {
            let inward = Some(packet.port);
            if let Err(reason) = self.hook(cx, Hook::Input, &mut packet, inward, None, observer) {
                return self.discard(cx, packet.frame, reason, observer);
            }
        }
        observer.step(Step::Delivered { protocol: packet.header.protocol });
        let seen = self.sockets.deliver_raw(cx.now, packet.seen_by(), &packet.frame);
        match self.hand_to_protocol(cx, &packet, observer) {
            Ok(Answer::None) => self.consume(cx, packet.frame),
            Ok(Answer::Echo) => self.echo(cx, packet, observer),
            Ok(Answer::Timestamp) => self.timestamp(cx, packet, observer),
            Err(DropReason::NoProtocol | DropReason::IcmpUnhandled) if seen => self.consume(cx, packet.frame),
            Err(reason) => self.refuse(cx, packet, reason, observer),
        }
    }

    /// Decides what the packet's protocol makes of it.
    fn hand_to_protocol<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &Packet,
        observer: &mut O,
    ) -> Result<Answer, DropReason> {
        match packet.header.protocol {
            protocol::ICMP => self.icmp_receive(cx, packet),
            protocol::UDP => {
                if !self.config.switches.vteps.is_empty()
                    && let Some(taken) = self.vxlan_receive(cx, packet)
                {
                    return taken.map(|()| Answer::None);
                }
                let to_all = packet.route.is_to_many();
                self.sockets.deliver_udp(cx.now, packet.seen_by(), &packet.frame, to_all).map(|()| Answer::None)
            }
            protocol::TCP => self.tcp_receive(cx, packet, observer).map(|()| Answer::None),
            // The memberships of others are no concern of a host that routes no groups.
            protocol::IGMP | PIM => Ok(Answer::None),
            // The kernel speaks it, and no program here does.
            UDP_LITE => Err(DropReason::NoSocket),
            _ => Err(DropReason::NoProtocol),
        }
    }

    /// Takes a fragment; the packet is the whole one, if that was the last one missing, and else nothing is left of it.
    #[cold]
    pub(super) fn reassemble<O: Observer>(&mut self, cx: &mut Cx<'_>, packet: &mut Packet, observer: &mut O) -> bool {
        let mut frame = core::mem::replace(&mut packet.frame, FrameBuf::none());
        *frame.offload_mut() = Default::default();
        let Packet { port, header, options, .. } = packet;
        let whole = self.reassembly.add(cx.now, *port, header, options, frame, cx.pool);
        self.discard_fragments(cx, observer);
        let Some(whole) = whole else { return false };
        // Many frames became one: all but one arrived.
        self.counters.consumed += whole.fragments.saturating_sub(1) as u64;
        observer.step(Step::Reassembled { length: whole.frame.len() });
        match Ipv4::parse(&whole.frame) {
            Some(header) => {
                packet.frame = whole.frame;
                packet.header = header;
                // Others than the first have lost what is not to be copied.
                packet.options = whole.options;
                packet.largest = whole.largest as u16;
                true
            }
            None => {
                self.discard(cx, whole.frame, DropReason::IpHeaderLength, observer);
                false
            }
        }
    }

    /// Fragments that became part of nothing. The sender of a datagram whose time is over is told (`ip_expire`).
    pub(super) fn discard_fragments<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        while let Some(Discarded { frame, reason, port, tell }) = self.reassembly.own_mut().and_then(Reassembly::pop) {
            if tell {
                self.tell_of_lateness(cx, port, &frame, observer);
            }
            self.discard(cx, frame, reason, observer);
        }
    }

    #[cold]
    fn tell_of_lateness<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, packet: &[u8], observer: &mut O) {
        let Some(header) = Ipv4::parse(packet) else { return };
        let key = InputKey { tos: header.tos, ..InputKey::new(header.source, header.destination, port) };
        let way = self.way_of(cx.now, key);
        // A router that puts together what it passes on is not the end that tells.
        let Ok(way) = way else { return };
        if way.kind == RouteKind::Unicast {
            return;
        }
        let options = Options::default();
        let culprit = Culprit {
            packet,
            port,
            to_us: true,
            flags: way.flags,
            inbound: Some(port),
            options,
            mark: 0,
            nfct: Nfct::UNSEEN,
        };
        let message = Icmp { kind: kind::TIME_EXCEEDED, code: code::EXC_FRAGTIME, rest: [0; 4] };
        self.icmp_send(cx, &culprit, message, observer);
    }
}
