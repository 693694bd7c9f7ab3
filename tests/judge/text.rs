//! What may differ between two right runs, taken out of a text.

use regex::{Captures, Regex};
use std::sync::OnceLock;

/// Patterns, and what stands for them afterwards.
const PATTERNS: &[(&str, &str)] = &[
    (r"(?m)^\d+(: [^\s:@]+(?:@[^\s:]+)?(?::|\s))", "<I>$1"),
    (r"@if\d+", "@if<I>"),
    (r"expires \d+sec", "expires <N>sec"),
    (r"used \d+/\d+/\d+ *probes \d+", "used <N>"),
    (r"time=[\d.]+ ms", "time=<T> ms"),
    (r", time \d+ms", ", time <T>ms"),
    (r"= [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms", "= <RTT> ms"),
    (r", pipe \d+", ""),
    (r"(?m)^pipe \d+$", ""),
    (r", ipg/ewma .*", ""),
    (r"(\s)\d+\.\d+ ?ms\b", "$1<T> ms"),
    (r"(?m)(line \d+: +)\d+ (Killed|Terminated|Interrupt)", "$1<PID> $2"),
    (r"(?m)^\S*?([\w.-]+\.sh): line \d+:", "$1: line N:"),
    (r"(?m)[ \t]+$", ""),
];

/// MACs that mean something keep their digits.
const KEPT: &[&str] = &["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"];

/// The text without times, process ids, interface numbers and MACs that `script` does not name itself. IPv6 addresses
/// of the link, which follow from MACs, go too.
pub fn normalise(text: &str, script: &str) -> String {
    static RULES: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
    static MAC: OnceLock<Regex> = OnceLock::new();
    let compile = |pattern: &str| Regex::new(pattern).expect("a pattern of ours");
    let rules = RULES.get_or_init(|| PATTERNS.iter().map(|(from, to)| (compile(from), *to)).collect());
    let mac = MAC.get_or_init(|| compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\bfe80::[0-9a-f:]+"));
    let mut text = mac
        .replace_all(text, |found: &Captures| {
            let kept = KEPT.contains(&&found[0]) || script.contains(&found[0]);
            if kept { found[0].to_string() } else { "<MAC>".to_string() }
        })
        .into_owned();
    for (pattern, replacement) in rules {
        text = pattern.replace_all(&text, *replacement).into_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn what_means_something_stays() {
        let line = "7: va@if8: <UP> link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff";
        assert_eq!(normalise(line, ""), "<I>: va@if<I>: <UP> link/ether <MAC> brd ff:ff:ff:ff:ff:ff");
        assert!(normalise(line, "address 02:00:00:00:00:01").contains("02:00:00:00:00:01"));
        let reply = "64 bytes from 10.0.0.2: icmp_seq=1 ttl=63 time=0.034 ms";
        assert_eq!(normalise(reply, ""), "64 bytes from 10.0.0.2: icmp_seq=1 ttl=63 time=<T> ms");
    }
}
