//! Ways through a small namespace: `v0` has 10.0.0.1/24, `v1` has 10.1.0.1/24, the default router is 10.0.0.254.

use super::*;
use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::config::Config;
use crate::control::{AddressMode, AddressSpec, Command, LinkChange, NextHopSpec, Nud, RouteMode, RouteSpec, RuleSpec};
use crate::link::port::flag;
use crate::link::{OperState, Port, PortKind};
use crate::reason::DropReason;
use crate::time::{Duration, Time};

const LO: u32 = 1;
const V0: u32 = 2;
const V1: u32 = 3;

fn ip(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

struct Lab {
    config: Config,
    now: Time,
}

impl Lab {
    fn new() -> Lab {
        let mut config = Config::new(Time::ZERO);
        for (name, index) in [("v0", V0), ("v1", V1)] {
            config.port_add(
                Time::ZERO,
                Port {
                    index,
                    name: name.into(),
                    kind: PortKind::Ethernet,
                    mac: Mac([2, 0, 0, 0, 0, index as u8]),
                    mtu: 1500,
                    set_flags: flag::BROADCAST | flag::MULTICAST,
                    operstate: OperState::Up,
                    ..Port::new_loopback(Time::ZERO)
                },
            );
        }
        let mut lab = Lab { config, now: Time::ZERO };
        for index in [LO, V0, V1] {
            lab.apply(Command::LinkChange(index, LinkChange { up: Some(true), ..LinkChange::default() }));
        }
        lab.address(V0, "10.0.0.1");
        lab.address(V1, "10.1.0.1");
        lab.route("0.0.0.0", 0, &["10.0.0.254"]);
        lab
    }

    fn apply(&mut self, command: Command) {
        self.config.apply(self.now, command).expect("it is right");
    }

    fn address(&mut self, index: u32, address: &str) {
        let spec = AddressSpec::of(index, IpAddr::V4(ip(address)), 24);
        self.apply(Command::AddressAdd(AddressMode::Add, spec));
    }

    fn route(&mut self, to: &str, length: u8, gateways: &[&str]) {
        let hop =
            |gateway: &&str| NextHopSpec { gateway: Some(ip(gateway).into()), weight: 1, ..NextHopSpec::default() };
        let nexthops = gateways.iter().map(hop).collect();
        self.apply(Command::RouteAdd(RouteMode::Add, RouteSpec { nexthops, ..RouteSpec::to(ip(to).into(), length) }));
    }

    fn sysctl(&mut self, path: &str, value: &str) {
        self.apply(Command::SysctlWrite(format!("net/ipv4/{path}"), value.to_string()));
    }

    fn net(&self) -> Net<'_> {
        Net::new(self.now, &self.config.ports, &self.config.sysctls)
    }

    fn out(&self, to: &str) -> OutputRoute {
        output_route(self.net(), &self.config.rib4, &OutputKey::to(ip(to))).expect("there is a way")
    }

    fn arrive(&self, from: &str, to: &str, iif: u32) -> Result<InputRoute, DropReason> {
        input_route(self.net(), &self.config.rib4, &InputKey::new(ip(from), ip(to), iif))
    }

    fn learn_mtu(&mut self, to: &str, mtu: u32) {
        let net = Net::new(self.now, &self.config.ports, &self.config.sysctls);
        self.config.rib4.learn_mtu(net, &OutputKey::to(ip(to)), mtu);
    }

    fn redirect(&mut self, to: &str, from: &str, gateway: &str, state: Nud) -> Redirect {
        let neighbors = |_, _| state;
        let net = Net::new(self.now, &self.config.ports, &self.config.sysctls).with_neighbors(&neighbors);
        self.config.rib4.learn_gateway(net, &OutputKey::to(ip(to)), V0, ip(from), ip(gateway))
    }
}

