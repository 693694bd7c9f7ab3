//! `route` of net-tools 2.10: the main table as `/proc/net/route` tells it, and routes added and removed as `SIOCADDRT` and
//! `SIOCDELRT` do it. Of IPv6 it knows nothing here; `ip -6 route` does.

mod edit;

use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use super::nettools::{E_OPTERR, FAMILIES, HARDWARE, RELEASE, fail, family_list, name};
use crate::lab::Exit;
use std::net::Ipv4Addr;
use vethlab_engine::control::{RouteKind, table};
use vethlab_engine::route::Route;

const LONG: &[Long] = &[
    ("inet", Takes::Nothing, '4'),
    ("ip", Takes::Nothing, '4'),
    ("tcpip", Takes::Nothing, '4'),
    ("inet6", Takes::Nothing, '6'),
    ("extend", Takes::Nothing, 'e'),
    ("verbose", Takes::Nothing, 'v'),
    ("version", Takes::Nothing, 'V'),
    ("numeric", Takes::Nothing, 'n'),
    ("symbolic", Takes::Nothing, 'N'),
    ("protocol", Takes::Value, 'A'),
    ("cache", Takes::Nothing, 'C'),
    ("fib", Takes::Nothing, 'F'),
    ("help", Takes::Nothing, 'h'),
];

const USAGE: &str = "\
Usage: route [-nNvee] [-FC] [<AF>]           List kernel routing tables
       route [-v] [-FC] {add|del|flush} ...  Modify routing table for AF.

       route {-h|--help} [<AF>]              Detailed usage syntax for specified AF.
       route {-V|--version}                  Display version/author and exit.

        -v, --verbose            be verbose
        -n, --numeric            don't resolve names
        -e, --extend             display other/more information
        -F, --fib                display Forwarding Information Base (default)
        -C, --cache              display routing cache instead of FIB

  <AF>=Use -4, -6, '-A <af>' or '--<af>'; default: inet
  List of possible address families (which support routing):
";

/// What the options ask for.
#[derive(Debug, Default)]
struct Options {
    numeric: bool,
    /// How many `-e` there are.
    extended: u32,
    fib: bool,
    cache: bool,
    help: bool,
    family: Option<String>,
}

/// `route`
pub(super) async fn main(p: Proc) -> Exit {
    run(&p).unwrap_or_else(|exit| exit)
}

fn run(p: &Proc) -> Result<Exit, Exit> {
    // `-net` would be a row of letters.
    let words = p.argv().iter().map(|word| match word.as_str() {
        "-net" => "#net".to_string(),
        "-host" => "#host".to_string(),
        _ => word.clone(),
    });
    let words: Vec<String> = words.collect();
    let parsed = getopt(&words, "A:eCFhnN64Vv?", LONG);
    let mut options = Options::default();
    for item in parsed.items {
        options.take(p, item)?;
    }
    if options.help && options.family.is_none() {
        return Err(usage(p, 0));
    }
    let (action, rest) = match parsed.operands.split_first() {
        _ if options.help => ("", &[][..]),
        Some((action, rest)) => (action.as_str(), rest),
        None if options.family.as_deref() == Some("inet6") => return Err(no_ipv6(p)),
        None => return Ok(show(p, &options)),
    };
    if !options.help && !matches!(action, "add" | "del" | "delete" | "flush") {
        return Err(usage(p, E_OPTERR));
    }
    if options.family.as_deref() == Some("inet6") {
        return Err(no_ipv6(p));
    }
    if action == "flush" {
        p.err("Flushing `inet' routing table not supported\n");
        return Err(edit::usage(p, E_OPTERR));
    }
    if options.cache {
        p.err("Modifying `inet' routing cache not supported\n");
        return Err(edit::usage(p, E_OPTERR));
    }
    if rest.is_empty() {
        return Err(edit::usage(p, 0));
    }
    edit::run(p, action == "add", rest)
}

fn no_ipv6(p: &Proc) -> Exit {
    fail(p, "route: IPv6 routes are not simulated here; use ip -6 route\n", 1)
}

fn usage(p: &Proc, status: i32) -> Exit {
    if status == 0 {
        p.out(USAGE)
    } else {
        p.err(USAGE)
    }
    // The list goes to standard error in either case.
    fail(p, &family_list(true), status)
}

