//! Network address translation of IPv4 (`net/netfilter/nf_nat_core.c`, `nf_nat_proto.c`).
//!
//! The first packet of a flow decides: at PREROUTING and OUTPUT what its destination becomes, at INPUT and POSTROUTING what its
//! source becomes. That is written into the tuple of its answers, nowhere else; every packet of the flow is then
//! made to look like the inverse of the other direction. A flow that no rule translates gets a null binding: its addresses are
//! kept, and its port too, unless somebody else's flow has that already.

mod manip;
mod unique;

use crate::addr::Ipv4Addr;
use crate::conntrack::{Conntrack, CtInfo, Nfct, status};
use crate::control::IfIndex;
use crate::filter::{Hook, NatRange};
use crate::time::Time;
use crate::wire::protocol;

/// Which half of a tuple is changed (`enum nf_nat_manip_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manip {
    Source,
    Destination,
}

impl Manip {
    /// `HOOK2MANIP`
    const fn at(hook: Hook) -> Manip {
        match hook {
            Hook::PostRouting | Hook::Input => Manip::Source,
            Hook::PreRouting | Hook::Output | Hook::Forward => Manip::Destination,
        }
    }

    const fn other(self) -> Manip {
        match self {
            Manip::Source => Manip::Destination,
            Manip::Destination => Manip::Source,
        }
    }

    /// The status bit of a flow that is changed so.
    const fn bit(self) -> u32 {
        match self {
            Manip::Source => status::SRC_NAT,
            Manip::Destination => status::DST_NAT,
        }
    }

    /// The status bit of a flow about which this is decided.
    const fn done(self) -> u32 {
        match self {
            Manip::Source => status::SRC_NAT_DONE,
            Manip::Destination => status::DST_NAT_DONE,
        }
    }
}

impl Conntrack {
    /// True if the nat table is to be asked for this packet of that protocol at this hook. If no rule of it decides, a null
    /// binding ([`Conntrack::nat_null`]) does.
    #[inline(always)]
    pub fn nat_wanted(&self, nfct: &Nfct, protocol: u8, hook: Hook) -> bool {
        let begins = nfct.info() == CtInfo::New || nfct.info().is_related() && protocol != protocol::ICMP;
        begins && self.conn(nfct).is_some_and(|conn| !conn.has(Manip::at(hook).done()))
    }

    /// `-j SNAT`, `-j DNAT`, and what `-j REDIRECT` and `-j NETMAP` come to: the flow's source or destination, as the hook has
    /// it, is mapped into the range. A range without addresses keeps the address, one without ports the port, if it is free.
    pub fn nat_setup(&mut self, now: Time, nfct: &Nfct, hook: Hook, range: &NatRange) {
        let manip = Manip::at(hook);
        let Some(conn) = self.conn(nfct) else { return };
        if conn.has(status::CONFIRMED) || conn.has(manip.done()) {
            return;
        }
        let Some(current) = conn.tuples[1].inverted() else { return };
        let new = self.unique_tuple(now, nfct, current, range, manip);
        let Some(reply) = new.inverted() else { return };
        let Some(conn) = self.conn_mut(nfct) else { return };
        if new != current {
            conn.tuples[1] = reply;
            conn.status |= manip.bit();
        }
        conn.status |= manip.done();
        if manip == Manip::Source {
            self.link_source(nfct);
        }
    }

    /// No rule decides: the addresses stay as they are, and the port as far as it is free.
    pub fn nat_null(&mut self, now: Time, nfct: &Nfct, hook: Hook) {
        let Some(conn) = self.conn(nfct) else { return };
        let address = match Manip::at(hook) {
            Manip::Source => conn.tuples[1].destination.address,
            Manip::Destination => conn.tuples[1].source.address,
        };
        let range = NatRange { addresses: Some((address, address)), ..NatRange::default() };
        self.nat_setup(now, nfct, hook, &range);
    }

    /// `-j MASQUERADE`: the source becomes `address`, which is one of `out`'s, in as much of `range` as its ports say. The flow
    /// ends when the interface goes down, when it loses the address, and when it leaves through another one.
    pub fn nat_masquerade(&mut self, now: Time, nfct: &Nfct, out: IfIndex, address: Ipv4Addr, range: &NatRange) {
        if let Some(conn) = self.conn_mut(nfct).filter(|conn| !conn.has(status::CONFIRMED)) {
            conn.masquerade = out;
        }
        let range = NatRange { addresses: Some((address, address)), ..range.clone() };
        self.nat_setup(now, nfct, Hook::PostRouting, &range);
    }

    /// An interface is down, or has lost an address: what was masqueraded for it is forgotten.
    pub(crate) fn masquerade_gone(&mut self, out: IfIndex, address: Option<Ipv4Addr>) {
        let held = |at: Ipv4Addr| address.is_none_or(|address| address == at);
        if self.held() > 0 {
            self.delete(|conn| conn.masquerade == out && held(conn.tuples[1].destination.address));
        }
    }
}

#[cfg(test)]
mod tests;
