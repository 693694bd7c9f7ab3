//! What the values of options mean.

use super::super::select::{Nat, Ports, Select};
use super::table::{Long, PROTOCOLS};
use super::{Stop, Table, usage};
use std::net::{IpAddr, Ipv4Addr};

/// Which names of a list are said, by their places.
pub(super) fn each(value: &str, names: &[&str]) -> Result<Vec<usize>, Stop> {
    let place = |word: &str| {
        let found = names.iter().position(|name| name.eq_ignore_ascii_case(word));
        found.ok_or_else(|| usage(format!("Bad parameter `{word}'")))
    };
    value.split(',').map(place).collect()
}

/// `expect` and the like; they may be cut short.
pub(super) fn table(value: Option<&str>) -> Result<Table, Stop> {
    let Some(value) = value else { return Ok(Table::Conntrack) };
    let tables = [
        ("expect", Table::Expect),
        ("conntrack", Table::Conntrack),
        ("dying", Table::Dying),
        ("unconfirmed", Table::Unconfirmed),
    ];
    let found = tables.into_iter().find(|(name, _)| name.starts_with(value));
    found.map(|(_, table)| table).ok_or_else(|| usage(format!("unknown type `{value}'")))
}

pub(super) fn protocol(value: &str) -> Result<(u8, &'static [&'static [Long]]), Stop> {
    let named = PROTOCOLS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(value));
    if let Some((_, number, adds)) = named {
        return Ok((*number, adds));
    }
    let number: u8 = value.parse().map_err(|_| usage(format!("`{value}' unsupported protocol")))?;
    let adds = PROTOCOLS.iter().find(|known| known.1 == number).map_or(&[][..], |known| known.2);
    Ok((number, adds))
}

pub(super) fn family(value: &str, ipv6: bool, select: &Select) -> Result<bool, Stop> {
    let asked = match value {
        "ipv4" => false,
        "ipv6" => true,
        _ => return Err(usage(format!("`{value}' unsupported protocol"))),
    };
    let addressed = select.source.is_some() || select.destination.is_some();
    if addressed && asked != ipv6 { Err(usage("mismatched address family")) } else { Ok(asked) }
}

/// An address and its mask, if it is one of IPv4; one of IPv6 fits no flow here.
type Masked = Option<(Ipv4Addr, Ipv4Addr)>;

pub(super) fn address(value: &str, ipv6: bool, masked: Option<&str>) -> Result<(Masked, bool), Stop> {
    let (text, length) = value.split_once('/').map_or((value, None), |(text, length)| (text, Some(length)));
    if length.is_some() && masked.is_none() {
        return Err(usage("CIDR notation unavailable for `--"));
    }
    match text.parse() {
        Ok(IpAddr::V6(_)) => Ok((None, true)),
        Ok(IpAddr::V4(_)) if ipv6 => Err(usage("mismatched address family")),
        Ok(IpAddr::V4(address)) => {
            let length = length.map_or(Ok(32), |length| length.parse::<u32>());
            let length = length.ok().filter(|length| *length <= 32).ok_or_else(|| usage("Invalid netmask"))?;
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            Ok((Some((address, Ipv4Addr::from_bits(mask))), false))
        }
        Err(_) => Err(usage(format!("Invalid IP address `{text}'"))),
    }
}

/// Ends the complaint about a network where an address should be.
pub(super) fn named(option: &'static str) -> impl Fn(Stop) -> Stop {
    move |stop| match stop {
        Stop::Usage(text) if text.ends_with("--") => Stop::Usage(format!("{text}{option}'")),
        stop => stop,
    }
}

pub(super) fn mask(value: &str) -> Result<Ipv4Addr, Stop> {
    value.parse().map_err(|_| usage(format!("Invalid IP address `{value}'")))
}

pub(super) fn nat(value: &str, option: &'static str) -> Result<Nat, Stop> {
    if value.is_empty() {
        return Ok(Nat::default());
    }
    let (text, port) = value.split_once(':').map_or((value, None), |(text, port)| (text, Some(port)));
    let (found, _) = address(text, false, None).map_err(named(option))?;
    Ok(Nat { address: found.map(|(address, _)| address), port: port.map(|port| number(port) as u16) })
}

/// `strtoul` with any base; what is no number is 0.
pub(super) fn number(text: &str) -> u64 {
    let text = text.trim_start();
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| u64::from_str_radix(digits, radix).ok()).unwrap_or(0)
}

/// `value/mask`
pub(super) fn mark(text: &str) -> (u32, u32) {
    let (value, mask) = text.split_once('/').map_or((text, None), |(value, mask)| (value, Some(mask)));
    (number(value) as u32, mask.map_or(u32::MAX, |mask| number(mask) as u32))
}

impl Select {
    /// What a protocol's own options ask for.
    pub(super) fn ports(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        let port = || Some(number(value) as u16);
        let Ports { source, destination, reply_source, reply_destination } = &mut self.ports;
        match letter {
            '1' => *source = port(),
            '2' => *destination = port(),
            '3' => *reply_source = port(),
            '4' => *reply_destination = port(),
            '7' => {
                let states = [
                    "NONE",
                    "SYN_SENT",
                    "SYN_RECV",
                    "ESTABLISHED",
                    "FIN_WAIT",
                    "CLOSE_WAIT",
                    "LAST_ACK",
                    "TIME_WAIT",
                    "CLOSE",
                    "SYN_SENT2",
                ];
                if !states.contains(&value) {
                    return Err(usage(format!("unknown TCP state `{value}'")));
                }
                self.state = Some(value.to_string());
            }
            'X' => self.icmp_type = Some(number(value) as u8),
            'Y' => self.icmp_code = Some(number(value) as u8),
            'Z' => self.icmp_id = port(),
            _ => {}
        }
        Ok(())
    }
}
