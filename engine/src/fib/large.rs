//! What the large forms of both versions of IP have in common.
//!
//! A large form is two things: the prefixes, as the owner's changes need them, and the table that lookups read. A change
//! is made to the prefixes first; then what it touches is built anew.

use super::{Family, Full, Leaf, NextHopId};
use crate::addr::Prefix;
use core::fmt::Debug;

/// The form of a table of many prefixes.
pub trait Large<A: Family>: Debug + Default {
    /// What lookups read.
    type Table: Lookup<A::Number>;

    /// How many prefixes there are.
    fn count(&self) -> usize;
    /// What exactly this prefix has.
    fn get(&self, prefix: Prefix<A>) -> Option<Leaf>;
    /// Puts a prefix in, to be [built](Large::rebuild); what it had before.
    fn put(&mut self, prefix: Prefix<A>, leaf: Leaf) -> Option<Leaf>;
    /// Takes a prefix out, to be [built](Large::rebuild); what it had.
    fn take(&mut self, prefix: Prefix<A>) -> Option<Leaf>;
    /// Builds anew what a prefix touches. Fewer prefixes always have room.
    fn rebuild(&mut self, prefix: Prefix<A>) -> Result<(), Full>;
    /// Builds all anew, in a table of the right size.
    fn rebuild_all(&mut self) -> Result<(), Full>;
    /// What lookups read now.
    fn table(&self) -> &Self::Table;
    /// All prefixes, in an order of the form's own.
    fn iter(&self) -> impl Iterator<Item = (Prefix<A>, Leaf)> + '_;
    /// Bytes of what lookups read, and of what changes need besides.
    fn memory(&self) -> (usize, usize);
}

/// What lookups read. `N` is an address as a number. A clone reads the same.
pub trait Lookup<N>: Clone + Debug + Send + Sync {
    /// True if what is written into one is read from the other.
    fn is(&self, other: &Self) -> bool;
    /// The next hop of one address.
    fn lookup(&self, number: N) -> NextHopId;
    /// The same by safe code alone: the way of processors of which nothing is known.
    fn lookup_checked(&self, number: N) -> NextHopId;
    /// Of as many as both slices have, as fast as this processor can.
    fn lookup_batch(&self, numbers: &[N], next_hops: &mut [NextHopId]);
}
