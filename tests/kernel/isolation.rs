//! Nothing that a script does reaches the machine: neither from the simulator nor from `--on kernel`, neither as root nor as
//! nobody.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vethlab_tests::binary::{root, vethlab};
use vethlab_tests::pack;
use vethlab_tests::rights::root_or_skip;

/// Where the machine's network can be looked at, and what does not stand still in it.
const LOOK: &str = r"
ip -d link | sed 's/\(valid\|preferred\)_lft.*//'
ip addr | sed 's/\(valid\|preferred\)_lft.*//'
ip -4 route show table all; ip -6 route show table all | sed 's/expires.*//'
ip rule; ip netns list; bridge fdb show; tc qdisc show
iptables-save 2>&1 | sed '/^#/d; s/\[[0-9:]*\]//'
find /proc/sys/net -type f | sort | grep -v 'nf_conntrack_count\|stable_secret\|flush' | while read -r file; do
    echo $file $(cat $file 2>&1)
done
ls /run/netns 2>&1; cat /etc/iproute2/rt_tables
";

fn machine() -> String {
    let output = Command::new("bash").args(["-c", LOOK]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The scripts of a folder; none if there is no such folder.
fn scripts(folder: PathBuf) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sh"));
    files.sort();
    files
}

/// A place where everybody may write, with the binary and a script that everybody may read.
struct Place(tempfile::TempDir);

impl Place {
    fn new(script: &Path) -> Place {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        std::fs::copy(vethlab(), dir.path().join("vethlab")).unwrap();
        std::fs::copy(script, dir.path().join("script.sh")).unwrap();
        Place(dir)
    }

    fn run(&self, as_nobody: bool, options: &[&str]) {
        let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
        let mut words: Vec<&str> = vec!["timeout", "-k", "5", "90"];
        words.extend(nobody.iter().filter(|_| as_nobody));
        let binary = self.0.path().join("vethlab");
        let output = Command::new(words[0])
            .args(&words[1..])
            .arg(binary)
            .arg("run")
            .args(options)
            .arg("script.sh")
            .current_dir(self.0.path())
            .env("TMPDIR", self.0.path())
            .env("HOME", self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|status| status < 124), "it did not come to its end: {said}");
        assert!(!said.contains("vethlab: --on kernel"), "{said}");
    }
}

#[test]
fn no_script_changes_the_machine() {
    if !root_or_skip("no_script_changes_the_machine") {
        return;
    }
    let before = machine();
    assert!(before.contains("/proc/sys/net/ipv4/ip_forward"), "the machine was not looked at: {before}");
    let examples: Vec<PathBuf> =
        scripts(root().join("cli/examples")).into_iter().filter(|file| !file.ends_with("real-router.sh")).collect();
    let pack = pack::scripts("the pack in no_script_changes_the_machine");
    for script in examples.iter().chain(&scripts(root().join("tests/scenarios"))).chain(&pack) {
        let place = Place::new(script);
        for as_nobody in [false, true] {
            place.run(as_nobody, &["--host", "bare"]);
        }
    }
    for script in &examples {
        let place = Place::new(script);
        for as_nobody in [false, true] {
            place.run(as_nobody, &["--on", "kernel"]);
        }
    }
    let after = machine();
    assert!(before == after, "{}", similar::TextDiff::from_lines(&before, &after).unified_diff());
}
