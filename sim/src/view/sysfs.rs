//! `/sys/class/net` (`net/core/net-sysfs.c`): a link for each interface, and behind it a directory of attributes.

mod bridge;
mod value;

use super::{Entry, Kind};
use crate::world::{NsId, World};
use value::{statistic, value};
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange};
use vethlab_engine::link::Port;

/// Attributes, and whether they can be written.
const ATTRIBUTES: &[(&str, bool)] = &[
    ("addr_assign_type", false),
    ("addr_len", false),
    ("address", false),
    ("broadcast", false),
    ("carrier", true),
    ("carrier_changes", false),
    ("carrier_down_count", false),
    ("carrier_up_count", false),
    ("dev_id", false),
    ("dev_port", false),
    ("dormant", false),
    ("duplex", false),
    ("flags", true),
    ("gro_flush_timeout", true),
    ("ifalias", true),
    ("ifindex", false),
    ("iflink", false),
    ("link_mode", false),
    ("mtu", true),
    ("name_assign_type", false),
    ("napi_defer_hard_irqs", true),
    ("netdev_group", true),
    ("operstate", false),
    ("proto_down", true),
    ("speed", false),
    ("testing", false),
    ("threaded", true),
    ("tx_queue_len", true),
    ("type", false),
    ("uevent", true),
];

/// Counters.
const STATISTICS: &[&str] = &[
    "collisions",
    "multicast",
    "rx_bytes",
    "rx_compressed",
    "rx_crc_errors",
    "rx_dropped",
    "rx_errors",
    "rx_fifo_errors",
    "rx_frame_errors",
    "rx_length_errors",
    "rx_missed_errors",
    "rx_nohandler",
    "rx_over_errors",
    "rx_packets",
    "tx_aborted_errors",
    "tx_bytes",
    "tx_carrier_errors",
    "tx_compressed",
    "tx_dropped",
    "tx_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_packets",
    "tx_window_errors",
];

fn port<'w>(world: &'w World, ns: NsId, name: &str) -> Result<&'w Port, Errno> {
    world.stack(ns).ports().named(name).ok_or(Errno::NoEnt)
}

fn link_of(name: &str) -> Entry {
    Entry::link(name, format!("../../devices/virtual/net/{name}"))
}

/// An entry `depth` names below `/sys/devices/virtual/net`: a port there is the directory itself.
pub(super) fn device(entry: Entry, depth: usize) -> Entry {
    if depth == 1 { Entry::directory(&entry.name, 0o755) } else { entry }
}

fn attribute(name: &str) -> Option<Entry> {
    let (name, writable) = ATTRIBUTES.iter().find(|(known, _)| *known == name)?;
    Some(Entry::file(name, if *writable { 0o644 } else { 0o444 }))
}

/// The links of a directory to others: `master`, `upper_…` and `lower_…`, and in `brport` the bridge.
fn links(world: &World, ns: NsId, port: &Port) -> Vec<(String, String)> {
    let name_of = |index| world.stack(ns).ports().get(index).map(|port| port.name.to_string());
    let mut links = Vec::new();
    if let Some(master) = port.master.and_then(name_of) {
        links.push((format!("upper_{master}"), master.clone()));
        links.push(("master".to_string(), master));
    }
    for other in world.stack(ns).ports().iter() {
        let stands_on =
            world.lower(ns, other.index).is_some_and(|lower| lower.netns == ns && lower.index == port.index);
        if stands_on {
            links.push((format!("upper_{}", other.name), other.name.to_string()));
        }
        if other.master == Some(port.index) {
            links.push((format!("lower_{}", other.name), other.name.to_string()));
        }
    }
    if let Some(lower) = world.lower(ns, port.index).filter(|lower| lower.netns == ns).map(|lower| lower.index) {
        links.extend(name_of(lower).map(|lower| (format!("lower_{lower}"), lower)));
    }
    links
}

/// A path without the links in its midst: `br0/brif/va/state` is `va/brport/state`.
fn followed(world: &World, ns: NsId, parts: &[&str]) -> Vec<String> {
    let mut parts: Vec<String> = parts.iter().map(|part| part.to_string()).collect();
    // A path has few links; one that turned in a circle would end here.
    for _ in 0..16 {
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let master = |port: &Port| {
            port.master.and_then(|index| world.stack(ns).ports().get(index)).map(|port| port.name.to_string())
        };
        let next = match words.as_slice() {
            [_, "subsystem", rest @ ..] if !rest.is_empty() => Some((None, rest)),
            [name, "brport", "bridge", rest @ ..] if !rest.is_empty() => {
                port(world, ns, name).ok().and_then(master).map(|master| (Some(vec![master]), rest))
            }
            [_, "brif", member, rest @ ..] if !rest.is_empty() => {
                Some((Some(vec![member.to_string(), "brport".to_string()]), rest))
            }
            [name, link, rest @ ..] if !rest.is_empty() => {
                let links = port(world, ns, name).map(|port| links(world, ns, port)).unwrap_or_default();
                links.into_iter().find(|(known, _)| known == link).map(|(_, to)| (Some(vec![to]), rest))
            }
            _ => None,
        };
        let Some((head, rest)) = next else { break };
        parts = head.unwrap_or_default().into_iter().chain(rest.iter().map(|part| part.to_string())).collect();
    }
    parts
}

