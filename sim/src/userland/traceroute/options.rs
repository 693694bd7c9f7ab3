//! What the words of a `traceroute` command line ask for.

use super::clif::{Form, Opt, Stopped, Taken, parse};
use super::usage::{USAGE, VERSION};
use crate::userland::number::{general, strtod, strtol, strtoul};
use crate::userland::resolve::{Family, resolve};
use std::net::{IpAddr, Ipv4Addr};

/// How probes are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// UDP, each probe to the next port.
    Default,
    /// UDP, all to one port.
    Udp,
    /// ICMP echo.
    Icmp,
    /// TCP SYN.
    Tcp,
}

/// The whole command line.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) method: Method,
    /// As it was written.
    pub(super) host: String,
    pub(super) destination: Ipv4Addr,
    /// The full packet's length, if one was asked for.
    pub(super) length: Option<usize>,
    pub(super) first: usize,
    pub(super) hops: usize,
    /// Probes for each hop.
    pub(super) queries: usize,
    /// Probes that may be under way at a time.
    pub(super) at_once: usize,
    pub(super) wait: f64,
    pub(super) here: f64,
    pub(super) near: f64,
    /// Seconds between two probes.
    pub(super) pause: f64,
    /// Port, or first sequence number; 0 if not said.
    pub(super) port: u32,
    pub(super) tos: u32,
    pub(super) mark: u32,
    pub(super) device: Option<String>,
    pub(super) source: Option<Ipv4Addr>,
    pub(super) source_port: u16,
    pub(super) numeric: bool,
    pub(super) dont_fragment: bool,
    pub(super) dont_route: bool,
    pub(super) discover_mtu: bool,
    pub(super) back: bool,
}

const fn opt(short: &'static str, long: &'static str, value: &'static str) -> Opt {
    Opt { short, long, value, form: Form::Plain }
}

const OPTIONS: &[Opt] = &[
    opt("4", "", ""),
    opt("6", "", ""),
    opt("d", "debug", ""),
    Opt { short: "F", long: "dont-fragment", value: "", form: Form::Short },
    opt("f", "first", "first_ttl"),
    opt("g", "gateway", "gate,..."),
    opt("I", "icmp", ""),
    opt("T", "tcp", ""),
    opt("i", "interface", "device"),
    opt("m", "max-hops", "max_ttl"),
    opt("N", "sim-queries", "squeries"),
    opt("n", "", ""),
    opt("p", "port", "port"),
    opt("t", "tos", "tos"),
    opt("l", "flowlabel", "flow_label"),
    opt("w", "wait", "MAX,HERE,NEAR"),
    opt("q", "queries", "nqueries"),
    opt("r", "", ""),
    opt("s", "source", "src_addr"),
    opt("z", "sendwait", "sendwait"),
    Opt { short: "e", long: "extensions", value: "", form: Form::Short },
    opt("A", "as-path-lookups", ""),
    opt("M", "module", "name"),
    opt("O", "options", "OPTS,..."),
    opt("", "sport", "num"),
    opt("", "fwmark", "num"),
    opt("U", "udp", ""),
    Opt { short: "", long: "UL", value: "", form: Form::OneDash },
    opt("D", "dccp", ""),
    opt("P", "protocol", "prot"),
    opt("", "mtu", ""),
    opt("", "back", ""),
    opt("V", "version", ""),
    opt("", "help", ""),
];

/// Ports that are known by name to every system.
const SERVICES: &[(&str, u32)] = &[("domain", 53), ("http", 80), ("https", 443), ("ssh", 22), ("telnet", 23)];

/// Options, as they stand in the words.
struct Words {
    options: Options,
    family: Family,
    module: String,
    source: Option<IpAddr>,
    length: i32,
    first: u32,
    hops: u32,
    queries: u32,
    at_once: u32,
    source_port: u32,
    /// Something that no world has.
    beyond: Option<&'static str>,
}

