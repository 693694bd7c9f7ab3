use super::*;

fn key(number: u32) -> InputKey {
    InputKey::new(Ipv4Addr::from(number * 7), Ipv4Addr::from(0x0a00_0000 + number), 2)
}

fn route(oif: IfIndex) -> InputRoute {
    let gateway = Some(Ipv4Addr::new(10, 0, 0, 1)).filter(|_| oif.is_multiple_of(2));
    InputRoute {
        kind: RouteKind::Unicast,
        oif,
        gateway,
        mtu: 1500,
        redirect: oif.is_multiple_of(3),
        flags: oif,
        table: Some(254),
    }
}

#[test]
fn a_slot_is_a_line_of_the_cache() {
    assert_eq!(size_of::<Slot>(), 64);
}

#[test]
fn a_way_is_found_as_it_was_kept_until_something_changes() {
    let mut ways = Ways::default();
    assert_eq!(ways.find(1, &key(0)), None);
    let kept = ways.keep(1, &key(0), &route(6));
    assert_eq!(ways.find(1, &key(0)), Some((kept, route(6))));
    assert_eq!(ways.find(2, &key(0)), None);
    let (other_mark, other_tos) = (InputKey { mark: 1, ..key(0) }, InputKey { tos: 8, ..key(0) });
    let [other_port, other_source] =
        [InputKey { iif: 3, ..key(0) }, InputKey { source: Ipv4Addr::LOCALHOST, ..key(0) }];
    for other in [other_mark, other_tos, other_port, other_source, key(1)] {
        assert_eq!(ways.find(1, &other), None, "{other:?}");
    }
}

#[test]
fn its_mac_is_known_until_a_neighbour_changes() {
    let mut ways = Ways::default();
    let kept = ways.keep(1, &key(0), &route(3));
    let hop = (3, key(0).destination);
    assert_eq!(ways.mac(kept, 5, hop), None);
    ways.keep_mac(kept, 5, hop, (Mac::BROADCAST, true));
    assert_eq!((ways.mac(kept, 5, hop), ways.mac(kept, 6, hop)), (Some(Mac::BROADCAST), None));
    assert_eq!(ways.mac(Kept::NOWHERE, 5, hop), None);
    // Another way in its place has another MAC.
    let again = ways.keep(2, &key(0), &route(3));
    assert_eq!((again, ways.mac(again, 5, hop)), (kept, None));
}

#[test]
fn a_packet_whose_ways_place_was_taken_gets_no_other_hops_mac() {
    let mut ways = Ways::default();
    let (ours, theirs) = ((6, Ipv4Addr::new(10, 0, 0, 1)), (3, key(0).destination));
    let kept = ways.keep(1, &key(0), &route(6));
    assert_eq!(ways.keep(2, &key(0), &route(3)), kept);
    ways.keep_mac(kept, 5, ours, (Mac::BROADCAST, true));
    assert_eq!(ways.mac(kept, 5, theirs), None);
    ways.keep_mac(kept, 5, theirs, (Mac::BROADCAST, true));
    assert_eq!((ways.mac(kept, 5, ours), ways.mac(kept, 5, theirs)), (None, Some(Mac::BROADCAST)));
}

/// Straight goes what is passed on by a plain port, if nobody is told of a shorter way.
#[test]
fn which_ways_are_straight() {
    let mut ways = Ways::default();
    for (number, plain) in [(6, true), (2, false), (2, true)] {
        let route = route(number);
        let kept = ways.keep(1, &key(number), &route);
        assert_eq!(ways.straight((1, 5), &key(number)), None, "its MAC is not known");
        let hop = (number, route.gateway.unwrap_or(key(number).destination));
        ways.keep_mac(kept, 5, hop, (Mac::BROADCAST, plain));
        let found = ways.straight((1, 5), &key(number));
        assert_eq!(found.map(|way| way.oif), Some(number).filter(|_| plain && !route.redirect));
        assert_eq!((ways.straight((1, 6), &key(number)), ways.straight((2, 5), &key(number))), (None, None));
    }
}

/// However many are asked for, the places are bounded, and what is found is right.
#[test]
fn the_places_are_bounded() {
    let mut ways = Ways::default();
    for round in 0..3 {
        for number in 0..20_000 {
            if let Some((_, found)) = ways.find(1, &key(number)) {
                assert_eq!(found, route(number), "in round {round}");
            } else {
                ways.keep(1, &key(number), &route(number));
            }
            assert_eq!(ways.find(1, &key(number)).map(|(_, found)| found), Some(route(number)));
        }
    }
    assert_eq!(ways.slots.len() * 2, MOST);
}

#[test]
fn few_ways_take_few_places() {
    let mut ways = Ways::default();
    for _ in 0..10 {
        for number in 0..64 {
            if ways.find(1, &key(number)).is_none() {
                ways.keep(1, &key(number), &route(number));
            }
        }
    }
    assert!(ways.slots.len() <= 256, "{}", ways.slots.len());
}
