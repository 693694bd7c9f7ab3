//! Requests and what they are made of.

use super::FdbSpec;
use crate::addr::{IpAddr, Mac};
use crate::filter::{Table, TableName};
use crate::link::bridge::{BridgeChange, BridgePortChange};
use crate::qdisc::QdiscRequest;
use crate::time::Time;

/// An interface index: per namespace, from 1 (`lo`), never 0.
pub type IfIndex = u32;

/// Well-known routing tables (`RT_TABLE_*`).
pub mod table {
    /// What is meant if nothing is said, in some requests.
    pub const UNSPEC: u32 = 0;
    /// The last resort, empty.
    pub const DEFAULT: u32 = 253;
    /// Where routes go unless said otherwise.
    pub const MAIN: u32 = 254;
    /// Local and broadcast addresses; kept by the kernel.
    pub const LOCAL: u32 = 255;
}

/// Who made a route or an address (`RTPROT_*`).
pub mod protocol {
    /// Unknown.
    pub const UNSPEC: u8 = 0;
    /// An ICMP redirect.
    pub const REDIRECT: u8 = 1;
    /// The kernel itself.
    pub const KERNEL: u8 = 2;
    /// `ip route add` without `proto`.
    pub const BOOT: u8 = 3;
    /// The administrator.
    pub const STATIC: u8 = 4;
    /// Router advertisements.
    pub const RA: u8 = 9;
}

/// How far a destination is (`RT_SCOPE_*`): smaller is farther.
pub mod scope {
    /// Everywhere.
    pub const UNIVERSE: u8 = 0;
    /// Inside the site.
    pub const SITE: u8 = 200;
    /// On the link.
    pub const LINK: u8 = 253;
    /// This host.
    pub const HOST: u8 = 254;
    /// Nowhere.
    pub const NOWHERE: u8 = 255;
}

/// What a route does with a packet (`RTN_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteKind {
    /// Forward, or send on the link.
    Unicast = 1,
    /// Ours: deliver.
    Local,
    /// Ours, and everybody's on the link: deliver, and send as broadcast.
    Broadcast,
    /// Like broadcast, but sent as unicast.
    Anycast,
    /// A group.
    Multicast,
    /// Drop silently; `EINVAL` locally.
    Blackhole,
    /// Host unreachable; `EHOSTUNREACH` locally.
    Unreachable,
    /// Administratively prohibited; `EACCES` locally.
    Prohibit,
    /// Go on with the next rule.
    Throw,
}

impl RouteKind {
    /// All.
    pub(crate) const ALL: [RouteKind; 9] = [
        RouteKind::Unicast,
        RouteKind::Local,
        RouteKind::Broadcast,
        RouteKind::Anycast,
        RouteKind::Multicast,
        RouteKind::Blackhole,
        RouteKind::Unreachable,
        RouteKind::Prohibit,
        RouteKind::Throw,
    ];

    /// The kernel's number (`RTN_*`).
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of this number, if routes may have it.
    pub fn numbered(number: u8) -> Option<RouteKind> {
        RouteKind::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// `RTAX_*` of a route. `None` is "not set".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteMetrics {
    /// Path MTU in bytes.
    pub mtu: Option<u32>,
    /// `lock`: path MTU discovery may not lower it, and DF is not set.
    pub mtu_lock: bool,
    /// TCP's advertised segment size.
    pub advmss: Option<u32>,
    /// TCP window clamp.
    pub window: Option<u32>,
    /// Initial RTT, in eighths of a millisecond.
    pub rtt: Option<u32>,
    /// Initial RTT variance, in quarters of a millisecond.
    pub rttvar: Option<u32>,
    /// Slow start threshold.
    pub ssthresh: Option<u32>,
    /// Clamp of the congestion window.
    pub cwnd: Option<u32>,
    /// TTL of packets that start here.
    pub hoplimit: Option<u32>,
    /// Initial congestion window.
    pub initcwnd: Option<u32>,
    /// Initial receive window.
    pub initrwnd: Option<u32>,
    /// Smallest retransmission time-out, milliseconds.
    pub rto_min: Option<u32>,
    /// Initial reordering.
    pub reordering: Option<u32>,
    /// `RTAX_FEATURES`: 1 is ECN.
    pub features: Option<u32>,
    /// Quick acknowledgements.
    pub quickack: Option<u32>,
    /// The congestion control algorithm.
    pub congctl: Option<&'static str>,
    /// TCP fast open without cookies.
    pub fastopen_no_cookie: Option<u32>,
    /// `RTAX_LOCK`: which of the others are locked, by bits of their `RTAX_*` numbers. (`mtu_lock` is kept apart, for the
    /// packet path asks for it.)
    pub locked: u32,
}

impl RouteMetrics {
    /// Nothing is set.
    pub const NONE: RouteMetrics = RouteMetrics {
        mtu: None,
        mtu_lock: false,
        advmss: None,
        window: None,
        rtt: None,
        rttvar: None,
        ssthresh: None,
        cwnd: None,
        hoplimit: None,
        initcwnd: None,
        initrwnd: None,
        rto_min: None,
        reordering: None,
        features: None,
        quickack: None,
        congctl: None,
        fastopen_no_cookie: None,
        locked: 0,
    };
}

/// One next hop of a request or a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct NextHopSpec {
    /// `via`.
    pub gateway: Option<IpAddr>,
    /// `dev`.
    pub oif: Option<IfIndex>,
    /// `weight`, from 1 to 256.
    pub weight: u16,
    /// `onlink`: take the gateway as reachable on the link.
    pub onlink: bool,
}

