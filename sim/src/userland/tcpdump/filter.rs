//! The filter language of libpcap 1.10: `host`, `net`, `port`, `tcp[13] & 2 != 0` and the like.
//!
//! | file | does |
//! |---|---|
//! | `lex` | words and numbers of an expression |
//! | `parse` | the grammar, with qualifiers that are taken over: `host a or b` |
//! | `primitive` | what a qualified name or number asks of a packet |
//! | `eval` | what a packet answers |

mod eval;
mod lex;
mod parse;
mod primitive;

use super::pcap::LinkType;
pub(super) use eval::Subject;

/// An expression, ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    test: Test,
}

/// What is asked of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// Nothing.
    True,
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    /// Two numbers are compared, if the packet is such that they can be had (`guards` says so).
    Compare {
        guards: Vec<Test>,
        left: Number,
        relation: Relation,
        right: Number,
    },
    /// The Ethernet type, behind so many VLAN tags.
    Type(u16, usize),
    /// A VLAN tag stands there, behind so many others; perhaps of this number.
    Vlan(Option<u16>, usize),
    /// The frame came in (`false`), or left (`true`).
    Direction(bool),
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
}

/// Where bytes are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// The packet's first.
    Packet,
    /// What follows the link header and so many VLAN tags.
    Network(usize),
    /// What follows the IPv4 header.
    Transport(usize),
    /// What follows an IPv6 header without extensions.
    Transport6(usize),
}

/// A number that is made from a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Number {
    Constant(u32),
    /// The packet's length.
    Length,
    /// So many bytes from there.
    Load(Base, Box<Number>, u8),
    Operation(char, Box<Number>, Box<Number>),
    Negative(Box<Number>),
}

impl Filter {
    /// Takes an expression in; the error is libpcap's.
    pub(super) fn compile(text: &str, link: LinkType) -> Result<Filter, String> {
        let test = parse::parse(text, link)?;
        match test.constant() {
            Some(false) => Err("expression rejects all packets".to_string()),
            _ => Ok(Filter { test }),
        }
    }

    /// True if a packet is wanted. Where a number lies past the packet's end, it is not.
    pub(super) fn wants(&self, subject: &Subject<'_>) -> bool {
        subject.answer(&self.test).unwrap_or(false)
    }
}

impl Number {
    fn is_constant(&self) -> bool {
        match self {
            Number::Constant(_) => true,
            Number::Length | Number::Load(..) => false,
            Number::Negative(number) => number.is_constant(),
            Number::Operation(_, left, right) => left.is_constant() && right.is_constant(),
        }
    }
}

impl Test {
    fn and(self, other: Test) -> Test {
        match (self, other) {
            (Test::True, test) | (test, Test::True) => test,
            (a, b) => Test::And(Box::new(a), Box::new(b)),
        }
    }

    fn or(self, other: Test) -> Test {
        if self == Test::True || other == Test::True {
            return Test::True;
        }
        Test::Or(Box::new(self), Box::new(other))
    }

    /// What every packet answers, if all answer the same for reasons that can be seen here.
    fn constant(&self) -> Option<bool> {
        match self {
            Test::True => Some(true),
            Test::Not(test) => test.constant().map(|value| !value),
            Test::And(a, b) => match (a.constant(), b.constant()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (a, b) => a.zip(b).map(|(a, b)| a && b),
            },
            Test::Or(a, b) => match (a.constant(), b.constant()) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (a, b) => a.zip(b).map(|(a, b)| a || b),
            },
            Test::Compare { guards, left, right, .. }
                if guards.is_empty() && left.is_constant() && right.is_constant() =>
            {
                let nothing = Subject { link: LinkType::Raw, bytes: &[], length: 0, outgoing: false };
                nothing.answer(self)
            }
            _ => None,
        }
    }

    fn negated(self) -> Test {
        Test::Not(Box::new(self))
    }
}

#[cfg(test)]
mod tests;
