//! `bridge link`: ports of bridges.

use super::{no_bridge, no_device, on_off, refused, unknown};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, atoi, duparg, matches};
use crate::userland::ip::link::set_flag;
use crate::userland::ip::show::kind::{self, STATES};
use crate::userland::ip::show::link::{Link, flags, name_and_other_end};
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange, Refusal};
use vethlab_engine::link::bridge::{BridgePort, BridgePortChange};

fn usage() -> Stop {
    Stop::quit(255, include_str!("../usage/bridge/link.txt"))
}

/// `bridge link …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] = &["set", "change", "show", "lst", "list"];
    let Some(word) = args.next() else { return show(ip, args) };
    match COMMANDS.iter().copied().find(|command| matches(word, command)) {
        Some("set" | "change") => set(ip, args),
        Some(_) => show(ip, args),
        None if matches(word, "help") => Err(usage()),
        None => Err(unknown("link", word)),
    }
}

/// Words other than `dev X` are passed over.
fn show(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let mut device = None;
    while let Some(word) = args.next() {
        if word == "dev" {
            let name = args.value()?;
            if device.replace(name).is_some() {
                return Err(duparg("dev", name));
            }
        }
    }
    let index = device.map(|name| ip.index_of(name).ok_or_else(|| no_device(name))).transpose()?;
    ip.print.begin();
    // A listing of ports tells the number of the other end alone, as one of IPv6 does, and not where it is.
    for link in Link::all_inet6(ip) {
        let wanted = index.is_none_or(|index| index == link.index);
        if let Some((port, master)) = port_of(ip, link.index).filter(|_| wanted) {
            print(ip, &link, &port, &master);
        }
    }
    ip.print.end();
    Ok(())
}

/// What a bridge knows of a port, and the bridge's name.
fn port_of(ip: &Ip, index: IfIndex) -> Option<(BridgePort, String)> {
    let world = ip.world();
    let ports = world.stack(ip.ns).ports();
    let port = ports.get(index)?;
    let master = ports.get(port.master?)?.name.to_string();
    Some((port.rare.bridge_port.as_deref()?.clone(), master))
}

fn print(ip: &mut Ip, link: &Link, port: &BridgePort, master: &str) {
    let details = ip.opts.details;
    let print = &mut ip.print;
    print.open_object();
    print.number("ifindex", "{}: ", link.index);
    let peer_down = name_and_other_end(print, link, false);
    flags(print, link.flags, peer_down);
    print.number("mtu", "mtu {} ", link.mtu);
    print.string("master", "master {} ", master);
    print.string("state", "state {} ", STATES[port.state as usize]);
    print.number("priority", "priority {} ", port.priority);
    print.number("cost", "cost {} ", port.cost);
    if details {
        let line = format!("{}    ", print.separator());
        print.text(&line);
        for (name, on) in [
            ("hairpin", port.hairpin),
            ("guard", port.guard),
            ("root_block", port.root_block),
            ("fastleave", port.fastleave),
            ("learning", port.learning),
            ("flood", port.flood),
            ("mcast_flood", port.mcast_flood),
            ("bcast_flood", port.bcast_flood),
        ] {
            kind::on_off(print, name, on);
        }
        print.number("mcast_router", "mcast_router {} ", port.mcast_router);
        for (name, on) in [
            ("mcast_to_unicast", false),
            ("neigh_suppress", false),
            ("vlan_tunnel", false),
            ("isolated", port.isolated),
            ("locked", false),
        ] {
            kind::on_off(print, name, on);
        }
    }
    print.text("\n");
    print.close_object();
    print.flush();
}

/// Words of `set` that are on or off.
const FLAGS: &[&str] = &[
    "guard",
    "hairpin",
    "fastleave",
    "root_block",
    "learning",
    "flood",
    "mcast_flood",
    "bcast_flood",
    "mcast_to_unicast",
    "neigh_suppress",
    "vlan_tunnel",
    "isolated",
    "locked",
];

