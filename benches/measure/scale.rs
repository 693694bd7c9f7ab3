//! `scale`: a world of very many namespaces in a line: how long it takes to make, what it weighs, and what a hop costs when
//! all of them are asked.
//!
//! Memory is what a fresh process grows by, so each round is a process of its own: the `vethlab` binary, called with
//! [`PART`].

use crate::contest::{Session, Settings, Subject};
use crate::report::{Demand, Unit};
use crate::world::{Scale, scale};
use serde::{Deserialize, Serialize};
use std::process::Command;

/// The hidden option by which `vethlab bench` is told to make one world, and to print what it [took](Took) as JSON.
pub const PART: &str = "--scale-part";
/// How many are enough to see that it works.
const FEW: u32 = 50;
/// How many the demands are for.
const MANY: u32 = 100_000;
const NOTE: &str = "each with lo, the ends of two cables, an address on each, two routes, forwarding; in a row";

/// What one world took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Took {
    /// Seconds to make and configure it.
    pub setup: f64,
    /// Bytes by which the process grew.
    pub bytes: u64,
    /// Seconds that the first five seconds of its life took.
    pub settle: f64,
    /// Nanoseconds a hop, of a wave of datagrams in which all know their neighbours.
    pub hop: f64,
    /// One number for all that passed.
    pub digest: u64,
}

/// Measures it.
pub fn measure(session: &mut Session<'_>) {
    let settings = session.settings;
    let count = if settings.quick { FEW.min(settings.namespaces) } else { settings.namespaces };
    let mut took: Vec<Took> = Vec::new();
    session.progress.begin(&format!("scale: {count} namespaces"), u64::from(settings.rounds) + 1);
    for round in 0..=settings.rounds {
        session.progress.step("");
        match one_process(settings, count) {
            Ok(one) if took.first().is_some_and(|first| first.digest != one.digest) => {
                return session.skip("scale", "two rounds did not do the same: their digests differ");
            }
            Ok(one) if round > 0 => took.push(one),
            Ok(_) => {}
            Err(why) => return session.skip("scale", &why),
        }
    }
    let mut tell = |what: &str, unit: Unit, demand: Option<Demand>, figure: &dyn Fn(&Took) -> f64| {
        let what = format!("{count} namespaces: {what}");
        let demand = demand.filter(|_| count == MANY);
        let subject = Subject { bench: "scale", what: &what, unit, demands: &|_, _| demand, note: Some(NOTE) };
        session.figure(&subject, took.iter().map(figure).collect());
    };
    let most = |floor, goal| Some(Demand::FigureAtMost { floor, goal });
    tell("set-up", Unit::less("s"), most(1.0, 0.25), &|took| took.setup);
    tell("memory", Unit::less("MB"), most(400.0, 200.0), &|took| took.bytes as f64 / 1e6);
    tell("memory of one", Unit::less("B"), None, &|took| took.bytes as f64 / f64::from(count.max(1)));
    tell("the first five seconds of their lives", Unit::less("s"), None, &|took| took.settle);
    tell("a hop in a wave through all", Unit::less("ns"), None, &|took| took.hop);
}

/// One world in a process of its own, or in this one where there is no binary: then memory that was used before and is free
/// again is not seen.
fn one_process(settings: &Settings, count: u32) -> Result<Took, String> {
    let Some(binary) = &settings.binary else { return one(count) };
    let output = Command::new(binary).arg("bench").arg(format!("{PART}={count}")).output();
    let output = output.map_err(|why| format!("{}: {why}", binary.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let error = || String::from_utf8_lossy(&output.stderr).trim().to_string();
    serde_json::from_str(&said).map_err(|_| format!("{}: {}", output.status, error()))
}

/// One world, in this process.
pub fn one(count: u32) -> Result<Took, String> {
    let Scale { setup, bytes, settle, wave, hops, arrived, digest, .. } = scale(count as usize);
    if hops > 0 && arrived == 0 {
        return Err("no datagram arrived".to_string());
    }
    let hop = wave.as_nanos() as f64 / hops.max(1) as f64;
    Ok(Took { setup: setup.as_secs_f64(), bytes, settle: settle.as_secs_f64(), hop, digest })
}
