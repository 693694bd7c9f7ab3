//! Links that stand on other links, and links without a device: what they follow, and how frames get from one namespace to
//! the other where the two links are not in the same one.

use super::watch::Watched;
use super::{NsId, World};
use std::collections::{BTreeMap, BTreeSet};
use vethlab_engine::addr::Mac;
use vethlab_engine::config::LinkNews;
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange, Refusal};
use vethlab_engine::frame::{Crossing, FrameBuf};
use vethlab_engine::link::virt::{Place, Takes};
use vethlab_engine::link::vxlan::{Underlay, Vtep};
use vethlab_engine::link::{Lower, Port, Upper, VxlanSpec};

/// A link's namespace and number.
pub(super) type Spot = (NsId, IfIndex);

/// Two links, of which one stands on the other.
#[derive(Clone, Copy, Debug)]
struct Stand {
    upper: Spot,
    lower: Spot,
    /// The lower one was up.
    lower_up: bool,
    /// It takes its carrier and more from the lower one; a VXLAN does not.
    follows: bool,
}

/// All of them, by a number that is never given twice; and which links without a device take frames to send.
#[derive(Debug, Default)]
pub(super) struct Stands {
    pairs: BTreeMap<u64, Stand>,
    /// The pair of each upper link.
    above: BTreeMap<Spot, u64>,
    /// The pairs of each lower one.
    below: BTreeSet<(Spot, u64)>,
    last: u64,
    active: BTreeSet<Spot>,
}

impl Stands {
    fn of(&self, upper: Spot) -> Option<&Stand> {
        self.pairs.get(self.above.get(&upper)?)
    }

    /// The link that this one stands on.
    pub(super) fn lower_of(&self, ns: NsId, index: IfIndex) -> Option<Spot> {
        self.of((ns, index)).filter(|pair| pair.lower.1 != 0).map(|pair| pair.lower)
    }

    /// The same, if it takes its carrier from that.
    pub(super) fn followed_by(&self, ns: NsId, index: IfIndex) -> Option<Spot> {
        self.of((ns, index)).filter(|pair| pair.follows).map(|pair| pair.lower)
    }

    fn insert(&mut self, number: u64, pair: Stand) {
        self.above.insert(pair.upper, number);
        self.below.insert((pair.lower, number));
        self.pairs.insert(number, pair);
    }

    fn remove(&mut self, number: u64) -> Option<Stand> {
        let pair = self.pairs.remove(&number)?;
        self.above.remove(&pair.upper);
        self.below.remove(&(pair.lower, number));
        Some(pair)
    }

    pub(super) fn is_active(&self, ns: NsId, index: IfIndex) -> bool {
        self.active.contains(&(ns, index))
    }

    pub(super) fn set_active(&mut self, ns: NsId, index: IfIndex, on: bool) {
        if on {
            self.active.insert((ns, index));
        } else {
            self.active.remove(&(ns, index));
        }
    }

    /// True if another link that sends by the same namespace is so.
    fn twin(&self, of: Spot, is: impl Fn(Spot) -> bool) -> bool {
        let Some(own) = self.of(of) else { return false };
        self.pairs.values().any(|pair| pair.upper != of && pair.lower.0 == own.lower.0 && is(pair.upper))
    }

    fn on(&self, lower: Spot) -> Vec<u64> {
        self.below.range((lower, 0)..=(lower, u64::MAX)).map(|(_, number)| *number).collect()
    }

    fn number_of(&self, upper: Spot) -> Option<u64> {
        self.above.get(&upper).copied()
    }
}

impl World {
    pub(super) fn port_of(&self, (ns, index): Spot) -> Option<&Port> {
        self.nets.get(ns)?.stack.ports().get(index)
    }

    pub(super) fn port_of_mut(&mut self, (ns, index): Spot) -> Option<&mut Port> {
        self.stack_of(ns)?.port_mut(index)
    }

    fn stack_of(&mut self, ns: NsId) -> Option<&mut vethlab_engine::Stack> {
        Some(&mut self.nets.get_mut(ns)?.stack)
    }

    /// A new link stands on another one, and takes its carrier.
    pub(super) fn stand(&mut self, upper: Spot, lower: Spot) {
        self.pair(upper, lower, true);
        let carrier = self.port_of(lower).is_some_and(|port| port.carrier);
        if let Some(stack) = self.stack_of(upper.0) {
            stack.carrier(upper.1, carrier);
        }
        self.fire(Watched::Port(upper.0, upper.1), false);
    }

