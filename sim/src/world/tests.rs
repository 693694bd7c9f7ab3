//! Worlds as scripts see them. What is expected was seen on Linux 6.18 with the same commands, unless it says otherwise.

use super::{LinkAdd, LinkKind, NsId, PeerAdd, Recording, World};
use crate::lab::{Host, Lab, Options};
use vethlab_engine::control::Errno;
use vethlab_engine::time::Duration;

fn lab(host: Host) -> Lab {
    Lab::new(Options { seed: 7, host })
}

/// Runs command lines, which all must succeed quietly.
fn run(lab: &mut Lab, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let output = lab.run(line);
        assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{line}\n{}", output.stdout);
    }
}

/// What a command line prints; both streams, and its status if that is not 0.
fn out(lab: &mut Lab, line: &str) -> String {
    let output = lab.run(line);
    let status = if output.status == 0 { String::new() } else { format!("rc={}\n", output.status) };
    format!("{}{}{status}", output.stdout, output.stderr)
}

/// Names and states, as `ip -br link` tells them: a dump, which does not make the link watch look.
fn states(lab: &mut Lab, netns: &str) -> String {
    let listing = out(lab, &format!("ip {netns} -br link"));
    let lines = listing.lines().filter(|line| !line.starts_with("lo "));
    let words = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {} {}", words[0], words[1], words[3])
    };
    lines.map(words).collect::<Vec<_>>().join("\n")
}

fn pass(lab: &mut Lab, span: Duration) {
    let mut world = lab.world();
    let until = world.now() + span;
    world.advance_to(until);
}

const WALK: &str = "
    ip netns add red
    ip link add veth-red type veth peer name veth-host
    ip link set veth-red netns red
    ip netns exec red ip addr add 192.168.1.1/24 dev veth-red
    ip netns exec red ip link set veth-red up
    ip addr add 192.168.1.2/24 dev veth-host
    ip link set veth-host up
    ip route add 192.168.1.1 dev veth-host";

#[test]
fn the_walk_works_on_every_host() {
    for host in [Host::Bare, Host::Internet, Host::Home] {
        let mut lab = lab(host);
        run(&mut lab, WALK);
        for line in ["ping 192.168.1.1 -c 3", "ip netns exec red ping 192.168.1.2 -c 3"] {
            let text = out(&mut lab, line);
            assert!(text.contains("3 packets transmitted, 3 received, 0% packet loss"), "{host:?}: {text}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let story = |seed| {
        let mut lab = Lab::new(Options { seed, host: Host::Internet });
        lab.world().record(Recording { pcap: true, trace: true });
        run(&mut lab, WALK);
        run(&mut lab, "ping -c 2 192.168.1.1\nping -c 2 8.8.8.8");
        let mut world = lab.world();
        (world.digest(), world.take_pcap(), world.take_trace())
    };
    assert_eq!(story(1), story(1));
    assert_ne!(story(1).0, story(2).0);
}

/// Two ends with one number: nothing but the comer-up is noticed at once, the rest once a second.
#[test]
fn the_link_watch_lags_as_linux_does() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, "ip netns add a\nip netns add b\nip link add e0 netns a type veth peer name e0 netns b");
    run(&mut lab, "ip -n a link set e0 up");
    let check = |lab: &mut Lab, a: &str, b: &str, when: &str| {
        assert_eq!((states(lab, "-n a").as_str(), states(lab, "-n b").as_str()), (a, b), "{when}");
    };
    let down = "e0@if2 DOWN <BROADCAST,MULTICAST>";
    let alone = "e0@if2 DOWN <NO-CARRIER,BROADCAST,MULTICAST,UP>";
    let up = "e0@if2 UP <BROADCAST,MULTICAST,UP,LOWER_UP>";
    check(&mut lab, alone, down, "a is up");
    run(&mut lab, "ip -n b link set e0 up");
    check(&mut lab, up, "e0@if2 DOWN <NO-CARRIER,BROADCAST,MULTICAST,UP,LOWER_UP>", "both are up");
    pass(&mut lab, Duration::from_millis(1200));
    check(&mut lab, up, up, "a second later");
    run(&mut lab, "ip -n b link set e0 down");
    check(&mut lab, "e0@if2 UP <BROADCAST,MULTICAST,UP>", down, "b is down again");
    pass(&mut lab, Duration::from_millis(1200));
    check(&mut lab, alone, down, "a second later");
    run(&mut lab, "ip -n b link set e0 up");
    pass(&mut lab, Duration::from_millis(1200));
    run(&mut lab, "ip -n b link set e0 down");
    assert!(out(&mut lab, "ip -n a link show e0").contains("NO-CARRIER"), "who asks for one link makes it look");
    check(&mut lab, alone, down, "looked at");
}

