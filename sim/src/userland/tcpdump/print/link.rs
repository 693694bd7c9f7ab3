//! Ethernet frames, VLAN tags, the `any` device's header, LLC and STP.

use super::{Printed, Printer, array_at, bits, cut, from, name, say, u8_at, u16_at, u32_at};

/// The largest length that a type field may be instead of a type.
const LONGEST: u16 = 1500;
const HEADER: usize = 14;
/// Bytes of the `any` device's header (`LINUX_SLL2`).
const COOKED2: usize = 20;
const VLAN_TYPES: [u16; 4] = [0x8100, 0x9100, 0x9200, 0x88a8];
const LLC: u16 = 4;

#[rustfmt::skip]
const TYPES: &[(u32, &str)] = &[
    (0x0800, "IPv4"), (0x8847, "MPLS unicast"), (0x8848, "MPLS multicast"), (0x86dd, "IPv6"), (0x8100, "802.1Q"),
    (0x9100, "802.1Q-9100"), (0x88a8, "802.1Q-QinQ"), (0x9200, "802.1Q-9200"), (0x88e5, "802.1AE MACsec"),
    (0x0200, "PUP"), (0x0806, "ARP"), (0x8035, "Reverse ARP"), (0x0600, "NS"), (0x0500, "Sprite"), (0x1000, "Trail"),
    (0x6001, "MOP DL"), (0x6002, "MOP RC"), (0x6003, "DN"), (0x6004, "LAT"), (0x6007, "SCA"), (0x6558, "TEB"),
    (0x8038, "Lanbridge"), (0x803c, "DEC DNS"), (0x803e, "DEC DTS"), (0x805b, "VEXP"), (0x805c, "VPROD"),
    (0x809b, "Appletalk"), (0x80f3, "Appletalk ARP"), (0x8137, "IPX"), (0x880b, "PPP"), (0x8808, "MPCP"),
    (0x8809, "Slow Protocols"), (0x8863, "PPPoE D"), (0x8864, "PPPoE S"), (0x888e, "EAPOL"),
    (0x8899, "Realtek protocols"), (0x886f, "MS NLB heartbeat"), (0x8870, "Jumbo"), (0x894f, "NSH"),
    (0x9000, "Loopback"), (0xfefe, "OSI"), (0x00fe, "GRE-OSI"), (0xabcd, "CFM (old)"), (0x8902, "CFM"),
    (0x893a, "IEEE1905.1"), (0x88cc, "LLDP"), (0x88ca, "TIPC"), (0x0707, "GeoNet (old)"), (0x8947, "GeoNet"),
    (0x1111, "CALM FAST"), (0x88a2, "AoE"), (0x88f7, "PTP"), (0xd28b, "Arista Vendor Specific Protocol"),
];
const SAPS: &[(u32, &str)] = &[
    (0x00, "Null"),
    (0xff, "Global"),
    (0x02, "802.1B I"),
    (0x03, "802.1B G"),
    (0x06, "IP"),
    (0x04, "SNA"),
    (0x0e, "ProWay NM"),
    (0x42, "STP"),
    (0x4e, "RS511"),
    (0x7e, "ISO8208"),
    (0x8e, "ProWay"),
    (0xaa, "SNAP"),
    (0xe0, "IPX"),
    (0xf0, "NetBeui"),
    (0xfe, "OSI"),
];
const UNNUMBERED: &[(u32, &str)] = &[
    (0x03, "ui"),
    (0xe3, "test"),
    (0xaf, "xid"),
    (0x63, "ua"),
    (0x43, "disc"),
    (0x0f, "dm"),
    (0x6f, "sabme"),
    (0x87, "frmr"),
];
const BPDU_FLAGS: &[(u32, &str)] = &[
    (0x01, "Topology change"),
    (0x02, "Proposal"),
    (0x10, "Learn"),
    (0x20, "Forward"),
    (0x40, "Agreement"),
    (0x80, "Topology change ACK"),
];

/// The two ends of a frame.
#[derive(Clone, Copy)]
struct Ends<'a> {
    source: &'a [u8],
    destination: &'a [u8],
}

/// The name of an Ethernet type.
pub(super) fn type_name(kind: u16) -> Option<&'static str> {
    name(TYPES, kind.into())
}

impl Printer {
    pub(super) fn ethernet_frame(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "ether";
        let before = self.link_length;
        let headers = self.ethernet(bytes, length)?;
        self.link_length = before + headers;
        Ok(())
    }

