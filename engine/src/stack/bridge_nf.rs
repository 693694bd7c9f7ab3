//! Bridged IPv4 goes through the hooks of iptables, as if it were routed from the bridge to the bridge (`br_netfilter`), if
//! `net.bridge.bridge-nf-call-iptables` says so, and it does unless somebody says otherwise.
//!
//! A packet whose destination is translated on its way in is no longer for who it was bridged to: it goes to the bridge's own
//! port and is routed, or its frame gets another MAC if its new goal is behind the same bridge.

use super::bridge::Sender;
use super::packet::{Cast, Packet};
use super::v4::is_error_route;
use super::{Bridged, Cx, Parked, Stack};
use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::control::{IfIndex, Nud, RouteKind};
use crate::filter::Hook;
use crate::frame::FrameBuf;
use crate::ip::Fragments;
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::route::InputKey;
use crate::time::Time;
use crate::wire::{Ethernet, Ipv4, ethernet};

impl Stack {
    /// True if bridged frames of this bridge are asked about.
    fn bridge_asks(&self, master: IfIndex) -> bool {
        let own =
            |master| self.config.ports.get(master)?.rare.bridge.as_ref().map(|bridge| bridge.conf.nf_call_iptables);
        self.config.sysctls.bridge_nf_call_iptables() || own(master) == Some(true)
    }

