//! `ip neigh`, as iproute2's `ipneigh.c` has it: neighbours and proxies are set and taken away.

mod show;

use super::Ip;
use super::args::{
    Args, Family, InetPrefix, Stop, duparg, duparg2, get_addr, get_unsigned, invarg, ll_addr_a2n, matches, nodev,
};
use super::names::protocol_number;
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Command, Errno, IfIndex, NeighborMode, NeighborSpec, Nud, Refusal};

/// The usage of `ip neigh`, and status 255.
fn usage() -> Stop {
    Stop::quit(255, include_str!("usage/neigh.txt"))
}

/// `ip neigh …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] = &["add", "change", "replace", "delete", "get", "show", "lst", "list", "flush", "help"];
    let Some(word) = args.next() else { return show::list(ip, args) };
    let command = COMMANDS.iter().copied().find(|command| matches(word, command));
    match command.or((word == "chg").then_some("change")) {
        Some("add") => modify(ip, args, Some(NeighborMode::Add)),
        Some("change") => modify(ip, args, Some(NeighborMode::Change)),
        Some("replace") => modify(ip, args, Some(NeighborMode::Replace)),
        Some("delete") => modify(ip, args, None),
        Some("get") => show::get(ip, args),
        Some("show" | "lst" | "list") => show::list(ip, args),
        Some("flush") => show::flush(ip, args),
        Some(_) => Err(usage()),
        None => Err(Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip neigh help\".\n"))),
    }
}

/// `NUD_*` of a state.
fn nud_bits(state: Nud) -> u32 {
    match state {
        Nud::None => 0,
        Nud::Incomplete => 0x01,
        Nud::Reachable => 0x02,
        Nud::Stale => 0x04,
        Nud::Delay => 0x08,
        Nud::Probe => 0x10,
        Nud::Failed => 0x20,
        Nud::Noarp => 0x40,
        Nud::Permanent => 0x80,
    }
}

/// `nud_state_a2n()`
fn nud_state(word: &str) -> Option<Nud> {
    const STATES: [(&str, Nud); 9] = [
        ("permanent", Nud::Permanent),
        ("reachable", Nud::Reachable),
        ("noarp", Nud::Noarp),
        ("none", Nud::None),
        ("stale", Nud::Stale),
        ("incomplete", Nud::Incomplete),
        ("delay", Nud::Delay),
        ("probe", Nud::Probe),
        ("failed", Nud::Failed),
    ];
    let short = |name| matches!(name, "permanent" | "reachable" | "failed");
    let named = STATES.iter().find(|(name, _)| *name == word || short(*name) && matches(word, name));
    let numbered = || {
        let bits = get_unsigned(word, 0)?;
        STATES.iter().find(|(_, state)| nud_bits(*state) == bits)
    };
    named.or_else(numbered).map(|(_, state)| *state)
}

/// What the words say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Request {
    family: Family,
    destination: Option<InetPrefix>,
    proxy: bool,
    device: Option<String>,
    lladdr: Option<String>,
    state: Option<Nud>,
    router: bool,
    extern_learn: bool,
    protocol: u8,
    /// `use` or `managed`: the neighbour is to be asked for at once.
    asks: Option<&'static str>,
}

impl Request {
    fn read(&mut self, args: &mut Args<'_>) -> Result<(), Stop> {
        while let Some(word) = args.next() {
            let taken = self.link_word(word, args)? || self.flag_word(word, args)?;
            if !taken {
                self.destination_word(word, args)?;
            }
        }
        Ok(())
    }

