//! `route add` and `route del`: the words, and what they ask of the kernel (`rtentry_to_fib_config`).

use super::super::nettools::{E_OPTERR, address, apply, atoi, fail, split_mask};
use crate::lab::Exit;
use crate::userland::Proc;
use std::net::Ipv4Addr;
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::{
    Command, Errno, NextHopSpec, RouteKind, RouteMetrics, RouteMode, RouteSpec, protocol, scope,
};

const USAGE: &str = "\
Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [gw Gw] [metric M]
                              [netmask N] [mss Mss] [window W] [irtt I]
                              [mod] [dyn] [reinstate] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [metric M] reject
       inet_route [-FC] flush      NOT supported
";

/// Status when a name is not known.
const E_LOOKUP: i32 = 6;
/// Status when the kernel refuses.
const E_SOCK: i32 = 7;

pub(super) fn usage(p: &Proc, status: i32) -> Exit {
    if status == 0 {
        p.out(USAGE)
    } else {
        p.err(USAGE)
    }
    Exit::Status(status)
}

/// `struct rtentry`, as far as it matters.
struct Entry {
    target: Ipv4Addr,
    /// 0 if not said.
    mask: u32,
    /// The mask as it was written.
    mask_word: String,
    host: bool,
    gateway: Option<Ipv4Addr>,
    metric: Option<u32>,
    metrics: RouteMetrics,
    reject: bool,
    device: Option<String>,
}

/// Reads the words and asks the kernel.
pub(super) fn run(p: &Proc, add: bool, words: &[String]) -> Result<Exit, Exit> {
    let entry = Entry::read(p, words)?;
    entry.check(p)?;
    let call = if add { "SIOCADDRT" } else { "SIOCDELRT" };
    let done = entry.spec(p, add).and_then(|spec| {
        let command = if add { Command::RouteAdd(RouteMode::Prepend, spec) } else { Command::RouteDelete(spec) };
        apply(p, command)
    });
    match done {
        Ok(()) => Ok(Exit::Status(0)),
        Err(errno) => Err(fail(p, &format!("{call}: {}\n", errno.text()), E_SOCK)),
    }
}

impl Entry {
    fn read(p: &Proc, words: &[String]) -> Result<Entry, Exit> {
        let wrong = || usage(p, E_OPTERR);
        let mut words = words.iter().map(String::as_str).peekable();
        let said = words.next_if(|word| matches!(*word, "#net" | "#host"));
        let target = words.next().ok_or_else(wrong)?;
        let (target, mask) = split_mask(target).ok_or_else(wrong)?;
        let (address, is_net) = address(target).map_err(|text| fail(p, &text, E_LOOKUP))?;
        let mut entry = Entry {
            target: address,
            mask: mask.unwrap_or(0),
            mask_word: mask.map_or("default".into(), |mask| format!("/{}", mask.count_ones())),
            host: said.map_or(!is_net, |said| said == "#host"),
            gateway: None,
            metric: None,
            metrics: RouteMetrics::default(),
            reject: false,
            device: None,
        };
        while let Some(word) = words.next() {
            let known = matches!(
                word,
                "metric" | "netmask" | "gw" | "gateway" | "mss" | "mtu" | "window" | "irtt" | "device" | "dev"
            );
            if known {
                let value = words.next().ok_or_else(wrong)?;
                entry.take(p, word, value)?;
            } else if word == "reject" {
                entry.reject = true;
            } else if !matches!(word, "mod" | "dyn" | "reinstate") {
                // A device without `dev` stands last, so that slips are caught.
                if entry.device.is_some() || words.peek().is_some() {
                    return Err(wrong());
                }
                entry.device = Some(word.into());
            }
        }
        Ok(entry)
    }

