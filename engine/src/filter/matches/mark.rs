//! `-m mark`, `-m connmark`.

use super::super::rule::Not;
use super::super::subject::Subject;
use super::not;

/// The packet's own.
pub(super) fn packet(of: &Not<(u32, u32)>, subject: &Subject<'_>) -> bool {
    let (value, mask) = of.of;
    not(of, *subject.mark & mask == value)
}

/// Its connection's: without one nothing fits, not even with `!`.
pub(super) fn connection(of: &Not<(u32, u32)>, subject: &Subject<'_>) -> bool {
    let (value, mask) = of.of;
    subject.conntrack.conn(subject.nfct).is_some_and(|conn| not(of, conn.mark & mask == value))
}
