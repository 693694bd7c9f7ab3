//! What a packet answers to a filter.

use super::{Base, Number, Relation, Test};
use crate::userland::tcpdump::pcap::LinkType;

/// A packet, as filters see it.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Subject<'a> {
    pub(in super::super) link: LinkType,
    pub(in super::super) bytes: &'a [u8],
    /// On the wire.
    pub(in super::super) length: usize,
    /// It left.
    pub(in super::super) outgoing: bool,
}

const VLAN_TYPES: [u32; 3] = [0x8100, 0x88a8, 0x9100];

impl Subject<'_> {
    /// None if a byte is asked for that is not there, or something is divided by 0: nobody wants such a packet.
    pub(super) fn answer(&self, test: &Test) -> Option<bool> {
        match test {
            Test::True => Some(true),
            Test::Not(test) => Some(!self.answer(test)?),
            Test::And(a, b) => Some(self.answer(a)? && self.answer(b)?),
            Test::Or(a, b) => Some(self.answer(a)? || self.answer(b)?),
            Test::Compare { guards, left, relation, right } => {
                for guard in guards {
                    if !self.answer(guard)? {
                        return Some(false);
                    }
                }
                let (left, right) = (self.number(left)?, self.number(right)?);
                Some(match relation {
                    Relation::Greater => left > right,
                    Relation::GreaterOrEqual => left >= right,
                    Relation::Equal => left == right,
                    Relation::NotEqual => left != right,
                    Relation::Less => left < right,
                    Relation::LessOrEqual => left <= right,
                })
            }
            Test::Type(kind, tags) => Some(self.kind(*tags)? == u32::from(*kind)),
            Test::Vlan(number, tags) => {
                if !VLAN_TYPES.contains(&self.kind(*tags)?) {
                    return Some(false);
                }
                let Some(number) = number else { return Some(true) };
                let tag = self.load(self.header() + 4 * tags, 2)?;
                Some(tag & 0xfff == u32::from(*number))
            }
            Test::Direction(outgoing) => Some(self.outgoing == *outgoing),
        }
    }

    /// Bytes of the link header without tags.
    fn header(&self) -> usize {
        match self.link {
            LinkType::Ethernet => 14,
            LinkType::Cooked2 => 20,
            LinkType::Raw => 0,
        }
    }

    /// The Ethernet type behind so many tags.
    fn kind(&self, tags: usize) -> Option<u32> {
        match (self.link, tags) {
            (LinkType::Cooked2, 0) => self.load(0, 2),
            (LinkType::Raw, _) => Some(match self.load(0, 1)? >> 4 {
                4 => 0x0800,
                6 => 0x86dd,
                _ => 0,
            }),
            _ => self.load(self.header() + 4 * tags - 2, 2),
        }
    }

    fn base(&self, base: Base) -> Option<usize> {
        match base {
            Base::Packet => Some(0),
            Base::Network(tags) => Some(self.header() + 4 * tags),
            Base::Transport(tags) => {
                let network = self.base(Base::Network(tags))?;
                Some(network + 4 * (self.load(network, 1)? & 15) as usize)
            }
            Base::Transport6(tags) => Some(self.base(Base::Network(tags))? + 40),
        }
    }

    fn load(&self, at: usize, size: u8) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(size.into())?)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    fn number(&self, number: &Number) -> Option<u32> {
        match number {
            Number::Constant(value) => Some(*value),
            Number::Length => Some(self.length as u32),
            Number::Load(base, offset, size) => {
                let at = (self.base(*base)? as u32).wrapping_add(self.number(offset)?);
                self.load(at as usize, *size)
            }
            Number::Negative(number) => Some(self.number(number)?.wrapping_neg()),
            Number::Operation(operator, left, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                match operator {
                    '+' => Some(left.wrapping_add(right)),
                    '-' => Some(left.wrapping_sub(right)),
                    '*' => Some(left.wrapping_mul(right)),
                    '/' => left.checked_div(right),
                    '%' => left.checked_rem(right),
                    '&' => Some(left & right),
                    '|' => Some(left | right),
                    '^' => Some(left ^ right),
                    '<' => Some(left.checked_shl(right).unwrap_or(0)),
                    _ => Some(left.checked_shr(right).unwrap_or(0)),
                }
            }
        }
    }
}
