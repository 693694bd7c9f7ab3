//! Bytes of the protocols, and no policy: how a header is read and how it is written.
//!
//! Nothing here allocates, and nothing panics, whatever the bytes are. In each file `parse` reads a header and looks at
//! its lengths only, `checked` looks at the checksum too, and a function that builds returns the header's bytes.

pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod icmpv4;
pub mod ipv4;
pub mod mld;
pub mod tcp;
pub mod udp;
pub mod vlan;

pub use arp::Arp;
pub use ethernet::Ethernet;
pub use icmpv4::Icmp;
pub use ipv4::Ipv4;
pub use tcp::Tcp;
pub use udp::Udp;

/// IP protocol numbers (`IPPROTO_*`).
#[allow(missing_docs, reason = "Linux's own names")]
pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const IGMP: u8 = 2;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ICMPV6: u8 = 58;
    pub const RAW: u8 = 255;
}

/// Overwrites bytes at a place; nothing happens where they do not fit.
pub(crate) fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
        *place = value;
    }
}

/// The bytes at a place, if they are all there.
fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

#[cfg(test)]
mod tests;
