//! `vethlab shell`, on a terminal.

use crate::common::{User, users};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A shell on a terminal that `script` makes.
struct Terminal {
    child: Child,
    text: String,
    more: Receiver<Vec<u8>>,
}

impl Terminal {
    fn open(user: &User) -> Terminal {
        let shell = user.vethlab(&["shell", "--host", "bare"]);
        let words = std::iter::once(shell.get_program()).chain(shell.get_args());
        let line: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let mut script = Command::new("script");
        script.args(["-qec", &format!("exec {}", line.join(" ")), "/dev/null"]).current_dir(user.dir.path());
        script.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.env("TERM", "dumb").env("SHELL", "/bin/bash").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().unwrap();
        let (sender, more) = channel();
        let mut output = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(got @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..got].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, text: String::new(), more }
    }

    fn type_in(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the text, and forgets all up to it.
    #[track_caller]
    fn expect(&mut self, text: &str) {
        self.insist("", text);
    }

    /// Presses keys again and again until the text comes: the first may come too early.
    #[track_caller]
    fn insist(&mut self, keys: &str, text: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Some(at) = self.text.find(text) {
                self.text.drain(..at + text.len());
                return;
            }
            match self.more.recv_timeout(Duration::from_millis(300)) {
                Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout) => self.type_in(keys),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        panic!("no {text:?} in {:?}", self.text);
    }

    fn status(&mut self) -> Option<i32> {
        let mut status = None;
        crate::common::eventually("the shell ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A shell that has not ended does so when its terminal goes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_prompt_names_the_namespace_and_ctrl_c_ends_a_ping_with_its_statistics() {
    for user in users() {
        let mut shell = Terminal::open(&user);
        shell.expect("[host] # ");
        shell.type_in("ip netns add red; sudo ip netns exec red bash\n");
        shell.expect("[red] # ");
        shell.type_in("ip link set lo up; ping 127.0.0.1\n");
        let began = Instant::now();
        shell.expect("icmp_seq=2");
        assert!(began.elapsed() >= Duration::from_millis(900), "a ping a second");
        shell.type_in("\u{3}");
        shell.expect("ping statistics ---");
        shell.expect("[red] # ");
        shell.type_in("echo status=$?; sleep 100\n");
        shell.expect("status=0");
        shell.insist("\u{1a}", "Stopped");
        shell.expect("[red] # ");
        shell.type_in("fg\n");
        shell.insist("\u{3}", "[red] # ");
        shell.type_in("exit\n");
        shell.expect("[host] # ");
        shell.type_in("exit 7\n");
        assert_eq!(shell.status(), Some(7));
        user.assert_clean();
        let history = std::fs::read_to_string(user.dir.path().join("tmp/.local/state/vethlab/history")).unwrap();
        assert!(history.contains("ip netns add red"), "{history}");
    }
}
