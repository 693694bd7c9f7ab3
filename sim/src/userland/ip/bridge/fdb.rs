//! `bridge fdb`: who is behind which port, as it is listed.

mod change;

use super::{no_bridge, no_device, unknown};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, atoi, duparg, duparg2, get_unsigned, invarg, matches, strtoul};
use crate::userland::ip::print::Color;
use vethlab_engine::addr::{IpAddr, Mac};
use vethlab_engine::control::{Errno, FdbEntry, IfIndex, Nud, Refusal};

/// `NUD_*`, as bits.
const REACHABLE: u32 = 0x02;
const STALE: u32 = 0x04;
const NOARP: u32 = 0x40;
const PERMANENT: u32 = 0x80;

fn usage() -> Stop {
    Stop::quit(255, include_str!("../usage/bridge/fdb.txt"))
}

/// `bridge fdb …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] = &["add", "append", "replace", "delete", "get", "show", "lst", "list"];
    let Some(word) = args.next() else { return show(ip, args) };
    match COMMANDS.iter().copied().find(|command| matches(word, command)) {
        Some("get") => get(ip, args),
        Some("show" | "lst" | "list") => show(ip, args),
        Some(command) => change::modify(ip, args, command),
        None if word == "flush" => change::flush(ip, args),
        None if matches(word, "help") => Err(usage()),
        None => Err(unknown("fdb", word)),
    }
}

/// What is asked for. Zero is nothing, as for iproute2.
#[derive(Default)]
struct Filter {
    /// `brport`, `dev`
    index: Option<IfIndex>,
    /// `br`
    bridge: Option<IfIndex>,
    vlan: u16,
    state: u32,
    dynamic: bool,
}

impl Filter {
    fn read(ip: &Ip, args: &mut Args<'_>) -> Result<Filter, Stop> {
        let mut filter = Filter::default();
        let (mut device, mut bridge) = (None, None);
        while let Some(word) = args.next() {
            match word {
                "brport" | "dev" => device = Some(args.value()?),
                "br" => bridge = Some(args.value()?),
                "vlan" => {
                    let word = args.value()?;
                    if filter.vlan != 0 {
                        return Err(duparg("vlan", word));
                    }
                    filter.vlan = atoi(word) as u16;
                }
                "state" => {
                    let word = args.value()?;
                    filter.state |= state(word).ok_or_else(|| invarg("invalid state", word))?;
                }
                "dynamic" => filter.dynamic = true,
                _ if matches(word, "help") => return Err(usage()),
                _ => {}
            }
        }
        filter.bridge = bridge.map(|name| ip.index_of(name).ok_or_else(|| no_bridge(name))).transpose()?;
        filter.index = device.map(|name| ip.index_of(name).ok_or_else(|| no_device(name))).transpose()?;
        Ok(filter)
    }

    fn takes(&self, entry: &FdbEntry) -> bool {
        let state = bits(entry);
        self.index.is_none_or(|index| index == entry.port)
            && (self.state == 0 || state & self.state != 0)
            && (self.vlan == 0 || entry.vlan == Some(self.vlan))
            && !(self.dynamic && state & PERMANENT != 0)
    }
}

/// `state_a2n()`
fn state(word: &str) -> Option<u32> {
    let names = [
        ("permanent", PERMANENT),
        ("static", NOARP),
        ("temp", NOARP),
        ("stale", STALE),
        ("reachable", REACHABLE),
        ("dynamic", REACHABLE),
    ];
    let named = names.iter().find(|(name, _)| matches(word, name)).map(|(_, state)| *state);
    named.or_else(|| if word == "all" { Some(u32::MAX) } else { get_unsigned(word, 0) })
}

/// `ndm_state`. A vxlan keeps what iproute2 said, which is more than one bit.
fn bits(entry: &FdbEntry) -> u32 {
    match (entry.state, entry.dst) {
        (Nud::Permanent, Some(_)) => PERMANENT | NOARP,
        (Nud::Noarp, Some(_)) => NOARP | REACHABLE,
        (Nud::Permanent, None) => PERMANENT,
        (Nud::Noarp, None) => NOARP,
        (Nud::Stale, _) => STALE,
        _ => REACHABLE,
    }
}

/// All entries of the namespace, in the kernel's order.
fn all(ip: &Ip) -> Vec<FdbEntry> {
    let world = ip.world();
    world.stack(ip.ns).fdb(world.now())
}

