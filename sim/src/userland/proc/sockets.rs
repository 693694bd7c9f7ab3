//! Calls on sockets that do not block, and the wait for any of several (`poll`).

use super::Proc;
use crate::lab::{Owner, Signal};
use crate::world::NsId;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::Stack;
use vethlab_engine::control::Errno;
use vethlab_engine::local::{Datagram, Endpoint, SocketId, SocketKind, SocketOptions};
use vethlab_engine::time::{Duration, Time};

/// How long it takes until a program that is woken goes on.
const GO_ON: Duration = Duration::from_micros(500);

/// What [`Proc::poll`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Reading would not block: bytes, a datagram, a connection to accept, the end, an error.
    Read(SocketId),
    /// Writing would not block: room, or the end of a connect, be it success or failure.
    Write(SocketId),
    /// An error waits ([`Proc::socket_error`]), as `poll` tells whatever it is asked (`POLLERR`).
    Error(SocketId),
    /// Standard input has something to read, or the end.
    Stdin,
}

/// Why [`Proc::poll`] ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The numbers of the waits that are over, in order; none at the time limit.
    pub ready: Vec<usize>,
    /// A signal that the program catches, which came first.
    pub signal: Option<Signal>,
}

/// Most bytes that one call reads.
const READ: usize = 16_384;

impl Proc {
    /// `setsockopt`
    pub fn set_options(&self, socket: SocketId, change: impl FnOnce(&mut SocketOptions)) {
        self.here(|stack| change(stack.options(socket)));
    }

    /// `bind`
    pub fn bind(&self, socket: SocketId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
        self.here(|stack| stack.bind(socket, address, port))
    }

    /// `listen`
    pub fn listen(&self, socket: SocketId, backlog: usize) -> Result<(), Errno> {
        self.here(|stack| stack.listen(socket, backlog))
    }

    /// `accept`: none would block. The connection is the program's, as if it had opened it.
    pub fn accept(&self, socket: SocketId) -> Result<Option<(SocketId, Endpoint)>, Errno> {
        let accepted = self.here(|stack| stack.accept(socket))?;
        accepted.iter().for_each(|(connection, _)| self.keep(*connection));
        Ok(accepted)
    }

    /// `connect`: a UDP socket is connected then; a TCP socket is as soon as [`Wait::Write`] is over and
    /// [`Proc::socket_error`] is none.
    pub fn start_connect(&self, socket: SocketId, (address, port): Endpoint) -> Result<(), Errno> {
        let now = self.now();
        self.here(|stack| stack.connect(now, socket, address, port))
    }

    /// `read`: a piece of the stream, or one datagram's payload. `Some` of nothing is the end of a stream (or an empty
    /// datagram), `None` would block.
    pub fn try_read(&self, socket: SocketId) -> Result<Option<Vec<u8>>, Errno> {
        match self.kind(socket)? {
            SocketKind::Tcp => self.here(|stack| stack.receive_bytes(socket, READ)),
            _ => Ok(self.try_receive(socket)?.map(|datagram| datagram.payload)),
        }
    }

    /// `recvfrom`: one datagram with its sender; `None` would block.
    pub fn try_receive(&self, socket: SocketId) -> Result<Option<Datagram>, Errno> {
        self.here(|stack| match stack.take_error(socket) {
            Some(errno) => Err(errno),
            None => Ok(stack.receive_datagram(socket)),
        })
    }

    /// `recvfrom` with `MSG_PEEK`: who sent the datagram that waits.
    pub fn peek_from(&self, socket: SocketId) -> Option<Endpoint> {
        self.here(|stack| {
            let datagram = stack.peek_datagram(socket)?;
            let IpAddr::V4(source) = datagram.source else { return None };
            Some((source, datagram.source_port))
        })
    }

