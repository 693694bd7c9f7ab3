//! The numbers of one directory of sysctls.
//!
//! There are hundreds of them to each interface, and nearly all hold what the kernel was compiled with: only what differs is
//! kept. Whether a number is 0 is asked for each packet, and is one bit.

use crate::few;
use crate::seldom::SeldomList;
use core::marker::PhantomData;

/// What indexes a directory of sysctls.
pub trait Key: Copy + Into<usize> {
    /// What each holds at first.
    const DEFAULTS: &'static [i64];
    /// One bit each: it is not 0 at first.
    const ON: u64;
}

/// What the sysctls of one `conf/NAME` or `neigh/NAME` hold, indexed by their enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values<K> {
    /// One bit a key: it is not 0.
    on: u64,
    /// One bit a key: set by hand, so that a change of `conf/default` no longer reaches it (`ipv4_devconf.state`).
    fixed: u64,
    /// Those of which that bit does not say all: neither what they were at first, nor 0 or 1 where they were 0 or 1 at first;
    /// by key.
    others: SeldomList<(u8, i64)>,
    keys: PhantomData<K>,
}

impl<K: Key> Default for Values<K> {
    /// What the kernel was compiled with.
    fn default() -> Self {
        Values { on: K::ON, fixed: 0, others: SeldomList::EMPTY, keys: PhantomData }
    }
}

impl<K: Key> Values<K> {
    /// The number.
    #[inline]
    pub fn get(&self, key: K) -> i64 {
        let at: usize = key.into();
        match (self.other(at), K::DEFAULTS[at]) {
            (Some(number), _) => number,
            (None, 0..=1) => (self.on >> at & 1) as i64,
            (None, first) => first,
        }
    }

    /// True if the number is not 0.
    #[inline]
    pub fn on(&self, key: K) -> bool {
        self.on >> key.into() & 1 != 0
    }

    /// Sets the number, for good: changes of `conf/default` no longer reach it.
    pub fn set(&mut self, key: K, number: i64) {
        let at: usize = key.into();
        self.keep(at, number);
        self.fixed |= 1 << at;
    }

    fn keep(&mut self, at: usize, number: i64) {
        let bit = 1 << at;
        self.on = self.on & !bit | if number != 0 { bit } else { 0 };
        let first = K::DEFAULTS[at];
        let told = number == first || (0..=1).contains(&number) && (0..=1).contains(&first);
        if !told || self.other(at).is_some() {
            self.keep_other(at, (!told).then_some(number));
        }
    }

    #[inline]
    fn other(&self, at: usize) -> Option<i64> {
        if self.others.is_empty() {
            return None;
        }
        self.others.iter().find(|(key, _)| usize::from(*key) == at).map(|(_, number)| *number)
    }

    #[cold]
    fn keep_other(&mut self, at: usize, number: Option<i64>) {
        self.others.change(|list| {
            list.retain(|(key, _)| usize::from(*key) != at);
            if let Some(number) = number {
                let place = list.partition_point(|(key, _)| usize::from(*key) < at);
                few::insert(list, place, (at as u8, number));
            }
        });
    }

    /// Sets the number, unless it was set by hand (`devinet_copy_dflt_conf`).
    pub(super) fn follow_default(&mut self, key: K, number: i64) {
        let at: usize = key.into();
        if self.fixed & (1 << at) == 0 {
            self.keep(at, number);
        }
    }

    /// From now on `conf/default` reaches none of them (`ipv4_devconf_setall`: an address was added).
    pub(crate) fn fix_all(&mut self) {
        self.fixed = u64::MAX;
    }

    /// A new interface's values, from those of `conf/default`.
    pub(super) fn inherit(&self) -> Self {
        Values { fixed: 0, ..self.clone() }
    }
}

/// What differs from a table of what is there at first, by place: for tables of which hardly anything is ever changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed<T> {
    /// By place.
    list: Vec<(u16, T)>,
}

impl<T> Changed<T> {
    /// Nothing was changed.
    pub(super) const NOTHING: Changed<T> = Changed { list: Vec::new() };

    /// True if nothing was.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What stands at a place, if it was changed.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        if self.list.is_empty() {
            return None;
        }
        self.place(at).ok().and_then(|place| self.list.get(place)).map(|(_, value)| value)
    }

    /// Changes it.
    pub(super) fn set(&mut self, at: usize, value: T) {
        match self.place(at) {
            Ok(place) => self.list[place].1 = value,
            Err(place) => self.list.insert(place, (at as u16, value)),
        }
    }

    fn place(&self, at: usize) -> Result<usize, usize> {
        self.list.binary_search_by_key(&at, |(place, _)| usize::from(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Conf6, Values6};
    use super::*;
    use crate::rng::Rng;

    /// Whatever is written, each number is what a plain array holds, and equal contents are equal.
    #[test]
    fn what_differs_is_kept() {
        let mut rng = Rng::new(5);
        let (mut values, mut plain) = (Values6::default(), Conf6::DEFAULTS.to_vec());
        for _ in 0..5000 {
            let key = Conf6::ALL[rng.below(Conf6::COUNT as u64) as usize];
            let at: usize = key.into();
            let number = [0, 1, -1, 1280, i64::from(u32::MAX), Conf6::DEFAULTS[at]][rng.below(6) as usize];
            values.set(key, number);
            plain[at] = number;
            for key in Conf6::ALL {
                let number = plain[usize::from(key)];
                assert_eq!((values.get(key), values.on(key)), (number, number != 0));
            }
        }
        Conf6::ALL.into_iter().for_each(|key| values.set(key, Conf6::DEFAULTS[usize::from(key)]));
        assert_eq!(values.inherit(), Values6::default());
    }
}
