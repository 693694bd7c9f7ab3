//! The numbers of one directory of sysctls.
//!
//! There are hundreds of them to each interface, and nearly all hold what the kernel was compiled with: only what differs is
//! kept. Whether a number is 0 is asked for each packet, and is one bit.

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
    /// One bit a key: it is not what it was at first.
    differs: u64,
    /// One bit a key: set by hand, so that a change of `conf/default` no longer reaches it (`ipv4_devconf.state`).
    fixed: u64,
    /// Those that differ and are neither 0 nor 1, by key.
    others: Box<[(u8, i64)]>,
    keys: PhantomData<K>,
}

impl<K: Key> Default for Values<K> {
    /// What the kernel was compiled with.
    fn default() -> Self {
        Values { on: K::ON, differs: 0, fixed: 0, others: Box::default(), keys: PhantomData }
    }
}

impl<K: Key> Values<K> {
    /// The number.
    #[inline]
    pub fn get(&self, key: K) -> i64 {
        let at: usize = key.into();
        if self.differs & 1 << at == 0 {
            return K::DEFAULTS[at];
        }
        let other = self.others.iter().find(|(other, _)| usize::from(*other) == at);
        other.map_or((self.on >> at & 1) as i64, |(_, number)| *number)
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
        let mark = |word: &mut u64, set: bool| *word = *word & !bit | if set { bit } else { 0 };
        mark(&mut self.on, number != 0);
        mark(&mut self.differs, number != K::DEFAULTS[at]);
        let differs = self.differs & bit != 0 && !(0..=1).contains(&number);
        let key = at as u8;
        if differs || self.others.iter().any(|(other, _)| *other == key) {
            let mut others = core::mem::take(&mut self.others).into_vec();
            others.retain(|(other, _)| *other != key);
            let place = others.partition_point(|(other, _)| *other < key);
            if differs {
                others.reserve_exact(1);
                others.insert(place, (key, number));
            }
            self.others = others.into_boxed_slice();
        }
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