/// Reads the words. Else: what to say on standard error, and the status.
pub(super) fn read(argv: &[String]) -> Result<Options, (String, i32)> {
    let program = argv.first().map_or("traceroute", String::as_str);
    let usage = format!("Usage:\n  {program} {USAGE}");
    if argv.len() < 2 {
        return Err((usage, 0));
    }
    let mut words = Words::new(program);
    let parsed = parse(argv, OPTIONS, &mut |option, value| words.take(option, value.unwrap_or(""), &usage));
    let operands = match parsed {
        Ok(operands) => operands,
        Err(Stopped::Told(text)) => return Err((text, 0)),
        Err(Stopped::Wrong(text)) => return Err((text + "\n", 2)),
    };
    let wrong = |text: String| (text + "\n", 2);
    if operands.is_empty() {
        return Err(wrong("Specify \"host\" missing argument.".into()));
    }
    if let Some((place, word)) = operands.get(2) {
        return Err(wrong(format!("Extra arg `{word}' (position 3, argc {place})")));
    }
    let mut destination = None;
    for (index, (place, word)) in operands.iter().enumerate() {
        let taken = match index {
            0 => words.host(word).map(|address| destination = Some(address)),
            _ => words.packet_length(word),
        };
        taken.map_err(|said| {
            let name = if index == 0 { "host" } else { "packetlen" };
            let place = format!("on position {} (argc {place})", index + 1);
            wrong(format!("{said}Cannot handle \"{name}\" cmdline arg `{word}' {place}"))
        })?;
    }
    words.finish(destination).map_err(wrong)
}

impl Words {
    fn new(program: &str) -> Words {
        let name = program.rsplit('/').next().unwrap_or(program);
        let family = match name.chars().last() {
            Some('6') => Family::V6,
            Some('4') => Family::V4,
            _ => Family::Any,
        };
        let options = Options {
            method: Method::Default,
            host: String::new(),
            destination: Ipv4Addr::UNSPECIFIED,
            length: None,
            first: 1,
            hops: 30,
            queries: 3,
            at_once: 16,
            wait: 5.0,
            here: 3.0,
            near: 10.0,
            pause: 0.0,
            port: 0,
            tos: 0,
            mark: 0,
            device: None,
            source: None,
            source_port: 0,
            numeric: false,
            dont_fragment: false,
            dont_route: false,
            discover_mtu: false,
            back: false,
        };
        Words {
            options,
            family,
            module: "default".into(),
            source: None,
            length: -1,
            first: 1,
            hops: 30,
            queries: 3,
            at_once: 16,
            source_port: 0,
            beyond: None,
        }
    }

    fn take(&mut self, option: &Opt, value: &str, usage: &str) -> Taken {
        let options = &mut self.options;
        match (option.short, option.long) {
            ("4", _) => self.family = Family::V4,
            ("6", _) => self.family = Family::V6,
            ("F", _) => options.dont_fragment = true,
            ("I", _) => self.module = "icmp".into(),
            ("T", _) => self.module = "tcp".into(),
            ("U", _) => self.module = "udp".into(),
            ("D", _) => self.module = "dccp".into(),
            ("P", _) => self.module = "raw".into(),
            (_, "UL") => self.module = "udplite".into(),
            ("M", _) => self.module = value.into(),
            ("i", _) => options.device = Some(value.into()),
            ("n", _) => options.numeric = true,
            ("r", _) => options.dont_route = true,
            (_, "mtu") => options.discover_mtu = true,
            (_, "back") => options.back = true,
            // Labels are IPv6's, extensions come from MPLS routers: there is nothing to do for either.
            ("d" | "e", _) => {}
            ("g", _) => self.beyond = Some("source routes"),
            ("A", _) => self.beyond = Some("routing registries"),
            ("O", _) => self.beyond = Some("options of methods"),
            ("V", _) => return Taken::Exit(VERSION.into()),
            (_, "help") => return Taken::Exit(usage.into()),
            _ => return self.take_value(option, value),
        }
        Taken::Fine
    }

    fn take_value(&mut self, option: &Opt, value: &str) -> Taken {
        let options = &mut self.options;
        let mut ignored = 0;
        let number = match (option.short, option.long) {
            ("f", _) => &mut self.first,
            ("m", _) => &mut self.hops,
            ("N", _) => &mut self.at_once,
            ("q", _) => &mut self.queries,
            ("t", _) => &mut options.tos,
            ("l", _) => &mut ignored,
            (_, "fwmark") => &mut options.mark,
            ("p", _) => return found(&mut options.port, port(value)),
            (_, "sport") => return found(&mut self.source_port, port(value)),
            ("w", _) => return found(&mut (), self.waits(value)),
            ("z", _) => {
                let (seconds, rest) = strtod(value);
                return found(&mut options.pause, (rest.is_empty() && !value.is_empty()).then_some(seconds));
            }
            _ => {
                return match resolve(value, self.family) {
                    Ok(address) => found(&mut self.source, Some(Some(address))),
                    Err(text) => Taken::Bad(Some(format!("{value}: {text}"))),
                };
            }
        };
        found(number, unsigned(value))
    }

