//! All ports of a namespace, by index.

use super::Port;
use crate::control::IfIndex;

/// The ports, sorted by index, as listings show them. Few enough for a sorted vector to beat any map.
#[derive(Debug, Default)]
pub struct Ports {
    sorted: Vec<Port>,
}

impl Ports {
    /// None yet.
    pub fn new() -> Ports {
        Ports::default()
    }

    /// The port of this index.
    #[inline]
    pub fn get(&self, index: IfIndex) -> Option<&Port> {
        self.position(index).ok().map(|at| &self.sorted[at])
    }

    /// The port of this index, to change it.
    #[inline]
    pub fn get_mut(&mut self, index: IfIndex) -> Option<&mut Port> {
        self.position(index).ok().map(|at| &mut self.sorted[at])
    }

    /// The port of this name.
    pub fn named(&self, name: &str) -> Option<&Port> {
        self.sorted.iter().find(|port| port.name == name)
    }

    /// All, by index.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Port> {
        self.sorted.iter()
    }

    /// All, by index, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Port> {
        self.sorted.iter_mut()
    }

    /// Adds a port; its index and its name must be free.
    pub fn insert(&mut self, port: Port) {
        debug_assert!(self.named(&port.name).is_none(), "two ports named {}", port.name);
        match self.position(port.index) {
            Ok(at) => debug_assert!(false, "index {} is taken by {}", port.index, self.sorted[at].name),
            Err(at) => self.sorted.insert(at, port),
        }
    }

    /// Takes a port out.
    pub fn remove(&mut self, index: IfIndex) -> Option<Port> {
        self.position(index).ok().map(|at| self.sorted.remove(at))
    }

    #[inline]
    fn position(&self, index: IfIndex) -> Result<usize, usize> {
        // Indexes are mostly 1, 2, 3, …: the first guess is nearly always right.
        let guess = (index as usize).wrapping_sub(1);
        match self.sorted.get(guess) {
            Some(port) if port.index == index => Ok(guess),
            _ => self.sorted.binary_search_by_key(&index, |port| port.index),
        }
    }
}
