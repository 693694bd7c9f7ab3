//! `-m`: whether a packet fits. One file for each family; what a match remembers from packet to packet is its [`Memory`].

mod address;
mod connection;
mod ip;
mod limit;
mod link;
mod mark;
mod multiport;
mod owner;
mod statistic;
mod transport;

pub(super) use ip::fits as fits_ip;
pub(super) use limit::Bucket;

use super::rule::{Match, Not};
use super::subject::Subject;
use crate::rng::Rng;
use core::ops::RangeInclusive;

/// What a match keeps from packet to packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    Nothing,
    Limit(Bucket),
    Nth(u32),
}

impl Memory {
    pub(super) fn new(of: &Match) -> Memory {
        match of {
            Match::Limit { rate, per, burst } => Memory::Limit(Bucket::new(*rate, *per, *burst)),
            Match::Statistic(Not { of, .. }) => statistic::memory(*of),
            _ => Memory::Nothing,
        }
    }
}

/// Whether a packet fits; or it is so broken that it is dropped (`hotdrop`).
pub(super) type Fits = Result<bool, Broken>;

/// The header that a match was to look at is cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Asks one match.
pub(super) fn fits(of: &Match, memory: &mut Memory, subject: &Subject<'_>, rng: &mut Rng) -> Fits {
    Ok(match of {
        Match::Tcp(of) => return transport::tcp(of, subject),
        Match::Udp { source, destination } => transport::udp(source.as_ref(), destination.as_ref(), subject),
        Match::Icmp(of) => return transport::icmp(of, subject),
        Match::Multiport { which, ports } => return multiport::fits(*which, ports, subject),
        Match::Conntrack(of) => connection::fits(of, subject),
        Match::State(of) => not(of, connection::in_state(of.of, subject)),
        Match::Mark(of) => mark::packet(of, subject),
        Match::ConnMark(of) => mark::connection(of, subject),
        Match::Comment(_) => true,
        Match::Limit { .. } => limit::fits(memory, subject.net.now),
        Match::Mac(of) => link::mac(of, subject),
        Match::AddrType(of) => address::kind(of, subject),
        Match::IpRange { source, destination } => address::range(source.as_ref(), destination.as_ref(), subject),
        Match::Statistic(of) => statistic::fits(of, memory, rng),
        Match::PhysDev(of) => link::physdev(of, subject),
        Match::Owner { uid, gid, socket_exists } => {
            owner::fits(uid.as_ref(), gid.as_ref(), socket_exists.as_ref(), subject)
        }
        Match::PktType(of) => not(of, of.of == subject.to),
        Match::Ttl(of) => ip::ttl(*of, subject.header.ttl),
        Match::Dscp(of) => not(of, of.of == subject.header.tos >> 2),
        Match::Length(of) => within(of, subject.header.total_length),
        Match::Tos(of) => not(of, subject.header.tos & of.of.1 == of.of.0),
    })
}

/// What holds, unless there is a `!`.
#[inline]
fn not<T>(of: &Not<T>, holds: bool) -> bool {
    holds != of.not
}

/// True if the value lies in the range.
#[inline]
fn within<T: PartialOrd>(of: &Not<RangeInclusive<T>>, value: T) -> bool {
    not(of, of.of.contains(&value))
}

/// The same of what need not be said.
#[inline]
fn may_be_within<T: PartialOrd>(of: Option<&Not<RangeInclusive<T>>>, value: T) -> bool {
    of.is_none_or(|of| within(of, value))
}
