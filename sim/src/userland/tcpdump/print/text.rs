//! Text protocols: their first line, or with `-v` all of them (`txtproto_print`).

use super::{Printed, Printer, cut, say, u8_at};

/// What a request of HTTP begins with.
const HTTP: &[&str] = &[
    "GET",
    "PUT",
    "COPY",
    "HEAD",
    "LOCK",
    "MOVE",
    "POLL",
    "POST",
    "BCOPY",
    "BMOVE",
    "MKCOL",
    "TRACE",
    "LABEL",
    "MERGE",
    "DELETE",
    "SEARCH",
    "UNLOCK",
    "REPORT",
    "UPDATE",
    "NOTIFY",
    "BDELETE",
    "CONNECT",
    "OPTIONS",
    "CHECKIN",
    "PROPFIND",
    "CHECKOUT",
    "CCM_POST",
    "SUBSCRIBE",
    "PROPPATCH",
    "BPROPFIND",
    "BPROPPATCH",
    "UNCHECKOUT",
    "MKACTIVITY",
    "MKWORKSPACE",
    "UNSUBSCRIBE",
    "RPC_CONNECT",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
];

/// The longest word that is looked at.
const LONGEST_WORD: usize = 127;

impl Printer {
    /// Requests and answers, but nothing of their bodies.
    pub(super) fn http(&mut self, bytes: &[u8], length: usize) -> Printed {
        let (word, rest) = word(cut(bytes, length));
        let request = HTTP.iter().any(|known| known.eq_ignore_ascii_case(word));
        let second = self::word(rest).0;
        let answer = !word.is_empty() && second.len() == 3 && second.bytes().all(|byte| byte.is_ascii_digit());
        self.lines("http", bytes, length, request || answer)
    }

    /// Lines of a protocol that has nothing but lines.
    pub(super) fn lines_of(&mut self, protocol: &'static str, bytes: &[u8], length: usize) -> Printed {
        self.lines(protocol, bytes, length, true)
    }

    fn lines(&mut self, protocol: &'static str, bytes: &[u8], length: usize, print: bool) -> Printed {
        self.protocol = protocol;
        say!(self, "{}", protocol.to_uppercase());
        if !print {
            return Ok(());
        }
        if self.style.verbose == 0 {
            self.line(": ", bytes, 0, length)?;
            return Ok(());
        }
        say!(self, ", length: {length}");
        let mut at = 0;
        while at < length {
            match self.line("\n\t", bytes, at, length)? {
                0 => break,
                next => at = next,
            }
        }
        Ok(())
    }

    /// Prints a line that begins at `start`; where the next begins, or 0 if this was no text or the last (`print_txt_line`).
    fn line(&mut self, before: &str, bytes: &[u8], start: usize, length: usize) -> Printed<usize> {
        let mut at = start;
        while at < length {
            let ends = match u8_at(bytes, at)? {
                b'\n' => Some(at + 1),
                b'\r' if at + 1 >= length => return Ok(0),
                b'\r' if u8_at(bytes, at + 1)? == b'\n' => Some(at + 2),
                b'\t' | b' '..=b'~' => None,
                _ => return Ok(0),
            };
            if let Some(next) = ends {
                self.text(before, bytes, start, at);
                return Ok(next);
            }
            at += 1;
        }
        self.text(before, bytes, start, at);
        self.truncated();
        Ok(0)
    }

    fn text(&mut self, before: &str, bytes: &[u8], start: usize, end: usize) {
        let text: String = bytes.get(start..end).unwrap_or(&[]).iter().map(|byte| *byte as char).collect();
        say!(self, "{before}{text}");
    }

    /// A character of something that should be text (`fn_print_char`).
    pub(super) fn character(&mut self, byte: u8) {
        let low = byte & 0x7f;
        if byte != low {
            say!(self, "M-");
        }
        match low {
            b' '..=b'~' => say!(self, "{}", low as char),
            _ => say!(self, "^{}", (low ^ 0x40) as char),
        }
    }
}

/// The first word, and what follows the blanks behind it; an empty word if there is none (`fetch_token`).
fn word(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).unwrap_or(bytes.len());
    let (word, rest) = bytes.split_at(end);
    let fits = word.len() < LONGEST_WORD && word.iter().all(|byte| (b' '..=b'~').contains(byte));
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let word = if fits { std::str::from_utf8(word).unwrap_or("") } else { "" };
    (word, rest.get(blanks..).unwrap_or(&[]))
}
