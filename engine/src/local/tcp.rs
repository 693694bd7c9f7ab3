//! TCP: who listens, who is connected to whom, and who was.
//!
//! What a connection does with its segments is smoltcp's; which segment is for whom, ports, backlogs, and what becomes of a
//! connection that nobody owns any more, is Linux's and stands here.
//!
//! | file | holds |
//! |---|---|
//! | `tcp` | `Tcp`: all TCP sockets of a namespace by what they are found by, and their timers |
//! | `conn` | one connection |
//! | `life` | how a socket begins and ends |
//! | `wire` | the device that smoltcp sees |
//! | `options` | TCP options as Linux writes them |
//! | `acks` | when what came is acknowledged |
//! | `ports` | which port may be whose |
//! | `probe` | when what may be lost is sent again before its time |

mod acks;
mod conn;
mod life;
mod options;
mod ports;
mod probe;
mod wire;

pub use conn::Tally;
pub(crate) use conn::{Conn, Emitted, WINDOW_SCALE};

use super::{Endpoint, SocketId};
use crate::addr::Ipv4Addr;
use crate::control::Errno;
use crate::frame::FrameBuf;
use crate::seldom::Usual;
use crate::time::{Duration, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How long a connection that is over is remembered (`TCP_TIMEWAIT_LEN`).
pub(crate) const TIME_WAIT: Duration = Duration::from_secs(60);
/// How many of them are.
const REMEMBERED: usize = 0x1_0000;

/// The two ends of a connection, ours first; ordered by our port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flow {
    pub(crate) port: u16,
    pub(crate) local: Ipv4Addr,
    pub(crate) remote: Endpoint,
}

/// What a connection's way and the sysctls say of its segments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Bytes of an IP packet that fits.
    pub(crate) mtu: usize,
    /// The segment size that is told to the other side.
    pub(crate) advertised: u16,
    /// What is not acknowledged is sent again after this time at the earliest.
    pub(crate) rto_min: Duration,
    /// `tcp_timestamps`, `tcp_sack`, `tcp_window_scaling`
    pub(crate) timestamps: bool,
    pub(crate) sack: bool,
    /// `tcp_early_retrans`
    pub(crate) loss_probes: bool,
    pub(crate) scaling: bool,
}

/// A SYN or SYN-ACK that is sent again until it is answered.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// The IP packet.
    pub(crate) packet: Vec<u8>,
    /// How often it was sent again.
    pub(crate) repeated: u32,
    /// When it is sent again, or given up.
    pub(crate) next: Time,
}

/// What a TCP socket is doing.
#[derive(Debug)]
pub(crate) enum Tcb {
    /// Nothing, or no more.
    Closed,
    /// It waits for others to connect.
    Listen(Listener),
    /// It is connected, or about to be.
    Connected(Box<Connected>),
}

/// A socket that listens.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    /// How many may wait to be accepted, less one.
    pub(crate) backlog: usize,
    /// Connections that wait to be accepted.
    pub(crate) ready: VecDeque<SocketId>,
    /// Connections whose handshake is not done.
    pub(crate) half_open: Vec<SocketId>,
}

/// A socket with a connection.
pub(crate) struct Connected {
    pub(crate) conn: Conn,
    /// No program has it any more: it ends by itself.
    pub(crate) orphan: bool,
    /// The listener that has it, until a program accepts it.
    pub(crate) listener: Option<SocketId>,
    /// The other side has ended the connection by a RST, or it was given up: no more is sent.
    pub(crate) over: bool,
    /// What an ICMP error told that is not final (`sk_err_soft`).
    pub(crate) soft: Option<Errno>,
    /// The end of this stream was told to the other side (`SEND_SHUTDOWN`).
    pub(crate) shut: bool,
    /// When an orphan that waits for the other side's last word gives up.
    pub(crate) patience: Option<Time>,
}

/// A connection that is over, whose last segments may still be on their way (`struct inet_timewait_sock`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeWait {
    pub(crate) until: Time,
    /// The next sequence number of ours, and the next one expected.
    pub(crate) next: u32,
    pub(crate) expected: u32,
    /// `SO_REUSEADDR` was set.
    pub(crate) reuse: bool,
}

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A connection's.
    Socket(SocketId),
    /// A connection's that is over.
    TimeWait(Flow),
}

/// For whom a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A connection.
    Connection(SocketId),
    /// One that is over.
    TimeWait,
    /// A listener.
    Listener(SocketId),
    /// Nobody.
    Nobody,
}

/// All TCP sockets of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Tcp {
    tcbs: BTreeMap<SocketId, Tcb>,
    flows: BTreeMap<Flow, SocketId>,
    /// Newest first.
    pub(super) listeners: Vec<SocketId>,
    time_wait: BTreeMap<Flow, TimeWait>,
    timers: BTreeSet<(Time, Timer)>,
    due: BTreeMap<SocketId, Time>,
    /// Who has a port.
    holders: BTreeSet<(u16, SocketId)>,
    /// What a connection emits, between two lines of one visit.
    pub(crate) batch: Vec<FrameBuf>,
}

impl Usual for Tcp {
    const USUAL: &'static Tcp = &Tcp {
        tcbs: BTreeMap::new(),
        flows: BTreeMap::new(),
        listeners: Vec::new(),
        time_wait: BTreeMap::new(),
        timers: BTreeSet::new(),
        due: BTreeMap::new(),
        holders: BTreeSet::new(),
        batch: Vec::new(),
    };
}

