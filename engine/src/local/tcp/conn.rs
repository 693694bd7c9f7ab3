//! One connection: a smoltcp socket in an interface of its own. What it puts on the wire is dressed as Linux would have
//! written it, and it sees the clock a little ahead, where Linux would not wait as long as smoltcp does.

use super::acks::Acks;
use super::options::Options;
use super::probe::{Pace, Probe};
use super::wire::Wire;
use super::{Flow, Handshake, Look};
use crate::frame::{FrameBuf, FramePool};
use crate::time::{Duration, Time};
use crate::wire::{Ipv4, Tcp, checksum, ipv4, protocol, put, tcp};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr, IpEndpoint, TcpTimestampGenerator};

/// Bytes that may wait for the program, and on their way to the other side.
const RECEIVE: usize = 2 << 20;
const SEND: usize = 1 << 20;
/// The window scale of all sockets (`tcp_select_initial_window`, of the largest `tcp_rmem`).
pub(crate) const WINDOW_SCALE: u8 = 10;
/// The receive window at first (`tcp_rmem`'s 131072, half of it for the books).
const FIRST_WINDOW: u32 = 65_535;
/// The retransmission time-out that smoltcp does not go below.
const SMOLTCP_RTO: Duration = Duration::from_secs(1);
/// How finely Linux's timers run (HZ=250).
const TICK: Duration = Duration::from_millis(4);
/// Segments that one call may let go: more than any window has.
const BURST: usize = 8192;

/// A connection.
pub(crate) struct Conn {
    net: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    pub(crate) flow: Flow,
    mtu: usize,
    /// How far its clock is ahead.
    ahead: Duration,
    /// The retransmission time-out that Linux does not go below.
    rto_min: Duration,
    /// The SYN or SYN-ACK that is repeated, while there is no answer.
    pub(crate) handshake: Option<Handshake>,
    /// What the other side offered.
    offer: Options,
    acks: Acks,
    probe: Probe,
    /// What is added to its clock in time stamps.
    stamp: u32,
    /// The next IP id (`inet_id`).
    ident: u16,
    /// Sequence numbers: the oldest that is not acknowledged, the next one, and the next one expected.
    pub(crate) unacknowledged: u32,
    pub(crate) next: u32,
    expected: u32,
    /// The window that is told at most: it grows with what comes (`rcv_ssthresh`).
    window: u32,
    /// Smoothed round trip and its deviation, and what is being timed: a sequence number and since when.
    round_trip: Option<(Duration, Duration)>,
    timed: Option<(u32, Time)>,
    /// The time-out that smoltcp has set itself, and the earlier one that counts.
    timeout: Option<(Instant, Time)>,
    /// Since when nothing that was sent has been acknowledged.
    pub(crate) stuck_since: Option<Time>,
    /// What was sent has arrived: the next hop is alive (`sk_dst_pending_confirm`).
    progressed: bool,
    /// What was sent was too large for the path, and must be sent again.
    pub(crate) resend: bool,
    /// What was sent last did not get out of this host, so that it counts as not sent (`tcp_write_xmit`).
    refused: bool,
    /// Our last word is to follow what the program has said before.
    ends: bool,
    /// What did and what did not come and go.
    pub(crate) tally: Tally,
}

/// Counters of a connection, as `ss -i` tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Bytes that came.
    pub bytes_received: u64,
    /// Bytes that were sent.
    pub bytes_sent: u64,
    /// Bytes that the other side has acknowledged.
    pub bytes_acked: u64,
    /// Segments that were sent.
    pub segs_out: u64,
    /// Segments that came.
    pub segs_in: u64,
    /// Segments with data that were sent.
    pub data_segs_out: u64,
    /// Segments with data that came.
    pub data_segs_in: u64,
}

/// What becomes of a packet that smoltcp emits.
pub(crate) enum Emitted {
    /// It is sent, with this IP id.
    Send(u16),
    /// It waits: a later one may say the same.
    Held,
}

