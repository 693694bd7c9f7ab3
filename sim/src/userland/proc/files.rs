//! Real files, and standard input, as a program reads and writes them. None of it takes virtual time.

use super::Proc;
use crate::lab::core::FileWait;
use crate::lab::{DirEntry, Event, FileAnswer, FileCall, FileInfo, FileReply};
use std::future::poll_fn;

/// A real file that is open for writing, until the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutFile(u32);

/// What the driver answered another question than was asked.
const NONSENSE: &str = "Protocol error";

impl Proc {
    /// A real file's bytes, or the error's text (`No such file or directory`). `-` is standard input, to its end.
    pub async fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        match self.ask(FileCall::Read(path.to_string())).await? {
            FileReply::Bytes(bytes) => Ok(bytes),
            _ => Err(NONSENSE.to_string()),
        }
    }

    /// What is found under a path.
    pub async fn look(&self, path: &str) -> Result<FileInfo, String> {
        match self.ask(FileCall::Look(path.to_string())).await? {
            FileReply::Info(info) => Ok(info),
            _ => Err(NONSENSE.to_string()),
        }
    }

    /// The entries of a directory, in no order.
    pub async fn list(&self, path: &str) -> Result<Vec<DirEntry>, String> {
        match self.ask(FileCall::List(path.to_string())).await? {
            FileReply::Entries(entries) => Ok(entries),
            _ => Err(NONSENSE.to_string()),
        }
    }

    /// Opens a real file for writing: it is made, or emptied unless `append`.
    pub async fn create(&self, path: &str, append: bool) -> Result<OutFile, String> {
        match self.ask(FileCall::Create { path: path.to_string(), append }).await? {
            FileReply::File(number) => Ok(OutFile(number)),
            _ => Err(NONSENSE.to_string()),
        }
    }

    /// Writes into a real file, at once and wholly.
    pub async fn write(&self, file: OutFile, bytes: &[u8]) -> Result<(), String> {
        self.ask(FileCall::Write { file: file.0, bytes: bytes.to_vec() }).await.map(drop)
    }

    async fn ask(&self, call: FileCall) -> FileAnswer {
        {
            let mut state = self.core.state.borrow_mut();
            state.of(self.me.pid).file = FileWait::Asked;
            state.events.push(Event::NeedFile(self.me.pid, call));
        }
        poll_fn(|_| {
            let answer = self.mine(|waiting| match std::mem::take(&mut waiting.file) {
                FileWait::Answered(answer) => Some(answer),
                still => {
                    waiting.file = still;
                    None
                }
            });
            self.resolved(answer)
        })
        .await
    }

    /// A piece of standard input, if one is there; an empty one is the end. If none is, the driver is asked for one: only
    /// a program that asks reads its standard input.
    pub fn try_stdin(&self) -> Option<Vec<u8>> {
        let piece = self.mine(|waiting| waiting.stdin.take());
        if piece.is_none() {
            self.stdin_ready();
        }
        piece
    }

    /// All that is left of standard input, when it has come to its end.
    pub async fn stdin_to_end(&self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = poll_fn(|_| self.resolved(self.try_stdin())).await;
            if piece.is_empty() {
                return all;
            }
            all.extend(piece);
        }
    }

    /// True if [`Proc::try_stdin`] finds something; if not, the driver is asked, once a piece.
    pub(crate) fn stdin_ready(&self) -> bool {
        let mut state = self.core.state.borrow_mut();
        let stdin = &mut state.of(self.me.pid).stdin;
        let ready = stdin.is_ready();
        if !ready && !std::mem::replace(&mut stdin.asked, true) {
            state.events.push(Event::NeedStdin(self.me.pid));
        }
        ready
    }
}
