//! Links: making cables, taking them away, moving their ends between namespaces, and what setting an end up or down does to
//! the other one (`drivers/net/veth.c`, `net/core/rtnetlink.c`).

use super::cable::{End, Place};
use super::watch::Watched;
use super::{Driver, LinkAdd, LinkKind, NsId, PeerAdd, World};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Command, Errno, IfIndex, Refusal};
use vethlab_engine::link::{Port, name};
use vethlab_engine::time::Time;

/// Bounds of a veth's MTU (`ETH_MIN_MTU`, `ETH_MAX_MTU`).
const MTU: std::ops::RangeInclusive<u32> = 68..=65535;

/// What was said of one end.
pub(super) struct EndAdd<'a> {
    pub(super) ns: NsId,
    pub(super) name: Option<&'a str>,
    pub(super) index: Option<IfIndex>,
    pub(super) address: Option<Mac>,
    pub(super) mtu: Option<u32>,
    pub(super) txqueuelen: Option<u32>,
}

impl World {
    /// `ip link add`
    pub fn link_add(&mut self, ns: NsId, link: LinkAdd) -> Result<IfIndex, Refusal> {
        let LinkKind::Veth { peer } = &link.kind else {
            return self.link_add_virtual(ns, &link);
        };
        let LinkAdd { index, address, mtu, txqueuelen, .. } = link;
        let near = EndAdd { ns, name: link.name.as_deref(), index, address, mtu, txqueuelen };
        let PeerAdd { netns, index, address, mtu, txqueuelen, .. } = **peer;
        let far = EndAdd { ns: netns.unwrap_or(ns), name: peer.name.as_deref(), index, address, mtu, txqueuelen };
        for end in [&near, &far] {
            check(end)?;
            self.netns_exists(end.ns).then_some(()).ok_or(Errno::Inval)?;
        }
        let ports = self.stack(ns).ports();
        let named = near.name.is_some_and(|name| ports.named(name).is_some());
        if named || near.index.is_some_and(|index| ports.get(index).is_some()) {
            return Err(Errno::Exist.into());
        }
        // The peer is made first, and so gets the lower number.
        let far_index = self.register(&far)?;
        let near_index = match self.register(&near) {
            Ok(index) => index,
            Err(errno) => {
                self.visit(far.ns, |stack, cx, _| stack.port_remove(cx, far_index));
                return Err(errno.into());
            }
        };
        let cable = self.lay_cable([Place::Port(ns, near_index), Place::Port(far.ns, far_index)], false);
        for end in cable.ends().into_iter().rev() {
            self.fire(Watched::End(end), false);
        }
        self.nsid_need(ns, far.ns);
        self.finish();
        Ok(near_index)
    }

    /// `register_netdevice`: a name, a number, and a port.
    fn register(&mut self, end: &EndAdd<'_>) -> Result<IfIndex, Errno> {
        self.register_as(end, "veth%d", Port::new_ethernet)
    }

    /// The same for a port that `make` makes, named by this pattern if nothing is said.
    pub(super) fn register_as(
        &mut self,
        end: &EndAdd<'_>,
        pattern: &str,
        make: impl FnOnce(IfIndex, String, Mac, Time) -> Port,
    ) -> Result<IfIndex, Errno> {
        let wanted = end.name.unwrap_or(pattern);
        let name = name::choose(self.stack(end.ns).ports(), wanted);
        if matches!(wanted, "all" | "default") {
            // Refused late, by IPv4: a number is used up.
            self.reserve_index(end.ns, end.index)?;
        }
        let name = name?;
        let index = self.reserve_index(end.ns, end.index)?;
        let mac = end.address.unwrap_or_else(|| self.random_mac());
        let mut port = make(index, name, mac, self.now);
        port.mac_set = end.address.is_some();
        port.mtu = end.mtu.unwrap_or(port.mtu);
        port.txqueuelen = end.txqueuelen.unwrap_or(port.txqueuelen);
        let now = self.now;
        self.stack_mut(end.ns).port_add(now, port);
        Ok(index)
    }

    /// `dev_index_reserve`: the wanted number, or the next one after the last that was given. `EBUSY`.
    fn reserve_index(&mut self, ns: NsId, wanted: Option<IfIndex>) -> Result<IfIndex, Errno> {
        let net = self.nets.get_mut(ns).ok_or(Errno::Inval)?;
        let ports = net.stack.ports();
        if let Some(index) = wanted {
            return if ports.get(index).is_some() { Err(Errno::Busy) } else { Ok(index) };
        }
        let limit = i32::MAX as IfIndex;
        let mut round = (net.last_index + 1..=limit).chain(1..=net.last_index);
        let index = round.find(|index| ports.get(*index).is_none()).ok_or(Errno::NFile)?;
        net.last_index = index;
        Ok(index)
    }

