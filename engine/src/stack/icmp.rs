//! ICMP messages for us (`icmp_rcv`): requests are answered, errors are told to sockets and to the tables.

use super::ask::spec_destination;
use super::output::{Ident, Own};
use super::packet::Packet;
use super::{Cx, Stack};
use crate::addr::{IpAddr, Ipv4Addr};
use crate::control::Nud;
use crate::local::IcmpError;
use crate::observe::Observer;
use crate::reason::DropReason;
use crate::route::{Net, OutputKey, OutputRoute, Redirect, Transport};
use crate::wire::icmpv4::{self, code, kind};
use crate::wire::ipv4::options::OwnOptions;
use crate::wire::{Icmp, Ipv4, ipv4, protocol};

/// How a delivered packet is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Not at all, or not by the stack.
    None,
    /// An echo request: by its echo.
    Echo,
    /// A timestamp request: by the time.
    Timestamp,
}

/// Codes of `DEST_UNREACH` end here (`NR_ICMP_UNREACH`).
const LAST_UNREACH: u8 = code::PREC_CUTOFF;

impl Stack {
    /// Decides about an ICMP message.
    pub(super) fn icmp_receive(&mut self, cx: &mut Cx<'_>, packet: &Packet) -> Result<Answer, DropReason> {
        let message = Icmp::checked(packet.payload())?;
        let sysctls = &self.config.sysctls;
        if packet.route.is_to_many() {
            let asks = matches!(message.kind, kind::ECHO | kind::TIMESTAMP);
            if asks && sysctls.icmp_echo_ignore_broadcasts() {
                return Err(DropReason::IcmpIgnored);
            }
            if !asks && !matches!(message.kind, kind::ADDRESS | kind::ADDRESS_REPLY) {
                return Err(DropReason::IcmpUnhandled);
            }
        }
        match message.kind {
            kind::ECHO if sysctls.icmp_echo_ignore_all() => Err(DropReason::IcmpIgnored),
            kind::ECHO => Ok(Answer::Echo),
            kind::TIMESTAMP if packet.payload().len() < icmpv4::HEADER + 4 => Err(DropReason::IcmpTruncated),
            kind::TIMESTAMP => Ok(Answer::Timestamp),
            kind::DEST_UNREACH | kind::SOURCE_QUENCH | kind::TIME_EXCEEDED | kind::PARAMETER_PROB => {
                self.error_received(cx, packet, &message)
            }
            kind::REDIRECT => self.redirect_received(cx, packet, &message),
            // Nobody listens to replies, to what is unknown, or to what is out of use.
            _ => Err(DropReason::IcmpUnhandled),
        }
    }

    /// An error about a packet of ours (`icmp_unreach`).
    fn error_received(&mut self, cx: &mut Cx<'_>, packet: &Packet, message: &Icmp) -> Result<Answer, DropReason> {
        let (quoted, inner) = quoted(packet)?;
        let Icmp { kind, code, rest } = *message;
        let is_mtu = (kind, code & 15) == (kind::DEST_UNREACH, code::FRAG_NEEDED);
        let no_pmtu_disc = self.config.sysctls.ip_no_pmtu_disc();
        let unheard = match kind {
            kind::DEST_UNREACH => code > LAST_UNREACH || is_mtu && no_pmtu_disc == 2,
            kind::TIME_EXCEEDED => code == code::EXC_FRAGTIME,
            _ => false,
        };
        if unheard {
            return Err(DropReason::IcmpUnhandled);
        }
        let info = match kind {
            kind::DEST_UNREACH if is_mtu && no_pmtu_disc != 1 => u32::from(message.sequence()),
            kind::PARAMETER_PROB => u32::from(rest[0]),
            _ => 0,
        };
        let concerns_us = self.tell_sockets(cx, packet, message, info, inner) || is_our_echo(&quoted, inner);
        if is_mtu && concerns_us {
            let key = quoted_key(&quoted);
            let (ports, sysctls) = (&self.config.ports, &self.config.sysctls);
            self.config.rib4.learn_mtu(Net::new(cx.now, ports, sysctls), &key, info);
        }
        Ok(Answer::None)
    }

    /// A router knows a better way (`icmp_redirect`, `__ip_do_redirect`).
    fn redirect_received(&mut self, cx: &mut Cx<'_>, packet: &Packet, message: &Icmp) -> Result<Answer, DropReason> {
        let (quoted, inner) = quoted(packet)?;
        let gateway = Ipv4Addr::from(message.rest);
        let info = gateway.to_bits();
        let concerns_us = self.tell_sockets(cx, packet, message, info, inner) || is_our_echo(&quoted, inner);
        if concerns_us && message.code & 7 <= code::REDIR_HOSTTOS {
            let key = quoted_key(&quoted);
            let now = cx.now;
            let neighbors =
                |port, ip| self.neighbors.get(now, port, IpAddr::V4(ip)).map_or(Nud::None, |entry| entry.state);
            let net = Net::new(now, &self.config.ports, &self.config.sysctls).with_neighbors(&neighbors);
            let became = self.config.rib4.learn_gateway(net, &key, packet.port, packet.header.source, gateway);
            if became == Redirect::Unresolved {
                self.neighbors.look_for(now, packet.port, IpAddr::V4(gateway));
            }
        }
        Ok(Answer::None)
    }

