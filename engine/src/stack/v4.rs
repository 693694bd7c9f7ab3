//! An IPv4 packet comes in: its header, its route, its options (`ip_rcv`, `ip_rcv_finish`).

use super::ask::spec_destination;
use super::packet::{Before, Cast, Fate, Packet, Routed};
use super::{Cx, Stack};
use crate::addr::{IpAddr, Ipv4Addr};
use crate::conntrack::has_ports;
use crate::control::{IfIndex, RouteKind};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::route::{InputKey, InputRoute, Kept, Transport, input_route, lasting_route, multipath_hash, rtcf};
use crate::time::Time;
use crate::wire::ipv4::{self, Ipv4, options};
use crate::wire::{icmpv4, protocol};

/// The group of all hosts, which every port has joined.
const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// `lo`
pub(super) const LOOPBACK: IfIndex = 1;

impl Stack {
    /// From the IP header to the decision.
    #[inline(always)]
    pub(super) fn walk_v4<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<Fate, DropReason> {
        admit(packet)?;
        if !self.filter.is_empty()
            && let Some(fate) = self.before_routing(cx, packet, observer)?
        {
            return Ok(fate);
        }
        let now = cx.now;
        let mut way = self.way_in(now, packet, observer);
        if packet.has_options() {
            // Copies, here and there: what only seldom is laid down in memory stays in registers for all others.
            let found = way.map(|way| InputRoute { ..way });
            way = self.read_options(now, packet, found, observer).map(|way| InputRoute { ..way });
        }
        let way = way?;
        match packet.route.kind {
            RouteKind::Unicast => {
                self.admit_unicast(packet)?;
                self.forward(now, packet, &way, observer)
            }
            RouteKind::Local => {
                self.admit_unicast(packet)?;
                Ok(Fate::Deliver)
            }
            _ => Ok(Fate::Deliver),
        }
    }

    /// A packet for one host in a frame for many: `drop_unicast_in_l2_multicast`.
    #[inline]
    fn admit_unicast(&self, packet: &Packet) -> Result<(), DropReason> {
        if !matches!(packet.cast, Cast::Broadcast | Cast::Multicast) {
            return Ok(());
        }
        let port = self.config.ports.get(packet.port);
        let refuses = port.is_some_and(|port| self.config.sysctls.on_port(&port.conf).drop_unicast_in_l2_multicast());
        if refuses { Err(DropReason::NotUnicastToUs) } else { Ok(()) }
    }

