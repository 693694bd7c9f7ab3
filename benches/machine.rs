//! On what it is measured.

use crate::contest::Settings;
use crate::report::{Machine, Report};
use std::process::Command;

/// A report with nothing in it but where and how it was made.
pub fn fresh_report(settings: &Settings) -> Report {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut report = Report {
        machine: Machine { cpu: cpu(), cores },
        kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(|| std::env::consts::OS.to_string()),
        seed: settings.seed,
        rounds: settings.rounds,
        quick: settings.quick,
        ..Report::default()
    };
    let ours = env!("CARGO_PKG_VERSION");
    let build = if cfg!(debug_assertions) { " (not optimized: a debug build)" } else { "" };
    report.versions.insert("vethlab".to_string(), format!("{ours}{build}"));
    report
}

fn cpu() -> String {
    let all = read("/proc/cpuinfo").unwrap_or_default();
    let line = all.lines().find_map(|line| line.strip_prefix("model name"));
    line.map_or(std::env::consts::ARCH, |line| line.trim_start_matches(['\t', ' ', ':'])).to_string()
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok().map(|text| text.trim().to_string())
}

/// The first line that a program prints of its version.
pub fn version_of(program: &str, options: &[&str]) -> Option<String> {
    let output = Command::new(program).args(options).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_string())
}

/// Keeps this thread on one core, if there are several: what it starts stays there, too.
pub fn pin(core: usize) {
    let mut set = nix::sched::CpuSet::new();
    // Where that is not allowed, all goes on wherever it likes.
    if set.set(core).is_ok() {
        let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set);
    }
}

/// Lets this thread run on any core again.
pub fn unpin() {
    let mut set = nix::sched::CpuSet::new();
    for core in 0..nix::sched::CpuSet::count() {
        let _ = set.set(core);
    }
    let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set);
}
