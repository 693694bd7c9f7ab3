//! Days and hours of the world's wall clock, which counts in UTC.

use super::Proc;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// A moment, as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: usize,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    weekday: usize,
}

impl Date {
    /// So many seconds after 1970 began (Howard Hinnant's `civil_from_days`).
    pub(crate) fn of(seconds: i64) -> Date {
        let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Date {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as usize,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: days.rem_euclid(7) as usize,
        }
    }

    /// Now, by the world's wall clock.
    pub(crate) fn now(p: &Proc) -> Date {
        Date::of(p.wall_clock().0 as i64)
    }

    /// `Jan`
    pub(crate) fn month_name(&self) -> &'static str {
        MONTHS.get(self.month.wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// `04:05:06`
    pub(crate) fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    /// `Mon`
    fn day_name(&self) -> &'static str {
        DAYS.get(self.weekday).copied().unwrap_or_default()
    }

    /// `2024-01-01`
    pub(crate) fn iso(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `Mon Jan  1 04:05:06 2024`
    pub(crate) fn asctime(&self) -> String {
        format!("{} {} {:2} {} {}", self.day_name(), self.month_name(), self.day, self.clock(), self.year)
    }

    /// `Mon, 01 Jan 2024 04:05:06 GMT`
    pub(crate) fn http(&self) -> String {
        let weekday = self.day_name();
        format!("{weekday}, {:02} {} {:04} {} GMT", self.day, self.month_name(), self.year, self.clock())
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_826_554, "Tue, 29 Feb 2000 12:15:54 GMT"),
            (1_704_067_200, "Mon, 01 Jan 2024 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        ] {
            assert_eq!(Date::of(seconds).http(), text);
        }
    }
}
