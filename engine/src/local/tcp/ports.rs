//! Which port may be whose (`inet_csk_get_port`, `__inet_hash_connect`).

use super::{Flow, Found, Tcp};
use crate::addr::Ipv4Addr;
use crate::control::{Errno, IfIndex};
use crate::local::socket::Socket;
use crate::local::{Endpoint, SocketId, Sockets};
use std::ops::Bound;

impl Tcp {
    /// A socket has this port.
    pub(in crate::local) fn hold_port(&mut self, id: SocketId, port: u16) {
        self.holders.insert((port, id));
    }

    /// A socket has its port no more.
    pub(in crate::local) fn release_port(&mut self, id: SocketId, port: u16) {
        self.holders.remove(&(port, id));
    }

    fn holders(&self, port: u16) -> impl Iterator<Item = SocketId> + '_ {
        self.holders.range((port, SocketId(0))..=(port, SocketId(u32::MAX))).map(|(_, id)| *id)
    }

    /// Flows that are over and begin at this port.
    fn lingering(&self, port: u16) -> impl Iterator<Item = (&Flow, bool)> + '_ {
        let first = Flow { port, local: Ipv4Addr::UNSPECIFIED, remote: (Ipv4Addr::UNSPECIFIED, 0) };
        let flows = self.time_wait.range((Bound::Included(first), Bound::Unbounded));
        flows.take_while(move |(flow, _)| flow.port == port).map(|(flow, wait)| (flow, wait.reuse))
    }

    /// A connection between these ends exists, or is not long over.
    pub(crate) fn is_known(&self, flow: &Flow) -> bool {
        self.flows.contains_key(flow) || self.time_wait.contains_key(flow)
    }
}

impl Sockets {
    /// Gives a TCP socket a port at the address it receives at: this one, or, for 0, any free one of `range`.
    pub(crate) fn take_tcp_port(&mut self, id: SocketId, port: u16, range: (u16, u16)) -> Result<(), Errno> {
        let port = match port {
            0 => {
                // Ports of the other parity are left for those who connect.
                let free = |sockets: &Sockets, port: u16| !sockets.tcp_conflict(id, port, true);
                let odd = self.some_port(range, 1, free);
                odd.or_else(|| self.some_port(range, 0, free)).ok_or(Errno::AddrInUse)?
            }
            port if self.tcp_conflict(id, port, false) => return Err(Errno::AddrInUse),
            port => port,
        };
        self.get_mut(id)?.port = port;
        self.tcp.hold_port(id, port);
        Ok(())
    }

    /// A port for a connection from `local` to `remote` (`EADDRNOTAVAIL` if there is none).
    pub(crate) fn port_to_connect(
        &mut self,
        id: SocketId,
        local: Ipv4Addr,
        remote: Endpoint,
        range: (u16, u16),
    ) -> Result<u16, Errno> {
        let free = |sockets: &Sockets, port: u16| {
            let others: Vec<SocketId> = sockets.tcp.holders(port).filter(|holder| *holder != id).collect();
            let bound = others.iter().any(|other| sockets.get(*other).is_ok_and(|other| other.bound_port));
            !bound && !sockets.tcp.is_known(&Flow { port, local, remote })
        };
        let port = self.some_port(range, 0, free).or_else(|| self.some_port(range, 1, free));
        let port = port.ok_or(Errno::AddrNotAvail)?;
        self.get_mut(id)?.port = port;
        self.tcp.hold_port(id, port);
        Ok(port)
    }

    /// Some port of the range that will do, every second one from a random one upwards.
    fn some_port(
        &mut self,
        (low, high): (u16, u16),
        parity: u16,
        will_do: impl Fn(&Sockets, u16) -> bool,
    ) -> Option<u16> {
        let pairs = (u32::from(high.saturating_sub(low)) + 1).div_ceil(2);
        let first = self.chance(u64::from(pairs)) as u32;
        let ports = (0..pairs).map(|step| u32::from(low) + u32::from(parity) + (first + step) % pairs * 2);
        let ports = ports.filter_map(|port| u16::try_from(port).ok().filter(|port| *port <= high && *port != 0));
        ports.into_iter().find(|port| will_do(self, *port))
    }

    /// Somebody else is in the way at this port (`inet_csk_bind_conflict`); `strict`: nothing is shared, for any port would
    /// do.
    pub(crate) fn tcp_conflict(&self, id: SocketId, port: u16, strict: bool) -> bool {
        let Ok(me) = self.get(id) else { return false };
        let meets = |address: Ipv4Addr| {
            me.receives_at.is_unspecified() || address.is_unspecified() || address == me.receives_at
        };
        let others = self.tcp.holders(port).filter(|holder| *holder != id);
        let conflict = others.into_iter().any(|other| {
            let Ok(socket) = self.get(other) else { return false };
            let shared = !strict && share(me, socket, self.tcp.listener(other).is_some());
            meets(socket.receives_at) && same_device(me, socket) && !shared
        });
        let shared = |reuse: bool| !strict && reuse && me.options.reuse_address;
        conflict || self.tcp.lingering(port).any(|(flow, reuse)| meets(flow.local) && !shared(reuse))
    }

    /// For whom a segment is (`__inet_lookup`). `choice` is what decides among listeners that share a port.
    pub(crate) fn find_tcp(&self, flow: &Flow, port: IfIndex, choice: u64) -> Found {
        if let Some(id) = self.tcp.by_flow(flow) {
            return Found::Connection(id);
        }
        if self.tcp.time_wait(flow).is_some() {
            return Found::TimeWait;
        }
        self.find_listener(flow, port, choice).map_or(Found::Nobody, Found::Listener)
    }

    /// The listener for a new connection: one bound to the address goes before one bound to none.
    pub(crate) fn find_listener(&self, flow: &Flow, port: IfIndex, choice: u64) -> Option<SocketId> {
        let mut best: Vec<SocketId> = Vec::new();
        let mut most = None;
        for id in &self.tcp.listeners {
            let Ok(socket) = self.get(*id) else { continue };
            let here = socket.receives_at.is_unspecified() || socket.receives_at == flow.local;
            if socket.port != flow.port || !here || !socket.hears(port) {
                continue;
            }
            let rank = Some((!socket.receives_at.is_unspecified(), socket.options.device.is_some()));
            if rank > most {
                best.clear();
                most = rank;
            }
            if rank == most {
                best.push(*id);
            }
        }
        let shares = |id: &&SocketId| self.get(**id).is_ok_and(|socket| socket.options.reuse_port);
        if best.len() > 1 && best.iter().all(|id| shares(&id)) {
            return best.get((choice % best.len() as u64) as usize).copied();
        }
        best.first().copied()
    }
}

/// Bound to one device each, or at least one to none.
fn same_device(me: &Socket, other: &Socket) -> bool {
    let (mine, its) = (me.options.device, other.options.device);
    mine.is_none() || its.is_none() || mine == its
}

/// They agree to share: both by `SO_REUSEPORT`, or by `SO_REUSEADDR` if the other does not listen.
fn share(me: &Socket, other: &Socket, other_listens: bool) -> bool {
    let (mine, its) = (&me.options, &other.options);
    mine.reuse_port && its.reuse_port || mine.reuse_address && its.reuse_address && !other_listens
}
