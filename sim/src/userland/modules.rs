//! `modprobe` and `lsmod` (kmod 30). What the simulator can do is built in, so loading it succeeds silently; asking for
//! what it cannot do (`bridge`, `8021q`, `ip_tables` …) fails as for a module that is not there.

use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use crate::lab::Exit;

/// The kernel whose behaviour is simulated.
pub(crate) const RELEASE: &str = "6.18.0-vethlab";

/// Modules whose work the simulator does.
const BUILT_IN: &[&str] = &["veth", "ipv6", "af_packet", "packet", "loopback", "unix"];

const LONG: &[Long] = &[
    ("all", Takes::Nothing, 'a'),
    ("remove", Takes::Nothing, 'r'),
    ("dry-run", Takes::Nothing, 'n'),
    ("show", Takes::Nothing, 'n'),
    ("first-time", Takes::Nothing, 'i'),
    ("force", Takes::Nothing, 'f'),
    ("quiet", Takes::Nothing, 'q'),
    ("syslog", Takes::Nothing, 's'),
    ("use-blacklist", Takes::Nothing, 'b'),
    ("verbose", Takes::Nothing, 'v'),
    ("version", Takes::Nothing, 'V'),
];

/// `modprobe`
pub(crate) async fn modprobe(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "+arnifqsbvV", LONG);
    let (mut all, mut remove, mut quiet) = (false, false, false);
    for item in &parsed.items {
        match item {
            Item::Option('a', _) => all = true,
            Item::Option('r', _) => (all, remove) = (true, true),
            Item::Option('q', _) => quiet = true,
            Item::Option('V', _) => {
                p.out("kmod version 30\n");
                return Exit::Status(0);
            }
            Item::Option(..) => {}
            Item::Bad(complaint) => {
                p.err(complaint);
                return Exit::Status(1);
            }
        }
    }
    // Without -a what follows the first name are the module's parameters.
    let names = if all { &parsed.operands[..] } else { parsed.operands.get(..1).unwrap_or_default() };
    if names.is_empty() {
        p.err("modprobe: ERROR: missing parameters. See -h.\n");
        return Exit::Status(1);
    }
    let mut status = 0;
    for name in names {
        if let Some(complaint) = complaint(name, remove) {
            status = 1;
            if !quiet {
                p.err(&complaint);
            }
        }
    }
    Exit::Status(status)
}

/// Why a module is not loaded, or removed.
fn complaint(name: &str, remove: bool) -> Option<String> {
    match (BUILT_IN.contains(&name.replace('-', "_").as_str()), remove) {
        (true, false) => None,
        (true, true) => Some(format!("modprobe: FATAL: Module {name} is builtin.\n")),
        (false, _) => Some(format!("modprobe: FATAL: Module {name} not found in directory /lib/modules/{RELEASE}\n")),
    }
}

/// `lsmod`: nothing is loaded, all is built in.
pub(crate) async fn lsmod(p: Proc) -> Exit {
    p.out("Module                  Size  Used by\n");
    Exit::Status(0)
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn what_is_simulated_loads_and_what_is_not_says_so() {
        assert_eq!(complaint("veth", false), None);
        assert_eq!(complaint("af-packet", false), None);
        assert!(complaint("bridge", false).is_some_and(|text| text.contains("Module bridge not found")));
        assert!(complaint("veth", true).is_some_and(|text| text.ends_with("is builtin.\n")));
    }
}
