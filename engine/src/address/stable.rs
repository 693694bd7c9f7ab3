//! Interface identifiers that do not show the MAC (RFC 7217), as `ipv6_generate_stable_address` makes them.

use crate::addr::Ipv6Addr;

/// The link-local address of this secret. The kernel hashes one block of SHA-1 without its padding: secret, prefix, the
/// permanent hardware address (which virtual devices do not have: zeros) and the number of duplicates so far.
pub(super) fn link_local(secret: Ipv6Addr, retries: u8) -> Option<Ipv6Addr> {
    (0..=retries).map(|duplicates| candidate(secret, duplicates)).find(|address| !is_reserved(*address))
}

fn candidate(secret: Ipv6Addr, duplicates: u8) -> Ipv6Addr {
    let mut block = [0; 64];
    block[..16].copy_from_slice(&secret.octets());
    block[16..18].copy_from_slice(&[0xfe, 0x80]);
    block[56] = duplicates;
    let [high, low] = sha1_block(&block);
    let mut octets = [0; 16];
    octets[..2].copy_from_slice(&[0xfe, 0x80]);
    // The words of the hash are stored as the machine stores them, which is the least byte first.
    octets[8..12].copy_from_slice(&high.to_le_bytes());
    octets[12..].copy_from_slice(&low.to_le_bytes());
    Ipv6Addr::from(octets)
}

/// Identifiers that have another meaning (`ipv6_reserved_interfaceid`): subnet-router anycast, Ethernet's and Mobile IPv6's
/// block, subnet anycast.
fn is_reserved(address: Ipv6Addr) -> bool {
    let id = address.to_bits() as u64;
    id == 0 || id >> 25 == 0x0200_5eff_fe00_0000 >> 25 || id >> 7 == 0xfdff_ffff_ffff_ff80 >> 7
}

/// The first two words of SHA-1's state after one block.
fn sha1_block(block: &[u8; 64]) -> [u32; 2] {
    let start = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut words = [0u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for at in 16..80 {
        words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = start;
    for (round, word) in words.iter().enumerate() {
        let (mix, constant) = match round / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999u32),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let sum = a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(constant).wrapping_add(*word);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    [start[0].wrapping_add(a), start[1].wrapping_add(b)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `stable_secret` 2001:db8::1 on a veth of Linux 6.18.
    #[test]
    fn the_address_is_the_kernels() {
        let secret = "2001:db8::1".parse().expect("an address");
        assert_eq!(link_local(secret, 3), "fe80::88cf:4891:a68c:e03f".parse().ok());
    }

    #[test]
    fn reserved_identifiers_are_known() {
        for reserved in ["fe80::", "fe80::200:5eff:fe00:5213", "fe80::fdff:ffff:ffff:ff80"] {
            assert!(is_reserved(reserved.parse().expect("an address")), "{reserved}");
        }
        assert!(!is_reserved("fe80::1".parse().expect("an address")));
    }
}
