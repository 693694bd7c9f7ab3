//! `-m pkttype`

use super::super::extension::{Call, MatchExtension, Opt, Style, Value, fine, of};
use super::super::stop::Problem;
use super::bang;
use vethlab_engine::filter::{Match, Not, PktType};

pub(super) const PKTTYPE: MatchExtension = MatchExtension {
    name: "pkttype",
    options: &[Opt::new("pkt-type", 0, kind).invertible().mandatory()],
    old: false,
    check: fine,
    build: |seen| {
        let kind = of(seen, 0).map(|seen| {
            seen.not(match seen.number() {
                1 => PktType::Broadcast,
                2 => PktType::Multicast,
                _ => PktType::Unicast,
            })
        });
        Match::PktType(kind.unwrap_or(Not { not: false, of: PktType::Unicast }))
    },
    help: include_str!("../help/match_pkttype.txt"),
};

fn kind(call: &mut Call<'_>) -> Result<Value, Problem> {
    let kind = match call.arg.to_ascii_lowercase().as_str() {
        "unicast" | "host" => 0,
        "broadcast" | "bcast" => 1,
        "multicast" | "mcast" => 2,
        "otherhost" => return Err(Problem::NotSimulated("-m pkttype --pkt-type otherhost".into())),
        _ => return Err(Problem::Parameter(format!("Bad packet type '{}'", call.arg))),
    };
    Ok(Value::Number(kind))
}

pub(super) fn shown(kind: Not<PktType>, style: Style) -> String {
    let name = match kind.of {
        PktType::Unicast => "unicast",
        PktType::Broadcast => "broadcast",
        PktType::Multicast => "multicast",
    };
    match style {
        Style::Save => format!("{} --pkt-type {name}", bang(kind.not)),
        Style::List { .. } => format!(" PKTTYPE {}= {name}", if kind.not { "!" } else { "" }),
    }
}