#[test]
fn what_comes_in_is_believed_only_if_it_can_come_from_there() {
    let mut lab = Lab::new();
    let local = |lab: &Lab, from| lab.arrive(from, "10.0.0.1", V0).map(|way| way.kind);
    assert_eq!(local(&lab, "10.0.0.9"), Ok(crate::control::RouteKind::Local));
    assert_eq!(local(&lab, "10.1.0.1"), Err(DropReason::OwnSource));
    assert_eq!(local(&lab, "127.0.0.1"), Err(DropReason::LoopbackForeign));
    assert_eq!(local(&lab, "224.0.0.1"), Err(DropReason::MartianSource));
    assert_eq!(local(&lab, "0.0.0.0"), Err(DropReason::MartianSource));
    assert!(local(&lab, "10.1.0.9").is_ok(), "rp_filter is off");
    lab.sysctl("conf/all/rp_filter", "2");
    assert!(local(&lab, "10.1.0.9").is_ok(), "there is a way back, by another port");
    lab.sysctl("conf/v0/rp_filter", "1");
    assert!(local(&lab, "10.1.0.9").is_ok(), "the larger of both counts");
    lab.sysctl("conf/all/rp_filter", "1");
    assert_eq!(local(&lab, "10.1.0.9"), Err(DropReason::ReversePath));
    assert!(local(&lab, "10.0.0.9").is_ok() && local(&lab, "8.8.8.8").is_ok());
    lab.sysctl("conf/v0/accept_local", "1");
    assert!(local(&lab, "10.0.0.1").is_ok());
}

#[test]
fn a_router_forwards_and_tells_of_shorter_ways() {
    let mut lab = Lab::new();
    assert_eq!(lab.arrive("10.1.0.9", "8.8.8.8", V1).unwrap_err(), DropReason::ForwardingOff);
    lab.sysctl("ip_forward", "1");
    let way = lab.arrive("10.1.0.9", "8.8.8.8", V1).expect("forwarded");
    assert_eq!((way.oif, way.gateway, way.mtu, way.redirect), (V0, Some(ip("10.0.0.254")), 1500, false));
    assert!(lab.arrive("10.0.0.9", "8.8.8.8", V0).expect("forwarded").redirect);
    assert!(
        !lab.arrive("99.0.0.9", "8.8.8.8", V0).expect("forwarded").redirect,
        "the sender is behind a router itself"
    );
    lab.sysctl("conf/all/send_redirects", "0");
    lab.sysctl("conf/v0/send_redirects", "0");
    assert!(!lab.arrive("10.0.0.9", "8.8.8.8", V0).expect("forwarded").redirect);
    assert_eq!(lab.arrive("10.0.0.9", "224.0.0.5", V0).unwrap_err(), DropReason::MulticastUnwanted);
    lab.apply(Command::RouteDelete(RouteSpec::to(ip("0.0.0.0").into(), 0)));
    assert_eq!(lab.arrive("10.1.0.9", "8.8.8.8", V1).unwrap_err(), DropReason::NoRoute);
}

#[test]
fn a_learned_mtu_holds_for_ten_minutes_and_for_this_host_only() {
    let mut lab = Lab::new();
    lab.sysctl("ip_forward", "1");
    lab.learn_mtu("8.8.8.8", 1400);
    let way = lab.out("8.8.8.8");
    assert_eq!((way.mtu, way.mtu_locked, way.expires), (1400, false, Some(Duration::from_secs(600))));
    assert_eq!(lab.out("8.8.8.9").mtu, 1500);
    assert_eq!(lab.arrive("10.1.0.9", "8.8.8.8", V1).expect("forwarded").mtu, 1500, "ip_forward_use_pmtu is off");
    lab.learn_mtu("8.8.8.8", 1450);
    assert_eq!(lab.out("8.8.8.8").mtu, 1400, "paths do not widen by being told");
    lab.learn_mtu("8.8.8.8", 300);
    let way = lab.out("8.8.8.8");
    assert_eq!((way.mtu, way.mtu_locked), (552, true), "not below min_pmtu; then routers must fragment");
    // Another route changes nothing; a flush, and time, do.
    lab.route("99.0.0.0", 8, &["10.1.0.254"]);
    assert_eq!(lab.out("8.8.8.8").mtu, 552);
    lab.now = lab.now + Duration::from_secs(601);
    assert_eq!((lab.out("8.8.8.8").mtu, lab.config.rib4.cache(lab.net()).len()), (1500, 0));
    lab.learn_mtu("8.8.8.8", 1300);
    assert_eq!(lab.config.rib4.cache(lab.net())[0].metrics.mtu, Some(1300));
    lab.apply(Command::RouteCacheFlush);
    assert_eq!(lab.out("8.8.8.8").mtu, 1500);
}

