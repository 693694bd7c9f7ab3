//! What a program sees of its lab: its words, its namespace, its streams, time, and the world.

mod files;
mod sockets;

pub use files::OutFile;
pub use sockets::{Ready, Wait};

use crate::lab::core::{Core, Waiting};
use crate::lab::{Event, Pid, Signal};
use crate::world::{NsId, World};
use std::cell::RefMut;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use vethlab_engine::control::Errno;
use vethlab_engine::local::{Datagram, SocketError, SocketId, SocketKind, TapFrame, TapSpec};
use vethlab_engine::time::Time;

/// 2024-01-01 00:00:00 UTC: when every world begins, so that `ping -D` prints the same on each run.
const EPOCH: u64 = 1_704_067_200;

/// Why a wait ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A datagram came.
    Datagram(Datagram),
    /// An entry came into the socket's error queue (seen before datagrams, as `POLLERR` is).
    Error(SocketError),
    /// The time is reached.
    Timer,
    /// A signal came that the program asked for by [`Proc::catch`]; others end it.
    Signal(Signal),
}

/// Why a wait for a frame ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A frame passed.
    Frame(TapFrame),
    /// The interface is gone.
    Gone,
    /// The time is reached.
    Timer,
    /// A signal came.
    Signal(Signal),
}

/// A running program's handle on its lab. Cheap to clone.
#[derive(Clone)]
pub struct Proc {
    core: Rc<Core>,
    me: Rc<Identity>,
}

/// What does not change while a program runs.
pub(crate) struct Identity {
    pub(crate) pid: Pid,
    pub(crate) ns: NsId,
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) tty: bool,
}

impl Proc {
    pub(crate) fn new(core: Rc<Core>, me: Identity) -> Proc {
        Proc { core, me: Rc::new(me) }
    }

    /// The words: the program's name first.
    pub fn argv(&self) -> &[String] {
        &self.me.argv
    }

    /// An environment variable.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.me.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Standard output is a terminal.
    pub fn tty(&self) -> bool {
        self.me.tty
    }

    /// The namespace it lives in.
    pub fn ns(&self) -> NsId {
        self.me.ns
    }

    /// A number like a process id, the same for the same seed: the ident of pings.
    pub fn pid(&self) -> u32 {
        self.me.pid.0
    }

