//! Which packet goes to which socket.

use super::socket::Socket;
use super::{Datagram, SocketId, SocketKind, Sockets};
use crate::addr::{Ipv4Addr, Mac};
use crate::control::IfIndex;
use crate::reason::DropReason;
use crate::time::Time;
use crate::wire::{Ipv4, Udp, udp};

/// The two ends of a packet as the namespace sees them, and the port it came in by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) port: IfIndex,
    /// Our end: address and UDP port.
    pub(super) local: (Ipv4Addr, u16),
    /// The other end.
    pub(super) remote: (Ipv4Addr, u16),
}

impl Sockets {
    /// Copies a whole IPv4 packet that is delivered here to the raw sockets of its protocol (`raw_local_deliver`); true if
    /// there is one, be it full.
    pub(crate) fn deliver_raw(&mut self, now: Time, port: IfIndex, packet: &[u8]) -> bool {
        if self.raw.is_empty() {
            return false;
        }
        let Some(header) = Ipv4::parse(packet) else { return false };
        let ends = Ends { port, local: (header.destination, 0), remote: (header.source, 0) };
        let takers = self.raw_takers(header.protocol, &ends);
        for id in &takers {
            let payload = packet.get(..usize::from(header.total_length)).unwrap_or(packet);
            let datagram = from_ip(now, port, &header, 0, payload);
            self.push(*id, packet.len(), datagram);
        }
        !takers.is_empty()
    }

    /// Gives a UDP datagram, a whole IPv4 packet with its checksum finished, to its socket; if its route says broadcast or
    /// multicast (`to_all`), to each that fits. `NoSocket`: port unreachable.
    pub(crate) fn deliver_udp(
        &mut self,
        now: Time,
        port: IfIndex,
        packet: &[u8],
        to_all: bool,
    ) -> Result<(), DropReason> {
        let header = Ipv4::parse(packet).ok_or(DropReason::IpHeaderTruncated)?;
        let end = usize::from(header.total_length).min(packet.len());
        let segment = packet.get(header.header_length..end).unwrap_or(&[]);
        let udp = Udp::checked(header.source, header.destination, segment)?;
        let payload = segment.get(udp::HEADER..usize::from(udp.length)).unwrap_or(&[]);
        let local = (header.destination, udp.destination);
        let ends = Ends { port, local, remote: (header.source, udp.source) };
        let datagram = from_ip(now, port, &header, udp.source, payload);
        if !to_all {
            let id = self.udp_lookup(&ends).ok_or(DropReason::NoSocket)?;
            let taken = self.push(id, packet.len(), datagram);
            return if taken { Ok(()) } else { Err(DropReason::SocketQueueFull) };
        }
        let fits = |socket: &Socket| udp_score(socket, &ends).is_some();
        let takers: Vec<SocketId> = self.listed(&self.udp).filter(|(_, s)| fits(s)).map(|(id, _)| id).collect();
        if takers.is_empty() {
            return Err(DropReason::NoSocket);
        }
        let taken = takers.iter().filter(|id| self.push(**id, packet.len(), datagram.clone())).count();
        if taken > 0 { Ok(()) } else { Err(DropReason::SocketQueueFull) }
    }

    /// True if nobody has a packet socket: the one question that the path asks.
    #[inline]
    pub(crate) fn hears_no_frames(&self) -> bool {
        self.packet.is_empty()
    }

    /// Copies a received frame to the packet sockets of its type.
    #[cold]
    pub(crate) fn deliver_packet(
        &mut self,
        now: Time,
        port: IfIndex,
        ethertype: u16,
        source: Mac,
        link_broadcast: bool,
        payload: &[u8],
    ) {
        let kind = SocketKind::Packet { ethertype };
        let wants = |socket: &Socket| socket.kind == kind && socket.hears(port);
        let takers: Vec<SocketId> = self.listed(&self.packet).filter(|(_, s)| wants(s)).map(|(id, _)| id).collect();
        for id in takers {
            let datagram = Datagram {
                at: now,
                port,
                source: Ipv4Addr::UNSPECIFIED.into(),
                source_port: 0,
                destination: Ipv4Addr::UNSPECIFIED.into(),
                ttl: 0,
                tos: 0,
                source_mac: source,
                link_broadcast,
                payload: payload.to_vec(),
            };
            self.push(id, payload.len(), datagram);
        }
    }

    /// The raw sockets that hear of a packet of this protocol between these ends (`raw_v4_match`).
    pub(super) fn raw_takers(&self, protocol: u8, ends: &Ends) -> Vec<SocketId> {
        let kind = SocketKind::Raw { protocol };
        let fits = |socket: &Socket| {
            let local = socket.receives_at.is_unspecified() || socket.receives_at == ends.local.0;
            let remote = socket.peer.is_none_or(|(address, _)| address.is_unspecified() || address == ends.remote.0);
            socket.kind == kind && socket.hears(ends.port) && local && remote
        };
        self.listed(&self.raw).filter(|(_, socket)| fits(socket)).map(|(id, _)| id).collect()
    }

    /// The one UDP socket that a unicast datagram between these ends is for (`__udp4_lib_lookup`): one bound to the
    /// address goes before one bound to none, then the one that says most; among equals the newest.
    pub(super) fn udp_lookup(&self, ends: &Ends) -> Option<SocketId> {
        let mut best = None;
        for (id, socket) in self.listed(&self.udp) {
            let Some(score) = udp_score(socket, ends) else { continue };
            let rank = (!socket.receives_at.is_unspecified(), score);
            if best.is_none_or(|(_, known)| rank > known) {
                best = Some((id, rank));
            }
        }
        best.map(|(id, _)| id)
    }

    fn listed<'a>(&'a self, list: &'a [SocketId]) -> impl Iterator<Item = (SocketId, &'a Socket)> {
        list.iter().filter_map(|id| Some((*id, self.get(*id).ok()?)))
    }

    fn push(&mut self, id: SocketId, length: usize, datagram: Datagram) -> bool {
        self.get_mut(id).is_ok_and(|socket| socket.push(length, datagram))
    }
}

/// How well a socket fits a datagram (`compute_score`), or that it does not.
fn udp_score(socket: &Socket, ends: &Ends) -> Option<u8> {
    let local = socket.receives_at.is_unspecified() || socket.receives_at == ends.local.0;
    if socket.port != ends.local.1 || !local || !socket.hears(ends.port) {
        return None;
    }
    let mut score = 0;
    if let Some((address, port)) = socket.peer {
        for (wildcard, agrees) in
            [(address.is_unspecified(), address == ends.remote.0), (port == 0, port == ends.remote.1)]
        {
            if !wildcard && !agrees {
                return None;
            }
            score += u8::from(!wildcard);
        }
    }
    Some(score + u8::from(socket.options.device.is_some()))
}

fn from_ip(now: Time, port: IfIndex, header: &Ipv4, source_port: u16, payload: &[u8]) -> Datagram {
    Datagram {
        at: now,
        port,
        source: header.source.into(),
        source_port,
        destination: header.destination.into(),
        ttl: header.ttl,
        tos: header.tos,
        source_mac: Mac::ZERO,
        link_broadcast: false,
        payload: payload.to_vec(),
    }
}
