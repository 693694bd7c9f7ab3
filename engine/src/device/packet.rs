//! Packet sockets (AF_PACKET), with `PACKET_VNET_HDR` both ways.
//!
//! What makes them right on a veth end, where the other end's kernel leaves work to the receiver: frames with unfinished
//! checksums and super-frames of up to 64 KiB arrive with a [header](vnet) that says so and leave with the same header, so
//! nothing has to be finished or cut in between. VLAN tags, which the kernel takes out, are put back. Frames that this
//! host sends itself are not seen (`PACKET_IGNORE_OUTGOING`; the socket's own never are).

mod plain;
mod ring;
mod send;
mod vnet;

pub use plain::PacketSocket;
pub use ring::RingSocket;

use super::DeviceCounters;
use crate::frame::{FrameBuf, FramePool, HEADROOM, LARGE, SMALL};
use std::mem::swap;

/// Room for the longest frame: 64 KiB of IP, its Ethernet header, and a VLAN tag or two.
const LONGEST: usize = LARGE - HEADROOM;
/// Where the kernel writes into an [arrival]: the frame's bytes lie where those of a fresh [`FrameBuf`] do.
const BEFORE: usize = HEADROOM - vnet::HEADER;

/// A buffer for the longest frame and what stands before it.
fn arrival() -> Vec<u8> {
    let mut store = Vec::with_capacity(LARGE);
    store.resize(BEFORE, 0);
    store
}

/// Makes a frame of an arrival that the kernel filled: a short one is copied, a long one takes the buffer and leaves
/// another. The arrival is as it was before the kernel wrote. `None`: it is shorter than its header.
fn take_arrival(pool: &mut FramePool, arrival: &mut Vec<u8>) -> Option<FrameBuf> {
    let header = arrival.get(BEFORE..HEADROOM).and_then(|header| header.first_chunk()).copied();
    let frame = header.map(|header| {
        let bytes = &arrival[HEADROOM..];
        let mut frame = if HEADROOM + bytes.len() <= SMALL {
            pool.copy(bytes)
        } else {
            let mut frame = pool.take(bytes.len());
            swap(frame.store_mut(), arrival);
            frame
        };
        *frame.offload_mut() = vnet::decode(&header);
        frame
    });
    arrival.truncate(BEFORE);
    frame
}

/// The VLAN tag that a packet socket tells of beside a frame.
fn tag(status: u32, tpid: u16, tci: u16) -> Option<(u16, u16)> {
    const VALID: u32 = libc::TP_STATUS_VLAN_VALID;
    const TPID_VALID: u32 = libc::TP_STATUS_VLAN_TPID_VALID;
    let tpid = if status & TPID_VALID != 0 { tpid } else { libc::ETH_P_8021Q as u16 };
    (status & VALID != 0).then_some((tpid, tci))
}

/// Counts the frames that the kernel had for a socket, those that it dropped, and so those that wait.
#[derive(Default)]
struct Offered(u64);

impl Offered {
    fn note(&mut self, (offered, dropped): (u64, u64), counters: &mut DeviceCounters) {
        self.0 += offered;
        counters.kernel_drops += dropped;
        let DeviceCounters { received, unreadable, kernel_drops, .. } = *counters;
        counters.waiting = self.0.saturating_sub(received + unreadable + kernel_drops);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_is_copied_or_kept_and_used_again() {
        let mut pool = FramePool::new();
        let mut arrival = arrival();
        for length in [60, 1500, SMALL - HEADROOM, SMALL - HEADROOM + 1, LONGEST] {
            arrival.extend([1, 0, 0, 0, 0, 0, 14, 0, 6, 0]);
            arrival.extend((0..length).map(|n| n as u8));
            let frame = take_arrival(&mut pool, &mut arrival).unwrap();
            assert_eq!((frame.len(), frame[length - 1]), (length, (length - 1) as u8));
            assert!(frame.offload().partial_checksum.is_some());
            assert!(arrival.len() == BEFORE && arrival.capacity() >= LARGE, "{length}");
            pool.give(frame);
        }
        arrival.extend([0; 9]);
        assert!(take_arrival(&mut pool, &mut arrival).is_none());
        assert_eq!((arrival.len(), pool.taken()), (BEFORE, 0));
    }

    #[test]
    fn a_tag_without_a_type_is_the_usual_one() {
        assert_eq!(tag(1, 0x88a8, 5), None);
        assert_eq!(tag(libc::TP_STATUS_VLAN_VALID, 0x88a8, 5), Some((0x8100, 5)));
        assert_eq!(tag(libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID, 0x88a8, 5), Some((0x88a8, 5)));
    }
}
