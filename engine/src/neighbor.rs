//! The neighbour cache: which MAC stands behind an address on a link, decided as `net/core/neighbour.c` and
//! `net/ipv4/arp.c` decide, for IPv4 and IPv6 alike.
//!
//! ```text
//!            park            answer                reachable time over
//!   (none) ───────> Incomplete ───────> Reachable ──────────────────────> Stale
//!                       │                  ^   ^                            │ used
//!      3 probes in vain │     confirmed by │   │ answer                     v
//!                       v      upper layers└───┼───────────────────────── Delay
//!                    Failed <──────────────── Probe <───────────────────────┘
//!                             3 probes in vain          5 s without a sign
//! ```
//!
//! It is a state machine without a clock or a socket: time is an argument, and what is to be done stands in a queue of
//! [`Action`]s, to be emptied with [`Neighbors::pop`] after each call that may fill it (it says so where it may).
//!
//! On the path of a packet: [`resolve`](Neighbors::resolve) gives the MAC, or [`park`](Neighbors::park) takes the packet
//! until the MAC is known. A received ARP packet ends in [`solicited`](Neighbors::solicited) (it asked for us) or in
//! [`heard`](Neighbors::heard) (all others).

mod admin;
mod entry;
mod gc;
mod proxy;
mod table;
mod timer;
mod update;

pub use entry::NeighborEntry;
pub use proxy::ProxyEntry;
pub use update::Heard;

use crate::addr::{IpAddr, Mac};
use crate::config::IpVersion;
use crate::control::IfIndex;
use crate::frame::FrameBuf;
use crate::reason::DropReason;
use crate::rng::Rng;
use crate::seldom::{Seldom, SeldomList, Usual};
use crate::sysctl::{NeighLimits, NeighValues};
use crate::time::{Duration, Time};
use entry::Entry;
use std::collections::{BTreeSet, VecDeque};
use table::{Key, Table};

/// The timings of one link and version: `net.ipv4.neigh.NAME.*`, `net.ipv6.neigh.NAME.*`, under the kernel's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborConf {
    /// An entry is taken as reachable for a random time between a half and three halves of this.
    pub base_reachable_time: Duration,
    /// Between two probes.
    pub retrans_time: Duration,
    /// How long a used stale entry waits for a sign of life before it is probed.
    pub delay_first_probe_time: Duration,
    /// Broadcast probes for an unknown MAC.
    pub mcast_solicit: u32,
    /// Unicast probes for a known MAC.
    pub ucast_solicit: u32,
    /// Probes left to a daemon, between the unicast and the broadcast ones; there is none, so nothing is sent.
    pub app_solicit: u32,
    /// Broadcast probes after the unicast ones for a known MAC.
    pub mcast_resolicit: u32,
    /// Bytes that may be parked for one entry, overhead included.
    pub unres_qlen_bytes: usize,
    /// An entry unused for that long may be collected.
    pub gc_stale_time: Duration,
    /// A changed MAC is not believed for so long after the last change.
    pub locktime: Duration,
    /// A proxy answers a broadcast request after a random time below this.
    pub proxy_delay: Duration,
    /// Requests that may wait for a proxy's answer.
    pub proxy_qlen: usize,
}

impl NeighborConf {
    /// What the sysctls of `neigh/NAME` say.
    pub fn of(values: &NeighValues) -> NeighborConf {
        NeighborConf {
            base_reachable_time: values.base_reachable_time(),
            retrans_time: values.retrans_time(),
            delay_first_probe_time: values.delay_first_probe_time(),
            mcast_solicit: values.mcast_solicit(),
            ucast_solicit: values.ucast_solicit(),
            app_solicit: values.app_solicit(),
            mcast_resolicit: values.mcast_resolicit(),
            unres_qlen_bytes: values.unres_qlen_bytes() as usize,
            gc_stale_time: values.gc_stale_time(),
            locktime: values.locktime(),
            proxy_delay: values.proxy_delay(),
            proxy_qlen: values.proxy_qlen() as usize,
        }
    }

