//! `ip link add` of links that are made of others, or of nothing: bridges, dummies, VLANs, macvlans, VXLANs.

use super::links::EndAdd;
use super::stand::Spot;
use super::{LinkAdd, LinkKind, NsId, Peer, World};
use vethlab_engine::addr::{IpAddr, Mac};
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange, Refusal};
use vethlab_engine::link::virt::Takes;
use vethlab_engine::link::{BridgeConf, BridgeSpec, MacvlanMode, Port, VxlanSpec};

/// Most links that stand on each other (`MAX_NEST_DEV`).
const NEST: usize = 8;
/// Bytes by which a VXLAN's frames are longer than its link's packets (`VXLAN_HEADROOM`).
pub(super) const VXLAN_HEADROOM: u32 = 50;

impl World {
    /// `ip link add` of anything but a cable.
    pub(super) fn link_add_virtual(&mut self, ns: NsId, link: &LinkAdd) -> Result<IfIndex, Refusal> {
        let LinkAdd { index, address, mtu, txqueuelen, .. } = *link;
        let end = EndAdd { ns, name: link.name.as_deref(), index, address, mtu, txqueuelen };
        self.netns_exists(ns).then_some(()).ok_or(Errno::Inval)?;
        let ports = self.stack(ns).ports();
        let named = link.name.as_deref().is_some_and(|name| ports.named(name).is_some());
        if named || index.is_some_and(|index| ports.get(index).is_some()) {
            return Err(Errno::Exist.into());
        }
        if address.is_some_and(|mac| mac.is_multicast() || mac == Mac::ZERO) {
            return Err(Errno::AddrNotAvail.into());
        }
        let index = match &link.kind {
            LinkKind::Dummy => self.register_as(&end, "dummy%d", Port::new_dummy)?,
            LinkKind::Bridge(spec) => self.bridge_add(&end, spec)?,
            LinkKind::Vlan { link, link_netns, id, protocol } => {
                self.vlan_add(&end, (link_netns.unwrap_or(ns), *link), *id, *protocol)?
            }
            LinkKind::Macvlan { link, link_netns, mode } => {
                self.macvlan_add(&end, (link_netns.unwrap_or(ns), *link), *mode)?
            }
            LinkKind::Vxlan(spec) => self.vxlan_add(&end, spec)?,
            LinkKind::Veth { .. } | LinkKind::Other(_) => {
                return Err(Refusal::because(Errno::OpNotSupp, "Unknown device type"));
            }
        };
        self.finish();
        Ok(index)
    }

    fn bridge_add(&mut self, end: &EndAdd<'_>, spec: &BridgeSpec) -> Result<IfIndex, Refusal> {
        bounds(end.mtu, 68, 65_535)?;
        let index = self.register_as(end, "bridge%d", Port::new_bridge)?;
        if end.address.is_some()
            && let Some(port) = self.port_of_mut((end.ns, index))
        {
            let mac = port.mac;
            if let Some(bridge) = port.rare.bridge.as_deref_mut() {
                (bridge.fixed_mac, bridge.id) = (true, mac);
            }
        }
        let mut spec = spec.clone();
        if end.address.is_some() {
            // A new id, by address or by priority, makes it look at its ports' states.
            spec.priority.get_or_insert(BridgeConf::default().priority);
        }
        let change = LinkChange { bridge: Some(Box::new(spec)), ..LinkChange::default() };
        let told = self.apply_plain(end.ns, Command::LinkChange(index, change));
        if let Err(refusal) = told {
            self.evict_virtual(end.ns, index);
            return Err(refusal);
        }
        Ok(index)
    }

    /// `vlan_newlink`
    fn vlan_add(&mut self, end: &EndAdd<'_>, lower: Spot, id: u16, protocol: u16) -> Result<IfIndex, Refusal> {
        let because = |errno, text: &str| Refusal::because(errno, format!("8021q: {text}"));
        if id >= 4095 {
            return Err(because(Errno::Range, "Invalid VLAN id"));
        }
        let below = self.port_of(lower).ok_or(because(Errno::NoDev, "link does not exist"))?;
        if below.is_loopback() {
            return Err(because(Errno::OpNotSupp, "VLANs not supported on device"));
        }
        if below.rare.uppers.iter().any(|upper| upper.takes == Takes::Tag(protocol, id)) {
            return Err(because(Errno::Exist, "VLAN device already exists"));
        }
        let (most, mac) = (below.mtu, below.mac);
        if end.mtu.is_some_and(|mtu| mtu > most) {
            return Err(Errno::Inval.into());
        }
        self.may_nest(lower)?;
        let inherited = end.address.is_none();
        let end = EndAdd { mtu: end.mtu.or(Some(most)), address: end.address.or(Some(mac)), ..*end };
        let index = self.register_as(&end, "vlan%d", |index, name, mac, now| {
            Port::new_vlan(index, name, mac, now, protocol, id, inherited)
        })?;
        self.stand((end.ns, index), lower);
        Ok(index)
    }

