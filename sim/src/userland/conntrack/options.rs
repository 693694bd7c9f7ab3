//! The command line of `conntrack`: which words there are, and which of them go together.

use super::select::{Id, Nat, Ports, Select};
use crate::userland::getopt::Takes;
use std::net::{IpAddr, Ipv4Addr};

/// Why it ends, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The command line is wrong: status 2, and where to read how it should be.
    Usage(String),
    /// It cannot be done: status 1.
    Failed(String),
    /// What is not simulated: status 1.
    Refused(String),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    List,
    Get,
    Delete,
    Flush,
    Count,
    Statistics,
    Help,
    Version,
}

/// Which table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Table {
    #[default]
    Conntrack,
    Expect,
    Dying,
    Unconfirmed,
}

/// `-o`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) xml: bool,
    pub(super) extended: bool,
    pub(super) id: bool,
    pub(super) ktimestamp: bool,
    pub(super) save: bool,
}

/// A command line that was understood.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) command: Option<Command>,
    pub(super) table: Table,
    pub(super) output: Output,
    pub(super) select: Select,
    /// `-z`
    pub(super) zero: bool,
    /// `-f ipv6`
    pub(super) ipv6: bool,
    /// Lines on standard error before anything else.
    pub(super) warnings: String,
    given: Vec<char>,
    mask_source: Option<Ipv4Addr>,
    mask_destination: Option<Ipv4Addr>,
}

