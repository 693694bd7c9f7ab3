//! `-m tcp`, `-m udp`, `-m icmp`.

use super::super::rule::{Not, TcpMatch};
use super::super::subject::Subject;
use super::{Broken, Fits, may_be_within, not};
use crate::wire::tcp;
use core::ops::RangeInclusive;

/// Type of `-m icmp` that stands for all.
const ANY_TYPE: u8 = 255;
/// TCP options without a length.
const END: u8 = 0;
const NOP: u8 = 1;

type PortRange = Not<RangeInclusive<u16>>;

/// A later fragment fits nothing that is asked of ports or flags, nor does a header that is cut short. Only options are
/// looked for by code that drops what is cut short.
pub(super) fn tcp(of: &TcpMatch, subject: &Subject<'_>) -> Fits {
    if let Some(option) = of.option {
        return tcp_with_option(of, option, subject);
    }
    let ports = ports_fit(of.source.as_ref(), of.destination.as_ref(), subject);
    let flags = of.flags.is_none_or(|flags| flags_fit(&flags, subject.transport::<14>().map(|head| head[13])));
    Ok(ports && flags)
}

/// `tcp_mt`
fn tcp_with_option(of: &TcpMatch, option: Not<u8>, subject: &Subject<'_>) -> Fits {
    match subject.header.fragment_offset() {
        0 => {}
        // A fragment that would overwrite flags is an attack.
        8 => return Err(Broken),
        _ => return Ok(false),
    }
    let head = subject.transport::<{ tcp::HEADER }>().ok_or(Broken)?;
    let flags = of.flags.is_none_or(|flags| flags_fit(&flags, Some(head[13])));
    let (source, destination) = subject.ports().ok_or(Broken)?;
    if !may_be_within(of.source.as_ref(), source) || !may_be_within(of.destination.as_ref(), destination) || !flags {
        return Ok(false);
    }
    let length = usize::from(head[12] >> 4) * 4;
    let options = subject.payload().get(tcp::HEADER..length).ok_or(Broken)?;
    Ok(not(&option, has_option(options, option.of)))
}

/// What iptables has nf_tables compare (`add_nft_tcpudp`). Two single ports that are both negated are compared at once: it
/// takes both of them not to fit.
fn ports_fit(source: Option<&PortRange>, destination: Option<&PortRange>, subject: &Subject<'_>) -> bool {
    if source.is_none() && destination.is_none() {
        return true;
    }
    let Some(ports) = subject.ports() else { return false };
    match (source.and_then(negated), destination.and_then(negated)) {
        (Some(source), Some(destination)) => ports != (source, destination),
        _ => may_be_within(source, ports.0) && may_be_within(destination, ports.1),
    }
}

/// The one port that a match is not to have; port 0 stands for none.
fn negated(ports: &PortRange) -> Option<u16> {
    let single = ports.not && ports.of.start() == ports.of.end() && *ports.of.start() != 0;
    single.then_some(*ports.of.start())
}

fn flags_fit(of: &Not<(u8, u8)>, flags: Option<u8>) -> bool {
    let (mask, set) = of.of;
    flags.is_some_and(|flags| not(of, flags & mask == set))
}

/// `tcp_find_option`
fn has_option(mut options: &[u8], wanted: u8) -> bool {
    while let [kind, rest @ ..] = options {
        if *kind == wanted {
            return true;
        }
        let length = match (kind, rest) {
            (&END | &NOP, _) | (_, [] | [0, ..]) => 1,
            (_, [length, ..]) => usize::from(*length),
        };
        options = options.get(length..).unwrap_or(&[]);
    }
    false
}

/// `-m udp`
pub(super) fn udp(source: Option<&PortRange>, destination: Option<&PortRange>, subject: &Subject<'_>) -> bool {
    ports_fit(source, destination, subject)
}

/// `icmp_match`
pub(super) fn icmp(of: &Not<(u8, RangeInclusive<u8>)>, subject: &Subject<'_>) -> Fits {
    if subject.header.fragment_offset() != 0 {
        return Ok(false);
    }
    let [kind, code, ..] = subject.transport::<8>().ok_or(Broken)?;
    let (wanted, codes) = &of.of;
    Ok(not(of, *wanted == ANY_TYPE || *wanted == kind && codes.contains(&code)))
}
