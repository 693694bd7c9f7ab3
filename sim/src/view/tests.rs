//! What a script reads and writes by redirection. Contents and errors were seen on Linux 6.18.

use super::*;
use crate::lab::{Host, Lab, Options};
use vethlab_engine::control::{Command, NeighborMode, NeighborSpec};

const HOST: NsId = NsId(0);

fn lab() -> Lab {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    for line in ["ip link add v0 type veth peer name v1", "ip addr add 10.0.0.1/24 dev v0", "ip netns add red"] {
        assert_eq!(lab.run(line).status, 0, "{line}");
    }
    lab
}

fn get(lab: &Lab, path: &str) -> Result<String, Errno> {
    read(&mut lab.world(), HOST, path).map(|bytes| String::from_utf8(bytes).expect("text"))
}

fn put(lab: &Lab, path: &str, text: &str) -> Result<(), Errno> {
    write(&mut lab.world(), HOST, path, text.as_bytes())
}

#[test]
fn attributes_of_a_link_that_is_down_and_up() {
    let mut lab = lab();
    let v0 = |name: &str| format!("/sys/class/net/v0/{name}");
    for name in ["carrier", "speed", "duplex", "dormant", "testing"] {
        assert_eq!(get(&lab, &v0(name)), Err(Errno::Inval), "{name}");
    }
    let down = [("operstate", "down\n"), ("flags", "0x1002\n"), ("ifalias", ""), ("iflink", "2\n"), ("ifindex", "3\n")];
    let same =
        [("mtu", "1500\n"), ("type", "1\n"), ("addr_len", "6\n"), ("tx_queue_len", "1000\n"), ("dev_id", "0x0\n")];
    for (name, text) in down.into_iter().chain(same) {
        assert_eq!(get(&lab, &v0(name)).as_deref(), Ok(text), "{name}");
    }
    assert_eq!(put(&lab, &v0("flags"), "0x1003\n"), Ok(()));
    assert_eq!(get(&lab, &v0("carrier")).as_deref(), Ok("0\n"));
    assert_eq!(lab.run("ip link set v1 up").status, 0);
    let up = [
        ("carrier", "1\n"),
        ("speed", "10000\n"),
        ("duplex", "full\n"),
        ("operstate", "up\n"),
        ("carrier_changes", "2\n"),
    ];
    for (name, text) in up {
        assert_eq!(get(&lab, &v0(name)).as_deref(), Ok(text), "{name}");
    }
    assert_eq!(get(&lab, "/sys/class/net/lo/carrier").as_deref(), Ok("1\n"));
    assert_eq!(get(&lab, "/sys/class/net/lo/type").as_deref(), Ok("772\n"));
    assert_eq!(get(&lab, "/sys/class/net/lo/speed"), Err(Errno::Inval));
    assert_eq!(get(&lab, "/sys/devices/virtual/net/v0/statistics/rx_bytes").as_deref(), Ok("0\n"));
}

#[test]
fn attributes_are_written_and_refused() {
    let lab = lab();
    for (path, text, answer) in [
        ("mtu", "1400", Ok(())),
        ("mtu", "10", Err(Errno::Inval)),
        ("mtu", "x", Err(Errno::Inval)),
        ("mtu", "99999", Err(Errno::Inval)),
        ("carrier", "1", Err(Errno::OpNotSupp)),
        ("ifalias", "hello\n", Ok(())),
        ("tx_queue_len", "0x4d", Ok(())),
        ("tx_queue_len", "-1", Err(Errno::Inval)),
        ("netdev_group", "5", Ok(())),
        ("ifindex", "1", Err(Errno::Acces)),
        ("address", "1", Err(Errno::Acces)),
        ("nosuch", "1", Err(Errno::Acces)),
        ("statistics", "1", Err(Errno::IsDir)),
        ("mtu/x", "1", Err(Errno::NotDir)),
    ] {
        assert_eq!(put(&lab, &format!("/sys/class/net/v0/{path}"), text), answer, "{path} {text}");
    }
    for (path, text) in [("mtu", "1400\n"), ("ifalias", "hello\n"), ("tx_queue_len", "77\n"), ("netdev_group", "5\n")] {
        assert_eq!(get(&lab, &format!("/sys/class/net/v0/{path}")).as_deref(), Ok(text));
    }
}

