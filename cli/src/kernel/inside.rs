//! The first process of the namespaces: mounts what must be theirs, starts the script, and ends when the script does.

use super::capture::{Capturer, WATCH};
use super::dir_word;
use crate::{shim, signals};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The name by which this program knows that it is to do this.
pub(crate) const NAME: &str = "vethlab-inside";
/// The environment variable that names the file for frames.
pub(super) const PCAP: &str = "VETHLAB_PCAP";

const NOTHING: Option<&str> = None;

/// `vethlab-inside DIR SCRIPT ARGS…`
pub(crate) fn main() -> ExitCode {
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    let mut words = std::env::args_os().skip(1);
    let ended = dir_word(words.next().as_deref()).and_then(|dir| run(&dir, words.collect()));
    ended.unwrap_or_else(|error| {
        eprintln!("vethlab: {error}");
        ExitCode::FAILURE
    })
}

fn run(dir: &Path, script: Vec<OsString>) -> io::Result<ExitCode> {
    let furnished = furnish(dir);
    furnished.map_err(|(what, errno)| io::Error::new(io::Error::from(errno).kind(), format!("{what}: {errno}")))?;
    let mut ip = Command::new("ip");
    // It is no command of the script.
    shim::unlogged(&mut ip);
    let up = ip.args(["link", "set", "lo", "up"]).stdin(Stdio::null()).status()?;
    if !up.success() {
        return Err(io::Error::other("lo could not be set up: the script did not run"));
    }
    let mut capturer = std::env::var_os(PCAP).map(|file| Capturer::new(dir, Path::new(&file))).transpose()?;
    let mut bash = Command::new("bash");
    bash.args(script).env_remove(PCAP);
    if let Some(capturer) = &capturer {
        bash.env(WATCH, capturer.socket());
    }
    let script = Pid::from_raw(bash.spawn()?.id() as i32);
    // Not before: the script would inherit that it is blocked.
    let signals = signals::catch([Signal::SIGCHLD])?;
    let status = wait(script, &signals, capturer.as_mut())?;
    if let Some(capturer) = capturer {
        capturer.finish()?;
    }
    Ok(status)
}

/// Serves captures and reaps whoever ends, until the script does.
fn wait(script: Pid, signals: &SignalFd, mut capturer: Option<&mut Capturer>) -> io::Result<ExitCode> {
    loop {
        while signals.read_signal()?.is_some() {}
        if let Some(code) = reap(script)? {
            return Ok(code);
        }
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        if let Some(capturer) = &capturer {
            fds.extend(capturer.watched());
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if let Some(capturer) = &mut capturer {
            capturer.serve()?;
        }
    }
}

/// Takes leave of all that have ended; the script's status if it is among them.
fn reap(script: Pid) -> io::Result<Option<ExitCode>> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == script => return Ok(Some(ExitCode::from(status as u8))),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == script => {
                return Ok(Some(ExitCode::from(128 + signal as u8)));
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Lays out the file systems: own processes, own `/sys`, own names of namespaces, no resolver, and no way to the sysctls of
/// the whole machine.
fn furnish(dir: &Path) -> Result<(), (&'static str, Errno)> {
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(NOTHING, "/", NOTHING, private, NOTHING).map_err(|errno| ("mount namespace", errno))?;
    fresh("proc", "/proc").map_err(|errno| ("/proc", errno))?;
    fresh("sysfs", "/sys").map_err(|errno| ("/sys", errno))?;
    only_net_is_writable(dir).map_err(|errno| ("/proc/sys", errno))?;
    own_etc(dir).map_err(|errno| ("/etc", errno))?;
    // Files of the script, and of whoever runs it, may be there.
    if !dir.starts_with("/run") {
        fresh("tmpfs", "/run").map_err(|errno| ("/run", errno))?;
    }
    std::fs::create_dir_all("/run/netns").map_err(|error| ("/run/netns", super::errno(&error)))
}

fn fresh(kind: &str, place: &str) -> nix::Result<()> {
    mount(Some(kind), place, Some(kind), MsFlags::empty(), NOTHING)
}

fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, NOTHING, MsFlags::MS_BIND, NOTHING)
}

/// `/proc/sys/net` is the namespace's, the rest the machine's.
fn only_net_is_writable(dir: &Path) -> nix::Result<()> {
    let (sys, net, aside) = (Path::new("/proc/sys"), Path::new("/proc/sys/net"), dir.join("net"));
    std::fs::create_dir(&aside).map_err(|error| super::errno(&error))?;
    bind(net, &aside)?;
    bind(sys, sys)?;
    mount(NOTHING, sys, NOTHING, MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY, NOTHING)?;
    bind(&aside, net)?;
    umount2(&aside, MntFlags::MNT_DETACH)
}

/// No names from a server, and a copy of iproute2's names of tables, which tutorials add to.
fn own_etc(dir: &Path) -> nix::Result<()> {
    let etc = dir.join("etc");
    std::fs::create_dir(&etc).map_err(|error| super::errno(&error))?;
    let files =
        [("resolv.conf", ""), ("nsswitch.conf", "hosts: files\nnetworks: files\n"), ("hosts", "127.0.0.1 localhost\n")];
    for (name, text) in files {
        let (own, place) = (etc.join(name), Path::new("/etc").join(name));
        std::fs::write(&own, text).map_err(|error| super::errno(&error))?;
        if place.exists() {
            bind(&own, &place)?;
        }
    }
    let tables = Path::new("/etc/iproute2");
    let Ok(entries) = std::fs::read_dir(tables) else { return Ok(()) };
    let copy = etc.join("iproute2");
    std::fs::create_dir(&copy).map_err(|error| super::errno(&error))?;
    for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), copy.join(entry.file_name())).map_err(|error| super::errno(&error))?;
    }
    bind(&copy, tables)
}
