//! Bridges, VLANs and macvlans at work.

use super::lab::*;
use crate::addr::Mac;
use crate::control::{Command, Errno, FdbMode, FdbSpec, LinkChange, NeighborMode, Nud};
use crate::link::bridge::{BridgeChange, BridgePortChange};
use crate::link::virt::{Place, Takes};
use crate::link::{Lower, MacvlanMode, Port, PortState, Upper};
use crate::local::SocketKind;
use crate::reason::DropReason;
use crate::time::Duration;

/// The bridge, and its ports.
pub(super) const BR: End = (0, 9);
pub(super) const A: End = (0, 2);
const B: End = (0, 3);
const C: End = (0, 4);

/// A bridge with the ports 2, 3 and 4, up, with the address 10.0.0.1/24.
pub(super) fn bridge() -> Lab {
    let mut lab = Lab::new(1);
    let now = lab.now;
    lab.stacks[0].port_add(now, Port::new_bridge(BR.1, "br0", Mac([2, 0, 0, 0, 9, 9]), now));
    lab.up(BR, true);
    for end in [A, B, C] {
        lab.stacks[0].port_add(now, Port::new_ethernet(end.1, format!("v{}", end.1), port_mac(end), now));
        lab.up(end, true);
        lab.link(end, true);
        lab.change(end, LinkChange { master: Some(Some(BR.1)), ..LinkChange::default() });
    }
    lab.address(BR, "10.0.0.1/24");
    lab.sent();
    lab
}

pub(super) fn set(lab: &mut Lab, end: End, change: BridgePortChange) {
    lab.change(end, LinkChange { bridge_port: Some(Box::new(change)), ..LinkChange::default() });
}

fn frame(to: Mac, from: u8) -> Vec<u8> {
    framed(to, host_mac(from.into()), 0x88b5, &[from; 46])
}

/// By which ports what was received is sent, in this order.
fn ways(lab: &mut Lab, end: End, to: Mac, from: u8) -> Vec<u32> {
    let bytes = frame(to, from);
    lab.receive(end, &bytes);
    let sent = lab.sent();
    assert!(sent.iter().all(|(_, frame)| *frame == bytes), "a bridge changes nothing");
    sent.into_iter().map(|((_, port), _)| port).collect()
}

fn known(lab: &Lab, mac: Mac) -> Option<(u32, Nud)> {
    let entries = lab.stacks[0].fdb(lab.now);
    entries.iter().find(|entry| entry.mac == mac && entry.master.is_some()).map(|entry| (entry.port, entry.state))
}

#[test]
fn it_learns_and_floods_what_it_does_not_know() {
    let mut lab = bridge();
    assert_eq!(ways(&mut lab, A, host_mac(2), 1), [4, 3], "the newest port first");
    assert_eq!(ways(&mut lab, B, host_mac(1), 2), [2], "it is known where that one is");
    assert_eq!(ways(&mut lab, A, host_mac(2), 1), [3]);
    assert_eq!(ways(&mut lab, A, host_mac(1), 3), [], "it came from there");
    assert_eq!(known(&lab, host_mac(2)), Some((3, Nud::Reachable)));
    assert_eq!(ways(&mut lab, C, host_mac(1), 2), [2], "and moves");
    assert_eq!(known(&lab, host_mac(2)), Some((4, Nud::Reachable)));
    for to in [Mac::BROADCAST, Mac([1, 0, 0x5e, 0, 0, 5])] {
        assert_eq!(ways(&mut lab, B, to, 2), [4, 2]);
    }
}

#[test]
fn what_was_learned_is_forgotten_in_time() {
    let mut lab = bridge();
    let ageing = BridgeChange { ageing_time: Some(500), ..BridgeChange::default() };
    lab.change(BR, LinkChange { bridge: Some(Box::new(ageing)), ..LinkChange::default() });
    ways(&mut lab, A, Mac::BROADCAST, 1);
    lab.wait(Duration::from_millis(4990));
    assert_eq!(known(&lab, host_mac(1)), Some((2, Nud::Reachable)));
    lab.wait(Duration::from_millis(20));
    assert_eq!(known(&lab, host_mac(1)), None);
    let off = BridgeChange { ageing_time: Some(0), ..BridgeChange::default() };
    lab.change(BR, LinkChange { bridge: Some(Box::new(off)), ..LinkChange::default() });
    ways(&mut lab, A, Mac::BROADCAST, 1);
    assert_eq!(known(&lab, host_mac(1)), None, "nothing is learned that would be forgotten at once");
}

