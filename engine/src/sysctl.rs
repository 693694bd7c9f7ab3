//! `net.*` sysctls of one namespace: what `sysctl -a` lists in a new namespace of Linux 6.18, with the same values.
//!
//! Three kinds: numbers of the whole namespace ([`table`]), a few texts ([`text`]), and the directories that exist once
//! an interface and for `all` and `default` ([`Conf4`], [`Conf6`], [`Neigh`]). The packet path reads them through typed
//! functions, without looking at a path: those of the namespace on [`Sysctls`], those of an interface on [`PortConf`], and
//! those that combine both in [`combined`].

mod combined;
mod conf4;
mod conf6;
mod neigh;
mod path;
mod rule;
mod table;
mod tcp;
mod text;
mod values;
mod write;

pub use combined::Conf;
pub use conf4::Conf4;
pub use conf6::Conf6;
pub use neigh::{Neigh, NeighLimits, NeighValues};
pub use rule::Rule;
pub use tcp::TcpConf;
pub use values::{Key, Values};
pub use write::{Effects, SysctlEffect};

use crate::addr::Ipv6Addr;
use crate::seldom::{Seldom, Shared, Usual};
use crate::time::Duration;
pub(crate) use table::{at, default_number};
use values::Changed;

/// The values of one `net/ipv4/conf/NAME`.
pub type Values4 = Values<Conf4>;
/// The values of one `net/ipv6/conf/NAME`.
pub type Values6 = Values<Conf6>;

/// Per-interface sysctls (`net.ipv4.conf.X`, `net.ipv6.conf.X`, `net.ipv4.neigh.X`, `net.ipv6.neigh.X`).
#[derive(Clone, Debug, Default)]
pub struct PortConf {
    /// `net.ipv4.conf.X`
    pub v4: Values4,
    /// `net.ipv6.conf.X`: the same for nearly all links of a kind.
    pub v6: Shared<Values6>,
    /// What hardly anybody changes.
    pub rare: Seldom<RareConf>,
}

/// Per-interface sysctls that hardly anybody changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RareConf {
    /// `net.ipv4.neigh.X`
    pub neigh4: NeighValues,
    /// `net.ipv6.neigh.X`
    pub neigh6: NeighValues,
    /// `net.ipv6.conf.X.stable_secret`; reading it is `EIO` while it is not set.
    pub stable_secret: Option<Ipv6Addr>,
}

impl RareConf {
    const USUAL: RareConf = RareConf { neigh4: NeighValues::ipv4(), neigh6: NeighValues::ipv6(), stable_secret: None };
}

impl Default for RareConf {
    fn default() -> RareConf {
        RareConf::USUAL
    }
}

impl Usual for RareConf {
    const USUAL: &'static RareConf = &RareConf::USUAL;
}

/// All sysctls of a namespace, but for those that live in its ports.
#[derive(Clone, Debug)]
pub struct Sysctls {
    all: PortConf,
    default: PortConf,
    rare: Seldom<RareSysctls>,
}

/// What hardly any namespace changes.
#[derive(Clone, Debug, Default)]
struct RareSysctls {
    limits4: NeighLimits,
    limits6: NeighLimits,
    /// Places in [`table::NUMBERS`] that hold something else than at first.
    numbers: Changed<i64>,
    /// The same of [`text::TEXTS`].
    texts: Changed<String>,
    /// What only the machine's first namespace has; empty in others.
    initial: Option<Box<Initial>>,
}

impl Usual for RareSysctls {
    const USUAL: &'static RareSysctls = &RareSysctls {
        limits4: NeighLimits::USUAL,
        limits6: NeighLimits::USUAL,
        numbers: Changed::NOTHING,
        texts: Changed::NOTHING,
        initial: None,
    };
}

/// Sysctls of the machine's first namespace.
#[derive(Clone, Debug)]
struct Initial {
    numbers: Vec<i64>,
    texts: Vec<String>,
}

impl Default for Sysctls {
    fn default() -> Sysctls {
        Sysctls::new()
    }
}

impl Sysctls {
    /// Those of a namespace that was just made.
    pub fn new() -> Sysctls {
        let conf6::Usual { all, default, .. } = &*conf6::USUAL;
        let default = PortConf { v6: default.clone(), ..PortConf::default() };
        let mut all = PortConf { v6: all.clone(), ..PortConf::default() };
        all.v4.set(Conf4::AcceptSourceRoute, 0);
        Sysctls { all, default, rare: Seldom::USUAL }
    }

