//! A program sends: from its socket to a packet with a complete header, or a frame (`raw_sendmsg`, `udp_sendmsg`,
//! `ip_make_skb`, `packet_snd`).

use super::socket::{address_kind, output_key};
use super::{Cx, Stack};
use crate::addr::{Ipv4Addr, Mac};
use crate::control::{Errno, IfIndex, RouteKind, scope};
use crate::local::{ErrorOrigin, PmtuDiscover, SocketError, SocketId, SocketKind, SocketOptions};
use crate::observe::{Observer, Step};
use crate::route::{OutputRoute, rtcf};
use crate::time::Time;
use crate::wire::ipv4::{DF, HEADER, options};
use crate::wire::{Ethernet, Ipv4, Udp, ethernet, ipv4, protocol, udp};

/// Largest IP packet (`IP_MAX_MTU`).
const IP_MAX: usize = 0xffff;
/// A device with a smaller MTU carries no IPv4 (`IPV4_MIN_MTU`).
const IP_MIN_MTU: usize = 68;

/// A datagram about to be built.
struct Outgoing {
    socket: SocketId,
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
        let (address, port) = to;
        let protocol = match kind {
            SocketKind::Raw { protocol } => protocol,
            SocketKind::Udp if port != 0 => protocol::UDP,
            SocketKind::Udp | SocketKind::Packet { .. } => return Err(Errno::Inval),
        };
        let outgoing = self.prepare(cx.now, socket, address)?;
        let head = if kind == SocketKind::Udp { udp::HEADER } else { 0 };
        self.admit_length(cx.now, &outgoing, head + payload.len())?;
        let Outgoing { route: OutputRoute { source, destination, .. }, .. } = outgoing;
        let header = match kind {
            SocketKind::Udp => {
                let ours = self.sockets.get_mut(socket)?;
                ours.take_pending()?;
                Udp { source: ours.port, destination: port, length: 0, checksum: 0 }.emit(source, destination, payload)
            }
            _ => [0; udp::HEADER],
        };
        let transport = header.get(..head).unwrap_or(&[]);
        self.emit(cx, &outgoing, protocol, [transport, payload], observer)
    }

    /// Finds the way, in the order in which Linux finds faults.
    fn prepare(&self, now: Time, id: SocketId, goal: Ipv4Addr) -> Result<Outgoing, Errno> {
        let socket = self.sockets.get(id)?;
        let options = socket.options.clone();
        let is_foreign = |address| address_kind(&self.config.rib4, address) == RouteKind::Unicast;
        let ip_options = options::OwnOptions::compile(&options.ip_options, &is_foreign).map_err(|_| Errno::Inval)?;
        let routed = ip_options.options.source_route != 0;
        if routed && goal.is_unspecified() {
            return Err(Errno::Inval);
        }
        let first = ip_options.options.next_hop.filter(|_| routed).unwrap_or(goal);
        let mut key = output_key(socket, goal);
        key.destination = first;
        if routed && ip_options.options.strict {
            key.scope = scope::LINK;
        }
        let route = self.way_out(now, &key)?;
        if route.flags & rtcf::BROADCAST != 0 && !options.broadcast {
            return Err(Errno::Acces);
        }
        let goal = if goal.is_unspecified() { route.destination } else { goal };
        let device_mtu = self.config.ports.get(route.oif).map_or(0, |port| port.mtu);
        let mtu = if options.pmtu == PmtuDiscover::Probe { device_mtu } else { route.mtu };
        let mtu = (mtu as usize).min(IP_MAX);
        if mtu < IP_MIN_MTU {
            return Err(Errno::NetUnreach);
        }
        Ok(Outgoing { socket: id, options, ip_options, goal, route, mtu })
    }

    /// Refuses an IP payload of this length if it may not be cut and does not fit, or is too large for any packet; a
    /// program that listens for errors is told the MTU (`ip_local_error`).
    fn admit_length(&mut self, now: Time, outgoing: &Outgoing, length: usize) -> Result<(), Errno> {
        let may_be_cut = matches!(outgoing.options.pmtu, PmtuDiscover::Dont | PmtuDiscover::Want);
        let most = if may_be_cut { IP_MAX } else { outgoing.mtu };
        let option_length = outgoing.ip_options.bytes().len();
        if HEADER + option_length + length <= most {
            return Ok(());
        }
        if outgoing.options.recverr {
            let socket = self.sockets.get_mut(outgoing.socket)?;
            let error = SocketError {
                at: now,
                errno: Errno::MsgSize,
                origin: ErrorOrigin::Local,
                destination: outgoing.route.destination,
                destination_port: socket.peer.map_or(0, |(_, port)| port),
                info: (outgoing.mtu - option_length) as u32,
                payload: Vec::new(),
            };
            socket.push_error(HEADER, error);
        }
        Err(Errno::MsgSize)
    }

    /// Builds the packet and sends it on its way (`__ip_make_skb`, `ip_send_skb`).
    fn emit<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        outgoing: &Outgoing,
        protocol: u8,
        [transport, payload]: [&[u8]; 2],
        observer: &mut O,
    ) -> Result<(), Errno> {
        let Outgoing { options, ip_options, route, mtu, .. } = outgoing;
        let head = HEADER + ip_options.bytes().len();
        let total = head + transport.len() + payload.len();
        let header = Ipv4 {
            tos: options.tos,
            total_length: total as u16,
            id: 0,
            flags_fragment: if dont_fragment(options.pmtu, route, total) { DF } else { 0 },
            ttl: options.ttl.unwrap_or_else(|| self.ttl(route)),
            protocol,
            source: route.source,
            destination: route.destination,
            header_length: head,
        };
        let mut frame = cx.pool.take(total + ethernet::HEADER);
        frame.resize(head);
        header.write(ip_options.bytes(), &mut frame);
        if head > HEADER {
            let time = options::midnight(cx.now.nanos() / 1_000_000);
            options::build(&mut frame, &ip_options.options, outgoing.goal, route.source, time);
            ipv4::write_checksum(&mut frame);
        }
        frame.extend(transport);
        frame.extend(payload);
        self.counters.originated += 1;
        let (source, destination) = (route.source.into(), route.destination.into());
        observer.step(Step::Originated { source, destination, protocol, length: total });
        // A prober of the path does not heed what was learned of it: the way's MTU is the device's.
        let route =
            OutputRoute { mtu: if options.pmtu == PmtuDiscover::Probe { *mtu as u32 } else { route.mtu }, ..*route };
        match self.ip_output(cx, &route, frame, observer) {
            // Who does not listen for errors does not hear that the device had no room.
            Err(Errno::NoBufs) if !options.recverr => Ok(()),
            done => done,
        }
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

/// True if the packet is sent with DF: it is asked for, or it fits and the MTU may be learned.
fn dont_fragment(pmtu: PmtuDiscover, route: &OutputRoute, length: usize) -> bool {
    match pmtu {
        PmtuDiscover::Dont => false,
        PmtuDiscover::Want => length <= (route.mtu as usize).min(IP_MAX) && !route.mtu_locked,
        PmtuDiscover::Do | PmtuDiscover::Probe => true,
    }
}
