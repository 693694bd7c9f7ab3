//! A stack: all state of one namespace.

use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::control::{Command, Errno, IfIndex, Refusal};
use crate::counters::Counters;
use crate::frame::{FrameBuf, FramePool, Outbox};
use crate::link::{OperState, Port, Ports};
use crate::local::{Datagram, SocketError, SocketId, SocketKind, SocketOptions};
use crate::observe::Observer;
use crate::time::Time;

/// What one visit to a stack may touch besides the stack.
pub struct Cx<'a> {
    /// Now; never goes back.
    pub now: Time,
    /// Where frames come from and go back to.
    pub pool: &'a mut FramePool,
    /// Where frames leave.
    pub out: &'a mut Outbox,
}

/// All state of one namespace.
#[derive(Debug)]
pub struct Stack {
    pub(crate) ports: Ports,
}

impl Stack {
    /// A namespace with nothing but a `lo` that is down. All its chance follows from `seed`.
    pub fn new(seed: u64) -> Stack {
        let _ = seed;
        unimplemented!()
    }

    /// One frame in, by a port.
    pub fn receive<O: Observer>(&mut self, cx: &mut Cx<'_>, port: IfIndex, frame: FrameBuf, observer: &mut O) {
        let _ = (cx, port, frame, observer);
        unimplemented!()
    }

    /// Time in: runs every timer due at `cx.now`.
    pub fn tick<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        let _ = (cx, observer);
        unimplemented!()
    }

    /// Time out: when [`Stack::tick`] is wanted next.
    pub fn next_deadline(&self) -> Option<Time> {
        unimplemented!()
    }

    /// Configuration in.
    pub fn apply<O: Observer>(&mut self, cx: &mut Cx<'_>, command: Command, observer: &mut O) -> Result<(), Refusal> {
        let _ = (cx, command, observer);
        unimplemented!()
    }

    /// The ports, by index.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Adds a port (a cable's end, a device). Its index and name must be free.
    pub fn port_add(&mut self, now: Time, port: Port) {
        let _ = (now, port);
        unimplemented!()
    }

    /// Takes a port out, with its addresses, routes and neighbours; frames that waited for it are discarded.
    pub fn port_remove(&mut self, cx: &mut Cx<'_>, index: IfIndex) -> Option<Port> {
        let _ = (cx, index);
        unimplemented!()
    }

    /// A port, for its driver: counters of frames that were sent but not taken, and the like.
    pub fn port_mut(&mut self, index: IfIndex) -> Option<&mut Port> {
        self.ports.get_mut(index)
    }

    /// The device tells that the cable now works, or no longer does (`netif_carrier_on`, `netif_carrier_off`): sets and counts
    /// [`Port::carrier`] if it differs. What follows from it in routes and addresses waits for [`Stack::link_change`].
    pub fn carrier(&mut self, index: IfIndex, on: bool) {
        let _ = (index, on);
        unimplemented!()
    }

    /// The namespace notices the state of the cable (`linkwatch_do_dev`, `NETDEV_CHANGE`): sets [`Port::operstate`]; if
    /// the port is up, its routes become `linkdown` or lose that by [`Port::carrier`], and IPv6 gets its link-local address.
    pub fn link_change(&mut self, cx: &mut Cx<'_>, index: IfIndex, state: OperState) {
        let _ = (cx, index, state);
        unimplemented!()
    }

    /// What passed and what was dropped.
    pub fn counters(&self) -> &Counters {
        unimplemented!()
    }

    /// Reads a sysctl by its path below `/proc/sys`, with slashes: `net/ipv4/ip_forward`. No newline at the end.
    pub fn sysctl(&self, path: &str) -> Option<String> {
        let _ = path;
        unimplemented!()
    }

    /// All sysctl paths, sorted as `sysctl -a` prints them.
    pub fn sysctl_paths(&self) -> Vec<String> {
        unimplemented!()
    }

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

    /// `true` if this address is one of our own (a local route takes it).
    pub fn is_local(&self, address: IpAddr) -> bool {
        let _ = address;
        unimplemented!()
    }
}