    /// `macvlan_common_newlink`
    fn macvlan_add(&mut self, end: &EndAdd<'_>, lower: Spot, mode: MacvlanMode) -> Result<IfIndex, Refusal> {
        self.port_of(lower).ok_or(Errno::NoDev)?;
        // On another macvlan it stands on what that stands on.
        let is_macvlan = self.port_of(lower).is_some_and(|port| port.rare.macvlan.is_some());
        let lower = if is_macvlan { self.stands.lower_of(lower.0, lower.1).ok_or(Errno::NoDev)? } else { lower };
        let below = self.port_of(lower).ok_or(Errno::NoDev)?;
        let (most, mac) = (below.mtu, below.mac);
        if end.mtu.is_some_and(|mtu| mtu > most) || below.is_loopback() {
            return Err(Errno::Inval.into());
        }
        if below.master.is_some() {
            return Err(Errno::Busy.into());
        }
        let others = below.rare.uppers.iter().filter(|upper| matches!(upper.takes, Takes::Mac(..)));
        let passthru = |takes: Takes| matches!(takes, Takes::Mac(_, MacvlanMode::Passthru));
        if others.clone().any(|upper| passthru(upper.takes)) || mode == MacvlanMode::Passthru && others.count() > 0 {
            return Err(Errno::Inval.into());
        }
        if mode == MacvlanMode::Source {
            return Err(Refusal::because(Errno::OpNotSupp, "vethlab: mode source of a macvlan is not simulated"));
        }
        self.may_nest(lower)?;
        let address = if mode == MacvlanMode::Passthru { Some(mac) } else { end.address };
        let end = EndAdd { mtu: end.mtu.or(Some(most)), address, ..*end };
        let make = |index, name, mac, now| Port::new_macvlan(index, name, mac, now, mode);
        let index = self.register_as(&end, "macvlan%d", make)?;
        self.stand((end.ns, index), lower);
        Ok(index)
    }

    fn may_nest(&self, lower: Spot) -> Result<(), Errno> {
        let below = |spot: &Spot| self.stands.lower_of(spot.0, spot.1);
        let depth = std::iter::successors(Some(lower), below).take(NEST).count();
        if depth < NEST { Ok(()) } else { Err(Errno::MLink) }
    }

    /// `vxlan_newlink`, `vxlan_config_validate`
    fn vxlan_add(&mut self, end: &EndAdd<'_>, spec: &VxlanSpec) -> Result<IfIndex, Refusal> {
        let ipv6 = |address: Option<IpAddr>| address.is_some_and(|address| address.is_ipv6());
        if ipv6(spec.remote) || ipv6(spec.local) {
            return Err(Refusal::because(Errno::OpNotSupp, "vethlab: a VXLAN over IPv6 is not simulated"));
        }
        let group = spec.remote4().is_some_and(|remote| remote.is_multicast());
        if group && spec.dev.is_none() {
            return Err(Refusal::because(Errno::Inval, "Local interface required for multicast remote group"));
        }
        let below = match spec.dev {
            None => None,
            Some(dev) => {
                let wrong = Refusal::because(Errno::NoDev, "Invalid local interface, device not found");
                Some(self.port_of((end.ns, dev)).ok_or(wrong)?)
            }
        };
        let most = below.map(|port| port.mtu.saturating_sub(VXLAN_HEADROOM));
        let mtu = end.mtu.or(most);
        let twin = |port: &Port| {
            let same = |own: &VxlanSpec| (own.id, own.port()) == (spec.id, spec.port());
            port.rare.vxlan.as_ref().is_some_and(|vxlan| same(&vxlan.spec))
        };
        if self.stack(end.ns).ports().iter().any(twin) {
            let text = "A VXLAN device with the specified VNI already exists";
            return Err(Refusal::because(Errno::Exist, text));
        }
        let end = EndAdd { mtu, ..*end };
        let make = |index, name, mac, now| Port::new_vxlan(index, name, mac, now, *spec);
        let index = self.register_as(&end, "vxlan%d", make)?;
        self.pair((end.ns, index), (end.ns, spec.dev.unwrap_or(0)), false);
        Ok(index)
    }

    /// The link that another one stands on (`IFLA_LINK` of a VLAN, a macvlan, a VXLAN with `dev`).
    pub fn lower(&self, ns: NsId, index: IfIndex) -> Option<Peer> {
        let (netns, index) = self.stands.lower_of(ns, index)?;
        Some(Peer { netns, index })
    }
}

/// What the kernel says of an MTU that a new link may not have.
fn bounds(mtu: Option<u32>, least: u32, most: u32) -> Result<(), Refusal> {
    match mtu {
        Some(mtu) if mtu < least => Err(Refusal::because(Errno::Inval, "mtu less than device minimum")),
        Some(mtu) if mtu > most => Err(Refusal::because(Errno::Inval, "mtu greater than device maximum")),
        _ => Ok(()),
    }
}
