//! `-j REJECT`

use super::super::extension::{Call, Opt, Style, TargetExtension, Value, fine, of};
use super::super::read::starts_like;
use super::super::stop::Problem;
use vethlab_engine::filter::{RejectWith, Target};

pub(super) const REJECT: TargetExtension = TargetExtension {
    name: "REJECT",
    options: &[Opt::new("reject-with", 0, with)],
    old: false,
    check: fine,
    build: |seen| {
        let named = of(seen, 0).and_then(|seen| NAMES.get(seen.number() as usize));
        Target::Reject(named.map_or(RejectWith::PortUnreachable, |named| named.2))
    },
    help: include_str!("../help/target_REJECT.txt"),
};

/// Names and aliases, in the kernel's order.
const NAMES: &[(&str, &str, RejectWith)] = &[
    ("icmp-net-unreachable", "net-unreach", RejectWith::NetUnreachable),
    ("icmp-host-unreachable", "host-unreach", RejectWith::HostUnreachable),
    ("icmp-proto-unreachable", "proto-unreach", RejectWith::ProtoUnreachable),
    ("icmp-port-unreachable", "port-unreach", RejectWith::PortUnreachable),
    ("icmp-net-prohibited", "net-prohib", RejectWith::NetProhibited),
    ("icmp-host-prohibited", "host-prohib", RejectWith::HostProhibited),
    ("tcp-reset", "tcp-rst", RejectWith::TcpReset),
    ("icmp-admin-prohibited", "admin-prohib", RejectWith::AdminProhibited),
];

fn with(call: &mut Call<'_>) -> Result<Value, Problem> {
    let like = |name: &str| starts_like(name, call.arg);
    if let Some(at) = NAMES.iter().position(|(name, alias, _)| like(name) || like(alias)) {
        return Ok(Value::Number(at as u64));
    }
    if like("echo-reply") || like("echoreply") {
        *call.warnings += "--reject-with echo-reply no longer supported\n";
    }
    Err(Problem::Parameter(format!("unknown reject type \"{}\"", call.arg)))
}

pub(super) fn shown(with: RejectWith, style: Style) -> String {
    let name = NAMES.iter().find(|named| named.2 == with).map_or("", |named| named.0);
    format!(" {}reject-with {name}", if style == Style::Save { "--" } else { "" })
}
