//! Bridges (`net/bridge`): one that forwards between its ports, learns who is behind which, and is a port of its namespace
//! itself.
//!
//! A bridge's own state is at its [`Port`](super::Port), and what it knows of a port at that one. How a frame goes through
//! is in `stack/bridge.rs`.

pub mod fdb;
mod member;
mod port;

pub use fdb::{Fdb, FdbRecord};
pub use port::{BridgePort, BridgePortChange, PortState};

use crate::addr::Mac;
use crate::control::{Errno, IfIndex, Refusal};
use crate::time::Duration;

/// Most ports of a bridge (`BR_MAX_PORTS`).
pub const MAX_PORTS: usize = 1 << 10;

/// A bridge. Times are in hundredths of a second, as `ip link` says them.
#[derive(Debug)]
pub struct Bridge {
    /// Its ports: the one that was taken in last is first, and floods go in that order.
    pub ports: Vec<IfIndex>,
    /// Who is where.
    pub fdb: Fdb,
    /// The MAC in its `bridge_id`: zero until it first had another than it was made with.
    pub id: Mac,
    /// The MAC was set by hand, and does not follow the ports any more.
    pub fixed_mac: bool,
    /// So was the MTU.
    pub fixed_mtu: bool,
    /// What can be set.
    pub conf: BridgeConf,
}

/// What can be set on a bridge, as a new one has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "iproute2's own names")]
pub struct BridgeConf {
    pub forward_delay: u32,
    pub hello_time: u32,
    pub max_age: u32,
    pub ageing_time: u32,
    pub stp_state: u32,
    pub priority: u16,
    pub group_fwd_mask: u16,
    pub group_address: Mac,
    pub mcast_snooping: bool,
    pub mcast_router: u8,
    pub mcast_query_use_ifaddr: bool,
    pub mcast_querier: bool,
    pub mcast_hash_max: u32,
    pub mcast_last_member_count: u32,
    pub mcast_startup_query_count: u32,
    pub mcast_last_member_interval: u64,
    pub mcast_membership_interval: u64,
    pub mcast_querier_interval: u64,
    pub mcast_query_interval: u64,
    pub mcast_query_response_interval: u64,
    pub mcast_startup_query_interval: u64,
    pub mcast_stats_enabled: bool,
    pub mcast_igmp_version: u8,
    pub mcast_mld_version: u8,
    pub nf_call_iptables: bool,
    pub nf_call_ip6tables: bool,
    pub nf_call_arptables: bool,
    pub no_linklocal_learn: bool,
    pub fdb_max_learned: u32,
}

impl Default for BridgeConf {
    fn default() -> BridgeConf {
        BridgeConf {
            forward_delay: 1500,
            hello_time: 200,
            max_age: 2000,
            ageing_time: 30_000,
            stp_state: 0,
            priority: 0x8000,
            group_fwd_mask: 0,
            group_address: Mac([0x01, 0x80, 0xc2, 0, 0, 0]),
            mcast_snooping: true,
            mcast_router: 1,
            mcast_query_use_ifaddr: false,
            mcast_querier: false,
            mcast_hash_max: 4096,
            mcast_last_member_count: 2,
            mcast_startup_query_count: 2,
            mcast_last_member_interval: 100,
            mcast_membership_interval: 26_000,
            mcast_querier_interval: 25_500,
            mcast_query_interval: 12_500,
            mcast_query_response_interval: 1000,
            // A quarter of `mcast_query_interval`, in ticks of 4 ms.
            mcast_startup_query_interval: 3124,
            mcast_stats_enabled: false,
            mcast_igmp_version: 2,
            mcast_mld_version: 1,
            nf_call_iptables: false,
            nf_call_ip6tables: false,
            nf_call_arptables: false,
            no_linklocal_learn: false,
            fdb_max_learned: 0,
        }
    }
}

/// `ip link add|set BRIDGE type bridge …`: what is said; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "iproute2's own names")]
pub struct BridgeChange {
    pub forward_delay: Option<u32>,
    pub hello_time: Option<u32>,
    pub max_age: Option<u32>,
    pub ageing_time: Option<u32>,
    pub stp_state: Option<u32>,
    pub priority: Option<u16>,
    pub vlan_filtering: Option<u8>,
    pub vlan_protocol: Option<u16>,
    pub vlan_default_pvid: Option<u16>,
    pub vlan_stats_enabled: Option<u8>,
    pub group_fwd_mask: Option<u16>,
    pub group_address: Option<Mac>,
    pub mcast_snooping: Option<bool>,
    pub mcast_router: Option<u8>,
    pub mcast_query_use_ifaddr: Option<bool>,
    pub mcast_querier: Option<bool>,
    pub mcast_hash_max: Option<u32>,
    pub mcast_last_member_count: Option<u32>,
    pub mcast_startup_query_count: Option<u32>,
    pub mcast_last_member_interval: Option<u64>,
    pub mcast_membership_interval: Option<u64>,
    pub mcast_querier_interval: Option<u64>,
    pub mcast_query_interval: Option<u64>,
    pub mcast_query_response_interval: Option<u64>,
    pub mcast_startup_query_interval: Option<u64>,
    pub mcast_stats_enabled: Option<bool>,
    pub mcast_igmp_version: Option<u8>,
    pub mcast_mld_version: Option<u8>,
    pub nf_call_iptables: Option<bool>,
    pub nf_call_ip6tables: Option<bool>,
    pub nf_call_arptables: Option<bool>,
    pub no_linklocal_learn: Option<bool>,
    pub mcast_vlan_snooping: Option<bool>,
    pub fdb_max_learned: Option<u32>,
    /// `fdb_flush`
    pub fdb_flush: bool,
}

