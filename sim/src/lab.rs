//! A lab: a world and the programs that run in it.
//!
//! A program is a future. Nothing wakes it: [`Lab::turn`] polls every live program in the order of their numbers, again and
//! again, until a whole round ends no wait. That is deterministic, needs no thread, and is fast enough for the handful of
//! programs that a script runs at a time.

pub(crate) mod core;
mod files;
mod run;

pub use self::files::{DirEntry, FileAnswer, FileCall, FileInfo, FileReply};

pub use self::core::Owner;
use self::core::{Core, FileWait, State, Waiting};
use self::files::Memory;
use crate::userland::proc::Identity;
use crate::userland::{self, Proc};
use crate::world::{NsId, World};
use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use vethlab_engine::control::Errno;
use vethlab_engine::time::{Duration, Time};

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
    /// The real process that stands for it, listed by `ip netns pids` while it runs.
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
    /// starts it: one of ours, or a real one like `bash` whose own commands then live in that namespace. Its status becomes
    /// the program's, but where a heading is printed (`-all`): then every place is visited and the status is 0.
    Exec {
        /// Where, and what is printed on standard output before (`ip -all netns exec`).
        places: Vec<(NsId, String)>,
        /// The command.
        argv: Vec<String>,
        /// `ip netns exec` (which says `exec of "x" failed: …` and ends with 1 when it cannot), or another (127).
        by_ip: bool,
    },
    /// By starting a command and watching it (`timeout`): its status becomes the program's, or 124.
    Timeout(TimeLimit),
}

/// A command that may not run for longer than a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeLimit {
    /// The while; without one it may take as long as it likes.
    pub after: Option<Duration>,
    /// How long after the signal it is killed, if it is still there.
    pub kill_after: Option<Duration>,
    /// The number of the signal that it is sent.
    pub signal: i32,
    /// Its status counts even when it took too long.
    pub preserve_status: bool,
    /// It stays in the terminal's foreground, and only the command itself is sent signals.
    pub foreground: bool,
    /// Each signal is told of on standard error.
    pub verbose: bool,
    /// The command.
    pub argv: Vec<String>,
    /// The command's name, in the quotation marks of messages.
    pub quoted: String,
}

impl TimeLimit {
    /// What is said, and the status, when the command cannot be executed for this reason.
    pub fn exec_failed(&self, reason: &str) -> (String, i32) {
        let status = if reason == Errno::NoEnt.text() { 127 } else { 126 };
        (format!("timeout: failed to run command {}: {reason}\n", self.quoted), status)
    }

    /// What is said when a signal is sent, if anything.
    pub fn told(&self, signal: i32) -> Option<String> {
        let name = userland::signal_name(signal);
        self.verbose.then(|| format!("timeout: sending signal {name} to command {}\n", self.quoted))
    }

    /// The status in the end: of a command that ended with this one, after `last` was the last signal it was sent for taking
    /// too long.
    pub fn status(&self, status: i32, last: Option<i32>) -> i32 {
        let killed = status == 128 + SIGKILL;
        if last.is_none() || self.preserve_status || killed { status } else { TIMED_OUT }
    }
}

/// The status of `timeout` when time was over.
const TIMED_OUT: i32 = 124;
pub(crate) const SIGKILL: i32 = 9;

/// What programs do that the driver must pass on, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes for standard output.
    Stdout(Pid, Vec<u8>),
    /// Bytes for standard error.
    Stderr(Pid, Vec<u8>),
    /// The program asks something of a real file: answer with [`Lab::answer`].
    NeedFile(Pid, FileCall),
    /// The program reads its standard input: answer with [`Lab::stdin`] when there is something to read.
    NeedStdin(Pid),
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

/// The number of the first program; they count up from here, as the processes of a freshly booted machine do.
const FIRST_PID: u32 = 1001;

/// Letters of a process's name that the kernel keeps (`TASK_COMM_LEN`).
const COMM: usize = 15;

/// A world and its programs.
pub struct Lab {
    core: Rc<Core>,
    tasks: BTreeMap<Pid, Task>,
    next_pid: u32,
    files: Memory,
}

/// A program that runs.
struct Task {
    body: Pin<Box<dyn Future<Output = Exit>>>,
    ns: NsId,
    real_pid: Option<u32>,
}

