//! Values by prefix, and the longest match among the prefixes: what a packet asks.
//!
//! Up to [`FEW`] prefixes stand in a sorted list. More of them are found by a hash of address and length, and a
//! [`Fib`] says which length is the longest at an address. So there may be as many prefixes as there is memory, and all
//! may have values of their own. A prefix may have a [label](PrefixMap::label), which is told without a look at its value: the
//! `Fib` knows it, too. Both forms give the same answers as [`reference`](super::reference), which the tests hold them against.

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
    Few(Vec<Entry<A, V>>),
    Many(Box<Many<A, V>>),
}

#[derive(Clone, Debug)]
struct Entry<A, V> {
    prefix: Prefix<A>,
    label: u8,
    value: V,
}

#[derive(Debug)]
struct Many<A: Address, V> {
    prefixes: Prefixes<A, V>,
    /// The length of the longest prefix and its label, see [`packed`]. There is none once it was full: then all lengths in
    /// use are tried, and nothing has a label.
    lengths: Option<Fib<A>>,
}

/// What a [`Fib`] says of a prefix.
fn packed(prefix: Prefix<impl Address>, label: u8) -> fib::NextHopId {
    fib::NextHopId::from(label) << 8 | fib::NextHopId::from(prefix.length())
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
            Form::Many(many) => Form::Many(Box::new(Many::of(many.prefixes.clone(), |prefix| many.label(prefix)))),
        };
        PrefixMap { form }
    }
}