    /// True if it concerned a socket.
    fn tell_sockets(&mut self, cx: &mut Cx<'_>, packet: &Packet, message: &Icmp, info: u32, inner: &[u8]) -> bool {
        let Ipv4 { source: from, ttl, .. } = packet.header;
        let Icmp { kind, code, .. } = *message;
        self.sockets.icmp_error(cx.now, &IcmpError { port: packet.port, from, kind, code, ttl, info, inner })
    }

    /// Turns an echo request into its reply, in its own frame (`icmp_echo`).
    pub(super) fn echo<O: Observer>(&mut self, cx: &mut Cx<'_>, mut packet: Packet, observer: &mut O) {
        let way = self.reply_way(cx, &packet, kind::ECHO_REPLY);
        let Some((route, echo)) = way else { return self.consume(cx, packet.frame) };
        let own = Own::kernel(Ident::Chosen, self.reply_mark(packet.mark));
        let header_length = packet.header.header_length;
        let destination = Stack::answered(&route, packet.header.source);
        let like = Ipv4 { source: route.source, destination, ..packet.header };
        if !echo.bytes().is_empty() || header_length > ipv4::HEADER {
            let mut message = cx.pool.copy(packet.payload());
            icmpv4::turn_echo(&mut message);
            let frame = self.build(cx, &route, &like, &echo, &[&message]);
            cx.pool.give(message);
            let _ = self.send(cx, &route, frame, own, observer);
            return self.consume(cx, packet.frame);
        }
        // The request arrived, and the reply is made of it.
        self.counters.consumed += 1;
        self.counters.made += 1;
        let ttl = self.ttl(&route);
        let header = Ipv4 { flags_fragment: 0, ttl, ..like };
        header.write(&[], &mut packet.frame);
        if let Some(message) = packet.frame.get_mut(header_length..) {
            icmpv4::turn_echo(message);
        }
        let _ = self.send(cx, &route, packet.frame, own, observer);
    }

    /// Answers with the milliseconds since midnight (`icmp_timestamp`).
    #[cold]
    pub(super) fn timestamp<O: Observer>(&mut self, cx: &mut Cx<'_>, packet: Packet, observer: &mut O) {
        if let Some((route, echo)) = self.reply_way(cx, &packet, kind::TIMESTAMP_REPLY)
            && let Some(asked) = Icmp::parse(packet.payload())
            && let Some(originate) = packet.payload().get(icmpv4::HEADER..icmpv4::HEADER + 4)
        {
            let time = ipv4::options::midnight(cx.now.0 / 1_000_000).to_be_bytes();
            let mut times = [0; 12];
            for (place, byte) in times.iter_mut().zip(originate.iter().chain(&time).chain(&time)) {
                *place = *byte;
            }
            let head = Icmp { kind: kind::TIMESTAMP_REPLY, code: 0, ..asked }.emit(&times);
            let destination = Stack::answered(&route, packet.header.source);
            let like = Ipv4 { source: route.source, destination, ..packet.header };
            let frame = self.build(cx, &route, &like, &echo, &[&head, &times]);
            let own = Own::kernel(Ident::Chosen, self.reply_mark(packet.mark));
            let _ = self.send(cx, &route, frame, own, observer);
        }
        self.consume(cx, packet.frame);
    }

    /// The way of a reply to the sender of a packet, with the options that answer its own (`icmp_reply`).
    fn reply_way(&mut self, cx: &mut Cx<'_>, packet: &Packet, kind: u8) -> Option<(OutputRoute, OwnOptions)> {
        let limited = self.is_limited(Icmp { kind, code: 0, rest: [0; 4] });
        if limited && !self.peers.any_allowed(cx.now, &self.config.sysctls) {
            return None;
        }
        let echo = self.echo_options(&packet.frame, &packet.options)?;
        let source = spec_destination(self, cx.now, packet);
        let to = echo.options.next_hop.filter(|_| echo.options.source_route != 0).unwrap_or(packet.header.source);
        let source = Some(source).filter(|source| !source.is_unspecified());
        let mark = self.reply_mark(packet.mark);
        let transport = Transport::of(protocol::ICMP);
        let key = OutputKey { source, tos: packet.header.tos, mark, transport, ..OutputKey::to(to) };
        let route = self.output_way(cx.now, &key).ok()?;
        if limited {
            let interval = self.config.sysctls.icmp_ratelimit();
            if route.oif != super::v4::LOOPBACK && !self.peers.error_allowed(cx.now, to, interval) {
                return None;
            }
            self.peers.any_sent();
        }
        Some((route, echo))
    }
}

/// The packet that an error quotes: its IP header, and the bytes from there on. It must have eight bytes behind its header.
fn quoted(packet: &Packet) -> Result<(Ipv4, &[u8]), DropReason> {
    let inner = packet.payload().get(icmpv4::HEADER..).unwrap_or(&[]);
    let header = Ipv4::parse(inner).ok_or(DropReason::IcmpTruncated)?;
    if inner.len() < header.header_length + 8 {
        return Err(DropReason::IcmpTruncated);
    }
    Ok((header, inner))
}

/// True if the quoted packet is an echo reply: the stack itself sent it, and no socket knows of it (`icmp_err`).
fn is_our_echo(quoted: &Ipv4, inner: &[u8]) -> bool {
    quoted.protocol == protocol::ICMP && inner.get(quoted.header_length) == Some(&kind::ECHO_REPLY)
}

/// The question that gave the quoted packet its way.
fn quoted_key(quoted: &Ipv4) -> OutputKey {
    let igmp = quoted.protocol == protocol::IGMP;
    OutputKey { source: Some(quoted.source), tos: quoted.tos, igmp, ..OutputKey::to(quoted.destination) }
}
