//! `ip addr`: addresses are given to links and taken from them.

use super::Ip;
use super::args::{
    Args, Family, InetPrefix, Stop, duparg, duparg2, get_addr, get_prefix, get_unsigned, invarg, matches,
};
use super::names::scope_number;
use super::show::{self, Flag};
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Prefix};
use vethlab_engine::address::flag as ifa;
use vethlab_engine::control::{AddressMode, AddressSpec, Command, Errno, IfIndex, Refusal, scope};

/// The usage of `ip addr`, and status 255.
pub(super) fn usage() -> Stop {
    Stop::quit(255, include_str!("usage/addr.txt"))
}

/// `ip addr …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] =
        &["add", "change", "replace", "delete", "list", "show", "lst", "flush", "save", "showdump", "restore", "help"];
    let Some(word) = args.next() else { return show::list(ip, args, false) };
    let command = COMMANDS.iter().copied().find(|command| matches(word, command));
    match command.or((word == "chg").then_some("change")) {
        Some("add") => modify(ip, args, Some(AddressMode::Add)),
        Some("change") => modify(ip, args, Some(AddressMode::Change)),
        Some("replace") => modify(ip, args, Some(AddressMode::Replace)),
        Some("delete") => modify(ip, args, None),
        Some("list" | "show" | "lst") => show::list(ip, args, false),
        Some("flush") => show::flush(ip, args),
        Some("help") => Err(usage()),
        Some(command) => Err(Stop::fail(1, format!("vethlab: ip addr {command} is not simulated\n"))),
        None => Err(Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip address help\".\n"))),
    }
}

/// How `broadcast` was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broadcast {
    /// `+`: all host bits set.
    Ones,
    /// `-`: all host bits cleared.
    Zeros,
    /// An address.
    Is(IpAddr),
}

/// What the words say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    family: Family,
    device: Option<String>,
    /// The word of the address, and what it means.
    local: Option<(String, InetPrefix)>,
    peer: Option<InetPrefix>,
    broadcast: Option<Broadcast>,
    anycast: bool,
    scope: Option<u8>,
    label: Option<String>,
    metric: Option<u32>,
    valid: Option<u32>,
    preferred: Option<u32>,
    flags: u32,
    /// `any` or `all` was said: an address of no bytes.
    empty: bool,
    /// Warnings on the way, printed even if what follows is wrong.
    warnings: String,
}

impl Request {
    fn read(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        while let Some(word) = args.next() {
            let taken =
                self.address_word(word, args)? || self.lifetime_word(word, args)? || self.other_word(word, args)?;
            if !taken {
                self.local_word(word, args)?;
            }
        }
        Ok(())
    }

    /// The family of the first address counts for all.
    fn is_of(&mut self, prefix: &InetPrefix) {
        if self.family == Family::Unspec {
            self.family = prefix.family;
        }
        self.empty |= prefix.address.is_none();
    }

    fn address_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "peer" | "remote" => {
                let word = args.value()?;
                if self.peer.is_some() {
                    return Err(duparg("peer", word));
                }
                let peer = get_prefix(word, self.family)?;
                self.is_of(&peer);
                self.peer = Some(peer).filter(|peer| peer.address.is_some());
            }
            _ if matches(word, "broadcast") || word == "brd" => {
                let word = args.value()?;
                if self.broadcast.is_some() {
                    return Err(duparg("broadcast", word));
                }
                self.broadcast = match word {
                    "+" => Some(Broadcast::Ones),
                    "-" => Some(Broadcast::Zeros),
                    _ => {
                        let address = get_addr(word, self.family)?;
                        self.is_of(&address);
                        address.address.map(Broadcast::Is)
                    }
                };
            }
            // The kernel does not want it any more.
            "anycast" => {
                let word = args.value()?;
                if std::mem::replace(&mut self.anycast, true) {
                    return Err(duparg("anycast", word));
                }
                let address = get_addr(word, self.family)?;
                self.is_of(&address);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn lifetime_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let (slot, name) = if matches(word, "valid_lft") {
            (&mut self.valid, "valid_lft")
        } else if matches(word, "preferred_lft") && !matches(word, "preference") {
            (&mut self.preferred, "preferred_lft")
        } else {
            return Ok(false);
        };
        if slot.is_some() {
            return Err(duparg(name, word));
        }
        let word = args.value()?;
        let seconds = if word == "forever" { Some(u32::MAX) } else { get_unsigned(word, 0) };
        *slot = Some(seconds.ok_or_else(|| invarg(&format!("{name} value"), word))?);
        Ok(true)
    }

