//! Work that a sender left to its device, done where no device will: the checksum of a packet that ends or is cut here,
//! and the cutting of a super-frame whose segments are too long for the way out.
//!
//! Mostly neither is done: a packet that is only passed on keeps its [`Offload`] from device to device.

use crate::frame::{FrameBuf, FramePool, Offload};
use crate::wire::{Ipv4, Tcp, checksum, ipv4, protocol, tcp, udp};

/// `VIRTIO_NET_HDR_GSO_TCPV4`
const TCP4: u8 = 1;
/// `VIRTIO_NET_HDR_GSO_UDP_L4`
const UDP: u8 = 5;
/// `VIRTIO_NET_HDR_GSO_ECN`: beside the kind, CWR is set in the first segment only.
const ECN: u8 = 0x80;

/// Finishes the checksum, if it is not (`skb_checksum_help`). `pulled`: bytes of link header that the frame no longer begins
/// with. Of a super-frame, whose segments have checksums of their own, nothing is finished.
pub fn finish_checksum(frame: &mut FrameBuf, pulled: usize) {
    if frame.offload().segment_size.is_some() {
        return;
    }
    let Some((start, field)) = frame.offload_mut().partial_checksum.take() else { return };
    let Some(start) = usize::from(start).checked_sub(pulled) else { return };
    let Some(covered) = frame.get_mut(start..) else { return };
    // The field holds the sum of the pseudo header, so the sum over all is the whole sum. 0 would mean none in UDP.
    let value = match checksum::finish(checksum::sum(covered)) {
        0 => 0xffff,
        value => value,
    };
    if let Some(place) = covered.get_mut(field.into()..).and_then(|rest| rest.first_chunk_mut::<2>()) {
        *place = value.to_be_bytes();
    }
}

/// Bytes of the longest IPv4 packet that `packet` becomes on the wire (`skb_gso_network_seglen`): what an MTU is compared
/// with. Its own length, unless it is a super-frame.
pub fn wire_length(packet: &[u8], offload: &Offload) -> usize {
    Shape::of(packet, offload).map_or(packet.len(), |shape| (shape.headers + shape.size).min(packet.len()))
}

/// What a super-frame is made of.
#[derive(Clone, Copy, Debug)]
struct Shape {
    ip: Ipv4,
    /// Bytes of the IP and the transport header.
    headers: usize,
    /// Payload bytes of a segment.
    size: usize,
}

impl Shape {
    fn of(packet: &[u8], offload: &Offload) -> Option<Shape> {
        let size = offload.segment_size.filter(|size| *size > 0)?;
        let ip = Ipv4::parse(packet)?;
        let transport = packet.get(ip.header_length..)?;
        let length = match (offload.segment_kind & !ECN, ip.protocol) {
            (TCP4, protocol::TCP) => Tcp::sized(transport).ok()?.data_offset,
            (UDP, protocol::UDP) => udp::HEADER,
            _ => return None,
        };
        let headers = ip.header_length + length;
        (headers <= packet.len()).then_some(Shape { ip, headers, size: size.into() })
    }
}

/// The segments of one super-frame, in order (`tcp_gso_segment`, `__udp_gso_segment`).
#[derive(Debug)]
pub struct Segments<'a> {
    packet: &'a [u8],
    shape: Shape,
    /// Where in `packet` the next one's payload begins.
    at: usize,
    made: u16,
}