fn show(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let filter = Filter::read(ip, &mut args)?;
    let mut entries = all(ip);
    // The kernel itself leaves out what is not the bridge's or its ports'.
    if let Some(bridge) = filter.bridge {
        let world = ip.world();
        let ports = world.stack(ip.ns).ports();
        let of_bridge = |index| index == bridge || ports.get(index).is_some_and(|port| port.master == Some(bridge));
        let is_bridge = ports.get(bridge).is_some_and(|port| port.rare.bridge.is_some());
        entries.retain(|entry| is_bridge && of_bridge(entry.port));
    }
    ip.print.begin();
    for entry in entries.iter().filter(|entry| filter.takes(entry)) {
        print(ip, entry, filter.index.is_none());
    }
    ip.print.end();
    Ok(())
}

/// `print_fdb()`; with its device if `device`.
fn print(ip: &mut Ip, entry: &FdbEntry, device: bool) {
    let device = device.then(|| ip.name_of(entry.port));
    let via = entry.via.map(|index| ip.name_of(index));
    let master = entry.master.map(|index| ip.name_of(index));
    let stats = ip.opts.stats > 0;
    let print = &mut ip.print;
    print.open_object();
    print.string_in(Color::Mac, "mac", "{} ", &entry.mac.to_string());
    if let Some(device) = device {
        print.text("dev ");
        print.string_in(Color::IfName, "ifname", "{} ", &device);
    }
    if let Some(dst) = entry.dst {
        print.text("dst ");
        let color = if matches!(dst, IpAddr::V4(_)) { Color::Inet } else { Color::Inet6 };
        print.string_in(color, "dst", "{} ", &dst.to_string());
    }
    if let Some(vlan) = entry.vlan.filter(|vlan| *vlan != 0) {
        print.number("vlan", "vlan {} ", vlan);
    }
    if let Some(port) = entry.dport {
        print.number("port", "port {} ", port);
    }
    if let Some(vni) = entry.vni {
        print.number("vni", "vni {} ", vni);
    }
    if let Some(via) = via {
        print.string("viaIf", "via {} ", &via);
    }
    if let Some((used, updated)) = entry.used.filter(|_| stats) {
        let (used, updated) = (used.as_secs(), updated.as_secs());
        print.json_number("used", used);
        print.json_number("updated", updated);
        print.text(&format!("used {used}/{updated} "));
    }
    if print.is_json() {
        print.open_array("flags", "");
    }
    for (name, set) in [("self", entry.own), ("extern_learn", entry.extern_learn), ("sticky", entry.sticky)] {
        if set {
            print.string("", "{} ", name);
        }
    }
    if print.is_json() {
        print.close_array("");
    }
    if let Some(master) = master {
        print.string("master", "master {} ", &master);
    }
    let state = match entry.state {
        Nud::Permanent => "permanent",
        Nud::Noarp => "static",
        Nud::Stale => "stale",
        _ => "",
    };
    print.string("state", "{}\n", state);
    print.close_object();
    print.flush();
}

/// `sscanf("%hhx:…")`: six bytes, of longer numbers the last one.
fn mac(word: &str) -> Result<Mac, Stop> {
    let invalid = || Stop::fail(255, format!("Invalid mac address {word}\n"));
    let mut bytes = [0; 6];
    let mut parts = word.splitn(6, ':');
    for byte in &mut bytes {
        let part = parts.next().ok_or_else(invalid)?;
        let (number, rest) = strtoul(part, 16).ok_or_else(invalid)?;
        // What follows the last one is not looked at; between them only colons stand.
        if !rest.is_empty() && parts.clone().next().is_some() {
            return Err(invalid());
        }
        *byte = number as u8;
    }
    Ok(Mac(bytes))
}

/// The number of a network, as `strtoul` reads it.
fn vni(word: &str) -> Result<u32, Stop> {
    let number = strtoul(word, 0).filter(|(number, rest)| rest.is_empty() && *number < 1 << 24);
    Ok(number.ok_or_else(|| invarg("invalid VNI\n", word))?.0 as u32)
}

/// What the words of `get` say.
#[derive(Default)]
struct Get<'a> {
    device: Option<&'a str>,
    bridge: Option<&'a str>,
    address: Option<&'a str>,
    own: bool,
    master: bool,
    vlan: Option<i16>,
    dynamic: bool,
}

