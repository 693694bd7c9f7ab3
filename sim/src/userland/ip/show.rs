//! `ip link show` and `ip addr show`: which links and addresses, and in which order. (iproute2 has both in
//! `ipaddress.c`, and so have we.)

mod address;
mod flush;
mod fnmatch;
pub(super) mod kind;
pub(super) mod link;
mod stats;

use super::Ip;
use super::args::{Args, Family, InetPrefix, Stop, duparg2, get_prefix, invarg, matches};
use super::names::{group_number, scope_number};
use address::Address;
pub(super) use flush::flush;
use fnmatch::fnmatch;
use kind::Kind;
use link::Link;
use vethlab_engine::address::flag as ifa;
use vethlab_engine::control::{Errno, IfIndex, Refusal};
use vethlab_engine::link::port::flag as iff;

/// The words of `IFA_F_*`, in the order in which they are printed, and whether a user may set them, on IPv6 alone.
pub(super) const FLAGS: &[Flag] = &[
    Flag::new("secondary", ifa::SECONDARY, false, false),
    Flag::new("temporary", ifa::SECONDARY, false, false),
    Flag::new("nodad", ifa::NODAD, true, true),
    Flag::new("optimistic", ifa::OPTIMISTIC, true, true),
    Flag::new("dadfailed", ifa::DADFAILED, false, true),
    Flag::new("home", ifa::HOMEADDRESS, true, true),
    Flag::new("deprecated", ifa::DEPRECATED, false, true),
    Flag::new("tentative", ifa::TENTATIVE, false, true),
    Flag::new("permanent", ifa::PERMANENT, false, true),
    Flag::new("mngtmpaddr", ifa::MANAGETEMPADDR, true, true),
    Flag::new("noprefixroute", ifa::NOPREFIXROUTE, true, false),
    Flag::new("autojoin", ifa::MCAUTOJOIN, true, false),
    Flag::new("stable-privacy", ifa::STABLE_PRIVACY, false, true),
];

/// A word of [`FLAGS`].
pub(super) struct Flag {
    /// The word.
    pub name: &'static str,
    /// Its bit.
    pub bit: u32,
    /// A user may set it.
    pub settable: bool,
    /// … on IPv6 addresses only.
    pub v6only: bool,
}

impl Flag {
    const fn new(name: &'static str, bit: u32, settable: bool, v6only: bool) -> Flag {
        Flag { name, bit, settable, v6only }
    }

    /// The flag of this word.
    pub(super) fn named(word: &str) -> Option<&'static Flag> {
        FLAGS.iter().find(|flag| flag.name == word)
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// `ip link`, not `ip addr`.
    pub links: bool,
    /// The family of addresses, or links alone.
    pub family: Family,
    /// `dev`, by its word.
    pub device: Option<String>,
    /// `dev`, found.
    pub index: Option<IfIndex>,
    /// `up`
    pub up: bool,
    /// `scope`
    pub scope: Option<u8>,
    /// `IFA_F_*` that must be so.
    pub flags: u32,
    /// `IFA_F_*` that are looked at.
    pub flag_mask: u32,
    /// `label`
    pub label: Option<String>,
    /// `to`
    pub to: Option<InetPrefix>,
    /// `group`
    pub group: Option<u32>,
    /// `master`; `nomaster` is `Some(None)`, and only the kernel heeds it.
    pub master: Option<Option<IfIndex>>,
    /// `type`
    pub kind: Option<String>,
    /// `type …_slave`
    pub slave_kind: Option<String>,
}

impl Filter {
    /// Reads the words after `show` or `flush`.
    pub(super) fn read(ip: &Ip, args: &mut Args<'_>, links: bool) -> Result<Filter, Stop> {
        let family = if links { Family::Packet } else { ip.opts.family };
        let mut filter = Filter { links, family, ..Filter::default() };
        while let Some(word) = args.next() {
            if !filter.word(ip, word, args)? {
                filter.device_word(word, args)?;
            }
        }
        if let Some(name) = &filter.device {
            let missing = || Stop::fail(1, format!("Device \"{name}\" does not exist.\n"));
            filter.index = Some(ip.index_of(name).ok_or_else(missing)?);
        }
        Ok(filter)
    }

