//! Command lines one after another, and what each printed on a real kernel (Linux 6.18, iproute2 6.1): `judged/*.txt`.
//!
//! Such a file is a transcript: `$ ` before a command, `| ` before what it printed, `! ` before what it complained, and its
//! status in brackets. Each file starts in a namespace with nothing but a `lo` that is up.

use crate::lab::{Host, Lab, Options};

/// Runs the commands of a transcript in turn: each must do as there. Neighbours stand in the order of a hash on a real
/// kernel: lists of them are compared without regard to their order.
fn judge(transcript: &str) {
    let mut lab = Lab::new(Options { host: Host::Bare, ..Options::default() });
    for entry in format!("\n{transcript}").split("\n$ ").skip(1) {
        let (line, rest) = entry.split_once('\n').expect("a command and its answer");
        let output = lab.run(line);
        let (stdout, stderr) = (prefixed("| ", &output.stdout), prefixed("! ", &output.stderr));
        let got = format!("{stdout}{stderr}[{}]\n", output.status);
        let sort = line.contains("neigh");
        assert_eq!(sorted(&got, sort), sorted(rest, sort), "{line}");
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    text.split_inclusive('\n').map(|line| format!("{prefix}{}\n", line.trim_end_matches('\n'))).collect()
}

fn sorted(text: &str, sort: bool) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    if sort {
        lines.sort_unstable();
    }
    lines
}

#[test]
fn routes_are_added_listed_and_flushed() {
    judge(include_str!("judged/route.txt"));
}

#[test]
fn routes_are_asked_for() {
    judge(include_str!("judged/get.txt"));
}

#[test]
fn words_of_routes() {
    judge(include_str!("judged/words.txt"));
}

#[test]
fn neighbors_and_proxies() {
    judge(include_str!("judged/neigh.txt"));
}

#[test]
fn rules() {
    judge(include_str!("judged/rule.txt"));
}

#[test]
fn lines_at_random() {
    judge(include_str!("judged/random.txt"));
}
