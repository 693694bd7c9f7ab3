//! Lists that mostly hold one or two: a hundred thousand namespaces hold many of them, and room for four each is what they
//! would consist of.

use core::ops::{Deref, DerefMut};

/// So many take no more room than they need.
const FEW: usize = 4;

/// Puts something into a list, before what stands at a place.
pub(crate) fn insert<T>(list: &mut Vec<T>, at: usize, value: T) {
    if list.len() < FEW {
        list.reserve_exact(1);
    }
    list.insert(at, value);
}

/// Puts something at the end of a list.
pub(crate) fn push<T>(list: &mut Vec<T>, value: T) {
    insert(list, list.len(), value);
}

/// A list that changes so seldom that it never has room to spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<T>(Box<[T]>);

impl<T> Few<T> {
    /// Has it changed as a list that may grow and shrink.
    fn change<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let mut list = core::mem::take(&mut self.0).into_vec();
        let done = change(&mut list);
        self.0 = list.into_boxed_slice();
        done
    }

    /// Puts something before what stands at a place, or at the end.
    pub fn insert(&mut self, at: usize, value: T) {
        self.change(|list| {
            list.reserve_exact(1);
            list.insert(at.min(list.len()), value);
        });
    }

    /// Puts something at the end.
    pub fn push(&mut self, value: T) {
        self.insert(self.len(), value);
    }

    /// Takes out what stands at a place.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn remove(&mut self, at: usize) -> T {
        self.change(|list| list.remove(at))
    }

    /// Takes out all but those that `stays` says yes to.
    pub fn retain(&mut self, stays: impl FnMut(&T) -> bool) {
        if !self.is_empty() {
            self.change(|list| list.retain(stays));
        }
    }

    /// Takes out all.
    pub fn clear(&mut self) {
        self.0 = Box::default();
    }
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few(Box::default())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for Few<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Few<T> {
    type Item = &'a mut T;
    type IntoIter = core::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
