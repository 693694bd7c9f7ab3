//! Real files, with this process's working directory and rights.

use super::talk::text;
use crate::wire::{Answer, Call, Content};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

/// The files that a program opened for writing.
#[derive(Default)]
pub(super) struct Disk {
    opened: Vec<File>,
}

impl Disk {
    /// Does what a program asks; reading is not done here, for that may take its time.
    pub(super) fn answer(&mut self, call: Call) -> Answer {
        let answer = match call {
            Call::Read(_) => Err(io::ErrorKind::Unsupported.into()),
            Call::Look(path) => look(&path),
            Call::List(path) => list(&path),
            Call::Create { path, append } => self.create(&path, append),
            Call::Write { file, bytes } => self.write(file, &bytes),
        };
        answer.map_err(|error| text(&error))
    }

    fn create(&mut self, path: &str, append: bool) -> io::Result<Content> {
        let file = OpenOptions::new().write(true).create(true).append(append).truncate(!append).open(path)?;
        self.opened.push(file);
        Ok(Content::File(self.opened.len() as u32 - 1))
    }

    fn write(&mut self, file: u32, bytes: &[u8]) -> io::Result<Content> {
        let file = self.opened.get_mut(file as usize).ok_or(io::Error::from_raw_os_error(libc::EBADF))?;
        file.write_all(bytes)?;
        Ok(Content::Written)
    }
}

fn look(path: &str) -> io::Result<Content> {
    let data = std::fs::metadata(path)?;
    Ok(Content::Info { directory: data.is_dir(), size: data.len(), modified: data.mtime() })
}

fn list(path: &str) -> io::Result<Content> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let directory = std::fs::metadata(entry.path()).is_ok_and(|data| data.is_dir());
        entries.push((entry.file_name().to_string_lossy().into_owned(), directory, link));
    }
    Ok(Content::Entries(entries))
}