type Long = (&'static str, Takes, char);

/// Options of all commands, by the letters that the tool uses inside.
const LONG: &[Long] = &[
    ("dump", Takes::MaybeValue, 'L'),
    ("create", Takes::MaybeValue, 'I'),
    ("add", Takes::MaybeValue, 'A'),
    ("delete", Takes::MaybeValue, 'D'),
    ("update", Takes::MaybeValue, 'U'),
    ("get", Takes::MaybeValue, 'G'),
    ("flush", Takes::MaybeValue, 'F'),
    ("event", Takes::MaybeValue, 'E'),
    ("load-file", Takes::Value, 'R'),
    ("version", Takes::Nothing, 'V'),
    ("help", Takes::MaybeValue, 'h'),
    ("orig-src", Takes::Value, 's'),
    ("src", Takes::Value, 's'),
    ("orig-dst", Takes::Value, 'd'),
    ("dst", Takes::Value, 'd'),
    ("reply-src", Takes::Value, 'r'),
    ("reply-dst", Takes::Value, 'q'),
    ("protonum", Takes::Value, 'p'),
    ("timeout", Takes::Value, 't'),
    ("status", Takes::Value, 'u'),
    ("zero", Takes::Nothing, 'z'),
    ("event-mask", Takes::Value, 'e'),
    ("tuple-src", Takes::Value, '['),
    ("tuple-dst", Takes::Value, ']'),
    ("mask-src", Takes::Value, '{'),
    ("mask-dst", Takes::Value, '}'),
    ("nat-range", Takes::Value, 'a'),
    ("mark", Takes::Value, 'm'),
    ("secmark", Takes::Value, 'c'),
    ("id", Takes::Value, 'i'),
    ("family", Takes::Value, 'f'),
    ("src-nat", Takes::MaybeValue, 'n'),
    ("dst-nat", Takes::MaybeValue, 'g'),
    ("output", Takes::Value, 'o'),
    ("buffer-size", Takes::Value, 'b'),
    ("any-nat", Takes::MaybeValue, 'j'),
    ("zone", Takes::Value, 'w'),
    ("label", Takes::Value, 'l'),
    ("label-add", Takes::Value, '<'),
    ("label-del", Takes::MaybeValue, '>'),
    ("orig-zone", Takes::Value, '('),
    ("reply-zone", Takes::Value, ')'),
    ("count", Takes::MaybeValue, 'C'),
    ("stats", Takes::MaybeValue, 'S'),
];

/// What `-p` adds for protocols with ports.
const PORTS: &[Long] = &[
    ("orig-port-src", Takes::Value, '1'),
    ("sport", Takes::Value, '1'),
    ("orig-port-dst", Takes::Value, '2'),
    ("dport", Takes::Value, '2'),
    ("reply-port-src", Takes::Value, '3'),
    ("reply-port-dst", Takes::Value, '4'),
    ("mask-port-src", Takes::Value, '5'),
    ("mask-port-dst", Takes::Value, '6'),
    ("tuple-port-src", Takes::Value, '8'),
    ("tuple-port-dst", Takes::Value, '9'),
];
const STATE: &[Long] = &[("state", Takes::Value, '7')];
const ICMP: &[Long] =
    &[("icmp-type", Takes::Value, 'X'), ("icmp-code", Takes::Value, 'Y'), ("icmp-id", Takes::Value, 'Z')];

/// Protocols by name, with their number and what they add.
const PROTOCOLS: &[(&str, u8, &[&[Long]])] = &[
    ("tcp", 6, &[PORTS, STATE]),
    ("udp", 17, &[PORTS]),
    ("udplite", 136, &[PORTS]),
    ("sctp", 132, &[PORTS]),
    ("dccp", 33, &[PORTS]),
    ("icmp", 1, &[ICMP]),
    ("icmpv6", 58, &[]),
    ("gre", 47, &[]),
];

/// The long name by which a letter is complained of, in the order in which they are looked at.
const NAMES: &[(char, &str)] = &[
    ('s', "src"),
    ('d', "dst"),
    ('r', "reply-src"),
    ('q', "reply-dst"),
    ('p', "protonum"),
    ('t', "timeout"),
    ('u', "status"),
    ('z', "zero"),
    ('e', "event-mask"),
    ('[', "tuple-src"),
    (']', "tuple-dst"),
    ('{', "mask-src"),
    ('}', "mask-dst"),
    ('a', "nat-range"),
    ('m', "mark"),
    ('i', "id"),
    ('f', "family"),
    ('n', "src-nat"),
    ('g', "dst-nat"),
    ('o', "output"),
    ('c', "secmark"),
    ('b', "buffer-size"),
    ('j', "any-nat"),
    ('w', "zone"),
    ('l', "label"),
    ('<', "label-add"),
    ('>', "label-del"),
    ('(', "orig-zone"),
    (')', "reply-zone"),
];

/// `exit_error`
pub(super) const NAME: &str = "conntrack v1.4.7 (conntrack-tools)";

fn usage(text: impl Into<String>) -> Stop {
    Stop::Usage(text.into())
}

/// Takes the words apart.
pub(super) fn read(argv: &[String]) -> Result<Words, Stop> {
    let mut reader = Reader { argv, at: 1, words: Words::default(), long: LONG.to_vec() };
    while let Some(word) = argv.get(reader.at) {
        reader.at += 1;
        if word == "--" {
            break;
        } else if let Some(name) = word.strip_prefix("--") {
            reader.long_option(word, name)?;
        } else if word.len() > 1 && word.starts_with('-') {
            reader.letters(word)?;
        }
    }
    reader.words.check()?;
    Ok(reader.words)
}

struct Reader<'a> {
    argv: &'a [String],
    at: usize,
    words: Words,
    long: Vec<Long>,
}

