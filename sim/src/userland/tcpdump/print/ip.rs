//! IPv4.

use super::{Cut, Printed, Printer, array_at, bits, checksum, cut, from, name, say, should_be, u8_at, u16_at, u32_at};

const PROTOCOLS: &[(u32, &str)] = &[
    (0, "Options"),
    (1, "ICMP"),
    (2, "IGMP"),
    (4, "IPIP"),
    (6, "TCP"),
    (8, "EGP"),
    (9, "IGRP"),
    (17, "UDP"),
    (33, "DCCP"),
    (41, "IPv6"),
    (43, "Routing"),
    (44, "Fragment"),
    (46, "RSVP"),
    (47, "GRE"),
    (50, "ESP"),
    (51, "AH"),
    (55, "Mobile IP"),
    (58, "ICMPv6"),
    (62, "Mobile IP (old)"),
    (88, "EIGRP"),
    (89, "OSPF"),
    (103, "PIM"),
    (108, "Compressed IP"),
    (112, "VRRP"),
    (113, "PGM"),
    (132, "SCTP"),
    (135, "Mobility"),
    (143, "Ethernet"),
];
const OPTIONS: &[(u32, &str)] = &[
    (0, "EOL"),
    (1, "NOP"),
    (68, "timestamp"),
    (130, "security"),
    (7, "RR"),
    (137, "SSRR"),
    (131, "LSRR"),
    (148, "RA"),
    (82, "traceroute"),
];
const HEADER: usize = 20;
/// More fragments.
const MF: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// Where a payload comes from: the header in front of it.
#[derive(Clone, Copy)]
pub(super) struct Outer<'a> {
    /// The IP header and what follows it.
    pub(super) header: &'a [u8],
    /// 4 or 6.
    pub(super) version: u8,
    /// Others of its fragments will follow.
    pub(super) fragmented: bool,
}

impl Outer<'_> {
    /// The protocol that the IP header names.
    pub(super) fn protocol(&self) -> Printed<u8> {
        u8_at(self.header, if self.version == 4 { 9 } else { 6 })
    }

    /// Source and destination, as they are printed.
    pub(super) fn ends(&self, printer: &Printer) -> Printed<(String, String)> {
        match self.version {
            4 => Ok((printer.ipv4(self.header, 12)?, printer.ipv4(self.header, 16)?)),
            _ => Ok((printer.ipv6(self.header, 8)?, printer.ipv6(self.header, 24)?)),
        }
    }

    /// The checksum over the pseudo header and a payload of this length: 0 if it is right.
    pub(super) fn checksum(&self, payload: &[u8], length: usize, protocol: u8) -> Printed<u16> {
        let sum = match self.version {
            4 => {
                let [l0, l1] = (length as u16).to_be_bytes();
                let source: [u8; 4] = array_at(self.header, 12)?;
                let pseudo = [&source[..], &self.final_destination()?, &[0, protocol, l0, l1]].concat();
                checksum(&[&pseudo, cut(payload, length)])
            }
            _ => {
                let ends: [u8; 32] = array_at(self.header, 8)?;
                let pseudo = [&ends[..], &(length as u32).to_be_bytes(), &[0, 0, 0, protocol]].concat();
                checksum(&[&pseudo, cut(payload, length)])
            }
        };
        Ok(sum)
    }

    /// The last address of a source route, else the destination (`ip_finddst`).
    fn final_destination(&self) -> Printed<[u8; 4]> {
        let end = usize::from(u8_at(self.header, 0)? & 15) * 4;
        let mut options = self.header.get(HEADER..end).unwrap_or(&[]);
        while let [kind, rest @ ..] = options {
            let length = match kind {
                0 => break,
                1 => 1,
                _ => usize::from(rest.first().copied().unwrap_or(0)),
            };
            if length == 0 || *kind != 1 && length < 2 || length > options.len() {
                break;
            }
            if matches!(kind, 131 | 137) && length >= 7 {
                return array_at(options, length - 4);
            }
            options = from(options, length);
        }
        array_at(self.header, 16)
    }
}

impl Printer {
    /// A packet without a link header.
    pub(super) fn ip_of_either_version(&mut self, bytes: &[u8], length: usize) -> Printed {
        match u8_at(bytes, 0)? >> 4 {
            4 => self.ip(bytes, length),
            6 => self.ip6(bytes, length),
            other => {
                say!(self, "unknown ip {other}");
                Ok(())
            }
        }
    }

