//! The clients, what they ask for, and what is passed on to them.

use super::stdin::Stdin;
use super::{Server, pace};
use crate::signals;
use crate::wire::{Inbox, Reply, Request, encode, to_lab};
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use vethlab_engine::time::Time;
use vethlab_sim::{Event, Exit, NsId, Pid, Spawn};

/// Clients by number.
#[derive(Default)]
pub(super) struct Clients {
    all: BTreeMap<u64, Client>,
    next: u64,
    /// What programs did, to be told to their clients.
    outgoing: VecDeque<(Pid, Reply)>,
    /// The client that was told something since all was quiet.
    turn: Option<u64>,
}

/// One connection.
struct Client {
    stream: UnixStream,
    /// Its process.
    pid: u32,
    inbox: Inbox,
    outbox: Vec<u8>,
    /// What it runs.
    program: Option<Pid>,
    stdin: Stdin,
}

/// A program that is asked for.
pub(super) struct Held {
    client: u64,
    pid: u32,
    argv: Vec<String>,
    env: Vec<(String, String)>,
    tty: bool,
    ns: Option<u32>,
    /// When it has come so far that it runs.
    due: Time,
}

/// Something that came in from a client.
pub(super) enum Incoming {
    Asked(u64, Request),
    Left(u64),
}

impl Clients {
    /// What to poll, in the order of [`Clients::serve`].
    pub(super) fn watched(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.all.values().map(|client| {
            let out = if client.outbox.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
            PollFd::new(client.stream.as_fd(), PollFlags::POLLIN | out)
        })
    }

    /// Takes in everyone who knocks.
    pub(super) fn accept(&mut self, listener: &UnixListener) -> io::Result<()> {
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // It hung up already, or we are out of descriptors: the others go on.
                Err(_) => return Ok(()),
            };
            stream.set_nonblocking(true)?;
            let pid = getsockopt(&stream, PeerCredentials)?.pid() as u32;
            let (inbox, outbox, stdin) = (Inbox::default(), Vec::new(), Stdin::default());
            let client = Client { stream, pid, inbox, outbox, program: None, stdin };
            self.all.insert(self.next, client);
            self.next += 1;
        }
    }

    /// Moves bytes for those that are ready; what came in, client by client.
    pub(super) fn serve(&mut self, ready: &[bool]) -> Vec<Incoming> {
        let mut came = Vec::new();
        let ready = self.all.iter_mut().zip(ready).filter(|(_, ready)| **ready);
        for ((number, client), _) in ready {
            client.flush();
            let mut open = client.fill();
            loop {
                match client.inbox.next() {
                    Ok(Some(request)) => came.push(Incoming::Asked(*number, request)),
                    Ok(None) => break,
                    Err(_) => {
                        open = false;
                        break;
                    }
                }
            }
            if !open {
                came.push(Incoming::Left(*number));
            }
        }
        came
    }

    /// Sends what waits to be sent: to all, or only to the one whose turn it is. Two that print at the same (virtual) time
    /// into one pipe would otherwise do so in any order.
    pub(super) fn send_out(&mut self, to_all: bool) {
        while let Some((program, reply)) = self.outgoing.pop_front() {
            let Some((number, client)) = self.all.iter_mut().find(|(_, client)| client.program == Some(program)) else {
                continue;
            };
            if !to_all && self.turn.is_some_and(|turn| turn != *number) {
                self.outgoing.push_front((program, reply));
                return;
            }
            self.turn = Some(*number);
            if matches!(reply, Reply::Status(_) | Reply::Signaled(_) | Reply::Exec { .. } | Reply::Timeout(_)) {
                client.program = None;
            }
            client.send(&reply);
        }
    }

    /// Tells a program's client something that nobody sees: it need not wait its turn.
    pub(super) fn tell(&mut self, program: Pid, reply: &Reply) {
        if let Some(client) = self.all.values_mut().find(|client| client.program == Some(program)) {
            client.send(reply);
        }
    }

    /// The standard inputs of all programs, in the order in which their clients came.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (Option<Pid>, &Stdin)> {
        self.all.values().map(|client| (client.program, &client.stdin))
    }

    /// The standard input of one.
    pub(super) fn input_of(&mut self, program: Pid) -> Option<&mut Stdin> {
        self.all.values_mut().find(|client| client.program == Some(program)).map(|client| &mut client.stdin)
    }

    /// All is quiet: the next turn is anybody's. True if somebody waited for it.
    pub(super) fn next_turn(&mut self) -> bool {
        self.turn = None;
        let waited = !self.outgoing.is_empty();
        self.send_out(false);
        waited
    }

    /// Something waits to be sent.
    pub(super) fn is_waiting(&self) -> bool {
        !self.outgoing.is_empty()
    }
}

