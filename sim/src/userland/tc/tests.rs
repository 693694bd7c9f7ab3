//! What `tc` says of netem, which the kernel that judges the rest does not have: by iproute2's own sources.

use super::units::{rate, show_rate, show_size, show_time, size};
use crate::lab::{Lab, Options};

fn lab() -> Lab {
    let mut lab = Lab::new(Options::default());
    for line in ["ip link add va type veth peer name vb", "ip link set va up", "ip link set vb up"] {
        assert_eq!(lab.run(line).status, 0, "{line}");
    }
    lab
}

/// What is shown after such options.
fn shown(options: &str) -> String {
    let mut lab = lab();
    let output = lab.run(&format!("tc qdisc add dev va root handle 1: netem {options}"));
    assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{options}");
    let line = lab.run("tc qdisc show dev va").stdout;
    line.strip_prefix("qdisc netem 1: root refcnt 3 ").expect("netem").trim_end_matches('\n').to_string()
}

#[test]
fn netem_is_shown_as_it_was_said() {
    for (said, text) in [
        ("delay 100ms", "limit 1000 delay 100ms"),
        ("delay 100ms 10ms", "limit 1000 delay 100ms  10ms"),
        ("delay 100ms 10ms 25%", "limit 1000 delay 100ms  10ms 25%"),
        ("delay 100ms 20ms distribution normal", "limit 1000 delay 100ms  20ms"),
        ("delay 1.5s", "limit 1000 delay 1.5s"),
        ("delay 250us", "limit 1000 delay 249us"),
        ("loss 0.1%", "limit 1000 loss 0.1%"),
        ("loss random 10% 25%", "limit 1000 loss 10% 25%"),
        ("loss 30% ecn", "limit 1000 loss 30% ecn "),
        ("loss state 10%", "limit 1000 loss state p13 10% p31 90% p32 0% p23 100% p14 0%"),
        ("loss gemodel 1% 10% 70% 0.1%", "limit 1000 loss gemodel p 1% r 10% 1-h 70% 1-k 0.1%"),
        ("duplicate 1%", "limit 1000 duplicate 1%"),
        ("corrupt 0.1%", "limit 1000 corrupt 0.1%"),
        ("delay 10ms reorder 25% 50%", "limit 1000 delay 10ms reorder 25% 50% gap 1"),
        ("gap 5 reorder 25% delay 10ms", "limit 1000 delay 10ms reorder 25% gap 5"),
        ("rate 1mbit", "limit 1000 rate 1Mbit"),
        ("rate 5kbit 20 100 5", "limit 1000 rate 5Kbit packetoverhead 20 cellsize 100 celloverhead 5"),
        ("limit 50 delay 50ms loss 1% duplicate 2%", "limit 50 delay 50ms loss 1% duplicate 2%"),
    ] {
        assert_eq!(shown(said), text, "{said}");
    }
}

#[test]
fn units_are_read_and_printed() {
    for (text, bytes) in [("1mbit", 125_000), ("8", 1), ("1kbps", 1000), ("1KiBps", 1024), ("1gibit", 134_217_728)] {
        assert_eq!(rate(text), Some(bytes), "{text}");
    }
    assert_eq!((rate("fast"), rate("1mb"), size("10k"), size("1.5kbit")), (None, None, Some(10_240), Some(192)));
    assert_eq!((size("-1"), size("5gb")), (None, None));
    let rates: Vec<String> = [125, 125_000, 128_000, 1543, 4_294_967_295].map(|rate| show_rate(rate, false)).into();
    assert_eq!(rates, ["1Kbit", "1Mbit", "1024Kbit", "12344bit", "34359Mbit"]);
    assert_eq!(show_rate(128, true), "1Kibit");
    let sizes: Vec<String> = [1, 1540, 1600, 4096, 32_768, 1_048_500, 1_048_576].map(show_size).into();
    assert_eq!(sizes, ["1b", "1540b", "1600b", "4Kb", "32Kb", "1048500b", "1Mb"]);
    let times: Vec<String> = [5, 999, 1000, 43_800, 400_000, 1_234_567, 60_000_000].map(show_time).into();
    assert_eq!(times, ["5us", "999us", "1ms", "43.8ms", "400ms", "1.23s", "60s"]);
}

#[test]
fn a_delay_is_felt_and_shown() {
    let mut lab = lab();
    for line in [
        "ip netns add b",
        "ip link set vb netns b",
        "ip -n b link set vb up",
        "ip addr add 10.0.0.1/24 dev va",
        "ip -n b addr add 10.0.0.2/24 dev vb",
        "tc qdisc add dev va root netem delay 100ms",
    ] {
        assert_eq!(lab.run(line).status, 0, "{line}");
    }
    assert!(lab.run("ip link show va").stdout.contains("qdisc netem state UP"));
    lab.run("ping -c 1 10.0.0.2");
    let times = lab.run("ping -c 3 -i 0.2 10.0.0.2").stdout;
    assert_eq!(times.matches("time=100 ms").count(), 3, "{times}");
    let counters = lab.run("tc -s qdisc show dev va").stdout;
    assert!(counters.contains(" Sent 434 bytes 5 pkt (dropped 0, overlimits 0 requeues 0) "), "{counters}");
    assert_eq!(lab.run("tc qdisc change dev va root netem loss 100%").status, 0);
    assert!(lab.run("ping -c 2 -W 1 10.0.0.2").stdout.contains("100% packet loss"));
    assert_eq!(lab.run("tc qdisc del dev va root").status, 0);
    assert!(lab.run("ping -c 1 10.0.0.2").stdout.contains(" 0% packet loss"));
}
