//! The IPv4 header (RFC 791).

pub mod options;

use super::{checksum, put, take};
use crate::addr::Ipv4Addr;
use crate::reason::DropReason;

/// Bytes of a header without options.
pub const HEADER: usize = 20;
/// Most bytes that options can take.
pub const MAX_OPTIONS: usize = 40;
/// Bit of `flags_fragment`: do not fragment.
pub const DF: u16 = 0x4000;
/// Bit of `flags_fragment`: more fragments follow.
pub const MF: u16 = 0x2000;
/// Bits of `flags_fragment` that hold the offset, in units of eight bytes.
pub const OFFSET: u16 = 0x1fff;

/// An IPv4 header, without its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4 {
    /// DSCP and ECN.
    pub tos: u8,
    /// Bytes of header and payload. The frame may be longer: padding.
    pub total_length: u16,
    /// What fragments of one datagram have in common.
    pub id: u16,
    /// [`DF`], [`MF`] and the fragment's offset.
    pub flags_fragment: u16,
    /// How many hops it may still go.
    pub ttl: u8,
    /// What the payload is.
    pub protocol: u8,
    /// From whom.
    pub source: Ipv4Addr,
    /// To whom.
    pub destination: Ipv4Addr,
    /// Bytes of the header with its options: 20 to 60, a multiple of 4.
    pub header_length: usize,
}

impl Ipv4 {
    /// A header without options, of which nothing is said.
    pub const UNSAID: Ipv4 = Ipv4 {
        tos: 0,
        total_length: 0,
        id: 0,
        flags_fragment: 0,
        ttl: 0,
        protocol: 0,
        source: Ipv4Addr::UNSPECIFIED,
        destination: Ipv4Addr::UNSPECIFIED,
        header_length: HEADER,
    };

    /// Reads and checks a received header, in the order of Linux's `ip_rcv_core`. What is returned without error fits
    /// into `packet`: `header_length <= total_length <= packet.len()`.
    #[inline(always)]
    pub fn checked(packet: &[u8]) -> Result<Ipv4, DropReason> {
        let fixed = packet.first_chunk::<HEADER>().ok_or(DropReason::IpHeaderTruncated)?;
        if fixed[0] >> 4 != 4 {
            return Err(DropReason::IpVersion);
        }
        let header = Ipv4::read(fixed);
        if header.header_length < HEADER {
            return Err(DropReason::IpHeaderLength);
        }
        let holds = match header.header_length {
            HEADER => checksum::holds_fixed(fixed),
            length => checksum::holds(packet.get(..length).ok_or(DropReason::IpHeaderLength)?),
        };
        if !holds {
            return Err(DropReason::IpChecksum);
        }
        let total = usize::from(header.total_length);
        if packet.len() < total || total < header.header_length {
            return Err(DropReason::IpTotalLength);
        }
        Ok(header)
    }

    /// Reads a header that need not be whole or right, as it stands quoted in an ICMP error: `None` if it is cut short,
    /// of another version, or has an impossible length. The payload may be cut.
    pub fn parse(packet: &[u8]) -> Option<Ipv4> {
        let fixed = packet.first_chunk::<HEADER>()?;
        let header = Ipv4::read(fixed);
        let fits = (HEADER..=packet.len()).contains(&header.header_length);
        (fixed[0] >> 4 == 4 && fits).then_some(header)
    }

    #[inline(always)]
    fn read(fixed: &[u8; HEADER]) -> Ipv4 {
        let &[first, tos, a, b, c, d, e, f, ttl, protocol, _, _, g, h, i, j, k, l, m, n] = fixed;
        Ipv4 {
            tos,
            total_length: u16::from_be_bytes([a, b]),
            id: u16::from_be_bytes([c, d]),
            flags_fragment: u16::from_be_bytes([e, f]),
            ttl,
            protocol,
            source: Ipv4Addr::new(g, h, i, j),
            destination: Ipv4Addr::new(k, l, m, n),
            header_length: usize::from(first & 0xf) * 4,
        }
    }

    /// The DF bit: no router may fragment it.
    pub const fn dont_fragment(&self) -> bool {
        self.flags_fragment & DF != 0
    }

    /// The MF bit: it is a fragment, and not the last.
    pub const fn more_fragments(&self) -> bool {
        self.flags_fragment & MF != 0
    }

    /// Where in the datagram's payload this fragment's payload begins, in bytes.
    pub const fn fragment_offset(&self) -> usize {
        (self.flags_fragment & OFFSET) as usize * 8
    }

    /// True for every fragment, false for a whole datagram.
    pub const fn is_fragment(&self) -> bool {
        self.flags_fragment & (MF | OFFSET) != 0
    }

    /// Bytes behind the header.
    pub const fn payload_length(&self) -> usize {
        (self.total_length as usize).saturating_sub(self.header_length)
    }

