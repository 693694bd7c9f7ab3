//! The namespace's own ends: sockets of local programs.
//!
//! | file | holds |
//! |---|---|
//! | `local` | what a program sees of a socket: kinds, options, datagrams, errors |
//! | `socket` | one socket: what it is bound to, and its two queues, bounded as Linux bounds them |
//! | `sockets` | `Sockets`: all open sockets, and who has which UDP port |
//! | `tcp` | TCP: connections, listeners |
//! | `table` | all of them as tools list them |
//! | `deliver` | which packet goes to which socket |
//! | `tap` | packet sockets that hear everything |
//! | `error` | ICMP errors, and the sockets they concern |

mod deliver;
mod error;
mod socket;
mod sockets;
mod table;
mod tap;
pub(crate) mod tcp;

use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::control::{Errno, IfIndex};
use crate::time::Time;
pub(crate) use error::IcmpError;
pub(crate) use socket::Socket;
pub(crate) use sockets::Sockets;
pub use table::{SocketInfo, SocketState, SocketTimer, TcpInfo};
pub(crate) use tap::Taps;
pub use tap::{TapCast, TapCounts, TapFrame, TapSpec};
pub use tcp::Tally;

/// The number of an open socket in its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// One end of a flow: address and port.
pub type Endpoint = (Ipv4Addr, u16);

/// What kind of socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// `socket(AF_INET, SOCK_RAW, protocol)`: sends IP payloads of this protocol (the stack builds the IP header),
    /// gets a copy of each IP packet of this protocol that is delivered here, header included.
    Raw {
        /// The IP protocol number.
        protocol: u8,
    },
    /// `socket(AF_INET, SOCK_DGRAM, 0)`: UDP.
    Udp,
    /// `socket(AF_INET, SOCK_STREAM, 0)`: TCP.
    Tcp,
    /// `socket(AF_PACKET, SOCK_DGRAM, ethertype)`: gets payloads of frames of this type with the sender's MAC; sends by
    /// [`Stack::send_frame`](crate::Stack::send_frame).
    Packet {
        /// The Ethernet type.
        ethertype: u16,
    },
}

/// `IP_MTU_DISCOVER`: `ping -M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PmtuDiscover {
    /// Never set DF.
    Dont,
    /// Set DF where the path MTU allows, fragment locally else.
    #[default]
    Want,
    /// Always set DF; a datagram above the path MTU is `EMSGSIZE`.
    Do,
    /// Set DF, ignore the path MTU.
    Probe,
}

/// Options of a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// `IP_TTL`; the namespace's default if not set.
    pub ttl: Option<u8>,
    /// `IP_TOS`
    pub tos: u8,
    /// `SO_MARK`
    pub mark: u32,
    /// `IP_MTU_DISCOVER`
    pub pmtu: PmtuDiscover,
    /// `SO_BROADCAST`: without it, sending to a broadcast address is `EACCES`.
    pub broadcast: bool,
    /// `SO_REUSEADDR`
    pub reuse_address: bool,
    /// It is an IPv6 socket (`AF_INET6` without `IPV6_V6ONLY`), of which IPv4 alone is spoken here.
    pub dual: bool,
    /// `SO_REUSEPORT`
    pub reuse_port: bool,
    /// `IP_RECVERR`: ICMP errors are kept for [`Stack::receive_error`](crate::Stack::receive_error).
    pub recverr: bool,
    /// `IP_OPTIONS`: raw option bytes of the IP header, at most 40, padded by the caller to a multiple of 4.
    pub ip_options: Vec<u8>,
    /// `SO_BINDTODEVICE`
    pub device: Option<IfIndex>,
    /// `IP_MULTICAST_TTL` is `ttl`; `IP_MULTICAST_IF`.
    pub multicast_if: Option<IfIndex>,
    /// Send without routing (`SO_DONTROUTE`, `ping -r`).
    pub dont_route: bool,
}

/// A datagram that a program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// When it arrived.
    pub at: Time,
    /// The port it arrived by.
    pub port: IfIndex,
    /// The sender's IP address (unspecified for [`SocketKind::Packet`]).
    pub source: IpAddr,
    /// The sender's UDP port, 0 for others.
    pub source_port: u16,
    /// The destination address in the packet.
    pub destination: IpAddr,
    /// TTL of the IP header.
    pub ttl: u8,
    /// TOS of the IP header.
    pub tos: u8,
    /// The sender's MAC, for [`SocketKind::Packet`].
    pub source_mac: Mac,
    /// The frame's destination was the broadcast MAC, for [`SocketKind::Packet`].
    pub link_broadcast: bool,
    /// UDP payload; raw: IP header and all; packet: what follows the Ethernet header.
    pub payload: Vec<u8>,
}

/// An entry of a socket's error queue (`struct sock_extended_err`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketError {
    /// When it was queued.
    pub at: Time,
    /// The error.
    pub errno: Errno,
    /// Who said so.
    pub origin: ErrorOrigin,
    /// The destination of the datagram that failed.
    pub destination: Ipv4Addr,
    /// UDP destination port of the datagram that failed, 0 for others.
    pub destination_port: u16,
    /// The path MTU, for `EMSGSIZE`.
    pub info: u32,
    /// What followed the IP header of the datagram that failed (for UDP: what followed the UDP header), as much as is known.
    pub payload: Vec<u8>,
}

/// Who reports a [`SocketError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorOrigin {
    /// This host itself (`SO_EE_ORIGIN_LOCAL`).
    Local,
    /// An ICMP message.
    Icmp {
        /// Its sender.
        from: Ipv4Addr,
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
        /// TTL with which it arrived (tracepath guesses the way back from it).
        ttl: u8,
    },
}

#[cfg(test)]
mod tests;
