//! `nc`'s command line.

use super::super::getopt::{Item, getopt};
use super::super::number::strtol;

const SHORT: &str = "46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zz";

/// `nc -h`: who it is, how it is called, and its options.
pub(super) const HELP: &str = include_str!("help.txt");

/// How it is called, without the options.
pub(super) fn usage() -> String {
    let lines = HELP.lines().skip(1).take_while(|line| !line.contains("Command Summary"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) broadcast: bool,
    pub(super) crlf: bool,
    pub(super) no_stdin: bool,
    /// Seconds before each round.
    pub(super) interval: u64,
    pub(super) keep: bool,
    pub(super) listen: bool,
    pub(super) ttl: Option<u8>,
    pub(super) shut: bool,
    pub(super) numeric: bool,
    pub(super) source_port: Option<String>,
    /// Seconds to stay when all is done.
    pub(super) quit: i64,
    pub(super) random: bool,
    pub(super) source: Option<String>,
    pub(super) tos: u8,
    pub(super) telnet: bool,
    pub(super) udp: bool,
    pub(super) verbose: bool,
    pub(super) receive_limit: u64,
    /// Seconds.
    pub(super) timeout: Option<u64>,
    pub(super) scan: bool,
    /// Where to, or where to listen.
    pub(super) host: Option<String>,
    /// Ports, or ranges of them.
    pub(super) ports: Vec<String>,
}

/// Why it ends before it has begun: what is said on standard error, and the status.
pub(super) type Stop = (String, i32);

fn stop<T>(text: &str) -> Result<T, Stop> {
    Err((format!("nc: {text}\n"), 1))
}

/// Reads the words.
pub(super) fn parse(argv: &[String]) -> Result<Options, Stop> {
    let parsed = getopt(argv, SHORT, &[]);
    let mut options = Options { quit: -1, ..Options::default() };
    for item in &parsed.items {
        match item {
            Item::Option(letter, None) => options.flag(*letter)?,
            Item::Option(letter, Some(value)) => options.value(*letter, value)?,
            Item::Bad(complaint) => return Err((format!("{complaint}{}", usage()), 1)),
        }
    }
    options.operands(&parsed.operands)?;
    if options.listen && options.scan {
        return stop("cannot use -z and -l");
    }
    if !options.listen && options.keep {
        return stop("must use -l with -k");
    }
    Ok(options)
}

impl Options {
    fn flag(&mut self, letter: char) -> Result<(), Stop> {
        match letter {
            'b' => self.broadcast = true,
            'C' => self.crlf = true,
            'd' => self.no_stdin = true,
            'h' => return Err((HELP.to_string(), 0)),
            'k' => self.keep = true,
            'l' => self.listen = true,
            'N' => self.shut = true,
            'n' => self.numeric = true,
            'r' => self.random = true,
            't' => self.telnet = true,
            'u' => self.udp = true,
            'v' => self.verbose = true,
            'z' => self.scan = true,
            '6' => return stop("IPv6 (-6) is not simulated"),
            'F' => return stop("passing sockets on (-F) is not simulated"),
            'S' => return stop("MD5 signatures (-S) are not simulated"),
            'U' => return stop("UNIX domain sockets (-U) are not simulated"),
            'Z' => return stop("DCCP (-Z) is not simulated"),
            // -4 is what we are; -D changes nothing that is seen.
            _ => {}
        }
        Ok(())
    }

    fn value(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        match letter {
            'I' | 'O' => {
                let window = if letter == 'I' { "TCP receive window" } else { "TCP send window" };
                number(window, value, 1, 65536 << 14)?;
                return stop(&format!("buffer lengths (-{letter}) are not simulated"));
            }
            'i' => self.interval = number("interval", value, 0, i64::from(u32::MAX))? as u64,
            'M' | 'm' => {
                let name = if letter == 'M' { "ttl is" } else { "minttl is" };
                let ttl = within(value, 0, 255).or_else(|what| stop(&format!("{name} {what}")))?;
                match (letter, ttl as u8) {
                    ('M', 0) => return stop("set IP TTL: Invalid argument"),
                    ('M', ttl) => self.ttl = Some(ttl),
                    (_, 0) => {}
                    _ => return stop("a least TTL (-m) is not simulated"),
                }
            }
            'p' => self.source_port = Some(value.to_string()),
            'q' => {
                self.quit = number("quit timer", value, i64::from(i32::MIN), i64::from(i32::MAX))?;
                self.shut |= self.quit >= 0;
            }
            's' => self.source = Some(value.to_string()),
            'T' => self.tos = tos(value).map_or_else(|| stop(&format!("illegal tos value {value}")), Ok)?,
            'V' => return stop("no alternate routing table support available"),
            'W' => self.receive_limit = number("receive limit", value, 1, i64::from(i32::MAX))? as u64,
            'w' => self.timeout = Some(number("timeout", value, 0, i64::from(i32::MAX / 1000))? as u64),
            'X' if !["connect", "4", "5"].contains(&value) => return stop("unsupported proxy protocol"),
            'x' => return stop("proxies (-x) are not simulated"),
            // -P and -X mean nothing without -x.
            _ => {}
        }
        Ok(())
    }

    /// Host and ports.
    fn operands(&mut self, operands: &[String]) -> Result<(), Stop> {
        let bound = self.source.is_some() || self.source_port.is_some();
        match operands {
            [] if self.listen => {
                let Some(port) = self.source_port.take() else { return stop("missing port number") };
                (self.host, self.ports) = (self.source.take(), vec![port]);
            }
            [port] if self.listen && !bound => self.ports = vec![port.clone()],
            [host, port] if self.listen && !bound => (self.host, self.ports) = (Some(host.clone()), vec![port.clone()]),
            [host, ports @ ..] if !self.listen && !ports.is_empty() => {
                (self.host, self.ports) = (Some(host.clone()), ports.to_vec());
            }
            [_] if !self.listen => return stop("missing port number"),
            _ => return Err((usage(), 1)),
        }
        Ok(())
    }
}

/// `strtonum`: what is wrong with the number.
pub(super) fn within(text: &str, least: i64, most: i64) -> Result<i64, &'static str> {
    let number = strtol(text, 10);
    if number.empty || !number.rest.is_empty() {
        return Err("invalid");
    }
    match number.value {
        value if value < least => Err("too small"),
        value if value > most => Err("too large"),
        value => Ok(value),
    }
}