#[test]
fn flags_of_ports_are_heeded() {
    let mut lab = bridge();
    let change = BridgePortChange::default;
    set(&mut lab, B, BridgePortChange { flood: Some(false), ..change() });
    set(&mut lab, C, BridgePortChange { mcast_flood: Some(false), ..change() });
    assert_eq!(ways(&mut lab, A, host_mac(7), 1), [4]);
    assert_eq!(ways(&mut lab, A, Mac([1, 0, 0x5e, 0, 0, 5]), 1), [3]);
    set(&mut lab, B, BridgePortChange { bcast_flood: Some(false), ..change() });
    assert_eq!(ways(&mut lab, A, Mac::BROADCAST, 1), [4]);
    set(&mut lab, A, BridgePortChange { hairpin: Some(true), learning: Some(false), ..change() });
    assert_eq!(ways(&mut lab, A, host_mac(1), 5), [2], "it goes back where it came from");
    assert_eq!(known(&lab, host_mac(5)), None, "and is not learned");
    for end in [A, C] {
        set(&mut lab, end, BridgePortChange { isolated: Some(true), hairpin: Some(false), ..change() });
    }
    set(&mut lab, B, BridgePortChange { flood: Some(true), bcast_flood: Some(true), ..change() });
    assert_eq!(ways(&mut lab, A, host_mac(7), 1), [3], "not to another isolated one");
    assert_eq!(ways(&mut lab, B, host_mac(7), 2), [4, 2]);
}

/// A port's own addresses are deaf, the bridge's hear by each port.
#[test]
fn the_bridge_is_a_host_of_its_own() {
    let mut lab = bridge();
    let mac = lab.stacks[0].ports().get(BR.1).expect("br0").mac;
    assert_eq!(mac, port_mac(A), "the lowest of its ports");
    lab.receive(B, &asks(B, Mac::BROADCAST, 1, "10.0.0.7", "10.0.0.1"));
    let sent = lab.sent();
    let ports: Vec<u32> = sent.iter().map(|((_, port), _)| *port).collect();
    assert_eq!(ports, [4, 2, 3], "flooded, and answered");
    let answer = arp_in(&sent[2].1);
    assert_eq!((answer.sender_mac, answer.sender_ip), (mac, ip("10.0.0.1")));
    let asked_of = |port| framed(port_mac(port), host_mac(7), 0x800, &request("10.0.0.7", "10.0.0.1"));
    lab.receive(B, &asked_of(B));
    assert_eq!(icmp_in(&lab.only(B)).1.kind, 0, "the MAC of a port is the bridge's");
    lab.receive(C, &asked_of(B));
    assert_eq!(lab.dropped(0, DropReason::OtherHost), 1, "but not by another port");
    let br = lab.stacks[0].ports().get(BR.1).expect("br0").counters;
    assert_eq!((br.rx_packets, br.rx_bytes), (3, 28 + 2 * 84), "without link header");
}

#[test]
fn link_local_groups_are_not_passed_on() {
    let mut lab = bridge();
    let group = |last| Mac([1, 0x80, 0xc2, 0, 0, last]);
    assert_eq!(ways(&mut lab, A, group(0), 1), [4, 3], "but for the spanning tree's, if we do not speak it");
    for last in [1, 2, 3, 0xe, 0xf] {
        assert_eq!(ways(&mut lab, A, group(last), 1), [], "{last}");
    }
    assert_eq!(ways(&mut lab, A, group(0x10), 1), [4, 3]);
    let mask = BridgeChange { group_fwd_mask: Some(1 << 14), ..BridgeChange::default() };
    lab.change(BR, LinkChange { bridge: Some(Box::new(mask)), ..LinkChange::default() });
    assert_eq!(ways(&mut lab, A, group(0xe), 1), [4, 3]);
    assert_eq!(ways(&mut lab, A, group(2), 1), []);
}

#[test]
fn a_port_that_leaves_takes_what_was_learned_with_it() {
    let mut lab = bridge();
    ways(&mut lab, C, Mac::BROADCAST, 3);
    ways(&mut lab, B, Mac::BROADCAST, 2);
    lab.change(B, LinkChange { master: Some(None), ..LinkChange::default() });
    assert_eq!((known(&lab, host_mac(2)), known(&lab, port_mac(B))), (None, None));
    assert_eq!(ways(&mut lab, A, host_mac(2), 1), [4]);
    lab.change(A, LinkChange { master: Some(None), ..LinkChange::default() });
    let port = |lab: &Lab| {
        let port = lab.stacks[0].ports().get(BR.1).expect("br0");
        (port.mac, port.carrier)
    };
    assert_eq!(port(&lab), (port_mac(C), true));
    lab.up(C, false);
    assert_eq!(port(&lab), (port_mac(C), false), "a port that is down carries nothing");
    assert_eq!(known(&lab, host_mac(3)), None);
    lab.with(0, |stack, cx| stack.port_remove(cx, C.1));
    assert_eq!(port(&lab).0, Mac::ZERO);
}

