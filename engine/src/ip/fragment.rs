//! Cutting an IPv4 packet that is larger than an MTU in fragments, as `ip_do_fragment` does.

use crate::frame::{FrameBuf, FramePool};
use crate::wire::ipv4::{self, Ipv4, options};

/// The fragments of one packet, in order.
#[derive(Debug)]
pub struct Fragments<'a> {
    header: Ipv4,
    options: &'a [u8],
    payload: &'a [u8],
    /// Most payload bytes of one fragment.
    room: usize,
    /// Where in `payload` the next one begins.
    at: usize,
    /// Flags of every fragment.
    flags: u16,
}

impl<'a> Fragments<'a> {
    /// Begins to cut `packet`, an IPv4 packet with its whole header, in fragments of at most `mtu` bytes. The DF bit is
    /// not looked at, and the fragments have it only if `keep_df` (Linux's `IPSKB_FRAG_PMTU`: the packet was put together
    /// from fragments that had it). `None` if the header is malformed, or not one byte fits.
    pub fn new(packet: &'a [u8], mtu: usize, keep_df: bool) -> Option<Fragments<'a>> {
        let header = Ipv4::parse(packet)?;
        let payload = packet.get(header.header_length..usize::from(header.total_length))?;
        let options = packet.get(ipv4::HEADER..header.header_length)?;
        let room = mtu.checked_sub(header.header_length).filter(|room| *room >= 8 || *room >= payload.len())?;
        let flags = if keep_df { header.flags_fragment & ipv4::DF } else { 0 };
        Some(Fragments { header, options, payload, room, at: 0, flags })
    }

    /// How many fragments are still to come.
    pub fn left(&self) -> usize {
        let left = self.payload.len() - self.at;
        if left <= self.room { usize::from(left > 0) } else { 1 + (left - self.room).div_ceil(self.room & !7) }
    }

    /// The next fragment, in a frame of its own that begins with the IP header.
    pub fn next(&mut self, pool: &mut FramePool) -> Option<FrameBuf> {
        let left = self.payload.get(self.at..).filter(|left| !left.is_empty())?;
        let length = if left.len() > self.room { self.room & !7 } else { left.len() };
        let part = left.get(..length)?;
        let last = length == left.len();
        let more = if last { self.header.flags_fragment & ipv4::MF } else { ipv4::MF };
        let offset = (self.header.fragment_offset() + self.at) / 8;
        let header = Ipv4 {
            total_length: (self.header.header_length + length) as u16,
            flags_fragment: self.flags | more | offset as u16 & ipv4::OFFSET,
            ..self.header
        };
        let mut frame = pool.take(self.header.header_length + length);
        frame.resize(self.header.header_length);
        header.write(self.options, &mut frame);
        // A packet that is itself a later fragment has had its options mended already.
        if self.at > 0 && self.header.fragment_offset() == 0 && !self.options.is_empty() {
            options::keep_copied(ipv4::header_mut(&mut frame));
            ipv4::write_checksum(&mut frame);
        }
        frame.extend(part);
        self.at += length;
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Ipv4Addr;
    use crate::wire::protocol;

    fn packet(payload: usize, flags_fragment: u16, options: &[u8]) -> Vec<u8> {
        let header = Ipv4 {
            tos: 0,
            total_length: (ipv4::HEADER + options.len() + payload) as u16,
            id: 77,
            flags_fragment,
            ttl: 64,
            protocol: protocol::UDP,
            source: Ipv4Addr::new(10, 0, 0, 1),
            destination: Ipv4Addr::new(10, 0, 0, 2),
            header_length: ipv4::HEADER + options.len(),
        };
        let mut packet = vec![0; usize::from(header.total_length)];
        header.write(options, &mut packet).expect("room");
        for (number, byte) in packet.iter_mut().skip(header.header_length).enumerate() {
            *byte = number as u8;
        }
        packet
    }

    /// Length, offset and MF of each fragment.
    fn cut(packet: &[u8], mtu: usize, keep_df: bool) -> Vec<(u16, usize, bool)> {
        let mut pool = FramePool::new();
        let mut fragments = Fragments::new(packet, mtu, keep_df).expect("a packet");
        let mut seen = Vec::new();
        while let Some(frame) = fragments.next(&mut pool) {
            let header = Ipv4::checked(&frame).expect("a right header");
            assert_eq!(header.dont_fragment(), keep_df);
            seen.push((header.total_length, header.fragment_offset(), header.more_fragments()));
            pool.give(frame);
        }
        seen
    }

    fn hex(bytes: &[u8]) -> String {
        if bytes.is_empty() { "-".to_owned() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        (0..text.len()).step_by(2).map_while(digits).collect()
    }

    /// The kernel (6.18) as judge: payload, MTU and fragment field of a packet it forwarded, then length, fragment field
    /// and options of each fragment that came out.
    #[test]
    fn packets_are_cut_as_the_kernel_cut_them() {
        let mut pool = FramePool::new();
        for line in include_str!("fragment/kernel.txt").lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |word: &str| word.parse::<usize>().expect("a number");
            let flags = u16::from_str_radix(words[2], 16).expect("hex");
            let options = unhex(words[3].rsplit(':').next().expect("options"));
            let whole = packet(number(words[0]), flags, &options);
            let mut fragments = Fragments::new(&whole, number(words[1]), false).expect("a packet");
            assert_eq!(fragments.left(), words.len() - 3);
            for expected in &words[3..] {
                let frame = fragments.next(&mut pool).expect("a fragment");
                let header = Ipv4::checked(&frame).expect("a right header");
                let options = hex(&frame[ipv4::HEADER..header.header_length]);
                let ours = format!("{}:{:04x}:{options}", header.total_length, header.flags_fragment);
                assert_eq!(ours, *expected, "{line}");
                pool.give(frame);
            }
            assert!(fragments.next(&mut pool).is_none());
        }
    }

    /// `ping -s 3000` over an MTU of 1500.
    #[test]
    fn fragments_are_as_large_as_they_can_be() {
        let whole = packet(3008, 0, &[]);
        assert_eq!(cut(&whole, 1500, false), [(1500, 0, true), (1500, 1480, true), (68, 2960, false)]);
        assert_eq!(cut(&whole, 1499, false)[0], (1492, 0, true), "a multiple of eight");
        assert_eq!(cut(&packet(100, 0, &[]), 120, false), [(120, 0, false)]);
        assert!(Fragments::new(&whole, 27, false).is_none());
        assert!(Fragments::new(&whole[..100], 1500, false).is_none());
        assert_eq!(Fragments::new(&whole, 28, false).map(|fragments| fragments.left()), Some(376));
    }

    /// A fragment may be cut again: its offset counts on, and MF stays on all if it was not the last.
    #[test]
    fn a_fragment_of_a_fragment() {
        let middle = packet(64, ipv4::MF | ipv4::DF | 10, &[]);
        assert_eq!(cut(&middle, 52, true), [(52, 80, true), (52, 112, true)]);
        let last = packet(60, 10, &[]);
        assert_eq!(cut(&last, 52, false), [(52, 80, true), (48, 112, false)]);
    }

    /// Options without the "copied" bit are in the first fragment only.
    #[test]
    fn options_of_later_fragments() {
        let given = [7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0];
        let whole = packet(64, 0, &given);
        let mut pool = FramePool::new();
        let mut fragments = Fragments::new(&whole, 64, false).expect("a packet");
        for expected in [&given, &[1, 1, 1, 1, 1, 1, 1, 148, 4, 0, 0, 0]] {
            let frame = fragments.next(&mut pool).expect("a fragment");
            assert!(Ipv4::checked(&frame).is_ok());
            assert_eq!(&frame[ipv4::HEADER..32], expected);
            pool.give(frame);
        }
        assert!(fragments.next(&mut pool).is_none() && fragments.left() == 0);
    }
}
