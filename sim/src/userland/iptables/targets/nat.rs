//! `-j DNAT`, `-j SNAT`, `-j MASQUERADE`, `-j REDIRECT`, `-j NETMAP`

use super::super::address::cidr;
use super::super::extension::{Call, Opt, Seen, Style, TargetExtension, Value, fine, of};
use super::super::read::{self, leading};
use super::super::stop::Problem;
use crate::userland::netdb;
use std::ops::RangeInclusive;
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::filter::{NatRange, Target};

const TO: u8 = 0;
const RANDOM: u8 = 3;
const RANDOM_FULLY: u8 = 4;
const PERSISTENT: u8 = 5;

pub(super) const DNAT: TargetExtension = TargetExtension {
    name: "DNAT",
    options: &[
        Opt::new("to-destination", TO, to).mandatory(),
        Opt::bare("random", RANDOM),
        Opt::bare("persistent", PERSISTENT),
    ],
    old: false,
    check: fine,
    build: |seen| Target::Dnat(range(seen)),
    help: include_str!("../help/target_DNAT.txt"),
};

pub(super) const SNAT: TargetExtension = TargetExtension {
    name: "SNAT",
    options: &[
        Opt::new("to-source", TO, to).mandatory(),
        Opt::bare("random", RANDOM),
        Opt::bare("random-fully", RANDOM_FULLY),
        Opt::bare("persistent", PERSISTENT),
    ],
    old: false,
    check: |seen| unshifted(seen, "-j SNAT with a base for shifted ports"),
    build: |seen| Target::Snat(range(seen)),
    help: include_str!("../help/target_SNAT.txt"),
};

pub(super) const MASQUERADE: TargetExtension = TargetExtension {
    name: "MASQUERADE",
    options: &[Opt::new("to-ports", TO, ports), Opt::bare("random", RANDOM), Opt::bare("random-fully", RANDOM_FULLY)],
    old: false,
    check: |seen| unshifted(seen, "-j MASQUERADE with a base for shifted ports"),
    build: |seen| {
        let NatRange { ports, random, random_fully, .. } = range(seen);
        Target::Masquerade { ports, random, random_fully }
    },
    help: include_str!("../help/target_MASQUERADE.txt"),
};

pub(super) const REDIRECT: TargetExtension = TargetExtension {
    name: "REDIRECT",
    options: &[Opt::new("to-ports", TO, ports), Opt::bare("random", RANDOM)],
    old: false,
    check: |seen| match of(seen, TO).map(|seen| &seen.value) {
        Some(Value::Nat(range)) if range.base_port.is_some() => {
            Err(Problem::parameter("Shifted portmap ranges not supported with this kernel"))
        }
        _ => Ok(()),
    },
    build: |seen| {
        let NatRange { ports, random, .. } = range(seen);
        Target::Redirect { ports, random }
    },
    help: include_str!("../help/target_REDIRECT.txt"),
};

pub(super) const NETMAP: TargetExtension = TargetExtension {
    name: "NETMAP",
    options: &[Opt::new("to", 0, read::network).mandatory()],
    old: false,
    check: fine,
    build: |seen| {
        let (address, mask) = of(seen, 0).map_or((Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED), Seen::network);
        Target::NetMap(Ipv4Addr::from_bits(address.to_bits() & mask.to_bits()), mask)
    },
    help: include_str!("../help/target_NETMAP.txt"),
};

/// The kernel's record of a source has no place for a base; the tool prints one all the same.
fn unshifted(seen: &[Seen], what: &str) -> Result<(), Problem> {
    if range(seen).base_port.is_some() { Err(Problem::NotSimulated(what.to_string())) } else { Ok(()) }
}

fn range(seen: &[Seen]) -> NatRange {
    let to = of(seen, TO).map(|seen| &seen.value);
    let range = if let Some(Value::Nat(range)) = to { NatRange::clone(range) } else { NatRange::default() };
    let flag = |id| of(seen, id).is_some();
    NatRange { random: flag(RANDOM), random_fully: flag(RANDOM_FULLY), persistent: flag(PERSISTENT), ..range }
}

/// Protocols whose packets can be given another port.
fn has_ports(call: &Call<'_>) -> bool {
    call.protocol.is_some_and(|protocol| matches!(protocol.of, 1 | 6 | 17 | 33 | 132))
}

fn ports(call: &mut Call<'_>) -> Result<Value, Problem> {
    let (ports, base_port) = read_ports(call.arg, has_ports(call))?;
    Ok(Value::Nat(Box::new(NatRange { ports: Some(ports), base_port, ..NatRange::default() })))
}

