//! ICMP: which messages begin a flow, and which are errors about one (`nf_conntrack_proto_icmp.c`).

use super::conn::{CtInfo, Direction, Nfct};
use super::tuple::Tuple;
use super::{Conntrack, Look};
use crate::wire::icmpv4::{self, kind};
use crate::wire::{Icmp, Ipv4, checksum};

/// The last type that is known (`NR_ICMP_TYPES`).
const LAST_TYPE: u8 = 18;

/// What a message is.
pub(super) enum Message {
    /// A question or an answer.
    Plain,
    /// An error about a flow: that is what it is tied to.
    About(Nfct),
    /// Part of nothing.
    Invalid,
}

/// True for the types that begin a flow.
pub(super) const fn begins(icmp: u8) -> bool {
    matches!(icmp, kind::ECHO | kind::TIMESTAMP | kind::INFO_REQUEST | kind::ADDRESS)
}

impl Conntrack {
    /// Looks at a message first (`nf_conntrack_icmpv4_error`).
    pub(super) fn icmp_message(&self, look: &Look<'_>) -> Message {
        let Some(icmp) = Icmp::parse(look.payload) else { return Message::Invalid };
        if look.verify && !checksum::holds(look.payload) || icmp.kind > LAST_TYPE {
            return Message::Invalid;
        }
        if !icmp.is_error() {
            return Message::Plain;
        }
        let quoted = look.payload.get(icmpv4::HEADER..).unwrap_or(&[]);
        self.about(quoted, look).map_or(Message::Invalid, Message::About)
    }

    /// The flow of a quoted packet (`nf_conntrack_inet_error`). The quote is what one of its packets looked like where it met
    /// its end, so its answers look like the other direction's; and the error must go where those go.
    fn about(&self, quoted: &[u8], look: &Look<'_>) -> Option<Nfct> {
        let header = Ipv4::parse(quoted)?;
        let tuple = Tuple::of(&header, quoted.get(header.header_length..)?)?;
        let (id, direction) = self.find(look.now, &tuple.inverted()?)?;
        let conn = self.table.get(id)?;
        if conn.tuple(direction).destination.address != look.header.destination {
            return None;
        }
        let info = match direction {
            Direction::Original => CtInfo::Related,
            Direction::Reply => CtInfo::RelatedReply,
        };
        Some(Nfct { conn: Some(id), info })
    }
}
