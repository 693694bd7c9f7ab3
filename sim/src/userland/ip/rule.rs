//! `ip rule`, as iproute2's `iprule.c` has it: which packets ask which table.
//!
//! | file | is |
//! |---|---|
//! | `change` | `add` and `del` |
//! | `filter` | which rules are listed or flushed |
//! | `print` | how a rule is printed |

mod change;
mod filter;
mod print;

use super::Ip;
use super::args::{Args, Family, Stop, matches, strtoul};
use filter::Filter;
use vethlab_engine::addr::{Address, IpAddr};
use vethlab_engine::control::{Command, Errno, Refusal, RuleAction, RuleSpec};
use vethlab_engine::route::{Rib, Rule};

/// The usage of `ip rule`, and status 255.
fn usage() -> Stop {
    Stop::quit(255, include_str!("usage/rule.txt"))
}

/// `ip rule …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    const COMMANDS: &[&str] = &["list", "lst", "show", "save", "restore", "add", "delete", "flush", "help"];
    let Some(word) = args.next() else { return list(ip, args) };
    match COMMANDS.iter().copied().find(|command| matches(word, command)) {
        Some("list" | "lst" | "show") => list(ip, args),
        Some("save") if !args.is_empty() => Err(Stop::fail(1, "\"ip rule save\" does not take any arguments.\n")),
        Some("add") => change::run(ip, args, true),
        Some("delete") => change::run(ip, args, false),
        Some("flush") => flush(ip, args),
        Some("help") => Err(usage()),
        Some(command) => Err(Stop::fail(1, format!("vethlab: ip rule {command} is not simulated\n"))),
        None => Err(Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip rule help\".\n"))),
    }
}

/// A rule of either version, as the kernel tells it.
type Listed = Rule<IpAddr>;

/// `Rule<A>` with addresses of no fixed version.
fn listed<A: Address>(rule: &Rule<A>) -> Listed {
    Rule {
        priority: rule.priority,
        invert: rule.invert,
        source: rule.source.to_ip(),
        source_length: rule.source_length,
        destination: rule.destination.to_ip(),
        destination_length: rule.destination_length,
        iif: rule.iif.clone(),
        oif: rule.oif.clone(),
        mark: rule.mark,
        mask: rule.mask,
        tos: rule.tos,
        ip_protocol: rule.ip_protocol,
        source_port: rule.source_port,
        destination_port: rule.destination_port,
        uid: rule.uid,
        suppress_prefix: rule.suppress_prefix,
        action: rule.action,
        protocol: rule.protocol,
    }
}

/// All rules of the family that is asked for, IPv4 unless said otherwise.
fn dump(ip: &Ip) -> Result<Vec<Listed>, Stop> {
    fn all<A: Address>(rib: &Rib<A>) -> Vec<Listed> {
        rib.rules().iter().map(listed).collect()
    }
    let world = ip.world();
    let config = world.stack(ip.ns).config();
    match ip.opts.family {
        Family::Inet | Family::Unspec => Ok(all(&config.rib4)),
        Family::Inet6 => Ok(all(&config.rib6)),
        _ => Err(Stop::fail(255, format!("{}\nDump terminated\n", Refusal::from(Errno::AfNoSupport)))),
    }
}

/// `ip rule show …`
fn list(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let filter = Filter::read(ip, &mut args)?;
    ip.print.begin();
    let all = dump(ip)?;
    for rule in all.iter().filter(|rule| filter.takes(rule)) {
        print::print(ip, rule, &all);
    }
    ip.print.end();
    Ok(())
}

/// `ip rule flush …`: all but those of priority 0.
fn flush(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let filter = Filter::read(ip, &mut args)?;
    ip.print.begin();
    let mut all = dump(ip)?;
    all.retain(|rule| rule.priority != 0 && filter.takes(rule) && filter.takes_protocol(rule));
    for rule in &all {
        let deleted = ip.world().apply(ip.ns, Command::RuleDelete(spec(rule)));
        deleted.map_err(|refusal| Stop::fail(255, format!("{refusal}\nDump terminated\n")))?;
    }
    ip.print.end();
    Ok(())
}

/// Exactly this rule, as a deletion asks for it.
fn spec(rule: &Listed) -> RuleSpec {
    RuleSpec {
        ipv6: rule.source.is_ipv6(),
        priority: Some(rule.priority),
        invert: rule.invert,
        source: (rule.source_length > 0).then_some((rule.source, rule.source_length)),
        destination: (rule.destination_length > 0).then_some((rule.destination, rule.destination_length)),
        iif: rule.iif.clone(),
        oif: rule.oif.clone(),
        mark: Some(rule.mark).filter(|mark| *mark != 0),
        mask: Some(rule.mask).filter(|mask| *mask != 0),
        tos: rule.tos,
        ip_protocol: rule.ip_protocol,
        source_port: rule.source_port,
        destination_port: rule.destination_port,
        uid: rule.uid,
        suppress_prefix: rule.suppress_prefix,
        action: Some(rule.action),
        protocol: rule.protocol,
    }
}

/// The table that a rule asks.
fn table_of(rule: &Listed) -> u32 {
    match rule.action {
        RuleAction::Table(table) => table,
        _ => 0,
    }
}

/// `sscanf("%u-%u")`: the numbers at the word's head, one or two.
fn range(word: &str) -> Option<(u32, Option<u32>)> {
    let (first, rest) = strtoul(word, 10)?;
    let second = rest.strip_prefix('-').and_then(|rest| strtoul(rest, 10));
    Some((first as u32, second.map(|(second, _)| second as u32)))
}

/// A range of ports, one of a single one; only the low bits of a number count, as `struct fib_rule_port_range` has them.
fn ports(word: &str) -> Option<(u16, u16)> {
    let (first, last) = range(word)?;
    Some((first as u16, last.unwrap_or(first) as u16))
}
