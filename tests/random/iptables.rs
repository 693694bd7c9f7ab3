//! Random command lines of iptables: rules of every kind, right ones and wrong ones, and all that can be done with them.

use super::draw::Draw;

/// As many command lines as are asked for, run one after the other. Most are right.
pub fn commands(seed: u64, count: usize) -> Vec<String> {
    let mut draw = Draw::new(seed);
    let mut lines = vec!["iptables -N blue".to_string(), "iptables -t nat -N green".to_string()];
    while lines.len() < count {
        let line = match draw.below(20) {
            0..9 => change(&mut draw),
            9..12 => spoiled(&mut draw),
            12 => format!("iptables {}{} {}", table_option(&mut draw), draw.pick(&["-D", "-R"]), number(&mut draw)),
            13..17 => listing(&mut draw),
            17 => chains(&mut draw),
            _ => counters(&mut draw),
        };
        lines.push(line);
    }
    lines
}

/// A file for `iptables-restore`: all tables, some chains, many rules, each one that the kernel takes.
pub fn file(seed: u64, rules: usize) -> String {
    let mut draw = Draw::new(seed ^ 0x5eed);
    let mut text = String::new();
    for (table, hooks) in TABLES {
        text += &format!("*{table}\n");
        for hook in *hooks {
            let policy = if *table == "filter" && draw.chance(30) { "DROP" } else { "ACCEPT" };
            text += &format!(":{hook} {policy} [{}:{}]\n", draw.below(9), draw.below(999));
        }
        text += ":blue - [0:0]\n:green - [0:0]\n";
        for _ in 0..rules {
            let hook = if draw.chance(20) { "blue" } else { draw.pick(hooks) };
            let counters =
                if draw.chance(30) { format!("[{}:{}] ", draw.below(99), draw.below(9999)) } else { String::new() };
            text += &format!("{counters}-A {hook}{}\n", in_double_quotes(&rule(&mut draw, table, hook)));
        }
        text += "COMMIT\n";
    }
    text
}

/// Options of `iptables-restore` and a file, in most of which something is wrong.
pub fn spoiled_file(seed: u64) -> (&'static str, String) {
    let mut draw = Draw::new(seed ^ 0xbad);
    let options = draw.pick(&["", "", " -n", " -v", " -c", " -t", " -T nat", " -n -v", " -c -T filter"]);
    // A real tool that keeps what is there lists and zeroes by what it knew before.
    let lists = !options.contains("-n");
    let text = file(seed, 1);
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for _ in 0..draw.below(3) {
        let at = draw.below(lines.len());
        let line = lines[at].clone();
        let mut words: Vec<&str> = line.split(' ').collect();
        let word = draw.below(words.len());
        match draw.below(9) {
            0 => lines.insert(
                at,
                draw.pick(&["", "  ", "# words", "nonsense", "*", "*nope", ":", ":blue", "COMMIT", "COMMIT x"])
                    .to_string(),
            ),
            1 => {
                lines.remove(at);
            }
            2 => {
                words.remove(word);
                lines[at] = words.join(" ");
            }
            3 => {
                words[word] = draw
                    .pick(&["nope", "-x", "!", "\"", "[1:2]", "[1:", "-t nat", "-j", "-D", "INPUT", "-6", "-4", "-w"]);
                lines[at] = words.join(" ");
            }
            4 => lines.insert(at, format!("-D {}", draw.pick(&["INPUT -j ACCEPT", "red 1", "nope 1", "OUTPUT"]))),
            5 if lists => lines.insert(at, draw.pick(&["-L INPUT -n", "-Z", "-S", "-L -Z"]).to_string()),
            5 => lines.insert(at, draw.pick(&["-N red", "-X blue", "-F", "-P INPUT DROP"]).to_string()),
            6 => lines.insert(
                at,
                format!(
                    ":{} {}",
                    draw.pick(&["red", "blue", "INPUT", "ACCEPT", "averyveryveryveryverylongname"]),
                    draw.pick(&["-", "DROP", "FOO [1:2]", "ACCEPT [1:2]", "ACCEPT 1"])
                ),
            ),
            7 => lines.truncate(at + 1),
            _ => lines.swap(at, word % 7),
        }
    }
    (options, lines.join("\n") + draw.pick(&["\n", "\n", "\n", ""]))
}

