//! `bridge mdb`: groups that ports have joined. No bridge here listens to them, so that listings are empty.

use super::{no_device, refused, unknown};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, atoi, duparg, ll_addr_a2n, matches};
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Ipv6Addr};
use vethlab_engine::control::{Errno, IfIndex, Refusal};
use vethlab_engine::link::PortState;

fn usage() -> Stop {
    Stop::quit(255, include_str!("../usage/bridge/mdb.txt"))
}

/// `bridge mdb …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] = &["add", "delete", "show", "lst", "list"];
    let Some(word) = args.next() else { return show(ip, args) };
    match COMMANDS.iter().copied().find(|command| matches(word, command)) {
        Some("add") => modify(ip, args, true),
        Some("delete") => modify(ip, args, false),
        Some(_) => show(ip, args),
        None if matches(word, "help") => Err(usage()),
        None => Err(unknown("mdb", word)),
    }
}

fn show(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let (mut device, mut vid) = (None, 0);
    while let Some(word) = args.next() {
        match word {
            "dev" => {
                let name = args.value()?;
                if device.replace(name).is_some() {
                    return Err(duparg("dev", name));
                }
            }
            "vid" => {
                let word = args.value()?;
                if vid != 0 {
                    return Err(duparg("vid", word));
                }
                vid = atoi(word);
            }
            _ => {}
        }
    }
    if let Some(name) = device {
        ip.index_of(name).ok_or_else(|| no_device(name))?;
    }
    ip.print.begin();
    ip.print.open_object();
    if ip.print.is_json() {
        ip.print.open_array("mdb", "");
        ip.print.close_array("");
    }
    ip.print.open_object_named("router");
    ip.print.close_object();
    ip.print.close_object();
    ip.print.end();
    Ok(())
}

fn modify(ip: &mut Ip, mut args: Args<'_>, add: bool) -> Result<(), Stop> {
    let (mut device, mut port, mut group, mut source, mut permanent) = (None, None, None, None, false);
    while let Some(word) = args.next() {
        match word {
            "dev" => device = Some(args.value()?),
            "port" => port = Some(args.value()?),
            "grp" => group = Some(args.value()?),
            "src" => source = Some(args.value()?),
            "vid" => drop(args.value()?),
            "permanent" => permanent = add,
            _ if matches(word, "help") => return Err(usage()),
            _ => {}
        }
    }
    let (Some(device), Some(port), Some(group)) = (device, port, group) else {
        return Err(Stop::fail(255, "Device, group address and port name are required arguments.\n"));
    };
    let index = ip.index_of(device).ok_or_else(|| no_device(device))?;
    let member = ip.index_of(port).ok_or_else(|| no_device(port))?;
    let address = group_address(group).ok_or_else(|| Stop::fail(255, format!("Invalid address \"{group}\"\n")))?;
    if let Some(source) = source.filter(|word| word.parse::<Ipv4Addr>().is_err() && word.parse::<Ipv6Addr>().is_err()) {
        return Err(Stop::fail(255, format!("Invalid source address \"{source}\"\n")));
    }
    kernel_refuses(ip, index, member, address, permanent || !add).map_err(refused)?;
    if !add {
        return Err(refused(Refusal::from(Errno::Inval)));
    }
    Err(Stop::fail(1, "vethlab: groups of bridges (bridge mdb add) are not simulated\n"))
}

/// A group: an IP address, or (`None`) one of the link layer.
fn group_address(word: &str) -> Option<Option<IpAddr>> {
    if let Ok(address) = word.parse::<Ipv4Addr>() {
        return Some(Some(address.into()));
    }
    if let Ok(address) = word.parse::<Ipv6Addr>() {
        return Some(Some(address.into()));
    }
    ll_addr_a2n(word, 6).ok().filter(|bytes| bytes.len() == 6).map(|_| None)
}

fn kernel_refuses(
    ip: &Ip,
    index: IfIndex,
    member: IfIndex,
    group: Option<IpAddr>,
    lasting: bool,
) -> Result<(), Refusal> {
    let no = |text: &str| Err(Refusal::because(Errno::Inval, text));
    match group {
        Some(IpAddr::V4(address)) if !address.is_multicast() && !address.is_unspecified() => {
            return no("IPv4 entry group address is not multicast or 0.0.0.0");
        }
        Some(IpAddr::V6(address)) if address == Ipv6Addr::from_bits(0xff02 << 112 | 1) => {
            return no("IPv6 entry group address is link-local all nodes");
        }
        _ => {}
    }
    let world = ip.world();
    let ports = world.stack(ip.ns).ports();
    let Some(bridge) = ports.get(index).filter(|port| port.rare.bridge.is_some()) else {
        return no("Device does not support MDB operations");
    };
    if !bridge.is_running() {
        return no("bridge: Bridge device is not running");
    }
    let Some(port) = ports.get(member).filter(|port| port.index == index || port.master == Some(index)) else {
        return no("bridge: Net device is not a bridge port");
    };
    if !lasting && port.rare.bridge_port.as_ref().is_some_and(|port| port.state == PortState::Disabled) {
        return no("bridge: Port is in disabled state and entry is not permanent");
    }
    Ok(())
}
