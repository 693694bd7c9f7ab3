//! A conversation with the server while a program runs: print, read files, pass signals on. Nothing here blocks but `poll`,
//! so that a signal is passed on even while standard output is a full pipe.

use super::disk::Disk;
use super::link::Link;
use crate::signals;
use crate::wire::{Call, Content, Limit, Reply, Request};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use vethlab_engine::device::process::is_ignored;

/// A pipe that polls as writable takes this many bytes without blocking.
const PIPE_TAKES: usize = 4096;

/// How a program ended.
pub(super) enum End {
    Status(i32),
    Signaled(i32),
    Exec { places: Vec<(u32, String)>, argv: Vec<String>, by_ip: bool },
    Timeout(Limit),
}

enum Stream {
    Out(io::Stdout),
    Err(io::Stderr),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Out(stream) => stream.as_fd(),
            Stream::Err(stream) => stream.as_fd(),
        }
    }
}

/// A conversation.
pub(super) struct Talk {
    link: Link,
    signals: SignalFd,
    /// To be printed, in this order.
    unprinted: VecDeque<(Stream, Vec<u8>)>,
    /// A file that the program asked for, and what was read of it so far.
    reading: Option<(File, Vec<u8>)>,
    /// How much of standard input the program may get.
    stdin: usize,
    disk: Disk,
    end: Option<End>,
}

/// What `poll` found ready.
#[derive(Clone, Copy, Default)]
struct Ready {
    link: bool,
    signal: bool,
    stream: bool,
    file: bool,
    stdin: bool,
}

impl Talk {
    /// Signals are caught from now on.
    pub(super) fn new(link: Link) -> io::Result<Talk> {
        let signals = signals::catch(signals::ENDING)?;
        Ok(Talk {
            link,
            signals,
            unprinted: VecDeque::new(),
            reading: None,
            stdin: 0,
            disk: Disk::default(),
            end: None,
        })
    }

    /// Says something.
    pub(super) fn send(&mut self, request: &Request) -> io::Result<()> {
        self.link.send(request)
    }

    /// Waits for a reply, with no program running.
    pub(super) fn reply(&mut self) -> io::Result<Reply> {
        self.link.wait()
    }

    /// Goes on until the program has ended and all is printed. What a killed program could not get rid of is not waited for.
    pub(super) fn finish(&mut self) -> io::Result<End> {
        loop {
            let printed = self.unprinted.is_empty() || matches!(self.end, Some(End::Signaled(_)));
            if printed && let Some(end) = self.end.take() {
                return Ok(end);
            }
            let ready = self.poll()?;
            if ready.stream {
                self.print()?;
            }
            if ready.link {
                self.link.fill()?;
                while let Some(reply) = self.link.next()? {
                    self.take(reply)?;
                }
            }
            if ready.signal {
                while let Some(info) = self.signals.read_signal()? {
                    let number = info.ssi_signo as i32;
                    let ignored = Signal::try_from(number).is_ok_and(is_ignored);
                    self.link.send(&Request::Signal { number, ignored })?;
                }
            }
            if ready.file {
                self.read()?;
            }
            if ready.stdin && self.stdin > 0 {
                self.read_stdin()?;
            }
        }
    }

    fn poll(&self) -> io::Result<Ready> {
        let watch = |fd, flags| PollFd::new(fd, flags);
        let mut fds = vec![watch(self.link.as_fd(), PollFlags::POLLIN), watch(self.signals.as_fd(), PollFlags::POLLIN)];
        let stream = self.unprinted.front().map(|(stream, _)| watch(stream.as_fd(), PollFlags::POLLOUT));
        let file = self.reading.as_ref().map(|(file, _)| watch(file.as_fd(), PollFlags::POLLIN));
        let own = io::stdin();
        let stdin = (self.stdin > 0).then(|| watch(own.as_fd(), PollFlags::POLLIN));
        let (printing, reading, asking) = (stream.is_some(), file.is_some(), stdin.is_some());
        fds.extend(stream);
        fds.extend(file);
        fds.extend(stdin);
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => return Ok(Ready::default()),
            result => result?,
        };
        let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(true));
        let mut next = |watched: bool| watched && ready.next().unwrap_or(false);
        let (link, signal) = (next(true), next(true));
        Ok(Ready { link, signal, stream: next(printing), file: next(reading), stdin: next(asking) })
    }

    fn take(&mut self, reply: Reply) -> io::Result<()> {
        match reply {
            Reply::Stdout(bytes) => self.unprinted.push_back((Stream::Out(io::stdout()), bytes)),
            Reply::Stderr(bytes) => self.unprinted.push_back((Stream::Err(io::stderr()), bytes)),
            Reply::NeedFile(Call::Read(path)) => return self.open(&path),
            Reply::NeedFile(call) => {
                let answer = self.disk.answer(call);
                return self.link.send(&Request::File(answer));
            }
            Reply::NeedStdin(allowed) => self.stdin = allowed as usize,
            Reply::Status(status) => self.end = Some(End::Status(status)),
            Reply::Signaled(signal) => self.end = Some(End::Signaled(signal)),
            Reply::Exec { places, argv, by_ip } => self.end = Some(End::Exec { places, argv, by_ip }),
            Reply::Timeout(limit) => self.end = Some(End::Timeout(limit)),
            Reply::Go(_) | Reply::Gone => return Err(io::ErrorKind::InvalidData.into()),
        }
        Ok(())
    }

    /// Prints as much as surely goes.
    fn print(&mut self) -> io::Result<()> {
        let Some((stream, bytes)) = self.unprinted.front_mut() else { return Ok(()) };
        let part = &bytes[..bytes.len().min(PIPE_TAKES)];
        let done = match nix::unistd::write(&*stream, part) {
            Ok(written) => written,
            Err(Errno::EINTR | Errno::EAGAIN) => 0,
            // A full disk or a closed stream: the text is lost, as it is for the programs we play.
            Err(_) => bytes.len(),
        };
        bytes.drain(..done);
        if bytes.is_empty() {
            self.unprinted.pop_front();
        }
        Ok(())
    }

    fn open(&mut self, path: &str) -> io::Result<()> {
        let file = match path {
            "-" => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            path => File::open(path),
        };
        match file {
            Ok(file) => {
                self.reading = Some((file, Vec::new()));
                Ok(())
            }
            Err(error) => self.link.send(&Request::File(Err(text(&error)))),
        }
    }

    /// Reads a piece of the file; at its end the program gets it.
    fn read(&mut self) -> io::Result<()> {
        let Some((file, content)) = &mut self.reading else { return Ok(()) };
        let mut piece = [0; 65536];
        let answer = match file.read(&mut piece) {
            Ok(0) => Ok(Content::Bytes(std::mem::take(content))),
            Ok(got) => {
                content.extend_from_slice(&piece[..got]);
                return Ok(());
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                return Ok(());
            }
            Err(error) => Err(text(&error)),
        };
        self.reading = None;
        self.link.send(&Request::File(answer))
    }

    /// Reads a piece of standard input, which goes to the program at once. What cannot be read has ended.
    fn read_stdin(&mut self) -> io::Result<()> {
        let mut piece = vec![0; self.stdin];
        let got = match nix::unistd::read(io::stdin(), &mut piece) {
            Err(Errno::EINTR | Errno::EAGAIN) => return Ok(()),
            got => got.unwrap_or(0),
        };
        piece.truncate(got);
        self.stdin = if got == 0 { 0 } else { self.stdin - got };
        self.link.send(&Request::Stdin(piece))
    }
}

/// An error in the C library's words.
pub(super) fn text(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |number| Errno::from_raw(number).desc().to_string())
}
