//! The configuration of a namespace: its ports with their addresses, its routes, its sysctls, and what a change of one
//! does to the others.
//!
//! A [`Config`] is the part of a [`Stack`](crate::Stack) that changes by request. It carries out commands as the kernel's
//! rtnetlink does, and tells by [`Effect`]s what the rest of the stack must do then: neighbours, reassembly and sockets are
//! not its own.

mod watched;

pub use watched::Watched;

use crate::addr::{IpAddr, Ipv4Addr, Ipv6Addr};
use crate::address::flag;
use crate::control::{Command, Errno, IfIndex, Lifetime, Refusal};
use crate::link::vxlan::Vtep;
use crate::link::{Port, Ports};
use crate::rng::Rng;
use crate::route::{Net, Rib};
use crate::seldom::{Seldom, SeldomList, Usual};
use crate::sysctl::Sysctls;
use crate::time::{Time, earlier};

/// What the rest of the stack must do because the configuration changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Neighbours of this port are to be forgotten; frames parked for them are discarded.
    NeighborsFlush {
        /// The port.
        port: IfIndex,
        /// IPv4's or IPv6's.
        version: IpVersion,
        /// Entries set by hand go, too.
        permanent: bool,
    },
    /// The port has lost its last IPv4 address, or IPv6 was taken off it: its neighbours of that version go, those set by
    /// hand and the proxies too.
    IpGone {
        /// The port.
        port: IfIndex,
        /// IPv4 or IPv6.
        version: IpVersion,
    },
    /// The port has lost this address: what was masqueraded with it ends.
    AddressGone(IfIndex, Ipv4Addr),
    /// The port was set down or is gone: neighbours, proxy entries, parked frames and half-put-together datagrams of it
    /// are discarded.
    PortDown(IfIndex),
    /// The port was set up.
    PortUp(IfIndex),
    /// The port's addresses are to be announced by gratuitous ARP (`arp_notify`).
    Announce(IfIndex),
    /// The port listens to an IPv6 group: routers, and bridges on the way, are to hear of it (`igmp6_group_added`).
    GroupJoined(IfIndex, Ipv6Addr),
    /// Learned path MTUs and redirects are forgotten. Only a request for that does it: they outlive changes of other routes.
    RouteCacheFlush,
}

/// What whoever drives a stack must know of its links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkNews {
    /// The carrier of a link that has no device came or went: the link watch is to look at it.
    Carrier(IfIndex),
    /// Something changed at a link on which others stand: its carrier, its MTU, its MAC, whether it is up.
    Lower(IfIndex),
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "their own names")]
pub enum IpVersion {
    V4,
    V6,
}

/// Ports, addresses, routes and sysctls of one namespace.
#[derive(Debug)]
pub struct Config {
    /// The interfaces, with their addresses.
    pub ports: Ports,
    /// IPv4 routes.
    pub rib4: Watched<Rib<Ipv4Addr>>,
    /// IPv6 routes.
    pub rib6: Rib<Ipv6Addr>,
    /// `net.*`
    pub sysctls: Watched<Sysctls>,
    /// What the stack must do, gathered while a command is carried out.
    pub(crate) effects: Vec<Effect>,
    pub(crate) news: SeldomList<LinkNews>,
    pub(crate) switches: Seldom<Switches>,
    pub(crate) rng: Rng,
    deadline: Option<Time>,
}

/// Where bridges and VXLANs are, in namespaces that have any.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    /// The ports that are bridges.
    pub(crate) bridges: Vec<IfIndex>,
    /// The ports that are VXLANs.
    pub(crate) vxlans: Vec<IfIndex>,
    /// The ends of VXLANs whose datagrams take the routes of this namespace, by their numbers.
    pub(crate) vteps: Vec<(u64, Vtep)>,
}

impl Usual for Switches {
    const USUAL: &'static Switches = &Switches { bridges: Vec::new(), vxlans: Vec::new(), vteps: Vec::new() };
}

impl Config {
    /// A namespace with nothing but a `lo` that is down.
    pub fn new(now: Time) -> Config {
        Config::seeded(now, Rng::new(0))
    }

    /// The same with chance of its own: for how long a duplicate of an IPv6 address is waited for.
    pub fn seeded(now: Time, rng: Rng) -> Config {
        let mut config = Config {
            ports: Ports::new(),
            rib4: Watched::new(Rib::new()),
            rib6: Rib::new(),
            sysctls: Watched::new(Sysctls::new()),
            effects: Vec::new(),
            news: SeldomList::EMPTY,
            switches: Seldom::USUAL,
            rng,
            deadline: None,
        };
        config.port_add(now, Port::new_loopback(now));
        config
    }

