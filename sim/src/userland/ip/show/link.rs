//! A link, as a listing tells it: what the kernel would send, and how it is printed.

use super::super::Ip;
use super::super::args::Family;
use super::super::names::group_name;
use super::super::print::{Color, Print};
use super::kind::{Kind, Slave};
use super::{Filter, stats};
use crate::userland::tc;
use crate::world::{Driver, NsId, World, promiscuity};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::port::flag as iff;
use vethlab_engine::link::{OperState, Port, PortCounters, PortKind};

/// What a listing says of one link. `None`: the kernel does not say it.
#[derive(Clone, Debug)]
pub(in super::super) struct Link {
    pub index: IfIndex,
    pub name: String,
    /// `IFF_*`, with `RUNNING` and `LOWER_UP`.
    pub flags: u32,
    pub mtu: u32,
    pub qdisc: Option<&'static str>,
    pub operstate: OperState,
    pub group: Option<u32>,
    pub txqueuelen: u32,
    pub loopback: bool,
    pub mac: Mac,
    pub broadcast: Option<Mac>,
    /// The other end.
    pub other: Option<OtherEnd>,
    /// What it is a port of.
    pub master: Option<(IfIndex, String)>,
    /// `veth` …; nothing for `lo` and real devices.
    pub kind: Option<Kind>,
    /// What a bridge knows of it.
    pub slave: Option<Slave>,
    pub details: Option<Details>,
    pub alias: String,
    pub counters: PortCounters,
    pub carrier_changes: u32,
}

/// The other end of a cable (`IFLA_LINK`).
#[derive(Clone, Debug)]
pub(in super::super) struct OtherEnd {
    pub index: IfIndex,
    /// The name and the flags of the link of that number *here*, if it is here (or if the kernel does not say where).
    pub here: Option<(String, u32)>,
    /// `link-netnsid`, and the namespace's name, if it is elsewhere.
    pub elsewhere: Option<(u32, Option<String>)>,
}

/// What `-d` adds.
#[derive(Clone, Debug)]
pub(in super::super) struct Details {
    pub promiscuity: u32,
    pub allmulti: u32,
    pub mtu_range: (u32, u32),
    /// None without IPv6.
    pub addrgenmode: Option<u8>,
    pub queues: u32,
    pub tso_max_size: u32,
}

impl Link {
    /// All links of the namespace.
    pub(super) fn all(ip: &Ip) -> Vec<Link> {
        let names = ip.names_of_nsids();
        let mut world = ip.world();
        let indexes: Vec<IfIndex> = world.stack(ip.ns).ports().iter().map(|port| port.index).collect();
        indexes.into_iter().filter_map(|index| Link::one(&mut world, ip.ns, index, &names)).collect()
    }

    /// The same as a dump of `AF_INET6` tells it (`inet6_fill_ifinfo`): less of each, and of the other end its number
    /// only, so that it is taken for a link of this namespace.
    pub(in super::super) fn all_inet6(ip: &Ip) -> Vec<Link> {
        let mut links = Link::all(ip);
        let names: Vec<(IfIndex, String, u32)> =
            links.iter().map(|link| (link.index, link.name.clone(), link.flags)).collect();
        for link in &mut links {
            link.qdisc = None;
            link.group = None;
            link.broadcast = None;
            link.master = None;
            link.kind = None;
            link.slave = None;
            link.details = None;
            link.alias.clear();
            // IPv6's own counters are not kept.
            link.counters = PortCounters::default();
            let of = link.index;
            link.other = link.other.take().filter(|other| other.index != of).map(|other| {
                let here = names.iter().find(|(index, ..)| *index == other.index);
                let here = here.map(|(_, name, flags)| (name.clone(), *flags));
                let unknown = || (format!("if{}", other.index), u32::MAX);
                OtherEnd { index: other.index, here: Some(here.unwrap_or_else(unknown)), elsewhere: None }
            });
        }
        links
    }

