//! Routes, rules and settings, and how they change.

use super::Script;
use super::net::{End, Net};
use std::net::Ipv4Addr;

/// Settings of `net.ipv4.conf.NAME`, and values that are tried.
const CONF: &[(&str, &[u8])] = &[
    ("rp_filter", &[0, 1, 2]),
    ("proxy_arp", &[0, 1]),
    ("arp_ignore", &[0, 1, 2, 3, 8]),
    ("arp_announce", &[0, 1, 2]),
    ("arp_filter", &[0, 1]),
    ("accept_local", &[0, 1]),
    ("forwarding", &[0, 1]),
    ("ignore_routes_with_linkdown", &[0, 1]),
    ("promote_secondaries", &[0, 1]),
    ("route_localnet", &[0, 1]),
    ("arp_accept", &[0, 1, 2]),
    ("proxy_arp_pvlan", &[0, 1]),
    ("accept_redirects", &[0, 1]),
    ("secure_redirects", &[0, 1]),
    ("shared_media", &[0, 1]),
    ("arp_evict_nocarrier", &[0, 1]),
    ("accept_source_route", &[0, 1]),
    ("drop_gratuitous_arp", &[0, 1]),
];

/// The same of `net.ipv4`.
const GLOBAL: &[(&str, &[u8])] = &[
    ("icmp_echo_ignore_all", &[0, 0, 1]),
    ("icmp_echo_ignore_broadcasts", &[0, 1]),
    ("icmp_errors_use_inbound_ifaddr", &[0, 1]),
    ("ip_default_ttl", &[1, 2, 64, 255]),
    ("ip_no_pmtu_disc", &[0, 1, 2]),
    ("ip_forward_use_pmtu", &[0, 1]),
    ("fwmark_reflect", &[0, 1]),
    ("ip_nonlocal_bind", &[0, 1]),
];

/// Forwarding nearly everywhere, and a few odd settings.
pub(super) fn settings(script: &mut Script, net: &Net, redirects: bool) {
    for ns in 0..net.namespaces {
        let forward = u8::from(script.draw.chance(85));
        let strict = script.draw.pick(&[0, 0, 0, 1, 2]);
        let redirects = u8::from(redirects);
        let line = format!(
            "sysctl -qw net.ipv4.ip_forward={forward} net.ipv4.conf.{{all,default}}.rp_filter={strict} \
             net.ipv4.conf.{{all,default}}.send_redirects={redirects}"
        );
        script.line(&format!("ip netns exec n{ns} {line}"));
        for end in net.of(ns) {
            script.line(&format!(
                "ip netns exec n{ns} sysctl -qw net.ipv4.conf.{}.{{rp_filter=0,send_redirects={redirects}}}",
                end.name
            ));
        }
        while script.draw.chance(25) {
            setting(script, net, ns);
        }
    }
}

/// One setting of a namespace.
fn setting(script: &mut Script, net: &Net, ns: usize) {
    let (name, value) = if script.draw.chance(75) {
        let (key, values) = script.draw.pick(CONF);
        let on = match script.draw.any(&net.of(ns)) {
            Some(end) if script.draw.chance(70) => end.name.clone(),
            _ => "all".to_string(),
        };
        (format!("conf.{on}.{key}"), script.draw.pick(values))
    } else {
        let (key, values) = script.draw.pick(GLOBAL);
        (key.to_string(), script.draw.pick(values))
    };
    script.run_in(ns, &format!("sysctl -w net.ipv4.{name}={value}"));
}

/// Routes by which most can reach most, and some that nobody would think of.
pub(super) fn routes(script: &mut Script, net: &Net) {
    for ns in 0..net.namespaces {
        if script.draw.chance(30) {
            default_route(script, net, ns);
        }
        for (target, way) in net.ways(ns).into_iter().enumerate() {
            let Some(way) = way else { continue };
            let mut prefixes: Vec<String> =
                net.of(target).iter().filter_map(|end| Some(cable_net(*end.addresses.first()?))).collect();
            prefixes.extend(net.loopback[target].map(|address| address.to_string()));
            for prefix in prefixes {
                if script.draw.chance(75) {
                    sensible(script, net, ns, way, &prefix);
                }
            }
        }
        while script.draw.chance(45) {
            let verb = script.draw.pick(&["add", "add", "append", "prepend", "replace"]);
            let route = odd(script, net, ns);
            script.run_in(ns, &format!("ip route {verb} {route}"));
        }
        while script.draw.chance(10) {
            rule(script, net, ns);
        }
    }
}

