//! A flow, and how a packet is tied to it.

use super::tcp::TcpFlow;
use super::tuple::Tuple;
use crate::control::IfIndex;
use crate::time::Time;

/// `enum ip_conntrack_status`
#[allow(missing_docs, reason = "the kernel's own names, without their IPS_")]
pub mod status {
    pub const EXPECTED: u32 = 1;
    pub const SEEN_REPLY: u32 = 1 << 1;
    pub const ASSURED: u32 = 1 << 2;
    pub const CONFIRMED: u32 = 1 << 3;
    pub const SRC_NAT: u32 = 1 << 4;
    pub const DST_NAT: u32 = 1 << 5;
    pub const NAT_MASK: u32 = SRC_NAT | DST_NAT;
    pub const SRC_NAT_DONE: u32 = 1 << 7;
    pub const DST_NAT_DONE: u32 = 1 << 8;
    pub const DYING: u32 = 1 << 9;
    pub const NAT_DONE_MASK: u32 = SRC_NAT_DONE | DST_NAT_DONE;
}

/// States of a packet's connection, as bits.
#[allow(missing_docs, reason = "iptables' own names")]
pub mod state {
    pub const INVALID: u16 = 1;
    pub const NEW: u16 = 2;
    pub const RELATED: u16 = 4;
    pub const ESTABLISHED: u16 = 8;
    pub const UNTRACKED: u16 = 16;
    /// `SNAT`: the source was translated (`--ctstate` only).
    pub const SNAT: u16 = 32;
    /// `DNAT`
    pub const DNAT: u16 = 64;
}

/// Names a flow. The name of one that is gone names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnId {
    pub(super) index: u32,
    /// Which of all flows that ever were.
    pub(super) serial: u64,
}

/// Which way a packet of a flow goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As the first one went.
    Original,
    /// Back.
    Reply,
}

impl Direction {
    /// The other one.
    pub const fn other(self) -> Direction {
        match self {
            Direction::Original => Direction::Reply,
            Direction::Reply => Direction::Original,
        }
    }
}

/// What a packet is to its flow (`enum ip_conntrack_info`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CtInfo {
    /// Not looked at yet, or part of no flow.
    #[default]
    None,
    /// `-j NOTRACK`
    Untracked,
    /// It may begin it.
    New,
    /// Part of a flow that was answered.
    Established,
    /// An error about it, or a flow that was expected.
    Related,
    /// An answer.
    EstablishedReply,
    /// An error about an answer's direction.
    RelatedReply,
}

impl CtInfo {
    /// `CTINFO2DIR`
    pub const fn direction(self) -> Direction {
        match self {
            CtInfo::EstablishedReply | CtInfo::RelatedReply => Direction::Reply,
            _ => Direction::Original,
        }
    }

    /// True for both `RELATED`.
    pub const fn is_related(self) -> bool {
        matches!(self, CtInfo::Related | CtInfo::RelatedReply)
    }
}

/// What is kept with a packet (`skb->_nfct`); the default is a packet that was not seen yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nfct {
    pub(super) conn: Option<ConnId>,
    pub(super) info: CtInfo,
}

impl Nfct {
    /// Of a packet that was not seen yet.
    pub const UNSEEN: Nfct = Nfct { conn: None, info: CtInfo::None };

    /// `-j NOTRACK`: the packet is not to be looked at. Nothing happens if it was already.
    pub fn untrack(&mut self) {
        if self.conn.is_none() {
            self.info = CtInfo::Untracked;
        }
    }

    /// What an answer that the kernel makes itself is tied to: the ICMP error about this packet, or the RST that refuses it
    /// (`nf_ct_attach`).
    pub fn attach(&self) -> Nfct {
        let info = match self.info.direction() {
            Direction::Original => CtInfo::RelatedReply,
            Direction::Reply => CtInfo::Related,
        };
        if self.conn.is_some() { Nfct { conn: self.conn, info } } else { Nfct::default() }
    }

    /// Its flow's name.
    pub(crate) fn conn_id(&self) -> Option<ConnId> {
        self.conn
    }

    /// What the packet is to its flow.
    pub fn info(&self) -> CtInfo {
        self.info
    }
}

/// What a protocol keeps of its flows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proto {
    /// Nothing.
    Other,
    /// The two ends and the state.
    Tcp(TcpFlow),
    /// From when on it is taken for a stream.
    Udp { stream_at: Time },
}

/// Packets and their bytes, one way.
#[allow(missing_docs, reason = "their own names")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CtCounter {
    pub packets: u64,
    pub bytes: u64,
}

/// A flow (`struct nf_conn`).
#[derive(Clone, Debug)]
pub struct Conn {
    /// Original and reply. Without NAT one is the other's inverse.
    pub tuples: [Tuple; 2],
    /// Bits of [`status`].
    pub status: u32,
    /// `-j CONNMARK`
    pub mark: u32,
    /// When it is forgotten, unless a packet comes.
    pub timeout: Time,
    /// When it was confirmed, if `nf_conntrack_timestamp` was on when it began.
    pub started: Option<Time>,
    /// Original and reply, if `nf_conntrack_acct` was on when it began.
    pub counters: Option<[CtCounter; 2]>,
    pub(crate) proto: Proto,
    /// Which of all flows that ever were.
    pub(super) serial: u64,
    /// The interface whose address it was given by MASQUERADE; 0 is none.
    pub(crate) masquerade: IfIndex,
}

impl Conn {
    /// The tuple of the packets that go this way.
    pub fn tuple(&self, direction: Direction) -> &Tuple {
        let [original, reply] = &self.tuples;
        match direction {
            Direction::Original => original,
            Direction::Reply => reply,
        }
    }

    /// What a packet is that goes this way, once the flow is in the table (`resolve_normal_ct`).
    #[inline]
    pub(super) fn info(&self, direction: Direction) -> CtInfo {
        match direction {
            Direction::Reply => CtInfo::EstablishedReply,
            Direction::Original if self.has(status::SEEN_REPLY) => CtInfo::Established,
            Direction::Original if self.has(status::EXPECTED) => CtInfo::Related,
            Direction::Original => CtInfo::New,
        }
    }

    /// True if all of these bits are set.
    pub const fn has(&self, bits: u32) -> bool {
        self.status & bits == bits
    }

    /// The state of a TCP flow, as `conntrack -L` names it.
    pub fn tcp_state(&self) -> Option<&'static str> {
        match &self.proto {
            Proto::Tcp(flow) => Some(flow.state.name()),
            Proto::Other | Proto::Udp { .. } => None,
        }
    }

    /// Its state is `CLOSE` from now on; false if that is nothing new.
    pub(super) fn close(&mut self) -> bool {
        match &mut self.proto {
            Proto::Tcp(flow) => flow.close(),
            Proto::Other | Proto::Udp { .. } => false,
        }
    }

    /// A number that is its own among all flows that ever were here (`CTA_ID` is made of less).
    pub fn serial(&self) -> u64 {
        self.serial
    }
}
