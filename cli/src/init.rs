//! The script's process before it becomes bash: what must be done to it from inside.

use crate::{files, signals};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use vethlab_engine::device::process;
use vethlab_engine::device::seccomp::{self, Action, Listener};

/// The name by which this program knows that it is to do this.
pub(crate) const NAME: &str = "vethlab-init";

/// How long the server waits for it.
const PATIENCE_MS: u16 = 10_000;

/// A command that is set up here, hands over at that socket, and then becomes what its further arguments say.
pub(crate) fn command(handover: &Path) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg0(NAME).arg(handover);
    Ok(command)
}

/// Sets this process up and becomes the command.
pub(crate) fn main() -> ExitCode {
    // What the server blocks to read it from a descriptor was inherited.
    signals::unblock_all();
    // Should the server be killed, there is no lab to go on in.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    isolate();
    let mut words = std::env::args_os().skip(1);
    let (Some(handover), Some(program)) = (words.next(), words.next()) else { return ExitCode::from(127) };
    if let Err(error) = hand_over(Path::new(&handover)) {
        eprintln!("vethlab: files below /proc/sys/net and /sys/class/net are the real machine's: {error}");
    }
    let error = Command::new(&program).args(words).exec();
    eprintln!("vethlab: {}: {error}", program.to_string_lossy());
    ExitCode::from(127)
}

/// Puts the filter on this process, and gives the server its other end.
fn hand_over(socket: &Path) -> io::Result<()> {
    let stream = UnixStream::connect(socket)?;
    let listener = seccomp::install(&files::rules(), Action::Errno(libc::ENOSYS as u16))?;
    process::send_fd(&stream, listener.as_fd())
}

/// The server's part: `None` if the process could not do it, and has said so.
pub(crate) fn take_over(socket: &UnixListener) -> io::Result<Option<Listener>> {
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    if poll(&mut fds, PATIENCE_MS)? == 0 {
        return Ok(None);
    }
    let (stream, _) = socket.accept()?;
    match process::receive_fd(&stream) {
        Ok(fd) => Ok(Some(fd.into())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whatever a script does as root, by an absolute path or a socket of its own, must not reach the machine's network: it
/// lives in an empty namespace. Without rights that fails, but then there are no rights to change anything either.
fn isolate() {
    let _ = unshare(CloneFlags::CLONE_NEWNET);
}
