//! ICMP for IPv4 (RFC 792): eight bytes of header, then what it quotes or echoes.

use super::{checksum, put, take};
use crate::reason::DropReason;

/// Bytes of the header.
pub const HEADER: usize = 8;

/// Types (`include/uapi/linux/icmp.h`).
#[allow(missing_docs, reason = "Linux's own names")]
pub mod kind {
    pub const ECHO_REPLY: u8 = 0;
    pub const DEST_UNREACH: u8 = 3;
    pub const SOURCE_QUENCH: u8 = 4;
    pub const REDIRECT: u8 = 5;
    pub const ECHO: u8 = 8;
    pub const TIME_EXCEEDED: u8 = 11;
    pub const PARAMETER_PROB: u8 = 12;
    pub const TIMESTAMP: u8 = 13;
    pub const TIMESTAMP_REPLY: u8 = 14;
    pub const INFO_REQUEST: u8 = 15;
    pub const INFO_REPLY: u8 = 16;
    pub const ADDRESS: u8 = 17;
    pub const ADDRESS_REPLY: u8 = 18;
    pub const EXT_ECHO: u8 = 42;
    pub const EXT_ECHO_REPLY: u8 = 43;
}

/// Codes, with the type's name in front where it is not `DEST_UNREACH`.
#[allow(missing_docs, reason = "Linux's own names")]
pub mod code {
    pub const NET_UNREACH: u8 = 0;
    pub const HOST_UNREACH: u8 = 1;
    pub const PROT_UNREACH: u8 = 2;
    pub const PORT_UNREACH: u8 = 3;
    pub const FRAG_NEEDED: u8 = 4;
    pub const SR_FAILED: u8 = 5;
    pub const NET_UNKNOWN: u8 = 6;
    pub const HOST_UNKNOWN: u8 = 7;
    pub const HOST_ISOLATED: u8 = 8;
    pub const NET_ANO: u8 = 9;
    pub const HOST_ANO: u8 = 10;
    pub const NET_UNR_TOS: u8 = 11;
    pub const HOST_UNR_TOS: u8 = 12;
    pub const PKT_FILTERED: u8 = 13;
    pub const PREC_VIOLATION: u8 = 14;
    pub const PREC_CUTOFF: u8 = 15;

    pub const REDIR_NET: u8 = 0;
    pub const REDIR_HOST: u8 = 1;
    pub const REDIR_NETTOS: u8 = 2;
    pub const REDIR_HOSTTOS: u8 = 3;

    pub const EXC_TTL: u8 = 0;
    pub const EXC_FRAGTIME: u8 = 1;
}

/// An ICMP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// The type ([`kind`]).
    pub kind: u8,
    /// The code ([`code`]).
    pub code: u8,
    /// The second word: id and sequence number, a gateway, an MTU, a pointer, or nothing.
    pub rest: [u8; 4],
}

impl Icmp {
    /// Reads the header of a message whose checksum is not looked at, as it stands quoted in another message.
    pub fn parse(message: &[u8]) -> Option<Icmp> {
        let &[kind, code, _, _, a, b, c, d] = message.first_chunk::<HEADER>()?;
        Some(Icmp { kind, code, rest: [a, b, c, d] })
    }

    /// Reads the header of a received message (`icmp_rcv`: checksum first, then the length).
    pub fn checked(message: &[u8]) -> Result<Icmp, DropReason> {
        if !checksum::holds(message) {
            return Err(DropReason::IcmpChecksum);
        }
        Icmp::parse(message).ok_or(DropReason::IcmpTruncated)
    }

    /// An echo request or reply.
    pub const fn echo(kind: u8, id: u16, sequence: u16) -> Icmp {
        let [a, b] = id.to_be_bytes();
        let [c, d] = sequence.to_be_bytes();
        Icmp { kind, code: 0, rest: [a, b, c, d] }
    }

    /// "Fragmentation needed", with the MTU of the next hop.
    pub const fn frag_needed(mtu: u16) -> Icmp {
        let [a, b] = mtu.to_be_bytes();
        Icmp { kind: kind::DEST_UNREACH, code: code::FRAG_NEEDED, rest: [0, 0, a, b] }
    }

    /// The first half of the second word: the id of an echo.
    pub const fn id(&self) -> u16 {
        u16::from_be_bytes([self.rest[0], self.rest[1]])
    }

    /// The second half of the second word: the sequence number of an echo, the MTU of "fragmentation needed".
    pub const fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.rest[2], self.rest[3]])
    }

    /// True for messages that report an error and quote a packet: they must never be answered by another error.
    pub const fn is_error(&self) -> bool {
        is_error(self.kind)
    }

    /// The bytes of the header in front of `payload`, with the checksum of both.
    pub fn emit(&self, payload: &[u8]) -> [u8; HEADER] {
        let [a, b, c, d] = self.rest;
        let bare = [self.kind, self.code, 0, 0, a, b, c, d];
        let [x, y] = checksum::finish(checksum::sum(&bare) + checksum::sum(payload)).to_be_bytes();
        [self.kind, self.code, x, y, a, b, c, d]
    }
}

/// True for the types that report an error (`icmp_is_err` in Linux, and what RFC 1122 calls an error message).
pub const fn is_error(kind: u8) -> bool {
    matches!(
        kind,
        kind::DEST_UNREACH | kind::SOURCE_QUENCH | kind::REDIRECT | kind::TIME_EXCEEDED | kind::PARAMETER_PROB
    )
}

/// Turns an echo request into its reply, in place: another type, the checksum mended, the rest as it came.
pub fn turn_echo(message: &mut [u8]) {
    let (Some(old), Some(sum)) = (take::<2>(message, 0), take(message, 2)) else { return };
    let new = [kind::ECHO_REPLY, 0];
    let sum = checksum::update(u16::from_be_bytes(sum), u16::from_be_bytes(old), u16::from_be_bytes(new));
    put(message, 0, new);
    put(message, 2, sum.to_be_bytes());
}
