//! Features of devices: which there are, which may be switched, and which lean on others (`net/core/dev.c`,
//! `net/bridge/br_if.c`).

use vethlab_engine::link::{Port, Ports};

/// A line each, in the order of the kernel's bits: the name, and how a veth, `lo` and a bridge have it when they are made.
/// `on` and `off` may be switched, `+` and `-` are on and off for ever.
const TABLE: &str = include_str!("features.txt");
/// The short and the long name of what was one feature once, and its features now.
pub(super) const GROUPS: &[(&str, &str, &str)] = &[
    ("rx", "rx-checksumming", "rx-checksum"),
    ("tx", "tx-checksumming", "tx-checksum-*"),
    ("sg", "scatter-gather", "tx-scatter-gather*"),
    ("tso", "tcp-segmentation-offload", "tx-tcp*"),
    ("ufo", "udp-fragmentation-offload", "tx-udp-fragmentation"),
    ("gso", "generic-segmentation-offload", "tx-generic-segmentation"),
    ("gro", "generic-receive-offload", "rx-gro"),
    ("lro", "large-receive-offload", "rx-lro"),
    ("rxvlan", "rx-vlan-offload", "rx-vlan-hw-parse"),
    ("txvlan", "tx-vlan-offload", "tx-vlan-hw-insert"),
    ("ntuple", "ntuple-filters", "rx-ntuple-filter"),
    ("rxhash", "receive-hashing", "rx-hashing"),
];
/// `NETIF_F_ALL_TSO`
const ALL_TSO: &[&str] =
    &["tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation", "tx-tcp6-segmentation"];
/// What a bridge has if one of its ports has it (`NETIF_F_ONE_FOR_ALL`, but for TSO, which it always has).
const ONE_FOR_ALL: &[&str] = &[
    "tx-scatter-gather",
    "tx-scatter-gather-fraglist",
    "highdma",
    "tx-gso-robust",
    "tx-sctp-segmentation",
    "tx-udp-segmentation",
    "tx-gso-list",
    "tx-tcp-accecn-segmentation",
];
/// What a bridge has if all of its ports have it (`NETIF_F_ALL_FOR_ALL`).
const ALL_FOR_ALL: &[&str] = &["tx-nocache-copy", "tx-fcoe-segmentation"];

/// Kinds of devices whose features are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Veth,
    Loopback,
    Bridge,
}

/// A set of features, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set(pub(super) u64);

/// The names of all features, in the order of their bits.
pub(super) fn names() -> impl Iterator<Item = (Set, &'static str)> {
    TABLE.lines().enumerate().filter_map(|(bit, line)| Some((Set(1 << bit), line.split(' ').next()?)))
}

/// The features that this name stands for, be it of one, of a group or a short one; none if nobody knows it.
pub(super) fn named(name: &str) -> Option<Set> {
    match GROUPS.iter().find(|(short, long, _)| name == *short || name == *long) {
        Some((_, _, pattern)) => Some(matching(pattern)),
        None => names().find(|(_, known)| *known == name).map(|(feature, _)| feature),
    }
}

/// The features of a group.
pub(super) fn matching(pattern: &str) -> Set {
    let fits = |name: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    names().filter(|(_, name)| fits(name)).fold(Set::NONE, |set, (feature, _)| set.with(feature))
}

impl Set {
    pub(super) const NONE: Set = Set(0);

    pub(super) fn has(self, any: Set) -> bool {
        self.0 & any.0 != 0
    }

    pub(super) fn with(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    pub(super) fn without(self, other: Set) -> Set {
        Set(self.0 & !other.0)
    }

    pub(super) fn only(self, other: Set) -> Set {
        Set(self.0 & other.0)
    }

    pub(super) fn differs(self, other: Set) -> Set {
        Set(self.0 ^ other.0)
    }

    fn of(listed: &[&str]) -> Set {
        names().filter(|(_, name)| listed.contains(name)).fold(Set::NONE, |set, (feature, _)| set.with(feature))
    }
}

/// The features of one device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    /// Those that may be switched.
    pub(super) free: Set,
    /// Those that are wanted.
    pub(super) wanted: Set,
    /// Those that it has.
    pub(super) active: Set,
}

impl Features {
    /// Of a device of this kind.
    pub(super) fn of(kind: Kind, port: &Port, ports: &Ports) -> Features {
        let (mut free, mut made) = (Set::NONE, Set::NONE);
        for (bit, line) in TABLE.lines().enumerate() {
            let feature = Set(1 << bit);
            let state = line.split(' ').nth(1 + kind as usize).unwrap_or("-");
            if matches!(state, "on" | "off") {
                free = free.with(feature);
            }
            if matches!(state, "on" | "+") {
                made = made.with(feature);
            }
        }
        let wanted = made.differs(Set(port.rare.switched).only(free));
        let offered = if kind == Kind::Bridge { of_members(wanted, port, ports) } else { wanted };
        Features { free, wanted, active: fixed(offered) }
    }
}

/// `br_features_recompute`. (What is a bridge's port, but of no kind that is known, has in this what a veth has.)
fn of_members(wanted: Set, bridge: &Port, ports: &Ports) -> Set {
    let members = ports.iter().filter(|port| port.master == Some(bridge.index));
    let active: Vec<Set> = members.map(|port| Features::of(Kind::Veth, port, ports).active).collect();
    if active.is_empty() {
        return wanted;
    }
    let any = active.iter().fold(Set::NONE, |any, one| any.with(*one));
    let all = active.iter().fold(any, |all, one| all.only(*one));
    let lost = Set::of(ONE_FOR_ALL).without(any).with(Set::of(ALL_FOR_ALL).without(all));
    wanted.without(lost)
}

/// `netdev_fix_features`: what leans on what is not there is not there, too.
fn fixed(mut on: Set) -> Set {
    let one = |name: &str| Set::of(&[name]);
    if !on.has(one("tx-scatter-gather")) {
        on = on.without(Set::of(ALL_TSO)).without(one("tx-generic-segmentation"));
    }
    if !on.has(one("tx-checksum-ip-generic")) {
        on = on.without(Set::of(&["tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp6-segmentation"]));
        on = on.without(one("tx-udp-segmentation"));
    }
    if !on.has(one("tx-tcp-segmentation")) {
        on = on.without(one("tx-tcp-mangleid-segmentation"));
    }
    if on.only(Set::of(ALL_TSO)) == one("tx-tcp-ecn-segmentation") {
        on = on.without(one("tx-tcp-ecn-segmentation"));
    }
    on
}