impl Tcp {
    /// A socket that was opened.
    pub(crate) fn open(&mut self, id: SocketId) {
        self.tcbs.insert(id, Tcb::Closed);
    }

    /// What a socket is doing.
    pub(crate) fn tcb(&self, id: SocketId) -> Option<&Tcb> {
        self.tcbs.get(&id)
    }

    /// A socket's connection.
    pub(crate) fn connected(&self, id: SocketId) -> Option<&Connected> {
        match self.tcbs.get(&id) {
            Some(Tcb::Connected(connected)) => Some(connected),
            _ => None,
        }
    }

    /// The same, to change it.
    pub(crate) fn connected_mut(&mut self, id: SocketId) -> Option<&mut Connected> {
        match self.tcbs.get_mut(&id) {
            Some(Tcb::Connected(connected)) => Some(connected),
            _ => None,
        }
    }

    /// The same, with the place for what it emits.
    pub(crate) fn with_batch(&mut self, id: SocketId) -> Option<(&mut Connected, &mut Vec<FrameBuf>)> {
        match self.tcbs.get_mut(&id) {
            Some(Tcb::Connected(connected)) => Some((connected, &mut self.batch)),
            _ => None,
        }
    }

    /// A listener.
    pub(crate) fn listener(&self, id: SocketId) -> Option<&Listener> {
        match self.tcbs.get(&id) {
            Some(Tcb::Listen(listener)) => Some(listener),
            _ => None,
        }
    }

    /// The same, to change it.
    pub(crate) fn listener_mut(&mut self, id: SocketId) -> Option<&mut Listener> {
        match self.tcbs.get_mut(&id) {
            Some(Tcb::Listen(listener)) => Some(listener),
            _ => None,
        }
    }

    /// Makes a listener of it, or changes how many may wait.
    pub(crate) fn listen(&mut self, id: SocketId, backlog: usize) {
        match self.tcbs.get_mut(&id) {
            Some(Tcb::Listen(listener)) => listener.backlog = backlog,
            Some(tcb) => {
                *tcb = Tcb::Listen(Listener { backlog, ..Listener::default() });
                self.listeners.insert(0, id);
            }
            None => {}
        }
    }

    /// Gives a socket a connection, which is due at once.
    pub(crate) fn connect(&mut self, now: Time, id: SocketId, conn: Conn, listener: Option<SocketId>) {
        self.flows.insert(conn.flow, id);
        let connected =
            Connected { conn, orphan: false, listener, over: false, soft: None, shut: false, patience: None };
        self.tcbs.insert(id, Tcb::Connected(Box::new(connected)));
        self.wake(now, id);
    }

    /// Segments of this socket's flow are no longer for it, and it has no timers.
    pub(crate) fn disconnect(&mut self, id: SocketId) {
        if let Some(flow) = self.connected(id).map(|connected| connected.conn.flow)
            && self.flows.get(&flow) == Some(&id)
        {
            self.flows.remove(&flow);
        }
        self.set_timer(id, None);
    }

    /// The connection of a flow.
    pub(crate) fn by_flow(&self, flow: &Flow) -> Option<SocketId> {
        self.flows.get(flow).copied()
    }

    /// A flow that is over.
    pub(crate) fn time_wait(&self, flow: &Flow) -> Option<TimeWait> {
        self.time_wait.get(flow).copied()
    }

    /// All connections that have not ended, by their flows.
    pub(crate) fn connections(&self) -> impl Iterator<Item = SocketId> {
        self.flows.values().copied()
    }

    /// All sockets.
    pub(crate) fn count(&self) -> usize {
        self.tcbs.len()
    }

    /// All flows that are over.
    pub(crate) fn time_waits(&self) -> impl Iterator<Item = (&Flow, &TimeWait)> {
        self.time_wait.iter()
    }

    /// Remembers a flow that is over. If there are too many, it is forgotten at once.
    pub(crate) fn remember(&mut self, flow: Flow, wait: TimeWait) {
        self.forget(&flow);
        if self.time_wait.len() < REMEMBERED {
            self.timers.insert((wait.until, Timer::TimeWait(flow)));
            self.time_wait.insert(flow, wait);
        }
    }

    /// Forgets a flow that is over.
    pub(crate) fn forget(&mut self, flow: &Flow) {
        if let Some(wait) = self.time_wait.remove(flow) {
            self.timers.remove(&(wait.until, Timer::TimeWait(*flow)));
        }
    }

    /// A socket is to be looked at at once.
    pub(crate) fn wake(&mut self, now: Time, id: SocketId) {
        self.set_timer(id, Some(now));
    }

    /// A socket's timer.
    pub(crate) fn set_timer(&mut self, id: SocketId, at: Option<Time>) {
        let before = match at {
            Some(at) => self.due.insert(id, at),
            None => self.due.remove(&id),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.timers.remove(&(before, Timer::Socket(id)));
        }
        if let Some(at) = at {
            self.timers.insert((at, Timer::Socket(id)));
        }
    }

    /// When the next timer runs out.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// A timer that has run out; it is set no more.
    pub(crate) fn expired(&mut self, now: Time) -> Option<Timer> {
        let (at, timer) = *self.timers.first().filter(|(at, _)| *at <= now)?;
        self.timers.remove(&(at, timer));
        if let Timer::Socket(id) = timer {
            self.due.remove(&id);
        }
        Some(timer)
    }
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connected({:?} {})", self.conn.flow, self.conn.state())
    }
}