impl Conn {
    /// A connection that begins here.
    pub(crate) fn active(flow: Flow, look: &Look, seed: u64) -> Option<Conn> {
        let mut conn = Conn::new(flow, look, seed);
        let remote = IpEndpoint::new(flow.remote.0.into(), flow.remote.1);
        let socket = conn.sockets.get_mut::<Socket<'_>>(conn.handle);
        socket.connect(conn.net.context(), remote, IpEndpoint::new(flow.local.into(), flow.port)).ok()?;
        Some(conn)
    }

    /// A connection that a SYN asks for; the SYN is still to be taken in.
    pub(crate) fn passive(flow: Flow, look: &Look, seed: u64) -> Option<Conn> {
        let mut conn = Conn::new(flow, look, seed);
        let local = IpEndpoint::new(flow.local.into(), flow.port);
        conn.socket_mut().listen(local).ok()?;
        Some(conn)
    }

    fn new(flow: Flow, look: &Look, seed: u64) -> Conn {
        let mut socket = Socket::new(SocketBuffer::new(vec![0; RECEIVE]), SocketBuffer::new(vec![0; SEND]));
        let stamps: TcpTimestampGenerator = || 0;
        socket.set_tsval_generator(look.timestamps.then_some(stamps));
        socket.set_congestion_control(CongestionControl::Reno);
        socket.set_ack_delay(None);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        Conn {
            net: interface(flow, look.mtu, seed, Instant::ZERO),
            sockets,
            handle,
            flow,
            mtu: look.mtu,
            ahead: Duration::ZERO,
            rto_min: look.rto_min,
            handshake: None,
            offer: Options::default(),
            acks: Acks::new(),
            probe: Probe::default(),
            stamp: (seed >> 32) as u32,
            ident: (seed >> 16) as u16,
            unacknowledged: 0,
            next: 0,
            expected: 0,
            window: FIRST_WINDOW,
            round_trip: None,
            timed: None,
            timeout: None,
            stuck_since: None,
            progressed: false,
            resend: false,
            refused: false,
            ends: false,
            tally: Tally::default(),
        }
    }