    /// Linux's defaults.
    pub const fn default_of(version: IpVersion) -> NeighborConf {
        let locktime = match version {
            IpVersion::V4 => Duration::from_secs(1),
            IpVersion::V6 => Duration::ZERO,
        };
        NeighborConf {
            base_reachable_time: Duration::from_secs(30),
            retrans_time: Duration::from_secs(1),
            delay_first_probe_time: Duration::from_secs(5),
            mcast_solicit: 3,
            ucast_solicit: 3,
            app_solicit: 0,
            mcast_resolicit: 0,
            unres_qlen_bytes: 212_992,
            gc_stale_time: Duration::from_secs(60),
            locktime,
            proxy_delay: Duration::from_millis(800),
            proxy_qlen: 64,
        }
    }
}

/// What an address is on its link (`arp_constructor`): some need no resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A neighbour's: its MAC is to be asked for.
    Unicast,
    /// A group's or everybody's, or anything on a link without ARP: the MAC follows from it.
    Noarp(Mac),
    /// Anything IPv4 on `lo`: one entry, 0.0.0.0, stands for all.
    Loopback,
}

/// What the cache wants done. `T` is what the caller parked along with a frame.
#[derive(Debug)]
pub enum Action<T> {
    /// Ask who has `ip` (an ARP request): everybody, or the one that had it. The sender's address is that of
    /// [`Neighbors::last_parked`] if it is ours, else the link's (Linux's `arp_solicit`).
    Request {
        /// On this link.
        port: IfIndex,
        /// For this address.
        ip: IpAddr,
        /// The MAC to ask; everybody, if none.
        unicast: Option<Mac>,
    },
    /// The MAC is known: send what was parked.
    Release {
        /// On this link.
        port: IfIndex,
        /// To this neighbour.
        ip: IpAddr,
        /// At this MAC.
        mac: Mac,
        /// The packet.
        frame: FrameBuf,
        /// What was parked along with it.
        with: T,
    },
    /// Discard what was parked. For [`DropReason::NoNeighbor`] Linux sends "host unreachable" to its sender; the other
    /// reasons are silent.
    Discard {
        /// It was to leave by this link.
        port: IfIndex,
        /// To this neighbour; the unspecified address for a deferred request.
        ip: IpAddr,
        /// Why.
        reason: DropReason,
        /// The packet.
        frame: FrameBuf,
        /// What was parked along with it.
        with: T,
    },
    /// A deferred request's time has come: answer it ([`Neighbors::defer`]).
    Deferred {
        /// It came in by this port.
        port: IfIndex,
        /// The ARP request.
        frame: FrameBuf,
        /// What was deferred along with it.
        with: T,
    },
}

/// How long entries of one link and version are reachable, and when that was drawn (`struct neigh_parms`).
#[derive(Clone, Copy, Debug)]
struct Reachable {
    /// In nanoseconds.
    time: u64,
    drawn: Time,
}

/// How many entries there may be, by version.
#[derive(Debug, Default)]
struct Bounds {
    limits: [NeighLimits; 2],
    /// When entries were last collected by force.
    flushed: [Option<Time>; 2],
}

impl Usual for Bounds {
    const USUAL: &'static Bounds = &Bounds { limits: [NeighLimits::USUAL; 2], flushed: [None; 2] };
}

/// The neighbours of one namespace. See the [module](self).
#[derive(Debug)]
pub struct Neighbors<T> {
    table: Table<T>,
    /// By link and version: all that the cache was told of.
    reachable: Vec<((IfIndex, IpVersion), Reachable)>,
    /// The timings of those that have other ones than Linux is compiled with.
    timings: SeldomList<((IfIndex, IpVersion), NeighborConf)>,
    bounds: Seldom<Bounds>,
    /// When old entries were last looked for.
    collected: Time,
    /// All entries, by version.
    counts: [u32; 2],
    /// Entries that count for the limits, by version.
    collectable: [u32; 2],
    timers: BTreeSet<(Time, Key)>,
    proxies: Seldom<proxy::Proxies<T>>,
    actions: VecDeque<Action<T>>,
    parked: usize,
    born: u64,
    rng: Rng,
}

