//! How a route is printed (`print_route`).

use super::super::Ip;
use super::super::args::Family;
use super::super::names::{dsfield_name, protocol_name, realm_name, scope_name, table_name};
use super::super::print::{Color, Print};
use super::filter::Filter;
use super::listed::{Hop, Listed, rtm};
use super::metric::{rtax, slot};
use super::words::type_name;
use crate::userland::number::general;
use vethlab_engine::addr::IpAddr;
use vethlab_engine::control::{RouteMetrics, protocol, scope, table};
use vethlab_engine::route::rtcf;

/// `RTN_UNICAST`
const UNICAST: u8 = 1;

/// Prints a route, without what the filter asked for.
pub(super) fn print(ip: &mut Ip, filter: &Filter, route: &Listed) {
    ip.print.open_object();
    head(ip, filter, route);
    properties(ip, filter, route);
    let statistics = ip.opts.stats > 0;
    let print = &mut ip.print;
    flags(print, route.flags);
    mark(print, route.mark);
    if let Some(realms) = route.realms.filter(|_| filter.realms.is_none_or(|(_, mask)| mask != u32::MAX)) {
        flow(print, realms, ip.opts.numeric);
    }
    if let Some(uid) = route.uid {
        print.number("uid", "uid {} ", uid);
    }
    if route.family == Family::Inet && route.flags & rtm::CLONED != 0 {
        cache_flags(print, route.flags);
    }
    cache_info(print, route, statistics);
    metrics(print, route.metrics);
    if let Some(iif) = route.iif {
        device(ip, "iif", iif);
    }
    if let Some(preference) = route.preference {
        preferred(&mut ip.print, preference);
    }
    if !route.hops.is_empty() {
        nexthops(ip, route);
    }
    ip.print.text("\n");
    ip.print.close_object();
    ip.print.flush();
}

fn color(address: IpAddr) -> Color {
    if address.is_ipv4() { Color::Inet } else { Color::Inet6 }
}

/// Type, destination, gateway and device.
fn head(ip: &mut Ip, filter: &Filter, route: &Listed) {
    let (numeric, details) = (ip.opts.numeric, ip.opts.details);
    let bits = route.family.bits();
    let print = &mut ip.print;
    if route.kind != UNICAST || details {
        print.string("type", "{} ", &type_name(route.kind, numeric));
    }
    let text = match route.destination {
        Some(address) if route.length != bits => format!("{address}/{}", route.length),
        Some(address) => address.to_string(),
        None if route.length > 0 => format!("0/{} ", route.length),
        None => "default".to_owned(),
    };
    print.string_in(route.destination.map_or(Color::None, color), "dst", "{} ", &text);
    if let Some(source) = route.source {
        print.string_in(color(source), "from", "from {} ", &source.to_string());
    }
    if route.tos != 0 && filter.tos.is_none() {
        print.string("tos", "tos {} ", &dsfield_name(route.tos, numeric));
    }
    if let Some(address) = route.gateway.filter(|_| !Filter::is_whole(filter.via, route.family)) {
        gateway(print, address);
    }
    if let Some(oif) = route.oif.filter(|_| filter.oif.is_none()) {
        device(ip, "dev", oif);
    }
}

/// Table, protocol, scope, source and metric.
fn properties(ip: &mut Ip, filter: &Filter, route: &Listed) {
    let (numeric, details) = (ip.opts.numeric, ip.opts.details);
    let print = &mut ip.print;
    if route.table != 0 && (route.table != table::MAIN || details) && filter.table == 0 {
        print.string("table", "table {} ", &table_name(route.table, numeric));
    }
    if route.flags & rtm::CLONED == 0 {
        if (route.protocol != protocol::BOOT || details) && filter.protocol.is_none() {
            print.string("protocol", "proto {} ", &protocol_name(route.protocol, numeric));
        }
        if (route.scope != scope::UNIVERSE || details) && filter.scope.is_none() {
            print.string("scope", "scope {} ", &scope_name(route.scope, numeric));
        }
    }
    if let Some(source) = route.prefsrc.filter(|_| !Filter::is_whole(filter.prefsrc, route.family)) {
        print.text("src ");
        print.string_in(color(source), "prefsrc", "{} ", &source.to_string());
    }
    if let Some(metric) = route.metric.filter(|_| filter.metric.is_none()) {
        print.number("metric", "metric {} ", metric);
    }
}

fn gateway(print: &mut Print, address: IpAddr) {
    print.text("via ");
    print.string_in(color(address), "gateway", "{} ", &address.to_string());
}

/// `print_rta_ifidx()`
fn device(ip: &mut Ip, key: &str, index: u32) {
    let name = ip.name_of(index);
    ip.print.text(&format!("{key} "));
    ip.print.string_in(Color::IfName, key, "{} ", &name);
}

/// `print_rt_flags()`
fn flags(print: &mut Print, flags: u32) {
    const NAMES: &[(u32, &str)] = &[
        (rtm::DEAD, "dead"),
        (rtm::ONLINK, "onlink"),
        (rtm::NOTIFY, "notify"),
        (rtm::LINKDOWN, "linkdown"),
        (rtm::OFFLOAD_FAILED, "rt_offload_failed"),
    ];
    print.open_array("flags", "");
    for (_, name) in NAMES.iter().filter(|(bit, _)| flags & bit != 0) {
        print.element("{} ", name);
    }
    print.close_array("");
}

