//! Names of hosts, as the C library of a host without a name server resolves them: written addresses and `localhost`.

use super::number::strtoul;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What `getaddrinfo` says of a name that nobody knows.
pub(crate) const UNKNOWN: &str = "Name or service not known";

/// What `getaddrinfo` says of an address of the other version.
pub(crate) const OTHER_FAMILY: &str = "Address family for hostname not supported";

/// Which addresses are wanted (`ai_family`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Family {
    /// `AF_UNSPEC`
    #[default]
    Any,
    /// `AF_INET`
    V4,
    /// `AF_INET6`
    V6,
}

/// `inet_aton`: `a.b.c.d`, `a.b.c`, `a.b` and `a`, each part decimal, octal (`0…`) or hexadecimal (`0x…`).
pub(crate) fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let text = text.split([' ', '\t', '\n']).next()?;
    let parts: Vec<u64> = text.split('.').map(part).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|part| *part > 255) || *last >= 1 << (8 * (4 - leading.len())) {
        return None;
    }
    let high = leading.iter().enumerate().map(|(i, part)| part << (24 - 8 * i)).sum::<u64>();
    u32::try_from(high | last).ok().map(Ipv4Addr::from_bits)
}

fn part(text: &str) -> Option<u64> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number = strtoul(text, 0);
    (number.rest.is_empty() && !number.overflow).then_some(number.value as u64)
}

/// `getaddrinfo` for one address.
pub(crate) fn resolve(name: &str, family: Family) -> Result<IpAddr, &'static str> {
    if let Some(address) = inet_aton(name) {
        return if family == Family::V6 { Err(OTHER_FAMILY) } else { Ok(address.into()) };
    }
    let bare = name.split_once('%').map_or(name, |(bare, _)| bare);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return if family == Family::V4 { Err(OTHER_FAMILY) } else { Ok(address.into()) };
    }
    match (name, family) {
        ("localhost" | "localhost.localdomain" | "ip4-localhost", Family::Any | Family::V4) => {
            Ok(Ipv4Addr::LOCALHOST.into())
        }
        ("localhost", Family::V6) | ("ip6-localhost" | "ip6-loopback", Family::Any | Family::V6) => {
            Ok(Ipv6Addr::LOCALHOST.into())
        }
        _ => Err(UNKNOWN),
    }
}

/// The name of an address (`getnameinfo`), if it has one.
pub(crate) fn name_of(address: Ipv4Addr) -> Option<&'static str> {
    (address == Ipv4Addr::LOCALHOST).then_some("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_inet_aton() {
        for (text, address) in [
            ("10.0.0.1", [10, 0, 0, 1]),
            ("127.1", [127, 0, 0, 1]),
            ("10.1.258", [10, 1, 1, 2]),
            ("0x7f000001", [127, 0, 0, 1]),
            ("0177.1", [127, 0, 0, 1]),
            ("256", [0, 0, 1, 0]),
            ("0", [0, 0, 0, 0]),
            ("4294967295", [255, 255, 255, 255]),
        ] {
            assert_eq!(inet_aton(text), Some(Ipv4Addr::from(address)), "{text}");
        }
        for bad in [
            "",
            "1.2.3.4.5",
            "256.1.1.1",
            "999.1.1.1",
            "1.2.3.256",
            "08.1",
            "1..2",
            "a",
            "-1",
            "1.2.3.4x",
            "4294967296",
        ] {
            assert_eq!(inet_aton(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn names_and_families() {
        assert_eq!(resolve("localhost", Family::Any), Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(resolve("::1", Family::Any), Ok(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(resolve("::1", Family::V4), Err(OTHER_FAMILY));
        assert_eq!(resolve("10.0.0.1", Family::V6), Err(OTHER_FAMILY));
        assert_eq!(resolve("no-such-host.invalid", Family::Any), Err(UNKNOWN));
        assert_eq!(resolve("", Family::Any), Err(UNKNOWN));
    }
}
