//! Taps of a namespace, for the programs that open them.

use super::Stack;
use super::packet::Cast;
use crate::control::{Errno, IfIndex};
use crate::frame::FrameBuf;
use crate::local::{SocketId, TapCast, TapCounts, TapFrame, TapSpec};
use crate::time::Time;

impl Stack {
    /// Opens a tap; [`Stack::close`] closes it. `ENODEV` if there is no such port, `ENETDOWN` if it is down,
    /// `ENFILE` if there are too many.
    pub fn tap(&mut self, spec: TapSpec) -> Result<SocketId, Errno> {
        if let Some(index) = spec.port {
            let port = self.config.ports.get(index).ok_or(Errno::NoDev)?;
            if !port.is_up() {
                return Err(Errno::NetDown);
            }
        }
        if self.taps.is_full() {
            return Err(Errno::NFile);
        }
        let id = self.sockets.number()?;
        self.taps.open(id, spec);
        Ok(id)
    }

    /// The oldest frame that a tap has heard and nobody has read.
    pub fn tap_frame(&mut self, tap: SocketId) -> Option<TapFrame> {
        self.taps.pop(tap)
    }

    /// True if the port that a tap listened at is gone.
    pub fn tap_is_deaf(&self, tap: SocketId) -> bool {
        self.taps.is_deaf(tap)
    }

    /// How much a tap heard, and what it had no room for.
    pub fn tap_counts(&self, tap: SocketId) -> TapCounts {
        self.taps.counts(tap)
    }

    /// How many ask a port to keep nothing back: taps, and the administrator.
    pub(super) fn promiscuity(&self, index: IfIndex) -> u32 {
        let asked = |port: &crate::link::Port| port.set_flags & crate::link::port::flag::PROMISC != 0;
        self.tap_promiscuity(index) + u32::from(self.config.ports.get(index).is_some_and(asked))
    }

    /// How many taps ask a port to keep nothing back: their part of `dev->promiscuity`.
    pub fn tap_promiscuity(&self, index: IfIndex) -> u32 {
        self.taps.promiscuity(index) as u32
    }

    /// A frame comes in (`ptype_all` in `__netif_receive_skb_core`); its link header is still on it.
    #[cold]
    pub(super) fn tap_in(&mut self, now: Time, port: IfIndex, cast: Cast, frame: &FrameBuf) {
        let cast = match cast {
            Cast::Host => TapCast::Host,
            Cast::Broadcast => TapCast::Broadcast,
            Cast::Multicast => TapCast::Multicast,
            Cast::OtherHost => TapCast::OtherHost,
            // A packet socket does not hear such copies.
            Cast::Looped => return,
        };
        self.taps.hear(now, port, cast, frame);
    }

    /// A frame is handed to its device (`dev_queue_xmit_nit`).
    #[cold]
    pub(super) fn tap_out(&mut self, now: Time, port: IfIndex, frame: &FrameBuf) {
        self.taps.hear(now, port, TapCast::Outgoing, frame);
    }
}
