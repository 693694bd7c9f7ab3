//! An address of a link, as a listing tells it, and how it is printed.

use super::super::Ip;
use super::super::args::Family;
use super::super::names::scope_name;
use super::super::print::{Color, Print};
use super::FLAGS;
use vethlab_engine::addr::IpAddr;
use vethlab_engine::address::{Address4, Address6, flag as ifa};
use vethlab_engine::control::{IfIndex, Lifetime};
use vethlab_engine::link::Port;
use vethlab_engine::time::Time;

/// `INFINITY_LIFE_TIME`
const FOREVER: u32 = u32::MAX;

/// What a listing says of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Address {
    /// Its link.
    pub index: IfIndex,
    /// Its link's name.
    pub device: String,
    /// The address itself.
    pub local: IpAddr,
    /// The other end, or itself.
    pub peer: IpAddr,
    /// The prefix length.
    pub length: u8,
    /// `brd`
    pub broadcast: Option<IpAddr>,
    /// `RT_SCOPE_*`
    pub scope: u8,
    /// `IFA_F_*`
    pub flags: u32,
    /// The label, of IPv4 addresses.
    pub label: Option<String>,
    /// The metric of its route, 0 if not set.
    pub metric: u32,
    /// Seconds that it is still valid and preferred, 2³²−1 for ever.
    pub lifetimes: (u32, u32),
}

impl Address {
    /// All addresses of the namespace: IPv4 of each link, then IPv6 of each link.
    pub(in super::super) fn all(ip: &Ip, family: Family) -> Vec<Address> {
        let world = ip.world();
        let now = world.now();
        let ports = world.stack(ip.ns).ports();
        let mut all = Vec::new();
        if matches!(family, Family::Unspec | Family::Inet) {
            all.extend(ports.iter().flat_map(|port| port.addresses4.iter().map(|of| Address::inet(port, of, now))));
        }
        if matches!(family, Family::Unspec | Family::Inet6) {
            all.extend(ports.iter().flat_map(|port| port.addresses6.iter().map(|of| Address::inet6(port, of, now))));
        }
        all
    }

    fn inet(port: &Port, of: &Address4, now: Time) -> Address {
        Address {
            index: port.index,
            device: port.name.to_string(),
            local: of.local.into(),
            // The kernel does not send a peer of all zeros.
            peer: if of.peer.is_unspecified() { of.local.into() } else { of.peer.into() },
            length: of.length,
            broadcast: of.broadcast.map(IpAddr::from),
            scope: of.scope,
            flags: of.flags,
            label: Some(of.label.to_string()).filter(|label| !label.is_empty()),
            metric: of.metric,
            lifetimes: (seconds(of.valid, now), seconds(of.preferred, now)),
        }
    }

    fn inet6(port: &Port, of: &Address6, now: Time) -> Address {
        Address {
            index: port.index,
            device: port.name.to_string(),
            local: of.local.into(),
            peer: of.peer.unwrap_or(of.local).into(),
            length: of.length,
            broadcast: None,
            scope: of.scope,
            flags: of.flags,
            label: None,
            metric: of.metric,
            lifetimes: (seconds(of.valid, now), seconds(of.preferred, now)),
        }
    }

    /// What `label` is compared with.
    pub(super) fn label_or_device(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.device)
    }
}

/// Seconds left, as the kernel rounds them: those begun count.
fn seconds(lifetime: Lifetime, now: Time) -> u32 {
    match lifetime.end() {
        None => FOREVER,
        Some(end) => u32::try_from(end.since(now).as_nanos().div_ceil(1_000_000_000)).unwrap_or(FOREVER - 1),
    }
}

/// Prints an address; with its link's name in front if `device`.
pub(in super::super) fn print(ip: &mut Ip, address: &Address, device: bool) {
    let (brief, numeric) = (ip.opts.brief, ip.opts.numeric);
    let print = &mut ip.print;
    if !brief {
        if device {
            print.json_number("index", address.index);
            print.json_string("dev", &address.device);
            print.text(&format!("{}: {}", address.index, address.device));
        }
        print.string("family", "    {} ", Family::of(address.local).name());
    }
    local(print, address);
    if !brief {
        let color = color_of(address);
        if let Some(broadcast) = address.broadcast {
            print.text("brd ");
            print.string_in(color, "broadcast", "{} ", &broadcast.to_string());
        }
        print.string("scope", "scope {} ", &scope_name(address.scope, numeric));
        flags(print, address);
        if let Some(label) = &address.label {
            print.string("label", "{}", label);
        }
        lifetimes(print, address);
        print.text("\n");
    }
    print.flush();
}