    pub(super) fn ip(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "ip";
        let first = u8_at(bytes, 0)?;
        match first >> 4 {
            4 => {}
            version => {
                let wrong =
                    if version == 6 { "6, wrong link-layer encapsulation".to_string() } else { version.to_string() };
                say!(self, "IP{wrong}");
                self.invalid();
                return Ok(());
            }
        }
        if !self.style.link {
            say!(self, "IP ");
        }
        if bytes.len() < HEADER {
            self.truncated();
            return Ok(());
        }
        if length < HEADER {
            say!(self, "truncated-ip {length}");
            return Ok(());
        }
        let header = usize::from(first & 15) * 4;
        if header < HEADER {
            say!(self, "bad-hlen {header}");
            return Ok(());
        }
        let total = usize::from(u16_at(bytes, 2)?);
        if length < total {
            say!(self, "truncated-ip - {} bytes missing! ", total - length);
        }
        if total < header {
            say!(self, "bad-len {total}");
            return Ok(());
        }
        let bytes = cut(bytes, total);
        if self.style.verbose > 0 && !self.ip_header(bytes, header)? {
            let (source, destination) = (self.ipv4(bytes, 12)?, self.ipv4(bytes, 16)?);
            say!(self, "{source} > {destination}: ");
            self.truncated();
            return Ok(());
        }
        self.ip_payload(bytes, header, total - header)
    }

    fn ip_payload(&mut self, bytes: &[u8], header: usize, left: usize) -> Printed {
        let (offset, protocol) = (u16_at(bytes, 6)?, u8_at(bytes, 9)?);
        let outer = Outer { header: bytes, version: 4, fragmented: offset & MF != 0 };
        let (source, destination) = outer.ends(self)?;
        if offset & OFFSET != 0 {
            if self.style.quiet <= 1 {
                let name = self.protocol_name(protocol);
                say!(self, "{source} > {destination}: {name}");
            }
            return Ok(());
        }
        if !matches!(protocol, 6 | 17 | 33 | 132) {
            say!(self, "{source} > {destination}: ");
        }
        if bytes.len() < header {
            say!(self, " [remaining caplen({}) < header length({header})]", bytes.len());
            return Err(Cut);
        }
        self.payload(from(bytes, header), left, protocol, outer)
    }

    /// The line that `-v` adds; false if the options are cut short.
    fn ip_header(&mut self, bytes: &[u8], header: usize) -> Printed<bool> {
        let (tos, ttl, protocol) = (u8_at(bytes, 1)?, u8_at(bytes, 8)?, u8_at(bytes, 9)?);
        let ecn = ["", ",ECT(1)", ",ECT(0)", ",CE"];
        say!(self, "(tos 0x{tos:x}{}", ecn.get(usize::from(tos & 3)).unwrap_or(&""));
        if ttl > 0 {
            say!(self, ", ttl {ttl}");
        }
        let fragment = u16_at(bytes, 6)?;
        let flags = bits(&[(0x2000, "+"), (0x4000, "DF"), (0x8000, "rsvd")], u32::from(fragment & 0xe000), ", ");
        say!(
            self,
            ", id {}, offset {}, flags [{flags}], proto {} ({protocol}), length {}",
            u16_at(bytes, 4)?,
            usize::from(fragment & OFFSET) * 8,
            name(PROTOCOLS, protocol.into()).unwrap_or("unknown"),
            u16_at(bytes, 2)?
        );
        let mut whole = true;
        if header > HEADER {
            say!(self, ", options (");
            whole = self.ip_options(from(cut(bytes, header), HEADER), header - HEADER)?;
            if !whole {
                say!(self, " [truncated-option]");
            }
            say!(self, ")");
        }
        if !self.style.trusting && header <= bytes.len() {
            let sum = checksum(&[cut(bytes, header)]);
            if sum != 0 {
                let said = u16_at(bytes, 10)?;
                say!(self, ", bad cksum {said:x} (->{:x})!", should_be(said, sum));
            }
        }
        say!(self, ")\n    ");
        Ok(whole)
    }

