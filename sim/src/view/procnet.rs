//! `/proc/net`: tables that old tools read.

mod sockets;

use super::{Entry, Kind};
use crate::userland::conntrack::proc_line;
use crate::world::{NsId, World};
use std::fmt::Write as _;
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Mac};
use vethlab_engine::control::{Errno, IfIndex, Nud, RouteKind, table};
use vethlab_engine::route::Route;

/// The tables there are.
const FILES: &[&str] =
    &["arp", "dev", "if_inet6", "nf_conntrack", "raw", "route", "sockstat", "tcp", "tcp6", "udp", "udp6"];

/// Bytes of a line of `route` without its end.
const ROUTE_LINE: usize = 127;

pub(super) fn kind(parts: &[&str]) -> Result<Entry, Errno> {
    match parts {
        [] => Ok(Entry::directory("net", 0o555)),
        [name] if FILES.contains(name) => Ok(Entry::file(name, mode(name))),
        [name, ..] if FILES.contains(name) => Err(Errno::NotDir),
        _ => Err(Errno::NoEnt),
    }
}

pub(super) fn list(parts: &[&str]) -> Result<Vec<Entry>, Errno> {
    match kind(parts)?.kind {
        Kind::Directory => Ok(FILES.iter().map(|name| Entry::file(name, mode(name))).collect()),
        _ => Err(Errno::NotDir),
    }
}

pub(super) fn read(world: &World, ns: NsId, parts: &[&str]) -> Result<String, Errno> {
    kind(parts)?;
    match parts {
        ["arp"] => Ok(arp(world, ns)),
        ["dev"] => Ok(dev(world, ns)),
        ["nf_conntrack"] => Ok(nf_conntrack(world, ns)),
        ["if_inet6"] => Ok(if_inet6(world, ns)),
        ["route"] => Ok(route(world, ns)),
        ["sockstat"] => Ok(sockets::sockstat(world, ns)),
        ["raw" | "tcp" | "tcp6" | "udp" | "udp6"] => Ok(sockets::table(world, ns, parts.first().unwrap_or(&""))),
        _ => Err(Errno::IsDir),
    }
}

/// Only root sees who talks to whom.
fn mode(name: &str) -> u16 {
    if name == "nf_conntrack" { 0o440 } else { 0o444 }
}

/// `ct_seq_show`
fn nf_conntrack(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for conn in world.stack(ns).conntrack().entries(world.now()) {
        proc_line(&mut text, conn, world.now());
    }
    text
}

fn name(world: &World, ns: NsId, index: IfIndex) -> &str {
    world.stack(ns).ports().get(index).map_or("*", |port| port.name.as_str())
}

/// `arp_seq_show`
fn arp(world: &World, ns: NsId) -> String {
    let mut text = String::from("IP address       HW type     Flags       HW address            Mask     Device\n");
    for entry in world.stack(ns).neighbor_entries(world.now()) {
        let IpAddr::V4(ip) = entry.ip else { continue };
        let flags = match entry.state {
            Nud::Noarp | Nud::None => continue,
            Nud::Permanent => "0x6",
            Nud::Incomplete | Nud::Failed => "0x0",
            Nud::Reachable | Nud::Stale | Nud::Delay | Nud::Probe => "0x2",
        };
        let (mac, port) = (entry.mac.unwrap_or(Mac::ZERO), name(world, ns, entry.port));
        // Writing to a string does not fail, here and below.
        let _ = writeln!(text, "{:<16} {:<12}{flags:<12}{mac}     *        {port}", ip.to_string(), "0x1");
    }
    text
}

/// `dev_seq_printf_stats`
fn dev(world: &World, ns: NsId) -> String {
    let mut text = String::from(
        "Inter-|   Receive                                                |  Transmit\n \
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier \
         compressed\n",
    );
    for port in world.stack(ns).ports().iter() {
        let c = &port.counters;
        let _ = write!(
            text,
            "{:>6}: {:>7} {:>7} {:>4} {:>4}",
            port.name, c.rx_bytes, c.rx_packets, c.rx_errors, c.rx_dropped
        );
        let _ = write!(text, " {:>4} {:>5} {:>10} {:>9}", 0, 0, 0, 0);
        let _ = write!(text, " {:>8} {:>7} {:>4} {:>4}", c.tx_bytes, c.tx_packets, 0, c.tx_dropped);
        let _ = writeln!(text, " {:>4} {:>5} {:>7} {:>10}", 0, 0, 0, 0);
    }
    text
}

/// `if6_seq_show`
fn if_inet6(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for port in world.stack(ns).ports().iter() {
        for address in &port.addresses6 {
            let (scope, flags) = (scope6(address.local.octets()), address.flags & 0xff);
            let _ = write!(text, "{:032x}", address.local.to_bits());
            let _ =
                writeln!(text, " {:02x} {:02x} {scope:02x} {flags:02x} {:>8}", port.index, address.length, port.name);
        }
    }
    text
}

/// `ipv6_addr_type` of a unicast address, as far as it tells the scope.
fn scope6(bytes: [u8; 16]) -> u8 {
    match bytes {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] => 0x10,
        [0xfe, 0x80..=0xbf, ..] => 0x20,
        [0xfe, 0xc0..=0xff, ..] => 0x40,
        _ => 0,
    }
}

/// `fib_route_seq_show`
fn route(world: &World, ns: NsId) -> String {
    let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
    let mut text = format!("{head:<ROUTE_LINE$}\n");
    let rib = &world.stack(ns).config().rib4;
    for route in rib.table(table::MAIN).into_iter().flatten() {
        if !matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast) {
            let line = route_line(world, ns, route);
            let _ = writeln!(text, "{line:<ROUTE_LINE$}");
        }
    }
    text
}

fn route_line(world: &World, ns: NsId, route: &Route<Ipv4Addr>) -> String {
    const UP: u32 = 1;
    const GATEWAY: u32 = 2;
    const HOST: u32 = 4;
    const REJECT: u32 = 0x200;
    // The bytes stand as they lie in the memory of a little-endian machine.
    let number = |address: Ipv4Addr| u32::from_le_bytes(address.octets());
    let hop = route.nexthops.first();
    let length = route.destination.length();
    let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0));
    let mut flags = UP;
    if matches!(route.kind, RouteKind::Unreachable | RouteKind::Prohibit) {
        flags |= REJECT;
    }
    if hop.gateway.is_some() {
        flags |= GATEWAY;
    }
    if length == 32 {
        flags |= HOST;
    }
    let mtu = route.rare.metrics.advmss.map_or(0, |mss| mss + 40);
    format!(
        "{}\t{:08X}\t{:08X}\t{flags:04X}\t0\t0\t{}\t{:08X}\t{mtu}\t{}\t{}",
        name(world, ns, hop.oif),
        number(route.destination.address()),
        number(hop.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED)),
        route.metric,
        number(mask),
        route.rare.metrics.window.unwrap_or(0),
        route.rare.metrics.rtt.unwrap_or(0) >> 3,
    )
}
