//! `/sys/class/net/BRIDGE/bridge` and `/sys/class/net/PORT/brport` (`net/bridge/br_sysfs_br.c`, `br_sysfs_if.c`).

use super::super::Entry;
use super::number;
use crate::world::{NsId, World, clock_ticks};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Errno, LinkChange};
use vethlab_engine::link::Port;
use vethlab_engine::link::bridge::{BridgeChange, BridgeConf, BridgePort, BridgePortChange};

/// A file of a bridge: what it tells, and what a number written to it asks for.
struct OfBridge {
    name: &'static str,
    read: fn(&BridgeConf) -> u64,
    write: Option<fn(&mut BridgeChange, u64)>,
}

/// A file of a port.
struct OfPort {
    name: &'static str,
    read: fn(&BridgePort) -> u64,
    write: Option<fn(&mut BridgePortChange, u64)>,
}

macro_rules! files {
    ($kind:ident: $($name:literal $of:ident $read:expr $(, $change:ident $value:ident $write:expr)?;)*) => {
        &[$($kind {
            name: $name,
            read: |$of| $read,
            write: files!(@write $(|$change, $value| $write)?),
        }),*]
    };
    (@write) => { None };
    (@write $write:expr) => { Some($write) };
}

/// All but those that are no plain numbers. Times are in hundredths of a second.
const BRIDGE: &[OfBridge] = files! { OfBridge:
    "ageing_time" conf conf.ageing_time.into(), to value to.ageing_time = Some(time(value));
    "forward_delay" conf conf.forward_delay.into(), to value to.forward_delay = Some(time(value));
    "gc_timer" _conf 0;
    "hash_elasticity" _conf 16, _to _value {};
    "hash_max" conf conf.mcast_hash_max.into(), to value to.mcast_hash_max = Some(value as u32);
    "hello_time" conf conf.hello_time.into(), to value to.hello_time = Some(time(value));
    "hello_timer" _conf 0;
    "max_age" conf conf.max_age.into(), to value to.max_age = Some(time(value));
    "multicast_igmp_version" conf conf.mcast_igmp_version.into(), to value to.mcast_igmp_version = Some(byte(value));
    "multicast_last_member_count" conf conf.mcast_last_member_count.into(),
        to value to.mcast_last_member_count = Some(value as u32);
    "multicast_last_member_interval" conf conf.mcast_last_member_interval,
        to value to.mcast_last_member_interval = Some(clock_ticks(value));
    "multicast_membership_interval" conf conf.mcast_membership_interval,
        to value to.mcast_membership_interval = Some(clock_ticks(value));
    "multicast_mld_version" conf conf.mcast_mld_version.into(), to value to.mcast_mld_version = Some(byte(value));
    "multicast_querier" conf conf.mcast_querier.into(), to value to.mcast_querier = Some(value != 0);
    "multicast_querier_interval" conf conf.mcast_querier_interval,
        to value to.mcast_querier_interval = Some(clock_ticks(value));
    "multicast_query_interval" conf conf.mcast_query_interval,
        to value to.mcast_query_interval = Some(clock_ticks(value).max(100));
    "multicast_query_response_interval" conf conf.mcast_query_response_interval,
        to value to.mcast_query_response_interval = Some(clock_ticks(value));
    "multicast_query_use_ifaddr" conf conf.mcast_query_use_ifaddr.into(),
        to value to.mcast_query_use_ifaddr = Some(value != 0);
    "multicast_router" conf conf.mcast_router.into(), to value to.mcast_router = Some(byte(value));
    "multicast_snooping" conf conf.mcast_snooping.into(), to value to.mcast_snooping = Some(value != 0);
    "multicast_startup_query_count" conf conf.mcast_startup_query_count.into(),
        to value to.mcast_startup_query_count = Some(value as u32);
    "multicast_startup_query_interval" conf conf.mcast_startup_query_interval,
        to value to.mcast_startup_query_interval = Some(clock_ticks(value).max(100));
    "multicast_stats_enabled" conf conf.mcast_stats_enabled.into(), to value to.mcast_stats_enabled = Some(value != 0);
    "nf_call_arptables" conf conf.nf_call_arptables.into(), to value to.nf_call_arptables = Some(value != 0);
    "nf_call_ip6tables" conf conf.nf_call_ip6tables.into(), to value to.nf_call_ip6tables = Some(value != 0);
    "nf_call_iptables" conf conf.nf_call_iptables.into(), to value to.nf_call_iptables = Some(value != 0);
    "no_linklocal_learn" conf conf.no_linklocal_learn.into(), to value to.no_linklocal_learn = Some(value != 0);
    "priority" conf conf.priority.into(), to value to.priority = Some(value as u16);
    "root_path_cost" _conf 0;
    "root_port" _conf 0;
    "stp_state" conf conf.stp_state.into(), to value to.stp_state = Some(u32::from(value != 0));
    "tcn_timer" _conf 0;
    "topology_change" _conf 0;
    "topology_change_detected" _conf 0;
    "topology_change_timer" _conf 0;
};