impl<A: Address, V> PrefixMap<A, V> {
    /// The highest label.
    pub const LABELS: u8 = 126;

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
            Form::Few(list) => list.iter().find(|entry| entry.prefix == prefix).map(|entry| &entry.value),
            Form::Many(many) => many.prefixes.get(prefix),
        }
    }

    /// The value of exactly this prefix, to change it.
    pub fn get_mut(&mut self, prefix: Prefix<A>) -> Option<&mut V> {
        match &mut self.form {
            Form::Few(list) => place(list, prefix).ok().map(|at| &mut list[at].value),
            Form::Many(many) => many.prefixes.get_mut(prefix),
        }
    }

    /// Labels a prefix, if it is there: from 1 to [`LABELS`](PrefixMap::LABELS), or 0, which they have from the beginning.
    pub fn set_label(&mut self, prefix: Prefix<A>, label: u8) {
        let label = if label > Self::LABELS { 0 } else { label };
        match &mut self.form {
            Form::Few(list) => {
                if let Ok(at) = place(list, prefix) {
                    list[at].label = label;
                }
            }
            Form::Many(many) => many.set_label(prefix, label),
        }
    }

    /// The label of the longest prefix that holds `address`; 0 if there is none, or too many to tell.
    #[inline(always)]
    pub fn label(&self, address: A) -> u8 {
        match &self.form {
            Form::Few(list) => {
                list.iter().rev().find(|entry| entry.prefix.contains(address)).map_or(0, |entry| entry.label)
            }
            Form::Many(many) => many.label_at(address),
        }
    }

    /// Sets the value of a prefix and gives back the one it had.
    pub fn insert(&mut self, prefix: Prefix<A>, value: V) -> Option<V> {
        self.insert_labelled(prefix, value, 0)
    }

    /// The same; a prefix that was not there gets this label.
    pub fn insert_labelled(&mut self, prefix: Prefix<A>, value: V, label: u8) -> Option<V> {
        let label = if label > Self::LABELS { 0 } else { label };
        match &mut self.form {
            Form::Few(list) => match place(list, prefix) {
                Ok(at) => return Some(core::mem::replace(&mut list[at].value, value)),
                Err(at) => {
                    list.insert(at, Entry { prefix, label, value });
                    if list.len() > FEW {
                        self.form = Form::Many(Box::new(Many::of_few(core::mem::take(list))));
                    }
                }
            },
            Form::Many(many) => return many.insert(prefix, value, label),
        }
        None
    }

    /// Takes a prefix out.
    pub fn remove(&mut self, prefix: Prefix<A>) -> Option<V> {
        match &mut self.form {
            Form::Few(list) => place(list, prefix).ok().map(|at| list.remove(at).value),
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
            let entries = core::mem::replace(&mut many.prefixes, Prefixes::new()).into_entries();
            let labelled = |(prefix, value)| Entry { prefix, label: many.label(prefix), value };
            let mut list: Vec<Entry<A, V>> = entries.into_iter().map(labelled).collect();
            list.sort_by_key(|entry| entry.prefix);
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
        few.iter().map(|entry| (entry.prefix, &entry.value)).chain(many)
    }

    /// Gives each value to `change`, in no order; those it answers `false` for are taken out.
    pub fn retain(&mut self, mut change: impl FnMut(Prefix<A>, &mut V) -> bool) {
        match &mut self.form {
            Form::Few(list) => list.retain_mut(|entry| change(entry.prefix, &mut entry.value)),
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
    fn of(prefixes: Prefixes<A, V>, label: impl Fn(Prefix<A>) -> u8) -> Many<A, V> {
        let lengths = prefixes.entries().map(|(prefix, _)| (prefix, packed(prefix, label(prefix))));
        let lengths = Fib::build(lengths).ok();
        Many { prefixes, lengths }
    }

    fn of_few(list: Vec<Entry<A, V>>) -> Many<A, V> {
        let labels: Vec<(Prefix<A>, u8)> = list.iter().map(|entry| (entry.prefix, entry.label)).collect();
        let mut prefixes = Prefixes::new();
        for Entry { prefix, value, .. } in list {
            prefixes.insert(prefix, value);
        }
        Many::of(prefixes, |prefix| labels.iter().find(|(other, _)| *other == prefix).map_or(0, |(_, label)| *label))
    }

    /// The label of the longest prefix of an address.
    #[inline(never)]
    fn label_at(&self, address: A) -> u8 {
        match self.lengths.as_ref().map_or(NO_ROUTE, |lengths| lengths.lookup(address)) {
            NO_ROUTE => 0,
            packed => (packed >> 8) as u8,
        }
    }

    /// The label of exactly this prefix.
    fn label(&self, prefix: Prefix<A>) -> u8 {
        self.lengths.as_ref().and_then(|lengths| lengths.get(prefix)).map_or(0, |packed| (packed >> 8) as u8)
    }

    fn set_label(&mut self, prefix: Prefix<A>, label: u8) {
        if let Some(lengths) = &mut self.lengths
            && lengths.get(prefix).is_some_and(|known| known != packed(prefix, label))
            && lengths.insert(prefix, packed(prefix, label)).is_err()
        {
            self.lengths = None;
        }
    }

    fn insert(&mut self, prefix: Prefix<A>, value: V, label: u8) -> Option<V> {
        let old = self.prefixes.insert(prefix, value);
        if old.is_none()
            && let Some(lengths) = &mut self.lengths
            && lengths.insert(prefix, packed(prefix, label)).is_err()
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
            Some(lengths) => (lengths.lookup(address) as u8).wrapping_add(1),
            None => A::BITS + 1,
        }
    }
}

const _: () = assert!((NO_ROUTE as u8).wrapping_add(1) == 0);
const _: () = assert!((PrefixMap::<crate::addr::Ipv6Addr, ()>::LABELS as usize) << 8 | 128 < fib::MAX_NEXT_HOPS);

fn place<A: Address, V>(list: &[Entry<A, V>], prefix: Prefix<A>) -> Result<usize, usize> {
    list.binary_search_by_key(&prefix, |entry| entry.prefix)
}

/// What [`PrefixMap::matches`] gives.
#[derive(Clone, Debug)]
pub struct Matches<'a, A, V>(Source<'a, A, V>);

#[derive(Clone, Debug)]
enum Source<'a, A, V> {
    Few { list: &'a [Entry<A, V>], address: A },
    Many(fib::Matches<'a, A, V>),
}

impl<'a, A: Address, V> Iterator for Matches<'a, A, V> {
    type Item = (Prefix<A>, &'a V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Few { list, address } => {
                while let Some((entry, before)) = list.split_last() {
                    *list = before;
                    if entry.prefix.contains(*address) {
                        return Some((entry.prefix, &entry.value));
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
