//! Filter rules, NAT and marks.

use super::super::Script;
use super::Lab;
use std::collections::BTreeMap;
use std::fmt::Write;

const REJECTS: &[&str] = &[
    "",
    "",
    " --reject-with icmp-host-unreachable",
    " --reject-with icmp-net-unreachable",
    " --reject-with icmp-proto-unreachable",
    " --reject-with icmp-admin-prohibited",
    " --reject-with icmp-host-prohibited",
];

/// A table and a chain of it in a namespace.
struct Place<'a> {
    name: &'a str,
    table: &'static str,
    chain: &'static str,
}

/// The rules of a namespace as `iptables-restore` reads them, by table.
type Rules = BTreeMap<&'static str, String>;

fn say(rules: &mut Rules, table: &'static str, line: &str) {
    let _ = writeln!(rules.entry(table).or_default(), "{line}");
}

/// Writes rules for some namespaces; tells which of them have some, and in which tables.
pub(super) fn write(script: &mut Script, lab: &Lab) -> Vec<(String, Vec<&'static str>)> {
    let mut tables = Vec::new();
    for name in lab.names() {
        let router = name.starts_with('r');
        if !router && script.draw.chance(70) {
            continue;
        }
        let rules = draw(script, lab, &name, router);
        script.line(&format!("run ip netns exec {name} iptables-restore -n <<END"));
        for (table, lines) in &rules {
            script.line(&format!("*{table}\n{lines}COMMIT"));
        }
        script.line("END");
        if rules.contains_key("mangle") && script.draw.chance(60) {
            let way = script.draw.pick(&["blackhole default", "unreachable default", "prohibit 10.0.0.0/8"]);
            let mark = 1 + script.draw.below(2);
            script.line(&format!("run ip -n {name} rule add fwmark {mark} table 100"));
            script.line(&format!("run ip -n {name} route add {way} table 100"));
        }
        tables.push((name, rules.into_keys().collect()));
    }
    tables
}

/// The rules of one namespace.
fn draw(script: &mut Script, lab: &Lab, name: &str, router: bool) -> Rules {
    let mut rules = Rules::new();
    if script.draw.chance(50) {
        user_chain(script, lab, name, &mut rules);
    }
    let most = if router { 9 } else { 4 };
    for _ in 0..2 + script.draw.below(most) {
        let (table, chain) = place(script, router);
        let rule = rule(script, lab, &Place { name, table, chain });
        say(&mut rules, table, &rule);
    }
    if script.draw.chance(15) {
        let chain = script.draw.pick(&["INPUT", "FORWARD", "FORWARD", "OUTPUT"]);
        say(&mut rules, "filter", &format!("-P {chain} DROP"));
    }
    rules
}

fn place(script: &mut Script, router: bool) -> (&'static str, &'static str) {
    let filter: &[&str] =
        if router { &["FORWARD", "FORWARD", "FORWARD", "INPUT", "OUTPUT"] } else { &["INPUT", "OUTPUT"] };
    let nat: &[&str] = if router {
        &["PREROUTING", "PREROUTING", "POSTROUTING", "POSTROUTING", "OUTPUT"]
    } else {
        &["PREROUTING", "OUTPUT"]
    };
    match script.draw.below(10) {
        0..=4 => ("filter", script.draw.pick(filter)),
        5..=7 => ("nat", script.draw.pick(nat)),
        8 => ("mangle", script.draw.pick(&["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"])),
        _ => ("raw", script.draw.pick(&["PREROUTING", "OUTPUT"])),
    }
}

