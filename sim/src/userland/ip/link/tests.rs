//! Links that stand on others, and those of which the reference kernel has none: dummies and VLANs, in iproute2's words.

use crate::lab::{Host, Lab, Options};

fn lab(lines: &[&str]) -> Lab {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    for line in lines {
        let output = lab.run(line);
        assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{line}");
    }
    lab
}

fn said(lab: &mut Lab, line: &str) -> (i32, String) {
    let output = lab.run(line);
    (output.status, output.stdout + &output.stderr)
}

#[test]
fn a_vlan_stands_on_a_dummy() {
    let mut lab = lab(&[
        "ip link add d0 address 02:00:00:00:00:01 type dummy",
        "ip link add link d0 name d0.10 type vlan id 10",
        "ip link add link d0 name v20 type vlan protocol 802.1ad id 20 reorder_hdr on gvrp off",
    ]);
    let details = "3: d0.10@d0: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n    \
                   link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 0 maxmtu 65535 \n    \
                   vlan protocol 802.1Q id 10 <REORDER_HDR> addrgenmode eui64 ";
    let (status, text) = said(&mut lab, "ip -d link show d0.10");
    assert!(status == 0 && text.starts_with(details), "{text}");
    let (_, text) = said(&mut lab, "ip -j -d link show v20");
    let kind = r#""linkinfo":{"info_kind":"vlan","info_data":{"protocol":"802.1ad","id":20,"flags":["REORDER_HDR"]}}"#;
    assert!(text.contains(kind) && text.contains(r#""link":"d0","ifname":"v20""#), "{text}");
    let (_, text) = said(&mut lab, "ip -d link show type dummy");
    assert!(text.contains("promiscuity 0  allmulti 0 minmtu 0 maxmtu 0 \n    dummy addrgenmode eui64 "), "{text}");
    assert_eq!(said(&mut lab, "ip link show type vlan").1.matches("@d0: ").count(), 2);
    assert_eq!(said(&mut lab, "ip link del d0"), (0, String::new()));
    assert_eq!(said(&mut lab, "ip -br link show type vlan"), (0, String::new()));
}

#[test]
fn what_a_vlan_must_be_told() {
    let mut lab = lab(&["ip link add d0 type dummy", "ip link add link d0 name v10 type vlan id 10"]);
    for (line, text) in [
        ("ip link add link d0 name x type vlan", "Error: 8021q: VLAN properties not specified.\n"),
        ("ip link add link d0 name x type vlan protocol 802.1q", "Error: 8021q: VLAN id not specified.\n"),
        ("ip link add x type vlan id 5", "Error: 8021q: link not specified.\n"),
        ("ip link add link d0 name x type vlan id 5000", "Error: 8021q: Invalid VLAN id.\n"),
        ("ip link add link d0 name x type vlan id 10", "Error: 8021q: VLAN device already exists.\n"),
        ("ip link add link lo name x type vlan id 10", "Error: 8021q: VLANs not supported on device.\n"),
        ("ip link set d0 type vlan id 5", "RTNETLINK answers: Operation not supported\n"),
    ] {
        assert_eq!(said(&mut lab, line), (2, text.to_string()), "{line}");
    }
    for (line, text) in [
        ("ip link add link d0 name x type vlan id 5 gvrp on", "vethlab: gvrp on of vlan links is not simulated\n"),
        (
            "ip link add link d0 name x type vlan egress-qos-map 1:2",
            "vethlab: egress-qos-map of vlan links is not simulated\n",
        ),
        ("ip link set v10 type vlan reorder_hdr on", "vethlab: changing a vlan link is not simulated\n"),
        (
            "ip link add x type bond foo",
            "Error: Unknown device type.\nvethlab: links of type bond are not simulated yet\n",
        ),
    ] {
        assert_eq!(said(&mut lab, line).1, text, "{line}");
    }
}

#[test]
fn what_of_a_link_cannot_be_changed() {
    let mut lab = lab(&[
        "ip link add d0 type dummy",
        "ip link add link d0 name m0 type macvlan mode bridge",
        "ip link add x0 type vxlan id 5 dstport 0",
        "ip link set m0 type macvlan mode bridge",
    ]);
    for (line, status, text) in [
        ("ip link set m0 type macvlan mode passthru", 2, "RTNETLINK answers: Invalid argument\n"),
        ("ip link set m0 type macvlan mode vepa", 1, "vethlab: changing a macvlan link is not simulated\n"),
        ("ip link set x0 type vxlan id 6", 2, "Error: Cannot change VNI.\n"),
        ("ip link set x0 type vxlan ageing 5", 1, "vethlab: changing a vxlan link is not simulated\n"),
    ] {
        assert_eq!(said(&mut lab, line), (status, text.to_string()), "{line}");
    }
}

#[test]
fn a_new_link_may_be_a_port_at_once_or_not_at_all() {
    let mut lab = lab(&[
        "ip link add br0 type bridge",
        "ip netns add red",
        "ip link add d0 address 02:00:00:00:00:01 master br0 type dummy",
        "ip link add d9 type dummy",
        "ip link add link d9 name m0 netns red type macvlan mode bridge",
    ]);
    let (_, text) = said(&mut lab, "bridge link show dev d0");
    // Of a dummy no speed is known.
    assert!(text.ends_with("master br0 state disabled priority 32 cost 100 \n"), "{text}");
    assert_eq!(said(&mut lab, "ip link add d1 master lo type dummy").0, 2);
    assert_eq!(said(&mut lab, "ip link show d1"), (1, "Device \"d1\" does not exist.\n".to_string()));
    let (_, text) = said(&mut lab, "ip -n red -d link show m0");
    assert!(
        text.contains("m0@if4: <BROADCAST,MULTICAST> ") && text.contains(" link-netnsid 0 promiscuity 0 "),
        "{text}"
    );
    assert!(text.contains("\n    macvlan mode bridge bcqueuelen 1000 usedbcqueuelen 1000 addrgenmode"), "{text}");
}

#[test]
fn a_bridge_s_port_in_all_its_words() {
    let mut lab = lab(&[
        "ip link add br0 address 02:00:00:00:00:09 type bridge priority 0x100",
        "ip link add d0 master br0 type dummy",
        "ip link set d0 type bridge_slave cost 7 pri 3 hair on isol on group_fwd_mask 16388 mcast_router 2 flood off",
    ]);
    let line = "    bridge_slave state disabled priority 3 cost 7 hairpin on guard off root_block off fastleave off learning on \
                flood off port_id 0xc01 port_no 0x1 designated_port 3073 designated_cost 0 designated_bridge \
                0100.2:0:0:0:0:9 designated_root 0100.2:0:0:0:0:9 hold_timer    0.00 message_age_timer    0.00 \
                forward_delay_timer    0.00 topology_change_ack 0 config_pending 0 proxy_arp off proxy_arp_wifi off \
                mcast_router 2 mcast_fast_leave off mcast_flood on bcast_flood on mcast_to_unicast off neigh_suppress off \
                group_fwd_mask 0x4004 group_fwd_mask_str lacp,lldp vlan_tunnel off isolated on locked off addrgenmode ";
    let (_, text) = said(&mut lab, "ip -d link show d0");
    assert!(text.contains(line), "{text}");
    let (_, text) = said(&mut lab, "bridge -d link show dev d0");
    let second = "    hairpin on guard off root_block off fastleave off learning on flood off mcast_flood on bcast_flood on \
                  mcast_router 2 mcast_to_unicast off neigh_suppress off vlan_tunnel off isolated on locked off \n";
    assert!(text.ends_with(second), "{text}");
}
