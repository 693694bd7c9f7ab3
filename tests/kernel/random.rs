//! Random networks, on the kernel and in the simulator. A seed's script is printed by
//! `cargo run -p vethlab-tests --example random_script SEED`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use vethlab_tests::judge::differences;
use vethlab_tests::random;
use vethlab_tests::rights::root_or_skip;

/// How many are judged at a time: they wait more than they work.
const AT_A_TIME: usize = 2;

/// Seeds from the environment (`VETHLAB_SEED=FIRST`, `VETHLAB_CASES=N`), or the few of every day.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let first = number("VETHLAB_SEED").unwrap_or(0);
    first..first + number("VETHLAB_CASES").unwrap_or(4)
}

/// Where the two worlds differ for this seed.
fn judge(seed: u64) -> Option<String> {
    let script = tempfile::Builder::new().suffix(".sh").tempfile().expect("space on the disk");
    std::fs::write(script.path(), random::script(seed)).expect("space on the disk");
    let said = differences(script.path(), false);
    (!said.is_empty()).then(|| format!("seed {seed}\n{said}"))
}

#[test]
fn random_networks_behave_as_the_kernels() {
    if !root_or_skip("random networks") {
        return;
    }
    let seeds = seeds();
    let (next, differ) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Relaxed)).filter(|seed| *seed < seeds.end) {
                    if let Some(said) = judge(seed) {
                        differ.lock().expect("no thread panics with it").push(said);
                    }
                }
            });
        }
    });
    let differ = differ.into_inner().expect("no thread panics with it");
    let count = seeds.end - seeds.start;
    assert!(differ.is_empty(), "{} of {count} networks differ\n{}", differ.len(), differ.join("\n"));
}
