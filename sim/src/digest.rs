//! One number for a whole run: two runs of one seed must give the same.

use vethlab_engine::time::Time;

/// A running hash over everything that passed every cable: when, which cable, which way, which bytes. The same on every
/// machine, and for ever: it is part of what tests compare.
///
/// It is kept as it is before its halves are mixed: mixing is left to the next step, where it goes along with taking in the
/// next word, so that the chain of all steps is shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Digest {
        Digest::new()
    }
}

impl Digest {
    /// Nothing has passed.
    pub const fn new() -> Digest {
        Digest(mix(0xcbf2_9ce4_8422_2325))
    }

    /// The number.
    pub const fn value(self) -> u64 {
        mix(self.0)
    }

    /// Takes in one number.
    pub const fn word(&mut self, word: u64) {
        self.0 = ((self.0 ^ word) ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Takes in bytes, and how many they are.
    #[inline(always)]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            self.word(last_word(bytes, rest));
        }
    }

    /// A frame enters a cable; `way` tells which cable and in which direction.
    #[inline]
    pub fn frame(&mut self, time: Time, way: u64, bytes: &[u8]) {
        self.word(time.nanos());
        self.word(way);
        self.bytes(bytes);
    }
}

/// The one to seven bytes that no word is made of, as the lower ones of a word. They are the last ones of all bytes: where
/// these make a word, it is read and those before them shifted out.
#[inline(always)]
fn last_word(bytes: &[u8], rest: &[u8]) -> u64 {
    match bytes.last_chunk() {
        Some(last) => u64::from_le_bytes(*last) >> ((u64::BITS - 8 * rest.len() as u32) & 63),
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Mixes the halves of a number; of what comes of it, it makes the number again.
const fn mix(number: u64) -> u64 {
    number ^ (number >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(frames: &[(u64, u64, &[u8])]) -> u64 {
        let mut digest = Digest::new();
        frames.iter().for_each(|(time, way, bytes)| digest.frame(Time(*time), *way, bytes));
        digest.value()
    }

    /// However many bytes there are, the last ones are taken in as a word filled up with zeros.
    #[test]
    fn the_last_bytes_are_a_word() {
        let all: Vec<u8> = (1..=40).collect();
        for length in 0..all.len() {
            let (bytes, mut filled) = (&all[..length], all[..length].to_vec());
            filled.resize(length.next_multiple_of(8), 0);
            let (mut digest, mut expected) = (Digest::new(), Digest::new());
            digest.bytes(bytes);
            expected.word(length as u64);
            filled.as_chunks().0.iter().for_each(|word| expected.word(u64::from_le_bytes(*word)));
            assert_eq!(digest, expected, "{length} bytes");
        }
    }

    /// The number is for ever, and everything counts: time, way, bytes, length, and order.
    #[test]
    fn a_digest_sees_every_difference() {
        let one = of(&[(1, 2, b"abc"), (5, 3, b"defghijkl")]);
        assert_eq!(one, 0xfa21_df12_f61a_f8bd);
        let others = [
            of(&[(2, 2, b"abc"), (5, 3, b"defghijkl")]),
            of(&[(1, 3, b"abc"), (5, 3, b"defghijkl")]),
            of(&[(1, 2, b"abd"), (5, 3, b"defghijkl")]),
            of(&[(1, 2, b"abc\0"), (5, 3, b"defghijkl")]),
            of(&[(5, 3, b"defghijkl"), (1, 2, b"abc")]),
            of(&[(1, 2, b"abc")]),
        ];
        assert!(others.iter().all(|other| *other != one));
    }
}
