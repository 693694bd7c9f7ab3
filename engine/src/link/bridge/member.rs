//! A bridge takes ports in and lets them go (`br_if.c`), and heeds what happens to them (`br.c`): its MAC, its MTU, its
//! carrier, the states of its ports.

use super::fdb::FdbRecord;
use super::{Bridge, BridgePort, BridgePortChange, MAX_PORTS, PortState};
use crate::addr::Mac;
use crate::config::Config;
use crate::control::{Errno, IfIndex, Refusal};
use crate::link::virt::Takes;
use crate::link::vxlan::Underlay;
use crate::link::{OperState, Port, PortKind};
use crate::time::Time;

/// MTU of a bridge without ports.
const MTU: u32 = 1500;

/// True if the port can send, as far as the namespace has noticed (`netif_running && netif_oper_up`).
fn runs(port: &Port) -> bool {
    port.is_up() && matches!(port.operstate, OperState::Up | OperState::Unknown)
}

impl Config {
    /// `ip link set PORT master BRIDGE`, `nomaster` (`do_set_master`).
    pub(in crate::link) fn set_master(
        &mut self,
        now: Time,
        index: IfIndex,
        master: Option<IfIndex>,
    ) -> Result<(), Refusal> {
        let port = self.ports.get(index).ok_or(Errno::NoDev)?;
        if port.master == master {
            return Ok(());
        }
        if port.master.is_some() {
            self.master_leave(now, index);
        }
        let Some(master) = master else { return Ok(()) };
        let bridge = self.ports.get(master).ok_or(Errno::Inval)?;
        if bridge.kind != PortKind::Bridge {
            return Err(Errno::OpNotSupp.into());
        }
        self.bridge_may_take(index, master)?;
        self.master_join(now, index, master);
        Ok(())
    }

    /// What `br_add_if` refuses.
    fn bridge_may_take(&self, index: IfIndex, master: IfIndex) -> Result<(), Refusal> {
        let port = self.ports.get(index).ok_or(Errno::NoDev)?;
        if port.is_loopback() || port.mac.is_multicast() || port.mac == Mac::ZERO {
            return Err(Errno::Inval.into());
        }
        if port.kind == PortKind::Bridge {
            return Err(Refusal::because(Errno::Loop, "Can not enslave a bridge to a bridge"));
        }
        let bridge = self.ports.get(master).and_then(|port| port.rare.bridge.as_deref());
        let full = bridge.is_none_or(|bridge| bridge.ports.len() >= MAX_PORTS - 1);
        // A macvlan on it has its frames already.
        let taken = port.rare.uppers.iter().any(|upper| matches!(upper.takes, Takes::Mac(..)));
        if full || taken || self.stands_on(index, master) {
            return Err(Errno::Busy.into());
        }
        Ok(())
    }

    /// True if a link stands on another, by however many links in between.
    fn stands_on(&self, upper: IfIndex, lower: IfIndex) -> bool {
        let mut at = self.ports.get(upper).and_then(Port::lower_here);
        while let Some(index) = at {
            if index == lower {
                return true;
            }
            at = self.ports.get(index).and_then(Port::lower_here);
        }
        false
    }

    /// `br_add_if`
    fn master_join(&mut self, now: Time, index: IfIndex, master: IfIndex) {
        let Some(bridge) = self.ports.get(master).and_then(|port| port.rare.bridge.as_deref()) else { return };
        let numbers: Vec<u16> = bridge
            .ports
            .iter()
            .filter_map(|index| Some(self.ports.get(*index)?.rare.bridge_port.as_ref()?.number))
            .collect();
        let number = (1..MAX_PORTS as u16).find(|number| !numbers.contains(number)).unwrap_or(0);
        let cost = self.path_cost(index);
        let Some(port) = self.ports.get_mut(index) else { return };
        port.master = Some(master);
        port.rare.bridge_port = Some(Box::new(BridgePort { cost, ..BridgePort::new(number) }));
        let mac = port.mac;
        if let Some(bridge) = self.bridge_mut(master) {
            bridge.ports.insert(0, index);
        }
        self.bridge_own_mac(now, master, Some(index), mac);
        self.bridge_follow_mac(now, master);
        self.bridge_enable_port(index);
        self.bridge_select(master);
        self.bridge_follow_mtu(now, master);
    }

