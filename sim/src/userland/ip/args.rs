//! The words of a command line, and what iproute2 makes of a word (its `lib/utils.c`): numbers, addresses, prefixes,
//! link-layer addresses, abbreviations — and the ways it stops when a word is wrong.
//!
//! A parser is a loop over [`Args`]:
//!
//! ```ignore
//! while let Some(word) = args.next() {
//!     match word {
//!         "dev" => device = Some(args.value()?),               // NEXT_ARG(): "Command line is not complete. …"
//!         "mtu" => mtu = Some(get_unsigned(args.value()?, 0).ok_or_else(|| invarg("Invalid \"mtu\" value", args.word()))?),
//!         _ if matches(word, "help") => return usage(),
//!         _ => return Err(Stop::fail(255, format!("Error: either \"dev\" is duplicate, or \"{word}\" is a garbage.\n"))),
//!     }
//! }
//! ```

use crate::lab::Exit;
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Ipv6Addr};
use vethlab_engine::control::Refusal;

/// How a command ends before its end. What is printed is printed by `ip` itself, on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The command returned this status: a batch prints `Command failed FILE:LINE` (and goes on with `-force`).
    Fail(i32, String),
    /// `exit(status)`: a batch ends on the spot, too.
    Quit(i32, String),
    /// The program becomes another one (`ip netns exec`).
    Become(Exit),
}

impl Stop {
    /// The command returns `status`; `text` (with its newline) goes to standard error.
    pub(super) fn fail(status: i32, text: impl Into<String>) -> Stop {
        Stop::Fail(status, text.into())
    }

    /// `exit(status)` in the midst of the command; `text` (with its newline) goes to standard error.
    pub(super) fn quit(status: i32, text: impl Into<String>) -> Stop {
        Stop::Quit(status, text.into())
    }
}

impl From<Refusal> for Stop {
    /// What `rtnl_talk` prints of the kernel's no, and the status 2 of nearly all commands then.
    fn from(refusal: Refusal) -> Stop {
        Stop::Fail(2, format!("{refusal}\n"))
    }
}

/// The words of one command, and a place among them.
#[derive(Clone, Debug)]
pub(super) struct Args<'a> {
    words: &'a [String],
    at: usize,
}

impl<'a> Args<'a> {
    /// All these words, the first one next.
    pub(super) fn new(words: &'a [String]) -> Args<'a> {
        Args { words, at: 0 }
    }

    /// The next word, taken.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    /// The next word, not taken.
    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).map(String::as_str)
    }

    /// `NEXT_ARG()`: the word that must follow.
    pub(super) fn value(&mut self) -> Result<&'a str, Stop> {
        self.next().ok_or_else(incomplete)
    }

    /// The word taken last; empty before the first.
    pub(super) fn word(&self) -> &'a str {
        self.at.checked_sub(1).and_then(|at| self.words.get(at)).map_or("", String::as_str)
    }

    /// `PREV_ARG()`: gives the last word back.
    pub(super) fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// How many words are left (`argc`).
    pub(super) fn len(&self) -> usize {
        self.words.len().saturating_sub(self.at)
    }

    /// No word is left.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is left, all taken.
    pub(super) fn rest(&mut self) -> &'a [String] {
        let rest = self.words.get(self.at..).unwrap_or(&[]);
        self.at = self.words.len();
        rest
    }
}

/// `matches()` of iproute2, turned around: true if `word` abbreviates `full`. An empty word abbreviates nothing.
pub(super) fn matches(word: &str, full: &str) -> bool {
    !word.is_empty() && full.starts_with(word)
}

/// `incomplete_command()`
pub(super) fn incomplete() -> Stop {
    Stop::quit(255, "Command line is not complete. Try option \"help\"\n")
}

/// `invarg()`: `message` without a full stop, as the caller has it in C.
pub(super) fn invarg(message: &str, word: &str) -> Stop {
    Stop::quit(255, format!("Error: argument \"{word}\" is wrong: {message}\n"))
}

/// `duparg()`
pub(super) fn duparg(key: &str, word: &str) -> Stop {
    Stop::quit(255, format!("Error: duplicate \"{key}\": \"{word}\" is the second value.\n"))
}

/// `duparg2()`
pub(super) fn duparg2(key: &str, word: &str) -> Stop {
    Stop::quit(255, format!("Error: either \"{key}\" is duplicate, or \"{word}\" is a garbage.\n"))
}

/// `nodev()`: the text; commands return it as status 1, mostly.
pub(super) fn nodev(name: &str) -> Stop {
    Stop::fail(1, format!("Cannot find device \"{name}\"\n"))
}

