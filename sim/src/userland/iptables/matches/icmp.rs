//! `-m icmp`

use super::super::extension::{Call, MatchExtension, Opt, Style, Value, fine, of};
use super::super::read::{leading, starts_like};
use super::super::stop::Problem;
use super::bang;
use std::ops::RangeInclusive;
use vethlab_engine::filter::{Match, Not};

pub(super) const ICMP: MatchExtension = MatchExtension {
    name: "icmp",
    options: &[Opt::new("icmp-type", 0, icmp_type).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| {
        let any = Not { not: false, of: (ANY, 0..=u8::MAX) };
        Match::Icmp(of(seen, 0).map_or(any, |seen| {
            let (kind, codes) = seen.range();
            let [first, last, ..] = codes.to_le_bytes();
            seen.not((kind as u8, first..=last))
        }))
    },
    help: include_str!("../help/match_icmp.txt"),
};

/// The type that is any.
const ANY: u8 = 255;

/// Name, type, codes.
const NAMES: &[(&str, u8, u8, u8)] = &[
    ("any", ANY, 0, 255),
    ("echo-reply", 0, 0, 255),
    ("pong", 0, 0, 255),
    ("destination-unreachable", 3, 0, 255),
    ("network-unreachable", 3, 0, 0),
    ("host-unreachable", 3, 1, 1),
    ("protocol-unreachable", 3, 2, 2),
    ("port-unreachable", 3, 3, 3),
    ("fragmentation-needed", 3, 4, 4),
    ("source-route-failed", 3, 5, 5),
    ("network-unknown", 3, 6, 6),
    ("host-unknown", 3, 7, 7),
    ("network-prohibited", 3, 9, 9),
    ("host-prohibited", 3, 10, 10),
    ("TOS-network-unreachable", 3, 11, 11),
    ("TOS-host-unreachable", 3, 12, 12),
    ("communication-prohibited", 3, 13, 13),
    ("host-precedence-violation", 3, 14, 14),
    ("precedence-cutoff", 3, 15, 15),
    ("source-quench", 4, 0, 255),
    ("redirect", 5, 0, 255),
    ("network-redirect", 5, 0, 0),
    ("host-redirect", 5, 1, 1),
    ("TOS-network-redirect", 5, 2, 2),
    ("TOS-host-redirect", 5, 3, 3),
    ("echo-request", 8, 0, 255),
    ("ping", 8, 0, 255),
    ("router-advertisement", 9, 0, 255),
    ("router-solicitation", 10, 0, 255),
    ("time-exceeded", 11, 0, 255),
    ("ttl-exceeded", 11, 0, 255),
    ("ttl-zero-during-transit", 11, 0, 0),
    ("ttl-zero-during-reassembly", 11, 1, 1),
    ("parameter-problem", 12, 0, 255),
    ("ip-header-bad", 12, 0, 0),
    ("required-option-missing", 12, 1, 1),
    ("timestamp-request", 13, 0, 255),
    ("timestamp-reply", 14, 0, 255),
    ("address-mask-request", 17, 0, 255),
    ("address-mask-reply", 18, 0, 255),
];

fn packed(kind: u8, first: u8, last: u8) -> Value {
    Value::Range(kind.into(), u32::from_le_bytes([first, last, 0, 0]))
}

fn icmp_type(call: &mut Call<'_>) -> Result<Value, Problem> {
    let text = call.arg;
    let mut like = NAMES.iter().filter(|(name, ..)| starts_like(name, text));
    if let Some((name, kind, first, last)) = like.next() {
        if let Some((other, ..)) = like.next() {
            let text = format!("Ambiguous ICMP type `{text}': `{name}' or `{other}'?");
            return Err(Problem::Parameter(text));
        }
        return Ok(packed(*kind, *first, *last));
    }
    let unknown = |what| Problem::Parameter(format!("Unknown ICMP {what} `{text}'"));
    let ((kind, last_kind), rest) = range(text).ok_or_else(|| unknown("type"))?;
    let codes = match rest.strip_prefix('/') {
        None if rest.is_empty() => (0, 255),
        None => return Err(strange(rest)),
        Some(codes) => match range(codes).ok_or_else(|| unknown("code"))? {
            (codes, "") => codes,
            (_, rest) => return Err(strange(rest)),
        },
    };
    if kind != last_kind {
        return Err(Problem::parameter("ICMP type range not supported"));
    }
    Ok(packed(kind, codes.0, codes.1))
}

fn strange(rest: &str) -> Problem {
    Problem::Parameter(format!("unknown character {}", rest.chars().next().unwrap_or(' ')))
}

/// A number, or two with a colon between them.
fn range(text: &str) -> Option<((u8, u8), &str)> {
    let (first, rest) = leading(text, 0, 255)?;
    match rest.strip_prefix(':') {
        None => Some(((first as u8, first as u8), rest)),
        Some(last) => leading(last, 0, 255).map(|(last, rest)| ((first as u8, last as u8), rest)),
    }
}

pub(super) fn shown(icmp: &Not<(u8, RangeInclusive<u8>)>, style: Style) -> String {
    let Not { not, of: (kind, codes) } = icmp;
    let (first, last) = (*codes.start(), *codes.end());
    match style {
        Style::Save if *kind == ANY => format!("{} --icmp-type any", bang(*not)),
        Style::Save if (first, last) == (0, 255) => format!("{} --icmp-type {kind}", bang(*not)),
        Style::Save => format!("{} --icmp-type {kind}/{first}", bang(*not)),
        Style::List { numeric } => {
            let named = NAMES.iter().find(|known| (known.1, known.2, known.3) == (*kind, first, last));
            if let Some((name, ..)) = named.filter(|_| !numeric) {
                return format!(" icmp {}{name}", if *not { "!" } else { "" });
            }
            let codes = match (first, last) {
                (0, 255) => String::new(),
                _ if first == last => format!(" code {first}"),
                _ => format!(" codes {first}-{last}"),
            };
            format!(" icmp{}type {kind}{codes}", bang(*not))
        }
    }
}
