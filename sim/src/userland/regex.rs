//! POSIX extended regular expressions, as far as a pattern on a command line goes: `sysctl -r`.
//!
//! A part of an expression is asked for all places it can end at, given all places it may begin at. So no pattern takes
//! longer than its length times the square of the text's.

use std::collections::BTreeSet;

/// How deep parentheses may be nested.
const DEEPEST: usize = 64;
/// The most that `{n,m}` may say (`RE_DUP_MAX`, made small).
const MOST_REPEATS: usize = 255;

/// An expression that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Regex(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Start,
    End,
    Any,
    Char(char),
    Set { negated: bool, ranges: Vec<(char, char)> },
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat { node: Box<Node>, least: usize, most: Option<usize> },
}

impl Regex {
    /// Understands an expression; `None` if it is wrong.
    pub(crate) fn new(pattern: &str) -> Option<Regex> {
        let mut parser = Parser { rest: pattern.chars().collect(), depth: 0 };
        parser.rest.reverse();
        let node = parser.either()?;
        parser.rest.is_empty().then_some(Regex(node))
    }

    /// True if the expression fits somewhere in the text.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        !ends(&self.0, &text, &(0..=text.len()).collect()).is_empty()
    }
}

/// Where a part can end, if it begins at one of these places.
fn ends(node: &Node, text: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
    let step = |fits: &dyn Fn(char) -> bool| {
        starts.iter().filter(|at| text.get(**at).is_some_and(|c| fits(*c))).map(|at| at + 1).collect()
    };
    match node {
        Node::Start => starts.iter().copied().filter(|at| *at == 0).collect(),
        Node::End => starts.iter().copied().filter(|at| *at == text.len()).collect(),
        Node::Any => step(&|_| true),
        Node::Char(wanted) => step(&|c| c == *wanted),
        Node::Set { negated, ranges } => {
            step(&|c| ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *negated)
        }
        Node::Sequence(parts) => parts.iter().fold(starts.clone(), |at, part| ends(part, text, &at)),
        Node::Either(ways) => ways.iter().flat_map(|way| ends(way, text, starts)).collect(),
        Node::Repeat { node, least, most } => repeated(node, text, starts, *least, *most),
    }
}

fn repeated(
    node: &Node,
    text: &[char],
    starts: &BTreeSet<usize>,
    least: usize,
    most: Option<usize>,
) -> BTreeSet<usize> {
    let mut now = starts.clone();
    for _ in 0..least {
        now = ends(node, text, &now);
    }
    let mut all = now.clone();
    // Once more, as long as that leads to new places.
    let mut more = most.map_or(usize::MAX, |most| most.saturating_sub(least));
    while more > 0 && !now.is_empty() {
        now = ends(node, text, &now).difference(&all).copied().collect();
        all.extend(&now);
        more -= 1;
    }
    all
}