impl Reader<'_> {
    fn letters(&mut self, word: &str) -> Result<(), Stop> {
        let letters = word.get(1..).unwrap_or_default();
        for (place, letter) in letters.char_indices() {
            let rest = letters.get(place + letter.len_utf8()..).unwrap_or_default();
            // The letters that stand for long options only are accepted as well, as getopt has no other way to name them.
            let known = LONG.iter().find(|option| option.2 == letter);
            match known.map(|option| option.1) {
                None if rest.is_empty() => return Err(usage(format!("unknown option `{word}'"))),
                None => {
                    let before = self.at.checked_sub(2).and_then(|at| self.argv.get(at));
                    return Err(usage(format!("unknown option `{}'", before.map_or("conntrack", String::as_str))));
                }
                Some(Takes::Nothing) => self.option(letter, None)?,
                Some(Takes::MaybeValue) if rest.is_empty() => self.option(letter, None)?,
                // What stands in the same word is not looked at.
                Some(Takes::MaybeValue) => return self.found(letter, None),
                Some(Takes::Value) if !rest.is_empty() => return self.option(letter, Some(rest)),
                Some(Takes::Value) => return self.with_next(letter, word),
            }
        }
        Ok(())
    }

    fn long_option(&mut self, word: &str, written: &str) -> Result<(), Stop> {
        let (name, value) = written.split_once('=').map_or((written, None), |(name, value)| (name, Some(value)));
        let unknown = || usage(format!("unknown option `{word}'"));
        let exact = self.long.iter().find(|option| option.0 == name).copied();
        let like: Vec<Long> = self.long.iter().filter(|option| option.0.starts_with(name)).copied().collect();
        let same = |first: &Long| like.iter().all(|other| (other.1, other.2) == (first.1, first.2));
        let only = like.first().copied().filter(same);
        let (_, takes, letter) = exact.or(only).ok_or_else(unknown)?;
        match (takes, value) {
            (Takes::Nothing, Some(_)) => Err(unknown()),
            (Takes::Value, None) => self.with_next(letter, word),
            (Takes::MaybeValue, Some(_)) => self.found(letter, None),
            (_, value) => self.option(letter, value),
        }
    }

    fn with_next(&mut self, letter: char, word: &str) -> Result<(), Stop> {
        let value = self.argv.get(self.at).cloned();
        let value = value.ok_or_else(|| usage(format!("option `{word}' requires an argument")))?;
        self.at += 1;
        self.option(letter, Some(&value))
    }

    /// An option; those whose value may stand in the next word look there.
    fn option(&mut self, letter: char, value: Option<&str>) -> Result<(), Stop> {
        let maybe = LONG.iter().any(|option| option.2 == letter && option.1 == Takes::MaybeValue);
        let next = self.argv.get(self.at).filter(|next| maybe && !next.starts_with(['-', '!'])).cloned();
        self.at += usize::from(next.is_some());
        self.found(letter, value.or(next.as_deref()))
    }

    fn found(&mut self, letter: char, value: Option<&str>) -> Result<(), Stop> {
        let command = match letter {
            'L' => Command::List,
            'G' => Command::Get,
            'D' => Command::Delete,
            'F' => Command::Flush,
            'C' => Command::Count,
            'S' => Command::Statistics,
            'h' => Command::Help,
            'V' => Command::Version,
            'I' | 'A' | 'U' | 'E' | 'R' => {
                let text = format!("vethlab: conntrack -{letter} is not simulated\n");
                return Err(Stop::Refused(text));
            }
            letter => return self.value(letter, value.unwrap_or_default()),
        };
        if self.words.command.is_some() {
            return Err(usage("Invalid commands combination"));
        }
        self.words.command = Some(command);
        self.words.table = table(value)?;
        Ok(())
    }

    fn value(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        let words = &mut self.words;
        let select = &mut words.select;
        match letter {
            's' => (select.source, words.ipv6) = address(value, words.ipv6, Some("src"))?,
            'd' => (select.destination, words.ipv6) = address(value, words.ipv6, Some("dst"))?,
            'r' => (select.reply_source, words.ipv6) = address(value, words.ipv6, None).map_err(named("reply-src"))?,
            'q' => {
                (select.reply_destination, words.ipv6) = address(value, words.ipv6, None).map_err(named("reply-dst"))?
            }
            'n' => select.source_nat = Some(nat(value, "src-nat")?),
            'g' => select.destination_nat = Some(nat(value, "dst-nat")?),
            'j' => {
                select.any_nat = true;
                let nat = nat(value, "any-nat")?;
                (select.source_nat, select.destination_nat) = (Some(nat), Some(nat));
            }
            'p' => {
                let (number, adds) = protocol(value)?;
                select.protocol = Some(number);
                adds.iter().for_each(|added| self.long.extend_from_slice(added));
            }
            'f' => words.ipv6 = family(value, words.ipv6, select)?,
            'u' => self.words.status(value)?,
            'o' => self.words.output(value)?,
            'e' => each(value, &["ALL", "NEW", "UPDATES", "DESTROY"]).map(drop)?,
            'm' => select.mark = Some(mark(value)),
            'i' => select.id = Some(Id(number(value) as u32)),
            'w' | '(' | ')' => select.other_zone |= number(value) as u16 != 0,
            '{' => words.mask_source = Some(mask(value)?),
            '}' => words.mask_destination = Some(mask(value)?),
            'z' => words.zero = true,
            'a' => {
                words.warnings.push_str("WARNING: ignoring -a, deprecated option.\n");
                return Ok(());
            }
            'l' | '<' | '>' => return Err(no_labels(value)),
            '1'..='9' | 'X'..='Z' => select.ports(letter, value)?,
            _ => {}
        }
        self.words.given.push(letter);
        Ok(())
    }
}

