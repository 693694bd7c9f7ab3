//! `nc`: netcat-openbsd 1.219 of Debian 12.

mod options;
mod relay;

use self::options::{Options, Stop, within};
use self::relay::relay;
use super::netdb;
use super::number::strtoul;
use super::resolve::{Family, OTHER_FAMILY, UNKNOWN, inet_aton, name_of, resolve};
use super::{Proc, Wait};
use crate::lab::Exit;
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::control::Errno;
use vethlab_engine::local::{Endpoint, SocketId, SocketKind};
use vethlab_engine::rng::Rng;
use vethlab_engine::time::{Duration, Time};

/// What `getaddrinfo` says of a service that nobody knows.
const NO_SERVICE: &str = "Servname not supported for ai_socktype";
/// `-u -z` sends a byte a second for so long, if `-w` does not say otherwise.
const UDP_SCAN: u64 = 3;
/// So long it takes until an ICMP error is back that was provoked next door.
const ECHO: Duration = Duration::from_millis(1);

/// `nc`
pub(crate) async fn main(p: Proc) -> Exit {
    let options = match options::parse(p.argv()) {
        Ok(options) => options,
        Err(stop) => return stopped(&p, stop),
    };
    let nc = Nc { p: &p, options: &options };
    let ended = if options.listen { nc.listen().await } else { nc.connect_all().await };
    ended.map_or_else(|stop| stopped(&p, stop), Exit::Status)
}

fn stopped(p: &Proc, (text, status): Stop) -> Exit {
    say(p, &text);
    Exit::Status(status)
}

/// Prints a complaint of `nc`'s in the name by which it was called.
fn say(p: &Proc, text: &str) {
    let called = p.argv().first().and_then(|word| word.rsplit('/').next()).unwrap_or("nc");
    match text.strip_prefix("nc: ") {
        Some(rest) => p.err(&format!("{called}: {rest}")),
        None => p.err(text),
    }
}

/// `err(1, …)`
fn fatal(text: impl std::fmt::Display) -> Stop {
    (format!("nc: {text}\n"), 1)
}

struct Nc<'a> {
    p: &'a Proc,
    options: &'a Options,
}

impl Nc<'_> {
    fn kind(&self) -> SocketKind {
        if self.options.udp { SocketKind::Udp } else { SocketKind::Tcp }
    }

    fn protocol(&self) -> &'static str {
        if self.options.udp { "udp" } else { "tcp" }
    }

    /// `getaddrinfo`
    fn address(&self, name: &str, numeric: bool) -> Result<Ipv4Addr, String> {
        match resolve(name, Family::V4) {
            Ok(_) if numeric && inet_aton(name).is_none() => Err(UNKNOWN.to_string()),
            Ok(IpAddr::V4(address)) => Ok(address),
            Ok(IpAddr::V6(_)) => Err(OTHER_FAMILY.to_string()),
            Err(text) => Err(text.to_string()),
        }
    }

    /// The port of a service, or a number, of which the low 16 bits count.
    fn any_port(&self, word: &str) -> Result<u16, Stop> {
        let number = strtoul(word, 10);
        if !number.empty && number.rest.is_empty() {
            return Ok(number.value as u16);
        }
        netdb::service(word, Some(self.protocol())).ok_or_else(|| fatal(format!("getaddrinfo: {NO_SERVICE}")))
    }

    fn socket(&self) -> Result<SocketId, Stop> {
        let socket = self.p.socket(self.kind()).map_err(|errno| fatal(errno.text()))?;
        self.p.set_options(socket, |set| {
            set.broadcast = self.options.broadcast;
            set.ttl = self.options.ttl;
            set.tos = self.options.tos;
        });
        Ok(socket)
    }

    /// `Listening on …`
    fn report(&self, what: &str, (address, port): Endpoint) {
        let name = name_of(address).filter(|_| !self.options.numeric);
        let name = name.map_or_else(|| address.to_string(), str::to_string);
        self.p.err(&format!("{what} on {name} {port}\n"));
    }
}

