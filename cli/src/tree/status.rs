//! What `/proc` says of a process.

use crate::client::NAMESPACE;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A process at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) parent: u32,
    /// All its threads sleep, or are stopped or dead.
    pub(super) asleep: bool,
    /// It has ended, and its parent has not noticed.
    pub(super) zombie: bool,
    /// How often its threads have gone to sleep or were put off, in sum: it has run if this changed.
    pub(super) switches: u64,
    /// The numbers of its threads.
    pub(super) threads: Vec<u32>,
}

/// What one `status` file says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lines {
    asleep: bool,
    zombie: bool,
    parent: u32,
    threads: u32,
    switches: u64,
}

fn parse(text: &str) -> Lines {
    let mut lines = Lines::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(":\t") else { continue };
        match key {
            // Sleeping, stopped, traced and stopped, zombie, dead. What waits for a disk (D) goes on by itself.
            "State" => {
                lines.asleep = value.starts_with(['S', 'T', 't', 'Z', 'X']);
                lines.zombie = value.starts_with('Z');
            }
            "PPid" => lines.parent = value.parse().unwrap_or_default(),
            "Threads" => lines.threads = value.parse().unwrap_or_default(),
            "voluntary_ctxt_switches" | "nonvoluntary_ctxt_switches" => {
                lines.switches += value.parse::<u64>().unwrap_or_default();
            }
            _ => {}
        }
    }
    lines
}

/// A process and its threads; nothing if it has gone.
pub(super) fn read(proc: &Path, pid: u32) -> Option<Status> {
    let dir = proc.join(pid.to_string());
    let main = parse(&text(&dir.join("status"))?);
    let (asleep, zombie, switches) = (main.asleep, main.zombie, main.switches);
    let threads = if main.threads <= 1 { vec![pid] } else { numbers_in(&dir.join("task")) };
    let mut status = Status { parent: main.parent, asleep, zombie, switches, threads };
    for thread in status.threads.iter().filter(|thread| **thread != pid) {
        if let Some(text) = text(&dir.join(format!("task/{thread}/status"))) {
            let other = parse(&text);
            status.asleep &= other.asleep;
            status.switches += other.switches;
        }
    }
    Some(status)
}

/// What is in a small file of `/proc`. One read is enough, and takes all at one moment.
pub(super) fn text(file: &Path) -> Option<String> {
    let mut bytes = [0; 8192];
    let length = File::open(file).ok()?.read(&mut bytes).ok()?;
    String::from_utf8(bytes.get(..length)?.to_vec()).ok()
}

/// The parent of a process.
pub(super) fn parent(proc: &Path, pid: u32) -> Option<u32> {
    Some(parse(&text(&proc.join(format!("{pid}/status")))?).parent)
}

/// The processor time that a process and its dead children have used, in clock ticks.
pub(super) fn processor_time(proc: &Path, pid: u32) -> u64 {
    let stat = std::fs::read_to_string(proc.join(format!("{pid}/stat"))).unwrap_or_default();
    // Behind the name, which is in parentheses and may contain anything, the 12th to 15th word.
    let words = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    words.skip(11).take(4).filter_map(|word| word.parse::<u64>().ok()).sum()
}

/// The namespace that a process was told of by its environment.
pub(super) fn namespace(proc: &Path, pid: u32) -> Option<u32> {
    let environ = std::fs::read(proc.join(format!("{pid}/environ"))).ok()?;
    let mut words = environ.split(|byte| *byte == 0).filter_map(|word| std::str::from_utf8(word).ok());
    words.find_map(|word| word.strip_prefix(NAMESPACE)?.strip_prefix('=')?.parse().ok())
}

/// Entries of a directory that are numbers, ascending.
pub(super) fn numbers_in(dir: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("5")).unwrap();
        let stat = "5 (a) b) S 1 2 3 4 5 6 7 8 9 10 1000 200 30 4 20 0 1 0\n";
        std::fs::write(dir.path().join("5/stat"), stat).unwrap();
        assert_eq!(processor_time(dir.path(), 5), 1234);
        assert_eq!(processor_time(dir.path(), 6), 0, "gone");
    }

    #[test]
    fn a_status_file_is_read() {
        let text = "Name:\tba\tsh\nState:\tS (sleeping)\nPPid:\t7\nThreads:\t3\nvoluntary_ctxt_switches:\t5\n\
                    nonvoluntary_ctxt_switches:\t6\n";
        assert_eq!(parse(text), Lines { asleep: true, zombie: false, parent: 7, threads: 3, switches: 11 });
        for (state, asleep) in [("R (running)", false), ("D (disk sleep)", false), ("T (stopped)", true), ("Z", true)] {
            assert_eq!(parse(&format!("State:\t{state}\n")).asleep, asleep, "{state}");
        }
    }
}
