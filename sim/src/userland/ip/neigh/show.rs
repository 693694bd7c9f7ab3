//! `ip neigh show`, `flush` and `get`.

use super::super::Ip;
use super::super::args::{
    Args, Family, InetPrefix, Stop, duparg, duparg2, get_addr, get_prefix, invarg, matches, nodev,
};
use super::super::names::{protocol_name, protocol_number};
use super::super::print::{Color, Print};
use super::{nud_bits, nud_state, usage};
use vethlab_engine::addr::{IpAddr, Mac, Prefix};
use vethlab_engine::control::{Command, Errno, IfIndex, NeighborSpec, Nud, Refusal};
use vethlab_engine::neighbor::{NeighborEntry, ProxyEntry};

/// `nud none`: a bit that no state has.
const NONE: u32 = 0x100;
/// States that `flush` leaves alone unless they are named.
const KEPT: u32 = 0x80 | 0x40;
const NOARP: u32 = 0x40;
const FAILED: u32 = 0x20;

/// An entry as the kernel tells it (`struct ndmsg` and its attributes).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    ip: IpAddr,
    /// 0: a proxy on all links.
    port: IfIndex,
    mac: Option<Mac>,
    state: Nud,
    router: bool,
    proxy: bool,
    extern_learn: bool,
    protocol: u8,
    /// Of neighbours, not of proxies.
    cache: Option<Cache>,
}

/// What `-s` tells: seconds since it was used, confirmed and changed, probes, and how many hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cache {
    used: u64,
    confirmed: u64,
    updated: u64,
    probes: u32,
    references: u32,
}

impl Listed {
    fn neighbor(entry: &NeighborEntry) -> Listed {
        Listed {
            ip: entry.ip,
            port: entry.port,
            mac: entry.mac,
            state: entry.state,
            router: entry.router,
            proxy: false,
            extern_learn: entry.extern_learn,
            protocol: entry.protocol,
            cache: Some(Cache {
                used: entry.used.as_secs(),
                confirmed: entry.confirmed.as_secs(),
                updated: entry.updated.as_secs(),
                probes: entry.probes,
                references: entry.references,
            }),
        }
    }

    fn proxy((port, ip): (IfIndex, IpAddr), entry: ProxyEntry) -> Listed {
        Listed {
            ip,
            port,
            mac: None,
            state: Nud::None,
            router: entry.router,
            proxy: true,
            extern_learn: entry.extern_learn,
            protocol: entry.protocol,
            cache: None,
        }
    }