    fn one(world: &mut World, ns: NsId, index: IfIndex, names: &[(NsId, String)]) -> Option<Link> {
        let driver = world.driver(ns, index);
        let operstate = world.operstate(ns, index);
        let other = other_end(world, ns, index, names);
        let port = world.stack(ns).ports().get(index)?;
        let kind = Kind::of(world, ns, port, driver == Some(Driver::Veth));
        let master = port.master.and_then(|index| world.stack(ns).ports().get(index));
        let (promiscuity, allmulti) = promiscuity(world.stack(ns).ports(), port);
        let promiscuity = promiscuity + world.stack(ns).tap_promiscuity(index);
        Some(Link {
            index,
            name: port.name.to_string(),
            flags: port.flags(),
            mtu: port.mtu,
            qdisc: Some(tc::qdisc_kind(world.stack(ns), port, driver)),
            operstate,
            group: Some(port.rare.group),
            txqueuelen: port.txqueuelen,
            loopback: port.is_loopback(),
            mac: port.mac,
            broadcast: Some(port.broadcast),
            other,
            master: master.map(|master| (master.index, master.name.to_string())),
            slave: Slave::of(world, ns, port),
            details: Some(Details {
                promiscuity,
                allmulti,
                mtu_range: port.kind.mtu_range(),
                addrgenmode: Some(port.addrgenmode).filter(|_| port.has_ipv6()),
                // One a processor; a world counts two, whatever the machine has.
                queues: if driver == Some(Driver::Veth) { 2 } else { 1 },
                tso_max_size: tso_max_size(world, ns, port, driver),
            }),
            kind,
            alias: port.rare.alias.clone(),
            counters: port.counters,
            carrier_changes: port.carrier_changes.0 + port.carrier_changes.1,
        })
    }
}

/// What the driver can cut by itself: all that goes through memory, a whole big packet; links on others what those can.
fn tso_max_size(world: &World, ns: NsId, port: &Port, driver: Option<Driver>) -> u32 {
    match (port.kind, driver) {
        // The smallest of its ports'; without one as it was made, or when the last one has left, anything.
        (PortKind::Bridge, _) => {
            let members = world.stack(ns).ports().iter().filter(|member| member.master == Some(port.index));
            let sizes = members.map(|member| tso_max_size(world, ns, member, world.driver(ns, member.index)));
            let left = if port.mac == Mac::ZERO { 524_280 } else { 65536 };
            sizes.min().unwrap_or(left)
        }
        (PortKind::Dummy, _) | (_, Some(Driver::Physical)) => 65536,
        (PortKind::Vlan | PortKind::Macvlan | PortKind::Vxlan, _) => {
            world.lower(ns, port.index).map_or(65536, |lower| {
                let below = world.stack(lower.netns).ports().get(lower.index);
                below.map_or(65536, |below| {
                    tso_max_size(world, lower.netns, below, world.driver(lower.netns, lower.index))
                })
            })
        }
        _ => 524_280,
    }
}

/// `IFLA_LINK`: the other end of a cable, or what the link stands on. A vxlan does not say it so.
fn other_end(world: &mut World, ns: NsId, index: IfIndex, names: &[(NsId, String)]) -> Option<OtherEnd> {
    let vxlan = world.stack(ns).ports().get(index).is_some_and(|port| port.kind == PortKind::Vxlan);
    let peer = world.peer(ns, index).or_else(|| world.lower(ns, index).filter(|_| !vxlan))?;
    if peer.netns == ns {
        let port = world.stack(ns).ports().get(peer.index)?;
        return Some(OtherEnd {
            index: peer.index,
            here: Some((port.name.to_string(), port.flags())),
            elsewhere: None,
        });
    }
    // The kernel gives a number to a namespace when it first has to speak of it.
    let id = world.nsid(ns, peer.netns).or_else(|| world.nsid_assign(ns, peer.netns, None).ok())?;
    let name = names.iter().find(|(of, _)| *of == peer.netns).map(|(_, name)| name.clone());
    Some(OtherEnd { index: peer.index, here: None, elsewhere: Some((id, name)) })
}

/// Prints a link, if the filter takes it. True if it was printed in full, and not only its name and state.
pub(super) fn print(ip: &mut Ip, filter: &Filter, link: &Link) -> Option<bool> {
    if !filter.takes_index_and_state(link) {
        return None;
    }
    // A label is an address's: with one, of the link nothing is printed, nor is the rest asked.
    if filter.label.is_some() {
        return Some(false);
    }
    if !filter.takes_link(link) {
        return None;
    }
    if ip.opts.brief {
        brief(ip, filter, link);
        return Some(false);
    }
    ip.print.number("ifindex", "{}: ", link.index);
    let peer_down = name_and_other_end(&mut ip.print, link, false);
    flags(&mut ip.print, link.flags, peer_down);
    first_line(ip, filter, link);
    let addresses = matches!(filter.family, Family::Unspec | Family::Packet);
    if addresses || ip.opts.details {
        mac_line(ip, link);
    }
    netns(&mut ip.print, link);
    if ip.opts.details {
        details(ip, filter, link);
    }
    if (filter.links || ip.opts.details) && !link.alias.is_empty() {
        let before = format!("{}    ", ip.print.separator());
        ip.print.text(&before);
        ip.print.string("ifalias", "alias {}", &link.alias);
    }
    if filter.links && ip.opts.stats > 0 {
        ip.print.nl();
        stats::print(ip, link);
    }
    ip.print.text("\n");
    ip.print.flush();
    Some(true)
}

