//! The script's process before it becomes bash: what must be done to it from inside.

use crate::signals;
use nix::sched::{CloneFlags, unshare};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The name by which this program knows that it is to do this.
pub(crate) const NAME: &str = "vethlab-init";

/// A command that is set up here and then becomes what its arguments say.
pub(crate) fn command() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg0(NAME);
    Ok(command)
}

/// Sets this process up and becomes the command.
pub(crate) fn main() -> ExitCode {
    // What the server blocks to read it from a descriptor was inherited.
    signals::unblock_all();
    isolate();
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else { return ExitCode::from(127) };
    let error = Command::new(&program).args(words).exec();
    eprintln!("vethlab: {}: {error}", program.to_string_lossy());
    ExitCode::from(127)
}

/// Whatever a script does as root, by an absolute path or a socket of its own, must not reach the machine's network: it
/// lives in an empty namespace. Without rights that fails, but then there are no rights to change anything either.
fn isolate() {
    let _ = unshare(CloneFlags::CLONE_NEWNET);
}
