//! What `ping` counts: probes, answers, round trips; and the two texts made of them.

use crate::userland::number::general;
use vethlab_engine::time::Duration;

/// Sequence numbers whose answers are remembered (`MAX_DUP_CHK`).
const SEQUENCES: usize = 0x1_0000;

/// Counters of one run. Times are microseconds.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) transmitted: i64,
    pub(super) received: i64,
    pub(super) repeats: i64,
    pub(super) errors: i64,
    /// The payload has room for a time stamp.
    pub(super) timing: bool,
    pub(super) max: i64,
    min: i64,
    sum: f64,
    sum_of_squares: f64,
    /// Eight times the moving average of round trips.
    pub(super) rtt: i32,
    acked: u16,
    pipe: i32,
    seen: Vec<u64>,
}

/// How the run paced its probes; decides which figures are worth printing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// From the first probe to the last.
    pub(super) elapsed: Duration,
    /// No pause between probes, `-f` or `-A`.
    pub(super) rapid: bool,
}

impl Tally {
    pub(super) fn new(timing: bool) -> Tally {
        Tally {
            transmitted: 0,
            received: 0,
            repeats: 0,
            errors: 0,
            timing,
            max: 0,
            min: i64::MAX,
            sum: 0.0,
            sum_of_squares: 0.0,
            rtt: 0,
            acked: 0,
            pipe: -1,
            seen: vec![0; SEQUENCES / 64],
        }
    }

    /// The sequence number of the next probe; forgets what was heard under it a round before.
    pub(super) fn next_sequence(&mut self) -> u16 {
        let sequence = self.transmitted.wrapping_add(1) as u16;
        let (word, bit) = place(sequence);
        self.seen[word] &= !bit;
        sequence
    }

    /// A probe has left, or was lost before it could.
    pub(super) fn advance(&mut self) {
        self.transmitted += 1;
        // More than half the numbers in flight: the last answer can no longer be told from the next round's.
        if i32::from(self.transmitted as u16) - i32::from(self.acked) > 0x7fff {
            self.acked = (self.transmitted as u16).wrapping_add(1);
        }
    }

    /// Probes not yet answered, by sequence numbers.
    pub(super) fn in_flight(&self) -> i64 {
        let distance = (self.transmitted as u16).wrapping_sub(self.acked);
        if distance <= 0x7fff { i64::from(distance) } else { self.transmitted - self.received - self.errors }
    }

    /// An answer or an error about this probe came.
    pub(super) fn acknowledge(&mut self, sequence: u16) {
        let newest = self.transmitted as u16;
        let distance = newest.wrapping_sub(sequence);
        if distance > 0x7fff {
            return;
        }
        self.pipe = self.pipe.max(i32::from(distance) + 1);
        let newer = sequence.wrapping_sub(self.acked) as i16 > 0;
        if newer || i32::from(newest) - i32::from(self.acked) > 0x7fff {
            self.acked = sequence;
        }
    }

    /// An answer to this probe was heard before.
    pub(super) fn heard(&self, sequence: u16) -> bool {
        let (word, bit) = place(sequence);
        self.seen[word] & bit != 0
    }

    /// Counts an answer; true if it is a duplicate.
    pub(super) fn answer(&mut self, sequence: u16) -> bool {
        if self.heard(sequence) {
            self.repeats += 1;
            return true;
        }
        self.received += 1;
        let (word, bit) = place(sequence);
        self.seen[word] |= bit;
        false
    }

    /// Counts a round trip.
    pub(super) fn round_trip(&mut self, micros: i64) {
        self.sum += micros as f64;
        self.sum_of_squares += (micros as f64) * (micros as f64);
        self.min = self.min.min(micros);
        self.max = self.max.max(micros);
        let micros = micros.min(i64::from(i32::MAX / 8)) as i32;
        self.rtt = if self.rtt == 0 { micros * 8 } else { self.rtt.saturating_add(micros - self.rtt / 8) };
    }

