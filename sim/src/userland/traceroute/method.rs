//! How probes are sent, and how their answers are known again: by UDP, ICMP echo or TCP SYN.

use super::options::{Method, Options};
use super::probe::{Probe, Probes};
use crate::lab::Exit;
use crate::userland::{Proc, socket};
use std::net::Ipv4Addr;
use vethlab_engine::control::Errno;
use vethlab_engine::local::{Datagram, PmtuDiscover, SocketError, SocketId, SocketKind};
use vethlab_engine::rng::Rng;
use vethlab_engine::wire::{checksum, icmpv4, protocol, tcp};

const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
/// What a probe carries behind its IP header, unless another length is asked for.
const PAYLOAD: usize = 40;
const FIRST_UDP_PORT: u32 = 33_434;
const UDP_PORT: u32 = 53;
const TCP_PORT: u32 = 80;
/// The smallest MTU that a TCP probe reckons with.
const SMALLEST_MTU: u32 = 576;

/// Sends probes.
pub(super) struct Sender {
    p: Proc,
    method: Method,
    destination: Ipv4Addr,
    /// UDP and TCP: where to; ICMP: the next sequence number.
    port: u32,
    /// The one socket of ICMP and TCP.
    shared: Option<SocketId>,
    ident: u16,
    /// Our own address and the options of the SYN.
    syn: (Ipv4Addr, Vec<u8>),
    window: u16,
    /// Headers that count for the packet's length.
    pub(super) headers: usize,
    /// Bytes behind these headers.
    pub(super) length: usize,
}

/// `perror`, behind the line that was begun on standard output.
pub(super) fn fail(p: &Proc, what: &str, errno: Errno) -> Exit {
    p.err(&format!("\n{what}: {}\n", errno.text()));
    Exit::Status(1)
}

impl Sender {
    /// Opens what the method needs.
    pub(super) fn new(p: &Proc, options: &Options) -> Result<Sender, Exit> {
        let default = match options.method {
            Method::Default => FIRST_UDP_PORT,
            Method::Udp => UDP_PORT,
            Method::Icmp => 1,
            Method::Tcp => TCP_PORT,
        };
        let own = if matches!(options.method, Method::Default | Method::Udp) { UDP_HEADER } else { 0 };
        let headers = IP_HEADER + own;
        let length = options.length.map_or(PAYLOAD - own, |length| length.saturating_sub(headers));
        let mut sender = Sender {
            p: p.clone(),
            method: options.method,
            destination: options.destination,
            port: if options.port == 0 { default } else { options.port },
            shared: None,
            ident: p.pid() as u16,
            syn: (Ipv4Addr::UNSPECIFIED, Vec::new()),
            window: 0,
            headers,
            length,
        };
        match options.method {
            Method::Icmp => sender.prepare_icmp(options)?,
            Method::Tcp => sender.prepare_tcp(options)?,
            Method::Default | Method::Udp => {}
        }
        Ok(sender)
    }

    fn prepare_icmp(&mut self, options: &Options) -> Result<(), Exit> {
        self.length = self.length.max(icmpv4::HEADER);
        let opened = self.open(SocketKind::Raw { protocol: protocol::ICMP }, options)?;
        self.connect(opened, 0)?;
        self.shared = Some(opened);
        Ok(())
    }

    fn prepare_tcp(&mut self, options: &Options) -> Result<(), Exit> {
        let opened = self.open(SocketKind::Raw { protocol: protocol::TCP }, options)?;
        self.connect(opened, 0)?;
        self.shared = Some(opened);
        let mtu = socket::route(&self.p, self.destination).map_or(SMALLEST_MTU, |(_, mtu)| mtu.max(SMALLEST_MTU));
        let segment = mtu - (IP_HEADER + tcp::HEADER) as u32;
        self.window = (4 * segment) as u16;
        let [.., high, low] = segment.to_be_bytes();
        let mut syn = vec![2, 4, high, low];
        let [sack, timestamps, scaling] = ["sack", "timestamps", "window_scaling"].map(|name| self.sysctl(name));
        match (sack, timestamps) {
            (true, true) => syn.extend([4, 2]),
            (true, false) => syn.extend([1, 1, 4, 2]),
            (false, true) => syn.extend([1, 1]),
            (false, false) => {}
        }
        if timestamps {
            syn.extend([8, 10]);
            syn.extend((self.chance(0) as u32).to_be_bytes());
            syn.extend([0; 4]);
        }
        if scaling {
            syn.extend([1, 3, 3, 2]);
        }
        self.length = tcp::HEADER + syn.len();
        self.syn = (socket::local_name(&self.p, opened).0, syn);
        Ok(())
    }