#[test]
fn a_learned_mtu_goes_with_its_route_and_follows_the_device() {
    let mut lab = Lab::new();
    lab.learn_mtu("8.8.8.8", 1400);
    lab.apply(Command::LinkChange(V0, LinkChange { mtu: Some(1200), ..LinkChange::default() }));
    assert_eq!(lab.out("8.8.8.8").mtu, 1200);
    lab.apply(Command::LinkChange(V0, LinkChange { mtu: Some(1500), ..LinkChange::default() }));
    assert_eq!(lab.out("8.8.8.8").mtu, 1500, "the device had been what limited it");
    lab.learn_mtu("8.8.8.8", 1400);
    lab.apply(Command::RouteDelete(RouteSpec::to(ip("0.0.0.0").into(), 0)));
    lab.route("0.0.0.0", 0, &["10.0.0.254"]);
    assert_eq!(lab.out("8.8.8.8").mtu, 1500);
}

#[test]
fn redirects_are_taken_from_the_router_in_use_and_to_a_neighbour_that_answers() {
    let mut lab = Lab::new();
    assert_eq!(lab.redirect("8.8.8.8", "10.0.0.7", "10.0.0.253", Nud::Reachable), Redirect::Ignored);
    assert_eq!(lab.redirect("8.8.8.8", "10.0.0.254", "10.0.0.254", Nud::Reachable), Redirect::Ignored);
    assert_eq!(lab.redirect("8.8.8.8", "10.0.0.254", "10.0.0.1", Nud::Reachable), Redirect::Ignored, "that is us");
    assert_eq!(lab.redirect("8.8.8.8", "10.0.0.254", "10.0.0.253", Nud::None), Redirect::Unresolved);
    assert_eq!(lab.out("8.8.8.8").gateway, Some(ip("10.0.0.254")));
    assert_eq!(lab.redirect("8.8.8.8", "10.0.0.254", "10.0.0.253", Nud::Reachable), Redirect::Learned);
    let way = lab.out("8.8.8.8");
    assert_eq!((way.gateway, way.flags), (Some(ip("10.0.0.253")), rtcf::REDIRECTED));
    assert_eq!(lab.out("8.8.8.9").gateway, Some(ip("10.0.0.254")));
    lab.sysctl("conf/all/accept_redirects", "0");
    lab.sysctl("conf/v0/accept_redirects", "0");
    assert_eq!(lab.redirect("8.8.4.4", "10.0.0.254", "10.0.0.253", Nud::Reachable), Redirect::Ignored);
}

#[test]
fn many_destinations_are_learned_and_the_oldest_forgotten() {
    let mut lab = Lab::new();
    for host in 0..9000u32 {
        lab.now = lab.now + Duration::from_micros(1);
        lab.learn_mtu(&Ipv4Addr::from_bits(0x0808_0000 + host).to_string(), 1400);
    }
    assert_eq!(lab.config.rib4.cache(lab.net()).len(), 8192);
    assert_eq!((lab.out("8.8.0.0").mtu, lab.out("8.8.35.39").mtu), (1500, 1400));
}

