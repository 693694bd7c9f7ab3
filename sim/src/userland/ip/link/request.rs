//! The words of `ip link add|set|del` (`iplink_parse()`), and what they ask for.

use super::super::Ip;
use super::super::args::{
    Args, Stop, atoi, check_altifname, check_ifname, duparg, duparg2, get_integer, get_unsigned, invarg, ll_addr_a2n,
    matches, nodev, one_of,
};
use super::super::names::group_number;
use super::usage;
use crate::world::NsId;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::OperState;

/// What is done with the link: `NLM_F_CREATE` or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// `add`
    Create,
    /// `set`, `del`
    Change,
}

/// What the words say of one link, or of one end of a new cable.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// The link that is meant, by its word.
    pub device: Option<String>,
    /// The same, found (not of a new link, and not of a group).
    pub target: Option<IfIndex>,
    /// `name`, if it is another one; the name of a new link.
    pub name: Option<String>,
    /// `link`, by its word.
    pub link_word: Option<String>,
    /// `link`, found: what a new link is made on. Cables are made on nothing.
    pub link: Option<IfIndex>,
    /// `index`
    pub index: Option<IfIndex>,
    /// `address`, as many bytes as were said.
    pub address: Option<Vec<u8>>,
    /// `broadcast`
    pub broadcast: Option<Vec<u8>>,
    /// `txqueuelen`
    pub txqueuelen: Option<i32>,
    /// `mtu`
    pub mtu: Option<i32>,
    /// `netns`
    pub netns: Option<Netns>,
    /// `link-netns`, `link-netnsid`
    pub link_netns: Option<LinkNetns>,
    /// `group`
    pub group: Option<u32>,
    /// `alias`
    pub alias: Option<String>,
    /// `addrgenmode`
    pub addrgenmode: Option<u8>,
    /// `master`; `nomaster` is `Some(None)`.
    pub master: Option<Option<IfIndex>>,
    /// `type`
    pub kind: Option<String>,
    /// `up`, `down`
    pub up: Option<bool>,
    /// `arp`, `multicast`, `allmulticast`, `promisc`, `dynamic`, `trailers`: on or off.
    pub switches: Vec<(&'static str, bool)>,
    /// `carrier`
    pub carrier: Option<bool>,
    /// `state`
    pub state: Option<OperState>,
    /// `protodown`
    pub protodown: bool,
    /// Something that the kernel would do and no world can.
    pub not_simulated: Option<&'static str>,
}

/// `netns`: what its word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Netns {
    /// A name or a path.
    Named(NsId),
    /// A process.
    Pid(i32),
}

/// `link-netns`, `link-netnsid`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkNetns {
    /// By name.
    Named(NsId),
    /// By number.
    Id(i32),
}

const SWITCHES: &[&str] = &["multicast", "allmulticast", "promisc", "trailers", "arp"];

impl Request {
    /// Reads the words up to the end, or to what follows `type KIND`.
    pub(super) fn read(ip: &Ip, args: &mut Args<'_>, purpose: Purpose) -> Result<Request, Stop> {
        let mut request = Request::default();
        while let Some(word) = args.next() {
            if matches(word, "type") && !word_before_type(word) {
                request.kind = Some(args.value()?.to_owned());
                break;
            }
            let taken = request.name_word(word, args)?
                || request.number_word(word, args)?
                || request.address_word(word, args)?
                || request.switch_word(word, args)?
                || request.reference_word(ip, word, args)?
                || request.state_word(word, args)?
                || request.offload_word(word, args)?;
            if !taken {
                request.device_word(word, args)?;
            }
        }
        request.checked(ip, args, purpose)
    }

