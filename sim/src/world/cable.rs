//! Cables: two ends, each at a port of a namespace or at the simulated outside, and a delay.

use super::{Driver, NsId, Peer, World};
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::{OperState, Port, PortKind};
use vethlab_engine::time::Duration;

/// How long a frame is on its way from end to end, unless something else is asked for: two of them make the round trip
/// of a ping between two namespaces of an idle machine.
pub(super) const DELAY: Duration = Duration::from_micros(20);

/// A cable's number; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct CableId(pub(super) u64);

/// One end of a cable: what stays the same when the port at it gets another index, name or namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) cable: CableId,
    /// 0 or 1.
    pub(super) side: u8,
}

impl End {
    /// The other end.
    pub(super) fn other(self) -> End {
        End { side: 1 - self.side, ..self }
    }

    /// A number for it.
    pub(super) fn way(self) -> u64 {
        self.cable.0 * 2 + u64::from(self.side)
    }
}

/// Where an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a port of a namespace.
    Port(NsId, IfIndex),
    /// At the simulated outside.
    Internet,
    /// At a real interface: the number of its device.
    Device(usize),
}

/// Two ends and what lies between them.
#[derive(Debug)]
pub(super) struct Cable {
    pub(super) places: [Place; 2],
    pub(super) delay: Duration,
    /// A network card's: it has a carrier whether the other end is up or not, and survives its namespace.
    pub(super) physical: bool,
    /// Per end: the port takes frames to send (`dev_activate`), which with a carrier that has just come needs the link
    /// watch.
    pub(super) active: [bool; 2],
}

impl World {
    /// The end of a cable at a port.
    pub(super) fn end_at(&self, ns: NsId, index: IfIndex) -> Option<End> {
        self.nets.get(&ns)?.ends.get(&index).copied()
    }

    /// Where an end is.
    pub(super) fn place(&self, end: End) -> Option<Place> {
        self.cables.get(&end.cable).map(|cable| cable.places[usize::from(end.side & 1)])
    }

    /// The port at an end.
    pub(super) fn port_at(&self, end: End) -> Option<(NsId, &Port)> {
        let Place::Port(ns, index) = self.place(end)? else { return None };
        Some((ns, self.nets.get(&ns)?.stack.ports().get(index)?))
    }

    /// True if this end's port takes frames to send.
    pub(super) fn is_active(&self, end: End) -> bool {
        self.cables.get(&end.cable).is_some_and(|cable| cable.active[usize::from(end.side & 1)])
    }

    pub(super) fn set_active(&mut self, end: End, on: bool) {
        if let Some(cable) = self.cables.get_mut(&end.cable) {
            cable.active[usize::from(end.side & 1)] = on;
        }
    }

    /// Lays a cable between two ports that are there already, or between a port and the outside.
    pub(super) fn lay_cable(&mut self, places: [Place; 2], physical: bool) -> CableId {
        self.last_cable.0 += 1;
        let id = self.last_cable;
        self.cables.insert(id, Cable { places, delay: DELAY, physical, active: [physical; 2] });
        for (side, place) in [0, 1].into_iter().zip(places) {
            self.plug(End { cable: id, side }, place);
        }
        self.tell_ends(id);
        id
    }

    /// Puts an end at a place; the place where it was must have been left.
    pub(super) fn plug(&mut self, end: End, place: Place) {
        if let Some(cable) = self.cables.get_mut(&end.cable) {
            cable.places[usize::from(end.side & 1)] = place;
        }
        if let Place::Port(ns, index) = place
            && let Some(net) = self.nets.get_mut(&ns)
        {
            net.ends.insert(index, end);
        }
    }

    /// What drives a port.
    pub fn driver(&self, ns: NsId, index: IfIndex) -> Option<Driver> {
        let port = self.nets.get(&ns)?.stack.ports().get(index)?;
        if port.is_loopback() {
            return Some(Driver::Loopback);
        }
        let cable = self.end_at(ns, index).and_then(|end| self.cables.get(&end.cable));
        Some(match cable {
            Some(cable) if cable.places.iter().any(|place| matches!(place, Place::Device(_))) => Driver::External,
            Some(cable) if cable.physical => Driver::Physical,
            Some(_) => Driver::Veth,
            None if port.kind != PortKind::Ethernet => Driver::Virtual,
            None => Driver::External,
        })
    }

    /// The other end of a veth cable.
    pub fn peer(&self, ns: NsId, index: IfIndex) -> Option<Peer> {
        let end = self.end_at(ns, index)?;
        let cable = self.cables.get(&end.cable).filter(|cable| !cable.physical)?;
        match cable.places[usize::from(end.other().side & 1)] {
            Place::Port(netns, index) => Some(Peer { netns, index }),
            Place::Internet | Place::Device(_) => None,
        }
    }

    /// Delay of a cable, both ways. Frames that are on their way keep theirs.
    pub fn link_delay(&mut self, ns: NsId, index: IfIndex, delay: Duration) {
        if let Some(end) = self.end_at(ns, index)
            && let Some(cable) = self.cables.get_mut(&end.cable)
        {
            cable.delay = delay;
        }
    }

    /// `IFLA_OPERSTATE`: what the link watch has noticed, and DOWN for a port that is not up.
    pub fn operstate(&self, ns: NsId, index: IfIndex) -> OperState {
        let port = self.nets.get(&ns).and_then(|net| net.stack.ports().get(index));
        port.filter(|port| port.is_up()).map_or(OperState::Down, |port| port.operstate)
    }
}
