//! Sizes, rates, times and percentages, as iproute2 reads and prints them.

use crate::userland::number::{general, general_to, strtod};
use vethlab_engine::qdisc::{Chance, TICK};

/// Ticks of a microsecond (`tick_in_usec`).
const TICKS: f64 = 1000.0 / TICK as f64;

fn split(text: &str) -> Option<(f64, String)> {
    let (value, rest) = strtod(text);
    (rest.len() < text.len()).then(|| (value, rest.to_ascii_lowercase()))
}

/// Bytes a second (`get_rate64`).
pub(super) fn rate(text: &str) -> Option<u64> {
    let (value, unit) = split(text)?;
    let kilo = |binary: bool, power: i32| if binary { 1024f64.powi(power) } else { 1000f64.powi(power) };
    let scale = match unit.as_str() {
        "" | "bit" => 1.0,
        "bps" => 8.0,
        unit => {
            let (bytes, prefix) = match (unit.strip_suffix("bit"), unit.strip_suffix("bps")) {
                (Some(prefix), _) => (1.0, prefix),
                (_, Some(prefix)) => (8.0, prefix),
                _ => return None,
            };
            let (binary, letter) = prefix.strip_suffix('i').map_or((false, prefix), |letter| (true, letter));
            let power = match letter {
                "k" => 1,
                "m" => 2,
                "g" => 3,
                "t" => 4,
                _ => return None,
            };
            bytes * kilo(binary, power)
        }
    };
    Some((value * scale / 8.0) as u64)
}

/// Bytes (`get_size`).
pub(super) fn size(text: &str) -> Option<u32> {
    let (value, unit) = split(text)?;
    let scale: f64 = match unit.as_str() {
        "" | "b" => 1.0,
        "kb" | "k" => 1024.0,
        "mb" | "m" => 1_048_576.0,
        "gb" | "g" => 1_073_741_824.0,
        "kbit" => 128.0,
        "mbit" => 131_072.0,
        "gbit" => 134_217_728.0,
        _ => return None,
    };
    let bytes = value * scale;
    let whole = bytes as u32;
    (f64::from(whole) == bytes.floor()).then_some(whole)
}

/// Microseconds (`get_time`).
pub(super) fn microseconds(text: &str) -> Option<u32> {
    let (value, unit) = split(text)?;
    let scale = match unit.as_str() {
        "" | "us" | "usec" | "usecs" => 1.0,
        "ms" | "msec" | "msecs" => 1000.0,
        "s" | "sec" | "secs" => 1_000_000.0,
        _ => return None,
    };
    Some((value * scale) as u32)
}

/// Ticks (`tc_core_time2tick`).
pub(super) fn to_ticks(microseconds: u32) -> u32 {
    (f64::from(microseconds) * TICKS) as u32
}

/// Microseconds (`tc_core_tick2time`).
pub(super) fn from_ticks(ticks: u32) -> u32 {
    (f64::from(ticks) / TICKS) as u32
}

/// A part of one (`parse_percent`); none if it is written wrongly or out of range.
pub(super) fn part(text: &str) -> Option<f64> {
    let (value, rest) = strtod(text);
    let part = value / 100.0;
    ((0.0..=1.0).contains(&part) && matches!(rest, "" | "%")).then_some(part)
}

/// The chance that is such a part of certainty (`set_percent`).
pub(super) fn chance(part: f64) -> Chance {
    (part * f64::from(u32::MAX)).round_ties_even() as Chance
}

/// `100ms`
pub(super) fn show_time(microseconds: u32) -> String {
    let value = f64::from(microseconds);
    match microseconds {
        1_000_000.. => format!("{}s", general_to(3, value / 1_000_000.0)),
        1000.. => format!("{}ms", general_to(3, value / 1000.0)),
        _ => format!("{microseconds}us"),
    }
}

/// `1Mbit`
pub(super) fn show_rate(bytes: u64, iec: bool) -> String {
    let (kilo, infix) = if iec { (1024, "i") } else { (1000, "") };
    let mut rate = bytes << 3;
    let mut unit = 0;
    while unit < 4 && rate >= kilo && (rate.is_multiple_of(kilo) || rate >= 1000 * kilo) {
        rate /= kilo;
        unit += 1;
    }
    let letter = ["", "K", "M", "G", "T"].get(unit).unwrap_or(&"");
    format!("{rate}{letter}{}bit", if unit > 0 { infix } else { "" })
}

/// `10Kb`
pub(super) fn show_size(bytes: u32) -> String {
    let value = f64::from(bytes);
    let near = |unit: f64, distance: f64| {
        let count = (value / unit).round_ties_even();
        (value >= unit && (unit * count - value).abs() < distance).then_some(count)
    };
    if let Some(count) = near(1_048_576.0, 1024.0) {
        format!("{}Mb", general(count))
    } else if let Some(count) = near(1024.0, 16.0) {
        format!("{}Kb", general(count))
    } else {
        format!("{bytes}b")
    }
}

/// `10%`
pub(super) fn show_chance(chance: Chance) -> String {
    format!("{}%", general(100.0 * f64::from(chance) / f64::from(u32::MAX)))
}
