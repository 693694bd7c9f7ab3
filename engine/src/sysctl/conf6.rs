//! `net.ipv6.conf.*`: the names of one interface's IPv6 sysctls, what each may hold, and what it holds at first.
//!
//! `stable_secret` is an address, not a number, and lives beside these in [`PortConf`](super::PortConf).

use super::Values6;
use super::rule::Rule::*;
use super::rule::{BOOL, INT, READ_ONLY, Row, Rule, U8, U32, rows};
use crate::seldom::Shared;
use std::sync::LazyLock;

rows! {
    /// A sysctl of `net.ipv6.conf.NAME` (`DEVCONF_*`).
    Conf6, 62:
    AcceptDad = "accept_dad", 1, INT;
    AcceptRa = "accept_ra", 1, INT;
    AcceptRaDefrtr = "accept_ra_defrtr", 1, INT;
    AcceptRaFromLocal = "accept_ra_from_local", 0, INT;
    AcceptRaMinHopLimit = "accept_ra_min_hop_limit", 1, INT;
    AcceptRaMinLft = "accept_ra_min_lft", 0, INT;
    AcceptRaMtu = "accept_ra_mtu", 1, INT;
    AcceptRaPinfo = "accept_ra_pinfo", 1, INT;
    AcceptRaRtInfoMaxPlen = "accept_ra_rt_info_max_plen", 0, INT;
    AcceptRaRtInfoMinPlen = "accept_ra_rt_info_min_plen", 0, INT;
    AcceptRaRtrPref = "accept_ra_rtr_pref", 1, INT;
    AcceptRedirects = "accept_redirects", 1, INT;
    AcceptSourceRoute = "accept_source_route", 0, INT;
    AcceptUntrackedNa = "accept_untracked_na", 0, Number(0, 2);
    AddrGenMode = "addr_gen_mode", 0, Number(0, 3);
    Autoconf = "autoconf", 1, INT;
    DadTransmits = "dad_transmits", 1, INT;
    DisableIpv6 = "disable_ipv6", 0, INT;
    DisablePolicy = "disable_policy", 0, INT;
    DropUnicastInL2Multicast = "drop_unicast_in_l2_multicast", 0, INT;
    DropUnsolicitedNa = "drop_unsolicited_na", 0, INT;
    EnhancedDad = "enhanced_dad", 1, INT;
    ForceForwarding = "force_forwarding", 0, BOOL;
    ForceMldVersion = "force_mld_version", 0, INT;
    ForceTllao = "force_tllao", 0, INT;
    Forwarding = "forwarding", 0, INT;
    HopLimit = "hop_limit", 64, Number(1, 255);
    IgnoreRoutesWithLinkdown = "ignore_routes_with_linkdown", 0, INT;
    Ioam6Enabled = "ioam6_enabled", 0, BOOL;
    Ioam6Id = "ioam6_id", 65_535, Number(0, 65_535);
    Ioam6IdWide = "ioam6_id_wide", 4_294_967_295, U32;
    KeepAddrOnDown = "keep_addr_on_down", 0, INT;
    MaxAddresses = "max_addresses", 16, INT;
    MaxDesyncFactor = "max_desync_factor", 600, INT;
    McForwarding = "mc_forwarding", 0, READ_ONLY;
    Mldv1UnsolicitedReportInterval = "mldv1_unsolicited_report_interval", 10_000, Millis;
    Mldv2UnsolicitedReportInterval = "mldv2_unsolicited_report_interval", 1000, Millis;
    Mtu = "mtu", 1280, Number(1280, 2_147_483_647);
    NdiscEvictNocarrier = "ndisc_evict_nocarrier", 1, BOOL;
    NdiscNotify = "ndisc_notify", 0, INT;
    NdiscTclass = "ndisc_tclass", 0, U8;
    OptimisticDad = "optimistic_dad", 0, INT;
    ProxyNdp = "proxy_ndp", 0, INT;
    RaDefrtrMetric = "ra_defrtr_metric", 1024, Number(1, 4_294_967_295);
    RaHonorPioLife = "ra_honor_pio_life", 0, BOOL;
    RaHonorPioPflag = "ra_honor_pio_pflag", 0, BOOL;
    RegenMaxRetry = "regen_max_retry", 3, INT;
    RegenMinAdvance = "regen_min_advance", 2, INT;
    RouterProbeInterval = "router_probe_interval", 60, Seconds;
    RouterSolicitationDelay = "router_solicitation_delay", 1, Seconds;
    RouterSolicitationInterval = "router_solicitation_interval", 4, Seconds;
    RouterSolicitationMaxInterval = "router_solicitation_max_interval", 3600, Seconds;
    RouterSolicitations = "router_solicitations", -1, Number(-1, 2_147_483_647);
    RplSegEnabled = "rpl_seg_enabled", 0, BOOL;
    Seg6Enabled = "seg6_enabled", 0, INT;
    Seg6RequireHmac = "seg6_require_hmac", 0, INT;
    SuppressFragNdisc = "suppress_frag_ndisc", 1, INT;
    TempPreferedLft = "temp_prefered_lft", 86_400, INT;
    TempValidLft = "temp_valid_lft", 604_800, INT;
    UseOifAddrsOnly = "use_oif_addrs_only", 0, INT;
    UseOptimistic = "use_optimistic", 0, INT;
    UseTempaddr = "use_tempaddr", 0, INT;
}

/// The MTUs that links have unless somebody asks for another one.
const LOOPBACK_MTU: u32 = 65_536;
const ETHERNET_MTU: u32 = 1500;

/// What `net.ipv6.conf` holds where nobody has changed it, kept once for all.
pub(super) struct Usual {
    pub(super) all: Shared<Values6>,
    pub(super) default: Shared<Values6>,
    loopback: Shared<Values6>,
    ethernet: Shared<Values6>,
}

pub(super) static USUAL: LazyLock<Usual> = LazyLock::new(|| {
    let default = Values6::default();
    let mut all = default.clone();
    all.set(Conf6::AcceptDad, 0);
    Usual {
        all: Shared::new(all),
        loopback: Shared::new(made(&default, true, LOOPBACK_MTU)),
        ethernet: Shared::new(made(&default, false, ETHERNET_MTU)),
        default: Shared::new(default),
    }
});

/// What an interface has that was just made, by what `conf/default` holds (`ipv6_add_dev`).
pub(super) fn of_new_link(default: &Shared<Values6>, loopback: bool, mtu: u32) -> Shared<Values6> {
    let usual = &*USUAL;
    match (loopback, mtu) {
        (true, LOOPBACK_MTU) if default.is(&usual.default) => usual.loopback.clone(),
        (false, ETHERNET_MTU) if default.is(&usual.default) => usual.ethernet.clone(),
        _ => Shared::new(made(default, loopback, mtu)),
    }
}

fn made(default: &Values6, loopback: bool, mtu: u32) -> Values6 {
    let mut made = default.inherit();
    made.set(Conf6::Mtu, mtu.into());
    if loopback {
        made.set(Conf6::AcceptDad, -1);
        made.set(Conf6::UseTempaddr, -1);
    }
    made
}
