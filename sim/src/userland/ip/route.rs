//! `ip route`, as iproute2's `iproute.c` has it.
//!
//! | file | is |
//! |---|---|
//! | `change` | `add`, `append`, `prepend`, `change`, `replace`, `del`: the words |
//! | `metric` | those of them that are metrics: `mtu`, `rtt`, … |
//! | `nexthop` | those behind `nexthop` |
//! | `spec` | from the words to what the kernel is asked |
//! | `words` | types, realms and times |
//! | `filter` | which routes are listed or flushed |
//! | `listed` | a route as the kernel tells it |
//! | `print` | how it is printed |
//! | `list` | `show` and `flush` |
//! | `get` | `get` |

mod change;
mod filter;
mod get;
mod list;
mod listed;
mod metric;
mod nexthop;
mod print;
mod spec;
mod words;

use super::Ip;
use super::args::{Args, Stop, matches};
use change::Change;
use vethlab_engine::control::RouteMode;
pub(super) use words::{ip_protocol, ip_protocol_name, realms, type_number};

/// The usage of `ip route`, and status 255.
pub(super) fn usage() -> Stop {
    Stop::quit(255, include_str!("usage/route.txt"))
}

/// `ip route …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] = &[
        "add", "change", "replace", "prepend", "append", "test", "delete", "list", "show", "lst", "get", "flush",
        "save", "restore", "showdump", "help",
    ];
    let Some(word) = args.next() else { return list::show(ip, args) };
    let command = COMMANDS.iter().copied().find(|command| matches(word, command));
    match command.or((word == "chg").then_some("change")) {
        Some("add") => change::run(ip, args, Change::Add(RouteMode::Add)),
        Some("change") => change::run(ip, args, Change::Add(RouteMode::Change)),
        Some("replace") => change::run(ip, args, Change::Add(RouteMode::Replace)),
        Some("prepend") => change::run(ip, args, Change::Add(RouteMode::Prepend)),
        Some("append") => change::run(ip, args, Change::Add(RouteMode::Append)),
        Some("test") => change::run(ip, args, Change::Test),
        Some("delete") => change::run(ip, args, Change::Delete),
        Some("list" | "show" | "lst") => list::show(ip, args),
        Some("get") => get::run(ip, args),
        Some("flush") => list::flush(ip, args),
        Some("help") => Err(usage()),
        Some(command) => Err(Stop::fail(1, format!("vethlab: ip route {command} is not simulated\n"))),
        None => Err(Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip route help\".\n"))),
    }
}
