//! One script on the kernel and in the simulator, compared by `vethlab diff`: text, status, and the frames at every
//! interface.

use crate::binary::vethlab;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where a script differs between the two worlds; empty if it does not. `strict` compares the order of all frames at an
/// interface and how often ARP asked, too.
///
/// # Panics
/// If it could not be run in both.
pub fn differences(script: &Path, strict: bool) -> String {
    differences_with(script, if strict { &["--strict"] } else { &[] })
}

/// The same, with options of `vethlab diff`.
///
/// # Panics
/// If it could not be run in both.
pub fn differences_with(script: &Path, options: &[&str]) -> String {
    let mut diff = Command::new(vethlab());
    diff.arg("diff").args(options).arg(script).stdin(Stdio::null());
    let output = diff.output().expect("the binary starts");
    match output.status.code() {
        Some(0) => String::new(),
        Some(1) => String::from_utf8_lossy(&output.stdout).into_owned(),
        _ => panic!("{}: {}", script.display(), String::from_utf8_lossy(&output.stderr)),
    }
}
