//! Links that are made of others: how frames rise from a link to those that stand on it, and sink to the one below.

use super::packet::{Cast, Fate, Packet, Routed};
use super::{Cx, Stack};
use crate::control::{Errno, IfIndex};
use crate::frame::{Crossing, FrameBuf};
use crate::link::PortKind;
use crate::link::virt::{Lower, MacvlanMode, Place, Takes, Upper};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::wire::{Ethernet, ethernet, vlan};

impl Stack {
    /// What stands on a port takes the frame before the port does (`vlan_do_receive`, `rx_handler`): the packet is behind its
    /// link header. `None`: it is the port's own.
    #[cold]
    pub(super) fn taken_above<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        header: &Ethernet,
        observer: &mut O,
    ) -> Result<Option<Fate>, DropReason> {
        let Some(port) = self.config.ports.get(packet.port) else { return Ok(None) };
        if !port.rare.uppers.is_empty() {
            if let Some(tag) = vlan::tag_of(header.ethertype, &packet.frame) {
                let takes = Takes::Tag(header.ethertype, tag.id);
                if let Some(upper) = port.rare.uppers.iter().find(|upper| upper.takes == takes) {
                    return Ok(Some(Fate::Rise { place: upper.place, tagged: true, host: false }));
                }
            }
            if let Some(taken) = self.macvlan_takes(cx, packet, header, observer) {
                return Ok(Some(taken));
            }
        }
        self.bridge_takes(cx.now, packet, header)
    }

    /// `macvlan_handle_frame`
    fn macvlan_takes<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        header: &Ethernet,
        observer: &mut O,
    ) -> Option<Fate> {
        let port = self.config.ports.get(packet.port)?;
        let up = |upper: &&Upper| upper.up && matches!(upper.takes, Takes::Mac(..));
        let of = |mac| port.rare.uppers.iter().filter(up).find(move |upper| upper.takes.is_mac(mac)).copied();
        let rise = |upper: Upper| Fate::Rise { place: upper.place, tagged: false, host: true };
        if !header.destination.is_multicast() {
            let passthru =
                port.rare.uppers.iter().find(|upper| matches!(upper.takes, Takes::Mac(_, MacvlanMode::Passthru)));
            return passthru.copied().or(of(header.destination)).map(rise);
        }
        let source = of(header.source);
        let wanted: &[MacvlanMode] = match source.map(|source| source.takes) {
            None => &[MacvlanMode::Private, MacvlanMode::Vepa, MacvlanMode::Passthru, MacvlanMode::Bridge],
            Some(Takes::Mac(_, MacvlanMode::Vepa)) => &[MacvlanMode::Vepa, MacvlanMode::Bridge],
            // The siblings have it already.
            Some(Takes::Mac(_, MacvlanMode::Bridge)) => &[MacvlanMode::Vepa],
            // Its own frame has come back.
            Some(_) => return source.map(rise),
        };
        let port = packet.port;
        packet.frame.push(ethernet::HEADER);
        self.macvlan_broadcast(cx, port, source.map(|source| source.place), wanted, packet, observer);
        packet.frame.pull(ethernet::HEADER);
        None
    }

    /// Copies for all macvlans of these modes but one (`macvlan_broadcast`); they come in when this visit is over.
    fn macvlan_broadcast<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        lower: IfIndex,
        but: Option<Place>,
        modes: &[MacvlanMode],
        packet: &Packet,
        _observer: &mut O,
    ) {
        for at in 0.. {
            let upper = self.config.ports.get(lower).and_then(|port| port.rare.uppers.get(at).copied());
            let Some(upper) = upper else { break };
            let Takes::Mac(_, mode) = upper.takes else { continue };
            if upper.up && modes.contains(&mode) && Some(upper.place) != but {
                let copy = self.packet_copy(cx, packet);
                match upper.place {
                    Place::Here(index) => self.again.rising.push_back(Packet { port: index, ..copy }),
                    Place::Elsewhere(number) => self.cross(cx, Crossing::Up(number), copy.frame),
                }
            }
        }
    }

    /// A frame leaves this stack for another that a link of ours stands on, or that stands on ours.
    pub(super) fn cross(&mut self, cx: &mut Cx<'_>, way: Crossing, frame: FrameBuf) {
        self.counters.sent += 1;
        cx.out.cross(way, frame);
    }

    /// A packet behind its link header rises to what stands on its port.
    pub(super) fn settle_rise<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        mut packet: Packet,
        place: Place,
        tagged: bool,
        host: bool,
        observer: &mut O,
    ) {
        if tagged {
            vlan::untag(&mut packet.frame);
        } else {
            packet.frame.push(ethernet::HEADER);
        }
        if host {
            packet.cast = Cast::Host;
        }
        match place {
            Place::Here(index) => self.rise(cx, index, packet, observer),
            Place::Elsewhere(number) => self.cross(cx, Crossing::Up(number), packet.frame),
        }
    }

    /// A frame with its link header comes in by a port that stands on the one it came by.
    pub(super) fn rise<O: Observer>(&mut self, cx: &mut Cx<'_>, index: IfIndex, packet: Packet, observer: &mut O) {
        observer.step(Step::Received { port: index, frame: &packet.frame });
        self.visit(cx, Packet { port: index, risen: true, ..packet }, observer);
    }

    /// A frame of a link of another namespace, that stands on a port of ours, leaves by that.
    pub fn transmit_below<O: Observer>(&mut self, cx: &mut Cx<'_>, index: IfIndex, frame: FrameBuf, observer: &mut O) {
        self.counters.received += 1;
        let _ = self.transmit(cx, index, frame, Routed::NOT_YET, observer);
        self.finish(cx, observer);
    }

    /// A frame leaves by a port that has no device of its own.
    #[cold]
    pub(super) fn transmit_virtual<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        mut frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let Some(port) = self.config.ports.get(index) else {
            self.discard(cx, frame, DropReason::HostTargetGone, observer);
            return Err(Errno::NoDev);
        };
        match (port.kind, port.rare.vlan, port.rare.macvlan) {
            (PortKind::Bridge, ..) => self.bridge_transmit(cx, index, frame, observer),
            (_, Some(link), _) => {
                vlan::tag(&mut frame, link.protocol, link.id);
                return self.sink(cx, link.lower, frame, observer);
            }
            (.., Some(link)) => return self.macvlan_transmit(cx, index, link.lower, link.mode, frame, observer),
            (PortKind::Vxlan, ..) => self.vxlan_transmit(cx, index, frame, observer),
            // A dummy takes everything and does nothing.
            _ => self.consume(cx, frame),
        }
        Ok(())
    }

    /// To the link below.
    fn sink<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        lower: Lower,
        frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        match lower {
            Lower::Here(index) => self.transmit(cx, index, frame, Routed::NOT_YET, observer),
            Lower::Elsewhere(number) => {
                self.cross(cx, Crossing::Down(number), frame);
                Ok(())
            }
        }
    }

    /// `macvlan_queue_xmit`
    fn macvlan_transmit<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        lower: Lower,
        mode: MacvlanMode,
        frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let (Lower::Here(below), MacvlanMode::Bridge) = (lower, mode) else {
            return self.sink(cx, lower, frame, observer);
        };
        self.macvlan_send(cx, below, Place::Here(index), frame, observer)
    }

    /// A macvlan in bridge mode sends: to its siblings at once, and to the world.
    fn macvlan_send<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        below: IfIndex,
        own: Place,
        frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let Some(to) = Ethernet::parse(&frame).map(|header| header.destination) else {
            self.discard(cx, frame, DropReason::FrameTooShort, observer);
            return Ok(());
        };
        if to.is_multicast() {
            let packet = Packet::new(frame, below);
            self.macvlan_broadcast(cx, below, Some(own), &[MacvlanMode::Bridge], &packet, observer);
            return self.transmit(cx, below, packet.frame, Routed::NOT_YET, observer);
        }
        let uppers = self.config.ports.get(below).map(|port| port.rare.uppers.as_slice()).unwrap_or_default();
        let sibling = uppers
            .iter()
            .any(|upper| upper.up && matches!(upper.takes, Takes::Mac(mac, MacvlanMode::Bridge) if mac == to));
        if !sibling {
            return self.transmit(cx, below, frame, Routed::NOT_YET, observer);
        }
        // By way of the port below, for those who listen there.
        self.again.rising.push_back(Packet { risen: false, ..Packet::new(frame, below) });
        Ok(())
    }

    /// The same for a macvlan of another namespace.
    pub fn macvlan_from_above<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        below: IfIndex,
        number: u64,
        frame: FrameBuf,
        observer: &mut O,
    ) {
        self.counters.received += 1;
        let _ = self.macvlan_send(cx, below, Place::Elsewhere(number), frame, observer);
        self.finish(cx, observer);
    }

    /// A frame that was to rise when the visit was over.
    pub(super) fn visit_risen<O: Observer>(&mut self, cx: &mut Cx<'_>, packet: Packet, observer: &mut O) {
        observer.step(Step::Received { port: packet.port, frame: &packet.frame });
        self.visit(cx, packet, observer);
    }
}
