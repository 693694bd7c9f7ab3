//! `-m length`

use super::super::extension::{MatchExtension, Opt, Style, fine, of};
use super::super::read;
use super::bang;
use std::ops::RangeInclusive;
use vethlab_engine::filter::{Match, Not};

pub(super) const LENGTH: MatchExtension = MatchExtension {
    name: "length",
    options: &[Opt::new("length", 0, read::uint16_range).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| {
        Match::Length(of(seen, 0).map_or(Not { not: false, of: 0..=0 }, |seen| {
            let (first, last) = seen.range();
            seen.not(first as u16..=last as u16)
        }))
    },
    help: include_str!("../help/match_length.txt"),
};

pub(super) fn shown(length: &Not<RangeInclusive<u16>>, style: Style) -> String {
    let range = match (length.of.start(), length.of.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}:{last}"),
    };
    match style {
        Style::Save => format!("{} --length {range}", bang(length.not)),
        Style::List { .. } => format!(" length {}{range}", if length.not { "!" } else { "" }),
    }
}