    /// `MAX,HERE,NEAR`; any byte may stand between them.
    fn waits(&mut self, text: &str) -> Option<()> {
        let options = &mut self.options;
        (options.here, options.near) = (0.0, 0.0);
        let (value, mut rest) = strtod(text);
        if rest.len() == text.len() {
            return None;
        }
        options.wait = value;
        for place in [&mut options.here, &mut options.near] {
            let Some(separator) = rest.chars().next() else { return Some(()) };
            let behind = &rest[separator.len_utf8()..];
            let (value, left) = strtod(behind);
            if left.len() == behind.len() {
                return None;
            }
            *place = value;
            rest = left;
        }
        rest.is_empty().then_some(())
    }

    fn host(&mut self, word: &str) -> Result<IpAddr, String> {
        let address = resolve(word, self.family).map_err(|text| format!("{word}: {text}\n"))?;
        self.options.host = word.into();
        Ok(address)
    }

    fn packet_length(&mut self, word: &str) -> Result<(), String> {
        let number = strtol(word, 0);
        self.length = number.value as i32;
        if number.empty || !number.rest.is_empty() { Err(String::new()) } else { Ok(()) }
    }

    /// Looks at everything together.
    fn finish(mut self, destination: Option<IpAddr>) -> Result<Options, String> {
        self.options.method = match self.module.as_str() {
            "default" => Method::Default,
            "udp" => Method::Udp,
            "icmp" => Method::Icmp,
            "tcp" => Method::Tcp,
            "udplite" | "tcpconn" | "dccp" | "raw" => {
                self.beyond = Some("UDPLITE, DCCP, raw packets and TCP connections");
                Method::Default
            }
            other => return Err(format!("Unknown traceroute module {other}")),
        };
        self.bounds()?;
        let mut options = self.options;
        let version = |address: &IpAddr| address.is_ipv6();
        if self.source.is_some() && self.source.as_ref().map(version) != destination.as_ref().map(version) {
            return Err("IP version mismatch in addresses specified".into());
        }
        if options.pause < 0.0 {
            return Err(format!("bad sendtime `{}' specified", general(options.pause)));
        }
        if options.pause >= 10.0 {
            options.pause /= 1000.0;
        }
        if let Some(what) = self.beyond {
            return Err(format!("traceroute: {what} are not simulated"));
        }
        let Some(IpAddr::V4(destination)) = destination else {
            return Err("traceroute: IPv6 packets are not simulated yet".into());
        };
        options.destination = destination;
        if let Some(IpAddr::V4(source)) = self.source {
            options.source = Some(source);
        }
        options.source_port = self.source_port as u16;
        if self.source_port != 0 {
            (options.at_once, options.here, options.near) = (1, 0.0, 0.0);
        }
        options.length = usize::try_from(self.length).ok();
        if options.discover_mtu {
            (options.dont_fragment, options.at_once) = (true, 1);
            options.length = options.length.or(Some(MAX_LENGTH));
        }
        Ok(options)
    }

    /// Numbers that are out of bounds, in the order in which they are seen.
    fn bounds(&mut self) -> Result<(), String> {
        let options = &mut self.options;
        if self.first == 0 || self.first > self.hops {
            return Err("first hop out of range".into());
        }
        if self.hops > 255 {
            return Err("max hops cannot be more than 255".into());
        }
        if self.queries == 0 || self.queries > 10 {
            return Err("no more than 10 probes per hop".into());
        }
        let waits = [options.wait, options.here, options.near];
        if waits.iter().any(|wait| *wait < 0.0) {
            return Err(format!("bad wait specifications `{}' used", waits.map(general).join(",")));
        }
        if self.length > MAX_LENGTH as i32 {
            return Err(format!("too big packetlen {} specified", self.length));
        }
        (options.first, options.hops) = (self.first as usize, self.hops as usize);
        (options.queries, options.at_once) = (self.queries as usize, self.at_once as usize);
        Ok(())
    }
}

const MAX_LENGTH: usize = 65_000;

fn found<T>(place: &mut T, value: Option<T>) -> Taken {
    match value {
        Some(value) => {
            *place = value;
            Taken::Fine
        }
        None => Taken::Bad(None),
    }
}

fn unsigned(text: &str) -> Option<u32> {
    let number = strtoul(text, 0);
    (!number.empty && number.rest.is_empty()).then_some(number.value as u32)
}

