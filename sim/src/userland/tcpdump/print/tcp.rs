//! TCP.

use super::ip::Outer;
use super::{Cut, Printed, Printer, bits, cut, from, name, say, should_be, u8_at, u16_at, u32_at};
use std::collections::BTreeMap;

const HEADER: usize = 20;
const TCP: u8 = 6;
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const URG: u8 = 32;
/// Conversations that are remembered; a long run forgets the rest rather than grow.
const LIMIT: usize = 1 << 16;

const FLAGS: &[(u32, &str)] = &[(1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "."), (32, "U"), (64, "E"), (128, "W")];
const OPTIONS: &[(u32, &str)] = &[
    (0, "eol"),
    (1, "nop"),
    (2, "mss"),
    (3, "wscale"),
    (4, "sackOK"),
    (5, "sack"),
    (6, "echo"),
    (7, "echoreply"),
    (8, "TS"),
    (11, "cc"),
    (12, "ccnew"),
    (13, ""),
    (19, "md5"),
    (20, "scps"),
    (28, "uto"),
    (29, "tcp-ao"),
    (30, "mptcp"),
    (34, "tfo"),
    (254, "exp"),
];

/// Where the sequence numbers of both directions began, by the ends of a conversation.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    known: BTreeMap<Ends, (u32, u32)>,
}

/// Addresses and ports, the lower port first.
type Ends = (Vec<u8>, Vec<u8>, u16, u16);

/// A segment's numbers, as they are printed.
#[derive(Clone, Copy, Default)]
struct Numbers {
    sequence: u32,
    acknowledged: u32,
    /// Where the other direction began, from which selective acknowledgements count.
    other: u32,
}

/// Why options end early.
enum Stop {
    Bad,
    /// An option's bytes are missing.
    Short,
    /// So is what says how long it is.
    Cut,
}

impl From<Cut> for Stop {
    fn from(_: Cut) -> Stop {
        Stop::Cut
    }
}

impl Printer {
    pub(super) fn tcp(&mut self, bytes: &[u8], length: usize, outer: Outer<'_>) -> Printed {
        self.protocol = "tcp";
        if bytes.len() < 4 {
            let (source, destination) = outer.ends(self)?;
            say!(self, "{source} > {destination}:");
            self.truncated();
            return Ok(());
        }
        let ports = (u16_at(bytes, 0)?, u16_at(bytes, 2)?);
        let (from_port, to_port) = (self.tcp_port(ports.0), self.tcp_port(ports.1));
        if outer.protocol()? == TCP {
            let (source, destination) = outer.ends(self)?;
            say!(self, "{source}.{from_port} > {destination}.{to_port}: ");
        } else {
            say!(self, "{from_port} > {to_port}: ");
        }
        if bytes.len() < HEADER {
            self.truncated();
            return Ok(());
        }
        let header = usize::from(u8_at(bytes, 12)? >> 4) * 4;
        if header < HEADER {
            let left = (length as u32).wrapping_sub(header as u32);
            say!(self, " tcp {left} [bad hdr length {header} - too short, < {HEADER}]");
            return Ok(());
        }
        if self.style.quiet > 0 {
            say!(self, "tcp {}", (length as u32).wrapping_sub(header as u32));
            if header > length {
                say!(self, " [bad hdr length {header} - too long, > {length}]");
            }
            return Ok(());
        }
        let flags = u8_at(bytes, 13)?;
        say!(self, "Flags [{}]", bits(FLAGS, flags.into(), ""));
        let numbers = self.tcp_numbers(bytes, ports, flags, outer)?;
        if header > length {
            say!(self, " [bad hdr length {header} - too long, > {length}]");
            return Ok(());
        }
        self.tcp_segment(bytes, length, header, numbers, outer)
    }

