//! `arp -s`, `-d` and `-f`: entries set and deleted (`arp_ioctl`).

use super::super::nettools::{E_OPTERR, address, apply, ether, fail};
use super::{FAILED, Options, device_name, usage};
use crate::lab::Exit;
use crate::userland::{Proc, socket};
use std::net::Ipv4Addr;
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Command, Errno, IfIndex, NeighborMode, NeighborSpec, Nud};

/// What may stand behind a host (and its MAC).
struct Modifiers {
    temporary: bool,
    public: bool,
    private: bool,
    /// `dontpub`
    hidden: bool,
    /// `netmask`, but the one of a single host.
    mask: bool,
    device: String,
}

impl Modifiers {
    fn read(p: &Proc, options: &Options, words: &[String], setting: bool) -> Result<Modifiers, Exit> {
        let (temporary, public, private, hidden, mask) = (false, false, false, false, false);
        let device = options.device.clone();
        let mut found = Modifiers { temporary, public, private, hidden, mask, device };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if options.verbose && !setting {
                p.err(&format!("args={word}\n"));
            }
            match word {
                "temp" => found.temporary = true,
                // Of a new entry, the last of the two counts.
                "pub" => (found.public, found.private) = (true, found.private && !setting),
                "priv" => (found.private, found.public) = (true, found.public && !setting),
                "dontpub" => found.hidden = true,
                "trail" | "auto" => {}
                "dev" => found.device = device_name(words.next().ok_or_else(|| usage(p, E_OPTERR))?),
                "netmask" => {
                    let mask = words.next().ok_or_else(|| usage(p, E_OPTERR))?;
                    if mask != "255.255.255.255" {
                        address(mask).map_err(|text| fail(p, &text, FAILED))?;
                        found.mask = true;
                    }
                }
                _ => return Err(usage(p, E_OPTERR)),
            }
        }
        Ok(found)
    }

    /// `arp_dev`, if one was said.
    fn port(&self, p: &Proc) -> Result<Option<IfIndex>, Errno> {
        if self.device.is_empty() {
            return Ok(None);
        }
        socket::device(p, &self.device).map(Some).ok_or(Errno::NoDev)
    }
}

fn need(p: &Proc, what: &str) -> Exit {
    fail(p, &format!("arp: need {what}\n"), FAILED)
}

fn spec(index: IfIndex, host: Ipv4Addr, lladdr: Option<Mac>, state: Nud, proxy: bool) -> NeighborSpec {
    let (router, extern_learn, protocol) = (false, false, 0);
    NeighborSpec { index, destination: host.into(), lladdr, state, router, proxy, extern_learn, protocol }
}

/// True for an Ethernet device, which alone takes Ethernet addresses.
fn is_ethernet(p: &Proc, index: IfIndex) -> bool {
    p.world().stack(p.ns()).ports().get(index).is_some_and(|port| !port.is_loopback())
}

pub(super) fn set(p: &Proc, options: Options, words: &[String]) -> Result<(), Exit> {
    let [host, rest @ ..] = words else { return Err(need(p, "host name")) };
    let (host, _) = address(host).map_err(|text| fail(p, &text, FAILED))?;
    let [hardware, rest @ ..] = rest else { return Err(need(p, "hardware address")) };
    let (mac, is_ether) = if options.use_device {
        device_mac(p, &options, hardware)?
    } else {
        let mac = ether(hardware).ok_or_else(|| fail(p, "arp: invalid hardware address\n", FAILED))?;
        (mac, options.hardware.as_ref().is_none_or(|kind| kind == "ether"))
    };
    let modifiers = Modifiers::read(p, &options, rest, true)?;
    if options.verbose {
        p.err("arp: SIOCSARP()\n");
    }
    let done = request(p, &modifiers, host, mac, is_ether);
    done.map_err(|errno| fail(p, &format!("SIOCSARP: {}\n", errno.text()), FAILED))
}

