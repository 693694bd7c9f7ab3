//! `arp` of net-tools 2.10: the neighbours as `/proc/net/arp` tells them, and entries set and deleted as `SIOCSARP` and
//! `SIOCDARP` do it.

mod edit;

use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use super::nettools::{AF_TYPES, E_OPTERR, FAMILIES, HARDWARE, HW_TYPES, RELEASE, address, fail, hardware_list, name};
use crate::lab::Exit;
use std::net::Ipv4Addr;
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::{IfIndex, Nud};

const LONG: &[Long] = &[
    ("verbose", Takes::Nothing, 'v'),
    ("version", Takes::Nothing, 'V'),
    ("all", Takes::Nothing, 'a'),
    ("delete", Takes::Nothing, 'd'),
    ("file", Takes::Nothing, 'f'),
    ("numeric", Takes::Nothing, 'n'),
    ("set", Takes::Nothing, 's'),
    ("protocol", Takes::Value, 'A'),
    ("hw-type", Takes::Value, 'H'),
    ("device", Takes::Value, 'i'),
    ("help", Takes::Nothing, 'h'),
    ("use-device", Takes::Nothing, 'D'),
    ("symbolic", Takes::Nothing, 'N'),
];

const USAGE: &str = "\
Usage:
  arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache
  arp [-v]          [-i <if>] -d  <host> [pub]               <-Delete ARP entry
  arp [-vnD] [<HW>] [-i <if>] -f  [<filename>]            <-Add entry from file
  arp [-v]   [<HW>] [-i <if>] -s  <host> <hwaddr> [temp]            <-Add entry
  arp [-v]   [<HW>] [-i <if>] -Ds <host> <if> [netmask <nm>] pub          <-''-

        -a                       display (all) hosts in alternative (BSD) style
        -e                       display (all) hosts in default (Linux) style
        -s, --set                set a new ARP entry
        -d, --delete             delete a specified entry
        -v, --verbose            be verbose
        -n, --numeric            don't resolve names
        -i, --device             specify network interface (e.g. eth0)
        -D, --use-device         read <hwaddr> from given device
        -A, -p, --protocol       specify protocol family
        -f, --file               read new entries from file or from /etc/ethers

  <HW>=Use '-H <hw>' to specify hardware address type. Default: ether
  List of possible hardware types (which support ARP):
";

/// What is to be done; the last of the letters decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Action {
    #[default]
    List,
    ListBsd,
    File,
    Delete,
    Set,
}

/// The options.
#[derive(Clone, Debug, Default)]
struct Options {
    action: Action,
    /// `-a` was there, whatever came later.
    all: bool,
    linux_style: bool,
    numeric: bool,
    verbose: bool,
    use_device: bool,
    /// `-H`
    hardware: Option<String>,
    /// `-i`; empty if not said.
    device: String,
}

