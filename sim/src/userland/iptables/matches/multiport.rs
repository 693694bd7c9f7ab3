//! `-m multiport`

use super::super::extension::{Call, MatchExtension, Opt, Style, Value};
use super::super::read;
use super::super::stop::Problem;
use super::bang;
use super::ports::port_shown;
use std::ops::RangeInclusive;
use vethlab_engine::filter::{Match, Not, Ports, Rule};

const SOURCE: u8 = 0;
const DESTINATION: u8 = 1;
const EITHER: u8 = 2;
const ANY: u32 = 0b111;

pub(super) const MULTIPORT: MatchExtension = MatchExtension {
    name: "multiport",
    options: &[
        Opt::new("source-ports", SOURCE, ports).invertible().excludes(ANY),
        Opt::new("sports", SOURCE, ports).invertible().excludes(ANY),
        Opt::new("destination-ports", DESTINATION, ports).invertible().excludes(ANY),
        Opt::new("dports", DESTINATION, ports).invertible().excludes(ANY),
        Opt::new("ports", EITHER, ports).invertible().excludes(ANY),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::parameter("multiport expection an option")) } else { Ok(()) }
    },
    build: |seen| {
        let last = seen.last();
        let which = match last.map_or(EITHER, |seen| seen.id) {
            SOURCE => Ports::Source,
            DESTINATION => Ports::Destination,
            _ => Ports::Either,
        };
        let list = last.map_or(&[][..], |seen| seen.ports());
        let list = list.iter().map(|(first, last)| *first..=*last).collect();
        Match::Multiport { which, ports: Not { not: last.is_some_and(|seen| seen.invert), of: list } }
    },
    help: include_str!("../help/match_multiport.txt"),
};

/// As many ports as there is room for; a range takes the room of two.
const MOST: usize = 15;

/// Those that have ports, by their numbers.
fn protocol_with_ports(number: u8) -> Option<&'static str> {
    match number {
        6 => Some("tcp"),
        17 => Some("udp"),
        136 => Some("udplite"),
        132 => Some("sctp"),
        33 => Some("dccp"),
        _ => None,
    }
}

fn ports(call: &mut Call<'_>) -> Result<Value, Problem> {
    let only = || Problem::parameter("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP");
    let protocol = match call.protocol {
        Some(Not { not: true, .. }) => return Err(only()),
        Some(Not { of, .. }) => protocol_with_ports(of).ok_or_else(only)?,
        None => {
            return Err(Problem::parameter("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'"));
        }
    };
    let too_many = || Problem::parameter("too many ports specified");
    let mut list = Vec::new();
    let mut room = MOST;
    for item in call.arg.split(',') {
        let range = item.split_once(':');
        room = match (room, range.is_some()) {
            (0, _) | (1, true) => return Err(too_many()),
            (room, true) => room - 2,
            (room, false) => room - 1,
        };
        let first = read::port(range.map_or(item, |(first, _)| first), protocol)?;
        let last = range.map_or(Ok(first), |(_, last)| read::port(last, protocol))?;
        if range.is_some() && first >= last {
            return Err(Problem::parameter("invalid portrange specified"));
        }
        list.push((first, last));
    }
    Ok(Value::Ports(list))
}

pub(super) fn shown(rule: &Rule, which: Ports, ports: &Not<Vec<RangeInclusive<u16>>>, style: Style) -> String {
    let protocol = rule.ip.protocol.and_then(|protocol| protocol_with_ports(protocol.of)).unwrap_or_default();
    let numeric = style != Style::List { numeric: false };
    let name = |port: u16| port_shown(port, protocol, numeric);
    let list: Vec<String> = ports
        .of
        .iter()
        .map(|range| match (*range.start(), *range.end()) {
            (first, last) if first == last => name(first),
            (first, last) => format!("{}:{}", name(first), name(last)),
        })
        .collect();
    let which = match which {
        Ports::Source => "sports",
        Ports::Destination => "dports",
        Ports::Either => "ports",
    };
    match style {
        Style::Save => format!("{} --{which} {}", bang(ports.not), list.join(",")),
        Style::List { .. } => format!(" multiport {which} {}{}", bang(ports.not), list.join(",")),
    }
}
