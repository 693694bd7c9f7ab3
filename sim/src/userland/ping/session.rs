//! The run itself: when the next request is due, how long to wait for answers, when it is over.
//!
//! This is the state machine of `ping_common.c` (`pinger`, `schedule_exit`, `main_loop`) with waits in virtual time in the
//! place of `poll`, `SO_RCVTIMEO` and the alarm clock.

use super::describe::OptionPrinter;
use super::options::Options;
use super::setup::Target;
use super::tally::{Pace, Tally};
use crate::lab::Signal;
use crate::userland::resolve::name_of;
use crate::userland::{Proc, Wake, socket};
use std::net::Ipv4Addr;
use vethlab_engine::control::Errno;
use vethlab_engine::local::Datagram;
use vethlab_engine::time::{Duration, Time, timer_wheel};

/// The shortest pause between requests that are not answered, in milliseconds (`MININTERVAL`).
const SHORTEST: i64 = 10;

/// What a request costs when the network answers in no time at all: so a flood cannot stand still in virtual time.
const COST: Duration = Duration::from_micros(1);

/// One run of `ping`.
pub(super) struct Session {
    pub(super) p: Proc,
    pub(super) o: Options,
    pub(super) target: Target,
    pub(super) tally: Tally,
    pub(super) printer: OptionPrinter,
    /// What a request carries behind the ICMP header.
    pub(super) data: Vec<u8>,
    pub(super) ident: u16,
    /// An ICMP error came by the error queue: copies of such messages are no longer read (`ICMP_FILTER`).
    pub(super) errors_filtered: bool,
    /// What stands in the buffer of standard output, which is written at the first line that is more than a dot: who ends a
    /// ping before that, by a signal that it does not catch, loses it. A terminal is written to at once.
    unwritten: String,
    interval: i32,
    addend: i32,
    tokens: i64,
    start: Time,
    last: Option<Time>,
    linger: Option<u64>,
    alarm: Time,
    exhausted: i64,
    same_instant: i64,
    exiting: bool,
    width: i64,
}

