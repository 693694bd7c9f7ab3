//! Which sockets are shown: states, and expressions over addresses and ports (`ssfilter.y`).

use super::Stop;
use crate::userland::{netdb, resolve};
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::local::{Endpoint, SocketInfo, SocketState};

/// A set of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct States(u16);

impl States {
    pub(super) const NONE: States = States(0);
    pub(super) const ALL: States = States(0xfff);
    pub(super) const LISTENING: States = States(1 << SocketState::Listen as u16 | 1 << SocketState::Close as u16);
    /// All but those that are of no connection, or of one that is not there yet or no more.
    pub(super) const CONNECTED: States = States(
        States::ALL.0
            & !(States::LISTENING.0 | 1 << SocketState::TimeWait as u16 | 1 << SocketState::SynReceived as u16),
    );
    const ESTABLISHED: States = States(1 << SocketState::Established as u16);
    const CLOSE: States = States(1 << SocketState::Close as u16);
    const BUCKET: States = States(1 << SocketState::SynReceived as u16 | 1 << SocketState::TimeWait as u16);

    /// What is shown of a table if nothing is said.
    pub(super) fn of_table(inet: bool, tcp: bool) -> States {
        match (inet, tcp) {
            (_, true) => States::CONNECTED,
            (true, _) => States::ESTABLISHED,
            _ => States::CLOSE,
        }
    }

    pub(super) fn or(self, other: States) -> States {
        States(self.0 | other.0)
    }

    pub(super) fn has(self, state: SocketState) -> bool {
        self.0 & 1 << state as u16 != 0
    }

    pub(super) fn has_close(self) -> bool {
        self.has(SocketState::Close)
    }

    pub(super) fn is_one(self) -> bool {
        self.0.is_power_of_two()
    }

    /// `scan_state`
    fn named(name: &str) -> Option<States> {
        let one = |state: SocketState| Some(States(1 << state as u16));
        match name.to_ascii_lowercase().as_str() {
            "all" => Some(States::ALL),
            "connected" => Some(States(States::ALL.0 & !States::LISTENING.0)),
            "synchronized" => Some(States(States::ALL.0 & !(States::LISTENING.0 | 1 << SocketState::SynSent as u16))),
            "bucket" => Some(States::BUCKET),
            "big" => Some(States(States::ALL.0 & !States::BUCKET.0)),
            "established" => one(SocketState::Established),
            "syn-sent" => one(SocketState::SynSent),
            "syn-recv" | "syn-rcv" => one(SocketState::SynReceived),
            "fin-wait-1" => one(SocketState::FinWait1),
            "fin-wait-2" => one(SocketState::FinWait2),
            "time-wait" => one(SocketState::TimeWait),
            "close" | "closed" | "unconnected" => one(SocketState::Close),
            "close-wait" => one(SocketState::CloseWait),
            "last-ack" => one(SocketState::LastAck),
            "listening" => one(SocketState::Listen),
            "closing" => one(SocketState::Closing),
            _ => None,
        }
    }
}

/// `state X`, `exclude X` before an expression: the states that are meant, and the rest of the words; or a complaint.
pub(super) fn states(first: Option<States>, words: &[String]) -> Result<(Option<States>, &[String]), String> {
    let (mut states, mut said, mut rest) = (first, false, words);
    if let [.., word] = words
        && ["state", "exclude", "excl"].contains(&word.as_str())
    {
        return Err("Command line is not complete. Try option \"help\"\n".to_string());
    }
    while let [word, name, more @ ..] = rest {
        let named = || States::named(name).ok_or_else(|| format!("ss: wrong state name: {name}\n"));
        let before = states.filter(|_| said);
        states = match word.as_str() {
            "state" => Some(before.unwrap_or(States::NONE).or(named()?)),
            "exclude" | "excl" => Some(States(before.unwrap_or(States::ALL).0 & !named()?.0)),
            _ => break,
        };
        (said, rest) = (true, more);
    }
    Ok((states, rest))
}

/// How a port is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Unequal,
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// What must hold of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    All,
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    /// Our end, or the other: an address with the length of its prefix, a port; whichever is said.
    End {
        ours: bool,
        prefix: Option<(Ipv4Addr, u32)>,
        port: Option<u16>,
    },
    Port {
        ours: bool,
        order: Order,
        port: u16,
    },
}

/// Why an expression is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    Syntax,
    Text(String, i32),
}

impl Complaint {
    pub(super) fn into_stop(self, usage: &str) -> Stop {
        match self {
            Complaint::Syntax => {
                let bison = "ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n";
                Stop(String::new(), format!("{bison}{usage}"), 255)
            }
            Complaint::Text(text, status) => Stop(String::new(), text, status),
        }
    }
}

/// Levels of brackets and negations that are read.
const DEEPEST: usize = 64;

impl Expression {
    pub(super) fn parse(words: &[String]) -> Result<Expression, Complaint> {
        let tokens = tokens(&words.join(" "));
        if tokens.is_empty() {
            return Ok(Expression::All);
        }
        let mut parser = Parser { tokens, at: 0, depth: 0 };
        let whole = parser.either()?;
        if parser.peek().is_some() { Err(Complaint::Syntax) } else { Ok(whole) }
    }

