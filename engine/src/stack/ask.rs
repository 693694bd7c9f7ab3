//! What the path asks the configuration: routes, addresses, and what kind an address is.

use super::Stack;
use super::packet::Packet;
use super::straight::is_plain;
use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::address::Address4;
use crate::control::{Errno, IfIndex, Nud, RouteKind, scope};
use crate::link::Port;
use crate::link::port::flag;
use crate::neighbor::Nature;
use crate::observe::{Observer, Step};
use crate::route::{Flow, Kept, Net, OutputKey, OutputRoute, Rib, address_kind, output_route, rtcf, select_address};
use crate::sysctl::Conf4;
use crate::time::Time;

impl Stack {
    /// Asks the IPv4 tables, with the neighbour cache at hand.
    #[inline]
    pub(super) fn ask<R>(&self, now: Time, ask: impl FnOnce(Net<'_>, &Rib<Ipv4Addr>) -> R) -> R {
        let neighbors = |port, ip| self.neighbors.get(now, port, IpAddr::V4(ip)).map_or(Nud::None, |entry| entry.state);
        let net = Net::new(now, &self.config.ports, &self.config.sysctls).with_neighbors(&neighbors);
        ask(net, &self.config.rib4)
    }

    /// The way of a packet that starts here.
    pub(super) fn output_way(&self, now: Time, key: &OutputKey) -> Result<OutputRoute, Errno> {
        self.ask(now, |net, rib| output_route(net, rib, key))
    }

    /// What kind an address is (`inet_addr_type`).
    pub(super) fn address_kind(&self, address: Ipv4Addr) -> RouteKind {
        self.ask(Time::ZERO, |net, rib| address_kind(net, rib, address))
    }

    /// What an address is to the neighbour cache (`arp_constructor`).
    #[cold]
    pub(super) fn nature(&self, port: &Port, ip: IpAddr) -> Nature {
        let flags = port.set_flags;
        match ip {
            IpAddr::V4(_) if port.is_loopback() => Nature::Loopback,
            IpAddr::V4(ip) if ip.is_multicast() => Nature::Noarp(multicast_mac(ip)),
            IpAddr::V6(ip) if ip.is_multicast() => {
                let [.., a, b, c, d] = ip.octets();
                Nature::Noarp(Mac([0x33, 0x33, a, b, c, d]))
            }
            _ if flags & (flag::NOARP | flag::LOOPBACK) != 0 => Nature::Noarp(port.mac),
            _ if flags & flag::POINTOPOINT != 0 => Nature::Noarp(port.broadcast),
            IpAddr::V4(ip) if self.address_kind(ip) == RouteKind::Broadcast => Nature::Noarp(port.broadcast),
            _ => Nature::Unicast,
        }
    }

    /// The MAC of the next hop, if it is known.
    #[inline]
    pub(super) fn next_mac(&mut self, now: Time, port: IfIndex, next_hop: Ipv4Addr) -> Option<Mac> {
        match self.neighbors.resolve(now, port, IpAddr::V4(next_hop)) {
            None => self.mac_without_asking(now, port, next_hop),
            mac => mac,
        }
    }

    /// The same, of a packet whose way is kept: the MAC is kept with it. The observer is told.
    #[inline]
    pub(super) fn resolve<O: Observer>(
        &mut self,
        now: Time,
        kept: Kept,
        (port, next_hop): (IfIndex, Ipv4Addr),
        observer: &mut O,
    ) -> Option<Mac> {
        let known = self.ways.mac(kept, self.neighbors.changes(), (port, next_hop));
        let mac = match known {
            None => self.mac_to_keep(now, kept, port, next_hop)?,
            Some(mac) => mac,
        };
        observer.step(Step::Resolved { next_hop: IpAddr::V4(next_hop), mac });
        Some(mac)
    }

    #[inline(never)]
    fn mac_to_keep(&mut self, now: Time, kept: Kept, port: IfIndex, next_hop: Ipv4Addr) -> Option<Mac> {
        if let Some(mac) = self.neighbors.lasting_mac(port, IpAddr::V4(next_hop)) {
            let plain = self.config.ports.get(port).is_some_and(|port| is_plain(port) && port.is_running());
            self.ways.keep_mac(kept, self.neighbors.changes(), (port, next_hop), (mac, plain));
            return Some(mac);
        }
        self.next_mac(now, port, next_hop)
    }

    /// Some addresses need no resolution: an entry is made that says so.
    #[cold]
    fn mac_without_asking(&mut self, now: Time, index: IfIndex, next_hop: Ipv4Addr) -> Option<Mac> {
        let ip = IpAddr::V4(next_hop);
        if self.neighbors.get(now, index, ip).is_some() {
            return None;
        }
        let port = self.config.ports.get(index)?;
        match self.nature(port, ip) {
            Nature::Unicast => None,
            Nature::Loopback => Some(Mac::ZERO),
            Nature::Noarp(mac) => self.neighbors.noarp(now, index, ip, mac).then_some(mac),
        }
    }

    /// An address of ours to speak from on this port to `to` (`inet_select_addr`); unspecified if there is none.
    pub(super) fn select_address(&self, port: IfIndex, to: Option<Ipv4Addr>, most: u8) -> Ipv4Addr {
        let found = self.ask(Time::ZERO, |net, _| select_address(net, port, to, most));
        found.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// The source that the tables prefer on a way (`fib_result_prefsrc`).
    pub(super) fn preferred_source(&self, now: Time, flow: &Flow<Ipv4Addr>) -> Option<Ipv4Addr> {
        let (prefsrc, oif, gateway, most) = self.ask(now, |net, rib| {
            let answer = rib.lookup(net, flow).ok()?;
            Some((answer.route.prefsrc, answer.nexthop.oif, answer.nexthop.gateway, answer.route.scope))
        })?;
        Some(prefsrc.unwrap_or_else(|| self.select_address(oif, gateway, most)))
    }

    /// True if `local` is an address of this port, or of any, in the subnet of `peer` if that is given, and of this scope
    /// (`inet_confirm_addr`). Without `local`: there is an address in the subnet of `peer`.
    pub(super) fn confirms(
        &self,
        port: Option<IfIndex>,
        peer: Option<Ipv4Addr>,
        local: Option<Ipv4Addr>,
        most: u8,
    ) -> bool {
        let mut ports = self.config.ports.iter().filter(|candidate| port.is_none_or(|port| candidate.index == port));
        ports.any(|port| confirms_here(port, peer, local, most))
    }
}

/// `confirm_addr_indev`
fn confirms_here(port: &Port, peer: Option<Ipv4Addr>, local: Option<Ipv4Addr>, most: u8) -> bool {
    let limit = if port.conf.v4.on(Conf4::RouteLocalnet) { scope::LINK } else { scope::HOST };
    let near = |address: &Address4| address.scope.min(limit) <= most;
    let found =
        port.addresses4.iter().find(|address| local.is_none_or(|local| local == address.local) && near(address));
    let Some(found) = found else { return false };
    let holds = |address: &Address4, ip: Option<Ipv4Addr>| ip.is_none_or(|ip| address.prefix().contains(ip));
    port.addresses4.iter().any(|address| {
        let same = holds(address, local) && holds(address, peer);
        same && (local.is_some() || peer.is_none() || near(address) || holds(address, Some(found.local)))
    })
}

/// Our address for a packet that came in: its destination, if it is for us alone, else the one that speaks to its sender
/// (`fib_compute_spec_dst`).
pub(super) fn spec_destination(stack: &Stack, now: Time, packet: &Packet) -> Ipv4Addr {
    if packet.route.flags & rtcf::LOCAL != 0 && !packet.route.is_to_many() {
        return packet.header.destination;
    }
    let source = packet.header.source;
    if source.is_unspecified() {
        return stack.select_address(packet.port, Some(source), scope::LINK);
    }
    let flow = Flow { iif: Some(super::v4::LOOPBACK), tos: packet.header.tos, ..Flow::to(source) };
    let preferred = stack.preferred_source(now, &flow);
    preferred.unwrap_or_else(|| stack.select_address(packet.port, Some(source), scope::UNIVERSE))
}

/// The MAC of an IPv4 group (RFC 1112).
fn multicast_mac(group: Ipv4Addr) -> Mac {
    let [_, b, c, d] = group.octets();
    Mac([0x01, 0x00, 0x5e, b & 0x7f, c, d])
}
