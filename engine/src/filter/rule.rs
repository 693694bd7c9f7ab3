//! What the user said: tables, chains, rules, matches and targets, with the names that iptables gives them.

use crate::addr::{Ipv4Addr, Mac};
use core::ops::RangeInclusive;

/// The tables, in the order in which a hook asks them.
#[allow(missing_docs, reason = "iptables' own names")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableName {
    Raw,
    Mangle,
    Nat,
    Filter,
}

/// Where the path asks (`NF_INET_*`).
#[allow(missing_docs, reason = "netfilter's own names")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    PreRouting,
    Input,
    Forward,
    Output,
    PostRouting,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its chains: the built-in ones in the order of [`TableName::hooks`], then those of the user in the order of their making.
    pub chains: Vec<Chain>,
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// `INPUT`, or what the user called it.
    pub name: String,
    /// The built-in ones have a policy: true accepts, false drops. Those of the user have none.
    pub policy: Option<bool>,
    /// How far it exists; of the user's own always [`Standing::Made`].
    pub standing: Standing,
    /// What came to the policy's verdict, if that is counted.
    pub counters: RuleCounters,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// How far a built-in chain exists: nf_tables makes each when it is needed, and counts for a policy only when told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Listed, but nobody has made it: it has no rules, accepts and does not count (nor does it keep its table tracking
    /// connections).
    Absent,
    /// Made for a rule (`-A`, `-I`, `-F`): its policy counts nothing.
    Made,
    /// What comes to its policy is counted: since `-P`, `-Z` or `iptables-restore`.
    Counted,
}

/// Packets, and bytes of IP packets.
#[allow(missing_docs, reason = "their own names")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleCounters {
    pub packets: u64,
    pub bytes: u64,
}

/// A rule: if the packet fits all of it, the target is what happens.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rule {
    /// The part that every rule has (`struct ipt_ip`).
    pub ip: IpMatch,
    /// `-m`, in the order in which they are asked.
    pub matches: Vec<Match>,
    /// `-j`, `-g`; none: the rule only counts.
    pub target: Option<Target>,
    /// What fitted.
    pub counters: RuleCounters,
}

/// `-s`, `-d`, `-i`, `-o`, `-p`, `-f`, each perhaps with `!`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct IpMatch {
    /// `-s`: address and mask (any mask, not only prefixes).
    pub source: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    /// `-d`
    pub destination: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    /// `-i`: a name, or with a `+` at its end the beginning of names.
    pub in_interface: Option<Not<String>>,
    /// `-o`
    pub out_interface: Option<Not<String>>,
    /// `-p`: never 0, which is any.
    pub protocol: Option<Not<u8>>,
    /// `-f`: later fragments (with `!`: others than those).
    pub fragment: Option<Not<()>>,
}

/// Something, perhaps with a `!` before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Not<T> {
    /// There is a `!`.
    pub not: bool,
    /// What.
    pub of: T,
}

/// An extension that looks at the packet: one kind of `-m`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// `-m tcp`
    Tcp(TcpMatch),
    /// `-m udp`
    Udp {
        /// `--sport`
        source: Option<Not<RangeInclusive<u16>>>,
        /// `--dport`
        destination: Option<Not<RangeInclusive<u16>>>,
    },
    /// `-m icmp --icmp-type`: a type and the range of its codes; type 255 is any.
    Icmp(Not<(u8, RangeInclusive<u8>)>),
    /// `-m multiport`: up to 15 ports or ranges.
    Multiport {
        /// `--sports`, `--dports`, `--ports`
        which: Ports,
        /// The list.
        ports: Not<Vec<RangeInclusive<u16>>>,
    },
    /// `-m conntrack`
    Conntrack(Box<ConntrackMatch>),
    /// `-m state --state`: a set of [`state`](crate::conntrack::state) bits.
    State(Not<u16>),
    /// `-m mark --mark value/mask`
    Mark(Not<(u32, u32)>),
    /// `-m connmark --mark value/mask`
    ConnMark(Not<(u32, u32)>),
    /// `-m comment --comment`
    Comment(String),
    /// `-m limit`
    Limit {
        /// `--limit`: that many …
        rate: u32,
        /// … in so many seconds: 1, 60, 3600 or 86400.
        per: u32,
        /// `--limit-burst`
        burst: u32,
    },
    /// `-m mac --mac-source`
    Mac(Not<Mac>),
    /// `-m addrtype`
    AddrType(AddrTypeMatch),
    /// `-m iprange`
    IpRange {
        /// `--src-range`
        source: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
        /// `--dst-range`
        destination: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    },
    /// `-m statistic`
    Statistic(Not<Statistic>),
    /// `-m physdev`
    PhysDev(PhysDevMatch),
    /// `-m owner`: who sent a packet of our own.
    Owner {
        /// `--uid-owner`
        uid: Option<Not<RangeInclusive<u32>>>,
        /// `--gid-owner`
        gid: Option<Not<RangeInclusive<u32>>>,
        /// `--socket-exists`
        socket_exists: Option<Not<()>>,
    },
    /// `-m pkttype --pkt-type`
    PktType(Not<PktType>),
    /// `-m ttl`
    Ttl(TtlMatch),
    /// `-m dscp --dscp`
    Dscp(Not<u8>),
    /// `-m length --length`: of the IP packet.
    Length(Not<RangeInclusive<u16>>),
    /// `-m tos --tos value/mask`
    Tos(Not<(u8, u8)>),
}

