//! The conformance pack on the kernel and in the simulator.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use vethlab_tests::judge::differences_with;
use vethlab_tests::pack::scripts;
use vethlab_tests::rights::root_or_skip;

/// Those that differ, and the words by which the difference explains itself. The README says why.
const EXPLAINED: &[(&str, &str)] = &[("51-ipv6-basics.sh", "IPv6 packets are not simulated yet")];

/// How many are judged at a time: they wait more than they work.
const AT_A_TIME: usize = 8;
/// How often the kernel may be asked: eight at a time keep it from its timers now and then.
const TRIES: &str = "5";

fn explanation(script: &Path) -> Option<&'static str> {
    EXPLAINED.iter().find(|(name, _)| script.ends_with(name)).map(|(_, why)| *why)
}

/// What is wrong with the outcome of a script, if anything is.
fn judge(script: &Path) -> Option<String> {
    let known = explanation(script);
    let said = differences_with(script, &["--tries", if known.is_some() { "1" } else { TRIES }]);
    match known {
        Some(why) if said.contains(why) => None,
        Some(why) => Some(format!("it was to differ, for {why}\n{said}")),
        None => (!said.is_empty()).then_some(said),
    }
}

#[test]
fn the_pack_runs_as_on_the_kernel() {
    let test = "the_pack_runs_as_on_the_kernel";
    if !root_or_skip(test) {
        return;
    }
    let scripts = scripts(test);
    let (left, wrong) = (Mutex::new(scripts), Mutex::new(Vec::new()));
    let next = || -> Option<PathBuf> { left.lock().expect("no thread panics with it").pop() };
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(script) = next() {
                    if let Some(said) = judge(&script) {
                        let said = format!("{}\n{said}", script.display());
                        wrong.lock().expect("no thread panics with it").push(said);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no thread panics with it");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