impl Options {
    fn take(&mut self, p: &Proc, item: Item) -> Result<(), Exit> {
        match item {
            Item::Option('n' | 'N', _) => self.numeric = true,
            Item::Option('e', _) => self.extended += 1,
            Item::Option('C', _) => self.cache = true,
            Item::Option('F', _) => self.fib = true,
            Item::Option('4', _) => self.family = Some("inet".into()),
            Item::Option('6', _) => self.family = Some("inet6".into()),
            Item::Option('A', Some(family)) => {
                if !matches!(family.as_str(), "inet" | "inet6" | "ip" | "tcpip") {
                    return Err(fail(p, &format!("Unknown address family `{family}'.\n"), 1));
                }
                self.family = Some(if family == "inet6" { family } else { "inet".into() });
            }
            Item::Option('V', _) => {
                p.out(&format!("{RELEASE}+NEW_ADDRT +RTF_IRTT +RTF_REJECT +I18N +SELINUX\n{FAMILIES}HW:  {HARDWARE}"));
                return Err(Exit::Status(0));
            }
            Item::Option('h' | '?', _) => self.help = true,
            Item::Option(..) => {}
            Item::Bad(complaint) => {
                p.err(&complaint);
                self.help = true;
            }
        }
        Ok(())
    }
}

/// `netstat -r`, with so many `-e`.
pub(super) fn of_netstat(p: &Proc, numeric: bool, extended: u32) -> Exit {
    let extended = match extended {
        0 => 1,
        1 => 0,
        _ => 2,
    };
    show(p, &Options { numeric, extended, ..Options::default() })
}

fn show(p: &Proc, options: &Options) -> Exit {
    // Two bits count the letters.
    let extended = (options.extended + 1) & 3;
    if options.fib || !options.cache {
        p.out("Kernel IP routing table\n");
        p.out(match extended {
            1 => "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n",
            2 => "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n",
            3 => "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface    MSS   Window irtt\n",
            _ => "",
        });
        let world = p.world();
        let config = world.stack(p.ns()).config();
        let routes = config.rib4.table(table::MAIN);
        let lines = routes.into_iter().flatten().filter_map(|route| {
            let oif = route.nexthops.first().oif;
            let device = config.ports.get(oif).map_or("*", |port| port.name.as_str());
            line(route, device, options.numeric, extended)
        });
        let text: String = lines.collect();
        drop(world);
        p.out(&text);
    }
    if options.cache {
        p.out("Kernel IP routing cache\n");
        p.out("Source          Destination     Gateway         Flags Metric Ref    Use Iface\n");
    }
    Exit::Status(0)
}

/// The line of one route, if the kernel lists it at all.
fn line(route: &Route<Ipv4Addr>, device: &str, numeric: bool, extended: u32) -> Option<String> {
    if matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast) {
        return None;
    }
    let (address, length) = (route.destination.address(), route.destination.length());
    let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0));
    let host = length == 32;
    let destination = match (address.is_unspecified(), length) {
        (true, 0) if !numeric => "default".to_string(),
        (true, _) => address.to_string(),
        _ => name(address, host, numeric),
    };
    let reject = matches!(route.kind, RouteKind::Unreachable | RouteKind::Prohibit);
    let gateway = route.nexthops.first().gateway;
    let flags = match (reject, gateway.is_some()) {
        (true, _) => "!",
        (false, true) => "UG",
        (false, false) => "U",
    };
    let flags = format!("{flags}{}", if host { "H" } else { "" });
    let shown = gateway.map_or("0.0.0.0".to_string(), |gateway| name(gateway, true, numeric));
    let shown = if reject { "-".to_string() } else { shown };
    let front = format!("{:<15} {:<15} {mask:<15} {flags:<5}", cut(&destination), cut(&shown));
    let metric = route.metric as i32;
    // The kernel keeps a segment's size where it was asked for a packet's.
    let mss = route.rare.metrics.advmss.map_or(0, |advmss| advmss + 40);
    let window = route.rare.metrics.window.unwrap_or(0);
    let irtt = route.rare.metrics.rtt.unwrap_or(0) >> 3;
    Some(match (extended, reject) {
        (1, false) => format!("{front} {metric:<6} 0        0 {device}\n"),
        (1, true) => format!("{front} {metric:<6} -        0 -\n"),
        (2, false) => format!("{front} {mss:>5} {window:<5} {irtt:>6} {device}\n"),
        (2, true) => format!("{front}     - -          - -\n"),
        (3, false) => {
            let device: String = device.chars().take(6).collect();
            format!("{front} {metric:<6} 0        0 {device:<6}   {mss:<5} {window:<6} {irtt}\n")
        }
        (3, true) => format!("{front} {metric:<6} -        0 -        -     -      -\n"),
        _ => String::new(),
    })
}

/// Fifteen bytes at most.
fn cut(name: &str) -> &str {
    name.get(..15).unwrap_or(name)
}

#[cfg(test)]
mod tests;
