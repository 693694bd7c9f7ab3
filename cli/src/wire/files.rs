//! Calls on real files as they travel: the lab's own types know nothing of a wire.

use serde::{Deserialize, Serialize};
use vethlab_sim::lab::{DirEntry, FileAnswer, FileCall, FileInfo, FileReply};

/// A [`FileCall`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Call {
    Read(String),
    Look(String),
    List(String),
    Create { path: String, append: bool },
    Write { file: u32, bytes: Vec<u8> },
}

impl From<FileCall> for Call {
    fn from(call: FileCall) -> Call {
        match call {
            FileCall::Read(path) => Call::Read(path),
            FileCall::Look(path) => Call::Look(path),
            FileCall::List(path) => Call::List(path),
            FileCall::Create { path, append } => Call::Create { path, append },
            FileCall::Write { file, bytes } => Call::Write { file, bytes },
        }
    }
}

/// A [`FileReply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    Info {
        directory: bool,
        size: u64,
        modified: i64,
    },
    /// Name, whether it is a directory, whether it is a link.
    Entries(Vec<(String, bool, bool)>),
    File(u32),
    Written,
}

/// A [`FileAnswer`].
pub(crate) type Answer = Result<Content, String>;

/// The answer as the lab takes it.
pub(crate) fn to_lab(answer: Answer) -> FileAnswer {
    Ok(match answer? {
        Content::Bytes(bytes) => FileReply::Bytes(bytes),
        Content::Info { directory, size, modified } => FileReply::Info(FileInfo { directory, size, modified }),
        Content::Entries(entries) => {
            let entry = |(name, directory, link)| DirEntry { name, directory, link };
            FileReply::Entries(entries.into_iter().map(entry).collect())
        }
        Content::File(number) => FileReply::File(number),
        Content::Written => FileReply::Written,
    })
}
