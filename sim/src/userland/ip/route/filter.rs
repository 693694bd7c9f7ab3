//! Which routes are listed or flushed.

use super::super::Ip;
use super::super::args::{Args, Family, InetPrefix, Stop, get_prefix, get_unsigned, invarg, matches};
use super::super::names::{dsfield_number, protocol_number, scope_number, table_number};
use super::listed::{Listed, rtm};
use super::usage;
use super::words::{realms, type_number};
use vethlab_engine::addr::{Address, IpAddr};
use vethlab_engine::control::{IfIndex, table};

/// What is asked for. `None` is "all", and what is asked for is not printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// The family of `-4` and `-6`.
    pub family: Family,
    /// The table; 0 is all.
    pub table: u32,
    /// `cache`
    pub cloned: bool,
    pub tos: Option<u8>,
    pub protocol: Option<u8>,
    pub scope: Option<u8>,
    pub kind: Option<u8>,
    /// `dev`, by its word.
    pub device: Option<String>,
    /// `dev`, found.
    pub oif: Option<IfIndex>,
    /// `iif`, by its word: no route of a table has one.
    pub iif: Option<String>,
    pub mark: Option<u32>,
    pub metric: Option<u32>,
    /// `realms`, and which bits of it count.
    pub realms: Option<(u32, u32)>,
    pub prefsrc: Option<InetPrefix>,
    pub via: Option<InetPrefix>,
    /// `root`: routes in it.
    pub root: Option<InetPrefix>,
    /// `match`: routes that hold it.
    pub matching: Option<InetPrefix>,
    /// `from root`
    pub source_root: Option<InetPrefix>,
    /// `from match`
    pub source_matching: Option<InetPrefix>,
}

impl Filter {
    /// Reads the words after `show` or `flush`.
    pub(super) fn read(ip: &Ip, args: &mut Args<'_>) -> Result<Filter, Stop> {
        let mut filter = Filter { family: ip.opts.family, table: table::MAIN, ..Filter::default() };
        while let Some(word) = args.next() {
            let taken =
                filter.table_word(word, args)? || filter.number_word(word, args)? || filter.name_word(word, args)?;
            if !taken {
                filter.prefix_word(word, args)?;
            }
        }
        if let Some(name) = &filter.iif {
            ip.device(name)?;
        }
        if let Some(name) = &filter.device {
            filter.oif = Some(ip.device(name)?);
        }
        Ok(filter)
    }

    /// The family that is dumped: IPv4 if one table is asked for and nothing else is said.
    pub(super) fn dump_family(&self) -> Family {
        match self.family {
            Family::Unspec if self.table != 0 => Family::Inet,
            family => family,
        }
    }

