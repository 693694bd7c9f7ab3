//! All open sockets of a namespace, and who has which UDP port.

use std::collections::BTreeMap;

use super::socket::Socket;
use super::tcp::Tcp;
use super::{SocketId, SocketKind, SocketOptions};
use crate::addr::Ipv4Addr;
use crate::control::Errno;
use crate::rng::Rng;
use crate::seldom::{Seedable, Seldom};

/// Sockets that may be open at a time.
const LIMIT: usize = 0x1_0000;

/// All open sockets. A number is never given twice, so that nobody reads from a socket that is not his.
#[derive(Debug)]
pub(crate) struct Sockets {
    open: BTreeMap<SocketId, Socket>,
    next: u32,
    /// Those that packets are looked up among, newest first: raw ones, UDP ones that have a port, packet sockets.
    pub(super) raw: Vec<SocketId>,
    pub(super) udp: Vec<SocketId>,
    pub(super) packet: Vec<SocketId>,
    /// What TCP sockets are doing.
    pub(crate) tcp: Seldom<Tcp>,
    /// Options of sockets that are not open: they may be set, to no effect.
    nobody: Option<Box<SocketOptions>>,
    rng: Rng,
}

impl Seedable for Sockets {
    const UNUSED: &'static Sockets = &Sockets::new(Rng::new(0));

    fn seeded(rng: Rng) -> Sockets {
        Sockets::new(rng)
    }
}

impl Sockets {
    /// None. `rng` chooses the ports of those who do not care.
    const fn new(rng: Rng) -> Sockets {
        Sockets {
            open: BTreeMap::new(),
            next: 0,
            raw: Vec::new(),
            udp: Vec::new(),
            packet: Vec::new(),
            tcp: Seldom::USUAL,
            nobody: None,
            rng,
        }
    }

    /// A number for one more.
    pub(crate) fn number(&mut self) -> Result<SocketId, Errno> {
        if self.open.len() >= LIMIT {
            return Err(Errno::NFile);
        }
        let id = SocketId(self.next);
        self.next = self.next.checked_add(1).ok_or(Errno::NFile)?;
        Ok(id)
    }

    /// Opens one that lets `limit` bytes wait.
    pub(crate) fn open(&mut self, kind: SocketKind, limit: usize) -> Result<SocketId, Errno> {
        let id = self.number()?;
        match kind {
            SocketKind::Raw { protocol: 0 } => return Err(Errno::ProtoNoSupport),
            SocketKind::Raw { .. } => self.raw.insert(0, id),
            SocketKind::Packet { .. } => self.packet.insert(0, id),
            SocketKind::Tcp => self.tcp.open(id),
            SocketKind::Udp => {}
        }
        self.open.insert(id, Socket::new(kind, limit));
        Ok(id)
    }

    /// A program closes it. What waits in it is forgotten; a connection may live on until it has ended well.
    pub(crate) fn close(&mut self, id: SocketId) {
        match self.open.get(&id) {
            Some(socket) if socket.kind == SocketKind::Tcp => self.tcp_close(id),
            _ => self.forget(id),
        }
    }

    /// It is no more.
    pub(crate) fn forget(&mut self, id: SocketId) {
        if let Some(socket) = self.open.remove(&id)
            && socket.kind == SocketKind::Tcp
        {
            self.tcp.release_port(id, socket.port);
            self.tcp.remove(id);
        }
        for list in [&mut self.raw, &mut self.udp, &mut self.packet] {
            list.retain(|listed| *listed != id);
        }
    }

    /// An open socket.
    pub(crate) fn get(&self, id: SocketId) -> Result<&Socket, Errno> {
        self.open.get(&id).ok_or(Errno::BadF)
    }

    /// An open socket, to change it.
    pub(crate) fn get_mut(&mut self, id: SocketId) -> Result<&mut Socket, Errno> {
        self.open.get_mut(&id).ok_or(Errno::BadF)
    }

    /// Its options.
    pub(crate) fn options(&mut self, id: SocketId) -> &mut SocketOptions {
        match self.open.get_mut(&id) {
            Some(socket) => &mut socket.options,
            None => self.nobody.get_or_insert_default(),
        }
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn chance(&mut self, bound: u64) -> u64 {
        self.rng.below(bound.max(1))
    }

    /// Any number.
    pub(crate) fn seed(&mut self) -> u64 {
        self.rng.next()
    }

    /// Gives a UDP socket a port at the address it receives at: this one, or, for 0, any free one of `range`.
    pub(crate) fn take_port(&mut self, id: SocketId, port: u16, range: (u16, u16)) -> Result<(), Errno> {
        let port = match port {
            0 => self.free_port(id, range)?,
            port if self.is_taken(id, port) => return Err(Errno::AddrInUse),
            port => port,
        };
        self.get_mut(id)?.port = port;
        self.udp.insert(0, id);
        Ok(())
    }

    /// Fixes the address that a socket receives at; it is then the newest there (`udp_lib_rehash`).
    pub(crate) fn receive_at(&mut self, id: SocketId, address: Ipv4Addr) {
        let Some(socket) = self.open.get_mut(&id) else { return };
        socket.receives_at = address;
        if let Some(at) = self.udp.iter().position(|listed| *listed == id) {
            self.udp[..=at].rotate_right(1);
        }
    }

    /// Some port of the range, from a random one upwards.
    fn free_port(&mut self, id: SocketId, (low, high): (u16, u16)) -> Result<u16, Errno> {
        let count = u32::from(high.saturating_sub(low)) + 1;
        let first = self.rng.below(u64::from(count)) as u32;
        let ports = (0..count).map(|step| low + ((first + step) % count) as u16);
        let free = ports.into_iter().find(|port| *port != 0 && !self.is_taken(id, *port));
        free.ok_or(Errno::AddrInUse)
    }

    /// Somebody else receives there already (`udp_lib_lport_inuse`).
    fn is_taken(&self, id: SocketId, port: u16) -> bool {
        let Some(me) = self.open.get(&id) else { return false };
        let mut others = self.udp.iter().filter(|other| **other != id).filter_map(|other| self.open.get(other));
        others.any(|other| {
            let (mine, its) = (me.options.device, other.options.device);
            let device = mine.is_none() || its.is_none() || mine == its;
            let any = me.receives_at.is_unspecified() || other.receives_at.is_unspecified();
            let reused = me.options.reuse_address && other.options.reuse_address
                || me.options.reuse_port && other.options.reuse_port;
            other.port == port && device && !reused && (any || me.receives_at == other.receives_at)
        })
    }
}
