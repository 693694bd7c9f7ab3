//! The words of a route that are metrics (`RTAX_*`).

use super::super::args::{Args, Stop, get_unsigned, invarg, matches};
use super::words::time_rtt;
use vethlab_engine::control::RouteMetrics;

/// `RTAX_*` (`include/uapi/linux/rtnetlink.h`).
#[allow(missing_docs, reason = "Linux's own names")]
pub(super) mod rtax {
    pub(in super::super) const MTU: u32 = 2;
    pub(in super::super) const WINDOW: u32 = 3;
    pub(in super::super) const RTT: u32 = 4;
    pub(in super::super) const RTTVAR: u32 = 5;
    pub(in super::super) const SSTHRESH: u32 = 6;
    pub(in super::super) const CWND: u32 = 7;
    pub(in super::super) const ADVMSS: u32 = 8;
    pub(in super::super) const REORDERING: u32 = 9;
    pub(in super::super) const HOPLIMIT: u32 = 10;
    pub(in super::super) const INITCWND: u32 = 11;
    pub(in super::super) const FEATURES: u32 = 12;
    pub(in super::super) const RTO_MIN: u32 = 13;
    pub(in super::super) const INITRWND: u32 = 14;
    pub(in super::super) const QUICKACK: u32 = 15;
    pub(in super::super) const CC_ALGO: u32 = 16;
    pub(in super::super) const FASTOPEN_NO_COOKIE: u32 = 17;
}

/// How the value of a word is read.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// A number up to this.
    Number(u32),
    /// A time, kept in fractions of a millisecond: so many each.
    Time(u32),
    /// The time that is always locked.
    LockedTime,
    /// `ecn`
    Features,
    /// 0 or 1.
    Bool,
    /// A congestion control algorithm.
    Algorithm,
}

/// A word.
struct Word {
    name: &'static str,
    /// It may be abbreviated.
    short: bool,
    rtax: u32,
    form: Form,
}

const fn word(name: &'static str, short: bool, rtax: u32, form: Form) -> Word {
    Word { name, short, rtax, form }
}

/// In iproute2's order, which tells what an abbreviation means.
const WORDS: &[Word] = &[
    word("mtu", false, rtax::MTU, Form::Number(u32::MAX)),
    word("hoplimit", false, rtax::HOPLIMIT, Form::Number(255)),
    word("advmss", false, rtax::ADVMSS, Form::Number(u32::MAX)),
    word("reordering", true, rtax::REORDERING, Form::Number(u32::MAX)),
    word("rtt", false, rtax::RTT, Form::Time(8)),
    word("rto_min", false, rtax::RTO_MIN, Form::LockedTime),
    word("window", true, rtax::WINDOW, Form::Number(u32::MAX)),
    word("cwnd", true, rtax::CWND, Form::Number(u32::MAX)),
    word("initcwnd", true, rtax::INITCWND, Form::Number(u32::MAX)),
    word("initrwnd", true, rtax::INITRWND, Form::Number(u32::MAX)),
    word("features", true, rtax::FEATURES, Form::Features),
    word("quickack", true, rtax::QUICKACK, Form::Bool),
    word("congctl", true, rtax::CC_ALGO, Form::Algorithm),
    word("rttvar", true, rtax::RTTVAR, Form::Time(4)),
    word("ssthresh", true, rtax::SSTHRESH, Form::Number(u32::MAX)),
    word("fastopen_no_cookie", true, rtax::FASTOPEN_NO_COOKIE, Form::Bool),
];

/// Metrics as they were said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metrics {
    /// Their values.
    pub values: RouteMetrics,
    /// The algorithm that was asked for is none that the kernel has.
    pub unknown_algorithm: bool,
}

