//! Proxy entries (`ip neigh add proxy`), and the requests that wait for a proxy's answer: `pneigh_*`.

use super::{Action, Neighbors, version_of};
use crate::addr::{IpAddr, Ipv4Addr};
use crate::config::IpVersion;
use crate::control::{IfIndex, NeighborSpec};
use crate::frame::FrameBuf;
use crate::reason::DropReason;
use crate::seldom::Usual;
use crate::time::Time;
use std::collections::BTreeMap;

/// A proxy entry's properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProxyEntry {
    /// `proto`, 0 if not set.
    pub protocol: u8,
    /// `router`
    pub router: bool,
    /// `extern_learn`
    pub extern_learn: bool,
}

#[derive(Debug)]
pub(super) struct Proxies<T> {
    /// By link (0 is any) and address.
    pub(super) entries: BTreeMap<(IfIndex, IpAddr), ProxyEntry>,
    /// Requests by the time of their answer.
    waiting: BTreeMap<(Time, u64), (IfIndex, FrameBuf, T)>,
    number: u64,
}

impl<T> Default for Proxies<T> {
    fn default() -> Proxies<T> {
        Proxies { entries: BTreeMap::new(), waiting: BTreeMap::new(), number: 0 }
    }
}

impl<T: 'static> Usual for Proxies<T> {
    const USUAL: &'static Proxies<T> = &Proxies { entries: BTreeMap::new(), waiting: BTreeMap::new(), number: 0 };
}

impl<T> Proxies<T> {
    /// `pneigh_create`: an entry for all links is taken for this link's; without `proto` the entry keeps its own.
    pub(super) fn add(&mut self, spec: &NeighborSpec) {
        let for_all = (0, spec.destination);
        let key = if self.entries.contains_key(&for_all) { for_all } else { (spec.index, spec.destination) };
        let entry = self.entries.entry(key).or_default();
        (entry.router, entry.extern_learn) = (spec.router, spec.extern_learn);
        if spec.protocol != 0 {
            entry.protocol = spec.protocol;
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.waiting.first_key_value().map(|(&(at, _), _)| at)
    }
}

impl<T: 'static> Neighbors<T> {
    /// True if a proxy entry answers for `ip` on this link (`pneigh_lookup`).
    pub fn is_proxied(&self, port: IfIndex, ip: IpAddr) -> bool {
        self.proxies.entries.contains_key(&(port, ip)) || self.proxies.entries.contains_key(&(0, ip))
    }

    /// All proxy entries, by link (0 is any) and address.
    pub fn proxy_entries(&self) -> impl Iterator<Item = (IfIndex, IpAddr, ProxyEntry)> + '_ {
        self.proxies.entries.iter().map(|(&(port, ip), &entry)| (port, ip, entry))
    }

    /// Keeps a request that a proxy is to answer for a random time below `proxy_delay` (`pneigh_enqueue`): it comes back
    /// as [`Action::Deferred`]. Makes an action, if the queue is full.
    pub fn defer(&mut self, now: Time, port: IfIndex, frame: FrameBuf, with: T) {
        let conf = self.conf(port, IpVersion::V4);
        if self.proxies.waiting.len() > conf.proxy_qlen {
            let (ip, reason) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), DropReason::NeighborQueueFull);
            return self.actions.push_back(Action::Discard { port, ip, reason, frame, with });
        }
        let bound = u64::try_from(conf.proxy_delay.as_nanos()).unwrap_or(u64::MAX);
        let delay = if bound == 0 { 0 } else { self.rng.below(bound) };
        let proxies = &mut *self.proxies;
        proxies.number += 1;
        let at = Time(now.0.saturating_add(delay));
        proxies.waiting.insert((at, proxies.number), (port, frame, with));
    }

    pub(super) fn release_deferred(&mut self, now: Time) {
        let Some(proxies) = self.proxies.own_mut() else { return };
        while let Some(first) = proxies.waiting.first_entry()
            && first.key().0 <= now
        {
            let (port, frame, with) = first.remove();
            self.actions.push_back(Action::Deferred { port, frame, with });
        }
    }

    /// Drops this link's proxy entries of one version, and the requests that wait for their answer. Makes actions.
    pub fn remove_proxies(&mut self, port: IfIndex, version: IpVersion) {
        let Some(proxies) = self.proxies.own_mut() else { return };
        proxies.entries.retain(|&(of, ip), _| of != port || version_of(ip) != version);
        // Only requests of ARP wait.
        if version == IpVersion::V6 {
            return;
        }
        let here: Vec<(Time, u64)> =
            proxies.waiting.iter().filter(|(_, waiting)| waiting.0 == port).map(|(&at, _)| at).collect();
        for at in here {
            if let Some((port, frame, with)) = proxies.waiting.remove(&at) {
                let (ip, reason) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), DropReason::NeighborRemoved);
                self.actions.push_back(Action::Discard { port, ip, reason, frame, with });
            }
        }
    }
}
