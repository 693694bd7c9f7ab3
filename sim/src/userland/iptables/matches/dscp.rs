//! `-m dscp`, `-m tos`

use super::super::extension::{MatchExtension, Opt, Style, fine, of};
use super::super::read;
use super::super::stop::Problem;
use super::bang;
use vethlab_engine::filter::{Match, Not};

pub(super) const DSCP: MatchExtension = MatchExtension {
    name: "dscp",
    options: &[
        Opt::new("dscp", 0, read::uint8_to_63).invertible().excludes(1 << 1),
        Opt::new("dscp-class", 1, read::dscp_class).invertible().excludes(1 << 0),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::parameter("DSCP match: Parameter --dscp is required")) } else { Ok(()) }
    },
    build: |seen| Match::Dscp(seen.last().map_or(Not { not: false, of: 0 }, |seen| seen.not(seen.byte()))),
    help: include_str!("../help/match_dscp.txt"),
};

pub(super) const TOS: MatchExtension = MatchExtension {
    name: "tos",
    options: &[Opt::new("tos", 1, read::tos).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| {
        Match::Tos(of(seen, 1).map_or(Not { not: false, of: (0, 0) }, |seen| {
            let (value, mask) = seen.masked();
            seen.not((value as u8, mask as u8))
        }))
    },
    help: include_str!("../help/match_tos.txt"),
};

pub(super) fn dscp_shown(dscp: Not<u8>, style: Style) -> String {
    match style {
        Style::Save => format!("{} --dscp 0x{:02x}", bang(dscp.not), dscp.of),
        Style::List { .. } => format!(" DSCP match {}0x{:02x}", if dscp.not { "!" } else { "" }, dscp.of),
    }
}

/// The name of a type of service, where that is what the mask asks for.
pub(in super::super) fn tos_name(value: u8, mask: u8) -> Option<&'static str> {
    read::TOS_NAMES.iter().find(|(known, _)| mask == 0x3f && *known == value).map(|(_, name)| *name)
}

/// In listings the value follows the word without a blank, as the tool has it.
pub(super) fn tos_shown(tos: Not<(u8, u8)>, style: Style) -> String {
    let (value, mask) = tos.of;
    match style {
        Style::Save => format!("{} --tos 0x{value:02x}/0x{mask:02x}", bang(tos.not)),
        Style::List { numeric } => {
            let inverted = if tos.not { "!" } else { "" };
            match tos_name(value, mask).filter(|_| !numeric) {
                Some(name) => format!(" tos match{inverted} {name}"),
                None => format!(" tos match{inverted}0x{value:02x}/0x{mask:02x}"),
            }
        }
    }
}