const PORT: &[OfPort] = files! { OfPort:
    "bpdu_guard" port port.guard.into(), to value to.guard = Some(value != 0);
    "broadcast_flood" port port.bcast_flood.into(), to value to.bcast_flood = Some(value != 0);
    "change_ack" _port 0;
    "config_pending" _port 0;
    "designated_cost" _port 0;
    "designated_port" port port.id().into();
    "forward_delay_timer" _port 0;
    "hairpin_mode" port port.hairpin.into(), to value to.hairpin = Some(value != 0);
    "hold_timer" _port 0;
    "isolated" port port.isolated.into(), to value to.isolated = Some(value != 0);
    "learning" port port.learning.into(), to value to.learning = Some(value != 0);
    "message_age_timer" _port 0;
    "multicast_fast_leave" port port.fastleave.into(), to value to.fastleave = Some(value != 0);
    "multicast_flood" port port.mcast_flood.into(), to value to.mcast_flood = Some(value != 0);
    "multicast_router" port port.mcast_router.into(), to value to.mcast_router = Some(byte(value));
    "multicast_to_unicast" _port 0, to value to.mcast_to_unicast = Some(value != 0);
    "neigh_suppress" _port 0, to value to.neigh_suppress = Some(value != 0);
    "path_cost" port port.cost.into(), to value to.cost = Some(value as u32);
    "priority" port port.priority.into(), to value to.priority = Some(u16::try_from(value).unwrap_or(u16::MAX));
    "proxyarp" _port 0, to value to.proxy_arp = Some(value != 0);
    "proxyarp_wifi" _port 0, to value to.proxy_arp_wifi = Some(value != 0);
    "root_block" port port.root_block.into(), to value to.root_block = Some(value != 0);
    "state" port port.state as u64;
    "unicast_flood" port port.flood.into(), to value to.flood = Some(value != 0);
};

/// Files that are more than a number, and whether they can be read and written.
const BRIDGE_TEXTS: &[(&str, u16)] =
    &[("bridge_id", 0o444), ("flush", 0o200), ("group_addr", 0o644), ("group_fwd_mask", 0o644), ("root_id", 0o444)];

const PORT_TEXTS: &[(&str, u16)] = &[
    ("backup_port", 0o644),
    ("designated_bridge", 0o444),
    ("designated_root", 0o444),
    ("flush", 0o200),
    ("group_fwd_mask", 0o644),
    ("port_id", 0o444),
    ("port_no", 0o444),
];

fn time(value: u64) -> u32 {
    u32::try_from(clock_ticks(value)).unwrap_or(u32::MAX)
}