fn get(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let mut wanted = Get::default();
    while let Some(word) = args.next() {
        match word {
            "brport" | "dev" => wanted.device = Some(args.value()?),
            "br" => wanted.bridge = Some(args.value()?),
            "vni" => drop(vni(args.value()?)?),
            "self" => wanted.own = true,
            _ if matches(word, "master") => wanted.master = true,
            _ if matches(word, "vlan") => {
                if wanted.vlan.is_some_and(|vlan| vlan >= 0) {
                    return Err(duparg2("vlan", word));
                }
                wanted.vlan = Some(atoi(args.value()?) as i16);
            }
            _ if matches(word, "dynamic") => wanted.dynamic = true,
            _ => wanted.address = Some(address_word(word, &mut args, wanted.address.is_some())?),
        }
    }
    let Some(address) = wanted.address.filter(|_| wanted.device.is_some() || wanted.bridge.is_some()) else {
        return Err(Stop::fail(255, "Device or master and address are required arguments.\n"));
    };
    let mac = mac(address)?;
    let device = wanted.device.map(|name| ip.index_of(name).ok_or_else(|| no_device(name))).transpose()?;
    let bridge = wanted.bridge.map(|name| ip.index_of(name).ok_or_else(|| no_bridge(name))).transpose()?;
    // Here iproute2 ends with −2.
    let found = find(ip, &wanted, mac, device, bridge).map_err(|refusal| Stop::fail(254, format!("{refusal}\n")))?;
    ip.print.begin();
    if !(wanted.dynamic && found.state == Nud::Permanent) {
        print(ip, &found, true);
    }
    ip.print.end();
    Ok(())
}

/// `ADDR`, or `to ADDR`.
fn address_word<'a>(word: &'a str, args: &mut Args<'a>, second: bool) -> Result<&'a str, Stop> {
    let word = if word == "to" { args.value()? } else { word };
    if matches(word, "help") {
        return Err(usage());
    }
    if second { Err(duparg2("to", word)) } else { Ok(word) }
}

/// `rtnl_fdb_get`: the bridge is asked, or the device itself.
fn find(
    ip: &Ip,
    wanted: &Get<'_>,
    mac: Mac,
    device: Option<IfIndex>,
    bridge: Option<IfIndex>,
) -> Result<FdbEntry, Refusal> {
    let no = |text: &str| Refusal::because(Errno::Inval, text);
    let world = ip.world();
    let ports = world.stack(ip.ns).ports();
    if wanted.vlan.is_some_and(|vlan| !(1..4095).contains(&vlan)) {
        return Err(no("invalid vlan id"));
    }
    let asked = match (bridge, device) {
        (Some(_), Some(_)) => return Err(no("Master and device are mutually exclusive")),
        (Some(bridge), None) => bridge,
        (None, Some(device)) if wanted.own && !wanted.master => device,
        (None, Some(device)) => {
            let master = ports.get(device).and_then(|port| port.master);
            master.ok_or_else(|| no("Device is not a bridge port"))?
        }
        (None, None) => return Err(Errno::NoDev.into()),
    };
    let (is_bridge, is_vxlan) =
        ports.get(asked).map_or((false, false), |port| (port.rare.bridge.is_some(), port.rare.vxlan.is_some()));
    if !is_bridge && !is_vxlan {
        return Err(Refusal::because(Errno::OpNotSupp, "Fdb get operation not supported by device"));
    }
    drop(world);
    let vlan = wanted.vlan.map(|vlan| vlan as u16);
    let mut entries = all(ip).into_iter();
    let found = entries.find(|entry| {
        let here = if is_bridge { entry.master == Some(asked) } else { entry.port == asked && entry.own };
        here && entry.mac == mac && entry.vlan == vlan
    });
    found.ok_or_else(|| Refusal::because(Errno::NoEnt, "Fdb entry not found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_as_sscanf_reads_them() {
        assert_eq!(mac("2:0:0:0:0:1g"), Ok(Mac([2, 0, 0, 0, 0, 1])));
        assert_eq!(mac("02:00:00:00:00:1ff"), Ok(Mac([2, 0, 0, 0, 0, 0xff])));
        for bad in ["02:00:00:00:00", "zz", "2g:0:0:0:0:1", "", "02:00:00:00:00:"] {
            assert_eq!(mac(bad), Err(Stop::fail(255, format!("Invalid mac address {bad}\n"))), "{bad}");
        }
    }

    #[test]
    fn states_by_name_and_number() {
        assert_eq!((state("perm"), state("st"), state("temp")), (Some(PERMANENT), Some(NOARP), Some(NOARP)));
        assert_eq!((state("0x42"), state("all"), state("foo")), (Some(0x42), Some(u32::MAX), None));
    }
}
