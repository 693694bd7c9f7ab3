//! Senders whose packets are let in (`fib_validate_source`), as that was found out before.

use crate::addr::Ipv4Addr;
use crate::control::IfIndex;
use crate::route::InputKey;

/// Places at first, and at most.
const FEWEST: usize = 4;
const MOST: usize = 4096;

/// That packets from there may come in by this port and leave by another.
#[derive(Clone, Copy, Debug)]
struct Sender {
    /// When that was found out.
    changes: u64,
    address: Ipv4Addr,
    iif: IfIndex,
    /// The way back to the sender may depend on it.
    tos: u8,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Senders {
    /// One for each value of the hash; a power of two, or none.
    places: Vec<Sender>,
    /// Senders that had to make room for others since the places grew.
    displaced: usize,
}

impl Senders {
    /// True if the sender is let in, and the configuration is as it was then. `changes` is not 0.
    #[inline(always)]
    pub(super) fn has(&self, changes: u64, key: &InputKey) -> bool {
        self.places.get(self.place(key)).is_some_and(|sender| {
            sender.changes == changes && (sender.address, sender.iif, sender.tos) == (key.source, key.iif, key.tos)
        })
    }

    /// Keeps that it is.
    pub(super) fn keep(&mut self, changes: u64, key: &InputKey) {
        if self.places.is_empty() || (self.displaced > self.places.len() && self.places.len() < MOST) {
            self.displaced = 0;
            let places = (self.places.len() * 2).max(FEWEST);
            self.places.clear();
            self.places.resize(places, Sender { changes: 0, address: Ipv4Addr::UNSPECIFIED, iif: 0, tos: 0 });
        }
        let place = self.place(key);
        if let Some(sender) = self.places.get_mut(place) {
            self.displaced += usize::from(sender.changes == changes);
            *sender = Sender { changes, address: key.source, iif: key.iif, tos: key.tos };
        }
    }

    #[inline(always)]
    fn place(&self, key: &InputKey) -> usize {
        let bits = key.source.to_bits() ^ key.iif << 16;
        (bits.wrapping_mul(0x9e37_79b1) >> 16) as usize & self.places.len().wrapping_sub(1)
    }
}
