//! Who is answered, for what, and what is learned by it.

use super::lab::*;
use crate::addr::{IpAddr, Mac};
use crate::control::{Command, LinkChange, NeighborSpec, Nud, RouteKind};
use crate::reason::DropReason;
use crate::time::Duration;
use crate::wire::arp::{REPLY, REQUEST};

const ALL: Mac = Mac::BROADCAST;
const END: End = (0, 2);

/// A request for us: the answer goes to the asker alone, who is known from then on.
#[test]
fn we_answer_for_ourselves() {
    let mut lab = Lab::host();
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.0.2", "10.0.0.1"));
    let frame = lab.only(END);
    assert_eq!(frame[..12], [host_mac(2).0, port_mac(END).0].concat());
    let answer = arp_in(&frame);
    assert_eq!((answer.operation, answer.sender_mac, answer.sender_ip), (REPLY, port_mac(END), ip("10.0.0.1")));
    assert_eq!((answer.target_mac, answer.target_ip), (host_mac(2), ip("10.0.0.2")));
    assert_eq!(lab.nud(END, "10.0.0.2"), Some(Nud::Stale));
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.0.2", "10.0.0.7"));
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.0.3", "10.0.0.7"));
    lab.nothing();
    assert_eq!(lab.nud(END, "10.0.0.3"), None, "who asks for others is no concern of ours");
    assert_eq!(lab.dropped(0, DropReason::ArpIgnored), 1);
}

/// A probe for a duplicate of our address is answered, and leaves no trace.
#[test]
fn a_probe_is_answered() {
    let mut lab = Lab::host();
    lab.receive(END, &asks(END, ALL, REQUEST, "0.0.0.0", "10.0.0.1"));
    assert_eq!(arp_in(&lab.only(END)).target_ip, ip("0.0.0.0"));
    lab.receive(END, &asks(END, ALL, REQUEST, "0.0.0.0", "10.0.0.2"));
    lab.nothing();
    assert_eq!(lab.stacks[0].neighbor_entries(lab.now).iter().filter(|entry| entry.port == 2).count(), 0);
}

/// An address of another port is answered for, too, until `arp_ignore` or `arp_filter` says no.
#[test]
fn other_ports_addresses() {
    let mut lab = Lab::router();
    let asked = asks(END, ALL, REQUEST, "10.0.2.2", "10.0.3.1");
    lab.receive(END, &asked);
    assert_eq!(arp_in(&lab.only(END)).sender_ip, ip("10.0.3.1"));
    for value in ["1", "2", "8"] {
        lab.sysctl(0, "net/ipv4/conf/all/arp_ignore", value);
        lab.receive(END, &asked);
        lab.nothing();
    }
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.2.2", "10.0.2.1"));
    lab.nothing();
    lab.sysctl(0, "net/ipv4/conf/all/arp_ignore", "2");
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.2.2", "10.0.2.1"));
    lab.only(END);
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.5.2", "10.0.2.1"));
    lab.nothing();
    lab.sysctl(0, "net/ipv4/conf/all/arp_ignore", "0");
    lab.sysctl(0, "net/ipv4/conf/all/arp_filter", "1");
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.3.2", "10.0.2.1"));
    lab.nothing();
}

/// `proxy_arp` answers for what lies behind another link, after a while; asked by unicast, at once.
#[test]
fn a_proxy_answers_for_others() {
    let mut lab = Lab::router();
    let asked = asks(END, ALL, REQUEST, "10.0.2.2", "10.0.3.2");
    lab.receive(END, &asked);
    lab.nothing();
    lab.sysctl(0, "net/ipv4/conf/eth2/proxy_arp", "1");
    lab.receive(END, &asked);
    lab.nothing();
    assert_eq!(lab.stacks[0].parked(), 1);
    lab.wait(Duration::from_millis(800));
    assert_eq!(arp_in(&lab.only(END)).sender_ip, ip("10.0.3.2"));
    lab.receive(END, &asks(END, port_mac(END), REQUEST, "10.0.2.2", "10.0.3.2"));
    lab.only(END);
    lab.receive(END, &asks(END, port_mac(END), REQUEST, "10.0.2.2", "10.0.2.9"));
    lab.nothing();
    lab.receive(END, &asks(END, port_mac(END), REQUEST, "10.0.2.2", "9.9.9.9"));
    lab.nothing();
    lab.sysctl(0, "net/ipv4/conf/eth2/proxy_arp_pvlan", "1");
    lab.receive(END, &asks(END, port_mac(END), REQUEST, "10.0.2.2", "10.0.2.9"));
    lab.only(END);
}

/// An entry of the proxy table does it for one address.
#[test]
fn a_proxy_entry() {
    let mut lab = Lab::router();
    lab.proxy(END, "10.0.3.7");
    assert_eq!(lab.stacks[0].proxy_entries().len(), 1);
    lab.receive(END, &asks(END, port_mac(END), REQUEST, "10.0.2.2", "10.0.3.7"));
    lab.only(END);
    lab.receive(END, &asks(END, port_mac(END), REQUEST, "10.0.2.2", "10.0.3.8"));
    lab.nothing();
}