/// Files know no other quotes.
fn in_double_quotes(rule: &str) -> String {
    let words = split(rule).into_iter().map(|word| match word.strip_prefix('\'') {
        Some(quoted) => format!("\"{}\"", quoted.trim_end_matches('\'').replace('\\', "\\\\").replace('"', "\\\"")),
        None => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

const TABLES: &[(&str, &[&str])] = &[
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
];

fn table(draw: &mut Draw) -> (&'static str, &'static str) {
    let (table, hooks) = if draw.chance(60) { TABLES[3] } else { draw.pick(TABLES) };
    (table, draw.pick(hooks))
}

fn table_option(draw: &mut Draw) -> String {
    match table(draw).0 {
        "filter" => String::new(),
        table => format!("-t {table} "),
    }
}

fn number(draw: &mut Draw) -> String {
    format!(
        "{} {}{}",
        draw.pick(&["INPUT", "FORWARD", "OUTPUT", "blue", "nope"]),
        draw.below(5),
        if draw.chance(50) { " -j ACCEPT" } else { "" }
    )
}

/// A rule is added, put first, looked for, deleted or replaced.
fn change(draw: &mut Draw) -> String {
    let (table, hook) = table(draw);
    let hook = if draw.chance(10) { "blue" } else { hook };
    let what = match draw.below(10) {
        0..6 => format!("-A {hook}"),
        6 => format!("-I {hook}"),
        7 => format!("-I {hook} {}", 1 + draw.below(4)),
        8 => format!("{} {hook}", draw.pick(&["-D", "-C"])),
        _ => format!("-R {hook} {}", 1 + draw.below(3)),
    };
    let verbose = if draw.chance(15) { " -v" } else { "" };
    let option = if table == "filter" { String::new() } else { format!("-t {table} ") };
    format!("iptables {option}{what}{verbose}{}", rule(draw, table, hook))
}

/// A rule that has lost, doubled or swapped a word.
fn spoiled(draw: &mut Draw) -> String {
    let line = change(draw);
    let mut words: Vec<String> = split(&line);
    let at = 1 + draw.below(words.len() - 1);
    match draw.below(6) {
        0 => {
            words.remove(at);
        }
        1 => words.insert(at, "!".to_string()),
        2 => words.insert(at, words[at].clone()),
        3 => {
            words[at] = draw.pick(&["nope", "-1", "70000", "1:2", "-x", "--nope", "0", "''", "10.0.0.0/33"]).to_string()
        }
        4 => {
            let cut = words[at].len() - 1;
            if !words[at].contains('\'') && words[at].is_char_boundary(cut) {
                words[at].truncate(cut.max(1));
            }
        }
        _ => {
            let other = 1 + draw.below(words.len() - 1);
            words.swap(at, other);
        }
    }
    words.join(" ")
}

/// At blanks outside of quotes, which stay.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        quoted ^= letter == '\'';
        match letter {
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("there is one").push(letter),
        }
    }
    words
}

fn listing(draw: &mut Draw) -> String {
    let option = table_option(draw);
    let chain = draw.pick(&["", " INPUT", " OUTPUT", " blue", " INPUT 1", " nope", " PREROUTING 2"]);
    let flags = draw.pick(&["", " -n", " -v", " -nv", " -v -x", " -n --line-numbers", " -v -n -x --line-numbers"]);
    match draw.below(8) {
        0..4 => format!("iptables {option}-L{chain}{flags}"),
        4..6 => format!("iptables {option}-S{chain}{}", draw.pick(&["", "", " -v"])),
        6 => "iptables-save".to_string(),
        _ => format!("iptables-save{}", draw.pick(&[" -c", " -t filter", " -t mangle", " -c -t nat", " -t nope"])),
    }
}

fn chains(draw: &mut Draw) -> String {
    let option = table_option(draw);
    let chain = draw.pick(&["blue", "red", "INPUT", "nope", "OUTPUT", "LOG"]);
    match draw.below(8) {
        0 => format!("iptables {option}-N {chain}"),
        1 => format!("iptables {option}-X {chain}"),
        2 => format!("iptables {option}-X{}", draw.pick(&["", " -v"])),
        3 => format!(
            "iptables {option}-E {} {}",
            draw.pick(&["blue", "red", "nope"]),
            draw.pick(&["red", "blue", "INPUT"])
        ),
        4 => format!("iptables {option}-F {chain}{}", draw.pick(&["", " -v"])),
        5 => format!("iptables {option}-F{}", draw.pick(&["", " -v"])),
        _ => format!("iptables {option}-P {chain} {}", draw.pick(&["ACCEPT", "DROP", "ACCEPT", "REJECT", ""])),
    }
}

fn counters(draw: &mut Draw) -> String {
    let option = table_option(draw);
    match draw.below(4) {
        0 => format!("iptables {option}-Z{}", draw.pick(&["", " -v", " INPUT", " nope"])),
        1 => format!("iptables {option}-L -Z"),
        2 => format!("iptables {option}-c {} {} -A INPUT -s 9.9.9.9", draw.below(200_000_000), draw.below(99)),
        _ => format!("iptables {option}-A INPUT -c {},{} -p udp", draw.below(99), draw.below(200_000)),
    }
}

/// What follows the chain; with a blank before it.
fn rule(draw: &mut Draw, table: &str, hook: &str) -> String {
    let mut text = String::new();
    for option in ["-s", "-d"] {
        if draw.chance(25) {
            text += &format!("{} {option} {}", bang(draw), network(draw));
        }
    }
    if draw.chance(20) && !matches!(hook, "OUTPUT" | "POSTROUTING") {
        text += &format!("{} -i {}", bang(draw), draw.pick(&["eth0", "eth+", "lo", "br-lan"]));
    }
    if draw.chance(20) && !matches!(hook, "INPUT" | "PREROUTING") {
        text += &format!("{} -o {}", bang(draw), draw.pick(&["eth1", "veth+", "lo"]));
    }
    let protocol = draw.pick(&["tcp", "tcp", "udp", "udp", "icmp", "47", "TCP", "6", "", "", "", "all"]);
    if !protocol.is_empty() {
        text += &format!(" -p {protocol}");
    } else if draw.chance(5) {
        text += &format!("{} -f", bang(draw));
    }
    let of_protocol = match protocol {
        "tcp" | "TCP" | "6" => tcp(draw),
        "udp" => format!("{} --{} {}", bang(draw), draw.pick(&["dport", "sport"]), ports(draw)),
        "icmp" => {
            format!("{} --icmp-type {}", bang(draw), draw.pick(&["8", "echo-reply", "3/1", "any", "ping", "redirect"]))
        }
        _ => String::new(),
    };
    if draw.chance(60) {
        text += &of_protocol;
    }
    for _ in 0..draw.pick(&[0, 0, 1, 1, 2]) {
        text += &extension(draw, protocol, hook);
    }
    text + &target(draw, table, hook, protocol)
}

fn bang(draw: &mut Draw) -> &'static str {
    if draw.chance(20) { " !" } else { "" }
}

