//! Links that stand on other links: VLANs and macvlans.

use crate::addr::Mac;
use crate::control::IfIndex;

/// The link that another one stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lower {
    /// One of the same namespace.
    Here(IfIndex),
    /// One of another namespace, under this number: whoever drives the stacks carries frames between the two.
    Elsewhere(u64),
}

/// A link that stands on this one, as frames that come in look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upper {
    /// What it takes.
    pub takes: Takes,
    /// Where it is: a port of the same namespace, or a number by which its carrier knows it.
    pub place: Place,
    /// It is up.
    pub up: bool,
}

impl Takes {
    /// True for a macvlan of this MAC.
    pub fn is_mac(&self, mac: Mac) -> bool {
        matches!(self, Takes::Mac(own, _) if *own == mac)
    }
}

/// Where an upper link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the same namespace.
    Here(IfIndex),
    /// In another one, under this number.
    Elsewhere(u64),
}

/// Which frames an upper link takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Those with this tag: Ethernet type and VLAN.
    Tag(u16, u16),
    /// Those to this MAC, and those to many; as its mode says.
    Mac(Mac, MacvlanMode),
}

/// A VLAN (`type vlan`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// What it stands on.
    pub lower: Lower,
    /// `protocol`: 0x8100 (802.1Q) or 0x88a8 (802.1ad)
    pub protocol: u16,
    /// `id`
    pub id: u16,
    /// Its MAC is the lower link's, and follows it.
    pub inherits_mac: bool,
}

/// `mode` of a macvlan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "iproute2's own names")]
pub enum MacvlanMode {
    Private = 1,
    Vepa = 2,
    Bridge = 4,
    Passthru = 8,
    Source = 16,
}

/// A macvlan (`type macvlan`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Macvlan {
    /// What it stands on.
    pub lower: Lower,
    /// How it deals with its siblings.
    pub mode: MacvlanMode,
}