#[test]
fn numbers_that_differ_are_noticed_at_once() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, "ip link add v0 type veth peer name v1\nip link set v0 up");
    let lower = "v1@v0 DOWN <BROADCAST,MULTICAST>\nv0@v1 LOWERLAYERDOWN <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN>";
    assert_eq!(states(&mut lab, ""), lower);
    run(&mut lab, "ip link set v1 up");
    let both = "v1@v0 UP <BROADCAST,MULTICAST,UP,LOWER_UP>\nv0@v1 UP <BROADCAST,MULTICAST,UP,LOWER_UP>";
    assert_eq!(states(&mut lab, ""), both);
    run(&mut lab, "ip link set v1 down");
    assert_eq!(states(&mut lab, ""), lower);
}

#[test]
fn routes_lose_their_carrier_with_the_cable() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, "ip link add v0 type veth peer name v1\nip addr add 10.0.0.1/24 dev v0\nip link set v0 up");
    let route = "10.0.0.0/24 dev v0 proto kernel scope link src 10.0.0.1 ";
    assert_eq!(out(&mut lab, "ip route"), format!("{route}linkdown \n"));
    run(&mut lab, "ip link set v1 up");
    assert_eq!(out(&mut lab, "ip route"), format!("{route}\n"));
    run(&mut lab, "ip link set v1 down");
    assert_eq!(out(&mut lab, "ip route"), format!("{route}linkdown \n"));
}

#[test]
fn links_are_numbered_named_and_refused() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, "ip netns add red\nip link add v0 type veth peer name v1");
    for (line, refusal) in [
        ("ip link add v0 type veth peer name v2", "RTNETLINK answers: File exists"),
        ("ip link add v3 type veth peer name v1", "RTNETLINK answers: File exists"),
        ("ip link add v3 index 2 type veth peer name v5", "RTNETLINK answers: File exists"),
        ("ip link add v3 mtu 40 type veth peer name v5", "RTNETLINK answers: Invalid argument"),
        ("ip link add v3 mtu 70000 type veth peer name v5", "RTNETLINK answers: Invalid argument"),
        ("ip link add v3 type veth peer name v5 mtu 70000", "RTNETLINK answers: Invalid argument"),
        ("ip link add v3 type veth peer name v3", "RTNETLINK answers: File exists"),
        (
            "ip link add a1 address 01:00:00:00:00:01 type veth peer name a2",
            "RTNETLINK answers: Cannot assign requested address",
        ),
        ("ip link add b9 type veth peer name all", "RTNETLINK answers: Invalid argument"),
        ("ip link add b%s type veth peer name b5", "RTNETLINK answers: Invalid argument"),
        ("ip link add x type foo", "Error: Unknown device type."),
        ("ip -n red link set lo netns 1", "Error: The interface netns is immutable."),
        ("ip link del lo", "RTNETLINK answers: Operation not supported"),
    ] {
        let expected = format!("{refusal}\nrc=2\n");
        assert_eq!(out(&mut lab, line), expected, "{line}");
    }
    run(
        &mut lab,
        "ip link add type veth\nip link add name foo type veth\nip link add a7 index 50 type veth peer name a8",
    );
    // Those that were refused for a name had used up a number all the same: 4, 5 and 6.
    let listing = out(&mut lab, "ip -o link");
    let names: Vec<&str> = listing.lines().map(|line| line.split(": <").next().unwrap_or_default()).collect();
    let known = [
        "1: lo",
        "2: v1@v0",
        "3: v0@v1",
        "7: veth0@veth1",
        "8: veth1@veth0",
        "9: veth2@foo",
        "10: foo@veth2",
        "11: a8@a7",
    ];
    assert_eq!(names[..8], known);
    assert_eq!(names[8..], ["50: a7@a8"]);
}

