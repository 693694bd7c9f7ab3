//! `bridge vlan` and `bridge vni`, on a kernel without VLAN filtering: listings are empty, and what would add something is
//! refused.

use super::{no_bridge, no_device, refused, unknown};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, atoi, duparg, get_u8, get_unsigned, invarg, matches};
use vethlab_engine::control::{Errno, IfIndex, Refusal};

fn usage() -> Stop {
    Stop::quit(255, include_str!("../usage/bridge/vlan.txt"))
}

fn not_supported() -> Stop {
    refused(Refusal::from(Errno::OpNotSupp))
}

/// `bridge vlan …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] = &["add", "delete", "show", "lst", "list", "tunnelshow", "set"];
    let Some(word) = args.next() else { return show(ip, args, false) };
    match COMMANDS.iter().copied().find(|command| matches(word, command)) {
        Some("add") => modify(ip, args, true),
        Some("delete") => modify(ip, args, false),
        Some("tunnelshow") => show(ip, args, true),
        Some("set") => set(ip, args),
        Some(_) => show(ip, args, false),
        None if word == "global" => global(ip, args),
        None if matches(word, "help") => Err(usage()),
        None => Err(unknown("vlan", word)),
    }
}

/// The words of a listing, of which only `dev X` can matter: others are passed over.
fn filter(ip: &Ip, args: &mut Args<'_>, vids: bool) -> Result<Option<IfIndex>, Stop> {
    let (mut device, mut vid) = (None, 0);
    while let Some(word) = args.next() {
        if word == "dev" {
            let name = args.value()?;
            if device.replace(name).is_some() {
                return Err(duparg("dev", name));
            }
        } else if word == "vid" && vids {
            let word = args.value()?;
            if vid != 0 {
                return Err(duparg("vid", word));
            }
            vid = atoi(word);
        }
    }
    device.map(|name| ip.index_of(name).ok_or_else(|| no_device(name))).transpose()
}

/// Begins a listing: JSON, or a line of titles.
fn titles(ip: &mut Ip, titles: &str) {
    ip.print.begin();
    ip.print.text(titles);
}

/// A dump that the kernel cannot make; what was printed before stands there, a JSON array half open.
fn dump_refused(ip: &mut Ip) -> Result<(), Stop> {
    titles(ip, &format!("{:16}  {:9}\n", "port", "vlan-id"));
    Err(Stop::quit(1, format!("{}\nDump terminated\n", Refusal::from(Errno::OpNotSupp))))
}

fn show(ip: &mut Ip, mut args: Args<'_>, tunnels: bool) -> Result<(), Stop> {
    filter(ip, &mut args, true)?;
    if ip.opts.details && !tunnels {
        return dump_refused(ip);
    }
    let tunnel = if tunnels { "  tunnel-id" } else { "" };
    let head = match ip.opts.stats {
        0 => format!("{:16}  {:9}{tunnel}\n", "port", "vlan-id"),
        _ => format!("{:16}  vlan-id\n", "port"),
    };
    titles(ip, &head);
    ip.print.end();
    Ok(())
}

fn global(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    match args.next() {
        None => dump_refused(ip),
        Some("show" | "lst" | "list") => {
            filter(ip, &mut args, true)?;
            dump_refused(ip)
        }
        Some("set") => global_set(ip, args),
        Some(_) => Err(usage()),
    }
}

/// One VLAN or a range of them, as `atoi` and `short` make it.
#[derive(Clone, Copy)]
struct Vids {
    first: i16,
    last: Option<i16>,
}

impl Vids {
    fn read(word: &str) -> Vids {
        match word.split_once('-') {
            Some((first, last)) => Vids { first: atoi(first) as i16, last: Some(atoi(last) as i16) },
            None => Vids { first: atoi(word) as i16, last: None },
        }
    }

    fn check_id(self) -> Result<(), Stop> {
        if self.first < 4096 {
            return Ok(());
        }
        Err(Stop::fail(255, format!("Invalid VLAN ID \"{}\"\n", self.first as u16)))
    }

    fn check_range(self) -> Result<(), Stop> {
        match self.last {
            Some(last) if last == -1 || last >= 4096 || self.first >= last => {
                Err(Stop::fail(255, format!("Invalid VLAN range \"{}-{}\"\n", self.first as u16, last as u16)))
            }
            _ => Ok(()),
        }
    }
}

/// What the words of `add` and `del` say.
#[derive(Default)]
struct Wanted<'a> {
    device: Option<&'a str>,
    vids: Option<Vids>,
    to_self: bool,
    to_master: bool,
    pvid: bool,
    tunnel: bool,
}

fn required<T>(device: Option<T>, vids: Option<Vids>) -> Result<(T, Vids), Stop> {
    let missing = || Stop::fail(255, "Device and VLAN ID are required arguments.\n");
    device.zip(vids.filter(|vids| vids.first != -1)).ok_or_else(missing)
}

fn modify(ip: &mut Ip, mut args: Args<'_>, add: bool) -> Result<(), Stop> {
    let mut wanted = Wanted::default();
    while let Some(word) = args.next() {
        match word {
            "dev" => wanted.device = Some(args.value()?),
            "vid" => wanted.vids = Some(Vids::read(args.value()?)),
            "self" => wanted.to_self = true,
            "master" => wanted.to_master = true,
            "pvid" => wanted.pvid = true,
            "tunnel_info" => {
                tunnel_info(&mut args)?;
                wanted.tunnel = true;
            }
            // `help` is taken for a word that others follow.
            _ if matches(word, "help") => drop(args.value()?),
            _ => {}
        }
    }
    let (name, vids) = required(wanted.device, wanted.vids)?;
    let index = ip.index_of(name).ok_or_else(|| no_bridge(name))?;
    vids.check_id()?;
    vids.check_range()?;
    if vids.last.is_some() && wanted.pvid {
        return Err(Stop::fail(255, "pvid cannot be configured for a vlan range\n"));
    }
    refused_by_kernel(ip, index, &wanted, vids, add)
}

