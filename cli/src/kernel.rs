//! A script on the real kernel, in network, mount and process namespaces that vanish with it: nothing that it does to
//! interfaces, routes, rules or `/proc/sys` is left on the machine, or is seen there.
//!
//! ```text
//!     vethlab run --on kernel ── leaves for new namespaces ── starts `vethlab-inside`, their first process
//!                                                                  │  mounts what must be theirs      inside.rs
//!                                                                  │  captures at every interface     capture.rs
//!                                                                  └── bash SCRIPT
//! ```
//!
//! An ordinary user gets a user namespace, too, in which he is root; root needs none.

mod capture;
mod inside;

pub(crate) use self::capture::ask;
pub(crate) use self::inside::{NAME, main};

use crate::shim;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, getegid, geteuid};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What is written down of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Records<'a> {
    /// Every frame, as pcapng.
    pub(crate) pcap: Option<&'a Path>,
    /// Every command, as JSON lines.
    pub(crate) log: Option<&'a Path>,
}

/// Runs it to its end; the status is the script's.
pub(crate) fn run(records: Records<'_>, script: &[OsString]) -> io::Result<ExitCode> {
    let dir = tempfile::Builder::new().prefix("vethlab-").tempdir()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg0(NAME).arg(dir.path()).args(script);
    if let Some(file) = records.pcap {
        std::fs::File::create(file).map_err(|error| named(file, &error))?;
        command.env(inside::PCAP, std::path::absolute(file)?);
    }
    command.env("PATH", path(dir.path(), records.log)?);
    if let Some(file) = records.log {
        shim::start_log(file, &mut command)?;
    }
    leave().map_err(|error| {
        let hint = "needs root, or a system that lets users make namespaces (try: unshare -Urn true)";
        io::Error::new(io::Error::from(error).kind(), format!("--on kernel {hint}: {error}"))
    })?;
    let status = command.spawn()?.wait()?;
    match status.signal().map(Signal::try_from) {
        Some(Ok(signal)) => Ok(ExitCode::from(128 + signal as u8)),
        _ => Ok(ExitCode::from(status.code().unwrap_or(1) as u8)),
    }
}

fn named(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}

/// Goes into new namespaces; the next process that is started is the first of the new process namespace.
fn leave() -> nix::Result<()> {
    let (uid, gid) = (geteuid(), getegid());
    let own = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID;
    if uid.is_root() {
        return unshare(own);
    }
    unshare(own | CloneFlags::CLONE_NEWUSER)?;
    let write = |file: &str, text: String| std::fs::write(file, text).map_err(|error| errno(&error));
    write("/proc/self/setgroups", "deny".to_string())?;
    write("/proc/self/uid_map", map(uid))?;
    write("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// The user is root there.
fn map(uid: Uid) -> String {
    format!("0 {uid} 1")
}

fn errno(error: &io::Error) -> nix::errno::Errno {
    nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// The script's PATH: programs that write down what they do, where that is asked for; a `sudo` that asks nothing; then the
/// machine's own, with the administrator's.
fn path(dir: &Path, log: Option<&Path>) -> io::Result<OsString> {
    let bin = dir.join("bin");
    std::fs::create_dir(&bin)?;
    shim::write_program(&bin.join("sudo"), "#!/bin/sh\nwhile [ \"${1#-}\" != \"$1\" ]; do shift; done\nexec \"$@\"\n")?;
    let mut all: Vec<PathBuf> = vec![bin];
    if log.is_some() {
        let shims = dir.join("shims");
        shim::make(&shims)?;
        all.insert(0, shims);
    }
    let rest = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    all.extend(std::env::split_paths(&rest));
    for place in ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from) {
        if !all.contains(&place) {
            all.push(place);
        }
    }
    std::env::join_paths(all).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// A directory's name as the program's argument.
fn dir_word(word: Option<&OsStr>) -> io::Result<PathBuf> {
    word.map(PathBuf::from).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
