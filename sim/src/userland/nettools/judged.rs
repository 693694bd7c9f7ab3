//! Command lines of net-tools one after another, and what each printed on a real kernel (Linux 6.18, net-tools 2.10).

use crate::lab::{Host, Lab, Options};

/// Runs the lines in turn; each must print this (standard output, then standard error) and end so.
fn judge(lines: &[(&str, &str, i32)]) {
    let mut lab = Lab::new(Options { host: Host::Bare, ..Options::default() });
    for line in [
        "ip link add v0 address 02:00:00:00:00:01 type veth peer name v1",
        "sysctl -qw net.ipv6.conf.v0.disable_ipv6=1 net.ipv6.conf.v1.disable_ipv6=1",
    ] {
        assert_eq!(lab.run(line).status, 0, "{line}");
    }
    for (line, text, status) in lines {
        let output = lab.run(line);
        let got = (output.stdout + &output.stderr, output.status);
        assert_eq!((got.0.as_str(), got.1), (*text, *status), "{line}");
    }
}

#[test]
fn addresses_are_set_as_ioctls_set_them() {
    judge(&[
        ("ifconfig v0 10.1.2.3", "", 0),
        ("ip -br -4 addr show v0", "v0@v1            LOWERLAYERDOWN 10.1.2.3/8 \n", 0),
        ("ifconfig v0 10.1.2.4 netmask 255.255.255.0", "", 0),
        (
            "ip -o -4 addr show v0",
            "3: v0    inet 10.1.2.4/24 brd 10.1.2.255 scope global v0\\       valid_lft forever preferred_lft forever\n",
            0,
        ),
        ("ifconfig v0 10.255.0.1/31", "", 0),
        (
            "ip -o -4 addr show v0",
            "3: v0    inet 10.255.0.1/31 brd 10.255.255.255 scope global v0\\       valid_lft forever preferred_lft forever\n",
            0,
        ),
        ("ifconfig v0 172.16.3.3", "", 0),
        ("ifconfig v0 add 10.9.9.9", "", 0),
        (
            "ifconfig v0:0",
            "v0:0: flags=4099<UP,BROADCAST,MULTICAST>  mtu 1500\n        inet 10.9.9.9  netmask 255.255.0.0  broadcast 172.16.255.255\n        ether 02:00:00:00:00:01  txqueuelen 1000  (Ethernet)\n\n",
            0,
        ),
        ("ifconfig v0 del 10.9.9.9", "", 0),
        ("ip -br -4 addr show v0", "v0@v1            LOWERLAYERDOWN 172.16.3.3/16 \n", 0),
        ("ifconfig v0 0", "", 0),
        ("ifconfig v0 netmask 255.255.255.0", "SIOCSIFNETMASK: Cannot assign requested address\n", 1),
        ("ifconfig v0 224.0.0.1", "SIOCSIFADDR: Invalid argument\n", 1),
        ("ifconfig v0 mtu 10", "SIOCSIFMTU: Invalid argument\n", 1),
        ("ifconfig v0 hw ether 01:00:00:00:00:09", "SIOCSIFHWADDR: Cannot assign requested address\n", 1),
        ("ifconfig v0 hw ether zz", "zz: invalid ether address.\n", 1),
        ("ifconfig v0:5 up", "SIOCSIFFLAGS: Cannot assign requested address\n", 255),
        ("ifconfig v0 -broadcast", "Warning: Interface v0 still in BROADCAST mode.\n", 0),
        ("ifconfig v0 irq 5", "irq: SIOCSIFMAP: Operation not supported\n", 1),
        ("ifconfig nosuch", "nosuch: error fetching interface information: Device not found\n", 1),
        (
            "ifconfig nosuch 10.0.0.1",
            "SIOCSIFADDR: No such device\nnosuch: ERROR while getting interface flags: No such device\n",
            255,
        ),
        ("ifconfig v0 name v1", "SIOCSIFNAME: File exists\n", 1),
    ]);
}

