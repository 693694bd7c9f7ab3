//! Forwarding databases as requests and as a listing (`rtnl_fdb_add`, `rtnl_fdb_dump`, `br_fdb_add`).

use super::Stack;
use crate::addr::Mac;
use crate::config::Config;
use crate::control::{Errno, FdbEntry, FdbMode, FdbSpec, IfIndex, NeighborMode, Nud, Refusal};
use crate::link::bridge::{Bridge, FdbRecord, PortState};
use crate::link::virt::{Place, Takes};
use crate::link::{MacvlanMode, Port, PortKind, Upper, Vxlan};
use crate::time::Time;

/// Most MACs that a port is told to hear by hand.
const FILTERS: usize = 4096;

/// The groups that bridges listen to for others who snoop.
const SNOOPERS: [Mac; 2] = [Mac([1, 0, 0x5e, 0, 0, 0x6a]), Mac([0x33, 0x33, 0, 0, 0, 0x6a])];

fn may_create(mode: FdbMode) -> bool {
    mode != FdbMode::Neighbor(NeighborMode::Change)
}

fn exclusive(mode: FdbMode) -> bool {
    mode == FdbMode::Neighbor(NeighborMode::Add)
}

/// `fdb_vid_parse`
fn vlan_is_valid(spec: &FdbSpec) -> Result<(), Refusal> {
    match spec.vlan {
        Some(vlan) if !(1..4095).contains(&vlan) => Err(Refusal::because(Errno::Inval, "invalid vlan id")),
        _ => Ok(()),
    }
}

impl Stack {
    /// `bridge fdb add|append|replace`
    pub(super) fn fdb_add(&mut self, now: Time, spec: &FdbSpec) -> Result<(), Refusal> {
        vlan_is_valid(spec)?;
        let port = self.config.ports.get(spec.port).ok_or(Errno::NoDev)?;
        let (kind, master) = (port.kind, port.master);
        let by_master = master.filter(|_| spec.master || !spec.own);
        if let Some(master) = by_master {
            self.bridge_fdb_add(now, master, Some(spec.port), spec)?;
        }
        if spec.own {
            return match kind {
                PortKind::Bridge => self.bridge_fdb_add(now, spec.port, None, spec),
                PortKind::Vxlan => self.vxlan_fdb_add(now, spec),
                PortKind::Macvlan => Err(Errno::OpNotSupp.into()),
                _ => self.filter_add(spec),
            };
        }
        if by_master.is_some() { Ok(()) } else { Err(Errno::OpNotSupp.into()) }
    }

    /// `br_fdb_add`; `port`: `None` is the bridge itself.
    fn bridge_fdb_add(
        &mut self,
        now: Time,
        master: IfIndex,
        port: Option<IfIndex>,
        spec: &FdbSpec,
    ) -> Result<(), Refusal> {
        let state = port.and_then(|port| Some(self.config.ports.get(port)?.rare.bridge_port.as_ref()?.state));
        let learns = matches!(state, Some(PortState::Learning | PortState::Forwarding));
        // Without VLAN filtering a bridge knows no VLANs.
        if spec.mac == Mac::ZERO || spec.vlan.is_some() {
            return Err(Errno::Inval.into());
        }
        if spec.in_use {
            let Some(port) = port else {
                return Err(Refusal::because(Errno::Inval, "FDB entry towards bridge must be permanent"));
            };
            if learns {
                self.bridge_learn(now, master, port, spec.mac);
            }
            return Ok(());
        }
        match (port, spec.state) {
            (Some(_), Nud::Reachable) if !learns => return Err(Errno::Perm.into()),
            (None, state) if state != Nud::Permanent => return Err(Errno::Inval.into()),
            _ if spec.sticky && spec.state == Nud::Permanent => return Err(Errno::Inval.into()),
            _ => {}
        }
        let bridge = self.config.ports.bridge_mut(master);
        let bridge = bridge.ok_or(Errno::OpNotSupp)?;
        let hold = bridge.hold_time();
        match bridge.fdb.find(spec.mac) {
            Some(_) if exclusive(spec.mode) => return Err(Errno::Exist.into()),
            Some(_) => {}
            None if !may_create(spec.mode) => return Err(Errno::NoEnt.into()),
            None => {
                let record = FdbRecord { port, ..FdbRecord::learned(spec.mac, 0, now) };
                bridge.fdb.insert(record, hold).then_some(()).ok_or(Errno::NoSpc)?;
            }
        }
        let Some(record) = bridge.fdb.find_mut(spec.mac) else { return Ok(()) };
        (record.port, record.by_user, record.used, record.updated) = (port, true, now, now);
        record.set_state(if spec.extern_learn { Nud::Reachable } else { spec.state });
        (record.sticky, record.extern_learn) = (spec.sticky, spec.extern_learn);
        let record = *record;
        bridge.fdb.wake(&record, hold);
        Ok(())
    }

