//! `ethtool` 6.1: what a veth and `lo` say of themselves, and the features that can be switched there. Links of other
//! kinds are refused.

use super::Proc;
use crate::lab::Exit;
use crate::world::Driver;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::Port;

const VETH: &str = include_str!("ethtool/veth.txt");
const LO: &str = include_str!("ethtool/lo.txt");
const BAD: &str = "ethtool: bad command line argument(s)\nFor more information run ethtool -h\n";
const NO_DEVICE: &str = "netlink error: no device matches name (offset 24)\nnetlink error: No such device\n";
const UNSUPPORTED: &str = "netlink error: Operation not supported\n";
const SETTINGS: &str = "\
\tSupported ports: [  ]
\tSupported link modes:   Not reported
\tSupported pause frame use: No
\tSupports auto-negotiation: No
\tSupported FEC modes: Not reported
\tAdvertised link modes:  Not reported
\tAdvertised pause frame use: No
\tAdvertised auto-negotiation: No
\tAdvertised FEC modes: Not reported
\tSpeed: 10000Mb/s
\tDuplex: Full
\tAuto-negotiation: off
\tPort: Twisted Pair
\tPHYAD: 0
\tTransceiver: internal
\tMDI-X: Unknown
";
const DRIVER: &str = "\
driver: veth
version: 1.0
firmware-version: 
expansion-rom-version: 
bus-info: 
supports-statistics: yes
supports-test: no
supports-eeprom-access: no
supports-register-dump: no
supports-priv-flags: no
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
/// What leans on finished checksums, and goes with them.
const WITH_CHECKSUMS: &[&str] = &[
    "tx-tcp-segmentation",
    "tx-tcp-ecn-segmentation",
    "tx-tcp-mangleid-segmentation",
    "tx-tcp6-segmentation",
    "tx-udp-segmentation",
];

/// Short names of features that nobody switches here.
const SHORT: &[&str] = &["sg", "ufo", "lro", "rxvlan", "txvlan", "ntuple", "rxhash"];

/// Features that are not as they were made, as bits of [`Port::switched`].
mod bit {
    pub(super) const TX: u8 = 1;
    pub(super) const RX: u8 = 2;
    pub(super) const TSO: u8 = 4;
    pub(super) const GSO: u8 = 8;
    pub(super) const GRO: u8 = 16;
}

/// `ethtool`
pub(super) async fn main(p: Proc) -> Exit {
    let words: Vec<&str> = p.argv().iter().skip(1).map(String::as_str).collect();
    let (text, complaint, status) = answer(&p, &words);
    p.out(&text);
    p.err(&complaint);
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
    match (option, rest.get(1)) {
        ("-i" | "--driver" | "-P" | "--show-permaddr", Some(_)) => return failed(1, BAD),
        ("-S" | "--statistics", Some(word)) => return failed(1, format!("ethtool (-S): unknown parameter '{word}'\n")),
        ("-k" | "--show-features" | "--show-offload", Some(word)) => {
            return failed(1, format!("ethtool: unexpected parameter '{word}'\n"));
        }
        _ => {}
    }
    let world = p.world();
    let found = world.stack(p.ns()).ports().named(name).map(|port| port.index);
    let driver = found.and_then(|index| world.driver(p.ns(), index));
    drop(world);
    if found.is_some() && !matches!(driver, Some(Driver::Veth | Driver::Loopback)) {
        return failed(1, format!("ethtool: {name}: features of such a link are not simulated\n"));
    }
    let veth = driver == Some(Driver::Veth);
    match (option, found) {
        ("", None) => ("No data available\n".to_string(), NO_DEVICE.repeat(5), 75),
        ("", Some(index)) => settings(p, name, index, veth),
        ("-i" | "--driver", None) => failed(71, "Cannot get driver information: No such device\n"),
        ("-i" | "--driver", Some(_)) if veth => said(DRIVER),
        ("-i" | "--driver", Some(_)) => failed(71, "Cannot get driver information: Operation not supported\n"),
        ("-S" | "--statistics", Some(index)) if veth => statistics(p, index),
        ("-S" | "--statistics", Some(_)) => failed(94, "no stats available\n"),
        ("-P" | "--show-permaddr", Some(_)) => said("Permanent address: not set\n"),
        ("-k" | "--show-features" | "--show-offload", Some(index)) => said(features(p, name, index, veth)),
        ("-K" | "--features" | "--offload", Some(index)) => change(p, index, veth, rest.get(1..).unwrap_or_default()),
        ("-g" | "--show-ring" | "-c" | "--show-coalesce" | "-a" | "--show-pause", Some(_)) => failed(1, UNSUPPORTED),
        ("-K" | "--features" | "--offload", None) => {
            wrong_switch(rest.get(1..).unwrap_or_default()).unwrap_or_else(|| failed(92, NO_DEVICE))
        }
        ("-S" | "--statistics", None) => failed(96, "Cannot get stats strings information: No such device\n"),
        ("-P" | "-k" | "--show-features" | "--show-offload" | "-g" | "-c" | "-a", None) => failed(1, NO_DEVICE),
        (option, _) if option.len() == 2 => failed(1, format!("ethtool: option {option} is not simulated\n")),
        _ => failed(1, BAD),
    }
}