    fn name_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "up" => self.up = Some(true),
            "down" => self.up = Some(false),
            "name" => {
                let name = args.value()?;
                if self.name.is_some() {
                    return Err(duparg("name", name));
                }
                if !check_ifname(name) {
                    return Err(invarg("\"name\" not a valid ifname", name));
                }
                self.name = Some(name.to_owned());
            }
            "index" => {
                let word = args.value()?;
                if self.index.is_some() {
                    return Err(duparg("index", word));
                }
                let index = u32::try_from(atoi(word)).ok().filter(|index| *index > 0);
                self.index = Some(index.ok_or_else(|| invarg("Invalid \"index\" value", word))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn number_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "txqueuelen") || word == "qlen" || matches(word, "txqlen") {
            let word = args.value()?;
            if self.txqueuelen.is_some() {
                return Err(duparg("txqueuelen", word));
            }
            let number = get_integer(word, 0).ok_or_else(|| invarg("Invalid \"txqueuelen\" value\n", word))?;
            self.txqueuelen = Some(number);
        } else if word == "mtu" {
            let word = args.value()?;
            if self.mtu.is_some() {
                return Err(duparg("mtu", word));
            }
            self.mtu = Some(get_integer(word, 0).ok_or_else(|| invarg("Invalid \"mtu\" value\n", word))?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn address_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let lladdr = |word: &str| ll_addr_a2n(word, 32).map_err(|text| Stop::fail(1, text));
        if matches(word, "address") {
            self.address = Some(lladdr(args.value()?)?);
        } else if matches(word, "broadcast") || word == "brd" {
            self.broadcast = Some(lladdr(args.value()?)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn switch_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let exact = SWITCHES.iter().copied().find(|name| *name == word);
        let Some(name) = exact.or_else(|| matches(word, "dynamic").then_some("dynamic")) else { return Ok(false) };
        let on = match args.value()? {
            "on" => true,
            "off" => false,
            other => {
                let text = format!("Error: argument of \"{name}\" must be \"on\" or \"off\", not \"{other}\"\n");
                return Err(Stop::fail(1, text));
            }
        };
        self.switches.push((name, on));
        Ok(true)
    }

    /// Words whose values are other things: namespaces, links, groups.
    fn reference_word(&mut self, ip: &Ip, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "netns" => {
                let word = args.value()?;
                if self.netns.is_some() {
                    return Err(duparg("netns", word));
                }
                let named = ip.ns_of_file(word).map(Netns::Named);
                let netns = named.or_else(|| get_integer(word, 0).map(Netns::Pid));
                self.netns = Some(netns.ok_or_else(|| invarg("Invalid \"netns\" value\n", word))?);
            }
            "group" => {
                let word = args.value()?;
                if self.group.is_some() {
                    return Err(duparg("group", word));
                }
                self.group = Some(group_number(word).ok_or_else(|| invarg("Invalid \"group\" value\n", word))?);
            }
            "vrf" => return Err(invarg("Not a valid VRF name\n", args.value()?)),
            _ if matches(word, "link") => self.link_word = Some(args.value()?.to_owned()),
            _ if matches(word, "master") => {
                let name = args.value()?;
                let master = ip.index_of(name).ok_or_else(|| invarg("Device does not exist\n", name))?;
                self.master = Some(Some(master));
            }
            _ if matches(word, "nomaster") => self.master = Some(None),
            _ if matches(word, "link-netns") => {
                let name = self.link_netns_once(args.value()?)?;
                let ns = ip.ns_of_file(name).ok_or_else(|| invarg("Invalid \"link-netns\" value\n", name))?;
                // Without a number for it one is taken at once. It may have one.
                let _ = ip.world().nsid_assign(ip.ns, ns, None);
                self.link_netns = Some(LinkNetns::Named(ns));
            }
            _ if matches(word, "link-netnsid") => {
                let word = self.link_netns_once(args.value()?)?;
                let id = get_integer(word, 0).ok_or_else(|| invarg("Invalid \"link-netnsid\" value\n", word))?;
                self.link_netns = Some(LinkNetns::Id(id));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn link_netns_once<'a>(&self, word: &'a str) -> Result<&'a str, Stop> {
        if self.link_netns.is_some() { Err(duparg("link-netns/link-netnsid", word)) } else { Ok(word) }
    }

    fn state_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        // parse_on_off() returns −EINVAL, and that becomes the status.
        let on_off = |what, word: &str| {
            one_of(what, word, &["off", "on"]).map(|at| at == 1).map_err(|text| Stop::fail(22, text))
        };
        match word {
            "carrier" => self.carrier = Some(on_off("carrier", args.value()?)?),
            "protodown" => {
                on_off("protodown", args.value()?)?;
                self.protodown = true;
            }
            "mode" => match args.value()?.to_ascii_lowercase().as_str() {
                "default" => {}
                "dormant" => self.not_simulated = Some("mode dormant"),
                _ => return Err(invarg("Invalid link mode\n", args.word())),
            },
            "state" => {
                use OperState::{Dormant, Down, LowerLayerDown, NotPresent, Testing, Unknown, Up};
                let states = [Unknown, NotPresent, Down, LowerLayerDown, Testing, Dormant, Up];
                let names = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];
                let word = args.value()?.to_ascii_lowercase();
                let state = names.iter().zip(states).find(|(name, _)| **name == word).map(|(_, state)| state);
                self.state = Some(state.ok_or_else(|| invarg("Invalid operstate\n", args.word()))?);
            }
            _ if matches(word, "alias") => {
                let alias = args.value()?;
                if alias.len() >= 256 {
                    return Err(invarg("alias too long\n", alias));
                }
                self.alias = Some(alias.to_owned());
            }
            _ if matches(word, "addrgenmode") => {
                let modes = ["eui64", "none", "stable_secret", "random"];
                let word = args.value()?.to_ascii_lowercase();
                let mode = modes.iter().position(|mode| *mode == word);
                let invalid = || invarg("Invalid address generation mode\n", args.word());
                self.addrgenmode = Some(mode.ok_or_else(invalid)? as u8);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Words that concern hardware and its queues.
    fn offload_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "numtxqueues") || matches(word, "numrxqueues") {
            let name = if matches(word, "numtxqueues") { "numtxqueues" } else { "numrxqueues" };
            let word = args.value()?;
            get_integer(word, 0).ok_or_else(|| invarg(&format!("Invalid \"{name}\" value\n"), word))?;
            return Ok(true);
        }
        match word {
            "gso_max_size" | "gso_max_segs" | "gro_max_size" => {
                let value = args.value()?;
                let most = if word == "gso_max_segs" { 65535 } else { u32::MAX };
                let number = get_unsigned(value, 0).filter(|number| *number <= most);
                number.ok_or_else(|| invarg(&format!("Invalid \"{word}\" value\n"), value))?;
                self.not_simulated = Some("gso_max_size, gso_max_segs and gro_max_size");
            }
            "xdp" | "xdpgeneric" | "xdpdrv" | "xdpoffload" => return Err(not_simulated("xdp")),
            "vf" => {
                let word = args.value()?;
                get_integer(word, 0).ok_or_else(|| invarg("Invalid \"vf\" value\n", word))?;
                return Err(not_simulated("vf"));
            }
            "protodown_reason" => return Err(not_simulated("protodown_reason")),
            "parentdev" => {
                args.value()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn device_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        if matches(word, "help") {
            return Err(usage());
        }
        let device = if word == "dev" { args.value()? } else { word };
        if self.device.is_some() {
            return Err(duparg2("dev", device));
        }
        if !check_altifname(device) {
            return Err(invarg("\"dev\" not a valid ifname", device));
        }
        self.device = Some(device.to_owned());
        Ok(())
    }

    /// What all words together must fulfil.
    fn checked(mut self, ip: &Ip, args: &Args<'_>, purpose: Purpose) -> Result<Request, Stop> {
        if self.device.is_none() {
            self.device = self.name.clone();
        }
        if purpose == Purpose::Change {
            self.check_address_length(ip)?;
        }
        if self.index.is_some() && purpose == Purpose::Change && self.netns.is_none() {
            let text = "index can be used only when creating devices or when moving device to another netns.\n";
            return Err(Stop::quit(255, text));
        }
        if self.group.is_some() && self.device.is_none() {
            if let Some(word) = args.peek() {
                return Err(Stop::quit(255, garbage(word)));
            }
            if purpose == Purpose::Create {
                return Err(Stop::quit(255, "group cannot be used when creating devices.\n"));
            }
            self.kind = None;
            return Ok(self);
        }
        match purpose {
            Purpose::Change => self.found(ip),
            Purpose::Create if self.name.as_ref().is_some_and(|name| Some(name) != self.device.as_ref()) => {
                let text = "both \"name\" and \"dev\" cannot be used when creating devices.\n";
                Err(Stop::quit(255, text))
            }
            Purpose::Create => {
                self.link = self.link_word.as_deref().map(|link| ip.device(link)).transpose()?;
                self.name = self.device.clone();
                Ok(self)
            }
        }
    }

    fn check_address_length(&self, ip: &Ip) -> Result<(), Stop> {
        let (Some(device), Some(address)) = (&self.device, &self.address) else { return Ok(()) };
        let length = address.len();
        if length == 6 || ip.index_of(device).is_none() {
            return Ok(());
        }
        Err(Stop::fail(1, format!("Invalid address length {length} - must be 6 bytes\n")))
    }

    /// The link that is to be changed.
    fn found(mut self, ip: &Ip) -> Result<Request, Stop> {
        let Some(device) = &self.device else {
            return Err(Stop::quit(255, "Not enough information: \"dev\" argument is required.\n"));
        };
        self.target = Some(ip.index_of(device).ok_or_else(|| nodev(device))?);
        if self.name == self.device {
            self.name = None;
        }
        Ok(self)
    }
}

/// Words of which `t`, `ty` … are no abbreviations come before `type` in iproute2: `txqueuelen` takes `t`.
fn word_before_type(word: &str) -> bool {
    matches(word, "txqueuelen") || matches(word, "txqlen")
}

/// `Garbage instead of arguments …`
pub(super) fn garbage(word: &str) -> String {
    format!("Garbage instead of arguments \"{word} ...\". Try \"ip link help\".\n")
}

/// One line for what no world can.
pub(super) fn not_simulated(what: &str) -> Stop {
    Stop::fail(1, format!("vethlab: {what} of links is not simulated\n"))
}
