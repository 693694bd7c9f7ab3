//! The server itself: it listens, and serves all its connections at once.

use super::options::Options;
use super::reply::{Answer, answer};
use crate::lab::{Exit, Signal};
use crate::userland::date::Date;
use crate::userland::resolve::{Family, resolve};
use crate::userland::{Proc, Wait};
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::control::Errno;
use vethlab_engine::local::{SocketId, SocketKind};
use vethlab_engine::time::{Duration, Time};

/// As many connections wait to be accepted.
const BACKLOG: usize = 5;
/// More are not served at a time.
const MOST: usize = 256;
/// A head that is longer than this is not read to its end.
const LONGEST_HEAD: usize = 65_536;
/// So long it takes from the head of an answer to its body.
const PAUSE: Duration = Duration::from_micros(50);

/// Where the traceback of a socket that cannot be bound leads through.
const TRACEBACK: &str = "\
Traceback (most recent call last):
  File \"<frozen runpy>\", line 198, in _run_module_as_main
  File \"<frozen runpy>\", line 88, in _run_code
  File \"/usr/lib/python3.11/http/server.py\", line 1309, in <module>
    test(
  File \"/usr/lib/python3.11/http/server.py\", line 1256, in test
    with ServerClass(addr, HandlerClass) as httpd:
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File \"/usr/lib/python3.11/socketserver.py\", line 456, in __init__
    self.server_bind()
  File \"/usr/lib/python3.11/http/server.py\", line 1303, in server_bind
    return super().server_bind()
           ^^^^^^^^^^^^^^^^^^^^^
  File \"/usr/lib/python3.11/http/server.py\", line 136, in server_bind
    socketserver.TCPServer.server_bind(self)
  File \"/usr/lib/python3.11/socketserver.py\", line 472, in server_bind
    self.socket.bind(self.server_address)
";
/// Where it leads through if the name of the address is not known.
const NO_NAME: &str = "\
Traceback (most recent call last):
  File \"<frozen runpy>\", line 198, in _run_module_as_main
  File \"<frozen runpy>\", line 88, in _run_code
  File \"/usr/lib/python3.11/http/server.py\", line 1309, in <module>
    test(
  File \"/usr/lib/python3.11/http/server.py\", line 1254, in test
    ServerClass.address_family, addr = _get_best_family(bind, port)
                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File \"/usr/lib/python3.11/http/server.py\", line 1240, in _get_best_family
    infos = socket.getaddrinfo(
            ^^^^^^^^^^^^^^^^^^^
  File \"/usr/lib/python3.11/socket.py\", line 962, in getaddrinfo
    for res in _socket.getaddrinfo(host, port, family, type, proto, flags):
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
socket.gaierror: [Errno -2] Name or service not known
";

/// Serves until it is interrupted.
pub(super) async fn serve(p: &Proc, options: &Options) -> Exit {
    let listener = match listen(p, options) {
        Ok(listener) => listener,
        Err(complaint) => {
            p.err(&complaint);
            return Exit::Status(1);
        }
    };
    p.catch_unless_ignored(&[Signal::Int]);
    let (address, port) = p.local_name(listener);
    let mut said = format!("Serving HTTP on {address} port {port} (http://{address}:{port}/) ...\n");
    let unbuffered = options.unbuffered || p.env("PYTHONUNBUFFERED").is_some_and(|value| !value.is_empty());
    if unbuffered || p.tty() {
        p.out(&std::mem::take(&mut said));
    }
    let root = options.directory.as_deref().unwrap_or(".").trim_end_matches('/').to_string();
    let mut server = Server { p, root, listener, connections: Vec::new() };
    while server.turn().await {}
    // What was held back of standard output comes now; a server that is killed keeps it to itself.
    p.out(&format!("{said}\nKeyboard interrupt received, exiting.\n"));
    Exit::Status(0)
}

fn listen(p: &Proc, options: &Options) -> Result<SocketId, String> {
    let address = match options.bind.as_deref().map(|name| resolve(name, Family::Any)) {
        None => Ipv4Addr::UNSPECIFIED,
        Some(Ok(IpAddr::V4(address))) => address,
        Some(Ok(IpAddr::V6(_))) => return Err("server.py: IPv6 is not simulated\n".to_string()),
        Some(Err(_)) => return Err(NO_NAME.to_string()),
    };
    let failed = |errno: Errno| format!("{TRACEBACK}OSError: [Errno {}] {}\n", errno.number(), errno.text());
    let socket = p.socket(SocketKind::Tcp).map_err(failed)?;
    p.set_options(socket, |set| set.reuse_address = true);
    p.bind(socket, address, options.port).and_then(|()| p.listen(socket, BACKLOG)).map_err(failed)?;
    Ok(socket)
}

struct Server<'a> {
    p: &'a Proc,
    root: String,
    listener: SocketId,
    connections: Vec<Connection>,
}

/// Somebody who asks.
struct Connection {
    socket: SocketId,
    peer: Ipv4Addr,
    request: Vec<u8>,
    /// What is to be sent: first the head, then the body.
    answer: Option<Answer>,
    not_before: Time,
    over: bool,
}

impl Server<'_> {
    /// Waits, and does what can be done; false when it is interrupted.
    async fn turn(&mut self) -> bool {
        let now = self.p.now();
        let mut waits = Vec::new();
        let mut until = Time::NEVER;
        for connection in &self.connections {
            match &connection.answer {
                None => waits.push(Wait::Read(connection.socket)),
                Some(_) if connection.not_before > now => until = until.min(connection.not_before),
                Some(_) => waits.push(Wait::Write(connection.socket)),
            }
        }
        if self.connections.len() < MOST {
            waits.push(Wait::Read(self.listener));
        }
        if self.p.poll(&waits, until).await.signal.is_some() {
            return false;
        }
        while self.connections.len() < MOST
            && let Ok(Some((socket, (peer, _)))) = self.p.accept(self.listener)
        {
            let (request, not_before) = (Vec::new(), Time::ZERO);
            self.connections.push(Connection { socket, peer, request, answer: None, not_before, over: false });
        }
        for connection in &mut self.connections {
            connection.go_on(self.p, &self.root).await;
        }
        let (over, open) = std::mem::take(&mut self.connections).into_iter().partition(|connection| connection.over);
        self.connections = open;
        over.iter().for_each(|connection: &Connection| self.p.close(connection.socket));
        true
    }
}

impl Connection {
    async fn go_on(&mut self, p: &Proc, root: &str) {
        if self.answer.is_none() {
            self.read(p, root).await;
        }
        if self.answer.is_some() && p.now() >= self.not_before {
            self.send(p);
        }
    }

    async fn read(&mut self, p: &Proc, root: &str) {
        match p.try_read(self.socket) {
            Ok(None) => return,
            Ok(Some(piece)) if !piece.is_empty() && self.request.len() < LONGEST_HEAD => self.request.extend(piece),
            _ => {
                self.over = true;
                return;
            }
        }
        self.answer = answer(p, root, &self.request).await;
        let date = Date::now(p);
        let time = format!("{:02}/{}/{:04} {}", date.day, date.month_name(), date.year, date.clock());
        let lines = self.answer.iter().flat_map(|answer| &answer.log);
        lines.for_each(|line| p.err(&format!("{} - - [{time}] {line}\n", self.peer)));
    }

    /// Sends what goes.
    fn send(&mut self, p: &Proc) {
        let Some(answer) = &mut self.answer else { return };
        while !answer.head.is_empty() || !answer.body.is_empty() {
            let is_head = !answer.head.is_empty();
            let part = if is_head { &mut answer.head } else { &mut answer.body };
            match p.try_write(self.socket, part) {
                Ok(0) => return,
                Ok(sent) => drop(part.drain(..sent)),
                Err(_) => break,
            }
            if is_head && part.is_empty() && !answer.body.is_empty() {
                self.not_before = p.now() + PAUSE;
                return;
            }
        }
        self.over = true;
        // A connection that is broken has nothing to shut.
        let _ = p.shutdown_write(self.socket);
    }
}
