//! A packet leaves: our own through [`Stack::ip_output`], everybody's through its neighbour and its port.

use super::forward::fits;
use super::packet::{Packet, Routed};
use super::receive::Looped;
use super::v4::LOOPBACK;
use super::{Cx, Parked, Stack};
use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::conntrack::Nfct;
use crate::control::{Errno, IfIndex};
use crate::filter::{Hook, Sender};
use crate::frame::FrameBuf;
use crate::ip::Fragments;
use crate::ip::offload::{Segments, finish_checksum};
use crate::link::{OperState, Port, PortKind};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::rng::Rng;
use crate::route::{Kept, OutputRoute, rtcf};
use crate::seldom::{Seedable, Seeded};
use crate::time::Time;
use crate::wire::{Ethernet, Ipv4, ethernet, ipv4};

/// How a packet of our own gets its identification (`ip_select_ident`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ident {
    /// From the counter of its way.
    Chosen,
    /// None: it must not be cut.
    Zero,
    /// This one: the socket counts its own.
    Given(u16),
}

/// What is known of a packet of our own besides its bytes and its route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(super) ident: Ident,
    /// `SO_MARK`
    pub(crate) mark: u32,
    /// The connection that it is part of, if that is known already.
    pub(super) nfct: Nfct,
    /// Who sends it.
    pub(super) sender: Sender,
    /// `SO_BINDTODEVICE`: it leaves by this port only.
    pub(crate) bound: Option<IfIndex>,
}

impl Own {
    /// A program's.
    pub(crate) const PROGRAM: Own =
        Own { ident: Ident::Chosen, mark: 0, nfct: Nfct::UNSEEN, sender: Sender::Program, bound: None };

    /// The kernel's.
    pub(super) fn kernel(ident: Ident, mark: u32) -> Own {
        Own { ident, mark, sender: Sender::Kernel, ..Own::PROGRAM }
    }
}

/// Where the pieces of a packet go, and how large they may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) port: IfIndex,
    pub(super) next_hop: Ipv4Addr,
    pub(super) mtu: usize,
    /// The pieces have DF if it has.
    pub(super) keep_df: bool,
    /// What a piece is when it comes in from `lo`.
    pub(super) routed: Routed,
}