/// `-m tcp`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TcpMatch {
    /// `--sport`
    pub source: Option<Not<RangeInclusive<u16>>>,
    /// `--dport`
    pub destination: Option<Not<RangeInclusive<u16>>>,
    /// `--tcp-flags mask set` (`--syn` is FIN,SYN,RST,ACK SYN)
    pub flags: Option<Not<(u8, u8)>>,
    /// `--tcp-option`
    pub option: Option<Not<u8>>,
}

/// Which ports `-m multiport` looks at.
#[allow(missing_docs, reason = "their own names")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    Source,
    Destination,
    Either,
}

/// `-m conntrack`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ConntrackMatch {
    /// `--ctstate`: a set of [`state`](crate::conntrack::state) bits.
    pub state: Option<Not<u16>>,
    /// `--ctproto`
    pub protocol: Option<Not<u8>>,
    /// `--ctorigsrc`
    pub original_source: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    /// `--ctorigdst`
    pub original_destination: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    /// `--ctreplsrc`
    pub reply_source: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    /// `--ctrepldst`
    pub reply_destination: Option<Not<(Ipv4Addr, Ipv4Addr)>>,
    /// `--ctorigsrcport`
    pub original_source_port: Option<Not<RangeInclusive<u16>>>,
    /// `--ctorigdstport`
    pub original_destination_port: Option<Not<RangeInclusive<u16>>>,
    /// `--ctreplsrcport`
    pub reply_source_port: Option<Not<RangeInclusive<u16>>>,
    /// `--ctrepldstport`
    pub reply_destination_port: Option<Not<RangeInclusive<u16>>>,
    /// `--ctstatus`: bits EXPECTED 1, SEEN_REPLY 2, ASSURED 4, CONFIRMED 8; 0 is NONE.
    pub status: Option<Not<u32>>,
    /// `--ctexpire`: seconds.
    pub expire: Option<Not<RangeInclusive<u32>>>,
    /// `--ctdir`: true is ORIGINAL.
    pub original_direction: Option<bool>,
}

/// `-m addrtype`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AddrTypeMatch {
    /// `--src-type`: a set of bits, `1 << RTN_*` (UNSPEC 0, UNICAST 1, LOCAL 2, BROADCAST 3, ANYCAST 4, MULTICAST 5, BLACKHOLE
    /// 6, UNREACHABLE 7, PROHIBIT 8, THROW 9).
    pub source: Option<Not<u16>>,
    /// `--dst-type`
    pub destination: Option<Not<u16>>,
    /// `--limit-iface-in`
    pub limit_in: bool,
    /// `--limit-iface-out`
    pub limit_out: bool,
}

/// `-m statistic --mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// `random --probability`: as parts of 2^31, rounded as iptables rounds.
    Random {
        /// 0 to 0x8000_0000
        probability: u32,
    },
    /// `nth --every --packet`
    Nth {
        /// From 1.
        every: u32,
        /// Which one of each round, from 0.
        packet: u32,
    },
}

/// `-m physdev`: which port of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PhysDevMatch {
    /// `--physdev-in`
    pub physdev_in: Option<Not<String>>,
    /// `--physdev-out`
    pub physdev_out: Option<Not<String>>,
    /// `--physdev-is-in`
    pub is_in: Option<Not<()>>,
    /// `--physdev-is-out`
    pub is_out: Option<Not<()>>,
    /// `--physdev-is-bridged`
    pub is_bridged: Option<Not<()>>,
}

/// `-m pkttype`
#[allow(missing_docs, reason = "their own names")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PktType {
    Unicast,
    Broadcast,
    Multicast,
}

/// `-m ttl`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtlMatch {
    /// `--ttl-eq`
    Equal(Not<u8>),
    /// `--ttl-lt`
    Less(u8),
    /// `--ttl-gt`
    Greater(u8),
}

