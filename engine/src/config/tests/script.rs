//! Lines of `ip`, as far as the tests speak it, carried out on a [`Config`] and told as iproute2 tells it.

use super::words::{self, hop_flags, hop_way, kind_name};
use crate::addr::{Address, Ipv4Addr, Ipv6Addr, Mac};
use crate::config::Config;
use crate::control::{AddressMode, Command, LinkChange, RouteKind, RouteMode, table};
use crate::link::port::flag;
use crate::link::{OperState, Port, PortKind};
use crate::route::{Net, Route, RouteGot, RouteWay, route_get, rtcf};
use crate::time::Time;

const NOW: Time = Time::ZERO;

/// A namespace and what was told so far.
pub(super) struct Script {
    config: Config,
    told: String,
}

fn veth(name: &str, index: u32) -> Port {
    Port {
        index,
        name: name.into(),
        kind: PortKind::Ethernet,
        mac: Mac([2, 0, 0, 0, 0, index as u8]),
        broadcast: Mac::BROADCAST,
        mtu: 1500,
        set_flags: flag::BROADCAST | flag::MULTICAST,
        carrier: false,
        ..Port::new_loopback(NOW)
    }
}

impl Script {
    /// `v0`–`v1` and `v2`–`v3`, all down. Without IPv6 addresses: none are made by chance.
    pub(super) fn new(ipv6: bool) -> Script {
        let mut config = Config::new(NOW);
        let names = [("v1", 2), ("v0", 3), ("v3", 4), ("v2", 5)];
        for (name, index) in names {
            config.port_add(NOW, veth(name, index));
        }
        let quiet: Vec<(String, &str)> = match ipv6 {
            true => names.map(|(name, _)| (format!("net/ipv6/conf/{name}/addr_gen_mode"), "1")).to_vec(),
            false => vec![("net/ipv6/conf/all/disable_ipv6".to_string(), "1")],
        };
        for (path, value) in quiet {
            config.apply(NOW, Command::SysctlWrite(path, value.to_string())).expect("a sysctl");
        }
        Script { config, told: String::new() }
    }

    pub(super) fn told(&self) -> &str {
        &self.told
    }

