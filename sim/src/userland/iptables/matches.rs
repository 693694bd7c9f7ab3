//! Matches: `-m`.

mod addrtype;
mod comment;
mod conntrack;
mod dscp;
mod icmp;
mod iprange;
mod length;
mod limit;
mod mac;
mod mark;
mod multiport;
mod owner;
mod physdev;
mod pkttype;
mod ports;
mod statistic;
mod ttl;

pub(super) use dscp::tos_name;

use super::extension::{MatchExtension, Style};
use vethlab_engine::filter::{Match, Rule};

/// All that are simulated.
const ALL: &[&MatchExtension] = &[
    &addrtype::ADDRTYPE,
    &comment::COMMENT,
    &conntrack::CONNTRACK,
    &conntrack::STATE,
    &dscp::DSCP,
    &dscp::TOS,
    &icmp::ICMP,
    &iprange::IPRANGE,
    &length::LENGTH,
    &limit::LIMIT,
    &mac::MAC,
    &mark::MARK,
    &mark::CONNMARK,
    &multiport::MULTIPORT,
    &owner::OWNER,
    &physdev::PHYSDEV,
    &pkttype::PKTTYPE,
    &ports::TCP,
    &ports::UDP,
    &statistic::STATISTIC,
    &ttl::TTL,
];

/// Those that Debian's iptables has besides.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "ah", "bpf", "cgroup", "cluster", "connbytes", "connlabel", "connlimit", "cpu", "dccp", "devgroup", "ecn", "esp",
    "hashlimit", "helper", "ipcomp", "ipvs", "nfacct", "osf", "policy", "quota", "rateest", "realm", "recent", "rpfilter",
    "sctp", "set", "socket", "string", "tcpmss", "time", "u32",
];

/// The match of this name.
pub(super) fn find(name: &str) -> Option<&'static MatchExtension> {
    ALL.iter().find(|known| known.name == name).copied()
}

/// The real tool has a match of this name, the lab has not.
pub(super) fn is_not_simulated(name: &str) -> bool {
    OTHERS.contains(&name)
}

/// As `-m` names it.
pub(super) fn name(of: &Match) -> &'static str {
    match of {
        Match::Tcp(_) => "tcp",
        Match::Udp { .. } => "udp",
        Match::Icmp(_) => "icmp",
        Match::Multiport { .. } => "multiport",
        Match::Conntrack(_) => "conntrack",
        Match::State(_) => "state",
        Match::Mark(_) => "mark",
        Match::ConnMark(_) => "connmark",
        Match::Comment(_) => "comment",
        Match::Limit { .. } => "limit",
        Match::Mac(_) => "mac",
        Match::AddrType(_) => "addrtype",
        Match::IpRange { .. } => "iprange",
        Match::Statistic(_) => "statistic",
        Match::PhysDev(_) => "physdev",
        Match::Owner { .. } => "owner",
        Match::PktType(_) => "pkttype",
        Match::Ttl(_) => "ttl",
        Match::Dscp(_) => "dscp",
        Match::Length(_) => "length",
        Match::Tos(_) => "tos",
    }
}

/// The match with a blank before it; in [`Style::Save`] without its name.
pub(super) fn shown(rule: &Rule, of: &Match, style: Style) -> String {
    match of {
        Match::Tcp(tcp) => ports::tcp_shown(tcp, style),
        Match::Udp { source, destination } => ports::udp_shown(source.as_ref(), destination.as_ref(), style),
        Match::Icmp(icmp) => icmp::shown(icmp, style),
        Match::Multiport { which, ports } => multiport::shown(rule, *which, ports, style),
        Match::Conntrack(conntrack) => conntrack::shown(conntrack, style),
        Match::State(state) => conntrack::state_shown(*state, style),
        Match::Mark(mark) => mark::shown(*mark, "mark match", style),
        Match::ConnMark(mark) => mark::shown(*mark, "connmark match ", style),
        Match::Comment(text) => comment::shown(text, style),
        Match::Limit { rate, per, burst } => limit::shown(*rate, *per, *burst, style),
        Match::Mac(mac) => mac::shown(*mac, style),
        Match::AddrType(types) => addrtype::shown(types, style),
        Match::IpRange { source, destination } => iprange::shown(*source, *destination, style),
        Match::Statistic(statistic) => statistic::shown(*statistic, style),
        Match::PhysDev(dev) => physdev::shown(dev, style),
        Match::Owner { uid, gid, socket_exists } => {
            owner::shown(uid.as_ref(), gid.as_ref(), socket_exists.as_ref(), style)
        }
        Match::PktType(of) => pkttype::shown(*of, style),
        Match::Ttl(ttl) => ttl::shown(*ttl, style),
        Match::Dscp(dscp) => dscp::dscp_shown(*dscp, style),
        Match::Length(length) => length::shown(length, style),
        Match::Tos(tos) => dscp::tos_shown(*tos, style),
    }
}

/// ` !` where there is one.
pub(super) fn bang(not: bool) -> &'static str {
    if not { " !" } else { "" }
}
