//! A generator in a kernel namespace, a sink in another, and the rate that is left between them: AF_XDP sends, and a program
//! at the far interface's door drops what arrives after it was counted.

use crate::kernel::{Counter, Netns};
use crate::plan::Plan;
use std::io;
use std::time::{Duration, Instant};
use vethlab_engine::device::mode::Failure;
use vethlab_engine::device::xdp::{DropSink, Sender};

/// Frames that are sent between two looks at the clock.
pub const BURST: usize = 32;
/// Nothing has arrived for so long: nothing more will.
const QUIET: Duration = Duration::from_millis(3);

/// How long it takes at least until all are at work.
const WARM: Duration = Duration::from_millis(50);

/// Both ends of a way through the kernel.
pub struct Blast {
    sender: Sender,
    prepared: usize,
    counter: Counter,
    _sink: DropSink,
}

impl Blast {
    /// From an interface of one namespace to an interface of another, with these frames in turn.
    pub fn open(from: (&Netns, &str), to: (&Netns, &str), frames: &[Vec<u8>]) -> io::Result<Blast> {
        let sender = sender(from.0, from.1, frames)?;
        let index = to.0.index_of(to.1)?;
        let sink = to.0.enter(|| DropSink::attach(index).map_err(failed))?;
        Ok(Blast { sender, prepared: frames.len(), counter: to.0.counter(to.1)?, _sink: sink })
    }

    /// Whom the frames go to.
    pub fn aim(&mut self, mac: [u8; 6]) {
        for number in 0..self.prepared {
            self.sender.change(number, |frame| frame.iter_mut().zip(mac).for_each(|(byte, new)| *byte = new));
        }
    }

    /// Sends as fast as it goes: how many millions a second came out in the meantime.
    pub fn full_speed(&mut self, lasting: Duration) -> io::Result<f64> {
        // Whoever stands between must be at work, and its queues full, before it counts.
        self.send_for((lasting / 5).max(WARM))?;
        let before = self.counter.received()?;
        let time = self.send_for(lasting)?;
        let arrived = self.counter.received()? - before;
        if arrived == 0 {
            return Err(io::Error::other("no frame came through"));
        }
        Ok(arrived as f64 / time.as_secs_f64() / 1e6)
    }

    fn send_for(&mut self, lasting: Duration) -> io::Result<Duration> {
        let began = Instant::now();
        loop {
            self.sender.send(BURST)?;
            let elapsed = began.elapsed();
            if elapsed >= lasting {
                return Ok(elapsed);
            }
        }
    }

    /// Sends at a pace, in millions a second; how many were sent, how many arrived, and the pace that came of it. `send` has
    /// the sender send a [`BURST`]; it is told if the first prepared frame is in it.
    pub fn paced(
        &mut self,
        pace: f64,
        lasting: Duration,
        mut send: impl FnMut(&mut Sender, bool) -> io::Result<usize>,
    ) -> io::Result<(u64, u64, f64)> {
        let before = self.counter.received()?;
        let (began, mut sent) = (Instant::now(), 0u64);
        while began.elapsed() < lasting {
            let due = Duration::from_secs_f64(sent as f64 / (pace * 1e6));
            while began.elapsed() < due {
                std::hint::spin_loop();
            }
            // They are sent in turn, from wherever the last burst ended.
            let at = self.sender.sent() as usize % self.prepared.max(1);
            sent += send(&mut self.sender, at == 0 || at + BURST > self.prepared)? as u64;
        }
        let time = began.elapsed();
        let arrived = self.settled()? - before;
        Ok((sent, arrived, sent as f64 / time.as_secs_f64() / 1e6))
    }

    /// How many have arrived when no more do.
    fn settled(&mut self) -> io::Result<u64> {
        let mut arrived = self.counter.received()?;
        loop {
            std::thread::sleep(QUIET);
            let now = self.counter.received()?;
            if now == arrived {
                return Ok(now);
            }
            arrived = now;
        }
    }
}

/// A socket that sends these frames in turn.
fn sender(netns: &Netns, interface: &str, frames: &[Vec<u8>]) -> io::Result<Sender> {
    let (index, frames) = (netns.index_of(interface)?, frames.iter().map(Vec::as_slice).collect::<Vec<_>>());
    netns.enter(|| Sender::open(index, &frames).map_err(failed))
}

/// What was being done, and what the kernel said.
pub(crate) fn failed(failure: Failure) -> io::Error {
    let fix = failure.fix.map(|fix| format!(" ({fix})")).unwrap_or_default();
    io::Error::new(failure.why.kind(), format!("{}: {}{fix}", failure.doing, failure.why))
}

/// A plan's chain, made of kernel namespaces, with a generator before it and a sink behind.
pub struct KernelChain {
    blast: Blast,
    namespaces: Vec<Netns>,
}

impl KernelChain {
    /// Makes it, to carry these frames.
    pub fn new(plan: &Plan, frames: &[Vec<u8>]) -> io::Result<KernelChain> {
        let namespaces = plan.build()?;
        let (Some(first), Some(last)) = (namespaces.first(), namespaces.last()) else {
            return Err(io::Error::other("a chain has ends"));
        };
        let blast = Blast::open((first, "r"), (last, "l"), frames)?;
        Ok(KernelChain { blast, namespaces })
    }

    /// Sends every frame once, and these answers from the other end, so that connections are established.
    pub fn answered(mut self, answers: &[Vec<u8>]) -> io::Result<KernelChain> {
        let prepared = self.blast.prepared;
        self.blast.sender.send(prepared)?;
        if let Some(last) = self.namespaces.last() {
            sender(last, "l", answers)?.send(answers.len())?;
        }
        Ok(self)
    }

    /// Sends as fast as it goes, for so long: how many millions a second came out.
    pub fn turn(&mut self, lasting: Duration) -> Result<f64, String> {
        self.blast.full_speed(lasting).map_err(|why| why.to_string())
    }
}