    fn sysctl(&self, name: &str) -> bool {
        let value = self.p.world().stack(self.p.ns()).sysctl(&format!("net/ipv4/tcp_{name}"));
        value.is_some_and(|value| value.starts_with('1'))
    }

    /// A number that nobody would guess, but the same in each run of a world.
    fn chance(&self, salt: u16) -> u64 {
        let seed = self.p.now().nanos() ^ u64::from(self.p.pid()) << 48 ^ u64::from(salt);
        Rng::new(seed).next()
    }

    /// A socket with everything set that the words ask for.
    fn open(&self, kind: SocketKind, options: &Options) -> Result<SocketId, Exit> {
        let opened = self.p.socket(kind).map_err(|errno| fail(&self.p, "socket", errno))?;
        socket::set(&self.p, opened, |set| set.mark = options.mark);
        self.bind(opened, options)?;
        socket::set(&self.p, opened, |set| {
            set.pmtu = if options.dont_fragment { PmtuDiscover::Probe } else { PmtuDiscover::Dont };
            set.tos = options.tos as u8;
            set.dont_route = options.dont_route;
        });
        Ok(opened)
    }

    fn bind(&self, opened: SocketId, options: &Options) -> Result<(), Exit> {
        if let Some(name) = &options.device {
            let device = socket::device(&self.p, name);
            let device = device.ok_or_else(|| fail(&self.p, "setsockopt SO_BINDTODEVICE", Errno::NoDev))?;
            socket::set(&self.p, opened, |set| set.device = Some(device));
        }
        let source = options.source.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let bound = socket::bind(&self.p, opened, source, options.source_port);
        bound.map_err(|errno| fail(&self.p, "bind", errno))
    }

    fn connect(&self, opened: SocketId, port: u16) -> Result<(), Exit> {
        let connected = socket::connect(&self.p, opened, self.destination, port);
        connected.map_err(|errno| fail(&self.p, "connect", errno))?;
        socket::set(&self.p, opened, |set| set.recverr = true);
        Ok(())
    }

    /// Sockets on which answers come.
    pub(super) fn sockets(&self, probes: &Probes) -> Vec<SocketId> {
        self.shared.map_or_else(|| probes.sockets(), |shared| vec![shared])
    }

    /// Sends a probe with this TTL. Without a time of sending it did not leave: the queue was full.
    pub(super) fn send(&mut self, ttl: u8, options: &Options) -> Result<Probe, Exit> {
        match self.method {
            Method::Default | Method::Udp => self.send_udp(ttl, options),
            Method::Icmp => self.send_echo(ttl),
            Method::Tcp => self.send_syn(ttl, options),
        }
    }

    fn send_udp(&mut self, ttl: u8, options: &Options) -> Result<Probe, Exit> {
        let opened = self.open(SocketKind::Udp, options)?;
        socket::set(&self.p, opened, |set| set.ttl = Some(ttl));
        let port = self.port as u16;
        self.connect(opened, port)?;
        let data = pattern(0, self.length);
        let probe = Probe { key: port, socket: Some(opened), ..self.transmit(opened, port, &data)? };
        if probe.sent.is_some() && self.method == Method::Default {
            self.port += 1;
        }
        Ok(probe)
    }

    fn send_echo(&mut self, ttl: u8) -> Result<Probe, Exit> {
        let Some(opened) = self.shared else { return Ok(Probe::default()) };
        socket::set(&self.p, opened, |set| set.ttl = Some(ttl));
        let sequence = self.port as u16;
        let mut message = vec![icmpv4::kind::ECHO, 0, 0, 0];
        message.extend(self.ident.to_be_bytes());
        message.extend(sequence.to_be_bytes());
        message.extend(pattern(icmpv4::HEADER, self.length));
        let [high, low] = checksum::of(&message).to_be_bytes();
        if let [_, _, first, second, ..] = message.as_mut_slice() {
            (*first, *second) = (high, low);
        }
        let probe = Probe { key: sequence, ..self.transmit(opened, 0, &message)? };
        if probe.sent.is_some() {
            self.port += 1;
        }
        Ok(probe)
    }

