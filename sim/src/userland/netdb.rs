//! `/etc/services` and `/etc/protocols` of Debian 12: names of ports and protocols.

/// `22/tcp ssh ALIAS …`
const SERVICES: &str = include_str!("netdb/services.txt");
/// `6 tcp ALIAS …`
const PROTOCOLS: &str = include_str!("netdb/protocols.txt");

/// Port, protocol, and the names.
fn services() -> impl Iterator<Item = (u16, &'static str, std::str::SplitWhitespace<'static>)> {
    SERVICES.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (port, protocol) = words.next()?.split_once('/')?;
        Some((port.parse().ok()?, protocol, words))
    })
}

/// `getservbyname`: the port of a service, of any protocol if none is said.
pub(crate) fn service(name: &str, protocol: Option<&str>) -> Option<u16> {
    let fits = |of: &str| protocol.is_none_or(|protocol| protocol == of);
    services().find(|(_, of, names)| fits(of) && names.clone().any(|known| known == name)).map(|(port, ..)| port)
}

/// `getservbyport`: the name of a port.
pub(crate) fn port_name(port: u16, protocol: &str) -> Option<&'static str> {
    services().find(|(known, of, _)| *known == port && *of == protocol).and_then(|(.., mut names)| names.next())
}

fn protocols() -> impl Iterator<Item = (u8, std::str::SplitWhitespace<'static>)> {
    PROTOCOLS.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words))
    })
}

/// `getprotobyname`
pub(crate) fn protocol(name: &str) -> Option<u8> {
    protocols().find(|(_, names)| names.clone().any(|known| known == name)).map(|(number, _)| number)
}

/// `getprotobynumber`
pub(crate) fn protocol_name(number: u8) -> Option<&'static str> {
    protocols().find(|(known, _)| *known == number).and_then(|(_, mut names)| names.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases() {
        assert_eq!(
            (service("ssh", Some("tcp")), service("ssh", Some("udp")), service("nope", None)),
            (Some(22), None, None)
        );
        assert_eq!((service("www", Some("tcp")), service("domain", None)), (Some(80), Some(53)));
        assert_eq!(
            (port_name(80, "tcp"), port_name(53, "udp"), port_name(1, "udp")),
            (Some("http"), Some("domain"), None)
        );
        assert_eq!(
            (protocol("GRE"), protocol("gre"), protocol_name(47), protocol_name(0)),
            (Some(47), Some(47), Some("gre"), Some("ip"))
        );
    }
}
