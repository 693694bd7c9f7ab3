use super::*;
use crate::addr::Ipv4Addr;
use crate::control::scope;
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
    let way = NextHop { gateway: Some(Ipv4Addr::from_bits(plain.way)), scope: scope::LINK, ..NextHop::on_link(1) };
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
        // Some change where they lead to, as when links come and go.
        table.retain(
            |route| {
                route.nexthops[0].linkdown ^= route.metric == 2;
                route.nexthops[0].oif += u32::from(route.tos == 0);
                true
            },
            |_| {},
        );
        let mut hops = [None; 256];
        for low in 0..20 {
            for tos in [0, 4, 8, 16] {
                let address = Ipv4Addr::from_bits(0x0a00_0000 | low);
                let found = table.lookup(net, &Flow { tos, ..Flow::to(address) });
                if let hop @ 1.. = table.hop_towards(address) {
                    let nexthop = found.expect("a hop").nexthop;
                    prop_assert_eq!(hops[usize::from(hop)].get_or_insert(*nexthop), nexthop);
                }
                prop_assert_eq!(found.ok().map(|answer| plain(answer.route)), list.lookup(address, tos));
            }
        }
    }
}

/// The same router is the same hop, however many prefixes lead there; what more there is to a way than a router is none.
#[test]
fn prefixes_share_their_hops() {
    let mut table = Table::new(254);
    let route = |number: u32, way: u32| Plain {
        prefix: Prefix::of(Ipv4Addr::from_bits(number << 8), 24),
        tos: 0,
        metric: 0,
        way,
    };
    for number in 1..=200 {
        table.insert(real(route(number, number % 3 + 1)), RouteMode::Add).expect("it is new");
        for other in 1..=number {
            let address = Ipv4Addr::from_bits(other << 8 | 7);
            assert_eq!(u32::from(table.hop_towards(address)), [3, 1, 2][(other % 3) as usize], "{address} of {number}");
        }
    }
    let at = |number: u32| Ipv4Addr::from_bits(number << 8 | 7);
    assert_eq!(table.hop_towards(at(300)), 0, "no route");
    table.insert(Route { tos: 8, ..real(route(5, 1)) }, RouteMode::Add).expect("it is new");
    table.insert(Route { kind: RouteKind::Blackhole, ..real(route(6, 1)) }, RouteMode::Replace).expect("it is there");
    let on_link = Route::new(route(7, 0).prefix, NextHop::on_link(1));
    table.insert(on_link, RouteMode::Replace).expect("it is there");
    assert_eq!([5, 6, 7].map(|number| table.hop_towards(at(number))), [0; 3]);
    table.remove(route(5, 1).prefix, |route| route.tos == 8).expect("it is there");
    assert_eq!(table.hop_towards(at(5)), 2);
    for number in 0..300 {
        table.insert(real(route(1000 + number, 1000 + number)), RouteMode::Add).expect("it is new");
    }
    assert_eq!((table.hop_towards(at(1000)), table.hop_towards(at(1122)), table.hop_towards(at(1123))), (4, 126, 0));
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
