//! `bridge`, as iproute2 6.1.0 has it: ports, forwarding tables, VLANs and groups of bridges. It is built of the same parts
//! as `ip`, and each of its objects has its own room.

mod fdb;
mod link;
mod mdb;
mod vlan;

use super::args::{Args, Family, Stop, matches};
use super::options::color_option;
use super::{Ip, Suite};
use crate::lab::Exit;
use crate::userland::Proc;

/// The program.
const BRIDGE: Suite = Suite {
    name: "bridge",
    version: "bridge utility, 6.1.0\n",
    usage: include_str!("usage/bridge/program.txt"),
    unknown: 255,
    option: find,
    family,
    help: "bridge help",
    objects: &[
        ("link", link::run),
        ("fdb", fdb::run),
        ("mdb", mdb::run),
        ("vlan", vlan::run),
        ("vni", vlan::vni),
        ("monitor", monitor),
        ("help", |_, _| Err(usage())),
    ],
};

/// `bridge …`
pub(in super::super) async fn main(p: Proc) -> Exit {
    super::run(p, &BRIDGE).await
}

fn usage() -> Stop {
    BRIDGE.usage()
}

/// A command that an object does not have.
fn unknown(object: &str, word: &str) -> Stop {
    Stop::quit(255, format!("Command \"{word}\" is unknown, try \"bridge {object} help\".\n"))
}

/// `Cannot find bridge device "…"`: what most commands say of a missing link, whatever it should have been.
fn no_bridge(name: &str) -> Stop {
    Stop::fail(255, format!("Cannot find bridge device \"{name}\"\n"))
}

/// `nodev()`, as the status of a whole command.
fn no_device(name: &str) -> Stop {
    Stop::fail(255, format!("Cannot find device \"{name}\"\n"))
}

/// The kernel's no: `rtnl_talk` prints it, and nearly all commands end with −1 then.
fn refused(refusal: vethlab_engine::control::Refusal) -> Stop {
    Stop::fail(255, format!("{refusal}\n"))
}

/// `strcmp`, where `ip` would take an abbreviation: the flags that are words of their own, on or off.
fn on_off(name: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
    // parse_on_off() returns −EINVAL, and that becomes the status.
    super::args::one_of(name, args.value()?, &["off", "on"]).map(|at| at == 1).map_err(|text| Stop::fail(234, text))
}

/// The option that this one abbreviates. `None`: a colour, or nothing.
fn find(option: &str) -> Option<&'static str> {
    const BEFORE_COLOR: &[&str] =
        &["-help", "-Version", "-stats", "-statistics", "-details", "-oneline", "-timestamp", "-family"];
    const AFTER_COLOR: &[&str] = &["-compressvlans", "-force", "-json", "-pretty", "-batch"];
    let abbreviated = |names: &'static [&'static str]| names.iter().copied().find(|name| matches(option, name));
    let exact = || ["-4", "-6"].into_iter().find(|name| *name == option);
    let netns = || matches(option, "-netns").then_some("-netns");
    let found = abbreviated(BEFORE_COLOR).or_else(exact).or_else(netns);
    if found.is_none() && color_option(option).is_some() {
        return None;
    }
    found.or_else(|| abbreviated(AFTER_COLOR))
}

fn family(word: &str) -> Option<Family> {
    match word {
        "inet" => Some(Family::Inet),
        "inet6" => Some(Family::Inet6),
        _ => None,
    }
}

/// `bridge monitor`: nobody sends notices here; its words are read all the same.
fn monitor(_: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    while let Some(word) = args.next() {
        if matches(word, "file") {
            args.value()?;
        } else if ["link", "fdb", "mdb", "vlan"].iter().any(|known| matches(word, known))
            || matches!(word, "vni" | "all")
        {
        } else if matches(word, "help") {
            return Err(Stop::quit(255, include_str!("usage/bridge/monitor.txt")));
        } else {
            return Err(Stop::quit(255, format!("Argument \"{word}\" is unknown, try \"bridge monitor help\".\n")));
        }
    }
    Err(Stop::fail(1, "vethlab: bridge monitor is not simulated\n"))
}

#[cfg(test)]
mod tests {
    use super::super::options::{self, ColorOption, Options, Start};
    use super::*;

    fn read(line: &str) -> Result<Options, Stop> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        match options::read(&words, &BRIDGE, |_| Ok(()))? {
            Start::Command(opts, _) | Start::Batch(opts, _) => Ok(opts),
            Start::Version => Ok(Options::default()),
        }
    }

    #[test]
    fn abbreviations_mean_what_they_mean_to_bridge() {
        assert_eq!(find("-s"), Some("-stats"));
        assert_eq!(find("-f"), Some("-family"));
        assert_eq!(find("-fo"), Some("-force"));
        assert_eq!(find("-n"), Some("-netns"));
        assert_eq!(find("-c"), None);
        assert_eq!(find("-com"), Some("-compressvlans"));
        assert_eq!(find("-h"), Some("-help"));
    }

    #[test]
    fn options_one_after_another() {
        let opts = read("-j -p --details -s link").expect("options");
        assert_eq!((opts.json, opts.pretty, opts.details, opts.stats), (true, true, true, 1));
        assert_eq!(read("-c link").map(|opts| opts.color), Ok(ColorOption::Always));
        assert_eq!(read("--foo"), Err(Stop::quit(255, "Option \"-foo\" is unknown, try \"bridge help\".\n")));
        assert_eq!(read("-batch"), Err(usage()));
    }
}
