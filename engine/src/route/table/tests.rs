use super::*;
use crate::addr::Ipv4Addr;
use crate::link::Ports;
use crate::route::NextHops;
use crate::route::reference::{Plain, PlainTable};
use crate::sysctl::Sysctls;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Insert(RouteMode, Plain<Ipv4Addr>),
    Remove(Prefix<Ipv4Addr>, u8, Option<u32>),
}

fn prefix() -> impl Strategy<Value = Prefix<Ipv4Addr>> {
    (0..16u32, prop::sample::select(vec![0, 8, 24, 28, 30, 31, 32]))
        .prop_map(|(low, length)| Prefix::of(Ipv4Addr::from_bits(0x0a00_0000 | low), length))
}

fn tos() -> impl Strategy<Value = u8> {
    prop::sample::select(vec![0, 0, 0, 4, 8])
}

fn step() -> impl Strategy<Value = Step> {
    let modes = [RouteMode::Add, RouteMode::Append, RouteMode::Prepend, RouteMode::Change, RouteMode::Replace];
    let route = (prefix(), tos(), 0..3u32, 1..4u32);
    let route = route.prop_map(|(prefix, tos, metric, way)| Plain { prefix, tos, metric, way });
    prop_oneof![
        3 => (prop::sample::select(modes.to_vec()), route).prop_map(|(mode, route)| Step::Insert(mode, route)),
        1 => (prefix(), tos(), prop::option::of(0..3u32)).prop_map(|(prefix, tos, metric)| Step::Remove(prefix, tos, metric)),
    ]
}

fn real(plain: Plain<Ipv4Addr>) -> Route<Ipv4Addr> {
    let way = NextHop { gateway: Some(Ipv4Addr::from_bits(plain.way)), ..NextHop::on_link(1) };
    let nexthops = NextHops::one(way);
    Route { tos: plain.tos, metric: plain.metric, nexthops, ..Route::new(plain.prefix, way) }
}

fn plain(route: &Route<Ipv4Addr>) -> Plain<Ipv4Addr> {
    let way = route.nexthops.first().gateway.map_or(0, |gateway| gateway.to_bits());
    Plain { prefix: route.destination, tos: route.tos, metric: route.metric, way }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Whatever is added, replaced and deleted: table and plain list refuse alike, list alike and find alike.
    #[test]
    fn agrees_with_the_plain_list(steps in prop::collection::vec(step(), 0..60)) {
        let (mut table, mut list) = (Table::new(crate::control::table::MAIN), PlainTable::new());
        let (ports, sysctls) = (Ports::new(), Sysctls::new());
        let net = Net::new(Time::ZERO, &ports, &sysctls);
        for step in steps {
            match step {
                Step::Insert(mode, route) => {
                    prop_assert_eq!(table.insert(real(route), mode).map(|_| ()), list.insert(route, mode));
                }
                Step::Remove(prefix, tos, metric) => {
                    let gone = table.remove(prefix, |r| r.tos == tos && metric.is_none_or(|m| m == r.metric));
                    prop_assert_eq!(gone.as_ref().map(plain), list.remove(prefix, tos, metric));
                }
            }
            prop_assert_eq!(table.listed(table.number).map(plain).collect::<Vec<_>>(), list.listed());
        }
        for low in 0..20 {
            for tos in [0, 4, 8, 16] {
                let address = Ipv4Addr::from_bits(0x0a00_0000 | low);
                let found = table.lookup(net, &Flow { tos, ..Flow::to(address) });
                prop_assert_eq!(found.ok().map(|answer| plain(answer.route)), list.lookup(address, tos));
            }
        }
    }
}

#[test]
fn local_can_be_split_off_main_and_nothing_is_lost() {
    let prefix = Prefix::host(Ipv4Addr::new(10, 0, 0, 1));
    let mut tree = Table::new(254);
    for table in [254, 255] {
        let route = Route { table, ..Route::new(prefix, NextHop::on_link(table)) };
        tree.insert(route, RouteMode::Add).expect("it is new in its table");
    }
    assert_eq!(
        tree.routes(prefix).iter().map(|route| route.table).collect::<Vec<_>>(),
        [255, 254],
        "local is asked first"
    );
    let local = tree.split(255);
    assert_eq!((tree.routes(prefix).len(), local.routes(prefix).len()), (1, 1));
    assert_eq!((tree.listed(254).count(), local.listed(255).count(), tree.listed(255).count()), (1, 1, 0));
}