#[test]
fn a_bridge_that_goes_frees_its_ports() {
    let mut lab = bridge();
    lab.with(0, |stack, cx| stack.port_remove(cx, BR.1));
    for end in [A, B, C] {
        let port = lab.stacks[0].ports().get(end.1).expect("a port");
        assert!(port.is_up() && port.master.is_none() && port.rare.bridge_port.is_none());
    }
    assert_eq!(ways(&mut lab, A, Mac::BROADCAST, 1), []);
}

#[test]
fn who_may_be_a_port() {
    let mut lab = bridge();
    let now = lab.now;
    lab.stacks[0].port_add(now, Port::new_bridge(10, "br1", Mac([2, 0, 0, 0, 9, 8]), now));
    let refused = |lab: &mut Lab, index, master| {
        let change = LinkChange { master: Some(Some(master)), ..LinkChange::default() };
        lab.apply(0, Command::LinkChange(index, change)).map_err(|refusal| refusal.errno)
    };
    assert_eq!(refused(&mut lab, 10, 9), Err(Errno::Loop));
    assert_eq!(refused(&mut lab, 1, 9), Err(Errno::Inval));
    assert_eq!(refused(&mut lab, 2, 3), Err(Errno::OpNotSupp));
    assert_eq!(refused(&mut lab, 3, 10), Ok(()), "it moves");
    assert_eq!(lab.stacks[0].ports().get(3).expect("v3").master, Some(10));
}

/// As the kernel answers `bridge fdb add`.
#[test]
fn entries_by_hand() {
    let mut lab = bridge();
    let add = |lab: &mut Lab, spec: FdbSpec| lab.apply(0, Command::FdbAdd(spec)).map_err(|refusal| refusal.errno);
    let of = |mac, state| FdbSpec { master: true, own: false, state, ..FdbSpec::of(mac, B.1) };
    assert_eq!(add(&mut lab, of(host_mac(7), Nud::Noarp)), Ok(()));
    assert_eq!(add(&mut lab, of(host_mac(7), Nud::Noarp)), Err(Errno::Exist));
    assert_eq!(ways(&mut lab, A, host_mac(7), 1), [3]);
    assert_eq!(ways(&mut lab, C, host_mac(1), 7), [2], "a static one moves, too");
    assert_eq!(known(&lab, host_mac(7)), Some((4, Nud::Noarp)));
    assert_eq!(add(&mut lab, FdbSpec { sticky: true, ..of(host_mac(8), Nud::Noarp) }), Ok(()));
    ways(&mut lab, C, host_mac(1), 8);
    assert_eq!(known(&lab, host_mac(8)), Some((3, Nud::Noarp)), "a sticky one does not");
    assert_eq!(add(&mut lab, of(host_mac(9), Nud::Permanent)), Ok(()));
    assert_eq!(ways(&mut lab, A, host_mac(9), 1), [], "permanent is our own");
    assert_eq!(add(&mut lab, of(Mac::ZERO, Nud::Noarp)), Err(Errno::Inval));
    assert_eq!(add(&mut lab, FdbSpec { vlan: Some(5), ..of(host_mac(6), Nud::Noarp) }), Err(Errno::Inval));
    let change = FdbMode::Neighbor(NeighborMode::Change);
    assert_eq!(add(&mut lab, FdbSpec { mode: change, ..of(host_mac(6), Nud::Noarp) }), Err(Errno::NoEnt));
    lab.apply(0, Command::FdbDelete(of(host_mac(8), Nud::Noarp))).expect("it is there");
    assert_eq!(known(&lab, host_mac(8)), None);
}

#[test]
fn states_are_kept_apart() {
    let mut lab = bridge();
    set(&mut lab, A, BridgePortChange { state: Some(2), ..BridgePortChange::default() });
    assert_eq!(ways(&mut lab, A, Mac::BROADCAST, 1), [], "it only learns");
    assert_eq!(known(&lab, host_mac(1)), Some((2, Nud::Reachable)));
    assert_eq!(ways(&mut lab, B, Mac::BROADCAST, 2), [4]);
    set(&mut lab, A, BridgePortChange { state: Some(0), ..BridgePortChange::default() });
    assert_eq!(ways(&mut lab, A, Mac::BROADCAST, 5), []);
    assert_eq!(known(&lab, host_mac(5)), None);
    set(&mut lab, A, BridgePortChange { state: Some(4), ..BridgePortChange::default() });
    let port = lab.stacks[0].ports().get(A.1).and_then(|port| port.rare.bridge_port.as_ref()).expect("a port");
    assert_eq!(port.state, PortState::Forwarding, "without a spanning tree nothing stays blocked");
}

