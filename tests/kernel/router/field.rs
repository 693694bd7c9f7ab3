//! Three kernel namespaces in a row, `src - mid - dst`, joined by two veth pairs, and a router in the middle one.
//!
//! The namespaces have no names: each lives by a process that sleeps in it, which ends with the test.

use regex::Regex;
use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vethlab_tests::binary::vethlab;

/// Which namespace.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Src,
    Mid,
    Dst,
}
use At::{Dst, Mid, Src};

/// Whose namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// Of the machine's root.
    Root,
    /// Of an ordinary user, who is root in a user namespace: `unshare -Urn`.
    User,
}

/// Addresses and routes of the two hosts; the router is 10.0.1.1 and 10.0.2.1.
const LINKS: [(At, &str); 12] = [
    (Src, "ip link set lo up"),
    (Dst, "ip link set lo up"),
    (Src, "ip link add s0 type veth peer name r0 netns MID"),
    (Dst, "ip link add d0 type veth peer name r1 netns MID"),
    (Src, "ip addr add 10.0.1.2/24 dev s0"),
    (Dst, "ip addr add 10.0.2.2/24 dev d0"),
    (Src, "ip link set s0 up"),
    (Mid, "ip link set r0 up"),
    (Mid, "ip link set r1 up"),
    (Dst, "ip link set d0 up"),
    (Src, "ip route add default via 10.0.1.1"),
    (Dst, "ip route add default via 10.0.2.1"),
];

/// What the router is told.
pub(super) const SCRIPT: &str =
    "# the router in the middle\nip addr add 10.0.1.1/24 dev r0\nip addr add 10.0.2.1/24 dev r1\n";

/// The namespaces.
pub(super) struct Field {
    rights: Rights,
    holders: Vec<Child>,
    folder: TempDir,
    binary: PathBuf,
    router_pid: Cell<u32>,
}

impl Field {
    /// Makes the namespaces and the cables.
    pub(super) fn new(rights: Rights) -> Field {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (binary, router_pid) = (vethlab().to_owned(), Cell::new(0));
        let mut field = Field { rights, holders: Vec::new(), binary, folder, router_pid };
        if rights == Rights::User {
            // An ordinary user may not be able to reach the checkout.
            field.binary = field.folder.path().join("vethlab");
            fs::copy(vethlab(), &field.binary).unwrap();
        }
        field.write("router.sh", SCRIPT);
        field.write("exchange.py", include_str!("exchange.py"));
        for _ in [Src, Mid, Dst] {
            let holder = field.hold();
            field.holders.push(holder);
        }
        let silent = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1";
        for at in [Src, Mid, Dst] {
            field.run(at, silent);
        }
        let middle = field.holders[Mid as usize].id().to_string();
        for (at, line) in LINKS {
            field.run(at, &line.replace("MID", &middle));
        }
        field
    }

    /// A process in a new namespace.
    fn hold(&self) -> Child {
        let mut words = as_user(self.rights);
        match self.holders.first() {
            None if self.rights == Rights::User => words.extend(["unshare", "-Urn"].map(str::to_owned)),
            Some(first) if self.rights == Rights::User => {
                words.extend(
                    ["nsenter", "-t", &first.id().to_string(), "-U", "--preserve-credentials"].map(str::to_owned),
                );
                words.extend(["unshare", "-n"].map(str::to_owned));
            }
            _ => words.extend(["unshare", "-n"].map(str::to_owned)),
        }
        words.extend(["sh", "-c", "echo ready; exec sleep 120"].map(str::to_owned));
        let mut child = command(&words).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "no namespace");
        child
    }

    /// Writes a file that the programs can read.
    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn binary(&self) -> &Path {
        &self.binary
    }

    /// A command line in a namespace.
    pub(super) fn command(&self, at: At, line: &str) -> Command {
        let mut words = as_user(self.rights);
        let holder = self.holders[at as usize].id().to_string();
        words.extend(["nsenter", "-t", &holder, "-n"].map(str::to_owned));
        if self.rights == Rights::User {
            words.extend(["-U", "--preserve-credentials"].map(str::to_owned));
        }
        words.extend(line.split_whitespace().map(str::to_owned));
        command(&words)
    }

    /// Runs a command line to its end, whatever that is.
    pub(super) fn output(&self, at: At, line: &str) -> Output {
        self.command(at, line).output().unwrap()
    }

    /// Runs a command line that must succeed; what it printed.
    pub(super) fn run(&self, at: At, line: &str) -> String {
        let output = self.output(at, line);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{at:?}: {line}: {}\n{text}{errors}", output.status);
        text
    }

    /// Starts the exchange server.
    pub(super) fn serve(&self, at: At) -> Running {
        let line = format!("/usr/bin/python3 {} serve", self.path("exchange.py").display());
        Running::start(self.command(at, &line), &self.path(&format!("server-{at:?}")), "ready", false)
    }

    /// One exchange with a server.
    pub(super) fn exchange(&self, at: At, what: &str) {
        let said = self.run(at, &format!("/usr/bin/python3 {} {what}", self.path("exchange.py").display()));
        assert_eq!(said, "ok\n", "{at:?}: {what}");
    }

    /// What both hosts leave to their interfaces: `on` or `off`.
    pub(super) fn offloads(&self, state: &str) {
        for (at, interface) in [(Src, "s0"), (Dst, "d0")] {
            self.run(at, &format!("ethtool -K {interface} tx {state} tso {state} gso {state}"));
        }
    }

    /// Starts the router.
    pub(super) fn router(&self) -> Running {
        self.router_with("")
    }

    /// Starts the router with more options.
    pub(super) fn router_with(&self, options: &str) -> Running {
        let script = self.path("router.sh");
        let line = format!("{} router --port r0 r1 --script {} {options}", self.binary.display(), script.display());
        let router = Running::start(self.command(Mid, &line), &self.path("router"), "ready", true);
        self.router_pid.set(router.child.id());
        router
    }

    /// What a router says of itself, for a test that failed: the frames it counted, and the news it told.
    pub(super) fn diagnosis(&self) -> String {
        match self.router_pid.get() {
            0 => return String::new(),
            pid => drop(Command::new("kill").args(["-USR1", &pid.to_string()]).status()),
        }
        std::thread::sleep(Duration::from_millis(200));
        ["router.out", "router.err"].map(|name| fs::read_to_string(self.path(name)).unwrap_or_default()).concat()
    }

    /// Frames that an interface in the middle received and sent, as the kernel counts. A frame that the far end's backlog has
    /// no room for was sent, too: `veth_xmit` takes it, and counts it among the dropped ones.
    pub(super) fn kernel_counts(&self, interface: &str) -> (u64, u64) {
        let table = self.run(Mid, "cat /proc/net/dev");
        let line = table.lines().find_map(|line| line.trim().strip_prefix(&format!("{interface}:"))).unwrap();
        let numbers: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        (numbers[1], numbers[9] + numbers[11])
    }

    /// The process that a namespace lives by.
    pub(super) fn holder(&self, at: At) -> u32 {
        self.holders[at as usize].id()
    }

    /// Ends the router and looks whether it and the kernel counted the same frames, and each of them once.
    pub(super) fn account(&self, router: Running) -> String {
        let before = self.counts();
        let report = router.end();
        check(&report, before, self.counts(), 0);
        report
    }

    /// The same while it runs; some frames may have [vanished](check).
    pub(super) fn account_so_far(&self, router: &mut Running, vanished: u64) -> String {
        let before = self.counts();
        router.signal("USR1");
        router.wait_for("frames: received", false);
        let report = router.said();
        check(&report, before, self.counts(), vanished);
        report
    }

    fn counts(&self) -> [(u64, u64); 2] {
        ["r0", "r1"].map(|interface| self.kernel_counts(interface))
    }
}