    /// `eth_random_addr`: locally administered, unicast.
    pub(super) fn random_mac(&mut self) -> Mac {
        let [a, b, c, d, e, f, _, _] = self.rng.next().to_be_bytes();
        Mac([a & 0xfe | 0x02, b, c, d, e, f])
    }

    /// `ip link del`: both ends of a cable go.
    pub fn link_delete(&mut self, ns: NsId, index: IfIndex) -> Result<(), Refusal> {
        match self.driver(ns, index) {
            None => return Err(Errno::NoDev.into()),
            Some(Driver::Veth | Driver::Virtual) => {}
            Some(_) => return Err(Errno::OpNotSupp.into()),
        }
        self.evict(ns, index);
        self.finish();
        Ok(())
    }

    /// Takes a port out of its namespace for good; a cable with both ends, but a network card goes home to the host.
    pub(super) fn evict(&mut self, ns: NsId, index: IfIndex) {
        let is_card = matches!(self.driver(ns, index), Some(Driver::Physical | Driver::External));
        if !is_card {
            self.evict_uppers(ns, index);
        }
        let Some(end) = self.end_at(ns, index) else {
            return self.evict_virtual(ns, index);
        };
        if is_card {
            self.go_home(ns, index);
            return;
        }
        for end in [end.other(), end] {
            self.watch_forget(Watched::End(end));
            if let Some(Place::Port(ns, index)) = self.place(end) {
                self.evict_uppers(ns, index);
                self.visit(ns, |stack, cx, _| stack.port_remove(cx, index));
                self.pull(ns, index);
            }
        }
        self.cables.remove(end.cable());
    }

    /// `default_device_exit_net`: under its own name, or as `dev0` where that is taken.
    fn go_home(&mut self, ns: NsId, index: IfIndex) {
        let host = self.host();
        let own = self.stack(ns).ports().get(index).map(|port| port.name.to_string()).unwrap_or_default();
        let taken = self.stack(host).ports().named(&own).is_some();
        let moved = self.relocate(ns, index, host, if taken { "dev%d" } else { &own });
        debug_assert!(moved.is_ok(), "a network card could not go home: {moved:?}");
    }

    /// `ip link set X netns Y [name N]`: the link loses its addresses and is set down; it keeps its number if that is free.
    /// If its name is not taken there it is moved under it, and the new name, refused or not, is tried afterwards.
    pub fn link_move(&mut self, ns: NsId, index: IfIndex, to: NsId, wanted: Option<&str>) -> Result<(), Refusal> {
        let driver = self.driver(ns, index).ok_or(Errno::NoDev)?;
        let bridge = self.stack(ns).ports().get(index).is_some_and(|port| port.rare.bridge.is_some());
        if driver == Driver::Loopback || bridge {
            return Err(Refusal::because(Errno::Inval, "The interface netns is immutable"));
        }
        if ns == to {
            return Ok(());
        }
        self.netns_exists(to).then_some(()).ok_or(Errno::Inval)?;
        let own = self.stack(ns).ports().get(index).map(|port| port.name.to_string()).ok_or(Errno::NoDev)?;
        let there = self.stack(to).ports();
        let (first, then) = match (there.named(&own).is_some(), wanted) {
            (true, None) => {
                let text = "An interface with the same name exists in the target netns";
                return Err(Refusal::because(Errno::Exist, text));
            }
            (true, Some(wanted)) => {
                let unable = |errno| {
                    let text = format!("Unable to use '{wanted}' for the new interface name in the target netns");
                    Refusal::because(errno, text)
                };
                (name::choose(there, wanted).map_err(unable)?, None)
            }
            (false, wanted) => (own, wanted),
        };
        let index = self.relocate(ns, index, to, &first)?;
        self.finish();
        match then.filter(|then| *then != first) {
            None => Ok(()),
            Some(then) => {
                let change = vethlab_engine::control::LinkChange { name: Some(then.to_string()), ..Default::default() };
                self.apply(to, Command::LinkChange(index, change))
            }
        }
    }

