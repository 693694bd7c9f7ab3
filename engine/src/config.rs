//! The configuration of a namespace: its ports with their addresses, its routes, its sysctls, and what a change of one
//! does to the others.
//!
//! A [`Config`] is the part of a [`Stack`](crate::Stack) that changes by request. It carries out commands as the kernel's
//! rtnetlink does, and tells by [`Effect`]s what the rest of the stack must do then: neighbours, reassembly and sockets are
//! not its own.

use crate::control::{Command, IfIndex, Refusal};
use crate::link::{OperState, Port, Ports};
use crate::sysctl::Sysctls;
use crate::time::Time;

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
    /// The port was set down or is gone: neighbours, proxy entries, parked frames and half-put-together datagrams of it
    /// are discarded.
    PortDown(IfIndex),
    /// The port was set up.
    PortUp(IfIndex),
    /// The port's addresses are to be announced by gratuitous ARP (`arp_notify`).
    Announce(IfIndex),
    /// Learned path MTUs and redirects are forgotten.
    RouteCacheFlush,
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
    /// `net.*`
    pub sysctls: Sysctls,
}

#[allow(unused_variables)]
impl Config {
    /// A namespace with nothing but a `lo` that is down.
    pub fn new(now: Time) -> Config {
        unimplemented!()
    }

    /// Carries out a command that concerns links, addresses, routes or sysctls (the stack keeps those of neighbours to
    /// itself). Tells what the rest of the stack must do.
    pub fn apply(&mut self, now: Time, command: Command) -> Result<Vec<Effect>, Refusal> {
        unimplemented!()
    }

    /// Adds a port: it is down, has no addresses, and the sysctls of `conf/default`. Its index and name must be free.
    pub fn port_add(&mut self, now: Time, port: Port) -> Vec<Effect> {
        unimplemented!()
    }

    /// Takes a port out, with its addresses and routes; what is handed back has none left and is down.
    pub fn port_remove(&mut self, now: Time, index: IfIndex) -> (Option<Port>, Vec<Effect>) {
        unimplemented!()
    }

    /// The device tells that the cable now works, or no longer does (`netif_carrier_on`): sets and counts
    /// [`Port::carrier`], and no more; see [`Config::link_change`].
    pub fn carrier(&mut self, now: Time, index: IfIndex, on: bool) -> Vec<Effect> {
        unimplemented!()
    }

    /// The namespace notices it (`linkwatch_do_dev`): sets [`Port::operstate`], and if the port is up (`NETDEV_CHANGE`)
    /// its next hops lose `linkdown` where it is running or has carrier, and become `linkdown` else; IPv6 gets its
    /// link-local address where it is running.
    pub fn link_change(&mut self, now: Time, index: IfIndex, state: OperState) -> Vec<Effect> {
        unimplemented!()
    }

    /// Runs what is due: lifetimes of addresses, the end of duplicate address detection, expiry of routes.
    pub fn tick(&mut self, now: Time) -> Vec<Effect> {
        unimplemented!()
    }

    /// When [`Config::tick`] is wanted next.
    pub fn next_deadline(&self) -> Option<Time> {
        unimplemented!()
    }
}