fn user_chain(script: &mut Script, lab: &Lab, name: &str, rules: &mut Rules) {
    say(rules, "filter", "-N SIDE");
    for _ in 0..1 + script.draw.below(3) {
        let matches = matches(script, lab, &Place { name, table: "filter", chain: "SIDE" });
        let target = script.draw.pick(&["ACCEPT", "DROP", "RETURN", "REJECT", "LOG"]);
        say(rules, "filter", &format!("-A SIDE{matches} -j {target}"));
    }
    let (from, how) = (script.draw.pick(&["FORWARD", "INPUT", "FORWARD"]), script.draw.pick(&["-j", "-j", "-g"]));
    let matches = matches(script, lab, &Place { name, table: "filter", chain: from });
    say(rules, "filter", &format!("-A {from}{matches} {how} SIDE"));
}

fn rule(script: &mut Script, lab: &Lab, place: &Place<'_>) -> String {
    let Place { table, chain, .. } = place;
    let target = match *table {
        "filter" => filter_target(script),
        "nat" => nat_target(script, lab, chain),
        "mangle" => mangle_target(script, chain),
        _ => script.draw.pick(&[" -j NOTRACK", " -j NOTRACK", " -j DROP", ""]).to_string(),
    };
    // A target that looks into TCP or UDP wants to be told which.
    let wants = ["--to-ports", "TCPMSS", "tcp-reset"].iter().any(|word| target.contains(word)) || has_port(&target);
    let mut matches = matches(script, lab, place);
    if wants && !matches.contains(" -p tcp") {
        let others: Vec<&str> = matches.split(" -p ").take(1).collect();
        matches = format!("{} -p tcp", others.concat());
    }
    if target.contains("TCPMSS") {
        matches = matches.split(" -p ").take(1).collect::<String>() + " -p tcp --tcp-flags SYN,RST SYN";
    }
    let way = if script.draw.chance(20) { "-I" } else { "-A" };
    format!("{way} {chain}{matches}{target}")
}

/// True for `--to-destination 10.1.0.11:80`.
fn has_port(target: &str) -> bool {
    target.rsplit(' ').next().is_some_and(|last| last.contains(':'))
}

fn filter_target(script: &mut Script) -> String {
    match script.draw.below(10) {
        0..=3 => " -j ACCEPT".to_string(),
        4 | 5 => " -j DROP".to_string(),
        6 | 7 => format!(" -j REJECT{}", script.draw.pick(REJECTS)),
        8 => " -j LOG".to_string(),
        _ => script.draw.pick(&["", " -j RETURN", " -j REJECT --reject-with tcp-reset"]).to_string(),
    }
}

fn nat_target(script: &mut Script, lab: &Lab, chain: &str) -> String {
    let host = script.draw.any(&lab.hosts()).map(|host| host.address.clone()).unwrap_or_default();
    let site = script.draw.below(lab.sites.len()) + 1;
    match (chain, script.draw.below(4)) {
        ("POSTROUTING", 0..=2) => " -j MASQUERADE".to_string(),
        ("POSTROUTING", _) => format!(" -j SNAT --to-source 10.{site}.0.{}", 1 + 99 * script.draw.below(2)),
        (_, 0 | 1) => format!(" -j DNAT --to-destination {host}:{}", script.draw.pick(&[80, 80, 53])),
        (_, 2) => format!(" -j DNAT --to-destination {host}"),
        _ => script.draw.pick(&[" -j REDIRECT --to-ports 80", " -j REDIRECT"]).to_string(),
    }
}

fn mangle_target(script: &mut Script, chain: &str) -> String {
    let mark = 1 + script.draw.below(2);
    match script.draw.below(8) {
        0..=2 => format!(" -j MARK --set-mark {mark}"),
        3 => format!(" -j MARK --set-xmark {mark:#x}/0x3"),
        4 => script.draw.pick(&[" -j CONNMARK --save-mark", " -j CONNMARK --restore-mark"]).to_string(),
        5 if chain != "PREROUTING" => " -j TCPMSS --set-mss 1000".to_string(),
        5 | 6 => script.draw.pick(&[" -j TTL --ttl-set 33", " -j TTL --ttl-inc 1", " -j TTL --ttl-dec 1"]).to_string(),
        _ => script.draw.pick(&[" -j DSCP --set-dscp 0x0a", " -j TOS --set-tos 0x10"]).to_string(),
    }
}

