//! `hostname` (Debian's, 3.23). The lab's machine is called `vethlab`; its name cannot be changed.

use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use crate::lab::Exit;
use std::net::{Ipv4Addr, Ipv6Addr};
use vethlab_engine::link::port::flag;

/// What the lab's machine is called.
pub(crate) const NAME: &str = "vethlab";

const LONG: &[Long] = &[
    ("alias", Takes::Nothing, 'a'),
    ("all-fqdns", Takes::Nothing, 'A'),
    ("all-ip-addresses", Takes::Nothing, 'I'),
    ("boot", Takes::Nothing, 'b'),
    ("domain", Takes::Nothing, 'd'),
    ("file", Takes::Value, 'F'),
    ("fqdn", Takes::Nothing, 'f'),
    ("help", Takes::Nothing, 'h'),
    ("ip-address", Takes::Nothing, 'i'),
    ("long", Takes::Nothing, 'f'),
    ("nis", Takes::Nothing, 'y'),
    ("short", Takes::Nothing, 's'),
    ("version", Takes::Nothing, 'V'),
    ("yp", Takes::Nothing, 'y'),
];

const USAGE: &str = "\
Usage: hostname [-b] {hostname|-F file}         set host name (from file)
       hostname [-a|-A|-d|-f|-i|-I|-s|-y]       display formatted name
       hostname                                 display host name

       {yp,nis,}domainname {nisdomain|-F file}  set NIS domain name (from file)
       {yp,nis,}domainname                      display NIS domain name

       dnsdomainname                            display dns domain name

       hostname -V|--version|-h|--help          print info and exit

Program name:
       {yp,nis,}domainname=hostname -y
       dnsdomainname=hostname -d

Program options:
    -a, --alias            alias names
    -A, --all-fqdns        all long host names (FQDNs)
    -b, --boot             set default hostname if none available
    -d, --domain           DNS domain name
    -f, --fqdn, --long     long host name (FQDN)
    -F, --file             read host name or NIS domain name from given file
    -i, --ip-address       addresses for the host name
    -I, --all-ip-addresses all addresses for the host
    -s, --short            short host name
    -y, --yp, --nis        NIS/YP domain name

Description:
   This command can get or set the host name or the NIS domain name. You can
   also get the DNS domain or the FQDN (fully qualified domain name).
   Unless you are using bind or NIS for host lookups you can change the
   FQDN (Fully Qualified Domain Name) and the DNS domain name (which is
   part of the FQDN) in the /etc/hosts file.
";

/// `hostname`
pub(crate) async fn main(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "aAdfbF:h?iIsVy", LONG);
    let mut shown = ' ';
    for item in &parsed.items {
        match item {
            Item::Option('h' | '?', _) => return usage(&p, true),
            Item::Option('V', _) => return said(&p, "hostname 3.23\n"),
            Item::Option('b' | 'F', _) => return unchangeable(&p),
            Item::Option(letter, _) => shown = *letter,
            Item::Bad(complaint) => {
                p.err(complaint);
                return usage(&p, false);
            }
        }
    }
    if !parsed.operands.is_empty() {
        return unchangeable(&p);
    }
    match shown {
        'a' | 'A' => said(&p, "\n"),
        'd' => Exit::Status(0),
        'i' => said(&p, "127.0.1.1\n"),
        'I' => said(&p, &all_addresses(&p)),
        'y' => {
            p.err("hostname: Local domain name not set\n");
            Exit::Status(1)
        }
        _ => said(&p, &format!("{NAME}\n")),
    }
}

fn said(p: &Proc, text: &str) -> Exit {
    p.out(text);
    Exit::Status(0)
}

fn usage(p: &Proc, wanted: bool) -> Exit {
    if wanted {
        p.out(USAGE)
    } else {
        p.err(USAGE)
    }
    Exit::Status(255)
}

fn unchangeable(p: &Proc) -> Exit {
    p.err(&format!("hostname: the lab's machine is called {NAME}; changing that is not simulated\n"));
    Exit::Status(1)
}

/// All addresses of links that are up, but not of loopback and not link-local ones of IPv6.
fn all_addresses(p: &Proc) -> String {
    let world = p.world();
    let ports =
        || world.stack(p.ns()).ports().iter().filter(|port| port.set_flags & (flag::UP | flag::LOOPBACK) == flag::UP);
    let v4 = ports()
        .flat_map(|port| &port.addresses4)
        .map(|address| address.local)
        .filter(|a: &Ipv4Addr| !a.is_unspecified());
    let v6 = ports()
        .flat_map(|port| &port.addresses6)
        .map(|address| address.local)
        .filter(|a: &Ipv6Addr| !a.is_unicast_link_local());
    let words: String = v4.map(|a| format!("{a} ")).chain(v6.map(|a| format!("{a} "))).collect();
    words + "\n"
}