/// What the words of `set` say.
#[derive(Default)]
struct Wanted<'a> {
    device: Option<&'a str>,
    change: BridgePortChange,
    to_self: bool,
    to_master: bool,
    not_simulated: Option<&'static str>,
}

/// `brlink_modify()`: no word may be abbreviated.
fn set(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let mut wanted = Wanted::default();
    while let Some(word) = args.next() {
        match word {
            "dev" => wanted.device = Some(args.value()?),
            "mcast_router" => wanted.change.mcast_router = u8::try_from(atoi(args.value()?) as i8).ok(),
            // No cost, and none below, is none.
            "cost" => wanted.change.cost = Some(atoi(args.value()?) as u32).filter(|cost| *cost > 0),
            "priority" => wanted.change.priority = u16::try_from(atoi(args.value()?) as i16).ok(),
            "state" => wanted.change.state = state(args.value()?)?,
            "hwmode" => {
                if !matches!(args.value()?, "vepa" | "veb") {
                    return Err(Stop::fail(255, "Mode argument must be \"vepa\" or \"veb\".\n"));
                }
                wanted.to_self = true;
            }
            "self" => wanted.to_self = true,
            "master" => wanted.to_master = true,
            "learning_sync" => drop(on_off(word, &mut args)?),
            "backup_port" => {
                let name = args.value()?;
                let missing = || Stop::fail(255, format!("Error: device {name} does not exist\n"));
                ip.index_of(name).ok_or_else(missing)?;
                wanted.not_simulated = Some("backup_port");
            }
            "nobackup_port" => {}
            _ if FLAGS.contains(&word) => {
                let on = on_off(word, &mut args)?;
                set_flag(&mut wanted.change, word, on);
            }
            _ => return Err(usage()),
        }
    }
    let Some(name) = wanted.device else { return Err(Stop::fail(255, "Device is a required argument.\n")) };
    let index = ip.index_of(name).ok_or_else(|| no_bridge(name))?;
    carry_out(ip, index, wanted)
}

/// A number, or a name; a number below zero says nothing.
fn state(word: &str) -> Result<Option<u8>, Stop> {
    if let Ok(number) = word.trim_start().parse::<i64>() {
        return Ok(u8::try_from(number as i8).ok());
    }
    let named = STATES.iter().position(|name| *name == word);
    let named = named.ok_or_else(|| Stop::fail(255, "Error: invalid STP port state\n"))?;
    Ok(u8::try_from(named).ok())
}

/// `rtnl_bridge_setlink`: the master is asked, or the device itself, or both.
fn carry_out(ip: &Ip, index: IfIndex, wanted: Wanted<'_>) -> Result<(), Stop> {
    let kernel = |errno: Errno| refused(Refusal::from(errno));
    let (enslaved, is_bridge) = {
        let world = ip.world();
        let port = world.stack(ip.ns).ports().get(index).ok_or_else(|| kernel(Errno::NoDev))?;
        (port.rare.bridge_port.is_some(), port.rare.bridge.is_some())
    };
    if wanted.to_master || !wanted.to_self {
        if !enslaved {
            return Err(kernel(Errno::OpNotSupp));
        }
        if let Some(what) = wanted.not_simulated {
            return Err(Stop::fail(1, format!("vethlab: {what} of bridge ports is not simulated\n")));
        }
        if wanted.change != BridgePortChange::default() {
            let change = LinkChange { bridge_port: Some(Box::new(wanted.change.clone())), ..LinkChange::default() };
            ip.world().apply(ip.ns, Command::LinkChange(index, change)).map_err(refused)?;
        }
    }
    // A bridge itself has no such flags, and is content; no other device here has hardware that would.
    if wanted.to_self && !is_bridge {
        return Err(kernel(Errno::OpNotSupp));
    }
    Ok(())
}
