//! `-m multiport`.

use super::super::rule::{Not, Ports};
use super::super::subject::Subject;
use super::{Broken, Fits, not};
use core::ops::RangeInclusive;

/// `multiport_mt`
pub(super) fn fits(which: Ports, of: &Not<Vec<RangeInclusive<u16>>>, subject: &Subject<'_>) -> Fits {
    if subject.header.fragment_offset() != 0 {
        return Ok(false);
    }
    let (source, destination) = subject.ports().ok_or(Broken)?;
    let among = |port: u16| of.of.iter().any(|range| range.contains(&port));
    let found = match which {
        Ports::Source => among(source),
        Ports::Destination => among(destination),
        Ports::Either => among(source) || among(destination),
    };
    Ok(not(of, found))
}
