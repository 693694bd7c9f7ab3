//! The options of `tbf`, and of the fifos.

use super::units::{from_ticks, microseconds, rate, show_rate, show_size, show_time, size};
use super::{Done, Options, Words, matches, not_simulated, stop};
use vethlab_engine::qdisc::{QdiscSpec, TICK, TbfSpec};

const USAGE: &str = "\
Usage: ... tbf limit BYTES burst BYTES[/BYTES] rate KBPS [ mtu BYTES[/BYTES] ]
\t[ peakrate KBPS ] [ latency TIME ] [ overhead BYTES ] [ linklayer TYPE ]
";
const SECOND: f64 = 1_000_000.0;

/// What is said, before it is put together.
#[derive(Default)]
struct Said {
    spec: TbfSpec,
    latency: u32,
}

/// Reads the words behind `tbf`.
pub(super) fn parse(words: &mut Words<'_>) -> Done<TbfSpec> {
    let mut said = Said::default();
    while let Some(word) = words.next() {
        option(word, words, &mut said)?;
    }
    let Said { mut spec, latency } = said;
    let mut missing = String::new();
    let mut needs = |missing_one: bool, text: &str| {
        if missing_one {
            missing += &format!("tbf: {text}\n");
        }
    };
    needs(spec.rate == 0, "the \"rate\" parameter is mandatory.");
    needs(spec.burst == 0, "the \"burst\" parameter is mandatory.");
    needs(
        spec.peak_rate != 0 && spec.peak_burst == 0,
        "when \"peakrate\" is specified, \"mtu\" must also be specified.",
    );
    needs(spec.limit == 0 && latency == 0, "either \"limit\" or \"latency\" is required.");
    if !missing.is_empty() {
        return stop(1, format!("{missing}{USAGE}"));
    }
    if spec.limit == 0 {
        let bytes = |rate: u64, burst: u32| rate as f64 * f64::from(latency) / SECOND + f64::from(burst);
        let limit = bytes(spec.rate, spec.burst);
        let peak = if spec.peak_rate > 0 { bytes(spec.peak_rate, spec.peak_burst) } else { limit };
        spec.limit = limit.min(peak) as u32;
    }
    spec.buffer = ticks(spec.rate, spec.burst);
    if spec.peak_rate > 0 {
        spec.mtu = ticks(spec.peak_rate, spec.peak_burst);
    }
    Ok(spec)
}

/// How long so many bytes take, as the kernel reckons it from the size itself (`TCA_TBF_BURST`).
fn ticks(rate: u64, bytes: u32) -> u32 {
    let nanoseconds = u64::from(bytes) * 1_000_000_000 / rate.max(1);
    u32::try_from(nanoseconds / TICK).unwrap_or(u32::MAX)
}

/// How many bytes pass in that time (`tc_calc_xmitsize`).
fn bytes(rate: u64, ticks: u32) -> u32 {
    (rate as f64 * f64::from(from_ticks(ticks)) / SECOND) as u32
}

fn option(word: &str, words: &mut Words<'_>, said: &mut Said) -> Done {
    let spec = &mut said.spec;
    match word {
        _ if matches(word, "limit") || matches(word, "latency") => {
            return limit(words.value()?, matches(word, "limit"), said);
        }
        _ if matches(word, "burst") || word == "buffer" || word == "maxburst" => {
            let value = words.value()?;
            if spec.burst != 0 {
                return stop(1, "tbf: duplicate \"buffer/burst/maxburst\" specification\n");
            }
            spec.burst = cells(value).map_or_else(|| stop(1, illegal(word, value)), Ok)?;
        }
        "mtu" | "minburst" => {
            let value = words.value()?;
            if spec.peak_burst != 0 {
                return stop(1, "tbf: duplicate \"mtu/minburst\" specification\n");
            }
            spec.peak_burst = cells(value).map_or_else(|| stop(1, illegal(word, value)), Ok)?;
        }
        "mpu" => {
            let value = words.value()?;
            let read = size(value).and_then(|size| u16::try_from(size).ok());
            spec.mpu = read.map_or_else(|| stop(1, illegal("mpu", value)), Ok)?;
        }
        _ if word == "rate" || matches(word, "peakrate") => {
            let name = if word == "rate" { "rate" } else { "peakrate" };
            let place = if word == "rate" { &mut spec.rate } else { &mut spec.peak_rate };
            let value = words.value()?;
            if *place != 0 {
                return stop(1, format!("tbf: duplicate \"{name}\" specification\n"));
            }
            *place = rate(value).map_or_else(|| stop(1, illegal(name, value)), Ok)?;
        }
        _ if matches(word, "overhead") => {
            let value = words.value()?;
            spec.overhead = value.parse().or_else(|_| stop(1, illegal("overhead", value)))?;
        }
        _ if matches(word, "linklayer") => match words.value()? {
            "ethernet" => {}
            _ => return not_simulated("a link layer of tbf other than ethernet"),
        },
        "help" => return stop(1, USAGE),
        word => return stop(1, format!("tbf: unknown parameter \"{word}\"\n{USAGE}")),
    }
    Ok(())
}

