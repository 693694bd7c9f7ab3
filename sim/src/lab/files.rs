//! What programs ask of the real files of whoever runs them, and what they are told.

use std::collections::BTreeMap;

/// A request: [`Lab::answer`](super::Lab::answer) answers it. Paths are as the program was given them: relative ones
/// count from the working directory of its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileCall {
    /// All bytes of a file (`-`: standard input).
    Read(String),
    /// What is there (`stat`).
    Look(String),
    /// The entries of a directory.
    List(String),
    /// Opens a file for writing; one that is not there is made.
    Create {
        /// Which.
        path: String,
        /// What it holds stays; else it is emptied.
        append: bool,
    },
    /// Writes into a file that was opened so.
    Write {
        /// Its number.
        file: u32,
        /// These bytes.
        bytes: Vec<u8>,
    },
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileReply {
    /// To [`FileCall::Read`].
    Bytes(Vec<u8>),
    /// To [`FileCall::Look`].
    Info(FileInfo),
    /// To [`FileCall::List`], in any order.
    Entries(Vec<DirEntry>),
    /// To [`FileCall::Create`]: the number of the file.
    File(u32),
    /// To [`FileCall::Write`].
    Written,
}

/// The reply, or the error's text (`No such file or directory`).
pub type FileAnswer = Result<FileReply, String>;

/// What is found under a path, links followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileInfo {
    /// It is a directory.
    pub directory: bool,
    /// How many bytes it holds.
    pub size: u64,
    /// When it was last written, in seconds since 1970.
    pub modified: i64,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name.
    pub name: String,
    /// It is a directory, or a link to one.
    pub directory: bool,
    /// It is a symbolic link.
    pub link: bool,
}

/// Files in memory, for a lab without a driver.
#[derive(Default)]
pub(super) struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    /// The paths of the files that were opened for writing, by number.
    opened: Vec<String>,
}

impl Memory {
    pub(super) fn put(&mut self, path: &str, content: Vec<u8>) {
        self.files.insert(path.to_string(), content);
    }

    pub(super) fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    pub(super) fn answer(&mut self, call: FileCall) -> FileAnswer {
        let missing = || "No such file or directory".to_string();
        match call {
            FileCall::Read(path) => self.get(&path).map(|all| FileReply::Bytes(all.to_vec())).ok_or_else(missing),
            FileCall::Look(path) => self.look(&path).map(FileReply::Info).ok_or_else(missing),
            FileCall::List(path) => Some(self.list(&path))
                .filter(|all| !all.is_empty())
                .map_or_else(|| Err(missing()), |all| Ok(FileReply::Entries(all))),
            FileCall::Create { path, append } => {
                let content = self.files.entry(path.clone()).or_default();
                if !append {
                    content.clear();
                }
                self.opened.push(path);
                Ok(FileReply::File(self.opened.len() as u32 - 1))
            }
            FileCall::Write { file, bytes } => {
                let path = self.opened.get(file as usize).ok_or_else(|| "Bad file descriptor".to_string())?;
                self.files.entry(path.clone()).or_default().extend(bytes);
                Ok(FileReply::Written)
            }
        }
    }

    fn look(&self, path: &str) -> Option<FileInfo> {
        if let Some(content) = self.files.get(path) {
            return Some(FileInfo { directory: false, size: content.len() as u64, modified: 0 });
        }
        let directory = !self.list(path).is_empty();
        directory.then_some(FileInfo { directory, size: 0, modified: 0 })
    }

    /// A directory is there if a file lies below it.
    fn list(&self, path: &str) -> Vec<DirEntry> {
        let below = match path.trim_end_matches('/') {
            "" if path.starts_with('/') => "/".to_string(),
            "" | "." => String::new(),
            folder => format!("{folder}/"),
        };
        let rests = self.files.keys().filter_map(|name| name.strip_prefix(&below)).filter(|rest| *rest != "-");
        let mut entries: Vec<DirEntry> = Vec::new();
        for rest in rests.filter(|rest| !rest.is_empty()) {
            let (name, directory) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            if !name.is_empty() && entries.last().is_none_or(|last| last.name != name) {
                entries.push(DirEntry { name: name.to_string(), directory, link: false });
            }
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_memory_are_read_written_and_listed() {
        let mut memory = Memory::default();
        memory.put("www/a.txt", b"a".to_vec());
        memory.put("www/sub/b", b"bb".to_vec());
        memory.put("-", b"typed".to_vec());
        assert_eq!(memory.answer(FileCall::Read("www".into())), Err("No such file or directory".into()));
        let entry = |name: &str, directory| DirEntry { name: name.into(), directory, link: false };
        let listed = memory.answer(FileCall::List("www/".into()));
        assert_eq!(listed, Ok(FileReply::Entries(vec![entry("a.txt", false), entry("sub", true)])));
        assert_eq!(memory.answer(FileCall::List(".".into())), Ok(FileReply::Entries(vec![entry("www", true)])));
        let info = FileInfo { directory: false, size: 2, modified: 0 };
        assert_eq!(memory.answer(FileCall::Look("www/sub/b".into())), Ok(FileReply::Info(info)));
        for (append, content) in [(true, "aA"), (false, "A")] {
            let file = memory.answer(FileCall::Create { path: "www/a.txt".into(), append });
            let Ok(FileReply::File(file)) = file else { panic!("{file:?}") };
            memory.answer(FileCall::Write { file, bytes: b"A".to_vec() }).expect("written");
            assert_eq!(memory.get("www/a.txt"), Some(content.as_bytes()));
        }
        assert!(memory.answer(FileCall::Write { file: 7, bytes: Vec::new() }).is_err());
    }
}
