//! Values by prefix, and the longest match among the prefixes: what a packet asks.
//!
//! Up to [`FEW`] prefixes stand in a sorted list. More of them are found by a hash of address and length, and a
//! [`Fib`] says which length is the longest at an address. So there may be as many prefixes as there is memory, and all
//! may have values of their own. Both forms give the same answers as [`reference`](super::reference), which the tests hold
//! them against.

use crate::addr::{Address, Prefix};
use crate::fib::{self, Fib, NO_ROUTE, Prefixes};

/// Up to so many prefixes are searched one after the other: that is faster than any search.
const FEW: usize = 8;

/// A map from prefixes to values that finds the longest prefix of an address.
#[derive(Debug)]
pub struct PrefixMap<A: Address, V> {
    form: Form<A, V>,
}

#[derive(Debug)]
enum Form<A: Address, V> {
    /// Sorted by address, then length: of the prefixes that hold an address, a longer one stands behind a shorter one.
    Few(Vec<(Prefix<A>, V)>),
    Many(Box<Many<A, V>>),
}

#[derive(Debug)]
struct Many<A: Address, V> {
    prefixes: Prefixes<A, V>,
    /// The length of the longest prefix. There is none once it was full: then all lengths in use are tried.
    lengths: Option<Fib<A>>,
}

impl<A: Address, V> Default for PrefixMap<A, V> {
    fn default() -> PrefixMap<A, V> {
        PrefixMap::new()
    }
}

impl<A: Address, V: Clone> Clone for PrefixMap<A, V> {
    fn clone(&self) -> PrefixMap<A, V> {
        let form = match &self.form {
            Form::Few(list) => Form::Few(list.clone()),
            Form::Many(many) => Form::Many(Box::new(Many::of(many.prefixes.clone()))),
        };
        PrefixMap { form }
    }
}

impl<A: Address, V> PrefixMap<A, V> {
    /// Empty.
    pub const fn new() -> PrefixMap<A, V> {
        PrefixMap { form: Form::Few(Vec::new()) }
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Few(list) => list.len(),
            Form::Many(many) => many.prefixes.len(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of exactly this prefix.
    #[inline]
    pub fn get(&self, prefix: Prefix<A>) -> Option<&V> {
        match &self.form {
            Form::Few(list) => list.iter().find(|entry| entry.0 == prefix).map(|entry| &entry.1),
            Form::Many(many) => many.prefixes.get(prefix),
        }
    }

    /// The value of exactly this prefix, to change it.
    pub fn get_mut(&mut self, prefix: Prefix<A>) -> Option<&mut V> {
        match &mut self.form {
            Form::Few(list) => place(list, prefix).ok().map(|at| &mut list[at].1),
            Form::Many(many) => many.prefixes.get_mut(prefix),
        }
    }

    /// Sets the value of a prefix and gives back the one it had.
    pub fn insert(&mut self, prefix: Prefix<A>, value: V) -> Option<V> {
        match &mut self.form {
            Form::Few(list) => match place(list, prefix) {
                Ok(at) => return Some(core::mem::replace(&mut list[at].1, value)),
                Err(at) => {
                    list.insert(at, (prefix, value));
                    if list.len() > FEW {
                        let mut prefixes = Prefixes::new();
                        for (prefix, value) in core::mem::take(list) {
                            prefixes.insert(prefix, value);
                        }
                        self.form = Form::Many(Box::new(Many::of(prefixes)));
                    }
                }
            },
            Form::Many(many) => return many.insert(prefix, value),
        }
        None
    }

    /// Takes a prefix out.
    pub fn remove(&mut self, prefix: Prefix<A>) -> Option<V> {
        match &mut self.form {
            Form::Few(list) => place(list, prefix).ok().map(|at| list.remove(at).1),
            Form::Many(many) => {
                let value = many.remove(prefix);
                self.shrink();
                value
            }
        }
    }

    /// Half of `FEW`, so that a prefix that comes and goes does not change the form each time.
    fn shrink(&mut self) {
        if let Form::Many(many) = &mut self.form
            && many.prefixes.len() <= FEW / 2
        {
            let mut list = core::mem::replace(&mut many.prefixes, Prefixes::new()).into_entries();
            list.sort_by_key(|entry| entry.0);
            self.form = Form::Few(list);
        }
    }

    /// The prefixes that hold `address`, the longest first. Does not allocate.
    #[inline]
    pub fn matches(&self, address: A) -> Matches<'_, A, V> {
        match &self.form {
            Form::Few(list) => Matches(Source::Few { list, address }),
            Form::Many(many) => Matches(Source::Many(many.prefixes.matches(address, many.above(address)))),
        }
    }

    /// The longest prefix that holds `address`.
    #[inline]
    pub fn lookup(&self, address: A) -> Option<(Prefix<A>, &V)> {
        self.matches(address).next()
    }

    /// All prefixes by address, then length.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix<A>, &V)> {
        let (few, mut many) = match &self.form {
            Form::Few(list) => (list.as_slice(), Vec::new()),
            Form::Many(many) => (Default::default(), many.prefixes.entries().collect()),
        };
        many.sort_unstable_by_key(|entry| entry.0);
        few.iter().map(|(prefix, value)| (*prefix, value)).chain(many)
    }

