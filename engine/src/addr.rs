//! Addresses and prefixes. IPv4 and IPv6 share one trait, so that tables are written once.

use core::fmt::{self, Debug, Display};
use core::hash::Hash;
pub use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// A 48-bit Ethernet address, in the order of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// `00:00:00:00:00:00`: none, and the address of `lo`.
    pub const ZERO: Mac = Mac([0; 6]);
    /// `ff:ff:ff:ff:ff:ff`: everybody.
    pub const BROADCAST: Mac = Mac([0xff; 6]);

    /// True if the group bit is set: multicast, or broadcast.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// True for `ff:ff:ff:ff:ff:ff`.
    pub const fn is_broadcast(self) -> bool {
        matches!(self.0, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    }
}

impl Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = ();

    /// Six groups of one or two hex digits with `:` between them.
    fn from_str(text: &str) -> Result<Mac, ()> {
        let mut bytes = [0; 6];
        let mut groups = text.split(':');
        for byte in &mut bytes {
            let group = groups.next().ok_or(())?;
            let digits = (1..=2).contains(&group.len()) && group.bytes().all(|c| c.is_ascii_hexdigit());
            *byte = digits.then(|| u8::from_str_radix(group, 16).ok()).flatten().ok_or(())?;
        }
        groups.next().is_none().then_some(Mac(bytes)).ok_or(())
    }
}

/// An IP address of either version, as tables see it: a number of `BITS` bits.
pub trait Address:
    crate::fib::Family + crate::route::Ruled + Copy + Eq + Ord + Hash + Debug + Display + 'static
{
    /// 32 or 128.
    const BITS: u8;
    /// All zeros.
    const UNSPECIFIED: Self;

    /// The address as a number, in the low `BITS` bits.
    fn to_bits(self) -> u128;
    /// The address of a number; bits above `BITS` are ignored.
    fn from_bits(bits: u128) -> Self;
    /// The same as an [`IpAddr`].
    fn to_ip(self) -> IpAddr;
    /// The address of this version in `ip`, if it has this version.
    fn from_ip(ip: IpAddr) -> Option<Self>;

    /// The first `length` bits kept, the rest cleared. Lengths above `BITS` keep all.
    #[inline]
    fn masked(self, length: u8) -> Self {
        Self::from_bits(self.to_bits() & mask_bits(Self::BITS, length))
    }

    /// True if the first `length` bits of both are the same. Lengths above `BITS` mean all.
    #[inline]
    fn begins_like(self, other: Self, length: u8) -> bool {
        self.masked(length) == other.masked(length)
    }

    /// Bit number `at`, counted from the left; 0 beyond the end.
    #[inline]
    fn bit(self, at: u8) -> usize {
        if at < Self::BITS { (self.to_bits() >> (Self::BITS - 1 - at)) as usize & 1 } else { 0 }
    }

    /// How many bits from the left two addresses share.
    fn common_bits(self, other: Self) -> u8 {
        let above = 128 - Self::BITS as u32;
        ((self.to_bits() ^ other.to_bits()).leading_zeros() - above) as u8
    }
}

const fn mask_bits(bits: u8, length: u8) -> u128 {
    if length == 0 {
        0
    } else if length >= bits {
        u128::MAX
    } else {
        u128::MAX << (bits - length)
    }
}

impl Address for Ipv4Addr {
    const BITS: u8 = 32;
    const UNSPECIFIED: Self = Ipv4Addr::UNSPECIFIED;

    fn to_bits(self) -> u128 {
        Ipv4Addr::to_bits(self) as u128
    }

    // The packet path asks this of IPv4 addresses all the time: in 32 bits, not in 128.
    #[inline]
    fn masked(self, length: u8) -> Self {
        let mask = u64::from(u32::MAX) << 32u32.saturating_sub(length.into());
        Ipv4Addr::from_bits(Ipv4Addr::to_bits(self) & mask as u32)
    }

    #[inline]
    fn begins_like(self, other: Ipv4Addr, length: u8) -> bool {
        let differ = Ipv4Addr::to_bits(self) ^ Ipv4Addr::to_bits(other);
        u64::from(differ) << (length & 63) >> 32 == 0
    }

    #[inline]
    fn bit(self, at: u8) -> usize {
        if at < 32 { (Ipv4Addr::to_bits(self) >> (31 - at)) as usize & 1 } else { 0 }
    }

    fn from_bits(bits: u128) -> Self {
        Ipv4Addr::from_bits(bits as u32)
    }