    /// `port_cost`: by a device's speed, which a cable has, and what stands on one; others do not tell.
    fn path_cost(&self, index: IfIndex) -> u32 {
        let mut at = self.ports.get(index);
        while let Some(port) = at {
            match port.kind {
                PortKind::Loopback | PortKind::Dummy | PortKind::Bridge => return 100,
                PortKind::Vlan | PortKind::Macvlan => at = port.lower_here().and_then(|lower| self.ports.get(lower)),
                PortKind::Vxlan => match port.rare.vxlan.as_ref().map(|vxlan| (vxlan.spec.dev, vxlan.underlay)) {
                    Some((Some(device), Underlay::Here)) => at = self.ports.get(device),
                    Some((Some(_), Underlay::Elsewhere(_))) => break,
                    Some((None, _)) | None => return 100,
                },
                PortKind::Ethernet => break,
            }
        }
        2
    }

    /// `br_del_if`
    pub(in crate::link) fn master_leave(&mut self, now: Time, index: IfIndex) {
        let Some(master) = self.ports.get(index).and_then(|port| port.master) else { return };
        self.bridge_disable_port(index);
        if let Some(bridge) = self.bridge_mut(master) {
            bridge.ports.retain(|port| *port != index);
        }
        let gone = |record: &FdbRecord| record.port == Some(index);
        let macs: Vec<(Mac, bool)> = match self.ports.get(master).and_then(|port| port.rare.bridge.as_deref()) {
            Some(bridge) => bridge.fdb.iter().filter(|r| gone(r)).map(|r| (r.mac, r.local)).collect(),
            None => Vec::new(),
        };
        for (mac, local) in macs {
            self.bridge_forget(master, Some(index), mac, local);
        }
        if let Some(port) = self.ports.get_mut(index) {
            port.master = None;
            port.rare.bridge_port = None;
        }
        self.bridge_follow_mac(now, master);
        self.bridge_follow_mtu(now, master);
        self.bridge_select(master);
    }

    /// A bridge is about to go: its ports are free.
    pub(in crate::link) fn bridge_leave_all(&mut self, now: Time, master: IfIndex) {
        while let Some(port) = self.ports.get(master).and_then(|port| port.rare.bridge.as_ref()?.ports.first().copied())
        {
            self.master_leave(now, port);
        }
    }

    fn bridge_mut(&mut self, master: IfIndex) -> Option<&mut Bridge> {
        self.ports.get_mut(master)?.rare.bridge.as_deref_mut()
    }

    /// A MAC of our own is known (`fdb_add_local`); of several ports with one MAC the first one has it.
    pub(crate) fn bridge_own_mac(&mut self, now: Time, master: IfIndex, port: Option<IfIndex>, mac: Mac) {
        if mac.is_multicast() || mac == Mac::ZERO {
            return;
        }
        let Some(bridge) = self.bridge_mut(master) else { return };
        if bridge.fdb.find(mac).is_some_and(|known| known.local) {
            return;
        }
        bridge.fdb.remove(mac);
        let hold = bridge.hold_time();
        bridge.fdb.insert(FdbRecord::own(mac, port, now), hold);
    }

    /// A MAC is no longer behind that port. One of our own may be another port's as well, or the bridge's
    /// (`fdb_delete_local`).
    fn bridge_forget(&mut self, master: IfIndex, port: Option<IfIndex>, mac: Mac, local: bool) {
        let Some(bridge_port) = self.ports.get(master) else { return };
        let Some(bridge) = bridge_port.rare.bridge.as_deref() else { return };
        let has_it = |index: &&IfIndex| self.ports.get(**index).is_some_and(|other| other.mac == mac);
        let other = bridge.ports.iter().filter(|index| Some(**index) != port).find(has_it).copied();
        let own = port.is_some() && bridge_port.mac == mac;
        let Some(bridge) = self.bridge_mut(master) else { return };
        let heir = if local && other.is_some() { Some(other) } else { (local && own).then_some(None) };
        match (heir, bridge.fdb.find_mut(mac)) {
            (Some(heir), Some(record)) => (record.port, record.by_user) = (heir, false),
            _ => drop(bridge.fdb.remove(mac)),
        }
    }