impl<'a> Segments<'a> {
    /// Begins to cut `packet`, which begins with the IPv4 header. `None` if it is no super-frame of TCP or UDP over IPv4.
    pub fn new(packet: &'a [u8], offload: &Offload) -> Option<Segments<'a>> {
        let shape = Shape::of(packet, offload)?;
        Some(Segments { packet, shape, at: shape.headers, made: 0 })
    }

    /// How many segments are still to come.
    pub fn left(&self) -> usize {
        (self.packet.len() - self.at).div_ceil(self.shape.size)
    }

    /// The next segment, in a frame of its own that begins with the IP header; its checksums are finished.
    pub fn next(&mut self, pool: &mut FramePool) -> Option<FrameBuf> {
        let Shape { ip, headers, size } = self.shape;
        let end = (self.at + size).min(self.packet.len());
        let payload = self.packet.get(self.at..end).filter(|payload| !payload.is_empty())?;
        let mut frame = pool.copy(self.packet.get(..headers).unwrap_or_default());
        frame.extend(payload);
        ipv4::set_total_length(&mut frame, (headers + payload.len()) as u16);
        ipv4::set_id(&mut frame, ip.id.wrapping_add(self.made));
        let (first, last) = (self.made == 0, end == self.packet.len());
        let sequence = (self.at - headers) as u32;
        if let Some(transport) = frame.get_mut(ip.header_length..) {
            match ip.protocol {
                protocol::TCP => amend_tcp(transport, &ip, sequence, first, last),
                _ => amend_udp(transport, &ip),
            }
        }
        self.at = end;
        self.made = self.made.wrapping_add(1);
        Some(frame)
    }
}

/// `sequence` bytes further on; FIN and PSH are the last segment's, CWR is the first one's.
fn amend_tcp(segment: &mut [u8], ip: &Ipv4, sequence: u32, first: bool, last: bool) {
    const SEQUENCE: usize = 4;
    const FLAGS: usize = 13;
    const CHECKSUM: usize = 16;
    let pseudo = checksum::pseudo(ip.source, ip.destination, protocol::TCP, segment.len());
    let Some(header) = segment.first_chunk_mut::<{ tcp::HEADER }>() else { return };
    let number = [header[SEQUENCE], header[SEQUENCE + 1], header[SEQUENCE + 2], header[SEQUENCE + 3]];
    let number = u32::from_be_bytes(number).wrapping_add(sequence);
    header[SEQUENCE..SEQUENCE + 4].copy_from_slice(&number.to_be_bytes());
    let ours = |flag, keep: bool| if keep { flag } else { 0 };
    let lasting = !(tcp::flag::FIN | tcp::flag::PSH | tcp::flag::CWR);
    header[FLAGS] &= lasting | ours(tcp::flag::FIN | tcp::flag::PSH, last) | ours(tcp::flag::CWR, first);
    seal(segment, CHECKSUM, pseudo);
}

fn amend_udp(segment: &mut [u8], ip: &Ipv4) {
    const LENGTH: usize = 4;
    const CHECKSUM: usize = 6;
    let length = segment.len();
    let pseudo = checksum::pseudo(ip.source, ip.destination, protocol::UDP, length);
    if let Some(place) = segment.get_mut(LENGTH..LENGTH + 2) {
        place.copy_from_slice(&(length as u16).to_be_bytes());
    }
    seal(segment, CHECKSUM, pseudo);
}

/// Writes the checksum of a segment.
fn seal(segment: &mut [u8], at: usize, pseudo: u32) {
    let Some(place) = segment.get_mut(at..at + 2) else { return };
    place.fill(0);
    let value = match checksum::finish(pseudo + checksum::sum(segment)) {
        0 => 0xffff,
        value => value,
    };
    if let Some(place) = segment.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Ipv4Addr;
    use crate::wire::Udp;

    const FROM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const TO: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

    fn packet(protocol: u8, transport: &[u8]) -> Vec<u8> {
        let ip = Ipv4 {
            tos: 2,
            total_length: (ipv4::HEADER + transport.len()) as u16,
            id: 0xffff,
            flags_fragment: 0,
            ttl: 9,
            protocol,
            source: FROM,
            destination: TO,
            header_length: ipv4::HEADER,
        };
        [&ip.emit(), transport].concat()
    }

    fn tcp_super_frame(payload: usize) -> (Vec<u8>, Offload) {
        let payload: Vec<u8> = (0..payload).map(|n| n as u8).collect();
        let flags = tcp::flag::ACK | tcp::flag::PSH | tcp::flag::FIN | tcp::flag::CWR;
        let header = Tcp { sequence: u32::MAX - 10, flags, data_offset: 20, ..Tcp::default() };
        let transport = [&header.emit(FROM, TO, &payload)[..], &payload].concat();
        let offload = Offload { segment_size: Some(1000), segment_kind: TCP4 | ECN, ..Offload::default() };
        (packet(protocol::TCP, &transport), offload)
    }

    #[test]
    fn a_partial_checksum_is_finished_as_the_kernel_would() {
        let mut pool = FramePool::new();
        for payload in [&b"odd"[..], b"even", b""] {
            let header = Udp { source: 5, destination: 6, length: 0, checksum: 0 }.emit(FROM, TO, payload);
            let whole = [&[0; 14][..], &packet(protocol::UDP, &[&header[..], payload].concat())].concat();
            let mut frame = pool.copy(&whole);
            let pseudo = checksum::fold(checksum::pseudo(FROM, TO, protocol::UDP, 8 + payload.len()));
            frame[40..42].copy_from_slice(&pseudo.to_be_bytes());
            frame.offload_mut().partial_checksum = Some((34, 6));
            frame.pull(14);
            finish_checksum(&mut frame, 14);
            assert_eq!((&frame[..], *frame.offload()), (&whole[14..], Offload::default()));
            pool.give(frame);
        }
    }

    #[test]
    fn a_checksum_that_lies_outside_changes_nothing() {
        let mut pool = FramePool::new();
        for place in [(3, 0), (500, 6), (u16::MAX, u16::MAX), (14, 5000), (20, 1)] {
            let mut frame = pool.copy(&[7; 8]);
            frame.offload_mut().partial_checksum = Some(place);
            finish_checksum(&mut frame, 14);
            assert_eq!((&frame[..], frame.offload().partial_checksum), (&[7; 8][..], None));
            pool.give(frame);
        }
    }

    #[test]
    fn a_super_frame_of_tcp_is_cut_in_segments_that_each_hold() {
        let (packet, offload) = tcp_super_frame(2500);
        assert_eq!(wire_length(&packet, &offload), 1040);
        let mut pool = FramePool::new();
        let mut segments = Segments::new(&packet, &offload).unwrap();
        assert_eq!(segments.left(), 3);
        let mut payload: Vec<u8> = Vec::new();
        for (at, (length, id, flags)) in
            [(1000, 0xffff, tcp::flag::CWR), (1000, 0, 0), (500, 1, tcp::flag::PSH | tcp::flag::FIN)]
                .into_iter()
                .enumerate()
        {
            let frame = segments.next(&mut pool).unwrap();
            let ip = Ipv4::checked(&frame).unwrap();
            assert_eq!((ip.id, ip.payload_length(), ip.ttl), (id, 20 + length, 9));
            let header = Tcp::checked(FROM, TO, &frame[20..]).unwrap();
            assert_eq!(header.sequence, (u32::MAX - 10).wrapping_add(at as u32 * 1000));
            assert_eq!(header.flags, flags | tcp::flag::ACK);
            payload.extend_from_slice(&frame[40..]);
            pool.give(frame);
        }
        assert_eq!(payload, packet[40..]);
        assert!(segments.next(&mut pool).is_none());
        assert_eq!(segments.left(), 0);
    }

    #[test]
    fn a_super_frame_of_udp_is_cut_in_datagrams() {
        let payload = [9; 1001];
        let header = Udp { source: 5, destination: 6, length: 0, checksum: 0 }.emit(FROM, TO, &payload);
        let packet = packet(protocol::UDP, &[&header[..], &payload].concat());
        let offload = Offload { segment_size: Some(500), segment_kind: UDP, ..Offload::default() };
        let mut pool = FramePool::new();
        let mut segments = Segments::new(&packet, &offload).unwrap();
        for length in [508, 508, 9] {
            let frame = segments.next(&mut pool).unwrap();
            assert_eq!(Ipv4::checked(&frame).unwrap().payload_length(), length);
            assert_eq!(Udp::checked(FROM, TO, &frame[20..]).map(|udp| usize::from(udp.length)), Ok(length));
            pool.give(frame);
        }
        assert!(segments.next(&mut pool).is_none());
    }

    #[test]
    fn what_is_no_super_frame_is_not_cut() {
        let (packet, offload) = tcp_super_frame(2500);
        let plain = Offload::default();
        assert_eq!(wire_length(&packet, &plain), packet.len());
        assert!(Segments::new(&packet, &plain).is_none());
        for wrong in [
            Offload { segment_size: Some(0), ..offload },
            Offload { segment_kind: UDP, ..offload },
            Offload { segment_kind: 3, ..offload },
        ] {
            assert!(Segments::new(&packet, &wrong).is_none(), "{wrong:?}");
        }
        for length in 0..40 {
            assert!(Segments::new(&packet[..length], &offload).is_none(), "{length} bytes");
        }
        // One that carries less than a segment is as long as it is.
        let (short, offload) = tcp_super_frame(10);
        assert_eq!(wire_length(&short, &offload), 50);
    }
}
