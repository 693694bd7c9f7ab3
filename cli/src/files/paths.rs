//! Which file a call means.

use super::calls::Ask;
use super::memory;
use super::shadow::Shadow;
use std::fs::read_link;
use vethlab_engine::control::Errno;
use vethlab_sim::userland;
use vethlab_sim::view::{self, Entry, Kind};
use vethlab_sim::{NsId, World};

/// How the names of our memory files begin.
pub(super) const MEMORY_FILE: &str = "vethlab:";

/// Where a machine keeps its own tools.
const TOOL_FOLDERS: [&str; 6] = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
/// Programs of ours whose real ones do no harm.
const HARMLESS: [&str; 7] = ["id", "lsmod", "python", "python3", "sleep", "timeout", "whoami"];
/// Longest chain of links that is followed.
const MOST_LINKS: usize = 8;

/// One of the kernel's files in one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ns: NsId,
    pub(super) path: String,
}

impl Place {
    /// The folder that it is in.
    pub(super) fn folder(&self) -> Place {
        Place { ns: self.ns, path: parent(&self.path).to_string() }
    }

    /// What stands behind all links, and of what kind it is.
    pub(super) fn followed(&self, world: &World) -> Result<(Place, Entry), Errno> {
        let mut place = self.clone();
        for _ in 0..MOST_LINKS {
            let entry = view::kind(world, place.ns, &place.path)?;
            let Kind::Link(target) = &entry.kind else { return Ok((place, entry)) };
            place.path = absolute(parent(&place.path), target);
        }
        Err(Errno::NoEnt)
    }
}

/// The absolute path that a call of a process names; `None` if it names none that could be the kernel's.
pub(super) fn named_by(pid: u32, ask: &Ask, shadow: &Shadow) -> Option<String> {
    let (dir, address) = ask.path()?;
    let path = memory::read_path(pid, address).filter(|path| !path.is_empty())?;
    if path.starts_with('/') {
        return Some(absolute("/", &path));
    }
    let link = if dir == libc::AT_FDCWD { format!("/proc/{pid}/cwd") } else { format!("/proc/{pid}/fd/{dir}") };
    let folder = read_link(link).ok()?;
    let folder = shadow.shown(&folder).or_else(|| folder.to_str().map(str::to_string))?;
    Some(absolute(&folder, &path))
}

/// The process whose namespace a path shows: the one that it names, or the one that asks.
pub(super) fn whose(path: &str, asking: u32) -> u32 {
    let named = path.strip_prefix("/proc/").and_then(|rest| rest.split('/').next());
    named.and_then(|name| name.parse().ok()).unwrap_or(asking)
}

/// The number of the memory file of ours that a descriptor stands for.
pub(super) fn memory_file(pid: u32, fd: i32) -> Option<u64> {
    let link = read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
    let name = link.to_str()?.strip_prefix("/memfd:")?.strip_prefix(MEMORY_FILE)?;
    name.split(' ').next()?.parse().ok()
}

/// The name of a network tool of the real machine, if the path is that of one.
pub(super) fn real_tool(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    let known = userland::find(name).is_some() || userland::REFUSED.contains(&name);
    (TOOL_FOLDERS.contains(&folder) && known && !HARMLESS.contains(&name)).then_some(name)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(folder, _)| folder)
}

/// `path` as seen from `folder`, without `.`, `..` and doubled slashes.
fn absolute(folder: &str, path: &str) -> String {
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_a_process() {
        assert_eq!(whose("/proc/8/net/arp", 7), 8);
        assert_eq!(whose("/proc/self/net/arp", 7), 7);
        assert_eq!(whose("/proc/net/arp", 7), 7);
        assert_eq!(whose("/sys/class/net", 7), 7);
    }

    #[test]
    fn paths_are_made_absolute() {
        assert_eq!(absolute("/sys/class/net", "va/../vb//mtu"), "/sys/class/net/vb/mtu");
        assert_eq!(absolute("/a", "/b/./c"), "/b/c");
        assert_eq!(absolute("/sys/class/net", "../../devices/virtual/net/va"), "/sys/devices/virtual/net/va");
        assert_eq!(absolute("/", "../.."), "/");
    }

    #[test]
    fn only_network_tools_of_the_machine_itself_are_refused() {
        assert_eq!(real_tool("/sbin/ip"), Some("ip"));
        assert_eq!(real_tool("/usr/bin/ping"), Some("ping"));
        assert_eq!(real_tool("/usr/bin/sleep"), None);
        assert_eq!(real_tool("/usr/bin/grep"), None);
        assert_eq!(real_tool("/home/me/shims/ip"), None);
    }
}
