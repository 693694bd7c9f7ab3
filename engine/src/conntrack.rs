//! Connection tracking of IPv4 (`net/netfilter/nf_conntrack_core.c` and the trackers of its protocols).
//!
//! ```text
//!   raw ──> nf_conntrack_in ──> mangle, nat, filter … ──> confirm ──> out, or to a program
//!            finds the flow,     state(), mark,            the flow is in the table
//!            or begins one       nat_packet()              from here on
//! ```
//!
//! A packet's tie to its flow is an [`Nfct`], which goes with the packet, through `lo` too. A flow that was begun by a packet
//! that ends before it is confirmed ends at the end of the visit ([`Conntrack::reap`]), as does what is left of one that was
//! deleted while a packet still looks at it. What NAT adds stands in [`nat`](crate::nat).
//!
//! Flows expire in virtual time: each waits in the list of a second, is looked at when that is over, and waits in another
//! list if packets came since. So a packet costs no timer. Nor has a flow a deadline: one that has expired is found by
//! nobody, and it is taken away, as by Linux's `gc_worker`, when time matters next: with a packet, or another timer.

mod conn;
mod icmp;
mod settings;
mod table;
mod tcp;
mod track;
mod tuple;

pub use conn::{Conn, ConnId, CtCounter, CtInfo, Direction, Nfct, state, status};
pub use settings::Settings;
pub use tuple::{End, Tuple};

pub(crate) use conn::Proto;
pub(crate) use tcp::TcpState;
pub(crate) use tuple::{GRE, UDPLITE, has_ports};

use crate::rng::Rng;
use crate::seldom::Seedable;
use crate::time::Time;
use crate::wire::Ipv4;
use table::ConnTable;

/// A packet that is looked at.
#[derive(Clone, Copy, Debug)]
struct Look<'a> {
    now: Time,
    header: &'a Ipv4,
    /// What follows the header, without padding.
    payload: &'a [u8],
    /// Its checksum is to be checked.
    verify: bool,
}

/// What happened since the beginning (`struct ip_conntrack_stat`).
#[allow(missing_docs, reason = "the kernel's own names")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub invalid: u64,
    pub insert_failed: u64,
    pub drop: u64,
    pub early_drop: u64,
    pub error: u64,
    pub clash_resolve: u64,
}

impl Statistics {
    const NONE: Statistics =
        Statistics { invalid: 0, insert_failed: 0, drop: 0, early_drop: 0, error: 0, clash_resolve: 0 };
}

/// The flows of a namespace.
#[derive(Debug)]
pub struct Conntrack {
    table: ConnTable,
    /// None: [`Settings::USUAL`].
    settings: Option<Box<Settings>>,
    statistics: Statistics,
    pub(crate) rng: Rng,
    needed: bool,
    /// When is looked next for what has expired: in the next second that packets come in.
    look: Time,
    /// Flows that end with the visit unless they are confirmed: those that are not, and those that were deleted.
    pending: Vec<ConnId>,
}

const SECOND: u64 = 1_000_000_000;

impl Seedable for Conntrack {
    const UNUSED: &'static Conntrack = &Conntrack::new(Rng::new(0));

    fn seeded(rng: Rng) -> Conntrack {
        Conntrack::new(rng)
    }
}

impl Conntrack {
    /// No flows; nobody needs any.
    pub const fn new(mut rng: Rng) -> Conntrack {
        Conntrack {
            table: ConnTable::new(rng.next()),
            settings: None,
            statistics: Statistics::NONE,
            rng,
            needed: false,
            look: Time(SECOND),
            pending: Vec::new(),
        }
    }