/// Listening.
impl Nc<'_> {
    async fn listen(&self) -> Result<i32, Stop> {
        let mut socket = self.open_listener()?;
        loop {
            if self.options.udp {
                if !self.options.keep {
                    self.first_caller(socket).await?;
                }
                relay(self.p, self.options, socket).await;
                self.p.close(socket);
            } else {
                let connection = self.accept(socket).await?;
                relay(self.p, self.options, connection).await;
                self.p.close(connection);
            }
            if !self.options.keep {
                self.linger().await;
                return Ok(0);
            }
            if self.options.udp {
                socket = self.open_listener()?;
            }
        }
    }

    fn open_listener(&self) -> Result<SocketId, Stop> {
        let port = self.any_port(self.options.ports.first().map_or("", String::as_str))?;
        let unresolved = |text: String| fatal(format!("getaddrinfo: {text}"));
        let address = match &self.options.host {
            Some(host) => self.address(host, self.options.numeric).map_err(unresolved)?,
            None => Ipv4Addr::UNSPECIFIED,
        };
        let socket = self.socket()?;
        self.p.set_options(socket, |set| (set.reuse_address, set.reuse_port) = (true, true));
        self.p.bind(socket, address, port).map_err(|errno| fatal(errno.text()))?;
        if !self.options.udp {
            self.p.listen(socket, 1).map_err(|errno| fatal(format!("listen: {}", errno.text())))?;
        }
        if self.options.verbose {
            self.report(if self.options.udp { "Bound" } else { "Listening" }, self.p.local_name(socket));
        }
        Ok(socket)
    }

    async fn accept(&self, socket: SocketId) -> Result<SocketId, Stop> {
        loop {
            if let Some((connection, peer)) =
                self.p.accept(socket).map_err(|errno| fatal(format!("accept: {}", errno.text())))?
            {
                if self.options.verbose {
                    self.report("Connection received", peer);
                }
                return Ok(connection);
            }
            self.p.poll(&[Wait::Read(socket)], Time::NEVER).await;
        }
    }

    /// A UDP socket talks to whoever calls first, and to nobody else.
    async fn first_caller(&self, socket: SocketId) -> Result<(), Stop> {
        let peer = loop {
            if let Some(peer) = self.p.peek_from(socket) {
                break peer;
            }
            self.p.poll(&[Wait::Read(socket)], Time::NEVER).await;
        };
        self.p.start_connect(socket, peer).map_err(|errno| fatal(format!("connect: {}", errno.text())))?;
        if self.options.verbose {
            self.report("Connection received", peer);
        }
        Ok(())
    }

    /// `-q`: it stays a while when all is done.
    async fn linger(&self) {
        if let Ok(seconds @ 1..) = u64::try_from(self.options.quit) {
            self.p.sleep_until(self.p.now() + Duration::from_secs(seconds)).await;
        }
    }
}

