//! `-m tcp`, `-m udp`

use super::super::extension::{Call, MatchExtension, Opt, Seen, Style, Value, fine, of};
use super::super::read;
use super::super::stop::Problem;
use super::bang;
use crate::userland::netdb;
use std::ops::RangeInclusive;
use vethlab_engine::filter::{Match, Not, TcpMatch};

const SOURCE: u8 = 0;
const DESTINATION: u8 = 1;
const SYN: u8 = 2;
const FLAGS: u8 = 3;
const OPTION: u8 = 4;

pub(super) const TCP: MatchExtension = MatchExtension {
    name: "tcp",
    options: &[
        Opt::new("source-port", SOURCE, |call| tcp_ports(call, "Only one `--source-port' allowed")),
        Opt::new("sport", SOURCE, |call| tcp_ports(call, "Only one `--source-port' allowed")),
        Opt::new("destination-port", DESTINATION, |call| tcp_ports(call, "Only one `--destination-port' allowed")),
        Opt::new("dport", DESTINATION, |call| tcp_ports(call, "Only one `--destination-port' allowed")),
        Opt::bare("syn", SYN).reads(syn),
        Opt::new("tcp-flags", FLAGS, tcp_flags),
        Opt::new("tcp-option", OPTION, tcp_option),
    ],
    old: true,
    check: fine,
    build: |seen| {
        Match::Tcp(TcpMatch {
            source: port(seen, SOURCE),
            destination: port(seen, DESTINATION),
            flags: of(seen, FLAGS).or(of(seen, SYN)).map(|seen| {
                let (mask, set) = seen.masked();
                seen.not((mask as u8, set as u8))
            }),
            option: of(seen, OPTION).map(|seen| seen.not(seen.byte())),
        })
    },
    help: include_str!("../help/match_tcp.txt"),
};

pub(super) const UDP: MatchExtension = MatchExtension {
    name: "udp",
    options: &[
        Opt::new("source-port", SOURCE, read::port_range).invertible(),
        Opt::new("sport", SOURCE, read::port_range).invertible(),
        Opt::new("destination-port", DESTINATION, read::port_range).invertible(),
        Opt::new("dport", DESTINATION, read::port_range).invertible(),
    ],
    old: false,
    check: fine,
    build: |seen| Match::Udp { source: port(seen, SOURCE), destination: port(seen, DESTINATION) },
    help: include_str!("../help/match_udp.txt"),
};

fn port(seen: &[Seen], id: u8) -> Option<Not<RangeInclusive<u16>>> {
    of(seen, id).map(|seen| seen.not(seen.port_range()))
}

/// Complains if the option was there before.
fn once(call: &Call<'_>, ids: &[u8], complaint: &str) -> Result<(), Problem> {
    let before = call.seen.iter().any(|seen| ids.contains(&seen.id));
    if before { Err(Problem::parameter(complaint)) } else { Ok(()) }
}

fn tcp_ports(call: &mut Call<'_>, complaint: &str) -> Result<Value, Problem> {
    let id = if call.name == "source-port" { SOURCE } else { DESTINATION };
    once(call, &[id], complaint)?;
    let Some((first, last)) = call.arg.split_once(':') else {
        let port = read::port(call.arg, "tcp")?;
        return Ok(Value::Ports(vec![(port, port)]));
    };
    let first = if first.is_empty() { 0 } else { read::port(first, "tcp")? };
    let last = if last.is_empty() { u16::MAX } else { read::port(last, "tcp")? };
    if first > last {
        return Err(Problem::parameter("invalid portrange (min > max)"));
    }
    Ok(Value::Ports(vec![(first, last)]))
}

const FLAG_NAMES: &[(&str, u8)] = &[
    ("FIN", 0x01),
    ("SYN", 0x02),
    ("RST", 0x04),
    ("PSH", 0x08),
    ("ACK", 0x10),
    ("URG", 0x20),
    ("ALL", 0x3f),
    ("NONE", 0),
];

const ONE_OF_FLAGS: &str = "Only one of `--syn' or `--tcp-flags'  allowed";

fn syn(call: &mut Call<'_>) -> Result<Value, Problem> {
    once(call, &[SYN, FLAGS], ONE_OF_FLAGS)?;
    Ok(Value::Masked(0x17, 0x02))
}

fn tcp_flags(call: &mut Call<'_>) -> Result<Value, Problem> {
    once(call, &[SYN, FLAGS], ONE_OF_FLAGS)?;
    let Some(set) = call.next.filter(|word| !word.starts_with(['-', '!'])) else {
        return Err(Problem::parameter("--tcp-flags requires two args."));
    };
    call.took_next = true;
    Ok(Value::Masked(flags(call.arg)?.into(), flags(set)?.into()))
}