    fn other_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "scope" => {
                let word = args.value()?;
                self.scope = Some(scope_number(word).ok_or_else(|| invarg("invalid scope value.", word))?);
            }
            "dev" => self.device = Some(args.value()?.to_owned()),
            "label" => self.label = Some(args.value()?.to_owned()),
            _ if ["metric", "priority", "preference"].iter().any(|name| matches(word, name)) => {
                let word = args.value()?;
                let metric = get_unsigned(word, 0);
                self.metric = Some(metric.ok_or_else(|| invarg("\"metric\" value is invalid\n", word))?);
            }
            _ => match Flag::named(word) {
                Some(flag) => self.flag_word(flag),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn flag_word(&mut self, flag: &Flag) {
        let name = flag.name;
        if !flag.settable {
            self.warnings += &format!("Warning: {name} option is not mutable from userspace\n");
        } else if flag.v6only && self.family != Family::Inet6 {
            self.warnings += &format!("Warning: {name} option can be set only for IPv6 addresses\n");
        } else {
            self.flags |= flag.bit;
        }
    }

    fn local_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = if word == "local" { args.value()? } else { word };
        if matches(word, "help") {
            return Err(usage());
        }
        if self.local.is_some() {
            return Err(duparg2("local", word));
        }
        let prefix = get_prefix(word, self.family)?;
        self.is_of(&prefix);
        self.local = Some((word.to_owned(), prefix)).filter(|(_, prefix)| prefix.address.is_some());
        Ok(())
    }

    /// The broadcast address, with `+` and `-` worked out from the prefix.
    fn broadcast_address(&self, prefix: Option<InetPrefix>) -> Result<Option<Ipv4Addr>, Stop> {
        let ones = match self.broadcast {
            None | Some(Broadcast::Is(IpAddr::V6(_))) => return Ok(None),
            Some(Broadcast::Is(IpAddr::V4(address))) => return Ok(Some(address)),
            Some(Broadcast::Ones) => true,
            Some(Broadcast::Zeros) => false,
        };
        if self.family != Family::Inet {
            return Err(Stop::fail(1, "Broadcast can be set only for IPv4 addresses\n"));
        }
        let Some(InetPrefix { address: Some(IpAddr::V4(address)), length, .. }) = prefix else { return Ok(None) };
        let net = Prefix::of(address, length);
        Ok((length <= 30).then(|| if ones { net.last() } else { net.address() }))
    }

    /// Both lifetimes; `None` is for ever.
    fn lifetimes(&self) -> Result<(Option<u32>, Option<u32>), Stop> {
        let (valid, preferred) = (self.valid.unwrap_or(u32::MAX), self.preferred.unwrap_or(u32::MAX));
        if self.valid.is_none() && self.preferred.is_none() {
            return Ok((None, None));
        }
        if valid == 0 {
            return Err(Stop::fail(1, "valid_lft is zero\n"));
        }
        if valid < preferred {
            return Err(Stop::fail(1, "preferred_lft is greater than valid_lft\n"));
        }
        let finite = |seconds: u32| (seconds != u32::MAX).then_some(seconds);
        Ok((finite(valid), finite(preferred)))
    }
}

/// `ip addr add|change|replace`, and `del` without a mode.
fn modify(ip: &mut Ip, mut args: Args<'_>, mode: Option<AddressMode>) -> Result<(), Stop> {
    let mut request = Request { family: ip.opts.family, ..Request::default() };
    let read = request.read(&mut args);
    ip.print.error(&request.warnings);
    read?;
    let Some(device) = request.device.clone() else {
        return Err(Stop::fail(1, "Not enough information: \"dev\" argument is required.\n"));
    };
    let any_prefix = mode.is_none() && is_wildcard(&request);
    if let Some((word, _)) = request.local.as_ref().filter(|_| any_prefix) {
        ip.print.error(&wildcard_warning(word));
    }
    let local = request.local.as_ref().map(|(_, prefix)| *prefix);
    let prefix = request.peer.or(local);
    let broadcast = if mode.is_some() { request.broadcast_address(prefix)? } else { None };
    let index = ip.device(&device)?;
    let (valid, preferred) = request.lifetimes()?;
    let multicast = local.and_then(|local| local.address).is_some_and(|address| address.is_multicast());
    if request.flags & ifa::MCAUTOJOIN != 0 && !multicast {
        return Err(Stop::fail(1, "autojoin needs multicast address\n"));
    }
    // Without an address a deletion takes the first one, whatever its prefix is.
    let any_prefix = any_prefix || mode.is_none() && prefix.is_none();
    let spec = AddressSpec { broadcast, valid, preferred, any_prefix, ..spec(ip, &request, index, mode)? };
    ip.apply(match mode {
        Some(mode) => Command::AddressAdd(mode, spec),
        None => Command::AddressDelete(spec),
    })
}

/// `del 10.0.0.1` without a prefix takes that address whatever its prefix is.
fn is_wildcard(request: &Request) -> bool {
    let local = request.local.as_ref().map(|(_, local)| local);
    request.peer.is_none() && local.is_some_and(|local| local.family == Family::Inet && !local.length_given)
}

fn wildcard_warning(word: &str) -> String {
    format!(
        "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         \
         Explicitly specify the prefix length ({word}/32) to avoid this warning.\n         \
         This special behaviour is likely to disappear in further releases,\n         \
         fix your scripts!\n"
    )
}

