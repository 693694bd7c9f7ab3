//! `-m comment`

use super::super::extension::{MatchExtension, Opt, Style, fine, of};
use super::super::read;
use super::super::save::quoted;
use vethlab_engine::filter::Match;

/// What fits into a comment, with the zero at its end.
const ROOM: usize = 256;

pub(super) const COMMENT: MatchExtension = MatchExtension {
    name: "comment",
    options: &[Opt::new("comment", 0, read::text).mandatory()],
    old: false,
    check: fine,
    build: |seen| {
        let text = of(seen, 0).map_or("", |seen| seen.text());
        Match::Comment(text[..text.floor_char_boundary(ROOM - 1)].to_string())
    },
    help: include_str!("../help/match_comment.txt"),
};

pub(super) fn shown(text: &str, style: Style) -> String {
    match style {
        Style::Save => format!(" --comment {}", quoted(text)),
        Style::List { .. } => format!(" /* {text} */"),
    }
}
