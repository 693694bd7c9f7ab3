//! The sysctls that hold more than one number: ranges, lists, choices, keys.

use super::rule::parse_number;
use crate::control::Errno;

/// How such a sysctl is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextRule {
    /// Cannot be written.
    ReadOnly,
    /// Can be written only; that does something (`route/flush`).
    Flush,
    /// One of these words; another word gives this error.
    OneOf(&'static [&'static str], Errno),
    /// `low high`: ports, the first not below `ip_unprivileged_port_start`.
    PortRange,
    /// `low high`: group ids; an empty range is `1 0`.
    GroupRange,
    /// Three numbers, each at least 1 (`tcp_rmem`).
    Triple,
    /// A list of numbers below this: `80,8080,9000-9010` (`proc_do_large_bitmap`).
    List(u32),
    /// Four words of hex digits (`tcp_fastopen_key`).
    Key,
}

type Text = (&'static str, &'static str, TextRule);

/// In every namespace: below `net/`, what it holds at first, how it is written.
#[rustfmt::skip]
pub(super) const TEXTS: &[Text] = &[
    ("ipv4/ip_local_port_range", "32768\t60999", TextRule::PortRange),
    ("ipv4/ip_local_reserved_ports", "", TextRule::List(65536)),
    ("ipv4/ping_group_range", "1\t0", TextRule::GroupRange),
    ("ipv4/route/flush", "", TextRule::Flush),
    ("ipv4/tcp_allowed_congestion_control", "reno bbr", TextRule::ReadOnly),
    ("ipv4/tcp_available_congestion_control", "reno bbr cubic", TextRule::ReadOnly),
    ("ipv4/tcp_congestion_control", "bbr", TextRule::OneOf(&["reno", "bbr", "cubic"], Errno::NoEnt)),
    ("ipv4/tcp_fastopen_key", "00000000-00000000-00000000-00000000", TextRule::Key),
    ("ipv4/tcp_rmem", "4096\t131072\t33554432", TextRule::Triple),
    ("ipv4/tcp_wmem", "4096\t16384\t4194304", TextRule::Triple),
    ("ipv6/icmp/ratemask", "0-1,3-127", TextRule::List(256)),
    ("ipv6/route/flush", "", TextRule::Flush),
    ("mptcp/available_path_managers", "kernel userspace", TextRule::ReadOnly),
    ("mptcp/available_schedulers", "default", TextRule::ReadOnly),
    ("mptcp/path_manager", "kernel", TextRule::OneOf(&["kernel", "userspace"], Errno::NoEnt)),
    ("mptcp/scheduler", "default", TextRule::OneOf(&["default"], Errno::NoEnt)),
    ("netfilter/nf_log/0", "NONE", TextRule::OneOf(&["NONE"], Errno::NoEnt)),
    ("netfilter/nf_log/1", "NONE", TextRule::OneOf(&["NONE"], Errno::NoEnt)),
    ("netfilter/nf_log/10", "nf_log_ipv6", TextRule::OneOf(&["NONE", "nf_log_ipv6"], Errno::NoEnt)),
    ("netfilter/nf_log/2", "nf_log_ipv4", TextRule::OneOf(&["NONE", "nf_log_ipv4"], Errno::NoEnt)),
    ("netfilter/nf_log/3", "nf_log_arp", TextRule::OneOf(&["NONE", "nf_log_arp"], Errno::NoEnt)),
    ("netfilter/nf_log/4", "NONE", TextRule::OneOf(&["NONE"], Errno::NoEnt)),
    ("netfilter/nf_log/5", "nf_log_netdev", TextRule::OneOf(&["NONE", "nf_log_netdev"], Errno::NoEnt)),
    ("netfilter/nf_log/6", "NONE", TextRule::OneOf(&["NONE"], Errno::NoEnt)),
    ("netfilter/nf_log/7", "nf_log_bridge", TextRule::OneOf(&["NONE", "nf_log_bridge"], Errno::NoEnt)),
    ("netfilter/nf_log/8", "NONE", TextRule::OneOf(&["NONE"], Errno::NoEnt)),
    ("netfilter/nf_log/9", "NONE", TextRule::OneOf(&["NONE"], Errno::NoEnt)),
];

/// In the first namespace of the machine only.
#[rustfmt::skip]
pub(super) const INITIAL_TEXTS: &[Text] = &[
    ("core/default_qdisc", "pfifo_fast", TextRule::OneOf(&["pfifo_fast", "fq", "fq_codel", "sfq", "noqueue"], Errno::NoEnt)),
    ("core/flow_limit_cpu_bitmap", "0", TextRule::ReadOnly),
    ("core/netdev_rss_key", "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00", TextRule::ReadOnly),
    ("ipv4/tcp_available_ulp", "mptcp", TextRule::ReadOnly),
    ("ipv4/tcp_mem", "287898\t383867\t575796", TextRule::Triple),
    ("ipv4/udp_mem", "575799\t767734\t1151598", TextRule::Triple),
];

