//! One socket: what it is bound to, and what waits for its program to read it.

use std::collections::VecDeque;

use super::{Datagram, ErrorOrigin, SocketError, SocketKind, SocketOptions};
use crate::addr::Ipv4Addr;
use crate::control::{Errno, IfIndex};
use crate::frame::truesize;

/// An open socket (`struct sock` and `struct inet_sock`, as far as it matters here).
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) kind: SocketKind,
    pub(crate) options: SocketOptions,
    /// Only packets to this address are for it (`inet_rcv_saddr`); unspecified: to any.
    pub(crate) receives_at: Ipv4Addr,
    /// What it sends comes from this address (`inet_saddr`); unspecified: the way decides.
    pub(crate) speaks_from: Ipv4Addr,
    /// UDP and TCP: its port, 0 while it has none.
    pub(crate) port: u16,
    /// A program chose the port by `bind` (`SOCK_BINDPORT_LOCK`), and did not get it by connecting.
    pub(crate) bound_port: bool,
    /// The other end, once it is connected.
    pub(crate) peer: Option<(Ipv4Addr, u16)>,
    datagrams: VecDeque<(usize, Datagram)>,
    errors: VecDeque<(usize, SocketError)>,
    /// What the next call will fail with (`sk_err`).
    pending: Option<SocketError>,
    /// What waits in both queues, as Linux reckons it (`sk_rmem_alloc`).
    charged: usize,
    /// What may wait (`sk_rcvbuf`).
    limit: usize,
}

impl Socket {
    pub(crate) fn new(kind: SocketKind, limit: usize) -> Socket {
        Socket {
            kind,
            options: SocketOptions::default(),
            receives_at: Ipv4Addr::UNSPECIFIED,
            speaks_from: Ipv4Addr::UNSPECIFIED,
            port: 0,
            bound_port: false,
            peer: None,
            datagrams: VecDeque::new(),
            errors: VecDeque::new(),
            pending: None,
            charged: 0,
            limit,
        }
    }

    /// What waits, as Linux reckons it.
    pub(crate) fn charged(&self) -> usize {
        self.charged
    }

    /// What may wait.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// It hears of this port: it is bound to no device, or to this one.
    pub(crate) fn hears(&self, port: IfIndex) -> bool {
        self.options.device.is_none_or(|device| device == port)
    }

    /// Keeps a datagram of `length` bytes, IP header and all, until it is read; false if there is no room. A UDP socket
    /// takes what fits (or the first, whatever its size); the others take one more as long as they are not full.
    pub(crate) fn push(&mut self, length: usize, datagram: Datagram) -> bool {
        let size = truesize(length);
        let fits = match self.kind {
            SocketKind::Udp => self.charged == 0 || self.charged + size <= self.limit,
            SocketKind::Raw { .. } | SocketKind::Packet { .. } => self.charged < self.limit,
            SocketKind::Tcp => false,
        };
        if fits {
            self.charged += size;
            self.datagrams.push_back((size, datagram));
        }
        fits
    }

    /// The oldest datagram.
    pub(crate) fn pop(&mut self) -> Option<Datagram> {
        let (size, datagram) = self.datagrams.pop_front()?;
        self.charged -= size;
        Some(datagram)
    }

    /// The oldest datagram, which stays.
    pub(crate) fn first(&self) -> Option<&Datagram> {
        self.datagrams.front().map(|(_, datagram)| datagram)
    }

    /// An error waits in the queue, or the next call will fail.
    pub(crate) fn has_error(&self) -> bool {
        !self.errors.is_empty() || self.pending.is_some()
    }

    /// Keeps an error for the queue; it is lost if there is no room (`sock_queue_err_skb`). `length` is that of the packet
    /// that told it.
    pub(crate) fn push_error(&mut self, length: usize, error: SocketError) {
        let size = truesize(length);
        if self.charged + size < self.limit {
            self.charged += size;
            self.errors.push_back((size, error));
        }
    }

    /// The next call fails with this error (`sk_err`), which takes the place of the one that was to be told.
    pub(crate) fn fail_next(&mut self, error: SocketError) {
        self.pending = Some(error);
    }

    /// The oldest entry of the error queue, else what the next call would fail with. When an entry is read, what the next
    /// call fails with is what is left in the queue (`sock_dequeue_err_skb`).
    pub(crate) fn pop_error(&mut self) -> Option<SocketError> {
        let Some((size, error)) = self.errors.pop_front() else { return self.pending.take() };
        self.charged -= size;
        match self.errors.front() {
            Some((_, next)) if next.origin != ErrorOrigin::Local => self.pending = Some(without_payload(next)),
            _ if error.origin != ErrorOrigin::Local => self.pending = None,
            _ => {}
        }
        Some(error)
    }

    /// What a call fails with before it does anything (`sock_error`); told once.
    pub(crate) fn take_pending(&mut self) -> Result<(), Errno> {
        self.pending.take().map_or(Ok(()), |error| Err(error.errno))
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.datagrams.len(), self.charged)
    }
}

/// The same error as a plain call tells it.
pub(crate) fn without_payload(error: &SocketError) -> SocketError {
    SocketError { payload: Vec::new(), ..*error }
}