/// What the kernel says to it: whom it asks, and what that one cannot.
fn refused_by_kernel(ip: &Ip, index: IfIndex, wanted: &Wanted<'_>, vids: Vids, add: bool) -> Result<(), Stop> {
    let world = ip.world();
    let port = world.stack(ip.ns).ports().get(index);
    let (of_bridge, is_bridge) =
        port.map_or((false, false), |port| (port.master.is_some(), port.rare.bridge.is_some()));
    let to_master = wanted.to_master || !wanted.to_self;
    if (to_master && !of_bridge) || (wanted.to_self && !is_bridge) {
        return Err(not_supported());
    }
    match add {
        _ if wanted.tunnel => Err(refused(Refusal::from(Errno::Inval))),
        _ if vids.first <= 0 => Err(refused(Refusal::because(Errno::Inval, "bridge: Vlan id is invalid"))),
        true => Err(not_supported()),
        false => Ok(()),
    }
}

fn tunnel_info(args: &mut Args<'_>) -> Result<(), Stop> {
    let word = args.value()?;
    if !matches(word, "id") {
        return Err(invarg("tunnel id expected", word));
    }
    let word = args.value()?;
    let (first, last) = word.split_once('-').unwrap_or((word, "0"));
    for id in [first, last] {
        get_unsigned(id, 0).filter(|id| *id < 1 << 24).ok_or_else(|| invarg("invalid tun id", first))?;
    }
    Ok(())
}

fn network_device(ip: &Ip, name: &str) -> Result<IfIndex, Stop> {
    let missing = || Stop::fail(255, format!("Cannot find network device \"{name}\"\n"));
    ip.index_of(name).ok_or_else(missing)
}

/// `vid` of `set` and `global set`, which is looked at on the spot.
fn vid_at_once(args: &mut Args<'_>) -> Result<Vids, Stop> {
    let vids = Vids::read(args.value()?);
    vids.check_range()?;
    vids.check_id()?;
    Ok(vids)
}

fn set(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];
    let (mut device, mut vids) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => device = Some(network_device(ip, args.value()?)?),
            "vid" => vids = Some(vid_at_once(&mut args)?),
            "state" => {
                let word = args.value()?;
                let named = STATES.contains(&word);
                if !named && word.parse::<i64>().is_err() {
                    return Err(Stop::fail(255, "Error: invalid STP state\n"));
                }
            }
            "mcast_router" => {
                let word = args.value()?;
                get_u8(word, 0).ok_or_else(|| invarg("invalid mcast_router", word))?;
            }
            _ if matches(word, "help") => drop(args.value()?),
            _ => {}
        }
    }
    required(device, vids)?;
    Err(not_supported())
}

fn global_set(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let (mut device, mut vids) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => device = Some(network_device(ip, args.value()?)?),
            "vid" => vids = Some(vid_at_once(&mut args)?),
            "help" => drop(args.value()?),
            _ if word.starts_with("mcast_") => {
                let value = args.value()?;
                let most = if word.ends_with("count") || word.ends_with("interval") { u32::MAX } else { 255 };
                let number = get_unsigned(value, 0).filter(|number| *number <= most);
                number.ok_or_else(|| invarg(&format!("invalid {word}"), value))?;
            }
            _ => {}
        }
    }
    required(device, vids)?;
    Err(not_supported())
}

/// `bridge vni …`: VNIs that one vxlan link filters by; no link here does.
pub(super) fn vni(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    match args.next() {
        None => vni_show(ip, args),
        Some("show" | "lst" | "list") => vni_show(ip, args),
        Some("add" | "delete") => vni_modify(ip, args),
        Some("help") => Err(vni_usage()),
        Some(word) => Err(unknown("vni", word)),
    }
}

fn vni_usage() -> Stop {
    Stop::quit(255, include_str!("../usage/bridge/vni.txt"))
}

/// The link is one of vxlan.
fn is_vxlan(ip: &Ip, index: IfIndex) -> bool {
    let world = ip.world();
    world.stack(ip.ns).ports().get(index).is_some_and(|port| port.rare.vxlan.is_some())
}

fn vni_show(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let device = filter(ip, &mut args, false)?;
    titles(ip, &format!("{:16}  {:15}  {:15}\n", "dev", "vni", "group/remote"));
    if device.is_some_and(|index| !is_vxlan(ip, index)) {
        return Err(Stop::quit(1, "Error: The device is not a vxlan device.\nDump ternminated\n"));
    }
    ip.print.end();
    Ok(())
}

fn vni_modify(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let (mut device, mut vni) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "dev" => device = Some(args.value()?),
            "vni" => {
                let word = args.value()?;
                if vni.replace(word).is_some() {
                    return Err(invarg("duplicate vni", word));
                }
            }
            "group" | "remote" => drop(args.value()?),
            "help" => return Err(vni_usage()),
            _ => {}
        }
    }
    let missing = || Stop::fail(255, "Device and VNI ID are required arguments.\n");
    let (name, _) = device.zip(vni).ok_or_else(missing)?;
    let index = ip.index_of(name).ok_or_else(|| Stop::fail(255, format!("Cannot find vxlan device \"{name}\"\n")))?;
    Err(refused(if is_vxlan(ip, index) {
        Refusal::from(Errno::OpNotSupp)
    } else {
        Refusal::because(Errno::Inval, "vxlan: The device is not a vxlan device")
    }))
}
