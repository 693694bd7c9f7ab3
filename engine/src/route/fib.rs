//! Prefixes, and the longest match among them: what a packet asks.
//!
//! [`Fib`] is the interface; behind it stands, up to [`FEW`] prefixes, a sorted list, and above a trie. Both give the same
//! answers as [`reference`](super::reference), which the tests hold them against.

mod trie;

use crate::addr::{Address, Prefix};
use trie::Trie;

/// Up to so many prefixes are searched one after the other: that is faster than any tree.
const FEW: usize = 8;

/// A map from prefixes to values that finds the longest prefix of an address.
#[derive(Clone, Debug)]
pub struct Fib<A, V> {
    form: Form<A, V>,
}

#[derive(Clone, Debug)]
enum Form<A, V> {
    /// Sorted by address, then length: of the prefixes that hold an address, a longer one stands behind a shorter one.
    Few(Vec<(Prefix<A>, V)>),
    Many(Trie<A, V>),
}

impl<A: Address, V> Default for Fib<A, V> {
    fn default() -> Fib<A, V> {
        Fib::new()
    }
}

impl<A: Address, V> Fib<A, V> {
    /// Empty.
    pub const fn new() -> Fib<A, V> {
        Fib { form: Form::Few(Vec::new()) }
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Few(list) => list.len(),
            Form::Many(trie) => trie.len(),
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
            Form::Many(trie) => trie.get(prefix),
        }
    }

    /// The value of exactly this prefix, to change it.
    pub fn get_mut(&mut self, prefix: Prefix<A>) -> Option<&mut V> {
        match &mut self.form {
            Form::Few(list) => place(list, prefix).ok().map(|at| &mut list[at].1),
            Form::Many(trie) => trie.get_mut(prefix),
        }
    }

    /// Sets the value of a prefix and gives back the one it had.
    pub fn insert(&mut self, prefix: Prefix<A>, value: V) -> Option<V> {
        match &mut self.form {
            Form::Few(list) => match place(list, prefix) {
                Ok(at) => return Some(core::mem::replace(&mut list[at].1, value)),
                Err(at) if list.len() < FEW => list.insert(at, (prefix, value)),
                Err(_) => {
                    let mut trie = Trie::new();
                    for (prefix, value) in core::mem::take(list) {
                        trie.insert(prefix, value);
                    }
                    trie.insert(prefix, value);
                    self.form = Form::Many(trie);
                }
            },
            Form::Many(trie) => return trie.insert(prefix, value),
        }
        None
    }

    /// Takes a prefix out.
    pub fn remove(&mut self, prefix: Prefix<A>) -> Option<V> {
        match &mut self.form {
            Form::Few(list) => place(list, prefix).ok().map(|at| list.remove(at).1),
            Form::Many(trie) => {
                let value = trie.remove(prefix);
                // Half of FEW, so that a prefix that comes and goes does not rebuild the form each time.
                if trie.len() <= FEW / 2 {
                    self.form = Form::Few(trie.take().collect());
                }
                value
            }
        }
    }

    /// The prefixes that hold `address`, the longest first. Does not allocate.
    #[inline]
    pub fn matches(&self, address: A) -> Matches<'_, A, V> {
        match &self.form {
            Form::Few(list) => Matches(Source::Few { list, address }),
            Form::Many(trie) => Matches(Source::Many { trie, node: trie.deepest(address) }),
        }
    }

    /// The longest prefix that holds `address`.
    #[inline]
    pub fn lookup(&self, address: A) -> Option<(Prefix<A>, &V)> {
        self.matches(address).next()
    }

    /// All prefixes by address, then length.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix<A>, &V)> {
        let (few, many) = match &self.form {
            Form::Few(list) => (list.as_slice(), None),
            Form::Many(trie) => (Default::default(), Some(trie.iter())),
        };
        few.iter().map(|(prefix, value)| (*prefix, value)).chain(many.into_iter().flatten())
    }

    /// Gives each value to `change`, by address, then length; those it answers `false` for are taken out.
    pub fn retain(&mut self, mut change: impl FnMut(Prefix<A>, &mut V) -> bool) {
        match &mut self.form {
            Form::Few(list) => list.retain_mut(|(prefix, value)| change(*prefix, value)),
            Form::Many(trie) => {
                let prefixes: Vec<Prefix<A>> = trie.iter().map(|(prefix, _)| prefix).collect();
                for prefix in prefixes {
                    if !self.get_mut(prefix).is_none_or(|value| change(prefix, value)) {
                        self.remove(prefix);
                    }
                }
            }
        }
    }
}

fn place<A: Address, V>(list: &[(Prefix<A>, V)], prefix: Prefix<A>) -> Result<usize, usize> {
    list.binary_search_by_key(&prefix, |entry| entry.0)
}

/// What [`Fib::matches`] gives.
#[derive(Clone, Debug)]
pub struct Matches<'a, A, V>(Source<'a, A, V>);

#[derive(Clone, Debug)]
enum Source<'a, A, V> {
    Few { list: &'a [(Prefix<A>, V)], address: A },
    Many { trie: &'a Trie<A, V>, node: u32 },
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
            Source::Many { trie, node } => trie.upwards(node),
        }
    }
}

#[cfg(test)]
mod tests;
