//! ARP: who asks, who answers, who is only heard (`arp_process`, `arp_solicit`).

use super::packet::{Cast, Fate, Packet, Routed};
use super::receive::is_noarp;
use super::v4::LOOPBACK;
use super::{Cx, Parked, Stack};
use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::control::{IfIndex, RouteKind, scope};
use crate::frame::FrameBuf;
use crate::link::Port;
use crate::neighbor::Heard;
use crate::observe::Observer;
use crate::reason::DropReason;
use crate::route::{InputKey, OutputKey, input_route};
use crate::sysctl::{Conf, Conf4};
use crate::time::Time;
use crate::wire::{Arp, Ethernet, Ipv4, arp, ethernet};

impl Stack {
    /// Reads an ARP packet (`arp_rcv`), and decides about it.
    pub(super) fn walk_arp(&mut self, now: Time, packet: &mut Packet) -> Result<Fate, DropReason> {
        if packet.cast == Cast::OtherHost {
            return Err(DropReason::OtherHost);
        }
        let Some(port) = self.config.ports.get(packet.port) else { return Err(DropReason::PortDown) };
        if is_noarp(port) || !port.has_ipv4() {
            return Err(DropReason::ArpIgnored);
        }
        let heard = Arp::parse(&packet.frame).filter(|_| packet.port != LOOPBACK);
        self.process_arp(now, packet, heard.ok_or(DropReason::ArpMalformed)?)
    }

    fn process_arp(&mut self, now: Time, packet: &Packet, heard: Arp) -> Result<Fate, DropReason> {
        let Some(port) = self.config.ports.get(packet.port) else { return Err(DropReason::PortDown) };
        let conf = self.config.sysctls.on_port(&port.conf);
        let Arp { operation, sender_ip, target_ip, .. } = heard;
        let asks = operation == arp::REQUEST;
        let is_martian = target_ip.is_multicast() || target_ip.is_loopback() && !conf.route_localnet();
        let is_dropped = sender_ip == target_ip && conf.drop_gratuitous_arp();
        if !asks && operation != arp::REPLY || is_martian || is_dropped {
            return Err(DropReason::ArpIgnored);
        }
        if sender_ip.is_unspecified() {
            // Somebody wants the address, and sees whether it is taken (RFC 2131).
            let ours = asks && self.address_kind(target_ip) == RouteKind::Local;
            let answers = ours && !self.ignores(conf, port.index, None, target_ip);
            return if answers { Ok(Fate::Answer(reply(&heard, port.mac))) } else { Err(DropReason::ArpIgnored) };
        }
        if asks && let Some(decided) = self.asked(now, packet, &heard) {
            return decided;
        }
        self.overhear(now, packet, &heard)
    }

    /// A request: `None` if it is not one that we answer, or refuse to.
    fn asked(&mut self, now: Time, packet: &Packet, heard: &Arp) -> Option<Result<Fate, DropReason>> {
        let Arp { sender_ip, target_ip, .. } = *heard;
        let key = InputKey { arp: true, ..InputKey::new(sender_ip, target_ip, packet.port) };
        let way = self.ask(now, |net, rib| input_route(net, rib, &key)).ok()?;
        let port = self.config.ports.get(packet.port)?;
        let conf = self.config.sysctls.on_port(&port.conf);
        if way.kind == RouteKind::Local {
            let ignores = self.ignores(conf, port.index, Some(sender_ip), target_ip)
                || conf.arp_filter() && self.filters(now, port.index, sender_ip, target_ip);
            if ignores {
                return Some(Err(DropReason::ArpIgnored));
            }
            let answer = reply(heard, port.mac);
            return Some(self.answer_unless_full(now, packet, heard, Fate::Answer(answer)));
        }
        if !conf.forwarding() || way.kind != RouteKind::Unicast || !self.proxies(conf, port, way.oif, heard) {
            return None;
        }
        let at_once = packet.cast == Cast::Host || port.conf.rare.neigh4.proxy_delay().is_zero();
        let fate = if at_once { Fate::Answer(reply(heard, port.mac)) } else { Fate::Defer };
        // A proxy answers also if there is no room to remember who asked.
        self.neighbors.solicited(now, packet.port, IpAddr::V4(sender_ip), heard.sender_mac);
        Some(Ok(fate))
    }

