//! The internet checksum (RFC 1071) and its incremental update (RFC 1624).

use crate::addr::Ipv4Addr;

/// The sum of the big-endian 16-bit words of `bytes`, an odd last byte padded with 0. Partial sums add up, as long as
/// every piece but the last has an even length.
#[inline]
pub fn sum(bytes: &[u8]) -> u32 {
    of_native(native(bytes))
}

/// The sum of the 32-bit words of `bytes` in this machine's order, of no more than 34 bits.
#[inline]
fn native(bytes: &[u8]) -> u64 {
    let mut total = 0u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let (sum, carried) = total.overflowing_add(u64::from_ne_bytes(*word));
        total = sum + u64::from(carried);
    }
    total = (total & 0xffff_ffff) + (total >> 32);
    let (words, rest) = rest.as_chunks::<4>();
    for word in words {
        total += u64::from(u32::from_ne_bytes(*word));
    }
    total
        + match *rest {
            [a] => u64::from(u32::from_ne_bytes([a, 0, 0, 0])),
            [a, b] => u64::from(u32::from_ne_bytes([a, b, 0, 0])),
            [a, b, c] => u64::from(u32::from_ne_bytes([a, b, c, 0])),
            _ => 0,
        }
}

/// A sum of 32-bit words in this machine's order, as one of 16-bit words in the wire's: 2^16 = 1 (mod 65535), so that halves
/// of words add up like words, and carries come round whichever byte is the higher one.
#[inline]
const fn of_native(total: u64) -> u32 {
    let total = (total & 0xffff_ffff) + (total >> 32);
    let total = (total & 0xffff) + ((total >> 16) & 0xffff) + (total >> 32);
    u16::from_be(fold(total as u32)) as u32
}

/// True if a header of 20 bytes with its checksum field in it adds up.
#[inline(always)]
pub fn holds_fixed(header: &[u8; 20]) -> bool {
    let ([first, second], rest) = header.as_chunks::<8>() else { return false };
    let rest = rest.first_chunk().map_or(0, |rest| u64::from(u32::from_ne_bytes(*rest)));
    let (sum, carried) = u64::from_ne_bytes(*first).overflowing_add(u64::from_ne_bytes(*second));
    let (sum, again) = sum.overflowing_add(rest + u64::from(carried));
    is_whole(sum + u64::from(again))
}

/// True if a sum of words comes to 0xffff, which is itself in either order.
#[inline(always)]
fn is_whole(sum: u64) -> bool {
    // A half is added to the other, and the carry comes round: that is the upper half of the sum with its halves swapped.
    let sum = (sum.wrapping_add(sum.rotate_left(32)) >> 32) as u32;
    let sum = (sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16;
    sum == 0xffff
}

/// A partial sum as 16 bits, carries added in.
#[inline]
pub const fn fold(partial: u32) -> u16 {
    let once = (partial & 0xffff) + (partial >> 16);
    ((once & 0xffff) + (once >> 16)) as u16
}

/// The value of a checksum field: the one's complement of the folded sum.
#[inline]
pub const fn finish(partial: u32) -> u16 {
    !fold(partial)
}

/// The checksum of bytes whose own checksum field holds 0.
#[inline]
pub fn of(bytes: &[u8]) -> u16 {
    finish(sum(bytes))
}

/// True if bytes with their checksum field in them add up.
#[inline]
pub fn holds(bytes: &[u8]) -> bool {
    fold(sum(bytes)) == 0xffff
}

/// The same of a UDP datagram or a TCP segment behind its [`pseudo`] header.
#[inline]
pub fn holds_behind(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, bytes: &[u8]) -> bool {
    let addresses = u64::from(source.to_bits().to_be()) + u64::from(destination.to_bits().to_be());
    let rest = u32::from(protocol) + (bytes.len() as u32 & 0xffff);
    is_whole(native(bytes) + addresses + u64::from(rest.to_be()))
}

/// The checksum after a 16-bit word changed from `old` to `new` (RFC 1624, equation 3).
#[inline]
pub const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    finish(!checksum as u32 + !old as u32 + new as u32)
}

/// Words that change, as a checksum over them sees it: the sum of !old + new. Those of several add up.
#[inline]
pub const fn change(old: u16, new: u16) -> u32 {
    !old as u32 + new as u32
}

/// The checksum after such a change of at most 65,000 words: what one [`update`] after the other comes to.
#[inline]
pub const fn changed(checksum: u16, change: u32) -> u16 {
    finish(!checksum as u32 + change)
}

/// The sum of the pseudo header that UDP and TCP over IPv4 are checked with; `length` is that of their header and data.
#[inline]
pub fn pseudo(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, length: usize) -> u32 {
    let [source, destination] = [source.to_bits(), destination.to_bits()];
    let addresses = (source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff);
    addresses + u32::from(protocol) + (length as u32 & 0xffff)
}
