//! Duplicate address detection, and the lifetimes of IPv6 addresses: the timers of `net/ipv6/addrconf.c`.
//!
//! No neighbour solicitation is sent, as IPv6 packets are not carried yet: an address waits as long as the kernel would wait
//! for an answer, and nobody answers.

use super::{Address6, flag};
use crate::addr::Ipv6Addr;
use crate::config::Config;
use crate::control::{IfIndex, Lifetime};
use crate::link::port::flag as link;
use crate::sysctl::Conf6;
use crate::time::{Duration, Time};

impl Config {
    /// Begins the detection for an address (`addrconf_dad_begin`), or finds that none is needed.
    pub(super) fn dad_start(&mut self, now: Time, index: IfIndex, local: Ipv6Addr) {
        let Some(port) = self.ports.get(index) else { return };
        let Some(address) = port.addresses6.iter().find(|address| address.local == local) else { return };
        let quiet = port.set_flags & (link::NOARP | link::LOOPBACK) != 0;
        let wanted = |conf: &crate::sysctl::PortConf| conf.v6.get(Conf6::AcceptDad) >= 1;
        let off = !wanted(self.sysctls.all()) && !wanted(&port.conf);
        if quiet || off || !address.is_tentative() || address.has(flag::NODAD) {
            self.dad_completed(index, local);
        } else if port.ipv6_ready {
            self.dad_kick(now, index, local);
        }
    }

    /// Waits for a random time, and then for an answer to each probe (`addrconf_dad_kick`, `addrconf_dad_work`).
    fn dad_kick(&mut self, now: Time, index: IfIndex, local: Ipv6Addr) {
        let Some(port) = self.ports.get_mut(index) else { return };
        let conf = &port.conf.v6;
        let seconds = |key| u64::try_from(conf.get(key)).unwrap_or(0);
        let probes = u32::try_from(conf.get(Conf6::DadTransmits)).unwrap_or(0);
        let patience = port.conf.rare.neigh6.retrans_time().max(Duration::from_millis(10)) * probes;
        let Some(address) = port.addresses6.iter_mut().find(|address| address.local == local) else { return };
        let optimistic = address.has(flag::OPTIMISTIC);
        let spread = Duration::from_secs(seconds(Conf6::RouterSolicitationDelay)).as_nanos() as u64;
        let random = if optimistic || spread == 0 { 0 } else { self.rng.below(spread) };
        address.dad_end = Lifetime::until(now + Duration::from_nanos(random) + patience);
        if optimistic {
            let address = address.clone();
            self.address6_route(index, &address);
        }
    }

    /// The address is ours (`addrconf_dad_completed`).
    fn dad_completed(&mut self, index: IfIndex, local: Ipv6Addr) {
        let Some(port) = self.ports.get_mut(index) else { return };
        let Some(address) = port.addresses6.iter_mut().find(|address| address.local == local) else { return };
        address.flags &= !(flag::TENTATIVE | flag::OPTIMISTIC | flag::DADFAILED);
        address.dad_end = Lifetime::FOREVER;
        let address = address.clone();
        self.address6_route(index, &address);
    }

    /// The link has become ready: addresses that waited for it begin (`addrconf_dad_run`). `again`: all begin anew.
    pub(super) fn dad_run(&mut self, now: Time, index: IfIndex, again: bool) {
        let Some(port) = self.ports.get(index) else { return };
        let waits = |address: &&Address6| again || (address.is_tentative() && address.dad_end.end().is_none());
        let waiting: Vec<Ipv6Addr> = port.addresses6.iter().filter(waits).map(|address| address.local).collect();
        for local in waiting {
            self.dad_start(now, index, local);
        }
    }

    /// Ends detections, deprecates and removes addresses whose time has come (`addrconf_dad_work`, `addrconf_verify`).
    pub(crate) fn address6_expire(&mut self, now: Time) {
        let indexes: Vec<IfIndex> = self.ports.iter().map(|port| port.index).collect();
        for index in indexes {
            while let Some(local) = self.first6(index, |address| address.dad_end.is_over(now)) {
                self.dad_completed(index, local);
            }
            while let Some(local) = self.first6(index, |address| address.valid.is_over(now)) {
                let place = self.ports.get(index).and_then(|p| p.addresses6.iter().position(|a| a.local == local));
                self.address6_remove(index, place.unwrap_or(usize::MAX));
            }
            let addresses = self.ports.get_mut(index).into_iter().flat_map(|port| &mut port.addresses6);
            for address in addresses.filter(|address| address.preferred.is_over(now)) {
                address.flags |= flag::DEPRECATED;
            }
        }
    }

    fn first6(&self, index: IfIndex, due: impl Fn(&Address6) -> bool) -> Option<Ipv6Addr> {
        self.ports.get(index)?.addresses6.iter().find(|address| due(address)).map(|address| address.local)
    }
}
