use super::*;
use vethlab_engine::addr::Prefix;
use vethlab_engine::control::RouteMetrics;
use vethlab_engine::route::{NextHop, RareRoute};
use vethlab_engine::seldom::Seldom;

fn route(address: [u8; 4], length: u8, gateway: Option<[u8; 4]>) -> Route<Ipv4Addr> {
    let hop = NextHop { gateway: gateway.map(Ipv4Addr::from), ..NextHop::on_link(2) };
    Route::new(Prefix::of(Ipv4Addr::from(address), length), hop)
}

fn lines(numeric: bool, extended: u32) -> String {
    let metrics = RouteMetrics { advmss: Some(1360), window: Some(2000), rtt: Some(2400), ..RouteMetrics::default() };
    let reject = |address, length| Route { kind: RouteKind::Unreachable, ..route(address, length, None) };
    let routes = [
        route([0, 0, 0, 0], 0, Some([10, 1, 0, 2])),
        route([10, 1, 0, 0], 24, None),
        Route { metric: 7, ..route([10, 4, 0, 1], 32, Some([10, 1, 0, 3])) },
        reject([10, 6, 0, 0], 16),
        reject([10, 6, 0, 1], 32),
        Route {
            rare: Seldom::of(RareRoute { metrics, ..RareRoute::default() }),
            ..route([10, 7, 0, 0], 16, Some([10, 1, 0, 3]))
        },
        Route { kind: RouteKind::Broadcast, ..route([10, 8, 0, 0], 16, None) },
        route([127, 0, 0, 0], 8, None),
    ];
    routes.iter().filter_map(|route| line(route, "v0", numeric, extended)).collect()
}

/// As route 2.10 prints these routes.
#[test]
fn lines_of_the_table() {
    assert_eq!(
        lines(false, 1),
        "\
default         10.1.0.2        0.0.0.0         UG    0      0        0 v0
10.1.0.0        0.0.0.0         255.255.255.0   U     0      0        0 v0
10.4.0.1        10.1.0.3        255.255.255.255 UGH   7      0        0 v0
10.6.0.0        -               255.255.0.0     !     0      -        0 -
10.6.0.1        -               255.255.255.255 !H    0      -        0 -
10.7.0.0        10.1.0.3        255.255.0.0     UG    0      0        0 v0
loopback        0.0.0.0         255.0.0.0       U     0      0        0 v0
"
    );
    assert!(lines(true, 1).starts_with("0.0.0.0         10.1.0.2        0.0.0.0         UG    0      0        0 v0\n"));
}

#[test]
fn extended_lines() {
    let second = lines(false, 2);
    assert!(second.starts_with("default         10.1.0.2        0.0.0.0         UG        0 0          0 v0\n"));
    let third = lines(false, 3);
    let mut third = third.lines().skip(3);
    let rejected = "10.6.0.0        -               255.255.0.0     !     0      -        0 -        -     -      -";
    assert_eq!(third.next(), Some(rejected));
    let measured = "10.7.0.0        10.1.0.3        255.255.0.0     UG    0      0        0 v0       1400  2000   300";
    assert_eq!(third.nth(1), Some(measured));
    assert_eq!(lines(false, 0), "", "four and more -e");
}