/// The request as the kernel gets it.
fn spec(ip: &Ip, request: &Request, index: IfIndex, mode: Option<AddressMode>) -> Result<AddressSpec, Stop> {
    let long_label = request.label.as_ref().is_some_and(|label| label.len() > 15);
    if long_label || request.empty && request.family != Family::Unspec {
        return Err(Refusal::because(Errno::Range, "Attribute failed policy validation").into());
    }
    let (said, length) = request.local.as_ref().map_or((None, 0), |(_, local)| (local.address, local.length));
    let peer = request.peer.and_then(|peer| peer.address);
    let local = match (said, request.family, mode) {
        (Some(local), ..) => local,
        // IPv6 takes the peer for the address where none is said; IPv4 does not; a deletion takes the first.
        (None, Family::Inet6, _) => peer.ok_or_else(|| Refusal::from(Errno::Inval))?,
        (None, Family::Inet, None) => first_address(ip, index)?,
        (None, Family::Inet, Some(_)) => {
            return Err(Refusal::because(Errno::Inval, "ipv4: Local address is not supplied").into());
        }
        _ => return Err(Refusal::from(Errno::OpNotSupp).into()),
    };
    let peer_length = request.peer.map_or(0, |peer| peer.length);
    let any_scope = if local.is_loopback() && local.is_ipv4() { scope::HOST } else { scope::UNIVERSE };
    Ok(AddressSpec {
        peer: peer.filter(|peer| *peer != local),
        scope: mode.map(|_| request.scope.unwrap_or(any_scope)),
        label: request.label.clone(),
        noprefixroute: request.flags & ifa::NOPREFIXROUTE != 0,
        nodad: request.flags & ifa::NODAD != 0,
        flags: request.flags & !(ifa::NOPREFIXROUTE | ifa::NODAD),
        metric: request.metric,
        ..AddressSpec::of(index, local, if peer_length == 0 { length } else { peer_length })
    })
}

fn first_address(ip: &Ip, index: IfIndex) -> Result<IpAddr, Refusal> {
    let world = ip.world();
    let first = world.stack(ip.ns).ports().get(index).and_then(|port| port.addresses4.first());
    let missing = || Refusal::because(Errno::AddrNotAvail, "ipv4: Address not found");
    first.map(|address| address.local.into()).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request, Stop> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let mut request = Request::default();
        request.read(&mut Args::new(&words)).map(|()| request)
    }

    fn broadcast(line: &str) -> Result<Option<Ipv4Addr>, Stop> {
        let request = read(line)?;
        request.broadcast_address(request.peer.or(request.local.as_ref().map(|(_, local)| *local)))
    }

    #[test]
    fn broadcast_by_address_or_by_the_prefix() {
        assert_eq!(broadcast("10.0.1.1/24 brd +"), Ok(Some(Ipv4Addr::new(10, 0, 1, 255))));
        assert_eq!(broadcast("10.0.1.1/24 brd -"), Ok(Some(Ipv4Addr::new(10, 0, 1, 0))));
        assert_eq!(broadcast("10.0.1.1/31 brd +"), Ok(None));
        assert_eq!(broadcast("10.0.1.1/24 broad 10.9.9.9"), Ok(Some(Ipv4Addr::new(10, 9, 9, 9))));
        assert_eq!(broadcast("2001:db8::1/64 brd +").map_err(|_| ()), Err(()));
    }

    #[test]
    fn abbreviations_fall_where_they_fall_in_c() {
        // "pre" fits metric's third name first, "preferred" only the lifetime.
        assert_eq!(read("10.0.0.1/8 pre 5").map(|request| request.metric), Ok(Some(5)));
        assert_eq!(read("10.0.0.1/8 preferred 5").map(|request| request.preferred), Ok(Some(5)));
        assert_eq!(read("10.0.0.1/8 b + b +"), Err(duparg("broadcast", "+")));
    }

    #[test]
    fn a_flag_of_ipv6_needs_the_address_before_it() {
        let early = read("nodad 2001:db8::1/64").expect("words");
        assert_eq!(early.warnings, "Warning: nodad option can be set only for IPv6 addresses\n");
        assert_eq!(read("2001:db8::1/64 nodad").map(|request| request.flags), Ok(ifa::NODAD));
    }

    #[test]
    fn lifetimes_must_fit_each_other() {
        let lifetimes = |line| read(line).and_then(|request| request.lifetimes());
        assert_eq!(lifetimes("10.0.0.1/8"), Ok((None, None)));
        assert_eq!(lifetimes("10.0.0.1/8 valid_lft 10 preferred_lft 5"), Ok((Some(10), Some(5))));
        assert_eq!(lifetimes("10.0.0.1/8 valid_lft 0"), Err(Stop::fail(1, "valid_lft is zero\n")));
        let greater = Stop::fail(1, "preferred_lft is greater than valid_lft\n");
        assert_eq!(lifetimes("10.0.0.1/8 valid_lft 10"), Err(greater));
    }
}
