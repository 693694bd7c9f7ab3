//! Straight through: an IPv4 packet as nearly all that a router passes on are, for which nothing is set up that would look
//! at it, by a way that is known down to the next hop's MAC.
//!
//! [`Stack::visit`] does the same with it, and tells the same; what is here is to find out early that none of its branches
//! will be taken, and to have the frame in hand once. Whatever is not so is left as it came.

use super::Stack;
use crate::addr::{IpAddr, Mac};
use crate::control::IfIndex;
use crate::frame::FrameBuf;
use crate::link::{Port, PortKind};
use crate::observe::{Observer, Step};
use crate::route::{InputKey, Straight};
use crate::wire::{Ethernet, Ipv4, ethernet, ipv4};

/// What holds for all frames that come in by one port, until one of them is received step by step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    port: IfIndex,
    mac: Mac,
    /// The configuration's, and the neighbours'.
    changes: (u64, u64),
}

impl Stack {
    /// None: no frame that comes in here goes straight through.
    #[inline]
    pub(super) fn lane(&self, port: IfIndex) -> Option<Lane> {
        let looked_at = !self.filter.is_empty()
            || !self.taps.is_empty()
            || !self.qdiscs.is_empty()
            || !self.sockets.hears_no_frames();
        if looked_at || !self.ways.lead_on() {
            return None;
        }
        let port = self.config.ports.get(port)?;
        let goes = port.is_up() && is_plain(port) && !port.is_tapped();
        goes.then_some(Lane {
            port: port.index,
            mac: port.mac,
            changes: (self.config.changes(), self.neighbors.changes()),
        })
    }

    /// Passes a frame on, and tells by which port it leaves; none: nothing was done to it.
    #[inline(always)]
    pub(super) fn pass_straight<O: Observer>(
        &mut self,
        lane: &Lane,
        frame: &mut FrameBuf,
        observer: &mut O,
    ) -> Option<IfIndex> {
        let bytes: &mut [u8] = frame;
        let arrived = bytes.len();
        let (header, way, source) = self.straight_way(lane, bytes)?;
        let link = Ethernet { destination: way.mac, source, ethertype: ethernet::IPV4 };
        let next_hop = IpAddr::V4(way.gateway.unwrap_or(header.destination));
        observer.step(Step::Received { port: lane.port, frame: bytes });
        observer.step(Step::Routed {
            destination: IpAddr::V4(header.destination),
            table: way.table,
            port: way.oif,
            gateway: way.gateway.map(IpAddr::V4),
            local: false,
        });
        observer.step(Step::Forwarded { from: lane.port, to: way.oif, ttl: header.ttl - 1 });
        observer.step(Step::Resolved { next_hop, mac: way.mac });
        link.write(bytes);
        if let Some(packet) = bytes.get_mut(ethernet::HEADER..) {
            ipv4::decrement_ttl(packet);
        }
        let leaves = ethernet::HEADER + usize::from(header.total_length);
        if leaves < arrived {
            frame.truncate(leaves);
        }
        observer.step(Step::Transmitted { port: way.oif, frame });
        self.count_straight(lane.port, arrived, way.oif, leaves);
        Some(way.oif)
    }

    /// The header of a packet that goes straight, its way, and the MAC that it leaves from.
    #[inline(always)]
    pub(super) fn straight_way(&self, lane: &Lane, frame: &[u8]) -> Option<(Ipv4, Straight, Mac)> {
        let header = lane.header(frame)?;
        let key = InputKey { tos: header.tos, ..InputKey::new(header.source, header.destination, lane.port) };
        let hop = self.config.rib4.hop_towards(header.destination);
        let way = self.ways.straight(lane.changes, hop, &key)?;
        let out = self.config.ports.get(way.oif).filter(|port| is_plain(port) && port.is_running())?;
        let goes = header.ttl > 1 && header.total_length <= way.mtu;
        goes.then_some((header, way, out.mac))
    }

    #[inline(always)]
    fn count_straight(&mut self, iif: IfIndex, arrived: usize, oif: IfIndex, left: usize) {
        self.counters.received += 1;
        self.counters.sent += 1;
        if let Some(counters) = self.config.ports.counters_mut(iif) {
            counters.rx_packets += 1;
            counters.rx_bytes += arrived as u64;
        }
        if let Some(counters) = self.config.ports.counters_mut(oif) {
            counters.tx_packets += 1;
            counters.tx_bytes += left as u64;
        }
        self.check();
    }
}

impl Lane {
    /// The IPv4 header of a frame to this port, if it is whole and right and has no options.
    #[inline(always)]
    fn header(&self, frame: &[u8]) -> Option<Ipv4> {
        let (link, packet) = frame.split_first_chunk::<{ ethernet::HEADER }>()?;
        let Ethernet { destination, ethertype, .. } = Ethernet::parse(link)?;
        if destination != self.mac || ethertype != ethernet::IPV4 {
            return None;
        }
        Ipv4::checked(packet).ok().filter(|header| header.header_length == ipv4::HEADER)
    }
}

/// True if nothing but a cable is behind the port.
#[inline]
fn is_plain(port: &Port) -> bool {
    port.kind == PortKind::Ethernet
}
