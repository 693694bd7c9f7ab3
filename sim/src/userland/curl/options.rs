//! `curl`'s command line, and what it says of it.

use std::net::Ipv4Addr;

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Options {
    pub(super) urls: Vec<String>,
    /// Where the body of each URL goes.
    pub(super) outputs: Vec<Output>,
    pub(super) silent: bool,
    pub(super) show_error: bool,
    pub(super) no_meter: bool,
    pub(super) include: bool,
    pub(super) head: bool,
    pub(super) verbose: bool,
    pub(super) fail: bool,
    pub(super) fail_with_body: bool,
    pub(super) follow: bool,
    pub(super) max_redirects: i64,
    pub(super) get: bool,
    pub(super) http10: bool,
    pub(super) http09: bool,
    pub(super) method: Option<String>,
    pub(super) headers: Vec<String>,
    pub(super) agent: Option<String>,
    pub(super) referer: Option<String>,
    /// Data to post, and how each is read.
    pub(super) data: Vec<(Data, String)>,
    pub(super) dump_head: Option<String>,
    pub(super) max_time: f64,
    pub(super) connect_timeout: f64,
    pub(super) interface: Option<String>,
    pub(super) resolve: Vec<(String, u16, Ipv4Addr)>,
    pub(super) write_out: Option<String>,
    pub(super) retry: u64,
    pub(super) retry_delay: u64,
    pub(super) retry_refused: bool,
    pub(super) retry_all: bool,
    pub(super) version: bool,
    pub(super) help: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    File(String),
    /// Named as in the URL.
    Remote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// `@file` without its line ends.
    Ascii,
    /// `@file` as it is.
    Binary,
    /// Whatever it begins with.
    Raw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    No,
    Value,
}

use Takes::{No, Value};

/// Letter (or none), long name, whether it takes a value.
#[rustfmt::skip]
const OPTIONS: &[(char, &str, Takes)] = &[
    ('s', "silent", No), ('S', "show-error", No), ('o', "output", Value), ('O', "remote-name", No), ('i', "include", No),
    ('I', "head", No), ('v', "verbose", No), ('f', "fail", No), ('\0', "fail-with-body", No), ('L', "location", No),
    ('\0', "max-redirs", Value), ('G', "get", No), ('0', "http1.0", No), ('\0', "http1.1", No), ('\0', "http0.9", No),
    ('X', "request", Value), ('H', "header", Value), ('A', "user-agent", Value), ('e', "referer", Value),
    ('d', "data", Value), ('\0', "data-ascii", Value), ('\0', "data-binary", Value), ('\0', "data-raw", Value),
    ('D', "dump-header", Value), ('m', "max-time", Value), ('\0', "connect-timeout", Value), ('\0', "interface", Value),
    ('\0', "resolve", Value), ('w', "write-out", Value), ('\0', "retry", Value), ('\0', "retry-delay", Value),
    ('\0', "retry-connrefused", No), ('\0', "retry-all-errors", No), ('\0', "retry-max-time", Value),
    ('V', "version", No), ('h', "help", No), ('4', "ipv4", No), ('k', "insecure", No), ('N', "no-buffer", No),
    ('\0', "noproxy", Value), ('#', "progress-bar", No), ('\0', "no-progress-meter", No), ('\0', "url", Value),
    ('q', "disable", No), ('g', "globoff", No), ('\0', "tcp-nodelay", No), ('\0', "no-keepalive", No),
    ('\0', "compressed", No), ('y', "speed-time", Value), ('Y', "speed-limit", Value), ('\0', "limit-rate", Value),
    ('6', "ipv6", No), ('u', "user", Value), ('F', "form", Value), ('x', "proxy", Value), ('b', "cookie", Value),
    ('c', "cookie-jar", Value), ('E', "cert", Value), ('T', "upload-file", Value), ('C', "continue-at", Value),
    ('r', "range", Value), ('K', "config", Value), ('Z', "parallel", No), ('J', "remote-header-name", No),
    ('\0', "cacert", Value), ('\0', "socks5", Value), ('\0', "unix-socket", Value), ('\0', "connect-to", Value),
    ('\0', "local-port", Value), ('\0', "http2", No), ('\0', "json", Value), ('\0', "data-urlencode", Value),
    ('z', "time-cond", Value), ('a', "append", No), ('n', "netrc", No), ('p', "proxytunnel", No), ('R', "remote-time", No),
    ('t', "telnet-option", Value), ('U', "proxy-user", Value), ('B', "use-ascii", No), ('M', "manual", No),
    ('l', "list-only", No), ('P', "ftp-port", Value), ('Q', "quote", Value), ('j', "junk-session-cookies", No),
    ('1', "tlsv1", No), ('2', "sslv2", No), ('3', "sslv3", No), (':', "next", No),
];

