//! `vethlab bench`: the benches for people. What is measured lives in the `vethlab-benches` library; here it is asked for,
//! its progress is shown, and what came of it is told.

mod csv;
mod html;
mod progress;
mod table;

use clap::builder::{PossibleValue, PossibleValuesParser};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use vethlab_benches::contest::{Session, Settings};
use vethlab_benches::machine::fresh_report;
use vethlab_benches::measure::{ALL, scale};
use vethlab_benches::report::Report;

/// The word for every bench.
const EVERYTHING: &str = "all";

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// What to measure
    #[arg(required_unless_present = "scale_part", value_parser = names())]
    what: Vec<String>,
    /// Rounds that count, after one to warm up
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// All chance follows from it: which addresses, which order
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Short turns and small numbers, to see that all works; the figures are worth little
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long, conflicts_with_all = ["csv", "markdown"])]
    json: bool,
    /// Print CSV, a line for each of us against each peer
    #[arg(long, conflicts_with = "markdown")]
    csv: bool,
    /// Print tables in Markdown
    #[arg(long)]
    markdown: bool,
    /// Write an HTML page with plots to this file; it needs no other file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// fib: a file of prefixes: text, one a line with its next hop if it has one, or a route collector's table (MRT); may be
    /// gzipped
    #[arg(long, value_name = "FILE")]
    prefixes: Option<PathBuf>,
    /// scale: how many namespaces (100000 if not said)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=4_000_000))]
    namespaces: Option<u32>,
    /// veth: find the highest rate at which nothing is lost, and the latency at it, too
    #[arg(long)]
    rfc2544: bool,
    /// One world of `scale`, in this process
    #[arg(long, hide = true)]
    scale_part: Option<u32>,
}

fn names() -> PossibleValuesParser {
    let all = ALL.iter().map(|(name, about, _)| PossibleValue::new(*name).help(*about));
    PossibleValuesParser::new(all.chain([PossibleValue::new(EVERYTHING).help("all of these")]))
}

/// Measures, and tells. The status is 1 if nothing could be measured.
pub(crate) fn bench(args: &BenchArgs) -> io::Result<ExitCode> {
    if let Some(count) = args.scale_part {
        let took = scale::one(count).map_err(io::Error::other)?;
        println!("{}", serde_json::to_string(&took)?);
        return Ok(ExitCode::SUCCESS);
    }
    args.check()?;
    // Found out before an hour of measuring.
    let page = args.report.as_ref().map(|file| File::create(file).map_err(|why| named(file, &why))).transpose()?;
    let report = args.measure();
    let text = args.print(&report)?;
    io::stdout().lock().write_all(text.as_bytes())?;
    if let Some(mut page) = page {
        page.write_all(html::html(&report).as_bytes())?;
    }
    Ok(if report.rows.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn named(file: &std::path::Path, why: &io::Error) -> io::Error {
    io::Error::new(why.kind(), format!("--report {}: {why}", file.display()))
}

impl BenchArgs {
    fn wants(&self, name: &str) -> bool {
        self.what.iter().any(|what| what == name || what == EVERYTHING)
    }

    /// Options that would do nothing are refused.
    fn check(&self) -> io::Result<()> {
        for (given, option, of) in [
            (self.prefixes.is_some(), "--prefixes", "fib"),
            (self.namespaces.is_some(), "--namespaces", "scale"),
            (self.rfc2544, "--rfc2544", "veth"),
        ] {
            if given && !self.wants(of) {
                let text = format!("{option} is for {of}, which is not asked for");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        }
        Ok(())
    }

    fn measure(&self) -> Report {
        let defaults = Settings::default();
        let settings = Settings {
            rounds: self.rounds,
            seed: self.seed,
            quick: self.quick,
            binary: std::env::current_exe().ok(),
            prefixes: self.prefixes.clone(),
            namespaces: self.namespaces.unwrap_or(defaults.namespaces),
            rfc2544: self.rfc2544,
        };
        let bars = progress::Bars::new();
        let report = fresh_report(&settings);
        let mut session = Session { settings: &settings, progress: &bars, host: None, report };
        for (_, _, measure) in ALL.iter().filter(|(name, ..)| self.wants(name)) {
            measure(&mut session);
        }
        session.report
    }

    fn print(&self, report: &Report) -> io::Result<String> {
        if !self.json && !self.csv {
            return Ok(table::table(report, self.markdown));
        }
        // The table says it itself.
        report.skipped.iter().for_each(|line| eprintln!("SKIPPED {line}"));
        if self.json { Ok(serde_json::to_string_pretty(report)? + "\n") } else { csv::csv(report) }
    }
}
