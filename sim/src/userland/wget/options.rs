//! `wget`'s command line.

use super::super::getopt::{Item, Long, Takes, getopt};
use super::super::sleep::interval;

const SHORT: &str = "4cdn:O:P:qST:t:U:vVY:h";
const LONG: &[Long] = &[
    ("inet4-only", Takes::Nothing, '4'),
    ("no-verbose", Takes::Nothing, 'y'),
    ("no-proxy", Takes::Nothing, '4'),
    ("no-check-certificate", Takes::Nothing, '4'),
    ("output-document", Takes::Value, 'O'),
    ("directory-prefix", Takes::Value, 'P'),
    ("quiet", Takes::Nothing, 'q'),
    ("server-response", Takes::Nothing, 'S'),
    ("timeout", Takes::Value, 'T'),
    ("connect-timeout", Takes::Value, 'T'),
    ("read-timeout", Takes::Value, 'T'),
    ("tries", Takes::Value, 't'),
    ("spider", Takes::Nothing, 's'),
    ("verbose", Takes::Nothing, 'v'),
    ("version", Takes::Nothing, 'V'),
];
const USAGE: &str = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n";

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    pub(super) quiet: bool,
    /// `-nv`
    pub(super) terse: bool,
    pub(super) show_head: bool,
    pub(super) spider: bool,
    pub(super) output: Option<String>,
    pub(super) prefix: Option<String>,
    /// Seconds; 0 is for ever.
    pub(super) timeout: f64,
    /// 0 is for ever.
    pub(super) tries: u64,
    pub(super) urls: Vec<String>,
}

/// Reads the words; else what is printed on both streams, and the status.
pub(super) fn parse(argv: &[String]) -> Result<Options, (String, String, i32)> {
    let parsed = getopt(argv, SHORT, LONG);
    let mut options = Options {
        quiet: false,
        terse: false,
        show_head: false,
        spider: false,
        output: None,
        prefix: None,
        timeout: 0.0,
        tries: 20,
        urls: parsed.operands,
    };
    for item in parsed.items {
        let wrong = |text: String| Err((String::new(), text, 2));
        match item {
            Item::Option('q', _) => options.quiet = true,
            Item::Option('y', _) => options.terse = true,
            Item::Option('n', Some(letters)) if letters == "v" => options.terse = true,
            Item::Option('S', _) => options.show_head = true,
            Item::Option('s', _) => options.spider = true,
            Item::Option('O', value) => options.output = value,
            Item::Option('P', value) => options.prefix = value,
            Item::Option('T', Some(value)) => match interval(&value) {
                Some(seconds) if seconds < 1e9 => options.timeout = seconds,
                _ => return wrong(format!("wget: --timeout: Invalid time period '{value}'\n")),
            },
            Item::Option('t', Some(value)) => match value.parse() {
                Ok(tries) => options.tries = tries,
                Err(_) => return wrong(format!("wget: --tries: Invalid number '{value}'.\n")),
            },
            Item::Option('V', _) => {
                return Err(("GNU Wget 1.21.3 built on linux-gnu.\n".to_string(), String::new(), 0));
            }
            Item::Option('h', _) => return Err((USAGE.to_string(), String::new(), 0)),
            Item::Option('Y', Some(value)) if value != "on" && value != "off" => {
                return wrong(format!("wget: --proxy__compat: Invalid boolean '{value}'; use `on' or `off'.\n"));
            }
            Item::Option('4' | 'v' | 'd' | 'U' | 'Y', _) => {}
            Item::Option(letter, _) => return wrong(format!("wget: -{letter} is not simulated\n")),
            Item::Bad(complaint) => return wrong(format!("{complaint}{USAGE}")),
        }
    }
    if options.urls.is_empty() {
        return Err((String::new(), format!("wget: missing URL\n{USAGE}"), 1));
    }
    Ok(options)
}