    /// A packet behind its link header comes in by a port of a bridge (`br_nf_pre_routing`). `None`: it was discarded, or
    /// waits.
    pub(super) fn bridge_pre_routing<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        master: IfIndex,
        mut packet: Packet,
        link: &mut Ethernet,
        observer: &mut O,
    ) -> Option<Packet> {
        if link.ethertype != ethernet::IPV4 || !self.bridge_asks(master) {
            return Some(packet);
        }
        match Ipv4::checked(&packet.frame) {
            Ok(header) => packet.header = header,
            Err(reason) => {
                self.discard(cx, packet.frame, reason, observer);
                return None;
            }
        }
        // A frame's padding is not the packet's.
        packet.frame.truncate(packet.header.total_length.into());
        let port = packet.port;
        packet.physdev = (Some(port), None);
        packet.port = master;
        // What is asked sees a packet that is for this host.
        let cast = packet.cast;
        packet.cast = as_host(cast);
        if packet.header.is_fragment() && self.conntrack.is_on() && !self.reassemble(cx, &mut packet, observer) {
            return None;
        }
        let meant = packet.header.destination;
        if let Err(reason) = self.hook(cx, Hook::PreRouting, &mut packet, Some(master), None, observer) {
            self.discard(cx, packet.frame, reason, observer);
            return None;
        }
        packet.cast = cast;
        if packet.header.destination != meant {
            packet = self.bridge_redirect(cx, master, packet, link, observer)?;
        }
        packet.port = port;
        Some(packet)
    }

    /// The destination is another one now (`br_nf_pre_routing_finish`).
    #[cold]
    fn bridge_redirect<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        master: IfIndex,
        mut packet: Packet,
        link: &mut Ethernet,
        observer: &mut O,
    ) -> Option<Packet> {
        let Ipv4 { source, destination, tos, .. } = packet.header;
        let key = InputKey { tos, mark: packet.mark, ..InputKey::new(source, destination, master) };
        let way = self.way_of(cx.now, key);
        let behind_it = match &way {
            Ok(way) if way.kind == RouteKind::Unicast && way.oif == master => Some(way.gateway),
            Ok(_) => None,
            // The host itself will find that there is no way, and tell the sender.
            Err(reason) if is_error_route(*reason) => None,
            Err(reason) => {
                self.discard(cx, packet.frame, *reason, observer);
                return None;
            }
        };
        match behind_it {
            Some(gateway) => self.bridge_retarget(cx, master, packet, gateway.unwrap_or(destination), link, observer),
            None => {
                link.destination = self.config.ports.get(master).map_or(Mac::ZERO, |port| port.mac);
                packet.cast = Cast::Host;
                Some(packet)
            }
        }
    }

    /// It goes to another host behind the same bridge, whose MAC may have to be asked for.
    fn bridge_retarget<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        master: IfIndex,
        packet: Packet,
        next_hop: Ipv4Addr,
        link: &mut Ethernet,
        observer: &mut O,
    ) -> Option<Packet> {
        match self.next_mac(cx.now, master, next_hop) {
            Some(mac) => {
                link.destination = mac;
                if !self.is_connected(cx.now, master, next_hop) {
                    return Some(self.bridge_detour(cx, master, packet, mac, observer));
                }
                Some(packet)
            }
            None => {
                let (nfct, mark) = (packet.nfct, packet.mark);
                let port = packet.physdev.0.unwrap_or(master);
                let bridged = Some(Bridged { port, source: link.source, nfct, mark });
                let parked = Parked { iif: Some(master), bridged, mark, nfct };
                let _ = self.wait_for_mac(cx.now, (master, next_hop), packet.frame, parked, observer);
                None
            }
        }
    }

    /// The MAC is known now: the packet goes on through the bridge (`br_nf_pre_routing_finish_bridge_slow`).
    pub(super) fn bridge_resume<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        master: IfIndex,
        destination: Mac,
        frame: FrameBuf,
        bridged: Bridged,
        observer: &mut O,
    ) {
        let Bridged { port, source, nfct, mark } = bridged;
        let Some(header) = Ipv4::parse(&frame) else {
            return self.discard(cx, frame, DropReason::IpHeaderTruncated, observer);
        };
        let packet = Packet { header, nfct, mark, physdev: (Some(port), None), ..Packet::new(frame, port) };
        let mut packet = self.bridge_detour(cx, master, packet, destination, observer);
        put_link(&mut packet.frame, &Ethernet { destination, source, ethertype: ethernet::IPV4 });
        self.bridge_finish(cx, packet, observer);
    }

    /// True if nothing is left to ask about a neighbour (`NUD_CONNECTED`).
    fn is_connected(&self, now: Time, port: IfIndex, ip: Ipv4Addr) -> bool {
        let state = self.neighbors.get(now, port, IpAddr::V4(ip)).map(|entry| entry.state);
        matches!(state, Some(Nud::Reachable | Nud::Permanent | Nud::Noarp))
    }

    /// A packet to a neighbour who may have to be asked first leaves by the bridge's own port, as those see who listen
    /// there, and is caught behind it (`br_nf_pre_routing_finish_bridge`, `br_nf_dev_xmit`).
    fn bridge_detour<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        master: IfIndex,
        mut packet: Packet,
        destination: Mac,
        observer: &mut O,
    ) -> Packet {
        let source = self.config.ports.get(master).map_or(Mac::ZERO, |port| port.mac);
        put_link(&mut packet.frame, &Ethernet { destination, source, ethertype: ethernet::IPV4 });
        if !self.taps.is_empty() {
            self.tap_out(cx.now, master, &packet.frame);
        }
        observer.step(Step::Transmitted { port: master, frame: &packet.frame });
        packet.frame.pull(ethernet::HEADER);
        packet
    }

    /// A frame with its link header is about to leave by a port of the bridge by which it came (`br_nf_forward_ip`,
    /// `br_nf_post_routing`).
    pub(super) fn bridge_passing<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        sender: Sender,
        to: IfIndex,
        mut packet: Packet,
        observer: &mut O,
    ) -> Option<Packet> {
        let bridge = sender.bridge;
        packet.physdev = (sender.from, Some(to));
        packet.frame.pull(ethernet::HEADER);
        let port = core::mem::replace(&mut packet.port, bridge);
        let cast = packet.cast;
        packet.cast = as_host(cast);
        let asked = self.hook(cx, Hook::Forward, &mut packet, Some(bridge), Some(bridge), observer);
        let asked = asked.and_then(|()| self.hook(cx, Hook::PostRouting, &mut packet, None, Some(bridge), observer));
        if let Err(reason) = asked {
            self.discard(cx, packet.frame, reason, observer);
            return None;
        }
        (packet.port, packet.cast) = (port, cast);
        packet.frame.push(ethernet::HEADER);
        Some(packet)
    }

    /// A packet that is longer than the port allows is cut in fragments, though it is only bridged (`br_nf_dev_queue_xmit`);
    /// one that must not be is lost.
    pub(super) fn bridge_cut<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        to: IfIndex,
        mtu: usize,
        packet: Packet,
        observer: &mut O,
    ) {
        let Some(link) = Ethernet::parse(&packet.frame) else {
            return self.discard(cx, packet.frame, DropReason::FrameTooShort, observer);
        };
        let mut frame = packet.frame;
        crate::ip::offload::finish_checksum(&mut frame, 0);
        frame.pull(ethernet::HEADER);
        // What came in fragments goes on in fragments, whatever it says of itself.
        let may = packet.largest != 0 || !packet.header.dont_fragment();
        let Some(mut fragments) = may.then(|| Fragments::new(&frame, mtu, packet.header.dont_fragment())).flatten()
        else {
            return self.discard(cx, frame, DropReason::BridgePortMtu, observer);
        };
        observer.step(Step::Fragmented { count: fragments.left() });
        while let Some(mut fragment) = fragments.next(cx.pool) {
            self.counters.made += 1;
            put_link(&mut fragment, &link);
            let _ = self.transmit(cx, to, fragment, super::packet::Routed::NOT_YET, observer);
        }
        self.consume(cx, frame);
    }
}

/// To whom a packet is, as the hooks see it: those to other hosts are the bridge's business (`pkt_otherhost`).
fn as_host(cast: Cast) -> Cast {
    if cast == Cast::OtherHost { Cast::Host } else { cast }
}

/// Writes a link header in front of a packet.
pub(super) fn put_link(frame: &mut FrameBuf, link: &Ethernet) {
    frame.push(ethernet::HEADER);
    link.write(frame);
}
