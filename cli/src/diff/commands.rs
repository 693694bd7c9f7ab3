//! Which command of one run is which of the other, and whether both did the same.

use super::{CommandPair, Done, Text};
use crate::shim::Logged;
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// The commands in which two runs differ, in the order of the first.
pub(super) fn compare(kernel: &[Logged], simulator: &[Logged]) -> Vec<CommandPair> {
    let mut differ = Vec::new();
    for (kernel, simulator) in pairs(kernel, simulator) {
        let (left, right) = (kernel.map(done), simulator.map(done));
        let argv = kernel.or(simulator).map(words).unwrap_or_default();
        if left != right {
            differ.push(CommandPair { argv, kernel: left, simulator: right });
        }
    }
    differ
}

fn done(logged: &Logged) -> Done {
    let text = Text { stdout: logged.stdout.clone(), stderr: logged.stderr.clone() };
    Done { text, status: logged.status }
}

/// Its words, but for numbers of processes and names of temporary files.
fn words(logged: &Logged) -> Vec<String> {
    let mut before = "";
    let mut words = Vec::new();
    for word in &logged.argv {
        let pid = before == "netns" && word.bytes().all(|byte| byte.is_ascii_digit());
        let temporary = word.starts_with("/tmp/tmp.");
        words.push(
            if pid {
                "<PID>"
            } else if temporary {
                "<FILE>"
            } else {
                word
            }
            .to_string(),
        );
        before = word;
    }
    words
}

/// Commands with the same words, in the same order as far as that goes; what is left over of both is paired by its words
/// alone, for those that ran in the background may have started in another order.
fn pairs<'a>(left: &'a [Logged], right: &'a [Logged]) -> Vec<(Option<&'a Logged>, Option<&'a Logged>)> {
    let all = |logged: &[Logged]| logged.iter().map(words).collect::<Vec<_>>();
    let (mut pairs, mut extra) = (Vec::new(), Vec::new());
    for op in capture_diff_slices(Algorithm::Myers, &all(left), &all(right)) {
        let (old, new) = (left.get(op.old_range()).unwrap_or(&[]), right.get(op.new_range()).unwrap_or(&[]));
        if op.tag() == DiffTag::Equal {
            pairs.extend(old.iter().map(Some).zip(new.iter().map(Some)));
        } else {
            pairs.extend(old.iter().map(|logged| (Some(logged), None)));
            extra.extend(new);
        }
    }
    for logged in extra {
        let lonely =
            pairs.iter_mut().find(|(old, new)| new.is_none() && old.is_some_and(|old| words(old) == words(logged)));
        match lonely {
            Some((_, new)) => *new = Some(logged),
            None => pairs.push((None, Some(logged))),
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(words: &str, stdout: &str) -> Logged {
        let argv = words.split(' ').map(str::to_string).collect();
        Logged { number: 0, depth: 0, argv, stdout: stdout.to_string(), stderr: String::new(), status: 0 }
    }

    #[test]
    fn commands_are_paired_by_their_words_also_out_of_order() {
        let kernel = [logged("ip a", "1"), logged("ping x", "2"), logged("nc -l", "3"), logged("ip r", "4")];
        let simulator = [logged("ip a", "1"), logged("nc -l", "3"), logged("ping x", "2"), logged("ip r", "other")];
        let differ = compare(&kernel, &simulator);
        assert_eq!(differ.len(), 1);
        assert_eq!(differ[0].argv, ["ip", "r"]);
    }

    #[test]
    fn what_only_one_ran_is_a_difference() {
        let differ = compare(&[logged("ip a", "")], &[logged("ip a", ""), logged("ip r", "")]);
        assert_eq!(differ.len(), 1);
        assert!(differ[0].kernel.is_none() && differ[0].simulator.is_some());
    }
}