fn illegal(name: &str, value: &str) -> String {
    format!("tbf: illegal value for \"{name}\": \"{value}\"\n")
}

/// `limit` or `latency`, of which one is said, and once.
fn limit(value: &str, is_limit: bool, said: &mut Said) -> Done {
    let name = if is_limit { "limit" } else { "latency" };
    let [given, other] = if is_limit { [said.spec.limit, said.latency] } else { [said.latency, said.spec.limit] };
    if given != 0 {
        return stop(1, format!("tbf: duplicate \"{name}\" specification\n"));
    }
    if other != 0 {
        let both = if is_limit { "\"latency\" and \"limit\"" } else { "\"limit\" and \"/latency\"" };
        return stop(1, format!("tbf: specifying both {both} is not allowed\n"));
    }
    let read = if is_limit { size(value) } else { microseconds(value) };
    let place = if is_limit { &mut said.spec.limit } else { &mut said.latency };
    *place = read.map_or_else(|| stop(1, illegal(name, value)), Ok)?;
    Ok(())
}

/// A size; the size of a cell behind a slash is a power of two, and no kernel uses it any more.
fn cells(text: &str) -> Option<u32> {
    let Some((bytes, cell)) = text.split_once('/') else { return size(text) };
    cell.parse::<u32>().ok().filter(|cell| cell.is_power_of_two())?;
    size(bytes)
}

/// What is shown of it.
pub(super) fn show(spec: &TbfSpec, options: Options) -> String {
    let mut text = format!("rate {} ", show_rate(spec.rate, options.iec));
    let with_cell = |bytes: u32| format!("{}/1 mpu {}", show_size(bytes), show_size(spec.mpu.into()));
    let burst = bytes(spec.rate, spec.buffer);
    text +=
        &if options.details { format!("burst {} ", with_cell(burst)) } else { format!("burst {} ", show_size(burst)) };
    if spec.peak_rate != 0 {
        text += &format!("peakrate {} ", show_rate(spec.peak_rate, options.iec));
        let burst = bytes(spec.peak_rate, spec.mtu);
        text += &if options.details {
            format!("mtu {} ", with_cell(burst))
        } else {
            format!("minburst {} ", show_size(burst))
        };
    }
    let wait = |rate: u64, ticks: u32| SECOND * (f64::from(spec.limit) / rate as f64) - f64::from(from_ticks(ticks));
    let mut latency = wait(spec.rate, spec.buffer);
    if spec.peak_rate != 0 {
        latency = latency.max(wait(spec.peak_rate, spec.mtu));
    }
    text += &if latency >= 0.0 {
        format!("lat {} ", show_time(latency as u32))
    } else {
        format!("limit {} ", show_size(spec.limit))
    };
    if spec.overhead != 0 {
        text += &format!("overhead {} ", spec.overhead);
    }
    if options.details {
        text += "linklayer ethernet ";
    }
    text
}

/// Reads the words behind `pfifo` or `bfifo`.
pub(super) fn parse_fifo(kind: &str, words: &mut Words<'_>) -> Done<QdiscSpec> {
    let usage = "Usage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]\n";
    let mut limit = None;
    while let Some(word) = words.next() {
        match word {
            "limit" => {
                let value = words.value()?;
                let illegal = format!("{kind}: Illegal value for \"limit\": \"{value}\"\n");
                limit = Some(size(value).map_or_else(|| stop(1, illegal), Ok)?);
            }
            "help" => return stop(1, usage),
            word => return stop(1, format!("{kind}: unknown parameter \"{word}\"\n{usage}")),
        }
    }
    Ok(if kind == "pfifo" { QdiscSpec::Pfifo(limit) } else { QdiscSpec::Bfifo(limit) })
}