fn network(draw: &mut Draw) -> &'static str {
    draw.pick(&[
        "10.0.0.1",
        "10.0.0.0/8",
        "192.168.1.77/24",
        "172.16.0.0/255.240.0.0",
        "10.1.2.3/255.0.0.255",
        "1.2.3.4/31",
        "localhost",
        "10.2",
        "224.0.0.0/4",
    ])
}

fn ports(draw: &mut Draw) -> String {
    let port = |draw: &mut Draw| draw.pick(&["22", "ssh", "domain", "80", "443", "1024", "65535", "0", "8080"]);
    match draw.below(6) {
        0 => ":1023".to_string(),
        1 => "1024:".to_string(),
        2 => "20:21".to_string(),
        _ => port(draw).to_string(),
    }
}

fn tcp(draw: &mut Draw) -> String {
    let not = bang(draw);
    match draw.below(6) {
        0 => format!("{not} --syn"),
        1 => format!(
            "{not} --tcp-flags {} {}",
            draw.pick(&["ALL", "SYN,ACK", "FIN,RST"]),
            draw.pick(&["NONE", "SYN", "FIN,RST"])
        ),
        2 => format!("{not} --tcp-option {}", draw.pick(&["2", "8"])),
        3 => format!(
            "{not} --sport {} --dport {}",
            draw.pick(&["1024:65535", "5", "53"]),
            draw.pick(&["80", "ssh", "8000:8100"])
        ),
        // `ssh` is no name of a port of any other protocol.
        _ => format!(
            "{not} --dport {}",
            draw.pick(&["22", "ssh", "http", "443", ":1023", "1024:", "0:65535", "6000:6063"])
        ),
    }
}

