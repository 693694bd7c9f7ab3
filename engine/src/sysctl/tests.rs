//! What was seen on Linux 6.18 in `unshare -n`.

use super::*;
use crate::addr::Mac;
use crate::control::Errno;
use crate::link::{Port, Ports};
use crate::time::Time;

/// A namespace with `lo` and the cable ends `v0`, `v1`.
fn namespace() -> (Sysctls, Ports) {
    let sysctls = Sysctls::new();
    let mut ports = Ports::new();
    for mut port in [
        Port::new_loopback(Time::ZERO),
        Port::new_ethernet(2, "v1", Mac([2, 0, 0, 0, 0, 1]), Time::ZERO),
        Port::new_ethernet(3, "v0", Mac([2, 0, 0, 0, 0, 2]), Time::ZERO),
    ] {
        port.conf = sysctls.port_conf(port.is_loopback(), port.mtu);
        ports.insert(port);
    }
    (sysctls, ports)
}

fn values(sysctls: &Sysctls, ports: &Ports, directory: &str, key: &str) -> String {
    let read = |name| sysctls.read(&format!("net/{directory}/{name}/{key}"), ports).unwrap_or("-".into());
    ["all", "default", "lo", "v0", "v1"].map(read).join(" ")
}

/// A run of writes, each with what `all default lo v0 v1` hold afterwards.
fn check(directory: &str, key: &str, steps: &[(&str, &str, &str)]) {
    let (mut sysctls, mut ports) = namespace();
    for (name, value, expected) in steps {
        let path = format!("net/{directory}/{name}/{key}");
        sysctls.write(&path, value, &mut ports).unwrap_or_else(|e| panic!("{path}={value}: {e:?}"));
        assert_eq!(values(&sysctls, &ports, directory, key), *expected, "after {path}={value}");
    }
}

/// `sysctl -a` in `unshare -n` lists 575 `net.` lines with only `lo`.
#[test]
fn a_new_namespace_lists_what_linux_lists() {
    let sysctls = Sysctls::new();
    let mut ports = Ports::new();
    ports.insert(Port::new_loopback(Time::ZERO));
    let paths = sysctls.paths(&ports);
    assert_eq!(paths.len(), 575);
    assert_eq!(paths.first().map(String::as_str), Some("net/bridge/bridge-nf-call-arptables"));
    assert_eq!(paths.last().map(String::as_str), Some("net/unix/max_dgram_qlen"));
    assert!(!paths.iter().any(|path| path.ends_with("flush") || path.ends_with("stable_secret")));
}

/// Directories sort by name, not by the path's bytes: `veth` before `veth-a`.
#[test]
fn listings_sort_by_directory() {
    let (sysctls, mut ports) = namespace();
    for (index, name) in [(4, "veth"), (5, "veth-a"), (6, "a.b")] {
        ports.insert(Port::new_ethernet(index, name, Mac::ZERO, Time::ZERO));
    }
    let paths = sysctls.paths(&ports);
    let names: Vec<&str> =
        paths.iter().filter_map(|path| path.strip_prefix("net/ipv4/conf/")?.strip_suffix("/accept_local")).collect();
    assert_eq!(names, ["a.b", "all", "default", "lo", "v0", "v1", "veth", "veth-a"]);
    assert_eq!(sysctls.read("net/ipv4/conf/a.b/rp_filter", &ports).as_deref(), Some("0"));
}

#[test]
fn forwarding_goes_to_all_interfaces_and_changes_redirects() {
    check(
        "ipv4/conf",
        "forwarding",
        &[
            ("all", "2", "2 2 2 2 2"),
            ("v0", "0", "2 2 2 0 2"),
            ("all", "1", "1 1 1 1 1"),
            ("default", "0", "1 0 1 1 1"),
            ("all", "0", "0 0 0 0 0"),
            ("v0", "1", "0 0 0 1 0"),
            ("all", "0", "0 0 0 1 0"),
        ],
    );
    let (mut sysctls, mut ports) = namespace();
    sysctls.write("net/ipv4/ip_forward", "1\n", &mut ports).expect("ip_forward");
    assert!(sysctls.ip_forward());
    assert_eq!(values(&sysctls, &ports, "ipv4/conf", "accept_redirects"), "0 1 1 1 1");
    assert_eq!(values(&sysctls, &ports, "ipv4/conf", "forwarding"), "1 1 1 1 1");
    assert_eq!(sysctls.read("net/ipv4/ip_forward", &ports).as_deref(), Some("1"));
}

