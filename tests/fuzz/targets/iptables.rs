//! Any words as command lines of iptables, and any text as a file of `iptables-restore`: no panic, and what was taken and
//! saved is taken again and is the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vethlab_engine::filter::{Table, TableName};
use vethlab_sim::{Host, Lab, Options};

fuzz_target!(|data: &[u8]| {
    let mut lab = lab();
    match data.split_first() {
        Some((0..=99, file)) => {
            restore(&mut lab, &String::from_utf8_lossy(file));
        }
        Some((100..=139, file)) => {
            restore(&mut lab, &format!("*filter\n{}\nCOMMIT\n", lines(file)));
        }
        _ => {
            for line in lines(data).lines() {
                lab.run(&format!("iptables {line}"));
            }
        }
    }
    let saved = lab.run("iptables-save -c").stdout;
    for name in ["raw", "mangle", "nat", "filter"] {
        lab.run(&format!("iptables -t {name} -L -v"));
    }
    if has_odd_interface(&lab) {
        return;
    }
    let mut again = self::lab();
    assert!(restore(&mut again, &saved), "{saved}");
    assert_eq!(tables(&lab), tables(&again), "{saved}");
});

fn lab() -> Lab {
    Lab::new(Options { seed: 1, host: Host::Bare })
}

fn restore(lab: &mut Lab, text: &str) -> bool {
    lab.provide("-", text.as_bytes().to_vec());
    lab.run("iptables-restore -c").status == 0
}

/// Rules and policies by chain, without matches: one of several ICMP codes is saved as its first, as the real tool has it.
fn tables(lab: &Lab) -> Vec<String> {
    let world = lab.world();
    let filter = world.stack(world.host()).filter();
    let tables: Vec<&Table> = TableName::ALL.iter().filter_map(|name| filter.table(*name)).collect();
    let chains = tables.iter().flat_map(|table| &table.chains);
    let mut said: Vec<String> = chains
        .map(|chain| {
            let rules: Vec<String> = chain.rules.iter().map(|rule| format!("{:?}", (&rule.ip, &rule.target))).collect();
            format!("{} {:?} {rules:?}", chain.name, chain.policy)
        })
        .collect();
    said.sort();
    said
}

/// True if an interface's name has white space, which the real tool saves as it is and reads back as another name.
fn has_odd_interface(lab: &Lab) -> bool {
    let world = lab.world();
    let filter = world.stack(world.host()).filter();
    let chains = TableName::ALL.iter().filter_map(|name| filter.table(*name)).flat_map(|table| &table.chains);
    let mut names =
        chains.flat_map(|chain| &chain.rules).flat_map(|rule| [&rule.ip.in_interface, &rule.ip.out_interface]);
    names.any(|name| name.as_ref().is_some_and(|name| name.of.contains(char::is_whitespace)))
}

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
    "-A INPUT", "-A FORWARD", "-A OUTPUT", "-t nat -A PREROUTING", "-t nat -A POSTROUTING", "-t mangle -A PREROUTING",
    "-t raw -A OUTPUT", "-I INPUT", "-D INPUT", "-R INPUT 1", "-N blue", "-X", "-F", "-Z", "-P INPUT DROP", "-E blue red",
    "-A blue", "-L", "-S", "!", "-s", "-d", "-i", "-o", "-p", "tcp", "udp", "icmp", "47", "-f", "10.0.0.1", "10.0.0.0/8",
    "1.2.3.4/255.0.0.255", "eth0", "veth+", "-m", "tcp", "multiport", "conntrack", "state", "mark", "connmark", "comment",
    "limit", "mac", "addrtype", "iprange", "statistic", "physdev", "owner", "pkttype", "ttl", "dscp", "length", "tos",
    "--dport", "--sport", "--dports", "--syn", "--tcp-flags", "SYN", "ALL", "--tcp-option", "--icmp-type", "--ctstate", "NEW",
    "RELATED,ESTABLISHED", "--ctstatus", "--ctexpire", "--ctorigsrc", "--ctdir", "--state", "--mark", "--comment", "--limit",
    "5/min", "--limit-burst", "--mac-source", "02:00:00:00:00:01", "--src-type", "LOCAL", "--dst-range", "--mode", "random",
    "nth", "--probability", "0.5", "--every", "--packet", "--physdev-in", "--uid-owner", "--pkt-type", "broadcast",
    "--ttl-eq", "--dscp", "--length", "--tos", "-j", "-g", "ACCEPT", "DROP", "REJECT", "RETURN", "LOG", "MARK", "CONNMARK",
    "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "NOTRACK", "CT", "TCPMSS", "TTL", "DSCP", "TOS", "blue",
    "--reject-with", "tcp-reset", "--log-prefix", "--log-level", "--set-mark", "--set-xmark", "--save-mark",
    "--to-destination", "--to-source", "--to-ports", "--to", "--random", "--notrack", "--clamp-mss-to-pmtu", "--set-mss",
    "--ttl-set", "--set-dscp", "--set-tos", "0", "1", "80", "ssh", "1:2", "1-2", "0x1/0xff", "65536", "-1", "''", "-v", "-n",
    "-x", "--line-numbers", "-c 1 2", "-w",
];
