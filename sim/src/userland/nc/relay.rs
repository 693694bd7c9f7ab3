//! Standard input to the network, the network to standard output, until one of both is done (`readwrite`).

use super::options::Options;
use crate::userland::{Proc, Wait};
use vethlab_engine::control::Errno;
use vethlab_engine::local::SocketId;
use vethlab_engine::time::{Duration, Time};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing more to do.
    Done,
    /// Nothing happened for as long as `-w` says.
    Idle,
}

/// What is still open, and what waits to be sent.
struct Relay<'a> {
    p: &'a Proc,
    options: &'a Options,
    socket: SocketId,
    stdin: bool,
    net_in: bool,
    net_out: bool,
    unsent: Vec<u8>,
    /// How often something was read from the network.
    received: u64,
}

/// Relays for one socket.
pub(super) async fn relay(p: &Proc, options: &Options, socket: SocketId) -> End {
    let stdin = !options.no_stdin;
    let mut relay = Relay { p, options, socket, stdin, net_in: true, net_out: true, unsent: Vec::new(), received: 0 };
    loop {
        let over = !relay.net_in && (options.listen || !relay.stdin) && relay.unsent.is_empty();
        if over || !(relay.net_in || relay.net_out) {
            return End::Done;
        }
        if options.interval > 0 {
            p.sleep_until(p.now() + Duration::from_secs(options.interval)).await;
        }
        if !relay.turn().await {
            return End::Idle;
        }
    }
}

impl Relay<'_> {
    /// Waits, and moves what can be moved; false if nothing happened in time.
    async fn turn(&mut self) -> bool {
        let reads = self.stdin && self.unsent.is_empty();
        let watched = [
            (reads, Wait::Stdin),
            (self.net_in, Wait::Read(self.socket)),
            (self.net_out && !self.unsent.is_empty(), Wait::Write(self.socket)),
            (self.net_out || self.net_in, Wait::Error(self.socket)),
        ];
        let waits: Vec<Wait> = watched.into_iter().filter(|(on, _)| *on).map(|(_, wait)| wait).collect();
        let until = self.options.timeout.map_or(Time::NEVER, |seconds| self.p.now() + Duration::from_secs(seconds));
        let ready = self.p.poll(&waits, until).await.ready;
        if ready.is_empty() {
            return false;
        }
        let has = |wait: Wait| ready.iter().any(|at| waits.get(*at) == Some(&wait));
        if has(Wait::Error(self.socket)) {
            // What has come and was not read is lost, too.
            (self.net_in, self.net_out, self.stdin) = (false, false, false);
            self.unsent.clear();
            return true;
        }
        if has(Wait::Stdin) {
            self.read_stdin();
        }
        self.send();
        if has(Wait::Read(self.socket)) {
            self.read_net().await;
        }
        if !self.stdin && self.unsent.is_empty() && self.net_out {
            if self.options.shut {
                self.p.go_on().await;
                // A UDP socket has nothing to shut.
                let _ = self.p.shutdown_write(self.socket);
            }
            self.net_out = false;
        }
        true
    }

    fn read_stdin(&mut self) {
        let Some(piece) = self.p.try_stdin() else { return };
        self.stdin = !piece.is_empty();
        if self.options.crlf {
            piece.iter().for_each(|byte| match byte {
                b'\n' => self.unsent.extend(b"\r\n"),
                byte => self.unsent.push(*byte),
            });
        } else {
            self.unsent = piece;
        }
    }

    /// Sends what goes.
    fn send(&mut self) {
        while self.net_out && !self.unsent.is_empty() {
            match self.p.try_write(self.socket, &self.unsent) {
                Ok(0) => return,
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(Errno::Again) => return,
                Err(_) => {
                    (self.net_out, self.stdin) = (false, false);
                    self.unsent.clear();
                }
            }
        }
    }

    async fn read_net(&mut self) {
        let piece = match self.p.try_read(self.socket) {
            Ok(None) => return,
            Ok(Some(piece)) => piece,
            Err(_) => {
                self.net_in = false;
                return;
            }
        };
        self.net_in = !piece.is_empty();
        self.received += 1;
        if self.options.receive_limit > 0 && self.received >= self.options.receive_limit {
            (self.net_in, self.stdin) = (false, false);
        }
        if self.options.telnet {
            self.answer_telnet(&piece);
        }
        self.p.out_bytes(&piece);
    }

    /// Refuses every option that a telnet server offers or asks for.
    fn answer_telnet(&self, piece: &[u8]) {
        const IAC: u8 = 255;
        const DONT: u8 = 254;
        const DO: u8 = 253;
        const WONT: u8 = 252;
        const WILL: u8 = 251;
        for words in piece.windows(3) {
            let answer = match words {
                [IAC, WILL | WONT, option] => [IAC, DONT, *option],
                [IAC, DO | DONT, option] => [IAC, WONT, *option],
                _ => continue,
            };
            // What cannot be sent now will not be asked for again.
            let _ = self.p.try_write(self.socket, &answer);
        }
    }
}
