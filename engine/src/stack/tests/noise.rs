//! Frames made of noise, and of noise behind right headers: no panic, and no frame is lost.

use super::lab::*;
use crate::wire::{checksum, ipv4, protocol};
use proptest::collection::vec;
use proptest::prelude::*;

/// A right header in front of noise: a version, lengths and a checksum, and addresses that matter.
fn mended(mut packet: Vec<u8>, level: u8) -> Vec<u8> {
    if packet.len() < ipv4::HEADER {
        return packet;
    }
    let words = (packet[0] & 0xf).clamp(5, 15).min((packet.len() / 4) as u8);
    packet[0] = 0x40 | words;
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    if level > 1 {
        packet[12..16].copy_from_slice(&[10, 0, 2, 2]);
        let (link, host) = (packet[18] & 1 | 2, packet[19] & 3);
        packet[16..20].copy_from_slice(&[10, 0, link, host]);
    }
    if level > 2 {
        packet[6..8].fill(0);
        packet[9] = [protocol::ICMP, protocol::UDP, protocol::TCP][usize::from(packet[9]) % 3];
    }
    if level > 3 && packet[9] == protocol::ICMP {
        let at = usize::from(words) * 4;
        if packet.len() >= at + 8 {
            packet[at + 2..at + 4].fill(0);
            let sum = checksum::of(&packet[at..]);
            packet[at + 2..at + 4].copy_from_slice(&sum.to_be_bytes());
        }
    }
    ipv4::write_checksum(&mut packet);
    packet
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The law is asserted after each visit by the stack itself, and by the lab at its end.
    #[test]
    fn no_frame_is_lost(frames in vec((0u8..6, vec(any::<u8>(), 0..120), 0u64..40), 1..40)) {
        let mut lab = Lab::router();
        lab.sysctl(0, "net/ipv4/conf/all/accept_source_route", "1");
        lab.sysctl(0, "net/ipv4/conf/eth2/proxy_arp", "1");
        for (level, bytes, pause) in frames {
            let end = (0, 2 + u32::from(bytes.first().copied().unwrap_or(0) & 1));
            match level {
                0 => lab.receive(end, &bytes),
                1 => lab.receive(end, &framed(port_mac(end), host_mac(2), 0x0806, &bytes)),
                level => lab.packet(end, &mended(bytes, level - 1)),
            }
            lab.wait(crate::time::Duration::from_millis(pause * 100));
        }
    }

    /// A right frame, cut short anywhere.
    #[test]
    fn a_frame_cut_short(at in 0usize..98) {
        let mut lab = Lab::host();
        let frame = framed(port_mac((0, 2)), host_mac(2), 0x0800, &request("10.0.0.2", "10.0.0.1"));
        lab.receive((0, 2), &frame[..at]);
        lab.nothing();
    }
}