    /// Those of the machine's first namespace: it has some that others lack, like `net.ipv4.neigh.default.*`.
    pub fn initial() -> Sysctls {
        let numbers = table::INITIAL.iter().map(|row| row.1).collect();
        let texts = text::INITIAL_TEXTS.iter().map(|row| row.1.to_string()).collect();
        let initial = Some(Box::new(Initial { numbers, texts }));
        Sysctls { rare: Seldom::of(RareSysctls { initial, ..RareSysctls::default() }), ..Sysctls::new() }
    }

    /// The sysctls of an interface that is just made (`inetdev_init`, `ipv6_add_dev`).
    pub fn port_conf(&self, loopback: bool, mtu: u32) -> PortConf {
        let mut v4 = self.default.v4.inherit();
        if loopback {
            v4.set(Conf4::DisablePolicy, 1);
            v4.set(Conf4::DisableXfrm, 1);
        }
        PortConf { v4, v6: conf6::of_new_link(&self.default.v6, loopback, mtu), rare: self.default.rare.clone() }
    }

    /// True if no number of the whole namespace was ever changed.
    pub(crate) fn has_usual_numbers(&self) -> bool {
        self.rare.numbers.is_empty()
    }

    /// What stands at a place of [`table::NUMBERS`].
    #[inline]
    pub(crate) fn number(&self, at: usize) -> i64 {
        self.rare.numbers.get(at).copied().unwrap_or(table::NUMBERS[at].1)
    }

    #[inline]
    fn on(&self, at: usize) -> bool {
        self.number(at) != 0
    }

    /// `net.ipv4.ip_forward`, which is `net.ipv4.conf.all.forwarding`.
    #[inline]
    pub fn ip_forward(&self) -> bool {
        self.all.v4.on(Conf4::Forwarding)
    }

    /// `net.ipv4.conf.all` and `net.ipv6.conf.all`
    #[inline]
    pub fn all(&self) -> &PortConf {
        &self.all
    }

    /// `net.ipv4.conf.default`, `net.ipv6.conf.default` and `neigh/default`
    pub fn default(&self) -> &PortConf {
        &self.default
    }

    /// `net.ipv4.ip_default_ttl`
    #[inline]
    pub fn ip_default_ttl(&self) -> u8 {
        self.number(const { at("ipv4/ip_default_ttl") }) as u8
    }

    /// `net.bridge.bridge-nf-call-iptables`
    #[inline]
    pub fn bridge_nf_call_iptables(&self) -> bool {
        self.on(const { at("bridge/bridge-nf-call-iptables") })
    }

    /// `net.ipv4.ip_no_pmtu_disc`
    pub fn ip_no_pmtu_disc(&self) -> i64 {
        self.number(const { at("ipv4/ip_no_pmtu_disc") })
    }

    /// `net.ipv4.ip_forward_use_pmtu`
    pub fn ip_forward_use_pmtu(&self) -> bool {
        self.on(const { at("ipv4/ip_forward_use_pmtu") })
    }

    /// `net.ipv4.ip_forward_update_priority`
    pub fn ip_forward_update_priority(&self) -> bool {
        self.on(const { at("ipv4/ip_forward_update_priority") })
    }

    /// `net.ipv4.ip_nonlocal_bind`
    pub fn ip_nonlocal_bind(&self) -> bool {
        self.on(const { at("ipv4/ip_nonlocal_bind") })
    }

    /// `net.ipv4.ip_unprivileged_port_start`
    pub fn ip_unprivileged_port_start(&self) -> u16 {
        self.number(const { at("ipv4/ip_unprivileged_port_start") }) as u16
    }

    /// `net.ipv4.ip_local_port_range`: first and last.
    pub fn ip_local_port_range(&self) -> (u16, u16) {
        let text = self.text("ipv4/ip_local_port_range").unwrap_or_default();
        let mut ports = text.split('\t').filter_map(|word| word.parse().ok());
        (ports.next().unwrap_or(32768), ports.next().unwrap_or(60999))
    }

    /// `net.ipv4.icmp_echo_ignore_all`
    #[inline]
    pub fn icmp_echo_ignore_all(&self) -> bool {
        self.on(const { at("ipv4/icmp_echo_ignore_all") })
    }

    /// `net.ipv4.icmp_echo_ignore_broadcasts`
    #[inline]
    pub fn icmp_echo_ignore_broadcasts(&self) -> bool {
        self.on(const { at("ipv4/icmp_echo_ignore_broadcasts") })
    }

    /// `net.ipv4.icmp_errors_use_inbound_ifaddr`
    pub fn icmp_errors_use_inbound_ifaddr(&self) -> bool {
        self.on(const { at("ipv4/icmp_errors_use_inbound_ifaddr") })
    }

