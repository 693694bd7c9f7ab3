//! What hardly anybody has: a hundred thousand namespaces consist of it, unless it takes no room where it is not.

use crate::rng::Rng;
use core::ops::{Deref, DerefMut};
use std::sync::Arc;

/// What is there in most cases.
pub trait Usual: Default + 'static {
    /// The same as [`Default`] makes.
    const USUAL: &'static Self;
}

/// A value that is nearly always the usual one, and then takes one pointer. It gets a place of its own as soon as somebody
/// has it in hand to change it; [`Seldom::own_mut`] is for who changes only what is not usual.
#[derive(Clone, Debug)]
pub struct Seldom<T>(Option<Box<T>>);

impl<T> Seldom<T> {
    /// The usual one.
    pub const USUAL: Seldom<T> = Seldom(None);

    /// This one.
    pub fn of(value: T) -> Seldom<T> {
        Seldom(Some(Box::new(value)))
    }

    /// This one; it needs no place if it is the usual one.
    pub fn kept(value: T) -> Seldom<T>
    where
        T: Usual + PartialEq,
    {
        if value == *T::USUAL { Seldom::USUAL } else { Seldom::of(value) }
    }

    /// The value, if it has a place of its own.
    #[inline]
    pub fn own_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }
}

impl<T: Usual + PartialEq> PartialEq for Seldom<T> {
    fn eq(&self, other: &Seldom<T>) -> bool {
        **self == **other
    }
}

impl<T: Usual + Eq> Eq for Seldom<T> {}

impl<T> Default for Seldom<T> {
    fn default() -> Seldom<T> {
        Seldom::USUAL
    }
}

impl<T: Usual> Deref for Seldom<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::USUAL)
    }
}

impl<T: Usual> DerefMut for Seldom<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

/// A list that is nearly always empty, and then takes one pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::box_collection, reason = "a list of its own would make the empty one larger")]
pub struct SeldomList<T>(Option<Box<Vec<T>>>);

impl<T> SeldomList<T> {
    /// The empty one.
    pub const EMPTY: SeldomList<T> = SeldomList(None);

    /// True if there is nothing in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Has it changed as a list.
    pub fn change<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let list = self.0.get_or_insert_default();
        let done = change(list);
        if list.is_empty() {
            self.0 = None;
        }
        done
    }

    /// Adds something at the end.
    pub fn push(&mut self, value: T) {
        self.0.get_or_insert_default().push(value);
    }

    /// All that is in it; it is empty then.
    pub fn take(&mut self) -> Vec<T> {
        self.0.take().map_or(Vec::new(), |list| *list)
    }
}

impl<T> Default for SeldomList<T> {
    fn default() -> SeldomList<T> {
        SeldomList::EMPTY
    }
}

impl<T> Deref for SeldomList<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl<T> DerefMut for SeldomList<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.as_deref_mut().map_or(&mut [], Vec::as_mut_slice)
    }
}

/// A value of which nearly all have the same: it lies in one place for all of them, until somebody changes his.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// This one, in a place of its own until it is cloned.
    pub fn new(value: T) -> Shared<T> {
        Shared(Arc::new(value))
    }

    /// True if both are the same place: then nobody has changed either.
    pub fn is(&self, other: &Shared<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// What nobody has used has drawn no lot yet.
pub trait Seedable: 'static {
    /// Nobody has used it. (What lots it would draw does not show.)
    const UNUSED: &'static Self;

    /// Its chance follows from `rng`.
    fn seeded(rng: Rng) -> Self;
}

/// The same for what draws lots: until it has a place of its own, what its chance will follow from is kept, so that it does
/// not matter when it gets one.
#[derive(Debug)]
pub struct Seeded<T> {
    rng: Rng,
    own: Option<Box<T>>,
}

impl<T> Seeded<T> {
    /// One that nobody has used.
    pub const fn new(rng: Rng) -> Seeded<T> {
        Seeded { rng, own: None }
    }

    /// The value, if it has a place of its own.
    #[inline]
    pub fn own_mut(&mut self) -> Option<&mut T> {
        self.own.as_deref_mut()
    }
}

impl<T: Seedable> Deref for Seeded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.own.as_deref().unwrap_or(T::UNUSED)
    }
}

impl<T: Seedable> DerefMut for Seeded<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.own.get_or_insert_with(|| Box::new(T::seeded(self.rng.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default)]
    struct List {
        bytes: Vec<u8>,
    }

    impl Usual for List {
        const USUAL: &'static List = &List { bytes: Vec::new() };
    }

    /// Nothing is taken for the usual, and what is changed in one is changed in no other.
    #[test]
    fn the_usual_takes_one_pointer() {
        let (mut one, mut other) = (Seldom::<List>::USUAL, Seldom::<List>::USUAL);
        assert_eq!(size_of_val(&one), size_of::<usize>());
        assert!(one.bytes.is_empty() && one.own_mut().is_none());
        one.bytes.push(1);
        assert_eq!((one.bytes.len(), other.bytes.len()), (1, 0));
        assert!(one.own_mut().is_some() && other.own_mut().is_none());
    }

    /// A list that was emptied again is as good as new.
    #[test]
    fn an_empty_list_takes_one_pointer() {
        let mut list = SeldomList::EMPTY;
        assert_eq!(size_of_val(&list), size_of::<usize>());
        list.push(1);
        list.push(2);
        list[0] = 3;
        assert_eq!(&list[..], [3, 2]);
        assert_eq!(list.change(Vec::pop), Some(2));
        assert!(!list.is_empty());
        assert_eq!(list.change(Vec::pop), Some(3));
        assert!(list.is_empty() && list.0.is_none() && list.take().is_empty());
    }

    /// Who changes what is shared gets a place of his own, and the others keep theirs.
    #[test]
    fn what_is_shared_is_changed_for_one() {
        let usual = Shared::new(List { bytes: vec![1] });
        let (mut one, other) = (usual.clone(), usual.clone());
        assert!(one.is(&other) && one.is(&usual));
        one.bytes.push(2);
        assert_eq!((&one.bytes[..], &other.bytes[..]), (&[1, 2][..], &[1][..]));
        assert!(!one.is(&other) && other.is(&usual));
    }
}