    /// Prints a frame; the length of its link headers.
    pub(super) fn ethernet(&mut self, bytes: &[u8], total: usize) -> Printed<usize> {
        if bytes.len() < HEADER {
            self.truncated();
            return Ok(bytes.len());
        }
        let ends = Ends { destination: cut(bytes, 6), source: cut(from(bytes, 6), 6) };
        if self.style.link {
            let (source, destination) = (self.mac(ends.source, 0)?, self.mac(ends.destination, 0)?);
            say!(self, "{source} > {destination}, ");
        }
        let mut kind = u16_at(bytes, 12)?;
        let (mut at, mut said) = (HEADER, false);
        while VLAN_TYPES.contains(&kind) {
            if bytes.len() < at + 4 {
                self.protocol = "vlan";
                self.truncated();
                return Ok(bytes.len());
            }
            if self.style.link {
                let tag = u16_at(bytes, at)?;
                self.ethertype(kind);
                if said {
                    say!(self, ", ");
                } else {
                    say!(self, ", length {total}: ");
                }
                said = true;
                self.tag(tag);
            }
            kind = u16_at(bytes, at + 2)?;
            at += 4;
        }
        let (payload, left) = (from(bytes, at), total.saturating_sub(at));
        if kind <= LONGEST {
            return Ok(at + self.ieee8023(kind, payload, left, ends, said)?);
        }
        if self.style.link {
            self.ethertype(kind);
            if said {
                say!(self, ", ");
            } else {
                say!(self, ", length {total}: ");
            }
        }
        if !self.network(kind, payload, left)? {
            self.unknown_type(kind, total, ends)?;
            self.unknown(payload);
        }
        Ok(at)
    }

    fn unknown_type(&mut self, kind: u16, total: usize, ends: Ends<'_>) -> Printed {
        if !self.style.link {
            let (source, destination) = (self.mac(ends.source, 0)?, self.mac(ends.destination, 0)?);
            say!(self, "{source} > {destination}, ");
            self.ethertype(kind);
            say!(self, ", length {total}: ");
        }
        Ok(())
    }

    fn tag(&mut self, tag: u16) {
        let eligible = if tag & 0x1000 != 0 { ", DEI" } else { "" };
        say!(self, "vlan {}, p {}{eligible}, ", tag & 0xfff, tag >> 13);
    }

    fn ethertype(&mut self, kind: u16) {
        let known = type_name(kind);
        match (self.style.quiet, known) {
            (0, known) => say!(self, "ethertype {} (0x{kind:04x})", known.unwrap_or("Unknown")),
            (_, Some(known)) => say!(self, "{known}"),
            (_, None) => say!(self, "Unknown Ethertype (0x{kind:04x})"),
        }
    }

