use super::*;

#[test]
fn marks_are_those_of_the_original() {
    for (kind, code, text) in [
        (3, 0, "!N"),
        (3, 1, "!H"),
        (3, 2, "!P"),
        (3, 3, ""),
        (3, 4, "!F-1400"),
        (3, 5, "!S"),
        (3, 6, "!N"),
        (3, 7, "!H"),
        (3, 9, "!X"),
        (3, 10, "!X"),
        (3, 13, "!X"),
        (3, 14, "!V"),
        (3, 15, "!C"),
        (3, 16, "!<16>"),
        (11, 1, "!<11-1>"),
        (12, 0, "!<12-0>"),
    ] {
        assert_eq!(verdict(kind, code, 1400).as_deref(), Some(text), "{kind} {code}");
    }
    assert_eq!(verdict(11, 0, 0), None);
}

/// Two hosts with a router between them; the first is the world's own namespace, so that nothing need be `exec`ed.
fn chain() -> crate::lab::Lab {
    let mut lab = crate::lab::Lab::new(crate::lab::Options { host: crate::lab::Host::Bare, ..Default::default() });
    for line in [
        "ip netns add r",
        "ip netns add h",
        "ip link add a0 type veth peer name a1 netns r",
        "ip link add b0 netns h type veth peer name b1 netns r",
        "ip addr add 10.1.0.1/24 dev a0",
        "ip -n r addr add 10.1.0.2/24 dev a1",
        "ip -n r addr add 10.2.0.2/24 dev b1",
        "ip -n h addr add 10.2.0.1/24 dev b0",
        "ip link set a0 up",
        "ip -n r link set a1 up",
        "ip -n r link set b1 mtu 1400 up",
        "ip -n h link set b0 up",
        "ip netns exec r sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0",
        "ip netns exec h sysctl -qw net.ipv4.icmp_ratelimit=0",
        "ip route add default via 10.1.0.2",
        "ip -n h route add default via 10.2.0.2",
        "ip -n r route add prohibit 10.3.0.0/24",
    ] {
        let output = lab.run(line);
        assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{line}");
    }
    lab
}

/// What a command prints, with its times taken out.
fn traced(lab: &mut crate::lab::Lab, line: &str) -> String {
    let output = lab.run(line);
    let words =
        output.stdout.split(' ').map(|word| if word.parse::<f64>().is_ok() && word.contains('.') { "T" } else { word });
    let text: Vec<&str> = words.collect();
    format!("{}{}{}", text.join(" "), output.stderr, output.status)
}

/// As traceroute 2.1.2 prints on a real kernel.
#[test]
fn through_a_router() {
    let mut lab = chain();
    // Whoever was just told of expired packets is not told of a prohibited way within the same second.
    for (line, hops) in [
        ("traceroute -n 10.2.0.1", " 1  10.1.0.2  T ms  T ms  T ms\n 2  10.2.0.1  T ms  T ms  T ms\n0"),
        ("traceroute -q1 10.2.0.1", " 1  10.1.0.2 (10.1.0.2)  T ms\n 2  10.2.0.1 (10.2.0.1)  T ms\n0"),
        ("traceroute -n -I -q1 10.2.0.1", " 1  10.1.0.2  T ms\n 2  10.2.0.1  T ms\n0"),
        ("traceroute -n -T -q1 10.2.0.1", " 1  10.1.0.2  T ms\n 2  10.2.0.1  T ms\n0"),
        ("traceroute -n -q1 -f 2 10.2.0.1", " 2  10.2.0.1  T ms\n0"),
        ("traceroute -n -q1 -m 1 10.2.0.1", " 1  10.1.0.2  T ms\n0"),
        ("traceroute -n -q1 -N1 10.3.0.1", " 1  *\n 2  10.1.0.2  T ms !X\n0"),
        ("traceroute -n -q2 10.1.0.77", " 1  10.1.0.1  T ms !H  T ms !H\n0"),
    ] {
        let text = traced(&mut lab, line);
        assert_eq!(text.split_once('\n').map(|(_, hops)| hops), Some(hops), "{line}: {text}");
    }
}

#[test]
fn the_mtu_on_the_way() {
    let mut lab = chain();
    let title = "traceroute to 10.2.0.1 (10.2.0.1), 30 hops max, ";
    for (line, text) in [
        ("traceroute -n -q1 -F 10.2.0.1 1500", "1500 byte packets\n 1  10.1.0.2  T ms\n 2  10.1.0.2  T ms !F-1400\n0"),
        (
            "traceroute -n -q1 --mtu 10.2.0.1",
            "65000 byte packets\n 1  10.1.0.2  T ms F=1500\n 2  10.2.0.1  T ms F=1400\n0",
        ),
        ("traceroute -n -q1 10.2.0.1 1500", "1500 byte packets\n 1  10.1.0.2  T ms\n 2  10.2.0.1  T ms\n0"),
    ] {
        assert_eq!(traced(&mut lab, line), format!("{title}{text}"), "{line}");
    }
}

#[test]
fn what_the_kernel_refuses() {
    let mut lab = chain();
    lab.run("ip route del default");
    let title = "traceroute to 10.2.0.1 (10.2.0.1), 30 hops max, 60 byte packets";
    assert_eq!(traced(&mut lab, "traceroute 10.2.0.1"), format!("{title}\nconnect: Network is unreachable\n1"));
    assert_eq!(traced(&mut lab, "traceroute -I 10.2.0.1"), "\nconnect: Network is unreachable\n1");
    assert_eq!(
        traced(&mut lab, "traceroute -i nosuch 10.2.0.1"),
        format!("{title}\nsetsockopt SO_BINDTODEVICE: No such device\n1")
    );
    assert_eq!(
        traced(&mut lab, "traceroute -s 10.9.9.9 10.2.0.1"),
        format!("{title}\nbind: Cannot assign requested address\n1")
    );
}
