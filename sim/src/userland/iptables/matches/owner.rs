//! `-m owner`

use super::super::extension::{Call, MatchExtension, Opt, Style, Value, of};
use super::super::read::leading;
use super::super::stop::Problem;
use super::bang;
use std::ops::RangeInclusive;
use vethlab_engine::filter::{Match, Not};

const USER: u8 = 0;
const GROUP: u8 = 1;
const SOCKET: u8 = 2;
const SUPPLEMENTARY: u8 = 3;

pub(super) const OWNER: MatchExtension = MatchExtension {
    name: "owner",
    options: &[
        Opt::new("uid-owner", USER, |call| ids(call, USERS)).invertible(),
        Opt::new("gid-owner", GROUP, |call| ids(call, GROUPS)).invertible(),
        Opt::bare("socket-exists", SOCKET).invertible(),
        Opt::bare("suppl-groups", SUPPLEMENTARY).reads(supplementary),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() {
            let text = "owner: At least one of --uid-owner, --gid-owner or --socket-exists is required";
            Err(Problem::parameter(text))
        } else {
            Ok(())
        }
    },
    build: |seen| {
        let ids = |id| {
            of(seen, id).map(|seen| {
                let (first, last) = seen.range();
                seen.not(first..=last)
            })
        };
        Match::Owner { uid: ids(USER), gid: ids(GROUP), socket_exists: of(seen, SOCKET).map(|seen| seen.not(())) }
    },
    help: include_str!("../help/match_owner.txt"),
};

/// Users of a fresh Debian.
#[rustfmt::skip]
const USERS: &[(&str, u32)] = &[
    ("root", 0), ("daemon", 1), ("bin", 2), ("sys", 3), ("sync", 4), ("games", 5), ("man", 6), ("lp", 7), ("mail", 8),
    ("news", 9), ("uucp", 10), ("proxy", 13), ("www-data", 33), ("backup", 34), ("list", 38), ("irc", 39), ("_apt", 42),
    ("nobody", 65534),
];
/// Its groups.
#[rustfmt::skip]
const GROUPS: &[(&str, u32)] = &[
    ("root", 0), ("daemon", 1), ("bin", 2), ("sys", 3), ("adm", 4), ("tty", 5), ("disk", 6), ("lp", 7), ("mail", 8),
    ("news", 9), ("uucp", 10), ("man", 12), ("proxy", 13), ("kmem", 15), ("dialout", 20), ("fax", 21), ("voice", 22),
    ("cdrom", 24), ("floppy", 25), ("tape", 26), ("sudo", 27), ("audio", 29), ("dip", 30), ("www-data", 33),
    ("backup", 34), ("operator", 37), ("list", 38), ("irc", 39), ("src", 40), ("shadow", 42), ("utmp", 43),
    ("video", 44), ("sasl", 45), ("plugdev", 46), ("staff", 50), ("games", 60), ("users", 100), ("nogroup", 65534),
];

/// A name, a number, or two numbers with `-` or `:` between them.
fn ids(call: &mut Call<'_>, names: &[(&str, u32)]) -> Result<Value, Problem> {
    if let Some((_, id)) = names.iter().find(|(name, _)| *name == call.arg) {
        return Ok(Value::Range(*id, *id));
    }
    let bad = || Problem::Parameter(format!("owner: Bad value for \"--{}\" option: \"{}\"", call.name, call.arg));
    let most = u64::from(u32::MAX - 1);
    let (first, rest) = leading(call.arg, 0, most).ok_or_else(bad)?;
    let (last, rest) = match rest.strip_prefix(['-', ':']) {
        Some(last) => leading(last, 0, most).ok_or_else(bad)?,
        None => (first, rest),
    };
    if rest.is_empty() { Ok(Value::Range(first as u32, last as u32)) } else { Err(bad()) }
}

fn supplementary(call: &mut Call<'_>) -> Result<Value, Problem> {
    if of(call.seen, GROUP).is_none() {
        let text = "owner: Bad value for \"--suppl-groups\" option: \"you need to use --gid-owner first\"";
        return Err(Problem::parameter(text));
    }
    Err(Problem::NotSimulated("-m owner --suppl-groups".into()))
}

pub(super) fn shown(
    uid: Option<&Not<RangeInclusive<u32>>>,
    gid: Option<&Not<RangeInclusive<u32>>>,
    socket: Option<&Not<()>>,
    style: Style,
) -> String {
    let saves = style == Style::Save;
    let label = |saved, listed| if saves { saved } else { listed };
    let ids = |label: &str, ids: Option<&Not<RangeInclusive<u32>>>, names: &[(&str, u32)]| {
        let Some(Not { not, of }) = ids else { return String::new() };
        let known = names.iter().find(|(_, id)| style == Style::List { numeric: false } && id == of.start());
        let value = match (of.start(), of.end(), known) {
            (first, last, _) if first != last => format!("{first}-{last}"),
            (.., Some((name, _))) => name.to_string(),
            (first, ..) => first.to_string(),
        };
        format!("{} {label} {value}", bang(*not))
    };
    let socket = socket.map_or(String::new(), |socket| {
        format!("{} {}", bang(socket.not), label("--socket-exists", "owner socket exists"))
    });
    socket
        + &ids(label("--uid-owner", "owner UID match"), uid, USERS)
        + &ids(label("--gid-owner", "owner GID match"), gid, GROUPS)
}