    /// `write`: how much was taken; 0 would block. A datagram is taken whole.
    pub fn try_write(&self, socket: SocketId, bytes: &[u8]) -> Result<usize, Errno> {
        if self.kind(socket)? == SocketKind::Tcp {
            return self.here(|stack| stack.send_bytes(socket, bytes));
        }
        let peer = self.peer_name(socket).ok_or(Errno::DestAddrReq)?;
        self.send_to(socket, peer, bytes)?;
        Ok(bytes.len())
    }

    /// `sendto`
    pub fn send_to(&self, socket: SocketId, to: Endpoint, payload: &[u8]) -> Result<(), Errno> {
        self.world().send_to(self.ns(), socket, to, payload)
    }

    /// `shutdown` with `SHUT_WR`
    pub fn shutdown_write(&self, socket: SocketId) -> Result<(), Errno> {
        self.here(|stack| stack.shutdown(socket))
    }

    /// `close`
    pub fn close(&self, socket: SocketId) {
        self.here(|stack| stack.close(socket));
        self.closed(socket);
    }

    /// `SO_ERROR`, which is then no more.
    pub fn socket_error(&self, socket: SocketId) -> Option<Errno> {
        self.here(|stack| stack.take_error(socket))
    }

    /// The same, once a connect has ended: until the program goes on, what follows at once has come, too, as a RST or an ICMP
    /// error about the handshake's last segment.
    pub async fn connect_error(&self, socket: SocketId) -> Option<Errno> {
        self.go_on().await;
        self.socket_error(socket)
    }

    /// As long as a program needs from one call to the next, if what follows at once from the first matters to the second.
    pub async fn go_on(&self) {
        self.sleep_until(self.now() + GO_ON).await;
    }

    /// `getsockname`
    pub fn local_name(&self, socket: SocketId) -> Endpoint {
        self.world().stack(self.ns()).local_name(socket)
    }

    /// `getpeername`
    pub fn peer_name(&self, socket: SocketId) -> Option<Endpoint> {
        self.world().stack(self.ns()).peer_name(socket)
    }

    /// The programs that have a socket of a namespace.
    pub fn owners(&self, ns: NsId, socket: SocketId) -> Vec<Owner> {
        let state = self.core.state.borrow();
        let has = state.programs.values().filter_map(|program| {
            let opened = program.sockets.iter().find(|opened| (opened.ns, opened.socket) == (ns, socket))?;
            Some(Owner { name: program.name.clone(), pid: program.shown_pid, fd: opened.fd })
        });
        has.collect()
    }

    /// Waits until one of these is ready, a signal comes, or `until` is reached.
    pub async fn poll(&self, waits: &[Wait], until: Time) -> Ready {
        poll_fn(|_| {
            let signal = self.mine(|waiting| waiting.signals.pop_front());
            let ready = if signal.is_some() { Vec::new() } else { self.ready_of(waits) };
            let over = signal.is_some() || !ready.is_empty() || self.now() >= until;
            self.mine(|waiting| waiting.deadline = (!over).then_some(until));
            self.resolved(over.then_some(Ready { ready, signal }))
        })
        .await
    }

    fn ready_of(&self, waits: &[Wait]) -> Vec<usize> {
        let world = self.world();
        let stack = world.stack(self.ns());
        let is_ready = |wait: &Wait| match wait {
            Wait::Read(socket) => stack.is_readable(*socket),
            Wait::Write(socket) => stack.is_writable(*socket),
            Wait::Error(socket) => stack.has_error(*socket),
            Wait::Stdin => self.stdin_ready(),
        };
        waits.iter().enumerate().filter(|(_, wait)| is_ready(wait)).map(|(at, _)| at).collect()
    }

    fn kind(&self, socket: SocketId) -> Result<SocketKind, Errno> {
        self.world().stack(self.ns()).socket_kind(socket)
    }

    fn here<T>(&self, call: impl FnOnce(&mut Stack) -> T) -> T {
        call(self.world().stack_mut(self.ns()))
    }
}