    /// How often something was changed on which the ways of IPv4 depend. Never 0: a port was added, `lo`.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.ports.changes() + self.rib4.changes() + self.sysctls.changes()
    }

    /// Carries out a command that concerns links, addresses, routes or sysctls (the stack keeps those of neighbours to
    /// itself). Tells what the rest of the stack must do. If a link change is refused half-way, what the done half asks of
    /// the stack comes with the next answer.
    pub fn apply(&mut self, now: Time, command: Command) -> Result<Vec<Effect>, Refusal> {
        let done = self.carry_out(now, command);
        let effects = self.settle();
        match done {
            Ok(()) => Ok(effects),
            Err(refusal) => {
                self.effects = effects;
                Err(refusal)
            }
        }
    }

    fn carry_out(&mut self, now: Time, command: Command) -> Result<(), Refusal> {
        match command {
            Command::LinkChange(index, change) => self.link_set(now, index, change),
            Command::AddressAdd(mode, spec) => match spec.local {
                IpAddr::V4(local) => self.address4_add(now, mode, &spec, local),
                IpAddr::V6(local) => self.address6_add(now, mode, &spec, local),
            },
            Command::AddressDelete(spec) => match spec.local {
                IpAddr::V4(local) => self.address4_delete(now, &spec, local),
                IpAddr::V6(local) => self.address6_delete(&spec, local),
            },
            Command::RouteAdd(mode, spec) => {
                let net = Net::new(now, &self.ports, &self.sysctls);
                match spec.destination {
                    IpAddr::V4(_) => self.rib4.add(net, mode, &spec)?,
                    IpAddr::V6(_) => self.rib6.add(net, mode, &spec)?,
                }
                Ok(())
            }
            Command::RouteDelete(spec) => {
                let net = Net::new(now, &self.ports, &self.sysctls);
                match spec.destination {
                    IpAddr::V4(_) => self.rib4.delete(net, &spec)?,
                    IpAddr::V6(_) => self.rib6.delete(net, &spec)?,
                }
                Ok(())
            }
            Command::RouteCacheFlush => {
                self.rib4.flush_cache();
                self.effects.push(Effect::RouteCacheFlush);
                Ok(())
            }
            Command::RuleAdd(spec) => {
                if spec.ipv6 {
                    self.rib6.rule_add(&spec)?
                } else {
                    self.rib4.rule_add(&spec)?
                }
                Ok(())
            }
            Command::RuleDelete(spec) => {
                if spec.ipv6 {
                    self.rib6.rule_delete(&spec)?
                } else {
                    self.rib4.rule_delete(&spec)?
                }
                Ok(())
            }
            Command::SysctlWrite(path, value) => self.sysctl_write(now, &path, &value),
            Command::FdbAdd(..)
            | Command::Qdisc(_)
            | Command::FdbDelete(..)
            | Command::NeighborAdd(..)
            | Command::NeighborDelete(_)
            | Command::TableReplace(_)
            | Command::TableDelete(_) => {
                debug_assert!(false, "neighbours, bridges and filters are the stack's");
                Err(Errno::OpNotSupp.into())
            }
        }
    }

    /// Runs what is due: lifetimes of addresses, the end of duplicate address detection.
    pub fn tick(&mut self, now: Time) -> Vec<Effect> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return Vec::new();
        }
        self.address4_expire(now);
        self.address6_expire(now);
        self.rib6.expire(now);
        self.settle()
    }

    /// When [`Config::tick`] is wanted next.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Ends a change: works out when time matters next, and hands out what the stack must do, each thing once.
    pub(crate) fn settle(&mut self) -> Vec<Effect> {
        self.deadline = self.ports.iter().fold(self.rib6.next_expiry(), |first, port| earlier(first, deadline(port)));
        let mut effects = core::mem::take(&mut self.effects);
        if effects.contains(&Effect::RouteCacheFlush) {
            effects.retain(|effect| *effect != Effect::RouteCacheFlush);
            effects.push(Effect::RouteCacheFlush);
        }
        effects
    }
}

/// When something is due at the addresses of a port. Asked after each command, of every port.
fn deadline(port: &Port) -> Option<Time> {
    let preferred = |lifetime: Lifetime, flags| lifetime.end().filter(|_| flags & flag::DEPRECATED == 0);
    let mut first = None;
    for address in &port.addresses4 {
        first = earlier(first, address.valid.end());
        first = earlier(first, preferred(address.preferred, address.flags));
    }
    for address in &port.addresses6 {
        first = earlier(first, address.valid.end());
        first = earlier(first, preferred(address.preferred, address.flags));
        first = earlier(first, address.dad_end.end());
    }
    first
}

#[cfg(test)]
mod tests;