#[test]
fn a_move_keeps_the_number_if_it_is_free() {
    let mut lab = lab(Host::Bare);
    run(
        &mut lab,
        "ip netns add red
         ip link add v0 type veth peer name v1
         ip -n red link add w0 type veth peer name w1
         ip addr add 10.0.0.1/24 dev v0
         ip link set v0 up
         ip link set v0 netns red",
    );
    // 2 and 3 are taken there.
    assert_eq!(states(&mut lab, "-n red").lines().last(), Some("v0@if2 DOWN <BROADCAST,MULTICAST>"));
    assert!(out(&mut lab, "ip -n red -o link").contains("4: v0@if2: "));
    assert_eq!(out(&mut lab, "ip -n red addr show v0").matches("inet ").count(), 0);
    run(&mut lab, "ip -n red link set v0 netns 1 name x9\nip -n red link add x9 type veth peer name x8");
    assert!(out(&mut lab, "ip -o link").contains("4: x9@v1: "));
    let taken = out(&mut lab, "ip -n red link set x9 netns 1");
    assert_eq!(taken, "Error: An interface with the same name exists in the target netns.\nrc=2\n");
    // It is moved first, and refused its new name then.
    let half = out(&mut lab, "ip -n red link set x8 netns 1 name v1");
    assert_eq!(half, "RTNETLINK answers: File exists\nrc=2\n");
    assert!(out(&mut lab, "ip -o link").contains(": x8@if"));
}

#[test]
fn namespaces_know_each_other_by_numbers_given_when_needed() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, "ip netns add red\nip netns add blue\nip link add v0 type veth peer name v1");
    assert_eq!(out(&mut lab, "ip netns list"), "blue\nred\n");
    run(&mut lab, "ip link set v1 netns red");
    assert_eq!(out(&mut lab, "ip netns list"), "blue\nred (id: 0)\n");
    assert_eq!(out(&mut lab, "ip -n red netns list-id"), "nsid 0 \n");
    run(&mut lab, "ip link add w0 netns blue type veth peer name w1 netns red");
    assert_eq!(out(&mut lab, "ip -n blue netns list-id"), "nsid 0 (iproute2 netns name: red)\n");
    assert_eq!(out(&mut lab, "ip -n red netns list-id"), "nsid 0 \n", "the peer's namespace did not ask yet");
}

#[test]
fn a_namespace_takes_its_cables_with_it() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, "ip netns add red\nip link add v0 type veth peer name v1 netns red\nip netns del red");
    assert!(out(&mut lab, "ip -br link").contains("v0@if"), "not yet");
    pass(&mut lab, Duration::from_millis(5));
    assert_eq!(states(&mut lab, ""), "");
    let world = lab.world();
    assert!(!world.netns_exists(NsId(1)) && world.nsids(NsId(0)).is_empty());
}

#[test]
fn a_namespace_lives_while_a_process_holds_it() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, "ip netns add red");
    let red = NsId(1);
    lab.world().netns_hold(red);
    run(&mut lab, "ip netns del red");
    pass(&mut lab, Duration::from_secs(1));
    let mut world = lab.world();
    assert!(world.netns_exists(red) && world.netns_named("red").is_none());
    assert_eq!(world.netns_attach("again", red), Ok(()));
    assert_eq!(world.netns_attach("again", red), Err(Errno::Exist));
    world.netns_release(red);
    let later = world.now() + Duration::from_secs(1);
    world.advance_to(later);
    assert!(world.netns_exists(red), "its new name keeps it");
    assert_eq!((world.netns_delete("again"), world.netns_delete("again")), (Ok(()), Err(Errno::NoEnt)));
    world.advance_to(later + Duration::from_secs(1));
    assert!(!world.netns_exists(red));
    assert_eq!(world.netns_add("red"), Ok(NsId(2)), "numbers are never given twice");
}

