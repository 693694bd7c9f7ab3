//! Programs that send something, and questions about the way it would take.

use super::Script;
use super::net::Net;
use super::routes::{any_address, prefix};

/// A handful of commands. Redirects are rationed by time: with them, each command waits its while.
pub(super) fn round(script: &mut Script, net: &Net, redirects: bool) {
    let many = if redirects { 5 } else { 6 + script.draw.below(4) };
    for _ in 0..many {
        let ns = script.draw.below(net.namespaces);
        match script.draw.below(14) {
            12 => listing(script, net, ns),
            13 if script.draw.chance(40) => tracepath(script, net, ns),
            0 => arping(script, net, ns),
            1 => traceroute(script, net, ns),
            2 | 3 => question(script, net, ns),
            4 => script.line(&format!("run ip -n n{ns} neigh | sort")),
            _ => ping(script, net, ns),
        }
        if redirects {
            script.line("sleep 0.8");
        }
    }
}

/// Where to: mostly somebody who is there.
fn target(script: &mut Script, net: &Net) -> String {
    if script.draw.chance(4) {
        return script.draw.pick(&["127.0.0.1", "127.0.0.2", "0.0.0.0", "203.0.113.1", "240.0.0.1"]).to_string();
    }
    any_address(script, net).to_string()
}

fn ping(script: &mut Script, net: &Net, ns: usize) {
    let mut words = "ping -c 1 -W 0.4".to_string();
    if script.draw.chance(7) {
        let group = script.draw.pick(&["255.255.255.255", "224.0.0.1", "224.0.0.251"]);
        let cable = script.draw.below(4) + 1;
        let group = if script.draw.chance(70) { format!("10.{cable}.0.255") } else { group.to_string() };
        words += if script.draw.chance(85) { " -b" } else { "" };
        words += &from(script, net, ns);
        return script.send(ns, &format!("{words} {group}"));
    }
    if script.draw.chance(35) {
        let sizes = &[0, 8, 15, 16, 100, 548, 549, 972, 1372, 1472, 1473, 2000, 4000, 9000];
        let sizes = if net.uneven { &sizes[..10] } else { &sizes[..] };
        words += &format!(" -s {}", script.draw.pick(sizes));
    }
    if script.draw.chance(25) {
        words += &format!(" -t {}", script.draw.pick(&[1, 1, 2, 2, 3, 5, 255]));
    }
    if script.draw.chance(20) {
        words += &format!(" -M {}", script.draw.pick(&["do", "want", "dont", "do"]));
    }
    if script.draw.chance(10) {
        words += &format!(" -Q {}", script.draw.pick(&["0x10", "0x08", "0xb8", "1", "0x1c"]));
    }
    match script.draw.below(24) {
        0 | 1 => words += " -R",
        2 => words += " -m 7",
        3 => words += " -r",
        _ => {}
    }
    words += &from(script, net, ns);
    while script.draw.chance(4) {
        words += &format!(" {}", target(script, net));
    }
    let target = target(script, net);
    script.send(ns, &format!("{words} {target}"));
}

/// `-I` with a device or an address, sometimes one of somebody else.
fn from(script: &mut Script, net: &Net, ns: usize) -> String {
    if script.draw.chance(80) {
        return String::new();
    }
    let ends = net.of(ns);
    match script.draw.any(&ends) {
        Some(end) if script.draw.chance(50) => format!(" -I {}", end.name),
        Some(end) if script.draw.chance(80) => {
            end.addresses.first().map(|address| format!(" -I {address}")).unwrap_or_default()
        }
        _ => format!(" -I {}", any_address(script, net)),
    }
}

fn traceroute(script: &mut Script, net: &Net, ns: usize) {
    let method = script.draw.pick(&["", "", " -I", " -F"]);
    let size = script.draw.pick(if net.uneven { &["", "", " 1400", " 28"] } else { &["", "", " 1400", " 3000"] });
    let target = target(script, net);
    script.send(ns, &format!("traceroute -n -q 1 -N 1 -w 0.4 -m 4{method} {target}{size}"));
}

fn tracepath(script: &mut Script, net: &Net, ns: usize) {
    let target = target(script, net);
    script.send(ns, &format!("tracepath -n -m 2 {target} | sed 's/ *[0-9.]*ms *//'"));
}

/// One of the many ways to ask what is there.
fn listing(script: &mut Script, net: &Net, ns: usize) {
    let place = prefix(script, net);
    let dev = script.draw.any(&net.of(ns)).map_or_else(|| "lo".to_string(), |end| end.name.clone());
    let command = match script.draw.below(14) {
        0 => format!("ip route show to match {place}"),
        1 => format!("ip route show to root {place}"),
        2 => format!("ip route show {place}"),
        3 => "ip -4 route show table all".to_string(),
        4 => format!("ip route show dev {dev}"),
        5 => "ip route show scope link".to_string(),
        6 => "ip route show type unreachable".to_string(),
        7 => "ip route show proto kernel".to_string(),
        8 => "route -n".to_string(),
        9 => format!("ip -4 addr show dev {dev} scope global"),
        10 => "ip -4 -br addr".to_string(),
        11 => "ip -d link".to_string(),
        12 => "cat /proc/net/route".to_string(),
        // Packets of IPv6, which labs do not carry, are counted, too; what a shell says is judged behind its filter.
        _ => format!("sh -c \"ifconfig {dev} | grep -v 'inet6\\|packets\\|errors'\""),
    };
    script.run_in(ns, &command);
}

fn arping(script: &mut Script, net: &Net, ns: usize) {
    let Some(end) = script.draw.any(&net.of(ns)).map(|end| end.name.clone()) else { return };
    let way = script.draw.pick(&["", "", "", " -D", " -U", " -A", " -b"]);
    let target = target(script, net);
    script.send(ns, &format!("arping -c 1 -w 1{way} -I {end} {target}"));
}

fn question(script: &mut Script, net: &Net, ns: usize) {
    let mut words = format!("ip route get {}", target(script, net));
    if script.draw.chance(30) {
        words += &format!(" from {}", any_address(script, net));
    }
    let end = script.draw.any(&net.of(ns)).map(|end| end.name.clone());
    if let Some(end) = end.filter(|_| script.draw.chance(40)) {
        words += &format!(" {} {end}", script.draw.pick(&["iif", "iif", "oif"]));
    }
    if script.draw.chance(8) {
        words += " tos 0x10";
    }
    if script.draw.chance(8) {
        words += script.draw.pick(&[" fibmatch", " mark 7"]);
    }
    script.run_in(ns, &words);
}
