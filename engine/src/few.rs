//! Lists that mostly hold one or two: a hundred thousand namespaces hold many of them, and room for four each is what they
//! would consist of.

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
