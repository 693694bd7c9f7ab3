//! What a program sees of its lab: its words, its namespace, its streams, time, and the world.

use crate::lab::Signal;
use crate::world::{NsId, World};
use std::cell::RefMut;
use vethlab_engine::local::{Datagram, SocketError, SocketId};
use vethlab_engine::time::Time;

/// Why a wait ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A datagram came.
    Datagram(Datagram),
    /// An entry came into the socket's error queue (seen before datagrams, as `POLLERR` is).
    Error(SocketError),
    /// The time is reached.
    Timer,
    /// A signal came. `SIGINT` and `SIGQUIT` reach only programs that asked by [`Proc::catch`]; others are ended.
    Signal(Signal),
}

/// A running program's handle on its lab. Cheap to clone.
#[derive(Clone)]
pub struct Proc {}

#[allow(unused_variables, missing_docs, clippy::unused_async)]
impl Proc {
    /// The words: the program's name first.
    pub fn argv(&self) -> &[String] {
        unimplemented!()
    }
    pub fn env(&self, name: &str) -> Option<&str> {
        unimplemented!()
    }
    /// Standard output is a terminal.
    pub fn tty(&self) -> bool {
        unimplemented!()
    }
    pub fn ns(&self) -> NsId {
        unimplemented!()
    }
    /// A number like a process id, the same for the same seed: the ident of pings.
    pub fn pid(&self) -> u32 {
        unimplemented!()
    }
    /// The world. Do not hold it across an `await`.
    pub fn world(&self) -> RefMut<'_, World> {
        unimplemented!()
    }
    pub fn now(&self) -> Time {
        unimplemented!()
    }
    /// Seconds and nanoseconds since 1970 by the world's wall clock (it begins at a fixed date): `ping -D`.
    pub fn wall_clock(&self) -> (u64, u32) {
        unimplemented!()
    }
    /// Prints on standard output, as is (no newline added).
    pub fn out(&self, text: &str) {
        unimplemented!()
    }
    /// Prints on standard error, as is.
    pub fn err(&self, text: &str) {
        unimplemented!()
    }
    /// From now on `SIGINT`, `SIGQUIT`, `SIGTERM` end waits with [`Wake::Signal`] instead of the program.
    pub fn catch(&self, signals: &[Signal]) {
        unimplemented!()
    }
    /// Waits until then, or for a signal.
    pub async fn sleep_until(&self, time: Time) -> Wake {
        unimplemented!()
    }
    /// Waits for a datagram or an error on the socket, until then.
    pub async fn receive(&self, socket: SocketId, until: Time) -> Wake {
        unimplemented!()
    }
    /// A real file's bytes, or the error's text (`No such file or directory`). `-` is standard input.
    pub async fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        unimplemented!()
    }
    /// Processes living in a namespace by their real ids, if the driver knows of any: `ip netns pids`.
    pub fn pids_in(&self, ns: NsId) -> Vec<u32> {
        unimplemented!()
    }
    /// The namespace of a real process: `ip netns identify`, `ip link set X netns PID`.
    pub fn ns_of_pid(&self, pid: u32) -> Option<NsId> {
        unimplemented!()
    }
}