/// IPv4: `default` reaches interfaces whose value nobody set; `all` is combined, not copied.
#[test]
fn default_reaches_untouched_interfaces() {
    check(
        "ipv4/conf",
        "rp_filter",
        &[
            ("default", "1", "0 1 1 1 1"),
            ("v0", "2", "0 1 1 2 1"),
            ("lo", "0", "0 1 0 2 1"),
            ("default", "2", "0 2 0 2 2"),
            ("all", "1", "1 2 0 2 2"),
        ],
    );
}

#[test]
fn ipv6_switches_spread() {
    check("ipv6/conf", "forwarding", &[("all", "1", "1 1 1 1 1"), ("v0", "0", "1 1 1 0 1")]);
    check("ipv6/conf", "disable_ipv6", &[("all", "1", "1 1 1 1 1"), ("default", "0", "1 0 1 1 1")]);
    check("ipv6/conf", "addr_gen_mode", &[("all", "1", "1 1 1 1 1"), ("default", "3", "1 3 1 1 1")]);
    check(
        "ipv6/conf",
        "mtu",
        &[("default", "1300", "1280 1300 65536 1500 1500"), ("v0", "1400", "1280 1300 65536 1400 1500")],
    );
    check("ipv6/conf", "proxy_ndp", &[("all", "1", "1 0 0 0 0")]);
    check("ipv6/conf", "ignore_routes_with_linkdown", &[("all", "1", "1 1 1 1 1")]);
    check("ipv6/conf", "force_forwarding", &[("all", "1", "1 0 1 1 1")]);
}

#[test]
fn writes_tell_what_must_follow() {
    let (mut sysctls, mut ports) = namespace();
    let mut write = |path: &str, value: &str| sysctls.write(path, value, &mut ports);
    assert_eq!(write("net/ipv6/conf/v0/disable_ipv6", "1"), Ok(vec![SysctlEffect::Ipv6Disabled(3, true)]));
    assert_eq!(write("net/ipv6/conf/v0/disable_ipv6", "2"), Ok(vec![]));
    let both = vec![SysctlEffect::Ipv6Disabled(1, true), SysctlEffect::Ipv6Disabled(2, true)];
    assert_eq!(write("net/ipv6/conf/all/disable_ipv6", "1"), Ok(both));
    assert_eq!(write("net/ipv4/route/flush", "1"), Ok(vec![SysctlEffect::RouteCacheFlush]));
}

#[test]
fn bad_writes_are_refused() {
    let (mut sysctls, mut ports) = namespace();
    for (path, value, errno) in [
        ("net/ipv4/nosuch", "1", Errno::NoEnt),
        ("net/ipv4/conf/nosuch/forwarding", "1", Errno::NoEnt),
        ("net/ipv4/conf/all", "1", Errno::NoEnt),
        ("net/ipv4", "1", Errno::NoEnt),
        ("kernel/hostname", "x", Errno::NoEnt),
        ("net/ipv4/ip_forward/x", "1", Errno::NoEnt),
        ("net/ipv4/neigh/default/gc_thresh1", "1", Errno::NoEnt),
        ("net/ipv4/conf/lo/mc_forwarding", "1", Errno::Acces),
        ("net/core/rmem_max", "1", Errno::Acces),
        ("net/ipv4/ip_forward", "", Errno::Inval),
        ("net/ipv4/ip_forward", "yes", Errno::Inval),
        ("net/ipv4/ip_default_ttl", "0", Errno::Inval),
        ("net/ipv4/ip_default_ttl", "256", Errno::Inval),
        ("net/ipv4/icmp_echo_ignore_all", "2", Errno::Inval),
        ("net/ipv4/ipfrag_high_thresh", "3145727", Errno::Inval),
        ("net/ipv4/ip_unprivileged_port_start", "32769", Errno::Inval),
        ("net/ipv4/ip_local_port_range", "1000 2000", Errno::Inval),
        ("net/ipv4/tcp_congestion_control", "foo", Errno::NoEnt),
        ("net/ipv4/tcp_congestion_control", "cubic", Errno::Perm),
        ("net/ipv6/conf/v0/mtu", "1501", Errno::Inval),
        ("net/ipv6/conf/v0/mtu", "1279", Errno::Inval),
        ("net/ipv6/conf/v0/addr_gen_mode", "4", Errno::Inval),
        ("net/ipv6/conf/v0/stable_secret", "x", Errno::Io),
        ("net/ipv4/neigh/v0/mcast_solicit", "-1", Errno::Inval),
    ] {
        assert_eq!(sysctls.write(path, value, &mut ports), Err(errno), "{path}={value}");
    }
    assert_eq!(sysctls.get("net/ipv4/route/flush", &ports), Err(Errno::Acces));
    assert_eq!(sysctls.get("net/ipv6/conf/lo/stable_secret", &ports), Err(Errno::Io));
}

