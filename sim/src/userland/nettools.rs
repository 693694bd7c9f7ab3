//! What the programs of net-tools 2.10 share: how they read names and addresses, and the lists in their usages.

use super::Proc;
use super::number::strtol;
use super::resolve::{Family, inet_aton, resolve};
use crate::lab::Exit;
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Command, Errno};

/// `-V`
pub(super) const RELEASE: &str = "net-tools 2.10\n";
/// The second half of `route -V` and `arp -V`.
pub(super) const FAMILIES: &str =
    "AF: (inet) +UNIX +INET +INET6 +IPX +AX25 +NETROM +X25 +ATALK +ECONET +ROSE -BLUETOOTH\n";
/// The hardware they were built for.
pub(super) const HARDWARE: &str = "+ETHER +ARC +SLIP +PPP +TUNNEL -TR +AX25 +NETROM +X25 +FR +ROSE +ASH +SIT +FDDI \
                                   +HIPPI +HDLC/LAPB +EUI64 \n";

/// Status of a wrong command line.
pub(super) const E_OPTERR: i32 = 3;

/// Kinds of hardware: name, title, and whether ARP knows them.
pub(super) const HW_TYPES: &[(&str, &str, bool)] = &[
    ("loop", "Local Loopback", false),
    ("slip", "Serial Line IP", false),
    ("cslip", "VJ Serial Line IP", false),
    ("slip6", "6-bit Serial Line IP", false),
    ("cslip6", "VJ 6-bit Serial Line IP", false),
    ("adaptive", "Adaptive Serial Line IP", false),
    ("ash", "Ash", true),
    ("ether", "Ethernet", true),
    ("ax25", "AMPR AX.25", true),
    ("netrom", "AMPR NET/ROM", true),
    ("rose", "AMPR ROSE", true),
    ("tunnel", "IPIP Tunnel", false),
    ("ppp", "Point-to-Point Protocol", false),
    ("hdlc", "(Cisco)-HDLC", false),
    ("lapb", "LAPB", false),
    ("arcnet", "ARCnet", true),
    ("dlci", "Frame Relay DLCI", true),
    ("frad", "Frame Relay Access Device", false),
    ("sit", "IPv6-in-IPv4", false),
    ("fddi", "Fiber Distributed Data Interface", true),
    ("hippi", "HIPPI", true),
    ("irda", "IrLAP", true),
    ("ec", "Econet", false),
    ("x25", "generic X.25", true),
    ("eui64", "Generic EUI-64", true),
];

/// Families of addresses: name, title, number, and whether they have routes.
pub(super) const AF_TYPES: &[(&str, &str, u32, bool)] = &[
    ("unix", "UNIX Domain", 1, false),
    ("inet", "DARPA Internet", 2, true),
    ("inet6", "IPv6", 10, true),
    ("ax25", "AMPR AX.25", 3, true),
    ("netrom", "AMPR NET/ROM", 6, true),
    ("rose", "AMPR ROSE", 11, true),
    ("ipx", "Novell IPX", 4, true),
    ("ddp", "Appletalk DDP", 5, true),
    ("ec", "Econet", 19, false),
    ("ash", "Ash", 18, false),
    ("x25", "CCITT X.25", 9, true),
];

/// `print_hwlist()`
pub(super) fn hardware_list(only_arp: bool) -> String {
    columns(HW_TYPES.iter().filter(|kind| kind.2 || !only_arp).map(|kind| (kind.0, kind.1)))
}

/// `print_aflist()`
pub(super) fn family_list(only_routed: bool) -> String {
    columns(AF_TYPES.iter().filter(|family| family.3 || !only_routed).map(|family| (family.0, family.1)))
}

/// Three to a line.
fn columns<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let entries: Vec<String> = entries.map(|(name, title)| format!("{name} ({title}) ")).collect();
    entries.chunks(3).map(|line| format!("    {}\n", line.concat())).collect()
}

/// Prints an error and ends with a status.
pub(super) fn fail(p: &Proc, text: &str, status: i32) -> Exit {
    p.err(text);
    Exit::Status(status)
}

/// Networks with names, as `/etc/networks` of Debian has them.
const NETWORKS: &[(&str, Ipv4Addr)] =
    &[("loopback", Ipv4Addr::new(127, 0, 0, 0)), ("link-local", Ipv4Addr::new(169, 254, 0, 0))];

/// The address that a word names, and whether it is a network's; else the complaint.
pub(super) fn address(word: &str) -> Result<(Ipv4Addr, bool), String> {
    if word == "default" {
        return Ok((Ipv4Addr::UNSPECIFIED, true));
    }
    if let Some(address) = inet_aton(word) {
        return Ok((address, false));
    }
    if let Some((_, address)) = NETWORKS.iter().find(|(name, _)| *name == word) {
        return Ok((*address, true));
    }
    match resolve(word, Family::V4) {
        Ok(IpAddr::V4(address)) => Ok((address, false)),
        _ => Err(format!("{word}: Unknown host\n")),
    }
}

