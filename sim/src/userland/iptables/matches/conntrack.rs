//! `-m conntrack`, `-m state`

use super::super::address::{mask_behind, named};
use super::super::extension::{Call, MatchExtension, Opt, Seen, Style, Value, fine, of};
use super::super::read::{self, named_bits};
use super::super::stop::Problem;
use super::bang;
use crate::userland::iptables::address;
use std::ops::RangeInclusive;
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::conntrack::state;
use vethlab_engine::filter::{ConntrackMatch, Match, Not};

const STATE_ID: u8 = 0;
const PROTO: u8 = 1;
const ORIG_SRC: u8 = 2;
const ORIG_DST: u8 = 3;
const REPL_SRC: u8 = 4;
const REPL_DST: u8 = 5;
const ORIG_SRC_PORT: u8 = 6;
const ORIG_DST_PORT: u8 = 7;
const REPL_SRC_PORT: u8 = 8;
const REPL_DST_PORT: u8 = 9;
const STATUS: u8 = 10;
const EXPIRE: u8 = 11;
const DIRECTION: u8 = 12;

pub(super) const CONNTRACK: MatchExtension = MatchExtension {
    name: "conntrack",
    options: &[
        Opt::new("ctstate", STATE_ID, ct_state).invertible(),
        Opt::new("ctproto", PROTO, protocol).invertible(),
        Opt::new("ctorigsrc", ORIG_SRC, read::network).invertible(),
        Opt::new("ctorigdst", ORIG_DST, read::network).invertible(),
        Opt::new("ctreplsrc", REPL_SRC, read::network).invertible(),
        Opt::new("ctrepldst", REPL_DST, read::network).invertible(),
        Opt::new("ctstatus", STATUS, ct_status).invertible(),
        Opt::new("ctexpire", EXPIRE, read::uint32_range).invertible(),
        Opt::new("ctorigsrcport", ORIG_SRC_PORT, read::port_range).invertible(),
        Opt::new("ctorigdstport", ORIG_DST_PORT, read::port_range).invertible(),
        Opt::new("ctreplsrcport", REPL_SRC_PORT, read::port_range).invertible(),
        Opt::new("ctrepldstport", REPL_DST_PORT, read::port_range).invertible(),
        Opt::new("ctdir", DIRECTION, direction),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::parameter("conntrack: At least one option is required")) } else { Ok(()) }
    },
    build,
    help: include_str!("../help/match_conntrack.txt"),
};

fn build(seen: &[Seen]) -> Match {
    let network = |id| of(seen, id).map(|seen| seen.not(seen.network()));
    let port = |id| of(seen, id).map(|seen| seen.not(seen.port_range()));
    Match::Conntrack(Box::new(ConntrackMatch {
        state: of(seen, STATE_ID).map(|seen| seen.not(seen.number() as u16)),
        protocol: of(seen, PROTO).map(|seen| seen.not(seen.byte())),
        original_source: network(ORIG_SRC),
        original_destination: network(ORIG_DST),
        reply_source: network(REPL_SRC),
        reply_destination: network(REPL_DST),
        original_source_port: port(ORIG_SRC_PORT),
        original_destination_port: port(ORIG_DST_PORT),
        reply_source_port: port(REPL_SRC_PORT),
        reply_destination_port: port(REPL_DST_PORT),
        status: of(seen, STATUS).map(|seen| seen.not(seen.word())),
        expire: of(seen, EXPIRE).map(|seen| {
            let (first, last) = seen.range();
            seen.not(first..=last)
        }),
        original_direction: of(seen, DIRECTION).map(|seen| seen.number() == 1),
    }))
}