    /// Asks the tables, unless it is known since the packet left here.
    #[inline]
    fn way_in<O: Observer>(
        &mut self,
        now: Time,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<InputRoute, DropReason> {
        match packet.route.before {
            Before::Unknown => {}
            Before::Own if packet.route.flags & rtcf::LOCAL == 0 => return Err(DropReason::MulticastUnwanted),
            Before::Own | Before::Passing => return Ok(known(packet)),
        }
        let destination = packet.header.destination;
        let way = self.way_of_packet(now, packet, destination);
        match &way {
            Ok(way) => {
                (packet.route.kind, packet.route.flags) = (way.kind, way.flags);
                packet.redirect = way.redirect;
                observer.step(Step::Routed {
                    destination: IpAddr::V4(destination),
                    table: way.table.unwrap_or(0),
                    port: way.oif,
                    gateway: way.gateway.map(IpAddr::V4),
                    local: way.kind != RouteKind::Unicast,
                });
            }
            Err(_) => observer.step(Step::Unroutable { destination: IpAddr::V4(destination) }),
        }
        way
    }

    /// The way of a packet to there: as it was found before, or as the tables say.
    #[inline(always)]
    fn way_of_packet(&mut self, now: Time, packet: &mut Packet, to: Ipv4Addr) -> Result<InputRoute, DropReason> {
        let Ipv4 { source, tos, .. } = packet.header;
        let key = InputKey { tos, mark: packet.mark, ..InputKey::new(source, to, packet.port) };
        let kept_as = self.config.rib4.kept_as(key);
        match self.ways.find(self.config.changes(), &kept_as) {
            Some((kept, way)) => {
                packet.kept = kept;
                Ok(way)
            }
            None => {
                self.find_way(now, packet, InputKey { ..key }, &InputKey { ..kept_as }).map(|way| InputRoute { ..way })
            }
        }
    }

    /// Asks the tables. What else a way depends on is found out where that is asked for: protocol and ports
    /// (`fib4_rules_early_flow_dissect`); and of an ICMP error, that it goes as what it quotes went (`ip_multipath_l3_keys`).
    #[inline(never)]
    fn find_way(
        &mut self,
        now: Time,
        packet: &mut Packet,
        mut key: InputKey,
        kept_as: &InputKey,
    ) -> Result<InputRoute, DropReason> {
        let protocol = packet.header.protocol;
        let policy = self.config.sysctls.fib_multipath_hash_policy();
        if policy != 0 || self.config.rib4.looks_at_transport() {
            key.transport = transport_of(packet);
        }
        if policy != 1 && protocol == protocol::ICMP {
            key.hash = hash_of_quoted(packet);
        }
        key.joined = self.is_joined(key.destination);
        let (way, lasts) = self.ask(now, |net, rib| lasting_route(net, rib, &key))?;
        packet.kept = if lasts { self.ways.keep(self.config.changes(), kept_as, &way) } else { Kept::NOWHERE };
        Ok(way)
    }

    /// The way of a packet of which this is known.
    #[inline]
    pub(super) fn way_of(&self, now: Time, mut key: InputKey) -> Result<InputRoute, DropReason> {
        key.joined = self.is_joined(key.destination);
        self.ask(now, |net, rib| input_route(net, rib, &key))
    }

    /// True if a group is ours.
    fn is_joined(&self, group: Ipv4Addr) -> bool {
        group == ALL_HOSTS || group.is_multicast() && self.vxlan_joined(group)
    }

    /// Reads the options, and acts on them (`ip_rcv_options`). A packet with a source route may get another way.
    #[cold]
    fn read_options<O: Observer>(
        &mut self,
        now: Time,
        packet: &mut Packet,
        way: Result<InputRoute, DropReason>,
        observer: &mut O,
    ) -> Result<InputRoute, DropReason> {
        if way.is_err_and(|reason| !is_error_route(reason)) {
            return way;
        }
        let address = spec_destination(self, now, packet);
        let here = options::Here { address, time: options::midnight(now.0 / 1_000_000) };
        let foreign = |asked| self.address_kind(asked) == RouteKind::Unicast;
        let header = ipv4::header_mut(&mut packet.frame);
        packet.options = match options::receive(header, here, &foreign) {
            Ok(options) => options,
            Err(malformed) => {
                packet.options = malformed.before;
                packet.info = u32::from(malformed.pointer) << 24;
                return Err(DropReason::IpOptions);
            }
        };
        let way = if packet.options.source_route == 0 { way } else { self.source_route(now, packet, way, observer) };
        if packet.options.changed {
            ipv4::write_checksum(&mut packet.frame);
        }
        way
    }

    /// `ip_options_rcv_srr`: a packet that reached a hop of its source route goes on to the next.
    fn source_route<O: Observer>(
        &mut self,
        now: Time,
        packet: &mut Packet,
        way: Result<InputRoute, DropReason>,
        observer: &mut O,
    ) -> Result<InputRoute, DropReason> {
        let port = self.config.ports.get(packet.port);
        let accepts = port.is_some_and(|port| self.config.sysctls.on_port(&port.conf).accept_source_route());
        let mut way = way?;
        if !accepts || packet.cast != Cast::Host {
            return Err(DropReason::SourceRouted);
        }
        match way.kind {
            RouteKind::Unicast if !packet.options.strict => return Ok(way),
            RouteKind::Unicast => {
                packet.info = 16 << 24;
                return Err(DropReason::IpOptions);
            }
            RouteKind::Local => {}
            _ => return Err(DropReason::SourceRouted),
        }
        let mut hops = [None; 9];
        for (place, hop) in hops.iter_mut().zip(options::hops_left(ipv4::header(&packet.frame), &packet.options)) {
            *place = Some(hop);
        }
        for hop in hops.into_iter().flatten() {
            let hop = hop.map_err(|malformed| {
                packet.info = u32::from(malformed.pointer) << 24;
                DropReason::IpOptions
            })?;
            way = self.way_of_packet(now, packet, hop).map_err(|_| DropReason::SourceRouted)?;
            match way.kind {
                RouteKind::Local => set_destination(packet, hop),
                RouteKind::Unicast => {
                    packet.options.source_route_hit = true;
                    packet.options.next_hop = Some(hop);
                    packet.options.changed = true;
                    packet.route = Routed { kind: way.kind, flags: way.flags, ..Routed::NOT_YET };
                    let table = way.table.unwrap_or(0);
                    let (destination, gateway) = (IpAddr::V4(hop), way.gateway.map(IpAddr::V4));
                    observer.step(Step::Routed { destination, table, port: way.oif, gateway, local: false });
                    return Ok(way);
                }
                _ => return Err(DropReason::SourceRouted),
            }
        }
        Ok(way)
    }
}

/// Reads the IP header, and cuts off what the link has padded.
#[inline]
fn admit(packet: &mut Packet) -> Result<(), DropReason> {
    if packet.cast == Cast::OtherHost {
        return Err(DropReason::OtherHost);
    }
    packet.header = Ipv4::checked(&packet.frame)?;
    packet.frame.truncate(usize::from(packet.header.total_length));
    Ok(())
}

/// Protocol and ports; fragments show no ports.
fn transport_of(packet: &Packet) -> Transport {
    let protocol = packet.header.protocol;
    match packet.payload() {
        &[a, b, c, d, ..] if has_ports(protocol) && !packet.header.is_fragment() => Transport {
            protocol,
            source_port: u16::from_be_bytes([a, b]),
            destination_port: u16::from_be_bytes([c, d]),
        },
        _ => Transport::of(protocol),
    }
}

/// The hash of the addresses of the packet that an ICMP error quotes.
fn hash_of_quoted(packet: &Packet) -> Option<u32> {
    let message = packet.payload();
    let is_error = message.first().is_some_and(|kind| icmpv4::is_error(*kind));
    let quoted = Ipv4::parse(message.get(icmpv4::HEADER..)?).filter(|_| is_error && !packet.header.is_fragment())?;
    Some(multipath_hash(quoted.source, quoted.destination))
}

/// A hop of the source route that is ours, too: "superfast loopback forward".
fn set_destination(packet: &mut Packet, hop: Ipv4Addr) {
    packet.header.destination = hop;
    packet.options.changed = true;
    if let Some(place) = packet.frame.get_mut(16..20) {
        place.copy_from_slice(&hop.octets());
    }
}

fn known(packet: &Packet) -> InputRoute {
    let Routed { kind, flags, .. } = packet.route;
    InputRoute { kind, oif: LOOPBACK, gateway: None, mtu: 65_536, redirect: false, flags, table: None }
}

/// True if the packet was routed, though to an error (`ip_error`): its options are read all the same.
pub(super) fn is_error_route(reason: DropReason) -> bool {
    matches!(
        reason,
        DropReason::NoRoute
            | DropReason::RouteBlackhole
            | DropReason::RouteUnreachable
            | DropReason::RouteProhibit
            | DropReason::ForwardingOff
    )
}