    /// The smoltcp socket.
    pub(crate) fn socket(&self) -> &Socket<'static> {
        self.sockets.get(self.handle)
    }

    /// The smoltcp socket, for the program's calls.
    pub(crate) fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// A segment was not let out of this host. What the program says next goes with what was in it.
    pub(crate) fn refuse(&mut self) {
        self.refused = self.unacknowledged != self.next;
    }

    /// The program has said something more, or the other side has: what waits is tried again (`tcp_data_snd_check`).
    pub(crate) fn more(&mut self) {
        self.resend |= core::mem::take(&mut self.refused);
    }

    /// The program has nothing more to say. What it has said leaves first: it would have left when it was said.
    pub(crate) fn end(&mut self) {
        self.ends = matches!(self.state(), State::Established | State::SynReceived | State::CloseWait);
    }

    /// The next sequence number that the other side is expected to send.
    pub(crate) fn expected(&self) -> u32 {
        self.expected
    }

    /// Its state, as smoltcp names it.
    pub(crate) fn state(&self) -> State {
        self.socket().state()
    }

    /// The segment size in use.
    pub(crate) fn mss(&self) -> usize {
        let stamps = if self.offer.timestamp.is_some() { 12 } else { 0 };
        let theirs = self.offer.mss.map_or(536, usize::from);
        theirs.min(self.mtu - ipv4::HEADER - tcp::HEADER).saturating_sub(stamps)
    }

    /// Something has arrived since this was last asked.
    pub(crate) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progressed)
    }

    /// The path MTU in use.
    pub(crate) fn mtu(&self) -> usize {
        self.mtu
    }

    /// What the other side offered in its SYN.
    pub(crate) fn offer(&self) -> &Options {
        &self.offer
    }

    /// When what was sent is sent again.
    pub(crate) fn timer(&self) -> Option<Time> {
        self.timeout.map(|(_, due)| due)
    }

    /// Smoothed round trip and its deviation.
    pub(crate) fn round_trip(&self) -> Option<(Duration, Duration)> {
        self.round_trip
    }

    /// Its own clock: it stands still where Linux waits longer for an acknowledgement than smoltcp would.
    fn clock(&self, now: Time) -> Instant {
        let clock = Instant::from_micros(((now.nanos() + self.ahead.as_nanos() as u64) / 1000) as i64);
        match self.timeout {
            Some((expires, due)) if due > now => clock.min(Instant::from_micros(expires.total_micros() - 1)),
            _ => clock,
        }
    }

    /// Path MTU discovery, or the administrator, has changed what fits.
    pub(crate) fn fit(&mut self, now: Time, mtu: usize, seed: u64) {
        if mtu != self.mtu {
            self.mtu = mtu;
            self.net = interface(self.flow, mtu, seed, self.clock(now));
        }
    }

    /// Takes in a segment: a whole IP packet with a plain header, whose checksums are known good.
    pub(crate) fn ingest(&mut self, now: Time, packet: &[u8], pool: &mut FramePool, out: &mut Vec<FrameBuf>) {
        let Some(header) = Ipv4::parse(packet) else { return };
        let segment = packet.get(header.header_length..usize::from(header.total_length)).unwrap_or(&[]);
        let Some(tcp) = Tcp::parse(segment) else { return };
        let length = segment.len().saturating_sub(tcp.data_offset);
        if length == 0 && self.only_the_end_is_missing(&tcp) {
            self.tally.segs_in += 1;
            return;
        }
        self.observe(now, &tcp, segment, length);
        let (expected, before) = (self.socket().recv_queue(), self.state());
        let plain = plain(packet, &header);
        let clock = self.clock(now);
        let mut wire = Wire { mtu: self.mtu, inbound: Some(&plain), pool, out };
        self.net.poll_ingress_single(clock, &mut wire, &mut self.sockets);
        if length == 0 && self.is_early_end(&tcp) {
            self.ask_again(segment.get(tcp::HEADER..tcp.data_offset).unwrap_or(&[]), pool, out);
        }
        if before == State::FinWait1 && self.state() == State::Closing {
            // Their last word is acknowledged by itself (`tcp_fin`), also where ours is yet to be sent.
            self.egress(now, pool, out);
        }
        self.more();
        let came = self.socket().recv_queue().saturating_sub(expected);
        if came > 0 {
            self.tally.bytes_received += came as u64;
            let grown = self.window.saturating_add(2 * length as u32);
            self.window = grown.min(RECEIVE as u32);
        }
    }

    /// The other side's last word has come, but not all that it said before.
    fn is_early_end(&self, tcp: &Tcp) -> bool {
        let ahead = tcp.sequence.wrapping_sub(self.expected);
        let hears = matches!(self.state(), State::Established | State::FinWait1 | State::FinWait2);
        hears && tcp.has(tcp::flag::FIN) && (1..=self.window).contains(&ahead)
    }

    /// Says at once what is expected (`tcp_data_queue_ofo`); smoltcp does only if something has come with it.
    fn ask_again(&self, options: &[u8], pool: &mut FramePool, out: &mut Vec<FrameBuf>) {
        let Flow { port, local, remote: (remote, destination) } = self.flow;
        let timestamp = Options::parse(options).timestamp.map(|(stamp, _)| (0, stamp));
        let options = Options { timestamp: timestamp.filter(|_| self.offer.timestamp.is_some()), ..Options::default() };
        let options = options.emit();
        let room = self.socket().recv_capacity() - self.socket().recv_queue();
        let answer = Tcp {
            source: port,
            destination,
            sequence: self.next,
            acknowledgment: self.expected,
            data_offset: tcp::HEADER,
            flags: tcp::flag::ACK,
            window: (room >> smoltcp_scale()).min(u16::MAX.into()) as u16,
            ..Tcp::default()
        };
        let length = ipv4::HEADER + tcp::HEADER + options.len();
        let mut frame = pool.take(length);
        frame.resize(length);
        let header = Ipv4 {
            tos: 0,
            total_length: length as u16,
            id: 0,
            flags_fragment: ipv4::DF,
            ttl: 64,
            protocol: protocol::TCP,
            source: local,
            destination: remote,
            header_length: ipv4::HEADER,
        };
        header.write(&[], &mut frame);
        answer.write(local, remote, &options, &[], frame.get_mut(ipv4::HEADER..).unwrap_or_default());
        out.push(frame);
    }

    /// It says once more that all but our last word has come. smoltcp would take three of these for a loss, find no bytes to
    /// send again, and let its timer go.
    fn only_the_end_is_missing(&self, tcp: &Tcp) -> bool {
        let waits = self.unacknowledged != self.next && self.socket().send_queue() == 0;
        waits && self.handshake.is_none() && tcp.flags == tcp::flag::ACK && tcp.acknowledgment == self.unacknowledged
    }

    /// What a segment tells before smoltcp sees it.
    fn observe(&mut self, now: Time, tcp: &Tcp, segment: &[u8], length: usize) {
        self.tally.segs_in += 1;
        if tcp.has(tcp::flag::SYN) {
            self.offer = Options::parse(segment.get(tcp::HEADER..tcp.data_offset).unwrap_or(&[]));
        }
        if tcp.has(tcp::flag::ACK) {
            self.acknowledged(now, tcp.acknowledgment);
        }
        if length > 0 {
            self.tally.data_segs_in += 1;
            self.acks.data(now, length, tcp.has(tcp::flag::PSH));
        }
        if tcp.has(tcp::flag::FIN) {
            self.acks.end(!matches!(self.state(), State::Established | State::SynReceived));
        }
    }

    fn acknowledged(&mut self, now: Time, number: u32) {
        let news = number.wrapping_sub(self.unacknowledged);
        if news == 0 || news > self.next.wrapping_sub(self.unacknowledged) {
            return;
        }
        self.unacknowledged = number;
        self.progressed = true;
        self.tally.bytes_acked += u64::from(news);
        self.stuck_since = (number != self.next).then_some(now);
        if let Some((timed, since)) = self.timed
            && number.wrapping_sub(timed) < 1 << 31
        {
            self.timed = None;
            self.measured(now.since(since));
        }
        let pace = self.pace();
        self.probe.acknowledged(now, number, pace);
    }

    fn pace(&self) -> Pace {
        let round_trip = self.round_trip.map(|(smoothed, _)| smoothed);
        Pace { round_trip, least: self.rto_min, timeout: self.base_timeout() }
    }

    /// A round trip took so long (RFC 6298).
    fn measured(&mut self, took: Duration) {
        self.round_trip = Some(match self.round_trip {
            None => (took, took / 2),
            Some((smoothed, deviation)) => {
                let off = took.abs_diff(smoothed);
                ((smoothed * 7 + took) / 8, (deviation * 3 + off) / 4)
            }
        });
    }

    /// The retransmission time-out before any backing off (`tcp_set_rto`).
    pub(crate) fn base_timeout(&self) -> Duration {
        self.round_trip.map_or(SMOLTCP_RTO, |(smoothed, deviation)| smoothed + (deviation * 4).max(self.rto_min))
    }

    /// What the program has said is sent, or was refused. If it has nothing more to say, that is to be sent, too.
    pub(crate) fn turn_to_end(&mut self, now: Time) -> bool {
        let ends = std::mem::take(&mut self.ends);
        if ends {
            self.more();
            self.set_clock_forward(now);
            self.socket_mut().close();
        }
        ends
    }

    /// Lets go what is to be sent now. Before the handshake is done, its own timer decides about repetitions.
    pub(crate) fn egress(&mut self, now: Time, pool: &mut FramePool, out: &mut Vec<FrameBuf>) {
        let opening = matches!(self.state(), State::SynSent | State::SynReceived);
        if opening && self.handshake.is_some() {
            return;
        }
        self.set_clock_forward(now);
        let clock = self.clock(now);
        let mut wire = Wire { mtu: self.mtu, inbound: None, pool, out };
        for _ in 0..BURST {
            let before = wire.out.len();
            self.net.poll_egress(clock, &mut wire, &mut self.sockets);
            if wire.out.len() == before || opening {
                return;
            }
        }
    }

    /// smoltcp waits at least a second for an acknowledgement. Linux does not, nor does either when the path is known to
    /// have lost what was sent.
    fn set_clock_forward(&mut self, now: Time) {
        let late = self.timeout.is_some_and(|(_, due)| due <= now);
        // Where both fall into one tick, it is the probe.
        let probe = self.probe.is_due(if late { now + TICK } else { now });
        let due = probe || late;
        if !due && !std::mem::take(&mut self.resend) {
            return;
        }
        let clock = self.clock(now);
        let timer = self.timeout.map(|(expires, _)| expires);
        if let Some(expires) = timer.or_else(|| self.net.poll_at(clock, &self.sockets))
            && expires > clock
            && self.unacknowledged != self.next
        {
            self.ahead += Duration::from_micros((expires - clock).total_micros());
            self.timed = None;
            self.probe.fired(probe);
        }
        self.timeout = None;
    }

    /// When it is to be looked at again.
    pub(crate) fn deadline(&mut self, now: Time) -> Option<Time> {
        if let Some(handshake) = &self.handshake {
            return Some(handshake.next);
        }
        let clock = self.clock(now);
        let expires = self.net.poll_at(clock, &self.sockets);
        let smoltcp = expires.map(|expires| self.shorten(now, clock, expires));
        [smoltcp, self.acks.deadline(), self.probe.deadline()].into_iter().flatten().min()
    }

    /// The instant at which a timer of smoltcp counts: what is a second and more for smoltcp is scaled by what Linux would
    /// have begun with, if something waits to be acknowledged.
    fn shorten(&mut self, now: Time, clock: Instant, expires: Instant) -> Time {
        if expires <= clock {
            return now;
        }
        let waits = Duration::from_micros((expires - clock).total_micros());
        if self.unacknowledged == self.next {
            self.timeout = None;
            return now + waits;
        }
        if let Some((known, due)) = self.timeout
            && known == expires
        {
            return due;
        }
        let base = self.base_timeout().min(SMOLTCP_RTO).max(self.rto_min);
        let scaled = waits.as_micros() as u64 * base.as_micros() as u64 / SMOLTCP_RTO.as_micros() as u64;
        let due = now + Duration::from_micros(scaled.max(1)) / self.probe.excess();
        self.timeout = Some((expires, due));
        due
    }

    /// Makes a packet that smoltcp emitted one of Linux's, its checksum finished, and notes what it tells.
    pub(crate) fn dress(&mut self, now: Time, frame: &mut FrameBuf, look: &Look) -> Emitted {
        let Some(mut tcp) = frame.get(ipv4::HEADER..).and_then(Tcp::parse) else { return Emitted::Held };
        let mut options =
            Options::parse(frame.get(ipv4::HEADER + tcp::HEADER..ipv4::HEADER + tcp.data_offset).unwrap_or(&[]));
        let odd = options.sack.iter().any(Option::is_some);
        let syn = tcp.has(tcp::flag::SYN);
        if syn {
            self.dress_syn(&tcp, &mut options, look);
            tcp.window = first_window(look, options.timestamp.is_some() && tcp.has(tcp::flag::ACK));
        } else {
            tcp.window = self.told_window(tcp.window);
        }
        options.timestamp = options.timestamp.map(|(_, echo)| (self.time_stamp(now), echo));
        let length = rewrite(frame, &tcp, &options);
        if tcp.has(tcp::flag::ACK) {
            self.expected = tcp.acknowledgment;
        }
        let flags = tcp.flags & !(tcp::flag::PSH | tcp::flag::ACK);
        if length == 0 && flags == 0 && !self.acks.is_due(tcp.acknowledgment, odd) {
            self.acks.hold(now, frame);
            return Emitted::Held;
        }
        self.probe.wanted = look.loss_probes && self.offer.sack_permitted;
        self.note(now, &tcp, length);
        Emitted::Send(self.take_ident(syn && tcp.has(tcp::flag::ACK)))
    }

    fn dress_syn(&mut self, tcp: &Tcp, options: &mut Options, look: &Look) {
        options.mss = Some(look.advertised);
        let answers = tcp.has(tcp::flag::ACK);
        options.window_scale =
            look.scaling.then_some(WINDOW_SCALE).filter(|_| !answers || self.offer.window_scale.is_some());
        options.sack_permitted = look.sack && (!answers || self.offer.sack_permitted);
        if self.next == 0 && self.unacknowledged == 0 {
            self.unacknowledged = tcp.sequence;
            self.next = tcp.sequence;
        }
    }

    /// A window as smoltcp means it, in the scale that was told to the other side.
    fn told_window(&self, window: u16) -> u16 {
        let (ours, told) = if self.offer.window_scale.is_some() { (smoltcp_scale(), WINDOW_SCALE) } else { (0, 0) };
        let room = (u32::from(window) << ours) >> told;
        let most = self.window.div_ceil(1 << told);
        room.min(most).min(u32::from(u16::MAX)) as u16
    }

    fn time_stamp(&self, now: Time) -> u32 {
        self.stamp.wrapping_add((now.nanos() / 1_000_000) as u32)
    }

    /// Notes what is sent.
    fn note(&mut self, now: Time, tcp: &Tcp, length: usize) {
        self.tally.segs_out += 1;
        if length > 0 {
            self.tally.data_segs_out += 1;
            self.tally.bytes_sent += length as u64;
        }
        if tcp.has(tcp::flag::ACK) {
            self.acks.sent(now, tcp.acknowledgment, length > 0);
        }
        let marks = u32::from(tcp.has(tcp::flag::SYN)) + u32::from(tcp.has(tcp::flag::FIN));
        let end = tcp.sequence.wrapping_add(length as u32).wrapping_add(marks);
        if end != tcp.sequence && end.wrapping_sub(self.next).wrapping_sub(1) < 1 << 31 {
            self.next = end;
            self.timed.get_or_insert((end, now));
            self.stuck_since.get_or_insert(now);
            if !tcp.has(tcp::flag::SYN) {
                let pace = self.pace();
                self.probe.sent(now, end, pace);
            }
        } else if end != tcp.sequence {
            // What is sent again cannot be timed.
            self.timed = None;
        }
    }

    /// The IP id of the next packet; a SYN-ACK has none, for no socket sends it.
    fn take_ident(&mut self, none: bool) -> u16 {
        if none {
            return 0;
        }
        let ident = self.ident;
        self.ident = ident.wrapping_add(1);
        ident
    }

    /// The SYN or SYN-ACK once more, with the time of now, and its IP id.
    pub(crate) fn repetition(&mut self, now: Time) -> Option<(Vec<u8>, u16)> {
        let mut packet = self.handshake.as_ref()?.packet.clone();
        let tcp = packet.get(ipv4::HEADER..).and_then(Tcp::parse)?;
        let Ipv4 { source, destination, .. } = Ipv4::parse(&packet)?;
        let mut options = Options::parse(packet.get(ipv4::HEADER + tcp::HEADER..)?);
        options.timestamp = options.timestamp.map(|(_, echo)| (self.time_stamp(now), echo));
        tcp.write(source, destination, &options.emit(), &[], packet.get_mut(ipv4::HEADER..)?);
        self.timed = None;
        self.tally.segs_out += 1;
        Some((packet, self.take_ident(tcp.has(tcp::flag::ACK))))
    }

    /// The acknowledgement that has waited long enough, and its IP id.
    pub(crate) fn overdue_ack(&mut self, now: Time) -> Option<(Vec<u8>, u16)> {
        let packet = self.acks.overdue(now)?;
        if let Some(tcp) = packet.get(ipv4::HEADER..).and_then(Tcp::parse) {
            self.note(now, &tcp, 0);
        }
        Some((packet, self.take_ident(false)))
    }
}

