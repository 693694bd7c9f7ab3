//! Cables: two ends, each at a port of a namespace or at the simulated outside, and a delay.

use super::{Driver, NsId, Peer, World};
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::{OperState, Port, PortKind};
use vethlab_engine::time::Duration;

/// How long a frame is on its way from end to end, unless something else is asked for: two of them make the round trip
/// of a ping between two namespaces of an idle machine.
pub(super) const DELAY: Duration = Duration::from_micros(20);

/// A cable's number; never given twice, and never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CableId(u32);

/// One end of a cable: what stays the same when the port at it gets another index, name or namespace. Twice the cable's
/// number, and one more for its second end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End(u32);

impl CableId {
    /// Its ends.
    pub(super) fn ends(self) -> [End; 2] {
        [End(self.0 << 1), End(self.0 << 1 | 1)]
    }
}

impl End {
    /// The end of a cable that has a number.
    #[cfg(test)]
    pub(super) fn at(cable: u32, side: u8) -> End {
        End(cable << 1 | u32::from(side & 1))
    }

    /// Its cable.
    #[inline]
    pub(super) fn cable(self) -> CableId {
        CableId(self.0 >> 1)
    }

    /// 0 or 1.
    #[inline]
    pub(super) fn side(self) -> usize {
        (self.0 & 1) as usize
    }

    /// The other end.
    #[inline]
    pub(super) fn other(self) -> End {
        End(self.0 ^ 1)
    }

    /// A number for it.
    #[inline]
    pub(super) fn way(self) -> u64 {
        self.0.into()
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
    /// Per end: bytes of a frame that the port there takes; 0 while it is down.
    pub(super) takes: [u32; 2],
    /// A network card's: it has a carrier whether the other end is up or not, and survives its namespace.
    pub(super) physical: bool,
    /// Per end: the port takes frames to send (`dev_activate`), which with a carrier that has just come needs the link
    /// watch.
    pub(super) active: [bool; 2],
    /// Per end: where it stands in the list of the link watch; 0 if it does not.
    pub(super) watched: [u64; 2],
}

/// All cables, by number: a list, of which a place stays empty where a cable is gone.
#[derive(Debug, Default)]
pub(super) struct Cables {
    list: Vec<Option<Cable>>,
}

impl Cables {
    #[inline]
    pub(super) fn get(&self, id: CableId) -> Option<&Cable> {
        self.list.get((id.0 as usize).wrapping_sub(1))?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: CableId) -> Option<&mut Cable> {
        self.list.get_mut((id.0 as usize).wrapping_sub(1))?.as_mut()
    }

    /// Where an end is.
    #[inline]
    pub(super) fn place(&self, end: End) -> Option<Place> {
        self.get(end.cable()).map(|cable| cable.places[end.side()])
    }

    /// All, by number.
    #[cfg(debug_assertions)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (CableId, &Cable)> {
        (1..).zip(&self.list).filter_map(|(number, cable)| Some((CableId(number), cable.as_ref()?)))
    }

    fn insert(&mut self, cable: Cable) -> CableId {
        self.list.push(Some(cable));
        CableId(self.list.len() as u32)
    }

    pub(super) fn remove(&mut self, id: CableId) {
        if let Some(place) = self.list.get_mut((id.0 as usize).wrapping_sub(1)) {
            *place = None;
        }
    }
}

impl World {
    /// The end of a cable at a port.
    pub(super) fn end_at(&self, ns: NsId, index: IfIndex) -> Option<End> {
        self.nets.get(ns)?.end(index)
    }

    /// Where an end is.
    pub(super) fn place(&self, end: End) -> Option<Place> {
        self.cables.place(end)
    }

    /// The port at an end.
    pub(super) fn port_at(&self, end: End) -> Option<(NsId, &Port)> {
        let Place::Port(ns, index) = self.place(end)? else { return None };
        Some((ns, self.nets.get(ns)?.stack.ports().get(index)?))
    }

    /// True if this end's port takes frames to send.
    pub(super) fn is_active(&self, end: End) -> bool {
        self.cables.get(end.cable()).is_some_and(|cable| cable.active[end.side()])
    }

    pub(super) fn set_active(&mut self, end: End, on: bool) {
        if let Some(cable) = self.cables.get_mut(end.cable()) {
            cable.active[end.side()] = on;
        }
    }

    /// Lays a cable between two ports that are there already, or between a port and the outside.
    pub(super) fn lay_cable(&mut self, places: [Place; 2], physical: bool) -> CableId {
        let cable = Cable { places, delay: DELAY, takes: [0; 2], physical, active: [physical; 2], watched: [0; 2] };
        let id = self.cables.insert(cable);
        for (end, place) in id.ends().into_iter().zip(places) {
            self.plug(end, place);
        }
        self.tell_ends(id);
        id
    }

    /// Puts an end at a place; the place where it was must have been left.
    pub(super) fn plug(&mut self, end: End, place: Place) {
        if let Some(cable) = self.cables.get_mut(end.cable()) {
            cable.places[end.side()] = place;
        }
        if let Place::Port(ns, index) = place
            && let Some(net) = self.nets.get_mut(ns)
        {
            net.plug(index, end);
        }
    }

    /// Pulls out what is plugged into a port.
    pub(super) fn pull(&mut self, ns: NsId, index: IfIndex) {
        if let Some(net) = self.nets.get_mut(ns) {
            net.pull(index);
        }
    }

    /// What drives a port.
    pub fn driver(&self, ns: NsId, index: IfIndex) -> Option<Driver> {
        let port = self.nets.get(ns)?.stack.ports().get(index)?;
        if port.is_loopback() {
            return Some(Driver::Loopback);
        }
        let cable = self.end_at(ns, index).and_then(|end| self.cables.get(end.cable()));
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
        let cable = self.cables.get(end.cable()).filter(|cable| !cable.physical)?;
        match cable.places[end.other().side()] {
            Place::Port(netns, index) => Some(Peer { netns, index }),
            Place::Internet | Place::Device(_) => None,
        }
    }

    /// Delay of a cable, both ways. Frames that are on their way keep theirs.
    pub fn link_delay(&mut self, ns: NsId, index: IfIndex, delay: Duration) {
        if let Some(end) = self.end_at(ns, index)
            && let Some(cable) = self.cables.get_mut(end.cable())
        {
            cable.delay = delay;
        }
    }

    /// `IFLA_OPERSTATE`: what the link watch has noticed, and DOWN for a port that is not up.
    pub fn operstate(&self, ns: NsId, index: IfIndex) -> OperState {
        let port = self.nets.get(ns).and_then(|net| net.stack.ports().get(index));
        port.filter(|port| port.is_up()).map_or(OperState::Down, |port| port.operstate)
    }
}
