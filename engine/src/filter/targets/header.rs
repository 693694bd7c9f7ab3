//! `-j TTL`, `-j DSCP`, `-j TOS`.

use super::super::rule::TtlChange;
use super::super::subject::Subject;
use super::Next;

/// `ttl_tg`
pub(super) fn ttl(subject: &mut Subject<'_>, change: TtlChange) -> Next {
    let before = subject.header.ttl;
    subject.set_ttl(match change {
        TtlChange::Set(ttl) => ttl,
        TtlChange::Increase(by) => before.saturating_add(by),
        TtlChange::Decrease(by) => before.saturating_sub(by),
    });
    Next::Continue
}

/// `dscp_tg`: the two ECN bits stay.
pub(super) fn dscp(subject: &mut Subject<'_>, dscp: u8) -> Next {
    const ECN: u8 = 3;
    subject.set_tos(subject.header.tos & ECN | dscp << 2);
    Next::Continue
}

/// `tos_tg`
pub(super) fn tos(subject: &mut Subject<'_>, value: u8, mask: u8) -> Next {
    subject.set_tos(subject.header.tos & !mask ^ value);
    Next::Continue
}
