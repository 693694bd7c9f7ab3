//! ICMP messages and IP headers in `ping`'s words.

use std::net::Ipv4Addr;

/// The address with its name, as the run prints addresses.
pub(super) type Name<'a> = &'a dyn Fn(Ipv4Addr) -> String;

/// `pr_icmph`: the sentence of an ICMP error, with its newline. `info`: the MTU, the pointer, or the gateway.
pub(super) fn icmp(kind: u8, code: u8, info: u32, name: Name<'_>) -> String {
    match kind {
        3 => unreachable(code, info),
        4 => "Source Quench\n".to_string(),
        5 => format!("{}(New nexthop: {})\n", redirect(code), name(Ipv4Addr::from_bits(info))),
        11 if code == 0 => "Time to live exceeded\n".to_string(),
        11 if code == 1 => "Frag reassembly time exceeded\n".to_string(),
        11 => format!("Time exceeded, Bad Code: {code}\n"),
        12 => format!("Parameter problem: pointer = {info}\n"),
        _ => format!("Bad ICMP type: {kind}\n"),
    }
}

fn unreachable(code: u8, info: u32) -> String {
    let text = match code {
        0 => "Destination Net Unreachable",
        1 => "Destination Host Unreachable",
        2 => "Destination Protocol Unreachable",
        3 => "Destination Port Unreachable",
        4 => return format!("Frag needed and DF set (mtu = {info})\n"),
        5 => "Source Route Failed",
        6 => "Destination Net Unknown",
        7 => "Destination Host Unknown",
        8 => "Source Host Isolated",
        9 => "Destination Net Prohibited",
        10 => "Destination Host Prohibited",
        11 => "Destination Net Unreachable for Type of Service",
        12 => "Destination Host Unreachable for Type of Service",
        13 => "Packet filtered",
        14 => "Precedence Violation",
        15 => "Precedence Cutoff",
        _ => return format!("Dest Unreachable, Bad Code: {code}\n"),
    };
    format!("{text}\n")
}

fn redirect(code: u8) -> String {
    match code {
        0 => "Redirect Network".to_string(),
        1 => "Redirect Host".to_string(),
        2 => "Redirect Type of Service and Network".to_string(),
        3 => "Redirect Type of Service and Host".to_string(),
        _ => format!("Redirect, Bad Code: {code}"),
    }
}

/// Reads a header byte by byte; what is missing reads as zero, so that a short packet cannot end the program.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn u8(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes([self.u8(at), self.u8(at + 1), self.u8(at + 2), self.u8(at + 3)])
    }

    /// As the original reads 16-bit fields: in the byte order of the machine, which is little endian.
    fn swapped(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.u8(at), self.u8(at + 1)])
    }

    fn address(&self, at: usize) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.u32(at))
    }
}

/// `pr_iph`: the header of the packet that an ICMP message is about, for `-v`; options not included.
pub(super) fn ip_header(header: &[u8]) -> String {
    let h = Bytes(header);
    let fragment = h.swapped(6);
    let mut text = "Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst Data\n".to_string();
    text +=
        &format!(" {:x}  {:x}  {:02x} {:04x} {:04x}", h.u8(0) >> 4, h.u8(0) & 15, h.u8(1), h.swapped(2), h.swapped(4));
    text += &format!("   {:x} {:04x}", fragment >> 13, fragment & 0x1fff);
    text += &format!("  {:02x}  {:02x} {:04x}", h.u8(8), h.u8(9), h.swapped(10));
    text += &format!(" {}  {} \n", h.address(12), h.address(16));
    text
}

/// Prints IP options, and remembers the last route recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct OptionPrinter {
    last_route: Vec<u8>,
}

impl OptionPrinter {
    /// `pr_options`: the options that follow an IP header.
    pub(super) fn print(&mut self, options: &[u8], name: Name<'_>) -> String {
        let mut text = String::new();
        let mut rest = options;
        while let Some(&kind) = rest.first() {
            match kind {
                0 => break,
                1 => {
                    text += "\nNOP";
                    rest = &rest[1..];
                    continue;
                }
                _ => {}
            }
            let length = rest.get(1).map_or(0, |length| usize::from(*length));
            if length < 2 || length > rest.len() {
                break;
            }
            let (option, after) = rest.split_at(length);
            rest = after;
            text += &match kind {
                0x89 | 0x83 => source_route(option, name),
                7 => self.recorded_route(option, name),
                0x44 => timestamps(option, name),
                _ => format!("\nunknown option {kind:x}"),
            };
        }
        text
    }

    fn recorded_route(&mut self, option: &[u8], name: Name<'_>) -> String {
        let length = option.len();
        let pointer = option.get(2).map_or(0, |pointer| usize::from(*pointer)).min(length);
        if pointer <= 4 {
            return String::new();
        }
        // The original compares the pointer's byte as well, and one byte less at the end.
        let route = option.get(2..2 + pointer - 4).unwrap_or_default();
        if route == self.last_route {
            return "\t(same route)".to_string();
        }
        self.last_route = route.to_vec();
        let slots = option.get(3..).unwrap_or_default().chunks(4).take((pointer - 4).div_ceil(4));
        let hops = slots.map(|slot| format!("\t{}\n", hop(slot, name)));
        format!("\nRR: {}", hops.collect::<String>())
    }
}

fn hop(slot: &[u8], name: Name<'_>) -> String {
    let address = Bytes(slot).address(0);
    if address.is_unspecified() { "0.0.0.0".to_string() } else { name(address) }
}

