//! Two runs of one script, on the kernel and in the simulator, and where they differ.
//!
//! A [`Run`] is all that can be seen of one: what each command printed, what the script printed, and the frames at every
//! interface. What may differ between two right runs is taken out of texts by [`normalise`](fn@normalise::normalise) and out
//! of frames by [`frames`]; [`EXCLUSIONS`] says it for people.

mod commands;
mod frames;
mod normalise;
mod show;

pub(crate) use frames::Order;
pub(crate) use show::show;

use crate::shim::{self, Logged};
use normalise::normalise;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Output;

/// What is not compared.
pub(crate) const EXCLUSIONS: &str = "\
Not compared, because two right runs differ in it:
  MACs that the script does not name itself, and IPv6 addresses that follow from them, or for how long they are tentative
  numbers of interfaces, processes and namespaces; IP ids, ICMP ids, handles of queues that nobody chose;
  in frames, ports that a host or NAT drew: those of 32768–60999, and from 1024 on those that the script does not name
  the number of queues of a device, which is that of the processors
  times: of replies, of timers that run, of listings, of captures; dates; how often curl's meter is written
  the order of tracked connections, of neighbours and of a bridge's addresses
  when ARP asks, and how often: of ARP it only counts whether everybody was asked for an address
  how TCP cuts its bytes into segments and acknowledges them: of a connection it counts how it began, how many
  bytes it carried each way, and how it ended; nor an answer to a SYN that came when its sender had gone, and was reset
  IPv6 neighbour and group chatter, reports of IPv4 groups, spanning tree, and what was sent in namespaces without a name
  what came in at an interface before or after what went out there

Each run has an empty working directory of its own, and a host with nothing but lo. The kernel is asked again (--tries)
before a difference is believed: its timers are late now and then.";

/// All that can be seen of a run.
pub(crate) struct Run {
    commands: Vec<Logged>,
    script: Text,
    status: Option<i32>,
    frames: BTreeMap<String, Vec<String>>,
}

/// What was printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Text {
    stdout: String,
    stderr: String,
}

/// A command as one of the two did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Done {
    #[serde(flatten)]
    text: Text,
    status: i32,
}

/// A command in which they differ: none where one of the two never ran it.
#[derive(Clone, Debug, Serialize)]
struct CommandPair {
    argv: Vec<String>,
    kernel: Option<Done>,
    simulator: Option<Done>,
}

/// What both did with the same thing.
#[derive(Clone, Debug, Serialize)]
struct Pair<T> {
    kernel: T,
    simulator: T,
}

/// Where two runs differ.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Difference {
    /// They do not.
    pub(crate) equal: bool,
    /// How many commands of the script were compared.
    pub(crate) commands_compared: usize,
    /// How many lines were compared that stand for frames.
    pub(crate) frames_compared: usize,
    commands: Vec<CommandPair>,
    script: Option<Pair<Text>>,
    status: Option<Pair<Option<i32>>>,
    frames: BTreeMap<String, Pair<Vec<String>>>,
}

impl Run {
    /// Puts together what a run left: its output, a log and a capture.
    pub(crate) fn read(output: &Output, log: &Path, pcap: &Path, source: &str, order: Order) -> io::Result<Run> {
        let text = |bytes: &[u8]| normalise(&String::from_utf8_lossy(bytes), source);
        let mut commands = shim::read_log(log)?;
        for logged in &mut commands {
            logged.stdout = normalise(&logged.stdout, source);
            logged.stderr = normalise(&logged.stderr, source);
            if is_unordered(&logged.argv) {
                logged.stdout = sorted(&logged.stdout);
            }
        }
        commands.retain(|logged| logged.depth == 0);
        Ok(Run {
            commands,
            script: Text { stdout: text(&output.stdout), stderr: text(&output.stderr) },
            status: output.status.code(),
            frames: frames::read(pcap, order, source)?,
        })
    }
}

/// True for listings that the kernel keeps in the order of a hash.
fn is_unordered(argv: &[String]) -> bool {
    let says = |word: &str| argv.iter().any(|said| said == word);
    says("conntrack") || says("neigh") || says("bridge") && says("fdb") || says("showmacs")
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

impl Difference {
    /// Compares two runs.
    pub(crate) fn between(kernel: &Run, simulator: &Run) -> Difference {
        let commands = commands::compare(&kernel.commands, &simulator.commands);
        let frames = differing_frames(kernel, simulator);
        let script = (kernel.script != simulator.script)
            .then(|| Pair { kernel: kernel.script.clone(), simulator: simulator.script.clone() });
        let status =
            (kernel.status != simulator.status).then_some(Pair { kernel: kernel.status, simulator: simulator.status });
        Difference {
            equal: commands.is_empty() && frames.is_empty() && script.is_none() && status.is_none(),
            commands_compared: kernel.commands.len(),
            frames_compared: kernel.frames.values().map(Vec::len).sum(),
            commands,
            script,
            status,
            frames,
        }
    }

    /// How much differs: to keep the smaller of two differences.
    pub(crate) fn size(&self) -> usize {
        self.commands.len()
            + self.frames.len()
            + usize::from(self.script.is_some())
            + usize::from(self.status.is_some())
    }
}

fn differing_frames(kernel: &Run, simulator: &Run) -> BTreeMap<String, Pair<Vec<String>>> {
    let mut differ = BTreeMap::new();
    for interface in kernel.frames.keys().chain(simulator.frames.keys()) {
        let of = |run: &Run| run.frames.get(interface).cloned().unwrap_or_default();
        let pair = Pair { kernel: of(kernel), simulator: of(simulator) };
        if pair.kernel != pair.simulator {
            differ.insert(interface.clone(), pair);
        }
    }
    differ
}
