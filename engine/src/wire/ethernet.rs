//! The Ethernet II header: 14 bytes, no FCS.

use crate::addr::Mac;

/// Bytes of the header.
pub const HEADER: usize = 14;
/// Ethernet type of IPv4.
pub const IPV4: u16 = 0x0800;
/// Ethernet type of ARP.
pub const ARP: u16 = 0x0806;
/// Ethernet type of an 802.1Q tag.
pub const VLAN: u16 = 0x8100;
/// Ethernet type of IPv6.
pub const IPV6: u16 = 0x86dd;

/// An Ethernet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ethernet {
    /// To whom.
    pub destination: Mac,
    /// From whom.
    pub source: Mac,
    /// What follows; below 0x600 it is a length (802.3).
    pub ethertype: u16,
}

impl Ethernet {
    /// Reads the header of a frame; `None` if it is cut short.
    #[inline]
    pub fn parse(frame: &[u8]) -> Option<Ethernet> {
        let (destination, rest) = frame.first_chunk::<HEADER>()?.split_first_chunk()?;
        let (source, ethertype) = rest.split_first_chunk()?;
        Some(Ethernet {
            destination: Mac(*destination),
            source: Mac(*source),
            ethertype: u16::from_be_bytes(*ethertype.first_chunk()?),
        })
    }

    /// The header's bytes.
    #[inline]
    pub fn emit(&self) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        self.write(&mut header);
        header
    }

    /// Writes the header over the first bytes of `frame`; nothing happens if they are fewer than [`HEADER`].
    #[inline]
    pub fn write(&self, frame: &mut [u8]) {
        if let Some(header) = frame.first_chunk_mut::<HEADER>() {
            // As one value: addresses that lie elsewhere get from there to here without a place in between.
            let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.destination.0, self.source.0);
            let [m, n] = self.ethertype.to_be_bytes();
            *header = [a, b, c, d, e, f, g, h, i, j, k, l, m, n];
        }
    }
}
