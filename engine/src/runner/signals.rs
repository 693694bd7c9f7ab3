//! Signals, as something to wait on.

use crate::device::process::is_ignored;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `SIGINT`, `SIGTERM`, `SIGHUP`
    End,
    /// `SIGUSR1`
    Report,
}

/// The signals that a runner answers, blocked from now on and read from a descriptor.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Takes them over. `SIGHUP` stays ignored if this process was started so (`nohup`); `SIGINT`, which shells let their
    /// background jobs ignore, ends us all the same: nothing may be left behind when a script is interrupted.
    pub fn open() -> io::Result<Signals> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGINT);
        set.add(Signal::SIGTERM);
        if !is_ignored(Signal::SIGHUP) {
            set.add(Signal::SIGHUP);
        }
        set.add(Signal::SIGUSR1);
        set.thread_block()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Signals { fd })
    }

    /// What the oldest waiting signal asks for.
    pub fn read(&self) -> Option<Wish> {
        let signal = self.fd.read_signal().ok().flatten()?;
        Some(if signal.ssi_signo == Signal::SIGUSR1 as u32 { Wish::Report } else { Wish::End })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
