//! Addresses and interfaces of a rule: what `-s`, `-d`, `-i`, `-o`, `-p` say, and how they are shown.

use super::read::whole;
use super::stop::Problem;
use crate::userland::netdb;
use crate::userland::resolve::{Family, name_of, resolve};
use std::net::IpAddr;
use vethlab_engine::addr::Ipv4Addr;

/// The prefix length of a mask without holes.
pub(super) fn cidr(mask: Ipv4Addr) -> Option<u32> {
    let ones = mask.to_bits().leading_ones();
    (mask_of_prefix(ones) == mask).then_some(ones)
}

/// A mask of that many ones.
pub(super) fn mask_of_prefix(prefix: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - prefix).unwrap_or(0))
}

/// `xtables_numeric_to_ipaddr`: four numbers, or fewer, then with zeros behind them (unlike anywhere else).
pub(super) fn numeric(text: &str) -> Option<Ipv4Addr> {
    // Longer texts are cut where its buffer ends.
    let text = text.get(..19.min(text.len())).unwrap_or(text);
    let parts: Vec<&str> = text.splitn(4, '.').collect();
    let mut bytes = [0u8; 4];
    for (byte, part) in bytes.iter_mut().zip(&parts) {
        *byte = whole(part, 0, u8::MAX.into())? as u8;
    }
    Some(Ipv4Addr::from(bytes))
}

/// `parse_ipmask`: four numbers or a prefix length.
fn mask(text: &str) -> Result<Ipv4Addr, Problem> {
    if text.matches('.').count() >= 3
        && let Some(mask) = numeric(text)
    {
        return Ok(mask);
    }
    let prefix = whole(text, 0, 32).and_then(|prefix| u32::try_from(prefix).ok());
    prefix.map(mask_of_prefix).ok_or_else(|| Problem::Parameter(format!("invalid mask `{text}' specified")))
}

/// `/etc/networks` of Debian.
const NETWORKS: &[(&str, Ipv4Addr)] = &[
    ("default", Ipv4Addr::UNSPECIFIED),
    ("loopback", Ipv4Addr::new(127, 0, 0, 0)),
    ("link-local", Ipv4Addr::new(169, 254, 0, 0)),
];

/// `ipparse_hostnetwork`
fn host_or_network(name: &str) -> Result<Ipv4Addr, Problem> {
    let network = || NETWORKS.iter().find(|(known, _)| *known == name).map(|(_, address)| *address);
    let host = || match resolve(name, Family::V4) {
        Ok(IpAddr::V4(address)) => Some(address),
        _ => None,
    };
    numeric(name)
        .or_else(network)
        .or_else(host)
        .ok_or_else(|| Problem::Parameter(format!("host/network `{name}' not found")))
}

/// `xtables_ipparse_multiple`: what `-s` and `-d` say, `address[/mask][,…]`.
pub(super) fn networks(text: &str) -> Result<Vec<(Ipv4Addr, Ipv4Addr)>, Problem> {
    let mut found = Vec::new();
    for item in text.split(',') {
        let item = item.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        if item.len() > 255 {
            return Err(Problem::parameter("Hostname too long"));
        }
        let (name, mask) = match item.rsplit_once('/') {
            Some((name, text)) => (name, mask(text)?),
            None => (item, Ipv4Addr::BROADCAST),
        };
        // Where nothing is masked, the name does not matter.
        let address = if mask.is_unspecified() { mask } else { host_or_network(name)? };
        found.push((Ipv4Addr::from_bits(address.to_bits() & mask.to_bits()), mask));
    }
    Ok(found)
}

/// An address in a listing: `anywhere`, `localhost`, `10.0.0.0/8`.
pub(super) fn listed((address, mask): (Ipv4Addr, Ipv4Addr), numeric: bool) -> String {
    if mask.is_unspecified() && !numeric {
        return "anywhere".to_string();
    }
    named(address, numeric) + &mask_behind(mask)
}

