//! A packet for somebody else (`ip_forward`).

use super::packet::{Before, Cast, Fate, Packet};
use super::v4::LOOPBACK;
use super::{Cx, Parked, Stack};
use crate::addr::Ipv4Addr;
use crate::control::IfIndex;
use crate::filter::Hook;
use crate::frame::FrameBuf;
use crate::ip::offload::wire_length;
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::route::{Flow, InputRoute};
use crate::time::Time;
use crate::wire::ipv4::{self, options};
use crate::wire::{Icmp, Ipv4, icmpv4};

impl Stack {
    #[inline(always)]
    pub(super) fn forward<O: Observer>(
        &mut self,
        now: Time,
        packet: &mut Packet,
        way: &InputRoute,
        observer: &mut O,
    ) -> Result<Fate, DropReason> {
        if packet.cast != Cast::Host {
            return Err(DropReason::NotUnicastToUs);
        }
        if packet.header.ttl <= 1 {
            return Err(DropReason::TtlExpired);
        }
        if packet.options.strict && way.gateway.is_some() {
            return Err(DropReason::StrictRoute);
        }
        let fits = fits(packet, way.mtu as usize);
        if !fits && packet.header.dont_fragment() && !was_cut_small(packet, way.mtu) {
            packet.info = way.mtu;
            return Err(DropReason::TooBig);
        }
        ipv4::decrement_ttl(&mut packet.frame);
        observer.step(Step::Forwarded { from: packet.port, to: way.oif, ttl: packet.header.ttl - 1 });
        let direct = packet.options.next_hop.filter(|_| packet.options.source_route_hit);
        let next_hop = way.gateway.or(direct).unwrap_or(packet.header.destination);
        packet.info = next_hop.to_bits();
        if !self.filter.is_empty() {
            packet.next_hop = next_hop;
            packet.mtu = way.mtu;
            return Ok(Fate::Forward { port: way.oif });
        }
        if !fits {
            return Ok(Fate::Fragment { port: way.oif, next_hop, mtu: way.mtu as usize });
        }
        Ok(self.send_on(now, packet, way.oif, next_hop, observer))
    }

    /// It leaves, or waits for the next hop's MAC.
    #[inline]
    fn send_on<O: Observer>(
        &mut self,
        now: Time,
        packet: &mut Packet,
        port: IfIndex,
        next_hop: Ipv4Addr,
        observer: &mut O,
    ) -> Fate {
        match self.resolve(now, packet.kept, (port, next_hop), observer) {
            Some(mac) => {
                packet.mac = mac;
                Fate::Transmit { port }
            }
            None => Fate::Park { port, next_hop },
        }
    }

    /// A packet that filters are asked about: how what they let pass leaves, unless it has left already
    /// (`ip_forward_finish`, `ip_output`).
    #[inline(always)]
    pub(super) fn forward_filtered<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        oif: IfIndex,
        observer: &mut O,
    ) -> Option<Fate> {
        packet.header.ttl -= 1;
        if packet.redirect && packet.options.source_route == 0 {
            self.redirect(cx, packet, observer);
            packet.redirect = false;
        }
        let (inward, outward) = (Some(packet.port), Some(oif));
        let mut asked = self.hook(cx, Hook::Forward, packet, inward, outward, observer);
        if asked.is_ok() {
            if packet.has_options() {
                self.stamp(cx.now, packet, oif);
            }
            asked = self.hook(cx, Hook::PostRouting, packet, inward, outward, observer);
        }
        if let Err(reason) = asked {
            self.discard(cx, packet.take().frame, reason, observer);
            return None;
        }
        let plain = !packet.has_options() && packet.largest == 0 && oif != LOOPBACK;
        if !plain || !fits(packet, packet.mtu as usize) {
            packet.route.before = Before::Passing;
            // Nobody here waits for the answer.
            let _ = self.leave(cx, packet.take(), oif, Parked::routed(inward), observer);
            return None;
        }
        Some(self.send_on(cx.now, packet, oif, packet.next_hop, observer))
    }

    /// What is done to a forwarded packet last: the sender is told of a shorter way, and options get the address of the
    /// way out (`ip_rt_send_redirect`, `ip_forward_options`).
    #[inline]
    pub(super) fn before_leaving<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        oif: IfIndex,
        observer: &mut O,
    ) {
        if packet.redirect && packet.options.source_route == 0 {
            self.redirect(cx, packet, observer);
        }
        if packet.has_options() {
            self.stamp(cx.now, packet, oif);
        }
    }

    #[cold]
    fn redirect<O: Observer>(&mut self, cx: &mut Cx<'_>, packet: &Packet, observer: &mut O) {
        let port = self.config.ports.get(packet.port);
        let sends = port.is_some_and(|port| self.config.sysctls.on_port(&port.conf).send_redirects());
        if sends && self.peers.redirect_allowed(cx.now, packet.header.source) {
            let message =
                Icmp { kind: icmpv4::kind::REDIRECT, code: icmpv4::code::REDIR_HOST, rest: packet.info.to_be_bytes() };
            self.icmp_send(cx, &packet.into(), message, observer);
        }
    }

    #[cold]
    fn stamp(&mut self, now: Time, packet: &mut Packet, oif: IfIndex) {
        let destination = packet.options.next_hop.filter(|_| packet.options.source_route_hit);
        let destination = destination.unwrap_or(packet.header.destination);
        let flow = Flow { source: Some(packet.header.source), iif: Some(packet.port), ..Flow::to(destination) };
        let flow = Flow { oif: Some(oif), tos: packet.header.tos, ..flow };
        let outgoing = self.preferred_source(now, &flow);
        let outgoing = outgoing.unwrap_or_else(|| self.select_address(oif, Some(destination), 0));
        let header = ipv4::header_mut(&mut packet.frame);
        options::forward(header, &mut packet.options, outgoing);
        if packet.options.changed {
            ipv4::write_checksum(&mut packet.frame);
        }
        // A hop of a source route changes where it goes.
        packet.header = Ipv4::parse(&packet.frame).unwrap_or(packet.header);
    }
}

/// True if it came in fragments that had DF and were not larger than the MTU: it will be cut like that again.
fn was_cut_small(packet: &Packet, mtu: u32) -> bool {
    packet.largest != 0 && u32::from(packet.largest) <= mtu
}

/// True if a packet is not larger than the MTU; of a super-frame, each of its segments.
#[inline(always)]
pub(super) fn fits(packet: &Packet, mtu: usize) -> bool {
    packet.frame.len() <= mtu || segments_fit(&packet.frame, mtu)
}

#[cold]
fn segments_fit(frame: &FrameBuf, mtu: usize) -> bool {
    frame.offload().segment_size.is_some() && wire_length(frame, frame.offload()) <= mtu
}
