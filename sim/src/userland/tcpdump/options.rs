//! The options of `tcpdump`.

use super::MAXIMUM_SNAPLEN;
use super::print::Style;
use crate::lab::Exit;
use crate::userland::Proc;
use crate::userland::getopt::{Item, Long, Takes, getopt};
use crate::userland::number::strtol;

const SHORT: &str = "aAbB:c:C:dDeE:fF:G:hHi:Ij:JKlLm:M:nNOpqQ:r:s:StT:uUvV:w:W:xXy:Yz:Z:#";
const LONG: &[Long] = &[
    ("buffer-size", Takes::Value, 'B'),
    ("list-interfaces", Takes::Nothing, 'D'),
    ("help", Takes::Nothing, 'h'),
    ("interface", Takes::Value, 'i'),
    ("monitor-mode", Takes::Nothing, 'I'),
    ("time-stamp-type", Takes::Value, 'j'),
    ("list-time-stamp-types", Takes::Nothing, 'J'),
    ("micro", Takes::Nothing, MICRO),
    ("nano", Takes::Nothing, NANO),
    ("time-stamp-precision", Takes::Value, PRECISION),
    ("dont-verify-checksums", Takes::Nothing, 'K'),
    ("list-data-link-types", Takes::Nothing, 'L'),
    ("no-optimize", Takes::Nothing, 'O'),
    ("no-promiscuous-mode", Takes::Nothing, 'p'),
    ("direction", Takes::Value, 'Q'),
    ("snapshot-length", Takes::Value, 's'),
    ("absolute-tcp-sequence-numbers", Takes::Nothing, 'S'),
    ("packet-buffered", Takes::Nothing, 'U'),
    ("linktype", Takes::Value, 'y'),
    ("immediate-mode", Takes::Nothing, IMMEDIATE),
    ("debug-filter-parser", Takes::Nothing, 'Y'),
    ("relinquish-privileges", Takes::Value, 'Z'),
    ("count", Takes::Nothing, COUNT),
    ("number", Takes::Nothing, '#'),
    ("print", Takes::Nothing, PRINT),
    ("version", Takes::Nothing, VERSION),
];
/// Letters of options that have no letter.
const MICRO: char = '\u{80}';
const NANO: char = '\u{81}';
const PRECISION: char = '\u{82}';
const IMMEDIATE: char = '\u{83}';
const COUNT: char = '\u{84}';
const PRINT: char = '\u{85}';
const VERSION: char = '\u{86}';

const VERSIONS: &str = "\
tcpdump version 4.99.3
libpcap version 1.10.3 (with TPACKET_V3)
OpenSSL 3.0.19 27 Jan 2026
";
const USAGE: &str = "\
Usage: tcpdump [-AbdDefhHIJKlLnNOpqStuUvxX#] [ -B size ] [ -c count ] [--count]
\t\t[ -C file_size ] [ -E algo:secret ] [ -F file ] [ -G seconds ]
\t\t[ -i interface ] [ --immediate-mode ] [ -j tstamptype ]
\t\t[ -M secret ] [ --number ] [ --print ] [ -Q in|out|inout ]
\t\t[ -r file ] [ -s snaplen ] [ -T type ] [ --version ]
\t\t[ -V file ] [ -w file ] [ -W filecount ] [ -y datalinktype ]
\t\t[ --time-stamp-precision precision ] [ --micro ] [ --nano ]
\t\t[ -z postrotate-command ] [ -Z user ] [ expression ]
";

/// Where packets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `-D`: nowhere, devices are listed.
    List,
    /// `-i`, or the first device.
    Device(Option<String>),
    /// `-r`
    File(String),
}

/// Which way packets are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    #[default]
    Both,
    In,
    Out,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) program: String,
    pub(super) source: Source,
    pub(super) style: Style,
    /// `-c`
    pub(super) count: Option<u64>,
    /// `-s`; 0 is the most.
    pub(super) snaplen: usize,
    pub(super) way: Way,
    /// `-w`
    pub(super) write: Option<String>,
    /// `--print`: text as well.
    pub(super) print: bool,
    /// `-l`
    pub(super) by_line: bool,
    /// `-U`
    pub(super) by_packet: bool,
    /// `--count`
    pub(super) count_only: bool,
    /// `-p`
    pub(super) modest: bool,
    /// `-L`
    pub(super) list_links: bool,
    /// `-y`
    pub(super) link: Option<String>,
    /// `-F`
    pub(super) filter_file: Option<String>,
    /// The expression.
    pub(super) words: Vec<String>,
}