/// `xtables_ipaddr_to_anyname`
pub(super) fn named(address: Ipv4Addr, numeric: bool) -> String {
    let network = || NETWORKS.iter().find(|(_, known)| *known == address).map(|(name, _)| *name);
    let name = if numeric { None } else { name_of(address).or_else(network) };
    name.map_or_else(|| address.to_string(), str::to_string)
}

/// `xtables_ipmask_to_numeric`: nothing for a whole address.
pub(super) fn mask_behind(mask: Ipv4Addr) -> String {
    match cidr(mask) {
        Some(32) => String::new(),
        Some(prefix) => format!("/{prefix}"),
        None => format!("/{mask}"),
    }
}

/// The mask in `-S`; one of no bits is written out.
pub(super) fn mask_saved(mask: Ipv4Addr) -> String {
    match cidr(mask) {
        Some(prefix) => prefix.to_string(),
        None => mask.to_string(),
    }
}

/// `xtables_parse_interface`, with its warning.
pub(super) fn interface(name: &str, warnings: &mut String) -> Result<String, Problem> {
    if name.len() > 15 {
        return Err(Problem::Parameter(format!("interface name `{name}' must be shorter than IFNAMSIZ (15)")));
    }
    if name.contains(['/', ' ']) {
        *warnings +=
            &format!("Warning: weird character in interface `{name}' ('/' and ' ' are not allowed by the kernel).\n");
    }
    Ok(name.to_string())
}

/// Protocols that iptables knows by itself.
const PROTOCOLS: &[(&str, u8)] = &[
    ("tcp", 6),
    ("sctp", 132),
    ("udp", 17),
    ("udplite", 136),
    ("icmp", 1),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("esp", 50),
    ("ah", 51),
    ("mobility-header", 135),
    ("ipv6-mh", 135),
    ("mh", 135),
    ("all", 0),
];

/// `xtables_parse_protocol`
pub(super) fn protocol(text: &str) -> Result<u8, Problem> {
    let number = whole(text, 0, u8::MAX.into()).and_then(|number| u8::try_from(number).ok());
    let known = || PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    number
        .or_else(known)
        .or_else(|| netdb::protocol(text))
        .ok_or_else(|| Problem::Parameter(format!("unknown protocol \"{text}\" specified")))
}

/// `proto_to_name`; looked up in `/etc/protocols` too if `lookup`.
pub(super) fn protocol_name(number: u8, lookup: bool) -> Option<&'static str> {
    let known = PROTOCOLS.iter().find(|(_, known)| *known == number).map(|(name, _)| *name);
    known.or_else(|| netdb::protocol_name(number).filter(|_| lookup && number != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_addresses_are_filled_from_behind() {
        assert_eq!(numeric("10"), Some(Ipv4Addr::new(10, 0, 0, 0)));
        assert_eq!(numeric("10.1"), Some(Ipv4Addr::new(10, 1, 0, 0)));
        assert_eq!(numeric("0x0a.1.1.010"), Some(Ipv4Addr::new(10, 1, 1, 8)));
        assert_eq!((numeric("1.2.3.4.5"), numeric("256"), numeric("")), (None, None, None));
    }

    #[test]
    fn masks_of_all_kinds() {
        let one = |text| networks(text).map(|found| found[0]);
        assert_eq!(one("10.5.5.5/255.255.0.0"), Ok((Ipv4Addr::new(10, 5, 0, 0), Ipv4Addr::new(255, 255, 0, 0))));
        assert_eq!(one("nosuch/0"), Ok((Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED)));
        assert_eq!(networks("1.1.1.1, 2.2.2.0/24").map(|all| all.len()), Ok(2));
        assert_eq!(one("1.1.1.1/33"), Err(Problem::parameter("invalid mask `33' specified")));
        assert_eq!(one("!"), Err(Problem::parameter("host/network `!' not found")));
        assert_eq!(mask_saved(Ipv4Addr::new(0, 255, 0, 255)), "0.255.0.255");
    }
}
