//! Objects whose things do not exist in a world: tunnels, IPsec, multicast routing … Their usage texts and their refusals
//! of unknown words are the real ones; a listing of what cannot be there is empty, as it is on a machine without; and
//! what would make one says in one line that it is not simulated, with status 1.

use super::args::{Args, Stop, invarg, matches};
use super::{Ip, Object};
use vethlab_engine::control::{Errno, Refusal};

/// One such object.
struct Other {
    /// As it calls itself: `ip NAME help`.
    name: &'static str,
    /// Its usage.
    usage: &'static str,
    /// What may be listed, and truly is empty.
    listings: &'static [&'static str],
    /// What else it knows.
    commands: &'static [&'static str],
    /// What it does without a word.
    alone: Alone,
}

enum Alone {
    /// Lists.
    List,
    /// Prints its usage.
    Usage,
    /// Says that it is not simulated.
    Refuse,
}

impl Other {
    fn run(&self, args: &mut Args<'_>) -> Result<(), Stop> {
        let usage = || Stop::quit(255, self.usage);
        let Some(word) = args.next() else {
            return match self.alone {
                Alone::List => Ok(()),
                Alone::Usage => Err(usage()),
                Alone::Refuse => Err(self.refuse("")),
            };
        };
        let known = |names: &[&'static str]| names.iter().copied().find(|name| matches(word, name));
        if known(self.listings).is_some() {
            return Ok(());
        }
        match known(self.commands) {
            Some(command) => Err(self.refuse(command)),
            None if matches(word, "help") => Err(usage()),
            None => Err(self.unknown(word)),
        }
    }

    /// What is said of an unknown word: each object has its own way.
    fn unknown(&self, word: &str) -> Stop {
        let command =
            |stop| Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip {} help\"{stop}\n", self.name));
        match self.name {
            "tunnel" => command(""),
            "sr" => invarg("unknown", word),
            "ioam" => invarg("Unknown", word),
            "xfrm" => Stop::quit(255, self.usage),
            _ => command("."),
        }
    }

    fn refuse(&self, command: &str) -> Stop {
        let space = if command.is_empty() { "" } else { " " };
        Stop::fail(1, format!("vethlab: ip {}{space}{command} is not simulated\n", self.name))
    }
}

macro_rules! others {
    ($($function:ident = $name:literal, $usage:literal, $alone:ident, [$($listing:literal),*], [$($command:literal),*];)*) => {$(
        #[doc = concat!("`ip ", $name, "`")]
        pub(super) fn $function(_: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
            const OTHER: Other = Other {
                name: $name,
                usage: include_str!(concat!("usage/", $usage, ".txt")),
                listings: &[$($listing),*],
                commands: &[$($command),*],
                alone: Alone::$alone,
            };
            const _: Object = $function;
            OTHER.run(&mut args)
        }
    )*};
}

others! {
    addrlabel = "addrlabel", "addrlabel", Refuse, [], ["list", "lst", "show", "add", "delete", "flush"];
    maddress = "maddr", "maddr", Refuse, [], ["add", "delete", "list", "show", "lst"];
    ntable = "ntable", "ntable", Refuse, [], ["change", "chg", "show", "lst", "list"];
    tunnel = "tunnel", "tunnel", List, ["show", "lst", "list"], ["add", "change", "delete", "prl", "6rd"];
    tuntap = "tuntap", "tuntap", List, ["show", "lst", "list"], ["add", "delete"];
    token = "token", "token", Refuse, [], ["list", "lst", "show", "set", "add", "delete", "get"];
    tcpmetrics = "tcp_metrics", "tcpmetrics", List, ["show", "list", "flush"], ["delete"];
    xfrm_state = "xfrm state", "xfrm", List, ["list", "show", "lst", "flush"],
        ["add", "update", "allocspi", "delete", "deleteall", "delall", "get", "count"];
    xfrm_policy = "xfrm policy", "xfrm", List, ["list", "show", "lst", "flush"],
        ["add", "update", "delete", "deleteall", "delall", "get", "count", "set", "setdefault", "getdefault"];
    xfrm_other = "xfrm", "xfrm", Usage, [], ["monitor"];
    mroute = "mroute", "mroute", List, ["list", "show", "lst"], [];
    mrule = "rule", "mrule", Refuse, [], ["list", "lst", "show", "save", "restore", "add", "delete", "flush"];
    netconf = "netconf", "netconf", Refuse, [], ["show", "lst", "list"];
    vrf_other = "vrf", "vrf", Refuse, [], ["identify", "pids", "exec"];
    sr = "sr", "sr", Usage, [], ["hmac", "tunsrc"];
    nexthop = "nexthop", "nexthop", List, ["list", "show", "lst"], ["add", "replace", "delete", "get", "flush", "bucket"];
    mptcp = "mptcp", "mptcp", Usage, [], ["endpoint", "limits", "monitor"];
    ioam = "ioam", "ioam", Usage, [], ["namespace", "schema"];
}

