//! ICMP.

use super::{Printed, Printer, checksum, cut, from, say, should_be, u8_at, u16_at, u32_at};

const HEADER: usize = 8;
/// Where the extensions of RFC 4884 begin, and how long a message is at least that has them.
const EXTENSIONS: usize = 136;
const UNREACHABLE: u8 = 3;
const QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const EXCEEDED: u8 = 11;
const PARAMETER: u8 = 12;

impl Printer {
    pub(super) fn icmp(&mut self, bytes: &[u8], length: usize, fragmented: bool) -> Printed {
        self.protocol = "icmp";
        let (kind, code) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?);
        let Some(text) = self.icmp_text(bytes, kind, code)? else {
            self.truncated();
            return Ok(());
        };
        say!(self, "ICMP {text}, length {length}");
        let verbose = self.style.verbose > 0;
        if verbose && !fragmented && bytes.len() >= length {
            let sum = checksum(&[cut(bytes, length)]);
            if sum != 0 {
                let said = u16_at(bytes, 2)?;
                say!(self, " (wrong icmp cksum {said:x} (->{:x})!)", should_be(said, sum));
            }
        }
        if verbose && matches!(kind, UNREACHABLE | QUENCH | REDIRECT | EXCEEDED | PARAMETER) {
            say!(self, "\n\t");
            let inner = from(bytes, HEADER);
            let total = usize::from(u16_at(inner, 2)?);
            self.ip(cut(inner, total), total)?;
        }
        self.protocol = "icmp";
        if verbose && length > EXTENSIONS && matches!(kind, UNREACHABLE | EXCEEDED | PARAMETER) {
            return self.icmp_extensions(bytes, length);
        }
        Ok(())
    }

    /// What the message says; none if it is cut short where that is noticed.
    fn icmp_text(&mut self, bytes: &[u8], kind: u8, code: u8) -> Printed<Option<String>> {
        let text = match kind {
            0 | 8 => {
                let word = if kind == 8 { "request" } else { "reply" };
                format!("echo {word}, id {}, seq {}", u16_at(bytes, 4)?, u16_at(bytes, 6)?)
            }
            UNREACHABLE if code == 3 && bytes.len() < HEADER + 10 => return Ok(None),
            UNREACHABLE => self.icmp_unreachable(bytes, code)?,
            REDIRECT => {
                let (about, to) = (self.ipv4(bytes, HEADER + 16)?, self.ipv4(bytes, 4)?);
                match code {
                    0 => format!("redirect {about} to net {to}"),
                    1 => format!("redirect {about} to host {to}"),
                    2 => format!("redirect-tos {about} to net {to}"),
                    3 => format!("redirect-tos {about} to host {to}"),
                    code => format!("redirect-#{code} {about} to {to}"),
                }
            }
            EXCEEDED if bytes.len() < HEADER + 20 => return Ok(None),
            EXCEEDED => match code {
                0 => "time exceeded in-transit".to_string(),
                1 => "ip reassembly time exceeded".to_string(),
                code => format!("time exceeded-#{code}"),
            },
            PARAMETER if code != 0 => format!("parameter problem - code {code}"),
            PARAMETER => format!("parameter problem - octet {}", u8_at(bytes, 4)?),
            18 => format!("address mask is 0x{:08x}", u32_at(bytes, 8)?),
            13 => format!("time stamp query id {} seq {}", u16_at(bytes, 4)?, u16_at(bytes, 6)?),
            14 if bytes.len() < 20 => return Ok(None),
            14 => format!(
                "time stamp reply id {} seq {}: org {}, recv {}, xmit {}",
                u16_at(bytes, 4)?,
                u16_at(bytes, 6)?,
                clock(u32_at(bytes, 8)?),
                clock(u32_at(bytes, 12)?),
                clock(u32_at(bytes, 16)?)
            ),
            QUENCH => "source quench".to_string(),
            10 => "router solicitation".to_string(),
            15 => "information request".to_string(),
            16 => "information reply".to_string(),
            17 => "address mask request".to_string(),
            kind => format!("type-#{kind}"),
        };
        Ok(Some(text))
    }

    fn icmp_unreachable(&mut self, bytes: &[u8], code: u8) -> Printed<String> {
        let to = self.ipv4(bytes, HEADER + 16)?;
        let text = match code {
            0 => format!("net {to} unreachable"),
            1 => format!("host {to} unreachable"),
            2 => format!("{to} protocol {} unreachable", u8_at(bytes, HEADER + 9)?),
            3 => {
                let header = usize::from(u8_at(bytes, HEADER)? & 15) * 4;
                let port = u16_at(bytes, HEADER + header + 2)?;
                match u8_at(bytes, HEADER + 9)? {
                    6 => format!("{to} tcp port {} unreachable", self.tcp_port(port)),
                    17 => format!("{to} udp port {} unreachable", self.udp_port(port)),
                    protocol => format!("{to} protocol {protocol} port {port} unreachable"),
                }
            }
            4 => match u16_at(bytes, 6)? {
                0 => format!("{to} unreachable - need to frag"),
                mtu => format!("{to} unreachable - need to frag (mtu {mtu})"),
            },
            5 => format!("{to} unreachable - source route failed"),
            6 => format!("net {to} unreachable - unknown"),
            7 => format!("host {to} unreachable - unknown"),
            8 => format!("{to} unreachable - source host isolated"),
            9 => format!("net {to} unreachable - admin prohibited"),
            10 => format!("host {to} unreachable - admin prohibited"),
            11 => format!("net {to} unreachable - tos prohibited"),
            12 => format!("host {to} unreachable - tos prohibited"),
            13 => format!("host {to} unreachable - admin prohibited filter"),
            14 => format!("host {to} unreachable - host precedence violation"),
            15 => format!("host {to} unreachable - precedence cutoff"),
            code => format!("{to} unreachable - #{code}"),
        };
        Ok(text)
    }

    /// Extensions, if there are any: nobody in a lab sends them, so they are named, not read.
    fn icmp_extensions(&mut self, bytes: &[u8], length: usize) -> Printed {
        let extensions = from(bytes, EXTENSIONS);
        let left = length - EXTENSIONS;
        if bytes.len() < EXTENSIONS + 5 {
            self.truncated();
            return Ok(());
        }
        let sum = (extensions.len() >= left).then(|| checksum(&[cut(extensions, left)]));
        if u8_at(bytes, 5)? == 0 && sum.is_some_and(|sum| sum != 0) {
            return Ok(());
        }
        let version = u8_at(extensions, 0)? >> 4;
        say!(self, "\n\tICMP Multi-Part extension v{version}");
        if version != 2 {
            say!(self, " packet not supported");
            return Ok(());
        }
        if let Some(sum) = sum {
            let word = if sum == 0 { "" } else { "in" };
            say!(self, ", checksum 0x{:04x} ({word}correct), length {left}", u16_at(extensions, 2)?);
        }
        Ok(())
    }
}

/// Milliseconds since midnight.
fn clock(stamp: u32) -> String {
    let seconds = stamp / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, stamp % 1000)
}
