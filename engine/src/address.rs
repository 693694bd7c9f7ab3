//! Interface addresses, as `net/ipv4/devinet.c` and `net/ipv6/addrconf.c` keep them.

mod auto;
mod dad;
mod stable;
mod v4;
mod v6;

pub use auto::eui64;
pub use v6::scope_of;

use crate::addr::{Ipv4Addr, Ipv6Addr};
use crate::control::Lifetime;
use crate::link::Name;

/// `IFA_F_*` (`include/uapi/linux/if_addr.h`).
#[allow(missing_docs, reason = "Linux's own names")]
pub mod flag {
    pub const SECONDARY: u32 = 0x01;
    pub const NODAD: u32 = 0x02;
    pub const OPTIMISTIC: u32 = 0x04;
    pub const DADFAILED: u32 = 0x08;
    pub const HOMEADDRESS: u32 = 0x10;
    pub const DEPRECATED: u32 = 0x20;
    pub const TENTATIVE: u32 = 0x40;
    pub const PERMANENT: u32 = 0x80;
    pub const MANAGETEMPADDR: u32 = 0x100;
    pub const NOPREFIXROUTE: u32 = 0x200;
    pub const MCAUTOJOIN: u32 = 0x400;
    pub const STABLE_PRIVACY: u32 = 0x800;
}

/// One IPv4 address of an interface (`struct in_ifaddr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address4 {
    /// The address itself.
    pub local: Ipv4Addr,
    /// The other end of a point-to-point address; equal to `local` else. The prefix is the peer's.
    pub peer: Ipv4Addr,
    /// The prefix length, 0 to 32.
    pub length: u8,
    /// `brd`, if set.
    pub broadcast: Option<Ipv4Addr>,
    /// `RT_SCOPE_*`
    pub scope: u8,
    /// `IFA_F_*`
    pub flags: u32,
    /// The label, mostly the interface's name.
    pub label: Name,
    /// Metric of the connected route, 0 if not set.
    pub metric: u32,
    /// `IFAPROT_*`
    pub protocol: u8,
    /// Until when it exists.
    pub valid: Lifetime,
    /// Until when it is preferred.
    pub preferred: Lifetime,
}

/// One IPv6 address of an interface (`struct inet6_ifaddr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address6 {
    /// The address itself.
    pub local: Ipv6Addr,
    /// The other end of a point-to-point address, if set.
    pub peer: Option<Ipv6Addr>,
    /// The prefix length, 0 to 128.
    pub length: u8,
    /// `RT_SCOPE_*`
    pub scope: u8,
    /// `IFA_F_*`
    pub flags: u32,
    /// Metric of the connected route, 0 if not set.
    pub metric: u32,
    /// `IFAPROT_*`
    pub protocol: u8,
    /// Until when it exists.
    pub valid: Lifetime,
    /// Until when it is preferred.
    pub preferred: Lifetime,
    /// When the detection of a duplicate ends, while one is under way; `flags` say tentative until then.
    pub dad_end: Lifetime,
}

/// `IFAPROT_*` (`include/uapi/linux/if_addr.h`): who made an address.
pub mod protocol {
    /// The kernel, for `lo`.
    pub const KERNEL_LO: u8 = 1;
    /// The kernel, from a router's advertisement.
    pub const KERNEL_RA: u8 = 2;
    /// The kernel, as a link-local address.
    pub const KERNEL_LL: u8 = 3;
}