fn extension(draw: &mut Draw, protocol: &str, hook: &str) -> String {
    let not = bang(draw);
    let ported = matches!(protocol, "tcp" | "udp" | "TCP" | "6");
    match draw.below(22) {
        0 if ported => format!(
            " -m multiport{not} --{} {}",
            draw.pick(&["dports", "sports", "ports"]),
            draw.pick(&["80,443", "1:5,7", "53", "22,80:90,443"])
        ),
        1 | 2 => format!(
            " -m conntrack{not} --ctstate {}",
            draw.pick(&["NEW", "RELATED,ESTABLISHED", "INVALID,UNTRACKED", "SNAT", "DNAT,new"])
        ),
        3 => conntrack(draw),
        4 => format!(" -m state{not} --state {}", draw.pick(&["NEW", "ESTABLISHED,RELATED", "INVALID", "NEW,INV"])),
        5 => format!(
            " -m {}{not} --mark {}",
            draw.pick(&["mark", "connmark"]),
            draw.pick(&["1", "0x10/0xff", "0/0", "4294967295", "7/0x7"])
        ),
        6 | 7 => format!(
            " -m comment --comment {}",
            draw.pick(&["plain", "'two words'", "'a \"b\" \\c'", "x_y-z9", "'#!$%'"])
        ),
        8 => format!(
            " -m limit --limit {}{}",
            draw.pick(&["5/min", "1/s", "7/sec", "100/hour", "3/day", "33/minute", "9999"]),
            draw.pick(&["", " --limit-burst 1", " --limit-burst 0", " --limit-burst 5"])
        ),
        9 if matches!(hook, "PREROUTING" | "INPUT" | "FORWARD") => {
            format!(" -m mac{not} --mac-source {}", draw.pick(&["02:00:00:00:00:01", "2:A:b:0:0:1"]))
        }
        10 => format!(
            " -m addrtype{not} --{}-type {}",
            draw.pick(&["src", "dst"]),
            draw.pick(&["LOCAL", "UNICAST,BROADCAST", "multicast", "UNSPEC"])
        ),
        11 => format!(
            " -m iprange{not} --{}-range {}",
            draw.pick(&["src", "dst"]),
            draw.pick(&["10.0.0.5-10.0.0.9", "1.1.1.1", "9.9.9.9-1.1.1.1"])
        ),
        12 => statistic(draw),
        13 if hook != "OUTPUT" => {
            format!(" -m physdev{not} --physdev-{}", draw.pick(&["in eth0", "is-bridged", "in veth+"]))
        }
        14 if matches!(hook, "OUTPUT" | "POSTROUTING") => format!(
            " -m owner{not} --{}",
            draw.pick(&["uid-owner root", "gid-owner 100-200", "uid-owner 12345", "socket-exists"])
        ),
        15 => format!(" -m pkttype{not} --pkt-type {}", draw.pick(&["broadcast", "unicast", "multicast"])),
        16 => format!(" -m ttl --ttl-{} {}", draw.pick(&["eq", "lt", "gt"]), draw.below(256)),
        17 => format!(" -m dscp{not} --dscp{}", draw.pick(&[" 0x2e", "-class EF", " 10", "-class cs1"])),
        18 => format!(" -m length{not} --length {}", draw.pick(&["100", "0:500", "64:", ":1500"])),
        19 => format!(" -m tos{not} --tos {}", draw.pick(&["0x10", "Minimize-Delay", "0x10/0x3f", "8/0xff"])),
        _ => String::new(),
    }
}

