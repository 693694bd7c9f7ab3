//! `vethlab shell`: an interactive bash whose network commands act in a lab.

use super::run;
use crate::args::LabArgs;
use crate::client;
use crate::home::Home;
use nix::sys::signal::{SigSet, Signal};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

/// What every interactive bash of the lab starts with, at the outset and by `ip netns exec NAME bash`. The user's own
/// start files are left out: they may set another PATH and prompt.
const RC: &str = "\
PS1='[${VETHLAB_NETNS:-host}] # '
HISTSIZE=10000
shopt -s histappend checkwinsize
";

/// Runs it to its end.
pub(crate) fn shell(args: &LabArgs, realtime: bool) -> io::Result<ExitCode> {
    let home = Home::new()?;
    std::fs::write(home.rc(), RC)?;
    let mut bash = run::command(args, &home)?;
    bash.arg("bash").arg("--rcfile").arg(home.rc()).arg("-i").env(client::RC, home.rc());
    if let Some(history) = history() {
        bash.env("HISTFILE", history);
    }
    let ended = run::host(args, home, bash, realtime);
    take_terminal_back();
    ended
}

/// The history file, in the user's directory for such state.
fn history() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    let dir = state.join("vethlab");
    std::fs::create_dir_all(&dir).ok()?;
    Some(dir.join("history"))
}

/// An interactive bash that is killed leaves the terminal to a process group that is no more.
fn take_terminal_back() {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let mut set = SigSet::empty();
        set.add(Signal::SIGTTOU);
        // Without it we stay in the background, which is where a caller that gave us no terminal wanted us.
        let _ = set.thread_block().and_then(|()| nix::unistd::tcsetpgrp(&stdin, nix::unistd::getpgrp()));
    }
}
