//! `ip route add|append|prepend|change|replace|test|del`: the words.

use super::super::Ip;
use super::super::args::{
    Args, Family, InetPrefix, Stop, duparg2, get_addr, get_prefix, get_u8, get_unsigned, invarg, ll_addr_a2n, matches,
};
use super::super::names::{dsfield_number, protocol_number, scope_number, table_number};
use super::metric::Metrics;
use super::nexthop::{self, Hop};
use super::words::{realms, type_number};
use super::{spec, usage};
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::RouteMode;

/// Which of the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// `add` and its like.
    Add(RouteMode),
    /// `test`: there is such a route.
    Test,
    /// `del`
    Delete,
}

/// Where `via` leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// An address; `None` for `default` where the family is not known, `any` and `all`: an address of no bytes.
    Address(Option<IpAddr>),
    /// An address of a family that routes cannot lead to.
    Foreign,
}

/// What the words say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// `rtm_family`: what was asked for, or that of the first address.
    pub family: Family,
    pub destination: Option<InetPrefix>,
    /// `from`
    pub source_length: u8,
    pub tos: u8,
    pub table: Option<u32>,
    pub kind: Option<u8>,
    pub protocol: Option<u8>,
    pub scope: Option<u8>,
    pub metric: Option<u32>,
    pub prefsrc: Option<IpAddr>,
    pub metrics: Metrics,
    pub device: Option<String>,
    pub gateway: Option<Via>,
    pub onlink: bool,
    pub realms: Option<u32>,
    pub preference: Option<u8>,
    pub expires: Option<u32>,
    /// `nhid`
    pub nexthop_id: Option<u32>,
    /// `encap` was said.
    pub encap: bool,
    /// An address of no bytes was said, which the kernel refuses.
    pub empty: bool,
    /// `nexthop …`
    pub hops: Option<Vec<Hop>>,
}

/// The command.
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>, change: Change) -> Result<(), Stop> {
    let mut request = Request { family: ip.opts.family, ..Request::default() };
    let hops_follow = request.read(&mut args)?;
    if request.destination.is_none() {
        return Err(usage());
    }
    let device = request.device.clone().map(|name| ip.device(&name)).transpose()?;
    if hops_follow {
        request.hops = Some(nexthop::read(ip, &mut request, &mut args)?);
    }
    spec::apply(ip, &request, device, change)
}

impl Request {
    /// Reads the words up to `nexthop`, and tells if that was there.
    fn read(&mut self, args: &mut Args<'_>) -> Result<bool, Stop> {
        while let Some(word) = args.peek() {
            if word == "nexthop" {
                return Ok(true);
            }
            args.next();
            let taken = self.address_word(word, args)?
                || self.number_word(word, args)?
                || self.metrics.word(word, args)?
                || self.name_word(word, args)?
                || self.rare_word(word, args)?;
            if !taken {
                self.destination_word(word, args)?;
            }
        }
        Ok(false)
    }

    /// The family of the first address counts for all.
    fn is_of(&mut self, prefix: &InetPrefix) {
        if self.family == Family::Unspec {
            self.family = prefix.family;
        }
    }