/// `arp`
pub(super) async fn main(p: Proc) -> Exit {
    let (options, operands) = match read(&p) {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let done = match options.action {
        Action::List | Action::ListBsd => show(&p, &options, operands.first()),
        Action::Delete => edit::delete(&p, options, &operands),
        Action::Set => edit::set(&p, options, &operands),
        Action::File => {
            let path = operands.first().map_or("/etc/ethers", String::as_str);
            match p.file(path).await {
                Ok(content) => edit::file(&p, &options, path, &content),
                Err(_) => Err(fail(&p, &format!("arp: cannot open etherfile {path} !\n"), FAILED)),
            }
        }
    };
    done.err().unwrap_or(Exit::Status(0))
}

/// `exit(-1)`
const FAILED: i32 = 255;

fn usage(p: &Proc, status: i32) -> Exit {
    if status == 0 {
        p.out(USAGE)
    } else {
        p.err(USAGE)
    }
    fail(p, &hardware_list(true), status)
}

fn read(p: &Proc) -> Result<(Options, Vec<String>), Exit> {
    let parsed = getopt(p.argv(), "A:H:adfp:nsei:t:vh?DNV", LONG);
    let mut options = Options::default();
    let mut family = "inet".to_string();
    for item in parsed.items {
        match item {
            Item::Option('A' | 'p', Some(value)) => {
                if !AF_TYPES.iter().any(|known| known.0 == value) {
                    return Err(fail(p, &format!("arp: {value}: unknown address family.\n"), FAILED));
                }
                family = value;
            }
            item => options.take(p, item)?,
        }
    }
    if family != "inet" {
        return Err(fail(p, &format!("arp: {family}: kernel only supports 'inet'.\n"), FAILED));
    }
    let hardware = options.hardware.as_deref().unwrap_or("ether");
    if HW_TYPES.iter().any(|kind| kind.0 == hardware && !kind.2) {
        return Err(fail(p, &format!("arp: {hardware}: hardware type without ARP support.\n"), FAILED));
    }
    Ok((options, parsed.operands))
}

impl Options {
    fn take(&mut self, p: &Proc, item: Item) -> Result<(), Exit> {
        match item {
            Item::Option('a', _) => (self.action, self.all) = (Action::ListBsd, true),
            Item::Option('f', _) => self.action = Action::File,
            Item::Option('d', _) => self.action = Action::Delete,
            Item::Option('s', _) => self.action = Action::Set,
            Item::Option('e', _) => self.linux_style = true,
            Item::Option('n', _) => self.numeric = true,
            Item::Option('D', _) => self.use_device = true,
            Item::Option('N', _) => p.err("arp: -N not yet supported.\n"),
            Item::Option('v', _) => self.verbose = true,
            Item::Option('i', Some(value)) => self.device = device_name(&value),
            Item::Option('H' | 't', Some(value)) => {
                if !HW_TYPES.iter().any(|kind| kind.0 == value) {
                    return Err(fail(p, &format!("arp: {value}: unknown hardware type.\n"), FAILED));
                }
                self.hardware = Some(value);
            }
            Item::Option('V', _) => {
                p.out(&format!("{RELEASE}+I18N +SELINUX\n{FAMILIES}HW: (ether) {HARDWARE}"));
                return Err(Exit::Status(0));
            }
            Item::Option('h', _) => return Err(usage(p, 0)),
            Item::Option(..) => return Err(usage(p, E_OPTERR)),
            Item::Bad(complaint) => {
                p.err(&complaint);
                return Err(usage(p, E_OPTERR));
            }
        }
        Ok(())
    }
}

/// What fits into an interface's name.
fn device_name(word: &str) -> String {
    word.chars().take(15).collect()
}

/// A line of `/proc/net/arp`.
#[derive(Clone, Debug)]
struct Entry {
    ip: Ipv4Addr,
    hardware: &'static str,
    mac: String,
    complete: bool,
    permanent: bool,
    published: bool,
    device: String,
}

/// All lines: the neighbours, then what we answer for.
fn entries(p: &Proc) -> Vec<Entry> {
    let world = p.world();
    let stack = world.stack(p.ns());
    let entry = |port: IfIndex, ip: IpAddr, mac: String, state: Option<Nud>| {
        let IpAddr::V4(ip) = ip else { return None };
        let port = stack.ports().get(port);
        let hardware = if port.is_some_and(|port| port.is_loopback()) { "loop" } else { "ether" };
        Some(Entry {
            ip,
            hardware,
            mac,
            complete: !matches!(state, None | Some(Nud::None | Nud::Incomplete | Nud::Failed)),
            permanent: matches!(state, None | Some(Nud::Permanent)),
            published: state.is_none(),
            device: port.map_or_else(|| "*".to_string(), |port| port.name.to_string()),
        })
    };
    let neighbors = stack.neighbor_entries(world.now()).into_iter().filter(|neighbor| neighbor.state != Nud::Noarp);
    let mut all: Vec<Entry> = neighbors
        .filter_map(|neighbor| {
            let mac = neighbor.mac.map_or(String::new(), |mac| mac.to_string());
            entry(neighbor.port, neighbor.ip, mac, Some(neighbor.state))
        })
        .collect();
    all.extend(stack.proxy_entries().into_iter().filter_map(|((port, ip), _)| entry(port, ip, String::new(), None)));
    all
}

fn show(p: &Proc, options: &Options, host: Option<&String>) -> Result<(), Exit> {
    let wanted = match host {
        Some(word) => Some(address(word).map_err(|text| fail(p, &text, FAILED))?.0),
        None => None,
    };
    let all = entries(p);
    let takes = |entry: &&Entry| {
        options.hardware.as_ref().is_none_or(|hardware| entry.hardware == hardware)
            && wanted.is_none_or(|ip| entry.ip == ip)
            && (options.device.is_empty() || entry.device == options.device)
    };
    let shown: Vec<&Entry> = all.iter().filter(takes).collect();
    let linux_style = options.linux_style || options.action == Action::List;
    if linux_style && !shown.is_empty() {
        p.out("Address                  HWtype  HWaddress           Flags Mask            Iface\n");
    }
    for entry in &shown {
        p.out(&if linux_style { entry.linux_line(options.numeric) } else { entry.bsd_line(options.numeric) });
    }
    let (entries, found) = (all.len(), shown.len());
    if options.verbose {
        p.out(&format!("Entries: {entries}\tSkipped: {}\tFound: {found}\n", entries - found));
    }
    if found > 0 {
        return Ok(());
    }
    match (host, wanted) {
        (Some(word), Some(ip)) if !options.all => p.out(&format!("{word} ({ip}) -- no entry\n")),
        _ if options.hardware.is_some() || wanted.is_some() || !options.device.is_empty() => {
            p.out(&format!("arp: in {entries} entries no match found.\n"));
        }
        _ => {}
    }
    Ok(())
}

impl Entry {
    fn linux_line(&self, numeric: bool) -> String {
        let host: String = name(self.ip, true, numeric).chars().take(23).collect();
        let (kind, mac) = match (self.complete, self.published) {
            (true, _) => (self.hardware, self.mac.as_str()),
            (false, true) => ("*", "<from_interface>"),
            (false, false) => ("", "(incomplete)"),
        };
        let letter = |set: bool, letter| if set { letter } else { "" };
        let flags = [letter(self.complete, "C"), letter(self.permanent, "M"), letter(self.published, "P")].concat();
        format!("{host:<23}  {kind:<8}{mac:<20}{flags:<6}{:<15} {}\n", "", self.device)
    }

    fn bsd_line(&self, numeric: bool) -> String {
        let host = name(self.ip, true, numeric);
        let host = if host == self.ip.to_string() { "?" } else { host.as_str() };
        let mac = match (self.complete, self.published) {
            (true, _) => format!("{} [{}] ", self.mac, self.hardware),
            (false, true) => "<from_interface> ".to_string(),
            (false, false) => "<incomplete> ".to_string(),
        };
        let permanent = if self.permanent { "PERM " } else { "" };
        let published = if self.published { "PUB " } else { "" };
        format!("{host} ({}) at {mac}{permanent}{published}on {}\n", self.ip, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(last: u8, mac: &str, published: bool, permanent: bool) -> Entry {
        Entry {
            ip: Ipv4Addr::new(10, 1, 0, last),
            hardware: "ether",
            mac: mac.into(),
            complete: !mac.is_empty(),
            permanent,
            published,
            device: "v0".into(),
        }
    }

    /// As arp 2.10 prints them.
    #[test]
    fn both_styles() {
        let entries = [
            entry(2, "02:00:00:00:00:02", false, false),
            entry(5, "02:00:00:00:00:05", false, true),
            entry(3, "", false, false),
            entry(8, "", true, true),
        ];
        let text: String = entries.iter().map(|entry| entry.linux_line(false)).collect();
        assert_eq!(
            text,
            "\
10.1.0.2                 ether   02:00:00:00:00:02   C                     v0
10.1.0.5                 ether   02:00:00:00:00:05   CM                    v0
10.1.0.3                         (incomplete)                              v0
10.1.0.8                 *       <from_interface>    MP                    v0
"
        );
        let text: String = entries.iter().map(|entry| entry.bsd_line(false)).collect();
        assert_eq!(
            text,
            "\
? (10.1.0.2) at 02:00:00:00:00:02 [ether] on v0
? (10.1.0.5) at 02:00:00:00:00:05 [ether] PERM on v0
? (10.1.0.3) at <incomplete> on v0
? (10.1.0.8) at <from_interface> PERM PUB on v0
"
        );
    }
}
