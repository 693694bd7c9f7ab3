//! What backs memory.

#![allow(unsafe_code, reason = "madvise(2) has no safe wrapper")]

use libc::{c_int, madvise};

/// Bytes of a huge page.
pub const HUGE: usize = 2 << 20;
/// `MADV_COLLAPSE` (`include/uapi/asm-generic/mman-common.h`).
const MADV_COLLAPSE: c_int = 25;

/// Asks Linux (6.1 and later) to back a table with huge pages, and what lies in the same pages beside it: who looks up here
/// and there in some megabytes waits as long for the translation of addresses as for the memory. What is there is copied;
/// where there are no huge pages, all stays as it is.
pub fn collapse<T>(table: &[T]) {
    let bytes = table.as_ptr_range();
    let first = bytes.start.addr() / HUGE * HUGE;
    for page in (first..bytes.end.addr()).step_by(HUGE) {
        let page = bytes.start.with_addr(page).cast_mut();
        // SAFETY: memory holds the same afterwards, whoever else reads or writes it meanwhile. Of what is not mapped, or not
        // the like of this, Linux says no, which is no harm.
        unsafe { madvise(page.cast(), HUGE, MADV_COLLAPSE) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is lost, wherever in its pages the table begins.
    #[test]
    fn what_is_backed_anew_holds_the_same() {
        let table: Vec<usize> = (0..3 * HUGE / 8).collect();
        for from in [0, 1, 511, HUGE / 16] {
            collapse(&table[from..]);
            assert!(table.iter().enumerate().all(|(at, word)| at == *word));
        }
        collapse::<u64>(&[]);
    }
}