/// Looks whether the router counted the frames that the kernel did, which is asked before and after: a host may ask for a
/// neighbour again at any moment. `vanished`: so many may have been sent to an interface whose cable had gone a moment
/// before; the kernel drops such frames, but says that they were sent.
fn check(report: &str, before: [(u64, u64); 2], after: [(u64, u64); 2], vanished: u64) {
    let mut sent_in_all = 0;
    for (interface, (before, after)) in ["r0", "r1"].into_iter().zip(before.into_iter().zip(after)) {
        let line = report.lines().find(|line| line.starts_with(interface)).unwrap_or_default();
        let arrived = number(line, r"received (\d+)") + number(line, r"(\d+) dropped by the kernel");
        let sent = number(line, r"sent (\d+)");
        assert!((before.0..=after.0).contains(&arrived), "{interface} received {before:?} to {after:?}: {report}");
        assert!((before.1..=after.1 + vanished).contains(&sent), "{interface} sent {before:?} to {after:?}: {report}");
        sent_in_all += sent + number(line, r"(\d+) refused");
    }
    assert!(!report.contains("unaccounted"), "{report}");
    let sum = format!("sent {sent_in_all} +");
    assert!(report.contains(&sum), "what the path sent, the ports sent or refused: {sum} {report}");
}

impl Drop for Field {
    fn drop(&mut self) {
        for holder in &mut self.holders {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

/// The number that the pattern's group finds; 0 if it does not.
pub(super) fn number(text: &str, pattern: &str) -> u64 {
    let found = Regex::new(pattern).unwrap().captures(text);
    found.map_or(0, |found| found[1].parse().unwrap())
}

/// True if this process is the machine's root.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|myself| myself.uid() == 0)
}

/// Words in front of a command that make it an ordinary user's, where that is wanted and not so anyway.
fn as_user(rights: Rights) -> Vec<String> {
    match rights {
        Rights::User if is_root() => {
            ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"].map(str::to_owned).to_vec()
        }
        _ => Vec::new(),
    }
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    command
}

/// A program that runs beside the test.
pub(super) struct Running {
    child: Child,
    said: PathBuf,
    errors: PathBuf,
}

impl Running {
    /// Starts it and waits for a word, on standard error or on standard output.
    pub(super) fn start(mut command: Command, path: &Path, word: &str, on_errors: bool) -> Running {
        let (said, errors) = (path.with_extension("out"), path.with_extension("err"));
        let (out, err) = (fs::File::create(&said).unwrap(), fs::File::create(&errors).unwrap());
        let child = command.stdout(out).stderr(err).spawn().unwrap();
        let mut running = Running { child, said, errors };
        running.wait_for(word, on_errors);
        running
    }

    /// Waits until it has said this.
    pub(super) fn wait_for(&mut self, word: &str, on_errors: bool) {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let text = fs::read_to_string(if on_errors { &self.errors } else { &self.said }).unwrap_or_default();
            if text.contains(word) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < patience, "{ended:?}: {}", self.everything());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it by a signal; what it has printed.
    pub(super) fn end(self) -> String {
        self.signal("TERM");
        self.wait()
    }

    /// Waits until it ends by itself; what it has printed.
    pub(super) fn wait(mut self) -> String {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.everything());
        self.said()
    }

    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    fn everything(&self) -> String {
        [&self.said, &self.errors].map(|path| fs::read_to_string(path).unwrap_or_default()).concat()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
