//! `ifconfig IF WORDS…`: each word is a request of its own; one that fails does not stop the others.

use super::ioctl::Interface;
use super::{Options, order, usage};
use crate::lab::Exit;
use crate::userland::Proc;
use crate::userland::nettools::{AF_TYPES, E_OPTERR, HW_TYPES, address, atoi, ether, fail, split_mask};
use crate::userland::number::strtoul;
use std::net::{Ipv4Addr, Ipv6Addr};
use vethlab_engine::control::{Errno, LinkChange};
use vethlab_engine::link::port::flag as iff;

/// Words that set or clear a flag, and what is said if it is still set afterwards.
const FLAGS: &[(&str, u32, bool, &str)] = &[
    ("arp", iff::NOARP, false, ""),
    ("-arp", iff::NOARP, true, ""),
    ("trailers", iff::NOTRAILERS, false, ""),
    ("-trailers", iff::NOTRAILERS, true, ""),
    ("promisc", iff::PROMISC, true, ""),
    ("-promisc", iff::PROMISC, false, "promisc mode... maybe other application is running?"),
    ("multicast", iff::MULTICAST, true, ""),
    ("-multicast", iff::MULTICAST, false, "MULTICAST mode."),
    ("allmulti", iff::ALLMULTI, true, ""),
    ("-allmulti", iff::ALLMULTI, false, "ALLMULTI mode."),
    ("up", iff::UP, true, ""),
    ("down", iff::UP, false, ""),
    ("dynamic", iff::DYNAMIC, true, ""),
    ("-dynamic", iff::DYNAMIC, false, "DYNAMIC mode."),
    ("-broadcast", iff::BROADCAST, false, "BROADCAST mode."),
    ("-pointopoint", iff::POINTOPOINT, false, "POINTOPOINT mode."),
    ("-pointtopoint", iff::POINTOPOINT, false, "POINTOPOINT mode."),
];

/// Reads the words and carries them out.
pub(super) fn run(p: &Proc, options: Options, name: &str, words: &[String]) -> Result<Exit, Exit> {
    let family = words.first().and_then(|word| AF_TYPES.iter().find(|family| family.0 == word));
    let words = if family.is_some() { &words[1..] } else { words };
    let mut change = Change {
        p,
        interface: Interface::new(p, name),
        words: words.iter(),
        family: family.map_or(2, |family| family.2),
        status: 0,
        masked: false,
        mask: None,
    };
    while let Some(word) = change.words.next() {
        change.word(word)?;
    }
    if let Some(mask) = change.mask {
        change.netmask(mask);
    }
    if options.verbose && change.status != 0 {
        p.err(&format!("WARNING: at least one error occured. ({})\n", change.status));
    }
    Ok(Exit::Status(change.status & 0xff))
}

struct Change<'a> {
    p: &'a Proc,
    interface: Interface,
    words: std::slice::Iter<'a, String>,
    /// `AF_*`
    family: u32,
    /// All statuses so far in one.
    status: i32,
    /// `netmask` was there.
    masked: bool,
    /// The mask behind an address's slash, set when all else is done.
    mask: Option<u32>,
}

impl<'a> Change<'a> {
    fn word(&mut self, word: &'a str) -> Result<(), Exit> {
        if let Some((_, flag, on, warning)) = FLAGS.iter().find(|known| known.0 == word) {
            self.flag(*flag, *on);
            if !warning.is_empty() {
                self.warn_if_still(*flag, warning);
            }
            return Ok(());
        }
        match word {
            "broadcast" => self.broadcast(),
            "pointopoint" | "pointtopoint" => self.point_to_point(),
            "netmask" => {
                let value = self.value()?;
                if self.masked {
                    return Err(usage(self.p, E_OPTERR));
                }
                if let Some(mask) = self.resolve(value) {
                    self.masked = true;
                    self.netmask(mask.to_bits());
                }
            }
            "dstaddr" => {
                let value = self.value()?;
                if let Some(peer) = self.resolve(value) {
                    self.say("SIOCSIFDSTADDR", self.interface.set_peer(peer));
                }
            }
            "mtu" | "txqueuelen" | "name" | "keepalive" | "outfill" | "mem_start" | "io_addr" | "irq" => {
                let value = self.value()?;
                self.setting(word, value);
            }
            "media" | "port" => return self.media(),
            "hw" => return self.hardware(),
            "add" | "del" => {
                let value = self.value()?;
                return self.more(value, word == "add");
            }
            "tunnel" => {
                self.value()?;
                // There are no tunnels.
                match self.interface.index() {
                    Ok(_) => self.say("SIOCSIFDSTADDR", Err(Errno::NoDev)),
                    Err(errno) => self.say("SIOGIFINDEX", Err(errno)),
                }
            }
            _ => return self.address(word),
        }
        Ok(())
    }

