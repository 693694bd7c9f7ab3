//! DPDK's libraries as peers: small C programs (`peers/dpdk_fib.c` for tables, `peers/dpdk_chain.c` for routers in a row) that
//! are built when they are first asked for, and told what to do line by line, so that they take their turn in each round.

use crate::prefixes::Routes;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use vethlab_engine::addr::Address;

/// A table in a process of its own.
pub struct Dpdk {
    peer: Peer,
    files: TempDir,
}

/// Routers in a row, in a process of their own.
pub struct DpdkChain {
    peer: Peer,
}

/// A program that is told what to do.
pub(crate) struct Peer {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Builds the program of tables; why that did not work, if it did not.
pub fn build(dir: &Path) -> io::Result<PathBuf> {
    build_peer(dir, "dpdk_fib")
}

/// Builds one of `peers/`; why that did not work, if it did not.
pub fn build_peer(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let flags = |what: &str| -> io::Result<Vec<String>> {
        let output = Command::new("pkg-config").args([what, "libdpdk"]).output()?;
        let missing = || io::Error::other("libdpdk is not installed (apt-get install libdpdk-dev pkg-config gcc)");
        output.status.success().then_some(()).ok_or_else(missing)?;
        Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_string).collect())
    };
    compile(dir, name, &flags("--cflags")?, &flags("--libs")?)
}

/// Builds poptrie, a table that is asked as DPDK's are; why that did not work, if it did not.
pub fn build_poptrie(dir: &Path) -> io::Result<PathBuf> {
    compile(dir, "poptrie", &[], &[])
}

fn compile(dir: &Path, name: &str, before: &[String], behind: &[String]) -> io::Result<PathBuf> {
    let program = dir.join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("peers/{name}.c"));
    let mut compiler = Command::new("cc");
    compiler.args(["-O3", "-march=native"]).args(before).arg(source).arg("-o").arg(&program).args(behind);
    let failed = || io::Error::other(format!("cc does not build peers/{name}.c"));
    compiler.status()?.success().then_some(program).ok_or_else(failed)
}

impl Dpdk {
    /// A table of a kind (`fib`, `lpm`, `fib6`, `lpm6`) with these routes.
    pub fn start<A: Address>(program: &Path, kind: &str, routes: &Routes<A>) -> io::Result<Dpdk> {
        let files = tempfile::tempdir()?;
        let list = files.path().join("routes");
        write_routes(&list, routes)?;
        let peer = Peer::start(Command::new(program).arg(kind).arg(&list), kind)?;
        Ok(Dpdk { peer, files })
    }

    /// Lays down addresses to ask for: 4 bytes each in this machine's order, or 16 in that of the wire.
    pub fn lay_down(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        std::fs::write(self.files.path().join(name), bytes)
    }

    /// Looks them up, in a mode (see the program); how long that took, and the sum of all next hops.
    pub fn look(&mut self, mode: u32, name: &str) -> io::Result<(Duration, u64)> {
        let file = self.files.path().join(name);
        writeln!(self.peer.commands, "look {mode} {}", file.display())?;
        self.peer.two()
    }

    /// Deletes and inserts so many routes again; how long that took, and how many refused.
    pub fn churn(&mut self, count: usize, seed: u64) -> io::Result<(Duration, u64)> {
        writeln!(self.peer.commands, "churn {count} {seed}")?;
        self.peer.two()
    }
}

impl DpdkChain {
    /// So many routers with these routes, which send frames to these destinations, one after the other.
    pub fn start(
        program: &Path,
        hops: u16,
        routes: &Routes<Ipv4Addr>,
        destinations: &[Ipv4Addr],
    ) -> io::Result<DpdkChain> {
        let files = tempfile::tempdir()?;
        let [list, addresses] = ["routes", "destinations"].map(|name| files.path().join(name));
        write_routes(&list, routes)?;
        let bytes: Vec<u8> = destinations.iter().flat_map(|address| address.to_bits().to_ne_bytes()).collect();
        std::fs::write(&addresses, bytes)?;
        // It has read the files when it says that it is ready.
        let mut command = Command::new(program);
        let peer = Peer::start(command.arg(hops.to_string()).arg(&list).arg(&addresses), "dpdk_chain")?;
        Ok(DpdkChain { peer })
    }

    /// Sends so many frames; how long that took, and how many arrived.
    pub fn run(&mut self, frames: usize) -> io::Result<(Duration, u64)> {
        writeln!(self.peer.commands, "run {frames}")?;
        self.peer.two()
    }
}

/// One line a route, the address in hexadecimal.
fn write_routes<A: Address>(file: &Path, routes: &Routes<A>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    for (prefix, hop) in routes {
        let digits = usize::from(A::BITS / 4);
        writeln!(out, "{:0digits$x} {} {hop}", prefix.address().to_bits(), prefix.length())?;
    }
    out.into_inner()?.sync_all()
}

impl Peer {
    /// Starts a program, which says when it is ready.
    pub(crate) fn start(command: &mut Command, name: &str) -> io::Result<Peer> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(commands), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("no pipes"));
        };
        let mut peer = Peer { process, commands, answers: BufReader::new(answers) };
        match peer.line()?.as_str() {
            "ready" => Ok(peer),
            other => Err(io::Error::other(format!("{name}: {other:?} instead of \"ready\""))),
        }
    }

    /// Tells it what to do.
    pub(crate) fn tell(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.commands, "{line}")
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim_end().to_string())
    }

    pub(crate) fn two(&mut self) -> io::Result<(Duration, u64)> {
        let line = self.line()?;
        let numbers = line.split_once(' ').and_then(|(time, other)| Some((time.parse().ok()?, other.parse().ok()?)));
        let (time, other) = numbers.ok_or_else(|| io::Error::other(format!("DPDK says {line:?}")))?;
        Ok((Duration::from_nanos(time), other))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
