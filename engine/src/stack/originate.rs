//! A program sends: from its socket to a packet with a complete header, or a frame (`raw_sendmsg`, `udp_sendmsg`,
//! `ip_make_skb`, `packet_snd`).

use super::output::Own;
use super::socket::output_key;
use super::{Cx, Stack};
use crate::addr::{Ipv4Addr, Mac};
use crate::control::{Errno, IfIndex, RouteKind, scope};
use crate::frame::FrameBuf;
use crate::local::{ErrorOrigin, PmtuDiscover, SocketError, SocketId, SocketKind, SocketOptions};
use crate::observe::{Observer, Step};
use crate::route::{OutputRoute, rtcf};
use crate::time::Time;
use crate::wire::ipv4::{DF, HEADER, options};
use crate::wire::{Ethernet, Ipv4, Udp, ipv4, protocol, udp};

/// Largest IP packet (`IP_MAX_MTU`).
const IP_MAX: usize = 0xffff;
/// A device with a smaller MTU carries no IPv4 (`IPV4_MIN_MTU`).
const IP_MIN_MTU: usize = 68;

/// A datagram about to be built.
#[derive(Debug)]
struct Outgoing {
    options: SocketOptions,
    ip_options: options::OwnOptions,
    /// The end of its way; with a source route the packet is addressed to the first hop.
    goal: Ipv4Addr,
    route: OutputRoute,
    /// IP packets larger than this are cut, or refused (`fragsize`).
    mtu: usize,
}

impl Stack {
    /// Sends an IP payload (raw) or a UDP payload.
    pub fn send_to<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        socket: SocketId,
        to: (Ipv4Addr, u16),
        payload: &[u8],
        observer: &mut O,
    ) -> Result<(), Errno> {
        let kind = self.sockets.get(socket)?.kind;
        self.bind_to_any_port(socket)?;
        if payload.len() > IP_MAX {
            return Err(Errno::MsgSize);
        }
        let (_, port) = to;
        let (protocol, head) = match kind {
            SocketKind::Raw { protocol } => (protocol, 0),
            SocketKind::Udp if port != 0 => (protocol::UDP, udp::HEADER),
            SocketKind::Udp | SocketKind::Tcp | SocketKind::Packet { .. } => return Err(Errno::Inval),
        };
        let outgoing = self.prepare(cx.now, socket, to)?;
        let ours = self.sockets.get_mut(socket)?;
        if let Err(mtu) = outgoing.admit(head + payload.len()) {
            if outgoing.options.recverr {
                ours.push_error(HEADER, too_long(cx.now, &outgoing, ours.peer, mtu));
            }
            return Err(Errno::MsgSize);
        }
        let OutputRoute { source, destination, .. } = outgoing.route;
        let header = match kind {
            SocketKind::Udp => {
                ours.take_pending()?;
                Udp { source: ours.port, destination: port, length: 0, checksum: 0 }.emit(source, destination, payload)
            }
            _ => [0; udp::HEADER],
        };
        let transport = header.get(..head).unwrap_or(&[]);
        let ttl = outgoing.options.ttl.unwrap_or_else(|| self.ttl(&outgoing.route));
        let frame = outgoing.packet(cx, (protocol, ttl), [transport, payload]);
        self.counters.originated += 1;
        let (source, destination, length) = (source.into(), destination.into(), frame.len());
        observer.step(Step::Originated { source, destination, protocol, length });
        let (mark, bound) = (outgoing.options.mark, outgoing.options.device);
        let own = Own { mark, bound, ..Own::PROGRAM };
        match self.ip_output(cx, &outgoing.route, frame, own, observer) {
            // Who does not listen for errors does not hear that the device had no room.
            Err(Errno::NoBufs) if !outgoing.options.recverr => Ok(()),
            done => done,
        }
    }

    /// Finds the way, in the order in which Linux finds faults.
    fn prepare(&self, now: Time, id: SocketId, (goal, port): (Ipv4Addr, u16)) -> Result<Outgoing, Errno> {
        let socket = self.sockets.get(id)?;
        let options = socket.options.clone();
        let is_foreign = |address| self.address_kind(address) == RouteKind::Unicast;
        let ip_options = options::OwnOptions::compile(&options.ip_options, &is_foreign).map_err(|_| Errno::Inval)?;
        let routed = ip_options.options.source_route != 0;
        if routed && goal.is_unspecified() {
            return Err(Errno::Inval);
        }
        let mut key = output_key(socket, (goal, port));
        key.destination = ip_options.options.next_hop.filter(|_| routed).unwrap_or(goal);
        if routed && ip_options.options.strict {
            key.scope = scope::LINK;
        }
        let route = self.output_way(now, &key)?;
        let device_mtu = self.config.ports.get(route.oif).map_or(0, |port| port.mtu);
        Outgoing::new(options, ip_options, goal, route, device_mtu)
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
        let SocketKind::Packet { ethertype } = self.sockets.get(socket)?.kind else { return Err(Errno::Inval) };
        let device = self.config.ports.get(port).ok_or(Errno::NxIo)?;
        if !device.is_up() {
            return Err(Errno::NetDown);
        }
        if payload.len() > device.mtu as usize {
            return Err(Errno::MsgSize);
        }
        let header = Ethernet { destination: to, source: device.mac, ethertype }.emit();
        let mut frame = cx.pool.take(header.len() + payload.len());
        frame.extend(&header);
        frame.extend(payload);
        self.counters.originated += 1;
        self.link_output(cx, port, frame, observer)
    }
}

