//! `-j DNAT`, `-j SNAT`, `-j MASQUERADE`, `-j REDIRECT`, `-j NETMAP`: how a new connection is to be translated.

use super::super::rule::{Hook, NatRange};
use super::super::subject::Subject;
use super::Next;
use crate::addr::Ipv4Addr;
use crate::control::scope;
use crate::route::select_address;
use core::ops::RangeInclusive;

type PortRange = RangeInclusive<u16>;

/// `nf_nat_setup_info`
pub(super) fn set_up(subject: &mut Subject<'_>, range: &NatRange) -> Next {
    subject.conntrack.nat_setup(subject.net.now, subject.nfct, subject.hook, range);
    Next::Accept
}

/// To this address, and to these ports if any are said.
fn to(subject: &mut Subject<'_>, address: Ipv4Addr, ports: Option<&PortRange>, random: bool) -> Next {
    let range = NatRange { addresses: Some((address, address)), ports: ports.cloned(), random, ..NatRange::default() };
    set_up(subject, &range)
}

/// From an address of the way out that suits the next hop (`nf_nat_masquerade_ipv4`). The connection ends with it.
pub(super) fn masquerade(
    subject: &mut Subject<'_>,
    ports: Option<&PortRange>,
    random: bool,
    random_fully: bool,
) -> Next {
    let Some(out) = subject.outward.map(|port| port.index) else { return Next::Drop };
    let source = subject.conntrack.conn(subject.nfct).map(|conn| conn.tuples[0].source.address);
    if source.is_none_or(|source| source.is_unspecified()) {
        // A DHCP client's first words.
        return Next::Accept;
    }
    let Some(address) = select_address(subject.net, out, Some(subject.next_hop), scope::UNIVERSE) else {
        return Next::Drop;
    };
    let range = NatRange { ports: ports.cloned(), random, random_fully, ..NatRange::default() };
    subject.conntrack.nat_masquerade(subject.net.now, subject.nfct, out, address, &range);
    Next::Accept
}

/// To this host: where it came in, or `lo` (`nf_nat_redirect_ipv4`).
pub(super) fn redirect(subject: &mut Subject<'_>, ports: Option<&PortRange>, random: bool) -> Next {
    let here = match subject.hook {
        Hook::Output => Some(Ipv4Addr::LOCALHOST),
        _ => subject.inward.and_then(|port| port.addresses4.first()).map(|address| address.local),
    };
    match here {
        Some(here) => to(subject, here, ports, random),
        None => Next::Drop,
    }
}

/// The same host in another network (`netmap_tg4`).
pub(super) fn netmap(subject: &mut Subject<'_>, net: Ipv4Addr, mask: Ipv4Addr) -> Next {
    let address = match subject.hook {
        Hook::PreRouting | Hook::Output => subject.header.destination,
        _ => subject.header.source,
    };
    let mapped = address.to_bits() & !mask.to_bits() | net.to_bits() & mask.to_bits();
    to(subject, Ipv4Addr::from_bits(mapped), None, false)
}