#[test]
fn what_is_not_there_has_its_error() {
    let lab = lab();
    for (path, errno) in [
        ("/sys/class/net/v0", Errno::IsDir),
        ("/sys/class/net/v0/nosuch", Errno::NoEnt),
        ("/sys/class/net/v9/mtu", Errno::NoEnt),
        ("/sys/class/net/v0/mtu/x", Errno::NotDir),
        ("/proc/sys/net/ipv4", Errno::IsDir),
        ("/proc/sys/net/ipv4/nosuch", Errno::NoEnt),
        ("/proc/sys/net/ipv4/ip_forward/x", Errno::NotDir),
        ("/proc/sys/net/ipv4/route/flush", Errno::Acces),
        ("/proc/sys/net/ipv6/conf/v0/stable_secret", Errno::Io),
        ("/proc/net/nosuch", Errno::NoEnt),
        ("/run/netns/red", Errno::Inval),
        ("/run/netns/blue", Errno::NoEnt),
        ("/var/run/netns", Errno::IsDir),
    ] {
        assert_eq!(get(&lab, path), Err(errno), "{path}");
    }
    for (path, errno) in [
        ("/proc/sys/net/ipv4/tcp_available_congestion_control", Errno::Acces),
        ("/proc/sys/net/ipv4/nosuch", Errno::NoEnt),
        ("/proc/sys/net/ipv4", Errno::IsDir),
        ("/proc/net/dev", Errno::Acces),
        ("/run/netns/red", Errno::Perm),
    ] {
        assert_eq!(put(&lab, path, "1"), Err(errno), "{path}");
    }
}

#[test]
fn sysctls_are_those_of_the_namespace() {
    let lab = lab();
    let path = "/proc/sys/net/ipv4/ip_forward";
    for (text, answer, now) in
        [("5\n", Ok(()), "5\n"), ("x", Err(Errno::Inval), "5\n"), ("", Ok(()), "5\n"), (" 1 ", Ok(()), "1\n")]
    {
        assert_eq!((put(&lab, path, text), get(&lab, path).as_deref()), (answer, Ok(now)), "{text:?}");
    }
    let red = lab.world().netns_named("red").expect("red");
    assert_eq!(read(&mut lab.world(), red, path).as_deref(), Ok(&b"0\n"[..]));
    assert!(
        is_ours(path)
            && is_ours("/proc/sys/net/../net")
            && !is_ours("/proc/sys/kernel/hostname")
            && !is_ours("/proc/1")
    );
}

#[test]
fn directories_are_listed() {
    let lab = lab();
    let names = |path: &str| -> Vec<String> {
        list(&lab.world(), HOST, path).expect(path).into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names("/sys/class/net"), ["lo", "v0", "v1"]);
    assert_eq!(names("/run/netns"), ["red"]);
    assert_eq!(names("/proc/sys/net/ipv4/conf"), ["all", "default", "lo", "v0", "v1"]);
    assert_eq!(names("/sys/class/net/v0/statistics").len(), 24);
    let at = |path: &str| kind(&lab.world(), HOST, path).expect(path);
    assert_eq!(at("/sys/class/net/v0").kind, Kind::Link("../../devices/virtual/net/v0".to_string()));
    assert_eq!(at("/proc/self/ns/net").kind, Kind::Link("net:[4026531840]".to_string()), "the host's");
    assert_eq!(at("/sys/devices/virtual/net/v0").kind, Kind::Directory, "what the link leads to");
    assert_eq!((at("/sys/class/net/v0/mtu").mode, at("/sys/class/net/v0/address").mode), (0o644, 0o444));
    assert_eq!((at("/proc/sys/net").kind, at("/proc/sys/net").mode), (Kind::Directory, 0o555));
    let entries = list(&lab.world(), HOST, "/sys/class/net/v0").expect("a directory");
    for entry in entries {
        let again = at(&format!("/sys/class/net/v0/{}", entry.name));
        assert_eq!(again, entry);
    }
    assert_eq!(list(&lab.world(), HOST, "/sys/class/net/v0/mtu"), Err(Errno::NotDir));
}

#[test]
fn tables_stand_as_the_kernel_writes_them() {
    let mut lab = lab();
    for line in [
        "ip link set v0 up",
        "ip route add default via 10.0.0.2",
        "ip route add 10.5.0.0/16 via 10.0.0.2 metric 7",
        "ip route add blackhole 10.6.0.0/16",
        "ip route add unreachable 10.7.0.0/16",
    ] {
        assert_eq!(lab.run(line).status, 0, "{line}");
    }
    let address = "10.0.0.3".parse().expect("an address");
    let neighbor = NeighborSpec::of(3, address, "02:00:00:00:00:03".parse().ok());
    let added = lab.world().apply(HOST, Command::NeighborAdd(NeighborMode::Add, neighbor));
    assert_eq!(added, Ok(()));
    let arp = "IP address       HW type     Flags       HW address            Mask     Device\n\
               10.0.0.3         0x1         0x6         02:00:00:00:00:03     *        v0\n";
    assert_eq!(get(&lab, "/proc/net/arp").as_deref(), Ok(arp));
    let route = get(&lab, "/proc/self/net/route").expect("routes");
    assert!(route.lines().all(|line| line.len() == 127));
    let lines: Vec<&str> = route.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            "v0\t00000000\t0200000A\t0003\t0\t0\t0\t00000000\t0\t0\t0",
            "v0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
            "v0\t0000050A\t0200000A\t0003\t0\t0\t7\t0000FFFF\t0\t0\t0",
            "*\t0000060A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
            "*\t0000070A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0",
        ]
    );
    let dev = get(&lab, "/proc/net/dev").expect("interfaces");
    let v1 = dev.lines().find(|line| line.contains("v1:")).expect("v1");
    assert_eq!(
        v1,
        "    v1:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0"
    );
}

