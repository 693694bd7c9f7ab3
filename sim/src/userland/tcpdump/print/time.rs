//! Time stamps, by the clock of the world, which knows no time zone but UTC.

use super::{Printer, say};
use crate::userland::date::Date;

/// Seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Stamp {
    pub(in super::super) seconds: u64,
    pub(in super::super) nanoseconds: u32,
}

const BILLION: u32 = 1_000_000_000;

impl Printer {
    /// `ts_print`
    pub(super) fn stamp(&mut self, stamp: Stamp) {
        match self.style.time {
            0 => say!(self, "{}{} ", clock(stamp.seconds), self.fraction(stamp)),
            1 => {}
            2 => say!(self, "{}{} ", stamp.seconds as u32, self.fraction(stamp)),
            4 => say!(self, "{} {}{} ", date(stamp.seconds), clock(stamp.seconds), self.fraction(stamp)),
            mode => {
                let stamp = self.rounded(stamp);
                let reference = *self.reference.get_or_insert(stamp);
                let (later, earlier, sign) =
                    if stamp < reference { (reference, stamp, '-') } else { (stamp, reference, ' ') };
                let passed = since(later, earlier);
                say!(self, "{sign}{}{} ", clock(passed.seconds), self.fraction(passed));
                if mode == 3 {
                    self.reference = Some(stamp);
                }
            }
        }
    }

    /// As precise as it is printed.
    fn rounded(&self, stamp: Stamp) -> Stamp {
        let step = if self.style.nanoseconds { 1 } else { 1000 };
        Stamp { nanoseconds: stamp.nanoseconds / step * step, ..stamp }
    }

    fn fraction(&self, stamp: Stamp) -> String {
        if self.style.nanoseconds {
            format!(".{:09}", stamp.nanoseconds)
        } else {
            format!(".{:06}", stamp.nanoseconds / 1000)
        }
    }
}

fn since(later: Stamp, earlier: Stamp) -> Stamp {
    let borrow = later.nanoseconds < earlier.nanoseconds;
    let nanoseconds = later.nanoseconds + if borrow { BILLION } else { 0 } - earlier.nanoseconds;
    Stamp { seconds: later.seconds - earlier.seconds - u64::from(borrow), nanoseconds }
}

fn clock(seconds: u64) -> String {
    Date::of(seconds as i64).clock()
}

fn date(seconds: u64) -> String {
    Date::of(seconds as i64).iso()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_704_067_199, "2023-12-31"),
            (1_709_164_800, "2024-02-29"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(seconds), text);
        }
        assert_eq!(clock(1_704_067_199), "23:59:59");
    }
}