impl<T: 'static> Neighbors<T> {
    /// An empty cache whose chance follows from `rng`.
    pub fn new(rng: Rng) -> Neighbors<T> {
        Neighbors {
            table: Table::new(),
            reachable: Vec::new(),
            timings: SeldomList::EMPTY,
            bounds: Seldom::USUAL,
            collected: Time::ZERO,
            counts: [0; 2],
            collectable: [0; 2],
            timers: BTreeSet::new(),
            proxies: Seldom::USUAL,
            actions: VecDeque::new(),
            parked: 0,
            born: 0,
            rng,
        }
    }

    /// The MAC to send to now, if it is known: the hot path. Using a stale entry makes it wait for a sign of life.
    /// Makes no action. Without a MAC, [`park`](Neighbors::park) the packet.
    #[inline]
    pub fn resolve(&mut self, now: Time, port: IfIndex, ip: IpAddr) -> Option<Mac> {
        let entry = self.table.get(Key { port, ip })?;
        if entry.fast { Some(entry.mac) } else { self.resolve_slowly(now, Key { port, ip }) }
    }

    /// The MAC, if [`resolve`](Neighbors::resolve) gives it and nothing follows from that: it gives the same as long as the
    /// number of [changes](Neighbors::changes) stays the same.
    pub fn lasting_mac(&self, port: IfIndex, ip: IpAddr) -> Option<Mac> {
        self.table.get(Key { port, ip }).filter(|entry| entry.fast).map(|entry| entry.mac)
    }

    /// How often entries may have changed.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.table.changes()
    }

    /// Takes a packet until the MAC of `ip` is known, and asks for it if nobody did. `false` if that is impossible
    /// (Linux: `ENOBUFS`): the table is full, and the packet comes back as an action. Makes actions.
    pub fn park(&mut self, now: Time, port: IfIndex, ip: IpAddr, frame: FrameBuf, with: T) -> bool {
        let key = Key { port, ip };
        if !self.find_or_create(now, key) {
            let reason = DropReason::NeighborTableFull;
            self.actions.push_back(Action::Discard { port, ip, reason, frame, with });
            return false;
        }
        self.ask(now, key);
        self.enqueue(key, frame, with);
        true
    }

    /// Asks for the MAC of `ip`, if it is not known, though no packet waits for it (`neigh_event_send` without one). Makes
    /// actions.
    pub fn look_for(&mut self, now: Time, port: IfIndex, ip: IpAddr) {
        let key = Key { port, ip };
        if self.find_or_create(now, key) {
            self.ask(now, key);
        }
    }

    /// Makes sure that an entry exists for an address that needs no resolution ([`Nature::Noarp`]; on `lo` the address
    /// 0.0.0.0 for all of IPv4, with the MAC zero). An existing entry stays as it is. `false` if the table is full.
    pub fn noarp(&mut self, now: Time, port: IfIndex, ip: IpAddr, mac: Mac) -> bool {
        let key = Key { port, ip };
        self.table.get(key).is_some() || self.make_room(now, key) && self.create(now, key, true, Nature::Noarp(mac))
    }

    /// The packet parked last for this neighbour: an ARP request takes its source address.
    pub fn last_parked(&self, port: IfIndex, ip: IpAddr) -> Option<&(FrameBuf, T)> {
        self.table.get(Key { port, ip })?.parked.back()
    }

    /// An upper layer heard from the neighbour (`dst_confirm_neigh`, `MSG_CONFIRM`): it is alive. Makes no action.
    pub fn confirm(&mut self, now: Time, port: IfIndex, ip: IpAddr) {
        if let Some(entry) = self.table.get_quietly(Key { port, ip }) {
            entry.confirmed = now.0 as i64;
        }
    }

    /// True if nothing is to be done.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.actions.is_empty()
    }

    /// The oldest thing to do.
    pub fn pop(&mut self) -> Option<Action<T>> {
        self.actions.pop_front()
    }

    /// Frames held in here: parked, deferred, or in an action that nobody took yet.
    pub fn held(&self) -> usize {
        let actions = self.actions.iter().filter(|action| !matches!(action, Action::Request { .. })).count();
        self.parked + self.proxies.waiting() + actions
    }

    /// The timings of a link; Linux's defaults until they are set.
    pub fn conf(&self, port: IfIndex, version: IpVersion) -> NeighborConf {
        self.own_conf((port, version)).copied().unwrap_or(NeighborConf::default_of(version))
    }

    fn own_conf(&self, at: (IfIndex, IpVersion)) -> Option<&NeighborConf> {
        self.timings.iter().find(|(of, _)| *of == at).map(|(_, conf)| conf)
    }

    /// Sets the timings of a link, as its sysctls say.
    pub fn configure(&mut self, now: Time, port: IfIndex, version: IpVersion, conf: NeighborConf) {
        let at = (port, version);
        let drawn_for = self.reachable_of(at).map(|_| self.conf(port, version).base_reachable_time);
        self.timings.change(|timings| {
            timings.retain(|(of, _)| *of != at);
            if conf != NeighborConf::default_of(version) {
                timings.push((at, conf));
            }
        });
        if drawn_for != Some(conf.base_reachable_time) {
            self.draw(now, at);
        }
    }

    /// The same as Linux is compiled; what a link has from the beginning is left as it is.
    pub fn configure_as_usual(&mut self, now: Time, port: IfIndex, version: IpVersion) {
        let at = (port, version);
        if self.reachable_of(at).is_none() || self.own_conf(at).is_some() {
            self.configure(now, port, version, NeighborConf::default_of(version));
        }
    }

    fn place(&self, at: (IfIndex, IpVersion)) -> Result<usize, usize> {
        self.reachable.binary_search_by_key(&at, |(at, _)| *at)
    }

    fn reachable_of(&self, at: (IfIndex, IpVersion)) -> Option<&Reachable> {
        self.place(at).ok().and_then(|place| self.reachable.get(place)).map(|(_, reachable)| reachable)
    }

    /// Sets the bounds of one version's table (`net.ipv4.neigh.default.gc_thresh*`). Permanent entries do not count.
    pub fn set_limits(&mut self, version: IpVersion, limits: NeighLimits) {
        if self.bounds.limits[version as usize] != limits {
            self.bounds.limits[version as usize] = limits;
        }
    }

    /// All neighbours, in the order of their versions, links and addresses. Proxies are not among them.
    pub fn entries(&self, now: Time) -> Vec<NeighborEntry> {
        let mut entries: Vec<NeighborEntry> = self.table.iter().map(|entry| entry.view(now)).collect();
        entries.sort_unstable_by_key(|entry| (version_of(entry.ip), entry.port, entry.ip));
        entries
    }

    /// One neighbour.
    pub fn get(&self, now: Time, port: IfIndex, ip: IpAddr) -> Option<NeighborEntry> {
        self.table.get(Key { port, ip }).map(|entry| entry.view(now))
    }

    /// How long entries of this link are reachable without a sign of life: drawn anew every five minutes.
    fn reachable_time(&mut self, now: Time, key: Key) -> Duration {
        let at = (key.port, version_of(key.ip));
        let lasts = Duration::from_secs(300);
        match self.reachable_of(at) {
            Some(reachable) if now.since(reachable.drawn) <= lasts => Duration::from_nanos(reachable.time),
            _ => self.draw(now, at),
        }
    }

    /// `neigh_rand_reach_time`: from a half to three halves of the base.
    fn draw(&mut self, now: Time, at: (IfIndex, IpVersion)) -> Duration {
        let base = self.conf(at.0, at.1).base_reachable_time.as_nanos();
        let base = u64::try_from(base).unwrap_or(u64::MAX / 2);
        let span = if base == 0 { 0 } else { self.rng.below(base) };
        let reachable = Reachable { time: span.saturating_add(base / 2), drawn: now };
        match self.place(at) {
            Ok(place) => self.reachable[place].1 = reachable,
            Err(place) => {
                // `lo` comes first; whoever has one more link has two more, as a rule.
                match self.reachable.len() {
                    0 => self.reachable.reserve_exact(2),
                    2 => self.reachable.reserve_exact(4),
                    _ => {}
                }
                self.reachable.insert(place, (at, reachable));
            }
        }
        Duration::from_nanos(reachable.time)
    }

    fn conf_of(&self, key: Key) -> NeighborConf {
        self.conf(key.port, version_of(key.ip))
    }
}

/// The version of an address.
const fn version_of(ip: IpAddr) -> IpVersion {
    match ip {
        IpAddr::V4(_) => IpVersion::V4,
        IpAddr::V6(_) => IpVersion::V6,
    }
}

#[cfg(test)]
mod tests;
