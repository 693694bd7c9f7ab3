//! iptables' words, by the real tools of this machine: random command lines, and random files through
//! `iptables-restore` and `iptables-save`, in both worlds.

use similar::TextDiff;
use std::fs;
use std::process::Command;
use vethlab_sim::{Host, Lab, Options};
use vethlab_tests::random::iptables::{commands, file, spoiled_file};
use vethlab_tests::rights::root_or_skip;
use vethlab_tests::wrong::{Answer, print};

/// Seeds from the environment (`VETHLAB_SEED=FIRST`, `VETHLAB_CASES=N`), or those of every day.
fn seeds(daily: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let first = number("VETHLAB_SEED").unwrap_or(0);
    first..first + number("VETHLAB_CASES").unwrap_or(daily)
}

fn lab() -> Lab {
    Lab::new(Options { seed: 1, host: Host::Bare })
}

/// Without the lines that tell the time.
fn undated(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with("# Generated") && !line.starts_with("# Completed"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// What the real tool says, in a namespace where not even `lo` is up: nothing is counted there, and nobody is asked for names.
fn on_kernel(commands: &[String]) -> Vec<Answer> {
    let work = tempfile::tempdir().expect("a temporary directory");
    let folder = work.path();
    let mut script = String::from(
        "echo 'hosts: files' >nss; [ ! -e /etc/nsswitch.conf ] || mount --bind nss /etc/nsswitch.conf\n\
         export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C",
    );
    for (number, command) in commands.iter().enumerate() {
        script += &format!("\n({command}) >{number}.out 2>{number}.err </dev/null; echo $? >{number}.status");
    }
    fs::write(folder.join("script"), script).expect("space on the disk");
    let run = Command::new("timeout").args(["120", "unshare", "-nm", "bash", "script"]).current_dir(folder).output();
    assert!(run.expect("timeout is there").status.success());
    let read = |name: String| String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap_or_default()).into_owned();
    let answer = |(number, command): (usize, &String)| Answer {
        command: command.clone(),
        stdout: read(format!("{number}.out")),
        stderr: read(format!("{number}.err")),
        status: read(format!("{number}.status")).trim().parse().unwrap_or(-1),
    };
    commands.iter().enumerate().map(answer).collect()
}

#[test]
fn random_commands_are_answered_as_iptables_answers_them() {
    if !root_or_skip("random iptables commands") {
        return;
    }
    for seed in seeds(2) {
        let commands = commands(seed, 150);
        let mut lab = lab();
        for theirs in on_kernel(&commands) {
            let output = lab.run(&theirs.command);
            let ours = Answer {
                command: theirs.command.clone(),
                stdout: undated(&output.stdout),
                stderr: output.stderr,
                status: output.status,
            };
            let theirs = Answer { stdout: undated(&theirs.stdout), ..theirs };
            // The kernel may have taken it: from here on the tables differ.
            if ours.stderr.contains("-j CT without --notrack is not simulated") {
                break;
            }
            // The lab says that it has no bytecode to print.
            if ours != theirs && !ours.stderr.contains("-vv") {
                let (theirs, ours) = (print(&[theirs]), print(&[ours]));
                panic!("seed {seed}\n{}", TextDiff::from_lines(&theirs, &ours).unified_diff().context_radius(9));
            }
        }
    }
}

/// All files are loaded and saved on the kernel in one go: what was said, and what came back; and once more from that.
fn saved_by_the_kernel(files: &[String]) -> Vec<[String; 3]> {
    let work = tempfile::tempdir().expect("a temporary directory");
    let folder = work.path();
    for (number, text) in files.iter().enumerate() {
        fs::write(folder.join(format!("{number}.in")), text).expect("space on the disk");
    }
    let script = format!(
        "export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C\nfor n in $(seq 0 {}); do\n\
         iptables-restore -c $n.in >$n.said 2>&1; echo \"= $?\" >>$n.said; iptables-save -c >$n.saved\n\
         iptables-restore -c $n.saved; iptables-save -c >$n.again\ndone",
        files.len() - 1
    );
    let run =
        Command::new("timeout").args(["120", "unshare", "-n", "bash", "-c", &script]).current_dir(folder).output();
    assert!(run.expect("timeout is there").status.success());
    let read = |name: String| undated(&fs::read_to_string(folder.join(name)).unwrap_or_default());
    let of = |n| [read(format!("{n}.said")), read(format!("{n}.saved")), read(format!("{n}.again"))];
    (0..files.len()).map(of).collect()
}

#[test]
fn files_load_and_print_back_as_the_kernels() {
    if !root_or_skip("random iptables files") {
        return;
    }
    let seeds: Vec<u64> = seeds(200).collect();
    let files: Vec<String> = seeds.iter().map(|seed| file(*seed, 4)).collect();
    let mut taken = 0;
    let mut lab = lab();
    for ((seed, text), [said, saved, again]) in seeds.iter().zip(&files).zip(saved_by_the_kernel(&files)) {
        let mut load = |name: &str, text: &str| {
            lab.provide(name, text.as_bytes().to_vec());
            let output = lab.run(&format!("iptables-restore -c {name}"));
            (
                format!("{}{}= {}\n", output.stdout, output.stderr, output.status),
                undated(&lab.run("iptables-save -c").stdout),
            )
        };
        let (ours_said, ours_saved) = load("file", text);
        let same = |what: &str, theirs: &str, ours: &str| {
            assert!(theirs == ours, "seed {seed}: {what}\n{}", TextDiff::from_lines(theirs, ours).unified_diff());
        };
        same("said", &said, &ours_said);
        same("saved", &saved, &ours_saved);
        same("the kernel's own, loaded again", &saved, &again);
        let (_, ours_again) = load("theirs", &saved);
        same("loaded from what the kernel's tool saved", &saved, &ours_again);
        taken += usize::from(said == "= 0\n");
    }
    assert!(taken * 2 > seeds.len(), "the kernel took {taken} of {}", seeds.len());
}

#[test]
fn wrong_files_are_answered_as_iptables_answers_them() {
    if !root_or_skip("wrong iptables files") {
        return;
    }
    let seeds: Vec<u64> = seeds(150).collect();
    let work = tempfile::tempdir().expect("a temporary directory");
    let folder = work.path();
    let mut script = String::from("export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C");
    for seed in &seeds {
        let (options, text) = spoiled_file(*seed);
        fs::write(folder.join(format!("{seed}.in")), text).expect("space on the disk");
        script += &format!(
            "\niptables-restore{options} <{seed}.in >{seed}.out 2>{seed}.err; echo \"= $?\" >>{seed}.err; iptables-save -c >{seed}.saved"
        );
    }
    let run =
        Command::new("timeout").args(["120", "unshare", "-n", "bash", "-c", &script]).current_dir(folder).output();
    assert!(run.expect("timeout is there").status.success());
    let read =
        |seed: u64, what| undated(&fs::read_to_string(folder.join(format!("{seed}.{what}"))).unwrap_or_default());
    let mut lab = lab();
    for seed in seeds {
        let (options, text) = spoiled_file(seed);
        lab.provide("-", text.clone());
        let output = lab.run(&format!("iptables-restore{options}"));
        let ours = format!("{}2| {}= {}\n", output.stdout, output.stderr, output.status);
        let theirs = format!("{}2| {}", read(seed, "out"), read(seed, "err"));
        let (ours, theirs) = (ours + &undated(&lab.run("iptables-save -c").stdout), theirs + &read(seed, "saved"));
        let differ = TextDiff::from_lines(&theirs, &ours).unified_diff().to_string();
        assert!(differ.is_empty(), "seed {seed}: iptables-restore{options}\n{text}\n{differ}");
    }
}
