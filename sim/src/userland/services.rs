//! Names of ports: Debian's `/etc/services`, without the aliases.

/// A line each: name, port, slash, protocol.
const SERVICES: &str = include_str!("services.txt");

fn all() -> impl Iterator<Item = (&'static str, u16, &'static str)> {
    SERVICES.lines().filter_map(|line| {
        let (name, place) = line.split_once(' ')?;
        let (port, protocol) = place.split_once('/')?;
        Some((name, port.parse().ok()?, protocol))
    })
}

/// `getservbyport`
pub(crate) fn name(port: u16, protocol: &str) -> Option<&'static str> {
    all().find(|(_, known, of)| *known == port && *of == protocol).map(|(name, ..)| name)
}

/// `getservbyname`
pub(crate) fn port(name: &str, protocol: &str) -> Option<u16> {
    all().find(|(known, _, of)| *known == name && *of == protocol).map(|(_, port, _)| port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_names() {
        assert_eq!((name(80, "tcp"), port("domain", "udp")), (Some("http"), Some(53)));
        assert_eq!((name(5, "tcp"), port("http", "udp")), (None, None));
        assert!(all().count() > 200);
    }
}
