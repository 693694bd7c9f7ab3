//! ICMP errors about a packet, to its sender (`icmp_send`), and when there must be none (RFC 1122, RFC 1812).

use super::output::{Ident, Own};
use super::packet::{Before, Cast, Packet};
use super::v4::LOOPBACK;
use super::{Cx, Stack};
use crate::addr::{IpAddr, Ipv4Addr};
use crate::conntrack::Nfct;
use crate::control::{IfIndex, scope};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::route::{OutputKey, Transport, rtcf};
use crate::wire::icmpv4::{self, code, kind};
use crate::wire::ipv4::options::Options;
use crate::wire::{Icmp, Ipv4, Tcp, ipv4, protocol};

/// Most bytes of an error, IP header and all.
const MOST: usize = 576;
/// The bits of a TOS that an error takes over, and the precedence it gets.
const TOS_MASK: u8 = 0x1e;
const PRECEDENCE: u8 = 0xc0;
/// The bits of a TOS that tell of congestion.
const ECN_MASK: u8 = 3;
/// Highest type that there is (`NR_ICMP_TYPES`).
const LAST_TYPE: u8 = kind::ADDRESS_REPLY;
/// The source of an error from a host without an address (RFC 7600).
const DUMMY: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 8);

/// A packet that an error is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Culprit<'a> {
    /// The packet, from its IP header on.
    pub(super) packet: &'a [u8],
    /// Where it came in, or was about to leave (`skb->dev`).
    pub(super) port: IfIndex,
    /// The link said it is to us, and to nobody else.
    pub(super) to_us: bool,
    /// [`rtcf`] of its route.
    pub(super) flags: u32,
    /// The port it came in by, if it was routed then (`rt_is_input_route`).
    pub(super) inbound: Option<IfIndex>,
    /// Its options, as they were read.
    pub(super) options: Options,
    /// Its mark.
    pub(super) mark: u32,
    /// Its connection, if that may not be in the table yet.
    pub(super) nfct: Nfct,
}

impl<'a> From<&'a Packet> for Culprit<'a> {
    fn from(packet: &'a Packet) -> Culprit<'a> {
        Culprit {
            packet: &packet.frame,
            port: packet.port,
            to_us: packet.cast == Cast::Host,
            flags: packet.route.flags,
            inbound: (packet.route.before != Before::Own).then_some(packet.port),
            options: packet.options,
            mark: packet.mark,
            nfct: packet.nfct,
        }
    }
}

impl<'a> From<&'a mut Packet> for Culprit<'a> {
    fn from(packet: &'a mut Packet) -> Culprit<'a> {
        Culprit::from(&*packet)
    }
}

