//! The words of [`Script`](super::script::Script): read and written.

use super::script::{KINDS, everything};
use crate::addr::{Address, IpAddr, Ipv4Addr, Prefix};
use crate::config::Config;
use crate::control::{AddressSpec, IfIndex, NextHopSpec, RouteKind, RouteSpec, RuleAction, RuleSpec, table};
use crate::link::Ports;
use crate::route::{NextHop, RouteGet};

fn number(word: &str) -> u32 {
    let hex = word.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16));
    hex.unwrap_or_else(|| word.parse()).expect("a number")
}

fn ip(word: &str) -> IpAddr {
    word.parse().expect("an address")
}

fn prefix(word: &str, ipv6: bool) -> (IpAddr, u8) {
    match word.split_once('/') {
        _ if word == "default" => (everything(ipv6), 0),
        Some((address, length)) => (ip(address), length.parse().expect("a length")),
        None => (ip(word), if ip(word).is_ipv4() { 32 } else { 128 }),
    }
}

fn port(config: &Config, name: &str) -> Option<IfIndex> {
    Some(config.ports.named(name).expect("a port").index)
}

fn scope(word: &str) -> u8 {
    match word {
        "global" => 0,
        "site" => 200,
        "link" => 253,
        "host" => 254,
        _ => number(word) as u8,
    }
}

pub(super) fn table_number(word: &str) -> u32 {
    match word {
        "local" => table::LOCAL,
        "main" => table::MAIN,
        "default" => table::DEFAULT,
        "all" => 0,
        _ => number(word),
    }
}

pub(super) fn table_name(number: u32) -> String {
    match number {
        table::MAIN => String::new(),
        table::LOCAL => "table local ".to_string(),
        table::DEFAULT => "table default ".to_string(),
        _ => format!("table {number} "),
    }
}

pub(super) fn kind_name(kind: RouteKind) -> String {
    if kind == RouteKind::Unicast { String::new() } else { format!("{kind:?} ").to_lowercase() }
}

pub(super) fn protocol_name(protocol: u8) -> String {
    match protocol {
        3 => String::new(),
        2 => "proto kernel ".to_string(),
        4 => "proto static ".to_string(),
        _ => format!("proto {protocol} "),
    }
}

pub(super) fn scope_name(scope: u8) -> String {
    match scope {
        0 => String::new(),
        200 => "scope site ".to_string(),
        253 => "scope link ".to_string(),
        254 => "scope host ".to_string(),
        _ => format!("scope {scope} "),
    }
}

pub(super) fn tos(tos: u8) -> String {
    if tos == 0 { String::new() } else { format!("tos {tos:#04x} ") }
}

pub(super) fn hop_way<A: Address>(ports: &Ports, hop: &NextHop<A>) -> String {
    let via = hop.gateway.map_or(String::new(), |gateway| format!("via {gateway} "));
    via + &ports.get(hop.oif).map_or(String::new(), |port| format!("dev {} ", port.name))
}

pub(super) fn hop_flags<A>(hop: &NextHop<A>, ignores_linkdown: bool) -> String {
    let flags = [
        (hop.dead || (hop.linkdown && ignores_linkdown), "dead "),
        (hop.onlink, "onlink "),
        (hop.linkdown, "linkdown "),
    ];
    flags.iter().filter(|flag| flag.0).map(|flag| flag.1).collect()
}

pub(super) fn address(config: &Config, words: &[&str], deletes: bool) -> AddressSpec {
    let (local, length) = prefix(words[0], words[0].contains(':'));
    let mut spec = AddressSpec::of(0, local, length);
    spec.any_prefix = deletes && !words.contains(&"peer") && !words[0].contains('/');
    spec.scope = matches!(local, IpAddr::V4(local) if local.is_loopback()).then_some(254);
    let mut broadcast = None;
    let mut rest = words[1..].iter();
    while let Some(&word) = rest.next() {
        let mut next = || *rest.next().expect("a value");
        match word {
            "dev" => spec.index = port(config, next()).expect("a port"),
            "peer" => {
                let (peer, length) = prefix(next(), false);
                (spec.peer, spec.length) = (Some(peer), length);
            }
            "brd" => broadcast = Some(next()),
            "metric" => spec.metric = Some(number(next())),
            "scope" => spec.scope = Some(scope(next())),
            "noprefixroute" => spec.noprefixroute = true,
            "nodad" => spec.nodad = true,
            _ => panic!("{word} of an address"),
        }
    }
    let network = spec.peer.unwrap_or(local);
    spec.broadcast = match (broadcast, network) {
        // iproute2 works it out, where there is room for one.
        (Some("+"), IpAddr::V4(network)) => Some(Prefix::of(network, spec.length).last()).filter(|_| spec.length <= 30),
        (said, _) => said.map(|word| word.parse::<Ipv4Addr>().expect("an address")),
    };
    spec
}

