//! All ports of a namespace, by index.

use super::{Bridge, Port, PortCounters, Vxlan};
use crate::control::IfIndex;
use crate::few;
use core::ops::Deref;

/// The ports, sorted by index, as listings show them. Few enough for a sorted vector to beat any map.
#[derive(Debug, Default)]
pub struct Ports {
    sorted: Vec<Port>,
    /// How often one of them was in somebody's hand to be changed, or came, or went.
    changes: u64,
}

/// A port as a frame passes it: what it is stays as it is, and its counters count.
#[derive(Debug)]
pub struct Passing<'a>(&'a mut Port);

impl Deref for Passing<'_> {
    type Target = Port;

    #[inline]
    fn deref(&self) -> &Port {
        self.0
    }
}

impl Passing<'_> {
    /// What it counts.
    #[inline]
    pub fn counters(&mut self) -> &mut PortCounters {
        &mut self.0.counters
    }
}

impl Ports {
    /// None yet.
    pub fn new() -> Ports {
        Ports::default()
    }

    /// The port of this index.
    #[inline]
    pub fn get(&self, index: IfIndex) -> Option<&Port> {
        // Indexes are mostly 1, 2, 3, …: the first guess is nearly always right.
        match self.sorted.get((index as usize).wrapping_sub(1)) {
            Some(port) if port.index == index => Some(port),
            _ => self.position(index).ok().and_then(|at| self.sorted.get(at)),
        }
    }

    #[inline]
    fn at_mut(&mut self, index: IfIndex) -> Option<&mut Port> {
        let guess = (index as usize).wrapping_sub(1);
        if self.sorted.get(guess).is_some_and(|port| port.index == index) {
            return self.sorted.get_mut(guess);
        }
        self.position(index).ok().and_then(|at| self.sorted.get_mut(at))
    }

    /// The port of this index, to change it.
    pub fn get_mut(&mut self, index: IfIndex) -> Option<&mut Port> {
        self.changes += 1;
        self.at_mut(index)
    }

    /// The port of this index, by which a frame passes.
    #[inline]
    pub fn passing(&mut self, index: IfIndex) -> Option<Passing<'_>> {
        self.at_mut(index).map(Passing)
    }

    /// What the port of this index counts.
    #[inline]
    pub fn counters_mut(&mut self, index: IfIndex) -> Option<&mut PortCounters> {
        self.at_mut(index).map(|port| &mut port.counters)
    }

    /// What the bridge of this index has learned, to learn more: no route depends on that.
    pub fn bridge_mut(&mut self, index: IfIndex) -> Option<&mut Bridge> {
        self.at_mut(index)?.rare.bridge.as_deref_mut()
    }

    /// The same of a VXLAN.
    pub fn vxlan_mut(&mut self, index: IfIndex) -> Option<&mut Vxlan> {
        self.at_mut(index)?.rare.vxlan.as_deref_mut()
    }

    /// How often ports were changed, but for what they count and what bridges and VXLANs learn.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The port of this name.
    pub fn named(&self, name: &str) -> Option<&Port> {
        self.sorted.iter().find(|port| port.name == *name)
    }

    /// All, by index.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Port> {
        self.sorted.iter()
    }

    /// All, by index, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Port> {
        self.changes += 1;
        self.sorted.iter_mut()
    }

    /// Adds a port; its index and its name must be free.
    pub fn insert(&mut self, port: Port) {
        self.changes += 1;
        debug_assert!(self.named(&port.name).is_none(), "two ports named {}", port.name);
        match self.position(port.index) {
            Ok(at) => debug_assert!(false, "index {} is taken by {}", port.index, self.sorted[at].name),
            Err(at) => {
                // Whoever has one link has two, as a rule.
                if self.sorted.len() == 1 {
                    self.sorted.reserve_exact(2);
                }
                few::insert(&mut self.sorted, at, port);
            }
        }
    }

    /// Takes a port out.
    pub fn remove(&mut self, index: IfIndex) -> Option<Port> {
        self.changes += 1;
        self.position(index).ok().map(|at| self.sorted.remove(at))
    }

    #[inline]
    fn position(&self, index: IfIndex) -> Result<usize, usize> {
        self.sorted.binary_search_by_key(&index, |port| port.index)
    }
}