    /// True if packets are looked at: a rule or the NAT table needs it.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.needed
    }

    /// Whether rules or the NAT table need it. Flows outlive that, as in Linux.
    pub fn need(&mut self, needed: bool) {
        self.needed = needed;
    }

    /// True if this is what the sysctls said.
    pub fn has(&self, settings: &Settings) -> bool {
        self.settings() == settings
    }

    /// What the sysctls say.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = (settings != Settings::USUAL).then(|| Box::new(settings));
    }

    #[inline]
    fn settings(&self) -> &Settings {
        self.settings.as_deref().unwrap_or(Settings::usual())
    }

    /// The flow of a packet.
    #[inline]
    pub fn conn(&self, nfct: &Nfct) -> Option<&Conn> {
        self.table.get(nfct.conn?)
    }

    /// The same, to be changed.
    #[inline]
    pub fn conn_mut(&mut self, nfct: &Nfct) -> Option<&mut Conn> {
        self.table.get_mut(nfct.conn?)
    }

    /// What `-m conntrack --ctstate` and `-m state` see: one of the [`state`] bits, and with it those of NAT.
    #[inline]
    pub fn state(&self, nfct: &Nfct) -> u16 {
        let bit = match nfct.info {
            CtInfo::Untracked => return state::UNTRACKED,
            CtInfo::None => return state::INVALID,
            CtInfo::New => state::NEW,
            CtInfo::Established | CtInfo::EstablishedReply => state::ESTABLISHED,
            CtInfo::Related | CtInfo::RelatedReply => state::RELATED,
        };
        let Some(conn) = self.conn(nfct) else { return state::INVALID };
        let translated = |mask, bit| if conn.has(mask) { bit } else { 0 };
        bit | translated(status::SRC_NAT, state::SNAT) | translated(status::DST_NAT, state::DNAT)
    }

    /// A segment of this flow was answered by a RST that nobody looks at (`nf_conntrack_tcp_set_closing`).
    pub(crate) fn set_closing(&mut self, now: Time, nfct: &Nfct) {
        let timeout = tcp::TcpState::Close.timeout(&self.settings().tcp);
        let Some((id, conn)) = nfct.conn.and_then(|id| Some((id, self.table.get_mut(id)?))) else { return };
        if conn.has(status::CONFIRMED) && conn.close() {
            conn.timeout = now + timeout;
            let timeout = conn.timeout;
            self.table.schedule(id, timeout);
        }
    }

    /// A packet waits in the midst of its way: its flow does not end with the visit, though nobody has confirmed it.
    pub(crate) fn hold(&mut self, nfct: &Nfct) {
        self.pending.retain(|id| Some(*id) != nfct.conn);
    }

    /// The packet goes on, or is no more.
    pub(crate) fn let_go(&mut self, nfct: &Nfct) {
        self.pending.extend(nfct.conn);
    }

    /// True if [`Conntrack::reap`] has nothing to do.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// Ends a visit: flows that nobody confirmed are forgotten.
    #[inline]
    pub fn reap(&mut self) {
        while let Some(id) = self.pending.pop() {
            let over = |conn: &Conn| !conn.has(status::CONFIRMED) || conn.has(status::DYING);
            if self.table.get(id).is_some_and(over) {
                self.table.remove(id);
            }
        }
    }

    /// Takes away flows that have expired.
    #[inline]
    pub fn tick(&mut self, now: Time) {
        if now >= self.look {
            self.look = Time((now.nanos() / SECOND + 1).saturating_mul(SECOND));
            self.expire(now);
        }
    }

    fn expire(&mut self, now: Time) {
        while let Some(id) = self.table.due(now.nanos() / SECOND) {
            let Some(timeout) = self.table.get(id).map(|conn| conn.timeout) else { continue };
            if timeout <= now {
                self.table.remove(id);
            } else {
                self.table.schedule(id, timeout);
            }
        }
    }

    /// How many flows are held, those that have expired since [`Conntrack::tick`] included.
    pub fn held(&self) -> usize {
        self.table.len()
    }

    /// How many flows there are (`nf_conntrack_count`).
    pub fn count(&self, now: Time) -> usize {
        self.entries(now).len()
    }

    /// The flows that have not expired, in the order in which they began.
    pub fn entries(&self, now: Time) -> Vec<&Conn> {
        let alive = |conn: &&Conn| conn.has(status::CONFIRMED) && !conn.has(status::DYING) && conn.timeout > now;
        self.table.all().into_iter().filter_map(|id| self.table.get(id)).filter(alive).collect()
    }

    /// Deletes flows (`conntrack -D`, `-F`, an interface that goes down): how many.
    pub fn delete(&mut self, which: impl Fn(&Conn) -> bool) -> usize {
        let confirmed = |conn: &Conn| conn.has(status::CONFIRMED) && !conn.has(status::DYING);
        let mut all = self.table.all();
        all.retain(|id| self.table.get(*id).is_some_and(|conn| confirmed(conn) && which(conn)));
        for id in &all {
            self.table.remove(*id);
        }
        all.len()
    }

    /// Packets and bytes are counted from 0 again (`conntrack -L -z`).
    pub fn zero_counters(&mut self, which: impl Fn(&Conn) -> bool) {
        for id in self.table.all() {
            if let Some(conn) = self.table.get_mut(id).filter(|conn| which(conn)) {
                conn.counters = conn.counters.map(|_| Default::default());
            }
        }
    }

    /// What happened since the beginning.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.table.get(id)
    }

    /// The flows from the same source that NAT has seen, the newest first.
    pub(crate) fn same_source_as<'a>(&'a self, tuple: &'a Tuple) -> impl Iterator<Item = &'a Conn> {
        self.table.same_source_as(tuple)
    }

    /// NAT has decided about a flow's source.
    pub(crate) fn link_source(&mut self, nfct: &Nfct) {
        if let Some(id) = nfct.conn {
            self.table.link_source(id);
        }
    }

    /// A flow is found no more; packets that are on their way see it still (`nf_ct_delete`).
    pub(crate) fn kill(&mut self, id: ConnId) {
        let Some(conn) = self.table.get_mut(id) else { return };
        conn.status |= status::DYING;
        self.table.unlink(id);
        self.pending.push(id);
    }
}

#[cfg(test)]
impl Conntrack {
    /// As if all flows had been answered for good: none of them makes room for another.
    pub(crate) fn assure_all(&mut self) {
        for id in self.table.all() {
            if let Some(conn) = self.table.get_mut(id) {
                conn.status |= status::ASSURED;
            }
        }
    }

    /// Bytes that all flows take, and those that have been.
    pub(crate) fn footprint(&self) -> usize {
        self.table.footprint() + self.pending.capacity() * size_of::<ConnId>()
    }

    /// True if nothing is left in any chain or list.
    pub(crate) fn is_bare(&self) -> bool {
        self.table.is_bare() && self.pending.is_empty()
    }
}

#[cfg(test)]
pub(crate) mod tests;