    pub(super) fn fits(&self, socket: &SocketInfo) -> bool {
        match self {
            Expression::All => true,
            Expression::And(a, b) => a.fits(socket) && b.fits(socket),
            Expression::Or(a, b) => a.fits(socket) || b.fits(socket),
            Expression::Not(inner) => !inner.fits(socket),
            Expression::End { ours, prefix, port } => {
                let (address, its_port) = end(socket, *ours);
                let near = |(wanted, length): (Ipv4Addr, u32)| {
                    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                    (wanted.to_bits() ^ address.to_bits()) & mask == 0
                };
                prefix.is_none_or(near) && port.is_none_or(|port| port == its_port)
            }
            Expression::Port { ours, order, port } => {
                let its_port = end(socket, *ours).1;
                match order {
                    Order::Equal => its_port == *port,
                    Order::Unequal => its_port != *port,
                    Order::AtLeast => its_port >= *port,
                    Order::AtMost => its_port <= *port,
                    Order::Above => its_port > *port,
                    Order::Below => its_port < *port,
                }
            }
        }
    }
}

fn end(socket: &SocketInfo, ours: bool) -> Endpoint {
    if ours { socket.local } else { socket.remote }
}

/// Words, brackets and signs.
fn tokens(text: &str) -> Vec<String> {
    const SIGNS: &str = "!=<>&|";
    let mut tokens: Vec<String> = Vec::new();
    let mut begun = false;
    for c in text.chars() {
        let joins =
            |last: &String| begun && !"()".contains(c) && last.chars().all(|c| SIGNS.contains(c)) == SIGNS.contains(c);
        match tokens.last_mut() {
            _ if c.is_whitespace() => {
                begun = false;
                continue;
            }
            Some(last) if joins(last) && !"()".contains(last.as_str()) => last.push(c),
            _ => tokens.push(c.to_string()),
        }
        begun = true;
    }
    tokens
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn either(&mut self) -> Result<Expression, Complaint> {
        let mut left = self.both()?;
        while let Some("or" | "|" | "||") = self.peek() {
            self.at += 1;
            left = Expression::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, Complaint> {
        let mut left = self.one()?;
        loop {
            match self.peek() {
                Some("and" | "&" | "&&") => self.at += 1,
                // Conditions side by side must hold together.
                Some(word) if word != ")" && !matches!(word, "or" | "|" | "||") => {}
                _ => return Ok(left),
            }
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
    }

    fn one(&mut self) -> Result<Expression, Complaint> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Complaint::Syntax);
        }
        let word = self.next().ok_or(Complaint::Syntax)?;
        let found = match word.as_str() {
            "not" | "!" => Expression::Not(Box::new(self.one()?)),
            "(" => {
                let inner = self.either()?;
                if self.next().as_deref() != Some(")") {
                    return Err(Complaint::Syntax);
                }
                inner
            }
            "src" => self.end(true)?,
            "dst" => self.end(false)?,
            "sport" => self.port(true)?,
            "dport" => self.port(false)?,
            "autobound" | "dev" | "fwmark" | "cgroup" => {
                return Err(Complaint::Text(format!("vethlab: ss filter {word} is not simulated\n"), 1));
            }
            // An address alone is that of the other end.
            _ => {
                self.at -= 1;
                self.end(false)?
            }
        };
        self.depth -= 1;
        Ok(found)
    }

    fn order(&mut self) -> Option<Order> {
        let order = match self.peek()? {
            "=" | "==" | "eq" => Order::Equal,
            "!=" | "ne" | "neq" => Order::Unequal,
            ">=" | "ge" | "geq" => Order::AtLeast,
            "<=" | "le" | "leq" => Order::AtMost,
            ">" | "gt" => Order::Above,
            "<" | "lt" => Order::Below,
            _ => return None,
        };
        self.at += 1;
        Some(order)
    }

    fn end(&mut self, ours: bool) -> Result<Expression, Complaint> {
        let order = self.order().unwrap_or(Order::Equal);
        let (prefix, port) = host(&self.next().ok_or(Complaint::Syntax)?, false)?;
        let end = Expression::End { ours, prefix, port };
        match order {
            Order::Equal => Ok(end),
            Order::Unequal => Ok(Expression::Not(Box::new(end))),
            _ => Err(Complaint::Syntax),
        }
    }

    fn port(&mut self, ours: bool) -> Result<Expression, Complaint> {
        let order = self.order().unwrap_or(Order::Equal);
        let (_, port) = host(&self.next().ok_or(Complaint::Syntax)?, true)?;
        Ok(port.map_or(Expression::All, |port| Expression::Port { ours, order, port }))
    }
}

/// An address with the length of its prefix.
type Prefix = (Ipv4Addr, u32);

/// `10.0.0.0/24:80`, `:http`, `*:80`, and where a port is wanted also `80` (`parse_hostcond`).
fn host(word: &str, only_port: bool) -> Result<(Option<Prefix>, Option<u16>), Complaint> {
    let (host, port) = match word.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None if only_port => ("", Some(word)),
        None => (word, None),
    };
    let port = match port {
        None | Some("" | "*") => None,
        Some(text) => {
            let number = text.parse().ok().or_else(|| netdb::service(text, Some("tcp")));
            Some(number.ok_or_else(|| {
                Complaint::Text(
                    format!("Error: \"{text}\" does not look like a port.\nCannot parse dst/src address.\n"),
                    1,
                )
            })?)
        }
    };
    if host.is_empty() || host == "*" {
        return Ok((None, port));
    }
    let (address, length) = match host.split_once('/') {
        Some((address, length)) => (address, length.parse().ok().filter(|length| *length <= 32)),
        None => (host, Some(32)),
    };
    let known = address.parse().ok().or_else(|| match resolve::resolve(address, resolve::Family::V4) {
        Ok(IpAddr::V4(address)) => Some(address),
        _ => None,
    });
    match (known, length) {
        (Some(address), Some(length)) => Ok((Some((address, length)), port)),
        _ => {
            let text =
                format!("Error: an inet prefix is expected rather than \"{host}\".\nCannot parse dst/src address.\n");
            Err(Complaint::Text(text, 1))
        }
    }
}