macro_rules! modules {
    ($($function:ident = $usage:literal;)*) => {$(
        #[doc = concat!("`ip ", $usage, "`: on a machine whose kernel has not loaded the module.")]
        pub(super) fn $function(_: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
            match args.next() {
                Some(word) if !matches(word, "help") => Err(no_module()),
                _ => Err(Stop::quit(255, include_str!(concat!("usage/", $usage, ".txt")))),
            }
        }
    )*};
}

modules! {
    l2tp = "l2tp";
    fou = "fou";
    ila = "ila";
    macsec = "macsec";
}

/// Nobody answers to the module's name (`genl_init_handle()`).
fn no_module() -> Stop {
    Stop::quit(1, format!("{}\nError talking to the kernel\n", Refusal::from(Errno::NoEnt)))
}

/// `ip xfrm`: an object of its own for states, and one for policies.
pub(super) fn xfrm(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    match args.peek() {
        Some(word) if matches(word, "state") => {
            args.next();
            xfrm_state(ip, args)
        }
        Some(word) if matches(word, "policy") => {
            args.next();
            xfrm_policy(ip, args)
        }
        _ => xfrm_other(ip, args),
    }
}

/// `ip vrf`: there is none.
pub(super) fn vrf(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let shows = |word| ["show", "lst", "list"].iter().any(|name| matches(word, name));
    match args.peek() {
        Some(word) if !shows(word) => return vrf_other(ip, args),
        _ => args.next(),
    };
    if !args.is_empty() {
        return Err(Stop::fail(255, "Invalid VRF\n"));
    }
    ip.print.begin();
    ip.print.text("Name              Table\n-----------------------\nNo VRF has been configured\n");
    ip.print.end();
    Ok(())
}

/// `ip stats`: its usage ends with status 0.
pub(super) fn stats(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    match args.next() {
        Some("help") => {
            ip.print.error(include_str!("usage/stats.txt"));
            Ok(())
        }
        None | Some("show" | "set") => Err(Stop::fail(1, "vethlab: ip stats is not simulated\n")),
        Some(word) => Err(Stop::fail(1, format!("Command \"{word}\" is unknown, try \"ip stats help\".\n"))),
    }
}

/// `ip monitor`: nobody sends notices here; its words are read all the same.
pub(super) fn monitor(_: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const WORDS: &[&str] = &[
        "label", "link", "address", "route", "mroute", "prefix", "neigh", "netconf", "rule", "nsid", "nexthop",
        "stats", "all", "all-nsid",
    ];
    while let Some(word) = args.next() {
        if matches(word, "file") || word == "dev" {
            args.value()?;
        } else if matches(word, "help") {
            return Err(Stop::quit(255, include_str!("usage/monitor.txt")));
        } else if !WORDS.iter().any(|known| matches(word, known)) {
            return Err(Stop::quit(255, format!("Argument \"{word}\" is unknown, try \"ip monitor help\".\n")));
        }
    }
    Err(Stop::fail(1, "vethlab: ip monitor is not simulated\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUNNEL: Other =
        Other { name: "tunnel", usage: "Usage", listings: &["show"], commands: &["add"], alone: Alone::List };

    fn run(line: &str) -> Result<(), Stop> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        TUNNEL.run(&mut Args::new(&words))
    }

    #[test]
    fn what_cannot_be_there_is_an_empty_list_and_cannot_be_made() {
        assert_eq!((run(""), run("sh")), (Ok(()), Ok(())));
        assert_eq!(run("add x"), Err(Stop::fail(1, "vethlab: ip tunnel add is not simulated\n")));
        assert_eq!(run("he"), Err(Stop::quit(255, "Usage")));
        assert_eq!(run("x"), Err(Stop::quit(255, "Command \"x\" is unknown, try \"ip tunnel help\"\n")));
    }
}
