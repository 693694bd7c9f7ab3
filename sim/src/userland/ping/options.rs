//! What `ping` is asked: its options, checked and complained about in the order of `ping.c`.

use crate::userland::getopt::{Item, getopt};
use crate::userland::number::{bounded, bounded_unsigned, strtod, strtol, strtoul};
use crate::userland::resolve::Family;
use std::net::{Ipv4Addr, Ipv6Addr};
use vethlab_engine::local::PmtuDiscover;

const SPEC: &str = "h?4bRT:6F:N:aABc:CdDe:fi:I:l:Lm:M:nOp:qQ:rs:S:t:UvVw:W:";

/// `-T`: flags of the IP timestamp option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timestamp {
    Only = 0,
    AndAddress = 1,
    Prespecified = 3,
}

/// The options of one run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    /// The name it was called by, which begins its complaints.
    pub(super) name: String,
    pub(super) family: Family,
    pub(super) broadcast: bool,
    pub(super) record_route: bool,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) audible: bool,
    pub(super) adaptive: bool,
    pub(super) strict_source: bool,
    /// `-c`; 0 is no limit.
    pub(super) count: i64,
    pub(super) connect: bool,
    pub(super) print_time: bool,
    pub(super) ident: Option<u16>,
    pub(super) flood: bool,
    /// Milliseconds; may be negative, as in the original.
    pub(super) interval: i32,
    pub(super) interval_set: bool,
    pub(super) device: Option<String>,
    pub(super) source: Option<Ipv4Addr>,
    pub(super) preload: i32,
    pub(super) mark: Option<u32>,
    pub(super) pmtu: Option<PmtuDiscover>,
    pub(super) numeric: bool,
    pub(super) outstanding: bool,
    pub(super) pattern: Option<String>,
    pub(super) quiet: bool,
    pub(super) tos: u8,
    pub(super) dont_route: bool,
    pub(super) size: usize,
    pub(super) ttl: Option<u8>,
    pub(super) latency: bool,
    pub(super) verbose: bool,
    /// `-w` in seconds; 0 is none.
    pub(super) deadline: u32,
    /// `-W` in milliseconds.
    pub(super) linger: i32,
    pub(super) targets: Vec<String>,
    /// Warnings for standard error that do not end the program.
    pub(super) warnings: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            name: "ping".to_string(),
            family: Family::Any,
            broadcast: false,
            record_route: false,
            timestamp: None,
            audible: false,
            adaptive: false,
            strict_source: false,
            count: 0,
            connect: false,
            print_time: false,
            ident: None,
            flood: false,
            interval: 1000,
            interval_set: false,
            device: None,
            source: None,
            preload: 1,
            mark: None,
            pmtu: None,
            numeric: false,
            outstanding: false,
            pattern: None,
            quiet: false,
            tos: 0,
            dont_route: false,
            size: 56,
            ttl: None,
            latency: false,
            verbose: false,
            deadline: 0,
            linger: 10_000,
            targets: Vec::new(),
            warnings: String::new(),
        }
    }
}

/// The end of the program before it sends anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Quit {
    pub(super) status: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Quit {
    /// `error(status, 0, …)`: the program's name, the text, a newline, on standard error.
    pub(super) fn error(name: &str, status: i32, text: impl AsRef<str>) -> Quit {
        Quit { status, out: String::new(), err: format!("{name}: {}\n", text.as_ref()) }
    }

    /// `usage()`
    pub(super) fn usage() -> Quit {
        Quit { status: 2, out: String::new(), err: USAGE.to_string() }
    }
}