/// The directories of an interface.
fn directories(port: &Port) -> impl Iterator<Item = &'static str> {
    let bridge = port.rare.bridge.is_some().then_some(["bridge", "brif"]).into_iter().flatten();
    let member = port.rare.bridge_port.is_some().then_some("brport");
    ["power", "queues", "statistics"].into_iter().chain(bridge).chain(member)
}

/// The entries of an interface's own directory.
fn own_entries(world: &World, ns: NsId, port: &Port) -> Vec<Entry> {
    let attributes = ATTRIBUTES.iter().filter_map(|(name, _)| attribute(name));
    let directories = directories(port).map(|name| Entry::directory(name, 0o755));
    let links = links(world, ns, port);
    let links = links.iter().map(|(name, to)| Entry::link(name, format!("../{to}")));
    let subsystem = Entry::link("subsystem", "../../../../class/net".to_string());
    let forward = port.rare.bridge.is_some().then(|| Entry::file("brforward", 0o444));
    attributes.chain(directories).chain(links).chain([subsystem]).chain(forward).collect()
}

/// The entries of one of its directories; `None` if there is no such directory.
fn entries_of(world: &World, ns: NsId, port: &Port, directory: &str) -> Option<Vec<Entry>> {
    let known = directories(port).any(|name| name == directory);
    known.then(|| match directory {
        "statistics" => STATISTICS.iter().map(|name| Entry::file(name, 0o444)).collect(),
        "bridge" => bridge::files(false),
        "brport" => {
            let master = port.master.and_then(|index| world.stack(ns).ports().get(index));
            let link = master.map(|master| Entry::link("bridge", format!("../../{}", master.name)));
            bridge::files(true).into_iter().chain(link).collect()
        }
        "brif" => {
            let members = world.stack(ns).ports().iter().filter(|member| member.master == Some(port.index));
            members.map(|member| Entry::link(&member.name, format!("../../{}/brport", member.name))).collect()
        }
        _ => Vec::new(),
    })
}

pub(super) fn kind(world: &World, ns: NsId, parts: &[&str]) -> Result<Entry, Errno> {
    let parts = followed(world, ns, parts);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let [name, inside @ ..] = parts.as_slice() else { return Ok(Entry::directory("net", 0o755)) };
    let port = port(world, ns, name)?;
    let named = |entries: Vec<Entry>, name: &str| entries.into_iter().find(|entry| entry.name == name);
    match inside {
        [] => Ok(link_of(name)),
        [name] => named(own_entries(world, ns, port), name).ok_or(Errno::NoEnt),
        [directory, rest @ ..] => {
            let Some(entries) = entries_of(world, ns, port, directory) else {
                let file = named(own_entries(world, ns, port), directory);
                return Err(file.map_or(Errno::NoEnt, |_| Errno::NotDir));
            };
            let found = rest.first().and_then(|name| named(entries, name)).ok_or(Errno::NoEnt)?;
            if rest.len() == 1 { Ok(found) } else { Err(Errno::NotDir) }
        }
    }
}

pub(super) fn list(world: &World, ns: NsId, parts: &[&str]) -> Result<Vec<Entry>, Errno> {
    let followed = followed(world, ns, parts);
    let words: Vec<&str> = followed.iter().map(String::as_str).collect();
    let [name, inside @ ..] = words.as_slice() else {
        return Ok(world.stack(ns).ports().iter().map(|port| link_of(&port.name)).collect());
    };
    let of = port(world, ns, name)?;
    match inside {
        [] => Ok(own_entries(world, ns, of)),
        [directory] => match entries_of(world, ns, of, directory) {
            Some(entries) => Ok(entries),
            None => match kind(world, ns, parts)?.kind {
                // A link at the end is followed, too.
                Kind::Link(to) => {
                    let target = to.rsplit('/').next().unwrap_or_default().to_string();
                    if *directory == "subsystem" { list(world, ns, &[]) } else { list(world, ns, &[target.as_str()]) }
                }
                _ => Err(Errno::NotDir),
            },
        },
        ["brif", member] => list(world, ns, &[member, "brport"]),
        _ => Err(kind(world, ns, parts).map_or_else(|errno| errno, |_| Errno::NotDir)),
    }
}

