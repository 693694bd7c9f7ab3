//! The sockets of a namespace as tools list them (`inet_diag`, `/proc/net/tcp`).

use super::tcp::{Connected, Flow, Tally, Tcb, TimeWait};
use super::{Endpoint, Socket, SocketId, SocketKind, Sockets};
use crate::addr::Ipv4Addr;
use crate::control::IfIndex;
use crate::time::{Duration, Time};
use smoltcp::socket::tcp::State;

/// Inodes of sockets count up from here.
const FIRST_INODE: u64 = 20_480;
/// The kernel's own half of the shutdown flags (`RCV_SHUTDOWN`, `SEND_SHUTDOWN`).
const RECEIVE_SHUTDOWN: u8 = 1;
const SEND_SHUTDOWN: u8 = 2;

/// A state, with the kernel's number (`TCP_ESTABLISHED` …). Sockets that are not TCP's are `Close`, or connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the kernel's own names")]
pub enum SocketState {
    Established = 1,
    SynSent = 2,
    SynReceived = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    Close = 7,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
}

/// A timer that runs: its number in `/proc/net/tcp`, when it runs out, and how often it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketTimer {
    /// 1: something is sent again; 3: the end of TIME-WAIT.
    pub kind: u8,
    /// What is left of it.
    pub left: Duration,
    /// How often it has run out.
    pub retransmits: u32,
}

/// What `ss -i` tells of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// Time stamps are in use.
    pub timestamps: bool,
    /// Selective acknowledgements are in use.
    pub sack: bool,
    /// Window scales are in use: theirs and ours.
    pub window_scale: Option<(u8, u8)>,
    /// Retransmission time-out.
    pub timeout: Duration,
    /// Smoothed round trip and its deviation.
    pub round_trip: Option<(Duration, Duration)>,
    /// Segment size in use.
    pub mss: usize,
    /// Path MTU.
    pub mtu: usize,
    /// Counters.
    pub tally: Tally,
}

/// One socket, or a connection that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketInfo {
    /// Its number; none if no program has it.
    pub id: Option<SocketId>,
    /// Its kind.
    pub kind: SocketKind,
    /// Its state.
    pub state: SocketState,
    /// Our end.
    pub local: Endpoint,
    /// The other end.
    pub remote: Endpoint,
    /// `SO_BINDTODEVICE`
    pub device: Option<IfIndex>,
    /// It is an IPv6 socket that takes IPv4, too.
    pub dual: bool,
    /// Bytes not read; of a listener: connections not accepted.
    pub receive_queue: usize,
    /// Bytes not acknowledged; of a listener: its backlog.
    pub send_queue: usize,
    /// The timer that runs.
    pub timer: Option<SocketTimer>,
    /// Inode number, 0 if no program has it.
    pub inode: u64,
    /// 1: nothing more is received, 2: nothing more is sent.
    pub shutdown: u8,
    /// `SO_MARK`
    pub mark: u32,
    /// Of a connection.
    pub info: Option<TcpInfo>,
}

impl Sockets {
    /// All sockets: raw ones, UDP ones that have a port, TCP ones that listen, the newest first, connections, and
    /// connections that are over, by their ports.
    pub(crate) fn table(&self, now: Time) -> Vec<SocketInfo> {
        let mut raw: Vec<SocketId> = self.raw.clone();
        raw.sort();
        let mut udp = self.udp.clone();
        udp.sort_by_key(|id| (self.get(*id).map_or(0, |socket| socket.port), *id));
        let plain = raw.iter().chain(&udp).chain(&self.packet);
        let mut table: Vec<SocketInfo> = plain.filter_map(|id| Some(datagram_info(*id, self.get(*id).ok()?))).collect();
        let listeners = self.tcp.listeners.iter().filter_map(|id| self.listener_info(*id));
        let connections = self.tcp.connections().filter_map(|id| self.connection_info(now, id));
        let over = self.tcp.time_waits().map(|(flow, wait)| time_wait_info(now, flow, wait));
        table.extend(listeners.chain(connections).chain(over));
        table
    }

    /// TCP sockets that are open, whatever they do.
    pub(crate) fn tcp_count(&self) -> usize {
        self.tcp.count()
    }

    fn listener_info(&self, id: SocketId) -> Option<SocketInfo> {
        let socket = self.get(id).ok()?;
        let listener = self.tcp.listener(id)?;
        let (receive_queue, send_queue) = (listener.ready.len(), listener.backlog);
        let state = SocketState::Listen;
        Some(SocketInfo { state, receive_queue, send_queue, ..common(id, socket, socket.receives_at) })
    }

