//! What programs ask of their TCP sockets, and what any socket is ready for.
//!
//! No call sends anything by itself: what follows from it leaves at the next [`Stack::tick`], which is due at once.

use super::Stack;
use super::socket::output_key;
use crate::addr::Ipv4Addr;
use crate::control::{Errno, RouteKind};
use crate::local::tcp::{Conn, Connected, Flow, Tcb};
use crate::local::{Datagram, Endpoint, SocketId, SocketInfo, SocketKind};
use crate::time::Time;
use smoltcp::socket::tcp::State;

impl Stack {
    /// Lets others connect to a TCP socket, as many at a time as `backlog` says and one more (`EADDRINUSE`, `EINVAL`). One
    /// that is not bound gets a port.
    pub fn listen(&mut self, socket: SocketId, backlog: usize) -> Result<(), Errno> {
        let state = self.sockets.get(socket)?;
        if state.kind != SocketKind::Tcp {
            return Err(Errno::OpNotSupp);
        }
        let (port, backlog) = (state.port, backlog.min(self.config.sysctls.tcp().somaxconn));
        match self.sockets.tcp.tcb(socket) {
            Some(Tcb::Closed) if port == 0 => {
                let range = self.config.sysctls.ip_local_port_range();
                self.sockets.take_tcp_port(socket, 0, range)?;
            }
            Some(Tcb::Closed) if self.sockets.tcp_conflict(socket, port, false) => return Err(Errno::AddrInUse),
            Some(Tcb::Closed | Tcb::Listen(_)) => {}
            _ => return Err(Errno::Inval),
        }
        self.sockets.tcp.listen(socket, backlog);
        Ok(())
    }

    /// The oldest connection that a listener has and nobody has taken, as a socket of its own, and its other end.
    pub fn accept(&mut self, socket: SocketId) -> Result<Option<(SocketId, Endpoint)>, Errno> {
        match self.sockets.get(socket)?.kind {
            SocketKind::Tcp => self.sockets.accept(socket),
            _ => Err(Errno::OpNotSupp),
        }
    }

    /// Begins a connection (`tcp_v4_connect`).
    pub(super) fn tcp_connect(&mut self, now: Time, id: SocketId, remote: Endpoint) -> Result<(), Errno> {
        match self.sockets.tcp.tcb(id) {
            Some(Tcb::Listen(_)) => return Err(Errno::IsConn),
            Some(Tcb::Connected(connected)) if !connected.over => {
                let opening = connected.conn.state() == State::SynSent;
                return Err(if opening { Errno::Already } else { Errno::IsConn });
            }
            _ => self.sockets.tcp.reset(id),
        }
        let socket = self.sockets.get(id)?;
        let key = output_key(socket, remote);
        let route = self.way_to_connect(now, &key)?;
        let (local, remote) = (route.source, (route.destination, remote.1));
        let many = |address: Ipv4Addr| address.is_multicast() || address.is_broadcast() || address.is_unspecified();
        let one = matches!(route.kind, RouteKind::Unicast | RouteKind::Local);
        if !one || many(local) || many(remote.0) {
            return Err(Errno::NetUnreach);
        }
        let range = self.config.sysctls.ip_local_port_range();
        let (port, options) = (socket.port, socket.options.clone());
        let port = match port {
            0 => self.sockets.port_to_connect(id, local, remote, range)?,
            port if self.sockets.tcp.is_known(&Flow { port, local, remote }) => return Err(Errno::AddrNotAvail),
            port => port,
        };
        let flow = Flow { port, local, remote };
        let look = self.look_of(now, flow, &options);
        let seed = self.sockets.seed();
        let conn = Conn::active(flow, &look, seed).ok_or(Errno::ConnRefused)?;
        let socket = self.sockets.get_mut(id)?;
        socket.peer = Some(remote);
        socket.speaks_from = local;
        socket.receives_at = local;
        self.sockets.tcp.connect(now, id, conn, None);
        Ok(())
    }

    /// Takes bytes to be sent, as many as there is room for: 0 would block. `EPIPE` once there is nobody to send to.
    pub fn send_bytes(&mut self, socket: SocketId, bytes: &[u8]) -> Result<usize, Errno> {
        let state = self.sockets.get_mut(socket)?;
        if state.kind != SocketKind::Tcp {
            return Err(Errno::OpNotSupp);
        }
        state.take_pending()?;
        let Some(connected) = self.sockets.tcp.connected_mut(socket) else { return Err(Errno::Pipe) };
        if connected.over || connected.shut {
            return Err(Errno::Pipe);
        }
        match connected.conn.state() {
            State::SynSent | State::SynReceived => Ok(0),
            _ => {
                let taken = connected.conn.socket_mut().send_slice(bytes).map_err(|_| Errno::Pipe)?;
                connected.conn.more();
                self.sockets.tcp.wake(Time::ZERO, socket);
                Ok(taken)
            }
        }
    }

