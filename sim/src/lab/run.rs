//! Running one command line to its end, in virtual time: for tests, and for whoever needs no shell.

use super::{Event, Exit, Lab, Output, Pid, SIGKILL, Signal, Spawn, TimeLimit, base_name, exec_failed};
use crate::userland;
use crate::world::NsId;
use vethlab_engine::control::Errno;
use vethlab_engine::time::{Duration, Time};

/// Programs read their standard input in pieces of this size.
const STDIN_PIECE: usize = 16384;

/// A command line that has not ended by then is interrupted: a test should fail, not hang.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

impl Lab {
    /// Runs one command line in the host namespace to its end, in virtual time: for tests. Words are split at blanks,
    /// with single and double quotes; no shell syntax.
    pub fn run(&mut self, line: &str) -> Output {
        let host = self.world().host();
        let mut output = Output::default();
        output.status = self.run_words(host, split(line), None, &mut output);
        output
    }

    /// Makes bytes available under a path to programs started by [`Lab::run`]; `-` is standard input.
    pub fn provide(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.put(path, content.into());
    }

    /// What lies under a path: provided before, or written by a program.
    pub fn provided(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path)
    }

    /// Starts a command line in the host namespace and lets it run until it waits; it goes on while others run. Its
    /// standard input is empty.
    pub fn start(&mut self, line: &str) -> Pid {
        let host = self.world().host();
        self.start_in(host, line)
    }

    /// The same in another namespace.
    pub fn start_in(&mut self, ns: NsId, line: &str) -> Pid {
        let pid = self.spawn(Spawn { ns, argv: split(line), env: Vec::new(), tty: false, real_pid: None });
        self.turn();
        pid
    }

    /// The same on the host for a program that reads this text from its standard input.
    #[cfg(test)]
    pub(crate) fn serve_text(&mut self, line: &str, text: &str) -> Pid {
        let pid = self.start(line);
        let pieces = [text.as_bytes().to_vec(), Vec::new()];
        pieces.into_iter().for_each(|piece| self.stdin(pid, piece));
        pid
    }

    /// What a program printed that was started by [`Lab::start`]; it is waited for, but not forever.
    pub fn finish(&mut self, pid: Pid) -> Output {
        let mut output = Output::default();
        output.status = match self.run_to_end(pid, None, &mut output) {
            Exit::Status(status) => status,
            Exit::Signaled(signal) => 128 + number(signal),
            Exit::Exec { .. } | Exit::Timeout(_) => 127,
        };
        output
    }

    fn run_words(&mut self, ns: NsId, argv: Vec<String>, mut watch: Watch<'_>, output: &mut Output) -> i32 {
        let name = argv.first().cloned().unwrap_or_default();
        let pid = self.spawn(Spawn { ns, argv, env: Vec::new(), tty: false, real_pid: None });
        match self.run_to_end(pid, watch.as_deref_mut(), output) {
            Exit::Status(status) => status,
            Exit::Signaled(signal) => 128 + number(signal),
            Exit::Exec { places, argv, by_ip } => {
                let said = places.iter().any(|(_, heading)| !heading.is_empty());
                let mut status = 0;
                for (place, heading) in places {
                    output.stdout.push_str(&heading);
                    let failed = |command: &str, reason: &str| exec_failed(&name, by_ip, command, reason);
                    if argv.first() == Some(&name) && userland::PARTLY.contains(&base_name(&name)) {
                        let (complaint, failed) = failed(&name, Errno::NoEnt.text());
                        output.stderr.push_str(&complaint);
                        status = failed;
                        continue;
                    }
                    status = self.run_exec(place, argv.clone(), &failed, watch.as_deref_mut(), output);
                }
                if said { 0 } else { status }
            }
            Exit::Timeout(limit) => {
                let mut alarm =
                    Alarm { at: limit.after.map(|span| self.now() + span), last: None, limit: limit.clone() };
                let failed = |_: &str, reason: &str| limit.exec_failed(reason);
                let status = self.run_exec(ns, limit.argv.clone(), &failed, Some(&mut alarm), output);
                limit.status(status, alarm.last)
            }
        }
    }

    /// What a driver does with an [`Exit::Exec`], for the words that are programs of ours.
    fn run_exec(
        &mut self,
        ns: NsId,
        argv: Vec<String>,
        failed: &dyn Fn(&str, &str) -> (String, i32),
        watch: Watch<'_>,
        output: &mut Output,
    ) -> i32 {
        let name = argv.first().cloned().unwrap_or_default();
        if userland::find(base_name(&name)).is_some() || userland::REFUSED.contains(&base_name(&name)) {
            return self.run_words(ns, argv, watch, output);
        }
        let (complaint, status) = failed(&name, Errno::NoEnt.text());
        output.stderr.push_str(&complaint);
        status
    }

    fn run_to_end(&mut self, pid: Pid, mut watch: Watch<'_>, output: &mut Output) -> Exit {
        let limit = self.now() + PATIENCE;
        loop {
            self.turn();
            let asked = self.needs_file() || self.needs_stdin();
            if let Some(exit) = self.collect(pid, output) {
                return exit;
            }
            let alarm = watch.as_ref().and_then(|alarm| alarm.at).unwrap_or(Time::NEVER);
            if asked || self.step(alarm.min(limit)) {
                continue;
            }
            match watch.as_deref_mut().filter(|alarm| alarm.at.is_some()) {
                Some(alarm) => self.ring(pid, alarm, output),
                None => return Exit::Signaled(Signal::Term),
            }
        }
    }

    /// Time is over for a program: it is sent the signal, and killed later if that is asked for.
    fn ring(&mut self, pid: Pid, alarm: &mut Alarm, output: &mut Output) {
        let signal = if alarm.last.is_some() { SIGKILL } else { alarm.limit.signal };
        output.stderr.push_str(&alarm.limit.told(signal).unwrap_or_default());
        match by_number(signal) {
            Some(signal) => self.signal(pid, signal),
            None => self.kill(pid),
        }
        alarm.at = alarm.limit.kill_after.filter(|_| alarm.last.is_none()).map(|span| self.now() + span);
        alarm.last = Some(signal);
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
                Event::NeedFile(from, call) => {
                    let answer = self.files.answer(call);
                    self.answer(from, answer);
                }
                Event::NeedStdin(from) => {
                    let typed = if from == pid { self.files.get("-").unwrap_or_default().to_vec() } else { Vec::new() };
                    for piece in typed.chunks(STDIN_PIECE) {
                        self.stdin(from, piece.to_vec());
                    }
                    self.stdin(from, Vec::new());
                }
                other => others.push(other),
            }
        }
        self.core.state.borrow_mut().events = others;
        exit
    }
}

/// When a command that `timeout` watches is sent a signal next.
struct Alarm {
    at: Option<Time>,
    last: Option<i32>,
    limit: TimeLimit,
}

/// Whether a command is watched.
type Watch<'a> = Option<&'a mut Alarm>;

/// The signal of a number, if programs know it.
fn by_number(wanted: i32) -> Option<Signal> {
    [Signal::Hup, Signal::Int, Signal::Quit, Signal::Term].into_iter().find(|signal| number(*signal) == wanted)
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
