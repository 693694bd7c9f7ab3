//! The text of a packet, as tcpdump 4.99.3 prints it.
//!
//! | file | prints |
//! |---|---|
//! | `link` | Ethernet, VLAN tags, the `any` device's header, LLC, STP |
//! | `arp`, `ip`, `ip6`, `icmp`, `icmp6`, `igmp` | what their names say |
//! | `tcp`, `udp` | segments and datagrams, and what is known of their payloads |
//! | `dump`, `text` | hexadecimal, and lines of text protocols |
//! | `names` | names of addresses, ports and protocols |
//!
//! A printer gets the bytes that were captured, cut at the end of the packet it prints, and the length that the packet had
//! on the wire. Reading past the bytes is [`Cut`]: the packet's line ends with `[|protocol]`.

mod arp;
mod dump;
mod groups;
mod icmp;
mod icmp6;
mod igmp;
mod ip;
mod ip6;
mod link;
mod names;
mod tcp;
mod text;
mod time;
mod udp;

use super::pcap::{LinkType, Packet};
use std::collections::BTreeMap;
pub(super) use time::Stamp;

/// A read past the end of what was captured.
pub(super) struct Cut;

pub(super) type Printed<T = ()> = Result<T, Cut>;

/// Adds formatted text to what is printed.
macro_rules! say {
    ($printer:expr, $($arg:tt)*) => {{
        use std::fmt::Write;
        // Writing to a string does not fail.
        let _ = write!($printer.out, $($arg)*);
    }};
}
use say;

/// How packets are printed: the options that say so.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// `-n`: addresses and ports by number.
    pub(super) numeric: bool,
    /// `-e`: the link header.
    pub(super) link: bool,
    /// `-q`: less.
    pub(super) quiet: u8,
    /// `-t`, so many times.
    pub(super) time: u8,
    /// `-v`, so many times.
    pub(super) verbose: u8,
    /// `-x`, so many times.
    pub(super) hex: u8,
    /// `-X`, so many times.
    pub(super) hex_ascii: u8,
    /// `-A`, so many times.
    pub(super) ascii: u8,
    /// `-S`: sequence numbers as they are.
    pub(super) absolute: bool,
    /// `-K`: checksums are not looked at.
    pub(super) trusting: bool,
    /// `-#`: packets are numbered.
    pub(super) numbered: bool,
    /// `--nano`
    pub(super) nanoseconds: bool,
}

/// Prints packets, one after the other.
#[derive(Debug)]
pub(super) struct Printer {
    pub(super) style: Style,
    /// Names of interfaces by their numbers, for the `any` device.
    pub(super) interfaces: BTreeMap<u32, String>,
    out: String,
    /// Who would be cut if the bytes ended here.
    protocol: &'static str,
    /// Bytes of link headers, which a dump leaves out.
    link_length: usize,
    conversations: tcp::Conversations,
    reference: Option<Stamp>,
}

impl Printer {
    pub(super) fn new(style: Style) -> Printer {
        Printer {
            style,
            interfaces: BTreeMap::new(),
            out: String::new(),
            protocol: "",
            link_length: 0,
            conversations: tcp::Conversations::default(),
            reference: None,
        }
    }

    /// The lines of a packet; `number` counts from 1 (`pretty_print_packet`).
    pub(super) fn packet(&mut self, link: LinkType, number: u64, packet: &Packet) -> String {
        if self.style.numbered {
            say!(self, "{number:5}  ");
        }
        if !self.sane(packet) {
            return std::mem::take(&mut self.out);
        }
        self.stamp(packet.stamp);
        self.protocol = "";
        self.link_length = 0;
        let printed = match link {
            LinkType::Ethernet => self.ethernet_frame(&packet.bytes, packet.length),
            LinkType::Cooked2 => self.cooked2(&packet.bytes, packet.length),
            LinkType::Raw => self.ip_of_either_version(&packet.bytes, packet.length),
        };
        if printed.is_err() {
            self.truncated();
            self.link_length = 0;
        }
        self.dump(&packet.bytes);
        say!(self, "\n");
        std::mem::take(&mut self.out)
    }

    /// Complains about lengths that cannot be.
    fn sane(&mut self, packet: &Packet) -> bool {
        let (captured, length) = (packet.bytes.len(), packet.length);
        let mut said: Vec<String> = Vec::new();
        if captured == 0 {
            said.push(" caplen==0".to_string());
        }
        if length == 0 {
            said.push(" len==0".to_string());
        } else if length < captured {
            said.push(format!(" len({length}) < caplen({captured})"));
        }
        for (name, value) in [("caplen", captured), ("len", length)] {
            if value > super::MAXIMUM_SNAPLEN {
                said.push(format!(" {name}({value}) > {}", super::MAXIMUM_SNAPLEN));
            }
        }
        if !said.is_empty() {
            say!(self, "[Invalid header:{}]\n", said.join(","));
        }
        said.is_empty()
    }

    /// `nd_print_trunc`
    fn truncated(&mut self) {
        say!(self, " [|{}]", self.protocol);
    }

    fn invalid(&mut self) {
        say!(self, " (invalid)");
    }
}

fn u8_at(bytes: &[u8], at: usize) -> Printed<u8> {
    bytes.get(at).copied().ok_or(Cut)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Printed<[u8; N]> {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk().copied()).ok_or(Cut)
}

fn u16_at(bytes: &[u8], at: usize) -> Printed<u16> {
    array_at(bytes, at).map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Printed<u32> {
    array_at(bytes, at).map(u32::from_be_bytes)
}

/// What follows `at`; nothing, if that is past the end.
fn from(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or(&[])
}

/// At most `length` bytes.
fn cut(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

/// A name from a table, if it is in it.
fn name<'a>(table: &[(u32, &'a str)], value: u32) -> Option<&'a str> {
    table.iter().find(|(known, _)| *known == value).map(|(_, name)| *name)
}

/// The names of all bits that are set; `none` if there are none (`bittok2str`).
fn bits(table: &[(u32, &str)], value: u32, separator: &str) -> String {
    let set: Vec<&str> =
        table.iter().filter(|(bit, _)| *bit != 0 && value & bit == *bit).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_string() } else { set.join(separator) }
}

/// The sum of 16-bit words with end-around carry, complemented: 0 for a message whose checksum is right (`in_cksum`).
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    let mut odd = false;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        sum += if odd { u64::from(*byte) } else { u64::from(*byte) << 8 };
        odd = !odd;
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What a checksum field should hold, if it holds `sum` and the whole adds up to `computed` (`in_cksum_shouldbe`).
fn should_be(sum: u16, computed: u16) -> u16 {
    let mut should = u32::from(sum) + u32::from(computed);
    should = (should & 0xffff) + (should >> 16);
    should = (should & 0xffff) + (should >> 16);
    should as u16
}

#[cfg(test)]
mod tests;
