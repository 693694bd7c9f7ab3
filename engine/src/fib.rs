//! The longest prefix of an address, fast: compact tables of next-hop numbers, from a host's three routes to those of the
//! whole Internet.
//!
//! [`Fib4`] and [`Fib6`] map prefixes to numbers ([`NextHopId`]): whoever fills them keeps what a number means. They take
//! single prefixes in and out at any time, answer one address or [many at once](Fib::lookup_batch), and hand out
//! [`Reader`]s that answer in other threads while the table changes: a reader's next lookup sees each change. No change
//! makes it wait, but for a pointer when all nodes have moved; of a prefix that covers several places of the first step (one
//! shorter than 18 bits of IPv4, 26 of IPv6) it may see some before the others.
//!
//! | module | is |
//! |---|---|
//! | `face` | [`Fib`], the same for both versions of IP, over one of two forms |
//! | `small` | the form of up to 1,024 prefixes: a list, then sorted ranges; a few bytes a prefix |
//! | `large` | what the large forms have in common: |
//! | `v4` | 18 bits at once, then runs of equal /24s by rank, then runs of equal addresses |
//! | `v6` | 16 and 10 bits at once, then 6 by rank, then sorted ranges, up to 16 bits each |
//! | `arena` | where their nodes lie: written once, never overwritten, so that readers need no locks |
//! | `shared` | [`Reader`], and how it learns of a new table |
//! | `simd` | 16 addresses at once, where the processor can (AVX-512); the same answers |
//! | `prefixes` | values by exact prefix, by a hash |
//!
//! Every part is held against a list that is searched from end to end.

mod arena;
mod face;
mod large;
mod prefixes;
mod shared;
#[cfg(target_arch = "x86_64")]
mod simd;
mod small;
#[cfg(test)]
mod tests;
mod v4;
mod v6;

use crate::addr::{Ipv4Addr, Ipv6Addr};
use core::fmt::Debug;
use core::ops::{BitAnd, BitXor};

pub use face::Fib;
pub use large::{Large, Lookup};
pub(crate) use prefixes::{Matches, Prefixes};
pub use shared::Reader;

/// A table of IPv4 prefixes and their next hops.
pub type Fib4 = Fib<Ipv4Addr>;
/// A table of IPv6 prefixes and their next hops.
pub type Fib6 = Fib<Ipv6Addr>;

/// A version of IP, as the tables see it.
pub trait Family: Copy + Debug + Send + Sync + 'static {
    /// An address as a number, in this machine's byte order.
    type Number: Copy
        + Ord
        + Debug
        + Default
        + Send
        + Sync
        + BitAnd<Output = Self::Number>
        + BitXor<Output = Self::Number>;
    /// The form of a large table.
    type Large: Large<Self>;

    /// The number of an address.
    fn number(self) -> Self::Number;
    /// The address of a number.
    fn of_number(number: Self::Number) -> Self;
    /// True if two numbers begin with the same so many bits.
    fn begin_alike(one: Self::Number, other: Self::Number, bits: u8) -> bool;
}

impl Family for Ipv4Addr {
    type Number = u32;
    type Large = v4::Large4;

    #[inline(always)]
    fn number(self) -> u32 {
        self.to_bits()
    }

    #[inline(always)]
    fn of_number(number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(number)
    }

    #[inline(always)]
    fn begin_alike(one: u32, other: u32, bits: u8) -> bool {
        u64::from(one ^ other) << bits >> 32 == 0
    }
}

impl Family for Ipv6Addr {
    type Number = u128;
    type Large = v6::Large6;

    #[inline(always)]
    fn number(self) -> u128 {
        self.to_bits()
    }

    #[inline(always)]
    fn of_number(number: u128) -> Ipv6Addr {
        Ipv6Addr::from_bits(number)
    }

    #[inline(always)]
    fn begin_alike(one: u128, other: u128, bits: u8) -> bool {
        (one ^ other).leading_zeros() >= u32::from(bits)
    }
}

/// The number of a next hop, as the owner of a table counts them: below [`MAX_NEXT_HOPS`].
pub type NextHopId = u16;

/// The answer where no prefix holds the address.
pub const NO_ROUTE: NextHopId = u16::MAX;

/// So many next hops can be told apart.
pub const MAX_NEXT_HOPS: usize = 0x7fff;

/// Why a prefix could not be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The next hop's number is not below [`MAX_NEXT_HOPS`].
    NextHops,
    /// Some 31,700 networks of 24 bits hold longer prefixes (IPv4), or all nodes take 1 GiB (IPv6).
    Nodes,
}

impl core::fmt::Display for Full {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Full::NextHops => "the number of the next hop must be below 32767",
            Full::Nodes => "the table has no room for more nodes",
        })
    }
}

impl core::error::Error for Full {}

/// What a node says: a next hop, or [`NO_ROUTE`]. The numbers between them are left for pointers.
type Leaf = NextHopId;

fn leaf(next_hop: NextHopId) -> Result<Leaf, Full> {
    if usize::from(next_hop) < MAX_NEXT_HOPS { Ok(next_hop) } else { Err(Full::NextHops) }
}
