//! What every rule may ask: addresses, interfaces, protocol, fragment; and `-m ttl`.

use super::super::rule::{IpMatch, Not, TtlMatch};
use super::super::subject::Subject;
use super::not;
use crate::addr::Ipv4Addr;
use crate::link::Port;

/// True if a packet fits `-s`, `-d`, `-i`, `-o`, `-p` and `-f` (`ip_packet_match`).
#[inline]
pub(in super::super) fn fits(of: &IpMatch, subject: &Subject<'_>) -> bool {
    let header = &*subject.header;
    of.in_interface.as_ref().is_none_or(|name| interface(name, subject.inward))
        && of.out_interface.as_ref().is_none_or(|name| interface(name, subject.outward))
        && of.source.is_none_or(|net| not(&net, in_net(header.source, net.of)))
        && of.destination.is_none_or(|net| not(&net, in_net(header.destination, net.of)))
        && of.protocol.is_none_or(|protocol| not(&protocol, header.protocol == protocol.of))
        && of.fragment.is_none_or(|fragment| not(&fragment, header.fragment_offset() != 0))
}

/// True if an address lies in a network of any mask.
#[inline]
pub(super) fn in_net(address: Ipv4Addr, (net, mask): (Ipv4Addr, Ipv4Addr)) -> bool {
    (address.to_bits() ^ net.to_bits()) & mask.to_bits() == 0
}

/// Where there is no interface its name is empty.
fn interface(of: &Not<String>, port: Option<&Port>) -> bool {
    not(of, is_named(&of.of, port.map_or("", |port| &port.name)))
}

/// True if this is the name, or begins with it if that ends with a `+`.
#[inline]
pub(super) fn is_named(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('+') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

/// `-m ttl`
pub(super) fn ttl(of: TtlMatch, ttl: u8) -> bool {
    match of {
        TtlMatch::Equal(of) => not(&of, ttl == of.of),
        TtlMatch::Less(than) => ttl < than,
        TtlMatch::Greater(than) => ttl > than,
    }
}