    /// One word and its value; false if it is none of the filters.
    fn word(&mut self, ip: &Ip, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let device = |name: &str, missing| ip.index_of(name).ok_or_else(|| invarg(missing, name));
        match word {
            "to" => {
                let prefix = get_prefix(args.value()?, self.family)?;
                if self.family == Family::Unspec {
                    self.family = prefix.family;
                }
                self.to = Some(prefix);
            }
            "scope" => {
                let word = args.value()?;
                self.scope = match scope_number(word) {
                    None if word != "all" => return Err(invarg("invalid \"scope\"\n", word)),
                    scope => scope,
                };
            }
            "up" => self.up = true,
            _ if self.flag_word(word) => {}
            "label" => self.label = Some(args.value()?.to_owned()),
            "group" => {
                let word = args.value()?;
                self.group = Some(group_number(word).ok_or_else(|| invarg("Invalid \"group\" value\n", word))?);
            }
            "master" => self.master = Some(Some(device(args.value()?, "Device does not exist\n")?)),
            // There is no VRF in a world.
            "vrf" => return Err(invarg("Not a valid VRF name\n", args.value()?)),
            "nomaster" => self.master = Some(None),
            "type" => {
                let word = args.value()?;
                match word.strip_suffix("_slave") {
                    Some(kind) => self.slave_kind = Some(kind.to_owned()),
                    None => self.kind = Some(word.to_owned()),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn device_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let name = match word {
            "dev" => args.value()?,
            _ if matches(word, "help") => {
                return Err(if self.links { super::link::usage() } else { super::addr::usage() });
            }
            _ => word,
        };
        if self.device.is_some() {
            return Err(duparg2("dev", name));
        }
        self.device = Some(name.to_owned());
        Ok(())
    }

    /// `tentative`, `-tentative`, `primary`, `dynamic` …
    fn flag_word(&mut self, word: &str) -> bool {
        let (negated, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
        let (wanted, word) = match word {
            "dynamic" => (negated, "permanent"),
            "primary" => (negated, "secondary"),
            _ => (!negated, word),
        };
        let Some(flag) = Flag::named(word) else { return false };
        self.flags = if wanted { self.flags | flag.bit } else { self.flags & !flag.bit };
        self.flag_mask |= flag.bit;
        true
    }

    /// This link is wanted, as far as `dev` and `up` go.
    fn takes_index_and_state(&self, link: &Link) -> bool {
        self.index.is_none_or(|index| index == link.index) && (!self.up || link.flags & iff::UP != 0)
    }

    /// This link is wanted, as far as the other words go.
    fn takes_link(&self, link: &Link) -> bool {
        let fits = |wanted: &Option<String>, kind: Option<&str>| match wanted {
            None => true,
            // A link without `linkinfo` fits no kind, not even an empty one.
            Some(_) if link.kind.is_none() && link.slave.is_none() => false,
            Some(wanted) => wanted == kind.unwrap_or_default(),
        };
        let master = link.master.as_ref().map(|(index, _)| *index);
        self.group.is_none_or(|group| link.group.is_none_or(|of| of == group))
            && self.master.flatten().is_none_or(|wanted| master == Some(wanted))
            && fits(&self.kind, link.kind.as_ref().map(Kind::name))
            && fits(&self.slave_kind, link.slave.as_ref().map(|_| "bridge"))
    }

    /// This address is wanted.
    pub(super) fn takes_address(&self, address: &Address) -> bool {
        self.index.is_none_or(|index| index == address.index) && self.takes_address_of_any_link(address)
    }

    fn takes_address_of_any_link(&self, address: &Address) -> bool {
        (self.family == Family::Unspec || self.family == Family::of(address.local))
            && self.scope.is_none_or(|scope| scope == address.scope)
            && (self.flags ^ address.flags) & self.flag_mask == 0
            && self.label.as_ref().is_none_or(|pattern| fnmatch(pattern, address.label_or_device()))
            && self.to.is_none_or(|to| within(address.local, &to))
    }

    /// A link with these addresses is listed: one of them is wanted, or it has none and links count, too.
    fn takes_link_with(&self, addresses: &[Address], index: IfIndex) -> bool {
        let mut own = addresses.iter().filter(|address| address.index == index).peekable();
        if own.peek().is_none() {
            return matches!(self.family, Family::Unspec | Family::Packet);
        }
        own.any(|address| self.takes_address_of_any_link(address))
    }
}

/// `ip link show`, `ip addr show`
pub(super) fn list(ip: &mut Ip, mut args: Args<'_>, links: bool) -> Result<(), Stop> {
    let mut filter = Filter::read(ip, &mut args, links)?;
    ip.links_listed |= links;
    filter.links = ip.links_listed;
    ip.print.begin();
    let shown = match &filter.device {
        Some(name) if filter.links && filter.group.is_none() => show_link(ip, &filter, name),
        _ => {
            show_all(ip, &filter);
            Ok(())
        }
    };
    ip.print.end();
    shown
}

/// `ip link show dev X` asks for one link, by its name.
fn show_link(ip: &mut Ip, filter: &Filter, name: &str) -> Result<(), Stop> {
    let Some(link) = Link::all(ip).into_iter().find(|link| link.name == name) else {
        return Err(Stop::quit(1, no_device("link get")));
    };
    ip.print.open_object();
    link::print(ip, filter, &link);
    ip.print.close_object();
    Ok(())
}

fn no_device(what: &str) -> String {
    format!("{}\nCannot send {what} request: {}\n", Refusal::from(Errno::NoDev), Errno::NoDev.text())
}

fn show_all(ip: &mut Ip, filter: &Filter) {
    // A dump of IPv6 links tells less of each than one of all links.
    let mut links = match (filter.index, ip.opts.family) {
        (None, Family::Inet6) if !filter.links => Link::all_inet6(ip),
        _ => Link::all(ip),
    };
    if let Some(index) = filter.index {
        links.retain(|link| link.index == index);
        if links.is_empty() {
            ip.print.error(&no_device("link"));
        }
    }
    links.retain(|link| filter.kernel_takes(link));
    let addresses = match filter.family {
        Family::Packet => Vec::new(),
        family => Address::all(ip, family),
    };
    if filter.family != Family::Packet {
        links.retain(|link| filter.takes_link_with(&addresses, link.index));
    }
    for link in &links {
        show_one(ip, filter, link, &addresses);
    }
}

fn show_one(ip: &mut Ip, filter: &Filter, link: &Link, addresses: &[Address]) {
    let with_addresses = filter.family != Family::Packet;
    ip.print.open_object();
    let link_shown = ip.opts.brief || !(ip.opts.oneline && with_addresses);
    let taken = if link_shown { link::print(ip, filter, link) } else { Some(false) };
    if taken.is_some() && with_addresses {
        show_addresses(ip, filter, link, addresses);
    }
    if taken == Some(true) && !filter.links && ip.opts.stats > 0 {
        stats::print(ip, link);
        ip.print.nl();
    }
    ip.print.close_object();
}

fn show_addresses(ip: &mut Ip, filter: &Filter, link: &Link, addresses: &[Address]) {
    if ip.print.is_json() {
        ip.print.open_array("addr_info", "");
    }
    let up = !filter.up || link.flags & iff::UP != 0;
    for address in addresses.iter().filter(|address| address.index == link.index && up) {
        ip.print.open_object();
        if filter.takes_address(address) {
            address::print(ip, address, ip.opts.oneline);
        }
        ip.print.close_object();
    }
    if ip.print.is_json() {
        ip.print.close_array("");
    }
    if ip.opts.brief {
        ip.print.text("\n");
        ip.print.flush();
    }
}

impl Filter {
    /// What the kernel leaves out of a dump by itself: other kinds, if it knows the one that is asked for, and links of other masters. iproute2 tests it again,
    /// but in JSON leaves `{}` behind for a link that only it left out.
    fn kernel_takes(&self, link: &Link) -> bool {
        const KNOWN: &[&str] = &["veth", "bridge", "dummy", "vlan", "vxlan", "macvlan", "ifb", "tun"];
        if self.index.is_some() {
            return true;
        }
        let asked = self.kind.as_deref().filter(|kind| KNOWN.contains(kind));
        let master = link.master.as_ref().map(|(index, _)| *index);
        asked.is_none_or(|kind| link.kind.as_ref().map(Kind::name) == Some(kind))
            && self.master.is_none_or(|wanted| wanted == master)
    }
}

fn within(address: vethlab_engine::addr::IpAddr, prefix: &InetPrefix) -> bool {
    use vethlab_engine::addr::{IpAddr, Prefix};
    match (prefix.address, address) {
        (None, _) => true,
        (Some(_), _) if prefix.length == 0 => true,
        (Some(IpAddr::V4(of)), IpAddr::V4(address)) => Prefix::of(of, prefix.length).contains(address),
        (Some(IpAddr::V6(of)), IpAddr::V6(address)) => Prefix::of(of, prefix.length).contains(address),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_may_be_wanted_or_unwanted() {
        let mut filter = Filter::default();
        assert!(filter.flag_word("primary") && filter.flag_word("-deprecated") && filter.flag_word("dynamic"));
        assert_eq!(filter.flags, 0);
        assert_eq!(filter.flag_mask, ifa::SECONDARY | ifa::DEPRECATED | ifa::PERMANENT);
        assert!(filter.flag_word("-dynamic") && filter.flags == ifa::PERMANENT);
        assert!(!filter.flag_word("bogus"));
    }
}