/// `SIOCSARP`
fn request(p: &Proc, modifiers: &Modifiers, host: Ipv4Addr, mac: Mac, is_ether: bool) -> Result<(), Errno> {
    if !modifiers.public && (modifiers.mask || modifiers.hidden) {
        return Err(Errno::Inval);
    }
    let port = modifiers.port(p)?;
    if port.is_some_and(|port| !is_ether || !is_ethernet(p, port)) {
        return Err(Errno::Inval);
    }
    if modifiers.public {
        if modifiers.mask {
            return Err(Errno::Inval);
        }
        // Without a device it is that of the MAC.
        let owner = || {
            let world = p.world();
            let mut ports = world.stack(p.ns()).ports().iter();
            ports.find(|port| !port.is_loopback() && port.mac == mac && is_ether).map(|port| port.index)
        };
        let port = port.or_else(owner).ok_or(Errno::NoDev)?;
        let proxy = spec(port, host, None, Nud::Permanent, true);
        return apply(p, Command::NeighborAdd(NeighborMode::Replace, proxy));
    }
    let port = match port {
        Some(port) => port,
        None => socket::route(p, host)?.0,
    };
    if !is_ether || !is_ethernet(p, port) {
        return Err(Errno::Inval);
    }
    let state = if modifiers.temporary { Nud::Stale } else { Nud::Permanent };
    let entry = spec(port, host, Some(mac), state, false);
    apply(p, Command::NeighborAdd(NeighborMode::Replace, entry))
}

/// The MAC of a device (`-D`), and whether it is an Ethernet one.
fn device_mac(p: &Proc, options: &Options, name: &str) -> Result<(Mac, bool), Exit> {
    let found = {
        let world = p.world();
        let port = world.stack(p.ns()).ports().named(name);
        port.map(|port| (port.mac, !port.is_loopback()))
    };
    let (mac, is_ether) = found.ok_or_else(|| {
        let reason = Errno::NoDev.text();
        fail(p, &format!("arp: cant get HW-Address for `{name}': {reason}.\n"), FAILED)
    })?;
    if options.hardware.is_some() && !is_ether {
        return Err(fail(p, "arp: protocol type mismatch.\n", FAILED));
    }
    if options.verbose {
        let kind = if is_ether { "ether" } else { "loop" };
        p.err(&format!("arp: device `{name}' has HW address {kind} `{mac}'.\n"));
    }
    Ok((mac, is_ether))
}

pub(super) fn delete(p: &Proc, options: Options, words: &[String]) -> Result<(), Exit> {
    let [host_word, rest @ ..] = words else { return Err(need(p, "host name")) };
    let (host, _) = address(host_word).map_err(|text| fail(p, &text, FAILED))?;
    let modifiers = Modifiers::read(p, &options, rest, false)?;
    let both = modifiers.public == modifiers.private;
    for proxy in [false, true] {
        let wanted = both || if proxy { modifiers.public } else { modifiers.private };
        if !wanted {
            continue;
        }
        let kind = if proxy { "pub" } else { "dontpub" };
        if options.verbose {
            p.err(&format!("arp: SIOCDARP({kind})\n"));
        }
        match forget(p, &modifiers, host, proxy) {
            Ok(()) => return Ok(()),
            Err(Errno::NoEnt | Errno::NxIo) if !proxy && (both || modifiers.public) => {}
            Err(Errno::NoEnt | Errno::NxIo) => {
                p.out(&format!("No ARP entry for {host_word}\n"));
                return Err(Exit::Status(FAILED));
            }
            Err(errno) => return Err(fail(p, &format!("SIOCDARP({kind}): {}\n", errno.text()), FAILED)),
        }
    }
    Ok(())
}

/// `SIOCDARP`
fn forget(p: &Proc, modifiers: &Modifiers, host: Ipv4Addr, proxy: bool) -> Result<(), Errno> {
    if !proxy && (modifiers.mask || modifiers.hidden) {
        return Err(Errno::Inval);
    }
    let port = modifiers.port(p)?;
    if proxy {
        // Entries of no device in particular are not to be had by `arp`.
        let port = port.ok_or(Errno::NxIo)?;
        return apply(p, Command::NeighborDelete(spec(port, host, None, Nud::None, true)));
    }
    let port = match port {
        Some(port) => port,
        None => socket::route(p, host)?.0,
    };
    apply(p, Command::NeighborDelete(spec(port, host, None, Nud::None, false)))
}

/// Entries from a file: a host and a MAC on each line, in either order.
pub(super) fn file(p: &Proc, options: &Options, path: &str, content: &[u8]) -> Result<(), Exit> {
    for (number, line) in String::from_utf8_lossy(content).lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = number + 1;
        let mut words: Vec<String> = line.split_ascii_whitespace().map(str::to_string).collect();
        if words.len() < 2 {
            p.err(&format!("arp: format error on line {number} of etherfile {path} !\n"));
            continue;
        }
        if words.first().is_some_and(|word| word.contains(':')) {
            words.swap(0, 1);
        }
        if set(p, options.clone(), &words).is_err() {
            p.err(&format!("arp: cannot set entry on line {number} of etherfile {path} !\n"));
        }
    }
    Ok(())
}
