//! A lab: a world and the programs that run in it.

use crate::world::{NsId, World};
use vethlab_engine::time::Time;

/// What a script finds when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// `lo` up, `eth0` 10.0.2.15/24 with a default route, and a simulated outside that answers for public addresses.
    #[default]
    Internet,
    /// The same with `eth0` 192.168.1.100/24 via 192.168.1.1.
    Home,
    /// Only `lo`, up.
    Bare,
}

/// How a lab begins.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// All chance follows from it.
    pub seed: u64,
    /// What the host namespace holds.
    pub host: Host,
}

/// A program's number in its lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u32);

/// A program to start.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// Its namespace.
    pub ns: NsId,
    /// Its name (without a path) and its arguments.
    pub argv: Vec<String>,
    /// Environment variables it may look at (`LANG`, `COLUMNS` …).
    pub env: Vec<(String, String)>,
    /// Standard output is a terminal.
    pub tty: bool,
    /// Files that the driver read for it: `ip -batch FILE`, `sysctl -p FILE`, `-` for standard input. See
    /// [`Event::NeedFile`].
    pub real_pid: Option<u32>,
}

/// Signals that programs know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their own names")]
pub enum Signal {
    Int,
    Quit,
    Term,
    Hup,
}

/// How a program ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// Ended by this signal.
    Signaled(Signal),
    /// By becoming another program, in each of these namespaces in turn (`ip netns exec`, `nsenter`, `sudo`). The driver
    /// starts it: one of ours, or a real one like `bash` whose own commands then live in that namespace.
    Exec {
        /// Where, and what is printed on standard output before (`ip -all netns exec`).
        places: Vec<(NsId, String)>,
        /// The command.
        argv: Vec<String>,
        /// `ip netns exec` (which says `exec of "x" failed: …` and ends with 1 when it cannot), or another (127).
        by_ip: bool,
    },
}

/// What programs do that the driver must pass on, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes for standard output.
    Stdout(Pid, Vec<u8>),
    /// Bytes for standard error.
    Stderr(Pid, Vec<u8>),
    /// The program wants a real file's bytes (`-`: standard input): answer with [`Lab::file`].
    NeedFile(Pid, String),
    /// The program ended.
    Exit(Pid, Exit),
}

/// What one command line printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit status.
    pub status: i32,
}

/// A world and its programs.
pub struct Lab {}

#[allow(unused_variables, missing_docs)]
impl Lab {
    pub fn new(options: Options) -> Lab {
        unimplemented!()
    }
    pub fn world(&self) -> std::cell::RefMut<'_, World> {
        unimplemented!()
    }
    pub fn now(&self) -> Time {
        unimplemented!()
    }

    /// Starts a program; it runs at the next [`Lab::turn`]. An unknown name ends at once with status 127 and one line.
    pub fn spawn(&mut self, spawn: Spawn) -> Pid {
        unimplemented!()
    }
    /// Runs all programs until each waits. No time passes.
    pub fn turn(&mut self) {
        unimplemented!()
    }
    /// When anything happens next, a program's timer included.
    pub fn next_deadline(&self) -> Option<Time> {
        unimplemented!()
    }
    /// Lets time pass to the next deadline, but not beyond `limit`, and runs what is due. False if nothing was due before.
    pub fn step(&mut self, limit: Time) -> bool {
        unimplemented!()
    }
    /// Sends a program a signal; it sees it at the next turn.
    pub fn signal(&mut self, pid: Pid, signal: Signal) {
        unimplemented!()
    }
    /// Answers [`Event::NeedFile`]: the bytes, or the error's text.
    pub fn file(&mut self, pid: Pid, content: Result<Vec<u8>, String>) {
        unimplemented!()
    }
    /// What happened since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        unimplemented!()
    }
    /// True while a program runs.
    pub fn alive(&self, pid: Pid) -> bool {
        unimplemented!()
    }

    /// Runs one command line in the host namespace to its end, in virtual time: for tests. Words are split at blanks,
    /// with single and double quotes; no shell syntax.
    pub fn run(&mut self, line: &str) -> Output {
        unimplemented!()
    }
}
