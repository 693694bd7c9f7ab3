//! `-m statistic`

use super::super::extension::{Call, MatchExtension, Opt, Seen, Style, Value, of};
use super::super::read;
use super::super::stop::Problem;
use super::bang;
use crate::userland::number::strtod;
use vethlab_engine::filter::{Match, Not, Statistic};

const MODE: u8 = 0;
const PROBABILITY: u8 = 1;
const EVERY: u8 = 2;
const PACKET: u8 = 3;

/// What a probability of 1 is.
const WHOLE: u32 = 0x8000_0000;

pub(super) const STATISTIC: MatchExtension = MatchExtension {
    name: "statistic",
    options: &[
        Opt::new("mode", MODE, mode).mandatory(),
        Opt::new("probability", PROBABILITY, probability).invertible().excludes(1 << EVERY | 1 << PACKET),
        Opt::new("every", EVERY, read::uint32_from_1).invertible().excludes(1 << PROBABILITY).also(1 << PACKET),
        Opt::new("packet", PACKET, read::uint32).excludes(1 << PROBABILITY).also(1 << EVERY),
    ],
    old: false,
    check,
    build: |seen| {
        let number = |id| of(seen, id).map(|seen| seen.word());
        let of = match of(seen, MODE).map(|seen| seen.text()) {
            Some("nth") => Statistic::Nth { every: number(EVERY).unwrap_or(1), packet: number(PACKET).unwrap_or(0) },
            _ => Statistic::Random { probability: number(PROBABILITY).unwrap_or(0) },
        };
        Match::Statistic(Not { not: seen.iter().any(|seen| seen.invert), of })
    },
    help: include_str!("../help/match_statistic.txt"),
};

fn mode(call: &mut Call<'_>) -> Result<Value, Problem> {
    match call.arg {
        "random" | "nth" => read::text(call),
        other => Err(Problem::Parameter(format!("Bad mode \"{other}\""))),
    }
}

fn probability(call: &mut Call<'_>) -> Result<Value, Problem> {
    let (value, rest) = strtod(call.arg);
    if call.arg.is_empty() || !rest.is_empty() || !(0.0..=1.0).contains(&value) {
        return Err(Problem::parameter("statistic: bad value for option \"--probability\", or out of range (0-1).\n"));
    }
    Ok(Value::Number((f64::from(WHOLE) * value).round() as u64))
}

fn check(seen: &[Seen]) -> Result<(), Problem> {
    let said = |id| of(seen, id).is_some();
    let nth = of(seen, MODE).is_some_and(|seen| seen.text() == "nth");
    if !nth && !said(PROBABILITY) {
        return Err(Problem::parameter("--probability must be specified when using random mode"));
    }
    if nth && !said(EVERY) && !said(PACKET) {
        return Err(Problem::parameter("--every and --packet must be specified when using nth mode"));
    }
    let number = |id| of(seen, id).map_or(0, |seen| seen.word());
    // Both share their place with the probability, so that it counts as `every`.
    let every = if said(EVERY) { number(EVERY) - 1 } else { number(PROBABILITY) };
    if number(PACKET) > every {
        return Err(Problem::parameter("the --packet p must be 0 <= p <= n-1"));
    }
    Ok(())
}

pub(super) fn shown(statistic: Not<Statistic>, style: Style) -> String {
    let (heading, prefix) = if style == Style::Save { ("", "--") } else { (" statistic", "") };
    let inverted = bang(statistic.not);
    match statistic.of {
        Statistic::Random { probability } => format!(
            "{heading} {prefix}mode random{inverted} {prefix}probability {:.11}",
            f64::from(probability) / f64::from(WHOLE)
        ),
        Statistic::Nth { every, packet } => {
            let packet =
                if packet != 0 || style == Style::Save { format!(" {prefix}packet {packet}") } else { String::new() };
            format!("{heading} {prefix}mode nth{inverted} {prefix}every {every}{packet}")
        }
    }
}
