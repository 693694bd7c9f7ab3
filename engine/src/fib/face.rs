//! A table of prefixes and their next hops, for either version of IP.

use super::shared::{Reader, Shared, View};
use super::small::Small;
use super::{Family, Full, Large, Leaf, Lookup, NextHopId, leaf};
use crate::addr::{Address, Prefix};
use std::sync::Arc;

/// More prefixes than this are a large table: it begins with some megabytes.
const SMALL: usize = 1024;

/// A table of prefixes and their next hops.
#[derive(Debug)]
pub struct Fib<A: Family> {
    form: Form<A>,
    /// Made for the first reader.
    shared: Option<Arc<Shared<A>>>,
}

#[derive(Debug)]
enum Form<A: Family> {
    Small(Small<A>),
    /// What lookups read is at hand: one pointer less to follow.
    Large {
        table: <A::Large as Large<A>>::Table,
        owner: Box<A::Large>,
    },
}

impl<A: Family> Default for Fib<A> {
    fn default() -> Fib<A> {
        Fib::new()
    }
}

impl<A: Family> Fib<A> {
    /// Empty.
    pub const fn new() -> Fib<A> {
        Fib { form: Form::Small(Small::new()), shared: None }
    }
}

impl<A: Address> Fib<A> {
    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Small(small) => small.prefixes().len(),
            Form::Large { owner, .. } => owner.count(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next hop of exactly this prefix.
    pub fn get(&self, prefix: Prefix<A>) -> Option<NextHopId> {
        match &self.form {
            Form::Small(small) => small.get(prefix),
            Form::Large { owner, .. } => owner.get(prefix),
        }
    }

    /// Sets the next hop of a prefix and gives back the one it had.
    pub fn insert(&mut self, prefix: Prefix<A>, next_hop: NextHopId) -> Result<Option<NextHopId>, Full> {
        self.change(|form| form.insert(prefix, leaf(next_hop)?))
    }

    /// Takes a prefix out; the next hop that it had.
    pub fn remove(&mut self, prefix: Prefix<A>) -> Option<NextHopId> {
        self.change(|form| form.remove(prefix))
    }

    /// A table of all these prefixes: much faster than to insert one after the other. Of equal ones the last counts.
    pub fn build(routes: impl IntoIterator<Item = (Prefix<A>, NextHopId)>) -> Result<Fib<A>, Full> {
        let routes = routes.into_iter().map(|(prefix, next_hop)| Ok((prefix, leaf(next_hop)?)));
        let routes = routes.collect::<Result<Vec<_>, Full>>()?;
        let form = if routes.len() > SMALL {
            Form::large(routes)?
        } else {
            let mut small = Small::new();
            for (prefix, leaf) in routes {
                small.put(prefix, leaf);
            }
            small.rebuild();
            Form::Small(small)
        };
        Ok(Fib { form, shared: None })
    }

    /// The next hop of the longest prefix that holds the address, or [`NO_ROUTE`](super::NO_ROUTE).
    #[inline(always)]
    pub fn lookup(&self, address: A) -> NextHopId {
        match &self.form {
            Form::Small(small) => small.lookup(address.number()),
            Form::Large { table, .. } => table.lookup(address.number()),
        }
    }

    /// The same of many addresses, which are numbers in this machine's byte order. Answers as many as both slices have.
    pub fn lookup_batch(&self, numbers: &[A::Number], next_hops: &mut [NextHopId]) {
        match &self.form {
            Form::Small(small) => small.lookup_batch(numbers, next_hops),
            Form::Large { table, .. } => table.lookup_batch(numbers, next_hops),
        }
    }

    /// For another thread.
    pub fn reader(&mut self) -> Reader<A> {
        self.shared.get_or_insert_with(|| Shared::new(self.form.view())).reader()
    }

    /// All prefixes. Those of a small table are sorted by address, then length; a large table has an order of its own.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix<A>, NextHopId)> + '_ {
        let (small, large) = match &self.form {
            Form::Small(small) => (small.prefixes(), None),
            Form::Large { owner, .. } => (Default::default(), Some(owner.iter())),
        };
        small.iter().copied().chain(large.into_iter().flatten())
    }

    /// Bytes of what lookups read, and of what changes need besides.
    pub fn memory(&self) -> (usize, usize) {
        let (lookups, besides) = match &self.form {
            Form::Small(small) => small.memory(),
            Form::Large { owner, .. } => owner.memory(),
        };
        (lookups + size_of::<Self>(), besides)
    }

    /// Makes a change, and tells readers if they must look elsewhere now.
    fn change<T>(&mut self, change: impl FnOnce(&mut Form<A>) -> T) -> T {
        let was_large = matches!(self.form, Form::Large { .. });
        let result = change(&mut self.form);
        let has_moved = self.form.follow();
        if let Some(shared) = &self.shared
            && (has_moved || !was_large)
        {
            shared.publish(self.form.view());
        }
        result
    }

    /// Empty, and large all the same.
    #[cfg(test)]
    pub(super) fn new_large() -> Fib<A> {
        Fib { form: Form::of(A::Large::default()), shared: None }
    }

    /// The large form.
    #[cfg(test)]
    pub(super) fn large(&self) -> Option<&A::Large> {
        if let Form::Large { owner, .. } = &self.form { Some(owner) } else { None }
    }
}

impl<A: Address> Form<A> {
    fn of(owner: A::Large) -> Form<A> {
        Form::Large { table: owner.table().clone(), owner: Box::new(owner) }
    }

    /// A large form of these prefixes.
    fn large(routes: impl IntoIterator<Item = (Prefix<A>, Leaf)>) -> Result<Form<A>, Full> {
        let mut owner = A::Large::default();
        for (prefix, leaf) in routes {
            owner.put(prefix, leaf);
        }
        owner.rebuild_all()?;
        Ok(Form::of(owner))
    }

    /// Goes to where the table is after a change; true if a large one is elsewhere now.
    fn follow(&mut self) -> bool {
        let Form::Large { table, owner } = self else { return false };
        let has_moved = !table.is(owner.table());
        if has_moved {
            *table = owner.table().clone();
        }
        has_moved
    }

    fn view(&self) -> View<A> {
        match self {
            Form::Small(small) => View::Small(small.clone()),
            Form::Large { table, .. } => View::Large(table.clone()),
        }
    }

    fn insert(&mut self, prefix: Prefix<A>, leaf: Leaf) -> Result<Option<Leaf>, Full> {
        match self {
            Form::Small(small) => {
                let old = small.put(prefix, leaf);
                if small.prefixes().len() <= SMALL {
                    small.rebuild();
                    return Ok(old);
                }
                match Form::large(small.prefixes().iter().copied()) {
                    Ok(large) => *self = large,
                    Err(full) => {
                        small.take(prefix);
                        return Err(full);
                    }
                }
                Ok(old)
            }
            Form::Large { owner, .. } => {
                let old = owner.put(prefix, leaf);
                let Err(full) = owner.rebuild(prefix) else { return Ok(old) };
                match old {
                    Some(old) => owner.put(prefix, old),
                    None => owner.take(prefix),
                };
                owner.rebuild(prefix)?;
                Err(full)
            }
        }
    }

    fn remove(&mut self, prefix: Prefix<A>) -> Option<Leaf> {
        match self {
            Form::Small(small) => {
                let old = small.take(prefix)?;
                small.rebuild();
                Some(old)
            }
            Form::Large { owner, .. } => {
                let old = owner.take(prefix)?;
                // Fewer prefixes always have room.
                let _ = owner.rebuild(prefix);
                Some(old)
            }
        }
    }
}