    fn tcp_segment(
        &mut self,
        bytes: &[u8],
        length: usize,
        header: usize,
        numbers: Numbers,
        outer: Outer<'_>,
    ) -> Printed {
        let flags = u8_at(bytes, 13)?;
        let verbose = self.style.verbose;
        if verbose > 0 && !self.style.trusting && !outer.fragmented && bytes.len() >= length {
            self.tcp_checksum(bytes, length, outer)?;
        }
        let left = length - header;
        if verbose > 1 || left > 0 || flags & (SYN | FIN | RST) != 0 {
            say!(self, ", seq {}", numbers.sequence);
            if left > 0 {
                say!(self, ":{}", numbers.sequence.wrapping_add(left as u32));
            }
        }
        if flags & ACK != 0 {
            say!(self, ", ack {}", numbers.acknowledged);
        }
        say!(self, ", win {}", u16_at(bytes, 14)?);
        if flags & URG != 0 {
            say!(self, ", urg {}", u16_at(bytes, 18)?);
        }
        if header > HEADER {
            let mut said = false;
            say!(self, ", options [");
            match self.tcp_options(from(bytes, HEADER), header - HEADER, numbers.other, &mut said) {
                Ok(()) => say!(self, "]"),
                Err(stop) => return self.tcp_options_stop(stop, said),
            }
        }
        say!(self, ", length {left}");
        if left == 0 {
            return Ok(());
        }
        if bytes.len() < header {
            say!(self, " [remaining caplen({}) < header length({header})]", bytes.len());
            return Err(Cut);
        }
        let payload = from(bytes, header);
        if flags & RST != 0 && verbose > 0 {
            self.tcp_reset_reason(payload, left);
            return Ok(());
        }
        self.tcp_payload(payload, left, [u16_at(bytes, 0)?, u16_at(bytes, 2)?])
    }

    fn tcp_checksum(&mut self, bytes: &[u8], length: usize, outer: Outer<'_>) -> Printed {
        let said = u16_at(bytes, 16)?;
        say!(self, ", cksum 0x{said:04x}");
        match outer.checksum(bytes, length, TCP)? {
            0 => say!(self, " (correct)"),
            sum => say!(self, " (incorrect -> 0x{:04x})", should_be(said, sum)),
        }
        Ok(())
    }

    /// Behind options that cannot be read nothing is read.
    fn tcp_options_stop(&mut self, stop: Stop, said: bool) -> Printed {
        match stop {
            Stop::Bad => say!(self, "[bad opt]{}", if said { "]" } else { "" }),
            Stop::Cut => return Err(Cut),
            Stop::Short => {
                self.truncated();
                if said {
                    say!(self, ">");
                }
            }
        }
        Ok(())
    }

    fn tcp_payload(&mut self, payload: &[u8], length: usize, ports: [u16; 2]) -> Printed {
        let is = |port| ports.contains(&port);
        if is(25) {
            say!(self, ": ");
            self.lines_of("smtp", payload, length)?;
        } else if is(43) {
            say!(self, ": ");
            self.lines_of("whois", payload, length)?;
        } else if is(21) {
            say!(self, ": ");
            self.lines_of("ftp", payload, length)?;
        } else if is(80) || is(8080) {
            say!(self, ": ");
            self.http(payload, length)?;
        }
        Ok(())
    }

    /// The numbers as they are printed: counted from the conversation's beginning, unless `-S` or the first of it.
    fn tcp_numbers(&mut self, bytes: &[u8], ports: (u16, u16), flags: u8, outer: Outer<'_>) -> Printed<Numbers> {
        let (sequence, acknowledged) = (u32_at(bytes, 4)?, u32_at(bytes, 8)?);
        if self.style.absolute || flags & ACK == 0 {
            return Ok(Numbers { sequence, acknowledged, other: 0 });
        }
        let (at, size) = if outer.version == 4 { (12, 4) } else { (8, 16) };
        let ends = outer.header.get(at..at + 2 * size).ok_or(Cut)?;
        let (source, destination) = ends.split_at(size);
        let reversed = ports.0 > ports.1 || ports.0 == ports.1 && source > destination;
        let key = if reversed {
            (destination.to_vec(), source.to_vec(), ports.1, ports.0)
        } else {
            (source.to_vec(), destination.to_vec(), ports.0, ports.1)
        };
        let known = self.conversations.known.get(&key).copied().filter(|_| flags & SYN == 0);
        let Some((first, second)) = known else {
            let began = acknowledged.wrapping_sub(1);
            let began = if reversed { (began, sequence) } else { (sequence, began) };
            if self.conversations.known.len() >= LIMIT {
                self.conversations.known.pop_first();
            }
            self.conversations.known.insert(key, began);
            let other = if reversed { began.0 } else { began.1 };
            return Ok(Numbers { sequence, acknowledged, other });
        };
        let (mine, other) = if reversed { (second, first) } else { (first, second) };
        Ok(Numbers { sequence: sequence.wrapping_sub(mine), acknowledged: acknowledged.wrapping_sub(other), other })
    }