    /// The statistics at the end.
    pub(super) fn finish(&self, host: &str, pace: Pace) -> String {
        let mut text = format!("\n--- {host} ping statistics ---\n");
        text += &format!("{} packets transmitted, {} received", self.transmitted, self.received);
        if self.repeats != 0 {
            text += &format!(", +{} duplicates", self.repeats);
        }
        if self.errors != 0 {
            text += &format!(", +{} errors", self.errors);
        }
        if self.transmitted != 0 {
            let lost = (self.transmitted - self.received) as f64 * 100.0 / self.transmitted as f64;
            let millis = (pace.elapsed.as_nanos() + 500_000) / 1_000_000;
            text += &format!(", {}% packet loss, time {millis}ms", general(f64::from(lost as f32)));
        }
        text.push('\n');
        text += &self.figures(pace).join(", ");
        text.push('\n');
        text
    }

    fn figures(&self, pace: Pace) -> Vec<String> {
        let mut figures = Vec::new();
        if self.received != 0 && self.timing {
            let times = [self.min, self.average(), self.max, self.deviation()].map(millis).join("/");
            figures.push(format!("rtt min/avg/max/mdev = {times} ms"));
        }
        if self.pipe > 1 {
            figures.push(format!("pipe {}", self.pipe));
        }
        if self.received != 0 && pace.rapid && self.transmitted > 1 {
            let gap = pace.elapsed.as_micros() as i64 / (self.transmitted - 1);
            figures.push(format!("ipg/ewma {}/{} ms", millis(gap), millis(i64::from(self.rtt / 8))));
        }
        figures
    }

    fn average(&self) -> i64 {
        (self.sum / (self.received + self.repeats) as f64) as i64
    }

    /// The standard deviation, in the original's order of computation, which decides the last digit.
    fn deviation(&self) -> i64 {
        let total = (self.received + self.repeats) as f64;
        let variance = if self.sum < f64::from(i32::MAX) {
            (self.sum_of_squares - self.sum * self.sum / total) / total
        } else {
            let average = self.average();
            self.sum_of_squares / total - (average * average) as f64
        };
        square_root(variance as i64)
    }

    /// The one line of `SIGQUIT`.
    pub(super) fn status(&self) -> String {
        let lost = (self.transmitted - self.received) * 100;
        let loss = lost.checked_div(self.transmitted).unwrap_or(0);
        let mut text = format!("\r{}/{} packets, {loss}% loss", self.received, self.transmitted);
        if self.received != 0 && self.timing {
            let times = [self.min, self.average(), i64::from(self.rtt / 8), self.max].map(millis).join("/");
            text += &format!(", min/avg/ewma/max = {times} ms");
        }
        text.push('\n');
        text
    }
}

/// Newton's method as the original runs it: one below a square it ends on the upper neighbour.
fn square_root(number: i64) -> i64 {
    let mut last = i64::MAX;
    let mut root = number.max(0);
    while root > 0 && root < last {
        last = root;
        root = (root + number / root) / 2;
    }
    root
}

fn place(sequence: u16) -> (usize, u64) {
    (usize::from(sequence / 64), 1 << (sequence % 64))
}

