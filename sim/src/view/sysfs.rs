//! `/sys/class/net` (`net/core/net-sysfs.c`): a link for each interface, and behind it a directory of attributes.

use super::{Entry, Kind};
use crate::world::{Driver, NsId, World};
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange};
use vethlab_engine::link::{OperState, Port};

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

pub(super) fn kind(world: &World, ns: NsId, parts: &[&str]) -> Result<Entry, Errno> {
    let [name, inside @ ..] = parts else { return Ok(Entry::directory("net", 0o755)) };
    port(world, ns, name)?;
    match inside {
        [] => Ok(link_of(name)),
        ["statistics" | "power" | "queues"] => Ok(Entry::directory("", 0o755)),
        ["subsystem"] => Ok(Entry::link("", "../../../../class/net".to_string())),
        ["statistics", counter] => {
            let known = STATISTICS.iter().find(|known| *known == counter).ok_or(Errno::NoEnt)?;
            Ok(Entry::file(known, 0o444))
        }
        [name] => attribute(name).ok_or(Errno::NoEnt),
        ["statistics", counter, ..] if STATISTICS.contains(counter) => Err(Errno::NotDir),
        [name, ..] if attribute(name).is_some() => Err(Errno::NotDir),
        _ => Err(Errno::NoEnt),
    }
}

pub(super) fn list(world: &World, ns: NsId, parts: &[&str]) -> Result<Vec<Entry>, Errno> {
    let [name, inside @ ..] = parts else {
        return Ok(world.stack(ns).ports().iter().map(|port| link_of(&port.name)).collect());
    };
    port(world, ns, name)?;
    match inside {
        [] => {
            let own = ATTRIBUTES.iter().filter_map(|(name, _)| attribute(name));
            let directories = ["power", "queues", "statistics"].map(|name| Entry::directory(name, 0o755));
            let subsystem = Entry::link("subsystem", "../../../../class/net".to_string());
            Ok(own.chain(directories).chain([subsystem]).collect())
        }
        ["statistics"] => Ok(STATISTICS.iter().map(|name| Entry::file(name, 0o444)).collect()),
        ["power" | "queues"] => Ok(Vec::new()),
        _ => Err(kind(world, ns, parts).map_or_else(|errno| errno, |_| Errno::NotDir)),
    }
}

pub(super) fn read(world: &mut World, ns: NsId, parts: &[&str]) -> Result<String, Errno> {
    let entry = kind(world, ns, parts)?;
    let ([name, inside @ ..], Kind::File) = (parts, entry.kind) else { return Err(Errno::IsDir) };
    let index = port(world, ns, name)?.index;
    match inside {
        ["statistics", counter] => Ok(format!("{}\n", statistic(port(world, ns, name)?, counter))),
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

fn statistic(port: &Port, name: &str) -> u64 {
    let counters = &port.counters;
    match name {
        "rx_bytes" => counters.rx_bytes,
        "rx_packets" => counters.rx_packets,
        "rx_dropped" => counters.rx_dropped,
        "rx_errors" => counters.rx_errors,
        "multicast" => counters.rx_multicast,
        "tx_bytes" => counters.tx_bytes,
        "tx_packets" => counters.tx_packets,
        "tx_dropped" => counters.tx_dropped,
        "tx_errors" => counters.tx_errors,
        _ => 0,
    }
}

fn value(world: &World, ns: NsId, port: &Port, attribute: &str) -> Result<String, Errno> {
    let driver = world.driver(ns, port.index);
    let veth = driver == Some(Driver::Veth);
    // What a driver tells of a link that is down is not to be trusted.
    let running = |text: &str| if port.is_up() { Ok(text.to_string()) } else { Err(Errno::Inval) };
    let text = match attribute {
        "addr_assign_type" => u8::from(veth).to_string(),
        "addr_len" => "6".to_string(),
        "address" => port.mac.to_string(),
        "broadcast" => port.broadcast.to_string(),
        "carrier" => running(if port.carrier { "1" } else { "0" })?,
        "carrier_changes" => (port.carrier_changes.0 + port.carrier_changes.1).to_string(),
        "carrier_up_count" => port.carrier_changes.0.to_string(),
        "carrier_down_count" => port.carrier_changes.1.to_string(),
        "dev_id" => "0x0".to_string(),
        "dormant" | "testing" => running("0")?,
        "duplex" | "speed" if !veth => return Err(Errno::Inval),
        "duplex" => running("full")?,
        "speed" => running("10000")?,
        "flags" => format!("{:#x}", port.set_flags),
        // Without an alias there is not even a line.
        "ifalias" if port.alias.is_empty() => return Ok(String::new()),
        "ifalias" => port.alias.clone(),
        "ifindex" => port.index.to_string(),
        "iflink" => world.peer(ns, port.index).map_or(port.index, |peer| peer.index).to_string(),
        "mtu" => port.mtu.to_string(),
        "name_assign_type" => name_assign_type(driver).to_string(),
        "netdev_group" => port.group.to_string(),
        "operstate" => operstate(world.operstate(ns, port.index)).to_string(),
        "tx_queue_len" => port.txqueuelen.to_string(),
        "type" => if port.is_loopback() { "772" } else { "1" }.to_string(),
        "uevent" => format!("INTERFACE={}\nIFINDEX={}", port.name, port.index),
        _ => "0".to_string(),
    };
    Ok(text + "\n")
}

/// `NET_NAME_*`: predictable, given by a user, or by the kernel.
fn name_assign_type(driver: Option<Driver>) -> u8 {
    match driver {
        Some(Driver::Loopback) => 2,
        Some(Driver::Veth) => 3,
        _ => 1,
    }
}

fn operstate(state: OperState) -> &'static str {
    match state {
        OperState::Unknown => "unknown",
        OperState::NotPresent => "notpresent",
        OperState::Down => "down",
        OperState::LowerLayerDown => "lowerlayerdown",
        OperState::Testing => "testing",
        OperState::Dormant => "dormant",
        OperState::Up => "up",
    }
}

pub(super) fn write(world: &mut World, ns: NsId, parts: &[&str], text: &str) -> Result<(), Errno> {
    let entry = match kind(world, ns, parts) {
        // No file can be made here.
        Err(Errno::NoEnt) => return Err(Errno::Acces),
        found => found?,
    };
    let ([name, attribute], Kind::File) = (parts, &entry.kind) else {
        return Err(if entry.kind == Kind::File { Errno::Acces } else { Errno::IsDir });
    };
    if entry.mode & 0o200 == 0 {
        return Err(Errno::Acces);
    }
    if text.is_empty() {
        return Ok(());
    }
    let index = port(world, ns, name)?.index;
    let change = change(port(world, ns, name)?, attribute, text)?;
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
