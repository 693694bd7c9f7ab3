//! What a rule asks for at least, in a few words, so that most of those that a packet does not fit cost next to nothing.
//!
//! A [`Sieve`] holds what a rule asks of addresses, protocol, ports and state, as far as it does so without a `!`, and before
//! anything that remembers, draws, or drops what is cut short. A packet that falls through would not have fitted; one that
//! does not is looked at by the rule itself.

use super::rule::{Match, Not, Rule};
use super::subject::Subject;
use crate::addr::Ipv4Addr;
use core::ops::RangeInclusive;

/// What a rule asks for at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sieve {
    /// The bits of source and destination, and which of them count.
    addresses: u64,
    mask: u64,
    /// The least and the most of source and destination port.
    sources: (u16, u16),
    destinations: (u16, u16),
    /// Bits of [`state`](crate::conntrack::state), one of which is the packet's.
    states: u16,
    /// 0 is any.
    protocol: u8,
}

/// What sieves look at of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    addresses: u64,
    ports: (u16, u16),
    states: u16,
    protocol: u8,
}

const ALL: Sieve =
    Sieve { addresses: 0, mask: 0, sources: (0, u16::MAX), destinations: (0, u16::MAX), states: u16::MAX, protocol: 0 };

fn pair(source: Ipv4Addr, destination: Ipv4Addr) -> u64 {
    u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits())
}

impl Sieve {
    pub(super) fn of(rule: &Rule) -> Sieve {
        let mut sieve = ALL;
        let nowhere = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
        let net = |of: Option<Not<_>>| of.and_then(said).unwrap_or(nowhere);
        let (source, destination) = (net(rule.ip.source), net(rule.ip.destination));
        sieve.mask = pair(source.1, destination.1);
        sieve.addresses = pair(source.0, destination.0) & sieve.mask;
        sieve.protocol = rule.ip.protocol.and_then(said).unwrap_or(0);
        for of in &rule.matches {
            match of {
                Match::Tcp(of) if of.option.is_none() => sieve.ports(&of.source, &of.destination),
                Match::Udp { source, destination } => sieve.ports(source, destination),
                Match::Conntrack(of) => sieve.state(of.state),
                Match::State(of) => sieve.state(Some(*of)),
                Match::Tcp(_)
                | Match::Icmp(_)
                | Match::Multiport { .. }
                | Match::Limit { .. }
                | Match::Statistic(_) => {
                    break;
                }
                _ => {}
            }
        }
        sieve
    }

    fn ports(&mut self, source: &Option<Not<RangeInclusive<u16>>>, destination: &Option<Not<RangeInclusive<u16>>>) {
        for (own, of) in [(&mut self.sources, source), (&mut self.destinations, destination)] {
            if let Some(Not { not: false, of }) = of {
                *own = (own.0.max(*of.start()), own.1.min(*of.end()));
            }
        }
    }

    fn state(&mut self, of: Option<Not<u16>>) {
        // What is left of two that exclude each other is none: nothing fits, and the rule says so itself.
        if let Some(states) = of.and_then(said).map(|states| states & self.states).filter(|states| *states != 0) {
            self.states = states;
        }
    }

    /// True if the rule looks at the state of connections.
    pub(super) fn looks_at_state(&self) -> bool {
        self.states != u16::MAX
    }

    /// False if the packet does not fit the rule.
    #[inline]
    pub(super) fn holds(&self, facts: &Facts) -> bool {
        let (source, destination) = facts.ports;
        (facts.addresses ^ self.addresses) & self.mask == 0
            && (self.protocol == 0 || self.protocol == facts.protocol)
            && (self.destinations.0 <= destination && destination <= self.destinations.1)
            && (self.sources.0 <= source && source <= self.sources.1)
            && self.states & facts.states != 0
    }
}

/// What is asked for without a `!`.
fn said<T>(of: Not<T>) -> Option<T> {
    (!of.not).then_some(of.of)
}

impl Facts {
    /// Of a packet that shows its ports, or what lies in their place; others are looked at by the rules themselves. The
    /// state is found out only where it is looked at.
    #[inline]
    pub(super) fn of(subject: &Subject<'_>, with_state: bool) -> Option<Facts> {
        Some(Facts {
            addresses: pair(subject.header.source, subject.header.destination),
            ports: subject.ports()?,
            states: if with_state { subject.conntrack.state(subject.nfct) } else { u16::MAX },
            protocol: subject.header.protocol,
        })
    }
}