    fn tcp_options(&mut self, mut bytes: &[u8], mut left: usize, other: u32, said: &mut bool) -> Result<(), Stop> {
        while left > 0 {
            if *said {
                say!(self, ",");
            }
            let kind = u8_at(bytes, 0)?;
            let bare = kind <= 1;
            let length = if bare { 1 } else { usize::from(u8_at(bytes, 1)?) };
            if !bare && (length < 2 || length > left) {
                return Err(Stop::Bad);
            }
            match name(OPTIONS, kind.into()) {
                Some(name) => say!(self, "{name}"),
                None => say!(self, "unknown-{kind}"),
            }
            let header = if bare { 1 } else { 2 };
            let room = left - header;
            let used = self.tcp_option(kind, from(bytes, header), length - header, room, other)?;
            if used + header != length {
                say!(self, "[len {length}]");
            }
            *said = true;
            if kind == 0 {
                break;
            }
            bytes = from(bytes, header + used);
            left = left.saturating_sub(header + used);
        }
        Ok(())
    }

    /// Prints what an option says; how many of its bytes are understood.
    fn tcp_option(&mut self, kind: u8, data: &[u8], length: usize, room: usize, other: u32) -> Result<usize, Stop> {
        let used = match kind {
            0 | 1 | 4 => 0,
            2 | 28 => 2,
            3 => 1,
            5 if !length.is_multiple_of(8) => {
                say!(self, " invalid sack");
                return Ok(length);
            }
            6 | 7 | 11 | 12 | 13 => 4,
            8 => 8,
            _ => length,
        };
        let needed = if kind == 254 { length.max(2) } else { used };
        if needed > room {
            return Err(Stop::Bad);
        }
        if needed > data.len() {
            return Err(Stop::Short);
        }
        match kind {
            0 | 1 | 4 => {}
            2 => say!(self, " {}", u16_at(data, 0)?),
            3 => say!(self, " {}", u8_at(data, 0)?),
            5 => self.tcp_sack(cut(data, length), other)?,
            6 | 7 | 11 | 12 | 13 => say!(self, " {}", u32_at(data, 0)?),
            8 => say!(self, " val {} ecr {}", u32_at(data, 0)?, u32_at(data, 4)?),
            28 => {
                let value = u16_at(data, 0)?;
                let seconds = if value & 1 != 0 { u32::from(value >> 1) * 60 } else { u32::from(value >> 1) };
                say!(self, " 0x{value:x} {seconds}");
            }
            34 => {
                say!(self, " ");
                self.tcp_cookie(cut(data, length));
            }
            254 => self.tcp_experiment(cut(data, length))?,
            _ => {
                if length > 0 {
                    say!(self, " 0x");
                }
                for byte in cut(data, length) {
                    say!(self, "{byte:02x}");
                }
            }
        }
        Ok(used)
    }

    /// Blocks that came though one before them did not.
    fn tcp_sack(&mut self, data: &[u8], other: u32) -> Printed {
        say!(self, " {} ", data.len() / 8);
        for at in (0..data.len()).step_by(8) {
            let (start, end) = (u32_at(data, at)?, u32_at(data, at + 4)?);
            say!(self, "{{{}:{}}}", start.wrapping_sub(other), end.wrapping_sub(other));
        }
        Ok(())
    }

    /// RFC 6994
    fn tcp_experiment(&mut self, data: &[u8]) -> Printed {
        match u16_at(data, 0)? {
            0xf989 => {
                say!(self, "-tfo");
                self.tcp_cookie(from(data, 2));
            }
            magic => say!(self, "-{magic:04x}"),
        }
        Ok(())
    }

    /// TCP Fast Open.
    fn tcp_cookie(&mut self, cookie: &[u8]) {
        if cookie.is_empty() {
            say!(self, " cookiereq");
            return;
        }
        if !cookie.len().is_multiple_of(2) || !(4..=16).contains(&cookie.len()) {
            self.invalid();
            return;
        }
        say!(self, " cookie ");
        for byte in cookie {
            say!(self, "{byte:02x}");
        }
    }

    /// What a reset gives as its reason.
    fn tcp_reset_reason(&mut self, bytes: &[u8], length: usize) {
        const LONGEST: usize = 30;
        say!(self, "{}", if bytes.len() >= length { " [RST" } else { " [!RST" });
        if length > LONGEST {
            say!(self, "+");
        }
        say!(self, " ");
        for byte in cut(bytes, length.min(LONGEST)) {
            self.character(*byte);
        }
        say!(self, "]");
    }
}
