//! HTTP/1 as its clients speak it: a stream of bytes with time limits, heads of replies, and how a body ends.

use super::{Proc, Wait};
use std::net::Ipv4Addr;
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::local::{Endpoint, SocketId, SocketKind};
use vethlab_engine::time::Time;

/// Where a connection begins, if that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct From {
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) device: Option<IfIndex>,
}

/// Why a call on a stream came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The kernel says no.
    Errno(Errno),
    /// The address to begin at is not ours.
    Bind(Errno),
    /// Time is over.
    Late,
}

/// A connection, and what was read ahead of it.
pub(crate) struct Stream<'a> {
    p: &'a Proc,
    pub(crate) socket: SocketId,
    pub(crate) unread: Vec<u8>,
    pub(crate) ended: bool,
}

impl<'a> Stream<'a> {
    /// Begins to connect.
    pub(crate) fn begin(p: &'a Proc, to: Endpoint, from: From) -> Result<Stream<'a>, Fault> {
        let socket = p.socket(SocketKind::Tcp).map_err(Fault::Errno)?;
        let stream = Stream { p, socket, unread: Vec::new(), ended: false };
        p.set_options(socket, |set| set.device = from.device);
        if let Some(address) = from.address {
            p.bind(socket, address, 0).map_err(Fault::Bind)?;
        }
        p.start_connect(socket, to).map_err(Fault::Errno)?;
        Ok(stream)
    }

    /// Waits until it is connected.
    pub(crate) async fn connected(&self, until: Time) -> Result<(), Fault> {
        if self.p.poll(&[Wait::Write(self.socket)], until).await.ready.is_empty() {
            return Err(Fault::Late);
        }
        self.p.connect_error(self.socket).await.map_or(Ok(()), |errno| Err(Fault::Errno(errno)))
    }

    /// Sends all of it.
    pub(crate) async fn send(&self, mut bytes: &[u8], until: Time) -> Result<(), Fault> {
        while !bytes.is_empty() {
            match self.p.try_write(self.socket, bytes) {
                Ok(0) | Err(Errno::Again) => {
                    if self.p.poll(&[Wait::Write(self.socket)], until).await.ready.is_empty() {
                        return Err(Fault::Late);
                    }
                }
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(errno) => return Err(Fault::Errno(errno)),
            }
        }
        Ok(())
    }

    /// Reads what comes next behind what is unread; false at the end.
    pub(crate) async fn fill(&mut self, until: Time) -> Result<bool, Fault> {
        loop {
            match self.p.try_read(self.socket).map_err(Fault::Errno)? {
                Some(piece) => {
                    self.ended = piece.is_empty();
                    self.unread.extend(piece);
                    return Ok(!self.ended);
                }
                None if self.p.poll(&[Wait::Read(self.socket)], until).await.ready.is_empty() => {
                    return Err(Fault::Late);
                }
                None => {}
            }
        }
    }

    /// True if the other end has closed it, or broken it.
    pub(crate) fn is_gone(&self) -> bool {
        self.ended || !matches!(self.p.try_read(self.socket), Ok(None))
    }

    pub(crate) fn close(self) {
        self.p.close(self.socket);
    }
}

/// The head of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// `HTTP/1.x`: the x.
    pub(crate) minor: u8,
    pub(crate) status: u16,
    /// All lines as they came, line ends and all, the empty one last.
    pub(crate) lines: Vec<String>,
}

impl Head {
    /// Takes a head off the front of `unread`, if it is there as a whole.
    pub(crate) fn take(unread: &mut Vec<u8>) -> Option<Head> {
        let mut lines = Vec::new();
        let mut at = 0;
        loop {
            let length = unread.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
            let line = String::from_utf8_lossy(unread.get(at..at + length)?).into_owned();
            at += length;
            let last = line.trim_end().is_empty();
            lines.push(line);
            if last {
                break;
            }
        }
        unread.drain(..at);
        let mut words = lines.first()?.split_ascii_whitespace();
        let minor = words.next()?.strip_prefix("HTTP/1.").and_then(|minor| minor.parse().ok()).unwrap_or(1);
        let status = words.next().and_then(|status| status.parse().ok()).unwrap_or(0);
        Some(Head { minor, status, lines })
    }

    /// The value of a field, the last if there are several.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.lines.iter().skip(1).rev().filter_map(|line| line.split_once(':'));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// How its body ends.
    pub(crate) fn body(&self, asked_for_head: bool) -> Body {
        let chunked = self.field("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        match self.field("Content-Length").and_then(|length| length.parse().ok()) {
            _ if asked_for_head || self.status == 204 || self.status == 304 => Body::Length(0),
            _ if chunked => Body::Chunks { left: 0, state: Chunk::Size },
            Some(length) => Body::Length(length),
            None => Body::ToTheEnd,
        }
    }

