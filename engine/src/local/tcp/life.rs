//! How a TCP socket begins and ends: as a connection that somebody asks for, accepted, failed, closed.

use super::{Connected, Flow, Listener, Tcb, Tcp};
use crate::control::Errno;
use crate::local::{Endpoint, ErrorOrigin, SocketError, SocketId, SocketKind, Sockets};
use crate::time::Time;
use smoltcp::socket::tcp::State;

impl Sockets {
    /// A socket for a connection that is asked for: it has its listener's options (`inet_csk_clone_lock`).
    pub(crate) fn embryo(&mut self, listener: SocketId, flow: Flow) -> Result<SocketId, Errno> {
        let parent = self.get(listener)?;
        let (options, limit) = (parent.options.clone(), parent.limit());
        let id = self.open(SocketKind::Tcp, limit)?;
        let socket = self.get_mut(id)?;
        socket.options = options;
        (socket.receives_at, socket.speaks_from) = (flow.local, flow.local);
        (socket.port, socket.peer, socket.bound_port) = (flow.port, Some(flow.remote), true);
        self.tcp.hold_port(id, flow.port);
        Ok(id)
    }

    /// A handshake is done: the connection may be accepted.
    pub(crate) fn established(&mut self, id: SocketId) {
        let listener = self.tcp.connected(id).and_then(|connected| connected.listener);
        let Some(listener) = listener.and_then(|listener| self.tcp.listener_mut(listener)) else { return };
        if let Some(at) = listener.half_open.iter().position(|half_open| *half_open == id) {
            listener.half_open.remove(at);
            listener.ready.push_back(id);
        }
    }

    /// The oldest connection of a listener, which is the program's from now on.
    pub(crate) fn accept(&mut self, id: SocketId) -> Result<Option<(SocketId, Endpoint)>, Errno> {
        let listener = self.tcp.listener_mut(id).ok_or(Errno::Inval)?;
        let Some(accepted) = listener.ready.pop_front() else { return Ok(None) };
        let peer = self.get(accepted)?.peer.unwrap_or((std::net::Ipv4Addr::UNSPECIFIED, 0));
        if let Some(connected) = self.tcp.connected_mut(accepted) {
            connected.listener = None;
        }
        Ok(Some((accepted, peer)))
    }

    /// A connection has ended with an error, which the next call tells.
    pub(crate) fn tcp_fail(&mut self, now: Time, id: SocketId, errno: Errno) {
        let Some(connected) = self.tcp.connected_mut(id) else { return };
        connected.over = true;
        connected.conn.handshake = None;
        let (destination, destination_port) = connected.conn.flow.remote;
        self.tcp.disconnect(id);
        if let Ok(socket) = self.get_mut(id) {
            let origin = ErrorOrigin::Local;
            let payload = Vec::new();
            socket.fail_next(SocketError { at: now, errno, origin, destination, destination_port, info: 0, payload });
        }
    }

    /// A program closes a TCP socket (`tcp_close`): what is still to be said is said without it, unless it has left
    /// something unread, which the other side is told by a RST.
    pub(crate) fn tcp_close(&mut self, id: SocketId) {
        if let Some(listener) = self.tcp.listener_mut(id) {
            let Listener { ready, half_open, .. } = std::mem::take(listener);
            half_open.into_iter().for_each(|child| self.forget(child));
            for child in ready {
                if let Some(connected) = self.tcp.connected_mut(child) {
                    connected.conn.socket_mut().abort();
                }
                self.tcp.leave(child);
            }
        }
        let goes_on = self.tcp.connected_mut(id).is_some_and(say_goodbye);
        if goes_on { self.tcp.leave(id) } else { self.forget(id) }
    }
}

impl Tcp {
    /// No program has the socket any more; it goes on by itself.
    fn leave(&mut self, id: SocketId) {
        if let Some(connected) = self.connected_mut(id) {
            connected.orphan = true;
            connected.listener = None;
            self.wake(Time::ZERO, id);
        }
    }

    /// A socket is no more.
    pub(in crate::local) fn remove(&mut self, id: SocketId) {
        let listener = self.connected(id).and_then(|connected| connected.listener);
        if let Some(listener) = listener.and_then(|listener| self.listener_mut(listener)) {
            listener.half_open.retain(|child| *child != id);
            listener.ready.retain(|child| *child != id);
        }
        self.listeners.retain(|listener| *listener != id);
        self.disconnect(id);
        self.tcbs.remove(&id);
    }

    /// Makes a socket forget its connection, so that it may connect again.
    pub(crate) fn reset(&mut self, id: SocketId) {
        self.disconnect(id);
        self.tcbs.insert(id, Tcb::Closed);
    }
}

/// Begins the end of a connection; false if there is nobody to say it to.
fn say_goodbye(connected: &mut Connected) -> bool {
    let socket = connected.conn.socket_mut();
    match socket.state() {
        _ if connected.over => return false,
        State::SynSent | State::SynReceived | State::Closed | State::Listen => return false,
        _ if socket.recv_queue() > 0 => socket.abort(),
        _ => connected.conn.end(),
    }
    connected.shut = true;
    true
}