/// Options that change nothing here.
const IDLE: &[&str] =
    &["ipv4", "insecure", "no-buffer", "noproxy", "http1.1", "disable", "globoff", "tcp-nodelay", "no-keepalive"];

/// Reads the words; what is wrong with them, else.
pub(super) fn parse(argv: &[String]) -> Result<Options, String> {
    let mut options = Options { max_redirects: 50, connect_timeout: 300.0, ..Options::default() };
    let mut words = argv.iter().skip(1);
    let mut operands_only = false;
    while let Some(word) = words.next() {
        if operands_only || !word.starts_with('-') || word == "-" {
            options.urls.push(word.clone());
        } else if word == "--" {
            operands_only = true;
        } else if let Some(name) = word.strip_prefix("--") {
            let (name, on) = known(name)?;
            let value = if takes(name) == Value { words.next().cloned() } else { None };
            options.set(name, value, on, word)?;
        } else {
            options.letters(word, &mut words)?;
        }
    }
    Ok(options)
}

/// The full name of a long option, which may be cut short or begin with `no-`.
fn known(name: &str) -> Result<(&'static str, bool), String> {
    let find = |name: &str| OPTIONS.iter().map(|(_, long, _)| *long).find(|long| *long == name);
    if let Some(long) = find(name) {
        return Ok((long, true));
    }
    if let Some(long) = name.strip_prefix("no-").and_then(find).filter(|long| takes(long) == No) {
        return Ok((long, false));
    }
    let like: Vec<&'static str> =
        OPTIONS.iter().map(|(_, long, _)| *long).filter(|long| long.starts_with(name)).collect();
    match like.as_slice() {
        [only] => Ok((only, true)),
        [] => Err(format!("option --{name}: is unknown")),
        _ => Err(format!("option --{name}: is ambiguous")),
    }
}

fn takes(name: &str) -> Takes {
    OPTIONS.iter().find(|(_, long, _)| *long == name).map_or(No, |(_, _, takes)| *takes)
}