    /// The bridge's MAC is the lowest of its ports', unless it was set by hand (`br_stp_recalculate_bridge_id`).
    fn bridge_follow_mac(&mut self, now: Time, master: IfIndex) {
        let Some(bridge) = self.ports.get(master).and_then(|port| port.rare.bridge.as_deref()) else { return };
        if bridge.fixed_mac {
            return;
        }
        let macs = bridge.ports.iter().filter_map(|index| Some(self.ports.get(*index)?.mac));
        let lowest = macs.min().unwrap_or(Mac::ZERO);
        if bridge.id != lowest {
            self.bridge_set_mac(now, master, lowest);
            self.port_address_changed(now, master);
        }
    }

    /// `br_stp_change_bridge_id`
    pub(crate) fn bridge_set_mac(&mut self, now: Time, master: IfIndex, mac: Mac) {
        let Some(port) = self.ports.get_mut(master) else { return };
        let before = port.mac;
        let Some(bridge) = port.rare.bridge.as_deref_mut() else { return };
        bridge.id = mac;
        let known = bridge.fdb.find(before);
        let ours = known.is_some_and(|record| record.local && record.port.is_none() && !record.by_user);
        if ours {
            self.bridge_forget(master, None, before, true);
        }
        self.bridge_own_mac(now, master, None, mac);
        if let Some(port) = self.ports.get_mut(master) {
            port.mac = mac;
        }
        self.bridge_select(master);
    }

    /// The bridge's MTU is the smallest of its ports', unless it was set by hand (`br_mtu_auto_adjust`).
    fn bridge_follow_mtu(&mut self, now: Time, master: IfIndex) {
        let Some(port) = self.ports.get(master) else { return };
        let Some(bridge) = port.rare.bridge.as_deref().filter(|bridge| !bridge.fixed_mtu) else { return };
        let mtus = bridge.ports.iter().filter_map(|index| Some(self.ports.get(*index)?.mtu));
        let (before, mtu) = (port.mtu, mtus.min().unwrap_or(MTU));
        if mtu == before {
            return;
        }
        if let Some(port) = self.ports.get_mut(master) {
            port.mtu = mtu;
        }
        self.port_mtu_changed(now, master, before);
    }

    /// `br_stp_enable_port`: without a spanning tree, a port that runs forwards.
    fn bridge_enable_port(&mut self, index: IfIndex) {
        let Some(port) = self.ports.get(index).filter(|port| runs(port)) else { return };
        if !port.master.and_then(|master| self.ports.get(master)).is_some_and(Port::is_up) {
            return;
        }
        if let Some(port) = self.ports.get_mut(index).and_then(|port| port.rare.bridge_port.as_mut()) {
            port.state = PortState::Blocking;
        }
    }

    /// `br_stp_disable_port`: what was learned of it is forgotten.
    fn bridge_disable_port(&mut self, index: IfIndex) {
        let Some(port) = self.ports.get_mut(index) else { return };
        let (Some(master), Some(bridge_port)) = (port.master, port.rare.bridge_port.as_mut()) else { return };
        bridge_port.state = PortState::Disabled;
        self.bridge_flush_port(master, index);
    }

    fn bridge_flush_port(&mut self, master: IfIndex, index: IfIndex) {
        if let Some(bridge) = self.bridge_mut(master) {
            bridge.fdb.retain(|record| record.port != Some(index) || record.fixed || record.extern_learn);
        }
    }

    /// `br_port_state_selection`: what is blocked forwards, and a bridge has a carrier while one of its ports forwards.
    fn bridge_select(&mut self, master: IfIndex) {
        let Some(bridge) = self.ports.get(master).and_then(|port| port.rare.bridge.as_deref()) else { return };
        let mut live = false;
        for at in 0..bridge.ports.len() {
            let index = self.ports.get(master).and_then(|port| port.rare.bridge.as_ref()?.ports.get(at).copied());
            let port = index.and_then(|index| self.ports.get_mut(index));
            let Some(port) = port.and_then(|port| port.rare.bridge_port.as_mut()) else { continue };
            if port.state == PortState::Blocking {
                port.state = PortState::Forwarding;
            }
            live |= port.state == PortState::Forwarding;
        }
        self.set_carrier(master, live);
    }

