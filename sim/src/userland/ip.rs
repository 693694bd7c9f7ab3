//! `ip`, as iproute2 6.1.0 has it: options, objects and batches. Each object has its own room.
//!
//! | room | is |
//! |---|---|
//! | `args` | the words of a command, numbers, addresses, prefixes, and the ways to stop |
//! | `print` | what is printed: plain, one line, JSON, colours |
//! | `names` | names of tables, protocols, scopes, groups |
//! | `options` | `-4`, `-br`, `-n red` … |
//! | `batch` | `-batch FILE` cut into commands |
//! | `netns` | `ip netns` |
//! | `link` | `ip link`: words, and what follows from them |
//! | `addr` | `ip addr`: the same |
//! | `route` | `ip route` |
//! | `neigh` | `ip neigh` |
//! | `rule` | `ip rule` |
//! | `show` | listings of links and addresses |
//! | `bridge` | the program `bridge`: built of the same parts |
//! | `others` | objects that are not simulated: their usage, and a clear refusal |
//!
//! An object is a function `fn(&mut Ip, Args) -> Result<(), Stop>`: it prints through [`Ip::print`], asks and changes
//! the world through [`Ip::world`] and [`Ip::apply`], and stops with a [`Stop`], whose text is printed by [`main`].

mod addr;
mod args;
mod batch;
pub(super) mod bridge;
mod link;
mod names;
mod neigh;
mod netns;
mod options;
mod others;
mod print;
mod route;
mod rule;
mod show;

#[cfg(test)]
mod judged;

use super::Proc;
use crate::lab::Exit;
use crate::world::{NsId, World};
use args::{Args, Family, Stop, matches};
use options::{Options, Start};
use print::{Print, Stream};
use std::cell::RefMut;
use vethlab_engine::control::{Command, IfIndex};

/// A program of iproute2: `ip`, or `bridge`.
struct Suite {
    /// Its name.
    name: &'static str,
    /// What `-V` prints.
    version: &'static str,
    /// How it is used.
    usage: &'static str,
    /// The status for an object that it does not have.
    unknown: i32,
    /// The option before the object that a word abbreviates; none for a colour, or nothing.
    option: fn(&str) -> Option<&'static str>,
    /// The families that `-family` knows.
    family: fn(&str) -> Option<Family>,
    /// What it tells to try instead of an unknown option.
    help: &'static str,
    /// Its objects: an abbreviation means the first that it fits.
    objects: &'static [(&'static str, Object)],
}

impl Suite {
    /// Its usage, and status 255.
    fn usage(&self) -> Stop {
        Stop::quit(255, self.usage)
    }
}

/// A running `ip`.
struct Ip {
    /// Which of the programs it is.
    suite: &'static Suite,
    /// Its process.
    p: Proc,
    /// The namespace it works in: its own, or that of `-n`.
    ns: NsId,
    /// The options before the object.
    opts: Options,
    /// What it prints.
    print: Print,
    /// It has listed links before, in this batch: iproute2 does not forget that (`do_link`).
    links_listed: bool,
}