fn source_route(option: &[u8], name: Name<'_>) -> String {
    let letter = if option.first() == Some(&0x89) { 'S' } else { 'L' };
    // The original takes the pointer's byte for the first of the addresses' bytes; so do the addresses here.
    let slots = option.get(2..).unwrap_or_default().chunks(4).take(option.len().saturating_sub(4).div_ceil(4));
    let hops = slots.map(|slot| format!("\t{}\n", hop(slot, name)));
    format!("\n{letter}SRR: {}", hops.collect::<String>())
}

fn timestamps(option: &[u8], name: Name<'_>) -> String {
    let o = Bytes(option);
    let pointer = usize::from(o.u8(2)).min(option.len());
    if pointer <= 5 {
        return String::new();
    }
    let flags = o.u8(3);
    let mut text = "\nTS: ".to_string();
    let (mut standard, mut other) = (0, 0);
    let mut left = pointer as isize - 5;
    let mut at = 4;
    while left > 0 {
        if flags & 15 != 0 {
            text += &format!("\t{}", hop(option.get(at..).unwrap_or_default(), name));
            at += 4;
            left -= 4;
            if left <= 0 {
                break;
            }
        }
        text += &timestamp(i64::from(o.u32(at)), &mut standard, &mut other);
        at += 4;
        left -= 4;
    }
    if flags >> 4 != 0 {
        text += &format!("Unrecorded hops: {}\n", flags >> 4);
    }
    text
}

/// One time: the first in full, the others by what they add.
fn timestamp(value: i64, standard: &mut i64, other: &mut i64) -> String {
    if value & 0x8000_0000 == 0 {
        let text = if *standard == 0 { format!("\t{value} absolute\n") } else { format!("\t{}\n", value - *standard) };
        *standard = value;
        return text;
    }
    let value = value & 0x7fff_ffff;
    let text = match *other {
        0 => format!("\t{value} absolute not-standard\n"),
        last => format!("\t{} not-standard\n", value - last),
    };
    *other = value;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(address: Ipv4Addr) -> String {
        address.to_string()
    }

    #[test]
    fn the_sentences_of_errors() {
        for (kind, code, info, text) in [
            (3, 0, 0, "Destination Net Unreachable\n"),
            (3, 1, 0, "Destination Host Unreachable\n"),
            (3, 4, 1400, "Frag needed and DF set (mtu = 1400)\n"),
            (3, 13, 0, "Packet filtered\n"),
            (3, 77, 0, "Dest Unreachable, Bad Code: 77\n"),
            (5, 1, 0xac10_01fe, "Redirect Host(New nexthop: 172.16.1.254)\n"),
            (11, 0, 0, "Time to live exceeded\n"),
            (11, 1, 0, "Frag reassembly time exceeded\n"),
            (12, 0, 20, "Parameter problem: pointer = 20\n"),
        ] {
            assert_eq!(icmp(kind, code, info, &plain), text);
        }
    }

    /// A record-route option with these hops, and one slot free.
    fn route(hops: &[[u8; 4]]) -> Vec<u8> {
        let length = 3 + 4 * (hops.len() + 1);
        let mut option = vec![1, 7, length as u8, (4 + 4 * hops.len()) as u8];
        option.extend(hops.iter().flatten());
        option.extend([0; 4]);
        option
    }

    #[test]
    fn a_recorded_route_is_printed_once() {
        let mut printer = OptionPrinter::default();
        let option = &route(&[[10, 12, 0, 1], [10, 12, 0, 2]])[1..];
        assert_eq!(printer.print(option, &plain), "\nRR: \t10.12.0.1\n\t10.12.0.2\n");
        assert_eq!(printer.print(option, &plain), "\t(same route)");
        let other = &route(&[[10, 12, 0, 1], [10, 12, 0, 3], [1, 1, 1, 1]])[1..];
        assert_eq!(printer.print(other, &plain), "\nRR: \t10.12.0.1\n\t10.12.0.3\n\t1.1.1.1\n");
        assert!(printer.print(&route(&[])[1..], &plain).is_empty());
    }

    #[test]
    fn timestamps_begin_with_an_absolute_one() {
        let only = [0x44, 12, 13, 0, 1, 2, 3, 4, 1, 2, 3, 9];
        let mut printer = OptionPrinter::default();
        assert_eq!(printer.print(&only, &plain), "\nTS: \t16909060 absolute\n\t5\n");
        let with_address = [0x44, 20, 13, 0x21, 10, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(printer.print(&with_address, &plain), "\nTS: \t10.0.0.1\t100 absolute\nUnrecorded hops: 2\n");
    }

    #[test]
    fn broken_options_end_the_list_quietly() {
        let mut printer = OptionPrinter::default();
        for options in
            [&[7u8][..], &[7, 0, 0], &[7, 40, 4], &[7, 3, 255], &[0x44, 4, 255, 0], &[0x83, 2], &[0x89, 3, 255]]
        {
            printer.print(options, &plain);
        }
        assert_eq!(printer.print(&[0x99, 3, 1, 1, 0], &plain), "\nunknown option 99\nNOP");
    }

    #[test]
    fn the_inner_header_in_the_byte_order_of_the_machine() {
        let header = [0x45, 0, 0, 84, 0x12, 0x34, 0x40, 0, 63, 1, 0xab, 0xcd, 10, 0, 0, 1, 10, 0, 0, 2];
        assert_eq!(
            ip_header(&header),
            "Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst Data\n \
             4  5  00 5400 3412   0 0040  3f  01 cdab 10.0.0.1  10.0.0.2 \n"
        );
    }
}
