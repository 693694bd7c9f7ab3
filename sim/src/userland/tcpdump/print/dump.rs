//! Bytes in hexadecimal and ASCII.

use super::{Printer, cut, from, say};

/// Bytes in a line.
const LINE: usize = 16;

impl Printer {
    /// What `-x`, `-X` and `-A` add to a packet.
    pub(super) fn dump(&mut self, packet: &[u8]) {
        let payload = from(packet, self.link_length);
        let (hex_ascii, hex, ascii) = (self.style.hex_ascii, self.style.hex, self.style.ascii);
        let of = |times: u8| if times > 1 { packet } else { payload };
        if hex_ascii > 0 {
            self.hex_and_ascii("\n\t", of(hex_ascii));
        } else if hex > 0 {
            self.hex("\n\t", of(hex));
        } else if ascii > 0 && !of(ascii).is_empty() {
            self.ascii(of(ascii));
        }
    }

    /// The bytes of something unknown, unless a dump follows or quiet is asked for (`ND_DEFAULTPRINT`).
    pub(super) fn unknown(&mut self, bytes: &[u8]) {
        if self.style.quiet == 0 && self.style.hex == 0 && self.style.hex_ascii == 0 {
            self.hex_and_ascii("\n\t", bytes);
        }
    }

    pub(super) fn hex_and_ascii(&mut self, indent: &str, bytes: &[u8]) {
        for (line, bytes) in bytes.chunks(LINE).enumerate() {
            let hex: String = bytes.chunks(2).map(|pair| format!(" {}", digits(pair))).collect();
            let ascii: String =
                bytes.iter().map(|byte| if byte.is_ascii_graphic() { *byte as char } else { '.' }).collect();
            say!(self, "{indent}0x{:04x}: {hex:40}  {ascii}", line * LINE);
        }
    }

    pub(super) fn hex(&mut self, indent: &str, bytes: &[u8]) {
        for (line, bytes) in bytes.chunks(LINE).enumerate() {
            say!(self, "{indent}0x{:04x}: ", line * LINE);
            for pair in bytes.chunks(2) {
                say!(self, " {}", digits(pair));
            }
        }
    }

    /// What is left of something whose meaning is unknown (`print_unknown_data`).
    pub(super) fn rest(&mut self, indent: &str, bytes: &[u8], length: usize) {
        self.hex(indent, cut(bytes, length));
    }

    fn ascii(&mut self, bytes: &[u8]) {
        say!(self, "\n");
        for (at, byte) in bytes.iter().enumerate() {
            let left = bytes.len() - at - 1;
            match byte {
                // Ends of lines are one character here.
                b'\r' if left > 1 && bytes.get(at + 1) != Some(&b'\n') => self.out.push('.'),
                b'\r' => {}
                b'\t' | b' ' | b'\n' => self.out.push(*byte as char),
                byte if byte.is_ascii_graphic() => self.out.push(*byte as char),
                _ => self.out.push('.'),
            }
        }
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
