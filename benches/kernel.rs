//! The kernel as a peer: network namespaces without names, which are gone when this process is, however it ends.
//!
//! A namespace is a file that is open here. This thread goes in and comes back; sockets that it opens there stay there, and
//! programs that it starts are born there.

use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

/// What to do where the rights are missing.
pub const RIGHTS: &str = "needs root, to make network namespaces and to open AF_XDP sockets (sudo vethlab bench ...)";
/// The namespace of this thread.
const HERE: &str = "/proc/thread-self/ns/net";

/// A network namespace.
#[derive(Debug)]
pub struct Netns {
    file: File,
}

impl Netns {
    /// A new one, in which IPv6 is off: it would send frames of its own.
    pub fn new() -> io::Result<Netns> {
        let _back = Back::remember()?;
        unshare(CloneFlags::CLONE_NEWNET).map_err(|why| match io::Error::from(why) {
            why if why.kind() == io::ErrorKind::PermissionDenied => io::Error::new(why.kind(), RIGHTS),
            why => why,
        })?;
        for place in ["all", "default"] {
            // A kernel without IPv6 has no such file, and needs none.
            let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{place}/disable_ipv6"), "1");
        }
        Ok(Netns { file: File::open(HERE)? })
    }

    /// Does something inside.
    pub fn enter<R>(&self, act: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        let _back = Back::remember()?;
        setns(&self.file, CloneFlags::CLONE_NEWNET)?;
        act()
    }

    /// Its name for `ip link … netns`.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// The number of an interface inside.
    pub fn index_of(&self, interface: &str) -> io::Result<u32> {
        self.enter(|| Ok(nix::net::if_::if_nametoindex(interface)?))
    }

    /// Runs a program inside, with this on its standard input; it must succeed. What it printed.
    pub fn run(&self, words: &[&str], input: &str) -> io::Result<String> {
        let Some((program, arguments)) = words.split_first() else { return Ok(String::new()) };
        let named = |why: io::Error| io::Error::new(why.kind(), format!("{program}: {why}"));
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.enter(|| command.spawn().map_err(named))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).map_err(named)?;
        }
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("{}: {}", words.join(" "), said.trim().lines().next().unwrap_or_default())))
    }

    /// Runs lines of `ip`, `iptables` and the like inside, without quotes in them.
    pub fn run_lines<'l>(&self, lines: impl IntoIterator<Item = &'l str>) -> io::Result<()> {
        for line in lines {
            self.run(&line.split_whitespace().collect::<Vec<_>>(), "")?;
        }
        Ok(())
    }

    /// Counts what arrives at an interface.
    pub fn counter(&self, interface: &str) -> io::Result<Counter> {
        // The file stays that of this namespace, whoever reads it.
        let file = self.enter(|| File::open("/proc/thread-self/net/dev"))?;
        Ok(Counter { file, interface: interface.to_string() })
    }
}

/// Where this thread was, and will be again when this is dropped.
struct Back(File);

impl Back {
    fn remember() -> io::Result<Back> {
        File::open(HERE).map(Back)
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        // Whoever could leave may come back.
        let _ = setns(&self.0, CloneFlags::CLONE_NEWNET);
    }
}

/// Counts the frames that an interface receives.
#[derive(Debug)]
pub struct Counter {
    file: File,
    interface: String,
}

impl Counter {
    /// How many it were so far.
    pub fn received(&mut self) -> io::Result<u64> {
        let mut text = String::new();
        self.file.rewind()?;
        self.file.read_to_string(&mut text)?;
        let line = text.lines().find_map(|line| line.trim().strip_prefix(&self.interface)?.strip_prefix(':'));
        let second = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        second.ok_or_else(|| io::Error::other(format!("{} is not in /proc/net/dev", self.interface)))
    }
}