/// The receive window of a SYN: whole segments of 65535 bytes (`tcp_select_initial_window`); one that answers reckons
/// with the time stamps.
fn first_window(look: &Look, answers: bool) -> u16 {
    let mss = u32::from(look.advertised) - if answers { 12 } else { 0 };
    (FIRST_WINDOW / mss.max(1) * mss.max(1)).min(FIRST_WINDOW) as u16
}

/// By how many bits smoltcp shifts the windows of a buffer of [`RECEIVE`] bytes.
const fn smoltcp_scale() -> u8 {
    (usize::BITS - RECEIVE.leading_zeros()).saturating_sub(16) as u8
}

/// An interface with the one address of a flow.
fn interface(flow: Flow, mtu: usize, seed: u64, clock: Instant) -> Interface {
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    let (mut pool, mut out) = (FramePool::new(), Vec::new());
    let mut wire = Wire { mtu, inbound: None, pool: &mut pool, out: &mut out };
    let mut net = Interface::new(config, &mut wire, clock);
    net.update_ip_addrs(|addresses| {
        // The list is empty, and has room for one.
        let _ = addresses.push(IpCidr::new(flow.local.into(), 32));
    });
    net
}

/// The packet with a header that has no options.
fn plain<'a>(packet: &'a [u8], header: &Ipv4) -> std::borrow::Cow<'a, [u8]> {
    let whole = packet.get(..usize::from(header.total_length)).unwrap_or(packet);
    let payload = whole.get(header.header_length..).unwrap_or(&[]);
    if header.header_length == ipv4::HEADER {
        return whole.into();
    }
    let total_length = (ipv4::HEADER + payload.len()) as u16;
    let plain = Ipv4 { header_length: ipv4::HEADER, total_length, ..*header };
    [&plain.emit()[..], payload].concat().into()
}

