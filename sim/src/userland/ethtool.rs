//! `ethtool` 6.1: what a veth, `lo` and a bridge say of themselves, and the features that are switched there. Links of other
//! kinds are refused.

mod feature;

use self::feature::{Features, GROUPS, Kind, Set, matching, named, names};
use super::Proc;
use crate::lab::Exit;
use crate::world::Driver;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::{OperState, Port, PortKind, Ports};

const BAD: &str = "ethtool: bad command line argument(s)\nFor more information run ethtool -h\n";
const NO_DEVICE: &str = "netlink error: no device matches name (offset 24)\nnetlink error: No such device\n";
const UNSUPPORTED: &str = "netlink error: Operation not supported\n";
/// What all say that have settings.
const LINK_MODES: &str = "\
\tSupported ports: [  ]
\tSupported link modes:   Not reported
\tSupported pause frame use: No
\tSupports auto-negotiation: No
\tSupported FEC modes: Not reported
\tAdvertised link modes:  Not reported
\tAdvertised pause frame use: No
\tAdvertised auto-negotiation: No
\tAdvertised FEC modes: Not reported
";
/// Counters of a veth that nothing but XDP moves.
const STATISTICS: &[&str] = &[
    "rx_queue_0_xdp_packets",
    "rx_queue_0_xdp_bytes",
    "rx_queue_0_drops",
    "rx_queue_0_xdp_redirect",
    "rx_queue_0_xdp_drops",
    "rx_queue_0_xdp_tx",
    "rx_queue_0_xdp_tx_errors",
    "tx_queue_0_xdp_xmit",
    "tx_queue_0_xdp_xmit_errors",
];
/// `ethtool`
pub(super) async fn main(p: Proc) -> Exit {
    let words: Vec<&str> = p.argv().iter().skip(1).map(String::as_str).collect();
    let (text, complaint, status) = answer(&p, &words);
    // Anywhere but on a terminal, what is printed waits for the end.
    if p.tty() {
        p.out(&text);
        p.err(&complaint);
    } else {
        p.err(&complaint);
        p.out(&text);
    }
    Exit::Status(status)
}

type Answer = (String, String, i32);

fn said(text: impl Into<String>) -> Answer {
    (text.into(), String::new(), 0)
}

fn failed(status: i32, complaint: impl Into<String>) -> Answer {
    (String::new(), complaint.into(), status)
}

fn answer(p: &Proc, words: &[&str]) -> Answer {
    let (option, rest) = match words {
        ["--version"] => return said("ethtool version 6.1\n"),
        [option, rest @ ..] if option.starts_with('-') => (*option, rest),
        // Of words behind a name nothing is asked.
        [_, ..] => ("", words),
        _ => return failed(1, BAD),
    };
    let Some(name) = rest.first() else { return failed(1, BAD) };
    let words = rest.get(1..).unwrap_or_default();
    if let Some(no) = wrong_words(option, words) {
        return no;
    }
    let mut world = p.world();
    let ports = world.stack(p.ns()).ports();
    let Some(port) = ports.named(name) else { return no_such_link(option) };
    let index = port.index;
    let kind = match (port.kind, world.driver(p.ns(), index)) {
        (PortKind::Bridge, _) => Kind::Bridge,
        (_, Some(Driver::Veth)) => Kind::Veth,
        (_, Some(Driver::Loopback)) => Kind::Loopback,
        _ => return failed(1, format!("ethtool: {name}: features of such a link are not simulated\n")),
    };
    match option {
        "" => settings(name, kind, port, ports),
        "-i" | "--driver" => driver(kind),
        "-S" | "--statistics" if kind == Kind::Veth => {
            statistics(world.peer(p.ns(), index).map_or(0, |peer| peer.index))
        }
        "-S" | "--statistics" => failed(94, "no stats available\n"),
        "-P" | "--show-permaddr" => said("Permanent address: not set\n"),
        "-k" | "--show-features" | "--show-offload" => said(shown(name, Features::of(kind, port, ports))),
        "-K" | "--features" | "--offload" => match asked(words) {
            Some((mask, wanted)) => {
                let before = Features::of(kind, port, ports);
                let switched = before.wanted.differs(wanted).only(mask).only(before.free);
                if let Some(port) = world.stack_mut(p.ns()).port_mut(index) {
                    port.rare.switched ^= switched.0;
                }
                let ports = world.stack(p.ns()).ports();
                let after = ports.get(index).map_or(before, |port| Features::of(kind, port, ports));
                changes(mask, wanted, before.active, after.active)
            }
            None => {
                failed(92, "netlink error: bit name not found (offset 52)\nnetlink error: Operation not supported\n")
            }
        },
        "-g" | "--show-ring" | "-c" | "--show-coalesce" | "-a" | "--show-pause" => failed(1, UNSUPPORTED),
        option if option.len() == 2 => failed(1, format!("ethtool: option {option} is not simulated\n")),
        _ => failed(1, BAD),
    }
}

