//! Straight through: an IPv4 packet as nearly all that a router passes on are, for which nothing is set up that would look
//! at it, by a way that is known down to the next hop's MAC.
//!
//! [`Stack::visit`] does the same with it, and tells the same; what is here is to find out early that none of its branches
//! will be taken, and to have the frame in hand once. Whatever is not so is left as it came.

use super::{Cx, Stack};
use crate::addr::{IpAddr, Mac};
use crate::control::IfIndex;
use crate::frame::FrameBuf;
use crate::link::{Port, PortKind};
use crate::observe::{Observer, Step};
use crate::route::{InputKey, Straight};
use crate::wire::{Ethernet, Ipv4, ethernet, ipv4};

/// What holds for all frames that come in by one port, until one of them is received step by step; and how many went
/// straight, which is counted at the end.
#[derive(Debug)]
struct Lane {
    port: IfIndex,
    mac: Mac,
    /// The configuration's, and the neighbours'.
    changes: (u64, u64),
    frames: u64,
    bytes: u64,
}

impl Stack {
    /// None: no frame that comes in here goes straight through.
    #[inline(always)]
    fn lane(&self, port: IfIndex) -> Option<Lane> {
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
            frames: 0,
            bytes: 0,
        })
    }

    /// Passes a frame straight on, where that is all there is to do with it: it has been counted, and is to leave by the port
    /// that is told; no timer has moved, and nothing else follows. None: nothing was done to it, and [`Stack::receive`] is to
    /// have it.
    #[inline(always)]
    pub fn pass<O: Observer>(&mut self, port: IfIndex, frame: &mut FrameBuf, observer: &mut O) -> Option<IfIndex> {
        let mut lane = self.lane(port)?;
        let oif = self.pass_straight(&mut lane, frame, observer)?;
        self.end(lane);
        Some(oif)
    }

    /// Passes frames straight on, one after the other, up to the first that is to be received step by step: that one.
    #[inline(always)]
    pub(super) fn pass_batch<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        port: IfIndex,
        frames: &mut impl Iterator<Item = FrameBuf>,
        observer: &mut O,
    ) -> Option<FrameBuf> {
        let Some(mut lane) = self.lane(port) else { return frames.next() };
        let stopped_at = loop {
            let Some(mut frame) = frames.next() else { break None };
            match self.pass_straight(&mut lane, &mut frame, observer) {
                Some(oif) => cx.out.push(oif, frame),
                None => break Some(frame),
            }
        };
        self.end(lane);
        stopped_at
    }

    /// Makes of a frame what leaves, and tells by which port; none: nothing was done to it.
    #[inline(always)]
    fn pass_straight<O: Observer>(
        &mut self,
        lane: &mut Lane,
        frame: &mut FrameBuf,
        observer: &mut O,
    ) -> Option<IfIndex> {
        let bytes: &mut [u8] = frame;
        let arrived = bytes.len();
        let header = lane.header(bytes).filter(|header| header.ttl > 1)?;
        let key = InputKey { tos: header.tos, ..InputKey::new(header.source, header.destination, lane.port) };
        let way = self.ways.straight(lane.changes, &self.config.rib4.kept_as(key))?;
        let mut out = self.config.ports.passing(way.oif)?;
        if header.total_length > way.mtu {
            return None;
        }
        tell(observer, lane.port, &header, &way, bytes);
        // What is read last is written first: so the addresses need no place in between.
        Ethernet { destination: way.mac, source: out.mac, ethertype: ethernet::IPV4 }.write(bytes);
        if let Some(packet) = bytes.get_mut(ethernet::HEADER..) {
            ipv4::decrement_ttl(packet);
        }
        let leaves = ethernet::HEADER + usize::from(header.total_length);
        out.counters().tx_packets += 1;
        out.counters().tx_bytes += leaves as u64;
        lane.frames += 1;
        lane.bytes += arrived as u64;
        observer.step(Step::Transmitted { port: way.oif, frame: bytes.get(..leaves).unwrap_or_default() });
        if leaves < arrived {
            frame.truncate(leaves);
        }
        Some(way.oif)
    }

    /// Counts what went straight.
    #[inline(always)]
    fn end(&mut self, lane: Lane) {
        self.counters.received += lane.frames;
        self.counters.sent += lane.frames;
        if let Some(counters) = self.config.ports.counters_mut(lane.port) {
            counters.rx_packets += lane.frames;
            counters.rx_bytes += lane.bytes;
        }
        self.check();
    }
}

/// The steps of a packet until it is sent.
#[inline(always)]
fn tell<O: Observer>(observer: &mut O, port: IfIndex, header: &Ipv4, way: &Straight, frame: &[u8]) {
    let destination = IpAddr::V4(header.destination);
    let gateway = way.gateway.map(IpAddr::V4);
    observer.step(Step::Received { port, frame });
    observer.step(Step::Routed { destination, table: way.table, port: way.oif, gateway, local: false });
    observer.step(Step::Forwarded { from: port, to: way.oif, ttl: header.ttl - 1 });
    observer.step(Step::Resolved { next_hop: gateway.unwrap_or(destination), mac: way.mac });
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
pub(super) fn is_plain(port: &Port) -> bool {
    port.kind == PortKind::Ethernet
}
