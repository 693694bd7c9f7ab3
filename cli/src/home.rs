//! The private directory of one lab: a socket, and a `bin` of links to this program by the names of the lab's programs.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use vethlab_sim::userland::{PROGRAMS, REFUSED};

/// A socket's path must fit into 108 bytes; this many are left for the directory's parent.
const LONGEST_PARENT: usize = 80;

/// The directory; it goes when this does.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    /// Makes it, for this user's eyes only.
    pub(crate) fn new() -> io::Result<Home> {
        let wanted = std::env::temp_dir();
        let parent = if wanted.as_os_str().len() <= LONGEST_PARENT { wanted } else { PathBuf::from("/tmp") };
        let dir = tempfile::Builder::new().prefix("vethlab-").tempdir_in(parent)?;
        let home = Home { dir };
        let me = std::env::current_exe()?;
        std::fs::create_dir(home.bin())?;
        let names = PROGRAMS.iter().map(|(name, _)| *name).chain(REFUSED.iter().copied());
        for name in names {
            symlink(&me, home.bin().join(name))?;
        }
        Ok(home)
    }

    /// Removes it before its time.
    pub(crate) fn remove(self) {
        // What cannot be removed stays.
        let _ = self.dir.close();
    }

    /// Where the links are.
    pub(crate) fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    /// Where the server listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    /// Where the script's process hands over the calls that we answer for it.
    pub(crate) fn handover(&self) -> PathBuf {
        self.dir.path().join("handover")
    }

    /// Where programs are that write down what others do.
    pub(crate) fn shims(&self) -> PathBuf {
        self.dir.path().join("shims")
    }

    /// Where the kernel's directories are laid out.
    pub(crate) fn shadow(&self) -> PathBuf {
        self.dir.path().join("shadow")
    }

    /// The start file of interactive shells.
    pub(crate) fn rc(&self) -> PathBuf {
        self.dir.path().join("bashrc")
    }

    /// A PATH with our programs first, but for `ahead`.
    pub(crate) fn path(&self, ahead: Option<&Path>) -> io::Result<OsString> {
        let rest = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
        let first = ahead.map(std::path::absolute).transpose()?;
        let all = first.into_iter().chain([self.bin()]).chain(std::env::split_paths(&rest));
        std::env::join_paths(all).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}
