//! UDP (RFC 768): eight bytes of header.

use super::{checksum, protocol};
use crate::addr::Ipv4Addr;
use crate::reason::DropReason;

/// Bytes of the header.
pub const HEADER: usize = 8;

/// A UDP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp {
    /// The sender's port.
    pub source: u16,
    /// The receiver's port.
    pub destination: u16,
    /// Bytes of header and payload. The IP payload may be longer.
    pub length: u16,
    /// As it came; 0 is "none".
    pub checksum: u16,
}

impl Udp {
    /// Reads a header as it stands, without looking at the payload: for quoted packets and unfinished checksums.
    pub fn parse(segment: &[u8]) -> Option<Udp> {
        let &[a, b, c, d, e, f, g, h] = segment.first_chunk::<HEADER>()?;
        Some(Udp {
            source: u16::from_be_bytes([a, b]),
            destination: u16::from_be_bytes([c, d]),
            length: u16::from_be_bytes([e, f]),
            checksum: u16::from_be_bytes([g, h]),
        })
    }

    /// Reads the header and sees that its length fits, as `__udp4_lib_rcv` does: `HEADER <= length <= segment.len()`.
    pub fn sized(segment: &[u8]) -> Result<Udp, DropReason> {
        let header = Udp::parse(segment).ok_or(DropReason::UdpTruncated)?;
        let fits = (HEADER..=segment.len()).contains(&usize::from(header.length));
        if fits { Ok(header) } else { Err(DropReason::UdpTruncated) }
    }

    /// The same, and the checksum too, unless the sender left it out.
    pub fn checked(source: Ipv4Addr, destination: Ipv4Addr, segment: &[u8]) -> Result<Udp, DropReason> {
        let header = Udp::sized(segment)?;
        let length = usize::from(header.length);
        let datagram = segment.get(..length).ok_or(DropReason::UdpTruncated)?;
        let pseudo = checksum::pseudo(source, destination, protocol::UDP, length);
        let right = header.checksum == 0 || checksum::fold(pseudo + checksum::sum(datagram)) == 0xffff;
        if right { Ok(header) } else { Err(DropReason::UdpChecksum) }
    }

    /// The bytes of the header in front of `payload`, with length and checksum of both; the fields `length` and
    /// `checksum` do not matter. A payload must be at most 65507 bytes.
    pub fn emit(&self, source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> [u8; HEADER] {
        let length = HEADER + payload.len();
        let [a, b] = self.source.to_be_bytes();
        let [c, d] = self.destination.to_be_bytes();
        let [e, f] = (length as u16).to_be_bytes();
        let pseudo = checksum::pseudo(source, destination, protocol::UDP, length);
        let sum = pseudo + checksum::sum(&[a, b, c, d, e, f, 0, 0]) + checksum::sum(payload);
        // 0 would mean that there is none; 0xffff is the other way to write the same number.
        let value = match checksum::finish(sum) {
            0 => 0xffff,
            value => value,
        };
        let [g, h] = value.to_be_bytes();
        [a, b, c, d, e, f, g, h]
    }
}
