//! `bridge fdb add`, `append`, `replace`, `del`, `flush`.

use super::{address_word, mac, vni};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, atoi, duparg2, get_addr, get_unsigned, invarg, matches, strtoul};
use crate::userland::ip::bridge::{no_bridge, no_device, refused};
use vethlab_engine::control::{Command, Errno, FdbMode, FdbSpec, IfIndex, NeighborMode, Nud, Refusal};
use vethlab_engine::link::bridge::fdb::FdbRecord;

/// What the words say, besides what goes into the request as it stands.
#[derive(Default)]
struct Wanted<'a> {
    device: Option<&'a str>,
    address: Option<&'a str>,
    permanent: bool,
    reachable: bool,
    dynamic: bool,
    nexthop: bool,
    not_simulated: Option<&'static str>,
}

/// `fdb_modify()`
pub(super) fn modify(ip: &mut Ip, mut args: Args<'_>, command: &str) -> Result<(), Stop> {
    let mut wanted = Wanted::default();
    let mut spec = FdbSpec { own: false, ..FdbSpec::of(vethlab_engine::addr::Mac::ZERO, 0) };
    spec.mode = match command {
        "append" => FdbMode::Append,
        "replace" => FdbMode::Neighbor(NeighborMode::Replace),
        _ => FdbMode::Neighbor(NeighborMode::Add),
    };
    while let Some(word) = args.next() {
        if !destination_word(ip, &mut spec, &mut wanted, word, &mut args)?
            && !flag_word(&mut spec, &mut wanted, word, &mut args)?
        {
            wanted.address = Some(address_word(word, &mut args, wanted.address.is_some())?);
        }
    }
    let Some((device, address)) = wanted.device.zip(wanted.address) else {
        return Err(Stop::fail(255, "Device and address are required arguments.\n"));
    };
    if wanted.nexthop && (spec.dst.is_some() || spec.dport.is_some() || spec.vni.is_some()) {
        return Err(Stop::fail(255, "dst, port, vni are mutually exclusive with nhid\n"));
    }
    spec.own |= !spec.master;
    spec.state = match (wanted.permanent || !wanted.reachable, wanted.dynamic) {
        (true, _) => Nud::Permanent,
        (false, true) => Nud::Reachable,
        (false, false) => Nud::Noarp,
    };
    spec.mac = mac(address)?;
    spec.port = ip.index_of(device).ok_or_else(|| no_device(device))?;
    // What only a vxlan understands, others pass over.
    let vxlan = ip.world().stack(ip.ns).ports().get(spec.port).is_some_and(|port| port.rare.vxlan.is_some());
    if let Some(what) = wanted.not_simulated.filter(|_| vxlan) {
        return Err(Stop::fail(1, format!("vethlab: {what} of forwarding entries is not simulated\n")));
    }
    let request = if command == "delete" { Command::FdbDelete(spec) } else { Command::FdbAdd(spec) };
    ip.world().apply(ip.ns, request).map_err(refused)
}

