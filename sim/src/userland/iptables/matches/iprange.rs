//! `-m iprange`

use super::super::address::numeric;
use super::super::extension::{Call, MatchExtension, Opt, Style, Value, of};
use super::super::stop::Problem;
use super::bang;
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::filter::{Match, Not};

pub(super) const IPRANGE: MatchExtension = MatchExtension {
    name: "iprange",
    options: &[Opt::new("src-range", 0, range).invertible(), Opt::new("dst-range", 1, range).invertible()],
    old: false,
    check: |seen| {
        if seen.is_empty() {
            Err(Problem::parameter("iprange match: You must specify `--src-range' or `--dst-range'"))
        } else {
            Ok(())
        }
    },
    build: |seen| {
        let range = |id| of(seen, id).map(|seen| seen.not(seen.network()));
        Match::IpRange { source: range(0), destination: range(1) }
    },
    help: include_str!("../help/match_iprange.txt"),
};

fn range(call: &mut Call<'_>) -> Result<Value, Problem> {
    let one = |text: &str| {
        let bad = || Problem::Parameter(format!("iprange: Bad value for \"--{}\" option: \"{text}\"", call.name));
        numeric(text).ok_or_else(bad)
    };
    let Some((first, last)) = call.arg.split_once('-') else {
        let address = one(call.arg)?;
        return Ok(Value::Network(address, address));
    };
    let range = (one(first)?, one(last)?);
    if range.0 > range.1 {
        *call.warnings += &format!("xt_iprange: range {first}-{last} is reversed and will never match\n");
    }
    Ok(Value::Network(range.0, range.1))
}

pub(super) fn shown(
    source: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    destination: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    style: Style,
) -> String {
    let one = |option: &str, name: &str, range: Option<Not<(Ipv4Addr, Ipv4Addr)>>| match (range, style) {
        (None, _) => String::new(),
        (Some(Not { not, of: (first, last) }), Style::Save) => format!("{} --{option} {first}-{last}", bang(not)),
        (Some(Not { not, of: (first, last) }), _) => format!(" {name} IP range{} {first}-{last}", bang(not)),
    };
    one("src-range", "source", source) + &one("dst-range", "destination", destination)
}