#[test]
fn several_next_hops_share_the_flows_by_weight_and_a_lost_one_gets_none() {
    let mut lab = Lab::new();
    lab.route("99.0.0.0", 8, &["10.0.0.7", "10.1.0.7"]);
    let share = |lab: &Lab| {
        let to = |host: u32| lab.out(&Ipv4Addr::from_bits(0x6300_0000 + host * 7).to_string());
        (0..2000).filter(|host| to(*host).oif == V1).count()
    };
    let half = share(&lab);
    assert!((850..1150).contains(&half), "{half} of 2000");
    assert_eq!(lab.out("99.1.2.3"), lab.out("99.1.2.3"), "a flow keeps its way");
    lab.apply(Command::LinkChange(V0, LinkChange { up: Some(false), ..LinkChange::default() }));
    assert_eq!(share(&lab), 2000);
}

/// `fib_multipath_hash_policy`: flows between the same two hosts go one way, unless ports count.
#[test]
fn flows_between_two_hosts_may_part() {
    let mut lab = Lab::new();
    lab.route("99.0.0.0", 8, &["10.0.0.7", "10.1.0.7"]);
    let share = |lab: &Lab| {
        let by = |destination_port| {
            let transport = Transport { protocol: 6, source_port: 1000, destination_port };
            let key = OutputKey { transport, ..OutputKey::to(ip("99.0.0.1")) };
            output_route(lab.net(), &lab.config.rib4, &key).expect("a way").oif
        };
        (1..=1000).filter(|port| by(*port) == V1).count()
    };
    assert!([0, 1000].contains(&share(&lab)));
    lab.sysctl("fib_multipath_hash_policy", "1");
    assert!((400..600).contains(&share(&lab)), "{}", share(&lab));
    lab.sysctl("fib_multipath_hash_policy", "3");
    assert!([0, 1000].contains(&share(&lab)), "ports are not among the fields");
    lab.sysctl("fib_multipath_hash_fields", "32");
    assert!((400..600).contains(&share(&lab)), "{}", share(&lab));
}

/// What `ip rule add pref 9 ipproto tcp dport 80-90 uidrange 5-7 unreachable` is for.
#[test]
fn rules_look_at_protocol_ports_and_users() {
    let mut lab = Lab::new();
    lab.apply(Command::RuleAdd(RuleSpec {
        priority: Some(9),
        ip_protocol: 6,
        destination_port: Some((80, 90)),
        uid: Some((5, 7)),
        action: Some(RuleAction::Prohibit),
        ..RuleSpec::default()
    }));
    let asked = |protocol, destination_port, uid| {
        let transport = Transport { protocol, source_port: 1000, destination_port };
        let key = OutputKey { transport, uid, ..OutputKey::to(ip("8.8.8.8")) };
        output_route(lab.net(), &lab.config.rib4, &key).is_ok()
    };
    assert!(!asked(6, 80, 5) && !asked(6, 90, 7));
    assert!(asked(17, 80, 5) && asked(6, 91, 5) && asked(6, 79, 5) && asked(6, 80, 4) && asked(6, 80, 8));
}

#[test]
fn equal_default_routes_are_left_when_their_gateway_is_dead() {
    let mut lab = Lab::new();
    let hop = NextHopSpec { gateway: Some(ip("10.1.0.254").into()), weight: 1, ..NextHopSpec::default() };
    let second = RouteSpec { nexthops: vec![hop], ..RouteSpec::to(ip("0.0.0.0").into(), 0) };
    lab.apply(Command::RouteAdd(RouteMode::Append, second));
    let gateway = |dead: &'static str| {
        let neighbors = move |_, gateway| if gateway == ip(dead) { Nud::Failed } else { Nud::Reachable };
        let net = lab.net().with_neighbors(&neighbors);
        output_route(net, &lab.config.rib4, &OutputKey::to(ip("8.8.8.8"))).expect("a way").gateway
    };
    assert_eq!(gateway("10.1.0.254"), Some(ip("10.0.0.254")));
    assert_eq!(gateway("10.0.0.254"), Some(ip("10.1.0.254")));
}
