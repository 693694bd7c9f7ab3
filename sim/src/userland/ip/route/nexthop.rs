//! The words behind `nexthop`.

use super::super::Ip;
use super::super::args::{Args, Stop, get_unsigned, invarg, matches};
use super::change::{Request, Via};
use super::words::realms;
use vethlab_engine::control::IfIndex;

/// One `nexthop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub gateway: Option<Via>,
    pub oif: Option<IfIndex>,
    pub weight: u16,
    pub onlink: bool,
    /// `realms`, 0 if not said.
    pub realms: u32,
}

/// `parse_nexthops()`: from `nexthop` to the end.
pub(super) fn read(ip: &Ip, request: &mut Request, args: &mut Args<'_>) -> Result<Vec<Hop>, Stop> {
    let mut hops = Vec::new();
    while let Some(word) = args.next() {
        if word != "nexthop" {
            let text = format!("Error: \"nexthop\" or end of line is expected instead of \"{word}\"\n");
            return Err(Stop::quit(255, text));
        }
        if args.is_empty() {
            return Err(Stop::quit(255, "Error: unexpected end of line after \"nexthop\"\n"));
        }
        hops.push(one(ip, request, args)?);
    }
    Ok(hops)
}

fn one(ip: &Ip, request: &mut Request, args: &mut Args<'_>) -> Result<Hop, Stop> {
    let mut hop = Hop { gateway: None, oif: None, weight: 1, onlink: false, realms: 0 };
    while let Some(word) = args.next() {
        match word {
            "via" => hop.gateway = Some(request.via(args)?),
            "dev" => {
                let name = args.value()?;
                let missing = || format!("Cannot find device \"{name}\"\nError: cannot parse nexthop\n");
                hop.oif = Some(ip.index_of(name).ok_or_else(|| Stop::quit(255, missing()))?);
            }
            "weight" => {
                let value = args.value()?;
                let weight = get_unsigned(value, 0).and_then(|weight| u16::try_from(weight).ok());
                let weight = weight.filter(|weight| (1..=256).contains(weight));
                hop.weight = weight.ok_or_else(|| invarg("\"weight\" is invalid\n", value))?;
            }
            "onlink" => hop.onlink = true,
            _ if matches(word, "realms") => {
                let value = args.value()?;
                hop.realms = realms(value).ok_or_else(|| invarg("\"realm\" value is invalid\n", value))?;
            }
            "encap" => request.encap(args)?,
            "as" => request.new_destination(args)?,
            _ => {
                args.back();
                break;
            }
        }
    }
    Ok(hop)
}
