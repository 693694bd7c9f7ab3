//! TCP's header (RFC 793): enough to see a SYN, an ACK or a RST, to refuse a segment, and to send a SYN.

use super::{checksum, protocol, put};
use crate::addr::Ipv4Addr;
use crate::reason::DropReason;

/// Bytes of a header without options.
pub const HEADER: usize = 20;
/// Most bytes that options can take.
pub const MAX_OPTIONS: usize = 40;

/// Flags, in the header's 14th byte.
#[allow(missing_docs, reason = "RFC 793's and RFC 3168's own names")]
pub mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
    pub const URG: u8 = 0x20;
    pub const ECE: u8 = 0x40;
    pub const CWR: u8 = 0x80;
}

/// A TCP header, without its options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// The sender's port.
    pub source: u16,
    /// The receiver's port.
    pub destination: u16,
    /// The number of the first byte of payload (or of SYN).
    pub sequence: u32,
    /// The number of the next byte expected, with [`flag::ACK`].
    pub acknowledgment: u32,
    /// Bytes of the header with its options: 20 to 60, a multiple of 4.
    pub data_offset: usize,
    /// [`flag`]s.
    pub flags: u8,
    /// The receive window, unscaled.
    pub window: u16,
    /// As it came.
    pub checksum: u16,
    /// The urgent pointer.
    pub urgent: u16,
}

impl Tcp {
    /// Reads a header as it stands; `None` if it is cut short. The options need not be there, nor is the checksum looked at.
    pub fn parse(segment: &[u8]) -> Option<Tcp> {
        let &[a, b, c, d, e, f, g, h, i, j, k, l, m, flags, n, o, p, q, r, s] = segment.first_chunk::<HEADER>()?;
        Some(Tcp {
            source: u16::from_be_bytes([a, b]),
            destination: u16::from_be_bytes([c, d]),
            sequence: u32::from_be_bytes([e, f, g, h]),
            acknowledgment: u32::from_be_bytes([i, j, k, l]),
            data_offset: usize::from(m >> 4) * 4,
            flags,
            window: u16::from_be_bytes([n, o]),
            checksum: u16::from_be_bytes([p, q]),
            urgent: u16::from_be_bytes([r, s]),
        })
    }

    /// Reads the header and sees that its length fits (`tcp_v4_rcv`): `HEADER <= data_offset <= segment.len()`.
    pub fn sized(segment: &[u8]) -> Result<Tcp, DropReason> {
        let header = Tcp::parse(segment).ok_or(DropReason::TcpMalformed)?;
        let fits = (HEADER..=segment.len()).contains(&header.data_offset);
        if fits { Ok(header) } else { Err(DropReason::TcpMalformed) }
    }

    /// The same, and the checksum too.
    pub fn checked(source: Ipv4Addr, destination: Ipv4Addr, segment: &[u8]) -> Result<Tcp, DropReason> {
        let header = Tcp::sized(segment)?;
        let pseudo = checksum::pseudo(source, destination, protocol::TCP, segment.len());
        let right = checksum::fold(pseudo + checksum::sum(segment)) == 0xffff;
        if right { Ok(header) } else { Err(DropReason::TcpChecksum) }
    }

    /// True if all of these flags are set.
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// The RST that refuses this segment of `length` bytes, header included, or `None` for a RST, which nobody answers
    /// (RFC 793, "If the state is CLOSED"; Linux's `tcp_v4_send_reset`). The window is 0.
    pub fn refuse(&self, length: usize) -> Option<Tcp> {
        if self.has(flag::RST) {
            return None;
        }
        let mut reset = Tcp {
            source: self.destination,
            destination: self.source,
            data_offset: HEADER,
            flags: flag::RST,
            ..Tcp::default()
        };
        if self.has(flag::ACK) {
            reset.sequence = self.acknowledgment;
        } else {
            let payload = length.saturating_sub(self.data_offset) as u32;
            let marks = u32::from(self.has(flag::SYN)) + u32::from(self.has(flag::FIN));
            reset.flags |= flag::ACK;
            reset.acknowledgment = self.sequence.wrapping_add(marks).wrapping_add(payload);
        }
        Some(reset)
    }

    /// The bytes of a header without options in front of `payload`, with the checksum of both; the fields `data_offset`
    /// and `checksum` do not matter.
    pub fn emit(&self, source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> [u8; HEADER] {
        let mut header = self.bytes(HEADER);
        finish(&mut header, source, destination, payload);
        header
    }

    /// Writes the header and `options`, padded with 0 to a multiple of four, over the first bytes of `room`, with the
    /// checksum of both and of `payload`. Returns the header's length, or `None`, and nothing is written, if the options
    /// are more than 40 bytes or there is too little room.
    pub fn write(
        &self,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        options: &[u8],
        payload: &[u8],
        room: &mut [u8],
    ) -> Option<usize> {
        let length = HEADER + options.len().next_multiple_of(4);
        if options.len() > MAX_OPTIONS {
            return None;
        }
        let header = room.get_mut(..length)?;
        let (fixed, rest) = header.split_first_chunk_mut::<HEADER>()?;
        *fixed = self.bytes(length);
        rest.fill(0);
        for (place, byte) in rest.iter_mut().zip(options) {
            *place = *byte;
        }
        finish(header, source, destination, payload);
        Some(length)
    }

    fn bytes(&self, length: usize) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        put(&mut header, 0, self.source.to_be_bytes());
        put(&mut header, 2, self.destination.to_be_bytes());
        put(&mut header, 4, self.sequence.to_be_bytes());
        put(&mut header, 8, self.acknowledgment.to_be_bytes());
        put(&mut header, 12, [((length / 4) << 4) as u8, self.flags]);
        put(&mut header, 14, self.window.to_be_bytes());
        put(&mut header, 18, self.urgent.to_be_bytes());
        header
    }
}

fn finish(header: &mut [u8], source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) {
    let pseudo = checksum::pseudo(source, destination, protocol::TCP, header.len() + payload.len());
    let value = checksum::finish(pseudo + checksum::sum(header) + checksum::sum(payload));
    put(header, 16, value.to_be_bytes());
}
