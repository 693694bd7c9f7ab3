//! Running a program, passing on what it prints, and keeping a copy.

use super::WORD;
use crate::signals;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::signalfd::SignalFd;
use nix::unistd::Pid;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

/// The word by which this program knows that it is to go on passing on what those print whom a program left behind.
pub(super) const GO_ON: &str = "--go-on";

/// What a program printed.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// One of the two streams.
struct Stream {
    pipe: PipeReader,
    is_stdout: bool,
    open: bool,
}

/// Runs it to its end.
pub(super) fn run(mut command: Command) -> io::Result<(ExitStatus, Printed)> {
    let (pipe, end) = io::pipe()?;
    let mut streams = vec![Stream { pipe, is_stdout: true, open: true }];
    if are_one() {
        command.stderr(end.try_clone()?);
    } else {
        let (pipe, end) = io::pipe()?;
        command.stderr(end);
        streams.push(Stream { pipe, is_stdout: false, open: true });
    }
    command.stdout(end);
    let mut child = command.spawn()?;
    // Not before: the program would inherit that they are blocked.
    let signals = signals::catch(signals::ENDING.into_iter().chain([Signal::SIGCHLD]))?;
    // The pipes' other ends are the program's alone.
    drop(command);
    let mut printed = Printed::default();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        wait(&mut streams, Some(&signals), PollTimeout::NONE, &mut printed)?;
        pass_signals(&signals, &child)?;
    };
    // What it printed is in the pipes; what comes later is others'.
    while wait(&mut streams, None, PollTimeout::ZERO, &mut printed)? {}
    streams.into_iter().filter(|stream| stream.open).try_for_each(leave)?;
    Ok((status, printed))
}

/// True if standard output and standard error are the same file, and no terminal: then their order matters.
fn are_one() -> bool {
    let of = |fd: u8| std::fs::metadata(format!("/proc/self/fd/{fd}"));
    let (Ok(out), Ok(err)) = (of(1), of(2)) else { return false };
    (out.dev(), out.ino()) == (err.dev(), err.ino()) && !out.file_type().is_char_device()
}

/// Waits for something to come, and passes on what has. False if nothing came, or nothing more can.
fn wait(
    streams: &mut [Stream],
    signals: Option<&SignalFd>,
    timeout: PollTimeout,
    printed: &mut Printed,
) -> io::Result<bool> {
    let open = streams.iter().filter(|stream| stream.open);
    let mut fds: Vec<PollFd<'_>> = open.map(|stream| PollFd::new(stream.pipe.as_fd(), PollFlags::POLLIN)).collect();
    fds.extend(signals.map(|signals| PollFd::new(signals.as_fd(), PollFlags::POLLIN)));
    match poll(&mut fds, timeout) {
        Ok(0) | Err(Errno::EINTR) => return Ok(false),
        result => result?,
    };
    let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
    let mut came = false;
    for (stream, ready) in streams.iter_mut().filter(|stream| stream.open).zip(ready) {
        if ready {
            stream.pass_on(printed)?;
            came = true;
        }
    }
    Ok(came)
}

impl Stream {
    fn pass_on(&mut self, printed: &mut Printed) -> io::Result<()> {
        let mut bytes = [0; 65536];
        let bytes = match self.pipe.read(&mut bytes) {
            Ok(length) => &bytes[..length],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        let kept = if self.is_stdout { &mut printed.stdout } else { &mut printed.stderr };
        kept.extend_from_slice(bytes);
        let written = match self.is_stdout {
            true => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()),
            false => io::stderr().write_all(bytes),
        };
        // Where nobody reads on, the program is to see it: its next write finds the pipe closed.
        self.open = !bytes.is_empty() && written.is_ok();
        if !self.open {
            self.pipe = io::pipe()?.0;
        }
        Ok(())
    }
}

fn pass_signals(signals: &SignalFd, child: &Child) -> io::Result<()> {
    while let Some(info) = signals.read_signal()? {
        match Signal::try_from(info.ssi_signo as i32) {
            Ok(Signal::SIGCHLD) | Err(_) => {}
            // It may be gone already.
            Ok(signal) => drop(kill(Pid::from_raw(child.id() as i32), signal)),
        }
    }
    Ok(())
}

/// A process that the program left behind still holds the stream: another of us passes on what it prints.
fn leave(stream: Stream) -> io::Result<()> {
    signals::unblock_all();
    let mut command = Command::new(std::env::current_exe()?);
    command.args([WORD, GO_ON]).stdin(stream.pipe);
    if !stream.is_stdout {
        command.stdout(io::stderr().as_fd().try_clone_to_owned()?);
    }
    command.stderr(Stdio::null());
    command.spawn().map(drop)
}

/// That one's part.
pub(super) fn go_on() -> ExitCode {
    match io::copy(&mut io::stdin(), &mut io::stdout()) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
