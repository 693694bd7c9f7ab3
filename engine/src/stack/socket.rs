//! What local programs ask of their sockets. Sending is in `originate`.

use super::Stack;
use crate::addr::Ipv4Addr;
use crate::control::{Errno, IfIndex, RouteKind, scope};
use crate::local::{Datagram, PmtuDiscover, Socket, SocketError, SocketId, SocketKind, SocketOptions};
use crate::route::{OutputKey, OutputRoute, Transport, rtcf};
use crate::time::Time;
use crate::wire::protocol;

impl Stack {
    /// Opens a socket. Where paths are not to be discovered, its datagrams may be cut until it says otherwise (`inet_create`).
    pub fn socket(&mut self, kind: SocketKind) -> Result<SocketId, Errno> {
        let limit = usize::try_from(self.config.sysctls.rmem_default()).unwrap_or(usize::MAX);
        let socket = self.sockets.open(kind, limit)?;
        if self.config.sysctls.ip_no_pmtu_disc() != 0 {
            self.sockets.options(socket).pmtu = PmtuDiscover::Dont;
        }
        Ok(socket)
    }

    /// Closes it; what it had not read is discarded.
    pub fn close(&mut self, socket: SocketId) {
        self.sockets.close(socket);
        self.taps.close(socket);
    }

    /// Its options, to change them.
    pub fn options(&mut self, socket: SocketId) -> &mut SocketOptions {
        self.sockets.options(socket)
    }

    /// Binds it to an own address and, UDP, to a port (0: any free one). `EADDRNOTAVAIL`, `EADDRINUSE`.
    pub fn bind(&mut self, socket: SocketId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
        let state = self.sockets.get(socket)?;
        let raw = match state.kind {
            SocketKind::Packet { .. } => return Err(Errno::Inval),
            SocketKind::Raw { .. } => true,
            SocketKind::Udp | SocketKind::Tcp => false,
        };
        if raw && state.peer.is_some() {
            return Err(Errno::Inval);
        }
        let kind = self.address_kind(address);
        let ours = matches!(kind, RouteKind::Local | RouteKind::Multicast | RouteKind::Broadcast);
        if !ours && !self.config.sysctls.ip_nonlocal_bind() {
            return Err(Errno::AddrNotAvail);
        }
        if !raw && (state.peer.is_some() || state.port != 0) {
            return Err(Errno::Inval);
        }
        // A group or a broadcast address is no source: the way decides.
        let source = if kind == RouteKind::Local { address } else { Ipv4Addr::UNSPECIFIED };
        self.sockets.receive_at(socket, address);
        self.sockets.get_mut(socket)?.speaks_from = source;
        if raw {
            return Ok(());
        }
        let range = self.config.sysctls.ip_local_port_range();
        let taken = match self.sockets.get(socket)?.kind {
            SocketKind::Tcp => self.sockets.take_tcp_port(socket, port, range),
            _ => self.sockets.take_port(socket, port, range),
        };
        taken.inspect_err(|_| {
            self.sockets.receive_at(socket, Ipv4Addr::UNSPECIFIED);
            if let Ok(state) = self.sockets.get_mut(socket) {
                state.speaks_from = Ipv4Addr::UNSPECIFIED;
            }
        })
    }

    /// Fixes the other end and chooses the source address by a route lookup: `ENETUNREACH`, `EHOSTUNREACH`, `EACCES`, `EINVAL`.
    /// A TCP socket's SYN leaves at the next [`Stack::tick`], which is due at once.
    pub fn connect(&mut self, now: Time, socket: SocketId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
        if self.sockets.get(socket)?.kind == SocketKind::Tcp {
            return self.tcp_connect(now, socket, (address, port));
        }
        self.bind_to_any_port(socket)?;
        let state = self.sockets.get(socket)?;
        if matches!(state.kind, SocketKind::Packet { .. }) {
            return Err(Errno::OpNotSupp);
        }
        let key = output_key(state, (address, port));
        let route = self.way_to_connect(now, &key)?;
        if route.flags & rtcf::BROADCAST != 0 && !state.options.broadcast {
            return Err(Errno::Acces);
        }
        let unbound = state.receives_at.is_unspecified();
        let state = self.sockets.get_mut(socket)?;
        state.peer = Some((route.destination, port));
        if state.speaks_from.is_unspecified() {
            state.speaks_from = route.source;
        }
        if unbound {
            self.sockets.receive_at(socket, route.source);
        }
        Ok(())
    }