#[test]
fn routes_come_and_go() {
    const TITLE: &str = "Kernel IP routing table\n\
                         Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n";
    let shown = |lines: &str| format!("{TITLE}{lines}");
    let one = shown("10.1.0.0        0.0.0.0         255.255.255.0   U     0      0        0 v0\n");
    let all = shown(
        "\
0.0.0.0         10.1.0.2        0.0.0.0         UG    0      0        0 v0
10.1.0.0        0.0.0.0         255.255.255.0   U     0      0        0 v0
10.4.0.1        10.1.0.3        255.255.255.255 UGH   7      0        0 v0
10.6.0.0        -               255.255.0.0     !     0      -        0 -
",
    );
    judge(&[
        ("ifconfig v0 10.1.0.1/24", "", 0),
        ("ip link set v1 up", "", 0),
        ("route", &one, 0),
        ("route add default gw 10.1.0.2", "", 0),
        ("route add default gw 10.1.0.2", "SIOCADDRT: File exists\n", 7),
        ("route add -host 10.4.0.1 gw 10.1.0.3 metric 7", "", 0),
        ("route add -net 10.6.0.0/16 reject", "", 0),
        ("route -n", &all, 0),
        ("route del default", "", 0),
        ("route del default", "SIOCDELRT: No such process\n", 7),
        ("route add -net 10.5.0.0/16 gw 10.9.0.3", "SIOCADDRT: Network is unreachable\n", 7),
        ("route add -net 10.5.0.0/16 dev nosuch", "SIOCADDRT: No such device\n", 7),
        ("route add -net 10.5.0.0/16", "SIOCADDRT: No such device\n", 7),
        ("route add -net 10.5.0.0 gw 10.1.0.3", "SIOCADDRT: Invalid argument\n", 7),
        ("route del -net 10.6.0.0/16 reject", "", 0),
        ("route del 10.4.0.1", "", 0),
        ("route -n", &one, 0),
        ("route add nosuch.invalid gw 10.1.0.2", "nosuch.invalid: Unknown host\n", 6),
    ]);
}

#[test]
fn neighbours_are_set_and_forgotten() {
    judge(&[
        ("arp", "", 0),
        ("ifconfig v0 10.1.0.1/24", "", 0),
        ("ip link set v1 up", "", 0),
        ("arp -s 10.1.0.5 02:00:00:00:00:05", "", 0),
        (
            "arp -n",
            "Address                  HWtype  HWaddress           Flags Mask            Iface\n\
             10.1.0.5                 ether   02:00:00:00:00:05   CM                    v0\n",
            0,
        ),
        ("arp -a", "? (10.1.0.5) at 02:00:00:00:00:05 [ether] PERM on v0\n", 0),
        ("arp 10.1.0.9", "10.1.0.9 (10.1.0.9) -- no entry\n", 0),
        ("arp -a 10.1.0.9", "arp: in 1 entries no match found.\n", 0),
        ("arp -s 192.168.0.1 02:00:00:00:00:05", "SIOCSARP: Network is unreachable\n", 255),
        ("arp -s 10.1.0.1 02:00:00:00:00:05", "SIOCSARP: Invalid argument\n", 255),
        ("arp -i lo -s 10.1.0.5 02:00:00:00:00:05", "SIOCSARP: Invalid argument\n", 255),
        ("arp -s 10.1.0.7 02:00:00:00:00:07 pub", "SIOCSARP: No such device\n", 255),
        ("arp -Ds 10.1.0.8 v0 pub", "", 0),
        ("arp -d 10.1.0.8", "No ARP entry for 10.1.0.8\n", 255),
        ("arp -i v0 -d 10.1.0.8 pub", "", 0),
        ("arp -d 10.1.0.5", "", 0),
        ("arp -d 10.1.0.5", "No ARP entry for 10.1.0.5\n", 255),
        ("arp -i nosuch -d 10.1.0.3", "SIOCDARP(dontpub): No such device\n", 255),
        ("arp -v", "Entries: 0\tSkipped: 0\tFound: 0\n", 0),
    ]);
}