pub(super) fn read(world: &mut World, ns: NsId, parts: &[&str]) -> Result<String, Errno> {
    let entry = kind(world, ns, parts)?;
    let followed = followed(world, ns, parts);
    let words: Vec<&str> = followed.iter().map(String::as_str).collect();
    let ([name, inside @ ..], Kind::File) = (words.as_slice(), entry.kind) else { return Err(Errno::IsDir) };
    let index = port(world, ns, name)?.index;
    match inside {
        ["statistics", counter] => Ok(format!("{}\n", statistic(port(world, ns, name)?, counter))),
        ["bridge", file] => bridge::read(world, ns, port(world, ns, name)?, file),
        ["brport", file] => bridge::read_port(world, ns, port(world, ns, name)?, file),
        [attribute] => {
            if *attribute == "carrier" {
                // `carrier_show` makes the link watch look.
                world.link_sync(ns, index);
            }
            value(world, ns, port(world, ns, name)?, attribute)
        }
        _ => Err(Errno::NoEnt),
    }
}

pub(super) fn write(world: &mut World, ns: NsId, parts: &[&str], text: &str) -> Result<(), Errno> {
    let entry = match kind(world, ns, parts) {
        // No file can be made here, if there is a here.
        Err(Errno::NoEnt) => {
            let (_, folder) = parts.split_last().ok_or(Errno::IsDir)?;
            kind(world, ns, folder)?;
            return Err(Errno::Acces);
        }
        found => found?,
    };
    if entry.kind != Kind::File {
        return Err(Errno::IsDir);
    }
    if entry.mode & 0o200 == 0 {
        return Err(Errno::Acces);
    }
    if text.is_empty() {
        return Ok(());
    }
    let followed = followed(world, ns, parts);
    let words: Vec<&str> = followed.iter().map(String::as_str).collect();
    let [name, inside @ ..] = words.as_slice() else { return Err(Errno::Acces) };
    let of = port(world, ns, name)?;
    let index = of.index;
    let change = match inside {
        [attribute] => change(of, attribute, text)?,
        ["bridge", file] => bridge::change(file, text)?,
        ["brport", file] => bridge::change_port(world, ns, file, text)?,
        _ => return Err(Errno::Acces),
    };
    change_link(world, ns, index, change)
}

fn change_link(world: &mut World, ns: NsId, index: IfIndex, change: LinkChange) -> Result<(), Errno> {
    if change == LinkChange::default() {
        return Ok(());
    }
    world.apply(ns, Command::LinkChange(index, change)).map_err(|refusal| refusal.errno)
}

/// What a text written to an attribute asks for.
fn change(port: &Port, attribute: &str, text: &str) -> Result<LinkChange, Errno> {
    let none = LinkChange::default();
    if attribute == "ifalias" {
        return Ok(LinkChange { alias: Some(text.trim_end_matches('\n').to_string()), ..none });
    }
    if attribute == "uevent" {
        return Ok(none);
    }
    let number = number(text).ok_or(Errno::Inval)?;
    let word = || u32::try_from(number).map_err(|_| Errno::Inval);
    match attribute {
        "carrier" => Err(Errno::OpNotSupp),
        "mtu" => Ok(LinkChange { mtu: Some(word()?), ..none }),
        "tx_queue_len" => Ok(LinkChange { txqueuelen: Some(word()?), ..none }),
        "netdev_group" => Ok(LinkChange { group: Some(word()?), ..none }),
        "flags" => Ok(flags(port, word()?)),
        "proto_down" => Err(Errno::OpNotSupp),
        _ => Ok(none),
    }
}

fn flags(port: &Port, wanted: u32) -> LinkChange {
    use vethlab_engine::link::port::flag;
    let changed = |bit: u32| ((port.set_flags ^ wanted) & bit != 0).then_some(wanted & bit != 0);
    LinkChange {
        up: changed(flag::UP),
        arp: changed(flag::NOARP).map(|off| !off),
        multicast: changed(flag::MULTICAST),
        allmulticast: changed(flag::ALLMULTI),
        promisc: changed(flag::PROMISC),
        dynamic: changed(flag::DYNAMIC),
        trailers: changed(flag::NOTRAILERS).map(|off| !off),
        ..LinkChange::default()
    }
}

/// `kstrtoul(…, 0, …)`: decimal, `0x…` or `0…`, with at most a newline behind it.
fn number(text: &str) -> Option<u64> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_prefix('+').unwrap_or(text);
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if text.len() > 1 && text.starts_with('0') => (text.get(1..)?, 8),
        None => (text, 10),
    };
    digits.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}
