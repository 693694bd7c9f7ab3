//! A frame comes in: `walk` decides where its way goes on, `visit` acts on it, `refuse` ends it.

use super::output::{Cut, counted};
use super::packet::{Cast, Fate, Packet, Routed};
use super::{Cx, Parked, Stack};
use crate::control::IfIndex;
use crate::frame::FrameBuf;
use crate::link::Port;
use crate::link::port::flag;
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::time::Time;
use crate::wire::{Ethernet, ethernet, vlan};

/// A frame of our own that comes back in, when the visit that sent it is over.
#[derive(Debug)]
pub(super) struct Looped {
    /// By this port.
    pub(super) port: IfIndex,
    /// With its link header, through `lo`; a copy of a broadcast without one.
    pub(super) frame: FrameBuf,
    /// What its route was.
    pub(super) route: Routed,
    /// It is a copy, and has no link header.
    pub(super) copy: bool,
}

impl Stack {
    /// One frame's way, to its end: acts on what `walk` decides. (The two are one function, as it would cost most packets much
    /// to be moved from the one to the other.)
    pub(super) fn visit<O: Observer>(&mut self, cx: &mut Cx<'_>, mut packet: Packet, observer: &mut O) {
        let fate = match self.walk(cx, &mut packet, observer) {
            Ok(Fate::Forward { port }) => match self.forward_filtered(cx, &mut packet, port, observer) {
                Some(fate) => fate,
                None => return,
            },
            Ok(fate) => fate,
            Err(reason) => return self.refuse(cx, packet, reason, observer),
        };
        match fate {
            Fate::Transmit { port } => {
                self.before_leaving(cx, &mut packet, port, observer);
                // Nobody here waits for the answer: a frame that the port does not take is counted there.
                let _ = self.transmit_as(cx, port, packet.mac, packet.frame, Routed::PASSING, observer);
            }
            Fate::Park { port, next_hop } => {
                self.before_leaving(cx, &mut packet, port, observer);
                let Packet { frame, mark, nfct, .. } = packet;
                let parked = Parked { mark, nfct, ..Parked::routed(Some(packet.port)) };
                let _ = self.wait_for_mac(cx.now, (port, next_hop), frame, parked, observer);
            }
            Fate::Fragment { port, next_hop, mtu } => {
                self.before_leaving(cx, &mut packet, port, observer);
                let parked = Parked::routed(Some(packet.port));
                let _ = self.cut(
                    cx,
                    Cut { port, next_hop, mtu, keep_df: false, routed: Routed::PASSING },
                    packet.frame,
                    parked,
                    observer,
                );
            }
            // Its frame waits where fragments do; filters were asked.
            Fate::Gather | Fate::Forward { .. } => {}
            Fate::Deliver => self.deliver(cx, packet, observer),
            Fate::Answer(reply) => self.answer_arp(cx, packet.port, packet.frame, &reply, observer),
            Fate::Defer => self.neighbors.defer(cx.now, packet.port, packet.frame, Parked::routed(Some(packet.port))),
            Fate::Heard => self.consume(cx, packet.frame),
            Fate::Bridge => self.bridge_receive(cx, packet, observer),
            Fate::Rise { place, tagged, host } => self.settle_rise(cx, packet, place, tagged, host, observer),
        }
    }

    /// A frame of our own comes in.
    pub(super) fn visit_looped<O: Observer>(&mut self, cx: &mut Cx<'_>, looped: Looped, observer: &mut O) {
        let Looped { port, frame, route, copy } = looped;
        let packet = Packet { route, mark: route.mark, nfct: route.nfct, ..Packet::new(frame, port) };
        if copy {
            return self.visit(cx, Packet { cast: Cast::Looped, ..packet }, observer);
        }
        self.counters.received += 1;
        observer.step(Step::Received { port, frame: &packet.frame });
        self.visit(cx, packet, observer);
    }

    #[inline(always)]
    fn walk<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<Fate, DropReason> {
        if packet.cast != Cast::Looped
            && let Some(fate) = self.walk_link(cx, packet, observer)?
        {
            return Ok(fate);
        }
        self.walk_v4(cx, packet, observer)
    }

    /// The way through the link layer, to its end; none if it goes on with IPv4.
    #[inline(always)]
    fn walk_link<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<Option<Fate>, DropReason> {
        let (header, tapped) = self.admit(cx, packet)?;
        if tapped {
            // A copy, so that only frames that go this way have their header laid down in memory.
            let header = Ethernet { ..header };
            if let Some(fate) = self.taken_above(cx, packet, &header, observer)? {
                return Ok(Some(fate));
            }
        }
        let Ethernet { source, ethertype, .. } = header;
        if !self.sockets.hears_no_frames() {
            let to_all = packet.cast == Cast::Broadcast;
            self.sockets.deliver_packet(cx.now, packet.port, ethertype, source, to_all, &packet.frame);
        }
        if ethertype == ethernet::IPV4 {
            return Ok(None);
        }
        self.walk_other(cx.now, packet, ethertype)
    }

