//! How a rule is printed (`print_rule`).

use super::super::Ip;
use super::super::names::{dsfield_name, protocol_name, table_name};
use super::super::print::{Color, Print};
use super::super::route::ip_protocol_name;
use super::Listed;
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::{RuleAction, protocol};

/// Prints a rule. `all` tells if the target of a `goto` is there.
pub(super) fn print(ip: &mut Ip, rule: &Listed, all: &[Listed]) {
    let (numeric, details) = (ip.opts.numeric, ip.opts.details);
    let detached = [&rule.iif, &rule.oif].map(|name| {
        let world = ip.world();
        name.as_ref().is_some_and(|name| world.stack(ip.ns).ports().named(name).is_none())
    });
    let print = &mut ip.print;
    print.open_object();
    print.number("priority", "{}:\t", rule.priority);
    if rule.invert {
        print.null("not", "not ");
    }
    if rule.source_length == 0 {
        print.string("src", "from {}", "all");
    } else {
        print.text("from ");
        prefix(print, ("src", "srclen"), rule.source, rule.source_length);
    }
    if rule.destination_length != 0 {
        print.text(" to ");
        prefix(print, ("dst", "dstlen"), rule.destination, rule.destination_length);
    }
    if rule.tos != 0 {
        print.string("tos", " tos {}", &dsfield_name(rule.tos, numeric));
    }
    mark(print, rule);
    link(print, "iif", rule.iif.as_deref(), detached[0]);
    link(print, "oif", rule.oif.as_deref(), detached[1]);
    transport(print, rule, numeric);
    action(print, rule, all, numeric);
    if !matches!(rule.protocol, protocol::UNSPEC | protocol::KERNEL) || details {
        print.string("protocol", " proto {}", &protocol_name(rule.protocol, numeric));
    }
    print.text("\n");
    print.close_object();
    print.flush();
}

fn prefix(print: &mut Print, (key, length_key): (&str, &str), address: IpAddr, length: u8) {
    let (color, bits) = if address.is_ipv4() { (Color::Inet, 32) } else { (Color::Inet6, 128) };
    print.string_in(color, key, "{}", &address.to_string());
    if length != bits {
        print.number(length_key, "/{}", length);
    }
}

fn mark(print: &mut Print, rule: &Listed) {
    if rule.mark == 0 && rule.mask == 0 {
        return;
    }
    print.hex("fwmark", " fwmark {}", rule.mark.into());
    if rule.mask != u32::MAX {
        print.hex("fwmask", "/{}", rule.mask.into());
    }
}

fn link(print: &mut Print, key: &str, name: Option<&str>, detached: bool) {
    let Some(name) = name else { return };
    print.text(&format!(" {key} "));
    print.string_in(Color::IfName, key, "{}", name);
    if detached {
        print.null(&format!("{key}_detached"), " [detached]");
    }
}

fn transport(print: &mut Print, rule: &Listed, numeric: bool) {
    if let Some((first, last)) = rule.uid {
        print.number("uid_start", " uidrange {}", first);
        print.number("uid_end", "-{}", last);
    }
    if rule.ip_protocol != 0 {
        let name = if numeric { None } else { ip_protocol_name(rule.ip_protocol) };
        let name = name.map_or_else(|| format!("ipproto-{}", rule.ip_protocol), str::to_owned);
        print.string("ipproto", " ipproto {}", &name);
    }
    for (key, range) in [("sport", rule.source_port), ("dport", rule.destination_port)] {
        match range {
            Some((port, last)) if port == last => print.number(key, &format!(" {key} {{}}"), port),
            Some((first, last)) => {
                print.number(&format!("{key}_start"), &format!(" {key} {{}}"), first);
                print.number(&format!("{key}_end"), "-{}", last);
            }
            None => {}
        }
    }
}

fn action(print: &mut Print, rule: &Listed, all: &[Listed], numeric: bool) {
    match rule.action {
        RuleAction::Table(table) => {
            print.string("table", " lookup {}", &table_name(table, numeric));
            if let Some(length) = rule.suppress_prefix {
                print.number("suppress_prefixlen", " suppress_prefixlength {}", length as i32);
            }
        }
        RuleAction::Goto(target) => {
            print.number("goto", " goto {}", target);
            if !all.iter().any(|rule| rule.priority == target) {
                print.null("unresolved", " [unresolved]");
            }
        }
        RuleAction::Nop => print.null("nop", " nop"),
        RuleAction::Blackhole => named(print, "blackhole", 6, numeric),
        RuleAction::Unreachable => named(print, "unreachable", 7, numeric),
        RuleAction::Prohibit => named(print, "prohibit", 8, numeric),
    }
}

fn named(print: &mut Print, name: &str, number: u8, numeric: bool) {
    let number = number.to_string();
    print.string("action", " {}", if numeric { &number } else { name });
}
