//! `netstat` of net-tools 2.10: sockets, and by `-r` and `-i` what `route` and `ifconfig` show.

mod sockets;

use super::getopt::{Item, Long, Takes, getopt};
use super::nettools::{E_OPTERR, FAMILIES, HARDWARE, RELEASE, fail, family_list};
use super::{Proc, ifconfig, route};
use crate::lab::Exit;

const USAGE: &str = include_str!("netstat/usage.txt");
const AUTHORS: &str = "Fred Baumgarten, Alan Cox, Bernd Eckenfels, Phil Blundell, Tuan Hoang, Brian Micek and others\n";
const FEATURES: &str = "+NEW_ADDRT +RTF_IRTT +RTF_REJECT +FW_MASQUERADE +I18N +SELINUX\n";
const SHORT: &str = "A:CFMacdeghilnNoprsStuUvVWwx64?Z";

#[rustfmt::skip]
const LONG: &[Long] = &[
    ("inet", Takes::Nothing, '4'), ("ip", Takes::Nothing, '4'), ("tcpip", Takes::Nothing, '4'),
    ("inet6", Takes::Nothing, '6'), ("unix", Takes::Nothing, 'x'), ("protocol", Takes::Value, 'A'),
    ("version", Takes::Nothing, 'V'), ("interfaces", Takes::Nothing, 'i'), ("help", Takes::Nothing, 'h'),
    ("route", Takes::Nothing, 'r'), ("statistics", Takes::Nothing, 's'), ("numeric", Takes::Nothing, 'n'),
    ("numeric-hosts", Takes::Nothing, 'n'), ("numeric-ports", Takes::Nothing, 'n'), ("numeric-users", Takes::Nothing, 'n'),
    ("symbolic", Takes::Nothing, 'N'), ("verbose", Takes::Nothing, 'v'), ("extend", Takes::Nothing, 'e'),
    ("programs", Takes::Nothing, 'p'), ("timers", Takes::Nothing, 'o'), ("continuous", Takes::Nothing, 'c'),
    ("listening", Takes::Nothing, 'l'), ("all", Takes::Nothing, 'a'), ("fib", Takes::Nothing, 'F'),
    ("cache", Takes::Nothing, 'C'), ("masquerade", Takes::Nothing, 'M'), ("groups", Takes::Nothing, 'g'),
    ("wide", Takes::Nothing, 'W'), ("context", Takes::Nothing, 'Z'), ("tcp", Takes::Nothing, 't'),
    ("sctp", Takes::Nothing, 'S'), ("udp", Takes::Nothing, 'u'), ("udplite", Takes::Nothing, 'U'),
    ("raw", Takes::Nothing, 'w'),
];

/// What is asked.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    tcp: bool,
    udp: bool,
    raw: bool,
    unix: bool,
    /// `-S`, `-U`: of these there are none.
    none: bool,
    v4: bool,
    v6: bool,
    all: bool,
    listening: bool,
    numeric: bool,
    programs: bool,
    timers: bool,
    extended: u32,
    routes: bool,
    interfaces: bool,
}

/// `netstat`
pub(crate) async fn main(p: Proc) -> Exit {
    run(&p).unwrap_or_else(|exit| exit)
}

fn run(p: &Proc) -> Result<Exit, Exit> {
    let mut options = Options::default();
    for item in getopt(p.argv(), SHORT, LONG).items {
        match item {
            Item::Option(letter, value) => options.take(p, letter, value.as_deref().unwrap_or_default())?,
            Item::Bad(complaint) => {
                p.err(&complaint);
                return Err(usage(p, E_OPTERR));
            }
        }
    }
    if options.interfaces && options.routes {
        return Err(usage(p, E_OPTERR));
    }
    if options.interfaces {
        ifconfig::of_netstat(p, options.all, options.extended > 0);
        return Ok(Exit::Status(0));
    }
    if options.routes {
        if options.v6 {
            return Err(fail(p, "netstat: IPv6 routes are not simulated here; use ip -6 route\n", 1));
        }
        return Ok(route::of_netstat(p, options.numeric, options.extended));
    }
    let text = sockets::text(p, options);
    p.out(&text);
    Ok(Exit::Status(0))
}

impl Options {
    fn take(&mut self, p: &Proc, letter: char, value: &str) -> Result<(), Exit> {
        let refused = |what: &str| Err(fail(p, &format!("vethlab: netstat {what} is not simulated\n"), 1));
        match letter {
            't' => self.tcp = true,
            'u' => self.udp = true,
            'w' => self.raw = true,
            'x' => self.unix = true,
            'S' | 'U' => self.none = true,
            '4' => self.v4 = true,
            '6' => self.v6 = true,
            'A' => match value {
                "inet" | "ip" | "tcpip" => self.v4 = true,
                "inet6" => self.v6 = true,
                "unix" => self.unix = true,
                _ => return Err(fail(p, &format!("Unknown address family `{value}'.\n"), 1)),
            },
            'a' => self.all = true,
            'l' => self.listening = true,
            'n' => self.numeric = true,
            'p' => self.programs = true,
            'o' => self.timers = true,
            'e' => self.extended += 1,
            'r' => self.routes = true,
            'i' => self.interfaces = true,
            'c' | 'd' => return refused("-c"),
            's' => return refused("-s"),
            'g' => return refused("-g"),
            'C' => return refused("-C"),
            'M' => return Err(fail(p, "netstat: no support for `ip_masquerade' on this system.\n", 1)),
            'Z' => return Err(fail(p, "SELinux is not enabled on this machine.\n\n", 1)),
            'h' | '?' => return Err(usage(p, 0)),
            'V' => {
                p.out(&format!("{RELEASE}{AUTHORS}{FEATURES}{FAMILIES}HW:  {HARDWARE}"));
                return Err(Exit::Status(0));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The list goes to standard error, wherever the rest goes.
fn usage(p: &Proc, status: i32) -> Exit {
    if status == 0 {
        p.out(USAGE);
    } else {
        p.err(USAGE);
    }
    fail(p, &family_list(true), status)
}

#[cfg(test)]
mod tests;