    /// Reads the link header (`eth_type_trans`, `__netif_receive_skb_core`); the packet begins behind it then. Tells if a
    /// bridge or a link that stands on this one may take the frame.
    #[inline(always)]
    fn admit(&mut self, cx: &Cx<'_>, packet: &mut Packet) -> Result<(Ethernet, bool), DropReason> {
        let Some(mut port) = self.config.ports.passing(packet.port) else { return Err(DropReason::PortDown) };
        if !port.is_up() {
            port.counters().rx_dropped += 1;
            return Err(DropReason::PortDown);
        }
        let Some(header) = Ethernet::parse(&packet.frame) else {
            port.counters().rx_errors += 1;
            return Err(DropReason::FrameTooShort);
        };
        let bytes = counted(packet.frame.len(), port.counts_bare());
        port.counters().rx_packets += 1;
        port.counters().rx_bytes += bytes;
        let cast = cast(&header, &port);
        if !packet.risen || cast != Cast::OtherHost {
            packet.cast = cast;
        }
        let tapped = port.is_tapped();
        packet.source_mac = (!port.is_loopback()).then_some(header.source);
        if !self.taps.is_empty() {
            self.tap_in(cx.now, packet.port, packet.cast, &packet.frame);
        }
        packet.frame.pull(ethernet::HEADER);
        Ok((header, tapped))
    }

    /// What is not IPv4; behind a tag it may be.
    #[inline(never)]
    fn walk_other(&mut self, now: Time, packet: &mut Packet, ethertype: u16) -> Result<Option<Fate>, DropReason> {
        match strip_tag(packet, ethertype) {
            ethernet::IPV4 => Ok(None),
            ethernet::ARP => self.walk_arp(now, packet).map(Some),
            ethernet::IPV6 => Err(DropReason::Ipv6Disabled),
            _ => Err(self.unknown_ethertype(packet)),
        }
    }

    #[cold]
    fn unknown_ethertype(&mut self, packet: &Packet) -> DropReason {
        if let Some(counters) = self.config.ports.counters_mut(packet.port) {
            counters.rx_dropped += 1;
        }
        DropReason::UnknownEthertype
    }

    /// Ends a packet that goes no further: counts it, tells the observer, and tells its sender if there is a rule for it.
    #[cold]
    pub(super) fn refuse<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: Packet,
        reason: DropReason,
        observer: &mut O,
    ) {
        self.counters.discarded[reason as usize] += 1;
        observer.step(Step::Dropped { reason });
        self.tell_sender(cx, &packet, reason, observer);
        cx.pool.give(packet.frame);
    }

    /// Discards a frame without telling anybody but the observer.
    #[cold]
    pub(super) fn discard<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        frame: FrameBuf,
        reason: DropReason,
        observer: &mut O,
    ) {
        self.counters.discarded[reason as usize] += 1;
        observer.step(Step::Dropped { reason });
        cx.pool.give(frame);
    }

    /// A frame that arrived at its goal.
    pub(super) fn consume(&mut self, cx: &mut Cx<'_>, frame: FrameBuf) {
        self.counters.consumed += 1;
        cx.pool.give(frame);
    }
}

/// To whom a frame is. A port in promiscuous mode sees frames for others, too; they go no further than packet sockets.
#[inline]
fn cast(header: &Ethernet, port: &Port) -> Cast {
    if header.destination == port.mac {
        Cast::Host
    } else if !header.destination.is_multicast() {
        Cast::OtherHost
    } else if header.destination == port.broadcast {
        Cast::Broadcast
    } else {
        Cast::Multicast
    }
}

/// True if the port asks for no ARP.
pub(super) fn is_noarp(port: &Port) -> bool {
    port.set_flags & flag::NOARP != 0
}

/// A tag that no VLAN of this port takes: priority alone means nothing, others are another host's
/// (`__netif_receive_skb_core`). The packet is behind its tag then; tells what it speaks, which it does without a tag, too.
fn strip_tag(packet: &mut Packet, ethertype: u16) -> u16 {
    let Some(tag) = vlan::tag_of(ethertype, &packet.frame) else { return ethertype };
    packet.frame.pull(vlan::TAG);
    if let Some((start, _)) = packet.frame.offload_mut().partial_checksum.as_mut() {
        *start = start.saturating_sub(vlan::TAG as u16);
    }
    if tag.id != 0 {
        packet.cast = Cast::OtherHost;
    }
    tag.ethertype
}