/// What a new bridge is told.
pub type BridgeSpec = BridgeChange;

impl Bridge {
    /// A new one, without ports.
    pub fn new() -> Bridge {
        let conf = BridgeConf::default();
        Bridge { ports: Vec::new(), fdb: Fdb::new(), id: Mac::ZERO, fixed_mac: false, fixed_mtu: false, conf }
    }

    /// How long what was learned is known; zero: nothing is learned.
    pub fn hold_time(&self) -> Duration {
        Duration::from_millis(u64::from(self.conf.ageing_time) * 10)
    }
}

impl Default for Bridge {
    fn default() -> Bridge {
        Bridge::new()
    }
}

impl BridgeConf {
    /// `br_changelink`: one after the other; what was done before a refusal stays done.
    pub fn change(&mut self, change: &BridgeChange) -> Result<(), Refusal> {
        macro_rules! set {
            ($($field:ident)*) => { $(if let Some(value) = change.$field { self.$field = value; })* };
        }
        if let Some(delay) = change.forward_delay {
            let wrong = self.stp_state != 0 && !(200..=3000).contains(&delay);
            (!wrong).then_some(()).ok_or(Errno::Range)?;
            self.forward_delay = delay;
        }
        if let Some(time) = change.hello_time {
            (100..=1000).contains(&time).then_some(()).ok_or(Errno::Range)?;
            self.hello_time = time;
        }
        if let Some(age) = change.max_age {
            (600..=4000).contains(&age).then_some(()).ok_or(Errno::Range)?;
            self.max_age = age;
        }
        set!(ageing_time);
        if change.stp_state.is_some_and(|state| state != 0) {
            return Err(Refusal::because(Errno::OpNotSupp, "vethlab: the spanning tree protocol is not simulated"));
        }
        set!(stp_state priority);
        // As a kernel without CONFIG_BRIDGE_VLAN_FILTERING answers.
        if change.vlan_filtering.is_some() {
            return Err(Errno::OpNotSupp.into());
        }
        if let Some(mask) = change.group_fwd_mask {
            // Pause frames and the bridge's own group are never passed on by a mask.
            (mask & 0b111 == 0).then_some(()).ok_or(Errno::Inval)?;
            self.group_fwd_mask = mask;
        }
        if let Some(Mac(address)) = change.group_address {
            let Mac(prefix) = BridgeConf::default().group_address;
            let wrong = address[..5] != prefix[..5] || address[5] & 0xf0 != 0 || matches!(address[5], 1..=3);
            (!wrong).then_some(()).ok_or(Errno::Inval)?;
            self.group_address = Mac(address);
        }
        set!(mcast_snooping);
        if let Some(router) = change.mcast_router {
            (router <= 2).then_some(()).ok_or(Errno::Inval)?;
            self.mcast_router = router;
        }
        set!(mcast_query_use_ifaddr mcast_querier mcast_hash_max mcast_last_member_count mcast_startup_query_count
            mcast_last_member_interval mcast_membership_interval mcast_querier_interval mcast_query_interval
            mcast_query_response_interval mcast_startup_query_interval mcast_stats_enabled);
        if let Some(version) = change.mcast_igmp_version {
            (2..=3).contains(&version).then_some(()).ok_or(Errno::Inval)?;
            self.mcast_igmp_version = version;
        }
        if let Some(version) = change.mcast_mld_version {
            (1..=2).contains(&version).then_some(()).ok_or(Errno::Inval)?;
            self.mcast_mld_version = version;
        }
        if change.mcast_vlan_snooping == Some(true) {
            let text = "bridge: Cannot enable multicast vlan snooping with vlan filtering disabled";
            return Err(Refusal::because(Errno::Inval, text));
        }
        set!(nf_call_iptables nf_call_ip6tables nf_call_arptables no_linklocal_learn fdb_max_learned);
        Ok(())
    }
}
