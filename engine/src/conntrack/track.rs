//! A packet comes: its flow is found or begun, its tracker asked, and at the end of its way here the flow is put in the table.

use super::conn::{Conn, ConnId, CtCounter, CtInfo, Direction, Nfct, Proto, status};
use super::icmp::{self, Message};
use super::settings::Settings;
use super::table::CHAINS_A_FLOW;
use super::tcp::{self, Verdict};
use super::tuple::{GRE, Tuple, UDPLITE};
use super::{Conntrack, Look};
use crate::filter::Hook;
use crate::reason::DropReason;
use crate::time::{Duration, Time};
use crate::wire::{Ipv4, Udp, checksum, protocol};

/// How many chains are looked through for a flow that can go: as many flows as are in eight of Linux's, of which there are fewer
/// (`NF_CT_EVICTION_RANGE`).
const EVICTION_RANGE: usize = 8 * CHAINS_A_FLOW;
/// From when on UDP in both directions is a stream.
const STREAM_AFTER: Duration = Duration::from_secs(2);

impl Conntrack {
    /// Ties a packet to its flow (`nf_conntrack_in`): a whole IPv4 packet whose header is right, at PREROUTING or OUTPUT.
    /// `unfinished`: the checksum of its payload is not made yet. A packet that was seen already, or is not to be looked
    /// at, stays as it is; one that belongs to nothing is tied to nothing, and goes on. `Err`: it is to be dropped.
    pub fn nf_conntrack_in(
        &mut self,
        now: Time,
        hook: Hook,
        packet: &[u8],
        unfinished: bool,
        nfct: &mut Nfct,
    ) -> Result<(), DropReason> {
        self.look_at(now, hook, (Ipv4::parse(packet).as_ref(), packet), unfinished, nfct)
    }

    /// [`Conntrack::nf_conntrack_in`] of a packet whose header was read.
    #[inline(always)]
    pub(crate) fn look_at(
        &mut self,
        now: Time,
        hook: Hook,
        (header, packet): (Option<&Ipv4>, &[u8]),
        unfinished: bool,
        nfct: &mut Nfct,
    ) -> Result<(), DropReason> {
        if nfct.info == CtInfo::Untracked || self.conn(nfct).is_some() {
            return Ok(());
        }
        self.tick(now);
        *nfct = Nfct::default();
        let verify = hook == Hook::PreRouting && self.settings().checksum && !unfinished;
        if let Some(look) = header.and_then(|header| Look::new(now, header, packet, verify)) {
            // A second time, if the first finds a TCP flow that ended and is begun anew.
            let _ = self.track(&look, nfct)? || self.track(&look, nfct)?;
        }
        self.statistics.invalid += u64::from(nfct.conn.is_none());
        Ok(())
    }

    /// Ties a packet to its flow, if it is part of one; false if that has ended just now, and another may begin.
    #[inline(never)]
    fn track(&mut self, look: &Look<'_>, nfct: &mut Nfct) -> Result<bool, DropReason> {
        if look.header.protocol == protocol::ICMP {
            match self.icmp_message(look) {
                Message::Plain => {}
                Message::About(about) => {
                    *nfct = about;
                    return Ok(true);
                }
                Message::Invalid => return Ok(true),
            }
        }
        let Some(tuple) = Tuple::of(look.header, look.payload) else { return Ok(true) };
        let known = self.table.find(&tuple).map(|(id, direction, conn)| (id, conn.info(direction), conn.timeout));
        let (id, info) = match known {
            Some((id, info, timeout)) if timeout > look.now => (id, info),
            expired => {
                expired.into_iter().for_each(|(id, ..)| self.kill(id));
                let Some(id) = self.begin(look, tuple)? else { return Ok(true) };
                (id, CtInfo::New)
            }
        };
        match self.handle(look, id, info) {
            Verdict::Repeat => {
                self.kill(id);
                return Ok(false);
            }
            Verdict::Invalid => {}
            Verdict::Refresh(_) | Verdict::Keep | Verdict::Kill => *nfct = Nfct { conn: Some(id), info },
        }
        Ok(true)
    }

