//! Ways of packets that came in, as they were found before (`struct dst_entry`, `struct rtable`).
//!
//! A way is a matter of the packet's addresses, port, mark and type of service, and of the configuration. So it is found
//! here as long as the [number of changes](crate::config::Config::changes) of that is what it was, and what else may matter
//! (the hash of several next hops, ports that a rule looks at, what the path taught for a while) keeps it out of here. The
//! neighbour's MAC lies with it, on the same terms. The places grow with what is asked, to a bound; then the newest take
//! the places of others.
//!
//! Of a destination no more may matter than by which router it is reached: then one way is kept for all destinations behind
//! that router, as [`Rib::kept_as`](super::Rib::kept_as) says.

use super::{InputKey, InputRoute};
use crate::addr::{Ipv4Addr, Mac};
use crate::control::{IfIndex, RouteKind};

/// Places at first, and at most: 256 KiB, which stay near. (In 8 MiB they are as far away as the tables.)
const FEWEST: usize = 8;
const MOST: usize = 4096;

/// A way and what it was asked for: one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Slot {
    /// When the way was found; [`Ways::find`] is never asked for 0.
    changes: u64,
    /// When the MAC was; [`NEVER`] if it was not.
    neighbor_changes: u64,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    iif: IfIndex,
    mark: u32,
    oif: IfIndex,
    gateway: Ipv4Addr,
    table: u32,
    flags: u32,
    mtu: u16,
    mac: Mac,
    tos: u8,
    kind: RouteKind,
    has_gateway: bool,
    redirect: bool,
    /// See [`Straight`]; as long as the MAC is known.
    straight: bool,
}

const NEVER: u64 = u64::MAX;

const EMPTY: Slot = Slot {
    changes: 0,
    neighbor_changes: NEVER,
    source: Ipv4Addr::UNSPECIFIED,
    destination: Ipv4Addr::UNSPECIFIED,
    iif: 0,
    mark: 0,
    oif: 0,
    gateway: Ipv4Addr::UNSPECIFIED,
    table: 0,
    flags: 0,
    mtu: 0,
    mac: Mac::ZERO,
    tos: 0,
    kind: RouteKind::Unicast,
    has_gateway: false,
    redirect: false,
    straight: false,
};

/// A way that a packet takes at once: it is passed on, to a next hop whose MAC is known, by a port that carries on and has
/// nothing but a cable behind it, and nobody is told of a shorter way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Straight {
    pub(crate) oif: IfIndex,
    pub(crate) gateway: Option<Ipv4Addr>,
    pub(crate) mac: Mac,
    pub(crate) mtu: u16,
    pub(crate) table: u32,
}

/// Where a way is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept(u32);

impl Kept {
    /// Nowhere.
    pub(crate) const NOWHERE: Kept = Kept(u32::MAX);
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Two places for each value of the hash.
    slots: Vec<[Slot; 2]>,
    /// Bits of the hash that do not count.
    shift: u32,
    /// Ways that had to make room for others since the places grew; once there are as many as may be, not all are counted.
    displaced: u16,
    /// A way was kept that leads on from here.
    leads_on: bool,
}

impl Default for Ways {
    fn default() -> Ways {
        Ways { slots: Vec::new(), shift: u64::BITS - 1, displaced: 0, leads_on: false }
    }
}

impl Ways {
    /// True if [`Ways::straight`] may find something: who only receives need not ask.
    #[inline]
    pub(crate) fn lead_on(&self) -> bool {
        self.leads_on
    }

    /// The way, if it is known and the configuration is as it was. `changes` is not 0.
    #[inline(always)]
    pub(crate) fn find(&self, changes: u64, key: &InputKey) -> Option<(Kept, InputRoute)> {
        let (at, slot) = self.slot_for(changes, key)?;
        Some((at, slot.route()))
    }

    /// The way of a packet that need not be looked at any further, if the configuration and the neighbours are as they were.
    #[inline(always)]
    pub(crate) fn straight(&self, (changes, neighbor_changes): (u64, u64), key: &InputKey) -> Option<Straight> {
        let (_, slot) = self.slot_for(changes, key)?;
        (slot.neighbor_changes == neighbor_changes && slot.straight).then_some(Straight {
            oif: slot.oif,
            gateway: slot.has_gateway.then_some(slot.gateway),
            mac: slot.mac,
            mtu: slot.mtu,
            table: slot.table,
        })
    }

