//! Files of `/proc/sys`, `/proc/net`, `/sys/class/net` and `/run/netns`, as a process in a namespace sees them: contents, errors and
//! modes are the kernel's, for a process that is root.
//!
//! Which files there are is a matter of [`is_ours`]; others are the real machine's, and nobody's business here.

mod procnet;
mod run;
pub(crate) mod sysctl;
mod sysfs;

use crate::world::{NsId, World};
use vethlab_engine::control::Errno;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, and where it leads.
    Link(String),
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name; of a path, the last part.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its permissions: `0o644`.
    pub mode: u16,
}

impl Entry {
    fn file(name: &str, mode: u16) -> Entry {
        Entry { name: name.to_string(), kind: Kind::File, mode }
    }

    fn directory(name: &str, mode: u16) -> Entry {
        Entry { name: name.to_string(), kind: Kind::Directory, mode }
    }

    fn link(name: &str, target: String) -> Entry {
        Entry { name: name.to_string(), kind: Kind::Link(target), mode: 0o777 }
    }
}

/// One of the trees, and the path in it, cut at its slashes.
enum Place<'a> {
    Sysctl(String),
    ProcNet(Vec<&'a str>),
    /// `/sys/class/net`: a link for each port.
    Sysfs(Vec<&'a str>),
    /// `/sys/devices/virtual/net`: the directories that those lead to.
    Devices(Vec<&'a str>),
    Run(Vec<&'a str>),
    /// `/proc/PID/ns/net`: a link that names the namespace by its inode.
    Inode,
}

/// The inode of the host's namespace; the others count up from it. (A real machine begins just above this.)
const FIRST_INODE: u32 = 4_026_531_840;

/// True for the folder of a process below `/proc`. Whose namespace that is, the caller has decided.
fn is_process(name: &str) -> bool {
    matches!(name, "self" | "thread-self") || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parts of an absolute path, without those that lead nowhere (`.`, `..`, empty ones).
fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts
}

fn place(path: &str) -> Option<Place<'_>> {
    let parts = parts(path);
    match parts.as_slice() {
        ["proc", "sys", rest @ ..] => Some(Place::Sysctl(rest.join("/"))),
        ["proc", "net", rest @ ..] => Some(Place::ProcNet(rest.to_vec())),
        ["proc", who, "net", rest @ ..] if is_process(who) => Some(Place::ProcNet(rest.to_vec())),
        ["proc", who, "ns", "net"] if is_process(who) => Some(Place::Inode),
        ["sys", "class", "net", rest @ ..] => Some(Place::Sysfs(rest.to_vec())),
        ["sys", "devices", "virtual", "net", rest @ ..] => Some(Place::Devices(rest.to_vec())),
        ["run", "netns", rest @ ..] | ["var", "run", "netns", rest @ ..] => Some(Place::Run(rest.to_vec())),
        _ => None,
    }
}

/// True for an absolute path that is answered here.
pub fn is_ours(path: &str) -> bool {
    match place(path) {
        Some(Place::Sysctl(below)) => below.is_empty() || below == "net" || below.starts_with("net/"),
        place => place.is_some(),
    }
}

/// What a path is: `stat`, without following a link at its end.
pub fn kind(world: &World, ns: NsId, path: &str) -> Result<Entry, Errno> {
    let mut entry = match place(path).ok_or(Errno::NoEnt)? {
        Place::Sysctl(below) => sysctl::kind(world, ns, &below),
        Place::ProcNet(parts) => procnet::kind(&parts),
        Place::Sysfs(parts) => sysfs::kind(world, ns, &parts),
        Place::Devices(parts) => sysfs::kind(world, ns, &parts).map(|entry| sysfs::device(entry, parts.len())),
        Place::Run(parts) => run::kind(world, &parts),
        Place::Inode => Ok(Entry::link("net", format!("net:[{}]", FIRST_INODE.wrapping_add(ns.0)))),
    }?;
    entry.name = parts(path).last().copied().unwrap_or_default().to_string();
    Ok(entry)
}

/// The entries of a directory, sorted by name. `ENOTDIR`, `ENOENT`.
pub fn list(world: &World, ns: NsId, path: &str) -> Result<Vec<Entry>, Errno> {
    let mut entries = match place(path).ok_or(Errno::NoEnt)? {
        Place::Sysctl(below) => sysctl::list(world, ns, &below),
        Place::ProcNet(parts) => procnet::list(&parts),
        Place::Sysfs(parts) => sysfs::list(world, ns, &parts),
        Place::Devices(parts) => {
            let entries = sysfs::list(world, ns, &parts)?;
            Ok(entries.into_iter().map(|entry| sysfs::device(entry, parts.len() + 1)).collect())
        }
        Place::Run(parts) => run::list(world, &parts),
        Place::Inode => Err(Errno::NotDir),
    }?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// What a file holds. A port's `carrier` makes the link watch look, which is why the world changes.
pub fn read(world: &mut World, ns: NsId, path: &str) -> Result<Vec<u8>, Errno> {
    let text = match place(path).ok_or(Errno::NoEnt)? {
        Place::Sysctl(below) => sysctl::read(world, ns, &below),
        Place::ProcNet(parts) => procnet::read(world, ns, &parts),
        Place::Sysfs(parts) | Place::Devices(parts) => sysfs::read(world, ns, &parts),
        Place::Run(parts) => run::read(world, &parts),
        Place::Inode => Err(Errno::Inval),
    }?;
    Ok(text.into_bytes())
}

/// Opens a file and writes to it once; nothing is written if there are no bytes.
pub fn write(world: &mut World, ns: NsId, path: &str, bytes: &[u8]) -> Result<(), Errno> {
    let text = std::str::from_utf8(bytes).map_err(|_| Errno::Inval)?;
    match place(path).ok_or(Errno::NoEnt)? {
        Place::Sysctl(below) => sysctl::write_file(world, ns, &below, text),
        Place::ProcNet(parts) => Err(match procnet::kind(&parts)?.kind {
            Kind::Directory => Errno::IsDir,
            _ => Errno::Acces,
        }),
        Place::Sysfs(parts) | Place::Devices(parts) => sysfs::write(world, ns, &parts, text),
        Place::Run(parts) => run::write(world, &parts),
        Place::Inode => Err(Errno::Perm),
    }
}

#[cfg(test)]
mod tests;
