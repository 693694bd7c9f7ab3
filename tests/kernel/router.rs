//! `vethlab router` between real kernels: three namespaces in a row, the router in the middle one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod field;
mod matrix;

use field::At::{Dst, Mid, Src};
use field::{Field, Rights, Running, is_root, number};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;
use vethlab_tests::rights::{root_or_skip, skip};

/// Pings that must all be answered, once. (After the last one, `ping` waits no longer than its interval or two round trips:
/// the interval is what a busy machine may take.)
#[track_caller]
fn ping(field: &Field, line: &str) {
    let output = field.output(Src, &format!("ping -n -i 0.1 -W 2 {line}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let clean = text.contains(" 0% packet loss") && !text.contains("DUP") && !text.contains("rrors");
    assert!(clean, "{text}{}", field.diagnosis());
}

/// What everybody tries first, and what goes wrong on purpose.
fn walk(field: &Field) {
    for there in ["10.0.1.1", "10.0.2.1", "10.0.2.2"] {
        ping(field, &format!("-c 5 {there}"));
        ping(field, &format!("-c 3 -s 8000 {there}"));
    }
    let route = field.run(Src, "traceroute -n -N 1 -q 1 -w 2 10.0.2.2");
    let hops: Vec<&str> = route.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(hops, ["10.0.1.1", "10.0.2.2"], "{route}");
    let route = field.run(Src, "traceroute -n -N 1 -q 1 -w 2 10.0.2.1");
    assert!(route.lines().count() == 2 && route.contains(" 1  10.0.2.1 "), "port unreachable ends it: {route}");
    let expired = field.output(Src, "ping -n -c 1 -W 2 -t 1 10.0.2.2");
    let text = String::from_utf8_lossy(&expired.stdout).into_owned();
    assert!(text.contains("From 10.0.1.1 icmp_seq=1 Time to live exceeded"), "{text}");
    let nowhere = field.output(Src, "ping -n -c 1 -W 2 192.0.2.1");
    let text = String::from_utf8_lossy(&nowhere.stdout).into_owned();
    assert!(text.contains("From 10.0.1.1 icmp_seq=1 Destination Net Unreachable"), "{text}");
}

/// A way that becomes narrow while the router runs.
fn narrow(field: &Field, super_frames: bool) {
    field.run(Mid, "ip link set r1 mtu 1300");
    field.run(Dst, "ip link set d0 mtu 1300");
    // The first may come before the router knows.
    let refused = field.output(Src, "ping -n -c 3 -i 0.1 -W 2 -M do -s 1400 10.0.2.2");
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(text.contains("From 10.0.1.1 icmp_seq=") && text.contains("Frag needed and DF set (mtu = 1300)"), "{text}");
    ping(field, "-c 3 -M dont -s 1400 10.0.2.2");
    field.run(Src, "ip route flush cache");
    if super_frames {
        let _server = field.serve(Dst);
        // Path MTU discovery by super-frames: the segments count, not the frame.
        field.exchange(Src, "tcp 10.0.2.2 3000000");
    }
}

/// UDP and TCP, both ways.
fn transfers(field: &Field, bytes: usize) {
    let _servers = [field.serve(Dst), field.serve(Src)];
    for (at, there) in [(Src, "10.0.2.2"), (Dst, "10.0.1.2")] {
        field.exchange(at, &format!("udp {there}"));
        field.exchange(at, &format!("tcp {there} {bytes}"));
    }
}

/// A router that has answered, forwarded, refused and narrowed, with every frame accounted for.
fn all_of_it(rights: Rights, bytes: usize) {
    let field = Field::new(rights);
    let router = field.router();
    walk(&field);
    narrow(&field, true);
    field.run(Mid, "ip link set r1 mtu 1500");
    field.run(Dst, "ip link set d0 mtu 1500");
    field.offloads("on");
    transfers(&field, bytes);
    let report = field.account(router);
    for reason in ["TtlExpired", "NoRoute", "TooBig", "NoSocket"] {
        assert!(report.contains(reason), "{reason}: {report}");
    }
}

#[test]
fn it_answers_forwards_refuses_and_counts() {
    if root_or_skip("router") {
        all_of_it(Rights::Root, 100_000_000);
    }
}

#[test]
fn it_needs_no_root() {
    let mut probe = Command::new("setpriv");
    let words = ["--reuid=1000", "--regid=1000", "--clear-groups", "unshare", "-Urn", "true"];
    let may = match is_root() {
        true => probe.args(words).status(),
        false => Command::new("unshare").args(["-Urn", "true"]).status(),
    };
    if may.is_ok_and(|status| status.success()) {
        all_of_it(Rights::User, 20_000_000);
    } else {
        skip("router without root", "users may not make user namespaces here");
    }
}

/// Pings while something happens; how many of 60 were answered.
fn answered_while(field: &Field, happens: impl FnOnce()) -> u64 {
    let ping = field.command(Src, "ping -n -c 60 -i 0.02 -W 1 10.0.2.2").stdout(std::process::Stdio::piped()).spawn();
    sleep(Duration::from_millis(300));
    happens();
    let output = ping.unwrap().wait_with_output().unwrap();
    number(&String::from_utf8_lossy(&output.stdout), r"(\d+) received")
}

#[test]
fn interfaces_go_down_and_come_back() {
    if !root_or_skip("router and interfaces that go") {
        return;
    }
    let field = Field::new(Rights::Root);
    // Down at the start: it waits.
    field.run(Mid, "ip link set r1 down");
    let mut router = field.router();
    field.run(Mid, "ip link set r1 up");
    ping(&field, "-c 2 10.0.2.2");
    for (at, interface) in [(Mid, "r1"), (Mid, "r0"), (Dst, "d0")] {
        let answered = answered_while(&field, || {
            field.run(at, &format!("ip link set {interface} down"));
            sleep(Duration::from_millis(200));
            field.run(at, &format!("ip link set {interface} up"));
            if interface == "d0" {
                field.run(Dst, "ip route add default via 10.0.2.1");
            }
        });
        // Often none is lost: the kernel of src refuses to send while r0 is down, and the router lets packets wait for a
        // neighbour that it must ask for again.
        assert!((10..=60).contains(&answered), "{interface}: {answered} of 60");
        ping(&field, "-c 2 10.0.2.2");
    }
    let report = field.account_so_far(&mut router, 3);
    assert!(report.contains("NoCarrier"), "{report}");
    // Deleted, and made anew under its name.
    field.run(Mid, "ip link del r1");
    router.wait_for("r1 is gone", true);
    let middle = field.holder(Mid);
    field.run(Dst, &format!("ip link add d0 type veth peer name r1 netns {middle}"));
    router.wait_for("r1 is there again", true);
    field.run(Mid, "ip link set r1 up");
    for line in ["ip addr add 10.0.2.2/24 dev d0", "ip link set d0 up", "ip route add default via 10.0.2.1"] {
        field.run(Dst, line);
    }
    ping(&field, "-c 2 10.0.2.2");
    let report = router.end();
    assert!(!report.contains("unaccounted"), "{report}");
}

/// Runs a router that must not start; its last line.
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{text}");
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn it_says_why_it_cannot_start() {
    if !root_or_skip("router errors") {
        return;
    }
    let field = Field::new(Rights::Root);
    let binary = field.binary().display().to_string();
    let missing = refused(field.command(Mid, &format!("{binary} router --port r0 r9")));
    assert_eq!(missing, "vethlab router: there is no interface r9 in this network namespace");
    let twice = refused(field.command(Mid, &format!("{binary} router --port r0 --port r0")));
    assert_eq!(twice, "vethlab router: r0 is named twice");
    let other = refused(field.command(Mid, &format!("{binary} router --port lo")));
    assert_eq!(other, "vethlab router: lo is not an Ethernet interface");
    let script = field.write("bad.sh", "ip addr add 10.0.1.1/24 dev r0\n\nip addr add 10.0.1.1/24 dev r9\n");
    let bad = refused(field.command(Mid, &format!("{binary} router --port r0 --script {}", script.display())));
    let line = "`ip addr add 10.0.1.1/24 dev r9` failed with status 1; nothing was forwarded";
    assert_eq!(bad, format!("vethlab router: {}:3: {line}", script.display()));
    // An ordinary user in root's namespace.
    let copy = field.path("vethlab");
    std::fs::copy(field.binary(), &copy).unwrap();
    let user = "setpriv --reuid=1000 --regid=1000 --clear-groups";
    let rights = refused(field.command(Mid, &format!("{user} {} router --port r0", copy.display())));
    let advice = "run as root, or inside a user namespace: unshare -Urn …";
    assert_eq!(rights, format!("vethlab router: opening a packet socket on r0: Operation not permitted: {advice}"));
}

#[test]
fn addresses_on_the_command_line_a_time_limit_and_a_report_on_request() {
    if !root_or_skip("router for a while") {
        return;
    }
    let field = Field::new(Rights::Root);
    let binary = field.binary().display().to_string();
    let addresses = "--address r0=10.0.1.1/24 --address r1=10.0.2.1/24";
    let line = format!("{binary} router --port r0 --port r1 {addresses} --for 1500ms");
    let mut router = Running::start(field.command(Mid, &line), &field.path("router"), "ready", true);
    ping(&field, "-c 2 10.0.2.2");
    router.signal("USR1");
    router.wait_for("frames: received", false);
    let report = router.wait();
    assert_eq!(report.matches("frames: received").count(), 2, "one asked for, one at the end: {report}");
}