fn number(name: &str, text: &str, least: i64, most: i64) -> Result<i64, Stop> {
    within(text, least, most).or_else(|what| stop(&format!("{name} {what}: {text}")))
}

/// Names and numbers of the TOS byte.
fn tos(text: &str) -> Option<u8> {
    const NAMES: &[(&str, u8)] = &[
        ("cs0", 0x00),
        ("cs1", 0x20),
        ("cs2", 0x40),
        ("cs3", 0x60),
        ("cs4", 0x80),
        ("cs5", 0xa0),
        ("cs6", 0xc0),
        ("cs7", 0xe0),
        ("critical", 0xa0),
        ("ef", 0xb8),
        ("inetcontrol", 0xc0),
        ("lowdelay", 0x10),
        ("netcontrol", 0xe0),
        ("reliability", 0x04),
        ("throughput", 0x08),
    ];
    let assured = || {
        let [class, drop] = text.strip_prefix("af")?.as_bytes() else { return None };
        let fits = (b'1'..=b'4').contains(class) && (b'1'..=b'3').contains(drop);
        fits.then(|| (class - b'0') << 5 | (drop - b'0') << 3)
    };
    let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).or_else(assured);
    named.or_else(|| {
        let number = strtol(text, if text.starts_with("0x") { 16 } else { 10 });
        (number.rest.is_empty() && !number.empty).then_some(u8::try_from(number.value).ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, Stop> {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        parse(&argv)
    }

    #[test]
    fn where_a_listener_gets_its_port_from() {
        let place = |line: &str| parsed(line).map(|options| (options.host, options.ports.join(",")));
        let at = |host: Option<&str>| Ok((host.map(str::to_string), "80".to_string()));
        assert_eq!(place("nc -l 80"), at(None));
        assert_eq!(place("nc -l -p 80"), at(None));
        assert_eq!(place("nc -l 1.2.3.4 80"), at(Some("1.2.3.4")));
        assert_eq!(place("nc -l -s 1.2.3.4 -p 80"), at(Some("1.2.3.4")));
        for line in ["nc -l 80 -p 90", "nc -l 1.2.3.4 -p 80", "nc -l -s 1.2.3.4 80", "nc -l a b c"] {
            assert_eq!(place(line), Err((usage(), 1)), "{line}");
        }
    }

    #[test]
    fn complaints_are_those_of_the_real_one() {
        for (line, text) in [
            ("nc 127.0.0.1", "nc: missing port number"),
            ("nc -l -s 127.0.0.1", "nc: missing port number"),
            ("nc -k 127.0.0.1 80", "nc: must use -l with -k"),
            ("nc -w x 127.0.0.1 80", "nc: timeout invalid: x"),
            ("nc -w -1 127.0.0.1 80", "nc: timeout too small: -1"),
            ("nc -w 99999999 127.0.0.1 80", "nc: timeout too large: 99999999"),
            ("nc -i .5 127.0.0.1 80", "nc: interval invalid: .5"),
            ("nc -T 300 127.0.0.1 80", "nc: illegal tos value 300"),
            ("nc -M 300 127.0.0.1 80", "nc: ttl is too large"),
            ("nc -X 9 127.0.0.1 80", "nc: unsupported proxy protocol"),
        ] {
            assert_eq!(parsed(line), Err((format!("{text}\n"), 1)), "{line}");
        }
    }

    #[test]
    fn tos_by_name_and_number() {
        let bytes = ["lowdelay", "af11", "ef", "16", "0x10"].map(tos);
        assert_eq!(bytes, [Some(0x10), Some(0x28), Some(0xb8), Some(16), Some(16)]);
        assert_eq!(["af14", "300", "foo", ""].map(tos), [None; 4]);
    }
}
