//! From a path below `/proc/sys` to the place that holds the value, and back.

use super::neigh::NeighLimits;
use super::{Conf4, Conf6, Neigh, Sysctls, table, text};
use crate::control::{Errno, IfIndex};
use crate::link::{Port, Ports};

/// Which directory below `conf` or `neigh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    All,
    Default,
    Port(IfIndex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// Where a sysctl's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Number(usize),
    InitialNumber(usize),
    Text(usize),
    InitialText(usize),
    Conf4(Whose, Conf4),
    Conf6(Whose, Conf6),
    StableSecret(Whose),
    Neigh(Family, Whose, Neigh),
    Limit(Family, &'static str),
}

impl Port {
    /// True if IPv6 has state for it: its MTU carries IPv6 (`lo` keeps it in any case).
    pub fn has_ipv6(&self) -> bool {
        self.mtu >= 1280 || self.is_loopback()
    }
}

impl Sysctls {
    pub(super) fn place(&self, path: &str, ports: &Ports) -> Option<Place> {
        let below_net = path.strip_prefix("net/")?;
        let mut parts = below_net.split('/');
        let directory = (parts.next()?, parts.next());
        let rest = (parts.next(), parts.next(), parts.next());
        match (directory, rest) {
            (("ipv4", Some("ip_forward")), (None, ..)) => Some(Place::Conf4(Whose::All, Conf4::Forwarding)),
            (("ipv4", Some("conf")), (Some(name), Some(key), None)) => {
                Some(Place::Conf4(whose4(name, ports)?, Conf4::named(key)?))
            }
            (("ipv6", Some("conf")), (Some(name), Some(key), None)) => conf6(whose6(name, ports)?, key),
            (("ipv4", Some("neigh")), (Some(name), Some(key), None)) => {
                self.neigh(Family::V4, whose4(name, ports)?, key)
            }
            (("ipv6", Some("neigh")), (Some(name), Some(key), None)) => {
                self.neigh(Family::V6, whose6(name, ports)?, key)
            }
            _ => self.plain(below_net),
        }
    }

    fn neigh(&self, family: Family, whose: Whose, key: &str) -> Option<Place> {
        match whose {
            Whose::All => None,
            Whose::Default => {
                self.rare.initial.as_ref()?;
                let limit = NeighLimits::NAMES.into_iter().find(|name| *name == key);
                let place = limit.map(|name| Place::Limit(family, name));
                place.or_else(|| Some(Place::Neigh(family, whose, Neigh::named(key)?)))
            }
            Whose::Port(_) => Some(Place::Neigh(family, whose, Neigh::named(key)?)),
        }
    }

    fn plain(&self, below_net: &str) -> Option<Place> {
        let number = |rows: &[table::Number]| rows.iter().position(|row| row.0 == below_net);
        let text = || text::TEXTS.iter().position(|row| row.0 == below_net).map(Place::Text);
        let place = number(table::NUMBERS).map(Place::Number).or_else(text);
        place.or_else(|| {
            self.rare.initial.as_ref()?;
            let text = || text::INITIAL_TEXTS.iter().position(|row| row.0 == below_net).map(Place::InitialText);
            number(table::INITIAL).map(Place::InitialNumber).or_else(text)
        })
    }

    /// Reads a sysctl by its path below `/proc/sys`, with slashes. `ENOENT` if there is none, `EACCES` if it can only be
    /// written, `EIO` for a `stable_secret` that is not set.
    pub fn get(&self, path: &str, ports: &Ports) -> Result<String, Errno> {
        let place = self.place(path, ports).ok_or(Errno::NoEnt)?;
        let port = |index| ports.get(index).map(|port| &port.conf).ok_or(Errno::NoEnt);
        let number = match place {
            Place::Number(at) => self.number(at),
            Place::InitialNumber(at) => {
                self.rare.initial.as_ref().and_then(|initial| initial.numbers.get(at)).copied().ok_or(Errno::NoEnt)?
            }
            Place::Text(at) if text::TEXTS[at].2 == text::TextRule::Flush => return Err(Errno::Acces),
            Place::Text(at) => return self.text_at(at).map(str::to_string).ok_or(Errno::NoEnt),
            Place::InitialText(at) => {
                let text = self.rare.initial.as_ref().and_then(|initial| initial.texts.get(at));
                return text.cloned().ok_or(Errno::NoEnt);
            }
            Place::Conf4(Whose::All, key) => self.all.v4.get(key),
            Place::Conf4(Whose::Default, key) => self.default.v4.get(key),
            Place::Conf4(Whose::Port(index), key) => port(index)?.v4.get(key),
            Place::Conf6(Whose::All, key) => self.all.v6.get(key),
            Place::Conf6(Whose::Default, key) => self.default.v6.get(key),
            Place::Conf6(Whose::Port(index), key) => port(index)?.v6.get(key),
            Place::StableSecret(whose) => return self.stable_secret(whose, ports),
            Place::Neigh(Family::V4, Whose::Port(index), key) => port(index)?.rare.neigh4.get(key),
            Place::Neigh(Family::V6, Whose::Port(index), key) => port(index)?.rare.neigh6.get(key),
            Place::Neigh(Family::V4, _, key) => self.default.rare.neigh4.get(key),
            Place::Neigh(Family::V6, _, key) => self.default.rare.neigh6.get(key),
            Place::Limit(Family::V4, name) => self.rare.limits4.get(name).ok_or(Errno::NoEnt)?,
            Place::Limit(Family::V6, name) => self.rare.limits6.get(name).ok_or(Errno::NoEnt)?,
        };
        Ok(number.to_string())
    }

    /// As [`Sysctls::get`], for those who do not care why not.
    pub fn read(&self, path: &str, ports: &Ports) -> Option<String> {
        self.get(path, ports).ok()
    }

    fn stable_secret(&self, whose: Whose, ports: &Ports) -> Result<String, Errno> {
        let secret = match whose {
            Whose::All => None,
            Whose::Default => self.default.rare.stable_secret,
            Whose::Port(index) => ports.get(index).and_then(|port| port.conf.rare.stable_secret),
        };
        let groups = secret.ok_or(Errno::Io)?.segments().map(|group| format!("{group:04x}"));
        Ok(groups.join(":"))
    }

    /// All paths that `sysctl -a` lists, in its order: by directory, each sorted. Those it leaves out (old names of
    /// `neigh` timings, what cannot be read) are left out.
    pub fn paths(&self, ports: &Ports) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        let plain = table::NUMBERS.iter().map(|row| row.0).chain(text::TEXTS.iter().map(|row| row.0));
        paths.extend(plain.map(|below| format!("net/{below}")));
        if self.rare.initial.is_some() {
            let plain = table::INITIAL.iter().map(|row| row.0).chain(text::INITIAL_TEXTS.iter().map(|row| row.0));
            paths.extend(plain.map(|below| format!("net/{below}")));
            for family in ["ipv4", "ipv6"] {
                paths.extend(NeighLimits::NAMES.iter().map(|name| format!("net/{family}/neigh/default/{name}")));
            }
        }
        let of_ports = ports.iter().map(|port| (port.name.as_str(), port.has_ipv6(), true));
        for (name, v6, neigh) in of_ports.chain([("all", true, false), ("default", true, self.rare.initial.is_some())])
        {
            directory(&mut paths, name, "ipv4", neigh, Conf4::ALL.map(Conf4::name).as_slice());
            if v6 {
                directory(&mut paths, name, "ipv6", neigh, Conf6::ALL.map(Conf6::name).as_slice());
                paths.push(format!("net/ipv6/conf/{name}/stable_secret"));
            }
        }
        paths.retain(|path| self.get(path, ports).is_ok());
        paths.sort_by(|a, b| a.split('/').cmp(b.split('/')));
        paths
    }
}