#[test]
fn a_namespace_is_called_by_the_newest_name_that_is_left() {
    let mut world = World::new(1);
    let red = world.netns_add("zebra").expect("it is new");
    let blue = world.netns_add("ant").expect("it is new");
    world.netns_attach("mule", red).expect("it is new");
    let called = |world: &World| world.netns_name(red).map(str::to_string);
    assert_eq!(called(&world).as_deref(), Some("mule"));
    let list = [("mule", red), ("ant", blue), ("zebra", red)].map(|(name, ns)| (name.to_string(), ns));
    assert_eq!(world.netns_list(), list, "newest first");
    assert_eq!(world.netns_delete("mule"), Ok(()));
    assert_eq!(called(&world).as_deref(), Some("zebra"));
    assert_eq!(world.netns_delete("zebra"), Ok(()));
    assert_eq!((called(&world), world.netns_name(blue)), (None, Some("ant")));
}

#[test]
fn a_network_card_comes_home() {
    let mut lab = lab(Host::Internet);
    run(&mut lab, "ip netns add red\nip link set eth0 netns red");
    assert_eq!(states(&mut lab, ""), "");
    assert_eq!(out(&mut lab, "ip -n red link del eth0"), "RTNETLINK answers: Operation not supported\nrc=2\n");
    run(&mut lab, "ip netns del red");
    pass(&mut lab, Duration::from_millis(5));
    assert_eq!(states(&mut lab, ""), "eth0 DOWN <BROADCAST,MULTICAST>");
}

#[test]
fn a_cable_refuses_at_the_sender_what_its_other_end_would_not_take() {
    let mut lab = lab(Host::Bare);
    run(&mut lab, WALK);
    run(&mut lab, "ip netns exec red ip link set veth-red mtu 1000");
    // The first one waits for the neighbour: nobody is told of its end.
    let silent = out(&mut lab, "ping -c 1 -W 1 -s 1200 192.168.1.1");
    assert!(!silent.contains("sendmsg") && silent.contains(" 100% packet loss"), "{silent}");
    let text = out(&mut lab, "ping -c 1 -W 1 -s 1200 192.168.1.1");
    assert!(text.contains("ping: sendmsg: No buffer space available\n"), "{text}");
    assert!(out(&mut lab, "ping -c 1 -W 1 -s 900 192.168.1.1").contains(" 0% packet loss"));
    let mut world = lab.world();
    let counters = world.stack_mut(NsId(0)).ports().named("veth-host").expect("it is there").counters;
    // ping tried twice the second time.
    assert_eq!(counters.tx_dropped, 3);
}

#[test]
fn the_internet_answers() {
    let mut lab = lab(Host::Internet);
    let text = out(&mut lab, "ping -c 2 8.8.8.8");
    assert!(text.contains("64 bytes from 8.8.8.8: icmp_seq=2 ttl=60 time=1"), "{text}");
    let text = out(&mut lab, "ping -c 1 192.168.15.2");
    assert!(text.contains("From 100.64.7.1 icmp_seq=1 Destination Net Unreachable"), "{text}");
    let text = out(&mut lab, "traceroute -n 8.8.8.8");
    let hops: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(hops, ["10.0.2.2", "100.64.7.1", "198.51.100.17", "203.0.113.33", "8.8.8.8"], "{text}");
}