    /// Prints what an Ethernet type stands for; false if that is not known (`ethertype_print`).
    fn network(&mut self, kind: u16, payload: &[u8], length: usize) -> Printed<bool> {
        match kind {
            0x0800 => self.ip(payload, length)?,
            0x86dd => self.ip6(payload, length)?,
            0x0806 | 0x8035 => self.arp(payload, length)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A frame with a length instead of a type. The length of the headers behind it.
    fn ieee8023(&mut self, field: u16, payload: &[u8], left: usize, ends: Ends<'_>, said: bool) -> Printed<usize> {
        let length = left.min(field.into());
        let payload = cut(payload, length);
        if self.style.link {
            say!(self, "802.3");
            if !said {
                say!(self, ", length {length}: ");
            }
        }
        let (headers, known) = self.llc(payload, length, Some(ends))?;
        if !known {
            self.unknown(payload);
        }
        Ok(headers)
    }

    /// The header's length, and whether the rest was printed (`llc_print`).
    fn llc(&mut self, bytes: &[u8], length: usize, ends: Option<Ends<'_>>) -> Printed<(usize, bool)> {
        self.protocol = "llc";
        if bytes.len() < 3 || length < 3 {
            self.truncated();
            self.hex_and_ascii("\n\t", bytes);
            return Ok((bytes.len().min(length), true));
        }
        let (dsap, ssap, mut control) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?, u16::from(u8_at(bytes, 2)?));
        let unnumbered = control & 3 == 3;
        let header = if unnumbered { 3 } else { 4 };
        if !unnumbered {
            if bytes.len() < 4 || length < 4 {
                self.truncated();
                self.hex_and_ascii("\n\t", bytes);
                return Ok((bytes.len().min(length), true));
            }
            control = u16::from_le_bytes(array_at(bytes, 2)?);
        }
        let response = ssap & 1;
        let saps = (dsap & !1, ssap & !1);
        if self.style.link {
            let group = if dsap & 1 == 0 { "Individual" } else { "Group" };
            let kind = if response == 0 { "Command" } else { "Response" };
            let sap = |sap: u8| name(SAPS, sap.into()).unwrap_or("Unknown");
            say!(self, "LLC, dsap {} (0x{:02x}) {group}, ", sap(saps.0), saps.0);
            say!(
                self,
                "ssap {} (0x{:02x}) {kind}, ctrl 0x{control:0width$x}: ",
                sap(saps.1),
                saps.1,
                width = (header - 2) * 2
            );
        }
        let (payload, left) = (from(bytes, header), length - header);
        match (saps, control) {
            ((0x42, 0x42), 3) => self.stp(payload, left)?,
            ((0x06, 0x06), 3) => self.ip(payload, left)?,
            ((0xaa, 0xaa), 3) => return Ok((header + 5, self.snap(payload, left, ends)?)),
            _ => {
                self.saps(saps, ends)?;
                return Ok((header, self.llc_control(unnumbered, control, response, length)));
            }
        }
        Ok((header, true))
    }

    fn saps(&mut self, (dsap, ssap): (u8, u8), ends: Option<Ends<'_>>) -> Printed {
        if self.style.link {
            return Ok(());
        }
        let name = |sap: u8, word: &str| {
            name(SAPS, sap.into()).map_or_else(|| format!("Unknown {word} 0x{sap:02x}"), str::to_string)
        };
        let (to, by) = (name(dsap, "DSAP"), name(ssap, "SSAP"));
        let Some(ends) = ends else {
            if dsap != ssap {
                say!(self, "{by} > ");
            }
            say!(self, "{to} ");
            return Ok(());
        };
        let (source, destination) = (self.mac(ends.source, 0)?, self.mac(ends.destination, 0)?);
        if dsap == ssap {
            say!(self, "{source} > {destination} {to} ");
        } else {
            say!(self, "{source} {by} > {destination} {to} ");
        }
        Ok(())
    }

    /// Prints what an LLC frame does; true if nothing is left to be shown.
    fn llc_control(&mut self, unnumbered: bool, control: u16, response: u8, length: usize) -> bool {
        let poll = control & if unnumbered { 0x10 } else { 0x100 } != 0;
        let flags = match (response, poll) {
            (0, false) => "Command",
            (0, true) => "Poll",
            (_, false) => "Response",
            (_, true) => "Final",
        };
        let received = control >> 9 & 0x7f;
        if unnumbered {
            let command = u32::from(control & 0xef);
            let command = name(UNNUMBERED, command).map_or_else(|| format!("{command:02x}"), str::to_string);
            say!(self, "Unnumbered, {command}, Flags [{flags}], length {length}");
            return control & !0x10 == 0xaf && length == 3;
        }
        if control & 3 == 1 {
            let kind = match control >> 2 & 3 {
                0 => "Receiver Ready",
                1 => "Receiver not Ready",
                2 => "Reject",
                _ => "?",
            };
            say!(self, "Supervisory, {kind}, rcv seq {received}, Flags [{flags}], length {length}");
            return true;
        }
        let sent = control >> 1 & 0x7f;
        say!(self, "Information, send seq {sent}, rcv seq {received}, Flags [{flags}], length {length}");
        false
    }

    fn snap(&mut self, bytes: &[u8], length: usize, ends: Option<Ends<'_>>) -> Printed<bool> {
        self.protocol = "snap";
        let [a, b, c, ..]: [u8; 5] = array_at(bytes, 0)?;
        let (vendor, kind, left) = (u32::from_be_bytes([0, a, b, c]), u16_at(bytes, 3)?, length.saturating_sub(5));
        let (word, name) = match vendor {
            0 => ("ethertype", type_name(kind).unwrap_or("Unknown")),
            _ => ("pid", "Unknown"),
        };
        if self.style.link {
            let known = if vendor == 0 { "Ethernet" } else { "Unknown" };
            say!(self, "oui {known} (0x{vendor:06x}), {word} {name} (0x{kind:04x}), length {left}: ");
        }
        if vendor == 0 && self.network(kind, from(bytes, 5), left)? {
            return Ok(true);
        }
        if !self.style.link {
            if let Some(ends) = ends {
                let (source, destination) = (self.mac(ends.source, 0)?, self.mac(ends.destination, 0)?);
                say!(self, "{source} > {destination} ");
            }
            match vendor {
                0 => say!(self, "SNAP, ethertype {name} (0x{kind:04x}), length {left}: "),
                _ => say!(self, "SNAP, oui Unknown (0x{vendor:06x}), pid {name} (0x{kind:04x}), length {left}: "),
            }
        }
        Ok(false)
    }

    fn stp(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "stp";
        if length < 4 {
            self.invalid();
            return Ok(());
        }
        if u16_at(bytes, 0)? != 0 {
            say!(self, "unknown STP version, length {length}");
            return Ok(());
        }
        let version = u8_at(bytes, 2)?;
        match version {
            0 => say!(self, "STP 802.1d"),
            2 => say!(self, "STP 802.1w"),
            3 => say!(self, "STP 802.1s"),
            4 => say!(self, "STP 802.1aq"),
            _ => {
                say!(self, "STP Unknown STP protocol (0x{version:02x})");
                return Ok(());
            }
        }
        match u8_at(bytes, 3)? {
            0 if length >= 35 => {
                say!(self, ", Config");
                self.bpdu(bytes, length, version)?;
            }
            2 if version == 2 && length >= 36 => {
                say!(self, ", Rapid STP");
                self.bpdu(bytes, length, version)?;
            }
            0 => {
                say!(self, ", Config");
                self.invalid();
            }
            2 => {
                say!(self, ", Rapid STP");
                self.invalid();
            }
            0x80 => say!(self, ", Topology Change"),
            kind => say!(self, ", Unknown BPDU Type (0x{kind:02x})"),
        }
        Ok(())
    }

    fn bpdu(&mut self, bytes: &[u8], length: usize, version: u8) -> Printed {
        let flags = u8_at(bytes, 4)?;
        say!(self, ", Flags [{}]", bits(BPDU_FLAGS, flags.into(), ", "));
        let port = u16_at(bytes, 25)?;
        say!(self, ", bridge-id {}.{port:04x}, length {length}", bridge(bytes, 17)?);
        if self.style.verbose == 0 {
            return Ok(());
        }
        let seconds = |at| u16_at(bytes, at).map(|value| f64::from(value) / 256.0);
        let (age, max, hello, delay) = (seconds(27)?, seconds(29)?, seconds(31)?, seconds(33)?);
        say!(
            self,
            "\n\tmessage-age {age:.2}s, max-age {max:.2}s, hello-time {hello:.2}s, forwarding-delay {delay:.2}s"
        );
        say!(self, "\n\troot-id {}, root-pathcost {}", bridge(bytes, 5)?, u32_at(bytes, 13)?);
        if version == 2 {
            let role = ["Unknown", "Alternate", "Root", "Designated"];
            say!(self, ", port-role {}", role.get(usize::from(flags >> 2 & 3)).unwrap_or(&"Unknown"));
        }
        Ok(())
    }

    /// A packet of the `any` device (`sll2_if_print`).
    pub(super) fn cooked2(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "sll2";
        let header: [u8; COOKED2] = array_at(bytes, 0)?;
        let index = u32_at(&header, 4)?;
        let interface = self.interfaces.get(&index).cloned().unwrap_or_else(|| "?".to_string());
        let cast = match u8_at(&header, 10)? {
            0 => "In",
            1 => "B",
            2 => "M",
            3 => "P",
            4 => "Out",
            _ => "?",
        };
        say!(self, "{interface:5} {cast:3} ");
        if self.style.link {
            self.cooked2_header(&header, length)?;
        }
        let mut kind = u16_at(&header, 0)?;
        let mut at = COOKED2;
        while kind == 0x8100 {
            let tag = u16_at(bytes, at)?;
            if self.style.link {
                self.tag(tag);
            }
            kind = u16_at(bytes, at + 2)?;
            if kind <= LONGEST {
                kind = LLC;
            }
            if self.style.quiet == 0 {
                say!(self, "ethertype {}, ", type_name(kind).unwrap_or("Unknown"));
            }
            at += 4;
        }
        let (payload, left) = (from(bytes, at), length.saturating_sub(at));
        if kind == LLC {
            let (headers, known) = self.llc(payload, left, None)?;
            if !known {
                self.unknown(payload);
            }
            self.link_length = at + headers;
            return Ok(());
        }
        if kind <= LONGEST {
            self.unknown(payload);
        } else if !self.network(kind, payload, left)? {
            if !self.style.link {
                self.cooked2_header(&header, left + COOKED2)?;
            }
            self.unknown(payload);
        }
        self.link_length = at;
        Ok(())
    }

    fn cooked2_header(&mut self, header: &[u8], length: usize) -> Printed {
        say!(self, "ifindex {} ", u32_at(header, 4)?);
        if u8_at(header, 11)? == 6 {
            let mac = self.mac(header, 12)?;
            say!(self, "{mac} ");
        }
        if self.style.quiet == 0 {
            match u16_at(header, 0)? {
                1 => say!(self, "802.3"),
                LLC => say!(self, "802.2"),
                kind => say!(self, "ethertype {} (0x{kind:04x})", type_name(kind).unwrap_or("Unknown")),
            }
            say!(self, ", length {length}: ");
        }
        Ok(())
    }
}

fn bridge(bytes: &[u8], at: usize) -> Printed<String> {
    let [a, b, c, d, e, f, g, h]: [u8; 8] = array_at(bytes, at)?;
    Ok(format!("{a:02x}{b:02x}.{c:02x}:{d:02x}:{e:02x}:{f:02x}:{g:02x}:{h:02x}"))
}