/// Where frames go: `dev`, and what a vxlan is told.
fn destination_word<'a>(
    ip: &Ip,
    spec: &mut FdbSpec,
    wanted: &mut Wanted<'a>,
    word: &str,
    args: &mut Args<'a>,
) -> Result<bool, Stop> {
    match word {
        "dev" => wanted.device = Some(args.value()?),
        "dst" => {
            let word = args.value()?;
            if spec.dst.is_some() {
                return Err(duparg2("dst", word));
            }
            spec.dst = get_addr(word, ip.opts.family)?.address;
        }
        "nhid" => {
            let word = args.value()?;
            let id = get_unsigned(word, 0).ok_or_else(|| invarg("\"id\" value is invalid\n", word))?;
            wanted.nexthop = id != 0;
            wanted.not_simulated = Some("nhid");
        }
        "port" => {
            let word = args.value()?;
            let number = strtoul(word, 0).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number);
            let port = number.and_then(|number| u16::try_from(number).ok());
            spec.dport = Some(port.ok_or_else(|| invarg("invalid port\n", word))?).filter(|port| *port != 0);
        }
        "vni" => spec.vni = Some(vni(args.value()?)?),
        "src_vni" => {
            let word = args.value()?;
            let number = strtoul(word, 0).filter(|(number, rest)| rest.is_empty() && *number < 1 << 24);
            number.ok_or_else(|| invarg("invalid src VNI\n", word))?;
            wanted.not_simulated = Some("src_vni");
        }
        "via" => {
            let name = args.value()?;
            let missing = || Stop::quit(255, format!("Cannot find device \"{name}\"\n"));
            spec.via = Some(ip.index_of(name).ok_or_else(missing)?);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// What kind of entry it is. Most of these may be abbreviated.
fn flag_word(spec: &mut FdbSpec, wanted: &mut Wanted<'_>, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
    if word == "self" {
        spec.own = true;
    } else if matches(word, "master") {
        spec.master = true;
    } else if matches(word, "router") {
        wanted.not_simulated = Some("router");
    } else if matches(word, "local") || matches(word, "permanent") {
        wanted.permanent = true;
    } else if matches(word, "temp") || matches(word, "static") {
        wanted.reachable = true;
    } else if matches(word, "dynamic") {
        (wanted.reachable, wanted.dynamic) = (true, true);
    } else if matches(word, "vlan") {
        if spec.vlan.is_some() {
            return Err(duparg2("vlan", word));
        }
        spec.vlan = u16::try_from(atoi(args.value()?) as i16).ok();
    } else if matches(word, "use") {
        spec.in_use = true;
    } else if matches(word, "extern_learn") {
        spec.extern_learn = true;
    } else if matches(word, "sticky") {
        spec.sticky = true;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Which entries a flush takes: a property that must be so, or must not.
#[derive(Default)]
struct Flush<'a> {
    device: Option<&'a str>,
    port: Option<&'a str>,
    vlan: Option<i16>,
    own: bool,
    master: bool,
    local: Option<bool>,
    fixed: Option<bool>,
    by_user: Option<bool>,
    extern_learn: Option<bool>,
    sticky: Option<bool>,
    offloaded: Option<bool>,
}

impl Flush<'_> {
    fn takes(&self, record: &FdbRecord) -> bool {
        let is = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        is(self.local, record.local)
            && is(self.fixed, record.fixed || record.local)
            && is(self.by_user, record.by_user)
            && is(self.extern_learn, record.extern_learn)
            && is(self.sticky, record.sticky)
            && is(self.offloaded, false)
            && self.vlan.is_none_or(|vlan| vlan == 0)
    }

    fn word(&mut self, word: &str) {
        match word {
            "master" => self.master = true,
            "self" => self.own = true,
            "permanent" => self.local = Some(true),
            "nopermanent" => self.local = Some(false),
            "static" => (self.fixed, self.local) = (Some(true), Some(false)),
            "nostatic" => self.fixed = Some(false),
            "dynamic" => (self.fixed, self.local) = (Some(false), Some(false)),
            "nodynamic" => self.fixed = Some(true),
            "added_by_user" => self.by_user = Some(true),
            "noadded_by_user" => self.by_user = Some(false),
            "extern_learn" => self.extern_learn = Some(true),
            "noextern_learn" => self.extern_learn = Some(false),
            "sticky" => self.sticky = Some(true),
            "nosticky" => self.sticky = Some(false),
            "offloaded" => self.offloaded = Some(true),
            "nooffloaded" => self.offloaded = Some(false),
            // Anything else is passed over.
            _ => {}
        }
    }
}

/// `fdb_flush()`
pub(super) fn flush(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let mut wanted = Flush::default();
    while let Some(word) = args.next() {
        match word {
            "dev" => wanted.device = Some(args.value()?),
            "brport" => {
                if wanted.port.is_some() {
                    return Err(duparg2("brport", word));
                }
                wanted.port = Some(args.value()?);
            }
            "vlan" => {
                if wanted.vlan.is_some_and(|vlan| vlan >= 0) {
                    return Err(duparg2("vlan", word));
                }
                wanted.vlan = Some(atoi(args.value()?) as i16);
            }
            // It is taken for a word that another follows.
            "help" => drop(args.value()?),
            _ => wanted.word(word),
        }
    }
    let Some(device) = wanted.device else { return Err(Stop::fail(255, "Device is a required argument.\n")) };
    let index = ip.index_of(device).ok_or_else(|| no_bridge(device))?;
    let no_port = |name: &str| Stop::fail(255, format!("Cannot find bridge port device \"{name}\"\n"));
    let port = wanted.port.map(|name| ip.index_of(name).ok_or_else(|| no_port(name))).transpose()?;
    if let Some(vlan) = wanted.vlan.filter(|vlan| *vlan >= 4096) {
        return Err(Stop::fail(255, format!("Invalid VLAN ID \"{vlan}\"\n")));
    }
    wanted.vlan = wanted.vlan.filter(|vlan| *vlan >= 0);
    let (bridge, port) = whose(ip, &wanted, index, port).map_err(refused)?;
    for spec in doomed(ip, &wanted, bridge, port) {
        ip.world().apply(ip.ns, Command::FdbDelete(spec)).map_err(refused)?;
    }
    Ok(())
}

/// Whose entries are meant, and behind which port.
fn whose(
    ip: &Ip,
    wanted: &Flush<'_>,
    index: IfIndex,
    port: Option<IfIndex>,
) -> Result<(IfIndex, Option<IfIndex>), Refusal> {
    let world = ip.world();
    let ports = world.stack(ip.ns).ports();
    let device = ports.get(index).ok_or(Errno::NoDev)?;
    if !wanted.master && device.rare.vxlan.is_some() {
        return Ok((index, port));
    }
    let (bridge, behind) = match device.master.filter(|_| wanted.master) {
        Some(bridge) => (bridge, Some(port.unwrap_or(index))),
        None if wanted.master || device.rare.bridge.is_none() => return Err(Errno::OpNotSupp.into()),
        None => (index, port),
    };
    let no = |text: &str| Err(Refusal::because(Errno::Inval, text));
    match behind.filter(|port| *port != bridge).map(|port| ports.get(port).and_then(|port| port.master)) {
        Some(None) => no("bridge: Flush device is not a bridge or bridge port"),
        Some(Some(master)) if master != bridge => no("bridge: Port belongs to a different bridge device"),
        _ => Ok((bridge, behind)),
    }
}

/// The entries that a flush takes, as they are deleted one by one.
fn doomed(ip: &Ip, wanted: &Flush<'_>, bridge: IfIndex, port: Option<IfIndex>) -> Vec<FdbSpec> {
    let world = ip.world();
    let stack = world.stack(ip.ns);
    let Some(of) = stack.ports().get(bridge).and_then(|port| port.rare.bridge.as_ref()) else {
        let entries = stack.fdb(world.now()).into_iter().filter(|entry| entry.port == bridge && entry.own);
        let spec =
            |entry: vethlab_engine::control::FdbEntry| FdbSpec { dst: entry.dst, ..FdbSpec::of(entry.mac, bridge) };
        return entries.map(spec).collect();
    };
    let records = of.fdb.iter().filter(|record| wanted.takes(record));
    let records = records.filter(|record| port.is_none_or(|port| record.port.unwrap_or(bridge) == port));
    let spec = |record: &FdbRecord| match record.port {
        None => FdbSpec::of(record.mac, bridge),
        Some(port) => FdbSpec { master: true, own: false, ..FdbSpec::of(record.mac, port) },
    };
    records.map(spec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vethlab_engine::addr::Mac;
    use vethlab_engine::time::Time;

    #[test]
    fn a_flush_takes_by_properties() {
        let learned = FdbRecord {
            mac: Mac::ZERO,
            port: Some(2),
            local: false,
            fixed: false,
            sticky: false,
            extern_learn: false,
            by_user: false,
            used: Time(0),
            updated: Time(0),
        };
        let fixed = FdbRecord { fixed: true, ..learned };
        let local = FdbRecord { local: true, ..learned };
        let takes = |word: &str| {
            let mut flush = Flush::default();
            flush.word(word);
            [learned, fixed, local].map(|record| flush.takes(&record))
        };
        assert_eq!(takes("whatever"), [true; 3]);
        assert_eq!(takes("dynamic"), [true, false, false]);
        assert_eq!(takes("static"), [false, true, false]);
        assert_eq!(takes("permanent"), [false, false, true]);
        assert_eq!(takes("nodynamic"), [false, true, true]);
        assert_eq!(takes("nopermanent"), [true, true, false]);
        assert_eq!(takes("offloaded"), [false; 3]);
    }
}
