//! `type macvlan`

use super::{Words, explain, no_such_word, not_simulated};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, get_unsigned, ll_addr_a2n, matches};
use vethlab_engine::link::MacvlanMode;

/// What is said of a macvlan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::userland::ip::link) struct MacvlanWords {
    /// `mode`
    pub mode: Option<MacvlanMode>,
}

/// `macvlan_parse_opt()`
pub(super) fn read(_: &mut Ip, args: &mut Args<'_>) -> Result<Words, Stop> {
    let mut words = MacvlanWords::default();
    let (mut no_promisc, mut no_dst) = (false, false);
    while let Some(word) = args.next() {
        if matches(word, "mode") {
            words.mode = Some(mode(args.value()?)?);
        } else if matches(word, "flag") {
            match args.value()? {
                "nopromisc" => no_promisc = true,
                "nodst" => no_dst = true,
                "null" => {}
                other => return Err(wrong("flag", "\"nopromisc\", \"nodst\" or \"null\"", other)),
            }
        } else if matches(word, "macaddr") {
            return Err(macaddr(args)?);
        } else if matches(word, "nopromisc") {
            no_promisc = true;
        } else if matches(word, "nodst") {
            no_dst = true;
        } else if matches(word, "bcqueuelen") {
            let word = args.value()?;
            get_unsigned(word, 0).ok_or_else(|| wrong("bcqueuelen", "a positive integer [0-4294967295]", word))?;
            return Err(not_simulated("macvlan", "bcqueuelen"));
        } else if matches(word, "help") {
            return Err(explain("macvlan"));
        } else {
            return Err(no_such_word("macvlan", "option", word));
        }
    }
    if no_promisc && words.mode != Some(MacvlanMode::Passthru) {
        let usage = super::usage_of("macvlan").unwrap_or_default();
        return Err(Stop::fail(1, format!("macvlan: nopromisc flag only valid in passthru mode\n{usage}")));
    }
    if no_promisc || no_dst {
        return Err(not_simulated("macvlan", "flag"));
    }
    Ok(Words::Macvlan(words))
}

fn wrong(what: &str, right: &str, word: &str) -> Stop {
    Stop::fail(1, format!("Error: argument of \"{what}\" must be {right}, not \"{word}\"\n"))
}

fn mode(word: &str) -> Result<MacvlanMode, Stop> {
    match word {
        "private" => Ok(MacvlanMode::Private),
        "vepa" => Ok(MacvlanMode::Vepa),
        "bridge" => Ok(MacvlanMode::Bridge),
        "passthru" => Ok(MacvlanMode::Passthru),
        "source" => Ok(MacvlanMode::Source),
        _ => Err(wrong("mode", "\"private\", \"vepa\", \"bridge\", \"passthru\" or \"source\"", word)),
    }
}

/// The list of mode `source`: how its words are wrong, or that it is not simulated.
fn macaddr(args: &mut Args<'_>) -> Result<Stop, Stop> {
    match args.value()? {
        "add" | "del" => {
            let word = args.value()?;
            match ll_addr_a2n(word, 6) {
                Err(text) => return Ok(Stop::fail(1, text)),
                Ok(bytes) if bytes.len() != 6 => return Ok(Stop::fail(1, "")),
                Ok(_) => {}
            }
        }
        "set" | "flush" => {}
        _ => return Ok(explain("macvlan")),
    }
    Ok(not_simulated("macvlan", "macaddr"))
}
