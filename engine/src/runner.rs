//! Devices <-> one namespace: the loop that drives a packet path with real frames in real time.
//!
//! One turn: wait until a frame, a signal, a change of an interface or a timer is due; take a batch from each device that
//! has one; let the path work; send what it sends. This is the only place of the packet path where a clock is read.

mod clock;
mod port;
mod signals;

pub use clock::Clock;
pub use port::{OpenError, RealPort};
pub use signals::{Signals, Wish};

use crate::device::links::{Link, Watch};
use crate::frame::{FrameBuf, FramePool};
use crate::time::Time;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;

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

/// Real interfaces, and what watches them.
pub struct Runner {
    ports: Vec<RealPort>,
    watch: Watch,
    signals: Signals,
    clock: Clock,
    news: VecDeque<String>,
    frames: Vec<FrameBuf>,
}

impl Runner {
    /// Opens a device on each interface. Time will go on from `start`.
    pub fn open(names: &[String], start: Time) -> Result<Runner, OpenError> {
        let mut watch = Watch::open().map_err(|why| OpenError::Watch { why })?;
        let ports = names.iter().map(|name| RealPort::open(&mut watch, name)).collect::<Result<_, _>>()?;
        let signals = Signals::open().map_err(|why| OpenError::Watch { why })?;
        let clock = Clock::start_at(start);
        Ok(Runner { ports, watch, signals, clock, news: VecDeque::new(), frames: Vec::new() })
    }

    /// The ports, in the order of their names as given.
    pub fn ports(&mut self) -> &mut [RealPort] {
        &mut self.ports
    }

    /// The time that has come.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Goes on from `start` at this moment: what was before (a script that slept, say) took no real time.
    pub fn restart_clock(&mut self, start: Time) {
        self.clock = Clock::start_at(start);
    }

    /// Waits for something to do and does it. `end`: when to end.
    pub fn turn(&mut self, side: &mut impl Driven, end: Time) -> io::Result<Turn> {
        if let Some(line) = self.news.pop_front() {
            return Ok(Turn::News(line));
        }
        let deadline = side.next_deadline().unwrap_or(Time::NEVER).min(end);
        let ready = self.wait(deadline)?;
        let now = self.clock.now();
        side.advance(now);
        if ready.links {
            self.follow_links(side);
        }
        self.take_frames(side, &ready.ports);
        self.send_frames(side);
        let wish = if ready.signals { self.signals.read() } else { None };
        Ok(match wish {
            Some(Wish::End) => Turn::End,
            _ if now >= end => Turn::End,
            Some(Wish::Report) => Turn::Report,
            None => Turn::Again,
        })
    }

    /// Sleeps until a frame, a signal or a change of an interface is there, or the deadline.
    fn wait(&self, deadline: Time) -> io::Result<Ready> {
        let mut waits = vec![
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.watch.wait(), PollFlags::POLLIN),
        ];
        let devices = self.ports.iter().enumerate().filter_map(|(at, port)| Some((at, port.device()?)));
        let (places, devices): (Vec<usize>, Vec<_>) = devices.unzip();
        waits.extend(devices.iter().map(|device| PollFd::new(device.wait(), PollFlags::POLLIN)));
        let timeout = (deadline != Time::NEVER).then(|| TimeSpec::from_duration(deadline.since(self.clock.now())));
        match ppoll(&mut waits, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut answers = waits.iter().map(|wait| wait.revents().is_some_and(|events| !events.is_empty()));
        let (signals, links) = (answers.next() == Some(true), answers.next() == Some(true));
        let ports = places.into_iter().zip(answers).filter_map(|(at, ready)| ready.then_some(at)).collect();
        Ok(Ready { signals, links, ports })
    }

    /// A batch from each device that has one, through the path.
    fn take_frames(&mut self, side: &mut impl Driven, ready: &[usize]) {
        for at in ready {
            let Some(port) = self.ports.get_mut(*at) else { continue };
            port.receive(side.pool(), &mut self.frames);
            side.receive(*at, &mut self.frames);
        }
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
            let Some(news) = port.follow(link) else { continue };
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

/// What [`Runner::wait`] found.
struct Ready {
    signals: bool,
    links: bool,
    ports: Vec<usize>,
}