impl Outgoing {
    /// A datagram to `goal` by a way that is found: `EACCES` if the way is a broadcast that was not asked for, and
    /// `ENETUNREACH` if the device is too small for IP.
    fn new(
        options: SocketOptions,
        ip_options: options::OwnOptions,
        goal: Ipv4Addr,
        mut route: OutputRoute,
        device_mtu: u32,
    ) -> Result<Outgoing, Errno> {
        if route.flags & rtcf::BROADCAST != 0 && !options.broadcast {
            return Err(Errno::Acces);
        }
        if options.pmtu == PmtuDiscover::Probe {
            // Who probes the path does not heed what was learned of it.
            route.mtu = device_mtu;
        }
        let mtu = (route.mtu as usize).min(IP_MAX);
        if mtu < IP_MIN_MTU {
            return Err(Errno::NetUnreach);
        }
        let goal = if goal.is_unspecified() { route.destination } else { goal };
        Ok(Outgoing { options, ip_options, goal, route, mtu })
    }

    /// Refuses an IP payload of this length if it may not be cut and does not fit, or is too large for any packet; the
    /// MTU that the program is told is less the IP options.
    fn admit(&self, length: usize) -> Result<(), u32> {
        let may_be_cut = matches!(self.options.pmtu, PmtuDiscover::Dont | PmtuDiscover::Want);
        let most = if may_be_cut { IP_MAX } else { self.mtu };
        let option_length = self.ip_options.bytes().len();
        if HEADER + option_length + length <= most { Ok(()) } else { Err((self.mtu - option_length) as u32) }
    }

    /// The packet, complete but for its id (`__ip_make_skb`).
    fn packet(&self, cx: &mut Cx<'_>, (protocol, ttl): (u8, u8), parts: [&[u8]; 2]) -> FrameBuf {
        let Outgoing { options, ip_options, route, .. } = self;
        let head = HEADER + ip_options.bytes().len();
        let total = head + parts.iter().map(|part| part.len()).sum::<usize>();
        let header = Ipv4 {
            tos: options.tos,
            total_length: total as u16,
            id: 0,
            flags_fragment: if self.dont_fragment(total) { DF } else { 0 },
            ttl,
            protocol,
            source: route.source,
            destination: route.destination,
            header_length: head,
        };
        let mut frame = cx.pool.take(total);
        frame.resize(head);
        header.write(ip_options.bytes(), &mut frame);
        if head > HEADER {
            let time = options::midnight(cx.now.nanos() / 1_000_000);
            options::build(&mut frame, &ip_options.options, self.goal, route.source, time);
            ipv4::write_checksum(&mut frame);
        }
        parts.iter().for_each(|part| frame.extend(part));
        frame
    }

    /// True if it is sent with DF: it is asked for, or the packet fits and the MTU may be learned.
    fn dont_fragment(&self, length: usize) -> bool {
        match self.options.pmtu {
            PmtuDiscover::Dont => false,
            PmtuDiscover::Want => length <= self.mtu && !self.route.mtu_locked,
            PmtuDiscover::Do | PmtuDiscover::Probe => true,
        }
    }
}

/// What a program that listens for errors is told of a datagram that does not fit (`ip_local_error`).
fn too_long(now: Time, outgoing: &Outgoing, peer: Option<(Ipv4Addr, u16)>, mtu: u32) -> SocketError {
    SocketError {
        at: now,
        errno: Errno::MsgSize,
        origin: ErrorOrigin::Local,
        destination: outgoing.route.destination,
        destination_port: peer.map_or(0, |(_, port)| port),
        info: mtu,
        payload: Vec::new(),
    }
}

#[cfg(test)]
pub(super) mod tests;
