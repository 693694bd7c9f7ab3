//! Frames to be sent by generators in kernel namespaces.

use crate::chain::{FRAME, destinations};
use crate::plan::{address, mac};
use std::net::Ipv4Addr;

/// Frames that a generator prepares at most.
const PREPARED: usize = 2048;

/// A UDP datagram: who sends it to whom, by MAC and by address and port, and the length of its frame.
pub fn datagram(macs: [[u8; 6]; 2], from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), length: usize) -> Vec<u8> {
    let payload = vec![0; length.saturating_sub(14 + 20 + 8)];
    let builder = etherparse::PacketBuilder::ethernet2(macs[0], macs[1])
        .ipv4(from.0.octets(), to.0.octets(), 255)
        .udp(from.1, to.1);
    let mut frame = Vec::with_capacity(length);
    // A vector takes all, and no payload here is longer than a datagram may be.
    let _ = builder.write(&mut frame, &payload);
    frame
}

/// The frames of [`Chain`](crate::chain::Chain) with so many routes, as the first router of a [`Plan`](crate::plan::Plan) takes
/// them.
pub fn to_plan(routes: u32, seed: u64) -> Vec<Vec<u8>> {
    let to = |destination| datagram([mac(0, 1), mac(0, 2)], (address(0, 1), 4000), (destination, 5000), FRAME);
    destinations(routes, seed).into_iter().take(PREPARED).map(to).collect()
}

/// What the sink of a [`Plan`](crate::plan::Plan) with one router that masquerades answers to such a frame.
pub fn answer(frame: &[u8]) -> Vec<u8> {
    let destination = frame.get(30..34).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).unwrap_or_default();
    datagram([mac(1, 2), mac(1, 1)], (destination.into(), 5000), (address(1, 1), 4000), FRAME)
}
