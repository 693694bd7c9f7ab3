//! Names of tables, protocols, scopes, groups and service fields: what Debian's `/etc/iproute2` and iproute2 itself know.

use super::args::{get_integer, get_unsigned, strtoul};

/// `rt_tables`
pub(super) const TABLES: &[(u32, &str)] = &[(255, "local"), (254, "main"), (253, "default"), (0, "unspec")];

/// `rt_protos`
pub(super) const PROTOCOLS: &[(u32, &str)] = &[
    (0, "unspec"),
    (1, "redirect"),
    (2, "kernel"),
    (3, "boot"),
    (4, "static"),
    (8, "gated"),
    (9, "ra"),
    (10, "mrt"),
    (11, "zebra"),
    (12, "bird"),
    (13, "dnrouted"),
    (14, "xorp"),
    (15, "ntk"),
    (16, "dhcp"),
    (18, "keepalived"),
    (42, "babel"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
];

/// `rt_scopes`
pub(super) const SCOPES: &[(u32, &str)] =
    &[(0, "global"), (255, "nowhere"), (254, "host"), (253, "link"), (200, "site")];

/// `group`
pub(super) const GROUPS: &[(u32, &str)] = &[(0, "default")];

/// `rt_dsfield`
pub(super) const DSFIELDS: &[(u32, &str)] = &[
    (0x00, "default"),
    (0x28, "AF11"),
    (0x30, "AF12"),
    (0x38, "AF13"),
    (0x48, "AF21"),
    (0x50, "AF22"),
    (0x58, "AF23"),
    (0x68, "AF31"),
    (0x70, "AF32"),
    (0x78, "AF33"),
    (0x88, "AF41"),
    (0x90, "AF42"),
    (0x98, "AF43"),
    (0x20, "CS1"),
    (0x40, "CS2"),
    (0x60, "CS3"),
    (0x80, "CS4"),
    (0xa0, "CS5"),
    (0xc0, "CS6"),
    (0xe0, "CS7"),
    (0xb8, "EF"),
];

fn by_number(table: &[(u32, &'static str)], number: u32, numeric: bool) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == number && !numeric).map(|(_, name)| *name)
}

fn by_name(table: &[(u32, &str)], word: &str) -> Option<u32> {
    table.iter().find(|(_, name)| *name == word).map(|(number, _)| *number)
}

/// A table's name, or its number (`-N`: always).
pub(super) fn table_name(table: u32, numeric: bool) -> String {
    by_number(TABLES, table, numeric).map_or_else(|| table.to_string(), str::to_owned)
}

/// A table by name or number.
pub(super) fn table_number(word: &str) -> Option<u32> {
    by_name(TABLES, word).or_else(|| get_unsigned(word, 0))
}

/// A route protocol's name, or its number.
pub(super) fn protocol_name(protocol: u8, numeric: bool) -> String {
    by_number(PROTOCOLS, protocol.into(), numeric).map_or_else(|| protocol.to_string(), str::to_owned)
}

/// A route protocol by name or number.
pub(super) fn protocol_number(word: &str) -> Option<u8> {
    by_name(PROTOCOLS, word).or_else(|| get_unsigned(word, 0)).and_then(|number| u8::try_from(number).ok())
}

/// A scope's name, or its number.
pub(super) fn scope_name(scope: u8, numeric: bool) -> String {
    by_number(SCOPES, scope.into(), numeric).map_or_else(|| scope.to_string(), str::to_owned)
}

/// A scope by name or number.
pub(super) fn scope_number(word: &str) -> Option<u8> {
    by_name(SCOPES, word).or_else(|| get_unsigned(word, 0)).and_then(|number| u8::try_from(number).ok())
}

/// A group's name, or its number.
pub(super) fn group_name(group: u32, numeric: bool) -> String {
    by_number(GROUPS, group, numeric).map_or_else(|| (group as i32).to_string(), str::to_owned)
}

/// A group by name or number.
pub(super) fn group_number(word: &str) -> Option<u32> {
    by_name(GROUPS, word).or_else(|| get_integer(word, 0).and_then(|number| u32::try_from(number).ok()))
}

/// A TOS value's name, or `0x10`.
pub(super) fn dsfield_name(tos: u8, numeric: bool) -> String {
    by_number(DSFIELDS, tos.into(), numeric).map_or_else(|| format!("0x{tos:02x}"), str::to_owned)
}

/// A TOS value by name, or in hex.
pub(super) fn dsfield_number(word: &str) -> Option<u8> {
    let hex = || strtoul(word, 16).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number);
    by_name(DSFIELDS, word).map(u64::from).or_else(hex).and_then(|number| u8::try_from(number).ok())
}

/// A realm's name, or its number.
pub(super) fn realm_name(realm: u32, numeric: bool) -> String {
    if realm == 0 && !numeric { "cosmos".to_owned() } else { realm.to_string() }
}

/// A realm by name or number, up to 255.
pub(super) fn realm_number(word: &str) -> Option<u32> {
    if word == "cosmos" { Some(0) } else { get_unsigned(word, 0).filter(|realm| *realm < 256) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_both_ways() {
        assert_eq!((table_name(254, false), table_name(254, true), table_name(77, false)).0, "main");
        assert_eq!(table_name(254, true), "254");
        assert_eq!((table_number("local"), table_number("0x4d"), table_number("nope")), (Some(255), Some(77), None));
        assert_eq!((protocol_name(3, false), protocol_name(200, false)), ("boot".into(), "200".into()));
        assert_eq!((protocol_number("static"), protocol_number("256")), (Some(4), None));
        assert_eq!((scope_name(253, false), scope_number("host")), ("link".into(), Some(254)));
        assert_eq!((dsfield_name(0x10, false), dsfield_name(0xb8, false)), ("0x10".into(), "EF".into()));
        assert_eq!((dsfield_number("10"), dsfield_number("AF11")), (Some(0x10), Some(0x28)));
    }
}