    /// Moves a port under a name, or a pattern, that is free there; tells its new number.
    fn relocate(&mut self, ns: NsId, index: IfIndex, to: NsId, pattern: &str) -> Result<IfIndex, Errno> {
        let name = name::choose(self.stack(to).ports(), pattern)?;
        let wanted = self.reserve_index(to, Some(index)).or_else(|_| self.reserve_index(to, None))?;
        let up = self.stack(ns).ports().get(index).is_some_and(Port::is_up);
        let end = self.end_at(ns, index);
        let port = self.visit(ns, |stack, cx, _| stack.port_remove(cx, index)).flatten();
        let mut port = port.ok_or(Errno::NoDev)?;
        self.pull(ns, index);
        port.index = wanted;
        port.name = name.into();
        let now = self.now;
        self.stack_mut(to).port_add(now, port);
        self.nsid_need(ns, to);
        if let Some(end) = end {
            self.plug(end, Place::Port(to, wanted));
            self.tell_ends(end.cable());
            // Both compare the other one's number with their own.
            [end, end.other()].into_iter().for_each(|end| self.doubt(Watched::End(end)));
            if up {
                self.closed(end);
            }
            if let Some(peer) = self.peer(to, wanted) {
                self.nsid_need(to, peer.netns);
            }
        }
        self.stands_moved((ns, index), (to, wanted));
        Ok(wanted)
    }

    /// Configures one namespace; cables see changes of up and down.
    pub fn apply(&mut self, ns: NsId, command: Command) -> Result<(), Refusal> {
        let outcome = match &command {
            Command::LinkChange(index, change) => {
                let (index, up) = (*index, change.up);
                match self.end_at(ns, index) {
                    Some(end) if self.has_remote_carrier(end) => self.apply_to_end(ns, end, command),
                    Some(end) => {
                        let outcome = self.apply_to_virtual(ns, index, up, command);
                        self.tell_ends(end.cable());
                        outcome
                    }
                    None => self.apply_to_virtual(ns, index, up, command),
                }
            }
            _ => self.apply_plain(ns, command),
        };
        self.finish();
        outcome
    }

    pub(super) fn apply_plain(&mut self, ns: NsId, command: Command) -> Result<(), Refusal> {
        let done = self.visit(ns, |stack, cx, watcher| stack.apply(cx, command, watcher));
        done.unwrap_or(Err(Errno::Inval.into()))
    }

    /// True for a cable whose carrier comes and goes with its ends.
    fn has_remote_carrier(&self, end: End) -> bool {
        self.cables.get(end.cable()).is_some_and(|cable| !cable.physical)
    }

    /// A change of a port at a cable: the driver's part of up and down is done around it.
    fn apply_to_end(&mut self, ns: NsId, end: End, command: Command) -> Result<(), Refusal> {
        let Some((_, port)) = self.port_at(end) else { return Err(Errno::NoDev.into()) };
        let (index, up, was_up, changes) = (port.index, port.is_up(), port.was_up, port.carrier_changes);
        let meets = !up && self.port_at(end.other()).is_some_and(|(_, peer)| peer.is_up());
        if meets {
            // The driver turns the carrier on before the namespace is told that the link is up: its routes are never `linkdown`.
            self.stack_mut(ns).carrier(index, true);
        }
        let outcome = self.apply_plain(ns, command);
        self.tell_ends(end.cable());
        self.doubt(Watched::End(end));
        let is_up = self.port_at(end).is_some_and(|(_, port)| port.is_up());
        match (up, is_up) {
            (false, true) => self.opened(end, meets, was_up),
            (true, false) => self.closed(end),
            _ if meets => {
                if let Some(port) = self.stack_mut(ns).port_mut(index) {
                    (port.carrier, port.carrier_changes) = (false, changes);
                }
            }
            _ => {}
        }
        outcome
    }

    /// `veth_open`, after the port was set up: if both ends are up now, both have a carrier. `was_up`: it is not the first
    /// time.
    fn opened(&mut self, end: End, meets: bool, was_up: bool) {
        if meets {
            let index = self.port_at(end).map(|(_, port)| port.index);
            let urgent = was_up || index.is_some_and(|index| self.depends_on_another(Watched::End(end), index));
            self.fire(Watched::End(end), urgent);
            self.set_carrier(end.other(), true);
        }
        // `dev_activate`
        self.set_active(end, meets);
    }

    /// `veth_close`, after the port was set down: neither end has a carrier any more.
    fn closed(&mut self, end: End) {
        self.set_active(end, false);
        if self.has_remote_carrier(end) {
            self.set_carrier(end, false);
            self.set_carrier(end.other(), false);
        }
    }
}

/// `veth_validate`
fn check(end: &EndAdd<'_>) -> Result<(), Errno> {
    if end.address.is_some_and(|mac| mac.is_multicast() || mac == Mac::ZERO) {
        return Err(Errno::AddrNotAvail);
    }
    if end.mtu.is_some_and(|mtu| !MTU.contains(&mtu)) {
        return Err(Errno::Inval);
    }
    Ok(())
}