    fn link_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            _ if matches(word, "lladdr") => {
                let value = args.value()?;
                if self.lladdr.is_some() {
                    return Err(duparg("lladdr", value));
                }
                self.lladdr = Some(value.to_owned());
            }
            "nud" => {
                let value = args.value()?;
                self.state = Some(nud_state(value).ok_or_else(|| invarg("nud state is bad", value))?);
            }
            _ if matches(word, "proxy") => {
                let value = args.value()?;
                if matches(value, "help") {
                    return Err(usage());
                }
                if self.destination.is_some() {
                    return Err(duparg("address", value));
                }
                self.destination = Some(get_addr(value, self.family)?);
                self.proxy = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn flag_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        match word {
            "router" => self.router = true,
            "use" => self.asks = Some("use"),
            "managed" => {
                self.asks = Some("managed");
                self.state = Some(Nud::None);
            }
            _ if matches(word, "extern_learn") => self.extern_learn = true,
            "dev" => self.device = Some(args.value()?.to_owned()),
            _ if matches(word, "protocol") => {
                let value = args.value()?;
                let protocol = protocol_number(value);
                self.protocol = protocol.ok_or_else(|| invarg("\"protocol\" value is invalid\n", value))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn destination_word(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = if word == "to" { args.value()? } else { word };
        // Here alone `help` does not help: it wants a word after it.
        let word = if matches(word, "help") { args.value()? } else { word };
        if self.destination.is_some() {
            return Err(duparg2("to", word));
        }
        self.destination = Some(get_addr(word, self.family)?);
        Ok(())
    }

    /// The request as the kernel gets it.
    fn spec(&self, index: IfIndex, lladdr: Option<Vec<u8>>) -> Result<NeighborSpec, Refusal> {
        let invalid = |text: &str| Refusal::because(Errno::Inval, text);
        let lladdr = match lladdr.as_deref() {
            Some(&[a, b, c, d, e, f, ..]) => Some(Mac([a, b, c, d, e, f])),
            Some(_) if index != 0 => return Err(invalid("Invalid link address")),
            _ => None,
        };
        let destination = self.destination.and_then(|to| to.address);
        Ok(NeighborSpec {
            index,
            destination: destination.ok_or_else(|| invalid("Invalid network address"))?,
            lladdr,
            state: self.state.unwrap_or(Nud::Permanent),
            router: self.router,
            proxy: self.proxy,
            extern_learn: self.extern_learn,
            protocol: self.protocol,
        })
    }
}

/// `ip neigh add|change|replace`, and `del` without a mode.
fn modify(ip: &mut Ip, mut args: Args<'_>, mode: Option<NeighborMode>) -> Result<(), Stop> {
    let mut request = Request { family: ip.opts.family, ..Request::default() };
    request.read(&mut args)?;
    let known = request.destination.is_some_and(|to| to.family != Family::Unspec);
    if !known || request.device.is_none() && !request.proxy {
        return Err(Stop::quit(255, "Device and destination are required arguments.\n"));
    }
    let lladdr = match request.lladdr.as_deref() {
        None | Some("null") => None,
        Some(word) => Some(ll_addr_a2n(word, 20).map_err(|text| Stop::fail(1, text))?),
    };
    let index = match &request.device {
        Some(name) => ip.index_of(name).ok_or_else(|| nodev(name))?,
        None => 0,
    };
    // A deletion does not look at it.
    let lladdr = lladdr.filter(|_| mode.is_some());
    let spec = request.spec(index, lladdr).map_err(refused)?;
    if let Some(word) = request.asks.filter(|_| mode.is_some()) {
        return Err(Stop::fail(1, format!("vethlab: ip neigh {word} is not simulated\n")));
    }
    let command = match mode {
        Some(mode) => Command::NeighborAdd(mode, spec),
        None => Command::NeighborDelete(spec),
    };
    ip.world().apply(ip.ns, command).map_err(refused)
}

/// A refusal ends the program, not the command alone.
fn refused(refusal: Refusal) -> Stop {
    Stop::quit(2, format!("{refusal}\n"))
}

#[cfg(test)]
mod tests {
    use super::super::args::incomplete;
    use super::*;

    fn read(line: &str) -> Result<Request, Stop> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let mut request = Request::default();
        request.read(&mut Args::new(&words)).map(|()| request)
    }

    #[test]
    fn states_by_name_abbreviation_and_number() {
        assert_eq!(
            (nud_state("p"), nud_state("r"), nud_state("f")),
            (nud_state("0x80"), nud_state("2"), nud_state("32"))
        );
        assert_eq!(
            (nud_state("stale"), nud_state("none"), nud_state("0")),
            (Some(Nud::Stale), Some(Nud::None), Some(Nud::None))
        );
        assert_eq!((nud_state("sta"), nud_state("3"), nud_state("256"), nud_state("foo")), (None, None, None, None));
    }

    #[test]
    fn a_neighbor_in_its_usual_words() {
        let request = read("10.0.0.2 l 2:0:0:0:0:2 dev v0 nud stale router e prot static").expect("words");
        let spec = request.spec(2, ll_addr_a2n("2:0:0:0:0:2", 20).ok()).expect("a neighbor");
        assert_eq!((spec.lladdr, spec.state), (Some(Mac([2, 0, 0, 0, 0, 2])), Nud::Stale));
        assert!(spec.router && spec.extern_learn && !spec.proxy && spec.protocol == 4);
        assert!(read("pro 10.0.0.7").is_ok_and(|request| request.proxy));
    }

    #[test]
    fn what_is_said_of_wrong_words() {
        assert_eq!(read("10.0.0.2 help"), Err(incomplete()));
        assert_eq!(read("proxy help"), Err(usage()));
        assert_eq!(read("10.0.0.2 10.0.0.3"), Err(duparg2("to", "10.0.0.3")));
        assert_eq!(read("10.0.0.2 proxy 10.0.0.3"), Err(duparg("address", "10.0.0.3")));
        assert_eq!(read("10.0.0.2 nud 3"), Err(invarg("nud state is bad", "3")));
        assert_eq!(read("10.0.0.2 protoc foo"), Err(invarg("\"protocol\" value is invalid\n", "foo")));
        assert_eq!(read("10.0.0.2 l 2:0 l 2:1"), Err(duparg("lladdr", "2:1")));
    }

    #[test]
    fn what_the_kernel_refuses_at_first_sight() {
        let request = read("10.0.0.2").expect("words");
        let short = request.spec(2, Some(vec![2, 0])).map(drop);
        assert_eq!(short, Err(Refusal::because(Errno::Inval, "Invalid link address")));
        // Longer ones are cut.
        assert!(request.spec(2, Some(vec![2; 8])).is_ok_and(|spec| spec.lladdr == Some(Mac([2; 6]))));
        let any = Request { destination: get_addr("any", Family::Inet).ok(), ..request };
        assert_eq!(any.spec(2, None).map(drop), Err(Refusal::because(Errno::Inval, "Invalid network address")));
    }
}
