//! The device that a connection's smoltcp interface sees: one packet in, and frames of the pool out.

use crate::frame::{FrameBuf, FramePool};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// The two directions, for the length of one call.
pub(super) struct Wire<'a> {
    /// Bytes of an IP packet that fits.
    pub(super) mtu: usize,
    /// The packet that came, until it is read.
    pub(super) inbound: Option<&'a [u8]>,
    /// Where frames come from.
    pub(super) pool: &'a mut FramePool,
    /// Packets that leave, IP header first; their checksums are not finished.
    pub(super) out: &'a mut Vec<FrameBuf>,
}

/// The packet that came.
pub(super) struct Inbound<'a>(&'a [u8]);

/// Room for a packet that leaves.
pub(super) struct Outbound<'a> {
    pool: &'a mut FramePool,
    out: &'a mut Vec<FrameBuf>,
}

impl Device for Wire<'_> {
    type RxToken<'t>
        = Inbound<'t>
    where
        Self: 't;
    type TxToken<'t>
        = Outbound<'t>
    where
        Self: 't;

    fn receive(&mut self, _: Instant) -> Option<(Inbound<'_>, Outbound<'_>)> {
        let packet = self.inbound.take()?;
        Some((Inbound(packet), Outbound { pool: self.pool, out: self.out }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outbound<'_>> {
        Some(Outbound { pool: self.pool, out: self.out })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        // What comes in was checked before, and what goes out is changed after.
        capabilities.checksum = ChecksumCapabilities::ignored();
        capabilities
    }
}

impl RxToken for Inbound<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

impl TxToken for Outbound<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut frame = self.pool.take(length);
        frame.resize(length);
        let done = write(&mut frame);
        self.out.push(frame);
        done
    }
}