fn conntrack(draw: &mut Draw) -> String {
    let option = match draw.below(7) {
        0 => "--ctproto udp".to_string(),
        1 => format!(
            "--ct{} {}",
            draw.pick(&["origsrc", "origdst", "replsrc", "repldst"]),
            draw.pick(&["10.1.2.3", "10.1.2.3/8", "10.0.0.0/255.255.0.0"])
        ),
        2 => format!(
            "--ct{}port {}",
            draw.pick(&["origsrc", "origdst", "replsrc", "repldst"]),
            draw.pick(&["80", "80:90", "ssh"])
        ),
        3 => format!("--ctstatus {}", draw.pick(&["NONE", "ASSURED", "SEEN_REPLY,CONFIRMED", "exp"])),
        4 => format!("--ctexpire {}", draw.pick(&["10", "10:20", "5:"])),
        _ => return format!(" -m conntrack --ctdir {}", draw.pick(&["ORIGINAL", "reply"])),
    };
    format!(" -m conntrack{} {option}", bang(draw))
}

fn statistic(draw: &mut Draw) -> String {
    let not = bang(draw);
    if draw.chance(50) {
        return format!(
            " -m statistic --mode random{not} --probability {}",
            draw.pick(&["0.5", "0.33333", "1", "0", "0.1", "1e-3"])
        );
    }
    format!(" -m statistic --mode nth{not} --every {}", draw.pick(&["3 --packet 0", "2 --packet 1", "10 --packet 5"]))
}

fn target(draw: &mut Draw, table: &str, hook: &str, protocol: &str) -> String {
    let ported = matches!(protocol, "tcp" | "udp" | "TCP" | "6");
    let of_table = match (table, hook) {
        ("nat", "PREROUTING" | "OUTPUT") => nat_destination(draw, ported),
        ("nat", "POSTROUTING") => nat_source(draw, ported),
        ("nat", "INPUT") => " -j SNAT --to-source 9.8.7.6".to_string(),
        ("raw", _) => draw.pick(&[" -j NOTRACK", " -j CT --notrack"]).to_string(),
        ("mangle", _) => mangle(draw),
        ("filter", _) => reject(draw, protocol),
        _ => " -j RETURN".to_string(),
    };
    match draw.below(12) {
        0..5 => of_table,
        5 => log(draw),
        6 => " -j RETURN".to_string(),
        7 if hook != "blue" && matches!(table, "filter" | "raw") => draw.pick(&[" -j blue", " -g blue"]).to_string(),
        8 => String::new(),
        9 if table != "nat" => " -j DROP".to_string(),
        10 => connmark(draw),
        _ => " -j ACCEPT".to_string(),
    }
}

