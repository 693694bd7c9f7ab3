//! `-j LOG`

use super::super::extension::{Call, Opt, Style, TargetExtension, Value, fine, of};
use super::super::read::whole;
use super::super::save::quoted;
use super::super::stop::Problem;
use vethlab_engine::filter::Target;

const LEVEL: u8 = 6;
const PREFIX: u8 = 7;

/// Flags by their bits: the options' numbers.
const FLAGS: &[(u8, &str)] =
    &[(0, "tcp-sequence"), (1, "tcp-options"), (2, "ip-options"), (3, "uid"), (5, "macdecode")];

pub(super) const LOG: TargetExtension = TargetExtension {
    name: "LOG",
    options: &[
        Opt::new("log-level", LEVEL, level),
        Opt::new("log-prefix", PREFIX, prefix),
        Opt::bare("log-tcp-sequence", 0),
        Opt::bare("log-tcp-options", 1),
        Opt::bare("log-ip-options", 2),
        Opt::bare("log-uid", 3),
        Opt::bare("log-macdecode", 5),
    ],
    old: false,
    check: fine,
    build: |seen| {
        let prefix = of(seen, PREFIX).map_or("", |seen| seen.text());
        Target::Log {
            level: of(seen, LEVEL).map_or(WARNING, |seen| seen.byte()),
            prefix: prefix[..prefix.floor_char_boundary(ROOM - 1)].to_string(),
            flags: seen.iter().filter(|seen| seen.id < LEVEL).fold(0, |flags, seen| flags | 1 << seen.id),
        }
    },
    help: include_str!("../help/target_LOG.txt"),
};

/// What fits into a prefix, with the zero at its end.
const ROOM: usize = 30;
const WARNING: u8 = 4;

fn level(call: &mut Call<'_>) -> Result<Value, Problem> {
    const NAMES: &[(&str, u64)] = &[
        ("alert", 1),
        ("crit", 2),
        ("debug", 7),
        ("emerg", 0),
        ("error", 3),
        ("info", 6),
        ("notice", 5),
        ("panic", 0),
        ("warning", 4),
    ];
    let named = || NAMES.iter().find(|(name, _)| *name == call.arg).map(|(_, level)| *level);
    let level = whole(call.arg, 0, 7).or_else(named);
    level.map(Value::Number).ok_or_else(|| Problem::Parameter(format!("log level \"{}\" unknown\n", call.arg)))
}

fn prefix(call: &mut Call<'_>) -> Result<Value, Problem> {
    if call.arg.is_empty() {
        return Err(Problem::parameter("Argument must have a minimum length of 1 characters\n"));
    }
    if call.arg.contains('\n') {
        return Err(Problem::parameter("Newlines not allowed in --log-prefix"));
    }
    Ok(Value::Text(call.arg.to_string()))
}

pub(super) fn shown(level: u8, prefix: &str, flags: u8, style: Style) -> String {
    const NAMES: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
    let words = |before: &str| -> String {
        let set = FLAGS.iter().filter(|(bit, _)| flags & 1 << bit != 0);
        set.map(|(_, name)| format!(" {before}{name}")).collect()
    };
    if style == Style::Save {
        let prefix = if prefix.is_empty() { String::new() } else { format!(" --log-prefix {}", quoted(prefix)) };
        let level = if level == WARNING { String::new() } else { format!(" --log-level {level}") };
        return format!("{prefix}{level}{}", words("--log-"));
    }
    let prefix = if prefix.is_empty() { String::new() } else { format!(" prefix \"{prefix}\"") };
    match NAMES.get(usize::from(level)).filter(|_| style == Style::List { numeric: false }) {
        Some(name) => format!(" LOG level {name}{}{prefix}", words("")),
        None => format!(" LOG flags {flags} level {level}{prefix}"),
    }
}