fn brief(ip: &mut Ip, filter: &Filter, link: &Link) {
    let peer_down = name_and_other_end(&mut ip.print, link, true);
    operstate(&mut ip.print, link.operstate, true);
    if filter.family == Family::Packet {
        ip.print.string_in(Color::Mac, "address", "{} ", &link.mac.to_string());
        flags(&mut ip.print, link.flags, peer_down);
        ip.print.text("\n");
    }
    ip.print.flush();
}

/// `print_name_and_link()`: `v0@v1`, `v0@if5`. True if the other end is here and down.
pub(in super::super) fn name_and_other_end(print: &mut Print, link: &Link, brief: bool) -> bool {
    let (mut shown, mut peer_down) = (link.name.clone(), false);
    match &link.other {
        Some(OtherEnd { here: Some((name, flags)), .. }) => {
            print.json_string("link", name);
            peer_down = flags & iff::UP == 0;
            shown = format!("{}@{name}", link.name);
        }
        Some(other) => {
            print.json_number("link_index", other.index);
            shown = format!("{}@if{}", link.name, other.index);
        }
        None => {}
    }
    print.json_string("ifname", &link.name);
    let text = if brief { format!("{shown:16} ") } else { format!("{shown}: ") };
    print.text_in(Color::IfName, &text);
    peer_down
}

/// `print_link_flags()`
pub(in super::super) fn flags(print: &mut Print, flags: u32, peer_down: bool) {
    const NAMES: &[(u32, &str)] = &[
        (iff::LOOPBACK, "LOOPBACK"),
        (iff::BROADCAST, "BROADCAST"),
        (iff::POINTOPOINT, "POINTOPOINT"),
        (iff::MULTICAST, "MULTICAST"),
        (iff::NOARP, "NOARP"),
        (iff::ALLMULTI, "ALLMULTI"),
        (iff::PROMISC, "PROMISC"),
        (iff::MASTER, "MASTER"),
        (iff::SLAVE, "SLAVE"),
        (iff::DYNAMIC, "DYNAMIC"),
        (iff::NOTRAILERS, "NOTRAILERS"),
        (iff::UP, "UP"),
        (iff::LOWER_UP, "LOWER_UP"),
    ];
    print.open_array("flags", "<");
    if flags & iff::UP != 0 && flags & iff::RUNNING == 0 {
        print.element("{},", "NO-CARRIER");
    }
    let mut left = flags & !iff::RUNNING;
    for (bit, name) in NAMES.iter().filter(|(bit, _)| flags & bit != 0) {
        left &= !bit;
        print.element(if left != 0 { "{}," } else { "{}" }, name);
    }
    if left != 0 {
        print.element("{}", &format!("{left:x}"));
    }
    if peer_down {
        print.element(",{}", "M-DOWN");
    }
    print.close_array("> ");
}

/// From `mtu` to `qlen`.
fn first_line(ip: &mut Ip, filter: &Filter, link: &Link) {
    let numeric = ip.opts.numeric;
    let print = &mut ip.print;
    print.number("mtu", "mtu {} ", link.mtu);
    if let Some(qdisc) = link.qdisc {
        print.string("qdisc", "qdisc {} ", qdisc);
    }
    if let Some((_, master)) = &link.master {
        print.string("master", "master {} ", master);
    }
    operstate(print, link.operstate, false);
    if filter.links {
        print.string("linkmode", "mode {} ", "DEFAULT");
    }
    if let Some(group) = link.group {
        print.string("group", "group {} ", &group_name(group, numeric));
    }
    if link.txqueuelen != 0 {
        print.number("txqlen", "qlen {}", link.txqueuelen as i32);
    }
}

