//! Devices <-> one namespace: the loop that drives a packet path with real frames in real time.
//!
//! One turn: time in; take a batch from each device that has one; let the path work; send what it sends. When nothing is
//! there for a while, wait until a frame, a signal, a change of an interface or a timer is due. This is the only place of
//! the packet path where a clock is read.

mod clock;
mod port;
mod signals;

pub use clock::Clock;
pub use port::{OpenError, RealPort};
pub use signals::{Signals, Wish};

use crate::device::links::{Link, Watch};
use crate::device::{Mode, Opener};
use crate::frame::{FrameBuf, FramePool};
use crate::time::Time;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// A packet path that a [`Runner`] drives: one [`Stack`](crate::Stack), or a world around it. Its ports with a real device
/// are numbered as the runner numbers its interfaces: from 0, in the order in which they were named.
pub trait Driven {
    /// Where frames come from and go back to. Between calls, all frames that were taken have been received or given back.
    fn pool(&mut self) -> &mut FramePool;
    /// Time in: runs everything due until then.
    fn advance(&mut self, now: Time);
    /// Frames in, by a port: takes all of them.
    fn receive(&mut self, port: usize, frames: &mut Vec<FrameBuf>);
    /// Time out: when [`Driven::advance`] is wanted next.
    fn next_deadline(&self) -> Option<Time>;
    /// Frames out: moves all that leave by a port to the end of `frames`.
    fn drain(&mut self, port: usize, frames: &mut Vec<FrameBuf>);
    /// The interface behind a port has, or no longer has, a cable that works.
    fn carrier(&mut self, port: usize, on: bool);
    /// The interface behind a port has another MTU now.
    fn mtu(&mut self, port: usize, mtu: u32);
}

/// Why [`Runner::turn`] came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// To be called again.
    Again,
    /// Somebody wants to see the counters.
    Report,
    /// Somebody wants us to end, or the time is over.
    End,
    /// An interface came or went: a line for people. To be called again.
    News(String),
}

/// How long to look for frames before going to sleep: to be woken costs about as much where the sender runs on another CPU.
const SPIN: Duration = Duration::from_micros(50);
/// How often a runner that does not sleep looks after signals, changes of interfaces and complaints.
const LOOK: Duration = Duration::from_millis(1);

/// Real interfaces, and what watches them.
pub struct Runner {
    ports: Vec<RealPort>,
    opener: Opener,
    busy: bool,
    watch: Watch,
    signals: Signals,
    clock: Clock,
    news: VecDeque<String>,
    frames: Vec<FrameBuf>,
    /// When a frame was there for the last time.
    active: Time,
    /// When to look again after what is not frames.
    look: Time,
}

impl Runner {
    /// Opens a device on each interface, of a kind that is wished for or else [picked](Opener::new). Time will go on from
    /// `start`. `busy`: it never sleeps.
    pub fn open(names: &[String], start: Time, wish: Option<Mode>, busy: bool) -> Result<Runner, OpenError> {
        let mut watch = Watch::open().map_err(|why| OpenError::Watch { why })?;
        let mut opener = Opener::new(wish, names.len());
        let ports = names.iter().map(|name| RealPort::open(&mut watch, name, &mut opener)).collect::<Result<_, _>>()?;
        let signals = Signals::open().map_err(|why| OpenError::Watch { why })?;
        let (clock, news, frames) = (Clock::start_at(start), VecDeque::new(), Vec::new());
        Ok(Runner { ports, opener, busy, watch, signals, clock, news, frames, active: start, look: start })
    }

    /// The ports, in the order of their names as given.
    pub fn ports(&mut self) -> &mut [RealPort] {
        &mut self.ports
    }

    /// The kind of its devices, and if nobody asked for it, why it was picked.
    pub fn mode(&self) -> (Mode, Option<&str>) {
        self.opener.mode()
    }

    /// The time that has come.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Goes on from `start` at this moment: what was before (a script that slept, say) took no real time.
    pub fn restart_clock(&mut self, start: Time) {
        self.clock = Clock::start_at(start);
        (self.active, self.look) = (start, start);
    }

