//! A report as CSV: a line for each row, and in each where and how it was measured.

use super::table::stand;
use std::io;
use vethlab_benches::report::{Demand, Report, Row, Samples};

const HEADER: [&str; 25] = [
    "bench",
    "what",
    "who",
    "peer",
    "unit",
    "better",
    "ours",
    "ours_least",
    "ours_most",
    "theirs",
    "theirs_least",
    "theirs_most",
    "ratio",
    "ratio_least",
    "ratio_most",
    "demand",
    "floor",
    "goal",
    "stand",
    "cpu",
    "cores",
    "kernel",
    "versions",
    "seed",
    "rounds",
];

/// All of a report.
pub(super) fn csv(report: &Report) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER)?;
    let versions: Vec<String> = report.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let place = [
        report.machine.cpu.clone(),
        report.machine.cores.to_string(),
        report.kernel.clone(),
        versions.join("; "),
        report.seed.to_string(),
        report.rounds.to_string(),
    ];
    for row in &report.rows {
        writer.write_record(fields(row).iter().chain(&place))?;
    }
    let bytes = writer.into_inner().map_err(|why| io::Error::other(why.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn fields(row: &Row) -> Vec<String> {
    let better = if row.unit.less_is_better { "less" } else { "more" };
    let peer = row.peer.clone().unwrap_or_default();
    let mut all = vec![row.bench.clone(), row.what.clone(), row.who.clone(), peer];
    all.extend([row.unit.name.clone(), better.to_string()]);
    for samples in [Some(&row.ours), row.theirs.as_ref(), row.ratio.as_ref()] {
        all.extend(three(samples));
    }
    all.extend(match row.demand {
        None => [String::new(), String::new(), String::new()],
        Some(Demand::RatioAtLeast { floor, goal }) => ["ratio at least".into(), floor.to_string(), goal.to_string()],
        Some(Demand::FigureAtMost { floor, goal }) => ["figure at most".into(), floor.to_string(), goal.to_string()],
    });
    all.push(stand(row).to_string());
    all
}

fn three(samples: Option<&Samples>) -> [String; 3] {
    match samples {
        None => Default::default(),
        Some(samples) => [samples.median(), samples.least(), samples.most()].map(|figure| figure.to_string()),
    }
}
