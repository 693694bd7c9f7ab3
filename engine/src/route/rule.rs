//! Rules: which packets ask which table (`net/core/fib_rules.c`).

use crate::addr::{Address, Prefix};
use crate::control::{protocol, table};

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

/// A rule (`struct fib_rule`). What is not set matches all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule<A> {
    /// Rules are asked from the smallest to the largest, equal ones in the order they came.
    pub priority: u32,
    /// `not`: for all packets but those.
    pub invert: bool,
    /// `from`
    pub source: Prefix<A>,
    /// `to`
    pub destination: Prefix<A>,
    /// `iif`, by name; the interface need not exist.
    pub iif: Option<String>,
    /// `oif`, by name.
    pub oif: Option<String>,
    /// `fwmark`
    pub mark: u32,
    /// The mask of `fwmark`; 0 if none was said.
    pub mask: u32,
    /// `tos`
    pub tos: u8,
    /// `ipproto`
    pub ip_protocol: u8,
    /// `uidrange`
    pub uids: Option<(u32, u32)>,
    /// `sport`
    pub source_ports: Option<(u16, u16)>,
    /// `dport`
    pub destination_ports: Option<(u16, u16)>,
    /// `suppress_prefixlength`: answers by prefixes of this length or shorter do not count.
    pub suppress_prefix: Option<u8>,
    /// What it does.
    pub action: RuleAction,
    /// Who made it (`RTPROT_*`).
    pub protocol: u8,
}

impl<A: Address> Rule<A> {
    /// `from all lookup TABLE`, made by the kernel.
    pub fn lookup(priority: u32, table: u32) -> Rule<A> {
        Rule {
            priority,
            invert: false,
            source: Prefix::DEFAULT,
            destination: Prefix::DEFAULT,
            iif: None,
            oif: None,
            mark: 0,
            mask: 0,
            tos: 0,
            ip_protocol: 0,
            uids: None,
            source_ports: None,
            destination_ports: None,
            suppress_prefix: None,
            action: RuleAction::Table(table),
            protocol: protocol::KERNEL,
        }
    }

    /// The rules of a fresh namespace.
    pub fn initial() -> Vec<Rule<A>> {
        let mut rules = vec![Rule::lookup(0, table::LOCAL), Rule::lookup(32_766, table::MAIN)];
        // IPv6 has no table of last resort.
        if A::BITS == 32 {
            rules.push(Rule::lookup(32_767, table::DEFAULT));
        }
        rules
    }
}