/// `parse_ports`: `FIRST[-LAST[/BASE]]`
fn read_ports(arg: &str, allowed: bool) -> Result<(RangeInclusive<u16>, Option<u16>), Problem> {
    if !allowed {
        return Err(Problem::parameter("Need TCP, UDP, SCTP or DCCP with port specification"));
    }
    let invalid = |arg: &str| Problem::Parameter(format!("Port `{arg}' not valid"));
    let number = |arg, min| leading(arg, min, u16::MAX.into()).map(|(port, rest)| (port as u16, rest));
    let (first, rest) = match number(arg, 0) {
        Some(found) => found,
        None => (netdb::service(arg, None).ok_or_else(|| invalid(arg))?, ""),
    };
    let arg = match (rest.strip_prefix('-'), rest.chars().next()) {
        (_, None) => return Ok((first..=first, None)),
        (Some(arg), _) => arg,
        (_, Some(':')) => return Err(Problem::parameter("Invalid port:port syntax - use dash")),
        _ => return Err(Problem::Parameter(format!("Garbage after port value: `{rest}'"))),
    };
    let (last, rest) = number(arg, 0).ok_or_else(|| invalid(arg))?;
    if last < first {
        return Err(Problem::Parameter(format!("Port range `{arg}' funky")));
    }
    let base = match rest.strip_prefix('/') {
        None if rest.is_empty() => return Ok((first..=last, None)),
        None => return Err(Problem::Parameter(format!("Garbage after port range: `{rest}'"))),
        Some(arg) => match number(arg, 1) {
            Some((base, _)) => base,
            None => netdb::service(arg, None).ok_or_else(|| invalid(arg))?,
        },
    };
    Ok((first..=last, Some(base)))
}

/// `parse_to`: `[ADDRESS[-ADDRESS]][:PORTS]`
fn to(call: &mut Call<'_>) -> Result<Value, Problem> {
    let arg = call.arg;
    if arg.contains('[') {
        return Err(Problem::parameter("Invalid address format"));
    }
    // Two colons would be an address of IPv6.
    let colon = arg.split_once(':').filter(|(_, ports)| !ports.contains(':'));
    let mut range = NatRange::default();
    let addresses = match colon {
        Some((addresses, ports)) => {
            let (ports, base) = read_ports(ports, has_ports(call))?;
            (range.ports, range.base_port) = (Some(ports), base);
            addresses
        }
        None => arg,
    };
    if colon.is_some() && addresses.is_empty() {
        return Ok(Value::Nat(Box::new(range)));
    }
    let address = |text: &str| {
        let bad = || Problem::Parameter(format!("Bad IP address \"{text}\""));
        text.parse::<Ipv4Addr>().map_err(|_| bad())
    };
    range.addresses = Some(match addresses.split_once('-') {
        Some((first, last)) => (address(first)?, address(last)?),
        None => (address(addresses)?, address(addresses)?),
    });
    Ok(Value::Nat(Box::new(range)))
}

/// `8080`, `8080-8090`
fn port_range(ports: &RangeInclusive<u16>) -> String {
    match (ports.start(), ports.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}

fn flags(flags: &[(bool, &str)], style: Style) -> String {
    let prefix = if style == Style::Save { "--" } else { "" };
    flags.iter().filter(|(set, _)| *set).map(|(_, name)| format!(" {prefix}{name}")).collect()
}

pub(super) fn shown(range: &NatRange, option: &str, style: Style) -> String {
    let mut to = match range.addresses {
        None => String::new(),
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}-{last}"),
    };
    if let Some(ports) = &range.ports {
        to += &format!(":{}", port_range(ports));
        to += &range.base_port.map_or(String::new(), |base| format!("/{base}"));
    }
    let set = [(range.random, "random"), (range.random_fully, "random-fully"), (range.persistent, "persistent")];
    let to = if to.is_empty() { to } else { format!(" {option}{to}") };
    to + &flags(&set, style)
}

/// `listed` stands before the ports in listings.
pub(super) fn ports_shown(
    ports: Option<&RangeInclusive<u16>>,
    random: bool,
    random_fully: bool,
    listed: &str,
    style: Style,
) -> String {
    let option = if style == Style::Save { "--to-ports " } else { listed };
    let ports = ports.map_or(String::new(), |ports| format!(" {option}{}", port_range(ports)));
    ports + &flags(&[(random, "random"), (random_fully, "random-fully")], style)
}

pub(super) fn netmap_shown(address: Ipv4Addr, mask: Ipv4Addr, style: Style) -> String {
    let mask = cidr(mask).map_or_else(|| mask.to_string(), |prefix| prefix.to_string());
    format!(" {}{address}/{mask}", if style == Style::Save { "--to " } else { "to:" })
}
