//! `curl`'s progress meter (`lib/progress.c`): a line at the start, one whenever a second begins, and one at the end.

use crate::userland::Proc;
use vethlab_engine::time::Time;

const HEADING: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
";
/// The current speed is that of the last seconds.
const SPAN: usize = 6;
const SECOND: u64 = 1_000_000_000;

/// The meter of one transfer.
pub(super) struct Meter<'a> {
    p: &'a Proc,
    on: bool,
    began: Time,
    /// The second that was shown last.
    shown: Option<u64>,
    history: Vec<(Time, u64)>,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// How much is to come, if that is known.
    pub(super) expected: Option<u64>,
    pub(super) to_send: u64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(p: &'a Proc, on: bool, heading: bool) -> Meter<'a> {
        if on && heading {
            p.err(HEADING);
        }
        let began = p.now();
        let mut meter =
            Meter { p, on, began, shown: None, history: Vec::new(), received: 0, sent: 0, expected: None, to_send: 0 };
        meter.update();
        meter
    }

    /// When it is to be updated next.
    pub(super) fn due(&self) -> Time {
        if self.on { Time((self.p.now().nanos() / SECOND + 1) * SECOND) } else { Time::NEVER }
    }

    /// Shows a line if a new second has begun.
    pub(super) fn update(&mut self) {
        let now = self.p.now();
        let second = now.nanos() / SECOND;
        if self.on && self.shown != Some(second) {
            self.shown = Some(second);
            self.show(now);
        }
    }

    /// Shows the last line.
    pub(super) fn done(&mut self) {
        if std::mem::take(&mut self.on) {
            self.show(self.p.now());
            self.p.err("\n");
        }
    }

    fn show(&mut self, now: Time) {
        let moved = self.received + self.sent;
        let micros = (now.since(self.began).as_micros() as u64).max(1);
        let (down, up) = (speed(self.received, micros), speed(self.sent, micros));
        self.history.push((now, moved));
        let first = self.history.len().saturating_sub(SPAN);
        let current = match self.history.get(first) {
            Some((then, before)) if self.history.len() > 1 => {
                (moved - before) * 1000 / (now.since(*then).as_millis() as u64).max(1)
            }
            _ => down + up,
        };
        let expected = self.expected.unwrap_or(self.received) + self.to_send.max(self.sent);
        let known = |known: Option<u64>, done: u64| known.map_or(0, |whole| percent(done, whole));
        let spent = micros / 1_000_000;
        let total = self.expected.filter(|_| down > 0).map_or(0, |whole| whole / down);
        let left = total.saturating_sub(spent);
        let uploaded = known(Some(self.to_send), self.sent);
        self.p.err(&format!(
            "\r{:3} {}  {:3} {}  {uploaded:3} {}  {}  {} {} {} {} {}",
            if self.expected.is_some() || self.to_send > 0 { percent(moved, expected) } else { 0 },
            five(expected),
            known(self.expected, self.received),
            five(self.received),
            five(self.sent),
            five(down),
            five(up),
            clock(total),
            clock(spent),
            clock(left),
            five(current),
        ));
    }
}

fn speed(bytes: u64, micros: u64) -> u64 {
    bytes.saturating_mul(1_000_000) / micros
}

fn percent(part: u64, whole: u64) -> u64 {
    match whole {
        0 => 0,
        whole if whole > 10_000 => part / (whole / 100),
        whole => part * 100 / whole,
    }
}

/// `max5data`: a number of bytes in five columns.
fn five(bytes: u64) -> String {
    const KILO: u64 = 1 << 10;
    const MEGA: u64 = 1 << 20;
    const GIGA: u64 = 1 << 30;
    match bytes {
        0..100_000 => format!("{bytes:5}"),
        _ if bytes < 10_000 * KILO => format!("{:4}k", bytes / KILO),
        _ if bytes < 100 * MEGA => format!("{:2}.{:01}M", bytes / MEGA, bytes % MEGA / (MEGA / 10)),
        _ if bytes < 10_000 * MEGA => format!("{:4}M", bytes / MEGA),
        _ => format!("{:2}.{:01}G", bytes / GIGA, bytes % GIGA / (GIGA / 10)),
    }
}

fn clock(seconds: u64) -> String {
    match seconds {
        0 => "--:--:--".to_string(),
        _ if seconds < 360_000 => format!("{:2}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
        _ => format!("{:3}d {:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_columns() {
        let shown = [0, 99_999, 100_000, 10_240_000, 104_857_600].map(five);
        assert_eq!(shown, ["    0", "99999", "  97k", " 9.7M", " 100M"]);
        assert_eq!([0, 59, 3661].map(clock), ["--:--:--", " 0:00:59", " 1:01:01"]);
        assert_eq!((percent(230, 230), percent(1, 0), percent(1 << 40, 1 << 41)), (100, 0, 50));
    }
}
