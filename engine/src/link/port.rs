//! A port: one interface of a namespace, as `struct net_device` and its `in_device` hold it.

use super::bridge::{Bridge, BridgePort};
use super::name::Name;
use super::virt::{Lower, Macvlan, Upper, Vlan};
use super::vxlan::Vxlan;
use crate::addr::Mac;
use crate::address::{Address4, Address6};
use crate::control::IfIndex;
use crate::few::Few;
use crate::seldom::{Seldom, Usual};
use crate::sysctl::PortConf;
use crate::time::Time;

/// `IFF_*` (`include/uapi/linux/if.h`).
#[allow(missing_docs, reason = "Linux's own names")]
pub mod flag {
    pub const UP: u32 = 1;
    pub const BROADCAST: u32 = 2;
    pub const LOOPBACK: u32 = 8;
    pub const POINTOPOINT: u32 = 0x10;
    pub const NOTRAILERS: u32 = 0x20;
    pub const RUNNING: u32 = 0x40;
    pub const NOARP: u32 = 0x80;
    pub const PROMISC: u32 = 0x100;
    pub const ALLMULTI: u32 = 0x200;
    pub const MASTER: u32 = 0x400;
    pub const SLAVE: u32 = 0x800;
    pub const MULTICAST: u32 = 0x1000;
    pub const DYNAMIC: u32 = 0x8000;
    pub const LOWER_UP: u32 = 0x1_0000;
}

/// What kind of device stands behind a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortKind {
    /// `lo`: what is sent is received, no link header matters, MAC zero, MTU 65536.
    Loopback,
    /// An Ethernet device: a cable's end, a network card.
    Ethernet,
    /// A bridge; see [`Rare::bridge`].
    Bridge,
    /// A VLAN on another port; see [`Rare::vlan`].
    Vlan,
    /// What is sent is swallowed.
    Dummy,
    /// Another MAC of another port; see [`Rare::macvlan`].
    Macvlan,
    /// Ethernet in UDP; see [`Rare::vxlan`].
    Vxlan,
}

/// `IFLA_OPERSTATE` (RFC 2863).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "RFC 2863's own names")]
pub enum OperState {
    Unknown,
    NotPresent,
    Down,
    LowerLayerDown,
    Testing,
    Dormant,
    Up,
}

/// Counters of a port, as `ip -s link` shows them. Bytes count the Ethernet header, as Linux's do. What no device here
/// counts (`multicast`, errors of sending) is 0 wherever it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "named by the field")]
pub struct PortCounters {
    pub rx_packets: u64,
    pub rx_bytes: u64,
    pub rx_dropped: u64,
    pub rx_errors: u64,
    pub tx_packets: u64,
    pub tx_bytes: u64,
    pub tx_dropped: u64,
}

/// One interface.
#[derive(Debug)]
pub struct Port {
    /// Its number in this namespace.
    pub index: IfIndex,
    /// Its name: 1 to 15 bytes, no `/` and no white space.
    pub name: Name,
    /// What stands behind it.
    pub kind: PortKind,
    /// Its own MAC.
    pub mac: Mac,
    /// A user said it (`NET_ADDR_SET`).
    pub mac_set: bool,
    /// `ff:ff:ff:ff:ff:ff`, or zero for `lo`.
    pub broadcast: Mac,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// Bytes of a frame that the cable's other end takes, as far as whoever drives the stack knows. A longer one is handed to
    /// the device, whose driver refuses it (`veth_xmit`, `is_skb_forwardable`); the sender is told.
    pub takes: u32,
    /// Flags that are set by request (`UP`, `NOARP`, `PROMISC` …) or are the device's nature (`BROADCAST`, `LOOPBACK`,
    /// `MULTICAST`). `RUNNING` and `LOWER_UP` follow from [`Port::carrier`]: see [`Port::flags`].
    pub set_flags: u32,
    /// The device says that frames can pass (`netif_carrier_ok`): the other end is up. True for `lo`.
    pub carrier: bool,
    /// What the namespace has noticed of it (`linkwatch` of Linux lags behind the device by up to a second), as stored;
    /// listings say DOWN for a port that is not up. `Unknown` for `lo` and for a port that never lost its carrier.
    pub operstate: OperState,
    /// Set once the port has been up: `qdisc noop` before, `noqueue` after.
    pub was_up: bool,
    /// Changes of carrier, up and down, since it was made.
    pub carrier_changes: (u32, u32),
    /// `txqueuelen`
    pub txqueuelen: u32,
    /// `addrgenmode`: 0 eui64, 1 none, 2 stable secret, 3 random.
    pub addrgenmode: u8,
    /// IPv6 has noticed that the link is ready, and has made its addresses (`IF_READY`).
    pub ipv6_ready: bool,
    /// IPv4 addresses in the kernel's order.
    pub addresses4: Few<Address4>,
    /// IPv6 addresses in the kernel's order.
    pub addresses6: Few<Address6>,
    /// `net.ipv4.conf.NAME`, `net.ipv6.conf.NAME`, `net.ipv4.neigh.NAME`
    pub conf: PortConf,
    /// What passed.
    pub counters: PortCounters,
    /// When it was made.
    pub created: Time,
    /// The bridge that it is a port of.
    pub master: Option<IfIndex>,
    /// What few ports have.
    pub rare: Seldom<Rare>,
}

