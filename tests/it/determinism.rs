//! The same seed gives the same bytes: text, trace and capture, twice, in debug and release, and one number for a world.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vethlab_sim::{Host, Lab, Options};
use vethlab_tests::binary::{root, vethlab};

/// All that a run lets out.
#[derive(PartialEq)]
struct Bytes {
    stdout: Vec<u8>,
    /// With the trace.
    stderr: Vec<u8>,
    pcap: Vec<u8>,
}

fn run(binary: &Path, seed: u32) -> Bytes {
    let folder = tempfile::tempdir().unwrap();
    let pcap = folder.path().join("all.pcapng");
    let output = Command::new(binary)
        .args(["run", "--trace", "--seed", &seed.to_string(), "--pcap"])
        .arg(&pcap)
        .arg(root().join("tests/scenarios/traceroute.sh"))
        .env("LANG", "C")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Bytes { stdout: output.stdout, stderr: output.stderr, pcap: std::fs::read(pcap).unwrap() }
}

#[test]
fn one_seed_gives_the_same_bytes_twice() {
    let first = run(vethlab(), 7);
    assert!(first.pcap.len() > 10_000 && first.stderr.len() > 10_000 && first.stdout.len() > 500);
    assert!(first == run(vethlab(), 7), "two runs of one seed differ");
    assert!(first.pcap != run(vethlab(), 8).pcap, "another seed gives other MACs");
}

/// `VETHLAB_RELEASE` names a binary of the release profile; `.ci/run` builds one.
#[test]
fn debug_and_release_give_the_same_bytes() {
    let Some(release) = std::env::var_os("VETHLAB_RELEASE").map(PathBuf::from) else {
        vethlab_tests::rights::skip("debug_and_release_give_the_same_bytes", "VETHLAB_RELEASE names no binary");
        return;
    };
    assert!(run(vethlab(), 7) == run(&release, 7), "debug and release differ");
}

fn digest(seed: u64) -> u64 {
    let mut lab = Lab::new(Options { seed, host: Host::Internet });
    for line in ["ping -c 3 8.8.8.8", "traceroute -n 8.8.8.8", "ping -c 1 10.0.2.99"] {
        lab.run(line);
    }
    let world = lab.world();
    world.digest()
}

#[test]
fn one_seed_gives_the_same_digest() {
    assert_eq!(digest(7), digest(7));
    assert_ne!(digest(7), digest(8));
}