impl Lab {
    /// A fresh lab: the host as `options` say, no program.
    pub fn new(options: Options) -> Lab {
        let mut world = World::new(options.seed);
        world.furnish(options.host);
        let core = Core { world: RefCell::new(world), state: RefCell::new(State::default()) };
        Lab { core: Rc::new(core), tasks: BTreeMap::new(), next_pid: FIRST_PID, files: Memory::default() }
    }

    /// The world.
    pub fn world(&self) -> RefMut<'_, World> {
        self.core.world.borrow_mut()
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.core.world.borrow().now()
    }

    /// Starts a program; it runs at the next [`Lab::turn`]. An unknown name ends at once with status 127 and one line.
    pub fn spawn(&mut self, spawn: Spawn) -> Pid {
        let pid = Pid(self.next_pid);
        self.next_pid += 1;
        let Spawn { ns, argv, env, tty, real_pid } = spawn;
        let name = argv.first().cloned().unwrap_or_default();
        let known = userland::find(base_name(&name)).filter(|_| self.world().netns_exists(ns));
        let Some(program) = known else {
            self.refuse(pid, &name);
            return pid;
        };
        self.world().netns_hold(ns);
        let mut state = self.core.state.borrow_mut();
        let comm = base_name(&name).chars().take(COMM).collect();
        let waiting = Waiting { name: comm, shown_pid: real_pid.unwrap_or(pid.0), ..Waiting::default() };
        state.programs.insert(pid, waiting);
        state.progress = true;
        if let Some(real) = real_pid {
            state.processes.retain(|(known, _)| *known != real);
            state.processes.push((real, ns));
        }
        drop(state);
        let proc = Proc::new(Rc::clone(&self.core), Identity { pid, ns, argv, env, tty });
        self.tasks.insert(pid, Task { body: program(proc), ns, real_pid });
        pid
    }

    /// Ends a program that is not ours before it starts, saying why.
    fn refuse(&mut self, pid: Pid, name: &str) {
        let line = if userland::REFUSED.contains(&base_name(name)) {
            userland::refusal(name, base_name(name))
        } else {
            format!("vethlab: {name}: command not found\n")
        };
        let mut state = self.core.state.borrow_mut();
        state.events.push(Event::Stderr(pid, line.into_bytes()));
        state.ended(pid, Exit::Status(127));
    }

    /// Runs all programs until each waits. No time passes.
    pub fn turn(&mut self) {
        loop {
            self.core.state.borrow_mut().progress = false;
            let pids: Vec<Pid> = self.tasks.keys().copied().collect();
            for pid in pids {
                self.poll(pid);
            }
            if !self.core.state.borrow().progress {
                return;
            }
        }
    }

    /// Lets one program run until it waits or ends.
    fn poll(&mut self, pid: Pid) {
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        let killed = self.core.state.borrow_mut().of(pid).killed;
        let exit = match killed {
            Some(signal) => Poll::Ready(Exit::Signaled(signal)),
            None => task.body.as_mut().poll(&mut Context::from_waker(Waker::noop())),
        };
        if let Poll::Ready(exit) = exit {
            self.end(pid, exit);
        }
    }

    /// Cleans up behind a program: its sockets close, its namespace is let go.
    fn end(&mut self, pid: Pid, exit: Exit) {
        let Some(task) = self.tasks.remove(&pid) else { return };
        drop(task.body);
        let mut state = self.core.state.borrow_mut();
        let sockets = state.ended(pid, exit);
        if let Some(real) = task.real_pid {
            state.processes.retain(|(known, _)| *known != real);
        }
        drop(state);
        let mut world = self.world();
        for opened in sockets {
            world.stack_mut(opened.ns).close(opened.socket);
        }
        world.netns_release(task.ns);
    }

    /// When anything happens next, a program's timer included.
    pub fn next_deadline(&self) -> Option<Time> {
        let world = self.core.world.borrow().next_event();
        let programs = self.core.state.borrow().next_deadline();
        [world, programs].into_iter().flatten().min()
    }

    /// True if a program waits for virtual time to pass: for a timer, or for something to arrive. If not, a driver that
    /// runs as fast as it can should let time stand still, and must while a program [waits for a file](Lab::needs_file).
    pub fn waits_for_time(&self) -> bool {
        self.core.state.borrow().programs.values().any(|waiting| waiting.deadline.is_some())
    }

    /// True if a program waits until a certain moment, or for something to arrive before it.
    pub fn waits_for_a_moment(&self) -> bool {
        self.core.state.borrow().next_deadline().is_some()
    }

    /// True if a program waits for an answer to [`Event::NeedFile`].
    pub fn needs_file(&self) -> bool {
        self.core.state.borrow().programs.values().any(Waiting::needs_file)
    }

    /// True if a program waits for an answer to [`Event::NeedStdin`]: time goes on meanwhile.
    pub fn needs_stdin(&self) -> bool {
        self.core.state.borrow().programs.values().any(|waiting| waiting.stdin.asked)
    }

    /// Lets time pass to the next deadline, but not beyond `limit`, and runs what is due. False if nothing was due before:
    /// then time is `limit` now (or stands still, if that is never).
    pub fn step(&mut self, limit: Time) -> bool {
        let due = self.next_deadline().filter(|time| *time <= limit);
        let target = due.unwrap_or(limit);
        if target != Time::NEVER {
            let mut world = self.world();
            let target = target.max(world.now());
            world.advance_to(target);
        }
        self.turn();
        due.is_some()
    }

    /// Sends a program a signal; it sees it at the next turn.
    pub fn signal(&mut self, pid: Pid, signal: Signal) {
        if self.alive(pid) {
            self.core.state.borrow_mut().of(pid).signal(signal);
        }
    }

    /// True if the program asked for this signal: then it sees it even where its process ignores it.
    pub fn catches(&self, pid: Pid, signal: Signal) -> bool {
        self.core.state.borrow().programs.get(&pid).is_some_and(|waiting| waiting.caught.contains(&signal))
    }

    /// Ends a program at the next turn, whatever signals it catches.
    pub fn kill(&mut self, pid: Pid) {
        if self.alive(pid) {
            self.core.state.borrow_mut().of(pid).killed.get_or_insert(Signal::Term);
        }
    }

    /// Answers [`Event::NeedFile`].
    pub fn answer(&mut self, pid: Pid, answer: FileAnswer) {
        if self.alive(pid) {
            self.core.state.borrow_mut().of(pid).file = FileWait::Answered(answer);
        }
    }

    /// Answers [`Event::NeedStdin`]: a piece of standard input, none at its end.
    pub fn stdin(&mut self, pid: Pid, piece: Vec<u8>) {
        if self.alive(pid) {
            self.core.state.borrow_mut().of(pid).stdin.came(piece);
        }
    }

    /// Tells of the real processes that live in namespaces, all of them each time: what `ip netns pids` and
    /// `ip netns identify` answer from. Programs started with a [`Spawn::real_pid`] are added by the lab itself.
    pub fn processes(&mut self, snapshot: &[(u32, NsId)]) {
        let own = self.tasks.values().filter_map(|task| task.real_pid.map(|pid| (pid, task.ns)));
        let mut all: Vec<(u32, NsId)> = snapshot.iter().copied().chain(own).collect();
        all.sort();
        all.dedup_by_key(|(pid, _)| *pid);
        self.core.state.borrow_mut().processes = all;
    }

    /// What happened since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.core.state.borrow_mut().events)
    }

    /// True while a program runs.
    pub fn alive(&self, pid: Pid) -> bool {
        self.tasks.contains_key(&pid)
    }
}

/// What a program prints on standard error, and its status, when the command it should become cannot be executed:
/// `reason` is the error's text, `by` the program's name, `by_ip` as in [`Exit::Exec`].
pub fn exec_failed(by: &str, by_ip: bool, command: &str, reason: &str) -> (String, i32) {
    if by_ip {
        return (format!("exec of \"{command}\" failed: {reason}\n"), 1);
    }
    match base_name(by) {
        "sudo" => (format!("sudo: {command}: command not found\n"), 1),
        other => (format!("{other}: failed to execute {command}: {reason}\n"), 127),
    }
}

/// What follows the last slash: `/sbin/ip` is `ip`.
fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