impl Session {
    pub(super) fn new(p: Proc, o: Options, target: Target, data: Vec<u8>, interval: i32) -> Session {
        let now = p.now();
        let columns = p.env("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(80);
        let mut unwritten = target.banner.clone();
        if p.tty() || o.flood {
            p.out(&std::mem::take(&mut unwritten));
        }
        Session {
            unwritten,
            tally: Tally::new(o.size >= 16),
            printer: OptionPrinter::default(),
            ident: o.ident.unwrap_or(p.pid() as u16),
            alarm: if o.deadline > 0 { now + Duration::from_secs(u64::from(o.deadline)) } else { Time::NEVER },
            width: if p.tty() { columns } else { i64::from(i32::MAX) },
            errors_filtered: false,
            start: now,
            last: None,
            linger: None,
            exhausted: 0,
            same_instant: 0,
            addend: 0,
            tokens: 0,
            exiting: false,
            p,
            o,
            target,
            data,
            interval,
        }
    }

    /// Runs to the end; the exit status.
    pub(super) async fn run(mut self) -> i32 {
        while !self.exiting && !self.enough() {
            let next = loop {
                let next = self.pinger();
                let next = self.schedule_exit(next);
                if next > 0 {
                    break next;
                }
                self.breathe().await;
            };
            self.listen(next).await;
        }
        let elapsed = self.last.unwrap_or(self.start).since(self.start);
        let rapid = self.interval == 0 || self.o.flood || self.o.adaptive;
        let text = self.tally.finish(&self.target.host, Pace { elapsed, rapid });
        self.say(&text);
        let short = self.o.deadline > 0 && self.tally.received < self.o.count;
        i32::from(self.tally.received == 0 || short)
    }

    /// Prints, and flushes.
    pub(super) fn say(&mut self, text: &str) {
        let text = std::mem::take(&mut self.unwritten) + text;
        self.p.out(&text);
    }

    /// `error()`: on standard error, after what was still to be written.
    pub(super) fn complain(&mut self, text: &str) {
        self.say("");
        self.p.err(&format!("{}: {text}\n", self.o.name));
    }

    fn enough(&self) -> bool {
        let heard = self.tally.received + self.tally.errors;
        self.o.count > 0 && heard >= self.o.count || self.o.deadline > 0 && self.tally.errors > 0
    }

    fn all_sent(&self) -> bool {
        self.o.count > 0 && self.tally.transmitted >= self.o.count && self.o.deadline == 0
    }

    /// Sends a request if one is due; milliseconds until the next.
    fn pinger(&mut self) -> i64 {
        if self.exiting || self.all_sent() {
            return 1000;
        }
        if let Err(wait) = self.take_token() {
            return wait;
        }
        if self.o.outstanding && self.tally.transmitted > 0 && !self.tally.heard(self.tally.transmitted as u16) {
            let text = format!("no answer yet for icmp_seq={}\n", self.tally.transmitted % 0x1_0000);
            self.say(&format!("{}{text}", self.time_stamp()));
        }
        let sequence = self.tally.next_sequence();
        loop {
            match self.send(sequence) {
                Ok(()) => return self.sent(),
                Err(Errno::NoBufs | Errno::NoMem) => {
                    let Some(wait) = self.slow_down() else { return self.lost(Some(Errno::NoBufs)) };
                    return wait;
                }
                Err(Errno::Again) => {
                    self.tokens += i64::from(self.interval);
                    return SHORTEST;
                }
                Err(errno) => match self.read_error() {
                    // An ICMP error about an earlier request came in between.
                    1 => return self.lost(Some(errno)),
                    0 => {}
                    _ => return self.lost(None),
                },
            }
        }
    }

    /// Checks that packets < rate × time + preload, in whole milliseconds; else, how long to wait.
    fn take_token(&mut self) -> Result<(), i64> {
        let now = self.p.now();
        let interval = i64::from(self.interval);
        let preload = i64::from(self.o.preload);
        let Some(last) = self.last else {
            self.last = Some(now);
            self.tokens = interval * (preload - 1);
            return Ok(());
        };
        let passed = milliseconds_between(last, now);
        if interval == 0 && passed < SHORTEST && self.tally.in_flight() >= preload {
            return Err(SHORTEST - passed);
        }
        let tokens = (passed + self.tokens).min(interval * preload);
        if tokens < interval {
            return Err(interval - tokens);
        }
        self.same_instant = if last == now { self.same_instant + 1 } else { 0 };
        self.last = Some(now);
        self.tokens = tokens - interval;
        Ok(())
    }

    fn send(&self, sequence: u16) -> Result<(), Errno> {
        let request = self.request(sequence);
        let Target { socket, destination, .. } = self.target;
        socket::send_to(&self.p, socket, (destination, 0), &request)
    }

    fn sent(&mut self) -> i64 {
        self.exhausted = 0;
        self.tally.advance();
        if self.o.flood && !self.o.quiet {
            let narrow = i64::from(self.o.preload) < self.width;
            if narrow || self.tally.in_flight() < self.width {
                self.p.out(".");
            }
        }
        i64::from(self.interval) - self.tokens
    }

    /// The device has no room: a pause before the next try, or none if it has lasted too long.
    fn slow_down(&mut self) -> Option<i64> {
        self.tokens = 0;
        self.addend += if self.tally.rtt < 8 * 50_000 { self.tally.rtt / 8 } else { 50_000 };
        if self.o.adaptive {
            self.update_interval();
        }
        let pause = at_least(i64::from(self.interval / 2)).min(500);
        self.exhausted += 1;
        (self.exhausted * pause < i64::from(self.o.linger)).then_some(pause)
    }

    /// The request did not leave: it counts as sent all the same.
    fn lost(&mut self, errno: Option<Errno>) -> i64 {
        self.tally.advance();
        if let Some(errno) = errno.filter(|_| !self.o.quiet) {
            if self.o.flood {
                self.p.out("E");
            } else {
                self.complain(&format!("sendmsg: {}", errno.text()));
            }
        }
        self.tokens = 0;
        at_least(i64::from(self.interval))
    }

    /// `-A`: the interval follows the round trips.
    pub(super) fn update_interval(&mut self) {
        let estimate = if self.tally.rtt != 0 { self.tally.rtt / 8 } else { self.interval.saturating_mul(1000) };
        self.interval = (estimate + self.addend + 500) / 1000;
    }

    /// Once all requests are sent, sets the alarm that ends the wait for the last answers.
    fn schedule_exit(&mut self, next: i64) -> i64 {
        if !self.all_sent() || self.linger.is_some_and(|linger| linger != 0) {
            return next;
        }
        let micros = if self.tally.received > 0 {
            (2 * self.tally.max).max(1000 * i64::from(self.interval))
        } else {
            i64::from(self.o.linger) * 1000
        };
        let micros = u64::try_from(micros).unwrap_or(0);
        self.linger = Some(micros);
        self.alarm = if micros == 0 { Time::NEVER } else { self.p.now() + Duration::from_micros(micros) };
        next.max((micros / 1000) as i64)
    }

    /// Lets a little time pass if more requests left at one instant than were asked for at once.
    async fn breathe(&mut self) {
        if self.same_instant > i64::from(self.o.preload) {
            self.same_instant = 0;
            let wake = self.p.sleep_until(self.p.now() + COST).await;
            self.on_interruption(&wake);
        }
    }

    /// Waits for answers until the next request may be due, and reads all that came.
    async fn listen(&mut self, next: i64) {
        if self.same_instant > i64::from(self.o.preload) {
            self.breathe().await;
        }
        let until = self.alarm.min(self.patience(next));
        if !self.receive(until).await {
            return;
        }
        // What else is there is read as well, until every request is answered.
        while self.tally.in_flight() != 0 && self.receive(Time::ZERO).await {}
    }

    /// When one wait ends: a blocking read waits for the interval, as exact as the kernel's timers are; a poll until the next
    /// request is due, but not less than ten milliseconds while answers are expected.
    fn patience(&self, next: i64) -> Time {
        let now = self.p.now();
        let after = |millis: i64| now + Duration::from_millis(millis.max(1) as u64);
        let interval = at_least(i64::from(self.interval));
        let blocking = !self.o.adaptive && next >= interval;
        match next {
            _ if blocking => timer_wheel(now, after(interval)),
            ..=SHORTEST if self.tally.in_flight() != 0 => after(SHORTEST),
            _ => after(next),
        }
    }

    /// Reads one message, waiting for it until then; false if there was none.
    async fn receive(&mut self, until: Time) -> bool {
        loop {
            match self.p.receive(self.target.socket, until).await {
                Wake::Datagram(datagram) => {
                    if !self.admits(&datagram) {
                        continue;
                    }
                    self.on_datagram(&datagram);
                    return true;
                }
                Wake::Error(error) => {
                    self.on_error(&error);
                    return true;
                }
                wake => {
                    self.on_interruption(&wake);
                    return false;
                }
            }
        }
    }

    /// `ICMP_FILTER`: which kinds of messages the socket reads.
    fn admits(&self, datagram: &Datagram) -> bool {
        let header = datagram.payload.first().map_or(0, |first| usize::from(first & 15) * 4);
        match datagram.payload.get(header) {
            Some(0 | 4 | 5) | None => true,
            Some(3 | 11 | 12) => !self.errors_filtered,
            Some(_) => false,
        }
    }

    fn on_interruption(&mut self, wake: &Wake) {
        match wake {
            Wake::Signal(Signal::Quit) => self.p.err(&self.tally.status()),
            Wake::Signal(_) => self.exiting = true,
            _ => self.exiting |= self.p.now() >= self.alarm,
        }
    }

    /// Reads the error queue once: 1 for an ICMP error, 0 for one that is not ours, -1 for a local one or none.
    fn read_error(&mut self) -> i32 {
        socket::receive_error(&self.p, self.target.socket).map_or(-1, |error| self.on_error(&error))
    }

    /// `-D`
    pub(super) fn time_stamp(&self) -> String {
        if !self.o.print_time {
            return String::new();
        }
        let (seconds, nanos) = self.p.wall_clock();
        format!("[{seconds}.{:06}] ", nanos / 1000)
    }

    /// An address as this run prints it.
    pub(super) fn name(&self, address: Ipv4Addr) -> String {
        match name_of(address) {
            Some(name) if !self.target.numeric && !self.exiting => format!("{name} ({address})"),
            _ => address.to_string(),
        }
    }
}

/// `SCHINT`
fn at_least(interval: i64) -> i64 {
    interval.max(SHORTEST)
}

/// Milliseconds as the original reckons them, from seconds and nanoseconds apart, cutting off toward zero.
fn milliseconds_between(earlier: Time, later: Time) -> i64 {
    let seconds = |time: Time| (time.nanos() / 1_000_000_000) as i64;
    let nanos = |time: Time| (time.nanos() % 1_000_000_000) as i64;
    (seconds(later) - seconds(earlier)) * 1000 + (nanos(later) - nanos(earlier)) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ping that is killed before anything came back has written nothing into its pipe, but to a terminal.
    #[test]
    fn the_first_line_waits_for_the_second() {
        let mut lab = crate::lab::Lab::new(crate::lab::Options::default());
        for line in [
            "ip link add v type veth peer name w",
            "ip addr add 10.8.0.1/24 dev v",
            "ip link set v up",
            "ip link set w up",
        ] {
            assert_eq!(lab.run(line).status, 0, "{line}");
        }
        assert_eq!(lab.run("ip addr add 10.0.0.1/24 dev lo").status, 0);
        for (line, lines) in [
            ("timeout 1 ping 10.8.0.2", 0),
            ("timeout 2 ping -q 10.0.0.1", 1),
            ("timeout 2 ping 10.0.0.1", 3),
            ("timeout 0.001 ping -qf 10.0.0.1", 1),
        ] {
            let said = lab.run(line);
            assert_eq!((said.stdout.lines().count(), said.status), (lines, 124), "{line}: {}", said.stdout);
        }
    }

    #[test]
    fn milliseconds_are_cut_off_toward_zero_on_either_side() {
        let at = |nanos| Time(nanos);
        assert_eq!(milliseconds_between(at(0), at(999_999_999)), 999);
        assert_eq!(milliseconds_between(at(500), at(1_000_000_000)), 1000);
        assert_eq!(milliseconds_between(at(1_999_000_000), at(2_000_000_000)), 1);
    }
}
