//! TCP segments on their way in and out, and TCP's timers (`tcp_v4_rcv`, `__ip_queue_xmit`, `tcp_timer.c`).

use super::output::{Ident, Own};
use super::packet::{Cast, Packet};
use super::socket::output_key;
use super::{Cx, Stack};
use crate::addr::IpAddr;
use crate::control::{Errno, Nud, RouteKind};
use crate::frame::FrameBuf;
use crate::local::tcp::{Conn, Connected, Emitted, Flow, Found, Handshake, Look, TIME_WAIT, TimeWait, Timer};
use crate::local::{PmtuDiscover, SocketId, SocketOptions};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::route::{OutputKey, OutputRoute, Transport};
use crate::sysctl::TcpConf;
use crate::time::{Duration, Time, timer_wheel};
use crate::wire::tcp::flag;
use crate::wire::{Ipv4, Tcp, ipv4, protocol, tcp};
use smoltcp::socket::tcp::State;

/// The first wait for an answer to a SYN (`TCP_TIMEOUT_INIT`).
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// Waits grow to this at most (`TCP_RTO_MAX`).
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);
/// No segment is smaller than an IP packet of this size allows (`TCP_MIN_SND_MSS`, and the headers).
const LEAST_MTU: usize = 88;
/// A timer of a connection that would run out at once, after everything that was due has been done, waits this long.
const BREATH: Duration = Duration::from_millis(1);
/// The segment size that is told to the other side is not above this (`TCP_MSS` of the largest IP packet).
const LARGEST_MTU: usize = 65_535;