fn color_of(address: &Address) -> Color {
    if address.local.is_ipv4() { Color::Inet } else { Color::Inet6 }
}

/// `10.0.0.1/24 `, `10.0.0.1 peer 10.0.0.2/32 `
fn local(print: &mut Print, address: &Address) {
    let color = color_of(address);
    print.string_in(color, "local", "{}", &address.local.to_string());
    if address.peer != address.local {
        print.text(" peer ");
        print.string_in(color, "address", "{}", &address.peer.to_string());
    }
    print.number("prefixlen", "/{} ", address.length);
    if address.metric != 0 {
        print.number("metric", "metric {} ", address.metric);
    }
}

fn flags(print: &mut Print, address: &Address) {
    let mut left = address.flags;
    for flag in FLAGS {
        let set = left & flag.bit != 0;
        if flag.bit == ifa::PERMANENT {
            if !set {
                print.boolean("dynamic", "dynamic ", true);
            }
        } else if set {
            let temporary = flag.bit == ifa::SECONDARY && address.local.is_ipv6();
            let name = if temporary { "temporary" } else { flag.name };
            print.boolean(name, &format!("{name} "), true);
        }
        left &= !flag.bit;
    }
    if left != 0 {
        print.string("ifa_flags", "flags {} ", &format!("{left:02x}"));
    }
}

fn lifetimes(print: &mut Print, address: &Address) {
    print.nl();
    let both = [
        ("       valid_lft ", "valid_life_time", address.lifetimes.0),
        (" preferred_lft ", "preferred_life_time", address.lifetimes.1),
    ];
    for (text, key, seconds) in both {
        print.text(text);
        let shown = if seconds == FOREVER { "forever" } else { "{}sec" };
        print.number(key, shown, seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::print::Style;
    use super::*;

    fn address() -> Address {
        Address {
            index: 3,
            device: "v0".into(),
            local: IpAddr::from([10, 0, 9, 1]),
            peer: IpAddr::from([10, 0, 9, 1]),
            length: 24,
            broadcast: None,
            scope: 0,
            flags: ifa::SECONDARY | ifa::NOPREFIXROUTE,
            label: Some("v0".into()),
            metric: 0,
            lifetimes: (1000, FOREVER),
        }
    }

    fn printed(show: impl Fn(&mut Print)) -> String {
        let mut print = Print::new(Style::default());
        show(&mut print);
        print.take().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn flags_are_named_once_and_dynamic_is_the_lack_of_one() {
        assert_eq!(printed(|print| flags(print, &address())), "secondary dynamic noprefixroute ");
        let six = Address { local: "::1".parse().unwrap(), flags: ifa::SECONDARY | ifa::PERMANENT, ..address() };
        assert_eq!(printed(|print| flags(print, &six)), "temporary ");
        let odd = Address { flags: ifa::PERMANENT | 0x4000, ..address() };
        assert_eq!(printed(|print| flags(print, &odd)), "flags 4000 ");
    }

    #[test]
    fn lifetimes_count_begun_seconds() {
        assert_eq!(seconds(Lifetime::until(Time(10_500_000_000)), Time(500_000_001)), 10);
        assert_eq!(seconds(Lifetime::until(Time(1)), Time(5)), 0);
        let text = printed(|print| lifetimes(print, &address()));
        assert_eq!(text, "\n       valid_lft 1000sec preferred_lft forever");
    }

    #[test]
    fn a_peer_stands_before_the_prefix() {
        let peer = Address { peer: IpAddr::from([10, 0, 9, 2]), metric: 5, ..address() };
        assert_eq!(printed(|print| local(print, &peer)), "10.0.9.1 peer 10.0.9.2/24 metric 5 ");
    }
}