/// A prefix length behind a slash, taken off, as a mask: the processor counts shifts by five bits only.
pub(super) fn split_mask(word: &str) -> Option<(&str, Option<u32>)> {
    let Some((word, prefix)) = word.split_once('/') else { return Some((word, None)) };
    let prefix = super::number::strtoul(prefix, 0);
    prefix.rest.is_empty().then(|| (word, Some(!(u32::MAX >> (prefix.value & 31)))))
}

/// The name of a host, or of a network, or the number.
pub(super) fn name(address: Ipv4Addr, host: bool, numeric: bool) -> String {
    let network = || NETWORKS.iter().find(|(_, known)| *known == address).map(|(name, _)| *name);
    let name = if host { super::resolve::name_of(address) } else { network() };
    name.filter(|_| !numeric).map_or_else(|| address.to_string(), str::to_string)
}

/// `atoi`
pub(super) fn atoi(word: &str) -> i32 {
    strtol(word, 10).value as i32
}

/// A MAC as the original reads it: what is missing at its end is 0, what follows it does not matter.
pub(super) fn ether(word: &str) -> Option<Mac> {
    let mut mac = [0; 6];
    let mut rest = word;
    for byte in &mut mac {
        let Some(first) = rest.chars().next() else { break };
        let high = first.to_digit(16)? as u8;
        rest = rest.get(1..)?;
        *byte = match rest.chars().next() {
            None => high,
            Some(':') => {
                rest = rest.get(1..)?;
                high
            }
            Some(second) => {
                let low = second.to_digit(16)? as u8;
                rest = rest.get(1..)?;
                high << 4 | low
            }
        };
        rest = rest.strip_prefix(':').unwrap_or(rest);
    }
    Some(Mac(mac))
}

/// Configures the program's own namespace; of a refusal, an `ioctl` tells the number only.
pub(super) fn apply(p: &Proc, command: Command) -> Result<(), Errno> {
    p.world().apply(p.ns(), command).map_err(|refusal| refusal.errno)
}

#[cfg(test)]
mod judged;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_name_addresses() {
        assert_eq!(address("default"), Ok((Ipv4Addr::UNSPECIFIED, true)));
        assert_eq!(address("10.1"), Ok((Ipv4Addr::new(10, 0, 0, 1), false)));
        assert_eq!(address("loopback"), Ok((Ipv4Addr::new(127, 0, 0, 0), true)));
        assert_eq!(address("localhost"), Ok((Ipv4Addr::LOCALHOST, false)));
        assert_eq!(address("999.1.1.1"), Err("999.1.1.1: Unknown host\n".into()));
        assert_eq!(split_mask("10.0.0.0/8"), Some(("10.0.0.0", Some(0xff00_0000))));
        assert_eq!(split_mask("10.0.0.0/32"), Some(("10.0.0.0", Some(0))), "as on x86");
        assert_eq!(split_mask("10.0.0.0/x"), None);
    }

    #[test]
    fn macs_may_be_short_and_without_colons() {
        for (word, mac) in [
            ("02:00:00:00:00:09", Some([2, 0, 0, 0, 0, 9])),
            ("02:00:00:00:00", Some([2, 0, 0, 0, 0, 0])),
            ("020000000009", Some([2, 0, 0, 0, 0, 9])),
            ("2:0:0:0:0:9", Some([2, 0, 0, 0, 0, 9])),
            ("zz", None),
            ("02:0x", None),
            ("é", None),
        ] {
            assert_eq!(ether(word).map(|mac| mac.0), mac, "{word}");
        }
    }

    #[test]
    fn lists_stand_in_three_columns() {
        assert_eq!(
            hardware_list(true),
            "    ash (Ash) ether (Ethernet) ax25 (AMPR AX.25) \n    \
             netrom (AMPR NET/ROM) rose (AMPR ROSE) arcnet (ARCnet) \n    \
             dlci (Frame Relay DLCI) fddi (Fiber Distributed Data Interface) hippi (HIPPI) \n    \
             irda (IrLAP) x25 (generic X.25) eui64 (Generic EUI-64) \n"
        );
        assert_eq!(hardware_list(false).lines().count(), 9);
        assert_eq!(family_list(true).lines().last(), Some("    ddp (Appletalk DDP) x25 (CCITT X.25) "));
        assert_eq!(family_list(false).lines().last(), Some("    ash (Ash) x25 (CCITT X.25) "));
    }
}
