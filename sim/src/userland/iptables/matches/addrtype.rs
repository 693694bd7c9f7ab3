//! `-m addrtype`

use super::super::extension::{Call, MatchExtension, Opt, Style, Value, of};
use super::super::read::named_bits;
use super::super::stop::Problem;
use super::bang;
use vethlab_engine::filter::{AddrTypeMatch, Match, Not};

const SOURCE: u8 = 0;
const DESTINATION: u8 = 1;
const LIMIT_IN: u8 = 2;
const LIMIT_OUT: u8 = 3;

pub(super) const ADDRTYPE: MatchExtension = MatchExtension {
    name: "addrtype",
    options: &[
        Opt::new("src-type", SOURCE, types).invertible(),
        Opt::new("dst-type", DESTINATION, types).invertible(),
        Opt::bare("limit-iface-in", LIMIT_IN).excludes(1 << LIMIT_OUT),
        Opt::bare("limit-iface-out", LIMIT_OUT).excludes(1 << LIMIT_IN),
    ],
    old: false,
    check: |seen| match of(seen, SOURCE).or(of(seen, DESTINATION)) {
        Some(_) => Ok(()),
        None => Err(Problem::parameter("addrtype: you must specify --src-type or --dst-type")),
    },
    build: |seen| {
        let types = |id| of(seen, id).map(|seen| seen.not(seen.number() as u16));
        Match::AddrType(AddrTypeMatch {
            source: types(SOURCE),
            destination: types(DESTINATION),
            limit_in: of(seen, LIMIT_IN).is_some(),
            limit_out: of(seen, LIMIT_OUT).is_some(),
        })
    },
    help: include_str!("../help/match_addrtype.txt"),
};

const NAMES: &[(&str, u64)] = &[
    ("UNSPEC", 1),
    ("UNICAST", 1 << 1),
    ("LOCAL", 1 << 2),
    ("BROADCAST", 1 << 3),
    ("ANYCAST", 1 << 4),
    ("MULTICAST", 1 << 5),
    ("BLACKHOLE", 1 << 6),
    ("UNREACHABLE", 1 << 7),
    ("PROHIBIT", 1 << 8),
    ("THROW", 1 << 9),
    ("NAT", 1 << 10),
    ("XRESOLVE", 1 << 11),
];

fn types(call: &mut Call<'_>) -> Result<Value, Problem> {
    let complaint = |rest: &str, last| {
        Problem::Parameter(if last {
            format!("addrtype: bad type \"{rest}\"")
        } else {
            format!("addrtype: bad type `{rest}'")
        })
    };
    named_bits(call.arg, NAMES, complaint).map(Value::Number)
}

pub(super) fn shown(of: &AddrTypeMatch, style: Style) -> String {
    let one = |name: &str, types: Option<Not<u16>>| {
        let Some(Not { not, of }) = types else { return String::new() };
        let set = NAMES.iter().filter(|(_, bit)| u64::from(of) & bit != 0).map(|(name, _)| *name);
        let set = set.collect::<Vec<_>>().join(",");
        match style {
            Style::Save => format!("{} --{name} {set}", bang(not)),
            Style::List { .. } => format!(" {name} {}{set}", if not { "!" } else { "" }),
        }
    };
    let types = one("src-type", of.source) + &one("dst-type", of.destination);
    let (heading, limit) = if style == Style::Save { ("", "--limit-iface-") } else { (" ADDRTYPE match", "limit-") };
    let limited = |way: &str, set: bool| if set { format!(" {limit}{way}") } else { String::new() };
    format!("{heading}{types}{}{}", limited("in", of.limit_in), limited("out", of.limit_out))
}
