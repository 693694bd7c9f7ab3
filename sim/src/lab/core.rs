//! What a lab and its running programs share: the world, and for each program what it waits for.

use super::{Event, Exit, FileAnswer, Pid, Signal};
use crate::world::{NsId, World};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use vethlab_engine::local::SocketId;
use vethlab_engine::time::Time;

/// Shared by [`Lab`](super::Lab) and every [`Proc`](crate::userland::Proc). One thread: cells, not locks.
pub(crate) struct Core {
    pub(crate) world: RefCell<World>,
    pub(crate) state: RefCell<State>,
}

/// Everything but the world.
#[derive(Default)]
pub(crate) struct State {
    /// What the driver has not fetched yet.
    pub(crate) events: Vec<Event>,
    /// Programs that run.
    pub(crate) programs: BTreeMap<Pid, Waiting>,
    /// Real processes and their namespaces, as the driver last told.
    pub(crate) processes: Vec<(u32, NsId)>,
    /// Set whenever a wait ends or a program starts or stops: another round over all programs is due.
    pub(crate) progress: bool,
}

/// One program's waits.
#[derive(Default)]
pub(crate) struct Waiting {
    /// Signals it asked for.
    pub(crate) caught: Vec<Signal>,
    /// Signals it asked for as long as its process does not ignore them.
    pub(crate) caught_unless_ignored: Vec<Signal>,
    /// Signals that came and were not seen yet.
    pub(crate) signals: VecDeque<Signal>,
    /// A signal it did not ask for: it ends at the next turn.
    pub(crate) killed: Option<Signal>,
    /// When its wait ends at the latest.
    pub(crate) deadline: Option<Time>,
    /// What it waits for is a real file, not virtual time.
    pub(crate) file: FileWait,
    /// What came of standard input and was not read yet.
    pub(crate) stdin: Stdin,
    /// Sockets it opened, closed when it ends.
    pub(crate) sockets: Vec<Opened>,
    /// Its name and its process id, as `ss -p` tells them.
    pub(crate) name: String,
    pub(crate) shown_pid: u32,
}

/// A socket that a program opened, and its file descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) ns: NsId,
    pub(crate) socket: SocketId,
    pub(crate) fd: u32,
}

/// A program that has a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name, as the kernel keeps it: at most fifteen bytes.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// The file descriptor.
    pub fd: u32,
}

/// The state of a request for a real file.
#[derive(Default)]
pub(crate) enum FileWait {
    /// None asked for.
    #[default]
    Idle,
    /// [`Event::NeedFile`] was sent.
    Asked,
    /// The driver answered.
    Answered(FileAnswer),
}

/// Standard input, as far as it has come.
#[derive(Default)]
pub(crate) struct Stdin {
    /// [`Event::NeedStdin`] was sent and not answered yet.
    pub(crate) asked: bool,
    /// Pieces that wait to be read.
    pieces: VecDeque<Vec<u8>>,
    /// Behind them is the end.
    ended: bool,
}

impl Stdin {
    /// A piece came; an empty one is the end.
    pub(crate) fn came(&mut self, piece: Vec<u8>) {
        self.asked = false;
        self.ended |= piece.is_empty();
        self.pieces.extend(Some(piece).filter(|piece| !piece.is_empty()));
    }

    /// There is something to read, or the end.
    pub(crate) fn is_ready(&self) -> bool {
        !self.pieces.is_empty() || self.ended
    }

    /// Reads a piece; empty at the end, however often.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        self.pieces.pop_front().or_else(|| self.ended.then(Vec::new))
    }
}

impl Waiting {
    /// Takes in a signal: kept for the program if it catches it, else the program's end.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.caught.contains(&signal) || self.caught_unless_ignored.contains(&signal) {
            self.signals.push_back(signal);
        } else {
            self.killed.get_or_insert(signal);
        }
    }

    /// Keeps a socket under the lowest file descriptor that is free.
    pub(crate) fn keep(&mut self, ns: NsId, socket: SocketId) {
        const FIRST: u32 = 3;
        if self.sockets.iter().any(|opened| (opened.ns, opened.socket) == (ns, socket)) {
            return;
        }
        let is_free = |fd: &u32| self.sockets.iter().all(|opened| opened.fd != *fd);
        let fd = (FIRST..).find(is_free).unwrap_or(FIRST);
        self.sockets.push(Opened { ns, socket, fd });
    }

    /// True while it waits for the driver.
    pub(crate) fn needs_file(&self) -> bool {
        matches!(self.file, FileWait::Asked)
    }
}

impl State {
    /// The waits of a program. A program that has ended has none, and its handles are gone with it; should one survive
    /// (a future kept by a test), it sees an empty entry that nobody looks at.
    pub(crate) fn of(&mut self, pid: Pid) -> &mut Waiting {
        self.programs.entry(pid).or_default()
    }

    /// The earliest deadline of any program.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.programs.values().filter_map(|waiting| waiting.deadline).filter(|time| *time != Time::NEVER).min()
    }

    /// Records the end of a program.
    pub(crate) fn ended(&mut self, pid: Pid, exit: Exit) -> Vec<Opened> {
        self.progress = true;
        self.events.push(Event::Exit(pid, exit));
        self.programs.remove(&pid).map(|waiting| waiting.sockets).unwrap_or_default()
    }
}
