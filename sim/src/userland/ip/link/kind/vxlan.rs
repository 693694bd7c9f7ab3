//! `type vxlan`

use super::{Words, explain, no_such_word, not_simulated};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Family, Stop, duparg2, get_addr, get_u16, get_unsigned, invarg, matches, nodev};
use crate::userland::ip::link::request::Purpose;
use crate::userland::ip::names::dsfield_number;
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::IfIndex;

/// What is said of a vxlan. `None`: it is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::userland::ip::link) struct VxlanWords {
    /// `id`
    pub id: Option<u32>,
    /// `remote`, `group`
    pub remote: Option<IpAddr>,
    /// `local`
    pub local: Option<IpAddr>,
    /// `dev`
    pub dev: Option<IfIndex>,
    /// `dstport`
    pub dstport: Option<u16>,
    /// `srcport`
    pub srcport: Option<(u16, u16)>,
    /// `ttl`, 0 for `auto`
    pub ttl: Option<u8>,
    /// `tos`, 1 for `inherit`
    pub tos: Option<u8>,
    /// `df`: 0 unset, 1 set, 2 inherit
    pub df: Option<u8>,
    /// `learning`, `nolearning`
    pub learning: Option<bool>,
    /// `ageing`, 0 for `none`
    pub ageing: Option<u32>,
    /// `maxaddress`, 0 for `unlimited`
    pub max_addresses: Option<u32>,
    /// Words that were said: each may be said once.
    said: Vec<&'static str>,
    /// A word of which the kernel would make more than a world can.
    not_simulated: Option<&'static str>,
}

/// Words without a value: what they say no or yes to, in iproute2's order (`no` and yes, in whichever order it tries), and
/// whether a new link has it.
const SWITCHES: &[(&str, &str, bool)] = &[
    ("nolearning", "learning", true),
    ("noproxy", "proxy", false),
    ("norsc", "rsc", false),
    ("nol2miss", "l2miss", false),
    ("nol3miss", "l3miss", false),
    ("udpcsum", "noudpcsum", true),
    ("udp6zerocsumtx", "noudp6zerocsumtx", false),
    ("udp6zerocsumrx", "noudp6zerocsumrx", false),
    ("remcsumtx", "noremcsumtx", false),
    ("remcsumrx", "noremcsumrx", false),
    ("external", "noexternal", false),
    ("gbp", "", false),
    ("gpe", "", false),
];

/// `vxlan_parse_opt()`
pub(super) fn read(ip: &mut Ip, args: &mut Args<'_>, purpose: Purpose) -> Result<Words, Stop> {
    let mut words = VxlanWords::default();
    while let Some(word) = args.next() {
        let taken = words.address_word(word, args)?
            || words.device_word(ip, word, args)?
            || words.header_word(word, args)?
            || words.table_word(word, args)?
            || words.port_word(word, args)?
            || words.switch_word(word)?;
        if taken {
            continue;
        }
        return Err(match word {
            "vnifilter" | "novnifilter" => not_simulated("vxlan", "vnifilter"),
            _ if matches(word, "help") => explain("vxlan"),
            _ => no_such_word("vxlan", "command", word),
        });
    }
    words.checked(ip, purpose).map(|words| Words::Vxlan(Box::new(words)))
}

impl VxlanWords {
    /// `check_duparg()`
    fn once(&mut self, key: &'static str, word: &str) -> Result<(), Stop> {
        if self.said.contains(&key) {
            return Err(duparg2(key, word));
        }
        self.said.push(key);
        Ok(())
    }

