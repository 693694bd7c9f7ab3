//! A way that was found before is found again, and whatever changes it is seen by the next packet.

use super::lab::*;
use crate::addr::Mac;
use crate::control::{LinkChange, RouteKind};
use crate::reason::DropReason;
use crate::time::Duration;

const IN: End = (0, 2);
const OUT: End = (0, 3);
const OTHER: Mac = Mac([2, 0, 0, 0, 7, 7]);

/// Where the same packet goes now: the MAC it is sent to by [`OUT`], or why it is not.
fn goes(lab: &mut Lab) -> Result<Mac, DropReason> {
    let before = lab.stacks[0].counters().clone();
    lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    let after = lab.stacks[0].counters().clone();
    if let Some(reason) =
        DropReason::ALL.iter().copied().find(|reason| before.discarded(*reason) != after.discarded(*reason))
    {
        lab.sent();
        return Err(reason);
    }
    let frame = lab.only(OUT);
    Ok(Mac(*frame.first_chunk().expect("a MAC")))
}

#[test]
fn what_changes_is_seen_by_the_next_packet() {
    let mut lab = Lab::router();
    let there = Ok(host_mac(3));
    let steady = |lab: &mut Lab, wanted: Result<Mac, DropReason>, why: &str| {
        for time in 0..3 {
            assert_eq!(goes(lab), wanted, "{why}, time {time}");
        }
    };
    steady(&mut lab, there, "as it is");
    lab.neighbor(OUT, "10.0.3.2", OTHER);
    steady(&mut lab, Ok(OTHER), "its MAC is another");
    lab.neighbor(OUT, "10.0.3.2", host_mac(3));
    lab.neighbor(OUT, "10.0.3.9", OTHER);
    lab.route(0, "10.0.3.2/32", Some("10.0.3.9"), RouteKind::Unicast);
    steady(&mut lab, Ok(OTHER), "a router is before it");
    let gone = crate::control::RouteSpec::to(ip("10.0.3.2").into(), 32);
    lab.apply(0, crate::control::Command::RouteDelete(gone)).expect("it is there");
    steady(&mut lab, there, "and is no more");
    lab.sysctl(0, "net/ipv4/ip_forward", "0");
    steady(&mut lab, Err(DropReason::ForwardingOff), "it is a host");
    lab.sysctl(0, "net/ipv4/ip_forward", "1");
    steady(&mut lab, there, "it is a router");
    lab.address(OUT, "10.0.2.2/32");
    steady(&mut lab, Err(DropReason::OwnSource), "its sender's address is ours");
}

#[test]
fn a_port_that_goes_down_takes_its_ways_along() {
    let mut lab = Lab::router();
    assert_eq!(goes(&mut lab), Ok(host_mac(3)));
    lab.up(OUT, false);
    assert_eq!(goes(&mut lab), Err(DropReason::NoRoute));
    lab.up(OUT, true);
    lab.neighbor(OUT, "10.0.3.2", OTHER);
    assert_eq!(goes(&mut lab), Ok(OTHER));
    lab.change(OUT, LinkChange { mtu: Some(68), ..LinkChange::default() });
    lab.packet(IN, &request("10.0.2.2", "10.0.3.2"));
    assert!(lab.sent().len() > 1, "it is cut");
}

/// A neighbour that was learned ages though its MAC is kept with ways: it is asked for again.
#[test]
fn a_kept_mac_does_not_keep_its_neighbour() {
    let mut lab = Lab::chain();
    let socket = lab.socket(0, crate::local::SocketKind::Raw { protocol: crate::wire::protocol::ICMP });
    for _ in 0..3 {
        lab.ping(0, socket, "10.0.2.2", 56).expect("sent");
        lab.read(0, socket).expect("a reply");
    }
    assert_eq!(lab.nud((1, 3), "10.0.2.2"), Some(crate::control::Nud::Reachable));
    lab.wait(Duration::from_secs(60));
    assert_eq!(lab.nud((1, 3), "10.0.2.2"), Some(crate::control::Nud::Stale));
    lab.ping(0, socket, "10.0.2.2", 56).expect("sent");
    assert_eq!(lab.nud((1, 3), "10.0.2.2"), Some(crate::control::Nud::Delay));
}

/// A batch is the same as its frames one after the other.
#[test]
fn a_batch_is_its_frames_one_by_one() {
    let packets = || (1..20).map(|n| request(&format!("10.0.2.{n}"), if n % 3 == 0 { "10.0.3.1" } else { "10.0.3.2" }));
    let frames: Vec<Vec<u8>> =
        packets().map(|packet| framed(port_mac(IN), host_mac(2), crate::wire::ethernet::IPV4, &packet)).collect();
    let (mut one, mut all) = (Lab::router(), Lab::router());
    frames.iter().for_each(|frame| one.receive(IN, frame));
    let batch: Vec<_> = frames.iter().map(|frame| all.pool.copy(frame)).collect();
    all.with(0, |stack, cx| stack.receive_batch(cx, IN.1, batch, &mut crate::observe::Silent));
    assert_eq!(one.sent(), all.sent());
    assert_eq!(one.stacks[0].counters(), all.stacks[0].counters());
}
