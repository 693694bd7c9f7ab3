//! What a rule asks for at least, in a few words, so that most of those that a packet does not fit cost next to nothing.
//!
//! A [`Sieve`] holds what a rule asks of addresses, protocol, ports and state, as far as it does so without a `!`, and before
//! anything that remembers, draws, or drops what is cut short. A packet that falls through would not have fitted; one that
//! does not is looked at by the rule itself.

use super::rule::{ConntrackMatch, IpMatch, Match, Not, Rule};
use super::subject::Subject;
use crate::addr::Ipv4Addr;
use core::ops::RangeInclusive;

/// What a rule asks for at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sieve {
    /// The bits of source and destination, and which of them count.
    addresses: u64,
    mask: u64,
    /// The least source and destination port, and how many more there are.
    sources: (u16, u16),
    destinations: (u16, u16),
    /// Bits of [`state`](crate::conntrack::state), one of which is the packet's.
    states: u16,
    /// The protocol, and which of its bits count.
    protocol: (u8, u8),
    /// The rule asks for nothing else: a packet that does not fall through fits.
    whole: bool,
}

/// What sieves look at of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    addresses: u64,
    ports: (u16, u16),
    states: u16,
    protocol: u8,
}

const ALL: Sieve = Sieve {
    addresses: 0,
    mask: 0,
    sources: (0, u16::MAX),
    destinations: (0, u16::MAX),
    states: u16::MAX,
    protocol: (0, 0),
    whole: true,
};

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
        sieve.protocol = rule.ip.protocol.and_then(said).map_or((0, 0), |protocol| (protocol, 0xff));
        sieve.whole = rule.ip == only_said(&rule.ip);
        for of in &rule.matches {
            match of {
                Match::Tcp(of) if of.option.is_none() => {
                    sieve.ports(&of.source, &of.destination);
                    sieve.whole &= of.flags.is_none();
                }
                Match::Udp { source, destination } => sieve.ports(source, destination),
                Match::Conntrack(of) => {
                    sieve.state(of.state);
                    sieve.whole &= **of == ConntrackMatch { state: of.state, ..ConntrackMatch::default() };
                }
                Match::State(of) => sieve.state(Some(*of)),
                Match::Comment(_) => {}
                Match::Tcp(_)
                | Match::Icmp(_)
                | Match::Multiport { .. }
                | Match::Limit { .. }
                | Match::Statistic(_) => {
                    sieve.whole = false;
                    break;
                }
                _ => sieve.whole = false,
            }
        }
        sieve
    }

    fn ports(&mut self, source: &Option<Not<RangeInclusive<u16>>>, destination: &Option<Not<RangeInclusive<u16>>>) {
        for (own, of) in [(&mut self.sources, source), (&mut self.destinations, destination)] {
            match of {
                // A second range in one rule is left to the rule, as is one that nothing fits.
                Some(Not { not: false, of }) if *own == (0, u16::MAX) && of.start() <= of.end() => {
                    *own = (*of.start(), of.end() - of.start());
                }
                Some(_) => self.whole = false,
                None => {}
            }
        }
    }

    fn state(&mut self, of: Option<Not<u16>>) {
        match of {
            Some(Not { not: false, of }) if !self.looks_at_state() && of != u16::MAX => self.states = of,
            // The rule says so itself.
            _ => self.whole = false,
        }
    }

    /// True if a packet that does not fall through fits the rule.
    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// True if the rule looks at the state of connections.
    pub(super) fn looks_at_state(&self) -> bool {
        self.states != u16::MAX
    }

    /// False if the packet does not fit the rule. (One branch a rule: most rules are passed over.)
    #[inline]
    pub(super) fn holds(&self, facts: &Facts) -> bool {
        let off = |port: u16, (least, more): (u16, u16)| port.wrapping_sub(least) > more;
        let addresses = (facts.addresses ^ self.addresses) & self.mask != 0;
        let protocol = (facts.protocol ^ self.protocol.0) & self.protocol.1 != 0;
        let ports = off(facts.ports.1, self.destinations) | off(facts.ports.0, self.sources);
        !(addresses | protocol | ports | (self.states & facts.states == 0))
    }
}

/// What a sieve holds of the part that every rule has.
fn only_said(of: &IpMatch) -> IpMatch {
    IpMatch {
        source: of.source.filter(|of| !of.not),
        destination: of.destination.filter(|of| !of.not),
        protocol: of.protocol.filter(|of| !of.not),
        ..IpMatch::default()
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

#[cfg(test)]
mod tests;