    /// The world. Do not hold it across an `await`.
    pub fn world(&self) -> RefMut<'_, World> {
        self.core.world.borrow_mut()
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.core.world.borrow().now()
    }

    /// Seconds and nanoseconds since 1970 by the world's wall clock (it begins at a fixed date): `ping -D`.
    pub fn wall_clock(&self) -> (u64, u32) {
        self.wall_time_of(self.now())
    }

    /// The same at another time.
    pub fn wall_time_of(&self, time: Time) -> (u64, u32) {
        let nanos = time.nanos();
        (EPOCH + nanos / 1_000_000_000, (nanos % 1_000_000_000) as u32)
    }

    /// The seconds that [`Proc::wall_clock`] shows at that time.
    pub(super) fn wall_clock_at(&self, time: Time) -> u64 {
        EPOCH + time.nanos() / 1_000_000_000
    }

    /// Prints on standard output, as is (no newline added).
    pub fn out(&self, text: &str) {
        if !text.is_empty() {
            self.core.state.borrow_mut().events.push(Event::Stdout(self.me.pid, text.as_bytes().to_vec()));
        }
    }

    /// Writes bytes to standard output that need not be text.
    pub fn out_bytes(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.core.state.borrow_mut().events.push(Event::Stdout(self.me.pid, bytes.to_vec()));
        }
    }

    /// Prints on standard error, as is.
    pub fn err(&self, text: &str) {
        if !text.is_empty() {
            self.core.state.borrow_mut().events.push(Event::Stderr(self.me.pid, text.as_bytes().to_vec()));
        }
    }

    /// From now on these signals end waits with [`Wake::Signal`] instead of the program.
    pub fn catch(&self, signals: &[Signal]) {
        self.mine(|waiting| waiting.caught.extend_from_slice(signals));
    }

    /// The same for signals that the process does not ignore: a background job's server is not interrupted.
    pub fn catch_unless_ignored(&self, signals: &[Signal]) {
        self.mine(|waiting| waiting.caught_unless_ignored.extend_from_slice(signals));
    }

    /// Opens a socket in the program's namespace; it is closed when the program ends.
    pub fn socket(&self, kind: SocketKind) -> Result<SocketId, Errno> {
        let socket = self.world().stack_mut(self.me.ns).socket(kind)?;
        self.keep(socket);
        Ok(socket)
    }

    /// A socket that the program has closed itself: its number may be another's soon.
    pub(crate) fn closed(&self, socket: SocketId) {
        let entry = (self.me.ns, socket);
        self.mine(|waiting| waiting.sockets.retain(|known| (known.ns, known.socket) != entry));
    }

    /// Waits until then, or for a signal.
    pub async fn sleep_until(&self, time: Time) -> Wake {
        self.wait(time, |_| None).await
    }

    /// Waits for a datagram or an error on the socket, until then.
    pub async fn receive(&self, socket: SocketId, until: Time) -> Wake {
        self.receive_any(&[socket], until).await.1
    }

    /// Waits for a datagram or an error on any of the sockets, until then: what the first of them has, and which it is.
    pub async fn receive_any(&self, sockets: &[SocketId], until: Time) -> (Option<SocketId>, Wake) {
        sockets.iter().for_each(|socket| self.keep(*socket));
        let ns = self.me.ns;
        let mut from = None;
        let wake = self
            .wait(until, |world| {
                let stack = world.stack_mut(ns);
                sockets.iter().find_map(|socket| {
                    let error = stack.receive_error(*socket).map(Wake::Error);
                    let wake = error.or_else(|| stack.receive_datagram(*socket).map(Wake::Datagram));
                    from = wake.is_some().then_some(*socket);
                    wake
                })
            })
            .await;
        (from, wake)
    }

    /// Opens a tap in the program's namespace; it is closed when the program ends.
    pub fn tap(&self, spec: TapSpec) -> Result<SocketId, Errno> {
        let tap = self.world().stack_mut(self.me.ns).tap(spec)?;
        self.keep(tap);
        Ok(tap)
    }

    /// Waits for a frame on a tap, until then.
    pub async fn hear(&self, tap: SocketId, until: Time) -> Heard {
        let ns = self.me.ns;
        let mut heard = None;
        let wake = self
            .wait(until, |world| {
                let stack = world.stack_mut(ns);
                heard = stack.tap_frame(tap).map(Heard::Frame);
                if heard.is_none() && stack.tap_is_deaf(tap) {
                    heard = Some(Heard::Gone);
                }
                heard.is_some().then_some(Wake::Timer)
            })
            .await;
        heard.unwrap_or(match wake {
            Wake::Signal(signal) => Heard::Signal(signal),
            _ => Heard::Timer,
        })
    }

    /// Processes living in a namespace by their real ids, if the driver knows of any: `ip netns pids`.
    pub fn pids_in(&self, ns: NsId) -> Vec<u32> {
        let state = self.core.state.borrow();
        state.processes.iter().filter(|(_, home)| *home == ns).map(|(pid, _)| *pid).collect()
    }

    /// The namespace of a real process: `ip netns identify`, `ip link set X netns PID`.
    pub fn ns_of_pid(&self, pid: u32) -> Option<NsId> {
        let state = self.core.state.borrow();
        state.processes.iter().find(|(known, _)| *known == pid).map(|(_, ns)| *ns)
    }

    /// Waits until `look` finds something in the world, a signal comes, or `until` is reached; looked for in this order:
    /// a signal interrupts a system call before it returns data, and data that is there is read even when it is late.
    async fn wait(&self, until: Time, mut look: impl FnMut(&mut World) -> Option<Wake>) -> Wake {
        poll_fn(|_| {
            let signal = self.mine(|waiting| waiting.signals.pop_front());
            let wake = signal.map(Wake::Signal).or_else(|| {
                let mut world = self.world();
                look(&mut world).or_else(|| (world.now() >= until).then_some(Wake::Timer))
            });
            self.mine(|waiting| waiting.deadline = wake.is_none().then_some(until));
            self.resolved(wake)
        })
        .await
    }

    /// Notes that a wait has ended, which makes another round over all programs worthwhile.
    fn resolved<T>(&self, result: Option<T>) -> Poll<T> {
        match result {
            Some(value) => {
                self.core.state.borrow_mut().progress = true;
                Poll::Ready(value)
            }
            None => Poll::Pending,
        }
    }

    fn keep(&self, socket: SocketId) {
        let ns = self.me.ns;
        self.mine(|waiting| waiting.keep(ns, socket));
    }

    fn mine<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        change(self.core.state.borrow_mut().of(self.me.pid))
    }
}