impl Words {
    fn status(&mut self, value: &str) -> Result<(), Stop> {
        let mut status = 0;
        for word in value.split(',') {
            let nat = [("SRC_NAT", "src-nat"), ("DST_NAT", "dst-nat")];
            if let Some((name, option)) = nat.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
                self.warnings.push_str(&format!("WARNING: ignoring {name}, use --{option} instead\n"));
                continue;
            }
            let names = ["ASSURED", "SEEN_REPLY", "UNSET", "FIXED_TIMEOUT", "EXPECTED", "OFFLOAD", "HW_OFFLOAD"];
            let bits = [4, 2, 0, 1 << 10, 1, 1 << 14, 1 << 15];
            let [which] = each(word, &names)?[..] else { continue };
            status |= bits.get(which).copied().unwrap_or(0);
        }
        self.select.status = Some(status);
        Ok(())
    }

    fn output(&mut self, value: &str) -> Result<(), Stop> {
        let names = ["xml", "extended", "timestamp", "id", "ktimestamp", "labels", "userspace", "save"];
        let chosen = each(value, &names).map_err(|_| usage(format!("Bad parameter `{value}'")))?;
        for which in &chosen {
            match which {
                0 => self.output.xml = true,
                1 => self.output.extended = true,
                3 => self.output.id = true,
                4 => self.output.ktimestamp = true,
                5 => self.warnings.push_str(LABELS),
                7 => self.output.save = true,
                _ => {}
            }
        }
        let text = "cannot combine save output with any other output type, use -o save only";
        if self.output.save && chosen.len() > 1 { Err(Stop::Failed(text.into())) } else { Ok(()) }
    }

    /// What goes with which command (`generic_opt_check`).
    fn check(&mut self) -> Result<(), Stop> {
        let command = self.command.unwrap_or(Command::Help);
        let has = |letter| self.given.contains(&letter);
        for (mask, option, name) in [('{', 's', "src"), ('}', 'd', "dst")] {
            let looks = matches!(command, Command::List | Command::Delete);
            if looks && has(mask) && !has(option) {
                return Err(usage(format!("Can't use --mask-{name} without --{name}")));
            }
        }
        if matches!(self.table, Table::Dying | Table::Unconfirmed) && command != Command::List {
            return Err(usage("Can't do that command with tables `dying' and `unconfirmed'"));
        }
        let legal = match command {
            Command::List => "sdrqpuz{}mfngocjw()",
            Command::Delete => "sdrqptu{}mifngow()",
            Command::Get => "sdrqpio",
            Command::Flush => "f",
            Command::Count | Command::Statistics | Command::Help | Command::Version => "",
        };
        if self.table == Table::Expect && matches!(command, Command::Get | Command::Delete) && !has('s') {
            return Err(needed("src"));
        }
        for (letter, name) in NAMES {
            if *letter == 'p' && command == Command::Get && !has('p') {
                return Err(needed("protonum"));
            }
            if has(*letter) && !legal.contains(*letter) {
                return Err(usage(format!("Illegal option `--{name}' with this command")));
            }
        }
        if has('5') || has('6') {
            let name = if has('5') { "src" } else { "dst" };
            return Err(usage(format!("Illegal option `--mask-port-{name}' with this command")));
        }
        if command == Command::Get {
            self.check_get()?;
        }
        for refused in ['t', 'c'] {
            if has(refused) {
                let text = format!("vethlab: conntrack -{refused} is not simulated\n");
                return Err(Stop::Refused(text));
            }
        }
        if let (Some(mask), Some(source)) = (self.mask_source, &mut self.select.source) {
            source.1 = mask;
        }
        if let (Some(mask), Some(destination)) = (self.mask_destination, &mut self.select.destination) {
            destination.1 = mask;
        }
        Ok(())
    }

    /// A flow is got by its whole tuple.
    fn check_get(&self) -> Result<(), Stop> {
        let has = |letter| self.given.contains(&letter);
        let both = |one, other| has(one) && has(other);
        if !both('s', 'd') && !both('r', 'q') {
            return Err(usage("you have to specify `--src' and `--dst'"));
        }
        match self.select.protocol {
            Some(1) => {
                let missing = [('X', "icmp-type"), ('Y', "icmp-code")].into_iter().find(|(letter, _)| !has(*letter));
                missing.map_or(Ok(()), |(_, name)| Err(needed(name)))
            }
            Some(47) => Err(usage("you have to specify `--srckey' and `--dstkey'")),
            Some(6 | 17 | 33 | 132 | 136) if !both('1', '2') && !both('3', '4') => {
                Err(usage("you have to specify `--sport' and `--dport'"))
            }
            _ => Ok(()),
        }
    }
}

