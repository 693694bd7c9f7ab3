//! What became of packets that were sent: ICMP errors find the sockets they concern.

use super::deliver::Ends;
use super::socket::{Socket, without_payload};
use super::tcp::Flow;
use super::{ErrorOrigin, PmtuDiscover, SocketError, Sockets};
use crate::addr::Ipv4Addr;
use crate::control::{Errno, IfIndex};
use crate::time::Time;
use crate::wire::icmpv4::{code, kind};
use crate::wire::{Ipv4, Udp, icmpv4, ipv4, protocol, udp};
use smoltcp::socket::tcp::State;

/// Bytes of the payload that an error must quote, or it is not looked at.
const LEAST_QUOTED: usize = 8;
/// The first code of "destination unreachable" that nobody knows (`NR_ICMP_UNREACH`, and one).
const UNKNOWN_CODE: u8 = code::PREC_CUTOFF + 1;

/// An ICMP error about a packet that was sent from here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IcmpError<'a> {
    /// The port it came in by.
    pub(crate) port: IfIndex,
    /// Its sender.
    pub(crate) from: Ipv4Addr,
    /// Its type.
    pub(crate) kind: u8,
    /// Its code.
    pub(crate) code: u8,
    /// TTL with which it arrived.
    pub(crate) ttl: u8,
    /// As `icmp_unreach` has it: the MTU of "fragmentation needed", the pointer of "parameter problem", else 0.
    pub(crate) info: u32,
    /// The packet it quotes, from its IP header on.
    pub(crate) inner: &'a [u8],
}

impl Sockets {
    /// Tells an ICMP error to the sockets it concerns (`icmp_socket_deliver`, `raw_err`, `__udp4_lib_err`); true if there
    /// are any: only then what it says about the path is believed.
    pub(crate) fn icmp_error(&mut self, now: Time, error: &IcmpError<'_>) -> bool {
        let Some(quoted) = Ipv4::parse(error.inner) else { return false };
        let Some(payload) = error.inner.get(quoted.header_length..).filter(|rest| rest.len() >= LEAST_QUOTED) else {
            return false;
        };
        let mut concerned = false;
        let told = |port: u16, payload: &[u8]| SocketError {
            at: now,
            errno: Errno::HostUnreach,
            origin: ErrorOrigin::Icmp { from: error.from, kind: error.kind, code: error.code, ttl: error.ttl },
            destination: quoted.destination,
            destination_port: port,
            info: error.info,
            payload: payload.to_vec(),
        };
        let ends = Ends { port: error.port, local: (quoted.source, 0), remote: (quoted.destination, 0) };
        for id in self.raw_takers(quoted.protocol, &ends) {
            if let Ok(socket) = self.get_mut(id) {
                tell(socket, error, told(0, payload));
                concerned = true;
            }
        }
        if quoted.protocol == protocol::UDP
            && let Some(header) = Udp::parse(payload)
        {
            let (local, remote) = ((quoted.source, header.source), (quoted.destination, header.destination));
            let id = self.udp_lookup(&Ends { port: error.port, local, remote });
            if let Some(socket) = id.and_then(|id| self.get_mut(id).ok()) {
                tell_udp(socket, error, told(header.destination, payload.get(udp::HEADER..).unwrap_or(&[])));
                concerned = true;
            }
        }
        if quoted.protocol == protocol::TCP {
            concerned |= self.tcp_error(now, error, &quoted, payload);
        }
        concerned
    }

    /// The same, for a TCP connection (`tcp_v4_err`): it must be about something that is on its way. Whoever is not connected
    /// yet gives up; others only remember it.
    fn tcp_error(&mut self, now: Time, error: &IcmpError<'_>, quoted: &Ipv4, payload: &[u8]) -> bool {
        let Some(&[a, b, c, d, e, f, g, h]) = payload.first_chunk() else { return false };
        let (port, remote) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let flow = Flow { port, local: quoted.source, remote: (quoted.destination, remote) };
        let Some(id) = self.tcp.by_flow(&flow) else { return false };
        let sequence = u32::from_be_bytes([e, f, g, h]);
        let pmtu = self.get(id).map_or(PmtuDiscover::Want, |socket| socket.options.pmtu);
        let Some(connected) = self.tcp.connected_mut(id) else { return false };
        let conn = &mut connected.conn;
        if sequence.wrapping_sub(conn.unacknowledged) > conn.next.wrapping_sub(conn.unacknowledged) {
            return false;
        }
        let Some((errno, _)) = verdict(error, pmtu) else { return true };
        if errno == Errno::MsgSize {
            conn.resend = true;
            self.tcp.wake(now, id);
        } else if conn.state() == State::SynSent {
            self.tcp_fail(now, id, errno);
        } else {
            connected.soft = Some(errno);
        }
        true
    }
}

/// Tells a socket, if it asked to be told, or is connected and the error is final.
fn tell(socket: &mut Socket, error: &IcmpError<'_>, told: SocketError) {
    let Some((errno, fatal)) = verdict(error, socket.options.pmtu) else { return };
    let told = SocketError { errno, ..told };
    if socket.options.recverr {
        queue(socket, error, told.clone());
    } else if !fatal || socket.peer.is_none() {
        return;
    }
    socket.fail_next(without_payload(&told));
}

/// Tells a UDP socket: with path MTU discovery off it does not hear of MTUs.
fn tell_udp(socket: &mut Socket, error: &IcmpError<'_>, told: SocketError) {
    if verdict(error, socket.options.pmtu) != Some((Errno::MsgSize, false)) {
        tell(socket, error, told);
    }
}

fn queue(socket: &mut Socket, error: &IcmpError<'_>, told: SocketError) {
    socket.push_error(ipv4::HEADER + icmpv4::HEADER + error.inner.len(), told);
}

/// The error number of an ICMP error, and whether it is final; none if programs are not told of it.
fn verdict(error: &IcmpError<'_>, pmtu: PmtuDiscover) -> Option<(Errno, bool)> {
    match (error.kind, error.code) {
        (kind::SOURCE_QUENCH | kind::REDIRECT, _) => None,
        // `icmp_unreach` lets go what it does not know, and a reassembly elsewhere that came to nothing.
        (kind::DEST_UNREACH, UNKNOWN_CODE..) | (kind::TIME_EXCEEDED, code::EXC_FRAGTIME) => None,
        (kind::PARAMETER_PROB, _) => Some((Errno::Proto, true)),
        (kind::DEST_UNREACH, code::FRAG_NEEDED) => Some((Errno::MsgSize, pmtu != PmtuDiscover::Dont)),
        (kind::DEST_UNREACH, code) => Some(convert(code)),
        _ => Some((Errno::HostUnreach, false)),
    }
}

/// `icmp_err_convert`: error number and finality of each code of "destination unreachable".
fn convert(code: u8) -> (Errno, bool) {
    match code {
        code::NET_UNREACH | code::NET_UNR_TOS => (Errno::NetUnreach, false),
        code::PROT_UNREACH => (Errno::NoProtoOpt, true),
        code::PORT_UNREACH => (Errno::ConnRefused, true),
        code::SR_FAILED => (Errno::OpNotSupp, false),
        code::NET_UNKNOWN | code::NET_ANO => (Errno::NetUnreach, true),
        code::HOST_UNKNOWN => (Errno::HostDown, true),
        code::HOST_ISOLATED => (Errno::NoNet, true),
        code::HOST_ANO | code::PKT_FILTERED | code::PREC_VIOLATION | code::PREC_CUTOFF => (Errno::HostUnreach, true),
        _ => (Errno::HostUnreach, false),
    }
}
