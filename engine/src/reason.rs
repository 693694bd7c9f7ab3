//! Why a frame was not delivered: one table, from which come the names, the sentences and the counters.
//!
//! There is no "other". The table is append only, so that a number once printed keeps its meaning.

macro_rules! drop_reasons {
    ($($name:ident, $linux:literal, $sentence:literal;)*) => {
        /// Why a frame was discarded. Chosen where it is decided.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each is explained by its sentence")]
        pub enum DropReason { $($name),* }

        impl DropReason {
            /// All, in the order of the table.
            pub const ALL: &'static [DropReason] = &[$(DropReason::$name),*];

            /// The name, as counters and traces print it.
            pub const fn name(self) -> &'static str {
                match self { $(DropReason::$name => stringify!($name)),* }
            }

            /// Linux's name for it in `enum skb_drop_reason` (`include/net/dropreason-core.h`), or its SNMP counter; empty if it has none.
            pub const fn linux(self) -> &'static str {
                match self { $(DropReason::$name => $linux),* }
            }

            /// One sentence for people.
            pub const fn sentence(self) -> &'static str {
                match self { $(DropReason::$name => $sentence),* }
            }
        }
    };
}

drop_reasons! {
    PortDown, "DEV_READY", "the interface is down";
    NoCarrier, "DEV_READY", "the cable's other end is down or gone";
    FrameTooShort, "HDR_TRUNC", "the frame is shorter than its Ethernet header";
    OtherHost, "OTHERHOST", "the destination MAC is another host's";
    UnknownEthertype, "UNHANDLED_PROTO", "nobody here speaks this Ethernet type";
    ArpMalformed, "HDR_TRUNC", "the ARP packet is cut short or not Ethernet over IPv4";
    ArpIgnored, "", "the ARP packet asks for an address that is not ours to answer for";
    IpHeaderTruncated, "IP_INHDR", "the IP header is cut short";
    IpVersion, "IP_INHDR", "the IP version is wrong";
    IpHeaderLength, "IP_INHDR", "the IP header length is below 20 bytes or past the end";
    IpTotalLength, "PKT_TOO_SMALL", "the IP total length is below the header or past the end of the frame";
    IpChecksum, "IP_CSUM", "the IP header checksum is wrong";
    IpOptions, "IP_INHDR", "the IP options are malformed";
    SourceRouted, "IP_INHDR", "the packet is source routed, and accept_source_route is off";
    Ipv6Disabled, "IPV6DISABLED", "IPv6 packets are not carried yet";
    MartianSource, "IP_INVALID_SOURCE", "the source address cannot be a source";
    MartianDestination, "IP_INVALID_DEST", "the destination address cannot be a destination";
    OwnSource, "IP_LOCAL_SOURCE", "a packet from outside claims to come from one of our own addresses";
    ReversePath, "IP_RPFILTER", "rp_filter: the way back to the source is not through the interface it came in by";
    NoRoute, "IP_INNOROUTES", "no route to the destination";
    RouteBlackhole, "", "a blackhole route took it";
    RouteUnreachable, "", "an unreachable route refused it";
    RouteProhibit, "", "a prohibit route refused it";
    ForwardingOff, "IP_INADDRERRORS", "it is for somebody else and forwarding is off (net.ipv4.ip_forward)";
    NotUnicastToUs, "UNICAST_IN_L2_MULTICAST", "a broadcast or multicast frame carries a packet to be forwarded";
    TtlExpired, "IP_INHDR", "its time to live ran out here";
    TooBig, "PKT_TOO_BIG", "it is larger than the MTU of the way out and says do not fragment";
    NoNeighbor, "NEIGH_FAILED", "nobody on the link answered for the next hop";
    NeighborQueueFull, "NEIGH_QUEUEFULL", "too many packets already wait for the next hop's MAC";
    NeighborTableFull, "NEIGH_CREATEFAIL", "the neighbour table is full";
    NeighborRemoved, "NEIGH_DEAD", "the neighbour entry it waited for was removed";
    ReassemblyTimeout, "FRAG_REASM_TIMEOUT", "not all of its fragments came in time";
    ReassemblyOverlap, "DUP_FRAG", "its fragments overlap";
    ReassemblyTooBig, "FRAG_TOO_FAR", "its fragments add up to more than 65535 bytes";
    ReassemblyFull, "FRAG_REASM_TIMEOUT", "too many datagrams are being put together";
    FragmentMalformed, "FRAG_TOO_FAR", "a fragment is empty, or lies past the end of its datagram";
    IcmpTruncated, "HDR_TRUNC", "the ICMP message is cut short";
    IcmpChecksum, "ICMP_CSUM", "the ICMP checksum is wrong";
    IcmpIgnored, "", "an echo request that the sysctls say to leave unanswered";
    IcmpUnhandled, "UNHANDLED_PROTO", "an ICMP message that concerns nobody here";
    UdpTruncated, "PKT_TOO_SMALL", "the UDP length does not fit the datagram";
    UdpChecksum, "UDP_CSUM", "the UDP checksum is wrong";
    TcpMalformed, "PKT_TOO_SMALL", "the TCP header is cut short";
    TcpChecksum, "TCP_CSUM", "the TCP checksum is wrong";
    NoSocket, "NO_SOCKET", "no program listens there";
    NoProtocol, "IP_NOPROTO", "nobody here speaks this protocol";
    SocketQueueFull, "SOCKET_RCVBUFF", "the program does not read fast enough";
    TransmitRefused, "", "the cable refused the frame: it is larger than the other end's MTU";
    HostTargetGone, "", "the interface it waited for is gone";
    LoopbackForeign, "IP_LOCALNET", "a 127/8 address from or to a cable";
    MulticastUnwanted, "IP_INADDRERRORS", "a multicast group nobody here joined";
    ReassemblyDuplicate, "DUP_FRAG", "the same fragment came before";
    ReassemblyEcn, "", "its fragments disagree on whether they carry ECN";
    StrictRoute, "", "its strict source route names a next hop that is not on a link of ours";
    ConntrackFull, "NETFILTER_DROP", "connection tracking: the table is full";
    ConntrackClash, "NETFILTER_DROP", "connection tracking: NAT found no addresses and ports that are still free";
    NatOutChanged, "NETFILTER_DROP", "its flow was masqueraded for another interface";
    NatMalformed, "NETFILTER_DROP", "NAT cannot translate it: an ICMP error that is wrong, or a redirect of what is translated";
    FilterDrop, "NETFILTER_DROP", "a filter rule, or the policy of a chain, drops it";
    FilterReject, "NETFILTER_DROP", "a filter rule rejects it";
    FilterBroken, "NETFILTER_DROP", "a filter rule looks for a header that is cut short";
    RerouteFailed, "NETFILTER_DROP", "a filter rule changed it, and there is no way for what it is now";
    ListenQueueFull, "ListenOverflows", "too many connections already wait for the program to accept them";
    SourceMac, "MAC_INVALID_SOURCE", "the source MAC is a group's, or zero";
    PauseFrame, "MAC_IEEE_MAC_CONTROL", "a pause frame, which no bridge passes on";
    BridgePortState, "BRIDGE_INGRESS_STP_STATE", "the port of the bridge does not forward";
    BridgeNoPort, "BRIDGE_NO_EGRESS_PORT", "no port of the bridge may have it";
    BridgePortMtu, "PKT_TOO_BIG", "it is longer than the MTU of the bridge's port allows";
    QdiscFull, "QDISC_OVERLIMIT", "the port's queue is full, or it is longer than the queue's burst";
    NetemLoss, "QDISC_DROP", "netem was told to lose it";
    QdiscReset, "QDISC_DROP", "the port's queue was emptied or replaced while it waited there";
    VxlanNoRemote, "VXLAN_NO_REMOTE", "the VXLAN does not know which host it is behind, and has none for the others";
    VxlanHeader, "VXLAN_INVALID_HDR", "the VXLAN header is cut short, or has no number";
    VxlanUnknown, "VXLAN_VNI_NOT_FOUND", "no VXLAN here has this number";
    VxlanMoved, "VXLAN_ENTRY_EXISTS", "its sender is known to be behind another host, and that is fixed";
}

/// How many reasons there are.
pub const REASONS: usize = DropReason::ALL.len();
