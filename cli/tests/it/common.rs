//! Running the binary as whoever runs the tests, and, if that is root, as nobody, too.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nobody's number.
const NOBODY: &str = "65534";

/// A user to run as, with a scratch directory.
pub(crate) struct User {
    nobody: bool,
    pub(crate) dir: TempDir,
}

/// Those as whom we can run.
pub(crate) fn users() -> Vec<User> {
    let root = nix::unistd::geteuid().is_root();
    let kinds = if root { vec![false, true] } else { vec![false] };
    kinds.into_iter().map(User::new).collect()
}

impl User {
    fn new(nobody: bool) -> User {
        let dir = tempfile::tempdir().unwrap();
        let open = |path: &Path| std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
        open(dir.path());
        std::fs::create_dir(dir.path().join("tmp")).unwrap();
        open(&dir.path().join("tmp"));
        // A copy, for the checkout may be in a directory that nobody may enter.
        std::fs::copy(env!("CARGO_BIN_EXE_vethlab"), dir.path().join("vethlab")).unwrap();
        User { nobody, dir }
    }

    /// A command line of `vethlab`.
    pub(crate) fn vethlab(&self, words: &[&str]) -> Command {
        let program = self.dir.path().join("vethlab");
        let mut command = if self.nobody {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let tmp = self.dir.path().join("tmp");
        command.args(words).current_dir(self.dir.path()).env("TMPDIR", &tmp).env("HOME", &tmp).env("LC_ALL", "C");
        command
    }

    /// Writes a script and runs it on a bare host.
    pub(crate) fn run(&self, script: &str) -> Output {
        self.script(script).output().unwrap()
    }

    /// The command that does.
    pub(crate) fn script(&self, script: &str) -> Command {
        std::fs::write(self.dir.path().join("script"), script).unwrap();
        self.vethlab(&["run", "--host", "bare", "script"])
    }

    /// Nothing of a lab is left in the directory for such things.
    pub(crate) fn assert_clean(&self) {
        let left: Vec<_> =
            std::fs::read_dir(self.dir.path().join("tmp")).unwrap().map(|entry| entry.unwrap()).collect();
        let labs = left.iter().filter(|entry| entry.file_name().to_string_lossy().starts_with("vethlab-"));
        assert_eq!(labs.count(), 0, "a lab's directory is left");
    }
}

/// Runs a script as every user; it must print this, nothing on standard error, and end with this status.
#[track_caller]
pub(crate) fn prints(script: &str, stdout: &str, status: i32) {
    for user in users() {
        let output = user.run(script);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "standard error of {script}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), stdout, "{script}");
        assert_eq!(output.status.code(), Some(status), "{script}");
        user.assert_clean();
    }
}

/// Waits until it holds, but not forever.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
