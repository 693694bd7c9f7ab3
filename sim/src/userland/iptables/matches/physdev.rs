//! `-m physdev`

use super::super::address::interface;
use super::super::extension::{Call, MatchExtension, Opt, Style, Value, of};
use super::super::stop::Problem;
use super::bang;
use vethlab_engine::filter::{Match, Not, PhysDevMatch};

const IN: u8 = 0;
const OUT: u8 = 1;
const IS_IN: u8 = 2;
const IS_OUT: u8 = 3;
const IS_BRIDGED: u8 = 4;

pub(super) const PHYSDEV: MatchExtension = MatchExtension {
    name: "physdev",
    options: &[
        Opt::new("physdev-in", IN, name).invertible(),
        Opt::new("physdev-out", OUT, name).invertible(),
        Opt::bare("physdev-is-in", IS_IN).invertible(),
        Opt::bare("physdev-is-out", IS_OUT).invertible(),
        Opt::bare("physdev-is-bridged", IS_BRIDGED).invertible(),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::parameter("PHYSDEV: no physdev option specified")) } else { Ok(()) }
    },
    build: |seen| {
        let name = |id| of(seen, id).map(|seen| seen.not(seen.text().to_string()));
        let flag = |id| of(seen, id).map(|seen| seen.not(()));
        Match::PhysDev(PhysDevMatch {
            physdev_in: name(IN),
            physdev_out: name(OUT),
            is_in: flag(IS_IN),
            is_out: flag(IS_OUT),
            is_bridged: flag(IS_BRIDGED),
        })
    },
    help: include_str!("../help/match_physdev.txt"),
};

fn name(call: &mut Call<'_>) -> Result<Value, Problem> {
    interface(call.arg, call.warnings).map(Value::Text)
}

/// Options with their dashes, in listings too.
pub(super) fn shown(dev: &PhysDevMatch, style: Style) -> String {
    let flag = |name: &str, flag: Option<Not<()>>| {
        flag.map_or(String::new(), |flag| format!("{} --physdev-{name}", bang(flag.not)))
    };
    let name = |name: &str, dev: Option<&Not<String>>| {
        dev.map_or(String::new(), |dev| format!("{} --physdev-{name} {}", bang(dev.not), dev.of))
    };
    let heading = if style == Style::Save { "" } else { " PHYSDEV match" };
    heading.to_string()
        + &flag("is-in", dev.is_in)
        + &name("in", dev.physdev_in.as_ref())
        + &flag("is-out", dev.is_out)
        + &name("out", dev.physdev_out.as_ref())
        + &flag("is-bridged", dev.is_bridged)
}
