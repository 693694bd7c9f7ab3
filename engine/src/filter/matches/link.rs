//! `-m mac`, `-m physdev`.

use super::super::rule::{Not, PhysDevMatch};
use super::super::subject::Subject;
use super::ip::is_named;
use super::not;
use crate::addr::Mac;

/// Without an Ethernet header nothing fits, not even with `!` (`mac_mt`).
pub(super) fn mac(of: &Not<Mac>, subject: &Subject<'_>) -> bool {
    subject.source_mac.is_some_and(|mac| not(of, mac == of.of))
}

/// `physdev_mt`
pub(super) fn physdev(of: &PhysDevMatch, subject: &Subject<'_>) -> bool {
    let (inward, outward) = subject.physdev;
    let is = |of: Option<Not<()>>, holds: bool| of.is_none_or(|of| not(&of, holds));
    let named = |of: &Option<Not<String>>, name: Option<&str>| match of {
        None => true,
        Some(of) => name.map_or(of.not, |name| not(of, is_named(&of.of, name))),
    };
    let known = is(of.is_bridged, outward.is_some())
        && is(of.is_in, inward.is_some())
        && is(of.is_out, outward.is_some())
        && named(&of.physdev_in, inward);
    if inward.is_none() && outward.is_none() {
        return known && named(&of.physdev_out, None);
    }
    // Of a bridged packet whose way out is not known, not even a `!` of it holds.
    known && of.physdev_out.is_none() || known && outward.is_some() && named(&of.physdev_out, outward)
}