/// What is said of the words behind a name before it is looked for.
fn wrong_words(option: &str, words: &[&str]) -> Option<Answer> {
    let word = words.first()?;
    match option {
        "-i" | "--driver" | "-P" | "--show-permaddr" => Some(failed(1, BAD)),
        "-S" | "--statistics" => Some(failed(1, format!("ethtool (-S): unknown parameter '{word}'\n"))),
        "-k" | "--show-features" | "--show-offload" => {
            Some(failed(1, format!("ethtool: unexpected parameter '{word}'\n")))
        }
        "-K" | "--features" | "--offload" => {
            let wrong = words.chunks(2).find(|pair| !matches!(pair.get(1), Some(&"on" | &"off")))?;
            let flag = wrong.get(1).unwrap_or(&"(null)");
            let why = format!("flag '{flag}' for parameter '(null)' is not followed by 'on' or 'off'");
            Some(failed(1, format!("ethtool (-K): {why}\n")))
        }
        _ => None,
    }
}

fn no_such_link(option: &str) -> Answer {
    match option {
        "" => ("No data available\n".to_string(), NO_DEVICE.repeat(5), 75),
        "-i" | "--driver" => failed(71, "Cannot get driver information: No such device\n"),
        "-S" | "--statistics" => failed(96, "Cannot get stats strings information: No such device\n"),
        "-K" | "--features" | "--offload" => failed(92, NO_DEVICE),
        "-P" | "-k" | "--show-features" | "--show-offload" | "-g" | "-c" | "-a" => failed(1, NO_DEVICE),
        option if option.len() == 2 => failed(1, format!("ethtool: option {option} is not simulated\n")),
        _ => failed(1, BAD),
    }
}

fn settings(name: &str, kind: Kind, port: &Port, ports: &Ports) -> Answer {
    let works = |port: &Port| port.is_up() && matches!(port.operstate, OperState::Up | OperState::Unknown);
    let own = match kind {
        Kind::Loopback => String::new(),
        Kind::Veth => {
            let end = "\tTransceiver: internal\n\tMDI-X: Unknown\n";
            format!("{LINK_MODES}{}{end}", link_settings("10000Mb/s", "Full", "Twisted Pair"))
        }
        Kind::Bridge => {
            let fast = ports.iter().any(|member| member.master == Some(port.index) && works(member));
            let speed = if fast { "10000Mb/s" } else { "Unknown!" };
            format!("{LINK_MODES}{}\tTransceiver: internal\n", link_settings(speed, "Unknown! (255)", "Other"))
        }
    };
    let link = if port.is_running() { "yes" } else { "no" };
    said(format!("Settings for {name}:\n{own}\tLink detected: {link}\n"))
}

fn link_settings(speed: &str, duplex: &str, port: &str) -> String {
    format!("\tSpeed: {speed}\n\tDuplex: {duplex}\n\tAuto-negotiation: off\n\tPort: {port}\n\tPHYAD: 0\n")
}

fn driver(kind: Kind) -> Answer {
    let (name, version, unknown, statistics) = match kind {
        Kind::Veth => ("veth", "1.0", "", "yes"),
        Kind::Bridge => ("bridge", "2.3", "N/A", "no"),
        Kind::Loopback => return failed(71, "Cannot get driver information: Operation not supported\n"),
    };
    let supports = ["test", "eeprom-access", "register-dump", "priv-flags"];
    let supports: String = supports.map(|what| format!("supports-{what}: no\n")).concat();
    said(format!(
        "driver: {name}\nversion: {version}\nfirmware-version: {unknown}\nexpansion-rom-version: \nbus-info: {unknown}\n\
         supports-statistics: {statistics}\n{supports}"
    ))
}