    /// Gives each value to `change`, in no order; those it answers `false` for are taken out.
    pub fn retain(&mut self, mut change: impl FnMut(Prefix<A>, &mut V) -> bool) {
        match &mut self.form {
            Form::Few(list) => list.retain_mut(|(prefix, value)| change(*prefix, value)),
            Form::Many(many) => {
                let changed = many.prefixes.entries_mut();
                let gone = changed.filter_map(|(prefix, value)| (!change(prefix, value)).then_some(prefix));
                let gone: Vec<Prefix<A>> = gone.collect();
                for prefix in gone {
                    many.remove(prefix);
                }
                self.shrink();
            }
        }
    }
}

impl<A: Address, V> Many<A, V> {
    fn of(prefixes: Prefixes<A, V>) -> Many<A, V> {
        let lengths = prefixes.entries().map(|(prefix, _)| (prefix, fib::NextHopId::from(prefix.length())));
        let lengths = Fib::build(lengths).ok();
        Many { prefixes, lengths }
    }

    fn insert(&mut self, prefix: Prefix<A>, value: V) -> Option<V> {
        let old = self.prefixes.insert(prefix, value);
        if old.is_none()
            && let Some(lengths) = &mut self.lengths
            && lengths.insert(prefix, prefix.length().into()).is_err()
        {
            self.lengths = None;
        }
        old
    }

    fn remove(&mut self, prefix: Prefix<A>) -> Option<V> {
        if let Some(lengths) = &mut self.lengths {
            lengths.remove(prefix);
        }
        self.prefixes.remove(prefix)
    }

    /// One more than the length of the longest prefix of an address, or than can be.
    #[inline]
    fn above(&self, address: A) -> u8 {
        match &self.lengths {
            // One more than none is 0.
            Some(lengths) => lengths.lookup(address).wrapping_add(1) as u8,
            None => A::BITS + 1,
        }
    }
}

const _: () = assert!(NO_ROUTE.wrapping_add(1) == 0);

fn place<A: Address, V>(list: &[(Prefix<A>, V)], prefix: Prefix<A>) -> Result<usize, usize> {
    list.binary_search_by_key(&prefix, |entry| entry.0)
}

/// What [`PrefixMap::matches`] gives.
#[derive(Clone, Debug)]
pub struct Matches<'a, A, V>(Source<'a, A, V>);

#[derive(Clone, Debug)]
enum Source<'a, A, V> {
    Few { list: &'a [(Prefix<A>, V)], address: A },
    Many(fib::Matches<'a, A, V>),
}

impl<'a, A: Address, V> Iterator for Matches<'a, A, V> {
    type Item = (Prefix<A>, &'a V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Few { list, address } => {
                while let Some(((prefix, value), before)) = list.split_last() {
                    *list = before;
                    if prefix.contains(*address) {
                        return Some((*prefix, value));
                    }
                }
                None
            }
            Source::Many(matches) => matches.next(),
        }
    }
}

#[cfg(test)]
mod tests;
