//! Real directories that stand for the kernel's, so that they can be listed: laid out when they are asked for.

use super::Answer;
use super::paths::Place;
use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use vethlab_sim::World;
use vethlab_sim::view::{self, Entry, Kind};

/// Size of a file below `/sys`, whatever it holds.
const SYSFS_SIZE: u64 = 4096;

/// A folder of ours with a folder for each namespace.
pub(super) struct Shadow {
    folder: PathBuf,
}

impl Shadow {
    pub(super) fn new(folder: &Path) -> Shadow {
        Shadow { folder: folder.to_path_buf() }
    }

    /// The kernel's path that one of our real directories stands for.
    pub(super) fn shown(&self, real: &Path) -> Option<String> {
        let inside = real.strip_prefix(&self.folder).ok()?;
        let mut parts = inside.components();
        parts.next()?;
        Some(format!("/{}", parts.as_path().to_str()?))
    }

    /// The real directory for the kernel's, with all its entries as they are now.
    pub(super) fn lay_out(&self, world: &World, place: &Place) -> io::Result<PathBuf> {
        let real = self.real(place);
        fs::create_dir_all(&real)?;
        let entries =
            view::list(world, place.ns, &place.path).map_err(|errno| io::Error::from_raw_os_error(errno.number()))?;
        for stale in fs::read_dir(&real)?.flatten() {
            let name = stale.file_name();
            if !entries.iter().any(|entry| name == entry.name.as_str()) {
                remove(&stale.path())?;
            }
        }
        for entry in entries {
            let inside = Place { ns: place.ns, path: format!("{}/{}", place.path, entry.name) };
            self.make(&inside, &entry)?;
        }
        Ok(real)
    }

    /// A real file of the same kind and mode, to be asked what it is.
    pub(super) fn stand_in(&self, world: &World, place: &Place, follow: bool) -> Result<PathBuf, Answer> {
        let (place, entry) =
            if follow { place.followed(world)? } else { (place.clone(), view::kind(world, place.ns, &place.path)?) };
        Ok(self.make(&place, &entry)?)
    }

    fn make(&self, place: &Place, entry: &Entry) -> io::Result<PathBuf> {
        let real = self.real(place);
        let fits = fs::symlink_metadata(&real).ok().map(|found| match &entry.kind {
            Kind::Directory => found.is_dir(),
            Kind::File => found.is_file(),
            Kind::Link(target) => fs::read_link(&real).is_ok_and(|there| there == Path::new(target)),
        });
        match fits {
            Some(true) => return Ok(real),
            Some(false) => remove(&real)?,
            None => fs::create_dir_all(real.parent().unwrap_or(&self.folder))?,
        }
        match &entry.kind {
            Kind::Directory => fs::create_dir(&real)?,
            Kind::Link(target) => symlink(target, &real)?,
            Kind::File => {
                let file = fs::OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(entry.mode.into())
                    .open(&real)?;
                if place.path.starts_with("/sys/") {
                    file.set_len(SYSFS_SIZE)?;
                }
            }
        }
        Ok(real)
    }

    fn real(&self, place: &Place) -> PathBuf {
        self.folder.join(place.ns.0.to_string()).join(place.path.trim_start_matches('/'))
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}