/// Up to three of what a rule may ask.
fn matches(script: &mut Script, lab: &Lab, place: &Place<'_>) -> String {
    let mut words = String::new();
    for _ in 0..script.draw.below(3) {
        let word = extension(script, lab, place);
        let kind = word.split(' ').nth(if word.starts_with(" -m") { 2 } else { 1 }).unwrap_or_default();
        if !words.contains(kind) {
            words += &word;
        }
    }
    words + &protocol(script)
}

fn protocol(script: &mut Script) -> String {
    match script.draw.below(10) {
        0 => " -p icmp".to_string(),
        1 => format!(" -p icmp --icmp-type {}", script.draw.pick(&["8", "0", "11", "3/3", "3", "any"])),
        2 => " -p tcp".to_string(),
        3 => format!(" -p tcp --dport {}", script.draw.pick(&["80", "81", "1:100", "22"])),
        4 => format!(" -p tcp --sport {}", script.draw.pick(&["80", "1024:65535"])),
        5 => script
            .draw
            .pick(&[" -p tcp --syn", " -p tcp ! --syn", " -p tcp -m multiport --dports 22,80:90"])
            .to_string(),
        6 => format!(" -p udp{}", script.draw.pick(&["", " --dport 53", " --sport 53", " -m multiport --ports 53,67"])),
        7 => script.draw.pick(&[" ! -p tcp", " ! -p icmp"]).to_string(),
        _ => String::new(),
    }
}

fn extension(script: &mut Script, lab: &Lab, place: &Place<'_>) -> String {
    let address = script.draw.any(&lab.addresses()).cloned().unwrap_or_default();
    let not = if script.draw.chance(25) { " !" } else { "" };
    let net = 1 + script.draw.below(lab.sites.len());
    match script.draw.below(14) {
        0 => format!("{not} -s {address}"),
        1 => format!("{not} -d {address}"),
        2 => format!("{not} -s 10.{net}.0.0/24"),
        3 => format!("{not} -d 10.{net}.0.0/24"),
        4 | 5 => interface(script, place, not),
        6 => format!(
            " -m conntrack{not} --ctstate {}",
            script.draw.pick(&["NEW", "ESTABLISHED,RELATED", "INVALID", "DNAT", "SNAT"])
        ),
        7 => format!(" -m state --state {}", script.draw.pick(&["NEW", "RELATED,ESTABLISHED"])),
        8 => format!(" -m mark{not} --mark {}", script.draw.pick(&["1", "2", "0x1/0x1", "0"])),
        9 => format!(" -m addrtype --dst-type {}", script.draw.pick(&["LOCAL", "UNICAST"])),
        10 => format!(" -m iprange{not} --src-range 10.{net}.0.2-10.{net}.0.12"),
        11 => format!(" -m statistic --mode nth --every {} --packet 0", 2 + script.draw.below(2)),
        12 => format!(" -m length --length {}", script.draw.pick(&["0:100", "100:1500"])),
        _ => script
            .draw
            .pick(&[" -m ttl --ttl-gt 62", " -m comment --comment why", " -m connmark --mark 1", " -m ttl --ttl-eq 64"])
            .to_string(),
    }
}

/// `-i` and `-o`, where a chain has them.
fn interface(script: &mut Script, place: &Place<'_>, not: &str) -> String {
    let number = place.name.trim_start_matches(['r', 'h']);
    let device = match place.name.starts_with('r') {
        true => script.draw.pick(&["br", "br", "up"]).to_string() + number,
        false => "eth0".to_string(),
    };
    let (inward, outward) = (format!("{not} -i {device}"), format!("{not} -o {device}"));
    match place.chain {
        "PREROUTING" | "INPUT" => inward,
        "OUTPUT" | "POSTROUTING" => outward,
        "FORWARD" if script.draw.chance(50) => outward,
        "FORWARD" => inward,
        _ => String::new(),
    }
}
