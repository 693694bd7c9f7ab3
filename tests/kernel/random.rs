//! Random networks and container labs, on the kernel and in the simulator. A seed's script is printed by
//! `cargo run -p vethlab-tests --example random_script SEED [lab]`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use vethlab_tests::judge::differences;
use vethlab_tests::random;
use vethlab_tests::rights::root_or_skip;

/// How many are judged at a time: they wait more than they work.
const AT_A_TIME: usize = 14;

/// Seeds from the environment (`VETHLAB_SEED=FIRST`, `VETHLAB_CASES=N`), or those of every day.
fn seeds(first: u64, cases: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let first = number("VETHLAB_SEED").unwrap_or(first);
    first..first + number("VETHLAB_CASES").unwrap_or(cases)
}

/// Where the two worlds differ for this seed.
fn judge(seed: u64, write: fn(u64) -> String) -> Option<String> {
    let script = tempfile::Builder::new().suffix(".sh").tempfile().expect("space on the disk");
    std::fs::write(script.path(), write(seed)).expect("space on the disk");
    let said = differences(script.path(), false);
    (!said.is_empty()).then(|| format!("seed {seed}\n{said}"))
}

fn judge_all(what: &str, (first, cases): (u64, u64), write: fn(u64) -> String) {
    if !root_or_skip(what) {
        return;
    }
    let seeds = seeds(first, cases);
    let (next, differ) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Relaxed)).filter(|seed| *seed < seeds.end) {
                    if judge(seed, write).is_some() {
                        differ.lock().expect("no thread panics with it").push(seed);
                    }
                }
            });
        }
    });
    // So many at a time delay what the kernel acknowledges: who differs is asked once more when all is quiet.
    let differ = differ.into_inner().expect("no thread panics with it");
    let differ: Vec<String> = differ.into_iter().filter_map(|seed| judge(seed, write)).collect();
    let count = seeds.end - seeds.start;
    assert!(differ.is_empty(), "{} of {count} {what} differ\n{}", differ.len(), differ.join("\n"));
}

#[test]
fn random_networks_behave_as_the_kernels() {
    judge_all("random networks", (0, 4), random::script);
}

#[test]
fn random_labs_behave_as_the_kernels() {
    judge_all("random labs", (0, 300), random::lab);
}