    fn answer_unless_full(&mut self, now: Time, packet: &Packet, heard: &Arp, fate: Fate) -> Result<Fate, DropReason> {
        let room = self.neighbors.solicited(now, packet.port, IpAddr::V4(heard.sender_ip), heard.sender_mac);
        if room { Ok(fate) } else { Err(DropReason::NeighborTableFull) }
    }

    /// `arp_ignore`
    fn ignores(&self, conf: Conf<'_>, port: IfIndex, sender: Option<Ipv4Addr>, target: Ipv4Addr) -> bool {
        match conf.arp_ignore() {
            1 => !self.confirms(Some(port), None, Some(target), scope::HOST),
            2 => !self.confirms(Some(port), sender, Some(target), scope::HOST),
            3 => !self.confirms(None, None, Some(target), scope::LINK),
            8 => true,
            _ => false,
        }
    }

    /// `arp_filter`: the way to the sender is by another port.
    fn filters(&self, now: Time, port: IfIndex, sender: Ipv4Addr, target: Ipv4Addr) -> bool {
        let key = OutputKey { source: Some(target), ..OutputKey::to(sender) };
        !self.output_way(now, &key).is_ok_and(|route| route.oif == port)
    }

    /// True if we answer for another: it lives behind another port, and `proxy_arp` or an entry says so; or it lives on the
    /// same link, and `proxy_arp_pvlan` says so.
    fn proxies(&self, conf: Conf<'_>, port: &Port, oif: IfIndex, heard: &Arp) -> bool {
        if oif == port.index {
            return heard.sender_ip != heard.target_ip && conf.proxy_arp_pvlan();
        }
        conf.proxy_arp() && self.are_apart(port, oif)
            || self.neighbors.is_proxied(port.index, IpAddr::V4(heard.target_ip))
    }

    /// Two ports of one medium need no proxy between them (`medium_id`).
    fn are_apart(&self, port: &Port, oif: IfIndex) -> bool {
        let medium = port.conf.v4.get(Conf4::MediumId);
        let other = self.config.ports.get(oif).map_or(-1, |port| port.conf.v4.get(Conf4::MediumId));
        medium == 0 || medium != -1 && other != medium && other != -1
    }

    /// All others only tell us where their sender is.
    fn overhear(&mut self, now: Time, packet: &Packet, heard: &Arp) -> Result<Fate, DropReason> {
        let Arp { operation, sender_ip, sender_mac, .. } = *heard;
        let Some(port) = self.config.ports.get(packet.port) else { return Err(DropReason::PortDown) };
        let conf = self.config.sysctls.on_port(&port.conf);
        let is_neighbor = self.address_kind(sender_ip) == RouteKind::Unicast;
        let gratuitous = heard.is_gratuitous() && is_neighbor;
        let accepts = match conf.arp_accept() {
            1 => true,
            2 => self.confirms(Some(port.index), Some(sender_ip), None, scope::LINK),
            _ => false,
        };
        let accept = accepts && (gratuitous || operation == arp::REPLY && is_neighbor);
        let reply_to_us = operation == arp::REPLY && packet.cast == Cast::Host;
        let ip = IpAddr::V4(sender_ip);
        if !accept && self.neighbors.get(now, packet.port, ip).is_none() {
            return Err(DropReason::ArpIgnored);
        }
        self.neighbors.heard(now, packet.port, ip, sender_mac, Heard { reply_to_us, gratuitous, accept });
        Ok(Fate::Heard)
    }

