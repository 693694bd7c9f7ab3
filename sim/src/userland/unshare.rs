//! `unshare` (util-linux 2.38.1), as far as network namespaces go: the whole lab shares all others.

use super::Proc;
use super::becoming::{exec, fail, shell};
use super::getopt::{Item, Long, Takes, getopt};
use crate::lab::Exit;
use vethlab_engine::control::Errno;

/// Long options; those that have no letter are given one that nobody can type.
const LONG: &[Long] = &[
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'V'),
    ("mount", Takes::MaybeValue, 'm'),
    ("uts", Takes::MaybeValue, 'u'),
    ("ipc", Takes::MaybeValue, 'i'),
    ("net", Takes::MaybeValue, 'n'),
    ("pid", Takes::MaybeValue, 'p'),
    ("user", Takes::MaybeValue, 'U'),
    ("cgroup", Takes::MaybeValue, 'C'),
    ("time", Takes::MaybeValue, 'T'),
    ("fork", Takes::Nothing, 'f'),
    ("kill-child", Takes::MaybeValue, '\u{1}'),
    ("mount-proc", Takes::MaybeValue, '\u{1}'),
    ("map-user", Takes::Value, '\u{1}'),
    ("map-users", Takes::Value, '\u{1}'),
    ("map-group", Takes::Value, '\u{1}'),
    ("map-groups", Takes::Value, '\u{1}'),
    ("map-root-user", Takes::Nothing, 'r'),
    ("map-current-user", Takes::Nothing, 'c'),
    ("map-auto", Takes::Nothing, '\u{1}'),
    ("propagation", Takes::Value, '\u{1}'),
    ("setgroups", Takes::Value, '\u{1}'),
    ("keep-caps", Takes::Nothing, '\u{1}'),
    ("setuid", Takes::Value, 'S'),
    ("setgid", Takes::Value, 'G'),
    ("root", Takes::Value, 'R'),
    ("wd", Takes::Value, 'w'),
    ("monotonic", Takes::Value, '\u{1}'),
    ("boottime", Takes::Value, '\u{1}'),
];

/// Where a namespace may be given a name to stay.
const RUN_DIR: [&str; 2] = ["/run/netns/", "/var/run/netns/"];

/// `unshare`: a namespace that lives as long as its processes, unless `--net=FILE` gives it a name that is there already
/// (`touch`ed); that is refused, since a name of this lab is always a namespace.
pub(super) async fn main(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "+fhVmuinpCTUrR:w:S:G:c", LONG);
    let mut net = false;
    for item in &parsed.items {
        match item {
            Item::Option('n', Some(path)) => return fail(&p, 1, &bind_failure(&p, path)),
            Item::Option('n', None) => net = true,
            Item::Option('h', _) => {
                p.out(HELP);
                return Exit::Status(0);
            }
            Item::Option('V', _) => {
                p.out("unshare from util-linux 2.38.1\n");
                return Exit::Status(0);
            }
            Item::Option(..) => {}
            Item::Bad(complaint) => {
                return fail(&p, 1, &format!("{complaint}Try 'unshare --help' for more information.\n"));
            }
        }
    }
    let ns = if net { p.world().netns_unshare() } else { p.ns() };
    if parsed.operands.is_empty() { shell(&p, ns, None) } else { exec(ns, parsed.operands) }
}

/// What `--net=FILE` ends in.
fn bind_failure(p: &Proc, path: &str) -> String {
    let name = RUN_DIR.iter().find_map(|dir| path.strip_prefix(dir));
    if name.is_some_and(|name| p.world().netns_named(name).is_some()) {
        return "vethlab: unshare --net=FILE is not simulated; use `ip netns add NAME`\n".to_owned();
    }
    format!("unshare: mount /proc/self/ns/net on {path} failed: {}\n", Errno::NoEnt.text())
}

const HELP: &str = "
Usage:
 unshare [options] [<program> [<argument>...]]

Run a program with some namespaces unshared from the parent.

Options:
 -m, --mount[=<file>]      unshare mounts namespace
 -u, --uts[=<file>]        unshare UTS namespace (hostname etc)
 -i, --ipc[=<file>]        unshare System V IPC namespace
 -n, --net[=<file>]        unshare network namespace
 -p, --pid[=<file>]        unshare pid namespace
 -U, --user[=<file>]       unshare user namespace
 -C, --cgroup[=<file>]     unshare cgroup namespace
 -T, --time[=<file>]       unshare time namespace

 -f, --fork                fork before launching <program>
 --map-user=<uid>|<name>   map current user to uid (implies --user)
 --map-group=<gid>|<name>  map current group to gid (implies --user)
 -r, --map-root-user       map current user to root (implies --user)
 -c, --map-current-user    map current user to itself (implies --user)
 --map-auto                map users and groups automatically (implies --user)
 --map-users=<outeruid>,<inneruid>,<count>
                           map count users from outeruid to inneruid (implies --user)
 --map-groups=<outergid>,<innergid>,<count>
                           map count groups from outergid to innergid (implies --user)

 --kill-child[=<signame>]  when dying, kill the forked child (implies --fork)
                             defaults to SIGKILL
 --mount-proc[=<dir>]      mount proc filesystem first (implies --mount)
 --propagation slave|shared|private|unchanged
                           modify mount propagation in mount namespace
 --setgroups allow|deny    control the setgroups syscall in user namespaces
 --keep-caps               retain capabilities granted in user namespaces

 -R, --root=<dir>          run the command with root directory set to <dir>
 -w, --wd=<dir>            change working directory to <dir>
 -S, --setuid <uid>        set uid in entered namespace
 -G, --setgid <gid>        set gid in entered namespace
 --monotonic <offset>      set clock monotonic offset (seconds) in time namespaces
 --boottime <offset>       set clock boottime offset (seconds) in time namespaces

 -h, --help                display this help
 -V, --version             display version

For more details see unshare(1).
";

#[cfg(test)]
mod tests {
    use crate::lab::{Lab, Options};

    fn lab() -> Lab {
        Lab::new(Options::default())
    }

    #[test]
    fn a_new_namespace_is_empty_and_goes_with_its_program() {
        let mut lab = lab();
        let before = lab.world().stacks().count();
        let lines = lab.run("unshare -n ip -br link").stdout;
        assert_eq!(lines, "lo               DOWN           00:00:00:00:00:00 <LOOPBACK> \n");
        lab.run("sleep 1");
        assert_eq!(lab.world().stacks().count(), before, "nobody holds it");
    }

    #[test]
    fn without_net_nothing_changes() {
        let mut lab = lab();
        assert_eq!(lab.run("unshare -rm ip -o link").stdout, lab.run("ip -o link").stdout);
    }

    #[test]
    fn refusals() {
        let mut lab = lab();
        for (line, text, status) in [
            ("unshare --foo", "unshare: unrecognized option '--foo'\nTry 'unshare --help' for more information.\n", 1),
            ("unshare -n nosuch", "unshare: failed to execute nosuch: No such file or directory\n", 127),
        ] {
            let said = lab.run(line);
            assert_eq!((said.stderr.as_str(), said.status), (text, status), "{line}");
        }
    }
}
