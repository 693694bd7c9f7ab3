//! What is told of bridges and their ports in several places: `ip`, `bridge`, `brctl`, `/sys/class/net`.

use super::{NsId, World};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::Port;
use vethlab_engine::link::port::flag;
use vethlab_engine::link::virt::Takes;

impl World {
    /// `bridge_id`: a bridge's priority, and its MAC — none before it has a port or was given one by hand. No tree is
    /// spanned here, so that each bridge is its own root.
    pub fn bridge_id(&self, ns: NsId, index: IfIndex) -> Option<(u16, Mac)> {
        let port = self.stack(ns).ports().get(index)?;
        let bridge = port.bridge.as_ref()?;
        let named = bridge.fixed_mac || !bridge.ports.is_empty();
        Some((bridge.conf.priority, if named { port.mac } else { Mac::ZERO }))
    }
}

/// `promiscuity` and `allmulti`: how many want the port to hear all frames, and all groups. A bridge does of its ports; and
/// no device here can listen to a second MAC, as a macvlan would like it to, without hearing all.
pub fn promiscuity(port: &Port) -> (u32, u32) {
    let asked = |flag: u32| u32::from(port.set_flags & flag != 0);
    let enslaved = u32::from(port.master.is_some());
    let macvlans = u32::from(port.uppers.iter().any(|upper| matches!(upper.takes, Takes::Mac(..))));
    (asked(flag::PROMISC) + enslaved + macvlans, asked(flag::ALLMULTI) + enslaved)
}

/// Hundredths of a second, as coarse as the kernel keeps them: it counts ticks of 4 ms (`clock_t_to_jiffies` and back).
pub fn clock_ticks(hundredths: u64) -> u64 {
    (hundredths.saturating_mul(5) / 2).saturating_mul(2) / 5
}