/// What does not fit is out of every range.
fn byte(value: u64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn mode(writable: bool) -> u16 {
    if writable { 0o644 } else { 0o444 }
}

/// The files of `bridge`, or of `brport`, without the link in it.
pub(super) fn files(of_port: bool) -> Vec<Entry> {
    let (numbers, texts): (Vec<Entry>, _) = if of_port {
        (PORT.iter().map(|file| Entry::file(file.name, mode(file.write.is_some()))).collect(), PORT_TEXTS)
    } else {
        (BRIDGE.iter().map(|file| Entry::file(file.name, mode(file.write.is_some()))).collect(), BRIDGE_TEXTS)
    };
    let texts = texts.iter().map(|(name, mode)| Entry::file(name, *mode));
    numbers.into_iter().chain(texts).collect()
}

/// `br_show_bridge_id()`
fn id_text((priority, Mac(mac)): (u16, Mac)) -> String {
    let bytes: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{priority:04x}.{bytes}")
}

/// What a file of a bridge holds.
pub(super) fn read(world: &World, ns: NsId, port: &Port, name: &str) -> Result<String, Errno> {
    let conf = &port.rare.bridge.as_ref().ok_or(Errno::NoEnt)?.conf;
    let id = || world.bridge_id(ns, port.index).map(id_text).unwrap_or_default();
    let text = match name {
        "bridge_id" | "root_id" => id(),
        "flush" => return Err(Errno::Acces),
        "group_addr" => conf.group_address.to_string(),
        "group_fwd_mask" => format!("{:#x}", conf.group_fwd_mask),
        _ => {
            let file = BRIDGE.iter().find(|file| file.name == name).ok_or(Errno::NoEnt)?;
            (file.read)(conf).to_string()
        }
    };
    Ok(text + "\n")
}

/// What a file of a port holds.
pub(super) fn read_port(world: &World, ns: NsId, port: &Port, name: &str) -> Result<String, Errno> {
    let known = port.rare.bridge_port.as_deref().ok_or(Errno::NoEnt)?;
    let bridge = || port.master.and_then(|master| world.bridge_id(ns, master)).map(id_text).unwrap_or_default();
    let text = match name {
        // Without one there is not even a line.
        "backup_port" => return Ok(String::new()),
        "designated_bridge" | "designated_root" => bridge(),
        "flush" => return Err(Errno::Acces),
        "group_fwd_mask" => format!("{:#x}", known.group_fwd_mask),
        "port_id" => format!("{:#x}", known.id()),
        "port_no" => format!("{:#x}", known.number),
        _ => {
            let file = PORT.iter().find(|file| file.name == name).ok_or(Errno::NoEnt)?;
            (file.read)(known).to_string()
        }
    };
    Ok(text + "\n")
}

/// What a text written to a file of a bridge asks for.
pub(super) fn change(name: &str, text: &str) -> Result<LinkChange, Errno> {
    let mut change = BridgeChange::default();
    if name == "group_addr" {
        change.group_address = Some(address(text).ok_or(Errno::Inval)?);
    } else {
        let number = number(text).ok_or(Errno::Inval)?;
        match name {
            "flush" => change.fdb_flush = true,
            "group_fwd_mask" => change.group_fwd_mask = Some(u16::try_from(number).map_err(|_| Errno::Inval)?),
            _ => {
                let file = BRIDGE.iter().find(|file| file.name == name).ok_or(Errno::NoEnt)?;
                file.write.ok_or(Errno::Acces)?(&mut change, number);
            }
        }
    }
    Ok(LinkChange { bridge: Some(Box::new(change)), ..LinkChange::default() })
}

/// What a text written to a file of a port asks for.
pub(super) fn change_port(world: &World, ns: NsId, name: &str, text: &str) -> Result<LinkChange, Errno> {
    let mut change = BridgePortChange::default();
    if name == "backup_port" {
        return match text.trim_end_matches('\n') {
            "" => Ok(LinkChange::default()),
            other if world.stack(ns).ports().named(other).is_none() => Err(Errno::NoEnt),
            _ => Err(Errno::OpNotSupp),
        };
    }
    let number = number(text).ok_or(Errno::Inval)?;
    match name {
        "flush" => change.fdb_flush = true,
        // Only the bits of a byte's pair are looked at.
        "group_fwd_mask" => change.group_fwd_mask = Some(number as u16),
        _ => {
            let file = PORT.iter().find(|file| file.name == name).ok_or(Errno::NoEnt)?;
            file.write.ok_or(Errno::Acces)?(&mut change, number);
        }
    }
    Ok(LinkChange { bridge_port: Some(Box::new(change)), ..LinkChange::default() })
}

/// `mac_pton()`: six bytes of two digits.
fn address(text: &str) -> Option<Mac> {
    let mut bytes = [0; 6];
    let mut parts = text.strip_suffix('\n').unwrap_or(text).split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Mac(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_do_not_fit_are_refused_or_cut() {
        assert!(
            change("multicast_router", "300\n").is_ok_and(|change| change.bridge.unwrap().mcast_router == Some(255))
        );
        assert!(change("priority", "65536").is_ok_and(|change| change.bridge.unwrap().priority == Some(0)));
        assert_eq!(change("group_fwd_mask", "65536"), Err(Errno::Inval));
        assert_eq!(change("priority", "foo"), Err(Errno::Inval));
        assert_eq!(change("gc_timer", "1"), Err(Errno::Acces));
        assert_eq!(change("nosuch", "1"), Err(Errno::NoEnt));
    }

    #[test]
    fn times_are_as_coarse_as_the_kernel_s_ticks() {
        let set = |text: &str| change("ageing_time", text).unwrap().bridge.unwrap().ageing_time;
        assert_eq!((set("1"), set("2"), set("5"), set("100")), (Some(0), Some(2), Some(4), Some(100)));
    }

    #[test]
    fn addresses_have_six_bytes_of_two_digits() {
        assert_eq!(address("01:80:c2:00:00:0f\n"), Some(Mac([1, 0x80, 0xc2, 0, 0, 15])));
        assert_eq!((address("1:80:c2:0:0:5"), address("01:80:c2:00:00"), address("")), (None, None, None));
    }
}