    fn value(&mut self) -> Result<&'a str, Exit> {
        self.words.next().map(String::as_str).ok_or_else(|| usage(self.p, E_OPTERR))
    }

    /// Tells of a request that was refused.
    fn say(&mut self, call: &str, done: Result<(), Errno>) {
        if let Err(errno) = done {
            self.p.err(&format!("{call}: {}\n", errno.text()));
            self.status |= 1;
        }
    }

    /// The address a word names, or a complaint.
    fn resolve(&mut self, word: &str) -> Option<Ipv4Addr> {
        match address(word) {
            Ok((address, _)) => Some(address),
            Err(text) => {
                self.p.err(&text);
                self.status |= 1;
                None
            }
        }
    }

    fn netmask(&mut self, mask: u32) {
        let done = self.interface.set_netmask(Ipv4Addr::from_bits(mask));
        self.say("SIOCSIFNETMASK", done);
    }

    fn flag(&mut self, flag: u32, on: bool) {
        if !set_flag(self.p, &self.interface, flag, on) {
            self.status = -1;
        }
    }

    fn warn_if_still(&mut self, flag: u32, mode: &str) {
        let name = &self.interface.name;
        match self.interface.flags() {
            Ok(flags) if flags & flag != 0 => self.p.err(&format!("Warning: Interface {name} still in {mode}\n")),
            Ok(_) => {}
            Err(errno) => {
                self.p.err(&format!("{name}: ERROR while testing interface flags: {}\n", errno.text()));
            }
        }
    }

    /// With an address or without one, which the next word is in any case.
    fn broadcast(&mut self) {
        if let Some(word) = self.words.next() {
            let Some(address) = self.resolve(word) else { return };
            let done = self.interface.set_broadcast(address);
            self.say("SIOCSIFBRDADDR", done);
        }
        self.flag(iff::BROADCAST, true);
    }

    fn point_to_point(&mut self) {
        if let Some(word) = self.words.next() {
            let Some(address) = self.resolve(word) else { return };
            let done = self.interface.set_peer(address);
            self.say("SIOCSIFDSTADDR", done);
        }
        self.flag(iff::POINTOPOINT, true);
    }

    fn setting(&mut self, word: &str, value: &str) {
        let none = LinkChange::default();
        let call = match word {
            "mtu" => "SIOCSIFMTU",
            "txqueuelen" => "SIOCSIFTXQLEN",
            "name" => "SIOCSIFNAME",
            "keepalive" => "SIOCSKEEPALIVE",
            "outfill" => "SIOCSOUTFILL",
            _ => return self.map(word),
        };
        let change = match word {
            // A negative size is too small, as zero is.
            "mtu" => LinkChange { mtu: Some(u32::try_from(atoi(value)).unwrap_or(0)), ..none },
            "txqueuelen" => LinkChange { txqueuelen: Some(strtoul(value, 0).value as u32), ..none },
            "name" => LinkChange { name: Some(value.chars().take(15).collect()), ..none },
            _ => {
                let done = self.interface.index().and(Err(Errno::OpNotSupp));
                return self.say(call, done);
            }
        };
        let done = self.interface.link(change);
        self.say(call, done);
    }

    /// Lines and addresses of real cards, which no interface here has.
    fn map(&mut self, word: &str) {
        match self.interface.index() {
            Ok(_) => self.say(&format!("{word}: SIOCSIFMAP"), Err(Errno::OpNotSupp)),
            Err(errno) => self.say(&format!("{word}: SIOCGIFMAP"), Err(errno)),
        }
    }

    fn media(&mut self) -> Result<(), Exit> {
        let value = self.value()?;
        if value.eq_ignore_ascii_case("auto") {
            // The flag is set, and the word is read again as what follows.
            self.flag(0, true);
            return self.word(value);
        }
        let number = strtoul(value, 10);
        let names = ["unknown", "10base2", "bnc", "coax", "10baseT", "utp", "tpe", "AUI", "thick", "db15"];
        let more = ["100baseT", "100baseTX", "100baseFX"];
        let known = names.iter().chain(&more).any(|name| name.eq_ignore_ascii_case(value));
        if !known && (number.empty || !number.rest.is_empty()) {
            self.p.err("Unknown media type.\n");
            self.status |= 1;
            return Ok(());
        }
        self.map("port");
        Ok(())
    }

    fn hardware(&mut self) -> Result<(), Exit> {
        let kind = self.value()?;
        if !HW_TYPES.iter().any(|known| known.0 == kind) {
            return Err(usage(self.p, E_OPTERR));
        }
        if !matches!(kind, "ether" | "ax25" | "netrom" | "rose" | "arcnet" | "fddi" | "hippi" | "eui64") {
            self.p.err(&format!("hw address type `{kind}' has no handler to set address. failed.\n"));
            self.words.next();
            self.status |= 1;
            return Ok(());
        }
        let value = self.value()?;
        let Some(mac) = ether(value) else {
            self.p.err(&format!("{value}: invalid {kind} address.\n"));
            self.status |= 1;
            return Ok(());
        };
        match self.interface.set_mac(mac, kind == "ether") {
            Err(Errno::Busy) => {
                let text = Errno::Busy.text();
                self.p.err(&format!("SIOCSIFHWADDR: {text} - you may need to down the interface\n"));
                self.status |= 1;
            }
            done => self.say("SIOCSIFHWADDR", done),
        }
        Ok(())
    }

    /// `add`, `del`: IPv6 addresses, and IPv4 addresses as aliases.
    fn more(&mut self, value: &str, add: bool) -> Result<(), Exit> {
        if value.contains(':') {
            return self.more_ipv6(value, add);
        }
        let Some(address) = self.resolve(value) else { return Ok(()) };
        if self.interface.index().is_err() {
            let name = &self.interface.name;
            self.p.err(&format!("{name}: error fetching interface information: Device not found\n"));
            return Ok(());
        }
        // What goes wrong from here on, the original does not tell.
        let _ = self.alias(address, add);
        Ok(())
    }

    fn more_ipv6(&mut self, value: &str, add: bool) -> Result<(), Exit> {
        let (host, length) = value.split_once('/').map_or((value, 128), |(host, length)| (host, atoi(length)));
        let length = u8::try_from(length).ok().filter(|length| *length <= 128);
        let length = length.ok_or_else(|| usage(self.p, E_OPTERR))?;
        let Ok(local) = host.parse::<Ipv6Addr>() else {
            self.p.err(&format!("getaddrinfo: {host}: -2\n{host}: Resolver Error 0 (no error)\n"));
            self.status |= 1;
            return Ok(());
        };
        if let Err(errno) = self.interface.index() {
            self.say("SIOGIFINDEX", Err(errno));
            return Ok(());
        }
        let done = self.interface.change_ipv6(local, length, add);
        self.say(if add { "SIOCSIFADDR" } else { "SIOCDIFADDR" }, done);
        Ok(())
    }

    /// Finds the alias of this address and sets it up or down; if there is none, makes one (for `del` as well) with mask
    /// and broadcast address of the interface.
    fn alias(&mut self, address: Ipv4Addr, add: bool) -> Result<(), Errno> {
        let parent = self.interface.name.clone();
        let mut aliases: Vec<(String, Ipv4Addr)> = {
            let world = self.p.world();
            let ports = world.stack(self.p.ns()).ports().iter();
            let addresses = ports.flat_map(|port| &port.addresses4);
            addresses.filter(|a| a.label.contains(':')).map(|a| (a.label.to_string(), a.peer)).collect()
        };
        aliases.retain(|(label, _)| label.starts_with(&parent));
        aliases.sort_by(|a, b| order::compare(&a.0, &b.0));
        if let Some((label, _)) = aliases.iter().find(|(_, known)| *known == address) {
            set_flag(self.p, &Interface::new(self.p, label), iff::UP, add);
            return Ok(());
        }
        let taken = |number: i32| aliases.iter().any(|(label, _)| label.split(':').nth(1).map(atoi) == Some(number));
        let number = (0..256).find(|number| !taken(*number)).ok_or(Errno::NoSpc)?;
        let of = self.interface.address().ok();
        let name: String = format!("{parent}:{number}").chars().take(15).collect();
        let alias = Interface::new(self.p, &name);
        alias.set_address(address)?;
        let mask = of.as_ref().map_or(0, |of| u32::MAX.checked_shl(32 - u32::from(of.length)).unwrap_or(0));
        alias.set_netmask(Ipv4Addr::from_bits(mask))?;
        alias.set_broadcast(of.and_then(|of| of.broadcast).unwrap_or(Ipv4Addr::UNSPECIFIED))?;
        set_flag(self.p, &alias, iff::BROADCAST, true);
        Ok(())
    }

    /// A word that is nothing else is an address, with which an interface comes up.
    fn address(&mut self, word: &str) -> Result<(), Exit> {
        let (host, mask) = match self.family {
            2 => split_mask(word).ok_or_else(|| usage(self.p, E_OPTERR))?,
            _ => (word, None),
        };
        if mask.is_some() && self.masked {
            return Err(usage(self.p, E_OPTERR));
        }
        self.mask = mask.or(self.mask);
        if self.family != 2 {
            let family = self.family;
            return Err(fail(self.p, &format!("Don't know how to set addresses for family {family}.\n"), 1));
        }
        let local = match address(host) {
            Ok((local, _)) => local,
            Err(text) => {
                return Err(fail(self.p, &(text + "ifconfig: `--help' gives usage information.\n"), 1));
            }
        };
        let done = self.interface.set_address(local);
        self.say("SIOCSIFADDR", done);
        // An alias whose address is 0.0.0.0 is gone by now.
        let name = &self.interface.name;
        if !name.contains(':') || !(name.ends_with('-') || local.is_unspecified()) {
            self.flag(iff::UP, true);
        }
        Ok(())
    }
}

