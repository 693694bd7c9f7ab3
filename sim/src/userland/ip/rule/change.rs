//! `ip rule add` and `ip rule del`.

use super::super::Ip;
use super::super::args::{
    Args, Family, InetPrefix, Stop, check_ifname, get_addr32, get_integer, get_prefix, get_u64, get_unsigned, invarg,
    matches,
};
use super::super::names::{dsfield_number, group_number, protocol_number, table_number};
use super::super::route::{ip_protocol, realms, type_number};
use super::filter::fwmark;
use super::{ports, range, usage};
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::{Command, Errno, Refusal, RuleAction, RuleSpec};

/// What the words say.
#[derive(Debug, Default)]
struct Request {
    family: Family,
    spec: RuleSpec,
    table: u32,
    /// A type was said, by this number (`FR_ACT_*`); `goto` by its target.
    action: Option<u8>,
    target: Option<u32>,
    /// A word that is known but not simulated.
    foreign: Option<&'static str>,
    l3mdev: bool,
    /// Warnings on the way, printed even if what follows is wrong.
    warnings: String,
}

/// The command.
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>, add: bool) -> Result<(), Stop> {
    let name = if add { "add" } else { "del" };
    if args.is_empty() {
        return Err(Stop::fail(1, format!("\"ip rule {name}\" requires arguments.\n")));
    }
    let mut request = Request { family: ip.opts.family, ..Request::default() };
    let read = request.read(&mut args);
    ip.print.error(&request.warnings);
    read?;
    if request.l3mdev && request.table != 0 {
        return Err(Stop::fail(22, "table can not be specified for l3mdev rules\n"));
    }
    // Types without a name are kept by the kernel, and end a packet's way by EINVAL.
    let nameless = request.action.is_some_and(|action| !matches!(action, 1..=3 | 6..=8)).then_some("of this type");
    if let Some(word) = request.foreign.or(nameless.filter(|_| add)) {
        return Err(Stop::fail(1, format!("vethlab: ip rule {word} is not simulated\n")));
    }
    let action = request.action(add)?;
    let ipv6 = request.family == Family::Inet6;
    let foreign = |prefix: Option<(IpAddr, u8)>| prefix.is_some_and(|(address, _)| address.is_ipv6() != ipv6);
    for (prefix, what) in [(request.spec.source, "source"), (request.spec.destination, "destination")] {
        if foreign(prefix) {
            return Err(Refusal::because(Errno::Inval, format!("Invalid {what} address")).into());
        }
    }
    let spec = RuleSpec { ipv6, action, ..request.spec };
    ip.apply(if add { Command::RuleAdd(spec) } else { Command::RuleDelete(spec) })
}

impl Request {
    fn read(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        while let Some(word) = args.next() {
            let taken = self.packet_word(word, args)?
                || self.foreign_first(word, args)?
                || self.table_word(word, args)?
                || self.link_word(word, args)?
                || self.foreign_word(word, args)?;
            if !taken {
                self.type_word(word, args)?;
            }
        }
        Ok(())
    }