pub(super) const STATE: MatchExtension = MatchExtension {
    name: "state",
    options: &[Opt::new("state", 0, plain_state).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| Match::State(of(seen, 0).map_or(Not { not: false, of: 0 }, |seen| seen.not(seen.number() as u16))),
    help: include_str!("../help/match_state.txt"),
};

/// In the order in which a shortened name is looked for.
const STATES: &[(&str, u64)] = &[
    ("INVALID", state::INVALID as u64),
    ("NEW", state::NEW as u64),
    ("ESTABLISHED", state::ESTABLISHED as u64),
    ("RELATED", state::RELATED as u64),
    ("UNTRACKED", state::UNTRACKED as u64),
    ("SNAT", state::SNAT as u64),
    ("DNAT", state::DNAT as u64),
];

/// In the order of listings.
const STATES_SHOWN: &[(&str, u32)] = &[
    ("INVALID", state::INVALID as u32),
    ("NEW", state::NEW as u32),
    ("RELATED", state::RELATED as u32),
    ("ESTABLISHED", state::ESTABLISHED as u32),
    ("UNTRACKED", state::UNTRACKED as u32),
    ("SNAT", state::SNAT as u32),
    ("DNAT", state::DNAT as u32),
];

const STATUSES: &[(&str, u64)] = &[("NONE", 0), ("EXPECTED", 1), ("SEEN_REPLY", 2), ("ASSURED", 4), ("CONFIRMED", 8)];
const STATUSES_SHOWN: &[(&str, u32)] = &[("EXPECTED", 1), ("SEEN_REPLY", 2), ("ASSURED", 4), ("CONFIRMED", 8)];

fn ct_state(call: &mut Call<'_>) -> Result<Value, Problem> {
    named_bits(call.arg, STATES, |rest, _| Problem::Parameter(format!("Bad ctstate \"{rest}\""))).map(Value::Number)
}

fn ct_status(call: &mut Call<'_>) -> Result<Value, Problem> {
    named_bits(call.arg, STATUSES, |rest, _| Problem::Parameter(format!("Bad ctstatus \"{rest}\""))).map(Value::Number)
}

fn plain_state(call: &mut Call<'_>) -> Result<Value, Problem> {
    let complaint = |rest: &str, _| {
        Problem::Parameter(if rest.is_empty() {
            "\"--state\" requires a list of states with no spaces, e.g. ESTABLISHED,RELATED".to_string()
        } else {
            format!("Bad state \"{rest}\"")
        })
    };
    named_bits(call.arg, &STATES[..5], complaint).map(Value::Number)
}

fn protocol(call: &mut Call<'_>) -> Result<Value, Problem> {
    Ok(Value::Number(address::protocol(call.arg)?.into()))
}

fn direction(call: &mut Call<'_>) -> Result<Value, Problem> {
    let is = |name: &str| call.arg.eq_ignore_ascii_case(name);
    match (is("ORIGINAL"), is("REPLY")) {
        (true, _) => Ok(Value::Number(1)),
        (_, true) => Ok(Value::Number(0)),
        _ => Err(Problem::Parameter(format!("conntrack: Bad value for \"--ctdir\" option: \"{}\"", call.arg))),
    }
}

fn names(bits: u32, names: &[(&str, u32)]) -> String {
    let set: Vec<&str> = names.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
    set.join(",")
}

pub(super) fn state_shown(state: Not<u16>, style: Style) -> String {
    format!("{} {}state {}", bang(state.not), prefix(style), names(state.of.into(), STATES_SHOWN))
}

fn prefix(style: Style) -> &'static str {
    if style == Style::Save { "--" } else { "" }
}

/// One option: its `!`, its name, its value.
struct Shower {
    text: String,
    style: Style,
}

impl Shower {
    fn show<T>(&mut self, name: &str, value: Option<&Not<T>>, words: impl Fn(&T) -> String) {
        if let Some(Not { not, of }) = value {
            self.text += &format!("{} {}{name} {}", bang(*not), prefix(self.style), words(of));
        }
    }

    fn network(&mut self, name: &str, value: Option<&Not<(Ipv4Addr, Ipv4Addr)>>) {
        let numeric = self.style != Style::List { numeric: false };
        self.show(name, value, |(address, mask)| {
            if !numeric && address.is_unspecified() {
                return "anywhere".to_string();
            }
            named(*address, numeric) + &mask_behind(*mask)
        });
    }

    fn port(&mut self, name: &str, value: Option<&Not<RangeInclusive<u16>>>) {
        self.show(name, value, |ports| match (*ports.start(), *ports.end()) {
            (first, last) if first == last || last == 0 => first.to_string(),
            (first, last) => format!("{first}:{last}"),
        });
    }
}

pub(super) fn shown(of: &ConntrackMatch, style: Style) -> String {
    let mut shower = Shower { text: String::new(), style };
    shower.show("ctstate", of.state.as_ref(), |bits| names((*bits).into(), STATES_SHOWN));
    shower.show("ctproto", of.protocol.as_ref(), u8::to_string);
    shower.network("ctorigsrc", of.original_source.as_ref());
    shower.network("ctorigdst", of.original_destination.as_ref());
    shower.network("ctreplsrc", of.reply_source.as_ref());
    shower.network("ctrepldst", of.reply_destination.as_ref());
    shower.port("ctorigsrcport", of.original_source_port.as_ref());
    shower.port("ctorigdstport", of.original_destination_port.as_ref());
    shower.port("ctreplsrcport", of.reply_source_port.as_ref());
    shower.port("ctrepldstport", of.reply_destination_port.as_ref());
    shower.show("ctstatus", of.status.as_ref(), |bits| match bits {
        0 => "NONE".to_string(),
        bits => names(*bits, STATUSES_SHOWN),
    });
    shower.show("ctexpire", of.expire.as_ref(), |seconds| match (seconds.start(), seconds.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}:{last}"),
    });
    let direction = of.original_direction.map(|original| if original { "ORIGINAL" } else { "REPLY" });
    let direction = direction.map(|direction| format!(" {}ctdir {direction}", prefix(style)));
    shower.text + &direction.unwrap_or_default()
}
