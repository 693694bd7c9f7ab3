//! Numbers as C's library reads and prints them: `strtol`, `strtoul`, `strtod`, `%g`.

/// What `strtol` makes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer<'a> {
    /// The value; the nearest possible one if it does not fit.
    pub(crate) value: i64,
    /// It does not fit (`ERANGE`).
    pub(crate) overflow: bool,
    /// What follows the number.
    pub(crate) rest: &'a str,
    /// There was no number at all: `rest` is the whole text.
    pub(crate) empty: bool,
}

/// `strtol(text, &rest, base)`; base 0 knows `0x` and `0` in front.
pub(crate) fn strtol(text: &str, base: u32) -> Integer<'_> {
    let (negative, magnitude) = digits(text, base);
    let Some((magnitude, rest)) = magnitude else {
        return Integer { value: 0, overflow: false, rest: text, empty: true };
    };
    let value = magnitude.and_then(|m| if negative { 0i64.checked_sub_unsigned(m) } else { i64::try_from(m).ok() });
    let limit = if negative { i64::MIN } else { i64::MAX };
    Integer { value: value.unwrap_or(limit), overflow: value.is_none(), rest, empty: false }
}

/// `strtoul`: as `strtol`, but a minus sign negates in 64 bits. The value's bits are in [`Integer::value`].
pub(crate) fn strtoul(text: &str, base: u32) -> Integer<'_> {
    let (negative, magnitude) = digits(text, base);
    let Some((magnitude, rest)) = magnitude else {
        return Integer { value: 0, overflow: false, rest: text, empty: true };
    };
    let value = magnitude.map(|m| if negative { m.wrapping_neg() } else { m });
    Integer { value: value.unwrap_or(u64::MAX) as i64, overflow: value.is_none(), rest, empty: false }
}

/// Sign, and if there is a number: its magnitude (none if above 64 bits) and what follows.
fn digits(text: &str, base: u32) -> (bool, Option<(Option<u64>, &str)>) {
    let trimmed = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let unsigned = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let negative = trimmed.starts_with('-');
    let (base, unsigned) = match (base, unsigned.get(..2)) {
        (0 | 16, Some("0x" | "0X")) if unsigned[2..].starts_with(|c: char| c.is_ascii_hexdigit()) => {
            (16, &unsigned[2..])
        }
        (0, _) if unsigned.starts_with('0') => (8, unsigned),
        (0, _) => (10, unsigned),
        _ => (base, unsigned),
    };
    let length = unsigned.find(|c: char| !c.is_digit(base)).unwrap_or(unsigned.len());
    let (number, rest) = unsigned.split_at(length);
    let magnitude = (length > 0).then(|| (u64::from_str_radix(number, base).ok(), rest));
    (negative, magnitude)
}

/// `strtod(text, &rest)`: decimal numbers, `inf`, `nan` (no hexadecimal ones). Without a number, 0 and the whole text.
pub(crate) fn strtod(text: &str) -> (f64, &str) {
    let trimmed = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let length = decimal_length(trimmed);
    match trimmed.get(..length).and_then(|number| number.parse().ok()) {
        Some(value) => (value, &trimmed[length..]),
        None => (0.0, text),
    }
}

fn decimal_length(text: &str) -> usize {
    let sign = usize::from(text.starts_with(['-', '+']));
    let word = text[sign..].to_ascii_lowercase();
    if let Some(name) = ["infinity", "inf", "nan"].iter().find(|name| word.starts_with(**name)) {
        return sign + name.len();
    }
    let count = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = count(sign);
    let mut end = sign + whole;
    let mut any = whole;
    if text[end..].starts_with('.') {
        let fraction = count(end + 1);
        any += fraction;
        end += 1 + fraction;
    }
    if any == 0 {
        return 0;
    }
    if text[end..].starts_with(['e', 'E']) {
        let exponent = end + 1 + usize::from(text[end + 1..].starts_with(['-', '+']));
        let length = count(exponent);
        if length > 0 {
            end = exponent + length;
        }
    }
    end
}

/// `strtol_or_err` of iputils: a whole decimal number within bounds, or its complaint (without the program's name).
pub(crate) fn bounded(text: &str, min: i64, max: i64) -> Result<i64, String> {
    let number = strtol(text, 10);
    complain(text, &number)?;
    if number.value < min || number.value > max {
        return Err(format!("invalid argument: '{text}': out of range: {min} <= value <= {max}"));
    }
    Ok(number.value)
}