    /// Does what there is to do, and waits if there is nothing. `end`: when to end.
    pub fn turn(&mut self, side: &mut impl Driven, end: Time) -> io::Result<Turn> {
        if let Some(line) = self.news.pop_front() {
            return Ok(Turn::News(line));
        }
        let now = self.clock.now();
        side.advance(now);
        let active = self.take_frames(side);
        self.send_frames(side);
        if now >= end {
            return Ok(Turn::End);
        }
        if active {
            self.active = now;
        }
        let sleeps = !active && !self.busy && now.since(self.active) >= SPIN;
        if !sleeps && now < self.look {
            std::hint::spin_loop();
            return Ok(Turn::Again);
        }
        self.look = now + LOOK;
        let deadline = if sleeps { side.next_deadline().unwrap_or(Time::NEVER).min(end) } else { now };
        let ready = self.wait(now, deadline)?;
        if ready.links {
            self.follow_links(side);
        }
        if ready.errors {
            self.ports.iter_mut().for_each(RealPort::recover);
        }
        self.hear_complaints();
        let Some(wish) = ready.signals.then(|| self.signals.read()).flatten() else { return Ok(Turn::Again) };
        // What came before the signal is carried still.
        self.take_frames(side);
        self.send_frames(side);
        Ok(match wish {
            Wish::End => Turn::End,
            Wish::Report => Turn::Report,
        })
    }

    /// Sleeps until a frame, a signal or a change of an interface is there, or the deadline, which may be now.
    fn wait(&self, now: Time, deadline: Time) -> io::Result<Ready> {
        let mut waits = Vec::with_capacity(2 + self.ports.len());
        waits.push(PollFd::new(self.signals.as_fd(), PollFlags::POLLIN));
        waits.push(PollFd::new(self.watch.wait(), PollFlags::POLLIN));
        let devices = self.ports.iter().filter_map(RealPort::device);
        waits.extend(devices.map(|device| PollFd::new(device.wait(), PollFlags::POLLIN)));
        let timeout = (deadline != Time::NEVER).then(|| TimeSpec::from_duration(deadline.since(now)));
        match ppoll(&mut waits, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut answers = waits.iter().map(|wait| wait.revents().unwrap_or(PollFlags::empty()));
        let (signals, links) = (answers.next(), answers.next());
        let is_set = |events: Option<PollFlags>| events.is_some_and(|events| !events.is_empty());
        let errors = answers.any(|events| events.contains(PollFlags::POLLERR));
        Ok(Ready { signals: is_set(signals), links: is_set(links), errors })
    }

    /// A batch from each device that has one, through the path; false if none has.
    fn take_frames(&mut self, side: &mut impl Driven) -> bool {
        let mut active = false;
        for (at, port) in self.ports.iter_mut().enumerate() {
            if port.receive(side.pool(), &mut self.frames) {
                active = true;
                side.receive(at, &mut self.frames);
            }
        }
        active
    }

    /// Everything that the path sends, by its devices.
    fn send_frames(&mut self, side: &mut impl Driven) {
        for (at, port) in self.ports.iter_mut().enumerate() {
            side.drain(at, &mut self.frames);
            if !self.frames.is_empty() {
                port.transmit(side.pool(), &mut self.frames);
            }
        }
    }

    fn hear_complaints(&mut self) {
        for port in &mut self.ports {
            self.news.extend(port.complaint());
        }
    }

    /// Carries on what the kernel tells of the interfaces.
    fn follow_links(&mut self, side: &mut impl Driven) {
        let links = match self.watch.changes() {
            Ok(links) => links,
            // Some of it was lost: ask anew. The answers come as changes; what cannot be asked for is gone for now.
            Err(_) => {
                for port in &self.ports {
                    let _ = port.query(&self.watch);
                }
                return;
            }
        };
        for link in links {
            self.follow(side, &link);
        }
    }

    fn follow(&mut self, side: &mut impl Driven, link: &Link) {
        for (at, port) in self.ports.iter_mut().enumerate() {
            while port.loses(link) && port.receive(side.pool(), &mut self.frames) {
                side.receive(at, &mut self.frames);
            }
            let before = (port.has_carrier(), port.link().mtu);
            let Some(news) = port.follow(link, &mut self.opener) else { continue };
            self.news.extend((!news.is_empty()).then_some(news));
            let after = (port.has_carrier(), port.link().mtu);
            if before.1 != after.1 {
                side.mtu(at, after.1);
            }
            if before.0 != after.0 {
                side.carrier(at, after.0);
            }
        }
    }
}

/// What [`Runner::wait`] found beside frames.
struct Ready {
    signals: bool,
    links: bool,
    /// A device has an error to be taken note of.
    errors: bool,
}