    fn ip_options(&mut self, mut options: &[u8], mut left: usize) -> Printed<bool> {
        let mut separator = "";
        while left > 0 {
            let kind = u8_at(options, 0)?;
            match name(OPTIONS, kind.into()) {
                Some(name) => say!(self, "{separator}{name}"),
                None => say!(self, "{separator}unknown {kind}"),
            }
            separator = ",";
            let length = if kind <= 1 { 1 } else { usize::from(u8_at(options, 1)?) };
            if kind > 1 && length < 2 || length > left {
                say!(self, " [bad length {length}]");
                return Ok(true);
            }
            let Some(option) = options.get(..length) else { return Ok(false) };
            match kind {
                0 => return Ok(true),
                68 => self.ip_timestamps(option)?,
                7 | 131 | 137 => self.ip_route(option)?,
                148 if length < 4 => say!(self, " [bad length {length}]"),
                148 if u16_at(option, 2)? != 0 => say!(self, " value {}", u16_at(option, 2)?),
                _ => {}
            }
            options = from(options, length);
            left -= length;
        }
        Ok(true)
    }

    /// A recorded route, or one to follow (`ip_printroute`).
    fn ip_route(&mut self, option: &[u8]) -> Printed {
        let length = option.len();
        if length < 3 {
            say!(self, " [bad length {length}]");
            return Ok(());
        }
        if (length + 1) & 3 != 0 {
            say!(self, " [bad length {length}]");
        }
        let said = usize::from(u8_at(option, 2)?);
        let pointer = said.wrapping_sub(1);
        if pointer < 3 || pointer.wrapping_add(1) & 3 != 0 || pointer > length + 1 {
            say!(self, " [bad ptr {said}]");
        }
        for at in (3..length).step_by(4) {
            let address = self.ipv4(option, at)?;
            say!(self, " {address}");
            if pointer > at {
                say!(self, ",");
            }
        }
        Ok(())
    }

    fn ip_timestamps(&mut self, option: &[u8]) -> Printed {
        let length = option.len();
        if length < 4 {
            say!(self, "[bad length {length}]");
            return Ok(());
        }
        say!(self, " TS{{");
        let kind = u8_at(option, 3)? & 15;
        let hop = if kind == 0 { 4 } else { 8 };
        if (length - 4) & (hop - 1) != 0 {
            say!(self, "[bad length {length}]");
        }
        let said = usize::from(u8_at(option, 2)?);
        let pointer = said.wrapping_sub(1);
        if pointer < 4 || pointer.wrapping_sub(4) & (hop - 1) != 0 || pointer > length + 1 {
            say!(self, "[bad ptr {said}]");
        }
        let mut at = 0;
        match kind {
            0 => say!(self, "TSONLY"),
            1 => say!(self, "TS+ADDR"),
            3 => say!(self, "PRESPEC"),
            kind => say!(self, "[bad ts type {kind}]"),
        }
        if matches!(kind, 0 | 1 | 3) {
            at = 4;
            while at < length {
                let address = if hop == 8 { self.ipv4(option, at)? } else { String::new() };
                let mark = if pointer == at { " ^ " } else { " " };
                say!(self, "{mark}{}@{address}", u32_at(option, at + hop - 4)?);
                at += hop;
            }
        }
        if pointer == at {
            say!(self, " ^ ");
        }
        match u8_at(option, 3)? >> 4 {
            0 => say!(self, "}}"),
            missed => say!(self, " [{missed} hops not recorded]}} "),
        }
        Ok(())
    }

    /// What an IP header says is behind it (`ip_demux_print`).
    pub(super) fn payload(&mut self, bytes: &[u8], length: usize, protocol: u8, outer: Outer<'_>) -> Printed {
        match (protocol, outer.version) {
            (6, _) => self.tcp(bytes, length, outer)?,
            (17, _) => self.udp(bytes, length, outer)?,
            (1, 4) => self.icmp(bytes, length, outer.fragmented)?,
            (2, 4) => self.igmp(bytes, length)?,
            (58, 6) => self.icmp6(bytes, length, outer)?,
            (4, _) => self.ip(bytes, length)?,
            (41, _) => self.ip6(bytes, length)?,
            (59, _) => say!(self, "no next header"),
            (1 | 2, _) => {
                say!(self, "[{} requires IPv4]", name(PROTOCOLS, protocol.into()).unwrap_or("unknown"));
                self.invalid();
            }
            (58, _) => {
                say!(self, "[ICMPv6 requires IPv6]");
                self.invalid();
            }
            _ => {
                let name = self.protocol_name(protocol);
                say!(self, " {name} {length}");
            }
        }
        Ok(())
    }

    /// The name that the line of `-v` gives a protocol.
    pub(super) fn protocol_title(protocol: u8) -> &'static str {
        name(PROTOCOLS, protocol.into()).unwrap_or("unknown")
    }
}