    /// Exactly this entry, as a deletion asks for it.
    fn spec(&self) -> NeighborSpec {
        NeighborSpec {
            index: self.port,
            destination: self.ip,
            lladdr: self.mac,
            state: self.state,
            router: self.router,
            proxy: self.proxy,
            extern_learn: self.extern_learn,
            protocol: self.protocol,
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    family: Family,
    device: Option<String>,
    index: Option<IfIndex>,
    /// `NUD_*`, and [`NONE`].
    states: u32,
    /// `nud` was said.
    states_said: bool,
    unused: bool,
    to: Option<InetPrefix>,
    proxy: bool,
    protocol: u8,
    /// `master`: no link of a world has one.
    master: bool,
}

impl Filter {
    fn read(ip: &Ip, args: &mut Args<'_>, flush: bool) -> Result<Filter, Stop> {
        let states = if flush { !KEPT } else { 0xff & !NOARP };
        let mut filter = Filter { family: ip.opts.family, states, ..Filter::default() };
        while let Some(word) = args.next() {
            let taken = filter.link_word(ip, word, args)? || filter.state_word(word, args, flush)?;
            if !taken {
                filter.prefix_word(word, args)?;
            }
        }
        if let Some(name) = &filter.device {
            filter.index = Some(ip.index_of(name).ok_or_else(|| nodev(name))?);
        }
        Ok(filter)
    }

    fn link_word(&mut self, ip: &Ip, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "dev" => {
                let value = args.value()?;
                if self.device.is_some() {
                    return Err(duparg("dev", value));
                }
                self.device = Some(value.to_owned());
            }
            "master" => {
                let value = args.value()?;
                ip.index_of(value).ok_or_else(|| invarg("Device does not exist\n", value))?;
                self.master = true;
            }
            // There is no VRF in a world.
            "vrf" => return Err(invarg("Not a valid VRF name\n", args.value()?)),
            "nomaster" => self.master = false,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn state_word(&mut self, word: &str, args: &mut Args<'_>, flush: bool) -> Result<bool, Stop> {
        match word {
            "unused" => self.unused = true,
            "nud" => {
                let value = args.value()?;
                if !std::mem::replace(&mut self.states_said, true) {
                    self.states = 0;
                }
                self.states |= match nud_state(value) {
                    Some(Nud::None) => NONE,
                    Some(state) => nud_bits(state),
                    None if value != "all" => return Err(invarg("nud state is bad", value)),
                    None if flush => !NOARP,
                    None => u32::MAX,
                };
            }
            "proxy" => self.proxy = true,
            _ if matches(word, "protocol") => {
                let value = args.value()?;
                self.protocol = match protocol_number(value) {
                    None if value != "all" => return Err(invarg("invalid \"protocol\"\n", value)),
                    protocol => protocol.unwrap_or(0),
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn prefix_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = if word == "to" { args.value()? } else { word };
        if matches(word, "help") {
            return Err(usage());
        }
        let prefix = get_prefix(word, self.family)?;
        if self.family == Family::Unspec {
            self.family = prefix.family;
        }
        self.to = Some(prefix);
        Ok(())
    }

    /// `print_neigh()`: this entry is wanted.
    fn takes(&self, entry: &Listed) -> bool {
        let bits = nud_bits(entry.state);
        let by_state =
            self.states & bits != 0 || entry.proxy || entry.extern_learn || bits == 0 && self.states & NONE != 0;
        (self.family == Family::Unspec || self.family == Family::of(entry.ip))
            && self.index.is_none_or(|index| index == entry.port)
            && by_state
            && self.to.is_none_or(|to| within(entry.ip, &to))
            && (self.protocol == 0 || self.protocol == entry.protocol)
            && !(self.unused && entry.cache.is_some_and(|cache| cache.references != 0))
    }
}

/// The address lies in the prefix; one of no length holds all.
fn within(ip: IpAddr, prefix: &InetPrefix) -> bool {
    match (prefix.address.filter(|_| prefix.length > 0), ip) {
        (None, _) => true,
        (Some(IpAddr::V4(of)), IpAddr::V4(ip)) => Prefix::of(of, prefix.length).contains(ip),
        (Some(IpAddr::V6(of)), IpAddr::V6(ip)) => Prefix::of(of, prefix.length).contains(ip),
        _ => false,
    }
}

/// `ip neigh show …`
pub(super) fn list(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let filter = Filter::read(ip, &mut args, false)?;
    ip.print.begin();
    for entry in dump(ip, &filter) {
        print(ip, &filter, &entry);
    }
    ip.print.end();
    Ok(())
}

/// `ip neigh flush …`: entries are listed and deleted until none is left.
pub(super) fn flush(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const ROUNDS: i32 = 10;
    if args.is_empty() {
        return Err(Stop::fail(1, "Flush requires arguments.\n"));
    }
    let mut filter = Filter::read(ip, &mut args, true)?;
    for round in 1..=ROUNDS {
        let wanted = dump(ip, &filter);
        if wanted.is_empty() {
            ip.flushed(round - 1);
            return Ok(());
        }
        for entry in &wanted {
            if ip.opts.stats > 1 {
                print(ip, &filter, entry);
            }
        }
        delete(ip, &wanted)?;
        if ip.opts.stats > 0 {
            ip.print.raw(&format!("\n*** Round {round}, deleting {} entries ***\n", wanted.len()));
            ip.print.flush();
        }
        filter.states &= !FAILED;
    }
    ip.print.raw(&format!("*** Flush not complete bailing out after {ROUNDS} rounds\n"));
    Err(Stop::fail(255, ""))
}

fn delete(ip: &Ip, wanted: &[Listed]) -> Result<(), Stop> {
    for entry in wanted {
        let deleted = ip.world().apply(ip.ns, Command::NeighborDelete(entry.spec()));
        deleted
            .map_err(|refusal| Stop::quit(1, format!("Failed to send flush request: {}\n", refusal.errno.text())))?;
    }
    Ok(())
}

/// Neighbours, or proxies, that are wanted.
fn dump(ip: &Ip, filter: &Filter) -> Vec<Listed> {
    let world = ip.world();
    let stack = world.stack(ip.ns);
    let mut all: Vec<Listed> = if filter.proxy {
        stack.proxy_entries().into_iter().map(|(key, entry)| Listed::proxy(key, entry)).collect()
    } else if filter.master {
        Vec::new()
    } else {
        stack.neighbor_entries(world.now()).iter().map(Listed::neighbor).collect()
    };
    all.retain(|entry| filter.takes(entry));
    all
}

/// `ip neigh get …`
pub(super) fn get(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let mut device = None;
    let (mut proxy, mut destination) = (false, None);
    while let Some(word) = args.next() {
        if word == "dev" {
            device = Some(args.value()?);
            continue;
        }
        let proxied = matches(word, "proxy");
        let word = if proxied || word == "to" { args.value()? } else { word };
        if matches(word, "help") {
            return Err(usage());
        }
        if destination.is_some() {
            return Err(if proxied { duparg("address", word) } else { duparg2("to", word) });
        }
        destination = Some(get_addr(word, ip.opts.family)?);
        proxy |= proxied;
    }
    let known = destination.filter(|to| to.family != Family::Unspec && (proxy || device.is_some()));
    let to = known.ok_or_else(|| Stop::fail(1, "Device and address are required arguments.\n"))?;
    let index = device.map(|name| ip.index_of(name).ok_or_else(|| nodev(name))).transpose()?;
    let entry = find(ip, to.address, index.unwrap_or(0), proxy)?;
    print(ip, &Filter::default(), &entry);
    Ok(())
}

/// `neigh_get()`: the question itself holds the entry.
fn find(ip: &Ip, address: Option<IpAddr>, index: IfIndex, proxy: bool) -> Result<Listed, Refusal> {
    let address =
        address.ok_or_else(|| Refusal::because(Errno::Inval, "Invalid network address in neighbor get request"))?;
    let all = dump(ip, &Filter { proxy, states: u32::MAX, ..Filter::default() });
    let found = all.into_iter().find(|entry| entry.ip == address && entry.port == index);
    let what = if proxy { "Proxy neighbour" } else { "Neighbour" };
    let mut entry = found.ok_or_else(|| Refusal::because(Errno::NoEnt, format!("{what} entry not found")))?;
    if let Some(cache) = &mut entry.cache {
        cache.references += 1;
    }
    Ok(entry)
}

/// Prints an entry, without its link if that was asked for.
fn print(ip: &mut Ip, filter: &Filter, entry: &Listed) {
    let device = (filter.index.is_none() && entry.port != 0).then(|| ip.name_of(entry.port));
    let (brief, statistics, numeric) = (ip.opts.brief, ip.opts.stats > 0, ip.opts.numeric);
    let print = &mut ip.print;
    print.open_object();
    if brief {
        print_brief(print, entry, device.as_deref());
    } else {
        print_long(print, entry, device.as_deref(), statistics);
        state(print, entry.state);
        if entry.protocol != 0 {
            print.string("protocol", "proto {} ", &protocol_name(entry.protocol, numeric));
        }
    }
    print.text("\n");
    print.close_object();
    print.flush();
}

fn color(ip: IpAddr) -> Color {
    if ip.is_ipv4() { Color::Inet } else { Color::Inet6 }
}

fn print_brief(print: &mut Print, entry: &Listed, device: Option<&str>) {
    padded(print, color(entry.ip), "dst", &entry.ip.to_string(), 39);
    if let Some(device) = device {
        padded(print, Color::IfName, "dev", device, 16);
    }
    if let Some(mac) = entry.mac {
        print.string_in(Color::Mac, "lladdr", "{}", &mac.to_string());
    }
}

/// A column for people; JSON has no blanks.
fn padded(print: &mut Print, color: Color, key: &str, value: &str, width: usize) {
    print.json_string(key, value);
    print.text_in(color, &format!("{value:<width$} "));
}

fn print_long(print: &mut Print, entry: &Listed, device: Option<&str>, statistics: bool) {
    print.string_in(color(entry.ip), "dst", "{} ", &entry.ip.to_string());
    if let Some(device) = device {
        print.text("dev ");
        print.string_in(Color::IfName, "dev", "{} ", device);
    }
    if let Some(mac) = entry.mac {
        print.text("lladdr ");
        print.string_in(Color::Mac, "lladdr", "{} ", &mac.to_string());
    }
    let flags = [("router", entry.router), ("proxy", entry.proxy), ("extern_learn", entry.extern_learn)];
    for (name, _) in flags.iter().filter(|(_, set)| *set) {
        print.null(name, &format!("{name} "));
    }
    if let Some(cache) = entry.cache.filter(|_| statistics) {
        if cache.references != 0 {
            print.number("refcnt", " ref {}", cache.references);
        }
        print.number("used", " used {}", cache.used);
        print.number("confirmed", "/{}", cache.confirmed);
        print.number("updated", "/{}", cache.updated);
        print.number("probes", "probes {} ", cache.probes);
    }
}

/// `print_neigh_state()`
fn state(print: &mut Print, state: Nud) {
    let name = match state {
        Nud::None => return,
        Nud::Incomplete => "INCOMPLETE",
        Nud::Reachable => "REACHABLE",
        Nud::Stale => "STALE",
        Nud::Delay => "DELAY",
        Nud::Probe => "PROBE",
        Nud::Failed => "FAILED",
        Nud::Noarp => "NOARP",
        Nud::Permanent => "PERMANENT",
    };
    print.open_array("state", "");
    print.element("{} ", name);
    print.close_array("");
}

#[cfg(test)]
mod tests;