#[test]
fn a_frame_that_is_too_long_for_a_port_is_lost_there() {
    let mut lab = bridge();
    lab.change(B, LinkChange { mtu: Some(1000), ..LinkChange::default() });
    assert_eq!(lab.stacks[0].ports().get(BR.1).expect("br0").mtu, 1000, "the bridge follows");
    let long = framed(Mac::BROADCAST, host_mac(1), 0x88b5, &[0; 1005]);
    lab.receive(A, &long);
    assert_eq!(lab.sent().len(), 1);
    assert_eq!(lab.dropped(0, DropReason::BridgePortMtu), 1);
    lab.receive(A, &long[..14 + 1004]);
    assert_eq!(lab.sent().len(), 2, "a tag would fit");
}

fn over(lab: &mut Lab, lower: End, port: Port, takes: Takes) -> End {
    let (index, now) = (port.index, lab.now);
    lab.stacks[0].port_add(now, port);
    let below = lab.stacks[0].port_mut(lower.1).expect("a port");
    below.rare.uppers.push(Upper { takes, place: Place::Here(index), up: true });
    let port = lab.stacks[0].port_mut(index).expect("just added");
    if let Some(vlan) = &mut port.rare.vlan {
        vlan.lower = Lower::Here(lower.1);
    }
    if let Some(macvlan) = &mut port.rare.macvlan {
        macvlan.lower = Lower::Here(lower.1);
    }
    lab.up((0, index), true);
    (0, index)
}

#[test]
fn a_vlan_tags_what_it_sends_and_takes_what_is_tagged() {
    let mut lab = Lab::host();
    let now = lab.now;
    let port = Port::new_vlan(5, "eth2.10", port_mac(A), now, 0x8100, 10, true);
    let vlan = over(&mut lab, A, port, Takes::Tag(0x8100, 10));
    lab.address(vlan, "10.9.0.1/24");
    let asked = asks(A, Mac::BROADCAST, 1, "10.9.0.2", "10.9.0.1");
    let tagged = |id: u8| [&asked[..12], &[0x81, 0, 0, id], &asked[12..]].concat();
    lab.receive(A, &tagged(10));
    let answer = lab.only(A);
    assert_eq!(answer[12..18], [0x81, 0, 0, 10, 8, 6]);
    assert_eq!(lab.stacks[0].ports().get(5).expect("eth2.10").counters.rx_bytes, asked.len() as u64 - 14);
    lab.receive(A, &tagged(11));
    lab.nothing();
    assert_eq!(lab.dropped(0, DropReason::OtherHost), 1, "another VLAN is another host's");
    let plain = asks(A, Mac::BROADCAST, 1, "10.0.0.2", "10.0.0.1");
    lab.receive(A, &[&plain[..12], &[0x81, 0, 0xe0, 0], &plain[12..]].concat());
    lab.only(A);
}

#[test]
fn a_macvlan_is_another_host_on_the_same_cable() {
    let mut lab = Lab::host();
    let now = lab.now;
    lab.sysctl(0, "net/ipv4/conf/all/arp_ignore", "1");
    let add = |lab: &mut Lab, index: u32, mode| {
        let mac = Mac([2, 0, 0, 7, 0, index as u8]);
        let port = Port::new_macvlan(index, format!("mv{index}"), mac, now, mode);
        let end = over(lab, A, port, Takes::Mac(mac, mode));
        lab.address(end, &format!("10.9.{index}.1/24"));
        mac
    };
    let mac = add(&mut lab, 5, MacvlanMode::Bridge);
    let sibling = add(&mut lab, 6, MacvlanMode::Bridge);
    lab.receive(A, &asks(A, Mac::BROADCAST, 1, "10.9.5.2", "10.9.5.1"));
    assert_eq!(arp_in(&lab.only(A)).sender_mac, mac);
    lab.receive(A, &framed(mac, host_mac(2), 0x800, &request("10.9.5.2", "10.9.5.1")));
    assert_eq!(icmp_in(&lab.only(A)).1.kind, 0);
    // From one to the other: not by the cable.
    lab.neighbor((0, 5), "10.9.5.7", sibling);
    let before = lab.stacks[0].ports().get(6).expect("mv6").counters.rx_packets;
    let socket = lab.socket(0, SocketKind::Raw { protocol: 1 });
    lab.ping(0, socket, "10.9.5.7", 8).expect("sent");
    lab.nothing();
    assert_eq!(lab.stacks[0].ports().get(6).expect("mv6").counters.rx_packets, before + 1);
}
