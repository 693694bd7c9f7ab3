//! `struct virtio_net_hdr`: what stands before each frame on a packet socket with `PACKET_VNET_HDR`, and says what is not
//! finished about it.

use crate::frame::{FrameBuf, Offload};

/// Its bytes.
pub(super) const HEADER: usize = 10;
/// `VIRTIO_NET_HDR_F_NEEDS_CSUM`
const NEEDS_CSUM: u8 = 1;
/// `VIRTIO_NET_HDR_GSO_NONE`
const GSO_NONE: u8 = 0;
/// Destination and source MAC, before which nothing is inserted.
const MACS: usize = 12;
/// An 802.1Q tag.
const TAG: usize = 4;

/// Reads it.
pub(super) fn decode(header: &[u8; HEADER]) -> Offload {
    let [flags, kind, rest @ ..] = *header;
    let [l0, l1, s0, s1, c0, c1, o0, o1] = rest;
    let word = |low, high| u16::from_ne_bytes([low, high]);
    Offload {
        partial_checksum: (flags & NEEDS_CSUM != 0).then(|| (word(c0, c1), word(o0, o1))),
        segment_size: (kind != GSO_NONE).then(|| word(s0, s1)),
        segment_kind: kind,
        header_length: word(l0, l1),
    }
}

/// Writes it.
pub(super) fn encode(offload: &Offload) -> [u8; HEADER] {
    let (flags, (start, field)) = match offload.partial_checksum {
        Some(place) => (NEEDS_CSUM, place),
        None => (0, (0, 0)),
    };
    let (kind, size) = match offload.segment_size {
        Some(size) => (offload.segment_kind, size),
        None => (GSO_NONE, 0),
    };
    let [l0, l1] = offload.header_length.to_ne_bytes();
    let [s0, s1] = size.to_ne_bytes();
    let [c0, c1] = start.to_ne_bytes();
    let [o0, o1] = field.to_ne_bytes();
    [flags, kind, l0, l1, s0, s1, c0, c1, o0, o1]
}

/// Puts a VLAN tag, which the kernel tells beside the frame, back where it was on the wire.
pub(super) fn retag(frame: &mut FrameBuf, tpid: u16, tci: u16) {
    if frame.len() < MACS {
        return;
    }
    frame.push(TAG);
    frame.copy_within(TAG..TAG + MACS, 0);
    frame[MACS..MACS + 2].copy_from_slice(&tpid.to_be_bytes());
    frame[MACS + 2..MACS + TAG].copy_from_slice(&tci.to_be_bytes());
    let offload = frame.offload_mut();
    if let Some((start, _)) = &mut offload.partial_checksum {
        *start = start.saturating_add(TAG as u16);
    }
    if offload.header_length != 0 {
        offload.header_length = offload.header_length.saturating_add(TAG as u16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FramePool;

    #[test]
    fn a_super_frame_of_tcp_as_veth_delivers_it() {
        let offload =
            Offload { partial_checksum: Some((34, 16)), segment_size: Some(1448), segment_kind: 1, header_length: 66 };
        let mut header = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        for (at, value) in [(2, 66u16), (4, 1448), (6, 34), (8, 16)] {
            header[at..at + 2].copy_from_slice(&value.to_ne_bytes());
        }
        assert_eq!(decode(&header), offload);
        assert_eq!(encode(&offload), header);
    }

    #[test]
    fn a_plain_frame_is_all_zero() {
        assert_eq!(encode(&Offload::default()), [0; HEADER]);
        assert_eq!(decode(&[0; HEADER]), Offload::default());
        // VIRTIO_NET_HDR_F_DATA_VALID says that the sum was looked at: nothing is left to do.
        assert_eq!(decode(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Offload::default());
    }

    #[test]
    fn a_tag_goes_back_between_the_macs_and_the_type() {
        let mut pool = FramePool::new();
        let mut frame = pool.copy(b"ddddddssssss\x08\x00payload");
        *frame.offload_mut() = Offload { partial_checksum: Some((34, 6)), header_length: 42, ..Offload::default() };
        retag(&mut frame, 0x8100, 0x6064);
        assert_eq!(&frame[..], b"ddddddssssss\x81\x00\x60\x64\x08\x00payload");
        assert_eq!((frame.offload().partial_checksum, frame.offload().header_length), (Some((38, 6)), 46));
        pool.give(frame);
    }
}
