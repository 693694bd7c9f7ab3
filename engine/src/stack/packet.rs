//! A packet on its way, and where the way goes on.

use super::output::Own;
use crate::addr::{Ipv4Addr, Mac};
use crate::conntrack::Nfct;
use crate::control::{IfIndex, RouteKind};
use crate::filter::Sender;
use crate::frame::FrameBuf;
use crate::link::virt::Place;
use crate::route::{Kept, OutputRoute, rtcf};
use crate::wire::ipv4::options::Options;
use crate::wire::{Arp, Ipv4};

/// To whom the link said a frame is (`skb->pkt_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// To us.
    Host,
    /// To everybody.
    Broadcast,
    /// To a group.
    Multicast,
    /// To another host's MAC.
    OtherHost,
    /// A copy of what we send to everybody or to a group ourselves; it has no link header.
    Looped,
}

/// A frame, and what the path has learned of it.
#[derive(Debug)]
pub(super) struct Packet {
    /// Its bytes: from the link header on until that is read, from the IP header on then.
    pub(super) frame: FrameBuf,
    /// The port it came in by.
    pub(super) port: IfIndex,
    /// To whom it is.
    pub(super) cast: Cast,
    /// It came up from a port below, where `cast` was found out.
    pub(super) risen: bool,
    /// Its IPv4 header, once that is read.
    pub(super) header: Ipv4,
    /// Its IPv4 options, once they are read.
    pub(super) options: Options,
    /// What its route is.
    pub(super) route: Routed,
    /// Where its way is kept.
    pub(super) kept: Kept,
    /// The sender has a shorter way.
    pub(super) redirect: bool,
    /// What the ICMP error about it is to say: the MTU that it exceeds, the byte that is wrong.
    pub(super) info: u32,
    /// The firewall's mark (`skb->mark`).
    pub(super) mark: u32,
    /// Its connection (`skb->_nfct`).
    pub(super) nfct: Nfct,
    /// The MAC that sent it, if it came in by Ethernet.
    pub(super) source_mac: Option<Mac>,
    /// Who sent it, if it is our own.
    pub(super) sender: Sender,
    /// Whose MAC it is to be sent to, and what fits on the way there, once that is known.
    pub(super) next_hop: Ipv4Addr,
    pub(super) mac: Mac,
    pub(super) mtu: u32,
    /// Bytes of the largest fragment that it was put together from on its way; 0: it never was in fragments
    /// (`frag_max_size`).
    pub(super) largest: u16,
    /// The bridge ports that it came in by and is to leave by, while it is bridged (`nf_bridge_info`).
    pub(super) physdev: (Option<IfIndex>, Option<IfIndex>),
}

/// What is kept of a packet's route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Routed {
    /// Deliver or forward.
    pub(super) kind: RouteKind,
    /// [`rtcf`]
    pub(super) flags: u32,
    /// What it was when it left here, if it comes in from `lo` or looped: the packet keeps its route (`skb_dst`).
    pub(super) before: Before,
    /// The port by which sockets take it to have come in, if not the one it did come in by: see [`OutputRoute::iif`].
    pub(super) iif: Option<IfIndex>,
    /// The packet's mark and connection, which it keeps when it comes in again.
    pub(super) mark: u32,
    pub(super) nfct: Nfct,
}

/// What a packet that comes in was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Somebody else's business.
    Unknown,
    /// A packet of our own.
    Own,
    /// A packet that passed here.
    Passing,
}

impl Routed {
    /// Of a packet of our own that comes in here. What leaves through `lo` is delivered, whosever address it is for.
    pub(super) fn own(route: &OutputRoute) -> Routed {
        let iif = Some(route.iif).filter(|iif| *iif != 0);
        let kind = match route.kind {
            RouteKind::Unicast if route.flags & rtcf::LOCAL != 0 => RouteKind::Local,
            kind => kind,
        };
        Routed { kind, flags: route.flags, before: Before::Own, iif, ..Routed::NOT_YET }
    }

    /// Not routed yet.
    pub(super) const NOT_YET: Routed =
        Routed { kind: RouteKind::Unicast, flags: 0, before: Before::Unknown, iif: None, mark: 0, nfct: Nfct::UNSEEN };

