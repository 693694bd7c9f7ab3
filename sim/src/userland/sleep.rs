//! `sleep` (GNU coreutils 9.1), in virtual time.

use super::getopt::{Item, Long, Takes, getopt};
use super::quote::quoted;
use super::{Proc, Wake};
use crate::lab::Exit;
use vethlab_engine::time::{Duration, Time};

const LONG: &[Long] = &[("help", Takes::Nothing, 'h'), ("version", Takes::Nothing, 'v')];

const HELP: &str = "\
Usage: sleep NUMBER[SUFFIX]...
  or:  sleep OPTION
Pause for NUMBER seconds.  SUFFIX may be 's' for seconds (the default),
'm' for minutes, 'h' for hours or 'd' for days.  NUMBER need not be an
integer.  Given two or more arguments, pause for the amount of time
specified by the sum of their values.

      --help        display this help and exit
      --version     output version information and exit

GNU coreutils online help: <https://www.gnu.org/software/coreutils/>
Report any translation bugs to <https://translationproject.org/team/>
Full documentation <https://www.gnu.org/software/coreutils/sleep>
or available locally via: info '(coreutils) sleep invocation'
";

const TRY_HELP: &str = "Try 'sleep --help' for more information.\n";

/// Waits for the sum of its operands.
pub(crate) async fn main(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "+", LONG);
    match parsed.items.first() {
        Some(Item::Option('h', _)) => return said(&p, HELP),
        Some(Item::Option(..)) => return said(&p, "sleep (GNU coreutils) 9.1\n"),
        Some(Item::Bad(complaint)) => return refused(&p, complaint),
        None => {}
    }
    if parsed.operands.is_empty() {
        return refused(&p, "sleep: missing operand\n");
    }
    let mut seconds = 0.0;
    let mut complaints = String::new();
    for word in &parsed.operands {
        match interval(word) {
            Some(more) => seconds += more,
            None => complaints += &format!("sleep: invalid time interval {}\n", quoted(&p, word)),
        }
    }
    if !complaints.is_empty() {
        return refused(&p, &complaints);
    }
    match p.sleep_until(after(p.now(), seconds)).await {
        Wake::Signal(signal) => Exit::Signaled(signal),
        _ => Exit::Status(0),
    }
}

fn said(p: &Proc, text: &str) -> Exit {
    p.out(text);
    Exit::Status(0)
}

fn refused(p: &Proc, complaint: &str) -> Exit {
    p.err(complaint);
    p.err(TRY_HELP);
    Exit::Status(1)
}

/// The instant that many seconds from now; beyond what a clock can hold, never.
fn after(now: Time, seconds: f64) -> Time {
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if span.as_nanos() < u128::from(u64::MAX) => now + span,
        _ => Time::NEVER,
    }
}

/// Seconds of a word like `1.5`, `2m`, `infinity`; none if it is no interval.
pub(super) fn interval(word: &str) -> Option<f64> {
    let seconds = |number: &str, factor: f64| Some(number.parse::<f64>().ok()? * factor).filter(|value| *value >= 0.0);
    if word.starts_with('+') && word[1..].starts_with(['+', '-']) {
        return None;
    }
    // `infinity`, `nan` end in letters that are no suffix: the bare number is tried first.
    seconds(word, 1.0).or_else(|| {
        let last = word.chars().last()?;
        let factor = match last {
            's' => 1.0,
            'm' => 60.0,
            'h' => 3600.0,
            'd' => 86400.0,
            _ => return None,
        };
        seconds(word.strip_suffix(last)?, factor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_sums_of_numbers_with_suffixes() {
        let good =
            [("1", 1.0), ("0.25", 0.25), (".5s", 0.5), ("2m", 120.0), ("1h", 3600.0), ("1d", 86400.0), ("1e-1", 0.1)];
        for (word, seconds) in good {
            assert_eq!(interval(word), Some(seconds), "{word}");
        }
        assert_eq!(interval("inf"), Some(f64::INFINITY));
        for word in ["", "x", "1x", "1ms", "-1", "s", "nan", "1 s"] {
            assert_eq!(interval(word), None, "{word:?}");
        }
    }

    #[test]
    fn what_no_clock_can_hold_is_never() {
        assert_eq!(after(Time(5), 1.5), Time(1_500_000_005));
        assert_eq!(after(Time(5), f64::INFINITY), Time::NEVER);
        assert_eq!(after(Time(5), 1e300), Time::NEVER);
    }
}