#[test]
fn bridges_and_their_ports() {
    let mut lab = lab();
    for line in ["ip link add br0 address 02:00:00:00:00:99 type bridge", "ip link set v0 master br0"] {
        assert_eq!(lab.run(line).status, 0, "{line}");
    }
    let known = [
        ("br0/bridge/bridge_id", "8000.020000000099\n"),
        ("br0/bridge/group_fwd_mask", "0x0\n"),
        ("br0/addr_assign_type", "3\n"),
        ("br0/uevent", "DEVTYPE=bridge\nINTERFACE=br0\nIFINDEX=4\n"),
        ("v0/brport/port_id", "0x8001\n"),
        ("v0/brport/designated_bridge", "8000.020000000099\n"),
        ("v0/brport/backup_port", ""),
        ("v0/flags", "0x1302\n"),
        // Through the links of a directory.
        ("br0/brif/v0/priority", "32\n"),
        ("br0/lower_v0/ifindex", "3\n"),
        ("v0/master/ifindex", "4\n"),
        ("v0/brport/bridge/bridge/priority", "32768\n"),
    ];
    for (path, text) in known {
        assert_eq!(get(&lab, &format!("/sys/class/net/{path}")).as_deref(), Ok(text), "{path}");
    }
    let answers = [
        ("br0/bridge/ageing_time", "5\n", Ok(()), "4\n"),
        ("br0/bridge/hello_time", "5\n", Err(Errno::Range), "200\n"),
        ("br0/bridge/priority", "foo\n", Err(Errno::Inval), "32768\n"),
        ("br0/bridge/root_id", "1\n", Err(Errno::Acces), "8000.020000000099\n"),
        ("br0/brif/v0/hairpin_mode", "1\n", Ok(()), "1\n"),
        ("v0/brport/path_cost", "0\n", Err(Errno::Range), "2\n"),
        ("v0/brport/state", "1\n", Err(Errno::Acces), "0\n"),
    ];
    for (path, text, answer, after) in answers {
        let path = format!("/sys/class/net/{path}");
        assert_eq!((put(&lab, &path, text), get(&lab, &path).as_deref()), (answer, Ok(after)), "{path}");
    }
    assert_eq!(get(&lab, "/sys/class/net/br0/bridge/flush"), Err(Errno::Acces));
    assert_eq!(get(&lab, "/sys/class/net/br0/bridge"), Err(Errno::IsDir));
    assert_eq!(get(&lab, "/sys/class/net/v1/brport/state"), Err(Errno::NoEnt));
    let master = kind(&lab.world(), HOST, "/sys/class/net/v0/master").expect("a link");
    assert_eq!(master.kind, Kind::Link("../br0".to_string()));
    let members = list(&lab.world(), HOST, "/sys/class/net/br0/brif").expect("a directory");
    assert_eq!(members, [Entry::link("v0", "../../v0/brport".to_string())]);
}

/// As Linux 6.18 lists a listener and a datagram socket, but for the bucket, the inode and the address of the socket.
#[test]
fn sockets_are_listed_in_proc_net() {
    use vethlab_engine::local::SocketKind;
    let lab = lab();
    let read = |name: &str| get(&lab, &format!("/proc/net/{name}")).unwrap();
    assert_eq!(
        read("tcp6"),
        "  sl  local_address                         remote_address                        st tx_queue rx_queue tr \
         tm->when retrnsmt   uid  timeout inode\n"
    );
    for kind in [SocketKind::Tcp, SocketKind::Udp] {
        let mut world = lab.world();
        let stack = world.stack_mut(HOST);
        let socket = stack.socket(kind).unwrap();
        stack.bind(socket, std::net::Ipv4Addr::UNSPECIFIED, 81).unwrap();
        if kind == SocketKind::Tcp {
            stack.listen(socket, 3).unwrap();
        }
    }
    let tcp = read("tcp");
    let lines: Vec<&str> = tcp.lines().collect();
    assert!(lines.iter().all(|line| line.len() == 149), "{tcp}");
    let front = "   0: 00000000:0051 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ";
    assert!(lines[1].starts_with(front), "{tcp}");
    assert!(lines[1].trim_end().ends_with(" 1 0000000000000000 100 0 0 10 0"), "{tcp}");
    let udp = read("udp");
    assert!(udp.starts_with("   sl  local_address rem_address   st tx_queue"), "{udp}");
    assert!(
        udp.contains("   81: 00000000:0051 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ")
    );
    assert!(read("sockstat").contains("\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0\n"));
}
