//! `timeout` (GNU coreutils 9.1), in virtual time: it reads its words; the driver starts the command and watches it.

use super::Proc;
use super::becoming::fail;
use super::getopt::{Item, Long, Takes, getopt};
use super::quote::quoted;
use super::sleep::interval;
use crate::lab::{Exit, TimeLimit};
use vethlab_engine::time::Duration;

const LONG: &[Long] = &[
    ("kill-after", Takes::Value, 'k'),
    ("signal", Takes::Value, 's'),
    ("verbose", Takes::Nothing, 'v'),
    ("foreground", Takes::Nothing, 'f'),
    ("preserve-status", Takes::Nothing, 'p'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'V'),
];

/// The names of signals 1 to 31, on the machines that Linux mostly runs on.
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL",
    "PWR", "SYS",
];
const ALIASES: &[(&str, i32)] = &[("IOT", 6), ("CLD", 17), ("IO", 29)];
/// Names that are used in both directions.
const MORE: &[(&str, i32)] = &[("EXIT", 0), ("RTMIN", 34), ("RTMAX", 64)];
const LAST_SIGNAL: i32 = 64;
const SIGTERM: i32 = 15;
/// `EXIT_CANCELED`: `timeout` itself failed.
const CANCELED: i32 = 125;

const HELP: &str = "\
Usage: timeout [OPTION] DURATION COMMAND [ARG]...
  or:  timeout [OPTION]
Start COMMAND, and kill it if still running after DURATION.

Mandatory arguments to long options are mandatory for short options too.
      --preserve-status
                 exit with the same status as COMMAND, even when the
                   command times out
      --foreground
                 when not running timeout directly from a shell prompt,
                   allow COMMAND to read from the TTY and get TTY signals;
                   in this mode, children of COMMAND will not be timed out
  -k, --kill-after=DURATION
                 also send a KILL signal if COMMAND is still running
                   this long after the initial signal was sent
  -s, --signal=SIGNAL
                 specify the signal to be sent on timeout;
                   SIGNAL may be a name like 'HUP' or a number;
                   see 'kill -l' for a list of signals
  -v, --verbose  diagnose to stderr any signal sent upon timeout
      --help        display this help and exit
      --version     output version information and exit

DURATION is a floating point number with an optional suffix:
's' for seconds (the default), 'm' for minutes, 'h' for hours or 'd' for days.
A duration of 0 disables the associated timeout.

Upon timeout, send the TERM signal to COMMAND, if no other SIGNAL specified.
The TERM signal kills any process that does not block or catch that signal.
It may be necessary to use the KILL signal, since this signal can't be caught.

EXIT status:
  124  if COMMAND times out, and --preserve-status is not specified
  125  if the timeout command itself fails
  126  if COMMAND is found but cannot be invoked
  127  if COMMAND cannot be found
  137  if COMMAND (or timeout itself) is sent the KILL (9) signal (128+9)
  -    the exit status of COMMAND otherwise

GNU coreutils online help: <https://www.gnu.org/software/coreutils/>
Report any translation bugs to <https://translationproject.org/team/>
Full documentation <https://www.gnu.org/software/coreutils/timeout>
or available locally via: info '(coreutils) timeout invocation'
";

/// `timeout`
pub(crate) async fn main(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "+k:s:v", LONG);
    let mut limit = TimeLimit { signal: SIGTERM, ..TimeLimit::default() };
    for item in &parsed.items {
        match item {
            Item::Option('h', _) => return said(&p, HELP),
            Item::Option('V', _) => return said(&p, "timeout (GNU coreutils) 9.1\n"),
            Item::Option('v', _) => limit.verbose = true,
            Item::Option('f', _) => limit.foreground = true,
            Item::Option('p', _) => limit.preserve_status = true,
            Item::Option('k', word) => match duration(word.as_deref().unwrap_or_default()) {
                Some(after) => limit.kill_after = after,
                None => return not_an_interval(&p, word.as_deref().unwrap_or_default()),
            },
            Item::Option(_, word) => match signal(word.as_deref().unwrap_or_default()) {
                Some(number) => limit.signal = number,
                None => {
                    let word = quoted(&p, word.as_deref().unwrap_or_default());
                    return refused(&p, &format!("timeout: {word}: invalid signal\n"));
                }
            },
            Item::Bad(complaint) => return refused(&p, complaint),
        }
    }
    let [word, name, ..] = &parsed.operands[..] else { return refused(&p, "") };
    let Some(after) = duration(word) else { return not_an_interval(&p, word) };
    Exit::Timeout(TimeLimit { after, argv: parsed.operands[1..].to_vec(), quoted: quoted(&p, name), ..limit })
}

fn said(p: &Proc, text: &str) -> Exit {
    p.out(text);
    Exit::Status(0)
}

fn refused(p: &Proc, complaint: &str) -> Exit {
    fail(p, CANCELED, &format!("{complaint}Try 'timeout --help' for more information.\n"))
}

fn not_an_interval(p: &Proc, word: &str) -> Exit {
    refused(p, &format!("timeout: invalid time interval {}\n", quoted(p, word)))
}

/// A span: none for 0, and for what no clock can hold. Nothing if the word is no interval.
fn duration(word: &str) -> Option<Option<Duration>> {
    let span = Duration::try_from_secs_f64(interval(word)?).ok();
    Some(span.filter(|span| !span.is_zero() && span.as_nanos() < u128::from(u64::MAX)))
}

/// The number of a signal: `9`, `KILL`, `sigkill`.
fn signal(word: &str) -> Option<i32> {
    if let Ok(number) = word.parse() {
        return Some(number).filter(|number| (0..=LAST_SIGNAL).contains(number));
    }
    let name = word.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let alias = ALIASES.iter().chain(MORE).find(|(known, _)| *known == name).map(|(_, number)| *number);
    alias.or_else(|| SIGNALS.iter().position(|known| *known == name).map(|at| at as i32 + 1))
}

/// The name of a signal: `TERM`; its number if it has none.
pub fn signal_name(number: i32) -> String {
    let plain = usize::try_from(number - 1).ok().and_then(|at| SIGNALS.get(at)).copied();
    let name = plain.or_else(|| MORE.iter().find(|(_, known)| *known == number).map(|(name, _)| *name));
    name.map_or_else(|| number.to_string(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        let known = [("9", 9), ("KILL", 9), ("sigterm", 15), ("SYS", 31), ("0", 0), ("CLD", 17), ("rtmin", 34)];
        for (word, number) in known {
            assert_eq!(signal(word), Some(number), "{word}");
        }
        for word in ["", "FOO", "65", "-1", "SIG", "9x"] {
            assert_eq!(signal(word), None, "{word:?}");
        }
        assert_eq!((signal_name(15).as_str(), signal_name(0).as_str()), ("TERM", "EXIT"));
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!(duration("0"), Some(None));
        assert_eq!(duration("infinity"), Some(None));
        assert_eq!(duration("0.5"), Some(Some(Duration::from_millis(500))));
        assert_eq!(duration("x"), None);
    }
}