/// A route as the user says it. `None` is "not said".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// The first address of the destination; its version is the route's.
    pub destination: IpAddr,
    /// The prefix length.
    pub length: u8,
    /// `tos`.
    pub tos: u8,
    /// `table`; main if not said.
    pub table: Option<u32>,
    /// `unicast`, `local`, `blackhole`, …
    pub kind: Option<RouteKind>,
    /// `proto`.
    pub protocol: Option<u8>,
    /// `scope`.
    pub scope: Option<u8>,
    /// `metric`.
    pub metric: Option<u32>,
    /// `src`.
    pub prefsrc: Option<IpAddr>,
    /// `mtu`, `advmss`, …
    pub metrics: RouteMetrics,
    /// `via`, `dev`, `nexthop …`: none, one, or several.
    pub nexthops: Vec<NextHopSpec>,
    /// `realms`: source and destination realm, 16 bits each; IPv4 only.
    pub realms: Option<u32>,
    /// `pref`, IPv6 only: 0 medium, 1 high, 3 low.
    pub preference: Option<u8>,
    /// `expires` in seconds, IPv6 only.
    pub expires: Option<u32>,
}

impl RouteSpec {
    /// Nothing is said but the destination: `RouteSpec { table: Some(77), ..RouteSpec::to(address, 24) }`.
    pub fn to(destination: IpAddr, length: u8) -> RouteSpec {
        RouteSpec {
            destination,
            length,
            tos: 0,
            table: None,
            kind: None,
            protocol: None,
            scope: None,
            metric: None,
            prefsrc: None,
            metrics: RouteMetrics::default(),
            nexthops: Vec::new(),
            realms: None,
            preference: None,
            expires: None,
        }
    }
}

/// How `ip route add|append|prepend|change|replace` differ (`NLM_F_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteMode {
    /// `NLM_F_CREATE | NLM_F_EXCL`
    Add,
    /// `NLM_F_CREATE | NLM_F_APPEND`
    Append,
    /// `NLM_F_CREATE`
    Prepend,
    /// `NLM_F_REPLACE`
    Change,
    /// `NLM_F_CREATE | NLM_F_REPLACE`
    Replace,
}

/// What a rule does with the packets it is for (`FR_ACT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// `lookup TABLE`: asks that table; if that has no answer the next rule is asked.
    Table(u32),
    /// `goto PRIORITY`: goes on there.
    Goto(u32),
    /// `nop`
    Nop,
    /// `blackhole`
    Blackhole,
    /// `unreachable`
    Unreachable,
    /// `prohibit`
    Prohibit,
}

/// A rule as the user says it. `None` is "not said".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSpec {
    /// A rule for IPv6 (`ip -6 rule`).
    pub ipv6: bool,
    /// `pref`
    pub priority: Option<u32>,
    /// `not`
    pub invert: bool,
    /// `from`
    pub source: Option<(IpAddr, u8)>,
    /// `to`
    pub destination: Option<(IpAddr, u8)>,
    /// `iif`
    pub iif: Option<String>,
    /// `oif`
    pub oif: Option<String>,
    /// `fwmark MARK`
    pub mark: Option<u32>,
    /// `fwmark …/MASK`
    pub mask: Option<u32>,
    /// `tos`
    pub tos: u8,
    /// `ipproto`; 0 is not said.
    pub ip_protocol: u8,
    /// `sport`: the first and the last.
    pub source_port: Option<(u16, u16)>,
    /// `dport`
    pub destination_port: Option<(u16, u16)>,
    /// `uidrange`
    pub uid: Option<(u32, u32)>,
    /// `suppress_prefixlength`
    pub suppress_prefix: Option<u32>,
    /// What it does; `lookup main` if not said.
    pub action: Option<RuleAction>,
    /// `protocol`; 3 (boot) if not said to `add`, 0 to `del`.
    pub protocol: u8,
}