    fn table_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            _ if matches(word, "table") => {
                let value = args.value()?;
                match (table_number(value), value) {
                    (Some(table), _) => self.table = table,
                    (None, "all") => self.table = 0,
                    (None, "cache") => self.cloned = true,
                    (None, "help") => return Err(usage()),
                    _ => return Err(invarg("table id value is invalid\n", value)),
                }
            }
            // There is no VRF in a world.
            _ if matches(word, "vrf") => return Err(invarg("Invalid VRF\n", args.value()?)),
            _ if matches(word, "cached") || matches(word, "cloned") => self.cloned = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn number_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if word == "tos" || matches(word, "dsfield") {
            let value = args.value()?;
            self.tos = Some(dsfield_number(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?);
        } else if matches(word, "protocol") {
            self.protocol = number_or_all(args.value()?, protocol_number, "invalid \"protocol\"\n")?;
        } else if matches(word, "scope") {
            self.scope = number_or_all(args.value()?, scope_number, "invalid \"scope\"\n")?;
        } else if matches(word, "type") {
            let value = args.value()?;
            self.kind = Some(type_number(value).ok_or_else(|| invarg("node type value is invalid\n", value))?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn name_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "dev" | "oif" => self.device = Some(args.value()?.to_owned()),
            "iif" => self.iif = Some(args.value()?.to_owned()),
            "mark" => {
                let value = args.value()?;
                self.mark = Some(get_unsigned(value, 0).ok_or_else(|| invarg("invalid mark value", value))?);
            }
            _ if matches(word, "metric") || matches(word, "priority") || word == "preference" => {
                let value = args.value()?;
                let metric = get_unsigned(value, 0);
                self.metric = Some(metric.ok_or_else(|| invarg("\"metric\" value is invalid\n", value))?);
            }
            "via" => {
                let mut value = args.value()?;
                let named = Family::named(value);
                if named.is_some() {
                    value = args.value()?;
                }
                self.via = Some(get_prefix(value, named.unwrap_or(self.family))?);
            }
            "src" => self.prefsrc = Some(get_prefix(args.value()?, self.family)?),
            _ if matches(word, "realms") => {
                let value = args.value()?;
                let realms = realms(value).ok_or_else(|| invarg("invalid realms\n", value))?;
                self.realms = Some((realms, realms_mask(value, realms)));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn prefix_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        if matches(word, "from") {
            let word = args.value()?;
            let (root, matching) = self.prefix(word, args)?;
            self.source_root = root.or(self.source_root);
            self.source_matching = matching.or(self.source_matching);
            return Ok(());
        }
        let word = if matches(word, "to") { args.value()? } else { word };
        let (root, matching) = self.prefix(word, args)?;
        self.root = root.or(self.root);
        self.matching = matching.or(self.matching);
        Ok(())
    }

    /// `root PREFIX`, `match PREFIX`, `[exact] PREFIX`: what the first and the second of both filters become.
    fn prefix(&self, word: &str, args: &mut Args<'_>) -> Result<(Option<InetPrefix>, Option<InetPrefix>), Stop> {
        if matches(word, "root") {
            return Ok((Some(get_prefix(args.value()?, self.family)?), None));
        }
        if matches(word, "match") {
            return Ok((None, Some(get_prefix(args.value()?, self.family)?)));
        }
        let word = if matches(word, "exact") { args.value()? } else { word };
        let prefix = get_prefix(word, self.family)?;
        Ok((Some(prefix), Some(prefix)))
    }

    /// `filter_nlmsg()`: this route is wanted.
    pub(super) fn takes(&self, route: &Listed) -> bool {
        let is = |wanted: Option<u32>, of: u32| wanted.is_none_or(|wanted| wanted == of);
        (self.family == Family::Unspec || self.family == route.family)
            && self.cloned == (route.flags & rtm::CLONED != 0)
            && (self.table == 0 || self.table == route.table)
            && is(self.protocol.map(u32::from), route.protocol.into())
            && is(self.scope.map(u32::from), route.scope.into())
            && is(self.kind.map(u32::from), route.kind.into())
            && is(self.tos.map(u32::from), route.tos.into())
            && is(self.oif, route.oif.unwrap_or(0))
            && is(self.mark, route.mark)
            && is(self.metric, route.metric.unwrap_or(0))
            && self.iif.is_none()
            && self.realms.is_none_or(|(realms, mask)| (realms ^ route.realms.unwrap_or(0)) & mask == 0)
            && self.takes_prefixes(route)
    }

    fn takes_prefixes(&self, route: &Listed) -> bool {
        let family = route.family;
        let root = |prefix: InetPrefix, of: Option<IpAddr>, length: u8| {
            let inside = prefix.length <= length && agree(of, prefix.address, prefix.length);
            asks_nothing(&prefix) || is_of(&prefix, family) && inside
        };
        let matching = |prefix: InetPrefix, of: Option<IpAddr>, length: u8| {
            let around = prefix.length >= length && agree(of, prefix.address, length);
            asks_nothing(&prefix) || is_of(&prefix, family) && around
        };
        let source = (route.source, if route.source.is_some() { family.bits() } else { 0 });
        let via_family = route.gateway.map_or(family, Family::of);
        self.root.is_none_or(|prefix| root(prefix, route.destination, route.length))
            && self.matching.is_none_or(|prefix| matching(prefix, route.destination, route.length))
            && self.source_root.is_none_or(|prefix| root(prefix, source.0, source.1))
            && self.source_matching.is_none_or(|prefix| matching(prefix, source.0, source.1))
            && self.via.is_none_or(|prefix| near(&prefix, via_family, route.gateway))
            && self.prefsrc.is_none_or(|prefix| near(&prefix, family, route.prefsrc))
    }

    /// All bits of a prefix that is asked for are known: it need not be printed.
    pub(super) fn is_whole(prefix: Option<InetPrefix>, family: Family) -> bool {
        prefix.is_some_and(|prefix| prefix.length == family.bits())
    }
}

/// `any`, where no family is known; of `default` the length counts.
fn asks_nothing(prefix: &InetPrefix) -> bool {
    prefix.family == Family::Unspec && !prefix.length_given
}

fn is_of(prefix: &InetPrefix, family: Family) -> bool {
    prefix.family == Family::Unspec || prefix.family == family
}

/// The address lies in the prefix; one that is missing counts as zero.
fn near(prefix: &InetPrefix, family: Family, address: Option<IpAddr>) -> bool {
    prefix.family == Family::Unspec
        || prefix.family == family && agree(address.filter(|_| prefix.length > 0), prefix.address, prefix.length)
}

/// The first `bits` of both are equal; an address that is missing is all zeros.
fn agree(one: Option<IpAddr>, other: Option<IpAddr>, bits: u8) -> bool {
    let head = |address: Option<IpAddr>| match address {
        None => 0,
        Some(IpAddr::V4(address)) => Address::to_bits(address.masked(bits)) << 96,
        Some(IpAddr::V6(address)) => Address::to_bits(address.masked(bits)),
    };
    head(one) == head(other)
}

fn number_or_all(word: &str, number: fn(&str) -> Option<u8>, invalid: &str) -> Result<Option<u8>, Stop> {
    match number(word) {
        None if word != "all" => Err(invarg(invalid, word)),
        number => Ok(number),
    }
}

/// Which of both realms was said.
fn realms_mask(word: &str, realms: u32) -> u32 {
    let mut mask = u32::MAX;
    if realms & 0xffff == 0 && word.ends_with('/') {
        mask &= !0xffff;
    }
    if realms & 0xffff_0000 == 0 && (!word.contains('/') || word.starts_with('/')) {
        mask &= !0xffff_0000;
    }
    mask
}

#[cfg(test)]
mod tests;