    /// Turns a request into its reply, in its own frame.
    pub(super) fn answer_arp<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        mut frame: FrameBuf,
        reply: &Arp,
        observer: &mut O,
    ) {
        self.counters.consumed += 1;
        self.counters.made += 1;
        *frame.offload_mut() = Default::default();
        frame.resize(0);
        frame.extend(&reply.emit());
        self.transmit_arp(cx, port, frame, reply.target_mac, observer);
    }

    /// The time has come to answer a request for another.
    #[cold]
    pub(super) fn answer_deferred<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        frame: FrameBuf,
        observer: &mut O,
    ) {
        // It goes the whole way again, and is answered at once this time if it still is.
        let packet = Packet { cast: Cast::Host, ..Packet::new(frame, port) };
        let heard = Arp::parse(&packet.frame);
        let decided = heard.ok_or(DropReason::ArpMalformed).and_then(|heard| self.process_arp(cx.now, &packet, heard));
        match decided {
            Ok(Fate::Answer(reply)) => self.answer_arp(cx, port, packet.frame, &reply, observer),
            Ok(_) => self.consume(cx, packet.frame),
            Err(reason) => self.discard(cx, packet.frame, reason, observer),
        }
    }

    /// Asks who has `ip`.
    #[cold]
    pub(super) fn solicit<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        target_ip: Ipv4Addr,
        unicast: Option<Mac>,
        observer: &mut O,
    ) {
        let Some(port) = self.config.ports.get(index).filter(|port| port.has_ipv4() && !is_noarp(port)) else { return };
        let speaker = self.last_speaker(index, target_ip);
        let source = match self.config.sysctls.on_port(&port.conf).arp_announce() {
            2 => None,
            1 => speaker.filter(|source| self.is_on_link(port, target_ip, *source)),
            _ => speaker,
        };
        let sender_ip = source.unwrap_or_else(|| self.select_address(index, Some(target_ip), scope::LINK));
        let (sender_mac, everybody) = (port.mac, port.broadcast);
        let request = Arp { operation: arp::REQUEST, sender_mac, sender_ip, target_mac: Mac::ZERO, target_ip };
        self.send_arp(cx, index, &request, unicast.unwrap_or(everybody), observer);
    }

    /// The source of the packet that waits for this neighbour, if it is ours.
    fn last_speaker(&self, port: IfIndex, ip: Ipv4Addr) -> Option<Ipv4Addr> {
        let (frame, _): &(FrameBuf, Parked) = self.neighbors.last_parked(port, IpAddr::V4(ip))?;
        let source = Ipv4::parse(frame)?.source;
        (self.address_kind(source) == RouteKind::Local).then_some(source)
    }

    /// `inet_addr_onlink`: one of the port's subnets has both.
    fn is_on_link(&self, port: &Port, a: Ipv4Addr, b: Ipv4Addr) -> bool {
        port.addresses4.iter().any(|address| address.prefix().contains(a) && address.prefix().contains(b))
    }

    /// Tells everybody where the port's addresses are (`inetdev_send_gratuitous_arp`).
    #[cold]
    pub(super) fn announce<O: Observer>(&mut self, cx: &mut Cx<'_>, index: IfIndex, observer: &mut O) {
        let mut at = 0;
        while let Some(port) = self.config.ports.get(index).filter(|port| !is_noarp(port))
            && let Some(address) = port.addresses4.get(at)
        {
            let (own, sender_mac, everybody) = (address.local, port.mac, port.broadcast);
            let target_mac = Mac::ZERO;
            let request = Arp { operation: arp::REQUEST, sender_mac, sender_ip: own, target_mac, target_ip: own };
            self.send_arp(cx, index, &request, everybody, observer);
            at += 1;
        }
    }

    fn send_arp<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, packet: &Arp, to: Mac, observer: &mut O) {
        self.counters.made += 1;
        let frame = cx.pool.copy(&packet.emit());
        self.transmit_arp(cx, port, frame, to, observer);
    }

    fn transmit_arp<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        mut frame: FrameBuf,
        to: Mac,
        observer: &mut O,
    ) {
        let source = self.config.ports.get(port).map_or(Mac::ZERO, |port| port.mac);
        frame.push(ethernet::HEADER);
        Ethernet { destination: to, source, ethertype: ethernet::ARP }.write(&mut frame);
        // Nobody waits to be told: who asked asks again.
        let _ = self.transmit(cx, port, frame, Routed::NOT_YET, observer);
    }
}

/// The answer: the target is here.
fn reply(heard: &Arp, mac: Mac) -> Arp {
    Arp {
        operation: arp::REPLY,
        sender_mac: mac,
        sender_ip: heard.target_ip,
        target_mac: heard.sender_mac,
        target_ip: heard.sender_ip,
    }
}