fn directory(paths: &mut Vec<String>, name: &str, family: &str, neigh: bool, conf: &[&str]) {
    paths.extend(conf.iter().map(|key| format!("net/{family}/conf/{name}/{key}")));
    let keys = Neigh::ALL.into_iter().filter(|key| neigh && !key.is_deprecated());
    paths.extend(keys.map(|key| format!("net/{family}/neigh/{name}/{}", key.name())));
}

fn conf6(whose: Whose, key: &str) -> Option<Place> {
    match key {
        "stable_secret" => Some(Place::StableSecret(whose)),
        _ => Some(Place::Conf6(whose, Conf6::named(key)?)),
    }
}

fn whose(name: &str, ports: &Ports) -> Option<Whose> {
    match name {
        "all" => Some(Whose::All),
        "default" => Some(Whose::Default),
        name => ports.named(name).map(|port| Whose::Port(port.index)),
    }
}

fn whose4(name: &str, ports: &Ports) -> Option<Whose> {
    match whose(name, ports)? {
        Whose::Port(index) if !ports.get(index).is_some_and(Port::has_ipv4) => None,
        found => Some(found),
    }
}

fn whose6(name: &str, ports: &Ports) -> Option<Whose> {
    match whose(name, ports)? {
        Whose::Port(index) if !ports.get(index).is_some_and(Port::has_ipv6) => None,
        found => Some(found),
    }
}
