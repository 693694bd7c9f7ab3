//! `net.ipv4.neigh.*` and `net.ipv6.neigh.*`: timing and limits of neighbour resolution (`struct neigh_parms`).

use super::Values;
use super::rule::Rule::*;
use super::rule::{NATURAL, Row, Rule, rows};
use super::values::Key;
use crate::control::Errno;
use crate::time::Duration;

rows! {
    /// A sysctl of `net.ipv4.neigh.NAME` or `net.ipv6.neigh.NAME`.
    Neigh, 17:
    AnycastDelay = "anycast_delay", 100, UserTicks;
    AppSolicit = "app_solicit", 0, NATURAL;
    BaseReachableTime = "base_reachable_time", 30, Seconds;
    BaseReachableTimeMs = "base_reachable_time_ms", 30_000, Millis;
    DelayFirstProbeTime = "delay_first_probe_time", 5, Seconds;
    GcStaleTime = "gc_stale_time", 60, Seconds;
    IntervalProbeTimeMs = "interval_probe_time_ms", 5000, Millis;
    Locktime = "locktime", 100, UserTicks;
    McastResolicit = "mcast_resolicit", 0, NATURAL;
    McastSolicit = "mcast_solicit", 3, NATURAL;
    ProxyDelay = "proxy_delay", 80, UserTicks;
    ProxyQlen = "proxy_qlen", 64, NATURAL;
    RetransTime = "retrans_time", 100, UserTicks;
    RetransTimeMs = "retrans_time_ms", 1000, Millis;
    UcastSolicit = "ucast_solicit", 3, NATURAL;
    UnresQlen = "unres_qlen", 101, Number(0, 1_027_504);
    UnresQlenBytes = "unres_qlen_bytes", 212_992, NATURAL;
}

/// The values of one `neigh/NAME`: nearly always what the kernel was compiled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeighValues {
    changed: Option<Box<Values<Neigh>>>,
    ipv6: bool,
}

/// What one parked frame counts for in `unres_qlen` (`SKB_TRUESIZE(ETH_FRAME_LEN)`).
const TRUESIZE: i64 = 2090;

impl Neigh {
    /// The old names of sysctls that now end in `_ms`; `sysctl -a` leaves them out.
    pub(super) fn is_deprecated(self) -> bool {
        matches!(self, Neigh::BaseReachableTime | Neigh::RetransTime)
    }
}

impl NeighValues {
    pub(super) const fn ipv4() -> NeighValues {
        NeighValues { changed: None, ipv6: false }
    }

    /// IPv6 differs in one number: it has no lock time.
    pub(super) const fn ipv6() -> NeighValues {
        NeighValues { changed: None, ipv6: true }
    }

    /// The number.
    pub fn get(&self, key: Neigh) -> i64 {
        match &self.changed {
            Some(values) => values.get(key),
            None if self.ipv6 && key == Neigh::Locktime => 0,
            None => Neigh::DEFAULTS[usize::from(key)],
        }
    }

    /// Sets the number.
    pub fn set(&mut self, key: Neigh, number: i64) {
        let ipv6 = self.ipv6;
        let values = self.changed.get_or_insert_with(|| {
            let mut values = Box::<Values<Neigh>>::default();
            if ipv6 {
                values.set(Neigh::Locktime, 0);
            }
            values
        });
        values.set(key, number);
    }

    /// True if nothing was ever changed.
    pub(crate) fn is_default(&self) -> bool {
        self.changed.is_none()
    }

    /// Carries out a write. Three values have two names each, in different units; both show each change.
    pub(super) fn write(&mut self, key: Neigh, text: &str) -> Result<(), Errno> {
        let number = key.rule().accept(text)?;
        self.set(key, number);
        match key {
            Neigh::BaseReachableTime => self.set(Neigh::BaseReachableTimeMs, number * 1000),
            Neigh::BaseReachableTimeMs => self.set(Neigh::BaseReachableTime, number / 1000),
            Neigh::RetransTime => self.set(Neigh::RetransTimeMs, number * 10),
            Neigh::RetransTimeMs => self.set(Neigh::RetransTime, number / 10),
            Neigh::UnresQlen => self.set(Neigh::UnresQlenBytes, number * TRUESIZE),
            Neigh::UnresQlenBytes => self.set(Neigh::UnresQlen, number / TRUESIZE),
            _ => {}
        }
        Ok(())
    }

