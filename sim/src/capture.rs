//! Captures: frames as pcapng (draft-ietf-opsawg-pcapng), which Wireshark and `tcpdump -r` read. One interface block per
//! interface, written before its first frame; times are those of the world, which begins on 2024-01-01, in nanoseconds.

use std::collections::BTreeMap;
use vethlab_engine::time::Time;

/// 2024-01-01 00:00:00 UTC in seconds since 1970.
const EPOCH: u64 = 1_704_067_200;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

/// Options of blocks: number and value.
type Options<'a> = &'a [(u16, &'a [u8])];

/// Which way a frame passed an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It came in.
    In,
    /// It went out.
    Out,
}

/// A capture that is being written.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    bytes: Vec<u8>,
    interfaces: BTreeMap<String, u32>,
}

impl Capture {
    /// An empty one: a section header.
    pub fn new() -> Capture {
        let mut capture = Capture::default();
        let mut body = Vec::new();
        for half in [0x3c4du16, 0x1a2b, 1, 0] {
            body.extend(half.to_le_bytes());
        }
        // The section's length is not known.
        body.extend(u64::MAX.to_le_bytes());
        capture.block(SECTION, &body, &[(4, b"vethlab")]);
        capture
    }

    /// The interface's number; one that is new gets a block.
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.interfaces.get(name) {
            return *number;
        }
        let number = self.interfaces.len() as u32;
        self.interfaces.insert(name.to_string(), number);
        // LINKTYPE_ETHERNET, no limit on the length of frames; times in units of 10^-9 s.
        self.block(INTERFACE, &[1, 0, 0, 0, 0, 0, 0, 0], &[(2, name.as_bytes()), (9, &[9])]);
        number
    }

    /// Makes an interface known, if it is new.
    pub fn interface(&mut self, name: &str) {
        self.number(name);
    }

    /// Adds a frame.
    pub fn frame(&mut self, time: Time, interface: &str, direction: Direction, frame: &[u8]) {
        let number = self.number(interface);
        let stamp = EPOCH * 1_000_000_000 + time.nanos();
        let length = frame.len() as u32;
        let mut body = Vec::with_capacity(frame.len() + 24);
        for word in [number, (stamp >> 32) as u32, stamp as u32, length, length] {
            body.extend(word.to_le_bytes());
        }
        body.extend(frame);
        pad(&mut body);
        let flags: u32 = if direction == Direction::In { 1 } else { 2 };
        self.block(PACKET, &body, &[(2, &flags.to_le_bytes())]);
    }

    /// What was written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// A block: type, length, body, options, length.
    fn block(&mut self, kind: u32, body: &[u8], options: Options<'_>) {
        let begin = self.bytes.len();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend(body);
        for (number, value) in options {
            self.bytes.extend(number.to_le_bytes());
            self.bytes.extend((value.len() as u16).to_le_bytes());
            self.bytes.extend(*value);
            // Blocks begin at multiples of four.
            let missing = (self.bytes.len() - begin).next_multiple_of(4) - (self.bytes.len() - begin);
            self.bytes.extend(std::iter::repeat_n(0, missing));
        }
        self.bytes.extend([0; 4]);
        let length = ((self.bytes.len() - begin + 4) as u32).to_le_bytes();
        self.bytes.extend(length);
        if let Some(place) = self.bytes.get_mut(begin + 4..begin + 8) {
            place.copy_from_slice(&length);
        }
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a capture back, block by block: type and body.
    fn blocks(mut bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let mut blocks = Vec::new();
        while !bytes.is_empty() {
            let length = word(bytes, 4) as usize;
            assert_eq!(length % 4, 0);
            assert_eq!(word(bytes, length - 4) as usize, length, "both lengths of a block are the same");
            blocks.push((word(bytes, 0), bytes[8..length - 4].to_vec()));
            bytes = &bytes[length..];
        }
        blocks
    }

    #[test]
    fn an_interface_is_told_before_its_first_frame_and_pieces_join() {
        let mut capture = Capture::new();
        capture.frame(Time(1_500_000_001), "red/veth-red", Direction::Out, b"abcde");
        let mut bytes = capture.take();
        capture.frame(Time(1_500_000_002), "veth-host", Direction::In, b"abcd");
        capture.frame(Time(1_500_000_003), "red/veth-red", Direction::In, b"");
        capture.interface("lo");
        bytes.extend(capture.take());
        let blocks = blocks(&bytes);
        let kinds: Vec<u32> = blocks.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [SECTION, INTERFACE, PACKET, INTERFACE, PACKET, PACKET, INTERFACE]);
        let first = &blocks[2].1;
        let stamp = u64::from(u32::from_le_bytes(first[4..8].try_into().unwrap())) << 32
            | u64::from(u32::from_le_bytes(first[8..12].try_into().unwrap()));
        assert_eq!(stamp, 1_704_067_201_500_000_001);
        assert_eq!(first[12..20], [5, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(first[20..28], *b"abcde\0\0\0");
        assert_eq!(first[28..36], [2, 0, 4, 0, 2, 0, 0, 0], "outbound");
        assert!(blocks[1].1.windows(12).any(|part| part == b"red/veth-red"));
        assert_eq!((blocks[4].1[0], blocks[5].1[0]), (1, 0), "each frame names its interface");
        assert_eq!(capture.take(), b"");
    }
}