/// Microseconds as milliseconds with three decimals.
fn millis(micros: i64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

/// A round trip as a reply's line shows it: fewer decimals the longer it took.
pub(super) fn round_trip_text(micros: i64) -> String {
    match micros {
        99_950.. => format!("{}", (micros + 500) / 1000),
        9_995.. => format!("{}.{:01}", (micros + 50) / 1000, (micros + 50) % 1000 / 100),
        1_000.. => format!("{}.{:02}", (micros + 5) / 1000, (micros + 5) % 1000 / 10),
        _ => format!("{}.{:03}", micros / 1000, micros % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Pace = Pace { elapsed: Duration::from_micros(2_001_400), rapid: false };

    /// A tally after `count` probes, answered in these times.
    fn after(count: usize, times: &[i64]) -> Tally {
        let mut tally = Tally::new(true);
        for i in 0..count {
            let sequence = tally.next_sequence();
            tally.advance();
            if let Some(time) = times.get(i) {
                tally.acknowledge(sequence);
                tally.round_trip(*time);
                tally.answer(sequence);
            }
        }
        tally
    }

    #[test]
    fn statistics_of_an_ordinary_run() {
        assert_eq!(
            after(3, &[36, 18, 24]).finish("10.0.0.2", SLOW),
            "\n--- 10.0.0.2 ping statistics ---\n\
             3 packets transmitted, 3 received, 0% packet loss, time 2001ms\n\
             rtt min/avg/max/mdev = 0.018/0.026/0.036/0.007 ms\n"
        );
    }

    #[test]
    fn statistics_without_any_answer_end_in_an_empty_line() {
        let mut tally = after(3, &[]);
        tally.errors = 3;
        tally.acknowledge(1);
        assert_eq!(
            tally.finish("h", SLOW),
            "\n--- h ping statistics ---\n\
             3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2001ms\npipe 3\n"
        );
        let text = after(1, &[]).finish("h", Pace { elapsed: Duration::ZERO, rapid: false });
        assert!(text.ends_with("100% packet loss, time 0ms\n\n"), "{text}");
        assert_eq!(
            Tally::new(true).finish("h", SLOW),
            "\n--- h ping statistics ---\n0 packets transmitted, 0 received\n\n"
        );
    }

    #[test]
    fn rapid_runs_show_the_gap_and_the_moving_average() {
        let pace = Pace { elapsed: Duration::from_micros(41), rapid: true };
        let text = after(3, &[18, 2, 2]).finish("h", pace);
        assert!(
            text.ends_with("rtt min/avg/max/mdev = 0.002/0.007/0.018/0.007 ms, ipg/ewma 0.020/0.014 ms\n"),
            "{text}"
        );
    }

    #[test]
    fn a_second_answer_is_a_duplicate() {
        let mut tally = after(1, &[10]);
        assert!(tally.heard(1) && tally.answer(1));
        tally.round_trip(20);
        let text = tally.finish("h", SLOW);
        assert!(text.contains("1 packets transmitted, 1 received, +1 duplicates, 0% packet loss"), "{text}");
        assert!(text.contains("= 0.010/0.015/0.020/0.005 ms"), "{text}");
    }

    #[test]
    fn loss_is_printed_as_percent_g() {
        assert!(after(3, &[5, 5]).finish("h", SLOW).contains(", 33.3333% packet loss"));
        assert!(after(7, &[5]).finish("h", SLOW).contains(", 85.7143% packet loss"));
    }

    #[test]
    fn times_lose_decimals_as_they_grow() {
        for (micros, text) in [
            (0, "0.000"),
            (999, "0.999"),
            (1_000, "1.00"),
            (9_994, "9.99"),
            (9_995, "10.0"),
            (99_949, "99.9"),
            (99_950, "100"),
            (1_234_567, "1235"),
        ] {
            assert_eq!(round_trip_text(micros), text);
        }
    }

    #[test]
    fn square_roots_round_as_the_original_rounds() {
        for (number, root) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (8, 3), (9, 3), (10, 3), (1_000_000, 1000)] {
            assert_eq!(square_root(number), root, "{number}");
        }
    }

    #[test]
    fn flight_is_counted_over_the_wrap_of_sequence_numbers() {
        let mut tally = after(65_535, &[]);
        tally.acknowledge(65_530);
        assert_eq!(tally.in_flight(), 5);
        for _ in 0..10 {
            tally.next_sequence();
            tally.advance();
        }
        assert_eq!(tally.in_flight(), 15);
        tally.acknowledge(9);
        assert_eq!(tally.in_flight(), 0);
    }

    #[test]
    fn the_line_of_sigquit() {
        assert_eq!(after(2, &[]).status(), "\r0/2 packets, 100% loss\n");
        assert_eq!(
            after(2, &[10, 30]).status(),
            "\r2/2 packets, 0% loss, min/avg/ewma/max = 0.010/0.020/0.012/0.030 ms\n"
        );
    }
}
