//! Sysctls of an interface as the kernel combines them with those of `conf/all` (`include/linux/inetdevice.h`).

use super::{Conf4, Conf6, PortConf, Sysctls};

/// An interface's sysctls and its namespace's, seen together: made by [`Sysctls::on_port`] or of
/// `conf/all` and `conf/NAME`, cheap to make.
#[derive(Clone, Copy, Debug)]
pub struct Conf<'a> {
    all: &'a PortConf,
    port: &'a PortConf,
}

impl Sysctls {
    /// This namespace's sysctls together with one interface's.
    #[inline]
    pub fn on_port<'a>(&'a self, port: &'a PortConf) -> Conf<'a> {
        Conf::new(&self.all, port)
    }
}

macro_rules! combined {
    ($($(#[$doc:meta])* $name:ident = $how:ident $key:ident;)*) => {
        $($(#[$doc])*
        #[inline]
        pub fn $name(self) -> combined!(@type $how) {
            self.$how(Conf4::$key)
        })*
    };
    (@type max) => { i64 };
    (@type $how:ident) => { bool };
}

impl<'a> Conf<'a> {
    /// Of `conf/all` and `conf/NAME`.
    #[inline]
    pub fn new(all: &'a PortConf, port: &'a PortConf) -> Conf<'a> {
        Conf { all, port }
    }

    /// `IN_DEV_ANDCONF`: on if set on both.
    #[inline]
    pub fn and(self, key: Conf4) -> bool {
        self.all.v4.on(key) && self.port.v4.on(key)
    }

    /// `IN_DEV_ORCONF`: on if set on either.
    #[inline]
    pub fn or(self, key: Conf4) -> bool {
        self.all.v4.on(key) || self.port.v4.on(key)
    }

    /// `IN_DEV_MAXCONF`: the larger of both.
    #[inline]
    pub fn max(self, key: Conf4) -> i64 {
        self.all.v4.get(key).max(self.port.v4.get(key))
    }

    /// `IN_DEV_CONF_GET`: the interface's alone.
    #[inline]
    pub fn own(self, key: Conf4) -> bool {
        self.port.v4.on(key)
    }

    combined! {
        /// `forwarding`: packets that come in here may be passed on.
        forwarding = own Forwarding;
        /// `rp_filter`: 0 none, 1 strict, 2 loose.
        rp_filter = max RpFilter;
        /// `src_valid_mark`
        src_valid_mark = or SrcValidMark;
        /// `accept_source_route`
        accept_source_route = and AcceptSourceRoute;
        /// `accept_local`: packets from outside may come from our own addresses.
        accept_local = or AcceptLocal;
        /// `bc_forwarding`
        bc_forwarding = and BcForwarding;
        /// `bootp_relay`
        bootp_relay = and BootpRelay;
        /// `log_martians`
        log_martians = or LogMartians;
        /// `proxy_arp`
        proxy_arp = or ProxyArp;
        /// `proxy_arp_pvlan`
        proxy_arp_pvlan = or ProxyArpPvlan;
        /// `shared_media`
        shared_media = or SharedMedia;
        /// `send_redirects`
        send_redirects = or SendRedirects;
        /// `secure_redirects`
        secure_redirects = or SecureRedirects;
        /// `route_localnet`: 127/8 may be routed.
        route_localnet = or RouteLocalnet;
        /// `promote_secondaries`
        promote_secondaries = or PromoteSecondaries;
        /// `ignore_routes_with_linkdown`
        ignore_routes_with_linkdown = or IgnoreRoutesWithLinkdown;
        /// `arp_filter`
        arp_filter = or ArpFilter;
        /// `arp_accept`
        arp_accept = max ArpAccept;
        /// `arp_announce`
        arp_announce = max ArpAnnounce;
        /// `arp_ignore`
        arp_ignore = max ArpIgnore;
        /// `arp_notify`
        arp_notify = max ArpNotify;
        /// `arp_evict_nocarrier`
        arp_evict_nocarrier = and ArpEvictNocarrier;
        /// `drop_gratuitous_arp`
        drop_gratuitous_arp = or DropGratuitousArp;
        /// `drop_unicast_in_l2_multicast`
        drop_unicast_in_l2_multicast = or DropUnicastInL2Multicast;
    }

    /// `accept_redirects`: a router listens only if both say so, a host if either does (`IN_DEV_RX_REDIRECTS`).
    #[inline]
    pub fn accept_redirects(self) -> bool {
        if self.forwarding() { self.and(Conf4::AcceptRedirects) } else { self.or(Conf4::AcceptRedirects) }
    }

    /// `net.ipv6.conf.*.disable_ipv6`: the interface's alone, as `all` is copied to each.
    #[inline]
    pub fn disable_ipv6(self) -> bool {
        self.port.v6.on(Conf6::DisableIpv6)
    }

    /// `net.ipv6.conf.*.ignore_routes_with_linkdown`
    #[inline]
    pub fn ignore_routes_with_linkdown6(self) -> bool {
        self.port.v6.on(Conf6::IgnoreRoutesWithLinkdown)
    }

    /// `net.ipv6.conf.*.ndisc_evict_nocarrier`
    pub fn ndisc_evict_nocarrier(self) -> bool {
        self.all.v6.on(Conf6::NdiscEvictNocarrier) && self.port.v6.on(Conf6::NdiscEvictNocarrier)
    }

    /// `net.ipv6.conf.*.keep_addr_on_down`: that of `all`, or if that says nothing, the interface's.
    pub fn keep_addr_on_down(self) -> bool {
        match self.all.v6.get(Conf6::KeepAddrOnDown) {
            0 => self.port.v6.get(Conf6::KeepAddrOnDown) > 0,
            all => all > 0,
        }
    }
}
