//! What `ip route get` is told, and what `ip route show cache` lists: the way of one packet, with its reasons.

use crate::addr::{IpAddr, Ipv4Addr, Ipv6Addr};
use crate::control::{IfIndex, Refusal, RouteKind, RouteMetrics};
use crate::route::{Net, Rib, Route};

/// The question: `ip route get`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteGet {
    /// Where to; its version is the question's.
    pub destination: IpAddr,
    /// `from`
    pub source: Option<IpAddr>,
    /// `iif`: as if the packet came in there.
    pub iif: Option<IfIndex>,
    /// `oif`: only ways out by this interface.
    pub oif: Option<IfIndex>,
    /// `tos`
    pub tos: u8,
    /// `mark`
    pub mark: u32,
    /// `uid`; the asker's own if not said.
    pub uid: Option<u32>,
    /// `ipproto`, which rules may look at.
    pub ip_protocol: u8,
    /// `sport`
    pub source_port: u16,
    /// `dport`
    pub destination_port: u16,
    /// `fibmatch`: tell the route that decides, not the way.
    pub fibmatch: bool,
}

impl RouteGet {
    /// Nothing is said but the destination.
    pub fn to(destination: IpAddr) -> RouteGet {
        RouteGet {
            destination,
            source: None,
            iif: None,
            oif: None,
            tos: 0,
            mark: 0,
            uid: None,
            ip_protocol: 0,
            source_port: 0,
            destination_port: 0,
            fibmatch: false,
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteGot {
    /// The way of the packet.
    Way(RouteWay),
    /// `fibmatch`: the IPv4 route that decides.
    Match4(Route<Ipv4Addr>),
    /// `fibmatch`: the IPv6 route that decides.
    Match6(Route<Ipv6Addr>),
}

/// The way of one packet, as netlink tells it (`rt_fill_info`, `rt6_fill_node`): what is not set is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteWay {
    /// `rtm_type`
    pub kind: RouteKind,
    /// `RTA_DST`
    pub destination: IpAddr,
    /// `rtm_dst_len`: all bits, but for IPv6 where the route does not clone.
    pub length: u8,
    /// `RTA_SRC`: the `from` that was asked for.
    pub source: Option<IpAddr>,
    /// `rtm_tos`
    pub tos: u8,
    /// `RTA_TABLE`
    pub table: u32,
    /// `rtm_scope`
    pub scope: u8,
    /// `rtm_protocol`
    pub protocol: u8,
    /// `RTA_OIF`
    pub oif: Option<IfIndex>,
    /// `RTA_IIF`
    pub iif: Option<IfIndex>,
    /// `RTA_GATEWAY`
    pub gateway: Option<IpAddr>,
    /// `RTA_PREFSRC`: the source that was chosen.
    pub prefsrc: Option<IpAddr>,
    /// `RTA_PRIORITY`
    pub metric: Option<u32>,
    /// `RTA_METRICS`; its `mtu` is the learned one if there is one.
    pub metrics: RouteMetrics,
    /// `RTA_FLOW`
    pub realms: Option<u32>,
    /// `RTA_MARK`, if not 0.
    pub mark: Option<u32>,
    /// `RTA_UID`
    pub uid: Option<u32>,
    /// `RTA_PREF`, IPv6 only.
    pub preference: Option<u8>,
    /// `rtm_flags`: [`rtcf`](super::rtcf) in the upper half, `RTNH_F_*` in the lower, [`RouteWay::CLONED`].
    pub flags: u32,
    /// `rta_cacheinfo.rta_expires` in seconds.
    pub expires: Option<u32>,
    /// `rta_cacheinfo.rta_error`: an error number, negative; 0 if none.
    pub error: i32,
}

impl RouteWay {
    /// `RTM_F_CLONED`: it is the way of a packet, not a route of a table.
    pub const CLONED: u32 = 0x200;
}

/// `ip route get` (`inet_rtm_getroute`, `inet6_rtm_getroute`). The rib of the destination's version is asked.
#[allow(unused_variables)]
pub fn route_get(
    net: Net<'_>,
    rib4: &Rib<Ipv4Addr>,
    rib6: &Rib<Ipv6Addr>,
    ask: &RouteGet,
) -> Result<RouteGot, Refusal> {
    unimplemented!()
}