    /// A new VXLAN sends its datagrams by the routes of a namespace, and through this link if it is not 0.
    pub(super) fn pair(&mut self, upper: Spot, lower: Spot, follows: bool) {
        self.stands.last += 1;
        let number = self.stands.last;
        let lower_up = self.port_of(lower).is_some_and(Port::is_up);
        self.stands.insert(number, Stand { upper, lower, lower_up, follows });
        self.tie(number);
        self.nsid_need(upper.0, lower.0);
    }

    /// Writes down at both links where the other one is.
    fn tie(&mut self, number: u64) {
        let Some(Stand { upper, lower, .. }) = self.stands.pairs.get(&number).copied() else { return };
        let here = upper.0 == lower.0;
        let below = if here { Lower::Here(lower.1) } else { Lower::Elsewhere(number) };
        let Some(port) = self.port_of_mut(upper) else { return };
        let up = port.is_up();
        let place = if here { Place::Here(upper.1) } else { Place::Elsewhere(number) };
        if let Some(vxlan) = port.rare.own_mut().and_then(|rare| rare.vxlan.as_deref_mut()) {
            vxlan.underlay = if here { Underlay::Here } else { Underlay::Elsewhere(number) };
            let group = vxlan.spec.remote4().filter(|remote| remote.is_multicast());
            let vtep = Vtep { place, port: vxlan.spec.port(), vni: vxlan.spec.id, group, up };
            if let Some(stack) = self.stack_of(lower.0) {
                stack.vtep_put(number, vtep);
            }
            return;
        }
        let rare = &mut *port.rare;
        let takes = match (&mut rare.vlan, &mut rare.macvlan) {
            (Some(vlan), _) => {
                vlan.lower = below;
                Takes::Tag(vlan.protocol, vlan.id)
            }
            (None, Some(macvlan)) => {
                macvlan.lower = below;
                Takes::Mac(port.mac, macvlan.mode)
            }
            (None, None) => return,
        };
        self.untie(number, upper, lower);
        if let Some(port) = self.port_of_mut(lower) {
            port.rare.uppers.push(Upper { takes, place, up });
            port.rare.uppers.sort_by_key(|upper| match upper.place {
                Place::Here(index) => (0, u64::from(index)),
                Place::Elsewhere(number) => (1, number),
            });
        }
    }

    fn untie(&mut self, number: u64, upper: Spot, lower: Spot) {
        if let Some(port) = self.port_of_mut(lower) {
            port.rare.uppers.retain(|at| at.place != Place::Here(upper.1) && at.place != Place::Elsewhere(number));
        }
    }

    /// A link has moved, and with it what it stands on or what stands on it.
    pub(super) fn stands_moved(&mut self, from: Spot, to: Spot) {
        self.watch_forget(Watched::Port(from.0, from.1));
        self.stands.active.remove(&from);
        let mut moved: Vec<u64> = self.stands.number_of(from).into_iter().chain(self.stands.on(from)).collect();
        moved.sort_unstable();
        for number in &moved {
            if let Some(mut pair) = self.stands.remove(*number) {
                [&mut pair.upper, &mut pair.lower]
                    .into_iter()
                    .filter(|spot| **spot == from)
                    .for_each(|spot| *spot = to);
                self.stands.insert(*number, pair);
            }
        }
        for number in moved {
            let Some(pair) = self.stands.pairs.get(&number).copied() else { continue };
            self.untie(number, from, pair.lower);
            if pair.lower == to {
                // Links that it carried may have had the same numbers in the old namespace as others have here.
                self.untie(number, pair.upper, to);
            }
            self.tie(number);
            self.nsid_need(pair.upper.0, pair.lower.0);
            self.doubt(Watched::Port(pair.upper.0, pair.upper.1));
        }
    }

    /// Deletes what stands on a link that is about to go.
    pub(super) fn evict_uppers(&mut self, ns: NsId, index: IfIndex) {
        for number in self.stands.on((ns, index)) {
            if let Some(pair) = self.stands.pairs.get(&number).copied() {
                self.evict(pair.upper.0, pair.upper.1);
            }
        }
    }

    /// Takes a link without a device out of its namespace for good.
    pub(super) fn evict_virtual(&mut self, ns: NsId, index: IfIndex) {
        if let Some(number) = self.stands.number_of((ns, index))
            && let Some(pair) = self.stands.remove(number)
        {
            self.untie(number, pair.upper, pair.lower);
            if let Some(stack) = self.stack_of(pair.lower.0) {
                stack.vtep_remove(number);
            }
        }
        self.watch_forget(Watched::Port(ns, index));
        self.stands.active.remove(&(ns, index));
        self.visit(ns, |stack, cx, _| stack.port_remove(cx, index));
    }

