//! The conformance pack: scripts in the style of the usual tutorials. It belongs to nobody's repository, and lies beside this
//! one if it is there at all.

use crate::binary::root;
use std::path::PathBuf;

/// Its scripts, in the order of their numbers. Says SKIPPED aloud if there is no pack.
pub fn scripts(test: &str) -> Vec<PathBuf> {
    let place = "shared/conformance/cases";
    let folder = root().ancestors().map(|above| above.join(place)).find(|folder| folder.is_dir());
    let Some(entries) = folder.and_then(|folder| std::fs::read_dir(folder).ok()) else {
        eprintln!("SKIPPED {test}: there is no {place} beside the repository");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sh"));
    files.sort();
    files
}
