//! `net.ipv4.conf.*`: the names of one interface's IPv4 sysctls, what each may hold, and what it holds at first.

use super::rule::{INT, READ_ONLY, Row, Rule, rows};

rows! {
    /// A sysctl of `net.ipv4.conf.NAME` (`IPV4_DEVCONF_*`).
    Conf4, 33:
    AcceptLocal = "accept_local", 0, INT;
    AcceptRedirects = "accept_redirects", 1, INT;
    AcceptSourceRoute = "accept_source_route", 1, INT;
    ArpAccept = "arp_accept", 0, INT;
    ArpAnnounce = "arp_announce", 0, INT;
    ArpEvictNocarrier = "arp_evict_nocarrier", 1, INT;
    ArpFilter = "arp_filter", 0, INT;
    ArpIgnore = "arp_ignore", 0, INT;
    ArpNotify = "arp_notify", 0, INT;
    BcForwarding = "bc_forwarding", 0, INT;
    BootpRelay = "bootp_relay", 0, INT;
    DisablePolicy = "disable_policy", 0, INT;
    DisableXfrm = "disable_xfrm", 0, INT;
    DropGratuitousArp = "drop_gratuitous_arp", 0, INT;
    DropUnicastInL2Multicast = "drop_unicast_in_l2_multicast", 0, INT;
    ForceIgmpVersion = "force_igmp_version", 0, INT;
    Forwarding = "forwarding", 0, INT;
    Igmpv2UnsolicitedReportInterval = "igmpv2_unsolicited_report_interval", 10_000, INT;
    Igmpv3UnsolicitedReportInterval = "igmpv3_unsolicited_report_interval", 1000, INT;
    IgnoreRoutesWithLinkdown = "ignore_routes_with_linkdown", 0, INT;
    LogMartians = "log_martians", 0, INT;
    McForwarding = "mc_forwarding", 0, READ_ONLY;
    MediumId = "medium_id", 0, INT;
    PromoteSecondaries = "promote_secondaries", 0, INT;
    ProxyArp = "proxy_arp", 0, INT;
    ProxyArpPvlan = "proxy_arp_pvlan", 0, INT;
    RouteLocalnet = "route_localnet", 0, INT;
    RpFilter = "rp_filter", 0, INT;
    SecureRedirects = "secure_redirects", 1, INT;
    SendRedirects = "send_redirects", 1, INT;
    SharedMedia = "shared_media", 1, INT;
    SrcValidMark = "src_valid_mark", 0, INT;
    Tag = "tag", 0, INT;
}
