//! New ports, as their drivers make them.

use super::bridge::Bridge;
use super::name::Name;
use super::port::{OperState, Port, PortCounters, PortKind, Rare, flag};
use super::virt::{Lower, Macvlan, MacvlanMode, Vlan};
use super::vxlan::{Vxlan, VxlanSpec};
use crate::addr::Mac;
use crate::control::IfIndex;
use crate::few::Few;
use crate::seldom::Seldom;
use crate::sysctl::PortConf;
use crate::time::Time;

impl Port {
    /// `lo`, down, as a new namespace has it (`drivers/net/loopback.c`).
    pub fn new_loopback(now: Time) -> Port {
        Port {
            index: 1,
            name: Name::new("lo"),
            kind: PortKind::Loopback,
            mac: Mac::ZERO,
            mac_set: false,
            broadcast: Mac::ZERO,
            mtu: 65536,
            takes: u32::MAX,
            set_flags: flag::LOOPBACK,
            carrier: true,
            operstate: OperState::Unknown,
            was_up: false,
            carrier_changes: (0, 0),
            txqueuelen: 1000,
            addrgenmode: 0,
            ipv6_ready: false,
            addresses4: Few::default(),
            addresses6: Few::default(),
            conf: PortConf::default(),
            counters: PortCounters::default(),
            created: now,
            master: None,
            rare: Seldom::USUAL,
        }
    }

    /// An Ethernet port with a veth's bounds, down and without carrier (`drivers/net/veth.c`).
    pub fn new_ethernet(index: IfIndex, name: impl Into<Name>, mac: Mac, now: Time) -> Port {
        Port {
            index,
            name: name.into(),
            kind: PortKind::Ethernet,
            mac,
            mac_set: false,
            broadcast: Mac::BROADCAST,
            mtu: 1500,
            set_flags: flag::BROADCAST | flag::MULTICAST,
            carrier: false,
            // The driver turns the carrier off once the device is registered, and that counts.
            carrier_changes: (0, 1),
            ..Port::new_loopback(now)
        }
    }

    /// A dummy, down (`drivers/net/dummy.c`).
    pub fn new_dummy(index: IfIndex, name: impl Into<Name>, mac: Mac, now: Time) -> Port {
        Port {
            kind: PortKind::Dummy,
            set_flags: flag::BROADCAST | flag::NOARP,
            carrier: true,
            carrier_changes: (0, 0),
            ..Port::new_ethernet(index, name, mac, now)
        }
    }

    /// A bridge without ports, down (`br_dev_setup`).
    pub fn new_bridge(index: IfIndex, name: impl Into<Name>, mac: Mac, now: Time) -> Port {
        Port {
            kind: PortKind::Bridge,
            carrier: true,
            carrier_changes: (0, 0),
            rare: Seldom::of(Rare { bridge: Some(Box::new(Bridge::new())), ..Rare::default() }),
            ..Port::new_ethernet(index, name, mac, now)
        }
    }

    /// A VLAN, down; what it stands on is written down afterwards (`vlan_setup`, `vlan_dev_init`).
    pub fn new_vlan(
        index: IfIndex,
        name: impl Into<Name>,
        mac: Mac,
        now: Time,
        protocol: u16,
        id: u16,
        inherits_mac: bool,
    ) -> Port {
        let vlan = Vlan { lower: Lower::Here(0), protocol, id, inherits_mac };
        Port {
            kind: PortKind::Vlan,
            rare: Seldom::of(Rare { vlan: Some(vlan), ..Rare::default() }),
            ..Port::new_over(index, name, mac, now)
        }
    }

    /// A macvlan, down; what it stands on is written down afterwards (`macvlan_setup`).
    pub fn new_macvlan(index: IfIndex, name: impl Into<Name>, mac: Mac, now: Time, mode: MacvlanMode) -> Port {
        let macvlan = Macvlan { lower: Lower::Here(0), mode };
        Port {
            kind: PortKind::Macvlan,
            rare: Seldom::of(Rare { macvlan: Some(macvlan), ..Rare::default() }),
            ..Port::new_over(index, name, mac, now)
        }
    }

    /// A VXLAN, down (`vxlan_setup`).
    pub fn new_vxlan(index: IfIndex, name: impl Into<Name>, mac: Mac, now: Time, spec: VxlanSpec) -> Port {
        Port {
            kind: PortKind::Vxlan,
            rare: Seldom::of(Rare { vxlan: Some(Box::new(Vxlan::new(spec, now))), ..Rare::default() }),
            ..Port::new_over(index, name, mac, now)
        }
    }

    /// A port that stands on another one.
    fn new_over(index: IfIndex, name: impl Into<Name>, mac: Mac, now: Time) -> Port {
        Port { carrier: true, carrier_changes: (0, 0), ..Port::new_ethernet(index, name, mac, now) }
    }
}
