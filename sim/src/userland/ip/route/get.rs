//! `ip route get`: which way one packet would go.

use super::super::Ip;
use super::super::args::{
    Args, Family, InetPrefix, Stop, get_addr, get_prefix, get_u16, get_unsigned, invarg, matches,
};
use super::super::names::dsfield_number;
use super::filter::Filter;
use super::listed::{Around, Listed, rtm};
use super::print::print;
use super::usage;
use super::words::ip_protocol;
use vethlab_engine::addr::{IpAddr, Ipv4Addr, Ipv6Addr};
use vethlab_engine::control::{Errno, Nud, Refusal};
use vethlab_engine::route::{Net, RouteGet, RouteGot, route_get, rtcf};

/// What the words say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Request {
    family: Family,
    destination: Option<InetPrefix>,
    source: Option<InetPrefix>,
    iif: Option<String>,
    oif: Option<String>,
    tos: u8,
    mark: u32,
    uid: Option<u32>,
    ip_protocol: u8,
    source_port: u16,
    destination_port: u16,
    notify: bool,
    connected: bool,
    fibmatch: bool,
    /// `as`
    new_destination: bool,
    /// Warnings on the way, printed even if what follows is wrong.
    warnings: String,
}

/// `ip route get …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let mut request = Request { family: ip.opts.family, ..Request::default() };
    let read = request.read(&mut args);
    ip.print.error(&request.warnings);
    read?;
    if request.destination.is_none() {
        return Err(Stop::fail(1, "need at least a destination address\n"));
    }
    let mut ask = request.ask(ip)?;
    let way = answer(ip, &ask, request.notify)?;
    ip.print.begin();
    print(ip, &filter(), &way);
    if request.connected && request.source.is_none() {
        ip.print.end();
        ask = connect(ask, &way, request.oif.is_some())?;
        let way = answer(ip, &ask, request.notify)?;
        print(ip, &filter(), &way);
        return Ok(());
    }
    ip.print.end();
    Ok(())
}

/// The answer is printed whole.
fn filter() -> Filter {
    Filter { table: 0, ..Filter::default() }
}

fn answer(ip: &Ip, ask: &RouteGet, notify: bool) -> Result<Listed, Stop> {
    let world = ip.world();
    let stack = world.stack(ip.ns);
    let config = stack.config();
    let around = Around { now: world.now(), ports: &config.ports, sysctls: &config.sysctls };
    let known = stack.neighbor_entries(around.now);
    let neighbors = |port, address: Ipv4Addr| {
        let found = known.iter().find(|entry| entry.port == port && entry.ip == IpAddr::V4(address));
        found.map_or(Nud::None, |entry| entry.state)
    };
    let net = Net::new(around.now, around.ports, around.sysctls).with_neighbors(&neighbors);
    let mut listed = match route_get(net, &config.rib4, &config.rib6, ask)? {
        RouteGot::Way(way) => Listed::way(&way),
        RouteGot::Match4(route) => Listed::route(around, &route),
        RouteGot::Match6(route) => Listed { iif: ask.iif, ..Listed::route(around, &route) },
    };
    if notify && listed.flags & rtm::CLONED != 0 {
        listed.flags |= rtm::NOTIFY | rtcf::NOTIFY;
    }
    Ok(listed)
}

/// The second question of `connected`: the first answer as it stands, but for the gateway, with its source as `from`.
fn connect(ask: RouteGet, way: &Listed, oif: bool) -> Result<RouteGet, Stop> {
    if way.prefsrc.is_none() && way.source.is_none() {
        return Err(Stop::fail(1, "Failed to connect the route\n"));
    }
    Ok(RouteGet { oif: ask.oif.filter(|_| oif), ..ask })
}

impl Request {
    fn read(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        while let Some(word) = args.next() {
            let taken =
                self.packet_word(word, args)? || self.device_word(word, args)? || self.layer4_word(word, args)?;
            if !taken {
                self.destination_word(word, args)?;
            }
        }
        Ok(())
    }

    fn is_of(&mut self, prefix: &InetPrefix) {
        if self.family == Family::Unspec {
            self.family = prefix.family;
        }
    }