    /// A port of a bridge was set up or down, or got or lost its carrier (`br_device_event`, `br_port_carrier_check`).
    pub(in crate::link) fn member_changed(&mut self, index: IfIndex) {
        let Some(port) = self.ports.get(index) else { return };
        let (Some(master), Some(bridge_port)) = (port.master, port.rare.bridge_port.as_ref()) else { return };
        if !self.ports.get(master).is_some_and(Port::is_up) {
            return;
        }
        match (runs(port), bridge_port.state == PortState::Disabled) {
            (true, true) => self.bridge_enable_port(index),
            (false, false) => self.bridge_disable_port(index),
            _ => return,
        }
        self.bridge_select(master);
    }

    /// A port of a bridge has another MAC.
    pub(in crate::link) fn member_address_changed(&mut self, now: Time, index: IfIndex) {
        let Some(port) = self.ports.get(index) else { return };
        let (Some(master), mac) = (port.master, port.mac) else { return };
        let Some(bridge) = self.bridge_mut(master) else { return };
        let ours = |record: &&FdbRecord| record.port == Some(index) && record.local && !record.by_user;
        let before = bridge.fdb.iter().find(ours).map(|record| record.mac);
        if let Some(before) = before {
            self.bridge_forget(master, Some(index), before, true);
        }
        self.bridge_own_mac(now, master, Some(index), mac);
        self.bridge_follow_mac(now, master);
    }

    /// A port of a bridge has another MTU.
    pub(in crate::link) fn member_mtu_changed(&mut self, now: Time, index: IfIndex) {
        if let Some(master) = self.ports.get(index).and_then(|port| port.master) {
            self.bridge_follow_mtu(now, master);
        }
    }

    /// A bridge was set up (`br_stp_enable_bridge`) or down (`br_stp_disable_bridge`).
    pub(in crate::link) fn bridge_opened(&mut self, master: IfIndex, up: bool) {
        let Some(bridge) = self.ports.get(master).and_then(|port| port.rare.bridge.as_deref()) else { return };
        let ports = bridge.ports.clone();
        for index in &ports {
            if up {
                self.bridge_enable_port(*index);
            } else {
                self.bridge_disable_port(*index);
            }
        }
        if !ports.is_empty() {
            self.bridge_select(master);
        }
    }

    /// `ip link set PORT type bridge_slave …`
    pub(in crate::link) fn member_set(&mut self, index: IfIndex, change: &BridgePortChange) -> Result<(), Refusal> {
        let Some(port) = self.ports.get_mut(index) else { return Err(Errno::NoDev.into()) };
        let (up, running) = (port.is_up(), runs(port));
        let (Some(master), Some(bridge_port)) = (port.master, port.rare.bridge_port.as_mut()) else {
            return Err(Errno::OpNotSupp.into());
        };
        bridge_port.change(change, up, running)?;
        if change.fdb_flush {
            self.bridge_flush_port(master, index);
        }
        if change.state.is_some() {
            self.bridge_select(master);
        }
        Ok(())
    }

    /// `ip link set BRIDGE type bridge …`
    pub(in crate::link) fn bridge_set(
        &mut self,
        now: Time,
        index: IfIndex,
        change: &super::BridgeChange,
    ) -> Result<(), Refusal> {
        let Some(port) = self.ports.get_mut(index) else { return Err(Errno::NoDev.into()) };
        let Some(bridge) = port.rare.bridge.as_deref_mut() else { return Err(Errno::OpNotSupp.into()) };
        bridge.conf.change(change)?;
        let hold = bridge.hold_time();
        if change.ageing_time.is_some() {
            bridge.fdb.expire(now, hold);
        }
        if change.fdb_flush {
            bridge.fdb.retain(|record| record.fixed);
        }
        if change.priority.is_some() {
            // Without a port a bridge had a carrier up to now.
            self.bridge_select(index);
        }
        Ok(())
    }
}