/// An address family, as `-f` and the parsers know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Family {
    /// Any (`AF_UNSPEC`).
    #[default]
    Unspec,
    /// `-4`
    Inet,
    /// `-6`
    Inet6,
    /// `-0`: links.
    Packet,
    /// `-M`
    Mpls,
    /// `-B`
    Bridge,
}

impl Family {
    /// `read_family()`
    pub(super) fn named(name: &str) -> Option<Family> {
        match name {
            "inet" => Some(Family::Inet),
            "inet6" => Some(Family::Inet6),
            "link" => Some(Family::Packet),
            "mpls" => Some(Family::Mpls),
            "bridge" => Some(Family::Bridge),
            _ => None,
        }
    }

    /// `family_name()`
    pub(super) fn name(self) -> &'static str {
        match self {
            Family::Unspec => "???",
            Family::Inet => "inet",
            Family::Inet6 => "inet6",
            Family::Packet => "link",
            Family::Mpls => "mpls",
            Family::Bridge => "bridge",
        }
    }

    /// The family of an address.
    pub(super) fn of(address: IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::Inet,
            IpAddr::V6(_) => Family::Inet6,
        }
    }

    /// `af_bit_len()`
    pub(super) fn bits(self) -> u8 {
        match self {
            Family::Inet => 32,
            Family::Inet6 => 128,
            Family::Mpls => 20,
            _ => 0,
        }
    }
}

/// `inet_prefix`: an address or a prefix as a word says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InetPrefix {
    /// Its family; for `default`, `any` and `all` the family that was asked for.
    pub family: Family,
    /// The address; `None` for `any` and `all`, and for `default` of no family.
    pub address: Option<IpAddr>,
    /// Bits that count; all of them if no length was given, 0 for `default`, `any` and `all`.
    pub length: u8,
    /// `PREFIXLEN_SPECIFIED`: `/N` was said, or `default`.
    pub length_given: bool,
    /// The word was `default`, `any` or `all`.
    pub named: bool,
}

/// `get_addr()`: an address, or exit with `Error: … address is expected rather than "…".`
pub(super) fn get_addr(word: &str, family: Family) -> Result<InetPrefix, Stop> {
    get_addr_1(word, family).ok_or_else(|| {
        Stop::quit(1, format!("Error: {} address is expected rather than \"{word}\".\n", verbose_name(family)))
    })
}

/// `get_prefix()`: an address with or without `/N`, or exit with `Error: … prefix is expected rather than "…".`
pub(super) fn get_prefix(word: &str, family: Family) -> Result<InetPrefix, Stop> {
    if family == Family::Packet {
        let text = format!("Error: \"{word}\" may be inet prefix, but it is not allowed in this context.\n");
        return Err(Stop::quit(1, text));
    }
    get_prefix_1(word, family).ok_or_else(|| {
        Stop::quit(1, format!("Error: {} prefix is expected rather than \"{word}\".\n", verbose_name(family)))
    })
}

/// `get_addr32()`: an IPv4 address in dotted form, or exit (this text alone has no full stop).
pub(super) fn get_addr32(word: &str) -> Result<Ipv4Addr, Stop> {
    match get_addr_1(word, Family::Inet).map(|found| found.address) {
        Some(Some(IpAddr::V4(address))) => Ok(address),
        Some(_) => Ok(Ipv4Addr::UNSPECIFIED),
        None => Err(Stop::quit(1, format!("Error: an IP address is expected rather than \"{word}\"\n"))),
    }
}

fn verbose_name(family: Family) -> &'static str {
    if family == Family::Unspec { "any valid" } else { family.name() }
}

/// `get_addr_1()`: an address of this family, or of any; `default`, `any`, `all`.
pub(super) fn get_addr_1(word: &str, family: Family) -> Option<InetPrefix> {
    let none = |address, length_given| InetPrefix { family, address, length: 0, length_given, named: true };
    match (word, family) {
        ("default" | "all" | "any", Family::Mpls) => return None,
        ("default", Family::Inet) => return Some(none(Some(Ipv4Addr::UNSPECIFIED.into()), true)),
        ("default", Family::Inet6) => return Some(none(Some(Ipv6Addr::UNSPECIFIED.into()), true)),
        ("default", _) => return Some(none(None, true)),
        ("all" | "any", _) => return Some(none(None, false)),
        _ => {}
    }
    let address: IpAddr = if word.contains(':') { word.parse::<Ipv6Addr>().ok()?.into() } else { ipv4(word)?.into() };
    let found = Family::of(address);
    if family != Family::Unspec && family != found {
        return None;
    }
    Some(InetPrefix { family: found, address: Some(address), length: found.bits(), length_given: false, named: false })
}