/// How long an address is valid, or preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(Time);

impl Lifetime {
    /// For ever.
    pub const FOREVER: Lifetime = Lifetime(Time::NEVER);

    /// Until then.
    pub const fn until(end: Time) -> Lifetime {
        Lifetime(end)
    }

    /// True if it has ended.
    pub fn is_over(self, now: Time) -> bool {
        self.end().is_some_and(|end| end <= now)
    }

    /// Its end, if it has one.
    pub fn end(self) -> Option<Time> {
        Some(self.0).filter(|end| *end != Time::NEVER)
    }

    /// Seconds that are left, as listings count them: one that was just begun is not lost yet. `None` is for ever.
    pub fn seconds_left(self, now: Time) -> Option<u64> {
        self.end().map(|end| end.since(now).as_nanos().div_ceil(1_000_000_000) as u64)
    }
}

/// An interface address as the user says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressSpec {
    /// The interface.
    pub index: IfIndex,
    /// `local`.
    pub local: IpAddr,
    /// `peer`; the prefix length belongs to it.
    pub peer: Option<IpAddr>,
    /// The prefix length.
    pub length: u8,
    /// Of [`Command::AddressDelete`] only: neither prefix length nor `peer` was said (`IFA_ADDRESS` is missing), and the
    /// first address that is `local` goes.
    pub any_prefix: bool,
    /// `broadcast ADDR` (`+` and `-` are worked out by the caller, as iproute2 does).
    pub broadcast: Option<core::net::Ipv4Addr>,
    /// `scope`; the kernel's default if not said (iproute2 says host for 127/8, global else).
    pub scope: Option<u8>,
    /// `label`, IPv4 only; the interface's name if not said.
    pub label: Option<String>,
    /// `noprefixroute`
    pub noprefixroute: bool,
    /// `nodad`, IPv6 only.
    pub nodad: bool,
    /// `home`, `mngtmpaddr`, `optimistic` (IPv6 only) and `autojoin`, as bits of `IFA_F_*`.
    pub flags: u32,
    /// `metric` of the connected route.
    pub metric: Option<u32>,
    /// `proto` of the address (`IFAPROT_*`).
    pub protocol: u8,
    /// `valid_lft` in seconds; `None` is for ever.
    pub valid: Option<u32>,
    /// `preferred_lft` in seconds; `None` is for ever.
    pub preferred: Option<u32>,
}

impl AddressSpec {
    /// Nothing is said but the address: `AddressSpec { metric: Some(7), ..AddressSpec::of(index, address, 24) }`.
    pub fn of(index: IfIndex, local: IpAddr, length: u8) -> AddressSpec {
        AddressSpec {
            index,
            local,
            peer: None,
            length,
            any_prefix: false,
            broadcast: None,
            scope: None,
            label: None,
            noprefixroute: false,
            nodad: false,
            flags: 0,
            metric: None,
            protocol: 0,
            valid: None,
            preferred: None,
        }
    }
}

/// `ip addr add|change|replace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressMode {
    /// `NLM_F_CREATE | NLM_F_EXCL`
    Add,
    /// `NLM_F_REPLACE`
    Change,
    /// `NLM_F_CREATE | NLM_F_REPLACE`
    Replace,
}

/// A neighbour's state (`NUD_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Nud {
    /// No entry is being resolved yet.
    None,
    /// Asked, not answered; packets are parked.
    Incomplete,
    /// Confirmed within the reachable time.
    Reachable,
    /// Known, but not lately confirmed.
    Stale,
    /// Used while stale: waits for a sign of life before it probes.
    Delay,
    /// Asks by unicast.
    Probe,
    /// Asked in vain.
    Failed,
    /// No resolution needed (loopback, multicast).
    Noarp,
    /// Set by hand.
    Permanent,
}

