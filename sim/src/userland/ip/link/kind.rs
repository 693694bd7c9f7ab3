//! `type KIND` and the words after it, a room a kind: `bridge`, `bridge_slave`, `dummy`, `macvlan`, `veth`, `vlan`, `vxlan`.
//! Others are known to iproute2, and no world makes them.

mod bridge;
mod bridge_slave;
mod macvlan;
mod vlan;
mod vxlan;

use super::super::Ip;
use super::super::args::{Args, Stop, duparg, get_u64, invarg, matches};
use super::request::{Purpose, Request, garbage};
use super::usage;
pub(in super::super) use bridge_slave::set_flag;
pub(super) use macvlan::MacvlanWords;
use vethlab_engine::control::{Errno, Refusal};
use vethlab_engine::link::bridge::{BridgeChange, BridgePortChange};
pub(super) use vlan::VlanWords;
pub(super) use vxlan::VxlanWords;

/// What the words after a kind say.
#[derive(Debug, Default)]
pub(super) enum Words {
    /// Nothing was said, or there is nothing to say.
    #[default]
    None,
    /// The other end of a cable.
    Veth(Box<Request>),
    /// A bridge.
    Bridge(Box<BridgeChange>),
    /// A port of a bridge.
    BridgeSlave(Box<BridgePortChange>),
    /// A VLAN.
    Vlan(VlanWords),
    /// A macvlan.
    Macvlan(MacvlanWords),
    /// A vxlan.
    Vxlan(Box<VxlanWords>),
}

/// Kinds that a world makes, or changes, and how each is used.
const KINDS: &[(&str, &str)] = &[
    ("bridge", include_str!("../usage/bridge.txt")),
    ("bridge_slave", include_str!("../usage/bridge_slave.txt")),
    ("dummy", "Usage: ... dummy\n"),
    ("macvlan", include_str!("../usage/macvlan.txt")),
    ("veth", include_str!("../usage/veth.txt")),
    ("vlan", include_str!("../usage/vlan.txt")),
    ("vxlan", include_str!("../usage/vxlan.txt")),
];

/// Kinds of links that iproute2 knows and no world makes.
#[rustfmt::skip]
const NOT_SIMULATED: &[&str] = &[
    "amt", "bareudp", "bond", "bond_slave", "dsa", "erspan", "geneve", "gre", "gretap", "gtp", "ifb", "ip6erspan", "ip6gre",
    "ip6gretap", "ip6tnl", "ipip", "ipoib", "ipvlan", "ipvtap", "macsec", "macvtap", "netdevsim", "nlmon", "rmnet", "sit",
    "team", "team_slave", "vcan", "vrf", "vti", "vxcan", "wwan", "xfrm", "virt_wifi", "tun",
];

/// How links of this kind are used; `None` if no world makes them.
fn usage_of(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, usage)| *usage)
}

/// iproute2 knows this kind.
pub(super) fn is_known(kind: &str) -> bool {
    usage_of(kind).is_some() || NOT_SIMULATED.contains(&kind)
}

/// `ip link help KIND`
pub(super) fn help(ip: &mut Ip, kind: &str) -> Result<(), Stop> {
    match usage_of(kind) {
        Some(usage) => {
            ip.print.raw(usage);
            Ok(())
        }
        None if NOT_SIMULATED.contains(&kind) => Err(not_made(kind)),
        None => Err(usage()),
    }
}

/// One line for a kind that no world makes.
fn not_made(kind: &str) -> Stop {
    Stop::fail(1, format!("vethlab: links of type {kind} are not simulated yet\n"))
}

/// The kernel's words for a kind that it does not know, and for those that others know one line more.
pub(super) fn unknown(kind: &str) -> Stop {
    let mut text = format!("{}\n", Refusal::because(Errno::OpNotSupp, "Unknown device type"));
    if NOT_SIMULATED.contains(&kind) {
        text += &format!("vethlab: links of type {kind} are not simulated yet\n");
    }
    Stop::fail(2, text)
}

