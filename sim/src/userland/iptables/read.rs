//! Values of options, as `libxtables/xtoptions.c` reads them.

use super::address::{cidr, mask_of_prefix};
use super::extension::{Call, Value};
use super::stop::Problem;
use crate::userland::netdb;
use crate::userland::number::strtoul;
use crate::userland::resolve::{Family, inet_aton, resolve};
use std::net::IpAddr;
use vethlab_engine::addr::{Ipv4Addr, Mac};

/// `xtables_strtoul`: a number of base 10, 8 or 16 within bounds, and what follows it.
pub(super) fn leading(text: &str, min: u64, max: u64) -> Option<(u64, &str)> {
    let trimmed = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    if trimmed.starts_with('-') {
        return None;
    }
    let number = strtoul(text, 0);
    let value = number.value as u64;
    (!number.empty && !number.overflow && min <= value && value <= max).then_some((value, number.rest))
}

/// The same, with nothing behind it.
pub(super) fn whole(text: &str, min: u64, max: u64) -> Option<u64> {
    leading(text, min, max).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

/// `xtopt_parse_int`
fn integer(call: &Call<'_>, min: u64, max: u64) -> Result<Value, Problem> {
    whole(call.arg, min, max).map(Value::Number).ok_or_else(|| {
        Problem::Parameter(format!(
            "{}: bad value for option \"--{}\", or out of range ({min}-{max}).\n",
            call.extension, call.name
        ))
    })
}

/// `XTTYPE_UINT8`
pub(super) fn uint8(call: &mut Call<'_>) -> Result<Value, Problem> {
    integer(call, 0, u8::MAX.into())
}

/// `XTTYPE_UINT8`, from 1.
pub(super) fn uint8_from_1(call: &mut Call<'_>) -> Result<Value, Problem> {
    integer(call, 1, u8::MAX.into())
}

/// `XTTYPE_UINT8`, to 63.
pub(super) fn uint8_to_63(call: &mut Call<'_>) -> Result<Value, Problem> {
    integer(call, 0, 63)
}

/// `XTTYPE_UINT16`, to what fits beside an IP header.
pub(super) fn uint16_mss(call: &mut Call<'_>) -> Result<Value, Problem> {
    integer(call, 0, 65515)
}

/// `XTTYPE_UINT32`
pub(super) fn uint32(call: &mut Call<'_>) -> Result<Value, Problem> {
    integer(call, 0, u32::MAX.into())
}

/// `XTTYPE_UINT32`, from 1.
pub(super) fn uint32_from_1(call: &mut Call<'_>) -> Result<Value, Problem> {
    integer(call, 1, u32::MAX.into())
}

/// `XTTYPE_UINT32`, to 10000.
pub(super) fn uint32_to_10000(call: &mut Call<'_>) -> Result<Value, Problem> {
    integer(call, 0, 10000)
}

/// `xtopt_parse_mint`: one number or two, with a colon between them, each of which may be left out.
fn integers(call: &Call<'_>, max: u32) -> Result<Value, Problem> {
    let option = || format!("option \"--{}\"", call.name);
    let mut values = Vec::new();
    let mut arg = call.arg;
    loop {
        if values.len() == 2 {
            let text = format!("{}: Too many components for {} (max: 2)\n", call.extension, option());
            return Err(Problem::Parameter(text));
        }
        let (value, rest) = if arg.is_empty() || arg.starts_with(':') {
            (if values.len() == 1 { max.into() } else { 0 }, arg)
        } else {
            leading(arg, 0, max.into()).ok_or_else(|| {
                Problem::Parameter(format!(
                    "{}: bad value for {} near \"{arg}\", or out of range (0-{max}).\n",
                    call.extension,
                    option()
                ))
            })?
        };
        if !rest.is_empty() && !rest.starts_with(':') {
            let text = format!(
                "{}: Argument to \"--{}\" has unexpected characters near \"{rest}\".\n",
                call.extension, call.name
            );
            return Err(Problem::Parameter(text));
        }
        values.push(u32::try_from(value).unwrap_or(u32::MAX));
        match rest.strip_prefix(':') {
            Some(more) => arg = more,
            None => break,
        }
    }
    let first = values.first().copied().unwrap_or(0);
    Ok(Value::Range(first, values.get(1).copied().unwrap_or(first)))
}

/// `XTTYPE_UINT16RC`
pub(super) fn uint16_range(call: &mut Call<'_>) -> Result<Value, Problem> {
    integers(call, u16::MAX.into())
}

/// `XTTYPE_UINT32RC`
pub(super) fn uint32_range(call: &mut Call<'_>) -> Result<Value, Problem> {
    integers(call, u32::MAX)
}

/// `XTTYPE_STRING`
pub(super) fn text(call: &mut Call<'_>) -> Result<Value, Problem> {
    Ok(Value::Text(call.arg.to_string()))
}

/// `XTTYPE_MARKMASK32`: `value[/mask]`.
pub(super) fn mark(call: &mut Call<'_>) -> Result<Value, Problem> {
    let option = format!("option \"--{}\"", call.name);
    let bad = || Problem::Parameter(format!("{}: bad integer value for {option}, or out of range.\n", call.extension));
    let garbage = || Problem::Parameter(format!("{}: trailing garbage after value for {option}.\n", call.extension));
    let (value, rest) = leading(call.arg, 0, u32::MAX.into()).ok_or_else(bad)?;
    let mask = match rest.strip_prefix('/') {
        None if rest.is_empty() => u32::MAX.into(),
        None => return Err(garbage()),
        Some(mask) => match leading(mask, 0, u32::MAX.into()).ok_or_else(bad)? {
            (mask, "") => mask,
            _ => return Err(garbage()),
        },
    };
    Ok(Value::Masked(u32::try_from(value).unwrap_or(0), u32::try_from(mask).unwrap_or(0)))
}

/// `XTTYPE_PORTRC`: names and numbers of any protocol, `first:last`.
pub(super) fn port_range(call: &mut Call<'_>) -> Result<Value, Problem> {
    let mut ports = [0, u16::MAX];
    let mut count = 0;
    for arg in call.arg.split(':') {
        if count == 2 {
            let text = format!("{}: Too many components for option \"--{}\" (max: 2)\n", call.extension, call.name);
            return Err(Problem::Parameter(text));
        }
        if !arg.is_empty() {
            let port = any_port(arg)
                .ok_or_else(|| Problem::Parameter(format!("Port \"{arg}\" does not resolve to anything.\n")))?;
            if let Some(place) = ports.get_mut(count) {
                *place = port;
            }
        }
        count += 1;
    }
    if count == 1 {
        ports[1] = ports[0];
    }
    Ok(Value::Ports(vec![(ports[0], ports[1])]))
}

/// A port as `getaddrinfo` reads it: decimal, cut to 16 bits, or a name of any protocol.
fn any_port(arg: &str) -> Option<u16> {
    let number = strtoul(arg, 10);
    if !number.empty && number.rest.is_empty() && number.value as i32 >= 0 {
        return Some(number.value as u16);
    }
    netdb::service(arg, None)
}

/// `xtables_parse_port`: a number, or the name of a service of this protocol.
pub(super) fn port(arg: &str, protocol: &str) -> Result<u16, Problem> {
    let number = whole(arg, 0, u16::MAX.into()).and_then(|port| u16::try_from(port).ok());
    number
        .or_else(|| netdb::service(arg, Some(protocol)))
        .ok_or_else(|| Problem::Parameter(format!("invalid port/service `{arg}' specified")))
}

/// `XTTYPE_HOST`
fn host(name: &str) -> Result<Ipv4Addr, Problem> {
    match resolve(name, Family::V4) {
        Ok(IpAddr::V4(address)) => Ok(address),
        Ok(IpAddr::V6(_)) => Err(Problem::parameter("getaddrinfo: Address family for hostname not supported\n")),
        Err(why) => Err(Problem::Parameter(format!("getaddrinfo: {why}\n"))),
    }
}

/// `XTTYPE_HOSTMASK`: `address[/mask]`; what is outside the mask stays as it was said.
pub(super) fn network(call: &mut Call<'_>) -> Result<Value, Problem> {
    let Some((address, mask)) = call.arg.split_once('/') else {
        return Ok(Value::Network(host(call.arg)?, Ipv4Addr::BROADCAST));
    };
    let address = host(address)?;
    let prefix = match whole(mask, 0, 32) {
        Some(prefix) => u32::try_from(prefix).unwrap_or(32),
        // A mask with holes counts as none.
        None => inet_aton(mask).map(|mask| cidr(mask).unwrap_or(32)).ok_or_else(|| {
            Problem::Parameter(format!(
                "{}: bad value for option \"--{}\", neither a valid network mask nor valid CIDR (0-32).\n",
                call.extension, call.name
            ))
        })?,
    };
    Ok(Value::Network(address, mask_of_prefix(prefix)))
}

/// `XTTYPE_ETHERMAC`
pub(super) fn mac(call: &mut Call<'_>) -> Result<Value, Problem> {
    let bad = || Problem::parameter("Invalid MAC address specified.");
    let parts: Vec<&str> = call.arg.split(':').collect();
    let bytes = parts.iter().map(|part| match part.len() {
        0 => Some(0),
        1 | 2 => u8::from_str_radix(part, 16).ok().filter(|_| !part.starts_with('+')),
        _ => None,
    });
    let bytes: Vec<u8> = bytes.collect::<Option<_>>().ok_or_else(bad)?;
    <[u8; 6]>::try_from(bytes).map(|bytes| Value::Mac(Mac(bytes))).map_err(|_| bad())
}

/// `XTTYPE_TOSMASK`: `value[/mask]` or a name; a number's mask is 0xff, a name's 0x3f.
pub(super) fn tos(call: &mut Call<'_>) -> Result<Value, Problem> {
    if let Some((value, rest)) = leading(call.arg, 0, u8::MAX.into()) {
        let illegal = || Problem::Parameter(format!("Illegal value: \"{}\"", call.arg));
        let mask = match rest.strip_prefix('/') {
            Some(mask) => whole_or(mask, illegal)?,
            None if rest.is_empty() => u8::MAX.into(),
            None => return Err(illegal()),
        };
        return Ok(Value::Masked(value as u32, mask as u32));
    }
    let named = TOS_NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(call.arg));
    let (value, _) = named.ok_or_else(|| Problem::Parameter(format!("Symbolic name \"{}\" is unknown", call.arg)))?;
    Ok(Value::Masked((*value).into(), 0x3f))
}