/// What few ports have.
#[derive(Debug, Default)]
pub struct Rare {
    /// `alias`
    pub alias: String,
    /// `group`
    pub group: u32,
    /// Features of the device that are not wanted as they were made (`ethtool -K`), as bits of that program: nothing in the
    /// path asks.
    pub switched: u64,
    /// What the bridge that it is a port of knows of it; there if [`Port::master`] is.
    pub bridge_port: Option<Box<BridgePort>>,
    /// What a bridge is.
    pub bridge: Option<Box<Bridge>>,
    /// What a VLAN is.
    pub vlan: Option<Vlan>,
    /// What a macvlan is.
    pub macvlan: Option<Macvlan>,
    /// What a VXLAN is.
    pub vxlan: Option<Box<Vxlan>>,
    /// MACs that it is to hear besides its own (`bridge fdb add … self`).
    pub filters: Vec<Mac>,
    /// The ports that stand on this one: VLANs and macvlans.
    pub uppers: Vec<Upper>,
}

impl Usual for Rare {
    const USUAL: &'static Rare = &Rare {
        alias: String::new(),
        group: 0,
        switched: 0,
        bridge_port: None,
        bridge: None,
        vlan: None,
        macvlan: None,
        vxlan: None,
        filters: Vec::new(),
        uppers: Vec::new(),
    };
}

impl PortKind {
    /// The bounds of its MTU (`min_mtu` and `max_mtu`, as its driver sets them); an upper one of 0 is none.
    pub fn mtu_range(self) -> (u32, u32) {
        match self {
            PortKind::Loopback | PortKind::Dummy => (0, 0),
            PortKind::Vlan => (0, 65_535),
            PortKind::Ethernet | PortKind::Bridge | PortKind::Macvlan | PortKind::Vxlan => (68, 65_535),
        }
    }
}

impl Port {
    /// True if the administrator set it up.
    pub fn is_up(&self) -> bool {
        self.set_flags & flag::UP != 0
    }

    /// True if it can carry frames now.
    pub fn is_running(&self) -> bool {
        self.is_up() && self.carrier
    }

    /// All flags, as `ip link` shows them (`dev_get_flags`).
    pub fn flags(&self) -> u32 {
        if !self.is_up() {
            return self.set_flags;
        }
        let running = matches!(self.operstate, OperState::Up | OperState::Unknown);
        let running = if running { flag::RUNNING } else { 0 };
        self.set_flags | running | if self.carrier { flag::LOWER_UP } else { 0 }
    }

    /// The link of the same namespace that it stands on.
    pub fn lower_here(&self) -> Option<IfIndex> {
        let lower = self.rare.vlan.map(|vlan| vlan.lower).or(self.rare.macvlan.map(|macvlan| macvlan.lower));
        match lower {
            Some(Lower::Here(index)) => Some(index),
            _ => None,
        }
    }

    /// True if frames that come in are looked at by a bridge or by links that stand on this one first (`rx_handler`).
    #[inline]
    pub fn is_tapped(&self) -> bool {
        self.master.is_some() || !self.rare.uppers.is_empty()
    }

    /// True if its driver counts bytes without the link header: of all frames, or (bridges and VLANs) of those that come in. (VXLANs: both.)
    #[inline]
    pub fn counts_bare(&self) -> bool {
        matches!(self.kind, PortKind::Loopback | PortKind::Bridge | PortKind::Vlan | PortKind::Vxlan)
    }

    /// `ethernet` header bytes that the device counts in front of the IP packet.
    pub fn is_loopback(&self) -> bool {
        self.kind == PortKind::Loopback
    }
}
