//! The options of `netem`.

use super::units::{chance, from_ticks, microseconds, part, rate, show_chance, show_rate, show_time, size, to_ticks};
use super::{Done, Words, matches, not_simulated, stop};
use crate::userland::number::strtol;
use vethlab_engine::qdisc::{Chance, LossModel, NetemSpec};

const USAGE: &str = "\
Usage: ... netem [ limit PACKETS ]
                 [ delay TIME [ JITTER [CORRELATION]]]
                 [ distribution {uniform|normal|pareto|paretonormal} ]
                 [ corrupt PERCENT [CORRELATION]]
                 [ duplicate PERCENT [CORRELATION]]
                 [ loss random PERCENT [CORRELATION]]
                 [ loss state P13 [P31 [P32 [P23 P14]]]
                 [ loss gemodel PERCENT [R [1-H [1-K]]]
                 [ ecn ]
                 [ reorder PERCENT [CORRELATION] [ gap DISTANCE ]]
                 [ rate RATE [PACKETOVERHEAD] [CELLSIZE] [CELLOVERHEAD]]
                 [ slot MIN_DELAY [MAX_DELAY] [packets MAX_PACKETS] [bytes MAX_BYTES]]
                 [ slot distribution {uniform|normal|pareto|paretonormal|custom}
                   DELAY JITTER [packets MAX_PACKETS] [bytes MAX_BYTES]]
";
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/tc/";
/// The tables of iproute2: samples, 16 bits each, the low byte first.
const DISTRIBUTIONS: &[(&str, &[u8])] = &[
    ("normal", include_bytes!("dist/normal.i16")),
    ("pareto", include_bytes!("dist/pareto.i16")),
    ("paretonormal", include_bytes!("dist/paretonormal.i16")),
    ("experimental", include_bytes!("dist/experimental.i16")),
];

fn illegal<T>(what: &str) -> Done<T> {
    stop(1, format!("Illegal \"{what}\"\n"))
}

fn explained<T>(complaint: &str) -> Done<T> {
    stop(1, format!("{complaint}\n{USAGE}"))
}

fn percent(text: &str, what: &str) -> Done<Chance> {
    part(text).map(chance).map_or_else(|| illegal(what), Ok)
}

/// What is said and cannot be seen in the options themselves.
#[derive(Default)]
struct Said {
    loss_model: bool,
    distribution: bool,
}

/// Reads the words behind `netem`.
pub(super) fn parse(words: &mut Words<'_>) -> Done<NetemSpec> {
    let mut spec = NetemSpec::default();
    let mut said = Said::default();
    while let Some(word) = words.next() {
        option(word, words, &mut spec, &mut said)?;
    }
    if spec.reorder != 0 {
        if spec.latency == 0 {
            return explained("reordering not possible without specifying some delay");
        }
        spec.gap = spec.gap.max(1);
    } else if spec.gap > 0 {
        return explained("gap specified without reorder probability");
    }
    if spec.ecn && spec.loss == 0 && !said.loss_model {
        return explained("ecn requested without loss model");
    }
    if said.distribution && (spec.latency == 0 || spec.jitter == 0) {
        return explained("distribution specified but no latency and jitter values");
    }
    Ok(spec)
}

fn option(word: &str, words: &mut Words<'_>, spec: &mut NetemSpec, said: &mut Said) -> Done {
    match word {
        _ if matches(word, "limit") => spec.limit = size(words.value()?).map_or_else(|| illegal("limit"), Ok)?,
        _ if matches(word, "latency") || matches(word, "delay") => {
            let ticks = |text: &str| microseconds(text).map(to_ticks).map_or_else(|| illegal("latency"), Ok);
            spec.latency = ticks(words.value()?)?;
            if let Some(jitter) = words.number(false) {
                spec.jitter = ticks(jitter)?;
                if let Some(text) = words.number(false) {
                    spec.delay_correlation = percent(text, "latency")?;
                }
            }
        }
        _ if matches(word, "loss") || matches(word, "drop") => {
            if spec.loss > 0 || said.loss_model {
                return illegal("duplicate loss argument\n");
            }
            loss(words, spec, said)?;
        }
        _ if matches(word, "ecn") => spec.ecn = true,
        _ if matches(word, "reorder") => {
            (spec.reorder, spec.reorder_correlation) = chances(words, "reorder")?;
        }
        _ if matches(word, "corrupt") => {
            (spec.corrupt, spec.corrupt_correlation) = chances(words, "corrupt")?;
        }
        _ if matches(word, "gap") => spec.gap = unsigned(words.value()?).map_or_else(|| illegal("gap"), Ok)?,
        _ if matches(word, "duplicate") => {
            (spec.duplicate, spec.duplicate_correlation) = chances(words, "duplicate")?;
        }
        _ if matches(word, "distribution") => {
            spec.distribution = distribution(words.value()?)?;
            said.distribution = true;
        }
        _ if matches(word, "rate") => {
            let number =
                |text: Option<&str>| text.map_or(Ok(0), |text| signed(text).map_or_else(|| illegal("rate"), Ok));
            spec.rate = rate(words.value()?).map_or_else(|| illegal("rate"), Ok)?;
            spec.packet_overhead = number(words.number(true))?;
            spec.cell_size = number(words.number(false))?.unsigned_abs();
            spec.cell_overhead = number(words.number(true))?;
        }
        _ if matches(word, "slot") => return not_simulated("slot of netem"),
        "help" => return stop(1, USAGE),
        word => return explained(&format!("What is \"{word}\"?")),
    }
    Ok(())
}

/// A percentage and perhaps its correlation.
fn chances(words: &mut Words<'_>, what: &str) -> Done<(Chance, Chance)> {
    let first = percent(words.value()?, what)?;
    let correlation = words.number(false).map_or(Ok(0), |text| percent(text, what))?;
    Ok((first, correlation))
}

fn loss(words: &mut Words<'_>, spec: &mut NetemSpec, said: &mut Said) -> Done {
    let word = words.value()?;
    let mut next = |what: &str, otherwise: Chance| match words.number(false) {
        Some(text) => percent(text, what),
        None => Ok(otherwise),
    };
    match word {
        "state" => {
            let first = next_part(words, "loss p13")?;
            let mut next = |what: &str, otherwise: f64| match words.number(false) {
                Some(text) => percent(text, what),
                None => Ok(chance(otherwise)),
            };
            let p31 = next("loss p31", 1.0 - first)?;
            let (p32, p23, p14) = (next("loss p32", 0.0)?, next("loss p23", 1.0)?, next("loss p14", 0.0)?);
            spec.loss_model = LossModel::States { p13: chance(first), p31, p32, p23, p14 };
            said.loss_model = true;
        }
        "gemodel" => {
            let p = next_part(words, "loss gemodel p")?;
            let mut next = |what: &str| words.number(false).map(|text| percent(text, what)).transpose();
            let r = next("loss gemodel r")?.unwrap_or(chance(1.0 - p));
            let h = next("loss gemodel h")?.map_or(0, |lost| u32::MAX - lost);
            let k1 = next("loss gemodel k")?.unwrap_or(0);
            spec.loss_model = LossModel::Gilbert { p: chance(p), r, h, k1 };
            said.loss_model = true;
        }
        _ if word.starts_with(|c: char| c.is_ascii_digit()) => {
            spec.loss = percent(word, "loss percent")?;
            spec.loss_correlation = next("loss correlation", 0)?;
        }
        "random" => {
            spec.loss = percent(words.value()?, "loss percent")?;
            spec.loss_correlation = words.number(false).map_or(Ok(0), |text| percent(text, "loss correlation"))?;
        }
        word => return stop(1, format!("Unknown loss parameter: {word}\n")),
    }
    Ok(())
}

fn next_part(words: &mut Words<'_>, what: &str) -> Done<f64> {
    part(words.value()?).map_or_else(|| illegal(what), Ok)
}

fn distribution(name: &str) -> Done<Vec<i16>> {
    let Some((_, bytes)) = DISTRIBUTIONS.iter().find(|(known, _)| *known == name) else {
        let text = format!("No distribution data for {name} ({LIBRARY}/{name}.dist: No such file or directory)\n");
        return stop(1, text);
    };
    Ok(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

fn signed(text: &str) -> Option<i32> {
    let number = strtol(text, 0);
    i32::try_from(number.value).ok().filter(|_| number.rest.is_empty() && !text.is_empty())
}

fn unsigned(text: &str) -> Option<u32> {
    let number = strtol(text, 0);
    u32::try_from(number.value)
        .ok()
        .filter(|_| number.rest.is_empty() && text.starts_with(|c: char| c.is_ascii_digit()))
}

/// What is shown of it.
pub(super) fn show(spec: &NetemSpec, iec: bool) -> String {
    let mut text = format!("limit {}", spec.limit);
    let correlation = |chance: Chance| if chance == 0 { String::new() } else { format!(" {}", show_chance(chance)) };
    if spec.latency != 0 {
        text += &format!(" delay {}", show_time(from_ticks(spec.latency)));
        if spec.jitter != 0 {
            text += &format!("  {}", show_time(from_ticks(spec.jitter)));
            text += &correlation(spec.delay_correlation);
        }
    }
    let mut chances = |name: &str, value: Chance, correlated: Chance| {
        if value != 0 {
            text += &format!(" {name} {}{}", show_chance(value), correlation(correlated));
        }
    };
    chances("loss", spec.loss, spec.loss_correlation);
    text += &model(spec.loss_model);
    let mut chances = |name: &str, value: Chance, correlated: Chance| {
        if value != 0 {
            text += &format!(" {name} {}{}", show_chance(value), correlation(correlated));
        }
    };
    chances("duplicate", spec.duplicate, spec.duplicate_correlation);
    chances("reorder", spec.reorder, spec.reorder_correlation);
    chances("corrupt", spec.corrupt, spec.corrupt_correlation);
    if spec.rate != 0 {
        text += &format!(" rate {}", show_rate(spec.rate, iec));
        for (name, value) in [
            ("packetoverhead", i64::from(spec.packet_overhead)),
            ("cellsize", i64::from(spec.cell_size)),
            ("celloverhead", i64::from(spec.cell_overhead)),
        ] {
            if value != 0 {
                text += &format!(" {name} {value}");
            }
        }
    }
    if spec.ecn {
        text += " ecn ";
    }
    if spec.gap != 0 {
        text += &format!(" gap {}", spec.gap);
    }
    text
}

fn model(model: LossModel) -> String {
    match model {
        LossModel::Random => String::new(),
        LossModel::States { p13, p31, p32, p23, p14 } => {
            let [p13, p31, p32, p23, p14] = [p13, p31, p32, p23, p14].map(show_chance);
            format!(" loss state p13 {p13} p31 {p31} p32 {p32} p23 {p23} p14 {p14}")
        }
        LossModel::Gilbert { p, r, h, k1 } => {
            let [p, r, h, k1] = [p, r, u32::MAX - h, k1].map(show_chance);
            format!(" loss gemodel p {p} r {r} 1-h {h} 1-k {k1}")
        }
    }
}
