//! The process that holds the lab: one loop over a socket, its clients, signals and time.
//!
//! Each turn of the loop lets the lab's programs run until they wait, passes on what they printed, lets virtual time pass if
//! it may ([`pace`](Server::let_time_pass)), and waits for something to come in. Everything happens in this one thread.

mod clients;
mod end;
mod pace;
mod record;
mod stdin;

pub(crate) use self::end::End;
pub(crate) use self::record::Record;

use self::clients::{Clients, Held};
use self::end::Ending;
use self::pace::Pace;
use crate::files::Files;
use crate::home::Home;
use crate::tree::{Moves, Tree};
use crate::{init, signals};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;
use vethlab_engine::device::process::is_ignored;
use vethlab_engine::device::seccomp::Listener;
use vethlab_sim::{Lab, NsId};

/// A lab and those who use it.
pub(crate) struct Server {
    lab: Lab,
    listener: UnixListener,
    signals: SignalFd,
    /// Where calls of the script's processes wait that name a file.
    calls: Option<Listener>,
    files: Files,
    clients: Clients,
    /// Programs to start, as soon as it is sure that no other is on its way that should start before.
    held: Vec<Held>,
    tree: Tree,
    pace: Pace,
    record: Record,
    /// The process that runs the script.
    script: u32,
    end: Option<End>,
    /// We were told to end.
    ending: Option<Ending>,
}

impl Server {
    /// Listens, and starts the script.
    pub(crate) fn start(
        lab: Lab,
        home: &Home,
        mut command: Command,
        realtime: bool,
        record: Record,
    ) -> io::Result<Server> {
        let listener = UnixListener::bind(home.socket())?;
        listener.set_nonblocking(true)?;
        nix::sys::prctl::set_child_subreaper(true)?;
        let handover = UnixListener::bind(home.handover())?;
        let heeded = signals::ENDING.into_iter().filter(|signal| !is_ignored(*signal));
        let signals = signals::catch(heeded.chain([Signal::SIGCHLD]))?;
        let script = command.spawn()?.id();
        let calls = init::take_over(&handover)?;
        let mut server = Server {
            lab,
            listener,
            signals,
            calls,
            files: Files::new(&home.shadow()),
            clients: Clients::default(),
            held: Vec::new(),
            tree: Tree::new(),
            pace: Pace::new(realtime),
            record,
            script,
            end: None,
            ending: None,
        };
        let host = server.lab.world().host();
        server.settle(|tree, moves| tree.settle_in(script, host, moves));
        Ok(server)
    }

    /// Serves until the script has ended.
    pub(crate) fn run(mut self) -> io::Result<End> {
        loop {
            self.lab.turn();
            self.pass_on();
            if let Some(end) = self.end {
                return Ok(end);
            }
            let nap = self.let_time_pass()?;
            let nap = match self.tell_all() {
                Some((signal, Duration::ZERO)) => return Ok(End::Signaled(signal)),
                Some((_, left)) => Some(nap.map_or(left, |nap| nap.min(left))),
                None => nap,
            };
            self.wait(nap)?;
        }
    }

    /// Waits until something comes in, or that long, and takes it in. True if anything did.
    fn wait(&mut self, nap: Option<Duration>) -> io::Result<bool> {
        let mut fds = vec![
            PollFd::new(self.listener.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
        ];
        let calls = self.calls.as_ref().map_or(self.listener.as_fd(), |calls| calls.as_fd());
        fds.push(PollFd::new(calls, PollFlags::POLLIN));
        fds.extend(self.clients.watched());
        match ppoll(&mut fds, nap.map(TimeSpec::from_duration), None) {
            Ok(0) | Err(Errno::EINTR) => return Ok(false),
            result => result?,
        };
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        let [listener, signals, calls, clients @ ..] = &ready[..] else { return Ok(false) };
        for request in self.clients.serve(clients) {
            self.take(request);
        }
        if *calls {
            self.answer_call()?;
        }
        if *signals {
            self.take_signals()?;
        }
        if *listener {
            self.clients.accept(&self.listener)?;
        }
        Ok(true)
    }

    /// Answers a call of the script's processes that names a file.
    fn answer_call(&mut self) -> io::Result<()> {
        let (Some(calls), tree) = (&self.calls, &self.tree) else { return Ok(()) };
        self.files.answer(calls, &mut self.lab.world(), |pid| tree.home_of(pid))
    }

    fn take_signals(&mut self) -> io::Result<()> {
        while let Some(info) = self.signals.read_signal()? {
            match Signal::try_from(info.ssi_signo as i32) {
                Ok(Signal::SIGCHLD) => {
                    if let Some(end) = end::reap(self.script) {
                        self.end = Some(end);
                    }
                }
                Ok(signal) if !end::is_from_terminal(&info) => {
                    self.ending.get_or_insert_with(|| Ending::new(signal));
                }
                // The terminal has told the script as well: it decides.
                _ => {}
            }
        }
        Ok(())
    }

    /// If we were told to end: tells the script's processes. The signal, and how long to wait before telling those that
    /// are new.
    fn tell_all(&mut self) -> Option<(Signal, Duration)> {
        let mut ending = self.ending.take()?;
        self.look();
        let told = ending.tell(&self.tree);
        self.ending = Some(ending);
        Some(told)
    }

    /// Looks at the script's processes; true if they sleep.
    fn look(&mut self) -> bool {
        self.settle(|tree, moves| tree.look(moves))
    }

    /// Does something with the processes, and counts them in and out of their namespaces.
    fn settle<T>(&mut self, act: impl FnOnce(&mut Tree, &mut Moves) -> T) -> T {
        let mut moves = Moves::default();
        let result = act(&mut self.tree, &mut moves);
        let mut world = self.lab.world();
        let exists = |world: &vethlab_sim::World, ns: &NsId| world.netns_exists(*ns);
        for ns in moves.came {
            if exists(&world, &ns) {
                world.netns_hold(ns);
            }
        }
        for ns in moves.went {
            if exists(&world, &ns) {
                world.netns_release(ns);
            }
        }
        result
    }
}

impl Drop for Server {
    /// However it ends, nothing that the script started stays.
    fn drop(&mut self) {
        end::leave_nothing(&mut self.tree);
    }
}
