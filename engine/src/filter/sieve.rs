//! What a rule asks for at least, in a few words, so that most of those that a packet does not fit cost next to nothing.
//!
//! A [`Sieve`] holds what a rule asks of addresses, protocol, ports and state, as far as it does so without a `!`, and before
//! anything that remembers, draws, or drops what is cut short. A packet that falls through would not have fitted; one that
//! does not is looked at by the rule itself.
//!
//! A chain's sieves lie in [`Block`]s, side by side, so that one instruction of any CPU asks several rules the same thing.

use super::rule::{ConntrackMatch, IpMatch, Match, Not, Rule};
use super::subject::ports;
use crate::addr::Ipv4Addr;
use crate::wire::Ipv4;
use core::ops::RangeInclusive;

/// What a rule asks for at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sieve {
    /// The bits of source and destination, and which of them count.
    source: (u32, u32),
    destination: (u32, u32),
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
    source: u32,
    destination: u32,
    ports: (u16, u16),
    states: u16,
    protocol: u8,
}

const ALL: Sieve = Sieve {
    source: (0, 0),
    destination: (0, 0),
    sources: (0, u16::MAX),
    destinations: (0, u16::MAX),
    states: u16::MAX,
    protocol: (0, 0),
    whole: true,
};

/// What stands behind a chain's last rule, to the end of its block: it looks for a state that no packet has.
const NONE: Sieve = Sieve { states: 0, ..ALL };

impl Sieve {
    fn of(rule: &Rule) -> Sieve {
        let mut sieve = ALL;
        let net = |of: Option<Not<(Ipv4Addr, Ipv4Addr)>>| match of.and_then(said) {
            Some((address, mask)) => (address.to_bits() & mask.to_bits(), mask.to_bits()),
            None => (0, 0),
        };
        (sieve.source, sieve.destination) = (net(rule.ip.source), net(rule.ip.destination));
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

    fn looks_at_state(&self) -> bool {
        self.states != u16::MAX
    }

    fn looks_at_addresses(&self) -> bool {
        self.source.1 | self.destination.1 != 0
    }
}

/// Rules of a block.
const LANES: usize = 8;

/// The sieves of eight rules that follow each other; of what is a pair in a [`Sieve`], the first halves and the second.
#[derive(Clone, Debug)]
struct Block {
    sources: [[u16; LANES]; 2],
    destinations: [[u16; LANES]; 2],
    protocol: [[u16; LANES]; 2],
    states: [u16; LANES],
    source: [[u32; LANES]; 2],
    destination: [[u32; LANES]; 2],
    /// One of them looks at addresses.
    addressed: bool,
    /// A bit a rule.
    whole: u8,
}

impl Block {
    /// Of at most so many rules as there is room for.
    fn of(rules: &[Rule]) -> Block {
        let mut sieves = [NONE; LANES];
        for (sieve, rule) in sieves.iter_mut().zip(rules) {
            *sieve = Sieve::of(rule);
        }
        fn pair<T: Copy>(of: [(T, T); LANES]) -> [[T; LANES]; 2] {
            [of.map(|(first, _)| first), of.map(|(_, second)| second)]
        }
        Block {
            sources: pair(sieves.map(|sieve| sieve.sources)),
            destinations: pair(sieves.map(|sieve| sieve.destinations)),
            protocol: pair(sieves.map(|sieve| (sieve.protocol.0.into(), sieve.protocol.1.into()))),
            states: sieves.map(|sieve| sieve.states),
            source: pair(sieves.map(|sieve| sieve.source)),
            destination: pair(sieves.map(|sieve| sieve.destination)),
            addressed: sieves.iter().any(Sieve::looks_at_addresses),
            whole: sieves.iter().rev().fold(0, |bits, sieve| bits << 1 | u8::from(sieve.whole)),
        }
    }

    /// What speaks against each of the rules: 0 if a packet may fit it. (No branch and no early end: the compiler makes a
    /// handful of vector instructions of it.)
    #[inline(always)]
    fn fails(&self, facts: &Facts) -> [u16; LANES] {
        let off = |port: u16, least: u16, more: u16| port.wrapping_sub(least).saturating_sub(more);
        let mut fails = [0_u16; LANES];
        for (lane, fail) in fails.iter_mut().enumerate() {
            let sources = off(facts.ports.0, self.sources[0][lane], self.sources[1][lane]);
            let destinations = off(facts.ports.1, self.destinations[0][lane], self.destinations[1][lane]);
            let protocol = (u16::from(facts.protocol) ^ self.protocol[0][lane]) & self.protocol[1][lane];
            let state = if self.states[lane] & facts.states == 0 { u16::MAX } else { 0 };
            *fail = sources | destinations | protocol | state;
        }
        if self.addressed {
            for (lane, fail) in fails.iter_mut().enumerate() {
                let source = (facts.source ^ self.source[0][lane]) & self.source[1][lane];
                let destination = (facts.destination ^ self.destination[0][lane]) & self.destination[1][lane];
                *fail |= if source | destination == 0 { 0 } else { u16::MAX };
            }
        }
        fails
    }
}

/// The sieves of a chain.
#[derive(Debug)]
pub(super) struct Sieves {
    blocks: Vec<Block>,
    rules: usize,
}

impl Sieves {
    pub(super) fn of(rules: &[Rule]) -> Sieves {
        Sieves { blocks: rules.chunks(LANES).map(Block::of).collect(), rules: rules.len() }
    }

    /// The place of the next rule that a packet may fit, this one included, or how many rules there are. (Inlined, so that the
    /// facts get from registers to vectors: through memory, they would wait for their last piece to be written.)
    #[inline(always)]
    pub(super) fn next(&self, from: usize, facts: &Facts) -> usize {
        let mut left = u64::MAX << (from % LANES * 8);
        for (at, block) in self.blocks.iter().enumerate().skip(from / LANES) {
            let fails = block.fails(facts);
            // Nearly always nothing holds, which is soon found out.
            if fails.iter().fold(false, |any, fail| any | (*fail == 0)) {
                let holds = u64::from_le_bytes(fails.map(|fail| if fail == 0 { u8::MAX } else { 0 })) & left;
                if holds != 0 {
                    return at * LANES + holds.trailing_zeros() as usize / 8;
                }
            }
            left = u64::MAX;
        }
        self.rules
    }

    /// True if a packet that does not fall through fits this rule.
    #[inline]
    pub(super) fn is_whole(&self, rule: usize) -> bool {
        self.blocks.get(rule / LANES).is_some_and(|block| block.whole >> (rule % LANES) & 1 != 0)
    }

    /// True if a rule looks at the state of connections.
    pub(super) fn look_at_state(&self) -> bool {
        self.blocks.iter().flat_map(|block| block.states).any(|states| !matches!(states, 0 | u16::MAX))
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
    /// state of its connection is found out only where it is looked at: else it may be any.
    #[inline]
    pub(super) fn of(header: &Ipv4, packet: &[u8], state: impl FnOnce() -> Option<u16>) -> Option<Facts> {
        Some(Facts {
            source: header.source.to_bits(),
            destination: header.destination.to_bits(),
            ports: ports(header, packet)?,
            states: state().unwrap_or(u16::MAX),
            protocol: header.protocol,
        })
    }
}

#[cfg(test)]
mod tests;