/// What is left of the pattern, backwards.
struct Parser {
    rest: Vec<char>,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.rest.last().copied()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest.pop();
        }
        found
    }

    fn either(&mut self) -> Option<Node> {
        let mut ways = vec![self.sequence()?];
        while self.eat('|') {
            ways.push(self.sequence()?);
        }
        Some(Node::Either(ways))
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut parts = Vec::new();
        while self.peek().is_some_and(|c| c != '|' && !(c == ')' && self.depth > 0)) {
            let mut part = self.atom()?;
            while let Some((least, most)) = self.repeat()? {
                part = Node::Repeat { node: Box::new(part), least, most };
            }
            parts.push(part);
        }
        Some(Node::Sequence(parts))
    }

    fn atom(&mut self) -> Option<Node> {
        Some(match self.rest.pop()? {
            '^' => Node::Start,
            '$' => Node::End,
            '.' => Node::Any,
            '[' => self.set()?,
            '(' => {
                self.depth += 1;
                let inner = if self.depth > DEEPEST { None } else { self.either() }?;
                self.depth -= 1;
                self.eat(')').then_some(inner)?
            }
            '*' | '+' | '?' => return None,
            '\\' => Node::Char(self.rest.pop()?),
            other => Node::Char(other),
        })
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`; the outer `None` is a mistake.
    #[allow(clippy::type_complexity, reason = "the two bounds, if there are any, if they are right")]
    fn repeat(&mut self) -> Option<Option<(usize, Option<usize>)>> {
        let bounds = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.rest.pop();
                let least = self.number().unwrap_or(0);
                let most = if self.eat(',') { self.number() } else { Some(least) };
                let sane = least <= MOST_REPEATS && most.is_none_or(|most| (least..=MOST_REPEATS).contains(&most));
                return (self.eat('}') && sane).then_some(Some((least, most)));
            }
            _ => return Some(None),
        };
        self.rest.pop();
        Some(Some(bounds))
    }

    fn number(&mut self) -> Option<usize> {
        let mut number: Option<usize> = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.rest.pop();
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit as usize));
        }
        number
    }

    /// What stands between brackets.
    fn set(&mut self) -> Option<Node> {
        let negated = self.eat('^');
        let mut ranges = Vec::new();
        loop {
            match self.rest.pop()? {
                ']' if !ranges.is_empty() => return Some(Node::Set { negated, ranges }),
                '[' if self.eat(':') => ranges.extend(self.class()?),
                first => {
                    let is_range = self.peek() == Some('-') && self.rest.iter().rev().nth(1).is_some_and(|c| *c != ']');
                    let last = if is_range {
                        self.rest.pop();
                        self.rest.pop()?
                    } else {
                        first
                    };
                    ranges.push((first <= last).then_some((first, last))?);
                }
            }
        }
    }

    /// `[:alpha:]`, behind its colon.
    fn class(&mut self) -> Option<Vec<(char, char)>> {
        let mut name = String::new();
        while !self.eat(':') {
            name.push(self.rest.pop()?);
        }
        self.eat(']').then_some(())?;
        Some(match name.as_str() {
            "alpha" => vec![('a', 'z'), ('A', 'Z')],
            "digit" => vec![('0', '9')],
            "alnum" => vec![('a', 'z'), ('A', 'Z'), ('0', '9')],
            "lower" => vec![('a', 'z')],
            "upper" => vec![('A', 'Z')],
            "xdigit" => vec![('0', '9'), ('a', 'f'), ('A', 'F')],
            "space" => vec![(' ', ' '), ('\t', '\r')],
            "blank" => vec![(' ', ' '), ('\t', '\t')],
            "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Regex;

    #[test]
    fn expressions_fit_where_posix_says() {
        let table = [
            ("ip_forward$", "net.ipv4.ip_forward", true),
            ("ip_forward$", "net.ipv4.ip_forward_use_pmtu", false),
            ("^net\\.ipv4", "net.ipv4.x", true),
            ("^ipv4", "net.ipv4.x", false),
            ("(ip|bc)_forward", "conf.bc_forwarding", true),
            ("conf\\.(eth[0-9]+|lo)\\.", "conf.eth12.x", true),
            ("conf\\.(eth[0-9]+|lo)\\.", "conf.ethx.x", false),
            ("^a{2,3}b?$", "aaa", true),
            ("^a{2,3}b?$", "aaaa", false),
            ("[^[:digit:]]{3}", "1ab2", false),
            ("[]x-]", "-", true),
            ("(a*)*$", "b", true),
            ("", "anything", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Regex::new(pattern).expect(pattern).is_match(text), expected, "{pattern} in {text}");
        }
    }

    #[test]
    fn wrong_expressions_are_refused() {
        let deep = "(".repeat(1000);
        for pattern in ["(", "a(b", "[a", "*", "a{2", "a{3,2}", "a{999}", "[b-a]", "[[:nope:]]", "a\\", deep.as_str()] {
            assert_eq!(Regex::new(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        let text = "a".repeat(60) + "b";
        assert!(!Regex::new("^((a+)+)+$").expect("a pattern").is_match(&text));
        assert!(!Regex::new("^(a|aa)*c").expect("a pattern").is_match(&text));
    }
}