/// Unasked news: only what is known is updated, unless `arp_accept` says otherwise.
#[test]
fn gratuitous_arp() {
    let mut lab = Lab::host();
    let news = asks(END, ALL, REQUEST, "10.0.0.2", "10.0.0.2");
    lab.receive(END, &news);
    assert_eq!(lab.nud(END, "10.0.0.2"), None);
    lab.sysctl(0, "net/ipv4/conf/eth2/arp_accept", "2");
    lab.receive(END, &asks(END, ALL, REQUEST, "10.7.0.2", "10.7.0.2"));
    assert_eq!(lab.nud(END, "10.7.0.2"), None);
    lab.receive(END, &news);
    assert_eq!(lab.nud(END, "10.0.0.2"), Some(Nud::Stale));
    lab.sysctl(0, "net/ipv4/conf/eth2/drop_gratuitous_arp", "1");
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.0.3", "10.0.0.3"));
    assert_eq!(lab.nud(END, "10.0.0.3"), None);
    lab.nothing();
}

/// A reply to us makes a neighbour reachable, one to everybody stale.
#[test]
fn replies() {
    let mut lab = Lab::host();
    let entry = NeighborSpec::of(2, IpAddr::V4(ip("10.0.0.2")), Some(host_mac(9)));
    let stale = NeighborSpec { state: Nud::Stale, ..entry };
    lab.neighbor_spec(END, stale).expect("an entry");
    lab.wait(Duration::from_secs(2));
    lab.receive(END, &asks(END, ALL, REPLY, "10.0.0.2", "10.0.0.1"));
    assert_eq!(lab.nud(END, "10.0.0.2"), Some(Nud::Stale));
    lab.receive(END, &asks(END, port_mac(END), REPLY, "10.0.0.2", "10.0.0.1"));
    assert_eq!(lab.nud(END, "10.0.0.2"), Some(Nud::Reachable));
    lab.apply(0, Command::NeighborDelete(stale)).expect("deleted");
    assert!(lab.apply(0, Command::NeighborDelete(stale)).is_err());
    assert!(lab.neighbor_spec(END, NeighborSpec { index: 9, ..stale }).is_err(), "no such device");
}

/// `arp_announce` chooses who asks.
#[test]
fn who_asks() {
    let mut lab = Lab::router();
    let socket = lab.socket(0, crate::local::SocketKind::Raw { protocol: 1 });
    lab.stacks[0].bind(socket, ip("10.0.3.1"), 0).expect("bound");
    for (number, (announce, asker)) in [("0", "10.0.3.1"), ("1", "10.0.2.1"), ("2", "10.0.2.1")].into_iter().enumerate()
    {
        lab.sysctl(0, "net/ipv4/conf/all/arp_announce", announce);
        lab.ping(0, socket, &format!("10.0.2.{}", 50 + number), 8).expect("parked");
        assert_eq!(arp_in(&lab.only(END)).sender_ip, ip(asker));
    }
}

/// `arp_notify`: a port that comes up, or gets another MAC, tells everybody.
#[test]
fn an_announcement() {
    let mut lab = Lab::host();
    lab.sysctl(0, "net/ipv4/conf/eth2/arp_notify", "1");
    lab.change(END, LinkChange { address: Some(host_mac(77)), ..LinkChange::default() });
    let frame = lab.only(END);
    let told = arp_in(&frame);
    assert_eq!((told.operation, told.sender_mac, told.sender_ip), (REQUEST, host_mac(77), ip("10.0.0.1")));
    assert_eq!((told.target_ip, &frame[..6]), (ip("10.0.0.1"), &[0xff; 6][..]));
}

/// A link without ARP asks nobody and answers nobody.
#[test]
fn a_link_without_arp() {
    let mut lab = Lab::host();
    lab.change(END, LinkChange { arp: Some(false), ..LinkChange::default() });
    lab.receive(END, &asks(END, ALL, REQUEST, "10.0.0.2", "10.0.0.1"));
    lab.nothing();
    let socket = lab.socket(0, crate::local::SocketKind::Raw { protocol: 1 });
    lab.ping(0, socket, "10.0.0.2", 8).expect("sent");
    assert_eq!(lab.only(END)[..6], port_mac(END).0);
    assert_eq!(lab.nud(END, "10.0.0.2"), Some(Nud::Noarp));
}

/// A route to a whole link: the MACs of what is far away are asked for there (LINUX.md 25).
#[test]
fn everything_is_on_the_link() {
    let mut lab = Lab::host();
    lab.route(0, "0.0.0.0/0", Some("10.0.0.254"), RouteKind::Unicast);
    let socket = lab.socket(0, crate::local::SocketKind::Raw { protocol: 1 });
    lab.ping(0, socket, "8.8.8.8", 8).expect("parked");
    assert_eq!(arp_in(&lab.only(END)).target_ip, ip("10.0.0.254"));
}
