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
    let ports = of.source.is_none() && of.destination.is_none() || ports_fit(of, subject.ports());
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
    if !ports_fit(of, subject.ports()) || !flags {
        return Ok(false);
    }
    let length = usize::from(head[12] >> 4) * 4;
    let options = subject.payload().get(tcp::HEADER..length).ok_or(Broken)?;
    Ok(not(&option, has_option(options, option.of)))
}

fn ports_fit(of: &TcpMatch, ports: Option<(u16, u16)>) -> bool {
    ports.is_some_and(|(source, destination)| {
        may_be_within(of.source.as_ref(), source) && may_be_within(of.destination.as_ref(), destination)
    })
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
    if source.is_none() && destination.is_none() {
        return true;
    }
    subject.ports().is_some_and(|ports| may_be_within(source, ports.0) && may_be_within(destination, ports.1))
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