fn flags(list: &str) -> Result<u8, Problem> {
    list.split(',').filter(|word| !word.is_empty()).try_fold(0, |flags, word| {
        let found = FLAG_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let unknown = || Problem::Parameter(format!("Unknown TCP flag `{word}'"));
        found.map(|(_, bits)| flags | bits).ok_or_else(unknown)
    })
}

fn tcp_option(call: &mut Call<'_>) -> Result<Value, Problem> {
    once(call, &[OPTION], "Only one `--tcp-option' allowed")?;
    let bad = || Problem::Parameter(format!("Bad TCP option \"{}\"", call.arg));
    read::whole(call.arg, 1, u8::MAX.into()).map(Value::Number).ok_or_else(bad)
}

/// A port by its name, where it has one and names are wanted.
pub(super) fn port_shown(port: u16, protocol: &str, numeric: bool) -> String {
    let name = if numeric { None } else { netdb::port_name(port, protocol) };
    name.map_or_else(|| port.to_string(), str::to_string)
}

fn listed(what: &str, ports: Option<&Not<RangeInclusive<u16>>>, protocol: &str, numeric: bool) -> String {
    let Some(Not { not, of }) = ports else { return String::new() };
    if *of == (0..=u16::MAX) && !not {
        return String::new();
    }
    let inverted = if *not { "!" } else { "" };
    let name = |port: &u16| port_shown(*port, protocol, numeric);
    if of.start() == of.end() {
        format!(" {what}:{inverted}{}", name(of.start()))
    } else {
        format!(" {what}s:{inverted}{}:{}", name(of.start()), name(of.end()))
    }
}

fn saved(what: &str, ports: Option<&Not<RangeInclusive<u16>>>) -> String {
    match ports {
        Some(Not { of, .. }) if *of == (0..=u16::MAX) => String::new(),
        Some(Not { not, of }) if of.start() == of.end() => format!("{} --{what} {}", bang(*not), of.start()),
        Some(Not { not, of }) => format!("{} --{what} {}:{}", bang(*not), of.start(), of.end()),
        None => String::new(),
    }
}

fn both(
    source: Option<&Not<RangeInclusive<u16>>>,
    destination: Option<&Not<RangeInclusive<u16>>>,
    protocol: &str,
    style: Style,
) -> String {
    match style {
        Style::List { numeric } => {
            listed("spt", source, protocol, numeric) + &listed("dpt", destination, protocol, numeric)
        }
        Style::Save => saved("sport", source) + &saved("dport", destination),
    }
}

pub(super) fn udp_shown(
    source: Option<&Not<RangeInclusive<u16>>>,
    destination: Option<&Not<RangeInclusive<u16>>>,
    style: Style,
) -> String {
    let name = if style == Style::Save { "" } else { " udp" };
    name.to_string() + &both(source, destination, "udp", style)
}

pub(super) fn tcp_shown(tcp: &TcpMatch, style: Style) -> String {
    let ports = both(tcp.source.as_ref(), tcp.destination.as_ref(), "tcp", style);
    match style {
        Style::Save => {
            let option = tcp.option.map(|Not { not, of }| format!("{} --tcp-option {of}", bang(not)));
            let flags = tcp.flags.map(|Not { not, of: (mask, set) }| {
                format!("{} --tcp-flags {} {}", bang(not), flag_names(mask), flag_names(set))
            });
            ports + &option.unwrap_or_default() + &flags.unwrap_or_default()
        }
        Style::List { numeric } => {
            let option = tcp.option.map(|Not { not, of }| format!(" option={}{of}", if not { "!" } else { "" }));
            let flags = tcp.flags.map(|Not { not, of: (mask, set) }| {
                let inverted = if not { "!" } else { "" };
                if numeric {
                    format!(" flags:{inverted}0x{mask:02X}/0x{set:02X}")
                } else {
                    format!(" flags:{inverted}{}/{}", flag_names(mask), flag_names(set))
                }
            });
            format!(" tcp{ports}{}{}", option.unwrap_or_default(), flags.unwrap_or_default())
        }
    }
}

/// `FIN,SYN`, or `NONE`.
fn flag_names(flags: u8) -> String {
    let single = FLAG_NAMES.iter().filter(|(_, bit)| bit.count_ones() == 1 && flags & bit != 0);
    let names: Vec<&str> = single.map(|(name, _)| *name).collect();
    if names.is_empty() { "NONE".to_string() } else { names.join(",") }
}