/// A number (what follows it does not matter), or a service's name.
fn port(text: &str) -> Option<u32> {
    let number = strtoul(text, 0);
    let named = || SERVICES.iter().find(|(name, _)| *name == text).map(|(_, port)| *port);
    if number.empty { named() } else { Some(number.value as u32) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> (String, i32) {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        read(&argv).expect_err(line)
    }

    fn options(line: &str) -> Options {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        read(&argv).expect(line)
    }

    /// As traceroute 2.1.2 answers.
    #[test]
    fn complaints() {
        for (line, text) in [
            ("traceroute -x", "Bad option `-x' (argc 1)\n"),
            ("traceroute --foo 127.0.0.1", "Bad option `--foo' (argc 1)\n"),
            ("traceroute --foo=1 127.0.0.1", "Bad option `--foo=1' (with arg `1') (argc 1)\n"),
            ("traceroute -f", "Option `-f' (argc 1) requires an argument: `-f first_ttl'\n"),
            ("traceroute --first 1 127.0.0.1", "Option `--first' (argc 1) requires an argument: `--first=first_ttl'\n"),
            ("traceroute --fir=1 127.0.0.1", "Bad option `--fir=1' (with arg `1') (argc 1)\n"),
            ("traceroute -f x 127.0.0.1", "Cannot handle `-f' option with arg `x' (argc 2)\n"),
            ("traceroute -f 0 127.0.0.1", "first hop out of range\n"),
            ("traceroute -m 256 127.0.0.1", "max hops cannot be more than 255\n"),
            ("traceroute -m 300 -f 400 127.0.0.1", "first hop out of range\n"),
            ("traceroute -q 0 127.0.0.1", "no more than 10 probes per hop\n"),
            ("traceroute -q 11 127.0.0.1", "no more than 10 probes per hop\n"),
            ("traceroute -w -1 127.0.0.1", "bad wait specifications `-1,0,0' used\n"),
            ("traceroute -w x 127.0.0.1", "Cannot handle `-w' option with arg `x' (argc 2)\n"),
            ("traceroute -w 1,2,3,4 127.0.0.1", "Cannot handle `-w' option with arg `1,2,3,4' (argc 2)\n"),
            ("traceroute -z -1 127.0.0.1", "bad sendtime `-1' specified\n"),
            ("traceroute 127.0.0.1 70000", "too big packetlen 70000 specified\n"),
            ("traceroute 127.0.0.1 x", "Cannot handle \"packetlen\" cmdline arg `x' on position 2 (argc 2)\n"),
            ("traceroute 127.0.0.1 100 5", "Extra arg `5' (position 3, argc 3)\n"),
            ("traceroute -n", "Specify \"host\" missing argument.\n"),
            ("traceroute -nq1 127.0.0.1", "Option `-q' (argc 1) requires an argument: `-q nqueries'\n"),
            ("traceroute -M foo 127.0.0.1", "Unknown traceroute module foo\n"),
            ("traceroute -p nosuch 127.0.0.1", "Cannot handle `-p' option with arg `nosuch' (argc 2)\n"),
            ("traceroute -nw", "Option `-w' (argc 1) requires an argument: `-w MAX,HERE,NEAR'\n"),
            ("traceroute -s ::1 10.0.0.1", "IP version mismatch in addresses specified\n"),
            (
                "traceroute6 127.0.0.1",
                "127.0.0.1: Address family for hostname not supported\n\
                 Cannot handle \"host\" cmdline arg `127.0.0.1' on position 1 (argc 1)\n",
            ),
            (
                "traceroute - 127.0.0.1",
                "-: Name or service not known\nCannot handle \"host\" cmdline arg `-' on position 1 (argc 1)\n",
            ),
            (
                "traceroute -s x.invalid 127.0.0.1",
                "x.invalid: Name or service not known\nCannot handle `-s' option with arg `x.invalid' (argc 2)\n",
            ),
        ] {
            assert_eq!(refused(line), (text.to_string(), 2), "{line}");
        }
    }

    #[test]
    fn texts_that_end_well() {
        let (usage, status) = refused("traceroute");
        assert_eq!((status, usage.lines().count()), (0, 87));
        assert!(usage.starts_with("Usage:\n  traceroute [ -46dFITnreAUDV ] [ -f first_ttl ]"));
        assert_eq!(refused("x/traceroute --help").1, 0);
        assert_eq!(refused("traceroute -V").0, VERSION);
    }

    #[test]
    fn options_in_their_forms() {
        let o = options("traceroute -nI 10.0.0.1 -q1 --dont -w 2,0.5 -z 200 100");
        assert_eq!((o.numeric, o.method, o.queries, o.dont_fragment), (true, Method::Icmp, 1, true));
        assert_eq!((o.wait, o.here, o.near, o.pause, o.length), (2.0, 0.5, 0.0, 0.2, Some(100)));
        let o = options("traceroute --mtu --sport=5000 -- 10.0.0.1");
        assert_eq!((o.at_once, o.dont_fragment, o.length, o.source_port), (1, true, Some(65_000), 5000));
        assert_eq!(options("traceroute -p http -T localhost").port, 80);
    }
}
