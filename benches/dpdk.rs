//! DPDK's tables as peers: a small C program (`peers/dpdk_fib.c`) that is built when it is first asked for, and told what to
//! do line by line, so that it takes its turn in each round.

use crate::prefixes::Routes;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use vethlab_engine::addr::Address;

/// A table in a process of its own.
pub struct Dpdk {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    files: TempDir,
}

/// Builds the program; why that did not work, if it did not.
pub fn build(dir: &Path) -> io::Result<PathBuf> {
    let flags = |what: &str| -> io::Result<Vec<String>> {
        let output = Command::new("pkg-config").args([what, "libdpdk"]).output()?;
        let missing = || io::Error::other("libdpdk is not installed (apt-get install libdpdk-dev pkg-config gcc)");
        output.status.success().then_some(()).ok_or_else(missing)?;
        Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_string).collect())
    };
    let program = dir.join("dpdk_fib");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/dpdk_fib.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-O3", "-march=native"]).args(flags("--cflags")?).arg(source).arg("-o").arg(&program);
    let status = compiler.args(flags("--libs")?).status()?;
    if status.success() { Ok(program) } else { Err(io::Error::other("cc does not build peers/dpdk_fib.c")) }
}

impl Dpdk {
    /// A table of a kind (`fib`, `lpm`, `fib6`, `lpm6`) with these routes.
    pub fn start<A: Address>(program: &Path, kind: &str, routes: &Routes<A>) -> io::Result<Dpdk> {
        let files = tempfile::tempdir()?;
        let list = files.path().join("routes");
        let mut out = BufWriter::new(File::create(&list)?);
        for (prefix, hop) in routes {
            let digits = usize::from(A::BITS / 4);
            writeln!(out, "{:0digits$x} {} {hop}", prefix.address().to_bits(), prefix.length())?;
        }
        out.into_inner()?.sync_all()?;
        let mut command = Command::new(program);
        let mut process = command.arg(kind).arg(&list).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(commands), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("no pipes"));
        };
        let mut dpdk = Dpdk { process, commands, answers: BufReader::new(answers), files };
        match dpdk.line()?.as_str() {
            "ready" => Ok(dpdk),
            other => Err(io::Error::other(format!("{kind}: {other:?} instead of \"ready\""))),
        }
    }

    /// Lays down addresses to ask for: 4 bytes each in this machine's order, or 16 in that of the wire.
    pub fn lay_down(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        std::fs::write(self.files.path().join(name), bytes)
    }

    /// Looks them up, in a mode (see the program); how long that took, and the sum of all next hops.
    pub fn look(&mut self, mode: u32, name: &str) -> io::Result<(Duration, u64)> {
        let file = self.files.path().join(name);
        writeln!(self.commands, "look {mode} {}", file.display())?;
        self.two()
    }

    /// Deletes and inserts so many routes again; how long that took, and how many refused.
    pub fn churn(&mut self, count: usize, seed: u64) -> io::Result<(Duration, u64)> {
        writeln!(self.commands, "churn {count} {seed}")?;
        self.two()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim_end().to_string())
    }

    fn two(&mut self) -> io::Result<(Duration, u64)> {
        let line = self.line()?;
        let numbers = line.split_once(' ').and_then(|(time, other)| Some((time.parse().ok()?, other.parse().ok()?)));
        let (time, other) = numbers.ok_or_else(|| io::Error::other(format!("DPDK says {line:?}")))?;
        Ok((Duration::from_nanos(time), other))
    }
}

impl Drop for Dpdk {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
