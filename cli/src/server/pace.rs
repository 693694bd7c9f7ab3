//! When virtual time passes, and how fast.
//!
//! As a rule it passes only while every real process of the script sleeps, and then at once to the next thing that happens.
//! So whatever the machine does meanwhile, a script sees the same: `ping … &`, pipes and `wait` are deterministic. It keeps
//! pace with the wall clock where it is asked to; while a real process sleeps by that clock, or reads from the terminal; when
//! some process never sleeps; and when nothing has been asked for a whole (virtual) day.

use super::Server;
use crate::tree::Tree;
use std::io;
use std::time::{Duration, Instant};
use vethlab_engine::time::Time;

/// How long processes may be busy before it is asked whether that will ever end.
const PATIENCE: Duration = Duration::from_secs(1);
/// It will not if they use this much processor time more (in hundredths of a second): on a crowded machine a program may
/// take seconds to start, but not that much work.
const TOO_BUSY: u64 = 50;
/// Nor if it takes that long.
const LAST_PATIENCE: Duration = Duration::from_secs(30);
/// So long virtual time may run ahead of the wall clock with nothing new to do: an endless `ping` must not fill the disk.
const LEASH: Duration = Duration::from_secs(24 * 3600);
/// What it takes until a program runs: a process is made, loads its libraries and opens a socket, on a machine that is not the
/// fastest. A script's next command comes that much later, and what the kernel puts off for a moment (a namespace's end, a
/// timer of the same second) is over.
pub(super) const START: Duration = Duration::from_millis(20);
/// How often it is looked whether the reason for keeping pace with the wall clock is gone.
const RELOOK: Duration = Duration::from_millis(5);

/// How time passes.
pub(super) struct Pace {
    realtime: bool,
    /// While keeping pace with the wall clock: two instants that are one.
    anchor: Option<(Instant, Time)>,
    /// Processes are busy while something waits for them to sleep.
    restless: Option<Restless>,
    /// How far time may run ahead.
    leash: Time,
}

/// How long they have been.
struct Restless {
    since: Instant,
    looks: u32,
    /// The processor time that they had used when patience was over.
    used: Option<u64>,
}

impl Pace {
    pub(super) fn new(realtime: bool) -> Pace {
        Pace { realtime, anchor: None, restless: None, leash: Time::ZERO + LEASH }
    }

    /// A client came or left.
    pub(super) fn news(&mut self, now: Time) {
        self.leash = now + LEASH;
    }

    /// How long to wait before looking at busy processes again: most are done in a moment.
    fn backoff(&mut self) -> Duration {
        let fresh = || Restless { since: Instant::now(), looks: 0, used: None };
        let restless = self.restless.get_or_insert_with(fresh);
        restless.looks = restless.looks.saturating_add(1);
        Duration::from_micros(u64::from(restless.looks).saturating_mul(20).min(1000))
    }

    /// True if it is no use waiting for these processes to sleep.
    fn is_tired(&mut self, tree: &Tree) -> bool {
        let Some(restless) = self.restless.as_mut().filter(|restless| restless.since.elapsed() >= PATIENCE) else {
            return false;
        };
        let used = tree.processor_time();
        let before = *restless.used.get_or_insert(used);
        used.saturating_sub(before) >= TOO_BUSY || restless.since.elapsed() >= LAST_PATIENCE
    }

    /// Virtual time always keeps pace with the wall clock.
    pub(super) fn is_realtime(&self) -> bool {
        self.realtime
    }
}

impl Server {
    /// Lets time pass if it may; how long to wait for something to come in.
    pub(super) fn let_time_pass(&mut self) -> io::Result<Option<Duration>> {
        if self.pace.realtime {
            self.look_once();
            self.start_held(Time::NEVER);
            if self.hand_on_stdin() {
                return Ok(Some(Duration::ZERO));
            }
            return Ok(self.keep_pace());
        }
        let nothing_to_do = self.held.is_empty() && !self.clients.is_waiting() && !self.stdin_is_due();
        if nothing_to_do && !self.time_is_wanted() {
            self.pace.restless = None;
            return Ok(None);
        }
        if !self.is_quiet()? {
            let nap = self.pace.backoff();
            if !self.pace.is_tired(&self.tree) {
                return Ok(Some(nap));
            }
            self.clients.send_out(true);
            self.start_held(Time::NEVER);
            if self.hand_on_stdin() {
                return Ok(Some(Duration::ZERO));
            }
            let paced = self.keep_pace();
            return Ok(Some(paced.map_or(RELOOK, |paced| paced.min(RELOOK))));
        }
        self.pace.restless = None;
        if self.clients.next_turn() {
            return Ok(Some(Duration::ZERO));
        }
        if self.hand_on_stdin() {
            return Ok(Some(Duration::ZERO));
        }
        if let Some(due) = self.held_due() {
            self.pace.anchor = None;
            if self.run_until(due)? {
                self.start_held(due);
            }
            return Ok(Some(Duration::ZERO));
        }
        let someone_types = self.clients.inputs().any(|(_, stdin)| stdin.is_typed());
        if self.lab.now() >= self.pace.leash || someone_types || self.tree.minds_the_clock() {
            let paced = self.keep_pace();
            return Ok(Some(paced.map_or(RELOOK, |paced| paced.min(RELOOK))));
        }
        self.pace.anchor = None;
        self.run_ahead()?;
        Ok(Some(Duration::ZERO))
    }

    /// In realtime the order of programs is the order in which they came; only their namespaces must be known.
    fn look_once(&mut self) {
        if !self.held.is_empty() {
            self.look();
        }
    }

    fn time_is_wanted(&self) -> bool {
        self.lab.waits_for_time() && self.lab.next_deadline().is_some()
    }

    /// True if all processes sleep and none has said anything that was not taken in.
    fn is_quiet(&mut self) -> io::Result<bool> {
        let asleep = !self.tree.is_busy() && (self.look() || self.look());
        Ok(asleep && !self.wait(Some(Duration::ZERO))?)
    }

    /// Time goes where the wall clock says; how long until something happens.
    fn keep_pace(&mut self) -> Option<Duration> {
        let now = self.lab.now();
        let (began, then) = *self.pace.anchor.get_or_insert_with(|| (Instant::now(), now));
        let target = then + began.elapsed();
        while self.lab.step(target) {}
        self.pass_on();
        let next = self.lab.next_deadline()?;
        Some((then + began.elapsed()).min(next)).map(|reached| next.since(reached))
    }

    /// Time goes on to `due`; false if something came in, or matters to a process, before.
    fn run_until(&mut self, due: Time) -> io::Result<bool> {
        while self.lab.step(due) {
            if self.pass_on() || self.wait(Some(Duration::ZERO))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Time goes from event to event, until one of them matters to a process, or something comes in.
    fn run_ahead(&mut self) -> io::Result<()> {
        while let Some(next) = self.lab.next_deadline() {
            self.lab.step(next);
            let over = !self.lab.waits_for_time() || self.lab.now() >= self.pace.leash;
            if self.pass_on() || self.wait(Some(Duration::ZERO))? || over {
                break;
            }
        }
        Ok(())
    }
}