    /// The way of a socket that connects; the source that was chosen may change the way, for rules look at it
    /// (`ip_route_connect`).
    pub(super) fn way_to_connect(&self, now: Time, key: &OutputKey) -> Result<OutputRoute, Errno> {
        let route = self.output_way(now, key)?;
        if key.source.is_some() && !key.destination.is_unspecified() {
            return Ok(route);
        }
        let source = key.source.or(specified(route.source));
        self.output_way(now, &OutputKey { destination: route.destination, source, ..*key })
    }

    /// Its own address and port, as `getsockname` tells. (A raw socket's port is its protocol.)
    pub fn local_name(&self, socket: SocketId) -> (Ipv4Addr, u16) {
        let Ok(state) = self.sockets.get(socket) else { return (Ipv4Addr::UNSPECIFIED, 0) };
        let address = specified(state.receives_at).unwrap_or(state.speaks_from);
        match state.kind {
            SocketKind::Raw { protocol } => (address, u16::from(protocol)),
            SocketKind::Udp | SocketKind::Tcp => (address, state.port),
            SocketKind::Packet { .. } => (Ipv4Addr::UNSPECIFIED, 0),
        }
    }

    /// The oldest datagram that waits.
    pub fn receive_datagram(&mut self, socket: SocketId) -> Option<Datagram> {
        self.sockets.get_mut(socket).ok()?.pop()
    }

    /// The oldest entry of the error queue; if it is empty, the error that the next call would fail with.
    pub fn receive_error(&mut self, socket: SocketId) -> Option<SocketError> {
        self.sockets.get_mut(socket).ok()?.pop_error()
    }

    /// A UDP socket that is about to send or connect gets a port (`inet_autobind`).
    pub(super) fn bind_to_any_port(&mut self, socket: SocketId) -> Result<(), Errno> {
        let state = self.sockets.get(socket)?;
        if state.kind != SocketKind::Udp || state.port != 0 {
            return Ok(());
        }
        let range = self.config.sysctls.ip_local_port_range();
        self.sockets.take_port(socket, 0, range).map_err(|_| Errno::Again)
    }
}

/// What a socket asks the tables for a packet to this address and port.
pub(super) fn output_key(socket: &Socket, (destination, port): (Ipv4Addr, u16)) -> OutputKey {
    let SocketOptions { device, multicast_if, tos, mark, dont_route, .. } = socket.options;
    let group: Option<IfIndex> = multicast_if.filter(|_| destination.is_multicast());
    OutputKey {
        source: specified(socket.speaks_from),
        oif: device.or(group),
        tos,
        mark,
        scope: if dont_route { scope::LINK } else { scope::UNIVERSE },
        transport: transport(socket, port),
        ..OutputKey::to(destination)
    }
}

/// What rules see of what a socket sends to this port.
fn transport(socket: &Socket, port: u16) -> Transport {
    let of = |protocol| Transport { protocol, source_port: socket.port, destination_port: port };
    match socket.kind {
        SocketKind::Raw { protocol } => Transport::of(protocol),
        SocketKind::Udp => of(protocol::UDP),
        SocketKind::Tcp => of(protocol::TCP),
        SocketKind::Packet { .. } => Transport::default(),
    }
}

fn specified(address: Ipv4Addr) -> Option<Ipv4Addr> {
    (!address.is_unspecified()).then_some(address)
}

#[cfg(test)]
mod tests;
