//! `-m conntrack`, `-m state`.

use super::super::rule::{ConntrackMatch, Not};
use super::super::subject::Subject;
use super::ip::in_net;
use super::{may_be_within, not};
use crate::addr::Ipv4Addr;
use crate::conntrack::{Conn, Direction, End, status};
use core::ops::RangeInclusive;

/// True if the connection is in one of these states.
pub(super) fn in_state(states: u16, subject: &Subject<'_>) -> bool {
    subject.conntrack.state(subject.nfct) & states != 0
}

/// `conntrack_mt`
pub(super) fn fits(of: &ConntrackMatch, subject: &Subject<'_>) -> bool {
    if of.state.is_some_and(|state| !not(&state, in_state(state.of, subject))) {
        return false;
    }
    let Some(conn) = subject.conntrack.conn(subject.nfct) else { return of.state.is_some() };
    let is_original = subject.nfct.info().direction() == Direction::Original;
    let seconds = conn.timeout.since(subject.net.now).as_secs() as u32;
    of.original_direction.is_none_or(|wanted| wanted == is_original)
        && tuples_fit(of, conn)
        && of.status.is_none_or(|status| not(&status, conn.status & status.of != 0))
        && may_be_within(of.expire.as_ref(), if conn.has(status::CONFIRMED) { seconds } else { 0 })
}

fn tuples_fit(of: &ConntrackMatch, conn: &Conn) -> bool {
    let net =
        |of: Option<Not<(Ipv4Addr, Ipv4Addr)>>, end: End| of.is_none_or(|of| not(&of, in_net(end.address, of.of)));
    let port = |of: &Option<Not<RangeInclusive<u16>>>, end: End| may_be_within(of.as_ref(), end.port);
    let [original, reply] = &conn.tuples;
    net(of.original_source, original.source)
        && net(of.original_destination, original.destination)
        && net(of.reply_source, reply.source)
        && net(of.reply_destination, reply.destination)
        && of.protocol.is_none_or(|protocol| not(&protocol, original.protocol == protocol.of))
        && port(&of.original_source_port, original.source)
        && port(&of.original_destination_port, original.destination)
        && port(&of.reply_source_port, reply.source)
        && port(&of.reply_destination_port, reply.destination)
}