fn statistics(peer: IfIndex) -> Answer {
    let zeros: String = STATISTICS.iter().map(|name| format!("     {name}: 0\n")).collect();
    said(format!("NIC statistics:\n     peer_ifindex: {peer}\n{zeros}"))
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// `-k`: features that were one once together, then the others.
fn shown(name: &str, of: Features) -> String {
    let state = |feature: Set| {
        let requested = match () {
            () if !of.free.has(feature) => " [fixed]",
            () if of.active.has(feature) == of.wanted.has(feature) => "",
            () if of.wanted.has(feature) => " [requested on]",
            () => " [requested off]",
        };
        format!("{}{requested}\n", on_off(of.active.has(feature)))
    };
    let mut text = format!("Features for {name}:\n");
    let mut told = Set::NONE;
    for (_, long, pattern) in GROUPS {
        let group = matching(pattern);
        told = told.with(group);
        match group.0.count_ones() {
            0 => {}
            1 => text += &format!("{long}: {}", state(group)),
            _ => {
                text += &format!("{long}: {}\n", on_off(of.active.has(group)));
                for (feature, name) in names().filter(|(feature, _)| group.has(*feature)) {
                    text += &format!("\t{name}: {}", state(feature));
                }
            }
        }
    }
    for (feature, name) in names().filter(|(feature, _)| !told.has(*feature)) {
        text += &format!("{name}: {}", state(feature));
    }
    text
}

/// `-K`: which features are to be switched, and which of them on; none if there is none of that name.
fn asked(words: &[&str]) -> Option<(Set, Set)> {
    let (mut mask, mut wanted) = (Set::NONE, Set::NONE);
    for pair in words.chunks(2) {
        let features = named(pair.first()?)?;
        mask = mask.with(features);
        wanted = if pair.get(1) == Some(&"on") { wanted.with(features) } else { wanted.without(features) };
    }
    Some((mask, wanted))
}

/// What became of it, if it is not just what was asked for (`show_feature_changes`).
fn changes(mask: Set, wanted: Set, before: Set, after: Set) -> Answer {
    let refused = wanted.differs(after).only(mask);
    let changed = before.differs(after);
    let mut text = String::new();
    if refused.with(changed.without(mask)) != Set::NONE {
        text += "Actual changes:\n";
        for (feature, name) in names().filter(|(feature, _)| refused.with(changed).has(*feature)) {
            let state = on_off(after.has(feature));
            text += &match () {
                () if refused.has(feature) => format!("{name}: {state} [requested {}]\n", on_off(!after.has(feature))),
                () if !mask.has(feature) => format!("{name}: {state} [not requested]\n"),
                () => format!("{name}: {state}\n"),
            };
        }
    }
    match refused == mask {
        true => (text, "Could not change any device features\n".into(), 1),
        false => said(text),
    }
}

#[cfg(test)]
mod tests {
    use crate::lab::{Lab, Options};

    #[test]
    fn features_are_switched_and_shown() {
        let mut lab = Lab::new(Options::default());
        lab.run("ip link add va type veth peer name vb");
        let made = lab.run("ethtool -k va").stdout;
        assert!(made.contains("tx-checksumming: on\n\ttx-checksum-ipv4: off [fixed]\n\ttx-checksum-ip-generic: on\n"));
        let off = lab.run("ethtool -K va tx off").stdout;
        assert!(
            off.starts_with("Actual changes:\ntx-checksum-ip-generic: off\ntx-tcp-segmentation: off [not requested]\n")
        );
        let shown = lab.run("ethtool -k va").stdout;
        assert!(
            shown.contains("tx-checksumming: off\n\ttx-checksum-ipv4: off [fixed]\n\ttx-checksum-ip-generic: off\n")
        );
        assert!(shown.contains("\ttx-tcp6-segmentation: off [requested on]\n"));
        assert!(lab.run("ethtool -K va tx on").stdout.contains("tx-checksum-ipv4: off [requested on]\n"));
        assert_eq!(lab.run("ethtool -k va").stdout, made);
        assert_eq!(lab.run("ethtool -K va gro on tso off").stdout, "");
        assert!(lab.run("ethtool -k va").stdout.contains("generic-receive-offload: on\n"));
        assert_eq!((lab.run("ethtool nosuch").status, lab.run("ethtool -S lo").status), (75, 94));
    }

    #[test]
    fn what_never_changes_is_refused() {
        let mut lab = Lab::new(Options::default());
        let refused = lab.run("ethtool -K lo rx off");
        assert_eq!((refused.status, refused.stderr.as_str()), (1, "Could not change any device features\n"));
        assert_eq!(refused.stdout, "Actual changes:\nrx-checksum: on [requested off]\n");
        let partly = lab.run("ethtool -K lo rx off gso off");
        assert_eq!((partly.status, lab.run("ethtool -K lo nosuch off").status), (0, 92));
    }

    #[test]
    fn a_bridge_has_what_its_ports_have() {
        let mut lab = Lab::new(Options::default());
        lab.run("ip link add br0 type bridge");
        lab.run("ip link add va type veth peer name vb");
        assert!(lab.run("ethtool -i br0").stdout.starts_with("driver: bridge\nversion: 2.3\nfirmware-version: N/A\n"));
        assert!(lab.run("ethtool -k br0").stdout.contains("tx-gso-robust: on\n"));
        lab.run("ip link set va master br0");
        let shown = lab.run("ethtool -k br0").stdout;
        assert!(shown.contains("tx-gso-robust: off [requested on]\n") && shown.contains("tx-udp-segmentation: on\n"));
        lab.run("ethtool -K va tx off");
        assert!(lab.run("ethtool -k br0").stdout.contains("tx-udp-segmentation: off [requested on]\n"));
        assert!(lab.run("ethtool br0").stdout.contains("Speed: Unknown!\n"));
        lab.run("ip link set vb up");
        lab.run("ip link set va up");
        assert!(lab.run("ethtool br0").stdout.contains("Speed: 10000Mb/s\n\tDuplex: Unknown! (255)\n"));
    }
}