impl Metrics {
    /// A word and its value, if it is a metric.
    pub(super) fn word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let named = |of: &&Word| if of.short { matches(word, of.name) } else { word == of.name };
        let Some(of) = WORDS.iter().find(named) else { return Ok(false) };
        let value = self.value_after_lock(of, args)?;
        let invalid = || {
            let name = if of.name == "advmss" { "mss" } else { of.name };
            invarg(&format!("\"{name}\" value is invalid\n"), value)
        };
        let number = match of.form {
            Form::Number(most) => get_unsigned(value, 0).filter(|number| *number <= most).ok_or_else(invalid)?,
            Form::Time(fractions) => {
                let (time, raw) = time_rtt(value).ok_or_else(invalid)?;
                if raw { time } else { time.wrapping_mul(fractions) }
            }
            Form::LockedTime => time_rtt(value).ok_or_else(invalid)?.0,
            Form::Features if value == "ecn" => 1,
            Form::Features => return Err(invarg("\"features\" value not valid\n", value)),
            Form::Bool => match get_unsigned(value, 0).ok_or_else(invalid)? {
                number @ 0..=1 => number,
                _ => return Err(invarg(&format!("\"{}\" value should be 0 or 1\n", of.name), value)),
            },
            Form::Algorithm => {
                self.algorithm(value);
                return Ok(true);
            }
        };
        if let Some(slot) = slot(&mut self.values, of.rtax) {
            *slot = Some(number);
        }
        Ok(true)
    }

    /// The value, behind `lock` where that may stand.
    fn value_after_lock<'a>(&mut self, of: &Word, args: &mut Args<'a>) -> Result<&'a str, Stop> {
        let value = args.value()?;
        let may_lock = matches!(of.form, Form::Number(_) | Form::Time(_) | Form::Algorithm);
        if may_lock && value == "lock" {
            self.lock(of.rtax);
            return args.value();
        }
        if matches!(of.form, Form::LockedTime) {
            self.lock(of.rtax);
        }
        Ok(value)
    }

    fn lock(&mut self, rtax: u32) {
        match rtax {
            rtax::MTU => self.values.mtu_lock = true,
            _ => self.values.locked |= 1 << rtax,
        }
    }

    fn algorithm(&mut self, name: &str) {
        const KNOWN: [&str; 3] = ["reno", "bbr", "cubic"];
        self.values.congctl = KNOWN.into_iter().find(|known| *known == name);
        self.unknown_algorithm = self.values.congctl.is_none();
    }
}

/// The place of a metric that is a number.
pub(super) fn slot(metrics: &mut RouteMetrics, rtax: u32) -> Option<&mut Option<u32>> {
    Some(match rtax {
        rtax::MTU => &mut metrics.mtu,
        rtax::WINDOW => &mut metrics.window,
        rtax::RTT => &mut metrics.rtt,
        rtax::RTTVAR => &mut metrics.rttvar,
        rtax::SSTHRESH => &mut metrics.ssthresh,
        rtax::CWND => &mut metrics.cwnd,
        rtax::ADVMSS => &mut metrics.advmss,
        rtax::REORDERING => &mut metrics.reordering,
        rtax::HOPLIMIT => &mut metrics.hoplimit,
        rtax::INITCWND => &mut metrics.initcwnd,
        rtax::FEATURES => &mut metrics.features,
        rtax::RTO_MIN => &mut metrics.rto_min,
        rtax::INITRWND => &mut metrics.initrwnd,
        rtax::QUICKACK => &mut metrics.quickack,
        rtax::FASTOPEN_NO_COOKIE => &mut metrics.fastopen_no_cookie,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Metrics, Stop> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let (mut args, mut metrics) = (Args::new(&words), Metrics::default());
        while let Some(word) = args.next() {
            assert!(metrics.word(word, &mut args)?, "{word} is a metric");
        }
        Ok(metrics)
    }

    #[test]
    fn values_units_and_locks() {
        let metrics = read("mtu lock 1400 rtt 100ms rttvar 50 rto_min 5s hoplimit 7 f ecn congctl lock reno").unwrap();
        let values = metrics.values;
        assert_eq!((values.mtu, values.mtu_lock, values.rtt, values.rttvar), (Some(1400), true, Some(800), Some(50)));
        assert_eq!((values.rto_min, values.hoplimit, values.features), (Some(5000), Some(7), Some(1)));
        assert_eq!((values.congctl, values.locked), (Some("reno"), 1 << rtax::RTO_MIN | 1 << rtax::CC_ALGO));
        assert!(read("congctl nope").is_ok_and(|metrics| metrics.unknown_algorithm));
    }

    #[test]
    fn what_is_said_of_wrong_values() {
        let wrong = |message, word| Err(invarg(message, word));
        assert_eq!(read("mtu x"), wrong("\"mtu\" value is invalid\n", "x"));
        assert_eq!(read("advmss x"), wrong("\"mss\" value is invalid\n", "x"));
        assert_eq!(read("hoplimit 256"), wrong("\"hoplimit\" value is invalid\n", "256"));
        assert_eq!(read("features foo"), wrong("\"features\" value not valid\n", "foo"));
        assert_eq!(read("quickack 2"), wrong("\"quickack\" value should be 0 or 1\n", "2"));
        assert_eq!(read("rto_min lock"), wrong("\"rto_min\" value is invalid\n", "lock"));
        assert_eq!(read("rttvar 3x"), wrong("\"rttvar\" value is invalid\n", "3x"));
    }

    #[test]
    fn abbreviations_mean_the_first_that_fits() {
        assert_eq!(read("r 9").map(|of| of.values.reordering), Ok(Some(9)));
        assert_eq!(read("c 3 i 4 initr 5 w 6 s 7").map(|of| of.values.cwnd), Ok(Some(3)));
        assert!(!Metrics::default().word("mt", &mut Args::new(&[])).unwrap());
    }
}