/// Reads the words; what is complained about is printed.
pub(super) fn parse(p: &Proc) -> Result<Options, Exit> {
    let program = p.argv().first().and_then(|name| name.rsplit('/').next()).unwrap_or("tcpdump").to_string();
    let parsed = getopt(p.argv(), SHORT, LONG);
    let mut options = Options {
        program: program.clone(),
        source: Source::Device(None),
        style: Style::default(),
        count: None,
        snaplen: 0,
        way: Way::Both,
        write: None,
        print: false,
        by_line: false,
        by_packet: false,
        count_only: false,
        modest: false,
        list_links: false,
        link: None,
        filter_file: None,
        words: parsed.operands,
    };
    for item in parsed.items {
        match item {
            Item::Bad(complaint) => {
                p.err(&format!("{complaint}{VERSIONS}{USAGE}"));
                return Err(Exit::Status(1));
            }
            Item::Option('h', _) => {
                p.out(&format!("{VERSIONS}{USAGE}"));
                return Err(Exit::Status(0));
            }
            Item::Option(VERSION, _) => {
                p.out(VERSIONS);
                return Err(Exit::Status(0));
            }
            Item::Option(letter, value) => options.take(letter, value.unwrap_or_default()).map_err(|complaint| {
                p.err(&format!("{program}: {complaint}\n"));
                Exit::Status(1)
            })?,
        }
    }
    if options.style.time > 5 {
        p.err(&format!("{program}: only -t, -tt, -ttt, -tttt and -ttttt are supported\n"));
        return Err(Exit::Status(1));
    }
    Ok(options)
}

impl Options {
    fn take(&mut self, letter: char, value: String) -> Result<(), String> {
        if self.style.take(letter) {
            return Ok(());
        }
        match letter {
            // They change nothing here: no optimizer, no names but one, and no privileges to give up.
            'a' | 'b' | 'H' | 'O' | 'N' | 'u' | 'Y' | 'm' | IMMEDIATE | MICRO => {}
            'B' if strtol(&value, 10).value <= 0 => return Err(format!("invalid packet buffer size {value}")),
            'B' => {}
            'c' => {
                let count = u64::try_from(strtol(&value, 10).value).ok().filter(|count| *count > 0);
                self.count = Some(count.ok_or_else(|| format!("invalid packet count {value}"))?);
            }
            'D' => self.source = Source::List,
            'F' => self.filter_file = Some(value),
            'i' if self.source == Source::List => {}
            'i' => self.source = Source::Device(Some(value)),
            'l' => self.by_line = true,
            'L' => self.list_links = true,
            'p' => self.modest = true,
            'Q' => {
                self.way = match value.to_ascii_lowercase().as_str() {
                    "in" => Way::In,
                    "out" => Way::Out,
                    "inout" => Way::Both,
                    _ => return Err(format!("unknown capture direction `{value}'")),
                }
            }
            'r' => self.source = Source::File(value),
            's' => self.snaplen = snaplen(&value)?,
            'U' => self.by_packet = true,
            'w' => self.write = Some(value),
            'y' => self.link = Some(value),
            'Z' if value != "root" => return Err(format!("Couldn't find user '{value}'")),
            'Z' => {}
            COUNT => self.count_only = true,
            PRINT => self.print = true,
            PRECISION => match value.as_str() {
                "micro" => self.style.nanoseconds = false,
                "nano" => self.style.nanoseconds = true,
                _ => return Err("unsupported time stamp precision".to_string()),
            },
            letter => return Err(format!("option -{letter} is not simulated")),
        }
        Ok(())
    }
}

impl Style {
    /// Takes an option that says how packets are printed; false if it is none.
    fn take(&mut self, letter: char) -> bool {
        let more = |count: &mut u8| *count = count.saturating_add(1);
        match letter {
            'A' => more(&mut self.ascii),
            'e' => self.link = true,
            'K' => self.trusting = true,
            'n' => self.numeric = true,
            'q' => more(&mut self.quiet),
            'S' => self.absolute = true,
            't' => more(&mut self.time),
            'v' => more(&mut self.verbose),
            'x' => more(&mut self.hex),
            'X' => more(&mut self.hex_ascii),
            '#' => self.numbered = true,
            NANO => self.nanoseconds = true,
            _ => return false,
        }
        true
    }
}

fn snaplen(text: &str) -> Result<usize, String> {
    let digits = text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| usize::from_str_radix(hex, 16).ok());
    let fits = digits.filter(|length| *length <= MAXIMUM_SNAPLEN);
    fits.ok_or_else(|| format!("invalid snaplen {text} (must be >= 0 and <= {MAXIMUM_SNAPLEN})"))
}
