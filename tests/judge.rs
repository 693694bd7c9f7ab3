//! One script, run on the kernel and in the simulator, and everything that both let see: what it printed, how it ended,
//! and the frames at every interface, each said in one line in which ids, MACs and times no longer stand.

mod frames;
mod kernel;
mod simulator;
mod text;

pub use kernel::on_kernel;
pub use simulator::{in_simulator, run_in_simulator};
pub use text::normalise;

use std::collections::BTreeMap;

/// What a script did.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Standard output, normalised.
    pub stdout: String,
    /// Standard error, normalised.
    pub stderr: String,
    /// Exit status.
    pub status: Option<i32>,
    /// The ARP and IPv4 frames at each interface (`namespace/interface`), in order, as tcpdump there would see them.
    pub frames: BTreeMap<String, Vec<String>>,
}

impl Run {
    /// The same with what went out of each interface apart from what came in. On the kernel an answer comes before the
    /// call that sent the question has returned; in a simulator whose cables are long, after all that the call sent.
    pub fn by_direction(&self) -> Run {
        let mut run = self.clone();
        run.frames.values_mut().for_each(|frames| frames.sort_by_key(|frame| frame.starts_with("in")));
        run
    }
}

/// How often the kernel is asked before a difference is believed: on a busy machine a timer of its is late now and then.
const TRIES: usize = 3;

/// Where a script differs between the two worlds, as `differ` sees it; empty if the kernel has done what the simulator
/// does. The simulator runs once, for it always does the same.
///
/// # Panics
/// If the kernel printed nothing.
pub fn disagreement(script: &std::path::Path, differ: impl Fn(&Run, &Run) -> String) -> String {
    let simulator = in_simulator(script);
    let mut said = String::new();
    for _ in 0..TRIES {
        let kernel = on_kernel(script);
        assert!(!kernel.stdout.is_empty(), "the kernel printed nothing: {}", kernel.stderr);
        said = differ(&kernel, &simulator);
        if said.is_empty() {
            break;
        }
    }
    said
}

/// Where two runs differ, said for people; empty if they do not.
pub fn differences(kernel: &Run, simulator: &Run) -> String {
    let mut said = String::new();
    if kernel.status != simulator.status {
        said += &format!("status: kernel {:?}, simulator {:?}\n", kernel.status, simulator.status);
    }
    compare(&mut said, "stdout", &kernel.stdout, &simulator.stdout);
    compare(&mut said, "stderr", &kernel.stderr, &simulator.stderr);
    let mut interfaces: Vec<&String> = kernel.frames.keys().chain(simulator.frames.keys()).collect();
    interfaces.sort();
    interfaces.dedup();
    for interface in interfaces {
        let lines = |run: &Run| run.frames.get(interface).map(|frames| frames.join("\n")).unwrap_or_default();
        compare(&mut said, interface, &lines(kernel), &lines(simulator));
    }
    said
}

/// Adds a line-by-line difference of two texts.
fn compare(said: &mut String, what: &str, kernel: &str, simulator: &str) {
    if kernel == simulator {
        return;
    }
    *said += &format!("{what} differs (- kernel, + simulator):\n");
    let difference = similar::TextDiff::from_lines(kernel, simulator);
    *said += &difference.unified_diff().context_radius(2).to_string();
    *said += "\n";
}