fn settings(p: &Proc, name: &str, index: IfIndex, veth: bool) -> Answer {
    let world = p.world();
    let running = world.stack(p.ns()).ports().get(index).is_some_and(Port::is_running);
    let link = if running { "yes" } else { "no" };
    said(format!("Settings for {name}:\n{}\tLink detected: {link}\n", if veth { SETTINGS } else { "" }))
}

fn statistics(p: &Proc, index: IfIndex) -> Answer {
    let peer = p.world().peer(p.ns(), index).map_or(0, |peer| peer.index);
    let zeros: String = STATISTICS.iter().map(|name| format!("     {name}: 0\n")).collect();
    said(format!("NIC statistics:\n     peer_ifindex: {peer}\n{zeros}"))
}

fn switched(p: &Proc, index: IfIndex) -> u8 {
    p.world().stack(p.ns()).ports().get(index).map_or(0, |port| port.switched)
}

fn features(p: &Proc, name: &str, index: IfIndex, veth: bool) -> String {
    let switched = switched(p, index);
    let lines = if veth { VETH } else { LO }.lines().skip(1).map(|line| {
        let Some((feature, state)) = line.split_once(": ") else { return format!("{line}\n") };
        let bare = feature.trim_start();
        let checksums = ["tx-checksumming", "tx-checksum-ip-generic", "tx-checksum-sctp"].contains(&bare);
        let tcp = bare == "tcp-segmentation-offload" || bare.starts_with("tx-tcp");
        let off = (checksums || WITH_CHECKSUMS.contains(&bare)) && switched & bit::TX != 0
            || tcp && switched & bit::TSO != 0
            || bare == "rx-checksumming" && switched & bit::RX != 0
            || bare == "generic-segmentation-offload" && switched & bit::GSO != 0;
        let state = match bare {
            "generic-receive-offload" if switched & bit::GRO != 0 => {
                if state == "on" {
                    "off"
                } else {
                    "on"
                }
            }
            _ if off => "off",
            _ => state,
        };
        format!("{feature}: {state}\n")
    });
    format!("Features for {name}:\n{}", lines.collect::<String>())
}

/// What is said where a feature is neither switched on nor off.
fn wrong_switch(words: &[&str]) -> Option<Answer> {
    let switched = |pair: &&[&str]| !matches!(pair.get(1), Some(&"on" | &"off"));
    let flag = words.chunks(2).find(switched)?.get(1).unwrap_or(&"(null)");
    Some(failed(1, format!("ethtool (-K): flag '{flag}' for parameter '(null)' is not followed by 'on' or 'off'\n")))
}

