//! VXLANs (RFC 7348): what one is told, and who is behind which host (`drivers/net/vxlan/vxlan_core.c`).

use super::virt::Place;
use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::control::{IfIndex, Nud};
use crate::time::{Duration, Time};
use std::collections::BTreeMap;

/// Most records of one VXLAN.
pub const MOST: usize = 1 << 16;
/// Most hosts of one record.
pub const REMOTES: usize = 256;
/// Expired records are looked for every so often (`FDB_AGE_INTERVAL`).
pub const AGE_INTERVAL: Duration = Duration::from_secs(10);

/// A VXLAN as the user says it (`type vxlan`). `None` is "not said".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "iproute2's own names")]
pub struct VxlanSpec {
    pub id: u32,
    /// `remote` or `group`
    pub remote: Option<IpAddr>,
    pub local: Option<IpAddr>,
    pub dev: Option<IfIndex>,
    /// `dstport`; iproute2 leaves the kernel's own (8472) if it is not said.
    pub dstport: Option<u16>,
    pub ttl: u8,
    pub tos: u8,
    pub learning: bool,
    pub ageing: u32,
    pub max_addresses: u32,
    pub srcport: (u16, u16),
    pub df: u8,
}

impl VxlanSpec {
    /// Nothing is said but the number.
    pub fn of(id: u32) -> VxlanSpec {
        VxlanSpec {
            id,
            remote: None,
            local: None,
            dev: None,
            dstport: None,
            ttl: 0,
            tos: 0,
            learning: true,
            ageing: 300,
            max_addresses: 0,
            srcport: (0, 0),
            df: 0,
        }
    }

    /// The UDP port that it listens on and sends to.
    pub fn port(&self) -> u16 {
        self.dstport.filter(|port| *port != 0).unwrap_or(8472)
    }

    /// `remote` or `group`, if it is IPv4's.
    pub fn remote4(&self) -> Option<Ipv4Addr> {
        match self.remote {
            Some(IpAddr::V4(remote)) if !remote.is_unspecified() => Some(remote),
            _ => None,
        }
    }
}

/// Where frames are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// `dst`
    pub ip: Ipv4Addr,
    /// `port`
    pub port: u16,
    /// `vni`
    pub vni: u32,
    /// `via`
    pub via: Option<IfIndex>,
}

/// Who is behind which hosts.
#[derive(Clone, Debug)]
pub struct VxlanRecord {
    /// [`Nud::Permanent`], [`Nud::Noarp`] (static), [`Nud::Reachable`] (learned).
    pub state: Nud,
    /// Where frames to it are sent, each.
    pub remotes: Vec<Remote>,
    /// A frame went to it last.
    pub used: Time,
    /// A frame came from it last.
    pub updated: Time,
    /// How many were made before it.
    pub sequence: u64,
}

/// A VXLAN.
#[derive(Debug)]
pub struct Vxlan {
    /// What was said of it.
    pub spec: VxlanSpec,
    /// The namespace whose routes its datagrams take is this one, or another (`vxlan->net`).
    pub underlay: Underlay,
    /// By MAC; that of zeros is for all that are not known.
    pub records: BTreeMap<Mac, VxlanRecord>,
    made: u64,
    /// When something is looked for that has expired.
    pub gc: Option<Time>,
}

/// The namespace whose routes the datagrams of a VXLAN take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Underlay {
    /// The one that the VXLAN is in.
    Here,
    /// The one that it was made in, under this number.
    Elsewhere(u64),
}

/// The end of a VXLAN in the namespace whose routes its datagrams take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vtep {
    /// Where the VXLAN is.
    pub place: Place,
    /// The UDP port.
    pub port: u16,
    /// The VXLAN's number.
    pub vni: u32,
    /// The group that it listens to.
    pub group: Option<Ipv4Addr>,
    /// It is up, and its socket open.
    pub up: bool,
}

impl Vxlan {
    /// A new one: what it does not know it sends to its remote.
    pub fn new(spec: VxlanSpec, now: Time) -> Vxlan {
        let mut vxlan = Vxlan { spec, underlay: Underlay::Here, records: BTreeMap::new(), made: 0, gc: None };
        if let Some(ip) = spec.remote4() {
            let remote = Remote { ip, port: spec.port(), vni: spec.id, via: spec.dev };
            vxlan.add(Mac::ZERO, Nud::Permanent, remote, now);
        }
        vxlan
    }

    /// A new record; there must be none of that MAC. False if there is no room.
    pub fn add(&mut self, mac: Mac, state: Nud, remote: Remote, now: Time) -> bool {
        let most = match self.spec.max_addresses {
            0 => MOST,
            most => MOST.min(most as usize),
        };
        if self.records.len() >= most {
            return false;
        }
        self.made += 1;
        let record = VxlanRecord { state, remotes: vec![remote], used: now, updated: now, sequence: self.made };
        self.records.insert(mac, record);
        if state == Nud::Reachable {
            self.gc.get_or_insert(now + AGE_INTERVAL);
        }
        true
    }

    /// A frame came from there (`vxlan_snoop`). False: it is not to be trusted.
    pub fn learn(&mut self, mac: Mac, from: Ipv4Addr, now: Time) -> bool {
        if !self.spec.learning {
            return true;
        }
        let remote = Remote { ip: from, port: self.spec.port(), vni: self.spec.id, via: None };
        match self.records.get_mut(&mac) {
            None => {
                self.add(mac, Nud::Reachable, remote, now);
                true
            }
            Some(known) if known.remotes.first().is_some_and(|known| known.ip == from) => {
                known.updated = now;
                true
            }
            Some(known) if known.state != Nud::Reachable => false,
            Some(known) => {
                if let Some(place) = known.remotes.first_mut() {
                    place.ip = from;
                }
                known.updated = now;
                true
            }
        }
    }

    /// Forgets what was not used for long (`vxlan_cleanup`).
    pub fn expire(&mut self, now: Time) {
        if self.gc.is_none_or(|gc| gc > now) {
            return;
        }
        let age = Duration::from_secs(self.spec.ageing.into());
        let ages = |record: &VxlanRecord| record.state == Nud::Reachable && !age.is_zero();
        self.records.retain(|_, record| !ages(record) || record.used.max(record.updated) + age > now);
        self.gc = self.records.values().any(ages).then(|| now + AGE_INTERVAL);
    }
}