/// Writes header and options anew, and finishes the checksum. Returns the length of the payload.
fn rewrite(frame: &mut FrameBuf, tcp: &Tcp, options: &Options) -> usize {
    let old = ipv4::HEADER + tcp.data_offset;
    let length = frame.len().saturating_sub(old);
    let options = options.emit();
    let new = ipv4::HEADER + tcp::HEADER + options.len();
    if new != old && length == 0 {
        frame.resize(new);
        ipv4::set_total_length(frame, new as u16);
    }
    let Some(Ipv4 { source, destination, .. }) = Ipv4::parse(frame) else { return length };
    if new == old || length == 0 {
        let (header, payload) = frame.split_at_mut(new);
        let room = header.get_mut(ipv4::HEADER..).unwrap_or_default();
        tcp.write(source, destination, &options, payload, room);
        return length;
    }
    // With data, smoltcp's options are as long as Linux's; should they not be, they stay.
    let segment = frame.get_mut(ipv4::HEADER..).unwrap_or_default();
    put(segment, 14, tcp.window.to_be_bytes());
    put(segment, 16, [0; 2]);
    let pseudo = checksum::pseudo(source, destination, protocol::TCP, segment.len());
    let sum = checksum::finish(pseudo + checksum::sum(segment));
    put(segment, 16, sum.to_be_bytes());
    length
}
