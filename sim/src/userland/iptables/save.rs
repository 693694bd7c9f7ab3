//! Rules as `-S` and `iptables-save` print them.

use super::address::{mask_saved, protocol_name};
use super::extension::Style;
use super::{matches, targets};
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::filter::{Not, Rule, Target};

/// Where a rule's counters go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counters {
    /// Nowhere.
    No,
    /// `[1:84] ` before it: `iptables-save -c`.
    Before,
    /// `-c 1 84` in it: `-S -v`.
    Inside,
}

/// `xtables_save_string`: a word, in quotes unless it is plain.
pub(super) fn quoted(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return text.to_string();
    }
    let mut out = String::from("\"");
    for letter in text.chars() {
        if matches!(letter, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(letter);
    }
    out + "\""
}

/// `-A CHAIN …`, with its newline.
pub(super) fn rule(chain: &str, rule: &Rule, counters: Counters) -> String {
    let (packets, bytes) = (rule.counters.packets, rule.counters.bytes);
    let mut line = match counters {
        Counters::Before => format!("[{packets}:{bytes}] "),
        _ => String::new(),
    };
    line += &format!("-A {chain}");
    line += &head(rule);
    for of in &rule.matches {
        line += &format!(" -m {}{}", matches::name(of), matches::shown(rule, of, Style::Save));
    }
    if counters == Counters::Inside {
        line += &format!(" -c {packets} {bytes}");
    }
    if let Some(target) = &rule.target {
        let option = if matches!(target, Target::Goto(_)) { 'g' } else { 'j' };
        line += &format!(" -{option} {}{}", targets::names(target).0, targets::shown(target, Style::Save));
    }
    line + "\n"
}

/// What every rule may have: addresses, interfaces, protocol, fragments.
fn head(rule: &Rule) -> String {
    let ip = &rule.ip;
    let address = |letter, of: Option<Not<(Ipv4Addr, Ipv4Addr)>>| {
        of.map_or(String::new(), |Not { not, of: (address, mask) }| {
            format!("{} -{letter} {address}/{}", matches::bang(not), mask_saved(mask))
        })
    };
    let interface = |letter, of: Option<&Not<String>>| {
        of.map_or(String::new(), |of| format!("{} -{letter} {}", matches::bang(of.not), of.of))
    };
    let protocol = ip.protocol.map_or(String::new(), |Not { not, of }| {
        let name = protocol_name(of, true).map_or_else(|| of.to_string(), str::to_string);
        format!("{} -p {name}", matches::bang(not))
    });
    let fragment = ip.fragment.map_or(String::new(), |of| format!("{} -f", matches::bang(of.not)));
    address('s', ip.source)
        + &address('d', ip.destination)
        + &interface('i', ip.in_interface.as_ref())
        + &interface('o', ip.out_interface.as_ref())
        + &protocol
        + &fragment
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_when_they_must() {
        assert_eq!((quoted("dns"), quoted("a b"), quoted("")), ("dns".into(), "\"a b\"".into(), "\"\"".into()));
        assert_eq!(quoted("it's \"\\"), "\"it\\'s \\\"\\\\\"");
    }
}
