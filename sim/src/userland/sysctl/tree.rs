//! `/proc/sys` as `sysctl` walks it: what the simulator keeps of `net`, and a few harmless others.

use super::super::{Proc, hostname, modules};
use crate::userland::regex::Regex;
use std::collections::BTreeSet;
use vethlab_engine::control::{Command, Errno};

/// Keys outside of `net`, in the order of their directories. They can be read, not written.
const OTHERS: &[(&str, &str)] = &[
    ("fs/file-max", "9223372036854775807"),
    ("fs/nr_open", "1048576"),
    ("kernel/hostname", hostname::NAME),
    ("kernel/osrelease", modules::RELEASE),
    ("kernel/ostype", "Linux"),
    ("kernel/panic", "0"),
    ("kernel/pid_max", "4194304"),
    ("kernel/printk", "4\t4\t1\t7"),
    ("kernel/randomize_va_space", "2"),
    ("kernel/threads-max", "127214"),
    ("vm/max_map_count", "65530"),
    ("vm/overcommit_memory", "0"),
    ("vm/swappiness", "60"),
];

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Nothing.
    Missing(Errno),
    Directory,
    Value(String),
    /// It can be read only.
    ReadOnly(String),
    /// It can be written only.
    WriteOnly,
    /// It has no value yet (`stable_secret`).
    Unreadable,
}

/// `/proc/sys` of a process.
pub(super) struct Tree<'a> {
    p: &'a Proc,
}

/// A path without superfluous slashes.
fn tidy(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

impl Tree<'_> {
    /// As this process sees it.
    pub(super) fn new(p: &Proc) -> Tree<'_> {
        Tree { p }
    }

    /// What stands at this path.
    pub(super) fn node(&self, path: &str) -> Node {
        let path = tidy(path);
        if let Some(node) = self.leaf(&path) {
            return node;
        }
        if path.is_empty() || !self.below(&path).is_empty() {
            return Node::Directory;
        }
        let parent = path.rsplit_once('/').and_then(|(parent, _)| self.leaf(parent));
        Node::Missing(if parent.is_some() { Errno::NotDir } else { Errno::NoEnt })
    }

    fn leaf(&self, path: &str) -> Option<Node> {
        if let Some((_, value)) = OTHERS.iter().find(|(known, _)| *known == path) {
            return Some(Node::Value(value.to_string()));
        }
        let world = self.p.world();
        let stack = world.stack(self.p.ns());
        if let Some(value) = stack.sysctl(path) {
            // Only the first namespace has defaults for neighbours.
            let first = stack.sysctl("net/ipv4/neigh/default/gc_thresh1").is_some();
            return Some(if is_read_only(path, first) { Node::ReadOnly(value) } else { Node::Value(value) });
        }
        if matches!(path, "net/ipv4/route/flush" | "net/ipv6/route/flush") {
            return Some(Node::WriteOnly);
        }
        let directory =
            path.strip_suffix("/stable_secret").filter(|directory| directory.starts_with("net/ipv6/conf/"))?;
        stack.sysctl(&format!("{directory}/disable_ipv6")).map(|_| Node::Unreadable)
    }

    /// All paths of values below a directory, in the order of a listing.
    pub(super) fn below(&self, directory: &str) -> Vec<String> {
        let directory = tidy(directory);
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        self.all().into_iter().filter(|path| path.starts_with(&prefix)).collect()
    }

    fn all(&self) -> Vec<String> {
        let world = self.p.world();
        let net = world.stack(self.p.ns()).sysctl_paths();
        let secrets: Vec<String> = net
            .iter()
            .filter_map(|path| path.strip_prefix("net/ipv6/conf/")?.strip_suffix("/disable_ipv6"))
            .map(|name| format!("net/ipv6/conf/{name}/stable_secret"))
            .collect();
        let mut all: Vec<String> = OTHERS.iter().map(|(path, _)| path.to_string()).chain(net).chain(secrets).collect();
        all.sort_by(|one, other| one.split('/').cmp(other.split('/')));
        all.dedup();
        all
    }

    /// Values and directories that a shell pattern means.
    pub(super) fn like(&self, pattern: &str) -> Vec<String> {
        let Some(regex) = shell_pattern(&tidy(pattern)) else { return Vec::new() };
        let mut nodes: BTreeSet<String> = BTreeSet::new();
        for path in self.all() {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            nodes.extend(ends.map(|end| path[..end].to_string()).filter(|node| regex.is_match(node)));
        }
        nodes.into_iter().collect()
    }

    /// Writes a value.
    pub(super) fn write(&self, path: &str, value: &str) -> Result<(), Errno> {
        let path = tidy(path);
        if OTHERS.iter().any(|(known, _)| *known == path) {
            return Err(Errno::Acces);
        }
        let command = Command::SysctlWrite(path, value.to_string());
        self.p.world().apply(self.p.ns(), command).map_err(|refusal| refusal.errno)
    }
}