impl Stack {
    /// What the sender of a refused packet is told, if anything.
    #[cold]
    pub(super) fn tell_sender<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &Packet,
        reason: DropReason,
        observer: &mut O,
    ) {
        let unreachable = |code| Icmp { kind: kind::DEST_UNREACH, code, rest: [0; 4] };
        let message = match reason {
            DropReason::NoRoute => unreachable(code::NET_UNREACH),
            DropReason::RouteUnreachable => unreachable(code::HOST_UNREACH),
            DropReason::RouteProhibit => unreachable(code::PKT_FILTERED),
            DropReason::StrictRoute => unreachable(code::SR_FAILED),
            DropReason::NoProtocol => unreachable(code::PROT_UNREACH),
            DropReason::TooBig => Icmp::frag_needed(packet.info.min(0xffff) as u16),
            DropReason::TtlExpired => Icmp { kind: kind::TIME_EXCEEDED, code: code::EXC_TTL, rest: [0; 4] },
            DropReason::IpOptions => Icmp { kind: kind::PARAMETER_PROB, code: 0, rest: packet.info.to_be_bytes() },
            DropReason::NoSocket if packet.header.protocol == protocol::UDP => unreachable(code::PORT_UNREACH),
            DropReason::NoSocket if packet.header.protocol == protocol::TCP => return self.reset(cx, packet, observer),
            _ => return,
        };
        let no_route = matches!(reason, DropReason::NoRoute | DropReason::RouteUnreachable | DropReason::RouteProhibit);
        if no_route && !self.peers.no_route_allowed(cx.now, packet.header.source) {
            return observer.step(Step::IcmpSuppressed { kind: message.kind, code: message.code });
        }
        let mut culprit = Culprit::from(packet);
        if reason == DropReason::NoSocket {
            // Where sockets are looked for the connection is forgotten (`nf_reset_ct`).
            culprit.nfct = Nfct::UNSEEN;
        }
        self.icmp_send(cx, &culprit, message, observer);
    }

    /// Sends an error, or a redirect, about a packet to its sender, unless a rule or a limit is against it.
    #[cold]
    pub(super) fn icmp_send<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        culprit: &Culprit<'_>,
        message: Icmp,
        observer: &mut O,
    ) {
        let to = self.try_icmp_send(cx, culprit, message, observer);
        let Icmp { kind, code, .. } = message;
        match to {
            Some(()) => {}
            None => observer.step(Step::IcmpSuppressed { kind, code }),
        }
    }

    fn try_icmp_send<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        culprit: &Culprit<'_>,
        message: Icmp,
        observer: &mut O,
    ) -> Option<()> {
        let header = Ipv4::parse(culprit.packet)?;
        if !may_be_answered(culprit, &header, message.kind) {
            return None;
        }
        let limited = self.is_limited(message) && culprit.port != LOOPBACK;
        if limited && !self.peers.any_allowed(cx.now, &self.config.sysctls) {
            return None;
        }
        let source = self.error_source(culprit, &header);
        let tos = if icmpv4::is_error(message.kind) { header.tos & TOS_MASK | PRECEDENCE } else { header.tos };
        let echo = self.echo_options(culprit.packet, &culprit.options)?;
        let first = echo.options.next_hop.filter(|_| echo.options.source_route != 0).unwrap_or(header.source);
        let mark = self.reply_mark(culprit.mark);
        let transport = Transport::of(protocol::ICMP);
        let key = OutputKey { source, tos, mark, transport, ..OutputKey::to(first) };
        let route = self.output_way(cx.now, &key).ok()?;
        let interval = self.config.sysctls.icmp_ratelimit();
        if limited && route.oif != LOOPBACK && !self.peers.error_allowed(cx.now, first, interval) {
            return None;
        }
        if limited {
            self.peers.any_sent();
        }
        let room = (route.mtu as usize).min(MOST);
        let room = room.checked_sub(ipv4::HEADER + echo.bytes().len() + icmpv4::HEADER)?;
        if room <= ipv4::HEADER {
            return None;
        }
        let quote = culprit.packet.get(..room).unwrap_or(culprit.packet);
        let destination = Stack::answered(&route, header.source);
        observer.step(Step::IcmpError { kind: message.kind, code: message.code, to: IpAddr::V4(destination) });
        let source = if route.source.is_unspecified() { DUMMY } else { route.source };
        let reply = Ipv4 { tos, source, destination, protocol: protocol::ICMP, ..header };
        let head = message.emit(quote);
        let frame = self.build(cx, &route, &reply, &echo, &[&head, quote]);
        // Its own end is counted where it comes to it.
        // An error is part of the connection that it is about (`icmp_glue_bits`).
        let nfct = if message.is_error() { culprit.nfct.attach() } else { Nfct::UNSEEN };
        let own = Own { nfct, ..Own::kernel(Ident::Chosen, mark) };
        let _ = self.send(cx, &route, frame, own, observer);
        Some(())
    }

    /// True for the types that `icmp_ratemask` names; path MTU discovery is never held back.
    pub(super) fn is_limited(&self, message: Icmp) -> bool {
        let pmtu = message.kind == kind::DEST_UNREACH && message.code == code::FRAG_NEEDED;
        let bit = 1u32.checked_shl(message.kind.into()).unwrap_or(0);
        message.kind <= LAST_TYPE && !pmtu && bit & self.config.sysctls.icmp_ratemask() != 0
    }

    /// The address an error speaks from; none: that of the way to the sender.
    fn error_source(&self, culprit: &Culprit<'_>, header: &Ipv4) -> Option<Ipv4Addr> {
        if culprit.flags & rtcf::LOCAL != 0 {
            return Some(header.destination);
        }
        let inbound = culprit.inbound.filter(|_| self.config.sysctls.icmp_errors_use_inbound_ifaddr());
        let address = inbound.map(|port| self.select_address(port, Some(header.source), scope::LINK));
        address.filter(|address| !address.is_unspecified())
    }

    /// Refuses a TCP segment (`tcp_v4_send_reset`).
    #[cold]
    fn reset<O: Observer>(&mut self, cx: &mut Cx<'_>, packet: &Packet, observer: &mut O) {
        let segment = packet.payload();
        let Some(reset) = Tcp::parse(segment).and_then(|segment_header| segment_header.refuse(segment.len())) else {
            return;
        };
        let Some(echo) = self.echo_options(&packet.frame, &packet.options) else { return };
        let Ipv4 { source, destination, tos, .. } = packet.header;
        // A RST does not speak for a flow that could heed congestion.
        let tos = tos & !ECN_MASK;
        let first = echo.options.next_hop.filter(|_| echo.options.source_route != 0).unwrap_or(source);
        let mark = self.reply_mark(packet.mark);
        let key = OutputKey { source: Some(destination), tos, mark, ..OutputKey::to(first) };
        let Ok(route) = self.output_way(cx.now, &key) else { return };
        let destination = Stack::answered(&route, source);
        let reply = Ipv4 { tos, source: route.source, destination, ..packet.header };
        // The checksum is made before the way is known, whomever that leads to.
        let head = reset.emit(reply.source, source, &[]);
        let mut frame = self.build(cx, &route, &reply, &echo, &[&head]);
        ipv4::set_flags_fragment(&mut frame, ipv4::DF);
        let _ = self.send(cx, &route, frame, Own::kernel(Ident::Zero, mark), observer);
    }
}

/// The rules: no error about a packet for many, about a later fragment, or about an error.
fn may_be_answered(culprit: &Culprit<'_>, header: &Ipv4, kind: u8) -> bool {
    if !culprit.to_us || culprit.flags & (rtcf::BROADCAST | rtcf::MULTICAST) != 0 || header.fragment_offset() != 0 {
        return false;
    }
    if !icmpv4::is_error(kind) || header.protocol != protocol::ICMP {
        return true;
    }
    match culprit.packet.get(header.header_length) {
        Some(&inner) => inner <= LAST_TYPE && !counts_as_error(inner),
        None => false,
    }
}

/// What `icmp_pointers` marks as an error: types that nobody knows count as such.
fn counts_as_error(kind: u8) -> bool {
    icmpv4::is_error(kind) || matches!(kind, 1 | 2 | 6 | 7 | 9 | 10)
}
