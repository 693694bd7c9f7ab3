//! ICMPv6: errors, echoes, neighbour discovery, and reports of groups.

use super::groups::MLD;
use super::ip::Outer;
use super::{Printed, Printer, bits, cut, from, name, say, should_be, u8_at, u16_at, u32_at};

const ICMP6: u8 = 58;
const HEADER: usize = 8;
const TYPES: &[(u32, &str)] = &[
    (1, "destination unreachable"),
    (2, "packet too big"),
    (3, "time exceeded in-transit"),
    (4, "parameter problem"),
    (128, "echo request"),
    (129, "echo reply"),
    (130, "multicast listener query"),
    (131, "multicast listener report"),
    (132, "multicast listener done"),
    (133, "router solicitation"),
    (134, "router advertisement"),
    (135, "neighbor solicitation"),
    (136, "neighbor advertisement"),
    (137, "redirect"),
    (143, "multicast listener report v2"),
];
const UNREACHABLE: &[(u32, &str)] = &[
    (0, "unreachable route"),
    (1, " unreachable prohibited"),
    (2, "beyond scope"),
    (3, "unreachable address"),
    (4, "unreachable port"),
];
const OPTIONS: &[(u32, &str)] = &[
    (1, "source link-address"),
    (2, "destination link-address"),
    (3, "prefix info"),
    (4, "redirected header"),
    (5, "mtu"),
];