fn nat_destination(draw: &mut Draw, ported: bool) -> String {
    let flags = draw.pick(&["", "", " --random"]);
    match draw.below(4) {
        0 if ported => format!(" -j REDIRECT --to-ports {}{flags}", draw.pick(&["8080", "8080-8090"])),
        1 => format!(" -j REDIRECT{flags}"),
        2 if ported => format!(
            " -j DNAT --to-destination {}{flags}",
            draw.pick(&["10.0.0.2:80", "10.0.0.2-10.0.0.9:80-90", "10.0.0.2:8080-8090/80", ":8080"])
        ),
        _ => format!(
            " -j DNAT --to {}{}",
            draw.pick(&["10.0.0.2", "10.0.0.2-10.0.0.9"]),
            draw.pick(&["", " --persistent"])
        ),
    }
}

fn nat_source(draw: &mut Draw, ported: bool) -> String {
    match draw.below(4) {
        0 if ported => format!(" -j MASQUERADE --to-ports {}", draw.pick(&["1024", "1024-2048 --random"])),
        1 => format!(" -j MASQUERADE{}", draw.pick(&["", " --random", " --random-fully"])),
        2 => format!(" -j NETMAP --to {}", draw.pick(&["10.9.0.0/16", "10.9.8.7"])),
        _ => format!(
            " -j SNAT --to-source {}",
            draw.pick(&["203.0.113.5", "203.0.113.5-203.0.113.9 --persistent", "1.2.3.4 --random-fully"])
        ),
    }
}

fn mangle(draw: &mut Draw) -> String {
    match draw.below(5) {
        0 => format!(" -j TTL --ttl-{}", draw.pick(&["set 64", "inc 1", "dec 2"])),
        1 => format!(" -j DSCP --set-dscp{}", draw.pick(&[" 0x2e", "-class AF11", " 0"])),
        2 => format!(
            " -j TOS --{}",
            draw.pick(&[
                "set-tos 0x10",
                "set-tos Minimize-Delay",
                "and-tos 0xf0",
                "or-tos 8",
                "xor-tos 4",
                "set-tos 8/0xc"
            ])
        ),
        _ => format!(
            " -j MARK --{}",
            draw.pick(&[
                "set-mark 7",
                "set-xmark 1/0xff",
                "and-mark 0xf",
                "or-mark 2",
                "xor-mark 3",
                "set-mark 1/3",
                "set-xmark 5/5"
            ])
        ),
    }
}

fn reject(draw: &mut Draw, protocol: &str) -> String {
    let with = match protocol {
        "tcp" if draw.chance(40) => "tcp-reset",
        _ => draw.pick(&[
            "icmp-net-unreachable",
            "icmp-host-unreach",
            "proto-unreach",
            "icmp-admin-prohibited",
            "host-prohib",
            "port",
        ]),
    };
    if draw.chance(50) { " -j REJECT".to_string() } else { format!(" -j REJECT --reject-with {with}") }
}

fn log(draw: &mut Draw) -> String {
    let mut text = " -j LOG".to_string();
    if draw.chance(60) {
        text += &format!(" --log-prefix {}", draw.pick(&["'in: '", "drop", "'a \"quoted\" one'"]));
    }
    if draw.chance(40) {
        text += &format!(" --log-level {}", draw.pick(&["4", "debug", "7", "info", "warning"]));
    }
    for option in [" --log-tcp-sequence", " --log-tcp-options", " --log-ip-options", " --log-uid"] {
        if draw.chance(15) {
            text += option;
        }
    }
    text
}

fn connmark(draw: &mut Draw) -> String {
    format!(
        " -j CONNMARK --{}",
        draw.pick(&[
            "set-mark 1",
            "save-mark",
            "restore-mark",
            "restore-mark --mask 0xff",
            "save-mark --nfmask 1 --ctmask 2",
            "set-xmark 1/2",
            "and-mark 3"
        ])
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_seed_is_a_list() {
        assert_eq!(super::commands(3, 40), super::commands(3, 40));
        assert_ne!(super::commands(3, 40), super::commands(4, 40));
        assert_eq!(super::file(1, 5).lines().filter(|line| line.contains("-A ")).count(), 20);
    }
}
