//! How a sysctl is read and written: the kernel's `proc_dointvec` and its kin (`kernel/sysctl.c`).

use crate::control::Errno;

/// What a sysctl of one number may hold, and in what unit it is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A number between these two.
    Number(i64, i64),
    /// Seconds.
    Seconds,
    /// Milliseconds, which the kernel keeps in jiffies of 4 ms, rounded up.
    Millis,
    /// Hundredths of a second, which the kernel keeps in jiffies of 4 ms, rounded down.
    UserTicks,
    /// Cannot be written: `EACCES`.
    ReadOnly,
}

pub(super) const INT: Rule = Rule::Number(i32::MIN as i64, i32::MAX as i64);
pub(super) const NATURAL: Rule = Rule::Number(0, i32::MAX as i64);
pub(super) const BOOL: Rule = Rule::Number(0, 1);
pub(super) const U8: Rule = Rule::Number(0, 255);
pub(super) const U32: Rule = Rule::Number(0, u32::MAX as i64);
pub(super) const READ_ONLY: Rule = Rule::ReadOnly;

/// Seconds above this many do not fit the kernel's `int` of jiffies (HZ is 250).
const SECONDS_MAX: i64 = i32::MAX as i64 / 250;
const MILLIS_PER_JIFFY: i64 = 4;

impl Rule {
    /// The number that is kept when `text` is written.
    pub(super) fn accept(self, text: &str) -> Result<i64, Errno> {
        if self == Rule::ReadOnly {
            return Err(Errno::Acces);
        }
        let number = leading_number(text)?;
        let kept = match self {
            Rule::Number(low, high) => (low..=high).contains(&number).then_some(number),
            Rule::Seconds => (-SECONDS_MAX..=SECONDS_MAX).contains(&number).then_some(number),
            Rule::Millis => jiffies(number, |n| (n + MILLIS_PER_JIFFY - 1) / MILLIS_PER_JIFFY).map(|j| j * 4),
            Rule::UserTicks => jiffies(number, |n| n * 5 / 2).map(|j| j * 2 / 5),
            Rule::ReadOnly => None,
        };
        kept.ok_or(Errno::Inval)
    }
}

/// A span in jiffies, if it is one and fits an `int`.
fn jiffies(number: i64, convert: impl Fn(i64) -> i64) -> Option<i64> {
    let sane = (0..=i64::from(i32::MAX) * 4).contains(&number);
    sane.then(|| convert(number)).filter(|&j| j <= i64::from(i32::MAX))
}

/// The first number of `text`, as `proc_get_long` reads it: white space, `-`, decimal, `0x` or octal digits, and then
/// white space or the end. What follows is not looked at.
pub(super) fn leading_number(text: &str) -> Result<i64, Errno> {
    let word = text.split_ascii_whitespace().next().ok_or(Errno::Inval)?;
    parse_number(word).ok_or(Errno::Inval)
}

/// One number: decimal, `0x` or octal, maybe negative.
pub(super) fn parse_number(word: &str) -> Option<i64> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (Some(hex), _) => (hex, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        _ => (lower.as_str(), 10),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_alphanumeric());
    let number = plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten()?;
    // Only a few sysctls are wider than 63 bits, and nobody needs those bits.
    Some(sign * i64::try_from(number).unwrap_or(i64::MAX))
}

/// One line of a table: the last part of the path, what it holds at first, and what it may hold.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) default: i64,
    pub(super) rule: Rule,
}

/// Declares a table of sysctls with an enum that indexes it.
macro_rules! rows {
    (
        $(#[$doc:meta])* $name:ident, $count:literal:
        $($variant:ident = $text:literal, $default:expr, $rule:expr;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the kernel's own names, explained in Documentation/networking/ip-sysctl.rst")]
        pub enum $name { $($variant),* }

        impl $name {
            /// How many there are.
            pub const COUNT: usize = $count;
            /// All, in the order of a listing.
            pub const ALL: [$name; $count] = [$($name::$variant),*];
            const ROWS: [Row; $count] = [$(Row { name: $text, default: $default, rule: $rule }),*];

            /// The last part of its path.
            pub const fn name(self) -> &'static str {
                Self::ROWS[self as usize].name
            }

            /// What it may hold.
            pub const fn rule(self) -> Rule {
                Self::ROWS[self as usize].rule
            }

            /// Found by the last part of its path.
            pub fn named(name: &str) -> Option<$name> {
                Self::ALL.into_iter().find(|key| key.name() == name)
            }
        }

        impl super::values::Key for $name {
            const DEFAULTS: &'static [i64] = &[$($default),*];
            const ON: u64 = {
                let (mut on, mut at) = (0, 0);
                while at < $count {
                    on |= ((Self::ROWS[at].default != 0) as u64) << at;
                    at += 1;
                }
                on
            };
        }

        impl From<$name> for usize {
            #[inline]
            fn from(key: $name) -> usize {
                key as usize
            }
        }
    };
}
pub(super) use rows;

#[cfg(test)]
mod tests {
    use super::*;

    /// Each seen on Linux 6.18 by writing `/proc/sys/net/ipv4/ip_forward`.
    #[test]
    fn numbers_are_read_as_the_kernel_reads_them() {
        for (text, number) in [("1", 1), (" 1 \n", 1), ("0x1f", 31), ("010", 8), ("-2", -2), ("1 2", 1), ("0", 0)] {
            assert_eq!(INT.accept(text), Ok(number), "{text:?}");
        }
        for text in ["", "\n", "+1", "1x", "1,2", "1.5", "abc", "0x", "--1", "2147483648", "99999999999999999999"] {
            assert_eq!(INT.accept(text), Err(Errno::Inval), "{text:?}");
        }
        assert_eq!(READ_ONLY.accept("1"), Err(Errno::Acces));
    }

    /// `icmp_ratelimit` 1001 reads back 1004, `neigh/lo/locktime` 33 reads back 32, negative spans are refused.
    #[test]
    fn spans_are_kept_in_jiffies() {
        assert_eq!(Rule::Millis.accept("1001"), Ok(1004));
        assert_eq!(Rule::Millis.accept("-1"), Err(Errno::Inval));
        assert_eq!(Rule::UserTicks.accept("33"), Ok(32));
        assert_eq!(Rule::Seconds.accept("-5"), Ok(-5));
        assert_eq!(Rule::Seconds.accept("8589935"), Err(Errno::Inval));
    }
}