impl Stack {
    /// A segment came (`tcp_v4_rcv`). The answer to `NoSocket` is a RST.
    pub(super) fn tcp_receive<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &Packet,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        if packet.cast != Cast::Host {
            return Err(DropReason::NotUnicastToUs);
        }
        let Ipv4 { source, destination, .. } = packet.header;
        let header = Tcp::checked(source, destination, packet.payload())?;
        if packet.route.kind != RouteKind::Local {
            return Err(DropReason::NotUnicastToUs);
        }
        let flow = Flow { port: header.destination, local: destination, remote: (source, header.source) };
        match self.sockets.find_tcp(&flow, packet.seen_by(), choice(&flow)) {
            Found::Connection(id) => self.tcp_segment(cx, id, packet, &header, observer),
            Found::TimeWait => self.tcp_late(cx, flow, packet, &header, observer),
            Found::Listener(id) => self.tcp_request(cx, id, flow, packet, &header, observer),
            Found::Nobody => Err(DropReason::NoSocket),
        }
    }

    /// A segment of a connection.
    fn tcp_segment<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        packet: &Packet,
        header: &Tcp,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        if !self.sockets.get(id).is_ok_and(|socket| socket.hears(packet.seen_by())) {
            return Err(DropReason::NoSocket);
        }
        let Some(connected) = self.sockets.tcp.connected(id) else { return Err(DropReason::NoSocket) };
        let opening = connected.conn.state() == State::SynReceived;
        if opening && header.has(flag::RST) {
            self.sockets.forget(id);
            return Ok(());
        }
        if opening && header.has(flag::SYN) && !header.has(flag::ACK) {
            // The SYN-ACK was lost.
            let _ = self.tcp_repeat(cx, id, observer);
            return Ok(());
        }
        if opening && self.accept_queue_is_full(connected.listener) {
            let aborts = self.config.sysctls.tcp().abort_on_overflow;
            if aborts {
                self.sockets.forget(id);
            }
            return Err(if aborts { DropReason::NoSocket } else { DropReason::ListenQueueFull });
        }
        let length = packet.payload().len().saturating_sub(header.data_offset);
        if connected.orphan && length > 0 && is_news(connected, header, length) {
            // Nobody will read it.
            self.sockets.forget(id);
            return Err(DropReason::NoSocket);
        }
        let Some((connected, batch)) = self.sockets.tcp.with_batch(id) else { return Ok(()) };
        let before = connected.conn.state();
        connected.conn.ingest(cx.now, &packet.frame, cx.pool, batch);
        let reset = header.has(flag::RST) && before != State::Closed && connected.conn.state() == State::Closed;
        if reset {
            self.tcp_fail(cx.now, id, reset_errno(before));
        }
        self.tcp_flush(cx, id, observer);
        Ok(())
    }

    /// The accept queue of a listener has no room (`sk_acceptq_is_full`).
    fn accept_queue_is_full(&self, listener: Option<SocketId>) -> bool {
        let listener = listener.and_then(|listener| self.sockets.tcp.listener(listener));
        listener.is_some_and(|listener| listener.ready.len() > listener.backlog)
    }

    /// A segment for a listener: a SYN begins a connection (`tcp_conn_request`).
    fn tcp_request<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        listener: SocketId,
        flow: Flow,
        packet: &Packet,
        header: &Tcp,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        if header.has(flag::ACK) {
            return Err(DropReason::NoSocket);
        }
        if header.has(flag::RST) || !header.has(flag::SYN) || header.has(flag::FIN) {
            return Ok(());
        }
        let waiting = self.sockets.tcp.listener(listener);
        let full = waiting.is_none_or(|listener| listener.half_open.len() > listener.backlog.max(7));
        if full || self.accept_queue_is_full(Some(listener)) {
            return Err(DropReason::ListenQueueFull);
        }
        let options = self.sockets.get(listener).map_err(|_| DropReason::NoSocket)?.options.clone();
        let look = self.look_of(cx.now, flow, &options);
        let id = self.sockets.embryo(listener, flow).map_err(|_| DropReason::ListenQueueFull)?;
        let seed = self.sockets.seed();
        let Some(conn) = Conn::passive(flow, &look, seed) else {
            self.sockets.forget(id);
            return Err(DropReason::NotUnicastToUs);
        };
        self.sockets.tcp.connect(cx.now, id, conn, Some(listener));
        if let Some(listener) = self.sockets.tcp.listener_mut(listener) {
            listener.half_open.push(id);
        }
        if let Some((connected, batch)) = self.sockets.tcp.with_batch(id) {
            connected.conn.ingest(cx.now, &packet.frame, cx.pool, batch);
        }
        self.tcp_flush(cx, id, observer);
        Ok(())
    }

    /// A segment of a connection that is over (`tcp_timewait_state_process`): a new SYN may begin another; what is repeated is
    /// acknowledged once more.
    fn tcp_late<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        flow: Flow,
        packet: &Packet,
        header: &Tcp,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        let Some(wait) = self.sockets.tcp.time_wait(&flow) else { return Err(DropReason::NoSocket) };
        if header.has(flag::RST) {
            self.sockets.tcp.forget(&flow);
            return Ok(());
        }
        if header.has(flag::SYN) {
            let newer = header.sequence.wrapping_sub(wait.expected) < 1 << 31;
            let listener = self.sockets.find_listener(&flow, packet.seen_by(), choice(&flow));
            if let Some(listener) = listener.filter(|_| newer && !header.has(flag::ACK)) {
                self.sockets.tcp.forget(&flow);
                return self.tcp_request(cx, listener, flow, packet, header, observer);
            }
        }
        let answer = Tcp {
            source: flow.port,
            destination: flow.remote.1,
            sequence: wait.next,
            acknowledgment: wait.expected,
            data_offset: tcp::HEADER,
            flags: flag::ACK,
            ..Tcp::default()
        };
        let key = key_of(flow);
        if let Ok(route) = self.output_way(cx.now, &key) {
            let like = Ipv4 { source: flow.local, destination: flow.remote.0, tos: 0, ..packet.header };
            let head = answer.emit(flow.local, flow.remote.0, &[]);
            let mut frame = self.build(cx, &route, &like, &Default::default(), &[&head]);
            ipv4::set_flags_fragment(&mut frame, ipv4::DF);
            let _ = self.send(cx, &route, frame, Own::kernel(Ident::Zero, 0), observer);
        }
        Ok(())
    }

    /// What the way of a flow makes of its segments; without a way, what any network takes.
    pub(super) fn look_of(&self, now: Time, flow: Flow, options: &SocketOptions) -> Look {
        let key = OutputKey { oif: options.device, ..key_of(flow) };
        look(self.output_way(now, &key).as_ref().ok(), &self.config.sysctls.tcp())
    }

    /// Lets a connection send what it has to send, and sees what has become of it.
    pub(super) fn tcp_flush<O: Observer>(&mut self, cx: &mut Cx<'_>, id: SocketId, observer: &mut O) {
        let Ok(socket) = self.sockets.get(id) else { return };
        let Some(connected) = self.sockets.tcp.connected(id) else { return };
        let flow = connected.conn.flow;
        let key = OutputKey { source: Some(flow.local), ..output_key(socket, flow.remote) };
        let options = socket.options.clone();
        let route = self.output_way(cx.now, &key).ok();
        let look = look(route.as_ref(), &self.config.sysctls.tcp());
        let seed = self.sockets.seed();
        let Some(connected) = self.sockets.tcp.connected_mut(id) else { return };
        if route.is_some() {
            connected.conn.fit(cx.now, look.mtu, seed);
        }
        self.tcp_let_go(cx, id, (&options, route.as_ref(), &look), observer);
        if self.sockets.tcp.connected_mut(id).is_some_and(|connected| connected.conn.turn_to_end(cx.now)) {
            self.tcp_let_go(cx, id, (&options, route.as_ref(), &look), observer);
        }
        self.tcp_overdue_ack(cx, id, (&options, route.as_ref()), observer);
        self.tcp_settle(cx.now, id);
    }

    /// Sends all that smoltcp emits.
    fn tcp_let_go<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        (options, route, look): (&SocketOptions, Option<&OutputRoute>, &Look),
        observer: &mut O,
    ) {
        let Some((connected, batch)) = self.sockets.tcp.with_batch(id) else { return };
        connected.conn.egress(cx.now, cx.pool, batch);
        let mut batch = std::mem::take(batch);
        for frame in batch.drain(..) {
            self.tcp_send(cx, id, frame, (options, route, look), observer);
        }
        self.sockets.tcp.batch = batch;
    }

    /// Sends a packet that smoltcp emitted, or keeps it if it can wait.
    fn tcp_send<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        mut frame: FrameBuf,
        (options, route, look): (&SocketOptions, Option<&OutputRoute>, &Look),
        observer: &mut O,
    ) {
        let Some(connected) = self.sockets.tcp.connected_mut(id) else { return cx.pool.give(frame) };
        let conn = &mut connected.conn;
        let Emitted::Send(ident) = conn.dress(cx.now, &mut frame, look) else { return cx.pool.give(frame) };
        if conn.take_progress()
            && let Some(route) = route
        {
            self.neighbors.confirm(cx.now, route.oif, IpAddr::V4(route.next_hop()));
        }
        let opening = matches!(conn.state(), State::SynSent | State::SynReceived);
        if opening && conn.handshake.is_none() {
            let next = timer_wheel(cx.now, cx.now + FIRST_TIMEOUT);
            conn.handshake = Some(Handshake { packet: frame.to_vec(), repeated: 0, next });
        }
        // What the device does not take is lost, and sent again in time.
        let sent = self.tcp_output(cx, frame, (ident, options, route), observer);
        // What a filter refuses, or a mark has left without a way, has not been sent (`tcp_write_xmit`).
        if matches!(sent, Err(Errno::Perm | Errno::Inval))
            && !opening
            && let Some(connected) = self.sockets.tcp.connected_mut(id)
        {
            connected.conn.refuse();
        }
    }

    /// Sends a packet of TCP's, complete but for what the socket and the way say of its IP header (`__ip_queue_xmit`).
    fn tcp_output<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        mut frame: FrameBuf,
        (ident, options, route): (u16, &SocketOptions, Option<&OutputRoute>),
        observer: &mut O,
    ) -> Result<(), Errno> {
        self.counters.originated += 1;
        let (Some(route), Some(header)) = (route, Ipv4::parse(&frame)) else {
            self.discard(cx, frame, DropReason::NoRoute, observer);
            return Err(Errno::HostUnreach);
        };
        let whole = options.pmtu == PmtuDiscover::Dont || route.mtu_locked && options.pmtu == PmtuDiscover::Want;
        let flags_fragment = if whole { 0 } else { ipv4::DF };
        let ttl = options.ttl.unwrap_or_else(|| self.ttl(route));
        Ipv4 { tos: options.tos, flags_fragment, ttl, ..header }.write(&[], &mut frame);
        let Ipv4 { source, destination, protocol, .. } = header;
        let length = frame.len();
        observer.step(Step::Originated { source: source.into(), destination: destination.into(), protocol, length });
        let own = Own { ident: Ident::Given(ident), mark: options.mark, bound: options.device, ..Own::PROGRAM };
        self.send(cx, route, frame, own, observer)
    }

    fn tcp_overdue_ack<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        (options, route): (&SocketOptions, Option<&OutputRoute>),
        observer: &mut O,
    ) {
        let overdue = self.sockets.tcp.connected_mut(id).and_then(|connected| connected.conn.overdue_ack(cx.now));
        if let Some((packet, ident)) = overdue {
            let frame = cx.pool.copy(&packet);
            let _ = self.tcp_output(cx, frame, (ident, options, route), observer);
        }
    }

    /// What has become of a connection: established, over, forgotten; and when it is to be looked at again.
    fn tcp_settle(&mut self, now: Time, id: SocketId) {
        let conf = self.config.sysctls.tcp();
        let reuse = self.sockets.get(id).is_ok_and(|socket| socket.options.reuse_address);
        let Some(connected) = self.sockets.tcp.connected_mut(id) else { return };
        let (state, orphan) = (connected.conn.state(), connected.orphan);
        match state {
            State::SynSent | State::SynReceived => {}
            State::TimeWait if !connected.over => {
                connected.over = true;
                let (flow, next) = (connected.conn.flow, connected.conn.next);
                let wait = TimeWait { until: now + TIME_WAIT, next, expected: connected.conn.expected(), reuse };
                self.sockets.tcp.disconnect(id);
                self.sockets.tcp.remember(flow, wait);
            }
            State::Closed => {
                connected.over = true;
                self.sockets.tcp.disconnect(id);
            }
            _ => {
                connected.conn.handshake = None;
                if orphan && state == State::FinWait2 {
                    connected.patience.get_or_insert(now + conf.fin_timeout);
                }
                self.sockets.established(id);
            }
        }
        let Some(connected) = self.sockets.tcp.connected_mut(id) else { return };
        if connected.over && connected.orphan {
            return self.sockets.forget(id);
        }
        if connected.over {
            return;
        }
        let at = [connected.conn.deadline(now), connected.patience, give_up(connected, &conf)];
        let at = at.into_iter().flatten().min().map(|at| if at <= now { now + BREATH } else { at });
        self.sockets.tcp.set_timer(id, at);
    }

    /// Runs the timers that are due.
    pub(super) fn tcp_tick<O: Observer>(&mut self, cx: &mut Cx<'_>, observer: &mut O) {
        while let Some(timer) = self.sockets.tcp.expired(cx.now) {
            match timer {
                Timer::TimeWait(flow) => self.sockets.tcp.forget(&flow),
                Timer::Socket(id) => self.tcp_timer(cx, id, observer),
            }
        }
    }

    fn tcp_timer<O: Observer>(&mut self, cx: &mut Cx<'_>, id: SocketId, observer: &mut O) {
        let conf = self.config.sysctls.tcp();
        let Some(connected) = self.sockets.tcp.connected(id) else { return };
        if connected.patience.is_some_and(|until| until <= cx.now) {
            return self.sockets.forget(id);
        }
        if give_up(connected, &conf).is_some_and(|until| until <= cx.now) {
            return self.tcp_give_up(cx.now, id);
        }
        if let Some(handshake) = connected.conn.handshake.as_ref().filter(|handshake| handshake.next <= cx.now) {
            let most = match connected.conn.state() {
                State::SynSent => conf.syn_retries + conf.syn_linear_timeouts,
                _ => conf.synack_retries,
            };
            if handshake.repeated >= most {
                return self.tcp_give_up(cx.now, id);
            }
            let opening = connected.conn.state() == State::SynReceived;
            if self.tcp_repeat(cx, id, observer).is_err() && opening {
                // Even a filter of our own can forget who asks (`reqsk_timer_handler`).
                return self.sockets.forget(id);
            }
            self.tcp_backoff(cx.now, id, &conf);
        }
        self.tcp_flush(cx, id, observer);
    }

    /// Sends a SYN or SYN-ACK once more; what it was refused for, if it was.
    fn tcp_repeat<O: Observer>(&mut self, cx: &mut Cx<'_>, id: SocketId, observer: &mut O) -> Result<(), Errno> {
        let options = self.sockets.get(id)?.options.clone();
        let Some(connected) = self.sockets.tcp.connected_mut(id) else { return Ok(()) };
        let flow = connected.conn.flow;
        let Some((packet, ident)) = connected.conn.repetition(cx.now) else { return Ok(()) };
        let key = OutputKey { oif: options.device, ..key_of(flow) };
        let key = OutputKey { tos: options.tos, mark: options.mark, ..key };
        let route = self.output_way(cx.now, &key).ok();
        if route.is_some_and(|route| self.waits_for_neighbor(cx.now, &route)) {
            // The one before has not left yet.
            return Ok(());
        }
        let frame = cx.pool.copy(&packet);
        self.tcp_output(cx, frame, (ident, &options, route.as_ref()), observer)
    }

    /// The next hop has been asked for its MAC, and has not answered yet (`skb_still_in_host_queue`).
    fn waits_for_neighbor(&self, now: Time, route: &OutputRoute) -> bool {
        let entry = self.neighbors.get(now, route.oif, IpAddr::V4(route.next_hop()));
        entry.is_some_and(|entry| entry.state == Nud::Incomplete)
    }

    /// When the SYN that was just repeated is repeated again: the first few after a second each, then after twice as long
    /// each time (`tcp_retransmit_timer`); a SYN-ACK after twice as long from the first on.
    fn tcp_backoff(&mut self, now: Time, id: SocketId, conf: &TcpConf) {
        let Some(connected) = self.sockets.tcp.connected_mut(id) else { return };
        let linear = if connected.conn.state() == State::SynSent { conf.syn_linear_timeouts } else { 0 };
        if let Some(handshake) = &mut connected.conn.handshake {
            handshake.repeated += 1;
            let doublings = handshake.repeated.saturating_sub(linear).min(7);
            let wait = (FIRST_TIMEOUT * (1 << doublings)).min(LONGEST_TIMEOUT);
            handshake.next = timer_wheel(now, now + wait);
        }
    }

    /// Nobody answers: the connection is over.
    fn tcp_give_up(&mut self, now: Time, id: SocketId) {
        let soft = self.sockets.tcp.connected(id).and_then(|connected| connected.soft);
        self.tcp_fail(now, id, soft.unwrap_or(Errno::TimedOut));
        self.tcp_settle(now, id);
    }

    /// A connection ends with an error (`tcp_done`); one that no program has is forgotten.
    pub(super) fn tcp_fail(&mut self, now: Time, id: SocketId, errno: Errno) {
        self.sockets.tcp_fail(now, id, errno);
    }
}

