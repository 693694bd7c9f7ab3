//! What taps hear.

use super::lab::*;
use crate::addr::Mac;
use crate::control::{Errno, IfIndex};
use crate::local::{SocketId, TapCast, TapSpec};

const IN: End = (0, 2);

fn tap(lab: &mut Lab, port: Option<IfIndex>) -> SocketId {
    lab.stacks[0].tap(TapSpec { port, snap: 262_144, promiscuous: true }).expect("a tap")
}

fn heard(lab: &mut Lab, tap: SocketId) -> Vec<(IfIndex, TapCast, usize)> {
    std::iter::from_fn(|| lab.stacks[0].tap_frame(tap)).map(|f| (f.port, f.cast, f.bytes.len())).collect()
}

#[test]
fn a_port_is_heard_in_both_directions() {
    let mut lab = Lab::host();
    let (one, all) = (tap(&mut lab, Some(2)), tap(&mut lab, None));
    lab.neighbor(IN, "10.0.0.2", host_mac(2));
    lab.packet(IN, &request("10.0.0.2", "10.0.0.1"));
    let length = lab.only(IN).len();
    let both = [(2, TapCast::Host, length), (2, TapCast::Outgoing, length)];
    assert_eq!(heard(&mut lab, one), both);
    assert_eq!(heard(&mut lab, all), both);
    assert_eq!(heard(&mut lab, one), []);
}

#[test]
fn the_loopback_is_heard_twice_and_only_by_those_who_asked() {
    let mut lab = Lab::host();
    let (one, all) = (tap(&mut lab, Some(2)), tap(&mut lab, None));
    let socket = lab.socket(0, crate::local::SocketKind::Udp);
    lab.send(0, socket, "10.0.0.1", 9, b"x").expect("sent");
    assert_eq!(heard(&mut lab, one), []);
    let casts: Vec<TapCast> = heard(&mut lab, all).into_iter().map(|(_, cast, _)| cast).collect();
    // The datagram, and the port that is unreachable; a frame on `lo` has no MAC that is another's.
    assert_eq!(casts, [TapCast::Outgoing, TapCast::Host, TapCast::Outgoing, TapCast::Host]);
}

#[test]
fn frames_for_others_and_for_many_are_told_apart() {
    let mut lab = Lab::host();
    let tap = tap(&mut lab, Some(2));
    for mac in [host_mac(9), Mac::BROADCAST, Mac([1, 0, 0x5e, 0, 0, 1])] {
        lab.receive(IN, &framed(mac, host_mac(2), 0x1234, &[0; 46]));
    }
    let casts: Vec<TapCast> = heard(&mut lab, tap).into_iter().map(|(_, cast, _)| cast).collect();
    assert_eq!(casts, [TapCast::OtherHost, TapCast::Broadcast, TapCast::Multicast]);
}

#[test]
fn a_tap_is_bounded_and_closed() {
    let mut lab = Lab::host();
    let tap = tap(&mut lab, Some(2));
    assert_eq!(lab.stacks[0].tap_promiscuity(2), 1);
    lab.stacks[0].close(tap);
    assert_eq!(lab.stacks[0].tap_promiscuity(2), 0);
    lab.packet(IN, &request("10.0.0.2", "10.0.0.1"));
    assert_eq!(heard(&mut lab, tap), []);
    let spec = |port| TapSpec { port: Some(port), snap: 1, promiscuous: false };
    assert_eq!(lab.stacks[0].tap(spec(9)), Err(Errno::NoDev));
    lab.up(IN, false);
    assert_eq!(lab.stacks[0].tap(spec(2)), Err(Errno::NetDown));
    let opened = (0..1000).take_while(|_| lab.stacks[0].tap(spec(1)).is_ok()).count();
    assert_eq!(opened, 256);
}