    /// To be sent on; if that is through `lo`, to be sent on again when it comes in there.
    pub(super) const PASSING: Routed = Routed { before: Before::Passing, ..Routed::NOT_YET };

    /// True if it goes to everybody or to a group: no error is told about such packets.
    pub(super) fn is_to_many(self) -> bool {
        self.flags & (rtcf::BROADCAST | rtcf::MULTICAST) != 0
    }
}

impl Packet {
    /// The port by which sockets take it to have come in (`inet_iif`).
    pub(super) fn seen_by(&self) -> IfIndex {
        self.route.iif.unwrap_or(self.port)
    }

    /// A frame that came in by this port; nothing is read yet.
    pub(super) fn new(frame: FrameBuf, port: IfIndex) -> Packet {
        const NOT_READ: Ipv4 = Ipv4 { header_length: 0, ..Ipv4::UNSAID };
        Packet {
            frame,
            port,
            cast: Cast::Host,
            risen: false,
            header: NOT_READ,
            options: Options::default(),
            route: Routed::NOT_YET,
            kept: Kept::NOWHERE,
            redirect: false,
            info: 0,
            mark: 0,
            nfct: Nfct::default(),
            source_mac: None,
            sender: Sender::Nobody,
            next_hop: Ipv4Addr::UNSPECIFIED,
            mac: Mac::ZERO,
            mtu: 0,
            largest: 0,
            physdev: (None, None),
        }
    }

    /// A packet of our own that is about to leave by this route.
    pub(super) fn own(frame: FrameBuf, header: Ipv4, route: &OutputRoute, own: &Own) -> Packet {
        let new = Packet {
            header,
            mark: own.mark,
            nfct: own.nfct,
            sender: own.sender,
            cast: Cast::Host,
            ..Packet::new(frame, 0)
        };
        let mut packet = new;
        packet.set_way(route);
        packet
    }

    /// Of a packet of our own: it leaves so.
    pub(super) fn set_way(&mut self, route: &OutputRoute) {
        self.route = Routed::own(route);
        self.next_hop = route.gateway.unwrap_or(self.header.destination);
        self.mtu = route.mtu;
    }

    /// Takes it from who holds it.
    pub(super) fn take(&mut self) -> Packet {
        core::mem::replace(self, Packet::new(FrameBuf::none(), self.port))
    }

    /// What is kept of it when it leaves and comes in again.
    pub(super) fn kept(&self) -> Routed {
        Routed { mark: self.mark, nfct: self.nfct, ..self.route }
    }

    /// The same knowledge of another frame.
    pub(super) fn with_frame(&self, frame: FrameBuf) -> Packet {
        let Packet { port, cast, risen, header, mark, physdev, source_mac, nfct, largest, .. } = *self;
        Packet { cast, risen, header, mark, physdev, source_mac, nfct, largest, ..Packet::new(frame, port) }
    }

    /// True if its header has options.
    #[inline]
    pub(super) fn has_options(&self) -> bool {
        self.header.header_length > crate::wire::ipv4::HEADER
    }

    /// What follows the IP header.
    pub(super) fn payload(&self) -> &[u8] {
        self.frame.get(self.header.header_length..).unwrap_or(&[])
    }
}

/// Where a packet's way goes on: `walk` decides it, `visit` acts on it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It leaves by this port, to the packet's MAC.
    Transmit { port: IfIndex },
    /// It waits for the next hop's MAC.
    Park { port: IfIndex, next_hop: Ipv4Addr },
    /// It is cut in fragments, which leave.
    Fragment { port: IfIndex, next_hop: Ipv4Addr, mtu: usize },
    /// It is passed on, and filters are to be asked about it.
    Forward { port: IfIndex },
    /// It is a fragment, and waits for the others.
    Gather,
    /// It is for us.
    Deliver,
    /// An ARP request that is answered so.
    Answer(Arp),
    /// An ARP request that is answered for another, after a while.
    Defer,
    /// An ARP packet that told us something.
    Heard,
    /// It goes through the bridge that its port belongs to.
    Bridge,
    /// It comes in by a link that stands on its port; `tagged`: behind a VLAN tag that is taken off; `host`: it is for that
    /// link, whatever its MAC.
    Rise { place: Place, tagged: bool, host: bool },
}