/// Reads the words after a kind.
pub(super) fn read(ip: &mut Ip, kind: &str, args: &mut Args<'_>, purpose: Purpose) -> Result<Words, Stop> {
    let Some(word) = args.peek() else { return Ok(Words::None) };
    match kind {
        "bridge" => bridge::read(ip, args),
        "bridge_slave" => bridge_slave::read(ip, args),
        "macvlan" => macvlan::read(ip, args),
        "veth" => veth_peer(ip, args, purpose),
        "vlan" => vlan::read(ip, args),
        "vxlan" => vxlan::read(ip, args, purpose),
        _ if NOT_SIMULATED.contains(&kind) && purpose == Purpose::Create => Err(unknown(kind)),
        _ if NOT_SIMULATED.contains(&kind) => Err(not_made(kind)),
        "dummy" => {
            // It has no words of its own, and passes over all.
            args.rest();
            Ok(Words::None)
        }
        _ if matches(word, "help") => Err(usage()),
        _ => Err(Stop::fail(1, garbage(word))),
    }
}

/// `veth_parse_opt()`
fn veth_peer(ip: &mut Ip, args: &mut Args<'_>, purpose: Purpose) -> Result<Words, Stop> {
    if args.next() != Some("peer") {
        ip.print.raw(include_str!("../usage/veth.txt"));
        return Err(Stop::fail(1, ""));
    }
    let peer = Request::read(ip, args, purpose)?;
    match &peer.kind {
        Some(kind) => Err(duparg("type", kind)),
        None => Ok(Words::Veth(Box::new(peer))),
    }
}

/// A number of a kind, and where it goes: a table of these is what most kinds read.
struct Number<C> {
    /// Its word; an abbreviation means the first that it fits.
    name: &'static str,
    /// The word must be written out.
    exact: bool,
    /// Bits that it may have.
    bits: u32,
    /// Takes it in.
    set: fn(&mut C, u64),
}

impl<C> Number<C> {
    const fn new(name: &'static str, bits: u32, set: fn(&mut C, u64)) -> Number<C> {
        Number { name, exact: false, bits, set }
    }

    /// This number is meant by the word.
    fn is(&self, word: &str) -> bool {
        if self.exact { word == self.name } else { matches(word, self.name) }
    }

    /// Reads the value that follows.
    fn read(&self, change: &mut C, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = args.value()?;
        let number = get_u64(word, 0).filter(|number| self.bits == 64 || number >> self.bits == 0);
        (self.set)(change, number.ok_or_else(|| invarg(&format!("invalid {}", self.name), word))?);
        Ok(())
    }
}

/// A word that a kind does not know: one line, and how it is used. Both on standard error.
fn no_such_word(kind: &str, what: &str, word: &str) -> Stop {
    let usage = usage_of(kind).unwrap_or_default();
    Stop::fail(1, format!("{kind}: unknown {what} \"{word}\"?\n{usage}"))
}

/// `help` among a kind's words.
fn explain(kind: &str) -> Stop {
    Stop::fail(1, usage_of(kind).unwrap_or_default())
}

/// One line for what a link of this kind could do on a real kernel.
fn not_simulated(kind: &str, what: &str) -> Stop {
    Stop::fail(1, format!("vethlab: {what} of {kind} links is not simulated\n"))
}

/// `ll_proto_a2n()`, as far as VLANs go: `802.1Q`, `802.1ad`, a number, and a few others that the kernel then refuses.
fn protocol(word: &str) -> Option<u16> {
    const NAMES: &[(&str, u16)] = &[
        ("802.1q", 0x8100),
        ("802.1ad", 0x88a8),
        ("ip", 0x0800),
        ("ipv4", 0x0800),
        ("arp", 0x0806),
        ("ipv6", 0x86dd),
        ("all", 0x0003),
        ("loop", 0x0060),
        ("lldp", 0x88cc),
        ("mpls_uc", 0x8847),
    ];
    let lower = word.to_ascii_lowercase();
    let named = NAMES.iter().find(|(name, _)| *name == lower).map(|(_, number)| *number);
    named.or_else(|| super::super::args::get_u16(word, 0))
}