/// What a way makes of segments.
fn look(route: Option<&OutputRoute>, conf: &TcpConf) -> Look {
    let mtu = route.map_or(LARGEST_MTU, |route| route.mtu as usize).clamp(LEAST_MTU, LARGEST_MTU);
    let told =
        route.and_then(|route| route.metrics.advmss).map_or(mtu - ipv4::HEADER - tcp::HEADER, |mss| mss as usize);
    let advertised = told.min(LARGEST_MTU - ipv4::HEADER - tcp::HEADER) as u16;
    Look {
        mtu,
        advertised,
        rto_min: conf.rto_min,
        timestamps: conf.timestamps,
        sack: conf.sack,
        loss_probes: conf.loss_probes && conf.sack,
        scaling: conf.window_scaling,
    }
}

/// What chooses among listeners that share a port: the same for all segments of a flow.
fn choice(flow: &Flow) -> u64 {
    let ends = u64::from(flow.remote.0.to_bits()) << 32 | u64::from(flow.remote.1) << 16 | u64::from(flow.port);
    (ends ^ u64::from(flow.local.to_bits())).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

/// It brings bytes that have not come yet.
fn is_news(connected: &Connected, header: &Tcp, length: usize) -> bool {
    let end = header.sequence.wrapping_add(length as u32);
    let ahead = end.wrapping_sub(connected.conn.expected());
    ahead != 0 && ahead < 1 << 31
}

/// What a RST means in a state (`tcp_reset`).
fn reset_errno(state: State) -> Errno {
    match state {
        State::SynSent => Errno::ConnRefused,
        State::CloseWait => Errno::Pipe,
        _ => Errno::ConnReset,
    }
}

/// When a connection is given up on which nothing is acknowledged: after as long as `tcp_retries2` repetitions take
/// (`retransmits_timed_out`).
fn give_up(connected: &Connected, conf: &TcpConf) -> Option<Time> {
    let since = connected.conn.stuck_since.filter(|_| connected.conn.handshake.is_none())?;
    let doublings = LONGEST_TIMEOUT.as_millis().div_ceil(200).ilog2();
    let first = Duration::from_millis(200);
    let wait = if conf.retries2 <= doublings {
        first * ((2 << conf.retries2) - 1)
    } else {
        first * ((2 << doublings) - 1) + LONGEST_TIMEOUT * (conf.retries2 - doublings)
    };
    Some(since + wait)
}

/// What a flow's segments ask the tables.
fn key_of(flow: Flow) -> OutputKey {
    let (address, destination_port) = flow.remote;
    let transport = Transport { protocol: protocol::TCP, source_port: flow.port, destination_port };
    OutputKey { source: Some(flow.local), transport, ..OutputKey::to(address) }
}