    fn address_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let family = |of: Option<IpAddr>| of.map_or(Family::Unspec, Family::of);
        if matches(word, "id") || matches(word, "vni") {
            let word = args.value()?;
            self.once("id", word)?;
            let id = get_unsigned(word, 0).filter(|id| *id < 1 << 24);
            self.id = Some(id.ok_or_else(|| invarg("invalid id", word))?);
        } else if let Some(key) = ["group", "remote"].into_iter().find(|key| matches(word, key)) {
            let multicast = key == "group";
            if self.remote.is_some_and(|remote| remote.is_multicast() != multicast) {
                return Err(Stop::fail(1, "vxlan: both group and remote cannot be specified\n"));
            }
            let word = args.value()?;
            if self.said.contains(&"group") || self.said.contains(&"remote") {
                return Err(duparg2(key, word));
            }
            self.once(key, word)?;
            let address = get_addr(word, family(self.local))?.address;
            let right = address.filter(|address| address.is_multicast() == multicast);
            self.remote = Some(right.ok_or_else(|| invarg(&format!("invalid {key} address"), word))?);
        } else if matches(word, "local") {
            let word = args.value()?;
            self.once("local", word)?;
            let address = get_addr(word, family(self.remote))?.address;
            let right = address.filter(|address| !address.is_multicast());
            self.local = Some(right.ok_or_else(|| invarg("invalid local address", word))?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn device_word(&mut self, ip: &Ip, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if !matches(word, "dev") {
            return Ok(false);
        }
        let name = args.value()?;
        self.once("dev", name)?;
        self.dev = Some(ip.index_of(name).ok_or_else(|| nodev_quits(name))?);
        Ok(true)
    }

    /// What goes into the outer header.
    fn header_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "ttl") || matches(word, "hoplimit") {
            let word = args.value()?;
            self.once("ttl", word)?;
            match word {
                "inherit" => self.not_simulated = Some("ttl inherit"),
                "auto" => self.ttl = Some(0),
                _ => {
                    let ttl = get_unsigned(word, 0).ok_or_else(|| invarg("invalid TTL", word))?;
                    self.ttl = Some(u8::try_from(ttl).map_err(|_| invarg("TTL must be <= 255", word))?);
                }
            }
        } else if matches(word, "tos") || matches(word, "dsfield") {
            let word = args.value()?;
            self.once("tos", word)?;
            let tos = if word == "inherit" { Some(1) } else { dsfield_number(word) };
            self.tos = Some(tos.ok_or_else(|| invarg("bad TOS value", word))?);
        } else if matches(word, "df") {
            let word = args.value()?;
            self.once("df", word)?;
            let df = ["unset", "set", "inherit"].iter().position(|name| *name == word);
            self.df = Some(df.ok_or_else(|| invarg("DF must be 'unset', 'set' or 'inherit'", word))? as u8);
        } else if matches(word, "label") || matches(word, "flowlabel") {
            let word = args.value()?;
            self.once("flowlabel", word)?;
            let label = get_unsigned(word, 0).filter(|label| *label < 1 << 20);
            if label.ok_or_else(|| invarg("invalid flowlabel", word))? != 0 {
                self.not_simulated = Some("flowlabel");
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// What concerns the table of who is where.
    fn table_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "ageing") {
            let word = args.value()?;
            self.once("ageing", word)?;
            let age = if word == "none" { Some(0) } else { get_unsigned(word, 0) };
            self.ageing = Some(age.ok_or_else(|| invarg("ageing timer", word))?);
        } else if matches(word, "maxaddress") {
            let word = args.value()?;
            self.once("maxaddress", word)?;
            let most = if word == "unlimited" { Some(0) } else { get_unsigned(word, 0) };
            self.max_addresses = Some(most.ok_or_else(|| invarg("max addresses", word))?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn port_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "port") || matches(word, "srcport") {
            let word = args.value()?;
            self.once("srcport", word)?;
            let low = get_u16(word, 0).ok_or_else(|| invarg("min port", word))?;
            let word = args.value()?;
            let high = get_u16(word, 0).ok_or_else(|| invarg("max port", word))?;
            self.srcport = Some((low, high)).filter(|range| *range != (0, 0));
        } else if matches(word, "dstport") {
            let word = args.value()?;
            self.once("dstport", word)?;
            self.dstport = Some(get_u16(word, 0).ok_or_else(|| invarg("dst port", word))?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn switch_word(&mut self, word: &str) -> Result<bool, Stop> {
        let fits = |(first, second, _): &&(&str, &str, bool)| matches(word, first) || matches(word, second);
        let Some((first, second, has)) = SWITCHES.iter().find(fits) else { return Ok(false) };
        let full = if matches(word, first) { first } else { second };
        if self.said.contains(first) {
            return Err(duparg2(word, word));
        }
        self.said.push(first);
        let on = !full.starts_with("no");
        if *first == "nolearning" {
            self.learning = Some(on);
        } else if on != *has {
            self.not_simulated = Some(full);
        }
        Ok(true)
    }

    /// What all words together must fulfil.
    fn checked(self, ip: &mut Ip, purpose: Purpose) -> Result<VxlanWords, Stop> {
        let create = purpose == Purpose::Create;
        let external = self.not_simulated == Some("external");
        if external && self.id.is_some() {
            return Err(Stop::fail(1, "vxlan: both 'external' and vni cannot be specified\n"));
        }
        if !external && self.id.is_none() && create {
            return Err(Stop::fail(1, "vxlan: missing virtual network identifier\n"));
        }
        if self.remote.is_some_and(|remote| remote.is_multicast()) && self.dev.is_none() {
            return Err(Stop::fail(1, "vxlan: 'group' requires 'dev' to be specified\n"));
        }
        if self.dstport.is_none() && create && self.not_simulated != Some("gpe") {
            ip.print.error(
                "vxlan: destination port not specified\nWill use Linux kernel default (non-standard value)\n\
                 Use 'dstport 4789' to get the IANA assigned value\n\
                 Use 'dstport 0' to get default and quiet this message\n",
            );
        }
        match self.not_simulated {
            Some(what) => Err(not_simulated("vxlan", what)),
            None => Ok(self),
        }
    }
}

/// `exit(nodev(…))`: −1, and the program ends.
fn nodev_quits(name: &str) -> Stop {
    match nodev(name) {
        Stop::Fail(_, text) => Stop::Quit(255, text),
        other => other,
    }
}