    fn send_syn(&mut self, ttl: u8, options: &Options) -> Result<Probe, Exit> {
        let Some(opened) = self.shared else { return Ok(Probe::default()) };
        // A socket of its own keeps the port from others.
        let keeper = self.p.socket(SocketKind::Udp).map_err(|errno| fail(&self.p, "socket", errno))?;
        self.bind(keeper, options)?;
        let source_port = socket::local_name(&self.p, keeper).1;
        let header = tcp::Tcp {
            source: source_port,
            destination: self.port as u16,
            sequence: self.chance(source_port) as u32,
            flags: tcp::flag::SYN,
            window: self.window,
            ..tcp::Tcp::default()
        };
        let mut segment = vec![0; self.length];
        let _ = header.write(self.syn.0, self.destination, &self.syn.1, &[], &mut segment);
        socket::set(&self.p, opened, |set| set.ttl = Some(ttl));
        Ok(Probe { key: source_port, socket: Some(keeper), ..self.transmit(opened, 0, &segment)? })
    }

    /// Sends, and notes when. Of a packet that is too large, or whose way is known to end, the error queue will tell.
    fn transmit(&self, opened: SocketId, port: u16, data: &[u8]) -> Result<Probe, Exit> {
        let now = self.p.now();
        match socket::send_to(&self.p, opened, (self.destination, port), data) {
            Ok(()) | Err(Errno::MsgSize | Errno::HostUnreach) => Ok(Probe { sent: Some(now), ..Probe::default() }),
            Err(Errno::NoBufs | Errno::Again) => Ok(Probe::default()),
            Err(errno) => Err(fail(&self.p, "send", errno)),
        }
    }

    /// Which probe a datagram answers.
    pub(super) fn answered(&self, probes: &Probes, socket: SocketId, datagram: &Datagram) -> Option<usize> {
        let packet = datagram.payload.as_slice();
        let behind_header = |least: usize| {
            let length = usize::from(packet.first()? & 15) * 4;
            packet.get(length..).filter(|payload| payload.len() >= least)
        };
        match self.method {
            Method::Default | Method::Udp => {
                let at = probes.by_socket(socket)?;
                (probes.get(at)?.key == datagram.source_port).then_some(at)
            }
            Method::Icmp => {
                let message = behind_header(icmpv4::HEADER)?;
                let reply = message.first() == Some(&icmpv4::kind::ECHO_REPLY);
                self.echoed(probes, message).filter(|_| reply)
            }
            Method::Tcp => {
                let [from, to] = ports(behind_header(8)?)?;
                let ours = u32::from(from) == self.port & 0xffff && datagram.source == self.destination;
                probes.by_key(to).filter(|_| ours)
            }
        }
    }

    /// Which probe an error is about.
    pub(super) fn failed(&self, probes: &Probes, socket: SocketId, error: &SocketError) -> Option<usize> {
        match self.method {
            Method::Default | Method::Udp => {
                let at = probes.by_socket(socket)?;
                (probes.get(at)?.key == error.destination_port).then_some(at)
            }
            Method::Icmp => self.echoed(probes, &error.payload),
            Method::Tcp => {
                let [from, to] = ports(&error.payload)?;
                let ours = u32::from(to) == self.port & 0xffff && error.destination == self.destination;
                probes.by_key(from).filter(|_| ours)
            }
        }
    }

    /// The probe whose number an echo (or its reply) bears.
    fn echoed(&self, probes: &Probes, message: &[u8]) -> Option<usize> {
        let [_, _, _, _, a, b, c, d] = *message.first_chunk()?;
        let ours = u16::from_be_bytes([a, b]) == self.ident;
        probes.by_key(u16::from_be_bytes([c, d])).filter(|_| ours)
    }

    /// A probe is through: its socket is closed, and nothing more is taken for its answer.
    pub(super) fn finish(&self, probe: &mut Probe) {
        if let Some(opened) = probe.socket.take() {
            socket::close(&self.p, opened);
        }
        probe.key = 0;
        probe.done = true;
    }
}

fn ports(segment: &[u8]) -> Option<[u16; 2]> {
    let [a, b, c, d] = *segment.first_chunk()?;
    Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
}

/// What fills a probe between these places.
fn pattern(from: usize, to: usize) -> Vec<u8> {
    (from..to).map(|at| 0x40 + (at & 0x3f) as u8).collect()
}