    fn packet_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if word == "tos" || matches(word, "dsfield") {
            let value = args.value()?;
            self.tos = dsfield_number(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?;
        } else if matches(word, "from") {
            let value = args.value()?;
            if matches(value, "help") {
                return Err(usage());
            }
            let prefix = get_prefix(value, self.family)?;
            self.is_of(&prefix);
            self.source = Some(prefix);
        } else if matches(word, "iif") {
            self.iif = Some(args.value()?.to_owned());
        } else if matches(word, "mark") {
            let value = args.value()?;
            self.mark = get_unsigned(value, 0).ok_or_else(|| invarg("invalid mark value", value))?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn device_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            _ if matches(word, "oif") || word == "dev" => self.oif = Some(args.value()?.to_owned()),
            _ if matches(word, "notify") => self.notify = true,
            _ if matches(word, "connected") => self.connected = true,
            // There is no VRF in a world.
            _ if matches(word, "vrf") => return Err(invarg("Invalid VRF\n", args.value()?)),
            _ if matches(word, "uid") => {
                let value = args.value()?;
                self.uid = Some(get_unsigned(value, 0).ok_or_else(|| invarg("invalid UID\n", value))?);
            }
            _ if matches(word, "fibmatch") => self.fibmatch = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn layer4_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "as" => {
                let value = args.value()?;
                let value = if value == "to" { args.value()? } else { value };
                let address = get_addr(value, self.family)?;
                self.is_of(&address);
                self.new_destination = true;
            }
            _ if matches(word, "sport") => {
                let value = args.value()?;
                self.source_port = get_u16(value, 0).ok_or_else(|| invarg("invalid sport\n", value))?;
            }
            _ if matches(word, "dport") => {
                let value = args.value()?;
                self.destination_port = get_u16(value, 0).ok_or_else(|| invarg("invalid dport\n", value))?;
            }
            _ if matches(word, "ipproto") => {
                let value = args.value()?;
                let number = ip_protocol(value);
                self.ip_protocol = number.ok_or_else(|| invarg("Invalid \"ipproto\" value\n", value))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn destination_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = if word == "to" { args.value()? } else { word };
        if matches(word, "help") {
            return Err(usage());
        }
        let prefix = get_prefix(word, self.family)?;
        self.is_of(&prefix);
        let bits = self.family.bits();
        if bits != 0 && prefix.length != bits {
            let length = prefix.length;
            self.warnings +=
                &format!("Warning: /{length} as prefix is invalid, only /{bits} (or none) is supported.\n");
        }
        // `all` adds no address to one that was said before.
        let before = self.destination.and_then(|before| before.address);
        self.destination = Some(InetPrefix { address: prefix.address.or(before), ..prefix });
        Ok(())
    }

    /// The question as the kernel gets it.
    fn ask(&self, ip: &Ip) -> Result<RouteGet, Stop> {
        let iif = self.iif.as_ref().map(|name| ip.device(name)).transpose()?;
        let oif = self.oif.as_ref().map(|name| ip.device(name)).transpose()?;
        let (any, module): (IpAddr, &str) = match self.family {
            Family::Inet | Family::Unspec => (Ipv4Addr::UNSPECIFIED.into(), "ipv4"),
            Family::Inet6 => (Ipv6Addr::UNSPECIFIED.into(), "ipv6"),
            _ => return Err(Refusal::from(Errno::OpNotSupp).into()),
        };
        self.valid(module)?;
        Ok(RouteGet {
            source: self.source.and_then(|source| source.address),
            iif,
            oif,
            tos: self.tos,
            mark: self.mark,
            uid: self.uid,
            ip_protocol: self.ip_protocol,
            source_port: self.source_port,
            destination_port: self.destination_port,
            fibmatch: self.fibmatch,
            ..RouteGet::to(self.destination.and_then(|to| to.address).unwrap_or(any))
        })
    }

    /// `inet_rtm_valid_getroute_req()`
    fn valid(&self, module: &str) -> Result<(), Refusal> {
        let bits = if module == "ipv6" { 128 } else { 32 };
        let invalid = |text: String| Err(Refusal::because(Errno::Inval, format!("{module}: {text}")));
        match self.source {
            Some(source) if source.length != 0 && source.length != bits => {
                return invalid("Invalid values in header for get route request".to_owned());
            }
            Some(source) if source.address.is_some() && source.length == 0 => {
                let version = if bits == 32 { "IPv4" } else { "IPv6" };
                return invalid(format!("rtm_src_len and rtm_dst_len must be {bits} for {version}"));
            }
            _ => {}
        }
        if self.new_destination {
            return invalid(format!(
                "Unsupported attribute in {} request",
                if bits == 32 { "route get" } else { "get route" }
            ));
        }
        Ok(())
    }
}
