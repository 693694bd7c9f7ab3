//! VXLANs at work.

use super::lab::*;
use crate::addr::{IpAddr, Mac};
use crate::control::{Command, FdbMode, FdbSpec, NeighborMode, Nud};
use crate::link::virt::Place;
use crate::link::vxlan::Vtep;
use crate::link::{Port, VxlanSpec};
use crate::local::SocketKind;
use crate::reason::DropReason;
use crate::time::Duration;
use crate::wire::{Udp, ipv4};

const VX: u32 = 7;

/// A host on a VXLAN: 192.168.0.N/24 on port 7 of each of two hosts on one cable.
fn add(lab: &mut Lab, stack: usize, spec: VxlanSpec) {
    let now = lab.now;
    let mac = Mac([2, 0, 0, 0, 7, stack as u8]);
    lab.stacks[stack].port_add(now, Port::new_vxlan(VX, "vx0", mac, now, spec));
    lab.up((stack, VX), true);
    let vtep = Vtep { place: Place::Here(VX), port: spec.port(), vni: spec.id, group: None, up: true };
    lab.stacks[stack].vtep_put(1, vtep);
    lab.address((stack, VX), &format!("192.168.0.{}/24", stack + 1));
}

fn spec(remote: &str) -> VxlanSpec {
    VxlanSpec { remote: Some(IpAddr::V4(ip(remote))), dstport: Some(4789), ..VxlanSpec::of(42) }
}

fn pair() -> Lab {
    let mut lab = Lab::pair();
    add(&mut lab, 0, spec("10.0.0.2"));
    add(&mut lab, 1, spec("10.0.0.1"));
    lab
}

/// An Ethernet frame in a datagram from 10.0.0.2.
fn encapsulated(flags: u8, vni: u8, source: Mac) -> Vec<u8> {
    let inner = framed(Mac::BROADCAST, source, 0x88b5, &[0; 46]);
    let payload = [&[flags, 0, 0, 0, 0, 0, vni, 0][..], &inner].concat();
    datagram("10.0.0.2", "10.0.0.1", 4789, &payload)
}

/// Does what is discarded for this reason.
pub(super) fn refuse(lab: &mut Lab, reason: DropReason) {
    *lab = Lab::host();
    let mute = VxlanSpec { remote: None, ..spec("10.0.0.2") };
    add(lab, 0, mute);
    let sender = host_mac(9);
    match reason {
        DropReason::VxlanHeader => lab.packet((0, 2), &encapsulated(0, 42, sender)),
        DropReason::VxlanUnknown => lab.packet((0, 2), &encapsulated(8, 43, sender)),
        DropReason::VxlanMoved => {
            let dst = Some(IpAddr::V4(ip("10.0.0.3")));
            lab.apply(0, Command::FdbAdd(FdbSpec { dst, ..FdbSpec::of(sender, VX) })).expect("an entry");
            lab.packet((0, 2), &encapsulated(8, 42, sender));
        }
        _ => {
            let socket = lab.socket(0, SocketKind::Raw { protocol: 1 });
            lab.ping(0, socket, "192.168.0.9", 8).expect("it is parked, and ARP has nowhere to go");
        }
    }
}

#[test]
fn hosts_talk_through_it_and_learn_where_they_are() {
    let mut lab = pair();
    let socket = lab.socket(0, SocketKind::Raw { protocol: 1 });
    lab.ping(0, socket, "192.168.0.2", 8).expect("sent");
    let reply = lab.read(0, socket).expect("an answer");
    assert_eq!(reply.source, ip("192.168.0.2"));
    let entries = lab.stacks[0].fdb(lab.now);
    let of_vx: Vec<_> = entries.iter().filter(|entry| entry.port == VX && entry.dst.is_some()).collect();
    let learned = of_vx.first().expect("the newest first");
    assert_eq!((learned.mac, learned.state), (Mac([2, 0, 0, 0, 7, 1]), Nud::Reachable));
    assert_eq!((of_vx[1].mac, of_vx[1].state), (Mac::ZERO, Nud::Permanent));
    // What passed the cable are right datagrams.
    for (_, frame) in lab.wire.iter().filter(|(_, frame)| frame[12..14] == [8, 0]) {
        let (header, segment) = ip_in(frame);
        assert_eq!(header.flags_fragment & ipv4::DF, 0);
        let udp = Udp::checked(header.source, header.destination, segment).expect("a right checksum");
        assert_eq!(udp.destination, 4789);
        assert!((32768..=60999).contains(&udp.source));
    }
    lab.wait(Duration::from_secs(311));
    let entries = lab.stacks[0].fdb(lab.now);
    assert!(!entries.iter().any(|entry| entry.mac == learned.mac), "forgotten");
}

/// As the kernel answers `bridge fdb`.
#[test]
fn entries_have_hosts() {
    let mut lab = Lab::host();
    add(&mut lab, 0, VxlanSpec { remote: None, ..spec("10.0.0.2") });
    let dst = |host: &str| Some(IpAddr::V4(ip(host)));
    let mut told = |spec: FdbSpec, delete| {
        let command = if delete { Command::FdbDelete(spec) } else { Command::FdbAdd(spec) };
        lab.apply(0, command).map_err(|refusal| refusal.to_string())
    };
    let all = |host: &str| FdbSpec { mode: FdbMode::Append, dst: dst(host), ..FdbSpec::of(Mac::ZERO, VX) };
    let one = |mode, host: &str| FdbSpec { mode, dst: dst(host), ..FdbSpec::of(host_mac(9), VX) };
    assert_eq!(told(all("10.0.0.2"), false), Ok(()));
    assert_eq!(told(all("10.0.0.3"), false), Ok(()));
    let add = FdbMode::Neighbor(NeighborMode::Add);
    assert_eq!(told(one(add, "10.0.0.2"), false), Ok(()));
    assert_eq!(told(one(add, "10.0.0.2"), false).expect_err("twice"), "RTNETLINK answers: File exists");
    assert_eq!(told(one(FdbMode::Append, "10.0.0.3"), false), Ok(()), "and nothing is added");
    assert_eq!(told(FdbSpec::of(host_mac(8), VX), false).expect_err("no dst"), "RTNETLINK answers: Invalid argument");
    assert_eq!(told(all("10.0.0.2"), true), Ok(()));
    let listed: Vec<_> =
        lab.stacks[0].fdb(lab.now).into_iter().filter_map(|entry| Some((entry.mac, entry.dst?))).collect();
    assert_eq!(listed, [(host_mac(9), IpAddr::V4(ip("10.0.0.2"))), (Mac::ZERO, IpAddr::V4(ip("10.0.0.3")))]);
}

#[test]
fn a_frame_of_our_own_that_comes_back_is_not_ours_again() {
    let mut lab = pair();
    lab.packet((0, 2), &encapsulated(8, 42, Mac([2, 0, 0, 0, 7, 0])));
    assert_eq!(lab.dropped(0, DropReason::SourceMac), 1);
}
