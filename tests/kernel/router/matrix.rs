//! Every way to carry frames × the offloads of the hosts × what hosts send.

use super::field::At::{Dst, Mid, Src};
use super::field::{Field, Rights, SCRIPT};
use super::{narrow, ping, refused, transfers};
use vethlab_tests::rights::root_or_skip;

/// A VLAN on each side; the far end of the second is known, as nobody answers ARP there.
const VLANS: &str = "ip link add link r0 name r0.100 type vlan id 100
ip addr add 10.1.0.1/24 dev r0.100
ip link set r0.100 up
ip link add link r1 name r1.200 type vlan id 200
ip addr add 10.2.0.1/24 dev r1.200
ip link set r1.200 up
ip neigh add 10.2.0.2 lladdr 02:00:00:00:02:02 dev r1.200
";

/// What a super-frame cannot do where it is not carried.
const LOST: &str = "frames come that are too long for io xdp, and are lost";

/// Three namespaces, both hosts with these offloads, and VLANs for the router.
fn field(offloads: &str) -> Field {
    let field = Field::new(Rights::Root);
    field.offloads(offloads);
    field.write("router.sh", &format!("{SCRIPT}{VLANS}"));
    field.write("vlan.py", include_str!("vlan.py"));
    field
}

/// Tagged frames of raw sockets: ARP to the router, UDP through it, there and back.
fn vlans(field: &Field) {
    let line = |what: &str| format!("/usr/bin/python3 {} {what}", field.path("vlan.py").display());
    let there = super::Running::start(field.command(Dst, &line("answer d0 200")), &field.path("vlan"), "ready", false);
    let said = field.run(Src, &line("ask s0 100"));
    assert_eq!(said, "ok\n", "{}", field.diagnosis());
    assert_eq!(there.wait(), "ready\nok\n");
}

/// Everything passes, and each frame is accounted for.
fn all_passes(io: &str, offloads: &str, bytes: usize) {
    if !root_or_skip(&format!("io {io}, offloads {offloads}")) {
        return;
    }
    let field = field(offloads);
    let router = field.router_with(&format!("--io {io}"));
    ping(&field, "-c 3 10.0.2.2");
    ping(&field, "-c 3 -s 8000 10.0.2.2");
    transfers(&field, bytes);
    vlans(&field);
    narrow(&field, true);
    field.account(router);
}

#[test]
fn plain_carries_everything() {
    all_passes("plain", "on", 100_000_000);
    all_passes("plain", "off", 10_000_000);
}

#[test]
fn ring_carries_everything() {
    all_passes("ring", "on", 100_000_000);
    all_passes("ring", "off", 10_000_000);
}

#[test]
fn gso_carries_everything() {
    all_passes("gso", "on", 100_000_000);
    all_passes("gso", "off", 10_000_000);
}

#[test]
fn xdp_carries_everything_but_super_frames() {
    all_passes("xdp", "off", 10_000_000);
    if !root_or_skip("io xdp, offloads on") {
        return;
    }
    let field = field("on");
    let mut router = field.router_with("--io xdp");
    // Said at the start: nobody can see there what the far ends will send.
    router.wait_for("super-frames of TCP are not carried", true);
    router.wait_for("ethtool -K IFNAME tso off gso off", true);
    ping(&field, "-c 3 10.0.2.2");
    let server = field.serve(Dst);
    // Checksums of these are not finished.
    field.exchange(Src, "udp 10.0.2.2");
    vlans(&field);
    narrow(&field, false);
    field.output(Src, &format!("timeout 2 python3 {} tcp 10.0.2.2 3000000", field.path("exchange.py").display()));
    router.wait_for(LOST, true);
    // The cure that it names.
    field.offloads("off");
    field.run(Mid, "ip link set r1 mtu 1500");
    field.run(Dst, "ip link set d0 mtu 1500");
    drop(server);
    transfers(&field, 1_000_000);
    assert!(!router.end().contains("unaccounted"));
}

#[test]
fn xdp_says_which_rights_it_wants() {
    if !root_or_skip("io xdp without rights") {
        return;
    }
    let field = Field::new(Rights::Root);
    let copy = field.path("vethlab");
    std::fs::copy(field.binary(), &copy).unwrap();
    let user = "setpriv --reuid=1000 --regid=1000 --clear-groups";
    let text = refused(field.command(Mid, &format!("{user} {} router --port r0 --io xdp", copy.display())));
    let advice = "run as root of the machine: AF_XDP wants CAP_BPF and CAP_NET_ADMIN";
    assert!(text.starts_with("vethlab router: opening an AF_XDP socket on r0: ") && text.ends_with(advice), "{text}");
    field.run(Mid, "ip link add r2 numrxqueues 2 numtxqueues 2 type veth peer name r3");
    let binary = field.binary().display();
    let text = refused(field.command(Mid, &format!("{binary} router --port r2 --io xdp")));
    let advice = "it has 2 receive queues, and io xdp serves one: ethtool -L IFNAME rx 1 tx 1";
    assert_eq!(text, format!("vethlab router: opening an AF_XDP socket on r2: {advice}"));
}

#[test]
fn auto_says_what_it_picked() {
    if !root_or_skip("io auto") {
        return;
    }
    let field = Field::new(Rights::Root);
    let mut router = field.router_with("--io auto --busy");
    router.wait_for("io ring: picked by auto: it carries every offload of the far ends", true);
    ping(&field, "-c 2 10.0.2.2");
    router.end();
}
