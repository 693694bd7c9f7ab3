//! Rules: which packets ask which table (`net/core/fib_rules.c`).

use crate::addr::{Address, Ipv4Addr, Ipv6Addr};
use crate::control::{IfIndex, RuleAction, protocol, table};
use crate::route::{Flow, Net, Transport};

/// A rule (`struct fib_rule`). What is not set matches all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule<A> {
    /// Rules are asked from the smallest to the largest, equal ones in the order they came.
    pub priority: u32,
    /// `not`: for all packets but those.
    pub invert: bool,
    /// `from`, as it was said: with all its bits, of which the first [`Rule::source_length`] count.
    pub source: A,
    /// The prefix length of `from`; 0 matches all.
    pub source_length: u8,
    /// `to`
    pub destination: A,
    /// The prefix length of `to`.
    pub destination_length: u8,
    /// `iif`, by name; the interface need not exist.
    pub iif: Option<String>,
    /// `oif`, by name.
    pub oif: Option<String>,
    /// `fwmark`
    pub mark: u32,
    /// The mask of `fwmark`; 0 if there is no mark to look at.
    pub mask: u32,
    /// `tos`
    pub tos: u8,
    /// `ipproto`; 0 matches all.
    pub ip_protocol: u8,
    /// `sport`: the first and the last.
    pub source_port: Option<(u16, u16)>,
    /// `dport`
    pub destination_port: Option<(u16, u16)>,
    /// `uidrange`: whose packets.
    pub uid: Option<(u32, u32)>,
    /// `suppress_prefixlength`: answers by prefixes of this length or shorter do not count.
    pub suppress_prefix: Option<u32>,
    /// What it does.
    pub action: RuleAction,
    /// Who made it (`RTPROT_*`).
    pub protocol: u8,
}

/// The rules of a fresh namespace, the same for all that have changed none.
pub trait Ruled: Sized + 'static {
    /// By their priority.
    const INITIAL: &'static [Rule<Self>];
}

impl Ruled for Ipv4Addr {
    const INITIAL: &'static [Rule<Self>] =
        &[Rule::lookup(0, table::LOCAL), Rule::lookup(32_766, table::MAIN), Rule::lookup(32_767, table::DEFAULT)];
}

/// IPv6 has no table of last resort.
impl Ruled for Ipv6Addr {
    const INITIAL: &'static [Rule<Self>] = &[Rule::lookup(0, table::LOCAL), Rule::lookup(32_766, table::MAIN)];
}

impl<A: Address> Rule<A> {
    /// `from all lookup TABLE`, made by the kernel.
    pub const fn lookup(priority: u32, table: u32) -> Rule<A> {
        Rule {
            priority,
            invert: false,
            source: A::UNSPECIFIED,
            source_length: 0,
            destination: A::UNSPECIFIED,
            destination_length: 0,
            iif: None,
            oif: None,
            mark: 0,
            mask: 0,
            tos: 0,
            ip_protocol: 0,
            source_port: None,
            destination_port: None,
            uid: None,
            suppress_prefix: None,
            action: RuleAction::Table(table),
            protocol: protocol::KERNEL,
        }
    }

    /// `fib_rule_match`
    pub(super) fn matches(&self, net: Net<'_>, flow: &Flow<A>) -> bool {
        let inside = |address: A, of: A, length| address.masked(length) == of.masked(length);
        let fits = is_named(net, self.iif.as_ref(), flow.iif)
            && is_named(net, self.oif.as_ref(), flow.oif)
            && (self.mark ^ flow.mark) & self.mask == 0
            && inside(flow.source.unwrap_or(A::UNSPECIFIED), self.source, self.source_length)
            && inside(flow.destination, self.destination, self.destination_length)
            && (self.tos == 0 || self.tos == flow.tos & 0xfc)
            && self.transport_fits(flow.transport)
            && self.uid.is_none_or(|(first, last)| (first..=last).contains(&flow.uid));
        fits != self.invert
    }

    fn transport_fits(&self, transport: Transport) -> bool {
        let inside = |range: Option<(u16, u16)>, port| range.is_none_or(|(first, last)| (first..=last).contains(&port));
        (self.ip_protocol == 0 || self.ip_protocol == transport.protocol)
            && inside(self.source_port, transport.source_port)
            && inside(self.destination_port, transport.destination_port)
    }

    /// True if it looks at protocol or ports.
    pub(super) fn looks_at_transport(&self) -> bool {
        self.ip_protocol != 0 || self.source_port.is_some() || self.destination_port.is_some()
    }

    /// True if an answer by a prefix of this length does not count (`fib4_rule_suppress`).
    pub(super) fn suppresses(&self, length: u8) -> bool {
        self.suppress_prefix.is_some_and(|most| u32::from(length) <= most)
    }
}

fn is_named(net: Net<'_>, wanted: Option<&String>, index: Option<IfIndex>) -> bool {
    wanted.is_none_or(|name| index.and_then(|index| net.ports.get(index)).is_some_and(|port| port.name == *name))
}
