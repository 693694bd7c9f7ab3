//! What the kernel makes of a rule: iptables says it in nf_tables' expressions, and reads it back from them (`nft.c`,
//! `nft-shared.c`). What an expression need not ask is not said, and so not printed.

use super::stop::Problem;
use std::ops::RangeInclusive;
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::filter::{IpMatch, Match, Not, Rule, TcpMatch};

type Port = Option<Not<RangeInclusive<u16>>>;

/// The rule as it will be read back.
pub(super) fn canonical(rule: Rule) -> Result<Rule, Problem> {
    let mut matches = Vec::new();
    let (mut tcp_at, mut udp_at) = (None, None);
    for of in rule.matches {
        match of {
            Match::Tcp(tcp) if !is_bare(&tcp) && tcp.option.is_none() => {
                require(&rule.ip, 6, "TCP match requires '-p tcp'")?;
                let tcp = TcpMatch {
                    source: port(tcp.source),
                    destination: port(tcp.destination),
                    flags: tcp.flags.filter(|flags| flags.of.0 != 0),
                    option: None,
                };
                if tcp != TcpMatch::default() {
                    merge(&mut matches, &mut tcp_at, Match::Tcp(tcp));
                }
            }
            Match::Udp { source, destination } if source.is_some() || destination.is_some() => {
                if is_any(source.as_ref()) && is_any(destination.as_ref()) {
                    matches.push(Match::Udp { source: None, destination: None });
                    continue;
                }
                require(&rule.ip, 17, "UDP match requires '-p udp'")?;
                let (source, destination) = (port(source), port(destination));
                if source.is_some() || destination.is_some() {
                    merge(&mut matches, &mut udp_at, Match::Udp { source, destination });
                }
            }
            Match::Tcp(tcp) if is_bare(&tcp) => matches.push(Match::Tcp(TcpMatch::default())),
            of => matches.push(of),
        }
    }
    Ok(Rule { ip: ip(rule.ip), matches, ..rule })
}

fn require(ip: &IpMatch, protocol: u8, complaint: &str) -> Result<(), Problem> {
    let is = ip.protocol.is_some_and(|of| of.of == protocol);
    if is { Ok(()) } else { Err(Problem::parameter(complaint)) }
}

/// `tcp_all_zero`
fn is_bare(tcp: &TcpMatch) -> bool {
    let flags = tcp.flags.is_none_or(|flags| flags == Not { not: false, of: (0, 0) });
    is_any(tcp.source.as_ref()) && is_any(tcp.destination.as_ref()) && flags && tcp.option.is_none()
}

/// All ports, said without `!`.
fn is_any(ports: Option<&Not<RangeInclusive<u16>>>) -> bool {
    ports.is_none_or(|ports| *ports == Not { not: false, of: 0..=u16::MAX })
}

/// `expr_gen_range_cmp16`: all ports ask nothing, and those above some are said as a range.
fn port(ports: Port) -> Port {
    let Not { not, of } = ports?;
    match (*of.start(), *of.end(), not) {
        (0, u16::MAX, _) => None,
        (0, last, true) if last != 0 => Some(Not { not: false, of: last.saturating_add(1)..=u16::MAX }),
        _ => Some(Not { not, of }),
    }
}

/// Ports and flags of one protocol come back as one match, at the place of the first.
fn merge(matches: &mut Vec<Match>, at: &mut Option<usize>, new: Match) {
    let known = at.and_then(|at| matches.get_mut(at));
    match (known, new) {
        (Some(Match::Tcp(known)), Match::Tcp(new)) => {
            known.source = new.source.or(known.source.take());
            known.destination = new.destination.or(known.destination.take());
            known.flags = new.flags.or(known.flags);
        }
        (Some(Match::Udp { source, destination }), Match::Udp { source: new_source, destination: new_destination }) => {
            *source = new_source.or(source.take());
            *destination = new_destination.or(destination.take());
        }
        (_, new) => {
            *at = Some(matches.len());
            matches.push(new);
        }
    }
}

/// Addresses that are all and interfaces that are any ask nothing; what is not any interface at all does.
fn ip(ip: IpMatch) -> IpMatch {
    let all = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
    let address = |of: Option<Not<(Ipv4Addr, Ipv4Addr)>>| of.filter(|of| of.not || of.of != all);
    let interface = |of: Option<Not<String>>| of.filter(|of| of.not || of.of != "+");
    IpMatch {
        source: address(ip.source),
        destination: address(ip.destination),
        in_interface: interface(ip.in_interface),
        out_interface: interface(ip.out_interface),
        ..ip
    }
}

/// What the kernel settles when it takes the rule: a burst of none is one of five.
pub(super) fn settled(mut rule: Rule) -> Rule {
    for of in &mut rule.matches {
        if let Match::Limit { burst, .. } = of {
            *burst = if *burst == 0 { 5 } else { *burst };
        }
    }
    rule
}

/// True for `! -s 0/0`: an expression without a byte to compare, which the kernel refuses.
pub(super) fn compares_nothing(rule: &Rule) -> bool {
    let nothing = |of: Option<Not<(Ipv4Addr, Ipv4Addr)>>| of.is_some_and(|of| of.not && of.of.1.is_unspecified());
    nothing(rule.ip.source) || nothing(rule.ip.destination)
}

/// True where a match is asked itself, rather than bytes that nf_tables compares, and the protocol is not the one it wants.
pub(super) fn lacks_protocol(rule: &Rule) -> bool {
    let plain = rule.ip.protocol.filter(|protocol| !protocol.not).map(|protocol| protocol.of);
    rule.matches.iter().any(|of| match of {
        Match::Tcp(tcp) => (tcp.option.is_some() || is_bare(tcp)) && plain != Some(6),
        Match::Udp { source: None, destination: None } => plain != Some(17),
        Match::Icmp(_) => plain != Some(1),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(source: Port, destination: Port) -> Rule {
        let of = Match::Tcp(TcpMatch { source, destination, ..TcpMatch::default() });
        let ip = IpMatch { protocol: Some(Not { not: false, of: 6 }), ..IpMatch::default() };
        Rule { ip, matches: vec![of], ..Rule::default() }
    }

    #[test]
    fn ports_that_ask_nothing_are_gone_and_inverted_ones_turn_round() {
        let not = |of| Some(Not { not: true, of });
        assert_eq!(canonical(tcp(None, not(0..=u16::MAX))).map(|rule| rule.matches), Ok(vec![]));
        let turned = canonical(tcp(None, not(0..=1023)));
        assert_eq!(turned, canonical(tcp(None, Some(Not { not: false, of: 1024..=u16::MAX }))));
    }

    #[test]
    fn two_matches_of_ports_come_back_as_one() {
        let mut rule = tcp(Some(Not { not: false, of: 1..=1 }), None);
        rule.matches.extend(tcp(None, Some(Not { not: false, of: 2..=2 })).matches);
        let one = tcp(Some(Not { not: false, of: 1..=1 }), Some(Not { not: false, of: 2..=2 }));
        assert_eq!(canonical(rule), Ok(one));
    }

    #[test]
    fn ports_need_their_protocol() {
        let rule = Rule { ip: IpMatch::default(), ..tcp(None, Some(Not { not: false, of: 2..=2 })) };
        assert_eq!(canonical(rule), Err(Problem::parameter("TCP match requires '-p tcp'")));
    }
}
