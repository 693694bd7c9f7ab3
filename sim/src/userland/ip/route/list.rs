//! `ip route show` and `ip route flush`.

use super::super::Ip;
use super::super::args::{Args, Family, Stop};
use super::filter::Filter;
use super::listed::{Around, Listed};
use super::print::print;
use vethlab_engine::addr::{Address, Prefix};
use vethlab_engine::control::{Command, Errno, Refusal, RouteSpec, table};
use vethlab_engine::route::{Net, Rib};

/// A route, and what a deletion of it would say.
type Entry = (Listed, RouteSpec);

/// `ip route show …`
pub(super) fn show(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let filter = Filter::read(ip, &mut args)?;
    ip.print.begin();
    let all = match dump(ip, &filter) {
        Ok(all) => all,
        // Before there is any route table main may be missing, which is no news.
        Err(_) if filter.table == table::MAIN => Vec::new(),
        Err(refusal) => return Err(Stop::fail(2, format!("{refusal}\nDump terminated\n"))),
    };
    for (route, _) in all.iter().filter(|(route, _)| filter.takes(route)) {
        print(ip, &filter, route);
    }
    ip.print.end();
    Ok(())
}

/// `ip route flush …`: routes are listed and deleted until none is left.
pub(super) fn flush(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    /// The real one gives up after 30 seconds.
    const ROUNDS: u32 = 1000;
    if args.is_empty() {
        return Err(Stop::fail(1, "\"ip route flush\" requires arguments.\n"));
    }
    let filter = Filter::read(ip, &mut args)?;
    let statistics = ip.opts.stats > 0;
    if filter.cloned && filter.dump_family() != Family::Inet6 {
        ip.apply(Command::RouteCacheFlush)?;
        if statistics {
            ip.print.raw("*** IPv4 routing cache is flushed.\n");
        }
        if filter.dump_family() == Family::Inet {
            return Ok(());
        }
    }
    for round in 1..=ROUNDS {
        let all = dump(ip, &filter).map_err(|refusal| Stop::fail(2, format!("{refusal}\nFlush terminated\n")))?;
        let wanted: Vec<Entry> = all.into_iter().filter(|(route, _)| takes_for_flush(&filter, route)).collect();
        if wanted.is_empty() {
            complete(ip, &filter, round - 1);
            return Ok(());
        }
        if ip.opts.stats > 1 {
            wanted.iter().for_each(|(route, _)| print(ip, &filter, route));
        }
        delete(ip, &wanted)?;
        if statistics {
            ip.print.raw(&format!("\n*** Round {round}, deleting {} entries ***\n", wanted.len()));
            ip.print.flush();
        }
    }
    ip.print.raw("\n*** Flush not completed after 31 seconds, some entries remain ***\n");
    Err(Stop::fail(1, ""))
}

/// The kernel's own last route of IPv6 stays.
fn takes_for_flush(filter: &Filter, route: &Listed) -> bool {
    const UNREACHABLE: u8 = 7;
    let last = route.family == Family::Inet6
        && route.length == 0
        && route.kind == UNREACHABLE
        && route.metric == Some(u32::MAX);
    filter.takes(route) && !last
}

fn delete(ip: &Ip, wanted: &[Entry]) -> Result<(), Stop> {
    for (_, spec) in wanted {
        let deleted = ip.world().apply(ip.ns, Command::RouteDelete(spec.clone()));
        deleted
            .map_err(|refusal| Stop::fail(2, format!("Failed to send flush request: {}\n", refusal.errno.text())))?;
    }
    Ok(())
}

fn complete(ip: &mut Ip, filter: &Filter, rounds: u32) {
    if ip.opts.stats == 0 {
        return;
    }
    let nothing = rounds == 0 && (!filter.cloned || filter.dump_family() == Family::Inet6);
    let s = if rounds > 1 { "s" } else { "" };
    ip.print.raw(&match nothing {
        true => "Nothing to flush.\n".to_owned(),
        false => format!("*** Flush is complete after {rounds} round{s} ***\n"),
    });
    ip.print.flush();
}

/// What the kernel sends: a table's routes, or all of them, of one version or both; or what the path taught.
fn dump(ip: &Ip, filter: &Filter) -> Result<Vec<Entry>, Refusal> {
    let world = ip.world();
    let config = world.stack(ip.ns).config();
    let around = Around { now: world.now(), ports: &config.ports, sysctls: &config.sysctls };
    let family = filter.dump_family();
    let mut all = Vec::new();
    if matches!(family, Family::Unspec | Family::Inet) {
        let cache = || config.rib4.cache(Net::new(around.now, around.ports, around.sysctls));
        if filter.cloned {
            all.extend(cache().iter().map(|way| (Listed::way(way), RouteSpec::to(way.destination, way.length))));
        } else {
            of_rib(around, &config.rib4, filter.table, "ipv4", &mut all)?;
        }
    }
    if matches!(family, Family::Unspec | Family::Inet6) && !filter.cloned {
        of_rib(around, &config.rib6, filter.table, "ipv6", &mut all)?;
    }
    Ok(all)
}

fn of_rib<A: Address>(
    around: Around<'_>,
    rib: &Rib<A>,
    number: u32,
    module: &str,
    all: &mut Vec<Entry>,
) -> Result<(), Refusal> {
    let entry = |route| (Listed::route(around, route), Listed::spec(route));
    if number == 0 {
        all.extend(rib.routes().map(entry));
        return Ok(());
    }
    match rib.table(number) {
        Some(routes) => all.extend(routes.map(entry)),
        None => return Err(Refusal::because(Errno::NoEnt, format!("{module}: FIB table does not exist"))),
    }
    Ok(())
}

/// There is a route of this prefix, type of service and metric in the table.
pub(super) fn has(ip: &Ip, spec: &RouteSpec) -> bool {
    let world = ip.world();
    let config = world.stack(ip.ns).config();
    let number = spec.table.filter(|number| *number != 0).unwrap_or(table::MAIN);
    in_rib(&config.rib4, number, spec) || in_rib(&config.rib6, number, spec)
}

fn in_rib<A: Address>(rib: &Rib<A>, number: u32, spec: &RouteSpec) -> bool {
    let Some(address) = A::from_ip(spec.destination) else { return false };
    let (prefix, metric) = (Prefix::of(address, spec.length), spec.metric.unwrap_or(0));
    let same = |route: &vethlab_engine::route::Route<A>| {
        route.destination == prefix && route.tos == spec.tos && route.metric == metric
    };
    rib.table(number).is_some_and(|mut routes| routes.any(same))
}
