//! `timeout`: a real command as a child, and a `sleep` in the lab that tells when its time is over.

use super::becoming::{Found, find};
use super::link::{Link, environment, socket};
use super::talk::text;
use crate::signals;
use crate::wire::{Reply, Request};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, setpgid};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use vethlab_engine::time::Duration;
use vethlab_sim::lab::TimeLimit;

/// A command that is watched.
struct Watched {
    limit: TimeLimit,
    child: Pid,
    /// The signal that it was sent last because its time was over.
    last: Option<i32>,
    link: Link,
    signals: SignalFd,
}

/// Runs the command, and sees to it that it ends.
pub(super) fn watch(limit: TimeLimit) -> io::Result<ExitCode> {
    if !limit.foreground {
        // Where it fails we are the leader of our group already.
        let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
    }
    let word = limit.argv.first().cloned().unwrap_or_default();
    signals::unblock_all();
    let started = match locate(&word) {
        Ok(file) => Command::new(file).arg0(&word).args(&limit.argv[1..]).spawn(),
        Err(errno) => Err(errno.into()),
    };
    let child = match started {
        Ok(child) => Pid::from_raw(child.id() as i32),
        Err(error) => {
            let (complaint, status) = limit.exec_failed(&text(&error));
            eprint!("{complaint}");
            return Ok(ExitCode::from(status as u8));
        }
    };
    // The signal to send comes back to us as one of our group.
    let mut ours = SigSet::empty();
    ours.extend(Signal::try_from(limit.signal).ok().filter(|signal| *signal != Signal::SIGKILL));
    ours.thread_block()?;
    let signals = signals::catch(signals::ENDING.into_iter().chain([Signal::SIGCHLD]))?;
    let mut watched = Watched { limit, child, last: None, link: Link::open("")?, signals };
    watched.set(watched.limit.after)?;
    watched.wait()
}

/// The file of a command: of a program of the lab the link, so that it runs as a child.
fn locate(word: &str) -> Result<PathBuf, Errno> {
    match find(word, "timeout") {
        Found::File(file) => Ok(file),
        Found::Not(errno) => Err(errno),
        Found::InLab => {
            let bin = socket("").and_then(|socket| Some(socket.parent()?.join("bin"))).ok_or(Errno::ENOENT)?;
            Ok(bin.join(super::base_name(word)))
        }
    }
}

impl Watched {
    /// Asks to be told when that much virtual time is over.
    fn set(&mut self, span: Option<Duration>) -> io::Result<()> {
        let Some(span) = span else { return Ok(()) };
        let argv = vec!["sleep".to_string(), format!("{}", span.as_secs_f64())];
        self.link.send(&Request::Run { argv, env: environment(), tty: false, typed: false, ns: None })
    }

    fn wait(&mut self) -> io::Result<ExitCode> {
        loop {
            match waitpid(self.child, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, status)) => return Ok(self.code(status)),
                Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(self.signaled(signal)),
                Err(Errno::ECHILD) => return Ok(self.code(0)),
                _ => {}
            }
            let mut fds = [
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.link.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                result => result?,
            };
            let [signal, link] = fds.map(|fd| fd.any().unwrap_or(true));
            if signal {
                self.pass_on()?;
            }
            if link {
                self.link.fill()?;
                while let Some(reply) = self.link.next()? {
                    if reply == Reply::Status(0) {
                        self.over()?;
                    }
                }
            }
        }
    }

    /// Time is over.
    fn over(&mut self) -> io::Result<()> {
        let signal = if self.last.is_some() { Signal::SIGKILL as i32 } else { self.limit.signal };
        let next = self.limit.kill_after.filter(|_| self.last.is_none());
        self.last = Some(signal);
        eprint!("{}", self.limit.told(signal).unwrap_or_default());
        self.send(signal);
        self.set(next)
    }

    /// A signal that was sent to us is meant for the command.
    fn pass_on(&mut self) -> io::Result<()> {
        while let Some(info) = self.signals.read_signal()? {
            if info.ssi_signo != Signal::SIGCHLD as u32 && info.ssi_pid != std::process::id() {
                self.send(info.ssi_signo as i32);
            }
        }
        Ok(())
    }

    /// Sends the command a signal, and whatever it started; what is stopped must go on to see it.
    fn send(&self, number: i32) {
        let Ok(signal) = Signal::try_from(number) else { return };
        let group = Pid::from_raw(0);
        let to_all = |signal| {
            // Who is gone needs none.
            let _ = kill(self.child, signal);
            if !self.limit.foreground {
                let _ = kill(group, signal);
            }
        };
        to_all(signal);
        if !self.limit.foreground && signal != Signal::SIGKILL && signal != Signal::SIGCONT {
            to_all(Signal::SIGCONT);
        }
    }

    /// A command that a signal ended without our doing takes us with it.
    fn signaled(&self, signal: Signal) -> ExitCode {
        if self.last.is_none() {
            signals::die_of(signal);
        }
        self.code(128 + signal as i32)
    }

    fn code(&self, status: i32) -> ExitCode {
        ExitCode::from(self.limit.status(status, self.last) as u8)
    }
}
