//! What the attributes of an interface hold.

use crate::world::{Driver, NsId, World, promiscuity};
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::link::port::flag;
use vethlab_engine::link::{OperState, Port, PortKind};

pub(super) fn statistic(port: &Port, name: &str) -> u64 {
    let counters = &port.counters;
    match name {
        "rx_bytes" => counters.rx_bytes,
        "rx_packets" => counters.rx_packets,
        "rx_dropped" => counters.rx_dropped,
        "rx_errors" => counters.rx_errors,
        "tx_bytes" => counters.tx_bytes,
        "tx_packets" => counters.tx_packets,
        "tx_dropped" => counters.tx_dropped,
        _ => 0,
    }
}

pub(super) fn value(world: &World, ns: NsId, port: &Port, attribute: &str) -> Result<String, Errno> {
    let driver = world.driver(ns, port.index);
    let veth = driver == Some(Driver::Veth);
    let made = veth || driver == Some(Driver::Virtual);
    // What a driver tells of a link that is down is not to be trusted.
    let running = |text: &str| if port.is_up() { Ok(text.to_string()) } else { Err(Errno::Inval) };
    let text = match attribute {
        "addr_assign_type" if port.mac_set => "3".to_string(),
        "addr_assign_type" => u8::from(made).to_string(),
        "addr_len" => "6".to_string(),
        "address" => port.mac.to_string(),
        "broadcast" => port.broadcast.to_string(),
        "carrier" => running(if port.carrier { "1" } else { "0" })?,
        "carrier_changes" => (port.carrier_changes.0 + port.carrier_changes.1).to_string(),
        "carrier_up_count" => port.carrier_changes.0.to_string(),
        "carrier_down_count" => port.carrier_changes.1.to_string(),
        "dev_id" => "0x0".to_string(),
        "dormant" | "testing" => running("0")?,
        "duplex" => running(link_settings(world, ns, port).ok_or(Errno::Inval)?.1)?,
        "speed" => running(link_settings(world, ns, port).ok_or(Errno::Inval)?.0)?,
        "flags" => format!("{:#x}", flags(world, ns, port)),
        // Without an alias there is not even a line.
        "ifalias" if port.rare.alias.is_empty() => return Ok(String::new()),
        "ifalias" => port.rare.alias.clone(),
        "ifindex" => port.index.to_string(),
        "iflink" => iflink(world, ns, port).to_string(),
        "mtu" => port.mtu.to_string(),
        "name_assign_type" => name_assign_type(driver).to_string(),
        "netdev_group" => port.rare.group.to_string(),
        "operstate" => operstate(world.operstate(ns, port.index)).to_string(),
        "tx_queue_len" => port.txqueuelen.to_string(),
        "type" => if port.is_loopback() { "772" } else { "1" }.to_string(),
        "uevent" => format!("{}INTERFACE={}\nIFINDEX={}", device_type(port.kind), port.name, port.index),
        _ => "0".to_string(),
    };
    Ok(text + "\n")
}

/// `NET_NAME_*`: predictable, given by a user, or by the kernel.
fn name_assign_type(driver: Option<Driver>) -> u8 {
    match driver {
        Some(Driver::Loopback) => 2,
        Some(Driver::Veth | Driver::Virtual) => 3,
        _ => 1,
    }
}

fn operstate(state: OperState) -> &'static str {
    match state {
        OperState::Unknown => "unknown",
        OperState::NotPresent => "notpresent",
        OperState::Down => "down",
        OperState::LowerLayerDown => "lowerlayerdown",
        OperState::Testing => "testing",
        OperState::Dormant => "dormant",
        OperState::Up => "up",
    }
}

/// `dev->flags`: with those that others asked for.
fn flags(world: &World, ns: NsId, port: &Port) -> u32 {
    let (promiscuity, allmulti) = promiscuity(world.stack(ns).ports(), port);
    let promisc = if promiscuity > 0 { flag::PROMISC } else { 0 };
    port.set_flags | promisc | if allmulti > 0 { flag::ALLMULTI } else { 0 }
}

/// The other end of a cable, or what the link stands on; a vxlan does not tell.
fn iflink(world: &World, ns: NsId, port: &Port) -> IfIndex {
    let lower = world.lower(ns, port.index).filter(|_| port.kind != PortKind::Vxlan);
    world.peer(ns, port.index).or(lower).map_or(port.index, |other| other.index)
}

/// `speed` and `duplex`: a cable's own, on which links stand, and which the fastest running port lends to a bridge.
fn link_settings(world: &World, ns: NsId, port: &Port) -> Option<(&'static str, &'static str)> {
    match port.kind {
        PortKind::Bridge => {
            let mut members = world.stack(ns).ports().iter().filter(|member| member.master == Some(port.index));
            let known = members.any(|member| {
                member.is_running() && link_settings(world, ns, member).is_some_and(|known| known.0 != "-1")
            });
            Some((if known { "10000" } else { "-1" }, "unknown"))
        }
        PortKind::Vxlan => Some(("-1", "unknown")),
        PortKind::Vlan | PortKind::Macvlan => {
            let lower = world.lower(ns, port.index)?;
            link_settings(world, lower.netns, world.stack(lower.netns).ports().get(lower.index)?)
        }
        _ => (world.driver(ns, port.index) == Some(Driver::Veth)).then_some(("10000", "full")),
    }
}

/// The first line of `uevent`.
fn device_type(kind: PortKind) -> &'static str {
    match kind {
        PortKind::Bridge => "DEVTYPE=bridge\n",
        PortKind::Vlan => "DEVTYPE=vlan\n",
        PortKind::Vxlan => "DEVTYPE=vxlan\n",
        _ => "",
    }
}
