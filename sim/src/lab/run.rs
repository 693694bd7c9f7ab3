//! Running one command line to its end, in virtual time: for tests, and for whoever needs no shell.

use super::{Event, Exit, Lab, Output, Pid, Signal, Spawn, base_name, exec_failed};
use crate::userland;
use crate::world::NsId;
use vethlab_engine::time::Duration;

/// A command line that has not ended by then is interrupted: a test should fail, not hang.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

impl Lab {
    /// Runs one command line in the host namespace to its end, in virtual time: for tests. Words are split at blanks,
    /// with single and double quotes; no shell syntax.
    pub fn run(&mut self, line: &str) -> Output {
        let host = self.world().host();
        let mut output = Output::default();
        output.status = self.run_words(host, split(line), &mut output);
        output
    }

    /// Makes bytes available under a path to programs started by [`Lab::run`]; `-` is standard input.
    pub fn provide(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.insert(path.to_string(), content.into());
    }

    fn run_words(&mut self, ns: NsId, argv: Vec<String>, output: &mut Output) -> i32 {
        let name = argv.first().cloned().unwrap_or_default();
        let pid = self.spawn(Spawn { ns, argv, env: Vec::new(), tty: false, real_pid: None });
        match self.run_to_end(pid, output) {
            Exit::Status(status) => status,
            Exit::Signaled(signal) => 128 + number(signal),
            Exit::Exec { places, argv, by_ip } => {
                let said = places.iter().any(|(_, heading)| !heading.is_empty());
                let mut status = 0;
                for (place, heading) in places {
                    output.stdout.push_str(&heading);
                    status = self.run_exec(place, &name, argv.clone(), by_ip, output);
                }
                if said { 0 } else { status }
            }
        }
    }

    /// What a driver does with an [`Exit::Exec`], for the words that are programs of ours.
    fn run_exec(&mut self, ns: NsId, by: &str, argv: Vec<String>, by_ip: bool, output: &mut Output) -> i32 {
        let name = argv.first().cloned().unwrap_or_default();
        let ours = userland::find(base_name(&name)).is_some() || userland::REFUSED.contains(&base_name(&name));
        if ours {
            return self.run_words(ns, argv, output);
        }
        let (complaint, status) = exec_failed(by, by_ip, &name, "No such file or directory");
        output.stderr.push_str(&complaint);
        status
    }

    fn run_to_end(&mut self, pid: Pid, output: &mut Output) -> Exit {
        let limit = self.now() + PATIENCE;
        loop {
            self.turn();
            let asked = self.needs_file();
            if let Some(exit) = self.collect(pid, output) {
                return exit;
            }
            if asked {
                continue;
            }
            if !self.step(limit) {
                return Exit::Signaled(Signal::Term);
            }
        }
    }

    /// Takes this program's events out, answers its requests for files, and leaves the others' events alone.
    fn collect(&mut self, pid: Pid, output: &mut Output) -> Option<Exit> {
        let mut others = Vec::new();
        let mut exit = None;
        for event in self.events() {
            match event {
                Event::Stdout(from, bytes) if from == pid => output.stdout.push_str(&String::from_utf8_lossy(&bytes)),
                Event::Stderr(from, bytes) if from == pid => output.stderr.push_str(&String::from_utf8_lossy(&bytes)),
                Event::Exit(from, how) if from == pid => exit = Some(how),
                Event::NeedFile(from, path) => {
                    let content = self.files.get(&path).cloned();
                    self.file(from, content.ok_or_else(|| "No such file or directory".to_string()));
                }
                other => others.push(other),
            }
        }
        self.core.state.borrow_mut().events = others;
        exit
    }
}

/// The number of a signal: a shell reports 128 more.
fn number(signal: Signal) -> i32 {
    match signal {
        Signal::Hup => 1,
        Signal::Int => 2,
        Signal::Quit => 3,
        Signal::Term => 15,
    }
}

/// Splits a line at blanks; quotes of either kind hold words together.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn lines_split_as_a_shell_would_without_its_syntax() {
        assert_eq!(split("  ip  netns 'a b'\"c\" '' "), ["ip", "netns", "a bc", ""]);
        assert!(split("   ").is_empty());
    }
}
