//! `type bridge`: numbers that a bridge is told.

use super::{Number, Words, explain, no_such_word, protocol};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, invarg, ll_addr_a2n, matches};
use crate::world::clock_ticks;
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Errno, Refusal};
use vethlab_engine::link::bridge::BridgeChange;

type Numbers = &'static [Number<BridgeChange>];

/// In iproute2's order, between the words that are no numbers.
const FIRST: Numbers = &[
    Number::new("forward_delay", 32, |change, value| change.forward_delay = Some(clock_ticks(value) as u32)),
    Number::new("hello_time", 32, |change, value| change.hello_time = Some(clock_ticks(value) as u32)),
    Number::new("max_age", 32, |change, value| change.max_age = Some(clock_ticks(value) as u32)),
    Number::new("ageing_time", 32, |change, value| change.ageing_time = Some(clock_ticks(value) as u32)),
    Number::new("stp_state", 32, |change, value| change.stp_state = Some(value as u32)),
    Number::new("priority", 16, |change, value| change.priority = Some(value as u16)),
    Number::new("vlan_filtering", 8, |change, value| change.vlan_filtering = Some(value as u8)),
];

const SECOND: Numbers =
    &[Number::new("group_fwd_mask", 16, |change, value| change.group_fwd_mask = Some(value as u16))];

const LAST: Numbers = &[
    Number {
        exact: true,
        ..Number::new("no_linklocal_learn", 8, |change, value| change.no_linklocal_learn = Some(value != 0))
    },
    Number::new("vlan_default_pvid", 16, |change, value| change.vlan_default_pvid = Some(value as u16)),
    Number::new("vlan_stats_enabled", 8, |change, value| change.vlan_stats_enabled = Some(value as u8)),
    // Like the default PVID it is forgotten where VLANs are not filtered.
    Number::new("vlan_stats_per_port", 8, |_, _| {}),
    Number::new("mcast_router", 8, |change, value| change.mcast_router = Some(value as u8)),
    Number::new("mcast_snooping", 8, |change, value| change.mcast_snooping = Some(value != 0)),
    Number {
        exact: true,
        ..Number::new("mcast_vlan_snooping", 8, |change, value| change.mcast_vlan_snooping = Some(value != 0))
    },
    Number::new("mcast_query_use_ifaddr", 8, |change, value| change.mcast_query_use_ifaddr = Some(value != 0)),
    Number::new("mcast_querier", 8, |change, value| change.mcast_querier = Some(value != 0)),
    // The kernel's tables grow by themselves: it takes the number, and forgets it.
    Number::new("mcast_hash_elasticity", 32, |_, _| {}),
    Number::new("mcast_hash_max", 32, |change, value| change.mcast_hash_max = Some(value as u32)),
    Number::new("mcast_last_member_count", 32, |change, value| change.mcast_last_member_count = Some(value as u32)),
    Number::new("mcast_startup_query_count", 32, |change, value| change.mcast_startup_query_count = Some(value as u32)),
    Number::new("mcast_last_member_interval", 64, |change, value| {
        change.mcast_last_member_interval = Some(clock_ticks(value))
    }),
    Number::new("mcast_membership_interval", 64, |change, value| {
        change.mcast_membership_interval = Some(clock_ticks(value))
    }),
    Number::new("mcast_querier_interval", 64, |change, value| change.mcast_querier_interval = Some(clock_ticks(value))),
    Number::new("mcast_query_interval", 64, |change, value| {
        change.mcast_query_interval = Some(clock_ticks(value).max(100))
    }),
    Number::new("mcast_query_response_interval", 64, |change, value| {
        change.mcast_query_response_interval = Some(clock_ticks(value))
    }),
    Number::new("mcast_startup_query_interval", 64, |change, value| {
        change.mcast_startup_query_interval = Some(clock_ticks(value).max(100))
    }),
    Number::new("mcast_stats_enabled", 8, |change, value| change.mcast_stats_enabled = Some(value != 0)),
    Number::new("mcast_igmp_version", 8, |change, value| change.mcast_igmp_version = Some(value as u8)),
    Number::new("mcast_mld_version", 8, |change, value| change.mcast_mld_version = Some(value as u8)),
    Number::new("nf_call_iptables", 8, |change, value| change.nf_call_iptables = Some(value != 0)),
    Number::new("nf_call_ip6tables", 8, |change, value| change.nf_call_ip6tables = Some(value != 0)),
    Number::new("nf_call_arptables", 8, |change, value| change.nf_call_arptables = Some(value != 0)),
];

/// `bridge_parse_opt()`
pub(super) fn read(_: &mut Ip, args: &mut Args<'_>) -> Result<Words, Stop> {
    let mut change = BridgeChange::default();
    while let Some(word) = args.next() {
        let number = |table: Numbers| table.iter().find(|number| number.is(word));
        if let Some(number) = number(FIRST) {
            number.read(&mut change, args)?;
        } else if matches(word, "vlan_protocol") {
            let word = args.value()?;
            change.vlan_protocol = Some(protocol(word).ok_or_else(|| invarg("invalid vlan_protocol", word))?);
        } else if let Some(number) = number(SECOND) {
            number.read(&mut change, args)?;
        } else if matches(word, "group_address") {
            change.group_address = Some(group_address(args.value()?)?);
        } else if let Some(number) = number(&LAST[..1]) {
            number.read(&mut change, args)?;
        } else if matches(word, "fdb_flush") {
            change.fdb_flush = true;
        } else if let Some(number) = number(LAST) {
            number.read(&mut change, args)?;
        } else if matches(word, "help") {
            return Err(explain("bridge"));
        } else {
            return Err(no_such_word("bridge", "command", word));
        }
    }
    Ok(Words::Bridge(Box::new(change)))
}

/// Six bytes; fewer are refused by the kernel's policy.
fn group_address(word: &str) -> Result<Mac, Stop> {
    let bytes = ll_addr_a2n(word, 32).map_err(|text| Stop::fail(1, text))?;
    match <[u8; 6]>::try_from(bytes.as_slice()) {
        Ok(six) => Ok(Mac(six)),
        Err(_) if bytes.len() > 6 => Err(Refusal::because(Errno::Range, "Attribute failed policy validation").into()),
        Err(_) => Err(Refusal::from(Errno::Inval).into()),
    }
}
