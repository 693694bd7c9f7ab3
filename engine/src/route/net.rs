//! What a routing decision may look at besides the tables.

use crate::addr::{Address, Ipv4Addr};
use crate::control::{IfIndex, Nud};
use crate::link::Ports;
use crate::sysctl::Sysctls;
use crate::time::Time;

/// The namespace around the tables, borrowed for one decision.
#[derive(Clone, Copy)]
pub struct Net<'a> {
    /// Now: learned paths expire.
    pub now: Time,
    /// The interfaces, with their addresses and sysctls.
    pub ports: &'a Ports,
    /// The namespace's own sysctls.
    pub sysctls: &'a Sysctls,
    /// What the neighbour cache knows, to choose among equal default routes.
    pub neighbors: &'a dyn Fn(IfIndex, Ipv4Addr) -> Nud,
}

impl<'a> Net<'a> {
    /// A namespace whose neighbour cache is empty; [`Net::with_neighbors`] fills it.
    pub fn new(now: Time, ports: &'a Ports, sysctls: &'a Sysctls) -> Net<'a> {
        Net { now, ports, sysctls, neighbors: &|_, _| Nud::None }
    }

    /// The same with a neighbour cache to ask.
    pub fn with_neighbors(self, neighbors: &'a dyn Fn(IfIndex, Ipv4Addr) -> Nud) -> Net<'a> {
        Net { neighbors, ..self }
    }

    /// True if next hops of the port that have no carrier are not to be used.
    pub(super) fn ignores_linkdown<A: Address>(&self, port: IfIndex) -> bool {
        self.ports.get(port).is_some_and(|port| {
            let conf = self.sysctls.on_port(&port.conf);
            if A::BITS == 32 { conf.ignore_routes_with_linkdown() } else { conf.ignore_routes_with_linkdown6() }
        })
    }
}
