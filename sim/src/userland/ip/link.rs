//! `ip link`: links are made, changed, moved and taken away.

mod change;
mod kind;
mod request;
#[cfg(test)]
mod tests;

use super::args::{Args, Stop, check_altifname, duparg2, invarg, matches};
use super::{Ip, show};
pub(super) use kind::set_flag;

/// The usage of `ip link`, and status 255.
pub(super) fn usage() -> Stop {
    Stop::quit(255, include_str!("usage/link.txt"))
}

/// `ip link …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] =
        &["add", "set", "change", "replace", "delete", "show", "lst", "list", "xstats", "afstats", "property", "help"];
    let Some(word) = args.next() else { return show::list(ip, args, true) };
    match COMMANDS.iter().copied().find(|command| matches(word, command)) {
        Some("add") => change::add(ip, args),
        Some("set" | "change") => change::set(ip, args),
        Some("replace") => change::replace(ip, args),
        Some("delete") => change::delete(ip, args),
        Some("show" | "lst" | "list") => show::list(ip, args, true),
        Some("xstats") => xstats(ip, args),
        Some("afstats") => afstats(ip, args),
        Some("property") => property(ip, args),
        Some(_) => help(ip, args),
        None => Err(Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip link help\".\n"))),
    }
}

fn help(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    args.next().map_or_else(|| Err(usage()), |kind| kind::help(ip, kind))
}

fn xstats(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    match args.next() {
        None => Err(Stop::fail(1, "xstats: missing argument\n")),
        Some(word) if matches(word, "type") => {
            let kind = args.value()?;
            if matches!(kind, "bond" | "bond_slave" | "bridge" | "bridge_slave") {
                return Err(Stop::fail(1, "vethlab: ip link xstats is not simulated\n"));
            }
            if kind::is_known(kind) {
                return Err(Stop::fail(1, format!("xstats: link type {kind} doesn't support xstats\n")));
            }
            Err(invarg("invalid type", kind))
        }
        Some(word) if matches(word, "help") => {
            ip.print.raw("Usage: ... xstats type TYPE [ ARGS ]\n");
            Ok(())
        }
        Some(word) => Err(invarg("unknown argument", word)),
    }
}

/// Only MPLS has such counters; an error of it is printed, and forgotten.
fn afstats(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let mut device = None;
    while let Some(word) = args.next() {
        match word {
            "dev" => {
                let name = args.value()?;
                if device.replace(name).is_some() {
                    return Err(duparg2("dev", name));
                }
            }
            _ if matches(word, "help") => return Err(usage()),
            _ => return Err(Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip link help\".\n"))),
        }
    }
    if let Some(name) = device.filter(|name| ip.index_of(name).is_none()) {
        ip.print.error(&format!("Device \"{name}\" does not exist.\n"));
        return Ok(());
    }
    ip.print.begin();
    ip.print.end();
    Ok(())
}

/// Alternative names: their words are read, but links here have one name.
fn property(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    match args.next() {
        Some(word) if matches(word, "add") || matches(word, "del") => {}
        Some(word) if !matches(word, "help") => return Err(Stop::quit(255, "Operator required\n")),
        _ => return Err(usage()),
    }
    let mut device = None;
    while let Some(word) = args.next() {
        if matches(word, "altname") {
            let name = args.value()?;
            if !check_altifname(name) {
                return Err(invarg("not a valid altname", name));
            }
        } else if matches(word, "help") {
            return Err(usage());
        } else {
            let name = if word == "dev" { args.value()? } else { word };
            if !check_altifname(name) {
                return Err(invarg("\"dev\" not a valid ifname", name));
            }
            if device.replace(name).is_some() {
                return Err(duparg2("dev", name));
            }
        }
    }
    let Some(name) = device else {
        return Err(Stop::quit(255, "Not enough of information: \"dev\" argument is required.\n"));
    };
    ip.device(name)?;
    Err(Stop::fail(1, "vethlab: alternative names of links are not simulated\n"))
}