    /// `ndo_dflt_fdb_add`: a MAC that the port is to hear besides its own.
    fn filter_add(&mut self, spec: &FdbSpec) -> Result<(), Refusal> {
        let port = self.config.ports.get_mut(spec.port).ok_or(Errno::NoDev)?;
        if spec.state != Nud::Permanent || spec.vlan.is_some() || port.is_loopback() {
            return Err(Errno::Inval.into());
        }
        if port.rare.filters.contains(&spec.mac) {
            return if exclusive(spec.mode) { Err(Errno::Exist.into()) } else { Ok(()) };
        }
        if port.rare.filters.len() >= FILTERS {
            return Err(Errno::NoSpc.into());
        }
        port.rare.filters.push(spec.mac);
        Ok(())
    }

    /// `bridge fdb del`
    pub(super) fn fdb_delete(&mut self, spec: &FdbSpec) -> Result<(), Refusal> {
        vlan_is_valid(spec)?;
        let port = self.config.ports.get(spec.port).ok_or(Errno::NoDev)?;
        let (kind, master) = (port.kind, port.master);
        let by_master = master.filter(|_| spec.master || !spec.own);
        if let Some(master) = by_master {
            self.bridge_fdb_delete(master, Some(spec.port), spec.mac)?;
        }
        if !spec.own {
            return if by_master.is_some() { Ok(()) } else { Err(Errno::OpNotSupp.into()) };
        }
        match kind {
            PortKind::Bridge => self.bridge_fdb_delete(spec.port, None, spec.mac),
            PortKind::Vxlan => self.vxlan_fdb_delete(spec),
            PortKind::Macvlan => Err(Errno::OpNotSupp.into()),
            _ if spec.state != Nud::Permanent => Err(Errno::Inval.into()),
            _ => {
                let filters = self.config.ports.get_mut(spec.port).map(|port| &mut port.rare.filters);
                let filters = filters.ok_or(Errno::NoDev)?;
                let at = filters.iter().position(|mac| *mac == spec.mac).ok_or(Errno::NoEnt)?;
                filters.remove(at);
                Ok(())
            }
        }
    }

    fn bridge_fdb_delete(&mut self, master: IfIndex, port: Option<IfIndex>, mac: Mac) -> Result<(), Refusal> {
        let bridge = self.config.ports.bridge_mut(master);
        let bridge = bridge.ok_or(Errno::OpNotSupp)?;
        let known = bridge.fdb.find(mac).is_some_and(|record| record.port == port);
        known.then_some(()).ok_or(Errno::NoEnt)?;
        bridge.fdb.remove(mac);
        Ok(())
    }

    /// What has expired is forgotten.
    pub(super) fn fdb_tick(&mut self, now: Time) {
        if self.fdb_deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        let Config { switches, ports, .. } = &mut self.config;
        for index in &switches.vxlans {
            if let Some(vxlan) = ports.vxlan_mut(*index) {
                vxlan.expire(now);
            }
        }
        for index in &switches.bridges {
            if let Some(bridge) = ports.bridge_mut(*index)
                && bridge.fdb.deadline().is_some_and(|deadline| deadline <= now)
            {
                let hold = bridge.hold_time();
                bridge.fdb.expire(now, hold);
            }
        }
    }

    fn bridges(&self) -> impl Iterator<Item = &Bridge> {
        let Config { switches, ports, .. } = &self.config;
        switches.bridges.iter().filter_map(|index| ports.get(*index)?.rare.bridge.as_deref())
    }

    fn vxlans(&self) -> impl Iterator<Item = &Vxlan> {
        let Config { switches, ports, .. } = &self.config;
        switches.vxlans.iter().filter_map(|index| ports.get(*index)?.rare.vxlan.as_deref())
    }

    /// True if anything here learns who is where.
    #[inline]
    pub(super) fn has_fdb(&self) -> bool {
        !self.config.switches.bridges.is_empty() || !self.config.switches.vxlans.is_empty()
    }

