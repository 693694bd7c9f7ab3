//! Signals: which are ours to handle, and their names in the lab.

use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use vethlab_engine::device::process::restore_default;
use vethlab_sim::Signal as LabSignal;

/// The signals by which people and shells end programs.
pub(crate) const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];

/// Blocks these signals; from now on they are read from the result, also where they are ignored otherwise.
pub(crate) fn catch(signals: impl IntoIterator<Item = Signal>) -> io::Result<SignalFd> {
    let set: SigSet = signals.into_iter().collect();
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}

/// Lets all signals through again.
pub(crate) fn unblock_all() {
    // It cannot fail with these arguments.
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
}

/// Ends this process by a signal, so that a shell sees what happened. Returns only if the signal does not kill.
pub(crate) fn die_of(signal: Signal) {
    restore_default(signal);
    unblock_all();
    // A signal that cannot be raised leaves the caller to end otherwise.
    let _ = raise(signal);
}

/// A signal as programs in the lab know it.
pub(crate) fn to_lab(number: i32) -> Option<LabSignal> {
    match Signal::try_from(number).ok()? {
        Signal::SIGINT => Some(LabSignal::Int),
        Signal::SIGQUIT => Some(LabSignal::Quit),
        Signal::SIGTERM => Some(LabSignal::Term),
        Signal::SIGHUP => Some(LabSignal::Hup),
        _ => None,
    }
}

/// The number of a signal of the lab.
pub(crate) fn number(signal: LabSignal) -> i32 {
    let real = match signal {
        LabSignal::Int => Signal::SIGINT,
        LabSignal::Quit => Signal::SIGQUIT,
        LabSignal::Term => Signal::SIGTERM,
        LabSignal::Hup => Signal::SIGHUP,
    };
    real as i32
}
