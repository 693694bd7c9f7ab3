//! How much each host is told: the buckets of `net/ipv4/inetpeer.c`, which ICMP errors, a router's own no-route errors
//! and redirects share, and the bucket of the whole namespace (`icmp_msgs_per_sec`).

use crate::addr::Ipv4Addr;
use crate::rng::Rng;
use crate::seldom::Seedable;
use crate::sysctl::Sysctls;
use crate::time::{Duration, Time};
use std::collections::BTreeMap;

/// A full bucket holds so many errors.
const BURST: u32 = 6;
/// What a router's no-route error costs (`error_cost`), and the most there is to spend on it (`error_burst`).
const ERROR_COST: Duration = Duration::from_secs(1);
const ERROR_BURST: Duration = Duration::from_secs(5);
/// Redirects to one host: the gap after the first, doubled each time; the most in a row; the silence that forgives.
const REDIRECT_LOAD: Duration = Duration::from_millis(20);
const REDIRECT_NUMBER: u32 = 9;
const REDIRECT_SILENCE: Duration = Duration::from_millis(20 << 10);
/// The whole namespace's bucket is filled up at most this often.
const REFILL: Duration = Duration::from_millis(20);
/// How finely Linux counts time here (HZ=250): within one tick a bucket is not looked at anew.
const TICK: Duration = Duration::from_millis(4);
const SECOND: Duration = Duration::from_secs(1);
/// Hosts that are kept in mind (`inet_peer_threshold`); one idle for so long makes room.
const MOST: usize = 65_664;
const IDLE: Duration = Duration::from_secs(120);

/// What one host was told (`struct inet_peer`).
#[derive(Clone, Copy, Debug)]
struct Peer {
    tokens: Duration,
    last: Time,
    redirects: u32,
    /// It is as good as last used a minute before it was made.
    fresh: bool,
}

/// All hosts that were told something lately.
#[derive(Debug)]
pub(super) struct Peers {
    hosts: BTreeMap<Ipv4Addr, Peer>,
    credit: i64,
    filled: Option<Time>,
    rng: Rng,
}

impl Seedable for Peers {
    const UNUSED: &'static Peers = &Peers::new(Rng::new(0));

    fn seeded(rng: Rng) -> Peers {
        Peers::new(rng)
    }
}

impl Peers {
    const fn new(rng: Rng) -> Peers {
        Peers { hosts: BTreeMap::new(), credit: 0, filled: None, rng }
    }

    /// True if the namespace may send another message (`icmp_global_allow`).
    pub(super) fn any_allowed(&mut self, now: Time, sysctls: &Sysctls) -> bool {
        if self.credit > 0 {
            return true;
        }
        let span = self.filled.map_or(SECOND, |filled| now.since(filled).min(SECOND));
        let more = i64::from(sysctls.icmp_msgs_per_sec()) * span.as_millis() as i64 / 1000;
        if span < REFILL || more == 0 {
            return false;
        }
        self.filled = Some(now);
        self.credit = (self.credit + more).min(sysctls.icmp_msgs_burst().into());
        true
    }

    /// One was sent: it costs one on average, so that nobody can count (`icmp_global_consume`).
    pub(super) fn any_sent(&mut self) {
        self.credit -= self.rng.below(3) as i64;
    }

    /// True if this host may be told another error (`inet_peer_xrlim_allow`). A bucket that a no-route error has just
    /// filled is left as it is, though it may hold more than this limit lets it: else no error of a router that is not to
    /// ration them (`icmp_ratelimit=0`) would be told without a second's pause.
    pub(super) fn error_allowed(&mut self, now: Time, host: Ipv4Addr, interval: Duration) -> bool {
        let Some(peer) = self.peer(now, host) else { return true };
        if peer.fresh || now.since(peer.last) >= TICK {
            peer.fill(now, interval.saturating_mul(BURST));
        }
        peer.take(interval)
    }

    /// True if a router may tell this host that there is no route (`ip_error`).
    pub(super) fn no_route_allowed(&mut self, now: Time, host: Ipv4Addr) -> bool {
        let Some(peer) = self.peer(now, host) else { return true };
        peer.fill(now, ERROR_BURST);
        peer.take(ERROR_COST)
    }

    /// True if a router may tell this host of a shorter way (`ip_rt_send_redirect`): a host that does not listen is told
    /// less and less often, and then no more until it was silent for a while.
    pub(super) fn redirect_allowed(&mut self, now: Time, host: Ipv4Addr) -> bool {
        let Some(peer) = self.peer(now, host) else { return true };
        if peer.fresh || now > peer.last + REDIRECT_SILENCE {
            peer.tokens = Duration::ZERO;
            peer.redirects = 0;
        }
        peer.fresh = false;
        if peer.redirects >= REDIRECT_NUMBER {
            peer.last = now;
            return false;
        }
        let allowed = peer.redirects == 0 || now > peer.last + REDIRECT_LOAD * (1 << peer.redirects);
        if allowed {
            peer.last = now;
            peer.redirects += 1;
        }
        allowed
    }

    /// The host's entry, made if there is none. `None` if there is no room: then nothing is held back, as in Linux.
    fn peer(&mut self, now: Time, host: Ipv4Addr) -> Option<&mut Peer> {
        if self.hosts.len() >= MOST && !self.hosts.contains_key(&host) {
            self.hosts.retain(|_, peer| now.since(peer.last) < IDLE);
            if self.hosts.len() >= MOST {
                return None;
            }
        }
        let new = Peer { tokens: Duration::ZERO, last: now, redirects: 0, fresh: true };
        Some(self.hosts.entry(host).or_insert(new))
    }
}

impl Peer {
    /// What came together since it was last used; a new host's bucket is full.
    fn fill(&mut self, now: Time, most: Duration) {
        let since = if self.fresh { Duration::from_secs(60) } else { now.since(self.last) };
        self.fresh = false;
        self.last = now;
        self.tokens = (self.tokens + since).min(most);
    }

    fn take(&mut self, cost: Duration) -> bool {
        match self.tokens.checked_sub(cost) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}
