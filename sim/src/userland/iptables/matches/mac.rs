//! `-m mac`

use super::super::extension::{MatchExtension, Opt, Style, Value, fine, of};
use super::super::read;
use super::bang;
use vethlab_engine::addr::Mac;
use vethlab_engine::filter::{Match, Not};

pub(super) const MAC: MatchExtension = MatchExtension {
    name: "mac",
    options: &[Opt::new("mac-source", 0, read::mac).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| {
        Match::Mac(of(seen, 0).map_or(Not { not: false, of: Mac::ZERO }, |seen| match seen.value {
            Value::Mac(mac) => seen.not(mac),
            _ => seen.not(Mac::ZERO),
        }))
    },
    help: include_str!("../help/match_mac.txt"),
};

pub(super) fn shown(mac: Not<Mac>, style: Style) -> String {
    match style {
        Style::Save => format!("{} --mac-source {}", bang(mac.not), mac.of),
        Style::List { .. } => format!(" MAC{} {}", bang(mac.not), mac.of),
    }
}
