//! `/proc/sys`: what the simulator keeps of `net`, and a few harmless others.

use super::Entry;
use crate::userland::{hostname, modules};
use crate::world::{NsId, World};
use std::collections::BTreeMap;
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
pub(crate) enum Node {
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

/// What stands at this path below `/proc/sys`, which has no superfluous slashes.
pub(crate) fn node(world: &World, ns: NsId, path: &str) -> Node {
    if let Some(node) = leaf(world, ns, path) {
        return node;
    }
    if path.is_empty() || !below(world, ns, path).is_empty() {
        return Node::Directory;
    }
    let parent = path.rsplit_once('/').and_then(|(parent, _)| leaf(world, ns, parent));
    Node::Missing(if parent.is_some() { Errno::NotDir } else { Errno::NoEnt })
}

fn leaf(world: &World, ns: NsId, path: &str) -> Option<Node> {
    if let Some((_, value)) = OTHERS.iter().find(|(known, _)| *known == path) {
        return Some(Node::Value(value.to_string()));
    }
    let stack = world.stack(ns);
    if path == "net/netfilter/nf_conntrack_count" {
        return Some(Node::ReadOnly(stack.conntrack().count(world.now()).to_string()));
    }
    if let Some(value) = stack.sysctl(path) {
        // Only the first namespace has defaults for neighbours.
        let first = stack.sysctl("net/ipv4/neigh/default/gc_thresh1").is_some();
        return Some(if is_read_only(path, first) { Node::ReadOnly(value) } else { Node::Value(value) });
    }
    if matches!(path, "net/ipv4/route/flush" | "net/ipv6/route/flush") {
        return Some(Node::WriteOnly);
    }
    let directory = path.strip_suffix("/stable_secret").filter(|directory| directory.starts_with("net/ipv6/conf/"))?;
    stack.sysctl(&format!("{directory}/disable_ipv6")).map(|_| Node::Unreadable)
}

/// All paths of values below a directory, in the order of a listing.
pub(crate) fn below(world: &World, ns: NsId, directory: &str) -> Vec<String> {
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    all(world, ns).into_iter().filter(|path| path.starts_with(&prefix)).collect()
}

/// All paths of values.
pub(crate) fn all(world: &World, ns: NsId) -> Vec<String> {
    let net = world.stack(ns).sysctl_paths();
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

/// Writes a value.
pub(crate) fn write(world: &mut World, ns: NsId, path: &str, value: &str) -> Result<(), Errno> {
    if OTHERS.iter().any(|(known, _)| *known == path) {
        return Err(Errno::Acces);
    }
    let command = Command::SysctlWrite(path.to_string(), value.to_string());
    world.apply(ns, command).map_err(|refusal| refusal.errno)
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

fn entry(name: &str, node: &Node) -> Result<Entry, Errno> {
    match node {
        Node::Missing(errno) => Err(*errno),
        Node::Directory => Ok(Entry::directory(name, 0o555)),
        Node::Value(_) => Ok(Entry::file(name, 0o644)),
        Node::ReadOnly(_) => Ok(Entry::file(name, 0o444)),
        Node::WriteOnly => Ok(Entry::file(name, 0o200)),
        Node::Unreadable => Ok(Entry::file(name, 0o600)),
    }
}

pub(super) fn kind(world: &World, ns: NsId, path: &str) -> Result<Entry, Errno> {
    entry(path, &node(world, ns, path))
}

pub(super) fn list(world: &World, ns: NsId, path: &str) -> Result<Vec<Entry>, Errno> {
    match node(world, ns, path) {
        Node::Directory => {}
        Node::Missing(errno) => return Err(errno),
        _ => return Err(Errno::NotDir),
    }
    let prefix = if path.is_empty() { 0 } else { path.len() + 1 };
    let mut entries = BTreeMap::new();
    for below in below(world, ns, path) {
        let rest = below.get(prefix..).unwrap_or_default();
        match rest.split_once('/') {
            Some((directory, _)) => entries.insert(directory.to_string(), Entry::directory(directory, 0o555)),
            None => entries.insert(rest.to_string(), entry(rest, &node(world, ns, &below))?),
        };
    }
    Ok(entries.into_values().collect())
}

pub(super) fn read(world: &World, ns: NsId, path: &str) -> Result<String, Errno> {
    match node(world, ns, path) {
        Node::Missing(errno) => Err(errno),
        Node::Directory => Err(Errno::IsDir),
        Node::Value(value) | Node::ReadOnly(value) => Ok(value + "\n"),
        Node::WriteOnly => Err(Errno::Acces),
        Node::Unreadable => Err(Errno::Io),
    }
}

pub(super) fn write_file(world: &mut World, ns: NsId, path: &str, text: &str) -> Result<(), Errno> {
    match node(world, ns, path) {
        Node::Missing(errno) => Err(errno),
        Node::Directory => Err(Errno::IsDir),
        Node::ReadOnly(_) => Err(Errno::Acces),
        _ if text.is_empty() => Ok(()),
        Node::Value(_) | Node::WriteOnly | Node::Unreadable => write(world, ns, path, text),
    }
}
