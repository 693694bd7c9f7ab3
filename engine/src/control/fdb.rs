//! Forwarding databases as requests and as listings (`bridge fdb`).

use super::{IfIndex, NeighborMode, Nud};
use crate::addr::{IpAddr, Mac};
use crate::time::Duration;

/// An entry as the user says it: `bridge fdb add MAC dev PORT …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FdbSpec {
    /// `add` (create), `append`, `replace`
    pub mode: FdbMode,
    /// The MAC.
    pub mac: Mac,
    /// `dev`
    pub port: IfIndex,
    /// `master`: of the bridge that the port belongs to.
    pub master: bool,
    /// `self`: of the device itself. (iproute2 says it if neither is said.)
    pub own: bool,
    /// `permanent` or `local` ([`Nud::Permanent`]), `static` ([`Nud::Noarp`]), `dynamic` ([`Nud::Reachable`]).
    pub state: Nud,
    /// `use`
    pub in_use: bool,
    /// `sticky`
    pub sticky: bool,
    /// `extern_learn`
    pub extern_learn: bool,
    /// `vlan`
    pub vlan: Option<u16>,
    /// `dst`, of a VXLAN.
    pub dst: Option<IpAddr>,
    /// `port` of `dst`.
    pub dport: Option<u16>,
    /// `vni` of `dst`.
    pub vni: Option<u32>,
    /// `via`
    pub via: Option<IfIndex>,
}

impl FdbSpec {
    /// Nothing is said but the MAC and the device, as of `bridge fdb add MAC dev PORT`.
    pub fn of(mac: Mac, port: IfIndex) -> FdbSpec {
        FdbSpec {
            mode: FdbMode::Neighbor(NeighborMode::Add),
            mac,
            port,
            master: false,
            own: true,
            state: Nud::Permanent,
            in_use: false,
            sticky: false,
            extern_learn: false,
            vlan: None,
            dst: None,
            dport: None,
            vni: None,
            via: None,
        }
    }
}

/// How `bridge fdb add|append|replace` differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdbMode {
    /// As for neighbours.
    Neighbor(NeighborMode),
    /// `NLM_F_CREATE | NLM_F_APPEND`: one more destination of the same MAC.
    Append,
}

/// An entry as `bridge fdb` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdbEntry {
    /// The MAC.
    pub mac: Mac,
    /// `dev`
    pub port: IfIndex,
    /// `master`: the bridge whose database it is in (`NDA_MASTER`).
    pub master: Option<IfIndex>,
    /// `self` (`NTF_SELF`)
    pub own: bool,
    /// [`Nud::Permanent`], [`Nud::Noarp`] (printed `static`), [`Nud::Reachable`] (printed as nothing; `stale` is
    /// [`Nud::Stale`]).
    pub state: Nud,
    /// `vlan`
    pub vlan: Option<u16>,
    /// `extern_learn`
    pub extern_learn: bool,
    /// `sticky`
    pub sticky: bool,
    /// Since a frame went to it, and since one came from it, where it is known (`NDA_CACHEINFO`).
    pub used: Option<(Duration, Duration)>,
    /// `dst`, of a VXLAN.
    pub dst: Option<IpAddr>,
    /// `port` of `dst`, if not the device's.
    pub dport: Option<u16>,
    /// `vni` of `dst`, if not the device's.
    pub vni: Option<u32>,
    /// `via`
    pub via: Option<IfIndex>,
}