    fn address_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "src" => {
                let address = get_addr(args.value()?, self.family)?;
                self.is_of(&address);
                self.empty |= address.address.is_none();
                self.prefsrc = address.address.filter(|address| !address.is_unspecified());
            }
            // The kernel looks at it in routes of MPLS alone.
            "as" => self.new_destination(args)?,
            "via" => {
                if self.gateway.is_some() {
                    return Err(invarg("use nexthop syntax to specify multiple via\n", word));
                }
                self.gateway = Some(self.via(args)?);
            }
            "from" => {
                let prefix = get_prefix(args.value()?, self.family)?;
                self.is_of(&prefix);
                self.source_length = prefix.length;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `as [to] ADDRESS`
    pub(super) fn new_destination(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        let mut word = args.value()?;
        if word == "to" {
            word = args.value()?;
        }
        let address = get_addr(word, self.family)?;
        self.is_of(&address);
        Ok(())
    }

    /// `via [FAMILY] ADDRESS`
    pub(super) fn via(&mut self, args: &mut Args<'_>) -> Result<Via, Stop> {
        let mut word = args.value()?;
        let named = Family::named(word);
        if named.is_some() {
            word = args.value()?;
        }
        let family = named.unwrap_or(self.family);
        if family == Family::Packet && ll_addr_a2n(word, 32).is_ok()
            || family == Family::Mpls && get_u8(word, 0).is_some()
        {
            return Ok(Via::Foreign);
        }
        let address = get_addr(word, family)?;
        self.is_of(&address);
        self.empty |= address.address.is_none();
        Ok(if address.family == Family::Bridge { Via::Foreign } else { Via::Address(address.address) })
    }

    fn number_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "tos" => self.tos_word(args)?,
            _ if matches(word, "dsfield") => self.tos_word(args)?,
            "expires" => {
                let value = args.value()?;
                let expires = get_unsigned(value, 0);
                self.expires = Some(expires.ok_or_else(|| invarg("\"expires\" value is invalid\n", value))?);
            }
            _ if matches(word, "metric") || matches(word, "priority") || word == "preference" => {
                let value = args.value()?;
                let metric = get_unsigned(value, 0);
                self.metric = Some(metric.ok_or_else(|| invarg("\"metric\" value is invalid\n", value))?);
            }
            "scope" => {
                let value = args.value()?;
                let scope = scope_number(value);
                self.scope = Some(scope.ok_or_else(|| invarg("invalid \"scope\" value\n", value))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn tos_word(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        let value = args.value()?;
        self.tos = dsfield_number(value).ok_or_else(|| invarg("\"tos\" value is invalid\n", value))?;
        Ok(())
    }

    fn name_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            _ if matches(word, "realms") => {
                let value = args.value()?;
                self.realms = Some(realms(value).ok_or_else(|| invarg("\"realm\" value is invalid\n", value))?);
            }
            "onlink" => self.onlink = true,
            "nhid" => {
                let value = args.value()?;
                let id = get_unsigned(value, 0);
                self.nexthop_id = Some(id.ok_or_else(|| invarg("\"id\" value is invalid\n", value))?);
            }
            _ if matches(word, "protocol") => {
                let value = args.value()?;
                let protocol = protocol_number(value);
                self.protocol = Some(protocol.ok_or_else(|| invarg("\"protocol\" value is invalid\n", value))?);
            }
            _ if matches(word, "table") => {
                let value = args.value()?;
                let table = table_number(value);
                self.table = Some(table.ok_or_else(|| invarg("\"table\" value is invalid\n", value))?);
            }
            // There is no VRF in a world.
            _ if matches(word, "vrf") => return Err(invarg("Invalid VRF\n", args.value()?)),
            "dev" | "oif" => self.device = Some(args.value()?.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn rare_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            _ if matches(word, "pref") => {
                let value = args.value()?;
                let preference = match value {
                    "low" => Some(3),
                    "medium" => Some(0),
                    "high" => Some(1),
                    _ => get_u8(value, 0),
                };
                self.preference = Some(preference.ok_or_else(|| invarg("\"pref\" value is invalid\n", value))?);
            }
            "encap" => self.encap(args)?,
            "ttl-propagate" => {
                let value = args.value()?;
                if !matches(value, "enabled") && !matches(value, "disabled") {
                    return Err(invarg("\"ttl-propagate\" value is invalid\n", value));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `encap TYPE …`: its words are many, and are not looked at.
    pub(super) fn encap(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        const TYPES: &[&str] = &["mpls", "ip", "ip6", "ila", "bpf", "seg6", "seg6local", "rpl", "ioam6", "xfrm"];
        let kind = args.value()?;
        if !TYPES.contains(&kind) {
            return Err(invarg("\"encap type\" value is invalid\n", kind));
        }
        args.value()?;
        if args.is_empty() {
            return Err(Stop::quit(255, "Error: unexpected end of line after \"encap\"\n"));
        }
        self.encap = true;
        args.rest();
        Ok(())
    }

    fn destination_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let mut word = if word == "to" { args.value()? } else { word };
        if !word.starts_with(|c: char| c.is_ascii_digit())
            && let Some(kind) = type_number(word)
        {
            self.kind = Some(kind);
            word = args.value()?;
        }
        if matches(word, "help") {
            return Err(usage());
        }
        if self.destination.is_some() {
            return Err(duparg2("to", word));
        }
        let prefix = get_prefix(word, self.family)?;
        self.is_of(&prefix);
        self.destination = Some(prefix);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