fn whole_or(text: &str, complaint: impl Fn() -> Problem) -> Result<u64, Problem> {
    whole(text, 0, u8::MAX.into()).ok_or_else(complaint)
}

/// Types of service that have names.
pub(super) const TOS_NAMES: &[(u8, &str)] = &[
    (0x10, "Minimize-Delay"),
    (0x08, "Maximize-Throughput"),
    (0x04, "Maximize-Reliability"),
    (0x02, "Minimize-Cost"),
    (0x00, "Normal-Service"),
];

/// Classes of differentiated services; a name that goes on counts too.
pub(super) fn dscp_class(call: &mut Call<'_>) -> Result<Value, Problem> {
    #[rustfmt::skip]
    const CLASSES: &[(&str, u64)] = &[
        ("CS0", 0x00), ("CS1", 0x08), ("CS2", 0x10), ("CS3", 0x18), ("CS4", 0x20), ("CS5", 0x28), ("CS6", 0x30),
        ("CS7", 0x38), ("BE", 0x00), ("AF11", 0x0a), ("AF12", 0x0c), ("AF13", 0x0e), ("AF21", 0x12), ("AF22", 0x14),
        ("AF23", 0x16), ("AF31", 0x1a), ("AF32", 0x1c), ("AF33", 0x1e), ("AF41", 0x22), ("AF42", 0x24), ("AF43", 0x26),
        ("EF", 0x2e),
    ];
    let class = CLASSES.iter().find(|(name, _)| starts_like(call.arg, name));
    let bad = || Problem::Parameter(format!("Invalid DSCP value `{}'", call.arg));
    class.map(|(_, value)| Value::Number(*value)).ok_or_else(bad)
}

/// `!strncasecmp(text, head, strlen(head))`
pub(super) fn starts_like(text: &str, head: &str) -> bool {
    text.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head))
}

/// Names with commas between them, each as far as it is written out, as the bits of their places in `names`. The complaint
/// is given what is left of the list where it goes wrong.
pub(super) fn named_bits(
    arg: &str,
    names: &[(&str, u64)],
    complaint: impl Fn(&str, bool) -> Problem,
) -> Result<u64, Problem> {
    let mut bits = 0;
    let mut rest = arg;
    loop {
        let (word, more) = match rest.split_once(',') {
            Some((word, more)) => (word, Some(more)),
            None => (rest, None),
        };
        let found = names.iter().find(|(name, _)| !word.is_empty() && starts_like(name, word));
        let (_, bit) = found.ok_or_else(|| complaint(rest, more.is_none()))?;
        bits |= bit;
        match more {
            Some(more) => rest = more,
            None => return Ok(bits),
        }
    }
}
