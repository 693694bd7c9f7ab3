//! What is told of bridges and their ports in several places: `ip`, `bridge`, `brctl`, `/sys/class/net`.

use super::{NsId, World};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::port::flag;
use vethlab_engine::link::virt::{Place, Takes};
use vethlab_engine::link::{Port, Ports, Upper};

impl World {
    /// `bridge_id`: a bridge's priority and MAC. No tree is spanned here, so that each bridge is its own root.
    pub fn bridge_id(&self, ns: NsId, index: IfIndex) -> Option<(u16, Mac)> {
        let bridge = self.stack(ns).ports().get(index)?.rare.bridge.as_ref()?;
        Some((bridge.conf.priority, bridge.id))
    }
}

/// `promiscuity` and `allmulti`: how many want the port to hear all frames, and all groups. A bridge does of its ports; and
/// no device here can listen to a second MAC, as a macvlan that is up would like it to, without hearing all once it has been up.
pub fn promiscuity(ports: &Ports, port: &Port) -> (u32, u32) {
    let asked = |flag: u32| u32::from(port.set_flags & flag != 0);
    let enslaved = u32::from(port.master.is_some());
    let hears = |upper: &&Upper| matches!(upper.takes, Takes::Mac(..));
    let is_up = |upper: &Upper| match upper.place {
        Place::Here(index) => ports.get(index).is_some_and(Port::is_up),
        Place::Elsewhere(_) => true,
    };
    let macvlans = port.rare.uppers.iter().filter(hears).any(is_up);
    let others = u32::from(port.was_up && (macvlans || port.rare.filters.iter().any(|mac| !mac.is_multicast())));
    (asked(flag::PROMISC) + enslaved + others, asked(flag::ALLMULTI) + enslaved)
}

/// Hundredths of a second, as coarse as the kernel keeps them: it counts ticks of 4 ms (`clock_t_to_jiffies` and back).
pub fn clock_ticks(hundredths: u64) -> u64 {
    (hundredths.saturating_mul(5) / 2).saturating_mul(2) / 5
}
