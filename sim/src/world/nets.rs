//! The namespaces of a world, by number. Numbers are never given twice and begin with 0, so that a list is the fastest map:
//! of a namespace that is gone, eight bytes stay.

use super::NsId;
use super::cable::End;
use std::sync::Arc;
use vethlab_engine::Stack;
use vethlab_engine::control::IfIndex;

/// A namespace.
pub(super) struct Net {
    pub(super) stack: Stack,
    /// Processes that live in it.
    pub(super) holds: u32,
    /// How many names it has.
    pub(super) names: u32,
    /// The newest of them.
    pub(super) name: Option<Arc<str>>,
    /// The cables plugged into its ports, by port.
    ends: Vec<(IfIndex, End)>,
    /// The interface number that was given last.
    pub(super) last_index: IfIndex,
}

impl Net {
    pub(super) fn new(seed: u64) -> Net {
        Net { stack: Stack::new(seed), holds: 0, names: 0, name: None, ends: Vec::new(), last_index: 1 }
    }

    /// The end of a cable at a port.
    #[inline]
    pub(super) fn end(&self, index: IfIndex) -> Option<End> {
        // `lo` is number 1 and has none: the first guess is nearly always right.
        match self.ends.get((index as usize).wrapping_sub(2)) {
            Some((at, end)) if *at == index => Some(*end),
            _ => self.place(index).ok().and_then(|at| self.ends.get(at)).map(|(_, end)| *end),
        }
    }

    /// Plugs one into a port.
    pub(super) fn plug(&mut self, index: IfIndex, end: End) {
        match self.place(index) {
            Ok(at) => self.ends[at].1 = end,
            Err(at) => {
                // Most namespaces have one or two.
                if self.ends.len() < 2 {
                    self.ends.reserve_exact(1);
                }
                self.ends.insert(at, (index, end));
            }
        }
    }

    /// Pulls it out.
    pub(super) fn pull(&mut self, index: IfIndex) {
        if let Ok(at) = self.place(index) {
            self.ends.remove(at);
        }
    }

    fn place(&self, index: IfIndex) -> Result<usize, usize> {
        self.ends.binary_search_by_key(&index, |(at, _)| *at)
    }
}

impl NsId {
    /// Its place in lists: the outside's is the first, the host's the next.
    #[inline]
    pub(super) fn slot(self) -> usize {
        self.0.wrapping_add(1) as usize
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Nets {
    /// By [`NsId::slot`].
    slots: Vec<Option<Box<Net>>>,
    count: usize,
}

impl Nets {
    #[inline]
    pub(super) fn get(&self, ns: NsId) -> Option<&Net> {
        self.slots.get(ns.slot())?.as_deref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, ns: NsId) -> Option<&mut Net> {
        self.slots.get_mut(ns.slot())?.as_deref_mut()
    }

    pub(super) fn insert(&mut self, ns: NsId, net: Net) {
        let slot = ns.slot();
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.slots.get_mut(slot) {
            self.count += usize::from(place.replace(Box::new(net)).is_none());
        }
    }

    pub(super) fn remove(&mut self, ns: NsId) -> bool {
        let gone = self.slots.get_mut(ns.slot()).and_then(Option::take).is_some();
        self.count -= usize::from(gone);
        gone
    }

    /// How many there are.
    #[cfg(debug_assertions)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// All, by number: the outside comes last.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NsId, &Net)> {
        let outside = self.get(NsId::OUTSIDE).map(|net| (NsId::OUTSIDE, net));
        let others = self.slots.iter().skip(1).zip(0..);
        others.filter_map(|(net, number)| Some((NsId(number), net.as_deref()?))).chain(outside)
    }
}
