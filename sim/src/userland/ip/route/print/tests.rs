use super::super::super::print::Style;
use super::*;

fn printed(style: Style, show: impl Fn(&mut Print)) -> String {
    let mut print = Print::new(style);
    print.begin();
    print.open_object();
    show(&mut print);
    print.close_object();
    print.end();
    print.take().into_iter().map(|(_, text)| text).collect()
}

fn plain(show: impl Fn(&mut Print)) -> String {
    printed(Style::default(), show)
}

fn json(show: impl Fn(&mut Print)) -> String {
    printed(Style { json: true, ..Style::default() }, show)
}

/// What the kernel tells of `mtu lock 1400 rtt 100 rttvar 50ms rto_min 5s hoplimit 7 features ecn congctl reno`.
fn some_metrics() -> RouteMetrics {
    RouteMetrics {
        mtu: Some(1400),
        mtu_lock: true,
        rtt: Some(100),
        rttvar: Some(200),
        rto_min: Some(5000),
        hoplimit: Some(7),
        features: Some(1),
        congctl: Some("reno"),
        locked: 1 << rtax::RTO_MIN,
        ..RouteMetrics::default()
    }
}

#[test]
fn metrics_in_the_order_of_their_numbers() {
    assert_eq!(
        plain(|print| metrics(print, some_metrics())),
        "mtu lock 1400 rtt 12ms rttvar 50ms hoplimit 7 features ecn rto_min lock 5s congctl reno "
    );
    assert_eq!(
        json(|print| metrics(print, some_metrics())),
        "[{\"metrics\":[{\"mtu\":1400,\"rtt\":12,\"rttvar\":50,\"hoplimit\":7,\"ecn\":null,\"rto_min\":5000,\
         \"congestion\":\"reno\"}]}]\n"
    );
    let zero = RouteMetrics { mtu: Some(0), mtu_lock: true, window: Some(0), ..RouteMetrics::default() };
    assert_eq!(plain(|print| metrics(print, zero)), "mtu lock 0 ");
    assert_eq!(plain(|print| metrics(print, RouteMetrics::default())), "");
}

#[test]
fn flags_of_routes_and_of_the_cache() {
    assert_eq!(plain(|print| flags(print, rtm::DEAD | rtm::LINKDOWN | rtm::ONLINK)), "dead onlink linkdown ");
    assert_eq!(json(|print| flags(print, rtm::LINKDOWN)), "[{\"flags\":[\"linkdown\"]}]\n");
    assert_eq!(json(|print| flags(print, 0)), "[{\"flags\":[]}]\n");
    let broadcast = rtcf::LOCAL | rtcf::BROADCAST | rtm::CLONED;
    assert_eq!(plain(|print| cache_flags(print, broadcast)), "\n    cache <local,brd> ");
    assert_eq!(plain(|print| cache_flags(print, rtm::CLONED)), "\n    cache ");
    assert_eq!(json(|print| cache_flags(print, broadcast)), "[{\"cache\":[\"local\",\"brd\"]}]\n");
}

#[test]
fn realms_and_marks() {
    assert_eq!(plain(|print| flow(print, 3 << 16 | 5, false)), "realms 3/5 ");
    assert_eq!(plain(|print| flow(print, 1 << 16, false)), "realms 1/cosmos ");
    assert_eq!(plain(|print| flow(print, 5, false)), "realm 5 ");
    assert_eq!(json(|print| flow(print, 3 << 16 | 5, false)), "[{\"flow\":{\"from\":\"3\",\"to\":\"5\"}}]\n");
    assert_eq!(
        (plain(|print| mark(print, 5)), plain(|print| mark(print, 32))),
        ("mark 5 ".into(), "mark 0x20 ".into())
    );
    assert_eq!(json(|print| mark(print, 32)), "[{\"mark\":32}]\n");
    assert_eq!(plain(|print| preferred(print, 0)), "pref medium");
}