    #[inline(always)]
    fn slot_for(&self, changes: u64, key: &InputKey) -> Option<(Kept, &Slot)> {
        let place = self.place(key);
        let [first, second] = self.slots.get(place)?;
        if first.is_for(changes, key) {
            return Some((Kept(place as u32 * 2), first));
        }
        second.is_for(changes, key).then_some((Kept(place as u32 * 2 + 1), second))
    }

    /// Keeps a way.
    pub(crate) fn keep(&mut self, changes: u64, key: &InputKey, route: &InputRoute) -> Kept {
        let Ok(mtu) = u16::try_from(route.mtu) else { return Kept::NOWHERE };
        let places = self.slots.len() * 2;
        if places == 0 || (usize::from(self.displaced) > places && places < MOST) {
            self.grow();
        }
        let place = self.place(key);
        let Some([first, second]) = self.slots.get_mut(place) else { return Kept::NOWHERE };
        self.leads_on |= route.kind == RouteKind::Unicast;
        self.displaced = self.displaced.saturating_add(u16::from(second.changes == changes));
        *second = *first;
        *first = Slot {
            changes,
            source: key.source,
            destination: key.destination,
            iif: key.iif,
            mark: key.mark,
            tos: key.tos,
            oif: route.oif,
            gateway: route.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED),
            has_gateway: route.gateway.is_some(),
            table: route.table.unwrap_or(0),
            flags: route.flags,
            kind: route.kind,
            redirect: route.redirect,
            mtu,
            ..EMPTY
        };
        Kept(place as u32 * 2)
    }

    /// The next hop's MAC, if it was known and the neighbours are as they were.
    #[inline]
    pub(crate) fn mac(&self, at: Kept, changes: u64, (oif, next_hop): (IfIndex, Ipv4Addr)) -> Option<Mac> {
        let slot = self.slots.as_flattened().get(at.0 as usize)?;
        (slot.neighbor_changes == changes && slot.leads_to(oif, next_hop)).then_some(slot.mac)
    }

    /// Keeps the MAC of a way's next hop, unless another way has taken its place. `plain`: the port out carries on, and has
    /// nothing but a cable behind it.
    pub(crate) fn keep_mac(
        &mut self,
        at: Kept,
        changes: u64,
        (oif, next_hop): (IfIndex, Ipv4Addr),
        (mac, plain): (Mac, bool),
    ) {
        if let Some(slot) = self.slots.as_flattened_mut().get_mut(at.0 as usize)
            && slot.leads_to(oif, next_hop)
        {
            (slot.neighbor_changes, slot.mac) = (changes, mac);
            slot.straight = plain && slot.kind == RouteKind::Unicast && !slot.redirect;
        }
    }

    /// Room for twice as many. Those that are known are not worth moving: they are soon known again.
    fn grow(&mut self) {
        let pairs = (self.slots.len() * 2).max(FEWEST / 2);
        self.slots.clear();
        self.slots.resize(pairs, [EMPTY; 2]);
        self.shift = u64::BITS - pairs.trailing_zeros();
        self.displaced = 0;
    }

    /// The two places that a way may be in.
    #[inline]
    fn place(&self, key: &InputKey) -> usize {
        let addresses = u64::from(key.destination.to_bits()) << 32 | u64::from(key.source.to_bits());
        let hash = (addresses ^ u64::from(key.iif) << 13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // Of the product the high bits are those that all bits have a say in.
        (hash >> (self.shift & 63)) as usize
    }
}

impl Slot {
    #[inline]
    fn is_for(&self, changes: u64, key: &InputKey) -> bool {
        self.changes == changes
            && (self.destination, self.source) == (key.destination, key.source)
            && (self.iif, self.mark, self.tos) == (key.iif, key.mark, key.tos)
    }

    #[inline]
    fn leads_to(&self, oif: IfIndex, next_hop: Ipv4Addr) -> bool {
        let known = if self.has_gateway { self.gateway } else { self.destination };
        (self.oif, known) == (oif, next_hop)
    }

    #[inline]
    fn route(&self) -> InputRoute {
        InputRoute {
            kind: self.kind,
            oif: self.oif,
            gateway: self.has_gateway.then_some(self.gateway),
            mtu: self.mtu.into(),
            redirect: self.redirect,
            flags: self.flags,
            table: Some(self.table).filter(|table| *table != 0),
        }
    }
}

#[cfg(test)]
mod tests;