/// Reads the command line.
pub(super) fn parse(argv: &[String]) -> Result<Options, Quit> {
    let name = argv.first().map_or("ping", String::as_str);
    let family = match name.chars().last() {
        Some('4') => Family::V4,
        Some('6') => Family::V6,
        _ => Family::Any,
    };
    let mut options = Options { name: name.to_string(), family, ..Options::default() };
    let words = getopt(argv, SPEC, &[]);
    for item in words.items {
        let done = match item {
            Item::Option(letter, None) => options.flag(letter),
            Item::Option(letter, Some(value)) => options.value(letter, value),
            Item::Bad(line) => Err(Stop::Usage(line)),
        };
        done.map_err(|stop| stop.quit(name, &options.warnings))?;
    }
    options.targets = words.operands;
    if options.targets.is_empty() {
        let stop = Stop::Error(1, "usage error: Destination address required".to_string());
        return Err(stop.quit(name, &options.warnings));
    }
    Ok(options)
}

/// Why an option ends the program.
enum Stop {
    /// `error(status, …)`
    Error(i32, String),
    /// A line on standard error, and the usage.
    Usage(String),
    /// Other text on standard output, status 0.
    Text(String),
    /// Other text on standard error, status 2, and the usage is not printed.
    Raw(String),
}

impl Stop {
    fn quit(self, name: &str, warnings: &str) -> Quit {
        let mut quit = match self {
            Stop::Error(status, text) => Quit::error(name, status, text),
            Stop::Usage(line) => Quit { status: 2, out: String::new(), err: format!("{line}{USAGE}") },
            Stop::Text(out) => Quit { status: 0, out, err: String::new() },
            Stop::Raw(err) => Quit { status: 2, out: String::new(), err },
        };
        quit.err.insert_str(0, warnings);
        quit
    }
}

/// The complaint of a number ends ping with status 1.
fn status1(text: String) -> Stop {
    Stop::Error(1, text)
}

fn status2(text: impl Into<String>) -> Stop {
    Stop::Error(2, text.into())
}

impl Options {
    fn flag(&mut self, letter: char) -> Result<(), Stop> {
        match letter {
            '4' | '6' => return self.only(if letter == '4' { Family::V4 } else { Family::V6 }),
            'b' => self.broadcast = true,
            'R' if self.timestamp.is_some() => return Err(status2("only one of -T or -R may be used")),
            'R' => self.record_route = true,
            'a' => self.audible = true,
            'A' => self.adaptive = true,
            'B' => self.strict_source = true,
            'C' => self.connect = true,
            'D' => self.print_time = true,
            'n' => self.numeric = true,
            'O' => self.outstanding = true,
            'f' => (self.flood, self.numeric) = (true, true),
            'q' => self.quiet = true,
            'r' => self.dont_route = true,
            'U' => self.latency = true,
            'v' => self.verbose = true,
            'V' => return Err(Stop::Text(VERSION.to_string())),
            // Socket debugging, and no loopback of multicast: nothing that a packet would show.
            'd' | 'L' => {}
            _ => return Err(Stop::Usage(String::new())),
        }
        Ok(())
    }

    fn only(&mut self, family: Family) -> Result<(), Stop> {
        if self.family != Family::Any && self.family != family {
            return Err(status2("only one -4 or -6 option may be specified"));
        }
        self.family = family;
        Ok(())
    }

    fn value(&mut self, letter: char, value: String) -> Result<(), Stop> {
        let int = i64::from(i32::MAX);
        match letter {
            'T' => self.set_timestamp(&value)?,
            'F' => check_flow(&value)?,
            'N' => check_node_information(&value)?,
            'c' => self.count = bounded(&value, 1, i64::MAX).map_err(status1)?,
            'e' => self.ident = Some(bounded_unsigned(&value, 0, 0xffff).map_err(status1)? as u16),
            'i' => self.set_interval(&value)?,
            'I' => self.set_source(value)?,
            'l' => self.preload = bounded(&value, 1, 0x1_0000).map_err(status1)? as i32,
            'm' => self.mark = Some(bounded_unsigned(&value, 0, u64::from(u32::MAX)).map_err(status1)? as u32),
            'M' => self.pmtu = Some(pmtu(&value)?),
            'p' => self.pattern = Some(value),
            'Q' => self.tos = tos(&value)?,
            's' => self.size = bounded(&value, 0, int).map_err(status1)? as usize,
            // The size of the send buffer bounds nothing here: what is sent leaves at once.
            'S' => drop(bounded(&value, 1, int).map_err(status1)?),
            't' => self.ttl = Some(bounded(&value, 0, 255).map_err(status1)? as u8),
            'w' => self.deadline = bounded(&value, 0, int).map_err(status1)? as u32,
            'W' => self.set_linger(&value)?,
            _ => return Err(Stop::Usage(String::new())),
        }
        Ok(())
    }