/// Sets or clears one flag among those that the interface has; false if it could not be done, which was told.
fn set_flag(p: &Proc, interface: &Interface, flag: u32, on: bool) -> bool {
    let flags = match interface.flags() {
        Ok(flags) => flags,
        Err(errno) => {
            let name = &interface.name;
            p.err(&format!("{name}: ERROR while getting interface flags: {}\n", errno.text()));
            return false;
        }
    };
    let flags = if on { flags | flag } else { flags & !flag };
    let done = interface.set_flags(flags, link_change(flag, on));
    if let Err(errno) = done {
        p.err(&format!("SIOCSIFFLAGS: {}\n", errno.text()));
    }
    done.is_ok()
}

/// The change that a flag stands for; some are the device's nature, and nothing changes.
fn link_change(flag: u32, on: bool) -> LinkChange {
    let none = LinkChange::default();
    match flag {
        iff::UP => LinkChange { up: Some(on), ..none },
        iff::NOARP => LinkChange { arp: Some(!on), ..none },
        iff::NOTRAILERS => LinkChange { trailers: Some(!on), ..none },
        iff::PROMISC => LinkChange { promisc: Some(on), ..none },
        iff::MULTICAST => LinkChange { multicast: Some(on), ..none },
        iff::ALLMULTI => LinkChange { allmulticast: Some(on), ..none },
        iff::DYNAMIC => LinkChange { dynamic: Some(on), ..none },
        _ => none,
    }
}
