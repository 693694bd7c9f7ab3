//! The grammar of expressions: `and` and `or` bind alike, from the left; a name or number without qualifiers takes over
//! those of the one before it.

use super::lex::{Token, tokens};
use super::primitive::{Address, Compiler, Direction, Kind, Protocol, Qualifiers};
use super::{Number, Relation, Test};
use crate::userland::tcpdump::pcap::LinkType;

type Parsed<T> = Result<T, String>;

fn syntax<T>() -> Parsed<T> {
    Err("can't parse filter expression: syntax error".to_string())
}

/// What is meant by words that stand for link layers nobody here has.
fn not_simulated<T>(word: &str) -> Parsed<T> {
    Err(format!("the filter word '{word}' is not simulated"))
}

pub(super) fn parse(text: &str, link: LinkType) -> Parsed<Test> {
    let Some(tokens) = tokens(text) else { return syntax() };
    let mut parser = Parser { tokens, at: 0, compiler: Compiler::new(link), last: None };
    if parser.tokens.is_empty() {
        return Ok(Test::True);
    }
    let test = parser.expression()?;
    if parser.at < parser.tokens.len() { syntax() } else { Ok(test) }
}

/// How deep parentheses and negations may be.
const DEEPEST: usize = 100;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    compiler: Compiler,
    /// The qualifiers of the primitive before; none after one that has none.
    last: Option<Qualifiers>,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_word(&self) -> Option<&'static str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(known)) if *known == sign);
        self.at += usize::from(found);
        found
    }

    fn take_number(&mut self) -> Option<u32> {
        match self.peek() {
            Some(Token::Number(value)) => {
                let value = *value;
                self.at += 1;
                Some(value)
            }
            _ => None,
        }
    }

    /// A name or number follows, in parentheses or negated perhaps, that takes over the qualifiers before it.
    fn names_follow(&self) -> bool {
        let after = |at: usize| self.tokens.get(at);
        let mut at = self.at;
        while matches!(after(at), Some(Token::Word("not") | Token::Sign("("))) {
            at += 1;
        }
        match after(at) {
            Some(Token::Name(_) | Token::Dotted(_) | Token::Mac(_) | Token::Ipv6(_)) => true,
            Some(Token::Number(_)) => {
                matches!(after(at + 1), None | Some(Token::Word("and" | "or" | "not") | Token::Sign(")")))
            }
            _ => false,
        }
    }

    fn expression(&mut self) -> Parsed<Test> {
        let first = self.term()?;
        self.chain(first, |parser| if parser.names_follow() { parser.name() } else { parser.term() })
    }

    /// `first and next or next …`
    fn chain(&mut self, first: Test, next: fn(&mut Parser) -> Parsed<Test>) -> Parsed<Test> {
        let mut test = first;
        loop {
            let both = match self.peek_word() {
                Some("and") => true,
                Some("or") => false,
                _ => return Ok(test),
            };
            self.at += 1;
            let other = next(self)?;
            test = if both { test.and(other) } else { test.or(other) };
        }
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Parser) -> Parsed<T>) -> Parsed<T> {
        self.compiler.depth += 1;
        if self.compiler.depth > DEEPEST {
            return Err("expression is nested too deeply".to_string());
        }
        let done = inner(self);
        self.compiler.depth -= 1;
        done
    }

    /// A name, a number, or several of them in parentheses, with the qualifiers that were said last.
    fn name(&mut self) -> Parsed<Test> {
        if self.take_word("not") {
            return self.deeper(Parser::name).map(Test::negated);
        }
        if self.take_sign("(") {
            return self.deeper(|parser| {
                let first = parser.name()?;
                let test = parser.chain(first, Parser::name)?;
                if parser.take_sign(")") { Ok(test) } else { syntax() }
            });
        }
        let Some(qualifiers) = self.last else { return syntax() };
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Name(name)) => self.compiler.name(&name, qualifiers),
            Some(Token::Number(value)) => self.compiler.number(Address::Short(value), qualifiers),
            Some(Token::Mac(mac)) => self.compiler.mac(mac, qualifiers),
            Some(Token::Ipv6(address)) => {
                let length = if self.take_sign("/") { self.prefix_length()? } else { 128 };
                self.compiler.ipv6(address, length, qualifiers)
            }
            Some(Token::Dotted(text)) => {
                if self.take_sign("/") {
                    let length = self.prefix_length()?;
                    return self.compiler.network(&text, length, qualifiers);
                }
                if self.take_word("mask") {
                    let mask = match self.peek().cloned() {
                        Some(Token::Dotted(mask)) => mask,
                        _ => return syntax(),
                    };
                    self.at += 1;
                    return self.compiler.masked(&text, &mask, qualifiers);
                }
                self.compiler.number(Address::Dotted(&text), qualifiers)
            }
            _ => syntax(),
        }
    }

    fn prefix_length(&mut self) -> Parsed<u32> {
        self.take_number().map_or_else(syntax, Ok)
    }

    fn term(&mut self) -> Parsed<Test> {
        if self.take_word("not") {
            return self.deeper(Parser::term).map(Test::negated);
        }
        if let Some(test) = self.relation()? {
            self.last = None;
            return Ok(test);
        }
        if self.take_sign("(") {
            let inner = |parser: &mut Parser| {
                let nameable = parser.names_follow() && parser.last.is_some();
                let test = if nameable {
                    let first = parser.name()?;
                    parser.chain(first, Parser::name)?
                } else {
                    parser.expression()?
                };
                if parser.take_sign(")") { Ok(test) } else { syntax() }
            };
            return self.deeper(inner);
        }
        match self.other()? {
            Some(test) => {
                self.last = None;
                Ok(test)
            }
            None => self.qualified(),
        }
    }

    /// A comparison of numbers, if one begins here.
    fn relation(&mut self) -> Parsed<Option<Test>> {
        let start = self.at;
        let mut guards = Vec::new();
        let left = match self.arithmetic(0, &mut guards) {
            Ok(left) => left,
            // Something else may have been meant, but not if it is a number that makes no sense.
            Err(complaint) if !complaint.ends_with("syntax error") => return Err(complaint),
            Err(_) => {
                self.at = start;
                return Ok(None);
            }
        };
        let relation = match self.peek() {
            Some(Token::Sign(">")) => Relation::Greater,
            Some(Token::Sign(">=")) => Relation::GreaterOrEqual,
            Some(Token::Sign("=")) => Relation::Equal,
            Some(Token::Sign("!=")) => Relation::NotEqual,
            Some(Token::Sign("<")) => Relation::Less,
            Some(Token::Sign("<=")) => Relation::LessOrEqual,
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        self.at += 1;
        let right = self.arithmetic(0, &mut guards)?;
        Ok(Some(Test::Compare { guards, left, relation, right }))
    }

    /// Operators by how tightly they bind.
    fn operator(&self, level: usize) -> Option<char> {
        let Some(Token::Sign(sign)) = self.peek() else { return None };
        let found = matches!(
            (level, *sign),
            (0, "|" | "^") | (1, "&") | (2, "<<" | ">>") | (3, "+" | "-") | (4, "*" | "/" | "%")
        );
        sign.chars().next().filter(|_| found)
    }

    fn arithmetic(&mut self, level: usize, guards: &mut Vec<Test>) -> Parsed<Number> {
        if level > 4 {
            return self.operand(guards);
        }
        let mut number = self.arithmetic(level + 1, guards)?;
        while let Some(operator) = self.operator(level) {
            self.at += 1;
            let right = self.arithmetic(level + 1, guards)?;
            if matches!((operator, &right), ('/' | '%', Number::Constant(0))) {
                let word = if operator == '/' { "division" } else { "modulus" };
                return Err(format!("{word} by zero"));
            }
            number = Number::Operation(operator, Box::new(number), Box::new(right));
        }
        Ok(number)
    }

    fn operand(&mut self, guards: &mut Vec<Test>) -> Parsed<Number> {
        if let Some(value) = self.take_number() {
            return Ok(Number::Constant(value));
        }
        if self.take_sign("-") {
            let number = self.deeper(|parser| parser.operand(guards))?;
            return Ok(Number::Negative(Box::new(number)));
        }
        if self.take_word("len") {
            return Ok(Number::Length);
        }
        if self.take_sign("(") {
            let number = self.deeper(|parser| parser.arithmetic(0, guards))?;
            return if self.take_sign(")") { Ok(number) } else { syntax() };
        }
        let Some(protocol) = self.peek_word().and_then(Protocol::named) else { return syntax() };
        self.at += 1;
        if !self.take_sign("[") {
            return syntax();
        }
        let offset = self.deeper(|parser| parser.arithmetic(0, guards))?;
        let size = if self.take_sign(":") { self.take_number().map_or_else(syntax, Ok)? } else { 1 };
        if !self.take_sign("]") {
            return syntax();
        }
        let size = match size {
            1 | 2 | 4 => size as u8,
            _ => return Err("data size must be 1, 2, or 4".to_string()),
        };
        let (base, guard) = self.compiler.base(protocol)?;
        guards.extend(guard);
        Ok(Number::Load(base, Box::new(offset), size))
    }

    /// Primitives with a syntax of their own.
    fn other(&mut self) -> Parsed<Option<Test>> {
        let Some(word) = self.peek_word() else { return Ok(None) };
        let second = match self.tokens.get(self.at + 1) {
            Some(Token::Word(word)) => *word,
            _ => "",
        };
        let cast = |word| matches!(word, "broadcast" | "multicast");
        if cast(second) && Protocol::named(word).is_some() {
            self.at += 2;
            return self.compiler.cast(Protocol::named(word), second == "multicast").map(Some);
        }
        if cast(word) {
            self.at += 1;
            return self.compiler.cast(None, word == "multicast").map(Some);
        }
        let length = |relation, value| {
            let right = Number::Constant(value);
            Test::Compare { guards: Vec::new(), left: Number::Length, relation, right }
        };
        match word {
            "less" | "greater" => {
                self.at += 1;
                let value = self.prefix_length()?;
                let relation = if word == "less" { Relation::LessOrEqual } else { Relation::GreaterOrEqual };
                Ok(Some(length(relation, value)))
            }
            "inbound" | "outbound" => {
                self.at += 1;
                Ok(Some(Test::Direction(word == "outbound")))
            }
            "vlan" => {
                self.at += 1;
                let number = self.take_number();
                self.compiler.vlan(number).map(Some)
            }
            "ifindex" => {
                self.at += 1;
                let value = self.prefix_length()?;
                self.compiler.interface(value).map(Some)
            }
            "byte" | "mpls" | "pppoed" | "pppoes" | "geneve" | "llc" | "type" | "subtype" | "direction" | "dir"
            | "radio" | "protochain" => not_simulated(word),
            _ => Ok(None),
        }
    }

    /// `tcp`, or `tcp src port` and what follows it.
    fn qualified(&mut self) -> Parsed<Test> {
        let start = self.at;
        let protocol = self.peek_word().and_then(Protocol::named);
        if let Some(word) = self.peek_word().filter(|word| is_foreign(word)) {
            return not_simulated(word);
        }
        self.at += usize::from(protocol.is_some());
        let direction = self.direction();
        let kind = self.peek_word().and_then(Kind::named).filter(|kind| direction.is_none() || *kind != Kind::Gateway);
        self.at += usize::from(kind.is_some());
        if direction.is_none() && kind.is_none() {
            let Some(protocol) = protocol else { return syntax() };
            self.last = None;
            return self.compiler.protocol(protocol);
        }
        debug_assert!(self.at > start, "a qualifier was read");
        self.last = Some(Qualifiers {
            protocol,
            direction: direction.unwrap_or(Direction::Either),
            kind,
            said: direction.is_some(),
        });
        self.name()
    }

    fn direction(&mut self) -> Option<Direction> {
        let first = self.peek_word().filter(|word| matches!(*word, "src" | "dst"))?;
        let other = if first == "src" { "dst" } else { "src" };
        self.at += 1;
        let next = |offset: usize| match self.tokens.get(self.at + offset) {
            Some(Token::Word(word)) => *word,
            _ => "",
        };
        let (joint, last) = (next(0), next(1));
        if matches!(joint, "and" | "or") && last == other {
            self.at += 2;
            return Some(if joint == "and" { Direction::Both } else { Direction::Either });
        }
        Some(if first == "src" { Direction::Source } else { Direction::Destination })
    }
}

/// Link layers and protocols of other networks.
fn is_foreign(word: &str) -> bool {
    matches!(
        word,
        "ppp"
            | "slip"
            | "fddi"
            | "tr"
            | "wlan"
            | "atalk"
            | "aarp"
            | "decnet"
            | "lat"
            | "sca"
            | "moprc"
            | "mopdl"
            | "iso"
            | "esis"
            | "isis"
            | "clnp"
            | "ipx"
            | "netbeui"
    )
}