impl Options {
    fn letters<'a>(&mut self, word: &str, words: &mut impl Iterator<Item = &'a String>) -> Result<(), String> {
        let letters = word.get(1..).unwrap_or_default();
        for (at, letter) in letters.char_indices() {
            let found = OPTIONS.iter().find(|(short, ..)| *short == letter && letter != '\0');
            let Some((_, name, takes)) = found else { return Err(format!("option {word}: is unknown")) };
            if *takes == No {
                self.set(name, None, true, word)?;
                continue;
            }
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            let value = if rest.is_empty() { words.next().cloned() } else { Some(rest.to_string()) };
            return self.set(name, value, true, word);
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Option<String>, on: bool, word: &str) -> Result<(), String> {
        match value {
            None if takes(name) == Value => Err(format!("option {word}: requires parameter")),
            None => self.flag(name, on, word),
            Some(value) => self.value(name, value, word),
        }
    }

    fn flag(&mut self, name: &str, on: bool, word: &str) -> Result<(), String> {
        let flag = match name {
            "silent" => &mut self.silent,
            "show-error" => &mut self.show_error,
            "include" => &mut self.include,
            "head" => &mut self.head,
            "verbose" => &mut self.verbose,
            "fail" => &mut self.fail,
            "fail-with-body" => &mut self.fail_with_body,
            "location" => &mut self.follow,
            "get" => &mut self.get,
            "http1.0" => &mut self.http10,
            "http0.9" => &mut self.http09,
            "no-progress-meter" => &mut self.no_meter,
            "retry-connrefused" => &mut self.retry_refused,
            "retry-all-errors" => &mut self.retry_all,
            "version" => &mut self.version,
            "help" => &mut self.help,
            "remote-name" => {
                self.outputs.push(Output::Remote);
                return Ok(());
            }
            name if IDLE.contains(&name) => return Ok(()),
            _ => return Err(unsimulated(word)),
        };
        *flag = on;
        Ok(())
    }

    fn value(&mut self, name: &str, value: String, word: &str) -> Result<(), String> {
        match name {
            "output" => self.outputs.push(Output::File(value)),
            "max-redirs" => self.max_redirects = value.parse().map_err(|_| not_a_number(word))?,
            "request" => self.method = Some(value),
            "header" => self.headers.push(value),
            "user-agent" => self.agent = Some(value),
            "referer" => self.referer = Some(value),
            "data" | "data-ascii" => self.data.push((Data::Ascii, value)),
            "data-binary" => self.data.push((Data::Binary, value)),
            "data-raw" => self.data.push((Data::Raw, value)),
            "dump-header" => self.dump_head = Some(value),
            "max-time" => self.max_time = seconds(&value, word)?,
            "connect-timeout" => self.connect_timeout = seconds(&value, word)?,
            "interface" => self.interface = Some(value),
            "resolve" => self.resolve.push(pinned(&value).ok_or_else(|| unsimulated(word))?),
            "write-out" => self.write_out = Some(value),
            "retry" => self.retry = value.parse().map_err(|_| not_a_number(word))?,
            "retry-delay" => self.retry_delay = value.parse().map_err(|_| not_a_number(word))?,
            "url" => self.urls.push(value),
            name if IDLE.contains(&name) => {}
            _ => return Err(unsimulated(word)),
        }
        Ok(())
    }
}

fn unsimulated(word: &str) -> String {
    format!("option {word}: is not simulated")
}

fn not_a_number(word: &str) -> String {
    format!("option {word}: expected a proper numerical parameter")
}

fn seconds(value: &str, word: &str) -> Result<f64, String> {
    match value.parse::<f64>() {
        Ok(seconds) if (0.0..1e9).contains(&seconds) => Ok(seconds),
        Ok(_) => Err(format!("option {word}: expected a positive numerical parameter")),
        Err(_) => Err(not_a_number(word)),
    }
}

/// `host:port:address`
fn pinned(value: &str) -> Option<(String, u16, Ipv4Addr)> {
    let mut parts = value.splitn(3, ':');
    Some((parts.next()?.to_string(), parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        parse(&argv)
    }

    #[test]
    fn letters_and_long_names() {
        let options = parsed("curl -sSfm2 -o x --head -w%{http_code} 10.0.0.2 --no-silent").expect("good");
        assert_eq!((options.silent, options.show_error, options.fail, options.max_time), (false, true, true, 2.0));
        assert_eq!((options.head, options.write_out.as_deref()), (true, Some("%{http_code}")));
        assert_eq!((options.urls, options.outputs), (vec!["10.0.0.2".into()], vec![Output::File("x".into())]));
        assert!(parsed("curl --connect-tim 1 x").is_ok(), "cut short");
    }

    #[test]
    fn complaints_are_those_of_the_real_one() {
        for (line, text) in [
            ("curl --nosuch", "option --nosuch: is unknown"),
            ("curl -y", "option -y: requires parameter"),
            ("curl -m x", "option -m: expected a proper numerical parameter"),
            ("curl --connect-timeout -1 x", "option --connect-timeout: expected a positive numerical parameter"),
            ("curl --data- x", "option --data-: is ambiguous"),
            ("curl -x proxy x", "option -x: is not simulated"),
        ] {
            assert_eq!(parsed(line), Err(text.into()), "{line}");
        }
    }
}
