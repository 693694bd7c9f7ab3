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
const HARMLESS: [&str; 5] = ["id", "lsmod", "sleep", "timeout", "whoami"];
/// Longest chain of links that is followed.
const MOST_LINKS: usize = 8;

/// One of the kernel's files in one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ns: NsId,
    pub(super) path: String,
}

impl Place {
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

/// The canonical name of one of the kernel's files, if this is one: a process may call itself by its number.
pub(super) fn kernels(path: &str, pid: u32) -> Option<String> {
    let own = path.strip_prefix(&format!("/proc/{pid}/net")).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = own.map_or_else(|| path.to_string(), |rest| format!("/proc/net{rest}"));
    view::is_ours(&path).then_some(path)
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
    fn the_kernels_files_have_many_names() {
        let cases = [
            ("/proc/sys/net/ipv4/ip_forward", Some("/proc/sys/net/ipv4/ip_forward")),
            ("/var/run/netns/red", Some("/var/run/netns/red")),
            ("/run/netns", Some("/run/netns")),
            ("/run/netnsx", None),
            ("/proc/self/net/dev", Some("/proc/self/net/dev")),
            ("/proc/7/net/arp", Some("/proc/net/arp")),
            ("/proc/8/net/arp", None),
            ("/proc/net", Some("/proc/net")),
            ("/proc/sys/kernel/hostname", None),
            ("/etc/passwd", None),
        ];
        for (path, expected) in cases {
            assert_eq!(kernels(path, 7).as_deref(), expected, "{path}");
        }
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