    fn set_timestamp(&mut self, value: &str) -> Result<(), Stop> {
        if self.record_route {
            return Err(status2("only one of -T or -R may be used"));
        }
        self.timestamp = Some(match value {
            "tsonly" => Timestamp::Only,
            "tsandaddr" => Timestamp::AndAddress,
            "tsprespec" => Timestamp::Prespecified,
            _ => return Err(status2(format!("invalid timestamp type: {value}"))),
        });
        Ok(())
    }

    /// `ping_strtod`: a number with something behind it is only warned about.
    fn seconds(&mut self, value: &str, what: &str) -> Result<f64, Stop> {
        if value.is_empty() {
            // The original prints an error number left over from looking for its translations.
            return Err(status2(format!("{what}: : No such file or directory")));
        }
        let (seconds, rest) = strtod(value);
        if !rest.is_empty() {
            self.warnings += &format!("{}: option argument contains garbage: {rest}\n", self.name);
            self.warnings += &format!("{}: this will become fatal error in the future\n", self.name);
        }
        if !seconds.is_normal() && seconds != 0.0 {
            return Err(status2(format!("{what}: {value}: Numerical result out of range")));
        }
        Ok(seconds)
    }

    fn set_interval(&mut self, value: &str) -> Result<(), Stop> {
        let seconds = self.seconds(value, "bad timing interval")?;
        if seconds > f64::from(i32::MAX) / 1000.0 {
            return Err(status2(format!("bad timing interval: {value}")));
        }
        self.interval = (seconds * 1000.0) as i32;
        self.interval_set = true;
        Ok(())
    }

    fn set_linger(&mut self, value: &str) -> Result<(), Stop> {
        let seconds = self.seconds(value, "bad linger time")?;
        if seconds < 0.0 || seconds > f64::from(i32::MAX) / 1000.0 {
            return Err(status2(format!("bad linger time: {value}")));
        }
        self.linger = (seconds * 1000.0) as i32;
        Ok(())
    }

    fn set_source(&mut self, value: String) -> Result<(), Stop> {
        if value.contains(':') {
            let (address, zone) = value.split_once('%').map_or((value.as_str(), None), |(a, z)| (a, Some(z)));
            if address.parse::<Ipv6Addr>().is_err() {
                return Err(status2(format!("invalid source address: {value}")));
            }
            self.device = zone.map(str::to_string).or(self.device.take());
            self.strict_source = true;
        } else if let Ok(address) = value.parse::<Ipv4Addr>() {
            self.source = Some(address);
            self.strict_source = true;
        } else {
            self.device = Some(value);
        }
        Ok(())
    }
}

fn pmtu(value: &str) -> Result<PmtuDiscover, Stop> {
    match value {
        "do" => Ok(PmtuDiscover::Do),
        "dont" => Ok(PmtuDiscover::Dont),
        "want" => Ok(PmtuDiscover::Want),
        _ => Err(status2(format!("invalid -M argument: {value}"))),
    }
}

/// A number after `0x` or a decimal one, whole; what `parsetos` and `parseflow` accept.
fn hexadecimal_or_decimal(value: &str) -> Option<i64> {
    let hexadecimal = value.strip_prefix("0x").or(value.strip_prefix("0X"));
    let number = hexadecimal.map_or_else(|| strtol(value, 10), |digits| strtoul(digits, 16));
    number.rest.is_empty().then_some(number.value)
}