    fn millis(&self, key: Neigh, unit: u64) -> Duration {
        Duration::from_millis(u64::try_from(self.get(key)).unwrap_or(0) * unit)
    }

    fn count(&self, key: Neigh) -> u32 {
        u32::try_from(self.get(key)).unwrap_or(0)
    }

    /// Between two probes.
    pub fn retrans_time(&self) -> Duration {
        self.millis(Neigh::RetransTimeMs, 1)
    }

    /// How long a confirmation lasts, about: the kernel draws between half of it and one and a half.
    pub fn base_reachable_time(&self) -> Duration {
        self.millis(Neigh::BaseReachableTimeMs, 1)
    }

    /// From the first use of a stale entry to its first probe.
    pub fn delay_first_probe_time(&self) -> Duration {
        self.millis(Neigh::DelayFirstProbeTime, 1000)
    }

    /// How long an unused entry is kept.
    pub fn gc_stale_time(&self) -> Duration {
        self.millis(Neigh::GcStaleTime, 1000)
    }

    /// For how long a fresh entry withstands another MAC.
    pub fn locktime(&self) -> Duration {
        self.millis(Neigh::Locktime, 10)
    }

    /// The longest wait before a proxy answers.
    pub fn proxy_delay(&self) -> Duration {
        self.millis(Neigh::ProxyDelay, 10)
    }

    /// How many requests wait for a proxy's answer.
    pub fn proxy_qlen(&self) -> u32 {
        self.count(Neigh::ProxyQlen)
    }

    /// Probes by broadcast before an entry fails.
    pub fn mcast_solicit(&self) -> u32 {
        self.count(Neigh::McastSolicit)
    }

    /// Probes by broadcast after those by unicast failed.
    pub fn mcast_resolicit(&self) -> u32 {
        self.count(Neigh::McastResolicit)
    }

    /// Probes by unicast of an entry in doubt.
    pub fn ucast_solicit(&self) -> u32 {
        self.count(Neigh::UcastSolicit)
    }

    /// Probes left to a daemon.
    pub fn app_solicit(&self) -> u32 {
        self.count(Neigh::AppSolicit)
    }

    /// Bytes of frames (with their overhead) that may wait for one neighbour.
    pub fn unres_qlen_bytes(&self) -> u32 {
        self.count(Neigh::UnresQlenBytes)
    }

    /// Full frames that may wait for one neighbour.
    pub fn unres_qlen(&self) -> u32 {
        self.count(Neigh::UnresQlen)
    }
}

/// `gc_thresh1`, `gc_thresh2`, `gc_thresh3` and `gc_interval`: limits of one family's whole table, in `neigh/default` of
/// the first namespace only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighLimits {
    /// Below this many entries nothing is collected.
    pub gc_thresh1: i64,
    /// Above this many, entries older than five seconds go.
    pub gc_thresh2: i64,
    /// There are never more.
    pub gc_thresh3: i64,
    /// Seconds; unused by the kernel today.
    pub gc_interval: i64,
}

impl Default for NeighLimits {
    fn default() -> NeighLimits {
        NeighLimits::USUAL
    }
}

impl NeighLimits {
    /// What the kernel was compiled with.
    pub(crate) const USUAL: NeighLimits =
        NeighLimits { gc_thresh1: 128, gc_thresh2: 512, gc_thresh3: 1024, gc_interval: 30 };
    pub(super) const NAMES: [&'static str; 4] = ["gc_interval", "gc_thresh1", "gc_thresh2", "gc_thresh3"];

    pub(super) fn get(&self, name: &str) -> Option<i64> {
        match name {
            "gc_thresh1" => Some(self.gc_thresh1),
            "gc_thresh2" => Some(self.gc_thresh2),
            "gc_thresh3" => Some(self.gc_thresh3),
            "gc_interval" => Some(self.gc_interval),
            _ => None,
        }
    }

    pub(super) fn write(&mut self, name: &str, text: &str) -> Result<(), Errno> {
        let (place, rule) = match name {
            "gc_thresh1" => (&mut self.gc_thresh1, NATURAL),
            "gc_thresh2" => (&mut self.gc_thresh2, NATURAL),
            "gc_thresh3" => (&mut self.gc_thresh3, NATURAL),
            "gc_interval" => (&mut self.gc_interval, Seconds),
            _ => return Err(Errno::NoEnt),
        };
        *place = rule.accept(text)?;
        Ok(())
    }
}