fn default_route(script: &mut Script, net: &Net, ns: usize) {
    let ends: Vec<usize> = (0..net.ends.len()).filter(|index| net.ends[*index].ns == ns).collect();
    let Some(&way) = script.draw.any(&ends) else { return };
    match script.draw.any(&net.peer(way).addresses).copied() {
        Some(gateway) => script.run_in(ns, &format!("ip route add default via {gateway}")),
        None => script.run_in(ns, &format!("ip route add default dev {}", net.ends[way].name)),
    }
}

/// A route by the shortest way.
fn sensible(script: &mut Script, net: &Net, ns: usize, way: usize, prefix: &str) {
    let dev = &net.ends[way].name;
    let rest = match net.peer(way).addresses.first() {
        Some(gateway) if script.draw.chance(20) => format!("via {gateway} dev {dev} onlink"),
        Some(gateway) => format!("via {gateway}"),
        None => format!("dev {dev}"),
    };
    let more = extras(script, net, ns);
    script.run_in(ns, &format!("ip route add {prefix} {rest}{more}"));
}

/// Attributes that a route seldom has.
fn extras(script: &mut Script, net: &Net, ns: usize) -> String {
    let mut more = String::new();
    let draw = &mut script.draw;
    if draw.chance(12) {
        more += &format!(" metric {}", draw.pick(&[1, 10, 100]));
    }
    if draw.chance(8) {
        let own: Vec<Ipv4Addr> = net.of(ns).iter().flat_map(|end| end.addresses.clone()).collect();
        if let Some(src) = draw.any(&own) {
            more += &format!(" src {src}");
        }
    }
    if draw.chance(6) {
        more += &format!(" mtu {}", draw.pick(&["576", "1200", "lock 1000", "9000"]));
    }
    if draw.chance(4) {
        more += &format!(" tos {}", draw.pick(&["0x10", "0x08"]));
    }
    if draw.chance(3) {
        more += &format!(" table {}", draw.pick(&[100, 101]));
    }
    if draw.chance(3) {
        more += &format!(" ttl-propagate {}", draw.pick(&["enabled", "disabled"]));
    }
    if draw.chance(4) {
        more += &format!(" proto {}", draw.pick(&["static", "boot", "77"]));
    }
    more
}

/// A route that may be of any kind, to any place.
fn odd(script: &mut Script, net: &Net, ns: usize) -> String {
    let place = prefix(script, net);
    let ends = net.of(ns);
    let kind = script.draw.below(12);
    let base = match (kind, script.draw.any(&ends)) {
        (0, _) => format!("blackhole {place}"),
        (1, _) => format!("unreachable {place}"),
        (2, _) => format!("prohibit {place}"),
        (3, _) => format!("throw {place}"),
        (4, Some(end)) => format!("{place} dev {}", end.name),
        (5, Some(end)) => format!("{place} dev {} scope {}", end.name, script.draw.pick(&["link", "global", "host"])),
        (6, Some(end)) => format!("{place} via {} dev {} onlink", any_address(script, net), end.name),
        (7, Some(end)) if script.draw.chance(30) => format!("local {place} dev {}", end.name),
        _ => format!("{place} via {}", any_address(script, net)),
    };
    base + &extras(script, net, ns)
}

fn rule(script: &mut Script, net: &Net, ns: usize) {
    let place = prefix(script, net);
    let dev = script.draw.any(&net.of(ns)).map_or_else(|| "lo".to_string(), |end| end.name.clone());
    let which = match script.draw.below(6) {
        0 => format!("from {place}"),
        1 => format!("to {place}"),
        2 => format!("iif {dev}"),
        3 => format!("oif {dev}"),
        4 => "tos 0x10".to_string(),
        _ => format!("not to {place}"),
    };
    let which = if script.draw.chance(20) { "fwmark 7".to_string() } else { which };
    let what = script.draw.pick(&["table 100", "table 101", "table main", "unreachable", "prohibit", "blackhole"]);
    script.run_in(ns, &format!("ip rule add {which} {what}"));
    script.run_in(ns, "ip rule");
}

/// A prefix that covers an address of the network, in full or in part.
pub(super) fn prefix(script: &mut Script, net: &Net) -> String {
    let length = script.draw.pick(&[0, 8, 9, 15, 16, 17, 23, 24, 24, 25, 30, 31, 32, 32]);
    let address = u32::from(any_address(script, net));
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    format!("{}/{length}", Ipv4Addr::from(address & mask))
}