/// Those whose mode is 0444.
const READ_ONLY: &[&str] = &[
    "net/ipv4/tcp_available_congestion_control",
    "net/ipv4/tcp_available_ulp",
    "net/ipv4/tcp_ehash_entries",
    "net/ipv4/udp_hash_entries",
    "net/mptcp/available_path_managers",
    "net/mptcp/available_schedulers",
    "net/netfilter/nf_conntrack_count",
];

/// Those that can be written only in the machine's first namespace.
const FIRST_ONLY: &[&str] = &[
    "net/core/rmem_default",
    "net/core/rmem_max",
    "net/core/wmem_default",
    "net/core/wmem_max",
    "net/ipv4/tcp_allowed_congestion_control",
    "net/netfilter/nf_conntrack_buckets",
    "net/netfilter/nf_conntrack_expect_max",
    "net/netfilter/nf_conntrack_max",
];

fn is_read_only(path: &str, first_namespace: bool) -> bool {
    let of_link = path.starts_with("net/ipv4/conf/") || path.starts_with("net/ipv6/conf/");
    READ_ONLY.contains(&path)
        || !first_namespace && FIRST_ONLY.contains(&path)
        || of_link && path.ends_with("/mc_forwarding")
}

/// `*`, `?` and `[…]` as an expression; none of them goes beyond a slash.
fn shell_pattern(pattern: &str) -> Option<Regex> {
    let mut expression = String::from("^");
    let mut in_set = false;
    for c in pattern.chars() {
        match c {
            ']' => {
                in_set = false;
                expression.push(c);
            }
            _ if in_set => expression.push(if c == '!' && expression.ends_with('[') { '^' } else { c }),
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '[' => {
                in_set = true;
                expression.push(c);
            }
            c if c.is_alphanumeric() || "/_-".contains(c) => expression.push(c),
            c => expression.extend(['\\', c]),
        }
    }
    expression.push('$');
    Regex::new(&expression)
}

#[cfg(test)]
mod tests {
    use super::{shell_pattern, tidy};

    #[test]
    fn shell_patterns_stay_within_a_directory() {
        let fits = |pattern: &str, path: &str| shell_pattern(pattern).expect(pattern).is_match(path);
        assert!(fits("net/ipv4/conf/*/rp_filter", "net/ipv4/conf/lo/rp_filter"));
        assert!(!fits("net/*/rp_filter", "net/ipv4/conf/lo/rp_filter"));
        assert!(fits("net/conf/eth[0-9]/x", "net/conf/eth1/x") && !fits("net/conf/eth[!0-9]/x", "net/conf/eth1/x"));
        assert!(fits("net/conf/eth?.100/x", "net/conf/eth1.100/x"));
    }

    #[test]
    fn superfluous_slashes_do_not_count() {
        assert_eq!(tidy("/net//ipv4/./ip_forward/"), "net/ipv4/ip_forward");
    }
}