    /// When something expires.
    pub(super) fn fdb_deadline(&self) -> Option<Time> {
        let bridges = self.bridges().filter_map(|bridge| bridge.fdb.deadline());
        bridges.chain(self.vxlans().filter_map(|vxlan| vxlan.gc)).min()
    }

    /// The forwarding databases of all bridges and VXLANs, and the groups that each port listens to, in the kernel's order
    /// (`bridge fdb`).
    pub fn fdb(&self, now: Time) -> Vec<FdbEntry> {
        let mut entries = Vec::new();
        for port in self.config.ports.iter() {
            if let Some(master) = port.master
                && let Some(bridge) = self.config.ports.get(master).and_then(|port| port.rare.bridge.as_deref())
            {
                list(&mut entries, now, bridge, master, Some(port.index));
            }
            self.vxlan_fdb(now, port, &mut entries);
            for mac in self.heard(port) {
                entries.push(FdbEntry { own: true, ..entry(mac, port.index) });
            }
            if let Some(bridge) = port.rare.bridge.as_deref() {
                list(&mut entries, now, bridge, port.index, None);
            }
        }
        entries
    }

    /// The MACs of the macvlans on a port that are up.
    fn macvlans_on(&self, port: &Port) -> Vec<Mac> {
        let is_up = |place: Place| match place {
            Place::Here(index) => self.config.ports.get(index).is_some_and(Port::is_up),
            Place::Elsewhere(_) => true,
        };
        let uppers = port.rare.uppers.iter().filter(|upper| is_up(upper.place));
        let mac = |upper: &Upper| match upper.takes {
            Takes::Mac(_, MacvlanMode::Passthru) | Takes::Tag(..) => None,
            Takes::Mac(mac, _) => Some(mac),
        };
        uppers.filter_map(mac).collect()
    }

    /// The MACs that a port hears besides its own: one host's, then groups, in the order in which they were joined.
    fn heard(&self, port: &Port) -> Vec<Mac> {
        // A VXLAN tells of its own only.
        if port.is_loopback() || port.kind == PortKind::Vxlan {
            return Vec::new();
        }
        let (mut macs, by_hand): (Vec<Mac>, Vec<Mac>) = port.rare.filters.iter().partition(|mac| !mac.is_multicast());
        macs.splice(0..0, self.macvlans_on(port));
        // All nodes are listened to from the start, and later while IPv6 is at work; what is made without IPv6 (as the
        // default then still says) is never told to stop.
        let sysctls = &self.config.sysctls;
        let at_work = match sysctls.on_port(&port.conf).disable_ipv6() {
            true => sysctls.on_port(sysctls.default()).disable_ipv6(),
            false => port.is_up(),
        };
        let ipv6 = port.has_ipv6() && (at_work || !port.was_up);
        macs.extend(ipv6.then_some(Mac([0x33, 0x33, 0, 0, 0, 1])));
        if port.is_up() {
            let snoops = port.rare.bridge.as_deref().is_some_and(|bridge| bridge.conf.mcast_snooping);
            macs.extend(SNOOPERS.iter().filter(|_| snoops));
            macs.extend(port.has_ipv4().then_some(Mac([1, 0, 0x5e, 0, 0, 1])));
            for address in &port.addresses6 {
                let [.., a, b, c] = address.local.octets();
                let group = Mac([0x33, 0x33, 0xff, a, b, c]);
                if !macs.contains(&group) {
                    macs.push(group);
                }
            }
        }
        macs.extend(by_hand);
        macs
    }
}

/// An entry with nothing said but whose it is.
pub(super) fn entry(mac: Mac, port: IfIndex) -> FdbEntry {
    FdbEntry {
        mac,
        port,
        master: None,
        own: false,
        state: Nud::Permanent,
        vlan: None,
        extern_learn: false,
        sticky: false,
        used: None,
        dst: None,
        dport: None,
        vni: None,
        via: None,
    }
}

/// The records of one port, or of the bridge itself.
fn list(entries: &mut Vec<FdbEntry>, now: Time, bridge: &Bridge, master: IfIndex, port: Option<IfIndex>) {
    let hold = bridge.hold_time();
    entries.extend(bridge.fdb.iter().filter(|record| record.port == port).map(|record| FdbEntry {
        master: Some(master),
        state: record.state(now, hold),
        extern_learn: record.extern_learn,
        sticky: record.sticky,
        used: Some((now.since(record.used), now.since(record.updated))),
        ..entry(record.mac, port.unwrap_or(master))
    }));
}