/// A neighbour as the user says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborSpec {
    /// The interface.
    pub index: IfIndex,
    /// The neighbour's address.
    pub destination: IpAddr,
    /// `lladdr`
    pub lladdr: Option<Mac>,
    /// `nud`; permanent if not said.
    pub state: Nud,
    /// `router`
    pub router: bool,
    /// `proxy`: an entry of the proxy table, which answers for others.
    pub proxy: bool,
    /// `extern_learn`
    pub extern_learn: bool,
    /// `proto`
    pub protocol: u8,
}

impl NeighborSpec {
    /// A permanent one, of which nothing else is said: `NeighborSpec { state: Nud::Stale, ..NeighborSpec::of(index, destination, mac) }`.
    pub fn of(index: IfIndex, destination: IpAddr, lladdr: Option<Mac>) -> NeighborSpec {
        let (state, router, proxy, extern_learn, protocol) = (Nud::Permanent, false, false, false, 0);
        NeighborSpec { index, destination, lladdr, state, router, proxy, extern_learn, protocol }
    }
}

/// `ip neigh add|change|replace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighborMode {
    /// `NLM_F_CREATE | NLM_F_EXCL`
    Add,
    /// `NLM_F_REPLACE`
    Change,
    /// `NLM_F_CREATE | NLM_F_REPLACE`
    Replace,
}

/// What may be changed on a link of one namespace. `None` leaves it. (Moving, adding and deleting concern two
/// namespaces and are the world's.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// `name`
    pub name: Option<String>,
    /// `address`
    pub address: Option<Mac>,
    /// `broadcast`
    pub broadcast: Option<Mac>,
    /// `mtu` in bytes, without the Ethernet header.
    pub mtu: Option<u32>,
    /// `txqueuelen`
    pub txqueuelen: Option<u32>,
    /// `alias`; an empty one removes it.
    pub alias: Option<String>,
    /// `group` by number.
    pub group: Option<u32>,
    /// `arp on|off`
    pub arp: Option<bool>,
    /// `multicast on|off`
    pub multicast: Option<bool>,
    /// `allmulticast on|off`
    pub allmulticast: Option<bool>,
    /// `promisc on|off`
    pub promisc: Option<bool>,
    /// `dynamic on|off`
    pub dynamic: Option<bool>,
    /// `trailers on|off`
    pub trailers: Option<bool>,
    /// `carrier on|off` (refused by most drivers)
    pub carrier: Option<bool>,
    /// `addrgenmode`: none (1) or eui64 (0), …
    pub addrgenmode: Option<u8>,
    /// `up`, `down`
    pub up: Option<bool>,
    /// `master BRIDGE`; `nomaster` is `Some(None)`.
    pub master: Option<Option<IfIndex>>,
    /// `type bridge …`
    pub bridge: Option<Box<BridgeChange>>,
    /// `type bridge_slave …`, and `bridge link set`
    pub bridge_port: Option<Box<BridgePortChange>>,
}

/// Everything that can be asked of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `ip link set`
    LinkChange(IfIndex, LinkChange),
    /// `ip addr add|change|replace`
    AddressAdd(AddressMode, AddressSpec),
    /// `ip addr del`: address, prefix, peer and label must match (the label only if said); nothing else matters.
    AddressDelete(AddressSpec),
    /// `ip route add|append|prepend|change|replace`
    RouteAdd(RouteMode, RouteSpec),
    /// `ip route del`: what is said must match, what is not said matches all.
    RouteDelete(RouteSpec),
    /// `ip route flush cache`
    RouteCacheFlush,
    /// `ip rule add`
    RuleAdd(RuleSpec),
    /// `ip rule del`
    RuleDelete(RuleSpec),
    /// `ip neigh add|change|replace`
    NeighborAdd(NeighborMode, NeighborSpec),
    /// `ip neigh del`
    NeighborDelete(NeighborSpec),
    /// `iptables`: a filter table takes the place of the one of its name, counters and all, or is the first of its name.
    TableReplace(Box<Table>),
    /// `iptables-restore` of a table with nothing in it: the table is gone, as if nobody had touched it.
    TableDelete(TableName),
    /// `bridge fdb add|append|replace`
    FdbAdd(FdbSpec),
    /// `bridge fdb del`
    FdbDelete(FdbSpec),
    /// `tc qdisc add|change|replace|del` at the root of a port.
    Qdisc(QdiscRequest),
    /// `sysctl -w` and writes to `/proc/sys`: path below `/proc/sys` with slashes, value.
    SysctlWrite(String, String),
}
