//! Rules as `-L` prints them, and as `-v` does what it has changed.

use super::address::{listed, protocol_name};
use super::extension::Style;
use super::{matches, targets};
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::filter::{Chain, Not, Rule, RuleCounters, Target};

/// How a listing looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Format {
    /// `-n`
    pub(super) numeric: bool,
    /// `-v`: counters and interfaces.
    pub(super) verbose: bool,
    /// `-x`
    pub(super) exact: bool,
    /// `--line-numbers`
    pub(super) line_numbers: bool,
}

/// `xtables_print_num`, without its place: 100000 is 100K unless all digits are wanted.
fn scaled(mut number: u64, exact: bool) -> (u64, &'static str) {
    if exact || number <= 99_999 {
        return (number, "");
    }
    for unit in ["K", "M", "G"] {
        number = number.saturating_add(500) / 1000;
        if number <= 9999 {
            return (number, unit);
        }
    }
    (number.saturating_add(500) / 1000, "T")
}

/// A number in its column, with a blank behind it.
fn number(number: u64, exact: bool) -> String {
    match scaled(number, exact) {
        (number, "") if exact => format!("{number:8} "),
        (number, "") => format!("{number:5} "),
        (number, unit) => format!("{number:4}{unit} "),
    }
}

/// `Chain INPUT (policy ACCEPT)` and the columns' names. `references` are the rules that jump to it.
pub(super) fn header(chain: &Chain, references: usize, format: Format) -> String {
    let RuleCounters { packets, bytes } = chain.counters;
    let plain = |count| {
        let (count, unit) = scaled(count, format.exact);
        format!("{count}{unit}")
    };
    let mut text = format!("Chain {} ", chain.name);
    text += &match chain.policy {
        None => format!("({references} references)\n"),
        Some(accepts) => {
            let counted = format!(" {} packets, {} bytes", plain(packets), plain(bytes));
            let policy = if accepts { "ACCEPT" } else { "DROP" };
            format!("(policy {policy}{})\n", if format.verbose { &counted } else { "" })
        }
    };
    if format.line_numbers {
        text += "num  ";
    }
    text += match (format.verbose, format.exact) {
        (false, _) => "",
        (true, false) => " pkts bytes ",
        (true, true) => "    pkts      bytes ",
    };
    text += "target     prot opt";
    if format.verbose {
        text += " in     out    ";
    }
    text + " source               destination         \n"
}

/// The letters of fragments: `--`, `-f`, `!f`.
fn fragment(rule: &Rule) -> &'static str {
    match rule.ip.fragment {
        None => "--",
        Some(Not { not: false, .. }) => "-f",
        Some(Not { not: true, .. }) => "!f",
    }
}

fn mark(not: bool) -> char {
    if not { '!' } else { ' ' }
}

fn interface(of: Option<&Not<String>>, any: &str) -> String {
    of.map_or(any.to_string(), |of| format!("{}{}", if of.not { "!" } else { "" }, of.of))
}

fn address(of: Option<Not<(Ipv4Addr, Ipv4Addr)>>, numeric: bool) -> (char, String) {
    let Not { not, of } = of.unwrap_or(Not { not: false, of: (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED) });
    (mark(not), listed(of, numeric))
}

/// What stands behind the columns.
fn details(rule: &Rule, numeric: bool) -> String {
    let style = Style::List { numeric };
    let goto = if matches!(rule.target, Some(Target::Goto(_))) { "[goto] " } else { "" };
    let matches: String = rule.matches.iter().map(|of| matches::shown(rule, of, style)).collect();
    let target = rule.target.as_ref().map_or(String::new(), |target| targets::shown(target, style));
    format!("{goto}{matches}{target}\n")
}

/// A line of `-L`.
pub(super) fn line(rule: &Rule, place: usize, format: Format) -> String {
    let mut text = if format.line_numbers { format!("{place:<4} ") } else { String::new() };
    if format.verbose {
        text += &number(rule.counters.packets, format.exact);
        text += &number(rule.counters.bytes, format.exact);
    }
    let target = rule.target.as_ref().map_or("", |target| targets::names(target).1);
    let Not { not, of: protocol } = rule.ip.protocol.unwrap_or(Not { not: false, of: 0 });
    let name = protocol_name(protocol, true).filter(|_| !format.numeric);
    let name = name.map_or_else(|| protocol.to_string(), str::to_string);
    text += &format!("{target:<9} {}{name:<4} {} ", mark(not), fragment(rule));
    if format.verbose {
        let any = if format.numeric { "*" } else { "any" };
        let input = interface(rule.ip.in_interface.as_ref(), any);
        let output = interface(rule.ip.out_interface.as_ref(), any);
        text += &format!(" {input:<6} {output:<6} ");
    }
    let (not_source, source) = address(rule.ip.source, format.numeric);
    let (not_destination, destination) = address(rule.ip.destination, format.numeric);
    text += &format!("{not_source}{source:<19} {not_destination}{destination:<19} ");
    text + &details(rule, format.numeric)
}

/// What `-A -v` and its like print: no columns, but words.
pub(super) fn changed(rule: &Rule) -> String {
    let target = rule.target.as_ref().map_or("", |target| targets::names(target).1);
    let Not { not, of: protocol } = rule.ip.protocol.unwrap_or(Not { not: false, of: 0 });
    let name = protocol_name(protocol, false).map_or_else(|| protocol.to_string(), str::to_string);
    let input = interface(rule.ip.in_interface.as_ref(), "*");
    let output = interface(rule.ip.out_interface.as_ref(), "*");
    let (not_source, source) = address(rule.ip.source, true);
    let (not_destination, destination) = address(rule.ip.destination, true);
    format!(
        "{target} {}{name} opt {} in {input} out {output} {not_source}{source} {not_destination}-> {destination}  {}",
        mark(not),
        fragment(rule),
        details(rule, true)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_their_columns() {
        for (count, exact, text) in [
            (0, false, "    0 "),
            (99_999, false, "99999 "),
            (100_000, false, " 100K "),
            (9_999_499, false, "9999K "),
            (9_999_500, false, "  10M "),
            (u64::MAX, false, "18446744T "),
            (100_000, true, "  100000 "),
        ] {
            assert_eq!(number(count, exact), text);
        }
    }
}
