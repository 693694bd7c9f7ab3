//! Becoming another program: what `ip netns exec`, `sudo` and their like end in.
//!
//! A program of the lab goes on in this process. A real one is executed; from then on the server knows this process as one
//! that lives in the namespace, and so whatever it starts.

use super::link::Link;
use super::talk::{Talk, text};
use super::{NAMESPACE, VISIT, base_name, in_lab, run};
use crate::signals;
use crate::wire::{Reply, Request};
use nix::errno::Errno;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use vethlab_sim::lab::exec_failed;
use vethlab_sim::userland::PARTLY;

/// The environment variable that holds the name of the namespace, for prompts.
const NETNS: &str = "VETHLAB_NETNS";
/// The environment variable that names the start file of interactive shells, where there is one.
pub(crate) const RC: &str = "VETHLAB_RC";
/// The environment variable that names the directory which stays ahead of our programs.
pub(crate) const PATH_FIRST: &str = "VETHLAB_PATH_FIRST";

/// The program that becomes another.
pub(super) struct By {
    pub(super) name: String,
    pub(super) ip: bool,
}

/// What came of it.
pub(super) enum Turn {
    /// It is one of the lab's: run that.
    Again(Vec<String>),
    /// It could not be.
    Over(ExitCode),
}

/// Becomes the words' program in a namespace; returns only if that is one of the lab's, or cannot be.
pub(super) fn turn_into(talk: &mut Talk, by: &By, ns: u32, argv: Vec<String>) -> io::Result<Turn> {
    let Some(word) = argv.first() else { return Ok(Turn::Over(ExitCode::SUCCESS)) };
    let file = match find(word, &by.name) {
        Found::InLab => return Ok(Turn::Again(argv)),
        Found::File(file) => file,
        Found::Not(errno) => return Ok(Turn::Over(failed(by, word, errno.desc()))),
    };
    talk.send(&Request::Become(ns))?;
    let name = match talk.reply()? {
        Reply::Go(name) => name,
        _ => return Ok(Turn::Over(failed(by, word, Errno::ENOENT.desc()))),
    };
    let mut command = Command::new(&file);
    command.arg0(word).env(NAMESPACE, ns.to_string()).env(NETNS, name);
    if let (Some(rc), true) = (std::env::var_os(RC), is_interactive_bash(&argv)) {
        command.arg("--rcfile").arg(rc);
    }
    command.args(&argv[1..]);
    signals::unblock_all();
    let error = command.exec();
    Ok(Turn::Over(failed(by, word, &text(&error))))
}

/// `bash` and `bash -i` at a terminal: our prompt goes with it.
fn is_interactive_bash(argv: &[String]) -> bool {
    let plain = argv[1..].iter().all(|word| word == "-i");
    base_name(&argv[0]) == "bash" && plain && io::stdin().is_terminal()
}

fn failed(by: &By, word: &str, reason: &str) -> ExitCode {
    let (complaint, status) = exec_failed(&by.name, by.ip, word, reason);
    eprint!("{complaint}");
    ExitCode::from(status as u8)
}

/// Visits every place in turn, as `ip -all netns exec` does: a heading, and the command as a child. How the children end
/// does not matter.
pub(super) fn visit_all(by: &By, places: &[(u32, String)], argv: &[String]) -> io::Result<ExitCode> {
    for (ns, heading) in places {
        // The heading is lost where printing fails, as it would be for the program we play.
        let _ = io::stdout().write_all(heading.as_bytes()).and_then(|()| io::stdout().flush());
        let mut child = Command::new(std::env::current_exe()?);
        child.arg0(VISIT).args([&ns.to_string(), &by.name]).args(argv);
        signals::unblock_all();
        child.status()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The child's part in that.
pub(super) fn visit(argv: &[String]) -> io::Result<ExitCode> {
    let [_, ns, by, words @ ..] = argv else { return Err(io::ErrorKind::InvalidInput.into()) };
    let ns: u32 = ns.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut talk = Talk::new(Link::open("")?)?;
    match turn_into(&mut talk, &By { name: by.clone(), ip: true }, ns, words.to_vec())? {
        Turn::Again(words) => run(&mut talk, words, Some(ns)),
        Turn::Over(code) => Ok(code),
    }
}

/// Where a word leads.
pub(super) enum Found {
    /// To a program that the lab runs or refuses.
    InLab,
    /// To this file.
    File(PathBuf),
    /// Nowhere.
    Not(Errno),
}

/// Looks a command up for the program `by` as `execvp` does, but that the lab's names lead into the lab, wherever a file of that name may be.
/// Only the directory that was asked to stay ahead of it does.
pub(super) fn find(word: &str, by: &str) -> Found {
    let name = base_name(word);
    let real = by == name && PARTLY.contains(&name);
    let ahead = std::env::var_os(PATH_FIRST).map(|dir| Path::new(&dir).join(name)).filter(|file| is_program(file));
    if let Some(file) = ahead.filter(|_| !word.contains('/')) {
        return Found::File(file);
    }
    if in_lab(name) && !real {
        return Found::InLab;
    }
    if word.contains('/') {
        return Found::File(word.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let mut missing = Errno::ENOENT;
    for file in std::env::split_paths(&path).map(|dir| dir.join(word)) {
        if is_program(&file) && !is_me(&file) {
            return Found::File(file);
        }
        if file.is_file() {
            missing = Errno::EACCES;
        }
    }
    Found::Not(missing)
}

/// It is the link by which the lab plays it.
fn is_me(file: &Path) -> bool {
    let target = |file: &Path| file.canonicalize().ok();
    target(file).is_some_and(|found| std::env::current_exe().is_ok_and(|me| target(&me) == Some(found)))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