fn tos(value: &str) -> Result<u8, Stop> {
    let number = hexadecimal_or_decimal(value).ok_or_else(|| status2(format!("bad TOS value: {value}")))? as i32;
    if number > 255 {
        return Err(status2(format!("the decimal value of TOS bits must be in range 0-255: {number}")));
    }
    // A negative number is taken as the kernel takes it: its low eight bits.
    Ok(number as u8)
}

fn check_flow(value: &str) -> Result<(), Stop> {
    let bad = || status2(format!("bad value for flowinfo: {value}"));
    let number = hexadecimal_or_decimal(value).ok_or_else(bad)?;
    if number & !0xf_ffff != 0 {
        return Err(status2(format!("flow value is greater than 20 bits: {value}")));
    }
    Ok(())
}

/// `-N` concerns IPv6 alone: the words it knows are accepted, `help` and others print its help.
fn check_node_information(value: &str) -> Result<(), Stop> {
    const PLAIN: &[&str] = &[
        "name",
        "fqdn",
        "ipv6",
        "ipv6-all",
        "ipv6-compatible",
        "ipv6-linklocal",
        "ipv6-sitelocal",
        "ipv6-global",
        "ipv4",
        "ipv4-all",
    ];
    let subjects = ["subject-ipv6=", "subject-ipv4=", "subject-name=", "subject-fqdn="];
    if value == "help" {
        return Err(Stop::Text(NODE_INFORMATION.to_string()));
    }
    if PLAIN.contains(&value) || subjects.iter().any(|subject| value.starts_with(subject)) {
        return Ok(());
    }
    Err(Stop::Raw(NODE_INFORMATION.to_string()))
}

const VERSION: &str = "ping from iputils 20221126\n\
    libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n";

const NODE_INFORMATION: &str = "ping -6 -N <nodeinfo opt>
Help:
  help
Query:
  name
  ipv6
  ipv6-all
  ipv6-compatible
  ipv6-global
  ipv6-linklocal
  ipv6-sitelocal
  ipv4
  ipv4-all
Subject:
  subject-ipv6=addr
  subject-ipv4=addr
  subject-name=name
  subject-fqdn=name
";

const USAGE: &str = "
Usage
  ping [options] <destination>

Options:
  <destination>      dns name or ip address
  -a                 use audible ping
  -A                 use adaptive ping
  -B                 sticky source address
  -c <count>         stop after <count> replies
  -C                 call connect() syscall on socket creation
  -D                 print timestamps
  -d                 use SO_DEBUG socket option
  -e <identifier>    define identifier for ping session, default is random for
                     SOCK_RAW and kernel defined for SOCK_DGRAM
                     Imply using SOCK_RAW (for IPv4 only for identifier 0)
  -f                 flood ping
  -h                 print help and exit
  -I <interface>     either interface name or address
  -i <interval>      seconds between sending each packet
  -L                 suppress loopback of multicast packets
  -l <preload>       send <preload> number of packages while waiting replies
  -m <mark>          tag the packets going out
  -M <pmtud opt>     define mtu discovery, can be one of <do|dont|want>
  -n                 no dns name resolution
  -O                 report outstanding replies
  -p <pattern>       contents of padding byte
  -q                 quiet output
  -Q <tclass>        use quality of service <tclass> bits
  -s <size>          use <size> as number of data bytes to be sent
  -S <size>          use <size> as SO_SNDBUF socket option value
  -t <ttl>           define time to live
  -U                 print user-to-user latency
  -v                 verbose output
  -V                 print version and exit
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response

IPv4 options:
  -4                 use IPv4
  -b                 allow pinging broadcast
  -R                 record route
  -T <timestamp>     define timestamp, can be one of <tsonly|tsandaddr|tsprespec>

IPv6 options:
  -6                 use IPv6
  -F <flowlabel>     define flow label, default is random
  -N <nodeinfo opt>  use icmp6 node info query, try <help> as argument