impl TextRule {
    /// What is kept when `text` is written over `old`.
    pub(super) fn accept(self, old: &str, text: &str) -> Result<String, Errno> {
        match self {
            TextRule::ReadOnly => Err(Errno::Acces),
            TextRule::Flush => Ok(String::new()),
            TextRule::OneOf(words, error) => {
                let word = text.trim_ascii();
                words.contains(&word).then(|| word.to_string()).ok_or(error)
            }
            TextRule::PortRange => port_range(old, text),
            TextRule::GroupRange => group_range(old, text),
            TextRule::Triple => vector(old, text, 1, i64::from(i32::MAX)).map(|numbers| tabbed(&numbers)),
            TextRule::List(end) => list(text, end),
            TextRule::Key => key(text),
        }
    }
}

fn tabbed(numbers: &[i64]) -> String {
    let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
    words.join("\t")
}

/// Numbers written over numbers: those that are not said stay, a wrong first one refuses, a wrong later one ends.
fn vector(old: &str, text: &str, low: i64, high: i64) -> Result<Vec<i64>, Errno> {
    let mut numbers: Vec<i64> = old.split_ascii_whitespace().filter_map(parse_number).collect();
    let mut said = 0;
    for (place, word) in numbers.iter_mut().zip(text.split_ascii_whitespace()) {
        match parse_number(word).filter(|number| (low..=high).contains(number)) {
            Some(number) => *place = number,
            None => break,
        }
        said += 1;
    }
    if said == 0 { Err(Errno::Inval) } else { Ok(numbers) }
}

fn port_range(old: &str, text: &str) -> Result<String, Errno> {
    let numbers = vector(old, text, 1, 65535)?;
    match numbers[..] {
        [low, high] if low <= high => Ok(tabbed(&[low, high])),
        _ => Err(Errno::Inval),
    }
}

fn group_range(old: &str, text: &str) -> Result<String, Errno> {
    let numbers = vector(old, text, 0, i64::from(u32::MAX) - 1)?;
    match numbers[..] {
        [low, high] if low <= high => Ok(tabbed(&[low, high])),
        [_, _] => Ok(tabbed(&[1, 0])),
        _ => Err(Errno::Inval),
    }
}

/// A set of numbers, kept as its shortest text.
fn list(text: &str, end: u32) -> Result<String, Errno> {
    let text = text.trim_ascii();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for item in text.split(',').filter(|_| !text.is_empty()) {
        let (low, high) = item.split_once('-').unwrap_or((item, item));
        let number = |word: &str| word.parse::<u32>().ok().filter(|&n| n < end).ok_or(Errno::Inval);
        let (low, high) = (number(low)?, number(high)?);
        if low > high {
            return Err(Errno::Inval);
        }
        ranges.push((low, high));
    }
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if low <= last.1 + 1 => last.1 = last.1.max(high),
            _ => merged.push((low, high)),
        }
    }
    let words: Vec<String> =
        merged.iter().map(|&(low, high)| if low == high { low.to_string() } else { format!("{low}-{high}") }).collect();
    Ok(words.join(","))
}

/// `1-2-3-4` becomes `00000001-00000002-00000003-00000004`.
fn key(text: &str) -> Result<String, Errno> {
    let words: Option<Vec<u32>> = text.trim_ascii().split('-').map(|word| u32::from_str_radix(word, 16).ok()).collect();
    match words.as_deref() {
        Some([a, b, c, d]) => Ok(format!("{a:08x}-{b:08x}-{c:08x}-{d:08x}")),
        _ => Err(Errno::Inval),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pair written and read back on Linux 6.18.
    #[test]
    fn texts_are_kept_as_the_kernel_keeps_them() {
        let ports = TextRule::PortRange;
        assert_eq!(ports.accept("32768\t60999", "1025 5000\n"), Ok("1025\t5000".into()));
        assert_eq!(ports.accept("1025\t5000", "1026"), Ok("1026\t5000".into()));
        assert_eq!(ports.accept("32768\t60999", "10 5"), Err(Errno::Inval));
        let groups = TextRule::GroupRange;
        assert_eq!(groups.accept("1\t0", "0 2147483647"), Ok("0\t2147483647".into()));
        assert_eq!(groups.accept("0\t9", "10 5"), Ok("1\t0".into()));
        let triple = TextRule::Triple;
        assert_eq!(triple.accept("1\t2\t3", "7"), Ok("7\t2\t3".into()));
        assert_eq!(triple.accept("7\t2\t3", "9 0 8"), Ok("9\t2\t3".into()));
        assert_eq!(triple.accept("7\t2\t3", "0"), Err(Errno::Inval));
        let list = TextRule::List(65536);
        assert_eq!(list.accept("", "80,8080,9000-9010"), Ok("80,8080,9000-9010".into()));
        assert_eq!(list.accept("", "81,80,82"), Ok("80-82".into()));
        assert_eq!(list.accept("1", "\n"), Ok("".into()));
        assert_eq!(list.accept("", "70000"), Err(Errno::Inval));
        assert_eq!(TextRule::Key.accept("", "1-2-3-4"), Ok("00000001-00000002-00000003-00000004".into()));
        assert_eq!(TextRule::OneOf(&["reno"], Errno::NoEnt).accept("reno", "foo"), Err(Errno::NoEnt));
    }
}
