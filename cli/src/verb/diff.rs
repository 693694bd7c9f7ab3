//! `vethlab diff SCRIPT`: the same script on the kernel and in the simulator, and every difference.

use crate::diff::{Difference, EXCLUSIONS, Order, Run, show};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

/// How many times the kernel may be asked.
const TRIES: u32 = 3;
/// How long a run may take, in seconds.
const TIMEOUT: u32 = 120;

#[derive(Debug, clap::Args)]
#[command(after_help = EXCLUSIONS)]
pub(crate) struct DiffArgs {
    /// Print all of it as JSON
    #[arg(long)]
    json: bool,
    /// Compare the order of frames of both directions, and how often ARP asked, too
    #[arg(long)]
    strict: bool,
    /// How often the kernel is asked before a difference is believed
    #[arg(long, value_name = "N", default_value_t = TRIES, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    /// Seconds that a run may take
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT)]
    timeout: u32,
    /// All chance of the simulator follows from it
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The script
    script: PathBuf,
}

/// Compares; the status is 0 if nothing differs, 1 if something does, 2 if the runs could not be made.
pub(crate) fn diff(args: &DiffArgs) -> io::Result<ExitCode> {
    let compared = compare(args);
    let difference = match compared {
        Ok(difference) => difference,
        Err(error) => {
            eprintln!("vethlab: {error}");
            return Ok(ExitCode::from(2));
        }
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&difference)?);
    } else if difference.equal {
        let Difference { commands_compared, frames_compared, .. } = difference;
        println!("no difference: {commands_compared} commands, {frames_compared} lines of frames");
    } else {
        print!("- kernel, + simulator\n{}", show(&difference));
    }
    Ok(ExitCode::from(u8::from(!difference.equal)))
}

fn compare(args: &DiffArgs) -> io::Result<Difference> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", args.script.display()));
    let source = String::from_utf8_lossy(&std::fs::read(&args.script).map_err(named)?).into_owned();
    let seed = args.seed.to_string();
    let simulator = run(args, &source, &["--host", "bare", "--seed", &seed])?;
    let mut least: Option<Difference> = None;
    for _ in 0..args.tries {
        let kernel = run(args, &source, &["--on", "kernel"])?;
        let difference = Difference::between(&kernel, &simulator);
        if least.as_ref().is_none_or(|known| difference.size() < known.size()) {
            least = Some(difference);
        }
        if least.as_ref().is_some_and(|known| known.equal) {
            break;
        }
    }
    least.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// `vethlab run OPTIONS SCRIPT` in an empty directory.
fn run(args: &DiffArgs, source: &str, options: &[&str]) -> io::Result<Run> {
    let dir = tempfile::Builder::new().prefix("vethlab-diff-").tempdir()?;
    let (work, log, pcap) = (dir.path().join("work"), dir.path().join("log"), dir.path().join("pcap"));
    std::fs::create_dir(&work)?;
    let mut command = Command::new("timeout");
    command.args(["-k", "5", &args.timeout.to_string()]).arg(std::env::current_exe()?).arg("run").args(options);
    command.arg("--log").arg(&log).arg("--pcap").arg(&pcap).arg(std::path::absolute(&args.script)?);
    command.current_dir(&work).env("LANG", "C").env("LC_ALL", "C").env("TERM", "dumb").stdin(Stdio::null());
    let output = command.output()?;
    failed(&output, &log, options)?;
    let order = if args.strict { Order::Strict } else { Order::Directions };
    Run::read(&output, &log, &pcap, source, order)
}

/// A run that never came to the script.
fn failed(output: &Output, log: &Path, options: &[&str]) -> io::Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    let refused = said.lines().find(|line| line.starts_with("vethlab: ") && output.status.code() == Some(1));
    match refused.and_then(|line| line.strip_prefix("vethlab: ")) {
        Some(why) if std::fs::read(log).unwrap_or_default().is_empty() => Err(io::Error::other(why.to_string())),
        _ if !log.exists() => Err(io::Error::other(format!("run {} did not start: {said}", options.join(" ")))),
        _ => Ok(()),
    }
}