    /// Asks the tracker of its protocol about a packet of a flow; if it is part of it, what follows from that.
    #[inline(always)]
    fn handle(&mut self, look: &Look<'_>, id: ConnId, info: CtInfo) -> Verdict {
        let Conntrack { table, settings, .. } = self;
        let settings = settings.as_deref().unwrap_or(Settings::usual());
        let Some(conn) = table.get_mut(id) else { return Verdict::Invalid };
        let verdict = ask_tracker(conn, look, info.direction(), settings);
        if let Verdict::Repeat | Verdict::Invalid = verdict {
            return verdict;
        }
        let confirmed = conn.has(status::CONFIRMED);
        if let Verdict::Refresh(extra) = verdict {
            // One that is not in the table yet has its time from there on.
            conn.timeout = if confirmed { look.now + extra } else { Time::ZERO + extra };
            count(conn, info, look);
        }
        if info == CtInfo::EstablishedReply {
            conn.status |= status::SEEN_REPLY;
        }
        let timeout = conn.timeout;
        if let Verdict::Kill = verdict {
            self.kill(id);
        } else if confirmed {
            table.schedule(id, timeout);
        }
        verdict
    }

    /// The flow in the table that has not expired.
    pub(crate) fn find(&self, now: Time, tuple: &Tuple) -> Option<(ConnId, Direction)> {
        let (id, direction, conn) = self.table.find(tuple)?;
        (conn.timeout > now).then_some((id, direction))
    }

    /// `init_conntrack`
    #[inline(never)]
    fn begin(&mut self, look: &Look<'_>, tuple: Tuple) -> Result<Option<ConnId>, DropReason> {
        let Some(reply) = tuple.inverted() else { return Ok(None) };
        if self.table.len() >= self.settings().max && !self.early_drop(look.now, &tuple) {
            self.statistics.drop += 1;
            return Err(DropReason::ConntrackFull);
        }
        let conn = Conn {
            tuples: [tuple, reply],
            status: 0,
            mark: 0,
            timeout: Time::ZERO,
            started: self.settings().timestamp.then_some(look.now),
            counters: self.settings().acct.then(Default::default),
            proto: Proto::Other,
            serial: 0,
            masquerade: 0,
        };
        let id = self.table.insert(conn);
        self.pending.push(id);
        Ok(Some(id))
    }

    /// Makes room: among the flows near where this one will be, those that have expired go, or one that was never answered
    /// for good (`early_drop`).
    fn early_drop(&mut self, now: Time, tuple: &Tuple) -> bool {
        let before = self.table.len();
        for id in self.table.nearby(tuple, EVICTION_RANGE) {
            let Some(conn) = self.table.get(id) else { continue };
            let expired = conn.timeout <= now;
            if !expired && (conn.has(status::ASSURED) || self.table.len() < before) {
                continue;
            }
            self.statistics.early_drop += u64::from(!expired);
            self.table.remove(id);
        }
        self.table.len() < self.settings().max
    }

    /// The packet leaves, or is given to a program: its flow is in the table from now on (`__nf_conntrack_confirm`). Its
    /// two tuples must be nobody else's: where NAT found none that is free, the packet is dropped.
    #[inline]
    pub fn confirm(&mut self, now: Time, nfct: &mut Nfct) -> Result<(), DropReason> {
        match nfct.info {
            // It was, before there was an answer; and an answer of our own that is tied to a flow does not make it one.
            CtInfo::Established | CtInfo::EstablishedReply | CtInfo::RelatedReply => Ok(()),
            _ => self.confirm_new(now, nfct),
        }
    }

