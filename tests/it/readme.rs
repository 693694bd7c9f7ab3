//! The README tells the truth: every command in a console block is run, and prints what stands there.

use std::process::{Command, Stdio};
use vethlab_tests::binary::{root, vethlab};
use vethlab_tests::rights::skip;

/// A command and the lines that stand below it.
struct Shown {
    command: String,
    output: Vec<String>,
}

fn shown(readme: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ "), all.last_mut()) {
                (Some(command), _) => all.push(Shown { command: command.to_string(), output: Vec::new() }),
                (None, Some(last)) => last.output.push(line.to_string()),
                (None, None) => panic!("output without a command: {line}"),
            },
        }
    }
    all
}

/// Runs a command as the README says it, but with the binary that is there already.
fn run(command: &str) -> String {
    let built =
        command.replace("cargo run -q --", "vethlab").replace("cargo build -q && PATH=$PWD/target/debug:$PATH ", "");
    let folder = vethlab().parent().unwrap().display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1; {built}")])
        .current_dir(root())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// True if the lines are those expected, where `...` stands for any lines.
fn fits(expected: &[String], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        Some((first, rest)) => lines.split_first().is_some_and(|(line, lines)| first == line && fits(rest, lines)),
    }
}

/// A text of the kernel's without what chance and the clock put in it: times and MACs.
fn without_chance(text: &str) -> String {
    let number = regex::Regex::new(r"\d+\.\d+(/\d+\.\d+)*|, time \d+ms|([0-9a-f]{2}:){5}[0-9a-f]{2}").unwrap();
    number.replace_all(text, "<>").into_owned()
}

fn can_unshare() -> bool {
    Command::new("unshare").args(["-Urn", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let all = shown(&readme);
    assert!(all.len() >= 8, "only {} commands", all.len());
    for Shown { command, output } in all {
        if (command.contains("unshare -Urn") || command.contains("-- diff")) && !can_unshare() {
            skip(&command, "needs user namespaces");
            continue;
        }
        // What the simulator prints is the same on every machine; the kernel's times are not.
        let same = |text: &str| if command.contains("real-router") { without_chance(text) } else { text.to_string() };
        let printed = run(&command);
        let printed = same(&printed);
        let expected: Vec<String> = output.iter().map(|line| same(line)).collect();
        let lines: Vec<&str> = printed.lines().collect();
        assert!(
            fits(&expected, &lines),
            "$ {command}\nprints\n{printed}\nbut the README shows\n{}",
            expected.join("\n")
        );
    }
}