impl Stack {
    /// A datagram of our own (`ip_output`): its IPv4 header is complete but for id and checksum, the payload is behind it.
    /// It is cut in fragments if it is larger than the way's MTU and DF is not set (`EMSGSIZE` if it is); it goes through
    /// `lo` if the way does, and a broadcast or a group of ours is delivered here, too. `EPERM` if a filter drops it. The
    /// frame is used up in any case, and what follows from it here is done when this returns.
    pub(crate) fn ip_output<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        route: &OutputRoute,
        frame: FrameBuf,
        own: Own,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let sent = self.send(cx, route, frame, own, observer);
        self.finish(cx, observer);
        sent
    }

    /// A frame of our own with its link header, as a packet socket sends it. It is used up in any case, and what follows
    /// from it here is done when this returns.
    pub(crate) fn link_output<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let sent = self.transmit(cx, port, frame, Routed::NOT_YET, observer);
        self.finish(cx, observer);
        sent
    }

    /// [`Stack::ip_output`] in the midst of a visit.
    pub(super) fn send<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        route: &OutputRoute,
        mut frame: FrameBuf,
        own: Own,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let Some(mut header) = Ipv4::parse(&frame) else {
            self.discard(cx, frame, DropReason::IpHeaderTruncated, observer);
            return Err(Errno::Inval);
        };
        header.id = match own.ident {
            Ident::Chosen => self.idents.next(&header),
            Ident::Zero => 0,
            Ident::Given(id) => id,
        };
        ipv4::set_id(&mut frame, header.id);
        ipv4::write_checksum(&mut frame);
        let mut packet = Packet::own(frame, header, route, &own);
        if self.filter.is_empty() {
            return self.output(cx, route, packet, observer);
        }
        let mut route = *route;
        match self.local_out(cx, &mut route, &mut packet, own.bound, observer) {
            Ok(()) => self.output(cx, &route, packet, observer),
            Err((reason, errno)) => {
                self.discard(cx, packet.frame, reason, observer);
                Err(errno)
            }
        }
    }

    /// A packet of our own leaves by its route (`ip_output`, `ip_mc_output`).
    fn output<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        route: &OutputRoute,
        mut packet: Packet,
        observer: &mut O,
    ) -> Result<(), Errno> {
        if route.oif == LOOPBACK {
            self.neighbors.noarp(cx.now, LOOPBACK, IpAddr::V4(Ipv4Addr::UNSPECIFIED), Mac::ZERO);
        } else if route.flags & (rtcf::BROADCAST | rtcf::MULTICAST) != 0 && route.flags & rtcf::LOCAL != 0 {
            self.loop_copy(cx, route, &packet, observer);
            if route.flags & rtcf::MULTICAST != 0 && packet.header.ttl == 0 {
                // It was never to leave, and has been delivered.
                self.consume(cx, packet.frame);
                return Ok(());
            }
        }
        if !self.filter.is_empty()
            && let Err(reason) = self.hook(cx, Hook::PostRouting, &mut packet, None, Some(route.oif), observer)
        {
            self.discard(cx, packet.frame, reason, observer);
            return Err(Errno::Perm);
        }
        self.leave(cx, packet, route.oif, Parked::routed(None), observer)
    }

    /// A packet leaves whole, or in fragments (`ip_finish_output`). One that was put together from fragments is cut in such
    /// as came.
    pub(super) fn leave<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: Packet,
        port: IfIndex,
        parked: Parked,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let (next_hop, routed, kept) = (packet.next_hop, packet.kept(), packet.kept);
        let parked = Parked { mark: packet.mark, nfct: packet.nfct, ..parked };
        let was_cut = packet.largest != 0;
        if !was_cut && fits(&packet, packet.mtu as usize) {
            return match port {
                LOOPBACK => self.transmit_as(cx, LOOPBACK, Mac::ZERO, packet.frame, routed, observer),
                _ => self.hand_over(cx, port, (next_hop, kept), packet.frame, parked, observer),
            };
        }
        let largest = if was_cut { packet.mtu.min(packet.largest.into()) } else { packet.mtu };
        if packet.header.dont_fragment() && !(was_cut && u32::from(packet.largest) <= packet.mtu) {
            self.discard(cx, packet.frame, DropReason::TooBig, observer);
            return Err(Errno::MsgSize);
        }
        let way = Cut { port, next_hop, mtu: largest as usize, keep_df: was_cut, routed };
        self.cut(cx, way, packet.frame, parked, observer)
    }

    /// A copy of what goes to many is delivered here (`ip_mc_output`).
    #[cold]
    fn loop_copy<O: Observer>(&mut self, cx: &mut Cx<'_>, route: &OutputRoute, packet: &Packet, observer: &mut O) {
        self.counters.made += 1;
        let frame = cx.pool.copy(&packet.frame);
        let Packet { header, options, mark, nfct, sender, next_hop, mtu, route: routed, .. } = *packet;
        let new = Packet::new(frame, 0);
        let mut copy = Packet { header, options, mark, nfct, sender, next_hop, mtu, route: routed, ..new };
        if !self.filter.is_empty()
            && let Err(reason) = self.hook(cx, Hook::PostRouting, &mut copy, None, Some(route.oif), observer)
        {
            return self.discard(cx, copy.frame, reason, observer);
        }
        let route_kept = copy.kept();
        self.again.looped.push_back(Looped { port: route.oif, frame: copy.frame, route: route_kept, copy: true });
    }

    /// Cuts a packet in fragments, or a super-frame in segments and those in fragments, and hands over each.
    #[cold]
    pub(super) fn cut<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        way: Cut,
        mut frame: FrameBuf,
        parked: Parked,
        observer: &mut O,
    ) -> Result<(), Errno> {
        finish_checksum(&mut frame, if parked.iif.is_some() { ethernet::HEADER } else { 0 });
        let mut sent = Ok(());
        if let Some(mut segments) = Segments::new(&frame, frame.offload()) {
            while let Some(segment) = segments.next(cx.pool) {
                self.counters.made += 1;
                sent = sent.and(self.fragment(cx, way, segment, parked, observer));
            }
            // What it was made into goes on.
            self.consume(cx, frame);
            return sent;
        }
        self.fragment(cx, way, frame, parked, observer)
    }

    fn fragment<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        way: Cut,
        frame: FrameBuf,
        parked: Parked,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let Some(mut fragments) = Fragments::new(&frame, way.mtu, way.keep_df) else {
            self.discard(cx, frame, DropReason::TooBig, observer);
            return Err(Errno::Inval);
        };
        observer.step(Step::Fragmented { count: fragments.left() });
        let mut sent = Ok(());
        // Where one is refused, those behind it are not sent.
        while sent.is_ok()
            && let Some(fragment) = fragments.next(cx.pool)
        {
            self.counters.made += 1;
            sent = match way.port {
                LOOPBACK => self.transmit_as(cx, LOOPBACK, Mac::ZERO, fragment, way.routed, observer),
                port => self.hand_over(cx, port, (way.next_hop, Kept::NOWHERE), fragment, parked, observer),
            };
        }
        self.consume(cx, frame);
        sent
    }

    /// To the next hop, or into the queue of those that wait for its MAC (`ip_finish_output2`).
    pub(super) fn hand_over<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        (next_hop, kept): (Ipv4Addr, Kept),
        frame: FrameBuf,
        parked: Parked,
        observer: &mut O,
    ) -> Result<(), Errno> {
        match self.resolve(cx.now, kept, (port, next_hop), observer) {
            Some(mac) => self.transmit_to(cx, port, mac, frame, observer),
            None => self.wait_for_mac(cx.now, (port, next_hop), frame, parked, observer),
        }
    }

    /// A packet waits for the MAC of its next hop, and its connection with it.
    #[cold]
    pub(super) fn wait_for_mac<O: Observer>(
        &mut self,
        now: Time,
        (port, next_hop): (IfIndex, Ipv4Addr),
        frame: FrameBuf,
        parked: Parked,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let next_hop = IpAddr::V4(next_hop);
        observer.step(Step::Parked { next_hop });
        if let Some(conntrack) = self.conntrack.own_mut() {
            conntrack.hold(&parked.nfct);
        }
        let taken = self.neighbors.park(now, port, next_hop, frame, parked);
        if taken { Ok(()) } else { Err(Errno::NoBufs) }
    }

    /// An IP packet to this MAC, and not through `lo`: it gets its link header.
    #[inline]
    pub(super) fn transmit_to<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        mac: Mac,
        frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        self.transmit_as(cx, port, mac, frame, Routed::NOT_YET, observer)
    }

    #[inline(always)]
    pub(super) fn transmit_as<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        mac: Mac,
        mut frame: FrameBuf,
        routed: Routed,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let source = self.config.ports.get(port).map_or(Mac::ZERO, |port| port.mac);
        frame.push(ethernet::HEADER);
        Ethernet { destination: mac, source, ethertype: ethernet::IPV4 }.write(&mut frame);
        self.transmit(cx, port, frame, routed, observer)
    }

    /// A whole frame leaves by a port (`dev_queue_xmit`), or waits in its queue.
    #[inline(always)]
    pub(super) fn transmit<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        frame: FrameBuf,
        routed: Routed,
        observer: &mut O,
    ) -> Result<(), Errno> {
        if !self.qdiscs.is_empty() && self.is_queued(index) {
            return self.enqueue(cx, index, frame, routed, observer);
        }
        self.emit(cx, index, frame, routed, observer)
    }

    #[cold]
    fn is_queued(&self, index: IfIndex) -> bool {
        self.qdiscs.has(index) && self.config.ports.get(index).is_some_and(Port::is_running)
    }

    /// A whole frame is handed to its device (`dev_hard_start_xmit`).
    #[inline(always)]
    pub(super) fn emit<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        frame: FrameBuf,
        routed: Routed,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let Some(mut port) = self.config.ports.passing(index).filter(|port| port.is_running()) else {
            return self.transmit_in_vain(cx, index, frame, observer);
        };
        let (kind, takes) = (port.kind, port.takes);
        port.counters().tx_packets += 1;
        port.counters().tx_bytes += counted(frame.len(), matches!(kind, PortKind::Loopback | PortKind::Vxlan));
        if !self.taps.is_empty() {
            self.tap_out(cx.now, index, &frame);
        }
        observer.step(Step::Transmitted { port: index, frame: &frame });
        match kind {
            PortKind::Ethernet => {
                // A super-frame goes through: it is cut behind the cable, or never.
                let taken = frame.len() <= takes as usize || frame.offload().segment_size.is_some();
                cx.out.push(index, frame);
                self.counters.sent += 1;
                return if taken { Ok(()) } else { Err(Errno::NoBufs) };
            }
            PortKind::Loopback => {
                self.again.looped.push_back(Looped { port: index, frame, route: routed, copy: false })
            }
            _ => return self.transmit_virtual(cx, index, frame, observer),
        }
        self.counters.sent += 1;
        Ok(())
    }

    /// The port is down, or the cable's other end is. Linux swaps the port's queue for one that swallows everything once it
    /// has noticed; until then the sender is told.
    #[cold]
    fn transmit_in_vain<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let Some(mut port) = self.config.ports.passing(index) else {
            self.discard(cx, frame, DropReason::HostTargetGone, observer);
            return Err(Errno::NoDev);
        };
        port.counters().tx_dropped += 1;
        let is_up = port.is_up();
        let unnoticed = is_up && matches!(port.operstate, OperState::Up | OperState::Unknown);
        if unnoticed && !self.taps.is_empty() {
            self.tap_out(cx.now, index, &frame);
        }
        let reason = if is_up { DropReason::NoCarrier } else { DropReason::PortDown };
        self.discard(cx, frame, reason, observer);
        if unnoticed { Err(Errno::NoBufs) } else { Ok(()) }
    }
}