    #[inline(never)]
    fn confirm_new(&mut self, now: Time, nfct: &mut Nfct) -> Result<(), DropReason> {
        let Some(id) = nfct.conn else { return Ok(()) };
        let Some(conn) = self.table.get(id) else { return Ok(()) };
        if conn.has(status::CONFIRMED) {
            return Ok(());
        }
        let tuples = conn.tuples;
        for tuple in &tuples {
            let Some((other, _, known)) = self.table.find(tuple) else { continue };
            if known.timeout <= now {
                self.kill(other);
            } else if known.tuples == tuples {
                self.statistics.clash_resolve += 1;
                nfct.conn = Some(other);
                return Ok(());
            } else {
                self.statistics.insert_failed += 1;
                self.statistics.drop += 1;
                return Err(DropReason::ConntrackClash);
            }
        }
        if let Some(conn) = self.table.get_mut(id) {
            conn.status |= status::CONFIRMED;
            conn.timeout = now + conn.timeout.since(Time::ZERO);
            conn.started = conn.started.map(|_| now);
            let timeout = conn.timeout;
            self.table.link(id);
            self.table.schedule(id, timeout);
        }
        Ok(())
    }
}

/// What the tracker of its protocol says of a packet (`nf_conntrack_handle_packet`).
#[inline]
fn ask_tracker(conn: &mut Conn, look: &Look<'_>, direction: Direction, settings: &Settings) -> Verdict {
    match look.header.protocol {
        protocol::UDP if !look.is_datagram() => Verdict::Invalid,
        protocol::UDP | UDPLITE => stream(conn, look, settings.udp, settings.udp_stream, STREAM_AFTER),
        protocol::TCP => tcp::packet(conn, look, direction, &settings.tcp),
        protocol::ICMP if icmp::begins(conn.tuples[0].icmp.0) => Verdict::Refresh(settings.icmp),
        protocol::ICMP => Verdict::Invalid,
        GRE => stream(conn, look, settings.gre, settings.gre_stream, Duration::ZERO),
        _ => Verdict::Refresh(settings.generic),
    }
}

/// UDP and GRE: once answered and after a while, it is a stream, and remembered for longer.
fn stream(conn: &mut Conn, look: &Look<'_>, short: Duration, long: Duration, after: Duration) -> Verdict {
    if !conn.has(status::CONFIRMED) {
        conn.proto = Proto::Udp { stream_at: look.now + after };
    }
    let Proto::Udp { stream_at } = conn.proto else { return Verdict::Refresh(short) };
    let is_stream = conn.has(status::SEEN_REPLY) && (look.now > stream_at || after.is_zero());
    if is_stream {
        conn.status |= status::ASSURED;
    }
    Verdict::Refresh(if is_stream { long } else { short })
}

fn count(conn: &mut Conn, info: CtInfo, look: &Look<'_>) {
    let Some([original, reply]) = &mut conn.counters else { return };
    let counter: &mut CtCounter = match info.direction() {
        Direction::Original => original,
        Direction::Reply => reply,
    };
    counter.packets += 1;
    counter.bytes += u64::from(look.header.total_length);
}

impl<'a> Look<'a> {
    /// `None` for later fragments.
    #[inline]
    fn new(now: Time, header: &'a Ipv4, packet: &'a [u8], verify: bool) -> Option<Look<'a>> {
        if header.fragment_offset() != 0 {
            return None;
        }
        let end = usize::from(header.total_length).min(packet.len());
        let payload = packet.get(header.header_length..end)?;
        Some(Look { now, header, payload, verify })
    }

    /// True if the checksum over the pseudo header and the payload is right, or is not to be looked at.
    #[inline]
    pub(super) fn adds_up(&self) -> bool {
        let Ipv4 { source, destination, protocol, .. } = *self.header;
        !self.verify || checksum::holds_behind(source, destination, protocol, self.payload)
    }

    /// `udp_error`
    #[inline]
    fn is_datagram(&self) -> bool {
        Udp::sized(self.payload).is_ok_and(|udp| udp.checksum == 0 || self.adds_up())
    }
}