    /// A change of a link without a cable.
    pub(super) fn apply_to_virtual(
        &mut self,
        ns: NsId,
        index: IfIndex,
        up: Option<bool>,
        command: Command,
    ) -> Result<(), Refusal> {
        let spot = (ns, index);
        if let Command::LinkChange(_, change) = &command {
            self.may_be(spot, change)?;
        }
        let was = self.port_of(spot).map(|port| (port.is_up(), port.was_up));
        let (was_up, opened_once) = was.unwrap_or_default();
        if up == Some(true) && !was_up {
            self.may_open(spot)?;
        }
        self.heed_links();
        let outcome = self.apply_plain(ns, command);
        // The carrier may have come before the port was set to send: that is urgent, but only where it could send before.
        let news: Vec<_> = self.news.iter().copied().collect();
        let came = news.contains(&(ns, LinkNews::Carrier(index)));
        let is_up = self.port_of(spot).is_some_and(Port::is_up);
        if came && is_up && !was_up && opened_once {
            self.news.retain(|news| *news != (ns, LinkNews::Carrier(index)));
            self.fire(Watched::Port(ns, index), true);
        }
        if was_up != is_up {
            let carrier = self.port_of(spot).is_some_and(|port| port.carrier);
            self.stands.set_active(ns, index, is_up && carrier);
        }
        self.doubt(self.end_at(ns, index).map_or(Watched::Port(ns, index), Watched::End));
        self.heed_links();
        outcome
    }

    /// `macvlan_change_mtu`, `vlan_dev_change_mtu`, `vxlan_change_mtu`, `macvlan_set_mac_address`
    fn may_be(&self, spot: Spot, change: &LinkChange) -> Result<(), Errno> {
        let Some(lower) = self.stands.lower_of(spot.0, spot.1) else { return Ok(()) };
        let (Some(port), Some(lower)) = (self.port_of(spot), self.port_of(lower)) else { return Ok(()) };
        let (most, errno) = match (port.rare.vlan, &port.rare.vxlan) {
            (Some(_), _) => (lower.mtu, Errno::Range),
            (None, Some(_)) => (lower.mtu.saturating_sub(super::virt::VXLAN_HEADROOM), Errno::Inval),
            (None, None) => (lower.mtu, Errno::Inval),
        };
        if change.mtu.is_some_and(|mtu| mtu > most && mtu != port.mtu) {
            return Err(errno);
        }
        let takes = |mac| lower.mac == mac || lower.rare.uppers.iter().any(|upper| upper.up && upper.takes.is_mac(mac));
        let address =
            change.address.filter(|mac| *mac != port.mac && port.rare.macvlan.is_some() && !self.is_passthru(port));
        if address.is_some_and(takes) { Err(Errno::AddrInUse) } else { Ok(()) }
    }

    /// `vlan_dev_open`, `macvlan_open`
    fn may_open(&self, spot: Spot) -> Result<(), Errno> {
        let Some(port) = self.port_of(spot) else { return Ok(()) };
        let lower = self.stands.lower_of(spot.0, spot.1);
        let lower = lower.and_then(|lower| self.port_of(lower));
        if port.rare.vlan.is_some() && !lower.is_some_and(Port::is_up) {
            return Err(Errno::NetDown);
        }
        if let Some(vxlan) = &port.rare.vxlan
            && self.stands.twin(spot, |twin| {
                let twin = self.port_of(twin).filter(|port| port.is_up()).and_then(|port| port.rare.vxlan.as_ref());
                twin.is_some_and(|twin| (twin.spec.id, twin.spec.port()) == (vxlan.spec.id, vxlan.spec.port()))
            })
        {
            return Err(Errno::AddrInUse);
        }
        if let (Some(_), Some(lower)) = (port.rare.macvlan, lower) {
            let twin = |upper: &Upper| upper.up && upper.takes.is_mac(port.mac);
            if lower.mac == port.mac && !self.is_passthru(port) || lower.rare.uppers.iter().any(twin) {
                return Err(Errno::AddrInUse);
            }
        }
        Ok(())
    }

    fn is_passthru(&self, port: &Port) -> bool {
        port.rare.macvlan.is_some_and(|macvlan| macvlan.mode == vethlab_engine::link::MacvlanMode::Passthru)
    }

