//! Links that are made of others, or of nothing: bridges, dummies, VLANs, macvlans, VXLANs.

use super::links::EndAdd;
use super::{LinkAdd, LinkKind, NsId, Peer, World};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Errno, IfIndex, Refusal};
use vethlab_engine::link::{Lower, Macvlan, Port, Vlan};

impl World {
    /// `ip link add` of anything but a cable.
    pub(super) fn link_add_virtual(&mut self, ns: NsId, link: &LinkAdd) -> Result<IfIndex, Refusal> {
        let LinkAdd { index, address, mtu, txqueuelen, .. } = *link;
        let end = EndAdd { ns, name: link.name.as_deref(), index, address, mtu, txqueuelen };
        if address.is_some_and(|mac| mac.is_multicast() || mac == Mac::ZERO) {
            return Err(Errno::AddrNotAvail.into());
        }
        let index = match &link.kind {
            LinkKind::Dummy => self.register_as(&end, "dummy%d", Port::new_dummy)?,
            LinkKind::Bridge(_) => self.register_as(&end, "bridge%d", Port::new_bridge)?,
            _ => return Err(Refusal::because(Errno::OpNotSupp, "Unknown device type")),
        };
        self.finish();
        Ok(index)
    }

    /// The link that another one stands on (`IFLA_LINK` of a VLAN, a macvlan, a VXLAN with `dev`).
    pub fn lower(&self, ns: NsId, index: IfIndex) -> Option<Peer> {
        let port = self.nets.get(&ns)?.stack.ports().get(index)?;
        let here = |index| Peer { netns: ns, index };
        match (port.vlan, port.macvlan, &port.vxlan) {
            (Some(Vlan { lower: Lower::Here(index), .. }), ..) => Some(here(index)),
            (_, Some(Macvlan { lower: Lower::Here(index), .. }), _) => Some(here(index)),
            (.., Some(vxlan)) => vxlan.spec.dev.map(here),
            _ => None,
        }
    }
}
