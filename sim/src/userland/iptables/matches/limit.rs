//! `-m limit`

use super::super::extension::{Call, MatchExtension, Opt, Style, Value, fine, of};
use super::super::read::{self, starts_like};
use super::super::stop::Problem;
use crate::userland::number::strtol;
use vethlab_engine::filter::Match;

const LIMIT_ID: u8 = 0;
const BURST: u8 = 1;

pub(super) const LIMIT: MatchExtension = MatchExtension {
    name: "limit",
    options: &[Opt::new("limit", LIMIT_ID, rate), Opt::new("limit-burst", BURST, read::uint32_to_10000)],
    old: false,
    check: fine,
    build: |seen| {
        let period = of(seen, LIMIT_ID).map_or(DEFAULT_PERIOD, |seen| seen.word());
        let (rate, per) = per_unit(period);
        Match::Limit { rate, per, burst: of(seen, BURST).map_or(DEFAULT_BURST, |seen| seen.word()) }
    },
    help: include_str!("../help/match_limit.txt"),
};

/// The resolution of a rate: so many parts a second.
const SCALE: u32 = 10_000;
/// `3/hour`
const DEFAULT_PERIOD: u32 = SCALE * 3600 / 3;
const DEFAULT_BURST: u32 = 5;

/// Seconds, as they are read and shown.
const UNITS: [(&str, &str, u32); 4] =
    [("day", "day", 86400), ("hour", "hour", 3600), ("minute", "min", 60), ("second", "sec", 1)];

/// `parse_rate`: the parts of a second from one packet to the next.
fn rate(call: &mut Call<'_>) -> Result<Value, Problem> {
    let bad = || Problem::Parameter(format!("bad rate \"{}\"'", call.arg));
    let unit = match call.arg.split_once('/') {
        None => 1,
        Some((_, "")) => return Err(bad()),
        // From the shortest unit up, as far as it is written out.
        Some((_, unit)) => {
            UNITS.iter().rev().find(|(name, ..)| starts_like(name, unit)).map(|unit| unit.2).ok_or_else(bad)?
        }
    };
    // `atoi`
    let number = strtol(call.arg, 10).value as u32;
    let period = (SCALE * unit).checked_div(number).ok_or_else(bad)?;
    if period == 0 {
        return Err(Problem::Parameter(format!("Rate too fast \"{}\"", call.arg)));
    }
    Ok(Value::Number(period.into()))
}

/// So many in so many seconds, as it is shown: the longest unit that says it without much of a rest.
fn per_unit(period: u32) -> (u32, u32) {
    let parts = |unit: &(&str, &str, u32)| unit.2 * SCALE;
    let shorter = UNITS.iter().skip(1).position(|unit| {
        let parts = parts(unit);
        period > parts || parts / period < parts % period
    });
    let [.., second] = &UNITS;
    let unit = UNITS.get(shorter.unwrap_or(UNITS.len() - 1)).unwrap_or(second);
    (parts(unit) / period, unit.2)
}

pub(super) fn shown(rate: u32, per: u32, burst: u32, style: Style) -> String {
    // Through the period and back, as the kernel's answer is read.
    let period = SCALE.wrapping_mul(per).checked_div(rate).unwrap_or(0).max(1);
    let (rate, per) = per_unit(period);
    let unit = UNITS.iter().find(|unit| unit.2 == per).map_or("sec", |unit| unit.1);
    match style {
        Style::List { .. } => format!(" limit: avg {rate}/{unit} burst {burst}"),
        Style::Save if burst == DEFAULT_BURST => format!(" --limit {rate}/{unit}"),
        Style::Save => format!(" --limit {rate}/{unit} --limit-burst {burst}"),
    }
}