fn change(p: &Proc, index: IfIndex, veth: bool, words: &[&str]) -> Answer {
    if words.is_empty() {
        return failed(1, "Could not change any device features\n");
    }
    if let Some(no) = wrong_switch(words) {
        return no;
    }
    let (mut now, before) = (switched(p, index), switched(p, index));
    for pair in words.chunks(2) {
        let (name, value) = (pair.first().copied().unwrap_or(""), pair.get(1).copied());
        let on = value == Some("on");
        let feature = match name {
            "tx" | "tx-checksumming" => bit::TX,
            "rx" | "rx-checksumming" => bit::RX,
            "tso" | "tcp-segmentation-offload" => bit::TSO,
            "gso" | "generic-segmentation-offload" => bit::GSO,
            "gro" | "generic-receive-offload" => bit::GRO,
            name if SHORT.contains(&name)
                || VETH.lines().any(|line| line.trim_start().split(':').next() == Some(name)) =>
            {
                return failed(1, format!("ethtool: feature {name} is not simulated\n"));
            }
            _ => {
                return failed(
                    92,
                    "netlink error: bit name not found (offset 52)\nnetlink error: Operation not supported\n",
                );
            }
        };
        // GRO of a veth is off as it is made.
        let usual = feature != bit::GRO || !veth;
        now = if on == usual { now & !feature } else { now | feature };
    }
    if !veth && (now | before) & (bit::TX | bit::RX) != 0 {
        return said(
            "Actual changes:\ntx-checksum-ip-generic: on [requested off]\ntx-checksum-sctp: on [requested off]\n",
        );
    }
    if let Some(port) = p.world().stack_mut(p.ns()).port_mut(index) {
        port.switched = now;
    }
    said(changes(before, now))
}

/// What changed besides what was asked for, if anything did.
fn changes(before: u8, now: u8) -> String {
    if (before ^ now) & bit::TX == 0 {
        return String::new();
    }
    let on = now & bit::TX == 0;
    let state = if on { "on" } else { "off" };
    let fixed = |name: &str| if on { format!("{name}: off [requested on]\n") } else { String::new() };
    let gro = match (before ^ now) & bit::GRO {
        0 => String::new(),
        _ => format!("rx-gro: {}\n", if now & bit::GRO != 0 { "on" } else { "off" }),
    };
    let along: String = WITH_CHECKSUMS.iter().map(|name| format!("{name}: {state} [not requested]\n")).collect();
    format!(
        "Actual changes:\n{}tx-checksum-ip-generic: {state}\n{}{gro}{along}{}tx-checksum-sctp: {state}\n",
        fixed("tx-checksum-ipv4"),
        fixed("tx-checksum-ipv6"),
        fixed("tx-checksum-fcoe-crc")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Lab, Options};

    #[test]
    fn features_are_switched_and_shown() {
        let mut lab = Lab::new(Options::default());
        lab.run("ip link add va type veth peer name vb");
        assert_eq!(lab.run("ethtool -k va").stdout.replace("va:", "v0:"), VETH);
        let off = lab.run("ethtool -K va tx off").stdout;
        assert!(
            off.starts_with("Actual changes:\ntx-checksum-ip-generic: off\ntx-tcp-segmentation: off [not requested]\n")
        );
        let shown = lab.run("ethtool -k va").stdout;
        assert!(
            shown.contains("tx-checksumming: off\n\ttx-checksum-ipv4: off [fixed]\n\ttx-checksum-ip-generic: off\n")
        );
        assert!(lab.run("ethtool -K va tx on").stdout.contains("tx-checksum-ipv4: off [requested on]\n"));
        assert_eq!(lab.run("ethtool -K va gro on tso off").stdout, "");
        assert!(lab.run("ethtool -k va").stdout.contains("generic-receive-offload: on\n"));
        assert_eq!(lab.run("ethtool -k lo").stdout, LO);
        assert_eq!((lab.run("ethtool nosuch").status, lab.run("ethtool -S lo").status), (75, 94));
    }
}
