//! `-m ttl`

use super::super::extension::{MatchExtension, Opt, Style};
use super::super::read;
use super::super::stop::Problem;
use vethlab_engine::filter::{Match, Not, TtlMatch};

const EQUAL: u8 = 0;
const LESS: u8 = 1;
const GREATER: u8 = 2;
const ANY: u32 = 0b111;

pub(super) const TTL: MatchExtension = MatchExtension {
    name: "ttl",
    options: &[
        Opt::new("ttl-lt", LESS, read::uint8).excludes(ANY),
        Opt::new("ttl-gt", GREATER, read::uint8).excludes(ANY),
        Opt::new("ttl-eq", EQUAL, read::uint8).excludes(ANY).invertible(),
        Opt::new("ttl", EQUAL, read::uint8).excludes(ANY),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() {
            let text = "TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt";
            Err(Problem::parameter(text))
        } else {
            Ok(())
        }
    },
    build: |seen| {
        Match::Ttl(seen.last().map_or(TtlMatch::Less(0), |seen| match seen.id {
            LESS => TtlMatch::Less(seen.byte()),
            GREATER => TtlMatch::Greater(seen.byte()),
            _ => TtlMatch::Equal(seen.not(seen.byte())),
        }))
    },
    help: include_str!("../help/match_ttl.txt"),
};

pub(super) fn shown(ttl: TtlMatch, style: Style) -> String {
    let (option, sign, value) = match ttl {
        TtlMatch::Equal(Not { not: false, of }) => ("--ttl-eq", "==", of),
        TtlMatch::Equal(Not { not: true, of }) => ("! --ttl-eq", "!=", of),
        TtlMatch::Less(than) => ("--ttl-lt", "<", than),
        TtlMatch::Greater(than) => ("--ttl-gt", ">", than),
    };
    match style {
        Style::Save => format!(" {option} {value}"),
        Style::List { .. } => format!(" TTL match TTL {sign} {value}"),
    }
}