fn needed(name: &str) -> Stop {
    usage(format!("You need to supply the `--{name}' option for this command"))
}

const LABELS: &str = "nfct_labelmap_new: No such file or directory\n";

/// The machine has no file of labels.
fn no_labels(value: &str) -> Stop {
    let name = value.split(',').next().unwrap_or_default();
    Stop::Refused(format!(
        "{LABELS}{NAME}: unknown label '{name}'\nTry `conntrack -h' or 'conntrack --help' for more information.\n"
    ))
}

/// Which names of a list are said, by their places.
fn each(value: &str, names: &[&str]) -> Result<Vec<usize>, Stop> {
    let place = |word: &str| {
        let found = names.iter().position(|name| name.eq_ignore_ascii_case(word));
        found.ok_or_else(|| usage(format!("Bad parameter `{word}'")))
    };
    value.split(',').map(place).collect()
}

/// `expect` and the like; they may be cut short.
fn table(value: Option<&str>) -> Result<Table, Stop> {
    let Some(value) = value else { return Ok(Table::Conntrack) };
    let tables = [
        ("expect", Table::Expect),
        ("conntrack", Table::Conntrack),
        ("dying", Table::Dying),
        ("unconfirmed", Table::Unconfirmed),
    ];
    let found = tables.into_iter().find(|(name, _)| name.starts_with(value));
    found.map(|(_, table)| table).ok_or_else(|| usage(format!("unknown type `{value}'")))
}

fn protocol(value: &str) -> Result<(u8, &'static [&'static [Long]]), Stop> {
    let named = PROTOCOLS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(value));
    if let Some((_, number, adds)) = named {
        return Ok((*number, adds));
    }
    let number: u8 = value.parse().map_err(|_| usage(format!("`{value}' unsupported protocol")))?;
    let adds = PROTOCOLS.iter().find(|known| known.1 == number).map_or(&[][..], |known| known.2);
    Ok((number, adds))
}

