//! `-m addrtype`, `-m iprange`.

use super::super::rule::{AddrTypeMatch, Not};
use super::super::subject::Subject;
use super::not;
use crate::addr::Ipv4Addr;
use crate::route::{address_kind, address_kind_on};

/// `addrtype_mt_v1`
pub(super) fn kind(of: &AddrTypeMatch, subject: &Subject<'_>) -> bool {
    let port = match of {
        AddrTypeMatch { limit_in: true, .. } => Some(subject.inward),
        AddrTypeMatch { limit_out: true, .. } => Some(subject.outward),
        _ => None,
    };
    let fits = |wanted: Option<Not<u16>>, address: Ipv4Addr| {
        let found = || match port.flatten() {
            Some(port) => address_kind_on(subject.net, subject.rib, address, port.index),
            None => address_kind(subject.net, subject.rib, address),
        };
        wanted.is_none_or(|wanted| not(&wanted, wanted.of & 1 << found().number() != 0))
    };
    fits(of.source, subject.header.source) && fits(of.destination, subject.header.destination)
}

type AddressRange = Not<(Ipv4Addr, Ipv4Addr)>;

/// `iprange_mt4`
pub(super) fn range(source: Option<&AddressRange>, destination: Option<&AddressRange>, subject: &Subject<'_>) -> bool {
    let fits = |of: Option<&AddressRange>, address: Ipv4Addr| {
        of.is_none_or(|of| not(of, (of.of.0..=of.of.1).contains(&address)))
    };
    fits(source, subject.header.source) && fits(destination, subject.header.destination)
}