/// Connecting.
impl Nc<'_> {
    async fn connect_all(&self) -> Result<i32, Stop> {
        let mut ports = Vec::new();
        for word in &self.options.ports {
            ports.extend(self.ports(word)?);
        }
        let (mut status, mut last) = (1, None);
        for port in ports {
            last.take().into_iter().for_each(|socket| self.p.close(socket));
            let Some((socket, address)) = self.connect(port).await? else { continue };
            last = Some(socket);
            status = 0;
            if self.options.verbose {
                if self.options.udp && !self.is_heard(socket).await {
                    status = 1;
                    continue;
                }
                self.succeeded(address, port);
            }
            if !self.options.scan {
                let end = relay(self.p, self.options, socket).await;
                if end == relay::End::Done && self.options.quit > 0 {
                    self.p.close(socket);
                    self.linger().await;
                    return Ok(0);
                }
            }
        }
        Ok(status)
    }

    /// The ports that a word means: one, or a range from the lowest to the highest.
    fn ports(&self, word: &str) -> Result<Vec<u16>, Stop> {
        let number = |word: &str| match netdb::service(word, Some(self.protocol())) {
            Some(port) => Ok(port),
            None => within(word, 1, 65535)
                .map(|port| port as u16)
                .map_err(|what| fatal(format!("port number {what}: {word}"))),
        };
        let range = word.split_once('-').filter(|_| word.starts_with(|first: char| first.is_ascii_digit()));
        let Some((from, to)) = range else { return Ok(vec![number(word)?]) };
        let (to, from) = (number(to)?, number(from)?);
        let mut ports: Vec<u16> = (from.min(to)..=from.max(to)).collect();
        if self.options.random {
            let mut rng = Rng::new(self.p.pid().into());
            for at in 0..ports.len() {
                let other = rng.below(ports.len() as u64) as usize;
                ports.swap(at, other);
            }
        }
        Ok(ports)
    }

    /// Connects, or says why not if that is asked for.
    async fn connect(&self, port: u16) -> Result<Option<(SocketId, Ipv4Addr)>, Stop> {
        let host = self.options.host.as_deref().unwrap_or_default();
        let address = self
            .address(host, self.options.numeric)
            .map_err(|text| fatal(format!("getaddrinfo for host \"{host}\" port {port}: {text}")))?;
        let socket = self.socket()?;
        if self.options.source.is_some() || self.options.source_port.is_some() {
            self.bind(socket)?;
        }
        let Err(why) = self.reach(socket, (address, port)).await else { return Ok(Some((socket, address))) };
        self.p.close(socket);
        if self.options.verbose {
            let name = self.named(address);
            say(self.p, &format!("nc: connect to {name} port {port} ({}) {why}\n", self.protocol()));
        }
        Ok(None)
    }

    fn bind(&self, socket: SocketId) -> Result<(), Stop> {
        let port = self.options.source_port.as_deref().map_or(Ok(0), |word| self.any_port(word))?;
        let unresolved = |text: String| fatal(format!("getaddrinfo: {text}"));
        let address = match &self.options.source {
            Some(source) => self.address(source, false).map_err(unresolved)?,
            None => Ipv4Addr::UNSPECIFIED,
        };
        self.p.bind(socket, address, port).map_err(|errno| fatal(format!("bind failed: {}", errno.text())))
    }

    /// `connect`, and what is said if it fails.
    async fn reach(&self, socket: SocketId, to: Endpoint) -> Result<(), String> {
        let failed = |errno: Errno| format!("failed: {}", errno.text());
        self.p.start_connect(socket, to).map_err(failed)?;
        if self.options.udp {
            return Ok(());
        }
        let until = self.options.timeout.map_or(Time::NEVER, |seconds| self.p.now() + Duration::from_secs(seconds));
        if self.p.poll(&[Wait::Write(socket)], until).await.ready.is_empty() {
            return Err(format!("timed out: {}", Errno::InProgress.text()));
        }
        self.p.connect_error(socket).await.map_or(Ok(()), |errno| Err(failed(errno)))
    }

    /// The host as it was named, and its address if that is another word.
    fn named(&self, address: Ipv4Addr) -> String {
        let host = self.options.host.as_deref().unwrap_or_default();
        match address.to_string() {
            same if self.options.numeric || same == host => host.to_string(),
            address => format!("{host} ({address})"),
        }
    }

    fn succeeded(&self, address: Ipv4Addr, port: u16) {
        let (name, protocol) = (self.named(address), self.protocol());
        let service = netdb::port_name(port, protocol).filter(|_| !self.options.numeric).unwrap_or("*");
        self.p.err(&format!("Connection to {name} {port} port [{protocol}/{service}] succeeded!\n"));
    }

    /// Sends some bytes over UDP: true if no ICMP error comes back.
    async fn is_heard(&self, socket: SocketId) -> bool {
        let probe = || self.p.try_write(socket, b"X");
        if probe().is_err() {
            return false;
        }
        let mut pause = ECHO;
        for _ in 0..=self.options.timeout.unwrap_or(UDP_SCAN) {
            self.p.sleep_until(self.p.now() + pause).await;
            if probe() == Err(Errno::ConnRefused) {
                return false;
            }
            pause = Duration::from_secs(1);
        }
        true
    }
}

#[cfg(test)]
mod tests;