fn family(value: &str, ipv6: bool, select: &Select) -> Result<bool, Stop> {
    let asked = match value {
        "ipv4" => false,
        "ipv6" => true,
        _ => return Err(usage(format!("`{value}' unsupported protocol"))),
    };
    let addressed = select.source.is_some() || select.destination.is_some();
    if addressed && asked != ipv6 { Err(usage("mismatched address family")) } else { Ok(asked) }
}

/// An address and its mask, if it is one of IPv4; one of IPv6 fits no flow here.
type Masked = Option<(Ipv4Addr, Ipv4Addr)>;

fn address(value: &str, ipv6: bool, masked: Option<&str>) -> Result<(Masked, bool), Stop> {
    let (text, length) = value.split_once('/').map_or((value, None), |(text, length)| (text, Some(length)));
    if length.is_some() && masked.is_none() {
        return Err(usage("CIDR notation unavailable for `--"));
    }
    match text.parse() {
        Ok(IpAddr::V6(_)) => Ok((None, true)),
        Ok(IpAddr::V4(_)) if ipv6 => Err(usage("mismatched address family")),
        Ok(IpAddr::V4(address)) => {
            let length = length.map_or(Ok(32), |length| length.parse::<u32>());
            let length = length.ok().filter(|length| *length <= 32).ok_or_else(|| usage("Invalid netmask"))?;
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            Ok((Some((address, Ipv4Addr::from_bits(mask))), false))
        }
        Err(_) => Err(usage(format!("Invalid IP address `{text}'"))),
    }
}

/// Ends the complaint about a network where an address should be.
fn named(option: &'static str) -> impl Fn(Stop) -> Stop {
    move |stop| match stop {
        Stop::Usage(text) if text.ends_with("--") => Stop::Usage(format!("{text}{option}'")),
        stop => stop,
    }
}

fn mask(value: &str) -> Result<Ipv4Addr, Stop> {
    value.parse().map_err(|_| usage(format!("Invalid IP address `{value}'")))
}

fn nat(value: &str, option: &'static str) -> Result<Nat, Stop> {
    if value.is_empty() {
        return Ok(Nat::default());
    }
    let (text, port) = value.split_once(':').map_or((value, None), |(text, port)| (text, Some(port)));
    let (found, _) = address(text, false, None).map_err(named(option))?;
    Ok(Nat { address: found.map(|(address, _)| address), port: port.map(|port| number(port) as u16) })
}

/// `strtoul` with any base; what is no number is 0.
pub(super) fn number(text: &str) -> u64 {
    let text = text.trim_start();
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| u64::from_str_radix(digits, radix).ok()).unwrap_or(0)
}

/// `value/mask`
fn mark(text: &str) -> (u32, u32) {
    let (value, mask) = text.split_once('/').map_or((text, None), |(value, mask)| (value, Some(mask)));
    (number(value) as u32, mask.map_or(u32::MAX, |mask| number(mask) as u32))
}

impl Select {
    /// What a protocol's own options ask for.
    fn ports(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        let port = || Some(number(value) as u16);
        let Ports { source, destination, reply_source, reply_destination } = &mut self.ports;
        match letter {
            '1' => *source = port(),
            '2' => *destination = port(),
            '3' => *reply_source = port(),
            '4' => *reply_destination = port(),
            '7' => {
                let states = [
                    "NONE",
                    "SYN_SENT",
                    "SYN_RECV",
                    "ESTABLISHED",
                    "FIN_WAIT",
                    "CLOSE_WAIT",
                    "LAST_ACK",
                    "TIME_WAIT",
                    "CLOSE",
                    "SYN_SENT2",
                ];
                if !states.contains(&value) {
                    return Err(usage(format!("unknown TCP state `{value}'")));
                }
                self.state = Some(value.to_string());
            }
            'X' => self.icmp_type = Some(number(value) as u8),
            'Y' => self.icmp_code = Some(number(value) as u8),
            'Z' => self.icmp_id = port(),
            _ => {}
        }
        Ok(())
    }
}