/// Bytes of a frame in a port's counters: the loopback's driver counts when it has taken the link header off (`loopback_xmit`).
#[inline]
pub(super) fn counted(length: usize, loops: bool) -> u64 {
    let length = if loops { length.saturating_sub(ethernet::HEADER) } else { length };
    length as u64
}

/// The identifications of packets that start here: one counter for all ways that hash alike, each begun at random
/// (`ip_idents`). They are drawn when the first packet starts here: most namespaces of large worlds are routers.
#[derive(Debug)]
pub(super) struct Idents {
    next: [u16; Idents::COUNT],
}

impl Seedable for Idents {
    const UNUSED: &'static Idents = &Idents { next: [0; Idents::COUNT] };

    fn seeded(mut rng: Rng) -> Idents {
        Idents { next: core::array::from_fn(|_| rng.next() as u16) }
    }
}

impl Idents {
    const COUNT: usize = 256;

    /// Those that `rng` draws next.
    pub(super) fn drawn(rng: &mut Rng) -> Seeded<Idents> {
        let own = rng.clone();
        rng.skip(Idents::COUNT as u64);
        Seeded::new(own)
    }

    fn next(&mut self, header: &Ipv4) -> u16 {
        let way = u64::from(header.source.to_bits()) << 32 | u64::from(header.destination.to_bits());
        let hash = (way ^ u64::from(header.protocol) << 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        let Some(id) = self.next.get_mut(hash as usize) else { return 0 };
        let now = *id;
        *id = id.wrapping_add(1);
        now
    }
}