    fn take(&mut self, p: &Proc, word: &str, value: &str) -> Result<(), Exit> {
        let wrong = |text: &str| {
            p.err(text);
            usage(p, E_OPTERR)
        };
        let address = |value: &str| address(value).map_err(|text| fail(p, &text, E_LOOKUP));
        let number = atoi(value);
        match word {
            "metric" if value.starts_with(|c: char| c.is_ascii_digit()) => self.metric = Some(number as u32),
            "netmask" if self.mask == 0 => {
                self.mask_word = value.into();
                self.mask = address(value)?.0.to_bits();
            }
            "gw" | "gateway" if self.gateway.is_none() => {
                let (gateway, is_net) = address(value)?;
                if is_net {
                    return Err(wrong(&format!("route: {value}: cannot use a NETWORK as gateway!\n")));
                }
                self.gateway = Some(gateway);
            }
            "mss" | "mtu" if !(64..=65536).contains(&number) => return Err(wrong("route: Invalid MSS/MTU.\n")),
            "mss" | "mtu" => self.metrics.advmss = Some(number as u32 - 40),
            "window" if (0..128).contains(&number) => return Err(wrong("route: Invalid window.\n")),
            "window" => self.metrics.window = Some(number as u32),
            "irtt" => self.metrics.rtt = Some((number as u16 as u32) << 3),
            "dev" | "device" if self.device.is_none() => self.device = Some(value.into()),
            _ => return Err(wrong("")),
        }
        Ok(())
    }

    /// What the program itself refuses.
    fn check(&self, p: &Proc) -> Result<(), Exit> {
        let inverse = !self.mask;
        let text = if self.mask == 0 {
            return Ok(());
        } else if self.host {
            format!("route: netmask {inverse:08x} doesn't make sense with host route\n")
        } else if inverse & inverse.wrapping_add(1) != 0 {
            format!("route: bogus netmask {}\n", self.mask_word)
        } else if self.target.to_bits() & inverse != 0 {
            "route: netmask doesn't match route address\n".to_string()
        } else {
            return Ok(());
        };
        p.err(&text);
        Err(usage(p, E_OPTERR))
    }

    /// What it asks of the kernel.
    fn spec(&self, p: &Proc, add: bool) -> Result<RouteSpec, Errno> {
        if !self.host && self.target.to_bits() & !self.mask != 0 {
            return Err(Errno::Inval);
        }
        let length = if self.host { 32 } else { self.mask.count_ones() as u8 };
        let mut spec = RouteSpec { metric: self.metric, ..RouteSpec::to(self.target.into(), length) };
        spec.protocol = add.then_some(protocol::BOOT);
        if self.reject {
            (spec.kind, spec.scope) = (Some(RouteKind::Unreachable), Some(scope::HOST));
            return Ok(spec);
        }
        spec.kind = Some(RouteKind::Unicast);
        let mut hop = NextHopSpec { weight: 1, ..NextHopSpec::default() };
        if let Some(name) = &self.device {
            let (index, source) = device(p, name)?;
            (hop.oif, spec.prefsrc) = (Some(index), source);
        }
        hop.gateway = self.gateway.filter(|gateway| !gateway.is_unspecified()).map(IpAddr::from);
        // Over a gateway that is not ourselves, the destination is anywhere.
        let beyond = hop.gateway.is_some_and(|gateway| !p.world().stack(p.ns()).is_local(gateway));
        spec.scope = if beyond { Some(scope::UNIVERSE) } else { add.then_some(scope::LINK) };
        if hop.oif.is_some() || hop.gateway.is_some() {
            spec.nexthops.push(hop);
        }
        if !add {
            return Ok(spec);
        }
        if self.gateway.is_some() && hop.gateway.is_none() {
            return Err(Errno::Inval);
        }
        spec.metrics = self.metrics;
        Ok(spec)
    }
}

/// The device of this name; behind a colon, a label says which address to speak from.
fn device(p: &Proc, name: &str) -> Result<(u32, Option<IpAddr>), Errno> {
    let world = p.world();
    let base = name.split(':').next().unwrap_or(name);
    let port = world.stack(p.ns()).ports().named(base).ok_or(Errno::NoDev)?;
    if !name.contains(':') {
        return Ok((port.index, None));
    }
    let labelled = port.addresses4.iter().find(|address| address.label == *name);
    labelled.map(|address| (port.index, Some(address.local.into()))).ok_or(Errno::NoDev)
}