    /// The bytes of a header without options, checksum included; `header_length` does not matter.
    #[inline]
    pub fn emit(&self) -> [u8; HEADER] {
        let mut header = self.bytes(HEADER);
        write_checksum(&mut header);
        header
    }

    /// Writes the header and `options` over the first bytes of `packet`, checksum included; `header_length` does not
    /// matter. Options are padded to a multiple of four with "end of list". Returns the header's length, or `None`, and
    /// nothing is written, if the options are more than 40 bytes or the packet is too short.
    pub fn write(&self, options: &[u8], packet: &mut [u8]) -> Option<usize> {
        let length = HEADER + options.len().next_multiple_of(4);
        if options.len() > MAX_OPTIONS {
            return None;
        }
        let header = packet.get_mut(..length)?;
        let (fixed, room) = header.split_first_chunk_mut::<HEADER>()?;
        *fixed = self.bytes(length);
        room.fill(0);
        for (place, byte) in room.iter_mut().zip(options) {
            *place = *byte;
        }
        write_checksum(header);
        Some(length)
    }

    fn bytes(&self, header_length: usize) -> [u8; HEADER] {
        let [a, b] = self.total_length.to_be_bytes();
        let [c, d] = self.id.to_be_bytes();
        let [e, f] = self.flags_fragment.to_be_bytes();
        let [g, h, i, j] = self.source.octets();
        let [k, l, m, n] = self.destination.octets();
        let first = 0x40 | (header_length / 4) as u8 & 0xf;
        [first, self.tos, a, b, c, d, e, f, self.ttl, self.protocol, 0, 0, g, h, i, j, k, l, m, n]
    }
}

/// The bytes of the header a packet begins with, options included; empty if there are too few.
pub fn header(packet: &[u8]) -> &[u8] {
    let length = usize::from(packet.first().copied().unwrap_or(0) & 0xf) * 4;
    packet.get(..length).unwrap_or(&[])
}

/// The same, to be written to.
pub fn header_mut(packet: &mut [u8]) -> &mut [u8] {
    let length = usize::from(packet.first().copied().unwrap_or(0) & 0xf) * 4;
    packet.get_mut(..length).unwrap_or(&mut [])
}

/// Computes the checksum of the header that a packet begins with, and writes it there (Linux's `ip_send_check`).
pub fn write_checksum(packet: &mut [u8]) {
    let header = header_mut(packet);
    put(header, 10, [0; 2]);
    let value = checksum::of(header);
    put(header, 10, value.to_be_bytes());
}

/// Takes one from the TTL of the header that a packet begins with, and mends the checksum (`ip_decrease_ttl`). A TTL of
/// 0 stays.
#[inline]
pub fn decrement_ttl(packet: &mut [u8]) {
    let Some(header) = packet.first_chunk_mut::<HEADER>().filter(|header| header[8] > 0) else { return };
    header[8] -= 1;
    // What is taken from the word of TTL and protocol comes to the checksum (RFC 1624, equation 3), and a carry comes round.
    let sum = u32::from(u16::from_ne_bytes([header[10], header[11]])) + u32::from(0x100_u16.to_be());
    let sum = sum + u32::from(sum >= 0xffff);
    [header[10], header[11]] = (sum as u16).to_ne_bytes();
}

/// Writes the identification, and mends the checksum.
pub fn set_id(packet: &mut [u8], id: u16) {
    replace_word(packet, 4, id.to_be_bytes());
}

/// Writes the total length, and mends the checksum.
pub fn set_total_length(packet: &mut [u8], length: u16) {
    replace_word(packet, 2, length.to_be_bytes());
}

/// Writes flags and fragment offset, and mends the checksum.
pub fn set_flags_fragment(packet: &mut [u8], flags_fragment: u16) {
    replace_word(packet, 6, flags_fragment.to_be_bytes());
}

/// Writes the TOS, and mends the checksum.
pub fn set_tos(packet: &mut [u8], tos: u8) {
    if let Some([first, _]) = take(packet, 0) {
        replace_word(packet, 0, [first, tos]);
    }
}

/// Writes the TTL, and mends the checksum.
pub fn set_ttl(packet: &mut [u8], ttl: u8) {
    if let Some([_, protocol]) = take(packet, 8) {
        replace_word(packet, 8, [ttl, protocol]);
    }
}

/// Replaces a 16-bit word of the fixed header by another, and mends the checksum.
#[inline]
fn replace_word(packet: &mut [u8], at: usize, new: [u8; 2]) {
    let Some(header) = packet.first_chunk_mut::<HEADER>() else { return };
    let (Some(old), Some(sum)) = (take(header, at), take(header, 10)) else { return };
    let sum = checksum::update(u16::from_be_bytes(sum), u16::from_be_bytes(old), u16::from_be_bytes(new));
    put(header, at, new);
    put(header, 10, sum.to_be_bytes());
}