/// `get_prefix_1()`: the same, with `/N` or, for IPv4, `/255.255.255.0`.
pub(super) fn get_prefix_1(word: &str, family: Family) -> Option<InetPrefix> {
    let Some((address, length)) = word.split_once('/') else { return get_addr_1(word, family) };
    let found = get_addr_1(address, family)?;
    if found.named {
        return None;
    }
    let length = get_netmask(length)?;
    (length <= u32::from(found.family.bits())).then_some(InetPrefix {
        length: length as u8,
        length_given: true,
        ..found
    })
}

/// IPv4 as iproute2 reads it: one to four numbers of any C base; what is missing at the end is 0 (`10.8` is 10.8.0.0).
fn ipv4(word: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0u8; 4];
    let mut rest = word;
    for at in 0..4 {
        let (number, after) = strtoul(rest, 0)?;
        *bytes.get_mut(at)? = u8::try_from(number).ok()?;
        if after.is_empty() {
            return Some(bytes.into());
        }
        rest = after.strip_prefix('.')?;
    }
    None
}

fn get_netmask(word: &str) -> Option<u32> {
    get_unsigned(word, 0).or_else(|| {
        let mask = u32::from(ipv4(word).filter(|_| !word.contains(':'))?);
        (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones())
    })
}

/// C's `strtoul`: the number at the word's head and what follows it; `None` if no number stands there. Base 0 knows
/// `0x10` and `010`. A minus sign wraps around, as in C.
pub(super) fn strtoul(word: &str, base: u32) -> Option<(u64, &str)> {
    let trimmed = word.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let hex = hex.filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (base, digits) = match (base, hex) {
        (0 | 16, Some(rest)) => (16, rest),
        (0, None) if digits.starts_with('0') => (8, digits),
        (0, None) => (10, digits),
        (base, _) => (base, digits),
    };
    let end = digits.find(|c: char| !c.is_digit(base)).unwrap_or(digits.len());
    let (number, rest) = digits.split_at_checked(end).filter(|(number, _)| !number.is_empty())?;
    // What does not fit saturates (ERANGE), and no sign changes that.
    let Ok(value) = u64::from_str_radix(number, base) else { return Some((u64::MAX, rest)) };
    Some((if negative { value.wrapping_neg() } else { value }, rest))
}

/// `get_unsigned()`, `get_u32()`: a number and nothing behind it, up to 2³²−1.
pub(super) fn get_unsigned(word: &str, base: u32) -> Option<u32> {
    get_u64(word, base).and_then(|number| u32::try_from(number).ok())
}

