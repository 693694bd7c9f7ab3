//! `nsenter` (util-linux 2.38.1), as far as network namespaces go: a lab has no others.

use super::Proc;
use super::becoming::{exec, fail, shell};
use super::getopt::{Item, Long, Takes, getopt};
use crate::lab::Exit;
use crate::world::NsId;

const LONG: &[Long] = &[
    ("all", Takes::Nothing, 'a'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'V'),
    ("target", Takes::Value, 't'),
    ("mount", Takes::MaybeValue, 'm'),
    ("uts", Takes::MaybeValue, 'u'),
    ("ipc", Takes::MaybeValue, 'i'),
    ("net", Takes::MaybeValue, 'n'),
    ("pid", Takes::MaybeValue, 'p'),
    ("user", Takes::MaybeValue, 'U'),
    ("cgroup", Takes::MaybeValue, 'C'),
    ("time", Takes::MaybeValue, 'T'),
    ("setuid", Takes::Value, 'S'),
    ("setgid", Takes::Value, 'G'),
    ("root", Takes::MaybeValue, 'r'),
    ("wd", Takes::MaybeValue, 'w'),
    ("wdns", Takes::MaybeValue, 'W'),
    ("no-fork", Takes::Nothing, 'F'),
    ("preserve-credentials", Takes::Nothing, 'k'),
    ("follow-context", Takes::Nothing, 'Z'),
];

const HELP: &str = "
Usage:
 nsenter [options] [<program> [<argument>...]]

Run a program with namespaces of other processes.

Options:
 -a, --all              enter all namespaces
 -t, --target <pid>     target process to get namespaces from
 -m, --mount[=<file>]   enter mount namespace
 -u, --uts[=<file>]     enter UTS namespace (hostname etc)
 -i, --ipc[=<file>]     enter System V IPC namespace
 -n, --net[=<file>]     enter network namespace
 -p, --pid[=<file>]     enter pid namespace
 -C, --cgroup[=<file>]  enter cgroup namespace
 -U, --user[=<file>]    enter user namespace
 -T, --time[=<file>]    enter time namespace
 -S, --setuid <uid>     set uid in entered namespace
 -G, --setgid <gid>     set gid in entered namespace
     --preserve-credentials do not touch uids or gids
 -r, --root[=<dir>]     set the root directory
 -w, --wd[=<dir>]       set the working directory
 -W. --wdns <dir>       set the working directory in namespace
 -F, --no-fork          do not fork before exec'ing <program>
 -Z, --follow-context   set SELinux context according to --target PID

 -h, --help             display this help
 -V, --version          display version

For more details see nsenter(1).
";

/// `nsenter`
pub(crate) async fn nsenter(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "+ahVt:m::u::i::n::p::C::U::T::S:G:r::w::W:FZ", LONG);
    let (mut target, mut entered, mut by_target, mut all) = (None, None, None, false);
    for item in &parsed.items {
        match item {
            Item::Option('n', Some(path)) => match namespace_at(&p, path) {
                Ok(ns) => entered = Some(ns),
                Err(complaint) => return fail(&p, 1, &complaint),
            },
            Item::Option('t', Some(pid)) => match pid.parse::<u32>() {
                Ok(pid) => target = Some(pid),
                Err(_) => return fail(&p, 1, &format!("nsenter: failed to parse pid: '{pid}'\n")),
            },
            Item::Option('a', _) => all = true,
            Item::Option('h', _) => return said(&p, HELP),
            Item::Option('V', _) => return said(&p, "nsenter from util-linux 2.38.1\n"),
            // Namespaces of other kinds are shared by the whole lab: entering one changes nothing.
            Item::Option(letter, None) => {
                by_target = by_target.filter(|first| *first == 'n').or(kind(*letter).map(|_| *letter))
            }
            Item::Option(..) => {}
            Item::Bad(complaint) => {
                return fail(&p, 1, &format!("{complaint}Try 'nsenter --help' for more information.\n"));
            }
        }
    }
    match (target, by_target) {
        (None, _) if all => return fail(&p, 1, "nsenter: no target PID specified for --all\n"),
        (None, Some(letter)) => {
            let name = kind(letter).unwrap_or("net");
            return fail(&p, 1, &format!("nsenter: neither filename nor target pid supplied for ns/{name}\n"));
        }
        (Some(pid), letter) if all || letter == Some('n') => match namespace_at(&p, &format!("/proc/{pid}/ns/net")) {
            Ok(ns) => entered = entered.or(Some(ns)),
            Err(complaint) => return fail(&p, 1, &complaint),
        },
        _ => {}
    }
    let ns = entered.unwrap_or(p.ns());
    if parsed.operands.is_empty() { shell(&p, ns, None) } else { exec(ns, parsed.operands) }
}

fn said(p: &Proc, text: &str) -> Exit {
    p.out(text);
    Exit::Status(0)
}

/// The name of the kind of namespace that an option stands for.
fn kind(letter: char) -> Option<&'static str> {
    Some(match letter {
        'm' => "mnt",
        'u' => "uts",
        'i' => "ipc",
        'n' => "net",
        'p' => "pid",
        'C' => "cgroup",
        'U' => "user",
        'T' => "time",
        _ => return None,
    })
}

/// The network namespace that a path stands for, or why it cannot be entered.
fn namespace_at(p: &Proc, path: &str) -> Result<NsId, String> {
    let missing = || format!("nsenter: cannot open {path}: No such file or directory\n");
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    match parts.as_slice() {
        _ if !path.starts_with('/') => Err(missing()),
        ["run", "netns", name] | ["var", "run", "netns", name] => p.world().netns_named(name).ok_or_else(missing),
        ["proc", "self" | "thread-self", "ns", "net"] => Ok(p.ns()),
        ["proc", "1", "ns", "net"] => Ok(p.world().host()),
        ["proc", pid, "ns", "net"] => pid.parse().ok().and_then(|pid| p.ns_of_pid(pid)).ok_or_else(missing),
        ["run", "netns"] | ["run"] | ["var", "run"] | ["var", "run", "netns"] | [] => {
            Err("nsenter: reassociate to namespace 'ns/net' failed: Invalid argument\n".to_string())
        }
        _ => Err(missing()),
    }
}