/// What happens to a packet that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `-j CHAIN`
    Jump(String),
    /// `-g CHAIN`
    Goto(String),
    /// `-j ACCEPT`
    Accept,
    /// `-j DROP`
    Drop,
    /// `-j RETURN`
    Return,
    /// `-j REJECT --reject-with`
    Reject(RejectWith),
    /// `-j LOG`
    Log {
        /// `--log-level`, 0 to 7
        level: u8,
        /// `--log-prefix`
        prefix: String,
        /// Bits: `--log-tcp-sequence` 1, `--log-tcp-options` 2, `--log-ip-options` 4, `--log-uid` 8.
        flags: u8,
    },
    /// `-j MARK --set-xmark value/mask`: the mark loses the mask's bits, and then the value is xored in.
    Mark {
        /// The value.
        value: u32,
        /// The mask.
        mask: u32,
    },
    /// `-j CONNMARK`
    ConnMark(ConnMark),
    /// `-j DNAT --to-destination`
    Dnat(NatRange),
    /// `-j SNAT --to-source`
    Snat(NatRange),
    /// `-j MASQUERADE`
    Masquerade {
        /// `--to-ports`
        ports: Option<RangeInclusive<u16>>,
        /// `--random`
        random: bool,
        /// `--random-fully`
        random_fully: bool,
    },
    /// `-j REDIRECT`
    Redirect {
        /// `--to-ports`
        ports: Option<RangeInclusive<u16>>,
        /// `--random`
        random: bool,
    },
    /// `-j NETMAP --to address/mask`
    NetMap(Ipv4Addr, Ipv4Addr),
    /// `-j NOTRACK`
    NoTrack,
    /// `-j CT --notrack`: the same under its newer name, printed so.
    CtNoTrack,
    /// `-j TCPMSS`; none is `--clamp-mss-to-pmtu`.
    TcpMss(Option<u16>),
    /// `-j TTL`
    Ttl(TtlChange),
    /// `-j DSCP --set-dscp`
    Dscp(u8),
    /// `-j TOS --set-tos value/mask`
    Tos {
        /// The value, xored in.
        value: u8,
        /// The bits that are cleared before.
        mask: u8,
    },
}

/// `--reject-with`
#[allow(missing_docs, reason = "iptables' own names")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectWith {
    NetUnreachable,
    HostUnreachable,
    PortUnreachable,
    ProtoUnreachable,
    NetProhibited,
    HostProhibited,
    AdminProhibited,
    TcpReset,
}

/// `-j CONNMARK`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnMark {
    /// `--set-xmark value/mask`
    Set {
        /// The value.
        value: u32,
        /// The mask.
        mask: u32,
    },
    /// `--save-mark --nfmask --ctmask`: the packet's mark to the connection's.
    Save {
        /// `--nfmask`
        packet: u32,
        /// `--ctmask`
        connection: u32,
    },
    /// `--restore-mark`
    Restore {
        /// `--nfmask`
        packet: u32,
        /// `--ctmask`
        connection: u32,
    },
}

/// `--to-source`, `--to-destination`
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NatRange {
    /// The first and the last address.
    pub addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The first and the last port.
    pub ports: Option<RangeInclusive<u16>>,
    /// `--to-destination a.b.c.d:FIRST-LAST/BASE`
    pub base_port: Option<u16>,
    /// `--random`
    pub random: bool,
    /// `--random-fully`
    pub random_fully: bool,
    /// `--persistent`
    pub persistent: bool,
}

/// `-j TTL`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtlChange {
    /// `--ttl-set`
    Set(u8),
    /// `--ttl-inc`
    Increase(u8),
    /// `--ttl-dec`
    Decrease(u8),
}

impl TableName {
    /// All, sorted by name.
    pub const ALL: [TableName; 4] = [TableName::Filter, TableName::Mangle, TableName::Nat, TableName::Raw];

    /// As `-t` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            TableName::Raw => "raw",
            TableName::Mangle => "mangle",
            TableName::Nat => "nat",
            TableName::Filter => "filter",
        }
    }

    /// The hooks that have a chain in it, in the order in which they are listed.
    pub const fn hooks(self) -> &'static [Hook] {
        use Hook::{Forward, Input, Output, PostRouting, PreRouting};
        match self {
            TableName::Raw => &[PreRouting, Output],
            TableName::Mangle => &[PreRouting, Input, Forward, Output, PostRouting],
            TableName::Nat => &[PreRouting, Input, Output, PostRouting],
            TableName::Filter => &[Input, Forward, Output],
        }
    }
}

impl Hook {
    /// The name of its chains.
    pub const fn name(self) -> &'static str {
        match self {
            Hook::PreRouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::PostRouting => "POSTROUTING",
        }
    }
}

impl Table {
    /// The table as it is when it is first touched: its built-in chains, empty, accepting, none made yet.
    pub fn fresh(name: TableName) -> Table {
        let chain = |hook: &Hook| Chain {
            name: hook.name().to_string(),
            policy: Some(true),
            standing: Standing::Absent,
            counters: RuleCounters::default(),
            rules: Vec::new(),
        };
        Table { name, chains: name.hooks().iter().map(chain).collect() }
    }

    /// A chain by its name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }

    /// The same, to be changed.
    pub fn chain_mut(&mut self, name: &str) -> Option<&mut Chain> {
        self.chains.iter_mut().find(|chain| chain.name == name)
    }
}
