//! The lines that configure a router.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;
use vethlab_sim::Lab;

/// Programs that a router's script may use: they configure, and end at once.
const PROGRAMS: [&str; 7] = ["arp", "ifconfig", "ip", "iptables", "iptables-restore", "route", "sysctl"];

/// Runs a file of commands. The first that fails ends it: the file, the line and the status are said.
pub(super) fn run_file(lab: &mut Lab, path: &Path) -> Result<(), String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("{name}: {why}"))?;
    for (number, line) in lines(&text) {
        run(lab, &line, &format!("{name}:{number}"))?;
    }
    Ok(())
}

/// Runs one command; `place` says where it stands.
pub(super) fn run(lab: &mut Lab, line: &str, place: &str) -> Result<(), String> {
    let mut words = line.split_whitespace().skip_while(|word| *word == "sudo");
    let program = words.next().unwrap_or_default();
    if !PROGRAMS.contains(&program) {
        return Err(format!("{place}: {program}: not a command that configures a router ({})", PROGRAMS.join(", ")));
    }
    let output = lab.run(line);
    // Where there is nobody to read it, the router starts all the same.
    let _ = io::stdout().write_all(output.stdout.as_bytes());
    let _ = io::stderr().write_all(output.stderr.as_bytes());
    match output.status {
        0 => Ok(()),
        status => Err(format!("{place}: `{line}` failed with status {status}; nothing was forwarded")),
    }
}

/// The commands of a text, each with the number of its first line: no comments, no empty lines, and lines that end with a
/// backslash go on.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let (body, more) = match line.strip_suffix('\\') {
            Some(body) => (body, true),
            None => (line, false),
        };
        match found.last_mut().filter(|_| goes_on) {
            Some((_, command)) => command.push_str(&format!(" {body}")),
            None if body.is_empty() || body.starts_with('#') => continue,
            None => found.push((number + 1, body.to_owned())),
        }
        goes_on = more;
    }
    found
}

/// `IFNAME=ADDRESS/LENGTH`, as the command that it stands for.
pub(super) fn address(text: &str) -> Result<String, String> {
    let (name, address) = text.split_once('=').ok_or("IFNAME=ADDRESS/LENGTH is wanted")?;
    let odd = |part: &str| part.is_empty() || part.contains(|c: char| c.is_whitespace() || c == '\'' || c == '"');
    if odd(name) || odd(address) {
        return Err("IFNAME=ADDRESS/LENGTH is wanted".to_owned());
    }
    Ok(format!("ip addr add {address} dev {name}"))
}

/// `10`, `0.5`, `500ms`, `10s`, `2m`, `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("a number of seconds, or of ms, s, m or h, is wanted".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "a number is wanted".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_continued_lines() {
        let text = "#!/bin/sh\n\n ip addr add \\\n  10.0.0.1/24 dev r0\n# why\nip route\n";
        let expected = [(3, "ip addr add  10.0.0.1/24 dev r0"), (6, "ip route")];
        assert_eq!(lines(text), expected.map(|(number, line)| (number, line.to_owned())));
        assert_eq!(lines("ip a \\"), [(1, "ip a ".to_owned())]);
    }

    #[test]
    fn durations() {
        for (text, millis) in
            [("10", 10_000), ("0.5", 500), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000), ("0", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "s", "-1", "1 s", "1d", "1.2.3", "99999999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn addresses_become_commands() {
        assert_eq!(address("r0=10.0.0.1/24").as_deref(), Ok("ip addr add 10.0.0.1/24 dev r0"));
        for wrong in ["", "r0", "=10.0.0.1/24", "r0=", "r0=10.0.0.1/24 dev r1", "a'=1"] {
            assert!(address(wrong).is_err(), "{wrong:?}");
        }
    }
}