For more details see ping(8).
";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, Quit> {
        let words: Vec<String> = line.split(' ').map(str::to_string).collect();
        parse(&words)
    }

    #[test]
    fn options_in_any_place_and_joined() {
        let options = read("ping 10.0.0.1 -qc3 -i 0.2 -W1 -w 5 -s 0 -t 7 -I eth0 -M do -p ff").expect("options");
        assert!(options.quiet && options.interval_set && !options.strict_source);
        assert_eq!((options.count, options.interval, options.linger, options.deadline), (3, 200, 1000, 5));
        assert_eq!((options.size, options.ttl, options.device.as_deref()), (0, Some(7), Some("eth0")));
        assert_eq!((options.pmtu, options.pattern.as_deref()), (Some(PmtuDiscover::Do), Some("ff")));
        assert_eq!(options.targets, ["10.0.0.1"]);
        assert_eq!(read("ping -I 10.0.0.9 x").map(|o| (o.source, o.strict_source)), {
            Ok((Some(Ipv4Addr::new(10, 0, 0, 9)), true))
        });
    }

    #[test]
    fn each_complaint_in_its_words_and_status() {
        for (line, status, text) in [
            ("ping", 1, "usage error: Destination address required"),
            ("ping -c 0 x", 1, "invalid argument: '0': out of range: 1 <= value <= 9223372036854775807"),
            ("ping -c x x", 1, "invalid argument: 'x'"),
            ("ping -t 300 x", 1, "invalid argument: '300': out of range: 0 <= value <= 255"),
            ("ping -s -1 x", 1, "invalid argument: '-1': out of range: 0 <= value <= 2147483647"),
            ("ping -l 70000 x", 1, "invalid argument: '70000': out of range: 1 <= value <= 65536"),
            ("ping -m -1 x", 1, "invalid argument: '-1': out of range: 0 <= value <= 4294967295"),
            ("ping -i 1e9 x", 2, "bad timing interval: 1e9"),
            ("ping -i nan x", 2, "bad timing interval: nan: Numerical result out of range"),
            ("ping -W -1 x", 2, "bad linger time: -1"),
            ("ping -M foo x", 2, "invalid -M argument: foo"),
            ("ping -M probe x", 2, "invalid -M argument: probe"),
            ("ping -T foo x", 2, "invalid timestamp type: foo"),
            ("ping -T tsonly -R x", 2, "only one of -T or -R may be used"),
            ("ping -R -T tsonly x", 2, "only one of -T or -R may be used"),
            ("ping -4 -6 x", 2, "only one -4 or -6 option may be specified"),
            ("ping -Q 300 x", 2, "the decimal value of TOS bits must be in range 0-255: 300"),
            ("ping -Q xx x", 2, "bad TOS value: xx"),
            ("ping -F zz x", 2, "bad value for flowinfo: zz"),
            ("ping -I eth0:1 x", 2, "invalid source address: eth0:1"),
        ] {
            let quit = read(line).expect_err(line);
            assert_eq!((quit.status, quit.err.as_str()), (status, format!("ping: {text}\n").as_str()), "{line}");
        }
        assert_eq!(read("ping -h").expect_err("help"), Quit::usage());
        let quit = read("ping -z x").expect_err("no such option");
        assert_eq!(quit.err, format!("ping: invalid option -- 'z'\n{USAGE}"));
        assert_eq!(read("ping6 -4 x").expect_err("both").err, "ping6: only one -4 or -6 option may be specified\n");
    }

    #[test]
    fn garbage_behind_a_number_of_seconds_is_only_warned_about() {
        let options = read("ping -i 0.5x -W 1 x").expect("options");
        assert_eq!((options.interval, options.linger), (500, 1000));
        assert_eq!(
            options.warnings,
            "ping: option argument contains garbage: x\nping: this will become fatal error in the future\n"
        );
    }
}
