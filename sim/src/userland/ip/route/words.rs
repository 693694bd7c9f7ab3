//! Words of `ip route` that stand for numbers: types of routes, realms, times, traffic protocols.

use super::super::args::{get_u8, get_unsigned, matches, strtoul};
use super::super::names::realm_number;

/// `RTN_*` (`include/uapi/linux/rtnetlink.h`), those that a request may name though no route has them.
pub(super) const RTN_NAT: u8 = 10;

/// `rtnl_rtntype_n2a()`
pub(in super::super) fn type_name(rtn: u8, numeric: bool) -> String {
    const NAMES: [&str; 12] = [
        "none",
        "unicast",
        "local",
        "broadcast",
        "anycast",
        "multicast",
        "blackhole",
        "unreachable",
        "prohibit",
        "throw",
        "nat",
        "xresolve",
    ];
    let name = NAMES.get(usize::from(rtn)).filter(|_| !numeric);
    name.map_or_else(|| rtn.to_string(), |name| (*name).to_owned())
}

/// `rtnl_rtntype_a2n()`
pub(in super::super) fn type_number(word: &str) -> Option<u8> {
    const ABBREVIATED: &[(&str, u8)] = &[
        ("broadcast", 3),
        ("anycast", 4),
        ("multicast", 5),
        ("prohibit", 8),
        ("unreachable", 7),
        ("blackhole", 6),
        ("xresolve", 11),
        ("unicast", 1),
    ];
    match word {
        "local" => return Some(2),
        "nat" => return Some(RTN_NAT),
        "brd" => return Some(3),
        "throw" => return Some(9),
        _ => {}
    }
    let abbreviated = ABBREVIATED.iter().find(|(name, _)| matches(word, name));
    abbreviated.map(|(_, number)| *number).or_else(|| get_u8(word, 0))
}

/// `get_rt_realms_or_raw()`: `[FROM/]TO`, or both in one number.
pub(in super::super) fn realms(word: &str) -> Option<u32> {
    let (from, to) = word.split_once('/').map_or((None, word), |(from, to)| (Some(from), to));
    let from = from.map_or(Some(0), realm_number);
    let to = if to.is_empty() { Some(0) } else { realm_number(to) };
    from.zip(to).map(|(from, to)| from << 16 | to).or_else(|| get_unsigned(word, 0))
}

/// `get_time_rtt()`: milliseconds, and whether no unit was said; a fraction counts as a whole one.
pub(super) fn time_rtt(word: &str) -> Option<(u32, bool)> {
    let (time, rest) = if word.contains('.') {
        strtod(word).filter(|(time, _)| *time >= 0.0)?
    } else {
        let (number, rest) = strtoul(word, 0).filter(|(number, _)| *number != u64::MAX)?;
        (number as f64, rest)
    };
    let time = match rest.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" => time * 1000.0,
        "" | "ms" | "msec" | "msecs" => time,
        _ => return None,
    };
    // C's conversion of what does not fit keeps the low bits, or none.
    let whole = if time < i64::MAX as f64 { time as i64 as u32 } else { 0 };
    Some((if f64::from(whole) < time { whole.wrapping_add(1) } else { whole }, rest.is_empty()))
}

/// C's `strtod`, as far as plain decimal numbers go: the number at the word's head and what follows it.
fn strtod(word: &str) -> Option<(f64, &str)> {
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
    let plain = |head: &&str| head.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E' | b'+' | b'-'));
    ends.filter_map(|end| word.split_at_checked(end))
        .filter(|(head, _)| plain(head))
        .find_map(|(head, rest)| head.parse().ok().map(|number| (number, rest)))
}

/// Protocols over IP, as Debian's `/etc/protocols` names them: those that people speak of.
const IP_PROTOCOLS: &[(&str, u8)] = &[
    ("ip", 0),
    ("icmp", 1),
    ("ICMP", 1),
    ("igmp", 2),
    ("ipencap", 4),
    ("tcp", 6),
    ("TCP", 6),
    ("udp", 17),
    ("UDP", 17),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("sctp", 132),
    ("udplite", 136),
];

/// `inet_proto_a2n()`
pub(in super::super) fn ip_protocol(word: &str) -> Option<u8> {
    get_u8(word, 10).or_else(|| IP_PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number))
}

/// `inet_proto_n2a()`, where there is a name.
pub(in super::super) fn ip_protocol_name(number: u8) -> Option<&'static str> {
    IP_PROTOCOLS.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vethlab_engine::control::RouteKind;

    #[test]
    fn types_abbreviate_as_in_c() {
        assert_eq!((type_number("b"), type_number("bl"), type_number("u")), (Some(3), Some(6), Some(7)));
        assert_eq!((type_number("th"), type_number("throw"), type_number("loc")), (None, Some(9), None));
        assert_eq!((type_number("+5"), type_number("256"), type_number("")), (Some(5), None, None));
        assert_eq!((type_name(6, false), type_name(6, true), type_name(99, false)).0, "blackhole");
        assert_eq!(type_name(99, false), "99");
        assert!(
            (1..=9).all(|number| RouteKind::numbered(number).map(RouteKind::number) == Some(number))
                && RouteKind::numbered(RTN_NAT).is_none()
        );
    }

    #[test]
    fn realms_are_two_numbers_or_one() {
        assert_eq!(realms("3/5"), Some(3 << 16 | 5));
        assert_eq!(realms("1/"), Some(1 << 16));
        assert_eq!(realms("cosmos"), Some(0));
        assert_eq!(realms("4294967295"), Some(u32::MAX));
        assert_eq!((realms("/5"), realms("foo"), realms("300/1")), (None, None, None));
    }

    #[test]
    fn times_with_and_without_units() {
        assert_eq!(time_rtt("100"), Some((100, true)));
        assert_eq!(time_rtt("50ms"), Some((50, false)));
        assert_eq!(time_rtt("5S"), Some((5000, false)));
        assert_eq!(time_rtt("1.5s"), Some((1500, false)));
        assert_eq!(time_rtt("3.7"), Some((4, true)));
        // 2⁶⁴−5 does not fit, and is less than itself.
        assert_eq!(time_rtt("-5"), Some((1, true)));
        for bad in ["", "x", "3x", "-1.0", ".", "99999999999999999999999"] {
            assert_eq!(time_rtt(bad), None, "{bad:?}");
        }
    }
}