fn mark(print: &mut Print, mark: u32) {
    if mark == 0 {
        return;
    }
    print.json_number("mark", mark);
    print.text(&if mark >= 16 { format!("mark {mark:#x} ") } else { format!("mark {mark} ") });
}

/// `print_rta_flow()`
fn flow(print: &mut Print, realms: u32, numeric: bool) {
    let (from, to) = (realms >> 16, realm_name(realms & 0xffff, numeric));
    print.open_object_named("flow");
    print.text(if from != 0 { "realms " } else { "realm " });
    if from != 0 {
        print.string("from", "{}/", &realm_name(from, numeric));
    }
    print.string("to", "{} ", &to);
    print.close_object();
}

/// `print_cache_flags()`
fn cache_flags(print: &mut Print, flags: u32) {
    const NAMES: &[(u32, &str)] = &[
        (rtcf::LOCAL, "local"),
        (rtcf::REJECT, "reject"),
        (rtcf::MULTICAST, "mc"),
        (rtcf::BROADCAST, "brd"),
        (rtcf::REDIRECTED, "redirected"),
        (rtcf::DOREDIRECT, "redirect"),
        (rtcf::NOTIFY, "notify"),
    ];
    let names: Vec<&str> = NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    print.nl();
    print.text("    cache ");
    if !names.is_empty() {
        print.text(&format!("<{}> ", names.join(",")));
    }
    if print.is_json() {
        print.open_array("cache", "");
        names.iter().for_each(|name| print.element("", name));
        print.close_array("");
    }
}

/// `print_rta_cacheinfo()`
fn cache_info(print: &mut Print, route: &Listed, statistics: bool) {
    if let Some(expires) = route.expires {
        print.number("expires", "expires {}sec ", expires);
    }
    if route.error != 0 {
        print.number("error", "error {} ", route.error as u32);
    }
    if statistics && route.users != 0 {
        print.number("users", "users {} ", route.users);
    }
}

/// `print_rta_metrics()`: those that are set or locked, by their numbers.
fn metrics(print: &mut Print, mut metrics: RouteMetrics) {
    let locked = metrics.locked | u32::from(metrics.mtu_lock) << rtax::MTU;
    let shown: Vec<(u32, u32)> = (rtax::MTU..=rtax::FASTOPEN_NO_COOKIE)
        .filter_map(|number| {
            let value = slot(&mut metrics, number).and_then(|slot| slot.filter(|value| *value != 0));
            let named = number == rtax::CC_ALGO && metrics.congctl.is_some();
            let shown = value.is_some() || named || number != rtax::CC_ALGO && locked & 1 << number != 0;
            shown.then_some((number, value.unwrap_or(0)))
        })
        .collect();
    if shown.is_empty() && locked == 0 {
        return;
    }
    print.open_array("metrics", "");
    print.open_object();
    for (number, value) in shown {
        print.text(&format!("{} ", metric_name(number)));
        if locked & 1 << number != 0 {
            print.text("lock ");
        }
        metric(print, number, value, metrics.congctl);
    }
    print.close_object();
    print.close_array("");
}

/// `mx_names`
fn metric_name(number: u32) -> &'static str {
    const NAMES: [&str; 16] = [
        "mtu",
        "window",
        "rtt",
        "rttvar",
        "ssthresh",
        "cwnd",
        "advmss",
        "reordering",
        "hoplimit",
        "initcwnd",
        "features",
        "rto_min",
        "initrwnd",
        "quickack",
        "congctl",
        "fastopen_no_cookie",
    ];
    number.checked_sub(rtax::MTU).and_then(|at| NAMES.get(at as usize)).copied().unwrap_or("")
}

fn metric(print: &mut Print, number: u32, value: u32, algorithm: Option<&str>) {
    let time = match number {
        rtax::RTT => value / 8,
        rtax::RTTVAR => value / 4,
        _ => value,
    };
    match number {
        rtax::FEATURES => {
            if value & 1 != 0 {
                print.null("ecn", "ecn ");
            }
            if value & !1 != 0 {
                print.hex("features", "{} ", value.into());
            }
        }
        rtax::CC_ALGO => print.string("congestion", "{} ", algorithm.unwrap_or("")),
        rtax::RTT | rtax::RTTVAR | rtax::RTO_MIN => {
            print.json_number(metric_name(number), time);
            let seconds = || format!("{}s ", general(f64::from(time) / 1e3));
            print.text(&if time >= 1000 { seconds() } else { format!("{time}ms ") });
        }
        _ => print.number(metric_name(number), "{} ", value),
    }
}

/// `print_rt_pref()`
fn preferred(print: &mut Print, preference: u8) {
    match preference {
        0 => print.string("pref", "pref {}", "medium"),
        1 => print.string("pref", "pref {}", "high"),
        3 => print.string("pref", "pref {}", "low"),
        other => print.number("pref", "{}", other),
    }
}

/// `print_rta_multipath()`
fn nexthops(ip: &mut Ip, route: &Listed) {
    ip.print.open_array("nexthops", "");
    for Hop { gateway: address, oif, weight, flags: of } in route.hops.iter().copied() {
        let name = ip.name_of(oif);
        let print = &mut ip.print;
        print.open_object();
        print.nl();
        print.text("\tnexthop ");
        if let Some(address) = address {
            gateway(print, address);
        }
        print.string("dev", "dev {} ", &name);
        print.number("weight", "weight {} ", weight);
        flags(print, of);
        print.close_object();
    }
    ip.print.close_array("");
}

#[cfg(test)]
mod tests;