    /// Does what the news of links ask for.
    pub(super) fn heed_links(&mut self) {
        while let Some((ns, news)) = self.news.pop_front() {
            match news {
                LinkNews::Carrier(index) => {
                    let watched = Watched::Port(ns, index);
                    let urgent = self.is_urgent(watched);
                    self.fire(watched, urgent);
                }
                LinkNews::Lower(index) => {
                    if let Some(number) = self.stands.number_of((ns, index)) {
                        self.tie(number);
                    }
                    for number in self.stands.on((ns, index)) {
                        self.follow(number);
                    }
                }
            }
        }
    }

    /// A link follows the one below it: its carrier, its MTU, a VLAN its MAC and whether it is up (`vlan_device_event`,
    /// `macvlan_device_event`).
    fn follow(&mut self, number: u64) {
        let Some(pair) = self.stands.pairs.get(&number).copied().filter(|pair| pair.follows) else { return };
        let (Some(upper), Some(lower)) = (self.port_of(pair.upper), self.port_of(pair.lower)) else { return };
        let (lower_up, carrier, mtu, mac) = (lower.is_up(), lower.carrier, lower.mtu, lower.mac);
        let changes = upper.carrier != carrier;
        let mut change = LinkChange { mtu: (upper.mtu > mtu).then_some(mtu), ..LinkChange::default() };
        let inherits = upper.rare.vlan.is_some_and(|vlan| vlan.inherits_mac) || self.is_passthru(upper);
        let address = (inherits && upper.mac != mac).then_some(mac);
        if upper.rare.vlan.is_some() && lower_up != pair.lower_up {
            change.up = (upper.is_up() != lower_up).then_some(lower_up);
        }
        if let Some(pair) = self.stands.pairs.get_mut(&number) {
            pair.lower_up = lower_up;
        }
        if changes && let Some(stack) = self.stack_of(pair.upper.0) {
            stack.carrier(pair.upper.1, carrier);
            let watched = Watched::Port(pair.upper.0, pair.upper.1);
            let urgent = self.is_urgent(watched);
            self.fire(watched, urgent);
        }
        if let Some(mac) = address {
            self.inherit(pair.upper, mac);
        }
        if change != LinkChange::default() {
            let up = change.up;
            // What the lower link may be, this one may be as well.
            let _ = self.apply_to_virtual(pair.upper.0, pair.upper.1, up, Command::LinkChange(pair.upper.1, change));
        }
    }

    fn inherit(&mut self, (ns, index): Spot, mac: Mac) {
        let change = LinkChange { address: Some(mac), ..LinkChange::default() };
        let _ = self.apply_plain(ns, Command::LinkChange(index, change));
        if let Some(vlan) = self.port_of_mut((ns, index)).and_then(|port| port.rare.vlan.as_mut()) {
            vlan.inherits_mac = true;
        }
    }

    /// A frame goes on in another namespace.
    pub(super) fn cross(&mut self, way: Crossing, frame: FrameBuf) {
        let (number, rises) = match way {
            Crossing::Up(number) | Crossing::Decapsulated(number, _) => (number, true),
            Crossing::Down(number) | Crossing::Encapsulate(number, _) => (number, false),
        };
        let Some(pair) = self.stands.pairs.get(&number).copied() else { return self.pool.give(frame) };
        let (ns, index) = if rises { pair.upper } else { pair.lower };
        let spec = self.port_of(pair.upper).and_then(|port| port.rare.vxlan.as_ref()).map(|vxlan| vxlan.spec);
        let mode = self.port_of(pair.upper).and_then(|port| port.rare.macvlan).map(|macvlan| macvlan.mode);
        let siblings = mode == Some(vethlab_engine::link::MacvlanMode::Bridge);
        if !self.netns_exists(ns) {
            return self.pool.give(frame);
        }
        self.visit(ns, |stack, cx, watcher| match way {
            Crossing::Up(_) => stack.receive(cx, index, frame, watcher),
            Crossing::Decapsulated(_, from) => stack.vxlan_from_below(cx, index, from, frame, watcher),
            Crossing::Encapsulate(_, to) => {
                let spec = spec.unwrap_or(VxlanSpec::of(to.vni));
                stack.vxlan_from_above(cx, spec, to, frame, watcher);
            }
            Crossing::Down(_) if siblings => stack.macvlan_from_above(cx, index, number, frame, watcher),
            Crossing::Down(_) => stack.transmit_below(cx, index, frame, watcher),
        });
    }
}