    fn to_ip(self) -> IpAddr {
        IpAddr::V4(self)
    }

    fn from_ip(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }
}

impl Address for Ipv6Addr {
    const BITS: u8 = 128;
    const UNSPECIFIED: Self = Ipv6Addr::UNSPECIFIED;

    fn to_bits(self) -> u128 {
        Ipv6Addr::to_bits(self)
    }

    fn from_bits(bits: u128) -> Self {
        Ipv6Addr::from_bits(bits)
    }

    fn to_ip(self) -> IpAddr {
        IpAddr::V6(self)
    }

    fn from_ip(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V6(address) => Some(address),
            IpAddr::V4(_) => None,
        }
    }
}

/// A prefix: the first `length` bits of an address, all bits behind them zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix<A> {
    address: A,
    length: u8,
}

impl<A: Address> Prefix<A> {
    /// Everything: `0.0.0.0/0` or `::/0`.
    pub const DEFAULT: Prefix<A> = Prefix { address: A::UNSPECIFIED, length: 0 };

    /// The prefix of `length` bits that `address` lies in (host bits are cleared; a length above `BITS` means `BITS`).
    pub fn of(address: A, length: u8) -> Prefix<A> {
        let length = length.min(A::BITS);
        Prefix { address: address.masked(length), length }
    }

    /// The prefix of exactly this address.
    pub fn host(address: A) -> Prefix<A> {
        Prefix { address, length: A::BITS }
    }

    /// The first address.
    pub fn address(self) -> A {
        self.address
    }

    /// The number of bits that count.
    pub fn length(self) -> u8 {
        self.length
    }

    /// True if `address` lies in the prefix.
    #[inline]
    pub fn contains(self, address: A) -> bool {
        address.begins_like(self.address, self.length)
    }

    /// True if all of `other` lies in the prefix.
    pub fn covers(self, other: Prefix<A>) -> bool {
        self.length <= other.length && self.contains(other.address)
    }

    /// The last address: the directed broadcast address of an IPv4 network.
    pub fn last(self) -> A {
        A::from_bits(self.address.to_bits() | !mask_bits(A::BITS, self.length))
    }
}

impl<A: Address> Display for Prefix<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_parse_as_they_print() {
        let mac: Mac = "02:0:00:aB:c:ff".parse().expect("a MAC");
        assert_eq!(mac.to_string(), "02:00:00:ab:0c:ff");
        for bad in [
            "",
            "02",
            "02:00:00:00:00",
            "02:00:00:00:00:00:00",
            "02:00:00:00:00:0g",
            "002:00:00:00:00:00",
            "+2:0:0:0:0:0",
        ] {
            assert!(bad.parse::<Mac>().is_err(), "{bad:?} is no MAC");
        }
    }

    #[test]
    fn the_short_way_for_ipv4_agrees_with_the_general_one() {
        let (a, b) = (Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::new(10, 1, 130, 3));
        for length in 0..=40 {
            assert_eq!(a.masked(length).to_bits() as u128, Address::to_bits(a) & mask_bits(32, length), "/{length}");
            let bit = if length < 32 { a.to_bits() >> (31 - length as u32) & 1 } else { 0 };
            assert_eq!(a.bit(length), bit as usize);
            assert_eq!((a.begins_like(b, length), a.begins_like(a, length)), (length <= 16, true), "/{length}");
        }
        assert_eq!((a.common_bits(b), a.common_bits(a)), (16, 32));
        assert_eq!(Ipv6Addr::LOCALHOST.common_bits(Ipv6Addr::UNSPECIFIED), 127);
    }

    #[test]
    fn prefixes_at_both_ends_of_the_range() {
        let all = Prefix::of(Ipv4Addr::new(10, 1, 2, 3), 0);
        assert_eq!((all.address(), all.last()), (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST));
        let host = Prefix::of(Ipv6Addr::LOCALHOST, 200);
        assert_eq!((host.length(), host.last()), (128, Ipv6Addr::LOCALHOST));
        let net = Prefix::of(Ipv4Addr::new(192, 168, 1, 77), 26);
        assert_eq!(net.to_string(), "192.168.1.64/26");
        assert_eq!(net.last(), Ipv4Addr::new(192, 168, 1, 127));
        assert!(net.contains(Ipv4Addr::new(192, 168, 1, 127)) && !net.contains(Ipv4Addr::new(192, 168, 1, 128)));
    }
}
