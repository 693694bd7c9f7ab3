//! The numbers of one directory of sysctls.

use core::marker::PhantomData;

/// What the sysctls of one `conf/NAME` or `neigh/NAME` hold, indexed by their enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values<K, const N: usize> {
    numbers: [i64; N],
    /// One bit a key: set by hand, so that a change of `conf/default` no longer reaches it (`ipv4_devconf.state`).
    fixed: u64,
    keys: PhantomData<K>,
}

impl<K: Into<usize> + Copy, const N: usize> Values<K, N> {
    pub(super) const fn new(numbers: [i64; N]) -> Self {
        Values { numbers, fixed: 0, keys: PhantomData }
    }

    /// The number.
    #[inline]
    pub fn get(&self, key: K) -> i64 {
        self.numbers[key.into()]
    }

    /// True if the number is not 0.
    #[inline]
    pub fn on(&self, key: K) -> bool {
        self.get(key) != 0
    }

    /// Sets the number, for good: changes of `conf/default` no longer reach it.
    pub fn set(&mut self, key: K, number: i64) {
        let at: usize = key.into();
        self.numbers[at] = number;
        self.fixed |= 1 << at;
    }

    /// Sets the number, unless it was set by hand (`devinet_copy_dflt_conf`).
    pub(super) fn follow_default(&mut self, key: K, number: i64) {
        let at: usize = key.into();
        if self.fixed & (1 << at) == 0 {
            self.numbers[at] = number;
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
