//! `-m mark`, `-m connmark`

use super::super::extension::{MatchExtension, Opt, Seen, Style, fine, of};
use super::super::read;
use super::bang;
use vethlab_engine::filter::{Match, Not};

pub(super) const MARK: MatchExtension = MatchExtension {
    name: "mark",
    options: &[Opt::new("mark", 0, read::mark).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| Match::Mark(mark(seen)),
    help: include_str!("../help/match_mark.txt"),
};

pub(super) const CONNMARK: MatchExtension = MatchExtension {
    name: "connmark",
    options: &[Opt::new("mark", 0, read::mark).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| Match::ConnMark(mark(seen)),
    help: include_str!("../help/match_connmark.txt"),
};

fn mark(seen: &[Seen]) -> Not<(u32, u32)> {
    of(seen, 0).map_or(Not { not: false, of: (0, u32::MAX) }, |seen| seen.not(seen.masked()))
}

/// `0x1`, or `0x1/0xff`.
fn value((value, mask): (u32, u32)) -> String {
    if mask == u32::MAX { format!("0x{value:x}") } else { format!("0x{value:x}/0x{mask:x}") }
}

/// `heading` is said in listings.
pub(super) fn shown(mark: Not<(u32, u32)>, heading: &str, style: Style) -> String {
    match style {
        Style::Save => format!("{} --mark {}", bang(mark.not), value(mark.of)),
        // A blank before the exclamation mark is the heading's or its own, never both.
        Style::List { .. } => {
            let inverted = if heading.ends_with(' ') { bang(mark.not).trim_start() } else { bang(mark.not) };
            format!(" {heading}{inverted} {}", value(mark.of))
        }
    }
}