    fn connection_info(&self, now: Time, id: SocketId) -> Option<SocketInfo> {
        let socket = self.get(id).ok()?;
        let Some(Tcb::Connected(connected)) = self.tcp.tcb(id) else { return None };
        let stream = connected.conn.socket();
        let state = state_of(stream.state());
        let heard_end = matches!(state, SocketState::CloseWait | SocketState::LastAck | SocketState::Closing);
        let on_the_way = connected.conn.next.wrapping_sub(connected.conn.unacknowledged) as usize;
        let has_program = !connected.orphan && connected.listener.is_none();
        let receives = if heard_end || connected.orphan { RECEIVE_SHUTDOWN } else { 0 };
        Some(SocketInfo {
            id: has_program.then_some(id),
            inode: if has_program { inode(id) } else { 0 },
            state,
            receive_queue: stream.recv_queue() + usize::from(heard_end && state == SocketState::CloseWait),
            // Of a mere request Linux says nothing (`inet_req_diag_fill`).
            send_queue: if state == SocketState::SynReceived { 0 } else { stream.send_queue().max(on_the_way) },
            timer: timer_of(now, connected),
            shutdown: receives | if connected.shut { SEND_SHUTDOWN } else { 0 },
            info: (state != SocketState::SynReceived).then(|| tcp_info(connected)),
            ..common(id, socket, connected.conn.flow.local)
        })
    }
}

fn common(id: SocketId, socket: &Socket, local: Ipv4Addr) -> SocketInfo {
    SocketInfo {
        id: Some(id),
        kind: socket.kind,
        state: SocketState::Close,
        local: (local, socket.port),
        remote: socket.peer.unwrap_or((Ipv4Addr::UNSPECIFIED, 0)),
        device: socket.options.device,
        dual: socket.options.dual,
        receive_queue: 0,
        send_queue: 0,
        timer: None,
        inode: inode(id),
        shutdown: 0,
        mark: socket.options.mark,
        info: None,
    }
}

fn datagram_info(id: SocketId, socket: &Socket) -> SocketInfo {
    let state = if socket.peer.is_some() { SocketState::Established } else { SocketState::Close };
    let mut info = SocketInfo { state, receive_queue: socket.charged(), ..common(id, socket, socket.receives_at) };
    if let SocketKind::Raw { protocol } = socket.kind {
        info.local.1 = u16::from(protocol);
    }
    info
}

fn time_wait_info(now: Time, flow: &Flow, wait: &TimeWait) -> SocketInfo {
    SocketInfo {
        id: None,
        kind: SocketKind::Tcp,
        state: SocketState::TimeWait,
        local: (flow.local, flow.port),
        remote: flow.remote,
        device: None,
        dual: false,
        receive_queue: 0,
        send_queue: 0,
        timer: Some(SocketTimer { kind: 3, left: wait.until.since(now), retransmits: 0 }),
        inode: 0,
        shutdown: RECEIVE_SHUTDOWN | SEND_SHUTDOWN,
        mark: 0,
        info: None,
    }
}

fn timer_of(now: Time, connected: &Connected) -> Option<SocketTimer> {
    if let Some(handshake) = &connected.conn.handshake {
        let left = handshake.next.since(now);
        return Some(SocketTimer { kind: 1, left, retransmits: handshake.repeated });
    }
    let left = connected.conn.timer()?.since(now);
    Some(SocketTimer { kind: 1, left, retransmits: 0 })
}

fn tcp_info(connected: &Connected) -> TcpInfo {
    let conn = &connected.conn;
    let offer = conn.offer();
    TcpInfo {
        timestamps: offer.timestamp.is_some(),
        sack: offer.sack_permitted,
        window_scale: offer.window_scale.map(|theirs| (theirs, super::tcp::WINDOW_SCALE)),
        timeout: conn.base_timeout(),
        round_trip: conn.round_trip(),
        mss: conn.mss(),
        mtu: conn.mtu(),
        tally: conn.tally,
    }
}

fn state_of(state: State) -> SocketState {
    match state {
        State::Closed => SocketState::Close,
        State::Listen => SocketState::Listen,
        State::SynSent => SocketState::SynSent,
        State::SynReceived => SocketState::SynReceived,
        State::Established => SocketState::Established,
        State::FinWait1 => SocketState::FinWait1,
        State::FinWait2 => SocketState::FinWait2,
        State::CloseWait => SocketState::CloseWait,
        State::Closing => SocketState::Closing,
        State::LastAck => SocketState::LastAck,
        State::TimeWait => SocketState::TimeWait,
    }
}

fn inode(id: SocketId) -> u64 {
    FIRST_INODE + u64::from(id.0)
}
