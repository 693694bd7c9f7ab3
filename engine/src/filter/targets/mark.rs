//! `-j MARK`, `-j CONNMARK`.

use super::super::rule::ConnMark;
use super::super::subject::Subject;
use super::Next;

/// `mark_tg`
pub(super) fn mark(subject: &mut Subject<'_>, value: u32, mask: u32) -> Next {
    *subject.mark = *subject.mark & !mask ^ value;
    Next::Continue
}

/// `connmark_tg_shift`
pub(super) fn connmark(subject: &mut Subject<'_>, of: ConnMark) -> Next {
    let Some(conn) = subject.conntrack.conn_mut(subject.nfct) else { return Next::Continue };
    match of {
        ConnMark::Set { value, mask } => conn.mark = conn.mark & !mask ^ value,
        ConnMark::Save { packet, connection } => conn.mark = conn.mark & !connection ^ *subject.mark & packet,
        ConnMark::Restore { packet, connection } => {
            *subject.mark = *subject.mark & !packet ^ conn.mark & connection;
        }
    }
    Next::Continue
}