    /// `net.ipv4.icmp_ratelimit`: between two errors to one destination; zero is no limit.
    pub fn icmp_ratelimit(&self) -> Duration {
        Duration::from_millis(self.number(const { at("ipv4/icmp_ratelimit") }).max(0) as u64)
    }

    /// `net.ipv4.icmp_ratemask`: one bit an ICMP type that is limited.
    pub fn icmp_ratemask(&self) -> u32 {
        self.number(const { at("ipv4/icmp_ratemask") }) as u32
    }

    /// `net.ipv4.icmp_msgs_per_sec`
    pub fn icmp_msgs_per_sec(&self) -> u32 {
        self.number(const { at("ipv4/icmp_msgs_per_sec") }) as u32
    }

    /// `net.ipv4.icmp_msgs_burst`
    pub fn icmp_msgs_burst(&self) -> u32 {
        self.number(const { at("ipv4/icmp_msgs_burst") }) as u32
    }

    /// `net.ipv4.route.min_pmtu`
    pub fn min_pmtu(&self) -> u32 {
        self.number(const { at("ipv4/route/min_pmtu") }) as u32
    }

    /// `net.ipv4.route.mtu_expires`
    pub fn mtu_expires(&self) -> Duration {
        Duration::from_secs(self.number(const { at("ipv4/route/mtu_expires") }).max(0) as u64)
    }

    /// `net.ipv4.route.min_adv_mss`
    pub fn min_adv_mss(&self) -> u32 {
        self.number(const { at("ipv4/route/min_adv_mss") }) as u32
    }

    /// `net.ipv4.fib_multipath_hash_policy`
    pub fn fib_multipath_hash_policy(&self) -> i64 {
        self.number(const { at("ipv4/fib_multipath_hash_policy") })
    }

    /// `net.ipv4.fib_multipath_hash_fields`
    pub fn fib_multipath_hash_fields(&self) -> i64 {
        self.number(const { at("ipv4/fib_multipath_hash_fields") })
    }

    /// `net.ipv4.fib_multipath_use_neigh`
    pub fn fib_multipath_use_neigh(&self) -> bool {
        self.on(const { at("ipv4/fib_multipath_use_neigh") })
    }

    /// `net.ipv4.fwmark_reflect`
    pub fn fwmark_reflect(&self) -> bool {
        self.on(const { at("ipv4/fwmark_reflect") })
    }

    /// `net.ipv4.ipfrag_time`
    pub fn ipfrag_time(&self) -> Duration {
        Duration::from_secs(self.number(const { at("ipv4/ipfrag_time") }).max(0) as u64)
    }

    /// `net.ipv4.ipfrag_high_thresh`: bytes that all fragments together may take.
    pub fn ipfrag_high_thresh(&self) -> u64 {
        self.number(const { at("ipv4/ipfrag_high_thresh") }).max(0) as u64
    }

    /// `net.ipv4.ipfrag_max_dist`
    pub fn ipfrag_max_dist(&self) -> u32 {
        self.number(const { at("ipv4/ipfrag_max_dist") }) as u32
    }

    /// `net.ipv6.idgen_retries`: how often a private interface identifier is made anew.
    pub fn idgen_retries(&self) -> u8 {
        self.number(const { at("ipv6/idgen_retries") }).clamp(0, 255) as u8
    }

    /// `net.core.rmem_default`: bytes a socket keeps for its reader.
    pub fn rmem_default(&self) -> u64 {
        self.number(const { at("core/rmem_default") }).max(0) as u64
    }

    /// `net.core.wmem_default`: bytes a socket may have on the way.
    pub fn wmem_default(&self) -> u64 {
        self.number(const { at("core/wmem_default") }).max(0) as u64
    }

    /// `net.ipv4.neigh.default.gc_thresh*`
    pub fn neigh_limits4(&self) -> &NeighLimits {
        &self.rare.limits4
    }

    /// `net.ipv6.neigh.default.gc_thresh*`
    pub fn neigh_limits6(&self) -> &NeighLimits {
        &self.rare.limits6
    }

    fn text(&self, below_net: &str) -> Option<&str> {
        self.text_at(text::TEXTS.iter().position(|row| row.0 == below_net)?)
    }

    /// What stands at a place of [`text::TEXTS`].
    fn text_at(&self, at: usize) -> Option<&str> {
        let first = text::TEXTS.get(at)?.1;
        Some(self.rare.texts.get(at).map_or(first, String::as_str))
    }
}

#[cfg(test)]
mod tests;