    fn tell(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with("local ::1") && !line.starts_with("multicast ff00")) {
            self.told += line.trim_end();
            self.told += "\n";
        }
    }

    pub(super) fn run(&mut self, line: &str) {
        self.tell(&format!("$ {line}"));
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let ipv6 = words.first() == Some(&"-6");
        if ipv6 {
            words.remove(0);
        }
        let done = match words[..] {
            ["link", "set", name, state] => self.link(name, state == "up"),
            ["addr", verb, ref rest @ ..] => self.address(verb, rest),
            ["rule", verb, ref rest @ ..] => self.rule(verb, rest, ipv6),
            ["route", "show", ref rest @ ..] => self.show(rest.get(1).copied(), ipv6),
            ["route", "get", ref rest @ ..] => self.get(rest),
            ["route", verb, ref rest @ ..] => self.route(verb, rest, ipv6),
            ["sysctl", setting] => {
                let (key, value) = setting.split_once('=').expect("key=value");
                self.apply(Command::SysctlWrite(key.replace('.', "/"), value.to_string()))
            }
            // The kernel was given time to notice its carriers; here they are noticed at once.
            ["settle", _] => Ok(()),
            _ => panic!("not spoken here: {line}"),
        };
        if let Err(text) = done {
            self.tell(&text);
        }
    }

    fn apply(&mut self, command: Command) -> Result<(), String> {
        self.config.apply(NOW, command).map(|_| ()).map_err(|refusal| refusal.to_string())
    }

    fn link(&mut self, name: &str, up: bool) -> Result<(), String> {
        let index = self.config.ports.named(name).expect("a port").index;
        self.apply(Command::LinkChange(index, LinkChange { up: Some(up), ..LinkChange::default() }))?;
        let ends = [2, 3, 4, 5].into_iter().filter(|other| other / 2 == index / 2 && index > 1);
        let ends: Vec<u32> = ends.collect();
        let is_up = |end: &u32| self.config.ports.get(*end).is_some_and(Port::is_up);
        let on = ends.iter().all(is_up);
        for end in ends {
            let had = self.config.ports.get(end).is_some_and(|port| port.carrier);
            self.config.carrier(NOW, end, on);
            if had != on || end == index {
                self.config.link_change(NOW, end, if on { OperState::Up } else { OperState::Down });
            }
        }
        Ok(())
    }

    fn address(&mut self, verb: &str, words: &[&str]) -> Result<(), String> {
        let spec = words::address(&self.config, words, verb == "del");
        self.apply(match verb {
            "add" => Command::AddressAdd(AddressMode::Add, spec),
            "replace" => Command::AddressAdd(AddressMode::Replace, spec),
            _ => Command::AddressDelete(spec),
        })
    }

    fn rule(&mut self, verb: &str, words: &[&str], ipv6: bool) -> Result<(), String> {
        let spec = words::rule(words, ipv6, verb == "add");
        self.apply(if verb == "add" { Command::RuleAdd(spec) } else { Command::RuleDelete(spec) })
    }

    fn route(&mut self, verb: &str, words: &[&str], ipv6: bool) -> Result<(), String> {
        let spec = words::route(&self.config, words, ipv6);
        let mode = match verb {
            "add" => RouteMode::Add,
            "append" => RouteMode::Append,
            "prepend" => RouteMode::Prepend,
            "change" => RouteMode::Change,
            "replace" => RouteMode::Replace,
            _ => return self.apply(Command::RouteDelete(spec)),
        };
        self.apply(Command::RouteAdd(mode, spec))
    }

    fn show(&mut self, wanted: Option<&str>, ipv6: bool) -> Result<(), String> {
        let number = wanted.map_or(table::MAIN, words::table_number);
        let Config { rib4, rib6, .. } = &self.config;
        let all = wanted == Some("all");
        let missing = |family| format!("Error: {family}: FIB table does not exist.\nDump terminated");
        let lines: Vec<String> = match (ipv6, all) {
            (false, true) => rib4.routes().map(|route| self.line(route, all)).collect(),
            (true, true) => rib6.routes().map(|route| self.line(route, all)).collect(),
            (false, false) => match rib4.table(number) {
                Some(routes) => routes.map(|route| self.line(route, all)).collect(),
                None if wanted.is_none() => Vec::new(),
                None => return Err(missing("ipv4")),
            },
            (true, false) => match rib6.table(number) {
                Some(routes) => routes.map(|route| self.line(route, all)).collect(),
                None => return Err(missing("ipv6")),
            },
        };
        self.tell(&lines.join("\n"));
        Ok(())
    }

    /// A route as `ip route show` prints it.
    fn line<A: Address>(&self, route: &Route<A>, all: bool) -> String {
        let (ports, v6) = (&self.config.ports, A::BITS == 128);
        let ignores = |oif| {
            let port = ports.get(oif).filter(|_| !v6);
            port.is_some_and(|port| self.config.sysctls.on_port(&port.conf).ignore_routes_with_linkdown())
        };
        let mut text = kind_name(route.kind);
        text += &match route.destination.length() {
            0 => "default ".to_string(),
            length if length == A::BITS => format!("{} ", route.destination.address()),
            _ => format!("{} ", route.destination),
        };
        text += &words::tos(route.tos);
        let one = route.nexthops.len() == 1;
        let first = route.nexthops.first();
        text += &if one { hop_way(ports, first) } else { String::new() };
        text += &if all { words::table_name(route.table) } else { String::new() };
        text += &words::protocol_name(route.protocol);
        text += &if v6 { String::new() } else { words::scope_name(route.scope) };
        text += &route.prefsrc.map_or(String::new(), |source| format!("src {source} "));
        text += &if route.metric != 0 || v6 { format!("metric {} ", route.metric) } else { String::new() };
        text += &match one {
            true => hop_flags(first, ignores(first.oif)),
            false if route.flags & Route::<A>::LINKDOWN != 0 => "linkdown ".to_string(),
            false => String::new(),
        };
        text += &route.rare.metrics.mtu.map_or(String::new(), |mtu| format!("mtu {mtu} "));
        text += if v6 { ["pref medium", "pref high", "", "pref low"][route.preference as usize] } else { "" };
        for hop in route.nexthops.iter().filter(|_| !one) {
            let (way, flags) = (hop_way(ports, hop), hop_flags(hop, ignores(hop.oif)));
            text += &format!("\n\tnexthop {way}weight {} {flags}", hop.weight);
        }
        text
    }

    fn get(&mut self, words: &[&str]) -> Result<(), String> {
        let ask = words::get(&self.config, words);
        let Config { ports, sysctls, rib4, rib6, .. } = &self.config;
        let got = route_get(Net::new(NOW, ports, sysctls), rib4, rib6, &ask).map_err(|refusal| refusal.to_string())?;
        let RouteGot::Way(way) = got else { panic!("fibmatch was not asked for") };
        let text = self.way(&way);
        self.tell(&text);
        Ok(())
    }

    /// A way as `ip route get` prints it.
    fn way(&self, way: &RouteWay) -> String {
        let named =
            |index: Option<u32>| index.and_then(|index| self.config.ports.get(index)).map(|port| port.name.to_string());
        let v6 = way.destination.is_ipv6();
        let mut text = kind_name(way.kind) + &format!("{} ", way.destination);
        let mut say = |word: &str, value: Option<String>| {
            text += &value.map_or(String::new(), |value| format!("{word}{value} "));
        };
        say("from ", way.source.map(|source| source.to_string()));
        say("tos ", (way.tos != 0).then(|| format!("{:#04x}", way.tos)));
        say("via ", way.gateway.map(|gateway| gateway.to_string()));
        say("dev ", named(way.oif));
        say(
            "",
            (way.table != 0).then(|| words::table_name(way.table).trim().to_string()).filter(|name| !name.is_empty()),
        );
        say("", (v6 && way.protocol == 2).then(|| "proto kernel".to_string()));
        say("src ", way.prefsrc.map(|source| source.to_string()));
        say("metric ", way.metric.map(|metric| metric.to_string()));
        // A clash of numbers in iproute2.
        say("", (way.flags & rtcf::MULTICAST != 0).then(|| "rt_offload_failed".to_string()));
        say("mark ", way.mark.map(|mark| mark.to_string()));
        say("uid ", way.uid.map(|uid| uid.to_string()));
        let mtu = way.metrics.mtu.map(|mtu| mtu.to_string());
        let iif = named(way.iif);
        if v6 {
            say("mtu ", mtu);
            say("iif ", iif);
            return text + "pref medium";
        }
        say("\n    cache", Some(String::new()));
        let flags = [
            (rtcf::LOCAL, "local"),
            (rtcf::MULTICAST, "mc"),
            (rtcf::BROADCAST, "brd"),
            (rtcf::REDIRECTED, "redirected"),
            (rtcf::DOREDIRECT, "redirect"),
        ];
        let set: Vec<&str> = flags.iter().filter(|(bit, _)| way.flags & bit != 0).map(|(_, name)| *name).collect();
        say("", (!set.is_empty()).then(|| format!("<{}>", set.join(","))));
        say("mtu ", mtu);
        say("iif ", iif);
        text
    }
}

/// What stands for everything, in both versions.
pub(super) fn everything(ipv6: bool) -> crate::addr::IpAddr {
    if ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

/// The kinds that can be said in front of a prefix.
pub(super) const KINDS: [RouteKind; 9] = RouteKind::ALL;
