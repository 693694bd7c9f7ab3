//! What programs ask of their TCP sockets, and what any socket is ready for.
//!
//! No call sends anything by itself: what follows from it leaves at the next [`Stack::tick`], which is due at once.

use super::Stack;
use crate::control::Errno;
use crate::local::{Datagram, Endpoint, SocketId, SocketKind};

impl Stack {
    /// Lets others connect to a bound TCP socket, as many at a time as `backlog` says (`EADDRINUSE`, `EINVAL`).
    pub fn listen(&mut self, socket: SocketId, _backlog: usize) -> Result<(), Errno> {
        self.sockets.get(socket)?;
        Err(Errno::OpNotSupp)
    }

    /// The oldest connection that a listener has and nobody has taken, as a socket of its own, and its other end.
    pub fn accept(&mut self, socket: SocketId) -> Result<Option<(SocketId, Endpoint)>, Errno> {
        self.sockets.get(socket)?;
        Err(Errno::OpNotSupp)
    }

    /// Takes bytes to be sent, as many as there is room for: 0 would block. `EPIPE` once there is nobody to send to.
    pub fn send_bytes(&mut self, socket: SocketId, _bytes: &[u8]) -> Result<usize, Errno> {
        self.sockets.get(socket)?;
        Err(Errno::NotConn)
    }

    /// Bytes that came, at most so many: `None` would block, none is the end.
    pub fn receive_bytes(&mut self, socket: SocketId, _most: usize) -> Result<Option<Vec<u8>>, Errno> {
        self.sockets.get(socket)?;
        Err(Errno::NotConn)
    }

    /// Nothing more will be sent (`shutdown` with `SHUT_WR`).
    pub fn shutdown(&mut self, socket: SocketId) -> Result<(), Errno> {
        self.sockets.get(socket)?;
        Err(Errno::NotConn)
    }

    /// The oldest datagram that waits, which goes on waiting (`MSG_PEEK`).
    pub fn peek_datagram(&self, socket: SocketId) -> Option<&Datagram> {
        self.sockets.get(socket).ok()?.first()
    }

    /// What kind it is (`SO_TYPE`, `SO_PROTOCOL`).
    pub fn socket_kind(&self, socket: SocketId) -> Result<SocketKind, Errno> {
        Ok(self.sockets.get(socket)?.kind)
    }

    /// Its other end, once it is connected (`getpeername`).
    pub fn peer_name(&self, socket: SocketId) -> Option<Endpoint> {
        self.sockets.get(socket).ok()?.peer
    }

    /// The error that the next call would fail with (`SO_ERROR`), which it then does not.
    pub fn take_error(&mut self, socket: SocketId) -> Option<Errno> {
        self.sockets.get_mut(socket).ok()?.take_pending().err()
    }

    /// A call that reads would not block: something came, an error, the end, a connection (`POLLIN`, `POLLERR`, `POLLHUP`).
    pub fn is_readable(&self, socket: SocketId) -> bool {
        self.sockets.get(socket).is_ok_and(|socket| socket.first().is_some() || socket.has_error())
    }

    /// A call that writes would not block: there is room, or an error (`POLLOUT`, `POLLERR`); the end of a connect is one
    /// of both.
    pub fn is_writable(&self, socket: SocketId) -> bool {
        self.sockets.get(socket).is_ok_and(|socket| socket.kind != SocketKind::Tcp)
    }
}