impl Printer {
    pub(super) fn icmp6(&mut self, bytes: &[u8], length: usize, outer: Outer<'_>) -> Printed {
        self.protocol = "icmp6";
        if length == 0 {
            say!(self, "ICMP6, length 0");
            self.invalid();
            return Ok(());
        }
        let verbose = self.style.verbose > 0;
        if verbose && !outer.fragmented && bytes.len() >= length {
            self.icmp6_checksum(bytes, length, outer)?;
        }
        let (kind, code) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?);
        match name(TYPES, kind.into()) {
            Some(name) => say!(self, "ICMP6, {name}"),
            None => say!(self, "ICMP6, unknown icmp6 type ({kind})"),
        }
        if verbose && matches!(kind, 133..=137) {
            say!(self, ", length {length}");
        }
        // What the message is about is looked at before anything is said of it.
        let quoted = match (kind, code) {
            (1, 4) => HEADER + 44,
            (4, _) => HEADER + 40,
            _ => 0,
        };
        if bytes.len() < quoted {
            if kind == 1 {
                say!(self, ", unreachable port");
            }
            self.truncated();
            return Ok(());
        }
        if self.icmp6_body(bytes, length, [kind, code])? && !verbose {
            say!(self, ", length {length}");
        }
        Ok(())
    }

    /// What a message says; true if its length may still be told.
    fn icmp6_body(&mut self, bytes: &[u8], length: usize, [kind, code]: [u8; 2]) -> Printed<bool> {
        match kind {
            1 => self.icmp6_unreachable(bytes, code)?,
            2 => say!(self, ", mtu {}", u32_at(bytes, 4)?),
            3 if code == 0 => {
                let to = self.ipv6(bytes, HEADER + 24)?;
                say!(self, " for {to}");
            }
            3 if code == 1 => say!(self, " (reassembly)"),
            3 => say!(self, ", unknown code ({code})"),
            4 => self.icmp6_parameter(bytes, code)?,
            128 | 129 => say!(self, ", id {}, seq {}", u16_at(bytes, 4)?, u16_at(bytes, 6)?),
            131 | 132 => {
                let group = self.ipv6(bytes, 8)?;
                say!(self, "max resp delay: {} addr: {group}", u16_at(bytes, 4)?);
            }
            133 => self.neighbor_options(bytes, 8, length)?,
            135 => {
                let target = self.ipv6(bytes, 8)?;
                say!(self, ", who has {target}");
                self.neighbor_options(bytes, 24, length)?;
            }
            136 => self.neighbor_advertisement(bytes, length)?,
            143 if length < HEADER => say!(self, " [invalid len {length}]"),
            143 => self.group_records(bytes, length, MLD)?,
            130 | 134 | 137 => {}
            _ => {
                say!(self, ", length {length}");
                if self.style.verbose <= 1 {
                    self.rest("\n\t", bytes, length);
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn icmp6_checksum(&mut self, bytes: &[u8], length: usize, outer: Outer<'_>) -> Printed {
        let said = u16_at(bytes, 2)?;
        match outer.checksum(bytes, length, ICMP6)? {
            0 => say!(self, "[icmp6 sum ok] "),
            sum => say!(self, "[bad icmp6 cksum 0x{said:04x} -> 0x{:04x}!] ", should_be(said, sum)),
        }
        Ok(())
    }

    fn icmp6_unreachable(&mut self, bytes: &[u8], code: u8) -> Printed {
        match name(UNREACHABLE, code.into()) {
            Some(name) => say!(self, ", {name}"),
            None => say!(self, ", unknown unreach code ({code})"),
        }
        let to = self.ipv6(bytes, HEADER + 24)?;
        match code {
            0 | 1 | 3 => say!(self, " {to}"),
            2 => {
                let source = self.ipv6(bytes, HEADER + 8)?;
                say!(self, " {to}, source address {source}");
            }
            4 => {
                let port = u16_at(bytes, HEADER + 42)?;
                match u8_at(bytes, HEADER + 6)? {
                    6 => say!(self, ", {to} tcp port {}", self.tcp_port(port)),
                    17 => say!(self, ", {to} udp port {}", self.udp_port(port)),
                    protocol => say!(self, ", {to} protocol {protocol} port {port} unreachable"),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn icmp6_parameter(&mut self, bytes: &[u8], code: u8) -> Printed {
        let octet = u32_at(bytes, 4)?;
        match code {
            0 => say!(self, ", erroneous - octet {octet}"),
            1 => say!(self, ", next header - octet {octet}"),
            2 => say!(self, ", option - octet {octet}"),
            3 => say!(self, ", incomplete header chain - octet {octet}"),
            code => say!(self, ", code-#{code}"),
        }
        Ok(())
    }

    fn neighbor_advertisement(&mut self, bytes: &[u8], length: usize) -> Printed {
        let target = self.ipv6(bytes, 8)?;
        say!(self, ", tgt is {target}");
        if self.style.verbose > 0 {
            let flags = &[(0x8000_0000, "router"), (0x4000_0000, "solicited"), (0x2000_0000, "override")];
            say!(self, ", Flags [{}]", bits(flags, u32_at(bytes, 4)?, ", "));
        }
        self.neighbor_options(bytes, 24, length)
    }

    /// Options of neighbour discovery, with `-v`.
    fn neighbor_options(&mut self, bytes: &[u8], start: usize, length: usize) -> Printed {
        if self.style.verbose == 0 {
            return Ok(());
        }
        let mut options = cut(from(bytes, start), length.saturating_sub(start));
        while !options.is_empty() {
            let (kind, units) = (u8_at(options, 0)?, u8_at(options, 1)?);
            let size = usize::from(units) * 8;
            if size == 0 || size > options.len() {
                self.truncated();
                return Ok(());
            }
            let title = name(OPTIONS, kind.into()).unwrap_or("unknown");
            say!(self, "\n\t  {title} option ({kind}), length {size} ({units}): ");
            match kind {
                1 | 2 => {
                    let digits: Vec<String> =
                        options.get(2..size).unwrap_or(&[]).iter().map(|byte| format!("{byte:02x}")).collect();
                    say!(self, "{}", digits.join(":"));
                }
                5 => say!(self, " {}", u32_at(options, 4)?),
                _ if self.style.verbose <= 1 => {
                    self.rest("\n\t  ", from(options, 2), size - 2);
                    return Ok(());
                }
                _ => {}
            }
            if self.style.verbose > 1 {
                self.rest("\n\t    ", from(options, 2), size - 2);
            }
            options = from(options, size);
        }
        Ok(())
    }
}
