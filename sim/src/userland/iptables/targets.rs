//! Targets: `-j`.

mod connmark;
mod log;
mod mark;
mod nat;
mod packet;
mod reject;

use super::extension::{Opt, Style, TargetExtension, fine};
use super::stop::Problem;
use vethlab_engine::filter::Target;

/// All that are simulated.
const ALL: &[&TargetExtension] = &[
    &connmark::CONNMARK,
    &CT,
    &log::LOG,
    &mark::MARK,
    &nat::DNAT,
    &nat::MASQUERADE,
    &nat::NETMAP,
    &nat::REDIRECT,
    &nat::SNAT,
    &NOTRACK,
    &packet::DSCP,
    &packet::TCPMSS,
    &packet::TOS,
    &packet::TTL,
    &reject::REJECT,
    &ACCEPT,
    &DROP,
    &RETURN,
];

/// Those that Debian's iptables has besides.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "AUDIT", "CHECKSUM", "CLASSIFY", "CLUSTERIP", "CONNSECMARK", "ECN", "HMARK", "IDLETIMER", "LED", "NFLOG", "NFQUEUE",
    "QUEUE", "RATEEST", "SECMARK", "SET", "SYNPROXY", "TCPOPTSTRIP", "TEE", "TPROXY", "TRACE", "ULOG",
];

const fn verdict(name: &'static str, build: fn(&[super::extension::Seen]) -> Target) -> TargetExtension {
    let help = include_str!("help/target_standard.txt");
    TargetExtension { name, options: &[], old: false, check: fine, build, help }
}

const ACCEPT: TargetExtension = verdict("ACCEPT", |_| Target::Accept);
const DROP: TargetExtension = verdict("DROP", |_| Target::Drop);
const RETURN: TargetExtension = verdict("RETURN", |_| Target::Return);

const NOTRACK: TargetExtension =
    TargetExtension { help: include_str!("help/target_NOTRACK.txt"), ..verdict("NOTRACK", |_| Target::NoTrack) };

const CT: TargetExtension = TargetExtension {
    name: "CT",
    options: &[
        Opt::bare("notrack", 0),
        Opt::new("helper", 1, |_| Err(Problem::NotSimulated("-j CT --helper".into()))),
        Opt::new("timeout", 2, |_| Err(Problem::NotSimulated("-j CT --timeout".into()))),
        Opt::new("ctevents", 3, |_| Err(Problem::NotSimulated("-j CT --ctevents".into()))),
        Opt::new("expevents", 4, |_| Err(Problem::NotSimulated("-j CT --expevents".into()))),
        Opt::new("zone-orig", 5, |_| Err(Problem::NotSimulated("-j CT --zone-orig".into()))),
        Opt::new("zone-reply", 6, |_| Err(Problem::NotSimulated("-j CT --zone-reply".into()))),
        Opt::new("zone", 7, |_| Err(Problem::NotSimulated("-j CT --zone".into()))),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() { Err(Problem::NotSimulated("-j CT without --notrack".into())) } else { Ok(()) }
    },
    build: |_| Target::CtNoTrack,
    help: include_str!("help/target_CT.txt"),
};

/// The target of this name.
pub(super) fn find(name: &str) -> Option<&'static TargetExtension> {
    ALL.iter().find(|known| known.name == name).copied()
}

/// The real tool has a target of this name, the lab has not.
pub(super) fn is_not_simulated(name: &str) -> bool {
    OTHERS.contains(&name)
}

/// True for all that `-j` knows without a chain of that name: chains may not be called so.
pub(super) fn is_taken(name: &str) -> bool {
    find(name).is_some() || is_not_simulated(name) || name == "standard"
}

/// As `-j` names it, and as the column of listings does.
pub(super) fn names(of: &Target) -> (&str, &str) {
    let name = match of {
        Target::NoTrack => return ("NOTRACK", "CT"),
        Target::Jump(chain) | Target::Goto(chain) => chain,
        Target::Accept => "ACCEPT",
        Target::Drop => "DROP",
        Target::Return => "RETURN",
        Target::Reject(_) => "REJECT",
        Target::Log { .. } => "LOG",
        Target::Mark { .. } => "MARK",
        Target::ConnMark(_) => "CONNMARK",
        Target::Dnat(_) => "DNAT",
        Target::Snat(_) => "SNAT",
        Target::Masquerade { .. } => "MASQUERADE",
        Target::Redirect { .. } => "REDIRECT",
        Target::NetMap(..) => "NETMAP",
        Target::CtNoTrack => "CT",
        Target::TcpMss(_) => "TCPMSS",
        Target::Ttl(_) => "TTL",
        Target::Dscp(_) => "DSCP",
        Target::Tos { .. } => "TOS",
    };
    (name, name)
}

/// What the target does, with a blank before it; in [`Style::Save`] without its name.
pub(super) fn shown(of: &Target, style: Style) -> String {
    let save = style == Style::Save;
    match of {
        Target::Jump(_) | Target::Goto(_) | Target::Accept | Target::Drop | Target::Return => String::new(),
        Target::Reject(with) => reject::shown(*with, style),
        Target::Log { level, prefix, flags } => log::shown(*level, prefix, *flags, style),
        Target::Mark { value, mask } => mark::shown(*value, *mask, "MARK", style),
        Target::ConnMark(mark) => connmark::shown(*mark, style),
        Target::Dnat(range) => nat::shown(range, if save { "--to-destination " } else { "to:" }, style),
        Target::Snat(range) => nat::shown(range, if save { "--to-source " } else { "to:" }, style),
        Target::Masquerade { ports, random, random_fully } => {
            nat::ports_shown(ports.as_ref(), *random, *random_fully, "masq ports: ", style)
        }
        Target::Redirect { ports, random } => nat::ports_shown(ports.as_ref(), *random, false, "redir ports ", style),
        Target::NetMap(address, mask) => nat::netmap_shown(*address, *mask, style),
        Target::NoTrack => if save { "" } else { " NOTRACK" }.to_string(),
        Target::CtNoTrack => if save { " --notrack" } else { " CT notrack" }.to_string(),
        Target::TcpMss(mss) => packet::tcpmss_shown(*mss, style),
        Target::Ttl(change) => packet::ttl_shown(*change, style),
        Target::Dscp(dscp) => packet::dscp_shown(*dscp, style),
        Target::Tos { value, mask } => packet::tos_shown(*value, *mask, style),
    }
}
