//! What clients and the server say to each other: a length, and that many bytes of postcard.

mod files;

pub(crate) use files::{Answer, Call, Content, to_lab};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use vethlab_engine::time::Duration;
use vethlab_sim::lab::TimeLimit;

/// No message is longer: files that programs read whole travel in one.
const LONGEST: usize = 256 << 20;
const HEAD: usize = 4;

/// From a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Run this program.
    Run {
        /// Its words.
        argv: Vec<String>,
        /// The whole environment.
        env: Vec<(String, String)>,
        /// Standard output is a terminal.
        tty: bool,
        /// Standard input is one.
        typed: bool,
        /// The namespace, if a program has just become this one; else it is the calling process's.
        ns: Option<u32>,
    },
    /// A signal came.
    Signal {
        /// Its number.
        number: i32,
        /// The process ignores it, as background jobs do; a program that asked for it gets it all the same.
        ignored: bool,
    },
    /// The answer to [`Reply::NeedFile`].
    File(Answer),
    /// Standard input, as far as [`Reply::NeedStdin`] allows; nothing at its end.
    Stdin(Vec<u8>),
    /// The calling process is about to become a real program that lives in this namespace.
    Become(u32),
}

/// From the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// Print this.
    Stdout(Vec<u8>),
    /// Print this.
    Stderr(Vec<u8>),
    /// Do this with a file (`-`: standard input).
    NeedFile(Call),
    /// Read so many bytes of standard input and no more; before, none are allowed.
    NeedStdin(u32),
    /// The program ended.
    Status(i32),
    /// The program was ended by this signal.
    Signaled(i32),
    /// The program became another, in each of these namespaces in turn, after printing these headings.
    Exec {
        /// Namespaces and headings.
        places: Vec<(u32, String)>,
        /// The words.
        argv: Vec<String>,
        /// `ip netns exec`.
        by_ip: bool,
    },
    /// The program starts a command and watches it.
    Timeout(Limit),
    /// Answers [`Request::Become`]: the namespace is there and has this name.
    Go(String),
    /// Answers [`Request::Become`]: there is no such namespace.
    Gone,
}

/// A [`TimeLimit`] as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limit {
    after: Option<Duration>,
    kill_after: Option<Duration>,
    signal: i32,
    preserve_status: bool,
    foreground: bool,
    verbose: bool,
    argv: Vec<String>,
    quoted: String,
}

impl From<TimeLimit> for Limit {
    fn from(limit: TimeLimit) -> Limit {
        let TimeLimit { after, kill_after, signal, preserve_status, foreground, verbose, argv, quoted } = limit;
        Limit { after, kill_after, signal, preserve_status, foreground, verbose, argv, quoted }
    }
}

impl From<Limit> for TimeLimit {
    fn from(limit: Limit) -> TimeLimit {
        let Limit { after, kill_after, signal, preserve_status, foreground, verbose, argv, quoted } = limit;
        TimeLimit { after, kill_after, signal, preserve_status, foreground, verbose, argv, quoted }
    }
}

/// A message as it travels.
pub(crate) fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut bytes = postcard::to_extend(message, vec![0; HEAD]).map_err(invalid)?;
    let length = u32::try_from(bytes.len() - HEAD).map_err(invalid)?;
    bytes[..HEAD].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// Bytes that came in, taken out as messages.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Vec<u8>);

impl Inbox {
    /// Bytes came.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next message, if it is there as a whole.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some((head, rest)) = self.0.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_le_bytes(*head) as usize;
        if length > LONGEST {
            return Err(invalid("a message too long"));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let message = postcard::from_bytes(body).map_err(invalid)?;
        self.0.drain(..HEAD + length);
        Ok(Some(message))
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<Request> {
        vec![
            Request::Run {
                argv: vec!["ip".into(), "".into()],
                env: vec![("A".into(), "1".into())],
                tty: true,
                typed: false,
                ns: None,
            },
            Request::Run { argv: vec![], env: vec![], tty: false, typed: true, ns: Some(u32::MAX) },
            Request::Signal { number: -1, ignored: true },
            Request::File(Ok(Content::Bytes(vec![0; 70_000]))),
            Request::Stdin(Vec::new()),
            Request::File(Err("No such file or directory".into())),
            Request::Become(7),
        ]
    }

    #[test]
    fn messages_arrive_whole_however_the_bytes_are_cut() {
        let all: Vec<u8> = messages().iter().flat_map(|message| encode(message).unwrap()).collect();
        for cut in [1, 3, 4, 5, 1000, all.len()] {
            let mut inbox = Inbox::default();
            let mut got = Vec::new();
            for part in all.chunks(cut) {
                inbox.extend(part);
                while let Some(message) = inbox.next::<Request>().unwrap() {
                    got.push(message);
                }
            }
            assert_eq!(got, messages(), "in parts of {cut}");
        }
    }

    #[test]
    fn nonsense_is_an_error_and_no_message() {
        let mut inbox = Inbox::default();
        inbox.extend(&[1, 0, 0, 0, 99]);
        assert!(inbox.next::<Request>().is_err(), "no variant 99");
        let mut inbox = Inbox::default();
        inbox.extend(&[0xff, 0xff, 0xff, 0xff]);
        assert!(inbox.next::<Request>().is_err(), "four gigabytes");
        let mut inbox = Inbox::default();
        inbox.extend(&[9, 0, 0]);
        assert_eq!(inbox.next::<Request>().unwrap(), None, "not even a length");
    }
}
