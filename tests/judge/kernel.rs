//! A script on the real kernel, in namespaces that vanish with it.

use super::{Run, frames, normalise};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the script as root in fresh network, mount and pid namespaces, with `lo` up and nothing else.
///
/// # Panics
/// If the namespaces cannot be made; ask [`root_or_skip`](crate::rights::root_or_skip) first.
pub fn on_kernel(script: &Path) -> Run {
    let work = tempfile::tempdir().expect("a temporary directory");
    let path = work.path();
    fs::write(path.join("capture.py"), include_str!("capture.py")).expect("space on the disk");
    fs::write(path.join("kernel.sh"), include_str!("kernel.sh")).expect("space on the disk");
    let output = Command::new("timeout")
        .args(["-k", "5", "60", "unshare", "-mnpf", "--kill-child", "--mount-proc", "--propagation", "private", "bash"])
        .arg(path.join("kernel.sh"))
        .args([path, script])
        .stdin(Stdio::null())
        .output()
        .expect("timeout and unshare are there");
    assert!(output.status.success(), "kernel.sh: {}", String::from_utf8_lossy(&output.stderr));
    let source = fs::read_to_string(script).expect("the script is readable");
    let text = |name| normalise(&String::from_utf8_lossy(&fs::read(path.join(name)).unwrap_or_default()), &source);
    Run {
        stdout: text("stdout"),
        stderr: text("stderr"),
        status: text("status").trim().parse().ok(),
        frames: frames_of(&path.join("frames")),
    }
}

/// What the captures left, by interface.
fn frames_of(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("kernel.sh makes it").flatten() {
        let namespace = entry.file_name().to_string_lossy().into_owned();
        for line in fs::read_to_string(entry.path()).unwrap_or_default().lines() {
            let mut words = line.split(' ');
            let (Some(interface), Some(way), Some(hex)) = (words.next(), words.next(), words.next()) else { continue };
            let bytes: Vec<u8> =
                (0..hex.len() / 2).filter_map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()).collect();
            if let Some(said) = frames::describe(&bytes) {
                found.entry(format!("{namespace}/{interface}")).or_default().push(format!("{way} {said}"));
            }
        }
    }
    found
}
