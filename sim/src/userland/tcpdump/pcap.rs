//! Capture files: pcap written, pcap and pcapng read.

use super::print::Stamp;

/// What a packet begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkType {
    /// An Ethernet header.
    Ethernet,
    /// The header of the `any` device.
    Cooked2,
    /// An IP header.
    Raw,
}

impl LinkType {
    /// By its number in a file.
    fn from_number(number: u32) -> Option<LinkType> {
        match number {
            1 => Some(LinkType::Ethernet),
            276 => Some(LinkType::Cooked2),
            101 | 12 => Some(LinkType::Raw),
            _ => None,
        }
    }

    fn number(self) -> u32 {
        match self {
            LinkType::Ethernet => 1,
            LinkType::Cooked2 => 276,
            LinkType::Raw => 101,
        }
    }

    /// The short name, and the long one.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            LinkType::Ethernet => ("EN10MB", "Ethernet"),
            LinkType::Cooked2 => ("LINUX_SLL2", "Linux cooked v2"),
            LinkType::Raw => ("RAW", "Raw IP"),
        }
    }
}

/// A packet that was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) stamp: Stamp,
    /// As long as it was on the wire.
    pub(super) length: usize,
    /// As much of it as was captured.
    pub(super) bytes: Vec<u8>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) link: LinkType,
    pub(super) snaplen: u32,
    pub(super) packets: Vec<Packet>,
    /// What was wrong with what follows the packets.
    pub(super) broken: Option<String>,
}

const MAGIC: u32 = 0xa1b2_c3d4;
const MAGIC_NANO: u32 = 0xa1b2_3c4d;
const SECTION: u32 = 0x0a0d_0d0a;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// A file without packets: 24 bytes.
const HEADER: usize = 24;
const RECORD: usize = 16;
/// What no packet exceeds.
const MAXIMUM: u32 = 262_144;

/// The header of a file with time stamps in microseconds, or nanoseconds.
pub(super) fn header(link: LinkType, snaplen: u32, nanoseconds: bool) -> Vec<u8> {
    let magic = if nanoseconds { MAGIC_NANO } else { MAGIC };
    let words = [magic, 2 | 4 << 16, 0, 0, snaplen, link.number()];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A packet with its header, for such a file.
pub(super) fn record(packet: &Packet, nanoseconds: bool) -> Vec<u8> {
    let fraction = packet.stamp.nanoseconds / if nanoseconds { 1 } else { 1000 };
    let words = [packet.stamp.seconds as u32, fraction, packet.bytes.len() as u32, packet.length as u32];
    let header = words.iter().flat_map(|word| word.to_le_bytes());
    header.chain(packet.bytes.iter().copied()).collect()
}

/// Reads a file; the error is libpcap's.
pub(super) fn read(bytes: &[u8]) -> Result<File, String> {
    let Some(first) = bytes.first_chunk::<4>() else {
        return Err(format!("truncated dump file; tried to read 4 header bytes, only got {}", bytes.len()));
    };
    match (u32::from_le_bytes(*first), u32::from_be_bytes(*first)) {
        (MAGIC | MAGIC_NANO, _) => read_pcap(&Reader { bytes, big: false }),
        (_, MAGIC | MAGIC_NANO) => read_pcap(&Reader { bytes, big: true }),
        (SECTION, _) => read_pcapng(bytes),
        _ => Err("unknown file format".to_string()),
    }
}

/// Words of one byte order.
struct Reader<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl Reader<'_> {
    fn u32(&self, at: usize) -> Option<u32> {
        let word = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let word = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big { u16::from_be_bytes(word) } else { u16::from_le_bytes(word) })
    }
}

fn link_type(number: u32) -> Result<LinkType, String> {
    LinkType::from_number(number & 0xffff).ok_or_else(|| format!("link-type {number} is not simulated"))
}

fn read_pcap(reader: &Reader<'_>) -> Result<File, String> {
    let length = reader.bytes.len();
    let short = || format!("truncated dump file; tried to read {HEADER} file header bytes, only got {length}");
    let (Some(snaplen), Some(link)) = (reader.u32(16), reader.u32(20)) else { return Err(short()) };
    let scale = if reader.u32(0) == Some(MAGIC_NANO) { 1 } else { 1000 };
    // No length, or one too large for a sign, stands for the longest there is.
    let snaplen = if snaplen == 0 || snaplen > i32::MAX as u32 { MAXIMUM } else { snaplen };
    let mut file = File { link: link_type(link)?, snaplen, packets: Vec::new(), broken: None };
    let mut at = HEADER;
    while at < length {
        match read_record(reader, at, scale) {
            Ok(packet) => {
                at += RECORD + packet.bytes.len();
                file.packets.push(packet);
            }
            Err(broken) => {
                file.broken = Some(broken);
                break;
            }
        }
    }
    Ok(file)
}

