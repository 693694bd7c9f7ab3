//! Unfinished checksums, found without a word from the sender.
//!
//! A kernel that leaves the checksum of a TCP segment or UDP datagram to its device writes the sum of the pseudo header into
//! the field. A finished checksum equals that by a chance of 1 in 65,536, and to finish it once more changes nothing then:
//! the sum over all, with the pseudo header's in the field, is the checksum.

use crate::wire::{checksum, protocol};

/// Bytes of the two MACs.
const MACS: usize = 12;

/// Where the sum of this frame starts and how far behind that its field lies, if it is not finished.
#[inline]
pub(super) fn unfinished(frame: &[u8]) -> Option<(u16, u16)> {
    let mut at = MACS;
    let mut kind = word(frame, at)?;
    while matches!(kind, 0x8100 | 0x88a8) {
        at += 4;
        kind = word(frame, at)?;
    }
    let ip = at + 2;
    if kind != 0x0800 {
        return None;
    }
    let header = frame.get(ip..)?.first_chunk::<20>()?;
    let [version, _, l0, l1, _, _, f0, f1, _, protocol, _, _, addresses @ ..] = *header;
    let field = match protocol {
        protocol::TCP => 16,
        protocol::UDP => 6,
        _ => return None,
    };
    // Of a fragment, the sum is always finished.
    if version >> 4 != 4 || u16::from_be_bytes([f0, f1]) & 0x3fff != 0 {
        return None;
    }
    let length = usize::from(version & 15) * 4;
    let segment = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(length)?;
    let start = ip + length;
    let pseudo = checksum::fold(checksum::sum(&addresses) + u32::from(protocol) + segment as u32);
    (word(frame, start + field)? == pseudo).then_some((start as u16, field as u16))
}

fn word(frame: &[u8], at: usize) -> Option<u16> {
    frame.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FramePool, Offload};
    use crate::ip::offload::finish_checksum;

    fn whole(transport: u8, payload: &[u8]) -> Vec<u8> {
        let builder = etherparse::PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 9, 8, 7], 64);
        let mut frame = Vec::new();
        match transport {
            protocol::TCP => builder.tcp(1, 2, 3, 4).write(&mut frame, payload).unwrap(),
            _ => builder.udp(1, 2).write(&mut frame, payload).unwrap(),
        }
        frame
    }

    /// As a kernel with `tx on` would have sent it.
    fn undo(frame: &[u8], transport: u8) -> Vec<u8> {
        let mut frame = frame.to_vec();
        let (from, to) = ([10, 0, 0, 1].into(), [10, 9, 8, 7].into());
        let pseudo = checksum::fold(checksum::pseudo(from, to, transport, frame.len() - 34));
        let field = 34 + if transport == protocol::TCP { 16 } else { 6 };
        frame[field..field + 2].copy_from_slice(&pseudo.to_be_bytes());
        frame
    }

    #[test]
    fn an_unfinished_checksum_is_found_and_finished() {
        let mut pool = FramePool::new();
        for transport in [protocol::TCP, protocol::UDP] {
            for payload in [&b""[..], b"odd", b"even", &[7; 1400]] {
                let finished = whole(transport, payload);
                assert_eq!(unfinished(&finished), None);
                let field = if transport == protocol::TCP { 16 } else { 6 };
                let left = undo(&finished, transport);
                assert_eq!(unfinished(&left), Some((34, field)));
                let mut frame = pool.copy(&left);
                *frame.offload_mut() = Offload { partial_checksum: unfinished(&left), ..Offload::default() };
                finish_checksum(&mut frame, 0);
                assert_eq!(frame[..], finished[..]);
                pool.give(frame);
                let tagged = [&left[..12], &[0x81, 0, 0, 5], &left[12..]].concat();
                assert_eq!(unfinished(&tagged), Some((38, field)));
            }
        }
    }

    #[test]
    fn to_finish_what_looks_unfinished_by_chance_changes_nothing() {
        let mut pool = FramePool::new();
        let found = (0..200_000u32).find_map(|number| {
            let finished = whole(protocol::UDP, &number.to_be_bytes());
            unfinished(&finished).map(|place| (finished, place))
        });
        let (finished, place) = found.expect("one in 65,536 looks so");
        let mut frame = pool.copy(&finished);
        frame.offload_mut().partial_checksum = Some(place);
        finish_checksum(&mut frame, 0);
        assert_eq!(frame[..], finished[..]);
        pool.give(frame);
    }

    #[test]
    fn cut_frames_fragments_and_other_protocols_have_none() {
        let left = undo(&whole(protocol::UDP, b"payload"), protocol::UDP);
        for length in 0..42 {
            assert_eq!(unfinished(&left[..length]), None, "{length} bytes");
        }
        for (at, value) in [(12, 0x86), (14, 0x65), (20, 0x20), (21, 1), (23, 1), (16, 1), (17, 19)] {
            let mut other = left.clone();
            other[at] = value;
            assert_eq!(unfinished(&other), None, "{value} at {at}");
        }
    }
}
