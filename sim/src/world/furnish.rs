//! What a script finds: the host namespace with its `lo`, and perhaps `eth0` with a gateway and the internet behind it.

use super::cable::Place;
use super::internet::{Internet, UPLINK};
use super::{Net, NsId, World};
use crate::lab::Host;
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Mac};
use vethlab_engine::control::{
    AddressMode, AddressSpec, Command, IfIndex, LinkChange, NextHopSpec, RouteMode, RouteSpec, scope,
};
use vethlab_engine::link::{OperState, Port};
use vethlab_engine::time::Duration;

/// The host's network card, with the MAC that QEMU gives its first one.
const ETH0: (&str, Mac) = ("eth0", Mac([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]));

/// How long a frame takes to the gateway: a switch, and a box with a slow processor.
const LAN_DELAY: Duration = Duration::from_micros(130);

/// The gateway's address at its uplink.
const GATEWAY_UPLINK: Ipv4Addr = Ipv4Addr::new(100, 64, 7, 2);

impl World {
    /// Sets up the host namespace as a script finds it.
    pub fn furnish(&mut self, host: Host) {
        let ns = self.host();
        self.prepare(ns, up(1));
        match host {
            Host::Bare => {}
            Host::Internet => self.attach_outside(Ipv4Addr::new(10, 0, 2, 15), Ipv4Addr::new(10, 0, 2, 2)),
            Host::Home => self.attach_outside(Ipv4Addr::new(192, 168, 1, 100), Ipv4Addr::new(192, 168, 1, 1)),
        }
    }

    /// Gives the host an `eth0` with a gateway behind it. The gateway is a stack like any other, in a namespace that has no
    /// name and is not listed; behind it is the [`Internet`].
    fn attach_outside(&mut self, own: Ipv4Addr, gateway: Ipv4Addr) {
        let (host, outside) = (self.host(), NsId::OUTSIDE);
        let seed = self.rng.next();
        self.nets.insert(outside, Net::new(seed));
        self.internet = Some(Internet::new(self.rng.split()));
        let [a, b, c, d] = gateway.octets();
        let eth0 = self.add_card(host, ETH0.0, ETH0.1);
        let lan = self.add_card(outside, "lan", Mac([0x52, 0x55, a, b, c, d]));
        let wan = self.add_card(outside, "wan", Mac([0x52, 0x55, 100, 64, 7, 2]));
        let cable = self.lay_cable([Place::Port(host, eth0), Place::Port(outside, lan)], true);
        if let Some(cable) = self.cables.get_mut(cable) {
            cable.delay = LAN_DELAY;
        }
        self.lay_cable([Place::Port(outside, wan), Place::Internet], true);
        let sysctl = |path: &str, value: &str| Command::SysctlWrite(path.to_string(), value.to_string());
        let commands = [
            sysctl("net/ipv4/ip_forward", "1"),
            // A traceroute asks for more errors at a time than a patient host sends.
            sysctl("net/ipv4/icmp_ratelimit", "0"),
            up(1),
            up(lan),
            up(wan),
            address(lan, gateway),
            address(wan, GATEWAY_UPLINK),
            default_route(UPLINK),
        ];
        commands.into_iter().for_each(|command| self.prepare(outside, command));
        for command in [up(eth0), address(eth0, own), default_route(gateway)] {
            self.prepare(host, command);
        }
    }

    /// A port with a carrier.
    pub(super) fn add_card(&mut self, ns: NsId, name: &str, mac: Mac) -> IfIndex {
        let index = self.stack(ns).ports().iter().map(|port| port.index).max().unwrap_or(0) + 1;
        let mut port = Port::new_ethernet(index, name, mac, self.now);
        (port.carrier, port.operstate, port.carrier_changes) = (true, OperState::Up, (1, 1));
        if let Some(net) = self.nets.get_mut(ns) {
            net.last_index = index;
        }
        let now = self.now;
        self.stack_mut(ns).port_add(now, port);
        index
    }

    /// A command that cannot be refused, since the namespace is new.
    fn prepare(&mut self, ns: NsId, command: Command) {
        let done = self.apply(ns, command);
        debug_assert!(done.is_ok(), "{done:?}");
    }
}

fn up(index: IfIndex) -> Command {
    Command::LinkChange(index, LinkChange { up: Some(true), ..LinkChange::default() })
}

fn address(index: IfIndex, address: Ipv4Addr) -> Command {
    let [a, b, c, _] = address.octets();
    let broadcast = Some(Ipv4Addr::new(a, b, c, 255));
    let scope = Some(scope::UNIVERSE);
    Command::AddressAdd(
        AddressMode::Add,
        AddressSpec { broadcast, scope, ..AddressSpec::of(index, IpAddr::V4(address), 24) },
    )
}

fn default_route(gateway: Ipv4Addr) -> Command {
    let hop = NextHopSpec { gateway: Some(IpAddr::V4(gateway)), weight: 1, ..NextHopSpec::default() };
    let route = RouteSpec {
        nexthops: vec![hop],
        protocol: Some(vethlab_engine::control::protocol::BOOT),
        scope: Some(scope::UNIVERSE),
        ..RouteSpec::to(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)
    };
    Command::RouteAdd(RouteMode::Add, route)
}
