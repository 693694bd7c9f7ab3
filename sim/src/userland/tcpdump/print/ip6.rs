//! IPv6 and its extension headers.

use super::ip::Outer;
use super::{Printed, Printer, cut, from, say, u8_at, u16_at, u32_at};

const HEADER: usize = 40;
const HOP_BY_HOP: u8 = 0;
const DESTINATION: u8 = 60;
const FRAGMENT: u8 = 44;
const FRAGMENT_HEADER: usize = 8;
const ALERT: u8 = 5;

impl Printer {
    pub(super) fn ip6(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "ip6";
        if bytes.len() < HEADER {
            self.truncated();
            return Ok(());
        }
        if length < HEADER {
            say!(self, "truncated-ip6 {length}");
            return Ok(());
        }
        if !self.style.link {
            say!(self, "IP6 ");
        }
        let version = u8_at(bytes, 0)? >> 4;
        if version != 6 {
            say!(self, "version error: {version} != 6");
            return Ok(());
        }
        let said = usize::from(u16_at(bytes, 4)?);
        let total = if said == 0 { length + HEADER } else { said + HEADER };
        if said != 0 && length < total {
            say!(self, "truncated-ip6 - {} bytes missing!", total - length);
        }
        let next = u8_at(bytes, 6)?;
        if self.style.verbose > 0 {
            self.ip6_header(bytes, next, said)?;
        }
        self.ip6_chain(cut(bytes, total), total, said == 0, next)
    }

    fn ip6_header(&mut self, bytes: &[u8], next: u8, said: usize) -> Printed {
        let flow = u32_at(bytes, 0)?;
        say!(self, "(");
        if flow & 0x0ff0_0000 != 0 {
            say!(self, "class 0x{:02x}, ", flow >> 20 & 0xff);
        }
        if flow & 0xf_ffff != 0 {
            say!(self, "flowlabel 0x{:05x}, ", flow & 0xf_ffff);
        }
        let title = Printer::protocol_title(next);
        say!(self, "hlim {}, next-header {title} ({next}) payload length: {said}) ", u8_at(bytes, 7)?);
        Ok(())
    }

    /// Extension headers, until something else comes.
    fn ip6_chain(&mut self, bytes: &[u8], total: usize, empty: bool, mut next: u8) -> Printed {
        let (mut at, mut fragmented) = (HEADER, false);
        if !matches!(next, 6 | 17 | 33 | 132) && bytes.len() >= HEADER {
            let (source, destination) = (self.ipv6(bytes, 8)?, self.ipv6(bytes, 24)?);
            say!(self, "{source} > {destination}: ");
        }
        loop {
            let header = from(bytes, at);
            let size = match next {
                HOP_BY_HOP | DESTINATION => {
                    let (protocol, word) = if next == HOP_BY_HOP { ("hbhopt", "HBH") } else { ("dstopt", "DSTOPT") };
                    self.protocol = protocol;
                    let size = (usize::from(u8_at(header, 1)?) + 1) * 8;
                    if header.len() < size {
                        self.truncated();
                        return Ok(());
                    }
                    say!(self, "{word} ");
                    self.ip6_options(cut(header, size))?;
                    size
                }
                FRAGMENT => {
                    fragmented = true;
                    if !self.ip6_fragment(header, at, bytes)? {
                        return Ok(());
                    }
                    FRAGMENT_HEADER
                }
                _ => {
                    let left = if empty { 0 } else { total.saturating_sub(at) };
                    let outer = Outer { header: bytes, version: 6, fragmented };
                    return self.payload(header, left, next, outer);
                }
            };
            if empty {
                self.truncated();
                return Ok(());
            }
            next = u8_at(header, 0)?;
            at += size;
            self.protocol = "ip6";
            if at >= bytes.len() {
                return Ok(());
            }
        }
    }

    /// Options of a hop-by-hop or destination header (`ip6_opt_process`).
    fn ip6_options(&mut self, header: &[u8]) -> Printed {
        let mut at = 2;
        while at < header.len() {
            let kind = u8_at(header, at)?;
            if kind == 0 {
                self.ip6_option("(pad1)");
                at += 1;
                continue;
            }
            let length = usize::from(u8_at(header, at + 1)?);
            match kind {
                1 => self.ip6_option("(padn)"),
                ALERT => {
                    let value = u16_at(header, at + 2)?;
                    self.ip6_option(&format!("(rtalert: 0x{value:04x}) "));
                }
                kind => self.ip6_option(&format!("(opt_type 0x{kind:02x}: len={length})")),
            }
            at += 2 + length;
        }
        if self.style.verbose > 0 {
            say!(self, " ");
        }
        Ok(())
    }

    fn ip6_option(&mut self, text: &str) {
        if self.style.verbose > 0 {
            say!(self, "{text}");
        }
    }

    /// The header of a fragment that begins `at` so many bytes into the packet (`frag6_print`); false if it is not the first.
    fn ip6_fragment(&mut self, header: &[u8], at: usize, packet: &[u8]) -> Printed<bool> {
        self.protocol = "frag6";
        let (offset, id) = (u16_at(header, 2)? & 0xfff8, u32_at(header, 4)?);
        let size = (HEADER + usize::from(u16_at(packet, 4)?)).saturating_sub(at + FRAGMENT_HEADER);
        if self.style.verbose > 0 {
            say!(self, "frag (0x{id:08x}:{offset}|{size})");
        } else {
            say!(self, "frag ({offset}|{size})");
        }
        if offset == 0 {
            say!(self, " ");
        }
        Ok(offset == 0)
    }
}