    /// Bytes that came, at most so many: `None` would block, none is the end.
    pub fn receive_bytes(&mut self, socket: SocketId, most: usize) -> Result<Option<Vec<u8>>, Errno> {
        let state = self.sockets.get_mut(socket)?;
        if state.kind != SocketKind::Tcp {
            return Err(Errno::OpNotSupp);
        }
        let Some(connected) = self.sockets.tcp.connected_mut(socket) else {
            self.sockets.get_mut(socket)?.take_pending()?;
            return Err(Errno::NotConn);
        };
        let stream = connected.conn.socket_mut();
        let mut bytes = vec![0; most.min(stream.recv_queue())];
        let got = if bytes.is_empty() { Ok(0) } else { stream.recv_slice(&mut bytes) };
        if let Ok(got @ 1..) = got {
            bytes.truncate(got);
            if !connected.over {
                self.sockets.tcp.wake(Time::ZERO, socket);
            }
            return Ok(Some(bytes));
        }
        let ended = connected.over || is_finished(connected);
        self.sockets.get_mut(socket)?.take_pending()?;
        Ok(ended.then(Vec::new))
    }

    /// Nothing more will be sent (`shutdown` with `SHUT_WR`).
    pub fn shutdown(&mut self, socket: SocketId) -> Result<(), Errno> {
        if self.sockets.get(socket)?.kind != SocketKind::Tcp {
            return Err(Errno::OpNotSupp);
        }
        let Some(connected) = self.sockets.tcp.connected_mut(socket) else { return Err(Errno::NotConn) };
        if connected.over || connected.conn.state() == State::SynSent {
            return Err(Errno::NotConn);
        }
        connected.shut = true;
        connected.conn.end();
        self.sockets.tcp.wake(Time::ZERO, socket);
        Ok(())
    }

    /// All sockets of the namespace, as tools list them.
    pub fn socket_table(&self, now: Time) -> Vec<SocketInfo> {
        self.sockets.table(now)
    }

    /// TCP sockets that are open, whatever they do.
    pub fn tcp_sockets(&self) -> usize {
        self.sockets.tcp_count()
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

    /// The error that the next call would fail with, which it then does not; failing that, one that a connection only
    /// remembers (`SO_ERROR`).
    pub fn take_error(&mut self, socket: SocketId) -> Option<Errno> {
        let pending = self.sockets.get_mut(socket).ok()?.take_pending().err();
        pending.or_else(|| self.sockets.tcp.connected_mut(socket)?.soft.take())
    }

    /// An error waits (`POLLERR`).
    pub fn has_error(&self, socket: SocketId) -> bool {
        self.sockets.get(socket).is_ok_and(|socket| socket.has_error())
    }

    /// A call that reads would not block: something came, an error, the end, a connection (`POLLIN`, `POLLERR`, `POLLHUP`).
    pub fn is_readable(&self, socket: SocketId) -> bool {
        let Ok(state) = self.sockets.get(socket) else { return false };
        if state.first().is_some() || state.has_error() {
            return true;
        }
        state.kind == SocketKind::Tcp
            && match self.sockets.tcp.tcb(socket) {
                Some(Tcb::Listen(listener)) => !listener.ready.is_empty(),
                Some(Tcb::Connected(connected)) => {
                    connected.over || is_finished(connected) || connected.conn.socket().recv_queue() > 0
                }
                Some(Tcb::Closed) | None => true,
            }
    }

    /// A call that writes would not block: there is room, or an error (`POLLOUT`, `POLLERR`); the end of a connect is one
    /// of both.
    pub fn is_writable(&self, socket: SocketId) -> bool {
        let Ok(state) = self.sockets.get(socket) else { return false };
        if state.kind != SocketKind::Tcp || state.has_error() {
            return true;
        }
        match self.sockets.tcp.tcb(socket) {
            Some(Tcb::Listen(_)) => false,
            Some(Tcb::Connected(connected)) if connected.over || connected.shut => true,
            Some(Tcb::Connected(connected)) => {
                let stream = connected.conn.socket();
                let room = stream.send_capacity() - stream.send_queue();
                stream.may_send() && room >= stream.send_capacity() / 3
            }
            Some(Tcb::Closed) | None => true,
        }
    }
}

/// The other side has said its last word, and it was read.
fn is_finished(connected: &Connected) -> bool {
    let stream = connected.conn.socket();
    let said = matches!(stream.state(), State::CloseWait | State::LastAck | State::Closing | State::TimeWait);
    said && stream.recv_queue() == 0
}