pub(super) fn rule(words: &[&str], ipv6: bool, adds: bool) -> RuleSpec {
    let mut spec = RuleSpec { ipv6, protocol: if adds { 3 } else { 0 }, ..RuleSpec::default() };
    let mut rest = words.iter();
    while let Some(&word) = rest.next() {
        let mut next = || *rest.next().expect("a value");
        match word {
            "from" => spec.source = Some(prefix(next(), ipv6)),
            "to" => spec.destination = Some(prefix(next(), ipv6)),
            "pref" => spec.priority = Some(number(next())),
            "fwmark" => spec.mark = Some(number(next())),
            "tos" => spec.tos = number(next()) as u8,
            "iif" => spec.iif = Some(next().to_string()),
            "oif" => spec.oif = Some(next().to_string()),
            "suppress_prefixlength" => spec.suppress_prefix = Some(number(next())),
            "not" => spec.invert = true,
            "table" => spec.action = Some(RuleAction::Table(table_number(next()))),
            "goto" => spec.action = Some(RuleAction::Goto(number(next()))),
            "blackhole" => spec.action = Some(RuleAction::Blackhole),
            "unreachable" => spec.action = Some(RuleAction::Unreachable),
            "prohibit" => spec.action = Some(RuleAction::Prohibit),
            _ => panic!("{word} of a rule"),
        }
    }
    spec
}

pub(super) fn route(config: &Config, words: &[&str], ipv6: bool) -> RouteSpec {
    let kind = KINDS.into_iter().find(|kind| format!("{kind:?}").to_lowercase() == words[0]);
    let words = if kind.is_some() { &words[1..] } else { words };
    let (destination, length) = prefix(words[0], ipv6);
    let mut spec = RouteSpec { kind, ..RouteSpec::to(destination, length) };
    let fresh = NextHopSpec { weight: 1, ..NextHopSpec::default() };
    let mut rest = words[1..].iter();
    while let Some(&word) = rest.next() {
        let mut next = || *rest.next().expect("a value");
        let hop = |spec: &mut RouteSpec| {
            if spec.nexthops.is_empty() {
                spec.nexthops.push(fresh);
            }
            spec.nexthops.len() - 1
        };
        match word {
            "nexthop" => spec.nexthops.push(fresh),
            "via" => {
                let at = hop(&mut spec);
                spec.nexthops[at].gateway = Some(ip(next()));
            }
            "dev" => {
                let at = hop(&mut spec);
                spec.nexthops[at].oif = port(config, next());
            }
            "onlink" => {
                let at = hop(&mut spec);
                spec.nexthops[at].onlink = true;
            }
            "weight" => {
                let at = hop(&mut spec);
                spec.nexthops[at].weight = number(next()) as u16;
            }
            "metric" => spec.metric = Some(number(next())),
            "table" => spec.table = Some(table_number(next())),
            "scope" => spec.scope = Some(scope(next())),
            "src" => spec.prefsrc = Some(ip(next())),
            "tos" => spec.tos = number(next()) as u8,
            "mtu" => spec.metrics.mtu = Some(number(next())),
            "pref" => spec.preference = Some(if next() == "high" { 1 } else { 3 }),
            "proto" => {
                let word = next();
                spec.protocol = Some(match word {
                    "kernel" => 2,
                    "static" => 4,
                    _ => number(word) as u8,
                });
            }
            _ => panic!("{word} of a route"),
        }
    }
    spec
}

pub(super) fn get(config: &Config, words: &[&str]) -> RouteGet {
    let mut ask = RouteGet::to(ip(words[0]));
    let mut rest = words[1..].iter();
    while let Some(&word) = rest.next() {
        let mut next = || *rest.next().expect("a value");
        match word {
            "from" => ask.source = Some(ip(next())),
            "iif" => ask.iif = port(config, next()),
            "oif" => ask.oif = port(config, next()),
            "tos" => ask.tos = number(next()) as u8,
            "mark" => ask.mark = number(next()),
            _ => panic!("{word} of a question"),
        }
    }
    ask
}
