//! The connection to the server, and what a client tells of its process.

use super::{SOCKET, base_name};
use crate::signals;
use crate::wire::{Inbox, Reply, Request, encode};
use nix::sys::signal::Signal;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A connection.
pub(super) struct Link {
    stream: UnixStream,
    inbox: Inbox,
}

impl Link {
    /// Connects; `called` is the word by which this program was called.
    pub(super) fn open(called: &str) -> io::Result<Link> {
        let socket = socket(called).ok_or_else(|| io::Error::other("VETHLAB_SOCKET is not set"))?;
        Ok(Link { stream: UnixStream::connect(socket)?, inbox: Inbox::default() })
    }

    /// Says something.
    pub(super) fn send(&mut self, request: &Request) -> io::Result<()> {
        self.stream.write_all(&encode(request)?)
    }

    /// The next reply that has come in.
    pub(super) fn next(&mut self) -> io::Result<Option<Reply>> {
        self.inbox.next()
    }

    /// Takes in what has come, waiting for the first byte of it.
    pub(super) fn fill(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16384];
        match self.stream.read(&mut bytes)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            got => {
                self.inbox.extend(&bytes[..got]);
                Ok(())
            }
        }
    }

    /// Waits for the next reply.
    pub(super) fn wait(&mut self) -> io::Result<Reply> {
        loop {
            if let Some(reply) = self.next()? {
                return Ok(reply);
            }
            self.fill()?;
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Where the server listens: the environment says so, or (where it was emptied, as by `env -i`) the directory of the link by
/// which this program was found.
pub(super) fn socket(called: &str) -> Option<PathBuf> {
    if let Some(socket) = std::env::var_os(SOCKET) {
        return Some(socket.into());
    }
    let beside = |link: &Path| Some(link.parent()?.parent()?.join("socket")).filter(|socket| socket.exists());
    if called.contains('/') {
        return beside(Path::new(called));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find_map(|dir| beside(&dir.join(base_name(called))))
}

/// The environment, but for our own part of it.
pub(super) fn environment() -> Vec<(String, String)> {
    let all = std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value)));
    all.filter(|(name, _)| !name.starts_with("VETHLAB_")).collect()
}

fn lossy(word: std::ffi::OsString) -> String {
    word.to_string_lossy().into_owned()
}

/// Standard output is a terminal.
pub(super) fn tty() -> bool {
    io::stdout().is_terminal()
}

/// Standard input is a terminal.
pub(super) fn typed() -> bool {
    io::stdin().is_terminal()
}

/// Ends this process as the program ended.
pub(super) fn die_of(number: i32) -> ExitCode {
    if let Ok(signal) = Signal::try_from(number) {
        signals::die_of(signal);
    }
    ExitCode::from(128u8.wrapping_add(number as u8))
}