#[test]
fn a_recording_is_complete_and_readable() {
    let mut lab = lab(Host::Bare);
    lab.world().record(Recording { pcap: true, trace: true });
    run(&mut lab, WALK);
    run(&mut lab, "ping -c 1 192.168.1.1");
    let mut world = lab.world();
    let (pcap, trace) = (world.take_pcap(), world.take_trace());
    for name in ["red/veth-red", "red/lo", "veth-host"] {
        assert!(pcap.windows(name.len()).any(|part| part == name.as_bytes()), "{name}");
    }
    for part in [
        "veth-host  > ARP who has 192.168.1.1? tell 192.168.1.2",
        "red      veth-red   < ARP who has 192.168.1.1? tell 192.168.1.2",
        "waits until the MAC of 192.168.1.1 is known",
        "ICMP echo reply 192.168.1.1 > 192.168.1.2 id ",
    ] {
        assert!(trace.contains(part), "{part}\n{trace}");
    }
    assert_eq!(world.take_trace(), "");
}

/// What the other end of a cable does not take, both ends count.
#[test]
fn a_frame_that_is_not_taken_is_counted_at_both_ends() {
    let mut lab = lab(Host::Bare);
    let make = "ip netns add a
        ip netns add b
        ip link add e0 netns a type veth peer name e0 netns b
        ip -n a addr add 10.0.0.1/24 dev e0
        ip -n a link set e0 mtu 9000 up
        ip -n b link set e0 up
        ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev e0";
    run(&mut lab, make);
    pass(&mut lab, Duration::from_millis(1200));
    let dropped = |lab: &Lab, ns: u32| {
        let world = lab.world();
        let port = world.stack(NsId(ns)).ports().get(2).expect("e0").counters;
        (port.tx_dropped, port.rx_dropped)
    };
    assert_eq!((dropped(&lab, 1).0, dropped(&lab, 2).1), (0, 0));
    lab.run("ip netns exec a ping -c 1 -W 1 -s 1477 10.0.0.2");
    let long = dropped(&lab, 1).0;
    assert!(long > 0, "longer than a VLAN tag allows");
    assert_eq!(dropped(&lab, 2).1, long);
}

/// Ten thousand namespaces in a line, the routers in the midst of them routers, and a ping from one end of these to the other.
#[test]
fn ten_thousand_namespaces_are_ordinary() {
    const COUNT: usize = 10_000;
    const LINE: std::ops::Range<usize> = 5000..5008;
    let mut lab = lab(Host::Bare);
    {
        let mut world = lab.world();
        let line: Vec<NsId> = (0..COUNT).map(|at| world.netns_add(&format!("n{at}")).unwrap()).collect();
        for pair in line.windows(2) {
            let peer = PeerAdd { netns: Some(pair[1]), name: Some("left".into()), ..PeerAdd::default() };
            let kind = LinkKind::Veth { peer: Box::new(peer) };
            let name = Some("right".into());
            world
                .link_add(pair[0], LinkAdd { name, index: None, address: None, mtu: None, txqueuelen: None, kind })
                .unwrap();
        }
        assert_eq!((world.stacks().count(), world.netns_list().len()), (COUNT + 1, COUNT));
        assert_eq!(world.netns_named("n9999"), line.last().copied());
    }
    for (at, net) in LINE.zip(0..) {
        let before: i32 = net - 1;
        run(
            &mut lab,
            &format!(
                "ip netns exec n{at} sysctl -qw net.ipv4.ip_forward=1
                ip -n n{at} link set left up
                ip -n n{at} link set right up
                ip -n n{at} addr add 10.0.{net}.1/24 dev right
                ip -n n{at} route add default via 10.0.{net}.2"
            ),
        );
        if before >= 0 {
            run(&mut lab, &format!("ip -n n{at} addr add 10.0.{before}.2/24 dev left"));
        }
        if before > 0 {
            run(&mut lab, &format!("ip -n n{at} route add 10.0.0.0/24 via 10.0.{before}.1"));
        }
    }
    let ping = out(&mut lab, "ip netns exec n5000 ping -c 2 10.0.6.2");
    assert!(ping.contains("64 bytes from 10.0.6.2: icmp_seq=2 ttl=58 time="), "{ping}");
    assert!(ping.contains("2 packets transmitted, 2 received, 0% packet loss"), "{ping}");
}
