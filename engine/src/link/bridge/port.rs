//! What a bridge knows of one of its ports.

use crate::control::{Errno, Refusal};

/// `BR_STATE_*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "802.1D's own names")]
pub enum PortState {
    Disabled = 0,
    Listening = 1,
    Learning = 2,
    Forwarding = 3,
    Blocking = 4,
}

/// A port of a bridge (`struct net_bridge_port`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "iproute2's own names")]
pub struct BridgePort {
    /// `port_no`, from 1
    pub number: u16,
    pub state: PortState,
    pub priority: u8,
    pub cost: u32,
    pub hairpin: bool,
    pub guard: bool,
    pub root_block: bool,
    pub fastleave: bool,
    pub learning: bool,
    pub flood: bool,
    pub mcast_flood: bool,
    pub bcast_flood: bool,
    pub mcast_router: u8,
    pub isolated: bool,
    pub group_fwd_mask: u16,
}

/// `ip link set PORT type bridge_slave …`, `bridge link set dev PORT …`: what is said; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "iproute2's own names")]
pub struct BridgePortChange {
    /// By number, as it is said.
    pub state: Option<u8>,
    pub priority: Option<u16>,
    pub cost: Option<u32>,
    pub hairpin: Option<bool>,
    pub guard: Option<bool>,
    pub root_block: Option<bool>,
    pub fastleave: Option<bool>,
    pub learning: Option<bool>,
    pub flood: Option<bool>,
    pub mcast_flood: Option<bool>,
    pub bcast_flood: Option<bool>,
    pub mcast_router: Option<u8>,
    pub isolated: Option<bool>,
    pub group_fwd_mask: Option<u16>,
    pub proxy_arp: Option<bool>,
    pub proxy_arp_wifi: Option<bool>,
    pub mcast_to_unicast: Option<bool>,
    pub neigh_suppress: Option<bool>,
    pub vlan_tunnel: Option<bool>,
    pub locked: Option<bool>,
    /// `fdb_flush`
    pub fdb_flush: bool,
}

impl BridgePort {
    /// A new port: disabled, learning and flooded to.
    pub fn new(number: u16) -> BridgePort {
        BridgePort {
            number,
            state: PortState::Disabled,
            priority: 32,
            // 10 Gbit/s, as a veth says of itself.
            cost: 2,
            hairpin: false,
            guard: false,
            root_block: false,
            fastleave: false,
            learning: true,
            flood: true,
            mcast_flood: true,
            bcast_flood: true,
            mcast_router: 1,
            isolated: false,
            group_fwd_mask: 0,
        }
    }

    /// `port_id`: priority and number in one.
    pub fn id(&self) -> u16 {
        u16::from(self.priority) << 10 | self.number & 0x3ff
    }

    /// `br_setport`: one after the other; what was done before a refusal stays done. `up`: the port
    /// is up; `running`: the namespace has noticed its carrier.
    pub fn change(&mut self, change: &BridgePortChange, up: bool, running: bool) -> Result<(), Refusal> {
        macro_rules! set {
            ($($field:ident)*) => { $(if let Some(value) = change.$field { self.$field = value; })* };
        }
        let absent = [
            (change.proxy_arp, "proxy_arp"),
            (change.proxy_arp_wifi, "proxy_arp_wifi"),
            (change.mcast_to_unicast, "mcast_to_unicast"),
            (change.neigh_suppress, "neigh_suppress"),
            (change.vlan_tunnel, "vlan_tunnel"),
            (change.locked, "locked"),
        ];
        if let Some((_, name)) = absent.iter().find(|(wish, _)| *wish == Some(true)) {
            let text = format!("vethlab: {name} of a bridge port is not simulated");
            return Err(Refusal::because(Errno::OpNotSupp, text));
        }
        set!(hairpin guard root_block fastleave learning flood mcast_flood bcast_flood isolated);
        if let Some(cost) = change.cost {
            (1..=65535).contains(&cost).then_some(()).ok_or(Errno::Range)?;
            self.cost = cost;
        }
        if let Some(priority) = change.priority {
            self.priority = u8::try_from(priority).ok().filter(|priority| *priority < 64).ok_or(Errno::Range)?;
        }
        if let Some(state) = change.state {
            self.set_state(state, up, running)?;
        }
        if let Some(router) = change.mcast_router {
            (router <= 3).then_some(()).ok_or(Errno::Inval)?;
            self.mcast_router = router;
        }
        if let Some(mask) = change.group_fwd_mask {
            (mask & 0b11 == 0).then_some(()).ok_or(Errno::Inval)?;
            self.group_fwd_mask = mask;
        }
        Ok(())
    }

    /// `br_set_port_state`
    fn set_state(&mut self, state: u8, up: bool, running: bool) -> Result<(), Errno> {
        let state = match state {
            0 => PortState::Disabled,
            1 => PortState::Listening,
            2 => PortState::Learning,
            3 => PortState::Forwarding,
            4 => PortState::Blocking,
            _ => return Err(Errno::Inval),
        };
        if !up || !running && state != PortState::Disabled {
            return Err(Errno::NetDown);
        }
        self.state = state;
        Ok(())
    }
}
