//! `type bridge_slave`: what a bridge is told of one of its ports. The program `bridge` knows most of the same flags.

use super::{Words, explain, no_such_word};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, get_u8, get_u16, get_unsigned, invarg, matches, one_of};
use vethlab_engine::link::bridge::BridgePortChange;

/// A flag: its word, and where it goes.
type Flag = (&'static str, fn(&mut BridgePortChange, bool));

/// In iproute2's order: an abbreviation means the first that it fits.
const FLAGS: &[Flag] = &[
    ("hairpin", |change, on| change.hairpin = Some(on)),
    ("guard", |change, on| change.guard = Some(on)),
    ("root_block", |change, on| change.root_block = Some(on)),
    ("fastleave", |change, on| change.fastleave = Some(on)),
    ("learning", |change, on| change.learning = Some(on)),
    ("flood", |change, on| change.flood = Some(on)),
    ("mcast_flood", |change, on| change.mcast_flood = Some(on)),
    ("bcast_flood", |change, on| change.bcast_flood = Some(on)),
    ("mcast_to_unicast", |change, on| change.mcast_to_unicast = Some(on)),
    ("proxy_arp", |change, on| change.proxy_arp = Some(on)),
    ("proxy_arp_wifi", |change, on| change.proxy_arp_wifi = Some(on)),
    ("mcast_fast_leave", |change, on| change.fastleave = Some(on)),
    ("neigh_suppress", |change, on| change.neigh_suppress = Some(on)),
    ("vlan_tunnel", |change, on| change.vlan_tunnel = Some(on)),
    ("isolated", |change, on| change.isolated = Some(on)),
    ("locked", |change, on| change.locked = Some(on)),
];

/// Sets a flag by its full word; false if there is none.
pub(in crate::userland::ip) fn set_flag(change: &mut BridgePortChange, name: &str, on: bool) -> bool {
    let flag = FLAGS.iter().find(|(known, _)| *known == name);
    flag.map(|(_, set)| set(change, on)).is_some()
}

/// `bridge_slave_parse_opt()`
pub(super) fn read(ip: &mut Ip, args: &mut Args<'_>) -> Result<Words, Stop> {
    let mut change = BridgePortChange::default();
    while let Some(word) = args.next() {
        // `m…` may abbreviate `mcast_router` only where no flag comes before it.
        let flags = |from: usize, to: usize| FLAGS.get(from..to).unwrap_or_default().iter();
        let flag = |from, to| flags(from, to).find(|(name, _)| matches(word, name));
        if matches(word, "fdb_flush") {
            change.fdb_flush = true;
        } else if matches(word, "state") {
            let word = args.value()?;
            change.state = Some(get_u8(word, 0).ok_or_else(|| invarg("state is invalid", word))?);
        } else if matches(word, "priority") {
            let word = args.value()?;
            change.priority = Some(get_u16(word, 0).ok_or_else(|| invarg("priority is invalid", word))?);
        } else if matches(word, "cost") {
            let word = args.value()?;
            change.cost = Some(get_unsigned(word, 0).ok_or_else(|| invarg("cost is invalid", word))?);
        } else if let Some(flag) = flag(0, 11) {
            read_flag(&mut change, flag, args)?;
        } else if matches(word, "mcast_router") {
            let word = args.value()?;
            change.mcast_router = Some(get_u8(word, 0).ok_or_else(|| invarg("invalid mcast_router", word))?);
        } else if let Some(flag) = flag(11, 13) {
            read_flag(&mut change, flag, args)?;
        } else if matches(word, "group_fwd_mask") {
            let word = args.value()?;
            change.group_fwd_mask = Some(get_u16(word, 0).ok_or_else(|| invarg("invalid group_fwd_mask", word))?);
        } else if let Some(flag) = flag(13, FLAGS.len()) {
            read_flag(&mut change, flag, args)?;
        } else if matches(word, "backup_port") {
            let name = args.value()?;
            ip.index_of(name).ok_or_else(|| invarg("Device does not exist\n", name))?;
            return Err(super::not_simulated("bridge_slave", "backup_port"));
        } else if matches(word, "nobackup_port") {
        } else if matches(word, "help") {
            return Err(explain("bridge_slave"));
        } else {
            return Err(no_such_word("bridge_slave", "option", word));
        }
    }
    Ok(Words::BridgeSlave(Box::new(change)))
}

fn read_flag(change: &mut BridgePortChange, (name, set): &Flag, args: &mut Args<'_>) -> Result<(), Stop> {
    let on = one_of(name, args.value()?, &["off", "on"]).map_err(|text| Stop::quit(1, text))?;
    set(change, on == 1);
    Ok(())
}