/// Some timings have two names with different units; both follow each write.
#[test]
fn neighbour_timings_in_their_units() {
    let (mut sysctls, mut ports) = namespace();
    let mut step = |key: &str, value: &str, other: &str| {
        sysctls.write(&format!("net/ipv4/neigh/v0/{key}"), value, &mut ports).expect("written");
        sysctls.read(&format!("net/ipv4/neigh/v0/{other}"), &ports).expect("read")
    };
    assert_eq!(step("unres_qlen", "5", "unres_qlen_bytes"), "10450");
    assert_eq!(step("unres_qlen_bytes", "10000", "unres_qlen"), "4");
    assert_eq!(step("base_reachable_time", "10", "base_reachable_time_ms"), "10000");
    assert_eq!(step("retrans_time_ms", "500", "retrans_time"), "50");
    let neigh = &ports.get(3).expect("v0").conf.rare.neigh4;
    assert_eq!(neigh.retrans_time(), Duration::from_millis(500));
    assert_eq!(neigh.base_reachable_time(), Duration::from_secs(10));
    assert_eq!(neigh.locktime(), Duration::from_secs(1));
    assert_eq!(ports.get(3).expect("v0").conf.rare.neigh6.locktime(), Duration::ZERO);
}

/// The first namespace has more: limits of the neighbour tables, socket buffers that can be changed.
#[test]
fn the_first_namespace_has_more() {
    let (_, mut ports) = namespace();
    let mut sysctls = Sysctls::initial();
    assert_eq!(sysctls.read("net/ipv4/neigh/default/gc_thresh3", &ports).as_deref(), Some("1024"));
    sysctls.write("net/ipv4/neigh/default/gc_thresh3", "4096", &mut ports).expect("written");
    assert_eq!(sysctls.neigh_limits4().gc_thresh3, 4096);
    assert_eq!(sysctls.write("net/core/rmem_max", "8388608", &mut ports), Ok(vec![]));
    assert_eq!(sysctls.write("net/ipv4/tcp_congestion_control", "cubic", &mut ports), Ok(vec![]));
    assert!(sysctls.paths(&ports).contains(&"net/core/netdev_max_backlog".to_string()));
}

#[test]
fn combinations_are_those_of_inetdevice_h() {
    let (mut sysctls, mut ports) = namespace();
    let mut write = |path: &str, value: &str| sysctls.write(path, value, &mut ports).map(|_| ()).expect("written");
    write("net/ipv4/conf/all/rp_filter", "1");
    write("net/ipv4/conf/v0/rp_filter", "2");
    write("net/ipv4/conf/all/accept_local", "1");
    write("net/ipv4/conf/all/arp_ignore", "2");
    write("net/ipv4/conf/v0/log_martians", "1");
    let v0 = sysctls.on_port(&ports.get(3).expect("v0").conf);
    let v1 = sysctls.on_port(&ports.get(2).expect("v1").conf);
    assert_eq!((v0.rp_filter(), v1.rp_filter()), (2, 1));
    assert!(v1.accept_local() && v0.accept_local());
    assert_eq!(v1.arp_ignore(), 2);
    assert!(v0.log_martians() && !v1.log_martians());
    assert!(!v1.accept_source_route(), "all says 0, and both must say 1");
    assert!(v1.accept_redirects() && v1.send_redirects() && !v1.forwarding());
}
