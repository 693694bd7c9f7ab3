//! IGMP.

use super::groups::IGMP;
use super::{Printed, Printer, checksum, cut, say, u8_at, u16_at, u32_at};

/// Ten seconds, which goes without saying.
const USUAL: u8 = 100;

impl Printer {
    pub(super) fn igmp(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "igmp";
        if self.style.quiet > 0 {
            say!(self, "igmp");
            return Ok(());
        }
        match u8_at(bytes, 0)? {
            0x11 => self.igmp_query(bytes, length)?,
            0x12 => {
                let group = self.ipv4(bytes, 4)?;
                say!(self, "igmp v1 report {group}");
                if length != 8 {
                    say!(self, " [len {length}]");
                }
            }
            0x16 => {
                let group = self.ipv4(bytes, 4)?;
                say!(self, "igmp v2 report {group}");
            }
            0x17 => {
                let group = self.ipv4(bytes, 4)?;
                say!(self, "igmp leave {group}");
            }
            0x22 => self.igmp_report(bytes, length)?,
            kind => say!(self, "igmp-{kind}"),
        }
        if self.style.verbose > 0 && length >= 4 && bytes.len() >= length && checksum(&[cut(bytes, length)]) != 0 {
            say!(self, " bad igmp cksum {:x}!", u16_at(bytes, 2)?);
        }
        Ok(())
    }

    fn igmp_query(&mut self, bytes: &[u8], length: usize) -> Printed {
        say!(self, "igmp query");
        let time = u8_at(bytes, 1)?;
        if length >= 12 {
            return self.igmp_query3(bytes, length, time);
        }
        match time {
            0 => say!(self, " v1"),
            USUAL => say!(self, " v2"),
            time => say!(self, " v2 [max resp time {time}]"),
        }
        if u32_at(bytes, 4)? != 0 {
            let group = self.ipv4(bytes, 4)?;
            say!(self, " [gaddr {group}]");
        }
        if length != 8 {
            say!(self, " [len {length}]");
        }
        Ok(())
    }

    fn igmp_query3(&mut self, bytes: &[u8], length: usize, code: u8) -> Printed {
        say!(self, " v3");
        if length & 3 != 0 {
            say!(self, " [invalid len {length}]");
            return Ok(());
        }
        if code != USUAL {
            let tenths = match code {
                0..128 => u32::from(code),
                _ => u32::from(code & 15 | 16) << (u32::from(code >> 4 & 7) + 3),
            };
            if tenths < 600 {
                say!(self, " [max resp time {}.{}s]", tenths / 10, tenths % 10);
            } else {
                say!(self, " [max resp time {}]", span(tenths / 10));
            }
        }
        if u32_at(bytes, 4)? == 0 {
            return Ok(());
        }
        let (group, sources) = (self.ipv4(bytes, 4)?, usize::from(u16_at(bytes, 10)?));
        say!(self, " [gaddr {group}");
        if sources > 0 && length < 12 + sources * 4 {
            say!(self, " [invalid number of sources]");
        } else if sources > 0 {
            self.sources(bytes, 12, sources, IGMP)?;
        }
        say!(self, "]");
        Ok(())
    }

    fn igmp_report(&mut self, bytes: &[u8], length: usize) -> Printed {
        say!(self, "igmp v3 report");
        if length < 16 || length & 3 != 0 {
            say!(self, " [invalid len {length}]");
            return Ok(());
        }
        self.group_records(bytes, length, IGMP)
    }
}

/// `unsigned_relts_print`
fn span(mut seconds: u32) -> String {
    let mut text = String::new();
    for (length, unit) in [(31_536_000, "y"), (604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] {
        if seconds >= length {
            text += &format!("{}{unit}", seconds / length);
            seconds %= length;
        }
    }
    if text.is_empty() { "0s".to_string() } else { text }
}
