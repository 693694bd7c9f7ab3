//! What local programs ask of their sockets.

use super::{Cx, Stack};
use crate::addr::{Ipv4Addr, Mac};
use crate::control::{Errno, IfIndex};
use crate::local::{Datagram, SocketError, SocketId, SocketKind, SocketOptions};
use crate::observe::Observer;
use crate::time::Time;

impl Stack {
    /// Opens a socket.
    pub fn socket(&mut self, kind: SocketKind) -> Result<SocketId, Errno> {
        let _ = kind;
        unimplemented!()
    }

    /// Closes it; what it had not read is discarded.
    pub fn close(&mut self, socket: SocketId) {
        let _ = socket;
        unimplemented!()
    }

    /// Its options, to change them.
    pub fn options(&mut self, socket: SocketId) -> &mut SocketOptions {
        let _ = socket;
        unimplemented!()
    }

    /// Binds it to an own address and, UDP, to a port (0: any free one). `EADDRNOTAVAIL`, `EADDRINUSE`.
    pub fn bind(&mut self, socket: SocketId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
        let _ = (socket, address, port);
        unimplemented!()
    }

    /// Fixes the other end and chooses the source address by a route lookup: `ENETUNREACH`, `EHOSTUNREACH`, `EACCES`, `EINVAL`.
    pub fn connect(&mut self, now: Time, socket: SocketId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
        let _ = (now, socket, address, port);
        unimplemented!()
    }

    /// Its own address and port, as `getsockname` tells.
    pub fn local_name(&self, socket: SocketId) -> (Ipv4Addr, u16) {
        let _ = socket;
        unimplemented!()
    }

    /// Sends an IP payload (raw) or a UDP payload.
    pub fn send_to<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        socket: SocketId,
        to: (Ipv4Addr, u16),
        payload: &[u8],
        observer: &mut O,
    ) -> Result<(), Errno> {
        let _ = (cx, socket, to, payload, observer);
        unimplemented!()
    }

    /// Sends a frame by a packet socket: the Ethernet header is built from `to` and the socket's type.
    pub fn send_frame<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        socket: SocketId,
        port: IfIndex,
        to: Mac,
        payload: &[u8],
        observer: &mut O,
    ) -> Result<(), Errno> {
        let _ = (cx, socket, port, to, payload, observer);
        unimplemented!()
    }

    /// The oldest datagram that waits.
    pub fn receive_datagram(&mut self, socket: SocketId) -> Option<Datagram> {
        let _ = socket;
        unimplemented!()
    }

    /// The oldest entry of the error queue.
    pub fn receive_error(&mut self, socket: SocketId) -> Option<SocketError> {
        let _ = socket;
        unimplemented!()
    }
}
