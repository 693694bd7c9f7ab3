//! Calls on sockets, as programs make them: in the program's own namespace, now.

use super::Proc;
use std::net::Ipv4Addr;
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::local::{SocketError, SocketId, SocketKind, SocketOptions};

/// `setsockopt`
pub(super) fn set(p: &Proc, socket: SocketId, change: impl FnOnce(&mut SocketOptions)) {
    change(p.world().stack_mut(p.ns()).options(socket));
}

/// `bind`
pub(super) fn bind(p: &Proc, socket: SocketId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
    p.world().stack_mut(p.ns()).bind(socket, address, port)
}

/// `connect`
pub(super) fn connect(p: &Proc, socket: SocketId, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
    let now = p.now();
    p.world().stack_mut(p.ns()).connect(now, socket, address, port)
}

/// `getsockname`
pub(super) fn local_name(p: &Proc, socket: SocketId) -> (Ipv4Addr, u16) {
    p.world().stack(p.ns()).local_name(socket)
}

/// `sendto`
pub(super) fn send_to(p: &Proc, socket: SocketId, to: (Ipv4Addr, u16), payload: &[u8]) -> Result<(), Errno> {
    p.world().send_to(p.ns(), socket, to, payload)
}

/// `recvmsg` with `MSG_ERRQUEUE`, which never waits.
pub(super) fn receive_error(p: &Proc, socket: SocketId) -> Option<SocketError> {
    p.world().stack_mut(p.ns()).receive_error(socket)
}

/// `close`
pub(super) fn close(p: &Proc, socket: SocketId) {
    p.world().stack_mut(p.ns()).close(socket);
    p.closed(socket);
}

/// `if_nametoindex`
pub(super) fn device(p: &Proc, name: &str) -> Option<IfIndex> {
    p.world().stack(p.ns()).ports().named(name).map(|port| port.index)
}

/// `RTM_GETROUTE`: the interface on the way to a destination, and the path MTU.
pub(super) fn route(p: &Proc, destination: Ipv4Addr) -> Result<(IfIndex, u32), Errno> {
    let probe = p.socket(SocketKind::Udp)?;
    let connected = connect(p, probe, destination, 1025);
    let source = local_name(p, probe).0;
    close(p, probe);
    connected?;
    let world = p.world();
    let stack = world.stack(p.ns());
    let local = stack.is_local(destination.into());
    let mut ports = stack.ports().iter();
    let found = ports.find(|port| {
        if local { port.is_loopback() } else { port.addresses4.iter().any(|address| address.local == source) }
    });
    found.map(|port| (port.index, port.mtu)).ok_or(Errno::NetUnreach)
}
