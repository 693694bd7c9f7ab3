//! Configuration in, and what follows from it in neighbours, fragments and learned ways.

use super::packet::Routed;
use super::{Cx, Stack};
use crate::addr::{IpAddr, Ipv4Addr, Ipv6Addr};
use crate::config::{Effect, IpVersion};
use crate::control::{Command, Errno, IfIndex, NeighborMode, NeighborSpec, Refusal};
use crate::ip::reassembly::Limits;
use crate::link::Port;
use crate::neighbor::NeighborConf;
use crate::observe::Observer;
use crate::sysctl::Conf6;
use crate::time::Time;
use crate::wire::mld;

impl Stack {
    pub(super) fn carry_out<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        command: Command,
        observer: &mut O,
    ) -> Result<(), Refusal> {
        match command {
            Command::FdbAdd(spec) => self.fdb_add(cx.now, &spec),
            Command::FdbDelete(spec) => self.fdb_delete(&spec),
            Command::Qdisc(request) => self.qdisc_request(cx, request, observer),
            Command::NeighborAdd(mode, spec) => self.neighbor_add(cx.now, mode, &spec),
            Command::TableReplace(table) => {
                let done = self.filter.replace(*table);
                self.need_conntrack();
                done
            }
            Command::TableDelete(name) => {
                self.filter.delete(name);
                self.need_conntrack();
                Ok(())
            }
            Command::NeighborDelete(spec) => {
                if spec.index != 0 || !spec.proxy {
                    self.config.ports.get(spec.index).ok_or(Errno::NoDev)?;
                }
                self.neighbors.delete(cx.now, &spec)
            }
            command => {
                let writes_sysctl = matches!(command, Command::SysctlWrite(..));
                let effects = self.config.apply(cx.now, command)?;
                if writes_sysctl {
                    self.heed_sysctls(cx.now);
                }
                self.carry_out_effects(cx, effects, observer);
                Ok(())
            }
        }
    }

    fn neighbor_add(&mut self, now: Time, mode: NeighborMode, spec: &NeighborSpec) -> Result<(), Refusal> {
        // A proxy entry of IPv4 may be for any link.
        if spec.proxy && spec.index == 0 && spec.destination.is_ipv6() {
            return Err(Errno::NoBufs.into());
        }
        if spec.proxy && spec.index == 0 {
            return self.neighbors.add(now, mode, spec, crate::neighbor::Nature::Unicast);
        }
        let port = self.config.ports.get(spec.index).ok_or(Errno::NoDev)?;
        let disabled = port.conf.v6.on(Conf6::DisableIpv6);
        match spec.destination {
            IpAddr::V4(_) if !port.has_ipv4() && !spec.proxy => return Err(Errno::Inval.into()),
            IpAddr::V6(_) if !port.has_ipv6() && spec.proxy => return Err(Errno::NoBufs.into()),
            IpAddr::V6(_) if (!port.has_ipv6() || disabled) && !spec.proxy => {
                return Err(Refusal::because(Errno::Inval, "IPv6 is disabled on this device"));
            }
            _ => {}
        }
        let nature = self.nature(port, spec.destination);
        self.neighbors.add(now, mode, spec, nature)
    }

    /// Does what a change of the configuration asks of the rest.
    pub(super) fn carry_out_effects<O: Observer>(&mut self, cx: &mut Cx<'_>, effects: Vec<Effect>, observer: &mut O) {
        for effect in effects {
            match effect {
                Effect::NeighborsFlush { port, version, permanent } => self.neighbors.flush(port, version, permanent),
                Effect::IpGone { port, version } => {
                    self.neighbors.flush(port, version, true);
                    self.neighbors.remove_proxies(port, version);
                }
                Effect::AddressGone(port, address) => self.masquerade_gone(port, Some(address)),
                Effect::PortDown(port) => {
                    self.neighbors.port_down(port);
                    self.qdisc_reset(cx, port, observer);
                    self.reassembly.own_mut().into_iter().for_each(|reassembly| reassembly.port_removed(port));
                    self.masquerade_gone(port, None);
                    self.discard_fragments(cx, observer);
                }
                // Its routes and addresses are there already, and nothing else begins by itself.
                Effect::PortUp(_) => {}
                Effect::Announce(port) => self.announce(cx, port, observer),
                Effect::GroupJoined(port, group) => self.report_group(cx, port, group, observer),
                Effect::RouteCacheFlush => {
                    self.config.rib4.flush_cache();
                    self.config.rib6.flush_cache();
                }
            }
        }
    }

    /// Tells that the port listens to a group. It is all that is said in IPv6 yet; bridges learn from it who is where, before
    /// anybody has sent anything else.
    fn report_group<O: Observer>(&mut self, cx: &mut Cx<'_>, index: IfIndex, group: Ipv6Addr, observer: &mut O) {
        let Some(port) = self.config.ports.get(index) else { return };
        self.counters.made += 1;
        let frame = cx.pool.copy(&mld::joined(port.mac, group));
        // Where the link does not take it nobody minds.
        let _ = self.transmit(cx, index, frame, Routed::NOT_YET, observer);
    }

    /// Packets are looked at if rules need it.
    fn need_conntrack(&mut self) {
        let needed = self.filter.needs_conntrack();
        if self.conntrack.is_on() != needed {
            self.conntrack.need(needed);
        }
    }

    fn masquerade_gone(&mut self, port: IfIndex, address: Option<Ipv4Addr>) {
        if let Some(conntrack) = self.conntrack.own_mut() {
            conntrack.masquerade_gone(port, address);
        }
    }

    /// Timings and bounds that others keep are the sysctls'.
    pub(super) fn heed_sysctls(&mut self, now: Time) {
        let ports: Vec<IfIndex> = self.config.ports.iter().map(|port| port.index).collect();
        ports.into_iter().for_each(|port| self.time_neighbors(now, port));
        let sysctls = &self.config.sysctls;
        self.neighbors.set_limits(IpVersion::V4, *sysctls.neigh_limits4());
        self.neighbors.set_limits(IpVersion::V6, *sysctls.neigh_limits6());
        let high_thresh = usize::try_from(sysctls.ipfrag_high_thresh()).unwrap_or(usize::MAX);
        let settings = crate::conntrack::Settings::of(sysctls);
        if !self.conntrack.has(&settings) {
            self.conntrack.configure(settings);
        }
        let limits = Limits { high_thresh, time: sysctls.ipfrag_time() };
        if self.reassembly.limits() != limits {
            self.reassembly.configure(limits);
        }
    }

    /// The timings of a port's neighbours are its sysctls'.
    pub(super) fn time_neighbors(&mut self, now: Time, index: IfIndex) {
        let Some(Port { conf, .. }) = self.config.ports.get(index) else { return };
        for (version, values) in [(IpVersion::V4, &conf.rare.neigh4), (IpVersion::V6, &conf.rare.neigh6)] {
            match values.is_default() {
                true => self.neighbors.configure_as_usual(now, index, version),
                false => self.neighbors.configure(now, index, version, NeighborConf::of(values)),
            }
        }
    }

    /// Takes a port out of everything.
    pub(super) fn forget_port<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        observer: &mut O,
    ) -> Option<Port> {
        let (port, effects) = self.config.port_remove(cx.now, index);
        self.carry_out_effects(cx, effects, observer);
        self.neighbors.port_removed(index);
        self.taps.port_removed(index);
        let frames = self.qdiscs.own_mut().map(|qdiscs| qdiscs.remove(index)).unwrap_or_default();
        self.qdisc_discard(cx, frames, observer);
        port
    }
}