/// What stands behind a word like `link`.
type Object = fn(&mut Ip, Args<'_>) -> Result<(), Stop>;

const IP: Suite = Suite {
    name: "ip",
    version: "ip utility, iproute2-6.1.0, libbpf 1.1.2\n",
    usage: include_str!("ip/usage/ip.txt"),
    unknown: 1,
    option: options::find,
    family: Family::named,
    help: "ip -help",
    objects: OBJECTS,
};

/// The objects in iproute2's order.
const OBJECTS: &[(&str, Object)] = &[
    ("address", addr::run),
    ("addrlabel", others::addrlabel),
    ("maddress", others::maddress),
    ("route", route::run),
    ("rule", rule::run),
    ("neighbor", neigh::run),
    ("neighbour", neigh::run),
    ("ntable", others::ntable),
    ("ntbl", others::ntable),
    ("link", link::run),
    ("l2tp", others::l2tp),
    ("fou", others::fou),
    ("ila", others::ila),
    ("macsec", others::macsec),
    ("tunnel", others::tunnel),
    ("tunl", others::tunnel),
    ("tuntap", others::tuntap),
    ("tap", others::tuntap),
    ("token", others::token),
    ("tcpmetrics", others::tcpmetrics),
    ("tcp_metrics", others::tcpmetrics),
    ("monitor", others::monitor),
    ("xfrm", others::xfrm),
    ("mroute", others::mroute),
    ("mrule", others::mrule),
    ("netns", netns::run),
    ("netconf", others::netconf),
    ("vrf", others::vrf),
    ("sr", others::sr),
    ("nexthop", others::nexthop),
    ("mptcp", others::mptcp),
    ("ioam", others::ioam),
    ("help", |_, _| Err(usage())),
    ("stats", others::stats),
];

/// `ip`'s own usage, and status 255.
fn usage() -> Stop {
    IP.usage()
}

/// The program.
pub(super) async fn main(p: Proc) -> Exit {
    run(p, &IP).await
}

async fn run(p: Proc, suite: &'static Suite) -> Exit {
    let words: Vec<String> = p.argv().iter().skip(1).cloned().collect();
    let ns = p.ns();
    let mut ip = Ip { suite, p, ns, opts: Options::default(), print: Print::default(), links_listed: false };
    let end = match ip.start(&words) {
        Ok(Some(file)) => ip.batch(&file).await,
        Ok(None) => Ok(()),
        Err(stop) => Err(stop),
    };
    ip.finish(end)
}

impl Ip {
    /// Under `-s`, what a flush of addresses or neighbours ends with.
    fn flushed(&mut self, rounds: i32) {
        if self.opts.stats == 0 {
            return;
        }
        let s = if rounds > 1 { "s" } else { "" };
        self.print.raw(&match rounds {
            0 => "Nothing to flush.\n".to_owned(),
            _ => format!("*** Flush is complete after {rounds} round{s} ***\n"),
        });
        self.print.flush();
    }

    /// The options, and the command after them. A file name means a batch.
    fn start(&mut self, words: &[String]) -> Result<Option<String>, Stop> {
        let p = self.p.clone();
        let mut ns = self.ns;
        let start = options::read(words, self.suite, |name| {
            ns = netns_switch(&p.world(), name)?;
            Ok(())
        });
        self.ns = ns;
        let (opts, words) = match start? {
            Start::Version => {
                self.print.raw(self.suite.version);
                return Ok(None);
            }
            Start::Batch(opts, file) => {
                self.set_options(opts);
                return Ok(Some(file));
            }
            Start::Command(opts, words) => (opts, words),
        };
        self.set_options(opts);
        if words.is_empty() {
            return Err(self.suite.usage());
        }
        self.command(words)?;
        Ok(None)
    }

    fn set_options(&mut self, opts: Options) {
        self.print = Print::new(opts.style(self.p.tty(), self.p.env("COLORFGBG")));
        self.opts = opts;
    }

    /// One command: an object and its words.
    fn command(&mut self, words: &[String]) -> Result<(), Stop> {
        let mut args = Args::new(words);
        let word = args.value()?;
        let Suite { name, unknown, objects, .. } = self.suite;
        match objects.iter().find(|(name, _)| matches(word, name)) {
            Some((_, object)) => object(self, args),
            None => Err(Stop::fail(*unknown, format!("Object \"{word}\" is unknown, try \"{name} help\".\n"))),
        }
    }

    /// Prints what is held back and the last words of a [`Stop`], and tells how the program ends.
    fn finish(&mut self, end: Result<(), Stop>) -> Exit {
        let exit = match end {
            Ok(()) => Exit::Status(0),
            Err(Stop::Fail(status, text) | Stop::Quit(status, text)) => {
                self.print.error(&text);
                Exit::Status(status)
            }
            Err(Stop::Become(exit)) => exit,
        };
        self.show();
        exit
    }

    /// Hands what was printed to the process.
    fn show(&mut self) {
        for (stream, text) in self.print.take() {
            match stream {
                Stream::Out => self.p.out(&text),
                Stream::Err => self.p.err(&text),
            }
        }
    }

    /// The world. Let it go before the next call on `self` that asks for it.
    fn world(&self) -> RefMut<'_, World> {
        self.p.world()
    }

    /// Asks the kernel of this namespace; a refusal stops with its words and status 2.
    fn apply(&self, command: Command) -> Result<(), Stop> {
        Ok(self.world().apply(self.ns, command)?)
    }

    /// `ll_name_to_index()`: the link of this name; `if5` is also taken as the number 5.
    fn index_of(&self, name: &str) -> Option<IfIndex> {
        let known = self.world().stack(self.ns).ports().named(name).map(|port| port.index);
        if let Some(index) = known {
            // It asks the kernel for this one link, and so has it look at the cable.
            self.world().link_sync(self.ns, index);
            return Some(index);
        }
        let (number, _) = name.strip_prefix("if").and_then(|number| args::strtoul(number, 10))?;
        IfIndex::try_from(number).ok().filter(|index| *index != 0)
    }

    /// The link of this name, or `Cannot find device "…"` and status 1.
    fn device(&self, name: &str) -> Result<IfIndex, Stop> {
        self.index_of(name).ok_or_else(|| args::nodev(name))
    }

    /// `ll_index_to_name()`: the name of a link of this namespace; `*` for 0, `if7` for an unknown one.
    fn name_of(&self, index: IfIndex) -> String {
        // This, too, asks the kernel for the link.
        self.world().link_sync(self.ns, index);
        match self.world().stack(self.ns).ports().get(index) {
            Some(port) => port.name.to_string(),
            None if index == 0 => "*".to_owned(),
            None => format!("if{index}"),
        }
    }
}

/// `netns_switch()`: the namespace that `-n NAME` means.
fn netns_switch(world: &World, name: &str) -> Result<NsId, Stop> {
    if let Some(ns) = world.netns_named(name) {
        return Ok(ns);
    }
    // The directory itself opens, but is no namespace.
    if matches!(name, "" | "." | "/") {
        let text = format!("setting the network namespace \"{name}\" failed: Invalid argument\n");
        return Err(Stop::quit(255, text));
    }
    Err(Stop::quit(255, format!("Cannot open network namespace \"{name}\": No such file or directory\n")))
}
