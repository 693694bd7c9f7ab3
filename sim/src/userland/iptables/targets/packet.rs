//! Targets that change a packet's headers: `-j TTL`, `-j DSCP`, `-j TOS`, `-j TCPMSS`

use super::super::extension::{Opt, Style, TargetExtension, of};
use super::super::matches::tos_name;
use super::super::read;
use super::super::stop::Problem;
use vethlab_engine::filter::{Target, TtlChange};

const ANY_TTL: u32 = 0b111;

pub(super) const TTL: TargetExtension = TargetExtension {
    name: "TTL",
    options: &[
        Opt::new("ttl-set", 0, read::uint8).excludes(ANY_TTL),
        Opt::new("ttl-dec", 2, read::uint8_from_1).excludes(ANY_TTL),
        Opt::new("ttl-inc", 1, read::uint8_from_1).excludes(ANY_TTL),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::parameter("TTL: You must specify an action")) } else { Ok(()) }
    },
    build: |seen| {
        Target::Ttl(seen.last().map_or(TtlChange::Set(0), |seen| match seen.id {
            0 => TtlChange::Set(seen.byte()),
            1 => TtlChange::Increase(seen.byte()),
            _ => TtlChange::Decrease(seen.byte()),
        }))
    },
    help: include_str!("../help/target_TTL.txt"),
};

pub(super) fn ttl_shown(change: TtlChange, style: Style) -> String {
    let (option, words, value) = match change {
        TtlChange::Set(value) => ("--ttl-set", "set to", value),
        TtlChange::Increase(value) => ("--ttl-inc", "increment by", value),
        TtlChange::Decrease(value) => ("--ttl-dec", "decrement by", value),
    };
    if style == Style::Save { format!(" {option} {value}") } else { format!(" TTL {words} {value}") }
}

pub(super) const DSCP: TargetExtension = TargetExtension {
    name: "DSCP",
    options: &[
        Opt::new("set-dscp", 0, read::uint8_to_63).excludes(1 << 1),
        Opt::new("set-dscp-class", 1, read::dscp_class).excludes(1 << 0),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::parameter("DSCP target: Parameter --set-dscp is required")) } else { Ok(()) }
    },
    build: |seen| Target::Dscp(seen.last().map_or(0, |seen| seen.byte())),
    help: include_str!("../help/target_DSCP.txt"),
};

pub(super) fn dscp_shown(dscp: u8, style: Style) -> String {
    format!(" {} 0x{dscp:02x}", if style == Style::Save { "--set-dscp" } else { "DSCP set" })
}

const ANY_TOS: u32 = 0b1111;

pub(super) const TOS: TargetExtension = TargetExtension {
    name: "TOS",
    options: &[
        Opt::new("set-tos", 0, read::tos).excludes(ANY_TOS),
        Opt::new("and-tos", 1, read::uint8).excludes(ANY_TOS),
        Opt::new("or-tos", 2, read::uint8).excludes(ANY_TOS),
        Opt::new("xor-tos", 3, read::uint8).excludes(ANY_TOS),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::parameter("TOS: An action is required")) } else { Ok(()) }
    },
    build: |seen| {
        let (value, mask) = seen.last().map_or((0, 0), |seen| match (seen.id, seen.byte()) {
            (0, _) => (seen.masked().0 as u8, seen.masked().1 as u8),
            (1, bits) => (0, !bits),
            (2, bits) => (bits, bits),
            (_, bits) => (bits, 0),
        });
        Target::Tos { value, mask }
    },
    help: include_str!("../help/target_TOS.txt"),
};

pub(super) fn tos_shown(value: u8, mask: u8, style: Style) -> String {
    let set = format!("0x{value:02x}/0x{mask:02x}");
    match (style, value) {
        (Style::Save, _) => format!(" --set-tos {set}"),
        (Style::List { numeric: true }, _) => format!(" TOS set {set}"),
        _ => match tos_name(value, mask) {
            // The tool prints its prefix ` TOS set` behind a blank of its own, and no blank behind it.
            Some(name) => format!("  TOS set{name}"),
            None if value == 0 => format!(" TOS and 0x{:02x}", !mask),
            None if value == mask => format!(" TOS or 0x{value:02x}"),
            None if mask == 0 => format!(" TOS xor 0x{value:02x}"),
            None => format!(" TOS set {set}"),
        },
    }
}

const SET_MSS: u8 = 0;
const CLAMP: u8 = 1;

pub(super) const TCPMSS: TargetExtension = TargetExtension {
    name: "TCPMSS",
    options: &[Opt::new("set-mss", SET_MSS, read::uint16_mss), Opt::bare("clamp-mss-to-pmtu", CLAMP)],
    old: false,
    check: |seen| {
        if seen.is_empty() {
            Err(Problem::parameter("TCPMSS target: At least one parameter is required"))
        } else {
            Ok(())
        }
    },
    // Of both, the last counts.
    build: |seen| {
        let set = of(seen, SET_MSS).filter(|_| seen.last().is_some_and(|last| last.id == SET_MSS));
        Target::TcpMss(set.map(|seen| seen.number() as u16))
    },
    help: include_str!("../help/target_TCPMSS.txt"),
};

pub(super) fn tcpmss_shown(mss: Option<u16>, style: Style) -> String {
    match (mss, style) {
        (None, Style::Save) => " --clamp-mss-to-pmtu".to_string(),
        (None, _) => " TCPMSS clamp to PMTU".to_string(),
        (Some(mss), Style::Save) => format!(" --set-mss {mss}"),
        (Some(mss), _) => format!(" TCPMSS set {mss}"),
    }
}
