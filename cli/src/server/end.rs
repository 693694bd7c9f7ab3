//! Ends: of the script, of what it started, and our own.

use crate::tree::{Moves, Tree};
use nix::errno::Errno;
use nix::libc::SI_KERNEL;
use nix::sys::signal::{Signal, kill};
use nix::sys::signalfd::siginfo;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long the script may take to end after we were told to.
const GRACE: Duration = Duration::from_secs(2);
/// How often new processes are told.
const RETELL: Duration = Duration::from_millis(50);
/// How long processes that were killed may take to be gone.
const DEATH: Duration = Duration::from_secs(5);

/// How the script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With this status.
    Status(u8),
    /// By this signal.
    Signaled(Signal),
}

/// Collects children (and orphans, which become ours) that ended; the script's end if it is among them.
pub(super) fn reap(script: u32) -> Option<End> {
    let mut end = None;
    loop {
        let (pid, how) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) => (pid, End::Status(status as u8)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, End::Signaled(signal)),
            Ok(WaitStatus::StillAlive) | Err(_) => return end,
            Ok(_) => continue,
        };
        if pid.as_raw() as u32 == script {
            end = Some(how);
        }
    }
}

/// True if a key was pressed, so that every process of the terminal's foreground group got the signal.
pub(super) fn is_from_terminal(info: &siginfo) -> bool {
    let by_kernel = info.ssi_code == SI_KERNEL;
    by_kernel && [Signal::SIGINT as u32, Signal::SIGQUIT as u32].contains(&info.ssi_signo)
}

/// The script's processes are being told to end.
pub(super) struct Ending {
    signal: Signal,
    until: Instant,
    told: BTreeSet<u32>,
}

impl Ending {
    pub(super) fn new(signal: Signal) -> Ending {
        Ending { signal, until: Instant::now() + GRACE, told: BTreeSet::new() }
    }

    /// Tells those that were not told yet: a shell with a trap waits for what it has just started. The signal, and when
    /// to do so again; zero if time is over.
    pub(super) fn tell(&mut self, tree: &Tree) -> (Signal, Duration) {
        for (pid, _) in tree.homes() {
            if self.told.insert(pid) {
                send(pid, self.signal);
            }
        }
        (self.signal, self.until.saturating_duration_since(Instant::now()).min(RETELL))
    }
}

fn send(pid: u32, signal: Signal) {
    // Those that are gone already need not be told.
    let _ = kill(Pid::from_raw(pid as i32), signal);
}

/// Kills what is left of the script's processes, until none is.
pub(super) fn leave_nothing(tree: &mut Tree) {
    let until = Instant::now() + DEATH;
    while Instant::now() < until {
        tree.look(&mut Moves::default());
        tree.homes().into_iter().for_each(|(pid, _)| send(pid, Signal::SIGKILL));
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            _ => {}
        }
    }
}