fn read_record(reader: &Reader<'_>, at: usize, scale: u32) -> Result<Packet, String> {
    let left = reader.bytes.len() - at;
    let word = |index: usize| reader.u32(at + 4 * index);
    let (Some(seconds), Some(fraction), Some(captured), Some(length)) = (word(0), word(1), word(2), word(3)) else {
        return Err(format!("truncated dump file; tried to read {RECORD} header bytes, only got {left}"));
    };
    if captured > MAXIMUM {
        return Err(format!("invalid packet capture length {captured}, bigger than maximum of {MAXIMUM}"));
    }
    let start = at + RECORD;
    let bytes = reader.bytes.get(start..start + captured as usize).ok_or_else(|| {
        format!("truncated dump file; tried to read {captured} captured bytes, only got {}", left - RECORD)
    })?;
    let stamp = Stamp { seconds: seconds.into(), nanoseconds: fraction.wrapping_mul(scale) };
    Ok(Packet { stamp, length: length as usize, bytes: bytes.to_vec() })
}

/// An interface of a pcapng file: how many of its units make a second.
struct Interface {
    link: u32,
    snaplen: u32,
    units: u64,
}

/// Reads one section whose interfaces are all of one kind, as tcpdump demands.
fn read_pcapng(bytes: &[u8]) -> Result<File, String> {
    let little = Reader { bytes, big: false };
    let big = little.u32(8) != Some(BYTE_ORDER);
    let reader = Reader { bytes, big };
    if reader.u32(8) != Some(BYTE_ORDER) {
        return Err("unknown byte order in pcapng".to_string());
    }
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut packets = Vec::new();
    let (mut at, mut broken) = (0, None);
    while let (Some(kind), Some(length)) = (reader.u32(at), reader.u32(at + 4)) {
        let Some(block) = bytes.get(at..at + length as usize).filter(|block| block.len() >= 12) else {
            broken = Some("truncated pcapng dump file".to_string());
            break;
        };
        let block = Reader { bytes: block, big };
        match kind {
            1 => interfaces.extend(read_interface(&block)),
            6 => packets.extend(read_packet(&block, &interfaces)),
            _ => {}
        }
        at += length as usize;
    }
    let Some(first) = interfaces.first() else {
        return Err("the file has no Interface Description Blocks".to_string());
    };
    Ok(File { link: link_type(first.link)?, snaplen: first.snaplen, packets, broken })
}

fn read_interface(block: &Reader<'_>) -> Option<Interface> {
    let (link, snaplen) = (block.u16(8)?, block.u32(12)?);
    let mut units = 1_000_000;
    let mut at = 16;
    while let (Some(code), Some(length)) = (block.u16(at), block.u16(at + 2)) {
        match code {
            0 => break,
            // if_tsresol
            9 => {
                let value = *block.bytes.get(at + 4)?;
                let exponent = u32::from(value & 0x7f);
                let base: u64 = if value & 0x80 != 0 { 2 } else { 10 };
                units = base.checked_pow(exponent)?;
            }
            _ => {}
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
    let snaplen = if snaplen == 0 { MAXIMUM } else { snaplen };
    Some(Interface { link: link.into(), snaplen, units })
}

fn read_packet(block: &Reader<'_>, interfaces: &[Interface]) -> Option<Packet> {
    let interface = interfaces.get(block.u32(8)? as usize)?;
    let stamp = u64::from(block.u32(12)?) << 32 | u64::from(block.u32(16)?);
    let captured = block.u32(20)? as usize;
    let bytes = block.bytes.get(28..28 + captured)?.to_vec();
    let nanoseconds = u128::from(stamp % interface.units) * 1_000_000_000 / u128::from(interface.units);
    let stamp = Stamp { seconds: stamp / interface.units, nanoseconds: nanoseconds as u32 };
    Some(Packet { stamp, length: block.u32(24)? as usize, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let stamp = Stamp { seconds: 1_704_067_200, nanoseconds: 123_456_000 };
        let packet = Packet { stamp, length: 100, bytes: vec![7; 60] };
        for nanoseconds in [false, true] {
            let mut bytes = header(LinkType::Cooked2, 60, nanoseconds);
            bytes.extend(record(&packet, nanoseconds));
            bytes.extend(record(&packet, nanoseconds));
            let file = read(&bytes).expect("a file");
            let packets = vec![packet.clone(), packet.clone()];
            assert_eq!(file, File { link: LinkType::Cooked2, snaplen: 60, packets, broken: None });
            let cut = read(&bytes[..bytes.len() - 1]).expect("its first packet");
            assert_eq!(cut.packets.len(), 1);
            assert_eq!(
                cut.broken.as_deref(),
                Some("truncated dump file; tried to read 60 captured bytes, only got 59")
            );
        }
    }

    #[test]
    fn a_capture_of_the_world_is_read() {
        let mut capture = crate::capture::Capture::new();
        capture.frame(vethlab_engine::time::Time(1_500), "eth0", crate::capture::Direction::In, &[1, 2, 3]);
        let file = read(&capture.take()).expect("pcapng");
        let stamp = Stamp { seconds: 1_704_067_200, nanoseconds: 1_500 };
        assert_eq!(file.packets, [Packet { stamp, length: 3, bytes: vec![1, 2, 3] }]);
    }

    #[test]
    fn what_is_no_capture_is_told() {
        assert_eq!(read(b"ab").unwrap_err(), "truncated dump file; tried to read 4 header bytes, only got 2");
        assert_eq!(read(b"hello, world").unwrap_err(), "unknown file format");
        assert_eq!(
            read(&header(LinkType::Ethernet, 1, false)[..20]).unwrap_err(),
            "truncated dump file; tried to read 24 file header bytes, only got 20"
        );
    }
}
