//! `-m owner`.

use super::super::rule::Not;
use super::super::subject::{Sender, Subject};
use super::within;
use core::ops::RangeInclusive;

/// Whose every program here is.
const ROOT: u32 = 0;

/// `owner_mt`
pub(super) fn fits(
    uid: Option<&Not<RangeInclusive<u32>>>,
    gid: Option<&Not<RangeInclusive<u32>>>,
    socket_exists: Option<&Not<()>>,
    subject: &Subject<'_>,
) -> bool {
    let wanted = |of: Option<&Not<RangeInclusive<u32>>>| of.is_some_and(|of| !of.not);
    let exists = match subject.sender {
        Sender::Nobody => return !wanted(uid) && !wanted(gid) && socket_exists.is_none_or(|of| of.not),
        Sender::Kernel | Sender::Program => socket_exists.is_none_or(|of| !of.not),
    };
    exists
        && match subject.sender {
            // Its sockets belong to no file, and so to no user.
            Sender::Kernel | Sender::Nobody => !wanted(uid) && !wanted(gid),
            Sender::Program => uid.is_none_or(|of| within(of, ROOT)) && gid.is_none_or(|of| within(of, ROOT)),
        }
}
