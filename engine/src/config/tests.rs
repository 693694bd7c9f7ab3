//! What addresses, links and routes do to each other, judged by the real kernel: each file holds lines of `ip` and `sysctl`
//! and what Linux 6.18 answered to them in a namespace with two pairs of cables, `v0`–`v1` and `v2`–`v3`. Blanks at the ends
//! of lines are left out, and so are `::1` and `ff00::/8`, whose order hangs on when a thread of the kernel runs.

mod script;
mod words;

use script::Script;

/// Runs the lines behind `$` and compares all that is said.
fn judge(golden: &str, ipv6: bool) {
    let mut script = Script::new(ipv6);
    for line in golden.lines().filter_map(|line| line.strip_prefix("$ ")) {
        script.run(line);
    }
    let told = script.told();
    for (number, (ours, kernels)) in told.lines().zip(golden.lines()).enumerate() {
        let before: Vec<&str> = golden.lines().take(number).filter(|line| line.starts_with('$')).collect();
        let last = before.last().unwrap_or(&"");
        assert_eq!(ours, kernels, "line {}, behind {last}", number + 1);
    }
    assert_eq!(told.lines().count(), golden.lines().count(), "one of both ends early");
}

#[test]
fn routes_are_checked_ordered_and_found() {
    judge(include_str!("tests/routes.txt"), false);
}

#[test]
fn addresses_bring_routes_and_take_them_along() {
    judge(include_str!("tests/addresses.txt"), false);
}

#[test]
fn rules_choose_the_table() {
    judge(include_str!("tests/rules.txt"), false);
}

#[test]
fn ipv6_routes() {
    judge(include_str!("tests/routes6.txt"), true);
}

#[test]
fn random_lines() {
    judge(include_str!("tests/random1.txt"), false);
    judge(include_str!("tests/random2.txt"), false);
    judge(include_str!("tests/random3.txt"), false);
}

#[test]
fn random_lines_of_ipv6() {
    judge(include_str!("tests/random6.txt"), true);
}
