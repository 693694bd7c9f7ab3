//! Words, numbers and addresses of an expression.

use std::net::Ipv6Addr;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word of the language.
    Word(&'static str),
    /// A name of something: a host, a port.
    Name(String),
    Number(u32),
    /// `10.0.0`, with a dot at least.
    Dotted(String),
    /// `02:00:00:00:00:01`
    Mac([u8; 6]),
    Ipv6(Ipv6Addr),
    /// `(`, `>=` and the like.
    Sign(&'static str),
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "dst", "src", "link", "ether", "ppp", "slip", "fddi", "tr", "wlan", "arp", "rarp", "ip", "sctp", "tcp", "udp", "icmp",
    "igmp", "igrp", "pim", "vrrp", "carp", "radio", "ip6", "icmp6", "ah", "esp", "atalk", "aarp", "decnet", "lat", "sca",
    "moprc", "mopdl", "iso", "esis", "isis", "clnp", "stp", "ipx", "netbeui", "host", "net", "mask", "port", "portrange",
    "proto", "protochain", "gateway", "type", "subtype", "direction", "dir", "less", "greater", "byte", "broadcast",
    "multicast", "and", "or", "not", "len", "inbound", "outbound", "ifindex", "vlan", "mpls", "pppoed", "pppoes", "geneve",
    "llc",
];

#[rustfmt::skip]
const CONSTANTS: &[(&str, u32)] = &[
    ("icmptype", 0), ("icmpcode", 1), ("icmp-echoreply", 0), ("icmp-unreach", 3), ("icmp-sourcequench", 4),
    ("icmp-redirect", 5), ("icmp-echo", 8), ("icmp-routeradvert", 9), ("icmp-routersolicit", 10), ("icmp-timxceed", 11),
    ("icmp-paramprob", 12), ("icmp-tstamp", 13), ("icmp-tstampreply", 14), ("icmp-ireq", 15), ("icmp-ireqreply", 16),
    ("icmp-maskreq", 17), ("icmp-maskreply", 18), ("icmp6type", 0), ("icmp6code", 1), ("icmp6-echo", 128),
    ("icmp6-echoreply", 129), ("icmp6-multicastlistenerquery", 130), ("icmp6-multicastlistenerreportv1", 131),
    ("icmp6-multicastlistenerdone", 132), ("icmp6-routersolicit", 133), ("icmp6-routeradvert", 134),
    ("icmp6-neighborsolicit", 135), ("icmp6-neighboradvert", 136), ("icmp6-redirect", 137),
    ("icmp6-destinationunreach", 1), ("icmp6-packettoobig", 2), ("icmp6-timeexceeded", 3), ("icmp6-parameterproblem", 4),
    ("icmp6-multicastlistenerreportv2", 143), ("tcpflags", 13), ("tcp-fin", 1), ("tcp-syn", 2), ("tcp-rst", 4),
    ("tcp-push", 8), ("tcp-ack", 16), ("tcp-urg", 32), ("tcp-ece", 64), ("tcp-cwr", 128),
];

/// Two characters before one.
#[rustfmt::skip]
const SIGNS: &[&str] = &[
    "&&", "||", ">=", "<=", "!=", "==", "<<", ">>", "(", ")", "[", "]", ":", "/", "+", "-", "*", "&", "|", "^", "%", "<",
    ">", "=", "!",
];

/// Takes an expression apart; none if there is a character that means nothing.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        let (token, length) = token(rest)?;
        tokens.push(token);
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

fn token(rest: &str) -> Option<(Token, usize)> {
    let prefix = |fits: fn(char) -> bool| rest.find(|c: char| !fits(c)).unwrap_or(rest.len());
    if let Some(escaped) = rest.strip_prefix('\\') {
        let length = escaped.find(|c: char| " !()\n\t".contains(c)).unwrap_or(escaped.len());
        return Some((Token::Name(escaped.get(..length)?.to_string()), length + 1));
    }
    let length = prefix(|c| c.is_ascii_hexdigit() || c == ':' || c == '.');
    let address = rest.get(..length)?;
    if address.matches(':').count() >= 2 {
        if let Some(mac) = mac(address) {
            return Some((Token::Mac(mac), length));
        }
        if let Ok(address) = address.parse() {
            return Some((Token::Ipv6(address), length));
        }
    }
    if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let length = prefix(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let word = rest.get(..length)?.trim_end_matches(['-', '_']);
        return Some((named(word), word.len()));
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
    let token = match *sign {
        "&&" => Token::Word("and"),
        "||" => Token::Word("or"),
        "!" => Token::Word("not"),
        "==" => Token::Sign("="),
        sign => Token::Sign(sign),
    };
    Some((token, sign.len()))
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = text
        .split(':')
        .map(|part| u8::from_str_radix(part, 16).ok().filter(|_| part.len() <= 2))
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

/// A word: of the language, a number, an address or a name.
fn named(word: &str) -> Token {
    let synonym = match word {
        "length" => "len",
        "icmpv6" => "icmp6",
        other => other,
    };
    if let Some(known) = WORDS.iter().find(|known| **known == synonym) {
        return Token::Word(known);
    }
    if let Some((_, value)) = CONSTANTS.iter().find(|(known, _)| *known == word) {
        return Token::Number(*value);
    }
    if let Some(value) = number(word) {
        return Token::Number(value);
    }
    let parts: Vec<&str> = word.split('.').collect();
    if (2..=4).contains(&parts.len()) && parts.iter().all(|part| number(part).is_some()) {
        return Token::Dotted(word.to_string());
    }
    Token::Name(word.to_string())
}

/// Decimal, octal with a leading 0, or hexadecimal.
pub(super) fn number(text: &str) -> Option<u32> {
    let digits = |text: &str, radix| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        u32::from_str_radix(text, radix).ok().filter(|_| plain)
    };
    if let Some(hex) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        return digits(hex, 16);
    }
    match text.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        Some(octal) => digits(octal, 8),
        None => digits(text, 10),
    }
}