fn operstate(print: &mut Print, state: OperState, brief: bool) {
    let (name, color) = match state {
        OperState::Unknown => ("UNKNOWN", Color::None),
        OperState::NotPresent => ("NOTPRESENT", Color::None),
        OperState::Down => ("DOWN", Color::OperStateDown),
        OperState::LowerLayerDown => ("LOWERLAYERDOWN", Color::None),
        OperState::Testing => ("TESTING", Color::None),
        OperState::Dormant => ("DORMANT", Color::None),
        OperState::Up => ("UP", Color::OperStateUp),
    };
    print.json_string("operstate", name);
    if brief {
        print.text_in(color, &format!("{name:14} "));
    } else {
        print.text("state ");
        print.text_in(color, &format!("{name} "));
    }
}

/// `    link/ether 02:… brd ff:…`
fn mac_line(ip: &mut Ip, link: &Link) {
    let (name, number) = if link.loopback { ("loopback", 772) } else { ("ether", 1) };
    let name = if ip.opts.numeric { format!("[{number}]") } else { name.to_owned() };
    let print = &mut ip.print;
    print.nl();
    print.string("link_type", "    link/{} ", &name);
    print.string_in(Color::Mac, "address", "{}", &link.mac.to_string());
    if let Some(broadcast) = link.broadcast {
        print.text(" brd ");
        print.string_in(Color::Mac, "broadcast", "{}", &broadcast.to_string());
    }
}

fn netns(print: &mut Print, link: &Link) {
    let Some((id, name)) = link.other.as_ref().and_then(|other| other.elsewhere.as_ref()) else { return };
    print.json_number("link_netnsid", id);
    match name {
        Some(name) => print.text(&format!(" link-netns {name}")),
        None => print.text(&format!(" link-netnsid {id}")),
    }
}

/// What `-d` adds to the second line, and the line of the kind.
fn details(ip: &mut Ip, filter: &Filter, link: &Link) {
    let Some(details) = &link.details else { return };
    let print = &mut ip.print;
    print.number("promiscuity", " promiscuity {} ", details.promiscuity);
    print.number("allmulti", " allmulti {} ", details.allmulti);
    print.number("min_mtu", "minmtu {} ", details.mtu_range.0);
    print.number("max_mtu", "maxmtu {} ", details.mtu_range.1);
    if link.kind.is_some() || link.slave.is_some() {
        print.open_object_named("linkinfo");
        if let Some(kind) = &link.kind {
            kind.print(print);
        }
        if let Some(slave) = &link.slave {
            slave.print(print);
        }
        print.close_object();
    }
    if let Some(mode) = details.addrgenmode.filter(|_| filter.links) {
        let mode = match mode {
            0 => "eui64".to_owned(),
            1 => "none".to_owned(),
            2 => "stable_secret".to_owned(),
            3 => "random".to_owned(),
            other => format!("{other:#04x}"),
        };
        print.string("inet6_addr_gen_mode", "addrgenmode {} ", &mode);
    }
    print.number("num_tx_queues", "numtxqueues {} ", details.queues);
    print.number("num_rx_queues", "numrxqueues {} ", details.queues);
    print.number("gso_max_size", "gso_max_size {} ", 65536);
    print.number("gso_max_segs", "gso_max_segs {} ", 65535);
    print.number("tso_max_size", "tso_max_size {} ", details.tso_max_size);
    print.number("tso_max_segs", "tso_max_segs {} ", 65535);
    print.number("gro_max_size", "gro_max_size {} ", 65536);
}

#[cfg(test)]
mod tests {
    use super::super::super::print::Style;
    use super::*;

    fn printed(style: Style, show: impl Fn(&mut Print)) -> String {
        let mut print = Print::new(style);
        show(&mut print);
        print.take().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn flags_in_their_order_with_their_commas() {
        let text = |bits, down| printed(Style::default(), |print| flags(print, bits, down));
        let set = iff::BROADCAST | iff::MULTICAST | iff::UP;
        assert_eq!(text(set, true), "<NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> ");
        assert_eq!(text(set | iff::RUNNING | iff::LOWER_UP, false), "<BROADCAST,MULTICAST,UP,LOWER_UP> ");
        assert_eq!(text(iff::LOOPBACK | 0x8000_0000, false), "<LOOPBACK,80000000> ");
        assert_eq!(text(0, false), "<> ");
    }

    #[test]
    fn states_with_colours_and_columns() {
        let color = Style { color: true, ..Style::default() };
        assert_eq!(printed(color, |print| operstate(print, OperState::Up, false)), "state \x1b[32mUP \x1b[0m");
        assert_eq!(printed(color, |print| operstate(print, OperState::Unknown, true)), "UNKNOWN        ");
    }
}
