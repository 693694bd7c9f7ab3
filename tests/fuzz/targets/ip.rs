//! Any words as command lines of `ip`: no panic, and a status.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vethlab_sim::{Host, Lab, Options};

fuzz_target!(|data: &[u8]| {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    lab.run("ip netns add red");
    lab.run("ip link add va type veth peer name vb");
    lab.run("ip addr add 10.0.0.1/24 dev va");
    lab.run("ip link set va up");
    lab.run("ip link set vb up");
    for line in lines(data).lines() {
        let output = lab.run(&format!("ip {line}"));
        assert!((0..256).contains(&output.status), "{line}: {}", output.status);
    }
});

/// Words by their numbers; what stands between two 255s is a word itself.
fn lines(data: &[u8]) -> String {
    let mut text = String::new();
    let mut bytes = data.iter();
    while let Some(byte) = bytes.next() {
        match *byte {
            254 => text.push('\n'),
            255 => {
                let literal: Vec<u8> = bytes.by_ref().take_while(|byte| **byte != 255).copied().collect();
                text += &format!("{} ", String::from_utf8_lossy(&literal));
            }
            byte => text += &format!("{} ", WORDS[usize::from(byte) % WORDS.len()]),
        }
    }
    text
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "link", "addr", "route", "neigh", "rule", "netns", "add", "del", "change", "replace", "append", "show", "list", "flush",
    "get", "set", "exec", "dev", "va", "vb", "lo", "red", "up", "down", "mtu", "1500", "address", "02:00:00:00:00:01", "name",
    "type", "veth", "bridge", "vlan", "dummy", "macvlan", "vxlan", "peer", "id", "master", "nomaster", "via", "default",
    "10.0.0.1", "10.0.0.2", "10.0.0.0/24", "192.168.1.1/24", "fe80::1/64", "broadcast", "+", "brd", "label", "scope", "host",
    "global", "metric", "table", "main", "100", "proto", "static", "src", "nexthop", "weight", "2", "unreachable", "blackhole",
    "prohibit", "from", "to", "all", "lookup", "priority", "fwmark", "0x1", "iif", "oif", "lladdr", "nud", "permanent",
    "proxy", "-4", "-6", "-br", "-o", "-d", "-s", "-n", "-batch", "-all", "0", "-1", "4294967296", "''", "onlink", "mtu",
    "advmss", "cache", "tos", "dscp", "lo", "arp", "off", "on", "multicast", "promisc", "txqueuelen", "alias", "group",
];