/// `get_u64()`
pub(super) fn get_u64(word: &str, base: u32) -> Option<u64> {
    strtoul(word, base).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

/// `get_u16()`
pub(super) fn get_u16(word: &str, base: u32) -> Option<u16> {
    get_unsigned(word, base).and_then(|number| u16::try_from(number).ok())
}

/// `get_u8()`
pub(super) fn get_u8(word: &str, base: u32) -> Option<u8> {
    get_unsigned(word, base).and_then(|number| u8::try_from(number).ok())
}

/// `get_integer()`, `get_s32()`: a number with or without a sign.
pub(super) fn get_integer(word: &str, base: u32) -> Option<i32> {
    let (number, rest) = strtoul(word, base)?;
    let negative = word.trim_start().starts_with('-');
    let number = if negative { -i128::from(number.wrapping_neg()) } else { i128::from(number) };
    i32::try_from(number).ok().filter(|_| rest.is_empty())
}

/// C's `atoi`: the number at the word's head, 0 if there is none.
pub(super) fn atoi(word: &str) -> i32 {
    strtoul(word, 10).map_or(0, |(number, _)| number as i32)
}

/// `ll_addr_a2n()`: a link-layer address as bytes, as many as the word has (at most `room`). The refusal's text is
/// printed by C in here; the status is the caller's (mostly 255 or 1).
pub(super) fn ll_addr_a2n(word: &str, room: usize) -> Result<Vec<u8>, String> {
    let invalid = |part: &str| format!("\"{part}\" is invalid lladdr.\n");
    if word.contains('.') {
        return ipv4(word).filter(|_| room >= 4).map(|ip| ip.octets().to_vec()).ok_or_else(|| invalid(word));
    }
    let mut bytes = Vec::new();
    for part in word.split(':').take(room) {
        // sscanf("%x") takes the hex digits at the head and does not mind what follows.
        let number = strtoul(part, 16).and_then(|(number, _)| u8::try_from(number).ok());
        bytes.push(number.ok_or_else(|| invalid(part))?);
    }
    Ok(bytes)
}

/// `check_ifname()`: 1 to 15 bytes, no `/`, no white space.
pub(super) fn check_ifname(name: &str) -> bool {
    (1..16).contains(&name.len()) && check_altifname(name)
}

/// `check_altifname()`: the same of any length.
pub(super) fn check_altifname(name: &str) -> bool {
    !name.is_empty() && !name.bytes().any(|c| c == b'/' || c.is_ascii_whitespace() || c == 0x0b)
}

/// `parse_on_off()` and its like: which of the words is meant, by prefix; a refusal lists them all. The status is the
/// caller's.
pub(super) fn one_of(what: &str, word: &str, words: &[&str]) -> Result<usize, String> {
    words.iter().position(|full| matches(word, full)).ok_or_else(|| {
        let list: String = words.iter().map(|full| format!("\"{full}\", ")).collect();
        format!("Error: argument of \"{what}\" must be one of {list}not \"{word}\"\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(word: &str) -> Option<String> {
        get_addr_1(word, Family::Unspec).and_then(|found| found.address).map(|address| address.to_string())
    }

    #[test]
    fn addresses_in_iproute2_s_spellings() {
        assert_eq!(address("10.8").as_deref(), Some("10.8.0.0"));
        assert_eq!(address("0x0a.010.1").as_deref(), Some("10.8.1.0"));
        assert_eq!(address("fe80::1").as_deref(), Some("fe80::1"));
        for bad in ["", "10.0.0.256", "10.0.0.1.", "10.0.0.1.2", "x", "1..2", "fe80:::1", "10.0.0.1x", "-1"] {
            assert_eq!(address(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn prefixes_and_what_is_said_of_bad_ones() {
        let found = get_prefix("10.1.2.3/24", Family::Unspec).expect("a prefix");
        assert_eq!((found.length, found.length_given), (24, true));
        assert_eq!(get_prefix_1("10.1.2.3/255.255.0.0", Family::Unspec).map(|p| p.length), Some(16));
        assert_eq!(get_prefix_1("10.1.2.3/0.0.0.0", Family::Unspec).map(|p| p.length), Some(0));
        assert_eq!(get_prefix_1("10.1.2.3/255.0.255.0", Family::Unspec), None);
        assert_eq!(get_prefix_1("default/8", Family::Inet), None);
        let all = get_prefix_1("default", Family::Unspec).expect("everything");
        assert_eq!((all.family, all.length, all.length_given), (Family::Unspec, 0, true));
        assert_eq!(
            get_prefix("10.0.0.300/24", Family::Unspec),
            Err(Stop::quit(1, "Error: any valid prefix is expected rather than \"10.0.0.300/24\".\n"))
        );
        assert_eq!(
            get_prefix("fe80::1/64", Family::Inet),
            Err(Stop::quit(1, "Error: inet prefix is expected rather than \"fe80::1/64\".\n"))
        );
    }

    #[test]
    fn numbers_as_c_reads_them() {
        assert_eq!(get_unsigned("0x10", 0), Some(16));
        assert_eq!(get_unsigned("010", 0), Some(8));
        assert_eq!(get_unsigned("08", 0), None);
        assert_eq!(get_unsigned("0x", 0), None);
        assert_eq!(get_unsigned("4294967296", 0), None);
        assert_eq!(get_unsigned("-1", 0), None);
        assert_eq!(get_unsigned("", 0), None);
        assert_eq!(get_integer("-5", 0), Some(-5));
        assert_eq!(get_integer("-2147483649", 0), None);
        assert_eq!(get_u8("99999999999999999999999", 0), None);
        assert_eq!(atoi("12ab"), 12);
    }

    #[test]
    fn link_layer_addresses() {
        assert_eq!(ll_addr_a2n("2:0:aB:1g", 32), Ok(vec![2, 0, 0xab, 1]));
        assert_eq!(ll_addr_a2n("2:zz:3", 32), Err("\"zz\" is invalid lladdr.\n".into()));
        assert_eq!(ll_addr_a2n("2:100", 32), Err("\"100\" is invalid lladdr.\n".into()));
    }

    #[test]
    fn a_prefix_is_an_abbreviation_but_nothing_is_not() {
        assert!(matches("a", "address") && matches("address", "address"));
        assert!(!matches("", "address") && !matches("addresses", "address"));
        assert_eq!(
            one_of("arp", "maybe", &["off", "on"]),
            Err("Error: argument of \"arp\" must be one of \"off\", \"on\", not \"maybe\"\n".into())
        );
    }

    #[test]
    fn words_come_one_by_one() {
        let words: Vec<String> = ["dev", "eth0", "mtu"].map(String::from).to_vec();
        let mut args = Args::new(&words);
        assert_eq!((args.next(), args.value(), args.word()), (Some("dev"), Ok("eth0"), "eth0"));
        args.back();
        assert_eq!((args.len(), args.next(), args.next()), (2, Some("eth0"), Some("mtu")));
        assert_eq!(args.value(), Err(incomplete()));
    }
}