    fn packet_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "not" => self.spec.invert = true,
            "from" => self.spec.source = said(get_prefix(args.value()?, self.family)?),
            "to" => self.spec.destination = said(get_prefix(args.value()?, self.family)?),
            _ if ["preference", "order", "priority"].iter().any(|name| matches(word, name)) => {
                let value = args.value()?;
                let priority = get_unsigned(value, 0);
                self.spec.priority = Some(priority.ok_or_else(|| invarg("preference value is invalid\n", value))?);
            }
            _ if word == "tos" || matches(word, "dsfield") => {
                let value = args.value()?;
                self.spec.tos = dsfield_number(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?;
            }
            "fwmark" => {
                let (mark, mask) = fwmark(args.value()?)?;
                self.spec.mark = Some(mark);
                self.spec.mask = mask.or(self.spec.mask);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Words whose abbreviations come before `table`'s.
    fn foreign_first(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "realms") {
            let value = args.value()?;
            realms(value).ok_or_else(|| invarg("invalid realms\n", value))?;
            self.foreign = Some("realms");
        } else if matches(word, "protocol") {
            let value = args.value()?;
            let protocol = protocol_number(value);
            self.spec.protocol = protocol.ok_or_else(|| invarg("\"protocol\" value is invalid\n", value))?;
        } else if matches(word, "tun_id") {
            let value = args.value()?;
            get_u64(value, 0).ok_or_else(|| invarg("\"tun_id\" value is invalid\n", value))?;
            self.foreign = Some("tun_id");
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn table_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if matches(word, "table") || word == "lookup" {
            let value = args.value()?;
            self.table = table_number(value).ok_or_else(|| invarg("invalid table ID\n", value))?;
            self.action.get_or_insert(TO_TABLE);
        } else if matches(word, "suppress_prefixlength") || word == "sup_pl" {
            let value = args.value()?;
            let length = get_integer(value, 0).and_then(|length| u32::try_from(length).ok());
            let invalid = || invarg("suppress_prefixlength value is invalid\n", value);
            self.spec.suppress_prefix = Some(length.ok_or_else(invalid)?);
        } else if matches(word, "suppress_ifgroup") || word == "sup_group" {
            let value = args.value()?;
            group_number(value).ok_or_else(|| invarg("Invalid \"suppress_ifgroup\" value\n", value))?;
            self.foreign = Some("suppress_ifgroup");
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn link_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let invalid = match word {
            "dev" | "iif" => "\"iif\"/\"dev\" not a valid ifname",
            "oif" => "\"oif\" not a valid ifname",
            "l3mdev" => {
                (self.l3mdev, self.foreign) = (true, Some("l3mdev"));
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let name = args.value()?;
        if !check_ifname(name) {
            return Err(invarg(invalid, name));
        }
        let slot = if word == "oif" { &mut self.spec.oif } else { &mut self.spec.iif };
        *slot = Some(name.to_owned());
        Ok(true)
    }

    fn foreign_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "uidrange" => {
                let value = args.value()?;
                let both = range(value).and_then(|(_, second)| second);
                let last = both.ok_or_else(|| invarg("invalid UID range\n", value))?;
                self.spec.uid = range(value).map(|(first, _)| (first, last));
            }
            _ if word == "nat" || matches(word, "map-to") => {
                let value = args.value()?;
                self.warnings += "Warning: route NAT is deprecated\n";
                get_addr32(value)?;
                self.foreign = Some("nat");
            }
            "ipproto" => {
                let value = args.value()?;
                let number = ip_protocol(value).ok_or_else(|| invarg("Invalid \"ipproto\" value\n", value))?;
                self.spec.ip_protocol = number;
            }
            "sport" | "dport" => {
                let value = args.value()?;
                let sport = word == "sport";
                let invalid = if sport { "invalid port range\n" } else { "invalid dport range\n" };
                let slot = if sport { &mut self.spec.source_port } else { &mut self.spec.destination_port };
                *slot = Some(ports(value).ok_or_else(|| invarg(invalid, value))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn type_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = if word == "type" { args.value()? } else { word };
        if matches(word, "help") {
            return Err(usage());
        }
        self.action = Some(if matches(word, "goto") {
            let value = args.value()?;
            self.target = Some(get_unsigned(value, 0).ok_or_else(|| invarg("invalid target\n", value))?);
            GOTO
        } else if matches(word, "nop") {
            NOP
        } else {
            type_number(word).ok_or_else(|| invarg("Failed to parse rule type", word))?
        });
        Ok(())
    }

    /// What the rule does; `None` is `lookup main` to `add`, and anything to `del`.
    fn action(&self, add: bool) -> Result<Option<RuleAction>, Refusal> {
        let invalid = |text: &str| Err(Refusal::because(Errno::Inval, text));
        Ok(Some(match self.action {
            None => return Ok(None),
            Some(TO_TABLE) => RuleAction::Table(self.table),
            Some(GOTO) => match self.target {
                Some(target) => RuleAction::Goto(target),
                None if add => return invalid("Missing goto target for action goto"),
                None => return Err(Errno::NoEnt.into()),
            },
            Some(NOP) => RuleAction::Nop,
            Some(6) => RuleAction::Blackhole,
            Some(7) => RuleAction::Unreachable,
            Some(8) => RuleAction::Prohibit,
            Some(_) => return Err(Errno::NoEnt.into()),
        }))
    }
}

/// `FR_ACT_TO_TBL`
const TO_TABLE: u8 = 1;
/// `FR_ACT_GOTO`
const GOTO: u8 = 2;
/// `FR_ACT_NOP`
const NOP: u8 = 3;

/// `all`, `any` and prefixes of no length say nothing.
fn said(prefix: InetPrefix) -> Option<(IpAddr, u8)> {
    prefix.address.filter(|_| prefix.length > 0).map(|address| (address, prefix.length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request, Stop> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let mut request = Request::default();
        request.read(&mut Args::new(&words)).map(|()| request)
    }

    fn wrong(line: &str) -> Option<Stop> {
        read(line).err()
    }

    #[test]
    fn abbreviations_mean_what_they_mean_to_iproute2() {
        let request = read("not from 10.0.0.0/8 p 5 ta 6 fwmark 7/0xff iif v0 pro static").expect("words");
        assert_eq!((request.spec.priority, request.table, request.spec.invert), (Some(5), 6, true));
        assert_eq!((request.spec.mark, request.spec.mask, request.spec.protocol), (Some(7), Some(0xff), 4));
        assert_eq!(request.action(true), Ok(Some(RuleAction::Table(6))));
        assert_eq!(read("t 5").map(|request| request.foreign), Ok(Some("tun_id")));
        assert_eq!(read("g 7").map(|request| request.action(true)), Ok(Ok(Some(RuleAction::Goto(7)))));
        assert_eq!(read("from all").map(|request| request.spec.source), Ok(None));
    }

    #[test]
    fn what_is_said_of_wrong_words() {
        assert_eq!(wrong("foo"), Some(invarg("Failed to parse rule type", "foo")));
        assert_eq!(wrong("pref x"), Some(invarg("preference value is invalid\n", "x")));
        assert_eq!(wrong("fwmark 5/x"), Some(invarg("fwmask value is invalid\n", "x")));
        assert_eq!(wrong("uidrange 5"), Some(invarg("invalid UID range\n", "5")));
        assert_eq!(wrong("table nosuch"), Some(invarg("invalid table ID\n", "nosuch")));
        assert_eq!(
            wrong("iif abcdefghijklmnopq"),
            Some(invarg("\"iif\"/\"dev\" not a valid ifname", "abcdefghijklmnopq"))
        );
        assert_eq!(wrong("h"), Some(usage()));
        let goto = read("local").map(|request| request.action(true));
        assert_eq!(goto, Ok(Err(Refusal::because(Errno::Inval, "Missing goto target for action goto"))));
    }
}