impl Client {
    /// Reads what is there; false at the end of the connection.
    fn fill(&mut self) -> bool {
        let mut bytes = [0; 65536];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return false,
                Ok(got) => self.inbox.extend(&bytes[..got]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }

    fn send(&mut self, reply: &Reply) {
        // A reply that cannot be encoded is one too long: the client would not take it either.
        if let Ok(bytes) = encode(reply) {
            self.outbox.extend(bytes);
            self.flush();
        }
    }

    /// Sends what goes. A client that is gone is noticed when it is read from.
    fn flush(&mut self) {
        while !self.outbox.is_empty() {
            match self.stream.write(&self.outbox) {
                Ok(written) => drop(self.outbox.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

impl Server {
    /// Takes in what a client says.
    pub(super) fn take(&mut self, incoming: Incoming) {
        let (number, request) = match incoming {
            Incoming::Left(number) => return self.left(number),
            Incoming::Asked(number, request) => (number, request),
        };
        let Some(client) = self.clients.all.get_mut(&number) else { return };
        let (pid, program) = (client.pid, client.program);
        match request {
            Request::Run { argv, env, tty, typed, ns } => {
                client.stdin.terminal = typed;
                // A process that goes on as another program need not be made again: `ip netns exec red nc -l 80 &` listens
                // before the `nc` that comes next in the script calls.
                let due = if ns.is_some() { self.lab.now() } else { self.lab.now() + pace::START };
                self.held.push(Held { client: number, pid, argv, env, tty, ns, due });
                self.pace.news(self.lab.now());
            }
            Request::Signal { number: signal, ignored } => match (program, signals::to_lab(signal)) {
                (Some(program), Some(signal)) if !ignored || self.lab.catches(program, signal) => {
                    self.lab.signal(program, signal);
                }
                (None, Some(_)) if !ignored => {
                    self.held.retain(|held| held.client != number);
                    client.send(&Reply::Signaled(signal));
                }
                _ => {}
            },
            Request::File(answer) => {
                if let Some(program) = program {
                    self.lab.answer(program, to_lab(answer));
                }
            }
            Request::Stdin(bytes) => client.stdin.came(&bytes),
            Request::Become(ns) => {
                let name = self.name(NsId(ns));
                if name.is_some() {
                    self.settle(|tree, moves| tree.settle_in(pid, NsId(ns), moves));
                }
                if let Some(client) = self.clients.all.get_mut(&number) {
                    client.send(&name.map_or(Reply::Gone, Reply::Go));
                }
            }
        }
    }

    /// What prompts call a namespace, if it is there.
    fn name(&self, ns: NsId) -> Option<String> {
        let world = self.lab.world();
        let named = || match world.netns_name(ns) {
            Some(name) => name.to_string(),
            None if ns == world.host() => "host".to_string(),
            None => format!("ns{}", ns.0),
        };
        world.netns_exists(ns).then(named)
    }

    /// A client is gone: nobody is left to print what its program says.
    fn left(&mut self, number: u64) {
        self.held.retain(|held| held.client != number);
        if let Some(program) = self.clients.all.remove(&number).and_then(|client| client.program) {
            self.lab.kill(program);
        }
        self.pace.news(self.lab.now());
    }

    /// When the next of the programs that are asked for is to start.
    pub(super) fn held_due(&self) -> Option<Time> {
        self.held.iter().map(|held| held.due).min()
    }

    /// Starts what is asked for and due by then, in the order in which the processes were made.
    pub(super) fn start_held(&mut self, by: Time) {
        self.held.sort_by_key(|held| held.pid);
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.held).into_iter().partition(|held| held.due <= by);
        self.held = later;
        for held in due {
            if let Some(ns) = held.ns {
                self.settle(|tree, moves| tree.settle_in(held.pid, NsId(ns), moves));
            }
            let ns = self.tree.home(held.pid).unwrap_or_else(|| self.lab.world().host());
            self.lab.processes(&self.tree.homes());
            let Held { client, pid, argv, env, tty, .. } = held;
            let program = self.lab.spawn(Spawn { ns, argv, env, tty, real_pid: Some(pid) });
            if let Some(client) = self.clients.all.get_mut(&client) {
                client.program = Some(program);
            }
        }
    }

    /// Passes on (and writes down) what the programs did; true if they did anything.
    pub(super) fn pass_on(&mut self) -> bool {
        self.record.write(&self.lab);
        let events = self.lab.events();
        let any = !events.is_empty();
        for event in events {
            let (program, reply) = match event {
                Event::NeedStdin(program) => (program, self.clients.input_of(program).and_then(Stdin::ask)),
                event => reply(event),
            };
            self.clients.outgoing.extend(reply.map(|reply| (program, reply)));
        }
        self.clients.send_out(self.pace.is_realtime());
        any
    }
}

/// What a client is told of it, if anything.
fn reply(event: Event) -> (Pid, Option<Reply>) {
    let (program, reply) = match event {
        Event::Stdout(program, bytes) => (program, Reply::Stdout(bytes)),
        Event::Stderr(program, bytes) => (program, Reply::Stderr(bytes)),
        Event::NeedFile(program, call) => (program, Reply::NeedFile(call.into())),
        Event::NeedStdin(program) => return (program, None),
        Event::Exit(program, Exit::Status(status)) => (program, Reply::Status(status)),
        Event::Exit(program, Exit::Signaled(signal)) => (program, Reply::Signaled(signals::number(signal))),
        Event::Exit(program, Exit::Timeout(limit)) => (program, Reply::Timeout(limit.into())),
        Event::Exit(program, Exit::Exec { places, argv, by_ip }) => {
            let places = places.into_iter().map(|(ns, heading)| (ns.0, heading)).collect();
            (program, Reply::Exec { places, argv, by_ip })
        }
    };
    (program, Some(reply))
}