/// One of the network's addresses, or one near it.
pub(super) fn any_address(script: &mut Script, net: &Net) -> Ipv4Addr {
    let known = net.addresses();
    match script.draw.any(&known) {
        Some(address) if script.draw.chance(85) => *address,
        Some(address) => Ipv4Addr::from(u32::from(*address) ^ [1, 3, 8, 0x40, 0x100, 0xff][script.draw.below(6)]),
        None => Ipv4Addr::new(10, 9, 9, 9),
    }
}

/// The /24 of an address.
fn cable_net(address: Ipv4Addr) -> String {
    let [a, b, c, _] = address.octets();
    format!("{a}.{b}.{c}.0/24")
}

/// Something changes.
pub(super) fn changes(script: &mut Script, net: &Net) {
    let mut carrier = false;
    for _ in 0..=script.draw.below(3) {
        let ns = script.draw.below(net.namespaces);
        let ends = net.of(ns);
        let Some(&end) = script.draw.any(&ends) else { continue };
        match script.draw.below(12) {
            9 => {
                link_change(script, net, end);
                carrier = true;
            }
            10 => {
                let verb = script.draw.pick(&["route flush", "route del", "route flush root", "addr flush to"]);
                let place = prefix(script, net);
                script.run_in(ns, &format!("ip {verb} {place}"));
            }
            0 | 1 => {
                let state = script.draw.pick(&["down", "down", "up"]);
                script.run_in(ns, &format!("ip link set {} {state}", end.name));
                carrier = true;
            }
            2 => {
                let mtu = script.draw.pick(&[576, 1000, 1500, 1501]);
                script.run_in(ns, &format!("ip link set {} mtu {mtu}", end.name));
                if !net.uneven {
                    script.run_in(net.opposite(end).ns, &format!("ip link set {} mtu {mtu}", end.name));
                }
            }
            3 => setting(script, net, ns),
            4 => address_change(script, end),
            5 => neighbour_change(script, net, end),
            6 => rule(script, net, ns),
            _ => {
                let verb = script.draw.pick(&["add", "del", "replace", "change", "append"]);
                let route = odd(script, net, ns);
                script.run_in(ns, &format!("ip route {verb} {route}"));
            }
        }
    }
    if carrier {
        script.line("sleep 1.3");
    }
}

/// What seldom happens to a link.
fn link_change(script: &mut Script, net: &Net, end: &End) {
    let (ns, name) = (end.ns, &end.name);
    let command = match script.draw.below(8) {
        0 => format!("ip link del {name}"),
        1 => format!("ip link set {name} netns n{}", script.draw.below(net.namespaces)),
        2 => format!("ip link set {name} arp off"),
        3 => format!("ip link set {name} address 02:00:00:00:ff:0a"),
        4 => format!("ip link set {name} promisc on"),
        5 => format!("ip link set {name} name w{}", &name[1..]),
        6 => "ip link set lo down".to_string(),
        _ => format!("ip link set {name} multicast off"),
    };
    script.run_in(ns, &command);
    script.run_in(ns, "ip route");
}

fn address_change(script: &mut Script, end: &End) {
    let ns = end.ns;
    match script.draw.any(&end.addresses).copied() {
        Some(address) if script.draw.chance(50) => {
            script.run_in(ns, &format!("ip addr del {address} dev {}", end.name));
        }
        Some(address) => {
            let more = Ipv4Addr::from(u32::from(address) ^ 0x20);
            script.run_in(ns, &format!("ip addr add {more}/24 dev {}", end.name));
        }
        None => script.run_in(ns, &format!("ip addr add 10.77.0.1/24 dev {}", end.name)),
    }
}

fn neighbour_change(script: &mut Script, net: &Net, end: &End) {
    let address = any_address(script, net);
    let dev = &end.name;
    let command = match script.draw.below(6) {
        0 => format!("ip neigh del {address} dev {dev}"),
        1 => format!("ip neigh replace {address} lladdr 02:00:00:00:00:0a dev {dev}"),
        2 => format!("ip neigh replace {address} lladdr 02:00:00:00:00:0b nud stale dev {dev}"),
        3 => format!("ip neigh add proxy {address} dev {dev}"),
        4 => format!("ip neigh flush dev {dev}"),
        _ => format!("ip neigh change {address} nud failed dev {dev}"),
    };
    script.run_in(end.ns, &command);
}
