//! Which rules are listed or flushed.

use super::super::Ip;
use super::super::args::{
    Args, Family, InetPrefix, Stop, check_ifname, get_prefix, get_u64, get_unsigned, invarg, matches,
};
use super::super::names::{dsfield_number, protocol_number, table_number};
use super::super::route::ip_protocol;
use super::{Listed, ports, range, table_of};
use vethlab_engine::addr::{IpAddr, Prefix};

/// What is asked for. `None` is "all".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    priority: Option<u32>,
    invert: bool,
    tos: Option<u8>,
    mark: u32,
    mask: u32,
    iif: Option<String>,
    oif: Option<String>,
    /// 0 is all.
    table: u32,
    source: Option<InetPrefix>,
    destination: Option<InetPrefix>,
    /// Of `flush` only.
    protocol: Option<u8>,
    uid: Option<(u32, u32)>,
    /// 0 is all.
    ip_protocol: u8,
    source_port: Option<(u16, u16)>,
    destination_port: Option<(u16, u16)>,
    /// Something that no rule of a world has: `l3mdev`, `tun_id`.
    foreign: bool,
}

impl Filter {
    /// Reads the words after `show` or `flush`.
    pub(super) fn read(ip: &Ip, args: &mut Args<'_>) -> Result<Filter, Stop> {
        let family = if ip.opts.family == Family::Unspec { Family::Inet } else { ip.opts.family };
        let mut filter = Filter::default();
        while let Some(word) = args.next() {
            let taken = filter.number_word(word, args)?
                || filter.link_word(word, args)?
                || filter.foreign_word(word, args)?
                || filter.table_word(word, family, args)?;
            if taken {
                continue;
            }
            let word = if matches(word, "dst") || matches(word, "to") { args.value()? } else { word };
            filter.destination = Some(get_prefix(word, family)?);
        }
        Ok(filter)
    }

    fn number_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            _ if ["preference", "order", "priority"].iter().any(|name| matches(word, name)) => {
                let value = args.value()?;
                let priority = get_unsigned(value, 0);
                self.priority = Some(priority.ok_or_else(|| invarg("preference value is invalid\n", value))?);
            }
            "not" => self.invert = true,
            "tos" | "dsfield" => {
                let value = args.value()?;
                self.tos = Some(dsfield_number(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?);
            }
            "fwmark" => {
                let (mark, mask) = fwmark(args.value()?)?;
                self.mark = mark;
                self.mask = mask.unwrap_or(self.mask);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn link_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let invalid = match word {
            "dev" | "iif" => "\"iif\"/\"dev\" not a valid ifname",
            "oif" => "\"oif\" not a valid ifname",
            _ => return Ok(false),
        };
        let name = args.value()?;
        if !check_ifname(name) {
            return Err(invarg(invalid, name));
        }
        let slot = if word == "oif" { &mut self.oif } else { &mut self.iif };
        *slot = Some(name.to_owned());
        Ok(true)
    }

    fn foreign_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let asks = match word {
            "l3mdev" => true,
            "uidrange" => {
                let value = args.value()?;
                let last = range(value).and_then(|(_, second)| second);
                let last = last.ok_or_else(|| invarg("invalid UID range\n", value))?;
                self.uid = range(value).map(|(first, _)| (first, last));
                false
            }
            _ if matches(word, "tun_id") => {
                let value = args.value()?;
                get_u64(value, 0).ok_or_else(|| invarg("\"tun_id\" value is invalid\n", value))? != 0
            }
            "ipproto" => {
                let value = args.value()?;
                self.ip_protocol = ip_protocol(value).ok_or_else(|| invarg("Invalid \"ipproto\" value\n", value))?;
                false
            }
            "sport" | "dport" => {
                let value = args.value()?;
                let invalid = if word == "sport" { "invalid port range\n" } else { "invalid dport range\n" };
                let wanted = ports(value).ok_or_else(|| invarg(invalid, value))?;
                let slot = if word == "sport" { &mut self.source_port } else { &mut self.destination_port };
                *slot = Some(wanted).filter(|(first, _)| *first != 0);
                false
            }
            _ => return Ok(false),
        };
        self.foreign |= asks;
        Ok(true)
    }

    fn table_word(&mut self, word: &str, family: Family, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "lookup") || matches(word, "table") {
            let value = args.value()?;
            self.table = table_number(value).ok_or_else(|| invarg("table id value is invalid\n", value))?;
        } else if matches(word, "from") || matches(word, "src") {
            self.source = Some(get_prefix(args.value()?, family)?);
        } else if matches(word, "protocol") {
            let value = args.value()?;
            self.protocol = match protocol_number(value) {
                None if value != "all" => return Err(invarg("invalid \"protocol\"\n", value)),
                protocol => protocol,
            };
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `filter_nlmsg()`: this rule is wanted.
    pub(super) fn takes(&self, rule: &Listed) -> bool {
        let named = |wanted: &Option<String>, name: &Option<String>| wanted.is_none() || wanted == name;
        !self.foreign
            && self.priority.is_none_or(|priority| priority == rule.priority)
            && (!self.invert || rule.invert)
            && self.tos.is_none_or(|tos| tos == rule.tos)
            && (self.mark == 0 || self.mark == rule.mark)
            && (self.mask == 0 || self.mask == rule.mask)
            && (self.uid.is_none() || self.uid == rule.uid)
            && (self.ip_protocol == 0 || self.ip_protocol == rule.ip_protocol)
            && (self.source_port.is_none() || self.source_port == rule.source_port)
            && (self.destination_port.is_none() || self.destination_port == rule.destination_port)
            && named(&self.iif, &rule.iif)
            && named(&self.oif, &rule.oif)
            && (self.table == 0 || self.table == table_of(rule))
            && self.source.is_none_or(|prefix| within(&prefix, rule.source, rule.source_length))
            && self.destination.is_none_or(|prefix| within(&prefix, rule.destination, rule.destination_length))
    }

    /// `flush proto P` asks for this, too.
    pub(super) fn takes_protocol(&self, rule: &Listed) -> bool {
        self.protocol.is_none_or(|protocol| protocol == rule.protocol)
    }
}

fn within(prefix: &InetPrefix, address: IpAddr, length: u8) -> bool {
    let inside = match (prefix.address, address) {
        (Some(IpAddr::V4(of)), IpAddr::V4(address)) => Prefix::of(of, prefix.length).contains(address),
        (Some(IpAddr::V6(of)), IpAddr::V6(address)) => Prefix::of(of, prefix.length).contains(address),
        _ => true,
    };
    prefix.length <= length && inside
}

/// `MARK[/MASK]`
pub(super) fn fwmark(word: &str) -> Result<(u32, Option<u32>), Stop> {
    let (mark, mask) = word.split_once('/').map_or((word, None), |(mark, mask)| (mark, Some(mask)));
    let number = get_unsigned(mark, 0).ok_or_else(|| invarg("fwmark value is invalid\n", mark))?;
    let invalid = |mask| invarg("fwmask value is invalid\n", mask);
    let mask = mask.map(|mask| get_unsigned(mask, 0).ok_or_else(|| invalid(mask))).transpose()?;
    Ok((number, mask))
}
