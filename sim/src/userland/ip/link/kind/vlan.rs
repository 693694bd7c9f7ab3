//! `type vlan`

use super::{Words, explain, no_such_word, not_simulated, protocol};
use crate::userland::ip::Ip;
use crate::userland::ip::args::{Args, Stop, get_u16, get_unsigned, invarg, matches};

/// What is said of a VLAN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::userland::ip::link) struct VlanWords {
    /// `id`
    pub id: Option<u16>,
    /// `protocol`
    pub protocol: Option<u16>,
}

/// Flags, and whether a VLAN here has them.
const FLAGS: &[(&str, bool)] =
    &[("reorder_hdr", true), ("gvrp", false), ("mvrp", false), ("loose_binding", false), ("bridge_binding", false)];

/// `vlan_parse_opt()`
pub(super) fn read(_: &mut Ip, args: &mut Args<'_>) -> Result<Words, Stop> {
    let mut words = VlanWords::default();
    while let Some(word) = args.next() {
        if matches(word, "protocol") {
            let word = args.value()?;
            words.protocol = Some(protocol(word).ok_or_else(|| invarg("protocol is invalid", word))?);
        } else if matches(word, "id") {
            let word = args.value()?;
            words.id = Some(get_u16(word, 0).ok_or_else(|| invarg("id is invalid", word))?);
        } else if let Some((name, has)) = FLAGS.iter().find(|(name, _)| matches(word, name)) {
            let wanted = match args.value()? {
                "on" => true,
                "off" => false,
                other => {
                    let text = format!("Error: argument of \"{name}\" must be \"on\" or \"off\", not \"{other}\"\n");
                    return Err(Stop::fail(1, text));
                }
            };
            if wanted != *has {
                return Err(not_simulated("vlan", &format!("{name} {}", args.word())));
            }
        } else if let Some(map) = ["ingress-qos-map", "egress-qos-map"].into_iter().find(|map| matches(word, map)) {
            if qos_map(map, args)? {
                return Err(not_simulated("vlan", map));
            }
        } else if matches(word, "help") {
            return Err(explain("vlan"));
        } else {
            return Err(no_such_word("vlan", "command", word));
        }
    }
    Ok(Words::Vlan(words))
}

/// `FROM:TO …`; false if there is not one.
fn qos_map(map: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
    let mut some = false;
    while let Some((from, to)) = args.peek().and_then(|word| word.split_once(':')) {
        if get_unsigned(from, 0).is_none() || get_unsigned(to, 0).is_none() {
            // The colon is gone by then.
            return Err(invarg(&format!("invalid {map}"), from));
        }
        args.next();
        some = true;
    }
    Ok(some)
}