    /// The connection may be used again.
    pub(crate) fn keeps_alive(&self) -> bool {
        let said = |word: &str| self.field("Connection").is_some_and(|value| value.eq_ignore_ascii_case(word));
        if self.minor == 0 { said("keep-alive") } else { !said("close") }
    }
}

/// What is left of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks, each with its size.
    Chunks { left: u64, state: Chunk },
    /// What comes until the connection ends.
    ToTheEnd,
    /// Nothing.
    Over,
}

/// Where one is in a row of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    Size,
    Data,
    Trailer,
}

impl Body {
    /// Takes what belongs to the body off the front of `unread`; `Err` if it cannot be a body.
    pub(crate) fn take(&mut self, unread: &mut Vec<u8>) -> Result<Vec<u8>, ()> {
        match self {
            Body::Over => Ok(Vec::new()),
            Body::ToTheEnd => Ok(std::mem::take(unread)),
            Body::Length(left) => {
                let part = unread.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= part as u64;
                let content = unread.drain(..part).collect();
                if *left == 0 {
                    *self = Body::Over;
                }
                Ok(content)
            }
            Body::Chunks { .. } => {
                let mut content = Vec::new();
                while self.take_chunk(unread, &mut content)? {}
                Ok(content)
            }
        }
    }

    /// One step in a row of chunks; false if more must come first.
    fn take_chunk(&mut self, unread: &mut Vec<u8>, content: &mut Vec<u8>) -> Result<bool, ()> {
        let Body::Chunks { left, state } = self else { return Ok(false) };
        if *state == Chunk::Data && *left > 0 {
            let part = unread.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            content.extend(unread.drain(..part));
            *left -= part as u64;
            return Ok(part > 0);
        }
        let Some(end) = unread.iter().position(|byte| *byte == b'\n') else { return Ok(false) };
        let line: Vec<u8> = unread.drain(..=end).collect();
        let line = String::from_utf8_lossy(&line).trim().to_string();
        match state {
            Chunk::Size => {
                let size = line.split(';').next().unwrap_or_default().trim();
                *left = u64::from_str_radix(size, 16).map_err(|_| ())?;
                *state = if *left == 0 { Chunk::Trailer } else { Chunk::Data };
            }
            Chunk::Data => *state = Chunk::Size,
            Chunk::Trailer if line.is_empty() => *self = Body::Over,
            Chunk::Trailer => {}
        }
        Ok(true)
    }
}

/// What `http://user@host:port/path` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// It was said.
    pub(crate) port_said: bool,
    /// Path and query, at least `/`.
    pub(crate) path: String,
}

/// Why a text is no URL that we follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoUrl {
    Scheme(String),
    Bad,
    V6,
}

impl Url {
    /// Reads one; `http` need not be said.
    pub(crate) fn parse(text: &str) -> Result<Url, NoUrl> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(NoUrl::Scheme(scheme.to_string()));
            }
            _ => text,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (place, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if place.starts_with('[') {
            return Err(NoUrl::V6);
        }
        let (host, port) = match place.split_once(':') {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.parse().map_err(|_| NoUrl::Bad)?)),
            None => (place, None),
        };
        if host.is_empty() || host.contains(['@', ' ', '\n']) || text.contains([' ', '\n']) {
            return Err(NoUrl::Bad);
        }
        let path = if path.starts_with('/') { path.to_string() } else { format!("/{path}") };
        Ok(Url { host: host.to_string(), port: port.unwrap_or(80), port_said: port.is_some(), path })
    }

    /// The value of `Host:`.
    pub(crate) fn host_field(&self) -> String {
        if self.port == 80 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// As it is shown.
    pub(crate) fn text(&self) -> String {
        let port = if self.port_said { format!(":{}", self.port) } else { String::new() };
        format!("http://{}{port}{}", self.host, self.path)
    }

    /// Where `Location: target` leads from here.
    pub(crate) fn follow(&self, target: &str) -> String {
        if target.contains("://") {
            return target.to_string();
        }
        let folder = self.path.split('?').next().unwrap_or_default();
        let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = if target.starts_with('/') { target.to_string() } else { format!("{folder}/{target}") };
        Url { path, ..self.clone() }.text()
    }
}

#[cfg(test)]
mod tests;
