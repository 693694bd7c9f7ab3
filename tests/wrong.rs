//! Commands that are wrong, and what Linux says to them: a table in a text file, which the kernel's own tools made.
//!
//! `$ COMMAND`, then `1| ` a line of standard output, `2| ` one of standard error (`1\ ` and `2\ ` if no newline ends
//! it), and `= STATUS`.

use std::fmt::Write as _;
use std::process::Command;

/// A command and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The command line.
    pub command: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit status.
    pub status: i32,
}

/// What stands before the first command, in both worlds.
pub const SETUP: &[&str] = &[
    "ip netns add red",
    "ip link add va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b netns red",
    "ip addr add 10.0.0.1/24 dev va",
    "ip link set va up",
    "ip -n red addr add 10.0.0.2/24 dev vb",
    "ip -n red link set vb up",
    "sleep 0.5",
];

/// Reads a table.
///
/// # Panics
/// On a line that is none of its own.
pub fn parse(table: &str) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        let (kind, rest) = line.split_at(2);
        if kind == "$ " {
            answers.push(Answer { command: rest.to_string(), ..Answer::default() });
            continue;
        }
        let answer = answers.last_mut().expect("a command comes first");
        let text = rest.strip_prefix(' ').unwrap_or(rest);
        match kind {
            "1|" => answer.stdout += &format!("{text}\n"),
            "2|" => answer.stderr += &format!("{text}\n"),
            "1\\" => answer.stdout += text,
            "2\\" => answer.stderr += text,
            "= " => answer.status = rest.parse().expect("a status"),
            other => panic!("a line begins with {other:?}"),
        }
    }
    answers
}

/// Writes a table.
pub fn print(answers: &[Answer]) -> String {
    let mut table = String::new();
    for answer in answers {
        let _ = writeln!(table, "$ {}", answer.command);
        for (stream, text) in [('1', &answer.stdout), ('2', &answer.stderr)] {
            for line in text.split_inclusive('\n') {
                let ended = line.strip_suffix('\n');
                let _ =
                    writeln!(table, "{stream}{} {}", if ended.is_some() { '|' } else { '\\' }, ended.unwrap_or(line));
            }
        }
        let _ = writeln!(table, "= {}", answer.status);
    }
    table
}

/// Asks the real tools, in namespaces of their own.
///
/// # Panics
/// If the namespaces cannot be made.
pub fn on_kernel(commands: &[String]) -> Vec<Answer> {
    let work = tempfile::tempdir().expect("a temporary directory");
    let folder = work.path();
    let mut script = String::from(
        "mount -t tmpfs none /run/netns 2>/dev/null || { mkdir -p /run/netns; mount -t tmpfs none /run/netns; }\n\
         mount -t sysfs none /sys; : >resolv; echo 'hosts: files' >nss\n\
         for f in 'resolv /etc/resolv.conf' 'nss /etc/nsswitch.conf'; do set -- $f; [ -e $2 ] && mount --bind $1 $2; done\n\
         export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C; ip link set lo up\n",
    );
    script += &SETUP.join("\n");
    for (number, command) in commands.iter().enumerate() {
        let _ = write!(script, "\n({command}) >{number}.out 2>{number}.err </dev/null; echo $? >{number}.status");
    }
    std::fs::write(folder.join("script"), script).expect("space on the disk");
    let run = Command::new("timeout")
        .args(["-k", "5", "120", "unshare", "-mnpf", "--kill-child", "--mount-proc", "--propagation", "private"])
        .args(["bash", "script"])
        .current_dir(folder)
        .output()
        .expect("timeout and unshare are there");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let read = |name: String| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let answer = |(number, command): (usize, &String)| Answer {
        command: command.clone(),
        stdout: read(format!("{number}.out")),
        stderr: read(format!("{number}.err")),
        status: read(format!("{number}.status")).trim().parse().unwrap_or(-1),
    };
    commands.iter().enumerate().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::{Answer, parse, print};

    #[test]
    fn a_table_reads_back() {
        let answer = |stdout: &str, stderr: &str| Answer {
            command: "ip x".into(),
            stdout: stdout.into(),
            stderr: stderr.into(),
            status: 255,
        };
        let answers = [answer("a\n\n b", ""), answer("", "no newline"), answer("", "\n")];
        assert_eq!(parse(&print(&answers)), answers);
    }
}