/// `strtoul_or_err` of iputils.
pub(crate) fn bounded_unsigned(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let number = strtoul(text, 10);
    complain(text, &number)?;
    let value = number.value as u64;
    if value < min || value > max {
        return Err(format!("invalid argument: '{text}': out of range: {min} <= value <= {max}"));
    }
    Ok(value)
}

fn complain(text: &str, number: &Integer<'_>) -> Result<(), String> {
    if number.overflow {
        return Err(format!("invalid argument: '{text}': Numerical result out of range"));
    }
    if number.empty || !number.rest.is_empty() {
        return Err(format!("invalid argument: '{text}'"));
    }
    Ok(())
}

/// `%g`: six significant digits, no zeros at the end.
pub(crate) fn general(value: f64) -> String {
    general_to(6, value)
}

/// `%.Ng`
pub(crate) fn general_to(digits: usize, value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_string() } else { format!("{value}").to_lowercase() };
    }
    // The exponent after rounding to so many digits, as C decides it.
    let last = digits.saturating_sub(1);
    let scientific = format!("{value:.last$e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..=last as i32).contains(&exponent) {
        let decimals = usize::try_from(last as i32 - exponent).unwrap_or(0);
        return strip_zeros(&format!("{value:.decimals$}")).to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", strip_zeros(mantissa), exponent.unsigned_abs())
}

fn strip_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_end_where_c_ends_them() {
        assert_eq!(strtol(" -12x", 10), Integer { value: -12, overflow: false, rest: "x", empty: false });
        assert_eq!((strtol("0x1f", 0).value, strtol("017", 0).value, strtol("0x", 0).rest), (31, 15, "x"));
        assert!(strtol("x", 10).empty && strtol("", 10).empty);
        assert!(strtol("99999999999999999999", 10).overflow);
        assert_eq!(strtol("-9223372036854775808", 10).value, i64::MIN);
        assert_eq!(strtoul("-1", 10).value, -1);
    }

    #[test]
    fn decimals_end_where_c_ends_them() {
        for (text, value, rest) in [
            ("0.5x", 0.5, "x"),
            ("1e", 1.0, "e"),
            ("-.5e1 ", -5.0, " "),
            (".", 0.0, "."),
            ("abc", 0.0, "abc"),
            ("3.", 3.0, ""),
        ] {
            assert_eq!(strtod(text), (value, rest), "{text:?}");
        }
        assert!(strtod("nan").0.is_nan() && strtod("-inf").0.is_infinite());
    }

    #[test]
    fn complaints_are_those_of_iputils() {
        assert_eq!(bounded("3", 1, 5), Ok(3));
        assert_eq!(bounded("x", 1, 5).unwrap_err(), "invalid argument: 'x'");
        assert_eq!(bounded("", 1, 5).unwrap_err(), "invalid argument: ''");
        assert_eq!(bounded("300", 0, 255).unwrap_err(), "invalid argument: '300': out of range: 0 <= value <= 255");
        assert_eq!(bounded_unsigned("-1", 0, 7).unwrap_err(), "invalid argument: '-1': out of range: 0 <= value <= 7");
        assert_eq!(
            bounded("99999999999999999999", 0, 7).unwrap_err(),
            "invalid argument: '99999999999999999999': Numerical result out of range"
        );
    }

    #[test]
    fn percent_g() {
        for (value, text) in [
            (0.0, "0"),
            (100.0, "100"),
            (100.0 / 3.0, "33.3333"),
            (200.0 / 3.0, "66.6667"),
            (-100.0, "-100"),
            (0.001, "0.001"),
            (0.00001, "1e-05"),
            (1234567.0, "1.23457e+06"),
            (99.99995, "99.9999"),
            (4294.967, "4294.97"),
            (429_496.729, "429497"),
            (4_294_967.295, "4.29497e+06"),
        ] {
            assert_eq!(general(value), text);
        }
        assert_eq!(general(99.999_998), "100");
        for (value, text) in [(999.4, "999"), (999.9, "1e+03"), (1.0, "1"), (1234.0, "1.23e+03")] {
            assert_eq!(general_to(3, value), text);
        }
    }
}
